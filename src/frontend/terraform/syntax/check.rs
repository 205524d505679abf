//! What HashiCorp's parser refuses and `hcl-edit` accepts.

use std::ops::Range;

use super::front::Scope;
use super::scan::{Kind, Scanner, Token};

/// Something that Terraform refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    /// Bytes of the text.
    pub start: usize,
    pub end: usize,
    pub message: &'static str,
    /// The rest of the text cannot be trusted: a quote or a name is probably missing.
    pub misleading: bool,
}

/// An open bracket, and whether line ends count inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub token: Token,
    pub newlines_count: bool,
    /// A brace that opens an object, not a block.
    object: bool,
    /// Commas and line ends directly inside.
    separators: usize,
}

impl Open {
    fn new(token: Token, newlines_count: bool) -> Self {
        Self { token, newlines_count, object: false, separators: 0 }
    }
}

/// Follows brackets through the tokens of a text.
#[derive(Default)]
pub(super) struct Brackets {
    /// Line ends mean nothing outside of brackets either: the text is one expression.
    one_expression: bool,
    open: Vec<Open>,
    /// The last token that is not a line end or a comment.
    before: Option<Token>,
}

impl Brackets {
    /// How many brackets without their closing ones a closing bracket may end.
    const REACH: usize = 64;

    /// Brackets of a text that is one expression, over as many lines as it likes.
    pub fn of_expression() -> Self {
        Self { one_expression: true, ..Self::default() }
    }

    /// The brackets that are open, the outermost first.
    pub fn open(&self) -> &[Open] {
        &self.open
    }

    /// Takes note of the next token; returns the bracket that it closes.
    pub fn follow(&mut self, text: &str, token: Token) -> Option<Open> {
        let mut closed = None;
        match token.kind {
            Kind::Newline | Kind::LineComment | Kind::BlockComment => {
                if token.kind == Kind::Newline {
                    self.count_separator();
                }
                return None;
            }
            Kind::Comma => self.count_separator(),
            Kind::OpenBrace => {
                let block = self
                    .before
                    .is_none_or(|before| matches!(before.kind, Kind::Identifier | Kind::CloseQuote));
                self.open.push(Open { object: !block, ..Open::new(token, true) });
            }
            Kind::OpenBracket | Kind::OpenParenthesis | Kind::OpenInterpolation | Kind::OpenDirective => {
                self.open.push(Open::new(token, false));
            }
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParenthesis | Kind::CloseSequence => {
                closed = self.close(token.kind);
            }
            // `{ for …` is one expression, over as many lines as it likes.
            Kind::Identifier if text.get(token.start..token.end) == Some("for") => {
                let opened = self.before.is_some_and(|before| before.kind == Kind::OpenBrace);
                if opened
                    && let Some(open) = self.open.last_mut()
                    && introduces_for(&text[token.end..])
                {
                    open.newlines_count = false;
                    open.object = false;
                }
            }
            _ => {}
        }
        self.before = Some(token);
        closed
    }

    fn count_separator(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.separators += 1;
        }
    }

    fn close(&mut self, kind: Kind) -> Option<Open> {
        let opposite = |open: Kind| match kind {
            Kind::CloseBrace => open == Kind::OpenBrace,
            Kind::CloseBracket => open == Kind::OpenBracket,
            Kind::CloseParenthesis => open == Kind::OpenParenthesis,
            _ => matches!(open, Kind::OpenInterpolation | Kind::OpenDirective),
        };
        // A bracket that closes nothing near is passed over: looking through all would cost quadratic time.
        let near = self.open.len().saturating_sub(Self::REACH);
        let index = near + self.open[near..].iter().rposition(|open| opposite(open.token.kind))?;
        let closed = self.open.get(index).copied();
        self.open.truncate(index);
        closed
    }

    /// The innermost open bracket.
    pub fn innermost(&self) -> Option<Open> {
        self.open.last().copied()
    }

    /// Whether a line end means something here.
    pub fn newlines_count(&self) -> bool {
        self.innermost().map_or(!self.one_expression, |open| open.newlines_count)
    }

    /// The last token that is not a line end or a comment.
    pub fn before(&self) -> Option<Token> {
        self.before
    }

    /// How many brackets are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }
}

/// Whether a name follows, as after the keyword `for` and not after an argument of that name.
fn introduces_for(rest: &str) -> bool {
    Scanner::new(rest)
        .find(|token| !matches!(token.kind, Kind::Newline | Kind::LineComment | Kind::BlockComment))
        .is_some_and(|token| token.kind == Kind::Identifier)
}

/// What a look at the tokens of a text finds.
#[derive(Default, Debug)]
pub(super) struct Findings {
    /// What Terraform refuses although it parses here, in order.
    pub refusals: Vec<Refusal>,
    /// Heredocs without a line, which `hcl-edit` reads on to the next line with their name.
    pub empty_heredocs: Vec<Range<usize>>,
    /// Objects with so many items that `hcl-edit`, which compares each key with all before it, would take too long.
    pub large_objects: Vec<Range<usize>>,
    /// There are heredocs that `hcl-edit` ends elsewhere than HCL does.
    pub ambiguous_heredocs: bool,
}

