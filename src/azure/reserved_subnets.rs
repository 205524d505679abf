//! Subnet names that are kept for one service.

use std::sync::OnceLock;

use serde::Deserialize;

use super::Confidence;

/// A name that is kept for a service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservedSubnet {
    /// The name, as documented.
    pub name: String,
    /// Whose name it is: the end of a sentence.
    pub service: String,
    /// The kinds of occupants ([`super::occupants`]) that live there, and nothing else may.
    pub occupants: Vec<String>,
    /// Whether a network has one such occupant at most.
    pub single: bool,
    /// How sure it is that a second one is refused, where that differs.
    #[serde(default)]
    single_confidence: Option<Confidence>,
    /// Whether the service insists on the documented spelling.
    pub exact_spelling: bool,
    /// How many of them a network may have, in words.
    pub count: String,
    /// Whether a NAT gateway may be on it; `None` where that is not documented.
    #[serde(default)]
    pub nat_gateway: Option<bool>,
    /// How sure `nat_gateway` is, where that differs.
    #[serde(default)]
    nat_gateway_confidence: Option<Confidence>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

impl ReservedSubnet {
    /// How sure it is that a network takes one occupant at most.
    pub fn single_confidence(&self) -> Confidence {
        self.single_confidence.unwrap_or(self.confidence)
    }

    /// How sure it is that a NAT gateway may, or may not, be there.
    pub fn nat_gateway_confidence(&self) -> Confidence {
        self.nat_gateway_confidence.unwrap_or(self.confidence)
    }
}

/// All names.
pub fn all() -> &'static [ReservedSubnet] {
    static TABLE: OnceLock<Vec<ReservedSubnet>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/reserved_subnets.json")))
}

/// The row of a subnet's name, in any case.
pub fn find(name: &str) -> Option<&'static ReservedSubnet> {
    all().iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::occupants;

    #[test]
    fn every_row_names_known_occupants_that_need_that_name() {
        for row in all() {
            assert!(
                !row.sources.is_empty() && !row.occupants.is_empty() && !row.count.is_empty(),
                "{}",
                row.name
            );
            for kind in &row.occupants {
                let occupant = occupants::of_kind(kind).unwrap_or_else(|| panic!("{}: {kind}", row.name));
                if let Some(name) = &occupant.subnet_name {
                    assert_eq!(name, &row.name);
                }
            }
        }
        for occupant in occupants::all() {
            if let Some(name) = &occupant.subnet_name {
                assert!(find(name).is_some(), "{name} of {}", occupant.kind);
            }
        }
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(find("gatewaysubnet").unwrap().nat_gateway, Some(false));
        assert_eq!(find("AzureBastionSubnet").unwrap().nat_gateway_confidence(), Confidence::Medium);
        assert!(find("default").is_none());
    }
}
