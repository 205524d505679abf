//! Runs a case and compares what is reported with what it asserts.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use portolan::analyzer::{self, Options};
use portolan::finding::{Confidence, Severity};
use portolan::report::{Location, Report};
use portolan::resource::Level;
use portolan::rules::{self, Rule};
use portolan::source::SourceMap;

use super::suite::{Assertion, Case, File, Kind};

/// Something that was reported.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reported {
    /// The path in the case's folder; empty for no place.
    pub file: String,
    /// The line, from 1; 0 for no place.
    pub line: u32,
    /// What kind of thing.
    pub kind: Kind,
    /// The rule's name, or the diagnostic's code.
    pub name: String,
    /// What it says.
    pub message: String,
    /// For a certain finding, the part of the network that it is about, in words that every language shares: the ARM path
    /// below its resource group.
    pub part: Option<String>,
}

impl std::fmt::Display for Reported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}: [{}] {:?}", self.file, self.line, self.kind.word(), self.name, self.message)
    }
}

/// Runs a case of a rule's document.
///
/// # Errors
/// Where what was reported differs from what is asserted, in words.
pub fn run(rule: &str, document: &str, case: &Case) -> Result<(), String> {
    let rules = selected(rule, case)?;
    let mut failures = String::new();
    let inputs = inputs(case);
    let mut parts = Vec::new();
    for (language, files) in &inputs {
        let reported = analyze(rule, &rules, files)?;
        parts.push((*language, parts_of(&reported)));
        let differences = compare(case, files, reported);
        if !differences.is_empty() {
            let language = if inputs.len() > 1 { format!(" ({language})") } else { String::new() };
            let _ = writeln!(failures, "{document}:{}: {}{language}\n{differences}", case.line, case.title);
        }
    }
    if let Some(difference) = unequal(&parts) {
        let _ = writeln!(failures, "{document}:{}: {}\n{difference}", case.line, case.title);
    }
    if failures.is_empty() { Ok(()) } else { Err(failures) }
}

/// The certain findings: rule and part.
fn parts_of(reported: &[Reported]) -> BTreeSet<(String, String)> {
    reported.iter().filter_map(|item| Some((item.name.clone(), item.part.clone()?))).collect()
}

/// Where two languages of a case differ in the parts that they find defects at: the same network must give the same findings.
fn unequal(parts: &[(&str, BTreeSet<(String, String)>)]) -> Option<String> {
    let ((first, expected), others) = parts.split_first()?;
    let (other, found) = others.iter().find(|(_, found)| found != expected)?;
    Some(format!("  the languages differ:\n    {first}: {expected:?}\n    {other}: {found:?}\n"))
}

/// What is reported in a case, for each language.
///
/// # Errors
/// When the case cannot be run.
#[allow(dead_code, reason = "not every test that shares this module uses it")]
pub fn reported(rule: &str, case: &Case) -> Result<Vec<(&'static str, Vec<Reported>)>, String> {
    let rules = selected(rule, case)?;
    inputs(case).into_iter().map(|(language, files)| Ok((language, analyze(rule, &rules, &files)?))).collect()
}

/// The rules to run: all that are not pedantic, and the document's own.
pub fn selected(own: &str, case: &Case) -> Result<Vec<&'static Rule>, String> {
    match &case.select {
        None => Ok(rules::ALL.iter().copied().filter(|rule| !rule.pedantic || rule.name == own).collect()),
        Some(names) => {
            names.iter().map(|name| rules::find(name).ok_or_else(|| format!("`{name}` is no rule"))).collect()
        }
    }
}

/// Whether a document has a case in Terraform, Bicep and as a template; what only a plan shows has none.
#[allow(dead_code, reason = "not every test that shares this module uses it")]
pub fn is_in_every_language(cases: &[Case]) -> bool {
    let languages = |case: &Case| case.files.iter().filter_map(language).collect::<BTreeSet<_>>();
    cases.iter().all(|case| languages(case).iter().all(|language| *language == "plan"))
        || cases.iter().any(|case| {
            let found = languages(case);
            !case.together && ["terraform", "bicep", "arm"].iter().all(|language| found.contains(language))
        })
}

/// The files as inputs: each language on its own, with the files that belong to none.
pub fn inputs(case: &Case) -> Vec<(&'static str, Vec<&File>)> {
    let languages: BTreeSet<&'static str> = case.files.iter().filter_map(language).collect();
    if case.together || languages.len() < 2 {
        return vec![("together", case.files.iter().collect())];
    }
    let of = |wanted| {
        case.files.iter().filter(|file| language(file).is_none_or(|other| other == wanted)).collect()
    };
    languages.into_iter().map(|language| (language, of(language))).collect()
}

fn language(file: &File) -> Option<&'static str> {
    let path = file.path.as_str();
    let name = path.rsplit('/').next().unwrap_or(path);
    let is = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    if is(&[".tf", ".tf.json", ".tfvars", ".tfvars.json"]) {
        Some("terraform")
    } else if is(&[".bicep", ".bicepparam"]) || name == "bicepconfig.json" {
        Some("bicep")
    } else if name == "plan.json" || path.ends_with(".plan.json") {
        Some("plan")
    } else if path.ends_with(".json")
        && (file.text.contains("/deploymentTemplate.json#")
            || file.text.contains("DeploymentParameters.json#")
            || file.text.contains("/deploymentParameters.json#"))
    {
        Some("arm")
    } else {
        None
    }
}

