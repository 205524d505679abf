//! YAML as `loadYamlContent` reads it: one document of the JSON-like core schema, with the places of keys and values.

use ecow::{EcoString, eco_format};
use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::frontend::arm::json::{Node, NodeKind, Property};
use crate::source::{FileId, Span};
use crate::value::Number;

/// How deep collections may nest.
const MAX_DEPTH: usize = 192;

/// A collection that is being read.
enum Open {
    Sequence(Vec<Node>, usize),
    Mapping(Vec<Property>, Option<Node>, usize),
}

/// Reads the first document of a text.
///
/// # Errors
/// A sentence without a full stop, and the place.
pub(super) fn parse(text: &str, file: FileId) -> Result<Node, (EcoString, Span)> {
    let offsets: Option<Vec<usize>> =
        (!text.is_ascii()).then(|| text.char_indices().map(|(offset, _)| offset).collect());
    let byte = |index: usize| match &offsets {
        None => index.min(text.len()),
        Some(offsets) => offsets.get(index).copied().unwrap_or(text.len()),
    };
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, place) = event.map_err(|problem| {
            let at = byte(problem.marker().index());
            (eco_format!("{}", problem.info()), Span::new(file, at, at))
        })?;
        let (start, end) = (byte(place.start.index()), byte(place.end.index()));
        let span = Span::new(file, start, end);
        let finished = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() >= MAX_DEPTH => {
                return Err((eco_format!("collections are nested more than {MAX_DEPTH} deep"), span));
            }
            Event::SequenceStart(..) => {
                open.push(Open::Sequence(Vec::new(), start));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Mapping(Vec::new(), None, start));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::Sequence(items, start)) => {
                    Node { kind: NodeKind::Array(items), span: Span::new(file, start, end) }
                }
                Some(Open::Mapping(properties, _, start)) => {
                    Node { kind: NodeKind::Object(properties), span: Span::new(file, start, end) }
                }
                None => continue,
            },
            Event::Scalar(text, style, _, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let kind = if plain { plain_scalar(&text) } else { NodeKind::String((&*text).into()) };
                Node { kind, span }
            }
            Event::Alias(_) => return Err(("aliases (`*name`) are not supported".into(), span)),
            Event::DocumentEnd => break,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => continue,
        };
        match open.last_mut() {
            None => return Ok(finished),
            Some(Open::Sequence(items, _)) => items.push(finished),
            Some(Open::Mapping(properties, key, _)) => match key.take() {
                None => *key = Some(finished),
                Some(key) => {
                    let name = match &key.kind {
                        NodeKind::String(text) => text.clone(),
                        NodeKind::Bool(value) => eco_format!("{value}"),
                        NodeKind::Number(_) | NodeKind::Null => {
                            text.get(key.span.start as usize..key.span.end as usize).unwrap_or("").into()
                        }
                        NodeKind::Array(_) | NodeKind::Object(_) => {
                            return Err(("a key of a mapping must be a scalar".into(), key.span));
                        }
                    };
                    let span = key.span.to(finished.span);
                    properties.push(Property { key: name, key_span: key.span, value: finished, span });
                }
            },
        }
    }
    Err(("the document is empty".into(), Span::new(file, 0, 0)))
}

/// What an unquoted scalar means in the core schema (yaml.org/spec/1.2.2, 10.3.2).
fn plain_scalar(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Null,
        "true" | "True" | "TRUE" => NodeKind::Bool(true),
        "false" | "False" | "FALSE" => NodeKind::Bool(false),
        _ => match Number::parse(text.strip_prefix('+').unwrap_or(text)) {
            Some(number) => NodeKind::Number(number),
            None => NodeKind::String(text.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        match &node.kind {
            NodeKind::Null => "null".into(),
            NodeKind::Bool(value) => value.to_string(),
            NodeKind::Number(number) => number.to_string(),
            NodeKind::String(text) => format!("{text:?}"),
            NodeKind::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            NodeKind::Object(properties) => {
                let each = properties.iter().map(|p| format!("{}={}", p.key, shown(&p.value)));
                format!("{{{}}}", each.collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn documents() {
        for (text, want) in [
            ("a: 1\nb: [x, 'y', true, ~]\nc:\n  - d: 1.5\n", "{a=1 b=[\"x\" \"y\" true null] c=[{d=1.5}]}"),
            ("'1': '2'\n# comment\nä: |\n  text\n", "{1=\"2\" ä=\"text\\n\"}"),
            ("10.0.0.0/16\n", "\"10.0.0.0/16\""),
            ("- a\n---\n- b\n", "[\"a\"]"),
        ] {
            assert_eq!(shown(&parse(text, FileId(1)).unwrap()), want, "{text}");
        }
    }

    #[test]
    fn places() {
        let text = "ä: [x]\nb: yes";
        let node = parse(text, FileId(1)).unwrap();
        let b = &node.properties()[1];
        assert_eq!(&text[b.key_span.start as usize..b.key_span.end as usize], "b");
        assert_eq!(&text[b.value.span.start as usize..b.value.span.end as usize], "yes");
    }

    #[test]
    fn damage() {
        for text in ["", "a: [", "a: *b", "? [a]\n: b", &"[".repeat(10_000)] {
            assert!(parse(text, FileId(1)).is_err(), "{text}");
        }
    }
}
