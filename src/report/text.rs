//! `--format text`: for people, in the manner of rustc.

use std::collections::BTreeSet;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Padding, Renderer, Snippet};

use crate::finding::{Confidence, Severity};
use crate::resource;

use super::{Finding, Format, Location, Note, Related, Report, Standing, Style, counted, printable};

pub(super) const FORMAT: Format = Format { name: "text", about: "for people", write };

/// Instances of one resource that share a finding's place and words are shown as one, with at most so many named.
const INSTANCES_NAMED: usize = 4;

fn write(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    for note in &report.notes {
        let shown = match note.level {
            resource::Level::Error => true,
            resource::Level::Warning => !style.quiet,
            resource::Level::Note => style.verbose && !style.quiet,
        };
        if shown {
            writeln!(out, "{}\n", renderer.render(&[of_note(note)]))?;
        }
    }
    let mut explained = BTreeSet::new();
    // What is known already comes first: what is new then stands at the end, where people look.
    let (known, others): (Vec<&Finding>, Vec<&Finding>) =
        report.findings.iter().partition(|finding| finding.standing == Some(Standing::Known));
    for group in [known, others] {
        for instances in group.chunk_by(|a, b| same_but_for_instance(a, b)) {
            let Some((finding, others)) = instances.split_first() else { continue };
            let first_of_its_rule = explained.insert(finding.rule);
            writeln!(out, "{}\n", renderer.render(&[of_finding(finding, others, first_of_its_rule)]))?;
        }
    }
    if style.verbose && !style.quiet {
        undecided(report, out)?;
    }
    if !style.quiet {
        summary(report, style, out)?;
    }
    Ok(())
}

/// Whether two findings differ only in the instance of the resource (`count`, `for_each`).
fn same_but_for_instance(a: &Finding, b: &Finding) -> bool {
    a.rule == b.rule
        && a.severity == b.severity
        && a.confidence == b.confidence
        && a.standing == b.standing
        && a.message == b.message
        && a.place.location.is_some()
        && a.place.location == b.place.location
}

fn of_finding<'a>(finding: &'a Finding, others: &[&'a Finding], explain: bool) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = match finding.confidence {
        Confidence::Certain => printable(&finding.message),
        Confidence::Possible => format!("possibly: {}", printable(&finding.message)),
    };
    let mut elements: Vec<Element> = Vec::new();
    let related = |related: &'a Related| {
        let location = related.place.location.as_ref()?;
        Some((location, Some(printable(&related.message))))
    };
    let own = finding.place.location.iter().map(|location| (location, None));
    places(own.chain(finding.related.iter().filter_map(related)).collect(), &mut elements);
    for related in finding.related.iter().filter(|related| related.place.location.is_none()) {
        let text = match related.elsewhere(finding) {
            Some(_) => printable(&related.statement(finding)),
            None => format!("{}: {}", printable(&related.message), printable(&related.place.resource)),
        };
        elements.push(labelled("note", text));
    }
    if !elements.is_empty() {
        elements.push(Padding.into());
    }
    if !finding.place.resource.is_empty() {
        elements.push(labelled("resource", instances(finding, others)));
    }
    if finding.standing == Some(Standing::Known) {
        elements.push(labelled("known", "it was there before".into()));
    }
    if !finding.witness.is_empty() {
        let lines: Vec<String> = finding.witness.iter().map(|line| printable(line)).collect();
        elements.push(labelled("witness", lines.join("\n")));
    }
    if let Some(advice) = &finding.advice {
        elements.push(labelled("advice", printable(advice)));
    }
    if explain {
        elements.push(labelled("help", format!("`portolan explain {}` says more", finding.rule)));
    }
    level.primary_title(message).id(finding.rule).elements(elements)
}

fn instances(finding: &Finding, others: &[&Finding]) -> String {
    let mut text = printable(&finding.place.resource);
    let named = others.len().min(INSTANCES_NAMED);
    for other in others.iter().take(named) {
        text.push_str(", ");
        text.push_str(&printable(&other.place.resource));
    }
    if others.len() > named {
        text.push_str(&format!(" and {} more", others.len() - named));
    }
    text
}

fn of_note(note: &Note) -> Group<'_> {
    let level = match note.level {
        resource::Level::Error => Level::ERROR,
        resource::Level::Warning => Level::WARNING,
        resource::Level::Note => Level::NOTE,
    };
    let mut elements: Vec<Element> = Vec::new();
    places(note.location.iter().map(|location| (location, None)).collect(), &mut elements);
    if let Some(help) = &note.help {
        elements.push(labelled("help", printable(help)));
    }
    level.primary_title(printable(&note.message)).id(note.code).elements(elements)
}

/// `= name: text` below the source lines.
fn labelled<'a>(name: &'static str, text: String) -> Element<'a> {
    Level::NOTE.with_name(name).message(text).into()
}

/// A place to be shown, and what to say about it.
type Shown<'a> = (&'a Location, Option<String>);

/// The first line of each place, with what is meant underlined; the first place is the finding's own. Nothing but these
/// lines is ever shown, and of a line that holds a sensitive value only where it is.
fn places<'a>(places: Vec<Shown<'a>>, elements: &mut Vec<Element<'a>>) {
    let on_one_line =
        |a: &Shown, b: &Shown| a.0.file.id() == b.0.file.id() && a.0.start.line == b.0.start.line;
    let mut kind = AnnotationKind::Primary;
    for line in places.chunk_by(on_one_line) {
        same_line(line, kind, elements);
        kind = AnnotationKind::Context;
    }
}

/// So many bytes of a long line (a minified template) are shown on either side of what is meant.
const CONTEXT: usize = 60;
/// A line up to so many bytes is shown as it is.
const LONG: usize = 400;

