//! `portolan check` and `portolan topology`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Args, ValueEnum};

use crate::analyzer::{self, Options, VariableArgument};
use crate::baseline::{Baseline, Written};
use crate::changes::Changes;
use crate::date::Date;
use crate::finding::Severity;
use crate::report::{self, FORMATS, Format, Report, Style};
use crate::resource::Level;
use crate::source::{SourceMap, display_path};

use super::Failure;
use super::configured::Configured;
use super::output::{self, ColorChoice};
use super::progress::Progress;

/// The input.
#[derive(Args)]
pub(super) struct InputArguments {
    /// Folders, files (.tf, .bicep, .json), or - for standard input
    #[arg(default_value = ".", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// The Terraform configuration that a plan was made from, to point at its lines
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// What another repository has, as `portolan topology` wrote it there; may be given several times
    #[arg(long = "context", value_name = "FILE")]
    contexts: Vec<PathBuf>,
    /// The configuration to use, instead of the portolan.toml found upwards from the paths
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Use no portolan.toml
    #[arg(long, conflicts_with = "config")]
    pub(super) no_config: bool,
    #[command(flatten)]
    values: ValueArguments,
}

/// Values for variables and parameters.
#[derive(Args)]
pub(super) struct ValueArguments {
    /// A value for a variable or parameter; later ones win
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    variables: Vec<(String, String)>,
    /// A file with values for variables or parameters
    #[arg(long = "var-file", value_name = "FILE")]
    variable_files: Vec<PathBuf>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_string(), value.to_string())),
        _ => Err("expected NAME=VALUE".to_string()),
    }
}

impl ValueArguments {
    /// Both kinds in the order in which they stand on the command line: later ones win.
    pub(super) fn in_order(&self, matches: &ArgMatches) -> Vec<VariableArgument> {
        let positions = |name| matches.indices_of(name).into_iter().flatten();
        let texts =
            self.variables.iter().map(|(name, text)| VariableArgument::Text(name.clone(), text.clone()));
        let files = self.variable_files.iter().map(|path| VariableArgument::File(path.clone()));
        let mut all: Vec<_> =
            positions("variables").zip(texts).chain(positions("variable_files").zip(files)).collect();
        all.sort_by_key(|(position, _)| *position);
        all.into_iter().map(|(_, argument)| argument).collect()
    }
}

#[derive(Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    input: InputArguments,
    /// How to show what was found
    #[arg(long, default_value = "text", value_name = "FORMAT", value_parser = formats())]
    format: String,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write a report in another format; may be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report_argument)]
    reports: Vec<(&'static Format, PathBuf)>,
    /// Run only these rules or categories
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) select: Vec<String>,
    /// Do not run these rules or categories
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
    /// The least severity that makes the exit status 1 [default: error]
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// Also report what is possible but not certain
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    possible: Option<bool>,
    /// Leave out the findings of a baseline
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the findings as a baseline
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Only findings that touch lines changed in the work tree, or since the branch left REF
    #[arg(long, value_name = "REF", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    only_changed: Option<String>,
    /// Only what was not there before: of a plan, the findings that it introduces
    #[arg(long)]
    only_new: bool,
    /// Also run the rules that are a matter of taste
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub(super) pedantic: Option<bool>,
    /// Change the files: what can be fixed safely is, the rest is reported
    #[arg(long)]
    fix: bool,
    /// Show what --fix would change as a diff, and change nothing
    #[arg(long, conflicts_with_all = ["fix", "output", "format", "reports"])]
    diff: bool,
    /// Only findings and errors
    #[arg(long, short)]
    quiet: bool,
    /// Also notes about the input and every undecided check
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
}

