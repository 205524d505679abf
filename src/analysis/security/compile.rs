//! From rules and flows to packet sets: what selectors, tags, ports and unknown fields mean in a network.

use std::collections::BTreeSet;

use ecow::{EcoString, eco_format};

use super::input::{
    Access, Cause, Direction, Flow, Membership, Network, Party, SecurityGroup, SecurityRule, Selector,
    Setting,
};
use super::outcome::RuleRef;
use crate::azure::security_groups::{PlatformService, security_group_facts};
use crate::azure::tags::{self, TagKind, service_tags};
use crate::net::{
    AddressSet, Condition, Conditions, PacketSet, PortSet, ProtocolSet, Subject, Symbol, SymbolKind,
};

/// A rule as packets.
pub(super) struct CompiledRule {
    pub(super) reference: RuleRef,
    /// What it matches.
    pub(super) packets: PacketSet,
    /// What it does.
    pub(super) access: Verb,
    /// Whether it names one of the platform's tags (`AzurePlatformDNS` …).
    pub(super) names_platform: bool,
}

/// What a rule does with packets it matches.
pub(super) enum Verb {
    /// This.
    Certain(Access),
    /// Allows them where the symbol holds, denies them elsewhere.
    AllowsIf(Symbol),
}

/// How rules are read.
#[derive(Clone, Copy, Default)]
pub(super) struct Reading {
    /// As for traffic to private endpoints.
    pub(super) ignore_source_ports: bool,
    /// Leave out matches of which no document says whether they are.
    pub(super) only_documented: bool,
}

/// Compiles rules for one network.
pub(super) struct Compiler<'a> {
    network: &'a Network,
    /// What certainly belongs to the tag `VirtualNetwork`.
    virtual_network: AddressSet,
    /// Holds where an address beyond that belongs to it; `None` if no other does.
    beyond: Option<Symbol>,
    /// Whether that is so because of a default route.
    default_route: bool,
    /// Whether the tag `VirtualNetwork` is taken to hold every address.
    everything: bool,
    /// Where addresses of services can lie.
    service_space: AddressSet,
}

/// One alternative of one side of a rule.
struct Side {
    addresses: AddressSet,
    conditions: Vec<(Symbol, bool)>,
    /// Only these destination ports: platform tags stand for a service, not for all of the host.
    ports: Option<PortSet>,
}

impl Side {
    fn plain(addresses: AddressSet) -> Self {
        Self { addresses, conditions: Vec::new(), ports: None }
    }

    fn symbol(addresses: AddressSet, symbol: Symbol) -> Self {
        Self { addresses, conditions: vec![(symbol, true)], ports: None }
    }
}

/// Whether a selector stands in a rule or in the question.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Rule,
    Flow,
}

/// The name of the symbol that holds where `VirtualNetwork` reaches further than is known.
const BEYOND: &str = "VirtualNetwork beyond what is known";

impl<'a> Compiler<'a> {
    pub(super) fn new(network: &'a Network) -> Self {
        let facts = security_group_facts();
        let default_route = network.routed.v4().is_full() || network.routed.v6().is_full();
        // A default route "might" be part of the tag, the documentation says; other prefixes of routes are.
        let routed = if default_route { AddressSet::empty() } else { network.routed.clone() };
        let own = network.address_space.union(&network.peered);
        let everything = default_route && network.assume_default_route;
        let virtual_network = own.union(&network.on_premises).union(&routed).union(&facts.host());
        let label = match (&network.more, default_route) {
            _ if everything => None,
            (Some(cause), _) => Some(cause.text.clone()),
            (None, true) => Some("a default route may put every address into VirtualNetwork".into()),
            (None, false) => None,
        };
        let beyond = label.map(|label| Symbol::new(SymbolKind::Unknown, BEYOND).labelled(label));
        let service_space = facts.public().subtract(&own);
        Self { network, everything, virtual_network, beyond, default_route, service_space }
    }

    /// The packets of a flow. `groups` are the application security groups that rules ask about.
    pub(super) fn flow(&self, flow: &Flow, groups: &BTreeSet<EcoString>) -> PacketSet {
        let sources = self.party(&flow.source, Subject::Source, groups);
        let destinations = self.party(&flow.destination, Subject::Destination, groups);
        boxes(&sources, &destinations, |builder| {
            builder
                .protocols(flow.protocols)
                .source_ports(flow.source_ports.clone())
                .destination_ports(flow.destination_ports.clone())
        })
    }

