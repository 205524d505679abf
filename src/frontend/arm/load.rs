//! Templates from disk: finding them, their parameter files, and the files they link to.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;

use super::evaluate::{
    self, Deployed, Inputs, LoadedTemplate, TemplateLoader, deploy, evaluate_literal, on_deep_stack,
};
use super::expression::ast::Expression;
use super::expression::parser::{Place, is_expression, parse_expression, parse_string};
use super::lower::{lower_case, read_parameters, read_template, schema_scope};
use super::model::Template;
use crate::frontend::Sandbox;
use crate::resource::Diagnostic;
use crate::source::{SourceMap, Span};
use crate::value::Value;

/// How a template is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Parameter files, later ones winning. [`parameter_file`] finds the one that goes with a template by its name.
    pub parameter_files: Vec<PathBuf>,
    /// Values of parameters that win over all files, by name.
    pub parameters: Vec<(String, Value)>,
    /// The subscription's id, if it is known.
    pub subscription: Option<EcoString>,
    /// The resource group's name, if it is known.
    pub resource_group: Option<EcoString>,
    /// The resource group's (or the deployment's) location, if it is known.
    pub location: Option<EcoString>,
    /// The folders that links may lead to; the template's own if not given.
    pub sandbox: Option<Sandbox>,
}

impl Options {
    /// As the evaluator takes it, without values of parameters.
    pub(crate) fn inputs(&self) -> Inputs {
        Inputs {
            subscription: self.subscription.clone(),
            resource_group: self.resource_group.clone(),
            location: self.location.clone(),
            ..Inputs::default()
        }
    }
}

/// Reads and evaluates the template in a file. `root` is the index of the root in the run.
///
/// Nothing is an error as a whole: what is wrong with the file is a diagnostic.
pub fn load_template(path: &Path, options: &Options, sources: &SourceMap, root: u32) -> Deployed {
    on_deep_stack(|| {
        let file = match sources.load(path) {
            Ok(file) => file,
            Err(problem) => {
                let message = format!("`{}` cannot be read: {problem}", path.display());
                let diagnostics = vec![Diagnostic::error("unreadable-file", message, Span::NOWHERE)];
                return Deployed { diagnostics, ..Deployed::default() };
            }
        };
        let lowered = read_template(&file);
        let mut diagnostics = lowered.diagnostics;
        let mut inputs = options.inputs();
        let template = lowered.template;
        for path in &options.parameter_files {
            diagnostics.extend(add_parameters(path, &template, sources, &mut inputs));
        }
        for (name, value) in &options.parameters {
            inputs.parameters.insert(lower_case(name), value.clone());
        }
        let sandbox = options.sandbox.clone().unwrap_or_else(|| {
            let folder =
                path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Sandbox::new([folder.to_path_buf()])
        });
        let loader = Loader { sources, sandbox, loaded: RefCell::default() };
        let mut deployed = deploy(Arc::new(template), &inputs, &loader, root);
        diagnostics.append(&mut deployed.diagnostics);
        let mut linked: Vec<PathBuf> = loader.loaded.into_inner().into_keys().collect();
        linked.sort();
        Deployed { diagnostics, linked, ..deployed }
    })
    .unwrap_or_else(|problem| Deployed {
        diagnostics: vec![Diagnostic::error("limit", problem, Span::NOWHERE)],
        ..Deployed::default()
    })
}

fn add_parameters(
    path: &Path,
    template: &Template,
    sources: &SourceMap,
    inputs: &mut Inputs,
) -> Vec<Diagnostic> {
    let file = match sources.load(path) {
        Ok(file) => file,
        Err(problem) => {
            let message = format!("`{}` cannot be read: {problem}", path.display());
            return vec![Diagnostic::error("unreadable-file", message, Span::NOWHERE)];
        }
    };
    let values = match read_parameters(&file) {
        Ok(values) => values,
        Err(problem) => return vec![problem],
    };
    let mut diagnostics = Vec::new();
    for (key, (name, value)) in values {
        if !template.parameters.contains_key(&key) {
            let message = format!("the template has no parameter `{name}`");
            diagnostics.push(Diagnostic::warning("unknown-parameter", message, value.span));
        }
        inputs.parameters.insert(key, evaluate_literal(&value));
    }
    diagnostics
}

/// Evaluates a text as it would stand in a template: an expression with or without its brackets.
///
/// # Errors
/// What is wrong with it, a sentence without a full stop.
pub fn evaluate_expression(text: &str, options: &Options) -> Result<Value, String> {
    on_deep_stack(|| {
        let place = Place::flat(Span::NOWHERE);
        let expression = match is_expression(text) {
            true => parse_string(text, Span::NOWHERE, &place),
            false => parse_expression(text, &place),
        };
        let expression = expression.map_err(|(message, _)| message)?;
        let mut inputs = options.inputs();
        for (name, value) in &options.parameters {
            inputs.parameters.insert(lower_case(name), value.clone());
        }
        evaluate::evaluate(&expression, &inputs)
    })?
}

