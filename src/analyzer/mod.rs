//! The whole way: paths → frontends → model → rules → report. The command line, the tests and every other face call this.

mod contexts;
mod deployments;
mod exclusion;
mod fixing;
mod inputs;
mod plans;
mod selection;
mod standing;
mod templates;
mod touched;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::baseline::Baseline;
use crate::changes::Changes;
use crate::date::Date;
use crate::finding::Severity;
use crate::fix::{self, Guard};
use crate::frontend::{Excluded, arm, bicep, terraform};
use crate::report::{Answer, HiddenLines, Report, assemble, hidden_lines};
use crate::resource::{Configuration, Diagnostic, Language, Level, Mode, Suppression};
use crate::rules::{self, Context, Rule};
use crate::source::{SourceMap, Span};
use crate::suppression::{Ignore, Suppressions};
use crate::topology::{self, Topology};
use crate::value::Value;

use touched::Touched;

pub use crate::frontend::terraform::VariableArgument;
pub use exclusion::Exclusion;
pub use fixing::{Fixed, Fixing, fix as find_fixes};
pub use selection::{Selection, UnknownSelector, nearest, similar};

/// How a run is set up.
#[derive(Clone, Default)]
pub struct Options {
    /// Folders and files to check. A folder means everything below it that is a root in one of the languages.
    pub paths: Vec<PathBuf>,
    /// What standard input held, once it was read, where it is needed again: clones of these options share it.
    pub standard_input: Option<Arc<OnceLock<Vec<u8>>>>,
    /// The Terraform configuration that a plan was made from: findings then point at its lines. Without it, the working
    /// directory is taken when the plan was made from what is there.
    pub plan_source: Option<PathBuf>,
    /// The rules to run.
    pub rules: Vec<&'static Rule>,
    /// Whether findings that are possible but not certain are reported.
    pub possible: bool,
    /// Whether findings that were there before the plan are left out.
    pub only_new: bool,
    /// Severities that findings of some rules have instead of their own.
    pub severities: BTreeMap<&'static str, Severity>,
    /// What is not to be told, beside what the configuration itself says.
    pub ignores: Vec<Ignore>,
    /// The day on which suppressions with an end are asked whether they still hold; without one, all hold.
    pub today: Option<Date>,
    /// Findings that are known already.
    pub baseline: Option<Baseline>,
    /// When set, findings that no change touches are left out.
    pub changes: Option<Changes>,
    /// Folders and files that are not looked at when folders are searched.
    pub exclusions: Vec<Exclusion>,
    /// Topologies of other repositories, as they were written there: what exists, but is not checked here.
    pub contexts: Vec<PathBuf>,
    /// Values for variables and parameters, in the order in which they were given.
    pub variables: Vec<VariableArgument>,
    /// Values for the roots in some folders, which count before those for all.
    pub root_variables: Vec<(PathBuf, Vec<VariableArgument>)>,
    /// The folder in which the Bicep compiler keeps downloaded modules, if they are to be read.
    pub module_cache: Option<PathBuf>,
    /// The environment variables that configuration may read (`TF_VAR_…`).
    pub environment: BTreeMap<String, String>,
}

/// What a run does at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Reads and parses files.
    Reading,
    /// Evaluates configuration.
    Evaluating,
    /// Builds the model.
    Modelling,
    /// Runs the rules.
    Checking,
}

/// The model of some input, and what is to be said about the input.
#[derive(Debug)]
pub struct Model {
    /// What the frontends made of the files; the diagnostics of the whole run are in it.
    pub configuration: Configuration,
    /// The model.
    pub topology: Topology,
    /// The model of what is there now, where a plan says it.
    pub before: Option<Topology>,
}

/// Reads and checks.
pub fn check(sources: &SourceMap, options: &Options) -> Report {
    check_with(sources, options, &|_| {})
}

/// Reads and checks, and says what it is doing.
pub fn check_with(sources: &SourceMap, options: &Options, progress: &dyn Fn(Stage)) -> Report {
    examine(sources, options, progress).report
}

/// A report, and what those who change files need to know beside it.
struct Checked {
    report: Report,
    /// Lines that are not to be shown.
    hidden: HiddenLines,
    /// The languages of the roots.
    languages: Vec<Language>,
}

