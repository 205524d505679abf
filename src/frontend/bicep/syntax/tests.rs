//! What the parser accepts, what it makes of it, and how it goes on after errors.

use std::path::Path;

use proptest::prelude::*;

use super::ast::*;
use super::{Parsed, parse};
use crate::source::SourceMap;

fn parsed(text: &str) -> Parsed {
    parse(&SourceMap::new().add(Path::new("main.bicep"), text))
}

fn valid(text: &str) -> Vec<Statement> {
    let parsed = parsed(text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    assert!(parsed.program.statements.iter().all(|statement| !statement.repaired), "{text}");
    parsed.program.statements
}

/// The value of `var x = …`.
fn expression(text: &str) -> Expression {
    match valid(&format!("var x = {text}\n")).remove(0).kind {
        StatementKind::Variable(variable) => variable.value,
        other => panic!("{other:?}"),
    }
}

/// An expression with every grouping made plain.
fn shape(expression: &Expression) -> String {
    match &expression.kind {
        ExpressionKind::Null => "null".into(),
        ExpressionKind::Bool(value) => value.to_string(),
        ExpressionKind::Number(number) => number.to_string(),
        ExpressionKind::String(text) => format!("{text:?}"),
        ExpressionKind::Template(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Literal(text) => format!("{text:?}"),
                    TemplatePart::Expression(expression) => shape(expression),
                })
                .collect();
            format!("template({})", parts.join(" "))
        }
        ExpressionKind::Array(array) => {
            let items: Vec<String> = array
                .items
                .iter()
                .map(|item| match item {
                    ArrayItem::Expression(item) => shape(item),
                    ArrayItem::Spread(item, _) => format!("...{}", shape(item)),
                })
                .collect();
            format!("[{}]", items.join(" "))
        }
        ExpressionKind::Object(object) => object_shape(object),
        ExpressionKind::Variable(name) => name.to_string(),
        ExpressionKind::Access(access) => {
            access.steps.iter().fold(shape(&access.base), |base, step| match &step.kind {
                AccessStepKind::Property { name, safe } => {
                    format!("{base}.{}{}", if *safe { "?" } else { "" }, name.name)
                }
                AccessStepKind::Index { index, safe, from_end } => format!(
                    "{base}[{}{}{}]",
                    if *safe { "?" } else { "" },
                    if *from_end { "^" } else { "" },
                    shape(index)
                ),
                AccessStepKind::Method(call) => format!("{base}.{}", call_shape(call)),
                AccessStepKind::Nested(name) => format!("{base}::{}", name.name),
                AccessStepKind::NonNull => format!("{base}!"),
            })
        }
        ExpressionKind::Call(call) => call_shape(call),
        ExpressionKind::Unary(operator, operand) => format!("({operator:?} {})", shape(operand)),
        ExpressionKind::Binary(chain) => {
            chain.rest.iter().fold(shape(&chain.first), |left, (operator, right)| {
                format!("({left} {operator:?} {})", shape(right))
            })
        }
        ExpressionKind::Conditional(parts) => {
            format!("({} ? {} : {})", shape(&parts.0), shape(&parts.1), shape(&parts.2))
        }
        ExpressionKind::For(repeat) => {
            let index =
                repeat.header.index.as_ref().map_or(String::new(), |index| format!(" {}", index.name));
            let ForHeader { item, collection, .. } = &repeat.header;
            format!("[for {}{index} in {}: {}]", item.name, shape(collection), shape(&repeat.body))
        }
        ExpressionKind::Lambda(lambda) => {
            let names: Vec<&str> = lambda.parameters.iter().map(|name| name.name.as_str()).collect();
            format!("({}) => {}", names.join(" "), shape(&lambda.body))
        }
        ExpressionKind::Parenthesis(inner) => shape(inner),
        ExpressionKind::Invalid => "invalid".into(),
    }
}

fn call_shape(call: &Call) -> String {
    let arguments: Vec<String> = call.arguments.iter().map(shape).collect();
    format!("{}({})", call.name.name, arguments.join(" "))
}

