//! What is left out when folders are searched.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Folders and files below a folder that are left out, by patterns as git reads them in `.gitignore`.
#[derive(Clone, Debug)]
pub struct Exclusion {
    folder: PathBuf,
    patterns: Gitignore,
}

impl Exclusion {
    /// Patterns relative to a folder.
    ///
    /// # Errors
    /// The first pattern that cannot be understood, by its position, and why.
    pub fn new(folder: &Path, patterns: &[String]) -> Result<Self, (usize, String)> {
        let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
        let mut builder = GitignoreBuilder::new(&folder);
        for (index, pattern) in patterns.iter().enumerate() {
            builder.add_line(None, pattern).map_err(|problem| (index, problem.to_string()))?;
        }
        let patterns = builder.build().map_err(|problem| (0, problem.to_string()))?;
        Ok(Self { folder, patterns })
    }

    /// Whether a path is left out. What lies below a folder that is left out is not asked for: the search does not go there,
    /// unless it is named.
    pub(super) fn covers(&self, path: &Path, is_folder: bool) -> bool {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        match path.strip_prefix(&self.folder) {
            Ok(inside) => self.patterns.matched(inside, is_folder).is_ignore(),
            Err(_) => false,
        }
    }
}
