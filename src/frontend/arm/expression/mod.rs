//! The expression language that ARM templates and Bicep share: one tree, whatever the syntax it was written in.

pub mod ast;
pub mod parser;
