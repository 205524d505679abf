//! Plans, with the configuration that they were made from when it is at hand.

use std::path::Path;

use crate::frontend::{plan, terraform};
use crate::resource::{Configuration, Language, Root};
use crate::source::{SourceFile, SourceMap};

/// Reads a plan as the root of a number.
pub(super) fn load(
    file: &SourceFile,
    root: u32,
    source: Option<&Path>,
    options: &terraform::Options,
    sources: &SourceMap,
) -> Configuration {
    let mut configuration = Configuration {
        roots: vec![Root { path: file.display().to_string(), language: Language::TerraformPlan }],
        ..Configuration::default()
    };
    let mut plan = match plan::load(file.text(), root) {
        Ok(plan) => plan,
        Err(mut problem) => {
            problem.span = problem.span.or(crate::source::Span::new(file.id(), 0, 0));
            configuration.diagnostics.push(problem);
            return configuration;
        }
    };
    configuration.diagnostics.append(&mut plan.diagnostics);
    if let Some(source) = source {
        let discovery = terraform::discover(&[source.to_path_buf()], sources);
        let options = terraform::Options { variables: given(&plan, options), ..options.clone() };
        let mut evaluated = terraform::load(&discovery, root, &options, sources);
        // Below the folder there may be more roots (tests, examples); the plan was made in the topmost one.
        let top = evaluated.roots.iter().enumerate().min_by_key(|(_, root)| root.path.len());
        let top = root + top.map_or(0, |(index, _)| index as u32);
        evaluated.resources.retain(|resource| resource.key.root == top);
        plan::locate(&mut plan.after, &evaluated.resources);
        configuration.diagnostics.extend(evaluated.diagnostics);
    }
    configuration.resources = plan.after;
    configuration.before = plan.before;
    configuration
}

/// The plan's own values for the variables, so that the source evaluates to what was planned.
fn given(plan: &plan::Plan, options: &terraform::Options) -> Vec<terraform::VariableArgument> {
    let planned = plan
        .variables
        .iter()
        .map(|(name, json)| terraform::VariableArgument::Json(name.clone(), json.clone()));
    options.variables.iter().cloned().chain(planned).collect()
}
