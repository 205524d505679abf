//! ## What it checks
//!
//! That something which has a private endpoint has its public one closed, or guarded by network rules that deny by default. Whether
//! a service may have a public endpoint at all, or should have a private one, is a matter of policy and not asked.
//!
//! ## What Azure does
//!
//! Nothing: a private endpoint adds a private door and leaves the public one as it was.
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
//! When the switch is not known, or the resource is only looked up. Resources whose switch has no documented default are only
//! checked where it is given.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview>
//! - <https://learn.microsoft.com/azure/storage/common/storage-private-endpoints>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{PrivateEndpoint, PublicEndpoint, ResourceId};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "public-endpoint-open",
    category: Category::Exposure,
    severity: Severity::Warning,
    summary: "something with a private endpoint whose public endpoint stays open",
    error_codes: &[],
    pedantic: false,
    fix: None,
    source: include_str!("public_endpoint_open.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut private: BTreeMap<ResourceId, &PrivateEndpoint> = BTreeMap::new();
    for endpoint in topology.private_endpoints.iter().filter(|part| part.header.is_managed()) {
        for target in endpoint.connections.iter().filter_map(|connection| connection.target.to()) {
            private.entry(target).or_insert(endpoint);
        }
    }
    for public in &topology.public_endpoints {
        if let Some(endpoint) = private.get(&public.header.resource) {
            check_endpoint(context, reporter, public, endpoint);
        }
    }
}

fn check_endpoint(
    context: &Context,
    reporter: &mut Reporter,
    public: &PublicEndpoint,
    private: &PrivateEndpoint,
) {
    let topology = context.topology;
    if public.open.is(&false) || public.guarded.is(&true) || public.open.is_absent() {
        return reporter.satisfied();
    }
    for field in [&public.open, &public.guarded] {
        if let Some(why) = field.unknown() {
            return reporter.undecided(field.place, why);
        }
    }
    let finding = reporter
        .finding(
            format!(
                "{} has private endpoint {}, but its public endpoint is open to every network",
                support::label(topology, &public.header),
                support::label(topology, &private.header),
            ),
            public.open.place,
        )
        .of(&public.header.resource_id)
        .related_part("the private endpoint", &private.header)
        .advice("Close the public endpoint, or let rules deny what they do not admit.")
        .certain_if(public.header.is_certain() && private.header.is_certain());
    reporter.violated(finding);
}
