//! What must be in the region of the network that it lives in.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// Resources of a type, all of which are in the region of their network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regional {
    /// The ARM type.
    pub arm_type: EcoString,
    /// Properties that give an instance units in other regions, with networks there; for all vocabularies.
    #[serde(default)]
    pub other_regions: Vec<EcoString>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// All rows, in the order of the table.
pub fn all() -> &'static [Regional] {
    static TABLE: OnceLock<Vec<Regional>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/regional.json")))
}

/// The row of an ARM type, in any case.
pub fn of_type(arm_type: &str) -> Option<&'static Regional> {
    all().iter().find(|row| row.arm_type.eq_ignore_ascii_case(arm_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::occupants;

    #[test]
    fn every_row_is_a_known_occupant_and_backs_an_error() {
        for row in all() {
            assert!(occupants::of_arm(&row.arm_type).next().is_some(), "{}", row.arm_type);
            assert!(!row.sources.is_empty() && row.confidence == Confidence::High, "{}", row.arm_type);
        }
    }
}
