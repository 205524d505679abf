//! ## What it checks
//!
//! That a service which needs a subnet to itself has it to itself: an Application Gateway, an injected cache, a Container Apps
//! environment, an App Service Environment, an endpoint of a DNS private resolver. Two services that want the same delegation
//! count as well, and a second instance where only one may live in a subnet.
//!
//! ## What Azure does
//!
//! The second one is rejected (`OnlyOneServiceAssociationLinkAllowedPerSubnet`, `SubnetIsInUse`), or the service's own
//! documentation rules the combination out and it fails later: then it is a warning.
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
//! resource "azurerm_subnet" "apps" {
//!   name                 = "snet-apps"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/23"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.App/environments"
//!     }
//!   }
//! }
//!
//! resource "azurerm_container_app_environment" "web" {
//!   name                     = "cae-web"
//!   resource_group_name      = "rg"
//!   location                 = "westeurope"
//!   infrastructure_subnet_id = azurerm_subnet.apps.id
//!
//!   workload_profile {
//!     name                  = "Consumption"
//!     workload_profile_type = "Consumption"
//!   }
//! }
//!
//! resource "azurerm_container_app_environment" "jobs" {
//!   name                     = "cae-jobs"
//!   resource_group_name      = "rg"
//!   location                 = "westeurope"
//!   infrastructure_subnet_id = azurerm_subnet.apps.id
//!
//!   workload_profile {
//!     name                  = "Consumption"
//!     workload_profile_type = "Consumption"
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
//! resource "azurerm_subnet" "apps" {
//!   name                 = "snet-apps"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/23"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.App/environments"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet" "jobs" {
//!   name                 = "snet-jobs"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.4.0/23"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.App/environments"
//!     }
//!   }
//! }
//!
//! resource "azurerm_container_app_environment" "web" {
//!   name                     = "cae-web"
//!   resource_group_name      = "rg"
//!   location                 = "westeurope"
//!   infrastructure_subnet_id = azurerm_subnet.apps.id
//!
//!   workload_profile {
//!     name                  = "Consumption"
//!     workload_profile_type = "Consumption"
//!   }
//! }
//!
//! resource "azurerm_container_app_environment" "jobs" {
//!   name                     = "cae-jobs"
//!   resource_group_name      = "rg"
//!   location                 = "westeurope"
//!   infrastructure_subnet_id = azurerm_subnet.jobs.id
//!
//!   workload_profile {
//!     name                  = "Consumption"
//!     workload_profile_type = "Consumption"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known which subnet one of them lives in. What is only looked up is not held against others.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/container-apps/custom-virtual-networks>
//! - <https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan>
//! - <https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure>
//! - <https://learn.microsoft.com/azure/dns/dns-private-resolver-overview>
//! - <https://learn.microsoft.com/azure/app-service/environment/networking>

use super::occupants::{self, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::occupants::Sharing;
use crate::azure::reserved_subnets;
use crate::finding::{Category, Severity};
use crate::topology::{ResourceId, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "exclusive-subnet-shared",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "a service that needs a subnet to itself shares it",
    error_codes: &[
        "message: is already occupied by service",
        "OnlyOneServiceAssociationLinkAllowedPerSubnet",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("exclusive_subnet_shared.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        check_subnet(context, reporter, subnet);
    }
}

fn check_subnet(context: &Context, reporter: &mut Reporter, subnet: &Subnet) {
    // Subnets with a reserved name have a rule of their own.
    if subnet.header.name.known().is_some_and(|name| reserved_subnets::find(name).is_some()) {
        return;
    }
    let residents = occupants::of_subnet(context.topology, subnet);
    let Some(owner) =
        residents.iter().find(|resident| is_exclusive(resident) && resident.row.subnet_name.is_none())
    else {
        return;
    };
    let mut told: Vec<ResourceId> = Vec::new();
    for guest in &residents {
        if guest.occupancy.resource == owner.occupancy.resource || told.contains(&guest.occupancy.resource) {
            continue;
        }
        if tolerates(owner, guest) || is_told_elsewhere(subnet, owner, guest) {
            reporter.satisfied();
            continue;
        }
        told.push(guest.occupancy.resource);
        let sure = [owner, guest].iter().all(|each| each.row.confidence == Confidence::High);
        let severity = if sure { Severity::Error } else { Severity::Warning };
        let finding = reporter
            .finding_with(
                severity,
                format!(
                    "{} is in subnet {}, which {} needs to itself",
                    guest.label(),
                    support::label(context.topology, &subnet.header),
                    owner.label(),
                ),
                guest.occupancy.place,
            )
            .related(format!("{} lives here", owner.label()), owner.occupancy.place)
            .related_part("the subnet", &subnet.header)
            .advice("Move one of the two to another subnet.")
            .certain_if(subnet.header.is_certain() && owner.is_certain() && guest.is_certain());
        reporter.violated(finding);
    }
}

/// Whether a resident shares its subnet with its like at most.
fn is_exclusive(resident: &Resident) -> bool {
    match resident.row.sharing {
        Some(Sharing::Ordinary | Sharing::OneAppServicePlan) | None => false,
        Some(_) => resident.row.confidence >= Confidence::Medium,
    }
}

/// Whether an exclusive service lives with another resident.
fn tolerates(owner: &Resident, guest: &Resident) -> bool {
    // Nothing is documented of it.
    let Some(sharing) = guest.row.sharing else { return true };
    let same_type = owner.row.arm_type.eq_ignore_ascii_case(&guest.row.arm_type);
    match owner.row.sharing {
        Some(Sharing::DedicatedSingle) => false,
        Some(Sharing::Dedicated) => same_type || same_delegation(owner, guest),
        other => other == Some(sharing) || same_type,
    }
}

/// Services of one delegation that each may have several instances in a subnet: container groups and virtual nodes.
fn same_delegation(owner: &Resident, guest: &Resident) -> bool {
    let of_guest = guest.row.sharing == Some(Sharing::Dedicated);
    of_guest && owner.row.delegation.is_some() && owner.row.delegation == guest.row.delegation
}

/// Whether the pair is the subject of the rules on delegations: the owner's delegation is there, or missing, and the guest
/// needs another one or none.
fn is_told_elsewhere(subnet: &Subnet, owner: &Resident, guest: &Resident) -> bool {
    let Some(needed) = owner.row.delegation.as_deref() else {
        return guest.row.delegation.is_some();
    };
    let other = guest.row.delegation.as_deref();
    if !other.is_some_and(|other| other.eq_ignore_ascii_case(needed)) {
        return true;
    }
    // Without the delegation both are told that it is missing.
    !subnet
        .delegations
        .items
        .iter()
        .any(|field| field.known().is_some_and(|delegation| delegation.service.eq_ignore_ascii_case(needed)))
        && subnet.header.is_managed()
}