fn same_line<'a>(places: &[Shown<'a>], mut kind: AnnotationKind, elements: &mut Vec<Element<'a>>) {
    let Some((location, label)) = places.first() else { return };
    let text: &'a str = location.file.text();
    let Some(line) = location.file.lines().line_range(text, location.start.line) else { return };
    let source = text.get(line.clone()).unwrap_or("");
    let path = printable(location.file.display());
    let sensitive = places.iter().any(|(location, _)| location.sensitive);
    if sensitive || source.len() > LONG {
        let origin =
            Origin::path(path).line(location.start.line as usize).char_column(location.start.column as usize);
        elements.push(origin.into());
        let name = label.as_deref().unwrap_or("here");
        let shown = if sensitive { "(a sensitive value)".to_string() } else { excerpt(text, line, location) };
        elements.push(labelled("text", format!("{name}: {shown}")));
        return;
    }
    let mut snippet = Snippet::source(source).path(path).line_start(location.start.line as usize);
    for (location, label) in places {
        let within = |offset: u32| (offset as usize).clamp(line.start, line.end) - line.start;
        let (start, end) = (within(location.span.start), within(location.span.end));
        snippet = snippet.annotation(kind.span(start..end.max(start)).label(label.clone()));
        kind = AnnotationKind::Context;
    }
    elements.push(snippet.into());
}

/// The part of a long line around what is meant.
fn excerpt(text: &str, line: std::ops::Range<usize>, location: &Location) -> String {
    let start = (location.span.start as usize).clamp(line.start, line.end);
    let end = (location.span.end as usize).clamp(start, line.end).min(start + CONTEXT);
    let from = boundary(text, start.saturating_sub(CONTEXT).max(line.start));
    let to = boundary(text, end.saturating_add(CONTEXT).min(line.end));
    format!("…{}…", printable(text.get(from..to).unwrap_or("")))
}

/// The nearest character boundary at or before an offset.
fn boundary(text: &str, mut offset: usize) -> usize {
    offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn undecided(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for undecided in &report.undecided {
        let place = match &undecided.place.location {
            Some(location) => format!("{location:?}"),
            None => undecided.place.root.clone(),
        };
        let resource = printable(&undecided.place.resource);
        let because = printable(&undecided.because);
        writeln!(out, "undecided[{}]: {resource} ({}): {because}", undecided.rule, printable(&place))?;
    }
    if !report.undecided.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// So many entries of a baseline that no longer occur are listed unless all are asked for.
const FIXED_LISTED: usize = 5;

/// So many causes of undecided checks are listed unless all are asked for.
const CAUSES_LISTED: usize = 5;

fn summary(report: &Report, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let standings = report.standings().map(|(new, known)| format!(" ({new} new, {known} known)"));
    writeln!(
        out,
        "Checked {} in {} with {}: {}{}.",
        counted(summary.resources, "resource"),
        counted(summary.files, "file"),
        counted(summary.rules, "rule"),
        summary.verdict(),
        standings.filter(|_| summary.known_hidden == 0).unwrap_or_default(),
    )?;
    if summary.known_hidden > 0 {
        let findings = counted(summary.known_hidden, "known finding");
        writeln!(out, "{findings} not shown: there before.")?;
    }
    if summary.fixable > 0 {
        writeln!(
            out,
            "{} can be fixed with `--fix`; `--diff` shows how.",
            counted(summary.fixable, "finding")
        )?;
    }
    if summary.untouched_hidden > 0 {
        writeln!(out, "{} not shown: no change touches them.", counted(summary.untouched_hidden, "finding"))?;
    }
    if summary.fixed > 0 {
        let entries = if summary.fixed == 1 { "entry" } else { "entries" };
        writeln!(
            out,
            "{} {entries} of the baseline no longer found; `--write-baseline` with the same file takes them out.",
            summary.fixed
        )?;
        let listed = if style.verbose { report.fixed.len() } else { FIXED_LISTED };
        for entry in report.fixed.iter().take(listed) {
            writeln!(out, "  {}: {}", printable(&entry.rule), printable(&entry.resource))?;
        }
        if report.fixed.len() > listed {
            writeln!(out, "  and {} more; `--verbose` lists them", report.fixed.len() - listed)?;
        }
    }
    if summary.suppressed > 0 {
        writeln!(out, "{} suppressed.", counted(summary.suppressed, "finding"))?;
    }
    if summary.unused_suppressions > 0 {
        let all = counted(summary.unused_suppressions, "suppression");
        writeln!(out, "{all} unused; `--verbose` shows where.")?;
    }
    if summary.possible_hidden > 0 {
        let findings = counted(summary.possible_hidden, "possible finding");
        writeln!(out, "{findings} not shown; `--possible` shows what may be wrong but is not certain.")?;
    }
    if summary.undecided > 0 {
        writeln!(out, "{} of {} undecided:", summary.undecided, counted(summary.checks, "check"))?;
        let listed = if style.verbose { summary.causes.len() } else { CAUSES_LISTED };
        for cause in summary.causes.iter().take(listed) {
            let advice = cause.advice.map(|advice| format!("; {advice}")).unwrap_or_default();
            writeln!(out, "  {} because {}{advice}", cause.checks, printable(&cause.because))?;
        }
        if summary.causes.len() > listed {
            let rest: usize = summary.causes.iter().skip(listed).map(|cause| cause.checks).sum();
            writeln!(out, "  {rest} for other reasons; `--verbose` lists them")?;
        }
    }
    if !summary.unsupported.is_empty() {
        let types: Vec<String> = summary
            .unsupported
            .iter()
            .map(|unsupported| format!("{} ({})", printable(&unsupported.what), unsupported.count))
            .collect();
        writeln!(out, "Resource types that Portolan does not know: {}.", types.join(", "))?;
    }
    Ok(())
}
