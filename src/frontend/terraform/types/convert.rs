//! Conversion of values to types.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use super::{ObjectAttribute, Type, common_type, type_of};
use crate::value::{
    Entry, Mapping, MappingKind, Number, Sequence, SequenceKind, Unknown, Value, ValueKind,
    compare_set_elements,
};

/// Converts a value to a type, as Terraform does where a variable, an argument or a function asks for one.
///
/// Null, references and unknowns stay what they are; unknown elements keep their place; spans and marks are kept.
/// Sets lose duplicates and take Terraform's order.
///
/// # Errors
/// A sentence without a full stop that says what was wanted, as Terraform words it.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, String> {
    convert_to(value, ty, false)
}

/// Converts a value to what it has in common with others, as far as that is known: where a mapping may have more entries,
/// the type does not tell all, and what it does not name is kept.
///
/// # Errors
/// As [`convert`].
pub(in crate::frontend::terraform) fn convert_to_common(value: &Value, ty: &Type) -> Result<Value, String> {
    convert_to(value, ty, true)
}

fn convert_to(value: &Value, ty: &Type, open: bool) -> Result<Value, String> {
    if open && type_of(value) == Type::Any {
        // The type was found without this value, and need not be its own.
        return Ok(value.clone());
    }
    if value.is_unknown() || value.is_null() {
        return Ok(value.clone());
    }
    match ty {
        Type::Any => Ok(value.clone()),
        Type::String => to_string(value),
        Type::Number => to_number(value),
        Type::Bool => to_bool(value),
        Type::List(element) => to_sequence(value, element, SequenceKind::List, open),
        Type::Set(element) => to_sequence(value, element, SequenceKind::Set, open),
        Type::Map(element) => to_map(value, element, open),
        Type::Object(attributes) => to_object(value, attributes, open),
        Type::Tuple(elements) => to_tuple(value, elements, open),
    }
}

fn with_kind(value: &Value, kind: ValueKind) -> Value {
    Value { kind, ..value.clone() }
}

fn required(ty: &Type) -> String {
    let name = ty.friendly_name();
    let article = if name.starts_with(['a', 'o']) { "an" } else { "a" };
    match ty {
        Type::List(_) | Type::Set(_) | Type::Map(_) => format!("{name} required"),
        _ => format!("{article} {name} is required"),
    }
}

fn to_string(value: &Value) -> Result<Value, String> {
    match &value.kind {
        ValueKind::String(_) | ValueKind::Template(_) => Ok(value.clone()),
        ValueKind::Number(number) => Ok(with_kind(value, ValueKind::String(number.to_string().into()))),
        ValueKind::Bool(truth) => {
            let text = if *truth { "true" } else { "false" };
            Ok(with_kind(value, ValueKind::String(text.into())))
        }
        _ => Err(required(&Type::String)),
    }
}

fn to_number(value: &Value) -> Result<Value, String> {
    match &value.kind {
        ValueKind::Number(_) => Ok(value.clone()),
        ValueKind::String(text) => match Number::parse(text) {
            Some(number) => Ok(with_kind(value, ValueKind::Number(number))),
            None => Err(required(&Type::Number)),
        },
        ValueKind::Template(_) => Ok(value.derived_unknown(value.span)),
        _ => Err(required(&Type::Number)),
    }
}

fn to_bool(value: &Value) -> Result<Value, String> {
    match &value.kind {
        ValueKind::Bool(_) => Ok(value.clone()),
        ValueKind::String(text) => match text.as_str() {
            "true" | "1" => Ok(with_kind(value, ValueKind::Bool(true))),
            "false" | "0" => Ok(with_kind(value, ValueKind::Bool(false))),
            other if other.eq_ignore_ascii_case("true") || other.eq_ignore_ascii_case("false") => {
                Err(format!(
                    "a bool is required; to convert from string, use lowercase \"{}\"",
                    other.to_lowercase()
                ))
            }
            _ => Err(required(&Type::Bool)),
        },
        ValueKind::Template(_) => Ok(value.derived_unknown(value.span)),
        _ => Err(required(&Type::Bool)),
    }
}

/// The type that elements of different types get in one collection.
fn common_element_type<'a>(
    wanted: &Type,
    values: impl Iterator<Item = &'a Value> + Clone,
    collection: &str,
) -> Result<Type, String> {
    if *wanted != Type::Any {
        return Ok(wanted.clone());
    }
    common_type(values).ok_or_else(|| format!("all {collection} elements must have the same type"))
}

fn to_sequence(value: &Value, element: &Type, kind: SequenceKind, open: bool) -> Result<Value, String> {
    let collection = if kind == SequenceKind::Set { "set" } else { "list" };
    let ValueKind::Sequence(sequence) = &value.kind else {
        return Err(required(&match kind {
            SequenceKind::Set => Type::set(element.clone()),
            _ => Type::list(element.clone()),
        }));
    };
    let open = open || *element == Type::Any;
    let element = match sequence.kind {
        SequenceKind::Tuple => common_element_type(element, sequence.items.iter(), collection)?,
        _ => element.clone(),
    };
    let mut items = Vec::with_capacity(sequence.items.len());
    for (index, item) in sequence.items.iter().enumerate() {
        items
            .push(convert_to(item, &element, open).map_err(|problem| format!("element {index}: {problem}"))?);
    }
    if kind == SequenceKind::Set {
        items = unique_in_order(items);
    } else if sequence.kind == SequenceKind::Set && items.len() > 1 {
        items = unordered_elements(items);
    }
    Ok(with_kind(value, ValueKind::Sequence(Arc::new(Sequence { kind, items }))))
}

