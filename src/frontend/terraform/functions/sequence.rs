//! Functions on lists and tuples.

use super::arguments::{
    Call, Function, Wants, any, invalid, is_certainly_filled, is_certainly_text, number, of,
};
use super::{MAX_COMPARISONS, MAX_ELEMENTS};
use crate::frontend::terraform::types::{common_type, convert_to_common, type_of, unordered_elements};
use crate::value::{Number, Sequence, SequenceKind, Value, ValueKind, compare_set_elements, identity_text};

/// Terraform's own limit for `range`.
const MAX_RANGE: usize = 1024;

/// How deep `flatten` goes.
const MAX_DEPTH: usize = 128;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::structural("chunklist", &[of("list", Wants::ListOfAny), number("size")], chunklist),
    Function::structural("compact", &[of("list", Wants::ListOfString)], compact),
    Function::structural("concat", &[], concat).with_variadic(any("seqs")),
    Function::structural("distinct", &[of("list", Wants::ListOfAny)], distinct),
    Function::structural("element", &[any("list"), number("index")], element),
    Function::structural("flatten", &[any("list")], flatten),
    Function::partial("index", &[any("list"), any("value")], index),
    Function::structural(
        "matchkeys",
        &[of("values", Wants::ListOfAny), of("keys", Wants::ListOfAny), of("searchset", Wants::ListOfAny)],
        matchkeys,
    ),
    Function::strict("range", &[], range).with_variadic(number("params")),
    Function::structural("reverse", &[any("list")], reverse),
    Function::structural("slice", &[any("list"), number("start_index"), number("end_index")], slice),
    Function::structural("sort", &[of("list", Wants::ListOfString)], sort),
];

/// The first argument that is not known at all, when there is one.
fn unknown_argument<'a>(call: &'a Call) -> Option<&'a Value> {
    call.arguments.iter().find(|argument| argument.is_unknown())
}

fn first_repeated(items: &[Value]) -> Option<&Value> {
    items.iter().find(|item| item.repeated)
}

/// An unknown because it is not known how many elements there are.
fn unknown_length(call: &Call, repeated: &Value) -> Value {
    if repeated.is_wholly_known() && repeated.because.is_none() {
        return call.unsupported("a list of unknown length");
    }
    call.unknown_from(repeated)
}

fn chunklist(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let size = call.integer(1)?;
    let size = usize::try_from(size).map_err(|_| "the size argument must be positive".to_string())?;
    let items = &call.sequence(0)?.items;
    if let Some(repeated) = first_repeated(items) {
        return Ok(unknown_length(call, repeated));
    }
    // Size 0 means one chunk of everything.
    let size = if size == 0 { items.len().max(1) } else { size };
    Ok(call.list(items.chunks(size).map(|chunk| call.list(chunk.to_vec())).collect()))
}

fn compact(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let items = call.sequence(0)?.items.iter().filter_map(|item| match &item.kind {
        ValueKind::Null => None,
        ValueKind::String(text) => (!text.is_empty()).then(|| item.clone()),
        // It may turn out to be empty.
        _ => Some(Value { repeated: item.repeated || !is_certainly_filled(item), ..item.clone() }),
    });
    Ok(call.list(items.collect()))
}

fn concat(call: &Call) -> Result<Value, String> {
    if call.arguments.is_empty() {
        return Err("at least one argument is required".to_string());
    }
    let mut items = Vec::new();
    let mut any_tuple = false;
    let mut any_list = false;
    for argument in call.arguments {
        match &argument.kind {
            ValueKind::Sequence(sequence) if sequence.kind != SequenceKind::Set => {
                any_tuple |= sequence.kind == SequenceKind::Tuple;
                any_list |= sequence.kind == SequenceKind::List;
                items.extend(sequence.items.iter().cloned());
            }
            ValueKind::Unknown(_) | ValueKind::Reference(_) => items.push(call.unknown_elements(argument)),
            _ => {
                let found = type_of(argument).friendly_name();
                return Err(invalid("seqs", &format!("all arguments must be lists or tuples; got {found}")));
            }
        }
        if items.len() > MAX_ELEMENTS {
            return Ok(call.too_large());
        }
    }
    if !any_tuple && !any_list {
        // Nothing is known of any of them.
        if let [only] = call.arguments {
            return Ok(only.clone());
        }
    }
    // An unknown one may be a tuple, and then all elements keep their own types.
    let all_lists = !any_tuple && call.arguments.iter().all(|argument| !argument.is_unknown());
    if all_lists && let Some(element) = common_type(items.iter()) {
        let items: Result<Vec<Value>, String> =
            items.iter().map(|item| convert_to_common(item, &element)).collect();
        return Ok(call.list(items?));
    }
    let kind = if any_tuple || all_lists { SequenceKind::Tuple } else { SequenceKind::List };
    Ok(call.sequence_of(kind, items))
}

