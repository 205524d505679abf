//! The syntax of Terraform files: text to a compact tree with spans.

pub mod ast;
