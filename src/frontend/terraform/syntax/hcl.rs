//! HCL text to the syntax tree.

use std::cell::RefCell;
use std::ops::Range;

use hcl_edit::parser;

use super::Parsed;
use super::ast;
use super::front::{self, Failure, Read, Scope};
use super::lower::{Lowering, Positions, too_deep};
use super::recover;
use super::template::Quoting;
use crate::resource::Diagnostic;
use crate::source::{FileId, SourceFile, Span};

/// A UTF-8 byte order mark.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads a `.tf`, `.tfvars` or `.hcl` file.
///
/// What cannot be read becomes a diagnostic (`syntax-error`, or `limit`), and the rest of the file is read all the same.
pub fn parse_hcl(file: &SourceFile) -> Parsed {
    let text: &str = file.text();
    let (source, shift) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (rest, BYTE_ORDER_MARK.len()),
        None => (text, 0),
    };
    let mut parsed = match front::read(source, Scope::Body, parser::parse_body) {
        Ok(read) => lower_body(&read, source, file.id(), Positions::Shift(shift)),
        Err(failure) => recover::recover(source, failure, file.id(), shift),
    };
    parsed.body.span = Span::new(file.id(), 0, text.len());
    parsed.diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    parsed
}

/// Reads one expression, which stands at byte `offset` of `file` (any values will do for text that no file holds).
///
/// # Errors
/// A `syntax-error` or `limit` diagnostic.
pub fn parse_expression(text: &str, file: FileId, offset: usize) -> Result<ast::Expression, Diagnostic> {
    expression(text, file, Positions::Shift(offset))
}

/// Reads a template file's text, as `templatefile` does: literal text with `${…}` and `%{…}`.
///
/// # Errors
/// A `syntax-error` or `limit` diagnostic.
pub fn parse_template(text: &str, file: FileId, offset: usize) -> Result<ast::Expression, Diagnostic> {
    template(text, file, Positions::Shift(offset))
}

/// An expression, white space around it allowed.
pub(super) fn expression(
    text: &str,
    file: FileId,
    positions: Positions<'_>,
) -> Result<ast::Expression, Diagnostic> {
    let blanks = text.len() - text.trim_start().len();
    let (text, positions) = (&text[blanks..], positions.from(blanks));
    // The line end after a heredoc belongs to it, so it is not cut off before the text is checked.
    match front::read(text, Scope::Expression, |text| parser::parse_expr(text.trim_end())) {
        Ok(read) => lowered(&read, text, file, positions, |lowering, tree| lowering.expression(tree)),
        Err(failure) => Err(diagnostic(&failure, text, file, positions)),
    }
}

/// A template without quotes around it.
pub(super) fn template(
    text: &str,
    file: FileId,
    positions: Positions<'_>,
) -> Result<ast::Expression, Diagnostic> {
    match front::read(text, Scope::Template, parser::parse_template) {
        Ok(read) => lowered(&read, text, file, positions, |lowering, tree| ast::Expression {
            kind: lowering.template(tree, Quoting::Raw, false),
            span: lowering.place(0..text.len()),
        }),
        Err(failure) => Err(diagnostic(&failure, text, file, positions)),
    }
}

fn lowered<T>(
    read: &Read<T>,
    source: &str,
    file: FileId,
    positions: Positions<'_>,
    lower: impl FnOnce(&Lowering<'_>, &T) -> ast::Expression,
) -> Result<ast::Expression, Diagnostic> {
    let diagnostics = RefCell::new(Vec::new());
    let lowering = Lowering {
        source,
        joined: read.joined.as_deref(),
        holes: &read.holes,
        file,
        positions,
        folds: 0,
        diagnostics: &diagnostics,
    };
    let expression = lower(&lowering, &read.tree);
    if let Some((range, message)) = read.refused.first() {
        return Err(Diagnostic::error("syntax-error", *message, lowering.place(range.clone())));
    }
    match diagnostics.into_inner().into_iter().next() {
        Some(diagnostic) => Err(diagnostic),
        None => Ok(expression),
    }
}

/// Lowers a body; blocks in which Terraform refuses a redefined attribute are marked as repaired.
pub(super) fn lower_body(
    read: &Read<hcl_edit::structure::Body>,
    source: &str,
    file: FileId,
    positions: Positions<'_>,
) -> Parsed {
    let diagnostics = RefCell::new(Vec::new());
    let lowering = Lowering {
        source,
        joined: read.joined.as_deref(),
        holes: &read.holes,
        file,
        positions,
        folds: 0,
        diagnostics: &diagnostics,
    };
    let mut body = lowering.body(&read.tree, lowering.place(0..source.len()));
    let mut said: Vec<Diagnostic> = Vec::new();
    for (range, message) in &read.refused {
        said.push(Diagnostic::error("syntax-error", *message, lowering.place(range.clone())));
    }
    for range in &read.redefined {
        let span = lowering.place(range.clone());
        let name = source.get(range.clone()).unwrap_or("");
        said.push(Diagnostic::error("syntax-error", format!("`{name}` is set twice in this block"), span));
        mark_repaired(&mut body.blocks, span);
    }
    said.extend(diagnostics.into_inner());
    Parsed { body, diagnostics: said }
}

/// Marks the blocks around a place.
fn mark_repaired(blocks: &mut [ast::Block], span: Span) {
    for block in blocks {
        if block.span.contains(span) {
            block.repaired = true;
            mark_repaired(&mut block.body.blocks, span);
        }
    }
}

/// A failure as a diagnostic: from its place to the end of the line.
pub(super) fn diagnostic(
    failure: &Failure,
    text: &str,
    file: FileId,
    positions: Positions<'_>,
) -> Diagnostic {
    let range = trimmed_to_line(text, failure.range.clone());
    let span = Span::new(file, positions.at(range.start), positions.at(range.end));
    if failure.limit {
        return too_deep(span);
    }
    Diagnostic::error("syntax-error", failure.message.as_str(), span)
}

/// The range without what lies beyond its first line; an empty range is stretched to the end of that line.
fn trimmed_to_line(text: &str, range: Range<usize>) -> Range<usize> {
    let start = front::floor(text, range.start);
    let line = text[start..].split(['\n', '\r']).next().unwrap_or("").trim_end();
    let end = start + line.len();
    let end = if range.end > start { end.min(front::floor(text, range.end)).max(start) } else { end };
    start..end
}
