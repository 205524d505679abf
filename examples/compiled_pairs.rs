//! Compares Bicep files with the templates that the Bicep compiler made of them, for folders of other people's repositories.
//!
//! `cargo run --example compiled_pairs -- [-v] FOLDER…` (or the folders in `PORTOLAN_PAIRS`, separated as in `PATH`) looks for
//! files `X.bicep` with the compiled `X.json`, or `azuredeploy.json`, beside them, evaluates both without parameter files, and
//! prints how many were tried, how many were read without an error, how many come to the same resources and how many to the
//! same topology. `-v` names the others and their first difference.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portolan::frontend::{Sandbox, arm, bicep};
use portolan::resource::{Configuration, Language, Level, Mode, Multiplicity, Resource, Root};
use portolan::source::SourceMap;
use portolan::topology;
use portolan::value::{TemplatePart, Value, ValueKind};
use rayon::prelude::*;

/// What one pair comes to.
struct Outcome {
    path: PathBuf,
    readable: bool,
    resources: Option<String>,
    topology: Option<String>,
    network: bool,
}

fn main() {
    let mut folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let verbose = folders.first().is_some_and(|first| first.as_os_str() == "-v");
    folders.drain(..usize::from(verbose));
    if let Some(given) = std::env::var_os("PORTOLAN_PAIRS").filter(|_| folders.is_empty()) {
        folders = std::env::split_paths(&given).collect();
    }
    let pairs = pairs(&folders);
    let outcomes: Vec<Outcome> = pairs.par_iter().map(|(bicep, json)| compare(bicep, json)).collect();
    let count = |test: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| test(outcome)).count();
    println!("{} pairs, {} read without an error", outcomes.len(), count(|o| o.readable));
    println!("  equal resources {}", count(|o| o.resources.is_none()));
    println!("  equal topology  {}", count(|o| o.topology.is_none()));
    println!("  with a network  {}", count(|o| o.network));
    println!("  … equal topology {}", count(|o| o.network && o.topology.is_none()));
    for outcome in outcomes.iter().filter(|_| verbose) {
        for (what, difference) in [("resources", &outcome.resources), ("topology", &outcome.topology)] {
            if let Some(difference) = difference {
                println!("{what} {} {difference}", outcome.path.display());
            }
        }
        if !outcome.readable {
            println!("unreadable {}", outcome.path.display());
        }
    }
}

/// The pairs below folders, in the order of their paths.
fn pairs(folders: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let mut found = Vec::new();
    for entry in folders.iter().flat_map(|folder| ignore::WalkBuilder::new(folder).build().flatten()) {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "bicep") {
            continue;
        }
        let sources = SourceMap::new();
        let same = path.with_extension("json");
        let other = path.with_file_name("azuredeploy.json");
        let compiled = |json: &Path| {
            sources.load(json).is_ok_and(|file| {
                bicep::is_compiled_from(&file, &json.with_extension("bicep")) && arm::is_template(file.text())
            })
        };
        if compiled(&same) {
            found.push((path.to_path_buf(), same));
        } else if path.file_stem().is_some_and(|stem| stem == "main") && compiled(&other) {
            found.push((path.to_path_buf(), other));
        }
    }
    found.sort();
    found
}

fn compare(bicep_path: &Path, json_path: &Path) -> Outcome {
    let sources = SourceMap::new();
    let sandbox = Some(Sandbox::of_root(bicep_path, &[]));
    let deployment = arm::Options { sandbox, ..arm::Options::default() };
    let options = bicep::Options { deployment: deployment.clone(), ..bicep::Options::default() };
    let left = bicep::load(bicep_path, &options, &sources, 0);
    let right = arm::load_template(json_path, &deployment, &sources, 0);
    let readable = left.diagnostics.iter().chain(&right.diagnostics).all(|d| d.level != Level::Error);
    let resources = difference(&lines(&left.resources), &lines(&right.resources));
    let model = |resources, language| {
        let roots = vec![Root { path: String::new(), language }];
        let built = topology::build(&Configuration { roots, resources, ..Configuration::default() });
        serde_json::to_string_pretty(&topology::json::to_json(&built, false)).unwrap()
    };
    let left = model(left.resources, Language::Bicep);
    let right = model(right.resources, Language::Arm);
    // An empty model says its format and nothing else.
    let network = right.lines().count() > 3;
    let sorted = |text: &str| text.lines().map(|line| (line.to_string(), 1)).collect::<Vec<_>>();
    let topology = (left != right).then(|| {
        let (left, right) = (sorted(&left), sorted(&right));
        let at = left.iter().zip(&right).position(|(a, b)| a != b).unwrap_or(left.len().min(right.len()));
        let line =
            |side: &[(String, i32)]| side.get(at).map_or(String::new(), |(line, _)| line.trim().into());
        format!("| {} | {}", line(&left), line(&right))
    });
    Outcome { path: bicep_path.to_path_buf(), readable, resources, topology, network }
}

