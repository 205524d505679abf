//! The lenient front: text that HCL allows and `hcl-edit` does not take is rewritten, byte for byte of the same length,
//! until it does. Positions stay true, and the lowering reads names and literals from the original.
//!
//! Rewritten are: line ends where an expression may run on (`{ for … }`, template directives, CRLF after `for`), heredoc
//! lines that begin with the heredoc's own name, keys that an object has twice (the last wins), and what is nested or
//! chained deeper than `hcl-edit` goes (see [`super::fold`]).

use std::ops::Range;

use hcl_edit::parser;

use super::check::{Brackets, Findings, check, heredoc_name};
use super::fold::fold;
use super::scan::{Kind, Scanner};

/// Rewriting starts over after each name that was found twice; so often, and not more than so many bytes.
const MAX_RENAMES: usize = 256;
const MAX_BYTES: usize = 64 << 20;
/// Bytes below which no object can be too large.
const SMALL: usize = 4_000;

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// A file, or a part of one.
    Body,
    /// One expression.
    Expression,
    /// A template file.
    Template,
    /// An expression from a text that was read already: line ends have been dealt with.
    Joined,
}

impl Scope {
    /// The scanner for such a text.
    pub fn scanner(self, text: &str) -> Scanner<'_> {
        if self == Scope::Template { Scanner::of_template(text) } else { Scanner::new(text) }
    }

    /// How brackets begin in such a text.
    pub fn brackets(self) -> Brackets {
        if self == Scope::Body { Brackets::default() } else { Brackets::of_expression() }
    }
}

/// A tree, and how its text differs from the source.
pub(super) struct Read<T> {
    /// What the parser made.
    pub tree: T,
    /// The text in which expressions no longer span lines; `None` where it is the source itself.
    pub joined: Option<String>,
    /// Ranges that a name of the same length stands for, sorted: the expression is still to be read.
    pub holes: Vec<Range<usize>>,
    /// Attributes whose name the same body has already: Terraform refuses them.
    pub redefined: Vec<Range<usize>>,
    /// What Terraform refuses although it could be read.
    pub refused: Vec<(Range<usize>, &'static str)>,
}

/// Where and why a text cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    pub range: Range<usize>,
    /// How far the text could be read.
    pub reached: usize,
    pub message: String,
    /// The text may be right, but is nested too deeply for this reader.
    pub limit: bool,
}

/// Parses text, rewriting it where that helps.
///
/// `parse` is `hcl-edit`'s parser for the scope.
pub(super) fn read<T>(
    source: &str,
    scope: Scope,
    parse: fn(&str) -> Result<T, parser::Error>,
) -> Result<Read<T>, Failure> {
    // An expression inside a text has been checked with it.
    let mut findings = if scope == Scope::Joined && source.len() < SMALL && !source.contains("<<") {
        Findings::default()
    } else {
        check(source, scope)
    };
    let mut refused = Vec::new();
    if scope != Scope::Joined {
        for refusal in findings.refusals.drain(..) {
            let range = refusal.start..refusal.end;
            if refusal.misleading {
                let reached = range.start;
                return Err(Failure { range, reached, message: refusal.message.to_string(), limit: false });
            }
            refused.push((range, refusal.message));
        }
    }
    // The parser would read these wrongly, or not in good time.
    let misread = findings.ambiguous_heredocs
        || !findings.empty_heredocs.is_empty()
        || !findings.large_objects.is_empty();
    let mut result = if misread { None } else { Some(parse(source)) };
    let mut read = Read { tree: (), joined: None, holes: Vec::new(), redefined: Vec::new(), refused };
    if !matches!(result, Some(Ok(_))) {
        let text = if scope == Scope::Joined { source.to_string() } else { join_lines(source, scope) };
        let mut buffer = text.clone();
        for hole in findings.empty_heredocs.into_iter().chain(findings.large_objects) {
            overwrite(&mut buffer, hole.clone(), read.holes.len());
            read.holes.push(hole);
        }
        if buffer != source || misread {
            result = Some(parse(&buffer));
        }
        read.joined = Some(text);
        let mut budget = MAX_BYTES;
        let mut folded = false;
        for attempt in 0..MAX_RENAMES {
            let Some(Err(error)) = &result else { break };
            let message = error.message();
            let offset = error.location().offset();
            if is_limit(message) && !folded {
                folded = true;
                for hole in fold(&buffer, scope) {
                    overwrite(&mut buffer, hole.clone(), read.holes.len());
                    read.holes.push(hole);
                }
            } else if let Some(attribute) = redefined(message)
                && let Some(range) = name_range(&buffer, offset)
            {
                overwrite(&mut buffer, range.clone(), attempt);
                let list = if attribute { &mut read.redefined } else { &mut read.holes };
                if !list.contains(&range) {
                    list.push(range);
                }
            } else {
                break;
            }
            budget = budget.saturating_sub(buffer.len());
            if budget == 0 {
                break;
            }
            result = Some(parse(&buffer));
        }
        read.holes.sort_by_key(|hole| (hole.start, hole.end));
    }
    // Without a result so far nothing stood in the way of parsing.
    match result.unwrap_or_else(|| parse(source)) {
        Ok(tree) => Ok(Read {
            tree,
            joined: read.joined,
            holes: read.holes,
            redefined: read.redefined,
            refused: read.refused,
        }),
        Err(error) => Err(failure(source, scope, &error)),
    }
}

