//! Address ranges that services keep for themselves: a subnet with such an instance may not use them.

use std::sync::OnceLock;

use ecow::EcoString;
use ipnet::IpNet;
use serde::Deserialize;

use super::Confidence;
use crate::topology::ResourceNode;

/// The ranges of a kind of occupant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservedRanges {
    /// The kind of occupant ([`super::occupants`]).
    pub kind: EcoString,
    /// The row holds only for resources that have one of these properties.
    pub when: Option<Given>,
    /// The ranges.
    pub ranges: Vec<IpNet>,
    /// The ranges, as people say it.
    pub text: String,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Properties, by vocabulary.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Of azurerm resources.
    pub terraform: Vec<EcoString>,
    /// Of ARM resources.
    pub arm: Vec<EcoString>,
}

impl Given {
    /// Whether a resource certainly has one of the properties.
    pub fn holds(&self, resource: &ResourceNode) -> bool {
        !resource.values(&self.terraform, &self.arm).found.is_empty()
    }
}

impl ReservedRanges {
    /// The first of the ranges that shares an address with another range.
    pub fn overlapping(&self, range: &IpNet) -> Option<IpNet> {
        self.ranges.iter().find(|own| own.contains(range) || range.contains(*own)).copied()
    }
}

/// All rows, in the order of the table.
pub fn all() -> &'static [ReservedRanges] {
    static TABLE: OnceLock<Vec<ReservedRanges>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/reserved_ranges.json")))
}

/// The rows of a kind of occupant, in any case.
pub fn of_kind(kind: &str) -> impl Iterator<Item = &'static ReservedRanges> + '_ {
    all().iter().filter(move |row| row.kind.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::occupants;

    #[test]
    fn every_row_has_ranges_and_a_known_kind() {
        for row in all() {
            assert!(occupants::of_kind(&row.kind).is_some(), "{}", row.kind);
            assert!(
                !row.sources.is_empty() && !row.ranges.is_empty() && !row.text.is_empty(),
                "{}",
                row.kind
            );
            assert!(row.ranges.iter().all(|range| range.trunc() == *range), "{}", row.kind);
        }
        let resolver = of_kind("microsoft.network/dnsresolvers/INBOUNDENDPOINTS").next().unwrap();
        let overlaps = |text: &str| resolver.overlapping(&text.parse().unwrap()).is_some();
        assert!(overlaps("10.0.8.0/28") && overlaps("10.0.16.0/24") && overlaps("10.0.0.0/16"));
        assert!(!overlaps("10.0.0.0/24") && !overlaps("10.0.17.0/28") && !overlaps("10.1.1.0/28"));
    }
}
