//! ## What it checks
//!
//! Security rules that never match because rules with a smaller priority number take all their packets and do the opposite with them, wholly
//! or in part: an allow behind a deny of everything, a deny behind an allow for a wider range. The packets are compared as
//! sets, so that several rules may cover one together. What tags mean is taken from the networks in which the group is attached.
//!
//! A deny of `Internet` behind an allow of `VirtualNetwork` is reported as well where the subnet's route table has a default route: the
//! tag holds the prefixes of user-defined routes and may then stand for every address.
//!
//! ## What Azure does
//!
//! It deploys. The first rule that matches decides; the later rule has no effect.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-vnet"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "VirtualNetwork"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "deny-all"
//!     priority                   = 200
//!     direction                  = "Inbound"
//!     access                     = "Deny"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 300
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "Internet"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-vnet"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "VirtualNetwork"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 150
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "Internet"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "deny-all"
//!     priority                   = 200
//!     direction                  = "Inbound"
//!     access                     = "Deny"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! Rules with unknown priorities or conditions are neither judged nor counted on. Rules that a part of is still reached, and rules
//! that only repeat earlier ones (`nsg-rule-redundant`) or the default rules, are not reported.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works>
//! - <https://learn.microsoft.com/azure/virtual-network/service-tags-overview>
//! - <https://github.com/MicrosoftDocs/azure-docs/issues/22178>

use super::shadows::{self, Shadow};
use super::{Context, Reporter, Rule, support};
use crate::analysis::security::ShadowEffect;
use crate::finding::{Category, Severity};
use crate::topology::{Access, Direction, SecurityGroup, SecurityRule, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-rule-shadowed",
    category: Category::Nsg,
    severity: Severity::Warning,
    summary: "a security rule that never matches, because earlier rules do the opposite with its packets",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("nsg_rule_shadowed.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, shadows) in shadows::all(context) {
        let group = &topology[id];
        let mut reported = 0;
        for shadow in &shadows {
            let dead = match shadow.effect {
                ShadowEffect::Redundant => false,
                ShadowEffect::Defeated => !shadow.opposed_by.is_empty() || !shadow.by.is_empty(),
                ShadowEffect::Mixed => !shadow.opposed_by.is_empty(),
            };
            // Only what is about the Internet is said of a default route that may count in.
            let said = shadow.by_default_route.is_none() || denies_internet(shadow.rule);
            if dead && said && shadow.rule.header.is_managed() {
                report(topology, reporter, group, shadow);
                reported += 1;
            }
        }
        for _ in reported..group.rules.items.len() {
            reporter.satisfied();
        }
    }
}

fn denies_internet(rule: &SecurityRule) -> bool {
    let far = match rule.direction.known() {
        Some(Direction::Outbound) => &rule.destination,
        Some(Direction::Inbound) => &rule.source,
        None => return false,
    };
    rule.access.is(&Access::Deny) && far.prefixes.known().any(|text| text.eq_ignore_ascii_case("Internet"))
}

fn priority(rule: &SecurityRule) -> String {
    rule.priority.known().map_or("?".into(), |priority| priority.to_string())
}

fn report(topology: &Topology, reporter: &mut Reporter, group: &SecurityGroup, shadow: &Shadow) {
    const SHOWN: usize = 3;
    let rule = shadow.rule;
    let opponents = if shadow.opposed_by.is_empty() { &shadow.by } else { &shadow.opposed_by };
    let mut names: Vec<String> = opponents
        .iter()
        .take(SHOWN)
        .map(|other| format!("{} ({})", support::label(topology, &other.header), priority(other)))
        .collect();
    if opponents.len() > SHOWN {
        names.push(format!("{} more", opponents.len() - SHOWN));
    }
    let (verb, opposite) = match rule.access.known() {
        Some(Access::Deny) => ("denies", "allow"),
        _ => ("allows", "deny"),
    };
    let scope = if shadow.effect == ShadowEffect::Mixed { "part of them" } else { "them" };
    let opposed = match shadow.by_default_route {
        None => format!("earlier rules take all its packets, and {} {opposite} {scope}", names.join(", ")),
        Some(subnet) => format!(
            "with the default route of subnet {}, `VirtualNetwork` in {} may stand for every address",
            support::label(topology, &topology[subnet].header),
            names.join(", ")
        ),
    };
    let message = format!(
        "security rule {} ({}) of {} {verb} nothing: {opposed}",
        support::label(topology, &rule.header),
        priority(rule),
        support::label(topology, &group.header),
    );
    let mut finding = reporter
        .finding(message, rule.access.place)
        .of(&rule.header.resource_id)
        .related_part("the group", &group.header);
    for other in shadow.by.iter().take(SHOWN) {
        finding = finding.related_part("an earlier rule that takes its packets", &other.header);
    }
    let mut certain = rule.header.is_certain()
        && group.header.is_certain()
        && shadow.by.iter().all(|other| other.header.is_certain());
    let advice = match shadow.by_default_route {
        None => {
            let first = shadow.by.iter().filter_map(|other| other.priority.known()).min();
            let below = first.map_or(String::new(), |first| format!(" below {first}"));
            format!("Give it a priority{below}, narrow the earlier rules, or remove it.")
        }
        Some(subnet) => {
            let part = &topology[subnet];
            finding = finding
                .related_part("the subnet", &part.header)
                .related("has its route table here", part.route_table.place);
            if let Some(network) = part.network.to() {
                finding = finding.related_part("the network", &topology[network].header);
            }
            if let Some(table) = part.route_table.to().map(|table| &topology[table]) {
                finding = finding.related_part("the route table", &table.header);
                certain &= table.header.is_certain();
            }
            finding = finding.witness(
                "the service tag VirtualNetwork holds the prefixes of user-defined routes, and may hold the default route",
            );
            "Name the address ranges of the network instead of `VirtualNetwork`, and deny `*` instead of `Internet`.".into()
        }
    };
    reporter.violated(finding.advice(advice).certain_if(certain));
}
