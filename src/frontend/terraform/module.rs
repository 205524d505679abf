//! One module as its files declare it, before anything is evaluated.

use std::path::{Path, PathBuf};

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::syntax::ast::{Attribute, Block, Body, Expression, ExpressionKind, Template, TemplatePart};
use super::types::{Defaults, Type};
use crate::resource::{Diagnostic, Mode};
use crate::source::Span;

/// Declarations by name, in the order in which the files give them.
pub(super) type Declarations<T> = IndexMap<EcoString, T, FxBuildHasher>;

/// The declarations of one folder.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The folder, as it was reached.
    pub dir: PathBuf,
    /// `variable`
    pub variables: Declarations<Variable>,
    /// The attributes of all `locals` blocks.
    pub locals: Declarations<Attribute>,
    /// `output`
    pub outputs: Declarations<Output>,
    /// `resource` and `data`, by address (`azurerm_subnet.db`, `data.azurerm_subnet.db`).
    pub resources: Declarations<ResourceBlock>,
    /// `ephemeral`, by address without the prefix.
    pub ephemerals: Declarations<Span>,
    /// `module`
    pub calls: Declarations<Call>,
    /// `provider`, by local name and alias (`azurerm`, `azurerm.hub`).
    pub providers: Declarations<Block>,
    /// Version constraints by the provider's local name, from `required_providers` and `provider` blocks.
    pub provider_versions: Declarations<EcoString>,
    /// Whether a part of the folder could not be read: what is missing may stand there.
    pub incomplete: bool,
}

/// A `variable` block.
#[derive(Debug)]
pub(super) struct Variable {
    /// The type constraint.
    pub constraint: Option<(Type, Defaults)>,
    /// The default.
    pub default: Option<Expression>,
    /// Whether it is marked sensitive.
    pub sensitive: bool,
    /// Whether null stands for itself; else for the default.
    pub nullable: bool,
    /// The block's header.
    pub header: Span,
}

/// An `output` block.
#[derive(Debug)]
pub(super) struct Output {
    /// Its value.
    pub value: Option<Expression>,
    /// Whether it is marked sensitive.
    pub sensitive: bool,
    /// `depends_on`
    pub depends_on: Vec<Expression>,
    /// The block's header.
    pub header: Span,
}

/// A `resource` or `data` block.
#[derive(Debug)]
pub(super) struct ResourceBlock {
    /// Which of the two.
    pub mode: Mode,
    /// The first label.
    pub resource_type: EcoString,
    /// `azurerm_subnet.db`, `data.azurerm_subnet.db`
    pub address: EcoString,
    /// The block, with meta-arguments.
    pub block: Block,
    /// Where the arguments stand in it.
    pub arguments: Arguments,
}

/// Where the arguments of a block stand in its body, by name.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    attributes: FxHashMap<EcoString, usize>,
    /// The blocks of each type, literal ones and those that `dynamic` makes, in source order.
    groups: Declarations<Vec<usize>>,
}

impl Arguments {
    fn of(body: &Body) -> Arguments {
        let attributes = body.attributes.iter().enumerate();
        let mut groups: Declarations<Vec<usize>> = Declarations::default();
        for (index, block) in body.blocks.iter().enumerate() {
            groups.entry(block.makes_type().clone()).or_default().push(index);
        }
        Arguments { attributes: attributes.map(|(index, a)| (a.name.clone(), index)).collect(), groups }
    }

    /// The attribute of a name.
    pub fn attribute<'b>(&self, body: &'b Body, name: &str) -> Option<&'b Attribute> {
        body.attributes.get(*self.attributes.get(name)?)
    }

    /// The blocks of a type, and the `dynamic` blocks that make such.
    pub fn blocks<'b>(&self, body: &'b Body, name: &str) -> Vec<&'b Block> {
        let places = self.groups.get(name).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|place| body.blocks.get(*place)).collect()
    }

    /// The types of blocks, each once, in source order.
    pub fn block_types(&self) -> impl Iterator<Item = &EcoString> {
        self.groups.keys()
    }
}

impl Block {
    /// The type of the blocks that come of it: its own, or that of a `dynamic` block.
    pub(super) fn makes_type(&self) -> &EcoString {
        match (self.block_type.as_str(), self.labels.as_slice()) {
            ("dynamic", [label]) => &label.text,
            _ => &self.block_type,
        }
    }
}

