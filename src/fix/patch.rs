//! Adding to a file so that everything that is there stays as it is, byte for byte.

use super::document::{Dialect, Document, Entry, Node, NodeKind, Object};
use super::write::{Content, Layout, Member};

/// Some bytes of a file, and what is to stand there instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Edit {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

impl Edit {
    fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { start: at, end: at, text: text.into() }
    }
}

/// Attributes of a Terraform resource that come first or last.
const META: [&str; 5] = ["count", "for_each", "provider", "source", "depends_on"];
/// Blocks of a Terraform resource that come last.
const LAST: [&str; 4] = ["lifecycle", "timeouts", "provisioner", "connection"];

impl Document {
    /// How this file is laid out around an object.
    fn layout(&self, object: &Object) -> Layout {
        let text = self.text();
        let newline = match text.find('\n') {
            Some(at) if text.get(..at).is_some_and(|before| before.ends_with('\r')) => "\r\n",
            _ => "\n",
        };
        let outer = self.indent(object.open);
        let own = object.entries.first().filter(|first| !self.same_line(object.open, first.start));
        let unit = own
            .and_then(|first| self.indent(first.start).strip_prefix(outer))
            .filter(|unit| !unit.is_empty())
            .map_or_else(|| self.usual_unit(), str::to_string);
        Layout { dialect: self.dialect, unit, newline }
    }

    /// The indentation of the file's first indented line.
    fn usual_unit(&self) -> String {
        let indented = self.text().lines().find_map(|line| {
            let rest = line.trim_start_matches([' ', '\t']);
            let indent = line.get(..line.len() - rest.len())?;
            (!indent.is_empty() && !rest.is_empty() && !rest.starts_with('*')).then(|| indent.to_string())
        });
        indented.unwrap_or_else(|| "  ".into())
    }

    /// The white space at the beginning of a place's line.
    pub(super) fn indent(&self, at: usize) -> &str {
        let text = self.text();
        let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        let line = text.get(start..).unwrap_or("");
        let rest = line.trim_start_matches([' ', '\t']);
        line.get(..line.len() - rest.len()).unwrap_or("")
    }

    fn same_line(&self, from: usize, to: usize) -> bool {
        !self.text().get(from..to).unwrap_or("").contains('\n')
    }

