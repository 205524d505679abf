//! ## What it checks
//!
//! An allow rule for TCP whose source ports are the very ports of the service, such as 443 to 443. Clients connect from ephemeral ports,
//! so the rule matches none of them.
//!
//! ## What Azure does
//!
//! The rule is accepted and never matches; the traffic falls to the rules behind it, usually to the default deny. Protocols in which
//! both ends use the port (NTP, IKE, NetBIOS over UDP) are left out: only TCP is looked at.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "443"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
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
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a port, the protocol or the access is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/manage-network-security-group>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Change, Fix, Severity};
use crate::net::{PortSet, ProtocolSet};
use crate::topology::{Access, SecurityGroup, SecurityRule};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-source-port-pinned",
    category: Category::Nsg,
    severity: Severity::Warning,
    summary: "an allow rule for TCP that pins the client's source port to the port of the service",
    error_codes: &[],
    fix: Some("allows any source port"),
    pedantic: false,
    source: include_str!("nsg_source_port_pinned.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for group in &context.topology.security_groups {
        for rule in group.rules.known().filter(|rule| rule.header.is_managed()) {
            check_rule(context, reporter, group, rule);
        }
    }
}

fn check_rule(context: &Context, reporter: &mut Reporter, group: &SecurityGroup, rule: &SecurityRule) {
    if let Some(unknown) = rule
        .access
        .unknown()
        .or_else(|| rule.protocol.unknown())
        .or_else(|| rule.source.ports.unknown())
        .or_else(|| rule.destination.ports.unknown())
    {
        reporter.undecided(rule.access.place, unknown);
        return;
    }
    let tcp = rule.protocol.known().and_then(|text| ProtocolSet::parse(text)) == ProtocolSet::parse("Tcp");
    if !rule.access.is(&Access::Allow) || !tcp {
        return;
    }
    let ports = |texts: &crate::topology::List<ecow::EcoString>| -> PortSet {
        texts.known().filter_map(|text| PortSet::parse(text)).collect()
    };
    let (source, destination) = (ports(&rule.source.ports), ports(&rule.destination.ports));
    if source.is_empty() || source.is_full() || !source.is_subset(&destination) || destination.is_full() {
        reporter.satisfied();
        return;
    }
    let place = rule.source.ports.items.first().map_or(rule.source.ports.place, |port| port.place);
    let finding = reporter
        .finding(
            format!(
                "security rule {} allows TCP to port {destination} only from source port {source}, which clients do not use",
                support::label(context.topology, &rule.header),
            ),
            place,
        )
        .of(&rule.header.resource_id)
        .related_part("the group", &group.header)
        .witness(format!(
            "packet: TCP from an ephemeral port such as 50000 to port {} does not match",
            destination.first().unwrap_or_default()
        ))
        .advice("Allow any source port (`*`) and restrict the destination port.")
        .fix(rule.source.single_port.known().filter(|_| rule.source.ports.items.len() == 1).map(|port| {
            let place = rule.source.single_port.place;
            let change = Change::Replace { place, from: port.clone(), to: "*".into() };
            Fix::new("Allow any source port", change)
        }))
        .certain_if(rule.header.is_certain() && group.header.is_certain());
    reporter.violated(finding);
}
