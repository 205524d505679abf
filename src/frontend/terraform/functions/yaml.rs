//! `yamlencode` and `yamldecode`.

use std::collections::HashMap;
use std::sync::Arc;

use ecow::EcoString;
use saphyr_parser::{Event, Parser, ScalarStyle, Span as YamlSpan, StrInput};

use super::MAX_ELEMENTS;
use super::arguments::{Call, Function, normalized, nullable, string};
use super::json::{places, span_within, too_deep};
use crate::source::Span;
use crate::value::{Entry, Mapping, MappingKind, Number, Sequence, SequenceKind, Value, ValueKind};

/// How deep YAML may nest.
const MAX_DEPTH: usize = 100;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("yamldecode", &[string("src")], yamldecode),
    Function::strict("yamlencode", &[nullable("value")], yamlencode),
];

fn yamlencode(call: &Call) -> Result<Value, String> {
    let value = call.argument(0)?;
    let mut text = String::new();
    if !encode(value, 0, &mut text) {
        return Ok(call.too_large());
    }
    // A lone plain scalar is followed by the end of its document.
    if matches!(value.kind, ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_)) {
        text.push_str("...\n");
    }
    Ok(call.string(text))
}

/// Writes a value in block style, and a line end. The cursor stands where the value begins.
fn encode(value: &Value, depth: usize, out: &mut String) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    match &value.kind {
        ValueKind::Sequence(sequence) if !sequence.items.is_empty() => {
            for (index, item) in sequence.items.iter().enumerate() {
                if index > 0 {
                    out.push_str(&"  ".repeat(depth));
                }
                out.push_str("- ");
                if !encode(item, depth + 1, out) {
                    return false;
                }
            }
        }
        ValueKind::Mapping(mapping) if !mapping.entries.is_empty() => {
            let mut entries: Vec<_> = mapping.entries.iter().collect();
            entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            for (index, (key, entry)) in entries.into_iter().enumerate() {
                // Longer keys and keys of several lines have a form of their own, which nobody writes.
                if key.len() > 128 || key.contains('\n') {
                    return false;
                }
                if index > 0 {
                    out.push_str(&"  ".repeat(depth));
                }
                quoted(key, None, out);
                out.push(':');
                // Mappings in mappings are indented, sequences are not; anything else follows on the line.
                let (start, inner) = match &entry.value.kind {
                    ValueKind::Mapping(inner) if !inner.entries.is_empty() => ("\n", depth + 1),
                    ValueKind::Sequence(inner) if !inner.items.is_empty() => ("\n", depth),
                    _ => (" ", depth + 1),
                };
                out.push_str(start);
                if start == "\n" {
                    out.push_str(&"  ".repeat(inner));
                }
                if !encode(&entry.value, inner, out) {
                    return false;
                }
            }
        }
        ValueKind::Sequence(_) => out.push_str("[]\n"),
        ValueKind::Mapping(_) => out.push_str("{}\n"),
        ValueKind::String(text) if fits_literal_block(text) => literal_block(text, depth, out),
        ValueKind::String(text) => {
            quoted(text, Some(depth.max(1)), out);
            out.push('\n');
        }
        ValueKind::Number(number) => out.push_str(&format!("{number}\n")),
        ValueKind::Bool(truth) => out.push_str(if *truth { "true\n" } else { "false\n" }),
        _ => out.push_str("null\n"),
    }
    true
}

