//! Evaluates Bicep files and ARM templates, with their parameters.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::frontend::terraform::VariableArgument;
use crate::frontend::{Sandbox, arm, bicep};
use crate::resource::{Configuration, Diagnostic, Language, Resource, Root};
use crate::source::{SourceMap, Span, display_path};
use crate::value::{Entry, MappingKind, Number, SequenceKind, Value};

use super::Options;
use super::deployments::{Deployment, is};

/// Evaluates deployments; the first has the number `first_root`.
pub(super) fn load(
    deployments: &[Deployment],
    first_root: u32,
    run: &Options,
    sources: &SourceMap,
) -> Configuration {
    let loaded: Vec<_> = deployments
        .par_iter()
        .enumerate()
        .map(|(index, deployment)| load_one(deployment, first_root + index as u32, run, sources))
        .collect();
    let mut configuration = Configuration::default();
    for (root, resources, diagnostics) in loaded {
        configuration.roots.push(root);
        configuration.resources.extend(resources);
        for diagnostic in diagnostics {
            // A module that several deployments use says the same for each.
            if !configuration.diagnostics.contains(&diagnostic) {
                configuration.diagnostics.push(diagnostic);
            }
        }
    }
    configuration
}

fn load_one(
    deployment: &Deployment,
    root: u32,
    run: &Options,
    sources: &SourceMap,
) -> (Root, Vec<Resource>, Vec<Diagnostic>) {
    let of = |path: &Path, language| Root { path: display_path(path), language };
    let template = |path: &Path, mut diagnostics: Vec<Diagnostic>| {
        let deployed = arm::load_template(path, &arm_options(path, run), sources, root);
        diagnostics.extend(deployed.diagnostics);
        (of(path, Language::Arm), deployed.resources, diagnostics)
    };
    match deployment {
        Deployment::Template(path) => template(path, Vec::new()),
        Deployment::Bicep(path, compiled) => {
            let options = bicep::Options {
                deployment: bicep_options(path, run),
                module_cache: run.module_cache.clone(),
            };
            let loaded = bicep::load(path, &options, sources, root);
            match compiled {
                Some(compiled) if loaded.unreadable => template(compiled, loaded.diagnostics),
                _ => (of(path, Language::Bicep), loaded.resources, loaded.diagnostics),
            }
        }
    }
}

/// The parameter file that lies beside a template counts first, then what the command line gives, in its order.
fn arm_options(template: &Path, run: &Options) -> arm::Options {
    let beside = arm::parameter_file(template);
    let given = files(run).filter(|path| !is(path, "bicepparam"));
    arm::Options {
        parameter_files: beside.into_iter().chain(given).collect(),
        ..common_options(template, run)
    }
}

/// As for templates; a parameters file names its template and brings its own values.
fn bicep_options(file: &Path, run: &Options) -> arm::Options {
    let beside = if is(file, "bicep") { arm::parameter_file(file) } else { None };
    arm::Options {
        parameter_files: beside.into_iter().chain(files(run)).collect(),
        ..common_options(file, run)
    }
}

fn common_options(root: &Path, run: &Options) -> arm::Options {
    let parameters = run.variables.iter().filter_map(|argument| match argument {
        VariableArgument::Text(name, text) | VariableArgument::Json(name, text) => {
            Some((name.clone(), value(text)))
        }
        VariableArgument::File(_) => None,
    });
    arm::Options {
        parameters: parameters.collect(),
        sandbox: Some(Sandbox::of_root(root, &run.paths)),
        ..arm::Options::default()
    }
}

/// The parameter files of the command line.
fn files(run: &Options) -> impl Iterator<Item = PathBuf> {
    run.variables.iter().filter_map(|argument| match argument {
        VariableArgument::File(path) if is_for_templates(path) => Some(path.clone()),
        _ => None,
    })
}

/// Whether a file of values is one for templates, not for Terraform.
pub(super) fn is_for_templates(path: &Path) -> bool {
    let is_parameter_file = || std::fs::read_to_string(path).is_ok_and(|text| arm::is_parameter_file(&text));
    is(path, "bicepparam") || is(path, "json") && is_parameter_file()
}

/// The value of a command-line argument: JSON where it is a list, an object, a truth value or a whole number, else text, as
/// the Azure command line reads it.
pub(super) fn value(text: &str) -> Value {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) if !json.is_string() && !json.is_f64() && !json.is_null() => of_json(&json),
        _ => Value::string(text, Span::NOWHERE),
    }
}

/// JSON as a value that no file holds. `serde_json` limits how deep it nests.
fn of_json(json: &serde_json::Value) -> Value {
    let nowhere = Span::NOWHERE;
    match json {
        serde_json::Value::Null => Value::null(nowhere),
        serde_json::Value::Bool(value) => Value::bool(*value, nowhere),
        serde_json::Value::Number(number) => match Number::parse(&number.to_string()) {
            Some(number) => Value::number(number, nowhere),
            None => Value::string(number.to_string(), nowhere),
        },
        serde_json::Value::String(text) => Value::string(text.as_str(), nowhere),
        serde_json::Value::Array(items) => {
            Value::sequence(SequenceKind::Tuple, items.iter().map(of_json).collect(), nowhere)
        }
        serde_json::Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(name, json)| (name.as_str().into(), Entry { span: nowhere, value: of_json(json) }));
            Value::mapping(MappingKind::Object, entries, nowhere)
        }
    }
}