    fn party(&self, party: &Party, subject: Subject, groups: &BTreeSet<EcoString>) -> Vec<Side> {
        let mut sides = self.sides(&party.selectors, subject, Role::Flow, "flow");
        for group in groups {
            let symbol = || Symbol::new(SymbolKind::Group, group.clone());
            sides = match &party.groups {
                Membership::Exactly(member_of) => {
                    let member = member_of.contains(group);
                    let with = |mut side: Side| {
                        side.conditions.push((symbol(), member));
                        side
                    };
                    sides.into_iter().map(with).collect()
                }
                Membership::ByAddress => {
                    sides.into_iter().flat_map(|side| self.split_by_group(side, group, &symbol)).collect()
                }
            };
        }
        sides
    }

    /// A side in its parts: members of a group, and others.
    fn split_by_group(&self, side: Side, group: &EcoString, symbol: &dyn Fn() -> Symbol) -> Vec<Side> {
        let Some(members) = self.network.groups.get(group) else { return vec![side] };
        let part = |addresses: AddressSet, member: Option<bool>| Side {
            addresses,
            conditions: side.conditions.iter().cloned().chain(member.map(|m| (symbol(), m))).collect(),
            ports: side.ports.clone(),
        };
        let inside = side.addresses.intersect(&members.addresses);
        let outside = side.addresses.subtract(&members.addresses);
        let parts = [part(inside, Some(true)), part(outside, members.complete.then_some(false))];
        parts.into_iter().filter(|part| !part.addresses.is_empty()).collect()
    }

    /// The rules of a group that can concern a direction, without their order.
    pub(super) fn rule(
        &self,
        rule: &SecurityRule,
        direction: Direction,
        identity: &EcoString,
        reading: Reading,
    ) -> Option<CompiledRule> {
        if rule.direction.known().is_some_and(|d| *d != direction) {
            return None;
        }
        let place = eco_format!("{identity}/{}", rule.index);
        let mut packet_conditions = Vec::new();
        if let Setting::Unknown(cause) = &rule.direction {
            packet_conditions.push(unknown(cause, &place, "direction"));
        }
        if let Some(cause) = &rule.uncertain {
            packet_conditions.push(unknown(cause, &place, "existence"));
        }
        let sources = self.sides(&rule.source, Subject::Source, Role::Rule, &place);
        let destinations = self.sides(&rule.destination, Subject::Destination, Role::Rule, &place);
        let mut packets = PacketSet::empty();
        for shape in shapes(rule, reading, &place) {
            let mut conditions = packet_conditions.iter().chain(&shape.conditions);
            let Some(conditions) = conditions.try_fold(Conditions::none(), |all, symbol| {
                all.with(&Condition::new(Subject::Packet, symbol.clone()))
            }) else {
                continue;
            };
            let made = boxes(&sources, &destinations, |builder| {
                builder
                    .protocols(shape.protocols)
                    .source_ports(shape.source_ports.clone())
                    .destination_ports(shape.destination_ports.clone())
                    .conditions(conditions.clone())
            });
            packets = packets.union(made);
        }
        let access = match &rule.access {
            Setting::Known(access) => Verb::Certain(*access),
            Setting::Unknown(cause) => Verb::AllowsIf(unknown(cause, &place, "access")),
        };
        let names_platform = rule.source.iter().chain(&rule.destination).any(|selector| match selector {
            Selector::Tag(name) => service_tags().get(name).is_some_and(|tag| tag.kind == TagKind::Platform),
            _ => false,
        });
        let reference = RuleRef { name: rule.name.clone(), index: Some(rule.index) };
        Some(CompiledRule { reference, packets, access, names_platform })
    }

    /// The default rules of a direction, in order.
    pub(super) fn default_rules(&self, direction: Direction) -> Vec<CompiledRule> {
        let rows = security_group_facts().default_rules.iter();
        let concerned = rows.filter(|row| Direction::parse(&row.direction) == Some(direction));
        concerned
            .map(|row| {
                let side = |tag: &str, subject| self.sides(&[Selector::parse(tag)], subject, Role::Rule, "");
                let sources = side(&row.source_tag, Subject::Source);
                let destinations = side(&row.destination_tag, Subject::Destination);
                CompiledRule {
                    reference: RuleRef { name: row.name.as_str().into(), index: None },
                    packets: boxes(&sources, &destinations, |builder| builder),
                    access: Verb::Certain(Access::parse(&row.access).unwrap_or(Access::Deny)),
                    names_platform: false,
                }
            })
            .collect()
    }

