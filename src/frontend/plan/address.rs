//! Addresses and reference texts of a plan, taken apart: `module.db["a"].azurerm_subnet.this[0].id`.

use super::document::Index;

/// One name of an address with its instance key, if it has one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Segment {
    pub name: String,
    pub keys: Vec<Index>,
}

/// Takes a reference apart at dots and brackets. Text that is not of that form gives what could be read up to there.
pub(super) fn segments(text: &str) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let Some((key, after)) = key(inner) else { break };
            if let Some(last) = segments.last_mut() {
                last.keys.push(key);
            }
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                break;
            }
            let (name, after) = rest.split_at(end);
            segments.push(Segment { name: name.to_string(), keys: Vec::new() });
            rest = after;
        }
    }
    segments
}

/// A key up to and including its closing bracket, and what follows.
fn key(text: &str) -> Option<(Index, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (key, rest) = unquoted(quoted)?;
        return Some((Index::Text(key), rest.strip_prefix(']')?));
    }
    let (number, rest) = text.split_once(']')?;
    Some((Index::Number(number.trim().parse().ok()?), rest))
}

/// A text in HCL's quotes, after the first of them, and what follows the last.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        let next = text.get(at + 1..).unwrap_or("");
        match character {
            '"' => return Some((key, next)),
            '\\' => match characters.next()?.1 {
                'n' => key.push('\n'),
                'r' => key.push('\r'),
                't' => key.push('\t'),
                'b' => key.push('\u{8}'),
                'f' => key.push('\u{c}'),
                kind @ ('u' | 'U') => {
                    let digits = if kind == 'u' { 4 } else { 8 };
                    let code: String = characters.by_ref().take(digits).map(|(_, digit)| digit).collect();
                    key.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                }
                other => key.push(other),
            },
            '$' | '%'
                if next.starts_with([character]) && next.get(1..).is_some_and(|n| n.starts_with('{')) =>
            {
                characters.next();
                key.push(character);
            }
            _ => key.push(character),
        }
    }
    None
}

/// A module instance: the calls from the root, each with its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct ModulePath(pub Vec<(String, Option<Index>)>);

impl ModulePath {
    /// Reads `module.a["k"].module.b`.
    pub fn parse(text: &str) -> Self {
        let mut path = Vec::new();
        let mut parts = segments(text).into_iter();
        while let (Some(word), Some(call)) = (parts.next(), parts.next()) {
            if word.name != "module" {
                break;
            }
            path.push((call.name, call.keys.into_iter().next()));
        }
        Self(path)
    }

    /// The path with its final dot, ready for a resource's address; empty for the root.
    pub fn prefix(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (name, key)| {
            text.push_str("module.");
            text.push_str(name);
            if let Some(key) = key {
                text.push_str(&key.to_string());
            }
            text.push('.');
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart_at_dots_outside_of_keys() {
        let parts = segments(r#"module.db["a.b\"c"].azurerm_subnet.this[0].id"#);
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["module", "db", "azurerm_subnet", "this", "id"]);
        assert_eq!(parts[1].keys, [Index::Text("a.b\"c".into())]);
        assert_eq!(parts[3].keys, [Index::Number(0)]);
    }

    #[test]
    fn keys_are_read_in_every_spelling_and_written_as_terraform_writes_them() {
        for address in [
            r#"module.a["x.y"].module.b[0]."#,
            r#"module.a["say \"hi\""]."#,
            r#"module.a["$${x} %%{y} $ %"]."#,
            r#"module.a["tab\there\\"]."#,
            r#"module.a["ü/é 日本"]."#,
            r#"module.a["a]b[c"]."#,
            r#"module.a["\u0001"]."#,
        ] {
            assert_eq!(ModulePath::parse(address.trim_end_matches('.')).prefix(), address);
        }
        let parts = segments(r#"azurerm_subnet.a["$${x}"]"#);
        assert_eq!(parts[1].keys, [Index::Text("${x}".into())]);
    }

    #[test]
    fn module_paths_print_as_they_were_read() {
        let path = ModulePath::parse(r#"module.a["k"].module.b"#);
        assert_eq!(path.prefix(), r#"module.a["k"].module.b."#);
        assert_eq!(ModulePath::parse("").prefix(), "");
    }
}
