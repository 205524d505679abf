//! What `portolan.toml` says, where the command line says nothing.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Subcommand, ValueEnum};

use crate::analyzer::{Exclusion, Selection, VariableArgument};
use crate::finding::Severity;
use crate::rules::Rule;
use crate::settings::{self, Settings};
use crate::source::SourceMap;
use crate::suppression::Ignore;

use super::Failure;
use super::check::{CheckArguments, FailOn, InputArguments};
use super::output::{self, ColorChoice};

/// `portolan config`.
#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Write the JSON schema of portolan.toml
    Schema,
}

pub(super) fn config(command: &ConfigCommand) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Schema => {
            let mut text = serde_json::to_vec_pretty(&settings::schema())?;
            text.push(b'\n');
            output::to_stdout(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The files that apply to a run. They agree on what is the same for all of it.
pub(super) struct Configured {
    files: Vec<Settings>,
}

impl Configured {
    /// Reads what applies to some input. What is wrong is said, and then there is nothing.
    pub(super) fn of(input: &InputArguments, _: &ArgMatches, color: ColorChoice) -> Option<Self> {
        let sources = SourceMap::new();
        let found = match &input.config {
            _ if input.no_config => Ok(Vec::new()),
            Some(path) => settings::read(std::slice::from_ref(path), &sources),
            None => settings::find(&input.paths, &sources),
        };
        match found {
            Ok(files) => Some(Self { files }),
            Err(problems) => {
                for problem in &problems {
                    output::complain(&anyhow::anyhow!("{}", output::with_place(&sources, problem)), color);
                }
                None
            }
        }
    }

    fn first<T>(&self, of: impl Fn(&Settings) -> Option<T>) -> Option<T> {
        self.files.iter().find_map(of)
    }

    /// What is to be checked: the command line's paths, else the file's, else the working directory.
    pub(super) fn paths(&self, input: &InputArguments, matches: &ArgMatches) -> Vec<PathBuf> {
        let named = matches.value_source("paths") != Some(ValueSource::DefaultValue);
        match self.files.iter().find(|file| !file.paths.is_empty()) {
            Some(file) if !named => file.paths.iter().map(|path| shortened(path)).collect(),
            _ => input.paths.clone(),
        }
    }

    /// The topologies of other repositories: the command line's, else the files'.
    pub(super) fn contexts(&self, named: &[PathBuf]) -> Vec<PathBuf> {
        if !named.is_empty() {
            return named.to_vec();
        }
        let mut contexts: Vec<PathBuf> = Vec::new();
        for path in self.files.iter().flat_map(|file| &file.contexts).map(|path| shortened(path)) {
            if !contexts.contains(&path) {
                contexts.push(path);
            }
        }
        contexts
    }

    pub(super) fn exclusions(&self) -> Vec<Exclusion> {
        self.files.iter().filter_map(|file| file.exclusion.clone()).collect()
    }

    pub(super) fn root_variables(&self) -> Vec<(PathBuf, Vec<VariableArgument>)> {
        self.files.iter().flat_map(|file| file.roots.iter().cloned()).collect()
    }

    pub(super) fn ignores(&self) -> Vec<Ignore> {
        self.files.iter().flat_map(|file| file.ignores.iter().cloned()).collect()
    }

    pub(super) fn baseline(&self) -> Option<PathBuf> {
        self.first(|file| file.baseline.clone())
    }

    pub(super) fn possible(&self) -> Option<bool> {
        self.first(|file| file.possible)
    }

    pub(super) fn fail_on(&self) -> Option<FailOn> {
        self.first(|file| file.fail_on.as_deref().and_then(|text| FailOn::from_str(text, false).ok()))
    }

    pub(super) fn severities(&self) -> BTreeMap<&'static str, Severity> {
        self.first(|file| Some(file.severities())).unwrap_or_default()
    }

    /// The rules to run. Those that the command line selects by name run even when the file switches them off.
    pub(super) fn rules(&self, arguments: &CheckArguments) -> Result<Vec<&'static Rule>, Failure> {
        let select = match self.first(|file| file.select.clone()) {
            Some(select) if arguments.select.is_empty() => select,
            _ => arguments.select.clone(),
        };
        let pedantic = arguments.pedantic.or_else(|| self.first(|file| file.pedantic)).unwrap_or(false);
        let mut rules = Selection { select, ignore: arguments.ignore.clone(), pedantic }.rules()?;
        let is_off = |rule: &Rule| self.files.first().is_some_and(|file| file.is_off(rule));
        rules.retain(|rule| !is_off(rule) || arguments.select.iter().any(|name| name == rule.name));
        Ok(rules)
    }
}

/// A path below the working directory as it would be typed there.
fn shortened(path: &std::path::Path) -> PathBuf {
    let here = std::env::current_dir().and_then(std::fs::canonicalize).ok();
    match here.and_then(|here| path.strip_prefix(here).ok().map(PathBuf::from)) {
        Some(inside) if inside.as_os_str().is_empty() => PathBuf::from("."),
        Some(inside) => inside,
        None => path.to_path_buf(),
    }
}
