//! Finding root modules below paths.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;

use super::load::{ModuleStore, is_module_file};
use super::paths::clean;
use crate::frontend::Excluded;
use crate::resource::Diagnostic;
use crate::source::{SourceMap, Span};

/// Folders that hold copies of other people's modules, or no configuration at all.
const SKIPPED: [&str; 4] = [".terraform", ".git", ".terragrunt-cache", "node_modules"];

/// The root modules below some paths, with their files read.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The folders of the root modules, sorted.
    pub roots: Vec<PathBuf>,
    /// What could not be looked into.
    pub diagnostics: Vec<Diagnostic>,
    /// The folders that were given: files below them may be read.
    pub(super) folders: Vec<PathBuf>,
    pub(super) store: ModuleStore,
}

/// Finds root modules.
///
/// Every folder with Terraform files below the paths is one, unless another one calls it as a module. A path that names a
/// file means its folder. Files that git ignores are not looked at, unless they are named themselves.
pub fn discover(paths: &[PathBuf], sources: &SourceMap) -> Discovery {
    discover_except(paths, &(Arc::new(|_: &Path, _: bool| false) as Excluded), sources)
}

/// The same without what is left out: modules that others call are read nevertheless.
pub fn discover_except(paths: &[PathBuf], excluded: &Excluded, sources: &SourceMap) -> Discovery {
    let mut diagnostics = Vec::new();
    let mut folders = BTreeSet::new();
    for path in paths {
        if path.is_file() {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            folders.insert(clean(parent.unwrap_or(Path::new("."))));
        } else if path.is_dir() {
            walk(path, excluded, &mut folders, &mut diagnostics);
        } else {
            let message = format!("there is nothing at {}", path.display());
            diagnostics.push(Diagnostic::error("unreadable-file", message, Span::NOWHERE));
        }
    }
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    let store = ModuleStore::load(&folders, sources);
    let roots = without_called(&folders, &store);
    let given = paths.iter().filter(|path| path.is_dir()).cloned().collect();
    Discovery { roots, diagnostics, folders: given, store }
}

/// The root module of one folder, whatever else lies below it.
pub fn one_root(folder: &Path, sources: &SourceMap) -> Discovery {
    let roots = vec![clean(folder)];
    let store = ModuleStore::load(&roots, sources);
    let roots =
        if store.module(folder).is_some_and(|module| !module.is_empty()) { roots } else { Vec::new() };
    Discovery { roots, diagnostics: Vec::new(), folders: vec![folder.to_path_buf()], store }
}

fn walk(
    path: &Path,
    excluded: &Excluded,
    folders: &mut BTreeSet<PathBuf>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let excluded = Arc::clone(excluded);
    let walk = WalkBuilder::new(path)
        .hidden(false)
        .require_git(false)
        .filter_entry(move |entry| {
            let name = entry.file_name().to_string_lossy();
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.depth() == 0 || !SKIPPED.contains(&name.as_ref()) && !excluded(entry.path(), is_folder)
        })
        .build();
    for entry in walk {
        match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
                if is_file
                    && is_module_file(&entry.file_name().to_string_lossy())
                    && let Some(parent) = entry.path().parent()
                {
                    folders.insert(clean(parent));
                }
            }
            Err(problem) => {
                let message = format!("a part of {} cannot be looked into: {problem}", path.display());
                diagnostics.push(Diagnostic::warning("unreadable-file", message, Span::NOWHERE));
            }
        }
    }
}

/// The folders that no other folder calls. Of folders that call each other in a circle, the first is a root.
fn without_called(folders: &[PathBuf], store: &ModuleStore) -> Vec<PathBuf> {
    let calls = |folder: &PathBuf| {
        let mut called = store.called_from(folder);
        called.retain(|other| other != folder);
        called
    };
    let called: BTreeSet<PathBuf> = folders.iter().flat_map(calls).collect();
    let mut roots: BTreeSet<PathBuf> =
        folders.iter().filter(|folder| !called.contains(*folder)).cloned().collect();
    let mut seen = BTreeSet::new();
    let mut reach = |from: Vec<PathBuf>| -> BTreeSet<PathBuf> {
        let mut open = from;
        while let Some(folder) = open.pop() {
            if seen.insert(folder.clone()) {
                open.extend(calls(&folder));
            }
        }
        seen.clone()
    };
    let mut reached = reach(roots.iter().cloned().collect());
    for folder in folders {
        if !reached.contains(folder) {
            roots.insert(folder.clone());
            reached = reach(vec![folder.clone()]);
        }
    }
    roots.into_iter().collect()
}
