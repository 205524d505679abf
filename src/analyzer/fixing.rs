//! Fixes in rounds: apply, check again, until nothing changes. Nothing is written to disk here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::fix::{Changed, apply};
use crate::report::{Finding, Fix, HiddenLines, Location, Report};
use crate::resource::{Language, Level};
use crate::rules::{self, Rule};
use crate::source::{SourceMap, Span};

use super::touched::Touched;
use super::{Checked, Options, Stage, examine};

/// More rounds than fixes that wait for each other take. Each round ends with fewer findings than it began with.
const ROUNDS: usize = 32;

/// So many checks are spent on finding out which of the fixes of a round do harm.
const TRIALS: usize = 256;

/// What fixing came to.
pub struct Fixing {
    /// The files that are different, by path.
    pub files: Vec<Changed>,
    /// What was fixed, in order.
    pub fixed: Vec<Fixed>,
    /// What remains.
    pub report: Report,
    /// Lines of the files as they are now that are not to be shown.
    pub hidden: HiddenLines,
    /// Whether the input is a plan: then what remains is as it was, until there is a new plan.
    pub planned: bool,
}

/// A finding that is no more.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The rule's name.
    pub rule: &'static str,
    /// What was done.
    pub title: String,
    /// Where the finding was, with lines as they were when it was fixed.
    pub location: Option<Location>,
}

/// Edits of one file: its text, and what is to stand where.
type FileEdits<'e> = (Arc<str>, Vec<(Span, &'e str)>);

/// New texts of files, by the path under which they are opened.
type Texts = BTreeMap<PathBuf, Arc<str>>;

/// Edits that belong together, and the findings that they do away with.
struct Candidate<'r> {
    fix: &'r Fix,
    findings: Vec<&'r Finding>,
}

/// Finds the fixes that can be applied so that the next check is clean of them and of nothing new.
pub fn fix(options: &Options, progress: &dyn Fn(Stage)) -> Fixing {
    let mut options = options.clone();
    options.standard_input.get_or_insert_default();
    let options = &options;
    // What a fix breaks may be another rule's subject.
    let mut watched = options.clone();
    let extra = rules::ALL.iter().copied().filter(|rule| !rule.pedantic && !has(&options.rules, rule));
    watched.rules.extend(extra);
    // Changed lines are those of the files as they are. What they touch is settled before the first edit moves them.
    watched.changes = None;

    let mut texts = Texts::new();
    let mut trials = TRIALS;
    let first = over(&texts, &watched, progress);
    let originals = Arc::clone(&first.0);
    let hidden = first.1.hidden.clone();
    let planned = first.1.languages.contains(&Language::TerraformPlan);
    let mut current = first.1;
    let told = Told::of(&mut current, &originals, options);
    let mut fixed = Vec::new();
    for _ in 0..ROUNDS {
        let candidates = candidates(&current.report, &options.rules, &told);
        if candidates.is_empty() {
            break;
        }
        if planned {
            // A plan does not change when its source does: this is as far as can be seen.
            texts = with(&texts, &candidates);
            fixed.extend(candidates.iter().flat_map(of_candidate));
            break;
        }
        let before = Standing::of(&current.report);
        let mut harmless =
            Round { texts: &texts, watched: &watched, before: &before, trials: &mut trials, progress };
        let (kept, next) = harmless.largest(Vec::new(), candidates.iter().collect());
        let Some(next) = next.filter(|_| !kept.is_empty()) else { break };
        fixed.extend(kept.iter().flat_map(|candidate| of_candidate(candidate)));
        let kept: Vec<&Candidate> = kept;
        texts = with_refs(&texts, &kept);
        current = next;
    }
    let untouched = Options { changes: None, ..options.clone() };
    let mut report = over(&texts, &untouched, progress).1.report;
    if told.only.is_some() {
        report.leave_out_untouched(|finding| told.is(finding));
    }
    let files = texts
        .iter()
        .filter_map(|(path, text)| {
            let file = originals.by_path(path)?;
            (file.text() != text).then(|| Changed { file, text: text.to_string() })
        })
        .collect();
    Fixing { files, fixed, report, hidden, planned }
}

/// Which findings are told, where only those are that a change touches.
struct Told {
    only: Option<BTreeSet<String>>,
}

impl Told {
    fn of(checked: &mut Checked, sources: &SourceMap, options: &Options) -> Self {
        let Some(changes) = &options.changes else { return Self { only: None } };
        let touched = Touched::of(&mut checked.report, changes, sources, options, &checked.languages);
        let findings = checked.report.findings.iter().filter(|finding| touched.is(finding));
        Self { only: Some(findings.map(|finding| recognised(finding).to_string()).collect()) }
    }

    fn is(&self, finding: &Finding) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(recognised(finding)))
    }
}

/// What a finding is recognised by when lines have moved: its fingerprint, without the number that tells equals apart.
fn recognised(finding: &Finding) -> &str {
    finding.fingerprint.split(':').next().unwrap_or_default()
}

