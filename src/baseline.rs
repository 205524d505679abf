//! Baselines: files of findings that are known already, so that only news is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::report::{Finding, Report, Standing};
use crate::resource::Level;

/// The version of the file's form. It grows when a reader of the older form would misread the newer one.
const VERSION: u32 = 1;

/// A finding in a baseline.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Debug)]
pub struct Entry {
    /// The folder or file of the root, relative to the baseline's folder.
    pub root: String,
    /// The rule's name.
    pub rule: String,
    /// The resource's address.
    pub resource: String,
    /// What makes it the same finding; not a number among equals, which depends on what else there is.
    pub fingerprint: String,
    /// What was wrong, for those who read the file.
    pub message: String,
}

/// A baseline.
#[derive(Clone, Debug)]
pub struct Baseline {
    folder: PathBuf,
    entries: Vec<Entry>,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The operating system says so.
    #[error("cannot read the baseline `{0}`: {1}")]
    Unreadable(String, std::io::Error),
    /// It holds something else.
    #[error("`{0}` is not a baseline: {1}; `--write-baseline` writes one")]
    Foreign(String, String),
    /// Another Portolan wrote it.
    #[error(
        "the baseline `{0}` has version {1}, and this Portolan reads version {VERSION}; write it again with `--write-baseline`"
    )]
    Version(String, u64),
}

#[derive(Deserialize)]
struct Document {
    version: u64,
    findings: Vec<Entry>,
}

/// A finding that may be an entry: its position, and its root as the file has it.
type Candidate<'f> = (usize, &'f Finding, String);

/// Whether an entry is a finding, given the finding's root as the file has it.
type Fits<'f> = dyn Fn(&Entry, &Finding, &str) -> bool + 'f;

/// What a run says about a baseline.
#[derive(Debug, Default)]
struct Comparison {
    /// Positions of the findings that are in it.
    known: BTreeSet<usize>,
    /// Entries that no longer occur.
    fixed: Vec<Entry>,
    /// Entries of which this run can say nothing: their rule did not run, or their root was not read.
    unchecked: Vec<Entry>,
}

/// What writing a baseline changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// How many findings it has.
    pub findings: usize,
    /// How many of them it did not have before.
    pub added: usize,
    /// How many entries are gone, because they no longer occur.
    pub removed: usize,
    /// How many entries were kept although this run could not see whether they still occur.
    pub kept: usize,
}

