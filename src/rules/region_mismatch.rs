//! ## What it checks
//!
//! That a resource is in the region of the network that it lives in, and of what it is connected with: interfaces, scale sets, load
//! balancers, gateways, firewalls, Bastion hosts, DNS resolvers and injected services with the network of their subnet; security
//! groups, route tables and NAT gateways with the network of the subnet that they are attached to; public addresses and security
//! groups with what uses them; machines with their interfaces. Private endpoints have a rule of their own. `West Europe` and
//! `westeurope` are one region. Private DNS zones and their links are in no region: their location is `global`.
//!
//! ## What Azure does
//!
//! A network and everything in it are in one region. A reference to another region is refused with the words that the resource "was
//! not found. Please make sure that the referenced resource exists, and that both resources are in the same region"
//! (`InvalidResourceReference`). What a private endpoint leads to, what a peering leads to, and what a private DNS zone is linked
//! to may be anywhere.
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
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "northeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
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
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When one of the regions is not known: a variable without a value, a network that is only looked up. Two resources that take
//! their region from the same variable are in the same region, whatever it is.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface>
//! - <https://learn.microsoft.com/azure/virtual-network/manage-route-table>
//! - <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/invalidresourcereference-error>
//! - <https://github.com/microsoft/CromwellOnAzure/issues/231>
//! - <https://github.com/MicrosoftDocs/azure-docs/issues/32363>

use super::regions::{self, End};
use super::{Context, Reporter, Rule, support};
use crate::azure::{occupants, regional};
use crate::finding::{Category, Severity};
use crate::topology::{Header, IpConfiguration, Link, PublicIp, Topology, VirtualNetwork};
use crate::value::Cause;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "region-mismatch",
    category: Category::Reference,
    severity: Severity::Error,
    summary: "a resource in another region than the network, address or group that it is connected with",
    error_codes: &["InvalidResourceReference", "LocationNotAvailableForResourceType"],
    fix: None,
    pedantic: false,
    source: include_str!("region_mismatch.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    occupants_of_networks(context, reporter);
    associations(context, reporter);
    interfaces(context, reporter);
    public_addresses(context, reporter);
    for resolver in context.topology.dns_resolvers.iter().filter(|resolver| resolver.header.is_managed()) {
        let Some(network) = resolver.network.to() else { continue };
        let resolver_end = End { header: &resolver.header, what: "DNS private resolver" };
        regions::judge(
            context,
            reporter,
            resolver_end,
            network_end(context.topology, network),
            resolver.network.place,
        );
    }
    zones(context, reporter);
}

/// Private DNS zones and links of templates with the location of something else.
fn zones(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let zones = topology.private_dns_zones.iter().map(|part| (&part.header, "private DNS zone"));
    let links = topology.zone_links.iter().map(|part| (&part.header, "link of a private DNS zone"));
    for (header, what) in zones.chain(links).filter(|(header, _)| header.is_managed()) {
        let node = &topology[header.resource];
        let location = &node.location;
        // A group of resources is in a region, whichever it is.
        let of_group = location.unknown().is_some_and(|why| {
            matches!(why.cause.root(), Cause::Computed(text) | Cause::Lookup(text) if text.ends_with("resourceGroup().location"))
        });
        let said = match location.known() {
            Some(text) if text == "global" => {
                reporter.satisfied();
                continue;
            }
            Some(text) => format!("`{text}`"),
            None if of_group => "the location of the resource group".into(),
            None => continue,
        };
        let finding = reporter
            .finding(
                format!(
                    "{what} {} has {said} for its location; it takes `global` only",
                    support::label(topology, header)
                ),
                location.place,
            )
            .of(&header.resource_id)
            .advice("Write `global`.")
            .certain_if(header.is_certain());
        reporter.violated(finding);
    }
}

fn network_end(topology: &Topology, network: crate::topology::Id<VirtualNetwork>) -> End<'_> {
    End { header: &topology[network].header, what: "network" }
}

