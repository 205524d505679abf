//! `loadTextContent` and its kin: files read when the template is compiled.

use base64::Engine;
use ecow::{EcoString, eco_format};

use super::{Builder, Context};
use crate::frontend::arm::expression::ast as arm;
use crate::frontend::arm::json;
use crate::frontend::arm::lower::lower_literal;
use crate::frontend::bicep::syntax::ast::*;
use crate::frontend::bicep::yaml;
use crate::resource::Diagnostic;
use crate::source::Span;

/// How long a loaded file may be, in bytes. The compiler's own limit is 131,072 characters.
const MAX_LENGTH: u64 = 4 << 20;

/// How many variables are followed to find a constant.
const MAX_CONSTANT_DEPTH: u32 = 32;

impl Builder<'_, '_> {
    /// A call of one of the functions that load a file.
    pub(super) fn load(&mut self, call: &Call, span: Span, context: &Context) -> arm::Expression {
        match self.loaded(call, span, context) {
            Ok(expression) => expression,
            Err(message) => {
                let diagnostic = Diagnostic::warning("unreadable-file", message.clone(), self.place(span));
                self.compiler.say(diagnostic);
                self.invalid(message, span)
            }
        }
    }

    fn loaded(&mut self, call: &Call, span: Span, context: &Context) -> Result<arm::Expression, EcoString> {
        let function = call.name.name.as_str();
        if function == "loadDirectoryFileInfo" {
            return Err("`loadDirectoryFileInfo` is not supported".into());
        }
        let constant = |builder: &mut Self, index: usize| match call.arguments.get(index) {
            Some(argument) => builder.constant(argument, context, MAX_CONSTANT_DEPTH),
            None => None,
        };
        let Some(path) = constant(self, 0) else {
            return Err(eco_format!("the file that `{function}` loads is not a constant"));
        };
        let folder = self.unit_of(context.scope).folder();
        if function == "loadFileAsBase64" {
            let bytes = self.bytes(&folder.join(path.as_str()), &path)?;
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            return Ok(self.make(arm::ExpressionKind::String(text.into()), span));
        }
        if function == "loadTextContent" {
            let encoding = constant(self, 1).unwrap_or_else(|| "utf-8".into());
            let bytes = self.bytes(&folder.join(path.as_str()), &path)?;
            let Some(text) = decode(&bytes, &encoding) else {
                return Err(eco_format!("`{path}` is not {encoding} text"));
            };
            return Ok(self.make(arm::ExpressionKind::String(text), span));
        }
        // The second argument is a path into the document, the third an encoding.
        let selection = match call.arguments.get(1) {
            None => None,
            Some(argument) => match self.constant(argument, context, MAX_CONSTANT_DEPTH) {
                Some(selection) => Some(selection),
                None => return Err(eco_format!("the path into `{path}` is not a constant")),
            },
        };
        self.bytes(&folder.join(path.as_str()), &path)?;
        let (_, file) = self.compiler.open(&folder, &path)?;
        let node = if function == "loadYamlContent" {
            yaml::parse(file.text(), file.id()).map_err(|(message, _)| eco_format!("`{path}`: {message}"))?
        } else {
            let parsed = json::parse(file.text(), file.id());
            match (parsed.root, parsed.problem) {
                (Some(root), None) => root,
                (_, Some((message, _))) => return Err(eco_format!("`{path}`: {message}")),
                (None, None) => return Err(eco_format!("`{path}` is empty")),
            }
        };
        let node = match &selection {
            Some(selection) => match select(&node, selection) {
                Some(node) => node,
                None => return Err(eco_format!("the path `{selection}` into `{path}` is not understood")),
            },
            None => &node,
        };
        Ok(lower_literal(node))
    }

    fn bytes(&self, path: &std::path::Path, shown: &str) -> Result<Vec<u8>, EcoString> {
        let Some(real) = self.compiler.sandbox.resolve(path) else {
            return Err(if path.exists() {
                eco_format!("`{shown}` lies outside the folders that are analysed")
            } else {
                eco_format!("there is no file `{shown}`")
            });
        };
        let metadata = std::fs::metadata(&real).map_err(|problem| eco_format!("`{shown}`: {problem}"))?;
        if !metadata.is_file() || metadata.len() > MAX_LENGTH {
            return Err(eco_format!("`{shown}` is not a file of at most {MAX_LENGTH} bytes"));
        }
        std::fs::read(&real).map_err(|problem| eco_format!("`{shown}`: {problem}"))
    }

    /// The text of an expression that is constant when the file is compiled.
    fn constant(&mut self, expression: &Expression, context: &Context, left: u32) -> Option<EcoString> {
        let left = left.checked_sub(1)?;
        match &expression.kind {
            ExpressionKind::String(text) => Some(text.clone()),
            ExpressionKind::Parenthesis(inner) => self.constant(inner, context, left),
            ExpressionKind::Template(parts) if parts.len() < 32 => {
                let mut text = EcoString::new();
                for part in parts {
                    match part {
                        TemplatePart::Literal(literal) => text.push_str(literal),
                        TemplatePart::Expression(hole) => text.push_str(&self.constant(hole, context, left)?),
                    }
                    if text.len() > 4096 {
                        return None;
                    }
                }
                Some(text)
            }
            ExpressionKind::Variable(name) if !context.locals.contains(name) => {
                let (scope, name) = self.find(context.scope, name)?;
                let unit = self.unit_of(scope);
                match &unit.declaration(&name)?.kind {
                    StatementKind::Variable(variable) => {
                        let context = Context { scope, ..Context::default() };
                        self.constant(&variable.value, &context, left)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn decode(bytes: &[u8], encoding: &str) -> Option<EcoString> {
    let utf16 = |order: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok().map(|text| text.trim_start_matches('\u{feff}').into())
    };
    match encoding.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => {
            let text = std::str::from_utf8(bytes).ok()?;
            Some(text.strip_prefix('\u{feff}').unwrap_or(text).into())
        }
        "iso-8859-1" => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        "utf-16" => utf16(u16::from_le_bytes),
        "utf-16be" => utf16(u16::from_be_bytes),
        _ => None,
    }
}

/// The part of a document that a simple JSONPath names: `$.a.b[0]['c']`. `None` for what is not simple or not there.
fn select<'n>(node: &'n json::Node, path: &str) -> Option<&'n json::Node> {
    let mut node = node;
    let mut rest = path.trim();
    rest = rest.strip_prefix('$').unwrap_or(rest);
    // Without `$`, the first name has no dot before it.
    let mut first = !path.trim().starts_with('$');
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']')?;
            rest = after;
            let quoted = inside
                .strip_prefix('\'')
                .and_then(|name| name.strip_suffix('\''))
                .or_else(|| inside.strip_prefix('"').and_then(|name| name.strip_suffix('"')));
            node = match quoted {
                Some(name) => member(node, name)?,
                None => node.elements().get(inside.trim().parse::<usize>().ok()?)?,
            };
        } else {
            let after = match rest.strip_prefix('.') {
                Some(after) => after,
                None if first => rest,
                None => return None,
            };
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() || name.contains(['*', '?', '@', '(']) {
                return None;
            }
            node = member(node, name)?;
            rest = after;
        }
        first = false;
    }
    Some(node)
}

fn member<'n>(node: &'n json::Node, name: &str) -> Option<&'n json::Node> {
    node.properties().iter().rev().find(|property| property.key == name).map(|property| &property.value)
}
