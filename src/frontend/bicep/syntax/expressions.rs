//! Expressions.

use ecow::EcoString;

use crate::value::Number;

use super::ast::*;
use super::lexer::TokenKind;
use super::parser::{Parse, Parser, is_declaration_keyword};
use super::strings;

/// How tightly a binary operator binds; greater is tighter.
fn operator(kind: TokenKind) -> Option<(u8, BinaryOperator)> {
    Some(match kind {
        TokenKind::Asterisk => (7, BinaryOperator::Multiply),
        TokenKind::Slash => (7, BinaryOperator::Divide),
        TokenKind::Modulo => (7, BinaryOperator::Modulo),
        TokenKind::Plus => (6, BinaryOperator::Add),
        TokenKind::Minus => (6, BinaryOperator::Subtract),
        TokenKind::Less => (5, BinaryOperator::Less),
        TokenKind::LessOrEqual => (5, BinaryOperator::LessOrEqual),
        TokenKind::Greater => (5, BinaryOperator::Greater),
        TokenKind::GreaterOrEqual => (5, BinaryOperator::GreaterOrEqual),
        TokenKind::Equal => (4, BinaryOperator::Equal),
        TokenKind::NotEqual => (4, BinaryOperator::NotEqual),
        TokenKind::EqualIgnoringCase => (4, BinaryOperator::EqualIgnoringCase),
        TokenKind::NotEqualIgnoringCase => (4, BinaryOperator::NotEqualIgnoringCase),
        TokenKind::And => (3, BinaryOperator::And),
        TokenKind::Or => (2, BinaryOperator::Or),
        TokenKind::DoubleQuestion => (1, BinaryOperator::Coalesce),
        _ => return None,
    })
}

pub(super) fn unary_operator(kind: TokenKind) -> Option<UnaryOperator> {
    match kind {
        TokenKind::Minus => Some(UnaryOperator::Negate),
        TokenKind::Exclamation => Some(UnaryOperator::Not),
        TokenKind::Plus => Some(UnaryOperator::Plus),
        _ => None,
    }
}

/// Where an error inside a piece of an expression ends.
const STOPS: [TokenKind; 6] = [
    TokenKind::Colon,
    TokenKind::StringRight,
    TokenKind::RightBrace,
    TokenKind::RightParenthesis,
    TokenKind::RightBracket,
    TokenKind::NewLine,
];

