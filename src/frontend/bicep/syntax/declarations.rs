//! Declarations: what stands at the top of a file, and resources inside resources.

use crate::resource::Diagnostic;
use crate::source::Span;

use super::Dialect;
use super::ast::*;
use super::lexer::TokenKind;
use super::parser::{Parse, Parser};

impl Parser<'_> {
    pub fn statements(&mut self) -> Vec<Statement> {
        let mut statements = Vec::new();
        // Lines in a row that are no declarations are one error.
        let mut in_junk = false;
        loop {
            self.skip_newlines();
            if self.check(TokenKind::EndOfFile) {
                return statements;
            }
            let before = self.at;
            let result = self.statement(None);
            match result {
                Ok(statement) => {
                    in_junk = false;
                    statements.push(statement);
                    let after_newline = self.at > before
                        && self.tokens.get(self.at - 1).map(|t| t.kind) == Some(TokenKind::NewLine);
                    if !after_newline && !self.check(TokenKind::EndOfFile) {
                        let end = self.expect(TokenKind::NewLine, "the end of the line").map(|_| ());
                        if self.recover(end, &[TokenKind::NewLine]).is_none()
                            && let Some(last) = statements.last_mut()
                        {
                            last.repaired = true;
                        }
                    }
                }
                Err(failed) => {
                    if !in_junk {
                        self.report(failed);
                    }
                    self.skip_to(&[TokenKind::NewLine]);
                    in_junk = true;
                }
            }
            if self.at == before {
                self.bump();
            }
        }
    }

    /// A declaration with its decorators. `only`: the one keyword allowed here.
    pub fn statement(&mut self, only: Option<&str>) -> Parse<Statement> {
        let start = self.here();
        let errors = self.errors;
        let decorators = self.decorators();
        let keyword = self.token_at(0);
        let word = self.token_text(keyword);
        let allowed = keyword.kind == TokenKind::Identifier && only.is_none_or(|only| only == word);
        let keyword = if allowed { word } else { "" };
        let header = self.here();
        let kind = match (self.dialect, keyword) {
            (Dialect::Template, "targetScope") => self.target_scope(),
            (Dialect::Template, "metadata") => self.named_value(StatementKind::Metadata),
            (_, "type") => self.type_declaration(),
            (Dialect::Template, "param") => self.parameter(),
            (Dialect::Parameters, "param") => self.named_value(StatementKind::ParameterAssignment),
            (_, "var") => self.variable(),
            (Dialect::Template, "func") => self.function(),
            (Dialect::Template, "resource") => return self.resource(decorators, start, errors),
            (Dialect::Template, "module" | "test") => return self.module(decorators, start, errors),
            (Dialect::Template, "output") => self.output(),
            (_, "import") => self.import(),
            (_, "extension") => self.extension(),
            (Dialect::Template, "assert") => self.named_value(StatementKind::Assert),
            (Dialect::Parameters, "using") => self.using(),
            (Dialect::Parameters, "extends") => self.extends(),
            (Dialect::Parameters, "extensionConfig") => self.extension_configuration(),
            _ => {
                let failed = self.unexpected(match self.dialect {
                    Dialect::Template => "a declaration (`param`, `var`, `resource`, `module`, `output`, …)",
                    Dialect::Parameters => "a declaration (`using`, `extends`, `param`, `var`, …)",
                });
                if decorators.is_empty() {
                    return Err(failed);
                }
                self.report(failed);
                StatementKind::Missing
            }
        };
        let header = self.header_of(&kind, header);
        Ok(self.finish(decorators, kind, start, header, errors))
    }

    fn finish(
        &self,
        decorators: Vec<Decorator>,
        kind: StatementKind,
        start: u32,
        header: Span,
        errors: usize,
    ) -> Statement {
        let span = self.span_from(start);
        let lexical = |d: &Diagnostic| span.contains(d.span);
        let repaired = self.errors > errors || self.diagnostics.iter().take(self.lexical).any(lexical);
        Statement { decorators, kind, span, header, repaired }
    }

    /// From the keyword to the name.
    fn header_of(&self, kind: &StatementKind, keyword: u32) -> Span {
        let name = match kind {
            StatementKind::Metadata(name, _)
            | StatementKind::ParameterAssignment(name, _)
            | StatementKind::Type(name, _)
            | StatementKind::ExtensionConfiguration(name, _)
            | StatementKind::Assert(name, _) => name.span,
            StatementKind::Parameter(parameter) => parameter.name.span,
            StatementKind::Variable(variable) => variable.name.span,
            StatementKind::Function(function) => function.name.span,
            StatementKind::Output(output) => output.name.span,
            _ => return self.span_from(keyword),
        };
        Span::new(self.file, keyword as usize, name.end.max(keyword) as usize)
    }

    pub fn decorators(&mut self) -> Vec<Decorator> {
        let mut decorators = Vec::new();
        while self.check(TokenKind::At) {
            let start = self.here();
            let result = self.decorator();
            match self.recover(result, &[TokenKind::NewLine]) {
                Some((name, arguments)) => {
                    decorators.push(Decorator { name, arguments, span: self.span_from(start) });
                }
                None => {
                    let span = self.span_from(start);
                    decorators.push(Decorator { name: Vec::new(), arguments: Vec::new(), span });
                }
            }
            // A decorator may stand on the line of what it decorates in types; be lenient everywhere.
            self.skip_newlines();
        }
        decorators
    }

    fn decorator(&mut self) -> Parse<(Vec<Identifier>, Vec<Expression>)> {
        self.expect(TokenKind::At, "`@`")?;
        let mut name = vec![self.identifier("the name of a decorator")?];
        let mut arguments = Vec::new();
        loop {
            if self.check(TokenKind::LeftParenthesis) {
                arguments = self.arguments()?;
            } else if self.accept(TokenKind::Dot) {
                name.push(self.identifier("the name of a decorator")?);
            } else {
                return Ok((name, arguments));
            }
        }
    }

    /// `keyword name = value`
    fn named_value(&mut self, kind: fn(Identifier, Expression) -> StatementKind) -> StatementKind {
        self.bump();
        let name = self.declared_name(&[TokenKind::Assignment, TokenKind::NewLine]);
        let value = self.assigned_value();
        kind(name, value)
    }

    /// A name, or an empty one where there is none.
    fn declared_name(&mut self, stops: &[TokenKind]) -> Identifier {
        let start = self.here();
        let result = self.identifier("a name");
        self.recover(result, stops).unwrap_or_else(|| Identifier {
            name: "".into(),
            span: Span::new(self.file, start as usize, start as usize),
        })
    }

    /// `= value` up to the end of the line.
    fn assigned_value(&mut self) -> Expression {
        let start = self.here();
        let assignment = self.expect(TokenKind::Assignment, "`=`");
        if self.recover(assignment, &[TokenKind::NewLine]).is_none() {
            return Expression { kind: ExpressionKind::Invalid, span: self.span_from(start) };
        }
        let value = self.expression();
        self.or_invalid(value, &[TokenKind::NewLine])
    }

    fn target_scope(&mut self) -> StatementKind {
        self.bump();
        StatementKind::TargetScope(self.assigned_value())
    }

    fn type_declaration(&mut self) -> StatementKind {
        self.bump();
        let name = self.declared_name(&[TokenKind::Assignment, TokenKind::NewLine]);
        let assignment = self.expect(TokenKind::Assignment, "`=`");
        let value = match self.recover(assignment, &[TokenKind::NewLine]) {
            Some(_) => self.declared_type(&[TokenKind::Assignment, TokenKind::LeftBrace, TokenKind::NewLine]),
            None => None,
        };
        let here = self.here() as usize;
        let invalid = Type { kind: TypeKind::Invalid, span: Span::new(self.file, here, here) };
        StatementKind::Type(name, value.unwrap_or(invalid))
    }

    fn declared_type(&mut self, stops: &[TokenKind]) -> Option<Type> {
        let result = self.type_or_resource(false);
        self.recover(result, stops)
    }

    fn parameter(&mut self) -> StatementKind {
        self.bump();
        let name = self.declared_name(&[TokenKind::Identifier, TokenKind::NewLine]);
        let declared_type =
            self.declared_type(&[TokenKind::Assignment, TokenKind::LeftBrace, TokenKind::NewLine]);
        let default = match self.peek() {
            TokenKind::NewLine | TokenKind::EndOfFile => None,
            TokenKind::Assignment => Some(self.assigned_value()),
            _ if declared_type.is_none() => None,
            _ => {
                let failed = self.unexpected("`=` or the end of the line");
                self.report(failed);
                self.skip_to(&[TokenKind::NewLine]);
                None
            }
        };
        StatementKind::Parameter(ParameterDeclaration { name, declared_type, default })
    }

    fn variable(&mut self) -> StatementKind {
        self.bump();
        let name = self.declared_name(&[TokenKind::Identifier, TokenKind::NewLine]);
        let declared_type = match self.peek() {
            TokenKind::Assignment | TokenKind::NewLine | TokenKind::EndOfFile => None,
            _ => self.declared_type(&[TokenKind::Assignment, TokenKind::NewLine]),
        };
        let value = self.assigned_value();
        StatementKind::Variable(VariableDeclaration { name, declared_type, value })
    }

    fn function(&mut self) -> StatementKind {
        self.bump();
        let name = self.declared_name(&[TokenKind::Assignment, TokenKind::NewLine]);
        let start = self.here();
        let result = self.typed_lambda();
        let (parameters, returns, body) = self.recover(result, &[TokenKind::NewLine]).unwrap_or_else(|| {
            let span = self.span_from(start);
            (Vec::new(), None, Expression { kind: ExpressionKind::Invalid, span })
        });
        let lambda = self.span_from(start);
        StatementKind::Function(FunctionDeclaration { name, parameters, returns, body, lambda })
    }

    #[allow(clippy::type_complexity)]
    fn typed_lambda(&mut self) -> Parse<(Vec<(Identifier, Option<Type>)>, Option<Type>, Expression)> {
        const STOPS: [TokenKind; 3] = [TokenKind::NewLine, TokenKind::Comma, TokenKind::RightParenthesis];
        let opening = self.expect(TokenKind::LeftParenthesis, "`(`")?;
        let mut parameters = Vec::new();
        self.skip_newlines();
        while self.check(TokenKind::Identifier) {
            let name = self.identifier("the name of a parameter")?;
            let declared_type = self.declared_type(&STOPS);
            parameters.push((name, declared_type));
            self.skip_newlines();
            if !self.accept(TokenKind::Comma) {
                break;
            }
            self.skip_newlines();
        }
        self.close(TokenKind::RightParenthesis, opening);
        let returns = self.declared_type(&[TokenKind::Arrow, TokenKind::NewLine]);
        self.expect(TokenKind::Arrow, "`=>`")?;
        let body = self.lambda_body()?;
        Ok((parameters, returns, body))
    }

    fn resource(&mut self, decorators: Vec<Decorator>, start: u32, errors: usize) -> Parse<Statement> {
        let keyword = self.here();
        self.bump();
        let (name, resource_type) = self.name_and_string("a resource type in quotes");
        let header = self.span_from(keyword);
        let existing = self.accept_word("existing");
        let body = self.body(true);
        let kind = StatementKind::Resource(ResourceDeclaration { name, resource_type, existing, body });
        Ok(self.finish(decorators, kind, start, header, errors))
    }

    fn module(&mut self, decorators: Vec<Decorator>, start: u32, errors: usize) -> Parse<Statement> {
        let keyword = self.here();
        let test = self.is_word(0, "test");
        self.bump();
        let (name, path) = self.name_and_string("the path of a module in quotes");
        let header = self.span_from(keyword);
        let body = self.body(false);
        let declaration = ModuleDeclaration { name, path, body };
        let kind = if test { StatementKind::Test(declaration) } else { StatementKind::Module(declaration) };
        Ok(self.finish(decorators, kind, start, header, errors))
    }

    fn name_and_string(&mut self, what: &str) -> (Identifier, Expression) {
        let name =
            self.declared_name(&[TokenKind::StringComplete, TokenKind::StringLeft, TokenKind::NewLine]);
        let result = self.string(what);
        (name, self.or_invalid(result, &[TokenKind::Assignment, TokenKind::NewLine]))
    }

    /// `= { … }`, `= if (…) { … }`, `= [for …: { … }]`
    fn body(&mut self, resource: bool) -> Body {
        let assignment = self.expect(TokenKind::Assignment, "`=`");
        let assigned = self.recover(assignment, &[TokenKind::LeftBrace, TokenKind::NewLine]).is_some();
        let next = self.peek_past_newlines();
        if assigned && next.kind == TokenKind::Identifier && self.token_text(next) == "if" {
            self.skip_newlines();
        }
        let start = self.here();
        let result = if self.check(TokenKind::LeftBracket) {
            self.repeated_body(resource)
        } else {
            self.conditional_body(resource).map(|(condition, object, conditional)| Body {
                repeat: None,
                condition,
                object,
                conditional,
                span: conditional,
            })
        };
        self.recover(result, &[TokenKind::NewLine]).unwrap_or_else(|| {
            let span = self.span_from(start);
            let object = Object { members: Vec::new(), span, incomplete: true };
            Body { repeat: None, condition: None, object, conditional: span, span }
        })
    }

    fn repeated_body(&mut self, resource: bool) -> Parse<Body> {
        let start = self.here();
        let opening = self.bump();
        self.skip_newlines();
        let header = self.for_header()?;
        let result = self.conditional_body(resource);
        let read = self.recover(result, &[TokenKind::RightBracket, TokenKind::NewLine]);
        let here = self.here();
        let (condition, object, conditional) = read.unwrap_or_else(|| {
            let span = self.span_from(here);
            (None, Object { members: Vec::new(), span, incomplete: true }, span)
        });
        self.skip_newlines();
        self.close(TokenKind::RightBracket, opening);
        Ok(Body { repeat: Some(header), condition, object, conditional, span: self.span_from(start) })
    }

    fn conditional_body(&mut self, resource: bool) -> Parse<(Option<Expression>, Object, Span)> {
        let start = self.here();
        let condition = if self.accept_word("if") {
            let result = self.parenthesized();
            Some(
                self.or_invalid(result, &[TokenKind::LeftBrace, TokenKind::RightBracket, TokenKind::NewLine]),
            )
        } else {
            None
        };
        if !self.check(TokenKind::LeftBrace) {
            return Err(self.unexpected(if condition.is_some() { "`{`" } else { "`{`, `[` or `if`" }));
        }
        let object = self.deeper(|p| p.object(resource))?;
        Ok((condition, object, self.span_from(start)))
    }

    fn output(&mut self) -> StatementKind {
        self.bump();
        let name = self.declared_name(&[TokenKind::Identifier, TokenKind::NewLine]);
        let result = self.type_or_resource(true);
        let declared_type = self.recover(result, &[TokenKind::Assignment, TokenKind::NewLine]);
        let value = self.assigned_value();
        StatementKind::Output(OutputDeclaration { name, declared_type, value })
    }

    fn import(&mut self) -> StatementKind {
        if matches!(self.token_at(1).kind, TokenKind::StringComplete | TokenKind::StringLeft) {
            return self.extension();
        }
        self.bump();
        let start = self.here();
        let result = self.imported_symbols();
        let symbols = self.recover(result, &[TokenKind::NewLine]).unwrap_or(ImportedSymbols::Invalid);
        let path = self.expect_word("from").and_then(|()| self.string("the path of a file in quotes"));
        let mut path = self.or_invalid(path, &[TokenKind::NewLine]);
        if matches!(path.kind, ExpressionKind::Invalid) {
            path.span = self.span_from(start);
        }
        StatementKind::Import(ImportDeclaration { symbols, path })
    }

    fn imported_symbols(&mut self) -> Parse<ImportedSymbols> {
        let start = self.here();
        if self.accept(TokenKind::Asterisk) {
            self.expect_word("as")?;
            let name = self.identifier("a name")?;
            return Ok(ImportedSymbols::Wildcard(name, self.span_from(start)));
        }
        let opening = self.expect(TokenKind::LeftBrace, "`{` or `*`")?;
        let mut list = Vec::new();
        self.elements(TokenKind::RightBrace, true, &mut |p| {
            let result = p.imported_symbol();
            match p.recover(result, &[TokenKind::Comma, TokenKind::NewLine, TokenKind::RightBrace]) {
                Some(item) => {
                    list.push(item);
                    true
                }
                None => false,
            }
        });
        self.close(TokenKind::RightBrace, opening);
        Ok(ImportedSymbols::List(list, self.span_from(start)))
    }

    fn imported_symbol(&mut self) -> Parse<(Identifier, Option<Identifier>)> {
        let name = if self.check(TokenKind::StringComplete) {
            let string = self.string("a name")?;
            let ExpressionKind::String(name) = string.kind else {
                return Err(self.failed(string.span, "expected the name of an exported symbol"));
            };
            Identifier { name, span: string.span }
        } else {
            self.identifier("the name of an exported symbol")?
        };
        let alias = if self.accept_word("as") { Some(self.identifier("a name")?) } else { None };
        Ok((name, alias))
    }

    fn extension(&mut self) -> StatementKind {
        self.bump();
        let result = if self.check(TokenKind::Identifier) {
            let token = self.bump();
            let name = self.identifier_of(token);
            Ok(Expression { kind: ExpressionKind::Variable(name.name), span: name.span })
        } else {
            self.string("the name of an extension")
        };
        let specification = self.or_invalid(result, &[TokenKind::NewLine]);
        let configuration = if self.accept_word("with") {
            let result = self.deeper(|p| p.object(false));
            self.recover(result, &[TokenKind::NewLine])
        } else {
            None
        };
        let alias = if self.accept_word("as") {
            let result = self.identifier("a name");
            self.recover(result, &[TokenKind::NewLine])
        } else {
            None
        };
        StatementKind::Extension(ExtensionDeclaration { specification, configuration, alias })
    }

    fn using(&mut self) -> StatementKind {
        self.bump();
        let path = if self.accept_word("none") {
            None
        } else {
            let result = self.string("the path of a template in quotes");
            Some(self.or_invalid(result, &[TokenKind::NewLine]))
        };
        let configuration = if self.accept_word("with") {
            let result = self.deeper(|p| p.object(false));
            self.recover(result, &[TokenKind::NewLine])
        } else {
            None
        };
        StatementKind::Using(path, configuration)
    }

    fn extends(&mut self) -> StatementKind {
        self.bump();
        let result = self.string("the path of a parameters file in quotes");
        StatementKind::Extends(self.or_invalid(result, &[TokenKind::NewLine]))
    }

    fn extension_configuration(&mut self) -> StatementKind {
        self.bump();
        let name = self.declared_name(&[TokenKind::Identifier, TokenKind::NewLine]);
        let result = self.expect_word("with").and_then(|()| self.deeper(|p| p.object(false)));
        let object = self.recover(result, &[TokenKind::NewLine]);
        let object = object.unwrap_or(Object { members: Vec::new(), span: name.span, incomplete: true });
        StatementKind::ExtensionConfiguration(name, object)
    }
}
