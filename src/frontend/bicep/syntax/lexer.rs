//! Characters to tokens. Newlines are tokens; comments and directives are kept beside them.
//!
//! Strings are lexed in pieces around their `${…}` holes, so that the tokens of the expressions inside stand between.

use crate::resource::Diagnostic;
use crate::source::{FileId, Span};

use super::ast::{Comment, Directive, Identifier};

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TokenKind {
    EndOfFile,
    /// One or more line ends with only white space and comments between.
    NewLine,
    Identifier,
    Integer,
    True,
    False,
    Null,
    /// A string without holes.
    StringComplete,
    /// The text before the first hole.
    StringLeft,
    /// The text between two holes.
    StringMiddle,
    /// The text after the last hole.
    StringRight,
    LeftBrace,
    RightBrace,
    LeftParenthesis,
    RightParenthesis,
    LeftBracket,
    RightBracket,
    At,
    Comma,
    Dot,
    Ellipsis,
    Question,
    DoubleQuestion,
    Colon,
    DoubleColon,
    Assignment,
    Arrow,
    Plus,
    Minus,
    Asterisk,
    Slash,
    Modulo,
    Caret,
    Exclamation,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    EqualIgnoringCase,
    NotEqualIgnoringCase,
    And,
    Or,
    Pipe,
    Unrecognized,
}

/// A token: its kind and its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    /// A string piece that is cut off: an error was reported.
    pub malformed: bool,
    /// It begins at the first column of a line.
    pub first_column: bool,
    pub start: u32,
    pub end: u32,
}

/// What the lexer makes of a text.
pub(super) struct Lexed {
    /// The tokens; the last is [`TokenKind::EndOfFile`].
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub directives: Vec<Directive>,
    pub diagnostics: Vec<Diagnostic>,
    /// A multi-line string or comment ran to the end of the file.
    pub ran_away: bool,
}

/// An opening that a `}` may close.
enum Opening {
    Brace,
    /// A hole in a string; the number of `$` for a multi-line one.
    Hole {
        dollars: Option<usize>,
    },
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    file: FileId,
    at: usize,
    openings: Vec<Opening>,
    /// End multi-line strings and comments that are never closed at the end of their first line.
    repair: bool,
    /// No `*/` is left: found out once, so that a file of `/*` is read in linear time.
    no_comment_end: bool,
    lexed: Lexed,
}

