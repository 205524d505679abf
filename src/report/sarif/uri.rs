//! Paths as URIs.

use std::path::{Component, Path};

use crate::report::repository::without_dots;

use super::schema::ArtifactLocation;

/// The URI of a path: relative where it leads nowhere but below the folder that paths are relative to, else absolute.
pub fn artifact(shown: &str) -> ArtifactLocation {
    let path = Path::new(shown);
    let inside = path.is_relative() && path.components().all(|part| part != Component::ParentDir);
    if inside {
        return ArtifactLocation { uri: encoded(shown), uri_base_id: Some("SRCROOT") };
    }
    let absolute = without_dots(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    let text = absolute.to_string_lossy().replace('\\', "/");
    let slash = if text.starts_with('/') { "" } else { "/" };
    ArtifactLocation { uri: format!("file://{slash}{}", encoded(&text)), uri_base_id: None }
}

/// Everything but unreserved characters and slashes percent-encoded (RFC 3986, 2.3); a colon too, because in the first
/// segment of a relative reference it would end a scheme.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(byte as char);
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_stay_relative_and_are_encoded() {
        let location = artifact("infra prod/größe#1/main.tf");
        assert_eq!(location.uri, "infra%20prod/gr%C3%B6%C3%9Fe%231/main.tf");
        assert_eq!(location.uri_base_id, Some("SRCROOT"));
        assert_eq!(artifact("c:main.tf").uri, "c%3Amain.tf");
    }

    #[test]
    #[cfg(unix)]
    fn paths_outside_the_working_directory_are_absolute() {
        let location = artifact("/srv/hub/../spoke/main.tf");
        assert_eq!(location.uri, "file:///srv/spoke/main.tf");
        assert_eq!(location.uri_base_id, None);
        let location = artifact("../spoke/main.tf");
        assert!(location.uri.starts_with("file:///") && location.uri.ends_with("/spoke/main.tf"));
        assert!(!location.uri.contains(".."));
    }
}
