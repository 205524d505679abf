//! Strings.

use ecow::EcoString;

use super::super::ids;
use super::super::text::{self, from_parts, json_text, part_value, parts};
use super::{Call, Failure, Outcome, error, is_open};
use crate::value::{Cause, SequenceKind, TemplatePart, Value, ValueKind};

pub(super) fn concat(call: &Call<'_, '_, '_>) -> Outcome {
    if call.values.iter().any(|value| matches!(value.kind, ValueKind::Sequence(_))) {
        let mut all = Vec::new();
        for value in &call.values {
            match &value.kind {
                ValueKind::Sequence(sequence) => all.extend(sequence.items.iter().cloned()),
                ValueKind::Unknown(_) | ValueKind::Reference(_) => {
                    let mut rest = value.derived_unknown(value.span);
                    rest.repeated = true;
                    all.push(rest);
                }
                _ => return error("arrays and other values cannot be joined"),
            }
        }
        if !call.context.run.charge(all.len()) {
            return error("the template takes too long to evaluate");
        }
        return Ok(Value::sequence(SequenceKind::Tuple, all, call.span));
    }
    if call.values.iter().any(|value| matches!(value.kind, ValueKind::Mapping(_))) {
        return error("an argument is an object");
    }
    if let [only] = call.values.as_slice()
        && (only.as_str().is_some() || is_open(only))
    {
        return Ok(only.clone());
    }
    // All unknown: they may be arrays as well.
    if call.values.iter().all(|value| matches!(value.kind, ValueKind::Unknown(_))) {
        return Err(Failure::Unknown);
    }
    joined(call, call.values.clone())
}

/// A text of values, an id of a declared resource recognized.
pub(super) fn joined(call: &Call<'_, '_, '_>, values: Vec<Value>) -> Outcome {
    let value = text::concat(values, call.span);
    if let Some(text) = value.as_str() {
        return call.string(text).map(|value| ids::recognize(call.context, value));
    }
    if let ValueKind::Template(parts) = &value.kind {
        let size = |part: &TemplatePart| {
            if let TemplatePart::Literal(text) = part { text.len() / 16 + 1 } else { 1 }
        };
        if !call.context.run.charge(parts.iter().map(size).sum()) || parts.len() > 10_000 {
            return Err(Failure::Unknown);
        }
    }
    Ok(ids::recognize(call.context, value))
}

pub(super) fn string(call: &Call<'_, '_, '_>) -> Outcome {
    let value = call.value(0);
    match &value.kind {
        ValueKind::Sequence(_) | ValueKind::Mapping(_) => match value.is_wholly_known() {
            true => call.string(json_text(&value)),
            false => Err(Failure::Unknown),
        },
        ValueKind::String(_) | ValueKind::Template(_) => Ok(value),
        // The text of something unknown is not known to be the same thing.
        ValueKind::Unknown(_) => Err(Failure::Unknown),
        ValueKind::Reference(_) => Ok(value),
        ValueKind::Null => call.string(""),
        _ => call.string(text::plain_text(&value)),
    }
}

pub(super) fn join(call: &Call<'_, '_, '_>) -> Outcome {
    let items = &call.sequence(0)?.items;
    let delimiter = match call.get(1).map(|value| &value.kind) {
        Some(ValueKind::String(_)) => call.value(1),
        Some(ValueKind::Template(_) | ValueKind::Unknown(_) | ValueKind::Reference(_)) => call.value(1),
        _ => return error("the delimiter is not a string"),
    };
    if items.iter().any(|item| item.repeated) {
        return Err(Failure::Unknown);
    }
    let mut values = Vec::with_capacity(items.len() * 2);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            values.push(delimiter.clone());
        }
        match &item.kind {
            ValueKind::Sequence(_) | ValueKind::Mapping(_) => values.push(call.context.as_text(item.clone())),
            _ => values.push(item.clone()),
        }
    }
    joined(call, values)
}

fn each_part(call: &Call<'_, '_, '_>, name: &str, change: impl Fn(&str) -> String) -> Outcome {
    let value = call.value(0);
    match &value.kind {
        ValueKind::String(text) => {
            let changed = change(text);
            // A text that stays as it is keeps its place.
            if changed == text.as_str() { Ok(value) } else { call.string(changed) }
        }
        ValueKind::Template(parts) => {
            let parts = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Literal(text) => TemplatePart::Literal(change(text).into()),
                    TemplatePart::Value(value) => {
                        TemplatePart::Value(call.context.run.identities.derive(name, &[value], value.span))
                    }
                })
                .collect();
            Ok(from_parts(parts, call.span))
        }
        _ if is_open(&value) => Err(Failure::Unknown),
        _ => error("the argument is not a string"),
    }
}

