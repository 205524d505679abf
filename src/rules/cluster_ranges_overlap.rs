//! ## What it checks
//!
//! The ranges of AKS clusters: the range of services, the range of pods and the subnets of the node pools may not overlap each other, nor
//! the rest of the network, nor the networks that are peered with it; the DNS service's address lies in the range of services and
//! is not its first one; the range of services is smaller than a /12; nodes and pods of one pool are in different subnets; and none of them takes from what AKS keeps for itself. Ranges
//! that are not given have the documented defaults (10.0.0.0/16 for services, 10.244.0.0/16 for pods).
//!
//! ## What Azure does
//!
//! A range of services that overlaps a subnet is refused (`ServiceCidrOverlapExistingSubnetsCidr`), and so is a DNS address outside of it
//! (`DnsServiceIpOutOfServiceCidr`). An overlap with a part of the address space that no subnet uses, or with a peered network, is
//! accepted: but pods cannot reach what has these addresses. A range of pods in the network's address space is documented as not
//! allowed; whether Azure refuses it depends on the plugin: a warning, but for the subnets of the cluster's own pools.
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
//! resource "azurerm_subnet" "nodes" {
//!   name                 = "snet-nodes"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/22"]
//! }
//!
//! resource "azurerm_kubernetes_cluster" "main" {
//!   name                = "aks-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   dns_prefix          = "main"
//!
//!   default_node_pool {
//!     name           = "system"
//!     node_count     = 3
//!     vm_size        = "Standard_D4s_v5"
//!     vnet_subnet_id = azurerm_subnet.nodes.id
//!   }
//!
//!   network_profile {
//!     network_plugin      = "azure"
//!     network_plugin_mode = "overlay"
//!     pod_cidr            = "192.168.0.0/16"
//!     service_cidr        = "10.0.0.0/16"
//!     dns_service_ip      = "10.0.0.10"
//!   }
//!
//!   identity {
//!     type = "SystemAssigned"
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
//! resource "azurerm_subnet" "nodes" {
//!   name                 = "snet-nodes"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/22"]
//! }
//!
//! resource "azurerm_kubernetes_cluster" "main" {
//!   name                = "aks-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   dns_prefix          = "main"
//!
//!   default_node_pool {
//!     name           = "system"
//!     node_count     = 3
//!     vm_size        = "Standard_D4s_v5"
//!     vnet_subnet_id = azurerm_subnet.nodes.id
//!   }
//!
//!   network_profile {
//!     network_plugin      = "azure"
//!     network_plugin_mode = "overlay"
//!     pod_cidr            = "192.168.0.0/16"
//!     service_cidr        = "172.16.0.0/16"
//!     dns_service_ip      = "172.16.0.10"
//!   }
//!
//!   identity {
//!     type = "SystemAssigned"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a range of the cluster is not known. Ranges of the network that are not known are left out of the comparison.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-pod-subnet>
//! - <https://learn.microsoft.com/azure/aks/configure-azure-cni>
//! - <https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay>
//! - <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/servicecidroverlapexistingsubnetscidr-error>
//! - <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/dnsserviceipoutofservicecidr-error>

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Context, Reporter, Rule, support};
use crate::analysis::peers;
use crate::finding::{Category, Finding, Severity};
use crate::topology::{Field, Id, KubernetesCluster, Place, Prefix, Subnet, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "cluster-ranges-overlap",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "the ranges of an AKS cluster overlap each other, its network or what is peered with it",
    error_codes: &["DnsServiceIpOutOfServiceCidr", "ServiceCidrOverlapExistingSubnetsCidr"],
    fix: None,
    pedantic: false,
    source: include_str!("cluster_ranges_overlap.rs"),
    check,
};

/// What no range of a cluster or its network may contain
/// (<https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay>).
const KEPT_BY_AKS: [&str; 4] = ["169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"];

/// A range for services is smaller than this (<https://learn.microsoft.com/azure/aks/configure-azure-cni>).
const WIDEST_SERVICE_PREFIX: u8 = 12;

/// A range of a cluster.
struct Range<'a> {
    what: &'static str,
    net: IpNet,
    field: &'a Field<Prefix>,
}

fn check(context: &Context, reporter: &mut Reporter) {
    for cluster in context.topology.kubernetes_clusters.iter().filter(|cluster| cluster.header.is_managed()) {
        let ranges = ranges_of(cluster);
        among_each_other(context, reporter, cluster, &ranges);
        dns_service(context, reporter, cluster);
        kept_ranges(context, reporter, cluster, &ranges);
        networks(context, reporter, cluster, &ranges);
        one_subnet(context, reporter, cluster);
        for list in [&cluster.service_cidrs, &cluster.pod_cidrs] {
            if let Some(why) = list.unknown() {
                reporter.undecided(list.place, why);
            }
        }
    }
}

