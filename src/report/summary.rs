//! The numbers of a run, and what it could not decide or did not understand.

use std::collections::BTreeMap;

use crate::finding::Severity;
use crate::topology::Topology;
use crate::value;

use super::Finding;
use super::assemble::Answer;

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
    /// Findings that have a fix.
    pub fixable: usize,
    /// Possible findings that are not shown.
    pub possible_hidden: usize,
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
        let of = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            files: answer.sources.len(),
            resources: answer.topology.resources.len(),
            rules: answer.rules.len(),
            checks: answer.outcome.checks,
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            notes: of(Severity::Note),
            fixable: findings.iter().filter(|finding| finding.fix.is_some()).count(),
            possible_hidden,
            undecided: answer.outcome.undecided.len(),
            causes: causes(answer),
            unsupported: unsupported(answer.topology),
        }
    }

    /// How many findings of any severity.
    pub fn findings(&self) -> usize {
        self.errors + self.warnings + self.notes
    }
}

fn causes(answer: &Answer) -> Vec<Cause> {
    let mut by_text: BTreeMap<String, Cause> = BTreeMap::new();
    for undecided in &answer.outcome.undecided {
        let root = undecided.because.cause.root();
        let because = root.to_string();
        let cause = by_text.entry(because.clone()).or_insert_with(|| Cause {
            because,
            checks: 0,
            rules: BTreeMap::new(),
            advice: advice(root),
        });
        cause.checks += 1;
        *cause.rules.entry(undecided.rule).or_default() += 1;
    }
    let mut causes: Vec<Cause> = by_text.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.checks));
    causes
}

/// What a user can do about a cause.
fn advice(cause: &value::Cause) -> Option<&'static str> {
    match cause {
        value::Cause::Input(_) => Some("pass `--var` or `--var-file`"),
        value::Cause::Module(_) => Some("`terraform init` or `bicep restore` puts it on disk"),
        _ => None,
    }
}

fn unsupported(topology: &Topology) -> Vec<Unsupported> {
    topology.unsupported().into_iter().map(|(what, count)| Unsupported { what: what.into(), count }).collect()
}
