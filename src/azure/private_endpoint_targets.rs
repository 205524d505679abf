//! What keeps a resource from having a private endpoint: its tier, or the way it is attached to a network.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// A reason for which resources of a type cannot have a private endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obstacle {
    /// The target's ARM type.
    pub arm_type: EcoString,
    /// What is wrong with such a target: the end of a sentence that begins with its name.
    pub what: String,
    /// What to do.
    pub advice: String,
    /// The conditions that must all hold.
    pub when: Vec<Condition>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// A condition on a property of the target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where azurerm resources say it (alternatives).
    pub terraform: Vec<EcoString>,
    /// Where the ARM resource says it (alternatives).
    pub arm: Vec<EcoString>,
    /// The property's state.
    pub is: Wanted,
}

/// What a property must be for a condition to hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Not given.
    Absent,
    /// Given, whatever it is.
    Present,
    /// One of these texts in any case; a final `*` stands for anything.
    OneOf(Vec<EcoString>),
    /// The same, or not given, because one of these is the documented default.
    OneOfOrAbsent(Vec<EcoString>),
}

impl Wanted {
    /// The texts, if it asks for texts.
    pub fn texts(&self) -> &[EcoString] {
        match self {
            Wanted::OneOf(texts) | Wanted::OneOfOrAbsent(texts) => texts,
            Wanted::Absent | Wanted::Present => &[],
        }
    }

    /// Whether a given text fulfils it.
    pub fn accepts(&self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        match self {
            Wanted::Absent => false,
            Wanted::Present => true,
            Wanted::OneOf(_) | Wanted::OneOfOrAbsent(_) => self.texts().iter().any(|pattern| {
                let pattern = pattern.to_ascii_lowercase();
                match pattern.strip_suffix('*') {
                    Some(start) => lower.starts_with(start),
                    None => lower == pattern,
                }
            }),
        }
    }

    /// Whether a property that is not given fulfils it.
    pub fn accepts_absence(&self) -> bool {
        matches!(self, Wanted::Absent | Wanted::OneOfOrAbsent(_))
    }
}

/// All rows, in the order of the table.
pub fn all() -> &'static [Obstacle] {
    static TABLE: OnceLock<Vec<Obstacle>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/private_endpoint_targets.json")))
}

/// The rows of a target's type, in any case.
pub fn of_type(arm_type: &str) -> impl Iterator<Item = &'static Obstacle> + '_ {
    all().iter().filter(move |row| row.arm_type.eq_ignore_ascii_case(arm_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_conditions_paths_and_sources() {
        for row in all() {
            assert!(!row.when.is_empty() && !row.sources.is_empty(), "{}", row.arm_type);
            for condition in &row.when {
                assert!(!condition.terraform.is_empty() && !condition.arm.is_empty(), "{}", row.arm_type);
            }
        }
    }

    #[test]
    fn texts_are_compared_in_any_case_and_by_their_start() {
        let wanted = Wanted::OneOf(vec!["Basic".into(), "B_*".into()]);
        assert!(wanted.accepts("BASIC") && wanted.accepts("b_Gen5_1"));
        assert!(!wanted.accepts("BasicV2") && !wanted.accepts("GP_Gen5_2") && !wanted.accepts_absence());
    }
}
