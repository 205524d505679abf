//! `jsonencode` and `jsondecode`.
//!
//! Text that is known in parts goes both ways: encoding a value with unknown parts gives a string with the unknown parts in
//! their places, and decoding such a string gives the value back. Values decoded from a file know where in the file they
//! stand.

use std::sync::Arc;

use ecow::EcoString;

use super::arguments::{Call, Function, normalized, nullable, string};
use crate::source::Span;
use crate::value::{
    Cause, Entry, Mapping, MappingKind, Number, SequenceKind, TemplatePart, TextBuilder, Value, ValueKind,
};

/// How deep JSON may nest.
const MAX_DEPTH: usize = 200;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::partial("jsondecode", &[string("str")], jsondecode),
    Function::partial("jsonencode", &[nullable("val")], |call| {
        let value = call.argument(0)?;
        Ok(if value.is_unknown() { call.unknown_from(value) } else { encode(call, value) })
    }),
];

/// A value as JSON text. What is not known stands as a part of its own: between quotes the missing text, elsewhere the
/// missing value. An unknown when the value is too deep, or of unknown length.
pub(super) fn encode(call: &Call, value: &Value) -> Value {
    let mut text = TextBuilder::new();
    match encode_into(call, value, &mut text, 0) {
        Ok(()) => text.finish(call.span),
        Err(unknown) => unknown,
    }
}

fn encode_into(call: &Call, value: &Value, text: &mut TextBuilder, depth: usize) -> Result<(), Value> {
    if depth > MAX_DEPTH {
        return Err(call.too_large());
    }
    text.mark(value.sensitive);
    match &value.kind {
        ValueKind::Null => text.push_str("null"),
        ValueKind::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        ValueKind::Number(number) => text.push_str(&number.to_string()),
        ValueKind::String(string) => text.push_str(&quote(string)),
        ValueKind::Template(parts) => {
            text.push_str("\"");
            for part in parts.iter() {
                match part {
                    TemplatePart::Literal(literal) => text.push_str(&escape(literal)),
                    TemplatePart::Value(value) => {
                        text.push_value(value);
                    }
                }
            }
            text.push_str("\"");
        }
        ValueKind::Unknown(_) | ValueKind::Reference(_) => {
            text.push_value(value);
        }
        ValueKind::Sequence(sequence) => {
            if let Some(item) = sequence.items.iter().find(|item| item.repeated) {
                return Err(call.unknown_from(if item.is_wholly_known() { value } else { item }));
            }
            if sequence.kind == SequenceKind::Set && sequence.items.len() > 1 && !value.is_wholly_known() {
                // In which order they come, is not known.
                return Err(call.unknown_from(value));
            }
            if sequence.kind != SequenceKind::Tuple && may_become_text(&sequence.items) {
                return Err(call.unknown_from(value));
            }
            text.push_str("[");
            for (index, item) in sequence.items.iter().enumerate() {
                if index > 0 {
                    text.push_str(",");
                }
                encode_into(call, item, text, depth + 1)?;
            }
            text.push_str("]");
        }
        ValueKind::Mapping(mapping) => {
            if mapping.rest.is_some() || mapping.entries.values().any(|entry| entry.value.repeated) {
                return Err(call.unknown_from(value));
            }
            let values = mapping.entries.values().map(|entry| &entry.value);
            if mapping.kind == MappingKind::Map && may_become_text(values) {
                return Err(call.unknown_from(value));
            }
            let mut entries: Vec<_> = mapping.entries.iter().collect();
            entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            text.push_str("{");
            for (index, (key, entry)) in entries.into_iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                text.push_str(&quote(key));
                text.push_str(":");
                encode_into(call, &entry.value, text, depth + 1)?;
            }
            text.push_str("}");
        }
    }
    Ok(())
}

/// Whether the numbers and truth values among the elements of one type may turn out to be strings, because an element that
/// is not known turns out to be one.
fn may_become_text<'a>(items: impl IntoIterator<Item = &'a Value> + Clone) -> bool {
    items.clone().into_iter().any(Value::is_unknown)
        && items.into_iter().any(|item| matches!(item.kind, ValueKind::Number(_) | ValueKind::Bool(_)))
}

