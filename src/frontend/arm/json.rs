//! JSON as Resource Manager accepts it (comments, raw line breaks in strings, trailing commas, a byte-order mark), as an
//! owned tree with the place of every key and value.

use ecow::EcoString;
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::source::{FileId, Span};
use crate::value::Number;

/// How deep objects and arrays may nest. Resource Manager's own limit for templates is below 100.
const MAX_DEPTH: usize = 192;

/// The options under which every public template of a corpus of 2,482 parses, and no more lenient than that.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_single_quoted_strings: true,
    allow_missing_commas: false,
    allow_loose_object_property_names: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// A JSON value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// The bytes of the value; a string's quotes belong to it.
    pub span: Span,
}

/// What a JSON value is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, its escapes resolved.
    String(EcoString),
    /// An array.
    Array(Vec<Node>),
    /// An object; keys may repeat, the last one counts.
    Object(Vec<Property>),
}

/// A property of an object.
#[derive(Clone, Debug)]
pub struct Property {
    /// The name.
    pub key: EcoString,
    /// The name with its quotes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
    /// Name and value.
    pub span: Span,
}

impl Node {
    /// The value of a property, its name compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.property(name).map(|property| &property.value)
    }

    /// A property, its name compared without regard to case.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties().iter().rev().find(|property| property.key.eq_ignore_ascii_case(name))
    }

    /// The properties; none if this is not an object.
    pub fn properties(&self) -> &[Property] {
        match &self.kind {
            NodeKind::Object(properties) => properties,
            _ => &[],
        }
    }

    /// The elements; none if this is not an array.
    pub fn elements(&self) -> &[Node] {
        match &self.kind {
            NodeKind::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            NodeKind::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

/// What could be read of a text.
#[derive(Debug)]
pub struct Parsed {
    /// The tree, if there is one. When the text is damaged, what stands before the damage.
    pub root: Option<Node>,
    /// What is wrong with the text: a sentence without a full stop, and the place.
    pub problem: Option<(String, Span)>,
}

/// Reads a text. Never fails as a whole: what stands before the first error is kept.
pub fn parse(text: &str, file: FileId) -> Parsed {
    let base = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let body = text.get(base..).unwrap_or("");
    let reader = Reader { file, base };
    let problem = match read(body, &reader) {
        Ok(root) => return Parsed { root, problem: None },
        Err(problem) => problem,
    };
    let offset = (problem.1.start as usize).saturating_sub(base);
    let root = closed_prefix(body, offset).and_then(|repaired| read(&repaired, &reader).ok().flatten());
    Parsed { root, problem: Some(problem) }
}

fn read(body: &str, reader: &Reader) -> Result<Option<Node>, (String, Span)> {
    let result = parse_to_ast(body, &CollectOptions::default(), &OPTIONS).map_err(|error| {
        let range = error.range();
        let end = range
            .end
            .min(body[range.start.min(body.len())..].find('\n').map_or(body.len(), |n| range.start + n));
        (describe(error.kind()), reader.span(range.start, end.max(range.start)))
    })?;
    match result.value {
        Some(value) => reader.node(&value, 0).map(Some),
        None => Ok(None),
    }
}

fn describe(kind: &jsonc_parser::errors::ParseErrorKind) -> String {
    let text = kind.to_string();
    let mut characters = text.chars();
    let text: String =
        characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default();
    format!("not valid JSON: {}", text.trim_end_matches('.'))
}

struct Reader {
    file: FileId,
    base: usize,
}

impl Reader {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start + self.base, end + self.base)
    }

    fn node(&self, value: &ast::Value<'_>, depth: usize) -> Result<Node, (String, Span)> {
        let span = self.span(value.start(), value.end());
        if depth > MAX_DEPTH {
            return Err((
                format!("nested deeper than {MAX_DEPTH} levels"),
                self.span(value.start(), value.start() + 1),
            ));
        }
        let kind = match value {
            ast::Value::NullKeyword(_) => NodeKind::Null,
            ast::Value::BooleanLit(literal) => NodeKind::Bool(literal.value),
            ast::Value::NumberLit(literal) => match Number::parse(literal.value) {
                Some(number) => NodeKind::Number(number),
                None => return Err((format!("`{}` is not a number", literal.value), span)),
            },
            ast::Value::StringLit(literal) => NodeKind::String(EcoString::from(literal.value.as_ref())),
            ast::Value::Array(array) => NodeKind::Array(
                array
                    .elements
                    .iter()
                    .map(|element| self.node(element, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            ast::Value::Object(object) => {
                let mut properties = Vec::with_capacity(object.properties.len());
                for property in &object.properties {
                    properties.push(Property {
                        key: EcoString::from(property.name.as_str()),
                        key_span: self.span(property.name.start(), property.name.end()),
                        value: self.node(&property.value, depth + 1)?,
                        span: self.span(property.start(), property.end()),
                    });
                }
                NodeKind::Object(properties)
            }
        };
        Ok(Node { kind, span })
    }
}

/// The text up to the last complete value before `limit`, with the brackets that are open there closed.
/// `None` when nothing is worth keeping. Offsets stay those of the original.
fn closed_prefix(text: &str, limit: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let limit = limit.min(bytes.len());
    let mut stack: Vec<u8> = Vec::new();
    let mut safe: Option<(usize, Vec<u8>)> = None;
    let mut at = 0;
    while at < limit {
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < limit && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while at < limit && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at =
                    text.get(at + 2..).and_then(|rest| rest.find("*/")).map_or(limit, |end| at + 2 + end + 1);
            }
            open @ (b'{' | b'[') => {
                stack.push(if open == b'{' { b'}' } else { b']' });
                if stack.len() > MAX_DEPTH {
                    break;
                }
                safe = Some((at + 1, stack.clone()));
            }
            close @ (b'}' | b']') => {
                if stack.pop() != Some(close) {
                    break;
                }
                safe = Some((at + 1, stack.clone()));
            }
            b',' => safe = Some((at, stack.clone())),
            _ => {}
        }
        at += 1;
    }
    let (end, closers) = safe?;
    let mut kept = text.get(..end)?.to_string();
    kept.extend(closers.iter().rev().map(|byte| *byte as char));
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leniency_of_resource_manager_is_read() {
        let text = "\u{feff}{ // comment\n /* more */ 'a': \"line\nbreak\", \"B\": [1, 2.5, null,], }";
        let parsed = parse(text, FileId(1));
        assert!(parsed.problem.is_none(), "{:?}", parsed.problem);
        let root = parsed.root.unwrap();
        assert_eq!(root.get("A").and_then(Node::as_str), Some("line\nbreak"));
        let b = root.get("b").unwrap();
        assert_eq!(&text[b.span.start as usize..b.span.end as usize], "[1, 2.5, null,]");
    }

    #[test]
    fn what_stands_before_damage_is_kept() {
        let parsed = parse(r#"{"a": [1, {"b": 2}, {"c": "unfinished"#, FileId(1));
        assert!(parsed.problem.is_some());
        let root = parsed.root.unwrap();
        assert_eq!(root.get("a").unwrap().elements().len(), 3);
        assert!(parse("{\"a\": 1} trailing", FileId(1)).problem.is_some());
        assert!(parse("", FileId(1)).root.is_none());
    }

    #[test]
    fn deep_nesting_is_a_problem_and_not_a_crash() {
        let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
        assert!(parse(&deep, FileId(1)).problem.is_some());
        assert!(parse(&"{\"a\":".repeat(100_000), FileId(1)).problem.is_some());
    }
}
