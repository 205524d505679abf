//! ## What it checks
//!
//! Interfaces that have a security group in a subnet that has one too.
//!
//! ## What Azure does
//!
//! It works, but traffic must pass both groups, and who reads one does not see what the other drops. The documentation advises to
//! use one level unless there is a reason.
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
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
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
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//!
//! resource "azurerm_network_security_group" "nic" {
//!   name                = "nsg-nic"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//! }
//!
//! resource "azurerm_network_interface_security_group_association" "nic" {
//!   network_interface_id      = azurerm_network_interface.web.id
//!   network_security_group_id = azurerm_network_security_group.nic.id
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
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
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
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When one of the two groups is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works>

use super::{Context, Reporter, Rule, support};
use crate::analysis::hosts;
use crate::finding::{Category, Severity};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-on-both-levels",
    category: Category::Nsg,
    severity: Severity::Note,
    summary: "an interface and its subnet each have a security group",
    error_codes: &[],
    fix: None,
    pedantic: true,
    source: include_str!("nsg_on_both_levels.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for host in hosts::all(topology).into_iter().filter(|host| host.header.is_managed()) {
        let Some(own) = host.security_group.to() else { continue };
        let Some(subnet) = host.first_configuration().and_then(|configuration| configuration.subnet.to())
        else {
            continue;
        };
        let Some(other) = topology[subnet].security_group.to() else {
            reporter.satisfied();
            continue;
        };
        let message = format!(
            "{} has security group {}, and its subnet {} has {}: traffic must pass both",
            support::label(topology, host.owner),
            support::label(topology, &topology[own].header),
            support::label(topology, &topology[subnet].header),
            support::label(topology, &topology[other].header),
        );
        let finding = reporter
            .finding(message, host.security_group.place)
            .of(&host.header.resource_id)
            .related("the subnet has its group here", topology[subnet].security_group.place)
            .advice("Keep one of them, at the subnet if all its machines are to be guarded alike.")
            .certain_if(host.header.is_certain() && topology[subnet].header.is_certain());
        reporter.violated(finding);
    }
}
