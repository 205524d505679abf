//! How many addresses of a subnet its occupants take.

use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// How many addresses each AKS node takes out of the cluster's pod range, with an overlay or kubenet: a /24, fixed.
/// Source: <https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay>.
pub const POD_ADDRESSES_OF_NODE: u64 = 256;

/// How many addresses each AKS node takes at least out of a subnet for pods: they are handed out in batches of 16.
/// Source: <https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-pod-subnet>.
pub const POD_SUBNET_BATCH: u64 = 16;

/// How many pods an AKS node has room for with Azure CNI and without a number in the configuration.
/// Source: <https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning>.
pub const DEFAULT_PODS_OF_NODE: u64 = 30;

/// How many addresses one unit of an injected API Management service takes, in the tiers that scale.
/// Source: <https://learn.microsoft.com/azure/api-management/virtual-network-injection-resources>.
pub const ADDRESSES_OF_API_MANAGEMENT_UNIT: u64 = 2;

/// What a kind of occupant takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressNeed {
    /// The kind of occupant.
    pub kind: EcoString,
    /// Addresses of one instance, at least.
    pub each: u64,
    /// Addresses of one instance with a standby.
    pub highly_available: Option<u64>,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// All rows, in the order of the table.
pub fn all() -> &'static [AddressNeed] {
    static TABLE: OnceLock<Vec<AddressNeed>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/address_needs.json")))
}

/// The row of a kind of occupant.
pub fn of_kind(kind: &str) -> Option<&'static AddressNeed> {
    all().iter().find(|row| row.kind.eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_of_a_known_kind_and_sourced() {
        for row in all() {
            assert!(super::super::occupants::of_kind(&row.kind).is_some(), "{}", row.kind);
            assert!(row.each > 0 && row.highly_available.is_none_or(|standby| standby > row.each));
            assert!(!row.sources.is_empty(), "{}", row.kind);
        }
    }
}
