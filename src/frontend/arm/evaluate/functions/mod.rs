//! The functions of templates.
//!
//! Pure functions work on values and are listed in [`TABLE`]. Functions that look at the deployment, at resources, or that
//! take lambdas are in [`special`].

mod cidr;
mod collections;
mod dates;
mod encoding;
mod format;
mod hash;
mod lambdas;
mod numbers;
mod special;
mod strings;

use std::collections::HashMap;
use std::sync::OnceLock;

use ecow::EcoString;

use super::super::expression::ast::Expression;
use super::context::{Context, is_open};
use super::{access, ids};
use crate::source::Span;
use crate::value::{Cause, Entry, Mapping, Number, Sequence, Value, ValueKind};

/// Why a function gives no value.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments are not known well enough.
    Unknown,
    /// Resource Manager refuses the call: a sentence without a full stop.
    Error(String),
}

type Outcome = Result<Value, Failure>;

/// A call of a pure function.
pub(crate) struct Call<'c, 'r, 'l> {
    context: &'c Context<'r, 'l>,
    values: Vec<Value>,
    span: Span,
}

/// A pure function: its name, how many arguments it takes, whether ids of resources are texts to it, what it does.
struct Function {
    name: &'static str,
    minimum: usize,
    maximum: usize,
    as_text: bool,
    run: fn(&Call<'_, '_, '_>) -> Outcome,
}

const MANY: usize = usize::MAX;

const fn function(
    name: &'static str,
    minimum: usize,
    maximum: usize,
    as_text: bool,
    run: fn(&Call<'_, '_, '_>) -> Outcome,
) -> Function {
    Function { name, minimum, maximum, as_text, run }
}

/// All pure functions. Reference: learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
const TABLE: &[Function] = &[
    function("add", 2, 2, true, numbers::add),
    function("any", 1, 1, false, collections::same),
    function("array", 1, 1, false, collections::array),
    function("base64", 1, 1, true, encoding::base64),
    function("base64ToJson", 1, 1, true, encoding::base64_to_json),
    function("base64ToString", 1, 1, true, encoding::base64_to_string),
    function("bool", 1, 1, true, numbers::bool),
    function("buildUri", 1, 1, true, encoding::build_uri),
    function("cidrHost", 2, 2, true, cidr::host),
    function("cidrSubnet", 3, 3, true, cidr::subnet),
    function("concat", 1, MANY, false, strings::concat),
    function("contains", 2, 2, false, collections::contains),
    function("createArray", 0, MANY, false, collections::create_array),
    function("createObject", 0, MANY, false, collections::create_object),
    function("dataUri", 1, 1, true, encoding::data_uri),
    function("dataUriToString", 1, 1, true, encoding::data_uri_to_string),
    function("dateTimeAdd", 2, 3, true, dates::add),
    function("dateTimeFromEpoch", 1, 1, true, dates::from_epoch),
    function("dateTimeToEpoch", 1, 1, true, dates::to_epoch),
    function("div", 2, 2, true, numbers::div),
    function("empty", 1, 1, false, collections::empty),
    function("endsWith", 2, 2, true, strings::ends_with),
    function("equals", 2, 2, false, numbers::equals),
    function("false", 0, 0, true, numbers::no),
    function("first", 1, 1, false, collections::first),
    function("flatten", 1, 1, false, collections::flatten),
    function("float", 1, 1, true, numbers::float),
    function("format", 1, MANY, false, format::format),
    function("greater", 2, 2, true, numbers::greater),
    function("greaterOrEquals", 2, 2, true, numbers::greater_or_equals),
    function("guid", 1, MANY, true, hash::guid),
    function("indexFromEnd", 2, 2, false, collections::index_from_end),
    function("indexOf", 2, 2, true, collections::index_of),
    function("int", 1, 1, true, numbers::int),
    function("intersection", 2, MANY, false, collections::intersection),
    function("items", 1, 1, false, collections::items),
    function("join", 2, 2, false, strings::join),
    function("json", 1, 1, true, encoding::json),
    function("last", 1, 1, false, collections::last),
    function("lastIndexOf", 2, 2, true, collections::last_index_of),
    function("length", 1, 1, false, collections::length),
    function("less", 2, 2, true, numbers::less),
    function("lessOrEquals", 2, 2, true, numbers::less_or_equals),
    function("max", 1, MANY, true, numbers::max),
    function("min", 1, MANY, true, numbers::min),
    function("mod", 2, 2, true, numbers::modulo),
    function("mul", 2, 2, true, numbers::mul),
    function("not", 1, 1, true, numbers::not),
    function("null", 0, 0, true, numbers::null),
    function("objectKeys", 1, 1, false, collections::object_keys),
    function("padLeft", 2, 3, true, strings::pad_left),
    function("parseCidr", 1, 1, true, cidr::parse),
    function("parseUri", 1, 1, true, encoding::parse_uri),
    function("range", 2, 2, true, collections::range),
    function("replace", 3, 3, true, strings::replace),
    function("shallowMerge", 1, 1, false, collections::shallow_merge),
    function("skip", 2, 2, false, collections::skip),
    function("split", 2, 2, true, strings::split),
    function("startsWith", 2, 2, true, strings::starts_with),
    function("string", 1, 1, false, strings::string),
    function("sub", 2, 2, true, numbers::sub),
    function("substring", 2, 3, true, strings::substring),
    function("take", 2, 2, false, collections::take),
    function("toLower", 1, 1, true, strings::to_lower),
    function("toUpper", 1, 1, true, strings::to_upper),
    function("trim", 1, 1, true, strings::trim),
    function("true", 0, 0, true, numbers::yes),
    function("tryIndexFromEnd", 2, 2, false, collections::try_index_from_end),
    function("union", 2, MANY, false, collections::union),
    function("uniqueString", 1, MANY, true, hash::unique_string),
    function("uri", 2, 2, true, encoding::uri),
    function("uriComponent", 1, 1, true, encoding::uri_component),
    function("uriComponentToString", 1, 1, true, encoding::uri_component_to_string),
];

fn lookup(name: &str) -> Option<&'static Function> {
    static BY_NAME: OnceLock<HashMap<String, &'static Function>> = OnceLock::new();
    let table = BY_NAME.get_or_init(|| {
        TABLE.iter().map(|function| (function.name.to_ascii_lowercase(), function)).collect()
    });
    table.get(&name.to_ascii_lowercase()).copied()
}

/// Calls a built-in function.
pub(crate) fn call(
    context: &Context<'_, '_>,
    name: &EcoString,
    name_span: Span,
    arguments: &[Expression],
    span: Span,
) -> Value {
    if let Some(value) = special::call(context, name, name_span, arguments, span) {
        return value;
    }
    if lookup(name).is_none() {
        return unsupported(context, name, name_span, context.values(arguments), span);
    }
    call_values(context, name, name_span, context.values(arguments), span)
}

fn unsupported(
    context: &Context<'_, '_>,
    name: &str,
    name_span: Span,
    values: Vec<Value>,
    span: Span,
) -> Value {
    let message = format!("the function `{name}` is not supported; its value is taken as unknown");
    context.run.report(crate::resource::Diagnostic::warning("unsupported", message, name_span));
    let sensitive = values.iter().any(|value| value.sensitive);
    Value::unknown(Cause::Unsupported(format!("the function `{name}`").into()), span).marked(sensitive)
}

/// Calls a pure function on values.
pub(crate) fn call_values(
    context: &Context<'_, '_>,
    name: &str,
    name_span: Span,
    values: Vec<Value>,
    span: Span,
) -> Value {
    let Some(function) = lookup(name) else { return unsupported(context, name, name_span, values, span) };
    if values.len() < function.minimum || values.len() > function.maximum {
        let wanted = match (function.minimum, function.maximum) {
            (minimum, maximum) if minimum == maximum => format!("{minimum}"),
            (minimum, MANY) => format!("at least {minimum}"),
            (minimum, maximum) => format!("{minimum} to {maximum}"),
        };
        let message = format!("`{}` takes {wanted} arguments, not {}", function.name, values.len());
        return context.run.fail(message, name_span);
    }
    let prepare = |value: Value| match function.as_text {
        true => ids::expand_id(context.run, value),
        false => access::materialize(context, value),
    };
    let values: Vec<Value> = values.into_iter().map(prepare).collect();
    let sensitive = values.iter().any(|value| value.sensitive);
    let call = Call { context, values, span };
    match (function.run)(&call) {
        Ok(value) => value.marked(sensitive),
        Err(Failure::Unknown) => {
            let from: Vec<&Value> = call.values.iter().collect();
            context.run.identities.derive(&function.name.to_ascii_lowercase(), &from, span)
        }
        Err(Failure::Error(message)) => {
            // An error made of an error is not reported again.
            let caused = call.values.iter().find_map(Value::first_unknown);
            match caused.filter(|unknown| matches!(unknown.cause.root(), Cause::Error(_))) {
                Some(_) => {
                    let from: Vec<&Value> = call.values.iter().collect();
                    context.run.identities.derive(&function.name.to_ascii_lowercase(), &from, span)
                }
                None => context.run.fail(format!("`{}`: {message}", function.name), span),
            }
        }
    }
}

fn error<T>(message: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Error(message.into()))
}

