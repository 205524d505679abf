//! Every operation against a naive evaluator that looks at one packet at a time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::interval::IntervalSet;
use super::*;

/// A packet in which every symbol has been decided.
#[derive(Clone, Debug)]
struct Probe {
    source: IpAddr,
    destination: IpAddr,
    protocol: Protocol,
    source_port: u16,
    destination_port: u16,
    /// Which of the symbols hold, by subject.
    held: Vec<(Subject, usize)>,
}

/// `east` and `west` lie inside `whole`; `other` is apart from `whole`; `group` and `unknown` are of other kinds.
fn symbols() -> Vec<Symbol> {
    let whole = Symbol::new(SymbolKind::Tag, "whole");
    vec![
        Symbol::new(SymbolKind::Tag, "east").inside(["whole".into()]).apart_from(["other".into()]),
        Symbol::new(SymbolKind::Tag, "west").inside(["whole".into()]).apart_from(["other".into()]),
        whole,
        Symbol::new(SymbolKind::Tag, "other").apart_from(["whole".into()]),
        Symbol::new(SymbolKind::Group, "group"),
        Symbol::new(SymbolKind::Unknown, "unknown"),
    ]
}

/// Whether an assignment is one that the relations of [`symbols`] allow.
fn consistent(held: &[(Subject, usize)]) -> bool {
    let all = symbols();
    let holds = |subject, i| held.contains(&(subject, i));
    [Subject::Source, Subject::Destination, Subject::Packet].into_iter().all(|subject| {
        (0..all.len()).all(|i| {
            (0..all.len()).all(|j| {
                let (one, two) = (holds(subject, i), holds(subject, j));
                let broken = if two { all[i].excludes(&all[j]) } else { all[i].implies(&all[j]) };
                !(one && broken)
            })
        })
    })
}

fn box_contains(b: &PacketBox, probe: &Probe) -> bool {
    let all = symbols();
    let ports = !probe.protocol.has_ports()
        || (b.source_ports().contains(probe.source_port)
            && b.destination_ports().contains(probe.destination_port));
    b.source().contains(probe.source)
        && b.destination().contains(probe.destination)
        && b.protocols().contains(probe.protocol)
        && ports
        && b.conditions().iter().all(|c| {
            let held = probe.held.iter().any(|(subject, i)| *subject == c.subject && all[*i] == c.symbol);
            held == c.holds
        })
}

fn contains(set: &PacketSet, probe: &Probe) -> bool {
    set.boxes().iter().any(|b| box_contains(b, probe))
}

/// Few distinct values, so that sets meet often.
fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0u8..16).prop_map(|n| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n))),
        (0u16..8).prop_map(|n| IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, n))),
        Just(IpAddr::V4(Ipv4Addr::new(255, 255, 255, 255))),
    ]
}

fn addresses() -> impl Strategy<Value = AddressSet> {
    let range = (address(), address()).prop_map(|(a, b)| AddressSet::range(a, b));
    let some = prop::collection::vec(range, 0..4)
        .prop_map(|sets| sets.iter().fold(AddressSet::empty(), |all, set| all.union(set)));
    prop_oneof![
        1 => Just(AddressSet::full()),
        1 => Just(AddressSet::all_v4()),
        3 => (some, any::<bool>()).prop_map(|(s, flip)| if flip { s.complement() } else { s })
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0u16..8, Just(65_535)]
}

fn ports() -> impl Strategy<Value = PortSet> {
    let some = prop::collection::vec((port(), port()), 1..3)
        .prop_map(|ranges| ranges.into_iter().map(|(a, b)| PortSet::range(a.min(b), a.max(b))).collect());
    prop_oneof![2 => Just(PortSet::full()), 3 => some]
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop::sample::select(Protocol::ALL.to_vec())
}

fn protocols() -> impl Strategy<Value = ProtocolSet> {
    prop_oneof![
        Just(ProtocolSet::FULL),
        prop::collection::vec(protocol(), 0..4).prop_map(|all| all
            .into_iter()
            .fold(ProtocolSet::EMPTY, |set, p| set.union(ProtocolSet::single(p))))
    ]
}

