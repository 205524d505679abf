//! Reading damaged files: the text is divided where blocks seem to begin, and each part that cannot be read is repaired
//! by leaving out or completing a line, so that one typing error costs one block at most.
//!
//! Every repair is a diagnostic, and every block of a repaired part is marked.

use std::ops::Range;

use hcl_edit::parser;
use hcl_edit::structure::Body as Tree;

use super::Parsed;
use super::ast::{Block, Body, Label};
use super::check::Brackets;
use super::front::{self, Failure, Read, Scope};
use super::hcl::{diagnostic, lower_body};
use super::lower::Positions;
use super::scan::{Kind, Scanner, Token};
use super::template::{decode_quoted, normalized};
use crate::source::{FileId, Span};

/// Repairs of one part before it is given up.
const MAX_ROUNDS: usize = 8;
/// Bytes that may be parsed in search of repairs: this much, and this many times the file.
const BUDGET_BYTES: usize = 16 << 20;
const BUDGET_TIMES: usize = 4;

/// Reads what can be read of a text whose first failure is known.
pub(super) fn recover(source: &str, first: Failure, file: FileId, shift: usize) -> Parsed {
    let mut parsed = Parsed::default();
    let mut budget = BUDGET_BYTES + source.len().saturating_mul(BUDGET_TIMES);
    for part in parts(source) {
        let text = &source[part.clone()];
        let start = shift + part.start;
        let found = match front::read(text, Scope::Body, parser::parse_body) {
            Ok(read) => lower_body(&read, text, file, Positions::Shift(start)),
            Err(failure) => repair(text, failure, file, start, &mut budget),
        };
        parsed.body.attributes.extend(found.body.attributes);
        parsed.body.blocks.extend(found.body.blocks);
        parsed.diagnostics.extend(found.diagnostics);
    }
    if parsed.diagnostics.is_empty() {
        parsed.diagnostics.push(diagnostic(&first, source, file, Positions::Shift(shift)));
    }
    parsed
}

/// Divides a text before each line that looks like the beginning of a block or an attribute in the first column.
fn parts(source: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut skip_to = 0;
    let mut offset = 0;
    let mut terminators = Terminators::new(source);
    for line in source.split_inclusive('\n') {
        let line_start = offset;
        offset += line.len();
        if line_start < skip_to {
            continue;
        }
        if line_start > start && begins_part(line) {
            parts.push(start..line_start);
            start = line_start;
        }
        let code = line.trim_start();
        if code.starts_with("/*") && !code.contains("*/") {
            skip_to = source[line_start..].find("*/").map_or(offset, |end| line_start + end);
        } else if !code.starts_with('#')
            && !code.starts_with("//")
            && let Some(name) = heredoc_name(line)
            && let Some(end) = terminators.after(offset, name)
        {
            skip_to = end;
        }
    }
    parts.push(start..source.len());
    parts
}

/// Finds the line on which a heredoc ends. A heredoc counts only if its end exists.
struct Terminators<'a> {
    source: &'a str,
    /// Names that do not stand alone on any line after this offset: each is looked for once.
    missing: Vec<&'a str>,
}

impl<'a> Terminators<'a> {
    fn new(source: &'a str) -> Self {
        Self { source, missing: Vec::new() }
    }

    fn after(&mut self, offset: usize, name: &'a str) -> Option<usize> {
        if self.missing.contains(&name) {
            return None;
        }
        let mut at = offset;
        for line in self.source.get(offset..)?.split_inclusive('\n') {
            if line.trim() == name {
                return Some(at);
            }
            at += line.len();
        }
        if self.missing.len() < 64 {
            self.missing.push(name);
        }
        None
    }
}

/// The name that a line's end introduces with `<<NAME` or `<<-NAME`.
fn heredoc_name(line: &str) -> Option<&str> {
    let (_, name) = line.trim_end().rsplit_once("<<")?;
    let name = name.strip_prefix('-').unwrap_or(name);
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    (!name.is_empty() && name.chars().all(word)).then_some(name)
}

/// `name {`, `name "…`, `name =`, in the first column.
fn begins_part(line: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let after = line.trim_start_matches(word);
    if after.len() == line.len() || line.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return false;
    }
    after.trim_start_matches([' ', '\t']).starts_with(['{', '"', '='])
}

