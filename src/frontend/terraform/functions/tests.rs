//! Functions called directly, with values of which parts are not known.

use std::path::Path;

use super::{FunctionContext, call, is_function, table};
use crate::frontend::Sandbox;
use crate::frontend::terraform::types::type_of;
use crate::frontend::terraform::{Options, evaluate_expression};
use crate::source::{SourceMap, Span};
use crate::value::{Cause, Entry, MappingKind, Number, SequenceKind, TemplatePart, Value, ValueKind};

fn run(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let sources = SourceMap::new();
    let context = FunctionContext {
        root_directory: Path::new("."),
        sandbox: &Sandbox::new([]),
        sources: &sources,
        render_template: &|_, _| Err("no templates here".to_string()),
    };
    call(name, arguments, &context, Span::NOWHERE)
}

fn text(text: &str) -> Value {
    Value::string(text, Span::NOWHERE)
}

fn number(text: &str) -> Value {
    Value::number(Number::parse(text).unwrap(), Span::NOWHERE)
}

fn tuple<const N: usize>(items: [Value; N]) -> Value {
    Value::sequence(SequenceKind::Tuple, items.into(), Span::NOWHERE)
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.map(|(key, value)| (key.into(), Entry { span: Span::NOWHERE, value }));
    Value::mapping(MappingKind::Object, entries, Span::NOWHERE)
}

fn variable(name: &str) -> Value {
    Value::unknown(Cause::Input(format!("var.{name}").into()), Span::NOWHERE)
}

/// A value as these tests write it: `?` for what is not known, `…` after an element that stands for zero or more.
pub(super) fn show(value: &Value) -> String {
    let repeated = if value.repeated { "…" } else { "" };
    let shown = match &value.kind {
        ValueKind::Null => "null".to_string(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Number(value) => value.to_string(),
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Template(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    TemplatePart::Literal(text) => text.to_string(),
                    TemplatePart::Value(value) => format!("${{{}}}", show(value)),
                })
                .collect();
            format!("\"{}\"", parts.concat())
        }
        ValueKind::Sequence(sequence) => {
            let items: Vec<String> = sequence.items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Mapping(mapping) => {
            let mut entries: Vec<String> =
                mapping.entries.iter().map(|(key, entry)| format!("{key}={}", show(&entry.value))).collect();
            entries.extend(mapping.rest.iter().map(|_| "…".to_string()));
            format!("{{{}}}", entries.join(", "))
        }
        ValueKind::Reference(_) | ValueKind::Unknown(_) => "?".to_string(),
    };
    format!("{shown}{repeated}")
}

#[track_caller]
fn gives(name: &str, arguments: &[Value], want: &str) {
    let got = run(name, arguments).map_or_else(|problem| format!("error: {problem}"), |value| show(&value));
    assert_eq!(got, want, "{name}");
}

#[test]
fn lists_keep_their_known_elements() {
    let u = || variable("u");
    gives("concat", &[tuple([text("a")]), u(), tuple([text("b")])], "[\"a\", ?…, \"b\"]");
    gives("length", &[tuple([text("a"), u()])], "2");
    gives("length", &[run("concat", &[tuple([text("a")]), u()]).unwrap()], "?");
    gives("compact", &[tuple([text("a"), u(), text("")])], "[\"a\", ?…]");
    gives("flatten", &[tuple([tuple([text("a")]), u()])], "[\"a\", ?…]");
    gives("element", &[run("concat", &[tuple([text("a")]), u()]).unwrap(), number("0")], "\"a\"");
    gives("element", &[run("concat", &[tuple([text("a")]), u()]).unwrap(), number("1")], "?");
    gives("reverse", &[tuple([text("a"), u()])], "[?, \"a\"]");
    gives("distinct", &[tuple([text("a"), u(), text("a")])], "[\"a\", ?…]");
    gives("toset", &[tuple([text("b"), u(), text("a"), text("a")])], "[\"a\", \"b\", ?]");
    gives("one", &[run("concat", &[tuple([text("a")]), u()]).unwrap()], "\"a\"");
    gives(
        "slice",
        &[run("concat", &[tuple([text("a")]), u()]).unwrap(), number("0"), number("1")],
        "[\"a\"]",
    );
}