/// A `module` block.
#[derive(Debug)]
pub(super) struct Call {
    /// `source`, when it is a plain string.
    pub source: Option<EcoString>,
    /// Where `source` stands, else the header.
    pub source_span: Span,
    /// The block, with meta-arguments.
    pub block: Block,
    /// Where the arguments stand in it.
    arguments: Arguments,
}

impl Module {
    /// Sorts the blocks of a folder's merged body into declarations.
    ///
    /// Something declared twice is reported; the first declaration stands.
    pub fn from_body(dir: &Path, body: Body, diagnostics: &mut Vec<Diagnostic>) -> Module {
        let mut module = Module { dir: dir.to_path_buf(), ..Module::default() };
        for block in body.blocks {
            module.incomplete |= block.repaired;
            module.declare(block, diagnostics);
        }
        module
    }

    fn declare(&mut self, block: Block, diagnostics: &mut Vec<Diagnostic>) {
        let header = block.header;
        let kind = block.block_type.clone();
        let duplicate = match (block.block_type.as_str(), block.labels.as_slice()) {
            ("variable", [name]) => {
                let name = name.text.clone();
                insert(&mut self.variables, name, Variable::from_block(block, diagnostics))
            }
            ("output", [name]) => {
                let name = name.text.clone();
                insert(&mut self.outputs, name, Output::from_block(block))
            }
            ("locals", []) => {
                for attribute in block.body.attributes {
                    let (name, span) = (attribute.name.clone(), attribute.name_span);
                    if let Some(name) = insert(&mut self.locals, name, attribute) {
                        diagnostics.push(declared_twice(&eco_format!("local.{name}"), span));
                    }
                }
                None
            }
            ("resource" | "data", [resource_type, name]) => {
                let mode = if block.block_type == "data" { Mode::Existing } else { Mode::Managed };
                let prefix = if mode == Mode::Existing { "data." } else { "" };
                let address = eco_format!("{prefix}{}.{}", resource_type.text, name.text);
                let resource_type = resource_type.text.clone();
                let resource = ResourceBlock {
                    mode,
                    resource_type,
                    address: address.clone(),
                    arguments: Arguments::of(&block.body),
                    block,
                };
                insert(&mut self.resources, address, resource)
            }
            ("ephemeral", [resource_type, name]) => {
                let address = eco_format!("{}.{}", resource_type.text, name.text);
                insert(&mut self.ephemerals, address, header)
            }
            ("module", [name]) => {
                let name = name.text.clone();
                insert(&mut self.calls, name, Call::from_block(block))
            }
            ("provider", [name]) => {
                if let Some(version) = plain_attribute(&block.body, "version") {
                    self.constrain_provider(&name.text, &version);
                }
                let name = match plain_attribute(&block.body, "alias") {
                    Some(alias) => eco_format!("{}.{alias}", name.text),
                    None => name.text.clone(),
                };
                insert(&mut self.providers, name, block)
            }
            ("terraform", []) => {
                self.read_settings(&block.body);
                None
            }
            // Blocks that change nothing about what is deployed in the end.
            ("moved" | "import" | "removed" | "check" | "action" | "list", _) => None,
            (other, _) => {
                let known = matches!(
                    other,
                    "variable"
                        | "output"
                        | "locals"
                        | "resource"
                        | "data"
                        | "ephemeral"
                        | "module"
                        | "provider"
                        | "terraform"
                );
                let message = if known {
                    format!("`{other}` block with the wrong number of labels")
                } else {
                    format!("`{other}` blocks are not known")
                };
                diagnostics.push(Diagnostic::warning("unsupported", message, header));
                None
            }
        };
        if let Some(name) = duplicate {
            let prefix = match kind.as_str() {
                "variable" => "var.",
                "output" => "output.",
                "module" => "module.",
                "provider" => "provider.",
                "ephemeral" => "ephemeral.",
                _ => "",
            };
            diagnostics.push(declared_twice(&eco_format!("{prefix}{name}"), header));
        }
    }

    fn read_settings(&mut self, body: &Body) {
        for block in body.blocks.iter().filter(|block| block.block_type == "required_providers") {
            for attribute in &block.body.attributes {
                let version = match &attribute.value.kind {
                    ExpressionKind::Object(items) => items
                        .iter()
                        .find(|item| item.key_text().is_some_and(|key| key == "version"))
                        .and_then(|item| item.value.plain_string()),
                    _ => attribute.value.plain_string(),
                };
                if let Some(version) = version {
                    self.constrain_provider(&attribute.name, &version);
                }
            }
        }
    }

