//! Reading properties and elements: of values, and of what other resources will have.

use std::rc::Rc;

use ecow::EcoString;

use super::context::Context;
use super::instance::Instance;
use crate::source::Span;
use crate::value::{Cause, Entry, Mapping, Reference, SequenceKind, Step, Value, ValueKind};

/// The entry under a key, compared without regard to case where it is not there exactly.
pub(crate) fn entry<'m>(mapping: &'m Mapping, key: &str) -> Option<&'m Entry> {
    mapping.entries.get(key).or_else(|| {
        mapping.entries.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, entry)| entry)
    })
}

/// `target.name`.
pub(crate) fn property(
    context: &Context<'_, '_>,
    target: &Value,
    name: &str,
    name_span: Span,
    span: Span,
    safe: bool,
) -> Value {
    match &target.kind {
        ValueKind::Mapping(mapping) => match (entry(mapping, name), &mapping.rest) {
            (Some(entry), _) => entry.value.clone().marked(target.sensitive),
            (None, Some(_)) => {
                context.run.identities.derive(&format!(".{}", name.to_lowercase()), &[target], span)
            }
            (None, None) if safe => Value::null(span),
            (None, None) => {
                let mut known: Vec<&str> = mapping.entries.keys().map(EcoString::as_str).take(8).collect();
                known.sort_unstable();
                let known = if known.is_empty() { "none".to_string() } else { known.join("`, `") };
                context
                    .run
                    .fail(format!("there is no property `{name}` here; there are `{known}`"), name_span)
            }
        },
        ValueKind::Null if safe => Value::null(span),
        ValueKind::Null => context.run.fail(format!("the property `{name}` is read from null"), name_span),
        ValueKind::Reference(reference) => {
            step(context, reference, Step::Attribute(name.into()), span).marked(target.sensitive)
        }
        ValueKind::Unknown(_) => {
            context.run.identities.derive(&format!(".{}", name.to_lowercase()), &[target], span)
        }
        _ if safe => Value::null(span),
        _ => context.run.fail(format!("the property `{name}` is read from a value that has none"), name_span),
    }
}

/// `target[index]`.
pub(crate) fn index(
    context: &Context<'_, '_>,
    target: &Value,
    index: &Value,
    span: Span,
    safe: bool,
    from_end: bool,
) -> Value {
    if let Some(name) = index.as_str().filter(|_| !from_end) {
        return match &target.kind {
            ValueKind::Sequence(_) if safe => Value::null(span),
            ValueKind::Sequence(_) => {
                context.run.fail("an array's element is asked for by a name", index.span)
            }
            _ => property(context, target, name, index.span, span, safe),
        };
    }
    let derive = || {
        let name = if from_end { "[^]" } else { "[]" };
        context.run.identities.derive(name, &[target, index], span)
    };
    let position = match &index.kind {
        ValueKind::Number(number) => number.as_i64(),
        ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => {
            return match &target.kind {
                // Whichever round it is, a loop of unknown length has one instance that stands for it.
                ValueKind::Reference(reference) => {
                    any_of(context, reference, index, span).unwrap_or_else(derive)
                }
                ValueKind::Sequence(_) | ValueKind::Mapping(_) | ValueKind::Unknown(_) => derive(),
                ValueKind::Null if safe => Value::null(span),
                _ => context.run.fail("an element is read from a value that has none", span),
            };
        }
        _ => None,
    };
    let missing = |message: String| if safe { Value::null(span) } else { context.run.fail(message, span) };
    match &target.kind {
        ValueKind::Sequence(sequence) => {
            let Some(position) = position else {
                return missing("an array's element is asked for by something that is no number".to_string());
            };
            let items = &sequence.items;
            let length = items.len() as i64;
            let open = items.iter().any(|item| item.repeated);
            let at = if from_end { length - position } else { position };
            let before_open = match from_end {
                true => items.iter().rev().take(position.clamp(0, length) as usize).any(|item| item.repeated),
                false => items.iter().take(position.clamp(0, length) as usize + 1).any(|item| item.repeated),
            };
            match usize::try_from(at).ok().and_then(|at| items.get(at)) {
                Some(item) if !before_open => item.clone().marked(target.sensitive),
                _ if open => context.run.identities.derive("[]", &[target, index], span),
                _ => missing(format!("there is no element {position}; the array has {length}")),
            }
        }
        ValueKind::Reference(reference) => match position {
            Some(position) if !from_end => {
                step(context, reference, Step::Index(position), span).marked(target.sensitive)
            }
            _ => derive(),
        },
        ValueKind::Unknown(_) => derive(),
        ValueKind::Null if safe => Value::null(span),
        _ => missing("an element is read from a value that has none".to_string()),
    }
}

