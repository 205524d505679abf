//! How a run's answer is shown. One file for each format; a format sees a [`Report`], in which every place has been
//! resolved to a file, line and column, and knows neither rules nor languages.
//!
//! A new format is one file with a `FORMAT` and one line in [`FORMATS`].

mod assemble;
mod azure;
mod concise;
mod counts;
mod fingerprint;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod page;
mod repository;
mod sarif;
mod summary;
mod text;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use crate::chart::{Chart, Touched};
use crate::finding::{Category, Confidence, Severity};
use crate::resource::Level;
use crate::rules::Rule;
use crate::source::{Position, SourceFile, SourceMap, Span};

pub use crate::finding::Standing;
pub use assemble::{Answer, assemble, hidden_lines};
pub use page::{error_codes_page, page};
pub use summary::{Cause, Summary, Unsupported};

/// The formats, in the order in which help lists them.
pub static FORMATS: &[Format] = &[
    text::FORMAT,
    concise::FORMAT,
    json::FORMAT,
    sarif::FORMAT,
    github::FORMAT,
    markdown::FORMAT,
    azure::FORMAT,
    gitlab::FORMAT,
    junit::FORMAT,
    counts::FORMAT,
];

/// A way to show a report.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What `--format` takes.
    pub name: &'static str,
    /// What it is for, one phrase.
    pub about: &'static str,
    /// Writes a report.
    pub write: fn(&Report, &Style, &mut dyn Write) -> io::Result<()>,
}

impl Format {
    /// The format of a name.
    pub fn find(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

/// How to show it.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// With colours (ANSI escapes).
    pub color: bool,
    /// Findings and errors only.
    pub quiet: bool,
    /// Also notes about the input, and every undecided check.
    pub verbose: bool,
    /// The top folder of the repository, for formats whose readers want paths relative to it.
    pub repository: Option<PathBuf>,
}

/// A run's answer. Everything is sorted by place and each thing is there once.
pub struct Report {
    /// The rules that ran.
    pub rules: Vec<&'static Rule>,
    /// The folders and files that are roots, as shown.
    pub roots: Vec<String>,
    /// The findings to be shown.
    pub findings: Vec<Finding>,
    /// Findings that are not shown: known ones, and those that no change touches.
    pub hidden: Vec<Finding>,
    /// Findings that their authors do not want to be told.
    pub suppressed: Vec<Suppressed>,
    /// Entries of the baseline that no longer occur.
    pub fixed: Vec<crate::baseline::Entry>,
    /// The checks that could not be decided.
    pub undecided: Vec<Undecided>,
    /// What is to be said about the input itself.
    pub notes: Vec<Note>,
    /// The part of the network that the findings are about.
    pub chart: Chart,
    /// The numbers.
    pub summary: Summary,
    sensitive: assemble::Sensitive,
}

/// A finding with its places resolved.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What the rule is about.
    pub category: Category,
    /// How bad.
    pub severity: Severity,
    /// Certain or possible.
    pub confidence: Confidence,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The other places that take part; "value written here" among them.
    pub related: Vec<Related>,
    /// A concrete packet, address or name, one line a step.
    pub witness: Vec<String>,
    /// What to do.
    pub advice: Option<String>,
    /// What makes it the same finding in the next run, whatever has moved: different for each finding of a run. Behind the
    /// colon stands the number among those that nothing else tells apart.
    pub fingerprint: String,
    /// Whether it is news; `None` when there is nothing to compare with.
    pub standing: Option<Standing>,
    /// The parts of the network that take part, for the picture.
    parts: Vec<Touched>,
    /// What to change, where a change is safe.
    pub fix: Option<Fix>,
}

/// A change of files that does away with a finding: all of the edits or none.
#[derive(Clone, PartialEq, Debug)]
pub struct Fix {
    /// What it does, without a final full stop.
    pub title: String,
    /// The edits, in order; they do not overlap.
    pub edits: Vec<Edit>,
}

/// A range of a file, and what is to stand there instead.
#[derive(Clone, PartialEq, Debug)]
pub struct Edit {
    /// The range; empty for what is only added.
    pub location: Location,
    /// The new text.
    pub text: String,
}

/// The lines of files that hold values which must not be shown.
#[derive(Clone, Debug, Default)]
pub struct HiddenLines(BTreeMap<String, Vec<(u32, u32)>>);

impl HiddenLines {
    /// Whether a line (from 1) of a file, by its shown path, is among them.
    pub fn hold(&self, path: &str, line: u32) -> bool {
        self.0
            .get(path)
            .is_some_and(|ranges| ranges.iter().any(|(first, last)| (*first..=*last).contains(&line)))
    }
}

impl Finding {
    /// Where the value that is wrong was written, when that is not where it is used.
    pub fn written_at(&self) -> Option<&Location> {
        let first = self.related.first().filter(|related| related.message == WRITTEN)?;
        first.place.location.as_ref()
    }
}

/// What is said of the place where a value was written.
const WRITTEN: &str = "the value is written here";

/// A finding that its author does not want to be told.
#[derive(Clone, PartialEq, Debug)]
pub struct Suppressed {
    /// The finding.
    pub finding: Finding,
    /// Where it is said.
    pub kind: SuppressionKind,
    /// Why.
    pub reason: Option<String>,
}

