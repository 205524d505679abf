//! The format of a rule's test document; `testdata/rules/README.md` describes it for authors.

use std::path::{Component, Path};
use std::sync::LazyLock;

use regex::Regex;

/// A rule's test document.
#[derive(Debug)]
pub struct Suite {
    /// The cases, in the order of the document.
    pub cases: Vec<Case>,
}

/// The files under one heading, which are analyzed together.
#[derive(Debug, Default)]
pub struct Case {
    /// The headings above it, outermost first.
    pub title: String,
    /// The heading's line in the document.
    pub line: usize,
    /// The files.
    pub files: Vec<File>,
    /// What is to be reported without a place.
    pub elsewhere: Vec<Assertion>,
    /// The only rules to run, when the case names them.
    pub select: Option<Vec<String>>,
    /// Whether files of several languages are one input.
    pub together: bool,
}

/// One fenced file.
#[derive(Debug)]
pub struct File {
    /// Its path in the case's folder.
    pub path: String,
    /// The text that the analyzer reads.
    pub text: String,
    /// The document's line that holds the file's first line.
    pub line: usize,
    /// What is to be reported in it.
    pub assertions: Vec<Assertion>,
}

/// Something that is to be reported.
#[derive(Clone, PartialEq, Debug)]
pub struct Assertion {
    /// What kind of thing.
    pub kind: Kind,
    /// The rule's name (or the diagnostic's code).
    pub name: String,
    /// Part of the message.
    pub text: Option<String>,
    /// The line of the file where it must start; 0 for no place.
    pub line: u32,
    /// The document's line that holds the assertion.
    pub written: usize,
}

/// What an assertion is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A certain finding of this severity.
    Error,
    /// The same.
    Warning,
    /// The same.
    Note,
    /// A finding that is only possible, of any severity.
    Possible,
    /// A check that cannot be decided.
    Undecided,
    /// Something about the input itself.
    Diagnostic,
}

impl Kind {
    const ALL: [(&'static str, Kind); 6] = [
        ("error", Kind::Error),
        ("warning", Kind::Warning),
        ("note", Kind::Note),
        ("possible", Kind::Possible),
        ("undecided", Kind::Undecided),
        ("diagnostic", Kind::Diagnostic),
    ];

    /// The word before the colon.
    pub fn word(self) -> &'static str {
        Kind::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

impl std::fmt::Display for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: [{}]", self.kind.word(), self.name)?;
        match &self.text {
            Some(text) => write!(f, " {text:?}"),
            None => Ok(()),
        }
    }
}

static ASSERTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:#|//|<!--)\s*(error|warning|note|possible|undecided|diagnostic):\s*\[([a-z0-9-]+)\](?:\s+"((?:[^"\\]|\\.)*)")?\s*(?:-->)?\s*$"#)
        .expect("a valid expression")
});
/// What looks like an assertion, so that a slip of the pen is an error and not a comment.
static NEARLY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:#|//|<!--)\s*(error|warning|note|possible|undecided|diagnostic)s?:?\s*\[")
        .expect("a valid expression")
});
static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*<!--\s*(select|together)(?::\s*([a-z0-9, -]+?))?\s*-->\s*$").expect("a valid expression")
});

