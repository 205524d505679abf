//! The frontends: one folder for each language, from syntax to evaluated [`crate::resource::Resource`]s.
//!
//! A frontend knows its language and nothing of rules, reports, or other frontends.

pub mod arm;
pub mod bicep;
pub mod plan;
pub mod terraform;

use std::path::{Path, PathBuf};

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
