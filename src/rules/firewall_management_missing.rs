//! ## What it checks
//!
//! That a firewall of the Basic tier in a virtual network has a management interface, and that azurerm is not given one name for the
//! management and the data interface.
//!
//! ## What Azure does
//!
//! The firewall is rejected: the Basic tier is always managed over an interface of its own, in the subnet
//! `AzureFirewallManagementSubnet` and with a public address of its own. Two interfaces of one name are refused by azurerm when it applies.
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
//! resource "azurerm_subnet" "firewall" {
//!   name                 = "AzureFirewallSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
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
//! resource "azurerm_firewall" "main" {
//!   name                = "afw-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku_name            = "AZFW_VNet"
//!   sku_tier            = "Basic"
//!
//!   ip_configuration {
//!     name                 = "configuration"
//!     subnet_id            = azurerm_subnet.firewall.id
//!     public_ip_address_id = azurerm_public_ip.firewall.id
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
//! resource "azurerm_subnet" "firewall" {
//!   name                 = "AzureFirewallSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
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
//! resource "azurerm_subnet" "management" {
//!   name                 = "AzureFirewallManagementSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/26"]
//! }
//!
//! resource "azurerm_public_ip" "management" {
//!   name                = "pip-management"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_firewall" "main" {
//!   name                = "afw-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku_name            = "AZFW_VNet"
//!   sku_tier            = "Basic"
//!
//!   ip_configuration {
//!     name                 = "configuration"
//!     subnet_id            = azurerm_subnet.firewall.id
//!     public_ip_address_id = azurerm_public_ip.firewall.id
//!   }
//!
//!   management_ip_configuration {
//!     name                 = "management"
//!     subnet_id            = azurerm_subnet.management.id
//!     public_ip_address_id = azurerm_public_ip.management.id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known whether the firewall has such an interface. A firewall whose tier is not known is not checked.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/firewall/management-nic>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/firewall.html.markdown>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Firewall, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "firewall-management-missing",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "a Basic firewall without its management interface",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("firewall_management_missing.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for firewall in topology.firewalls.iter().filter(|firewall| firewall.header.is_managed()) {
        one_name(topology, reporter, firewall);
        // In a virtual hub, Azure takes care of the management interface.
        if firewall.sku_tier.known().is_none_or(|tier| tier != "Basic")
            || firewall.sku_name.known().is_none_or(|name| name != "AZFW_VNet")
        {
            continue;
        }
        let management = topology[firewall.header.resource]
            .values(&["management_ip_configuration"], &["properties.managementIpConfiguration"]);
        if !firewall.management_ip_configurations.is_empty() || !management.found.is_empty() {
            reporter.satisfied();
            continue;
        }
        if let Some(unknown) = &management.unknown {
            reporter.undecided(firewall.header.place, unknown);
            continue;
        }
        let finding = reporter
            .finding(
                format!(
                    "firewall {} is of tier Basic, but has no management interface",
                    support::label(topology, &firewall.header)
                ),
                firewall.header.place,
            )
            .of(&firewall.header.resource_id)
            .related("the tier", firewall.sku_tier.place)
            .advice(
                "Add a management IP configuration with a subnet `AzureFirewallManagementSubnet` (/26) and a Standard public \
                 address of its own.",
            )
            .certain_if(firewall.header.is_certain());
        reporter.violated(finding);
    }
}

/// Data and management configuration of one name, which azurerm refuses.
fn one_name(topology: &Topology, reporter: &mut Reporter, firewall: &Firewall) {
    let Some(management) = firewall.management_ip_configurations.first() else { return };
    let Some(name) = management.header.name.known() else { return };
    let by_azurerm = topology[firewall.header.resource].written_type == "azurerm_firewall";
    let same = firewall.ip_configurations.iter().find(|data| data.header.name.known() == Some(name));
    let Some(data) = same.filter(|_| by_azurerm) else { return };
    let finding = reporter
        .finding(
            format!(
                "the management interface of firewall {} has the name of its data interface, `{name}`",
                support::label(topology, &firewall.header)
            ),
            management.header.name.place,
        )
        .of(&firewall.header.resource_id)
        .related("the data interface", data.header.name.place)
        .advice("Give the two configurations different names.")
        .certain_if(firewall.header.is_certain());
    reporter.violated(finding);
}
