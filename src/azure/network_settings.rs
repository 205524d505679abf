//! Network settings that Azure refuses, or that have no effect, because of the resource's tier or its other settings.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;
use super::conditions::Condition;

/// Settings of a resource that do not go together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// The resource's ARM type.
    pub arm_type: EcoString,
    /// What is wrong: the end of a sentence that begins with the resource's name.
    pub what: String,
    /// What to do.
    pub advice: String,
    /// What comes of it.
    pub effect: Effect,
    /// The conditions that must all hold: first the setting in question, then what rules it out.
    pub when: Vec<Condition>,
    /// Those that must hold of the resource's parent.
    #[serde(default)]
    pub when_parent: Vec<Condition>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// What comes of settings that do not go together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The deployment is rejected.
    Refused,
    /// The setting does nothing.
    Ineffective,
}

/// All rows, in the order of the table.
pub fn all() -> &'static [Conflict] {
    static TABLE: OnceLock<Vec<Conflict>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/network_settings.json")))
}

/// The rows of a type, in any case.
pub fn of_type(arm_type: &str) -> impl Iterator<Item = &'static Conflict> + '_ {
    all().iter().filter(move |row| row.arm_type.eq_ignore_ascii_case(arm_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_conditions_paths_and_sources() {
        for row in all() {
            assert!(!row.when.is_empty() && !row.sources.is_empty(), "{}", row.arm_type);
            for condition in row.when.iter().chain(&row.when_parent) {
                assert!(!condition.terraform.is_empty() && !condition.arm.is_empty(), "{}", row.arm_type);
            }
        }
    }
}
