//! Strings with unknown parts, and values as text.

use std::sync::Arc;

use ecow::EcoString;

use crate::source::Span;
use crate::value::{Step, TemplatePart, Value, ValueKind};

/// Puts values one after another into a string: known text is joined, the rest keeps its place.
pub fn concat(values: impl IntoIterator<Item = Value>, span: Span) -> Value {
    let mut parts: Vec<TemplatePart> = Vec::new();
    let mut sensitive = false;
    for value in values {
        sensitive |= value.sensitive;
        match value.kind {
            ValueKind::Template(inner) => {
                for part in inner.iter() {
                    match part {
                        TemplatePart::Literal(text) => push_text(&mut parts, text),
                        TemplatePart::Value(_) => parts.push(part.clone()),
                    }
                }
            }
            ValueKind::Unknown(_) | ValueKind::Reference(_) => parts.push(TemplatePart::Value(value)),
            _ => push_text(&mut parts, &plain_text(&value)),
        }
    }
    from_parts(parts, span).marked(sensitive)
}

fn push_text(parts: &mut Vec<TemplatePart>, text: &str) {
    if text.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(TemplatePart::Literal(last)) => last.push_str(text),
        _ => parts.push(TemplatePart::Literal(text.into())),
    }
}

/// A string of parts: plain when all of it is known.
pub fn from_parts(mut parts: Vec<TemplatePart>, span: Span) -> Value {
    match parts.as_slice() {
        [] => Value::string("", span),
        [TemplatePart::Literal(_)] => match parts.pop() {
            Some(TemplatePart::Literal(text)) => Value::string(text, span),
            _ => Value::string("", span),
        },
        _ => Value::new(ValueKind::Template(Arc::from(parts)), span),
    }
}

/// The parts of a value that is, or may be, a string. `None` for other values.
pub fn parts(value: &Value) -> Option<Vec<TemplatePart>> {
    match &value.kind {
        ValueKind::String(text) if text.is_empty() => Some(Vec::new()),
        ValueKind::String(text) => Some(vec![TemplatePart::Literal(text.clone())]),
        ValueKind::Template(parts) => Some(parts.to_vec()),
        ValueKind::Unknown(_) | ValueKind::Reference(_) => Some(vec![TemplatePart::Value(value.clone())]),
        _ => None,
    }
}

/// A known value as `format` and string interpolation write it: booleans with a capital, objects with single quotes.
pub fn plain_text(value: &Value) -> EcoString {
    match &value.kind {
        ValueKind::Null => EcoString::new(),
        ValueKind::Bool(true) => "True".into(),
        ValueKind::Bool(false) => "False".into(),
        ValueKind::Number(number) => number.to_string().into(),
        ValueKind::String(text) => text.clone(),
        _ => {
            let mut out = String::new();
            write_json(value, '\'', &mut out);
            out.into()
        }
    }
}

/// A known value as compact JSON.
pub fn json_text(value: &Value) -> EcoString {
    let mut out = String::new();
    write_json(value, '"', &mut out);
    out.into()
}

fn write_json(value: &Value, quote: char, out: &mut String) {
    match &value.kind {
        ValueKind::Null => out.push_str("null"),
        ValueKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        ValueKind::Number(number) => out.push_str(&number.to_string()),
        ValueKind::String(text) => write_string(text, quote, out),
        ValueKind::Sequence(sequence) => {
            out.push('[');
            for (index, item) in sequence.items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, quote, out);
            }
            out.push(']');
        }
        ValueKind::Mapping(mapping) => {
            out.push('{');
            for (index, (key, entry)) in mapping.entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, quote, out);
                out.push(':');
                write_json(&entry.value, quote, out);
            }
            out.push('}');
        }
        ValueKind::Template(_) | ValueKind::Unknown(_) | ValueKind::Reference(_) => out.push('?'),
    }
}

fn write_string(text: &str, quote: char, out: &mut String) {
    out.push(quote);
    for c in text.chars() {
        match c {
            c if c == quote || c == '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// The segments of a resource id or a name path: split at `/`, what is not known counted as within its segment.
pub fn segments(value: &Value) -> Option<Vec<Value>> {
    let span = value.span;
    let mut segments = Vec::new();
    let mut current: Vec<TemplatePart> = Vec::new();
    for part in parts(value)? {
        match part {
            TemplatePart::Literal(text) => {
                let mut pieces = text.split('/');
                push_text(&mut current, pieces.next().unwrap_or(""));
                for piece in pieces {
                    segments.push(part_value(std::mem::take(&mut current), span));
                    push_text(&mut current, piece);
                }
            }
            part => current.push(part),
        }
    }
    segments.push(part_value(current, span));
    Some(segments)
}

/// A string of parts, or the one value that it consists of.
pub fn part_value(mut parts: Vec<TemplatePart>, span: Span) -> Value {
    if let [TemplatePart::Value(_)] = parts.as_slice()
        && let Some(TemplatePart::Value(value)) = parts.pop()
    {
        return value;
    }
    from_parts(parts, span)
}

/// Whether a value is the id of a resource that is declared somewhere.
pub fn is_id_reference(value: &Value) -> bool {
    value
        .as_reference()
        .is_some_and(|reference| matches!(reference.path.as_slice(), [Step::Attribute(name)] if name == "id"))
}
