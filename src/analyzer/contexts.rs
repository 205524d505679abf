//! Topologies of other repositories.

use std::collections::BTreeSet;
use std::path::Path;

use crate::finding::{Finding, Related};
use crate::frontend::{plan, topology};
use crate::resource::{Configuration, Diagnostic, Language};
use crate::rules::{self, Context, Outcome, Rule};
use crate::source::{SourceMap, Span, decode, display_path};
use crate::topology::{Place, Topology, build};
use crate::value::ResourceKey;

use super::Model;

/// Larger documents are refused. That of a thousand spokes has some twenty megabytes.
const LARGEST: u64 = 512 << 20;

/// Reads a topology that another run wrote, as roots from a number on.
pub(super) fn load(path: &Path, first_root: u32, sources: &SourceMap) -> Configuration {
    read(path, first_root, sources)
        .unwrap_or_else(|problem| Configuration { diagnostics: vec![problem], ..Configuration::default() })
}

fn read(path: &Path, first_root: u32, sources: &SourceMap) -> Result<Configuration, Diagnostic> {
    let shown = display_path(path);
    let unreadable = |why: String| {
        Diagnostic::error(
            "unreadable-file",
            format!("cannot read the topology `{shown}`: {why}"),
            Span::NOWHERE,
        )
    };
    let metadata = std::fs::metadata(path).map_err(|problem| match problem.kind() {
        std::io::ErrorKind::NotFound => unreadable("there is nothing there".into()),
        _ => unreadable(problem.to_string()),
    })?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a file".into()));
    }
    if metadata.len() > LARGEST {
        return Err(unreadable(format!("it has more than {} megabytes", LARGEST >> 20)));
    }
    let bytes = std::fs::read(path).map_err(|problem| unreadable(problem.to_string()))?;
    let text = decode(bytes).map_err(|problem| unreadable(problem.to_string()))?;
    if plan::is_plan(&text) {
        let message = format!("`{shown}` is a plan, not a topology");
        let help = "Write its topology with `portolan topology PLAN --output FILE`, or check it as a path.";
        return Err(Diagnostic::error("not-a-topology", message, Span::NOWHERE).with_help(help));
    }
    // Nothing points into it, and its lines are not to be shown.
    topology::load(&text, first_root, &sources.add(path, ""))
}

/// Leaves out what rules said of contexts: that is for the repositories which they are from. What they have no part in is
/// told by nobody else: a finding at a context that is not there without what is here starts at what is here.
pub(super) fn leave_out(outcome: &mut Outcome, model: &Model, rules: &[&'static Rule]) {
    let is_context = |root: u32| {
        let root = model.configuration.roots.get(root as usize);
        root.is_some_and(|root| root.language == Language::Topology)
    };
    if !model.configuration.roots.iter().any(|root| root.language == Language::Topology) {
        return;
    }
    let alone = build(&super::of_roots(&model.configuration, is_context));
    let of_contexts = rules::run(rules, &Context::new(&alone, None));
    let known: BTreeSet<Words> = of_contexts.findings.iter().map(|finding| words(finding, &alone)).collect();
    let topology = &model.topology;
    for finding in &mut outcome.findings {
        if lies_in_context(topology, finding.place) && !known.contains(&words(finding, topology)) {
            start_here(finding, topology);
        }
    }
    outcome.findings.retain(|finding| !lies_in_context(topology, finding.place));
    outcome.undecided.retain(|undecided| !lies_in_context(topology, undecided.place));
    // What is satisfied has no place. The checks that the contexts alone give rise to are not made here.
    let told = outcome.findings.len() + outcome.undecided.len();
    outcome.checks = outcome.checks.saturating_sub(of_contexts.checks).max(told);
}

/// Rule, resource and words of a finding.
type Words<'a> = (&'static str, Option<&'a ResourceKey>, String);

fn words<'a>(finding: &Finding, topology: &'a Topology) -> Words<'a> {
    let resource = topology.resources.get(finding.place.resource.index());
    (finding.rule, resource.map(|resource| &resource.key), finding.message.clone())
}

fn lies_in_context(topology: &Topology, place: Place) -> bool {
    topology.resources.get(place.resource.index()).is_some_and(|resource| resource.is_context())
}

/// Lets a finding start at the first part of it that is here. All that takes part in it stays the same.
fn start_here(finding: &mut Finding, topology: &Topology) {
    let related = finding.related.iter().filter(|related| !related.before);
    let parts = finding
        .between
        .iter()
        .cloned()
        .chain(related.map(|related| (related.place, related.resource_id.clone())));
    let mut here = parts.filter(|(place, _)| !lies_in_context(topology, *place));
    let Some((place, resource_id)) = here.next() else { return };
    drop(here);
    let there = Related {
        message: "what it is about".into(),
        place: std::mem::replace(&mut finding.place, place),
        resource_id: std::mem::replace(&mut finding.resource_id, resource_id),
        before: false,
    };
    finding.related.insert(0, there);
    finding.fix = None;
}
