//! ## What it checks
//!
//! That a private endpoint is in the region of the network that its subnet belongs to. What it leads to may be in any region.
//!
//! ## What Azure does
//!
//! The endpoint is an interface of the network, and a network is in one region: an endpoint elsewhere is refused, because the subnet
//! "was not found" there (`InvalidResourceReference`).
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
//!   location                      = "northeurope"
//!   account_tier                  = "Standard"
//!   account_replication_type      = "LRS"
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "blob" {
//!   name                  = "main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_endpoint" "blob" {
//!   name                = "pe-blob"
//!   resource_group_name = "rg"
//!   location            = "northeurope"
//!   subnet_id           = azurerm_subnet.endpoints.id
//!
//!   private_service_connection {
//!     name                           = "blob"
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
//!   location                      = "northeurope"
//!   account_tier                  = "Standard"
//!   account_replication_type      = "LRS"
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "blob" {
//!   name                  = "main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_endpoint" "blob" {
//!   name                = "pe-blob"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = azurerm_subnet.endpoints.id
//!
//!   private_service_connection {
//!     name                           = "blob"
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
//! When the region of the endpoint or of the network is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
//! - <https://learn.microsoft.com/azure/private-link/private-link-faq>

use super::regions::{self, End};
use super::{Context, Reporter, Rule};
use crate::finding::{Category, Severity};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-endpoint-region",
    category: Category::PrivateEndpoint,
    severity: Severity::Error,
    summary: "a private endpoint in another region than its network",
    error_codes: &["InvalidResourceReference"],
    fix: None,
    pedantic: false,
    source: include_str!("private_endpoint_region.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for endpoint in topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed()) {
        let network = endpoint.subnet.to().and_then(|subnet| topology[subnet].network.to());
        match (network, endpoint.subnet.unknown()) {
            (Some(network), _) => {
                let own = End { header: &endpoint.header, what: "private endpoint" };
                let network = End { header: &topology[network].header, what: "network" };
                regions::judge(context, reporter, own, network, endpoint.subnet.place);
            }
            (None, Some(why)) => reporter.undecided(endpoint.subnet.place, why),
            (None, None) => {}
        }
    }
}
