//! ## What it checks
//!
//! That a route to a virtual appliance says its address, that a route of another type does not, that the address is an address, and that
//! no two routes of a table have the same prefix.
//!
//! ## What Azure does
//!
//! Azure refuses each of these when the route is written.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_route_table" "app" {
//!   name                = "rt-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "out"
//!     address_prefix         = "0.0.0.0/0"
//!     next_hop_type          = "VirtualNetworkGateway"
//!     next_hop_in_ip_address = "10.0.0.4"
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_route_table" "app" {
//!   name                = "rt-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "out"
//!     address_prefix         = "0.0.0.0/0"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.0.4"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the type, the address or the prefix is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/manage-route-table>

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Change, Fix, Severity};
use crate::net::parse_prefix;
use crate::topology::{Route, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "route-next-hop-invalid",
    category: Category::Route,
    severity: Severity::Error,
    summary: "a route whose next hop or prefix Azure refuses",
    error_codes: &["message: next hop IP address is only allowed when next hop type is VirtualAppliance"],
    fix: Some("writes the address of an appliance without the prefix length of a single address"),
    pedantic: false,
    source: include_str!("route_next_hop_invalid.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for table in &topology.route_tables {
        let mut taken: BTreeMap<String, &Route> = BTreeMap::new();
        for route in table.routes.known().filter(|route| route.header.is_managed()) {
            next_hop(topology, reporter, route);
            let Some(prefix) = route.address_prefix.known() else { continue };
            let key = match parse_prefix(prefix) {
                Some(net) => net.trunc().to_string(),
                None => prefix.to_ascii_lowercase().into(),
            };
            match taken.get(&key) {
                Some(first) if !same_name(first, route) => {
                    duplicate(topology, reporter, first, route, prefix)
                }
                Some(_) => {}
                None => {
                    taken.insert(key, route);
                }
            }
        }
    }
}

/// Written twice under one name it is one route.
fn same_name(a: &Route, b: &Route) -> bool {
    match (a.header.name.known(), b.header.name.known()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => true,
    }
}

fn next_hop(topology: &Topology, reporter: &mut Reporter, route: &Route) {
    let Some(kind) = route.next_hop_type.known() else {
        if let Some(why) = route.next_hop_type.unknown() {
            reporter.undecided(route.next_hop_type.place, why);
        }
        return;
    };
    let is_appliance = kind.eq_ignore_ascii_case("VirtualAppliance");
    let name = support::label(topology, &route.header);
    let address = route.next_hop_address.known().map(|text| text.trim()).filter(|text| !text.is_empty());
    let none = route.next_hop_address.unknown().is_none() && address.is_none() && route.next_hop.is_absent();
    let (message, place, advice) = match address {
        None if is_appliance && none => (
            format!("route {name} leads to a virtual appliance and does not say its address"),
            route.next_hop_type.place,
            "Give the appliance's address.",
        ),
        Some(address) if !is_appliance => (
            format!("route {name} of type {kind} has the next hop address {address}"),
            route.next_hop_address.place,
            "Remove the address, or make the type `VirtualAppliance`.",
        ),
        Some(address) if address.parse::<IpAddr>().is_err() => (
            format!("the next hop `{address}` of route {name} is not an address"),
            route.next_hop_address.place,
            "Give one address, without a prefix length.",
        ),
        _ => match route.next_hop_address.unknown().filter(|_| is_appliance && route.next_hop.is_absent()) {
            Some(why) => return reporter.undecided(route.next_hop_address.place, why),
            None => return reporter.satisfied(),
        },
    };
    let finding = reporter
        .finding(message, place)
        .of(&route.header.resource_id)
        .related("the type of the next hop", route.next_hop_type.place)
        .advice(advice)
        .fix(address.filter(|_| is_appliance).and_then(|address| bare(route, address)))
        .certain_if(route.header.is_certain());
    reporter.violated(finding);
}

/// `10.0.0.4/32` is one address.
fn bare(route: &Route, address: &str) -> Option<Fix> {
    let net = parse_prefix(address)
        .filter(|net| address.contains('/') && net.prefix_len() == net.max_prefix_len())?;
    let to = net.addr().to_string();
    let change = Change::Replace {
        place: route.next_hop_address.place,
        from: route.next_hop_address.known()?.clone(),
        to: to.as_str().into(),
    };
    Some(Fix::new(format!("Write `{to}`"), change))
}

fn duplicate(topology: &Topology, reporter: &mut Reporter, first: &Route, route: &Route, prefix: &str) {
    let finding = reporter
        .finding(
            format!(
                "routes {} and {} of one table are both for {prefix}",
                support::label(topology, &first.header),
                support::label(topology, &route.header)
            ),
            route.address_prefix.place,
        )
        .of(&route.header.resource_id)
        .related_part("the first one", &first.header)
        .advice("Keep one route for each prefix.")
        .certain_if(route.header.is_certain() && first.header.is_certain());
    reporter.violated(finding);
}
