//! Reading modules: the files of a folder, and the folders that module calls name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::eco_format;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::evaluator::Node;
use super::module::{Call, Module};
use super::overrides::apply_override;
use super::paths::clean;
use super::syntax::ast::Body;
use super::syntax::{parse_hcl, parse_json};
use crate::resource::Diagnostic;
use crate::source::{SourceFile, SourceMap, Span};

/// Modules by folder, and where `terraform init` put those that come from elsewhere.
#[derive(Debug, Default)]
pub(super) struct ModuleStore {
    modules: FxHashMap<PathBuf, Arc<Module>>,
    installed: FxHashMap<PathBuf, BTreeMap<String, PathBuf>>,
    /// What reading the files had to say, by folder.
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a file name is one of a module's files.
pub(super) fn is_module_file(name: &str) -> bool {
    (name.ends_with(".tf") || name.ends_with(".tf.json")) && !is_ignored(name)
}

/// Names that Terraform ignores: hidden files and what editors leave behind.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

/// Whether a file overrides what other files of its folder declare.
fn is_override(name: &str) -> bool {
    let stem = name.strip_suffix(".tf.json").or_else(|| name.strip_suffix(".tf")).unwrap_or(name);
    stem == "override" || stem.ends_with("_override")
}

/// Whether a file is in JSON syntax, by its name.
pub(super) fn is_json(file: &SourceFile) -> bool {
    file.path().extension().is_some_and(|extension| extension == "json")
}

/// Reads a file into the map; a diagnostic when that is not possible.
pub(super) fn read(sources: &SourceMap, path: &Path) -> Result<Arc<SourceFile>, Diagnostic> {
    sources.load(path).map_err(|problem| {
        let shown = crate::source::display_path(path);
        Diagnostic::error("unreadable-file", format!("{shown} cannot be read: {problem}"), Span::NOWHERE)
    })
}

/// The names of the files in a folder for which `wanted` holds, sorted.
pub(super) fn files_in(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            (wanted(&name) && entry.path().is_file()).then_some(name)
        })
        .collect();
    names.sort();
    names.into_iter().map(|name| dir.join(name)).collect()
}

/// Reads the files of one folder as a module.
fn read_module(sources: &SourceMap, dir: &Path) -> (Module, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut body = Body::default();
    let mut overrides = Vec::new();
    let mut incomplete = false;
    let files: Vec<_> = files_in(dir, is_module_file)
        .into_par_iter()
        .map(|path| {
            let parse =
                |file: Arc<SourceFile>| if is_json(&file) { parse_json(&file) } else { parse_hcl(&file) };
            (read(sources, &path).map(parse), path)
        })
        .collect();
    for (parsed, path) in files {
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(problem) => {
                diagnostics.push(problem);
                incomplete = true;
                continue;
            }
        };
        incomplete |= !parsed.diagnostics.is_empty();
        diagnostics.extend(parsed.diagnostics);
        for attribute in &parsed.body.attributes {
            let message = format!("`{}` stands outside of every block", attribute.name);
            diagnostics.push(Diagnostic::warning("unsupported", message, attribute.name_span));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_override(&name) {
            overrides.push(parsed.body);
        } else {
            body.blocks.extend(parsed.body.blocks);
        }
    }
    for over in overrides {
        apply_override(&mut body, over, &mut diagnostics);
    }
    let mut module = Module::from_body(dir, body, &mut diagnostics);
    module.incomplete |= incomplete;
    (module, diagnostics)
}

/// Whether a module's source is a folder beside it.
fn local_source(source: &str) -> bool {
    let starts = |prefix: &str| source.starts_with(prefix);
    source == "." || source == ".." || starts("./") || starts("../") || starts(".\\") || starts("..\\")
}

/// The folder that a local source names.
fn source_dir(dir: &Path, source: &str) -> PathBuf {
    clean(&dir.join(source.replace('\\', "/")))
}

impl ModuleStore {
    /// Reads the modules of all roots, and all that they call.
    pub fn load(roots: &[PathBuf], sources: &SourceMap) -> ModuleStore {
        let mut store = ModuleStore::default();
        store.add(roots, sources);
        store
    }

    /// Reads more roots.
    pub fn add(&mut self, roots: &[PathBuf], sources: &SourceMap) {
        let mut wave: Vec<PathBuf> = roots.iter().map(|root| clean(root)).collect();
        for root in roots {
            let installed = installed_modules(root);
            wave.extend(installed.values().cloned());
            self.installed.insert(clean(root), installed);
        }
        while !wave.is_empty() {
            wave.sort();
            wave.dedup();
            wave.retain(|dir| !self.modules.contains_key(dir));
            let read: Vec<_> = wave.par_iter().map(|dir| read_module(sources, dir)).collect();
            let mut next = Vec::new();
            for (dir, (module, diagnostics)) in wave.drain(..).zip(read) {
                next.extend(called_folders(&module));
                self.diagnostics.extend(diagnostics);
                self.modules.insert(dir, Arc::new(module));
            }
            next.retain(|dir: &PathBuf| dir.is_dir());
            wave = next;
        }
    }

