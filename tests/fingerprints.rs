//! Fingerprints over all rule documents: what moves and what is reformatted keeps them, and no two findings share one.

#![allow(clippy::expect_used)]

#[allow(dead_code, reason = "the format has more than is needed here")]
#[path = "support/suite.rs"]
mod suite;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use portolan::analyzer::{self, Options};
use portolan::report::Report;
use portolan::rules;
use portolan::source::SourceMap;
use suite::{Case, File, Suite};

/// All cases of all documents.
fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules");
    let mut cases = Vec::new();
    for rule in rules::ALL {
        let text = fs::read_to_string(folder.join(format!("{}.md", rule.name))).expect("a document");
        for case in Suite::parse(&text).expect("a document of cases").cases {
            cases.push((format!("{}: {}", rule.name, case.title), case));
        }
    }
    cases
}

fn report(files: &[(PathBuf, String)]) -> Report {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    let plan = folder.path().join("plan.json");
    let path = if plan.is_file() { plan } else { folder.path().to_path_buf() };
    let options =
        Options { paths: vec![path], rules: rules::ALL.to_vec(), possible: true, ..Options::default() };
    analyzer::check(&SourceMap::new(), &options)
}

/// Each fingerprint with what it is of.
fn fingerprints(report: &Report) -> BTreeMap<String, String> {
    let of = |finding: &portolan::report::Finding| {
        (finding.fingerprint.clone(), format!("{}: {}", finding.rule, finding.message))
    };
    report.findings.iter().map(of).collect()
}

/// The files of each language.
fn by_language(case: &Case) -> Vec<Vec<&File>> {
    let endings: [&[&str]; 3] = [&[".tf", ".tfvars"], &[".bicep", ".bicepparam"], &[".json", ".yaml"]];
    let of = |endings: &[&str]| -> Vec<&File> {
        case.files.iter().filter(|file| endings.iter().any(|ending| file.path.ends_with(ending))).collect()
    };
    if case.together {
        vec![case.files.iter().collect()]
    } else {
        endings.iter().map(|endings| of(endings)).collect()
    }
}

fn as_written(files: &[&File]) -> Vec<(PathBuf, String)> {
    files.iter().map(|file| (PathBuf::from(&file.path), file.text.clone())).collect()
}

/// The same configuration in another folder, each block of Terraform in a file of its own, in the opposite order, with
/// other indentation and comments.
fn rearranged(files: &[&File]) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for file in files {
        let path = Path::new("moved/elsewhere").join(&file.path);
        if !file.path.ends_with(".tf") || file.path.ends_with("override.tf") {
            let lines = if file.path.ends_with(".bicep") { "// moved\n\n" } else { "\n\n" };
            let text = if file.path.ends_with(".yaml") {
                file.text.clone()
            } else {
                format!("{lines}{}", file.text)
            };
            all.push((path, text));
            continue;
        }
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let blocks = blocks(&file.text);
        let count = blocks.len();
        for (index, block) in blocks.into_iter().enumerate() {
            let path = path.with_file_name(format!("{stem}_{:03}.tf", count - index));
            let indented = match block.contains("<<") {
                true => block,
                false => block.replace("\n  ", "\n\n      "),
            };
            all.push((path, format!("# moved\n\n{indented}")));
        }
    }
    all
}

/// The top-level blocks of a file, by their closing braces at the beginning of a line.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        let block = blocks.last_mut().expect("there is always one");
        let _ = writeln!(block, "{line}");
        let whole = line.starts_with('}') || line.ends_with('}') && !line.starts_with([' ', '\t']);
        if whole {
            blocks.push(String::new());
        }
    }
    blocks
}

#[test]
fn moving_and_reformatting_keep_every_fingerprint() {
    let mut failures = String::new();
    for (title, case) in cases() {
        for files in by_language(&case) {
            if files.iter().any(|file| file.path == "plan.json") {
                continue;
            }
            let before = fingerprints(&report(&as_written(&files)));
            let after = fingerprints(&report(&rearranged(&files)));
            for (fingerprint, what) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
                let _ = writeln!(failures, "{title}\n  - {fingerprint} {what}");
            }
            for (fingerprint, what) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                let _ = writeln!(failures, "{title}\n  + {fingerprint} {what}");
            }
        }
    }
    let advice = "name the parts that such a finding is about with `Finding::between`";
    assert!(failures.is_empty(), "{advice}:\n{failures}");
}

#[test]
fn findings_that_share_a_fingerprint_are_told_apart_by_their_words() {
    let mut shared = String::new();
    for (title, case) in cases() {
        for files in by_language(&case) {
            let report = report(&as_written(&files));
            let mut seen: BTreeMap<&str, Vec<&portolan::report::Finding>> = BTreeMap::new();
            for finding in &report.findings {
                let (key, _) = finding.fingerprint.split_once(':').expect("a number");
                seen.entry(key).or_default().push(finding);
            }
            for findings in seen.values().filter(|findings| {
                let words: std::collections::BTreeSet<&str> =
                    findings.iter().map(|finding| finding.message.as_str()).collect();
                words.len() < findings.len()
            }) {
                let _ = writeln!(shared, "{title}");
                for finding in findings {
                    let _ = writeln!(
                        shared,
                        "  {} {} {:?}: {}",
                        finding.rule, finding.place.root, finding.place.location, finding.message
                    );
                }
            }
        }
    }
    assert!(shared.is_empty(), "{shared}");
}
