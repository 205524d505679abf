//! `format` and `formatlist`: text with verbs, as in C's `printf` and Go's `fmt`.

use std::fmt::Write;

use num_bigint::BigInt;
use unicode_segmentation::UnicodeSegmentation;

use super::arguments::{Call, Function, invalid, nullable, string};
use super::{MAX_ELEMENTS, MAX_TEXT, json};
use crate::frontend::terraform::types::{Type, convert};
use crate::value::{Number, SequenceKind, TextBuilder, Value, ValueKind};

/// The widest field and the highest precision that are computed.
const MAX_WIDTH: usize = 10_000;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::partial("format", &[string("format")], format).with_variadic(nullable("args")),
    Function::partial("formatlist", &[string("format")], formatlist).with_variadic(nullable("args")),
];

/// A verb of a format string.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Verb {
    /// Which argument, from 0.
    argument: usize,
    mode: char,
    zero: bool,
    sharp: bool,
    minus: bool,
    plus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

enum Piece {
    Text(String),
    Verb(Verb),
}

/// Takes a format string apart. Also tells how many arguments it uses.
fn parse(text: &str) -> Result<(Vec<Piece>, usize), String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut characters = text.char_indices().peekable();
    let mut next_argument = 0;
    let mut used = 0;
    while let Some((offset, character)) = characters.next() {
        if character != '%' {
            literal.push(character);
            continue;
        }
        if characters.next_if(|(_, c)| *c == '%').is_some() {
            literal.push('%');
            continue;
        }
        let mut verb = Verb {
            argument: next_argument,
            mode: ' ',
            zero: false,
            sharp: false,
            minus: false,
            plus: false,
            space: false,
            width: None,
            precision: None,
        };
        while let Some((_, flag)) = characters.next_if(|(_, c)| matches!(c, '0' | '#' | '-' | '+' | ' ')) {
            match flag {
                '0' => verb.zero = true,
                '#' => verb.sharp = true,
                '-' => verb.minus = true,
                '+' => verb.plus = true,
                _ => verb.space = true,
            }
        }
        let digits = |characters: &mut std::iter::Peekable<std::str::CharIndices>| {
            let mut number: Option<usize> = None;
            while let Some(digit) = characters.peek().and_then(|(_, c)| c.to_digit(10)) {
                number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit as usize));
                characters.next();
            }
            number
        };
        verb.width = digits(&mut characters);
        if characters.next_if(|(_, c)| *c == '.').is_some() {
            verb.precision = Some(digits(&mut characters).unwrap_or(0));
        }
        if characters.next_if(|(_, c)| *c == '[').is_some() {
            let index = digits(&mut characters).and_then(|index| index.checked_sub(1));
            match (index, characters.next_if(|(_, c)| *c == ']')) {
                (Some(index), Some(_)) => verb.argument = index,
                _ => return Err(format!("invalid argument index in format string at offset {offset}")),
            }
        }
        match characters.next() {
            Some((_, mode)) if mode.is_ascii_alphabetic() => verb.mode = mode,
            Some((_, other)) => {
                return Err(format!("unrecognized format character {other:?} at offset {offset}"));
            }
            None => return Err("unexpected end of format string in the middle of a verb".to_string()),
        }
        next_argument = verb.argument.saturating_add(1);
        used = used.max(next_argument);
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Verb(verb));
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok((pieces, used))
}

fn format(call: &Call) -> Result<Value, String> {
    let text = call.argument(0)?;
    let Some(text) = text.as_str() else { return Ok(call.unknown_from(text)) };
    let (pieces, used) = parse(text)?;
    let arguments: Vec<&Value> = call.arguments.iter().skip(1).collect();
    check_count(used, arguments.len())?;
    render(call, &pieces, &arguments)
}

fn check_count(used: usize, given: usize) -> Result<(), String> {
    if used > given {
        return Err(format!("not enough arguments: the format string uses {used} but there are {given}"));
    }
    if used < given {
        return Err(invalid(
            "args",
            &match used {
                0 => "too many arguments; no verbs in format string".to_string(),
                _ => format!("too many arguments; only {used} used by format string"),
            },
        ));
    }
    Ok(())
}

