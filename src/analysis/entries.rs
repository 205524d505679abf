//! The ways in: through which public addresses, and to which ports, packets from the Internet arrive at interfaces.
//!
//! Security groups are asked afterwards: they see the client's address as the source and the machine's private address and
//! port as the destination (learn.microsoft.com/azure/virtual-network/network-security-groups-overview).

use std::sync::Arc;

use super::hosts::Host;
use super::security::input::PublicEntry;
use crate::net::{PortSet, ProtocolSet};
use crate::topology::{
    BalancingRule, Field, Header, Id, IpConfiguration, Link, LoadBalancer, NatRule, NetworkInterface, Place,
    ScaleSet, Topology,
};
use crate::value::Unknown;

/// One way in.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Where it leads.
    pub host: Host<'a>,
    /// The address that it leads to.
    pub configuration: &'a IpConfiguration,
    /// Through what.
    pub via: Via<'a>,
    /// With these protocols only.
    pub protocols: ProtocolSet,
    /// To these ports of the machine only.
    pub ports: PortSet,
    /// Whether groups must open it, or only may close it; `None` where the SKU is not known.
    pub kind: Option<PublicEntry>,
    /// Why the SKU is not known.
    pub unknown: Option<&'a Arc<Unknown>>,
    /// The attribute or association that makes it.
    pub place: Place,
}

/// Through what packets come in.
#[derive(Clone, Copy, Debug)]
pub enum Via<'a> {
    /// A public address of the interface.
    Address(&'a Header),
    /// A public address that each machine of a scale set gets.
    InstanceAddress,
    /// A load-balancing rule with a public front end.
    Balancing(&'a LoadBalancer, &'a BalancingRule),
    /// An inbound NAT rule with a public front end.
    Nat(&'a LoadBalancer, &'a NatRule),
}

impl Entry<'_> {
    /// Whether everything that makes it certainly exists.
    pub fn is_certain(&self) -> bool {
        let via = match self.via {
            Via::Address(header) => header.is_certain(),
            Via::InstanceAddress => true,
            Via::Balancing(balancer, rule) => balancer.header.is_certain() && rule.header.is_certain(),
            Via::Nat(balancer, rule) => balancer.header.is_certain() && rule.header.is_certain(),
        };
        via && self.host.header.is_certain()
            && self.host.owner.is_certain()
            && self.configuration.header.is_certain()
    }
}

/// All ways in that the input declares, in the order of the model.
pub fn all(topology: &Topology) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for host in super::hosts::all(topology).into_iter().filter(|host| host.header.is_managed()) {
        for configuration in host.ip_configurations {
            direct(topology, host, configuration, &mut entries);
        }
    }
    for balancer in topology.load_balancers.iter().filter(|balancer| balancer.header.is_managed()) {
        balanced(topology, balancer, &mut entries);
    }
    entries
}

fn direct<'a>(
    topology: &'a Topology,
    host: Host<'a>,
    configuration: &'a IpConfiguration,
    entries: &mut Vec<Entry<'a>>,
) {
    let all = |via, kind, unknown, place| Entry {
        host,
        configuration,
        via,
        protocols: ProtocolSet::FULL,
        ports: PortSet::full(),
        kind,
        unknown,
        place,
    };
    if let Some(address) = configuration.public_ip.to().map(|id| &topology[id]) {
        let (kind, unknown) = kind_of(&address.sku);
        entries.push(all(Via::Address(&address.header), kind, unknown, configuration.public_ip.place));
    }
    if let Some(place) = configuration.instance_address {
        // Basic addresses cannot be made any more, but older scale sets of theirs are written the same way.
        entries.push(all(Via::InstanceAddress, None, None, place));
    }
}

fn kind_of(sku: &Field<ecow::EcoString>) -> (Option<PublicEntry>, Option<&Arc<Unknown>>) {
    match sku.known() {
        Some(sku) if sku.eq_ignore_ascii_case("Basic") => (Some(PublicEntry::Basic), None),
        Some(_) => (Some(PublicEntry::Standard), None),
        None => (None, sku.unknown()),
    }
}

