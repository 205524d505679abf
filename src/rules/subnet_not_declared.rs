//! ## What it checks
//!
//! That a subnet which something is put into, or which a network rule admits, is one of its network's, where that network is declared
//! here: a name beside the network's id (Databricks, virtual nodes), an id that is written or composed, a resource id made in a
//! template.
//!
//! ## What Azure does
//!
//! No reference leads to a subnet that is only named, so nothing notices before the deployment. Azure then does not find it
//! (`InvalidResourceReference`); Databricks says that the range `<null>` is not within the network.
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
//! resource "azurerm_subnet" "host" {
//!   name                 = "snet-host"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Databricks/workspaces"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet" "container" {
//!   name                 = "snet-container"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Databricks/workspaces"
//!     }
//!   }
//! }
//!
//! resource "azurerm_network_security_group" "dbx" {
//!   name                = "nsg-dbx"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "host" {
//!   subnet_id                 = azurerm_subnet.host.id
//!   network_security_group_id = azurerm_network_security_group.dbx.id
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "container" {
//!   subnet_id                 = azurerm_subnet.container.id
//!   network_security_group_id = azurerm_network_security_group.dbx.id
//! }
//!
//! resource "azurerm_databricks_workspace" "main" {
//!   name                = "dbw-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "premium"
//!
//!   custom_parameters {
//!     virtual_network_id                                   = azurerm_virtual_network.main.id
//!     public_subnet_name                                   = azurerm_subnet.host.name
//!     private_subnet_name                                  = "snet-private"
//!     public_subnet_network_security_group_association_id  = azurerm_subnet_network_security_group_association.host.id
//!     private_subnet_network_security_group_association_id = azurerm_subnet_network_security_group_association.container.id
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
//! resource "azurerm_subnet" "host" {
//!   name                 = "snet-host"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Databricks/workspaces"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet" "container" {
//!   name                 = "snet-container"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Databricks/workspaces"
//!     }
//!   }
//! }
//!
//! resource "azurerm_network_security_group" "dbx" {
//!   name                = "nsg-dbx"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "host" {
//!   subnet_id                 = azurerm_subnet.host.id
//!   network_security_group_id = azurerm_network_security_group.dbx.id
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "container" {
//!   subnet_id                 = azurerm_subnet.container.id
//!   network_security_group_id = azurerm_network_security_group.dbx.id
//! }
//!
//! resource "azurerm_databricks_workspace" "main" {
//!   name                = "dbw-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "premium"
//!
//!   custom_parameters {
//!     virtual_network_id                                   = azurerm_virtual_network.main.id
//!     public_subnet_name                                   = azurerm_subnet.host.name
//!     private_subnet_name                                  = azurerm_subnet.container.name
//!     public_subnet_network_security_group_association_id  = azurerm_subnet_network_security_group_association.host.id
//!     private_subnet_network_security_group_association_id = azurerm_subnet_network_security_group_association.container.id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the network may have subnets that are not seen here: it is handed to a module that is not on disk, one of its subnets has a
//! name that is not known, or a `dynamic` block makes them. A network without any subnet of its own here gets them from
//! elsewhere and is left alone.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
//! - <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/invalidresourcereference-error>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/27099>

use std::sync::Arc;

use super::occupants;
use super::{Context, Reporter, Rule, support};
use crate::analysis::nameless;
use crate::azure::service_endpoints;
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Declared, Place, ResourceId, Subnet, VirtualNetwork};
use crate::value::Unknown;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-not-declared",
    category: Category::Reference,
    severity: Severity::Error,
    summary: "a subnet that is named, but that its network does not have",
    error_codes: &["InvalidResourceReference", "SubnetIsNotWithinVnetError"],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_not_declared.rs"),
    check,
};

/// How many of a network's own subnets a finding names.
const NAMED: usize = 8;

