//! Which lines have changed against a git revision, as git itself says.
//!
//! Git is called as a program: it knows attributes, renames, work trees, sparse checkouts and every format of repository, and it
//! is there wherever a pull request is checked. A library that does all this is larger than the rest of Portolan.

mod former;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::report::{Finding, Location};
use crate::source::SourceMap;
use former::Former;

/// The lines that have changed, by file.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Canonical paths with their changed lines; `None` for all of them.
    files: HashMap<PathBuf, Option<BTreeSet<u32>>>,
    /// What the files of each repository were.
    former: Vec<Former>,
}

/// Why git cannot say what has changed.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Git is not there.
    #[error("`--only-changed` needs git: {0}")]
    NoGit(std::io::Error),
    /// Git refuses.
    #[error("git cannot say what has changed: {0}")]
    Refused(String),
    /// It would be taken for an option.
    #[error("`{0}` is not a git revision")]
    Revision(String),
}

impl Changes {
    /// The changes of the repositories in which some folders and files lie. A file may also be a plan that was written
    /// outside of them: then the working directory's repository counts.
    ///
    /// # Errors
    /// There is no git, no repository, or no such revision.
    pub fn of_paths(paths: &[PathBuf], revision: Option<&str>) -> Result<Self, Problem> {
        let here = PathBuf::from(".");
        let mut all = Self::default();
        let mut seen = BTreeSet::new();
        for path in paths {
            let folder = match path.parent() {
                _ if path.is_dir() => path.clone(),
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
                _ => here.clone(),
            };
            if !seen.insert(canonical(&folder)) {
                continue;
            }
            let found = match Self::of_git(&folder, revision) {
                Err(Problem::Refused(_)) if !path.is_dir() => Self::of_git(&here, revision)?,
                found => found?,
            };
            all.files.extend(found.files);
            all.former.extend(found.former);
        }
        Ok(all)
    }

    /// The changes of the repository in which a folder lies: of the work tree and the index against `HEAD`, or against where
    /// the branch left a revision. New files that git does not ignore are changed as a whole.
    ///
    /// # Errors
    /// There is no git, no repository, or no such revision.
    pub fn of_git(folder: &Path, revision: Option<&str>) -> Result<Self, Problem> {
        let top = git(folder, &["rev-parse", "--show-toplevel"])?;
        let top = PathBuf::from(top.trim_end_matches(['\n', '\r']));
        let base = match revision {
            None => None,
            Some(revision) => Some(merge_base(&top, revision)?),
        };
        // Without a first commit, everything is new.
        let has_head = git(&top, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).is_ok();
        let mut untracked = vec!["ls-files", "-z", "--others", "--exclude-standard", "--full-name"];
        if !has_head {
            untracked.push("--cached");
        }
        let names = git(&top, &untracked)?;
        let mut lines: BTreeMap<String, Option<BTreeSet<u32>>> =
            names.split('\0').filter(|name| !name.is_empty()).map(|name| (name.to_string(), None)).collect();
        let mut blocks = Blocks::default();
        let mut former_files = Vec::new();
        if has_head {
            let base = base.as_deref().unwrap_or("HEAD");
            let arguments = |more: &[&'static str]| -> Vec<&str> {
                let common = ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative"];
                let renames = ["--ignore-submodules=all", "--find-renames"];
                common.into_iter().chain(renames).chain(more.iter().copied()).chain([base, "--"]).collect()
            };
            let text = git(
                &top,
                &arguments(&[
                    "--ignore-all-space",
                    "--ignore-blank-lines",
                    "--unified=0",
                    "--inter-hunk-context=0",
                    "--src-prefix=a/",
                    "--dst-prefix=b/",
                ]),
            )?;
            for (name, changed) in changed_lines(&text) {
                lines.entry(name).or_insert(Some(changed));
            }
            let unknown = lines.iter().filter(|(_, lines)| lines.is_none());
            let unknown = unknown.map(|(name, _)| canonical(&top.join(name)));
            let raw = git(&top, &arguments(&["--raw", "-z", "--no-abbrev", "--no-renames"]))?;
            former_files.push(Former::of(&top, &raw, unknown));
            for (blob, name) in former(&git(&top, &arguments(&["--raw", "-z", "--no-abbrev"]))?) {
                if let Ok(text) = git(&top, &["cat-file", "blob", blob]) {
                    blocks.add(name, &text);
                }
            }
        }
        let mut files = HashMap::new();
        for (name, lines) in blocks.without_moved(&top, lines) {
            files.insert(canonical(&top.join(name)), lines);
        }
        Ok(Self { files, former: former_files })
    }

