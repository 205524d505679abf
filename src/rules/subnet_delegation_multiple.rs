//! ## What it checks
//!
//! That a subnet is delegated to one service only, and that a network has no more than one subnet delegated to Azure NetApp
//! Files, which takes one in each network.
//!
//! ## What Azure does
//!
//! A subnet with two delegations serves neither service: a warning. A second subnet delegated to NetApp Files can be made, but
//! the volume that is put into it is rejected: an error once both are used.
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
//! resource "azurerm_subnet" "data" {
//!   name                 = "snet-data"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Netapp/volumes"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet" "logs" {
//!   name                 = "snet-logs"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.64/26"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Netapp/volumes"
//!     }
//!   }
//! }
//!
//! resource "azurerm_netapp_volume" "data" {
//!   name                = "vol-data"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   account_name        = "anf"
//!   pool_name           = "pool"
//!   volume_path         = "data"
//!   service_level       = "Standard"
//!   storage_quota_in_gb = 100
//!   subnet_id           = azurerm_subnet.data.id
//! }
//!
//! resource "azurerm_netapp_volume" "logs" {
//!   name                = "vol-logs"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   account_name        = "anf"
//!   pool_name           = "pool"
//!   volume_path         = "logs"
//!   service_level       = "Standard"
//!   storage_quota_in_gb = 100
//!   subnet_id           = azurerm_subnet.logs.id
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
//! resource "azurerm_subnet" "data" {
//!   name                 = "snet-data"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Netapp/volumes"
//!     }
//!   }
//! }
//!
//! resource "azurerm_netapp_volume" "data" {
//!   name                = "vol-data"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   account_name        = "anf"
//!   pool_name           = "pool"
//!   volume_path         = "data"
//!   service_level       = "Standard"
//!   storage_quota_in_gb = 100
//!   subnet_id           = azurerm_subnet.data.id
//! }
//!
//! resource "azurerm_netapp_volume" "logs" {
//!   name                = "vol-logs"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   account_name        = "anf"
//!   pool_name           = "pool"
//!   volume_path         = "logs"
//!   service_level       = "Standard"
//!   storage_quota_in_gb = 100
//!   subnet_id           = azurerm_subnet.data.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When what a subnet is delegated to, or which network it is part of, is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview>
//! - <https://learn.microsoft.com/azure/azure-netapp-files/azure-netapp-files-delegate-subnet>
//! - <https://learn.microsoft.com/azure/azure-netapp-files/azure-netapp-files-network-topologies>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Delegation, Field, Subnet, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-delegation-multiple",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "a subnet with two delegations, or a network with two subnets for a service that takes one",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_delegation_multiple.rs"),
    check,
};

/// Services that take one delegated subnet in each network.
/// Source: <https://learn.microsoft.com/azure/azure-netapp-files/azure-netapp-files-delegate-subnet>.
const ONE_FOR_NETWORK: [&str; 1] = ["Microsoft.Netapp/volumes"];

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        check_subnet(context, reporter, subnet);
    }
    for network in &context.topology.virtual_networks {
        for service in ONE_FOR_NETWORK {
            check_network(context, reporter, network, service);
        }
    }
}

fn check_subnet(context: &Context, reporter: &mut Reporter, subnet: &Subnet) {
    let known: Vec<(&Field<Delegation>, &Delegation)> =
        subnet.delegations.items.iter().filter_map(|field| Some((field, field.known()?))).collect();
    let Some(((first_field, first), rest)) = known.split_first() else { return };
    let second = rest.iter().find(|(_, other)| !other.service.eq_ignore_ascii_case(&first.service));
    let Some((field, second)) = second else {
        reporter.satisfied();
        return;
    };
    let finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "subnet {} is delegated to {} and to {}; a subnet belongs to one service",
                support::label(context.topology, &subnet.header),
                first.service,
                second.service,
            ),
            field.place,
        )
        .of(&subnet.header.resource_id)
        .related("the other delegation", first_field.place)
        .advice("Keep one of the delegations, and give the other service a subnet of its own.")
        .certain_if(subnet.header.is_certain());
    reporter.violated(finding);
}

fn check_network(context: &Context, reporter: &mut Reporter, network: &VirtualNetwork, service: &str) {
    let topology = context.topology;
    let delegated: Vec<(&Subnet, &Field<Delegation>)> = network
        .subnets
        .iter()
        .map(|id| &topology[*id])
        .filter_map(|subnet| {
            let field = subnet.delegations.items.iter().find(|field| {
                field.known().is_some_and(|known| known.service.eq_ignore_ascii_case(service))
            })?;
            Some((subnet, field))
        })
        .collect();
    let Some(((first, first_field), others)) = delegated.split_first() else { return };
    if others.is_empty() {
        reporter.satisfied();
    }
    for (subnet, field) in others {
        // Only what lives in the second one is refused.
        let used = [first, subnet].iter().all(|subnet| {
            subnet.occupancies.iter().any(|id| topology[topology[*id].resource].uncertain.is_none())
        });
        let mut finding = reporter
            .finding_with(
                if used { Severity::Error } else { Severity::Warning },
                format!(
                    "subnets {} and {} of {} are both delegated to {service}, which takes one subnet in each network",
                    support::label(topology, &first.header),
                    support::label(topology, &subnet.header),
                    support::label(topology, &network.header),
                ),
                field.place,
            )
            .of(&subnet.header.resource_id)
            .between(&[&first.header, &subnet.header])
            .related("the other delegation", first_field.place)
            .advice("Put what lives in them into one subnet, or the second subnet into another network.")
            .certain_if(first.header.is_certain() && subnet.header.is_certain());
        for id in subnet.occupancies.iter().take(4) {
            finding = finding.related("this would be refused", topology[*id].place);
        }
        reporter.violated(finding);
    }
}
