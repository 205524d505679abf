//! Sets of packets: unions of boxes over source, destination, protocol and ports, with conditions on symbols.

use super::address::AddressSet;
use super::port::PortSet;
use super::protocol::ProtocolSet;
use super::show::Packet;
use super::symbol::{Condition, Conditions, Symbol, SymbolKind};

/// How much work an evaluation may do before it answers [`TooComplex`]. Counts are the same on every machine.
#[derive(Clone, Debug)]
pub struct Budget {
    boxes: usize,
    steps: u64,
}

impl Budget {
    /// At most so many boxes in one set, and so many comparisons of two boxes in all.
    pub fn new(boxes: usize, steps: u64) -> Self {
        Self { boxes, steps }
    }

    fn spend(&mut self, steps: usize) -> Result<(), TooComplex> {
        self.steps = self.steps.checked_sub(steps as u64).ok_or(TooComplex)?;
        Ok(())
    }

    fn check(&self, boxes: usize) -> Result<(), TooComplex> {
        if boxes > self.boxes { Err(TooComplex) } else { Ok(()) }
    }
}

impl Default for Budget {
    /// 20,000 boxes and 4 million comparisons: about a second at the very worst, milliseconds for rules people write.
    fn default() -> Self {
        Self::new(20_000, 4_000_000)
    }
}

/// The question takes more boxes or steps than its [`Budget`] allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("too complex to evaluate exactly")]
pub struct TooComplex;

/// A non-empty box of packets. A packet without ports lies in it whatever the port sets are, so they are full wherever a
/// protocol without ports is in the box.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PacketBox {
    source: AddressSet,
    destination: AddressSet,
    protocols: ProtocolSet,
    source_ports: PortSet,
    destination_ports: PortSet,
    conditions: Conditions,
}

impl PacketBox {
    /// Every packet.
    pub fn full() -> Self {
        Self {
            source: AddressSet::full(),
            destination: AddressSet::full(),
            protocols: ProtocolSet::FULL,
            source_ports: PortSet::full(),
            destination_ports: PortSet::full(),
            conditions: Conditions::none(),
        }
    }

    /// Where its packets come from.
    pub fn source(&self) -> &AddressSet {
        &self.source
    }

    /// Where they go.
    pub fn destination(&self) -> &AddressSet {
        &self.destination
    }

    /// Their protocols.
    pub fn protocols(&self) -> ProtocolSet {
        self.protocols
    }

    /// Their source ports; full for protocols without ports.
    pub fn source_ports(&self) -> &PortSet {
        &self.source_ports
    }

    /// Their destination ports; full for protocols without ports.
    pub fn destination_ports(&self) -> &PortSet {
        &self.destination_ports
    }

    /// What else has to hold.
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// Its packets that also meet a condition.
    pub fn with(&self, condition: &Condition) -> Option<Self> {
        Some(Self { conditions: self.conditions.with(condition)?, ..self.clone() })
    }

    /// Whether there are packets in both.
    fn meets(&self, other: &Self) -> bool {
        let (a, b) = ((&self.source, &self.destination), (&other.source, &other.destination));
        // Both ends of a packet are of one family.
        let addresses = (a.0.v4().intersects(b.0.v4()) && a.1.v4().intersects(b.1.v4()))
            || (a.0.v6().intersects(b.0.v6()) && a.1.v6().intersects(b.1.v6()));
        addresses
            && !self.protocols.intersect(other.protocols).is_empty()
            && self.source_ports.intersects(&other.source_ports)
            && self.destination_ports.intersects(&other.destination_ports)
            && self.conditions.agree(&other.conditions)
    }

    /// The packets in both.
    fn intersect(&self, other: &Self) -> Option<Self> {
        if !self.meets(other) {
            return None;
        }
        let conditions = self.conditions.and(&other.conditions)?;
        let (source, destination) =
            one_family(self.source.intersect(&other.source), self.destination.intersect(&other.destination))?;
        Some(Self {
            source,
            destination,
            protocols: self.protocols.intersect(other.protocols),
            source_ports: self.source_ports.intersect(&other.source_ports),
            destination_ports: self.destination_ports.intersect(&other.destination_ports),
            conditions,
        })
    }

