//! `format`: .NET's composite format strings.

use super::super::text::plain_text;
use super::{Call, Outcome, error, is_open};
use crate::source::Span;
use crate::value::{Number, Value, ValueKind};

pub(super) fn format(call: &Call<'_, '_, '_>) -> Outcome {
    let pattern = call.text(0)?;
    let mut values: Vec<Value> = Vec::new();
    let mut literal = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(at);
        literal.push_str(before);
        if after.starts_with("{{") || after.starts_with("}}") {
            literal.push_str(&after[..1]);
            rest = &after[2..];
            continue;
        }
        let Some(end) = after.find('}').filter(|_| after.starts_with('{')) else {
            return error("the format string has a brace without its partner");
        };
        let hole = &after[1..end];
        rest = &after[end + 1..];
        if !literal.is_empty() {
            values.push(Value::string(std::mem::take(&mut literal), call.span));
        }
        values.push(fill(call, hole)?);
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        values.push(Value::string(literal, call.span));
    }
    // `format('{0}', x)` of a string is that string, and keeps its place.
    if let [only] = values.as_slice()
        && only.as_str().is_some()
    {
        return Ok(only.clone());
    }
    super::strings::joined(call, values)
}

/// The value for a hole `index[,width][:format]`.
fn fill(call: &Call<'_, '_, '_>, hole: &str) -> Outcome {
    let (place, specification) = match hole.split_once(':') {
        Some((place, specification)) => (place, Some(specification)),
        None => (hole, None),
    };
    let (index, width) = match place.split_once(',') {
        Some((index, width)) => (index, Some(width)),
        None => (place, None),
    };
    let Ok(index) = index.trim().parse::<usize>() else {
        return error(format!("`{{{hole}}}` does not begin with the number of an argument"));
    };
    let Some(value) = index.checked_add(1).and_then(|index| call.get(index)).cloned() else {
        return error(format!("there is no argument for `{{{index}}}`"));
    };
    let derive =
        |value: &Value| call.context.run.identities.derive(&format!("format {hole}"), &[value], value.span);
    if is_open(&value) {
        return Ok(if specification.is_some() || width.is_some() { derive(&value) } else { value });
    }
    let text = match (&value.kind, specification) {
        (ValueKind::Number(number), Some(specification)) => match number_text(number, specification) {
            Some(text) => text,
            None => return Ok(derive_unsupported(call, specification, value.span)),
        },
        (ValueKind::Sequence(_) | ValueKind::Mapping(_), _) => {
            let text = call.context.as_text(value.clone());
            match text.as_str() {
                Some(text) => text.to_string(),
                None => return Ok(text),
            }
        }
        _ => plain_text(&value).to_string(),
    };
    let padded = match width.map(|width| width.trim().parse::<i32>()) {
        None => text,
        Some(Ok(width)) if width.unsigned_abs() <= 100_000 => {
            let missing = (width.unsigned_abs() as usize).saturating_sub(text.encode_utf16().count());
            let space = " ".repeat(missing);
            if width < 0 { format!("{text}{space}") } else { format!("{space}{text}") }
        }
        Some(_) => return error(format!("the width in `{{{hole}}}` is not a number")),
    };
    Ok(Value::string(padded, value.span).marked(value.sensitive))
}

fn derive_unsupported(call: &Call<'_, '_, '_>, specification: &str, span: Span) -> Value {
    let what = format!("the number format `{specification}`");
    call.context.run.report(crate::resource::Diagnostic::warning(
        "unsupported",
        format!("{what} is not supported"),
        span,
    ));
    Value::unknown(crate::value::Cause::Unsupported(what.into()), span)
}

/// A number in one of .NET's formats (invariant culture); `None` for formats that are not supported.
fn number_text(number: &Number, specification: &str) -> Option<String> {
    let sign = if number.signum() < 0 { "-" } else { "" };
    // `000`: at least so many digits.
    if !specification.is_empty() && specification.bytes().all(|byte| byte == b'0') {
        let digits = number.as_i128()?.unsigned_abs().to_string();
        return Some(format!("{sign}{digits:0>width$}", width = specification.len()));
    }
    let mut characters = specification.chars();
    let Some(kind) = characters.next() else { return Some(number.to_string()) };
    let precision = match characters.as_str() {
        "" => None,
        text => Some(text.parse::<usize>().ok().filter(|precision| *precision <= 99)?),
    };
    match kind {
        'd' | 'D' => {
            let digits = number.as_i128()?.unsigned_abs().to_string();
            Some(format!("{sign}{digits:0>width$}", width = precision.unwrap_or(1)))
        }
        'x' | 'X' => {
            let bits = number.as_i64()? as u64;
            let digits = if kind == 'x' { format!("{bits:x}") } else { format!("{bits:X}") };
            Some(format!("{digits:0>width$}", width = precision.unwrap_or(1)))
        }
        'f' | 'F' => Some(fixed(number, precision.unwrap_or(2))),
        'n' | 'N' => {
            let text = fixed(number, precision.unwrap_or(2));
            let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
            let digits = whole.trim_start_matches('-');
            let mut grouped = String::new();
            for (index, digit) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
            Some(format!("{sign}{grouped}{fraction}"))
        }
        'g' | 'G' if precision.is_none() => Some(number.to_string()),
        _ => None,
    }
}

fn fixed(number: &Number, precision: usize) -> String {
    match number.as_i128() {
        Some(whole) if precision == 0 => whole.to_string(),
        Some(whole) => format!("{whole}.{}", "0".repeat(precision)),
        None => format!("{:.precision$}", number.as_f64()),
    }
}
