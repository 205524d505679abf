//! The set of files that one run has read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

use super::{FileId, LineIndex, Position, Span};

/// One file as it was read: its path, its text, and where its lines begin.
#[derive(Debug)]
pub struct SourceFile {
    id: FileId,
    path: PathBuf,
    display: String,
    text: Arc<str>,
    lines: OnceLock<LineIndex>,
}

impl SourceFile {
    /// The id under which spans name this file.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The path as the program opened it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path as it is shown: relative to the working directory where it lies below it, with forward slashes.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The whole text. Bytes that are no text were refused when the file was read. Of a plan, whose text is large and may hold
    /// secrets, it is empty.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The line table, computed on first use.
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }

    /// The text of a span of this file, or `""` where the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}

/// All files of one run. Files can be added from several threads; a path is held once.
#[derive(Debug, Default)]
pub struct SourceMap {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    files: Vec<Arc<SourceFile>>,
    by_path: HashMap<PathBuf, FileId>,
}

impl SourceMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file from disk, once.
    ///
    /// # Errors
    /// What the operating system says, or `InvalidData` when the file is not UTF-8 text.
    pub fn load(&self, path: &Path) -> std::io::Result<Arc<SourceFile>> {
        if let Some(file) = self.by_path(path) {
            return Ok(file);
        }
        Ok(self.add(path, super::decode::utf8(std::fs::read(path)?)?))
    }

    /// Adds a file whose text is already at hand (standard input, an editor's buffer, a test).
    /// A path that is already there keeps its first text.
    pub fn add(&self, path: &Path, text: impl Into<Arc<str>>) -> Arc<SourceFile> {
        let mut inner = self.inner.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(id) = inner.by_path.get(path) {
            return Arc::clone(&inner.files[id.0 as usize - 1]);
        }
        let id = FileId(inner.files.len() as u32 + 1);
        let file = Arc::new(SourceFile {
            id,
            path: path.to_path_buf(),
            display: display_path(path),
            text: text.into(),
            lines: OnceLock::new(),
        });
        inner.files.push(Arc::clone(&file));
        inner.by_path.insert(path.to_path_buf(), id);
        file
    }

    /// The file of an id; `None` for [`Span::NOWHERE`] and for ids of another map.
    pub fn get(&self, id: FileId) -> Option<Arc<SourceFile>> {
        let inner = self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        inner.files.get((id.0 as usize).checked_sub(1)?).cloned()
    }

    /// The file at a path, if it was read.
    pub fn by_path(&self, path: &Path) -> Option<Arc<SourceFile>> {
        let inner = self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let id = inner.by_path.get(path)?;
        inner.files.get(id.0 as usize - 1).cloned()
    }

    /// All files, sorted by path.
    pub fn files(&self) -> Vec<Arc<SourceFile>> {
        let inner = self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut files = inner.files.clone();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }

    /// How many files were read.
    pub fn len(&self) -> usize {
        self.inner.read().unwrap_or_else(|poisoned| poisoned.into_inner()).files.len()
    }

    /// Whether no file was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first position of a span, 1-based, columns in characters.
    pub fn position(&self, span: Span) -> Option<Position> {
        let file = self.get(span.file)?;
        Some(file.lines().position(file.text(), span.start as usize))
    }

    /// The shown path of a span's file.
    pub fn display(&self, span: Span) -> Option<String> {
        Some(self.get(span.file)?.display().to_string())
    }
}

/// A path as it is shown: without a leading `./`, relative to the working directory where it lies below it, forward slashes.
pub fn display_path(path: &Path) -> String {
    let relative = if path.is_absolute() {
        std::env::current_dir().ok().and_then(|dir| path.strip_prefix(dir).ok().map(Path::to_path_buf))
    } else {
        None
    };
    let shown = relative.as_deref().unwrap_or(path);
    let text = shown.to_string_lossy().replace('\\', "/");
    match text.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_string(),
        _ => text,
    }
}
