//! Public endpoints of resources, and the firewalls of databases.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::Confidence;

/// Where the same property stands in each vocabulary: alternatives, dots lead into blocks and objects.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// azurerm attributes.
    pub terraform: Vec<String>,
    /// ARM properties.
    pub arm: Vec<String>,
}

/// The public endpoint of a type.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointRow {
    /// The ARM type.
    pub arm_type: String,
    /// What opens and closes it.
    pub switch: Paths,
    /// Whether azurerm opens it when nothing is said; `None` where that is not documented.
    #[serde(default)]
    pub azurerm_default: Option<bool>,
    /// Whether Azure opens it when nothing is said; `None` where that is not documented.
    #[serde(default)]
    pub arm_default: Option<bool>,
    /// Whether it admits nobody whom no rule admits.
    #[serde(default)]
    pub denies_by_default: bool,
    /// What happens to those whom no rule names: `Allow` or `Deny`.
    #[serde(default)]
    pub default_action: Paths,
    /// What keeps others out as soon as it is given.
    #[serde(default)]
    pub filters: Paths,
    /// The addresses that its own rules admit; empty where the table does not say where they stand.
    #[serde(default)]
    pub addresses: Paths,
    /// Types of resources of their own that stand before it.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// The firewall rules of a kind of database: ranges of addresses that it admits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirewallRow {
    /// The ARM type of the rule; its parent is the server.
    pub arm_type: String,
    /// What people call the server.
    pub name: String,
    /// The first address.
    pub start: Paths,
    /// The last address.
    pub end: Paths,
    /// Whether `0.0.0.0` to `0.0.0.0` stands for every service and machine in Azure, other customers' included.
    pub zero_is_azure: bool,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[allow(dead_code, reason = "the file says what it is for those who open it")]
    about: String,
    endpoints: Vec<EndpointRow>,
    firewalls: Vec<FirewallRow>,
}

struct Rows {
    table: Table,
    endpoints: HashMap<String, usize>,
    firewalls: HashMap<String, usize>,
}

fn rows() -> &'static Rows {
    static ROWS: OnceLock<Rows> = OnceLock::new();
    ROWS.get_or_init(|| {
        let table: Table = super::read(include_str!("data/public_endpoints.json"));
        let key = |(index, arm_type): (usize, &String)| (arm_type.to_lowercase(), index);
        Rows {
            endpoints: table.endpoints.iter().map(|row| &row.arm_type).enumerate().map(key).collect(),
            firewalls: table.firewalls.iter().map(|row| &row.arm_type).enumerate().map(key).collect(),
            table,
        }
    })
}

/// All public endpoints.
pub fn endpoints() -> &'static [EndpointRow] {
    &rows().table.endpoints
}

/// All firewalls.
pub fn firewalls() -> &'static [FirewallRow] {
    &rows().table.firewalls
}

/// The public endpoint of an ARM type in lower case.
pub fn endpoint_of(arm_type: &str) -> Option<&'static EndpointRow> {
    endpoints().get(*rows().endpoints.get(arm_type)?)
}

/// The firewall whose rules are of an ARM type in lower case.
pub fn firewall_of(arm_type: &str) -> Option<&'static FirewallRow> {
    firewalls().get(*rows().firewalls.get(arm_type)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_found_by_its_type() {
        for row in endpoints() {
            assert!(
                std::ptr::eq(endpoint_of(&row.arm_type.to_lowercase()).unwrap(), row),
                "{}",
                row.arm_type
            );
            assert!(!row.sources.is_empty() && !row.switch.terraform.is_empty(), "{}", row.arm_type);
            assert!(!row.switch.arm.is_empty() && row.confidence >= Confidence::Medium, "{}", row.arm_type);
            assert!(row.rules.iter().all(|kind| kind.contains('/') || kind.starts_with("azurerm_")));
        }
        for row in firewalls() {
            assert!(
                std::ptr::eq(firewall_of(&row.arm_type.to_lowercase()).unwrap(), row),
                "{}",
                row.arm_type
            );
            for paths in [&row.start, &row.end] {
                assert!(!paths.terraform.is_empty() && !paths.arm.is_empty(), "{}", row.arm_type);
            }
            assert!(!row.sources.is_empty() && !row.name.is_empty(), "{}", row.arm_type);
            assert!(row.confidence >= Confidence::Medium, "{}", row.arm_type);
        }
        assert!(
            endpoint_of("microsoft.storage/storageaccounts").is_some_and(|row| row.arm_default == Some(true))
        );
        assert!(firewall_of("microsoft.sql/servers/firewallrules").is_some_and(|row| row.zero_is_azure));
    }
}
