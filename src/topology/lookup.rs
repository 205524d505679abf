//! Reading properties of any resource that the model has no name for, by the paths that a table of the knowledge base gives
//! for each vocabulary.

use std::sync::Arc;

use crate::resource::Mode;
use crate::source::Span;
use crate::value::{Cause, Mapping, Unknown, Value, ValueKind};

use super::{Place, ResourceNode};

/// How deep paths may lead.
const MAXIMUM_DEPTH: usize = 32;

/// What stands at a path: every value, where lists or `*` lead to several.
#[derive(Debug, Default)]
pub struct Values<'a> {
    /// The values that are known to be there, null and empty texts left out.
    pub found: Vec<(&'a Value, Place)>,
    /// When set, there may be others, for this reason.
    pub unknown: Option<Arc<Unknown>>,
}

impl Values<'_> {
    /// Whether there certainly is nothing.
    pub fn is_absent(&self) -> bool {
        self.found.is_empty() && self.unknown.is_none()
    }
}

impl ResourceNode {
    /// Whether its body is in ARM's vocabulary (azapi resources are, once they are in the model).
    pub fn is_arm(&self) -> bool {
        !self.written_type.starts_with("azurerm_")
    }

    /// What stands at paths in the vocabulary of this resource: `terraform` with dots through blocks, `arm` with `[]` behind
    /// arrays and `*` for any name. Several paths are alternatives; all that is found counts.
    pub fn values<'a, T: AsRef<str>>(&'a self, terraform: &[T], arm: &[T]) -> Values<'a> {
        let mut values = Values::default();
        for path in if self.is_arm() { arm } else { terraform } {
            let steps: Vec<&str> = path.as_ref().split('.').map(|step| step.trim_end_matches("[]")).collect();
            self.walk(&self.body, &steps, self.place.site, &mut values, 0);
        }
        if values.is_absent() && self.mode == Mode::Existing {
            // What is only looked up has properties that are not written here.
            let cause = Cause::Lookup(self.key.address.clone());
            values.unknown = Some(Arc::new(Unknown { cause, span: self.place.site }));
        }
        values
    }

    /// Whether anything is written at a path without arrays, null included.
    pub fn mentions(&self, terraform: &str, arm: &str) -> bool {
        let mut value = &self.body;
        for step in if self.is_arm() { arm } else { terraform }.split('.') {
            let Some(mapping) = value.as_mapping() else { return false };
            let Some((entry, _)) = entries(mapping, step, self.is_arm()).into_iter().next() else {
                return false;
            };
            value = entry;
        }
        true
    }

    fn walk<'a>(
        &'a self,
        value: &'a Value,
        steps: &[&str],
        site: Span,
        values: &mut Values<'a>,
        depth: usize,
    ) {
        if depth > MAXIMUM_DEPTH {
            return;
        }
        if value.repeated {
            values.unknown = values.unknown.take().or_else(|| value.first_unknown());
        }
        match (&value.kind, steps) {
            (ValueKind::Null, _) => {}
            (ValueKind::Unknown(unknown), [_, ..]) => {
                values.unknown = values.unknown.take().or_else(|| Some(Arc::clone(unknown)));
            }
            (ValueKind::Reference(_) | ValueKind::Template(_), [_, ..]) => {
                values.unknown = values.unknown.take().or_else(|| value.first_unknown());
            }
            (ValueKind::Sequence(sequence), _) => {
                for item in &sequence.items {
                    self.walk(item, steps, item.span.or(site), values, depth + 1);
                }
            }
            (_, []) if value.as_str() == Some("") => {}
            (ValueKind::String(_) | ValueKind::Number(_) | ValueKind::Template(_), []) if value.sensitive => {
                // What is never to be shown is not given to rules, which make messages of it.
                let cause = Cause::Unsupported("reading a sensitive value".into());
                values.unknown.get_or_insert_with(|| Arc::new(Unknown { cause, span: value.span }));
            }
            (_, []) => {
                let place = Place { resource: self.place.resource, site, origin: value.span };
                values.found.push((value, place));
            }
            (ValueKind::Mapping(mapping), [first, rest @ ..]) => {
                for (entry, span) in entries(mapping, first, self.is_arm()) {
                    self.walk(entry, rest, span.or(site), values, depth + 1);
                }
                if let (Some(why), true) = (&mapping.rest, values.found.is_empty()) {
                    values.unknown = values.unknown.take().or_else(|| Some(Arc::clone(why)));
                }
            }
            _ => {}
        }
    }
}

/// The entries of a name: exact in Terraform, in any case in ARM, all for `*`.
fn entries<'a>(mapping: &'a Mapping, name: &str, ignore_case: bool) -> Vec<(&'a Value, Span)> {
    if name == "*" {
        return mapping.entries.values().map(|entry| (&entry.value, entry.span)).collect();
    }
    if let Some(entry) = mapping.entries.get(name) {
        return vec![(&entry.value, entry.span)];
    }
    if !ignore_case {
        return Vec::new();
    }
    let found = mapping.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, entry)| (&entry.value, entry.span)).into_iter().collect()
}
