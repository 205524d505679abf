//! The security groups of the topology as the evaluation of [`super::security`] takes them: which groups guard a subnet,
//! what tags mean there, what every rule says and leaves open.

use std::sync::Arc;

use ecow::{EcoString, eco_format};

use super::security::input::{
    Access, Cause, Direction, Layer, Network, Ports, SecurityGroup, SecurityRule, Selector, Setting,
};
use super::{peers, security};
use crate::net::{AddressSet, PortSet, ProtocolSet};
use crate::topology::{
    self, ApplicationSecurityGroup, Field, Id, Link, List, Prefix, RuleEndpoint, Topology, VirtualNetwork,
};
use crate::value::Unknown;

/// The same unknown value has the same identity wherever it is used.
pub fn cause(unknown: &Arc<Unknown>) -> Cause {
    Cause::new(eco_format!("{}", unknown.cause)).identified(eco_format!("{:?}", unknown))
}

/// A group with its rules. [`SecurityRule::index`] is the position in the group's list.
pub fn group(topology: &Topology, id: Id<topology::SecurityGroup>) -> SecurityGroup {
    let group = &topology[id];
    let mut more_rules = group.rules.rest.as_ref().map(cause);
    let mut rules = Vec::with_capacity(group.rules.items.len());
    for (index, field) in group.rules.items.iter().enumerate() {
        match (field.known(), field.unknown()) {
            (Some(known), _) => rules.push(rule(known, index)),
            (None, Some(unknown)) => more_rules = more_rules.or_else(|| Some(cause(unknown))),
            (None, None) => {}
        }
    }
    // Rules may be added by what cannot be seen.
    if more_rules.is_none() {
        more_rules = topology.unseen(&group.header).map(cause);
    }
    SecurityGroup { identity: eco_format!("nsg:{}", id.index()), rules, more_rules }
}

fn rule(rule: &topology::SecurityRule, index: usize) -> SecurityRule {
    SecurityRule {
        name: rule.header.name.known().cloned().unwrap_or_else(|| "?".into()),
        index,
        uncertain: rule.header.uncertain.as_ref().map(cause),
        priority: setting(&rule.priority, |priority| u32::try_from(*priority).ok()),
        direction: setting(&rule.direction, |direction| {
            Some(match direction {
                topology::Direction::Inbound => Direction::Inbound,
                topology::Direction::Outbound => Direction::Outbound,
            })
        }),
        access: setting(&rule.access, |access| {
            Some(match access {
                topology::Access::Allow => Access::Allow,
                topology::Access::Deny => Access::Deny,
            })
        }),
        protocols: setting(&rule.protocol, |text| ProtocolSet::parse(text)),
        source: selectors(&rule.source),
        source_ports: ports(&rule.source.ports),
        destination: selectors(&rule.destination),
        destination_ports: ports(&rule.destination.ports),
    }
}

fn setting<T, U>(field: &Field<T>, read: impl Fn(&T) -> Option<U>) -> Setting<U> {
    if let Some(unknown) = field.unknown() {
        return Setting::Unknown(cause(unknown));
    }
    match field.known().and_then(read) {
        Some(value) => Setting::Known(value),
        None => Setting::Unknown(Cause::new("a field that is missing or that Azure does not take")),
    }
}

fn selectors(side: &RuleEndpoint) -> Vec<Selector> {
    let mut found: Vec<Selector> = Vec::with_capacity(side.prefixes.items.len());
    for field in &side.prefixes.items {
        match (field.known(), field.unknown()) {
            (Some(text), _) => found.push(Selector::parse(text)),
            (None, Some(unknown)) => found.push(Selector::Unknown(cause(unknown))),
            (None, None) => {}
        }
    }
    found.extend(side.prefixes.rest.iter().map(|unknown| Selector::Unknown(cause(unknown))));
    for link in &side.groups {
        match (link.to(), link.unknown()) {
            (Some(group), _) => found.push(Selector::Group(group_identity(group))),
            (None, Some(unknown)) => found.push(Selector::Unknown(cause(unknown))),
            (None, None) => {}
        }
    }
    found
}

fn ports(list: &List<EcoString>) -> Ports {
    let known: PortSet = list.known().filter_map(|text| PortSet::parse(text)).collect();
    Ports { known, unknown: list.unknown().map(cause) }
}

/// The name of an application security group in an evaluation.
pub fn group_identity(group: Id<ApplicationSecurityGroup>) -> EcoString {
    eco_format!("asg:{}", group.index())
}

/// The ranges of a list, and why there may be others.
pub fn addresses(prefixes: &List<Prefix>) -> (AddressSet, Option<Cause>) {
    let known =
        AddressSet::from_prefixes(prefixes.known().filter_map(|prefix| prefix.net).map(|net| net.trunc()));
    (known, prefixes.unknown().map(cause))
}

/// What tags mean for the subnets of a network, their routes aside. The members of application security groups are not looked
/// for: whoever belongs to one is known from its own side.
pub fn network(topology: &Topology, id: Id<VirtualNetwork>) -> Network {
    let (space, unknown) = addresses(&topology[id].address_space);
    let mut network = Network::new(space);
    network.more = unknown;
    for peer in peers::of(topology, id) {
        let (range, unknown) = addresses(&topology[peer.network].address_space);
        let refused = topology[id].peerings.iter().map(|peering| &topology[*peering]).any(|peering| {
            peering.remote.to() == Some(peer.network) && peering.allow_virtual_network_access.is(&false)
        });
        if refused {
            continue;
        }
        network.peered = network.peered.union(&range);
        if !peer.certain {
            network.more = network.more.or_else(|| Some(Cause::new("a peering that may not exist")));
        }
        network.more = network.more.or(unknown);
    }
    if network.more.is_none() {
        network.more = peers::blind_spot(topology, id).as_ref().map(cause);
    }
    if network.more.is_none() && super::peers::reaches_a_gateway(topology, id) {
        network.more = Some(Cause::new("the prefixes behind a gateway"));
    }
    network
}

/// What the routes of a subnet add to what tags mean in its network; `None` where it has none.
pub fn with_routes(topology: &Topology, network: &Network, subnet: &topology::Subnet) -> Option<Network> {
    let mut network = match (subnet.route_table.to(), subnet.route_table.unknown()) {
        (None, None) => return None,
        _ => network.clone(),
    };
    if let Some(table) = subnet.route_table.to().map(|table| &topology[table]) {
        for route in table.routes.known() {
            let prefix = route.address_prefix.known().and_then(|text| crate::net::parse_prefix(text));
            network.routed = network.routed.union(&AddressSet::from_prefixes(prefix));
        }
        network.more = network.more.or_else(|| table.routes.unknown().map(cause));
    } else if let Some(unknown) = subnet.route_table.unknown() {
        network.more = network.more.or_else(|| Some(cause(unknown)));
    }
    Some(network)
}

/// What guards a subnet or an interface, once its group has been read by [`group`].
pub fn layer<'a>(link: &Link<topology::SecurityGroup>, group: Option<&'a SecurityGroup>) -> Layer<'a> {
    match (group, link.unknown()) {
        (Some(group), _) => Layer::Group(group),
        (None, Some(unknown)) => Layer::Unknown(cause(unknown)),
        (None, None) => Layer::Absent,
    }
}

/// The rule of the topology that an evaluation names.
pub fn rule_of<'a>(
    group: &'a topology::SecurityGroup,
    rule: &security::RuleRef,
) -> Option<&'a topology::SecurityRule> {
    group.rules.items.get(rule.index?)?.known()
}
