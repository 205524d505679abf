//! ## What it checks
//!
//! That no two private endpoints for the same sub-resource of one target write into the same private DNS zone.
//!
//! ## What Azure does
//!
//! Both write the record of the target's name; the one that comes last wins, and whoever cannot reach its network is cut off.
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
//! resource "azurerm_subnet" "endpoints" {
//!   name                 = "snet-endpoints"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_storage_account" "main" {
//!   name                          = "stmain"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   account_tier                  = "Standard"
//!   account_replication_type      = "ZRS"
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "blob" {
//!   name                  = "link-blob"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_endpoint" "one" {
//!   name                = "pe-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = azurerm_subnet.endpoints.id
//!
//!   private_service_connection {
//!     name                           = "one"
//!     private_connection_resource_id = azurerm_storage_account.main.id
//!     subresource_names              = ["blob"]
//!     is_manual_connection           = false
//!   }
//!
//!   private_dns_zone_group {
//!     name                 = "default"
//!     private_dns_zone_ids = [azurerm_private_dns_zone.blob.id]
//!   }
//! }
//!
//! resource "azurerm_private_endpoint" "two" {
//!   name                = "pe-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = azurerm_subnet.endpoints.id
//!
//!   private_service_connection {
//!     name                           = "two"
//!     private_connection_resource_id = azurerm_storage_account.main.id
//!     subresource_names              = ["blob"]
//!     is_manual_connection           = false
//!   }
//!
//!   private_dns_zone_group {
//!     name                 = "default"
//!     private_dns_zone_ids = [azurerm_private_dns_zone.blob.id]
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
//! resource "azurerm_subnet" "endpoints" {
//!   name                 = "snet-endpoints"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_storage_account" "main" {
//!   name                          = "stmain"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   account_tier                  = "Standard"
//!   account_replication_type      = "ZRS"
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "blob" {
//!   name                  = "link-blob"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_endpoint" "one" {
//!   name                = "pe-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = azurerm_subnet.endpoints.id
//!
//!   private_service_connection {
//!     name                           = "one"
//!     private_connection_resource_id = azurerm_storage_account.main.id
//!     subresource_names              = ["blob"]
//!     is_manual_connection           = false
//!   }
//!
//!   private_dns_zone_group {
//!     name                 = "default"
//!     private_dns_zone_ids = [azurerm_private_dns_zone.blob.id]
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the target, the sub-resource or the zone is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Id, Place, PrivateDnsZone, PrivateEndpoint, ResourceId};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-dns-record-collision",
    category: Category::Dns,
    severity: Severity::Warning,
    summary: "two private endpoints that write the same record into one zone",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("private_dns_record_collision.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    // Who wrote first, by zone, target and sub-resource.
    let mut writers: BTreeMap<(Id<PrivateDnsZone>, ResourceId, String), &PrivateEndpoint> = BTreeMap::new();
    for endpoint in topology.private_endpoints.iter().filter(|part| part.header.is_managed()) {
        let zones: Vec<(Id<PrivateDnsZone>, Place)> = endpoint
            .zone_groups
            .known()
            .flat_map(|group| &group.zones)
            .filter_map(|link| Some((link.to()?, link.place)))
            .collect();
        for connection in &endpoint.connections {
            let Some(target) = connection.target.to() else { continue };
            for group in connection.group_ids.known() {
                for (zone, place) in &zones {
                    let key = (*zone, target, group.to_lowercase().to_string());
                    let Some(first) = writers.get(&key) else {
                        writers.insert(key, endpoint);
                        reporter.satisfied();
                        continue;
                    };
                    // One endpoint that names a zone twice is no collision.
                    if std::ptr::eq(*first, endpoint) {
                        continue;
                    }
                    let finding = reporter
                        .finding(
                            format!(
                                "private endpoints {} and {} lead to the same `{group}` and write the same record into the zone {}",
                                support::label(topology, &first.header),
                                support::label(topology, &endpoint.header),
                                support::label(topology, &topology[*zone].header),
                            ),
                            *place,
                        )
                        .of(&endpoint.header.resource_id)
                        .related_part("the other endpoint", &first.header)
                        .related_part("the zone", &topology[*zone].header)
                        .advice("Share one endpoint, or give each network that is on its own a zone of its own.")
                        .certain_if(first.header.is_certain() && endpoint.header.is_certain());
                    reporter.violated(finding);
                }
            }
        }
    }
}
