//! JSON values as expressions.

use ecow::EcoString;

use super::super::expression::ast::{
    ArrayItem, Expression, ExpressionKind, Iteration, Loop, LoopSource, ObjectItem,
};
use super::super::expression::parser::{Place, parse_string};
use super::super::json::{Node, NodeKind};
use super::Lower;
use crate::resource::Diagnostic;

/// A value of a template: strings in brackets are expressions, `copy` makes arrays.
pub(crate) fn lower_value(lower: &mut Lower<'_>, node: &Node) -> Expression {
    match &node.kind {
        NodeKind::String(text) => string(lower, node, text),
        NodeKind::Array(elements) => {
            let items =
                elements.iter().map(|element| ArrayItem::Element(lower_value(lower, element))).collect();
            Expression::new(ExpressionKind::Array(items), node.span)
        }
        NodeKind::Object(_) => object(lower, node, &|_| true),
        _ => lower_literal(node),
    }
}

/// An object of a template, of which only some properties are wanted.
pub(crate) fn object(lower: &mut Lower<'_>, node: &Node, wanted: &dyn Fn(&str) -> bool) -> Expression {
    let mut items = Vec::with_capacity(node.properties().len());
    for property in node.properties() {
        if !wanted(&property.key) {
            continue;
        }
        if property.key.eq_ignore_ascii_case("copy")
            && let NodeKind::Array(loops) = &property.value.kind
        {
            let made: Vec<_> = loops.iter().map(|one| (one, property_loop(lower, one))).collect();
            if made.iter().all(|(_, made)| made.is_some()) && !made.is_empty() {
                for (one, made) in made {
                    if let Some((name, value)) = made {
                        let key =
                            Expression::string(name, one.get("name").map_or(one.span, |name| name.span));
                        items.push(ObjectItem::Property { key, value, span: one.span });
                    }
                }
                continue;
            }
        }
        let key = match Place::of_literal(property.key_span, raw(lower, property.key_span), &property.key) {
            place if super::super::expression::parser::is_expression(&property.key) => {
                match parse_string(&property.key, property.key_span, &place) {
                    Ok(expression) => expression,
                    Err(_) => Expression::string(property.key.clone(), property.key_span),
                }
            }
            _ => Expression::string(property.key.clone(), property.key_span),
        };
        let value = lower_value(lower, &property.value);
        items.push(ObjectItem::Property { key, value, span: property.span });
    }
    Expression::new(ExpressionKind::Object(items), node.span)
}

/// A value in which nothing is an expression: parameter files, allowed values.
pub(crate) fn lower_literal(node: &Node) -> Expression {
    let kind = match &node.kind {
        NodeKind::Null => ExpressionKind::Null,
        NodeKind::Bool(value) => ExpressionKind::Bool(*value),
        NodeKind::Number(number) => ExpressionKind::Number(number.clone()),
        NodeKind::String(text) => ExpressionKind::String(text.clone()),
        NodeKind::Array(elements) => ExpressionKind::Array(
            elements.iter().map(|element| ArrayItem::Element(lower_literal(element))).collect(),
        ),
        NodeKind::Object(properties) => ExpressionKind::Object(
            properties
                .iter()
                .map(|property| ObjectItem::Property {
                    key: Expression::string(property.key.clone(), property.key_span),
                    value: lower_literal(&property.value),
                    span: property.span,
                })
                .collect(),
        ),
    };
    Expression::new(kind, node.span)
}

/// One element of a `copy` array: the name and the loop. `None` if it is not one.
pub(crate) fn property_loop(lower: &mut Lower<'_>, node: &Node) -> Option<(EcoString, Expression)> {
    let name = EcoString::from(node.get("name")?.as_str()?);
    let (count, input) = (node.get("count")?, node.get("input")?);
    let iteration = Iteration {
        copy: Some(name.clone()),
        source: LoopSource::Count(lower_value(lower, count)),
        item: None,
        index: None,
        span: count.span,
    };
    let body = lower_value(lower, input);
    Some((name, Expression::new(ExpressionKind::Loop(Box::new(Loop { iteration, body })), node.span)))
}

/// The value given to a parameter: `{ "value": … }`, or a reference to a key vault's secret.
pub(crate) fn argument(node: &Node, mut lower: impl FnMut(&Node) -> Expression) -> Option<Expression> {
    if let Some(value) = node.get("value") {
        return Some(lower(value));
    }
    let reference = node.get("reference")?;
    let secret = reference.get("secretName").and_then(Node::as_str).unwrap_or("a key vault's secret");
    Some(Expression::new(ExpressionKind::Secret(secret.into()), reference.span))
}

fn raw<'f>(lower: &Lower<'f>, span: crate::source::Span) -> &'f str {
    lower.file.slice(span)
}

fn string(lower: &mut Lower<'_>, node: &Node, text: &EcoString) -> Expression {
    let place = Place::of_literal(node.span, raw(lower, node.span), text);
    parse_string(text, node.span, &place).unwrap_or_else(|(message, span)| {
        lower.diagnostics.push(Diagnostic::warning("invalid-expression", message.clone(), span));
        Expression::new(ExpressionKind::Invalid(message.into()), node.span)
    })
}
