//! Arrays and objects, and the functions that take strings as well.

use ecow::EcoString;

use super::super::access::entry;
use super::super::operators::equal;
use super::super::text::parts;
use super::{Call, Failure, Outcome, error, is_open};
use crate::value::{Mapping, MappingKind, SequenceKind, TemplatePart, Value, ValueKind};

/// "The count can't exceed 10000"
/// (learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-array#range).
const MAX_RANGE: i64 = 10_000;

fn sequence(call: &Call<'_, '_, '_>, items: Vec<Value>) -> Outcome {
    if !call.context.run.charge(items.len()) {
        return error("the template takes too long to evaluate");
    }
    Ok(Value::sequence(SequenceKind::Tuple, items, call.span))
}

fn mapping(call: &Call<'_, '_, '_>, mapping: Mapping) -> Outcome {
    if !call.context.run.charge(mapping.entries.len()) {
        return error("the template takes too long to evaluate");
    }
    Ok(Value::new(ValueKind::Mapping(std::sync::Arc::new(mapping)), call.span))
}

fn no_entries() -> Mapping {
    Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None }
}

pub(super) fn same(call: &Call<'_, '_, '_>) -> Outcome {
    Ok(call.value(0))
}

pub(super) fn array(call: &Call<'_, '_, '_>) -> Outcome {
    let value = call.value(0);
    match &value.kind {
        ValueKind::Sequence(_) => Ok(value),
        // It may be an array already.
        ValueKind::Unknown(_) => Err(Failure::Unknown),
        _ => sequence(call, vec![value]),
    }
}

pub(super) fn create_array(call: &Call<'_, '_, '_>) -> Outcome {
    sequence(call, call.values.clone())
}

pub(super) fn create_object(call: &Call<'_, '_, '_>) -> Outcome {
    if !call.values.len().is_multiple_of(2) {
        return error("a property has no value");
    }
    let mut made = no_entries();
    for pair in call.values.chunks(2) {
        let [key, value] = pair else { continue };
        match &key.kind {
            ValueKind::String(key) => drop(made.entries.insert(key.clone(), call.entry(value.clone()))),
            _ if is_open(key) => made.rest = made.rest.or_else(|| key.first_unknown()),
            _ => return error("a property's name is not a string"),
        }
    }
    mapping(call, made)
}

pub(super) fn contains(call: &Call<'_, '_, '_>) -> Outcome {
    let (container, wanted) = (call.value(0), call.value(1));
    let answer = match &container.kind {
        ValueKind::String(text) => text.contains(call.text(1)?),
        ValueKind::Template(parts) => {
            let wanted = call.text(1)?;
            let known =
                |part: &TemplatePart| matches!(part, TemplatePart::Literal(text) if text.contains(wanted));
            match parts.iter().any(known) {
                true => true,
                false => return Err(Failure::Unknown),
            }
        }
        ValueKind::Mapping(mapping) => {
            let found = match &wanted.kind {
                ValueKind::Number(number) => entry(mapping, &number.to_string()).is_some(),
                _ => entry(mapping, call.text(1)?).is_some(),
            };
            if !found && mapping.rest.is_some() {
                return Err(Failure::Unknown);
            }
            found
        }
        ValueKind::Sequence(sequence) => {
            let mut unsure = false;
            let mut found = false;
            for item in &sequence.items {
                match equal(item, &wanted, false) {
                    Some(true) if !item.repeated => found = true,
                    Some(false) => {}
                    _ => unsure = true,
                }
            }
            if !found && unsure {
                return Err(Failure::Unknown);
            }
            found
        }
        ValueKind::Unknown(_) | ValueKind::Reference(_) => return Err(Failure::Unknown),
        ValueKind::Null => false,
        _ => return error("the container is no string, array or object"),
    };
    Ok(Value::bool(answer, call.span))
}