fn object_shape(object: &Object) -> String {
    let members: Vec<String> = object
        .members
        .iter()
        .map(|member| match member {
            ObjectMember::Property(property) => {
                let key = match &property.key {
                    ObjectKey::Name(name) => name.name.to_string(),
                    ObjectKey::Expression(key) => shape(key),
                };
                format!("{key}: {}", shape(&property.value))
            }
            ObjectMember::Spread(value, _) => format!("...{}", shape(value)),
            ObjectMember::Resource(statement) => format!("{:?}", names(std::slice::from_ref(&**statement))),
        })
        .collect();
    format!("{{{}}}", members.join(" "))
}

fn names(statements: &[Statement]) -> Vec<String> {
    statements
        .iter()
        .map(|statement| match &statement.kind {
            StatementKind::Parameter(p) => format!("param {}", p.name.name),
            StatementKind::Variable(v) => format!("var {}", v.name.name),
            StatementKind::Resource(r) => format!("resource {}", r.name.name),
            StatementKind::Module(m) => format!("module {}", m.name.name),
            StatementKind::Output(o) => format!("output {}", o.name.name),
            other => format!("{other:?}").chars().take_while(char::is_ascii_alphanumeric).collect(),
        })
        .collect()
}

#[test]
fn operators_bind_as_documented() {
    for (text, want) in [
        ("1 + 2 * 3 - 4", "((1 Add (2 Multiply 3)) Subtract 4)"),
        ("a ?? b || c && d == e < f", "(a Coalesce (b Or (c And (d Equal (e Less f)))))"),
        ("!a.b && -1 == +c", "((Not a.b) And ((Negate 1) Equal (Plus c)))"),
        ("a =~ b != c !~ d", "(((a EqualIgnoringCase b) NotEqual c) NotEqualIgnoringCase d)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a\n  ? b\n  : c", "(a ? b : c)"),
        ("(1 + 2) * 3", "((1 Add 2) Multiply 3)"),
        ("a >= b ? c[0] : d[?^1].?e!", "((a GreaterOrEqual b) ? c[0] : d[?^1].?e!)"),
    ] {
        assert_eq!(shape(&expression(text)), want, "{text}");
    }
}

#[test]
fn strings_of_every_form() {
    for (text, want) in [
        (r"'it\'s \\ \$ \${x} \u{1F600}\t'", "\"it's \\\\ $ ${x} 😀\\t\""),
        ("'${a}-${b.c}-'", "template(a \"-\" b.c \"-\")"),
        ("'${'nested ${x}'}'", "template(template(\"nested \" x))"),
        ("'${toLower({ a: '}' }.a)}'", "template(toLower({a: \"}\"}.a))"),
        ("'''\nfirst\n  ${not} 'second' '''", "\"first\\n  ${not} 'second' \""),
        ("'''\r\na'''", "\"a\""),
        ("''''quoted''''", "\"'quoted'\""),
        ("$'''\n>${a}<'''", "template(\">\" a \"<\")"),
        ("$$'''${a}$${b}$$$${c}'''", "template(\"${a}\" b \"$$\" c)"),
        ("''", "\"\""),
        (r"'\u{D801}'", "\"\u{FFFD}\""),
    ] {
        assert_eq!(shape(&expression(text)), want, "{text}");
    }
}

#[test]
fn collections_calls_and_lambdas() {
    for (text, want) in [
        ("[\n  1\n  2\n\n  // three\n  3\n]", "[1 2 3]"),
        ("[1, 2, ...rest,]", "[1 2 ...rest]"),
        ("{ a: 1, 'b c': 2, '${d}': 3, ...e }", "{a: 1 \"b c\": 2 template(d): 3 ...e}"),
        ("{\r\n  resource: 1\r\n  if: 2\r\n  null: 3\r\n}", "{resource: 1 if: 2 null: 3}"),
        ("[for (item, i) in range(0, 2): {\n  a: i\n}]", "[for item i in range(0 2): {a: i}]"),
        ("map(a, x => x.b)", "map(a (x) => x.b)"),
        (
            "reduce(\n  a,\n  0,\n  (cur, next) =>\n    cur + next\n)",
            "reduce(a 0 (cur next) => (cur Add next))",
        ),
        ("az.resourceGroup().location", "az.resourceGroup().location"),
        ("vnet::subnet.id", "vnet::subnet.id"),
        ("() => 1", "() => 1"),
    ] {
        assert_eq!(shape(&expression(text)), want, "{text}");
    }
}

