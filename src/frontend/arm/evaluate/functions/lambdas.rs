//! Functions that take lambdas.

use ecow::EcoString;

use super::super::super::expression::ast::{Expression, ExpressionKind};
use super::super::context::{Context, is_open};
use crate::source::Span;
use crate::value::{Entry, Mapping, MappingKind, SequenceKind, Value, ValueKind};

/// Elements that are gone through before evaluation gives up.
const MAX_ELEMENTS: usize = 20_000;

struct Lambda<'e> {
    parameters: &'e [EcoString],
    body: &'e Expression,
}

impl Lambda<'_> {
    fn call(&self, context: &Context<'_, '_>, values: &[Value]) -> Value {
        let bindings = self.parameters.iter().cloned().zip(values.iter().cloned()).collect();
        context.with(bindings, None).evaluate(self.body)
    }
}

fn lambda<'e>(
    context: &Context<'_, '_>,
    expression: Option<&'e Expression>,
    span: Span,
) -> Result<Lambda<'e>, Value> {
    match expression.map(|expression| &expression.kind) {
        Some(ExpressionKind::Lambda { parameters, body }) => Ok(Lambda { parameters, body }),
        _ => Err(context
            .run
            .fail("a lambda is needed here", expression.map_or(span, |expression| expression.span))),
    }
}

/// Calls one of the functions that take lambdas; `None` if it is another function.
pub(super) fn call(
    context: &Context<'_, '_>,
    name: &str,
    arguments: &[Expression],
    span: Span,
) -> Option<Value> {
    let wanted = match name {
        "map" | "filter" | "sort" | "mapvalues" => 2..=2,
        "reduce" => 3..=3,
        "toobject" | "groupby" => 2..=3,
        _ => return None,
    };
    if !wanted.contains(&arguments.len()) {
        return Some(context.run.fail(format!("`{name}` does not take {} arguments", arguments.len()), span));
    }
    let result = match name {
        "map" => map(context, arguments, span),
        "filter" => filter(context, arguments, span),
        "sort" => sort(context, arguments, span),
        "reduce" => reduce(context, arguments, span),
        "toobject" => to_object(context, arguments, span),
        "groupby" => group_by(context, arguments, span),
        _ => map_values(context, arguments, span),
    };
    Some(result.unwrap_or_else(|problem| problem))
}

/// The elements of an array.
struct Items {
    values: Vec<Value>,
    /// How many stand before the first that may be none or many.
    certain: usize,
}

impl std::ops::Deref for Items {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.values
    }
}

/// The elements of the first argument.
fn elements(
    context: &Context<'_, '_>,
    name: &str,
    arguments: &[Expression],
    span: Span,
) -> Result<(Value, Items), Value> {
    let Some(first) = arguments.first() else { return Err(context.run.fail("an array is needed", span)) };
    let array = context.array_value(first);
    match &array.kind {
        ValueKind::Sequence(sequence) if sequence.items.len() <= MAX_ELEMENTS => {
            context.run.charge(sequence.items.len());
            let values = sequence.items.clone();
            let certain = values.iter().position(|item| item.repeated).unwrap_or(values.len());
            Ok((array, Items { values, certain }))
        }
        ValueKind::Sequence(_) => {
            Err(context.run.fail(format!("`{name}` over more than {MAX_ELEMENTS} elements"), span))
        }
        _ if is_open(&array) => Err(open(context, name, arguments, &array, span)),
        _ => Err(context.run.fail(format!("the first argument of `{name}` is not an array"), first.span)),
    }
}

/// The result over something that is not known. Where the lambda stands makes it a different function.
fn open(context: &Context<'_, '_>, name: &str, arguments: &[Expression], array: &Value, span: Span) -> Value {
    let place = arguments.get(1).map_or(span, |argument| argument.span);
    // The lambda may use names from around it, so only the same call in the same place, outside of loops, is the same.
    match context.frame.is_none() {
        true => {
            let operation = format!("{name}@{}:{}", place.file.0, place.start);
            context.run.identities.derive(&operation, &[array], span)
        }
        false => array.derived_unknown(span),
    }
}

