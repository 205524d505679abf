//! What keeps evaluation finite: how deep, how long, how much.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::value::{Mapping, Sequence, TemplatePart, Value, ValueKind};

/// How many evaluations may be under way inside each other.
pub(super) const MAX_DEPTH: u32 = 2_500;
/// How many expressions one root may evaluate: far beyond any real configuration, seconds for a hostile one.
pub(super) const MAX_STEPS: u64 = 40_000_000;
/// How many instances one `count` or `for_each` may have.
pub(super) const MAX_REPETITIONS: usize = 20_000;
/// How many module instances one root may have.
pub(super) const MAX_MODULES: usize = 50_000;
/// How many resource instances one root may have.
pub(super) const MAX_RESOURCES: usize = 400_000;
/// How many elements the evaluation of one named value may make on the way.
pub(super) const MAX_MADE: u64 = 1_000_000;
/// How long a text may be, in bytes.
pub(super) const MAX_TEXT: usize = 8 << 20;
/// Of how many known and unknown parts a text may consist.
pub(super) const MAX_TEXT_PARTS: usize = 100_000;
/// How many dependencies of all resources of one root are kept.
pub(super) const MAX_DEPENDENCIES: usize = 2_000_000;
/// How many nodes all stored values of one root may have together, shared parts counted once.
const MAX_STORED: u64 = 16_000_000;
/// How many nodes one stored value may have when it is written out.
const MAX_NODES: u64 = 2_000_000;
/// How deep one stored value may be.
const MAX_NESTING: u32 = 400;

/// How large values are when written out, where shared parts count each time they occur.
///
/// A dozen lines of `a = [b, b]` make a value that is small in memory and endless to walk over. Every value that
/// other expressions can name is weighed before it is stored; shared parts are weighed once.
#[derive(Default)]
pub(super) struct Scales {
    sequences: FxHashMap<usize, (Arc<Sequence>, Weight)>,
    mappings: FxHashMap<usize, (Arc<Mapping>, Weight)>,
    stored: u64,
}

#[derive(Clone, Copy)]
struct Weight {
    nodes: u64,
    nesting: u32,
}

impl Weight {
    fn of_parts(parts: impl Iterator<Item = Option<Weight>>) -> Option<Weight> {
        let mut whole = Weight { nodes: 1, nesting: 0 };
        for part in parts {
            let part = part?;
            whole.nodes += part.nodes;
            whole.nesting = whole.nesting.max(part.nesting + 1);
            if whole.nodes > MAX_NODES || whole.nesting > MAX_NESTING {
                return None;
            }
        }
        Some(whole)
    }
}

impl Scales {
    /// Whether a value is small enough to be stored.
    pub fn accept(&mut self, value: &Value) -> bool {
        self.stored <= MAX_STORED && self.weigh(value, 0).is_some()
    }

    fn weigh(&mut self, value: &Value, depth: u32) -> Option<Weight> {
        if depth > 2 * MAX_NESTING {
            return None;
        }
        match &value.kind {
            ValueKind::Sequence(sequence) => {
                let place = Arc::as_ptr(sequence) as usize;
                if let Some((_, weight)) = self.sequences.get(&place) {
                    return Some(*weight);
                }
                let weight = Weight::of_parts(sequence.items.iter().map(|item| self.weigh(item, depth + 1)))?;
                self.stored += sequence.items.len() as u64 + 1;
                // The value is kept alive, so that its place is not taken by another one.
                if let Entry::Vacant(free) = self.sequences.entry(place) {
                    free.insert((Arc::clone(sequence), weight));
                }
                Some(weight)
            }
            ValueKind::Mapping(mapping) => {
                let place = Arc::as_ptr(mapping) as usize;
                if let Some((_, weight)) = self.mappings.get(&place) {
                    return Some(*weight);
                }
                let entries = mapping.entries.values();
                let weight = Weight::of_parts(entries.map(|entry| self.weigh(&entry.value, depth + 1)))?;
                self.stored += mapping.entries.len() as u64 + 1;
                if let Entry::Vacant(free) = self.mappings.entry(place) {
                    free.insert((Arc::clone(mapping), weight));
                }
                Some(weight)
            }
            ValueKind::Template(parts) => {
                let fits = parts.len() <= MAX_TEXT_PARTS
                    && parts.iter().all(|part| match part {
                        TemplatePart::Literal(text) => text.len() <= MAX_TEXT,
                        TemplatePart::Value(_) => true,
                    });
                fits.then_some(Weight { nodes: parts.len() as u64 + 1, nesting: 1 })
            }
            ValueKind::String(text) if text.len() > MAX_TEXT => None,
            _ => Some(Weight { nodes: 1, nesting: 0 }),
        }
    }
}