fn examine(sources: &SourceMap, options: &Options, progress: &dyn Fn(Stage)) -> Checked {
    let model = model(sources, options, progress);
    progress(Stage::Checking);
    let context = Context::new(&model.topology, model.before.as_ref());
    let mut outcome = rules::run(&options.rules, &context);
    contexts::leave_out(&mut outcome, &model, &options.rules);
    if let Some(before) = &model.before {
        standing::compare(&mut outcome.findings, &model.topology, before, &options.rules);
    }
    let named = options.paths.iter().chain(&options.plan_source).map(PathBuf::as_path);
    let guard = Guard::new(named.filter(|path| *path != Path::new("-")));
    let input =
        fix::Input { sources, configuration: &model.configuration, topology: &model.topology, guard: &guard };
    let fixes = fix::plan(&input, &outcome.findings);
    let answer = Answer {
        sources,
        configuration: &model.configuration,
        topology: &model.topology,
        before: model.before.as_ref(),
        rules: &options.rules,
        outcome: &outcome,
        fixes: &fixes,
        possible: true,
    };
    let mut report = assemble(&answer);
    let languages: Vec<Language> = model.configuration.roots.iter().map(|root| root.language).collect();
    finish(&mut report, &model.configuration.suppressions, sources, options);
    if let Some(changes) = &options.changes {
        let touched = Touched::of(&mut report, changes, sources, options, &languages);
        report.leave_out_untouched(|finding| touched.is(finding));
    }
    report.draw(&model.topology);
    let checked = Checked { report, hidden: hidden_lines(&answer), languages };
    drop(context);
    // Taking a large model apart takes a while, for which nobody has to wait.
    rayon::spawn(move || drop((model, outcome, fixes)));
    checked
}

/// What the author of the run wants of what was found: severities, suppressions, and what is not known.
fn finish(report: &mut Report, suppressions: &[Suppression], sources: &SourceMap, options: &Options) {
    for finding in &mut report.findings {
        finding.severity = options.severities.get(finding.rule).copied().unwrap_or(finding.severity);
    }
    let suppressions = Suppressions { inline: suppressions, ignores: &options.ignores, today: options.today };
    suppressions.apply(report, sources);
    if !options.possible {
        report.drop_possible();
    }
    if let Some(baseline) = &options.baseline {
        baseline.apply(report);
    }
    if options.only_new || options.baseline.is_some() {
        report.leave_out_known();
    }
}

/// What the files say that is not to be told. Few files say anything; those are read again for it.
fn suppressions(sources: &SourceMap, configuration: &mut Configuration) {
    for file in sources.files().iter().filter(|file| crate::frontend::suppressions::mentions(file.text())) {
        let name = file.path().to_string_lossy().to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        let found = if ends(&[".tf", ".tf.json", ".tfvars"]) {
            terraform::suppressions(file)
        } else if ends(&[".bicep", ".bicepparam"]) {
            bicep::suppressions(file)
        } else if arm::is_template(file.text()) {
            arm::suppressions(file)
        } else {
            continue;
        };
        configuration.suppressions.extend(found.found);
        configuration.diagnostics.extend(found.diagnostics);
    }
}

/// A parameter's value as the command line gives it: JSON where it is a list, an object, a truth value or a whole number,
/// else text.
pub fn parameter_value(text: &str) -> Value {
    templates::value(text)
}

/// The document by which other repositories know this network ([`Options::contexts`]): who everything is and all that is
/// known of it, and the model for people and other programs. `with_places` adds addresses to the model.
pub fn document(model: &Model, with_places: bool) -> serde_json::Value {
    let mut document = crate::frontend::topology::write(&model.configuration);
    if let serde_json::Value::Object(parts) = topology::json::to_json(&model.topology, with_places) {
        document.extend(parts);
    }
    serde_json::Value::Object(document)
}

/// Reads, and builds the model.
pub fn model(sources: &SourceMap, options: &Options, progress: &dyn Fn(Stage)) -> Model {
    let mut configuration = read(sources, options, progress);
    suppressions(sources, &mut configuration);
    progress(Stage::Modelling);
    let topology = topology::build(&configuration);
    let before = before(&mut configuration);
    Model { configuration, topology, before }
}