    /// The end of a place's line, before the line break.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let text = self.text();
        let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
        if end > at && text.get(..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end }
    }

    /// The end of the line when nothing but a comment stands between a place and it.
    fn free_line_end(&self, at: usize) -> Option<usize> {
        let end = self.line_end(at);
        let rest = self.text().get(at..end)?.trim();
        let whole_comment = rest.starts_with("/*") && rest.find("*/") == Some(rest.len().checked_sub(2)?);
        let free = rest.is_empty()
            || rest.starts_with("//")
            || rest.starts_with('#') && matches!(self.dialect, Dialect::Hcl)
            || whole_comment;
        free.then_some(end)
    }

    pub(super) fn is_blank(&self, from: usize, to: usize) -> bool {
        self.text().get(from..to).is_some_and(|between| between.trim().is_empty())
    }

    /// Adds members to an object: values are set, objects merged, lists made longer. `None` where something that is
    /// computed is in the way.
    pub(super) fn merge(&self, node: &Node, members: &[Member]) -> Option<Vec<Edit>> {
        let mut edits = Vec::new();
        self.merge_into(node.object()?, members, &mut edits)?;
        Some(edits)
    }

    fn merge_into(&self, object: &Object, members: &[Member], edits: &mut Vec<Edit>) -> Option<()> {
        let mut new = Vec::new();
        for member in members {
            match (object.entry(&member.name), &member.content) {
                (Some(entry), Content::Object(inner)) if !entry.block || object.body => {
                    self.merge_into(entry.node.object()?, inner, edits)?;
                }
                (Some(entry), Content::Element(element)) => {
                    self.append(object, entry, element, edits)?;
                }
                (Some(entry), Content::Block(_)) if self.dialect == Dialect::TerraformJson => {
                    self.append(object, entry, &member.content, edits)?;
                }
                (Some(entry), Content::Block(_)) if !entry.block => return None,
                (None, _) | (Some(_), Content::Block(_)) => new.push(member.clone()),
                (Some(entry), content) => {
                    // Only what is written out is replaced; what is computed may be what the author wants.
                    entry.node.literal()?;
                    let text = self.layout(object).inline(content);
                    edits.push(Edit { start: entry.node.start, end: entry.node.end, text });
                }
            }
        }
        if new.is_empty() { Some(()) } else { self.add(object, &new, edits) }
    }

    /// Adds new members to an object.
    fn add(&self, object: &Object, members: &[Member], edits: &mut Vec<Edit>) -> Option<()> {
        let layout = self.layout(object);
        let outer = self.indent(object.open).to_string();
        let Some((first, last)) = object.entries.first().zip(object.entries.last()) else {
            return self.fill_empty(object, members, &layout, &outer, edits);
        };
        if self.same_line(object.open, first.start) && object.open > 0 {
            return self.add_on_line(object, first, last, members, &layout, edits);
        }
        if self.dialect == Dialect::Hcl && object.body {
            let (blocks, attributes): (Vec<Member>, Vec<Member>) =
                members.iter().cloned().partition(|member| matches!(member.content, Content::Block(_)));
            if !attributes.is_empty() {
                self.add_attributes(object, &attributes, &layout, edits)?;
            }
            for block in blocks {
                self.add_block(object, &block, &layout, edits)?;
            }
            return Some(());
        }
        let own = self.indent(last.start).to_string();
        let text = layout.members(members, &own, false);
        let separated = !self.dialect.is_json();
        if separated {
            let at = self.free_line_end(self.behind_comma(last.end))?;
            // HCL objects may have commas at the ends of their lines.
            let comma = self.behind_comma(last.end) > last.end;
            let text = if comma {
                text.replace(layout.newline, &format!(",{}", layout.newline)) + ","
            } else {
                text
            };
            edits.push(Edit::insert(at, format!("{}{text}", layout.newline)));
            return Some(());
        }
        self.after_json_element(last.end, &text, &layout, edits)
    }

    /// The place behind a comma that follows a place on the same line, else the place.
    pub(super) fn behind_comma(&self, at: usize) -> usize {
        let rest = self.text().get(at..).unwrap_or("");
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest.get(blanks..).is_some_and(|rest| rest.starts_with(',')) { at + blanks + 1 } else { at }
    }

    /// Adds lines behind the last element or member of a JSON list or object, with the commas it takes.
    fn after_json_element(
        &self,
        end: usize,
        text: &str,
        layout: &Layout,
        edits: &mut Vec<Edit>,
    ) -> Option<()> {
        let behind = self.behind_comma(end);
        let at = self.free_line_end(behind)?;
        if behind > end {
            edits.push(Edit::insert(at, format!("{}{text},", layout.newline)));
        } else if at == end {
            edits.push(Edit::insert(at, format!(",{}{text}", layout.newline)));
        } else {
            edits.push(Edit::insert(end, ","));
            edits.push(Edit::insert(at, format!("{}{text}", layout.newline)));
        }
        Some(())
    }

    fn fill_empty(
        &self,
        object: &Object,
        members: &[Member],
        layout: &Layout,
        outer: &str,
        edits: &mut Vec<Edit>,
    ) -> Option<()> {
        // A comment between the braces stays where it is.
        if !self.is_blank(object.open, object.close) || object.open == 0 {
            return None;
        }
        let inner = format!("{outer}{}", layout.unit);
        let text = layout.members(members, &inner, object.body);
        let text = format!("{0}{text}{0}{outer}", layout.newline);
        edits.push(Edit { start: object.open, end: object.close, text });
        Some(())
    }

    /// Adds members to an object that stands on one line.
    fn add_on_line(
        &self,
        object: &Object,
        first: &Entry,
        last: &Entry,
        members: &[Member],
        layout: &Layout,
        edits: &mut Vec<Edit>,
    ) -> Option<()> {
        if !(object.body && self.dialect == Dialect::Hcl) {
            let texts: Vec<String> = members.iter().map(|member| layout.inline_member(member)).collect();
            edits.push(Edit::insert(last.end, format!(", {}", texts.join(", "))));
            return Some(());
        }
        // A block on one line takes one attribute only: it is opened up.
        if object.entries.len() != 1
            || !self.is_blank(object.open, first.start)
            || !self.is_blank(last.end, object.close)
            || !self.same_line(object.open, object.close)
        {
            return None;
        }
        let outer = self.indent(object.open).to_string();
        let inner = format!("{outer}{}", layout.unit);
        let newline = layout.newline;
        edits.push(Edit { start: object.open, end: first.start, text: format!("{newline}{inner}") });
        let blank = if matches!(members.first().map(|member| &member.content), Some(Content::Block(_))) {
            newline
        } else {
            ""
        };
        let text = layout.members(members, &inner, true);
        let text = format!("{newline}{blank}{text}{newline}{outer}");
        edits.push(Edit { start: last.end, end: object.close, text });
        Some(())
    }

    /// Adds attributes to a body behind those that it has.
    fn add_attributes(
        &self,
        object: &Object,
        members: &[Member],
        layout: &Layout,
        edits: &mut Vec<Edit>,
    ) -> Option<()> {
        let is_meta = |entry: &&Entry| META.contains(&entry.name.as_str());
        let attributes = || object.entries.iter().filter(|entry| !entry.block);
        let own = attributes().rfind(|entry| !is_meta(entry)).or_else(|| attributes().next_back());
        let newline = layout.newline;
        if members.iter().all(|member| member.name == "depends_on") {
            // It comes last, with an empty line before it.
            let last = object.entries.iter().rfind(|entry| !LAST.contains(&entry.name.as_str()))?;
            let at = self.free_line_end(last.end)?;
            let indent = self.indent(last.start).to_string();
            let text = layout.members(members, &indent, true);
            edits.push(Edit::insert(
                at,
                format!("{newline}{newline}{text}{}", self.blank_after(at, object, newline)),
            ));
            return Some(());
        }
        let Some(anchor) = own else {
            let first = object.entries.first()?;
            let indent = self.indent(first.start).to_string();
            let at = self.free_line_end(object.open)?;
            let text = layout.members(members, &indent, true);
            edits.push(Edit::insert(at, format!("{newline}{text}{newline}")));
            return Some(());
        };
        let at = self.free_line_end(anchor.end)?;
        let indent = self.indent(anchor.start).to_string();
        let column = self.equals_column(object, anchor);
        let widest = members.iter().map(|member| member.name.chars().count() + 1).max().unwrap_or(0);
        let text = match column {
            Some(column) if widest <= column => {
                let lines: Vec<String> = members
                    .iter()
                    .map(|member| format!("{indent}{}", layout.member(member, &indent, column)))
                    .collect();
                format!("{newline}{}", lines.join(newline))
            }
            // A name that is wider than the others begins a paragraph, so that theirs need not move.
            Some(_) => format!("{newline}{newline}{}", layout.members(members, &indent, true)),
            None => format!("{newline}{}", layout.members(members, &indent, true)),
        };
        edits.push(Edit::insert(at, text));
        Some(())
    }

    /// How far from the beginning of their names the `=` of an attribute and of those directly above it stands, when it is
    /// the same for all.
    fn equals_column(&self, object: &Object, anchor: &Entry) -> Option<usize> {
        let text = self.text();
        let one_line = |entry: &Entry| !entry.block && self.same_line(entry.start, entry.end);
        if !one_line(anchor) {
            return None;
        }
        let column = |entry: &Entry| text.get(entry.start..entry.end).and_then(|text| text.find('='));
        let wanted = column(anchor)?;
        let position = object.entries.iter().position(|entry| entry.start == anchor.start)?;
        let mut below = anchor;
        for entry in object.entries.get(..position)?.iter().rev() {
            let between = text.get(entry.end..below.start)?;
            if !one_line(entry) || between.matches('\n').count() != 1 {
                break;
            }
            if column(entry)? != wanted {
                return None;
            }
            below = entry;
        }
        Some(wanted)
    }

    /// Adds a block to a body, behind those of its type, else behind everything but what comes last.
    fn add_block(
        &self,
        object: &Object,
        member: &Member,
        layout: &Layout,
        edits: &mut Vec<Edit>,
    ) -> Option<()> {
        let of_type = object.entries.iter().rfind(|entry| entry.block && entry.name == member.name);
        let other = || {
            object.entries.iter().rfind(|entry| {
                let last = entry.block && LAST.contains(&entry.name.as_str());
                !last && entry.name != "depends_on"
            })
        };
        let anchor = of_type.or_else(other)?;
        let at = self.free_line_end(anchor.end)?;
        let indent = self.indent(anchor.start).to_string();
        let newline = layout.newline;
        let text = layout.members(std::slice::from_ref(member), &indent, true);
        edits.push(Edit::insert(
            at,
            format!("{newline}{newline}{text}{}", self.blank_after(at, object, newline)),
        ));
        Some(())
    }

    /// An empty line, where something follows directly.
    fn blank_after<'n>(&self, at: usize, object: &Object, newline: &'n str) -> &'n str {
        let rest = self.text().get(at..object.close).unwrap_or("");
        let mut lines = rest.split('\n').skip(1);
        let next = lines.next().unwrap_or("").trim();
        if next.is_empty() { "" } else { newline }
    }

    /// Adds an element to a list.
    fn append(&self, object: &Object, entry: &Entry, element: &Content, edits: &mut Vec<Edit>) -> Option<()> {
        let NodeKind::List(items) = &entry.node.kind else { return None };
        let layout = self.layout(object);
        let node = &entry.node;
        let Some((first, last)) = items.first().zip(items.last()) else {
            if !self.is_blank(node.start + 1, node.end.checked_sub(1)?) {
                return None;
            }
            let indent = self.indent(node.start).to_string();
            let text = layout.value(&Content::List(vec![element.clone()]), &indent);
            edits.push(Edit { start: node.start, end: node.end, text });
            return Some(());
        };
        if self.same_line(node.start, first.start) {
            let text = if self.same_line(node.start, node.end) {
                layout.inline(element)
            } else {
                let indent = self.indent(last.start).to_string();
                layout.value(element, &indent)
            };
            edits.push(Edit::insert(last.end, format!(", {text}")));
            return Some(());
        }
        let indent = self.indent(last.start).to_string();
        let text = format!("{indent}{}", layout.value(element, &indent));
        let behind = self.behind_comma(last.end);
        if self.dialect == Dialect::Bicep && behind == last.end {
            let at = self.free_line_end(last.end)?;
            edits.push(Edit::insert(at, format!("{}{text}", layout.newline)));
            return Some(());
        }
        self.after_json_element(last.end, &text, &layout, edits)
    }

    /// Puts another text in the place of a literal.
    pub(super) fn replace(&self, node: &Node, from: &str, content: &Content) -> Option<Vec<Edit>> {
        if node.literal()? != from {
            return None;
        }
        let layout = Layout { dialect: self.dialect, unit: String::new(), newline: "\n" };
        let quoted = self.text().get(node.start..node.end)?.starts_with(['"', '\'']);
        let text = match content {
            Content::Text(text) if !quoted => text.clone(),
            other => layout.inline(other),
        };
        Some(vec![Edit { start: node.start, end: node.end, text }])
    }

    /// Adds a declaration behind another one. The new one is written by `write` at an indentation.
    pub(super) fn add_behind(
        &self,
        anchor: (usize, usize),
        write: impl FnOnce(&Layout, &str) -> String,
    ) -> Option<Vec<Edit>> {
        let layout =
            Layout { dialect: self.dialect, unit: self.usual_unit(), newline: self.layout_newline() };
        let newline = layout.newline;
        let indent = self.indent(anchor.0).to_string();
        let text = write(&layout, &indent);
        if self.dialect.is_json() {
            return Some(vec![Edit::insert(anchor.1, format!(",{newline}{indent}{text}"))]);
        }
        let at = self.free_line_end(anchor.1)?;
        // The rest of the file, from the next line on.
        let rest = self.text().get(at..)?;
        let next = rest.split('\n').nth(1).unwrap_or("").trim();
        let blank = if next.is_empty() { "" } else { newline };
        Some(vec![Edit::insert(at, format!("{newline}{newline}{indent}{text}{blank}"))])
    }

    fn layout_newline(&self) -> &'static str {
        let text = self.text();
        match text.find('\n') {
            Some(at) if text.get(..at).is_some_and(|before| before.ends_with('\r')) => "\r\n",
            _ => "\n",
        }
    }

    /// Another name for a member. White space before `=` makes room where it can.
    pub(super) fn rename(&self, entry: &Entry, name: &str) -> Option<Edit> {
        let text = self.text();
        let old = text.get(entry.start..entry.node.start)?;
        let quoted = old.starts_with(['"', '\'']);
        let quote = usize::from(quoted);
        let start = entry.start + quote;
        let end = start + entry.name.len();
        if text.get(start..end)? != entry.name {
            return None;
        }
        let longer = name.len().checked_sub(entry.name.len())?;
        let blanks = text.get(end..)?.len() - text.get(end..)?.trim_start_matches(' ').len();
        let room = if self.dialect == Dialect::Hcl && blanks > longer { longer } else { 0 };
        Some(Edit { start, end: end + room, text: name.to_string() })
    }

    /// Another value.
    pub(super) fn rewrite(&self, node: &Node, content: &Content) -> Edit {
        let layout =
            Layout { dialect: self.dialect, unit: self.usual_unit(), newline: self.layout_newline() };
        let indent = self.indent(node.start).to_string();
        Edit { start: node.start, end: node.end, text: layout.value(content, &indent) }
    }
}
