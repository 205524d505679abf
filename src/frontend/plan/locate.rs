//! Puts a plan's resources onto the source they were planned from, and fills in what only the source knows.

use std::collections::HashMap;
use std::sync::Arc;

use ecow::EcoString;

use crate::resource::Resource;
use crate::value::{Entry, Mapping, Sequence, Value, ValueKind};

/// How deep bodies are compared.
const MAXIMUM_DEPTH: usize = 32;

/// Gives each planned resource the places of the evaluated source, and where the plan does not know a value, the source's.
/// A resource of the source without instance key stands for all instances whose key the source could not know.
pub fn locate(planned: &mut [Resource], source: &[Resource]) {
    let by_address: HashMap<&str, &Resource> =
        source.iter().map(|resource| (resource.key.address.as_str(), resource)).collect();
    let mut by_block: HashMap<EcoString, &Resource> = HashMap::new();
    for resource in source {
        by_block.entry(without_keys(&resource.key.address)).or_insert(resource);
    }
    for resource in planned {
        let exact = by_address.get(resource.key.address.as_str()).copied();
        let Some(from) = exact.or_else(|| by_block.get(&without_keys(&resource.key.address)).copied()) else {
            continue;
        };
        resource.span = from.span;
        resource.header = from.header;
        if resource.dependencies.is_empty() {
            resource.dependencies = from.dependencies.clone();
        }
        // The values of another instance say nothing about this one; its places do.
        resource.body = merge(&resource.body, &from.body, exact.is_some(), 0);
    }
}

/// An address without instance keys.
pub(super) fn without_keys(address: &str) -> EcoString {
    let mut text = EcoString::new();
    let mut characters = address.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '[' {
            text.push(character);
            continue;
        }
        let mut quoted = false;
        while let Some(inner) = characters.next() {
            match inner {
                '\\' if quoted => {
                    characters.next();
                }
                '"' => quoted = !quoted,
                ']' if !quoted => break,
                _ => {}
            }
        }
    }
    text
}

fn merge(planned: &Value, source: &Value, same: bool, depth: usize) -> Value {
    if depth > MAXIMUM_DEPTH {
        return planned.clone();
    }
    let mut value = match (&planned.kind, &source.kind) {
        (ValueKind::Unknown(_), _) if same && informative(source) => source.clone(),
        (ValueKind::Mapping(ours), ValueKind::Mapping(theirs)) => {
            let mut entries: Vec<(EcoString, Entry)> = Vec::with_capacity(ours.entries.len());
            for (name, entry) in &ours.entries {
                let merged = match theirs.entries.get(name) {
                    Some(other) => {
                        Entry { span: other.span, value: merge(&entry.value, &other.value, same, depth + 1) }
                    }
                    None => entry.clone(),
                };
                entries.push((name.clone(), merged));
            }
            for (name, other) in &theirs.entries {
                // A plan leaves out what it does not know.
                if same && !ours.entries.contains_key(name) && informative(&other.value) {
                    entries.push((name.clone(), other.clone()));
                }
            }
            let mapping =
                Mapping { kind: ours.kind, entries: entries.into_iter().collect(), rest: ours.rest.clone() };
            Value::new(ValueKind::Mapping(Arc::new(mapping)), source.span)
        }
        (ValueKind::Sequence(ours), ValueKind::Sequence(theirs)) => {
            let items = (0..ours.items.len()).map(|index| match partner(ours, theirs, index) {
                Some(other) => merge(&ours.items[index], other, same, depth + 1),
                None => ours.items[index].clone().at(source.span),
            });
            Value::sequence(ours.kind, items.collect(), source.span)
        }
        // A single block that the source writes as a mapping, or the other way round.
        (ValueKind::Sequence(ours), ValueKind::Mapping(_)) if ours.items.len() == 1 => {
            Value::sequence(ours.kind, vec![merge(&ours.items[0], source, same, depth + 1)], source.span)
        }
        _ => planned.clone().at(source.span),
    };
    value.sensitive |= planned.sensitive | source.sensitive;
    value
}

/// Whether the source's value says more than "unknown".
fn informative(value: &Value) -> bool {
    !matches!(value.kind, ValueKind::Unknown(_) | ValueKind::Null)
}

/// The element of the source that an element of the plan was made from. A plan sorts sets as it likes, so elements are
/// matched by name where they have one, by text for plain ones, and by position only between lists of one length.
fn partner<'s>(ours: &Sequence, theirs: &'s Sequence, index: usize) -> Option<&'s Value> {
    let own = ours.items.get(index)?;
    let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    if let Some(wanted) = name(own)
        && let Some(found) = theirs.items.iter().find(|other| name(other).as_deref() == Some(wanted.as_str()))
    {
        return Some(found);
    }
    if let Some(text) = own.as_str()
        && let Some(found) = theirs.items.iter().find(|other| other.as_str() == Some(text))
    {
        return Some(found);
    }
    if ours.items.len() == theirs.items.len() && !theirs.items.iter().any(|item| item.repeated) {
        return theirs.items.get(index);
    }
    None
}