#[derive(Args)]
pub(super) struct TopologyArguments {
    #[command(flatten)]
    input: InputArguments,
    /// With the addresses of the resources, which differ between languages
    #[arg(long)]
    places: bool,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Which findings make the exit status 1.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum FailOn {
    /// Errors
    #[default]
    Error,
    /// Errors and warnings
    Warning,
    /// Any finding
    Note,
    /// None
    Never,
}

impl FailOn {
    fn fails(self, severity: Severity) -> bool {
        match self {
            FailOn::Error => severity >= Severity::Error,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Note => severity >= Severity::Note,
            FailOn::Never => false,
        }
    }
}

fn formats() -> PossibleValuesParser {
    FORMATS
        .iter()
        .map(|format| clap::builder::PossibleValue::new(format.name).help(format.about))
        .collect::<Vec<_>>()
        .into()
}

/// A format and the file to write it to.
fn report_argument(text: &str) -> Result<(&'static Format, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("expected FORMAT=FILE")?;
    let names = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    let format = Format::find(name).ok_or_else(|| format!("no format `{name}`; there are {}", names()))?;
    if file.is_empty() { Err("expected FORMAT=FILE".into()) } else { Ok((format, PathBuf::from(file))) }
}

pub(super) fn check(
    arguments: &CheckArguments,
    matches: &ArgMatches,
    color: ColorChoice,
) -> Result<ExitCode, Failure> {
    let Some(configured) = Configured::of(&arguments.input, matches, color) else {
        return Ok(ExitCode::from(2));
    };
    let baseline = arguments.baseline.clone().or_else(|| configured.baseline());
    let baseline = match baseline {
        // A baseline that is about to be written for the first time need not be there.
        Some(path) if arguments.write_baseline.is_some() && !path.exists() => None,
        Some(path) => Some(Baseline::read(&path)?),
        None => None,
    };
    let old = match &arguments.write_baseline {
        Some(path) if path.exists() => Some(Baseline::read(path)?),
        Some(path) => Some(Baseline::empty(path)),
        None => None,
    };
    let options = options(&arguments.input, matches, &configured);
    let options = Options {
        rules: configured.rules(arguments)?,
        possible: arguments.possible.or_else(|| configured.possible()).unwrap_or(false),
        only_new: arguments.only_new,
        severities: configured.severities(),
        ignores: configured.ignores(),
        today: Some(Date::today()),
        baseline,
        changes: match arguments.only_changed.as_deref() {
            None => None,
            Some("") => Some(Changes::of_paths(&options.paths, None)?),
            Some(revision) => Some(Changes::of_paths(&options.paths, Some(revision))?),
        },
        ..options
    };
    let progress = Progress::start(!arguments.quiet);
    let mut report = if arguments.diff {
        let (changes, report) = super::fix::show(&options, progress)?;
        return Ok(if unread(&report) { ExitCode::from(2) } else { ExitCode::from(u8::from(changes)) });
    } else if arguments.fix {
        super::fix::apply(&options, progress)?
    } else {
        let report = analyzer::check_with(&SourceMap::new(), &options, &|stage| progress.show(stage));
        drop(progress);
        report
    };

    if let (Some(path), Some(old)) = (&arguments.write_baseline, old) {
        let (text, written) = old.updated(&report);
        output::to_file(path, text.as_bytes())?;
        if !arguments.quiet {
            output::say(&told(path, written));
        }
        report.accept();
    }
    let style = Style {
        color: arguments.output.is_none() && color.applies_to(&io::stdout()),
        quiet: arguments.quiet,
        verbose: arguments.verbose,
        repository: super::repository::top(),
    };
    let mut text = Vec::new();
    if let Some(format) = Format::find(&arguments.format) {
        (format.write)(&report, &style, &mut text)?;
    }
    match &arguments.output {
        Some(path) => output::to_file(path, &text)?,
        None => output::to_stdout(&text)?,
    }
    let style = Style { color: false, ..style };
    for (format, path) in &arguments.reports {
        let mut text = Vec::new();
        (format.write)(&report, &style, &mut text)?;
        output::to_file(path, &text)?;
    }
    let fail_on = arguments.fail_on.or_else(|| configured.fail_on()).unwrap_or_default();
    Ok(status(&report, fail_on))
}

/// What writing a baseline came to, in words.
fn told(path: &Path, written: Written) -> String {
    let mut text = format!("{}: {}", display_path(path), report::counted(written.findings, "finding"));
    if written.added + written.removed > 0 {
        text.push_str(&format!(", {} new, {} no longer found", written.added, written.removed));
    }
    if written.kept > 0 {
        text.push_str(&format!(
            "; {} kept that this run could not see: part of the input was not read, or not all rules ran",
            written.kept
        ));
    }
    text
}

fn status(report: &Report, fail_on: FailOn) -> ExitCode {
    if unread(report) {
        ExitCode::from(2)
    } else if report.findings.iter().any(|finding| fail_on.fails(finding.severity)) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

/// Whether part of the input could not be read.
fn unread(report: &Report) -> bool {
    report.notes.iter().any(|note| note.level == Level::Error)
}

pub(super) fn topology(
    arguments: &TopologyArguments,
    matches: &ArgMatches,
    color: ColorChoice,
) -> Result<ExitCode, Failure> {
    let Some(configured) = Configured::of(&arguments.input, matches, color) else {
        return Ok(ExitCode::from(2));
    };
    let sources = SourceMap::new();
    let progress = Progress::start(true);
    let options = options(&arguments.input, matches, &configured);
    let model = analyzer::model(&sources, &options, &|stage| progress.show(stage));
    drop(progress);
    let mut text = serde_json::to_vec_pretty(&analyzer::document(&model, arguments.places))?;
    text.push(b'\n');
    match &arguments.output {
        Some(path) => output::to_file(path, &text)?,
        None => output::to_stdout(&text)?,
    }
    let mut unread = false;
    for diagnostic in model.configuration.diagnostics.iter().filter(|other| other.level == Level::Error) {
        unread = true;
        output::complain(&anyhow::anyhow!("{}", output::with_place(&sources, diagnostic)), color);
    }
    Ok(if unread { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn options(input: &InputArguments, matches: &ArgMatches, configured: &Configured) -> Options {
    Options {
        paths: configured.paths(input, matches),
        plan_source: input.source.clone(),
        contexts: configured.contexts(&input.contexts),
        exclusions: configured.exclusions(),
        variables: input.values.in_order(matches),
        root_variables: configured.root_variables(),
        module_cache: crate::frontend::bicep::default_module_cache(),
        environment: environment(),
        ..Options::default()
    }
}

/// The environment variables that configuration may read: Terraform's, and nothing else of the machine.
pub(super) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("TF_VAR_"))
        .collect()
}