pub(super) fn empty(call: &Call<'_, '_, '_>) -> Outcome {
    let value = call.value(0);
    let answer = match &value.kind {
        ValueKind::Null => true,
        ValueKind::String(text) => text.is_empty(),
        ValueKind::Template(parts) => {
            match parts.iter().any(|part| matches!(part, TemplatePart::Literal(text) if !text.is_empty())) {
                true => false,
                false => return Err(Failure::Unknown),
            }
        }
        ValueKind::Sequence(sequence) => match sequence.items.iter().all(|item| item.repeated) {
            true if !sequence.items.is_empty() => return Err(Failure::Unknown),
            all_repeated => all_repeated,
        },
        ValueKind::Mapping(mapping) => match (mapping.entries.is_empty(), &mapping.rest) {
            (true, Some(_)) => return Err(Failure::Unknown),
            (empty, _) => empty,
        },
        // The id of a resource is never empty.
        ValueKind::Reference(_) if super::super::text::is_id_reference(&value) => false,
        ValueKind::Unknown(_) | ValueKind::Reference(_) => return Err(Failure::Unknown),
        _ => return error("the argument is no string, array or object"),
    };
    Ok(Value::bool(answer, call.span))
}

fn end(call: &Call<'_, '_, '_>, last: bool) -> Outcome {
    let value = call.value(0);
    match &value.kind {
        ValueKind::Null => Ok(Value::null(call.span)),
        ValueKind::Sequence(sequence) => {
            let item = if last { sequence.items.last() } else { sequence.items.first() };
            match item {
                Some(item) if item.repeated => Err(Failure::Unknown),
                Some(item) => Ok(item.clone()),
                None => Ok(Value::null(call.span)),
            }
        }
        ValueKind::String(text) => {
            let character = if last { text.chars().next_back() } else { text.chars().next() };
            call.string(character.map(EcoString::from).unwrap_or_default())
        }
        _ if is_open(&value) => Err(Failure::Unknown),
        _ => error("the argument is neither an array nor a string"),
    }
}

pub(super) fn first(call: &Call<'_, '_, '_>) -> Outcome {
    end(call, false)
}

pub(super) fn last(call: &Call<'_, '_, '_>) -> Outcome {
    end(call, true)
}

pub(super) fn length(call: &Call<'_, '_, '_>) -> Outcome {
    let value = call.value(0);
    let length = match &value.kind {
        ValueKind::Sequence(sequence) => match sequence.items.iter().any(|item| item.repeated) {
            true => return Err(Failure::Unknown),
            false => sequence.items.len(),
        },
        ValueKind::Mapping(mapping) => match mapping.rest {
            Some(_) => return Err(Failure::Unknown),
            None => mapping.entries.len(),
        },
        // UTF-16 units, as in .NET.
        ValueKind::String(text) => text.encode_utf16().count(),
        _ if is_open(&value) => return Err(Failure::Unknown),
        _ => return error("the argument is no string, array or object"),
    };
    Ok(Value::number(length, call.span))
}

pub(super) fn flatten(call: &Call<'_, '_, '_>) -> Outcome {
    let mut flat = Vec::new();
    for item in &call.sequence(0)?.items {
        let inner = super::super::access::materialize(call.context, item.clone());
        match &inner.kind {
            ValueKind::Sequence(inner) => flat.extend(inner.items.iter().cloned().map(|mut element| {
                element.repeated |= item.repeated;
                element
            })),
            ValueKind::Unknown(_) | ValueKind::Reference(_) => {
                let mut rest = call.context.run.identities.derive("flatten", &[&inner], inner.span);
                rest.repeated = true;
                flat.push(rest);
            }
            _ => return error("an element is not an array"),
        }
    }
    sequence(call, flat)
}

