//! Functions on strings.

use unicode_segmentation::UnicodeSegmentation;

use super::MAX_TEXT;
use super::arguments::{Call, Function, Wants, number, of, string};
use crate::value::{TemplatePart, TextBuilder, Value, ValueKind};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("chomp", &[string("str")], |call| {
        let text = call.text(0)?;
        Ok(call.string_from(0, text.trim_end_matches(['\n', '\r'])))
    }),
    Function::partial("endswith", &[string("str"), string("suffix")], endswith),
    Function::strict("indent", &[number("spaces"), string("str")], indent),
    Function::partial("join", &[string("separator")], join).with_variadic(of("lists", Wants::ListOfString)),
    Function::partial("lower", &[string("str")], |call| map_text(call, |text| map_letters(text, to_lower))),
    Function::partial("split", &[string("separator"), string("str")], split),
    Function::partial("startswith", &[string("str"), string("prefix")], startswith),
    Function::partial("strcontains", &[string("str"), string("substr")], strcontains),
    Function::strict("strrev", &[string("str")], |call| {
        Ok(call.string(call.text(0)?.graphemes(true).rev().collect::<String>()))
    }),
    Function::strict("substr", &[string("str"), number("offset"), number("length")], substr),
    // What a known part begins with depends on what stands before it.
    Function::strict("title", &[string("str")], |call| Ok(call.string_from(0, title(call.text(0)?)))),
    Function::strict("trim", &[string("str"), string("cutset")], |call| {
        let cutset: Vec<char> = call.text(1)?.chars().collect();
        Ok(call.string_from(0, call.text(0)?.trim_matches(cutset.as_slice())))
    }),
    Function::partial("trimprefix", &[string("str"), string("prefix")], trimprefix),
    Function::partial("trimspace", &[string("str")], trimspace),
    Function::partial("trimsuffix", &[string("str"), string("suffix")], trimsuffix),
    Function::partial("upper", &[string("str")], |call| map_text(call, |text| map_letters(text, to_upper))),
];

/// Changes each known part of a string on its own; unknown parts become derived unknowns.
fn map_text(call: &Call, change: fn(&str) -> String) -> Result<Value, String> {
    let argument = call.argument(0)?;
    Ok(match &argument.kind {
        ValueKind::String(text) => call.string_from(0, change(text)),
        ValueKind::Template(parts) => {
            let mut text = TextBuilder::new();
            for part in parts.iter() {
                match part {
                    TemplatePart::Literal(literal) => text.push_str(&change(literal)),
                    TemplatePart::Value(value) => {
                        text.push_value(&call.unknown_from(value));
                    }
                }
            }
            text.finish(argument.span)
        }
        _ => call.unknown_from(argument),
    })
}

/// The known text at the start of a string and at its end; both are the whole when all is known.
fn known_ends(value: &Value) -> (&str, &str) {
    match &value.kind {
        ValueKind::String(text) => (text, text),
        ValueKind::Template(parts) => {
            let start = match parts.first() {
                Some(TemplatePart::Literal(text)) => text.as_str(),
                _ => "",
            };
            let end = match parts.last() {
                Some(TemplatePart::Literal(text)) => text.as_str(),
                _ => "",
            };
            (start, end)
        }
        _ => ("", ""),
    }
}

/// The answer to a question about a string and a wholly known affix, or an unknown.
fn answer(call: &Call, answer: Option<bool>) -> Result<Value, String> {
    Ok(match answer {
        Some(answer) => call.bool(answer),
        None => match call.arguments.iter().find(|argument| !argument.is_wholly_known()) {
            Some(unknown) => call.unknown_from(unknown),
            None => call.unsupported("this comparison"),
        },
    })
}

fn startswith(call: &Call) -> Result<Value, String> {
    let (text, prefix) = (call.argument(0)?, call.argument(1)?);
    let (start, _) = known_ends(text);
    let known = match (text.as_str(), prefix.as_str()) {
        (_, Some("")) => Some(true),
        (Some(text), Some(prefix)) => Some(text.starts_with(prefix)),
        (None, Some(prefix)) if start.starts_with(prefix) => Some(true),
        (None, Some(prefix)) if !prefix.starts_with(start) => Some(false),
        _ => None,
    };
    answer(call, known)
}

fn endswith(call: &Call) -> Result<Value, String> {
    let (text, suffix) = (call.argument(0)?, call.argument(1)?);
    let (_, end) = known_ends(text);
    let known = match (text.as_str(), suffix.as_str()) {
        (_, Some("")) => Some(true),
        (Some(text), Some(suffix)) => Some(text.ends_with(suffix)),
        (None, Some(suffix)) if end.ends_with(suffix) => Some(true),
        (None, Some(suffix)) if !suffix.ends_with(end) => Some(false),
        _ => None,
    };
    answer(call, known)
}

