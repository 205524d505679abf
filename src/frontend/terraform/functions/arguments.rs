//! How functions are declared, and how their arguments are checked.

use std::borrow::Cow;

use ecow::EcoString;

use super::FunctionContext;
use crate::frontend::terraform::types::{Type, convert};
use crate::source::Span;
use crate::value::{Cause, Mapping, Number, Sequence, SequenceKind, Value, ValueKind};

/// A built-in function.
pub(super) struct Function {
    pub name: &'static str,
    pub parameters: &'static [Parameter],
    /// Takes any number of further arguments.
    pub variadic: Option<Parameter>,
    pub unknowns: Unknowns,
    pub sensitivity: Sensitivity,
    pub body: fn(&Call) -> Result<Value, String>,
}

/// What happens when an argument is not wholly known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknowns {
    /// The result is a derived unknown; the body sees wholly known arguments only.
    Strict,
    /// The body deals with it.
    Handled,
}

/// When the result is sensitive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sensitivity {
    /// When anything in an argument is.
    Deep,
    /// When an argument itself is; elements that are passed through carry their own marks.
    Outer,
    /// The body deals with it.
    Own,
}

/// A parameter: its name in messages, and what arguments are converted to.
#[derive(Clone, Copy)]
pub(super) struct Parameter {
    pub name: &'static str,
    pub wants: Wants,
    pub nullable: bool,
}

/// The types that parameters have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Any,
    String,
    Number,
    ListOfAny,
    ListOfBool,
    ListOfString,
    SetOfAny,
    MapOfListOfString,
}

impl Wants {
    fn to_type(self) -> Type {
        match self {
            Wants::Any => Type::Any,
            Wants::String => Type::String,
            Wants::Number => Type::Number,
            Wants::ListOfAny => Type::list(Type::Any),
            Wants::ListOfBool => Type::list(Type::Bool),
            Wants::ListOfString => Type::list(Type::String),
            Wants::SetOfAny => Type::set(Type::Any),
            Wants::MapOfListOfString => Type::map(Type::list(Type::String)),
        }
    }
}

pub(super) const fn any(name: &'static str) -> Parameter {
    Parameter { name, wants: Wants::Any, nullable: false }
}

pub(super) const fn nullable(name: &'static str) -> Parameter {
    Parameter { name, wants: Wants::Any, nullable: true }
}

pub(super) const fn string(name: &'static str) -> Parameter {
    Parameter { name, wants: Wants::String, nullable: false }
}

pub(super) const fn number(name: &'static str) -> Parameter {
    Parameter { name, wants: Wants::Number, nullable: false }
}

pub(super) const fn of(name: &'static str, wants: Wants) -> Parameter {
    Parameter { name, wants, nullable: false }
}

impl Function {
    /// A function that computes from wholly known arguments.
    pub const fn strict(
        name: &'static str,
        parameters: &'static [Parameter],
        body: fn(&Call) -> Result<Value, String>,
    ) -> Function {
        Function {
            name,
            parameters,
            variadic: None,
            unknowns: Unknowns::Strict,
            sensitivity: Sensitivity::Deep,
            body,
        }
    }

    /// A function that can say something of arguments known in parts.
    pub const fn partial(
        name: &'static str,
        parameters: &'static [Parameter],
        body: fn(&Call) -> Result<Value, String>,
    ) -> Function {
        Function { unknowns: Unknowns::Handled, ..Function::strict(name, parameters, body) }
    }

    /// A function that passes elements through: their unknowns and marks stay theirs.
    pub const fn structural(
        name: &'static str,
        parameters: &'static [Parameter],
        body: fn(&Call) -> Result<Value, String>,
    ) -> Function {
        Function { sensitivity: Sensitivity::Outer, ..Function::partial(name, parameters, body) }
    }

    /// The same with any number of further arguments.
    pub const fn with_variadic(self, variadic: Parameter) -> Function {
        Function { variadic: Some(variadic), ..self }
    }

    /// The same with marks left to the body.
    pub const fn with_own_marks(self) -> Function {
        Function { sensitivity: Sensitivity::Own, ..self }
    }
}

/// One call with its checked arguments.
pub(super) struct Call<'a> {
    pub name: &'static str,
    pub arguments: &'a [Value],
    pub context: &'a FunctionContext<'a>,
    pub span: Span,
}

/// Checks number and nullness of arguments and converts them.
pub(super) fn check(function: &Function, arguments: &[Value]) -> Result<Vec<Value>, String> {
    let expected = function.parameters.len();
    if arguments.len() < expected {
        let missing = function.parameters.get(arguments.len()).map_or("", |parameter| parameter.name);
        return Err(format!(
            "too few arguments: function \"{}\" expects {expected}{}, and \"{missing}\" is missing",
            function.name,
            if function.variadic.is_some() { " or more" } else { "" },
        ));
    }
    if arguments.len() > expected && function.variadic.is_none() {
        return Err(format!("too many arguments: function \"{}\" expects {expected}", function.name));
    }
    let parameters = function.parameters.iter().chain(std::iter::repeat_n(
        function.variadic.as_ref().unwrap_or(&ANY),
        arguments.len().saturating_sub(expected),
    ));
    arguments
        .iter()
        .zip(parameters)
        .map(|(argument, parameter)| {
            if argument.is_null() && !parameter.nullable {
                return Err(invalid(parameter.name, "argument must not be null"));
            }
            if parameter.wants == Wants::Any {
                return Ok(argument.clone());
            }
            convert(argument, &parameter.wants.to_type()).map_err(|problem| invalid(parameter.name, &problem))
        })
        .collect()
}

const ANY: Parameter = any("argument");

