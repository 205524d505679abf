//! ## What it checks
//!
//! That a peering between two networks which are both managed here has its other half: one peering from each network to
//! the other.
//!
//! ## What Azure does
//!
//! A single half is accepted and stays in the state `Initiated`; no packet crosses it until the other network has a peering
//! back. Nothing reports an error.
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
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known between which networks a peering runs: any such peering may be the missing half. The
//! same when one of the networks is handed to a module whose source is not on disk. A peering to a
//! network that is only looked up, or named by its id, is not checked: its other half is somebody else's.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>
//! - <https://learn.microsoft.com/troubleshoot/azure/virtual-network/virtual-network-troubleshoot-peering-issues>

use super::{Context, Reporter, Rule, support};
use crate::analysis::peers;
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::Peering;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "peering-one-way",
    category: Category::Peering,
    severity: Severity::Error,
    summary: "a peering without its other half",
    error_codes: &["message: Remote sync required"],
    fix: Some("adds the other half"),
    pedantic: false,
    source: include_str!("peering_one_way.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let blind = topology.peerings.iter().find_map(|peering| {
        peering.network.unknown().or_else(|| peering.remote.unknown()).map(|why| (peering, why))
    });
    for (id, peering) in topology.all::<Peering>().filter(|(_, peering)| peering.header.is_managed()) {
        let (Some(network), Some(remote)) = (peering.network.to(), peering.remote.to()) else {
            if let Some(unknown) = peering.network.unknown().or_else(|| peering.remote.unknown()) {
                reporter.undecided(peering.header.place, unknown);
            }
            continue;
        };
        if !topology[network].header.is_managed()
            || !topology[remote].header.is_managed()
            || network == remote
        {
            continue;
        }
        let back = |half: &&Peering| half.network.to() == Some(remote) && half.remote.to() == Some(network);
        let halves = topology[remote].peerings.iter().map(|id| &topology[*id]);
        if halves.clone().any(|half| back(&half) && half.header.is_certain() >= peering.header.is_certain()) {
            reporter.satisfied();
            continue;
        }
        let unseen = topology.unseen(&topology[network].header).or(topology.unseen(&topology[remote].header));
        let hidden = || peers::hidden_half(topology, remote, network);
        if let Some(why) = blind.map(|(_, why)| why).or(unseen).or_else(hidden) {
            reporter.undecided(peering.header.place, why);
            continue;
        }
        let maybe = halves.clone().any(|half| back(&half));
        let finding = reporter
            .finding(
                format!(
                    "network {} is peered with {}, but there is no peering back",
                    support::label(topology, &topology[network].header),
                    support::label(topology, &topology[remote].header),
                ),
                peering.header.place,
            )
            .of(&peering.header.resource_id)
            .related_part("this network has no peering back", &topology[remote].header)
            .related_part("the network that the peering starts at", &topology[network].header)
            .advice("Add the peering in the other direction; a single half stays `Initiated` and passes no traffic.")
            .fix(Fix::new(
                "Add the peering in the other direction",
                Change::PeerBack {
                    peering: id,
                    gateway_transit: peering.use_remote_gateways.is(&true),
                },
            ))
            .certain_if(peering.header.is_certain() && !maybe);
        reporter.violated(finding);
    }
}
