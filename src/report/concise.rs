//! `--format concise`: one line a finding, for editors and `grep`: `path:line:column: severity[rule]: message`.

use std::io::{self, Write};

use crate::resource::Level;

use super::{Finding, Format, Location, Note, Report, Style, printable};

pub(super) const FORMAT: Format = Format { name: "concise", about: "one line a finding, for editors", write };

fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for note in &report.notes {
        let shown = match note.level {
            Level::Error => true,
            Level::Warning => !style.quiet,
            Level::Note => style.verbose,
        };
        if shown {
            of_note(note, out)?;
        }
    }
    report.findings.iter().try_for_each(|finding| of_finding(finding, out))
}

fn of_finding(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let place = place(finding.place.location.as_ref(), &finding.place.root);
    let (severity, rule) = (finding.severity.as_str(), finding.rule);
    let resource = match finding.place.resource.as_str() {
        "" => String::new(),
        resource => format!(" ({})", printable(resource)),
    };
    writeln!(out, "{place}: {severity}[{rule}]: {}{resource}", printable(&finding.statement()))
}

fn of_note(note: &Note, out: &mut dyn Write) -> io::Result<()> {
    let place = match &note.location {
        Some(location) => format!("{}: ", place(Some(location), "")),
        None => String::new(),
    };
    writeln!(out, "{place}{}[{}]: {}", note.level.as_str(), note.code, printable(&note.statement()))
}

fn place(location: Option<&Location>, root: &str) -> String {
    match location {
        Some(location) => printable(&format!("{location:?}")),
        None => printable(root),
    }
}
