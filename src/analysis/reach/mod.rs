//! Where packets go: the effective routes of every subnet of the topology, what stands at a next hop, and the way of a packet
//! from a subnet to an address, hop by hop, through peerings and appliances.
//!
//! Peering is not transitive, and a peering half lets in what the other network only forwards when it says so
//! (<https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>). An appliance receives what is not
//! addressed to it only with IP forwarding on, and what it sends on follows the routes of its own subnet
//! (<https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>).

mod effective;
mod hops;
mod walk;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use ipnet::IpNet;

use super::nameless;
use super::routes::SubnetRoutes;
use crate::topology::{
    Field, Firewall, Header, Id, List, NetworkInterface, Peering, Prefix, ResourceId, RouteTable, Subnet,
    Topology, VirtualNetwork,
};
use crate::value::Unknown;

pub use hops::{Appliance, Member, Stop};
pub use walk::{Drop, Hop, Path, Verdict};

/// The topology, arranged for questions about ways. Made once for all rules.
pub struct Reach<'a> {
    topology: &'a Topology,
    /// The halves from one network to another, in the order of the model.
    halves: HashMap<Pair, Vec<Id<Peering>>>,
    networks: Vec<NetworkFacts>,
    /// The networks that have a range in their address space.
    spaces: HashMap<IpNet, Vec<Id<VirtualNetwork>>>,
    /// The subnets that use a table.
    users: Vec<Vec<Id<Subnet>>>,
    /// What has a private address that is known.
    addresses: HashMap<IpAddr, Vec<(Stop, Id<Subnet>)>>,
    /// What a resource is, for next hops that are references.
    owners: HashMap<ResourceId, Stop>,
    /// Firewalls by the subnet that they are in.
    firewalls: HashMap<Id<Subnet>, Id<Firewall>>,
    /// The other interfaces of the machine of an interface, itself included; absent where its machine is not known.
    machines: HashMap<Id<NetworkInterface>, Machine>,
    /// Whether the interfaces of every machine are known, so that one without a machine has none here.
    machines_complete: bool,
    routes: Vec<OnceLock<Arc<SubnetRoutes>>>,
}

/// Two networks: where something starts, and where it leads.
type Pair = (Id<VirtualNetwork>, Id<VirtualNetwork>);

/// What is known of a network's surroundings.
#[derive(Default)]
struct NetworkFacts {
    /// Networks with both halves, each once, with what makes the peering doubtful.
    peers: Vec<(Id<VirtualNetwork>, Option<Arc<Unknown>>)>,
    /// Why there may be peerings that are not seen.
    more_peers: Option<Arc<Unknown>>,
    /// Prefixes that static gateway connections announce.
    learned: Vec<IpNet>,
    /// What may announce more of them.
    announcer: Option<Announcer>,
}

/// What may announce routes to the subnets of a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Announcer {
    /// A VPN or ExpressRoute gateway, here or in a peered network: announces what lies behind it.
    Gateway,
    /// A virtual hub, a route server, a network manager, or something that is not seen: announces other networks as well.
    Hub,
}

impl Announcer {
    /// What makes routes uncertain.
    fn cause(self) -> &'static str {
        match self {
            Announcer::Gateway => "the prefixes behind a gateway are not known",
            Announcer::Hub => "what a virtual hub or route server announces is not known",
        }
    }
}

/// The interfaces of a machine.
struct Machine {
    interfaces: Vec<Id<NetworkInterface>>,
    complete: bool,
}

impl<'a> Reach<'a> {
    /// Arranges a topology.
    pub fn new(topology: &'a Topology) -> Self {
        let mut reach = Self {
            topology,
            halves: HashMap::new(),
            networks: Vec::new(),
            spaces: HashMap::new(),
            users: vec![Vec::new(); topology.route_tables.len()],
            addresses: HashMap::new(),
            owners: HashMap::new(),
            firewalls: HashMap::new(),
            machines: HashMap::new(),
            machines_complete: true,
            routes: (0..topology.subnets.len()).map(|_| OnceLock::new()).collect(),
        };
        for (id, subnet) in topology.all::<Subnet>() {
            if let Some(table) = subnet.route_table.to() {
                reach.users[table.index()].push(id);
            }
        }
        reach.arrange_networks();
        reach.arrange_stops();
        reach
    }

    /// The topology.
    pub fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// The subnets that use a route table, in the order of the model.
    pub fn users(&self, table: Id<RouteTable>) -> &[Id<Subnet>] {
        // One list for each table.
        &self.users[table.index()]
    }

