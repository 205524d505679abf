//! Which findings their authors do not want to be told: by comments and metadata in the configuration, and by entries of
//! `portolan.toml`. The matching is done once, after the rules and before the formats.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use globset::GlobMatcher;
use regex::Regex;

use crate::analyzer::similar;
use crate::date::Date;
use crate::finding::Category;
use crate::report::{Finding, Location, Note, Report, Suppressed, SuppressionKind};
use crate::resource::{Level, Suppression};
use crate::rules::{self, Rule};
use crate::source::{FileId, SourceMap, Span};

/// An `[[ignore]]` of `portolan.toml`.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// The rule or category.
    pub rule: String,
    /// The files in which it holds; `None` for all.
    pub path: Option<GlobMatcher>,
    /// The folder that the paths are relative to.
    pub folder: PathBuf,
    /// Whether it holds for roots in that folder only: other folders of the run have a `portolan.toml` of their own.
    pub within: bool,
    /// The addresses of resources for which it holds; `None` for all.
    pub address: Option<Regex>,
    /// Why.
    pub reason: Option<String>,
    /// The last day on which it holds.
    pub until: Option<Date>,
    /// Where it is written.
    pub location: Option<Location>,
}

impl Ignore {
    fn covers(&self, finding: &Finding) -> bool {
        let of_address = |address: &Regex| address.is_match(&finding.place.resource);
        let of_path = |glob: &GlobMatcher| {
            let path = match &finding.place.location {
                Some(location) => location.file.path().to_path_buf(),
                None => PathBuf::from(&finding.place.root),
            };
            glob.is_match(relative(&path, &self.folder))
        };
        let inside = || relative(Path::new(&finding.place.root), &self.folder).is_relative();
        names(&self.rule, finding.rule, finding.category)
            && (!self.within || inside())
            && self.path.as_ref().is_none_or(of_path)
            && self.address.as_ref().is_none_or(of_address)
    }
}

/// A path as seen from a folder.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let whole = |path: &Path| {
        std::fs::canonicalize(path)
            .or_else(|_| std::path::absolute(path))
            .unwrap_or_else(|_| path.to_path_buf())
    };
    let path = whole(path);
    path.strip_prefix(whole(folder)).map(Path::to_path_buf).unwrap_or(path)
}

/// Whether a name in a suppression is a rule's, or its category's.
fn names(name: &str, rule: &str, category: Category) -> bool {
    name == rule || name == category.as_str()
}

/// A pattern for addresses, in which only `*` means anything: brackets and dots are parts of addresses. `None` when it is
/// too long.
pub fn address_pattern(pattern: &str) -> Option<Regex> {
    Regex::new(&format!("^(?s:{})$", regex::escape(pattern).replace(r"\*", ".*"))).ok()
}

/// What the author of a run does not want to be told.
#[derive(Clone, Copy)]
pub struct Suppressions<'a> {
    /// What is written in the configuration.
    pub inline: &'a [Suppression],
    /// What is written in `portolan.toml`.
    pub ignores: &'a [Ignore],
    /// The day; without one, nothing has ended.
    pub today: Option<Date>,
}