    fn sides(&self, selectors: &[Selector], subject: Subject, role: Role, place: &str) -> Vec<Side> {
        let mut addresses = AddressSet::empty();
        let mut sides = Vec::new();
        for (i, selector) in selectors.iter().enumerate() {
            match selector {
                Selector::Any => addresses = AddressSet::full(),
                Selector::Addresses(some) => addresses = addresses.union(some),
                Selector::Tag(name) => sides.extend(self.tag(name, subject, role)),
                Selector::Group(identity) => {
                    let symbol = Symbol::new(SymbolKind::Group, identity.clone());
                    sides.push(Side::symbol(AddressSet::full(), symbol));
                }
                Selector::Unknown(cause) => {
                    let symbol = unknown(cause, &eco_format!("{place}/{subject:?}/{i}"), "addresses");
                    sides.push(Side::symbol(AddressSet::full(), symbol));
                }
            }
        }
        if addresses.is_full() {
            // Whatever else is named is part of it.
            return vec![Side::plain(addresses)];
        }
        if !addresses.is_empty() {
            sides.insert(0, Side::plain(addresses));
        }
        sides
    }

    /// What a service tag stands for.
    fn tag(&self, name: &str, subject: Subject, role: Role) -> Vec<Side> {
        let table = service_tags();
        let resolved = table.resolve(name);
        match resolved.name.as_str() {
            tags::VIRTUAL_NETWORK if self.everything => return vec![Side::plain(AddressSet::full())],
            tags::VIRTUAL_NETWORK => {
                let certain = Side::plain(self.virtual_network.clone());
                let beyond = self.beyond.as_ref();
                let further = beyond.map(|s| Side::symbol(self.virtual_network.complement(), s.clone()));
                return [Some(certain), further].into_iter().flatten().collect();
            }
            tags::INTERNET => {
                let space = security_group_facts().public().subtract(&self.virtual_network);
                // A host on the Internet is outside of every network, but a default route may count it in all the same.
                let apart = self.beyond.as_ref().filter(|_| role == Role::Rule || !self.default_route);
                let conditions = apart.map(|symbol| (symbol.clone(), false)).into_iter().collect();
                return vec![Side { addresses: space, conditions, ports: None }];
            }
            tags::AZURE_LOAD_BALANCER => return vec![Side::plain(security_group_facts().host())],
            _ => {}
        }
        if let Some(known) = self.network.known_tags.get(&resolved.name) {
            return vec![Side::plain(known.clone())];
        }
        let row = resolved.parent.as_deref().and_then(|parent| table.get(parent));
        if row.is_some_and(|tag| tag.kind == TagKind::Platform)
            && let Some(service) = platform_service(&resolved.name)
            && !service.addresses().is_empty()
        {
            let ports = (subject == Subject::Destination).then(|| service.ports());
            return vec![Side { addresses: service.addresses(), conditions: Vec::new(), ports }];
        }
        let outer = table.containing(&resolved);
        let known_outer = outer.iter().filter_map(|name| self.network.known_tags.get(name));
        let mut space = if row.is_some() { self.service_space.clone() } else { AddressSet::full() };
        for known in known_outer {
            space = space.intersect(known);
        }
        // Services have public addresses of their own, which no network's space holds; a default route may count them in.
        let apart = (row.is_some() && !self.default_route).then(|| BEYOND.into());
        let symbol = Symbol::new(SymbolKind::Tag, resolved.name).inside(outer).apart_from(apart);
        vec![Side::symbol(space, symbol)]
    }
}

/// The application security groups that rules name.
pub(super) fn groups_named<'a>(rules: impl IntoIterator<Item = &'a SecurityRule>) -> BTreeSet<EcoString> {
    let selectors = rules.into_iter().flat_map(|rule| rule.source.iter().chain(&rule.destination));
    let groups = selectors.filter_map(|selector| match selector {
        Selector::Group(identity) => Some(identity.clone()),
        _ => None,
    });
    groups.collect()
}

/// Packets that groups leave alone unless a rule names their tag: what a machine asks of its host. What the host sends of
/// its own accord, such as health probes, is not exempt.
pub(super) fn exempt(direction: Direction) -> PacketSet {
    if direction == Direction::Inbound {
        return PacketSet::empty();
    }
    let services = security_group_facts().platform_services.iter().filter(|service| service.exempt);
    services.fold(PacketSet::empty(), |all, service| {
        let builder = PacketSet::builder().protocols(service.protocols());
        all.union(builder.destination(service.addresses()).destination_ports(service.ports()).build())
    })
}

