//! ## What it checks
//!
//! That something which admits subnets by their service endpoints also admits what comes from on-premises through the gateway of
//! these subnets' network: by an address rule or a private endpoint. A matter of taste, for nobody may need it.
//!
//! ## What Azure does
//!
//! A service endpoint is the way of a subnet. What comes through a VPN or ExpressRoute gateway does not use it and is refused,
//! unless the public addresses that it comes from are admitted.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "gateway" {
//!   name                 = "GatewaySubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/27"]
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!   service_endpoints    = ["Microsoft.Storage"]
//! }
//!
//! resource "azurerm_public_ip" "vpn" {
//!   name                = "pip-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//!   zones               = ["1", "2", "3"]
//! }
//!
//! resource "azurerm_virtual_network_gateway" "vpn" {
//!   name                = "vgw-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw1AZ"
//!
//!   ip_configuration {
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.vpn.id
//!   }
//! }
//!
//! resource "azurerm_storage_account" "main" {
//!   name                     = "stmain"
//!   resource_group_name      = "rg"
//!   location                 = "westeurope"
//!   account_tier             = "Standard"
//!   account_replication_type = "ZRS"
//!
//!   network_rules {
//!     default_action             = "Deny"
//!     virtual_network_subnet_ids = [azurerm_subnet.app.id]
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "gateway" {
//!   name                 = "GatewaySubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/27"]
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!   service_endpoints    = ["Microsoft.Storage"]
//! }
//!
//! resource "azurerm_public_ip" "vpn" {
//!   name                = "pip-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//!   zones               = ["1", "2", "3"]
//! }
//!
//! resource "azurerm_virtual_network_gateway" "vpn" {
//!   name                = "vgw-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw1AZ"
//!
//!   ip_configuration {
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.vpn.id
//!   }
//! }
//!
//! resource "azurerm_storage_account" "main" {
//!   name                     = "stmain"
//!   resource_group_name      = "rg"
//!   location                 = "westeurope"
//!   account_tier             = "Standard"
//!   account_replication_type = "ZRS"
//!
//!   network_rules {
//!     default_action             = "Deny"
//!     virtual_network_subnet_ids = [azurerm_subnet.app.id]
//!     ip_rules                   = ["203.0.113.4"]
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the address rules are not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview>

use std::collections::BTreeSet;

use super::{Context, Reporter, Rule, support};
use crate::analysis::peers;
use crate::finding::{Category, Severity};
use crate::topology::{Admission, Id, PublicEndpoint, ResourceId, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "on-premises-not-admitted",
    category: Category::ServiceEndpoint,
    severity: Severity::Note,
    summary: "network rules for subnets that leave out what comes through their network's gateway",
    error_codes: &[],
    fix: None,
    pedantic: true,
    source: include_str!("on_premises_not_admitted.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let private: BTreeSet<ResourceId> = topology
        .private_endpoints
        .iter()
        .flat_map(|endpoint| &endpoint.connections)
        .filter_map(|connection| connection.target.to())
        .collect();
    for endpoint in topology.public_endpoints.iter().filter(|part| part.guarded.is(&true)) {
        let resource = endpoint.header.resource;
        let gated = topology.admissions.iter().filter(|admission| admission.resource == resource);
        let gated = gated.filter_map(|admission| {
            let network = topology[admission.subnet.to()?].network.to()?;
            peers::has_gateway(topology, network).then_some((admission, network))
        });
        let Some((admission, network)) = gated.min_by_key(|(_, network)| *network) else { continue };
        if private.contains(&resource) {
            reporter.satisfied();
        } else {
            check_endpoint(context, reporter, endpoint, admission, network);
        }
    }
}

fn check_endpoint(
    context: &Context,
    reporter: &mut Reporter,
    endpoint: &PublicEndpoint,
    admission: &Admission,
    network: Id<VirtualNetwork>,
) {
    if let Some(why) = endpoint.admits_addresses.unknown() {
        return reporter.undecided(endpoint.admits_addresses.place, why);
    }
    if !endpoint.admits_addresses.is(&false) {
        return reporter.satisfied();
    }
    let topology = context.topology;
    let network = &topology[network].header;
    let finding = reporter
        .finding(
            format!(
                "{} admits only subnets; what comes from on-premises through the gateway of {} is refused",
                support::label(topology, &endpoint.header),
                support::label(topology, network),
            ),
            admission.place,
        )
        .of(&endpoint.header.resource_id)
        .related_part("the network with the gateway", network)
        .advice("Where on-premises clients need it, add a private endpoint, or admit the addresses that they come from.")
        .certain_if(endpoint.header.is_certain() && network.is_certain());
    reporter.violated(finding);
}
