//! Resource types: which ARM type an azurerm type makes, and how ARM types are usually spelled.

use std::sync::OnceLock;

use ecow::EcoString;
use rustc_hash::FxHashMap;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[allow(dead_code)]
    about: String,
    #[allow(dead_code)]
    source: String,
    terraform: FxHashMap<String, String>,
    others: Vec<String>,
}

struct Types {
    terraform: FxHashMap<String, String>,
    spelling: FxHashMap<String, EcoString>,
}

fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| {
        let table: Table = super::read(include_str!("data/resource_types.json"));
        let spelling = table
            .terraform
            .values()
            .chain(&table.others)
            .map(|arm_type| (arm_type.to_ascii_lowercase(), EcoString::from(arm_type.as_str())))
            .collect();
        Types { terraform: table.terraform, spelling }
    })
}

/// The ARM type that an azurerm type (in lower case) makes; `None` for types that are not known, or that only change or
/// connect other resources.
pub fn of_terraform(terraform_type: &str) -> Option<&'static str> {
    types().terraform.get(terraform_type).map(String::as_str)
}

/// azurerm types that make nothing of their own in Azure: they connect two resources, and the model reads them as that.
const CONNECTIONS: [&str; 9] = [
    "azurerm_network_interface_application_security_group_association",
    "azurerm_network_interface_backend_address_pool_association",
    "azurerm_network_interface_network_security_group_association",
    "azurerm_network_interface_security_group_association",
    "azurerm_nat_gateway_public_ip_association",
    "azurerm_nat_gateway_public_ip_prefix_association",
    "azurerm_subnet_nat_gateway_association",
    "azurerm_subnet_network_security_group_association",
    "azurerm_subnet_route_table_association",
];

/// Whether an azurerm type only connects two resources.
pub fn is_connection(terraform_type: &str) -> bool {
    CONNECTIONS.contains(&terraform_type)
}

/// An ARM type in its usual spelling; types that are not known stay as they are.
pub fn usual_spelling(arm_type: &str) -> EcoString {
    types().spelling.get(&arm_type.to_ascii_lowercase()).cloned().unwrap_or_else(|| arm_type.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_type_with_a_namespace() {
        let types = types();
        assert!(types.terraform.len() > 900);
        for (terraform, arm) in &types.terraform {
            assert!(terraform.starts_with("azurerm_"), "{terraform}");
            assert!(arm.contains('.') && arm.contains('/'), "{terraform}: {arm}");
        }
    }

    #[test]
    fn one_arm_type_has_one_spelling() {
        let mut spellings: FxHashMap<String, &str> = FxHashMap::default();
        for arm in types().terraform.values() {
            let first = spellings.entry(arm.to_ascii_lowercase()).or_insert(arm);
            assert_eq!(first, arm);
        }
    }

    #[test]
    fn network_types_are_known() {
        assert_eq!(of_terraform("azurerm_subnet"), Some("Microsoft.Network/virtualNetworks/subnets"));
        assert_eq!(of_terraform("azurerm_subnet_route_table_association"), None);
        assert_eq!(usual_spelling("MICROSOFT.NETWORK/VIRTUALNETWORKS"), "Microsoft.Network/virtualNetworks");
    }
}