/// A JSON string with Terraform's escapes.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// Go's encoder also escapes what would be special in HTML and in JavaScript.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Stands in the text for a part that is not known. A noncharacter: it does not occur in text that is meant for exchange.
const HOLE: char = '\u{fdd0}';

fn jsondecode(call: &Call) -> Result<Value, String> {
    let argument = call.argument(0)?;
    let mut holes = Vec::new();
    let text: EcoString = match &argument.kind {
        ValueKind::String(text) => text.clone(),
        ValueKind::Template(parts) => {
            let mut text = EcoString::new();
            for part in parts.iter() {
                match part {
                    TemplatePart::Literal(literal) => text.push_str(literal),
                    TemplatePart::Value(value) => {
                        text.push(HOLE);
                        holes.push(value);
                    }
                }
            }
            text
        }
        _ => return Ok(call.unknown_from(argument)),
    };
    if text.matches(HOLE).count() != holes.len() {
        return Ok(if holes.is_empty() {
            call.unsupported("this JSON text")
        } else {
            call.unknown_from(argument)
        });
    }
    let mut reader = Reader {
        text: &text,
        position: 0,
        holes: holes.iter(),
        places: places(call, argument),
        fallback: argument.span.or(call.span),
        sensitive: argument.sensitive,
    };
    let value = reader.value(0).and_then(|value| {
        reader.skip_space();
        match reader.peek() {
            None => Ok(value),
            Some(_) => Err(Problem::Syntax("extraneous data after JSON value".to_string())),
        }
    });
    match value {
        Ok(value) => Ok(value),
        // With a part missing, the rest may be valid all the same: the part may be a piece of syntax.
        Err(_) if !holes.is_empty() => Ok(call.unknown_from(argument)),
        Err(Problem::Depth) => Ok(too_deep(call.span)),
        Err(Problem::Syntax(problem)) => Err(problem),
    }
}

/// Where the text stands, when it stands in a file letter by letter: the span of its byte at 0.
pub(super) fn places(call: &Call, text: &Value) -> Option<Span> {
    let whole = text.as_str()?;
    let source = call.context.sources.get(text.span.file)?;
    (source.slice(text.span) == whole).then_some(text.span)
}

/// The span of bytes of a text that stands at `places`.
pub(super) fn span_within(places: Option<Span>, fallback: Span, start: usize, end: usize) -> Span {
    match places {
        Some(whole) => Span::new(whole.file, whole.start as usize + start, whole.start as usize + end),
        None => fallback,
    }
}

