//! ## What it checks
//!
//! The networks that are connected with the hubs of a Virtual WAN: none overlaps the hub's own range or another network at the same hub, none is
//! connected with two hubs, and none has a gateway of its own.
//!
//! ## What Azure does
//!
//! A connection is a peering behind the scenes, and is refused where that is: for overlapping ranges, for a second hub, and for a network with a
//! virtual network gateway, for it uses the hub's.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_wan" "main" {
//!   name                = "vwan-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_virtual_hub" "main" {
//!   name                = "vhub-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_wan_id      = azurerm_virtual_wan.main.id
//!   address_prefix      = "10.0.0.0/23"
//! }
//!
//! resource "azurerm_virtual_network" "app" {
//!   name                = "vnet-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_hub_connection" "app" {
//!   name                      = "app"
//!   virtual_hub_id            = azurerm_virtual_hub.main.id
//!   remote_virtual_network_id = azurerm_virtual_network.app.id
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_wan" "main" {
//!   name                = "vwan-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_virtual_hub" "main" {
//!   name                = "vhub-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_wan_id      = azurerm_virtual_wan.main.id
//!   address_prefix      = "10.100.0.0/23"
//! }
//!
//! resource "azurerm_virtual_network" "app" {
//!   name                = "vnet-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_hub_connection" "app" {
//!   name                      = "app"
//!   virtual_hub_id            = azurerm_virtual_hub.main.id
//!   remote_virtual_network_id = azurerm_virtual_network.app.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known which network or hub is connected, or what their ranges are. Hubs of one Virtual WAN are not compared with each other.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-wan/virtual-wan-site-to-site-portal>
//! - <https://learn.microsoft.com/azure/virtual-wan/howto-connect-vnet-hub>
//! - <https://github.com/MicrosoftDocs/azure-docs/pull/79893>
//! - <https://github.com/MicrosoftDocs/azure-docs/issues/107338>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::analysis::peers;
use crate::finding::{Category, Severity};
use crate::topology::{Header, HubConnection, Id, Topology, VirtualHub, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "virtual-hub-connection-conflict",
    category: Category::Peering,
    severity: Severity::Error,
    summary: "a network that a virtual hub does not take: for its range, its own gateway, or another hub",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("virtual_hub_connection_conflict.rs"),
    check,
};

/// A connection both ends of which are known.
struct Joined<'a> {
    connection: &'a HubConnection,
    hub: Id<VirtualHub>,
    network: Id<VirtualNetwork>,
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut joined: Vec<Joined> = Vec::new();
    let mut by_hub: BTreeMap<Id<VirtualHub>, Vec<usize>> = BTreeMap::new();
    let mut by_network: BTreeMap<Id<VirtualNetwork>, usize> = BTreeMap::new();
    for connection in &topology.hub_connections {
        let (Some(hub), Some(network)) = (connection.hub.to(), connection.network.to()) else {
            if let Some(why) = connection.hub.unknown().or_else(|| connection.network.unknown()) {
                reporter.undecided(connection.header.place, why);
            }
            continue;
        };
        let own = Joined { connection, hub, network };
        let before = reporter.violations();
        with_hub(topology, reporter, &own);
        with_gateway(topology, reporter, &own);
        let others = by_hub.entry(hub).or_default();
        let first = others.iter().filter_map(|at| joined.get(*at));
        with_networks(topology, reporter, &own, first);
        let position = joined.len();
        others.push(position);
        match by_network.get(&network).and_then(|at| joined.get(*at)) {
            Some(other) => second_hub(topology, reporter, &own, other),
            None => {
                by_network.insert(network, position);
            }
        }
        joined.push(own);
        if reporter.violations() == before {
            reporter.satisfied();
        }
    }
}

/// The hub's own range.
fn with_hub(topology: &Topology, reporter: &mut Reporter, own: &Joined) {
    let (hub, network) = (&topology[own.hub], &topology[own.network]);
    let Some(range) = hub.address_prefix.known().and_then(|prefix| prefix.net) else { return };
    let clash = support::ranges(&network.address_space).find(|(net, _)| support::overlap(net, &range));
    let Some((net, field)) = clash else { return };
    let finding = reporter
        .finding(
            format!(
                "network {} ({net}) overlaps the range of virtual hub {} ({range})",
                support::label(topology, &network.header),
                support::label(topology, &hub.header),
            ),
            own.connection.header.place,
        )
        .of(&own.connection.header.resource_id)
        .related("the network's range", field.place)
        .related("the hub's range", hub.address_prefix.place)
        .related_part("the network", &network.header)
        .advice("Give the hub a range of its own, outside of all networks.")
        .certain_if(
            [&own.connection.header, &hub.header, &network.header].into_iter().all(Header::is_certain),
        );
    reporter.violated(finding);
}

