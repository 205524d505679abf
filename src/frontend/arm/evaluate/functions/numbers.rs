//! Numbers, truth values, comparison.

use std::cmp::Ordering;

use super::super::operators::{compare, equal};
use super::{Call, Failure, Outcome, error};
use crate::value::{Number, Value, ValueKind};

pub(super) fn yes(call: &Call<'_, '_, '_>) -> Outcome {
    Ok(Value::bool(true, call.span))
}

pub(super) fn no(call: &Call<'_, '_, '_>) -> Outcome {
    Ok(Value::bool(false, call.span))
}

pub(super) fn null(call: &Call<'_, '_, '_>) -> Outcome {
    Ok(Value::null(call.span))
}

pub(super) fn bool(call: &Call<'_, '_, '_>) -> Outcome {
    let value = call.value(0);
    match &value.kind {
        ValueKind::Bool(value) => Ok(Value::bool(*value, call.span)),
        ValueKind::Number(number) => Ok(Value::bool(number.signum() != 0, call.span)),
        _ => match call.text(0)?.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(Value::bool(true, call.span)),
            "false" | "0" => Ok(Value::bool(false, call.span)),
            _ => error("the text is neither true nor false"),
        },
    }
}

pub(super) fn not(call: &Call<'_, '_, '_>) -> Outcome {
    match &call.value(0).kind {
        ValueKind::Bool(value) => Ok(Value::bool(!value, call.span)),
        ValueKind::String(text) if text.eq_ignore_ascii_case("true") => Ok(Value::bool(false, call.span)),
        ValueKind::String(text) if text.eq_ignore_ascii_case("false") => Ok(Value::bool(true, call.span)),
        ValueKind::Template(_) | ValueKind::Unknown(_) | ValueKind::Reference(_) => Err(Failure::Unknown),
        _ => error("the argument is neither true nor false"),
    }
}

fn integers(call: &Call<'_, '_, '_>) -> Result<(i128, i128), Failure> {
    let whole = |index: usize| match call.number(index, true)?.as_i128() {
        Some(number) => Ok(number),
        None => error(format!("argument {} is not a whole number", index + 1)),
    };
    Ok((whole(0)?, whole(1)?))
}

fn result(call: &Call<'_, '_, '_>, number: Option<i128>) -> Outcome {
    match number.filter(|number| i64::try_from(*number).is_ok()) {
        Some(number) => Ok(Value::number(number, call.span)),
        None => error("the result is not a 64-bit number"),
    }
}

pub(super) fn add(call: &Call<'_, '_, '_>) -> Outcome {
    let (a, b) = integers(call)?;
    result(call, a.checked_add(b))
}

pub(super) fn sub(call: &Call<'_, '_, '_>) -> Outcome {
    let (a, b) = integers(call)?;
    result(call, a.checked_sub(b))
}

pub(super) fn mul(call: &Call<'_, '_, '_>) -> Outcome {
    let (a, b) = integers(call)?;
    result(call, a.checked_mul(b))
}

pub(super) fn div(call: &Call<'_, '_, '_>) -> Outcome {
    let (a, b) = integers(call)?;
    if b == 0 {
        return error("division by zero");
    }
    result(call, a.checked_div(b))
}

pub(super) fn modulo(call: &Call<'_, '_, '_>) -> Outcome {
    let (a, b) = integers(call)?;
    if b == 0 {
        return error("division by zero");
    }
    result(call, a.checked_rem(b))
}

pub(super) fn int(call: &Call<'_, '_, '_>) -> Outcome {
    match &call.value(0).kind {
        ValueKind::Number(number) => match number.as_i128() {
            Some(number) => result(call, Some(number)),
            None => result(call, Some(number.as_f64().round_ties_even() as i128)),
        },
        _ => {
            let text = call.text(0)?.trim().to_string();
            match Number::parse(&text).and_then(|number| number.as_i128()) {
                Some(number) => result(call, Some(number)),
                None => error("the text is not a whole number"),
            }
        }
    }
}

pub(super) fn float(call: &Call<'_, '_, '_>) -> Outcome {
    Ok(Value::number(call.number(0, true)?, call.span))
}

fn extreme(call: &Call<'_, '_, '_>, wanted: Ordering) -> Outcome {
    let mut best: Option<Number> = None;
    let mut unknown = false;
    let mut consider = |value: &Value| match &value.kind {
        ValueKind::Number(number) => {
            if best.as_ref().is_none_or(|best| number.partial_cmp(best) == Some(wanted)) {
                best = Some(number.clone());
            }
            Ok(())
        }
        ValueKind::Template(_) | ValueKind::Unknown(_) | ValueKind::Reference(_) => {
            unknown = true;
            Ok(())
        }
        _ => error("an argument is not a whole number"),
    };
    for value in &call.values {
        match &value.kind {
            ValueKind::Sequence(sequence) => sequence.items.iter().try_for_each(&mut consider)?,
            _ => consider(value)?,
        }
    }
    match (unknown, best) {
        (true, _) => Err(Failure::Unknown),
        (false, Some(number)) => Ok(Value::number(number, call.span)),
        (false, None) => error("there is nothing to choose from"),
    }
}

pub(super) fn max(call: &Call<'_, '_, '_>) -> Outcome {
    extreme(call, Ordering::Greater)
}

pub(super) fn min(call: &Call<'_, '_, '_>) -> Outcome {
    extreme(call, Ordering::Less)
}

pub(super) fn equals(call: &Call<'_, '_, '_>) -> Outcome {
    let (left, right) = (call.value(0), call.value(1));
    match equal(&left, &right, false) {
        Some(equal) => Ok(Value::bool(equal, call.span)),
        None => Err(Failure::Unknown),
    }
}

fn ordered(call: &Call<'_, '_, '_>, wanted: fn(Ordering) -> bool) -> Outcome {
    let (left, right) = (call.value(0), call.value(1));
    if super::is_open(&left) || super::is_open(&right) {
        return Err(Failure::Unknown);
    }
    match compare(&left, &right) {
        Some(order) => Ok(Value::bool(wanted(order), call.span)),
        None => error("only two numbers or two strings can be compared"),
    }
}

pub(super) fn less(call: &Call<'_, '_, '_>) -> Outcome {
    ordered(call, Ordering::is_lt)
}

pub(super) fn less_or_equals(call: &Call<'_, '_, '_>) -> Outcome {
    ordered(call, Ordering::is_le)
}

pub(super) fn greater(call: &Call<'_, '_, '_>) -> Outcome {
    ordered(call, Ordering::is_gt)
}

pub(super) fn greater_or_equals(call: &Call<'_, '_, '_>) -> Outcome {
    ordered(call, Ordering::is_ge)
}
