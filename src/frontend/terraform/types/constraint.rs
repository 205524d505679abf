//! Reading type constraints: the `type` argument of a variable.

use std::collections::BTreeMap;

use ecow::EcoString;

use super::{MAX_DEPTH, ObjectAttribute, Type, convert};
use crate::frontend::terraform::syntax::ast::{
    Call, Expression, ExpressionKind, ObjectKey, TemplatePart, UnaryOperator,
};
use crate::resource::Diagnostic;
use crate::value::{
    Cause, Entry, Mapping, MappingKind, Sequence, SequenceKind, TextBuilder, Value, ValueKind,
};

/// The default values of `optional(type, default)` attributes, in the shape of the type they belong to.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Of an object: the defaults of its own attributes.
    attributes: BTreeMap<EcoString, Value>,
    /// Of an object: the defaults inside its attributes.
    inside: BTreeMap<EcoString, Defaults>,
    /// Of a tuple: the defaults inside its elements, by place.
    elements: BTreeMap<usize, Defaults>,
    /// Of a list, set or map: the defaults inside each element.
    each: Option<Box<Defaults>>,
}

impl Defaults {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
            && self.inside.is_empty()
            && self.elements.is_empty()
            && self.each.is_none()
    }

    /// Puts defaults where optional attributes are missing or null. To be done before [`convert`], as Terraform does.
    /// Unknown parts stay as they are.
    pub fn apply(&self, value: &Value) -> Value {
        if self.is_empty() {
            return value.clone();
        }
        let kind = match &value.kind {
            ValueKind::Sequence(sequence) => {
                let items = sequence.items.iter().enumerate().map(|(index, item)| {
                    match self.each.as_deref().or_else(|| self.elements.get(&index)) {
                        Some(defaults) => defaults.apply(item),
                        None => item.clone(),
                    }
                });
                ValueKind::Sequence(Sequence { kind: sequence.kind, items: items.collect() }.into())
            }
            ValueKind::Mapping(mapping) => ValueKind::Mapping(self.apply_to_mapping(value, mapping).into()),
            _ => return value.clone(),
        };
        Value { kind, ..value.clone() }
    }

    fn apply_to_mapping(&self, value: &Value, mapping: &Mapping) -> Mapping {
        let mut applied = mapping.clone();
        for (name, default) in &self.attributes {
            match applied.entries.get_mut(name) {
                // A default is written in the type: there is where it stands.
                Some(entry) if entry.value.is_null() => entry.value = default.clone(),
                Some(_) => {}
                None if mapping.rest.is_some() => {}
                None => {
                    applied.entries.insert(name.clone(), Entry { span: value.span, value: default.clone() });
                }
            }
        }
        for (name, entry) in &mut applied.entries {
            if let Some(defaults) = self.each.as_deref().or_else(|| self.inside.get(name)) {
                entry.value = defaults.apply(&entry.value);
            }
        }
        applied
    }
}

impl Type {
    /// Reads a type constraint: `string`, `list(string)`, `object({ a = optional(number, 1) })`, the bare `list` and `map`,
    /// and the quoted names of old (`"string"`).
    ///
    /// # Errors
    /// A diagnostic at the part that is no type.
    pub fn from_expression(expression: &Expression) -> Result<(Type, Defaults), Diagnostic> {
        // Only at the top: `type = "list"` meant a list of anything.
        if let ExpressionKind::String(name) = &expression.kind {
            let ty = match name.as_str() {
                "string" => Type::String,
                "list" => Type::list(Type::Any),
                "map" => Type::map(Type::Any),
                "any" => Type::Any,
                _ => return Err(invalid(expression, "a quoted type may only be string, list or map")),
            };
            return Ok((ty, Defaults::default()));
        }
        read(expression, 0)
    }
}

fn invalid(expression: &Expression, problem: &str) -> Diagnostic {
    Diagnostic::error("invalid-type", format!("not a type constraint: {problem}"), expression.span)
}

fn read(expression: &Expression, depth: usize) -> Result<(Type, Defaults), Diagnostic> {
    if depth > MAX_DEPTH {
        return Err(invalid(expression, "it nests too deeply"));
    }
    let plain = |ty| Ok((ty, Defaults::default()));
    match &expression.kind {
        ExpressionKind::Variable(name) => match name.as_str() {
            "any" => plain(Type::Any),
            "string" => plain(Type::String),
            "number" => plain(Type::Number),
            "bool" => plain(Type::Bool),
            "list" => plain(Type::list(Type::Any)),
            "map" => plain(Type::map(Type::Any)),
            "set" => plain(Type::set(Type::Any)),
            "object" => Err(invalid(expression, "object needs its attributes: object({ … })")),
            "tuple" => Err(invalid(expression, "tuple needs its elements: tuple([ … ])")),
            other => Err(invalid(expression, &format!("there is no type \"{other}\""))),
        },
        ExpressionKind::Parenthesis(inner) => read(inner, depth + 1),
        ExpressionKind::Call(call) => read_call(expression, call, depth),
        _ => Err(invalid(expression, "expected a type name or a call such as list(string)")),
    }
}

