//! `portolan check --fix` and `--diff`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use crate::analyzer::{self, Fixed, Fixing, Options};
use crate::fix::{save, unified};
use crate::report::{Report, counted, printable};

use super::Failure;
use super::output;
use super::progress::Progress;

/// Applies what can be fixed, and says on standard error what it was. What remains is to be reported as ever.
pub(super) fn apply(options: &Options, progress: Progress) -> Result<Report, Failure> {
    let fixing = analyzer::find_fixes(options, &|stage| progress.show(stage));
    drop(progress);
    save(&fixing.files).map_err(|(path, problem)| anyhow::anyhow!("cannot write `{path}`: {problem}"))?;
    tell(&account(&fixing, "Fixed"));
    if fixing.planned && !fixing.fixed.is_empty() {
        tell("The plan is as it was; what follows is still its state. Make a new plan.\n");
    }
    Ok(fixing.report)
}

/// Shows what would be fixed as a unified diff. Whether there is anything.
pub(super) fn show(options: &Options, progress: Progress) -> Result<(bool, Report), Failure> {
    let fixing = analyzer::find_fixes(options, &|stage| progress.show(stage));
    drop(progress);
    let mut text = String::new();
    for changed in &fixing.files {
        let path = changed.file.display();
        let hidden = |line| fixing.hidden.hold(path, line);
        text.push_str(&unified(path, changed.file.text(), &changed.text, &hidden));
    }
    if io::stdout().is_terminal() {
        // What stands in files cannot move the cursor; a diff that goes elsewhere is as the files are.
        text = text.lines().map(|line| printable(line.trim_end_matches('\r')) + "\n").collect();
    }
    output::to_stdout(text.as_bytes())?;
    tell(&account(&fixing, "Would fix"));
    Ok((!fixing.files.is_empty(), fixing.report))
}

/// How much is fixed, and what, rule by rule.
fn account(fixing: &Fixing, word: &str) -> String {
    if fixing.fixed.is_empty() {
        return "Nothing to fix.\n".into();
    }
    let findings = counted(fixing.fixed.len(), "finding");
    let mut text = format!("{word} {findings} in {}:\n", counted(fixing.files.len(), "file"));
    let mut rules: BTreeMap<&str, Vec<&Fixed>> = BTreeMap::new();
    for fixed in &fixing.fixed {
        rules.entry(fixed.rule).or_default().push(fixed);
    }
    for (rule, all) in rules {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {rule} ({})", all.len());
        let mut lines: Vec<String> = all.iter().map(|fixed| line(fixed)).collect();
        lines.dedup();
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

fn line(fixed: &Fixed) -> String {
    let title = printable(&fixed.title);
    match &fixed.location {
        Some(location) => {
            format!("{}:{}: {title}", printable(location.file.display()), location.start.line)
        }
        None => title,
    }
}

fn tell(text: &str) {
    // There is nobody left to tell when standard error is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
