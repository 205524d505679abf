//! What must be there before something is made, although nothing in its arguments names it.

use std::sync::OnceLock;

use serde::Deserialize;

use super::flows::When;
use super::{Confidence, Sources};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderingFacts {
    /// What the table holds.
    pub about: String,
    /// The rows.
    pub rows: Vec<OrderingRow>,
    /// Where the rows come from.
    pub sources: Sources,
}

/// What a service in a subnet waits for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderingRow {
    /// Name of the row; stable.
    pub id: String,
    /// The service's ARM type.
    pub arm_type: String,
    /// What to call it.
    pub name: String,
    /// When it holds.
    pub when: Vec<When>,
    /// What must be there before.
    pub awaits: Vec<Awaited>,
    /// What happens otherwise.
    pub consequence: String,
    /// Key of [`OrderingFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// Something of the service's subnet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// The association of its route table.
    RouteTable,
    /// The default route in its route table.
    DefaultRoute,
    /// The association of its network security group.
    SecurityGroup,
}

/// The table.
pub fn ordering_facts() -> &'static OrderingFacts {
    static TABLE: OnceLock<OrderingFacts> = OnceLock::new();
    TABLE.get_or_init(|| super::read(include_str!("data/ordering.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_makes_sense() {
        let table = ordering_facts();
        assert!(table.rows.len() >= 3 && !table.about.is_empty());
        for row in &table.rows {
            assert!(table.sources.get(&row.source).is_some(), "{}", row.id);
            assert!(row.arm_type.contains('/') && !row.awaits.is_empty(), "{}", row.id);
            assert!(row.confidence >= Confidence::Medium && !row.consequence.is_empty(), "{}", row.id);
            for when in &row.when {
                assert!(when.terraform.is_some() && when.arm.is_some(), "{}", row.id);
            }
        }
    }
}
