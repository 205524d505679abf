//! Evaluates Bicep files and ARM templates, with their parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::frontend::terraform::{self, VariableArgument};
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
    let nested = deployed_by_others(deployments, &loaded);
    for (index, one) in loaded.into_iter().enumerate() {
        configuration.roots.push(one.root);
        if nested.contains(&index) {
            continue;
        }
        configuration.resources.extend(one.resources);
        for diagnostic in one.diagnostics {
            // A module that several deployments use says the same for each.
            if !configuration.diagnostics.contains(&diagnostic) {
                configuration.diagnostics.push(diagnostic);
            }
        }
    }
    configuration
}

/// What one deployment comes to.
struct Loaded {
    root: Root,
    resources: Vec<Resource>,
    diagnostics: Vec<Diagnostic>,
    /// The files of the templates that it links to.
    linked: Vec<PathBuf>,
}

/// The positions of the templates that another one turned out to link to: they are checked inside that, with the parameters
/// that it gives. What the user named is checked by itself as well; of templates that link to each other, the first is.
fn deployed_by_others(deployments: &[Deployment], loaded: &[Loaded]) -> BTreeSet<usize> {
    let identity = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let positions: BTreeMap<PathBuf, usize> =
        deployments.iter().enumerate().map(|(index, one)| (identity(one.path()), index)).collect();
    let links: Vec<BTreeSet<usize>> = loaded
        .iter()
        .map(|one| one.linked.iter().filter_map(|path| positions.get(&identity(path)).copied()).collect())
        .collect();
    let reaches = |from: usize, to: usize| links.get(from).is_some_and(|links| links.contains(&to));
    let nested = |index: usize| {
        (0..links.len())
            .any(|other| other != index && reaches(other, index) && (other < index || !reaches(index, other)))
    };
    let named = |index: usize| matches!(deployments.get(index), Some(Deployment::Template(_, true)));
    (0..links.len()).filter(|index| !named(*index) && nested(*index)).collect()
}

fn load_one(deployment: &Deployment, root: u32, run: &Options, sources: &SourceMap) -> Loaded {
    let of = |path: &Path, language| Root { path: display_path(path), language };
    let template = |path: &Path, mut diagnostics: Vec<Diagnostic>| {
        let deployed = arm::load_template(path, &arm_options(path, run), sources, root);
        diagnostics.extend(deployed.diagnostics);
        let (resources, linked) = (deployed.resources, deployed.linked);
        Loaded { root: of(path, Language::Arm), resources, diagnostics, linked }
    };
    match deployment {
        Deployment::Template(path, _) => template(path, Vec::new()),
        Deployment::Bicep(path, compiled) => {
            let options = bicep::Options {
                deployment: bicep_options(path, run),
                module_cache: run.module_cache.clone(),
            };
            let loaded = bicep::load(path, &options, sources, root);
            match compiled {
                Some(compiled) if loaded.unreadable => template(compiled, loaded.diagnostics),
                _ => Loaded {
                    root: of(path, Language::Bicep),
                    resources: loaded.resources,
                    diagnostics: loaded.diagnostics,
                    linked: Vec::new(),
                },
            }
        }
    }
}

/// The parameter file that lies beside a template counts first, then what the command line gives, in its order.
fn arm_options(template: &Path, run: &Options) -> arm::Options {
    let beside = arm::parameter_file(template);
    let given = files(template, run).filter(|path| !is(path, "bicepparam"));
    arm::Options {
        parameter_files: beside.into_iter().chain(given).collect(),
        ..common_options(template, run)
    }
}

/// As for templates; a parameters file names its template and brings its own values.
fn bicep_options(file: &Path, run: &Options) -> arm::Options {
    let beside = if is(file, "bicep") { arm::parameter_file(file) } else { None };
    arm::Options {
        parameter_files: beside.into_iter().chain(files(file, run)).collect(),
        ..common_options(file, run)
    }
}

fn common_options(root: &Path, run: &Options) -> arm::Options {
    let parameters = arguments(root, run).filter_map(|argument| match argument {
        VariableArgument::Text(name, text) | VariableArgument::Json(name, text) => Some((name, value(&text))),
        VariableArgument::File(_) => None,
    });
    arm::Options {
        parameters: parameters.collect(),
        sandbox: Some(Sandbox::of_root(root, &run.paths)),
        ..arm::Options::default()
    }
}

/// What is given to a deployment: what is set for its root, then the command line.
fn arguments(root: &Path, run: &Options) -> impl Iterator<Item = VariableArgument> {
    terraform::arguments_of(&run.root_variables, root).chain(run.variables.iter().cloned())
}

/// The parameter files among these.
fn files(root: &Path, run: &Options) -> impl Iterator<Item = PathBuf> {
    arguments(root, run).filter_map(|argument| match argument {
        VariableArgument::File(path) if is_for_templates(&path) => Some(path),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyzer::model;

    const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";

    /// A template that deploys the one of that name in its folder, by a link that is put together at deployment.
    fn linking(to: &str) -> String {
        format!(
            r#"{{ "$schema": "{SCHEMA}", "contentVersion": "1.0.0.0", "resources": [
                {{ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inner", "properties": {{
                    "mode": "Incremental",
                    "templateLink": {{ "uri": "[uri(deployment().properties.templateLink.uri, '{to}')]" }},
                    "parameters": {{ "range": {{ "value": "10.0.0.0/16" }} }}
                }} }}
            ] }}"#
        )
    }

    fn network() -> String {
        format!(
            r#"{{ "$schema": "{SCHEMA}", "contentVersion": "1.0.0.0",
                "parameters": {{ "range": {{ "type": "string", "defaultValue": "" }} }},
                "resources": [
                    {{ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-04-01", "name": "vnet",
                       "properties": {{ "addressSpace": {{ "addressPrefixes": [ "[parameters('range')]" ] }} }} }}
                ] }}"#
        )
    }

    fn networks(files: &[(&str, String)], named: &[&str]) -> usize {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut paths: Vec<PathBuf> = named.iter().map(|name| folder.path().join(name)).collect();
        paths.push(folder.path().to_path_buf());
        let options = Options { paths, ..Options::default() };
        model(&SourceMap::new(), &options, &|_| ()).topology.virtual_networks.len()
    }

    #[test]
    fn a_linked_template_is_checked_inside_the_one_that_links_to_it() {
        let files = [("azuredeploy.json", linking("nested/net.json")), ("nested/net.json", network())];
        assert_eq!(networks(&files, &[]), 1);
        assert_eq!(
            networks(&files, &["nested/net.json"]),
            2,
            "what the user named is checked by itself as well"
        );
        assert_eq!(networks(&files[1..], &[]), 1);
    }

    #[test]
    fn of_templates_that_link_to_each_other_one_is_checked() {
        let files = [("a.json", linking("b.json")), ("b.json", linking("a.json")), ("c.json", network())];
        assert_eq!(networks(&files, &[]), 1);
    }
}