/// The message for a wrong argument.
pub(super) fn invalid(parameter: &str, problem: &str) -> String {
    format!("invalid value for \"{parameter}\" parameter: {problem}")
}

/// Whether a value or anything in it is sensitive.
pub(in crate::frontend::terraform) fn holds_sensitive(value: &Value) -> bool {
    value.sensitive
        || match &value.kind {
            ValueKind::Sequence(sequence) => sequence.items.iter().any(holds_sensitive),
            ValueKind::Mapping(mapping) => {
                mapping.entries.values().any(|entry| holds_sensitive(&entry.value))
            }
            ValueKind::Template(parts) => parts.iter().any(|part| match part {
                crate::value::TemplatePart::Value(value) => holds_sensitive(value),
                crate::value::TemplatePart::Literal(_) => false,
            }),
            _ => false,
        }
}

impl Call<'_> {
    /// An argument that is declared, so that [`check`] saw it.
    pub fn argument(&self, index: usize) -> Result<&Value, String> {
        self.arguments.get(index).ok_or_else(|| format!("too few arguments for function \"{}\"", self.name))
    }

    /// An argument declared as a string, in a strict function.
    pub fn text(&self, index: usize) -> Result<&str, String> {
        self.argument(index)?.as_str().ok_or_else(|| "a string is required".to_string())
    }

    /// An argument declared as a number, in a strict function.
    pub fn number(&self, index: usize) -> Result<&Number, String> {
        self.argument(index)?.as_number().ok_or_else(|| "a number is required".to_string())
    }

    /// An argument declared as a number, in a strict function, that must be whole.
    pub fn integer(&self, index: usize) -> Result<i64, String> {
        whole(self.number(index)?)
    }

    /// An argument that is an ordered collection.
    pub fn sequence(&self, index: usize) -> Result<&Sequence, String> {
        self.argument(index)?.as_sequence().ok_or_else(|| "a list is required".to_string())
    }

    /// An argument that is a keyed collection.
    pub fn mapping(&self, index: usize) -> Result<&Mapping, String> {
        self.argument(index)?.as_mapping().ok_or_else(|| "a map is required".to_string())
    }

    /// A string made by this call.
    pub fn string(&self, text: impl Into<EcoString>) -> Value {
        Value::string(text, self.span)
    }

    /// A string that is (part of) the first-named argument: it stands where that was written.
    pub fn string_from(&self, index: usize, text: impl Into<EcoString>) -> Value {
        let span = self.arguments.get(index).map_or(self.span, |argument| argument.span.or(self.span));
        Value::string(text, span)
    }

    /// A truth value made by this call.
    pub fn bool(&self, value: bool) -> Value {
        Value::bool(value, self.span)
    }

    /// A list made by this call.
    pub fn list(&self, items: Vec<Value>) -> Value {
        Value::sequence(SequenceKind::List, items, self.span)
    }

    /// An ordered collection made by this call.
    pub fn sequence_of(&self, kind: SequenceKind, items: Vec<Value>) -> Value {
        Value::sequence(kind, items, self.span)
    }

    /// A mapping made by this call.
    pub fn mapping_of(&self, mapping: Mapping) -> Value {
        Value::new(ValueKind::Mapping(mapping.into()), self.span)
    }

    /// The result of this call is not known because that value is not.
    pub fn unknown_from(&self, value: &Value) -> Value {
        value.derived_unknown(self.span)
    }

    /// Zero or more elements that are not known because that value is not.
    pub fn unknown_elements(&self, value: &Value) -> Value {
        Value { repeated: true, ..value.derived_unknown(self.span) }
    }

    /// The result of this call would be too large.
    pub fn too_large(&self) -> Value {
        Value::unknown(Cause::Limit(format!("the result of `{}` is too large", self.name).into()), self.span)
    }

    /// The result of this call depends on more than the files.
    pub fn impure(&self) -> Value {
        Value::unknown(Cause::Impure(self.name.into()), self.span)
    }

    /// Portolan does not compute this.
    pub fn unsupported(&self, what: impl Into<EcoString>) -> Value {
        Value::unknown(Cause::Unsupported(what.into()), self.span)
    }
}

/// A number that must be whole.
pub(super) fn whole(number: &Number) -> Result<i64, String> {
    number.as_i64().ok_or_else(|| {
        "value must be a whole number, between -9223372036854775808 and 9223372036854775807".to_string()
    })
}

/// The text in the composed form in which Terraform keeps all strings.
pub(super) fn normalized(text: &str) -> Cow<'_, str> {
    use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

/// Whether a value that is not known is certainly a string (and so not null and no collection).
pub(super) fn is_certainly_text(value: &Value) -> bool {
    match &value.kind {
        ValueKind::String(_) | ValueKind::Template(_) => true,
        _ => is_identifier(value),
    }
}

/// Whether a string that is perhaps not known is certainly neither null nor empty.
pub(super) fn is_certainly_filled(value: &Value) -> bool {
    match &value.kind {
        ValueKind::String(text) => !text.is_empty(),
        ValueKind::Template(parts) => parts.iter().any(|part| match part {
            crate::value::TemplatePart::Literal(text) => !text.is_empty(),
            crate::value::TemplatePart::Value(value) => is_identifier(value),
        }),
        ValueKind::Null => false,
        ValueKind::Unknown(_) | ValueKind::Reference(_) => is_identifier(value),
        _ => true,
    }
}

/// A resource's own id: not known before it is made, but never null or empty.
fn is_identifier(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Reference(reference) => {
            matches!(reference.path.as_slice(), [crate::value::Step::Attribute(name)] if name == "id")
        }
        _ => false,
    }
}