#[test]
fn every_declaration() {
    let text = "\u{feff}targetScope = 'subscription'
metadata about = 'x'
extension microsoftGraph as graph
import { a, b as c } from 'shared.bicep'
import * as types from 'types.bicep'
@description('''
 several lines''')
@sys.allowed([
  'a'
  'b'
])
param p string = 'a'
param q resource 'Microsoft.Network/virtualNetworks@2023-04-01'
param r
  | 'A'
  | 'B'
@export()
type t = {
  @minLength(1)
  name: string?
  items: { a: int[], *: bool }[]
  tuple: [
    @description('one')
    string
    'x' | -1
  ]
  derived: resourceInput<'Microsoft.Network/virtualNetworks@2023-04-01'>.properties.*
}?
var v string[] = []
func f(a string, b t.name!) int => length(a)
resource vnet 'Microsoft.Network/virtualNetworks@2023-04-01' existing = {
  name: 'v'
  #disable-next-line BCP001 no-unused // why
  resource subnet 'subnets' = if (p == 'a') {
    name: 's'
  }
}
resource many 'a/b@c' = [for i in range(0, 2): if (i > 0) {
  name: '${i}'
}]
resource cond 'a/b@c' =
if (true) {
}
module m './m.bicep' = [for x in []: {
  name: x
}]
assert ok = true
output o string = vnet.id
output oo resource = vnet";
    let statements = valid(text);
    assert_eq!(
        names(&statements),
        [
            "TargetScope",
            "Metadata",
            "Extension",
            "Import",
            "Import",
            "param p",
            "param q",
            "param r",
            "Type",
            "var v",
            "Function",
            "resource vnet",
            "resource many",
            "resource cond",
            "module m",
            "Assert",
            "output o",
            "output oo"
        ]
    );
    let StatementKind::Resource(vnet) = &statements[11].kind else { panic!() };
    assert!(vnet.existing);
    assert_eq!(object_shape(&vnet.body.object), "{name: \"v\" [\"resource subnet\"]}");
    let StatementKind::Resource(many) = &statements[12].kind else { panic!() };
    assert!(many.body.repeat.is_some() && many.body.condition.is_some());
    let directives = parsed(text).program.directives;
    let codes: Vec<&str> = directives[0].codes.iter().map(|code| code.name.as_str()).collect();
    assert_eq!((directives[0].name.as_str(), codes), ("disable-next-line", vec!["BCP001", "no-unused"]));
}

#[test]
fn parameters_files_assign() {
    let map = SourceMap::new();
    let text = "using 'main.bicep'\nextends 'base.bicepparam'\nparam a = { b: 1 }\nvar x = 1\n";
    let parsed = parse(&map.add(Path::new("main.bicepparam"), text));
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(names(&parsed.program.statements), ["Using", "Extends", "ParameterAssignment", "var x"]);
    let none = parse(&map.add(Path::new("none.bicepparam"), "using none"));
    assert!(matches!(none.program.statements[0].kind, StatementKind::Using(None, None)));
}

#[test]
fn spans_cover_what_they_name() {
    let text = "param a string\r\n\r\n@secure()\r\nresource vnet 'x/y@z' = {\r\n  name: a\r\n}\r\n";
    let map = SourceMap::new();
    let file = map.add(Path::new("main.bicep"), text);
    let statements = parse(&file).program.statements;
    assert_eq!(file.slice(statements[0].span), "param a string");
    assert!(file.slice(statements[1].span).starts_with("@secure()"));
    assert!(file.slice(statements[1].span).ends_with('}'));
    assert_eq!(file.slice(statements[1].header), "resource vnet 'x/y@z'");
}

