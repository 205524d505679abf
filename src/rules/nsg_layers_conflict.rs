//! ## What it checks
//!
//! Allow rules in the security group of an interface of which nothing is left, because the group of the subnet drops all that they
//! allow, by a deny or because it has no rule for it. Both groups are evaluated as sets of packets. A rule is reported when it has
//! no effect at any interface that the group is attached to.
//!
//! ## What Azure does
//!
//! It deploys. Traffic must pass both groups, each with default rules of its own: an allow in one does not open the other.
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
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
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
//!     source_address_prefix      = "203.0.113.0/24"
//!     destination_address_prefix = "*"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//!
//! resource "azurerm_network_security_group" "nic" {
//!   name                = "nsg-nic"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 100
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
//!
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
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
//!     source_address_prefix      = "203.0.113.0/24"
//!     destination_address_prefix = "*"
//!   }
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
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//!
//! resource "azurerm_network_security_group" "nic" {
//!   name                = "nsg-nic"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 100
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
//! When a rule or group is not known, and where it depends on the addresses of service tags. Rules of the subnet's group are not judged: they are for everything that lives in the subnet.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works>

use std::collections::BTreeMap;

use super::packets::Decider;
use super::{Context, Reporter, Rule, support};
use crate::analysis::hosts::{self, Guard, Host, Level};
use crate::analysis::security::input::{Direction, Flow, Layer, Layers, Party, Selector};
use crate::analysis::security::{self, Decision, Outcome, Stage};
use crate::finding::{Category, Severity};
use crate::net::{Budget, PacketSet, SymbolKind};
use crate::topology::{Id, SecurityGroup, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-layers-conflict",
    category: Category::Nsg,
    severity: Severity::Warning,
    summary: "an allow rule at one level whose packets the security group at the other level drops",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("nsg_layers_conflict.rs"),
    check,
};

/// What became of an allow rule at all the hosts that it guards.
struct Fate<'a> {
    /// Set where something it allows passes, or may pass, the other level somewhere.
    alive: bool,
    /// The first host at which it is dead.
    dead: Option<Dead<'a>>,
}

struct Dead<'a> {
    host: Host<'a>,
    guard: Guard,
    /// At the other level.
    decision: Decision,
    example: Option<String>,
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let guards = context.guards();
    let mut fates: BTreeMap<(Id<SecurityGroup>, usize), Fate> = BTreeMap::new();
    for host in hosts::all(topology).into_iter().filter(|host| host.header.is_managed()) {
        for configuration in host.ip_configurations {
            let Some(guard) = guards.of(&host, configuration) else { continue };
            for direction in [Direction::Inbound, Direction::Outbound] {
                judge(&guard, host, direction, &mut fates);
            }
        }
    }
    for ((group, rule), fate) in &fates {
        match &fate.dead {
            Some(dead) if !fate.alive => report(topology, reporter, *group, *rule, dead),
            _ => reporter.satisfied(),
        }
    }
}

/// Only the rules of the interface's group: those of a subnet's group are for everything that may come to live there.
fn judge<'a>(
    guard: &Guard,
    host: Host<'a>,
    direction: Direction,
    fates: &mut BTreeMap<(Id<SecurityGroup>, usize), Fate<'a>>,
) {
    let Level::Group(group, _) = &guard.at_interface else { return };
    let anywhere = Party::new(Selector::Any);
    let flow = match direction {
        Direction::Inbound => Flow::new(direction, anywhere, guard.own()),
        Direction::Outbound => Flow::new(direction, guard.own(), anywhere),
    };
    let only = |subnet, nic| security::evaluate(&flow, &Layers { subnet, nic }, &guard.network);
    let (Ok(own), Ok(other)) =
        (only(Layer::Absent, guard.at_interface.layer()), only(guard.at_subnet.layer(), Layer::Absent))
    else {
        return;
    };
    let passing = other.allowed.iter().fold(PacketSet::empty(), |all, d| all.union(d.packets.clone()));
    for decision in own.allowed.iter().filter(|decision| decision.stage == Stage::Nic) {
        let Some(rule) = decision.rule.as_ref().and_then(|rule| rule.index) else { continue };
        let fate = fates.entry((*group, rule)).or_insert(Fate { alive: false, dead: None });
        let same = guard.at_subnet.group() == Some(*group) || guard.at_subnet.group().is_none();
        let killed = if same { None } else { killer(decision, &other, &passing) };
        match killed {
            Some((decision, example)) if fate.dead.is_none() => {
                fate.dead = Some(Dead { host, guard: guard.clone(), decision, example });
            }
            Some(_) => {}
            None => fate.alive = true,
        }
    }
}

/// The decision at the other level that drops all that a rule allows.
fn killer(allowed: &Decision, other: &Outcome, passing: &PacketSet) -> Option<(Decision, Option<String>)> {
    let mut budget = Budget::default();
    let common = allowed.packets.intersect(passing, &mut budget).ok()?;
    // Whether a tag covers another's addresses is not known: what is left on the assumption that it does not is no proof.
    let certain = |set: &PacketSet| {
        set.boxes()
            .iter()
            .any(|part| part.conditions().iter().all(|c| c.symbol.kind() != SymbolKind::Unknown))
    };
    if !common.is_empty() || !certain(&allowed.packets) {
        return None;
    }
    for decision in &other.blocked {
        let dropped = allowed.packets.intersect(&decision.packets, &mut budget).ok()?;
        if !dropped.is_empty() {
            let example = dropped.witness().map(|packet| packet.to_string());
            return Some((decision.clone(), example));
        }
    }
    None
}

fn report(topology: &Topology, reporter: &mut Reporter, group: Id<SecurityGroup>, rule: usize, dead: &Dead) {
    let part = &topology[group];
    let Some(rule) = part.rules.items.get(rule).and_then(|field| field.known()) else { return };
    if !rule.header.is_managed() {
        return reporter.satisfied();
    }
    let decider = Decider::new(topology, &dead.guard, &dead.decision);
    let subnet = &topology[dead.guard.subnet];
    let message = format!(
        "security rule {} of {} has no effect: {} drops all that it allows, in subnet {}",
        support::label(topology, &rule.header),
        support::label(topology, &part.header),
        decider.label(),
        support::label(topology, &subnet.header),
    );
    let mut finding = reporter
        .finding(message, rule.access.place)
        .of(&rule.header.resource_id)
        .related_part("the interface", dead.host.owner)
        .related("has its group here", dead.host.security_group.place)
        .related("the subnet has its group here", subnet.security_group.place);
    finding = decider.explain(finding, "this rule drops it");
    if let Some(packet) = &dead.example {
        finding = finding.witness(format!("packet: {packet}"));
    }
    let finding = finding
        .advice("Allow the traffic at both levels, or keep one security group only, at the subnet.")
        .certain_if(
            rule.header.is_certain()
                && part.header.is_certain()
                && decider.is_certain()
                && dead.host.header.is_certain()
                && subnet.header.is_certain()
                && topology.unseen(&part.header).is_none(),
        );
    reporter.violated(finding);
}
