//! Terraform's JSON syntax to the same tree as HCL.

use std::cell::RefCell;

use ecow::EcoString;
use jsonc_parser::ast::{ObjectProp, ObjectPropName, StringLit, Value};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use rustc_hash::FxHashMap;

use super::Parsed;
use super::ast::*;
use super::hcl;
use super::json_schema::{Inside, Strings};
use super::lower::Positions;
use super::template::normalized;
use crate::resource::Diagnostic;
use crate::source::{SourceFile, Span};
use crate::value::Number;

/// Reads a `.tf.json` file.
pub fn parse_json(file: &SourceFile) -> Parsed {
    parse(file, |reader, value| reader.body(value, Inside::Root))
}

/// Reads a `.tfvars.json` file: each property is an attribute, and strings stand for themselves.
pub fn parse_json_values(file: &SourceFile) -> Parsed {
    parse(file, |reader, value| reader.body(value, Inside::Settings))
}

fn parse(file: &SourceFile, read: impl FnOnce(&Reader<'_>, &Value<'_>) -> Body) -> Parsed {
    let text: &str = file.text();
    let reader = Reader { file, text, diagnostics: RefCell::new(Vec::new()) };
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let collect = CollectOptions::default();
    let value = parse_to_ast(text, &collect, &strict).or_else(|error| {
        reader.say(error.kind().to_string(), error.range());
        // What Terraform refuses is often still clear: comments, a comma too many or too few.
        parse_to_ast(text, &collect, &ParseOptions::default())
    });
    let whole = Span::new(file.id(), 0, text.len());
    let mut body = match value.ok().and_then(|result| result.value) {
        Some(value) => read(&reader, &value),
        None => {
            if reader.diagnostics.borrow().is_empty() {
                reader.say("a JSON object is needed here".to_string(), Range::new(0, text.len()));
            }
            Body::default()
        }
    };
    body.span = whole;
    let mut diagnostics = reader.diagnostics.into_inner();
    diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    Parsed { body, diagnostics }
}

struct Reader<'a> {
    file: &'a SourceFile,
    text: &'a str,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