/// The text of a file, the names that must still be read, and the line of each error.
#[test]
fn errors_are_local() {
    for (text, want, lines) in [
        ("var a = \nvar b = 1\n", vec!["var a", "var b"], vec![1]),
        ("var a = 'open\nvar b = 1\n", vec!["var a", "var b"], vec![1]),
        ("junk here\nmore junk\nvar b = 1\n", vec!["var b"], vec![1]),
        ("resource x 'a/b@c' = {\n  name: \n  ok: 1\n}\nvar b = 1\n", vec!["resource x", "var b"], vec![2]),
        (
            "resource x 'a/b@c' = {\n  tags: {\n    a: 1\n}\nparam p string\nmodule m 'm.bicep' = {\n}\n",
            vec!["resource x", "param p", "module m"],
            vec![1],
        ),
        ("var a = [\n  1\nvar b = 1\n", vec!["var a", "var b"], vec![1]),
        ("var a = '''\nopen\nvar b = 1\n", vec!["var a", "var b"], vec![1, 2]),
        ("var a = 1 /* open\nvar b = 2\n", vec!["var a", "var b"], vec![1]),
        ("param p string =\n@secure()\n", vec!["param p", "Missing"], vec![1, 3]),
        ("var a = \"double\"\nvar b = 1\n", vec!["var a", "var b"], vec![1, 1]),
        ("var a = '${b'\nvar c = 1\n", vec!["var a", "var c"], vec![1]),
        ("var a = 99999999999999999999\nvar c = 1\n", vec!["var a", "var c"], vec![1]),
    ] {
        let map = SourceMap::new();
        let parsed = parse(&map.add(Path::new("main.bicep"), text));
        assert_eq!(names(&parsed.program.statements), want, "{text}");
        let found: Vec<u32> =
            parsed.diagnostics.iter().filter_map(|d| map.position(d.span)).map(|p| p.line).collect();
        let mut deduplicated = found.clone();
        deduplicated.dedup();
        let mut expected = lines.clone();
        expected.dedup();
        assert_eq!(deduplicated, expected, "{text}\n{:?}", parsed.diagnostics);
        // An error outside all declarations makes none of them uncertain.
        let outside = text.starts_with("junk") || text.contains("/*");
        assert_eq!(parsed.program.statements.iter().any(|statement| statement.repaired), !outside, "{text}");
    }
}

#[test]
fn nesting_has_a_limit() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("f(", ")"),
        ("!", ""),
        ("a?b:", ""),
        ("'${", "}'"),
        ("[for a in b:", "]"),
        ("x=>", ""),
        ("a ?? b || c && d == e < f + g * (", ")"),
        ("a[", "]"),
    ] {
        let deep = parsed(&format!("var x = {}1{}\nvar y = 1\n", open.repeat(20_000), close.repeat(20_000)));
        assert!(!deep.diagnostics.is_empty(), "{open}");
        assert_eq!(names(&deep.program.statements), ["var x", "var y"], "{open}");
        let shallow = parsed(&format!("var x = {}1{}\n", open.repeat(10), close.repeat(10)));
        assert_eq!(shallow.diagnostics, [], "{open}");
    }
    let types = parsed(&format!("param p {}string{}\nvar y = 1\n", "(".repeat(20_000), ")".repeat(20_000)));
    assert_eq!(names(&types.program.statements), ["param p", "var y"]);
    let nested = "resource r 'a@b' = {\n".repeat(20_000);
    assert!(!parsed(&nested).diagnostics.is_empty());
    // Long is not deep.
    valid(&format!("var x = 1{}\n", " + 1".repeat(50_000)));
    valid(&format!("var x = a{}\n", ".b[0]".repeat(50_000)));
}

const PIECES: [&str; 44] = [
    "resource",
    "module",
    "param",
    "var",
    "output",
    "type",
    "func",
    "import",
    "existing",
    "if",
    "for",
    "in",
    " ",
    "\n",
    "\r\n",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "'",
    "'''",
    "$'''",
    "${",
    "=>",
    "=",
    ":",
    "::",
    ".",
    ".?",
    "?",
    "??",
    "!",
    "...",
    ",",
    "|",
    "@",
    "//",
    "/*",
    "*/",
    "#disable-next-line",
    "x",
    "1",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the input, parsing ends, and every span lies in the file.
    #[test]
    fn any_tokens(pieces in proptest::collection::vec(0..PIECES.len(), 0..120)) {
        let text: String = pieces.iter().flat_map(|index| [PIECES[*index], " "]).collect();
        let parsed = parsed(&text);
        for statement in &parsed.program.statements {
            prop_assert!(statement.span.end as usize <= text.len() && statement.span.start <= statement.span.end);
        }
        prop_assert!(parsed.diagnostics.len() <= super::MAX_DIAGNOSTICS);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        parsed(&text);
    }
}
