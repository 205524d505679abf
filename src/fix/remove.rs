//! Taking something out of a file, with its lines and nothing else.

use super::document::{Document, Entry, Object};
use super::patch::Edit;

impl Document {
    /// Takes out a member, with its line where it has lines of its own.
    pub(super) fn remove(&self, object: &Object, entry: &Entry) -> Option<Vec<Edit>> {
        let text = self.text();
        let line_start = text.get(..entry.start)?.rfind('\n').map_or(0, |newline| newline + 1);
        let alone_before = self.is_blank(line_start, entry.start);
        let behind = self.behind_comma(entry.end);
        let end = self.line_end(behind);
        if !alone_before || !self.is_blank(behind, end) {
            return None;
        }
        let index = object.entries.iter().position(|other| other.start == entry.start)?;
        let mut edits = Vec::new();
        let is_last = index + 1 == object.entries.len();
        if self.dialect.is_json() && is_last && behind == entry.end && index > 0 {
            // The comma of the member before goes too.
            let before = object.entries.get(index - 1)?;
            let comma = self.behind_comma(before.end);
            if comma == before.end {
                return None;
            }
            edits.push(Edit { start: before.end, end: comma, text: String::new() });
        }
        let after = text.get(end..).map_or(end, |rest| {
            end + if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) }
        });
        edits.push(Edit { start: line_start, end: after, text: String::new() });
        Some(edits)
    }

    /// Takes out a block with its lines, and the empty line before it.
    pub(super) fn drop_block(&self, (start, end): (usize, usize)) -> Option<Vec<Edit>> {
        let text = self.text();
        let line_start = text.get(..start)?.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = self.line_end(end);
        if !self.is_blank(line_start, start) || !self.is_blank(end, line_end) {
            return None;
        }
        // A comment directly above speaks of the block; whether it may go is the author's choice.
        let above = text.get(..line_start)?.trim_end_matches([' ', '\t', '\r']);
        let above = above.strip_suffix('\n').unwrap_or(above);
        let last = above.rsplit('\n').next().unwrap_or("").trim();
        if last.starts_with(['#', '/', '*']) {
            return None;
        }
        let mut from = line_start;
        if last.is_empty() && line_start > 0 {
            from = above.rfind('\n').map_or(0, |newline| newline + 1);
        }
        let rest = text.get(line_end..)?;
        let to = line_end + if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
        Some(vec![Edit { start: from, end: to, text: String::new() }])
    }
}
