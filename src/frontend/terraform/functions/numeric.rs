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

/// Terraform computes logarithms and powers in 64-bit floating point; `ceil(log(n, 2))` is how many bits number n subnets,
/// so the last bit matters.
fn log(call: &Call) -> Result<Value, String> {
    let result = natural_logarithm(call.number(0)?.as_f64()) / natural_logarithm(call.number(1)?.as_f64());
    finite(call, result, "logarithm")
}

/// The logarithm as Go computes it, by the method of fdlibm (`e_log.c`): other libraries differ in the last bit.
fn natural_logarithm(x: f64) -> f64 {
    // ln 2 in two parts, and the coefficients of the polynomial of fdlibm.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const ODD: [f64; 4] = [
        6.666_666_666_666_735e-1,
        2.857_142_874_366_239e-1,
        1.818_357_216_161_805e-1,
        1.479_819_860_511_658_6e-1,
    ];
    const EVEN: [f64; 3] = [3.999_999_999_940_942e-1, 2.222_219_843_214_978_4e-1, 1.531_383_769_920_937_3e-1];
    if !x.is_finite() || x <= 0.0 {
        return x.ln();
    }
    let (mut fraction, mut exponent) = split_float(x);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (ODD[0] + s4 * (ODD[1] + s4 * (ODD[2] + s4 * ODD[3])));
    let even = s4 * (EVEN[0] + s4 * (EVEN[1] + s4 * EVEN[2]));
    let r = odd + even;
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f)
}

/// A positive number as a fraction from 0.5 up to 1 and a power of two.
fn split_float(x: f64) -> (f64, i32) {
    // Numbers too small for a full mantissa are scaled first.
    let (x, scaled) = if x < f64::MIN_POSITIVE { (x * 2f64.powi(54), 54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent - scaled)
}

fn pow(call: &Call) -> Result<Value, String> {
    let (x, y) = (call.number(0)?.as_f64(), call.number(1)?.as_f64());
    let whole = y.fract() == 0.0 && y != 0.0 && y.abs() < 1e15 && x != 0.0 && x.is_finite();
    finite(call, if whole { whole_power(x, y) } else { x.powf(y) }, "power")
}

/// A whole power as Go computes it, by squaring the fraction and counting its power of two.
fn whole_power(x: f64, y: f64) -> f64 {
    let negative = x < 0.0 && y % 2.0 != 0.0;
    let (mut square, mut square_exponent) = split_float(x.abs());
    let (mut result, mut exponent) = (1.0f64, 0i32);
    let mut left = y.abs() as u64;
    while left != 0 {
        if square_exponent.abs() > 1 << 12 {
            // Far beyond what a float holds.
            exponent = exponent.saturating_add(square_exponent);
            break;
        }
        if left & 1 == 1 {
            result *= square;
            exponent = exponent.saturating_add(square_exponent);
        }
        square *= square;
        square_exponent *= 2;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        left >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        exponent = exponent.saturating_neg();
    }
    // In two steps, because a power of two may lie beyond the range where the product does not.
    let exponent = exponent.clamp(-4_000, 4_000);
    let magnitude = result * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
    if negative { -magnitude } else { magnitude }
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
