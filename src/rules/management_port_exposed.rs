//! ## What it checks
//!
//! Whether the Internet reaches ports of machines that are for administration (SSH, RDP, WinRM, VNC, Telnet …), databases, caches
//! or clusters. What counts is the whole way: a public address of the interface, or a rule or inbound NAT rule of a public
//! load balancer; then the groups of the subnet and of the interface together, all rules in order of priority. An allow that
//! nothing leads to, or that an earlier deny takes away, is no exposure; an allow for a range of ports that comes before the deny is one.
//! Analyzers that look at single rules report such an allow wherever it stands; in a group that guards nothing reachable it opens nothing.
//! Which machines of a network may administer each other, and which private ranges are too wide a source, is a matter of policy and not asked.
//!
//! ## What Azure does
//!
//! It deploys. The port is found by scanners within minutes, and only the password or key stands before it.
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
//!
//! resource "azurerm_network_security_group" "nic" {
//!   name                = "nsg-nic"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-transfer"
//!     priority                   = 110
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "20-25"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "deny-admin"
//!     priority                   = 120
//!     direction                  = "Inbound"
//!     access                     = "Deny"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "22-3389"
//!     source_address_prefix      = "*"
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
//!     name                       = "allow-transfer"
//!     priority                   = 110
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "20-21"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "deny-admin"
//!     priority                   = 120
//!     direction                  = "Inbound"
//!     access                     = "Deny"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "22-3389"
//!     source_address_prefix      = "*"
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
//! When a rule or a group that decides is not known. Ports count as open when at least half of all IPv4 addresses reach them; what only
//! some addresses or the machines of a service tag reach is not reported.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/security/fundamentals/network-best-practices>
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses>

use std::collections::BTreeMap;
use std::sync::Arc;

use super::packets::Decider;
use super::{Context, Reporter, Rule, support};
use crate::analysis::entries::{self, Entry, Via};
use crate::analysis::hosts::Guard;
use crate::analysis::security::input::{Party, PublicEntry};
use crate::analysis::security::{Decision, Outcome};
use crate::azure::Confidence;
use crate::azure::exposure::{ExposureSeverity, SensitivePorts, exposure};
use crate::azure::tags::INTERNET;
use crate::finding::{Category, Severity};
use crate::net::{AddressSet, PacketBox, PortSet, ProtocolSet, SymbolKind};
use crate::topology::{Access, Direction, SecurityGroup, SecurityRule, Topology};
use crate::value::{Cause, Unknown};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "management-port-exposed",
    category: Category::Exposure,
    severity: Severity::Warning,
    summary: "the Internet reaches a port for administration or a database",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("management_port_exposed.rs"),
    check,
};

/// Half of all IPv4 addresses: fewer are not the Internet.
const MOST: u128 = 1 << 31;

/// How many names a message lists.
const SHOWN: usize = 4;

/// What one rule exposes.
struct Exposed<'a> {
    entries: Vec<Entry<'a>>,
    rows: Vec<&'static SensitivePorts>,
    port: u16,
    guard: Guard,
    decision: Decision,
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let rows: Vec<&SensitivePorts> = exposure()
        .sensitive_ports
        .iter()
        .filter(|row| row.severity == ExposureSeverity::High && row.confidence == Confidence::High)
        .collect();
    let guards = context.guards();
    // One finding for each rule that opens something, whatever the number of machines.
    let mut found: BTreeMap<(u32, usize), Exposed> = BTreeMap::new();
    let mut order: Vec<(u32, usize)> = Vec::new();
    for entry in entries::all(topology) {
        let Some(guard) = guards.of(&entry.host, entry.configuration) else { continue };
        let ports: PortSet = rows.iter().map(|row| row.ports()).collect();
        let ports = ports.intersect(&entry.ports);
        let with_ports = entry.protocols.intersect(ProtocolSet::WITH_PORTS);
        if ports.is_empty() || with_ports.is_empty() {
            continue;
        }
        let mut flow = guard.inbound(Party::tag(INTERNET)).to_ports(with_ports, ports);
        // Without a group, only a Basic address is open.
        flow.entry = Some(entry.kind.unwrap_or(PublicEntry::Standard));
        let Ok(outcome) = guard.evaluate(&flow) else {
            let cause = Cause::Limit("the group's rules are too many to decide this".into());
            reporter.undecided(entry.place, &Arc::new(Unknown { cause, span: entry.place.site }));
            continue;
        };
        let open: Vec<_> = rows.iter().filter_map(|row| Some((*row, opened(&outcome, row)?))).collect();
        if open.is_empty() {
            match outcome.causes.first() {
                Some(text) => {
                    let cause = Cause::Error(text.clone());
                    reporter.undecided(entry.place, &Arc::new(Unknown { cause, span: entry.place.site }));
                }
                None => reporter.satisfied(),
            }
            continue;
        }
        for (row, (port, decision)) in open {
            let key = match (guard.group_at(decision.stage), decision.rule.as_ref().and_then(|r| r.index)) {
                (Some(group), Some(rule)) => (group.index() as u32, rule),
                // Nothing but the address opens it.
                _ => (u32::MAX, entry.place.site.start as usize ^ (entry.place.resource.index() << 32)),
            };
            let exposed = found.entry(key).or_insert_with(|| {
                order.push(key);
                Exposed {
                    entries: Vec::new(),
                    rows: Vec::new(),
                    port,
                    guard: guard.clone(),
                    decision: decision.clone(),
                }
            });
            if !exposed.rows.iter().any(|known| known.id == row.id) {
                exposed.rows.push(row);
            }
            if !exposed.entries.iter().any(|known| known.place == entry.place) {
                exposed.entries.push(entry.clone());
            }
        }
    }
    for exposed in order.iter().filter_map(|key| found.get(key)) {
        report(topology, reporter, exposed);
    }
}