fn position(call: &Call<'_, '_, '_>, last: bool) -> Outcome {
    let container = call.value(0);
    let found = match &container.kind {
        ValueKind::String(text) => {
            // "The comparison is case-insensitive."
            let (text, wanted) = (text.to_lowercase(), call.text(1)?.to_lowercase());
            let at = if last { text.rfind(&wanted) } else { text.find(&wanted) };
            at.and_then(|at| text.get(..at)).map(|before| before.encode_utf16().count())
        }
        ValueKind::Sequence(sequence) => {
            let wanted = call.value(1);
            let mut found = None;
            for (index, item) in sequence.items.iter().enumerate() {
                match equal(item, &wanted, false) {
                    Some(true) if !item.repeated => {
                        found = Some(index);
                        if !last {
                            break;
                        }
                    }
                    Some(false) if !item.repeated => {}
                    _ => return Err(Failure::Unknown),
                }
            }
            found
        }
        _ if is_open(&container) => return Err(Failure::Unknown),
        _ => return error("the first argument is neither an array nor a string"),
    };
    Ok(Value::number(found.map_or(-1, |found| found as i64), call.span))
}

pub(super) fn index_of(call: &Call<'_, '_, '_>) -> Outcome {
    position(call, false)
}

pub(super) fn last_index_of(call: &Call<'_, '_, '_>) -> Outcome {
    position(call, true)
}

fn from_end(call: &Call<'_, '_, '_>, safe: bool) -> Outcome {
    let missing = |message: &str| if safe { Ok(Value::null(call.span)) } else { error(message) };
    let (container, index) = (call.value(0), call.value(1));
    match &container.kind {
        ValueKind::Sequence(sequence) => {
            let position = match &index.kind {
                ValueKind::Number(number) => number.as_i64(),
                _ if is_open(&index) => return Err(Failure::Unknown),
                _ => None,
            };
            let Some(position) =
                position.and_then(|position| usize::try_from(position).ok()).filter(|p| *p > 0)
            else {
                return missing("the index is not a number above zero");
            };
            if sequence.items.iter().rev().take(position).any(|item| item.repeated) {
                return Err(Failure::Unknown);
            }
            match sequence.items.len().checked_sub(position).and_then(|at| sequence.items.get(at)) {
                Some(item) => Ok(item.clone()),
                None => missing("there are fewer elements"),
            }
        }
        ValueKind::Null => missing("the first argument is not an array"),
        _ if is_open(&container) => Err(Failure::Unknown),
        _ => error("the first argument is not an array"),
    }
}

pub(super) fn index_from_end(call: &Call<'_, '_, '_>) -> Outcome {
    from_end(call, false)
}

pub(super) fn try_index_from_end(call: &Call<'_, '_, '_>) -> Outcome {
    from_end(call, true)
}

pub(super) fn intersection(call: &Call<'_, '_, '_>) -> Outcome {
    if call.values.iter().any(is_open) {
        return Err(Failure::Unknown);
    }
    match &call.value(0).kind {
        ValueKind::Sequence(first) => {
            let mut common: Vec<Value> = Vec::new();
            'items: for item in &first.items {
                if item.repeated {
                    return Err(Failure::Unknown);
                }
                for other in 1..call.values.len() {
                    let answers = call.sequence(other)?.items.iter().map(|candidate| {
                        if candidate.repeated { None } else { equal(candidate, item, false) }
                    });
                    match any(answers) {
                        Some(true) => {}
                        Some(false) => continue 'items,
                        None => return Err(Failure::Unknown),
                    }
                }
                match any(common.iter().map(|own| equal(own, item, false))) {
                    Some(true) => {}
                    Some(false) => common.push(item.clone()),
                    None => return Err(Failure::Unknown),
                }
            }
            sequence(call, common)
        }
        ValueKind::Mapping(first) => {
            let mut common = no_entries();
            for (key, own) in &first.entries {
                let mut everywhere = Some(first.rest.is_none());
                for other in 1..call.values.len() {
                    let other = call.mapping(other)?;
                    let same = match (entry(other, key), &other.rest) {
                        (Some(other), _) => equal(&own.value, &other.value, false),
                        (None, Some(_)) => None,
                        (None, None) => Some(false),
                    };
                    everywhere = match (everywhere, same) {
                        (Some(false), _) | (_, Some(false)) => Some(false),
                        (Some(true), Some(true)) => Some(true),
                        _ => None,
                    };
                }
                match everywhere {
                    Some(true) => drop(common.entries.insert(key.clone(), own.clone())),
                    Some(false) => {}
                    None => return Err(Failure::Unknown),
                }
            }
            mapping(call, common)
        }
        _ => error("the arguments are neither arrays nor objects"),
    }
}

fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unsure = false;
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unsure = true,
        }
    }
    (!unsure).then_some(false)
}

pub(super) fn union(call: &Call<'_, '_, '_>) -> Outcome {
    let given: Vec<&Value> = call.values.iter().filter(|value| !value.is_null()).collect();
    if given.iter().any(|value| matches!(value.kind, ValueKind::Sequence(_))) {
        let mut all: Vec<Value> = Vec::new();
        for value in given {
            match &value.kind {
                ValueKind::Sequence(sequence) => {
                    call.context.run.charge(sequence.items.len().saturating_mul(all.len() / 8 + 1));
                    for item in &sequence.items {
                        match any(all.iter().map(|own| equal(own, item, false))) {
                            Some(true) if !item.repeated => {}
                            Some(false) => all.push(item.clone()),
                            // It may be one of those that are there.
                            _ => all.push(Value { repeated: true, ..item.clone() }),
                        }
                    }
                }
                _ if is_open(value) => {
                    let mut rest = value.derived_unknown(value.span);
                    rest.repeated = true;
                    all.push(rest);
                }
                _ => return error("an argument is not an array"),
            }
        }
        return sequence(call, all);
    }
    let mut all = no_entries();
    if given.iter().all(|value| is_open(value)) && !given.is_empty() {
        return Err(Failure::Unknown);
    }
    for value in given {
        match &value.kind {
            ValueKind::Mapping(mapping) => merge(call, &mut all, mapping, 0),
            _ if is_open(value) => {
                // It may replace anything that stands before it.
                for entry in all.entries.values_mut() {
                    entry.value =
                        call.context.run.identities.derive("union", &[&entry.value, value], entry.value.span);
                }
                all.rest = all.rest.or_else(|| value.first_unknown());
            }
            _ => return error("an argument is neither an array nor an object"),
        }
    }
    mapping(call, all)
}

/// Objects are merged all the way down; arrays are not.
fn merge(call: &Call<'_, '_, '_>, into: &mut Mapping, from: &Mapping, depth: usize) {
    call.context.run.charge(from.entries.len());
    if from.rest.is_some() {
        into.rest = into.rest.take().or_else(|| from.rest.clone());
    }
    for (key, entry) in &from.entries {
        let known = into.entries.keys().find(|own| own.eq_ignore_ascii_case(key)).cloned();
        let old = known.as_ref().and_then(|own| into.entries.get_mut(own));
        match old {
            Some(old) => {
                if let (ValueKind::Mapping(left), ValueKind::Mapping(right)) =
                    (&old.value.kind, &entry.value.kind)
                    && depth < 64
                {
                    let mut merged = Mapping::clone(left);
                    merge(call, &mut merged, right, depth + 1);
                    old.value.kind = ValueKind::Mapping(std::sync::Arc::new(merged));
                } else {
                    *old = entry.clone();
                }
            }
            None => drop(into.entries.insert(key.clone(), entry.clone())),
        }
    }
}

pub(super) fn shallow_merge(call: &Call<'_, '_, '_>) -> Outcome {
    let mut all = no_entries();
    for item in &call.sequence(0)?.items {
        match &item.kind {
            ValueKind::Null => {}
            ValueKind::Mapping(mapping) if !item.repeated => {
                for (key, entry) in &mapping.entries {
                    let known = all.entries.keys().find(|own| own.eq_ignore_ascii_case(key)).cloned();
                    all.entries.insert(known.unwrap_or_else(|| key.clone()), entry.clone());
                }
                all.rest = all.rest.or_else(|| mapping.rest.clone());
            }
            _ if is_open(item) || item.repeated => return Err(Failure::Unknown),
            _ => return error("an element is not an object"),
        }
    }
    mapping(call, all)
}

