//! Type expressions.

use super::ast::*;
use super::expressions::unary_operator;
use super::lexer::TokenKind;
use super::parser::{Parse, Parser};

impl Parser<'_> {
    /// A type, or `resource 'type@version'`.
    pub fn type_or_resource(&mut self, string_optional: bool) -> Parse<Type> {
        let start = self.here();
        if self.is_word(0, "resource") && self.token_at(1).kind != TokenKind::Less {
            self.bump();
            let has_string = matches!(self.peek(), TokenKind::StringComplete | TokenKind::StringLeft);
            let resource_type = if string_optional && !has_string {
                None
            } else {
                Some(self.string("a resource type in quotes")?)
            };
            return Ok(Type { kind: TypeKind::Resource(resource_type), span: self.span_from(start) });
        }
        self.type_expression()
    }

    pub fn type_expression(&mut self) -> Parse<Type> {
        self.deeper(Self::union)
    }

    /// `|`, which may begin a new line.
    fn at_pipe(&self) -> bool {
        self.peek_past_newlines().kind == TokenKind::Pipe
    }

    fn union(&mut self) -> Parse<Type> {
        let leading = self.at_pipe();
        let mut start = self.here();
        if leading {
            self.skip_newlines();
            start = self.here();
            self.bump();
        }
        let first = self.suffixed_type()?;
        if !leading && !self.at_pipe() {
            return Ok(first);
        }
        let mut members = vec![first];
        while self.at_pipe() {
            self.skip_newlines();
            self.bump();
            let member = self.suffixed_type();
            match self.recover(member, &[TokenKind::NewLine, TokenKind::RightBrace, TokenKind::RightBracket])
            {
                Some(member) => members.push(member),
                None => {
                    let here = self.here();
                    members.push(Type { kind: TypeKind::Invalid, span: self.span_from(here) });
                }
            }
        }
        Ok(Type { kind: TypeKind::Union(members), span: self.span_from(start) })
    }

    fn suffixed_type(&mut self) -> Parse<Type> {
        let start = self.here();
        let mut current = self.unary_type()?;
        // `a??` lexes as one token; more than a few suffixes have no meaning.
        for _ in 0..16 {
            let suffix = match self.peek() {
                TokenKind::Question => TypeSuffix::Nullable,
                TokenKind::Exclamation => TypeSuffix::NonNullable,
                _ => break,
            };
            self.bump();
            let kind = TypeKind::Suffixed(Box::new(current), suffix);
            current = Type { kind, span: self.span_from(start) };
        }
        Ok(current)
    }

    fn unary_type(&mut self) -> Parse<Type> {
        let start = self.here();
        let Some(operator) = unary_operator(self.peek()) else { return self.member_type() };
        self.bump();
        let operand = self.member_type()?;
        Ok(Type { kind: TypeKind::Unary(operator, Box::new(operand)), span: self.span_from(start) })
    }

    fn member_type(&mut self) -> Parse<Type> {
        let start = self.here();
        let base = self.primary_type()?;
        let mut steps = Vec::new();
        loop {
            let step = self.here();
            let kind = match self.peek() {
                TokenKind::LeftBracket => {
                    self.bump();
                    let kind = match self.peek() {
                        TokenKind::RightBracket => TypeStepKind::Array,
                        TokenKind::Asterisk => {
                            self.bump();
                            TypeStepKind::Items
                        }
                        _ => TypeStepKind::Index(self.expression()?),
                    };
                    self.expect(TokenKind::RightBracket, "`]`")?;
                    kind
                }
                TokenKind::Dot => {
                    self.bump();
                    if self.accept(TokenKind::Asterisk) {
                        TypeStepKind::AdditionalProperties
                    } else {
                        let name = self.identifier("the name of a property")?;
                        if self.check(TokenKind::Less) {
                            TypeStepKind::Generic(name, self.type_arguments()?)
                        } else {
                            TypeStepKind::Property(name)
                        }
                    }
                }
                _ => break,
            };
            steps.push(TypeStep { kind, span: self.span_from(step) });
        }
        if steps.is_empty() {
            return Ok(base);
        }
        Ok(Type { kind: TypeKind::Access(Box::new(base), steps), span: self.span_from(start) })
    }

    fn type_arguments(&mut self) -> Parse<Vec<Type>> {
        let opening = self.expect(TokenKind::Less, "`<`")?;
        let mut arguments = Vec::new();
        self.elements(TokenKind::Greater, false, &mut |p| {
            let result = p.type_expression();
            let argument = p.recover(result, &[TokenKind::NewLine, TokenKind::Comma, TokenKind::Greater]);
            let read = argument.is_some();
            arguments.extend(argument);
            read
        });
        self.close(TokenKind::Greater, opening);
        Ok(arguments)
    }

    fn primary_type(&mut self) -> Parse<Type> {
        let start = self.here();
        let kind = match self.peek() {
            TokenKind::Null | TokenKind::True | TokenKind::False | TokenKind::Integer => {
                TypeKind::Literal(self.type_literal()?)
            }
            TokenKind::StringComplete | TokenKind::StringLeft => TypeKind::Literal(self.string("a string")?),
            TokenKind::LeftBrace => TypeKind::Object(self.object_type()?),
            TokenKind::LeftBracket => TypeKind::Tuple(self.tuple_type()?),
            TokenKind::LeftParenthesis => {
                let opening = self.bump();
                self.skip_newlines();
                let inner = self.type_expression()?;
                self.skip_newlines();
                self.close(TokenKind::RightParenthesis, opening);
                TypeKind::Parenthesis(Box::new(inner))
            }
            TokenKind::Identifier => {
                let name = self.identifier("a type")?;
                if self.check(TokenKind::Less) {
                    TypeKind::Generic(name, self.type_arguments()?)
                } else {
                    TypeKind::Name(name.name)
                }
            }
            _ => return Err(self.unexpected("a type")),
        };
        Ok(Type { kind, span: self.span_from(start) })
    }

    /// A number, truth value or null.
    fn type_literal(&mut self) -> Parse<Expression> {
        self.primary()
    }

    fn object_type(&mut self) -> Parse<ObjectType> {
        let opening = self.bump();
        let mut properties = Vec::new();
        self.elements(TokenKind::RightBrace, true, &mut |p| {
            let result = p.object_type_property();
            let property = p.recover(result, &[TokenKind::NewLine, TokenKind::RightBrace]);
            let read = property.is_some();
            properties.extend(property);
            read
        });
        self.close(TokenKind::RightBrace, opening);
        Ok(ObjectType { properties })
    }

    fn object_type_property(&mut self) -> Parse<ObjectTypeProperty> {
        let start = self.here();
        let decorators = self.decorators();
        let key = if self.accept(TokenKind::Asterisk) { None } else { Some(self.object_key()?) };
        self.expect(TokenKind::Colon, "`:`")?;
        let value = self.type_expression()?;
        Ok(ObjectTypeProperty { decorators, key, value, span: self.span_from(start) })
    }

    fn tuple_type(&mut self) -> Parse<Vec<TupleTypeItem>> {
        let opening = self.bump();
        let mut items = Vec::new();
        self.elements(TokenKind::RightBracket, true, &mut |p| {
            let result = p.tuple_type_item();
            let item = p.recover(result, &[TokenKind::NewLine, TokenKind::RightBracket]);
            let read = item.is_some();
            items.extend(item);
            read
        });
        self.close(TokenKind::RightBracket, opening);
        Ok(items)
    }

    fn tuple_type_item(&mut self) -> Parse<TupleTypeItem> {
        let start = self.here();
        let decorators = self.decorators();
        let value = self.type_expression()?;
        Ok(TupleTypeItem { decorators, value, span: self.span_from(start) })
    }
}
