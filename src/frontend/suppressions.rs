//! What authors write into configuration when they do not want to be told of something. The words are the same in all
//! languages; each frontend says where comments stand and what blocks, attributes and properties there are.

use std::collections::HashMap;

use ecow::EcoString;

use crate::date::Date;
use crate::resource::{Diagnostic, SuppressedName, Suppression};
use crate::source::{SourceFile, Span};

/// The word with which a comment for Portolan begins.
const MARK: &str = "portolan:";

/// What the suppressions of a file are, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Suppressions {
    /// Those that can be understood.
    pub found: Vec<Suppression>,
    /// What is wrong with others.
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a text may hold suppressions at all: most do not, and need not be read again.
pub fn mentions(text: &str) -> bool {
    text.contains("portolan")
}

/// What a comment says.
#[derive(Debug)]
pub(super) struct Directive {
    rules: Vec<SuppressedName>,
    reason: Option<EcoString>,
    until: Option<Date>,
}

impl Directive {
    /// The suppression of what a span covers.
    pub(super) fn of(self, covers: Span, span: Span) -> Suppression {
        Suppression { covers, rules: self.rules, reason: self.reason, until: self.until, span }
    }
}

/// Reads `portolan: ignore[rule-a, rule-b] reason until=2027-01-31`. `None` when the text is not meant for Portolan; `at` is
/// where the text stands in the file.
pub(super) fn directive(text: &str, at: Span) -> Option<Result<Directive, Diagnostic>> {
    let said = text.trim_start().strip_prefix(MARK)?;
    let mut offset = at.start as usize + (text.len() - said.len());
    let part = |offset: usize, part: &str| Span::new(at.file, offset, offset + part.len());
    let whole = Span::new(at.file, at.start as usize, at.start as usize + text.trim_end().len());
    let wrong = |message: &str| {
        Some(Err(Diagnostic::warning("invalid-suppression", message, whole).with_help(
            "write `portolan: ignore[rule-name] reason`, with `until=2027-01-31` if it is to end",
        )))
    };
    let trimmed = said.trim_start();
    offset += said.len() - trimmed.len();
    let Some(rest) = trimmed.strip_prefix("ignore") else {
        return wrong("a comment for Portolan that says nothing that it knows");
    };
    offset += "ignore".len();
    let inner = rest.trim_start();
    offset += rest.len() - inner.len();
    let Some((names, tail)) = inner.strip_prefix('[').and_then(|inner| inner.split_once(']')) else {
        return wrong("a suppression that does not say which rules it is for");
    };
    offset += 1;
    let mut rules = Vec::new();
    for name in names.split(',') {
        let kept = name.trim();
        if !kept.is_empty() {
            let start = offset + (name.len() - name.trim_start().len());
            rules.push(SuppressedName { name: kept.into(), span: part(start, kept) });
        }
        offset += name.len() + 1;
    }
    if rules.is_empty() {
        return wrong("a suppression that does not say which rules it is for");
    }
    let mut until = None;
    let mut reason: Vec<&str> = Vec::new();
    for word in tail.split_whitespace() {
        match word.strip_prefix("until=") {
            Some(date) => match Date::parse(date.trim_end_matches([',', ';'])) {
                Some(date) => until = Some(date),
                None => return wrong("a suppression whose `until` is no date"),
            },
            None => reason.push(word),
        }
    }
    let reason = reason.join(" ");
    let reason = reason.trim_start_matches([':', '-', '–', '—', ' ']);
    let reason = (!reason.is_empty()).then(|| reason.into());
    Some(Ok(Directive { rules, reason, until }))
}

/// Finds the suppressions among the comments of a file (their spans, with their markers), given everything that a comment can
/// be about: blocks, attributes, properties, elements.
pub(super) fn of_comments(file: &SourceFile, comments: &[Span], items: &[Span]) -> Suppressions {
    let mut all = Suppressions::default();
    let lines = Lines::new(file, comments, items);
    for comment in comments {
        let mut at = comment.start as usize;
        for line in file.slice(*comment).split_inclusive('\n') {
            let text = line.trim_start_matches([' ', '\t', '#', '/', '*']);
            let start = at + (line.len() - text.len());
            at += line.len();
            let text = text.trim_end().trim_end_matches("*/").trim_end();
            match directive(text, Span::new(file.id(), start, start + text.len())) {
                None => {}
                Some(Ok(directive)) => all.found.push(directive.of(lines.covered(*comment), *comment)),
                Some(Err(problem)) => all.diagnostics.push(problem),
            }
        }
    }
    all
}

