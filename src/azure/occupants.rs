//! What lives in subnets: the attributes that name the subnet, and on what terms an occupant shares it.

use std::collections::HashMap;
use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// A kind of occupant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occupant {
    /// The key of the row: the ARM type, with a suffix where one type uses subnets in several ways.
    pub kind: EcoString,
    /// What people call it, in lower case where it is no proper name; `None`: use the ARM type.
    name: Option<String>,
    /// The ARM type.
    pub arm_type: EcoString,
    /// The attributes of azurerm resources that name the subnet.
    #[serde(default)]
    pub terraform: Vec<TerraformAttribute>,
    /// The properties of the ARM resource that name the subnet.
    #[serde(default)]
    pub arm: Vec<ArmProperty>,
    /// The attributes hold the subnet's name, not its id; the network's id stands elsewhere.
    #[serde(default)]
    pub by_name: bool,
    /// With whom it shares a subnet; `None` where nothing is documented.
    pub sharing: Option<Sharing>,
    /// The service that the subnet must be delegated to.
    pub delegation: Option<EcoString>,
    /// When the delegation is needed, in words, where it is not always.
    pub delegation_condition: Option<String>,
    /// It is refused in a subnet that is delegated to anything.
    #[serde(default)]
    pub refuses_delegation: bool,
    /// The name that the subnet must have.
    pub subnet_name: Option<EcoString>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// An attribute of an azurerm resource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerraformAttribute {
    /// `azurerm_subnet`.
    #[serde(rename = "type")]
    pub resource_type: EcoString,
    /// The way to the attribute through blocks, with dots.
    pub attribute: EcoString,
    /// Where the id of the network, or of another of its subnets, stands, for attributes that hold a name.
    pub network: Option<EcoString>,
}

/// A property of an ARM resource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmProperty {
    /// The way to the property, with dots; `[]` stands for every element of an array.
    pub path: EcoString,
    /// Where the id of the network, or of another of its subnets, stands, for properties that hold a name.
    pub network: Option<EcoString>,
    /// The row holds only for resources that have this property.
    pub when_set: Option<EcoString>,
    /// The row holds only for resources that do not have this property.
    pub unless_set: Option<EcoString>,
}

/// With whom an occupant shares a subnet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// With anything else of this class, in a subnet that is not delegated and has no reserved name.
    Ordinary,
    /// With instances of the same service only.
    Dedicated,
    /// With nothing, not even a second instance.
    DedicatedSingle,
    /// With other application gateways only.
    ApplicationGatewaysOnly,
    /// With the other gateways of the network only (one VPN and one ExpressRoute).
    GatewaysOnly,
    /// With API servers of other AKS clusters of the network only.
    AksApiServerOnly,
    /// With the apps of one App Service plan.
    OneAppServicePlan,
    /// With other Flex Consumption apps only.
    FlexConsumptionAppsOnly,
}

impl Occupant {
    /// What people call it.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.arm_type)
    }
}

struct Occupants {
    rows: Vec<Occupant>,
    by_kind: HashMap<String, usize>,
    by_terraform: HashMap<String, Vec<usize>>,
    by_arm: HashMap<String, Vec<usize>>,
}

fn table() -> &'static Occupants {
    static TABLE: OnceLock<Occupants> = OnceLock::new();
    TABLE.get_or_init(|| {
        let rows: Vec<Occupant> = super::rows(include_str!("data/occupants.json"));
        let mut by_kind = HashMap::new();
        let mut by_terraform: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_arm: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            by_kind.insert(row.kind.as_str().to_ascii_lowercase(), index);
            for attribute in &row.terraform {
                let of_type = by_terraform.entry(attribute.resource_type.to_string()).or_default();
                if of_type.last() != Some(&index) {
                    of_type.push(index);
                }
            }
            by_arm.entry(row.arm_type.as_str().to_ascii_lowercase()).or_default().push(index);
        }
        Occupants { rows, by_kind, by_terraform, by_arm }
    })
}

/// All kinds of occupants, in the order of the table.
pub fn all() -> &'static [Occupant] {
    &table().rows
}

/// The row of a kind, in any case.
pub fn of_kind(kind: &str) -> Option<&'static Occupant> {
    let table = table();
    table.rows.get(*table.by_kind.get(&kind.to_ascii_lowercase())?)
}

/// The rows that an azurerm type has attributes in.
pub fn of_terraform(resource_type: &str) -> impl Iterator<Item = &'static Occupant> {
    let table = table();
    table.by_terraform.get(resource_type).into_iter().flatten().filter_map(|index| table.rows.get(*index))
}

/// The rows of an ARM type, in any case.
pub fn of_arm(arm_type: &str) -> impl Iterator<Item = &'static Occupant> {
    let table = table();
    table
        .by_arm
        .get(&arm_type.to_ascii_lowercase())
        .into_iter()
        .flatten()
        .filter_map(|index| table.rows.get(*index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_where_the_subnet_is_named_and_where_that_is_from() {
        for row in all() {
            assert!(!row.terraform.is_empty() || !row.arm.is_empty(), "{}", row.kind);
            assert!(!row.sources.is_empty(), "{}", row.kind);
            assert!(row.arm_type.contains('/'), "{}", row.kind);
            assert!(row.kind.starts_with(row.arm_type.as_str()), "{}", row.kind);
            assert_eq!(
                of_kind(&row.kind.to_uppercase()).map(|found| &found.kind),
                Some(&row.kind),
                "kinds are unique"
            );
            assert!(row.delegation.is_none() || !row.refuses_delegation, "{}", row.kind);
            for attribute in &row.terraform {
                assert!(attribute.resource_type.starts_with("azurerm_"), "{}", row.kind);
                assert!(
                    of_terraform(&attribute.resource_type).any(|found| found.kind == row.kind),
                    "{}",
                    row.kind
                );
            }
        }
    }

    #[test]
    fn the_ways_to_a_postgresql_server() {
        let rows: Vec<_> = of_terraform("azurerm_postgresql_flexible_server").collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].delegation.as_deref(), Some("Microsoft.DBforPostgreSQL/flexibleServers"));
        assert_eq!(rows[0].name(), "PostgreSQL flexible server");
        assert_eq!(of_arm("microsoft.dbforpostgresql/flexibleservers").count(), 1);
    }
}
