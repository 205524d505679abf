//! ## What it checks
//!
//! That the interface at the next hop of a route has IP forwarding on: the interface that has the address, or every member behind
//! the load balancer that has it. A load balancer must also have a rule for all ports.
//!
//! ## What Azure does
//!
//! Nothing is rejected. Packets that arrive at an interface and are not addressed to it are dropped unless the interface forwards,
//! so all traffic of the route is lost.
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
//!   ip_forwarding_enabled = false
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.appliance.id
//!     private_ip_address_allocation = "Static"
//!     private_ip_address            = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_route_table" "app" {
//!   name                = "rt-app"
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   route_table_id = azurerm_route_table.app.id
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
//! resource "azurerm_route_table" "app" {
//!   name                = "rt-app"
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   route_table_id = azurerm_route_table.app.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known whether the interface forwards, or what has the address. A firewall always forwards. A route for just the address
//! of the interface needs no forwarding.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface#enable-or-disable-ip-forwarding>
//! - <https://learn.microsoft.com/azure/load-balancer/load-balancer-ha-ports-overview>

use std::collections::BTreeSet;

use super::{Context, Reporter, Rule, support};
use crate::analysis::reach::{Appliance, Member, Reach, Stop};
use crate::finding::{Category, Severity};
use crate::net::parse_prefix;
use crate::topology::{Field, Header, Id, LoadBalancer, Route, RouteTable, State, Subnet, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "route-next-hop-not-forwarding",
    category: Category::Route,
    severity: Severity::Error,
    summary: "a route to an interface that does not forward what is not addressed to it",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("route_next_hop_not_forwarding.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let (topology, reach) = (context.topology, context.reach());
    // An interface is judged once, for the first route that leads to it.
    let mut judged = BTreeSet::new();
    for (id, table) in topology.all::<RouteTable>() {
        for route in table.routes.known().filter(|route| route.header.is_managed()) {
            let mut networks = BTreeSet::new();
            for &subnet in reach.users(id) {
                let Some(network) = reach.network_of(subnet).filter(|network| networks.insert(*network))
                else {
                    continue;
                };
                let appliance = reach.appliance(network, route);
                let Some(stop) = appliance.stop else { continue };
                if is_for_itself(reach, stop, route) {
                    continue;
                }
                let way = Way { topology, table, route, subnet, appliance };
                for member in reach.members(stop).0 {
                    if judged.insert(key(member)) {
                        way.judge(reporter, member);
                    }
                }
                if let Stop::Balancer(balancer) = stop
                    && judged.insert((2, balancer.index(), 0))
                {
                    way.judge_balancer(reporter, balancer);
                }
            }
        }
    }
}

fn key(member: Member) -> (u8, usize, usize) {
    match member {
        Member::Interface(id) => (0, id.index(), 0),
        Member::Template(set, template) => (1, set.index(), template),
    }
}

/// Whether a route is only for the address that its next hop has: then nothing is forwarded.
fn is_for_itself(reach: &Reach, stop: Stop, route: &Route) -> bool {
    let prefix = route.address_prefix.known().and_then(|text| parse_prefix(text));
    prefix.is_some_and(|prefix| {
        prefix.prefix_len() == prefix.max_prefix_len() && reach.is_own(stop, prefix.addr())
    })
}

/// The route that leads to an appliance, from the first subnet that uses it.
struct Way<'a> {
    topology: &'a Topology,
    table: &'a RouteTable,
    route: &'a Route,
    subnet: Id<Subnet>,
    appliance: Appliance,
}

impl Way<'_> {
    fn judge(&self, reporter: &mut Reporter, member: Member) {
        let topology = self.topology;
        let (header, forwarding, what) = match member {
            Member::Interface(id) => (&topology[id].header, &topology[id].ip_forwarding, "interface"),
            Member::Template(set, template) => {
                let Some(template) = topology[set].interfaces.get(template) else { return };
                (&topology[set].header, &template.ip_forwarding, "the interface of scale set")
            }
        };
        match &forwarding.state {
            State::Known(true) => reporter.satisfied(),
            State::Unknown(why) => reporter.undecided(forwarding.place, why),
            _ => self.report(reporter, header, forwarding, what),
        }
    }

    fn report(&self, reporter: &mut Reporter, header: &Header, forwarding: &Field<bool>, what: &str) {
        let topology = self.topology;
        let prefix = self.route.address_prefix.known().map_or("other networks", |prefix| prefix.as_str());
        let parts = [header, &self.table.header, &self.route.header, &topology[self.subnet].header];
        let address = self.appliance.address.map_or(String::new(), |address| format!(" ({address})"));
        let name = support::label(topology, header);
        let finding = reporter
            .finding(
                format!(
                    "{what} {name} does not forward packets, but route {} sends those for {prefix} to it",
                    support::label(topology, &self.route.header),
                ),
                forwarding.place,
            )
            .of(&header.resource_id)
            .related_part("the route", &self.route.header)
            .related(
                format!("used by subnet {}", support::label(topology, &topology[self.subnet].header)),
                topology[self.subnet].route_table.place,
            )
            .witness(format!(
                "a packet from subnet {} for {prefix} reaches {name}{address}, is not addressed to it and is dropped",
                support::label(topology, &topology[self.subnet].header),
            ))
            .advice("Switch on IP forwarding for the interface; the system of the machine must forward as well.")
            .certain_if(parts.iter().all(|part| part.is_certain()));
        reporter.violated(finding);
    }

    /// A load balancer passes on the ports of its rules only; as a next hop it needs one for all of them.
    fn judge_balancer(&self, reporter: &mut Reporter, id: Id<LoadBalancer>) {
        let topology = self.topology;
        let balancer = &topology[id];
        if !balancer.header.is_managed() {
            return;
        }
        let open = balancer.incomplete || topology.unseen(&balancer.header).is_some();
        let all_ports = balancer
            .rules
            .iter()
            .any(|rule| rule.protocol.known().is_none_or(|protocol| protocol.eq_ignore_ascii_case("All")));
        if all_ports || open || balancer.rules.is_empty() {
            return;
        }
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "route {} leads to load balancer {}, which has no rule for all ports and drops what its rules do not name",
                    support::label(topology, &self.route.header),
                    support::label(topology, &balancer.header),
                ),
                balancer.header.place,
            )
            .of(&balancer.header.resource_id)
            .related_part("the route", &self.route.header)
            .advice("Give the load balancer a rule with protocol All and port 0.")
            .certain_if(balancer.header.is_certain() && self.route.header.is_certain());
        reporter.violated(finding);
    }
}
