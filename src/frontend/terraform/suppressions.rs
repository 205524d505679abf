//! Suppressions in Terraform files: comments in HCL, `"//"` properties in JSON.

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::syntax::ast::{Body, Expression, ExpressionKind};
use super::syntax::{comments, parse_hcl};
use crate::frontend::suppressions::{Suppressions, directive, of_comments};
use crate::source::{SourceFile, Span};

/// The suppressions of a `.tf`, `.tfvars` or `.tf.json` file.
pub fn suppressions(file: &SourceFile) -> Suppressions {
    if super::load::is_json(file) {
        return of_json(file);
    }
    let comments: Vec<Span> =
        comments(file.text(), file.id()).into_iter().map(|comment| comment.span).collect();
    let mut items = Vec::new();
    of_body(&parse_hcl(file).body, &mut items);
    of_comments(file, &comments, &items)
}

// The parser limits how deeply blocks and expressions nest.

fn of_body(body: &Body, items: &mut Vec<Span>) {
    for attribute in &body.attributes {
        items.push(attribute.span);
        of_expression(&attribute.value, items);
    }
    for block in &body.blocks {
        items.push(block.span);
        of_body(&block.body, items);
    }
}

fn of_expression(expression: &Expression, items: &mut Vec<Span>) {
    match &expression.kind {
        ExpressionKind::Tuple(elements) => {
            for element in elements {
                items.push(element.span);
                of_expression(element, items);
            }
        }
        ExpressionKind::Object(entries) => {
            for entry in entries {
                items.push(entry.span);
                of_expression(&entry.value, items);
            }
        }
        ExpressionKind::Parenthesis(inner) => of_expression(inner, items),
        ExpressionKind::Call(call) => {
            call.arguments.iter().for_each(|argument| of_expression(argument, items))
        }
        _ => {}
    }
}

fn of_json(file: &SourceFile) -> Suppressions {
    let mut all = Suppressions::default();
    let parsed = parse_to_ast(file.text(), &CollectOptions::default(), &ParseOptions::default());
    if let Some(value) = parsed.ok().and_then(|parsed| parsed.value) {
        let covers = Span::new(file.id(), value.start(), value.end());
        of_value(file, &value, covers, &mut all);
    }
    all
}

/// An object's comment covers the property whose value the object is, so that a block's labels belong to it.
fn of_value(file: &SourceFile, value: &Value<'_>, covers: Span, all: &mut Suppressions) {
    match value {
        Value::Object(object) => {
            for property in &object.properties {
                if property.name.as_str() == "//" {
                    of_comment(file, property, covers, all);
                } else {
                    let covers = Span::new(file.id(), property.start(), property.end());
                    of_value(file, &property.value, covers, all);
                }
            }
        }
        Value::Array(array) => {
            let only = array.elements.len() == 1;
            for element in &array.elements {
                let own = Span::new(file.id(), element.start(), element.end());
                of_value(file, element, if only { covers } else { own }, all);
            }
        }
        _ => {}
    }
}

fn of_comment(file: &SourceFile, property: &ObjectProp<'_>, covers: Span, all: &mut Suppressions) {
    let texts: Vec<&Value<'_>> = match &property.value {
        Value::Array(array) => array.elements.iter().collect(),
        value => vec![value],
    };
    for text in texts {
        let Value::StringLit(literal) = text else { continue };
        // Behind the quote; a text with escapes is as long in the file or longer, which no name or date is.
        let at = Span::new(file.id(), literal.start() + 1, literal.end());
        match directive(&literal.value, at) {
            None => {}
            Some(Ok(directive)) => {
                all.found.push(directive.of(covers, Span::new(file.id(), text.start(), text.end())))
            }
            Some(Err(problem)) => all.diagnostics.push(problem),
        }
    }
}
