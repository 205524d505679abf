//! Functions on collections of any kind.

use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{Call, Function, Wants, any, invalid, is_certainly_filled, nullable, of};
use crate::frontend::terraform::types::{common_type, convert_to_common};
use crate::value::{SequenceKind, Value, ValueKind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::partial("alltrue", &[of("list", Wants::ListOfBool)], |call| every(call, true)),
    Function::partial("anytrue", &[of("list", Wants::ListOfBool)], |call| every(call, false)),
    Function::structural("coalesce", &[], coalesce).with_variadic(nullable("vals")),
    Function::structural("coalescelist", &[], coalescelist).with_variadic(nullable("vals")),
    Function::partial("contains", &[any("list"), any("value")], contains),
    Function::structural("length", &[any("value")], length),
    Function::structural("one", &[any("list")], one),
];

/// `alltrue` looks for the first element that is not true, `anytrue` for the first that is.
fn every(call: &Call, all: bool) -> Result<Value, String> {
    let list = call.argument(0)?;
    if list.is_unknown() {
        return Ok(call.unknown_from(list));
    }
    let mut unknown = None;
    for item in &call.sequence(0)?.items {
        let truth = match &item.kind {
            ValueKind::Bool(truth) => Some(*truth),
            ValueKind::Null => Some(false),
            _ => None,
        };
        match truth {
            Some(truth) if truth == all => {}
            Some(_) if !item.repeated => return Ok(call.bool(!all)),
            _ => unknown = unknown.or(Some(item)),
        }
    }
    Ok(match unknown {
        None => call.bool(all),
        Some(item) if item.is_wholly_known() => call.unknown_from(list),
        Some(item) => call.unknown_from(item),
    })
}

fn coalesce(call: &Call) -> Result<Value, String> {
    let ty = match common_type(call.arguments.iter()) {
        Some(ty) if !call.arguments.is_empty() => ty,
        _ => return Err("all arguments must have the same type".to_string()),
    };
    let collections =
        call.arguments.iter().any(|value| value.as_sequence().is_some() || value.as_mapping().is_some());
    if let Some(unknown) = call.arguments.iter().find(|value| !value.is_wholly_known())
        && collections
        && call.arguments.len() > 1
    {
        // Even which kind of collection comes out depends on the types of all of them.
        return Ok(call.unknown_from(unknown));
    }
    let mut candidates = Vec::new();
    for argument in call.arguments {
        let value = convert_to_common(argument, &ty)?;
        let empty = value.is_null() || value.as_str().is_some_and(str::is_empty);
        if !empty {
            let certain = is_certainly_filled(&value);
            candidates.push(value);
            if certain {
                break;
            }
        }
    }
    match candidates.as_slice() {
        [] => Err("no non-null, non-empty-string arguments".to_string()),
        // The only one that it can be.
        [only] => Ok(only.clone()),
        [first, ..] => Ok(call.unknown_from(first)),
    }
}

fn coalescelist(call: &Call) -> Result<Value, String> {
    if call.arguments.is_empty() {
        return Err("at least one argument is required".to_string());
    }
    let mut candidates = Vec::new();
    for argument in call.arguments {
        match &argument.kind {
            ValueKind::Null => {}
            ValueKind::Sequence(sequence) if sequence.kind != SequenceKind::Set => {
                if sequence.items.iter().any(|item| !item.repeated) {
                    candidates.push(argument);
                    break;
                }
                if !sequence.items.is_empty() {
                    candidates.push(argument);
                }
            }
            ValueKind::Unknown(_) | ValueKind::Reference(_) => candidates.push(argument),
            // Not looked at when the unknown one before it turns out to be filled.
            _ if !candidates.is_empty() => break,
            _ => return Err("coalescelist arguments must be lists or tuples".to_string()),
        }
    }
    match candidates.as_slice() {
        [] => Err("no non-null arguments".to_string()),
        [only] => Ok((*only).clone()),
        [first, ..] => Ok(call.unknown_from(first)),
    }
}

fn contains(call: &Call) -> Result<Value, String> {
    let list = call.argument(0)?;
    if list.is_unknown() {
        return Ok(call.unknown_from(list));
    }
    let Some(sequence) = list.as_sequence() else {
        return Err("argument must be list, tuple, or set".to_string());
    };
    let wanted = call.argument(1)?;
    let mut unknown = None;
    for item in &sequence.items {
        match item.equals(wanted) {
            Some(true) if !item.repeated => return Ok(call.bool(true)),
            Some(false) => {}
            _ => unknown = unknown.or(Some(item)),
        }
    }
    Ok(match unknown {
        None => call.bool(false),
        Some(item) if !item.is_wholly_known() => call.unknown_from(item),
        Some(_) if !wanted.is_wholly_known() => call.unknown_from(wanted),
        Some(_) => call.unknown_from(list),
    })
}

fn length(call: &Call) -> Result<Value, String> {
    let value = call.argument(0)?;
    let count = match &value.kind {
        ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => None,
        ValueKind::String(text) => Some(text.graphemes(true).count()),
        ValueKind::Sequence(sequence) => {
            // Unknown elements of a set may turn out to equal others.
            let certain = match sequence.kind {
                SequenceKind::Set if sequence.items.len() > 1 => {
                    sequence.items.iter().all(|item| !item.repeated && item.is_wholly_known())
                }
                _ => sequence.items.iter().all(|item| !item.repeated),
            };
            certain.then_some(sequence.items.len())
        }
        ValueKind::Mapping(mapping) => {
            let certain =
                mapping.rest.is_none() && mapping.entries.values().all(|entry| !entry.value.repeated);
            certain.then_some(mapping.entries.len())
        }
        ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) => {
            return Err("argument must be a string, a collection type, or a structural type".to_string());
        }
    };
    Ok(count.map_or_else(|| call.unknown_from(value), |count| Value::number(count, call.span)))
}

fn one(call: &Call) -> Result<Value, String> {
    let wrong = || invalid("list", "must be a list, set, or tuple value with either zero or one elements");
    let list = call.argument(0)?;
    if list.is_unknown() {
        return Ok(call.unknown_from(list));
    }
    let sequence = list.as_sequence().ok_or_else(wrong)?;
    let may_coincide = sequence.kind == SequenceKind::Set;
    let mut certain = sequence.items.iter().filter(|item| !item.repeated);
    match (sequence.items.as_slice(), certain.next(), certain.next()) {
        ([], ..) => Ok(Value::null(call.span)),
        // If there is a result at all, it is the one that is certainly there.
        (_, Some(only), None) => Ok(only.clone()),
        (items, Some(first), Some(_)) => {
            if may_coincide && items.iter().any(|item| !item.is_wholly_known()) {
                return Ok(items
                    .iter()
                    .find(|item| item.is_wholly_known())
                    .cloned()
                    .unwrap_or_else(|| call.unknown_from(first)));
            }
            Err(wrong())
        }
        ([first, ..], None, _) => Ok(call.unknown_from(first)),
    }
}
