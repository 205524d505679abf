//! Bicep source to a syntax tree.
//!
//! The parser is written by hand after the published grammar (`docs/grammar.md` of Azure/bicep) and the official
//! compiler's treatment of newlines. It never gives up: an error is recorded with its place, the parser goes on at the
//! next element, line or declaration, and what could not be read is marked in the tree.

pub mod ast;
mod declarations;
mod expressions;
mod lexer;
mod parser;
mod strings;
#[cfg(test)]
mod tests;
mod types;

use crate::resource::Diagnostic;
use crate::source::SourceFile;

use ast::Program;

/// The code of every diagnostic of this module.
pub(crate) const SYNTAX_ERROR: &str = "syntax-error";

/// How many errors of one file are kept: what follows them helps nobody.
pub(crate) const MAX_DIAGNOSTICS: usize = 50;

/// How deeply expressions, types and nested declarations may be nested.
const MAX_DEPTH: u32 = 100;

/// What the parser makes of a file.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The tree; complete where there are no diagnostics.
    pub program: Program,
    /// The syntax errors, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Which of the two Bicep languages a file is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dialect {
    /// `.bicep`: `param name type = default`
    Template,
    /// `.bicepparam`: `param name = value`
    Parameters,
}

/// Parses a file; its name says whether it is a template or a parameters file.
pub fn parse(file: &SourceFile) -> Parsed {
    let parameters = file.path().extension().is_some_and(|e| e.eq_ignore_ascii_case("bicepparam"));
    parse_as(file, if parameters { Dialect::Parameters } else { Dialect::Template })
}

/// Parses a file as a template or as a parameters file.
pub fn parse_as(file: &SourceFile, dialect: Dialect) -> Parsed {
    let first = parser::parse(file.text(), file.id(), dialect, false);
    if !first.ran_away {
        return first.parsed;
    }
    // A brace or quote that is never closed has swallowed the rest of the file: read it once more, taking a declaration
    // at the first column for the end of whatever is open.
    parser::parse(file.text(), file.id(), dialect, true).parsed
}

/// Parses a single expression, for `eval`. The text is the whole file.
pub fn parse_expression(file: &SourceFile) -> (ast::Expression, Vec<Diagnostic>) {
    parser::parse_expression(file.text(), file.id())
}
