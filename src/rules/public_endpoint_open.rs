//! ## What it checks
//!
//! That something which has a private endpoint has its public one closed, or guarded by network rules that deny by default.
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

use std::collections::BTreeSet;

use super::{Context, Reporter, Rule, support};
use crate::azure::exposure;
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{ResourceId, ResourceNode};
use crate::value::{Value, ValueKind};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "public-endpoint-open",
    category: Category::Exposure,
    severity: Severity::Warning,
    summary: "something with a private endpoint whose public endpoint stays open",
    error_codes: &[],
    fix: None,
    pedantic: true,
    source: include_str!("public_endpoint_open.rs"),
    check,
};

/// Where rules that deny by default stand, by which the public endpoint is guarded.
const GUARDS: [&str; 3] =
    ["network_rules.default_action", "network_acls.default_action", "network_rule_set.default_action"];

/// Blocks and attributes that guard the public endpoint in ways of their own.
const OTHER_GUARDS: [&str; 6] = [
    "ip_range_filter",
    "is_virtual_network_filter_enabled",
    "network_rulesets",
    "network_rule_set",
    "allowed_ips",
    "site_config.ip_restriction",
];

/// Separate resources that hold such rules, and the attribute that names what they guard.
const SEPARATE: [&str; 6] = [
    "azurerm_storage_account_network_rules",
    "azurerm_servicebus_namespace_network_rule_set",
    "azurerm_mssql_firewall_rule",
    "azurerm_mssql_virtual_network_rule",
    "azurerm_postgresql_flexible_server_firewall_rule",
    "azurerm_mysql_flexible_server_firewall_rule",
];

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut seen: BTreeSet<ResourceId> = BTreeSet::new();
    for endpoint in topology.private_endpoints.iter().filter(|part| part.header.is_managed()) {
        for connection in &endpoint.connections {
            let Some(target) = connection.target.to() else { continue };
            let resource = &topology[target];
            if resource.mode != Mode::Managed || !seen.insert(target) {
                continue;
            }
            let Some(row) = exposure::exposure().public_access_of(&resource.written_type) else { continue };
            let values = resource.values(&[row.attribute.as_str()], &[]);
            let (open, place) = match values.found.first() {
                Some((value, place)) => match is_open(value) {
                    Some(open) => (open, *place),
                    None => {
                        if let Some(unknown) = value.first_unknown() {
                            reporter.undecided(*place, &unknown);
                        }
                        continue;
                    }
                },
                None => match (&values.unknown, &row.default) {
                    (Some(unknown), _) => {
                        reporter.undecided(resource.place, unknown);
                        continue;
                    }
                    (None, Some(default)) => (means_open(default).unwrap_or(false), resource.place),
                    (None, None) => continue,
                },
            };
            if !open || is_guarded(context, resource, target) {
                reporter.satisfied();
                continue;
            }
            let name = resource.name.known().map_or(resource.key.address.as_str(), |name| name.as_str());
            let finding = reporter
                .finding(
                    format!(
                        "`{name}` has private endpoint {}, but its public endpoint is open to every network",
                        support::label(topology, &endpoint.header),
                    ),
                    place,
                )
                .related_part("the private endpoint", &endpoint.header)
                .advice(format!("Set `{}` to `{}`.", row.attribute, closed(row.default.as_deref())))
                .certain_if(endpoint.header.is_certain() && resource.uncertain.is_none());
            reporter.violated(finding);
        }
    }
}

fn closed(default: Option<&str>) -> &'static str {
    match default {
        Some(text) if text.eq_ignore_ascii_case("Enabled") => "Disabled",
        _ => "false",
    }
}

fn is_open(value: &Value) -> Option<bool> {
    match &value.kind {
        ValueKind::Bool(flag) => Some(*flag),
        ValueKind::String(text) => means_open(text),
        _ => None,
    }
}

fn means_open(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "enabled" => Some(true),
        "false" | "disabled" | "securedbyperimeter" => Some(false),
        _ => None,
    }
}

/// Whether rules stand before the public endpoint, whatever they admit.
fn is_guarded(context: &Context, resource: &ResourceNode, id: ResourceId) -> bool {
    let actions = resource.values(&GUARDS, &[]);
    let denies = actions.unknown.is_some()
        || actions
            .found
            .iter()
            .any(|(value, _)| !value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("Allow")));
    if denies || !resource.values(&OTHER_GUARDS, &[]).is_absent() && actions.found.is_empty() {
        return true;
    }
    context
        .topology
        .resources
        .iter()
        .any(|other| SEPARATE.contains(&other.written_type.as_str()) && other.dependencies.contains(&id))
}
