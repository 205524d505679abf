//! ## What it checks
//!
//! That network rules and firewall rules of a database server are not made while its public endpoint is closed. They guard the
//! public endpoint; where there is none they have nothing to open.
//!
//! ## What Azure does
//!
//! The rule is rejected: `FirewallChangesDeniedBecausePublicEndpointDisabled`.
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!   service_endpoints    = ["Microsoft.Sql"]
//! }
//!
//! resource "azurerm_mssql_server" "main" {
//!   name                          = "sql-main"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   version                       = "12.0"
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_mssql_virtual_network_rule" "app" {
//!   name      = "app"
//!   server_id = azurerm_mssql_server.main.id
//!   subnet_id = azurerm_subnet.app.id
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!   service_endpoints    = ["Microsoft.Sql"]
//! }
//!
//! resource "azurerm_mssql_server" "main" {
//!   name                          = "sql-main"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   version                       = "12.0"
//!   public_network_access_enabled = true
//! }
//!
//! resource "azurerm_mssql_virtual_network_rule" "app" {
//!   name      = "app"
//!   server_id = azurerm_mssql_server.main.id
//!   subnet_id = azurerm_subnet.app.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the switch of the public endpoint is not known, or the server is only looked up.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/azure-sql/database/connectivity-settings>
//! - <https://learn.microsoft.com/azure/azure-sql/database/vnet-service-endpoint-rule-overview>

use super::{Context, Reporter, Rule};
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Field, ResourceNode};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "network-rule-ineffective",
    category: Category::ServiceEndpoint,
    severity: Severity::Error,
    summary: "a network rule for a public endpoint that is closed",
    error_codes: &["DenyPublicEndpointEnabled", "FirewallChangesDeniedBecausePublicEndpointDisabled"],
    fix: None,
    pedantic: false,
    source: include_str!("network_rule_ineffective.rs"),
    check,
};

/// Rules, by their ARM types, and the type of the server that they belong to.
/// Source: <https://learn.microsoft.com/azure/azure-sql/database/connectivity-settings>.
const RULES: [(&str, &str); 2] = [
    ("Microsoft.Sql/servers/virtualNetworkRules", "Microsoft.Sql/servers"),
    ("Microsoft.Sql/servers/firewallRules", "Microsoft.Sql/servers"),
];

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for rule in topology.resources.iter().filter(|node| node.mode == Mode::Managed) {
        let Some((_, server_type)) = RULES.iter().find(|(kind, _)| is_of(rule, kind)) else { continue };
        let mut servers = rule.dependencies.iter().filter(|id| is_of(&topology[**id], server_type));
        // With several it is not clear whose rule it is.
        let (Some(server), None) = (servers.next(), servers.next()) else { continue };
        let endpoint = topology.public_endpoints.iter().find(|part| part.header.resource == *server);
        if let Some(endpoint) = endpoint {
            check_rule(reporter, rule, &topology[*server], &endpoint.open);
        }
    }
}

fn check_rule(reporter: &mut Reporter, rule: &ResourceNode, server: &ResourceNode, open: &Field<bool>) {
    if let Some(why) = open.unknown() {
        return reporter.undecided(rule.place, why);
    }
    if !open.is(&false) {
        return reporter.satisfied();
    }
    let name = |node: &ResourceNode| match node.name.known() {
        Some(name) => name.to_string(),
        None => node.key.address.to_string(),
    };
    let finding = reporter
        .finding(
            format!(
                "rule `{}` admits clients to the public endpoint of `{}`, which is closed",
                name(rule),
                name(server)
            ),
            rule.place,
        )
        .related("the public endpoint is closed here", open.place)
        .advice("Remove the rule and reach the server by a private endpoint, or open the public endpoint.")
        .certain_if(rule.uncertain.is_none() && server.uncertain.is_none());
    reporter.violated(finding);
}

fn is_of(node: &ResourceNode, arm_type: &str) -> bool {
    node.arm_type.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(arm_type))
}
