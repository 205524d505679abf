//! What is different, as a unified diff.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

/// Lines around a change.
const CONTEXT: usize = 3;

/// A line of a hunk: its mark, its text, its numbers (from 0) before and after.
struct Line<'t> {
    mark: char,
    text: &'t str,
    old: usize,
    new: usize,
}

/// The differences of two texts of one file. Lines for which `hidden` is true (numbers from 1, of the old text) are not shown:
/// a hunk ends before them.
pub fn unified(path: &str, old: &str, new: &str, hidden: &dyn Fn(u32) -> bool) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut text = String::new();
    for group in diff.grouped_ops(CONTEXT) {
        let mut lines: Vec<Line> = Vec::new();
        // What is added has no number in the old text, what is removed none in the new one: they have that of what follows.
        let (mut old, mut new) =
            group.first().map_or((0, 0), |op| (op.old_range().start, op.new_range().start));
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (mark, is_context) = match change.tag() {
                ChangeTag::Equal => (' ', true),
                ChangeTag::Delete => ('-', false),
                ChangeTag::Insert => ('+', false),
            };
            let line = Line { mark, text: change.value(), old, new };
            old += usize::from(mark != '+');
            new += usize::from(mark != '-');
            if is_context && hidden(line.old as u32 + 1) {
                hunk(&lines, &mut text);
                lines.clear();
            } else {
                lines.push(line);
            }
        }
        hunk(&lines, &mut text);
    }
    if text.is_empty() { text } else { format!("--- a/{path}\n+++ b/{path}\n{text}") }
}

fn hunk(lines: &[Line], out: &mut String) {
    let Some(first) = lines.first().filter(|_| lines.iter().any(|line| line.mark != ' ')) else { return };
    let old = lines.iter().filter(|line| line.mark != '+').count();
    let new = lines.iter().filter(|line| line.mark != '-').count();
    // Without lines on a side, the number is that of the line before.
    let start = |index: usize, count: usize| if count == 0 { index } else { index + 1 };
    let _ = writeln!(out, "@@ -{},{old} +{},{new} @@", start(first.old, old), start(first.new, new));
    for line in lines {
        out.push(line.mark);
        out.push_str(line.text);
        if !line.text.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn hidden_lines_end_a_hunk() {
        let old = "a\nsecret\nb\nc\nd\n";
        let new = "a\nsecret\nb\nC\nd";
        assert_eq!(
            unified("f", old, new, &|line| line == 2),
            "--- a/f\n+++ b/f\n@@ -3,3 +3,3 @@\n b\n-c\n-d\n+C\n+d\n\\ No newline at end of file\n"
        );
        assert_eq!(unified("f", old, old, &|_| false), "");
    }

    #[test]
    fn an_added_line_behind_a_hidden_one_is_numbered() {
        let text = unified("f", "secret\nb\n", "secret\nx\nb\n", &|line| line == 1);
        assert_eq!(text, "--- a/f\n+++ b/f\n@@ -2,1 +2,2 @@\n+x\n b\n");
    }
}
