//! Functions on maps and objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::EcoString;

use super::arguments::{Call, Function, Wants, any, invalid, nullable, of, string};
use crate::frontend::terraform::types::{Type, can_convert, convert, type_of};
use crate::value::{Entry, Mapping, MappingKind, SequenceKind, Unknown, Value, ValueKind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::structural("keys", &[any("inputMap")], keys),
    Function::structural("lookup", &[any("inputMap"), string("key")], lookup)
        .with_variadic(nullable("default")),
    Function::structural("merge", &[], merge).with_variadic(nullable("maps")),
    Function::strict("transpose", &[of("values", Wants::MapOfListOfString)], transpose),
    Function::structural("values", &[any("mapping")], values),
    Function::structural("zipmap", &[of("keys", Wants::ListOfString), any("values")], zipmap),
];

/// The entries in the order in which Terraform walks them.
fn sorted(mapping: &Mapping) -> Vec<(&EcoString, &Entry)> {
    let mut entries: Vec<_> = mapping.entries.iter().collect();
    entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    entries
}

/// What could stand where there may be more entries.
fn unknown_rest(call: &Call, rest: &Arc<Unknown>) -> Value {
    call.unknown_from(&Value::new(ValueKind::Unknown(Arc::clone(rest)), call.span))
}

fn sequence(call: &Call, mapping: &Mapping, items: impl Iterator<Item = Value>) -> Value {
    let kind = match mapping.kind {
        MappingKind::Object if mapping.rest.is_none() => SequenceKind::Tuple,
        _ => SequenceKind::List,
    };
    let Some(rest) = &mapping.rest else { return call.sequence_of(kind, items.collect()) };
    // What else there may be can stand before, between and after the known ones.
    let gap = Value { repeated: true, ..unknown_rest(call, rest) };
    let mut elements = vec![gap.clone()];
    for item in items {
        elements.extend([item, gap.clone()]);
    }
    call.sequence_of(kind, elements)
}

fn keys(call: &Call) -> Result<Value, String> {
    let argument = call.argument(0)?;
    if argument.is_unknown() {
        return Ok(call.unknown_from(argument));
    }
    let Some(mapping) = argument.as_mapping() else {
        return Err(invalid("inputMap", "must have map or object type"));
    };
    let keys = sorted(mapping).into_iter().map(|(key, entry)| {
        let key = Value::string(key.clone(), entry.span);
        Value { repeated: entry.value.repeated, because: entry.value.because.clone(), ..key }
    });
    Ok(sequence(call, mapping, keys))
}

fn values(call: &Call) -> Result<Value, String> {
    let argument = call.argument(0)?;
    if argument.is_unknown() {
        return Ok(call.unknown_from(argument));
    }
    let Some(mapping) = argument.as_mapping() else {
        return Err(invalid("mapping", "must be a map or an object"));
    };
    Ok(sequence(call, mapping, sorted(mapping).into_iter().map(|(_, entry)| entry.value.clone())))
}

fn lookup(call: &Call) -> Result<Value, String> {
    let (argument, key) = (call.argument(0)?, call.argument(1)?);
    if call.arguments.len() > 3 {
        return Err("lookup() takes two or three arguments".to_string());
    }
    if argument.is_unknown() {
        return Ok(call.unknown_from(argument));
    }
    let Some(mapping) = argument.as_mapping() else {
        return Err("lookup() requires a map as the first argument".to_string());
    };
    let default = match call.arguments.get(2) {
        Some(default) if mapping.kind == MappingKind::Map => {
            let element = match type_of(argument) {
                Type::Map(element) => *element,
                _ => Type::Any,
            };
            let fits = can_convert(&type_of(default), &element);
            let converted = if fits { convert(default, &element).ok() } else { None };
            Some(converted.ok_or_else(|| {
                invalid("default", "the default value must have the same type as the map elements")
            })?)
        }
        default => default.cloned(),
    };
    let Some(name) = key.as_str() else {
        return Ok(match default {
            Some(default) if mapping.entries.is_empty() && mapping.rest.is_none() => default,
            _ => call.unknown_from(key),
        });
    };
    match (mapping.entries.get(name), &mapping.rest, default) {
        (Some(entry), _, default) if entry.value.repeated => Ok(match default {
            Some(default) if default.equals(&entry.value) == Some(true) => default,
            _ => call.unknown_from(&entry.value),
        }),
        (Some(entry), ..) => Ok(entry.value.clone()),
        (None, Some(rest), _) => Ok(unknown_rest(call, rest)),
        (None, None, Some(default)) => Ok(default),
        (None, None, None) if argument.sensitive || key.sensitive => {
            Err("the given key does not identify an element in this map".to_string())
        }
        (None, None, None) => {
            Err(format!("the given key \"{name}\" does not identify an element in this map"))
        }
    }
}

