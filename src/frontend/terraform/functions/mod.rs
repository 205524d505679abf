//! Terraform's built-in functions, evaluated over values of which parts may not be known.
//!
//! [`call`] checks the arguments as Terraform does (number, null, conversion to the parameter's type) and then runs the
//! function's body. The reference is <https://developer.hashicorp.com/terraform/language/functions>; each family of
//! functions has its own file and declares its functions in a table there. `try`, `can` and `type` need unevaluated
//! expressions and belong to the evaluator.

mod arguments;
mod collection;
mod date;
mod encoding;
mod filesystem;
mod format;
mod hash;
mod impure;
mod ip_network;
mod json;
mod mapping;
mod numeric;
mod provider;
mod regex;
mod sequence;
mod set;
#[cfg(test)]
mod soundness;
mod string;
#[cfg(test)]
mod tests;
mod type_conversion;
mod yaml;

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use crate::frontend::Sandbox;
use crate::source::{SourceMap, Span};
use crate::value::Value;

pub(super) use arguments::holds_sensitive;
use arguments::{Function, Sensitivity, Unknowns};

/// The most elements that a function may make (`setproduct` multiplies).
const MAX_ELEMENTS: usize = 100_000;

/// The most comparisons of elements with each other (a set function over unknown elements compares each with each).
const MAX_COMPARISONS: usize = 4_000_000;

/// The longest text in bytes that a function may make or read.
const MAX_TEXT: usize = 16 << 20;

/// What functions need to know of their surroundings.
#[derive(Clone, Copy)]
pub struct FunctionContext<'a> {
    /// The root module's folder: relative paths start there, as Terraform is run there.
    pub root_directory: &'a Path,
    /// What may be read.
    pub sandbox: &'a Sandbox,
    /// Where files that functions read are kept, so that values can point into them.
    pub sources: &'a SourceMap,
    /// Renders a template's text with the variables that a mapping holds (`templatefile`, `templatestring`).
    pub render_template: &'a dyn Fn(&str, &Value) -> Result<Value, String>,
}

/// Calls a function. `span` is that of the whole call: computed values stand there; values that are only passed
/// through keep their place.
///
/// # Errors
/// A sentence without a full stop that says what is wrong: no such function, or what Terraform would reject.
/// What Terraform accepts but Portolan cannot compute is not an error but an unknown value with its cause.
pub fn call(name: &str, arguments: &[Value], context: &FunctionContext, span: Span) -> Result<Value, String> {
    let Some(function) = find(name) else {
        return Err(match suggestion(name) {
            Some(similar) => format!("there is no function named \"{name}\"; did you mean \"{similar}\"?"),
            None => format!("there is no function named \"{name}\""),
        });
    };
    let converted = arguments::check(function, arguments)?;
    let call = arguments::Call { name: function.name, arguments: &converted, context, span };
    let value = match function.unknowns {
        Unknowns::Strict => match converted.iter().find(|argument| !argument.is_wholly_known()) {
            Some(unknown) => unknown.derived_unknown(span),
            None => (function.body)(&call)?,
        },
        Unknowns::Handled => (function.body)(&call)?,
    };
    Ok(match function.sensitivity {
        Sensitivity::Deep => value.marked(converted.iter().any(arguments::holds_sensitive)),
        Sensitivity::Outer => value.marked(converted.iter().any(|argument| argument.sensitive)),
        Sensitivity::Own => value,
    })
}

/// Whether a function of this name exists (`core::` before it is allowed).
pub fn is_function(name: &str) -> bool {
    find(name).is_some()
}

fn table() -> &'static HashMap<&'static str, &'static Function> {
    static TABLE: OnceLock<HashMap<&'static str, &'static Function>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let families: [&'static [Function]; 18] = [
            collection::FUNCTIONS,
            date::FUNCTIONS,
            encoding::FUNCTIONS,
            filesystem::FUNCTIONS,
            format::FUNCTIONS,
            hash::FUNCTIONS,
            impure::FUNCTIONS,
            ip_network::FUNCTIONS,
            json::FUNCTIONS,
            mapping::FUNCTIONS,
            numeric::FUNCTIONS,
            provider::FUNCTIONS,
            regex::FUNCTIONS,
            sequence::FUNCTIONS,
            set::FUNCTIONS,
            string::FUNCTIONS,
            type_conversion::FUNCTIONS,
            yaml::FUNCTIONS,
        ];
        families.into_iter().flatten().map(|function| (function.name, function)).collect()
    })
}

fn find(name: &str) -> Option<&'static Function> {
    table().get(name.strip_prefix("core::").unwrap_or(name)).copied()
}

/// The function whose name is nearest, when one is near.
fn suggestion(name: &str) -> Option<&'static str> {
    let limit = (name.len() / 3).clamp(1, 3);
    table()
        .keys()
        .map(|known| (edit_distance(name, known), *known))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, known)| known)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.chars()) {
            let cost = (diagonal + usize::from(left != right)).min(previous + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, cost);
            previous = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
