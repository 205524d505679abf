//! How often a block is repeated: `count` and `for_each`.

use std::sync::Arc;

use ecow::EcoString;

use super::evaluator::Evaluator;
use super::limits::MAX_REPETITIONS;
use super::scope::{InstanceKey, Repetition, Scope};
use super::syntax::ast::{Block, Body};
use super::traversal::unknown_from;
use crate::source::Span;
use crate::value::{Entry, SequenceKind, Unknown, Value, ValueKind};

/// How often a block is repeated.
pub(super) enum Repetitions {
    /// No `count`, no `for_each`.
    Once,
    /// This often, with these keys. `Some` for an instance of which it is not known whether it is there.
    Known(Vec<(Repetition, Option<Arc<Unknown>>)>),
    /// It is not known, and why; what `each` and `count` mean in any of them.
    Unknown(Arc<Unknown>, Repetition),
    /// Instances that are known, and there may be more.
    Open(Vec<(Repetition, Option<Arc<Unknown>>)>, Arc<Unknown>, Repetition),
}

/// What the instances of a block are together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Single,
    List,
    Map,
}

impl Shape {
    /// The shape that a block's arguments give it.
    pub fn of(body: &Body) -> Shape {
        if body.attribute("count").is_some() {
            Shape::List
        } else if body.attribute("for_each").is_some() {
            Shape::Map
        } else {
            Shape::Single
        }
    }
}

/// A known key of the kind that a list or a map of instances has.
pub(super) fn instance_key(key: &Value, shape: Shape) -> Option<InstanceKey> {
    match shape {
        Shape::List => match &key.kind {
            ValueKind::Number(number) => number.as_i64().map(InstanceKey::Index),
            ValueKind::String(text) => text.parse().ok().map(InstanceKey::Index),
            _ => None,
        },
        Shape::Map | Shape::Single => super::traversal::key_name(key).map(InstanceKey::Name),
    }
}

impl Evaluator<'_> {
    /// The repetitions of a block with `count` or `for_each`.
    pub(super) fn repetitions(&self, block: &Block, what: &str, scope: &Scope) -> Repetitions {
        if let Some(count) = block.body.attribute("count") {
            let value = self.evaluate(&count.value, scope);
            return self.count(&value, what, count.value.span);
        }
        if let Some(for_each) = block.body.attribute("for_each") {
            let value = self.evaluate(&for_each.value, scope);
            return self.for_each(&value, what, for_each.value.span);
        }
        Repetitions::Once
    }

    fn count(&self, value: &Value, what: &str, span: Span) -> Repetitions {
        let unknown = |why: Arc<Unknown>| {
            let index = unknown_from(&why, span);
            Repetitions::Unknown(why, Repetition { index: Some(index), ..Repetition::default() })
        };
        if let Some(why) = value.first_unknown() {
            return unknown(why);
        }
        let number = match &value.kind {
            ValueKind::Number(number) => number.as_i64(),
            ValueKind::String(text) => crate::value::Number::parse(text).and_then(|number| number.as_i64()),
            _ => None,
        };
        let count = match number {
            Some(number) if number >= 0 => number as u64,
            _ => {
                let message = format!("the `count` of {what} must be a whole number, zero or more");
                let failed = self.fail(span, message);
                return failed.first_unknown().map_or(Repetitions::Once, unknown);
            }
        };
        if count > MAX_REPETITIONS as u64 {
            let message =
                format!("{what} has {count} instances; at most {MAX_REPETITIONS} are looked at one by one");
            let limit = self.limit(span, &message);
            return limit.first_unknown().map_or(Repetitions::Once, unknown);
        }
        let instances = (0..count as i64).map(|index| {
            let repetition = Repetition {
                key: Some(InstanceKey::Index(index)),
                index: Some(Value::number(index, span).marked(value.sensitive)),
                each: None,
            };
            (repetition, None)
        });
        Repetitions::Known(instances.collect())
    }

    fn for_each(&self, value: &Value, what: &str, span: Span) -> Repetitions {
        let unknown = |why: Arc<Unknown>| {
            let each = (unknown_from(&why, span), unknown_from(&why, span));
            (why, Repetition { each: Some(each), ..Repetition::default() })
        };
        let failed = |message: String| {
            let failed = self.fail(span, message);
            match failed.first_unknown() {
                Some(cause) => {
                    let (cause, repetition) = unknown(cause);
                    Repetitions::Unknown(cause, repetition)
                }
                None => Repetitions::Once,
            }
        };
        let instance = |name: &EcoString, key: Value, value: Value| Repetition {
            key: Some(InstanceKey::Name(name.clone())),
            each: Some((key, value)),
            index: None,
        };
        let mut instances = Vec::new();
        let mut open: Option<(Arc<Unknown>, Repetition)> = None;
        match &value.kind {
            ValueKind::Mapping(mapping) => {
                let mut entries: Vec<(&EcoString, &Entry)> = mapping.entries.iter().collect();
                entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
                for (name, entry) in entries {
                    let uncertain = entry.value.uncertainty();
                    let element = entry.value.clone().certain().marked(value.sensitive);
                    instances
                        .push((instance(name, Value::string(name.clone(), entry.span), element), uncertain));
                }
                open = mapping.rest.clone().map(unknown);
            }
            ValueKind::Sequence(sequence)
                if sequence.kind != SequenceKind::Set && !sequence.items.is_empty() =>
            {
                return failed(format!(
                    "the `for_each` of {what} must be a map or a set of strings, not a list"
                ));
            }
            ValueKind::Sequence(sequence) => {
                let mut items: Vec<&Value> = sequence.items.iter().collect();
                items.sort_by(|a, b| crate::value::compare_set_elements(a, b));
                for item in items {
                    let element = item.clone().certain().marked(value.sensitive);
                    match &item.kind {
                        ValueKind::String(name) => {
                            instances.push((instance(name, element.clone(), element), item.uncertainty()));
                        }
                        _ if item.is_unknown() || matches!(item.kind, ValueKind::Template(_)) => {
                            let each = Some((element.clone(), element));
                            let repetition = Repetition { each, ..Repetition::default() };
                            open = item.first_unknown().map(|cause| (cause, repetition));
                        }
                        _ => return failed(format!("the `for_each` of {what} must be a set of strings")),
                    }
                }
            }
            _ => match value.first_unknown() {
                Some(cause) => open = Some(unknown(cause)),
                None => {
                    return failed(format!("the `for_each` of {what} must be a map or a set of strings"));
                }
            },
        }
        if instances.len() > MAX_REPETITIONS {
            let message = format!(
                "{what} has {} instances; at most {MAX_REPETITIONS} are looked at one by one",
                instances.len()
            );
            instances.clear();
            open = self.limit(span, &message).first_unknown().map(unknown);
        }
        match open {
            None => Repetitions::Known(instances),
            Some((why, repetition)) if instances.is_empty() => Repetitions::Unknown(why, repetition),
            Some((why, repetition)) => Repetitions::Open(instances, why, repetition),
        }
    }
}
