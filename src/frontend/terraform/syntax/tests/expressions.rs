//! Expressions, templates and heredocs.

use super::render;
use super::*;
use crate::source::FileId;

fn read(text: &str) -> String {
    match parse_expression(text, FileId(1), 0) {
        Ok(expression) => render::expression(&expression),
        Err(diagnostic) => format!("{}: {}", diagnostic.code, diagnostic.message),
    }
}

#[track_caller]
fn assert_all(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "{text}");
    }
}

#[test]
fn operators_bind_as_in_hcl() {
    assert_all(&[
        ("1 + 2 * 3", "(+ 1 (* 2 3))"),
        ("1 - 2 - 3", "(- (- 1 2) 3)"),
        ("a || b && c == d < e + f % g", "(|| a (&& b (== c (< d (+ e (% f g))))))"),
        ("!a.b && -c[0] < 1", "(&& (! a.b) (< (- c[0]) 1))"),
        ("a ? b : c ? d : e", "(? a b (? c d e))"),
        ("a ? b ? 1 : 2 : 3", "(? a (? b 1 2) 3)"),
        ("a == b ? 1 : 2", "(? (== a b) 1 2)"),
        ("(a + b) * c", "(* ((+ a b)) c)"),
        ("8 / 4 /* half */ / 2", "(/ (/ 8 4) 2)"),
    ]);
}

#[test]
fn numbers_are_exact() {
    assert_all(&[
        ("18446744073709551616", "18446744073709551616"),
        ("-1", "-1"),
        ("- 1", "-1"),
        ("-/* minus */ 15e-1", "-1.5"),
        ("1e3", "1000"),
        ("0.5", "0.5"),
        ("007", "7"),
    ]);
}

#[test]
fn steps_into_values() {
    assert_all(&[
        ("var.x[\"k\"].y[0]", "var.x[\"k\"].y[0]"),
        ("a.0.b", "a.0.b"),
        ("a.*.id", "a.*.id"),
        ("a[*].b[0]", "a[*].b[0]"),
        ("f(x).y", "f(x).y"),
        ("[1, 2][0]", "[1, 2][0]"),
        ("{ a = 1 }.a", "{a: 1}.a"),
        ("a[\n  b\n]", "a[b]"),
        ("data.azurerm_subnet.a-b.id", "data.azurerm_subnet.a-b.id"),
    ]);
}

#[test]
fn collections_take_every_separator() {
    assert_all(&[
        ("[]", "[]"),
        ("[1, 2,]", "[1, 2]"),
        ("[\n1,\n# two\n2,\n]", "[1, 2]"),
        ("{}", "{}"),
        ("{ a = 1, b : 2 }", "{a: 1, b: 2}"),
        (
            "{\n  a = 1\n  \"b\" = 2 // c\n  (k) = 3\n  a.b = 4\n  5 = 6\n}",
            "{a: 1, (\"b\"): 2, ((k)): 3, (a.b): 4, (5): 6}",
        ),
        ("{ \"a-${b}\" = 1 }", "{((template \"a-\" ${b})): 1}"),
        ("{ null = 1, true = 2 }", "{null: 1, true: 2}"),
        (
            "{ a = 1, a = 2, \"b\" = 3, \"b\" = 4, (c) = 5, (c) = 6 }",
            "{a: 1, a: 2, (\"b\"): 3, (\"b\"): 4, ((c)): 5, ((c)): 6}",
        ),
    ]);
}

#[test]
fn calls() {
    assert_all(&[
        ("f()", "f()"),
        ("f(a, b...)", "f(a, b...)"),
        ("f(\n  a,\n  b,\n)", "f(a, b)"),
        ("provider::azurerm::parse(id)", "provider::azurerm::parse(id)"),
        ("format(\"%s\", x)", "format(\"%s\", x)"),
        ("[format(\"a\")]", "[format(\"a\")]"),
    ]);
}

#[test]
fn for_expressions() {
    assert_all(&[
        ("[for x in y : x]", "(for x in y: x)"),
        ("[for i, x in y : x if x != null]", "(for i,x in y: x if (!= x null))"),
        ("{ for k, v in m : k => v... if v }", "(for k,v in m: k => v... if v)"),
        ("[for\r\n x in y : x]", "(for x in y: x)"),
        ("{for\n x\n in y : # why\n x => a &&\n b\n }", "(for x in y: x => (&& a b))"),
        (
            "[for s in { for k in l : k => [for z in k : z] } : s]",
            "(for s in (for k in l: k => (for z in k: z)): s)",
        ),
        ("[forest, format]", "[forest, format]"),
    ]);
}