fn read_call(expression: &Expression, call: &Call, depth: usize) -> Result<(Type, Defaults), Diagnostic> {
    let [argument] = call.arguments.as_slice() else {
        return Err(invalid(expression, &format!("{} takes exactly one argument", call.name)));
    };
    let each = |defaults: Defaults| {
        if defaults.is_empty() {
            defaults
        } else {
            Defaults { each: Some(defaults.into()), ..Default::default() }
        }
    };
    match call.name.as_str() {
        name @ ("list" | "set" | "map") => {
            let (element, defaults) = read(argument, depth + 1)?;
            let ty = match name {
                "list" => Type::list(element),
                "set" => Type::set(element),
                _ => Type::map(element),
            };
            Ok((ty, each(defaults)))
        }
        "tuple" => {
            let ExpressionKind::Tuple(items) = &argument.kind else {
                return Err(invalid(argument, "tuple takes a list of types in brackets"));
            };
            let mut types = Vec::with_capacity(items.len());
            let mut defaults = Defaults::default();
            for (index, item) in items.iter().enumerate() {
                let (ty, inside) = read(item, depth + 1)?;
                types.push(ty);
                if !inside.is_empty() {
                    defaults.elements.insert(index, inside);
                }
            }
            Ok((Type::Tuple(types), defaults))
        }
        "object" => read_object(argument, depth),
        "optional" => Err(invalid(expression, "optional may only stand at an attribute of an object type")),
        other => Err(invalid(expression, &format!("there is no type \"{other}\""))),
    }
}

fn read_object(argument: &Expression, depth: usize) -> Result<(Type, Defaults), Diagnostic> {
    let ExpressionKind::Object(items) = &argument.kind else {
        return Err(invalid(argument, "object takes its attributes in braces"));
    };
    let mut attributes = BTreeMap::new();
    let mut defaults = Defaults::default();
    for item in items {
        let name = match &item.key {
            ObjectKey::Name(name, _) => name.clone(),
            ObjectKey::Expression(key) => match &key.kind {
                ExpressionKind::String(name) | ExpressionKind::Variable(name) => name.clone(),
                _ => return Err(invalid(key, "an attribute's name is written out")),
            },
        };
        let (ty, optional, default, inside) = read_attribute(&item.value, depth)?;
        if let Some(default) = default {
            defaults.attributes.insert(name.clone(), default);
        }
        if !inside.is_empty() {
            defaults.inside.insert(name.clone(), inside);
        }
        attributes.insert(name, ObjectAttribute { ty, optional });
    }
    Ok((Type::Object(attributes), defaults))
}

type AttributeConstraint = (Type, bool, Option<Value>, Defaults);

fn read_attribute(expression: &Expression, depth: usize) -> Result<AttributeConstraint, Diagnostic> {
    let call = match &expression.kind {
        ExpressionKind::Call(call) if call.name == "optional" => call,
        _ => {
            let (ty, inside) = read(expression, depth + 1)?;
            return Ok((ty, false, None, inside));
        }
    };
    let (ty, default) = match call.arguments.as_slice() {
        [ty] => (ty, None),
        [ty, default] => (ty, Some(default)),
        _ => return Err(invalid(expression, "optional takes a type and perhaps a default")),
    };
    let (ty, inside) = read(ty, depth + 1)?;
    let default = match default {
        Some(expression) => {
            let value = inside.apply(&constant(expression, 0));
            let value = convert(&value, &ty).map_err(|problem| {
                let message = format!("this default does not fit its attribute's type: {problem}");
                Diagnostic::error("invalid-default", message, expression.span)
            })?;
            (!value.is_null()).then_some(value)
        }
        None => None,
    };
    Ok((ty, true, default, inside))
}

/// The value of an expression without variables and functions. Anything else is unknown.
fn constant(expression: &Expression, depth: usize) -> Value {
    let span = expression.span;
    let unsupported = || Value::unknown(Cause::Unsupported("an expression in a type's default".into()), span);
    if depth > MAX_DEPTH {
        return unsupported();
    }
    match &expression.kind {
        ExpressionKind::Null => Value::null(span),
        ExpressionKind::Bool(value) => Value::bool(*value, span),
        ExpressionKind::Number(value) => Value::number(value.clone(), span),
        ExpressionKind::String(value) => Value::string(value.clone(), span),
        ExpressionKind::Parenthesis(inner) => constant(inner, depth + 1).at(span),
        ExpressionKind::Unary(UnaryOperator::Negate, operand) => match constant(operand, depth + 1).kind {
            ValueKind::Number(number) => Value::number(number.negate(), span),
            _ => unsupported(),
        },
        ExpressionKind::Unary(UnaryOperator::Not, operand) => match constant(operand, depth + 1).kind {
            ValueKind::Bool(value) => Value::bool(!value, span),
            _ => unsupported(),
        },
        ExpressionKind::Tuple(items) => {
            let items = items.iter().map(|item| constant(item, depth + 1)).collect();
            Value::sequence(SequenceKind::Tuple, items, span)
        }
        ExpressionKind::Object(items) => {
            let mut entries = Vec::with_capacity(items.len());
            for item in items {
                let key = match &item.key {
                    ObjectKey::Name(name, _) => name.clone(),
                    ObjectKey::Expression(key) => {
                        match convert(&constant(key, depth + 1), &Type::String).map(|key| key.kind) {
                            Ok(ValueKind::String(key)) => key,
                            _ => return unsupported(),
                        }
                    }
                };
                entries.push((key, Entry { span: item.span, value: constant(&item.value, depth + 1) }));
            }
            Value::mapping(MappingKind::Object, entries, span)
        }
        ExpressionKind::Template(template) => {
            let mut text = TextBuilder::new();
            for part in &template.parts {
                let pushed = match part {
                    TemplatePart::Literal(literal, _) => {
                        text.push_str(literal);
                        true
                    }
                    TemplatePart::Interpolation(inner) => text.push_value(&constant(inner, depth + 1)),
                    TemplatePart::If(_) | TemplatePart::For(_) => false,
                };
                if !pushed {
                    return unsupported();
                }
            }
            text.finish(span)
        }
        _ => unsupported(),
    }
}
