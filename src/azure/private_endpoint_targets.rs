//! What keeps a resource from having a private endpoint: its tier, or the way it is attached to a network.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;
use super::conditions::Condition;

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
    /// The sub-resources that are concerned; all of them when there are none.
    #[serde(default)]
    pub group_ids: Vec<EcoString>,
    /// The conditions that must all hold.
    pub when: Vec<Condition>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

impl Obstacle {
    /// Whether a sub-resource is concerned.
    pub fn concerns(&self, group_id: &str) -> bool {
        self.group_ids.is_empty() || self.group_ids.iter().any(|own| own.eq_ignore_ascii_case(group_id))
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
}