/// What lives in a subnet, as far as it is known to live where its network is.
fn occupants_of_networks(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut seen = std::collections::BTreeSet::new();
    for occupancy in &topology.occupancies {
        let Some(row) = occupants::of_kind(&occupancy.kind) else { continue };
        let Some(regional) = regional::of_type(&row.arm_type) else { continue };
        let Some(network) = occupancy.subnet.to().and_then(|subnet| topology[subnet].network.to()) else {
            continue;
        };
        if !seen.insert((occupancy.resource, network)) {
            continue;
        }
        let resource = &topology[occupancy.resource];
        if resource.mode != crate::resource::Mode::Managed {
            continue;
        }
        // A service with units in several regions has a network in each of them.
        if !regional.other_regions.is_empty()
            && !resource.values(&regional.other_regions, &regional.other_regions).is_absent()
        {
            continue;
        }
        let end = network_end(topology, network);
        regions::judge_resource(context, reporter, (occupancy.resource, row.name()), end, occupancy.place);
    }
}

/// Groups, tables and NAT gateways of subnets.
fn associations(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for subnet in &topology.subnets {
        let Some(network) = subnet.network.to() else { continue };
        let network = network_end(topology, network);
        let mut judge = |what: &str, header: Option<&Header>, place| {
            if let Some(header) = header {
                regions::judge(context, reporter, End { header, what }, network, place);
            }
        };
        let group = subnet.security_group.to().map(|id| &topology[id].header);
        judge("security group", group, subnet.security_group.place);
        let table = subnet.route_table.to().map(|id| &topology[id].header);
        judge("route table", table, subnet.route_table.place);
        let gateway = subnet.nat_gateway.to().map(|id| &topology[id].header);
        judge("NAT gateway", gateway, subnet.nat_gateway.place);
    }
}

/// Groups of interfaces, and interfaces of machines.
fn interfaces(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for interface in topology.network_interfaces.iter().filter(|interface| interface.header.is_managed()) {
        let own = End { header: &interface.header, what: "network interface" };
        if let Some(group) = interface.security_group.to() {
            let group = End { header: &topology[group].header, what: "security group" };
            regions::judge(context, reporter, own, group, interface.security_group.place);
        }
        for link in &interface.application_security_groups {
            let Some(group) = link.to() else { continue };
            let group = End { header: &topology[group].header, what: "application security group" };
            regions::judge(context, reporter, own, group, link.place);
        }
    }
    for machine in topology.virtual_machines.iter().filter(|machine| machine.header.is_managed()) {
        for link in &machine.interfaces {
            let Some(interface) = link.to() else { continue };
            let own = End { header: &machine.header, what: "virtual machine" };
            let other = End { header: &topology[interface].header, what: "network interface" };
            regions::judge(context, reporter, own, other, link.place);
        }
    }
}

/// Public addresses of everything that takes them.
fn public_addresses(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut judge = |what: &str, header: &Header, link: &Link<PublicIp>| {
        let Some(address) = link.to().map(|id| &topology[id]) else { return };
        // Load balancers across regions have addresses of the global tier, which are at home in few regions.
        if !header.is_managed() || address.tier.may_be(&"Global".into()) {
            return;
        }
        let other = End { header: &address.header, what: "public address" };
        regions::judge(context, reporter, End { header, what }, other, link.place);
    };
    let mut each = |what: &str, header: &Header, configurations: &[IpConfiguration]| {
        for configuration in configurations {
            judge(what, header, &configuration.public_ip);
        }
    };
    for interface in &topology.network_interfaces {
        each("network interface", &interface.header, &interface.ip_configurations);
    }
    for balancer in &topology.load_balancers {
        each("load balancer", &balancer.header, &balancer.frontends);
    }
    for gateway in &topology.application_gateways {
        each("application gateway", &gateway.header, &gateway.frontends);
    }
    for gateway in &topology.virtual_network_gateways {
        each("virtual network gateway", &gateway.header, &gateway.ip_configurations);
    }
    for host in &topology.bastions {
        each("Bastion host", &host.header, &host.ip_configurations);
    }
    for firewall in &topology.firewalls {
        each("firewall", &firewall.header, &firewall.ip_configurations);
        each("firewall", &firewall.header, &firewall.management_ip_configurations);
    }
    for gateway in &topology.nat_gateways {
        for link in &gateway.public_ips {
            judge("NAT gateway", &gateway.header, link);
        }
    }
}
