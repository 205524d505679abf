//! Functions on sets.

use super::arguments::{Call, Function, Wants, any, of};
use super::{MAX_COMPARISONS, MAX_ELEMENTS};
use crate::frontend::terraform::types::{common_type, convert_to_common, unique_in_order};
use crate::value::{SequenceKind, Value, ValueKind};

const SET: super::arguments::Parameter = of("sets", Wants::SetOfAny);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::structural("setintersection", &[of("first_set", Wants::SetOfAny)], setintersection)
        .with_variadic(SET),
    Function::structural("setproduct", &[], setproduct).with_variadic(any("sets")),
    Function::structural("setsubtract", &[of("a", Wants::SetOfAny), of("b", Wants::SetOfAny)], setsubtract),
    Function::structural("setunion", &[of("first_set", Wants::SetOfAny)], setunion).with_variadic(SET),
];

/// A set of which nothing is known, or its elements.
type Elements = Result<Vec<Value>, Value>;

/// The elements of all arguments, converted to what they have in common.
fn elements(call: &Call) -> Result<Vec<Elements>, String> {
    let items = call.arguments.iter().filter_map(Value::as_sequence).flat_map(|sequence| &sequence.items);
    let element =
        common_type(items).ok_or_else(|| "given sets must all have compatible element types".to_string())?;
    call.arguments
        .iter()
        .map(|argument| match argument.as_sequence() {
            Some(sequence) => {
                let items: Result<Vec<Value>, String> =
                    sequence.items.iter().map(|item| convert_to_common(item, &element)).collect();
                Ok(Ok(items?))
            }
            None => Ok(Err(argument.clone())),
        })
        .collect()
}

fn set(call: &Call, items: Vec<Value>) -> Value {
    call.sequence_of(SequenceKind::Set, unique_in_order(items))
}

/// Whether an element is in a set: `None` when it is not known.
fn is_in(item: &Value, set: &Elements) -> Option<bool> {
    let Ok(items) = set else { return None };
    let mut answer = Some(false);
    for other in items {
        match other.equals(item) {
            Some(true) if !other.repeated => return Some(true),
            Some(false) => {}
            _ => answer = None,
        }
    }
    answer
}

fn too_many(items: &[Value], set: &Elements) -> bool {
    set.as_ref().is_ok_and(|others| items.len().saturating_mul(others.len()) > MAX_COMPARISONS)
}

fn perhaps(item: Value) -> Value {
    Value { repeated: true, ..item }
}

fn setunion(call: &Call) -> Result<Value, String> {
    let mut items = Vec::new();
    for set in elements(call)? {
        match set {
            Ok(elements) => items.extend(elements),
            Err(unknown) => items.push(call.unknown_elements(&unknown)),
        }
        if items.len() > MAX_ELEMENTS {
            return Ok(call.too_large());
        }
    }
    if let (true, [only]) = (items.iter().all(|item| item.repeated), call.arguments) {
        return Ok(only.clone());
    }
    Ok(set(call, items))
}

fn setintersection(call: &Call) -> Result<Value, String> {
    let sets = elements(call)?;
    let Some((first, others)) = sets.split_first() else {
        return Err("at least one set is required".to_string());
    };
    let items = match first {
        Ok(items) => items,
        Err(unknown) => {
            let empty = others.iter().any(|set| set.as_ref().is_ok_and(Vec::is_empty));
            return Ok(if empty { set(call, Vec::new()) } else { call.unknown_from(unknown) });
        }
    };
    if others.iter().any(|other| too_many(items, other)) {
        return Ok(call.too_large());
    }
    let mut kept = Vec::new();
    for item in items {
        let mut answer = Some(true);
        for other in others {
            match is_in(item, other) {
                Some(true) => {}
                Some(false) => {
                    answer = Some(false);
                    break;
                }
                None => answer = None,
            }
        }
        match answer {
            Some(true) => kept.push(item.clone()),
            Some(false) => {}
            None => kept.push(perhaps(item.clone())),
        }
    }
    Ok(set(call, kept))
}

fn setsubtract(call: &Call) -> Result<Value, String> {
    let sets = elements(call)?;
    let [from, taken] = sets.as_slice() else { return Err("two sets are required".to_string()) };
    let items = match from {
        Ok(items) => items,
        Err(unknown) => return Ok(call.unknown_from(unknown)),
    };
    if too_many(items, taken) {
        return Ok(call.too_large());
    }
    let kept = items.iter().filter_map(|item| match is_in(item, taken) {
        Some(true) => None,
        Some(false) => Some(item.clone()),
        None => Some(perhaps(item.clone())),
    });
    Ok(set(call, kept.collect()))
}

fn setproduct(call: &Call) -> Result<Value, String> {
    if call.arguments.len() < 2 {
        return Err("at least two arguments are required".to_string());
    }
    let mut any_set = false;
    let mut factors: Vec<Vec<Value>> = Vec::with_capacity(call.arguments.len());
    let mut unknown = None;
    let mut empty = false;
    for argument in call.arguments {
        match &argument.kind {
            ValueKind::Sequence(sequence) => {
                any_set |= sequence.kind == SequenceKind::Set;
                empty |= sequence.items.is_empty();
                let element = common_type(sequence.items.iter())
                    .ok_or_else(|| "all elements of each argument must have the same type".to_string())?;
                let items: Result<Vec<Value>, String> =
                    sequence.items.iter().map(|item| convert_to_common(item, &element)).collect();
                factors.push(items?);
            }
            ValueKind::Unknown(_) | ValueKind::Reference(_) => unknown = unknown.or(Some(argument)),
            _ => return Err("a set or a list is required".to_string()),
        }
    }
    let kind = if any_set { SequenceKind::Set } else { SequenceKind::List };
    if empty {
        return Ok(call.sequence_of(kind, Vec::new()));
    }
    if let Some(unknown) = unknown {
        return Ok(call.unknown_from(unknown));
    }
    let count = factors.iter().try_fold(1usize, |count, factor| count.checked_mul(factor.len()));
    if count.is_none_or(|count| count > MAX_ELEMENTS) {
        return Ok(call.too_large());
    }
    let mut products: Vec<Vec<Value>> = vec![Vec::new()];
    for factor in &factors {
        products = products
            .iter()
            .flat_map(|product| {
                factor.iter().map(|item| product.iter().chain([item]).cloned().collect::<Vec<Value>>())
            })
            .collect();
    }
    let items = products
        .into_iter()
        .map(|product| {
            // A combination with an element that may be missing may itself be missing.
            let repeated = product.iter().any(|item| item.repeated);
            let product = product.into_iter().map(|item| Value { repeated: false, ..item }).collect();
            Value { repeated, ..call.sequence_of(SequenceKind::Tuple, product) }
        })
        .collect();
    Ok(if any_set { set(call, items) } else { call.list(items) })
}
