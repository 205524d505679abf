//! ## What it checks
//!
//! The texts of security rules: ports and addresses that are several values in one string, ports that are none, service tags or `*` inside
//! lists of addresses, prefixes of one list that overlap, IPv4 and IPv6 in one list or on the two sides of a rule, application security groups together with
//! addresses on one side, a single address together with a list, a side without any address or port, protocols that do not exist, and
//! two rules of one name in a group.
//!
//! ## What Azure does
//!
//! Azure refuses the rule, and with it the group in which it is written.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "main" {
//!   name                = "nsg-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_network_security_rule" "ldap" {
//!   name                        = "ldap"
//!   resource_group_name         = "rg"
//!   network_security_group_name = azurerm_network_security_group.main.name
//!   priority                    = 100
//!   direction                   = "Inbound"
//!   access                      = "Allow"
//!   protocol                    = "Tcp"
//!   source_port_range           = "*"
//!   destination_port_range      = "636, 389"
//!   source_address_prefix       = "VirtualNetwork"
//!   destination_address_prefix  = "*"
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "main" {
//!   name                = "nsg-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_network_security_rule" "ldap" {
//!   name                        = "ldap"
//!   resource_group_name         = "rg"
//!   network_security_group_name = azurerm_network_security_group.main.name
//!   priority                    = 100
//!   direction                   = "Inbound"
//!   access                      = "Allow"
//!   protocol                    = "Tcp"
//!   source_port_range           = "*"
//!   destination_port_ranges     = ["636", "389"]
//!   source_address_prefix       = "VirtualNetwork"
//!   destination_address_prefix  = "*"
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a field is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/manage-network-security-group>
//! - <https://github.com/Azure/sap-hana/issues/135>
//! - <https://github.com/Azure/azure-cli/issues/8615>

use std::collections::BTreeMap;

use ecow::EcoString;

use super::{Context, Reporter, Rule, support};
use crate::analysis::security::syntax::{AddressDefect, address_defect, has_both_families};
use crate::finding::{Category, Change, Fix, Severity};
use crate::net::{PortSet, ProtocolSet, parse_prefix};
use crate::topology::{Declared, Place, RuleEndpoint, SecurityGroup, SecurityRule, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-rule-invalid",
    category: Category::Nsg,
    severity: Severity::Error,
    summary: "a security rule with field values that Azure refuses",
    error_codes: &[
        "OverlappingSubnetsNotPermittedInSecurityRule",
        "SecurityRuleInvalidAddressPrefix",
        "SecurityRuleInvalidPortRange",
        "SecurityRuleParameterContainsUnsupportedValue",
        "SecurityRuleParametersMissing",
    ],
    fix: Some("makes a list of ports or addresses that are joined in one string"),
    pedantic: false,
    source: include_str!("nsg_rule_invalid.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for group in &topology.security_groups {
        names(topology, reporter, group);
    }
    let rules = topology.security_groups.iter().flat_map(|group| group.rules.known());
    for rule in rules.filter(|rule| rule.header.is_managed()) {
        let before = reporter.violations();
        side(topology, reporter, rule, &rule.source, "source");
        side(topology, reporter, rule, &rule.destination, "destination");
        protocol(topology, reporter, rule);
        families(topology, reporter, rule);
        if reporter.violations() == before {
            reporter.satisfied();
        }
    }
}

/// Two rules of one name, both inside the group or both resources of their own. In a template, a rule that stands in both
/// places is one rule.
fn names(topology: &Topology, reporter: &mut Reporter, group: &SecurityGroup) {
    let mut seen: BTreeMap<(String, bool), &SecurityRule> = BTreeMap::new();
    for rule in group.rules.known().filter(|rule| rule.header.is_managed()) {
        let Some(name) = rule.header.name.known() else { continue };
        let node = &topology[rule.header.resource];
        let separate = rule.header.declared == Declared::Separate;
        // Templates deploy a resource again under its name.
        if separate && node.is_arm() {
            continue;
        }
        let first = *seen.entry((name.to_lowercase().into(), separate)).or_insert(rule);
        let same_root = topology[first.header.resource].key.root == node.key.root;
        if std::ptr::eq(first, rule) || !same_root {
            continue;
        }
        let finding = reporter
            .finding(
                format!("security group {} has two rules `{name}`", support::label(topology, &group.header)),
                rule.header.place,
            )
            .of(&rule.header.resource_id)
            .between(&[&first.header, &rule.header])
            .related("the first one", first.header.place)
            .advice("Give each rule of a group a name of its own.")
            .certain_if(rule.header.is_certain() && first.header.is_certain() && group.header.is_certain());
        reporter.violated(finding);
    }
}

/// IPv4 on one side and IPv6 on the other: no packet is both.
fn families(topology: &Topology, reporter: &mut Reporter, rule: &SecurityRule) {
    let of = |end: &RuleEndpoint| -> Option<bool> {
        let is_v4 = |text: &EcoString| parse_prefix(text).map(|prefix| prefix.addr().is_ipv4());
        let mut sides = end.prefixes.known().map(is_v4);
        let first = sides.next()??;
        // Tags and unknown values may hold either family.
        let plain =
            end.prefixes.is_complete() && end.prefixes.items.iter().all(|field| field.known().is_some());
        (plain && sides.all(|side| side == Some(first))).then_some(first)
    };
    let (Some(source), Some(destination)) = (of(&rule.source), of(&rule.destination)) else { return };
    if source == destination {
        return;
    }
    let word = |is_v4| if is_v4 { "IPv4" } else { "IPv6" };
    let finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "security rule {} has {} source addresses and {} destination addresses, and no packet has both",
                support::label(topology, &rule.header),
                word(source),
                word(destination),
            ),
            rule.destination.prefixes.place,
        )
        .of(&rule.header.resource_id)
        .advice("Make one rule for IPv4 and one for IPv6.")
        .certain_if(rule.header.is_certain());
    reporter.violated(finding);
}