/// Where it is said that a finding is not to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SuppressionKind {
    /// In the configuration, beside what is wrong.
    InSource,
    /// In `portolan.toml`.
    External,
}

/// A place that takes part in a finding.
#[derive(Clone, PartialEq, Debug)]
pub struct Related {
    /// What it has to do with it.
    pub message: String,
    /// Where.
    pub place: Place,
}

impl Related {
    /// The root that it is of, where that is another one than the finding's and no place says so.
    fn elsewhere(&self, finding: &Finding) -> Option<&str> {
        let other = self.place.location.is_none() && self.place.root != finding.place.root;
        let other = other && !self.place.root.is_empty();
        other.then_some(self.place.root.as_str())
    }

    /// What it has to do with the finding, and which resource of which other input it is where no place says so.
    fn statement(&self, finding: &Finding) -> String {
        match self.elsewhere(finding) {
            Some(root) => format!("{} (in {root}: {})", self.message, self.place.resource),
            None => self.message.clone(),
        }
    }
}

/// A check that could not be decided.
#[derive(Clone, PartialEq, Debug)]
pub struct Undecided {
    /// The rule's name.
    pub rule: &'static str,
    /// What was being checked.
    pub place: Place,
    /// The cause, behind all derivations.
    pub because: String,
}

impl Finding {
    /// What formats that show only some findings sort by: severe ones first, certain before possible, new before known.
    fn importance(&self) -> impl Ord + use<> {
        std::cmp::Reverse((self.severity, self.confidence, self.standing != Some(Standing::Known)))
    }

    /// What is wrong, as a sentence; where it is not certain, it says so.
    fn statement(&self) -> String {
        match self.confidence {
            Confidence::Certain => sentence(&self.message),
            Confidence::Possible => sentence(&format!("possibly: {}", self.message)),
        }
    }

    /// The statement, the proof, what to do, and the resource: each on lines of its own.
    fn paragraphs(&self) -> Vec<String> {
        let mut lines = vec![self.statement()];
        let named = self.witness.iter().enumerate();
        lines.extend(
            named.map(|(index, line)| if index == 0 { format!("Witness: {line}") } else { line.clone() }),
        );
        lines.extend(self.advice.as_deref().map(sentence));
        if !self.place.resource.is_empty() {
            lines.push(format!("Resource: {}", self.place.resource));
        }
        lines
    }
}

/// Something about the input itself.
#[derive(Clone, PartialEq, Debug)]
pub struct Note {
    /// How bad.
    pub level: Level,
    /// A stable kebab-case name.
    pub code: &'static str,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where; `None` when it is about no file.
    pub location: Option<Location>,
}

impl Note {
    /// The message and what to do about it.
    fn statement(&self) -> String {
        match &self.help {
            Some(help) => format!("{} {}", sentence(&self.message), sentence(help)),
            None => sentence(&self.message),
        }
    }
}

/// A place in the author's terms.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// The folder or file of the root that the resource belongs to, as shown.
    pub root: String,
    /// The resource's full address as its author knows it.
    pub resource: String,
    /// The ARM path of the part that is meant, as far as it is known.
    pub resource_id: Option<String>,
    /// Where it stands; `None` when no file holds it.
    pub location: Option<Location>,
}

/// A range of a file.
#[derive(Clone)]
pub struct Location {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The range in bytes.
    pub span: Span,
    /// The first position.
    pub start: Position,
    /// The position after the last character.
    pub end: Position,
    /// Whether a line of this range holds a value that must not be shown.
    pub sensitive: bool,
}

impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        self.span == other.span && self.file.display() == other.file.display()
    }
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.start.line, self.start.column)
    }
}

impl Location {
    /// The range of a span; `None` for what no file holds. The caller knows that no line of it is sensitive.
    pub fn of(sources: &SourceMap, span: Span) -> Option<Self> {
        let file = sources.get(span.file)?;
        let start = file.lines().position(file.text(), span.start as usize);
        let end = file.lines().position(file.text(), span.end.max(span.start) as usize);
        Some(Self { file, span, start, end, sensitive: false })
    }

    /// What findings are sorted by: path, line, column.
    fn order(&self) -> (&str, u32, u32, u32) {
        (self.file.display(), self.start.line, self.start.column, self.span.end)
    }
}

/// The page that explains a rule.
pub fn help_url(rule: &str) -> String {
    format!("{}/blob/main/docs/rules/{rule}.md", env!("CARGO_PKG_REPOSITORY"))
}

/// At most so many bytes of a text, with a mark where it was cut.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_string();
    }
    let end = (0..=bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, singular: &str) -> String {
    if count == 1 { format!("{count} {singular}") } else { format!("{count} {singular}s") }
}

/// The text as a sentence: a capital first, a full stop at its end.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let mut letters = text.chars();
    let mut sentence: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// Text for one line of a terminal: control characters and characters that reorder text are written as escapes, so that
/// a name in a scanned file cannot move the cursor or hide what stands beside it.
pub(crate) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        let reorders =
            matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character == '\t' {
            clean.push(' ');
        } else if character.is_control() || reorders {
            clean.extend(character.escape_unicode());
        } else {
            clean.push(character);
        }
    }
    clean
}