/// A text under repair: bytes may be blanked, and a few inserted.
#[derive(Clone)]
struct Draft {
    text: String,
    /// Where bytes were inserted, in offsets of the text as it is now, ascending.
    inserted: Vec<usize>,
}

impl Draft {
    fn blank(&self, range: Range<usize>) -> Option<Draft> {
        let line = self.text.get(range.clone())?;
        if line.trim().is_empty() {
            return None;
        }
        let blank: String =
            line.bytes().map(|b| if matches!(b, b'\n' | b'\r') { b as char } else { ' ' }).collect();
        let mut draft = self.clone();
        draft.text.replace_range(range, &blank);
        Some(draft)
    }

    fn insert(&self, at: usize, addition: &str) -> Draft {
        let mut draft = self.clone();
        draft.text.insert_str(at, addition);
        for place in &mut draft.inserted {
            if *place >= at {
                *place += addition.len();
            }
        }
        draft.inserted.extend(at..at + addition.len());
        draft.inserted.sort_unstable();
        draft
    }

    /// Where each byte stands in the file, and the end.
    fn table(&self, start: usize) -> Vec<u32> {
        let mut inserted = self.inserted.iter().copied().peekable();
        let mut place = start;
        let mut table = Vec::with_capacity(self.text.len() + 1);
        for offset in 0..=self.text.len() {
            table.push(u32::try_from(place).unwrap_or(u32::MAX));
            if inserted.next_if_eq(&offset).is_none() {
                place += 1;
            }
        }
        table
    }
}

fn repair(source: &str, failure: Failure, file: FileId, start: usize, budget: &mut usize) -> Parsed {
    let mut parsed = Parsed::default();
    let mut draft = Draft { text: source.to_string(), inserted: Vec::new() };
    let mut failure = failure;
    for _ in 0..MAX_ROUNDS {
        say(&mut parsed, &failure, &draft, file, start);
        let mut best: Option<(Draft, Failure)> = None;
        for candidate in candidates(&draft, &failure) {
            if *budget < candidate.text.len() {
                break;
            }
            *budget -= candidate.text.len();
            match front::read(&candidate.text, Scope::Body, parser::parse_body) {
                Ok(read) => {
                    let mut body = lower(&read, &candidate, file, start);
                    body.body.blocks.iter_mut().for_each(mark);
                    parsed.body = body.body;
                    parsed.diagnostics.extend(body.diagnostics);
                    return parsed;
                }
                Err(next) => {
                    if best.as_ref().is_none_or(|(_, before)| next.reached > before.reached) {
                        best = Some((candidate, next));
                    }
                }
            }
        }
        match best {
            Some((candidate, next)) => (draft, failure) = (candidate, next),
            None => break,
        }
    }
    // Nothing helped: that there is such a block is all that can be said.
    parsed.body.blocks.extend(header_alone(source, file, start));
    parsed
}

fn lower(read: &Read<Tree>, draft: &Draft, file: FileId, start: usize) -> Parsed {
    if draft.inserted.is_empty() {
        return lower_body(read, &draft.text, file, Positions::Shift(start));
    }
    lower_body(read, &draft.text, file, Positions::Table(&draft.table(start)))
}

/// Adds the diagnostic of a failure, one for each line.
fn say(parsed: &mut Parsed, failure: &Failure, draft: &Draft, file: FileId, start: usize) {
    let said = if draft.inserted.is_empty() {
        diagnostic(failure, &draft.text, file, Positions::Shift(start))
    } else {
        diagnostic(failure, &draft.text, file, Positions::Table(&draft.table(start)))
    };
    if parsed.diagnostics.iter().all(|before| before.span.start != said.span.start) {
        parsed.diagnostics.push(said);
    }
}

fn mark(block: &mut Block) {
    block.repaired = true;
    block.body.blocks.iter_mut().for_each(mark);
}

