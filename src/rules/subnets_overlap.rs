//! ## What it checks
//!
//! That no two subnets of one virtual network overlap, and no two address spaces of one network do.
//!
//! ## What Azure does
//!
//! The deployment of the second subnet is rejected with `NetcfgSubnetRangesOverlap`; overlapping address spaces are
//! rejected with the network itself.
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/23"]
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/24"]
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
//! When the range of a subnet is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
//! - <https://learn.microsoft.com/azure/virtual-network/manage-virtual-network>

use ipnet::IpNet;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Field, Prefix, Subnet, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnets-overlap",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "two subnets, or two address spaces, of one virtual network overlap",
    error_codes: &["NetcfgSubnetRangesOverlap"],
    fix: None,
    pedantic: false,
    source: include_str!("subnets_overlap.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for network in &context.topology.virtual_networks {
        check_spaces(context, reporter, network);
        check_subnets(context, reporter, network);
    }
}

fn check_spaces(context: &Context, reporter: &mut Reporter, network: &VirtualNetwork) {
    if !network.header.is_managed() {
        return;
    }
    let (ranges, fields): (Vec<IpNet>, Vec<&Field<Prefix>>) = support::ranges(&network.address_space).unzip();
    let pairs = support::nested(&ranges);
    for (inner, outer) in &pairs {
        let finding = reporter
            .finding(
                format!(
                    "the address spaces {} and {} of {} overlap",
                    ranges[*outer],
                    ranges[*inner],
                    support::label(context.topology, &network.header)
                ),
                fields[*inner].place,
            )
            .of(&network.header.resource_id)
            .related("overlaps this one", fields[*outer].place)
            .advice("Keep the larger range, or make the two disjoint.")
            .certain_if(network.header.is_certain());
        reporter.violated(finding);
    }
    if pairs.is_empty() && !ranges.is_empty() {
        reporter.satisfied();
    }
}

fn check_subnets(context: &Context, reporter: &mut Reporter, network: &VirtualNetwork) {
    let topology = context.topology;
    let mut ranges: Vec<IpNet> = Vec::new();
    let mut owners: Vec<(&Subnet, &Field<Prefix>)> = Vec::new();
    for subnet in network.subnets.iter().map(|id| &topology[*id]) {
        for (range, field) in support::ranges(&subnet.prefixes) {
            ranges.push(range);
            owners.push((subnet, field));
        }
    }
    let pairs = support::nested(&ranges);
    let mut overlapping = vec![false; ranges.len()];
    for (inner, outer) in pairs {
        // The finding stands on the one that comes later in the input: that is the one Azure refuses.
        let (first, second) = (inner.min(outer), inner.max(outer));
        let ((first_subnet, first_field), (second_subnet, second_field)) = (owners[first], owners[second]);
        if !first_subnet.header.is_managed() && !second_subnet.header.is_managed() {
            continue;
        }
        overlapping[second] = true;
        let finding = reporter
            .finding(
                format!(
                    "subnet {} ({}) overlaps subnet {} ({}) of the same network",
                    support::label(topology, &second_subnet.header),
                    ranges[second],
                    support::label(topology, &first_subnet.header),
                    ranges[first],
                ),
                second_field.place,
            )
            .of(&second_subnet.header.resource_id)
            .related_part("overlaps this subnet", &first_subnet.header)
            .related("whose range is written here", first_field.place)
            .advice("Give the two subnets ranges that have no address in common.")
            .certain_if(first_subnet.header.is_certain() && second_subnet.header.is_certain());
        reporter.violated(finding);
    }
    for (index, (subnet, _)) in owners.iter().enumerate() {
        if !overlapping[index] && subnet.header.is_managed() {
            reporter.satisfied();
        }
    }
    for subnet in network.subnets.iter().map(|id| &topology[*id]) {
        if let (true, Some(unknown)) = (subnet.header.is_managed(), subnet.prefixes.unknown()) {
            reporter.undecided(subnet.prefixes.place, unknown);
        }
    }
}
