//! Plans, with the configuration that they were made from when it is at hand.

use std::collections::BTreeSet;
use std::path::Path;

use crate::frontend::{plan, terraform};
use crate::resource::{Configuration, Diagnostic, Language, Root};
use crate::source::{SourceMap, Span, display_path};

use super::inputs::PlanInput;

/// Reads a plan as the root of a number. The configuration that it was made from is in the `source` that was named, or in
/// the working directory when what is planned is all there.
pub(super) fn load(
    input: PlanInput,
    root: u32,
    source: Option<&Path>,
    options: &terraform::Options,
    sources: &SourceMap,
) -> Configuration {
    let PlanInput { file, text } = input;
    let mut configuration = Configuration {
        roots: vec![Root { path: file.display().to_string(), language: Language::TerraformPlan }],
        ..Configuration::default()
    };
    let here = Span::new(file.id(), 0, 0);
    let mut plan = match plan::load(&text, root) {
        Ok(plan) => plan,
        Err(mut problem) => {
            problem.span = problem.span.or(here);
            configuration.diagnostics.push(problem);
            return configuration;
        }
    };
    // It is large, and nothing points into it.
    drop(text);
    for mut diagnostic in plan.diagnostics.drain(..) {
        diagnostic.span = diagnostic.span.or(here);
        configuration.diagnostics.push(diagnostic);
    }
    let folder = source.unwrap_or(Path::new("."));
    let discovery = terraform::one_root(folder, sources);
    if discovery.roots.is_empty() {
        if source.is_some() {
            let message = format!("there is no Terraform configuration in {}", display_path(folder));
            configuration.diagnostics.push(Diagnostic::error("unreadable-file", message, Span::NOWHERE));
        }
    } else {
        let options = terraform::Options { variables: given(&plan, options), ..options.clone() };
        let evaluated = terraform::load(&discovery, root, &options, sources);
        if fits(&plan, &evaluated) {
            plan::locate(&mut plan.after, &evaluated.resources);
            configuration.diagnostics.extend(evaluated.diagnostics);
        } else if source.is_some() {
            let message = format!(
                "the plan was not made from the configuration in {}, so findings point at addresses only",
                display_path(folder)
            );
            configuration.diagnostics.push(Diagnostic::warning("source-does-not-fit", message, here));
        }
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

/// Whether everything that is planned stands in a configuration.
fn fits(plan: &plan::Plan, evaluated: &Configuration) -> bool {
    let written: BTreeSet<&str> = evaluated
        .resources
        .iter()
        .map(|resource| resource.key.address.as_str())
        .chain(evaluated.opaque.iter().map(|opaque| opaque.key.address.as_str()))
        .map(plan::outermost)
        .collect();
    let planned: BTreeSet<&str> = plan
        .after
        .iter()
        .map(|resource| plan::outermost(&resource.key.address))
        .filter(|name| plan.blocks.is_empty() || plan.blocks.contains(*name))
        .collect();
    !planned.is_empty() && planned.is_subset(&written)
}
