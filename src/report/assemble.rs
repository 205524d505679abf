//! From what rules and frontends said, in terms of the model, to a [`Report`] in terms of files: places resolved, sorted,
//! each finding once.

use std::collections::BTreeMap;

use crate::chart::{self, Chart};
use crate::finding;
use crate::fix;
use crate::resource::{Configuration, Language};
use crate::rules::{Outcome, Rule};
use crate::source::{FileId, SourceMap, Span};
use crate::topology::{self, Topology};
use crate::value::{Unknown, Value, ValueKind};

use super::{
    Edit, Finding, Fix, HiddenLines, Location, Note, Place, Related, Report, Summary, Undecided, WRITTEN,
    fingerprint,
};

/// Everything that one run came to know.
pub struct Answer<'a> {
    /// The files.
    pub sources: &'a SourceMap,
    /// What the frontends made of them.
    pub configuration: &'a Configuration,
    /// The model.
    pub topology: &'a Topology,
    /// The model of what is there now, where a plan says it: findings may name what the plan removes.
    pub before: Option<&'a Topology>,
    /// The rules that ran.
    pub rules: &'a [&'static Rule],
    /// What they said.
    pub outcome: &'a Outcome,
    /// The fix of each finding, in the order of the outcome; none for those beyond its end.
    pub fixes: &'a [Option<fix::Planned>],
    /// Whether possible findings are to be shown.
    pub possible: bool,
}

impl Answer<'_> {
    /// Why something is not known, behind all derivations, and what a user can do about it. What was not known in another
    /// repository is not for the user of this one to say.
    pub(super) fn because(&self, unknown: &Unknown) -> (String, Option<&'static str>) {
        let root = unknown.root();
        let file = self.sources.get(root.span.file);
        let is_context = |path: &str| {
            let mut roots = self.configuration.roots.iter();
            roots.any(|root| root.language == Language::Topology && root.path == path)
        };
        match file.filter(|file| is_context(file.display())) {
            Some(file) => (format!("{} in {}", root.cause, file.display()), None),
            None => (root.cause.to_string(), super::summary::advice(&root.cause)),
        }
    }
}

/// Makes the report of a run.
pub fn assemble(answer: &Answer) -> Report {
    let resolver = Resolver::new(answer);
    let mut hidden = 0;
    let mut findings = Vec::new();
    for (index, finding) in answer.outcome.findings.iter().enumerate() {
        if finding.confidence == finding::Confidence::Possible && !answer.possible {
            hidden += 1;
        } else if let Some(rule) = answer.rules.iter().find(|rule| rule.name == finding.rule) {
            let fix = answer.fixes.get(index).and_then(Option::as_ref);
            findings.push(resolver.finding(finding, rule, fix));
        }
    }
    findings.sort_by(|a, b| finding_order(a).cmp(&finding_order(b)));
    findings.dedup();
    fingerprint::number(&mut findings);

    let mut undecided: Vec<Undecided> = answer
        .outcome
        .undecided
        .iter()
        .map(|undecided| Undecided {
            rule: undecided.rule,
            place: resolver.place(undecided.place, None),
            because: answer.because(&undecided.because).0,
        })
        .collect();
    undecided.sort_by(|a, b| undecided_order(a).cmp(&undecided_order(b)));

    let mut notes: Vec<Note> = answer
        .configuration
        .diagnostics
        .iter()
        .map(|diagnostic| Note {
            level: diagnostic.level,
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            location: resolver.location(diagnostic.span),
        })
        .collect();
    sort_notes(&mut notes);

    let checked = answer.configuration.roots.iter().filter(|root| root.language != Language::Topology);
    let mut roots: Vec<String> = checked.map(|root| root.path.clone()).collect();
    roots.sort_unstable();
    roots.dedup();

    let summary = Summary::new(answer, &findings, hidden);
    Report {
        rules: answer.rules.to_vec(),
        roots,
        findings,
        hidden: Vec::new(),
        suppressed: Vec::new(),
        fixed: Vec::new(),
        undecided,
        notes,
        chart: Chart::default(),
        summary,
        sensitive: resolver.sensitive,
    }
}

