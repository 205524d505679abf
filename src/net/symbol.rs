//! Symbols: what is said about a packet without knowing the addresses behind it.
//!
//! A service tag stands for addresses that change weekly; a group of interfaces has members whose addresses are given out
//! later; a rule's field may be unknown. Each is a symbol that holds or does not hold for a packet's source, its
//! destination, or the packet itself. What is known of how symbols relate is supplied from outside, with each symbol.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ecow::EcoString;

/// What a symbol stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SymbolKind {
    /// A named set of addresses that exists, though its members are not listed here.
    Tag,
    /// A group of interfaces whose membership is not known for every address.
    Group,
    /// Something the input does not tell; it may turn out either way for each packet.
    Unknown,
}

/// One symbol. Copies are cheap; two with the same kind and name are the same.
#[derive(Clone)]
pub struct Symbol(Arc<Data>);

struct Data {
    kind: SymbolKind,
    name: EcoString,
    label: EcoString,
    inside: Vec<EcoString>,
    apart: Vec<EcoString>,
}

impl Symbol {
    /// A symbol that is its own label and of which no relation is known.
    pub fn new(kind: SymbolKind, name: impl Into<EcoString>) -> Self {
        let name = name.into();
        Self(Arc::new(Data { kind, label: name.clone(), name, inside: Vec::new(), apart: Vec::new() }))
    }

    /// The same with the names of the symbols of its kind that wholly contain it (all of them, not only the nearest).
    pub fn inside(self, outer: impl IntoIterator<Item = EcoString>) -> Self {
        let mut data = self.into_data();
        data.inside = outer.into_iter().collect();
        data.inside.sort_unstable();
        Self(Arc::new(data))
    }

    /// The same with the names of symbols, of any kind, that never hold together with it.
    pub fn apart_from(self, others: impl IntoIterator<Item = EcoString>) -> Self {
        let mut data = self.into_data();
        data.apart = others.into_iter().collect();
        data.apart.sort_unstable();
        Self(Arc::new(data))
    }

    /// The same with other words for a reader.
    pub fn labelled(self, label: impl Into<EcoString>) -> Self {
        let mut data = self.into_data();
        data.label = label.into();
        Self(Arc::new(data))
    }

    /// What it stands for.
    pub fn kind(&self) -> SymbolKind {
        self.0.kind
    }

    /// Its identity within its kind.
    pub fn name(&self) -> &EcoString {
        &self.0.name
    }

    /// What a reader sees.
    pub fn label(&self) -> &EcoString {
        &self.0.label
    }

    /// Whether everything for which `self` holds is known to have `other` hold as well.
    pub fn implies(&self, other: &Symbol) -> bool {
        self == other || (self.kind() == other.kind() && self.0.inside.binary_search(other.name()).is_ok())
    }

    /// Whether the two are known never to hold together.
    pub fn excludes(&self, other: &Symbol) -> bool {
        self.0.apart.binary_search(other.name()).is_ok() || other.0.apart.binary_search(self.name()).is_ok()
    }

    fn into_data(self) -> Data {
        Arc::try_unwrap(self.0).unwrap_or_else(|shared| Data {
            kind: shared.kind,
            name: shared.name.clone(),
            label: shared.label.clone(),
            inside: shared.inside.clone(),
            apart: shared.apart.clone(),
        })
    }
}

impl PartialEq for Symbol {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Symbol {}

impl PartialOrd for Symbol {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbol {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        (self.0.kind, &self.0.name).cmp(&(other.0.kind, &other.0.name))
    }
}

impl Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.kind.hash(state);
        self.0.name.hash(state);
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.0.kind, self.0.name)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Of what a symbol holds or does not hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// Of the packet's source.
    Source,
    /// Of the packet's destination.
    Destination,
    /// Of the packet as a whole.
    Packet,
}

/// A symbol that holds, or does not hold, of a subject.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Condition {
    /// Of what.
    pub subject: Subject,
    /// What.
    pub symbol: Symbol,
    /// Whether it holds.
    pub holds: bool,
}

impl Condition {
    /// A condition that a symbol holds.
    pub fn new(subject: Subject, symbol: Symbol) -> Self {
        Self { subject, symbol, holds: true }
    }

    /// The opposite.
    pub fn negated(&self) -> Self {
        Self { subject: self.subject, symbol: self.symbol.clone(), holds: !self.holds }
    }

    /// Whether no packet meets both.
    fn contradicts(&self, other: &Condition) -> bool {
        self.subject == other.subject
            && match (self.holds, other.holds) {
                (true, true) => self.symbol.excludes(&other.symbol),
                (true, false) => self.symbol.implies(&other.symbol),
                (false, true) => other.symbol.implies(&self.symbol),
                (false, false) => false,
            }
    }

    /// Whether every packet that meets it meets `other`.
    fn entails(&self, other: &Condition) -> bool {
        self.subject == other.subject
            && match (self.holds, other.holds) {
                (true, true) => self.symbol.implies(&other.symbol),
                (true, false) => self.symbol.excludes(&other.symbol),
                (false, false) => other.symbol.implies(&self.symbol),
                (false, true) => false,
            }
    }
}

/// Conditions that all have to be met; they never contradict each other in pairs, and none entails another.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Conditions(Vec<Condition>);

impl Conditions {
    /// None: every packet meets them.
    pub fn none() -> Self {
        Self::default()
    }

    /// The conditions, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Both these and one more; `None` if no packet meets all.
    pub fn with(&self, more: &Condition) -> Option<Self> {
        if self.0.iter().any(|known| known.contradicts(more)) {
            return None;
        }
        if self.0.iter().any(|known| known.entails(more)) {
            return Some(self.clone());
        }
        let mut all: Vec<Condition> = self.0.iter().filter(|known| !more.entails(known)).cloned().collect();
        let at = all.partition_point(|known| known < more);
        all.insert(at, more.clone());
        Some(Self(all))
    }

    /// Whether some packet may meet both these and others.
    pub fn agree(&self, others: &Conditions) -> bool {
        self.0.iter().all(|known| !others.iter().any(|other| known.contradicts(other)))
    }

    /// Both these and others; `None` if no packet meets all.
    pub fn and(&self, others: &Conditions) -> Option<Self> {
        if self.is_empty() {
            return Some(others.clone());
        }
        others.iter().try_fold(self.clone(), |all, more| all.with(more))
    }

    /// Whether every packet that meets these meets the other.
    pub fn entail(&self, other: &Condition) -> bool {
        self.0.iter().any(|known| known.entails(other))
    }

    /// Without the conditions on symbols of some kind.
    pub fn without(&self, drop: impl Fn(&Condition) -> bool) -> Self {
        Self(self.0.iter().filter(|c| !drop(c)).cloned().collect())
    }
}
