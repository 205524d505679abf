//! Services that subnets are delegated to.

use std::collections::HashMap;
use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// A service that a subnet can be delegated to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegatedService {
    /// The name that the delegation carries. Compared without regard to case.
    pub service: EcoString,
    /// What the service is.
    pub purpose: Option<String>,
    /// Whether the subnet is then the service's alone; `None` where nothing is documented.
    pub exclusive: Option<bool>,
    /// Whether several instances may share the subnet; `None` where it depends or is not documented.
    pub several_instances: Option<bool>,
    /// The longest prefix that the documents allow.
    pub minimum_prefix_length: Option<u8>,
    /// Whether a longer prefix is known to be refused.
    #[serde(default)]
    pub minimum_is_enforced: bool,
    /// The shortest prefix that is accepted.
    pub maximum_size_prefix_length: Option<u8>,
    /// What Azure lets the service do in the subnet, where the provider's documentation says it; it writes this down.
    #[serde(default)]
    pub actions: Vec<EcoString>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

fn table() -> &'static (Vec<DelegatedService>, HashMap<String, usize>) {
    static TABLE: OnceLock<(Vec<DelegatedService>, HashMap<String, usize>)> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows: Vec<DelegatedService> = super::rows(include_str!("data/delegations.json"));
        let by_name = rows
            .iter()
            .enumerate()
            .map(|(index, row)| (row.service.as_str().to_ascii_lowercase(), index))
            .collect();
        (rows, by_name)
    })
}

/// All services, in the order of the table.
pub fn all() -> &'static [DelegatedService] {
    &table().0
}

/// The service of a delegation's name, in any case.
pub fn find(service: &str) -> Option<&'static DelegatedService> {
    let (rows, by_name) = table();
    rows.get(*by_name.get(&service.to_ascii_lowercase())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_unique_and_sourced() {
        for row in all() {
            assert!(!row.sources.is_empty(), "{}", row.service);
            assert_eq!(find(&row.service.to_uppercase()).map(|found| &found.service), Some(&row.service));
            assert!(!row.minimum_is_enforced || row.minimum_prefix_length.is_some(), "{}", row.service);
        }
        assert!(
            find("Microsoft.DBforPostgreSQL/flexibleServers").is_some_and(|row| row.exclusive == Some(true))
        );
    }

    #[test]
    fn occupants_name_only_services_that_are_in_the_table() {
        for occupant in super::super::occupants::all() {
            if let Some(service) = &occupant.delegation {
                assert!(find(service).is_some(), "{} needs {service}", occupant.kind);
            }
        }
    }
}