/// The public front end of a name; the only one where the name is not known.
fn public_frontend<'a>(
    balancer: &'a LoadBalancer,
    name: &Field<ecow::EcoString>,
) -> Option<&'a IpConfiguration> {
    let named = |frontend: &&IpConfiguration| match (frontend.header.name.known(), name.known()) {
        (Some(own), Some(wanted)) => own.eq_ignore_ascii_case(wanted),
        _ => balancer.frontends.len() == 1 && !balancer.incomplete,
    };
    let frontend = balancer.frontends.iter().find(named)?;
    // What is not in a subnet has a public address or one of a public prefix.
    (frontend.subnet.is_absent() && frontend.public_ip.unknown().is_none()).then_some(frontend)
}

fn balanced<'a>(topology: &'a Topology, balancer: &'a LoadBalancer, entries: &mut Vec<Entry<'a>>) {
    let (kind, unknown) = kind_of(&balancer.sku);
    let mut add = |via, protocol: &Field<ecow::EcoString>, port: &Field<i64>, member: Member<'a>| {
        let Some(protocols) = protocols(protocol) else { return };
        let Some(ports) = ports(protocol, port) else { return };
        let Some(configuration) = member.host.first_configuration() else { return };
        entries.push(Entry {
            host: member.host,
            configuration,
            via,
            protocols,
            ports,
            kind,
            unknown,
            place: member.place,
        });
    };
    for rule in &balancer.rules {
        if public_frontend(balancer, &rule.frontend).is_none() {
            continue;
        }
        for pool in rule.pools.iter().filter_map(|at| balancer.pools.get(*at)) {
            for member in members(topology, &pool.interfaces, &pool.scale_sets) {
                add(Via::Balancing(balancer, rule), &rule.protocol, &rule.backend_port, member);
            }
        }
    }
    for rule in &balancer.nat_rules {
        if public_frontend(balancer, &rule.frontend).is_none() {
            continue;
        }
        let pool = rule.pool.and_then(|at| balancer.pools.get(at));
        let of_pool =
            pool.map(|pool| members(topology, &pool.interfaces, &pool.scale_sets)).unwrap_or_default();
        for member in members(topology, &rule.interfaces, &rule.scale_sets).into_iter().chain(of_pool) {
            add(Via::Nat(balancer, rule), &rule.protocol, &rule.backend_port, member);
        }
    }
}

/// A member of a back-end pool.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The member.
    pub host: Host<'a>,
    /// The attribute or association that makes it one.
    pub place: Place,
}

/// The members that links name, in order. Scale sets count with their first interface.
pub fn members<'a>(
    topology: &'a Topology,
    interfaces: &[Link<NetworkInterface>],
    scale_sets: &[Link<ScaleSet>],
) -> Vec<Member<'a>> {
    let interfaces = interfaces.iter().filter_map(|link| {
        let id: Id<NetworkInterface> = link.to()?;
        Some(Member { host: Host::interface(topology, id), place: link.place })
    });
    let sets = scale_sets.iter().filter_map(|link| {
        let host = Host::scale_set(topology, link.to()?).next()?;
        Some(Member { host, place: link.place })
    });
    interfaces.chain(sets).collect()
}

/// The protocols of a balancing or NAT rule; `None` where they are not known.
pub fn protocols(protocol: &Field<ecow::EcoString>) -> Option<ProtocolSet> {
    let text = protocol.known()?;
    if text.eq_ignore_ascii_case("All") {
        return ProtocolSet::parse("*").map(|all| all.intersect(ProtocolSet::WITH_PORTS));
    }
    ProtocolSet::parse(text)
}

/// The machine's ports of a balancing or NAT rule: all for a rule for all ports.
fn ports(protocol: &Field<ecow::EcoString>, port: &Field<i64>) -> Option<PortSet> {
    let port = u16::try_from(*port.known()?).ok()?;
    let all = port == 0 && protocol.known().is_some_and(|text| text.eq_ignore_ascii_case("All"));
    Some(if all { PortSet::full() } else { PortSet::single(port) })
}
