//! ## What it checks
//!
//! That each half of a peering lets in what routes send over it through an appliance in the remote network: from other spokes, or from
//! on-premises networks behind a gateway whose subnet has a route to the appliance. Such traffic is forwarded: it does not come
//! from the remote network itself.
//!
//! ## What Azure does
//!
//! Nothing is rejected. The half that belongs to the receiving network decides; without `allow_forwarded_traffic`, which is off by
//! default, it takes only what starts in the remote network. The other half does not matter for this direction.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "one" {
//!   name                = "vnet-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "two" {
//!   name                = "vnet-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.2.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "appliance" {
//!   name                 = "snet-appliance"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
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
//! resource "azurerm_virtual_network_peering" "hub_to_one" {
//!   name                      = "hub-to-one"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.one.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_two" {
//!   name                      = "hub-to-two"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.two.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "one_to_hub" {
//!   name                      = "one-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.one.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "two_to_hub" {
//!   name                      = "two-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.two.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//!   allow_forwarded_traffic   = false
//! }
//!
//! resource "azurerm_route_table" "one" {
//!   name                = "rt-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "to-two"
//!     address_prefix         = "10.2.0.0/16"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_route_table" "two" {
//!   name                = "rt-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "to-one"
//!     address_prefix         = "10.1.0.0/16"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_subnet" "one" {
//!   name                 = "snet-one"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.one.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "one" {
//!   subnet_id      = azurerm_subnet.one.id
//!   route_table_id = azurerm_route_table.one.id
//! }
//!
//! resource "azurerm_subnet" "two" {
//!   name                 = "snet-two"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.two.name
//!   address_prefixes     = ["10.2.1.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "two" {
//!   subnet_id      = azurerm_subnet.two.id
//!   route_table_id = azurerm_route_table.two.id
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "one" {
//!   name                = "vnet-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "two" {
//!   name                = "vnet-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.2.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "appliance" {
//!   name                 = "snet-appliance"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
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
//! resource "azurerm_virtual_network_peering" "hub_to_one" {
//!   name                      = "hub-to-one"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.one.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_two" {
//!   name                      = "hub-to-two"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.two.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "one_to_hub" {
//!   name                      = "one-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.one.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_virtual_network_peering" "two_to_hub" {
//!   name                      = "two-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.two.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//!   allow_forwarded_traffic   = true
//! }
//!
//! resource "azurerm_route_table" "one" {
//!   name                = "rt-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "to-two"
//!     address_prefix         = "10.2.0.0/16"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_route_table" "two" {
//!   name                = "rt-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "to-one"
//!     address_prefix         = "10.1.0.0/16"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.1.4"
//!   }
//! }
//!
//! resource "azurerm_subnet" "one" {
//!   name                 = "snet-one"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.one.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "one" {
//!   subnet_id      = azurerm_subnet.one.id
//!   route_table_id = azurerm_route_table.one.id
//! }
//!
//! resource "azurerm_subnet" "two" {
//!   name                 = "snet-two"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.two.name
//!   address_prefixes     = ["10.2.1.0/24"]
//! }
//!
//! resource "azurerm_subnet_route_table_association" "two" {
//!   subnet_id      = azurerm_subnet.two.id
//!   route_table_id = azurerm_route_table.two.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a route, a peering or a flag on the way is not known, or where several routes may apply. An appliance that translates
//! addresses hides that it forwards; that cannot be seen here.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/architecture/networking/architecture/hub-spoke>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/virtual_network_peering.html.markdown>

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::{Context, Reporter, Rule, support};
use crate::analysis::reach::{Drop, Path, Reach, Verdict};
use crate::finding::{Category, Severity};
use crate::net::parse_prefix;
use crate::topology::{Id, Peering, Route, RouteTable, Subnet, VirtualNetwork};
use crate::value::{Cause, Unknown};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "peering-blocks-forwarded-traffic",
    category: Category::Peering,
    severity: Severity::Warning,
    summary: "traffic that routes send through an appliance is refused by a peering that does not allow forwarded traffic",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("peering_blocks_forwarded_traffic.rs"),
    check,
};

/// How many senders are tried for one half, and how many are kept for one prefix: one that is refused is enough.
const MAXIMUM_TRIES: usize = 12;
const MAXIMUM_SENDERS: usize = 3;

/// What stands for on-premises machines when none of their prefixes is known (a range for documentation).
const BEHIND_GATEWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 10));

/// A subnet whose table sends a prefix to an appliance in a network.
#[derive(Clone, Copy)]
struct Sender<'a> {
    subnet: Id<Subnet>,
    network: Id<VirtualNetwork>,
    route: &'a Route,
}

/// The senders through the appliances of each network, by prefix.
type Senders<'a> = BTreeMap<Id<VirtualNetwork>, BTreeMap<IpNet, Vec<Sender<'a>>>>;

fn check(context: &Context, reporter: &mut Reporter) {
    let (topology, reach) = (context.topology, context.reach());
    let senders = senders(reach);
    if senders.is_empty() {
        return;
    }
    for (id, half) in topology.all::<Peering>() {
        let (Some(network), Some(remote)) = (half.network.to(), half.remote.to()) else { continue };
        // Who forwards stands in the remote network.
        let Some(through) = senders.get(&remote).filter(|_| half.header.is_managed()) else { continue };
        let may_refuse = half.allow_forwarded_traffic.may_be(&false);
        if !may_refuse {
            reporter.satisfied();
            continue;
        }
        check_half(reach, reporter, id, half, network, through);
    }
}

