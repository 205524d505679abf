//! `--format github`: workflow commands, which GitHub shows as annotations on the lines of a pull request.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::finding::Severity;
use crate::resource::Level;

use super::{Finding, Format, Location, Note, Report, Style, counted, cut, printable};

pub(super) const FORMAT: Format =
    Format { name: "github", about: "annotations of GitHub pull requests (workflow commands)", write };

/// GitHub shows so many annotations of each level of a step (and 50 of a job).
/// <https://docs.github.com/en/rest/checks/runs>
const PER_LEVEL: usize = 10;
/// Files that could not be read make the step fail, so some of them come before findings.
const UNREAD: usize = 3;
/// The runner cuts longer messages.
const MESSAGE_BYTES: usize = 4000;

fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| finding.importance());
    let of =
        |severity| findings.iter().filter(move |finding| finding.severity == severity).map(Said::Finding);
    let about = |level| report.notes.iter().filter(move |note| note.level == level).map(Said::Note);

    let unread = about(Level::Error).count();
    let errors: Vec<Said> = about(Level::Error)
        .take(UNREAD)
        .chain(of(Severity::Error))
        .chain(about(Level::Error).skip(UNREAD))
        .collect();
    let warnings: Vec<Said> = of(Severity::Warning).chain(about(Level::Warning)).collect();
    let notices: Vec<Said> = of(Severity::Note).collect();

    let mut left_out = Vec::new();
    for (said, level) in [(&errors, "error"), (&warnings, "warning")] {
        for said in said.iter().take(PER_LEVEL) {
            writeln!(out, "{}", said.command(level, style))?;
        }
        if said.len() > PER_LEVEL {
            left_out.push(counted(said.len() - PER_LEVEL, &format!("more {level}")));
        }
    }
    // One notice is kept for what is left out, if something is.
    let all_fit = left_out.is_empty() && notices.len() <= PER_LEVEL;
    let shown = if all_fit { notices.len() } else { notices.len().min(PER_LEVEL - 1) };
    for said in notices.iter().take(shown) {
        writeln!(out, "{}", said.command("notice", style))?;
    }
    if notices.len() > shown {
        left_out.push(counted(notices.len() - shown, "more notice"));
    }
    if !left_out.is_empty() {
        let text = format!(
            "{} not shown: GitHub shows {PER_LEVEL} annotations of each level. In all: {}{}.",
            left_out.join(", "),
            report.summary.verdict(),
            if unread > 0 { format!(", {} not read", counted(unread, "part")) } else { String::new() },
        );
        writeln!(out, "::notice title=portolan::{}", data(&text))?;
    }
    Ok(())
}

/// Something to be shown.
enum Said<'a> {
    Finding(&'a &'a Finding),
    Note(&'a Note),
}

impl Said<'_> {
    fn command(&self, level: &str, style: &Style) -> String {
        let (title, location, root, text) = match self {
            Said::Finding(finding) => {
                let place = &finding.place;
                (finding.rule, place.location.as_ref(), Some(&place.root), finding.paragraphs())
            }
            Said::Note(note) => (note.code, note.location.as_ref(), None, vec![note.statement()]),
        };
        let mut properties = String::new();
        // Writing to a string cannot fail.
        match (location, root.filter(|root| !root.is_empty())) {
            (Some(location), _) => {
                let file = style.in_repository(location.file.display());
                let _ = write!(properties, "file={},{},", property(&file), region(location));
            }
            (None, Some(root)) => {
                let _ = write!(properties, "file={},", property(&style.in_repository(root)));
            }
            (None, None) => {}
        }
        let text: Vec<String> = text.iter().map(|line| printable(line)).collect();
        format!(
            "::{level} {properties}title={}::{}",
            property(title),
            data(&cut(&text.join("\n"), MESSAGE_BYTES))
        )
    }
}

/// Lines, and columns where they are on one line: for more lines the runner takes none.
fn region(location: &Location) -> String {
    let (start, end) = (location.start, location.end);
    if start.line == end.line {
        format!(
            "line={},endLine={},col={},endColumn={}",
            start.line,
            end.line,
            start.column,
            end.column.max(start.column)
        )
    } else {
        format!("line={},endLine={}", start.line, end.line)
    }
}

/// The text of a command. <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
