//! Every rule against its document in `testdata/rules`, and its own documentation.
//!
//! `cargo test --test rules NAME` runs what has NAME in its title. `testdata/rules/README.md` describes the documents.

#![allow(clippy::expect_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use portolan::azure::error_codes;
use portolan::report;
use portolan::rules::{self, Rule};
use support::runner;
use support::suite::{Case, File, Kind, Suite};

/// What a rule's documentation answers, in this order.
const SECTIONS: [&str; 6] = [
    "What it checks",
    "What Azure does",
    "Example",
    "Corrected example",
    "When it is undecided",
    "References",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules");
    let mut trials = Vec::new();
    for rule in rules::ALL {
        trials.extend(of_documentation(rule));
        let path = folder.join(format!("{}.md", rule.name));
        if !path.is_file() {
            let message =
                format!("testdata/rules/{}.md is missing: every rule has a test document", rule.name);
            trials.push(Trial::test(format!("{}: has a document", rule.name), move || Err(message.into())));
        }
    }
    for path in documents(&folder) {
        trials.extend(of_document(&path));
    }
    trials.push(Trial::test("docs/rules holds the rules' pages", pages));
    trials.push(Trial::test("docs/error-codes.md holds the table of error codes", error_codes_page));
    trials.push(Trial::test("rules and the table of error codes agree", error_codes_agree));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The pages under `docs/rules` are what the rules say of themselves. `PORTOLAN_WRITE_PAGES=1` writes them.
fn pages() -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let write = std::env::var_os("PORTOLAN_WRITE_PAGES").is_some();
    let mut expected = vec![("README.md".to_string(), index())];
    expected.extend(rules::ALL.iter().map(|rule| (format!("{}.md", rule.name), report::page(rule))));
    if write {
        std::fs::create_dir_all(&folder)?;
    }
    let present =
        std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let present: Vec<String> = present.collect::<std::io::Result<_>>()?;
    let mut stale = Vec::new();
    for name in present.iter().filter(|name| expected.iter().all(|(other, _)| other != *name)) {
        stale.push(name.clone());
        if write {
            std::fs::remove_file(folder.join(name))?;
        }
    }
    for (name, text) in expected {
        let path = folder.join(&name);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            stale.push(name);
            if write {
                std::fs::write(path, text)?;
            }
        }
    }
    if stale.is_empty() || write {
        return Ok(());
    }
    Err(format!(
        "stale in docs/rules: {stale:?}; PORTOLAN_WRITE_PAGES=1 cargo test --test rules pages writes them"
    )
    .into())
}

/// `docs/error-codes.md` is what the table says. `PORTOLAN_WRITE_PAGES=1` writes it.
fn error_codes_page() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/error-codes.md");
    let text = report::error_codes_page();
    if std::fs::read_to_string(&path).ok().as_deref() == Some(text.as_str()) {
        return Ok(());
    }
    if std::env::var_os("PORTOLAN_WRITE_PAGES").is_some() {
        return Ok(std::fs::write(path, text)?);
    }
    Err("docs/error-codes.md is stale; PORTOLAN_WRITE_PAGES=1 cargo test --test rules pages writes it".into())
}

