//! Files, byte spans, and positions. This layer knows nothing of languages.

mod decode;
mod map;
mod position;

pub use decode::decode;
pub use map::{SourceFile, SourceMap, display_path};
pub use position::{LineIndex, Position};

/// A file of a [`SourceMap`]. `FileId(0)` is "nowhere": values that no file holds (a built-in default, `-var`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct FileId(pub u32);

/// A half-open range of bytes in one file.
///
/// Spans are cheap to copy and mean nothing without the [`SourceMap`] that made their [`FileId`].
/// The order in which files were loaded may differ between runs: never sort output by `FileId`, sort by path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Span {
    /// The file the bytes are in.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span of something that no file holds.
    pub const NOWHERE: Span = Span { file: FileId(0), start: 0, end: 0 };

    /// A span over `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start: start.min(u32::MAX as usize) as u32, end: end.min(u32::MAX as usize) as u32 }
    }

    /// Whether this span points into a file at all.
    pub fn is_somewhere(self) -> bool {
        self.file.0 != 0
    }

    /// This span where it points into a file, else `other`.
    pub fn or(self, other: Span) -> Span {
        if self.is_somewhere() { self } else { other }
    }

    /// The smallest span that covers both; `self` when they lie in different files.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether `inner` lies within this span.
    pub fn contains(self, inner: Span) -> bool {
        self.file == inner.file && self.start <= inner.start && inner.end <= self.end
    }
}
