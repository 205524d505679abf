//! The tokens of HCL, by its lexical rules: enough to know where strings, heredocs, templates and brackets begin and end.
//!
//! `hcl-edit` parses without tokens. These serve what it does not do: refusing what HashiCorp's scanner refuses, joining
//! lines where HCL lets an expression run on, and repairing damaged files.

/// A token, `start..end` in bytes. White space is not a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Newline,
    /// `#…` or `//…`, without the line's end.
    LineComment,
    BlockComment,
    Identifier,
    Number,
    Dot,
    Ellipsis,
    Comma,
    Colon,
    DoubleColon,
    Question,
    /// `=`
    Assign,
    /// `=>`
    Arrow,
    /// A unary or binary operator; `*` of a splat is one too.
    Operator,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParenthesis,
    CloseParenthesis,
    OpenQuote,
    CloseQuote,
    /// Text of a quoted string, within one line.
    QuotedText,
    /// A line end inside a quoted string, which HCL does not allow.
    QuotedNewline,
    /// `<<NAME` or `<<-NAME` with its line end.
    OpenHeredoc,
    /// The closing name, with white space before it.
    CloseHeredoc,
    /// Text of a heredoc, at most one line.
    HeredocText,
    /// `${` or `${~`
    OpenInterpolation,
    /// `%{` or `%{~`
    OpenDirective,
    /// `}` or `~}` that ends one of those two.
    CloseSequence,
    /// A character that HCL does not know.
    Invalid,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    /// Code; how many braces are open in it. The outermost mode, or what stands in `${…}`.
    Code {
        braces: usize,
    },
    Quote,
    /// Text with sequences to the end: a template file.
    Text,
    /// The range of the closing name, and whether only line starts have been seen since the last line end.
    Heredoc {
        marker: (usize, usize),
        line_start: bool,
    },
}

/// Splits text into tokens.
pub(super) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    modes: Vec<Mode>,
}

impl<'a> Scanner<'a> {
    /// A scanner at the beginning of `text`, which is code (not a template).
    pub fn new(text: &'a str) -> Self {
        Self { text, position: 0, modes: vec![Mode::Code { braces: 0 }] }
    }

    /// A scanner at the beginning of a template file's text.
    pub fn of_template(text: &'a str) -> Self {
        Self { text, position: 0, modes: vec![Mode::Text] }
    }

