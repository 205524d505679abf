//! Expressions.

use std::sync::Arc;

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;

use super::evaluator::Evaluator;
use super::scope::{Binding, Scope};
use super::syntax::ast::{Expression, ExpressionKind, ForExpression, ObjectItem, ObjectKey};
use super::traversal::key_name;
use super::types::{convert, type_of, unify};
use crate::source::Span;
use crate::value::{
    Cause, Entry, Mapping, MappingKind, SequenceKind, Unknown, Value, ValueKind, compare_set_elements,
};

/// How much stack an evaluation may need before it asks again, and how much it is given then.
const STACK_RESERVE: usize = 128 * 1024;
const STACK_SEGMENT: usize = 4 * 1024 * 1024;

/// The element of a collection as a loop sees it.
pub(super) struct Element {
    /// Index or key.
    pub key: Value,
    /// The element itself, not marked as repeated.
    pub value: Value,
    /// It stands for zero or more elements, and why.
    pub uncertain: Option<Arc<Unknown>>,
}

impl Evaluator<'_> {
    /// The value of an expression. What fails is reported and becomes an unknown.
    pub(super) fn evaluate(&self, expression: &Expression, scope: &Scope) -> Value {
        match &expression.kind {
            // Leaves need no step of their own.
            ExpressionKind::Null => return Value::null(expression.span),
            ExpressionKind::Bool(value) => return Value::bool(*value, expression.span),
            ExpressionKind::Number(number) => return Value::number(number.clone(), expression.span),
            ExpressionKind::String(text) => return Value::string(text.clone(), expression.span),
            _ => {}
        }
        if let Err(message) = self.enter() {
            return self.limit(expression.span, message);
        }
        let value =
            stacker::maybe_grow(STACK_RESERVE, STACK_SEGMENT, || self.evaluate_composite(expression, scope));
        self.leave();
        value
    }

    fn evaluate_composite(&self, expression: &Expression, scope: &Scope) -> Value {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Null => Value::null(span),
            ExpressionKind::Bool(value) => Value::bool(*value, span),
            ExpressionKind::Number(number) => Value::number(number.clone(), span),
            ExpressionKind::String(text) => Value::string(text.clone(), span),
            ExpressionKind::Template(template) => self.template(template, span, scope),
            ExpressionKind::Tuple(elements) => {
                let items = elements.iter().map(|element| self.evaluate(element, scope)).collect();
                Value::sequence(SequenceKind::Tuple, items, span)
            }
            ExpressionKind::Object(items) => self.object(items, span, scope),
            ExpressionKind::Variable(name) => self.evaluate_name(name, span, scope),
            ExpressionKind::Traversal(traversal) => self.evaluate_traversal(traversal, span, scope),
            ExpressionKind::Call(call) => self.call(call, span, scope),
            ExpressionKind::Unary(operator, operand) => {
                let operand = self.evaluate(operand, scope);
                self.unary(*operator, &operand, span)
            }
            ExpressionKind::Binary(operator, operands) => {
                self.binary(*operator, &operands.0, &operands.1, span, scope)
            }
            ExpressionKind::Conditional(parts) => self.conditional(parts, span, scope),
            ExpressionKind::For(expression) => self.for_expression(expression, span, scope),
            ExpressionKind::Parenthesis(inner) => self.evaluate(inner, scope),
            ExpressionKind::Invalid => {
                Value::unknown(Cause::Error("this expression could not be read".into()), span)
            }
        }
    }

    fn object(&self, items: &[ObjectItem], span: Span, scope: &Scope) -> Value {
        let mut mapping = Mapping { kind: MappingKind::Object, entries: IndexMap::default(), rest: None };
        for item in items {
            let key = match &item.key {
                ObjectKey::Name(name, at) => Value::string(name.clone(), *at),
                ObjectKey::Expression(expression) => self.evaluate(expression, scope),
            };
            let value = self.evaluate(&item.value, scope);
            match key_name(&key) {
                Some(name) => {
                    mapping.entries.insert(name, Entry { span: item.span, value });
                }
                None => {
                    let unknown = key.first_unknown().or_else(|| {
                        let message = if key.is_null() { "a key is null" } else { "a key must be a string" };
                        self.fail(key.span.or(span), message).first_unknown()
                    });
                    mapping.rest = mapping.rest.take().or(unknown);
                }
            }
        }
        Value::new(ValueKind::Mapping(mapping.into()), span)
    }

    fn conditional(&self, parts: &(Expression, Expression, Expression), span: Span, scope: &Scope) -> Value {
        let (condition, then, otherwise) = parts;
        let decision = self.evaluate(condition, scope);
        match self.truth(&decision, condition.span) {
            Some(chosen) => {
                let (chosen, other) = if chosen { (then, otherwise) } else { (otherwise, then) };
                let value = self.evaluate(chosen, scope).marked(decision.sensitive);
                if matches!(value.kind, ValueKind::Unknown(_) | ValueKind::Reference(_)) {
                    return value;
                }
                // The branches have one type in the end; what is wrong with the other one does not matter.
                let (other, _) = self.attempt(|| self.evaluate(other, scope));
                unified(value, &other)
            }
            None => {
                let (a, failed_a) = self.attempt(|| self.evaluate(then, scope));
                let (b, failed_b) = self.attempt(|| self.evaluate(otherwise, scope));
                // A branch that certainly fails is certainly not taken.
                let value = match (failed_a.is_empty(), failed_b.is_empty()) {
                    (false, true) => b,
                    (true, false) => a,
                    _ => alternatives(&a, &b, &decision, span, 0),
                };
                value.marked(decision.sensitive)
            }
        }
    }

    /// A condition's truth; `None` when it is not known. What is no truth value is reported.
    pub(super) fn truth(&self, value: &Value, span: Span) -> Option<bool> {
        match &value.kind {
            ValueKind::Bool(value) => Some(*value),
            ValueKind::String(text) if text == "true" => Some(true),
            ValueKind::String(text) if text == "false" => Some(false),
            ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => None,
            _ => {
                self.fail(span, "a condition must be true or false");
                None
            }
        }
    }

    /// The elements of a collection, in the order in which loops see them. Unknown collections have one that is repeated.
    ///
    /// # Errors
    /// When this is no collection.
    pub(super) fn elements(&self, collection: &Value, span: Span) -> Result<Vec<Element>, &'static str> {
        let sensitive = collection.sensitive;
        let element = |key: Value, value: &Value| {
            let inner = value.clone().certain().marked(sensitive);
            Element { key: key.marked(sensitive), value: inner, uncertain: value.uncertainty() }
        };
        match &collection.kind {
            ValueKind::Sequence(sequence) if sequence.kind == SequenceKind::Set => {
                let mut items: Vec<&Value> = sequence.items.iter().collect();
                items.sort_by(|a, b| compare_set_elements(a, b));
                let with_key = |item: &&Value| element((*item).clone().certain(), item);
                Ok(items.iter().map(with_key).collect())
            }
            ValueKind::Sequence(sequence) => {
                let certain =
                    sequence.items.iter().position(|item| item.repeated).unwrap_or(sequence.items.len());
                let numbered = sequence.items.iter().enumerate().map(|(index, item)| {
                    let key = match index <= certain && !item.repeated {
                        true => Value::number(index, span),
                        false => item.derived_unknown(span),
                    };
                    element(key, item)
                });
                Ok(numbered.collect())
            }
            ValueKind::Mapping(mapping) => {
                let mut entries: Vec<_> = mapping.entries.iter().collect();
                entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
                let mut elements: Vec<Element> = entries
                    .into_iter()
                    .map(|(name, entry)| element(Value::string(name.clone(), entry.span), &entry.value))
                    .collect();
                if let Some(rest) = &mapping.rest {
                    let unknown = super::traversal::unknown_from(rest, span);
                    elements.push(element(unknown.clone(), &unknown.maybe(None)));
                }
                Ok(elements)
            }
            ValueKind::Unknown(_) => {
                let unknown = collection.derived_unknown(span);
                Ok(vec![element(unknown.clone(), &unknown.maybe(None))])
            }
            ValueKind::Reference(reference) => {
                let unknown = collection.derived_unknown(span);
                let instances = reference.path.is_empty() && self.is_uncertain(&reference.target.address);
                let value = if instances { collection.clone() } else { unknown.clone() };
                let why = unknown.first_unknown();
                Ok(vec![element(unknown, &value.maybe(why))])
            }
            ValueKind::Null => Err("a loop cannot run over a null value"),
            _ => Err("a loop runs over a list, a set, a map or an object"),
        }
    }

    fn for_expression(&self, expression: &ForExpression, span: Span, scope: &Scope) -> Value {
        let collection = self.evaluate(&expression.collection, scope);
        let elements = match self.elements(&collection, expression.collection.span) {
            Ok(elements) => elements,
            Err(message) => return self.fail(expression.collection.span, message),
        };
        let mut items: Vec<Value> = Vec::new();
        let mut mapping = Mapping { kind: MappingKind::Object, entries: IndexMap::default(), rest: None };
        let mut groups: IndexMap<EcoString, Vec<Value>, rustc_hash::FxBuildHasher> = IndexMap::default();
        for element in elements {
            if let Err(message) = self.enter().map(|()| self.leave()).and_then(|()| self.make(1)) {
                return self.limit(span, message);
            }
            let key_name = expression.key_variable.as_deref().unwrap_or("");
            let outer = Binding { name: key_name, value: element.key, outer: scope.bindings };
            let outer_scope = if key_name.is_empty() { *scope } else { scope.with(&outer) };
            let binding = Binding {
                name: &expression.value_variable,
                value: element.value,
                outer: outer_scope.bindings,
            };
            let inner_scope = outer_scope.with(&binding);
            let scope = &inner_scope;
            let mut uncertain = element.uncertain;
            if let Some(condition) = &expression.condition {
                let value = self.evaluate(condition, scope);
                match self.truth(&value, condition.span) {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        uncertain =
                            uncertain.or_else(|| value.derived_unknown(condition.span).first_unknown())
                    }
                }
            }
            let mut value = self.evaluate(&expression.value, scope).certain();
            if uncertain.is_some() {
                value = value.maybe(uncertain.clone());
            }
            let Some(key) = &expression.key else {
                items.push(value);
                continue;
            };
            let key_value = self.evaluate(key, scope);
            let Some(name) = key_name_or_report(self, &key_value, key.span) else {
                let unknown = key_value.first_unknown().or_else(|| value.first_unknown());
                mapping.rest = mapping.rest.take().or(unknown).or_else(|| {
                    Some(
                        crate::value::Unknown {
                            cause: Cause::Error("a key is no string".into()),
                            span: key.span,
                        }
                        .into(),
                    )
                });
                continue;
            };
            if expression.grouped {
                groups.entry(name).or_default().push(value);
            } else if mapping.entries.contains_key(&name) {
                if uncertain.is_some() {
                    continue;
                }
                return self.fail(
                    key.span,
                    eco_format!(
                        "two elements have the key \"{name}\"; put `...` behind the value to collect them"
                    ),
                );
            } else {
                mapping.entries.insert(name, Entry { span: expression.value.span, value });
            }
        }
        let sensitive = collection.sensitive;
        if expression.key.is_none() {
            return Value::sequence(SequenceKind::Tuple, items, span).marked(sensitive);
        }
        for (name, items) in groups {
            // A group of which no member is certain may be missing.
            let certain = items.iter().any(|item| !item.repeated);
            let why = items.iter().find_map(Value::uncertainty);
            let value = Value::sequence(SequenceKind::Tuple, items, span);
            let value = if certain { value } else { value.maybe(why) };
            mapping.entries.insert(name, Entry { span: expression.value.span, value });
        }
        Value::new(ValueKind::Mapping(mapping.into()), span).marked(sensitive)
    }
}