impl Suppressions<'_> {
    /// Moves what is suppressed out of a report's findings, and says which suppressions are of no use.
    pub fn apply(&self, report: &mut Report, sources: &SourceMap) {
        let mut by_file: HashMap<FileId, Vec<usize>> = HashMap::new();
        for (index, suppression) in self.inline.iter().enumerate() {
            by_file.entry(suppression.covers.file).or_default().push(index);
        }
        let mut used: Vec<Vec<bool>> =
            self.inline.iter().map(|suppression| vec![false; suppression.rules.len()]).collect();
        let mut used_ignores = vec![false; self.ignores.len()];
        let mut kept = Vec::new();
        for finding in std::mem::take(&mut report.findings) {
            let mut answer: Option<(SuppressionKind, Option<String>)> = None;
            for place in starts(&finding) {
                for index in by_file.get(&place.span.file).into_iter().flatten() {
                    let (Some(suppression), Some(used)) = (self.inline.get(*index), used.get_mut(*index))
                    else {
                        continue;
                    };
                    let here = Span { end: place.span.start, ..place.span };
                    if self.has_ended(suppression.until) || !suppression.covers.contains(here) {
                        continue;
                    }
                    for (name, used) in suppression.rules.iter().zip(used) {
                        if names(&name.name, finding.rule, finding.category) {
                            *used = true;
                            let reason = suppression.reason.as_ref().map(ToString::to_string);
                            answer.get_or_insert((SuppressionKind::InSource, reason));
                        }
                    }
                }
            }
            for (ignore, used) in self.ignores.iter().zip(&mut used_ignores) {
                if !self.has_ended(ignore.until) && ignore.covers(&finding) {
                    *used = true;
                    answer.get_or_insert((SuppressionKind::External, ignore.reason.clone()));
                }
            }
            match answer {
                Some((kind, reason)) => report.suppressed.push(Suppressed { finding, kind, reason }),
                None => kept.push(finding),
            }
        }
        report.findings = kept;
        report.summary.suppressed = report.suppressed.len();
        self.judge_inline(&used, report, sources);
        self.judge_ignores(&used_ignores, report);
        report.sort_notes();
        report.recount();
    }

    fn has_ended(&self, until: Option<Date>) -> bool {
        matches!((until, self.today), (Some(until), Some(today)) if today > until)
    }

    fn judge_inline(&self, used: &[Vec<bool>], report: &mut Report, sources: &SourceMap) {
        for (suppression, used) in self.inline.iter().zip(used) {
            for (name, used) in suppression.rules.iter().zip(used) {
                let location = report.location(sources, name.span.or(suppression.span));
                self.judge(&name.name, *used, suppression.until, location, report);
            }
        }
    }

    fn judge_ignores(&self, used: &[bool], report: &mut Report) {
        for (ignore, used) in self.ignores.iter().zip(used) {
            self.judge(&ignore.rule, *used, ignore.until, ignore.location.clone(), report);
        }
    }

    fn judge(
        &self,
        name: &str,
        used: bool,
        until: Option<Date>,
        location: Option<Location>,
        report: &mut Report,
    ) {
        let of = |rule: &&&'static Rule| names(name, rule.name, rule.category);
        let (level, code, message, help) = if !rules::ALL.iter().any(|rule| of(&rule))
            && Category::ALL.iter().all(|category| category.as_str() != name)
        {
            let help = similar(name).map(|similar| format!("did you mean `{similar}`?"));
            (
                Level::Warning,
                "unknown-rule",
                format!("there is no rule or category `{name}` to be suppressed"),
                help,
            )
        } else if let Some(until) = until.filter(|until| self.has_ended(Some(*until))) {
            let message = format!("this suppression of `{name}` has ended on {until} and no longer holds");
            (
                Level::Warning,
                "expired-suppression",
                message,
                Some("remove it, or give it another date".into()),
            )
        } else if !used && report.rules.iter().any(|rule| of(&rule)) {
            report.summary.unused_suppressions += 1;
            let message = format!("nothing is found here that this suppression of `{name}` could be for");
            (Level::Note, "unused-suppression", message, Some("remove it".into()))
        } else {
            return;
        };
        report.notes.push(Note { level, code, message, help, location });
    }
}

/// Where a finding starts: where the value is used, and where it was written.
fn starts(finding: &Finding) -> impl Iterator<Item = &Location> {
    finding.place.location.iter().chain(finding.written_at())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stars_mean_anything_in_addresses() {
        let pattern = address_pattern("module.db[\"*\"].azurerm_subnet.*").expect("a pattern");
        assert!(pattern.is_match("module.db[\"a.b\"].azurerm_subnet.this[0]"));
        assert!(!pattern.is_match("module.db.azurerm_subnet.this"));
        assert!(!pattern.is_match("x.module.db[\"a\"].azurerm_subnet.this"));
    }
}
