//! Operators, equality, and the choice between two values.

use std::cmp::Ordering;

use super::super::expression::ast::{BinaryOperator, Expression, UnaryOperator};
use super::context::{Context, is_open};
use crate::source::Span;
use crate::value::{Entry, Mapping, MappingKind, SequenceKind, TemplatePart, Value, ValueKind};

/// How deep values are compared or merged.
const MAX_DEPTH: usize = 64;

/// Applies `!` or `-`.
pub(crate) fn unary(
    context: &Context<'_, '_>,
    operator: UnaryOperator,
    operand: &Value,
    span: Span,
) -> Value {
    match (operator, &operand.kind) {
        (UnaryOperator::Not, ValueKind::Bool(value)) => Value::bool(!value, span),
        (UnaryOperator::Negate, ValueKind::Number(number)) => Value::number(number.negate(), span),
        _ if is_open(operand) => {
            let name = if operator == UnaryOperator::Not { "not" } else { "negate" };
            context.run.identities.derive(name, &[operand], span)
        }
        (UnaryOperator::Not, _) => context.run.fail("`!` needs true or false", span),
        (UnaryOperator::Negate, _) => context.run.fail("`-` needs a number", span),
    }
}

/// Applies an operator with two operands; the right one is evaluated only where it counts.
pub(crate) fn binary(
    context: &Context<'_, '_>,
    operator: BinaryOperator,
    left: &Expression,
    right: &Expression,
    span: Span,
) -> Value {
    use BinaryOperator as Op;
    let name = match operator {
        Op::Or => return junction(context, std::slice::from_ref(left).iter().chain([right]), true, span),
        Op::And => return junction(context, std::slice::from_ref(left).iter().chain([right]), false, span),
        Op::Coalesce => return coalesce(context, [left, right].into_iter(), span),
        Op::Equal => "equals",
        Op::NotEqual => {
            let equal = pair(context, "equals", left, right, span);
            return unary(context, UnaryOperator::Not, &equal, span);
        }
        Op::EqualIgnoringCase | Op::NotEqualIgnoringCase => {
            let (left, right) = (context.evaluate(left), context.evaluate(right));
            let equal = match equal(&left, &right, true) {
                Some(equal) => Value::bool(equal, span),
                None => context.run.identities.derive("equalsIgnoringCase", &[&left, &right], span),
            };
            return match operator {
                Op::EqualIgnoringCase => equal,
                _ => unary(context, UnaryOperator::Not, &equal, span),
            };
        }
        Op::Less => "less",
        Op::LessOrEqual => "lessOrEquals",
        Op::Greater => "greater",
        Op::GreaterOrEqual => "greaterOrEquals",
        Op::Add => "add",
        Op::Subtract => "sub",
        Op::Multiply => "mul",
        Op::Divide => "div",
        Op::Modulo => "mod",
    };
    pair(context, name, left, right, span)
}

fn pair(context: &Context<'_, '_>, name: &str, left: &Expression, right: &Expression, span: Span) -> Value {
    let values = vec![context.evaluate(left), context.evaluate(right)];
    super::functions::call_values(context, name, span, values, span)
}

/// `and` and `or`: known as soon as one operand settles it, whatever the others are.
pub(crate) fn junction<'e>(
    context: &Context<'_, '_>,
    operands: impl Iterator<Item = &'e Expression>,
    settles: bool,
    span: Span,
) -> Value {
    let mut open: Vec<Value> = Vec::new();
    for operand in operands {
        // Behind an operand that is not known, this one may never be asked for.
        let value = match open.is_empty() {
            true => context.evaluate(operand),
            false => context.run.quietly(|| context.evaluate(operand)),
        };
        let text = value.as_str().map(str::to_ascii_lowercase);
        match (&value.kind, text.as_deref()) {
            (ValueKind::Bool(value), _) if *value == settles => return Value::bool(settles, span),
            (ValueKind::Bool(_), _) => {}
            (_, Some("true")) if settles => return Value::bool(true, span),
            (_, Some("false")) if !settles => return Value::bool(false, span),
            (_, Some("true" | "false")) => {}
            _ if is_open(&value) => open.push(value),
            _ => return context.run.fail("an operand is neither true nor false", operand.span),
        }
    }
    if open.is_empty() {
        return Value::bool(!settles, span);
    }
    let open: Vec<&Value> = open.iter().collect();
    context.run.identities.derive(if settles { "or" } else { "and" }, &open, span)
}

/// The first operand that is not null.
pub(crate) fn coalesce<'e>(
    context: &Context<'_, '_>,
    operands: impl Iterator<Item = &'e Expression>,
    span: Span,
) -> Value {
    let mut last = Value::null(span);
    let mut unsure: Vec<Value> = Vec::new();
    for operand in operands {
        let value = match unsure.is_empty() {
            true => context.evaluate(operand),
            false => context.run.quietly(|| context.evaluate(operand)),
        };
        match &value.kind {
            ValueKind::Null => last = value,
            // A resource's id is never null; any other thing that is not known may be.
            ValueKind::Unknown(_) => unsure.push(value),
            ValueKind::Reference(_) if !super::text::is_id_reference(&value) => unsure.push(value),
            _ if unsure.is_empty() => return value,
            _ => {
                unsure.push(value);
                break;
            }
        }
    }
    match unsure.len() {
        0 => last,
        1 => unsure.pop().unwrap_or(last),
        _ => {
            let unsure: Vec<&Value> = unsure.iter().collect();
            context.run.identities.derive("coalesce", &unsure, span)
        }
    }
}