fn key_name_or_report(evaluator: &Evaluator, key: &Value, span: Span) -> Option<EcoString> {
    let name = key_name(key);
    if name.is_none() && !key.is_unknown() && !matches!(key.kind, ValueKind::Template(_)) {
        evaluator.fail(span, if key.is_null() { "a key is null" } else { "a key must be a string" });
    }
    name
}

/// A value converted to the type that it has in common with another one, when there is one.
fn unified(value: Value, other: &Value) -> Value {
    if same_shape(&value, other) {
        return value;
    }
    match unify(&[type_of(&value), type_of(other)]) {
        Some(common) => convert(&value, &common).unwrap_or(value),
        None => value,
    }
}

/// Whether the types are so plainly the same that there is nothing to convert.
fn same_shape(a: &Value, b: &Value) -> bool {
    let open = |value: &Value| value.is_null() || value.is_unknown();
    let text = |value: &Value| matches!(value.kind, ValueKind::String(_) | ValueKind::Template(_));
    let both = |test: fn(&Value) -> bool| test(a) && test(b);
    open(a)
        || open(b)
        || (text(a) && text(b))
        || both(|value| value.as_number().is_some())
        || both(|value| value.as_bool().is_some())
}

/// What is known when it is one of two values: what both have in common.
pub(super) fn alternatives(a: &Value, b: &Value, why: &Value, span: Span, depth: u32) -> Value {
    const MAX_DEPTH: u32 = 24;
    if a.equals(b) == Some(true) {
        return a.clone();
    }
    let unknown = || why.derived_unknown(span).marked(a.sensitive || b.sensitive);
    if depth > MAX_DEPTH {
        return unknown();
    }
    match (&a.kind, &b.kind) {
        (ValueKind::Sequence(one), ValueKind::Sequence(two)) => {
            let uncertain = |items: &[Value]| -> Vec<Value> {
                items.iter().map(|item| item.clone().maybe(why.first_unknown())).collect()
            };
            let kind = if one.kind == two.kind { one.kind } else { SequenceKind::List };
            let items = if one.items.is_empty() {
                uncertain(&two.items)
            } else if two.items.is_empty() {
                uncertain(&one.items)
            } else if one.items.len() == two.items.len()
                && kind != SequenceKind::Set
                && one.items.iter().chain(&two.items).all(|item| !item.repeated)
            {
                let pairs = one.items.iter().zip(&two.items);
                pairs.map(|(a, b)| alternatives(a, b, why, span, depth + 1)).collect()
            } else {
                return unknown();
            };
            Value::sequence(kind, items, span).marked(a.sensitive || b.sensitive)
        }
        (ValueKind::Mapping(one), ValueKind::Mapping(two)) => {
            let mut merged = Mapping {
                kind: if one.kind == two.kind { one.kind } else { MappingKind::Map },
                entries: IndexMap::default(),
                rest: one.rest.clone().or_else(|| two.rest.clone()),
            };
            for (name, entry) in &one.entries {
                let value = match two.entries.get(name) {
                    Some(other) => {
                        let doubt = entry.value.uncertainty().or_else(|| other.value.uncertainty());
                        let value = alternatives(&entry.value, &other.value, why, span, depth + 1).certain();
                        if doubt.is_some() { value.maybe(doubt) } else { value }
                    }
                    None => entry.value.clone().maybe(why.first_unknown()),
                };
                merged.entries.insert(name.clone(), Entry { span: entry.span, value });
            }
            for (name, entry) in &two.entries {
                if !one.entries.contains_key(name) {
                    let value = entry.value.clone().maybe(why.first_unknown());
                    merged.entries.insert(name.clone(), Entry { span: entry.span, value });
                }
            }
            Value::new(ValueKind::Mapping(merged.into()), span).marked(a.sensitive || b.sensitive)
        }
        _ => unknown(),
    }
}
