//! ## What it checks
//!
//! That a peering with `use_remote_gateways` finds what it needs: gateway transit on the peering back, a gateway or Route Server in the
//! remote network, no gateway in its own network, and no other peering of that network which uses a remote gateway.
//!
//! ## What Azure does
//!
//! The peering is rejected. Where the remote network has a subnet for a gateway but none is declared here, it is a warning: the gateway may be
//! deployed by somebody else.
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
//! resource "azurerm_subnet" "gateway" {
//!   name                 = "GatewaySubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
//!   address_prefixes     = ["10.0.0.0/27"]
//! }
//!
//! resource "azurerm_public_ip" "vpn" {
//!   name                = "pip-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_virtual_network_gateway" "vpn" {
//!   name                = "vgw-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw1"
//!
//!   ip_configuration {
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.vpn.id
//!   }
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
//!   use_remote_gateways       = true
//!   depends_on                = [azurerm_virtual_network_gateway.vpn]
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
//! resource "azurerm_subnet" "gateway" {
//!   name                 = "GatewaySubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
//!   address_prefixes     = ["10.0.0.0/27"]
//! }
//!
//! resource "azurerm_public_ip" "vpn" {
//!   name                = "pip-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_virtual_network_gateway" "vpn" {
//!   name                = "vgw-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw1"
//!
//!   ip_configuration {
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.vpn.id
//!   }
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//!   allow_gateway_transit     = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//!   use_remote_gateways       = true
//!   depends_on                = [azurerm_virtual_network_gateway.vpn]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known between which networks the peering runs, whether the peering back allows transit, or where a
//! gateway is deployed. A network that is only looked up may have a gateway.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>
//! - <https://learn.microsoft.com/troubleshoot/azure/virtual-network/virtual-network-troubleshoot-peering-issues>

use super::{Context, Reporter, Rule, support};
use crate::analysis::nameless;
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Id, Link, Peering, Topology, VirtualNetwork};
use crate::value::Unknown;

use std::sync::Arc;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "peering-gateway-mismatch",
    category: Category::Peering,
    severity: Severity::Error,
    summary: "a peering that uses a remote gateway which is not offered or not there",
    error_codes: &[
        "message: corresponding remote peering has AllowGatewayTransit flag set to false",
        "RemoteVnetHasNoGateways",
    ],
    fix: Some("lets the peering back offer its gateway, where it says nothing of that"),
    pedantic: false,
    source: include_str!("peering_gateway_mismatch.rs"),
    check,
};

fn uses_gateway(peering: &Peering) -> bool {
    peering.use_remote_gateways.known() == Some(&true)
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, peering) in topology.all::<Peering>() {
        if !peering.header.is_managed() || !uses_gateway(peering) {
            continue;
        }
        let (Some(network), Some(remote)) = (peering.network.to(), peering.remote.to()) else {
            if let Some(unknown) = peering.network.unknown().or_else(|| peering.remote.unknown()) {
                reporter.undecided(peering.header.place, unknown);
            }
            continue;
        };
        if network == remote {
            continue;
        }
        let wrong = [
            check_two_hubs(topology, reporter, id, peering, network),
            check_own_gateway(topology, reporter, peering, network),
            check_other_half(topology, reporter, peering, network, remote),
            check_remote_gateway(topology, reporter, peering, remote),
        ];
        if !wrong.contains(&true) {
            reporter.satisfied();
        }
    }
}

/// Whether another peering of the network uses a remote gateway already.
fn check_two_hubs(
    topology: &Topology,
    reporter: &mut Reporter,
    id: Id<Peering>,
    peering: &Peering,
    network: Id<VirtualNetwork>,
) -> bool {
    let earlier = topology[network].peerings.iter().copied().find(|other| {
        let half = &topology[*other];
        *other < id
            && half.header.is_managed()
            && uses_gateway(half)
            && half.remote.to() != peering.remote.to()
    });
    let Some(first) = earlier.map(|other| &topology[other]) else { return false };
    let finding = reporter
        .finding(
            format!(
                "network {} uses remote gateways over two peerings, {} and {}",
                support::label(topology, &topology[network].header),
                support::label(topology, &first.header),
                support::label(topology, &peering.header),
            ),
            peering.use_remote_gateways.place,
        )
        .of(&peering.header.resource_id)
        .related("the other peering that uses a remote gateway", first.use_remote_gateways.place)
        .advice("Only one peering of a network may use the remote network's gateways.")
        .certain_if(peering.header.is_certain() && first.header.is_certain());
    reporter.violated(finding);
    true
}