    /// Adds to `rest` the packets of `self` that are not in `other`, as disjoint boxes. Returns those in both.
    fn split(self, other: &Self, rest: &mut Vec<Self>) -> Option<Self> {
        let Some(common) = self.intersect(other) else {
            rest.push(self);
            return None;
        };
        let mut current = self;
        let protocols = current.protocols.subtract(other.protocols);
        if !protocols.is_empty() {
            rest.push(Self { protocols, ..current.clone() });
            current.protocols = common.protocols;
        }
        let ports = current.destination_ports.subtract(&other.destination_ports);
        if !ports.is_empty() {
            rest.push(Self { destination_ports: ports, ..current.clone() });
            current.destination_ports = common.destination_ports.clone();
        }
        let ports = current.source_ports.subtract(&other.source_ports);
        if !ports.is_empty() {
            rest.push(Self { source_ports: ports, ..current.clone() });
            current.source_ports = common.source_ports.clone();
        }
        let outside = current.destination.subtract(&other.destination);
        if let Some((source, destination)) = one_family(current.source.clone(), outside) {
            rest.push(Self { source, destination, ..current.clone() });
        }
        current.destination = current.destination.intersect(&other.destination);
        let outside = current.source.subtract(&other.source);
        if let Some((source, destination)) = one_family(outside, current.destination.clone()) {
            rest.push(Self { source, destination, ..current.clone() });
        }
        current.source = common.source.clone();
        current.destination = common.destination.clone();
        for condition in other.conditions.iter() {
            rest.extend(current.with(&condition.negated()));
            match current.with(condition) {
                Some(narrower) => current = narrower,
                // Cannot be: the intersection above is not empty. Nothing more is common then.
                None => return Some(common),
            }
        }
        Some(common)
    }

    /// Whether a packet of its own (without symbols) lies in it, conditions aside.
    pub fn contains_address_part(&self, packet: &Packet) -> bool {
        packet.source.address.is_none_or(|a| self.source.contains(a))
            && packet.destination.address.is_none_or(|a| self.destination.contains(a))
            && self.protocols.contains(packet.protocol)
            && packet.source_port.is_none_or(|p| self.source_ports.contains(p))
            && packet.destination_port.is_none_or(|p| self.destination_ports.contains(p))
    }
}

/// Both sides without the families that the other side lacks; `None` if nothing is left: no packet goes from one address
/// family to the other.
fn one_family(source: AddressSet, destination: AddressSet) -> Option<(AddressSet, AddressSet)> {
    let narrowed_source = source.limited_to_families_of(&destination);
    if narrowed_source.is_empty() {
        return None;
    }
    let narrowed_destination = destination.limited_to_families_of(&narrowed_source);
    Some((narrowed_source, narrowed_destination))
}

/// Makes [`PacketSet`]s: starts with every packet, and is narrowed.
#[derive(Clone, Debug)]
pub struct PacketBoxBuilder(PacketBox);

impl Default for PacketBoxBuilder {
    fn default() -> Self {
        Self(PacketBox::full())
    }
}

impl PacketBoxBuilder {
    /// From these addresses only.
    pub fn source(mut self, addresses: AddressSet) -> Self {
        self.0.source = addresses;
        self
    }

    /// To these addresses only.
    pub fn destination(mut self, addresses: AddressSet) -> Self {
        self.0.destination = addresses;
        self
    }

    /// With these protocols only.
    pub fn protocols(mut self, protocols: ProtocolSet) -> Self {
        self.0.protocols = protocols;
        self
    }

    /// From these ports only. Unless all, this leaves out protocols without ports.
    pub fn source_ports(mut self, ports: PortSet) -> Self {
        self.0.source_ports = ports;
        self
    }

    /// To these ports only. Unless all, this leaves out protocols without ports.
    pub fn destination_ports(mut self, ports: PortSet) -> Self {
        self.0.destination_ports = ports;
        self
    }

    /// Where these conditions hold only.
    pub fn conditions(mut self, conditions: Conditions) -> Self {
        self.0.conditions = conditions;
        self
    }

