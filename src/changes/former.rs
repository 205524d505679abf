//! Files as they were before the changes, for the same paths: what is there now with its former text, what is new without
//! any, and what was removed beside what is still there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::source::SourceMap;

use super::{canonical, git};

/// More changed files than this are not looked at.
const MOST: usize = 2_000;

/// The former state of one repository's changed files.
#[derive(Clone, Debug, Default)]
pub(super) struct Former {
    top: PathBuf,
    /// Files that are there, by their canonical paths, with the blob that they were; none for new ones.
    present: HashMap<PathBuf, Option<String>>,
    /// Files that are no more.
    removed: Vec<(PathBuf, String)>,
}

impl Former {
    /// Reads `git diff --raw -z --no-renames`, and what git does not know.
    pub(super) fn of(top: &Path, raw: &str, untracked: impl Iterator<Item = PathBuf>) -> Self {
        let mut former = Self { top: top.to_path_buf(), ..Self::default() };
        former.present.extend(untracked.map(|path| (path, None)));
        let mut fields = raw.split('\0');
        while let Some(head) = fields.next() {
            // `:100644 100644 BLOB BLOB M`, then the name.
            let words: Vec<&str> = head.trim_start_matches(':').split(' ').collect();
            let ([mode, _, blob, _, status], Some(name)) = (words.as_slice(), fields.next()) else {
                continue;
            };
            let path = canonical(&top.join(name));
            let blob = mode.starts_with("100").then(|| (*blob).to_string());
            match (status.chars().next(), blob) {
                (Some('A'), _) => drop(former.present.insert(path, None)),
                (Some('D'), Some(blob)) => former.removed.push((path, blob)),
                (Some('M' | 'T'), Some(blob)) => drop(former.present.insert(path, Some(blob))),
                // Links and repositories inside of this one.
                _ => {}
            }
        }
        former
    }

    /// The former texts of the files that a run has read, under the paths by which it read them, and nothing more. `None`
    /// when the former state cannot be made with the files that are there.
    pub(super) fn texts(&self, sources: &SourceMap) -> Option<Vec<(PathBuf, String)>> {
        if self.present.len() + self.removed.len() > MOST {
            return None;
        }
        let mut texts: HashMap<PathBuf, String> = HashMap::new();
        let mut beside: HashMap<PathBuf, PathBuf> = HashMap::new();
        for file in sources.files() {
            let path = file.path();
            let whole = canonical(path);
            if let Some(folder) = whole.parent().filter(|_| is_terraform(&whole)) {
                beside.entry(folder.to_path_buf()).or_insert_with(|| path.to_path_buf());
            }
            match self.present.get(&whole) {
                Some(Some(blob)) => drop(texts.insert(path.to_path_buf(), self.blob(blob)?)),
                Some(None) => {
                    let empty = if path.extension().is_some_and(|end| end == "json") { "{}" } else { "" };
                    texts.insert(path.to_path_buf(), empty.to_string());
                }
                None => {}
            }
        }
        for (path, blob) in self.removed.iter().filter(|(path, _)| is_configuration(path)) {
            // Which of a folder's files a block stands in makes no difference.
            let beside =
                path.parent().and_then(|folder| beside.get(folder)).filter(|_| is_terraform(path))?;
            let text = texts.entry(beside.clone()).or_insert_with(|| {
                sources.by_path(beside).map(|file| file.text().to_string()).unwrap_or_default()
            });
            text.push('\n');
            text.push_str(&self.blob(blob)?);
        }
        Some(texts.into_iter().collect())
    }

    fn blob(&self, blob: &str) -> Option<String> {
        git(&self.top, &["cat-file", "blob", blob]).ok()
    }
}

/// Whether a file is one of several of a folder that are read as one.
fn is_terraform(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.ends_with(".tf") && name != "override.tf" && !name.ends_with("_override.tf")
}

/// Whether a file may have been read.
fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    [".tf", ".tf.json", ".tfvars", ".tfvars.json", ".bicep", ".bicepparam"]
        .iter()
        .any(|end| name.ends_with(end))
}
