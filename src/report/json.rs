//! `--format json`: everything, for programs. The shape is stable within a `version`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::finding::Confidence;

use super::{Format, Report, Standing, Style};

pub(super) const FORMAT: Format = Format { name: "json", about: "everything, for programs", write };

fn write(report: &Report, _: &Style, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &document(report))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<Finding<'a>>,
    /// Entries of the baseline that no longer occur.
    fixed: &'a [crate::baseline::Entry],
    undecided: Vec<Undecided<'a>>,
    notes: Vec<Note<'a>>,
    summary: Summary<'a>,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'a str,
    category: &'a str,
    severity: &'a str,
    confidence: &'a str,
    /// `new` or `known`; null when there is nothing to compare with.
    standing: Option<&'a str>,
    message: &'a str,
    resource: &'a str,
    resource_id: Option<&'a str>,
    location: Option<Location<'a>>,
    related: Vec<Related<'a>>,
    witness: &'a [String],
    fingerprint: &'a str,
    fix: Option<Fix<'a>>,
    help_url: String,
}

/// All of the edits, or none. They do not overlap.
#[derive(Serialize)]
struct Fix<'a> {
    title: &'a str,
    edits: Vec<Edit<'a>>,
}

/// The text is to stand in place of what is at the location.
#[derive(Serialize)]
struct Edit<'a> {
    location: Location<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    resource: &'a str,
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<&'a str>,
    location: Option<Location<'a>>,
}

/// Lines and columns from 1, columns in characters; the end is the position after the last character.
#[derive(Serialize)]
struct Location<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct Undecided<'a> {
    rule: &'a str,
    resource: &'a str,
    location: Option<Location<'a>>,
    because: &'a str,
}

#[derive(Serialize)]
struct Note<'a> {
    level: &'a str,
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    location: Option<Location<'a>>,
}

#[derive(Serialize)]
struct Summary<'a> {
    files: usize,
    resources: usize,
    rules: usize,
    checks: usize,
    findings: Severities,
    /// `null` when there is nothing to compare with.
    standings: Option<Standings>,
    known_hidden: usize,
    fixable: usize,
    untouched_hidden: usize,
    suppressed: usize,
    fixed: usize,
    possible_hidden: usize,
    undecided: UndecidedSummary<'a>,
    unsupported: Vec<Unsupported<'a>>,
}

#[derive(Serialize)]
struct Severities {
    error: usize,
    warning: usize,
    note: usize,
}

#[derive(Serialize)]
struct Standings {
    new: usize,
    known: usize,
}

#[derive(Serialize)]
struct UndecidedSummary<'a> {
    checks: usize,
    causes: Vec<Cause<'a>>,
}

#[derive(Serialize)]
struct Cause<'a> {
    because: &'a str,
    checks: usize,
    rules: &'a BTreeMap<&'static str, usize>,
    advice: Option<&'a str>,
}

#[derive(Serialize)]
struct Unsupported<'a> {
    resource_type: &'a str,
    resources: usize,
}

fn document(report: &Report) -> Document<'_> {
    Document {
        version: 1,
        findings: report.findings.iter().map(finding).collect(),
        fixed: &report.fixed,
        undecided: report
            .undecided
            .iter()
            .map(|undecided| Undecided {
                rule: undecided.rule,
                resource: &undecided.place.resource,
                location: undecided.place.location.as_ref().map(location),
                because: &undecided.because,
            })
            .collect(),
        notes: report
            .notes
            .iter()
            .map(|note| Note {
                level: note.level.as_str(),
                code: note.code,
                message: &note.message,
                help: note.help.as_deref(),
                location: note.location.as_ref().map(location),
            })
            .collect(),
        summary: summary(report),
    }
}

fn finding(finding: &super::Finding) -> Finding<'_> {
    Finding {
        rule: finding.rule,
        category: finding.category.as_str(),
        severity: finding.severity.as_str(),
        confidence: match finding.confidence {
            Confidence::Certain => "certain",
            Confidence::Possible => "possible",
        },
        standing: finding.standing.map(|standing| match standing {
            Standing::New => "new",
            Standing::Known => "known",
        }),
        message: &finding.message,
        resource: &finding.place.resource,
        resource_id: finding.place.resource_id.as_deref(),
        location: finding.place.location.as_ref().map(location),
        related: finding
            .related
            .iter()
            .map(|related| Related {
                message: &related.message,
                resource: &related.place.resource,
                resource_id: related.place.resource_id.as_deref(),
                root: related.elsewhere(finding),
                location: related.place.location.as_ref().map(location),
            })
            .collect(),
        witness: &finding.witness,
        fingerprint: &finding.fingerprint,
        fix: finding.fix.as_ref().map(|fix| Fix {
            title: &fix.title,
            edits: fix
                .edits
                .iter()
                .map(|edit| Edit { location: location(&edit.location), text: &edit.text })
                .collect(),
        }),
        help_url: super::help_url(finding.rule),
    }
}

fn location(location: &super::Location) -> Location<'_> {
    Location {
        file: location.file.display(),
        line: location.start.line,
        column: location.start.column,
        end_line: location.end.line,
        end_column: location.end.column,
    }
}

fn summary(report: &Report) -> Summary<'_> {
    let summary = &report.summary;
    Summary {
        files: summary.files,
        resources: summary.resources,
        rules: summary.rules,
        checks: summary.checks,
        findings: Severities { error: summary.errors, warning: summary.warnings, note: summary.notes },
        standings: report.standings().map(|(new, known)| Standings { new, known }),
        known_hidden: summary.known_hidden,
        fixable: summary.fixable,
        untouched_hidden: summary.untouched_hidden,
        suppressed: summary.suppressed,
        fixed: summary.fixed,
        possible_hidden: summary.possible_hidden,
        undecided: UndecidedSummary {
            checks: summary.undecided,
            causes: summary
                .causes
                .iter()
                .map(|cause| Cause {
                    because: &cause.because,
                    checks: cause.checks,
                    rules: &cause.rules,
                    advice: cause.advice,
                })
                .collect(),
        },
        unsupported: summary
            .unsupported
            .iter()
            .map(|unsupported| Unsupported { resource_type: &unsupported.what, resources: unsupported.count })
            .collect(),
    }
}