#[test]
fn quoted_strings_decode_their_escapes() {
    assert_all(&[
        (r#""""#, r#""""#),
        (r#""a\n\t\"\\""#, r#""a\n\t\"\\""#),
        (r#""\u00e9\U0001F600""#, r#""é😀""#),
        (r#""$${a} %%{b} $a %b $$""#, r#""${a} %{b} $a %b $$""#),
        // Composed and decomposed letters are the same string.
        ("\"e\u{301}\"", "\"é\""),
        (r#""${a}""#, "(template ${a})"),
        (r#""a${b}c""#, r#"(template "a" ${b} "c")"#),
        (r#""$$${a}""#, r#""$${a}""#),
        (r#""${"${a}"}""#, "(template ${(template ${a})})"),
        (r#""${f("x", { a = "}" })}""#, r#"(template ${f("x", {a: "}"})})"#),
    ]);
}

#[test]
fn directives() {
    assert_all(&[
        (r#""%{ if a }x%{ else }y%{ endif }""#, r#"(template (if a "x" else "y"))"#),
        (r#""%{ if a }x\n\"%{ endif }z""#, r#"(template (if a "x\n\"" else) "z")"#),
        (r#""%{ for k, v in m }${k}=${v} %{ endfor }""#, r#"(template (for k,v in m: ${k} "=" ${v} " "))"#),
        ("\"%{ if a ==\n b }x%{ endif }\"", r#"(template (if (== a b) "x" else))"#),
    ]);
}

#[test]
fn strip_markers_reach_to_the_next_token_only() {
    assert_all(&[
        (r#""a  ${~ b ~}  c""#, r#"(template "a" ${b} "c")"#),
        (r#""  ${~ b}""#, r#"(template "" ${b})"#),
        (r#""a %{~ if b ~} c %{~ endif ~} d""#, r#"(template "a" (if b "c" else) "d")"#),
        ("<<T\n$ \n${~ a}\nT\n", "(template \"$ \" ${a} \"\\n\")"),
        // A heredoc's literal ends with each line: the marker takes the one line end and no more.
        ("<<T\na\n\n${~ b ~}\n  c\nT\n", "(template \"a\\n\" ${b} \"  c\\n\")"),
    ]);
}

#[test]
fn heredocs() {
    assert_all(&[
        ("<<T\n  a\n b\nT\n", r#""  a\n b\n""#),
        ("<<T\nT\n", r#""""#),
        ("<<-T\n    a\n      b\n    T\n", r#""a\n  b\n""#),
        ("<<-T\n    a\n\n      b\n  T\n", r#""a\n\n  b\n""#),
        // One line without indentation keeps the others as they are.
        ("<<-T\na:\n    ${b}\n    c\nT\n", r#"(template "a:\n    " ${b} "\n    c\n")"#),
        // What stands before an interpolation is indentation as well.
        ("<<-T\n    ${a}\n  b\nT\n", r#"(template "  " ${a} "\nb\n")"#),
        ("<<-T\n${a}\n  b\nT\n", r#"(template ${a} "\n  b\n")"#),
        ("<<-T\n\ta\n\t\tb\nT\n", r#""a\n\tb\n""#),
        ("<<T\r\na\r\n  T\r\n", r#""a\r\n""#),
        // An empty heredoc before another of the same name.
        ("[<<T\nT\n, <<-T\n  T\n, <<T\na\n\u{a0}T\n]", r#"["", "", "a\n"]"#),
        ("[<<T\na\nT, \"b\"]\nT\n]", r#"["a\nT, \"b\"]\n"]"#),
        // Backslashes are text; doubled markers are not.
        ("<<T\n\\n $${a} %%{b}\nT\n", r#""\\n ${a} %{b}\n""#),
        // A line that only begins with the name does not end it.
        ("<<T\n  T x\n  Ta\nT\n", r#""  T x\n  Ta\n""#),
        ("<<T\n%{ for a in b ~}\nx ${a}\n%{ endfor ~}\nT\n", r#"(template (for a in b: "x " ${a} "\n") "")"#),
    ]);
}

#[test]
fn heredocs_stand_in_calls_and_lists() {
    assert_all(&[
        ("f(<<T\na\nT\n, 1)", r#"f("a\n", 1)"#),
        ("[<<A\na\nA\n, <<B\nb\nB\n]", r#"["a\n", "b\n"]"#),
        ("<<A\n${f(<<B\nb\nB\n)}\nA\n", r#"(template ${f("b\n")} "\n")"#),
    ]);
}

#[test]
fn a_bare_expression_may_span_lines() {
    assert_all(&[("  a\n  + b\n", "(+ a b)"), ("a # why\n? b\n: c", "(? a b c)")]);
}

#[test]
fn template_files() {
    let read = |text: &str| match parse_template(text, FileId(1), 0) {
        Ok(expression) => render::expression(&expression),
        Err(diagnostic) => diagnostic.code.to_string(),
    };
    assert_eq!(read("a \"quoted\" \\n ${b}\n"), r#"(template "a \"quoted\" \\n " ${b} "\n")"#);
    assert_eq!(read(""), r#""""#);
    assert_eq!(read("$"), r#""$""#);
    assert_eq!(read("${a}"), "(template ${a})");
    assert_eq!(read("%{ for x\nin y ~}\n${x}\n%{ endfor }"), r#"(template (for x in y: "" ${x} "\n"))"#);
    assert_eq!(read("${a"), "syntax-error");
    assert_eq!(read("%{ if a }"), "syntax-error");
}

#[test]
fn what_terraform_refuses_is_refused() {
    for text in [
        "1.2.3",
        "10.0.0.0/8",
        "a.0.1",
        "\"a\nb\"",
        "<<T\na\nT",
        "f(<<T\na\nT)",
        "[for, b]",
        "\"\\x\"",
        "a b",
        "",
        "{ a = 1 b = 2 }",
        "[1 2]",
        "(1",
        "'a'",
        "a ? b",
        "{ a }",
        "a;",
        "1 +",
    ] {
        assert!(read(text).starts_with("syntax-error: "), "{text}: {}", read(text));
    }
}

#[test]
fn deep_and_long_expressions_are_read_in_pieces() {
    let brackets = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(read(&brackets), brackets);
    let sum = vec!["a"; 400].join(" + ");
    assert_eq!(read(&sum).matches("(+ ").count(), 399);
    assert!(read(&sum).starts_with("(+ (+ (+ "), "operators associate to the left");
    let mixed = format!("{} || b", vec!["a && b"; 120].join(" == c && "));
    assert!(read(&mixed).starts_with("(|| (&& "));
    let cases = (0..150).map(|n| format!("a == {n} ? {n} : ")).collect::<String>() + "null";
    assert_eq!(read(&cases).matches("(? ").count(), 150);
    assert!(read(&cases).ends_with(&format!("149 null{}", ")".repeat(150))));
    let calls = format!("{}x{}", "f(a, \n".repeat(90), ")".repeat(90));
    assert_eq!(read(&calls), format!("{}x{}", "f(a, ".repeat(90), ")".repeat(90)));
    let objects = format!("{}x{}", "{ a = b[\"${".repeat(40), "}\"] }".repeat(40));
    assert_eq!(read(&objects).matches("{a: b[").count(), 40);
}

#[test]
fn large_objects_are_read_in_parts() {
    let items: String = (0..9_000).map(|n| format!("  k{n} = \"v{n}\" # {n}\n  # more\n")).collect();
    let text = format!("x = [{{\n{items}  k1 = {{ a = <<T\nT\n  }}\n}}]\n");
    let body = healthy(&text);
    let ast::ExpressionKind::Tuple(elements) = &body.attributes[0].value.kind else { panic!("not a tuple") };
    let ast::ExpressionKind::Object(items) = &elements[0].kind else { panic!("not an object") };
    assert_eq!(items.len(), 9_001);
    for (n, item) in items[..9_000].iter().enumerate() {
        let ast::ObjectKey::Name(name, span) = &item.key else { panic!("not a name") };
        assert_eq!(name.as_str(), format!("k{n}"));
        assert_eq!(&text[span.start as usize..span.end as usize], name.as_str());
        assert_eq!(render::expression(&item.value), format!("\"v{n}\""));
    }
    assert_eq!(render::expression(&items[9_000].value), "{a: \"\"}");
    let one_line: String = (0..5_000).map(|n| format!("k{n} : {n}, ")).collect();
    assert_eq!(read(&format!("{{ {one_line} }}")).matches(": ").count(), 5_000);
}

#[test]
fn there_is_a_limit() {
    for text in [
        format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000)),
        vec!["a"; 50_000].join(" + "),
        "a ? b : ".repeat(20_000) + "c",
        "!".repeat(20_000) + "a",
    ] {
        assert!(read(&text).starts_with("limit: "), "{}", read(&text));
    }
}

#[test]
fn spans_name_the_source() {
    let text = "x = foo(\"a${b.c}\", [1, -2])\n";
    let body = healthy(text);
    let attribute = &body.attributes[0];
    let at = |span: crate::source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(attribute.name_span), "x");
    assert_eq!(at(attribute.span), text.trim_end());
    let ast::ExpressionKind::Call(call) = &attribute.value.kind else { panic!("not a call") };
    assert_eq!(at(call.name_span), "foo");
    assert_eq!(at(call.arguments[0].span), "\"a${b.c}\"");
    let ast::ExpressionKind::Template(template) = &call.arguments[0].kind else { panic!("not a template") };
    let [ast::TemplatePart::Literal(_, literal), ast::TemplatePart::Interpolation(inner)] =
        &template.parts[..]
    else {
        panic!("not two parts")
    };
    assert_eq!((at(*literal), at(inner.span)), ("a", "b.c"));
    let ast::ExpressionKind::Traversal(traversal) = &inner.kind else { panic!("not a traversal") };
    assert_eq!(at(traversal.steps[0].span), ".c");
    assert_eq!(at(call.arguments[1].span), "[1, -2]");
}

#[test]
fn spans_hold_in_rewritten_and_folded_text() {
    let text = format!("x = {{ for a in b :\n  a => {}[target]{}\n}}\n", "[".repeat(60), "]".repeat(60));
    let body = healthy(&text);
    fn innermost(from: &ast::Expression) -> &ast::Expression {
        match &from.kind {
            ast::ExpressionKind::For(inner) => innermost(&inner.value),
            ast::ExpressionKind::Tuple(elements) => innermost(&elements[0]),
            _ => from,
        }
    }
    let span = innermost(&body.attributes[0].value).span;
    assert_eq!(&text[span.start as usize..span.end as usize], "target");
}