impl Reader<'_> {
    fn span(&self, range: Range) -> Span {
        Span::new(self.file.id(), range.start, range.end)
    }

    fn say(&self, message: String, range: Range) {
        let mut characters = message.chars();
        let message =
            characters.next().map(|first| first.to_lowercase().chain(characters).collect::<String>());
        let diagnostic = Diagnostic::error("syntax-error", message.unwrap_or_default(), self.span(range));
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// The properties of an object, or of all objects of a list: both are ways to write a body or a level of labels.
    /// Properties named `//` are comments.
    fn properties<'v>(&self, value: &'v Value<'v>) -> Vec<&'v ObjectProp<'v>> {
        let mut properties: Vec<&ObjectProp<'_>> = Vec::new();
        match value {
            Value::Object(object) => properties.extend(&object.properties),
            Value::Array(array) => {
                for element in &array.elements {
                    match element {
                        Value::Object(object) => properties.extend(&object.properties),
                        other => self.say("a JSON object is needed here".to_string(), other.range()),
                    }
                }
            }
            Value::NullKeyword(_) => {}
            other => self.say("a JSON object is needed here".to_string(), other.range()),
        }
        properties.retain(|property| property.name.as_str() != "//");
        properties
    }

    fn body(&self, value: &Value<'_>, inside: Inside) -> Body {
        let mut body = Body { span: self.span(value.range()), ..Body::default() };
        let mut known = FxHashMap::default();
        for property in self.properties(value) {
            let name = property.name.as_str();
            if let Some(child) = inside.children().iter().find(|child| child.block_type == name) {
                let header = self.span(property.name.range());
                let block = Block {
                    block_type: child.block_type.into(),
                    labels: Vec::new(),
                    header,
                    span: header,
                    body: Body::default(),
                    repaired: false,
                };
                self.blocks(&block, child.labels, child.inside, &property.value, &mut body.blocks);
            } else if inside == Inside::Root {
                self.diagnostics.borrow_mut().push(Diagnostic::error(
                    "syntax-error",
                    format!("there is no block type named `{name}`"),
                    self.span(property.name.range()),
                ));
            } else {
                self.attribute(property, inside, &mut known, &mut body);
            }
        }
        body
    }

    fn attribute(
        &self,
        property: &ObjectProp<'_>,
        inside: Inside,
        known: &mut FxHashMap<EcoString, usize>,
        body: &mut Body,
    ) {
        let name = normalized(property.name.as_str());
        let name_span = self.span(property.name.range());
        let value = self.expression(&property.value, inside.strings(&name));
        if let Some(before) = known.get(&name).and_then(|index| body.attributes.get_mut(*index)) {
            // A provider's block may be written as the same property several times.
            if are_blocks(&before.value) && are_blocks(&value) {
                let mut blocks = into_blocks(
                    std::mem::replace(&mut before.value.kind, ExpressionKind::Null),
                    before.value.span,
                );
                blocks.extend(into_blocks(value.kind, value.span));
                before.value.kind = ExpressionKind::Tuple(blocks);
            } else {
                self.say(format!("`{name}` is set twice in this block"), property.name.range());
            }
            return;
        }
        known.insert(name.clone(), body.attributes.len());
        body.attributes.push(Attribute { name, name_span, span: name_span.to(value.span), value });
    }

    /// Peels off labels, then adds a block for the object or for each object of the list.
    fn blocks(&self, block: &Block, labels: usize, inside: Inside, value: &Value<'_>, to: &mut Vec<Block>) {
        if labels > 0 {
            for property in self.properties(value) {
                let mut block = block.clone();
                let span = self.span(property.name.range());
                block.labels.push(Label { text: normalized(property.name.as_str()), span });
                // The innermost label: what stands between it and the type may be far away.
                block.header = span;
                self.blocks(&block, labels - 1, inside, &property.value, to);
            }
            return;
        }
        let mut add = |value: &Value<'_>| {
            let body = self.body(value, inside);
            to.push(Block { span: block.header.to(body.span), body, ..block.clone() });
        };
        match value {
            Value::NullKeyword(_) => {}
            // Locals and required providers may be given in several objects, as one body.
            Value::Array(array) => array.elements.iter().for_each(add),
            value => add(value),
        }
    }

    /// A value. The parser limits how deep it can be.
    fn expression(&self, value: &Value<'_>, strings: Strings) -> Expression {
        let span = self.span(value.range());
        let kind = match value {
            Value::NullKeyword(_) => ExpressionKind::Null,
            Value::BooleanLit(value) => ExpressionKind::Bool(value.value),
            Value::NumberLit(number) => {
                Number::parse(number.value).map_or(ExpressionKind::Invalid, ExpressionKind::Number)
            }
            Value::StringLit(string) => return self.string(string, strings),
            Value::Array(array) => ExpressionKind::Tuple(
                array.elements.iter().map(|element| self.expression(element, strings)).collect(),
            ),
            Value::Object(object) => ExpressionKind::Object(
                object
                    .properties
                    .iter()
                    .filter(|property| property.name.as_str() != "//")
                    .map(|property| self.item(property, strings))
                    .collect(),
            ),
        };
        Expression { kind, span }
    }

    fn item(&self, property: &ObjectProp<'_>, strings: Strings) -> ObjectItem {
        let name_span = self.span(property.name.range());
        let value = self.expression(&property.value, strings);
        let key = match &property.name {
            // Keys are templates as values are.
            ObjectPropName::String(name) if strings == Strings::Template && is_template(&name.value) => {
                ObjectKey::Expression(self.string(name, strings))
            }
            name => ObjectKey::Name(normalized(name.as_str()), name_span),
        };
        ObjectItem { key, span: name_span.to(value.span), value }
    }

    fn string(&self, string: &StringLit<'_>, strings: Strings) -> Expression {
        let span = self.span(string.range);
        let text: &str = &string.value;
        let literal = || Expression { kind: ExpressionKind::String(normalized(text)), span };
        let read = match strings {
            Strings::Verbatim => return literal(),
            Strings::Template if !is_template(text) => return literal(),
            Strings::Template => hcl::template,
            Strings::Expression => hcl::expression,
        };
        let raw = self.text.get(string.range.start + 1..string.range.end.saturating_sub(1)).unwrap_or("");
        let start = string.range.start + 1;
        let table;
        let positions = if raw == text {
            Positions::Shift(start)
        } else {
            table = positions_of_decoded(raw, text, start);
            Positions::Table(&table)
        };
        match read(text, self.file.id(), positions) {
            Ok(expression) => Expression { span, ..expression },
            // `"${…}"` is the older way to write an expression.
            Err(_) if strings == Strings::Expression && is_template(text) => {
                self.string(string, Strings::Template)
            }
            Err(diagnostic) => {
                self.diagnostics.borrow_mut().push(diagnostic);
                Expression { kind: ExpressionKind::Invalid, span }
            }
        }
    }
}

fn is_template(text: &str) -> bool {
    text.contains("${") || text.contains("%{")
}

/// Whether a value may stand for blocks: an object, or a list of objects.
fn are_blocks(value: &Expression) -> bool {
    match &value.kind {
        ExpressionKind::Object(_) => true,
        ExpressionKind::Tuple(elements) => {
            elements.iter().all(|element| matches!(element.kind, ExpressionKind::Object(_)))
        }
        _ => false,
    }
}

fn into_blocks(kind: ExpressionKind, span: Span) -> Vec<Expression> {
    match kind {
        ExpressionKind::Tuple(elements) => elements,
        kind => vec![Expression { kind, span }],
    }
}

/// For each byte of a decoded string, and for its end, the place in the file of what it was decoded from.
fn positions_of_decoded(raw: &str, decoded: &str, start: usize) -> Vec<u32> {
    let mut table = Vec::with_capacity(decoded.len() + 1);
    let mut offset = 0;
    let mut rest = decoded.chars();
    while let Some(character) = raw.get(offset..).and_then(|raw| raw.chars().next()) {
        let length = match character {
            '\\' if raw[offset..].starts_with("\\u") => 6,
            '\\' => 2,
            other => other.len_utf8(),
        };
        let Some(decoded) = rest.next() else { break };
        // A character beyond the first plane takes two escapes.
        let length = if length == 6 && decoded.len_utf8() == 4 { 12 } else { length };
        table.extend(std::iter::repeat_n((start + offset) as u32, decoded.len_utf8()));
        offset += length;
    }
    table.resize(decoded.len(), (start + raw.len()) as u32);
    table.push((start + raw.len()) as u32);
    table
}
