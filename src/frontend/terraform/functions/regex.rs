//! Functions with regular expressions, in RE2's syntax.

use std::iter::Peekable;
use std::str::Chars;

use ecow::EcoString;

use super::MAX_TEXT;
use super::arguments::{Call, Function, invalid, string};
use crate::value::{Entry, MappingKind, SequenceKind, TemplatePart, TextBuilder, Value, ValueKind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("regex", &[string("pattern"), string("string")], regex),
    Function::strict("regexall", &[string("pattern"), string("string")], regexall),
    Function::partial("replace", &[string("str"), string("substr"), string("replace")], replace),
];

fn compile(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(&translate(pattern)?).size_limit(4 << 20).nest_limit(200).build().map_err(
        |problem| match problem {
            regex::Error::CompiledTooBig(_) => "invalid regexp pattern: it is too large".to_string(),
            _ => format!("invalid regexp pattern: {pattern}"),
        },
    )
}

/// Rewrites a pattern of Go's (RE2's) syntax for the `regex` crate. They differ in that RE2's `\d`, `\s`, `\w` and `\b` know
/// only ASCII, in `\Q…\E`, in octal escapes, in braces that are no repetition, and in that RE2 knows no sets inside
/// of sets.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    let mut class_start = false;
    // What stands directly before is a repetition: RE2 refuses one of a repetition.
    let mut repeated = false;
    // What stands directly before, in a class, is a class itself: `-` behind it is just a `-`.
    let mut after_class = false;
    while let Some(character) = characters.next() {
        let first_in_class = std::mem::take(&mut class_start);
        let after_repetition = std::mem::take(&mut repeated);
        let after_class_before = std::mem::take(&mut after_class);
        match character {
            '\\' => {
                if !in_class && characters.peek() == Some(&'Q') {
                    characters.next();
                    quoted(&mut characters, &mut out);
                    continue;
                }
                after_class = in_class
                    && matches!(characters.peek(), Some('d' | 'D' | 's' | 'S' | 'w' | 'W' | 'p' | 'P'));
                escape(&mut characters, &mut out, in_class, pattern)?;
            }
            '[' if in_class => {
                if characters.peek() == Some(&':') {
                    // `[:alpha:]` is the same in both.
                    let mut class = String::from("[");
                    for next in characters.by_ref() {
                        class.push(next);
                        if class.ends_with(":]") && class.len() > 3 {
                            break;
                        }
                        if !(next.is_ascii_alphabetic() || matches!(next, ':' | '^')) {
                            break;
                        }
                    }
                    if class.ends_with(":]") {
                        out.push_str(&class);
                    } else {
                        return Err(format!("invalid regexp pattern: invalid character class in {pattern}"));
                    }
                } else {
                    out.push_str("\\[");
                }
            }
            '[' => {
                in_class = true;
                class_start = true;
                out.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ']' if in_class && first_in_class => out.push_str("\\]"),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(character);
            }
            '-' if in_class && after_class_before && characters.peek() != Some(&']') => out.push_str("\\-"),
            '-' if in_class && characters.peek() == Some(&'-') => out.push_str("\\-"),
            '{' if !in_class => {
                let ahead: String = characters.clone().take_while(|c| *c != '}').take(12).collect();
                if is_repetition(&ahead) && characters.clone().any(|c| c == '}') {
                    if after_repetition {
                        return Err(format!("invalid nested repetition operator in {pattern}"));
                    }
                    if ahead.split(',').any(|n| n.parse::<u32>().is_ok_and(|n| n > 1000)) {
                        return Err(format!("invalid repeat count in {pattern}"));
                    }
                    out.push('{');
                    for _ in 0..=ahead.len() {
                        out.extend(characters.next());
                    }
                    if characters.next_if_eq(&'?').is_some() {
                        out.push('?');
                    }
                    repeated = true;
                } else {
                    out.push_str("\\{");
                }
            }
            '}' if !in_class => out.push_str("\\}"),
            '*' | '+' | '?' if !in_class => {
                if after_repetition {
                    return Err(format!("invalid nested repetition operator in {pattern}"));
                }
                out.push(character);
                if characters.next_if_eq(&'?').is_some() {
                    out.push('?');
                }
                repeated = true;
            }
            '(' if !in_class => {
                out.push('(');
                // The question mark of a group is no repetition.
                if characters.next_if_eq(&'?').is_some() {
                    out.push('?');
                }
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

fn is_repetition(inside: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match inside.split_once(',') {
        Some((from, to)) => number(from) && (to.is_empty() || number(to)),
        None => number(inside),
    }
}

/// `\Q…\E`: text without special meaning.
fn quoted(characters: &mut Peekable<Chars>, out: &mut String) {
    let mut text = String::new();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.next_if_eq(&'E').is_some() {
            break;
        }
        text.push(character);
    }
    out.push_str(&regex::escape(&text));
}

fn escape(
    characters: &mut Peekable<Chars>,
    out: &mut String,
    in_class: bool,
    pattern: &str,
) -> Result<(), String> {
    let invalid = || format!("invalid regexp pattern: invalid escape sequence in {pattern}");
    let Some(character) = characters.next() else {
        return Err(format!("invalid regexp pattern: trailing backslash at end of expression in {pattern}"));
    };
    match (character, in_class) {
        ('d', false) => out.push_str("[0-9]"),
        ('d', true) => out.push_str("0-9"),
        ('w', false) => out.push_str("[0-9A-Za-z_]"),
        ('w', true) => out.push_str("0-9A-Za-z_"),
        ('s', false) => out.push_str("[\\t\\n\\f\\r ]"),
        ('s', true) => out.push_str("\\t\\n\\f\\r "),
        ('D', _) => out.push_str("[^0-9]"),
        ('W', _) => out.push_str("[^0-9A-Za-z_]"),
        ('S', _) => out.push_str("[^\\t\\n\\f\\r ]"),
        ('b', false) => out.push_str("(?-u:\\b)"),
        ('B', false) => out.push_str("(?-u:\\B)"),
        ('A' | 'z', false) | ('a' | 'f' | 'n' | 'r' | 't' | 'v' | 'p' | 'P' | 'x', _) => {
            out.push('\\');
            out.push(character);
            if matches!(character, 'p' | 'P' | 'x') {
                // A name or a code in braces is no repetition.
                if characters.next_if_eq(&'{').is_some() {
                    out.push('{');
                    for next in characters.by_ref() {
                        out.push(next);
                        if next == '}' {
                            break;
                        }
                    }
                }
            }
        }
        ('0'..='7', _) => {
            // Octal; a single digit other than 0 would be a reference back, which RE2 does not have.
            let mut code = u32::from(character) - u32::from('0');
            let mut length = 1;
            while let Some(digit) = characters.peek().and_then(|c| c.to_digit(8)).filter(|_| length < 3) {
                code = code * 8 + digit;
                length += 1;
                characters.next();
            }
            if character != '0' && length == 1 {
                return Err(invalid());
            }
            out.push_str(&format!("\\x{{{code:x}}}"));
        }
        (punctuation, _) if punctuation.is_ascii_punctuation() => {
            out.push_str(&regex::escape(&punctuation.to_string()));
            if in_class
                && matches!(punctuation, '-' | '&' | '~' | '^')
                && !out.ends_with(&format!("\\{punctuation}"))
            {
                out.pop();
                out.push('\\');
                out.push(punctuation);
            }
        }
        _ => return Err(invalid()),
    }
    Ok(())
}

/// Without groups the whole match, with unnamed groups a tuple of theirs, with named ones an object.
fn captured(call: &Call, regex: &regex::Regex, captures: &regex::Captures) -> Value {
    let text = |found: Option<regex::Match>| match found {
        Some(found) => call.string_from(1, found.as_str()),
        None => Value::null(call.span),
    };
    if regex.captures_len() == 1 {
        return text(captures.get(0));
    }
    let named = regex.capture_names().flatten().next().is_some();
    if named {
        let entries = regex
            .capture_names()
            .flatten()
            .map(|name| (EcoString::from(name), Entry { span: call.span, value: text(captures.name(name)) }));
        return Value::mapping(MappingKind::Object, entries, call.span);
    }
    let items = captures.iter().skip(1).map(text).collect();
    call.sequence_of(SequenceKind::Tuple, items)
}

fn compile_for_captures(call: &Call) -> Result<regex::Regex, String> {
    let regex = compile(call.text(0)?).map_err(|problem| invalid("pattern", &problem))?;
    let named = regex.capture_names().skip(1).filter(Option::is_some).count();
    if named > 0 && named + 1 < regex.captures_len() {
        return Err(invalid(
            "pattern",
            "invalid regexp pattern: cannot mix both named and unnamed capture groups",
        ));
    }
    Ok(regex)
}

fn regex(call: &Call) -> Result<Value, String> {
    let regex = compile_for_captures(call)?;
    match regex.captures(call.text(1)?) {
        Some(captures) => Ok(captured(call, &regex, &captures)),
        None => Err("pattern did not match any part of the given string".to_string()),
    }
}

fn regexall(call: &Call) -> Result<Value, String> {
    let regex = compile_for_captures(call)?;
    let items = regex.captures_iter(call.text(1)?).map(|captures| captured(call, &regex, &captures));
    Ok(call.list(items.collect()))
}

fn replace(call: &Call) -> Result<Value, String> {
    let (text, wanted, replacement) = (call.argument(0)?, call.argument(1)?, call.argument(2)?);
    let (Some(wanted), Some(replacement)) = (wanted.as_str(), replacement.as_str()) else {
        let unknown = if wanted.as_str().is_none() { wanted } else { replacement };
        return Ok(call.unknown_from(unknown));
    };
    let pattern = match wanted.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(pattern) => Some(compile(pattern)?),
        None => None,
    };
    match &text.kind {
        ValueKind::String(whole) => {
            let count = match &pattern {
                Some(regex) => regex.find_iter(whole).count(),
                None => whole.matches(wanted).count(),
            };
            // A replacement may name groups, each at most as long as the whole.
            let groups = if pattern.is_some() { replacement.matches('$').count() } else { 0 };
            let grown =
                count.saturating_mul(replacement.len().saturating_add(groups.saturating_mul(whole.len())));
            if grown.saturating_add(whole.len()) > MAX_TEXT {
                return Ok(call.too_large());
            }
            Ok(match &pattern {
                Some(regex) => call.string_from(0, &*regex.replace_all(whole, replacement)),
                None => call.string_from(0, whole.replace(wanted, replacement)),
            })
        }
        // One character lies in one part or in another, never across.
        ValueKind::Template(parts) if pattern.is_none() && wanted.chars().count() == 1 => {
            let mut builder = TextBuilder::new();
            for part in parts.iter() {
                match part {
                    TemplatePart::Literal(literal) => {
                        if literal.matches(wanted).count().saturating_mul(replacement.len()) > MAX_TEXT {
                            return Ok(call.too_large());
                        }
                        builder.push_str(&literal.replace(wanted, replacement));
                    }
                    TemplatePart::Value(value) => {
                        builder.push_value(&call.unknown_from(value));
                    }
                }
            }
            Ok(builder.finish(text.span))
        }
        _ => Ok(call.unknown_from(text)),
    }
}