enum Problem {
    Syntax(String),
    Depth,
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    holes: std::slice::Iter<'a, &'a Value>,
    places: Option<Span>,
    fallback: Span,
    sensitive: bool,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.position..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.position += 1;
        }
    }

    fn unexpected(&self) -> Problem {
        Problem::Syntax(match self.peek() {
            Some(character) => {
                format!("invalid JSON: unexpected {character:?} at offset {}", self.position)
            }
            None => "invalid JSON: unexpected end of text".to_string(),
        })
    }

    fn expect(&mut self, wanted: char) -> Result<(), Problem> {
        self.skip_space();
        if self.peek() == Some(wanted) {
            self.position += wanted.len_utf8();
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::Depth);
        }
        self.skip_space();
        let start = self.position;
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => self.string()?,
            Some(HOLE) => {
                self.next();
                return self.holes.next().map(|value| (*value).clone()).ok_or_else(|| self.unexpected());
            }
            Some('-' | '0'..='9') => ValueKind::Number(self.number()?),
            _ => {
                let (word, kind) = match self.rest() {
                    rest if rest.starts_with("true") => ("true", ValueKind::Bool(true)),
                    rest if rest.starts_with("false") => ("false", ValueKind::Bool(false)),
                    rest if rest.starts_with("null") => ("null", ValueKind::Null),
                    _ => return Err(self.unexpected()),
                };
                self.position += word.len();
                kind
            }
        };
        Ok(Value::new(value, self.span(start)).marked(self.sensitive))
    }

    fn span(&self, start: usize) -> Span {
        span_within(self.places, self.fallback, start, self.position)
    }

    fn array(&mut self, depth: usize) -> Result<ValueKind, Problem> {
        self.expect('[')?;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(']') {
            self.position += 1;
        } else {
            loop {
                items.push(self.value(depth + 1)?);
                self.skip_space();
                match self.next() {
                    Some(',') => {}
                    Some(']') => break,
                    _ => return Err(self.unexpected()),
                }
            }
        }
        Ok(ValueKind::Sequence(Arc::new(crate::value::Sequence { kind: SequenceKind::Tuple, items })))
    }

    fn object(&mut self, depth: usize) -> Result<ValueKind, Problem> {
        self.expect('{')?;
        let mut mapping = Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None };
        self.skip_space();
        if self.peek() == Some('}') {
            self.position += 1;
        } else {
            loop {
                self.skip_space();
                let start = self.position;
                let ValueKind::String(key) = self.string()? else { return Err(self.unexpected()) };
                self.expect(':')?;
                let value = self.value(depth + 1)?;
                mapping.entries.insert(key, Entry { span: self.span(start), value });
                self.skip_space();
                match self.next() {
                    Some(',') => {}
                    Some('}') => break,
                    _ => return Err(self.unexpected()),
                }
            }
        }
        Ok(ValueKind::Mapping(Arc::new(mapping)))
    }

    fn number(&mut self) -> Result<Number, Problem> {
        let bytes = self.rest().as_bytes();
        let digits = |from: usize| bytes.iter().skip(from).take_while(|b| b.is_ascii_digit()).count();
        let mut length = usize::from(bytes.first() == Some(&b'-'));
        let whole = digits(length);
        if whole == 0 || (whole > 1 && bytes.get(length) == Some(&b'0')) {
            return Err(self.unexpected());
        }
        length += whole;
        if bytes.get(length) == Some(&b'.') {
            let fraction = digits(length + 1);
            if fraction == 0 {
                return Err(self.unexpected());
            }
            length += 1 + fraction;
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            if exponent == 0 {
                return Err(self.unexpected());
            }
            length += 1 + sign + exponent;
        }
        let number = self.rest().get(..length).and_then(Number::parse).ok_or(Problem::Depth)?;
        self.position += length;
        Ok(number)
    }

    fn string(&mut self) -> Result<ValueKind, Problem> {
        if self.next() != Some('"') {
            return Err(self.unexpected());
        }
        let mut text = TextBuilder::new();
        let mut literal = String::new();
        loop {
            match self.next() {
                Some('"') => break,
                Some(HOLE) => {
                    text.push_str(&normalized(&std::mem::take(&mut literal)));
                    let Some(value) = self.holes.next() else { return Err(self.unexpected()) };
                    text.push_value(value);
                }
                Some('\\') => literal.push(self.escaped()?),
                Some(character) if character >= ' ' => literal.push(character),
                _ => return Err(Problem::Syntax("invalid JSON: unterminated string".to_string())),
            }
        }
        text.push_str(&normalized(&literal));
        Ok(text.finish(self.fallback).kind)
    }

    fn escaped(&mut self) -> Result<char, Problem> {
        Ok(match self.next() {
            Some(character @ ('"' | '\\' | '/')) => character,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.hexadecimal()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                // A surrogate pair; half a pair stands for a character that is no more.
                let before = self.position;
                if self.rest().starts_with("\\u") {
                    self.position += 2;
                    let second = self.hexadecimal()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                }
                self.position = before;
                char::REPLACEMENT_CHARACTER
            }
            _ => return Err(Problem::Syntax("invalid JSON: invalid escape in string".to_string())),
        })
    }

    fn hexadecimal(&mut self) -> Result<u32, Problem> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                self.position += 4;
                Ok(code)
            }
            None => Err(Problem::Syntax("invalid JSON: invalid escape in string".to_string())),
        }
    }
}

/// What nests deeper than is read.
pub(super) fn too_deep(span: Span) -> Value {
    Value::unknown(Cause::Limit("the text nests too deeply".into()), span)
}
