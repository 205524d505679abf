//! ## What it checks
//!
//! That a subnet has an address for everything that is put into it: network interfaces, machines of scale sets, private
//! endpoints, private front ends, nodes and pods of Kubernetes clusters at their largest, database servers with their standby,
//! Application Gateway at its largest, instances of an App Service plan. Five addresses of every IPv4 range are Azure's own.
//! The range for the pods of a cluster with an overlay is checked likewise: every node takes a /24 of it. What is declared counts; a
//! least size for the subnets of all clusters is not asked.
//!
//! ## What Azure does
//!
//! What finds no address is rejected with `SubnetIsFull`, a cluster or node pool with `InsufficientSubnetSize`: an error.
//! Where only growing, upgrading or standing in for a failed instance lacks addresses, it is a warning.
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
//! resource "azurerm_subnet" "workers" {
//!   name                 = "snet-workers"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/28"]
//! }
//!
//! resource "azurerm_network_interface" "worker" {
//!   count = 14
//!
//!   name                = "nic-worker-${count.index}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.workers.id
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
//! resource "azurerm_subnet" "workers" {
//!   name                 = "snet-workers"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//! }
//!
//! resource "azurerm_network_interface" "worker" {
//!   count = 14
//!
//!   name                = "nic-worker-${count.index}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.workers.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the range of the subnet is not known, or how many instances there are. Addresses that are taken outside of these files
//! are not counted.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
//! - <https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning>
//! - <https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay>
//! - <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/insufficientsubnetsize-error-advanced-networking>
//! - <https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure>
//! - <https://learn.microsoft.com/azure/app-service/overview-vnet-integration>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>

use ipnet::IpNet;

use super::occupants;
use super::{Context, Reporter, Rule, support};
use crate::analysis::addresses::{self, Demand};
use crate::azure::address_needs::POD_ADDRESSES_OF_NODE;
use crate::azure::subnet_sizes::{self, LONGEST_PREFIX, RESERVED_ADDRESSES};
use crate::finding::{Category, Finding, Severity};
use crate::topology::{KubernetesCluster, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-capacity-exceeded",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "what lives in a subnet needs more addresses than it has",
    error_codes: &["InsufficientSubnetSize", "SubnetIsFull"],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_capacity_exceeded.rs"),
    check,
};

/// How many occupants a finding names.
const NAMED: usize = 8;

fn check(context: &Context, reporter: &mut Reporter) {
    let demands = addresses::demands(context.topology);
    for (subnet, demands) in context.topology.subnets.iter().zip(demands) {
        if !demands.is_empty() {
            check_subnet(context, reporter, subnet, demands);
        }
    }
    for cluster in &context.topology.kubernetes_clusters {
        check_pod_range(context, reporter, cluster);
    }
}

/// Sums of what is demanded.
#[derive(Default)]
struct Sums {
    /// What Azure refuses to go without.
    refused: u64,
    /// Everything, upgrades included.
    all: u64,
}

fn sums<'a>(demands: impl Iterator<Item = &'a Demand>) -> Sums {
    demands.fold(Sums::default(), |sums, demand| Sums {
        refused: sums.refused.saturating_add(if demand.refused { demand.addresses } else { 0 }),
        all: sums.all.saturating_add(demand.addresses).saturating_add(demand.surge),
    })
}

fn check_subnet(context: &Context, reporter: &mut Reporter, subnet: &Subnet, mut demands: Vec<Demand>) {
    if let Some(unknown) = subnet.prefixes.unknown() {
        // A subnet that is only looked up may hold anything else as well: nothing to decide.
        if subnet.header.is_managed() {
            reporter.undecided(subnet.prefixes.place, unknown);
        }
        return;
    }
    let ranges: Vec<_> =
        support::ranges(&subnet.prefixes).filter(|(range, _)| matches!(range, IpNet::V4(_))).collect();
    let Some((_, field)) = ranges.first() else { return };
    // Smaller than what its occupants ask for is the subject of `subnet-too-small`.
    let shortest = ranges.iter().map(|(range, _)| range.prefix_len()).min().unwrap_or(0);
    let too_small = shortest > LONGEST_PREFIX
        || occupants::of_subnet(context.topology, subnet)
            .iter()
            .filter_map(|resident| subnet_sizes::of_kind(&resident.row.kind))
            .any(|row| shortest > row.minimum);
    if too_small {
        return;
    }
    let usable: u64 = ranges
        .iter()
        .map(|(range, _)| addresses_of(range).saturating_sub(RESERVED_ADDRESSES))
        .fold(0, u64::saturating_add);
    let certain = sums(demands.iter().filter(|demand| demand.certain));
    let possible = sums(demands.iter());
    let is_certain = subnet.header.is_certain();
    let (severity, needed, certain) = if certain.refused > usable {
        (Severity::Error, certain.refused, is_certain)
    } else if certain.all > usable {
        (Severity::Warning, certain.all, is_certain)
    } else if possible.refused > usable {
        (Severity::Error, possible.refused, false)
    } else if possible.all > usable {
        (Severity::Warning, possible.all, false)
    } else {
        match demands.iter().find_map(|demand| demand.unknown.as_ref()) {
            Some(unknown) => reporter.undecided(field.place, unknown),
            None => reporter.satisfied(),
        }
        return;
    };
    let label = support::label(context.topology, &subnet.header);
    let texts = support::texts(&subnet.prefixes);
    let message = match severity {
        Severity::Error => format!(
            "subnet {label} ({texts}) has {usable} usable addresses, but what lives in it takes {needed}"
        ),
        _ => format!(
            "subnet {label} ({texts}) has {usable} usable addresses, but what lives in it needs {needed} when it is fully grown or upgraded"
        ),
    };
    let mut finding = reporter
        .finding_with(severity, message, field.place)
        .of(&subnet.header.resource_id)
        .related_part("the subnet", &subnet.header)
        .advice("Give the subnet a larger range, or spread what lives in it over several subnets.")
        .certain_if(certain);
    // The largest first, as the model has them among equals.
    demands.sort_by_key(|demand| std::cmp::Reverse(demand.addresses.saturating_add(demand.surge)));
    finding = name_demands(finding, &demands);
    reporter.violated(finding);
}

