//! ## What it checks
//!
//! That a network has one DNS private resolver, and that forwarding rules are linked to networks that ask Azure's DNS.
//!
//! ## What Azure does
//!
//! A second resolver for one network is refused. A link of a forwarding rule set to a network with DNS servers of its own is accepted and does
//! nothing: its machines ask their own servers, which know nothing of the rules, unless one of these servers is in that network and asks
//! Azure's DNS from there.
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
//! resource "azurerm_private_dns_resolver" "main" {
//!   for_each            = toset(["inbound", "outbound"])
//!   name                = "dnspr-${each.key}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.main.id
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
//! resource "azurerm_private_dns_resolver" "main" {
//!   name                = "dnspr-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.main.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known of which network a resolver or a link is, or which DNS servers the network has.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/dns/dns-private-resolver-overview>
//! - <https://learn.microsoft.com/azure/dns/private-resolver-endpoints-rulesets>

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{DnsResolver, ForwardingRuleSet, Header, Id, Link, Topology, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "dns-resolver-invalid",
    category: Category::Dns,
    severity: Severity::Error,
    summary: "a second DNS private resolver for a network, or forwarding rules linked where nobody asks them",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("dns_resolver_invalid.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut first: BTreeMap<Id<VirtualNetwork>, &DnsResolver> = BTreeMap::new();
    for resolver in topology.dns_resolvers.iter().filter(|resolver| resolver.header.is_managed()) {
        let Some(network) = resolver.network.to() else {
            if let Some(why) = resolver.network.unknown() {
                reporter.undecided(resolver.network.place, why);
            }
            continue;
        };
        match first.get(&network) {
            Some(other) if !same(topology, &other.header, &resolver.header) => {
                second(topology, reporter, network, other, resolver);
            }
            _ => {
                first.insert(network, resolver);
                reporter.satisfied();
            }
        }
    }
    for set in topology.forwarding_rule_sets.iter().filter(|set| set.header.is_managed()) {
        for link in &set.networks {
            linked(topology, reporter, set, link);
        }
    }
}

/// Whether two resolvers may be one, written twice.
fn same(topology: &Topology, a: &Header, b: &Header) -> bool {
    let one_input = topology[a.resource].key.root == topology[b.resource].key.root;
    match (a.name.known(), b.name.known()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => !one_input,
    }
}

fn second(
    topology: &Topology,
    reporter: &mut Reporter,
    network: Id<VirtualNetwork>,
    first: &DnsResolver,
    resolver: &DnsResolver,
) {
    let network = &topology[network].header;
    let finding = reporter
        .finding(
            format!(
                "network {} has two DNS private resolvers, {} and {}; it takes one",
                support::label(topology, network),
                support::label(topology, &first.header),
                support::label(topology, &resolver.header),
            ),
            resolver.network.place,
        )
        .of(&resolver.header.resource_id)
        .between(&[network, &first.header, &resolver.header])
        .related_part("the other resolver", &first.header)
        .advice("Give one resolver inbound and outbound endpoints, each in a subnet of its own.")
        .certain_if([&first.header, &resolver.header, network].into_iter().all(Header::is_certain));
    reporter.violated(finding);
}

/// A link of a rule set to a network whose machines ask elsewhere.
fn linked(
    topology: &Topology,
    reporter: &mut Reporter,
    set: &ForwardingRuleSet,
    link: &Link<VirtualNetwork>,
) {
    let Some(network) = link.to().map(|id| &topology[id]) else {
        if let Some(why) = link.unknown() {
            reporter.undecided(link.place, why);
        }
        return;
    };
    let servers = &network.dns_servers;
    if let Some(why) = servers.unknown().or_else(|| network.address_space.unknown()) {
        return reporter.undecided(link.place, why);
    }
    let addresses: Vec<IpAddr> = servers.known().filter_map(|text| text.trim().parse().ok()).collect();
    // A server inside may ask Azure's DNS from here, where the rules are.
    let asks = |address: &IpAddr| {
        address.to_string() == "168.63.129.16"
            || support::ranges(&network.address_space).any(|(range, _)| range.contains(address))
    };
    if addresses.is_empty() || addresses.len() != servers.items.len() || addresses.iter().any(asks) {
        return reporter.satisfied();
    }
    let finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "forwarding rules {} are linked to network {}, whose machines ask DNS servers elsewhere and never these rules",
                support::label(topology, &set.header),
                support::label(topology, &network.header),
            ),
            link.place,
        )
        .of(&network.header.resource_id)
        .related("its DNS servers", servers.place)
        .related_part("the rules", &set.header)
        .advice("Link the rules to the network of the DNS servers, or leave the network to Azure's DNS.")
        .certain_if([&set.header, &network.header].into_iter().all(Header::is_certain));
    reporter.violated(finding);
}
