//! ## What it checks
//!
//! That no network security group is attached to a subnet that may not have one: `GatewaySubnet`, the subnets of Azure Firewall and of
//! Route Server. Also that the group on the subnet of a PostgreSQL flexible server has no rules with application security groups.
//!
//! ## What Azure does
//!
//! A group on `GatewaySubnet` is refused. On the subnets of a firewall or a route server it is not supported: these services are guarded by
//! the platform, and a group can cut their management traffic; that is a warning. So is a rule with application security groups before a
//! PostgreSQL flexible server, which does not support them.
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
//! resource "azurerm_subnet" "gateway" {
//!   name                 = "GatewaySubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_network_security_group" "main" {
//!   name                = "nsg-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "main" {
//!   subnet_id                 = azurerm_subnet.gateway.id
//!   network_security_group_id = azurerm_network_security_group.main.id
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
//! }
//!
//! resource "azurerm_network_security_group" "main" {
//!   name                = "nsg-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "main" {
//!   subnet_id                 = azurerm_subnet.app.id
//!   network_security_group_id = azurerm_network_security_group.main.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the name of the subnet is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings>
//! - <https://learn.microsoft.com/azure/firewall/firewall-faq>
//! - <https://learn.microsoft.com/azure/route-server/route-server-faq>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>

use super::{Context, Reporter, Rule, support};
use crate::azure::security_groups::{Prohibition, security_group_facts};
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Engine, Id, SecurityGroup, SecurityRule, Subnet, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-forbidden-on-subnet",
    category: Category::Nsg,
    severity: Severity::Error,
    summary: "a network security group on a subnet that may not have one",
    error_codes: &["NetworkSecurityGroupCannotBeAttachedToGatewaySubnet"],
    fix: Some("takes the group off a subnet on which Azure refuses it"),
    pedantic: false,
    source: include_str!("nsg_forbidden_on_subnet.rs"),
    check,
};

/// Groups on subnets of PostgreSQL flexible servers, with rules by application security groups.
fn check_servers(topology: &Topology, reporter: &mut Reporter) {
    let mut judged: Vec<Id<Subnet>> = Vec::new();
    for server in topology.flexible_servers.iter().filter(|server| server.header.is_managed()) {
        let Some(id) = server.subnet.to().filter(|id| !judged.contains(id)) else { continue };
        let subnet = &topology[id];
        let (Engine::PostgreSql, Some(group)) = (server.engine, subnet.security_group.to()) else { continue };
        judged.push(id);
        let group = &topology[group];
        let by_groups =
            |rule: &&SecurityRule| !rule.source.groups.is_empty() || !rule.destination.groups.is_empty();
        let Some(rule) = group.rules.known().find(by_groups) else {
            reporter.satisfied();
            continue;
        };
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "rule {} names application security groups, which the subnet of PostgreSQL flexible server {} does not support",
                    support::label(topology, &rule.header),
                    support::label(topology, &server.header),
                ),
                rule.header.place,
            )
            .of(&rule.header.resource_id)
            .related_part("the server", &server.header)
            .related("its security group", subnet.security_group.place)
            .advice("Name the addresses instead.")
            .certain_if(rule.header.is_certain() && server.header.is_certain() && subnet.header.is_certain());
        reporter.violated(finding);
    }
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    check_servers(topology, reporter);
    for subnet in &topology.subnets {
        let Some(group) = subnet.security_group.to() else { continue };
        let Some(name) = subnet.header.name.known() else {
            if let Some(why) = subnet.header.name.unknown() {
                reporter.undecided(subnet.security_group.place, why);
            }
            continue;
        };
        let Some(row) = security_group_facts().prohibited_subnet(name) else {
            reporter.satisfied();
            continue;
        };
        let (severity, word) = match row.outcome {
            Prohibition::Rejected => (Severity::Error, "may not have one"),
            Prohibition::Unsupported => (Severity::Warning, "is not meant to have one"),
        };
        let group = &topology[group];
        let finding = reporter
            .finding_with(
                severity,
                format!(
                    "security group {} is attached to subnet `{name}`, which {word}",
                    support::label(topology, &group.header)
                ),
                subnet.security_group.place,
            )
            .of(&subnet.header.resource_id)
            .related_part("the subnet", &subnet.header)
            .related_part("the group", &group.header)
            .advice("Leave this subnet out of the association.")
            .fix(detached(subnet, group).filter(|_| severity == Severity::Error))
            .certain_if(subnet.header.is_certain() && group.header.is_certain());
        reporter.violated(finding);
    }
}

/// Without the association: the property of the subnet, or the resource that is nothing but the association.
fn detached(subnet: &Subnet, group: &SecurityGroup) -> Option<Fix> {
    let place = subnet.security_group.place;
    let change = if place.resource == subnet.header.resource {
        subnet.header.is_managed().then_some(Change::Remove { place })?
    } else if place.resource == group.header.resource {
        return None;
    } else {
        Change::Drop { resource: place.resource }
    };
    Some(Fix::new("Take the group off the subnet", change))
}