    /// Whether the text so far ends inside a heredoc.
    pub fn in_heredoc(&self) -> bool {
        matches!(self.modes.last(), Some(Mode::Heredoc { .. }))
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.position..).unwrap_or_default()
    }

    fn take(&mut self, kind: Kind, length: usize) -> Token {
        let start = self.position;
        self.position = (start + length).min(self.text.len());
        Token { kind, start, end: self.position }
    }

    fn open_sequence(&mut self) -> Option<Token> {
        let rest = self.rest();
        let kind = match rest {
            [b'$', b'{', ..] => Kind::OpenInterpolation,
            [b'%', b'{', ..] => Kind::OpenDirective,
            _ => return None,
        };
        let length = if rest.get(2) == Some(&b'~') { 3 } else { 2 };
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.last_mut() {
            *line_start = false;
        }
        self.modes.push(Mode::Code { braces: 0 });
        Some(self.take(kind, length))
    }

    fn quoted(&mut self) -> Token {
        if let Some(token) = self.open_sequence() {
            return token;
        }
        let rest = self.rest();
        if rest.first() == Some(&b'"') {
            self.modes.pop();
            return self.take(Kind::CloseQuote, 1);
        }
        let line_ends = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if line_ends > 0 {
            return self.take(Kind::QuotedNewline, line_ends);
        }
        let mut length = 0;
        while let Some(byte) = rest.get(length) {
            length += match byte {
                b'"' | b'\r' | b'\n' => break,
                b'\\' if !matches!(rest.get(length + 1), None | Some(b'\r' | b'\n')) => 2,
                b'$' | b'%' => match &rest[length..] {
                    [_, b'{', ..] => break,
                    [a, b, b'{', ..] if a == b => 3,
                    _ => 1,
                },
                _ => 1,
            };
        }
        // An escape before a character of several bytes stops inside it.
        while !self.text.is_char_boundary((self.position + length).min(self.text.len())) {
            length += 1;
        }
        self.take(Kind::QuotedText, length)
    }

    fn heredoc(&mut self, marker: (usize, usize), line_start: bool) -> Token {
        if let Some(token) = self.open_sequence() {
            return token;
        }
        let rest = self.rest();
        let mut length = 0;
        let mut ends_line = false;
        while let Some(byte) = rest.get(length) {
            length += match byte {
                b'\n' => {
                    ends_line = true;
                    length += 1;
                    break;
                }
                b'$' | b'%' => match &rest[length..] {
                    [_, b'{', ..] => break,
                    [a, b, b'{', ..] if a == b => 3,
                    _ => 1,
                },
                _ => 1,
            };
        }
        if ends_line && line_start {
            let line = self.text.get(self.position..self.position + length).unwrap_or("");
            let closing = self.text.get(marker.0..marker.1).unwrap_or("");
            if line.trim() == closing {
                self.modes.pop();
                let line_end = if line.ends_with("\r\n") { 2 } else { 1 };
                return self.take(Kind::CloseHeredoc, length - line_end);
            }
        }
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.last_mut() {
            *line_start = ends_line;
        }
        self.take(Kind::HeredocText, length)
    }

    fn code(&mut self, braces: usize) -> Option<Token> {
        let blanks = self.rest().iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.position += blanks;
        let rest = self.rest();
        let in_sequence = self.modes.len() > 1;
        let (kind, length) = match rest {
            [] => return None,
            [b'\r', b'\n', ..] => (Kind::Newline, 2),
            [b'\n', ..] => (Kind::Newline, 1),
            [b'#', ..] | [b'/', b'/', ..] => (Kind::LineComment, line_length(rest)),
            [b'/', b'*', ..] => {
                (Kind::BlockComment, find(&rest[2..], b"*/").map_or(rest.len(), |found| found + 4))
            }
            [b'0'..=b'9', ..] => (Kind::Number, number_length(rest)),
            [b'.', b'.', b'.', ..] => (Kind::Ellipsis, 3),
            [b'.', ..] => (Kind::Dot, 1),
            [b',', ..] => (Kind::Comma, 1),
            [b':', b':', ..] => (Kind::DoubleColon, 2),
            [b':', ..] => (Kind::Colon, 1),
            [b'?', ..] => (Kind::Question, 1),
            [b'=', b'>', ..] => (Kind::Arrow, 2),
            [b'=' | b'!' | b'<' | b'>', b'=', ..] | [b'&', b'&', ..] | [b'|', b'|', ..] => {
                (Kind::Operator, 2)
            }
            [b'=', ..] => (Kind::Assign, 1),
            [b'<', b'<', ..] => match heredoc_introducer(rest) {
                Some((name, length)) => {
                    let start = self.position + name.0;
                    let marker = (start, self.position + name.1);
                    self.modes.push(Mode::Heredoc { marker, line_start: true });
                    (Kind::OpenHeredoc, length)
                }
                None => (Kind::Operator, 1),
            },
            [b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'<' | b'>', ..] => (Kind::Operator, 1),
            [b'[', ..] => (Kind::OpenBracket, 1),
            [b']', ..] => (Kind::CloseBracket, 1),
            [b'(', ..] => (Kind::OpenParenthesis, 1),
            [b')', ..] => (Kind::CloseParenthesis, 1),
            [b'"', ..] => {
                self.modes.push(Mode::Quote);
                (Kind::OpenQuote, 1)
            }
            [b'{', ..] => {
                self.count_braces(braces + 1);
                (Kind::OpenBrace, 1)
            }
            [b'~', b'}', ..] | [b'}', ..] => {
                let length = if rest[0] == b'~' { 2 } else { 1 };
                if in_sequence && braces == 0 {
                    self.modes.pop();
                    (Kind::CloseSequence, length)
                } else {
                    self.count_braces(braces.saturating_sub(1));
                    (Kind::CloseBrace, length)
                }
            }
            [byte, ..] if is_identifier(*byte) => {
                let more = |b: &&u8| is_identifier(**b) || matches!(**b, b'-' | b'0'..=b'9');
                (Kind::Identifier, rest.iter().take_while(more).count())
            }
            _ => (Kind::Invalid, 1),
        };
        Some(self.take(kind, length))
    }

    fn count_braces(&mut self, now: usize) {
        if let Some(Mode::Code { braces }) = self.modes.last_mut() {
            *braces = now;
        }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if self.position >= self.text.len() {
            return None;
        }
        match *self.modes.last()? {
            Mode::Code { braces } => self.code(braces),
            Mode::Quote => Some(self.quoted()),
            Mode::Text => Some(self.heredoc((0, 0), false)),
            Mode::Heredoc { marker, line_start } => Some(self.heredoc(marker, line_start)),
        }
    }
}