fn distinct(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let items = &call.sequence(0)?.items;
    if !items.iter().any(|item| item.repeated) {
        let keys: Option<Vec<String>> = items.iter().map(identity_text).collect();
        if let Some(keys) = keys {
            let mut seen = std::collections::HashSet::new();
            let first = items.iter().zip(keys).filter(|(_, key)| seen.insert(key.clone()));
            return Ok(call.list(first.map(|(item, _)| item.clone()).collect()));
        }
    }
    if items.len().saturating_mul(items.len()) > MAX_COMPARISONS {
        return Ok(call.too_large());
    }
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        let mut may_coincide = item.repeated;
        let mut seen = false;
        for other in &kept {
            match item.equals(other) {
                Some(true) if other.repeated => may_coincide = true,
                Some(true) => seen = true,
                Some(false) => {}
                None if item.is_wholly_known() => {}
                None => may_coincide = true,
            }
        }
        if seen {
            continue;
        }
        if item.is_wholly_known() && !item.repeated {
            // An unknown before it may be the same: then the unknown is one too many.
            for other in &mut kept {
                if !other.repeated && item.equals(other).is_none() {
                    other.repeated = true;
                }
            }
        }
        kept.push(Value { repeated: may_coincide, ..item.clone() });
    }
    Ok(call.list(kept))
}

fn element(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let list = call.argument(0)?;
    let sequence = match list.as_sequence() {
        Some(sequence) if sequence.kind != SequenceKind::Set => sequence,
        _ => return Err(format!("cannot read elements from {}", type_of(list).friendly_name())),
    };
    let index = call.integer(1)?;
    let items = &sequence.items;
    if items.is_empty() {
        return Err("cannot use element function with an empty list".to_string());
    }
    if let Some(first) = items.iter().position(|item| item.repeated) {
        // Before the uncertain part, places are certain.
        let certain = usize::try_from(index).ok().filter(|index| *index < first);
        return Ok(match certain.and_then(|index| items.get(index)) {
            Some(item) => item.clone(),
            None => {
                items.get(first).map_or_else(|| call.unknown_from(list), |item| unknown_length(call, item))
            }
        });
    }
    // Counts on from the start after the end; negative numbers count from the end.
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let wrapped = usize::try_from(index.rem_euclid(length)).unwrap_or(0);
    items.get(wrapped).cloned().ok_or_else(|| "no such element".to_string())
}

fn flatten(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let Some(sequence) = call.argument(0)?.as_sequence() else {
        return Err("can only flatten lists, sets and tuples".to_string());
    };
    let mut items = Vec::new();
    if !flatten_into(sequence, false, false, &mut items, 0) {
        return Ok(call.too_large());
    }
    Ok(call.sequence_of(SequenceKind::Tuple, items))
}

fn flatten_into(
    sequence: &Sequence,
    repeated: bool,
    sensitive: bool,
    items: &mut Vec<Value>,
    depth: usize,
) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    let of_set = sequence.kind == SequenceKind::Set && sequence.items.len() > 1;
    let ordered = if of_set { unordered_elements(sequence.items.clone()) } else { Vec::new() };
    let elements = if of_set { &ordered } else { &sequence.items };
    for item in elements {
        if items.len() > MAX_ELEMENTS {
            return false;
        }
        let repeated = repeated || item.repeated;
        let sensitive = sensitive || item.sensitive;
        match &item.kind {
            ValueKind::Sequence(inner) => {
                if !flatten_into(inner, repeated, sensitive, items, depth + 1) {
                    return false;
                }
            }
            // It may turn out to be a list of any length.
            ValueKind::Unknown(_) | ValueKind::Reference(_) if !is_certainly_text(item) => {
                items.push(Value { repeated: true, sensitive, ..item.clone() });
            }
            _ => items.push(Value { repeated, sensitive, ..item.clone() }),
        }
    }
    true
}

fn index(call: &Call) -> Result<Value, String> {
    let list = call.argument(0)?;
    if list.is_unknown() {
        return Ok(call.unknown_from(list));
    }
    let sequence = match list.as_sequence() {
        Some(sequence) if sequence.kind != SequenceKind::Set => sequence,
        _ => return Err("argument must be a list or tuple".to_string()),
    };
    if sequence.items.is_empty() {
        return Err("cannot search an empty list".to_string());
    }
    let wanted = call.argument(1)?;
    for (place, item) in sequence.items.iter().enumerate() {
        if item.repeated {
            return Ok(unknown_length(call, item));
        }
        match item.equals(wanted) {
            Some(true) => return Ok(Value::number(place, call.span)),
            Some(false) => {}
            None if item.is_wholly_known() => return Ok(call.unknown_from(wanted)),
            None => return Ok(call.unknown_from(item)),
        }
    }
    Err("item not found".to_string())
}