#[test]
fn questions_are_answered_when_the_known_part_decides() {
    let u = || variable("u");
    gives("contains", &[tuple([u(), text("a")]), text("a")], "true");
    gives("contains", &[tuple([u(), text("a")]), text("b")], "?");
    gives("alltrue", &[tuple([u(), text("false")])], "false");
    gives("anytrue", &[tuple([u(), text("true")])], "true");
    gives("anytrue", &[tuple([u(), text("false")])], "?");
    gives("index", &[tuple([text("a"), u()]), text("a")], "0");
    gives("coalesce", &[Value::null(Span::NOWHERE), u()], "?");
    gives("coalesce", &[text("a"), u()], "\"a\"");
    gives("coalesce", &[u(), text("a")], "?");
    let named = run("join", &[text("-"), tuple([text("vnet"), u()])]).unwrap();
    gives("join", &[text("-"), tuple([text("vnet"), u()])], "\"vnet-${?}\"");
    gives("startswith", &[named.clone(), text("vnet-")], "true");
    gives("startswith", &[named.clone(), text("snet-")], "false");
    gives("startswith", &[named.clone(), text("vnet-hub")], "?");
    gives("coalesce", &[named.clone(), text("a")], "\"vnet-${?}\"");
    gives("contains", &[tuple([named]), text("snet-a")], "false");
}

#[test]
fn mappings_keep_their_known_entries() {
    let u = || variable("u");
    gives("merge", &[u(), object([("a", text("x"))])], "{a=\"x\", …}");
    gives("merge", &[object([("a", text("x"))]), u()], "{a=?, …}");
    let merged = run("merge", &[u(), object([("a", text("x"))])]).unwrap();
    gives("lookup", &[merged.clone(), text("a")], "\"x\"");
    gives("lookup", &[merged.clone(), text("b"), text("none")], "?");
    gives("keys", std::slice::from_ref(&merged), "[?…, \"a\", ?…]");
    gives("length", &[merged], "?");
    gives("lookup", &[object([("a", u())]), text("a")], "?");
    gives("zipmap", &[tuple([text("a"), text("b")]), u()], "{a=?, b=?}");
}

#[test]
fn sensitive_marks_go_where_values_go() {
    let secret = text("s").marked(true);
    assert!(run("upper", std::slice::from_ref(&secret)).unwrap().sensitive);
    let list = run("concat", &[tuple([secret.clone()]), tuple([text("a")])]).unwrap();
    assert!(!list.sensitive);
    assert!(run("element", &[list.clone(), number("0")]).unwrap().sensitive);
    assert!(!run("element", &[list.clone(), number("1")]).unwrap().sensitive);
    assert!(run("join", &[text(","), list]).unwrap().sensitive);
    assert!(!run("nonsensitive", &[secret]).unwrap().sensitive);
}

#[test]
fn wrong_calls_are_refused() {
    gives("uper", &[], "error: there is no function named \"uper\"; did you mean \"upper\"?");
    gives("upper", &[], "error: too few arguments: function \"upper\" expects 1, and \"str\" is missing");
    gives("upper", &[text("a"), text("b")], "error: too many arguments: function \"upper\" expects 1");
    gives(
        "upper",
        &[Value::null(Span::NOWHERE)],
        "error: invalid value for \"str\" parameter: argument must not be null",
    );
    gives("upper", &[tuple([])], "error: invalid value for \"str\" parameter: a string is required");
    assert!(is_function("core::upper") && is_function("upper") && !is_function("nope"));
}

#[test]
fn results_beyond_all_reason_are_not_computed() {
    let long = run("range", &[number("1000")]).unwrap();
    gives("setproduct", &[long.clone(), long], "?");
    gives("indent", &[number("1000000000"), text("a\nb")], "?");
    gives(
        "range",
        &[number("1e300")],
        "error: more than 1024 values were generated; either decrease the difference between start and end or use a smaller step",
    );
}

