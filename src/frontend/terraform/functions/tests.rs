//! Functions called directly, with values of which parts are not known.

use std::path::Path;

use super::{FunctionContext, call, is_function};
use crate::frontend::Sandbox;
use crate::source::{SourceMap, Span};
use crate::value::{Cause, Entry, MappingKind, Number, SequenceKind, TemplatePart, Value, ValueKind};

fn run(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let sources = SourceMap::new();
    let context = FunctionContext {
        root_directory: Path::new("."),
        sandbox: &Sandbox::new([]),
        sources: &sources,
        render_template: &|_, _| Err("no templates here".to_string()),
    };
    call(name, arguments, &context, Span::NOWHERE)
}

fn text(text: &str) -> Value {
    Value::string(text, Span::NOWHERE)
}

fn number(text: &str) -> Value {
    Value::number(Number::parse(text).unwrap(), Span::NOWHERE)
}

fn tuple<const N: usize>(items: [Value; N]) -> Value {
    Value::sequence(SequenceKind::Tuple, items.into(), Span::NOWHERE)
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(key, value)| (key.into(), Entry { span: Span::NOWHERE, value }));
    Value::mapping(MappingKind::Object, entries, Span::NOWHERE)
}

fn variable(name: &str) -> Value {
    Value::unknown(Cause::Input(format!("var.{name}").into()), Span::NOWHERE)
}