impl Baseline {
    /// A baseline without findings, to be written to a path.
    pub fn empty(path: &Path) -> Self {
        Self { folder: folder_of(path), entries: Vec::new() }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// The file cannot be read, or is no baseline of this version.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let shown = crate::source::display_path(path);
        let text =
            std::fs::read_to_string(path).map_err(|problem| Problem::Unreadable(shown.clone(), problem))?;
        let json: serde_json::Value = serde_json::from_str(&text)
            .map_err(|problem| Problem::Foreign(shown.clone(), problem.to_string()))?;
        match json.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => return Err(Problem::Version(shown, version)),
            _ => {}
        }
        let document: Document =
            serde_json::from_value(json).map_err(|problem| Problem::Foreign(shown, problem.to_string()))?;
        debug_assert_eq!(document.version, u64::from(VERSION));
        Ok(Self { folder: folder_of(path), entries: document.findings })
    }

    /// Marks the findings of a report: those of the baseline are known, the others new. What is known from elsewhere (the
    /// network that a plan starts from) stays known.
    pub fn apply(&self, report: &mut Report) {
        let comparison = self.compare(report.findings.iter(), report);
        for (index, finding) in report.findings.iter_mut().enumerate() {
            if comparison.known.contains(&index) {
                finding.standing = Some(Standing::Known);
            } else {
                finding.standing.get_or_insert(Standing::New);
            }
        }
        report.summary.fixed = comparison.fixed.len();
        report.fixed = comparison.fixed;
    }

    /// The text of the baseline that holds what a report found, shown or not, and what it could not see.
    pub fn updated(&self, report: &Report) -> (String, Written) {
        let all: Vec<&Finding> = report.findings.iter().chain(&report.hidden).collect();
        let comparison = self.compare(all.iter().copied(), report);
        let written = Written {
            findings: all.len() + comparison.unchecked.len(),
            added: all.len() - comparison.known.len(),
            removed: comparison.fixed.len(),
            kept: comparison.unchecked.len(),
        };
        let current = all.iter().map(|finding| Entry {
            root: self.root(&finding.place.root),
            rule: finding.rule.to_string(),
            resource: finding.place.resource.clone(),
            fingerprint: substance(&finding.fingerprint).to_string(),
            message: finding.message.clone(),
        });
        let mut entries: Vec<Entry> = current.chain(comparison.unchecked).collect();
        entries.sort();
        (text(&entries), written)
    }

    fn compare<'f>(&self, findings: impl Iterator<Item = &'f Finding>, report: &Report) -> Comparison {
        let roots: BTreeSet<String> = report.roots.iter().map(|root| self.root(root)).collect();
        let mut open: BTreeMap<(&str, &str), Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            open.entry((entry.rule.as_str(), substance(&entry.fingerprint))).or_default().push(entry);
        }
        let mut left: BTreeMap<(&str, &str), Vec<Candidate>> = BTreeMap::new();
        for (index, finding) in findings.enumerate() {
            let key = (finding.rule, substance(&finding.fingerprint));
            left.entry(key).or_default().push((index, finding, self.root(&finding.place.root)));
        }
        let mut comparison = Comparison::default();
        for (key, mut entries) in open {
            let candidates = left.entry(key).or_default();
            // First what is the same to the letter, then what stands in the same root, then what may have moved: an entry
            // of a root that there is still, was not made for another root.
            let passes: [&Fits; 3] = [
                &|entry, finding, root| entry.root == root && entry.message == finding.message,
                &|entry, _, root| entry.root == root,
                &|entry, _, _| !roots.contains(&entry.root),
            ];
            for fits in passes {
                entries.retain(|entry| {
                    match candidates.iter().position(|(_, finding, root)| fits(entry, finding, root)) {
                        Some(position) => {
                            comparison.known.insert(candidates.remove(position).0);
                            false
                        }
                        None => true,
                    }
                });
            }
            for entry in entries {
                if self.was_checked(entry, &roots, report) {
                    comparison.fixed.push(entry.clone());
                } else {
                    comparison.unchecked.push(entry.clone());
                }
            }
        }
        comparison.fixed.sort();
        comparison.unchecked.sort();
        comparison
    }

    /// Whether a run would have found an entry if it were still there.
    fn was_checked(&self, entry: &Entry, roots: &BTreeSet<String>, report: &Report) -> bool {
        let whole = report.notes.iter().all(|note| note.level != Level::Error);
        let known_rule = crate::rules::find(&entry.rule).is_some();
        let ran = !known_rule || report.rules.iter().any(|rule| rule.name == entry.rule);
        // A root that is neither among those that were read nor on disk is gone.
        whole && ran && (roots.contains(&entry.root) || !self.folder.join(&entry.root).exists())
    }

    /// A root as it stands in the file: relative to the file's folder.
    fn root(&self, shown: &str) -> String {
        let (Ok(root), Ok(folder)) = (std::path::absolute(shown), std::path::absolute(&self.folder)) else {
            return shown.to_string();
        };
        if shown.starts_with('<') {
            return shown.to_string();
        }
        let (root, folder) = (canonical(&root), canonical(&folder));
        let common = root.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
        let up = folder.components().skip(common).map(|_| "..".to_string());
        let down = root.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
        let parts: Vec<String> = up.chain(down).collect();
        if parts.is_empty() { ".".to_string() } else { parts.join("/") }
    }
}

fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => folder.to_path_buf(),
        None => PathBuf::from("."),
    }
}

/// A fingerprint without the number behind it.
fn substance(fingerprint: &str) -> &str {
    fingerprint.split_once(':').map_or(fingerprint, |(substance, _)| substance)
}

/// One finding a line, so that changes are easy to read and merge.
fn text(entries: &[Entry]) -> String {
    let mut text = format!("{{\n\"version\": {VERSION},\n\"findings\": [\n");
    for (index, entry) in entries.iter().enumerate() {
        let comma = if index + 1 < entries.len() { "," } else { "" };
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let _ = writeln!(
            text,
            "{{\"root\": {}, \"rule\": {}, \"resource\": {}, \"fingerprint\": {}, \"message\": {}}}{comma}",
            quoted(&entry.root),
            quoted(&entry.rule),
            quoted(&entry.resource),
            quoted(&entry.fingerprint),
            quoted(&entry.message),
        );
    }
    text.push_str("]\n}\n");
    text
}
