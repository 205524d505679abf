//! Values for variables: from the environment, from files, from the command line, from module calls, from defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;

use super::evaluator::{Evaluator, Node};
use super::load::{files_in, is_json, read};
use super::module::{Module, Variable};
use super::scope::Scope;
use super::syntax::ast::Expression;
use super::syntax::{parse_expression, parse_hcl, parse_json_values};
use super::types::convert;
use crate::resource::Diagnostic;
use crate::source::{FileId, SourceMap, Span};
use crate::value::{Cause, Unknown, Value, ValueKind};

/// How a run is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// `-var` and `-var-file`, in the order in which they were given: later ones win.
    pub variables: Vec<VariableArgument>,
    /// The same for the roots at or below some paths; these count before [`Options::variables`].
    pub root_variables: Vec<(PathBuf, Vec<VariableArgument>)>,
    /// The environment; what is named `TF_VAR_…` counts.
    pub environment: BTreeMap<String, String>,
    /// What `terraform.workspace` is.
    pub workspace: String,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            variables: Vec::new(),
            root_variables: Vec::new(),
            environment: BTreeMap::new(),
            workspace: "default".to_string(),
        }
    }
}

/// Those of some arguments that are for a root: given for the root itself, or for a folder in which it lies. The nearer come
/// later, and so win.
pub fn arguments_of(
    given: &[(PathBuf, Vec<VariableArgument>)],
    root: &Path,
) -> impl Iterator<Item = VariableArgument> {
    let canonical = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let root = if given.is_empty() { PathBuf::new() } else { canonical(root) };
    let mut fitting: Vec<(usize, &Vec<VariableArgument>)> = given
        .iter()
        .map(|(path, arguments)| (canonical(path), arguments))
        .filter(|(path, _)| root.starts_with(path))
        .map(|(path, arguments)| (path.components().count(), arguments))
        .collect();
    fitting.sort_by_key(|(depth, _)| *depth);
    fitting.into_iter().flat_map(|(_, arguments)| arguments.clone()).collect::<Vec<_>>().into_iter()
}

/// One variable, or one file of them, of the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum VariableArgument {
    /// `-var name=text`: text for variables of type string, number, bool or none; an expression for all others.
    Text(String, String),
    /// `-var-file path`
    File(PathBuf),
    /// A variable's value as JSON, as a plan holds it. It stands in no file.
    Json(String, String),
}

/// The values that a root's variables were given, by name. Values of undeclared variables are among them.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    values: FxHashMap<EcoString, Input>,
}

#[derive(Debug)]
enum Input {
    Text(String),
    Expression(Expression),
}