/// Lays the files out in a folder: its path, and what to check in it.
///
/// # Errors
/// When a file cannot be written.
pub fn lay_out(folder: &Path, files: &[&File]) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let root = std::fs::canonicalize(folder).map_err(|problem| problem.to_string())?;
    for file in files {
        let path = root.join(&file.path);
        let parent = path.parent().unwrap_or(&root);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, &file.text))
            .map_err(|problem| format!("{}: {problem}", file.path))?;
    }
    // Plans are checked where they are named, not where they lie in a folder.
    let plans: Vec<PathBuf> = files
        .iter()
        .filter(|file| language(file) == Some("plan"))
        .map(|file| root.join(&file.path))
        .collect();
    let paths = if plans.is_empty() { vec![root.clone()] } else { plans };
    Ok((root, paths))
}

/// Lays the files out in a folder and analyzes it.
fn analyze(own: &str, rules: &[&'static Rule], files: &[&File]) -> Result<Vec<Reported>, String> {
    let folder = tempfile::tempdir().map_err(|problem| problem.to_string())?;
    let (root, paths) = lay_out(folder.path(), files)?;
    let sources = SourceMap::new();
    let options = Options { paths, rules: rules.to_vec(), possible: true, ..Options::default() };
    Ok(items(own, &root, &analyzer::check(&sources, &options)))
}

fn items(own: &str, root: &Path, report: &Report) -> Vec<Reported> {
    let item = |location: &Option<Location>, kind, name: &str, message: &str, part: Option<&str>| {
        let (file, line) = match location {
            Some(location) => (shown(root, location), location.start.line),
            None => (String::new(), 0),
        };
        Reported {
            file,
            line,
            kind,
            name: name.to_string(),
            message: message.to_string(),
            part: part.map(below_group),
        }
    };
    let findings = report.findings.iter().filter_map(|finding| {
        let kind = match (finding.confidence, finding.severity) {
            // What other rules hold possible depends on what a case leaves out; it says nothing about this rule.
            (Confidence::Possible, _) if finding.rule != own => return None,
            (Confidence::Possible, _) => Kind::Possible,
            (Confidence::Certain, Severity::Error) => Kind::Error,
            (Confidence::Certain, Severity::Warning) => Kind::Warning,
            (Confidence::Certain, Severity::Note) => Kind::Note,
        };
        let certain = finding.confidence == Confidence::Certain;
        let part = certain.then(|| finding.place.resource_id.as_deref().unwrap_or_default());
        Some(item(&finding.place.location, kind, finding.rule, &finding.message, part))
    });
    let undecided = report.undecided.iter().filter(|undecided| undecided.rule == own).map(|undecided| {
        item(&undecided.place.location, Kind::Undecided, undecided.rule, &undecided.because, None)
    });
    let notes = report
        .notes
        .iter()
        .filter(|note| note.level == Level::Error || note.code == "unsupported")
        .map(|note| item(&note.location, Kind::Diagnostic, note.code, &note.message, None));
    // Instances that share a line and a message are one to the reader of the document.
    let all: BTreeSet<Reported> = findings.chain(undecided).chain(notes).collect();
    all.into_iter().collect()
}

/// An ARM path without what a template leaves to its deployment: subscription and resource group.
fn below_group(id: &str) -> String {
    id.rsplit_once("/providers/").map_or(id, |(_, path)| path).to_ascii_lowercase()
}

fn shown(root: &Path, location: &Location) -> String {
    let path: PathBuf =
        std::fs::canonicalize(location.file.path()).unwrap_or_else(|_| location.file.path().to_path_buf());
    path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/")
}

/// The differences, one a line; empty when there are none.
fn compare(case: &Case, files: &[&File], mut reported: Vec<Reported>) -> String {
    let asserted = files
        .iter()
        .flat_map(|file| file.assertions.iter().map(|assertion| (file.path.as_str(), assertion)))
        .chain(case.elsewhere.iter().map(|assertion| ("", assertion)));
    let mut failures = String::new();
    for (file, assertion) in asserted {
        let found = reported.iter().position(|item| {
            (item.file.as_str(), item.line) == (file, assertion.line) && meets(item, assertion)
        });
        match found {
            Some(index) => {
                reported.remove(index);
            }
            None => {
                let place =
                    if file.is_empty() { "no place".into() } else { format!("{file}:{}", assertion.line) };
                let _ = writeln!(
                    failures,
                    "  not met     document line {}, {place}: {assertion}",
                    assertion.written
                );
            }
        }
    }
    for item in reported {
        let Reported { file, line, .. } = &item;
        let _ = match files.iter().find(|other| other.path == *file) {
            Some(source) => {
                let text = source.text.lines().nth((*line as usize).saturating_sub(1)).unwrap_or("");
                let written = source.line + (*line as usize).saturating_sub(1);
                writeln!(
                    failures,
                    "  unexpected  document line {written}, {item}\n              {}",
                    text.trim(),
                )
            }
            None => writeln!(failures, "  unexpected  {item}"),
        };
    }
    failures
}

fn meets(item: &Reported, assertion: &Assertion) -> bool {
    item.kind == assertion.kind
        && item.name == assertion.name
        && assertion.text.as_ref().is_none_or(|text| item.message.contains(text.as_str()))
}
