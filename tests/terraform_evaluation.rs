//! What Terraform configurations evaluate to: `testdata/terraform/expressions.tsv` and `testdata/terraform/modules/*.md`.
//!
//! A document in `modules` is prose with fenced files (` ```hcl main.tf `) and, behind each set of files, fences that say
//! what must come of them:
//!
//! - ` ```options `: `var name=text`, `env NAME=text`, `var-file path`, `workspace name`.
//! - ` ```resources `: every resource in order, with `?` behind the address when there may be zero or more of it, and below
//!   it, indented, what it must have: `name = value`, `dependencies: a, b`, `provider: x`, `azurerm: 4`, `data`.
//! - ` ```eval `: expressions with their answers, `expression => JSON`.
//! - ` ```diagnostics `: `level code file:line text`, every one (` ...` at the end: any more text).
//!   Without this fence there must be none.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use portolan::frontend::terraform::{
    Options, VariableArgument, answer_json, discover, evaluate_expression, load,
};
use portolan::resource::{Configuration, Mode, Multiplicity, Resource, Schema};
use portolan::source::SourceMap;
use portolan::value::{TemplatePart, Value, ValueKind};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/terraform")
}

#[test]
fn expressions_have_the_values_that_terraform_gives_them() {
    let folder = tempfile::tempdir().unwrap();
    let table = std::fs::read_to_string(testdata().join("expressions.tsv")).unwrap();
    let mut wrong = String::new();
    let mut count = 0;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (expression, expected) = line.rsplit_once('\t').unwrap();
        let sources = SourceMap::new();
        let answer = evaluate_expression(Some(folder.path()), expression, &Options::default(), &sources);
        let answer = answer_json(&answer);
        let good = match expected {
            "error" => answer.get("error").is_some(),
            "sensitive" => answer.get("sensitive").is_some(),
            _ => {
                let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
                match (answer.get("value"), expected.as_f64()) {
                    (Some(value), Some(expected)) => {
                        value.as_f64().is_some_and(|value| (value - expected).abs() <= 1e-12 * expected.abs())
                    }
                    (Some(value), None) => *value == expected,
                    (None, _) => false,
                }
            }
        };
        count += 1;
        if !good {
            writeln!(wrong, "{expression}\n  expected {expected}\n  got      {answer}").unwrap();
        }
    }
    assert!(count > 200, "only {count} expressions");
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A value as the documents write it.
fn show(value: &Value, out: &mut String) {
    if value.repeated {
        out.push('*');
    }
    if value.sensitive {
        out.push_str("(sensitive)");
        return;
    }
    match &value.kind {
        ValueKind::Null => out.push_str("null"),
        ValueKind::Bool(value) => write!(out, "{value}").unwrap(),
        ValueKind::Number(number) => write!(out, "{number}").unwrap(),
        ValueKind::String(text) => write!(out, "{}", serde_json::Value::from(text.as_str())).unwrap(),
        ValueKind::Template(parts) => {
            out.push('"');
            for part in parts.iter() {
                match part {
                    TemplatePart::Literal(text) => out.push_str(&text.as_str().replace('\n', "\\n")),
                    TemplatePart::Value(value) => {
                        out.push_str("${");
                        show(value, out);
                        out.push('}');
                    }
                }
            }
            out.push('"');
        }
        ValueKind::Sequence(sequence) => {
            out.push('[');
            for (index, item) in sequence.items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                show(item, out);
            }
            out.push(']');
        }
        ValueKind::Mapping(mapping) => {
            out.push('{');
            let mut separator = "";
            for (name, entry) in &mapping.entries {
                write!(out, "{separator}{name} = ").unwrap();
                show(&entry.value, out);
                separator = ", ";
            }
            if mapping.rest.is_some() {
                write!(out, "{separator}...").unwrap();
            }
            out.push('}');
        }
        ValueKind::Reference(reference) => write!(out, "<{reference}>").unwrap(),
        ValueKind::Unknown(unknown) => write!(out, "unknown: {}", unknown.cause).unwrap(),
    }
}

