//! Whatever the text: no panic, an answer in reasonable time, and spans inside the text.

use proptest::prelude::*;

use super::*;
use crate::source::{FileId, Span};

const SEED: &str = "\u{feff}# comment\nresource \"azurerm_subnet\" \"a\" {\n  name = \"x-${var.é[0].id}\"\n  p = { for k, v in m :\n    k => v... if v != 1 &&\n    true }\n  t = <<-EOT\n    a ${b ~}\n    %{ if c }x%{ else }y%{ endif }\n  EOT\n  d = [1, -2.5e3, f(a, b...)]\n  dynamic \"s\" {\n    for_each = a ? b : c.*.d\n    content {}\n  }\n}\r\nlocals { x = a[*].b }\n";
const JSON: &str = "{\"resource\": {\"a\": {\"b\": {\"x\": \"\\u00e9${f(\\\"k\\\")}%{ if a }\\n%{ endif }\", \"dynamic\": {\"r\": [{\"content\": {}}]}}}}, \"locals\": [{\"y\": [1, null, true]}], \"//\": 0}";

struct Checker {
    length: usize,
    at_boundary: Vec<bool>,
}

impl Checker {
    fn new(text: &str) -> Self {
        Self {
            length: text.len(),
            at_boundary: (0..=text.len()).map(|at| text.is_char_boundary(at)).collect(),
        }
    }

    fn span(&self, span: Span) {
        let (start, end) = (span.start as usize, span.end as usize);
        assert!(start <= end && end <= self.length, "{span:?} leaves a text of {} bytes", self.length);
        assert!(self.at_boundary[start] && self.at_boundary[end], "{span:?} divides a character");
    }

    fn body(&self, body: &ast::Body) {
        self.span(body.span);
        for attribute in &body.attributes {
            self.span(attribute.span);
            self.span(attribute.name_span);
            self.expression(&attribute.value);
        }
        for block in &body.blocks {
            self.span(block.span);
            self.span(block.header);
            block.labels.iter().for_each(|label| self.span(label.span));
            self.body(&block.body);
        }
    }

    fn expression(&self, expression: &ast::Expression) {
        self.span(expression.span);
        use ast::ExpressionKind as Kind;
        match &expression.kind {
            Kind::Template(template) => self.template(template),
            Kind::Tuple(elements) => elements.iter().for_each(|element| self.expression(element)),
            Kind::Object(items) => items.iter().for_each(|item| {
                self.span(item.span);
                self.expression(&item.value);
                match &item.key {
                    ast::ObjectKey::Name(_, span) => self.span(*span),
                    ast::ObjectKey::Expression(key) => self.expression(key),
                }
            }),
            Kind::Traversal(traversal) => {
                self.expression(&traversal.base);
                for step in &traversal.steps {
                    self.span(step.span);
                    if let ast::TraversalStepKind::Index(index) = &step.kind {
                        self.expression(index);
                    }
                }
            }
            Kind::Call(call) => {
                self.span(call.name_span);
                call.arguments.iter().for_each(|argument| self.expression(argument));
            }
            Kind::Unary(_, operand) => self.expression(operand),
            Kind::Binary(_, operands) => {
                self.expression(&operands.0);
                self.expression(&operands.1);
            }
            Kind::Conditional(parts) => {
                self.expression(&parts.0);
                self.expression(&parts.1);
                self.expression(&parts.2);
            }
            Kind::For(from) => {
                self.expression(&from.collection);
                self.expression(&from.value);
                from.key.iter().chain(&from.condition).for_each(|part| self.expression(part));
            }
            Kind::Parenthesis(inner) => self.expression(inner),
            _ => {}
        }
    }

    fn template(&self, template: &ast::Template) {
        for part in &template.parts {
            match part {
                ast::TemplatePart::Literal(_, span) => self.span(*span),
                ast::TemplatePart::Interpolation(inner) => self.expression(inner),
                ast::TemplatePart::If(from) => {
                    self.expression(&from.condition);
                    self.template(&from.then);
                    self.template(&from.otherwise);
                }
                ast::TemplatePart::For(from) => {
                    self.expression(&from.collection);
                    self.template(&from.body);
                }
            }
        }
    }
}

fn check(text: &str) {
    let checker = Checker::new(text);
    let source = file(text);
    for parsed in [parse_hcl(&source), parse_json(&source), parse_json_values(&source)] {
        checker.body(&parsed.body);
        parsed.diagnostics.iter().for_each(|diagnostic| checker.span(diagnostic.span));
    }
    for read in [parse_expression(text, FileId(1), 0), parse_template(text, FileId(1), 0)] {
        match read {
            Ok(expression) => checker.expression(&expression),
            Err(diagnostic) => checker.span(diagnostic.span),
        }
    }
    comments(text, FileId(1)).iter().for_each(|comment| checker.span(comment.span));
}

/// A place in a text: a share of its length, moved to a character boundary.
fn place(text: &str, share: f64) -> usize {
    let mut at = (text.len() as f64 * share) as usize;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn damage() -> impl Strategy<Value = Vec<(f64, f64, &'static str)>> {
    let pieces = [
        "", "", "{", "}", "\"", "${", "%{", "~}", "<<EOT\n", "<<-E\r\n", "\n", "\r", "[", ")", "for ", "=",
        "\\", "é", "/*", "#", "\u{feff}", "...", ".", "::", "?", ",", "\0", "\\u12", "a = 1\n", "\\ud83d",
        "EOT\n",
    ];
    proptest::collection::vec((0.0..1.0, 0.0..0.1, proptest::sample::select(pieces.to_vec())), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_read(json in any::<bool>(), damage in damage()) {
        let mut text = if json { JSON.to_string() } else { SEED.to_string() };
        for (share, length, piece) in damage {
            let start = place(&text, share);
            let end = place(&text, (share + length).min(1.0)).max(start);
            text.replace_range(start..end, piece);
        }
        check(&text);
    }

    #[test]
    fn any_text_is_read(text in "[a-c{}\\[\\]()\"$%~<>=.,:?!&|#/*\\\\\\n\\r \\-0-9é\u{feff}]{0,80}") {
        check(&text);
    }
}

#[test]
fn hostile_repetition_is_read() {
    for piece in [
        "{",
        "[",
        "(",
        "\"",
        "${",
        "\"${",
        "a {\n",
        "<<A\n",
        "}",
        "]",
        "!",
        "-",
        "a.",
        "a[",
        "f(",
        "{a=",
        "[for x in ",
        "%{ if a }",
        "\"%{ if ",
        "a ? ",
        "/*",
        "/* ",
        "a = <<A\n${<<B\n",
        "a \"b\" {\n x = \n}\n",
        "\n",
        "resource ",
        "{\"a\":",
    ] {
        check(&piece.repeat(3_000));
    }
}

#[test]
fn one_character_alone_is_read() {
    (0..=0x2ff).filter_map(char::from_u32).for_each(|character| check(&character.to_string()));
}
