//! What the paths of a run are: Terraform, plans, Bicep, ARM templates.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;

use crate::frontend::{arm, plan};
use crate::resource::Diagnostic;
use crate::source::{SourceFile, SourceMap, Span, display_path};

use super::deployments::{self, Deployment, is, is_bicep};

/// The inputs of a run by language.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Folders, and Terraform files.
    pub terraform: Vec<PathBuf>,
    /// Plans.
    pub plans: Vec<Arc<SourceFile>>,
    /// Bicep files and ARM templates.
    pub deployments: Vec<Deployment>,
    /// What is wrong with paths.
    pub diagnostics: Vec<Diagnostic>,
}

/// How standard input is named in findings.
pub(super) const STANDARD_INPUT: &str = "<stdin>";

/// Folders that hold copies of other people's files, or no configuration at all.
const SKIPPED: [&str; 4] = [".terraform", ".git", ".terragrunt-cache", "node_modules"];

/// Larger files are not looked at when folders are searched. The largest public templates have a few megabytes.
const SEARCHED: u64 = 64 << 20;

/// Sorts the paths of a run by language.
pub(super) fn find(paths: &[PathBuf], sources: &SourceMap) -> Inputs {
    let mut inputs = Inputs::default();
    let (mut below, mut named) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        if path.as_os_str() == "-" {
            match standard_input(sources) {
                Ok(file) => inputs.add_json(&file, &mut named),
                Err(problem) => inputs.diagnostics.push(unreadable(Path::new(STANDARD_INPUT), &problem)),
            }
            continue;
        }
        match std::fs::metadata(path) {
            Err(problem) => inputs.diagnostics.push(unreadable(path, &problem)),
            Ok(metadata) if metadata.is_dir() => {
                inputs.terraform.push(path.clone());
                below.extend(deployments_below(path));
            }
            Ok(_) => inputs.add_file(path, sources, &mut named),
        }
    }
    inputs.deployments = deployments::find(&below, &named, sources, &mut inputs.diagnostics);
    inputs
}

impl Inputs {
    fn add_file(&mut self, path: &Path, sources: &SourceMap, named: &mut BTreeSet<PathBuf>) {
        let name =
            path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if name.ends_with(".tf") || name.ends_with(".tf.json") {
            self.terraform.push(path.to_path_buf());
        } else if is_bicep(path) {
            named.insert(path.to_path_buf());
        } else if name.ends_with(".json") || name.ends_with(".jsonc") {
            match sources.load(path) {
                Ok(file) => self.add_json(&file, named),
                Err(problem) => self.diagnostics.push(unreadable(path, &problem)),
            }
        } else {
            self.refuse(&display_path(path), Span::NOWHERE);
        }
    }

    fn add_json(&mut self, file: &Arc<SourceFile>, named: &mut BTreeSet<PathBuf>) {
        if plan::is_plan(file.text()) {
            self.plans.push(Arc::clone(file));
        } else if arm::is_template(file.text()) {
            named.insert(file.path().to_path_buf());
        } else {
            self.refuse(file.display(), Span::new(file.id(), 0, 0));
        }
    }

    fn refuse(&mut self, path: &str, span: Span) {
        let message = format!("`{path}` is not configuration that can be checked");
        let help = "Name a folder, a Terraform or Bicep file, an ARM template, or a plan as `terraform show -json` writes it.";
        self.diagnostics.push(Diagnostic::error("unsupported-input", message, span).with_help(help));
    }
}

fn standard_input(sources: &SourceMap) -> io::Result<Arc<SourceFile>> {
    // A run that checks several times reads it once.
    if let Some(file) = sources.by_path(Path::new(STANDARD_INPUT)) {
        return Ok(file);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(sources.add(Path::new(STANDARD_INPUT), text))
}

/// The files below a folder that are Bicep or may be ARM templates. What git ignores is left out.
fn deployments_below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.depth() == 0 || !SKIPPED.iter().any(|name| entry.file_name() == *name))
        .build()
        // What cannot be listed is told by the search for Terraform, which walks the same folders.
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir()))
        .map(ignore::DirEntry::into_path)
        .filter(|path| is_bicep(path) || is(path, "json") && mentions_schema(path))
}

/// Whether a file mentions the schema of templates at all, so that the run does not hold every JSON file of a repository.
fn mentions_schema(path: &Path) -> bool {
    const NAME: &[u8] = b"deploymenttemplate.json";
    let small =
        std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= SEARCHED);
    small
        && std::fs::read(path)
            .is_ok_and(|bytes| bytes.windows(NAME.len()).any(|window| window.eq_ignore_ascii_case(NAME)))
}

fn unreadable(path: &Path, problem: &io::Error) -> Diagnostic {
    let what = match problem.kind() {
        io::ErrorKind::NotFound if path.is_symlink() => "the link leads to nothing".to_string(),
        io::ErrorKind::NotFound => "there is nothing there".to_string(),
        _ => problem.to_string(),
    };
    Diagnostic::error(
        "unreadable-file",
        format!("cannot read `{}`: {what}", display_path(path)),
        Span::NOWHERE,
    )
}