pub(super) fn range(call: &Call<'_, '_, '_>) -> Outcome {
    let (start, count) = (call.integer(0)?, call.integer(1)?);
    if !(0..=MAX_RANGE).contains(&count) {
        return error(format!("the count {count} is not between 0 and {MAX_RANGE}"));
    }
    match start.checked_add(count) {
        Some(end) if end <= i64::from(i32::MAX) => {
            sequence(call, (start..end).map(|number| Value::number(number, call.span)).collect())
        }
        _ => error("the numbers become larger than 2147483647"),
    }
}

fn cut(call: &Call<'_, '_, '_>, take: bool) -> Outcome {
    let value = call.value(0);
    match &value.kind {
        ValueKind::Sequence(sequence) => {
            let count = call.integer(1)?.clamp(0, sequence.items.len() as i64) as usize;
            let (start, end) = sequence.items.split_at(count);
            if start.iter().any(|item| item.repeated) {
                return Err(Failure::Unknown);
            }
            self::sequence(call, if take { start.to_vec() } else { end.to_vec() })
        }
        ValueKind::String(text) => {
            let units: Vec<u16> = text.encode_utf16().collect();
            let count = call.integer(1)?.clamp(0, units.len() as i64) as usize;
            let (start, end) = units.split_at(count);
            call.string(String::from_utf16_lossy(if take { start } else { end }))
        }
        ValueKind::Template(_) => {
            // The known text at the start may be long enough.
            let count = call.integer(1)?.max(0) as usize;
            match parts(&value).unwrap_or_default().first() {
                Some(TemplatePart::Literal(text)) if take && text.encode_utf16().count() >= count => {
                    let units: Vec<u16> = text.encode_utf16().take(count).collect();
                    call.string(String::from_utf16_lossy(&units))
                }
                _ => Err(Failure::Unknown),
            }
        }
        _ if is_open(&value) => Err(Failure::Unknown),
        _ => error("the first argument is neither an array nor a string"),
    }
}

pub(super) fn take(call: &Call<'_, '_, '_>) -> Outcome {
    cut(call, true)
}

pub(super) fn skip(call: &Call<'_, '_, '_>) -> Outcome {
    cut(call, false)
}

pub(super) fn object_keys(call: &Call<'_, '_, '_>) -> Outcome {
    let mapping = call.mapping(0)?;
    if mapping.rest.is_some() {
        return Err(Failure::Unknown);
    }
    let mut keys: Vec<&EcoString> = mapping.entries.keys().collect();
    keys.sort_by_cached_key(|key| key.to_lowercase());
    sequence(call, keys.into_iter().map(|key| Value::string(key.clone(), call.span)).collect())
}

pub(super) fn items(call: &Call<'_, '_, '_>) -> Outcome {
    let mapping = call.mapping(0)?;
    // "The items() function sorts the objects in the alphabetical order."
    let mut entries: Vec<_> = mapping.entries.iter().collect();
    entries.sort_by_cached_key(|(key, _)| key.to_lowercase());
    let mut made: Vec<Value> = entries
        .into_iter()
        .map(|(key, entry)| {
            let value = entry.value.clone();
            let span = entry.span;
            super::super::place::named_values(
                [
                    (EcoString::from("key"), Value::string(key.clone(), span)),
                    (EcoString::from("value"), value),
                ],
                span,
            )
        })
        .collect();
    if let Some(rest) = &mapping.rest {
        let mut more =
            Value::new(ValueKind::Unknown(std::sync::Arc::clone(rest)), call.span).derived_unknown(call.span);
        more.repeated = true;
        made.push(more);
    }
    sequence(call, made)
}
