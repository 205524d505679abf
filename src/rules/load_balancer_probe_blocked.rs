//! ## What it checks
//!
//! That health probes of load balancers reach the members of their pools. Probes come from 168.63.129.16, which the service tag
//! `AzureLoadBalancer` stands for (and which is part of `VirtualNetwork` as well). They are not exempt from security groups: a
//! rule that denies everything, or that denies `VirtualNetwork`, drops them when nothing before it allows them. The groups of the
//! member's subnet and of its interface are evaluated together, default rules included.
//!
//! ## What Azure does
//!
//! The deployment succeeds. A member that does not answer its probe gets no new connections; where that is so for every member, the
//! front end is dead (an error). Where only some members are cut off, or where what drops the probe is a deny of `VirtualNetwork`,
//! it is a warning.
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
//!     name                       = "allow-clients"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "10.0.2.0/24"
//!     destination_address_prefix = "10.0.1.0/24"
//!   }
//!
//!   security_rule {
//!     name                       = "deny-all"
//!     priority                   = 4000
//!     direction                  = "Inbound"
//!     access                     = "Deny"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//!
//! resource "azurerm_lb" "web" {
//!   name                = "lbi-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name      = "internal"
//!     subnet_id = azurerm_subnet.web.id
//!   }
//! }
//!
//! resource "azurerm_lb_backend_address_pool" "web" {
//!   name            = "web"
//!   loadbalancer_id = azurerm_lb.web.id
//! }
//!
//! resource "azurerm_network_interface_backend_address_pool_association" "web" {
//!   network_interface_id    = azurerm_network_interface.web.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
//! }
//!
//! resource "azurerm_lb_probe" "https" {
//!   name            = "https"
//!   loadbalancer_id = azurerm_lb.web.id
//!   protocol        = "Tcp"
//!   port            = 443
//! }
//!
//! resource "azurerm_lb_rule" "https" {
//!   name                           = "https"
//!   loadbalancer_id                = azurerm_lb.web.id
//!   frontend_ip_configuration_name = "internal"
//!   protocol                       = "Tcp"
//!   frontend_port                  = 443
//!   backend_port                   = 443
//!   backend_address_pool_ids       = [azurerm_lb_backend_address_pool.web.id]
//!   probe_id                       = azurerm_lb_probe.https.id
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
//!     name                       = "allow-clients"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "10.0.2.0/24"
//!     destination_address_prefix = "10.0.1.0/24"
//!   }
//!
//!   security_rule {
//!     name                       = "allow-probes"
//!     priority                   = 110
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "AzureLoadBalancer"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "deny-all"
//!     priority                   = 4000
//!     direction                  = "Inbound"
//!     access                     = "Deny"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "web" {
//!   subnet_id                 = azurerm_subnet.web.id
//!   network_security_group_id = azurerm_network_security_group.web.id
//! }
//!
//! resource "azurerm_lb" "web" {
//!   name                = "lbi-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name      = "internal"
//!     subnet_id = azurerm_subnet.web.id
//!   }
//! }
//!
//! resource "azurerm_lb_backend_address_pool" "web" {
//!   name            = "web"
//!   loadbalancer_id = azurerm_lb.web.id
//! }
//!
//! resource "azurerm_network_interface_backend_address_pool_association" "web" {
//!   network_interface_id    = azurerm_network_interface.web.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
//! }
//!
//! resource "azurerm_lb_probe" "https" {
//!   name            = "https"
//!   loadbalancer_id = azurerm_lb.web.id
//!   protocol        = "Tcp"
//!   port            = 443
//! }
//!
//! resource "azurerm_lb_rule" "https" {
//!   name                           = "https"
//!   loadbalancer_id                = azurerm_lb.web.id
//!   frontend_ip_configuration_name = "internal"
//!   protocol                       = "Tcp"
//!   frontend_port                  = 443
//!   backend_port                   = 443
//!   backend_address_pool_ids       = [azurerm_lb_backend_address_pool.web.id]
//!   probe_id                       = azurerm_lb_probe.https.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the port, a rule or a group is not known, when the group may have rules that are not seen, and for members that are only
//! named by address.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/load-balancer/load-balancer-custom-probe-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16>

use std::sync::Arc;

use super::packets::Decider;
use super::{Context, Reporter, Rule, support};
use crate::analysis::entries::{Member, members};
use crate::analysis::hosts::{Guard, Guards};
use crate::analysis::security::input::Party;
use crate::analysis::security::{Outcome, Verdict};
use crate::azure::tags::{AZURE_LOAD_BALANCER, VIRTUAL_NETWORK};
use crate::finding::{Category, Severity};
use crate::net::{PortSet, ProtocolSet};
use crate::topology::{LoadBalancer, Probe, Topology};
use crate::value::{Cause, Unknown};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "load-balancer-probe-blocked",
    category: Category::LoadBalancing,
    severity: Severity::Error,
    summary: "a security group drops the health probes of a load balancer",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("load_balancer_probe_blocked.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let guards = context.guards();
    for balancer in topology.load_balancers.iter().filter(|balancer| balancer.header.is_managed()) {
        for (position, probe) in balancer.probes.iter().enumerate() {
            check_probe(topology, guards, reporter, balancer, position, probe);
        }
    }
}

/// A member that the probe certainly does not reach.
struct Dead<'a> {
    member: Member<'a>,
    guard: Guard,
    outcome: Outcome,
}

