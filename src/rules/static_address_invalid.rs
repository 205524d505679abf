//! ## What it checks
//!
//! That a static private address lies in its subnet, is none of the five that Azure keeps of every range (the first four and
//! the last), and is given to one holder only. Network interfaces, front ends of load balancers and Application Gateways, and
//! private endpoints are checked.
//!
//! ## What Azure does
//!
//! The holder is rejected: `PrivateIPAddressNotInSubnet`, `PrivateIPAddressInReservedRange`, `PrivateIPAddressIsAllocated`.
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
//! resource "azurerm_subnet" "dc" {
//!   name                 = "snet-dc"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "dc" {
//!   name                = "nic-dc"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.dc.id
//!     private_ip_address_allocation = "Static"
//!     private_ip_address            = cidrhost("10.0.1.0/24", 3)
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
//! resource "azurerm_subnet" "dc" {
//!   name                 = "snet-dc"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "dc" {
//!   name                = "nic-dc"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.dc.id
//!     private_ip_address_allocation = "Static"
//!     private_ip_address            = cidrhost("10.0.1.0/24", 4)
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the address, the subnet or its range is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/private-ip-addresses>
//! - <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{Context, Reporter, Rule, support};
use crate::azure::subnet_sizes::LONGEST_PREFIX;
use crate::finding::{Category, Severity};
use crate::topology::{Field, Header, Id, IpConfiguration, Link, List, Subnet, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "static-address-invalid",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "a static private address that is outside its subnet, reserved, or used twice",
    error_codes: &[
        "PrivateIPAddressInReservedRange",
        "PrivateIPAddressIsAllocated",
        "PrivateIPAddressNotInSubnet",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("static_address_invalid.rs"),
    check,
};

/// An address that something asks for.
struct Claim<'a> {
    /// What kind of thing it is.
    what: &'static str,
    /// The thing.
    header: &'a Header,
    /// Where it lives.
    subnet: &'a Link<Subnet>,
    /// What it asks for.
    address: &'a Field<ecow::EcoString>,
    /// Whether it certainly exists.
    certain: bool,
}

fn check(context: &Context, reporter: &mut Reporter) {
    let mut held: BTreeMap<(Id<Subnet>, IpAddr), Vec<Claim>> = BTreeMap::new();
    for claim in claims(context.topology) {
        if let Some(unknown) = claim.address.unknown() {
            reporter.undecided(claim.address.place, unknown);
            continue;
        }
        let Some(text) = claim.address.known() else { continue };
        let Ok(address) = text.trim().parse::<IpAddr>() else { continue };
        let Some(subnet) = claim.subnet.to() else {
            if let Some(unknown) = claim.subnet.unknown() {
                reporter.undecided(claim.address.place, unknown);
            }
            continue;
        };
        if check_place(context, reporter, &claim, address, &context.topology[subnet]) {
            held.entry((subnet, address)).or_default().push(claim);
        }
    }
    for ((_, address), claims) in &held {
        check_holders(context, reporter, *address, claims);
    }
}

/// Everything that asks for an address.
fn claims(topology: &Topology) -> Vec<Claim<'_>> {
    let mut claims = Vec::new();
    let mut add =
        |what, header, configurations| add_configurations(&mut claims, what, header, configurations);
    for part in &topology.network_interfaces {
        add("network interface", &part.header, part.ip_configurations.as_slice());
    }
    for part in &topology.load_balancers {
        add("load balancer", &part.header, part.frontends.as_slice());
    }
    for part in &topology.application_gateways {
        add("Application Gateway", &part.header, part.frontends.as_slice());
    }
    for part in topology.private_endpoints.iter().filter(|part| part.header.is_managed()) {
        let addresses: &List<_> = &part.addresses;
        claims.extend(addresses.items.iter().map(|address| Claim {
            what: "private endpoint",
            header: &part.header,
            subnet: &part.subnet,
            address,
            certain: part.header.is_certain(),
        }));
    }
    claims
}

fn add_configurations<'a>(
    claims: &mut Vec<Claim<'a>>,
    what: &'static str,
    header: &'a Header,
    configurations: &'a [IpConfiguration],
) {
    if !header.is_managed() {
        return;
    }
    for configuration in configurations {
        if configuration.allocation.known().is_some_and(|how| how.eq_ignore_ascii_case("Static"))
            && !configuration.private_address.is_absent()
            && !configuration.subnet.is_absent()
        {
            claims.push(Claim {
                what,
                header,
                subnet: &configuration.subnet,
                address: &configuration.private_address,
                certain: header.is_certain() && configuration.header.is_certain(),
            });
        }
    }
}

/// Whether an address may be taken from a subnet, as far as its ranges say.
fn check_place(
    context: &Context,
    reporter: &mut Reporter,
    claim: &Claim,
    address: IpAddr,
    subnet: &Subnet,
) -> bool {
    let range = support::ranges(&subnet.prefixes).find(|(range, _)| range.contains(&address));
    let problem = match range {
        Some((range, _)) => match reserved(&range, address) {
            Some(why) => format!("`{address}`, which Azure keeps for itself ({why} of {range})"),
            None => {
                reporter.satisfied();
                return true;
            }
        },
        None => {
            if let Some(unknown) = subnet.prefixes.unknown() {
                reporter.undecided(claim.address.place, unknown);
                return true;
            }
            if subnet.prefixes.items.is_empty() {
                return true;
            }
            format!("`{address}`, which is not in its range {}", support::texts(&subnet.prefixes))
        }
    };
    let label = support::label(context.topology, &subnet.header);
    let mut finding = reporter
        .finding(
            format!(
                "{} {} in subnet {label} asks for {problem}",
                claim.what,
                support::label(context.topology, claim.header),
            ),
            claim.address.place,
        )
        .related_part("the subnet", &subnet.header)
        .advice(
            "Choose a free address of the subnet, from the fifth to the last but one, or let Azure choose.",
        )
        .certain_if(claim.certain && subnet.header.is_certain());
    if let Some(field) = subnet.prefixes.items.first() {
        finding = finding.related("its range", field.place);
    }
    reporter.violated(finding);
    false
}

/// What Azure keeps an address of a range for.
fn reserved(range: &IpNet, address: IpAddr) -> Option<&'static str> {
    let (IpNet::V4(range), IpAddr::V4(address)) = (range, address) else { return None };
    if range.prefix_len() > LONGEST_PREFIX {
        return None;
    }
    let offset = u32::from(address).wrapping_sub(u32::from(range.network()));
    match offset {
        0 => Some("the network's own address"),
        1 => Some("the default gateway"),
        2 | 3 => Some("the addresses for DNS"),
        _ if address == range.broadcast() => Some("the last address"),
        _ => None,
    }
}

/// Several holders of one address.
fn check_holders(context: &Context, reporter: &mut Reporter, address: IpAddr, claims: &[Claim]) {
    let Some((first, others)) = claims.split_first() else { return };
    for other in others {
        let twice = if first.header.resource == other.header.resource { " twice" } else { " as well" };
        let finding = reporter
            .finding_with(
                Severity::Error,
                format!(
                    "{} {} asks for `{address}`, which {} {} has{twice}",
                    other.what,
                    support::label(context.topology, other.header),
                    first.what,
                    support::label(context.topology, first.header),
                ),
                other.address.place,
            )
            .related("the other holder", first.address.place)
            .advice("Give each its own address.")
            .certain_if(first.certain && other.certain);
        reporter.violated(finding);
    }
}
