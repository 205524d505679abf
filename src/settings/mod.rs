//! `portolan.toml`: what a repository wants of every run. `docs/configuration.md` describes it for its users.

mod keys;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::analyzer::{Exclusion, VariableArgument};
use crate::finding::Severity;
use crate::resource::Diagnostic;
use crate::rules;
use crate::source::{SourceMap, Span, display_path};
use crate::suppression::Ignore;

pub use keys::schema;

/// The name of the file.
pub const FILE: &str = "portolan.toml";

/// What one file says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file, as shown.
    pub file: String,
    /// Folders and files to check when the command line names none.
    pub paths: Vec<PathBuf>,
    /// Topologies of other repositories.
    pub contexts: Vec<PathBuf>,
    /// What is left out when folders are searched.
    pub exclusion: Option<Exclusion>,
    /// Run only these rules or categories.
    pub select: Option<Vec<String>>,
    /// Run pedantic rules.
    pub pedantic: Option<bool>,
    /// Report what is possible.
    pub possible: Option<bool>,
    /// The least severity that fails.
    pub fail_on: Option<String>,
    /// A baseline.
    pub baseline: Option<PathBuf>,
    /// Severities by rule or category.
    pub levels: Vec<(String, Level)>,
    /// Values for roots.
    pub roots: Vec<(PathBuf, Vec<VariableArgument>)>,
    /// Findings that are not to be told.
    pub ignores: Vec<Ignore>,
}

/// A severity, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Level {
    Off,
    Note,
    Warning,
    Error,
}

impl Level {
    /// In the order of `keys::LEVELS`.
    const ALL: [Level; 4] = [Level::Off, Level::Note, Level::Warning, Level::Error];

    fn severity(self) -> Option<Severity> {
        match self {
            Level::Off => None,
            Level::Note => Some(Severity::Note),
            Level::Warning => Some(Severity::Warning),
            Level::Error => Some(Severity::Error),
        }
    }
}

/// Reads the files that are found upwards from some paths, each once.
///
/// # Errors
/// Everything that is wrong with them. Their places are in `sources`.
pub fn find(paths: &[PathBuf], sources: &SourceMap) -> Result<Vec<Settings>, Vec<Diagnostic>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for file in paths.iter().filter_map(|path| above(path)) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    read(&files, sources)
}

/// Reads files.
///
/// # Errors
/// Everything that is wrong with them.
pub fn read(files: &[PathBuf], sources: &SourceMap) -> Result<Vec<Settings>, Vec<Diagnostic>> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for path in files {
        match sources.load(path) {
            Ok(file) => match read::read(&file, sources) {
                Ok(settings) => all.push(settings),
                Err(found) => problems.extend(found),
            },
            Err(problem) => {
                let message = format!("cannot read `{}`: {problem}", display_path(path));
                problems.push(Diagnostic::error("unreadable-file", message, Span::NOWHERE));
            }
        }
    }
    if let (Some(first), true) = (all.first(), problems.is_empty())
        && let Some(other) = all.iter().find(|other| !agree(first, other))
    {
        let message = format!(
            "`{}` and `{}` do not agree on how to check; name one of them with `--config`, or check their folders one by one",
            first.file, other.file
        );
        problems.push(Diagnostic::error("invalid-configuration", message, Span::NOWHERE));
    }
    let several = all.len() > 1;
    for ignore in all.iter_mut().flat_map(|settings: &mut Settings| &mut settings.ignores) {
        ignore.within = several;
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// Whether two files say the same of what is the same for a whole run.
fn agree(a: &Settings, b: &Settings) -> bool {
    let of = |settings: &Settings| {
        let levels: BTreeMap<String, u8> =
            settings.levels.iter().map(|(name, level)| (name.clone(), *level as u8)).collect();
        (
            settings.select.clone(),
            settings.pedantic,
            settings.possible,
            settings.fail_on.clone(),
            settings.baseline.clone(),
            levels,
        )
    };
    of(a) == of(b)
}

/// The file in the folder of a path, or in the nearest folder above, up to the repository's or the user's.
fn above(path: &Path) -> Option<PathBuf> {
    let start = if path.as_os_str() == "-" { Path::new(".") } else { path };
    let whole = std::fs::canonicalize(start).ok()?;
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from);
    let home = home.and_then(|home| std::fs::canonicalize(home).ok());
    let folder = if whole.is_dir() { whole.as_path() } else { whole.parent()? };
    for folder in folder.ancestors() {
        let file = folder.join(FILE);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() || home.as_deref() == Some(folder) {
            return None;
        }
    }
    None
}

impl Settings {
    /// The severities of rules. What is said of a rule counts before what is said of its category.
    pub fn severities(&self) -> BTreeMap<&'static str, Severity> {
        let all = rules::ALL.iter().filter_map(|rule| Some((rule.name, self.level(rule)?.severity()?)));
        all.collect()
    }

    /// Whether a rule is switched off.
    pub fn is_off(&self, rule: &rules::Rule) -> bool {
        self.level(rule) == Some(Level::Off)
    }

    fn level(&self, rule: &rules::Rule) -> Option<Level> {
        let of = |name: &str| self.levels.iter().find(|(other, _)| other == name).map(|(_, level)| *level);
        of(rule.name).or_else(|| of(rule.category.as_str()))
    }
}