fn formatlist(call: &Call) -> Result<Value, String> {
    let text = call.argument(0)?;
    let arguments = call.arguments.get(1..).unwrap_or_default();
    // Sequences are walked side by side; anything else is the same in each step.
    let mut length: Option<(usize, usize)> = None;
    let mut uncertain = None;
    for (place, argument) in arguments.iter().enumerate() {
        match &argument.kind {
            ValueKind::Sequence(sequence) => {
                let unordered = sequence.kind == SequenceKind::Set && sequence.items.len() > 1;
                if unordered && !argument.is_wholly_known() {
                    return Ok(call.unknown_from(argument));
                }
                if sequence.items.iter().any(|item| item.repeated) {
                    uncertain = uncertain.or(Some(argument));
                }
                match length {
                    None => length = Some((place, sequence.items.len())),
                    Some((first, other)) if other != sequence.items.len() && uncertain.is_none() => {
                        return Err(invalid(
                            "args",
                            &format!(
                                "argument {} has length {}, which is inconsistent with argument {} of length {other}",
                                place + 1,
                                sequence.items.len(),
                                first + 1
                            ),
                        ));
                    }
                    Some(_) => {}
                }
            }
            // It may be a list.
            ValueKind::Unknown(_) | ValueKind::Reference(_) => uncertain = uncertain.or(Some(argument)),
            _ => {}
        }
    }
    let sequences = arguments.iter().filter(|argument| argument.as_sequence().is_some()).count();
    let lone_list = uncertain.is_some_and(|argument| argument.as_sequence().is_some()) && sequences == 1;
    if let Some(argument) = uncertain.filter(|_| !lone_list) {
        return Ok(call.unknown_from(argument));
    }
    let Some(text) = text.as_str() else { return Ok(call.unknown_from(text)) };
    let (pieces, used) = parse(text)?;
    let count = length.map_or(1, |(_, length)| length);
    if count == 0 {
        return Ok(call.list(Vec::new()));
    }
    check_count(used, arguments.len())?;
    if count > MAX_ELEMENTS || count.saturating_mul(text.len()) > MAX_TEXT {
        return Ok(call.too_large());
    }
    let mut items = Vec::with_capacity(count);
    for step in 0..count {
        let mut repeated = false;
        let step_arguments: Vec<&Value> = arguments
            .iter()
            .map(|argument| match argument.as_sequence().and_then(|sequence| sequence.items.get(step)) {
                Some(item) => {
                    repeated |= item.repeated;
                    item
                }
                None => argument,
            })
            .collect();
        let item = render(call, &pieces, &step_arguments)
            .map_err(|problem| format!("error on format iteration {step}: {problem}"))?;
        items.push(Value { repeated, ..item });
    }
    Ok(call.sequence_of(SequenceKind::List, items))
}

fn render(call: &Call, pieces: &[Piece], arguments: &[&Value]) -> Result<Value, String> {
    let mut text = TextBuilder::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Verb(verb) => {
                if verb.width.unwrap_or(0).max(verb.precision.unwrap_or(0)) > MAX_WIDTH {
                    return Ok(call.too_large());
                }
                let argument = arguments.get(verb.argument).ok_or("not enough arguments")?;
                render_verb(call, verb, argument, &mut text)?;
            }
        }
        if text.len() > MAX_TEXT {
            return Ok(call.too_large());
        }
    }
    Ok(text.finish(call.span))
}

