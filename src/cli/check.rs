//! `portolan check` and `portolan topology`.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, Args, ValueEnum};

use crate::analyzer::{self, Options, Selection, VariableArgument};
use crate::finding::Severity;
use crate::report::{FORMATS, Format, Report, Style};
use crate::resource::Level;
use crate::source::SourceMap;

use super::Failure;
use super::output::{self, ColorChoice};
use super::progress::Progress;

/// The input.
#[derive(Args)]
struct InputArguments {
    /// Folders, files (.tf, .bicep, .json), or - for standard input
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The Terraform configuration that a plan was made from, to point at its lines
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
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
    select: Vec<String>,
    /// Do not run these rules or categories
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    ignore: Vec<String>,
    /// The least severity that makes the exit status 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Also report what is possible but not certain
    #[arg(long)]
    possible: bool,
    /// Only what was not there before: of a plan, the findings that it introduces
    #[arg(long)]
    only_new: bool,
    /// Also run the rules that are a matter of taste
    #[arg(long)]
    pedantic: bool,
    /// Change the files: what can be fixed safely is, the rest is reported
    #[arg(long)]
    fix: bool,
    /// Show what --fix would change as a diff, and change nothing
    #[arg(long, conflicts_with_all = ["fix", "output", "format"])]
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
enum FailOn {
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
    let fixes = arguments.fix || arguments.diff;
    if fixes && arguments.input.paths.iter().any(|path| path.as_os_str() == "-") {
        // Every round of fixing reads the input again.
        return Err(anyhow::anyhow!("`--fix` and `--diff` cannot read standard input; name a file").into());
    }
    let selection = Selection {
        select: arguments.select.clone(),
        ignore: arguments.ignore.clone(),
        pedantic: arguments.pedantic,
    };
    let options = Options {
        rules: selection.rules()?,
        possible: arguments.possible,
        only_new: arguments.only_new,
        ..options(&arguments.input, matches)
    };
    let progress = Progress::start(!arguments.quiet);
    let report = if arguments.diff {
        let (changes, report) = super::fix::show(&options, progress)?;
        return Ok(if unread(&report) { ExitCode::from(2) } else { ExitCode::from(u8::from(changes)) });
    } else if arguments.fix {
        super::fix::apply(&options, progress)?
    } else {
        let report = analyzer::check_with(&SourceMap::new(), &options, &|stage| progress.show(stage));
        drop(progress);
        report
    };

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
    Ok(status(&report, arguments.fail_on))
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
    let sources = SourceMap::new();
    let progress = Progress::start(true);
    let model = analyzer::model(&sources, &options(&arguments.input, matches), &|stage| progress.show(stage));
    drop(progress);
    let mut text =
        serde_json::to_vec_pretty(&crate::topology::json::to_json(&model.topology, arguments.places))?;
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

fn options(input: &InputArguments, matches: &ArgMatches) -> Options {
    Options {
        paths: input.paths.clone(),
        plan_source: input.source.clone(),
        variables: input.values.in_order(matches),
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
