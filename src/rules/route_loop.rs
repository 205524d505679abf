//! ## What it checks
//!
//! That what an appliance sends on does not come back to it: its own subnet must not use a route that leads to the appliance itself, nor
//! one to a second appliance that sends the packets back.
//!
//! ## What Azure does
//!
//! Nothing is rejected. The packets go round until their time to live ends, and the connections of everything behind the
//! appliance fail.
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
//! resource "azurerm_route_table" "egress" {
//!   name                = "rt-egress"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "default"
//!     address_prefix         = "0.0.0.0/0"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_subnet" "appliance" {
//!   name                 = "snet-appliance"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "appliance" {
//!   subnet_id      = azurerm_subnet.appliance.id
//!   route_table_id = azurerm_route_table.egress.id
//! }
//!
//! resource "azurerm_network_interface" "appliance" {
//!   name                  = "nic-appliance"
//!   resource_group_name   = "rg"
//!   location              = "westeurope"
//!   ip_forwarding_enabled = true
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.appliance.id
//!     private_ip_address_allocation = "Static"
//!     private_ip_address            = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   route_table_id = azurerm_route_table.egress.id
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
//! resource "azurerm_route_table" "egress" {
//!   name                = "rt-egress"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "default"
//!     address_prefix         = "0.0.0.0/0"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_subnet" "appliance" {
//!   name                 = "snet-appliance"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "appliance" {
//!   name                  = "nic-appliance"
//!   resource_group_name   = "rg"
//!   location              = "westeurope"
//!   ip_forwarding_enabled = true
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.appliance.id
//!     private_ip_address_allocation = "Static"
//!     private_ip_address            = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   route_table_id = azurerm_route_table.egress.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a route, an address or the interfaces of an appliance are not known, and for appliances with interfaces in several subnets,
//! which choose by themselves where they send. The default route of a firewall's own subnet is checked by
//! `route-forbidden-on-subnet`.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/architecture/networking/guide/network-virtual-appliance-high-availability>

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Context, Reporter, Rule, support};
use crate::analysis::reach::{Path, Reach, Stop, Verdict};
use crate::analysis::routes::RouteDestination;
use crate::finding::{Category, Severity};
use crate::topology::{Id, Route, RouteTable, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "route-loop",
    category: Category::Route,
    severity: Severity::Warning,
    summary: "packets that an appliance sends on come back to it",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("route_loop.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let (topology, reach) = (context.topology, context.reach());
    let hosts = hosts(reach);
    for (id, table) in topology.all::<RouteTable>() {
        for &subnet in reach.users(id).iter().filter(|subnet| hosts.contains(subnet)) {
            for (index, field) in table.routes.items.iter().enumerate() {
                if let Some(route) = field.known() {
                    check_route(reach, reporter, subnet, index, route);
                }
            }
        }
    }
}

/// The subnets that appliances of routes send on from.
fn hosts(reach: &Reach) -> BTreeSet<Id<Subnet>> {
    let topology = reach.topology();
    let mut hosts = BTreeSet::new();
    for (id, table) in topology.all::<RouteTable>() {
        let mut networks: Vec<_> =
            reach.users(id).iter().filter_map(|subnet| reach.network_of(*subnet)).collect();
        networks.sort_unstable();
        networks.dedup();
        for route in table.routes.known() {
            for &network in &networks {
                if let Some(stop) = reach.appliance(network, route).stop {
                    hosts.extend(reach.onward(stop).0);
                }
            }
        }
    }
    hosts
}

fn check_route(reach: &Reach, reporter: &mut Reporter, subnet: Id<Subnet>, index: usize, route: &Route) {
    let Some(network) = reach.network_of(subnet) else { return };
    let appliance = reach.appliance(network, route);
    let Some(stop) = appliance.stop else { return };
    let Some(destination) = reach.routes(subnet).example_of(index) else { return };
    let path = reach.walk(subnet, destination);
    match &path.verdict {
        Verdict::Loop(_) => {}
        Verdict::Undecided(_) => return,
        _ => return reporter.satisfied(),
    }
    // A firewall's own default route is the business of `route-forbidden-on-subnet`.
    if matches!(stop, Stop::Firewall(_))
        && reach.subnet_of(stop) == Some(subnet)
        && is_default(reach, subnet, index)
    {
        return;
    }
    report(reach, reporter, subnet, route, stop, &path, destination);
}

fn is_default(reach: &Reach, subnet: Id<Subnet>, index: usize) -> bool {
    reach.routes(subnet).user.iter().any(|user| {
        user.index == index
            && matches!(&user.destination, RouteDestination::Prefix(prefix) if prefix.prefix_len() == 0)
    })
}

fn report(
    reach: &Reach,
    reporter: &mut Reporter,
    subnet: Id<Subnet>,
    route: &Route,
    stop: Stop,
    path: &Path,
    destination: IpAddr,
) {
    let topology = reach.topology();
    let link = &topology[subnet].route_table;
    let prefix = route.address_prefix.known().map_or("some destinations", |prefix| prefix.as_str());
    let here = support::label(topology, &topology[subnet].header);
    let own = reach.onward(stop).0.contains(&subnet);
    let message = if own {
        format!(
            "subnet {here} of {} uses route {} as well: what it sends on to {prefix} comes back to it",
            support::label(topology, reach.header(stop)),
            support::label(topology, &route.header),
        )
    } else {
        format!(
            "packets for {prefix} that an appliance sends on from subnet {here} by route {} come back to that subnet",
            support::label(topology, &route.header),
        )
    };
    let mut finding = reporter
        .finding(message, route.next_hop_address.place)
        .of(&route.header.resource_id)
        .related_part("the appliance", reach.header(stop))
        .related_part("its subnet", &topology[subnet].header)
        .related("the table is attached here", link.place)
        .advice("Give the subnet of an appliance a route table of its own, or none.")
        .certain_if(
            [&topology[subnet].header, &route.header, reach.header(stop)]
                .iter()
                .all(|part| part.is_certain()),
        );
    if let Some(source) = reach.address_in(subnet) {
        for line in reach.describe(path, source, destination) {
            finding = finding.witness(line);
        }
    }
    reporter.violated(finding);
}
