//! The syntax of Terraform files: text to a compact tree with spans.
//!
//! HCL is parsed by the `hcl-edit` crate, whose tree is lowered to [`ast`] at once and dropped. JSON syntax becomes the
//! same tree, so that nothing after this layer knows in which of the two a file was written.

pub mod ast;
mod check;
mod comments;
mod fold;
mod front;
mod hcl;
mod json;
mod json_schema;
mod lower;
mod lower_template;
mod recover;
mod scan;
mod template;

pub use comments::{Comment, SyntaxTree, comments};
pub use hcl::{parse_expression, parse_hcl, parse_template};
pub use json::{parse_json, parse_json_values};

use crate::resource::Diagnostic;

/// A file as far as it could be read.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Attributes and blocks. Blocks of damaged regions are marked [`ast::Block::repaired`].
    pub body: ast::Body,
    /// What Terraform would refuse, and limits of this reader. Empty for a healthy file.
    pub diagnostics: Vec<Diagnostic>,
}

#[cfg(test)]
mod tests;
