//! A rule's page: what `portolan explain` shows and `docs/rules` holds.

use std::fmt::Write;

use crate::azure::error_codes::{self, ErrorCode};
use crate::rules::Rule;

use super::sentence;

/// The page, in Markdown.
pub fn page(rule: &Rule) -> String {
    let mut page = format!("# {}\n\n{}\n\n", rule.name, sentence(rule.summary));
    // Writing to a string cannot fail.
    let _ = write!(page, "Severity: {}. Category: {}.", rule.severity.as_str(), rule.category.as_str());
    if !rule.error_codes.is_empty() {
        let codes: Vec<String> = rule.error_codes.iter().map(|code| format!("`{code}`")).collect();
        let _ = write!(page, " Azure would say: {}.", codes.join(", "));
    }
    if rule.pedantic {
        page.push_str(" Runs only with `--pedantic`, or when it is selected by its name.");
    }
    if let Some(fix) = rule.fix {
        let _ = write!(page, " `--fix` {fix}.");
    }
    let _ = write!(page, "\n\n{}", rule.documentation());
    page
}

/// The page of Azure's error codes with the rules that predict them, in Markdown: `docs/error-codes.md`.
pub fn error_codes_page() -> String {
    let mut page = "# Error codes\n\n\
        What Azure answers when it refuses a network, and the rules that find the cause before deployment. A text in quotes is\n\
        recognised in the message of an error that has no code of its own. `portolan explain` takes a code, or a whole error\n\
        message as it was printed.\n"
        .to_string();
    let mut category = "";
    for row in error_codes::all() {
        if row.category != category {
            category = &row.category;
            let _ =
                write!(page, "\n## {category}\n\n| error | meaning | found by | from |\n|---|---|---|---|\n");
        }
        let _ = writeln!(page, "| {} | {} | {} | {} |", shown(row), row.meaning, found_by(row), sources(row));
    }
    page
}

/// A code, or the text of an error without one.
fn shown(row: &ErrorCode) -> String {
    match row.message() {
        Some(text) => format!("\u{201c}… {text} …\u{201d}"),
        None => format!("`{}`", row.code),
    }
}

fn found_by(row: &ErrorCode) -> String {
    match &row.because {
        Some(because) => format!("not predictable, because {because}"),
        None => {
            row.rules.iter().map(|rule| format!("[`{rule}`](rules/{rule}.md)")).collect::<Vec<_>>().join(", ")
        }
    }
}

/// The sources as links where they are addresses; files of repositories as they are.
fn sources(row: &ErrorCode) -> String {
    let link = |source: &String| match source.strip_prefix("https://") {
        Some(rest) => format!("[{}]({source})", rest.trim_end_matches('/')),
        None => source.clone(),
    };
    row.sources.iter().map(link).collect::<Vec<_>>().join(", ")
}
