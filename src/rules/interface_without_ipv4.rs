//! ## What it checks
//!
//! That every network interface, and the interfaces of every scale set, have an IPv4 address.
//!
//! ## What Azure does
//!
//! It refuses an interface that has IPv6 addresses only; IPv6 is an addition to IPv4. azurerm says so of scale sets: "An IPv6 Primary IP
//! Configuration is unsupported - instead add a IPv4 IP Configuration as the Primary".
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16", "fd00:db8::/48"]
//! }
//!
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24", "fd00:db8:0:1::/64"]
//! }
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "six"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_version    = "IPv6"
//!     private_ip_address_allocation = "Dynamic"
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
//!   address_space       = ["10.0.0.0/16", "fd00:db8::/48"]
//! }
//!
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24", "fd00:db8:0:1::/64"]
//! }
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "four"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_version    = "IPv4"
//!     private_ip_address_allocation = "Dynamic"
//!     primary                       = true
//!   }
//!
//!   ip_configuration {
//!     name                          = "six"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_version    = "IPv6"
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the version of an address is not known, or when there may be more addresses.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/internal/services/compute/virtual_machine_scale_set.go>

use std::sync::Arc;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Header, IpConfiguration, Topology};
use crate::value::Unknown;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "interface-without-ipv4",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "a network interface with IPv6 addresses only",
    error_codes: &["message: An IPv6 Primary IP Configuration is unsupported"],
    fix: None,
    pedantic: false,
    source: include_str!("interface_without_ipv4.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for interface in topology.network_interfaces.iter().filter(|interface| interface.header.is_managed()) {
        let more = interface.incomplete.as_ref();
        judge(topology, reporter, &interface.header, &interface.header, &interface.ip_configurations, more);
    }
    for set in topology.scale_sets.iter().filter(|set| set.header.is_managed()) {
        for interface in &set.interfaces {
            judge(topology, reporter, &set.header, &interface.header, &interface.ip_configurations, None);
        }
    }
}

fn judge(
    topology: &Topology,
    reporter: &mut Reporter,
    owner: &Header,
    header: &Header,
    configurations: &[IpConfiguration],
    more: Option<&Arc<Unknown>>,
) {
    let is_six = |one: &&IpConfiguration| one.version.known().is_some_and(|version| version == "IPv6");
    let Some(six) = configurations.iter().find(is_six) else { return reporter.satisfied() };
    if configurations.iter().any(|one| one.version.known().is_some_and(|version| version != "IPv6")) {
        return reporter.satisfied();
    }
    let unknown = configurations.iter().find_map(|one| one.version.unknown()).or(more);
    if let Some(why) = unknown {
        return reporter.undecided(six.version.place, why);
    }
    let of = if std::ptr::eq(owner, header) { "" } else { "the interface of scale set " };
    let finding = reporter
        .finding(
            format!("{of}{} has IPv6 addresses only", support::label(topology, owner)),
            six.version.place,
        )
        .of(&header.resource_id)
        .advice("Add a primary IP configuration with IPv4, and keep that of IPv6 as a second one.")
        .certain_if(owner.is_certain() && header.is_certain());
    reporter.violated(finding);
}