    /// The former texts of the files that a run has read and that have changed or stand beside removed ones, under the
    /// paths by which it read them; `None` when the former state cannot be made with the files that are there.
    pub fn former_texts(&self, sources: &SourceMap) -> Option<Vec<(PathBuf, String)>> {
        let mut all = Vec::new();
        for former in &self.former {
            all.extend(former.texts(sources)?);
        }
        Some(all)
    }

    /// Whether the evidence of a finding touches a changed line: where it starts, what takes part in it, and where the values
    /// were written.
    pub fn touch(&self, finding: &Finding) -> bool {
        let related = finding.related.iter().filter_map(|related| related.place.location.as_ref());
        finding.place.location.iter().chain(related).any(|location| self.touches(location))
    }

    fn touches(&self, location: &Location) -> bool {
        match self.files.get(&canonical(location.file.path())) {
            None => false,
            Some(None) => true,
            Some(Some(lines)) => {
                lines.range(location.start.line..=location.end.line.max(location.start.line)).next().is_some()
            }
        }
    }
}

fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Where the branch left a revision; the revision itself when the histories have nothing in common.
fn merge_base(top: &Path, revision: &str) -> Result<String, Problem> {
    if revision.starts_with('-') || revision.is_empty() || revision.contains(char::is_control) {
        return Err(Problem::Revision(revision.to_string()));
    }
    let commit = format!("{revision}^{{commit}}");
    let commit =
        git(top, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).map_err(|_| {
            Problem::Refused(format!("there is no revision `{revision}` (a shallow clone may lack it)"))
        })?;
    let commit = commit.trim().to_string();
    match git(top, &["merge-base", &commit, "HEAD"]) {
        Ok(base) if !base.trim().is_empty() => Ok(base.trim().to_string()),
        _ => Ok(commit),
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, Problem> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.quotePath=off", "-c", "core.fsmonitor=false", "-c", "diff.noprefix=false"])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_PAGER", "cat")
        .env_remove("GIT_EXTERNAL_DIFF")
        .stdin(std::process::Stdio::null());
    let output: Output = command.output().map_err(Problem::NoGit)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Problem::Refused(said.lines().next().unwrap_or("it gives no reason").trim().to_string()))
}

/// The changed lines of each file of a diff without context. Where lines were taken away, the lines around have changed.
fn changed_lines(diff: &str) -> BTreeMap<String, BTreeSet<u32>> {
    let mut changed: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    let mut name: Option<String> = None;
    let mut lines = diff.split('\n');
    while let Some(line) = lines.next() {
        if line.starts_with("diff --git ") {
            name = None;
        } else if let Some(path) = line.strip_prefix("+++ ") {
            let path = unquoted(path.trim_end_matches(['\t', '\r']));
            name = path.strip_prefix("b/").map(str::to_string);
        } else if let Some((old, new)) = hunk(line) {
            // The counts say how many lines follow, whatever those look like.
            let (mut removed, mut added) = (0, 0);
            while removed < old.1 || added < new.1 {
                match lines.next().and_then(|line| line.bytes().next()) {
                    Some(b'-') => removed += 1,
                    Some(b'+') => added += 1,
                    // `\ No newline at end of file`
                    Some(b'\\') => {}
                    _ => break,
                }
            }
            let Some(name) = &name else { continue };
            let lines = changed.entry(name.clone()).or_default();
            match added {
                // Git names the line before the gap.
                0 => lines.extend([new.0, new.0.saturating_add(1)].into_iter().filter(|line| *line > 0)),
                _ => lines.extend((0..added).map(|index| new.0.saturating_add(index))),
            }
        }
    }
    changed
}

/// The former contents of changed files, from `git diff --raw -z`: blob and the name that the file has now.
fn former(raw: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut fields = raw.split('\0');
    while let Some(head) = fields.next() {
        let mut words = head.trim_start_matches(':').split(' ').skip(2);
        let (Some(blob), Some(status)) = (words.next(), words.nth(1)) else { continue };
        let Some(mut name) = fields.next() else { break };
        if status.starts_with(['R', 'C']) {
            name = fields.next().unwrap_or(name);
        }
        let is_text = [".tf", ".tfvars", ".bicep", ".bicepparam"].iter().any(|ending| name.ends_with(ending));
        if is_text && !blob.bytes().all(|digit| digit == b'0') {
            found.push((blob, name));
        }
    }
    found
}