impl Call<'_, '_, '_> {
    /// An argument; null where there is none.
    fn value(&self, index: usize) -> Value {
        self.values.get(index).cloned().unwrap_or_else(|| Value::null(self.span))
    }

    fn get(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    /// A known string.
    fn text(&self, index: usize) -> Result<&str, Failure> {
        match self.get(index).map(|value| &value.kind) {
            Some(ValueKind::String(text)) => Ok(text),
            Some(ValueKind::Template(_) | ValueKind::Unknown(_) | ValueKind::Reference(_)) => {
                Err(Failure::Unknown)
            }
            _ => error(format!("argument {} is not a string", index + 1)),
        }
    }

    /// A known number; a string of digits counts where Resource Manager converts it.
    fn number(&self, index: usize, convert: bool) -> Result<Number, Failure> {
        match self.get(index).map(|value| &value.kind) {
            Some(ValueKind::Number(number)) => Ok(number.clone()),
            Some(ValueKind::String(text)) if convert => match Number::parse(text.trim()) {
                Some(number) => Ok(number),
                None => error(format!("argument {} is not a number", index + 1)),
            },
            Some(ValueKind::Template(_) | ValueKind::Unknown(_) | ValueKind::Reference(_)) => {
                Err(Failure::Unknown)
            }
            _ => error(format!("argument {} is not a number", index + 1)),
        }
    }

    /// A known whole number.
    fn integer(&self, index: usize) -> Result<i64, Failure> {
        match self.number(index, false)?.as_i64() {
            Some(number) => Ok(number),
            None => error(format!("argument {} is not a whole number", index + 1)),
        }
    }

    fn sequence(&self, index: usize) -> Result<&Sequence, Failure> {
        match self.get(index) {
            Some(value) if is_open(value) => Err(Failure::Unknown),
            Some(Value { kind: ValueKind::Sequence(sequence), .. }) => Ok(sequence),
            _ => error(format!("argument {} is not an array", index + 1)),
        }
    }

    fn mapping(&self, index: usize) -> Result<&Mapping, Failure> {
        match self.get(index) {
            Some(value) if is_open(value) => Err(Failure::Unknown),
            Some(Value { kind: ValueKind::Mapping(mapping), .. }) => Ok(mapping),
            _ => error(format!("argument {} is not an object", index + 1)),
        }
    }

    /// All arguments as texts; booleans and numbers are not.
    fn texts(&self) -> Result<Vec<&str>, Failure> {
        // A wrong type is an error even where another argument is unknown.
        let all: Vec<_> = (0..self.values.len()).map(|index| self.text(index)).collect();
        if let Some(position) = all.iter().position(|one| matches!(one, Err(Failure::Error(_)))) {
            return error(format!("argument {} is not a string", position + 1));
        }
        all.into_iter().collect()
    }

    fn string(&self, text: impl Into<EcoString>) -> Outcome {
        let text: EcoString = text.into();
        self.context.run.charge(text.len() / 16);
        if text.len() > MAX_TEXT {
            return error("the text is longer than a template may be");
        }
        Ok(Value::string(text, self.span))
    }

    fn entry(&self, value: Value) -> Entry {
        Entry { span: value.span.or(self.span), value }
    }
}

/// Longer texts are refused: templates may have up to 4 MB after everything in them is evaluated
/// (learn.microsoft.com/azure/azure-resource-manager/templates/best-practices#template-limits).
const MAX_TEXT: usize = 4 << 20;
