//! Which networks are connected by peerings.

use std::sync::Arc;

use super::nameless;
use crate::topology::{Id, Link, Topology, VirtualNetwork, VirtualNetworkGateway};
use crate::value::Unknown;

/// A network that is peered with another one.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The network on the other side.
    pub network: Id<VirtualNetwork>,
    /// Both halves are declared, or the other half is somebody else's to declare.
    pub connected: bool,
    /// It is certain that the peering exists.
    pub certain: bool,
}

/// The networks that a network is peered with, each once, in the order of the model.
pub fn of(topology: &Topology, network: Id<VirtualNetwork>) -> Vec<Peer> {
    let mut peers: Vec<Peer> = Vec::new();
    for peering in topology[network].peerings.iter().map(|id| &topology[*id]) {
        let Some(remote) = peering.remote.to().filter(|remote| *remote != network) else { continue };
        let back: Vec<_> = topology[remote]
            .peerings
            .iter()
            .map(|id| &topology[*id])
            .filter(|half| half.remote.to() == Some(network))
            .collect();
        let certain = peering.header.is_certain() && back.iter().any(|half| half.header.is_certain());
        let elsewhere = !topology[remote].header.is_managed();
        peers.push(Peer { network: remote, connected: elsewhere || !back.is_empty(), certain });
    }
    // Halves that only the other side declares, because this network is managed elsewhere.
    if !topology[network].header.is_managed() {
        for peering in &topology.peerings {
            if let (Some(other), true) = (peering.network.to(), peering.remote.to() == Some(network)) {
                peers.push(Peer { network: other, connected: true, certain: false });
            }
        }
    }
    peers.sort_by_key(|peer| (peer.network, !peer.connected, !peer.certain));
    peers.dedup_by_key(|peer| peer.network);
    peers
}

/// Why a peering from one network to another may be declared here under names that are not known.
pub fn hidden_half(
    topology: &Topology,
    from: Id<VirtualNetwork>,
    to: Id<VirtualNetwork>,
) -> Option<&Arc<Unknown>> {
    let is = |link: &Link<VirtualNetwork>, wanted| link.to() == Some(wanted);
    let why = |link: &Link<VirtualNetwork>| nameless::why(&topology[link.to()?].header);
    topology.peerings.iter().find_map(|half| match (is(&half.network, from), is(&half.remote, to)) {
        (true, false) => why(&half.remote),
        (false, true) => why(&half.network),
        (false, false) => why(&half.network).and(why(&half.remote)),
        (true, true) => None,
    })
}

/// Why a network may have peerings that are not seen here; `None` when all its peerings are known.
pub fn blind_spot(topology: &Topology, network: Id<VirtualNetwork>) -> Option<Arc<Unknown>> {
    let header = &topology[network].header;
    if let Some(unseen) = topology.unseen(header) {
        return Some(Arc::clone(unseen));
    }
    topology
        .peerings
        .iter()
        .find_map(|peering| match (peering.network.to(), peering.remote.to()) {
            // What leads here cannot start here.
            (_, Some(remote)) if remote == network => None,
            (Some(from), _) if from == network => peering.remote.unknown(),
            // A network without a known name may be this one.
            (Some(from), _) => nameless::why(&topology[from].header),
            (None, _) => peering.network.unknown().or_else(|| peering.remote.unknown()),
        })
        .cloned()
}

/// Whether a network has a gateway, or may use that of a peer.
pub fn reaches_a_gateway(topology: &Topology, network: Id<VirtualNetwork>) -> bool {
    has_gateway(topology, network)
        || topology[network].peerings.iter().any(|id| topology[*id].use_remote_gateways.may_be(&true))
}

/// Whether a gateway stands in a network.
pub fn has_gateway(topology: &Topology, network: Id<VirtualNetwork>) -> bool {
    gateways_of(topology, network).next().is_some()
}

/// The gateways that stand in a network.
pub fn gateways_of(
    topology: &Topology,
    network: Id<VirtualNetwork>,
) -> impl Iterator<Item = &VirtualNetworkGateway> {
    topology.virtual_network_gateways.iter().filter(move |gateway| {
        let mut subnets =
            gateway.ip_configurations.iter().filter_map(|configuration| configuration.subnet.to());
        subnets.any(|subnet| topology[subnet].network.to() == Some(network))
    })
}