impl Inputs {
    /// Collects the values for one root, in Terraform's order: the environment, `terraform.tfvars`,
    /// `terraform.tfvars.json`, `*.auto.tfvars` and `*.auto.tfvars.json` by name, then the command line.
    pub fn collect(
        root: &Path,
        options: &Options,
        sources: &SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Inputs {
        let mut inputs = Inputs::default();
        for (name, text) in &options.environment {
            if let Some(name) = name.strip_prefix("TF_VAR_") {
                inputs.values.insert(name.into(), Input::Text(text.clone()));
            }
        }
        for name in ["terraform.tfvars", "terraform.tfvars.json"] {
            let path = root.join(name);
            if path.is_file() {
                inputs.read_file(&path, sources, diagnostics);
            }
        }
        let automatic = |name: &str| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
        for path in files_in(root, automatic) {
            inputs.read_file(&path, sources, diagnostics);
        }
        for argument in arguments_of(&options.root_variables, root).chain(options.variables.iter().cloned()) {
            match &argument {
                VariableArgument::Text(name, text) => {
                    inputs.values.insert(name.as_str().into(), Input::Text(text.clone()));
                }
                VariableArgument::File(path) => inputs.read_file(path, sources, diagnostics),
                VariableArgument::Json(name, json) => {
                    // What cannot be read leaves the variable without a value.
                    if let Ok(expression) = parse_expression(&literal_json(json), FileId::default(), 0) {
                        inputs.values.insert(name.as_str().into(), Input::Expression(expression));
                    }
                }
            }
        }
        inputs
    }

    fn read_file(&mut self, path: &Path, sources: &SourceMap, diagnostics: &mut Vec<Diagnostic>) {
        let file = match read(sources, path) {
            Ok(file) => file,
            Err(problem) => {
                diagnostics.push(problem);
                return;
            }
        };
        let parsed = if is_json(&file) { parse_json_values(&file) } else { parse_hcl(&file) };
        diagnostics.extend(parsed.diagnostics);
        for block in &parsed.body.blocks {
            let message = format!("`{}` is a block; a file of variables has only values", block.block_type);
            diagnostics.push(Diagnostic::warning("unsupported", message, block.header));
        }
        for attribute in parsed.body.attributes {
            self.values.insert(attribute.name, Input::Expression(attribute.value));
        }
    }
}

/// JSON as an expression: what looks like a template in its strings is text.
fn literal_json(json: &str) -> String {
    let plain = serde_json::from_str::<serde_json::Value>(json).map(|value| value.to_string());
    plain.as_deref().unwrap_or(json).replace("${", "$${").replace("%{", "%%{")
}

/// Values on the command line that no root declares a variable for.
pub(super) fn undeclared_arguments(options: &Options, modules: &[&Module]) -> Vec<Diagnostic> {
    let undeclared = options.variables.iter().filter_map(|argument| match argument {
        VariableArgument::Text(name, _) => {
            let declared = modules.iter().any(|module| module.variables.contains_key(name.as_str()));
            (!declared).then_some(name)
        }
        VariableArgument::File(_) | VariableArgument::Json(..) => None,
    });
    let message =
        |name: &String| format!("a value was given for `{name}`, but no root module has this variable");
    undeclared.map(|name| Diagnostic::warning("undeclared-variable", message(name), Span::NOWHERE)).collect()
}

impl Evaluator<'_> {
    /// The value of a variable of a module instance.
    pub(super) fn variable_value(&self, node: &Rc<Node>, name: &EcoString, variable: &Variable) -> Value {
        let given = match &node.caller {
            Some(caller) => {
                let call = caller.node.module.calls.get_index(caller.call).map(|(_, call)| call);
                call.and_then(|call| call.argument(name)).map(|attribute| {
                    let scope = Scope::of_node(&caller.node).repeated(&caller.repetition);
                    self.evaluate(&attribute.value, &scope)
                })
            }
            None => self.inputs.values.get(name).map(|input| self.input_value(node, name, variable, input)),
        };
        let default = || match &variable.default {
            Some(default) => self.evaluate(default, &Scope::of_node(node)),
            None => {
                let address = node.absolute(&eco_format!("var.{name}"));
                let message = match node.caller {
                    Some(_) => format!("`{address}` is required, but the call does not set it"),
                    None => format!("`{address}` has no value"),
                };
                let note = Diagnostic::note("variable-without-value", message, variable.header);
                let help = format!("give it one with `--var {name}=…`, `--var-file`, or in a .tfvars file");
                self.keep(vec![if node.caller.is_none() { note.with_help(help) } else { note }]);
                let unknown = Unknown { cause: Cause::Input(address), span: variable.header };
                Value::new(ValueKind::Unknown(unknown.into()), variable.header)
            }
        };
        let value = match given {
            Some(value) if value.is_null() && !variable.nullable && variable.default.is_some() => default(),
            Some(value) => value,
            None => default(),
        };
        let value = match &variable.constraint {
            Some((constraint, defaults)) => {
                let value = defaults.apply(&value);
                match convert(&value, constraint) {
                    Ok(converted) => converted,
                    Err(problem) => {
                        let address = node.absolute(&eco_format!("var.{name}"));
                        let span = value.span.or(variable.header);
                        self.fail(span, format!("the value of `{address}` does not fit its type: {problem}"))
                    }
                }
            }
            None => value,
        };
        value.marked(variable.sensitive)
    }

    fn input_value(&self, node: &Rc<Node>, name: &EcoString, variable: &Variable, input: &Input) -> Value {
        match input {
            Input::Expression(expression) => {
                let scope = Scope { closed: true, ..Scope::of_node(node) };
                self.evaluate(expression, &scope)
            }
            Input::Text(text) => {
                let literal = match &variable.constraint {
                    Some((constraint, _)) => constraint.is_primitive(),
                    None => true,
                };
                if literal {
                    return Value::string(text.as_str(), Span::NOWHERE);
                }
                match parse_expression(text, FileId::default(), 0) {
                    Ok(expression) => {
                        let scope = Scope { closed: true, ..Scope::of_node(node) };
                        self.evaluate(&expression, &scope)
                    }
                    Err(problem) => {
                        let message =
                            format!("the value given for `var.{name}` cannot be read: {}", problem.message);
                        self.fail(variable.header, message)
                    }
                }
            }
        }
    }
}
