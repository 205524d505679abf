//! The syntax of `[…]` strings in templates: calls, literals, properties, indexes.

use ecow::EcoString;

use super::ast::{Expression, ExpressionKind};
use crate::source::Span;
use crate::value::Number;

/// How deep calls and brackets may nest.
const MAX_DEPTH: usize = 100;

/// Where the bytes of a decoded string stand in its file.
#[derive(Clone, Debug)]
pub struct Place {
    span: Span,
    /// For each decoded byte, its distance from `span.start`; `None` when that is simply one more than its index.
    offsets: Option<Vec<u32>>,
}

impl Place {
    /// A string literal with quotes at `span`, whose text was `raw` (with the quotes) and means `decoded`.
    pub fn of_literal(span: Span, raw: &str, decoded: &str) -> Self {
        if raw.len() == decoded.len() + 2 {
            return Self { span, offsets: None };
        }
        let mut offsets = Vec::with_capacity(decoded.len());
        let mut raw_at = 1;
        for character in decoded.chars() {
            offsets.extend(std::iter::repeat_n(raw_at as u32, character.len_utf8()));
            let rest = raw.get(raw_at..).unwrap_or("");
            raw_at += match (rest.as_bytes().first(), rest.as_bytes().get(1)) {
                (Some(b'\\'), Some(b'u')) if character.len_utf8() == 4 => 12,
                (Some(b'\\'), Some(b'u')) => 6,
                (Some(b'\\'), _) => 2,
                _ => character.len_utf8(),
            };
        }
        Self { span, offsets: Some(offsets) }
    }

    /// Everything at one span: for text that is in no file.
    pub fn flat(span: Span) -> Self {
        Self { span, offsets: Some(Vec::new()) }
    }

    /// The span of `start..end` of the decoded text.
    pub fn span(&self, start: usize, end: usize) -> Span {
        let offset = |at: usize| match &self.offsets {
            None => Some(at as u32 + 1),
            Some(offsets) => offsets.get(at).copied(),
        };
        let (Some(first), Some(last)) = (offset(start), offset(end.saturating_sub(1).max(start))) else {
            return self.span;
        };
        let start = self.span.start + first;
        Span { file: self.span.file, start, end: (self.span.start + last + 1).max(start).min(self.span.end) }
    }
}

/// Whether Resource Manager takes a string for an expression.
pub fn is_expression(text: &str) -> bool {
    text.len() >= 2 && text.starts_with('[') && text.ends_with(']') && !text.starts_with("[[")
}

/// Reads a string of a template: an expression, an escaped bracket (`[[text]`), or plain text.
///
/// # Errors
/// A sentence without a full stop, and the place, when it looks like an expression and is none.
pub fn parse_string(text: &str, whole: Span, place: &Place) -> Result<Expression, (String, Span)> {
    if !is_expression(text) {
        let literal = if text.starts_with("[[") && text.ends_with(']') { &text[1..] } else { text };
        return Ok(Expression::string(literal, whole));
    }
    // The first and the last byte are the brackets.
    parse_at(&text[..text.len() - 1], 1, place)
}

/// Reads an expression without the surrounding brackets.
///
/// # Errors
/// As [`parse_string`].
pub fn parse_expression(text: &str, place: &Place) -> Result<Expression, (String, Span)> {
    parse_at(text, 0, place)
}

fn parse_at(text: &str, start: usize, place: &Place) -> Result<Expression, (String, Span)> {
    let mut parser = Parser { text, at: start, place, depth: 0 };
    let result = parser.expression().and_then(|expression| {
        parser.skip_space();
        if parser.at < text.len() {
            Err(parser.unexpected("the end of the expression"))
        } else {
            Ok(expression)
        }
    });
    result.map_err(|(message, at)| (message, place.span(at, at + 1)))
}

