//! `--format markdown`: for the summary of a job, a comment, or a file: verdict, findings, a picture of the part of the
//! network concerned, and what was not decided. GitHub Flavored Markdown, <https://github.github.com/gfm/>.

mod escape;
mod mermaid;

use std::io::{self, Write};

use crate::finding::Confidence;
use crate::resource::Level;

use super::{
    Finding, Format, Location, Note, Report, Standing, Style, Summary, counted, cut, help_url, sentence,
};
use escape::{code, escaped, prose};

pub(super) const FORMAT: Format =
    Format { name: "markdown", about: "a page for the summary of a job, with a picture", write };

/// GitHub takes 1 MiB of summary from a step, and nothing of a longer one.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits>
/// So much is for the rows of findings; the rest is bounded below and takes less than half of the whole.
const ROWS_BYTES: usize = 512 << 10;
/// Of one text in a row.
const TEXT_BYTES: usize = 1000;
/// Lines of a witness.
const WITNESS: usize = 8;
/// Notes about the input, causes, types.
const LISTED: usize = 20;

fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    writeln!(out, "## Portolan: {}\n", summary.verdict())?;
    writeln!(
        out,
        "Checked {} in {} with {}.\n",
        counted(summary.resources, "resource"),
        counted(summary.files, "file"),
        counted(summary.rules, "rule"),
    )?;
    input(report, style, out)?;
    findings(report, style, out)?;
    if !report.chart.is_empty() {
        writeln!(out, "### The part of the network concerned\n")?;
        mermaid::write(&report.chart, out)?;
        if report.chart.left_out > 0 {
            writeln!(out, "{} not drawn.\n", counted(report.chart.left_out, "more part"))?;
        }
    }
    undecided(summary, out)
}

/// What could not be read or was not understood.
fn input(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let unread = report.notes.iter().filter(|note| note.level == Level::Error);
    let others = report.notes.iter().filter(|note| note.level == Level::Warning && !style.quiet);
    let notes: Vec<&Note> = unread.chain(others).collect();
    for note in notes.iter().take(LISTED) {
        let place = match &note.location {
            Some(location) => format!(" ({})", place(location, style)),
            None => String::new(),
        };
        writeln!(
            out,
            "- **{}**: {}{place}",
            note.level.as_str(),
            prose(&cut(&note.statement(), TEXT_BYTES))
        )?;
    }
    if notes.len() > LISTED {
        writeln!(out, "- {} about the input", counted(notes.len() - LISTED, "more note"))?;
    }
    if notes.is_empty() { Ok(()) } else { writeln!(out) }
}

fn findings(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "| | Where | What | Rule |\n|---|---|---|---|")?;
    let mut order: Vec<&Finding> = report.findings.iter().collect();
    order.sort_by_key(|finding| finding.importance());
    let mut bytes = 0;
    let mut shown = 0;
    for finding in &order {
        let row = row(finding, style);
        bytes += row.len();
        if bytes > ROWS_BYTES {
            break;
        }
        shown += 1;
        writeln!(out, "{row}")?;
    }
    writeln!(out)?;
    if shown < order.len() {
        writeln!(out, "{} not listed here.\n", counted(order.len() - shown, "more finding"))?;
    }
    Ok(())
}

fn row(finding: &Finding, style: &Style) -> String {
    let mut severity = format!("**{}**", finding.severity.as_str());
    if finding.confidence == Confidence::Possible {
        severity.push_str(", possible");
    }
    match finding.standing {
        Some(Standing::New) => severity.push_str(", new"),
        Some(Standing::Known) => severity.push_str(", known"),
        None => {}
    }
    let place = match &finding.place.location {
        Some(location) => place(location, style),
        None => code(&cut(&style.in_repository(&finding.place.root), TEXT_BYTES)),
    };
    let mut what = vec![prose(&cut(&sentence(&finding.message), TEXT_BYTES))];
    what.extend(finding.witness.iter().take(WITNESS).map(|line| prose(&cut(line, TEXT_BYTES))));
    if let Some(advice) = &finding.advice {
        what.push(format!("*Advice:* {}", prose(&cut(&sentence(advice), TEXT_BYTES))));
    }
    if !finding.place.resource.is_empty() {
        what.push(code(&cut(&finding.place.resource, TEXT_BYTES)));
    }
    let rule = format!("[{}]({})", escaped(finding.rule), help_url(finding.rule));
    format!("| {severity} | {place} | {} | {rule} |", what.join("<br>"))
}

fn place(location: &Location, style: &Style) -> String {
    let file = cut(&style.in_repository(location.file.display()), TEXT_BYTES);
    code(&format!("{file}:{}", location.start.line))
}

fn undecided(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.known_hidden > 0 {
        writeln!(out, "{} not shown: there before.\n", counted(summary.known_hidden, "known finding"))?;
    }
    if summary.possible_hidden > 0 {
        let possible = counted(summary.possible_hidden, "possible finding");
        writeln!(out, "{possible} not shown; `--possible` shows what may be wrong but is not certain.\n")?;
    }
    if summary.undecided > 0 {
        let checks = counted(summary.checks, "check");
        writeln!(out, "### Not decided\n\n{} of {checks} could not be decided:\n", summary.undecided)?;
        for cause in summary.causes.iter().take(LISTED) {
            let advice = cause.advice.map(|advice| format!("; {}", prose(advice))).unwrap_or_default();
            writeln!(out, "- {} because {}{advice}", cause.checks, prose(&cut(&cause.because, TEXT_BYTES)))?;
        }
        if summary.causes.len() > LISTED {
            let rest: usize = summary.causes.iter().skip(LISTED).map(|cause| cause.checks).sum();
            writeln!(out, "- {rest} for other reasons")?;
        }
        writeln!(out)?;
    }
    if !summary.unsupported.is_empty() {
        let types: Vec<String> = summary
            .unsupported
            .iter()
            .take(LISTED)
            .map(|unsupported| {
                format!("{} ({})", code(&cut(&unsupported.what, TEXT_BYTES)), unsupported.count)
            })
            .collect();
        let more = summary.unsupported.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "Resource types that Portolan does not know: {}{more}.", types.join(", "))?;
    }
    Ok(())
}
