//! Texts in Markdown: names in scanned files cannot become links, pictures, mentions, markup or cells of a table.

use crate::report::printable;

/// A message: what it has between backticks becomes code, the rest is text.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let mut markdown = String::with_capacity(text.len() + 16);
    for (index, part) in parts.iter().enumerate() {
        markdown.push_str(&if index % 2 == 0 { escaped(part) } else { code(part) });
    }
    markdown
}

/// A name as code.
pub(super) fn code(text: &str) -> String {
    let text = printable(text);
    if text.trim().is_empty() {
        return escaped(&text);
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    // A table's cells are found before code is.
    format!("{fence}{space}{}{space}{fence}", text.replace('|', "\\|"))
}

/// Text without a meaning in Markdown, in HTML or for GitHub.
pub(super) fn escaped(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len() + 16);
    let text = printable(text);
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        match character {
            '&' => markdown.push_str("&amp;"),
            '<' => markdown.push_str("&lt;"),
            '>' => markdown.push_str("&gt;"),
            // Mentions, and links that are recognised without markup.
            '@' => markdown.push_str("@<!-- -->"),
            ':' if rest.starts_with("://") => markdown.push_str("&#58;"),
            'w' | 'W' if rest.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) => {
                markdown.push_str("ww<!-- -->");
                rest = rest.get(2..).unwrap_or_default();
                continue;
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' | '!' => {
                markdown.push('\\');
                markdown.push(character);
            }
            other => markdown.push(other),
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    markdown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_between_backticks_are_code() {
        assert_eq!(prose("subnet `a|b` of `c`"), "subnet `a\\|b` of `c`");
        assert_eq!(prose("an odd ` one"), "an odd \\` one");
        assert_eq!(prose("`` and `x`"), " and `x`");
    }

    #[test]
    fn code_may_hold_backticks() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn text_has_no_meaning() {
        assert_eq!(
            escaped("![x](https://e.org) <b> @me"),
            "\\!\\[x\\](https&#58;//e.org) &lt;b&gt; @<!-- -->me"
        );
        assert_eq!(escaped("www.e.org"), "ww<!-- -->w.e.org");
        assert_eq!(escaped("a\nb"), "a\\u{a}b".replace('\\', "\\\\"));
    }
}