    /// The networks that a network is connected with by both halves of a peering, each with what makes that doubtful.
    pub fn peers(
        &self,
        network: Id<VirtualNetwork>,
    ) -> impl Iterator<Item = (Id<VirtualNetwork>, Option<&Arc<Unknown>>)> {
        self.networks[network.index()].peers.iter().map(|(peer, doubt)| (*peer, doubt.as_ref()))
    }

    /// Whether two networks are peered, as far as it is known.
    pub fn is_peered(&self, one: Id<VirtualNetwork>, other: Id<VirtualNetwork>) -> bool {
        self.networks[one.index()].peers.binary_search_by_key(&other, |(peer, _)| *peer).is_ok()
    }

    /// Why a network may have peerings that are not seen; `None` when all are known.
    pub fn more_peers(&self, network: Id<VirtualNetwork>) -> Option<&Arc<Unknown>> {
        self.networks[network.index()].more_peers.as_ref()
    }

    /// The half of a peering that starts at one network and leads to another; the first, where there are several.
    pub fn half(&self, from: Id<VirtualNetwork>, to: Id<VirtualNetwork>) -> Option<Id<Peering>> {
        self.halves.get(&(from, to)).and_then(|halves| halves.first()).copied()
    }

    /// What may announce routes to the subnets of a network; `None` when there certainly is nothing.
    pub fn announcer(&self, network: Id<VirtualNetwork>) -> Option<Announcer> {
        self.networks[network.index()].announcer
    }

    /// Prefixes behind the gateway of a network that are known.
    pub fn learned(&self, network: Id<VirtualNetwork>) -> &[IpNet] {
        &self.networks[network.index()].learned
    }

    /// The network of a subnet.
    pub fn network_of(&self, subnet: Id<Subnet>) -> Option<Id<VirtualNetwork>> {
        self.topology[subnet].network.to()
    }

    /// Whether a network certainly has an address.
    pub fn holds(&self, network: Id<VirtualNetwork>, address: IpAddr) -> bool {
        ranges(&self.topology[network].address_space).any(|range| range.contains(&address))
    }

    /// Whether a network that is declared in the input has an address.
    pub fn is_inside(&self, address: IpAddr) -> bool {
        self.networks_with(IpNet::from(address)).next().is_some()
    }

    /// The networks that are declared in the input and whose address space has a whole range.
    pub fn networks_with(&self, range: IpNet) -> impl Iterator<Item = Id<VirtualNetwork>> {
        let lengths = (0..=range.prefix_len()).rev();
        let wider = lengths.filter_map(move |length| IpNet::new(range.addr(), length).ok());
        wider
            .filter_map(|prefix| self.spaces.get(&prefix.trunc()))
            .flatten()
            .copied()
            .filter(|network| self.topology[*network].header.is_managed())
    }

    /// A network that two networks are both peered with.
    pub fn common_peer(
        &self,
        one: Id<VirtualNetwork>,
        other: Id<VirtualNetwork>,
    ) -> Option<Id<VirtualNetwork>> {
        self.peers(one).map(|(peer, _)| peer).find(|peer| self.is_peered(*peer, other))
    }

    /// The subnet of a network that has an address.
    pub fn subnet_at(&self, network: Id<VirtualNetwork>, address: IpAddr) -> Option<Id<Subnet>> {
        let subnets = self.topology[network].subnets.iter().copied();
        let mut holding =
            subnets.filter(|id| ranges(&self.topology[*id].prefixes).any(|range| range.contains(&address)));
        holding.next()
    }

    /// An address of a subnet that something in it may have: the first that Azure does not keep.
    pub fn address_in(&self, subnet: Id<Subnet>) -> Option<IpAddr> {
        ranges(&self.topology[subnet].prefixes).find_map(usable)
    }

    /// The network, seen from another one, that has an address: itself, then a peer.
    pub fn near(&self, from: Id<VirtualNetwork>, address: IpAddr) -> Option<Id<VirtualNetwork>> {
        let near = std::iter::once(from).chain(self.peers(from).map(|(peer, _)| peer));
        near.into_iter().find(|network| self.holds(*network, address))
    }

