//! The way of a packet.

use std::net::IpAddr;

use ecow::{EcoString, eco_format};

use super::{Announcer, Appliance, Member, Reach, Stop};
use crate::analysis::routes::{EffectiveRoute, NextHop, RouteOrigin, Selection};
use crate::topology::{Header, Id, NetworkInterface, Peering, State, Subnet, VirtualNetwork};

/// How many hops are followed, over all branches.
const MAXIMUM_HOPS: usize = 32;

/// Where a packet went, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    /// The subnets that it left, in order, each with the route that it took there.
    pub hops: Vec<Hop>,
    /// What became of it.
    pub verdict: Verdict,
}

/// A step of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The subnet that the packet leaves.
    pub subnet: Id<Subnet>,
    /// The route that applies there.
    pub route: EffectiveRoute,
    /// The appliance that the route leads to, if it does.
    pub appliance: Option<Appliance>,
}

/// What became of a packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It reaches the subnet that has the address; security groups are not asked.
    Delivered(Id<Subnet>),
    /// It leaves to the Internet.
    Internet,
    /// It leaves by a gateway.
    Gateway,
    /// It goes to an Azure service by an endpoint.
    Service,
    /// It is dropped.
    Dropped(Drop),
    /// It comes back to a subnet that it has left before.
    Loop(Id<Subnet>),
    /// That depends on something that is not known.
    Undecided(EcoString),
}

/// Why a packet is dropped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Drop {
    /// A route says so.
    Route,
    /// No network that is connected has the address: the platform drops it.
    Nowhere,
    /// The network has the address, but in no subnet.
    NoSubnet(Id<VirtualNetwork>),
    /// The appliance is in a network that is not connected with the one that the packet is in.
    Unreachable(Id<VirtualNetwork>),
    /// The interface does not forward.
    NotForwarding(Id<NetworkInterface>),
    /// The half of the peering lets in only what comes from the network itself.
    ForwardedRefused(Id<Peering>),
}

/// What is the same for all steps of one walk.
struct Walk<'r, 'a> {
    reach: &'r Reach<'a>,
    source: IpAddr,
    destination: IpAddr,
    budget: usize,
}

impl Reach<'_> {
    /// The way of a packet from something in a subnet to an address. Appliances are taken to forward what they receive, without
    /// changing its addresses.
    pub fn walk(&self, from: Id<Subnet>, destination: IpAddr) -> Path {
        match self.address_in(from) {
            Some(source) => self.walk_as(from, source, destination),
            None => {
                let why = "the range of the subnet is not known".into();
                Path { hops: Vec::new(), verdict: Verdict::Undecided(why) }
            }
        }
    }

    /// The same for a packet with another source: what a gateway or an appliance sends on.
    pub fn walk_as(&self, from: Id<Subnet>, source: IpAddr, destination: IpAddr) -> Path {
        let mut walk = Walk { reach: self, source, destination, budget: MAXIMUM_HOPS };
        let mut hops = Vec::new();
        let verdict = walk.leave(from, &mut hops);
        Path { hops, verdict }
    }

    /// A path as the lines of a witness.
    pub fn describe(&self, path: &Path, source: IpAddr, destination: IpAddr) -> Vec<String> {
        let name = |header: &Header| label(self, header);
        let mut lines = vec![format!("packet: {source} -> {destination}")];
        for hop in &path.hops {
            let by = match (&hop.route.origin, hop.route.prefix) {
                (RouteOrigin::User(index), prefix) => {
                    let route =
                        self.user_route(hop.subnet, *index).map_or("a route".into(), |r| name(&r.header));
                    match prefix {
                        Some(prefix) => format!("route {route} ({prefix})"),
                        None => format!("route {route}"),
                    }
                }
                (RouteOrigin::Learned, Some(prefix)) => format!("the gateway's route ({prefix})"),
                (RouteOrigin::VirtualNetwork, Some(prefix)) => format!("the network's route ({prefix})"),
                (RouteOrigin::Peering, Some(prefix)) => format!("the peering's route ({prefix})"),
                (_, Some(prefix)) => format!("the platform's route ({prefix})"),
                (_, None) => "a route".into(),
            };
            let to = match (&hop.route.next_hop, hop.appliance) {
                (_, Some(Appliance { stop: Some(stop), .. })) => format!("to {}", name(self.header(stop))),
                (_, Some(Appliance { address: Some(address), .. })) => format!("to {address}"),
                (NextHop::Appliance(_), _) => "to an appliance".into(),
                (NextHop::VirtualNetwork, _) => "into the network".into(),
                (NextHop::Peering, _) => "over the peering".into(),
                (NextHop::Gateway, _) => "to the gateway".into(),
                (NextHop::Internet, _) => "to the Internet".into(),
                (NextHop::None, _) => "nowhere".into(),
                _ => "to its target".into(),
            };
            lines.push(format!("leaves subnet {}: {by} {to}", name(&self.topology[hop.subnet].header)));
        }
        let end = match &path.verdict {
            Verdict::Delivered(subnet) => {
                format!("arrives in subnet {}", name(&self.topology[*subnet].header))
            }
            Verdict::Internet => "leaves to the Internet".into(),
            Verdict::Gateway => "leaves by the gateway".into(),
            Verdict::Service => "goes to the service".into(),
            Verdict::Dropped(Drop::Route) => "the route drops it".into(),
            Verdict::Dropped(Drop::Nowhere) => {
                "no connected network has the address: the platform drops it".into()
            }
            Verdict::Dropped(Drop::NoSubnet(network)) => {
                format!("no subnet of {} has the address", name(&self.topology[*network].header))
            }
            Verdict::Dropped(Drop::Unreachable(network)) => {
                format!("{} is not connected with this network", name(&self.topology[*network].header))
            }
            Verdict::Dropped(Drop::NotForwarding(interface)) => {
                format!("interface {} does not forward it", name(&self.topology[*interface].header))
            }
            Verdict::Dropped(Drop::ForwardedRefused(half)) => {
                format!("peering {} refuses it: it is forwarded", name(&self.topology[*half].header))
            }
            Verdict::Loop(subnet) => {
                format!("comes back to subnet {}", name(&self.topology[*subnet].header))
            }
            Verdict::Undecided(why) => format!("what becomes of it is not known: {why}"),
        };
        lines.push(end);
        lines
    }
}