fn shown(value: &Value) -> String {
    let mut out = String::new();
    show(value, &mut out);
    out
}

#[derive(Default)]
struct Case {
    title: String,
    files: Vec<(String, String)>,
    options: String,
    resources: Option<String>,
    eval: String,
    diagnostics: String,
}

/// The cases of a document: a heading begins one.
fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            cases.push(Case { title: title.to_string(), ..Case::default() });
        }
        let Some(fence) = line.strip_prefix("```") else { continue };
        let content: String =
            lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let case = cases.last_mut().expect("a fence stands below a `##` heading");
        match fence.split_once(' ') {
            Some((_, path)) => case.files.push((path.to_string(), content)),
            None => match fence {
                "options" => case.options = content,
                "resources" => case.resources = Some(content),
                "eval" => case.eval = content,
                "diagnostics" => case.diagnostics = content,
                other => panic!("unknown fence {other}"),
            },
        }
    }
    cases
}

fn options(text: &str, folder: &Path) -> Options {
    let mut options = Options::default();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        let pair =
            || rest.split_once('=').map(|(name, value)| (name.to_string(), value.to_string())).unwrap();
        match word {
            "var" => {
                let (name, value) = pair();
                options.variables.push(VariableArgument::Text(name, value));
            }
            "env" => {
                let (name, value) = pair();
                options.environment.insert(name, value);
            }
            "var-file" => options.variables.push(VariableArgument::File(folder.join(rest))),
            "workspace" => options.workspace = rest.to_string(),
            other => panic!("unknown option {other}"),
        }
    }
    options
}

/// One fact about a resource in the form in which the document asks for it.
fn fact(resource: &Resource, wanted: &str) -> String {
    if let Some((name, _)) = wanted.split_once(" = ") {
        let value = resource.body.get(name).map_or("(not there)".to_string(), shown);
        return format!("{name} = {value}");
    }
    let (word, _) = wanted.split_once(':').unwrap_or((wanted, ""));
    match word {
        "dependencies" => format!("dependencies: {}", resource.dependencies.join(", ")),
        "provider" => format!("provider: {}", resource.provider.as_deref().unwrap_or("")),
        "azurerm" => match resource.schema {
            Schema::Terraform { azurerm_major: Some(major) } => format!("azurerm: {major}"),
            _ => "azurerm:".to_string(),
        },
        "because" => match &resource.multiplicity {
            Multiplicity::ZeroOrMore(why) => format!("because: {}", why.cause),
            Multiplicity::One => "because:".to_string(),
        },
        "data" => if resource.mode == Mode::Existing { "data" } else { "resource" }.to_string(),
        other => panic!("unknown fact {other}"),
    }
}

