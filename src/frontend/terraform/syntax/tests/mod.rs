//! Tests of the syntax layer through its public functions.

mod expressions;
mod json;
mod recovery;
mod render;
mod robustness;
mod structure;

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::source::{SourceFile, SourceMap};

fn file(text: &str) -> Arc<SourceFile> {
    SourceMap::new().add(Path::new("main.tf"), text)
}

/// Reads text that has no faults.
fn healthy(text: &str) -> ast::Body {
    let parsed = parse_hcl(&file(text));
    assert_eq!(parsed.diagnostics, [], "{text}");
    parsed.body
}
