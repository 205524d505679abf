//! Subresources that need a private endpoint when another one of the same target has one.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// Two subresources of which the one is no use without the other.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// The target's ARM type.
    pub arm_type: EcoString,
    /// The subresource that has an endpoint.
    pub group: EcoString,
    /// The one that then needs an endpoint as well.
    pub needs: EcoString,
    /// The row holds only for targets of which this is certain.
    pub when: Option<Property>,
    /// Why: the end of a sentence.
    pub because: String,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is: high backs a warning, less backs advice.
    pub confidence: Confidence,
}

/// A property of the target, by vocabulary, and what it must be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// Of azurerm resources.
    pub terraform: Vec<EcoString>,
    /// Of ARM resources.
    pub arm: Vec<EcoString>,
    /// Its value is one of these; booleans as `true` and `false`.
    pub is: Vec<EcoString>,
}

/// All rows, in the order of the table.
pub fn all() -> &'static [Companion] {
    static TABLE: OnceLock<Vec<Companion>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/private_endpoint_companions.json")))
}

/// The rows of a target's type, in any case.
pub fn of_type(arm_type: &str) -> impl Iterator<Item = &'static Companion> + '_ {
    all().iter().filter(move |row| row.arm_type.eq_ignore_ascii_case(arm_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::private_dns_zones;

    #[test]
    fn every_row_names_subresources_of_its_target() {
        for row in all() {
            assert!(!row.sources.is_empty() && !row.because.is_empty(), "{}", row.group);
            for group in [&row.group, &row.needs] {
                assert!(
                    private_dns_zones::of_type(&row.arm_type).any(|zones| zones.group_ids.contains(group)),
                    "{group} of {}",
                    row.arm_type
                );
            }
        }
    }
}
