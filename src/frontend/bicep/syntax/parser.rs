//! What all of the parser shares: tokens, errors, recovery.

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
    pub tokens: Vec<Token>,
    pub at: usize,
    pub depth: u32,
    pub dialect: Dialect,
    /// Take a declaration at the first column for the end of whatever is open.
    repair: bool,
    /// The end of the file was reached inside braces, brackets or parentheses.
    ran_away: bool,
    /// How many errors there were, reported or not.
    pub errors: usize,
    /// Those of the lexer, then those of the parser.
    pub diagnostics: Vec<Diagnostic>,
    /// How many are the lexer's.
    pub lexical: usize,
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

    pub fn accept_word(&mut self, word: &str) -> bool {
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
}
