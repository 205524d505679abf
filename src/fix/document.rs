//! A source file as edits see it: objects, lists and literals with their places, the same for all languages.

use std::sync::Arc;

use ecow::EcoString;

use crate::frontend::arm::json;
use crate::frontend::bicep::syntax as bicep;
use crate::frontend::terraform::syntax as terraform;
use crate::source::{SourceFile, Span};

/// How a file writes things down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// `name = value`, blocks
    Hcl,
    /// Terraform's JSON syntax.
    TerraformJson,
    /// `name: value`
    Bicep,
    /// ARM templates.
    ArmJson,
}

impl Dialect {
    /// The dialect of a file, by its name. `None` for what is never edited.
    pub(super) fn of(file: &SourceFile) -> Option<Self> {
        let path = file.path().to_string_lossy().to_ascii_lowercase();
        if path.ends_with(".tf") {
            Some(Self::Hcl)
        } else if path.ends_with(".tf.json") {
            Some(Self::TerraformJson)
        } else if path.ends_with(".bicep") {
            Some(Self::Bicep)
        } else if path.ends_with(".json") || path.ends_with(".jsonc") {
            Some(Self::ArmJson)
        } else {
            None
        }
    }

    /// Whether members and elements have commas between them, also on lines of their own.
    pub(super) fn is_json(self) -> bool {
        matches!(self, Self::TerraformJson | Self::ArmJson)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub start: usize,
    pub end: usize,
    pub kind: NodeKind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// Braces with members between them: a block, an object.
    Object(Object),
    /// A list of which every element is written out.
    List(Vec<Node>),
    /// A text, number or truth value, without anything computed.
    Literal(EcoString),
    /// Anything else.
    Other,
}

/// The inside of braces.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// The place after the opening brace.
    pub open: usize,
    /// The closing brace.
    pub close: usize,
    /// An HCL body, in which there may be blocks, and not an object.
    pub body: bool,
    /// What is between them, in order.
    pub entries: Vec<Entry>,
}

/// A member of an object.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its name; empty where there is none.
    pub name: EcoString,
    /// Where it begins, with its name.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// An HCL block, a Bicep resource.
    pub block: bool,
    /// Its value.
    pub node: Node,
}

impl Object {
    /// The only member of a name.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }
}

impl Node {
    /// The inside, if this is an object.
    pub(super) fn object(&self) -> Option<&Object> {
        match &self.kind {
            NodeKind::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The text, if this is a literal.
    pub(super) fn literal(&self) -> Option<&EcoString> {
        match &self.kind {
            NodeKind::Literal(text) => Some(text),
            _ => None,
        }
    }
}

/// One step from a file's root to a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    /// The member through which the step leads; `None` for an element of a list.
    pub entry: Option<&'a Entry>,
    /// Where it leads.
    pub node: &'a Node,
}

/// A file that could be read without errors.
#[derive(Debug)]
pub(super) struct Document {
    pub file: Arc<SourceFile>,
    pub dialect: Dialect,
    pub root: Node,
}

impl Document {
    /// Reads a file. `None` when it is not of a language that is edited, or has errors.
    pub(super) fn read(file: &Arc<SourceFile>) -> Option<Self> {
        let dialect = Dialect::of(file)?;
        let text: &str = file.text();
        let root = match dialect {
            Dialect::Hcl => {
                let parsed = terraform::parse_hcl(file);
                if !parsed.diagnostics.is_empty() {
                    return None;
                }
                let entries = hcl_entries(&parsed.body, text)?;
                whole(text, entries, true)
            }
            Dialect::Bicep => {
                let parsed = bicep::parse(file);
                if !parsed.diagnostics.is_empty() {
                    return None;
                }
                let entries = parsed.program.statements.iter().map(bicep_statement).collect();
                whole(text, entries, false)
            }
            Dialect::TerraformJson | Dialect::ArmJson => {
                let parsed = json::parse(text, file.id());
                if parsed.problem.is_some() {
                    return None;
                }
                json_node(&parsed.root?)
            }
        };
        Some(Self { file: Arc::clone(file), dialect, root })
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        self.file.text()
    }