/// What stands for itself in YAML text, as libyaml has it.
fn is_printable(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// The column after which a space in a quoted text becomes a line break.
const BEST_WIDTH: usize = 80;

/// A quoted scalar, as all strings are. `wrapped` says how deep the lines after the first are indented; without it the
/// scalar stays on its line.
fn quoted(text: &str, wrapped: Option<usize>, out: &mut String) {
    let mut column = out.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    out.push('"');
    let mut after_space = false;
    let mut rest = text.chars().peekable();
    let mut first = true;
    while let Some(character) = rest.next() {
        if let (' ', Some(depth)) = (character, wrapped)
            && !after_space
            && column > BEST_WIDTH
            && !first
            && rest.peek().is_some()
        {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
            column = depth * 2;
            if rest.peek() == Some(&' ') {
                out.push('\\');
                column += 1;
            }
        } else {
            let before = out.len();
            push_escaped(character, out);
            column += out.get(before..).map_or(0, |added| added.chars().count());
        }
        after_space = character == ' ';
        first = false;
    }
    out.push('"');
}

fn push_escaped(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\0' => out.push_str("\\0"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{b}' => out.push_str("\\v"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\u{1b}' => out.push_str("\\e"),
        '\u{85}' => out.push_str("\\N"),
        '\u{2028}' => out.push_str("\\L"),
        '\u{2029}' => out.push_str("\\P"),
        other if is_printable(other) => out.push(other),
        other => match u32::from(other) {
            code @ 0..=0xff => out.push_str(&format!("\\x{code:02X}")),
            code @ 0x100..=0xffff => out.push_str(&format!("\\u{code:04X}")),
            code => out.push_str(&format!("\\U{code:08X}")),
        },
    }
}

/// Text of several lines is a literal block, unless something in it would not survive.
fn fits_literal_block(text: &str) -> bool {
    text.contains('\n')
        && !text.contains(" \n")
        && !text.ends_with(' ')
        && !text.contains(['\u{2028}', '\u{2029}'])
        && text.chars().all(|character| character == '\n' || is_printable(character))
}

fn literal_block(text: &str, depth: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        // The indentation cannot be seen from the first line.
        out.push('2');
    }
    out.push_str(match text {
        _ if !text.ends_with('\n') => "-",
        "\n" => "+",
        _ if text.ends_with("\n\n") => "+",
        _ => "",
    });
    out.push('\n');
    let indent = "  ".repeat(depth.max(1));
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        if !line.is_empty() {
            out.push_str(&indent);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn yamldecode(call: &Call) -> Result<Value, String> {
    let argument = call.argument(0)?;
    let text = call.text(0)?;
    let mut decoder = Decoder {
        parser: Parser::new_from_str(text),
        text,
        offsets: CharacterOffsets::default(),
        anchors: HashMap::new(),
        places: places(call, argument),
        fallback: argument.span.or(call.span),
        sensitive: argument.sensitive,
        count: 0,
    };
    match decoder.document() {
        Ok(value) => Ok(value),
        Err(Problem::Limit) => Ok(too_deep(call.span)),
        Err(Problem::Syntax(problem)) => Err(problem),
    }
}

enum Problem {
    Syntax(String),
    Limit,
}

/// Finds byte offsets of characters. Events come in order, so that it never has to start again.
#[derive(Default)]
struct CharacterOffsets {
    characters: usize,
    bytes: usize,
}

impl CharacterOffsets {
    fn byte(&mut self, text: &str, character: usize) -> usize {
        if character < self.characters {
            *self = CharacterOffsets::default();
        }
        let rest = text.get(self.bytes..).unwrap_or("");
        let skipped: usize = rest.chars().take(character - self.characters).map(char::len_utf8).sum();
        self.characters = character;
        self.bytes += skipped;
        self.bytes
    }
}

struct Decoder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    offsets: CharacterOffsets,
    anchors: HashMap<usize, Value>,
    places: Option<Span>,
    fallback: Span,
    sensitive: bool,
    /// How many values were made: aliases could make a small text very large.
    count: usize,
}

impl<'a> Decoder<'a> {
    fn next(&mut self) -> Result<(Event<'a>, YamlSpan), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(problem)) => Err(Problem::Syntax(format!("invalid YAML: {problem}"))),
            None => Err(Problem::Syntax("invalid YAML: unexpected end of text".to_string())),
        }
    }

    fn document(&mut self) -> Result<Value, Problem> {
        let mut result = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::StreamEnd => break,
                Event::DocumentStart(_) if result.is_some() => {
                    return Err(Problem::Syntax("only a single document is allowed".to_string()));
                }
                Event::DocumentStart(_) => {}
                event => result = Some(self.node(event, place, 0)?),
            }
        }
        result.ok_or_else(|| Problem::Syntax("expecting value but found end of stream".to_string()))
    }

    fn span(&mut self, place: YamlSpan) -> Span {
        if self.places.is_none() {
            return self.fallback;
        }
        let start = self.offsets.byte(self.text, place.start.index());
        let length: usize = self
            .text
            .get(start..)
            .unwrap_or("")
            .chars()
            .take(place.end.index().saturating_sub(place.start.index()))
            .map(char::len_utf8)
            .sum();
        span_within(self.places, self.fallback, start, start + length)
    }

    fn node(&mut self, event: Event<'a>, place: YamlSpan, depth: usize) -> Result<Value, Problem> {
        self.count += 1;
        if depth > MAX_DEPTH || self.count > MAX_ELEMENTS {
            return Err(Problem::Limit);
        }
        let (kind, anchor) = match event {
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().ok_or_else(|| {
                    Problem::Syntax("invalid YAML: reference to a value inside of itself".to_string())
                })?;
                self.count = self.count.saturating_add(size(&value));
                return if self.count > MAX_ELEMENTS { Err(Problem::Limit) } else { Ok(value) };
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| tag_name(&tag.handle, &tag.suffix));
                (resolve(&text, style, tag.as_deref())?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                if tag.is_some_and(|tag| tag_name(&tag.handle, &tag.suffix) != "seq") {
                    return Err(Problem::Syntax("can't interpret sequence with this tag".to_string()));
                }
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, place) => items.push(self.node(event, place, depth + 1)?),
                    }
                }
                (ValueKind::Sequence(Arc::new(Sequence { kind: SequenceKind::Tuple, items })), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                if tag.is_some_and(|tag| tag_name(&tag.handle, &tag.suffix) != "map") {
                    return Err(Problem::Syntax("can't interpret mapping with this tag".to_string()));
                }
                (self.mapping(depth)?, anchor)
            }
            _ => return Err(Problem::Syntax("invalid YAML".to_string())),
        };
        let span = self.span(place);
        let value = Value::new(kind, span).marked(self.sensitive);
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn mapping(&mut self, depth: usize) -> Result<ValueKind, Problem> {
        let mut mapping = Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None };
        loop {
            let (event, place) = self.next()?;
            let (text, style, tag) = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, style, _, tag) => (text, style, tag),
                _ => return Err(Problem::Syntax("only strings are allowed as mapping keys".to_string())),
            };
            let tag = tag.map(|tag| tag_name(&tag.handle, &tag.suffix));
            let merges = tag.as_deref() == Some("merge")
                || (tag.is_none() && text == "<<" && style == ScalarStyle::Plain);
            let (event, value_place) = self.next()?;
            let value = self.node(event, value_place, depth + 1)?;
            if merges {
                merge_into(&mut mapping, &value)?;
                continue;
            }
            let key: EcoString = match resolve(&text, style, tag.as_deref())? {
                ValueKind::String(text) => text,
                ValueKind::Number(number) => number.to_string().into(),
                ValueKind::Bool(truth) => if truth { "true" } else { "false" }.into(),
                _ => return Err(Problem::Syntax("mapping key cannot be null".to_string())),
            };
            let span = self.span(place).to(value.span);
            mapping.entries.insert(key, Entry { span, value });
        }
        Ok(ValueKind::Mapping(Arc::new(mapping)))
    }
}

