//! Which files may be edited.

use std::path::{Component, Path, PathBuf};

use crate::source::SourceFile;

/// Folders that hold copies of other people's files.
const FOREIGN: [&str; 4] = [".terraform", ".terragrunt-cache", ".git", "node_modules"];

/// The files that may be edited: those that the user named or that lie below folders that the user named, as they are on
/// disk, and not what was made from other files.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Guard {
    /// The guard over paths: folders, and files with what lies beside them in the same language.
    pub fn new<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut guard = Self::default();
        for path in paths {
            // What cannot be found cannot be edited.
            let Ok(real) = std::fs::canonicalize(path) else { continue };
            if real.is_dir() {
                guard.folders.push(real);
            } else {
                guard.files.push(real);
            }
        }
        guard
    }

    /// Whether a file may be edited.
    pub fn permits(&self, file: &SourceFile) -> bool {
        let Ok(real) = std::fs::canonicalize(file.path()) else { return false };
        let below = self.folders.iter().find_map(|folder| real.strip_prefix(folder).ok());
        let foreign = |path: &Path| {
            path.components().any(
                |part| matches!(part, Component::Normal(name) if FOREIGN.iter().any(|other| name == *other)),
            )
        };
        let within = match below {
            Some(inside) => !foreign(inside),
            None => self.files.contains(&real),
        };
        within && real.is_file() && !is_made(&real, file.text())
    }
}

/// Whether a template was compiled from Bicep.
fn is_made(path: &Path, text: &str) -> bool {
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    json && (path.with_extension("bicep").is_file() || text.contains("\"_generator\""))
}
