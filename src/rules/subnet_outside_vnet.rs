//! ## What it checks
//!
//! That every range of a subnet lies inside one of the address spaces of its virtual network, wherever the two were
//! written: inline or apart, through `cidrsubnet()`, variables, modules or loops.
//!
//! ## What Azure does
//!
//! The deployment of the subnet is rejected with `NetcfgInvalidSubnet`. `terraform plan` does not notice.
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
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.1.0.0/24"]
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
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the range or one of the address spaces is not known, or the network is only looked up.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/11525>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-outside-vnet",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "a subnet that no address space of its virtual network contains",
    error_codes: &["NetcfgInvalidSubnet", "NetcfgSubnetRangeOutsideVnet"],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_outside_vnet.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for subnet in topology.subnets.iter().filter(|subnet| subnet.header.is_managed()) {
        let Some(network) = subnet.network.to().map(|id| &topology[id]) else {
            if let Some(unknown) = subnet.network.unknown() {
                reporter.undecided(subnet.network.place, unknown);
            }
            continue;
        };
        if let Some(unknown) = subnet.prefixes.unknown() {
            reporter.undecided(subnet.prefixes.place, unknown);
        }
        for (range, field) in support::ranges(&subnet.prefixes) {
            if support::ranges(&network.address_space).any(|(space, _)| space.contains(&range)) {
                reporter.satisfied();
                continue;
            }
            if let Some(unknown) = network.address_space.unknown() {
                reporter.undecided(field.place, unknown);
                continue;
            }
            if network.address_space.is_certainly_empty()
                || support::ranges(&network.address_space).count() < network.address_space.items.len()
            {
                // Nothing to compare with: the network's own ranges are missing or malformed, which is said elsewhere.
                continue;
            }
            let finding = reporter
                .finding(
                    format!(
                        "subnet {} has the range {range}, which lies outside the address space of {} ({})",
                        support::label(topology, &subnet.header),
                        support::label(topology, &network.header),
                        support::texts(&network.address_space),
                    ),
                    field.place,
                )
                .of(&subnet.header.resource_id)
                .related("the network's address space", network.address_space.place)
                .advice("Give the subnet a range inside the network's address space, or add an address space that contains it.")
                .certain_if(subnet.header.is_certain());
            reporter.violated(finding);
        }
    }
}
