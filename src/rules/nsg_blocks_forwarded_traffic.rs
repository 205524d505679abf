//! ## What it checks
//!
//! That an appliance may receive what routes send it to forward. For each route to the address of an interface with IP forwarding (or of
//! an internal load balancer before such interfaces), packets from the subnet to the route's prefix are evaluated against the groups of the
//! appliance's subnet and interface.
//!
//! ## What Azure does
//!
//! It deploys. Forwarded packets arrive with the address of their true destination. The default rule AllowVnetInBound admits only
//! destinations inside `VirtualNetwork`; for a default route that is not so (unless the appliance's own subnet has routes for the
//! prefix), and DenyAllInBound drops them before the appliance sees them.
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
//! resource "azurerm_subnet" "clients" {
//!   name                 = "snet-clients"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "router" {
//!   name                  = "nic-router"
//!   resource_group_name   = "rg"
//!   location              = "westeurope"
//!   ip_forwarding_enabled = true
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Static"
//!     private_ip_address            = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_route_table" "clients" {
//!   name                = "rt-clients"
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
//! resource "azurerm_subnet_route_table_association" "clients" {
//!   subnet_id      = azurerm_subnet.clients.id
//!   route_table_id = azurerm_route_table.clients.id
//! }
//!
//! resource "azurerm_network_interface_security_group_association" "router" {
//!   network_interface_id      = azurerm_network_interface.router.id
//!   network_security_group_id = azurerm_network_security_group.router.id
//! }
//!
//! resource "azurerm_network_security_group" "router" {
//!   name                = "nsg-router"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-ssh"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "22"
//!     source_address_prefix      = "203.0.113.77"
//!     destination_address_prefix = "*"
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
//! resource "azurerm_subnet" "clients" {
//!   name                 = "snet-clients"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "router" {
//!   name                  = "nic-router"
//!   resource_group_name   = "rg"
//!   location              = "westeurope"
//!   ip_forwarding_enabled = true
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Static"
//!     private_ip_address            = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_route_table" "clients" {
//!   name                = "rt-clients"
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
//! resource "azurerm_subnet_route_table_association" "clients" {
//!   subnet_id      = azurerm_subnet.clients.id
//!   route_table_id = azurerm_route_table.clients.id
//! }
//!
//! resource "azurerm_network_interface_security_group_association" "router" {
//!   network_interface_id      = azurerm_network_interface.router.id
//!   network_security_group_id = azurerm_network_security_group.router.id
//! }
//!
//! resource "azurerm_network_security_group" "router" {
//!   name                = "nsg-router"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-ssh"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "22"
//!     source_address_prefix      = "203.0.113.77"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "allow-transit"
//!     priority                   = 200
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "10.0.2.0/24"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When an address, a rule or a group is not known, and when the appliance's own subnet has a default route. A route of which only some packets are dropped is not reported.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
//! - <https://github.com/MicrosoftDocs/azure-docs/issues/124192>

use std::collections::BTreeSet;
use std::sync::Arc;

use super::packets::Decider;
use super::{Context, Reporter, Rule, support};
use crate::analysis::entries::members;
use crate::analysis::filters;
use crate::analysis::hosts::{Guard, Host};
use crate::analysis::reach::{Reach, Stop};
use crate::analysis::security::input::{Party, Selector};
use crate::analysis::security::{Outcome, Verdict};
use crate::azure::tags::INTERNET;
use crate::finding::{Category, Severity};
use crate::net::{AddressSet, parse_prefix};
use crate::topology::{IpConfiguration, Route, RouteTable, Subnet, Topology};
use crate::value::{Cause, Unknown};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-blocks-forwarded-traffic",
    category: Category::Nsg,
    severity: Severity::Warning,
    summary: "the security group of an appliance drops all that a route sends it to forward",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("nsg_blocks_forwarded_traffic.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let guards = context.guards();
    let mut seen = BTreeSet::new();
    for subnet in &topology.subnets {
        let Some(table) = subnet.route_table.to() else { continue };
        for (position, route) in topology[table].routes.items.iter().enumerate() {
            let Some(route) = route.known() else { continue };
            for (host, configuration) in appliances(context.reach(), subnet, route) {
                // One finding for each route and appliance, whatever the number of subnets.
                if !seen.insert((table, position, host.header.place.resource, host.header.place.site)) {
                    continue;
                }
                let Some(guard) = guards.of(&host, configuration) else { continue };
                judge(topology, reporter, subnet, &topology[table], route, &host, &guard);
            }
        }
    }
}