/// The symbols of a rule that may stand among those of a group: that it matches, and that it allows.
pub(super) fn hidden_rule(group: &SecurityGroup, cause: &Cause) -> (Symbol, Symbol) {
    let named = |role| unknown(cause, &group.identity, role);
    (named("a further rule matches"), named("a further rule allows"))
}

/// The symbol of something unknown: the same for the same identity in the same role, else one of its own for the place.
pub(super) fn unknown(cause: &Cause, place: &str, role: &str) -> Symbol {
    let name = match &cause.identity {
        Some(identity) => eco_format!("{role}, value {identity}"),
        None => eco_format!("{role}, place {place}"),
    };
    Symbol::new(SymbolKind::Unknown, name).labelled(cause.text.clone())
}

fn platform_service(tag: &str) -> Option<&'static PlatformService> {
    security_group_facts().platform_services.iter().find(|service| service.tag.as_deref() == Some(tag))
}

/// Protocols and ports of a rule, as alternatives.
struct Shape {
    protocols: ProtocolSet,
    source_ports: PortSet,
    destination_ports: PortSet,
    conditions: Vec<Symbol>,
}

fn shapes(rule: &SecurityRule, reading: Reading, place: &str) -> Vec<Shape> {
    let mut conditions = Vec::new();
    let protocols = match &rule.protocols {
        Setting::Known(protocols) => *protocols,
        Setting::Unknown(cause) => {
            conditions.push(unknown(cause, place, "protocol"));
            ProtocolSet::FULL
        }
    };
    let alternatives = |ports: &super::input::Ports, field: &str| {
        let known = (ports.known.clone(), None);
        let more = ports
            .unknown
            .as_ref()
            .map(|cause| (PortSet::full().subtract(&ports.known), Some(unknown(cause, place, field))));
        [Some(known), more].into_iter().flatten().filter(|(ports, _)| !ports.is_empty()).collect::<Vec<_>>()
    };
    let sources = if reading.ignore_source_ports {
        vec![(PortSet::full(), None)]
    } else {
        alternatives(&rule.source_ports, "source ports")
    };
    let mut shapes = Vec::new();
    for (source_ports, source_condition) in &sources {
        for (destination_ports, condition) in alternatives(&rule.destination_ports, "destination ports") {
            let mut conditions = conditions.clone();
            conditions.extend(source_condition.iter().cloned().chain(condition));
            let limited = !source_ports.is_full() || !destination_ports.is_full();
            let without = protocols.intersect(ProtocolSet::WITHOUT_PORTS);
            if limited && !without.is_empty() && !reading.only_documented {
                // Not documented: whether a rule with limited ports matches protocols that have none.
                let cause =
                    Cause::new("a rule with limited ports may or may not match protocols without ports");
                let mut conditions = conditions.clone();
                conditions.push(unknown(&cause, place, "protocols without ports"));
                let (source_ports, destination_ports) = (PortSet::full(), PortSet::full());
                shapes.push(Shape { protocols: without, source_ports, destination_ports, conditions });
            }
            let protocols = if limited { protocols.intersect(ProtocolSet::WITH_PORTS) } else { protocols };
            shapes.push(Shape {
                protocols,
                source_ports: source_ports.clone(),
                destination_ports,
                conditions,
            });
        }
    }
    shapes
}

/// The boxes from every source alternative to every destination alternative.
fn boxes(
    sources: &[Side],
    destinations: &[Side],
    shape: impl Fn(crate::net::packet::PacketBoxBuilder) -> crate::net::packet::PacketBoxBuilder,
) -> PacketSet {
    let mut all = PacketSet::empty();
    for source in sources {
        for destination in destinations {
            let builder = PacketSet::builder()
                .source(source.addresses.clone())
                .destination(destination.addresses.clone());
            let mut set = shape(builder).build();
            let conditions = source.conditions.iter().map(|c| (Subject::Source, c));
            for (subject, (symbol, holds)) in
                conditions.chain(destination.conditions.iter().map(|c| (Subject::Destination, c)))
            {
                set = set.with(&Condition { subject, symbol: symbol.clone(), holds: *holds });
            }
            if let Some(ports) = &destination.ports {
                set = set.limited_to_ports(ports);
            }
            all = all.union(set);
        }
    }
    all
}
