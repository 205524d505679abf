//! What is said of arguments known in parts must hold for every value that the unknown parts could take: each function is
//! called with made-up arguments, once as they are and once with parts hidden, and the second answer must allow the first.

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::tests::show;
use super::{FunctionContext, call, table};
use crate::frontend::Sandbox;
use crate::source::{SourceMap, Span};
use crate::value::{
    Cause, Entry, MappingKind, Number, SequenceKind, TemplatePart, TextBuilder, Value, ValueKind,
};

/// A value, and the same value with parts hidden.
type Pair = (Value, Value);

fn hidden() -> Value {
    // Each unknown is a value of its own: impure causes are never taken to be the same.
    Value::unknown(Cause::Impure("hidden".into()), Span::NOWHERE)
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => prop_oneof![
            Just(""), Just("a"), Just("b"), Just("a-b"), Just("vnet-hub"), Just("-"), Just("1"), Just("true"),
            Just("10.0.0.0/16"), Just("/a/"), Just("%s-%v"), Just("{\"a\":[1]}"), Just(" x ")
        ]
        .prop_map(|text| Value::string(text, Span::NOWHERE)),
        2 => (-2i64..6).prop_map(|number| Value::number(number, Span::NOWHERE)),
        1 => Just(Value::number(Number::parse("0.5").unwrap(), Span::NOWHERE)),
        1 => any::<bool>().prop_map(|truth| Value::bool(truth, Span::NOWHERE)),
        1 => Just(Value::null(Span::NOWHERE)),
    ]
}

/// A scalar, as it is, hidden, or (a string) with a hidden middle.
fn leaf() -> impl Strategy<Value = Pair> {
    (scalar(), 0..6u8, 0..4usize, 0..4usize).prop_map(|(value, how, before, after)| {
        let partial = match (how, value.as_str()) {
            (0, _) if !value.is_null() => hidden(),
            (1, Some(text)) if text.is_ascii() => {
                let before = before.min(text.len());
                let after = (text.len() - after.min(text.len())).max(before);
                let mut builder = TextBuilder::new();
                builder.push_str(&text[..before]);
                builder.push_value(&hidden());
                builder.push_str(&text[after..]);
                builder.finish(Span::NOWHERE)
            }
            _ => value.clone(),
        };
        (value, partial)
    })
}

fn pair() -> impl Strategy<Value = Pair> {
    leaf().prop_recursive(3, 12, 4, |inner| {
        // Lists and sets are made as configuration makes them, so that their elements have one type.
        let kind = prop_oneof![2 => Just(None), 1 => Just(Some("tolist")), 1 => Just(Some("toset"))];
        let sequence = (prop::collection::vec((inner.clone(), 0..8u8), 0..4), kind, 0..12u8).prop_map(
            |(items, kind, hide)| {
                let whole = items.iter().map(|((value, _), _)| value.clone()).collect();
                let whole = Value::sequence(SequenceKind::Tuple, whole, Span::NOWHERE);
                if hide == 0 {
                    return (whole, hidden());
                }
                let partial = items
                    .into_iter()
                    .map(|((_, partial), often)| Value { repeated: often == 0, ..partial })
                    .collect();
                let partial = Value::sequence(SequenceKind::Tuple, partial, Span::NOWHERE);
                let convert = |value: &Value| kind.map(|kind| run(kind, std::slice::from_ref(value)));
                match (convert(&whole), convert(&partial)) {
                    (Some(Ok(whole)), Some(Ok(partial))) => (whole, partial),
                    _ => (whole, partial),
                }
            },
        );
        let key = prop_oneof![Just("a"), Just("b"), Just("c")];
        let mapping =
            (prop::collection::vec((key, inner, 0..6u8), 0..3), 0..12u8).prop_map(|(entries, hide)| {
                let entry = |value: Value| Entry { span: Span::NOWHERE, value };
                let mut whole = indexmap::IndexMap::<_, _, rustc_hash::FxBuildHasher>::default();
                let mut partial = whole.clone();
                let mut rest = false;
                for (key, (value, shown), left_out) in entries {
                    if whole.contains_key(key) {
                        continue;
                    }
                    whole.insert(key.into(), entry(value));
                    if left_out == 0 {
                        rest = true;
                    } else {
                        partial.insert(key.into(), entry(shown));
                    }
                }
                let whole = Value::mapping(MappingKind::Object, whole, Span::NOWHERE);
                if hide == 0 {
                    return (whole, hidden());
                }
                let mapping = crate::value::Mapping {
                    kind: MappingKind::Object,
                    entries: partial,
                    rest: rest.then(|| hidden().first_unknown().unwrap()),
                };
                (whole, Value::new(ValueKind::Mapping(mapping.into()), Span::NOWHERE))
            });
        prop_oneof![sequence, mapping]
    })
}