fn strcontains(call: &Call) -> Result<Value, String> {
    let (text, part) = (call.argument(0)?, call.argument(1)?);
    let known = match (&text.kind, part.as_str()) {
        (_, Some("")) => Some(true),
        (ValueKind::String(text), Some(part)) => Some(text.contains(part)),
        (ValueKind::Template(parts), Some(part)) => parts
            .iter()
            .any(|known| matches!(known, TemplatePart::Literal(text) if text.contains(part)))
            .then_some(true),
        _ => None,
    };
    answer(call, known)
}

fn trimprefix(call: &Call) -> Result<Value, String> {
    let (text, prefix) = (call.argument(0)?, call.argument(1)?);
    let Some(prefix) = prefix.as_str() else { return Ok(call.unknown_from(prefix)) };
    if let Some(text) = text.as_str() {
        return Ok(call.string_from(0, text.strip_prefix(prefix).unwrap_or(text)));
    }
    let (start, _) = known_ends(text);
    if !start.starts_with(prefix) {
        return Ok(if prefix.starts_with(start) { call.unknown_from(text) } else { text.clone() });
    }
    let ValueKind::Template(parts) = &text.kind else { return Ok(call.unknown_from(text)) };
    let mut builder = TextBuilder::new();
    builder.push_str(start.get(prefix.len()..).unwrap_or(""));
    push_parts(&mut builder, parts.get(1..).unwrap_or_default());
    Ok(builder.finish(text.span))
}

fn trimsuffix(call: &Call) -> Result<Value, String> {
    let (text, suffix) = (call.argument(0)?, call.argument(1)?);
    let Some(suffix) = suffix.as_str() else { return Ok(call.unknown_from(suffix)) };
    if let Some(text) = text.as_str() {
        return Ok(call.string_from(0, text.strip_suffix(suffix).unwrap_or(text)));
    }
    let (_, end) = known_ends(text);
    let Some(kept) = end.strip_suffix(suffix) else {
        return Ok(if suffix.ends_with(end) { call.unknown_from(text) } else { text.clone() });
    };
    let ValueKind::Template(parts) = &text.kind else { return Ok(call.unknown_from(text)) };
    let mut builder = TextBuilder::new();
    push_parts(&mut builder, parts.split_last().map_or(&[], |(_, before)| before));
    builder.push_str(kept);
    Ok(builder.finish(text.span))
}

fn push_parts(builder: &mut TextBuilder, parts: &[TemplatePart]) {
    for part in parts {
        match part {
            TemplatePart::Literal(text) => builder.push_str(text),
            TemplatePart::Value(value) => {
                builder.push_value(value);
            }
        }
    }
}

fn trimspace(call: &Call) -> Result<Value, String> {
    let argument = call.argument(0)?;
    match &argument.kind {
        ValueKind::String(text) => Ok(call.string_from(0, text.trim())),
        // Nothing to trim where both ends are known not to be spaces.
        ValueKind::Template(_) => {
            let (start, end) = known_ends(argument);
            let solid = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
            if solid(start.chars().next()) && solid(end.chars().next_back()) {
                return Ok(argument.clone());
            }
            Ok(call.unknown_from(argument))
        }
        _ => Ok(call.unknown_from(argument)),
    }
}

fn map_letters(text: &str, change: fn(char) -> char) -> String {
    text.chars().map(change).collect()
}

/// One letter for one letter, as Terraform has it: no letter becomes two.
fn to_upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

/// As [`to_upper`]; the one letter whose small form is two characters loses its dot.
fn to_lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// Capitalizes each word: a letter that does not follow a letter, digit, underscore or apostrophe.
fn title(text: &str) -> String {
    let mut previous = ' ';
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        let inside = previous == '_' || previous.is_alphanumeric() || !is_separator(previous);
        if inside {
            result.push(character);
        } else {
            result.push(to_title(character));
        }
        previous = character;
    }
    result
}

/// As [`to_upper`]; letters that are two in one have a form of their own at the start of a word.
fn to_title(letter: char) -> char {
    match letter {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        other => to_upper(other),
    }
}

/// What separates words for [`title`]: among ASCII characters all but letters, digits and the underscore; beyond, spaces.
fn is_separator(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_alphanumeric() && character != '_';
    }
    !character.is_alphanumeric() && character.is_whitespace()
}

