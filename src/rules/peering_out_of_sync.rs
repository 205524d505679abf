//! ## What it checks
//!
//! A plan that changes the address space of a network that is peered, and leaves a peering towards it as it is. Only a plan can
//! show this.
//!
//! ## What Azure does
//!
//! A peering remembers the address space that the other network had. When that changes, the peering is out of sync
//! (`RemoteNotInSync`): the new ranges are not reachable over it until it is written again or synced. azurerm syncs a peering
//! whenever it creates or updates it, and leaves it alone when nothing of it changes; its argument `triggers` is there to
//! make it change with the network.
//!
//! ## Example
//!
//! The spoke gets a second range, and the hub's peering does not follow.
//!
//! ```json plan.json
//! {
//!   "format_version": "1.2",
//!   "terraform_version": "1.11.4",
//!   "configuration": {},
//!   "resource_changes": [
//!     {"address": "azurerm_virtual_network.hub", "mode": "managed", "type": "azurerm_virtual_network", "name": "hub", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["no-op"], "before": {"name": "vnet-hub", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub"}, "after": {"name": "vnet-hub", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_virtual_network.spoke", "mode": "managed", "type": "azurerm_virtual_network", "name": "spoke", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["update"], "before": {"name": "vnet-spoke", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.1.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke"}, "after": {"name": "vnet-spoke", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.1.0.0/16", "10.2.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_virtual_network_peering.hub_to_spoke", "mode": "managed", "type": "azurerm_virtual_network_peering", "name": "hub_to_spoke", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["no-op"], "before": {"name": "hub-to-spoke", "resource_group_name": "rg", "virtual_network_name": "vnet-hub", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub/virtualNetworkPeerings/hub-to-spoke"}, "after": {"name": "hub-to-spoke", "resource_group_name": "rg", "virtual_network_name": "vnet-hub", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub/virtualNetworkPeerings/hub-to-spoke"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_virtual_network_peering.spoke_to_hub", "mode": "managed", "type": "azurerm_virtual_network_peering", "name": "spoke_to_hub", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["no-op"], "before": {"name": "spoke-to-hub", "resource_group_name": "rg", "virtual_network_name": "vnet-spoke", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke/virtualNetworkPeerings/spoke-to-hub"}, "after": {"name": "spoke-to-hub", "resource_group_name": "rg", "virtual_network_name": "vnet-spoke", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke/virtualNetworkPeerings/spoke-to-hub"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}}
//!   ]
//! }
//! ```
//!
//! ## Corrected example
//!
//! The peering names the ranges in `triggers`: `triggers = { remote_address_space = join(",", azurerm_virtual_network.spoke.address_space) }`.
//!
//! ```json plan.json
//! {
//!   "format_version": "1.2",
//!   "terraform_version": "1.11.4",
//!   "configuration": {},
//!   "resource_changes": [
//!     {"address": "azurerm_virtual_network.hub", "mode": "managed", "type": "azurerm_virtual_network", "name": "hub", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["no-op"], "before": {"name": "vnet-hub", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub"}, "after": {"name": "vnet-hub", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_virtual_network.spoke", "mode": "managed", "type": "azurerm_virtual_network", "name": "spoke", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["update"], "before": {"name": "vnet-spoke", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.1.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke"}, "after": {"name": "vnet-spoke", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.1.0.0/16", "10.2.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_virtual_network_peering.hub_to_spoke", "mode": "managed", "type": "azurerm_virtual_network_peering", "name": "hub_to_spoke", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["update"], "before": {"name": "hub-to-spoke", "resource_group_name": "rg", "virtual_network_name": "vnet-hub", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub/virtualNetworkPeerings/hub-to-spoke", "triggers": {"remote_address_space": "10.1.0.0/16"}}, "after": {"name": "hub-to-spoke", "resource_group_name": "rg", "virtual_network_name": "vnet-hub", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub/virtualNetworkPeerings/hub-to-spoke", "triggers": {"remote_address_space": "10.1.0.0/16,10.2.0.0/16"}}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_virtual_network_peering.spoke_to_hub", "mode": "managed", "type": "azurerm_virtual_network_peering", "name": "spoke_to_hub", "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["no-op"], "before": {"name": "spoke-to-hub", "resource_group_name": "rg", "virtual_network_name": "vnet-spoke", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke/virtualNetworkPeerings/spoke-to-hub"}, "after": {"name": "spoke-to-hub", "resource_group_name": "rg", "virtual_network_name": "vnet-spoke", "remote_virtual_network_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub", "allow_virtual_network_access": true, "allow_forwarded_traffic": false, "allow_gateway_transit": false, "use_remote_gateways": false, "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-spoke/virtualNetworkPeerings/spoke-to-hub"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}}
//!   ]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a range is not known before or after: not reported. Peerings that are made elsewhere are not seen.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/update-virtual-network-peering-address-space>
//! - <https://learn.microsoft.com/powershell/module/az.network/sync-azvirtualnetworkpeering>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/virtual_network_peering#triggers>

use std::collections::BTreeSet;

use super::changes::{self, Moment};
use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::resource::{Action, Mode};
use crate::topology::VirtualNetwork;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "peering-out-of-sync",
    category: Category::PlanChange,
    severity: Severity::Warning,
    summary: "the plan changes the address space of a network, and a peering towards it does not follow",
    error_codes: &["LocalNotInSync", "RemoteNotInSync"],
    fix: None,
    pedantic: false,
    source: include_str!("peering_out_of_sync.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let Some(before) = context.before else { return };
    let topology = context.topology;
    let now = Moment::new(before);
    for peering in &topology.peerings {
        let resource = &topology[peering.header.resource];
        let (Some(remote), Mode::Managed, Some(action)) =
            (peering.remote.to(), resource.mode, resource.action)
        else {
            continue;
        };
        let remote = &topology[remote];
        let Some(earlier) = now.network(remote).filter(|earlier| changed(earlier, remote)) else {
            reporter.satisfied();
            continue;
        };
        // Writing a peering syncs it. One between parts of networks has ranges of its own.
        if action != Action::NoOp || peering.peer_complete_networks.is(&false) {
            reporter.satisfied();
            continue;
        }
        let finding = reporter
            .finding(
                format!(
                    "the plan changes the address space of {} from {} to {}, and peering {} does not follow: the new ranges \
                     are not reachable over it",
                    support::label(topology, &remote.header),
                    changes::range_texts(&earlier.address_space).join(", "),
                    changes::range_texts(&remote.address_space).join(", "),
                    support::label(topology, &peering.header),
                ),
                peering.header.place,
            )
            .of(&peering.header.resource_id)
            .related("the address space changes here", remote.address_space.place)
            .advice(
                "Let the peering change with the network: `triggers = { remote_address_space = join(\",\", \
                 <network>.address_space) }`. Or sync it by hand afterwards: `az network vnet peering sync`.",
            );
        reporter.violated(finding);
    }
}

/// Whether the address space of a network certainly changes, and to something that its peers do not know yet.
fn changed(before: &VirtualNetwork, after: &VirtualNetwork) -> bool {
    let ranges = |network: &VirtualNetwork| -> BTreeSet<ipnet::IpNet> {
        support::ranges(&network.address_space).map(|(range, _)| range).collect()
    };
    before.address_space.is_complete() && after.address_space.is_complete() && ranges(before) != ranges(after)
}