/// Whether two values are equal; `None` when that depends on what is not known. Objects are equal whatever the order of
/// their properties.
pub(crate) fn equal(left: &Value, right: &Value, ignore_case: bool) -> Option<bool> {
    equal_at(left, right, ignore_case, 0)
}

fn equal_at(left: &Value, right: &Value, ignore_case: bool, depth: usize) -> Option<bool> {
    if depth > MAX_DEPTH {
        return None;
    }
    match (&left.kind, &right.kind) {
        (ValueKind::Reference(left), ValueKind::Reference(right)) if left == right => Some(true),
        (ValueKind::Unknown(left), ValueKind::Unknown(right))
            if std::sync::Arc::ptr_eq(left, right)
                || (left == right && !matches!(left.cause, crate::value::Cause::Derived(_))) =>
        {
            Some(true)
        }
        (ValueKind::Template(parts), ValueKind::String(text))
        | (ValueKind::String(text), ValueKind::Template(parts)) => {
            differs(parts, text, ignore_case).then_some(false)
        }
        // A resource's id is never null.
        (ValueKind::Reference(_), ValueKind::Null) if super::text::is_id_reference(left) => Some(false),
        (ValueKind::Null, ValueKind::Reference(_)) if super::text::is_id_reference(right) => Some(false),
        (ValueKind::Template(_), ValueKind::Null) | (ValueKind::Null, ValueKind::Template(_)) => Some(false),
        _ if is_open(left) || is_open(right) => None,
        (ValueKind::Null, ValueKind::Null) => Some(true),
        (ValueKind::Bool(left), ValueKind::Bool(right)) => Some(left == right),
        (ValueKind::Number(left), ValueKind::Number(right)) => Some(left == right),
        (ValueKind::String(left), ValueKind::String(right)) => Some(match ignore_case {
            true => left == right || left.to_lowercase() == right.to_lowercase(),
            false => left == right,
        }),
        (ValueKind::Sequence(left), ValueKind::Sequence(right)) => {
            if left.items.iter().chain(&right.items).any(|item| item.repeated) {
                return None;
            }
            if left.items.len() != right.items.len() {
                return Some(false);
            }
            all(left.items.iter().zip(&right.items).map(|(a, b)| equal_at(a, b, ignore_case, depth + 1)))
        }
        (ValueKind::Mapping(left), ValueKind::Mapping(right)) => {
            if left.rest.is_some() || right.rest.is_some() {
                return None;
            }
            if left.entries.len() != right.entries.len() {
                return Some(false);
            }
            all(left.entries.iter().map(|(key, entry)| match super::access::entry(right, key) {
                Some(other) => equal_at(&entry.value, &other.value, ignore_case, depth + 1),
                None => Some(false),
            }))
        }
        _ => Some(false),
    }
}

fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unsure = false;
    for part in parts {
        match part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => unsure = true,
        }
    }
    (!unsure).then_some(true)
}

/// Whether a string with unknown parts can never be this text.
fn differs(parts: &[TemplatePart], text: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| if ignore_case { text.to_lowercase() } else { text.to_string() };
    let text = fold(text);
    let start = match parts.first() {
        Some(TemplatePart::Literal(start)) => fold(start),
        _ => String::new(),
    };
    let end = match parts.last() {
        Some(TemplatePart::Literal(end)) => fold(end),
        _ => String::new(),
    };
    !text.starts_with(&start) || !text.ends_with(&end) || text.len() < start.len() + end.len()
}

/// The order of two known numbers or strings (strings in the order of their code points, without regard to culture).
pub(crate) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (&left.kind, &right.kind) {
        (ValueKind::Number(left), ValueKind::Number(right)) => left.partial_cmp(right),
        (ValueKind::String(left), ValueKind::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// What is known of a value that is one of two: the parts on which both agree.
pub(crate) fn merge(
    context: &Context<'_, '_>,
    condition: &Value,
    then: Value,
    otherwise: Value,
    span: Span,
    depth: usize,
) -> Value {
    if depth < MAX_DEPTH && equal(&then, &otherwise, false) == Some(true) {
        return then;
    }
    match (&then.kind, &otherwise.kind) {
        (ValueKind::Mapping(left), ValueKind::Mapping(right)) if depth < MAX_DEPTH => {
            let reason = condition.first_unknown();
            let mut merged = Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None };
            let mut same_keys = left.entries.len() == right.entries.len();
            for (key, entry) in &left.entries {
                match super::access::entry(right, key) {
                    Some(other) => {
                        let value = merge(
                            context,
                            condition,
                            entry.value.clone(),
                            other.value.clone(),
                            entry.value.span,
                            depth + 1,
                        );
                        merged.entries.insert(key.clone(), Entry { span: entry.span, value });
                    }
                    None => same_keys = false,
                }
            }
            merged.rest = left.rest.clone().or_else(|| right.rest.clone()).or(reason.filter(|_| !same_keys));
            Value::new(ValueKind::Mapping(std::sync::Arc::new(merged)), span)
        }
        (ValueKind::Sequence(left), ValueKind::Sequence(right))
            if depth < MAX_DEPTH
                && left.items.len() == right.items.len()
                && !left.items.iter().chain(&right.items).any(|item| item.repeated) =>
        {
            let items = left
                .items
                .iter()
                .zip(&right.items)
                .map(|(a, b)| merge(context, condition, a.clone(), b.clone(), a.span, depth + 1))
                .collect();
            Value::sequence(SequenceKind::Tuple, items, span)
        }
        _ => context.run.identities.derive("if", &[condition, &then, &otherwise], span),
    }
}