/// The table of what Terraform itself answers: expression, JSON or `!error`, type.
const ANSWERS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/terraform/functions.tsv"));

fn answers() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    ANSWERS.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [expression, value, ty] = columns.as_slice() else { panic!("three columns: {line}") };
        (*expression, *value, *ty)
    })
}

#[test]
fn answers_are_those_of_terraform() {
    let evaluate = |text: &str| {
        evaluate_expression(None, text, &Options::default(), &SourceMap::new())
            .map_err(|problem| problem.message)
    };
    let mut wrong = Vec::new();
    for (expression, wanted, wanted_type) in answers() {
        let got = match evaluate(&format!("jsonencode({expression})")) {
            Ok(value) => value.as_str().map_or_else(|| show(&value), str::to_string),
            Err(_) => "!error".to_string(),
        };
        if got != wanted {
            wrong.push(format!("{expression}\n  wanted {wanted}\n  got    {got}"));
        }
        if let Some(value) = evaluate(expression).ok().filter(|_| !wanted_type.is_empty()) {
            let got = type_of(&value).to_string().replace(' ', "");
            // Values without elements do not say what type those would have.
            if got != wanted_type && !got.contains("any") {
                wrong.push(format!("{expression}\n  wanted type {wanted_type}\n  got         {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_has_a_line_or_a_reason() {
    // What depends on time, chance, keys or files, or on a provider, has no answer that could stand in a table.
    let elsewhere = [
        "base64gzip",
        "bcrypt",
        "file",
        "filebase64sha256",
        "filebase64sha512",
        "filesha1",
        "filesha256",
        "filesha512",
        "plantimestamp",
        "provider::azurerm::normalise_resource_id",
        "provider::azurerm::parse_resource_id",
        "rsadecrypt",
        "sensitive",
        "templatestring",
        "timestamp",
        "uuid",
    ];
    let mut missing: Vec<&str> = table()
        .keys()
        .copied()
        .filter(|name| !elsewhere.contains(name))
        .filter(|name| !answers().any(|(expression, ..)| expression.contains(&format!("{name}("))))
        .collect();
    missing.sort();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn terraforms_functions_are_all_known() {
    // `terraform metadata functions -json` of Terraform 1.11.4, without `can` and `try`, which the evaluator has.
    let names = "abs abspath alltrue anytrue base64decode base64encode base64gzip base64sha256 base64sha512 basename \
        bcrypt ceil chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat \
        contains csvdecode dirname distinct element endswith ephemeralasnull file filebase64 filebase64sha256 \
        filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 flatten floor format formatdate \
        formatlist indent index issensitive join jsondecode jsonencode keys length log lookup lower matchkeys max md5 \
        merge min nonsensitive one parseint pathexpand plantimestamp pow range regex regexall replace reverse \
        rsadecrypt sensitive setintersection setproduct setsubtract setunion sha1 sha256 sha512 signum slice sort \
        split startswith strcontains strrev substr sum templatefile templatestring textdecodebase64 \
        textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber toset tostring transpose trim \
        trimprefix trimspace trimsuffix upper urlencode uuid uuidv5 values yamldecode yamlencode zipmap";
    let unknown: Vec<&str> = names.split_whitespace().filter(|name| !is_function(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// A folder with files, and one beside it that may not be read.
fn with_files(test: impl Fn(&dyn Fn(&str, &[Value]) -> Result<Value, String>, &SourceMap)) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("sub/deep")).unwrap();
    std::fs::write(root.join("net.json"), "{\n  \"cidr\": [\"10.0.0.0/8\"]\n}\n").unwrap();
    std::fs::write(root.join("net.yaml"), "# ü\ncidr:\n  - 10.0.0.0/8\n").unwrap();
    std::fs::write(root.join("sub/a.txt"), "hello").unwrap();
    std::fs::write(root.join("sub/deep/b.txt"), "b").unwrap();
    std::fs::write(root.join("raw.bin"), [0xff, 0xfe]).unwrap();
    std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    let sources = SourceMap::new();
    let sandbox = Sandbox::new([root.clone()]);
    let context = FunctionContext {
        root_directory: &root,
        sandbox: &sandbox,
        sources: &sources,
        render_template: &|text, variables| {
            Ok(Value::string(format!("{text}:{}", show(variables)), Span::NOWHERE))
        },
    };
    test(&|name, arguments| call(name, arguments, &context, Span::NOWHERE), &sources);
}

#[test]
fn files_are_read_inside_the_sandbox_only() {
    with_files(|run, _| {
        let shown = |name: &str, arguments: &[&str]| {
            let arguments: Vec<Value> = arguments.iter().map(|argument| text(argument)).collect();
            run(name, &arguments).map_or_else(|_| "error".to_string(), |value| show(&value))
        };
        assert_eq!(shown("file", &["sub/a.txt"]), "\"hello\"");
        assert_eq!(shown("file", &["./sub/../sub/a.txt"]), "\"hello\"");
        assert_eq!(shown("file", &["nothing.txt"]), "error");
        assert_eq!(shown("file", &["sub"]), "error");
        assert_eq!(shown("file", &["raw.bin"]), "error");
        assert_eq!(shown("file", &["../secret.txt"]), "?");
        assert_eq!(shown("fileexists", &["../secret.txt"]), "?");
        assert_eq!(shown("fileexists", &["sub/a.txt"]), "true");
        assert_eq!(shown("fileexists", &["sub/z.txt"]), "false");
        assert_eq!(shown("filebase64", &["raw.bin"]), "\"//4=\"");
        assert_eq!(shown("filemd5", &["sub/a.txt"]), "\"5d41402abc4b2a76b9719d911017c592\"");
        assert_eq!(shown("filesha256", &["../secret.txt"]), "?");
        assert_eq!(shown("fileset", &[".", "**/*.txt"]), "[\"sub/a.txt\", \"sub/deep/b.txt\"]");
        assert_eq!(shown("fileset", &[".", "*.{json,yaml}"]), "[\"net.json\", \"net.yaml\"]");
        assert_eq!(shown("fileset", &["sub", "*.txt"]), "[\"a.txt\"]");
        assert_eq!(shown("fileset", &["..", "*.txt"]), "?");
        let rendered = run("templatefile", &[text("sub/a.txt"), object([("x", variable("u"))])]).unwrap();
        assert_eq!(show(&rendered), "\"hello:{x=?}\"");
        let rendered = run("templatestring", &[text("t"), object([])]).unwrap();
        assert_eq!(show(&rendered), "\"t:{}\"");
    });
}

#[test]
fn decoded_values_point_into_their_file() {
    with_files(|run, sources| {
        for (file, decode) in [("net.json", "jsondecode"), ("net.yaml", "yamldecode")] {
            let content = run("file", &[text(file)]).unwrap();
            let decoded = run(decode, &[content]).unwrap();
            let item = &decoded.get("cidr").unwrap().as_sequence().unwrap().items[0];
            let source = sources.get(item.span.file).unwrap();
            assert!(source.path().ends_with(file));
            assert_eq!(source.slice(item.span).trim_matches('"'), "10.0.0.0/8", "{file}");
        }
    });
}

#[test]
fn json_with_unknown_parts_goes_there_and_back() {
    let body = object([
        ("id", variable("id")),
        ("name", run("format", &[text("snet-%s"), variable("name")]).unwrap()),
        ("prefixes", tuple([text("10.0.0.0/24"), variable("more")])),
    ]);
    let encoded = run("jsonencode", std::slice::from_ref(&body)).unwrap();
    assert_eq!(
        show(&encoded),
        "\"{\"id\":${?},\"name\":\"snet-${?}\",\"prefixes\":[\"10.0.0.0/24\",${?}]}\""
    );
    let decoded = run("jsondecode", &[encoded]).unwrap();
    assert_eq!(show(&decoded), show(&body));
    gives("jsondecode", &[run("join", &[text(""), tuple([text("{"), variable("u")])]).unwrap()], "?");
}

#[test]
fn formatted_text_keeps_its_known_parts() {
    let u = || variable("u");
    gives("format", &[text("%s-%03d-db"), u(), number("7")], "\"${?}-007-db\"");
    gives("formatlist", &[text("snet-%s"), tuple([text("a"), u()])], "[\"snet-a\", \"snet-${?}\"]");
    gives("formatlist", &[text("snet-%s"), u()], "?");
    gives("split", &[text("/"), run("format", &[text("a/%s/b"), u()]).unwrap()], "[\"a\", ?…, \"b\"]");
    gives("replace", &[run("format", &[text("a-%s-b"), u()]).unwrap(), text("-"), text("_")], "\"a_${?}_b\"");
    gives("lower", &[run("format", &[text("VNET-%s"), u()]).unwrap()], "\"vnet-${?}\"");
    gives("cidrsubnet", &[u(), number("8"), number("1")], "?");
    gives("regex", &[text("a"), u()], "?");
}

#[test]
fn what_depends_on_more_than_the_files_is_unknown() {
    for (name, arguments) in [
        ("timestamp", vec![]),
        ("plantimestamp", vec![]),
        ("uuid", vec![]),
        ("bcrypt", vec![text("x")]),
        ("pathexpand", vec![text("~/x")]),
    ] {
        let value = run(name, &arguments).unwrap();
        let cause = value.first_unknown().unwrap();
        assert!(matches!(cause.cause, Cause::Impure(_)), "{name}");
    }
    for (name, arguments) in [("base64gzip", vec![text("x")]), ("rsadecrypt", vec![text("x"), text("y")])] {
        let cause = run(name, &arguments).unwrap().first_unknown().unwrap();
        assert!(matches!(cause.cause, Cause::Unsupported(_)), "{name}");
    }
}

#[test]
fn azure_ids_come_apart() {
    let id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub/subnets/db";
    gives(
        "provider::azurerm::parse_resource_id",
        &[text(id)],
        "{subscription_id=\"s\", resource_group_name=\"rg\", resource_provider=\"Microsoft.Network\", \
         resource_type=\"subnets\", resource_name=\"db\", \
         full_resource_type=\"Microsoft.Network/virtualNetworks/subnets\", resource_scope=null, \
         parent_resources={virtualNetworks=\"hub\"}}",
    );
    assert!(run("provider::azurerm::parse_resource_id", &[text("db")]).is_err());
}

#[test]
fn hostile_text_is_survived() {
    let deep = "[".repeat(100_000);
    for name in ["jsondecode", "yamldecode"] {
        // A limit or an error, but an answer.
        let _ = run(name, &[text(&deep)]);
    }
    let bomb: String = std::iter::once("a0: &a0 [x]\n".to_string())
        .chain((1..30).map(|n| {
            let before = n - 1;
            format!("a{n}: &a{n} [*a{before}, *a{before}, *a{before}, *a{before}]\n")
        }))
        .collect();
    gives("yamldecode", &[text(&bomb)], "?");
    gives("format", &[text("%1000000000d"), number("1")], "?");
    gives("parseint", &[text(&"9".repeat(100_000)), number("10")], "?");
    let many = Value::sequence(SequenceKind::List, vec![text("x"); 1_000], Span::NOWHERE);
    gives("setproduct", &[many.clone(), many], "?");
    assert!(run("regex", &[text("(a{1000}){1000}"), text("a")]).is_err());
}

#[test]
fn large_collections_take_bearable_time() {
    let many: Vec<Value> = (0..50_000).map(|n| text(&format!("s{n}"))).collect();
    let list = Value::sequence(SequenceKind::List, many, Span::NOWHERE);
    let twice = run("concat", &[list.clone(), list.clone()]).unwrap();
    assert_eq!(run("distinct", &[twice]).unwrap().as_sequence().unwrap().items.len(), 50_000);
    gives("length", &[run("toset", std::slice::from_ref(&list)).unwrap()], "50000");
    gives("setsubtract", &[list.clone(), list], "?");
}