fn matchkeys(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let (values, keys, wanted) = (call.sequence(0)?, call.sequence(1)?, call.sequence(2)?);
    let (values, keys) = (&values.items, &keys.items);
    if let Some(repeated) = first_repeated(values).or_else(|| first_repeated(keys)) {
        return Ok(unknown_length(call, repeated));
    }
    if values.len() != keys.len() {
        return Err("length of keys and values should be equal".to_string());
    }
    if keys.len().saturating_mul(wanted.items.len()) > MAX_COMPARISONS {
        return Ok(call.too_large());
    }
    let ty = common_type(keys.iter().chain(&wanted.items))
        .ok_or_else(|| "keys and searchset must be of the same type".to_string())?;
    let converted = |items: &[Value]| {
        items.iter().map(|item| convert_to_common(item, &ty)).collect::<Result<Vec<_>, _>>()
    };
    let (keys, wanted) = (converted(keys)?, converted(&wanted.items)?);
    let mut kept = Vec::new();
    for (value, key) in values.iter().zip(&keys) {
        let mut matches = Some(false);
        for wanted in &wanted {
            match key.equals(wanted) {
                Some(true) if !wanted.repeated => {
                    matches = Some(true);
                    break;
                }
                Some(false) => {}
                _ => matches = None,
            }
        }
        match matches {
            Some(true) => kept.push(value.clone()),
            Some(false) => {}
            None => kept.push(Value { repeated: true, ..value.clone() }),
        }
    }
    Ok(call.list(kept))
}

fn range(call: &Call) -> Result<Value, String> {
    let zero = Number::Integer(0);
    let one = Number::Integer(1);
    let (start, end) = match call.arguments.len() {
        1 => (&zero, call.number(0)?),
        2 | 3 => (call.number(0)?, call.number(1)?),
        _ => return Err("must have one, two, or three arguments".to_string()),
    };
    let down = end < start;
    let step = match call.arguments.len() {
        3 => call.number(2)?.clone(),
        _ if down => one.negate(),
        _ => one,
    };
    if down && step.signum() > 0 {
        return Err("must be a negative step because end is less than start".to_string());
    }
    if end > start && step.signum() < 0 {
        return Err("must be a positive step because end is greater than start".to_string());
    }
    let mut items = Vec::new();
    let mut next = start.clone();
    while if down { next > *end } else { next < *end } {
        if items.len() >= MAX_RANGE {
            return Err("more than 1024 values were generated; either decrease the difference between \
                        start and end or use a smaller step"
                .to_string());
        }
        items.push(Value::number(next.clone(), call.span));
        match next.add(&step) {
            Some(sum) => next = sum,
            None => return Ok(call.too_large()),
        }
    }
    Ok(call.list(items))
}

fn reverse(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let list = call.argument(0)?;
    let Some(sequence) = list.as_sequence() else {
        let found = type_of(list).friendly_name();
        return Err(invalid("list", &format!("can only reverse list or tuple values, not {found}")));
    };
    let (kind, mut items) = match sequence.kind {
        SequenceKind::Set if sequence.items.len() > 1 => {
            (SequenceKind::List, unordered_elements(sequence.items.clone()))
        }
        SequenceKind::Set => (SequenceKind::List, sequence.items.clone()),
        kind => (kind, sequence.items.clone()),
    };
    items.reverse();
    Ok(call.sequence_of(kind, items))
}

fn slice(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let list = call.argument(0)?;
    let sequence = match list.as_sequence() {
        Some(sequence) if sequence.kind == SequenceKind::Set => {
            return Err(invalid("list", "cannot slice a set, because its elements do not have indices"));
        }
        Some(sequence) => sequence,
        None => return Err(invalid("list", "must be a list or tuple value")),
    };
    let place = |index: usize, name: &str| {
        usize::try_from(call.integer(index)?).map_err(|_| invalid(name, "index must not be less than zero"))
    };
    let (start, end) = (place(1, "start_index")?, place(2, "end_index")?);
    if start > end {
        return Err(invalid("start_index", "start index must not be greater than end index"));
    }
    let items = &sequence.items;
    if let Some(first) = items.iter().position(|item| item.repeated) {
        if end > first {
            return Ok(items
                .get(first)
                .map_or_else(|| call.unknown_from(list), |item| unknown_length(call, item)));
        }
    } else if end > items.len() {
        return Err(invalid("end_index", "end index must not be greater than the length of the list"));
    }
    let slice = items.get(start..end).unwrap_or_default().to_vec();
    Ok(call.sequence_of(sequence.kind, slice))
}

fn sort(call: &Call) -> Result<Value, String> {
    if let Some(unknown) = unknown_argument(call) {
        return Ok(call.unknown_from(unknown));
    }
    let mut items = call.sequence(0)?.items.clone();
    if items.iter().any(Value::is_null) {
        return Err(invalid("list", "given list element is null; cannot sort null strings"));
    }
    items.sort_by(compare_set_elements);
    if items.len() > 1 && items.iter().any(|item| !item.is_wholly_known()) {
        items = unordered_elements(items);
    }
    Ok(call.list(items))
}