/// Whether a text is a deployment template: a JSON object whose `$schema` says so. Reads no more of it than needed.
pub fn is_template(text: &str) -> bool {
    top_level_schema(text).and_then(schema_scope).is_some()
}

/// Whether a text is a parameter file.
pub fn is_parameter_file(text: &str) -> bool {
    let schema = top_level_schema(text).map(str::to_ascii_lowercase);
    schema.is_some_and(|schema| schema.trim_end_matches('#').ends_with("deploymentparameters.json"))
}

/// The value of `$schema` among the properties of the outermost object.
fn top_level_schema(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    let mut key: Option<&str> = None;
    let mut after_colon = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            quote @ (b'"' | b'\'') => {
                let start = at + 1;
                at = start;
                while let Some(byte) = bytes.get(at).filter(|byte| *byte != quote) {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
                let content = text.get(start..at.min(text.len()))?;
                if depth == 1 {
                    match (after_colon, key) {
                        (true, Some(name)) if name.eq_ignore_ascii_case("$schema") => return Some(content),
                        (true, _) => {}
                        (false, _) => key = Some(content),
                    }
                }
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += text.get(at..)?.find('\n')?;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += text.get(at..)?.find("*/")? + 1;
            }
            b'{' | b'[' => {
                if depth == 0 && *byte == b'[' {
                    return None;
                }
                depth += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return None;
                }
            }
            b':' if depth == 1 => after_colon = true,
            b',' if depth == 1 => {
                after_colon = false;
                key = None;
            }
            byte if depth == 0 && !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf) => {
                return None;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The parameter file that goes with a template by its name: `azuredeploy.parameters.json` for `azuredeploy.json`.
pub fn parameter_file(template: &Path) -> Option<PathBuf> {
    let stem = template.file_stem()?.to_str()?;
    let candidate = template.with_file_name(format!("{stem}.parameters.json"));
    candidate.is_file().then_some(candidate)
}

/// The templates among files: those whose text says so, without those that another one links to by a relative path and
/// that therefore are evaluated inside it. In the order of the paths.
pub fn discover(files: &[PathBuf], sources: &SourceMap) -> Vec<PathBuf> {
    let mut templates: Vec<PathBuf> = files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")))
        .filter(|path| sources.load(path).is_ok_and(|file| is_template(file.text())))
        .cloned()
        .collect();
    templates.sort();
    let mut linked = std::collections::HashSet::new();
    for path in &templates {
        let Some(file) = sources.by_path(path) else { continue };
        for link in relative_links(file.text()) {
            if let Some(target) =
                path.parent().and_then(|folder| std::fs::canonicalize(folder.join(link)).ok())
            {
                linked.insert(target);
            }
        }
    }
    templates.retain(|path| {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        !linked.contains(&real)
    });
    templates
}

/// The plain texts of `relativePath` properties.
fn relative_links(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("\"relativePath\"").filter_map(|(at, name)| {
        let rest =
            text.get(at + name.len()..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        let link = rest.get(..rest.find('"')?)?;
        (!link.starts_with('[')).then_some(link)
    })
}

/// Reads linked templates within a sandbox, each file once.
struct Loader<'s> {
    sources: &'s SourceMap,
    sandbox: Sandbox,
    loaded: RefCell<HashMap<PathBuf, Arc<Template>>>,
}

impl Loader<'_> {
    fn resolve(&self, folder: &Path, link: &str) -> Result<PathBuf, String> {
        let missing = || format!("`{link}` is not on disk");
        if link.is_empty() || link.contains("://") {
            return Err(missing());
        }
        let link = link.replace('\\', "/");
        let path = folder.join(link.trim_start_matches("./"));
        let real = self.sandbox.resolve(&path).ok_or_else(missing)?;
        if real.is_file() { Ok(path) } else { Err(missing()) }
    }
}

impl TemplateLoader for Loader<'_> {
    fn load(&self, folder: &Path, link: &str) -> Result<LoadedTemplate, String> {
        let path = self.resolve(folder, link)?;
        if let Some(template) = self.loaded.borrow().get(&path) {
            return Ok(LoadedTemplate { template: Arc::clone(template), diagnostics: Vec::new() });
        }
        let file =
            self.sources.load(&path).map_err(|problem| format!("`{link}` cannot be read: {problem}"))?;
        let lowered = read_template(&file);
        let template = Arc::new(lowered.template);
        self.loaded.borrow_mut().insert(path, Arc::clone(&template));
        Ok(LoadedTemplate { template, diagnostics: lowered.diagnostics })
    }

    fn load_parameters(&self, folder: &Path, link: &str) -> Result<IndexMap<EcoString, Expression>, String> {
        let path = self.resolve(folder, link)?;
        let file =
            self.sources.load(&path).map_err(|problem| format!("`{link}` cannot be read: {problem}"))?;
        let values = read_parameters(&file).map_err(|problem| problem.message)?;
        Ok(values.into_iter().map(|(key, (_, value))| (key, value)).collect())
    }
}
