//! What takes a public address for itself, beside the parts of the model that have addresses.

use std::sync::OnceLock;

use serde::Deserialize;

use super::Confidence;

/// An attribute of azurerm that names a public address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// The type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// The attribute, dots lead into blocks.
    pub attribute: String,
}

/// A kind of user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressUser {
    /// The ARM type.
    pub arm_type: String,
    /// What people call it.
    pub name: String,
    /// Where azurerm names the address.
    pub terraform: Vec<Attribute>,
    /// Where ARM names it.
    pub arm: Vec<String>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// All kinds.
pub fn all() -> &'static [AddressUser] {
    static TABLE: OnceLock<Vec<AddressUser>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/public_address_users.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_an_address_and_backs_an_error() {
        for row in all() {
            assert!(!row.terraform.is_empty() && !row.arm.is_empty(), "{}", row.arm_type);
            assert!(row.terraform.iter().all(|place| place.attribute.ends_with("public_ip_address_id")));
            assert!(row.arm.iter().all(|path| path.to_lowercase().contains("publicipaddress")));
            assert!(!row.sources.is_empty() && row.confidence == Confidence::High, "{}", row.arm_type);
        }
    }
}
