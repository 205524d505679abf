//! Lines and columns, in UTF-8 bytes, characters and UTF-16 code units.

/// Where each line of a text begins. Lines end at `\n`; a `\r` before it belongs to the line's end.
#[derive(Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

/// A place in a text for people: both numbers start at 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters (Unicode scalar values), from 1.
    pub column: u32,
    /// Column in UTF-16 code units, from 1: what SARIF and editors count.
    pub column_utf16: u32,
}

impl LineIndex {
    /// Finds the lines of a text.
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
        Self { starts }
    }

    /// How many lines there are (a final newline begins one more, empty line).
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Never true: even an empty text has one line.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The byte range of a line (from 1), without its line end.
    pub fn line_range(&self, text: &str, line: u32) -> Option<std::ops::Range<usize>> {
        let index = (line as usize).checked_sub(1)?;
        let start = *self.starts.get(index)? as usize;
        let end = self.starts.get(index + 1).map_or(text.len(), |next| *next as usize - 1);
        let end = if end > start && text.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end };
        Some(start..end.max(start))
    }

    /// The position of a byte offset; an offset past the end or inside a character is moved back to the nearest place.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|start| *start as usize <= offset);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).map_or(0, |s| *s as usize);
        let before = text.get(start..offset).unwrap_or("");
        Position {
            line: line as u32,
            column: before.chars().count() as u32 + 1,
            column_utf16: before.encode_utf16().count() as u32 + 1,
        }
    }
}