fn senders<'a>(reach: &Reach<'a>) -> Senders<'a> {
    let topology = reach.topology();
    let mut senders = Senders::new();
    for (id, table) in topology.all::<RouteTable>() {
        for &subnet in reach.users(id) {
            let Some(network) = reach.network_of(subnet) else { continue };
            let from_gateway = is_gateway(reach, subnet);
            for route in table.routes.known() {
                let Some(prefix) = route.address_prefix.known().and_then(|text| parse_prefix(text)) else {
                    continue;
                };
                let Some(place) = reach.appliance(network, route).network else { continue };
                // What starts in the appliance's own network is not forwarded, unless a gateway brings it.
                if place == network && !from_gateway {
                    continue;
                }
                let list = senders.entry(place).or_default().entry(prefix.trunc()).or_default();
                if list.len() < MAXIMUM_SENDERS && list.iter().all(|other| other.network != network) {
                    list.push(Sender { subnet, network, route });
                }
            }
        }
    }
    senders
}

fn is_gateway(reach: &Reach, subnet: Id<Subnet>) -> bool {
    let name = reach.topology()[subnet].header.name.known();
    name.is_some_and(|name| name.eq_ignore_ascii_case("GatewaySubnet"))
}

fn check_half(
    reach: &Reach,
    reporter: &mut Reporter,
    id: Id<Peering>,
    half: &Peering,
    network: Id<VirtualNetwork>,
    through: &BTreeMap<IpNet, Vec<Sender>>,
) {
    let topology = reach.topology();
    let mut open = None;
    let subnets = topology[network].subnets.iter().copied();
    let targets: Vec<(Id<Subnet>, IpAddr)> =
        subnets.filter_map(|subnet| Some((subnet, reach.address_in(subnet)?))).collect();
    let mut tries = 0;
    for (_, address) in targets {
        for sender in covering(through, address).filter(|sender| sender.network != network) {
            tries += 1;
            if tries > MAXIMUM_TRIES {
                break;
            }
            let source = source_of(reach, sender);
            let Some(source) = source else { continue };
            let path = reach.walk_as(sender.subnet, source, address);
            match &path.verdict {
                Verdict::Dropped(Drop::ForwardedRefused(refusing)) if *refusing == id => {
                    return report(reach, reporter, half, network, sender, (source, address), &path);
                }
                Verdict::Undecided(why) => {
                    let cause = Cause::Error(why.clone());
                    open.get_or_insert_with(|| Arc::new(Unknown { cause, span: half.header.place.site }));
                }
                _ => {}
            }
        }
    }
    match open.or_else(|| half.allow_forwarded_traffic.unknown().cloned()) {
        Some(why) if tries > 0 => reporter.undecided(half.allow_forwarded_traffic.place, &why),
        _ => reporter.satisfied(),
    }
}

/// The senders whose prefix has an address, the longest prefix first.
fn covering<'s, 'a>(
    through: &'s BTreeMap<IpNet, Vec<Sender<'a>>>,
    address: IpAddr,
) -> impl Iterator<Item = Sender<'a>> + 's {
    let host = IpNet::from(address);
    let prefixes = (0..=host.prefix_len())
        .rev()
        .filter_map(move |length| IpNet::new(address, length).ok().map(|prefix| prefix.trunc()));
    prefixes.filter_map(|prefix| through.get(&prefix)).flatten().copied()
}

/// The source of what a sender's subnet sends: an address in it, or one behind the gateway.
fn source_of(reach: &Reach, sender: Sender) -> Option<IpAddr> {
    if !is_gateway(reach, sender.subnet) {
        return reach.address_in(sender.subnet);
    }
    let learned = reach.learned(sender.network).first();
    Some(learned.and_then(|prefix| prefix.hosts().next()).unwrap_or(BEHIND_GATEWAY))
}

fn report(
    reach: &Reach,
    reporter: &mut Reporter,
    half: &Peering,
    network: Id<VirtualNetwork>,
    sender: Sender,
    (source, destination): (IpAddr, IpAddr),
    path: &Path,
) {
    let topology = reach.topology();
    let appliance = path.hops.iter().rev().find_map(|hop| hop.appliance);
    let by = match appliance.and_then(|appliance| appliance.stop) {
        Some(stop) => support::label(topology, reach.header(stop)),
        None => {
            appliance.and_then(|one| one.address).map_or("an appliance".into(), |address| address.to_string())
        }
    };
    let from = if is_gateway(reach, sender.subnet) {
        "the networks behind the gateway".to_string()
    } else {
        support::label(topology, &topology[sender.network].header)
    };
    let parts =
        [&half.header, &topology[network].header, &topology[sender.subnet].header, &sender.route.header];
    let mut finding = reporter
        .finding(
            format!(
                "peering {} of {} refuses what {by} forwards from {from}",
                support::label(topology, &half.header),
                support::label(topology, &topology[network].header),
            ),
            half.allow_forwarded_traffic.place,
        )
        .of(&half.header.resource_id)
        .related_part("this route sends the traffic to the appliance", &sender.route.header)
        .related("the route table is used here", topology[sender.subnet].route_table.place)
        .related_part("the network that does not receive it", &topology[network].header)
        .advice("Allow forwarded traffic on this half of the peering, the one that receives it.")
        .certain_if(parts.iter().all(|part| part.is_certain()));
    if let Some(stop) = appliance.and_then(|appliance| appliance.stop) {
        finding = finding.related_part("the appliance", reach.header(stop));
    }
    for line in reach.describe(path, source, destination) {
        finding = finding.witness(line);
    }
    reporter.violated(finding);
}
