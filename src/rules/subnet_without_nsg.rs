//! ## What it checks
//!
//! That subnets have a security group. Left out are subnets whose names are kept for gateways, firewalls, Bastion and Route
//! Server, delegated subnets, subnets that hold nothing but private endpoints, to which groups apply only where the subnet says so, and
//! subnets whose interfaces all have groups of their own.
//!
//! ## What Azure does
//!
//! Nothing: without a group, all networks that are connected reach everything in the subnet. Microsoft recommends a group on each
//! subnet. Many build otherwise and filter in a firewall, which is why the rule is off unless asked for.
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
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
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
//! When it is not known whether the subnet has a group or a delegation, or what its name is.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/security/benchmark/azure/mcsb-network-security>
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
//! - <https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy>

use std::collections::BTreeSet;

use super::occupants;
use super::{Context, Reporter, Rule, support};
use crate::analysis::hosts;
use crate::azure::reserved_subnets;
use crate::finding::{Category, Severity};
use crate::topology::{Id, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-without-nsg",
    category: Category::Nsg,
    severity: Severity::Note,
    summary: "a subnet without a security group",
    error_codes: &[],
    fix: None,
    pedantic: true,
    source: include_str!("subnet_without_nsg.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let hosts = hosts::all(topology);
    // A subnet that is written twice is one.
    let mut told = BTreeSet::new();
    for (id, subnet) in topology.all::<Subnet>().filter(|(_, subnet)| subnet.header.is_managed()) {
        if subnet.security_group.to().is_some() || !subnet.delegations.items.is_empty() {
            reporter.satisfied();
            continue;
        }
        let unknown = subnet.security_group.unknown().or(subnet.delegations.rest.as_ref());
        let unknown = unknown.or_else(|| subnet.header.name.unknown());
        if let Some(why) = unknown.or_else(|| topology.unseen(&subnet.header)) {
            reporter.undecided(subnet.header.place, why);
            continue;
        }
        let reserved = subnet.header.name.known().is_some_and(|name| reserved_subnets::find(name).is_some());
        if reserved || only_endpoints(context, subnet) || guarded(id, &hosts) {
            reporter.satisfied();
            continue;
        }
        if subnet.header.resource_id.is_some()
            && !told.insert((subnet.network.to(), &subnet.header.resource_id))
        {
            reporter.satisfied();
            continue;
        }
        let finding = reporter
            .finding(
                format!("subnet {} has no security group", support::label(topology, &subnet.header)),
                subnet.header.place,
            )
            .of(&subnet.header.resource_id)
            .advice("Attach a security group that admits what the subnet serves.")
            .certain_if(subnet.header.is_certain());
        reporter.violated(finding);
    }
}

/// Whether private endpoints are all that lives there.
fn only_endpoints(context: &Context, subnet: &Subnet) -> bool {
    let residents = occupants::of_subnet(context.topology, subnet);
    let is_endpoint = |kind: &str| kind.eq_ignore_ascii_case("Microsoft.Network/privateEndpoints");
    !residents.is_empty() && residents.iter().all(|resident| is_endpoint(&resident.row.arm_type))
}

/// Whether interfaces live there, each with a group of its own.
fn guarded(subnet: Id<Subnet>, hosts: &[hosts::Host]) -> bool {
    let mut here = hosts
        .iter()
        .filter(|host| host.first_configuration().and_then(|one| one.subnet.to()) == Some(subnet))
        .peekable();
    here.peek().is_some() && here.all(|host| host.security_group.to().is_some())
}