/// How many elements that are not wholly known are compared with each other.
const MAX_UNKNOWN: usize = 1_000;

/// The elements of a set: in order, each known one once.
pub(in crate::frontend::terraform) fn unique_in_order(mut items: Vec<Value>) -> Vec<Value> {
    items.sort_by(compare_set_elements);
    let mut unique: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        // Equal known values stand side by side. What is not wholly known has no order, so all of it is looked at.
        let seen = if item.is_wholly_known() {
            unique.last().is_some_and(|last| last.equals(&item) == Some(true))
        } else {
            // Beyond some number they are left: an unknown element may equal another one anyway.
            let unknown = unique.iter().rev().take_while(|other| !other.is_wholly_known()).take(MAX_UNKNOWN);
            let mut same = unknown.filter(|other| other.repeated == item.repeated);
            same.any(|other| other.equals(&item) == Some(true))
        };
        if !seen {
            unique.push(item);
        } else if let Some(last) = unique.last_mut().filter(|last| last.is_wholly_known()) {
            // One that is certainly there and one that may be there are one that is there.
            last.repeated &= item.repeated;
        }
    }
    unique
}

/// The elements of a set as those of a list. An unknown element may equal another one, and may stand anywhere: it stands for
/// zero or more, before, between and after the known ones, so that no place and no neighbour is certain.
pub(in crate::frontend::terraform) fn unordered_elements(items: Vec<Value>) -> Vec<Value> {
    let (known, unknown): (Vec<Value>, Vec<Value>) = items.into_iter().partition(Value::is_wholly_known);
    let Some(first) = unknown.first() else { return known };
    let gap = Value { repeated: true, ..first.derived_unknown(first.span) };
    let mut elements: Vec<Value> =
        unknown.iter().map(|value| Value { repeated: true, ..value.clone() }).collect();
    if known.is_empty() && elements.len() > 1 && elements.iter().any(|item| !item.is_unknown()) {
        // The known parts of texts would claim an order.
        elements.push(gap.clone());
    }
    for item in known {
        elements.extend([item, gap.clone()]);
    }
    elements
}

fn to_map(value: &Value, element: &Type, open: bool) -> Result<Value, String> {
    let ValueKind::Mapping(mapping) = &value.kind else {
        return Err(required(&Type::map(element.clone())));
    };
    let open = open || *element == Type::Any;
    let element = match mapping.kind {
        MappingKind::Object => {
            common_element_type(element, mapping.entries.values().map(|entry| &entry.value), "map")?
        }
        MappingKind::Map => element.clone(),
    };
    let mut entries = mapping.entries.clone();
    for (key, entry) in &mut entries {
        entry.value = convert_to(&entry.value, &element, open)
            .map_err(|problem| format!("element \"{key}\": {problem}"))?;
    }
    let mapping = Mapping { kind: MappingKind::Map, entries, rest: mapping.rest.clone() };
    Ok(with_kind(value, ValueKind::Mapping(Arc::new(mapping))))
}

fn to_object(
    value: &Value,
    attributes: &BTreeMap<EcoString, ObjectAttribute>,
    open: bool,
) -> Result<Value, String> {
    let ValueKind::Mapping(mapping) = &value.kind else {
        return Err("an object is required".to_string());
    };
    let mut converted = Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None };
    for (name, entry) in &mapping.entries {
        if let Some(attribute) = attributes.get(name) {
            let value = convert_to(&entry.value, &attribute.ty, open)
                .map_err(|problem| format!("attribute \"{name}\": {problem}"))?;
            converted.entries.insert(name.clone(), Entry { span: entry.span, value });
        } else if open {
            converted.entries.insert(name.clone(), entry.clone());
        }
    }
    for (name, attribute) in attributes {
        if converted.entries.contains_key(name) {
            continue;
        }
        let missing = match &mapping.rest {
            Some(_) if open => continue,
            Some(rest) => Value::new(ValueKind::Unknown(derived(rest)), value.span),
            None if attribute.optional => Value::null(value.span),
            None => return Err(format!("attribute \"{name}\" is required")),
        };
        converted.entries.insert(name.clone(), Entry { span: value.span, value: missing });
    }
    if open {
        converted.rest = mapping.rest.clone();
    }
    Ok(with_kind(value, ValueKind::Mapping(Arc::new(converted))))
}

fn derived(unknown: &Arc<Unknown>) -> Arc<Unknown> {
    use crate::value::Cause;
    // Always another one: attributes that are missing for the same reason are not the same.
    Arc::new(match unknown.cause {
        Cause::Derived(_) => Unknown::clone(unknown),
        _ => Unknown { cause: Cause::Derived(Arc::clone(unknown)), span: unknown.span },
    })
}

fn to_tuple(value: &Value, elements: &[Type], open: bool) -> Result<Value, String> {
    let sequence = match &value.kind {
        ValueKind::Sequence(sequence) if sequence.kind == SequenceKind::Tuple => sequence,
        _ => return Err("a tuple is required".to_string()),
    };
    if sequence.items.iter().any(|item| item.repeated) {
        // How many elements there are, and so which of them has which type, is not known.
        return Ok(value.clone());
    }
    if sequence.items.len() != elements.len() {
        return Err(format!("a tuple of {} elements is required", elements.len()));
    }
    let mut items = Vec::with_capacity(elements.len());
    for (index, (item, element)) in sequence.items.iter().zip(elements).enumerate() {
        items.push(convert_to(item, element, open).map_err(|problem| format!("element {index}: {problem}"))?);
    }
    let sequence = Sequence { kind: SequenceKind::Tuple, items };
    Ok(with_kind(value, ValueKind::Sequence(Arc::new(sequence))))
}