impl Walk<'_, '_> {
    /// The packet leaves an interface in a subnet.
    fn leave(&mut self, subnet: Id<Subnet>, hops: &mut Vec<Hop>) -> Verdict {
        let reach = self.reach;
        if hops.iter().any(|hop| hop.subnet == subnet) {
            return Verdict::Loop(subnet);
        }
        let Some(budget) = self.budget.checked_sub(1) else {
            return Verdict::Undecided("the way is too long to follow".into());
        };
        self.budget = budget;
        let Some(network) = reach.network_of(subnet) else {
            return Verdict::Undecided("the network of a subnet is not known".into());
        };
        let routes = reach.routes(subnet);
        // A gateway does not announce the ranges of networks that are on this side of it.
        let selection = match reach.announcer(network) {
            Some(Announcer::Gateway) if reach.is_inside(self.destination) => {
                routes.select_unannounced(self.destination)
            }
            _ => routes.select(self.destination),
        };
        let route = match selection {
            Selection::Certain(route) => route,
            Selection::Undecided { causes, .. } => {
                return Verdict::Undecided(causes.first().cloned().unwrap_or_default());
            }
        };
        let appliance = match (&route.origin, &route.next_hop) {
            (RouteOrigin::User(index), NextHop::Appliance(_)) => {
                reach.user_route(subnet, *index).map(|route| reach.appliance(network, route))
            }
            _ => None,
        };
        let next_hop = route.next_hop.clone();
        let reserved = route.origin == RouteOrigin::Reserved;
        hops.push(Hop { subnet, route, appliance });
        match (next_hop, appliance) {
            (NextHop::VirtualNetwork, _) => self.arrive(network),
            (NextHop::Peering, _) => {
                let holding = reach
                    .peers(network)
                    .map(|(peer, _)| peer)
                    .find(|peer| reach.holds(*peer, self.destination));
                match holding {
                    Some(peer) => self.cross(network, peer).unwrap_or_else(|| self.arrive(peer)),
                    None => Verdict::Undecided("the peered network of a route is not known".into()),
                }
            }
            (NextHop::Appliance(_), Some(appliance)) => self.pass(network, appliance, hops),
            (NextHop::Gateway, _) => Verdict::Gateway,
            (NextHop::Internet, _) => Verdict::Internet,
            (NextHop::ServiceEndpoint | NextHop::PrivateEndpoint, _) => Verdict::Service,
            (NextHop::None, _) if reserved => Verdict::Dropped(Drop::Nowhere),
            (NextHop::None, _) => Verdict::Dropped(Drop::Route),
            (NextHop::Unknown(why), _) => Verdict::Undecided(why),
            (NextHop::Appliance(_), None) => Verdict::Undecided("the appliance is not known".into()),
        }
    }