fn subject() -> impl Strategy<Value = Subject> {
    prop::sample::select(vec![Subject::Source, Subject::Destination, Subject::Packet])
}

fn conditions() -> impl Strategy<Value = Conditions> {
    prop::collection::vec((subject(), 0..symbols().len(), any::<bool>()), 0..3).prop_map(|all| {
        let mut made = Conditions::none();
        for (subject, i, holds) in all {
            let condition = Condition { subject, symbol: symbols()[i].clone(), holds };
            made = made.with(&condition).unwrap_or(made);
        }
        made
    })
}

fn packets() -> impl Strategy<Value = PacketSet> {
    let one = (addresses(), addresses(), protocols(), ports(), ports(), conditions()).prop_map(
        |(source, destination, protocols, source_ports, destination_ports, conditions)| {
            PacketSet::builder()
                .source(source)
                .destination(destination)
                .protocols(protocols)
                .source_ports(source_ports)
                .destination_ports(destination_ports)
                .conditions(conditions)
                .build()
        },
    );
    prop::collection::vec(one, 0..4)
        .prop_map(|sets| sets.into_iter().fold(PacketSet::empty(), PacketSet::union))
}

fn probe() -> impl Strategy<Value = Probe> {
    let held = prop::collection::btree_set((subject(), 0..symbols().len()), 0..5);
    (address(), address(), protocol(), port(), port(), held)
        .prop_map(|(source, destination, protocol, source_port, destination_port, held)| {
            let mut held: Vec<(Subject, usize)> = held.into_iter().collect();
            // Closed under containment; what then contradicts itself is dropped.
            for (subject, i) in held.clone() {
                if symbols()[i].implies(&symbols()[2]) && !held.contains(&(subject, 2)) {
                    held.push((subject, 2));
                }
            }
            if !consistent(&held) {
                held.clear();
            }
            Probe { source, destination, protocol, source_port, destination_port, held }
        })
        .prop_filter("a packet has one family", |p| p.source.is_ipv4() == p.destination.is_ipv4())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn intervals_agree_with_single_numbers(
        a in prop::collection::vec((0u16..40, 0u16..40), 0..6),
        b in prop::collection::vec((0u16..40, 0u16..40), 0..6),
        whole in any::<bool>(),
    ) {
        let mut a = IntervalSet::from_ranges(a);
        let b = IntervalSet::from_ranges(b);
        if whole { a = a.complement(); }
        let (union, common, rest) = (a.union(&b), a.intersect(&b), a.subtract(&b));
        for n in (0..45).chain([u16::MAX - 1, u16::MAX]) {
            prop_assert_eq!(union.contains(n), a.contains(n) || b.contains(n));
            prop_assert_eq!(common.contains(n), a.contains(n) && b.contains(n));
            prop_assert_eq!(rest.contains(n), a.contains(n) && !b.contains(n));
            prop_assert_eq!(a.complement().contains(n), !a.contains(n));
        }
        prop_assert_eq!(a.intersects(&b), !common.is_empty());
        prop_assert_eq!(a.is_subset(&b), rest.is_empty());
        prop_assert_eq!(union.count(), common.count() + rest.count() + b.subtract(&a).count());
        prop_assert_eq!(a.intersects(&b), !common.is_empty());
        prop_assert_eq!(a.is_subset(&b), rest.is_empty());
        prop_assert_eq!(IntervalSet::from_ranges(union.ranges().iter().copied()), union);
    }

    #[test]
    fn prefixes_rebuild_their_set(set in addresses()) {
        prop_assert_eq!(AddressSet::from_prefixes(set.prefixes()), set);
    }

    #[test]
    fn packet_sets_agree_with_single_packets(a in packets(), b in packets(), probes in prop::collection::vec(probe(), 40)) {
        let budget = &mut Budget::default();
        let common = a.intersect(&b, budget).unwrap();
        let mut rest = a.clone();
        let also_common = rest.take(&b, budget).unwrap();
        let simple = a.simplified();
        for p in &probes {
            prop_assert_eq!(contains(&common, p), contains(&a, p) && contains(&b, p), "intersection, {:?}", p);
            prop_assert_eq!(contains(&also_common, p), contains(&common, p), "common part, {:?}", p);
            prop_assert_eq!(contains(&rest, p), contains(&a, p) && !contains(&b, p), "difference, {:?}", p);
            prop_assert_eq!(contains(&simple, p), contains(&a, p), "simplified, {:?}", p);
            if contains(&a, p) {
                prop_assert!(contains(&a.without_unknowns(), p), "without unknowns, {:?}", p);
            }
        }
        prop_assert!(a.subtract(&a, budget).unwrap().is_empty());
        prop_assert!(common.is_subset(&a, budget).unwrap() && common.is_subset(&b, budget).unwrap());
    }

    #[test]
    fn witnesses_are_members(a in packets()) {
        let witness = a.witness();
        prop_assert_eq!(witness.is_none(), a.is_empty());
        if let Some(packet) = witness {
            prop_assert!(a.boxes().iter().any(|b| b.contains_address_part(&packet)), "{}", packet);
            if let (Some(from), Some(to)) = (packet.source.address, packet.destination.address) {
                prop_assert_eq!(from.is_ipv4(), to.is_ipv4());
            }
            prop_assert_eq!(packet.destination_port.is_some(), packet.protocol.has_ports());
        }
    }
}

