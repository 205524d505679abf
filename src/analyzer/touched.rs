//! Which findings a change touches: those whose evidence stands on changed lines, and those that were not there before,
//! such as what a removed block leaves behind in a file that did not change.

use std::collections::BTreeMap;

use crate::changes::Changes;
use crate::report::{Finding, Note, Report};
use crate::resource::{Language, Level};
use crate::source::SourceMap;

use super::{Options, examine};

/// How many findings of a fingerprint a root has.
type Counts = BTreeMap<(String, String), usize>;

/// What a change touches.
pub(super) struct Touched<'a> {
    changes: &'a Changes,
    /// Roots and fingerprints of which there are more than before.
    new: Option<Vec<(String, String)>>,
}

impl<'a> Touched<'a> {
    /// Compares a report with what is said of the files as they were, where some finding touches no changed line.
    pub(super) fn of(
        report: &mut Report,
        changes: &'a Changes,
        sources: &SourceMap,
        options: &Options,
        languages: &[Language],
    ) -> Self {
        let by_lines = Self { changes, new: Some(Vec::new()) };
        let only_plans = languages.iter().all(|language| *language == Language::TerraformPlan);
        if only_plans || report.findings.iter().all(|finding| changes.touch(finding)) {
            return by_lines;
        }
        let Some(texts) = changes.former_texts(sources) else {
            report.notes.push(Note {
                level: Level::Note,
                code: "former-state-unknown",
                message: "the files as they were cannot be put together, so what removed blocks leave behind in files that did not change is not among what the change touches".into(),
                help: Some("A baseline tells it.".into()),
                location: None,
            });
            report.sort_notes();
            return Self { changes, new: None };
        };
        let former = SourceMap::new();
        for (path, text) in texts {
            former.add(&path, text);
        }
        let as_found = Options {
            changes: None,
            baseline: None,
            only_new: false,
            possible: true,
            ignores: Vec::new(),
            ..options.clone()
        };
        let before = counts(&examine(&former, &as_found, &|_| {}).report);
        let new = counts(report).into_iter().filter(|(key, count)| before.get(key).unwrap_or(&0) < count);
        Self { changes, new: Some(new.map(|(key, _)| key).collect()) }
    }

    pub(super) fn is(&self, finding: &Finding) -> bool {
        let is_new = || self.new.as_ref().is_some_and(|new| new.binary_search(&key(finding)).is_ok());
        self.changes.touch(finding) || is_new()
    }
}

fn counts(report: &Report) -> Counts {
    let mut counts = Counts::new();
    let suppressed = report.suppressed.iter().map(|suppressed| &suppressed.finding);
    for finding in report.findings.iter().chain(&report.hidden).chain(suppressed) {
        *counts.entry(key(finding)).or_default() += 1;
    }
    counts
}

/// Fingerprints number what is equal; here it is counted.
fn key(finding: &Finding) -> (String, String) {
    let fingerprint = finding.fingerprint.split(':').next().unwrap_or_default();
    (finding.place.root.clone(), fingerprint.to_string())
}
