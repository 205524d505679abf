//! Paths as Terraform writes them: relative, with forward slashes, without detours.

use std::path::{Component, Path, PathBuf};

/// A path without `.` and without the `..` that can be resolved by their text.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => {
                    cleaned.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => cleaned.push(".."),
            },
            other => cleaned.push(other),
        }
    }
    if cleaned.as_os_str().is_empty() { PathBuf::from(".") } else { cleaned }
}

/// `to` as it is named from the folder `from`; both relative to the same place or both absolute.
pub(super) fn relative(from: &Path, to: &Path) -> String {
    let (from, to) = (clean(from), clean(to));
    let parts = |path: &Path| -> Vec<String> {
        let components = path.components().filter(|component| *component != Component::CurDir);
        components.map(|component| component.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (from, to) = (parts(&from), parts(&to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if from.iter().skip(common).any(|part| part == "..") {
        // There is no way to name the folder that a leading `..` left.
        return to.join("/");
    }
    let up = std::iter::repeat_n("..".to_string(), from.len() - common);
    let way: Vec<String> = up.chain(to.into_iter().skip(common)).collect();
    if way.is_empty() { ".".to_string() } else { way.join("/") }
}