/// The outermost blocks of changed files as they were: what stands elsewhere now, in the same words, was moved.
#[derive(Default)]
struct Blocks {
    /// How many there were, for each file, by their text without white space.
    former: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Blocks {
    fn add(&mut self, name: &str, text: &str) {
        let blocks = self.former.entry(name.to_string()).or_default();
        for (_, block) in outermost(text) {
            *blocks.entry(block).or_default() += 1;
        }
    }

    /// The changed lines without those of blocks that only stand elsewhere. A block that was copied is new.
    fn without_moved(
        mut self,
        top: &Path,
        changed: BTreeMap<String, Option<BTreeSet<u32>>>,
    ) -> BTreeMap<String, Option<BTreeSet<u32>>> {
        let mut texts: BTreeMap<&String, Vec<(std::ops::Range<u32>, String)>> = BTreeMap::new();
        for name in changed.keys() {
            if let Ok(text) = std::fs::read_to_string(top.join(name)) {
                texts.insert(name, outermost(&text));
            }
        }
        let mut kept: BTreeMap<&String, Vec<std::ops::Range<u32>>> = BTreeMap::new();
        // First what is still in its file, then what may have come from others.
        for (name, blocks) in &mut texts {
            let former = self.former.entry((*name).clone()).or_default();
            blocks.retain(|(lines, block)| {
                let is_kept = take(former, block);
                if is_kept {
                    kept.entry(name).or_default().push(lines.clone());
                }
                !is_kept
            });
        }
        let mut left: BTreeMap<String, usize> = BTreeMap::new();
        for (block, count) in self.former.into_values().flatten() {
            *left.entry(block).or_default() += count;
        }
        for (name, blocks) in &texts {
            for (lines, block) in blocks {
                if take(&mut left, block) {
                    kept.entry(name).or_default().push(lines.clone());
                }
            }
        }
        let mut result = BTreeMap::new();
        for (name, lines) in &changed {
            let kept = kept.remove(name).unwrap_or_default();
            let lines = match lines {
                None if kept.is_empty() => None,
                // A new file that has something that was elsewhere before.
                None => {
                    let text = std::fs::read_to_string(top.join(name)).unwrap_or_default();
                    Some((1..=text.lines().count() as u32 + 1).collect::<BTreeSet<u32>>())
                }
                Some(lines) => Some(lines.clone()),
            };
            let is_kept = |line: &u32| kept.iter().any(|range| range.contains(line));
            let lines = lines.map(|lines| lines.into_iter().filter(|line| !is_kept(line)).collect());
            result.insert(name.clone(), lines);
        }
        result
    }
}

/// Takes one away, if there is one.
fn take(counts: &mut BTreeMap<String, usize>, block: &str) -> bool {
    match counts.get_mut(block).filter(|count| **count > 0) {
        Some(count) => {
            *count -= 1;
            true
        }
        None => false,
    }
}

/// The outermost blocks of a text, by indentation: the lines of each (from 1), and its text without white space. Comments
/// above a block are not part of it.
fn outermost(text: &str) -> Vec<(std::ops::Range<u32>, String)> {
    let mut blocks: Vec<(std::ops::Range<u32>, String)> = Vec::new();
    for (number, line) in (1u32..).zip(text.lines()) {
        let closes = line.starts_with(['}', ']', ')']);
        let begins = !line.is_empty() && !line.starts_with(char::is_whitespace) && !closes;
        let words: String = line.split_whitespace().collect();
        match blocks.last_mut() {
            Some((lines, block)) if !begins && !words.is_empty() => {
                lines.end = number + 1;
                block.push('\n');
                block.push_str(&words);
            }
            _ if begins => blocks.push((number..number + 1, words)),
            _ => {}
        }
    }
    blocks
}

/// `@@ -3,2 +4 @@`: first line and count, before and after.
fn hunk(line: &str) -> Option<((u32, u32), (u32, u32))> {
    let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let range = |text: &str| match text.split_once(',') {
        Some((first, count)) => Some((first.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    };
    Some((range(old)?, range(new)?))
}

/// A path as git writes it: quoted like a C string when it has control characters, quotes or backslashes.
fn unquoted(path: &str) -> String {
    let Some(inside) = path.strip_prefix('"').and_then(|path| path.strip_suffix('"')) else {
        return path.to_string();
    };
    let mut bytes = Vec::new();
    let mut rest = inside.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    match rest.next_if(|byte| (b'0'..=b'7').contains(byte)) {
                        Some(digit) => value = value * 8 + u32::from(digit - b'0'),
                        None => break,
                    }
                }
                bytes.push(value as u8);
            }
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b'a') => bytes.push(7),
            Some(b'b') => bytes.push(8),
            Some(b'v') => bytes.push(11),
            Some(b'f') => bytes.push(12),
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(diff: &str, file: &str) -> Vec<u32> {
        changed_lines(diff).get(file).map(|lines| lines.iter().copied().collect()).unwrap_or_default()
    }