fn protocol(topology: &Topology, reporter: &mut Reporter, rule: &SecurityRule) {
    let Some(text) = rule.protocol.known().filter(|text| ProtocolSet::parse(text).is_none()) else { return };
    let finding = reporter
        .finding(
            format!("security rule {} has the protocol `{text}`", support::label(topology, &rule.header)),
            rule.protocol.place,
        )
        .of(&rule.header.resource_id)
        .advice("Write `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah` or `*`.")
        .certain_if(rule.header.is_certain());
    reporter.violated(finding);
}

fn side(topology: &Topology, reporter: &mut Reporter, rule: &SecurityRule, end: &RuleEndpoint, word: &str) {
    let name = support::label(topology, &rule.header);
    let mut say = |text: String, place: Place, advice: &str, fix: Option<Fix>| {
        let finding = reporter
            .finding(format!("security rule {name} {text}"), place)
            .of(&rule.header.resource_id)
            .advice(advice)
            .fix(fix)
            .certain_if(rule.header.is_certain());
        reporter.violated(finding);
    };
    for field in &end.ports.items {
        let Some(text) = field.known().filter(|text| PortSet::parse(text).is_none()) else { continue };
        if text.trim().is_empty() {
            continue;
        }
        let (what, advice) = if text.contains([',', ';']) {
            ("several ports in one string", "Write each port or range as an element of the list.")
        } else {
            ("not a port, a range or `*`", "Write a number, a range such as `8080-8090`, or `*`.")
        };
        let fix = split(text, field.place, |part| PortSet::parse(part).is_some());
        say(format!("has the {word} port `{text}`: {what}"), field.place, advice, fix);
    }
    let single = end.single_prefix.known();
    let listed = end
        .prefixes
        .items
        .iter()
        .filter(|field| single.is_none() || field.place.site != end.single_prefix.place.site);
    if end.ports.is_certainly_empty() {
        let advice = "Give a port, a range or `*`.";
        say(format!("has no {word} port"), end.ports.place, advice, None);
    }
    let no_groups = end.groups.is_empty() && end.more_groups.is_none();
    if end.prefixes.is_certainly_empty() && no_groups {
        let advice = "Give an address, a tag, `*`, or application security groups.";
        say(format!("has no {word} address"), end.prefixes.place, advice, None);
    }
    let listed: Vec<_> = listed.filter_map(|field| Some((field.known()?, field.place))).collect();
    if let Some(text) = single.filter(|text| address_defect(text, false) == Some(AddressDefect::Joined)) {
        let advice = "Write each value as an element of the list.";
        let place = end.single_prefix.place;
        let fix = split(text, place, |part| parse_prefix(part).is_some());
        say(format!("has several {word} addresses in one string: `{text}`"), place, advice, fix);
    }
    for (text, place) in &listed {
        match address_defect(text, true) {
            Some(AddressDefect::Joined) => {
                let advice = "Write each value as an element of its own.";
                let fix = split(text, *place, |part| parse_prefix(part).is_some());
                say(format!("has several {word} addresses in one string: `{text}`"), *place, advice, fix);
            }
            // A list of one is what some clients send for the singular field.
            Some(AddressDefect::TagInList) if listed.len() > 1 => {
                let advice = "Make a rule of its own for the tag, in the singular field.";
                say(format!("has `{text}` in a list of {word} addresses"), *place, advice, None);
            }
            _ => {}
        }
    }
    if let (Some(single), Some((_, place))) = (single, listed.first()) {
        let advice = "Use the singular or the plural field, not both.";
        say(
            format!("has the {word} address `{single}` and a list of {word} addresses"),
            *place,
            advice,
            None,
        );
    }
    overlaps(&listed, word, &mut say);
    if has_both_families(listed.iter().map(|(text, _)| text.as_str())) {
        let advice = "Make one rule for IPv4 and one for IPv6.";
        say(format!("has IPv4 and IPv6 {word} addresses in one list"), end.prefixes.place, advice, None);
    }
    let grouped = end.groups.iter().find(|link| link.to().is_some());
    if let (Some(group), Some(address)) =
        (grouped, end.prefixes.items.iter().find_map(|f| f.known().map(|_| f)))
    {
        let advice = "Name either addresses or application security groups.";
        let text = format!("has application security groups and addresses as its {word}");
        let place = if group.place.site == address.place.site { address.place } else { group.place };
        say(text, place, advice, None);
    }
}

