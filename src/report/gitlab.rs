//! `--format gitlab`: GitLab's code quality report. <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use std::io::{self, Write};

use serde::Serialize;

use crate::finding::Severity;
use crate::resource::Level;

use super::{Finding, Format, Location, Note, Report, Style};

pub(super) const FORMAT: Format = Format { name: "gitlab", about: "GitLab code quality report", write };

fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut issues: Vec<Issue> = report
        .notes
        .iter()
        .filter(|note| note.level == Level::Error)
        .enumerate()
        .map(|(index, note)| of_note(note, index, style))
        .collect();
    issues.extend(report.findings.iter().map(|finding| of_finding(finding, style)));
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Where,
}

#[derive(Serialize)]
struct Where {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

fn of_finding(finding: &Finding, style: &Style) -> Issue {
    Issue {
        description: finding.paragraphs().join("\n"),
        check_name: finding.rule,
        fingerprint: finding.fingerprint.clone(),
        severity: match finding.severity {
            Severity::Error => "critical",
            Severity::Warning => "major",
            Severity::Note => "info",
        },
        location: location(finding.place.location.as_ref(), &finding.place.root, style),
    }
}

/// Part of the input that could not be read.
fn of_note(note: &Note, index: usize, style: &Style) -> Issue {
    Issue {
        description: note.statement(),
        check_name: note.code,
        fingerprint: format!("{}:{index}", note.code),
        severity: "blocker",
        location: location(note.location.as_ref(), ".", style),
    }
}

/// What no file holds is shown at the first line of its root.
fn location(location: Option<&Location>, root: &str, style: &Style) -> Where {
    match location {
        Some(location) => Where {
            path: style.in_repository(location.file.display()),
            lines: Lines { begin: location.start.line, end: location.end.line },
        },
        None => Where { path: style.in_repository(root), lines: Lines { begin: 1, end: 1 } },
    }
}
