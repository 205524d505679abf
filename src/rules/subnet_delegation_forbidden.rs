//! ## What it checks
//!
//! That services which live as machines in a subnet are not put into a delegated one: nodes of Kubernetes clusters, pools of
//! Batch, API Management in its classic tiers. A delegation that bears the service's own name does not make it better.
//!
//! ## What Azure does
//!
//! The service is rejected.
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
//! resource "azurerm_subnet" "apim" {
//!   name                 = "snet-apim"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/27"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.ApiManagement/service"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "apim" {
//!   subnet_id                 = azurerm_subnet.apim.id
//!   network_security_group_id = "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg-apim"
//! }
//!
//! resource "azurerm_api_management" "main" {
//!   name                 = "apim-main"
//!   resource_group_name  = "rg"
//!   location             = "westeurope"
//!   publisher_name       = "Contoso"
//!   publisher_email      = "api@contoso.com"
//!   sku_name             = "Developer_1"
//!   virtual_network_type = "Internal"
//!
//!   virtual_network_configuration {
//!     subnet_id = azurerm_subnet.apim.id
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
//! resource "azurerm_subnet" "apim" {
//!   name                 = "snet-apim"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "apim" {
//!   subnet_id                 = azurerm_subnet.apim.id
//!   network_security_group_id = "/subscriptions/0000/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg-apim"
//! }
//!
//! resource "azurerm_api_management" "main" {
//!   name                 = "apim-main"
//!   resource_group_name  = "rg"
//!   location             = "westeurope"
//!   publisher_name       = "Contoso"
//!   publisher_email      = "api@contoso.com"
//!   sku_name             = "Developer_1"
//!   virtual_network_type = "Internal"
//!
//!   virtual_network_configuration {
//!     subnet_id = azurerm_subnet.apim.id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the delegations of the subnet, or the tier of the service, are not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview>
//! - <https://learn.microsoft.com/azure/api-management/virtual-network-injection-resources>
//! - <https://learn.microsoft.com/azure/aks/concepts-network-cni-overview>
//! - <https://learn.microsoft.com/azure/batch/batch-virtual-network>

use super::occupants::{self, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::delegations;
use crate::finding::{Category, Severity};
use crate::topology::{Delegation, Field, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-delegation-forbidden",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "a service that refuses delegated subnets is put into one",
    error_codes: &["SubnetIsDelegated"],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_delegation_forbidden.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        let residents = occupants::of_subnet(context.topology, subnet);
        for resident in &residents {
            if !refuses(resident) {
                continue;
            }
            let mut decided = false;
            for field in &subnet.delegations.items {
                if let Some(delegation) = field.known()
                    && !decided
                    && !is_told_elsewhere(resident, delegation)
                {
                    decided = true;
                    report(context, reporter, subnet, resident, field, delegation);
                }
            }
            match subnet.delegations.unknown() {
                _ if decided => {}
                Some(unknown) if subnet.header.is_managed() => {
                    reporter.undecided(resident.occupancy.place, unknown);
                }
                _ => reporter.satisfied(),
            }
        }
    }
}

/// Whether a resident is known to refuse any delegation.
fn refuses(resident: &Resident) -> bool {
    if resident.row.refuses_delegation {
        return resident.row.confidence >= Confidence::Medium;
    }
    resident.is_classic_api_management()
}

/// Whether there is nothing to say of a delegation here: guests of a subnet that belongs to another service are the
/// subject of `delegated-subnet-shared`.
fn is_told_elsewhere(resident: &Resident, delegation: &Delegation) -> bool {
    if resident.fits(&delegation.service) {
        // AKS delegates subnets for pods to itself; only API Management is known to refuse a delegation of its own name.
        return resident.row.refuses_delegation;
    }
    let exclusive = delegations::find(&delegation.service)
        .is_some_and(|row| row.exclusive == Some(true) && row.confidence >= Confidence::Medium);
    let endpoint = resident.row.arm_type.eq_ignore_ascii_case("Microsoft.Network/privateEndpoints");
    (exclusive || endpoint) && resident.row.sharing.is_some()
}

fn report(
    context: &Context,
    reporter: &mut Reporter,
    subnet: &Subnet,
    resident: &Resident,
    field: &Field<Delegation>,
    delegation: &Delegation,
) {
    let sure = resident.row.confidence == Confidence::High;
    let finding = reporter
        .finding_with(
            if sure { Severity::Error } else { Severity::Warning },
            format!(
                "{} is in subnet {}, which is delegated to {}; it takes no delegated subnet",
                resident.label(),
                support::label(context.topology, &subnet.header),
                delegation.service,
            ),
            resident.occupancy.place,
        )
        .related("the delegation", field.place)
        .related_part("the subnet", &subnet.header)
        .advice("Remove the delegation, or move the service to a subnet without one.")
        .certain_if(subnet.header.is_certain() && resident.is_certain());
    reporter.violated(finding);
}