/// How many values there are in a value.
fn size(value: &Value) -> usize {
    match &value.kind {
        ValueKind::Sequence(sequence) => 1 + sequence.items.iter().map(size).sum::<usize>(),
        ValueKind::Mapping(mapping) => {
            1 + mapping.entries.values().map(|entry| size(&entry.value)).sum::<usize>()
        }
        _ => 1,
    }
}

fn merge_into(mapping: &mut Mapping, value: &Value) -> Result<(), Problem> {
    let maps: Vec<&Value> = match value.as_sequence() {
        Some(sequence) => sequence.items.iter().collect(),
        None => vec![value],
    };
    for map in maps {
        let Some(from) = map.as_mapping() else {
            return Err(Problem::Syntax("cannot merge what is not a mapping into a mapping".to_string()));
        };
        mapping.entries.extend(from.entries.iter().map(|(key, entry)| (key.clone(), entry.clone())));
    }
    Ok(())
}

/// The short name of a core tag; the whole tag otherwise.
fn tag_name(handle: &str, suffix: &str) -> String {
    match handle {
        "!!" | "tag:yaml.org,2002:" => suffix.to_string(),
        _ => suffix
            .strip_prefix("tag:yaml.org,2002:")
            .map_or_else(|| format!("{handle}{suffix}"), str::to_string),
    }
}

