//! What a search for roots needs to know of Bicep files: which of them belong to others.

use std::path::{Path, PathBuf};

use super::syntax;
use super::syntax::ast::*;
use super::{Language, lower};
use crate::frontend::arm::json;
use crate::source::SourceFile;

/// A file that a Bicep file names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Referenced {
    /// Relative to the folder of the file that names it.
    pub path: PathBuf,
    /// What it is to that file.
    pub role: Role,
}

/// What a file is to the one that names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// A module: deployed by the file, so not a root of its own.
    Module,
    /// A file that constants, functions or types are imported from.
    Import,
    /// The template that a parameters file is for: the parameters file with it is a root.
    Template,
    /// A parameters file that another one extends.
    BaseParameters,
}

/// The files that a Bicep or parameters file names by path. References to registries are not among them.
pub fn referenced_files(file: &SourceFile) -> Vec<Referenced> {
    let program = syntax::parse(file).program;
    let mut found = Vec::new();
    for statement in &program.statements {
        let (path, role) = match &statement.kind {
            StatementKind::Module(module) | StatementKind::Test(module) => (&module.path, Role::Module),
            StatementKind::Import(import) => (&import.path, Role::Import),
            StatementKind::Using(Some(path), _) => (path, Role::Template),
            StatementKind::Extends(path) => (path, Role::BaseParameters),
            _ => continue,
        };
        let ExpressionKind::String(text) = &path.kind else { continue };
        if super::registry::Reference::parse(text, None).is_none() {
            found.push(Referenced { path: PathBuf::from(text.as_str()), role });
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether a JSON template is what the Bicep compiler made of a Bicep file: the same name beside it, and the compiler's
/// mark inside. Then the Bicep file is checked, and the template only when [`super::Loaded::unreadable`] is set.
pub fn is_compiled_from(template: &SourceFile, bicep: &Path) -> bool {
    let path = template.path();
    if path.with_extension("bicep") != bicep
        || lower::language(&path.to_string_lossy()) != Some(Language::Json)
    {
        return false;
    }
    let Some(root) = json::parse(template.text(), template.id()).root else { return false };
    let generator = root.get("metadata").and_then(|metadata| metadata.get("_generator"));
    generator.and_then(|generator| generator.get("name")).and_then(json::Node::as_str) == Some("bicep")
}
