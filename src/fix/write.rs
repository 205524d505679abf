//! New text in the manner of a language.

use super::document::Dialect;

/// Longer lists have lines of their own for their elements.
const LIST_WIDTH: usize = 100;

/// Something to be written.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Content {
    /// A text.
    Text(String),
    /// A number or truth value as it is written everywhere.
    Plain(String),
    /// An expression of the language.
    Expression(String),
    /// A list.
    List(Vec<Content>),
    /// An object; where there is one already, its members are added to it.
    Object(Vec<Member>),
    /// Another element of a list, which is made if there is none.
    Element(Box<Content>),
    /// Another block (HCL); another element of a list in Terraform's JSON syntax.
    Block(Vec<Member>),
}

/// A member of an object or body.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Member {
    pub name: String,
    pub content: Content,
}

/// `member("name", text("value"))`.
pub(super) fn member(name: impl Into<String>, content: Content) -> Member {
    Member { name: name.into(), content }
}

/// A text.
pub(super) fn text(text: impl Into<String>) -> Content {
    Content::Text(text.into())
}

/// The white space of a place in a file.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// How the file writes things.
    pub dialect: Dialect,
    /// What one level of indentation is.
    pub unit: String,
    /// How lines end.
    pub newline: &'static str,
}

impl Layout {
    /// A value that begins on a line with an indentation.
    pub(super) fn value(&self, content: &Content, indent: &str) -> String {
        match content {
            Content::Text(text) => self.quoted(text),
            Content::Plain(text) => text.clone(),
            Content::Expression(text) => match self.dialect {
                Dialect::Hcl | Dialect::Bicep => text.clone(),
                Dialect::TerraformJson => json_text(&format!("${{{text}}}")),
                Dialect::ArmJson => json_text(&format!("[{text}]")),
            },
            Content::Element(element) => self.list(std::slice::from_ref(element), indent),
            Content::List(items) => self.list(items, indent),
            Content::Object(members) | Content::Block(members) => self.braces(members, indent, false),
        }
    }

    /// The same without line breaks.
    pub(super) fn inline(&self, content: &Content) -> String {
        match content {
            Content::Element(element) => format!("[{}]", self.inline(element)),
            Content::List(items) => {
                let items: Vec<String> = items.iter().map(|item| self.inline(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Content::Object(members) | Content::Block(members) => {
                if members.is_empty() {
                    return "{}".into();
                }
                let members: Vec<String> = members.iter().map(|member| self.inline_member(member)).collect();
                format!("{{ {} }}", members.join(", "))
            }
            other => self.value(other, ""),
        }
    }

    /// A member without line breaks.
    pub(super) fn inline_member(&self, member: &Member) -> String {
        let name = self.name(&member.name);
        format!("{name}{}{}", self.separator(), self.inline(&member.content))
    }

    /// A member on lines of its own, without the first line's indentation. `column`: where HCL's `=` stands.
    pub(super) fn member(&self, member: &Member, indent: &str, column: usize) -> String {
        if let (Content::Block(members), Dialect::Hcl) = (&member.content, self.dialect) {
            return format!("{} {}", member.name, self.braces(members, indent, true));
        }
        let name = self.name(&member.name);
        let value = match (&member.content, self.dialect) {
            (Content::Block(_), _) => self.list(std::slice::from_ref(&member.content), indent),
            (content, _) => self.value(content, indent),
        };
        match self.dialect {
            Dialect::Hcl => format!("{name:column$}= {value}", column = column.max(name.chars().count() + 1)),
            _ => format!("{name}{}{value}", self.separator()),
        }
    }

    /// Members on lines of their own, attributes before blocks as they come, `=` aligned as `terraform fmt` does.
    pub(super) fn members(&self, members: &[Member], indent: &str, body: bool) -> String {
        let is_block =
            |member: &Member| self.dialect == Dialect::Hcl && matches!(member.content, Content::Block(_));
        let mut lines: Vec<String> = Vec::new();
        let mut index = 0;
        while let Some(first) = members.get(index) {
            if is_block(first) {
                if index > 0 && body {
                    lines.push(String::new());
                }
                lines.push(format!("{indent}{}", self.member(first, indent, 0)));
                index += 1;
                continue;
            }
            // A value of several lines ends what is aligned.
            let one_line =
                |member: &&Member| !is_block(member) && !self.value(&member.content, indent).contains('\n');
            let mut run = members.get(index..).unwrap_or(&[]).iter().take_while(one_line).count();
            run = run.max(1);
            let group = members.get(index..index + run).unwrap_or(&[]);
            let column = group.iter().map(|member| self.name(&member.name).chars().count() + 1).max();
            for member in group {
                let column = if self.dialect == Dialect::Hcl { column.unwrap_or(0) } else { 0 };
                lines.push(format!("{indent}{}", self.member(member, indent, column)));
            }
            index += run;
        }
        if self.dialect.is_json() {
            return lines.join(&format!(",{}", self.newline));
        }
        lines.join(self.newline)
    }

    fn braces(&self, members: &[Member], indent: &str, body: bool) -> String {
        if members.is_empty() {
            return "{}".into();
        }
        let inner = format!("{indent}{}", self.unit);
        let inside = self.members(members, &inner, body);
        format!("{{{0}{inside}{0}{indent}}}", self.newline)
    }

    fn list(&self, items: &[Content], indent: &str) -> String {
        let simple =
            |item: &Content| matches!(item, Content::Text(_) | Content::Plain(_) | Content::Expression(_));
        if items.is_empty() {
            return "[]".into();
        }
        // HCL writes short lists on one line; JSON and Bicep write one element a line.
        if self.dialect == Dialect::Hcl && items.iter().all(simple) {
            let inline = self.inline(&Content::List(items.to_vec()));
            if inline.len() <= LIST_WIDTH {
                return inline;
            }
        }
        let inner = format!("{indent}{}", self.unit);
        let separator = match self.dialect {
            Dialect::Bicep => self.newline.to_string(),
            _ => format!(",{}", self.newline),
        };
        let lines: Vec<String> =
            items.iter().map(|item| format!("{inner}{}", self.value(item, &inner))).collect();
        let last = if self.dialect == Dialect::Hcl { "," } else { "" };
        format!("[{0}{1}{last}{0}{indent}]", self.newline, lines.join(&separator))
    }

    fn separator(&self) -> &'static str {
        match self.dialect {
            Dialect::Hcl => " = ",
            _ => ": ",
        }
    }

    fn name(&self, name: &str) -> String {
        match self.dialect {
            Dialect::TerraformJson | Dialect::ArmJson => json_text(name),
            Dialect::Hcl | Dialect::Bicep => name.to_string(),
        }
    }

    /// A text with its quotes.
    pub(super) fn quoted(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Hcl => {
                let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
                format!("\"{}\"", escaped.replace("${", "$${").replace("%{", "%%{"))
            }
            Dialect::TerraformJson => json_text(&text.replace("${", "$${").replace("%{", "%%{")),
            Dialect::Bicep => {
                let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
                format!("'{}'", escaped.replace("${", "\\${"))
            }
            Dialect::ArmJson if text.starts_with('[') => json_text(&format!("[{text}")),
            Dialect::ArmJson => json_text(text),
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::String(text.to_string()).to_string()
}
