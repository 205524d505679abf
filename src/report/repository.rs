//! Paths as services show them: relative to the top of the repository, whatever folder the program ran in.

use std::path::{Component, Path, PathBuf};

use super::Style;

impl Style {
    /// A path (as shown: relative to the working directory, or absolute) relative to the repository's top folder; as it is
    /// where it lies elsewhere.
    pub(super) fn in_repository(&self, shown: &str) -> String {
        let inside = self.repository.as_deref().and_then(|top| {
            let absolute = without_dots(&std::path::absolute(shown).ok()?);
            absolute.strip_prefix(top).ok().map(|path| path.to_string_lossy().replace('\\', "/"))
        });
        match inside {
            Some(inside) if inside.is_empty() => ".".to_string(),
            Some(inside) => inside,
            None => shown.to_string(),
        }
    }
}

/// The path with `..` taken away together with the folder before it, without asking the file system.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::expect_used)]
    fn paths_become_relative_to_the_repository() {
        let here = std::env::current_dir().expect("a working directory");
        let (parent, name) = (here.parent().expect("a parent"), here.file_name().expect("a name"));
        let style = Style { repository: Some(parent.to_path_buf()), ..Style::default() };
        let name = name.to_string_lossy();
        assert_eq!(style.in_repository("infra/main.tf"), format!("{name}/infra/main.tf"));
        assert_eq!(style.in_repository("../other/main.tf"), "other/main.tf");
        assert_eq!(style.in_repository(".."), ".");
        assert_eq!(style.in_repository("/elsewhere/main.tf"), "/elsewhere/main.tf");
        assert_eq!(Style::default().in_repository("../other/main.tf"), "../other/main.tf");
    }
}
