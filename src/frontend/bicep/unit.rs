//! One parsed file and the names it declares.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::{EcoString, eco_format};

use super::syntax::ast::*;
use crate::source::SourceFile;

/// A parsed file.
#[derive(Debug)]
pub(super) struct Unit {
    /// The file.
    pub file: Arc<SourceFile>,
    /// Its tree.
    pub program: Program,
    /// What its top-level names mean. Outputs have names of their own and are not here.
    pub symbols: HashMap<EcoString, Symbol>,
    /// The names that differ from an earlier one only in case, with a unique name instead: the model ignores case.
    pub renamed: HashMap<EcoString, EcoString>,
}

/// What a name means.
#[derive(Clone, Debug)]
pub(super) enum Symbol {
    /// The declaration of this index in the file.
    Declaration(usize),
    /// The symbol of that name in another file; the index of the import.
    Imported(usize, EcoString),
    /// All symbols of another file (`import * as name`); the index of the import.
    Namespace(usize),
    /// Functions of Bicep or of an extension (`az`, `sys`).
    Extension,
}

impl Unit {
    /// The unit of a file. Of a name declared twice, the first declaration counts.
    pub fn new(file: Arc<SourceFile>, program: Program) -> Self {
        let mut symbols = HashMap::new();
        for (index, statement) in program.statements.iter().enumerate() {
            let mut declare = |name: &EcoString, symbol: Symbol| {
                if !name.is_empty() {
                    symbols.entry(name.clone()).or_insert(symbol);
                }
            };
            match &statement.kind {
                StatementKind::Parameter(ParameterDeclaration { name, .. })
                | StatementKind::ParameterAssignment(name, _)
                | StatementKind::Type(name, _)
                | StatementKind::Variable(VariableDeclaration { name, .. })
                | StatementKind::Function(FunctionDeclaration { name, .. })
                | StatementKind::Resource(ResourceDeclaration { name, .. })
                | StatementKind::Module(ModuleDeclaration { name, .. }) => {
                    declare(&name.name, Symbol::Declaration(index));
                }
                StatementKind::Import(import) => match &import.symbols {
                    ImportedSymbols::List(list, _) => {
                        for (name, alias) in list {
                            let here = alias.as_ref().unwrap_or(name);
                            declare(&here.name, Symbol::Imported(index, name.name.clone()));
                        }
                    }
                    ImportedSymbols::Wildcard(name, _) => declare(&name.name, Symbol::Namespace(index)),
                    ImportedSymbols::Invalid => {}
                },
                StatementKind::Extension(extension) => {
                    if let Some(alias) = &extension.alias {
                        declare(&alias.name, Symbol::Extension);
                    } else if let ExpressionKind::Variable(name) = &extension.specification.kind {
                        declare(name, Symbol::Extension);
                    }
                }
                _ => {}
            }
        }
        let mut names: Vec<&EcoString> = symbols.keys().collect();
        names.sort();
        let mut seen = HashSet::new();
        let renamed = names
            .into_iter()
            .filter(|name| !seen.insert(name.to_lowercase()))
            .enumerate()
            .map(|(index, name)| (name.clone(), eco_format!("{name}:{index}")))
            .collect();
        Self { file, program, symbols, renamed }
    }

    /// The folder that paths in the file are relative to.
    pub fn folder(&self) -> PathBuf {
        self.file.path().parent().unwrap_or(Path::new("")).to_path_buf()
    }

    /// The declaration of a name.
    pub fn declaration(&self, name: &str) -> Option<&Statement> {
        match self.symbols.get(name)? {
            Symbol::Declaration(index) => self.program.statements.get(*index),
            _ => None,
        }
    }

    /// The import of an index.
    pub fn import(&self, index: usize) -> Option<&ImportDeclaration> {
        match &self.program.statements.get(index)?.kind {
            StatementKind::Import(import) => Some(import),
            _ => None,
        }
    }
}