impl Report {
    /// Draws the part of the network that the findings are about, once it is settled which are shown.
    pub fn draw(&mut self, topology: &Topology) {
        let findings = self.findings.iter().map(|finding| (finding.severity, finding.parts.as_slice()));
        self.chart = Chart::new(topology, findings);
    }
}

/// The lines that hold values which must not be shown.
pub fn hidden_lines(answer: &Answer) -> HiddenLines {
    let mut hidden = HiddenLines::default();
    for (id, ranges) in Sensitive::of(answer.configuration).0 {
        let Some(file) = answer.sources.get(id) else { continue };
        let line = |offset: u32| file.lines().position(file.text(), offset as usize).line;
        let lines = ranges.into_iter().map(|(start, end)| (line(start), line(end.max(start)))).collect();
        hidden.0.insert(file.display().to_string(), lines);
    }
    hidden
}

fn sort_notes(notes: &mut Vec<Note>) {
    notes.sort_by(|a, b| note_order(a).cmp(&note_order(b)));
    notes.dedup();
}

impl Report {
    /// Puts the notes in order after some were added.
    pub fn sort_notes(&mut self) {
        sort_notes(&mut self.notes);
    }

    /// The place of a span in the files that were read.
    pub fn location(&self, sources: &SourceMap, span: Span) -> Option<Location> {
        self.sensitive.location(sources, span)
    }
}

/// Places without a file come last.
fn location_order(location: &Option<Location>) -> (bool, Option<(&str, u32, u32, u32)>) {
    (location.is_none(), location.as_ref().map(Location::order))
}

fn finding_order(finding: &Finding) -> impl Ord + '_ {
    let place = &finding.place;
    (
        location_order(&place.location),
        finding.rule,
        &place.root,
        &place.resource,
        &place.resource_id,
        &finding.message,
        finding.related.iter().map(|r| (location_order(&r.place.location), &r.message)).collect::<Vec<_>>(),
    )
}

fn undecided_order(undecided: &Undecided) -> impl Ord + '_ {
    let place = &undecided.place;
    (location_order(&place.location), undecided.rule, &place.root, &place.resource, &undecided.because)
}

fn note_order(note: &Note) -> impl Ord + '_ {
    (location_order(&note.location), note.code, &note.message)
}

struct Resolver<'a> {
    answer: &'a Answer<'a>,
    sensitive: Sensitive,
    fingerprints: fingerprint::Fingerprints<'a>,
}

impl<'a> Resolver<'a> {
    fn new(answer: &'a Answer<'a>) -> Self {
        let sensitive = Sensitive::of(answer.configuration);
        Self { answer, sensitive, fingerprints: fingerprint::Fingerprints::new(answer.topology) }
    }

    fn finding(&self, finding: &finding::Finding, rule: &Rule, fix: Option<&fix::Planned>) -> Finding {
        let place = self.place(finding.place, finding.resource_id.as_ref());
        let mut related = Vec::new();
        self.add_origin(finding.place, &place, &mut related);
        for part in &finding.related {
            let place = match self.answer.before.filter(|_| part.before) {
                Some(before) => self.place_in(before, part.place, part.resource_id.as_ref()),
                None => self.place(part.place, part.resource_id.as_ref()),
            };
            related.push(Related { message: part.message.clone(), place: place.clone() });
            self.add_origin(part.place, &place, &mut related);
        }
        Finding {
            rule: rule.name,
            category: rule.category,
            severity: finding.severity,
            confidence: finding.confidence,
            message: finding.message.clone(),
            place,
            related,
            witness: finding.witness.clone(),
            advice: finding.advice.clone(),
            fingerprint: self.fingerprints.of(finding),
            standing: finding.standing,
            parts: finding
                .related
                .iter()
                .map(|related| (related.place, &related.resource_id))
                .chain([(finding.place, &finding.resource_id)])
                .map(|(place, path)| chart::Touched { resource: place.resource, path: path.clone() })
                .collect(),
            fix: fix.and_then(|fix| self.fix(fix)),
        }
    }

