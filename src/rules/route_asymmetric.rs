//! ## What it checks
//!
//! That replies take the path of the requests wherever an appliance that keeps state stands on one of them:
//!
//! - A machine that the Internet reaches by a public load balancer or by its own public address, in a subnet whose default route
//!   leads to an appliance or gateway.
//! - Two subnets, one of which sends to the other through an appliance, while the other answers directly, by another appliance, or not at
//!   all.
//! - A subnet that answers on-premises networks through an appliance, while `GatewaySubnet` has no route that sends their requests
//!   through it.
//!
//! ## What Azure does
//!
//! Nothing is rejected. Routes are looked up for each packet alone; a firewall drops packets of connections whose start it has not
//! seen, so connections time out.
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
//! resource "azurerm_subnet" "firewall" {
//!   name                 = "AzureFirewallSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
//!   address_prefixes     = ["10.0.1.0/26"]
//! }
//!
//! resource "azurerm_public_ip" "firewall" {
//!   name                = "pip-firewall"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_firewall" "hub" {
//!   name                = "afw-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku_name            = "AZFW_VNet"
//!   sku_tier            = "Standard"
//!
//!   ip_configuration {
//!     name                 = "main"
//!     subnet_id            = azurerm_subnet.firewall.id
//!     public_ip_address_id = azurerm_public_ip.firewall.id
//!   }
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_route_table" "web" {
//!   name                          = "rt-web"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   bgp_route_propagation_enabled = false
//!
//!   route {
//!     name                   = "default"
//!     address_prefix         = "0.0.0.0/0"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = azurerm_firewall.hub.ip_configuration[0].private_ip_address
//!   }
//! }
//!
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.spoke.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "https"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "Internet"
//!     destination_address_prefix = "*"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//!
//! resource "azurerm_subnet_route_table_association" "web" {
//!   subnet_id      = azurerm_subnet.web.id
//!   route_table_id = azurerm_route_table.web.id
//! }
//!
//! resource "azurerm_public_ip" "web" {
//!   name                = "pip-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_lb" "web" {
//!   name                = "lb-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name                 = "main"
//!     public_ip_address_id = azurerm_public_ip.web.id
//!   }
//! }
//!
//! resource "azurerm_lb_backend_address_pool" "web" {
//!   name            = "web"
//!   loadbalancer_id = azurerm_lb.web.id
//! }
//!
//! resource "azurerm_lb_rule" "web" {
//!   name                           = "web"
//!   loadbalancer_id                = azurerm_lb.web.id
//!   frontend_ip_configuration_name = "main"
//!   protocol                       = "Tcp"
//!   frontend_port                  = 443
//!   backend_port                   = 443
//!   backend_address_pool_ids       = [azurerm_lb_backend_address_pool.web.id]
//! }
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_network_interface_backend_address_pool_association" "web" {
//!   network_interface_id    = azurerm_network_interface.web.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
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
//! resource "azurerm_subnet" "firewall" {
//!   name                 = "AzureFirewallSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
//!   address_prefixes     = ["10.0.1.0/26"]
//! }
//!
//! resource "azurerm_public_ip" "firewall" {
//!   name                = "pip-firewall"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_firewall" "hub" {
//!   name                = "afw-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku_name            = "AZFW_VNet"
//!   sku_tier            = "Standard"
//!
//!   ip_configuration {
//!     name                 = "main"
//!     subnet_id            = azurerm_subnet.firewall.id
//!     public_ip_address_id = azurerm_public_ip.firewall.id
//!   }
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_route_table" "web" {
//!   name                          = "rt-web"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   bgp_route_propagation_enabled = false
//!
//!   route {
//!     name                   = "default"
//!     address_prefix         = "0.0.0.0/0"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = azurerm_firewall.hub.ip_configuration[0].private_ip_address
//!   }
//! }
//!
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.spoke.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "https"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "Internet"
//!     destination_address_prefix = "*"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//!
//! resource "azurerm_subnet_route_table_association" "web" {
//!   subnet_id      = azurerm_subnet.web.id
//!   route_table_id = azurerm_route_table.web.id
//! }
//!
//! resource "azurerm_lb" "web" {
//!   name                = "lb-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_lb_backend_address_pool" "web" {
//!   name            = "web"
//!   loadbalancer_id = azurerm_lb.web.id
//! }
//!
//! resource "azurerm_lb_rule" "web" {
//!   name                           = "web"
//!   loadbalancer_id                = azurerm_lb.web.id
//!   frontend_ip_configuration_name = "main"
//!   protocol                       = "Tcp"
//!   frontend_port                  = 443
//!   backend_port                   = 443
//!   backend_address_pool_ids       = [azurerm_lb_backend_address_pool.web.id]
//! }
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_network_interface_backend_address_pool_association" "web" {
//!   network_interface_id    = azurerm_network_interface.web.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a route, a table or an appliance is not known. Appliances other than Azure Firewall may translate the source, so that replies come
//! back to them: between subnets they are possible findings only. A table that sends some public addresses straight to the Internet
//! is taken to do so for the clients that there are.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/firewall/integrate-lb>
//! - <https://learn.microsoft.com/azure/architecture/networking/architecture/hub-spoke>
//! - <https://learn.microsoft.com/azure/architecture/networking/guide/network-virtual-appliance-high-availability>

mod gateway;
mod inbound;
mod pairs;

use super::{Context, Reporter, Rule};
use crate::analysis::reach::{Appliance, Path, Reach, Stop};
use crate::finding::{Category, Severity};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "route-asymmetric",
    category: Category::Route,
    severity: Severity::Warning,
    summary: "replies take another path than requests, past an appliance that keeps state",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("route_asymmetric.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let reach = context.reach();
    inbound::check(reach, reporter);
    pairs::check(reach, reporter);
    gateway::check(reach, reporter);
}

/// The appliances of a path, in order.
fn appliances(path: &Path) -> Vec<Appliance> {
    path.hops.iter().filter_map(|hop| hop.appliance).collect()
}

/// Whether an appliance certainly drops connections of which it sees one direction only, as Azure Firewall does; others may
/// translate the source, so that replies come back to them.
fn keeps_state(reach: &Reach, appliance: Option<Appliance>) -> bool {
    let Some(Stop::Firewall(id)) = appliance.and_then(|appliance| appliance.stop) else { return false };
    let topology = reach.topology();
    let resource = &topology[topology[id].header.resource];
    // Ranges that count as private decide what it translates.
    resource.values(&["private_ip_ranges"], &["properties.additionalProperties.*"]).is_absent()
}