    fn constrain_provider(&mut self, name: &EcoString, version: &EcoString) {
        self.provider_versions
            .entry(name.clone())
            .and_modify(|all| *all = eco_format!("{all}, {version}"))
            .or_insert_with(|| version.clone());
    }
}

/// Inserts a declaration unless the name is taken; the name when it is.
fn insert<T>(declarations: &mut Declarations<T>, name: EcoString, declaration: T) -> Option<EcoString> {
    match declarations.entry(name) {
        indexmap::map::Entry::Occupied(taken) => Some(taken.key().clone()),
        indexmap::map::Entry::Vacant(free) => {
            free.insert(declaration);
            None
        }
    }
}

fn declared_twice(address: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("declared-twice", format!("`{address}` is declared twice in this module"), span)
        .with_help("remove or rename one of the declarations; the first one is used")
}

impl Variable {
    fn from_block(block: Block, diagnostics: &mut Vec<Diagnostic>) -> Variable {
        let header = block.header;
        let mut variable =
            Variable { constraint: None, default: None, sensitive: false, nullable: true, header };
        for attribute in block.body.attributes {
            match attribute.name.as_str() {
                "type" => match Type::from_expression(&attribute.value) {
                    Ok(constraint) => variable.constraint = Some(constraint),
                    Err(problem) => diagnostics.push(problem),
                },
                "default" => variable.default = Some(attribute.value),
                "sensitive" => variable.sensitive = attribute.value.plain_bool() == Some(true),
                "nullable" => variable.nullable = attribute.value.plain_bool() != Some(false),
                _ => {}
            }
        }
        variable
    }
}

impl Output {
    fn from_block(block: Block) -> Output {
        let mut output =
            Output { value: None, sensitive: false, depends_on: Vec::new(), header: block.header };
        for attribute in block.body.attributes {
            match attribute.name.as_str() {
                "value" => output.value = Some(attribute.value),
                "sensitive" => output.sensitive = attribute.value.plain_bool() == Some(true),
                "depends_on" => output.depends_on = elements(attribute.value),
                _ => {}
            }
        }
        output
    }
}

impl Call {
    fn from_block(block: Block) -> Call {
        let source = block.body.attribute("source");
        Call {
            source: source.and_then(|attribute| attribute.value.plain_string()),
            source_span: source.map_or(block.header, |attribute| attribute.value.span),
            arguments: Arguments::of(&block.body),
            block,
        }
    }
}

impl Call {
    /// The argument of a name.
    pub fn argument(&self, name: &str) -> Option<&Attribute> {
        self.arguments.attribute(&self.block.body, name)
    }
}

/// The elements of a tuple expression; any other expression alone.
fn elements(expression: Expression) -> Vec<Expression> {
    match expression.kind {
        ExpressionKind::Tuple(elements) => elements,
        _ => vec![expression],
    }
}

fn plain_attribute(body: &Body, name: &str) -> Option<EcoString> {
    body.attribute(name)?.value.plain_string()
}

impl Body {
    /// The attribute of a name.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().rev().find(|attribute| attribute.name == name)
    }

    /// The blocks of a type.
    pub(super) fn blocks_of<'a>(&'a self, block_type: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.block_type == block_type)
    }
}

impl Expression {
    /// The text, when the expression is a string without interpolation.
    pub(super) fn plain_string(&self) -> Option<EcoString> {
        match &self.kind {
            ExpressionKind::String(text) => Some(text.clone()),
            ExpressionKind::Parenthesis(inner) => inner.plain_string(),
            ExpressionKind::Template(template) => plain_template(template),
            _ => None,
        }
    }

    /// The truth value, when the expression is one.
    pub(super) fn plain_bool(&self) -> Option<bool> {
        match &self.kind {
            ExpressionKind::Bool(value) => Some(*value),
            ExpressionKind::String(text) if text == "true" => Some(true),
            ExpressionKind::String(text) if text == "false" => Some(false),
            _ => None,
        }
    }
}

fn plain_template(template: &Template) -> Option<EcoString> {
    let mut text = EcoString::new();
    for part in &template.parts {
        match part {
            TemplatePart::Literal(literal, _) => text.push_str(literal),
            _ => return None,
        }
    }
    Some(text)
}

impl super::syntax::ast::ObjectItem {
    /// The key, when it is plain text.
    pub(super) fn key_text(&self) -> Option<EcoString> {
        match &self.key {
            super::syntax::ast::ObjectKey::Name(name, _) => Some(name.clone()),
            super::syntax::ast::ObjectKey::Expression(expression) => expression.plain_string(),
        }
    }
}
