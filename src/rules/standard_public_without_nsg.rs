//! ## What it checks
//!
//! Ways in from the Internet that no security group opens: an interface with a Standard public address, or a member behind a
//! rule of a Standard public load balancer, where neither the subnet nor the interface has a group. Also a load-balancing rule whose back-end port
//! stays closed because the group opens the port of the front end instead.
//!
//! ## What Azure does
//!
//! It deploys, and nothing arrives: Standard public addresses and load balancers are closed until a group allows the traffic. Groups see
//! the packet after it was translated, with the port of the machine.
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
//!
//! resource "azurerm_public_ip" "web" {
//!   name                = "pip-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!   allocation_method   = "Static"
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
//!     public_ip_address_id          = azurerm_public_ip.web.id
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
//!
//! resource "azurerm_public_ip" "web" {
//!   name                = "pip-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!   allocation_method   = "Static"
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
//!     public_ip_address_id          = azurerm_public_ip.web.id
//!   }
//! }
//!
//! resource "azurerm_network_security_group" "nic" {
//!   name                = "nsg-nic"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 110
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "Internet"
//!     destination_address_prefix = "*"
//!   }
//! }
//!
//! resource "azurerm_network_interface_security_group_association" "nic" {
//!   network_interface_id      = azurerm_network_interface.web.id
//!   network_security_group_id = azurerm_network_security_group.nic.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known whether there is a group, or of which SKU the address is.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses>
//! - <https://learn.microsoft.com/azure/load-balancer/load-balancer-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>

use super::{Context, Reporter, Rule, support};
use crate::analysis::entries::{self, Entry, Via};
use crate::analysis::hosts::Guard;
use crate::analysis::security::Verdict;
use crate::analysis::security::input::{Party, PublicEntry};
use crate::azure::tags::INTERNET;
use crate::finding::{Category, Finding, Severity};
use crate::net::PortSet;
use crate::topology::Topology;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "standard-public-without-nsg",
    category: Category::Exposure,
    severity: Severity::Warning,
    summary: "a Standard public address that no security group opens",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("standard_public_without_nsg.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let guards = context.guards();
    for entry in entries::all(topology) {
        match entry.kind {
            Some(PublicEntry::Basic) => continue,
            Some(PublicEntry::Standard) => {}
            None => {
                if let Some(unknown) = entry.unknown {
                    reporter.undecided(entry.place, unknown);
                }
                continue;
            }
        }
        let Some(guard) = guards.of(&entry.host, entry.configuration) else { continue };
        let finding = if guard.at_subnet.is_absent() && guard.at_interface.is_absent() {
            Some(closed(topology, reporter, &entry, &guard))
        } else {
            front_end_port(topology, reporter, &entry, &guard)
        };
        match finding {
            Some(finding) => reporter.violated(finding),
            None => reporter.satisfied(),
        }
    }
}

/// No group at all.
fn closed(topology: &Topology, reporter: &Reporter, entry: &Entry, guard: &Guard) -> Finding {
    let host = support::label(topology, entry.host.owner);
    let subnet = support::label(topology, &topology[guard.subnet].header);
    let (what, finding) = match entry.via {
        Via::Address(header) => {
            (format!("public address {}", support::label(topology, header)), Some(header))
        }
        Via::InstanceAddress => ("the public addresses of its machines".into(), None),
        Via::Balancing(balancer, rule) => (
            format!(
                "load-balancing rule {} of {}",
                support::label(topology, &rule.header),
                support::label(topology, &balancer.header)
            ),
            Some(&rule.header),
        ),
        Via::Nat(balancer, rule) => (
            format!(
                "inbound NAT rule {} of {}",
                support::label(topology, &rule.header),
                support::label(topology, &balancer.header)
            ),
            Some(&rule.header),
        ),
    };
    let message = format!(
        "nothing from the Internet reaches {host} through {what}: neither it nor subnet {subnet} has a security group"
    );
    let mut made = reporter
        .finding(message, entry.place)
        .of(&entry.host.owner.resource_id)
        .related_part("what should be reached", entry.host.owner)
        .related_part("its subnet", &topology[guard.subnet].header);
    if let Some(header) = finding {
        made = made.related_part("the way in", header);
    }
    made.witness(
        "Standard public addresses and load balancers are closed until a security group allows the traffic",
    )
    .advice("Attach a security group that allows what should come in, or drop the public address.")
    .certain_if(entry.is_certain() && topology[guard.subnet].header.is_certain())
}

/// A group that opens the port of the front end where it is asked for that of the machine.
fn front_end_port(topology: &Topology, reporter: &Reporter, entry: &Entry, guard: &Guard) -> Option<Finding> {
    let Via::Balancing(balancer, rule) = entry.via else { return None };
    let front = u16::try_from(*rule.frontend_port.known()?).ok()?;
    let back = entry.ports.first()?;
    if front == back || entry.ports.count() != 1 || !rule.floating_ip.is(&false) {
        return None;
    }
    let outcome = |port: u16| {
        let flow = guard.inbound(Party::tag(INTERNET)).to_ports(entry.protocols, PortSet::single(port));
        guard.evaluate(&flow).ok()
    };
    let at_back = outcome(back)?;
    let at_front = outcome(front)?;
    if at_back.verdict != Verdict::Blocked || at_front.verdict == Verdict::Blocked {
        return None;
    }
    let decider = super::packets::Decider::of_blocked(topology, guard, &at_back)?;
    let message = format!(
        "load-balancing rule {} of {} leads to port {back}, but the security group lets the Internet in on the front end's port {front} only",
        support::label(topology, &rule.header),
        support::label(topology, &balancer.header),
    );
    let finding = reporter
        .finding(message, rule.backend_port.place)
        .of(&rule.header.resource_id)
        .related_part("what should be reached", entry.host.owner)
        .advice(format!("Allow port {back}: security groups see the port of the machine."))
        .certain_if(entry.is_certain() && decider.is_certain());
    let finding = decider.explain(finding, "this rule drops it");
    Some(match at_back.witness() {
        Some(packet) => finding.witness(format!("packet: {packet}")),
        None => finding,
    })
}
