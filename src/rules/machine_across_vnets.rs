//! ## What it checks
//!
//! That all interfaces of one virtual machine, and all node pools of one AKS cluster, are in one virtual network.
//!
//! ## What Azure does
//!
//! A machine may have interfaces in several subnets, but of one network only; else it is refused with `SubnetsNotInSameVnet`. So it is
//! with the subnets of node pools.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   for_each            = { inside = "10.0.0.0/16", outside = "10.1.0.0/16" }
//!   name                = "vnet-${each.key}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = [each.value]
//! }
//!
//! resource "azurerm_subnet" "main" {
//!   for_each             = azurerm_virtual_network.main
//!   name                 = "snet-main"
//!   resource_group_name  = "rg"
//!   virtual_network_name = each.value.name
//!   address_prefixes     = [cidrsubnet(one(each.value.address_space), 8, 1)]
//! }
//!
//! resource "azurerm_network_interface" "main" {
//!   for_each            = azurerm_subnet.main
//!   name                = "nic-${each.key}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = each.value.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_linux_virtual_machine" "appliance" {
//!   name                  = "vm-appliance"
//!   resource_group_name   = "rg"
//!   location              = "westeurope"
//!   size                  = "Standard_D2s_v5"
//!   network_interface_ids = [azurerm_network_interface.main["outside"].id, azurerm_network_interface.main["inside"].id]
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
//! resource "azurerm_subnet" "main" {
//!   for_each             = { inside = "10.0.1.0/24", outside = "10.0.2.0/24" }
//!   name                 = "snet-${each.key}"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = [each.value]
//! }
//!
//! resource "azurerm_network_interface" "main" {
//!   for_each            = azurerm_subnet.main
//!   name                = "nic-${each.key}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = each.value.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_linux_virtual_machine" "appliance" {
//!   name                  = "vm-appliance"
//!   resource_group_name   = "rg"
//!   location              = "westeurope"
//!   size                  = "Standard_D2s_v5"
//!   network_interface_ids = [azurerm_network_interface.main["outside"].id, azurerm_network_interface.main["inside"].id]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known which interfaces the machine has, or in which network one of them is. Networks that may be one and the same under
//! two names are not told apart.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface-vm>
//! - <https://learn.microsoft.com/azure/aks/node-pool-unique-subnet>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{
    Header, Id, KubernetesCluster, Link, NetworkInterface, Topology, VirtualMachine, VirtualNetwork,
};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "machine-across-vnets",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "a virtual machine, or an AKS cluster, with parts in different networks",
    error_codes: &["SubnetsNotInSameVnet"],
    fix: None,
    pedantic: false,
    source: include_str!("machine_across_vnets.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for machine in topology.virtual_machines.iter().filter(|machine| machine.header.is_managed()) {
        judge(topology, reporter, machine);
    }
    for cluster in topology.kubernetes_clusters.iter().filter(|cluster| cluster.header.is_managed()) {
        judge_cluster(topology, reporter, cluster);
    }
}

/// Subnets of node pools and their pods: all must be of one network.
fn judge_cluster(topology: &Topology, reporter: &mut Reporter, cluster: &KubernetesCluster) {
    let mut first: Option<(Id<VirtualNetwork>, &Header)> = None;
    for pool in &cluster.pools {
        for link in [&pool.subnet, &pool.pod_subnet] {
            let Some(subnet) = link.to().map(|subnet| &topology[subnet]) else { continue };
            let Some(network) = subnet.network.to() else { continue };
            let (other, of_first) = *first.get_or_insert((network, &subnet.header));
            if !support::certainly_distinct(topology, other, network) {
                continue;
            }
            let (other, network) = (&topology[other].header, &topology[network].header);
            let label = |header| support::label(topology, header);
            let finding = reporter
                .finding(
                    format!(
                        "cluster {} has node pools in subnet {} of network {} and in subnet {} of network {}",
                        label(&cluster.header),
                        label(of_first),
                        label(other),
                        label(&subnet.header),
                        label(network),
                    ),
                    link.place,
                )
                .of(&cluster.header.resource_id)
                .between(&[of_first, &subnet.header, &cluster.header])
                .related_part("the one subnet", of_first)
                .related_part("the other subnet", &subnet.header)
                .advice("Put all node pools of a cluster into subnets of one network.")
                .certain_if(
                    [&cluster.header, &pool.header, of_first, &subnet.header, other, network]
                        .into_iter()
                        .all(Header::is_certain),
                );
            return reporter.violated(finding);
        }
    }
    reporter.satisfied();
}

/// The network that an interface is in.
fn network_of(topology: &Topology, interface: Id<NetworkInterface>) -> Option<Id<VirtualNetwork>> {
    let configurations = &topology[interface].ip_configurations;
    configurations.iter().find_map(|configuration| topology[configuration.subnet.to()?].network.to())
}

fn judge(topology: &Topology, reporter: &mut Reporter, machine: &VirtualMachine) {
    let placed: Vec<(&Link<NetworkInterface>, Id<NetworkInterface>, Id<VirtualNetwork>)> = machine
        .interfaces
        .iter()
        .filter_map(|link| Some((link, link.to()?, network_of(topology, link.to()?)?)))
        .collect();
    let Some((_, first, network)) = placed.first().copied() else { return };
    let other =
        placed.iter().skip(1).find(|(_, _, other)| support::certainly_distinct(topology, network, *other));
    let Some((link, second, other)) = other.copied() else {
        let unknown = machine.interfaces.iter().find_map(|link| link.unknown());
        match machine.more_interfaces.as_ref().or(unknown) {
            Some(why) => reporter.undecided(machine.header.place, why),
            None => reporter.satisfied(),
        }
        return;
    };
    let (first, second) = (&topology[first].header, &topology[second].header);
    let (network, other) = (&topology[network].header, &topology[other].header);
    let label = |header| support::label(topology, header);
    let finding = reporter
        .finding(
            format!(
                "virtual machine {} has interface {} in network {} and interface {} in network {}",
                label(&machine.header),
                label(first),
                label(network),
                label(second),
                label(other),
            ),
            link.place,
        )
        .of(&machine.header.resource_id)
        .between(&[first, second, &machine.header])
        .related_part("the one interface", first)
        .related_part("the other interface", second)
        .advice("Put all interfaces of a machine into one network; peer networks that it must reach.")
        .certain_if([&machine.header, first, second, network, other].into_iter().all(Header::is_certain));
    reporter.violated(finding);
}