fn merge(call: &Call) -> Result<Value, String> {
    let mut merged = Mapping { kind: MappingKind::Map, entries: Default::default(), rest: None };
    let mut maps = 0;
    let mut unknowns = 0;
    for argument in call.arguments {
        let (next, rest) = match &argument.kind {
            ValueKind::Null => continue,
            ValueKind::Mapping(next) => {
                maps += 1;
                if next.kind == MappingKind::Object {
                    merged.kind = MappingKind::Object;
                }
                (Some(next), next.rest.clone())
            }
            ValueKind::Unknown(_) | ValueKind::Reference(_) => {
                unknowns += 1;
                (None, argument.first_unknown())
            }
            _ => {
                let found = type_of(argument).friendly_name();
                return Err(format!("arguments must be maps or objects, got \"{found}\""));
            }
        };
        if let Some(rest) = rest {
            // What is not known of this map may replace what came before.
            for (key, entry) in &mut merged.entries {
                if !next.is_some_and(|next| next.entries.contains_key(key)) {
                    entry.value = unknown_rest(call, &rest);
                }
            }
            merged.rest.get_or_insert(rest);
        }
        for (key, entry) in next.iter().flat_map(|next| &next.entries) {
            let mut entry = entry.clone();
            if entry.value.repeated
                && let Some(before) = merged.entries.get(key)
            {
                // It may be missing here, and then the earlier one stands.
                let Value { repeated, because, .. } = before.value.clone();
                if before.value.equals(&entry.value) != Some(true) {
                    entry.value = call.unknown_from(&entry.value);
                }
                entry.value = Value { repeated, because, ..entry.value };
            }
            merged.entries.insert(key.clone(), entry);
        }
    }
    if let (0, 1, Some(only)) = (maps, unknowns, call.arguments.iter().find(|argument| argument.is_unknown()))
    {
        return Ok(only.clone());
    }
    if maps == 0 {
        // Nothing but null, or nothing that is known.
        merged.kind = MappingKind::Object;
    }
    // Maps of different types have only an object in common.
    if merged.kind == MappingKind::Map {
        let mut types =
            merged.entries.values().map(|entry| type_of(&entry.value)).filter(|ty| *ty != Type::Any);
        let first = types.next();
        if types.any(|ty| Some(ty) != first) {
            merged.kind = MappingKind::Object;
        }
    }
    Ok(call.mapping_of(merged))
}

fn transpose(call: &Call) -> Result<Value, String> {
    let mut transposed: BTreeMap<EcoString, Vec<Value>> = BTreeMap::new();
    for (key, entry) in sorted(call.mapping(0)?) {
        let Some(sequence) = entry.value.as_sequence() else {
            return Err("input must be a map of lists of strings".to_string());
        };
        for item in &sequence.items {
            let Some(text) = item.as_str() else {
                return Err("input list must not contain null string".to_string());
            };
            transposed.entry(text.into()).or_default().push(Value::string(key.clone(), entry.span));
        }
    }
    let entries =
        transposed.into_iter().map(|(key, keys)| (key, Entry { span: call.span, value: call.list(keys) }));
    Ok(Value::mapping(MappingKind::Map, entries, call.span))
}

fn zipmap(call: &Call) -> Result<Value, String> {
    let (keys, values) = (call.argument(0)?, call.argument(1)?);
    let Some(names) = keys.as_sequence() else { return Ok(call.unknown_from(keys)) };
    if let Some(item) = names.items.iter().find(|item| item.repeated || !item.is_wholly_known()) {
        return Ok(call.unknown_from(if item.is_wholly_known() { keys } else { item }));
    }
    let (kind, items): (MappingKind, Vec<Value>) = match &values.kind {
        ValueKind::Sequence(sequence) => {
            let kind = match sequence.kind {
                SequenceKind::Tuple => MappingKind::Object,
                SequenceKind::List => MappingKind::Map,
                SequenceKind::Set => {
                    return Err(invalid("values", "values parameter must be a list or tuple value"));
                }
            };
            match sequence.items.iter().find(|item| item.repeated) {
                Some(item) => (kind, vec![call.unknown_from(item); names.items.len()]),
                None => (kind, sequence.items.clone()),
            }
        }
        ValueKind::Unknown(_) | ValueKind::Reference(_) => {
            (MappingKind::Map, vec![call.unknown_from(values); names.items.len()])
        }
        _ => return Err(invalid("values", "values parameter must be a list or tuple value")),
    };
    if names.items.len() != items.len() {
        return Err(format!(
            "number of keys ({}) does not match number of values ({})",
            names.items.len(),
            items.len()
        ));
    }
    let mut mapping = Mapping { kind, entries: Default::default(), rest: None };
    for (name, value) in names.items.iter().zip(items) {
        let Some(key) = name.as_str() else {
            return Err(invalid("keys", "keys must not be null"));
        };
        mapping.entries.insert(key.into(), Entry { span: name.span.or(call.span), value });
    }
    Ok(call.mapping_of(mapping))
}
