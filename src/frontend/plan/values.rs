//! From a plan's JSON to values: what is known, what is unknown until apply and refers to what, what is sensitive.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};

use ecow::EcoString;
use serde_json::Value as Json;

use crate::source::Span;
use crate::value::{Cause, Entry, MappingKind, Number, ResourceKey, SequenceKind, Step, Value, ValueKind};

use super::expression::Expression;
use super::references::{References, Scope, Target};

/// Names of arguments, each held once however many resources have it.
#[derive(Default)]
pub(super) struct Names(RefCell<HashSet<EcoString>>);

/// Shorter texts take no memory of their own.
const INLINE: usize = 15;

impl Names {
    fn get(&self, name: &str) -> EcoString {
        if name.len() <= INLINE {
            return name.into();
        }
        let mut known = self.0.borrow_mut();
        if let Some(known) = known.get(name) {
            return known.clone();
        }
        let name = EcoString::from(name);
        known.insert(name.clone());
        name
    }
}

/// Turns one resource's JSON into a body.
pub(super) struct Converter<'c, 'd, 'a> {
    pub names: &'c Names,
    pub references: &'c References<'d, 'a>,
    pub scope: Option<Scope<'c, 'd, 'a>>,
    pub root: u32,
    /// The resource's address, for the causes of unknowns.
    pub address: &'c str,
}

const FALSE: &Json = &Json::Bool(false);

