//! Resources of the azapi provider: Terraform arguments around a body in ARM's vocabulary.

use ecow::EcoString;

use crate::source::Span;
use crate::value::{Cause, Entry, MappingKind, Number, SequenceKind, TemplatePart, Value, ValueKind};

use super::identity::ParsedId;
use super::pattern::Pattern;
use super::source::Source;
use super::view::text_of;

/// An azapi resource's arguments, taken apart.
pub(super) struct Converted {
    /// The ARM object: `body` with `name` and `location`.
    pub body: Value,
    /// The resource's own name.
    pub name: Option<Value>,
    /// The id of its parent: another resource, or a resource group.
    pub parent: Option<Value>,
    /// The whole id (`azapi_update_resource`, and data sources).
    pub resource_id: Option<Value>,
}

/// Takes the arguments of an `azapi_resource` or `azapi_update_resource` apart.
pub(super) fn convert(arguments: &Value, place: Span) -> Converted {
    let given = |key: &str| arguments.get(key).filter(|value| !value.is_null()).cloned();
    let mut entries: Vec<(EcoString, Entry)> = Vec::new();
    let mut unknown = None;
    if let Some(entry) = arguments.as_mapping().and_then(|arguments| arguments.entries.get("body")) {
        match read_body(&entry.value) {
            Some(Value { kind: ValueKind::Mapping(body), .. }) => {
                entries.extend(body.entries.iter().map(|(key, value)| (key.clone(), value.clone())));
                unknown.clone_from(&body.rest);
            }
            _ if entry.value.is_null() => {}
            _ => unknown = Some(super::view::why(&entry.value)),
        }
    }
    for key in ["name", "location", "tags", "identity"] {
        if let Some(entry) = arguments.as_mapping().and_then(|arguments| arguments.entries.get(key))
            && !entry.value.is_null()
        {
            entries.retain(|(present, _)| !present.eq_ignore_ascii_case(key));
            entries.push((key.into(), entry.clone()));
        }
    }
    let mut body = Value::mapping(MappingKind::Object, entries, place);
    if unknown.is_some()
        && let ValueKind::Mapping(mapping) = &mut body.kind
    {
        std::sync::Arc::make_mut(mapping).rest = unknown;
    }
    Converted { body, name: given("name"), parent: given("parent_id"), resource_id: given("resource_id") }
}

/// The body as an object: as it is, or out of the JSON text that `jsonencode` makes.
fn read_body(value: &Value) -> Option<Value> {
    match &value.kind {
        ValueKind::Mapping(_) => Some(value.clone()),
        ValueKind::String(text) => {
            let json: serde_json::Value = serde_json::from_str(text).ok()?;
            Some(from_json(&json, &[], value.span))
        }
        ValueKind::Template(parts) => read_json_with_holes(parts, value.span),
        _ => None,
    }
}

/// Marks of holes in JSON text: characters that Unicode leaves to private use.
const HOLE_BEGIN: char = '\u{E000}';
const HOLE_END: char = '\u{E001}';

/// JSON text of which parts are not known (`jsonencode` of references). Parts between quotes are parts of a text; others
/// are whole values.
fn read_json_with_holes(parts: &[TemplatePart], span: Span) -> Option<Value> {
    let mut text = String::new();
    let mut holes: Vec<&Value> = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for part in parts {
        match part {
            TemplatePart::Literal(literal) => {
                if literal.contains([HOLE_BEGIN, HOLE_END]) {
                    return None;
                }
                for character in literal.chars() {
                    match character {
                        _ if escaped => escaped = false,
                        '\\' if quoted => escaped = true,
                        '"' => quoted = !quoted,
                        _ => {}
                    }
                }
                text.push_str(literal);
            }
            TemplatePart::Value(value) => {
                let quote = if quoted { "" } else { "\"" };
                text.push_str(&format!("{quote}{HOLE_BEGIN}{}{HOLE_END}{quote}", holes.len()));
                holes.push(value);
            }
        }
    }
    let json: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(from_json(&json, &holes, span))
}

/// A text with its holes filled in again.
fn with_holes(text: &str, holes: &[&Value], span: Span) -> Value {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(HOLE_BEGIN) {
        let Some((number, after)) = after.split_once(HOLE_END) else { break };
        if !before.is_empty() {
            parts.push(TemplatePart::Literal(before.into()));
        }
        if let Some(hole) = number.parse::<usize>().ok().and_then(|number| holes.get(number)) {
            parts.push(TemplatePart::Value((*hole).clone()));
        }
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(TemplatePart::Literal(rest.into()));
    }
    match parts.as_slice() {
        [TemplatePart::Value(only)] => only.clone(),
        _ => Value::new(ValueKind::Template(parts.into()), span),
    }
}

/// JSON as a value; everything stands where the text stands. `serde_json` limits the depth.
fn from_json(json: &serde_json::Value, holes: &[&Value], span: Span) -> Value {
    match json {
        serde_json::Value::Null => Value::null(span),
        serde_json::Value::Bool(flag) => Value::bool(*flag, span),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::number(whole, span),
            None => match Number::parse(&number.to_string()) {
                Some(number) => Value::number(number, span),
                None => Value::unknown(Cause::Unsupported("this number".into()), span),
            },
        },
        serde_json::Value::String(text) if text.contains(HOLE_BEGIN) => with_holes(text, holes, span),
        serde_json::Value::String(text) => Value::string(text.as_str(), span),
        serde_json::Value::Array(items) => {
            let items = items.iter().map(|item| from_json(item, holes, span)).collect();
            Value::sequence(SequenceKind::Tuple, items, span)
        }
        serde_json::Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                (EcoString::from(key.as_str()), Entry { span, value: from_json(value, holes, span) })
            });
            Value::mapping(MappingKind::Object, entries, span)
        }
    }
}

/// Subscription and resource group out of a parent that is a resource group's id.
pub(super) fn group_of(parent: &Value) -> Option<(Option<Pattern>, Option<Pattern>)> {
    if let ValueKind::Reference(reference) = &parent.kind {
        // The id of a resource group declared here says the group by the reference's target; only its identity matters.
        return Some((None, Some(Pattern::hole(super::pattern::Hole::Reference(reference.clone())))));
    }
    let pattern = Pattern::of(parent)?;
    let segments: Vec<Pattern> = pattern.segments();
    let after = |word: &str| {
        let position = segments.iter().position(|segment| segment.known() == Some(word))?;
        segments.get(position + 1).filter(|segment| !segment.is_empty()).cloned()
    };
    Some((after("subscriptions"), after("resourcegroups")))
}

/// Fills in names and scope of a resource that is named by its whole id.
pub(super) fn name_from_id(source: &mut Source, id: &Value) {
    let place = source.place;
    if let Some(parsed) = Pattern::of(id).and_then(|pattern| ParsedId::parse(&pattern)) {
        source.subscription = parsed.subscription;
        source.group = parsed.group;
        source.names = Some(parsed.names);
        if let Some(text) = text_of(id) {
            let name = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            source.name = crate::topology::Field { state: crate::topology::State::Known(name.into()), place };
            return;
        }
    }
    let unknown = id.first_unknown().unwrap_or_else(|| {
        let cause = Cause::Unsupported("this resource id".into());
        std::sync::Arc::new(crate::value::Unknown { cause, span: id.span })
    });
    source.name = crate::topology::Field { state: crate::topology::State::Unknown(unknown), place };
}