/// What a scalar means, by YAML 1.1's words for truth values and YAML 1.2's numbers.
fn resolve(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<ValueKind, Problem> {
    let string = || ValueKind::String(EcoString::from(&*normalized(text)));
    let cannot = |what: &str| Problem::Syntax(format!("cannot parse {text:?} as !!{what}"));
    let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    match tag {
        Some("str" | "binary") => return Ok(string()),
        None | Some("bool" | "int" | "float" | "null" | "timestamp") => {}
        Some(other) => return Err(Problem::Syntax(format!("unsupported tag {other:?}"))),
    }
    // Quoted text that begins like something else stays text even under another tag.
    let like_another = text.starts_with(|c: char| "+-.~0123456789yYnNtTfFoO".contains(c));
    if quoted && (tag.is_none() || text.is_empty() || like_another) {
        return Ok(string());
    }
    let boolean = match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    };
    let null = matches!(text, "" | "~" | "null" | "Null" | "NULL");
    match (tag, boolean) {
        (None | Some("bool"), Some(truth)) => return Ok(ValueKind::Bool(truth)),
        (Some("bool"), None) => return Err(cannot("bool")),
        (Some("null"), _) => return Ok(ValueKind::Null),
        _ if null && !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) => {
            return Ok(ValueKind::Null);
        }
        _ => {}
    }
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => {
            return Err(Problem::Syntax("infinity is not supported".to_string()));
        }
        ".nan" | ".NaN" | ".NAN" => {
            return Err(Problem::Syntax("floating point NaN is not supported".to_string()));
        }
        _ => {}
    }
    if matches!(tag, None | Some("timestamp")) {
        if let Some(time) = timestamp(text) {
            return Ok(ValueKind::String(time.into()));
        }
        if tag.is_some() {
            return Err(cannot("timestamp"));
        }
    }
    match number(text) {
        Some(number) => Ok(ValueKind::Number(number)),
        None if tag.is_some() => Err(cannot("number")),
        None => Ok(string()),
    }
}

fn number(text: &str) -> Option<Number> {
    let radix = |digits: &str, radix: u32| {
        i64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['-', '+'])).map(Number::from)
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    Number::parse(text)
}

/// A date (and time) as RFC 3339 writes it.
fn timestamp(text: &str) -> Option<String> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at)?, Some((text.get(at..at + 1)?, text.get(at + 1..)?))),
        None => (text, None),
    };
    let digits = |text: &str, most: usize| {
        (!text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?;
    let (year, month, day) = (digits(year, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    let (clock, zone) = match time {
        None => ("0:0:0", "Z"),
        Some((" ", clock)) => (clock, "Z"),
        Some((_, clock)) => clock.split_at(clock.find(['Z', '+', '-'])?),
    };
    let (clock, _fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hour, minute, second) =
        (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}");
    super::date::Timestamp::parse(&text).ok().map(|time| time.to_string())
}
