//! Bicep: source files to evaluated resources, natively, so that findings stand on Bicep lines.
//!
//! [`syntax`] reads the files, `lower` turns them into the template model, and the evaluator that ARM templates in JSON
//! use too does the rest. Modules on disk are read; of modules in registries, those that the Bicep compiler has
//! downloaded, and the network modules of Azure Verified Modules, whose parameters are modelled in `verified`.

mod discovery;
mod lower;
mod parameters;
mod registry;
mod suppressions;
pub mod syntax;
#[cfg(test)]
mod tests;
mod unit;
mod verified;
mod yaml;

use std::path::{Path, PathBuf};

use ecow::EcoString;
use indexmap::IndexMap;

use super::arm::evaluate;
use super::arm::lower::{lower_case, read_parameters};
use super::{Sandbox, arm};
use crate::resource::{Diagnostic, Resource};
use crate::source::{SourceFile, SourceMap, Span};
use crate::value::Value;

pub use discovery::{Referenced, Role, is_compiled_from, referenced_files};
pub use suppressions::suppressions;

/// In which language a module or template file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Language {
    Bicep,
    Json,
}

/// How a Bicep file is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where it is deployed, values and files of parameters (`.bicepparam` or JSON), and the sandbox: the folder of the
    /// file if not given.
    pub deployment: arm::Options,
    /// The folder in which the Bicep compiler keeps downloaded modules; see [`default_module_cache`].
    pub module_cache: Option<PathBuf>,
}

/// What a Bicep file comes to.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The resources of the file and its modules, in the order in which they were written.
    pub resources: Vec<Resource>,
    /// The outputs, by name as it was written.
    pub outputs: IndexMap<EcoString, Value>,
    /// What is to be said about the input.
    pub diagnostics: Vec<Diagnostic>,
    /// Nothing of the file could be read: a compiled template beside it should be checked instead.
    pub unreadable: bool,
}

/// Where the Bicep compiler keeps downloaded modules: `.bicep` in the user's folder.
pub fn default_module_cache() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
    (!home.is_empty()).then(|| Path::new(&home).join(".bicep"))
}

/// Reads and evaluates a Bicep file with its modules, or the template that a parameters file names, with its values.
///
/// Only files inside the sandbox are read (and modules in the cache). `root` is the index of the root in the run.
/// Nothing is an error as a whole: what is wrong with the file is a diagnostic.
pub fn load(path: &Path, options: &Options, map: &SourceMap, root: u32) -> Loaded {
    let work = || load_here(path, options, map, root);
    evaluate::on_deep_stack(work).unwrap_or_else(|message| Loaded {
        diagnostics: vec![Diagnostic::error("limit", message, Span::NOWHERE)],
        unreadable: true,
        ..Loaded::default()
    })
}

fn load_here(path: &Path, options: &Options, map: &SourceMap, root: u32) -> Loaded {
    let deployment = &options.deployment;
    let sandbox = deployment.sandbox.clone().unwrap_or_else(|| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Sandbox::new([folder.to_path_buf()])
    });
    let mut compiler = lower::Compiler::new(map, &sandbox, options);
    let mut inputs = deployment.inputs();
    let mut values = IndexMap::new();
    let mut template_path = path.to_path_buf();
    if is_parameters_file(path) {
        match parameters::read(&mut compiler, path) {
            Ok(read) => {
                values.extend(read.values);
                match read.template {
                    Some(template) => template_path = template,
                    None => {
                        return Loaded { diagnostics: compiler.diagnostics, ..Loaded::default() };
                    }
                }
            }
            Err(message) => return unreadable(compiler.diagnostics, message),
        }
    }
    for file in &deployment.parameter_files {
        let read = if is_parameters_file(file) {
            parameters::read(&mut compiler, file).map(|read| read.values)
        } else {
            json_parameters(&mut compiler, file)
        };
        match read {
            Ok(read) => values.extend(read),
            Err(message) => {
                compiler.diagnostics.push(Diagnostic::error("unreadable-file", message, Span::NOWHERE));
            }
        }
    }
    let given = deployment.parameters.iter();
    values.extend(given.map(|(name, value)| (lower_case(name), value.clone())));
    inputs.parameters = values;

    let opened = compiler.open_root(&template_path);
    let (real, file) = match opened {
        Ok(opened) => opened,
        Err(message) => return unreadable(compiler.diagnostics, message),
    };
    let unit = compiler.unit(real.clone(), std::sync::Arc::clone(&file));
    let empty = unit.program.statements.is_empty();
    let template = match compiler.template(real, file) {
        Ok(template) => template,
        Err(message) => return unreadable(compiler.diagnostics, message),
    };
    let mut diagnostics = compiler.diagnostics;
    let unreadable = empty && !diagnostics.is_empty();
    let deployed = evaluate::deploy(template, &inputs, &evaluate::NoFiles, root);
    diagnostics.extend(deployed.diagnostics);
    Loaded { resources: deployed.resources, outputs: deployed.outputs, diagnostics, unreadable }
}

fn unreadable(mut diagnostics: Vec<Diagnostic>, message: String) -> Loaded {
    diagnostics.push(Diagnostic::error("unreadable-file", message, Span::NOWHERE));
    Loaded { diagnostics, unreadable: true, ..Loaded::default() }
}

fn is_parameters_file(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("bicepparam"))
}

fn json_parameters(
    compiler: &mut lower::Compiler<'_>,
    path: &Path,
) -> Result<IndexMap<EcoString, Value>, String> {
    let file = compiler.map.load(path).map_err(|problem| format!("{}: {problem}", path.display()))?;
    match read_parameters(&file) {
        Ok(read) => {
            Ok(read.into_iter().map(|(key, (_, value))| (key, evaluate::evaluate_literal(&value))).collect())
        }
        Err(diagnostic) => {
            compiler.diagnostics.push(diagnostic);
            Ok(IndexMap::new())
        }
    }
}

/// Evaluates one Bicep expression, in a file without declarations.
///
/// # Errors
/// The problems, if there are some.
pub fn evaluate_expression(file: &SourceFile, options: &arm::Options) -> Result<Value, Vec<Diagnostic>> {
    let (expression, diagnostics) = syntax::parse_expression(file);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let mut inputs = options.inputs();
    let given = options.parameters.iter();
    inputs.parameters.extend(given.map(|(name, value)| (lower_case(name), value.clone())));
    let work = || {
        let map = SourceMap::new();
        let sandbox = Sandbox::new([]);
        let options = Options::default();
        let mut compiler = lower::Compiler::new(&map, &sandbox, &options);
        let lowered = compiler.expression(file, &expression);
        if !compiler.diagnostics.is_empty() {
            return Err(compiler.diagnostics);
        }
        evaluate::evaluate(&lowered, &inputs)
            .map_err(|message| vec![Diagnostic::error("evaluation-error", message, expression.span)])
    };
    evaluate::on_deep_stack(work)
        .unwrap_or_else(|message| Err(vec![Diagnostic::error("limit", message, expression.span)]))
}
