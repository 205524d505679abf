//! Declarations, and what all of the parser shares: tokens, errors, recovery.

use crate::resource::Diagnostic;
use crate::source::{FileId, Span};

use super::ast::*;
use super::lexer::{Lexed, Token, TokenKind, lex};
use super::{Dialect, MAX_DEPTH, MAX_DIAGNOSTICS, Parsed, SYNTAX_ERROR};

/// What could not be read, not yet reported.
pub(super) struct Failed {
    span: Span,
    message: String,
}

pub(super) type Parse<T> = Result<T, Failed>;

pub(super) struct Parser<'a> {
    pub text: &'a str,
    pub file: FileId,
    tokens: Vec<Token>,
    at: usize,
    pub depth: u32,
    dialect: Dialect,
    /// Take a declaration at the first column for the end of whatever is open.
    repair: bool,
    /// The end of the file was reached inside braces, brackets or parentheses.
    ran_away: bool,
    /// How many errors there were, reported or not.
    errors: usize,
    /// Those of the lexer, then those of the parser.
    diagnostics: Vec<Diagnostic>,
    /// How many are the lexer's.
    lexical: usize,
}

/// A parse, and whether something unclosed has swallowed the rest of the file.
pub(super) struct Attempt {
    pub parsed: Parsed,
    pub ran_away: bool,
}

pub(super) fn parse(text: &str, file: FileId, dialect: Dialect, repair: bool) -> Attempt {
    let lexed = lex(text, file, repair);
    let (mut parser, comments, directives) = Parser::new(text, file, lexed, dialect, repair);
    let statements = parser.statements();
    let span = Span::new(file, 0, text.len());
    let program = Program { statements, comments, directives, span };
    let ran_away = parser.ran_away;
    Attempt { parsed: Parsed { program, diagnostics: parser.into_diagnostics() }, ran_away }
}

pub(super) fn parse_expression(text: &str, file: FileId) -> (Expression, Vec<Diagnostic>) {
    let lexed = lex(text, file, false);
    let (mut parser, ..) = Parser::new(text, file, lexed, Dialect::Template, false);
    parser.skip_newlines();
    let result = parser.expression();
    let mut expression = parser.or_invalid(result, &[]);
    parser.skip_newlines();
    if !parser.check(TokenKind::EndOfFile) {
        let failed = parser.unexpected("the end of the expression");
        parser.report(failed);
        expression.kind = ExpressionKind::Invalid;
    }
    (expression, parser.into_diagnostics())
}

/// The keywords that begin a declaration.
pub(super) fn is_declaration_keyword(word: &str) -> bool {
    matches!(
        word,
        "targetScope"
            | "metadata"
            | "type"
            | "param"
            | "var"
            | "func"
            | "resource"
            | "output"
            | "module"
            | "test"
            | "import"
            | "extension"
            | "assert"
            | "using"
            | "extends"
            | "extensionConfig"
    )
}

impl<'a> Parser<'a> {
    fn new(
        text: &'a str,
        file: FileId,
        lexed: Lexed,
        dialect: Dialect,
        repair: bool,
    ) -> (Self, Vec<Comment>, Vec<Directive>) {
        let Lexed { tokens, comments, directives, diagnostics, ran_away } = lexed;
        let lexical = diagnostics.len();
        let parser = Self {
            text,
            file,
            tokens,
            at: 0,
            depth: 0,
            dialect,
            repair,
            ran_away,
            errors: 0,
            diagnostics,
            lexical,
        };
        (parser, comments, directives)
    }

    fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
        self.diagnostics.truncate(MAX_DIAGNOSTICS);
        self.diagnostics
    }

    // Tokens

    pub fn peek(&self) -> TokenKind {
        self.token_at(0).kind
    }

    /// The token some places ahead; the end of the file repeats.
    pub fn token_at(&self, ahead: usize) -> Token {
        let last = self.tokens.len() - 1; // the lexer always ends with EndOfFile
        self.tokens[(self.at + ahead).min(last)]
    }

    /// The next token that is no newline.
    pub fn peek_past_newlines(&self) -> Token {
        // Neighbouring newlines are one token.
        if self.peek() == TokenKind::NewLine { self.token_at(1) } else { self.token_at(0) }
    }

    pub fn check(&self, kind: TokenKind) -> bool {
        self.peek() == kind
    }

    pub fn bump(&mut self) -> Token {
        let token = self.token_at(0);
        if token.kind != TokenKind::EndOfFile {
            self.at += 1;
        }
        token
    }

    pub fn accept(&mut self, kind: TokenKind) -> bool {
        let found = self.check(kind);
        if found {
            self.bump();
        }
        found
    }

    pub fn token_text(&self, token: Token) -> &'a str {
        self.text.get(token.start as usize..token.end as usize).unwrap_or("")
    }

    pub fn token_span(&self, token: Token) -> Span {
        Span::new(self.file, token.start as usize, token.end as usize)
    }

    /// Where the next token begins.
    pub fn here(&self) -> u32 {
        self.token_at(0).start
    }

    /// From an offset to the end of the last token read (newlines not counted).
    pub fn span_from(&self, start: u32) -> Span {
        let read = self.tokens.get(..self.at).unwrap_or(&[]);
        let last = read.iter().rev().find(|token| token.kind != TokenKind::NewLine);
        let end = last.map_or(start, |token| token.end.max(start));
        Span::new(self.file, start as usize, end as usize)
    }

    pub fn is_word(&self, ahead: usize, word: &str) -> bool {
        let token = self.token_at(ahead);
        token.kind == TokenKind::Identifier && self.token_text(token) == word
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        if found {
            self.bump();
        }
        found
    }

    pub fn expect_word(&mut self, word: &str) -> Parse<()> {
        if self.accept_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    pub fn expect(&mut self, kind: TokenKind, what: &str) -> Parse<Token> {
        if self.check(kind) { Ok(self.bump()) } else { Err(self.unexpected(what)) }
    }

    pub fn skip_newlines(&mut self) {
        while self.check(TokenKind::NewLine) {
            self.bump();
        }
    }

    pub fn identifier(&mut self, what: &str) -> Parse<Identifier> {
        let token = self.expect(TokenKind::Identifier, what)?;
        Ok(self.identifier_of(token))
    }

    pub fn identifier_of(&self, token: Token) -> Identifier {
        Identifier { name: self.token_text(token).into(), span: self.token_span(token) }
    }

    // Errors

    /// The failure that the next token is not what was expected.
    pub fn unexpected(&self, expected: &str) -> Failed {
        let token = self.token_at(0);
        let found = match token.kind {
            TokenKind::EndOfFile => "the end of the file".to_string(),
            TokenKind::NewLine => "the end of the line".to_string(),
            TokenKind::StringComplete | TokenKind::StringLeft => "a string".to_string(),
            TokenKind::StringMiddle | TokenKind::StringRight => "the rest of a string".to_string(),
            _ => format!("`{}`", self.token_text(token)),
        };
        // A newline is pointed at by its first place only.
        let end = if token.kind == TokenKind::NewLine { token.start } else { token.end };
        let span = Span::new(self.file, token.start as usize, end as usize);
        Failed { span, message: format!("expected {expected}, found {found}") }
    }

    pub fn failed(&self, span: Span, message: impl Into<String>) -> Failed {
        Failed { span, message: message.into() }
    }

    pub fn report(&mut self, failed: Failed) {
        self.errors += 1;
        // One error for one place: the first says it best.
        let known = |d: &Diagnostic| d.span.start == failed.span.start;
        if self.diagnostics.len() < 2 * MAX_DIAGNOSTICS && !self.diagnostics.iter().any(known) {
            self.diagnostics.push(Diagnostic::error(SYNTAX_ERROR, failed.message, failed.span));
        }
    }

    /// Reports a failure and skips to the next of the given tokens, which is not consumed.
    pub fn recover<T>(&mut self, result: Parse<T>, stops: &[TokenKind]) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(failed) => {
                self.report(failed);
                self.skip_to(stops);
                None
            }
        }
    }

    /// Skips to the next of the given tokens, which is not consumed.
    pub fn skip_to(&mut self, stops: &[TokenKind]) {
        while !self.check(TokenKind::EndOfFile) && !stops.contains(&self.peek()) {
            self.bump();
        }
    }

    /// The expression, or an invalid one in its place after [`Parser::recover`].
    pub fn or_invalid(&mut self, result: Parse<Expression>, stops: &[TokenKind]) -> Expression {
        let start = self.here();
        self.recover(result, stops).unwrap_or_else(|| {
            let start = start.min(self.here());
            Expression { kind: ExpressionKind::Invalid, span: self.span_from(start) }
        })
    }

    /// Runs a recursive part one level deeper.
    pub fn deeper<T>(&mut self, part: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            let span = self.token_span(self.token_at(0));
            return Err(self.failed(span, "this is nested too deeply to be read"));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// When repairing: the next token begins a declaration at the first column.
    pub fn at_stray_declaration(&self) -> bool {
        self.repair && self.at_declaration()
    }

    /// The next token looks like the begin of a declaration at the first column.
    fn at_declaration(&self) -> bool {
        let token = self.token_at(0);
        if !token.first_column {
            return false;
        }
        match token.kind {
            TokenKind::At => self.token_at(1).kind == TokenKind::Identifier,
            TokenKind::Identifier => {
                is_declaration_keyword(self.token_text(token))
                    && matches!(
                        self.token_at(1).kind,
                        TokenKind::Identifier | TokenKind::StringComplete | TokenKind::Assignment
                    )
            }
            _ => false,
        }
    }

    /// Runs the part that reads one element. When that fails on what looks like a declaration, something before it is
    /// not closed, although a later bracket may seem to close it.
    pub fn watched<T>(&mut self, part: impl FnOnce(&mut Self) -> T) -> T {
        let errors = self.errors;
        let declaration = self.at_declaration();
        let result = part(self);
        self.ran_away |= declaration && self.errors > errors;
        result
    }

    /// The end of something that was opened at `opening`: the closing token, or an error that it is missing.
    /// Returns whether it was there.
    pub fn close(&mut self, kind: TokenKind, opening: Token) -> bool {
        if self.accept(kind) {
            return true;
        }
        let span = self.token_span(opening);
        let text = self.token_text(opening);
        if self.check(TokenKind::EndOfFile) || self.at_stray_declaration() {
            self.ran_away = true;
            let message = format!("this `{text}` is never closed");
            self.report(Failed { span, message });
        } else {
            let closing = match kind {
                TokenKind::RightBrace => "`}`",
                TokenKind::RightBracket => "`]`",
                TokenKind::RightParenthesis => "`)`",
                _ => "`>`",
            };
            let failed = self.unexpected(closing);
            self.report(failed);
        }
        false
    }

    // Declarations

    fn statements(&mut self) -> Vec<Statement> {
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