pub(super) fn to_lower(call: &Call<'_, '_, '_>) -> Outcome {
    each_part(call, "tolower", |text| text.to_lowercase())
}

pub(super) fn to_upper(call: &Call<'_, '_, '_>) -> Outcome {
    each_part(call, "toupper", |text| text.to_uppercase())
}

pub(super) fn trim(call: &Call<'_, '_, '_>) -> Outcome {
    call.string(call.text(0)?.trim())
}

pub(super) fn replace(call: &Call<'_, '_, '_>) -> Outcome {
    let (old, new) = (call.text(1)?, call.text(2)?);
    let value = call.value(0);
    // Templates that are deployed every day do this with empty tokens.
    if old.is_empty() && (value.as_str().is_some() || is_open(&value)) {
        return Ok(value);
    }
    match &value.kind {
        // Without the text it stays what it is: known parts cannot tell what lies across their borders.
        ValueKind::Template(parts) if old.chars().count() == 1 => {
            let name = format!("replace {old:?} {new:?}");
            let parts = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Literal(text) => TemplatePart::Literal(text.replace(old, new)),
                    TemplatePart::Value(value) => {
                        TemplatePart::Value(call.context.run.identities.derive(&name, &[value], value.span))
                    }
                })
                .collect();
            Ok(from_parts(parts, call.span))
        }
        _ => {
            let text = call.text(0)?;
            match text.contains(old) {
                true => call.string(text.replace(old, new)),
                false => Ok(value),
            }
        }
    }
}

pub(super) fn starts_with(call: &Call<'_, '_, '_>) -> Outcome {
    let wanted = call.text(1)?.to_lowercase();
    affix(
        call,
        &wanted,
        |parts| parts.first(),
        |text, wanted| text.starts_with(wanted),
        |a, b| a.starts_with(b),
    )
}

pub(super) fn ends_with(call: &Call<'_, '_, '_>) -> Outcome {
    let wanted = call.text(1)?.to_lowercase();
    affix(call, &wanted, |parts| parts.last(), |text, wanted| text.ends_with(wanted), |a, b| a.ends_with(b))
}

fn affix(
    call: &Call<'_, '_, '_>,
    wanted: &str,
    side: fn(&[TemplatePart]) -> Option<&TemplatePart>,
    holds: fn(&str, &str) -> bool,
    may_hold: fn(&str, &str) -> bool,
) -> Outcome {
    let value = call.value(0);
    if let ValueKind::Template(parts) = &value.kind {
        let Some(TemplatePart::Literal(known)) = side(parts) else { return Err(Failure::Unknown) };
        let known = known.to_lowercase();
        return match (holds(&known, wanted), may_hold(wanted, &known)) {
            (true, _) => Ok(Value::bool(true, call.span)),
            (false, true) => Err(Failure::Unknown),
            (false, false) => Ok(Value::bool(false, call.span)),
        };
    }
    Ok(Value::bool(holds(&call.text(0)?.to_lowercase(), wanted), call.span))
}

pub(super) fn pad_left(call: &Call<'_, '_, '_>) -> Outcome {
    let value = call.value(0);
    let text = match &value.kind {
        ValueKind::Number(number) => EcoString::from(number.to_string()),
        _ => call.text(0)?.into(),
    };
    let width = call.integer(1)?;
    let fill = match call.values.len() {
        3 => call.text(2)?,
        _ => " ",
    };
    let mut characters = fill.chars();
    let (Some(fill), None) = (characters.next(), characters.next()) else {
        return error("the filling is not one character");
    };
    if !(0..=100_000).contains(&width) {
        return error("the width is not between 0 and 100000");
    }
    let missing = (width as usize).saturating_sub(text.encode_utf16().count());
    call.string(format!("{}{text}", String::from(fill).repeat(missing)))
}