/// A rule names just those codes that the table says it finds.
fn error_codes_agree() -> Result<(), Failed> {
    let mut problems = Vec::new();
    for row in error_codes::all() {
        for name in &row.rules {
            match rules::find(name) {
                None => problems.push(format!("{}: there is no rule {name}", row.code)),
                Some(rule) if !rule.error_codes.contains(&row.code.as_str()) => {
                    problems.push(format!("{name} does not name {}", row.code));
                }
                Some(_) => {}
            }
        }
    }
    for rule in rules::ALL {
        for code in rule.error_codes {
            let row = error_codes::all().iter().find(|row| row.code == *code);
            if !row.is_some_and(|row| row.rules.iter().any(|name| name == rule.name)) {
                problems.push(format!("{}: src/azure/data/error_codes.json does not have {code}", rule.name));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n").into()) }
}

fn index() -> String {
    let mut text = "# Rules\n\nThese pages are made from the rules' own documentation.\n\n| rule | severity | defect |\n|---|---|---|\n".to_string();
    for rule in rules::ALL {
        text.push_str(&format!(
            "| [`{0}`]({0}.md) | {1} | {2} |\n",
            rule.name,
            rule.severity.as_str(),
            rule.summary
        ));
    }
    text
}

fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("testdata/rules can be listed")
        .map(|entry| entry.expect("an entry of testdata/rules").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| path.file_name().is_some_and(|name| name != "README.md"))
        .collect();
    paths.sort();
    paths
}

/// One test for each case of a document.
fn of_document(path: &Path) -> Vec<Trial> {
    let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
    let document = format!("testdata/rules/{name}.md");
    let failing =
        |message: String| vec![Trial::test(format!("{name}: is read"), move || Err(message.into()))];
    if rules::find(&name).is_none() {
        return failing(format!("{document}: no rule has this name"));
    }
    let text = std::fs::read_to_string(path).expect("a readable document");
    match Suite::parse(&text) {
        Err(problem) => failing(format!("{document}: {problem}")),
        Ok(suite) if suite.cases.is_empty() => failing(format!("{document}: there is no case in it")),
        Ok(suite) => {
            let complete = runner::is_in_every_language(&suite.cases);
            let mut trials = vec![Trial::test(format!("{name}: is written in every language"), move || {
                let problem = "no case has the same network in main.tf, main.bicep and azuredeploy.json";
                if complete { Ok(()) } else { Err(problem.into()) }
            })];
            trials.extend(suite.cases.into_iter().map(|case| {
                let (rule, document) = (name.clone(), document.clone());
                Trial::test(format!("{name}: {}", case.title), move || {
                    runner::run(&rule, &document, &case).map_err(Failed::from)
                })
            }));
            trials
        }
    }
}

/// The documentation has its sections; its example has the defect, and its corrected example is clean.
fn of_documentation(rule: &'static Rule) -> Vec<Trial> {
    let sections = move || {
        let documentation = rule.documentation();
        let found: Vec<&str> =
            documentation.lines().filter_map(|line| line.strip_prefix("## ")).map(str::trim).collect();
        if found == SECTIONS {
            Ok(())
        } else {
            Err(Failed::from(format!("{}: the sections are {found:?}, but must be {SECTIONS:?}", rule.name)))
        }
    };
    let mut trials = vec![Trial::test(format!("{}: documentation", rule.name), sections)];
    for (section, defective) in [("Example", true), ("Corrected example", false)] {
        trials.push(Trial::test(format!("{}: {}", rule.name, section.to_lowercase()), move || {
            let examples = examples(&rule.documentation(), section);
            if examples.is_empty() {
                return Err(format!("the section \"{section}\" has no fenced example").into());
            }
            for example in examples {
                check_example(rule, section, example, defective)?;
            }
            Ok(())
        }));
    }
    trials
}

/// The fenced files of a section: one case for each language.
fn examples(documentation: &str, section: &str) -> Vec<Case> {
    let heading = format!("## {section}");
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = documentation.lines().skip_while(|line| line.trim_end() != heading).skip(1);
    while let Some(line) = lines.next() {
        if line.starts_with("## ") {
            break;
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let text: String =
            lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        let mut words = info.split_whitespace();
        let name = match (words.next(), words.next()) {
            (_, Some(name)) => name,
            (Some("hcl"), None) => "main.tf",
            (Some("bicep"), None) => "main.bicep",
            (Some("json"), None) => "azuredeploy.json",
            _ => continue,
        };
        let file = File { path: name.into(), text, line: 1, assertions: Vec::new() };
        // A block with a name that is taken begins another example.
        match cases.last_mut() {
            Some(case) if case.files.iter().all(|other| other.path != file.path) => case.files.push(file),
            _ => cases.push(Case { title: section.into(), files: vec![file], ..Case::default() }),
        }
    }
    cases
}

fn check_example(rule: &Rule, section: &str, example: Case, defective: bool) -> Result<(), Failed> {
    for (language, reported) in runner::reported(rule.name, &example)? {
        let own = |kind: Kind| kind != Kind::Undecided && kind != Kind::Diagnostic;
        let found = reported
            .iter()
            .any(|item| item.name == rule.name && own(item.kind) && item.kind != Kind::Possible);
        let others: Vec<String> = reported
            .iter()
            .filter(|item| !defective || item.name != rule.name)
            .filter(|item| item.kind != Kind::Undecided || item.name == rule.name)
            .map(ToString::to_string)
            .collect();
        if defective && !found {
            let all: Vec<String> = reported.iter().map(ToString::to_string).collect();
            return Err(
                format!("\"{section}\" ({language}) does not have the defect; reported: {all:#?}").into()
            );
        }
        if !others.is_empty() {
            return Err(format!("\"{section}\" ({language}) has more than it should: {others:#?}").into());
        }
    }
    Ok(())
}