fn ranges_of(cluster: &KubernetesCluster) -> Vec<Range<'_>> {
    let services = support::ranges(&cluster.service_cidrs).map(|(net, field)| ("service range", net, field));
    let pods = support::ranges(&cluster.pod_cidrs).map(|(net, field)| ("pod range", net, field));
    services.chain(pods).map(|(what, net, field)| Range { what, net, field }).collect()
}

fn is_service(range: &Range) -> bool {
    range.what == "service range"
}

/// A finding at one of the cluster's ranges. A default is written nowhere: then the place is the cluster's.
fn finding(
    reporter: &Reporter,
    cluster: &KubernetesCluster,
    severity: Severity,
    message: String,
    place: Place,
) -> Finding {
    reporter
        .finding_with(severity, message, place)
        .of(&cluster.header.resource_id)
        .certain_if(cluster.header.is_certain())
}

/// A pool whose pods are to have a subnet of their own, and have that of the nodes
/// (<https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-pod-subnet>).
fn one_subnet(context: &Context, reporter: &mut Reporter, cluster: &KubernetesCluster) {
    for pool in &cluster.pools {
        let (Some(nodes), Some(pods)) = (pool.subnet.to(), pool.pod_subnet.to()) else { continue };
        if nodes != pods {
            reporter.satisfied();
            continue;
        }
        let message = format!(
            "a node pool of AKS cluster {} has its nodes and its pods in one subnet, {}",
            support::label(context.topology, &cluster.header),
            support::label(context.topology, &context.topology[nodes].header),
        );
        let finding = finding(reporter, cluster, Severity::Error, message, pool.pod_subnet.place)
            .related("the subnet of the nodes", pool.subnet.place)
            .advice(
                "Give the pods a subnet of their own, or leave it out so that they share that of the nodes.",
            );
        reporter.violated(finding);
    }
}

fn among_each_other(
    context: &Context,
    reporter: &mut Reporter,
    cluster: &KubernetesCluster,
    ranges: &[Range],
) {
    for (index, one) in ranges.iter().enumerate() {
        for other in ranges.iter().skip(index + 1) {
            if !support::overlap(&one.net, &other.net) {
                reporter.satisfied();
                continue;
            }
            let message = format!(
                "the {} {} of AKS cluster {} overlaps its {} {}",
                one.what,
                one.net,
                support::label(context.topology, &cluster.header),
                other.what,
                other.net
            );
            let finding = finding(reporter, cluster, Severity::Error, message, one.field.place)
                .related("the other range", other.field.place)
                .advice("Choose ranges that have no address in common.");
            reporter.violated(finding);
        }
    }
}

/// The address of the cluster's DNS: inside the range of services, and not its first address, which is the API server's.
fn dns_service(context: &Context, reporter: &mut Reporter, cluster: &KubernetesCluster) {
    let field = &cluster.dns_service_address;
    let Some(address) = field.known().and_then(|text| text.parse::<IpAddr>().ok()) else {
        if let Some(why) = field.unknown() {
            reporter.undecided(field.place, why);
        }
        return;
    };
    if cluster.service_cidrs.unknown().is_some() {
        return;
    }
    let ranges: Vec<_> = support::ranges(&cluster.service_cidrs).collect();
    if ranges.is_empty() {
        return;
    }
    let label = support::label(context.topology, &cluster.header);
    let (severity, message) = match ranges.iter().find(|(range, _)| range.contains(&address)) {
        None => (
            Severity::Error,
            format!(
                "the DNS service address {address} of AKS cluster {label} lies outside of its service range {}",
                support::texts(&cluster.service_cidrs)
            ),
        ),
        Some((range, _)) if range.network() == address || range.hosts().next() == Some(address) => (
            Severity::Warning,
            format!(
                "the DNS service address {address} of AKS cluster {label} is the first address of its service range {range}, which the API server takes"
            ),
        ),
        Some(_) => return reporter.satisfied(),
    };
    let mut finding = finding(reporter, cluster, severity, message, field.place)
        .advice("Take an address inside the service range that is not its first one.");
    if let Some((_, range)) = ranges.first() {
        finding = finding.related("the service range", range.place);
    }
    reporter.violated(finding);
}

