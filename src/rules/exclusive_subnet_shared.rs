//! ## What it checks
//!
//! That a service which needs a subnet to itself has it to itself: an Application Gateway, an injected cache, a Container Apps
//! environment, an App Service Environment, an endpoint of a DNS private resolver. Two services that want the same delegation
//! count as well, and a second instance where only one may live in a subnet; apps of two App Service plans in one integration subnet smaller
//! than /26; two AKS clusters with kubenet; and one Databricks workspace whose two subnets are the same.
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
//! - <https://learn.microsoft.com/azure/app-service/overview-vnet-integration>
//! - <https://github.com/MicrosoftDocs/azure-docs/issues/29302>
//! - <https://github.com/Azure/GPT-RAG/issues/226>
//! - <https://github.com/Azure/AppService/pull/405>
//! - <https://learn.microsoft.com/azure/aks/configure-kubenet>
//! - <https://learn.microsoft.com/azure/databricks/security/network/classic/vnet-inject>

use std::collections::BTreeMap;

use super::occupants::{self, Plan, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::occupants::Sharing;
use crate::azure::reserved_subnets;
use crate::finding::{Category, Severity};
use crate::topology::{Id, KubernetesCluster, Place, ResourceId, Subnet, Topology};
use crate::value::ResourceKey;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "exclusive-subnet-shared",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "a service that needs a subnet to itself shares it",
    error_codes: &[
        "message: is already occupied by service",
        "message: Minimum subnet size allowed for joining multiple App Service Plans to same subnet",
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
        check_plans(context.topology, reporter, subnet);
        check_pair(context.topology, reporter, subnet);
    }
    check_kubenet(context.topology, reporter);
}

/// A workspace needs one subnet for its hosts and another one for its containers.
fn check_pair(topology: &Topology, reporter: &mut Reporter, subnet: &Subnet) {
    let mut first: BTreeMap<ResourceId, Resident> = BTreeMap::new();
    for guest in occupants::of_subnet(topology, subnet) {
        if !guest.row.arm_type.eq_ignore_ascii_case("Microsoft.Databricks/workspaces") {
            continue;
        }
        let other = *first.entry(guest.occupancy.resource).or_insert(guest);
        if std::ptr::eq(other.occupancy, guest.occupancy) {
            continue;
        }
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "{} has subnet {} for its hosts and for its containers; it needs two",
                    guest.label(),
                    support::label(topology, &subnet.header),
                ),
                guest.occupancy.place,
            )
            .related("the same subnet", other.occupancy.place)
            .related_part("the subnet", &subnet.header)
            .advice("Give the workspace a second subnet, delegated like the first.")
            .certain_if(subnet.header.is_certain() && guest.is_certain());
        reporter.violated(finding);
    }
}

/// Clusters with kubenet write their pods' routes into the route table of the subnet, each for itself.
fn check_kubenet(topology: &Topology, reporter: &mut Reporter) {
    let mut first: BTreeMap<Id<Subnet>, (&KubernetesCluster, Place)> = BTreeMap::new();
    for cluster in topology.kubernetes_clusters.iter().filter(|cluster| cluster.header.is_managed()) {
        if !cluster.network_plugin.known().is_some_and(|plugin| plugin.eq_ignore_ascii_case("kubenet")) {
            continue;
        }
        for pool in &cluster.pools {
            let Some(subnet) = pool.subnet.to() else { continue };
            let (other, place) = *first.entry(subnet).or_insert((cluster, pool.subnet.place));
            let one_input =
                topology[other.header.resource].key.root == topology[cluster.header.resource].key.root;
            if other.header.resource == cluster.header.resource || !one_input {
                continue;
            }
            let finding = reporter
                .finding_with(
                    Severity::Warning,
                    format!(
                        "AKS clusters {} and {} use kubenet in one subnet, {}; each needs a subnet and a route table of its own",
                        support::label(topology, &other.header),
                        support::label(topology, &cluster.header),
                        support::label(topology, &topology[subnet].header),
                    ),
                    pool.subnet.place,
                )
                .of(&cluster.header.resource_id)
                .between(&[&other.header, &cluster.header, &topology[subnet].header])
                .related("the other cluster lives here", place)
                .related_part("the other cluster", &other.header)
                .related_part("the subnet", &topology[subnet].header)
                .advice("Give each cluster a subnet of its own, or use Azure CNI in overlay mode.")
                .certain_if(other.header.is_certain() && cluster.header.is_certain());
            reporter.violated(finding);
        }
    }
}

/// Whether two resources of one input certainly make two plans, and not one twice.
fn are_two(topology: &Topology, one: &ResourceKey, two: &ResourceKey) -> bool {
    if one.root != two.root || one == two {
        return false;
    }
    let node = |key: &ResourceKey| topology.resources.iter().find(|other| other.key == *key);
    let (Some(one), Some(two)) = (node(one), node(two)) else { return false };
    match (one.name.known(), two.name.known()) {
        (Some(one), Some(two)) => !one.eq_ignore_ascii_case(two),
        _ => !one.is_arm() && !two.is_arm(),
    }
}

/// Integration subnets from this size on take several App Service plans. Source: the error "Minimum subnet size allowed for joining
/// multiple App Service Plans to same subnet is /26, the subnet attempting to be joined is /28", in
/// <https://github.com/Azure/GPT-RAG/issues/226>.
const SEVERAL_PLANS: u8 = 26;

/// Apps of two App Service plans that are integrated with one subnet.
fn check_plans(topology: &Topology, reporter: &mut Reporter, subnet: &Subnet) {
    let mut first: Option<(Resident, Plan)> = None;
    for guest in occupants::of_subnet(topology, subnet) {
        if guest.row.sharing != Some(Sharing::OneAppServicePlan) {
            continue;
        }
        let Some(plan) = occupants::plan_of(topology, guest.resource, 0) else { continue };
        let Some((owner, other)) = &first else {
            first = Some((guest, plan));
            continue;
        };
        let distinct = match (other, &plan) {
            (Plan::Resource(one), Plan::Resource(two)) => are_two(topology, one, two),
            (Plan::Named(one), Plan::Named(two)) => one != two,
            _ => false,
        };
        if !distinct {
            reporter.satisfied();
            continue;
        }
        let small = subnet.prefixes.is_complete()
            && !subnet.prefixes.items.is_empty()
            && subnet
                .prefixes
                .known()
                .all(|prefix| prefix.net.is_some_and(|net| net.prefix_len() > SEVERAL_PLANS));
        let finding = reporter
            .finding(
                format!(
                    "{} is in subnet {} with {}, which is of another App Service plan; subnets smaller than /{SEVERAL_PLANS} take one plan",
                    guest.label(),
                    support::label(topology, &subnet.header),
                    owner.label(),
                ),
                guest.occupancy.place,
            )
            .related(format!("{} is integrated here", owner.label()), owner.occupancy.place)
            .related_part("the subnet", &subnet.header)
            .advice("Give each plan a subnet of its own, or run the apps on one plan.")
            .certain_if(small && subnet.header.is_certain() && owner.is_certain() && guest.is_certain());
        return reporter.violated(finding);
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
