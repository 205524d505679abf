//! HCL text to the syntax tree.

use hcl_edit::parser;

use super::Parsed;
use super::ast;
use super::lower::Lowering;
use super::template::Quoting;
use crate::resource::Diagnostic;
use crate::source::{FileId, SourceFile, Span};

/// A UTF-8 byte order mark.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads a `.tf`, `.tfvars` or `.hcl` file.
///
/// What cannot be read becomes a diagnostic (`syntax-error`), and the rest of the file is read all the same.
pub fn parse_hcl(file: &SourceFile) -> Parsed {
    let text: &str = file.text();
    let (source, shift) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (rest, BYTE_ORDER_MARK.len()),
        None => (text, 0),
    };
    let lowering = Lowering { source, file: file.id(), offset: shift };
    let whole = Span::new(file.id(), 0, text.len());
    match parser::parse_body(source) {
        Ok(tree) => Parsed { body: lowering.body(&tree, whole), diagnostics: Vec::new() },
        Err(error) => Parsed {
            body: ast::Body { span: whole, ..ast::Body::default() },
            diagnostics: vec![syntax_error(&error, &lowering)],
        },
    }
}

/// Reads one expression, which stands at byte `offset` of `file` (any values will do for text that no file holds).
///
/// # Errors
/// A `syntax-error` diagnostic.
pub fn parse_expression(text: &str, file: FileId, offset: usize) -> Result<ast::Expression, Diagnostic> {
    let lowering = Lowering { source: text, file, offset };
    match parser::parse_expr(text) {
        Ok(tree) => Ok(lowering.expression(&tree)),
        Err(error) => Err(syntax_error(&error, &lowering)),
    }
}

/// Reads a template file's text, as `templatefile` does: literal text with `${…}` and `%{…}`.
///
/// # Errors
/// A `syntax-error` diagnostic.
pub fn parse_template(text: &str, file: FileId, offset: usize) -> Result<ast::Expression, Diagnostic> {
    let lowering = Lowering { source: text, file, offset };
    match parser::parse_template(text) {
        Ok(tree) => Ok(ast::Expression {
            kind: lowering.template(&tree, Quoting::Raw, false),
            span: Span::new(file, offset, offset + text.len()),
        }),
        Err(error) => Err(syntax_error(&error, &lowering)),
    }
}

fn syntax_error(error: &parser::Error, lowering: &Lowering<'_>) -> Diagnostic {
    let start = error.location().offset().min(lowering.source.len());
    let end = lowering
        .source
        .get(start..)
        .and_then(|rest| rest.find('\n'))
        .map_or(lowering.source.len(), |n| start + n);
    Diagnostic::error("syntax-error", error.message(), lowering.place(start..end.max(start)))
}