/// The parser's error with its range in the source: from where it stopped to the end of the line, or the bracket that
/// is open when the text ends.
fn failure(source: &str, scope: Scope, error: &parser::Error) -> Failure {
    let message = error.message();
    let reached = error.location().offset().min(source.len());
    let limit = is_limit(message);
    if !limit && source[floor(source, reached)..].trim().is_empty() {
        let mut brackets = scope.brackets();
        for token in scope.scanner(source) {
            brackets.follow(source, token);
        }
        if let Some(open) = brackets.innermost() {
            let range = open.token.start..open.token.end;
            return Failure { range, reached, message: "this is never closed".to_string(), limit };
        }
    }
    Failure { range: reached..reached, reached, message: message.to_string(), limit }
}

/// The nearest character boundary at or before `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn is_limit(message: &str) -> bool {
    message.contains("at most 64 nested levels") || message.contains("at most 128 chained binary operators")
}

/// Whether the parser found a name for the second time: `Some(true)` for an attribute, `Some(false)` for an object's key.
fn redefined(message: &str) -> Option<bool> {
    if message.contains("found redefined attribute") {
        return Some(true);
    }
    message.contains("found redefined object key").then_some(false)
}

/// The range of the name or key that begins at `offset`.
fn name_range(text: &str, offset: usize) -> Option<Range<usize>> {
    let mut brackets = Brackets::default();
    let mut end = None;
    let rest = text.get(offset..)?;
    for token in Scanner::new(rest) {
        if brackets.depth() == 0 && matches!(token.kind, Kind::Assign | Kind::Colon | Kind::Newline) {
            break;
        }
        if !matches!(token.kind, Kind::LineComment | Kind::BlockComment) {
            end = Some(token.end);
        }
        brackets.follow(rest, token);
    }
    Some(offset..offset + end?)
}

/// Puts a name of the same length in the place of a range. Names with different numbers differ where the length allows.
fn overwrite(text: &mut String, range: Range<usize>, number: usize) {
    const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
    let mut name = vec![b'_'; range.len()];
    let mut rest = number;
    for byte in name.iter_mut().rev() {
        // Letters only, most of them at the end: short names still differ.
        *byte = LETTERS[rest % LETTERS.len()];
        rest /= LETTERS.len();
        if rest == 0 {
            break;
        }
    }
    if let Ok(name) = std::str::from_utf8(&name)
        && text.is_char_boundary(range.start)
        && text.is_char_boundary(range.end)
    {
        text.replace_range(range, name);
    }
}

/// The text with line ends and line comments made blank where HCL lets an expression run on, and with heredoc lines that
/// only begin like the closing name hidden.
fn join_lines(source: &str, scope: Scope) -> String {
    let mut bytes = source.as_bytes().to_vec();
    let mut brackets = scope.brackets();
    let mut heredocs: Vec<&str> = Vec::new();
    let mut line_start = false;
    for token in scope.scanner(source) {
        let range = token.start..token.end;
        match token.kind {
            Kind::Newline | Kind::LineComment if !brackets.newlines_count() => bytes[range].fill(b' '),
            Kind::OpenHeredoc => {
                heredocs.push(heredoc_name(source, token));
                line_start = true;
            }
            Kind::CloseHeredoc => {
                let name = heredocs.pop().unwrap_or("");
                // White space that `hcl-edit` does not know.
                let indentation = source[range].find(name).unwrap_or(0);
                bytes[token.start..token.start + indentation].fill(b' ');
                bytes[token.start + indentation + name.len()..token.end].fill(b' ');
            }
            Kind::HeredocText => {
                let line = &source[range];
                let text = line.trim_start();
                if let Some(name) = heredocs.last().filter(|name| line_start && text.starts_with(**name)) {
                    let start = token.end - text.len();
                    bytes[start..start + name.len()].fill(b'.');
                }
                line_start = line.ends_with('\n');
            }
            _ => {}
        }
        brackets.follow(source, token);
    }
    // Only whole ASCII tokens and whole words were overwritten, with ASCII.
    String::from_utf8(bytes).unwrap_or_else(|_| source.to_string())
}
