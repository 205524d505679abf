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
use portolan::resource::{Mode, Multiplicity, Resource, Schema};
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