/// A port of a row that most of the Internet certainly reaches, and the rule that lets it.
fn opened<'a>(outcome: &'a Outcome, row: &SensitivePorts) -> Option<(u16, &'a Decision)> {
    let assumed = outcome.flow.symbols();
    let is_sure = |part: &PacketBox| {
        part.conditions().iter().all(|condition| {
            assumed.contains(&condition.symbol)
                || condition.symbol.kind() == SymbolKind::Tag && !condition.holds
        })
    };
    let parts: Vec<(&Decision, &PacketBox)> = outcome
        .allowed
        .iter()
        .flat_map(|decision| decision.packets.boxes().iter().map(move |part| (decision, part)))
        .filter(|(_, part)| is_sure(part) && !part.protocols().intersect(row.protocols()).is_empty())
        .collect();
    let candidates =
        parts.iter().filter_map(|(_, part)| part.destination_ports().intersect(&row.ports()).first());
    for port in candidates {
        let through: Vec<_> =
            parts.iter().filter(|(_, part)| part.destination_ports().contains(port)).collect();
        let sources = through.iter().fold(AddressSet::empty(), |all, (_, part)| all.union(part.source()));
        if sources.v4().count() >= MOST {
            let widest = through.iter().max_by_key(|(_, part)| part.source().v4().count());
            return widest.map(|(decision, _)| (port, *decision));
        }
    }
    None
}

fn report(topology: &Topology, reporter: &mut Reporter, exposed: &Exposed) {
    let Some(first) = exposed.entries.first() else { return };
    let decider = Decider::new(topology, &exposed.guard, &exposed.decision);
    let mut what: Vec<String> = exposed.rows.iter().take(SHOWN).map(|row| name(row)).collect();
    if exposed.rows.len() > SHOWN {
        what.push(format!("{} more", exposed.rows.len() - SHOWN));
    }
    let mut hosts: Vec<String> =
        exposed.entries.iter().map(|entry| support::label(topology, entry.host.owner)).collect();
    hosts.dedup();
    let others = hosts.len().saturating_sub(1);
    let host = hosts.first().cloned().unwrap_or_default();
    let host = if others == 0 { host } else { format!("{host} and {others} more") };
    let opener = match (decider.rule, decider.group) {
        (None, None) => format!("no security group guards {host}, so that"),
        _ => format!("{} lets in:", decider.label()),
    };
    let message = format!(
        "{opener} the Internet reaches {} of {host} through {}",
        what.join(", "),
        through(topology, &first.via),
    );
    let mut finding = reporter.finding(message, decider.place(first.place)).of(&decider.resource_id());
    finding = decider.explain(finding, "this rule opens it");
    for entry in exposed.entries.iter().take(SHOWN) {
        finding = finding.related_part("what is reached", entry.host.owner);
        finding = match entry.via {
            Via::Address(header) => finding.related_part("the public address", header),
            Via::InstanceAddress => finding.related("the public address", entry.place),
            Via::Balancing(balancer, rule) => finding
                .related_part("the load balancer", &balancer.header)
                .related_part("the load-balancing rule", &rule.header),
            Via::Nat(balancer, rule) => finding
                .related_part("the load balancer", &balancer.header)
                .related_part("the inbound NAT rule", &rule.header),
        };
    }
    if let Some(late) =
        decider.rule.zip(decider.group).and_then(|(rule, group)| closing(rule, group, exposed.port))
    {
        finding =
            finding.related_part("this rule would close it, but comes later", &late.header).witness(format!(
                "{} denies port {} with priority {}, after the allow",
                support::label(topology, &late.header),
                exposed.port,
                late.priority.known().copied().unwrap_or_default()
            ));
    }
    if let Some(packet) = exposed.decision.packets.limited_to_ports(&PortSet::single(exposed.port)).witness()
    {
        finding = finding.witness(format!("packet: {packet}"));
    }
    let certain = exposed.entries.iter().any(Entry::is_certain) && decider.is_certain();
    let finding = finding
        .advice("Allow only the addresses that administer it, or use Azure Bastion or a VPN and no public address.")
        .certain_if(certain);
    reporter.violated(finding);
}

fn name(row: &SensitivePorts) -> String {
    let ports = row.ports().to_string();
    format!("port {ports} ({})", row.service)
}

fn through(topology: &Topology, via: &Via) -> String {
    match via {
        Via::Address(header) => format!("public address {}", support::label(topology, header)),
        Via::InstanceAddress => "the public addresses of its machines".into(),
        Via::Balancing(balancer, rule) => format!(
            "rule {} of load balancer {}",
            support::label(topology, &rule.header),
            support::label(topology, &balancer.header)
        ),
        Via::Nat(balancer, rule) => format!(
            "inbound NAT rule {} of load balancer {}",
            support::label(topology, &rule.header),
            support::label(topology, &balancer.header)
        ),
    }
}

/// A later rule of the group that denies the port.
fn closing<'a>(opening: &SecurityRule, group: &'a SecurityGroup, port: u16) -> Option<&'a SecurityRule> {
    let priority = opening.priority.known()?;
    group.rules.known().find(|rule| {
        let names_port = rule
            .destination
            .ports
            .known()
            .filter_map(|text| PortSet::parse(text))
            .any(|ports| ports.contains(port) && !ports.is_full());
        rule.access.is(&Access::Deny)
            && rule.direction.is(&Direction::Inbound)
            && rule.priority.known().is_some_and(|other| other > priority)
            && names_port
    })
}
