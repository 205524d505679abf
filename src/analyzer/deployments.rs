//! Which Bicep files and ARM templates are deployed by themselves, and which belong to others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::frontend::{arm, bicep};
use crate::resource::Diagnostic;
use crate::source::{SourceMap, Span, display_path};

/// Something that is deployed by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Deployment {
    /// An ARM template; whether the user named it.
    Template(PathBuf, bool),
    /// A Bicep file, or a parameters file with the template that it names; and the ARM template that was compiled from it.
    Bicep(PathBuf, Option<PathBuf>),
}

impl Deployment {
    /// Its file.
    pub(super) fn path(&self) -> &Path {
        match self {
            Deployment::Template(path, _) | Deployment::Bicep(path, _) => path,
        }
    }
}

/// Whether a path has an extension.
pub(super) fn is(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// Whether a file is Bicep or a parameters file for it.
pub(super) fn is_bicep(path: &Path) -> bool {
    is(path, "bicep") || is(path, "bicepparam")
}

/// Finds deployments among Bicep and JSON files, sorted by path. Files that were named by the user are deployments whatever
/// else uses them.
pub(super) fn find(
    files: &BTreeSet<PathBuf>,
    named: &BTreeSet<PathBuf>,
    sources: &SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Deployment> {
    let bicep: BTreeSet<&PathBuf> = files.iter().chain(named).filter(|path| is_bicep(path)).collect();
    let uses = Uses::of(&bicep, sources);

    let mut deployments: Vec<Deployment> = Vec::new();
    for path in uses.roots(&bicep, named, diagnostics) {
        let compiled = Some(path.with_extension("json"))
            .filter(|json| sources.load(json).is_ok_and(|file| bicep::is_compiled_from(&file, path)));
        deployments.push(Deployment::Bicep(path.clone(), compiled));
    }
    let compiled_or_used = |path: &Path| {
        let from = path.with_extension("bicep");
        let compiled = bicep.contains(&from)
            && sources.load(path).is_ok_and(|file| bicep::is_compiled_from(&file, &from));
        compiled || uses.used.contains(&identity(path))
    };
    let json: Vec<PathBuf> = files.iter().filter(|path| is(path, "json")).cloned().collect();
    let found = arm::discover(&json, sources).into_iter().filter(|path| !compiled_or_used(path));
    let is_named = |path: &PathBuf| named.contains(path);
    let given = named.iter().filter(|path| !is_bicep(path)).cloned();
    deployments.extend(found.filter(|path| !is_named(path)).map(|path| Deployment::Template(path, false)));
    deployments.extend(given.map(|path| Deployment::Template(path, true)));
    deployments.sort_by(|a, b| a.path().cmp(b.path()));
    deployments.dedup();
    deployments
}

/// A path by which two names of one file are equal.
fn identity(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Who uses whom among Bicep files.
struct Uses {
    /// Modules, imported files and extended parameters files.
    used: BTreeSet<PathBuf>,
    /// What each file uses.
    by: BTreeMap<PathBuf, Vec<PathBuf>>,
    /// The parameters files of each template.
    parameters: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Uses {
    fn of(files: &BTreeSet<&PathBuf>, sources: &SourceMap) -> Self {
        let mut uses = Uses { used: BTreeSet::new(), by: BTreeMap::new(), parameters: BTreeMap::new() };
        for path in files {
            // What cannot be read is told where it is evaluated.
            let Ok(file) = sources.load(path) else { continue };
            let folder = path.parent().unwrap_or(Path::new(""));
            for reference in bicep::referenced_files(&file) {
                let target = identity(&folder.join(&reference.path));
                match reference.role {
                    bicep::Role::Template => uses.parameters.entry(target).or_default().push((*path).clone()),
                    _ => {
                        uses.by.entry(identity(path)).or_default().push(target.clone());
                        // A file that uses itself is still nobody else's.
                        if target != identity(path) {
                            uses.used.insert(target);
                        }
                    }
                }
            }
        }
        uses
    }

    /// The files to evaluate: what nobody uses. A template with one parameters file is evaluated through that; with
    /// several, which stand for different environments, by itself.
    fn roots<'a>(
        &self,
        files: &BTreeSet<&'a PathBuf>,
        named: &BTreeSet<PathBuf>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<&'a PathBuf> {
        let mut roots = Vec::new();
        let mut reached = BTreeSet::new();
        let several = |template: &Path| self.parameters.get(template).is_some_and(|files| files.len() > 1);
        for &path in files {
            let own = identity(path);
            let wanted = if named.contains(path) {
                true
            } else if is(path, "bicepparam") {
                let of = self
                    .parameters
                    .iter()
                    .find(|(_, files)| files.contains(path))
                    .map(|(template, _)| template);
                !self.used.contains(&own) && of.is_some_and(|template| !several(template))
            } else {
                !self.used.contains(&own) && (!self.parameters.contains_key(&own) || several(&own))
            };
            if several(&own) && wanted {
                let count = self.parameters.get(&own).map_or(0, Vec::len);
                let message = format!(
                    "`{}` has {count} parameters files, and none of them is used",
                    display_path(path)
                );
                let help = "Check one of the parameters files by its name to use its values.";
                diagnostics.push(
                    Diagnostic::note("several-parameters-files", message, Span::NOWHERE).with_help(help),
                );
            }
            if wanted {
                roots.push(path);
                self.reach(own, &mut reached);
            }
        }
        // Files that use each other in a circle: the first of them is taken.
        for &path in files {
            let own = identity(path);
            if self.used.contains(&own)
                && is(path, "bicep")
                && !reached.contains(&own)
                && !self.used_from_elsewhere(&own, files)
            {
                roots.push(path);
                self.reach(own, &mut reached);
            }
        }
        roots
    }

    /// Whether a parameters file leads to a file, so that it is evaluated already.
    fn used_from_elsewhere(&self, own: &Path, files: &BTreeSet<&PathBuf>) -> bool {
        let mut reached = BTreeSet::new();
        for (template, parameters) in &self.parameters {
            if parameters.iter().any(|file| files.contains(file)) {
                self.reach(template.clone(), &mut reached);
            }
        }
        reached.contains(own)
    }

    /// Adds a file and everything that it uses.
    fn reach(&self, from: PathBuf, reached: &mut BTreeSet<PathBuf>) {
        let mut open = vec![from];
        while let Some(path) = open.pop() {
            if let Some(used) = self.by.get(&path).filter(|_| !reached.contains(&path)) {
                open.extend(used.iter().cloned());
            }
            reached.insert(path);
        }
    }
}