impl Converter<'_, '_, '_> {
    /// The body of a resource: its arguments, without what only the provider computes.
    pub fn body(
        &self,
        after: &Json,
        unknown: &Json,
        sensitive: &Json,
        expressions: Option<&Expression>,
    ) -> Value {
        let mut entries: Vec<(EcoString, Entry)> = Vec::new();
        let empty = serde_json::Map::new();
        let known = after.as_object().unwrap_or(&empty);
        for (name, value) in known {
            let part = self.value(
                value,
                at(unknown, name),
                at(sensitive, name),
                expressions.and_then(|e| e.get(name)),
                name,
            );
            entries.push((self.names.get(name), Entry { span: Span::NOWHERE, value: part }));
        }
        for (name, flag) in unknown.as_object().unwrap_or(&empty) {
            if known.contains_key(name) {
                continue;
            }
            let expression = expressions.and_then(|e| e.get(name));
            if expression.is_none() && flag == &Json::Bool(true) {
                // Nobody wrote it: the provider computes it. A group's `security_rule` that is not written has no rules.
                continue;
            }
            let value = self.value(&Json::Null, flag, at(sensitive, name), expression, name);
            entries.push((self.names.get(name), Entry { span: Span::NOWHERE, value }));
        }
        Value::mapping(MappingKind::Object, entries, Span::NOWHERE)
    }

    fn value(
        &self,
        after: &Json,
        unknown: &Json,
        sensitive: &Json,
        expression: Option<&Expression>,
        name: &str,
    ) -> Value {
        let hidden = sensitive == &Json::Bool(true);
        if unknown == &Json::Bool(true) {
            return self.unknown(expression, name).marked(hidden);
        }
        let value = match (after, unknown) {
            (Json::Array(items), _) => self.sequence(items, unknown, sensitive, expression, name),
            (Json::Null, Json::Array(flags)) if flags.iter().any(any_unknown) => {
                let items = vec![Json::Null; flags.len()];
                self.sequence(&items, unknown, sensitive, expression, name)
            }
            (Json::Object(_), _) => self.mapping(after, unknown, sensitive, expression, name),
            (Json::Null, Json::Object(_)) if any_unknown(unknown) => {
                self.mapping(after, unknown, sensitive, expression, name)
            }
            _ => scalar(after),
        };
        value.marked(hidden)
    }

    fn sequence(
        &self,
        items: &[Json],
        unknown: &Json,
        sensitive: &Json,
        expression: Option<&Expression>,
        name: &str,
    ) -> Value {
        let flags = unknown.as_array().map_or(&[][..], Vec::as_slice);
        let blocks = expression.and_then(Expression::as_list).filter(|blocks| blocks.len() == items.len());
        // One reference for each unknown element, in the order of the expression: `[a.id, b.id]`.
        let missing: Vec<usize> =
            (0..items.len()).filter(|i| flags.get(*i) == Some(&Json::Bool(true))).collect();
        let mut targets = match (blocks, expression) {
            (None, Some(expression)) => self.ordered_targets(expression, name),
            _ => Vec::new(),
        };
        if targets.len() != missing.len() {
            targets.clear();
        }
        let values = items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                if let Some(target) =
                    missing.iter().position(|at| *at == index).and_then(|at| targets.get(at))
                {
                    return self.reference(target, name);
                }
                let inner = match (blocks, expression) {
                    (Some(blocks), _) => blocks.get(index),
                    (None, Some(Expression::List(_))) => None,
                    (None, other) => other,
                };
                let flag = flags.get(index).unwrap_or(FALSE);
                let hidden = sensitive.as_array().and_then(|s| s.get(index)).unwrap_or(FALSE);
                self.value(item, flag, hidden, inner, name)
            })
            .collect();
        Value::sequence(SequenceKind::List, values, Span::NOWHERE)
    }

    fn mapping(
        &self,
        after: &Json,
        unknown: &Json,
        sensitive: &Json,
        expression: Option<&Expression>,
        name: &str,
    ) -> Value {
        let empty = serde_json::Map::new();
        let known = after.as_object().unwrap_or(&empty);
        let flags = unknown.as_object().unwrap_or(&empty);
        // Inside blocks every argument has its own expression; an attribute's single expression stands for all of it.
        let own = |key: &str| expression.and_then(|e| e.get(key));
        let whole = expression.filter(|e| matches!(e, Expression::References(_)));
        let keys = known.keys().chain(flags.keys().filter(|key| !known.contains_key(*key)));
        let entries = keys.map(|key| {
            let value = known.get(key).unwrap_or(&Json::Null);
            let flag = flags.get(key).unwrap_or(FALSE);
            let inner = own(key).or(whole);
            let value =
                self.value(value, flag, at(sensitive, key), inner, if whole.is_some() { name } else { key });
            (self.names.get(key), Entry { span: Span::NOWHERE, value })
        });
        Value::mapping(MappingKind::Object, entries.collect::<Vec<_>>(), Span::NOWHERE)
    }

    /// A value that is unknown until apply: a reference where exactly one can be meant.
    fn unknown(&self, expression: Option<&Expression>, name: &str) -> Value {
        let targets = expression.map_or_else(Vec::new, |expression| self.ordered_targets(expression, name));
        match targets.as_slice() {
            [target] => self.reference(target, name),
            _ => Value::unknown(Cause::Computed(format!("{}.{name}", self.address).into()), Span::NOWHERE),
        }
    }

    /// The instances that an expression refers to, each once. Empty when one of them is not certain.
    fn ordered_targets(&self, expression: &Expression, name: &str) -> Vec<Target> {
        let Some(scope) = self.scope else { return Vec::new() };
        let Some(found) = self.references.targets(expression, scope) else { return Vec::new() };
        // `x.id` and `x` are one; what only gives a name or a place beside an id is not the value itself.
        let wants_id = name.ends_with("id") || name.ends_with("ids");
        let mut seen = BTreeSet::new();
        let mut targets: Vec<Target> = Vec::new();
        for target in found {
            if wants_id
                && target.path.last().is_some_and(|last| !last.ends_with("id") && !last.ends_with("ids"))
            {
                continue;
            }
            if !target.exact {
                return Vec::new();
            }
            if seen.insert(target.address.clone()) {
                targets.push(target);
            }
        }
        targets
    }

    fn reference(&self, target: &Target, name: &str) -> Value {
        let mut path: Vec<Step> =
            target.path.iter().map(|step| Step::Attribute(step.as_str().into())).collect();
        if path.is_empty() && (name.ends_with("id") || name.ends_with("ids")) {
            path.push(Step::Attribute("id".into()));
        }
        let key = ResourceKey { root: self.root, address: target.address.as_str().into() };
        Value::reference(key, path, Span::NOWHERE)
    }
}

/// The child of a flag tree: a flag for the whole stands for each part.
fn at<'j>(flags: &'j Json, key: &str) -> &'j Json {
    match flags {
        Json::Object(object) => object.get(key).unwrap_or(FALSE),
        Json::Bool(true) => flags,
        _ => FALSE,
    }
}

fn any_unknown(flags: &Json) -> bool {
    match flags {
        Json::Bool(flag) => *flag,
        Json::Array(items) => items.iter().any(any_unknown),
        Json::Object(object) => object.values().any(any_unknown),
        _ => false,
    }
}

fn scalar(value: &Json) -> Value {
    let kind = match value {
        Json::Bool(value) => ValueKind::Bool(*value),
        Json::Number(number) => match Number::parse(&number.to_string()) {
            Some(number) => ValueKind::Number(number),
            None => ValueKind::Null,
        },
        Json::String(text) => ValueKind::String(text.as_str().into()),
        _ => ValueKind::Null,
    };
    Value::new(kind, Span::NOWHERE)
}