    /// The box as a set; empty if any dimension is.
    pub fn build(self) -> PacketSet {
        let mut made = self.0;
        if !made.source_ports.is_full() || !made.destination_ports.is_full() {
            made.protocols = made.protocols.intersect(ProtocolSet::WITH_PORTS);
        }
        if made.protocols.is_empty() || made.source_ports.is_empty() || made.destination_ports.is_empty() {
            return PacketSet::empty();
        }
        match one_family(made.source, made.destination) {
            None => PacketSet::empty(),
            Some((source, destination)) => {
                PacketSet { boxes: vec![PacketBox { source, destination, ..made }] }
            }
        }
    }
}

/// A set of packets: the union of boxes, which may overlap.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PacketSet {
    boxes: Vec<PacketBox>,
}

impl PacketSet {
    /// No packet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every packet.
    pub fn full() -> Self {
        Self { boxes: vec![PacketBox::full()] }
    }

    /// Starts a box: every packet, to be narrowed.
    pub fn builder() -> PacketBoxBuilder {
        PacketBoxBuilder::default()
    }

    /// The union of boxes.
    pub fn from_boxes(boxes: Vec<PacketBox>) -> Self {
        Self { boxes }
    }

    /// The boxes.
    pub fn boxes(&self) -> &[PacketBox] {
        &self.boxes
    }

    /// Whether there is no packet in it, whatever symbols stand for.
    pub fn is_empty(&self) -> bool {
        self.boxes.is_empty()
    }

    /// Whether some packet is in both, for some meaning of the symbols.
    pub fn meets(&self, other: &PacketSet) -> bool {
        self.boxes.iter().any(|a| other.boxes.iter().any(|b| a.meets(b)))
    }

    /// What is in either.
    pub fn union(mut self, other: PacketSet) -> Self {
        self.boxes.extend(other.boxes);
        self
    }

    /// What is in both.
    ///
    /// # Errors
    /// [`TooComplex`] when the budget is used up.
    pub fn intersect(&self, other: &PacketSet, budget: &mut Budget) -> Result<Self, TooComplex> {
        let mut boxes = Vec::new();
        for a in &self.boxes {
            budget.spend(other.boxes.len())?;
            boxes.extend(other.boxes.iter().filter_map(|b| a.intersect(b)));
            budget.check(boxes.len())?;
        }
        Ok(Self { boxes })
    }

    /// What is in `self` but not in `other`.
    ///
    /// # Errors
    /// [`TooComplex`] when the budget is used up.
    pub fn subtract(&self, other: &PacketSet, budget: &mut Budget) -> Result<Self, TooComplex> {
        let mut rest = self.clone();
        rest.take(other, budget)?;
        Ok(rest)
    }

    /// Takes out what is in `other` too, and returns it. After an error nothing is certain of what is left.
    ///
    /// # Errors
    /// [`TooComplex`] when the budget is used up.
    pub fn take(&mut self, other: &PacketSet, budget: &mut Budget) -> Result<Self, TooComplex> {
        let mut common = Vec::new();
        for b in &other.boxes {
            budget.spend(self.boxes.len())?;
            if !self.boxes.iter().any(|a| a.meets(b)) {
                continue;
            }
            let mut left = Vec::with_capacity(self.boxes.len());
            for a in self.boxes.drain(..) {
                common.extend(a.split(b, &mut left));
                budget.check(left.len().max(common.len()))?;
            }
            self.boxes = left;
        }
        Ok(Self { boxes: common })
    }

    /// Whether all of it is in `other`.
    ///
    /// # Errors
    /// [`TooComplex`] when the budget is used up.
    pub fn is_subset(&self, other: &PacketSet, budget: &mut Budget) -> Result<bool, TooComplex> {
        Ok(self.subtract(other, budget)?.is_empty())
    }

    /// The packets that also meet a condition.
    pub fn with(&self, condition: &Condition) -> Self {
        Self { boxes: self.boxes.iter().filter_map(|b| b.with(condition)).collect() }
    }

    /// The packets that have a destination port, and one of these.
    pub fn limited_to_ports(&self, ports: &PortSet) -> Self {
        let limited = |b: &PacketBox| {
            let protocols = b.protocols.intersect(ProtocolSet::WITH_PORTS);
            let destination_ports = b.destination_ports.intersect(ports);
            let made = PacketBox { protocols, destination_ports, ..b.clone() };
            (!made.protocols.is_empty() && !made.destination_ports.is_empty()).then_some(made)
        };
        Self { boxes: self.boxes.iter().filter_map(limited).collect() }
    }