fn check(case: &Case, wrong: &mut String) {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in &case.files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let options = options(&case.options, folder.path());
    let sources = SourceMap::new();
    let discovery = discover(&[folder.path().to_path_buf()], &sources);
    let configuration = load(&discovery, 0, &options, &sources);
    let mut complain = |what: &str, expected: &str, got: &str| {
        writeln!(wrong, "{} — {what}\n  expected {expected}\n  got      {got}", case.title).unwrap();
    };
    if let Some(expected) = &case.resources {
        let label = |resource: &Resource| {
            let uncertain = if resource.multiplicity == Multiplicity::One { "" } else { " ?" };
            format!("{}{uncertain}", resource.key.address)
        };
        let labels: Vec<String> = configuration.resources.iter().map(label).collect();
        let wanted: Vec<&str> = expected.lines().filter(|line| !line.starts_with(' ')).collect();
        if labels != wanted {
            complain("resources", &wanted.join("; "), &labels.join("; "));
        }
        let mut current = None;
        for line in expected.lines() {
            match line.strip_prefix("  ") {
                None => current = configuration.resources.iter().find(|resource| label(resource) == line),
                Some(wanted) => {
                    let got =
                        current.map_or("(no such resource)".to_string(), |resource| fact(resource, wanted));
                    if got != wanted {
                        complain(current.map_or("?", |resource| &resource.key.address), wanted, &got);
                    }
                }
            }
        }
    }
    for line in case.eval.lines() {
        let (expression, expected) = line.rsplit_once(" => ").unwrap();
        let sources = SourceMap::new();
        let answer = evaluate_expression(Some(folder.path()), expression, &options, &sources);
        let got = answer_json(&answer);
        let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
        if got != expected {
            complain(expression, &expected.to_string(), &got.to_string());
        }
    }
    let mut got: Vec<String> = configuration
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let place = sources.get(diagnostic.span.file).map_or_else(String::new, |file| {
                let path =
                    file.path().strip_prefix(folder.path()).unwrap_or(file.path()).display().to_string();
                let line = sources.position(diagnostic.span).map_or(0, |position| position.line);
                format!(" {path}:{line}")
            });
            let level = format!("{:?}", diagnostic.level).to_lowercase();
            let message = diagnostic.message.replace(&format!("{}/", folder.path().display()), "");
            format!("{level} {}{place} {message}", diagnostic.code)
        })
        .collect();
    got.sort();
    let mut wanted: Vec<&str> = case.diagnostics.lines().collect();
    wanted.sort_unstable();
    // The parser's own words are not this test's business.
    let same = |(got, wanted): (&String, &&str)| match wanted.strip_suffix(" ...") {
        Some(start) => got.starts_with(start),
        None => got == wanted,
    };
    if got.len() != wanted.len() || !got.iter().zip(&wanted).all(same) {
        complain("diagnostics", &wanted.join("\n           "), &got.join("\n           "));
    }
}

#[test]
fn configurations_evaluate_as_the_documents_say() {
    let mut wrong = String::new();
    let mut count = 0;
    let mut documents: Vec<PathBuf> =
        std::fs::read_dir(testdata().join("modules")).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.sort();
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        for case in cases(&text) {
            count += 1;
            check(&case, &mut wrong);
        }
    }
    assert!(count > 20, "only {count} cases");
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn modules_that_are_not_on_disk_say_what_they_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
locals { network = azurerm_virtual_network.hub }
resource "azurerm_virtual_network" "hub" { name = "hub" }
resource "azurerm_virtual_network" "spoke" {
  for_each = toset(["a", "b"])
  name     = each.key
}
module "peering" {
  source = "example/peering/azurerm"
  left   = local.network.id
  right  = [for network in azurerm_virtual_network.spoke : network.id]
}
"#;
    std::fs::write(folder.path().join("main.tf"), text).unwrap();
    let sources = SourceMap::new();
    let configuration =
        load(&discover(&[folder.path().to_path_buf()], &sources), 0, &Options::default(), &sources);
    let opaque = &configuration.opaque[0];
    assert_eq!(opaque.key.address, "module.peering");
    let given: Vec<&str> = opaque.receives.iter().map(|key| key.address.as_str()).collect();
    assert_eq!(given, ["azurerm_virtual_network.hub", "azurerm_virtual_network.spoke"]);
}

/// Evaluates a folder of these files.
fn evaluate(files: &[(&str, String)], options: &Options) -> (Configuration, SourceMap, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let sources = SourceMap::new();
    let discovery = discover(&[folder.path().to_path_buf()], &sources);
    let configuration = load(&discovery, 0, options, &sources);
    (configuration, sources, folder)
}