/// Something that names a subnet: who, and where.
struct Mention {
    who: String,
    resource: ResourceId,
    place: Place,
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, subnet) in topology.all::<Subnet>() {
        let Some(network) = subnet.network.to().map(|network| &topology[network]) else { continue };
        // What is made elsewhere has its subnets elsewhere.
        if network.header.declared != Declared::Separate || subnet.header.declared == Declared::LookedUp {
            continue;
        }
        let mut mentions: Vec<Mention> = occupants::of_subnet(topology, subnet)
            .iter()
            .map(|resident| Mention {
                who: resident.label(),
                resource: resident.occupancy.resource,
                place: resident.occupancy.place,
            })
            .collect();
        mentions.extend(
            topology.admissions.iter().filter(|admission| admission.subnet.to() == Some(id)).filter_map(
                |admission| {
                    let resource = &topology[admission.resource];
                    let kind = service_endpoints::of_kind(&admission.kind)?;
                    let name =
                        resource.name.known().map_or(resource.key.address.as_str(), |name| name.as_str());
                    Some(Mention {
                        who: format!("{} `{name}`", kind.name),
                        resource: admission.resource,
                        place: admission.place,
                    })
                },
            ),
        );
        mentions.retain(|mention| topology[mention.resource].mode == Mode::Managed);
        if subnet.header.declared != Declared::Elsewhere {
            for _ in mentions {
                reporter.satisfied();
            }
            continue;
        }
        // A subnet that a plan takes away is the subject of `change-breaks-occupant`.
        if is_taken_away(context, subnet) {
            continue;
        }
        for mention in mentions {
            let elsewhere = || nameless::twin(topology, subnet).map(Arc::clone);
            match blind_spot(context, network).or_else(elsewhere) {
                Some(why) => reporter.undecided(mention.place, &why),
                None => report(context, reporter, subnet, network, &mention),
            }
        }
    }
}

/// Whether the subnet is there now, by what a plan says.
fn is_taken_away(context: &Context, subnet: &Subnet) -> bool {
    let Some(own) = &subnet.header.resource_id else { return false };
    context.before.is_some_and(|before| {
        before.subnets.iter().any(|other| {
            other.header.is_managed()
                && other.header.resource_id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(own))
        })
    })
}

/// Why the network may have subnets that are not seen here.
fn blind_spot(context: &Context, network: &VirtualNetwork) -> Option<Arc<Unknown>> {
    let unnamed =
        || network.subnets.iter().find_map(|id| context.topology[*id].header.name.unknown()).map(Arc::clone);
    context
        .topology
        .unseen(&network.header)
        .or(network.incomplete.as_ref())
        .map(Arc::clone)
        .or_else(unnamed)
        .or_else(|| network.header.name.unknown().map(Arc::clone))
}

fn report(
    context: &Context,
    reporter: &mut Reporter,
    subnet: &Subnet,
    network: &VirtualNetwork,
    mention: &Mention,
) {
    let topology = context.topology;
    let declared: Vec<&Subnet> = network
        .subnets
        .iter()
        .map(|id| &topology[*id])
        .filter(|subnet| subnet.header.declared != Declared::Elsewhere)
        .collect();
    // A network without any subnet gets them from somewhere else.
    if declared.is_empty() {
        return;
    }
    let mut names: Vec<String> =
        declared.iter().take(NAMED).map(|subnet| support::label(topology, &subnet.header)).collect();
    if declared.len() > NAMED {
        names.push(format!("{} more", declared.len() - NAMED));
    }
    let resource = &topology[mention.resource];
    let finding = reporter
        .finding(
            format!(
                "{} names subnet {}, which network {} does not have; it has {}",
                mention.who,
                support::label(topology, &subnet.header),
                support::label(topology, &network.header),
                names.join(", "),
            ),
            mention.place,
        )
        .related_part("the network", &network.header)
        .advice("Name one of its subnets, or declare the missing one.")
        .certain_if(resource.uncertain.is_none() && network.header.is_certain());
    reporter.violated(finding);
}