/// Ranges that AKS keeps for itself, and ranges for services that are too wide.
fn kept_ranges(context: &Context, reporter: &mut Reporter, cluster: &KubernetesCluster, ranges: &[Range]) {
    let kept: Vec<IpNet> = KEPT_BY_AKS.iter().filter_map(|text| text.parse().ok()).collect();
    let label = support::label(context.topology, &cluster.header);
    for range in ranges {
        let wide = matches!(range.net, IpNet::V4(net) if net.prefix_len() <= WIDEST_SERVICE_PREFIX);
        if is_service(range) && wide {
            let message = format!(
                "the service range {} of AKS cluster {label} is larger than AKS takes; it must be smaller than a /12",
                range.net
            );
            let finding = finding(reporter, cluster, Severity::Warning, message, range.field.place)
                .advice("Choose a longer prefix.");
            reporter.violated(finding);
            // Such a range takes from everything; to say so as well helps nobody.
            continue;
        }
        if let Some(own) = kept.iter().find(|own| support::overlap(own, &range.net)) {
            let message = format!(
                "the {} {} of AKS cluster {label} takes from {own}, which AKS keeps",
                range.what, range.net
            );
            let finding = finding(reporter, cluster, Severity::Warning, message, range.field.place).advice(
                "Choose a range outside of 169.254.0.0/16, 172.30.0.0/16, 172.31.0.0/16 and 192.0.2.0/24.",
            );
            reporter.violated(finding);
        }
    }
}

/// The subnets of the cluster's pools, the rest of their networks, and what is peered with these.
fn networks(context: &Context, reporter: &mut Reporter, cluster: &KubernetesCluster, ranges: &[Range]) {
    let topology = context.topology;
    let mut own: Vec<Id<Subnet>> =
        cluster.pools.iter().flat_map(|pool| [pool.subnet.to(), pool.pod_subnet.to()]).flatten().collect();
    own.sort();
    own.dedup();
    let mut homes: Vec<Id<VirtualNetwork>> = own.iter().filter_map(|id| topology[*id].network.to()).collect();
    homes.sort();
    homes.dedup();
    for range in ranges {
        let mut clean = true;
        for home in &homes {
            clean &= !against_network(context, reporter, cluster, range, *home, &own);
        }
        if clean && !homes.is_empty() {
            reporter.satisfied();
        }
    }
}

/// Whether a range overlaps a network of the cluster's or one that is peered with it; reports the first clash.
fn against_network(
    context: &Context,
    reporter: &mut Reporter,
    cluster: &KubernetesCluster,
    range: &Range,
    home: Id<VirtualNetwork>,
    own: &[Id<Subnet>],
) -> bool {
    let topology = context.topology;
    let network = &topology[home];
    let label = support::label(topology, &cluster.header);
    let clash_in = |id: &Id<Subnet>| {
        support::ranges(&topology[*id].prefixes).find(|(net, _)| support::overlap(net, &range.net))
    };
    // Azure looks at the subnets there are: those of the pools for certain, others of the network as well.
    let pools = own.iter().filter(|id| topology[**id].network.to() == Some(home));
    let others = network.subnets.iter().filter(|id| !own.contains(id));
    for (subnets, severity) in [
        (pools.collect::<Vec<_>>(), Severity::Error),
        (others.collect(), if is_service(range) { Severity::Error } else { Severity::Warning }),
    ] {
        for id in subnets {
            let Some((net, field)) = clash_in(id) else { continue };
            let subnet = &topology[*id];
            let message = format!(
                "the {} {} of AKS cluster {label} overlaps subnet {} ({net}) of its network",
                range.what,
                range.net,
                support::label(topology, &subnet.header)
            );
            let finding = finding(reporter, cluster, severity, message, range.field.place)
                .related("the subnet's range", field.place)
                .advice("Choose a range that neither the network nor its peers use.");
            let certain = cluster.header.is_certain() && subnet.header.is_certain();
            reporter.violated(finding.certain_if(certain));
            return true;
        }
    }
    let space = support::ranges(&network.address_space).find(|(net, _)| support::overlap(net, &range.net));
    if let Some((net, field)) = space {
        let message = format!(
            "the {} {} of AKS cluster {label} overlaps the address space {net} of its network {}",
            range.what,
            range.net,
            support::label(topology, &network.header)
        );
        let finding = finding(reporter, cluster, Severity::Warning, message, range.field.place)
            .related("the address space", field.place)
            .advice("Choose a range that neither the network nor its peers use.");
        reporter.violated(finding);
        return true;
    }
    for peer in peers::of(topology, home).iter().filter(|peer| peer.connected) {
        let other = &topology[peer.network];
        let space = support::ranges(&other.address_space).find(|(net, _)| support::overlap(net, &range.net));
        let Some((net, field)) = space else { continue };
        let message = format!(
            "the {} {} of AKS cluster {label} overlaps {net} of network {}, which its own network is peered with",
            range.what,
            range.net,
            support::label(topology, &other.header)
        );
        let finding = finding(reporter, cluster, Severity::Warning, message, range.field.place)
            .related("the peer's address space", field.place)
            .advice("Choose a range that neither the network nor its peers use; the cluster cannot reach addresses in it.");
        reporter.violated(finding.certain_if(cluster.header.is_certain() && peer.certain));
        return true;
    }
    false
}