pub(super) fn substring(call: &Call<'_, '_, '_>) -> Outcome {
    let start = call.integer(1)?;
    let length = match call.values.len() {
        3 if !call.value(2).is_null() => Some(call.integer(2)?),
        _ => None,
    };
    let cut = |text: &str, whole: bool| {
        let units: Vec<u16> = text.encode_utf16().collect();
        let start = usize::try_from(start).ok().filter(|start| *start <= units.len())?;
        let end = match length {
            Some(length) => start.checked_add(usize::try_from(length).ok()?)?,
            None if whole => units.len(),
            None => return None,
        };
        units.get(start..end).map(String::from_utf16_lossy)
    };
    match &call.value(0).kind {
        ValueKind::Template(parts) => match parts.first() {
            Some(TemplatePart::Literal(text)) => match cut(text, false) {
                Some(known) => call.string(known),
                None => Err(Failure::Unknown),
            },
            _ => Err(Failure::Unknown),
        },
        _ => match cut(call.text(0)?, true) {
            Some(known) => call.string(known),
            None => error("the start and length do not lie within the text"),
        },
    }
}

pub(super) fn split(call: &Call<'_, '_, '_>) -> Outcome {
    let delimiters: Vec<EcoString> = match &call.value(1).kind {
        ValueKind::Sequence(sequence) => sequence
            .items
            .iter()
            .map(|item| match &item.kind {
                ValueKind::String(text) => Ok(text.clone()),
                _ if is_open(item) => Err(Failure::Unknown),
                _ => error("a delimiter is not a string"),
            })
            .collect::<Result<_, _>>()?,
        _ => vec![call.text(1)?.into()],
    };
    let delimiters: Vec<&str> =
        delimiters.iter().map(EcoString::as_str).filter(|text| !text.is_empty()).collect();
    let value = call.value(0);
    match &value.kind {
        ValueKind::String(text) => {
            let pieces = split_text(text, &delimiters);
            call.context.run.charge(pieces.len());
            let pieces = pieces.into_iter().map(|piece| Value::string(piece, value.span)).collect();
            Ok(Value::sequence(SequenceKind::Tuple, pieces, call.span))
        }
        ValueKind::Template(_) if delimiters.iter().all(|delimiter| delimiter.chars().count() == 1) => {
            Ok(Value::sequence(SequenceKind::Tuple, split_parts(call, &value, &delimiters), call.span))
        }
        _ if is_open(&value) => Err(Failure::Unknown),
        _ => error("the first argument is not a string"),
    }
}

fn split_text<'t>(text: &'t str, delimiters: &[&str]) -> Vec<&'t str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let next = delimiters
            .iter()
            .filter_map(|delimiter| rest.find(delimiter).map(|at| (at, delimiter.len())))
            .min_by_key(|(at, length)| (*at, usize::MAX - length));
        match next {
            Some((at, length)) => {
                pieces.push(rest.get(..at).unwrap_or(""));
                rest = rest.get(at + length..).unwrap_or("");
            }
            None => {
                pieces.push(rest);
                return pieces;
            }
        }
    }
}

/// Splits a string with unknown parts. A part that may hold delimiters itself stands for any number of pieces.
fn split_parts(call: &Call<'_, '_, '_>, value: &Value, delimiters: &[&str]) -> Vec<Value> {
    let slash_only = delimiters == ["/"];
    let whole = |part: &Value| {
        // The names of subscriptions and resource groups have no slashes.
        let name_of_scope = part.first_unknown().is_some_and(|unknown| {
            matches!(unknown.cause.root(), Cause::Lookup(name)
                if matches!(name.as_str(), "subscription().subscriptionId" | "resourceGroup().name"))
        });
        slash_only && name_of_scope
    };
    let mut pieces: Vec<Value> = Vec::new();
    let mut current: Vec<TemplatePart> = Vec::new();
    let mut open = false;
    let close = |current: &mut Vec<TemplatePart>, open: &mut bool, pieces: &mut Vec<Value>| {
        let parts = std::mem::take(current);
        if std::mem::take(open) {
            let joined = part_value(parts, value.span);
            let mut piece = call.context.run.identities.derive("split", &[&joined], value.span);
            // One piece at least, but how many is not known.
            piece.repeated = true;
            pieces.push(piece);
        } else {
            pieces.push(part_value(parts, value.span));
        }
    };
    for part in parts(value).unwrap_or_default() {
        match part {
            TemplatePart::Literal(text) => {
                let texts = split_text(&text, delimiters);
                for (index, piece) in texts.iter().enumerate() {
                    if index > 0 {
                        close(&mut current, &mut open, &mut pieces);
                    }
                    if !piece.is_empty() {
                        current.push(TemplatePart::Literal((*piece).into()));
                    }
                }
            }
            TemplatePart::Value(part) => {
                open |= !whole(&part);
                current.push(TemplatePart::Value(part));
            }
        }
    }
    close(&mut current, &mut open, &mut pieces);
    pieces
}