impl Parser<'_> {
    pub fn expression(&mut self) -> Parse<Expression> {
        self.deeper(Self::conditional)
    }

    /// `condition ? then : else`; `?` and `:` may begin a new line.
    fn conditional(&mut self) -> Parse<Expression> {
        let start = self.here();
        let condition = self.binary(0)?;
        if self.peek_past_newlines().kind != TokenKind::Question {
            return Ok(condition);
        }
        self.skip_newlines();
        self.bump();
        let then = self.expression();
        let then = self.or_invalid(then, &STOPS);
        if self.peek_past_newlines().kind == TokenKind::Colon {
            self.skip_newlines();
        }
        let otherwise = self.expect(TokenKind::Colon, "`:`").and_then(|_| self.expression());
        let otherwise = self.or_invalid(otherwise, &STOPS[1..]);
        let kind = ExpressionKind::Conditional(Box::new((condition, then, otherwise)));
        Ok(Expression { kind, span: self.span_from(start) })
    }

    /// Operators that bind tighter than `minimum`.
    fn binary(&mut self, minimum: u8) -> Parse<Expression> {
        let start = self.here();
        let mut current = self.unary()?;
        while let Some((precedence, first)) = operator(self.peek()).filter(|(p, _)| *p > minimum) {
            let mut rest = Vec::new();
            let mut next = first;
            loop {
                self.bump();
                let right = self.deeper(|p| p.binary(precedence));
                rest.push((next, self.or_invalid(right, &STOPS[1..])));
                match operator(self.peek()) {
                    Some((same, following)) if same == precedence => next = following,
                    _ => break,
                }
            }
            let kind = ExpressionKind::Binary(Box::new(BinaryChain { first: current, rest }));
            current = Expression { kind, span: self.span_from(start) };
        }
        Ok(current)
    }

    fn unary(&mut self) -> Parse<Expression> {
        let start = self.here();
        let Some(operator) = unary_operator(self.peek()) else { return self.access() };
        self.bump();
        let operand = self.deeper(Self::unary);
        let operand = self.or_invalid(operand, &STOPS[1..]);
        let kind = ExpressionKind::Unary(operator, Box::new(operand));
        Ok(Expression { kind, span: self.span_from(start) })
    }

    /// A primary expression and the steps after it.
    fn access(&mut self) -> Parse<Expression> {
        let start = self.here();
        let base = self.primary()?;
        let mut steps = Vec::new();
        loop {
            let step = self.here();
            let kind = match self.peek() {
                TokenKind::LeftBracket => self.index_step()?,
                TokenKind::Dot => {
                    self.bump();
                    let safe = self.accept(TokenKind::Question);
                    let name = self.identifier("the name of a property or function")?;
                    if self.check(TokenKind::LeftParenthesis) {
                        let arguments = self.arguments()?;
                        let span = self.span_from(name.span.start);
                        AccessStepKind::Method(Call { name, arguments, span })
                    } else {
                        AccessStepKind::Property { name, safe }
                    }
                }
                TokenKind::DoubleColon => {
                    self.bump();
                    AccessStepKind::Nested(self.identifier("the name of a nested resource")?)
                }
                TokenKind::Exclamation => {
                    self.bump();
                    AccessStepKind::NonNull
                }
                _ => break,
            };
            steps.push(AccessStep { kind, span: self.span_from(step) });
        }
        if steps.is_empty() {
            return Ok(base);
        }
        let kind = ExpressionKind::Access(Box::new(Access { base, steps }));
        Ok(Expression { kind, span: self.span_from(start) })
    }

    fn index_step(&mut self) -> Parse<AccessStepKind> {
        self.bump();
        let safe = self.accept(TokenKind::Question);
        let from_end = self.accept(TokenKind::Caret);
        let index = self.expression()?;
        self.expect(TokenKind::RightBracket, "`]`")?;
        Ok(AccessStepKind::Index { index, safe, from_end })
    }

    pub fn primary(&mut self) -> Parse<Expression> {
        let start = self.here();
        let token = self.token_at(0);
        let kind = match token.kind {
            TokenKind::Null => {
                self.bump();
                ExpressionKind::Null
            }
            TokenKind::True | TokenKind::False => {
                self.bump();
                ExpressionKind::Bool(token.kind == TokenKind::True)
            }
            TokenKind::Integer => {
                self.bump();
                let Ok(value) = self.token_text(token).parse::<u64>() else {
                    let span = self.token_span(token);
                    return Err(self.failed(span, "this number is too great"));
                };
                ExpressionKind::Number(Number::Integer(value.into()))
            }
            TokenKind::StringComplete | TokenKind::StringLeft => return self.string("a string"),
            TokenKind::LeftBrace => ExpressionKind::Object(Box::new(self.object(false)?)),
            TokenKind::LeftBracket => {
                let next = if self.token_at(1).kind == TokenKind::NewLine { 2 } else { 1 };
                if self.is_word(next, "for") { self.for_expression()? } else { self.array()? }
            }
            TokenKind::LeftParenthesis => return self.parenthesis_or_lambda(),
            TokenKind::Identifier => return self.name_or_call(),
            _ => return Err(self.unexpected("an expression")),
        };
        Ok(Expression { kind, span: self.span_from(start) })
    }

    fn name_or_call(&mut self) -> Parse<Expression> {
        let start = self.here();
        let name = self.identifier("a name")?;
        let kind = match self.peek() {
            TokenKind::LeftParenthesis => {
                let arguments = self.arguments()?;
                ExpressionKind::Call(Box::new(Call { name, arguments, span: self.span_from(start) }))
            }
            TokenKind::Arrow => {
                self.bump();
                let parameter_span = name.span;
                let body = self.lambda_body()?;
                ExpressionKind::Lambda(Box::new(Lambda { parameters: vec![name], parameter_span, body }))
            }
            _ => ExpressionKind::Variable(name.name),
        };
        Ok(Expression { kind, span: self.span_from(start) })
    }

    /// What follows `=>`, on the same line or the next.
    pub fn lambda_body(&mut self) -> Parse<Expression> {
        let next = self.peek_past_newlines();
        if next.kind != TokenKind::Identifier || !is_declaration_keyword(self.token_text(next)) {
            self.skip_newlines();
        }
        let body = self.expression();
        Ok(self.or_invalid(body, &[TokenKind::NewLine, TokenKind::RightParenthesis]))
    }

    /// `(a)`, `(a, b) => …`
    fn parenthesis_or_lambda(&mut self) -> Parse<Expression> {
        let start = self.here();
        let mut items = self.parenthesized_list()?;
        let parameter_span = self.span_from(start);
        if self.accept(TokenKind::Arrow) {
            let mut parameters = Vec::new();
            for item in items {
                match item.kind {
                    ExpressionKind::Variable(name) => parameters.push(Identifier { name, span: item.span }),
                    _ => {
                        let failed = self.failed(item.span, "expected the name of a parameter");
                        self.report(failed);
                    }
                }
            }
            let body = self.lambda_body()?;
            let kind = ExpressionKind::Lambda(Box::new(Lambda { parameters, parameter_span, body }));
            return Ok(Expression { kind, span: self.span_from(start) });
        }
        let (Some(inner), true) = (items.pop(), items.is_empty()) else {
            return Err(self.failed(parameter_span, "parentheses hold exactly one expression"));
        };
        Ok(Expression { kind: ExpressionKind::Parenthesis(Box::new(inner)), span: parameter_span })
    }

    /// `(a)`
    pub fn parenthesized(&mut self) -> Parse<Expression> {
        let start = self.here();
        let mut items = self.parenthesized_list()?;
        let span = self.span_from(start);
        let (Some(inner), true) = (items.pop(), items.is_empty()) else {
            return Err(self.failed(span, "parentheses hold exactly one expression"));
        };
        Ok(Expression { kind: ExpressionKind::Parenthesis(Box::new(inner)), span })
    }

    fn parenthesized_list(&mut self) -> Parse<Vec<Expression>> {
        let opening = self.expect(TokenKind::LeftParenthesis, "`(`")?;
        let mut items = Vec::new();
        self.skip_newlines();
        while !self.check(TokenKind::RightParenthesis) && !self.at_stray_declaration() {
            let item = self.expression();
            items.push(self.or_invalid(
                item,
                &[
                    TokenKind::StringRight,
                    TokenKind::RightBrace,
                    TokenKind::RightParenthesis,
                    TokenKind::RightBracket,
                    TokenKind::NewLine,
                    TokenKind::Comma,
                ],
            ));
            self.skip_newlines();
            if !self.accept(TokenKind::Comma) {
                break;
            }
            self.skip_newlines();
        }
        self.close(TokenKind::RightParenthesis, opening);
        Ok(items)
    }

    /// `(a, b)` after a function's name.
    pub fn arguments(&mut self) -> Parse<Vec<Expression>> {
        let opening = self.expect(TokenKind::LeftParenthesis, "`(`")?;
        let mut arguments = Vec::new();
        self.elements(TokenKind::RightParenthesis, false, &mut |p| {
            let argument = p.expression();
            let argument =
                p.or_invalid(argument, &[TokenKind::NewLine, TokenKind::Comma, TokenKind::RightParenthesis]);
            arguments.push(argument);
            true
        });
        self.close(TokenKind::RightParenthesis, opening);
        Ok(arguments)
    }

    /// Elements up to a closing token (not consumed). `lines`: a newline separates like a comma. Returns whether all
    /// elements could be read.
    pub fn elements(
        &mut self,
        closing: TokenKind,
        lines: bool,
        element: &mut dyn FnMut(&mut Self) -> bool,
    ) -> bool {
        let mut complete = true;
        self.skip_newlines();
        while !self.check(TokenKind::EndOfFile) && !self.check(closing) && !self.at_stray_declaration() {
            let before = self.here();
            complete &= self.watched(&mut *element);
            let mut separated = self.accept(TokenKind::Comma);
            if self.check(TokenKind::NewLine) {
                // An official error after a comma in arrays and objects, but the meaning is plain.
                separated |= lines
                    || matches!(self.token_at(1).kind, kind if kind == closing || kind == TokenKind::EndOfFile);
                self.skip_newlines();
            }
            if !separated
                && !self.check(closing)
                && !self.check(TokenKind::EndOfFile)
                && !self.at_stray_declaration()
            {
                let expected = if lines { "a new line or a comma" } else { "a comma" };
                let failed = self.unexpected(expected);
                self.report(failed);
                if self.here() == before {
                    self.bump();
                }
            }
        }
        complete
    }

    fn array(&mut self) -> Parse<ExpressionKind> {
        let opening = self.bump();
        let mut items = Vec::new();
        let complete = self.elements(TokenKind::RightBracket, true, &mut |p| {
            let result = p.array_item();
            let item = p.recover(result, &[TokenKind::NewLine, TokenKind::RightBracket]);
            let read = item.is_some();
            items.extend(item);
            read
        });
        let closed = self.close(TokenKind::RightBracket, opening);
        Ok(ExpressionKind::Array(Array { items, incomplete: !complete || !closed }))
    }

    fn array_item(&mut self) -> Parse<ArrayItem> {
        let start = self.here();
        if self.accept(TokenKind::Ellipsis) {
            let value = self.expression()?;
            return Ok(ArrayItem::Spread(value, self.span_from(start)));
        }
        Ok(ArrayItem::Expression(self.expression()?))
    }

    /// `{ … }`; `resources`: declarations of nested resources may stand in it.
    pub fn object(&mut self, resources: bool) -> Parse<Object> {
        let opening = self.expect(TokenKind::LeftBrace, "`{`")?;
        let mut members = Vec::new();
        let complete = self.elements(TokenKind::RightBrace, true, &mut |p| {
            let result = p.object_member(resources);
            let member = p.recover(result, &[TokenKind::NewLine, TokenKind::RightBrace]);
            let read = member.is_some();
            members.extend(member);
            read
        });
        let closed = self.close(TokenKind::RightBrace, opening);
        Ok(Object { members, span: self.span_from(opening.start), incomplete: !complete || !closed })
    }

    fn object_member(&mut self, resources: bool) -> Parse<ObjectMember> {
        const STOPS: [TokenKind; 3] = [TokenKind::Colon, TokenKind::NewLine, TokenKind::RightBrace];
        let start = self.here();
        let declaration = self.check(TokenKind::At)
            || (self.is_word(0, "resource") && self.token_at(1).kind == TokenKind::Identifier);
        if resources && declaration {
            let statement = self.deeper(|p| p.statement(Some("resource")))?;
            return Ok(ObjectMember::Resource(Box::new(statement)));
        }
        if self.accept(TokenKind::Ellipsis) {
            let value = self.expression()?;
            return Ok(ObjectMember::Spread(value, self.span_from(start)));
        }
        let key = self.object_key();
        let key = self.recover(key, &STOPS);
        let value = self.expect(TokenKind::Colon, "`:`").and_then(|_| self.expression());
        let value = self.or_invalid(value, &STOPS[1..]);
        let Some(key) = key else {
            // Already reported; the member is lost.
            return Err(self.failed(self.span_from(start), "expected a property"));
        };
        Ok(ObjectMember::Property(ObjectProperty { key, value, span: self.span_from(start) }))
    }

    pub fn object_key(&mut self) -> Parse<ObjectKey> {
        match self.peek() {
            TokenKind::Identifier | TokenKind::True | TokenKind::False | TokenKind::Null => {
                let token = self.bump();
                Ok(ObjectKey::Name(self.identifier_of(token)))
            }
            TokenKind::StringComplete | TokenKind::StringLeft => {
                Ok(ObjectKey::Expression(self.string("a property name")?))
            }
            _ => Err(self.unexpected("a property name")),
        }
    }

    fn for_expression(&mut self) -> Parse<ExpressionKind> {
        let opening = self.bump();
        self.skip_newlines();
        let header = self.for_header()?;
        let body = self.expression();
        let body = self.or_invalid(body, &[TokenKind::RightBracket, TokenKind::NewLine]);
        self.skip_newlines();
        self.close(TokenKind::RightBracket, opening);
        Ok(ExpressionKind::For(Box::new(ForExpression { header, body })))
    }

    /// `for item in collection:`, `for (item, index) in collection:`
    pub fn for_header(&mut self) -> Parse<ForHeader> {
        self.expect_word("for")?;
        let (item, index) = if self.accept(TokenKind::LeftParenthesis) {
            let item = self.identifier("the name of the loop's item")?;
            self.expect(TokenKind::Comma, "`,`")?;
            let index = self.identifier("the name of the loop's index")?;
            self.expect(TokenKind::RightParenthesis, "`)`")?;
            (item, Some(index))
        } else {
            (self.identifier("the name of the loop's item")?, None)
        };
        self.expect_word("in")?;
        let collection = self.expression();
        let collection =
            self.or_invalid(collection, &[TokenKind::Colon, TokenKind::RightBracket, TokenKind::NewLine]);
        self.expect(TokenKind::Colon, "`:`")?;
        Ok(ForHeader { item, index, collection })
    }

    /// A string of any form, with its holes.
    pub fn string(&mut self, what: &str) -> Parse<Expression> {
        const STOPS: [TokenKind; 3] = [TokenKind::StringMiddle, TokenKind::StringRight, TokenKind::NewLine];
        let start = self.here();
        let first = self.token_at(0);
        let form = strings::form(self.token_text(first));
        if first.kind == TokenKind::StringComplete {
            self.bump();
            let kind = if first.malformed {
                ExpressionKind::Invalid
            } else {
                ExpressionKind::String(strings::piece(self.token_text(first), form, true, true))
            };
            return Ok(Expression { kind, span: self.token_span(first) });
        }
        if first.kind != TokenKind::StringLeft {
            return Err(self.unexpected(what));
        }
        let mut parts = Vec::new();
        let literal = |text: EcoString, parts: &mut Vec<TemplatePart>| {
            if !text.is_empty() {
                parts.push(TemplatePart::Literal(text));
            }
        };
        self.bump();
        literal(strings::piece(self.token_text(first), form, true, false), &mut parts);
        loop {
            let hole = self.expression();
            let mut hole = self.or_invalid(hole, &STOPS);
            if !STOPS.contains(&self.peek()) && !self.check(TokenKind::EndOfFile) {
                let failed = self.unexpected("`}` after the expression");
                self.report(failed);
                self.skip_to(&STOPS);
                hole.kind = ExpressionKind::Invalid;
            }
            parts.push(TemplatePart::Expression(hole));
            let token = self.token_at(0);
            match token.kind {
                TokenKind::StringMiddle => {
                    self.bump();
                    literal(strings::piece(self.token_text(token), form, false, false), &mut parts);
                }
                TokenKind::StringRight => {
                    self.bump();
                    let span = self.span_from(start);
                    if token.malformed {
                        return Ok(Expression { kind: ExpressionKind::Invalid, span });
                    }
                    literal(strings::piece(self.token_text(token), form, false, true), &mut parts);
                    return Ok(Expression { kind: ExpressionKind::Template(parts), span });
                }
                _ => {
                    let failed = self.unexpected("the rest of the string");
                    self.report(failed);
                    return Ok(Expression { kind: ExpressionKind::Invalid, span: self.span_from(start) });
                }
            }
        }
    }
}