fn index_of(context: &Context<'_, '_>, items: &Items, index: usize, span: Span) -> Value {
    match index >= items.certain {
        false => Value::number(index, span),
        true => items
            .get(index)
            .map_or_else(|| Value::null(span), |item| context.run.identities.derive("index", &[item], span)),
    }
}

/// Calls a lambda with an element and its index. Over elements that may not be there, errors are none.
fn apply(context: &Context<'_, '_>, lambda: &Lambda<'_>, items: &Items, index: usize, span: Span) -> Value {
    let Some(item) = items.get(index) else { return Value::null(span) };
    let arguments = [Value { repeated: false, ..item.clone() }, index_of(context, items, index, span)];
    match item.repeated {
        false => lambda.call(context, &arguments),
        true => {
            let mut value = context.run.quietly(|| lambda.call(context, &arguments));
            value.repeated = true;
            value
        }
    }
}

fn map(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Result<Value, Value> {
    let lambda = lambda(context, arguments.get(1), span)?;
    let (_, items) = elements(context, "map", arguments, span)?;
    let values = (0..items.len()).map(|index| apply(context, &lambda, &items, index, span)).collect();
    Ok(Value::sequence(SequenceKind::Tuple, values, span))
}

fn filter(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Result<Value, Value> {
    let lambda = lambda(context, arguments.get(1), span)?;
    let (_, items) = elements(context, "filter", arguments, span)?;
    let mut kept = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let answer = apply(context, &lambda, &items, index, span);
        match &answer.kind {
            ValueKind::Bool(true) => kept.push(item.clone()),
            ValueKind::Bool(false) => {}
            _ if is_open(&answer) => kept.push(Value { repeated: true, ..item.clone() }),
            _ => {
                return Err(context
                    .run
                    .fail("the lambda of `filter` gives neither true nor false", lambda.body.span));
            }
        }
    }
    Ok(Value::sequence(SequenceKind::Tuple, kept, span))
}

fn sort(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Result<Value, Value> {
    let lambda = lambda(context, arguments.get(1), span)?;
    let (array, items) = elements(context, "sort", arguments, span)?;
    let sorted = merge_sort(context, &lambda, items.values)?;
    match sorted {
        Some(sorted) => Ok(Value::sequence(SequenceKind::Tuple, sorted, span)),
        None => Err(open(context, "sort", arguments, &array, span)),
    }
}

/// Sorts by a lambda that says whether its first argument comes before its second. `None` when that is not known.
fn merge_sort(
    context: &Context<'_, '_>,
    lambda: &Lambda<'_>,
    items: Vec<Value>,
) -> Result<Option<Vec<Value>>, Value> {
    if items.iter().any(|item| item.repeated) {
        return Ok(None);
    }
    // Bottom-up: an inconsistent order cannot make it misbehave.
    let mut runs: Vec<Vec<Value>> = items.into_iter().map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len() / 2 + 1);
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            let Some(right) = pairs.next() else {
                merged.push(left);
                break;
            };
            let mut out = Vec::with_capacity(left.len() + right.len());
            let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                let answer = lambda.call(context, &[b.clone(), a.clone()]);
                match &answer.kind {
                    ValueKind::Bool(true) => out.extend(right.next()),
                    ValueKind::Bool(false) => out.extend(left.next()),
                    _ if is_open(&answer) => return Ok(None),
                    _ => {
                        let message = "the lambda of `sort` gives neither true nor false";
                        return Err(context.run.fail(message, lambda.body.span));
                    }
                }
            }
            out.extend(left);
            out.extend(right);
            merged.push(out);
        }
        runs = merged;
    }
    Ok(Some(runs.pop().unwrap_or_default()))
}

