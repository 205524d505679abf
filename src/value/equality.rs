//! Whether two values are equal, as far as that is known.

use std::cmp::Ordering;

use super::{Cause, Mapping, Sequence, SequenceKind, TemplatePart, Unknown, Value, ValueKind};

/// How deep values are compared; deeper ones count as not comparable.
const MAX_DEPTH: usize = 128;

impl Value {
    /// Whether this value equals another: `None` when it depends on what is not known.
    ///
    /// Values of different kinds (a number and a string, a list and a tuple) are not equal. The same reference equals
    /// itself, and so does an unknown with the same cause at the same place.
    pub fn equals(&self, other: &Value) -> Option<bool> {
        equal(self, other, 0)
    }
}

fn equal(a: &Value, b: &Value, depth: usize) -> Option<bool> {
    if depth > MAX_DEPTH {
        return None;
    }
    match (&a.kind, &b.kind) {
        (ValueKind::Unknown(a), ValueKind::Unknown(b)) => same_unknown(a, b).then_some(true),
        (ValueKind::Reference(a), ValueKind::Reference(b)) => (a == b).then_some(true),
        (ValueKind::Unknown(_) | ValueKind::Reference(_), _)
        | (_, ValueKind::Unknown(_) | ValueKind::Reference(_)) => None,
        (ValueKind::Null, ValueKind::Null) => Some(true),
        (ValueKind::Bool(a), ValueKind::Bool(b)) => Some(a == b),
        (ValueKind::Number(a), ValueKind::Number(b)) => Some(a == b),
        (ValueKind::String(a), ValueKind::String(b)) => Some(a == b),
        (ValueKind::Template(a), ValueKind::Template(b)) => equal_templates(a, b, depth),
        (ValueKind::Template(parts), ValueKind::String(text))
        | (ValueKind::String(text), ValueKind::Template(parts)) => {
            could_be(parts, text).then_some(()).map_or(Some(false), |()| None)
        }
        (ValueKind::Sequence(a), ValueKind::Sequence(b)) => equal_sequences(a, b, depth),
        (ValueKind::Mapping(a), ValueKind::Mapping(b)) => equal_mappings(a, b, depth),
        _ => Some(false),
    }
}

/// Whether two unknowns are certainly the same value. Only for causes that name one thing: two calls of `uuid()` from the
/// same place give two values.
fn same_unknown(a: &Unknown, b: &Unknown) -> bool {
    a == b && matches!(a.cause, Cause::Input(_) | Cause::Module(_) | Cause::Computed(_) | Cause::Lookup(_))
}

fn equal_templates(a: &[TemplatePart], b: &[TemplatePart], depth: usize) -> Option<bool> {
    let same = a.len() == b.len()
        && a.iter().zip(b).all(|parts| match parts {
            (TemplatePart::Literal(a), TemplatePart::Literal(b)) => a == b,
            (TemplatePart::Value(a), TemplatePart::Value(b)) => equal(a, b, depth + 1) == Some(true),
            _ => false,
        });
    if same {
        return Some(true);
    }
    let fits = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let ends_fit = |a: &str, b: &str| a.ends_with(b) || b.ends_with(a);
    if !fits(known_start(a), known_start(b)) || !ends_fit(known_end(a), known_end(b)) {
        return Some(false);
    }
    None
}

fn known_start(parts: &[TemplatePart]) -> &str {
    match parts.first() {
        Some(TemplatePart::Literal(text)) => text,
        _ => "",
    }
}

fn known_end(parts: &[TemplatePart]) -> &str {
    match parts.last() {
        Some(TemplatePart::Literal(text)) => text,
        _ => "",
    }
}

