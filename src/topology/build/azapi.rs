//! Resources of the azapi provider: Terraform arguments around a body in ARM's vocabulary.

use ecow::EcoString;

use crate::source::Span;
use crate::value::{Cause, Entry, MappingKind, Number, SequenceKind, Value, ValueKind};

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
            Some(from_json(&json, value.span))
        }
        _ => None,
    }
}

/// JSON as a value; everything stands where the text stands. `serde_json` limits the depth.
fn from_json(json: &serde_json::Value, span: Span) -> Value {
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
        serde_json::Value::String(text) => Value::string(text.as_str(), span),
        serde_json::Value::Array(items) => {
            let items = items.iter().map(|item| from_json(item, span)).collect();
            Value::sequence(SequenceKind::Tuple, items, span)
        }
        serde_json::Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                (EcoString::from(key.as_str()), Entry { span, value: from_json(value, span) })
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