/// Ways to mend a text that fails at a place, the most careful first.
fn candidates(draft: &Draft, failure: &Failure) -> Vec<Draft> {
    let text = &draft.text;
    let mut candidates = Vec::new();
    if failure.limit {
        // The text may be right: nothing to mend but to leave the line out.
        candidates.extend(draft.blank(line_around(text, failure.reached)));
        return candidates;
    }
    if let Some(line) = line_with_odd_quotes(text) {
        let content = text[line.clone()].trim_end();
        let end = line.start + content.len();
        match content.strip_suffix('{') {
            Some(header) => candidates.push(draft.insert(line.start + header.trim_end().len(), "\"")),
            None => candidates.push(draft.insert(end, "\"")),
        }
        candidates.extend(draft.blank(line));
    }
    let (missing, header_end) = missing_brackets(text);
    if !missing.is_empty() {
        candidates.push(draft.insert(text.len(), &missing));
    }
    if let Some(end) = header_end {
        candidates.push(draft.insert(end, " {"));
    }
    let line = line_around(text, failure.reached);
    let before = line_before(text, line.start);
    candidates.extend(draft.blank(line));
    candidates.extend(before.and_then(|before| draft.blank(before)));
    if failure.range.start != failure.reached {
        candidates.extend(draft.blank(line_around(text, failure.range.start)));
    }
    candidates
}

/// The line that holds a byte, without its end; the last line with text for a byte after that.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let at = front::floor(text, at.min(text.trim_end().len()));
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

/// The nearest line with text before the line that begins at `start`.
fn line_before(text: &str, start: usize) -> Option<Range<usize>> {
    let before = text[..start].trim_end();
    (!before.is_empty()).then(|| line_around(text, before.len()))
}

/// The first line with a string that is not closed on it.
fn line_with_odd_quotes(text: &str) -> Option<Range<usize>> {
    let newline = Scanner::new(text).find(|token| token.kind == Kind::QuotedNewline)?;
    Some(line_around(text, newline.start))
}

/// Closing brackets that are missing at the end of a text; and the end of the first line where it looks like a block's
/// header without its brace.
fn missing_brackets(text: &str) -> (String, Option<usize>) {
    let mut brackets = Brackets::default();
    for token in Scanner::new(text) {
        brackets.follow(text, token);
    }
    let mut missing = String::new();
    for open in brackets.open() {
        missing.insert_str(
            0,
            match open.token.kind {
                Kind::OpenBrace => "\n}",
                Kind::OpenBracket => "]",
                Kind::OpenParenthesis => ")",
                _ => "}",
            },
        );
    }
    let start = text.len() - text.trim_start().len();
    let line = text[start..].split(['\n', '\r']).next().unwrap_or("").trim_end();
    let mut kinds = Scanner::new(line).map(|token| token.kind);
    let words = kinds
        .all(|kind| matches!(kind, Kind::Identifier | Kind::OpenQuote | Kind::QuotedText | Kind::CloseQuote));
    (missing, (words && !line.is_empty()).then_some(start + line.len()))
}

/// The block whose header begins a text, without what is inside.
fn header_alone(text: &str, file: FileId, start: usize) -> Option<Block> {
    let mut tokens = Scanner::new(text)
        .filter(|token| !matches!(token.kind, Kind::Newline | Kind::LineComment | Kind::BlockComment));
    let place = |token: Token| Span::new(file, start + token.start, start + token.end);
    let word = tokens.next().filter(|token| token.kind == Kind::Identifier)?;
    let mut header = place(word);
    let mut labels = Vec::new();
    loop {
        let token = tokens.next()?;
        match token.kind {
            Kind::Identifier => {
                labels.push(Label { text: normalized(&text[token.start..token.end]), span: place(token) });
            }
            Kind::OpenQuote => {
                let mut inside = String::new();
                let close = loop {
                    let part = tokens.next()?;
                    match part.kind {
                        Kind::QuotedText => inside.push_str(&decode_quoted(&text[part.start..part.end])),
                        Kind::CloseQuote => break part,
                        _ => return None,
                    }
                };
                labels.push(Label { text: normalized(&inside), span: place(token).to(place(close)) });
            }
            Kind::OpenBrace => break,
            _ => return None,
        }
        header = labels.last().map_or(header, |label| header.to(label.span));
    }
    let span = Span::new(file, start + word.start, start + text.trim_end().len());
    Some(Block {
        block_type: normalized(&text[word.start..word.end]),
        labels,
        header,
        span,
        body: Body { span, ..Body::default() },
        repaired: true,
    })
}
