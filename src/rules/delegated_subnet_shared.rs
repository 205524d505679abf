//! ## What it checks
//!
//! That a subnet which is delegated to one service holds nothing else: no network interface, no private endpoint, no other
//! service. Inline and separate subnets count alike, and every attribute by which a resource can name a subnet. A subnet that
//! is only looked up is checked too: a service that needs a delegation of its own and something that cannot live with it.
//!
//! ## What Azure does
//!
//! The second resource is rejected: `ResourceNotPermittedOnDelegatedSubnet`,
//! `SubnetWithExternalResourcesCannotBeUsedByOtherResources`, or for a private endpoint
//! `PrivateEndpointCreationNotAllowedAsSubnetIsDelegated`.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "db" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   private_dns_zone_id           = azurerm_private_dns_zone.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.db]
//! }
//!
//! resource "azurerm_network_interface" "vm" {
//!   name                = "nic-vm"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.db.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "db" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   private_dns_zone_id           = azurerm_private_dns_zone.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.db]
//! }
//!
//! resource "azurerm_network_interface" "vm" {
//!   name                = "nic-vm"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.app.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known what the subnet is delegated to, or whether a delegation makes the subnet exclusive.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/subnetwithexternalresourcescannotbeusedbyotherresources-error>

use super::occupants::{self, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::delegations;
use crate::azure::occupants::Sharing;
use crate::finding::{Category, Severity};
use crate::topology::{Delegation, Field, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "delegated-subnet-shared",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "a subnet that is delegated to one service also holds something else",
    error_codes: &[
        "message: cannot be used with a private endpoint",
        "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated",
        "SubnetIsDelegatedAndCannotBeUsed",
        "SubnetWithExternalResourcesCannotBeUsedByOtherResources",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("delegated_subnet_shared.rs"),
    check,
};

/// Private endpoints are refused in every delegated subnet, whatever the service.
const PRIVATE_ENDPOINT: &str = "Microsoft.Network/privateEndpoints";

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        let residents = occupants::of_subnet(context.topology, subnet);
        if subnet.delegations.items.is_empty() && subnet.delegations.rest.is_some() {
            check_undelegated(context, reporter, subnet, &residents);
            continue;
        }
        for field in &subnet.delegations.items {
            match (field.known(), field.unknown()) {
                (Some(delegation), _) => {
                    check_delegated(context, reporter, subnet, field, delegation, &residents)
                }
                (None, Some(unknown)) if !residents.is_empty() => reporter.undecided(field.place, unknown),
                _ => {}
            }
        }
    }
}

fn check_delegated(
    context: &Context,
    reporter: &mut Reporter,
    subnet: &Subnet,
    field: &Field<Delegation>,
    delegation: &Delegation,
    residents: &[Resident],
) {
    let topology = context.topology;
    let service = delegations::find(&delegation.service);
    let exclusive =
        service.is_some_and(|row| row.exclusive == Some(true) && row.confidence >= Confidence::Medium);
    for resident in residents {
        // What needs another delegation is the subject of `subnet-delegation-mismatch`.
        if resident.fits(&delegation.service) || resident.row.delegation.is_some() {
            reporter.satisfied();
            continue;
        }
        let refused = exclusive || resident.row.arm_type.eq_ignore_ascii_case(PRIVATE_ENDPOINT);
        if !refused || resident.row.sharing.is_none() {
            continue;
        }
        let certain = subnet.header.is_certain()
            && resident.is_certain()
            && !subnet.delegations.items.iter().any(|d| d.unknown().is_some());
        let mut finding = reporter
            .finding(
                format!(
                    "{} is in subnet {}, which is delegated to {}",
                    resident.label(),
                    support::label(topology, &subnet.header),
                    delegation.service,
                ),
                resident.occupancy.place,
            )
            .related("the delegation", field.place)
            .related_part("the subnet", &subnet.header)
            .advice(
                "Move it to a subnet without delegation; a delegated subnet belongs to its service alone.",
            )
            .certain_if(certain);
        for owner in residents.iter().filter(|other| other.fits(&delegation.service)) {
            finding =
                finding.related(format!("{} lives here by right", owner.label()), owner.occupancy.place);
        }
        reporter.violated(finding);
    }
}

/// A subnet whose delegations are not known: two occupants that cannot live together under any delegation.
fn check_undelegated(context: &Context, reporter: &mut Reporter, subnet: &Subnet, residents: &[Resident]) {
    let topology = context.topology;
    let Some(owner) = residents.iter().find(|resident| needs_delegation(resident)) else { return };
    for guest in residents.iter().filter(|resident| is_ordinary(resident)) {
        let finding = reporter
            .finding(
                format!(
                    "{} is in subnet {} together with {}, which needs the subnet delegated to it",
                    guest.label(),
                    support::label(topology, &subnet.header),
                    owner.label(),
                ),
                guest.occupancy.place,
            )
            .related(format!("{} lives here", owner.label()), owner.occupancy.place)
            .related_part("the subnet", &subnet.header)
            .advice("Move one of the two to another subnet; a delegated subnet belongs to its service alone.")
            .certain_if(owner.is_certain() && guest.is_certain());
        reporter.violated(finding);
    }
}

/// Whether a resident always needs a delegation that makes the subnet its own.
fn needs_delegation(resident: &Resident) -> bool {
    let exclusive = resident
        .row
        .delegation
        .as_deref()
        .and_then(delegations::find)
        .is_some_and(|row| row.exclusive == Some(true));
    exclusive && resident.row.delegation_condition.is_none() && resident.row.confidence == Confidence::High
}

/// Whether a resident never lives in a delegated subnet.
fn is_ordinary(resident: &Resident) -> bool {
    resident.row.sharing == Some(Sharing::Ordinary)
        && resident.row.delegation.is_none()
        && resident.row.confidence == Confidence::High
}
