//! Functions on numbers.

use num_bigint::BigUint;

use super::arguments::{Call, Function, any, invalid, number};
use crate::value::{Number, Value, ValueKind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("abs", &[number("num")], abs),
    Function::strict("ceil", &[number("num")], ceil),
    Function::strict("floor", &[number("num")], floor),
    Function::strict("log", &[number("num"), number("base")], log),
    Function::strict("max", &[], max).with_variadic(number("numbers")),
    Function::strict("min", &[], min).with_variadic(number("numbers")),
    Function::strict("parseint", &[any("number"), number("base")], parseint),
    Function::strict("pow", &[number("num"), number("power")], pow),
    Function::strict("signum", &[number("num")], signum),
    Function::strict("sum", &[any("list")], sum),
];

fn of(call: &Call, number: Option<Number>) -> Result<Value, String> {
    Ok(number.map_or_else(|| call.too_large(), |number| Value::number(number, call.span)))
}

fn abs(call: &Call) -> Result<Value, String> {
    let number = call.number(0)?;
    of(call, Some(if number.signum() < 0 { number.negate() } else { number.clone() }))
}

fn ceil(call: &Call) -> Result<Value, String> {
    of(call, call.number(0)?.ceil())
}

fn floor(call: &Call) -> Result<Value, String> {
    of(call, call.number(0)?.floor())
}

/// Terraform computes logarithms and powers in 64-bit floating point, so the result is the same here.
fn log(call: &Call) -> Result<Value, String> {
    let result = call.number(0)?.as_f64().ln() / call.number(1)?.as_f64().ln();
    finite(call, result, "logarithm")
}

fn pow(call: &Call) -> Result<Value, String> {
    let result = call.number(0)?.as_f64().powf(call.number(1)?.as_f64());
    finite(call, result, "power")
}

fn finite(call: &Call, result: f64, what: &str) -> Result<Value, String> {
    match Number::from_f64(result) {
        Some(number) => of(call, Some(number)),
        None => Err(format!("the {what} is not a number")),
    }
}

fn max(call: &Call) -> Result<Value, String> {
    extreme(call, |candidate, best| candidate > best)
}

fn min(call: &Call) -> Result<Value, String> {
    extreme(call, |candidate, best| candidate < best)
}

/// The chosen number keeps its place.
fn extreme(call: &Call, better: fn(&Number, &Number) -> bool) -> Result<Value, String> {
    let mut best: Option<(&Number, &Value)> = None;
    for value in call.arguments {
        let Some(number) = value.as_number() else { continue };
        if best.is_none_or(|(found, _)| better(number, found)) {
            best = Some((number, value));
        }
    }
    best.map(|(_, value)| value.clone()).ok_or_else(|| "must pass at least one number".to_string())
}

fn signum(call: &Call) -> Result<Value, String> {
    if !call.number(0)?.is_whole() {
        return Err("value must be a whole number".to_string());
    }
    of(call, Some(Number::from(i64::from(call.number(0)?.signum()))))
}

fn parseint(call: &Call) -> Result<Value, String> {
    let argument = call.argument(0)?;
    let Some(text) = argument.as_str() else {
        return Err(invalid("number", "first argument must be a string"));
    };
    let base = call
        .number(1)?
        .as_i64()
        .and_then(|base| u32::try_from(base).ok())
        .filter(|base| (2..=62).contains(base))
        .ok_or_else(|| invalid("base", "base must be a whole number between 2 and 62 inclusive"))?;
    let wrong = || {
        let shown = if argument.sensitive { "(sensitive value)".to_string() } else { format!("{text:?}") };
        invalid("number", &format!("cannot parse {shown} as a base {base} integer"))
    };
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(wrong());
    }
    if digits.len() > 4_000 {
        return Ok(call.too_large());
    }
    // Up to base 36 letters of both cases mean the same; beyond, capital letters come after small ones.
    let mut values = Vec::with_capacity(digits.len());
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'z' => digit - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => digit - b'A' + 10,
            b'A'..=b'Z' => digit - b'A' + 36,
            _ => return Err(wrong()),
        };
        if u32::from(value) >= base {
            return Err(wrong());
        }
        values.push(value);
    }
    let magnitude = BigUint::from_radix_be(&values, base).ok_or_else(wrong)?;
    of(call, Number::from_digits(negative, &magnitude))
}

fn sum(call: &Call) -> Result<Value, String> {
    let wrong = || invalid("list", "argument must be list, set, or tuple of number values");
    let Some(sequence) = call.argument(0)?.as_sequence() else {
        return Err(invalid("list", "argument must be list, set, or tuple; not a single value"));
    };
    if sequence.items.is_empty() {
        return Err(invalid("list", "cannot sum an empty list"));
    }
    let mut total = Number::Integer(0);
    for item in &sequence.items {
        let number = match &item.kind {
            ValueKind::Number(number) => number.clone(),
            ValueKind::String(text) => Number::parse(text).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        match total.add(&number) {
            Some(added) => total = added,
            None => return Ok(call.too_large()),
        }
    }
    of(call, Some(total))
}