    #[test]
    fn added_lines_and_the_lines_around_a_gap_have_changed() {
        let diff = "diff --git a/main.tf b/main.tf\n--- a/main.tf\n+++ b/main.tf\n@@ -3 +3,2 @@ x\n-a\n+b\n+c\n@@ -9,2 +9,0 @@\n-+++ b/other.tf\n-@@ -1 +1 @@\n";
        assert_eq!(lines(diff, "main.tf"), [3, 4, 9, 10]);
        assert_eq!(changed_lines(diff).len(), 1);
    }

    #[test]
    fn what_was_moved_has_not_changed_and_what_was_copied_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let block = |name: &str| format!("a \"{name}\" {{\n  x = [\n    1\n  ]\n}}\n");
        std::fs::write(folder.path().join("a.tf"), format!("{}\n{}", block("new"), block("one")))
            .expect("a file");
        let moved = block("two").replace("  ", "\t");
        std::fs::write(folder.path().join("b.tf"), format!("# here\n{moved}{moved}")).expect("a file");
        let mut blocks = Blocks::default();
        blocks.add("a.tf", &format!("{}{}", block("one"), block("two")));
        let changed = [("a.tf".to_string(), Some((1..=11).collect())), ("b.tf".to_string(), None)];
        let lines = blocks.without_moved(folder.path(), changed.into_iter().collect());
        let of = |name: &str| -> Vec<u32> {
            lines.get(name).cloned().flatten().map(|lines| lines.into_iter().collect()).unwrap_or_default()
        };
        assert_eq!(of("a.tf"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(of("b.tf"), [1, 7, 8, 9, 10, 11, 12]);
    }

    #[test]
    fn former_contents_are_those_of_changed_files() {
        let zeros = "0".repeat(40);
        let raw = format!(
            ":100644 100644 aaaa {zeros} M\0a.tf\0:100644 100644 bbbb {zeros} R090\0old.tf\0new.tf\0:000000 100644 {zeros} {zeros} A\0b.tf\0:100644 000000 cccc {zeros} D\0gone.bicep\0:100644 100644 dddd {zeros} M\0x.png\0"
        );
        assert_eq!(former(&raw), [("aaaa", "a.tf"), ("bbbb", "new.tf"), ("cccc", "gone.bicep")]);
    }

    #[test]
    fn names_that_git_quotes_are_read() {
        let diff = "diff --git \"a/x\" \"b/x\"\n--- \"a/gr\\303\\266\\303\\237e \\\"1\\\".tf\"\n+++ \"b/gr\\303\\266\\303\\237e \\\"1\\\".tf\"\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n";
        assert_eq!(lines(diff, "größe \"1\".tf"), [1]);
    }

    #[test]
    fn deleted_files_have_no_lines_and_damage_does_no_harm() {
        assert!(changed_lines("diff --git a/x b/x\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n").is_empty());
        assert!(changed_lines("@@ -1 +1 @@\n+a").is_empty());
        assert_eq!(lines("diff --git a/x b/x\n+++ b/x\n@@ -1,5 +1,5 @@\n+a", "x"), [1]);
    }

    #[test]
    fn revisions_that_look_like_options_are_refused() {
        let problem = Changes::of_git(Path::new("."), Some("--output=x")).err();
        assert!(matches!(problem, Some(Problem::Revision(_) | Problem::Refused(_) | Problem::NoGit(_))));
        assert!(matches!(merge_base(Path::new("."), "-x"), Err(Problem::Revision(_))));
    }
}