fn name_demands(mut finding: Finding, demands: &[Demand]) -> Finding {
    // Instances of one resource stand at one place: they are one line.
    let mut groups: Vec<(&Demand, u64, u64)> = Vec::new();
    for demand in demands {
        let total = demand.addresses.saturating_add(demand.surge);
        match groups.iter_mut().find(|(first, _, _)| first.place == demand.place) {
            Some((_, others, sum)) => {
                *others += 1;
                *sum = sum.saturating_add(total);
            }
            None => groups.push((demand, 0, total)),
        }
    }
    for (demand, others, total) in groups.iter().take(NAMED) {
        let addresses = if *total == 1 { "1 address".to_string() } else { format!("{total} addresses") };
        let text = match (&demand.how, others) {
            (Some(how), 0) => format!("{} takes {addresses} ({how})", demand.who),
            (None, 0) => format!("{} takes {addresses}", demand.who),
            _ => format!("{} and {others} more like it take {addresses}", demand.who),
        };
        finding = finding.related(text, demand.place);
    }
    if let Some((first, _, _)) = groups.get(NAMED) {
        let rest = groups.len() - NAMED;
        finding = finding.related(format!("{} and {rest} others take the rest", first.who), first.place);
    }
    finding
}

/// The range from which a cluster with an overlay gives each node a /24 for its pods.
fn check_pod_range(context: &Context, reporter: &mut Reporter, cluster: &KubernetesCluster) {
    if !cluster.header.is_managed() {
        return;
    }
    let overlay =
        cluster.network_plugin_mode.known().is_some_and(|mode| mode.eq_ignore_ascii_case("overlay"));
    let kubenet = cluster.network_plugin.known().is_some_and(|plugin| plugin.eq_ignore_ascii_case("kubenet"));
    if !overlay && !kubenet {
        return;
    }
    if let Some(unknown) = cluster.pod_cidrs.unknown() {
        reporter.undecided(cluster.pod_cidrs.place, unknown);
        return;
    }
    let range = support::ranges(&cluster.pod_cidrs).find(|(range, _)| matches!(range, IpNet::V4(_)));
    let Some((range, field)) = range else { return };
    let room = addresses_of(&range) / POD_ADDRESSES_OF_NODE;
    let (mut certain, mut possible, mut upgrading) = (0_u64, 0_u64, 0_u64);
    let mut unknown = None;
    for pool in &cluster.pools {
        let (count, extra, why) = addresses::nodes(pool);
        possible = possible.saturating_add(count);
        if pool.header.is_certain() {
            certain = certain.saturating_add(count);
            upgrading = upgrading.saturating_add(count).saturating_add(extra);
        }
        unknown = unknown.or(why);
    }
    let (severity, nodes, is_certain) = if certain > room {
        (if overlay { Severity::Error } else { Severity::Warning }, certain, true)
    } else if upgrading > room {
        (Severity::Warning, upgrading, true)
    } else if possible > room {
        (Severity::Warning, possible, false)
    } else {
        match unknown {
            Some(unknown) => reporter.undecided(field.place, &unknown),
            None => reporter.satisfied(),
        }
        return;
    };
    let mut finding = reporter
        .finding_with(
            severity,
            format!(
                "the pod range {range} of AKS cluster {} has room for {room} nodes with a /24 each, but its pools grow to {nodes}",
                support::label(context.topology, &cluster.header),
            ),
            field.place,
        )
        .advice("Give the cluster a larger pod range, or let its pools grow less.")
        .certain_if(is_certain && cluster.header.is_certain());
    for pool in &cluster.pools {
        let (count, _, _) = addresses::nodes(pool);
        finding = finding.related(
            format!("node pool {} grows to {count} nodes", support::label(context.topology, &pool.header)),
            if pool.maximum_nodes.is_absent() { pool.header.place } else { pool.maximum_nodes.place },
        );
    }
    reporter.violated(finding);
}

/// How many addresses an IPv4 range has; none for IPv6, which is never short.
fn addresses_of(range: &IpNet) -> u64 {
    match range {
        IpNet::V4(range) => 1 << (32 - u32::from(range.prefix_len())),
        IpNet::V6(_) => 0,
    }
}
