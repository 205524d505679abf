//! What is lost when an injected service is made again elsewhere.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

/// A service that cannot be moved to another network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacement {
    /// The service's ARM type.
    pub arm_type: EcoString,
    /// The azurerm types that make it.
    pub terraform: Vec<EcoString>,
    /// The outermost arguments that tie it to its network.
    pub attributes: Vec<EcoString>,
    /// What goes with it.
    pub loses: EcoString,
    /// How bad that is.
    pub severity: Loss,
    /// Where the row comes from.
    pub sources: Vec<String>,
}

/// How bad a loss is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Loss {
    /// Data that is nowhere else.
    Error,
    /// What can be made again, with an outage.
    Warning,
}

#[derive(Deserialize)]
struct Table {
    #[allow(dead_code, reason = "the file says what it is for those who open it")]
    about: String,
    rows: Vec<Replacement>,
}

/// All rows, in the order of the table.
pub fn all() -> &'static [Replacement] {
    static TABLE: OnceLock<Table> = OnceLock::new();
    &TABLE.get_or_init(|| super::read(include_str!("data/replacements.json"))).rows
}

/// The row of a resource, by the type that its author wrote or by its ARM type.
pub fn of(written_type: &str, arm_type: Option<&str>) -> Option<&'static Replacement> {
    all().iter().find(|row| {
        row.terraform.iter().any(|own| own == written_type)
            || arm_type.is_some_and(|arm_type| row.arm_type.eq_ignore_ascii_case(arm_type))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_each_type_is_there_once() {
        let mut types = Vec::new();
        for row in all() {
            assert!(!row.attributes.is_empty() && !row.loses.is_empty() && !row.sources.is_empty());
            assert!(row.arm_type.contains('/'), "{}", row.arm_type);
            assert!(row.terraform.iter().all(|own| own.starts_with("azurerm_")));
            types.extend(row.terraform.iter().cloned());
            types.push(row.arm_type.clone());
        }
        let count = types.len();
        types.sort();
        types.dedup();
        assert_eq!(types.len(), count);
    }
}
