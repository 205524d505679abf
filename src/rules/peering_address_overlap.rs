//! ## What it checks
//!
//! That two peered networks have no address in common, and that two networks which are both peered with a third one have
//! none either.
//!
//! ## What Azure does
//!
//! The peering is rejected with `VnetAddressSpacesOverlap`, or with `VnetAddressSpaceOverlapsWithAlreadyPeeredVnet` when
//! the overlap is with another peer of the remote network. Subnet peerings (`peerCompleteVnets = false`) are left out: there
//! only the subnets that take part must be disjoint.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.128.0/20"]
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.128.0/20"]
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When an address space is not known: a variable without a value, a network that is only looked up.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>
//! - <https://learn.microsoft.com/troubleshoot/azure/virtual-network/virtual-network-troubleshoot-peering-issues>
//! - <https://github.com/Azure/ResourceModules/issues/731>

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Field, Id, Peering, Prefix, Topology, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "peering-address-overlap",
    category: Category::Peering,
    severity: Severity::Error,
    summary: "peered networks, or two networks peered with a third, overlap",
    error_codes: &["VnetAddressSpaceOverlapsWithAlreadyPeeredVnet", "VnetAddressSpacesOverlap"],
    fix: None,
    pedantic: false,
    source: include_str!("peering_address_overlap.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let direct = check_peered(context.topology, reporter);
    check_peers_of_one_network(context.topology, reporter, &direct);
}

type Pair = (Id<VirtualNetwork>, Id<VirtualNetwork>);

/// Two networks in the order of the model.
fn pair(a: Id<VirtualNetwork>, b: Id<VirtualNetwork>) -> Pair {
    if a < b { (a, b) } else { (b, a) }
}

/// The ends of a peering of whole networks.
fn ends(peering: &Peering) -> Option<Pair> {
    if peering.peer_complete_networks.is(&false) {
        return None;
    }
    Some((peering.network.to()?, peering.remote.to()?)).filter(|(network, remote)| network != remote)
}

/// Peered networks that overlap; the pairs that do.
fn check_peered(topology: &Topology, reporter: &mut Reporter) -> BTreeSet<Pair> {
    let mut seen = BTreeSet::new();
    let mut overlapping = BTreeSet::new();
    for peering in topology.peerings.iter().filter(|peering| peering.header.is_managed()) {
        let Some((network, remote)) = ends(peering) else {
            if let Some(unknown) = peering.network.unknown().or_else(|| peering.remote.unknown()) {
                reporter.undecided(peering.header.place, unknown);
            }
            continue;
        };
        if !seen.insert(pair(network, remote)) {
            continue;
        }
        let (local, other) = (&topology[network], &topology[remote]);
        let clash = support::ranges(&local.address_space).find_map(|(ours, our_field)| {
            support::ranges(&other.address_space)
                .find(|(theirs, _)| support::overlap(&ours, theirs))
                .map(|(theirs, their_field)| (ours, our_field, theirs, their_field))
        });
        if let Some((ours, our_field, theirs, their_field)) = clash {
            overlapping.insert(pair(network, remote));
            let complete = peering.peer_complete_networks.unknown().is_none();
            let finding = reporter
                .finding(
                    format!(
                        "network {} ({ours}) is peered with {} ({theirs}), and the two overlap",
                        support::label(topology, &local.header),
                        support::label(topology, &other.header),
                    ),
                    peering.header.place,
                )
                .of(&peering.header.resource_id)
                .between(&[&local.header, &other.header])
                .related("one address space", our_field.place)
                .related("the other", their_field.place)
                .advice("Give one of the networks another address space; peered networks may not have an address in common.")
                .certain_if(
                    complete
                        && peering.header.is_certain()
                        && local.header.is_certain()
                        && other.header.is_certain(),
                );
            reporter.violated(finding);
        } else if let Some(unknown) = local.address_space.unknown().or_else(|| other.address_space.unknown())
        {
            reporter.undecided(peering.header.place, unknown);
        } else {
            reporter.satisfied();
        }
    }
    overlapping
}

/// Networks that share a peer and overlap each other.
fn check_peers_of_one_network(topology: &Topology, reporter: &mut Reporter, direct: &BTreeSet<Pair>) {
    // The peers of each network, whichever half says so, with the first peering that does.
    let mut peers: Vec<Vec<(Id<VirtualNetwork>, &Peering)>> =
        vec![Vec::new(); topology.virtual_networks.len()];
    for peering in &topology.peerings {
        let Some((network, remote)) = ends(peering) else { continue };
        for (hub, peer) in [(network, remote), (remote, network)] {
            let of_hub = &mut peers[hub.index()];
            of_hub.push((peer, peering));
        }
    }
    let mut reported = BTreeSet::new();
    for (hub, of_hub) in peers.iter_mut().enumerate() {
        of_hub.sort_by_key(|(peer, _)| *peer);
        of_hub.dedup_by_key(|(peer, _)| *peer);
        let hub: Id<VirtualNetwork> = Id::new(hub);
        let mut ranges: Vec<IpNet> = Vec::new();
        let mut owners: Vec<(Id<VirtualNetwork>, &Peering, &Field<Prefix>)> = Vec::new();
        for (peer, peering) in of_hub.iter() {
            for (range, field) in support::ranges(&topology[*peer].address_space) {
                ranges.push(range);
                owners.push((*peer, peering, field));
            }
        }
        for (a, b) in support::nested(&ranges) {
            let (first, second) = (a.min(b), a.max(b));
            let ((one, one_peering, one_field), (two, two_peering, two_field)) =
                (owners[first], owners[second]);
            if one == two || direct.contains(&pair(one, two)) || !reported.insert((hub, pair(one, two))) {
                continue;
            }
            let managed = one_peering.header.is_managed() || two_peering.header.is_managed();
            if !managed {
                continue;
            }
            let parts =
                [&topology[one].header, &topology[two].header, &one_peering.header, &two_peering.header];
            let complete = one_peering.peer_complete_networks.unknown().is_none()
                && two_peering.peer_complete_networks.unknown().is_none();
            let finding = reporter
                .finding(
                    format!(
                        "networks {} ({}) and {} ({}) are both peered with {}, and they overlap",
                        support::label(topology, &topology[one].header),
                        ranges[first],
                        support::label(topology, &topology[two].header),
                        ranges[second],
                        support::label(topology, &topology[hub].header),
                    ),
                    two_peering.header.place,
                )
                .of(&two_peering.header.resource_id)
                .between(&[&topology[one].header, &topology[two].header, &topology[hub].header])
                .related_part("the other peering", &one_peering.header)
                .related("one address space", one_field.place)
                .related("the other", two_field.place)
                .advice("Give one of the networks another address space; all networks around one hub must be disjoint.")
                .certain_if(complete && parts.iter().all(|header| header.is_certain()));
            reporter.violated(finding);
        }
    }
}