    fn arrange_networks(&mut self) {
        let topology = self.topology;
        self.networks = topology.virtual_networks.iter().map(|_| NetworkFacts::default()).collect();
        let mut anywhere = None;
        for (id, peering) in topology.all::<Peering>() {
            match (peering.network.to(), peering.remote.to()) {
                (Some(from), Some(to)) => self.halves.entry((from, to)).or_default().push(id),
                (Some(one), None) | (None, Some(one)) => {
                    let why = peering.network.unknown().or(peering.remote.unknown()).cloned();
                    let facts = &mut self.networks[one.index()];
                    facts.more_peers = facts.more_peers.take().or(why.clone());
                    anywhere = anywhere.or(why);
                }
                (None, None) => anywhere = anywhere.or(peering.network.unknown().cloned()),
            }
        }
        let mut pairs: Vec<_> = self.halves.keys().copied().filter(|(from, to)| from != to).collect();
        pairs.sort_unstable();
        for (from, to) in pairs {
            let back = self.halves.contains_key(&(to, from));
            let elsewhere =
                !topology[to].header.is_managed() || topology.unseen(&topology[to].header).is_some();
            if back || elsewhere {
                let doubt = self.doubt(from, to).or_else(|| self.doubt(to, from));
                self.networks[from.index()].peers.push((to, doubt.clone()));
                if !back {
                    self.networks[to.index()].peers.push((from, doubt));
                }
            }
        }
        // Halves that start at a network without a known name start at any network but the one that they lead to.
        let hidden: Vec<_> = topology
            .peerings
            .iter()
            .filter_map(|half| {
                let from = half.network.to()?;
                Some((from, half.remote.to(), nameless::why(&topology[from].header)?))
            })
            .collect();
        for (id, network) in topology.all::<VirtualNetwork>() {
            for range in ranges(&network.address_space) {
                self.spaces.entry(range).or_default().push(id);
            }
            let facts = &mut self.networks[id.index()];
            facts.peers.sort_by_key(|(peer, doubt)| (*peer, doubt.is_some()));
            facts.peers.dedup_by_key(|(peer, _)| *peer);
            let unseen = topology.unseen(&network.header).or(network.incomplete.as_ref()).cloned();
            let looked_up = (!network.header.is_managed()).then(|| looked_up(topology, &network.header));
            // A half of which nothing is known may start at any network.
            facts.more_peers = facts.more_peers.take().or(unseen).or(looked_up).or_else(|| anywhere.clone());
            let starts_here = hidden.iter().find(|(from, to, _)| *from != id && *to != Some(id));
            let perhaps = starts_here.map(|(_, _, why)| Arc::clone(why));
            facts.more_peers = facts.more_peers.take().or(perhaps);
        }
        self.arrange_gateways();
    }

    /// What makes a peering doubtful, as one side declares it.
    fn doubt(&self, from: Id<VirtualNetwork>, to: Id<VirtualNetwork>) -> Option<Arc<Unknown>> {
        let halves = self.halves.get(&(from, to))?;
        let mut doubts = halves.iter().map(|half| {
            let half = &self.topology[*half];
            let whole = &half.peer_complete_networks;
            let part = whole.known().is_some_and(|whole| !whole).then(|| {
                let cause = crate::value::Cause::Unsupported("a peering of single subnets".into());
                Arc::new(Unknown { cause, span: half.header.place.site })
            });
            half.header.uncertain.clone().or(whole.unknown().cloned()).or(part)
        });
        // One half that is certain is enough.
        doubts.try_fold(None, |first, doubt| doubt.map(|doubt| first.or(Some(doubt)))).flatten()
    }
}

/// The ranges of a list that are known, without host bits.
pub(super) fn ranges(prefixes: &List<Prefix>) -> impl Iterator<Item = IpNet> {
    prefixes.known().filter_map(|prefix| prefix.net).map(|net| net.trunc())
}

/// The first address of a range that something may have.
fn usable(range: IpNet) -> Option<IpAddr> {
    match range {
        IpNet::V4(range) => {
            let address = u32::from(range.network()).checked_add(4)?;
            Some(IpAddr::V4(address.into())).filter(|address| IpNet::V4(range).contains(address))
        }
        IpNet::V6(range) => {
            u128::from(range.network()).checked_add(4).map(|address| IpAddr::V6(address.into()))
        }
    }
}

/// That a part is only looked up.
pub(super) fn looked_up(topology: &Topology, header: &Header) -> Arc<Unknown> {
    let cause = crate::value::Cause::Lookup(topology[header.resource].key.address.clone());
    Arc::new(Unknown { cause, span: header.place.site })
}

/// The value of a field that holds an address.
fn address_of(field: &Field<ecow::EcoString>) -> Option<IpAddr> {
    field.known()?.parse().ok()
}

#[cfg(test)]
mod tests;