/// The instance of a loop of unknown length.
fn any_of(context: &Context<'_, '_>, reference: &Reference, index: &Value, span: Span) -> Option<Value> {
    if !reference.path.is_empty() {
        return None;
    }
    let groups = context.run.groups.borrow();
    let group = groups.get(&reference.target.address)?;
    let [only] = group.as_slice() else { return None };
    // Only the same round of a loop over the same thing is the same instance.
    let same = only.loop_index.as_ref().and_then(|own| {
        Some(context.run.identities.describe(own)? == context.run.identities.describe(index)?)
    });
    (same == Some(true)).then(|| Value::reference(only.key.clone(), Vec::new(), span))
}

/// One step further into what a resource will have. Known where the template says what it will be.
fn step(context: &Context<'_, '_>, reference: &Reference, step: Step, span: Span) -> Value {
    let mut path = reference.path.clone();
    // An index into a loop of resources names one of them.
    if path.is_empty()
        && let Step::Index(index) = &step
        && let Some(group) = context.run.groups.borrow().get(&reference.target.address)
    {
        let member = group.iter().find(|instance| instance.index.is_some_and(|own| own as i64 == *index));
        if let Some(member) = member.or(group.first().filter(|first| first.index.is_none())) {
            return Value::reference(member.key.clone(), Vec::new(), span);
        }
        return context.run.fail(format!("there is no `{}[{index}]`", reference.target.address), span);
    }
    path.push(match step {
        // Paths are looked up in Azure's own spelling; `ID` is the same attribute as `id`.
        Step::Attribute(name) if name.eq_ignore_ascii_case("id") => Step::Attribute("id".into()),
        Step::Attribute(name) if name.eq_ignore_ascii_case("properties") => {
            Step::Attribute("properties".into())
        }
        step => step,
    });
    let target = Reference { target: reference.target.clone(), path };
    resolve(context, &target, span)
        .unwrap_or_else(|| Value::reference(target.target.clone(), target.path.clone(), span))
}

fn attribute(step: Option<&Step>) -> &str {
    match step {
        Some(Step::Attribute(name)) => name,
        _ => "",
    }
}

/// The value that a resource will have at a path, where the template says it.
fn resolve(context: &Context<'_, '_>, reference: &Reference, span: Span) -> Option<Value> {
    let instance = context.run.instances.borrow().get(&reference.target.address).cloned()?;
    let path = reference.path.as_slice();
    let first = attribute(path.first()).to_ascii_lowercase();
    if instance.is_deployment()
        && let Some(value) = output(context, &instance, path, span)
    {
        return Some(value);
    }
    match (first.as_str(), path.len()) {
        ("id", _) => None,
        ("name", 1) => Some(instance.own_name.clone()),
        ("type", 1) => Some(Value::string(instance.resource_type.clone(), span)),
        ("apiversion", 1) => instance.api_version().map(|version| Value::string(version, span)),
        ("resourcegroup" | "resourcegroupname", 1) => Some(instance.place.resource_group.clone()),
        ("subscriptionid", 1) => Some(instance.place.subscription.clone()),
        _ => {
            let found = written(context, &instance, path)?;
            let plain = matches!(
                found.kind,
                ValueKind::Bool(_) | ValueKind::Number(_) | ValueKind::String(_) | ValueKind::Template(_)
            ) || super::text::is_id_reference(&found);
            // Where the template gives an object, Azure may add to it: only what is inside can be read. Nor does an empty text
            // say what will be there: it is how templates leave something to Azure.
            (plain && found.as_str() != Some("")).then_some(found)
        }
    }
}

