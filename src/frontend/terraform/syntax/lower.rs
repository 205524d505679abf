//! From `hcl-edit`'s tree to ours.

use std::ops::Range;

use ecow::EcoString;
use hcl_edit::Decorated;
use hcl_edit::Span as _;
use hcl_edit::expr as edit;
use hcl_edit::structure as body;

use super::ast::*;
use super::template::{Quoting, normalized};
use crate::source::{FileId, Span};
use crate::value::Number;

/// Lowers trees that were parsed from one text.
pub(super) struct Lowering<'a> {
    /// The text as it was written, byte for byte in step with the text that was parsed.
    pub source: &'a str,
    /// The file that spans name.
    pub file: FileId,
    /// Where the text begins in that file.
    pub offset: usize,
}

impl Lowering<'_> {
    pub fn place(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range.start + self.offset, range.end + self.offset)
    }

    fn span(&self, range: Option<Range<usize>>) -> Span {
        range.map_or(Span::NOWHERE, |range| self.place(range))
    }

    /// The source of a range of the parsed text.
    pub fn text(&self, range: Option<Range<usize>>) -> &str {
        range.and_then(|range| self.source.get(range)).unwrap_or("")
    }

    /// A whole file or the inside of a block.
    pub fn body(&self, from: &body::Body, span: Span) -> Body {
        let mut lowered = Body { span, ..Body::default() };
        for structure in from {
            match structure {
                body::Structure::Attribute(attribute) => lowered.attributes.push(self.attribute(attribute)),
                body::Structure::Block(block) => lowered.blocks.push(self.block(block)),
            }
        }
        lowered
    }

    fn attribute(&self, from: &body::Attribute) -> Attribute {
        let name_span = self.span(from.key.span());
        let value = self.expression(&from.value);
        Attribute {
            name: normalized(self.text(from.key.span())),
            name_span,
            span: name_span.to(value.span),
            value,
        }
    }

    fn block(&self, from: &body::Block) -> Block {
        let labels: Vec<Label> = from
            .labels
            .iter()
            .map(|label| Label { text: normalized(label.as_str()), span: self.span(label.span()) })
            .collect();
        let name = self.span(from.ident.span());
        let header = labels.last().map_or(name, |last| name.to(last.span));
        let span = self.span(from.span()).or(header);
        let inside = Span { start: header.end.max(span.start), ..span };
        Block {
            block_type: normalized(self.text(from.ident.span())),
            labels,
            header,
            span,
            body: self.body(&from.body, inside),
            repaired: false,
        }
    }

    /// An expression. The parser limits how deep it can be.
    pub fn expression(&self, from: &edit::Expression) -> Expression {
        let span = self.span(from.span());
        let kind = match from {
            edit::Expression::Null(_) => ExpressionKind::Null,
            edit::Expression::Bool(value) => ExpressionKind::Bool(*value.value()),
            edit::Expression::Number(_) => self.number(from.span()),
            edit::Expression::String(text) => ExpressionKind::String(normalized(text.value())),
            edit::Expression::Array(array) => {
                ExpressionKind::Tuple(array.iter().map(|element| self.expression(element)).collect())
            }
            edit::Expression::Object(object) => {
                ExpressionKind::Object(object.iter().map(|(key, value)| self.item(key, value)).collect())
            }
            edit::Expression::StringTemplate(from) => self.template(from, Quoting::Quoted, false),
            edit::Expression::HeredocTemplate(from) => {
                let flush = self.text(from.span()).starts_with("<<-");
                self.template(&from.template, Quoting::Raw, flush)
            }
            edit::Expression::Parenthesis(inner) => {
                ExpressionKind::Parenthesis(Box::new(self.expression(inner.inner())))
            }
            edit::Expression::Variable(_) => ExpressionKind::Variable(normalized(self.text(from.span()))),
            edit::Expression::Conditional(from) => ExpressionKind::Conditional(Box::new((
                self.expression(&from.cond_expr),
                self.expression(&from.true_expr),
                self.expression(&from.false_expr),
            ))),
            edit::Expression::FuncCall(call) => ExpressionKind::Call(Box::new(self.call(call))),
            edit::Expression::Traversal(traversal) => self.traversal(traversal),
            edit::Expression::UnaryOp(from) => {
                let operator = match from.operator.value() {
                    edit::UnaryOperator::Neg => UnaryOperator::Negate,
                    edit::UnaryOperator::Not => UnaryOperator::Not,
                };
                ExpressionKind::Unary(operator, Box::new(self.expression(&from.expr)))
            }
            edit::Expression::BinaryOp(from) => ExpressionKind::Binary(
                binary_operator(*from.operator.value()),
                Box::new((self.expression(&from.lhs_expr), self.expression(&from.rhs_expr))),
            ),
            edit::Expression::ForExpr(from) => ExpressionKind::For(Box::new(self.for_expression(from))),
        };
        Expression { kind, span }
    }

    fn number(&self, range: Option<Range<usize>>) -> ExpressionKind {
        let text = self.text(range);
        // White space and comments may stand between a minus and its digits.
        let digits = text.rsplit(['-', '/', ' ', '\t']).next().unwrap_or(text);
        let number = match text.strip_prefix('-') {
            // The minus of an exponent.
            Some(magnitude) if magnitude.starts_with(|c: char| c.is_ascii_digit()) => Number::parse(text),
            Some(_) => Number::parse(&format!("-{digits}")),
            None => Number::parse(text),
        };
        number.map_or(ExpressionKind::Invalid, ExpressionKind::Number)
    }

    fn item(&self, key: &edit::ObjectKey, value: &edit::ObjectValue) -> ObjectItem {
        let key_span = self.span(key.span());
        let value = self.expression(value.expr());
        let key = match key {
            // Keywords are plain names where a key is expected.
            edit::ObjectKey::Ident(_)
            | edit::ObjectKey::Expression(edit::Expression::Null(_) | edit::Expression::Bool(_)) => {
                ObjectKey::Name(normalized(self.text(key.span())), key_span)
            }
            edit::ObjectKey::Expression(key) => ObjectKey::Expression(self.expression(key)),
        };
        ObjectItem { key, span: key_span.to(value.span), value }
    }

    fn call(&self, from: &edit::FuncCall) -> Call {
        let parts = from.name.namespace.iter().chain(std::iter::once(&from.name.name));
        let mut name = EcoString::new();
        let mut name_span = Span::NOWHERE;
        for part in parts {
            if !name.is_empty() {
                name.push_str("::");
            }
            name.push_str(part.as_str());
            let span = self.span(part.span());
            name_span = if name_span.is_somewhere() { name_span.to(span) } else { span };
        }
        Call {
            name,
            name_span,
            arguments: from.args.iter().map(|argument| self.expression(argument)).collect(),
            expand_final: from.args.expand_final(),
        }
    }

    fn traversal(&self, from: &edit::Traversal) -> ExpressionKind {
        // `1.2.3` reads as an index into a number; HCL refuses it.
        if matches!(from.expr, edit::Expression::Number(_)) {
            return ExpressionKind::Invalid;
        }
        let steps = from.operators.iter().map(|step| self.step(step)).collect();
        ExpressionKind::Traversal(Box::new(Traversal { base: self.expression(&from.expr), steps }))
    }

    fn step(&self, from: &Decorated<edit::TraversalOperator>) -> TraversalStep {
        let kind = match from.value() {
            edit::TraversalOperator::AttrSplat(_) => TraversalStepKind::AttributeSplat,
            edit::TraversalOperator::FullSplat(_) => TraversalStepKind::FullSplat,
            edit::TraversalOperator::GetAttr(name) => {
                TraversalStepKind::Attribute(normalized(self.text(name.span())))
            }
            edit::TraversalOperator::Index(index) => TraversalStepKind::Index(self.expression(index)),
            edit::TraversalOperator::LegacyIndex(index) => TraversalStepKind::LegacyIndex(*index.value()),
        };
        TraversalStep { kind, span: self.span(from.span()) }
    }

    fn for_expression(&self, from: &edit::ForExpr) -> ForExpression {
        ForExpression {
            key_variable: from.intro.key_var.as_ref().map(|name| normalized(name.as_str())),
            value_variable: normalized(from.intro.value_var.as_str()),
            collection: self.expression(&from.intro.collection_expr),
            key: from.key_expr.as_ref().map(|key| self.expression(key)),
            value: self.expression(&from.value_expr),
            grouped: from.grouping,
            condition: from.cond.as_ref().map(|condition| self.expression(&condition.expr)),
        }
    }
}

fn binary_operator(from: edit::BinaryOperator) -> BinaryOperator {
    match from {
        edit::BinaryOperator::Eq => BinaryOperator::Equal,
        edit::BinaryOperator::NotEq => BinaryOperator::NotEqual,
        edit::BinaryOperator::LessEq => BinaryOperator::LessOrEqual,
        edit::BinaryOperator::GreaterEq => BinaryOperator::GreaterOrEqual,
        edit::BinaryOperator::Less => BinaryOperator::Less,
        edit::BinaryOperator::Greater => BinaryOperator::Greater,
        edit::BinaryOperator::Plus => BinaryOperator::Add,
        edit::BinaryOperator::Minus => BinaryOperator::Subtract,
        edit::BinaryOperator::Mul => BinaryOperator::Multiply,
        edit::BinaryOperator::Div => BinaryOperator::Divide,
        edit::BinaryOperator::Mod => BinaryOperator::Modulo,
        edit::BinaryOperator::And => BinaryOperator::And,
        edit::BinaryOperator::Or => BinaryOperator::Or,
    }
}