type Parse<T> = Result<T, (String, usize)>;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    place: &'t Place,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..).and_then(|rest| rest.chars().next())
    }

    fn skip_space(&mut self) {
        while let Some(c) = self.peek().filter(|c| c.is_whitespace()) {
            self.at += c.len_utf8();
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn unexpected(&self, wanted: &str) -> (String, usize) {
        match self.peek() {
            Some(c) => (format!("expected {wanted} in the expression, found `{c}`"), self.at),
            None => (format!("expected {wanted}, but the expression ends"), self.at),
        }
    }

    fn make(&self, kind: ExpressionKind, start: usize) -> Expression {
        Expression::new(kind, self.place.span(start, self.at))
    }

    fn expression(&mut self) -> Parse<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err((format!("the expression is nested deeper than {MAX_DEPTH} levels"), self.at));
        }
        let result = self.postfix();
        self.depth -= 1;
        result
    }

    fn postfix(&mut self) -> Parse<Expression> {
        self.skip_space();
        let start = self.at;
        let mut expression = self.primary()?;
        let mut steps = 0;
        loop {
            self.skip_space();
            steps += 1;
            if steps > MAX_DEPTH {
                return Err((format!("more than {MAX_DEPTH} properties in a row"), self.at));
            }
            if self.eat('.') {
                let safe = self.eat('?');
                self.skip_space();
                let name_start = self.at;
                let name = self.identifier().ok_or_else(|| self.unexpected("a property name"))?;
                let name_span = self.place.span(name_start, self.at);
                let target = Box::new(expression);
                expression = self.make(ExpressionKind::Property { target, name, name_span, safe }, start);
            } else if self.eat('[') {
                let safe = self.eat('?');
                let from_end = self.eat('^');
                let index = Box::new(self.expression()?);
                if !self.eat(']') {
                    return Err(self.unexpected("`]`"));
                }
                let target = Box::new(expression);
                expression = self.make(ExpressionKind::Index { target, index, safe, from_end }, start);
            } else {
                return Ok(expression);
            }
        }
    }

    fn identifier(&mut self) -> Option<EcoString> {
        let rest = self.text.get(self.at..)?;
        let end = rest
            .char_indices()
            .find(|(at, c)| !(c.is_alphanumeric() || matches!(c, '_' | '$') || (*at > 0 && *c == '-')))
            .map_or(rest.len(), |(at, _)| at);
        let name = rest.get(..end).filter(|name| !name.is_empty())?;
        self.at += end;
        Some(name.into())
    }

    fn primary(&mut self) -> Parse<Expression> {
        let start = self.at;
        match self.peek() {
            Some('\'') => self.string(),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+') => self.number(),
            Some(c) if c.is_alphabetic() || matches!(c, '_' | '$') => {
                let mut name_start = start;
                let mut name = self.identifier().ok_or_else(|| self.unexpected("a function"))?;
                let mut namespace = None;
                self.skip_space();
                if self.peek() == Some('.') && !self.text[self.at..].starts_with(".?") {
                    self.at += 1;
                    self.skip_space();
                    name_start = self.at;
                    namespace = Some(name);
                    name = self.identifier().ok_or_else(|| self.unexpected("a function's name"))?;
                }
                let name_span = self.place.span(name_start, self.at);
                if !self.eat('(') {
                    return match (&namespace, name.to_ascii_lowercase().as_str()) {
                        (None, "true") => Ok(self.make(ExpressionKind::Bool(true), start)),
                        (None, "false") => Ok(self.make(ExpressionKind::Bool(false), start)),
                        (None, "null") => Ok(self.make(ExpressionKind::Null, start)),
                        _ => Err((format!("`{name}` is neither a function call nor a literal"), name_start)),
                    };
                }
                let mut arguments = Vec::new();
                if !self.eat(')') {
                    loop {
                        arguments.push(self.expression()?);
                        if self.eat(')') {
                            break;
                        }
                        if !self.eat(',') {
                            return Err(self.unexpected("`,` or `)`"));
                        }
                    }
                }
                let span = self.place.span(start, self.at);
                Ok(call(namespace, name, name_span, arguments, span))
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    fn string(&mut self) -> Parse<Expression> {
        let start = self.at;
        let mut text = EcoString::new();
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).unwrap_or("");
            let Some(end) = rest.find('\'') else {
                return Err(("the string has no closing quote".to_string(), start));
            };
            text.push_str(&rest[..end]);
            self.at += end + 1;
            if !rest[end + 1..].starts_with('\'') {
                return Ok(self.make(ExpressionKind::String(text), start));
            }
            text.push('\'');
            self.at += 1;
        }
    }

    fn number(&mut self) -> Parse<Expression> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or("");
        let end = rest
            .char_indices()
            .find(|(at, c)| {
                let sign = matches!(c, '-' | '+') && (*at == 0 || rest[..*at].ends_with(['e', 'E']));
                !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || sign)
            })
            .map_or(rest.len(), |(at, _)| at);
        self.at += end;
        match Number::parse(&rest[..end]) {
            Some(number) => Ok(self.make(ExpressionKind::Number(number), start)),
            None => Err((format!("`{}` is not a number", &rest[..end]), start)),
        }
    }
}