/// Whether a template can come out as `text`: its known parts occur in it in their order.
fn could_be(parts: &[TemplatePart], text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix(known_start(parts)) else { return false };
    let mut middle = match parts {
        [TemplatePart::Literal(_), middle @ ..] => middle,
        all => all,
    };
    if let [before @ .., TemplatePart::Literal(end)] = middle {
        let Some(before_end) = rest.strip_suffix(end.as_str()) else { return false };
        rest = before_end;
        middle = before;
    } else if middle.is_empty() {
        return rest.is_empty();
    }
    for part in middle {
        if let TemplatePart::Literal(literal) = part {
            match rest.split_once(literal.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    true
}

fn equal_sequences(a: &Sequence, b: &Sequence, depth: usize) -> Option<bool> {
    if a.kind != b.kind {
        return Some(false);
    }
    if a.items.iter().chain(&b.items).any(|item| item.repeated) {
        return None;
    }
    if a.kind == SequenceKind::Set {
        return equal_sets(&a.items, &b.items, depth);
    }
    if a.items.len() != b.items.len() {
        return Some(false);
    }
    all(a.items.iter().zip(&b.items).map(|(a, b)| equal(a, b, depth + 1)))
}

fn equal_sets(a: &[Value], b: &[Value], depth: usize) -> Option<bool> {
    let contains =
        |items: &[Value], wanted: &Value| any(items.iter().map(|item| equal(item, wanted, depth + 1)));
    all(a.iter().map(|item| contains(b, item)).chain(b.iter().map(|item| contains(a, item))))
}

fn equal_mappings(a: &Mapping, b: &Mapping, depth: usize) -> Option<bool> {
    if a.kind != b.kind {
        return Some(false);
    }
    let open = a.rest.is_some() || b.rest.is_some();
    let one_way = |a: &Mapping, b: &Mapping| {
        let mut certain = a.entries.iter().filter(|(_, entry)| !entry.value.repeated);
        certain.any(|(key, _)| !b.entries.contains_key(key) && b.rest.is_none())
    };
    if one_way(a, b) || one_way(b, a) {
        return Some(false);
    }
    let maybe = |mapping: &Mapping| mapping.entries.values().any(|entry| entry.value.repeated);
    let open = open || maybe(a) || maybe(b);
    let entries = a
        .entries
        .iter()
        .filter_map(|(key, entry)| Some(equal(&entry.value, &b.entries.get(key)?.value, depth + 1)));
    match all(entries) {
        Some(true) if open => None,
        answer => answer,
    }
}

/// All hold, one certainly does not, or it is not known.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            None => result = None,
            Some(true) => {}
        }
    }
    result
}

/// One certainly holds, none does, or it is not known.
fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(answers.map(|answer| answer.map(|holds| !holds))).map(|none| !none)
}

/// The order in which Terraform walks the elements of a set: strings by their bytes, numbers by size, false before true,
/// null and then unknown last; anything else by a text of its content.
pub fn compare_set_elements(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value.kind {
        ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => 1,
        ValueKind::Null => 2,
        _ => 0,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (&a.kind, &b.kind) {
        (ValueKind::String(a), ValueKind::String(b)) => a.as_bytes().cmp(b.as_bytes()),
        (ValueKind::Number(a), ValueKind::Number(b)) => a.cmp(b),
        (ValueKind::Bool(a), ValueKind::Bool(b)) => a.cmp(b),
        _ if rank(a) == 0 => {
            let (mut left, mut right) = (String::new(), String::new());
            describe(a, &mut left, 0);
            describe(b, &mut right, 0);
            left.as_bytes().cmp(right.as_bytes())
        }
        _ => Ordering::Equal,
    })
}

/// A text that is the same for two wholly known values exactly when they are equal (for values of one type). `None` when
/// something in the value is not known.
pub fn identity_text(value: &Value) -> Option<String> {
    value.is_wholly_known().then(|| {
        let mut text = String::new();
        describe(value, &mut text, 0);
        text
    })
}

/// The text by which Terraform orders set elements that are collections (go-cty, `appendSetHashBytes`).
fn describe(value: &Value, out: &mut String, depth: usize) {
    use std::fmt::Write;
    if depth > MAX_DEPTH {
        return;
    }
    match &value.kind {
        ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => out.push('?'),
        ValueKind::Null => out.push('~'),
        ValueKind::Bool(value) => out.push(if *value { 'T' } else { 'F' }),
        ValueKind::String(text) => {
            // Writing into a string does not fail.
            let _ = write!(out, "{text:?}");
        }
        ValueKind::Number(number) => {
            let _ = write!(out, "{number}");
        }
        ValueKind::Sequence(sequence) => {
            let (open, close) = if sequence.kind == SequenceKind::Tuple { ('<', '>') } else { ('[', ']') };
            out.push(open);
            for item in &sequence.items {
                describe(item, out, depth + 1);
                out.push(';');
            }
            out.push(close);
        }
        ValueKind::Mapping(mapping) => {
            let object = mapping.kind == super::MappingKind::Object;
            let mut entries: Vec<_> = mapping.entries.iter().collect();
            entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push(if object { '<' } else { '{' });
            for (key, entry) in entries {
                if !object {
                    let _ = write!(out, "{key:?}:");
                }
                describe(&entry.value, out, depth + 1);
                out.push(';');
            }
            out.push(if object { '>' } else { '}' });
        }
    }
}
