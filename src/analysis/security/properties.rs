//! Whatever unknown values turn out to be, what was said before must hold: random groups with unknowns, against the same
//! groups with values put in, and those against a scan of rules for single packets.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::input::*;
use super::*;
use crate::net::{AddressSet, Budget, PacketSet, PortSet, Protocol, ProtocolSet};

const PREFIXES: [&str; 6] =
    ["10.0.7.0/28", "10.0.7.8/29", "10.0.0.0/16", "10.9.0.0/16", "20.60.0.0/16", "20.60.128.0/17"];

fn addresses() -> impl Strategy<Value = AddressSet> {
    prop::sample::select(PREFIXES.to_vec()).prop_map(|text| AddressSet::parse(text).unwrap())
}

fn ports() -> impl Strategy<Value = PortSet> {
    prop_oneof![
        Just(PortSet::full()),
        (0u16..8, 0u16..8).prop_map(|(a, b)| PortSet::range(a.min(b), a.max(b)))
    ]
}

fn protocols() -> impl Strategy<Value = ProtocolSet> {
    prop::sample::select(vec![
        ProtocolSet::FULL,
        ProtocolSet::single(Protocol::Tcp),
        ProtocolSet::single(Protocol::Udp),
    ])
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![Just(Access::Allow), Just(Access::Deny)]
}

fn selector() -> impl Strategy<Value = Selector> {
    let tags = prop::sample::select(vec!["VirtualNetwork", "Internet", "Storage", "AzureLoadBalancer"]);
    prop_oneof![
        2 => Just(Selector::Any),
        4 => addresses().prop_map(Selector::Addresses),
        2 => tags.prop_map(|tag| Selector::Tag(tag.into())),
    ]
}

/// A rule in which everything is known.
fn rule() -> impl Strategy<Value = SecurityRule> {
    let sides = (prop::collection::vec(selector(), 1..3), prop::collection::vec(selector(), 1..3));
    (0u32..12, access(), any::<bool>(), protocols(), sides, ports()).prop_map(
        |(priority, access, inbound, protocols, (source, destination), ports)| {
            let direction = if inbound { Direction::Inbound } else { Direction::Outbound };
            SecurityRule {
                protocols: Setting::Known(protocols),
                source,
                destination,
                destination_ports: Ports::exactly(ports),
                ..SecurityRule::new("rule", 0, 100 + priority * 10, direction, access)
            }
        },
    )
}

/// Which field of a rule is made unknown.
#[derive(Clone, Copy, Debug)]
enum Hidden {
    Nothing,
    Existence,
    Priority,
    Direction,
    Access,
    Protocols,
    Source,
    DestinationAddresses,
    DestinationPorts,
}

fn hidden() -> impl Strategy<Value = Hidden> {
    prop_oneof![
        6 => Just(Hidden::Nothing),
        1 => Just(Hidden::Existence),
        1 => Just(Hidden::Priority),
        1 => Just(Hidden::Direction),
        1 => Just(Hidden::Access),
        1 => Just(Hidden::Protocols),
        1 => Just(Hidden::Source),
        1 => Just(Hidden::DestinationAddresses),
        1 => Just(Hidden::DestinationPorts),
    ]
}

/// The rule with a field that is not known.
fn hide(rule: &SecurityRule, hidden: Hidden) -> SecurityRule {
    let cause = || Cause::new("hidden");
    let mut rule = rule.clone();
    match hidden {
        Hidden::Nothing => {}
        Hidden::Existence => rule.uncertain = Some(cause()),
        Hidden::Priority => rule.priority = Setting::Unknown(cause()),
        Hidden::Direction => rule.direction = Setting::Unknown(cause()),
        Hidden::Access => rule.access = Setting::Unknown(cause()),
        Hidden::Protocols => rule.protocols = Setting::Unknown(cause()),
        Hidden::Source => rule.source = vec![Selector::Unknown(cause())],
        Hidden::DestinationAddresses => {
            // One element is known, another is not.
            rule.destination.truncate(1);
            rule.destination.push(Selector::Unknown(cause()));
        }
        Hidden::DestinationPorts => {
            rule.destination_ports = Ports { known: PortSet::single(3), unknown: Some(cause()) };
        }
    }
    rule
}

/// A value that the hidden field may have: the rule's own, or one that is consistent with what is still shown.
fn reveal(rule: &SecurityRule, hidden: Hidden, exists: bool) -> Option<SecurityRule> {
    let mut rule = rule.clone();
    match hidden {
        Hidden::Existence if !exists => return None,
        Hidden::DestinationPorts => {
            rule.destination_ports.known = rule.destination_ports.known.union(&PortSet::single(3));
        }
        _ => {}
    }
    Some(rule)
}

/// Whether a single packet passes a group in which everything is known, by looking at one rule after the other.
fn passes(
    group: &SecurityGroup,
    flow: &Flow,
    packet: (IpAddr, IpAddr, Protocol, u16),
    network: &Network,
) -> bool {
    let (source, destination, protocol, port) = packet;
    let host = AddressSet::parse("168.63.129.16").unwrap();
    let virtual_network = network.address_space.union(&network.peered).union(&host);
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(|p| AddressSet::parse(p).unwrap());
    let matches = |selectors: &[Selector], address: IpAddr| {
        selectors.iter().any(|selector| match selector {
            Selector::Any => true,
            Selector::Addresses(set) => set.contains(address),
            Selector::Tag(name) => match name.as_str() {
                "VirtualNetwork" => virtual_network.contains(address),
                "AzureLoadBalancer" => host.contains(address),
                "Internet" => {
                    !virtual_network.contains(address) && !private.iter().any(|p| p.contains(address))
                }
                other => network.known_tags[other].contains(address),
            },
            Selector::Group(_) | Selector::Unknown(_) => panic!("everything is known here"),
        })
    };
    let mut rules: Vec<&SecurityRule> = group.rules.iter().collect();
    rules.retain(|rule| rule.direction.known() == Some(&flow.direction));
    rules.sort_by_key(|rule| (rule.priority.known().copied(), rule.index));
    let first = rules.into_iter().find(|rule| {
        rule.protocols.known().unwrap().contains(protocol)
            && matches(&rule.source, source)
            && matches(&rule.destination, destination)
            && rule.destination_ports.known.contains(port)
    });
    let internet = [Selector::Tag("Internet".into())];
    let inside = [Selector::Tag("VirtualNetwork".into())];
    match (first, flow.direction) {
        (Some(rule), _) => rule.access == Setting::Known(Access::Allow),
        (None, direction) => {
            let within = matches(&inside, source) && matches(&inside, destination);
            within
                || (direction == Direction::Outbound && matches(&internet, destination))
                || (direction == Direction::Inbound && host.contains(source))
        }
    }
}

