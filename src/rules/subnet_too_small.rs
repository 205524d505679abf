//! ## What it checks
//!
//! That a subnet is not smaller than Azure allows at all (/29), nor than its reserved name or a service in it needs.
//!
//! ## What Azure does
//!
//! The subnet, or the service, is rejected where the minimum is enforced: an error. Where a smaller subnet is only outside of what
//! is documented, it is a warning.
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
//!   address_prefixes     = ["10.0.1.0/29"]
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
//!   address_prefixes     = ["10.0.1.0/28"]
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
//! When the range of the subnet is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/bastion/configuration-settings>
//! - <https://learn.microsoft.com/azure/firewall/firewall-faq>

use ipnet::IpNet;

use super::occupants;
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::subnet_sizes::{self, LONGEST_PREFIX, SubnetSize};
use crate::finding::{Category, Severity};
use crate::topology::{Place, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-too-small",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "a subnet smaller than Azure, or a service in it, allows",
    error_codes: &["NetcfgInvalidSubnet"],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_too_small.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        check_subnet(context, reporter, subnet);
    }
}

fn check_subnet(context: &Context, reporter: &mut Reporter, subnet: &Subnet) {
    let largest = support::ranges(&subnet.prefixes)
        .filter(|(range, _)| matches!(range, IpNet::V4(_)))
        .min_by_key(|(range, _)| range.prefix_len());
    if let (Some(unknown), true) = (subnet.prefixes.unknown(), subnet.header.is_managed()) {
        reporter.undecided(subnet.prefixes.place, unknown);
        return;
    }
    let Some((range, field)) = largest else { return };
    let length = range.prefix_len();
    if length > LONGEST_PREFIX && subnet.header.is_managed() {
        let finding = reporter
            .finding(
                format!(
                    "subnet {} is a /{length}; Azure takes no subnet smaller than a /{LONGEST_PREFIX}",
                    support::label(context.topology, &subnet.header)
                ),
                field.place,
            )
            .of(&subnet.header.resource_id)
            .advice(format!(
                "Use a /{LONGEST_PREFIX} or larger; five addresses of every subnet are Azure's own."
            ))
            .certain_if(subnet.header.is_certain());
        reporter.violated(finding);
        return;
    }
    let mut demands: Vec<(String, &SubnetSize, Option<Place>, bool)> = Vec::new();
    if let Some(row) = subnet.header.name.known().and_then(|name| subnet_sizes::of_name(name)) {
        demands.push(("its name".into(), row, None, true));
    }
    for resident in occupants::of_subnet(context.topology, subnet) {
        if let Some(row) = subnet_sizes::of_kind(&resident.row.kind) {
            demands.push((resident.label(), row, Some(resident.occupancy.place), resident.is_certain()));
        }
    }
    // One finding for the subnet: what asks for most.
    let worst =
        demands.iter().filter(|(_, row, _, _)| length > row.minimum).min_by_key(|(_, row, _, _)| row.minimum);
    let Some((who, row, place, certain)) = worst else {
        if !demands.is_empty() {
            reporter.satisfied();
        }
        return;
    };
    let refused =
        row.confidence == Confidence::High && row.accepted.is_some_and(|accepted| length > accepted);
    let severity = if refused { Severity::Error } else { Severity::Warning };
    let mut finding = reporter
        .finding_with(
            severity,
            format!(
                "subnet {} ({range}) is too small: {who} needs a /{} or larger",
                support::label(context.topology, &subnet.header),
                row.minimum
            ),
            field.place,
        )
        .of(&subnet.header.resource_id)
        .related_part("the subnet", &subnet.header)
        .advice(format!("Give the subnet a /{}; it can often not be enlarged once it is used.", row.minimum))
        .certain_if(*certain && subnet.header.is_certain());
    if let Some(place) = place {
        finding = finding.related(format!("{who} lives here"), *place);
    }
    reporter.violated(finding);
}