#[test]
fn a_value_remembers_where_it_was_written_and_an_argument_where_it_is_used() {
    let main = "variable \"ranges\" {\n  default = [\"10.9.0.0/16\"]\n}\n\nmodule \"network\" {\n  source = \"./network\"\n  ranges = var.ranges\n}\n";
    let network = "variable \"ranges\" {\n  type = list(string)\n}\n\nresource \"azurerm_virtual_network\" \"this\" {\n  address_space = var.ranges\n  first = concat(var.ranges, [\"x\"])[0]\n\n  dynamic \"subnet\" {\n    for_each = var.ranges\n    content {\n      prefix = subnet.value\n    }\n  }\n}\n";
    let values = "ranges = [\n  \"10.0.0.0/16\"\n]\n";
    let files = [
        ("main.tf", main.to_string()),
        ("network/main.tf", network.to_string()),
        ("terraform.tfvars", values.to_string()),
    ];
    let (configuration, sources, folder) = evaluate(&files, &Options::default());
    let place = |span| {
        let file = sources.get(span).unwrap();
        file.path().strip_prefix(folder.path()).unwrap().display().to_string()
    };
    let body = configuration.resources[0].body.as_mapping().unwrap();
    for (name, used) in [("address_space", 6), ("first", 7)] {
        let entry = &body.entries[name];
        assert_eq!(place(entry.span.file), "network/main.tf");
        assert_eq!(sources.position(entry.span).unwrap().line, used);
        let written = match entry.value.as_sequence() {
            Some(sequence) => sequence.items[0].span,
            None => entry.value.span,
        };
        assert_eq!(place(written.file), "terraform.tfvars", "{name}");
        assert_eq!(sources.position(written).unwrap().line, 2);
        assert_eq!(sources.get(written.file).unwrap().slice(written), "\"10.0.0.0/16\"");
    }
    let subnet = body.entries["subnet"].value.as_sequence().unwrap().items[0].as_mapping().unwrap();
    let prefix = &subnet.entries["prefix"];
    assert_eq!(sources.position(prefix.span).unwrap().line, 12);
    assert_eq!(place(prefix.value.span.file), "terraform.tfvars");
    assert_eq!(
        sources.get(configuration.resources[0].header.file).unwrap().slice(configuration.resources[0].header),
        "resource \"azurerm_virtual_network\" \"this\""
    );
}

#[test]
fn roots_are_numbered_from_where_the_caller_says() {
    let folder = tempfile::tempdir().unwrap();
    for root in ["b", "a"] {
        std::fs::create_dir(folder.path().join(root)).unwrap();
        std::fs::write(folder.path().join(root).join("main.tf"), "resource \"x\" \"y\" {\n}\n").unwrap();
    }
    let sources = SourceMap::new();
    let discovery = discover(&[folder.path().join("b/main.tf"), folder.path().join("a")], &sources);
    let configuration = load(&discovery, 7, &Options::default(), &sources);
    let numbers: Vec<u32> = configuration.resources.iter().map(|resource| resource.key.root).collect();
    assert_eq!(numbers, [7, 8]);
    assert!(configuration.roots[0].path.ends_with("/a") && configuration.roots[1].path.ends_with("/b"));
}

