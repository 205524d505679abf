//! Comments, and what stands at a place: questions that an editor and suppressions ask, answered by `tree-sitter-hcl`.
//!
//! Its tree keeps comments, survives damage, and follows edits without reading the whole text again. It is made only
//! when somebody asks: evaluation needs none of this.

use std::ops::Range;

use ecow::EcoString;
use tree_sitter::{InputEdit, Node, Parser, Point, Tree, TreeCursor};

use crate::source::{FileId, Span};

/// A comment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// From its first character to its last, without the end of the line.
    pub span: Span,
    /// The text without `#`, `//`, `/*` and `*/`, trimmed.
    pub text: EcoString,
    /// Nothing but white space stands before it on its line.
    pub own_line: bool,
}

/// All comments of an HCL text, in order.
pub fn comments(text: &str, file: FileId) -> Vec<Comment> {
    let Some(tree) = SyntaxTree::new(text) else { return Vec::new() };
    let mut found = Vec::new();
    let mut cursor = tree.tree.walk();
    loop {
        let node = cursor.node();
        if node.kind() == "comment" {
            found.extend(comment(text, file, node.byte_range()));
        }
        if !next_in_order(&mut cursor) {
            return found;
        }
    }
}

fn comment(text: &str, file: FileId, range: Range<usize>) -> Option<Comment> {
    let raw = text.get(range.clone())?;
    let kept = raw.trim_end();
    let inside = kept
        .strip_prefix("/*")
        .map(|rest| rest.strip_suffix("*/").unwrap_or(rest))
        .unwrap_or_else(|| kept.trim_start_matches(['#', '/']));
    let before = text.get(..range.start)?;
    let line = before.rsplit('\n').next().unwrap_or(before);
    Some(Comment {
        span: Span::new(file, range.start, range.start + kept.len()),
        text: inside.trim().into(),
        own_line: line.trim_start_matches('\u{feff}').trim().is_empty(),
    })
}

/// Moves on to the next node, parents before children; false at the end. Walks without recursion: the depth of the tree
/// is the text's to choose.
fn next_in_order(cursor: &mut TreeCursor<'_>) -> bool {
    if cursor.goto_first_child() {
        return true;
    }
    while !cursor.goto_next_sibling() {
        if !cursor.goto_parent() {
            return false;
        }
    }
    true
}

/// A tree that follows an editor's changes.
pub struct SyntaxTree {
    parser: Parser,
    tree: Tree,
}

impl SyntaxTree {
    /// Reads a text. `None` only if the grammar does not fit the tree-sitter library, which tests rule out.
    pub fn new(text: &str) -> Option<Self> {
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_hcl::LANGUAGE.into()).ok()?;
        let tree = parser.parse(text, None)?;
        Some(Self { parser, tree })
    }

    /// Takes over a change: the bytes `removed` of `before` have become the bytes `added` of `after`. Ranges that do not
    /// describe such a change make it read `after` anew.
    pub fn change(&mut self, before: &str, after: &str, removed: Range<usize>, added: Range<usize>) {
        let fits = removed.start == added.start
            && before.get(removed.clone()).is_some()
            && after.get(added.clone()).is_some()
            && before.len() - removed.len() + added.len() == after.len();
        if fits {
            self.tree.edit(&InputEdit {
                start_byte: removed.start,
                old_end_byte: removed.end,
                new_end_byte: added.end,
                start_position: point(before, removed.start),
                old_end_position: point(before, removed.end),
                new_end_position: point(after, added.end),
            });
        }
        if let Some(tree) = self.parser.parse(after, fits.then_some(&self.tree)) {
            self.tree = tree;
        }
    }

    /// The named nodes around a byte, the innermost first: what they are in the grammar, and their bytes.
    pub fn around(&self, offset: usize) -> Vec<(&str, Range<usize>)> {
        let mut node: Option<Node<'_>> =
            self.tree.root_node().named_descendant_for_byte_range(offset, offset);
        let mut around = Vec::new();
        while let Some(inner) = node {
            around.push((inner.kind(), inner.byte_range()));
            node = inner.parent();
        }
        around
    }
}

fn point(text: &str, offset: usize) -> Point {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let row = before.iter().filter(|b| **b == b'\n').count();
    let column = before.iter().rev().take_while(|b| **b != b'\n').count();
    Point { row, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, bool)> {
        comments(text, FileId(1)).into_iter().map(|c| (c.text.to_string(), c.own_line)).collect()
    }

    #[test]
    fn every_kind_of_comment_is_found_and_strings_are_not() {
        let text = "# one\na = \"# no\" // two\n/* three\n */\nb = <<EOT\n# no\nEOT\nc = [ # four\n  1,\n  # five\n]\n";
        let expected = [("one", true), ("two", false), ("three", true), ("four", false), ("five", true)];
        assert_eq!(found(text), expected.map(|(text, own_line)| (text.to_string(), own_line)));
    }

    #[test]
    fn a_span_holds_the_comment_without_its_line_end() {
        let text = "a = 1 # why\r\nb = 2\r\n";
        let comment = &comments(text, FileId(1))[0];
        assert_eq!(&text[comment.span.start as usize..comment.span.end as usize], "# why");
    }

    #[test]
    fn comments_are_found_in_damaged_text() {
        assert_eq!(found("resource \"a\" {\n  # kept\n  x = \n"), [("kept".to_string(), true)]);
    }

    #[test]
    fn the_tree_follows_a_change() {
        let before = "a = 1\nlocals {\n  x = 1\n}\n";
        let after = "a = 1\nlocals {\n  long = 1\n}\n";
        let mut tree = SyntaxTree::new(before).unwrap();
        let at = before.find('x').unwrap();
        tree.change(before, after, at..at + 1, at..at + 4);
        let around = tree.around(at);
        assert_eq!(around[0], ("identifier", at..at + 4));
        assert!(around.iter().any(|(kind, _)| *kind == "block"));
        assert_eq!(around.last().map(|(kind, _)| *kind), Some("config_file"));
    }
}
