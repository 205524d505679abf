//! Deep and long expressions in pieces: `hcl-edit` stops at 64 levels of nesting and 128 operators, HCL does not.
//!
//! Ranges of the text are found that are whole expressions. A name is put in their place, and they are read by
//! themselves afterwards, in the same way.

use std::ops::Range;

use super::front::Scope;
use super::scan::{Kind, Token};

/// Brackets inside brackets before the next is read by itself. A level of brackets costs `hcl-edit` one or two of its 64.
const BRACKETS: usize = 20;
/// Operators in one chain before its left part is read by itself.
const OPERATORS: usize = 100;
/// Conditionals in one chain before the rest is read by itself.
const CONDITIONALS: usize = 24;

/// What is collected between separators on one level of brackets.
#[derive(Default)]
struct Level {
    /// The keyword `for` or a directive opened this level: `in`, `if` and `:` separate.
    keywords: bool,
    /// Index of the first token of the chain of operands.
    chain: usize,
    /// Binary operators of the chain: token index and precedence.
    operators: Vec<(usize, u8)>,
    /// `?` without their `:`.
    questions: usize,
    /// Token indexes after each `:` that ended all of them.
    alternatives: Vec<usize>,
}

/// Ranges to read by themselves: whole expressions, sorted, none inside another. Line ends inside expressions must have
/// been made blank.
pub(super) fn fold(text: &str, scope: Scope) -> Vec<Range<usize>> {
    let tokens: Vec<Token> = scope
        .scanner(text)
        .filter(|token| !matches!(token.kind, Kind::LineComment | Kind::BlockComment))
        .collect();
    let partners = partners(&tokens);
    let mut holes = Vec::new();
    let mut levels = vec![Level::default()];
    let mut index = 0;
    while index < tokens.len() {
        let token = tokens[index];
        match token.kind {
            Kind::OpenBrace
            | Kind::OpenBracket
            | Kind::OpenParenthesis
            | Kind::OpenInterpolation
            | Kind::OpenDirective => {
                if levels.len() > BRACKETS
                    && let Some(close) = partners[index]
                    && let Some(range) = whole(text, &tokens, index, close)
                {
                    holes.push(range);
                    index = close + 1;
                    continue;
                }
                levels.push(Level {
                    keywords: token.kind == Kind::OpenDirective
                        || is_word(text, tokens.get(index + 1), &["for"]),
                    chain: index + 1,
                    ..Level::default()
                });
            }
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParenthesis | Kind::CloseSequence => {
                if let Some(level) = levels.pop() {
                    finish(&tokens, level, index, &mut holes);
                }
                if levels.is_empty() {
                    levels.push(Level { chain: index + 1, ..Level::default() });
                }
            }
            _ => {
                // The stack is never empty: closing the last level pushes a new one.
                if let Some(level) = levels.last_mut() {
                    separate(text, &tokens, index, level, &mut holes);
                }
            }
        }
        index += 1;
    }
    while let Some(level) = levels.pop() {
        finish(&tokens, level, tokens.len(), &mut holes);
    }
    holes.sort_by_key(|hole| (hole.start, std::cmp::Reverse(hole.end)));
    let mut end = 0;
    holes.retain(|hole| {
        let outside = hole.start >= end;
        end = end.max(hole.end);
        outside
    });
    holes
}

/// Takes note of a token that is not a bracket.
fn separate(text: &str, tokens: &[Token], index: usize, level: &mut Level, holes: &mut Vec<Range<usize>>) {
    let token = tokens[index];
    let ends_expression = match token.kind {
        Kind::Comma | Kind::Newline | Kind::Assign | Kind::Arrow | Kind::Ellipsis => true,
        Kind::Colon => level.questions == 0,
        Kind::Identifier => level.keywords && is_word(text, Some(&token), &["in", "if", "for"]),
        _ => false,
    };
    if ends_expression {
        let keywords = level.keywords;
        finish(tokens, std::mem::take(level), index, holes);
        *level = Level { keywords, chain: index + 1, ..Level::default() };
        return;
    }
    match token.kind {
        Kind::Question | Kind::Colon => {
            chain(tokens, level, index, holes);
            level.operators.clear();
            level.chain = index + 1;
            if token.kind == Kind::Question {
                level.questions += 1;
            } else {
                level.questions -= 1;
                if level.questions == 0 {
                    level.alternatives.push(index + 1);
                }
            }
        }
        Kind::Operator if index.checked_sub(1).is_some_and(|before| ends_value(tokens[before].kind)) => {
            level.operators.push((index, precedence(&text[token.start..token.end])));
        }
        _ => {}
    }
}