/// What the template itself says at a path of a resource.
fn written(context: &Context<'_, '_>, instance: &Rc<Instance>, path: &[Step]) -> Option<Value> {
    let mut value = instance.body(context.run)?;
    for step in path {
        let next = match (&value.kind, step) {
            (ValueKind::Mapping(mapping), Step::Attribute(name)) => entry(mapping, name)?.value.clone(),
            (ValueKind::Sequence(sequence), Step::Index(index)) => {
                let index = usize::try_from(*index).ok()?;
                if sequence.items.iter().take(index + 1).any(|item| item.repeated) {
                    return None;
                }
                sequence.items.get(index)?.clone()
            }
            _ => return None,
        };
        value = next;
    }
    Some(value)
}

/// An output of a nested deployment: `properties.outputs.x.value` as `reference` gives it, or `outputs.x` as Bicep has it.
fn output(context: &Context<'_, '_>, instance: &Rc<Instance>, path: &[Step], span: Span) -> Option<Value> {
    let (rest, with_value) = match path {
        [Step::Attribute(properties), rest @ ..] if properties == "properties" => (rest, true),
        rest => (rest, false),
    };
    let [Step::Attribute(outputs), Step::Attribute(name), rest @ ..] = rest else { return None };
    if !outputs.eq_ignore_ascii_case("outputs") {
        return None;
    }
    let complete = match rest {
        [] => !with_value,
        [Step::Attribute(value)] => with_value && value.eq_ignore_ascii_case("value"),
        _ => false,
    };
    if !complete {
        return None;
    }
    context.run.note_use(&instance.key.address);
    let Some(deployment) = instance.nested(context.run) else {
        let what = EcoString::from(format!("{}.outputs.{name}", instance.key.address));
        return Some(Value::unknown(Cause::Module(what), instance.header()));
    };
    Some(super::emit::output(context.run, &deployment, name).unwrap_or_else(|| {
        let message = format!("the deployment has no output `{name}`");
        context.run.fail(message, span)
    }))
}

/// A reference to something that the template writes as an array (a loop of resources, a list of subnets), as an array of
/// references to its elements. Other values as they are.
pub(crate) fn materialize(context: &Context<'_, '_>, value: Value) -> Value {
    let ValueKind::Reference(reference) = &value.kind else { return value };
    let span = value.span;
    if reference.path.is_empty() {
        if let Some(group) = context.run.groups.borrow().get(&reference.target.address) {
            let items = group
                .iter()
                .map(|instance| {
                    let mut item = Value::reference(instance.key.clone(), Vec::new(), span);
                    item.repeated = instance.index.is_none();
                    item
                })
                .collect();
            return Value::sequence(SequenceKind::Tuple, items, span);
        }
        return value;
    }
    let instance = context.run.instances.borrow().get(&reference.target.address).cloned();
    let Some(found) = instance.and_then(|instance| written(context, &instance, &reference.path)) else {
        return value;
    };
    let ValueKind::Sequence(sequence) = &found.kind else { return value };
    if sequence.items.iter().any(|item| item.repeated) {
        return value;
    }
    let items = (0..sequence.items.len())
        .map(|index| {
            let mut path = reference.path.clone();
            path.push(Step::Index(index as i64));
            let element = Reference { target: reference.target.clone(), path };
            resolve(context, &element, span)
                .unwrap_or_else(|| Value::reference(element.target.clone(), element.path.clone(), span))
        })
        .collect();
    Value::sequence(SequenceKind::Tuple, items, span)
}
