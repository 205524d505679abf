//! ## What it checks
//!
//! That a service which must be injected into a delegated subnet is put into one that has a delegation.
//!
//! ## What Azure does
//!
//! The service is rejected: `SubnetMissingRequiredDelegation`, `MiCreateFailedNonDelegatedSubnet`,
//! `ManagedEnvironmentSubnetDelegationError` and others. Where the need for the delegation depends on a plan or version that
//! cannot be read here, the finding is a warning.
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
//! ```
//!
//! ## When it is undecided
//!
//! When the subnet is not known, or is only looked up so that its delegations are not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/manage-subnet-delegation>

use super::occupants::{self, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Id, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-delegation-missing",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "a service that needs a delegated subnet is put into one without a delegation",
    error_codes: &[
        "ManagedEnvironmentSubnetDelegationError",
        "message: is missing a delegation to",
        "message: is missing required delegations",
        "MiCreateFailedNonDelegatedSubnet",
        "SubnetMissingRequiredDelegation",
    ],
    fix: Some("delegates the subnet to the service"),
    pedantic: false,
    source: include_str!("subnet_delegation_missing.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, occupancy) in topology.all::<crate::topology::Occupancy>() {
        let Some(resident) = occupants::resident(topology, id) else { continue };
        let Some(service) = resident.row.delegation.as_deref() else { continue };
        match (occupancy.subnet.to(), occupancy.subnet.unknown()) {
            (Some(subnet), _) => check_resident(context, reporter, &resident, subnet, service),
            (None, Some(unknown)) => reporter.undecided(occupancy.place, unknown),
            (None, None) => {}
        }
    }
}

fn check_resident(
    context: &Context,
    reporter: &mut Reporter,
    resident: &Resident,
    id: Id<Subnet>,
    service: &str,
) {
    let subnet = &context.topology[id];
    let delegations = &subnet.delegations;
    if !delegations.items.is_empty() {
        // Which one it is, is the subject of `subnet-delegation-mismatch`.
        reporter.satisfied();
        return;
    }
    if let Some(unknown) = &delegations.rest {
        reporter.undecided(resident.occupancy.place, unknown);
        return;
    }
    let always = resident.row.delegation_condition.is_none() && resident.row.confidence == Confidence::High;
    let severity = if always { Severity::Error } else { Severity::Warning };
    let mut finding = reporter
        .finding_with(
            severity,
            format!(
                "{} is in subnet {}, which is not delegated to {service}",
                resident.label(),
                support::label(context.topology, &subnet.header),
            ),
            resident.occupancy.place,
        )
        .related_part("the subnet has no delegation", &subnet.header)
        .advice(format!("Delegate the subnet to `{service}`."))
        .fix(always.then(|| {
            let title = format!("Delegate the subnet to `{service}`");
            Fix::new(title, Change::Delegate { subnet: id, service: service.into() })
        }))
        .certain_if(subnet.header.is_certain() && resident.is_certain());
    if let Some(condition) = &resident.row.delegation_condition {
        finding = finding.witness(format!("the delegation is needed for: {condition}"));
    }
    reporter.violated(finding);
}
