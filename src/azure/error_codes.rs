//! The error codes and messages with which Azure refuses networks, and the rules that find their causes.

use std::sync::OnceLock;

use serde::Deserialize;

use super::Confidence;

/// What a code that is really a text begins with.
const MESSAGE: &str = "message:";

/// An error of Azure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCode {
    /// The code; or `message:` and a text that is characteristic of the error's message.
    pub code: String,
    /// What it is about.
    pub category: String,
    /// What it means, in a few words.
    pub meaning: String,
    /// The rules that find its cause, by name.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Why no rule does: the end of a sentence.
    pub because: Option<String>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

impl ErrorCode {
    /// The text of an error that has no code of its own.
    pub fn message(&self) -> Option<&str> {
        self.code.strip_prefix(MESSAGE).map(str::trim)
    }

    /// Whether a text that a user pastes is about this error: the code itself, a message or JSON body with the code as a
    /// word in it, or the characteristic text; in any case.
    pub fn is_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        match self.message() {
            Some(message) => squeeze(&text).contains(&squeeze(&message.to_lowercase())),
            None => has_word(&text, &self.code.to_lowercase()),
        }
    }
}

/// A text with every run of white space as one blank, since what is pasted has been wrapped.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text has a word in it that is no part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or(""), text.get(at + word.len()..).unwrap_or(""));
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

/// All rows, in the order of the table.
pub fn all() -> &'static [ErrorCode] {
    static TABLE: OnceLock<Vec<ErrorCode>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/error_codes.json")))
}

/// The errors that a text is about, in the order of the table.
pub fn in_text(text: &str) -> Vec<&'static ErrorCode> {
    all().iter().filter(|row| row.is_in(text)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_predicted_or_says_why_not() {
        let mut codes = BTreeSet::new();
        for row in all() {
            assert!(codes.insert(row.code.to_lowercase()), "{} twice", row.code);
            assert!(row.rules.is_empty() == row.because.is_some(), "{}", row.code);
            assert!(!row.sources.is_empty() && !row.meaning.is_empty(), "{}", row.code);
            assert!(row.message().is_none_or(|text| text.len() > 12), "{}", row.code);
            assert_eq!(in_text(&row.code).first().map(|found| &found.code), Some(&row.code));
        }
    }

    #[test]
    fn what_is_pasted_is_recognised() {
        let codes = |text: &str| in_text(text).iter().map(|row| row.code.as_str()).collect::<Vec<_>>();
        assert_eq!(codes("subnetisfull"), ["SubnetIsFull"]);
        assert_eq!(
            codes(
                r#"{"error": {"code": "DeploymentFailed", "details": [{"code": "NetcfgSubnetRangesOverlap"}]}}"#
            ),
            ["NetcfgSubnetRangesOverlap"]
        );
        assert_eq!(
            codes(
                "StatusCode=400 Code=\"BadRequest\" Message=\"Subnet a in VNET b is missing a\n    delegation to Microsoft.Web/serverFarms.\""
            ),
            ["message: is missing a delegation to"]
        );
        assert!(
            codes("SubnetIsFullOfWater").is_empty()
                && codes("").is_empty()
                && codes("everything is fine").is_empty()
        );
    }
}
