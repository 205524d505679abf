//! The frontends: one folder for each language, from syntax to evaluated [`crate::resource::Resource`]s.
//!
//! A frontend knows its language and nothing of rules, reports, or other frontends.

pub mod arm;
pub mod bicep;
pub mod plan;
pub mod suppressions;
pub mod terraform;
pub mod topology;

use std::path::{Path, PathBuf};

/// Says of a path below a folder that is searched, and whether it is a folder itself, whether it is left out.
pub type Excluded = std::sync::Arc<dyn Fn(&Path, bool) -> bool + Send + Sync>;

/// The only way in which a frontend reads files that configuration names (`file()`, modules, `loadJsonContent`).
/// It never leaves the folders it was given.
#[derive(Clone, Debug)]
pub struct Sandbox {
    allowed: Vec<PathBuf>,
}

impl Sandbox {
    /// A sandbox over folders. Each is made canonical where it exists.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let allowed = folders.into_iter().map(|f| std::fs::canonicalize(&f).unwrap_or(f)).collect();
        Self { allowed }
    }

    /// The sandbox of a root: the repository that it belongs to; else the folder among those that the user named in which
    /// it lies; else its own folder.
    pub fn of_root(root: &Path, named: &[PathBuf]) -> Self {
        let absolute = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let folder =
            if absolute.is_dir() { absolute.as_path() } else { absolute.parent().unwrap_or(&absolute) };
        let repository =
            folder.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_path_buf);
        let mut named = named.iter().filter_map(|path| std::fs::canonicalize(path).ok());
        let allowed = repository.or_else(|| named.find(|path| path.is_dir() && folder.starts_with(path)));
        Sandbox::new([allowed.unwrap_or_else(|| folder.to_path_buf())])
    }

    /// The same with more folders.
    pub fn with(mut self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        self.allowed.extend(Self::new(folders).allowed);
        self
    }

    /// The path in its canonical form, if it exists and lies inside the sandbox (symbolic links followed).
    pub fn resolve(&self, path: &Path) -> Option<PathBuf> {
        let real = std::fs::canonicalize(path).ok()?;
        self.allowed.iter().any(|folder| real.starts_with(folder)).then_some(real)
    }

    /// Whether a path (absolute, without `.` and `..`) would lie inside the sandbox, going by its name alone. Says nothing
    /// of whether it exists; only [`Sandbox::resolve`] decides what may be read.
    pub fn covers(&self, path: &Path) -> bool {
        self.allowed.iter().any(|folder| path.starts_with(folder))
    }
}