/// The interfaces that a route leads to, each with the address that packets come to: the next hop itself, or the machines
/// behind an internal load balancer.
fn appliances<'a>(reach: &Reach<'a>, subnet: &Subnet, route: &Route) -> Vec<(Host<'a>, &'a IpConfiguration)> {
    let topology = reach.topology();
    let is_appliance =
        route.next_hop_type.known().is_some_and(|kind| kind.eq_ignore_ascii_case("VirtualAppliance"));
    let Some(network) = subnet.network.to().filter(|_| is_appliance) else { return Vec::new() };
    let appliance = reach.appliance(network, route);
    let is_sure = |there| there == network || reach.peers(network).any(|peer| peer == (there, None));
    let by_reference = route.next_hop.to().is_some();
    if !by_reference && !appliance.network.is_some_and(is_sure) {
        return Vec::new();
    }
    let hosts: Vec<Host> = match appliance.stop {
        Some(Stop::Interface(id)) => vec![Host::interface(topology, id)],
        Some(Stop::Balancer(id)) if topology[id].header.is_managed() => {
            let balancer = &topology[id];
            let pools = balancer.rules.iter().flat_map(|rule| &rule.pools);
            let pools = pools.filter_map(|at| balancer.pools.get(*at));
            pools
                .flat_map(|pool| members(topology, &pool.interfaces, &pool.scale_sets))
                .map(|member| member.host)
                .collect()
        }
        Some(Stop::Balancer(_) | Stop::Firewall(_)) | None => Vec::new(),
    };
    let takes = |host: &Host| host.header.is_managed() && host.ip_forwarding.is(&true);
    let arrives_at = |host: Host<'a>| {
        let has = |one: &&IpConfiguration| {
            let own = one.private_address.known().and_then(|text| text.parse().ok());
            own.is_some() && own == appliance.address
        };
        let configuration = host.ip_configurations.iter().find(has).or_else(|| host.first_configuration());
        Some((host, configuration?))
    };
    hosts.into_iter().filter(takes).filter_map(arrives_at).collect()
}

#[allow(clippy::too_many_arguments, reason = "the parts of one question")]
fn judge(
    topology: &Topology,
    reporter: &mut Reporter,
    subnet: &Subnet,
    table: &RouteTable,
    route: &Route,
    host: &Host,
    guard: &Guard,
) {
    let (sources, unknown) = filters::addresses(&subnet.prefixes);
    let Some(text) = route.address_prefix.known() else { return };
    if let (Some(unknown), _) | (None, Some(unknown)) =
        (subnet.prefixes.unknown(), route.address_prefix.unknown())
    {
        reporter.undecided(route.header.place, unknown);
        return;
    }
    if unknown.is_some() || sources.is_empty() {
        return;
    }
    let destination = match parse_prefix(text) {
        // The default route is for what lies outside; what lies inside has routes of its own.
        Some(prefix) if prefix.prefix_len() == 0 => Party::tag(INTERNET),
        Some(prefix) => Party::addresses(AddressSet::from_prefixes([prefix])),
        None => Party::new(Selector::Tag(text.clone())),
    };
    let mut flow = guard.inbound(Party::addresses(sources).member_of([]));
    flow.destination = destination.member_of([]);
    let outcome = match guard.evaluate(&flow) {
        Ok(outcome) => outcome,
        Err(_) => {
            let cause = Cause::Limit("the group's rules are too many to decide this".into());
            let why = Arc::new(Unknown { cause, span: route.header.place.site });
            return reporter.undecided(route.header.place, &why);
        }
    };
    match outcome.verdict {
        Verdict::Blocked => {}
        Verdict::Undecided => {
            let text = outcome.causes.first().cloned().unwrap_or_default();
            let why = Arc::new(Unknown { cause: Cause::Error(text), span: route.header.place.site });
            return reporter.undecided(route.header.place, &why);
        }
        Verdict::Allowed | Verdict::PartlyBlocked => return reporter.satisfied(),
    }
    report(topology, reporter, (subnet, table, route), host, guard, &outcome);
}

fn report(
    topology: &Topology,
    reporter: &mut Reporter,
    (subnet, table, route): (&Subnet, &RouteTable, &Route),
    host: &Host,
    guard: &Guard,
    outcome: &Outcome,
) {
    let Some(decider) = Decider::of_blocked(topology, guard, outcome) else { return };
    let text = route.address_prefix.known().map_or("", |text| text.as_str());
    let message = format!(
        "{} drops every packet that route {} ({text}) sends from subnet {} to appliance {}",
        decider.label(),
        support::label(topology, &route.header),
        support::label(topology, &subnet.header),
        support::label(topology, host.owner),
    );
    let mut finding = reporter.finding(message, decider.place(host.header.place)).of(&decider.resource_id());
    finding = decider
        .explain(finding, "this rule drops them")
        .related_part("the appliance", host.owner)
        .related_part("the route", &route.header)
        .related_part("the route table", &table.header)
        .related("is used by the subnet here", subnet.route_table.place);
    if let Some(packet) = outcome.witness() {
        finding = finding.witness(format!("packet: {packet}"));
    }
    let certain = decider.is_certain()
        && host.header.is_certain()
        && route.header.is_certain()
        && table.header.is_certain()
        && subnet.header.is_certain()
        && topology[guard.subnet].header.is_certain();
    let finding = finding
        .witness("forwarded packets keep the address of their true destination, which the default rules admit only inside VirtualNetwork")
        .advice(format!(
            "Allow inbound traffic from {} to any destination in the appliance's security group.",
            support::texts(&subnet.prefixes)
        ))
        .certain_if(certain);
    reporter.violated(finding);
}
