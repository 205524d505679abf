//! Literals of templates: escapes, `~` strip markers, and the indentation of `<<-` heredocs.
//!
//! The text of every literal is taken from the source, not from `hcl-edit`'s tree: that crate dedents heredocs wrongly
//! when one line has no indentation, and leaves escapes alone inside directives of quoted strings.
//!
//! The rules are those of the HCL native syntax specification, and where it is silent, of HashiCorp's parser: a literal
//! is divided into one token for each line, a strip marker reaches only into the one token beside it, strip markers are
//! applied before indentation is counted, and a line of white space alone does not count.

use ecow::EcoString;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_segmentation::UnicodeSegmentation;

/// Which escapes a template has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quoting {
    /// `"…"`: backslash escapes, `$${` and `%%{`.
    Quoted,
    /// A heredoc or a template file: only `$${` and `%%{`.
    Raw,
}

/// One piece of a template, with directives flattened, so that a literal can be seen beside its neighbours.
pub(super) enum Piece<T> {
    /// Decoded text of at most one line, and where it stands in the source.
    Literal {
        /// The text, escapes decoded.
        text: String,
        /// Byte range in the source.
        range: std::ops::Range<usize>,
    },
    /// `${…}` or `%{…}`.
    Marker {
        /// What it is.
        content: T,
        /// It opens with `${~` or `%{~`.
        strip_before: bool,
        /// It closes with `~}`.
        strip_after: bool,
    },
}

/// Adds the pieces of a literal that spans `range` of `source`.
pub(super) fn push_literal<T>(
    pieces: &mut Vec<Piece<T>>,
    source: &str,
    range: std::ops::Range<usize>,
    quoting: Quoting,
) {
    let Some(raw) = source.get(range.clone()) else { return };
    match quoting {
        Quoting::Quoted => pieces.push(Piece::Literal { text: decode_quoted(raw), range }),
        Quoting::Raw => {
            let mut start = range.start;
            for line in raw.split_inclusive('\n') {
                let end = start + line.len();
                pieces.push(Piece::Literal { text: decode_markers(line), range: start..end });
                start = end;
            }
        }
    }
}

/// Applies strip markers to the literals beside them.
pub(super) fn strip<T>(pieces: &mut [Piece<T>], quoting: Quoting) {
    for index in 0..pieces.len() {
        let Piece::Marker { strip_before, strip_after, .. } = pieces[index] else { continue };
        if strip_before && let Some(Piece::Literal { text, .. }) = before(pieces, index) {
            text.truncate(length_before_marker(text, quoting));
        }
        if strip_after && let Some(Piece::Literal { text, .. }) = pieces.get_mut(index + 1) {
            text.drain(..text.len() - text.trim_start().len());
        }
    }
}

/// How much of a literal `${~` leaves. HashiCorp's scanner ends a token one character after a `$` or `%` that begins
/// nothing, so a blank that stands between such a character and the end of the line is out of the marker's reach.
fn length_before_marker(text: &str, quoting: Quoting) -> usize {
    if quoting == Quoting::Raw
        && let Some(line) = text.strip_suffix('\n')
        && let [.., b'$' | b'%', b' ' | b'\t'] = line.as_bytes()
    {
        return line.len();
    }
    text.trim_end().len()
}

fn before<T>(pieces: &mut [Piece<T>], index: usize) -> Option<&mut Piece<T>> {
    pieces.get_mut(index.checked_sub(1)?)
}

/// Removes the common indentation, as `<<-` asks.
pub(super) fn dedent<T>(pieces: &mut [Piece<T>]) {
    let mut smallest = usize::MAX;
    let mut at_line_start = true;
    let mut indented = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if at_line_start {
            at_line_start = false;
            match piece {
                Piece::Literal { text, .. } => {
                    let body = text.trim_start();
                    // A line of white space alone says nothing about the indentation.
                    if !(body.is_empty() && text.ends_with('\n')) {
                        let indentation = &text[..text.len() - body.len()];
                        smallest = smallest.min(character_count(indentation));
                        indented.push(index);
                    }
                }
                Piece::Marker { .. } => smallest = 0,
            }
        }
        if let Piece::Literal { text, .. } = piece {
            at_line_start |= text.ends_with('\n');
        }
    }
    for index in indented {
        if let Some(Piece::Literal { text, .. }) = pieces.get_mut(index) {
            let cut: usize = text.graphemes(true).take(smallest).map(str::len).sum();
            text.drain(..cut);
        }
    }
}

/// User-perceived characters: what HCL counts indentation in.
fn character_count(text: &str) -> usize {
    if text.bytes().all(|b| b == b' ' || b == b'\t') { text.len() } else { text.graphemes(true).count() }
}

/// `$${` and `%%{` become `${` and `%{`.
fn decode_markers(raw: &str) -> String {
    if !raw.contains("$${") && !raw.contains("%%{") {
        return raw.to_string();
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(character) = rest.chars().next() {
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            text.push_str(&rest[1..3]);
            rest = &rest[3..];
        } else {
            text.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    text
}

/// Backslash escapes and escaped markers of a quoted string. Escapes that HCL does not have are kept as they stand: the
/// parser has refused them already.
pub(super) fn decode_quoted(raw: &str) -> String {
    if !raw.contains(['\\', '$', '%']) {
        return raw.to_string();
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(character) = rest.chars().next() {
        let (decoded, length) = match character {
            '$' if rest.starts_with("$${") => ("${".chars().next(), 2),
            '%' if rest.starts_with("%%{") => ("%{".chars().next(), 2),
            '\\' => match rest[1..].chars().next() {
                Some('n') => (Some('\n'), 2),
                Some('r') => (Some('\r'), 2),
                Some('t') => (Some('\t'), 2),
                Some('"') => (Some('"'), 2),
                Some('\\') => (Some('\\'), 2),
                Some('u') => (hexadecimal(rest.get(2..6)), 6),
                Some('U') => (hexadecimal(rest.get(2..10)), 10),
                _ => (None, 1),
            },
            other => (Some(other), other.len_utf8()),
        };
        match decoded {
            Some(decoded) => {
                text.push(decoded);
                rest = &rest[length..];
            }
            None => {
                text.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    text
}

fn hexadecimal(digits: Option<&str>) -> Option<char> {
    let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

/// A string in Unicode normalization form C, as HCL keeps all strings.
pub(super) fn normalized(text: &str) -> EcoString {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return EcoString::from(text);
    }
    text.nfc().collect()
}
