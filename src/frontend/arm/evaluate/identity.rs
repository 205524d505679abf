//! When are two unknown values the same? The same pure function of the same unknowns gives the same value, wherever the
//! two calls stand. Such results share one [`Unknown`], so that names built from parameters without value can be compared.

use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::source::Span;
use crate::value::{Cause, TemplatePart, Unknown, Value, ValueKind};

/// Longer descriptions are not compared.
const MAX_LENGTH: usize = 4096;

/// The derived unknowns of one run, by what they are derived from.
#[derive(Default)]
pub(crate) struct Identities {
    by_text: RefCell<FxHashMap<String, Arc<Unknown>>>,
    /// The address of an interned unknown. `by_text` keeps them all alive.
    by_pointer: RefCell<FxHashMap<usize, String>>,
}

impl Identities {
    /// A description that two values share only if they are the same, whatever the unknowns turn out to be.
    /// `None` where that cannot be said.
    pub(crate) fn describe(&self, value: &Value) -> Option<String> {
        let mut out = String::new();
        self.write(value, &mut out).then_some(out)
    }

    fn write(&self, value: &Value, out: &mut String) -> bool {
        if out.len() > MAX_LENGTH {
            return false;
        }
        match &value.kind {
            ValueKind::Null => out.push_str("null"),
            ValueKind::Bool(value) => write!(out, "{value}").unwrap_or(()),
            ValueKind::Number(number) => write!(out, "{number}").unwrap_or(()),
            ValueKind::String(text) => write!(out, "{text:?}").unwrap_or(()),
            ValueKind::Template(parts) => {
                return parts.iter().all(|part| match part {
                    TemplatePart::Literal(text) => write!(out, "{text:?}").is_ok(),
                    TemplatePart::Value(value) => self.write(value, out),
                });
            }
            ValueKind::Sequence(sequence) => {
                out.push('[');
                for item in &sequence.items {
                    if item.repeated || !self.write(item, out) {
                        return false;
                    }
                    out.push(',');
                }
                out.push(']');
            }
            ValueKind::Mapping(mapping) => {
                if mapping.rest.is_some() {
                    return false;
                }
                out.push('{');
                for (key, entry) in &mapping.entries {
                    write!(out, "{key:?}:").unwrap_or(());
                    if !self.write(&entry.value, out) {
                        return false;
                    }
                    out.push(',');
                }
                out.push('}');
            }
            ValueKind::Reference(reference) => {
                write!(out, "<{} {reference}>", reference.target.root).unwrap_or(())
            }
            ValueKind::Unknown(unknown) => {
                let pointer = Arc::as_ptr(unknown) as usize;
                if let Some(text) = self.by_pointer.borrow().get(&pointer) {
                    out.push_str(text);
                } else if matches!(unknown.cause, Cause::Derived(_)) {
                    return false;
                } else {
                    let span = unknown.span;
                    write!(out, "<{:?} {} {} {}>", unknown.cause, span.file.0, span.start, span.end)
                        .unwrap_or(());
                }
            }
        }
        out.len() <= MAX_LENGTH
    }

    /// The unknown result of a pure operation on values, some of which are not known.
    pub(crate) fn derive(&self, operation: &str, from: &[&Value], span: Span) -> Value {
        let sensitive = from.iter().any(|value| value.sensitive);
        let unknown = from.iter().find_map(|value| value.first_unknown()).or_else(|| {
            from.iter().find(|value| value.repeated).map(|value| {
                Arc::new(Unknown {
                    cause: Cause::Unsupported("a part of unknown length".into()),
                    span: value.span,
                })
            })
        });
        let Some(origin) = unknown else {
            return Value::unknown(Cause::Unsupported(operation.into()), span).marked(sensitive);
        };
        let mut text = format!("{operation}(");
        let described = from.iter().all(|value| {
            let known = !value.repeated && self.write(value, &mut text);
            text.push(',');
            known
        });
        let cause = match &origin.cause {
            Cause::Derived(deeper) => Cause::Derived(Arc::clone(deeper)),
            _ => Cause::Derived(origin),
        };
        let fresh = || Arc::new(Unknown { cause, span });
        let unknown = if described && text.len() <= MAX_LENGTH {
            text.push(')');
            let mut by_text = self.by_text.borrow_mut();
            let unknown = by_text.entry(text.clone()).or_insert_with(fresh);
            self.by_pointer.borrow_mut().insert(Arc::as_ptr(unknown) as usize, text);
            Arc::clone(unknown)
        } else {
            fresh()
        };
        Value::new(ValueKind::Unknown(unknown), span).marked(sensitive)
    }
}
