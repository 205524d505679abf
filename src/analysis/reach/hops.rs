//! What stands at a next hop.

use std::net::IpAddr;

use super::{Machine, Reach, address_of};
use crate::topology::{
    Firewall, Header, Id, IpConfiguration, LoadBalancer, NetworkInterface, ResourceId, Route, ScaleSet,
    Subnet, VirtualMachine, VirtualNetwork,
};

/// A part that has a private address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// An interface of a machine.
    Interface(Id<NetworkInterface>),
    /// An Azure Firewall.
    Firewall(Id<Firewall>),
    /// A load balancer's front end.
    Balancer(Id<LoadBalancer>),
}

/// The next hop of a route to an appliance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appliance {
    /// Its address, where it is known.
    pub address: Option<IpAddr>,
    /// What it is, where that is in the topology.
    pub stop: Option<Stop>,
    /// The subnet that it is in.
    pub subnet: Option<Id<Subnet>>,
    /// The network that it is in.
    pub network: Option<Id<VirtualNetwork>>,
}

/// What takes packets at a next hop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// An interface.
    Interface(Id<NetworkInterface>),
    /// The machines of a scale set: which of its interface templates.
    Template(Id<ScaleSet>, usize),
}

impl Reach<'_> {
    /// The appliance that a route of a network's subnets leads to.
    pub fn appliance(&self, network: Id<VirtualNetwork>, route: &Route) -> Appliance {
        let address = address_of(&route.next_hop_address);
        if let Some(stop) = route.next_hop.to().and_then(|resource| self.owners.get(&resource)).copied() {
            let subnet = self.subnet_of(stop);
            let network = subnet.and_then(|subnet| self.network_of(subnet));
            return Appliance {
                address: address.or(self.address_of(stop)),
                stop: Some(stop),
                subnet,
                network,
            };
        }
        let Some(address) = address else {
            return Appliance { address: None, stop: None, subnet: None, network: None };
        };
        self.at(network, address)
    }

    /// What a network sees at an address: in itself, then in its peers.
    pub fn at(&self, from: Id<VirtualNetwork>, address: IpAddr) -> Appliance {
        let network = self.near(from, address);
        let subnet = network.and_then(|network| self.subnet_at(network, address));
        Appliance {
            address: Some(address),
            stop: subnet.and_then(|subnet| self.stop_at(subnet, address)),
            subnet,
            network,
        }
    }

    /// What has an address in a subnet.
    fn stop_at(&self, subnet: Id<Subnet>, address: IpAddr) -> Option<Stop> {
        let known = self.addresses.get(&address).into_iter().flatten();
        let stop = known.filter(|(_, place)| *place == subnet).map(|(stop, _)| *stop).next();
        // Nothing but the firewall lives in its subnet.
        stop.or_else(|| self.firewalls.get(&subnet).map(|firewall| Stop::Firewall(*firewall)))
    }

    /// The header of a stop.
    pub fn header(&self, stop: Stop) -> &Header {
        match stop {
            Stop::Interface(id) => &self.topology[id].header,
            Stop::Firewall(id) => &self.topology[id].header,
            Stop::Balancer(id) => &self.topology[id].header,
        }
    }

    fn configurations(&self, stop: Stop) -> &[IpConfiguration] {
        match stop {
            Stop::Interface(id) => &self.topology[id].ip_configurations,
            Stop::Firewall(id) => &self.topology[id].ip_configurations,
            Stop::Balancer(id) => &self.topology[id].frontends,
        }
    }

    /// The subnet of a stop.
    pub fn subnet_of(&self, stop: Stop) -> Option<Id<Subnet>> {
        self.configurations(stop).iter().find_map(|configuration| configuration.subnet.to())
    }

    fn address_of(&self, stop: Stop) -> Option<IpAddr> {
        let mut configurations = self.configurations(stop).iter().filter(|one| !one.subnet.is_absent());
        let first = configurations.next()?;
        address_of(&first.private_address).filter(|_| configurations.next().is_none())
    }

    /// Whether an address is one that a stop itself has, so that packets for it are not forwarded.
    pub fn is_own(&self, stop: Stop, address: IpAddr) -> bool {
        self.configurations(stop).iter().any(|one| address_of(&one.private_address) == Some(address))
    }

    /// The interfaces that take what is sent to a stop: an interface itself, the members behind a load balancer. `None` where
    /// there may be more.
    pub fn members(&self, stop: Stop) -> (Vec<Member>, bool) {
        let id = match stop {
            Stop::Interface(id) => return (vec![Member::Interface(id)], true),
            Stop::Firewall(_) => return (Vec::new(), true),
            Stop::Balancer(id) => id,
        };
        let balancer = &self.topology[id];
        let mut complete = !balancer.incomplete && balancer.header.is_managed();
        let mut members = Vec::new();
        for pool in &balancer.pools {
            complete &= pool.addresses.is_certainly_empty();
            for link in &pool.interfaces {
                match link.to() {
                    Some(interface) => members.push(Member::Interface(interface)),
                    None => complete = false,
                }
            }
            for link in &pool.scale_sets {
                let Some(set) = link.to() else {
                    complete = false;
                    continue;
                };
                // Which of several templates is in the pool is not in the model.
                match self.topology[set].interfaces.len() {
                    1 => members.push(Member::Template(set, 0)),
                    _ => complete = false,
                }
            }
        }
        members.dedup();
        (members, complete)
    }

    /// The subnets that an appliance may send packets on from: those of all interfaces of its machines. The flag says
    /// whether these are all.
    pub fn onward(&self, stop: Stop) -> (Vec<Id<Subnet>>, bool) {
        let (members, mut complete) = match stop {
            Stop::Firewall(_) => return (self.subnet_of(stop).into_iter().collect(), true),
            _ => self.members(stop),
        };
        let mut subnets = Vec::new();
        for member in members {
            match member {
                Member::Interface(id) => match self.machines.get(&id) {
                    Some(machine) => {
                        complete &= machine.complete;
                        subnets.extend(
                            machine.interfaces.iter().filter_map(|id| self.subnet_of(Stop::Interface(*id))),
                        );
                    }
                    None => {
                        let unseen = self.topology.unseen(&self.topology[id].header).is_some();
                        complete &= self.machines_complete && !unseen;
                        subnets.extend(self.subnet_of(Stop::Interface(id)));
                    }
                },
                Member::Template(set, _) => {
                    let templates = &self.topology[set].interfaces;
                    let configurations = templates.iter().flat_map(|template| &template.ip_configurations);
                    subnets.extend(configurations.filter_map(|configuration| configuration.subnet.to()));
                }
            }
        }
        subnets.sort_unstable();
        subnets.dedup();
        (subnets, complete)
    }

    pub(super) fn arrange_stops(&mut self) {
        let topology = self.topology;
        for (id, part) in topology.all::<NetworkInterface>() {
            self.declare(part.header.resource, Stop::Interface(id));
        }
        for (id, part) in topology.all::<LoadBalancer>() {
            self.declare(part.header.resource, Stop::Balancer(id));
        }
        for (id, part) in topology.all::<Firewall>() {
            self.declare(part.header.resource, Stop::Firewall(id));
            for subnet in part.ip_configurations.iter().filter_map(|configuration| configuration.subnet.to())
            {
                self.firewalls.entry(subnet).or_insert(id);
            }
        }
        for (_, machine) in topology.all::<VirtualMachine>() {
            let interfaces: Vec<_> = machine.interfaces.iter().filter_map(|link| link.to()).collect();
            let complete = machine.more_interfaces.is_none() && interfaces.len() == machine.interfaces.len();
            self.machines_complete &= complete;
            for interface in &interfaces {
                self.machines.insert(*interface, Machine { interfaces: interfaces.clone(), complete });
            }
        }
    }

    fn declare(&mut self, resource: ResourceId, stop: Stop) {
        self.owners.entry(resource).or_insert(stop);
        let topology = self.topology;
        let configurations = match stop {
            Stop::Interface(id) => &topology[id].ip_configurations,
            Stop::Firewall(id) => &topology[id].ip_configurations,
            Stop::Balancer(id) => &topology[id].frontends,
        };
        for configuration in configurations {
            let place = configuration.subnet.to().zip(address_of(&configuration.private_address));
            if let Some((subnet, address)) = place {
                self.addresses.entry(address).or_default().push((stop, subnet));
            }
        }
    }
}