    /// The packets that would be in the set for *some* meaning of the symbols of kind [`SymbolKind::Unknown`].
    pub fn without_unknowns(&self) -> Self {
        self.without(|c| c.symbol.kind() == SymbolKind::Unknown)
    }

    /// The packets that would be in the set if the conditions that `drop` picks were met.
    pub fn without(&self, drop: impl Fn(&Condition) -> bool) -> Self {
        let boxes = self.boxes.iter();
        Self {
            boxes: boxes
                .map(|b| PacketBox { conditions: b.conditions.without(&drop), ..b.clone() })
                .collect(),
        }
    }

    /// The symbols that occur in conditions, sorted, each once.
    pub fn symbols(&self) -> Vec<Symbol> {
        let conditions = self.boxes.iter().flat_map(|b| b.conditions.iter());
        let mut all: Vec<Symbol> = conditions.map(|c| c.symbol.clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// All destination ports of its packets that have ports.
    pub fn destination_ports(&self) -> PortSet {
        let with_ports =
            self.boxes.iter().filter(|b| !b.protocols.intersect(ProtocolSet::WITH_PORTS).is_empty());
        with_ports.map(|b| b.destination_ports.clone()).collect()
    }

    /// One packet of it; `None` if it is empty.
    pub fn witness(&self) -> Option<Packet> {
        self.boxes.iter().min_by_key(|b| b.conditions.iter().count()).map(PacketBox::example)
    }

    /// The same set with fewer boxes where two differ in one dimension only, in a fixed order.
    pub fn simplified(&self) -> Self {
        /// Sets larger than this are left as they are: nobody reads them, and the comparison is quadratic.
        const WORTH_IT: usize = 200;
        let mut boxes = self.boxes.clone();
        boxes.sort_unstable();
        boxes.dedup();
        if boxes.len() > WORTH_IT {
            return Self { boxes };
        }
        while let Some((i, j, merged)) = mergeable(&boxes) {
            boxes.remove(j);
            boxes[i] = merged; // i is below j, so it is still there
        }
        boxes.sort_unstable();
        Self { boxes }
    }
}

/// Two boxes that make one, with their places (the first below the second).
fn mergeable(boxes: &[PacketBox]) -> Option<(usize, usize, PacketBox)> {
    boxes.iter().enumerate().find_map(|(i, a)| {
        let later = boxes.iter().enumerate().skip(i + 1);
        later.into_iter().find_map(|(j, b)| merge(a, b).map(|merged| (i, j, merged)))
    })
}

/// The union of two boxes if it is a box.
fn merge(a: &PacketBox, b: &PacketBox) -> Option<PacketBox> {
    let same = [
        a.source == b.source,
        a.destination == b.destination,
        a.protocols == b.protocols,
        a.source_ports == b.source_ports,
        a.destination_ports == b.destination_ports,
        a.conditions == b.conditions,
    ];
    match same {
        [_, true, true, true, true, true] if same_families(&a.source, &b.source) => {
            Some(PacketBox { source: a.source.union(&b.source), ..a.clone() })
        }
        [true, _, true, true, true, true] if same_families(&a.destination, &b.destination) => {
            Some(PacketBox { destination: a.destination.union(&b.destination), ..a.clone() })
        }
        [true, true, false, true, true, true] => {
            Some(PacketBox { protocols: a.protocols.union(b.protocols), ..a.clone() })
        }
        [true, true, true, false, true, true] => {
            Some(PacketBox { source_ports: a.source_ports.union(&b.source_ports), ..a.clone() })
        }
        [true, true, true, true, false, true] => Some(PacketBox {
            destination_ports: a.destination_ports.union(&b.destination_ports),
            ..a.clone()
        }),
        _ => None,
    }
}

/// A union of one side must not pair a family with addresses of the other side that it had not.
fn same_families(a: &AddressSet, b: &AddressSet) -> bool {
    a.v4().is_empty() == b.v4().is_empty() && a.v6().is_empty() == b.v6().is_empty()
}
