//! Types as they are written, and values fitted to them.

use std::path::Path;

use super::{Defaults, Type, convert, unify};
use crate::frontend::terraform::syntax::parse_expression;
use crate::frontend::terraform::{Options, evaluate_expression};
use crate::resource::Diagnostic;
use crate::source::{FileId, SourceMap, Span};
use crate::value::{Cause, Value, ValueKind};

fn constraint(text: &str) -> Result<(Type, Defaults), Diagnostic> {
    Type::from_expression(&parse_expression(text, FileId(1), 0).unwrap())
}

fn value(text: &str) -> Value {
    evaluate_expression(None, text, &Options::default(), &SourceMap::new()).unwrap()
}

/// A value as JSON, `?` for what is not known.
fn show(value: &Value) -> String {
    match &value.kind {
        ValueKind::Null => "null".to_string(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Number(number) => number.to_string(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Sequence(sequence) => {
            format!("[{}]", sequence.items.iter().map(show).collect::<Vec<_>>().join(","))
        }
        ValueKind::Mapping(mapping) => {
            let mut entries: Vec<String> =
                mapping.entries.iter().map(|(key, entry)| format!("{key}:{}", show(&entry.value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(","))
        }
        _ => "?".to_string(),
    }
}

/// What a variable of a type becomes when it is given a value.
fn fitted(ty: &str, given: &str) -> String {
    let (ty, defaults) = constraint(ty).unwrap();
    match convert(&defaults.apply(&value(given)), &ty) {
        Ok(value) => show(&value),
        Err(problem) => format!("error: {problem}"),
    }
}

#[test]
fn constraints_are_read_and_written() {
    for (text, shown) in [
        ("string", "string"),
        ("any", "any"),
        ("list(string)", "list(string)"),
        ("list", "list(any)"),
        ("map", "map(any)"),
        ("\"string\"", "string"),
        ("\"list\"", "list(any)"),
        ("\"map\"", "map(any)"),
        (
            "set(object({ b = number, a = optional(list(bool)) }))",
            "set(object({a=optional(list(bool)), b=number}))",
        ),
        ("tuple([string, map(number)])", "tuple([string, map(number)])"),
        ("object({})", "object({})"),
        ("map(any)", "map(any)"),
        ("(string)", "string"),
    ] {
        assert_eq!(constraint(text).unwrap().0.to_string(), shown, "{text}");
    }
    for text in [
        "strings",
        "list(string, number)",
        "optional(string)",
        "object",
        "tuple(string)",
        "object([string])",
        "[string]",
        "\"number of things\"",
        "object({ a = optional() })",
        "object({ a = optional(number, \"x\") })",
        "list(\"string\")",
    ] {
        assert!(constraint(text).is_err(), "{text}");
    }
    let deep = format!("{}any{}", "list(".repeat(100), ")".repeat(100));
    assert!(constraint(&deep).is_err());
}

#[test]
fn values_are_fitted_to_the_types_of_variables() {
    for (ty, given, want) in [
        ("list(string)", "[1, true, \"x\"]", "[\"1\",\"true\",\"x\"]"),
        ("set(number)", "[\"2\", 1, 2]", "[1,2]"),
        ("map(string)", "{ b = 1, a = true }", "{a:\"true\",b:\"1\"}"),
        ("object({ a = string })", "{ a = 1, extra = 2 }", "{a:\"1\"}"),
        ("object({ a = string, b = optional(number) })", "{ a = \"x\" }", "{a:\"x\",b:null}"),
        ("object({ a = string })", "{}", "error: attribute \"a\" is required"),
        ("object({ a = optional(string, \"d\") })", "{}", "{a:\"d\"}"),
        ("object({ a = optional(string, \"d\") })", "{ a = null }", "{a:\"d\"}"),
        ("object({ a = optional(number, \"5\") })", "{}", "{a:5}"),
        ("object({ a = optional(list(string), [1]) })", "{}", "{a:[\"1\"]}"),
        (
            "map(object({ cidr = string, tags = optional(map(string), {}) }))",
            "{ web = { cidr = \"10.0.0.0/24\" } }",
            "{web:{cidr:\"10.0.0.0/24\",tags:{}}}",
        ),
        ("object({ a = optional(object({ b = optional(string, \"x\") }), {}) })", "{}", "{a:{b:\"x\"}}"),
        ("list(object({ a = optional(bool, true) }))", "[{}, { a = false }]", "[{a:true},{a:false}]"),
        ("tuple([string, object({ a = optional(number, 1) })])", "[2, {}]", "[\"2\",{a:1}]"),
        ("object({ a = optional(string, null) })", "{}", "{a:null}"),
        ("tuple([string, number])", "[\"a\", \"1\"]", "[\"a\",1]"),
        ("tuple([string])", "[\"a\", \"b\"]", "error: a tuple of 1 elements is required"),
        ("list(any)", "[1, \"a\"]", "[\"1\",\"a\"]"),
        ("list(any)", "[1, [2]]", "error: all list elements must have the same type"),
        ("any", "[1, \"a\"]", "[1,\"a\"]"),
        ("number", "\"x\"", "error: a number is required"),
        ("bool", "\"TRUE\"", "error: a bool is required; to convert from string, use lowercase \"true\""),
        ("string", "[]", "error: a string is required"),
        ("list(string)", "\"a\"", "error: list of string required"),
        ("map(number)", "{ a = \"x\" }", "error: element \"a\": a number is required"),
        ("list(number)", "null", "null"),
        ("list(string)", "toset([\"b\", \"a\"])", "[\"a\",\"b\"]"),
        ("object({ a = number })", "tomap({ a = \"1\" })", "{a:1}"),
    ] {
        assert_eq!(fitted(ty, given), want, "{ty} given {given}");
    }
}

#[test]
fn what_is_not_known_keeps_its_place() {
    let unknown = Value::unknown(Cause::Input("var.u".into()), Span::NOWHERE);
    let list = |items: Vec<Value>| Value::sequence(crate::value::SequenceKind::Tuple, items, Span::NOWHERE);
    let given = list(vec![value("\"b\""), unknown.clone(), value("\"a\""), value("\"a\"")]);
    let converted = |ty: &str| show(&convert(&given, &constraint(ty).unwrap().0).unwrap());
    assert_eq!(converted("list(string)"), "[\"b\",?,\"a\",\"a\"]");
    assert_eq!(converted("set(string)"), "[\"a\",\"b\",?]");
    assert_eq!(show(&convert(&unknown, &Type::Number).unwrap()), "?");
    let set = convert(&given, &Type::set(Type::String)).unwrap();
    let back = convert(&set, &Type::list(Type::String)).unwrap();
    let items = &back.as_sequence().unwrap().items;
    assert!(
        items[0].is_unknown() && items[0].repeated,
        "no place in a set with an unknown element is certain"
    );
}

#[test]
fn conversion_keeps_places_and_marks() {
    let sources = SourceMap::new();
    let file = sources.add(Path::new("main.tf"), "[80]");
    let span = Span::new(file.id(), 1, 3);
    let port = Value::number(80i64, span).marked(true);
    let converted = convert(&port, &Type::String).unwrap();
    assert_eq!((converted.as_str(), converted.span, converted.sensitive), (Some("80"), span, true));
}

#[test]
fn types_have_something_in_common() {
    let ty = |text: &str| constraint(text).unwrap().0;
    for (types, want) in [
        (vec!["string", "number"], Some("string")),
        (vec!["number", "bool"], None),
        (vec!["any", "number"], Some("number")),
        (vec!["list(number)", "list(string)"], Some("list(string)")),
        (vec!["list(string)", "set(string)"], Some("list(string)")),
        (vec!["tuple([number])", "tuple([string])"], Some("tuple([string])")),
        (vec!["tuple([number])", "tuple([number, string])"], Some("list(string)")),
        (vec!["tuple([number])", "list(string)"], Some("list(string)")),
        (vec!["object({a=number})", "object({a=string})"], Some("object({a=string})")),
        (vec!["object({a=number})", "object({b=string})"], Some("map(string)")),
        (vec!["object({a=number})", "map(string)"], Some("map(string)")),
        (vec!["object({a=number})", "tuple([])"], None),
        (vec!["string", "list(string)"], None),
        (vec![], Some("any")),
    ] {
        let unified = unify(&types.iter().map(|text| ty(text)).collect::<Vec<_>>());
        assert_eq!(unified.map(|ty| ty.to_string()).as_deref(), want, "{types:?}");
    }
}