fn render_verb(call: &Call, verb: &Verb, argument: &Value, text: &mut TextBuilder) -> Result<(), String> {
    if !matches!(verb.mode, 'v' | 't' | 'b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'g' | 'G' | 's' | 'q')
    {
        return Err(format!("unsupported format verb {:?}", verb.mode));
    }
    let unsupported = |problem: String| format!("unsupported value for \"%{}\": {problem}", verb.mode);
    if argument.is_null() && verb.mode != 'v' {
        // A null of a known type is an error; one of no type makes the result unknown. Which it is cannot be told here.
        text.push_value(&call.unsupported("null in a formatted text"));
        return Ok(());
    }
    if !argument.is_wholly_known() {
        let plain = verb.width.is_none() && verb.precision.is_none() && !verb.sharp;
        let is_text = argument.is_unknown() || matches!(argument.kind, ValueKind::Template(_));
        match verb.mode {
            // The text itself, so that references keep their identity.
            's' | 'v' if plain && is_text => text.push_value(argument),
            'v' if plain => text.push_value(&json::encode(call, argument)),
            _ => text.push_value(&call.unknown_from(argument)),
        };
        return Ok(());
    }
    let shown = match verb.mode {
        'v' => match (&argument.kind, verb.sharp) {
            (ValueKind::String(text), false) => pad(verb, text),
            (ValueKind::Number(number), false) => pad(verb, &general(number, None, 'e')),
            _ => match json::encode(call, argument).as_str() {
                Some(encoded) => pad(verb, encoded),
                None => return Err(unsupported("it is too deep".to_string())),
            },
        },
        't' => match convert(argument, &Type::Bool).map_err(unsupported)?.as_bool() {
            Some(truth) => truth.to_string(),
            None => return Err(unsupported("a bool is required".to_string())),
        },
        's' | 'q' => {
            let value = convert(argument, &Type::String).map_err(unsupported)?;
            let Some(whole) = value.as_str() else { return Err(unsupported("string required".to_string())) };
            let cut: String = match verb.precision {
                Some(precision) if precision > 0 => whole.graphemes(true).take(precision).collect(),
                _ => whole.to_string(),
            };
            if verb.mode == 'q' { pad(verb, &json::quote(&cut)) } else { pad(verb, &cut) }
        }
        mode => {
            let value = convert(argument, &Type::Number).map_err(unsupported)?;
            let Some(number) = value.as_number() else {
                return Err(unsupported("a number is required".to_string()));
            };
            if matches!(mode, 'b' | 'd' | 'o' | 'x' | 'X') {
                if !number.is_whole() {
                    return Err(unsupported("an integer is required".to_string()));
                }
                integer(verb, number)
            } else {
                float(verb, number)
            }
        }
    };
    text.push_str(&shown);
    text.mark(super::arguments::holds_sensitive(argument));
    Ok(())
}

/// Fills a text to its field's width, counted in characters as people see them.
fn pad(verb: &Verb, text: &str) -> String {
    let missing = verb.width.unwrap_or(0).saturating_sub(text.graphemes(true).count());
    let filling = if verb.zero { "0" } else { " " }.repeat(missing);
    if verb.minus { format!("{text}{filling}") } else { format!("{filling}{text}") }
}

fn sign(verb: &Verb, negative: bool) -> &'static str {
    match (negative, verb.plus, verb.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

fn integer(verb: &Verb, number: &Number) -> String {
    // All digits, also of a number that is printed with fewer.
    let value: BigInt = number.to_fixed(0).parse().unwrap_or_default();
    let magnitude = value.magnitude();
    let (radix, prefix) = match verb.mode {
        'b' => (2, "0b"),
        'o' => (8, "0"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => (10, ""),
    };
    let mut digits = magnitude.to_str_radix(radix);
    if verb.mode == 'X' {
        digits.make_ascii_uppercase();
    }
    let sign = sign(verb, number.signum() < 0);
    let prefix = if verb.sharp { prefix } else { "" };
    let mut zeros = 0;
    if let Some(precision) = verb.precision {
        if precision == 0 && digits == "0" {
            return String::new();
        }
        zeros = precision.saturating_sub(digits.len());
    }
    let length = sign.len() + prefix.len() + zeros + digits.len();
    let missing = verb.width.unwrap_or(0).saturating_sub(length);
    let (mut left, mut right) = (0, 0);
    if verb.minus {
        right = missing;
    } else if verb.zero && verb.precision.is_none() {
        zeros = missing;
    } else {
        left = missing;
    }
    format!("{}{sign}{prefix}{}{digits}{}", " ".repeat(left), "0".repeat(zeros), " ".repeat(right))
}

fn float(verb: &Verb, number: &Number) -> String {
    let magnitude = if number.signum() < 0 { number.negate() } else { number.clone() };
    let digits = match verb.mode {
        'f' => magnitude.to_fixed(verb.precision.unwrap_or(6)),
        'e' | 'E' => scientific(&magnitude, verb.precision.unwrap_or(6), verb.mode),
        'G' => general(&magnitude, verb.precision, 'E'),
        _ => general(&magnitude, verb.precision, 'e'),
    };
    let sign = sign(verb, number.signum() < 0);
    let missing = verb.width.unwrap_or(0).saturating_sub(sign.len() + digits.len());
    if verb.minus {
        format!("{sign}{digits}{}", " ".repeat(missing))
    } else if verb.zero {
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{digits}", " ".repeat(missing))
    }
}

/// `d.ddde±dd` with so many digits after the point.
fn scientific(number: &Number, decimals: usize, letter: char) -> String {
    let (digits, point) = number.digits(Some(decimals.saturating_add(1)));
    let exponent = if number.signum() == 0 { 0 } else { point - 1 };
    exponential(&digits, decimals, exponent, letter)
}

fn exponential(digits: &[u8], decimals: usize, exponent: i64, letter: char) -> String {
    let digit = |index: usize| char::from(digits.get(index).copied().unwrap_or(b'0'));
    let mut text = String::new();
    text.push(digit(0));
    if decimals > 0 {
        text.push('.');
        text.extend((1..=decimals).map(digit));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    // Writing into a string does not fail.
    let _ = write!(text, "{letter}{sign}{:02}", exponent.unsigned_abs());
    text
}

/// Go's `%g`: positional for numbers of ordinary size, else with an exponent. Without a precision, the shortest digits
/// that say which number it is.
fn general(number: &Number, precision: Option<usize>, letter: char) -> String {
    if number.signum() < 0 {
        return format!("-{}", general(&number.negate(), precision, letter));
    }
    let precision = precision.map(|precision| precision.max(1));
    let (digits, point) = number.digits(precision);
    if number.signum() == 0 {
        return "0".to_string();
    }
    let exponent = point - 1;
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = i64::try_from(precision).unwrap_or(i64::MAX);
            if precision > length && length >= point { length } else { precision }
        }
    };
    if exponent < -4 || exponent >= limit {
        return exponential(&digits, digits.len() - 1, exponent, letter);
    }
    positional(&digits, point)
}

/// Digits with a point after the first `point` of them.
fn positional(digits: &[u8], point: i64) -> String {
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let digit = |index: i64| {
        let known = usize::try_from(index).ok().and_then(|index| digits.get(index));
        char::from(known.copied().unwrap_or(b'0'))
    };
    let mut text = String::new();
    if point <= 0 {
        text.push('0');
    }
    text.extend((0..point).map(digit));
    if length > point {
        text.push('.');
        text.extend((point..length).map(digit));
    }
    text
}