/// Looks at the tokens of a text.
pub(super) fn check(text: &str, scope: Scope) -> Findings {
    let mut findings = Findings::default();
    let mut brackets = scope.brackets();
    let mut scanner = scope.scanner(text);
    let mut heredocs: Vec<Token> = Vec::new();
    let mut for_in_tuple = false;
    let mut splat = Splat::default();
    let mut last = None;
    for token in scanner.by_ref() {
        let source = &text[token.start..token.end];
        let mut refuse = |message, misleading| {
            findings.refusals.push(Refusal { start: token.start, end: token.end, message, misleading });
        };
        let after_point = brackets.before().is_some_and(|before| before.kind == Kind::Dot);
        match token.kind {
            Kind::QuotedNewline => refuse("a quoted string may not run over several lines", true),
            Kind::Newline | Kind::LineComment if after_point && brackets.newlines_count() => {
                refuse("an attribute name is missing after the point", true);
            }
            Kind::Number if after_point && source.contains('.') => {
                refuse("two indexes may not be chained with points; write `[0][1]`", false);
            }
            Kind::Number if source.bytes().filter(|b| *b == b'.').count() > 1 => {
                refuse("this is not a number; an address needs quotes", false);
            }
            Kind::Operator if splat.is_second(token, source, after_point) => {
                refuse("`.*` may not follow another one; write `[*]`", false);
            }
            Kind::OpenHeredoc => heredocs.push(token),
            Kind::HeredocText => {
                let name = heredocs.last().map_or("", |open| heredoc_name(text, *open));
                let starts_line = token.start == 0 || text.as_bytes().get(token.start - 1) == Some(&b'\n');
                findings.ambiguous_heredocs |=
                    !name.is_empty() && starts_line && source.trim_start().starts_with(name);
            }
            Kind::CloseHeredoc => {
                if let Some(open) = heredocs.pop()
                    && last == Some(Kind::OpenHeredoc)
                {
                    findings.empty_heredocs.push(open.start..token.end);
                }
                let blank = source.trim();
                let plain = source.trim_matches([' ', '\t']) == blank;
                findings.ambiguous_heredocs |= !plain;
            }
            _ => {}
        }
        splat.follow(token, after_point);
        last = Some(token.kind);
        if !matches!(token.kind, Kind::Newline | Kind::LineComment | Kind::BlockComment) {
            if for_in_tuple && token.kind != Kind::Identifier {
                let message = "`for` must be followed by a variable's name";
                let (start, end) = (token.start, token.end);
                findings.refusals.push(Refusal { start, end, message, misleading: false });
            }
            for_in_tuple = token.kind == Kind::Identifier
                && source == "for"
                && brackets.before().is_some_and(|before| before.kind == Kind::OpenBracket)
                && brackets.innermost().is_some_and(|open| open.token.kind == Kind::OpenBracket);
        }
        if let Some(open) = brackets.follow(text, token)
            && open.object
            && open.separators > LARGE_OBJECT
        {
            let range = open.token.start..token.end;
            findings.large_objects.retain(|inner| inner.start < range.start);
            findings.large_objects.push(range);
        }
    }
    if scanner.in_heredoc()
        && let Some(open) = heredocs.pop()
    {
        findings.refusals.push(Refusal {
            start: open.start,
            end: open.end,
            message: "the end of this heredoc is missing; its name must stand alone on a line",
            misleading: true,
        });
    }
    findings
}

/// Items of an object beyond which it is read in parts, and of one part.
const LARGE_OBJECT: usize = 4_000;
const OBJECT_PART: usize = 1_000;

/// Divides the text of a large object at commas and line ends: from one byte before the items of each part to one byte
/// after them. Those two bytes separate items, and may be overwritten with braces.
pub(super) fn object_parts(text: &str) -> Option<Vec<Range<usize>>> {
    let mut brackets = Brackets::default();
    let (mut parts, mut start, mut separators) = (Vec::new(), 0, 0);
    let mut last = Kind::Newline;
    let mut end = 0;
    for token in Scanner::new(text) {
        let separates = matches!(token.kind, Kind::Comma | Kind::Newline)
            && brackets.depth() == 1
            && brackets.newlines_count();
        separators += usize::from(separates);
        // A brace in the place of the line end after a comment would be part of the comment.
        if separates && last != Kind::LineComment && separators >= (parts.len() + 1) * OBJECT_PART {
            parts.push(start..token.start + 1);
            start = token.end - 1;
        }
        last = token.kind;
        end = token.end;
        brackets.follow(text, token);
    }
    parts.push(start..end);
    (text.starts_with('{') && separators > LARGE_OBJECT && end == text.len()).then_some(parts)
}

/// The name that a heredoc's opening token introduces.
pub(super) fn heredoc_name(text: &str, open: Token) -> &str {
    let introducer = text.get(open.start..open.end).unwrap_or("");
    introducer.trim_start_matches('<').trim_start_matches('-').trim_end()
}

/// Follows `.*` through the attributes after it.
#[derive(Default)]
struct Splat {
    active: bool,
}

impl Splat {
    fn is_second(&self, token: Token, source: &str, after_point: bool) -> bool {
        self.active && token.kind == Kind::Operator && source == "*" && after_point
    }

    fn follow(&mut self, token: Token, after_point: bool) {
        self.active = match token.kind {
            Kind::Operator => after_point,
            Kind::Dot => self.active,
            Kind::Identifier | Kind::Number => self.active && after_point,
            _ => false,
        };
    }
}