    /// The fix in terms of files; none where a line that it changes holds a value that must not be shown.
    fn fix(&self, fix: &fix::Planned) -> Option<Fix> {
        let edits = fix.edits.iter().map(|edit| {
            let location = self.location(edit.span).filter(|location| !location.sensitive)?;
            Some(Edit { location, text: edit.text.clone() })
        });
        Some(Fix { title: fix.title.clone(), edits: edits.collect::<Option<_>>()? })
    }

    /// Where the value was written, when that is not where it is used.
    fn add_origin(&self, place: topology::Place, resolved: &Place, related: &mut Vec<Related>) {
        if place.site.contains(place.origin) || !place.site.is_somewhere() {
            return;
        }
        let Some(location) = self.location(place.origin) else { return };
        let place = Place { location: Some(location), ..resolved.clone() };
        if related.iter().all(|other| other.place.location != place.location) {
            related.push(Related { message: WRITTEN.into(), place });
        }
    }

    fn place(&self, place: topology::Place, resource_id: Option<&String>) -> Place {
        self.place_in(self.answer.topology, place, resource_id)
    }

    fn place_in(&self, topology: &Topology, place: topology::Place, resource_id: Option<&String>) -> Place {
        let Some(resource) = topology.resources.get(place.resource.index()) else {
            let location = self.location(place.site.or(place.origin));
            return Place {
                root: String::new(),
                resource: String::new(),
                resource_id: resource_id.cloned(),
                location,
            };
        };
        let root = self.answer.configuration.roots.get(resource.key.root as usize);
        Place {
            root: root.map(|root| root.path.clone()).unwrap_or_default(),
            resource: resource.key.address.to_string(),
            resource_id: resource_id.or(resource.resource_id.as_ref()).cloned(),
            location: self.location(place.site.or(place.origin).or(resource.place.site)),
        }
    }

    fn location(&self, span: Span) -> Option<Location> {
        self.sensitive.location(self.answer.sources, span)
    }
}

/// Where values stand that must not be shown, in order, for each file.
#[derive(Default)]
pub(super) struct Sensitive(BTreeMap<FileId, Vec<(u32, u32)>>);

impl Sensitive {
    fn of(configuration: &Configuration) -> Self {
        let mut ranges: BTreeMap<FileId, Vec<(u32, u32)>> = BTreeMap::new();
        for resource in &configuration.resources {
            note_sensitive(&resource.body, resource.span, &mut ranges, 0);
        }
        for ranges in ranges.values_mut() {
            ranges.sort_unstable();
            ranges.dedup();
        }
        Self(ranges)
    }

    fn location(&self, sources: &SourceMap, span: Span) -> Option<Location> {
        let location = Location::of(sources, span)?;
        let sensitive = self.covers(&location.file, location.start.line, location.end.line);
        Some(Location { sensitive, ..location })
    }

    /// Whether one of the lines holds a value that must not be shown.
    fn covers(&self, file: &crate::source::SourceFile, first: u32, last: u32) -> bool {
        let Some(ranges) = self.0.get(&file.id()) else { return false };
        let lines = file.lines();
        let start = lines.line_range(file.text(), first).map_or(0, |range| range.start);
        let end = lines.line_range(file.text(), last).map_or(usize::MAX, |range| range.end);
        ranges.iter().any(|(from, to)| (*from as usize) < end && start < *to as usize)
    }
}

/// Deeper than configuration is; values come from evaluation, which has its own limit.
const DEPTH: usize = 64;

/// Notes where sensitive values stand: where they were written and where they are used.
fn note_sensitive(value: &Value, used: Span, ranges: &mut BTreeMap<FileId, Vec<(u32, u32)>>, depth: usize) {
    // What lies too deep to be looked at is not shown either.
    if value.sensitive || depth > DEPTH {
        for span in [value.span, used] {
            if span.is_somewhere() {
                ranges.entry(span.file).or_default().push((span.start, span.end));
            }
        }
        return;
    }
    match &value.kind {
        ValueKind::Sequence(sequence) => {
            for item in &sequence.items {
                note_sensitive(item, item.span, ranges, depth + 1);
            }
        }
        ValueKind::Mapping(mapping) => {
            for entry in mapping.entries.values() {
                note_sensitive(&entry.value, entry.span, ranges, depth + 1);
            }
        }
        _ => {}
    }
}