/// The parts of a text as a list, if each of them is what is wanted.
fn split(text: &EcoString, place: Place, wanted: impl Fn(&str) -> bool) -> Option<Fix> {
    let parts: Vec<EcoString> =
        text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).map(EcoString::from).collect();
    let change = Change::Split { place, from: text.clone(), to: parts.clone() };
    (parts.len() > 1 && parts.iter().all(|part| wanted(part)))
        .then(|| Fix::new("Write the values as a list", change))
}

/// Prefixes of one list that have addresses in common.
fn overlaps(
    listed: &[(&EcoString, Place)],
    word: &str,
    say: &mut impl FnMut(String, Place, &str, Option<Fix>),
) {
    let ranges: Vec<_> =
        listed.iter().filter_map(|(text, place)| Some((parse_prefix(text)?.trunc(), text, place))).collect();
    let nets: Vec<_> = ranges.iter().map(|(net, ..)| *net).collect();
    for (inner, outer) in support::nested(&nets) {
        // `nested` gives positions into its input, which is as long as `ranges`.
        let (Some((_, inner, place)), Some((_, outer, _))) = (ranges.get(inner), ranges.get(outer)) else {
            continue;
        };
        let text = format!("has the {word} addresses {inner} and {outer}, which overlap");
        say(text, **place, "Leave out the smaller range.", None);
    }
}
