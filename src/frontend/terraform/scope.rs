//! What names mean at one place: which module instance, which repetition, which loop variables.

use std::rc::Rc;

use ecow::{EcoString, eco_format};

use super::evaluator::Node;
use crate::source::Span;
use crate::value::Value;

/// The key of one instance of a `count` or `for_each`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum InstanceKey {
    /// `[0]`
    Index(i64),
    /// `["a"]`
    Name(EcoString),
}

impl InstanceKey {
    /// The key as a value.
    pub fn to_value(&self, span: Span) -> Value {
        match self {
            InstanceKey::Index(index) => Value::number(*index, span),
            InstanceKey::Name(name) => Value::string(name.clone(), span),
        }
    }
}

impl std::fmt::Display for InstanceKey {
    /// As in addresses: `[0]`, `["a"]` with HCL's escapes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InstanceKey::Index(index) => write!(f, "[{index}]"),
            InstanceKey::Name(name) => {
                f.write_str("[\"")?;
                let mut rest = name.chars().peekable();
                while let Some(c) = rest.next() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        '\r' => f.write_str("\\r")?,
                        '\t' => f.write_str("\\t")?,
                        '$' | '%' if rest.peek() == Some(&'{') => write!(f, "{c}{c}")?,
                        _ => write!(f, "{c}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

/// An address with an instance key behind it.
pub(super) fn keyed(address: &str, key: Option<&InstanceKey>) -> EcoString {
    match key {
        Some(key) => eco_format!("{address}{key}"),
        None => address.into(),
    }
}

/// What `each` and `count` mean in one instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Repetition {
    /// The instance's key, when it has a known one.
    pub key: Option<InstanceKey>,
    /// `each.key`, `each.value`
    pub each: Option<(Value, Value)>,
    /// `count.index`
    pub index: Option<Value>,
}

/// A loop variable.
pub(super) struct Binding<'a> {
    pub name: &'a str,
    pub value: Value,
    pub outer: Option<&'a Binding<'a>>,
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The module instance.
    pub node: &'a Rc<Node>,
    /// `each` and `count`, inside a block that has them.
    pub repetition: Option<&'a Repetition>,
    /// The address of the resource whose block this is: what `self` means.
    pub own: Option<&'a EcoString>,
    /// Loop variables, innermost first.
    pub bindings: Option<&'a Binding<'a>>,
    /// Only loop variables and functions can be named (`templatefile`).
    pub closed: bool,
}

impl<'a> Scope<'a> {
    /// The scope of a module instance, outside of any block.
    pub fn of_node(node: &'a Rc<Node>) -> Self {
        Scope { node, repetition: None, own: None, bindings: None, closed: false }
    }

    /// This scope inside a block with `count` or `for_each`.
    pub fn repeated(self, repetition: &'a Repetition) -> Self {
        Scope { repetition: Some(repetition), ..self }
    }

    /// This scope with one more loop variable.
    pub fn with<'b>(&self, binding: &'b Binding<'b>) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope { bindings: Some(binding), ..*self }
    }

    /// The value of a loop variable.
    pub fn binding(&self, name: &str) -> Option<&'a Value> {
        let mut at = self.bindings;
        while let Some(binding) = at {
            if binding.name == name {
                return Some(&binding.value);
            }
            at = binding.outer;
        }
        None
    }
}