    /// The packet is in the network that has its destination.
    fn arrive(&self, network: Id<VirtualNetwork>) -> Verdict {
        let topology = self.reach.topology();
        if let Some(subnet) = self.reach.subnet_at(network, self.destination) {
            return Verdict::Delivered(subnet);
        }
        let part = &topology[network];
        let unknown = part.incomplete.is_some()
            || !part.header.is_managed()
            || topology.unseen(&part.header).is_some()
            || part.subnets.iter().any(|subnet| topology[*subnet].prefixes.unknown().is_some());
        if unknown {
            return Verdict::Undecided("the subnets of a network are not known".into());
        }
        Verdict::Dropped(Drop::NoSubnet(network))
    }

    /// What stops the packet on its way over a peering.
    fn cross(&self, from: Id<VirtualNetwork>, to: Id<VirtualNetwork>) -> Option<Verdict> {
        let topology = self.reach.topology();
        if self.reach.holds(from, self.source) {
            return None;
        }
        if topology[from].address_space.unknown().is_some() {
            return Some(Verdict::Undecided("the address space of a network is not known".into()));
        }
        // Whoever receives decides: the half that starts in the receiving network.
        let Some(half) = self.reach.half(to, from) else {
            return Some(Verdict::Undecided("the peering is declared elsewhere".into()));
        };
        match &topology[half].allow_forwarded_traffic.state {
            State::Known(true) => None,
            State::Known(false) => Some(Verdict::Dropped(Drop::ForwardedRefused(half))),
            _ => Some(Verdict::Undecided("whether a peering lets in forwarded traffic is not known".into())),
        }
    }

    /// The packet goes to an appliance, and on from there.
    fn pass(&mut self, network: Id<VirtualNetwork>, appliance: Appliance, hops: &mut Vec<Hop>) -> Verdict {
        let reach = self.reach;
        let Some(place) = appliance.network else {
            return Verdict::Undecided("the network of an appliance is not known".into());
        };
        if place != network {
            if !reach.is_peered(network, place) {
                return match reach.more_peers(network).or(reach.more_peers(place)) {
                    Some(why) => Verdict::Undecided(eco_format!("{}", why.cause)),
                    None => Verdict::Dropped(Drop::Unreachable(place)),
                };
            }
            if let Some(verdict) = self.cross(network, place) {
                return verdict;
            }
        }
        let Some(stop) = appliance.stop else {
            // Something that is not here; what it does with packets depends on its subnet only as far as that is known.
            return match appliance.subnet {
                Some(subnet) => self.leave(subnet, hops),
                None => Verdict::Undecided("the appliance is not known".into()),
            };
        };
        if let Some(verdict) = self.refused_by(stop) {
            return verdict;
        }
        let (subnets, complete) = reach.onward(stop);
        if !complete {
            return Verdict::Undecided("the interfaces of an appliance are not all known".into());
        }
        // Which interface an appliance sends by is its own affair: only what holds for all of them is certain.
        let mut answer: Option<(Verdict, Vec<Hop>)> = None;
        for subnet in subnets {
            let mut branch = hops.clone();
            let verdict = self.leave(subnet, &mut branch);
            match &answer {
                Some((other, _)) if *other != verdict => {
                    return Verdict::Undecided("an appliance has interfaces in several subnets".into());
                }
                Some(_) => {}
                None => answer = Some((verdict, branch)),
            }
        }
        match answer {
            Some((verdict, branch)) => {
                *hops = branch;
                verdict
            }
            None => Verdict::Undecided("the subnet of an appliance is not known".into()),
        }
    }

    /// What an appliance that does not forward makes of the packet.
    fn refused_by(&self, stop: Stop) -> Option<Verdict> {
        let topology = self.reach.topology();
        let (members, _) = self.reach.members(stop);
        let mut refusing = None;
        for member in &members {
            let forwarding = match member {
                Member::Interface(id) => &topology[*id].ip_forwarding,
                Member::Template(set, template) => &topology[*set].interfaces.get(*template)?.ip_forwarding,
            };
            match (&forwarding.state, member) {
                (State::Known(false), Member::Interface(id)) => refusing = Some(*id),
                (State::Unknown(why), _) => return Some(Verdict::Undecided(eco_format!("{}", why.cause))),
                // One member that forwards is enough for some packets.
                _ => return None,
            }
        }
        refusing.map(|interface| Verdict::Dropped(Drop::NotForwarding(interface)))
    }
}

/// The name of a part, for a witness.
fn label(reach: &Reach, header: &Header) -> String {
    match header.name.known() {
        Some(name) => format!("`{name}`"),
        None => format!("`{}`", reach.topology()[header.resource].key.address),
    }
}