/// Lexes a whole text. With `repair`, strings and comments of several lines that are never closed end with their line.
pub(super) fn lex(text: &str, file: FileId, repair: bool) -> Lexed {
    let lexed = Lexed {
        tokens: Vec::with_capacity(text.len() / 6 + 2),
        comments: Vec::new(),
        directives: Vec::new(),
        diagnostics: Vec::new(),
        ran_away: false,
    };
    let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        file,
        at,
        openings: Vec::new(),
        repair,
        no_comment_end: false,
        lexed,
    };
    lexer.run();
    lexer.lexed
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn error(&mut self, start: usize, end: usize, message: impl Into<String>) {
        let span = self.span(start, end);
        if self.lexed.diagnostics.len() < super::MAX_DIAGNOSTICS {
            self.lexed.diagnostics.push(Diagnostic::error(super::SYNTAX_ERROR, message, span));
        }
    }

    fn run(&mut self) {
        loop {
            self.skip_trivia();
            let start = self.at;
            let (kind, malformed) = self.token();
            let first_column = start == 0 || matches!(self.bytes.get(start - 1), Some(b'\n' | b'\r')) || {
                start == 3 && self.text.starts_with('\u{feff}')
            };
            if kind == TokenKind::NewLine
                && let Some(last) = self.lexed.tokens.last_mut()
                && last.kind == TokenKind::NewLine
            {
                last.end = self.at as u32;
                continue;
            }
            let token = Token { kind, malformed, first_column, start: start as u32, end: self.at as u32 };
            self.lexed.tokens.push(token);
            if kind == TokenKind::EndOfFile {
                return;
            }
        }
    }

    /// White space, comments and directives.
    fn skip_trivia(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    let start = self.at;
                    self.skip_line();
                    self.lexed.comments.push(Comment { span: self.span(start, self.at), block: false });
                }
                b'/' if self.peek(1) == b'*' => self.block_comment(),
                b'#' => {
                    if !self.directive() {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    /// To the end of the line, exclusive.
    fn skip_line(&mut self) {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        self.at += rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
    }

    fn block_comment(&mut self) {
        let start = self.at;
        // `/*/` does not close itself.
        let rest = self.text.get(self.at + 2..).filter(|_| !self.no_comment_end);
        match rest.and_then(|rest| rest.find("*/")) {
            Some(end) => self.at += 2 + end + 2,
            None => {
                self.no_comment_end = true;
                self.error(start, start + 2, "this comment is never closed");
                self.lexed.ran_away = true;
                if self.repair {
                    self.skip_line();
                } else {
                    self.at = self.bytes.len();
                }
            }
        }
        self.lexed.comments.push(Comment { span: self.span(start, self.at), block: true });
    }

    /// A directive at the start of a line; false when this is none.
    fn directive(&mut self) -> bool {
        const NAMES: [&str; 3] = ["disable-next-line", "disable-diagnostics", "restore-diagnostics"];
        let start = self.at;
        let line = self.bytes[..start]
            .iter()
            .rposition(|b| !matches!(b, b' ' | b'\t'))
            .map_or(b'\n', |index| self.bytes[index]);
        let rest = self.text.get(start + 1..).unwrap_or("");
        let Some(name) = NAMES.into_iter().find(|name| rest.starts_with(name)) else { return false };
        // A byte order mark ends with 0xBF.
        if !matches!(line, b'\n' | b'\r' | 0xBF) {
            return false;
        }
        self.at += 1 + name.len();
        let mut codes = Vec::new();
        let mut end = self.at;
        loop {
            while matches!(self.peek(0), b' ' | b'\t') {
                self.at += 1;
            }
            let code = self.at;
            while self.peek(0).is_ascii_alphanumeric() || matches!(self.peek(0), b'-' | b'_') {
                self.at += 1;
            }
            if self.at == code {
                break;
            }
            end = self.at;
            codes.push(Identifier { name: self.text[code..end].into(), span: self.span(code, end) });
        }
        if codes.is_empty() {
            self.error(start, end, "this directive names no diagnostic code");
        }
        let span = self.span(start, end);
        self.lexed.directives.push(Directive { name: name.into(), codes, span });
        true
    }

    fn token(&mut self) -> (TokenKind, bool) {
        use TokenKind as T;
        if self.at_end() {
            return (T::EndOfFile, false);
        }
        let start = self.at;
        let first = self.peek(0);
        self.at += 1;
        let kind = match first {
            b'{' => {
                if !self.openings.is_empty() {
                    self.openings.push(Opening::Brace);
                }
                T::LeftBrace
            }
            b'}' => match self.openings.last() {
                Some(Opening::Hole { dollars }) => {
                    let dollars = *dollars;
                    return self.string_piece(false, dollars, start);
                }
                Some(Opening::Brace) => {
                    self.openings.pop();
                    T::RightBrace
                }
                None => T::RightBrace,
            },
            b'(' => T::LeftParenthesis,
            b')' => T::RightParenthesis,
            b'[' => T::LeftBracket,
            b']' => T::RightBracket,
            b'@' => T::At,
            b',' => T::Comma,
            b'.' if self.peek(0) == b'.' && self.peek(1) == b'.' => {
                self.at += 2;
                T::Ellipsis
            }
            b'.' => T::Dot,
            b'?' => self.either(b'?', T::DoubleQuestion, T::Question),
            b':' => self.either(b':', T::DoubleColon, T::Colon),
            b'+' => T::Plus,
            b'-' => T::Minus,
            b'%' => T::Modulo,
            b'*' => T::Asterisk,
            b'/' => T::Slash,
            b'^' => T::Caret,
            b'<' => self.either(b'=', T::LessOrEqual, T::Less),
            b'>' => self.either(b'=', T::GreaterOrEqual, T::Greater),
            b'&' => self.either(b'&', T::And, T::Unrecognized),
            b'|' => self.either(b'|', T::Or, T::Pipe),
            b'!' if self.peek(0) == b'~' => self.either(b'~', T::NotEqualIgnoringCase, T::Exclamation),
            b'!' => self.either(b'=', T::NotEqual, T::Exclamation),
            b'=' => match self.peek(0) {
                b'~' => self.either(b'~', T::EqualIgnoringCase, T::Assignment),
                b'>' => self.either(b'>', T::Arrow, T::Assignment),
                _ => self.either(b'=', T::Equal, T::Assignment),
            },
            b'$' => {
                let mut dollars = 1;
                while self.peek(0) == b'$' {
                    self.at += 1;
                    dollars += 1;
                }
                if self.bytes[self.at..].starts_with(b"'''") {
                    self.at += 3;
                    return self.string_piece(true, Some(dollars), start);
                }
                T::Unrecognized
            }
            b'\'' => {
                if self.bytes[self.at..].starts_with(b"''") {
                    self.at += 2;
                    return self.string_piece(true, Some(0), start);
                }
                return self.string_piece(true, None, start);
            }
            b'\n' | b'\r' => {
                if !self.openings.is_empty() {
                    // A hole may not span lines. The newline is lexed next.
                    self.openings.clear();
                    self.at = start;
                    self.error(start, start, "this string is not closed on its line");
                    return (T::StringRight, true);
                }
                while matches!(self.peek(0), b'\n' | b'\r') {
                    self.at += 1;
                }
                T::NewLine
            }
            b'0'..=b'9' => {
                while self.peek(0).is_ascii_digit() {
                    self.at += 1;
                }
                T::Integer
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
                    self.at += 1;
                }
                match &self.bytes[start..self.at] {
                    b"true" => T::True,
                    b"false" => T::False,
                    b"null" => T::Null,
                    _ => T::Identifier,
                }
            }
            _ => {
                while !self.text.is_char_boundary(self.at) {
                    self.at += 1;
                }
                T::Unrecognized
            }
        };
        if kind == TokenKind::Unrecognized {
            let text = self.text.get(start..self.at).unwrap_or("");
            let message = match text {
                "\"" => "strings are written with single quotes".to_string(),
                "#" => "`#` begins only the directives `disable-next-line`, `disable-diagnostics` and \
                        `restore-diagnostics`, alone on a line"
                    .to_string(),
                _ => format!("`{}` has no meaning here", text.escape_debug()),
            };
            self.error(start, self.at, message);
        }
        (kind, false)
    }

    fn either(&mut self, next: u8, long: TokenKind, short: TokenKind) -> TokenKind {
        if self.peek(0) == next {
            self.at += 1;
            long
        } else {
            short
        }
    }

    /// The rest of a string piece: after the opening quotes (`first`) or after the `}` of a hole.
    /// `dollars` is `None` for a single-line string, else how many `$` open a hole (0: none do).
    fn string_piece(&mut self, first: bool, dollars: Option<usize>, start: usize) -> (TokenKind, bool) {
        let end = match dollars {
            None => self.single_line_piece(start),
            Some(dollars) => self.multi_line_piece(dollars, start),
        };
        match end {
            PieceEnd::Hole => {
                if first {
                    self.openings.push(Opening::Hole { dollars });
                }
                (if first { TokenKind::StringLeft } else { TokenKind::StringMiddle }, false)
            }
            PieceEnd::Closed | PieceEnd::CutOff => {
                if !first {
                    self.openings.pop();
                }
                if matches!(end, PieceEnd::CutOff) {
                    // What held this string is cut off with it when it stood in a hole of the same line.
                    self.openings.clear();
                }
                let kind = if first { TokenKind::StringComplete } else { TokenKind::StringRight };
                (kind, matches!(end, PieceEnd::CutOff))
            }
        }
    }

    fn single_line_piece(&mut self, start: usize) -> PieceEnd {
        loop {
            if self.at_end() || matches!(self.peek(0), b'\n' | b'\r') {
                self.error(start, self.at, "this string is not closed on its line");
                return PieceEnd::CutOff;
            }
            let byte = self.peek(0);
            self.at += 1;
            match byte {
                b'\'' => return PieceEnd::Closed,
                b'$' if self.peek(0) == b'{' => {
                    self.at += 1;
                    return PieceEnd::Hole;
                }
                b'\\' => {
                    let escape = self.at - 1;
                    match self.peek(0) {
                        b'n' | b'r' | b't' | b'\\' | b'\'' => self.at += 1,
                        b'$' => self.at += if self.peek(1) == b'{' { 2 } else { 1 },
                        b'u' => self.unicode_escape(escape),
                        b'\n' | b'\r' => {}
                        _ if self.at_end() => {}
                        _ => {
                            self.at += 1;
                            while !self.text.is_char_boundary(self.at) {
                                self.at += 1;
                            }
                            self.error(
                                escape,
                                self.at,
                                "this escape sequence is not known; `\\\\` writes a backslash",
                            );
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// At the `u` of `\u{…}`.
    fn unicode_escape(&mut self, escape: usize) {
        self.at += 1;
        let mut valid = self.peek(0) == b'{';
        if valid {
            self.at += 1;
            let digits = self.at;
            while self.peek(0).is_ascii_hexdigit() {
                self.at += 1;
            }
            let code = u32::from_str_radix(self.text.get(digits..self.at).unwrap_or(""), 16);
            valid = self.peek(0) == b'}' && code.is_ok_and(|code| code <= 0x10_FFFF);
            if self.peek(0) == b'}' {
                self.at += 1;
            }
        }
        if !valid {
            self.error(
                escape,
                self.at,
                "a Unicode escape is written `\\u{…}` with a code point up to 10FFFF",
            );
        }
    }

    fn multi_line_piece(&mut self, dollars: usize, start: usize) -> PieceEnd {
        while !self.at_end() {
            match self.peek(0) {
                b'$' if dollars > 0 => {
                    let mut run = 0;
                    while self.peek(0) == b'$' {
                        self.at += 1;
                        run += 1;
                    }
                    if run >= dollars && self.peek(0) == b'{' {
                        self.at += 1;
                        return PieceEnd::Hole;
                    }
                }
                b'\'' => {
                    let mut run = 0;
                    while self.peek(0) == b'\'' {
                        self.at += 1;
                        run += 1;
                    }
                    if run >= 3 {
                        return PieceEnd::Closed;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.error(start, (start + 3 + dollars).min(self.bytes.len()), "this string is never closed");
        self.lexed.ran_away = true;
        if self.repair {
            self.at = start;
            self.skip_line();
        }
        PieceEnd::CutOff
    }
}

/// How a piece of a string ends.
enum PieceEnd {
    /// With its closing quotes.
    Closed,
    /// With the beginning of a hole.
    Hole,
    /// With the line or the file.
    CutOff,
}
