//! ## What it checks
//!
//! That a network is linked to a private DNS zone once, to no second zone of the same name, and registers its machines in one
//! zone only.
//!
//! ## What Azure does
//!
//! The second link is rejected: a network cannot be linked to several zones of one name, and has one zone for registration.
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
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "main" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "again" {
//!   name                  = "link-again"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
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
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "main" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the zone or the network of a link is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links>
//! - <https://learn.microsoft.com/azure/dns/private-dns-autoregistration>
//! - <https://learn.microsoft.com/azure/dns/dns-faq-private>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Finding, Severity};
use crate::topology::{Id, VirtualNetwork, ZoneLink};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-dns-link-conflict",
    category: Category::Dns,
    severity: Severity::Error,
    summary: "a network that is linked twice to a zone, or to two zones of one name, or registers in two",
    error_codes: &[
        "CreateOrUpdateVirtualNetworkLinkFailed",
        "message: A virtual network cannot be linked to multiple zones with overlapping namespaces",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("private_dns_link_conflict.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let mut by_network: BTreeMap<Id<VirtualNetwork>, Vec<&ZoneLink>> = BTreeMap::new();
    for link in context.topology.zone_links.iter().filter(|link| link.header.is_managed()) {
        match (link.network.to(), link.network.unknown().or(link.zone.unknown())) {
            (Some(network), None) => by_network.entry(network).or_default().push(link),
            (_, Some(unknown)) => reporter.undecided(link.header.place, unknown),
            _ => {}
        }
    }
    for (network, mut links) in by_network {
        // By address, so that a plan and its source, which list them differently, blame the same one.
        links.sort_by_key(|link| &context.topology[link.header.resource].key);
        check_network(context, reporter, network, &links);
    }
}

fn check_network(
    context: &Context,
    reporter: &mut Reporter,
    network: Id<VirtualNetwork>,
    links: &[&ZoneLink],
) {
    let topology = context.topology;
    let network_label = support::label(topology, &topology[network].header);
    let mut by_name: BTreeMap<String, &ZoneLink> = BTreeMap::new();
    let mut registration: Option<&ZoneLink> = None;
    for link in links {
        let Some(zone) = link.zone.to() else { continue };
        let header = &topology[zone].header;
        let label = support::label(topology, header);
        if link.registration.is(&true) {
            match registration {
                Some(first) if first.zone.to() != Some(zone) => {
                    let message = format!(
                        "{network_label} registers its machines in {label} and in another zone; it may do so in one only"
                    );
                    let finding = conflict(reporter, message, link, first)
                        .advice("Let one of the links register, and set `registration_enabled` to `false` in the others.");
                    reporter.violated(finding);
                }
                Some(_) => {}
                None => registration = Some(link),
            }
        }
        let Some(name) = header.name.known() else { continue };
        let name = name.trim_end_matches('.').to_lowercase();
        let Some(first) = by_name.get(&name) else {
            reporter.satisfied();
            by_name.insert(name, link);
            continue;
        };
        let same_zone = first.zone.to() == Some(zone);
        // The same link told twice, by several roots, is one link.
        let one_link =
            first.header.resource_id.is_some() && first.header.resource_id == link.header.resource_id;
        let other_managed = first.zone.to().is_some_and(|other| topology[other].header.is_managed());
        let surely_two = same_zone || (header.is_managed() && other_managed);
        if one_link || !surely_two {
            continue;
        }
        let message = if same_zone {
            format!("the zone {label} is linked to {network_label} twice")
        } else {
            format!("{network_label} is linked to two zones named {label}")
        };
        let finding = conflict(reporter, message, link, first).advice("Remove one of the links.");
        reporter.violated(finding);
    }
}

fn conflict(reporter: &Reporter, message: String, link: &ZoneLink, first: &ZoneLink) -> Finding {
    reporter
        .finding(message, link.header.place)
        .of(&link.header.resource_id)
        .related_part("the other link", &first.header)
        .certain_if(link.header.is_certain() && first.header.is_certain())
}
