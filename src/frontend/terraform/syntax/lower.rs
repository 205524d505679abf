//! From `hcl-edit`'s tree to ours.

use std::cell::RefCell;
use std::ops::Range;

use ecow::EcoString;
use hcl_edit::Decorated;
use hcl_edit::Span as _;
use hcl_edit::expr as edit;
use hcl_edit::structure as body;

use super::ast::*;
use super::check::object_parts;
use super::front::{self, Scope};
use super::scan::{Kind, Scanner};
use super::template::{Quoting, normalized};
use crate::resource::Diagnostic;
use crate::source::{FileId, Span};
use crate::value::Number;

/// How often an expression inside an expression may be read by itself, see [`super::fold`].
const MAX_FOLDS: usize = 8;

/// Where bytes of a text stand in their file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Positions<'a> {
    /// This much further on.
    Shift(usize),
    /// At the place that the table gives for each byte, and for the end: text with escapes, as in JSON strings, and
    /// repaired text.
    Table(&'a [u32]),
}

impl<'a> Positions<'a> {
    /// The place of a byte.
    pub fn at(self, offset: usize) -> usize {
        match self {
            Positions::Shift(shift) => offset + shift,
            Positions::Table(table) => table.get(offset).or(table.last()).copied().unwrap_or(0) as usize,
        }
    }

    /// The positions of what begins at `offset`.
    pub fn from(self, offset: usize) -> Positions<'a> {
        match self {
            Positions::Shift(shift) => Positions::Shift(shift + offset),
            Positions::Table(table) => Positions::Table(table.get(offset..).unwrap_or_default()),
        }
    }
}

/// Lowers trees that were parsed from one text.
pub(super) struct Lowering<'a> {
    /// The text as it was written, byte for byte in step with the text that was parsed.
    pub source: &'a str,
    /// The same without line ends inside expressions, where it was needed.
    pub joined: Option<&'a str>,
    /// What is still to be read, see [`front::Read`].
    pub holes: &'a [Range<usize>],
    /// The file that spans name.
    pub file: FileId,
    /// Where the text stands in that file.
    pub positions: Positions<'a>,
    /// How often an expression inside an expression was read by itself to come here.
    pub folds: usize,
    /// What there is to say about it.
    pub diagnostics: &'a RefCell<Vec<Diagnostic>>,
}

impl Lowering<'_> {
    /// A range of the parsed text in the file.
    pub fn place(&self, range: Range<usize>) -> Span {
        let (start, end) = (self.positions.at(range.start), self.positions.at(range.end));
        Span::new(self.file, start, end.max(start))
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
        if let edit::Expression::Variable(_) = from
            && let Some(hole) = self.hole(from.span())
        {
            return self.read_hole(hole);
        }
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

    /// The range, if a name stands there for something else.
    fn hole(&self, range: Option<Range<usize>>) -> Option<Range<usize>> {
        let range = range?;
        let found = self.holes.binary_search_by_key(&(range.start, range.end), |hole| (hole.start, hole.end));
        found.is_ok().then_some(range)
    }

    fn read_hole(&self, range: Range<usize>) -> Expression {
        let span = self.place(range.clone());
        let text = self.joined.unwrap_or(self.source).get(range.clone()).unwrap_or("");
        if is_empty_heredoc(text) {
            return Expression { kind: ExpressionKind::String(EcoString::new()), span };
        }
        let Some(parts) = object_parts(text) else { return self.read_inside(range.start, text) };
        let mut items = Vec::new();
        for part in parts {
            let mut piece = text.get(part.clone()).unwrap_or("").to_string();
            if piece.len() < 2 || !piece.is_char_boundary(1) || !piece.is_char_boundary(piece.len() - 1) {
                continue;
            }
            piece.replace_range(..1, "{");
            piece.replace_range(piece.len() - 1.., "}");
            // Without one part nothing is known of the whole.
            let ExpressionKind::Object(more) = self.read_inside(range.start + part.start, &piece).kind else {
                return Expression { kind: ExpressionKind::Invalid, span };
            };
            items.extend(more);
        }
        Expression { kind: ExpressionKind::Object(items), span }
    }

    /// Reads text that stands at `start` by itself.
    fn read_inside(&self, start: usize, text: &str) -> Expression {
        let span = self.place(start..start + text.len());
        let failed = |diagnostic| {
            self.diagnostics.borrow_mut().push(diagnostic);
            Expression { kind: ExpressionKind::Invalid, span }
        };
        let source = self.source.get(start..start + text.len());
        let Some(source) = source.filter(|_| self.folds < MAX_FOLDS) else { return failed(too_deep(span)) };
        match front::read(text, Scope::Joined, hcl_edit::parser::parse_expr) {
            Ok(read) => {
                let inside = Lowering {
                    source,
                    joined: Some(read.joined.as_deref().unwrap_or(text)),
                    holes: &read.holes,
                    positions: self.positions.from(start),
                    folds: self.folds + 1,
                    ..*self
                };
                inside.expression(&read.tree)
            }
            Err(failure) if failure.limit => failed(too_deep(span)),
            Err(failure) => {
                let place = self.place(start + failure.range.start..start + text.len());
                failed(Diagnostic::error("syntax-error", failure.message, place))
            }
        }
    }

    fn number(&self, range: Option<Range<usize>>) -> ExpressionKind {
        let text = self.text(range);
        let number = match text.strip_prefix('-') {
            // White space and comments may stand between a minus and its digits.
            Some(rest) if !rest.starts_with(|c: char| c.is_ascii_digit()) => {
                let mut digits = rest.trim_start();
                while let Some((_, after)) =
                    digits.strip_prefix("/*").and_then(|comment| comment.split_once("*/"))
                {
                    digits = after.trim_start();
                }
                Number::parse(&format!("-{digits}"))
            }
            _ => Number::parse(text),
        };
        number.map_or(ExpressionKind::Invalid, ExpressionKind::Number)
    }

    fn item(&self, key: &edit::ObjectKey, value: &edit::ObjectValue) -> ObjectItem {
        let key_span = self.span(key.span());
        if let Some(hole) = self.hole(key.span()) {
            let key = self.read_hole(hole);
            let key = match key.kind {
                ExpressionKind::Variable(name) => ObjectKey::Name(name, key_span),
                _ => ObjectKey::Expression(key),
            };
            let value = self.expression(value.expr());
            return ObjectItem { key, span: key_span.to(value.span), value };
        }
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

fn is_empty_heredoc(text: &str) -> bool {
    text.starts_with("<<") && {
        // The line end that belongs to the closing name was not taken along.
        let text = format!("{text}\n");
        let mut kinds = Scanner::new(&text).map(|token| token.kind);
        kinds.next() == Some(Kind::OpenHeredoc)
            && kinds.next() == Some(Kind::CloseHeredoc)
            && kinds.next() == Some(Kind::Newline)
            && kinds.next().is_none()
    }
}

/// The diagnostic for an expression beyond this reader's limits.
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("limit", "this is nested or chained too deeply to be read", span)
        .with_help("Divide it with local values")
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