    /// The way to the value that stands at a span, or whose member does. The last step is the value itself. `None` also
    /// where the value stands for several (a `dynamic` block, a `copy` loop).
    pub(super) fn path(&self, span: Span) -> Option<Vec<Step<'_>>> {
        if span.file != self.file.id() {
            return None;
        }
        let (start, end) = (span.start as usize, span.end as usize);
        let mut path = Vec::new();
        let mut node = &self.root;
        'deeper: loop {
            if (node.start, node.end) == (start, end) {
                return Some(path);
            }
            match &node.kind {
                NodeKind::Object(object) => {
                    for entry in &object.entries {
                        if entry.start <= start && end <= entry.end {
                            if entry.block && entry.name == "dynamic"
                                || entry.name.eq_ignore_ascii_case("copy")
                            {
                                return None;
                            }
                            path.push(Step { entry: Some(entry), node: &entry.node });
                            if (entry.start, entry.end) == (start, end) {
                                return Some(path);
                            }
                            node = &entry.node;
                            continue 'deeper;
                        }
                    }
                    return None;
                }
                NodeKind::List(items) => {
                    node = items.iter().find(|item| item.start <= start && end <= item.end)?;
                    path.push(Step { entry: None, node });
                }
                _ => return None,
            }
        }
    }

    /// The value at a span.
    pub(super) fn node(&self, span: Span) -> Option<&Node> {
        self.path(span)?.last().map(|step| step.node)
    }
}

/// A file as an object without braces.
fn whole(text: &str, entries: Vec<Entry>, body: bool) -> Node {
    let object = Object { open: 0, close: text.len(), body, entries };
    Node { start: 0, end: text.len(), kind: NodeKind::Object(object) }
}

fn range(span: Span) -> (usize, usize) {
    (span.start as usize, span.end as usize)
}

fn hcl_entries(body: &terraform::ast::Body, text: &str) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for attribute in &body.attributes {
        let (start, end) = range(attribute.span);
        let node = hcl_node(&attribute.value);
        entries.push(Entry { name: attribute.name.clone(), start, end, block: false, node });
    }
    for block in &body.blocks {
        let (start, end) = range(block.span);
        let after = block.header.end as usize;
        let open = after + text.get(after..end)?.find('{')? + 1;
        let entries_inside = hcl_entries(&block.body, text)?;
        let object = Object { open, close: end.checked_sub(1)?, body: true, entries: entries_inside };
        let node = Node { start, end, kind: NodeKind::Object(object) };
        entries.push(Entry { name: block.block_type.clone(), start, end, block: true, node });
    }
    entries.sort_by_key(|entry| entry.start);
    Some(entries)
}

/// Recursion is as deep as the parser's tree, which has a limit.
fn hcl_node(expression: &terraform::ast::Expression) -> Node {
    use terraform::ast::{ExpressionKind, ObjectKey};
    let (start, end) = range(expression.span);
    let kind = match &expression.kind {
        ExpressionKind::Bool(flag) => NodeKind::Literal(if *flag { "true" } else { "false" }.into()),
        ExpressionKind::Number(number) => NodeKind::Literal(number.to_string().into()),
        ExpressionKind::String(text) => NodeKind::Literal(text.clone()),
        ExpressionKind::Tuple(items) => NodeKind::List(items.iter().map(hcl_node).collect()),
        ExpressionKind::Object(items) => {
            let entries = items.iter().map(|item| {
                let (start, end) = range(item.span);
                let name = match &item.key {
                    ObjectKey::Name(name, _) => name.clone(),
                    ObjectKey::Expression(key) => match &key.kind {
                        ExpressionKind::String(text) => text.clone(),
                        _ => EcoString::new(),
                    },
                };
                Entry { name, start, end, block: false, node: hcl_node(&item.value) }
            });
            braces(start, end, entries.collect())
        }
        // The object inside is what is meant.
        ExpressionKind::Call(call) if call.name == "jsonencode" => match call.arguments.as_slice() {
            [argument] => return hcl_node(argument),
            _ => NodeKind::Other,
        },
        ExpressionKind::Parenthesis(inner) => return hcl_node(inner),
        _ => NodeKind::Other,
    };
    Node { start, end, kind }
}

