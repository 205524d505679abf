//! Network rules that admit subnets by their service endpoints.

use std::collections::HashMap;
use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// A kind of network rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointRule {
    /// The key of the row.
    pub kind: EcoString,
    /// What people call the resource that has the rule.
    pub name: String,
    /// The ARM type whose body holds the rule.
    pub arm_type: EcoString,
    /// The service endpoints of which the subnet must have one.
    pub endpoints: Vec<EcoString>,
    /// Where azurerm resources say it.
    #[serde(default)]
    pub terraform: Vec<TerraformRule>,
    /// Where the ARM resource says it.
    pub arm: Vec<ArmRule>,
    /// What else is worth knowing.
    #[serde(default)]
    pub note: Option<String>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Where an azurerm resource admits subnets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerraformRule {
    /// The azurerm type.
    #[serde(rename = "type")]
    pub resource_type: EcoString,
    /// The way to the block, with dots; empty for the resource itself.
    pub block: EcoString,
    /// The attribute in the block: a subnet's id, or a list of them.
    pub subnet: EcoString,
    /// The attribute in the block that accepts a subnet without the endpoint.
    #[serde(default)]
    pub ignore_missing: Option<EcoString>,
}

/// Where an ARM resource admits subnets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmRule {
    /// The way to the object, with dots and `[]` behind arrays; empty for the resource itself.
    pub block: EcoString,
    /// The property in the object: a subnet's id.
    pub subnet: EcoString,
    /// The property in the object that accepts a subnet without the endpoint.
    #[serde(default)]
    pub ignore_missing: Option<EcoString>,
}

struct Rules {
    rows: Vec<EndpointRule>,
    by_type: HashMap<String, Vec<usize>>,
}

fn table() -> &'static Rules {
    static TABLE: OnceLock<Rules> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows: Vec<EndpointRule> = super::rows(include_str!("data/service_endpoints.json"));
        let mut by_type: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            let types = row.terraform.iter().map(|rule| rule.resource_type.to_string());
            for name in types.chain([row.arm_type.to_lowercase().to_string()]) {
                let of_type = by_type.entry(name).or_default();
                if of_type.last() != Some(&index) {
                    of_type.push(index);
                }
            }
        }
        Rules { rows, by_type }
    })
}

/// All rows, in the order of the table.
pub fn all() -> &'static [EndpointRule] {
    &table().rows
}

/// The row of a kind.
pub fn of_kind(kind: &str) -> Option<&'static EndpointRule> {
    all().iter().find(|row| row.kind == kind)
}

/// The rows of an azurerm or ARM type, in lower case.
pub fn of_type(resource_type: &str) -> impl Iterator<Item = &'static EndpointRule> {
    let table = table();
    table.by_type.get(resource_type).into_iter().flatten().filter_map(|index| table.rows.get(*index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_where_it_stands_and_which_endpoint_it_needs() {
        for row in all() {
            assert!(
                !row.endpoints.is_empty() && !row.sources.is_empty() && !row.arm.is_empty(),
                "{}",
                row.kind
            );
            assert!(row.endpoints.iter().all(|endpoint| endpoint.starts_with("Microsoft.")), "{}", row.kind);
            assert!(
                row.terraform.iter().all(|rule| rule.resource_type.starts_with("azurerm_")),
                "{}",
                row.kind
            );
            assert!(std::ptr::eq(of_kind(&row.kind).unwrap(), row), "{} twice", row.kind);
            assert!(of_type(&row.arm_type.to_lowercase()).any(|found| found.kind == row.kind));
        }
    }

    #[test]
    fn storage_accepts_either_of_its_endpoints() {
        let row = of_type("azurerm_storage_account_network_rules").next().unwrap();
        assert_eq!(row.endpoints, ["Microsoft.Storage", "Microsoft.Storage.Global"]);
    }
}