#[test]
fn a_budget_ends_in_an_answer() {
    // A grid of single addresses and ports, each subtraction of which leaves several boxes.
    let mut all = PacketSet::full();
    let mut budget = Budget::new(50, 1_000_000);
    let outcome = (0..100u8).try_for_each(|n| {
        let hole = PacketSet::builder()
            .source(AddressSet::single(IpAddr::V4(Ipv4Addr::new(10, 0, 0, n))))
            .destination(AddressSet::single(IpAddr::V4(Ipv4Addr::new(10, 0, 1, n))))
            .destination_ports(PortSet::single(u16::from(n)))
            .build();
        all = all.subtract(&hole, &mut budget)?;
        Ok(())
    });
    assert_eq!(outcome, Err(TooComplex));
}

#[test]
fn sets_show_compactly() {
    let tag = Symbol::new(SymbolKind::Tag, "Storage");
    let to_tag = PacketSet::builder()
        .source(AddressSet::parse("10.0.7.0/28").unwrap())
        .protocols(ProtocolSet::single(Protocol::Tcp))
        .destination_ports(PortSet::single(443))
        .conditions(Conditions::none().with(&Condition::new(Subject::Destination, tag)).unwrap())
        .build();
    assert_eq!(to_tag.to_string(), "Tcp 10.0.7.0/28 -> Storage, port 443");
    assert_eq!(to_tag.witness().unwrap().to_string(), "Tcp 10.0.7.4:50000 -> Storage:443");
    let except = to_tag.with(&Condition {
        subject: Subject::Destination,
        symbol: Symbol::new(SymbolKind::Tag, "Storage.WestEurope").inside(["Storage".into()]),
        holds: false,
    });
    assert_eq!(except.to_string(), "Tcp 10.0.7.0/28 -> Storage except Storage.WestEurope, port 443");
    let assumed = to_tag
        .with(&Condition::new(Subject::Packet, Symbol::new(SymbolKind::Unknown, "var.extra has a value")));
    assert_eq!(assumed.to_string(), "Tcp 10.0.7.0/28 -> Storage, port 443, if (var.extra has a value)");
    assert_eq!(PacketSet::empty().to_string(), "nothing");
    assert_eq!(PacketSet::full().to_string(), "any protocol any -> any");
}

#[test]
fn ports_leave_out_protocols_without_them() {
    let set = PacketSet::builder().destination_ports(PortSet::single(443)).build();
    assert_eq!(set.to_string(), "Tcp, Udp any -> any, port 443");
    let rest = PacketSet::full().subtract(&set, &mut Budget::default()).unwrap();
    let ping = PacketSet::builder().protocols(ProtocolSet::single(Protocol::Icmp)).build();
    assert!(ping.is_subset(&rest, &mut Budget::default()).unwrap());
}
