//! `--format azure`: logging commands, which Azure Pipelines shows as issues of a run.
//! <https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands>

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::finding::Severity;
use crate::resource::Level;

use super::{Finding, Format, Location, Report, Style, printable};

pub(super) const FORMAT: Format =
    Format { name: "azure", about: "issues of Azure Pipelines (logging commands)", write };

/// The most severe first: the summary of a run shows only some. Azure Pipelines knows errors and warnings; notes are lines
/// of the log.
fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for note in &report.notes {
        if note.level == Level::Note {
            continue;
        }
        issue(note.level.as_str(), note.code, note.location.as_ref(), None, &note.statement(), style, out)?;
    }
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| finding.importance());
    for finding in findings {
        let text = finding.paragraphs().join("\n");
        let (location, root) = (finding.place.location.as_ref(), finding.place.root.as_str());
        match finding.severity {
            Severity::Error => issue("error", finding.rule, location, Some(root), &text, style, out)?,
            Severity::Warning => issue("warning", finding.rule, location, Some(root), &text, style, out)?,
            Severity::Note => {
                let place = location.map_or_else(|| root.to_string(), |location| format!("{location:?}"));
                let line = format!("{place}: note[{}]: {}", finding.rule, finding.statement());
                writeln!(out, "{}", plain(&printable(&line)))?;
            }
        }
    }
    writeln!(out, "Checked {}: {}.", counted_resources(report), report.summary.verdict())
}

fn counted_resources(report: &Report) -> String {
    super::counted(report.summary.resources, "resource")
}

fn issue(
    level: &str,
    code: &str,
    location: Option<&Location>,
    root: Option<&str>,
    text: &str,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut properties = format!("type={level};");
    // Writing to a string cannot fail.
    match (location, root.filter(|root| !root.is_empty())) {
        (Some(location), _) => {
            let path = property(&style.in_repository(location.file.display()));
            let (line, column) = (location.start.line, location.start.column);
            let _ = write!(properties, "sourcepath={path};linenumber={line};columnnumber={column};");
        }
        (None, Some(root)) => {
            let _ = write!(properties, "sourcepath={};", property(&style.in_repository(root)));
        }
        (None, None) => {}
    }
    let _ = write!(properties, "code={};", property(code));
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    writeln!(out, "##vso[task.logissue {properties}]{}", data(&lines.join("\n")))
}

/// The text of a command. <https://github.com/microsoft/azure-pipelines-task-lib/blob/master/node/taskcommand.ts>
fn data(text: &str) -> String {
    text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(']', "%5D").replace(';', "%3B")
}

/// A line of the log that cannot be a command: the agent looks for `##vso[` anywhere, and for `##[` at the beginning.
fn plain(line: &str) -> String {
    line.replace("##", "# #")
}