impl Suite {
    /// Reads a document.
    ///
    /// # Errors
    /// What is wrong with it, with the line.
    pub fn parse(text: &str) -> Result<Suite, String> {
        let mut cases = vec![Case { title: "before the first heading".into(), line: 1, ..Case::default() }];
        let mut headings: Vec<(usize, String)> = Vec::new();
        let mut select_all = None;
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        while let Some((number, line)) = lines.next() {
            if let Some((level, title)) = heading(line) {
                headings.retain(|(outer, _)| *outer < level);
                headings.push((level, title.to_string()));
                let titles: Vec<&str> = headings.iter().map(|(_, title)| title.as_str()).collect();
                // The document's own title adds nothing.
                let shown = if titles.len() > 1 { titles[1..].join(" / ") } else { titles.join("") };
                cases.push(Case { title: shown, line: number, select: None, ..Case::default() });
                continue;
            }
            let first = cases.len() == 1 || headings.len() == 1 && headings[0].0 == 1;
            let case = cases.last_mut().expect("there is always one");
            if let Some(fence) = Fence::open(line) {
                let mut content = Vec::new();
                loop {
                    match lines.next() {
                        Some((_, line)) if fence.closes(line) => break,
                        Some((_, line)) => content.push(line),
                        None => return Err(format!("line {number}: the fence is never closed")),
                    }
                }
                if let Some(path) = fence.path(number)? {
                    if case.files.iter().any(|file| file.path == path) {
                        return Err(format!("line {number}: the case has two files `{path}`"));
                    }
                    case.files.push(File::parse(path, &content, number + 1)?);
                }
            } else if let Some(found) = DIRECTIVE.captures(line) {
                match (&found[1], found.get(2)) {
                    ("select", Some(names)) => {
                        let names = names.as_str().split(',').map(|name| name.trim().to_string()).collect();
                        if first { select_all = Some(names) } else { case.select = Some(names) }
                    }
                    ("together", None) => case.together = true,
                    _ => return Err(format!("line {number}: this directive is not complete")),
                }
            } else if line.trim_start().starts_with("<!--") && NEARLY.is_match(line) {
                case.elsewhere.push(assertion(line, 0, number)?);
            }
        }
        cases.retain(|case| !case.files.is_empty() || !case.elsewhere.is_empty());
        for case in &mut cases {
            if case.files.is_empty() {
                return Err(format!("line {}: the case has no files", case.line));
            }
            case.select = case.select.take().or_else(|| select_all.clone());
        }
        Ok(Suite { cases })
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line.get(level..)?;
    ((1..=6).contains(&level) && title.starts_with(' ')).then_some((level, title.trim()))
}

struct Fence<'a> {
    mark: char,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let length = line.chars().take_while(|other| *other == mark).count();
        (length >= 3).then(|| Fence { mark, length, info: line[length..].trim() })
    }

    fn closes(&self, line: &str) -> bool {
        let line = line.trim_end();
        line.chars().all(|other| other == self.mark) && line.len() >= self.length
    }

    /// The file's path; `None` for a block that is no file.
    fn path(&self, number: usize) -> Result<Option<String>, String> {
        let mut words = self.info.split_whitespace();
        let language = words.next().unwrap_or("");
        let Some(path) = words.next() else {
            return match language {
                "hcl" | "terraform" | "tf" | "bicep" | "json" | "jsonc" => {
                    Err(format!("line {number}: give the block a file name, like ```{language} main.tf"))
                }
                _ => Ok(None),
            };
        };
        if words.next().is_some() {
            return Err(format!("line {number}: more than a language and a file name"));
        }
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(format!("line {number}: `{path}` leaves the case's folder"));
        }
        Ok(Some(path.to_string()))
    }
}

impl File {
    /// Reads a fenced file with its assertions. JSON gets its assertions blanked, because readers of plans and variable
    /// files take no comments.
    fn parse(path: String, lines: &[&str], line: usize) -> Result<File, String> {
        let json = path.ends_with(".json");
        let mut assertions: Vec<Assertion> = Vec::new();
        let mut text = String::new();
        let mut pending: Vec<Assertion> = Vec::new();
        for (index, content) in lines.iter().enumerate() {
            let (number, written) = (index as u32 + 1, line + index);
            let mut kept = (*content).to_string();
            if NEARLY.is_match(content) {
                let found = assertion(content, number, written)?;
                let start = ASSERTION.find(content).map_or(0, |found| found.start());
                let own_line = content[..start].trim().is_empty();
                if json {
                    kept.truncate(start);
                }
                if own_line {
                    pending.push(found)
                } else {
                    assertions.push(found)
                }
                if !own_line {
                    assertions.extend(pending.drain(..).map(|other| Assertion { line: number, ..other }));
                }
            } else {
                assertions.extend(pending.drain(..).map(|other| Assertion { line: number, ..other }));
            }
            text.push_str(&kept);
            text.push('\n');
        }
        match pending.first() {
            Some(assertion) => Err(format!("line {}: no line follows this assertion", assertion.written)),
            None => Ok(File { path, text, line, assertions }),
        }
    }
}

fn assertion(content: &str, line: u32, written: usize) -> Result<Assertion, String> {
    let found = ASSERTION.captures(content).ok_or_else(|| {
        format!(
            "line {written}: not an assertion: write `# error: [rule-name] \"text\"` at the end of the line"
        )
    })?;
    let kind = Kind::ALL.iter().find(|(word, _)| *word == &found[1]).map_or(Kind::Error, |(_, kind)| *kind);
    let text = found.get(3).map(|text| text.as_str().replace("\\\"", "\"").replace("\\\\", "\\"));
    Ok(Assertion { kind, name: found[2].to_string(), text, line, written })
}
