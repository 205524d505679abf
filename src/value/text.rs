//! Putting strings together of which some parts are not known.

use ecow::EcoString;

use super::{TemplatePart, Value, ValueKind};
use crate::source::Span;

/// Collects the parts of a string: known text, and values that are not known. Neighbouring text is joined, templates are
/// taken apart, so that the same string always has the same parts.
#[derive(Debug, Default)]
pub struct TextBuilder {
    parts: Vec<TemplatePart>,
    literal: EcoString,
    sensitive: bool,
}

impl TextBuilder {
    /// An empty string.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds known text.
    pub fn push_str(&mut self, text: &str) {
        self.literal.push_str(text);
    }

    /// Adds a value: a string, a number or a truth value as its text, a template as its parts, anything unknown as a part
    /// of its own. Returns false, and adds nothing, for null and for collections.
    pub fn push_value(&mut self, value: &Value) -> bool {
        match &value.kind {
            ValueKind::String(text) => self.literal.push_str(text),
            ValueKind::Number(number) => self.literal.push_str(&number.to_string()),
            ValueKind::Bool(value) => self.literal.push_str(if *value { "true" } else { "false" }),
            ValueKind::Template(parts) => {
                for part in parts.iter() {
                    match part {
                        TemplatePart::Literal(text) => self.literal.push_str(text),
                        TemplatePart::Value(value) => self.push_unknown(value.clone()),
                    }
                }
            }
            ValueKind::Unknown(_) | ValueKind::Reference(_) => self.push_unknown(value.clone()),
            ValueKind::Null | ValueKind::Sequence(_) | ValueKind::Mapping(_) => return false,
        }
        self.sensitive |= value.sensitive;
        true
    }

    fn push_unknown(&mut self, value: Value) {
        self.flush();
        self.parts.push(TemplatePart::Value(value));
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.parts.push(TemplatePart::Literal(std::mem::take(&mut self.literal)));
        }
    }

    /// Marks the string sensitive if `sensitive`.
    pub fn mark(&mut self, sensitive: bool) {
        self.sensitive |= sensitive;
    }

    /// How long the known text is that was added last.
    pub fn len(&self) -> usize {
        self.literal.len()
    }

    /// Of how many parts it consists so far.
    pub fn part_count(&self) -> usize {
        self.parts.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.literal.is_empty() && self.parts.is_empty()
    }

    /// The string, or the template when a part is not known. Sensitive when a value in it was.
    pub fn finish(mut self, span: Span) -> Value {
        if self.parts.is_empty() {
            return Value::string(self.literal, span).marked(self.sensitive);
        }
        self.flush();
        Value::new(ValueKind::Template(self.parts.into()), span).marked(self.sensitive)
    }
}
