//! Changed files back to disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::source::SourceFile;

/// A file and its new text.
#[derive(Clone, Debug)]
pub struct Changed {
    /// As it was read.
    pub file: Arc<SourceFile>,
    /// What it is to hold.
    pub text: String,
}

/// Writes files, each whole or not at all. Nothing is written when one of them is not as it was read any more.
///
/// # Errors
/// What the operating system says, or that a file has changed, with its path.
pub fn save(files: &[Changed]) -> Result<(), (String, io::Error)> {
    let mut paths = Vec::new();
    for changed in files {
        let of_file = |problem| (changed.file.display().to_string(), problem);
        // A link stays a link to the file that it leads to.
        let path = fs::canonicalize(changed.file.path()).map_err(of_file)?;
        let present = fs::read(&path).map_err(of_file)?;
        if present != changed.file.text().as_bytes() {
            return Err(of_file(io::Error::other("it has changed since it was read; nothing was written")));
        }
        paths.push(path);
    }
    for (changed, path) in files.iter().zip(&paths) {
        replace(path, changed.text.as_bytes())
            .map_err(|problem| (changed.file.display().to_string(), problem))?;
    }
    Ok(())
}

/// Writes beside the file and moves it into its place, so that it is never there in parts.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    let (beside, mut file) = create_beside(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::set_permissions(&beside, permissions))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The first problem is the one to be told.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A new file in the same folder.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut problem = io::Error::other("no free name beside it");
    for attempt in 0..16 {
        let beside = path.with_file_name(format!(".{name}.{}-{attempt}.tmp", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(other) if other.kind() == io::ErrorKind::AlreadyExists => problem = other,
            Err(other) => return Err(other),
        }
    }
    Err(problem)
}