/// One line for each resource, without addresses, which differ between the languages.
fn lines(resources: &[Resource]) -> BTreeMap<String, i32> {
    let targets: BTreeMap<&str, String> =
        resources.iter().map(|r| (r.key.address.as_str(), target(r))).collect();
    let mut lines = BTreeMap::new();
    for resource in resources.iter().filter(|r| {
        r.mode == Mode::Managed && !r.resource_type.eq_ignore_ascii_case("Microsoft.Resources/deployments")
    }) {
        let many = if resource.multiplicity == Multiplicity::One { "" } else { "*" };
        let mut line = format!("{}{many} ", resource.resource_type.to_lowercase());
        write(&resource.body, &targets, &mut line);
        *lines.entry(line).or_default() += 1;
    }
    lines
}

/// A resource as its id is written.
fn target(resource: &Resource) -> String {
    let mut name = String::new();
    if let Some(value) = resource.body.get("name") {
        write(value, &BTreeMap::new(), &mut name);
    }
    format!("{}:{}", resource.resource_type, name.replace('"', "")).to_lowercase()
}

/// The first lines that only one side has.
fn difference(left: &BTreeMap<String, i32>, right: &BTreeMap<String, i32>) -> Option<String> {
    if left == right {
        return None;
    }
    let only = |one: &BTreeMap<String, i32>, other: &BTreeMap<String, i32>| {
        one.iter().find(|(line, count)| other.get(*line) != Some(count)).map(|(line, _)| line.clone())
    };
    let (a, b) = (only(left, right).unwrap_or_default(), only(right, left).unwrap_or_default());
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let show = |text: &str| -> String {
        let kind: String = text.chars().take_while(|c| *c != ' ').collect();
        let from = text.char_indices().map(|(at, _)| at).take_while(|at| at + 60 <= same.max(60)).last();
        format!(
            "{kind} …{}",
            text.get(from.unwrap_or(0)..).unwrap_or("").chars().take(160).collect::<String>()
        )
    };
    Some(format!("| {} | {}", show(&a), show(&b)))
}

fn write(value: &Value, targets: &BTreeMap<&str, String>, out: &mut String) {
    match &value.kind {
        ValueKind::Null => out.push_str("null"),
        ValueKind::Bool(flag) => out.push_str(&flag.to_string()),
        ValueKind::Number(number) => out.push_str(&number.to_string()),
        // What differs between the files of a pair without a meaning: line ends, and what is an id in one and a reference in the other.
        ValueKind::String(text) => out.push_str(&id_or_text(&text.replace("\r\n", "\n"))),
        ValueKind::Template(parts) => {
            let mut text = String::new();
            for part in parts.iter() {
                match part {
                    TemplatePart::Literal(literal) => text.push_str(&literal.replace("\r\n", "\n")),
                    TemplatePart::Value(value) => write(value, targets, &mut text),
                }
            }
            out.push_str(&id_or_text(&text));
        }
        ValueKind::Sequence(sequence) => {
            out.push('[');
            for item in &sequence.items {
                write(item, targets, out);
                out.push(',');
            }
            out.push(']');
        }
        ValueKind::Mapping(mapping) => {
            out.push('{');
            let mut entries: Vec<_> = mapping.entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.to_lowercase());
            for (key, entry) in entries {
                let key = key.to_lowercase();
                // Null is the same as nothing; versions, types, scopes and descriptions are written in more than one way.
                let form = matches!(key.as_str(), "apiversion" | "type" | "scope" | "metadata");
                if !form && !matches!(entry.value.kind, ValueKind::Null) {
                    out.push_str(&format!("{key}:"));
                    write(&entry.value, targets, out);
                    out.push(',');
                }
            }
            out.push('}');
        }
        ValueKind::Reference(reference) => {
            let own = reference.target.address.as_str();
            let path = reference.to_string();
            match (path.strip_prefix(own), targets.get(own)) {
                (Some(".id"), Some(target)) => out.push_str(&format!("<{target}>")),
                _ => out.push('?'),
            }
        }
        ValueKind::Unknown(_) => out.push('?'),
    }
}

/// A text, or of the id of a resource its type and names.
fn id_or_text(text: &str) -> String {
    let Some((_, path)) = text.rsplit_once("/providers/").filter(|_| text.starts_with('/')) else {
        return format!("{text:?}").replace("\"?\"", "?");
    };
    let segments: Vec<&str> = path.split('/').collect();
    let kinds = segments.iter().take(1).chain(segments.iter().skip(1).step_by(2));
    let names = segments.iter().skip(2).step_by(2);
    let join = |parts: Vec<&str>| parts.join("/");
    format!(
        "<{}:{}>",
        join(kinds.copied().collect()).to_lowercase(),
        join(names.copied().collect()).to_lowercase()
    )
}
