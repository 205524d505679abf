//! ## What it checks
//!
//! That every address space of a virtual network and every range of a subnet is one that Azure takes: written in CIDR
//! notation, without bits set behind the prefix length, outside the ranges that Azure forbids, no smaller than /29 for an
//! IPv4 subnet, and exactly /64 for an IPv6 subnet.
//!
//! ## What Azure does
//!
//! The deployment is rejected: `InvalidCIDRNotation` for text that is no range or has host bits set, `NetcfgInvalidSubnet`
//! or `NetcfgSubnetRangeOutsideVnet` for the rest. Ranges that overlap 224.0.0.0/4 (multicast), 255.255.255.255/32 (broadcast), 127.0.0.0/8
//! (loopback), 169.254.0.0/16 (link-local) or 168.63.129.16/32 (Azure's own DNS and health probes) are refused. That host
//! bits are refused rests on public reports that quote the error, not on a documentation page.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.1/16"]
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
//! ```
//!
//! ## When it is undecided
//!
//! When a range is not known: a variable without a value, an address taken from an IP address management pool.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview>

use ipnet::{IpNet, Ipv4Net};

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Header, List, Place, Prefix};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "invalid-address-prefix",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "an address range that Azure does not take",
    error_codes: &["InvalidAddressPrefixFormat"],
    fix: Some("clears the bits behind the prefix length"),
    pedantic: false,
    source: include_str!("invalid_address_prefix.rs"),
    check,
};

/// Ranges that no address space may touch, and what they are.
const FORBIDDEN: [(Ipv4Net, &str); 5] = [
    (Ipv4Net::new_assert(std::net::Ipv4Addr::new(224, 0, 0, 0), 4), "multicast"),
    (Ipv4Net::new_assert(std::net::Ipv4Addr::new(255, 255, 255, 255), 32), "broadcast"),
    (Ipv4Net::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0), 8), "loopback"),
    (Ipv4Net::new_assert(std::net::Ipv4Addr::new(169, 254, 0, 0), 16), "link-local"),
    (Ipv4Net::new_assert(std::net::Ipv4Addr::new(168, 63, 129, 16), 32), "Azure's platform address"),
];

fn check(context: &Context, reporter: &mut Reporter) {
    for network in &context.topology.virtual_networks {
        check_list(context, reporter, &network.header, &network.address_space, Owner::Network);
    }
    for subnet in &context.topology.subnets {
        check_list(context, reporter, &subnet.header, &subnet.prefixes, Owner::Subnet);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Owner {
    Network,
    Subnet,
}

fn check_list(
    context: &Context,
    reporter: &mut Reporter,
    header: &Header,
    prefixes: &List<Prefix>,
    owner: Owner,
) {
    if !header.is_managed() {
        return;
    }
    for field in &prefixes.items {
        if let Some(unknown) = field.unknown() {
            reporter.undecided(field.place, unknown);
            continue;
        }
        let Some(prefix) = field.known() else { continue };
        match defect(prefix, owner) {
            None => reporter.satisfied(),
            Some((what, advice)) => {
                let whose = support::label(context.topology, header);
                let finding = reporter
                    .finding(format!("the range `{}` of {whose} {what}", prefix.text), field.place)
                    .of(&header.resource_id)
                    .advice(advice)
                    .fix(cleared(prefix, field.place))
                    .certain_if(header.is_certain());
                reporter.violated(finding);
            }
        }
    }
    if let Some(unknown) = &prefixes.rest {
        reporter.undecided(prefixes.place, unknown);
    }
}

/// The range without host bits, which is the only one that the author can have meant.
fn cleared(prefix: &Prefix, place: Place) -> Option<Fix> {
    let net = prefix.net.filter(|net| net.trunc() != *net)?;
    let to = net.trunc().to_string();
    let title = format!("Write `{to}`");
    Some(Fix::new(title, Change::Replace { place, from: prefix.text.clone(), to: to.into() }))
}

/// What is wrong with a range, and what to do about it.
fn defect(prefix: &Prefix, owner: Owner) -> Option<(String, String)> {
    let Some(net) = prefix.net else {
        return Some((
            "is not in CIDR notation".into(),
            "Write the range as an address and a prefix length, such as `10.0.0.0/24`.".into(),
        ));
    };
    if net.trunc() != net {
        return Some((
            format!("has bits set behind its prefix length; the range is `{}`", net.trunc()),
            format!("Write `{}`.", net.trunc()),
        ));
    }
    let IpNet::V4(v4) = net else {
        if owner == Owner::Subnet && net.prefix_len() != 64 {
            return Some((
                format!("is a /{}; an IPv6 subnet must be exactly a /64", net.prefix_len()),
                "Give the subnet a /64 of the network's IPv6 space.".into(),
            ));
        }
        return None;
    };
    let (forbidden, name) = FORBIDDEN.iter().find(|(range, _)| range.contains(&v4) || v4.contains(range))?;
    Some((
        format!("touches {forbidden} ({name}), which no virtual network may use"),
        "Choose a range from 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10.".into(),
    ))
}
