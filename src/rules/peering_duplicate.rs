//! ## What it checks
//!
//! That a network has no more than one peering to each other network.
//!
//! ## What Azure does
//!
//! The second one is rejected. Peerings of parts of networks (subnet peering) are not checked.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke_again" {
//!   name                      = "hub-to-spoke-again"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known between which networks a peering runs.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Id, Peering, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "peering-duplicate",
    category: Category::Peering,
    severity: Severity::Error,
    summary: "two peerings from one network to the same other network",
    error_codes: &["AnotherPeeringAlreadyReferencesRemoteVnet"],
    fix: None,
    pedantic: false,
    source: include_str!("peering_duplicate.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut seen: BTreeMap<(Id<VirtualNetwork>, Id<VirtualNetwork>), &Peering> = BTreeMap::new();
    for peering in topology.peerings.iter().filter(|peering| peering.header.is_managed()) {
        // Of parts of networks there may be several.
        if peering.peer_complete_networks.known() == Some(&false) {
            continue;
        }
        let (Some(network), Some(remote)) = (peering.network.to(), peering.remote.to()) else {
            if let Some(unknown) = peering.network.unknown().or_else(|| peering.remote.unknown()) {
                reporter.undecided(peering.header.place, unknown);
            }
            continue;
        };
        let first = *seen.entry((network, remote)).or_insert(peering);
        let root = |peering: &Peering| topology[peering.header.resource].key.root;
        let same =
            first.header.resource_id.is_some() && first.header.resource_id == peering.header.resource_id;
        // The same peering deployed again, or somebody else's declaration of it, is not a second one.
        if std::ptr::eq(first, peering) || same || root(first) != root(peering) {
            reporter.satisfied();
            continue;
        }
        let finding = reporter
            .finding(
                format!(
                    "network {} is peered with {} twice, by {} and {}",
                    support::label(topology, &topology[network].header),
                    support::label(topology, &topology[remote].header),
                    support::label(topology, &first.header),
                    support::label(topology, &peering.header),
                ),
                peering.header.place,
            )
            .of(&peering.header.resource_id)
            .related_part("the first peering between the two", &first.header)
            .advice("Remove one of the two; a network has one peering to each other network.")
            .certain_if(
                first.header.is_certain()
                    && peering.header.is_certain()
                    && first.peer_complete_networks.unknown().is_none()
                    && peering.peer_complete_networks.unknown().is_none(),
            );
        reporter.violated(finding);
    }
}
