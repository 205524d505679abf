//! A rule's page: what `portolan explain` shows and `docs/rules` holds.

use std::fmt::Write;

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