/// Letters, `_`, and everything beyond ASCII: which of those may stand in a name is the parser's to say.
fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn line_length(rest: &[u8]) -> usize {
    let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    if length > 0 && rest.get(length - 1) == Some(&b'\r') { length - 1 } else { length }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// HCL takes digits, points and exponents together, also where they make no number (`10.0.0.0`).
fn number_length(rest: &[u8]) -> usize {
    let mut length = 0;
    loop {
        length += match &rest[length..] {
            [b'0'..=b'9' | b'.', ..] => 1,
            [b'e' | b'E', b'0'..=b'9', ..] => 2,
            [b'e' | b'E', b'+' | b'-', b'0'..=b'9', ..] => 3,
            _ => break,
        };
    }
    let points = rest[..length].iter().rev().take_while(|b| **b == b'.').count();
    length - points
}

/// The range of the name and the length with the line end, of `<<NAME⏎`.
fn heredoc_introducer(rest: &[u8]) -> Option<((usize, usize), usize)> {
    let start = if rest.get(2) == Some(&b'-') { 3 } else { 2 };
    if !is_identifier(*rest.get(start)?) {
        return None;
    }
    let name =
        rest[start..].iter().take_while(|b| is_identifier(**b) || matches!(**b, b'-' | b'0'..=b'9')).count();
    let end = start + name;
    match &rest[end..] {
        [b'\n', ..] => Some(((start, end), end + 1)),
        [b'\r', b'\n', ..] => Some(((start, end), end + 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        Scanner::new(text).map(|token| (token.kind, &text[token.start..token.end])).collect()
    }

    #[test]
    fn templates_nest_in_strings() {
        use Kind::*;
        let found: Vec<Kind> = kinds(r#""a${ { b = "}" } }c""#).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(
            found,
            [
                OpenQuote,
                QuotedText,
                OpenInterpolation,
                OpenBrace,
                Identifier,
                Assign,
                OpenQuote,
                QuotedText,
                CloseQuote,
                CloseBrace,
                CloseSequence,
                QuotedText,
                CloseQuote
            ]
        );
    }

    #[test]
    fn a_heredoc_ends_only_at_its_name_alone_on_a_line() {
        let found = kinds("<<-EOT\n  EOT x\n ${\"EOT\"}\n\tEOT\nz");
        assert_eq!(found.first(), Some(&(Kind::OpenHeredoc, "<<-EOT\n")));
        assert!(found.contains(&(Kind::HeredocText, "  EOT x\n")));
        assert!(found.contains(&(Kind::CloseHeredoc, "\tEOT")));
        assert_eq!(found.last(), Some(&(Kind::Identifier, "z")));
    }

    #[test]
    fn escaped_sequences_are_text() {
        assert_eq!(kinds(r#""$${a} %%{b} \" é""#).len(), 3);
    }

    #[test]
    fn points_belong_to_numbers_except_at_their_end() {
        assert_eq!(kinds("10.0.0.0/8")[0], (Kind::Number, "10.0.0.0"));
        assert_eq!(kinds("[1...]")[1..3], [(Kind::Number, "1"), (Kind::Ellipsis, "...")]);
        assert_eq!(kinds("1e5 1e")[0], (Kind::Number, "1e5"));
    }

    #[test]
    fn a_line_end_in_a_string_is_seen() {
        assert!(kinds("a = \"b\n\"").contains(&(Kind::QuotedNewline, "\n")));
    }
}
