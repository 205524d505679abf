//! `--format junit`: JUnit's XML, as CI servers read it. There is no standard; this keeps to what
//! <https://github.com/testmoapp/junitxml> describes as common.
//!
//! Each root is a suite, and each finding a test case: errors and warnings fail, notes pass and say what they have to say.
//! A root without findings has one test case that passes. What could not be read is an error in a suite of its own.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use crate::finding::Severity;
use crate::resource::Level;

use super::{Finding, Format, Location, Report, Style, printable};

pub(super) const FORMAT: Format =
    Format { name: "junit", about: "JUnit XML, for the test tab of CI servers", write };

/// The suite of what could not be read.
const INPUT: &str = "input";

struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    class: String,
    place: Option<(String, u32)>,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Remarked(String),
    /// The element, its type, the message and the rest.
    Failed(&'static str, &'static str, String, String),
}

fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let suites = suites(report, style);
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="portolan" {}>"#, counts(all()))?;
    for suite in &suites {
        writeln!(out, r#"  <testsuite name="{}" {}>"#, escaped(&suite.name), counts(suite.cases.iter()))?;
        for case in &suite.cases {
            write_case(case, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn suites(report: &Report, style: &Style) -> Vec<Suite> {
    let mut by_root: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for root in &report.roots {
        by_root.entry(root).or_default();
    }
    let mut seen = HashMap::new();
    for finding in &report.findings {
        let case = of_finding(finding, &mut seen, style);
        by_root.entry(&finding.place.root).or_default().push(case);
    }
    let mut suites: Vec<Suite> = Vec::new();
    let unread: Vec<Case> = report
        .notes
        .iter()
        .filter(|note| note.level == Level::Error)
        .map(|note| Case {
            name: unique(note.code.to_string(), INPUT, &mut seen),
            class: note.code.to_string(),
            place: place(note.location.as_ref(), style),
            outcome: Outcome::Failed("error", note.code, printable(&note.statement()), String::new()),
        })
        .collect();
    if !unread.is_empty() {
        suites.push(Suite { name: INPUT.into(), cases: unread });
    }
    for (root, mut cases) in by_root {
        if cases.is_empty() {
            cases.push(Case {
                name: "nothing found".into(),
                class: "portolan".into(),
                place: None,
                outcome: Outcome::Passed,
            });
        }
        let name = if root.is_empty() { ".".to_string() } else { style.in_repository(root) };
        suites.push(Suite { name: printable(&name), cases });
    }
    suites
}

fn of_finding(finding: &Finding, seen: &mut HashMap<(String, String), usize>, style: &Style) -> Case {
    let place = place(finding.place.location.as_ref(), style);
    let mut details: Vec<String> =
        finding.place.location.iter().map(|location| printable(&format!("{location:?}"))).collect();
    details.extend(finding.paragraphs().iter().map(|line| printable(line)));
    let message = printable(&finding.statement());
    let details = details.join("\n");
    Case {
        name: unique(printable(&finding.place.resource), finding.rule, seen),
        class: finding.rule.to_string(),
        place,
        outcome: match finding.severity {
            Severity::Error | Severity::Warning => {
                Outcome::Failed("failure", finding.severity.as_str(), message, details)
            }
            Severity::Note => Outcome::Remarked(details),
        },
    }
}

/// Servers follow a test case from run to run by its class and name: no lines or words in them, and each is there once.
fn unique(name: String, class: &str, seen: &mut HashMap<(String, String), usize>) -> String {
    let count = seen.entry((class.to_string(), name.clone())).or_default();
    *count += 1;
    if *count == 1 { name } else { format!("{name} ({count})") }
}

fn place(location: Option<&Location>, style: &Style) -> Option<(String, u32)> {
    location.map(|location| (printable(&style.in_repository(location.file.display())), location.start.line))
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for case in cases {
        tests += 1;
        match case.outcome {
            Outcome::Failed("error", ..) => errors += 1,
            Outcome::Failed(..) => failures += 1,
            _ => {}
        }
    }
    format!(r#"tests="{tests}" failures="{failures}" errors="{errors}" skipped="0""#)
}

fn write_case(case: &Case, out: &mut dyn Write) -> io::Result<()> {
    write!(out, r#"    <testcase name="{}" classname="{}""#, escaped(&case.name), escaped(&case.class))?;
    if let Some((file, line)) = &case.place {
        write!(out, r#" file="{}" line="{line}""#, escaped(file))?;
    }
    match &case.outcome {
        Outcome::Passed => writeln!(out, "/>"),
        Outcome::Remarked(text) => {
            writeln!(out, ">\n      <system-out>{}</system-out>\n    </testcase>", escaped(text))
        }
        Outcome::Failed(element, kind, message, details) => {
            let (message, details) = (escaped(message), escaped(details));
            writeln!(
                out,
                ">\n      <{element} type=\"{kind}\" message=\"{message}\">{details}</{element}>\n    </testcase>"
            )
        }
    }
}

/// Text in an element or an attribute; what XML 1.0 has no place for (most control characters) is left out.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            '\n' | '\t' => xml.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            control if control.is_control() => {}
            other => xml.push(other),
        }
    }
    xml
}