/// Whether the network has a gateway of its own.
fn check_own_gateway(
    topology: &Topology,
    reporter: &mut Reporter,
    peering: &Peering,
    network: Id<VirtualNetwork>,
) -> bool {
    let own = topology.virtual_network_gateways.iter().find(|gateway| {
        gateway.header.is_managed()
            && gateway
                .ip_configurations
                .iter()
                .any(|configuration| network_of(topology, &configuration.subnet) == Some(network))
    });
    let Some(gateway) = own else { return false };
    let finding = reporter
        .finding(
            format!(
                "network {} uses a remote gateway, but has the gateway {} of its own",
                support::label(topology, &topology[network].header),
                support::label(topology, &gateway.header),
            ),
            peering.use_remote_gateways.place,
        )
        .of(&peering.header.resource_id)
        .related_part("the network's own gateway", &gateway.header)
        .advice("Turn `use_remote_gateways` off, or remove the network's own gateway.")
        .certain_if(peering.header.is_certain() && gateway.header.is_certain());
    reporter.violated(finding);
    true
}

/// Whether the other half does not offer its gateway, or wants one itself.
fn check_other_half(
    topology: &Topology,
    reporter: &mut Reporter,
    peering: &Peering,
    network: Id<VirtualNetwork>,
    remote: Id<VirtualNetwork>,
) -> bool {
    let mut halves = topology[remote]
        .peerings
        .iter()
        .map(|id| (*id, &topology[*id]))
        .filter(|(_, half)| half.network.to() == Some(remote) && half.remote.to() == Some(network));
    // A missing half is the matter of another rule.
    let Some((id, half)) = halves.next().filter(|(_, half)| half.header.is_managed()) else { return false };
    // Where the author says no, it is for the author to say which of the two is meant.
    let silent = half.allow_gateway_transit.place.site == half.header.place.site;
    let offered = halves.any(|(_, half)| half.allow_gateway_transit.known() != Some(&false));
    match half.allow_gateway_transit.known() {
        Some(false) if !offered => {
            let finding = reporter
                .finding(
                    format!(
                        "network {} uses the gateway of {}, but the peering back does not allow gateway transit",
                        support::label(topology, &topology[network].header),
                        support::label(topology, &topology[remote].header),
                    ),
                    peering.use_remote_gateways.place,
                )
                .of(&peering.header.resource_id)
                .related_part("the peering back", &half.header)
                .related("gateway transit is off here", half.allow_gateway_transit.place)
                .advice("Set `allow_gateway_transit` on the peering of the network that has the gateway.")
                .fix(silent.then(|| {
                    let change = Change::AllowGatewayTransit { peering: id };
                    Fix::new("Allow gateway transit on the peering back", change)
                }))
                .certain_if(peering.header.is_certain() && half.header.is_certain());
            reporter.violated(finding);
            true
        }
        _ => {
            if let Some(unknown) = half.allow_gateway_transit.unknown() {
                reporter.undecided(peering.use_remote_gateways.place, unknown);
            }
            false
        }
    }
}

/// Whether the remote network has no gateway and no Route Server.
fn check_remote_gateway(
    topology: &Topology,
    reporter: &mut Reporter,
    peering: &Peering,
    remote: Id<VirtualNetwork>,
) -> bool {
    let network = &topology[remote];
    if !network.header.is_managed() || network.incomplete.is_some() {
        return false;
    }
    let mut blind: Option<&Arc<Unknown>> = topology.unseen(&network.header);
    for occupancy in &topology.occupancies {
        if !matches!(
            occupancy.kind.as_str(),
            "Microsoft.Network/virtualNetworkGateways" | "Microsoft.Network/virtualHubs/ipConfigurations"
        ) {
            continue;
        }
        match network_of(topology, &occupancy.subnet) {
            Some(id) if id == remote => return false,
            Some(id) => blind = blind.or_else(|| nameless::why(&topology[id].header)),
            None => blind = blind.or(occupancy.subnet.unknown()),
        }
        if let Some(subnet) = occupancy.subnet.to() {
            blind = blind.or(topology[subnet].network.unknown());
        }
    }
    // A gateway that stands in no occupied subnet at all has an address that cannot be seen.
    blind =
        blind.or(topology.virtual_network_gateways.iter().find_map(|gateway| gateway.incomplete.as_ref()));
    if let Some(unknown) = blind {
        reporter.undecided(peering.use_remote_gateways.place, unknown);
        return false;
    }
    let room = network.subnets.iter().map(|id| &topology[*id]).find(|subnet| {
        subnet.header.name.known().is_none_or(|name| {
            name.eq_ignore_ascii_case("GatewaySubnet") || name.eq_ignore_ascii_case("RouteServerSubnet")
        })
    });
    // Where the subnet for a gateway is ready, the gateway itself may be made by somebody else.
    let severity = if room.is_some() { Severity::Warning } else { Severity::Error };
    let finding = reporter
        .finding_with(
            severity,
            format!(
                "a peering uses the gateway of network {}, which has none here",
                support::label(topology, &network.header),
            ),
            peering.use_remote_gateways.place,
        )
        .of(&peering.header.resource_id)
        .related_part("the network without a gateway", &network.header)
        .advice("Create the gateway (or Route Server) before the peering, or turn `use_remote_gateways` off.")
        .certain_if(peering.header.is_certain());
    reporter.violated(finding);
    true
}

fn network_of(topology: &Topology, subnet: &Link<crate::topology::Subnet>) -> Option<Id<VirtualNetwork>> {
    topology[subnet.to()?].network.to()
}
