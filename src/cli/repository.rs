//! Which repository the program runs in.

use std::path::PathBuf;

/// The folders into which CI services check a repository out: GitHub, Azure Pipelines, GitLab.
const CHECKOUTS: [&str; 3] = ["GITHUB_WORKSPACE", "BUILD_SOURCESDIRECTORY", "CI_PROJECT_DIR"];

/// The top folder of the repository around the working directory: the nearest that git keeps, or else what the CI service
/// says.
pub(super) fn top() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let checkouts: Vec<PathBuf> = CHECKOUTS.iter().filter_map(std::env::var_os).map(PathBuf::from).collect();
    let mut folders = here.ancestors();
    folders
        .find(|folder| folder.join(".git").exists() || checkouts.iter().any(|top| top == folder))
        .map(PathBuf::from)
}
