//! ## What it checks
//!
//! That subnets whose names are kept for one service hosts nothing else and are not delegated: `GatewaySubnet`, `AzureFirewallSubnet`,
//! `AzureFirewallManagementSubnet`, `AzureBastionSubnet`, `RouteServerSubnet`; and that a network has one firewall, one Bastion
//! host and one Route Server. Security groups, route tables and NAT gateways on them are the subject of other rules, and so are
//! services in a subnet of another name.
//!
//! ## What Azure does
//!
//! Nothing but the service may be deployed there: other resources are refused, or the service cannot be updated any more. A delegated
//! subnet belongs to the service that it is delegated to, which is why a delegation does not go with these names (a warning). A second
//! Route Server is refused; that a network takes one firewall and one Bastion host is how both are described, but not stated as a
//! limit, and a warning.
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
//! resource "azurerm_subnet" "bastion" {
//!   name                 = "AzureBastionSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//! }
//!
//! resource "azurerm_network_interface" "jump" {
//!   name                = "nic-jump"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.bastion.id
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
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "bastion" {
//!   name                 = "AzureBastionSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//! }
//!
//! resource "azurerm_subnet" "jump" {
//!   name                 = "snet-jump"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/26"]
//! }
//!
//! resource "azurerm_network_interface" "jump" {
//!   name                = "nic-jump"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.jump.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known which subnet a resource lives in. Subnets whose name is not known are not checked.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings>
//! - <https://learn.microsoft.com/azure/bastion/configuration-settings>
//! - <https://learn.microsoft.com/azure/firewall/firewall-faq>
//! - <https://learn.microsoft.com/azure/route-server/route-server-faq>
//! - <https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview>

use super::occupants::{self, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::reserved_subnets::{self, ReservedSubnet};
use crate::finding::{Category, Severity};
use crate::topology::Subnet;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "reserved-subnet-misused",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "a subnet whose name is kept for one service hosts something else, or is delegated",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("reserved_subnet_misused.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        let Some(row) = subnet.header.name.known().and_then(|name| reserved_subnets::find(name)) else {
            continue;
        };
        let residents = occupants::of_subnet(context.topology, subnet);
        guests(reporter, subnet, row, &residents);
        second(context, reporter, subnet, row, &residents);
        delegations(context, reporter, subnet, row);
    }
}

fn is_meant(row: &ReservedSubnet, resident: &Resident) -> bool {
    row.occupants.iter().any(|kind| kind.eq_ignore_ascii_case(&resident.row.kind))
}

/// What lives there although the name is kept for something else.
fn guests(reporter: &mut Reporter, subnet: &Subnet, row: &ReservedSubnet, residents: &[Resident]) {
    for resident in residents {
        if is_meant(row, resident) {
            reporter.satisfied();
            continue;
        }
        // A service with a reserved name of its own is told that it stands in the wrong one.
        if resident.row.subnet_name.is_some() {
            continue;
        }
        let severity = severity(row.confidence.min(resident.row.confidence));
        let finding = reporter
            .finding_with(
                severity,
                format!(
                    "{} is in subnet `{}`, a name that is kept for {}",
                    resident.label(),
                    row.name,
                    row.service
                ),
                resident.occupancy.place,
            )
            .related_part("the subnet", &subnet.header)
            .advice("Put it into a subnet of its own with another name.")
            .certain_if(subnet.header.is_certain() && resident.is_certain());
        reporter.violated(finding);
    }
}

/// A second instance of what may be there once in a network. Gateways are counted by type, in a rule of their own.
fn second(
    context: &Context,
    reporter: &mut Reporter,
    subnet: &Subnet,
    row: &ReservedSubnet,
    residents: &[Resident],
) {
    if !row.single {
        return;
    }
    let mut owners = residents.iter().filter(|resident| is_meant(row, resident));
    let Some(first) = owners.next() else { return };
    // Templates deploy a thing more than once under one name, and alternatives under names that are not known.
    let differs = |other: &&Resident| match (first.resource.name.known(), other.resource.name.known()) {
        (Some(one), Some(name)) => !one.eq_ignore_ascii_case(name),
        _ => false,
    };
    for other in owners.filter(differs) {
        let finding = reporter
            .finding_with(
                severity(row.single_confidence()),
                format!(
                    "{} is a second one in `{}` of network {}, which takes {}",
                    other.label(),
                    row.name,
                    subnet.network.to().map_or_else(
                        || "?".to_string(),
                        |network| support::label(context.topology, &context.topology[network].header)
                    ),
                    row.count,
                ),
                other.occupancy.place,
            )
            .related(format!("the first is {}", first.label()), first.occupancy.place)
            .advice("Keep one of them; a second one needs a network of its own.")
            .certain_if(subnet.header.is_certain() && first.is_certain() && other.is_certain());
        reporter.violated(finding);
    }
}

/// Delegated subnets belong to the service that they are delegated to.
fn delegations(context: &Context, reporter: &mut Reporter, subnet: &Subnet, row: &ReservedSubnet) {
    if !subnet.header.is_managed() {
        return;
    }
    for field in &subnet.delegations.items {
        let Some(delegation) = field.known() else { continue };
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "subnet {} is kept for {} and delegated to {}",
                    support::label(context.topology, &subnet.header),
                    row.service,
                    delegation.service,
                ),
                field.place,
            )
            .of(&subnet.header.resource_id)
            .advice("Leave out the delegation.")
            .certain_if(subnet.header.is_certain());
        reporter.violated(finding);
    }
}

fn severity(confidence: Confidence) -> Severity {
    match confidence {
        Confidence::High => Severity::Error,
        Confidence::Medium | Confidence::Low => Severity::Warning,
    }
}
