//! Terraform's types: what a value may be, how values convert, and what several types have in common.
//!
//! Terraform's type system is that of the go-cty library; its documentation of conversions and unification is at
//! <https://github.com/zclconf/go-cty/blob/main/docs/convert.md>.

mod constraint;
mod convert;
#[cfg(test)]
mod tests;
mod unify;

use std::collections::BTreeMap;

use ecow::EcoString;

use crate::value::{MappingKind, SequenceKind, Value, ValueKind};

pub use constraint::Defaults;
pub use convert::convert;
pub(in crate::frontend::terraform) use convert::{convert_to_common, unique_in_order, unordered_elements};
pub(in crate::frontend::terraform) use unify::common_type;
pub use unify::{can_convert, unify};

/// How deep types may nest. Deeper parts of a value's type count as [`Type::Any`]; deeper constraints are refused.
const MAX_DEPTH: usize = 64;

/// A type, or a constraint on one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    /// Any type; for a value: a type that is not known.
    Any,
    /// `string`
    String,
    /// `number`
    Number,
    /// `bool`
    Bool,
    /// `list(…)`
    List(Box<Type>),
    /// `set(…)`
    Set(Box<Type>),
    /// `map(…)`
    Map(Box<Type>),
    /// `object({ … })`, by attribute name.
    Object(BTreeMap<EcoString, ObjectAttribute>),
    /// `tuple([…])`
    Tuple(Vec<Type>),
}

/// An attribute of an object type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectAttribute {
    /// Its type.
    pub ty: Type,
    /// May be missing; it is null then, or has its default ([`Defaults`]).
    pub optional: bool,
}

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Type {
        Type::List(Box::new(element))
    }

    /// `set(element)`
    pub fn set(element: Type) -> Type {
        Type::Set(Box::new(element))
    }

    /// `map(element)`
    pub fn map(element: Type) -> Type {
        Type::Map(Box::new(element))
    }

    /// Whether this is a string, a number or a truth value.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::String | Type::Number | Type::Bool)
    }

    /// The type in words, as Terraform's messages have it: `list of string`.
    pub fn friendly_name(&self) -> String {
        match self {
            Type::Any => "any type".to_string(),
            Type::String => "string".to_string(),
            Type::Number => "number".to_string(),
            Type::Bool => "bool".to_string(),
            Type::List(element) => format!("list of {}", element.friendly_name()),
            Type::Set(element) => format!("set of {}", element.friendly_name()),
            Type::Map(element) => format!("map of {}", element.friendly_name()),
            Type::Object(_) => "object".to_string(),
            Type::Tuple(_) => "tuple".to_string(),
        }
    }
}

impl std::fmt::Display for Type {
    /// The constraint as it is written in configuration, on one line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Type::Any => write!(f, "any"),
            Type::String => write!(f, "string"),
            Type::Number => write!(f, "number"),
            Type::Bool => write!(f, "bool"),
            Type::List(element) => write!(f, "list({element})"),
            Type::Set(element) => write!(f, "set({element})"),
            Type::Map(element) => write!(f, "map({element})"),
            Type::Object(attributes) => {
                write!(f, "object({{")?;
                for (index, (name, attribute)) in attributes.iter().enumerate() {
                    let comma = if index > 0 { ", " } else { "" };
                    match attribute.optional {
                        true => write!(f, "{comma}{name}=optional({})", attribute.ty)?,
                        false => write!(f, "{comma}{name}={}", attribute.ty)?,
                    }
                }
                write!(f, "}})")
            }
            Type::Tuple(elements) => {
                write!(f, "tuple([")?;
                for (index, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if index > 0 { ", " } else { "" })?;
                }
                write!(f, "])")
            }
        }
    }
}

/// The type of a value, as far as it is known: null, references and unknowns are of any type.
pub fn type_of(value: &Value) -> Type {
    type_of_at(value, 0)
}

fn type_of_at(value: &Value, depth: usize) -> Type {
    if depth > MAX_DEPTH {
        return Type::Any;
    }
    // Elements of one collection have one type; where unknowns hide a part of it, the others say it.
    let common = |values: &mut dyn Iterator<Item = &Value>| {
        let types: Vec<Type> = values.map(|value| type_of_at(value, depth + 1)).collect();
        Box::new(unify(&types).unwrap_or(Type::Any))
    };
    match &value.kind {
        ValueKind::Null | ValueKind::Reference(_) | ValueKind::Unknown(_) => Type::Any,
        ValueKind::Bool(_) => Type::Bool,
        ValueKind::Number(_) => Type::Number,
        ValueKind::String(_) | ValueKind::Template(_) => Type::String,
        ValueKind::Sequence(sequence) => match sequence.kind {
            SequenceKind::List => Type::List(common(&mut sequence.items.iter())),
            SequenceKind::Set => Type::Set(common(&mut sequence.items.iter())),
            // How long it is, is not known.
            SequenceKind::Tuple if sequence.items.iter().any(|item| item.repeated) => Type::Any,
            SequenceKind::Tuple => {
                Type::Tuple(sequence.items.iter().map(|item| type_of_at(item, depth + 1)).collect())
            }
        },
        ValueKind::Mapping(mapping) => match mapping.kind {
            MappingKind::Map => Type::Map(common(&mut mapping.entries.values().map(|entry| &entry.value))),
            // An object may have more attributes than are known: its type is not known either.
            MappingKind::Object if mapping.rest.is_some() => Type::Any,
            // What attributes there are, is not known.
            MappingKind::Object if mapping.rest.is_some() => Type::Any,
            MappingKind::Object => Type::Object(
                mapping
                    .entries
                    .iter()
                    .map(|(name, entry)| {
                        let ty = type_of_at(&entry.value, depth + 1);
                        (name.clone(), ObjectAttribute { ty, optional: false })
                    })
                    .collect(),
            ),
        },
    }
}