/// The expression of a level ends before token `end`.
fn finish(tokens: &[Token], level: Level, end: usize, holes: &mut Vec<Range<usize>>) {
    if let Some(rest) = level.alternatives.get(CONDITIONALS) {
        holes.extend(span(tokens, *rest, end));
    }
    chain(tokens, &level, end, holes);
}

/// A chain of operators ends before token `end`.
fn chain(tokens: &[Token], level: &Level, end: usize, holes: &mut Vec<Range<usize>>) {
    let operators = &level.operators;
    if operators.len() <= OPERATORS {
        return;
    }
    // Operators associate to the left: what stands before one of the loosest is its left operand.
    let Some(loosest) = operators.iter().map(|(_, precedence)| *precedence).min() else { return };
    let of_loosest = || (0..operators.len()).filter(|at| operators[*at].1 == loosest);
    let Some(at) =
        of_loosest().find(|at| operators.len() - at <= OPERATORS).or_else(|| of_loosest().next_back())
    else {
        return;
    };
    let operator = operators[at].0;
    if at > 0 {
        holes.extend(span(tokens, level.chain, operator));
    }
    if operators.len() - at > OPERATORS {
        holes.extend(span(tokens, operator + 1, end));
    }
}

/// The bytes of tokens `start..end`.
fn span(tokens: &[Token], start: usize, end: usize) -> Option<Range<usize>> {
    let last = tokens.get(start..end)?.iter().rfind(|token| token.kind != Kind::Newline)?;
    Some(tokens.get(start)?.start..last.end)
}

/// For each opening bracket, the index of the one that closes it.
fn partners(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::OpenBrace
            | Kind::OpenBracket
            | Kind::OpenParenthesis
            | Kind::OpenInterpolation
            | Kind::OpenDirective => open.push(index),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParenthesis | Kind::CloseSequence => {
                if let Some(opened) = open.pop() {
                    partners[opened] = Some(index);
                }
            }
            _ => {}
        }
    }
    partners
}

/// The bytes of the whole expression that a pair of brackets makes, alone or with a function's name.
fn whole(text: &str, tokens: &[Token], open: usize, close: usize) -> Option<Range<usize>> {
    let before = open.checked_sub(1).and_then(|before| tokens.get(before));
    let after_value =
        before.is_some_and(|before| ends_value(before.kind)) && !is_word(text, before, &["in", "if"]);
    match tokens[open].kind {
        // An index, or the inside of an interpolation.
        Kind::OpenBracket if after_value => span(tokens, open + 1, close),
        Kind::OpenInterpolation => span(tokens, open + 1, close),
        Kind::OpenParenthesis if after_value => {
            let mut first = open - 1;
            while first >= 2 && tokens[first - 1].kind == Kind::DoubleColon {
                first -= 2;
            }
            span(tokens, first, close + 1)
        }
        Kind::OpenBracket | Kind::OpenParenthesis => span(tokens, open, close + 1),
        // The body of a block cannot be taken out.
        Kind::OpenBrace if !after_value => span(tokens, open, close + 1),
        _ => None,
    }
    // A range without a word's worth of text inside is not worth it, and a splat is no expression.
    .filter(|range| text.get(range.clone()).is_some_and(|inside| inside != "*"))
}

fn is_word(text: &str, token: Option<&Token>, words: &[&str]) -> bool {
    token.is_some_and(|token| {
        token.kind == Kind::Identifier
            && text.get(token.start..token.end).is_some_and(|word| words.contains(&word))
    })
}

fn ends_value(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Identifier
            | Kind::Number
            | Kind::CloseBrace
            | Kind::CloseBracket
            | Kind::CloseParenthesis
            | Kind::CloseQuote
            | Kind::CloseHeredoc
    )
}

/// How tightly a binary operator binds.
fn precedence(operator: &str) -> u8 {
    match operator {
        "||" => 1,
        "&&" => 2,
        "==" | "!=" => 3,
        "<" | ">" | "<=" | ">=" => 4,
        "+" | "-" => 5,
        _ => 6,
    }
}