fn has(rules: &[&'static Rule], rule: &Rule) -> bool {
    rules.iter().any(|other| other.name == rule.name)
}

/// Checks with some files' texts exchanged.
fn over(texts: &Texts, options: &Options, progress: &dyn Fn(Stage)) -> (Arc<SourceMap>, Checked) {
    let sources = Arc::new(SourceMap::new());
    for (path, text) in texts {
        sources.add(path, Arc::clone(text));
    }
    let checked = examine(&sources, options, progress);
    (sources, checked)
}

/// The fixes of a report that do not touch each other, the first ones first; the others wait for the next round.
fn candidates<'r>(report: &'r Report, rules: &[&'static Rule], told: &Told) -> Vec<Candidate<'r>> {
    let mut chosen: Vec<Candidate<'r>> = Vec::new();
    let mut taken: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for finding in &report.findings {
        let Some(fix) = finding.fix.as_ref().filter(|_| rules.iter().any(|rule| rule.name == finding.rule))
        else {
            continue;
        };
        if !told.is(finding) {
            continue;
        }
        if let Some(same) = chosen.iter_mut().find(|candidate| candidate.fix.edits == fix.edits) {
            same.findings.push(finding);
            continue;
        }
        let touches = fix.edits.iter().any(|edit| {
            taken.get(edit.location.file.display()).is_some_and(|spans| {
                spans
                    .iter()
                    .any(|span| span.start <= edit.location.span.end && edit.location.span.start <= span.end)
            })
        });
        if touches {
            continue;
        }
        for edit in &fix.edits {
            taken.entry(edit.location.file.display()).or_default().push(edit.location.span);
        }
        chosen.push(Candidate { fix, findings: vec![finding] });
    }
    chosen
}

fn of_candidate(candidate: &Candidate) -> Vec<Fixed> {
    let fixed = |finding: &&Finding| Fixed {
        rule: finding.rule,
        title: candidate.fix.title.clone(),
        location: finding.place.location.clone(),
    };
    candidate.findings.iter().map(fixed).collect()
}

fn with(texts: &Texts, candidates: &[Candidate]) -> Texts {
    with_refs(texts, &candidates.iter().collect::<Vec<_>>())
}

/// The texts with the edits of candidates applied.
fn with_refs(texts: &Texts, candidates: &[&Candidate]) -> Texts {
    let mut edits: BTreeMap<PathBuf, FileEdits> = BTreeMap::new();
    for edit in candidates.iter().flat_map(|candidate| &candidate.fix.edits) {
        let file = &edit.location.file;
        let entry =
            edits.entry(file.path().to_path_buf()).or_insert_with(|| (Arc::clone(file.text()), Vec::new()));
        entry.1.push((edit.location.span, &edit.text));
    }
    let mut next = texts.clone();
    for (path, (text, mut edits)) in edits {
        edits.sort_by_key(|(span, _)| span.start);
        next.insert(path, apply(&text, edits).into());
    }
    next
}

/// What a report says, without words and places, which change as files do.
struct Standing {
    findings: BTreeMap<Key, usize>,
    /// Errors in reading the input.
    errors: usize,
}

/// A finding without words and places.
type Key = (&'static str, String, String, Option<String>);

fn key(finding: &Finding) -> Key {
    let place = &finding.place;
    (finding.rule, place.root.clone(), place.resource.clone(), place.resource_id.clone())
}

impl Standing {
    fn of(report: &Report) -> Self {
        let mut findings = BTreeMap::new();
        for finding in &report.findings {
            *findings.entry(key(finding)).or_default() += 1;
        }
        let errors = report.notes.iter().filter(|note| note.level == Level::Error).count();
        Self { findings, errors }
    }

    /// Whether nothing came to it, and each of the fixed findings went.
    fn improved_to(&self, after: &Standing, fixed: &[&Finding]) -> bool {
        let count = |standing: &Standing, key: &Key| standing.findings.get(key).copied().unwrap_or(0);
        let keys: BTreeSet<Key> = fixed.iter().map(|finding| key(finding)).collect();
        after.errors <= self.errors
            && after.findings.iter().all(|(key, after)| *after <= count(self, key))
            && keys.iter().all(|wanted| {
                let gone = fixed.iter().filter(|finding| key(finding) == *wanted).count();
                count(after, wanted) + gone <= count(self, wanted)
            })
    }
}

/// The search for the fixes of one round that do no harm.
struct Round<'a> {
    texts: &'a Texts,
    watched: &'a Options,
    before: &'a Standing,
    trials: &'a mut usize,
    progress: &'a dyn Fn(Stage),
}

impl<'a> Round<'a> {
    /// As many of the candidates as can be applied together with those that were found harmless, and what a check says then.
    fn largest<'c, 'r>(
        &mut self,
        mut kept: Vec<&'c Candidate<'r>>,
        tried: Vec<&'c Candidate<'r>>,
    ) -> (Vec<&'c Candidate<'r>>, Option<Checked>) {
        if tried.is_empty() || *self.trials == 0 {
            return (kept, None);
        }
        *self.trials -= 1;
        let together: Vec<&Candidate> = kept.iter().chain(&tried).copied().collect();
        let next = with_refs(self.texts, &together);
        let checked = over(&next, self.watched, self.progress).1;
        let findings: Vec<&Finding> =
            together.iter().flat_map(|candidate| candidate.findings.iter().copied()).collect();
        if self.before.improved_to(&Standing::of(&checked.report), &findings) {
            kept.extend(tried);
            return (kept, Some(checked));
        }
        if tried.len() == 1 {
            return (kept, None);
        }
        let mut first = tried;
        let second = first.split_off(first.len() / 2);
        let (kept, checked) = self.largest(kept, first);
        let (kept, more) = self.largest(kept, second);
        (kept, more.or(checked))
    }
}