/// Other networks at the same hub.
fn with_networks<'a>(
    topology: &Topology,
    reporter: &mut Reporter,
    own: &Joined,
    others: impl Iterator<Item = &'a Joined<'a>>,
) {
    let network = &topology[own.network];
    for other in others {
        if !support::certainly_distinct(topology, own.network, other.network) {
            continue;
        }
        let second = &topology[other.network];
        let clash = support::ranges(&network.address_space).find_map(|(ours, our_field)| {
            support::ranges(&second.address_space)
                .find(|(theirs, _)| support::overlap(&ours, theirs))
                .map(|(theirs, their_field)| (ours, our_field, theirs, their_field))
        });
        let Some((ours, our_field, theirs, their_field)) = clash else { continue };
        let hub = &topology[own.hub].header;
        let finding = reporter
            .finding(
                format!(
                    "networks {} ({theirs}) and {} ({ours}) are both connected with virtual hub {}, and they overlap",
                    support::label(topology, &second.header),
                    support::label(topology, &network.header),
                    support::label(topology, hub),
                ),
                own.connection.header.place,
            )
            .of(&own.connection.header.resource_id)
            .between(&[&network.header, &second.header, hub])
            .related_part("the other connection", &other.connection.header)
            .related("one address space", our_field.place)
            .related("the other", their_field.place)
            .advice("Give one of the networks another address space; all networks at one hub must be disjoint.")
            .certain_if(
                [&own.connection.header, &other.connection.header, &network.header, &second.header]
                    .into_iter()
                    .all(Header::is_certain),
            );
        return reporter.violated(finding);
    }
}

/// A gateway in the connected network.
fn with_gateway(topology: &Topology, reporter: &mut Reporter, own: &Joined) {
    let gateway = peers::gateways_of(topology, own.network).find(|gateway| gateway.header.is_managed());
    let Some(gateway) = gateway else { return };
    let network = &topology[own.network].header;
    let finding = reporter
        .finding(
            format!(
                "network {} has virtual network gateway {} and is connected with virtual hub {}, which takes only networks without one",
                support::label(topology, network),
                support::label(topology, &gateway.header),
                support::label(topology, &topology[own.hub].header),
            ),
            own.connection.header.place,
        )
        .of(&own.connection.header.resource_id)
        .related_part("the gateway", &gateway.header)
        .related_part("the network", network)
        .advice("Use the gateway of the hub, and take the network's own away.")
        .certain_if(
            [&own.connection.header, &gateway.header, network].into_iter().all(Header::is_certain),
        );
    reporter.violated(finding);
}

/// A network that is connected with another hub already.
fn second_hub(topology: &Topology, reporter: &mut Reporter, own: &Joined, other: &Joined) {
    let (one, two) = (&topology[other.hub].header, &topology[own.hub].header);
    let distinct = match (one.name.known(), two.name.known()) {
        (Some(one), Some(two)) => !one.eq_ignore_ascii_case(two),
        _ => topology[one.resource].key.root == topology[two.resource].key.root,
    };
    if own.hub == other.hub || !distinct {
        return;
    }
    let network = &topology[own.network].header;
    let finding = reporter
        .finding(
            format!(
                "network {} is connected with virtual hubs {} and {}; it takes one",
                support::label(topology, network),
                support::label(topology, one),
                support::label(topology, two),
            ),
            own.connection.header.place,
        )
        .of(&own.connection.header.resource_id)
        .between(&[network, one, two])
        .related_part("the other connection", &other.connection.header)
        .related_part("the network", network)
        .advice("Keep one of the connections; hubs of one Virtual WAN reach each other's networks.")
        .certain_if(
            [&own.connection.header, &other.connection.header, network].into_iter().all(Header::is_certain),
        );
    reporter.violated(finding);
}