fn subset(a: &PacketSet, b: &PacketSet) -> bool {
    a.is_subset(b, &mut Budget::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_holds_for_every_value(
        rules in prop::collection::vec((rule(), hidden(), any::<bool>()), 0..7),
        extra in prop::option::of((rule(), any::<bool>())),
        attached in prop::option::of(any::<bool>()),
        (from, to, protocols, ports, inbound) in (addresses(), addresses(), protocols(), ports(), any::<bool>()),
        storage in addresses(),
        probes in prop::collection::vec((any::<u32>(), any::<u32>(), any::<bool>(), 0u16..10), 12),
    ) {
        let direction = if inbound { Direction::Inbound } else { Direction::Outbound };
        let flow = Flow::new(direction, Party::addresses(from.clone()), Party::addresses(to.clone()))
            .to_ports(protocols.intersect(ProtocolSet::WITH_PORTS), ports.clone());
        let mut network = Network::new(AddressSet::parse("10.0.0.0/16").unwrap());
        let numbered = |(index, rule): (usize, SecurityRule)| SecurityRule { index, ..rule };

        let shown = rules.iter().map(|(rule, hidden, _)| hide(rule, *hidden));
        let shown = SecurityGroup {
            identity: "group".into(),
            rules: shown.enumerate().map(numbered).collect(),
            more_rules: extra.as_ref().map(|_| Cause::new("more")),
        };
        let revealed = rules.iter().enumerate().filter_map(|(index, (rule, hidden, exists))| {
            Some(numbered((index, reveal(rule, *hidden, *exists)?)))
        });
        // A further rule takes a priority that no other has.
        let further = extra.iter().filter(|(_, exists)| *exists).map(|(rule, _)| SecurityRule {
            index: rules.len(),
            priority: Setting::Known(rule.priority.known().copied().unwrap_or(0) + 5),
            ..rule.clone()
        });
        let revealed = SecurityGroup {
            identity: "group".into(),
            rules: revealed.chain(further).collect(),
            more_rules: None,
        };

        let before_layers = Layers {
            subnet: match attached {
                None => Layer::Group(&shown),
                Some(_) => Layer::Maybe(&shown, Cause::new("attached")),
            },
            nic: Layer::Absent,
        };
        let before = evaluate(&flow, &before_layers, &network).unwrap();
        // A service's addresses lie outside the network's own.
        let space = network.address_space.clone();
        let private = AddressSet::parse("10.0.0.0/8").unwrap();
        network.known_tags.insert("Storage".into(), storage.subtract(&space).subtract(&private));
        let is_attached = attached.unwrap_or(true);
        let layers = Layers { subnet: if is_attached { Layer::Group(&revealed) } else { Layer::Absent }, nic: Layer::Absent };
        let after = evaluate(&flow, &layers, &network).unwrap();
        prop_assert!(after.possibly_blocked.is_empty() && after.verdict != Verdict::Undecided, "all is known: {:?}", after);

        match before.verdict {
            Verdict::Allowed => prop_assert_eq!(after.verdict, Verdict::Allowed),
            Verdict::Blocked => prop_assert_eq!(after.verdict, Verdict::Blocked),
            Verdict::PartlyBlocked => prop_assert_ne!(after.verdict, Verdict::Allowed),
            Verdict::Undecided => prop_assert!(!before.causes.is_empty()),
        }
        let died = after.blocked_packets();
        prop_assert!(subset(&before.blocked_packets(), &died), "{} but {}", before.blocked_packets(), died);
        let possible = before.possibly_blocked.iter().map(|d| d.packets.without(|_| true));
        let may_die = possible.fold(before.blocked_packets(), PacketSet::union);
        prop_assert!(subset(&died, &may_die), "{} beyond {}", died, may_die);
        prop_assert!(before.blocked_ports.is_subset(&after.blocked_ports));

        for (i, j, tcp, port) in probes {
            let pick = |set: &AddressSet, n: u32| {
                let (start, end) = set.v4().ranges()[0];
                IpAddr::V4(Ipv4Addr::from_bits(start + n % (end - start + 1)))
            };
            let protocol = if tcp { Protocol::Tcp } else { Protocol::Udp };
            if !flow.protocols.contains(protocol) || !ports.contains(port) {
                continue;
            }
            let (source, destination) = (pick(&from, i), pick(&to, j));
            let expected = !is_attached || passes(&revealed, &flow, (source, destination, protocol, port), &network);
            let packet = PacketSet::builder()
                .source(AddressSet::single(source))
                .destination(AddressSet::single(destination))
                .protocols(ProtocolSet::single(protocol))
                .destination_ports(PortSet::single(port))
                .build();
            prop_assert_eq!(!subset(&packet, &died), expected, "{}", packet);
        }
    }
}