    /// The module of a folder.
    pub fn module(&self, dir: &Path) -> Option<&Arc<Module>> {
        self.modules.get(&clean(dir))
    }

    /// All folders that local calls of a folder's module name.
    pub fn called_from(&self, dir: &Path) -> Vec<PathBuf> {
        self.module(dir).map(|module| called_folders(module)).unwrap_or_default()
    }

    /// The folders of all modules that a root calls, directly or not, and of those installed for it.
    pub fn reached_from(&self, root: &Path) -> Vec<PathBuf> {
        let mut reached = BTreeSet::new();
        let mut open = self.called_from(root);
        let installed = self.installed.get(&clean(root)).into_iter().flat_map(|installed| installed.values());
        open.extend(installed.cloned());
        while let Some(dir) = open.pop() {
            if reached.insert(dir.clone()) {
                open.extend(self.called_from(&dir));
            }
        }
        reached
            .into_iter()
            .filter(|dir| self.modules.get(dir).is_some_and(|module| !module.is_empty()))
            .collect()
    }

    /// The module that a call names.
    ///
    /// # Errors
    /// A note that says which module was not seen, and what to do about it.
    pub fn resolve(
        &self,
        root: &Path,
        node: &Node,
        call_path: &str,
        name: &str,
        call: &Call,
    ) -> Result<Arc<Module>, Diagnostic> {
        let address = node.absolute(&eco_format!("module.{name}"));
        let not_found = |why: String, help: Option<&str>| {
            let note = Diagnostic::note("module-not-found", why, call.source_span);
            match help {
                Some(help) => note.with_help(help),
                None => note,
            }
        };
        let Some(source) = &call.source else {
            let why =
                format!("the source of `{address}` is not a plain string, so the module was not looked into");
            return Err(not_found(why, None));
        };
        if local_source(source) {
            let dir = source_dir(&node.module.dir, source);
            return match self.modules.get(&dir).filter(|module| !module.is_empty()) {
                Some(module) => Ok(Arc::clone(module)),
                None => {
                    let shown = crate::source::display_path(&dir);
                    let why =
                        format!("`{address}` was not looked into: there are no Terraform files in {shown}");
                    Err(not_found(why, Some("check the path in `source`")))
                }
            };
        }
        let installed = self.installed.get(&clean(root)).and_then(|installed| installed.get(call_path));
        match installed.and_then(|dir| self.modules.get(dir)).filter(|module| !module.is_empty()) {
            Some(module) => Ok(Arc::clone(module)),
            None => {
                let why = format!("`{address}` was not looked into: its source `{source}` is not on disk");
                let help = "run `terraform init -backend=false` in the root module to download it";
                Err(not_found(why, Some(help)))
            }
        }
    }
}

impl Module {
    /// Whether nothing is declared.
    pub(super) fn is_empty(&self) -> bool {
        self.variables.is_empty()
            && self.locals.is_empty()
            && self.outputs.is_empty()
            && self.resources.is_empty()
            && self.calls.is_empty()
            && !self.incomplete
    }
}

fn called_folders(module: &Module) -> Vec<PathBuf> {
    let sources = module.calls.values().filter_map(|call| call.source.as_deref());
    sources.filter(|source| local_source(source)).map(|source| source_dir(&module.dir, source)).collect()
}

/// Where `terraform init` put the modules of a root, by their call path (`network.subnets`).
fn installed_modules(root: &Path) -> BTreeMap<String, PathBuf> {
    #[derive(serde::Deserialize)]
    struct Manifest {
        #[serde(rename = "Modules", default)]
        modules: Vec<Entry>,
    }
    #[derive(serde::Deserialize)]
    struct Entry {
        #[serde(rename = "Key")]
        key: String,
        #[serde(rename = "Dir")]
        dir: String,
    }
    let Ok(text) = std::fs::read_to_string(root.join(".terraform/modules/modules.json")) else {
        return BTreeMap::new();
    };
    let Ok(manifest) = serde_json::from_str::<Manifest>(&text) else { return BTreeMap::new() };
    let entries = manifest.modules.into_iter().filter(|entry| !entry.key.is_empty());
    entries.map(|entry| (entry.key, clean(&root.join(entry.dir.replace('\\', "/"))))).collect()
}
