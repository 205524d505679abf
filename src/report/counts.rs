//! `--format counts`: the numbers of a run, a line each, for scripts that read no JSON.

use std::io::{self, Write};

use crate::resource::Level;

use super::{Format, Report, Style};

pub(super) const FORMAT: Format =
    Format { name: "counts", about: "numbers as NAME=VALUE lines, for scripts", write };

fn write(report: &Report, _: &Style, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let unread = report.notes.iter().filter(|note| note.level == Level::Error).count();
    for (name, value) in [
        ("findings", summary.findings()),
        ("errors", summary.errors),
        ("warnings", summary.warnings),
        ("notes", summary.notes),
        ("possible-hidden", summary.possible_hidden),
        ("checks", summary.checks),
        ("undecided", summary.undecided),
        ("unread", unread),
    ] {
        writeln!(out, "{name}={value}")?;
    }
    Ok(())
}