/// The model of what is there now, where plans say it: what the plans start from, and the other roots as they are.
fn before(configuration: &mut Configuration) -> Option<Topology> {
    let mut resources = std::mem::take(&mut configuration.before);
    if !resources.iter().any(|resource| resource.mode == Mode::Managed) {
        return None;
    }
    let of_plan = |root: u32| {
        let root = configuration.roots.get(root as usize);
        root.is_some_and(|root| root.language == Language::TerraformPlan)
    };
    let mut others = of_roots(configuration, |root| !of_plan(root));
    resources.append(&mut others.resources);
    Some(topology::build(&Configuration { resources, ..others }))
}

/// The resources of some of the roots, with all roots.
fn of_roots(configuration: &Configuration, is_in: impl Fn(u32) -> bool) -> Configuration {
    let resources = configuration.resources.iter().filter(|resource| is_in(resource.key.root));
    let opaque = configuration.opaque.iter().filter(|opaque| is_in(opaque.key.root));
    Configuration {
        roots: configuration.roots.clone(),
        resources: resources.cloned().collect(),
        opaque: opaque.cloned().collect(),
        ..Configuration::default()
    }
}

/// Reads all inputs with the frontends of their languages. Roots are numbered language by language.
fn read(sources: &SourceMap, options: &Options, progress: &dyn Fn(Stage)) -> Configuration {
    progress(Stage::Reading);
    let exclusions = options.exclusions.clone();
    let excluded: Excluded = Arc::new(move |path: &Path, is_folder| {
        exclusions.iter().any(|exclusion| exclusion.covers(path, is_folder))
    });
    let inputs = inputs::find(&options.paths, &excluded, options.standard_input.as_deref(), sources);
    let mut all = Configuration { diagnostics: inputs.diagnostics, ..Configuration::default() };
    // First: of two that collide, the second one is told of.
    let mut seen = Vec::new();
    for path in &options.contexts {
        let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if seen.contains(&whole) {
            continue;
        }
        seen.push(whole);
        add(&mut all, |first_root| contexts::load(path, first_root, sources));
    }
    let contexts = all.roots.len();
    let discovery = terraform::discover_except(&inputs.terraform, &excluded, sources);
    progress(Stage::Evaluating);
    let for_terraform = |argument: &&VariableArgument| match argument {
        VariableArgument::File(path) => !templates::is_for_templates(path),
        _ => !discovery.roots.is_empty() || !inputs.plans.is_empty(),
    };
    let terraform_options = terraform::Options {
        variables: options.variables.iter().filter(for_terraform).cloned().collect(),
        root_variables: options
            .root_variables
            .iter()
            .map(|(path, arguments)| {
                let is_ours = |argument: &&VariableArgument| {
                    !matches!(argument, VariableArgument::File(path) if templates::is_for_templates(path))
                };
                (path.clone(), arguments.iter().filter(is_ours).cloned().collect())
            })
            .collect(),
        environment: options.environment.clone(),
        ..terraform::Options::default()
    };
    add(&mut all, |first_root| terraform::load(&discovery, first_root, &terraform_options, sources));
    for plan in inputs.plans {
        add(&mut all, |root| {
            plans::load(plan, root, options.plan_source.as_deref(), &terraform_options, sources)
        });
    }
    add(&mut all, |first_root| templates::load(&inputs.deployments, first_root, options, sources));
    if all.roots.len() == contexts && all.diagnostics.iter().all(|said| said.level != Level::Error) {
        let message = "nothing to check: no Terraform configuration, Bicep file or ARM template was found";
        all.diagnostics.push(Diagnostic::error("nothing-to-check", message, Span::NOWHERE));
    }
    all
}

/// Adds what a frontend makes of its inputs.
fn add(all: &mut Configuration, load: impl FnOnce(u32) -> Configuration) {
    let part = load(all.roots.len() as u32);
    all.roots.extend(part.roots);
    all.resources.extend(part.resources);
    all.opaque.extend(part.opaque);
    all.before.extend(part.before);
    all.diagnostics.extend(part.diagnostics);
}
