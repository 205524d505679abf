//! ## What it checks
//!
//! Private endpoints to one subresource of a storage account whose clients need another one too: `dfs` without `blob` (a warning); as
//! notes, `blob` without `dfs` for an account with a hierarchical namespace, and `blob` without `blob_secondary` for an account that
//! is read from its secondary region.
//!
//! ## What Azure does
//!
//! It accepts the endpoint. Clients of the Data Lake endpoint are sent on to the blob endpoint for some operations, and reach its public
//! address or nothing there.
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
//! resource "azurerm_storage_account" "lake" {
//!   name                          = "stlake"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   account_tier                  = "Standard"
//!   account_replication_type      = "LRS"
//!   is_hns_enabled                = true
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_dns_zone" "dfs" {
//!   name                = "privatelink.dfs.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "dfs" {
//!   name                  = "main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.dfs.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_endpoint" "dfs" {
//!   name                = "pe-dfs"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = azurerm_subnet.endpoints.id
//!
//!   private_service_connection {
//!     name                           = "dfs"
//!     private_connection_resource_id = azurerm_storage_account.lake.id
//!     subresource_names              = ["dfs"]
//!     is_manual_connection           = false
//!   }
//!
//!   private_dns_zone_group {
//!     name                 = "default"
//!     private_dns_zone_ids = [azurerm_private_dns_zone.dfs.id]
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
//! resource "azurerm_storage_account" "lake" {
//!   name                          = "stlake"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   account_tier                  = "Standard"
//!   account_replication_type      = "LRS"
//!   is_hns_enabled                = true
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_dns_zone" "dfs" {
//!   name                = "privatelink.dfs.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "dfs" {
//!   name                  = "main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.dfs.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_endpoint" "dfs" {
//!   name                = "pe-dfs"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = azurerm_subnet.endpoints.id
//!
//!   private_service_connection {
//!     name                           = "dfs"
//!     private_connection_resource_id = azurerm_storage_account.lake.id
//!     subresource_names              = ["dfs"]
//!     is_manual_connection           = false
//!   }
//!
//!   private_dns_zone_group {
//!     name                 = "default"
//!     private_dns_zone_ids = [azurerm_private_dns_zone.dfs.id]
//!   }
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
//!     private_connection_resource_id = azurerm_storage_account.lake.id
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
//! When the other endpoint may be made elsewhere: the account is handed to a module that is not on disk, or it is not known what an
//! endpoint leads to.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/storage/common/storage-private-endpoints>

use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::private_endpoint_companions::{self, Companion};
use crate::finding::{Category, Severity};
use crate::topology::{PrivateConnection, PrivateEndpoint, ResourceId, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-endpoint-incomplete",
    category: Category::PrivateEndpoint,
    severity: Severity::Warning,
    summary: "a private endpoint for one subresource of a target, without the one that its clients also need",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("private_endpoint_incomplete.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for endpoint in context.topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed())
    {
        for connection in &endpoint.connections {
            let (Some(target), Some(arm_type)) = (connection.target.to(), connection.target_type.as_deref())
            else {
                continue;
            };
            for row in private_endpoint_companions::of_type(arm_type) {
                if has(connection, &row.group) && applies(context, row, target) {
                    judge(context, reporter, endpoint, connection, target, row);
                }
            }
        }
    }
}

fn has(connection: &PrivateConnection, group: &str) -> bool {
    connection.group_ids.known().any(|own| own.eq_ignore_ascii_case(group))
}

/// Whether the row's condition on the target certainly holds.
fn applies(context: &Context, row: &Companion, target: ResourceId) -> bool {
    let Some(when) = &row.when else { return true };
    let values = context.topology[target].values(&when.terraform, &when.arm);
    let mut found = values.found.iter().map(|(value, _)| value).peekable();
    found.peek().is_some()
        && found.all(|value| {
            let text = match value.as_str() {
                Some(text) => text.to_ascii_lowercase(),
                None => value.as_bool().map(|flag| flag.to_string()).unwrap_or_default(),
            };
            when.is.iter().any(|wanted| wanted.eq_ignore_ascii_case(&text))
        })
}

fn judge(
    context: &Context,
    reporter: &mut Reporter,
    endpoint: &PrivateEndpoint,
    connection: &PrivateConnection,
    target: ResourceId,
    row: &Companion,
) {
    let topology = context.topology;
    let connections = || topology.private_endpoints.iter().flat_map(|endpoint| &endpoint.connections);
    if connections().any(|other| other.target.to() == Some(target) && has(other, &row.needs)) {
        return reporter.satisfied();
    }
    if let Some(why) = blind_spot(topology, connections(), target) {
        return reporter.undecided(connection.group_ids.place, why);
    }
    let severity = match row.confidence {
        Confidence::High => Severity::Warning,
        Confidence::Medium | Confidence::Low => Severity::Note,
    };
    let node = &topology[target];
    let name = node.name.known().map_or(node.key.address.as_str(), |name| name.as_str());
    let finding = reporter
        .finding_with(
            severity,
            format!(
                "private endpoint {} leads to `{}` of `{name}`, which has no endpoint for `{}`: {}",
                support::label(topology, &endpoint.header),
                row.group,
                row.needs,
                row.because,
            ),
            connection.group_ids.place,
        )
        .of(&endpoint.header.resource_id)
        .related("the target", node.place)
        .advice(format!("Add a private endpoint for `{}`, with its DNS zone.", row.needs))
        .certain_if(endpoint.header.is_certain() && node.uncertain.is_none());
    reporter.violated(finding);
}

/// Why the target may have endpoints that are not seen here.
fn blind_spot<'a>(
    topology: &'a Topology,
    connections: impl Iterator<Item = &'a PrivateConnection>,
    target: ResourceId,
) -> Option<&'a std::sync::Arc<crate::value::Unknown>> {
    let node = &topology[target];
    node.unseen.as_ref().or_else(|| {
        connections.into_iter().find_map(|other| match other.target.to() {
            Some(id) if id == target => other.group_ids.unknown(),
            Some(_) => None,
            None => other.target.unknown(),
        })
    })
}