fn indent(call: &Call) -> Result<Value, String> {
    let spaces =
        usize::try_from(call.integer(0)?).map_err(|_| "the number of spaces must not be negative")?;
    let text = call.text(1)?;
    let lines = text.matches('\n').count();
    if lines.saturating_mul(spaces).saturating_add(text.len()) > MAX_TEXT {
        return Ok(call.too_large());
    }
    Ok(call.string(text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

fn join(call: &Call) -> Result<Value, String> {
    let separator = call.argument(0)?;
    if call.arguments.len() < 2 {
        return Err("at least two arguments are required".to_string());
    }
    let mut items: Vec<Value> = Vec::new();
    for (place, list) in call.arguments.iter().enumerate().skip(1) {
        match &list.kind {
            ValueKind::Sequence(sequence) => {
                if let Some(index) = sequence.items.iter().position(Value::is_null) {
                    return Err(format!(
                        "element {index} of list {place} is null; cannot concatenate null values"
                    ));
                }
                items.extend(sequence.items.iter().cloned());
            }
            _ => items.push(call.unknown_elements(list)),
        }
    }
    let Some(separator_text) = separator.as_str() else {
        // Between no two elements, the separator does not matter.
        return Ok(match items.as_slice() {
            [] => call.string(""),
            [only] if !only.repeated => only.clone().at(call.span),
            _ if separator.is_unknown() => join_around(call, &items, &call.unknown_from(separator)),
            _ => join_around(call, &items, separator),
        });
    };
    let size: usize =
        items.iter().filter_map(Value::as_str).map(|text| text.len() + separator_text.len()).sum();
    if size > MAX_TEXT {
        return Ok(call.too_large());
    }
    Ok(join_around(call, &items, separator))
}

/// Joins elements. One that stands for zero or more takes the separators beside it into its unknown part.
fn join_around(call: &Call, items: &[Value], separator: &Value) -> Value {
    let mut text = TextBuilder::new();
    let mut certain_before = false;
    let mut owed = false;
    for item in items {
        if item.repeated {
            text.push_value(&call.unknown_from(item));
            owed = certain_before;
            continue;
        }
        if certain_before || owed {
            text.push_value(separator);
        }
        if !text.push_value(item) {
            text.push_value(&call.unsupported("a part of a joined string"));
        }
        certain_before = true;
        owed = false;
    }
    text.finish(call.span)
}

fn split(call: &Call) -> Result<Value, String> {
    let (separator, text) = (call.argument(0)?, call.argument(1)?);
    let Some(separator) = separator.as_str() else { return Ok(call.unknown_from(separator)) };
    let items = match &text.kind {
        ValueKind::String(whole) => {
            // Between all characters when the separator is empty; nothing comes of an empty text then.
            let pieces: Vec<&str> = if separator.is_empty() {
                whole.split("").filter(|piece| !piece.is_empty()).collect()
            } else {
                whole.split(separator).collect()
            };
            pieces.into_iter().map(|piece| call.string_from(1, piece)).collect()
        }
        ValueKind::Template(parts) if !separator.is_empty() => split_template(call, text, separator, parts),
        _ => return Ok(call.unknown_from(text)),
    };
    Ok(call.list(items))
}

/// Splits a string known in parts: pieces that lie in known text are certain, a piece with an unknown part stands for one
/// or more of which nothing is known.
fn split_template(call: &Call, text: &Value, separator: &str, parts: &[TemplatePart]) -> Vec<Value> {
    let unknown = || Value { repeated: true, ..call.unknown_from(text) };
    let mut items: Vec<Value> = Vec::new();
    // Pieces next to an unknown part: the separator may begin in one and end in the other.
    for (index, part) in parts.iter().enumerate() {
        match part {
            TemplatePart::Value(_) => items.push(unknown()),
            TemplatePart::Literal(literal) => {
                let pieces: Vec<&str> = literal.split(separator).collect();
                let last = pieces.len() - 1;
                for (place, piece) in pieces.into_iter().enumerate() {
                    let before = place > 0 || index == 0;
                    let after = place < last || index + 1 == parts.len();
                    // A separator of one character cannot be cut by an unknown part; a longer one may begin in it.
                    let whole = separator.chars().count() == 1 || place > 0 || index == 0;
                    if before && after && whole {
                        items.push(Value::string(piece, text.span));
                    }
                }
            }
        }
    }
    items.dedup_by(|a, b| a.repeated && b.repeated);
    items
}

fn substr(call: &Call) -> Result<Value, String> {
    let text = call.text(0)?;
    let (offset, length) = (call.integer(1)?, call.integer(2)?);
    let clusters: Vec<&str> = text.graphemes(true).collect();
    let count = i64::try_from(clusters.len()).unwrap_or(i64::MAX);
    // A negative offset counts from the end (and starts at the first character when there are fewer).
    let start = if offset < 0 { offset.saturating_add(count).max(0) } else { offset };
    let start = usize::try_from(start).unwrap_or(0).min(clusters.len());
    // A negative length means to the end; so does 0 after a negative offset.
    let end = match usize::try_from(length) {
        Ok(0) if offset < 0 => clusters.len(),
        Ok(length) => start.saturating_add(length).min(clusters.len()),
        Err(_) => clusters.len(),
    };
    Ok(call.string(clusters.get(start..end).unwrap_or_default().concat()))
}