/// Whether a partly known value can turn out to be this known one.
fn allows(partial: &Value, whole: &Value) -> bool {
    match (&partial.kind, &whole.kind) {
        (ValueKind::Unknown(_) | ValueKind::Reference(_), _) => true,
        (ValueKind::Template(parts), ValueKind::String(text)) => {
            let mut pattern = String::from("(?s)^");
            for part in parts.iter() {
                match part {
                    TemplatePart::Literal(literal) => pattern.push_str(&::regex::escape(literal)),
                    TemplatePart::Value(_) => pattern.push_str(".*"),
                }
            }
            ::regex::Regex::new(&(pattern + "$")).unwrap().is_match(text)
        }
        (ValueKind::Sequence(partial), ValueKind::Sequence(whole)) => {
            if partial.kind == SequenceKind::Set {
                // Each known element is there, and each element that is there is allowed by one.
                return partial
                    .items
                    .iter()
                    .all(|item| item.repeated || whole.items.iter().any(|other| allows(item, other)))
                    && whole.items.iter().all(|other| partial.items.iter().any(|item| allows(item, other)));
            }
            sequence_allows(&partial.items, &whole.items)
        }
        (ValueKind::Mapping(partial), ValueKind::Mapping(whole)) => {
            partial.entries.iter().all(|(key, entry)| {
                whole.entries.get(key).is_some_and(|other| allows(&entry.value, &other.value))
            }) && (partial.rest.is_some() || whole.entries.len() == partial.entries.len())
        }
        // Conversions depend on what the other elements are: a hidden string makes its neighbours strings.
        (ValueKind::Number(_) | ValueKind::Bool(_), ValueKind::String(text)) => match &partial.kind {
            ValueKind::Number(number) => number.to_string() == text.as_str(),
            _ => partial.as_bool().map(|truth| truth.to_string()).as_deref() == Some(text.as_str()),
        },
        _ => partial.equals(whole) == Some(true),
    }
}

fn sequence_allows(partial: &[Value], whole: &[Value]) -> bool {
    match partial.split_first() {
        None => whole.is_empty(),
        Some((first, rest)) if first.repeated => {
            sequence_allows(rest, whole)
                || whole
                    .split_first()
                    .is_some_and(|(item, others)| allows(first, item) && sequence_allows(partial, others))
        }
        Some((first, rest)) => whole
            .split_first()
            .is_some_and(|(item, others)| allows(first, item) && sequence_allows(rest, others)),
    }
}

fn all(values: &[Value]) -> String {
    values.iter().map(show).collect::<Vec<_>>().join(", ")
}

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

#[test]
fn answers_for_hidden_parts_allow_the_real_answer() {
    // Always the same cases, so that a failure is a change's doing.
    let config = ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&prop::collection::vec(pair(), 0..4), |arguments| {
        let mut names: Vec<&str> = table().keys().copied().collect();
        names.sort();
        let (whole, partial): (Vec<Value>, Vec<Value>) = arguments.into_iter().unzip();
        for name in names {
            let Ok(real) = run(name, &whole) else {
                // What is wrong for these values may be right for others; it must not panic.
                let _ = run(name, &partial);
                continue;
            };
            let said = |what: String| {
                format!(
                    "{name}({}) is {}, seen as {name}({}) {what}",
                    all(&whole),
                    show(&real),
                    all(&partial)
                )
            };
            match run(name, &partial) {
                // Whether hidden parts are sensitive is not asked here.
                Ok(_) if name == "issensitive" => {}
                // An unknown may equal what comes after it: then that stands in its place. What is there is right, in which
                // order is not claimed (places behind an element that stands for zero or more are not certain).
                Ok(answer) if name == "distinct" => {
                    let as_set = |value: &Value| match &value.kind {
                        ValueKind::Sequence(sequence) => {
                            Value::sequence(SequenceKind::Set, sequence.items.clone(), Span::NOWHERE)
                        }
                        _ => value.clone(),
                    };
                    let (answer, real) = (as_set(&answer), as_set(&real));
                    prop_assert!(allows(&answer, &real), "{}", said(format!("said to be {}", show(&answer))));
                }
                Ok(answer) => {
                    prop_assert!(allows(&answer, &real), "{}", said(format!("said to be {}", show(&answer))));
                }
                // A hidden string makes strings of its neighbours, and strings convert to what numbers do not.
                Err(problem) if problem.ends_with("a bool is required") => {}
                Err(problem) => prop_assert!(false, "{}", said(format!("refused: {problem}"))),
            }
        }
        Ok(())
    });
    if let Err(problem) = result {
        panic!("{problem}");
    }
}