/// What stands on the lines of a file.
struct Lines<'a> {
    file: &'a SourceFile,
    /// Where comments stand.
    comments: &'a [Span],
    /// The largest item that begins on a line.
    begins: HashMap<u32, Span>,
    /// The largest item that ends on a line.
    ends: HashMap<u32, Span>,
}

impl<'a> Lines<'a> {
    fn new(file: &'a SourceFile, comments: &'a [Span], items: &[Span]) -> Self {
        let mut lines = Self { file, comments, begins: HashMap::new(), ends: HashMap::new() };
        for item in items.iter().filter(|item| item.file == file.id()) {
            let (begins, ends) = (lines.line(item.start), lines.line(item.end));
            keep_larger(&mut lines.begins, begins, *item);
            keep_larger(&mut lines.ends, ends, *item);
        }
        lines
    }

    fn line(&self, offset: u32) -> u32 {
        self.file.lines().position(self.file.text(), offset as usize).line
    }

    fn range(&self, line: u32) -> Option<std::ops::Range<usize>> {
        self.file.lines().line_range(self.file.text(), line)
    }

    /// What a comment is about: the block or attribute below a comment on lines of its own, or the one that begins (or
    /// ends) on the line of a comment behind something; else that line.
    fn covered(&self, comment: Span) -> Span {
        let first = self.line(comment.start);
        let before =
            self.range(first).and_then(|line| self.file.text().get(line.start..comment.start as usize));
        let own_line = before.is_some_and(|text| text.trim_start_matches('\u{feff}').trim().is_empty());
        let line = if own_line { self.below(self.line(comment.end)) } else { Some(first) };
        let Some(line) = line else { return comment };
        let item = self.begins.get(&line).or_else(|| self.ends.get(&line).filter(|_| !own_line));
        match (item, self.range(line)) {
            (Some(item), _) => *item,
            (None, Some(range)) => Span::new(self.file.id(), range.start, range.end),
            (None, None) => comment,
        }
    }

    /// The first line below that is not a comment; `None` when a blank line comes first.
    fn below(&self, line: u32) -> Option<u32> {
        let mut line = line + 1;
        loop {
            let range = self.range(line)?;
            let text = self.file.text().get(range.clone())?;
            if text.trim().is_empty() {
                return None;
            }
            let start = range.start + (text.len() - text.trim_start().len());
            let comment = self.comments.partition_point(|comment| (comment.end as usize) <= start);
            match self.comments.get(comment).filter(|comment| comment.start as usize <= start) {
                Some(comment) => line = self.line(comment.end) + 1,
                // The Bicep compiler's own directives.
                None if text.trim_start().starts_with('#') => line += 1,
                None => return Some(line),
            }
        }
    }
}

fn keep_larger(by_line: &mut HashMap<u32, Span>, line: u32, item: Span) {
    let kept = by_line.entry(line).or_insert(item);
    if item.end - item.start > kept.end - kept.start {
        *kept = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn read(text: &str) -> Option<Result<Directive, Diagnostic>> {
        directive(text, Span::new(FileId(1), 100, 100 + text.len()))
    }

    #[test]
    fn names_reason_and_date_are_read() {
        let directive = read("portolan: ignore[rule-a, nsg] we know, until=2027-01-31")
            .expect("ours")
            .map_err(|problem| problem.message)
            .expect("well-formed");
        let names: Vec<(&str, u32)> =
            directive.rules.iter().map(|rule| (rule.name.as_str(), rule.span.start)).collect();
        assert_eq!(names, [("rule-a", 117), ("nsg", 125)]);
        assert_eq!(directive.reason.as_deref(), Some("we know,"));
        assert_eq!(directive.until, Date::parse("2027-01-31"));
        let bare = read("  portolan:ignore [a]")
            .expect("ours")
            .map_err(|problem| problem.message)
            .expect("well-formed");
        assert_eq!((bare.rules[0].name.as_str(), bare.rules[0].span.start), ("a", 119));
        assert!(bare.reason.is_none() && bare.until.is_none());
    }

    #[test]
    fn what_is_not_for_portolan_is_left_alone_and_slips_are_told() {
        assert!(read("see portolan: ignore[a]").is_none());
        assert!(read("tflint-ignore: x").is_none());
        for slip in [
            "portolan: ignore",
            "portolan: ignore[]",
            "portolan: ignore[a",
            "portolan: skip[a]",
            "portolan: ignore[a] until=soon",
        ] {
            let problem = read(slip).expect("ours").expect_err("a slip");
            assert_eq!(problem.code, "invalid-suppression", "{slip}");
        }
    }
}
