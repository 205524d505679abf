//! JSON, Base64, and addresses.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ecow::EcoString;

use super::super::super::json;
use super::super::super::lower::lower_literal;
use super::super::ids;
use super::super::place::named_values as mapping;
use super::super::text::concat;
use super::{Call, Failure, Outcome, error, is_open};
use crate::source::{FileId, Span};
use crate::value::{Number, TemplatePart, Value, ValueKind};

/// A JSON text as a value; all of it stands where the call stands.
fn parse_json(call: &Call<'_, '_, '_>, text: &str) -> Outcome {
    // .NET reads `.5` and `5.` as numbers.
    let plain = text.trim();
    if (plain.starts_with('.') || plain.ends_with('.'))
        && let Some(number) = Number::parse(&format!("0{plain}0"))
    {
        return Ok(Value::number(number, call.span));
    }
    let parsed = json::parse(text, FileId::default());
    if let Some((problem, _)) = parsed.problem {
        return error(problem);
    }
    call.context.run.charge(text.len() / 16);
    Ok(match parsed.root {
        Some(root) => settle(call.context.evaluate(&lower_literal(&root)), call.span),
        None => Value::null(call.span),
    })
}

/// Stand for what is not known in a JSON text: characters that no text means anything by.
const PLACEHOLDERS: std::ops::RangeInclusive<u32> = 0xF_0000..=0xF_FFFD;

/// A JSON text with unknown parts. Those inside strings are unknown parts of the strings; elsewhere nothing is known.
fn parse_partial_json(call: &Call<'_, '_, '_>, parts: &[TemplatePart]) -> Outcome {
    let mut text = String::new();
    let mut unknown: Vec<&Value> = Vec::new();
    for part in parts {
        match part {
            TemplatePart::Literal(literal) => {
                if literal.chars().any(|character| PLACEHOLDERS.contains(&u32::from(character))) {
                    return Err(Failure::Unknown);
                }
                text.push_str(literal);
            }
            TemplatePart::Value(value) => {
                let place = PLACEHOLDERS.start() + unknown.len() as u32;
                let Some(character) = char::from_u32(place).filter(|_| PLACEHOLDERS.contains(&place)) else {
                    return Err(Failure::Unknown);
                };
                text.push(character);
                unknown.push(value);
            }
        }
    }
    let parsed = json::parse(&text, FileId::default());
    let (None, Some(root)) = (parsed.problem, parsed.root) else { return Err(Failure::Unknown) };
    call.context.run.charge(text.len() / 16);
    let value = call.context.evaluate(&lower_literal(&root));
    fill_placeholders(call, value, &unknown).ok_or(Failure::Unknown)
}

/// The value with the unknown parts in their places. `None` where one is a part of a name.
fn fill_placeholders(call: &Call<'_, '_, '_>, value: Value, unknown: &[&Value]) -> Option<Value> {
    let held = |text: &str| text.chars().any(|character| PLACEHOLDERS.contains(&u32::from(character)));
    match &value.kind {
        ValueKind::String(text) if held(text) => {
            let mut pieces = Vec::new();
            let mut known = String::new();
            for character in text.chars() {
                let index = u32::from(character).checked_sub(*PLACEHOLDERS.start());
                match index.and_then(|index| unknown.get(index as usize)) {
                    Some(value) => {
                        pieces.push(Value::string(std::mem::take(&mut known), call.span));
                        pieces.push((*value).clone());
                    }
                    None => known.push(character),
                }
            }
            pieces.push(Value::string(known, call.span));
            Some(ids::recognize(call.context, concat(pieces, call.span)))
        }
        ValueKind::Sequence(sequence) => {
            let items: Option<Vec<Value>> =
                sequence.items.iter().map(|item| fill_placeholders(call, item.clone(), unknown)).collect();
            Some(Value::sequence(sequence.kind, items?, call.span))
        }
        ValueKind::Mapping(old) => {
            let mut entries = Vec::with_capacity(old.entries.len());
            for (key, entry) in &old.entries {
                if held(key) {
                    return None;
                }
                entries.push((key.clone(), fill_placeholders(call, entry.value.clone(), unknown)?));
            }
            Some(mapping(entries, call.span))
        }
        _ => Some(settle(value, call.span)),
    }
}

/// The same value, all of it standing at one place.
fn settle(value: Value, span: Span) -> Value {
    let kind = match value.kind {
        ValueKind::Sequence(sequence) => {
            let items = sequence.items.iter().map(|item| settle(item.clone(), span)).collect();
            return Value::sequence(sequence.kind, items, span);
        }
        ValueKind::Mapping(old) => {
            let entries =
                old.entries.iter().map(|(key, entry)| (key.clone(), settle(entry.value.clone(), span)));
            return mapping(entries, span);
        }
        kind => kind,
    };
    Value { kind, span, ..value }
}

pub(super) fn json(call: &Call<'_, '_, '_>) -> Outcome {
    // What is an object or array already stays so: `json(null())` and the like are accepted.
    match &call.value(0).kind {
        ValueKind::Null => Ok(Value::null(call.span)),
        ValueKind::Template(parts) => parse_partial_json(call, parts),
        _ => parse_json(call, call.text(0)?),
    }
}