fn check_probe(
    topology: &Topology,
    guards: &Guards,
    reporter: &mut Reporter,
    balancer: &LoadBalancer,
    position: usize,
    probe: &Probe,
) {
    // Only a probe that a rule asks decides about anything.
    let rules: Vec<_> = balancer.rules.iter().filter(|rule| rule.probe == Some(position)).collect();
    let mut pools: Vec<usize> = rules.iter().flat_map(|rule| rule.pools.iter().copied()).collect();
    pools.sort_unstable();
    pools.dedup();
    let members: Vec<_> = pools
        .iter()
        .filter_map(|at| balancer.pools.get(*at))
        .flat_map(|pool| members(topology, &pool.interfaces, &pool.scale_sets))
        .collect();
    if members.is_empty() {
        return;
    }
    let Some(port) = probe.port.known().and_then(|port| u16::try_from(*port).ok()) else {
        if let Some(unknown) = probe.port.unknown() {
            reporter.undecided(probe.port.place, unknown);
        }
        return;
    };
    let (mut dead, mut reached) = (Vec::new(), 0_usize);
    for member in members {
        let Some(configuration) = member.host.first_configuration() else { continue };
        let Some(guard) = guards.of(&member.host, configuration) else { continue };
        // Over HTTP and HTTPS it is a TCP connection as well.
        let flow = guard
            .inbound(Party::tag(AZURE_LOAD_BALANCER))
            .to_ports(ProtocolSet::parse("Tcp").unwrap_or(ProtocolSet::EMPTY), PortSet::single(port));
        match guard.evaluate(&flow) {
            Ok(outcome) if outcome.verdict == Verdict::Blocked => dead.push(Dead { member, guard, outcome }),
            Ok(outcome) if outcome.verdict == Verdict::Allowed => reached += 1,
            Ok(outcome) => {
                reached += 1;
                let text = outcome.causes.first().cloned();
                let cause = Cause::Error(text.unwrap_or_else(|| "only part of it is blocked".into()));
                let why = Arc::new(Unknown { cause, span: probe.header.place.site });
                reporter.undecided(probe.header.place, &why);
            }
            Err(_) => {
                reached += 1;
                let cause = Cause::Limit("the group's rules are too many to decide this".into());
                let why = Arc::new(Unknown { cause, span: probe.header.place.site });
                reporter.undecided(probe.header.place, &why);
            }
        }
    }
    let Some(first) = dead.first() else {
        return reporter.satisfied();
    };
    let Some(decider) = Decider::of_blocked(topology, &first.guard, &first.outcome) else { return };
    let all = reached == 0;
    // That the tag `VirtualNetwork` holds the address of probes is documented; that a deny of the tag stops them is reported,
    // but not documented.
    let by_tag = decider.rule.is_some_and(|rule| {
        rule.source.prefixes.known().any(|text| text.eq_ignore_ascii_case(VIRTUAL_NETWORK))
    });
    let severity = if all && !by_tag { Severity::Error } else { Severity::Warning };
    let names: Vec<String> = names(topology, &dead);
    let result = if all { "no member of the pool is ever healthy" } else { "these members get no traffic" };
    let message = format!(
        "{} drops probe {} (TCP {port}) of load balancer {} on its way to {}: {result}",
        decider.label(),
        support::label(topology, &probe.header),
        support::label(topology, &balancer.header),
        names.join(", "),
    );
    let mut finding = reporter
        .finding_with(severity, message, decider.place(first.member.place))
        .of(&decider.resource_id());
    finding = decider.explain(finding, "this rule drops the probe");
    let attached = if first
        .outcome
        .first_blocked()
        .is_some_and(|decision| decision.stage == crate::analysis::security::Stage::Subnet)
    {
        topology[first.guard.subnet].security_group.place
    } else {
        first.member.host.security_group.place
    };
    finding = finding
        .related("is attached here", attached)
        .related_part("the probe", &probe.header)
        .related_part("the member", first.member.host.owner);
    for rule in &rules {
        finding = finding.related_part("the balancing rule that asks the probe", &rule.header);
    }
    if let Some(packet) = first.outcome.witness() {
        finding = finding.witness(format!("packet: {packet}"));
    }
    let before = decider.rule.and_then(|rule| rule.priority.known());
    let before = before.map_or_else(String::new, |priority| format!(" with a priority below {priority}"));
    let certain = decider.is_certain()
        && balancer.header.is_certain()
        && probe.header.is_certain()
        && rules.iter().any(|rule| rule.header.is_certain())
        && first.member.host.owner.is_certain()
        && topology[first.guard.subnet].header.is_certain();
    finding = finding
        .advice(format!(
            "Allow TCP {port} inbound from the service tag `AzureLoadBalancer`{before} in {}.",
            decider.group.map_or("the group".into(), |group| support::label(topology, &group.header)),
        ))
        .certain_if(certain);
    reporter.violated(finding);
}

/// The names of the members, the first few.
fn names(topology: &Topology, dead: &[Dead]) -> Vec<String> {
    const SHOWN: usize = 3;
    let mut names: Vec<String> =
        dead.iter().map(|one| support::label(topology, one.member.host.owner)).collect();
    names.dedup();
    if names.len() > SHOWN {
        let more = names.len() - SHOWN;
        names.truncate(SHOWN);
        names.push(format!("{more} more"));
    }
    names
}
