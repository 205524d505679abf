//! ## What it checks
//!
//! That the delegation of a subnet is the one that the service in it needs.
//!
//! ## What Azure does
//!
//! The service is rejected, as if there were no delegation (`SubnetMissingRequiredDelegation` and its relatives). A delegation map
//! that was copied from another service, or a plan that needs another delegation than its siblings, are the usual causes.
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
//!       name = "Microsoft.DBforMySQL/flexibleServers"
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
//! When a delegation of the subnet is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/azure-functions/functions-networking-options>

use super::occupants::{self, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Delegation, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-delegation-mismatch",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "a subnet is delegated to another service than the one that is put into it",
    error_codes: &[
        "message: is missing a delegation to",
        "message: is missing required delegations",
        "SubnetIsDelegatedAndCannotBeUsed",
        "SubnetMissingRequiredDelegation",
    ],
    fix: Some("delegates the subnet to the service that is in it, where nothing else is"),
    pedantic: false,
    source: include_str!("subnet_delegation_mismatch.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        let known: Vec<&Delegation> = subnet.delegations.known().collect();
        for resident in occupants::of_subnet(context.topology, subnet) {
            let Some(service) = resident.row.delegation.as_deref() else { continue };
            if known.iter().any(|delegation| resident.fits(&delegation.service)) {
                reporter.satisfied();
            } else if let Some(unknown) = subnet.delegations.unknown() {
                reporter.undecided(resident.occupancy.place, unknown);
            } else if let [delegation, ..] = known.as_slice() {
                report(context, reporter, subnet, &resident, service, delegation);
            }
        }
    }
}

fn report(
    context: &Context,
    reporter: &mut Reporter,
    subnet: &Subnet,
    resident: &Resident,
    service: &str,
    delegation: &Delegation,
) {
    // A conditional need may be another one under the other condition; then only the place is doubtful, not the clash.
    let always = resident.row.delegation_condition.is_none() && resident.row.confidence == Confidence::High;
    let severity = if always { Severity::Error } else { Severity::Warning };
    let finding = reporter
        .finding_with(
            severity,
            format!(
                "{} is in subnet {}, which is delegated to {} instead of {service}",
                resident.label(),
                support::label(context.topology, &subnet.header),
                delegation.service,
            ),
            resident.occupancy.place,
        )
        .related(
            "the delegation",
            subnet.delegations.items.first().map_or(subnet.delegations.place, |field| field.place),
        )
        .related_part("the subnet", &subnet.header)
        .advice(format!("Delegate the subnet to `{service}`, or use a subnet that is."))
        .fix(redelegated(context, subnet, service, delegation).filter(|_| always))
        .certain_if(subnet.header.is_certain() && resident.is_certain());
    reporter.violated(finding);
}

/// Another service for the only delegation, when everything in the subnet needs that one.
fn redelegated(context: &Context, subnet: &Subnet, service: &str, delegation: &Delegation) -> Option<Fix> {
    let [field] = subnet.delegations.items.as_slice() else { return None };
    let residents = occupants::of_subnet(context.topology, subnet);
    let alone = residents.len() == subnet.occupancies.len()
        && residents.iter().all(|other| other.row.delegation.as_deref() == Some(service));
    let change =
        Change::Redelegate { delegation: field.place, from: delegation.service.clone(), to: service.into() };
    (alone && subnet.header.is_managed())
        .then(|| Fix::new(format!("Delegate the subnet to `{service}`"), change))
}
