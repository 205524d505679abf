//! The numbers of a run, and what it could not decide or did not understand.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Confidence, Severity, Standing};
use crate::resource::Language;
use crate::topology::Topology;
use crate::value;

use super::assemble::Answer;
use super::{Finding, Report, counted};

/// The numbers of a run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Summary {
    /// How many files were read.
    pub files: usize,
    /// How many resources they hold, looked-up ones included.
    pub resources: usize,
    /// How many rules ran.
    pub rules: usize,
    /// How many checks they made, however those ended.
    pub checks: usize,
    /// Findings of [`Severity::Error`].
    pub errors: usize,
    /// Findings of [`Severity::Warning`].
    pub warnings: usize,
    /// Findings of [`Severity::Note`].
    pub notes: usize,
    /// Findings that were there before and are left out.
    pub known_hidden: usize,
    /// Findings that have a fix.
    pub fixable: usize,
    /// Possible findings that are not shown.
    pub possible_hidden: usize,
    /// Findings that no change touches, and that are left out.
    pub untouched_hidden: usize,
    /// Findings that their authors do not want to be told.
    pub suppressed: usize,
    /// Suppressions of rules that ran and found nothing there.
    pub unused_suppressions: usize,
    /// Entries of the baseline that no longer occur.
    pub fixed: usize,
    /// How many checks could not be decided.
    pub undecided: usize,
    /// Why they could not, the most frequent cause first.
    pub causes: Vec<Cause>,
    /// Azure resource types that Portolan does not know, with how many resources have them; by name.
    pub unsupported: Vec<Unsupported>,
}

/// Why some checks could not be decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Cause {
    /// The cause, behind all derivations.
    pub because: String,
    /// How many checks it left undecided.
    pub checks: usize,
    /// The same for each rule, by name.
    pub rules: BTreeMap<&'static str, usize>,
    /// What would decide them.
    pub advice: Option<&'static str>,
}

/// Something that was not understood.
#[derive(Clone, PartialEq, Debug)]
pub struct Unsupported {
    /// The resource type.
    pub what: String,
    /// How many there are.
    pub count: usize,
}

impl Summary {
    pub(super) fn new(answer: &Answer, findings: &[Finding], possible_hidden: usize) -> Self {
        let mut summary = Self {
            files: answer.sources.len() - contexts(answer),
            resources: answer.topology.resources.iter().filter(|resource| !resource.is_context()).count(),
            rules: answer.rules.len(),
            checks: answer.outcome.checks,
            errors: 0,
            warnings: 0,
            notes: 0,
            known_hidden: 0,
            fixable: 0,
            untouched_hidden: 0,
            suppressed: 0,
            unused_suppressions: 0,
            fixed: 0,
            possible_hidden,
            undecided: answer.outcome.undecided.len(),
            causes: causes(answer),
            unsupported: unsupported(answer.topology),
        };
        summary.count(findings);
        summary
    }

    /// Counts the findings that are shown.
    fn count(&mut self, findings: &[Finding]) {
        let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        self.errors = of(Severity::Error);
        self.warnings = of(Severity::Warning);
        self.notes = of(Severity::Note);
        self.fixable = findings.iter().filter(|finding| finding.fix.is_some()).count();
    }

    /// How many findings of any severity.
    pub fn findings(&self) -> usize {
        self.errors + self.warnings + self.notes
    }

    /// `1 error, 2 warnings`; `nothing found`.
    pub fn verdict(&self) -> String {
        let parts: Vec<String> = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| counted(count, name))
            .collect();
        if parts.is_empty() { "nothing found".into() } else { parts.join(", ") }
    }
}

impl Report {
    /// How many findings are new, and how many were there before; `None` when there is nothing to compare with.
    pub fn standings(&self) -> Option<(usize, usize)> {
        let of = |standing| self.findings.iter().filter(|finding| finding.standing == Some(standing)).count();
        let (new, known) = (of(Standing::New), of(Standing::Known));
        (new + known > 0).then_some((new, known))
    }

    /// Leaves out the findings that were there before, and counts them.
    pub fn leave_out_known(&mut self) {
        self.summary.known_hidden += self.leave_out(|finding| finding.standing == Some(Standing::Known));
    }

    /// Takes all findings for known, as they are once they stand in a baseline, and leaves them out.
    pub fn accept(&mut self) {
        for finding in &mut self.findings {
            finding.standing = Some(Standing::Known);
        }
        self.leave_out_known();
    }

    /// Leaves out the findings that no change touches, and counts them.
    pub fn leave_out_untouched(&mut self, is_touched: impl Fn(&Finding) -> bool) {
        self.summary.untouched_hidden += self.leave_out(|finding| !is_touched(finding));
    }

    /// Takes away the findings that are possible but not certain, and counts them.
    pub fn drop_possible(&mut self) {
        let all = self.findings.len();
        self.findings.retain(|finding| finding.confidence != Confidence::Possible);
        self.suppressed.retain(|suppressed| suppressed.finding.confidence != Confidence::Possible);
        self.summary.possible_hidden += all - self.findings.len();
        self.summary.suppressed = self.suppressed.len();
        self.recount();
    }

    /// Counts the findings that are shown again.
    pub fn recount(&mut self) {
        self.summary.count(&self.findings);
    }

    fn leave_out(&mut self, is_out: impl Fn(&Finding) -> bool) -> usize {
        let (out, kept): (Vec<Finding>, Vec<Finding>) =
            std::mem::take(&mut self.findings).into_iter().partition(is_out);
        let count = out.len();
        self.hidden.extend(out);
        self.findings = kept;
        self.recount();
        count
    }
}

/// How many of the files say what other repositories have.
fn contexts(answer: &Answer) -> usize {
    let roots = answer.configuration.roots.iter().filter(|root| root.language == Language::Topology);
    let files = roots.map(|root| root.path.as_str()).collect::<BTreeSet<_>>().len();
    files.min(answer.sources.len())
}

fn causes(answer: &Answer) -> Vec<Cause> {
    let mut by_text: BTreeMap<String, Cause> = BTreeMap::new();
    for undecided in &answer.outcome.undecided {
        let (because, advice) = answer.because(&undecided.because);
        let cause = by_text.entry(because.clone()).or_insert_with(|| Cause {
            because,
            checks: 0,
            rules: BTreeMap::new(),
            advice,
        });
        cause.checks += 1;
        *cause.rules.entry(undecided.rule).or_default() += 1;
    }
    let mut causes: Vec<Cause> = by_text.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.checks));
    causes
}

/// What a user can do about a cause.
pub(super) fn advice(cause: &value::Cause) -> Option<&'static str> {
    match cause {
        value::Cause::Input(_) => Some("pass `--var` or `--var-file`"),
        value::Cause::Module(_) => Some("`terraform init` or `bicep restore` puts it on disk"),
        _ => None,
    }
}

fn unsupported(topology: &Topology) -> Vec<Unsupported> {
    topology.unsupported().into_iter().map(|(what, count)| Unsupported { what: what.into(), count }).collect()
}