#[test]
fn hostile_configurations_end_in_a_diagnostic_and_the_rest_is_read() {
    let doubling = |first: &str, step: fn(usize) -> String, count: usize| {
        let lines: String = (0..count).map(|index| format!("  a{} = {}\n", index + 1, step(index))).collect();
        format!("locals {{\n  a0 = {first}\n{lines}}}\nresource \"r\" \"x\" {{\n  a = local.a{count}\n}}\n")
    };
    let plain = |expression: &str| format!("resource \"r\" \"x\" {{\n  a = {expression}\n}}\n");
    /// What it is, the diagnostic that must come of it, its files.
    type Hostile = (&'static str, &'static str, Vec<(&'static str, String)>);
    let cases: Vec<Hostile> = vec![
        (
            "lists of lists",
            "limit",
            vec![("main.tf", doubling("1", |n| format!("[local.a{n}, local.a{n}]"), 80))],
        ),
        (
            "objects",
            "limit",
            vec![("main.tf", doubling("1", |n| format!("{{ l = local.a{n}, r = local.a{n} }}"), 80))],
        ),
        (
            "texts",
            "limit",
            vec![("main.tf", doubling("\"x\"", |n| format!("\"${{local.a{n}}}${{local.a{n}}}\""), 80))],
        ),
        ("nesting", "limit", vec![("main.tf", doubling("1", |n| format!("[local.a{n}]"), 2000))]),
        ("a chain", "limit", vec![("main.tf", doubling("1", |n| format!("local.a{n}"), 6000))]),
        (
            "loops",
            "limit",
            vec![(
                "main.tf",
                plain("[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]"),
            )],
        ),
        (
            "a template in itself",
            "evaluation-failed",
            vec![
                ("main.tf", plain("templatefile(\"t\", { x = 1 })")),
                ("t", "${templatefile(\"t\", { x = 1 })}".to_string()),
            ],
        ),
        (
            "modules that call each other",
            "cycle",
            vec![
                ("main.tf", "module \"a\" {\n  source = \"./a\"\n}\n".to_string()),
                ("a/main.tf", "module \"b\" {\n  source = \"../b\"\n  count = 3\n}\n".to_string()),
                ("b/main.tf", "module \"a\" {\n  source = \"../a\"\n  count = 3\n}\n".to_string()),
            ],
        ),
        (
            "repetition of repetition",
            "limit",
            vec![
                ("main.tf", "module \"a\" {\n  source = \"./a\"\n  count = 2000\n}\n".to_string()),
                ("a/main.tf", "module \"b\" {\n  source = \"../b\"\n  count = 2000\n}\n".to_string()),
                ("b/main.tf", "output \"x\" {\n  value = 1\n}\n".to_string()),
            ],
        ),
        (
            "resources in a circle",
            "cycle",
            vec![(
                "main.tf",
                (0..50)
                    .map(|n| format!("resource \"r\" \"r{n}\" {{\n  a = r.r{}.a\n}}\n", (n + 1) % 50))
                    .collect(),
            )],
        ),
    ];
    for (title, code, mut files) in cases {
        files.push(("healthy.tf", "resource \"r\" \"healthy\" {\n  name = \"fine\"\n}\n".to_string()));
        let (configuration, ..) = evaluate(&files, &Options::default());
        let codes: Vec<&str> = configuration.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&code), "{title}: {codes:?}");
        let healthy =
            configuration.resources.iter().find(|resource| resource.key.address == "r.healthy").unwrap();
        assert_eq!(healthy.body.get("name").and_then(Value::as_str), Some("fine"), "{title}");
    }
}

#[test]
fn the_answer_does_not_depend_on_the_number_of_threads() {
    let files: Vec<(String, String)> = (0..12)
        .map(|n| {
            let text = format!("variable \"x\" {{}}\nmodule \"m\" {{\n  source = \"../common\"\n  n = {n}\n}}\nresource \"r\" \"x\" {{\n  a = var.x\n  b = nothing\n}}\n");
            (format!("root{n}/main.tf"), text)
        })
        .chain([("common/main.tf".to_string(), "variable \"n\" {}\nresource \"r\" \"y\" {\n  n = var.n\n  bad = local.none\n}\n".to_string())])
        .collect();
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let summary = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (configuration, sources, folder) = pool.install(|| evaluate(&files, &Options::default()));
        let mut out = String::new();
        for resource in &configuration.resources {
            writeln!(out, "{} {} {}", resource.key.root, resource.key.address, shown(&resource.body))
                .unwrap();
        }
        for diagnostic in &configuration.diagnostics {
            let place = sources.display(diagnostic.span).unwrap_or_default();
            writeln!(out, "{} {} {}", diagnostic.code, place, diagnostic.message).unwrap();
        }
        out.replace(&folder.path().display().to_string(), "")
    };
    assert_eq!(summary(1), summary(4));
}