fn reduce(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Result<Value, Value> {
    let lambda = lambda(context, arguments.get(2), span)?;
    let (array, items) = elements(context, "reduce", arguments, span)?;
    let mut state = match arguments.get(1) {
        Some(initial) => context.evaluate(initial),
        None => Value::null(span),
    };
    for (index, item) in items.iter().enumerate() {
        if item.repeated {
            return Err(open(context, "reduce", arguments, &array, span));
        }
        state = lambda.call(context, &[state, item.clone(), Value::number(index, span)]);
    }
    Ok(state)
}

/// The keys that a lambda gives, in order; `None` for one that is not known.
fn keyed(
    context: &Context<'_, '_>,
    lambda: &Lambda<'_>,
    items: &Items,
    span: Span,
) -> Result<Vec<Result<EcoString, Value>>, Value> {
    (0..items.len())
        .map(|index| {
            let mut key = apply(context, lambda, items, index, span);
            let certain = !std::mem::take(&mut key.repeated);
            match &key.kind {
                ValueKind::String(text) if certain => Ok(Ok(text.clone())),
                ValueKind::String(_) => Ok(Err(items.get(index).map_or_else(|| key.clone(), Value::clone))),
                _ if is_open(&key) => Ok(Err(key)),
                _ => Err(context.run.fail("the lambda for the key does not give a string", lambda.body.span)),
            }
        })
        .collect()
}

fn to_object(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Result<Value, Value> {
    let key = lambda(context, arguments.get(1), span)?;
    let value = match arguments.get(2) {
        Some(expression) => Some(lambda(context, Some(expression), span)?),
        None => None,
    };
    let (array, items) = elements(context, "toObject", arguments, span)?;
    let mut mapping = Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None };
    for (index, key) in keyed(context, &key, &items, span)?.into_iter().enumerate() {
        match key {
            Ok(key) => {
                let value = match &value {
                    Some(value) => apply(context, value, &items, index, span),
                    None => items.get(index).cloned().unwrap_or_else(|| Value::null(span)),
                };
                mapping.entries.insert(key, Entry { span: value.span.or(span), value });
            }
            Err(unknown) => {
                mapping.rest = mapping
                    .rest
                    .or_else(|| unknown.first_unknown())
                    .or_else(|| array.derived_unknown(span).first_unknown());
            }
        }
    }
    Ok(Value::new(ValueKind::Mapping(std::sync::Arc::new(mapping)), span))
}

fn group_by(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Result<Value, Value> {
    let key = lambda(context, arguments.get(1), span)?;
    let value = match arguments.get(2) {
        Some(expression) => Some(lambda(context, Some(expression), span)?),
        None => None,
    };
    let (array, items) = elements(context, "groupBy", arguments, span)?;
    let mut groups: indexmap::IndexMap<EcoString, Vec<Value>> = indexmap::IndexMap::new();
    for (index, key) in keyed(context, &key, &items, span)?.into_iter().enumerate() {
        let (Ok(key), Some(item)) = (key, items.get(index)) else {
            return Err(open(context, "groupBy", arguments, &array, span));
        };
        let item = match &value {
            Some(value) => apply(context, value, &items, index, span),
            None => item.clone(),
        };
        groups.entry(key).or_default().push(item);
    }
    let entries =
        groups.into_iter().map(|(key, items)| (key, Value::sequence(SequenceKind::Tuple, items, span)));
    Ok(super::super::place::named_values(entries, span))
}

fn map_values(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Result<Value, Value> {
    let lambda = lambda(context, arguments.get(1), span)?;
    let Some(first) = arguments.first() else { return Err(context.run.fail("an object is needed", span)) };
    let object = context.evaluate(first);
    match &object.kind {
        ValueKind::Mapping(mapping) => {
            context.run.charge(mapping.entries.len());
            let mut made = Mapping {
                kind: MappingKind::Object,
                entries: Default::default(),
                rest: mapping.rest.clone(),
            };
            for (key, entry) in &mapping.entries {
                let value = lambda.call(context, std::slice::from_ref(&entry.value));
                made.entries.insert(key.clone(), Entry { span: entry.span, value });
            }
            Ok(Value::new(ValueKind::Mapping(std::sync::Arc::new(made)), span))
        }
        _ if is_open(&object) => Err(open(context, "mapValues", arguments, &object, span)),
        _ => Err(context.run.fail("the first argument of `mapValues` is not an object", first.span)),
    }
}