fn braces(start: usize, end: usize, entries: Vec<Entry>) -> NodeKind {
    NodeKind::Object(Object { open: start + 1, close: end.saturating_sub(1), body: false, entries })
}

fn bicep_statement(statement: &bicep::ast::Statement) -> Entry {
    use bicep::ast::StatementKind;
    let (start, end) = range(statement.span);
    let other = Node { start, end, kind: NodeKind::Other };
    let (name, node) = match &statement.kind {
        StatementKind::Resource(resource) => {
            (resource.name.name.clone(), bicep_object(&resource.body.object))
        }
        StatementKind::Module(module) => (module.name.name.clone(), bicep_object(&module.body.object)),
        StatementKind::Parameter(parameter) => {
            (parameter.name.name.clone(), parameter.default.as_ref().map_or(other, bicep_node))
        }
        StatementKind::Variable(variable) => (variable.name.name.clone(), bicep_node(&variable.value)),
        StatementKind::Output(output) => (output.name.name.clone(), other),
        StatementKind::Function(function) => (function.name.name.clone(), other),
        StatementKind::Type(name, _) => (name.name.clone(), other),
        _ => (EcoString::new(), other),
    };
    Entry { name, start, end, block: true, node }
}

fn bicep_object(object: &bicep::ast::Object) -> Node {
    use bicep::ast::ObjectMember;
    let (start, end) = range(object.span);
    if object.incomplete {
        return Node { start, end, kind: NodeKind::Other };
    }
    let entries = object.members.iter().map(|member| match member {
        ObjectMember::Property(property) => {
            let (start, end) = range(property.span);
            let name = property.key.constant().unwrap_or("").into();
            Entry { name, start, end, block: false, node: bicep_node(&property.value) }
        }
        ObjectMember::Spread(_, span) => {
            let (start, end) = range(*span);
            let node = Node { start, end, kind: NodeKind::Other };
            Entry { name: EcoString::new(), start, end, block: false, node }
        }
        ObjectMember::Resource(statement) => bicep_statement(statement),
    });
    Node { start, end, kind: braces(start, end, entries.collect()) }
}

/// Recursion is as deep as the parser's tree, which has a limit.
fn bicep_node(expression: &bicep::ast::Expression) -> Node {
    use bicep::ast::{ArrayItem, ExpressionKind};
    let (start, end) = range(expression.span);
    let kind = match &expression.kind {
        ExpressionKind::Bool(flag) => NodeKind::Literal(if *flag { "true" } else { "false" }.into()),
        ExpressionKind::Number(number) => NodeKind::Literal(number.to_string().into()),
        ExpressionKind::String(text) => NodeKind::Literal(text.clone()),
        ExpressionKind::Object(object) => return bicep_object(object),
        ExpressionKind::Array(array) if !array.incomplete => {
            let items = array.items.iter().map(|item| match item {
                ArrayItem::Expression(item) => bicep_node(item),
                ArrayItem::Spread(_, span) => {
                    Node { start: span.start as usize, end: span.end as usize, kind: NodeKind::Other }
                }
            });
            NodeKind::List(items.collect())
        }
        _ => NodeKind::Other,
    };
    Node { start, end, kind }
}

/// Recursion is as deep as the reader's tree, which has a limit.
fn json_node(node: &json::Node) -> Node {
    let (start, end) = range(node.span);
    let kind = match &node.kind {
        json::NodeKind::Null => NodeKind::Other,
        json::NodeKind::Bool(flag) => NodeKind::Literal(if *flag { "true" } else { "false" }.into()),
        json::NodeKind::Number(number) => NodeKind::Literal(number.to_string().into()),
        json::NodeKind::String(text) => NodeKind::Literal(text.clone()),
        json::NodeKind::Array(items) => NodeKind::List(items.iter().map(json_node).collect()),
        json::NodeKind::Object(properties) => {
            let entries = properties.iter().map(|property| {
                let (start, end) = range(property.span);
                Entry {
                    name: property.key.clone(),
                    start,
                    end,
                    block: false,
                    node: json_node(&property.value),
                }
            });
            braces(start, end, entries.collect())
        }
    };
    Node { start, end, kind }
}
