//! The text of string tokens: quotes stripped, escapes applied.

use ecow::EcoString;

/// How a string is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum StringForm {
    /// `'…'`
    SingleLine,
    /// `'''…'''`, with the number of `$` before it.
    MultiLine { dollars: usize },
}

/// The form of a string that begins with this token text.
pub(super) fn form(first: &str) -> StringForm {
    let dollars = first.len() - first.trim_start_matches('$').len();
    if dollars > 0 || first.starts_with("'''") {
        StringForm::MultiLine { dollars }
    } else {
        StringForm::SingleLine
    }
}

/// The text of one piece. `first`: it begins the string; `last`: it ends it.
pub(super) fn piece(text: &str, form: StringForm, first: bool, last: bool) -> EcoString {
    let (opening, closing) = match form {
        StringForm::SingleLine => (1, if last { 1 } else { 2 }),
        StringForm::MultiLine { dollars } => {
            (if first { dollars + 3 } else { 1 }, if last { 3 } else { dollars + 1 })
        }
    };
    let end = text.len().saturating_sub(closing);
    let inside = text.get(opening.min(end)..end).unwrap_or("");
    match form {
        StringForm::SingleLine => unescape(inside),
        StringForm::MultiLine { .. } if first => {
            let inside = inside.strip_prefix('\r').unwrap_or(inside);
            inside.strip_prefix('\n').unwrap_or(inside).into()
        }
        StringForm::MultiLine { .. } => inside.into(),
    }
}

fn unescape(text: &str) -> EcoString {
    if !text.contains('\\') {
        return text.into();
    }
    let mut result = EcoString::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut characters = rest.chars();
        match characters.next() {
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('t') => result.push('\t'),
            Some('u') => {
                let hex = rest.strip_prefix("u{").unwrap_or("");
                let digits = hex.len() - hex.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
                if let Some(after) = hex[digits..].strip_prefix('}') {
                    // Half of a surrogate pair is legal in Bicep, but no character.
                    let code = u32::from_str_radix(&hex[..digits], 16).ok().and_then(char::from_u32);
                    result.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
                    rest = after;
                    continue;
                }
                result.push('u');
            }
            Some(other) => result.push(other),
            None => break,
        }
        rest = characters.as_str();
    }
    result.push_str(rest);
    result
}