/// A call, or the construct that the call stands for.
fn call(
    namespace: Option<EcoString>,
    name: EcoString,
    name_span: Span,
    mut arguments: Vec<Expression>,
    span: Span,
) -> Expression {
    if namespace.is_none() {
        let literal = |index: usize| arguments.get(index).and_then(Expression::as_str).map(EcoString::from);
        let kind = match (name.to_ascii_lowercase().as_str(), arguments.len()) {
            ("parameters", 1) => literal(0).map(ExpressionKind::Parameter),
            ("variables", 1) => literal(0).map(ExpressionKind::Variable),
            ("lambdavariables", 1) => literal(0).map(ExpressionKind::Local),
            ("lambda", 1..) => {
                (0..arguments.len() - 1).map(literal).collect::<Option<Vec<_>>>().and_then(|parameters| {
                    let body = Box::new(arguments.pop()?);
                    Some(ExpressionKind::Lambda { parameters, body })
                })
            }
            ("if", 3) => {
                let otherwise = arguments.pop().map(Box::new);
                let then = arguments.pop().map(Box::new);
                let condition = arguments.pop().map(Box::new);
                match (condition, then, otherwise) {
                    (Some(condition), Some(then), Some(otherwise)) => {
                        Some(ExpressionKind::Conditional { condition, then, otherwise })
                    }
                    _ => None,
                }
            }
            ("tryget", 2..) => {
                let mut steps = arguments.drain(..);
                steps.next().map(|first| {
                    let chain = steps.fold(first, |target, index| {
                        let (target, index) = (Box::new(target), Box::new(index));
                        Expression::new(
                            ExpressionKind::Index { target, index, safe: true, from_end: false },
                            span,
                        )
                    });
                    chain.kind
                })
            }
            _ => None,
        };
        if let Some(kind) = kind {
            return Expression::new(kind, span);
        }
    }
    Expression::new(ExpressionKind::Call { namespace, name, name_span, arguments }, span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn parse(text: &str) -> Result<Expression, (String, Span)> {
        let whole = Span::new(FileId(1), 0, text.len() + 2);
        parse_string(text, whole, &Place::of_literal(whole, &format!("\"{text}\""), text))
    }

    #[test]
    fn strings_that_are_no_expressions_are_text() {
        for (text, meaning) in [
            ("plain", "plain"),
            ("[[escaped]", "[escaped]"),
            ("[open", "[open"),
            ("[a] b", "[a] b"),
            ("[", "["),
            ("[[x", "[[x"),
        ] {
            assert_eq!(parse(text).unwrap().as_str(), Some(meaning), "{text}");
        }
    }

    #[test]
    fn literals_inside_expressions_keep_their_place() {
        let expression = parse("[concat('it''s', parameters( 'p' ).x[0])]").unwrap();
        let ExpressionKind::Call { name, arguments, .. } = &expression.kind else { panic!("{expression:?}") };
        assert_eq!(name, "concat");
        assert_eq!(arguments[0].as_str(), Some("it's"));
        // One byte for the JSON quote, one for the bracket, seven for `concat(`.
        assert_eq!((arguments[0].span.start, arguments[0].span.end), (9, 16));
        assert!(matches!(arguments[1].kind, ExpressionKind::Index { .. }));
    }

    #[test]
    fn places_survive_json_escapes() {
        let raw = r#""[concat('a\"b\u00e9', 'c')]""#;
        let decoded = "[concat('a\"b\u{e9}', 'c')]";
        let whole = Span::new(FileId(1), 100, 100 + raw.len());
        let expression = parse_string(decoded, whole, &Place::of_literal(whole, raw, decoded)).unwrap();
        let ExpressionKind::Call { arguments, .. } = &expression.kind else { panic!("{expression:?}") };
        let span = arguments[1].span;
        assert_eq!(&raw[span.start as usize - 100..span.end as usize - 100], "'c'");
    }

    #[test]
    fn broken_expressions_are_errors() {
        for text in ["[concat(]", "[a b]", "[parameters('x]", "[]", "[1 2]", "[x.y]", "[-]", "[f(1,)]"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("[{}1{}]", "f(".repeat(5000), ")".repeat(5000))).is_err());
        assert!(parse(&format!("[f(){}]", ".a".repeat(5000))).is_err());
    }
}
