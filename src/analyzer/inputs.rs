//! What the paths of a run are: Terraform, plans, Bicep, ARM templates.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ignore::WalkBuilder;

use crate::frontend::{Excluded, arm, plan, topology};
use crate::resource::Diagnostic;
use crate::source::{SourceFile, SourceMap, Span, decode, display_path};

use super::deployments::{self, Deployment, is, is_bicep};

/// The inputs of a run by language.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Folders, and Terraform files.
    pub terraform: Vec<PathBuf>,
    /// Plans.
    pub plans: Vec<PlanInput>,
    /// Bicep files and ARM templates.
    pub deployments: Vec<Deployment>,
    /// What is wrong with paths.
    pub diagnostics: Vec<Diagnostic>,
}

/// A plan: its name, and its text, which is let go once it is read.
#[derive(Debug)]
pub(super) struct PlanInput {
    /// The file, without its text.
    pub file: Arc<SourceFile>,
    /// The text.
    pub text: String,
}

/// How standard input is named in findings.
const STANDARD_INPUT: &str = "<stdin>";

/// Folders that hold copies of other people's files, or no configuration at all.
const SKIPPED: [&str; 4] = [".terraform", ".git", ".terragrunt-cache", "node_modules"];

/// Larger files are not looked at when folders are searched. The largest public templates have a few megabytes.
const SEARCHED: u64 = 64 << 20;

/// Sorts the paths of a run by language.
pub(super) fn find(
    paths: &[PathBuf],
    excluded: &Excluded,
    stdin: Option<&OnceLock<Vec<u8>>>,
    sources: &SourceMap,
) -> Inputs {
    let mut inputs = Inputs::default();
    let (mut below, mut named) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        if path.as_os_str() == "-" {
            match standard_input(stdin) {
                Ok(bytes) => inputs.add_document(Path::new(STANDARD_INPUT), bytes, sources, &mut named),
                Err(problem) => inputs.diagnostics.push(unreadable(Path::new(STANDARD_INPUT), &problem)),
            }
            continue;
        }
        match std::fs::metadata(path) {
            Err(problem) => inputs.diagnostics.push(unreadable(path, &problem)),
            Ok(metadata) if metadata.is_dir() => {
                inputs.terraform.push(path.clone());
                below.extend(deployments_below(path, excluded));
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
        } else {
            match std::fs::read(path) {
                Ok(bytes) => self.add_document(path, bytes, sources, named),
                Err(problem) => self.diagnostics.push(unreadable(path, &problem)),
            }
        }
    }

    /// Adds a document by what it holds: plans and templates go by any name.
    fn add_document(
        &mut self,
        path: &Path,
        bytes: Vec<u8>,
        sources: &SourceMap,
        named: &mut BTreeSet<PathBuf>,
    ) {
        let shown = display_path(path);
        // Terraform's own format is no text.
        if let Some(mistake) = plan::mistake(&bytes).filter(|_| bytes.starts_with(b"PK")) {
            return self.mistaken(&shown, mistake);
        }
        let text = match decode(bytes) {
            Ok(text) => text,
            Err(problem) => return self.diagnostics.push(unreadable(path, &problem)),
        };
        if plan::is_plan(&text) {
            self.plans.push(PlanInput { file: sources.add(path, ""), text });
        } else if arm::is_template(&text) {
            sources.add(path, text);
            named.insert(path.to_path_buf());
        } else if text.trim().is_empty() {
            let message = format!("`{shown}` is empty");
            self.diagnostics
                .push(Diagnostic::error("unsupported-input", message, Span::NOWHERE).with_help(HELP));
        } else if topology::is_topology(&text) {
            let message = format!("`{shown}` is a topology: it says what exists, and is nothing to check");
            let help = "Name the configuration, and pass this file with `--context`.";
            self.diagnostics
                .push(Diagnostic::error("unsupported-input", message, Span::NOWHERE).with_help(help));
        } else if let Some(mistake) = plan::mistake(text.as_bytes()) {
            self.mistaken(&shown, mistake);
        } else {
            let message = format!("`{shown}` is not configuration that can be checked");
            self.diagnostics
                .push(Diagnostic::error("unsupported-input", message, Span::NOWHERE).with_help(HELP));
        }
    }

    fn mistaken(&mut self, shown: &str, mistake: plan::Mistake) {
        let message = format!("`{shown}` is {}", mistake.what);
        self.diagnostics
            .push(Diagnostic::error("not-a-plan", message, Span::NOWHERE).with_help(mistake.help));
    }
}

/// What can be checked.
const HELP: &str = "Name a folder, a Terraform or Bicep file, an ARM template, or a plan as `terraform show -json` writes it.";

/// What standard input holds. It can be read only once: a run that checks several times keeps it.
fn standard_input(kept: Option<&OnceLock<Vec<u8>>>) -> io::Result<Vec<u8>> {
    if let Some(bytes) = kept.and_then(OnceLock::get) {
        return Ok(bytes.clone());
    }
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(match kept {
        Some(kept) => kept.get_or_init(|| bytes).clone(),
        None => bytes,
    })
}

/// The files below a folder that are Bicep or may be ARM templates. What git ignores is left out.
fn deployments_below(folder: &Path, excluded: &Excluded) -> impl Iterator<Item = PathBuf> {
    let excluded = Arc::clone(excluded);
    let is_in = move |entry: &ignore::DirEntry| {
        let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name);
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        entry.depth() == 0 || !skipped && !excluded(entry.path(), is_folder)
    };
    WalkBuilder::new(folder)
        .hidden(false)
        .require_git(false)
        .filter_entry(is_in)
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