/// A value as these tests write it: `?` for what is not known, `…` after an element that stands for zero or more.
fn show(value: &Value) -> String {
    let repeated = if value.repeated { "…" } else { "" };
    let shown = match &value.kind {
        ValueKind::Null => "null".to_string(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Number(value) => value.to_string(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Template(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Literal(text) => text.to_string(),
                    TemplatePart::Value(value) => format!("${{{}}}", show(value)),
                })
                .collect();
            format!("\"{}\"", parts.concat())
        }
        ValueKind::Sequence(sequence) => {
            let items: Vec<String> = sequence.items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Mapping(mapping) => {
            let mut entries: Vec<String> =
                mapping.entries.iter().map(|(key, entry)| format!("{key}={}", show(&entry.value))).collect();
            entries.extend(mapping.rest.iter().map(|_| "…".to_string()));
            format!("{{{}}}", entries.join(", "))
        }
        ValueKind::Reference(_) | ValueKind::Unknown(_) => "?".to_string(),
    };
    format!("{shown}{repeated}")
}

#[track_caller]
fn gives(name: &str, arguments: &[Value], want: &str) {
    let got = run(name, arguments).map_or_else(|problem| format!("error: {problem}"), |value| show(&value));
    assert_eq!(got, want, "{name}");
}

#[test]
fn lists_keep_their_known_elements() {
    let u = || variable("u");
    gives("concat", &[tuple([text("a")]), u(), tuple([text("b")])], "[\"a\", ?…, \"b\"]");
    gives("length", &[tuple([text("a"), u()])], "2");
    gives("length", &[run("concat", &[tuple([text("a")]), u()]).unwrap()], "?");
    gives("compact", &[tuple([text("a"), u(), text("")])], "[\"a\", ?…]");
    gives("flatten", &[tuple([tuple([text("a")]), u()])], "[\"a\", ?…]");
    gives("element", &[run("concat", &[tuple([text("a")]), u()]).unwrap(), number("0")], "\"a\"");
    gives("element", &[run("concat", &[tuple([text("a")]), u()]).unwrap(), number("1")], "?");
    gives("reverse", &[tuple([text("a"), u()])], "[?, \"a\"]");
    gives("distinct", &[tuple([text("a"), u(), text("a")])], "[\"a\", ?…]");
    gives("toset", &[tuple([text("b"), u(), text("a"), text("a")])], "[\"a\", \"b\", ?]");
    gives("one", &[run("concat", &[tuple([text("a")]), u()]).unwrap()], "\"a\"");
    gives(
        "slice",
        &[run("concat", &[tuple([text("a")]), u()]).unwrap(), number("0"), number("1")],
        "[\"a\"]",
    );
}

#[test]
fn questions_are_answered_when_the_known_part_decides() {
    let u = || variable("u");
    gives("contains", &[tuple([u(), text("a")]), text("a")], "true");
    gives("contains", &[tuple([u(), text("a")]), text("b")], "?");
    gives("alltrue", &[tuple([u(), text("false")])], "false");
    gives("anytrue", &[tuple([u(), text("true")])], "true");
    gives("anytrue", &[tuple([u(), text("false")])], "?");
    gives("index", &[tuple([text("a"), u()]), text("a")], "0");
    gives("coalesce", &[Value::null(Span::NOWHERE), u()], "?");
    gives("coalesce", &[text("a"), u()], "\"a\"");
    gives("coalesce", &[u(), text("a")], "?");
    let named = run("join", &[text("-"), tuple([text("vnet"), u()])]).unwrap();
    gives("join", &[text("-"), tuple([text("vnet"), u()])], "\"vnet-${?}\"");
    gives("startswith", &[named.clone(), text("vnet-")], "true");
    gives("startswith", &[named.clone(), text("snet-")], "false");
    gives("startswith", &[named.clone(), text("vnet-hub")], "?");
    gives("coalesce", &[named.clone(), text("a")], "\"vnet-${?}\"");
    gives("contains", &[tuple([named]), text("snet-a")], "false");
}

#[test]
fn mappings_keep_their_known_entries() {
    let u = || variable("u");
    gives("merge", &[u(), object([("a", text("x"))])], "{a=\"x\", …}");
    gives("merge", &[object([("a", text("x"))]), u()], "{a=?, …}");
    let merged = run("merge", &[u(), object([("a", text("x"))])]).unwrap();
    gives("lookup", &[merged.clone(), text("a")], "\"x\"");
    gives("lookup", &[merged.clone(), text("b"), text("none")], "?");
    gives("keys", std::slice::from_ref(&merged), "[?…, \"a\"]");
    gives("length", &[merged], "?");
    gives("lookup", &[object([("a", u())]), text("a")], "?");
    gives("zipmap", &[tuple([text("a"), text("b")]), u()], "{a=?, b=?}");
}

#[test]
fn sensitive_marks_go_where_values_go() {
    let secret = text("s").marked(true);
    assert!(run("upper", std::slice::from_ref(&secret)).unwrap().sensitive);
    let list = run("concat", &[tuple([secret.clone()]), tuple([text("a")])]).unwrap();
    assert!(!list.sensitive);
    assert!(run("element", &[list.clone(), number("0")]).unwrap().sensitive);
    assert!(!run("element", &[list.clone(), number("1")]).unwrap().sensitive);
    assert!(run("join", &[text(","), list]).unwrap().sensitive);
    assert!(!run("nonsensitive", &[secret]).unwrap().sensitive);
}

#[test]
fn wrong_calls_are_refused() {
    gives("uper", &[], "error: there is no function named \"uper\"; did you mean \"upper\"?");
    gives("upper", &[], "error: too few arguments: function \"upper\" expects 1, and \"str\" is missing");
    gives("upper", &[text("a"), text("b")], "error: too many arguments: function \"upper\" expects 1");
    gives(
        "upper",
        &[Value::null(Span::NOWHERE)],
        "error: invalid value for \"str\" parameter: argument must not be null",
    );
    gives("upper", &[tuple([])], "error: invalid value for \"str\" parameter: a string is required");
    assert!(is_function("core::upper") && is_function("upper") && !is_function("nope"));
}

#[test]
fn results_beyond_all_reason_are_not_computed() {
    let long = run("range", &[number("1000")]).unwrap();
    gives("setproduct", &[long.clone(), long], "?");
    gives("indent", &[number("1000000000"), text("a\nb")], "?");
    gives(
        "range",
        &[number("1e300")],
        "error: more than 1024 values were generated; either decrease the difference between start and end or use a smaller step",
    );
}
