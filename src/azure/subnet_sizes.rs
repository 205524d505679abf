//! How small a subnet may be for what it is called or what lives in it.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// The longest prefix that Azure takes for any subnet: a /29 leaves three addresses.
/// Source: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>.
pub const LONGEST_PREFIX: u8 = 29;

/// How many addresses of each IPv4 range Azure keeps for itself: the first four and the last.
/// Source: <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>.
pub const RESERVED_ADDRESSES: u64 = 5;

/// A minimum size.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubnetSize {
    /// Holds for a subnet of this name.
    pub subnet_name: Option<EcoString>,
    /// Holds for a subnet with an occupant of this kind.
    pub kind: Option<EcoString>,
    /// The longest prefix that the documents allow.
    pub minimum: u8,
    /// The longest prefix that is not refused, where that is known.
    pub accepted: Option<u8>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// All rows, in the order of the table.
pub fn all() -> &'static [SubnetSize] {
    static TABLE: OnceLock<Vec<SubnetSize>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/subnet_sizes.json")))
}

/// The row of a subnet's name, in any case.
pub fn of_name(name: &str) -> Option<&'static SubnetSize> {
    all().iter().find(|row| row.subnet_name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
}

/// The row of a kind of occupant.
pub fn of_kind(kind: &str) -> Option<&'static SubnetSize> {
    all().iter().find(|row| row.kind.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_one_subject_and_a_source() {
        for row in all() {
            assert!(row.subnet_name.is_some() != row.kind.is_some());
            assert!(!row.sources.is_empty());
            assert!(
                row.accepted.is_none_or(|accepted| accepted >= row.minimum && accepted <= LONGEST_PREFIX)
            );
            if let Some(kind) = &row.kind {
                assert!(super::super::occupants::of_kind(kind).is_some(), "{kind}");
            }
        }
    }
}