pub(super) fn base64(call: &Call<'_, '_, '_>) -> Outcome {
    call.string(STANDARD.encode(call.text(0)?))
}

fn decode(text: &str) -> Result<String, Failure> {
    match STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) => Ok(text),
        None => error("the text is not Base64 of UTF-8 text"),
    }
}

pub(super) fn base64_to_string(call: &Call<'_, '_, '_>) -> Outcome {
    call.string(decode(call.text(0)?)?)
}

pub(super) fn base64_to_json(call: &Call<'_, '_, '_>) -> Outcome {
    parse_json(call, &decode(call.text(0)?)?)
}

pub(super) fn data_uri(call: &Call<'_, '_, '_>) -> Outcome {
    call.string(format!("data:text/plain;charset=utf8;base64,{}", STANDARD.encode(call.text(0)?)))
}

pub(super) fn data_uri_to_string(call: &Call<'_, '_, '_>) -> Outcome {
    let Some((header, data)) = call.text(0)?.strip_prefix("data:").and_then(|rest| rest.split_once(','))
    else {
        return error("the text is not a data URI");
    };
    match header.to_ascii_lowercase().ends_with(";base64") {
        true => call.string(decode(data)?),
        false => call.string(unescape(data)?),
    }
}

pub(super) fn uri_component(call: &Call<'_, '_, '_>) -> Outcome {
    let mut out = String::new();
    for byte in call.text(0)?.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    call.string(out)
}

fn unescape(text: &str) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digit = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
        match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or(&[]);
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => error("the text is not UTF-8 after decoding"),
    }
}

pub(super) fn uri_component_to_string(call: &Call<'_, '_, '_>) -> Outcome {
    call.string(unescape(call.text(0)?)?)
}

/// `uri(base, relative)`: the relative path replaces what comes after the last slash of the base.
pub(super) fn uri(call: &Call<'_, '_, '_>) -> Outcome {
    let (base, relative) = (call.value(0), call.value(1));
    for value in [&base, &relative] {
        if !is_open(value) && value.as_str().is_none() {
            return error("an argument is not a string");
        }
    }
    let Some(text) = base.as_str() else {
        let folder = call.context.run.identities.derive("uri", &[&base], base.span);
        return Ok(concat([folder, Value::string("/", call.span), relative], call.span));
    };
    let authority = text.find("://").map_or(0, |at| at + 3);
    let folder = match text.get(authority..).and_then(|path| path.rfind('/')) {
        Some(at) => text.get(..authority + at + 1).unwrap_or(text).to_string(),
        None => format!("{text}/"),
    };
    if relative.as_str().is_some_and(|relative| relative.contains("://")) {
        return Ok(relative);
    }
    let relative = match relative.as_str() {
        // A path from the root of the host.
        Some(path) if path.starts_with('/') => {
            let host =
                text.get(authority..).and_then(|rest| rest.find('/')).map_or(text.len(), |at| authority + at);
            return call.string(format!("{}{path}", text.get(..host).unwrap_or(text)));
        }
        _ => relative,
    };
    Ok(concat([Value::string(folder, call.span), relative], call.span))
}

pub(super) fn parse_uri(call: &Call<'_, '_, '_>) -> Outcome {
    let Some((scheme, rest)) = call.text(0)?.split_once("://") else {
        return error("the text is not an absolute URI");
    };
    let (rest, query) = match rest.find('?') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => match port.parse::<u16>() {
            Ok(port) => (host, Some(port)),
            Err(_) => (authority, None),
        },
        None => (authority, None),
    };
    let mut properties: Vec<(EcoString, Value)> = vec![
        ("scheme".into(), Value::string(scheme, call.span)),
        ("host".into(), Value::string(host, call.span)),
    ];
    if let Some(port) = port {
        properties.push(("port".into(), Value::number(i64::from(port), call.span)));
    }
    if !matches!(path, "" | "/") {
        properties.push(("path".into(), Value::string(path, call.span)));
    }
    if !query.is_empty() {
        properties.push(("query".into(), Value::string(query, call.span)));
    }
    Ok(mapping(properties, call.span))
}

pub(super) fn build_uri(call: &Call<'_, '_, '_>) -> Outcome {
    let parts = call.mapping(0)?;
    let part = |name: &str| match super::super::access::entry(parts, name).map(|entry| &entry.value) {
        None | Some(Value { kind: ValueKind::Null, .. }) => Ok(None),
        Some(Value { kind: ValueKind::String(text), .. }) => Ok(Some(text.to_string())),
        Some(Value { kind: ValueKind::Number(number), .. }) => Ok(Some(number.to_string())),
        Some(value) if is_open(value) => Err(Failure::Unknown),
        Some(_) => error(format!("`{name}` is neither a string nor a number")),
    };
    let (Some(scheme), Some(host)) = (part("scheme")?, part("host")?) else {
        return error("`scheme` and `host` are needed");
    };
    let port = part("port")?.map(|port| format!(":{port}")).unwrap_or_default();
    let path = part("path")?.map(|path| if path.starts_with('/') { path } else { format!("/{path}") });
    let query = part("query")?.map(|query| if query.starts_with('?') { query } else { format!("?{query}") });
    call.string(format!("{scheme}://{host}{port}{}{}", path.unwrap_or_default(), query.unwrap_or_default()))
}
