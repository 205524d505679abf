//! ## What it checks
//!
//! That nothing relies on two peerings in a row with nothing between them that forwards:
//!
//! - A route to a network through an appliance in a network that is not peered with it.
//! - A rule of a security group that admits another spoke of the same hub, from which there is no way.
//! - A private DNS zone that is linked to a spoke, while the server or endpoint in it is in another spoke that cannot be reached.
//!
//! ## What Azure does
//!
//! Nothing is rejected. Peering connects two networks, not the peers of a peer: the platform drops packets between the outer two unless
//! routes on both sides lead through an appliance, a gateway or a virtual hub between them.
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
//! resource "azurerm_virtual_network_peering" "hub_to_one" {
//!   name                      = "hub-to-one"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.one.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "one_to_hub" {
//!   name                      = "one-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.one.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_two" {
//!   name                      = "hub-to-two"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.two.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "two_to_hub" {
//!   name                      = "two-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.two.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_network_security_group" "two" {
//!   name                = "nsg-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-one"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "10.1.0.0/16"
//!     destination_address_prefix = "*"
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
//! resource "azurerm_subnet" "two" {
//!   name                 = "snet-two"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.two.name
//!   address_prefixes     = ["10.2.1.0/24"]
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "two" {
//!   subnet_id                 = azurerm_subnet.two.id
//!   network_security_group_id = azurerm_network_security_group.two.id
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
//! resource "azurerm_virtual_network_peering" "hub_to_one" {
//!   name                      = "hub-to-one"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.one.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "one_to_hub" {
//!   name                      = "one-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.one.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_two" {
//!   name                      = "hub-to-two"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.two.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "two_to_hub" {
//!   name                      = "two-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.two.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "one_to_two" {
//!   name                      = "one-to-two"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.one.name
//!   remote_virtual_network_id = azurerm_virtual_network.two.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "two_to_one" {
//!   name                      = "two-to-one"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.two.name
//!   remote_virtual_network_id = azurerm_virtual_network.one.id
//! }
//!
//! resource "azurerm_network_security_group" "two" {
//!   name                = "nsg-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-one"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "10.1.0.0/16"
//!     destination_address_prefix = "*"
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
//! resource "azurerm_subnet" "two" {
//!   name                 = "snet-two"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.two.name
//!   address_prefixes     = ["10.2.1.0/24"]
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "two" {
//!   subnet_id                 = azurerm_subnet.two.id
//!   network_security_group_id = azurerm_network_security_group.two.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a peering, a range or a route is not known, when a virtual hub, a route server or a network manager may connect the networks, and
//! when what is in the zone is not all known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Context, Reporter, Rule, support};
use crate::analysis::names;
use crate::analysis::reach::{Drop, Path, Reach, Verdict};
use crate::analysis::routes::RouteOrigin;
use crate::finding::{Category, Finding, Severity};
use crate::net::parse_prefix;
use crate::topology::{
    Access, Direction, Header, Id, PrivateDnsZone, RouteTable, SecurityGroup, SecurityRule, Subnet, Topology,
    VirtualNetwork,
};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "peering-not-transitive",
    category: Category::Peering,
    severity: Severity::Warning,
    summary: "traffic relies on two peerings in a row with nothing between them that forwards",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("peering_not_transitive.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let reach = context.reach();
    if context.topology.peerings.is_empty() {
        return;
    }
    check_routes(reach, reporter);
    check_rules(reach, reporter);
    check_zones(reach, reporter);
}

/// Routes to a network that the appliance's own network is not connected with.
fn check_routes(reach: &Reach, reporter: &mut Reporter) {
    let topology = reach.topology();
    for (id, table) in topology.all::<RouteTable>() {
        let mut judged = BTreeSet::new();
        for &subnet in reach.users(id) {
            let Some(network) = reach.network_of(subnet).filter(|network| judged.insert(*network)) else {
                continue;
            };
            for (index, field) in table.routes.items.iter().enumerate() {
                let Some(route) = field.known() else { continue };
                let Some(prefix) = route.address_prefix.known().and_then(|text| parse_prefix(text)) else {
                    continue;
                };
                let Some(place) = reach.appliance(network, route).network else { continue };
                let Some(target) = reach.networks_with(prefix.trunc()).next() else { continue };
                if target == place || target == network || reach.is_peered(place, target) {
                    continue;
                }
                let Some(address) = reach.routes(subnet).example_of(index) else { continue };
                let path = reach.walk(subnet, address);
                let taken = path.hops.first().is_some_and(|hop| hop.route.origin == RouteOrigin::User(index));
                if !taken || path.hops.len() < 2 {
                    continue;
                }
                if path.verdict != Verdict::Dropped(Drop::Nowhere) {
                    reporter.satisfied();
                    continue;
                }
                let name = |header: &Header| support::label(topology, header);
                let finding = reporter
                    .finding(
                        format!(
                            "route {} sends packets for {} to an appliance in {}, which is not peered with that network",
                            name(&route.header),
                            name(&topology[target].header),
                            name(&topology[place].header),
                        ),
                        route.next_hop_address.place,
                    )
                    .of(&route.header.resource_id)
                    .related_part("the network that the packets are for", &topology[target].header)
                    .related_part("the network of the appliance", &topology[place].header)
                    .related("the route table is used here", topology[subnet].route_table.place)
                    .advice("Peer the two networks, or send on from the appliance through one that is peered with the target.")
                    .certain_if([&route.header, &topology[subnet].header, &topology[target].header].iter().all(|part| part.is_certain()));
                reporter.violated(with_path(reach, finding, subnet, address, &path));
            }
        }
    }
}

/// Security rules that admit a network from which there is no way.
fn check_rules(reach: &Reach, reporter: &mut Reporter) {
    let topology = reach.topology();
    let mut judged = BTreeSet::new();
    for (id, subnet) in topology.all::<Subnet>() {
        let (Some(group), Some(network)) = (subnet.security_group.to(), subnet.network.to()) else {
            continue;
        };
        for (index, rule) in topology[group].rules.items.iter().enumerate() {
            let Some(rule) = rule.known().filter(|rule| admits(rule)) else { continue };
            for source in rule.source.prefixes.known() {
                let Some(range) = parse_prefix(source) else { continue };
                let mut others = reach.networks_with(range.trunc());
                let (Some(from), None) = (others.next(), others.next()) else { continue };
                if from == network
                    || reach.is_peered(from, network)
                    || !judged.insert((group, index, from, network))
                {
                    continue;
                }
                check_flow(reach, reporter, (from, range.trunc()), (id, network), (group, rule));
            }
        }
    }
}

fn admits(rule: &SecurityRule) -> bool {
    rule.access.is(&Access::Allow) && rule.direction.is(&Direction::Inbound) && rule.header.is_managed()
}

fn check_flow(
    reach: &Reach,
    reporter: &mut Reporter,
    (from, range): (Id<VirtualNetwork>, ipnet::IpNet),
    (target, network): (Id<Subnet>, Id<VirtualNetwork>),
    (group, rule): (Id<SecurityGroup>, &SecurityRule),
) {
    let topology = reach.topology();
    let Some(hub) = reach.common_peer(from, network) else { return };
    let Some(address) = reach.address_in(target) else { return };
    let inside = |subnet: &Id<Subnet>| {
        reach
            .address_in(*subnet)
            .is_some_and(|own| range.contains(&own) || ipnet::IpNet::from(own).contains(&range))
    };
    // There is no way only if there is none from any subnet that the rule admits.
    let mut first = None;
    for subnet in topology[from].subnets.iter().copied().filter(inside) {
        let path = reach.walk(subnet, address);
        match path.verdict {
            Verdict::Dropped(Drop::Nowhere) => first = first.or(Some((subnet, path))),
            Verdict::Undecided(_) => return,
            _ => return reporter.satisfied(),
        }
    }
    let Some((subnet, path)) = first else { return };
    let name = |header: &Header| support::label(topology, header);
    let finding = reporter
        .finding(
            format!(
                "rule {} admits {} to subnet {}, but the two networks are connected only through {}, and nothing there forwards",
                name(&rule.header),
                name(&topology[from].header),
                name(&topology[target].header),
                name(&topology[hub].header),
            ),
            rule.header.place,
        )
        .of(&rule.header.resource_id)
        .related_part("the network that is admitted", &topology[from].header)
        .related_part("the network of the subnet", &topology[network].header)
        .related("the group is attached here", topology[target].security_group.place)
        .advice(ADVICE)
        .certain_if(certain(topology, &[&topology[group].header, &rule.header], &[from, network, hub]));
    reporter.violated(with_path(reach, finding, subnet, address, &path));
}

const ADVICE: &str =
    "Peer the two networks, or give both a route through an appliance in the network between them.";

fn certain(topology: &Topology, headers: &[&Header], networks: &[Id<VirtualNetwork>]) -> bool {
    headers.iter().all(|header| header.is_certain())
        && networks.iter().all(|network| topology[*network].header.is_certain())
}

/// What has its name in a private DNS zone: where it is, and its header.
type Named<'a> = (Id<Subnet>, &'a Header);

/// Zones that are linked to a network although nothing whose names they hold can be reached from there.
fn check_zones(reach: &Reach, reporter: &mut Reporter) {
    let topology = reach.topology();
    let answering = answering(topology);
    for (zone, named) in named(topology) {
        let complete = topology[zone].header.is_managed()
            && topology.unseen(&topology[zone].header).is_none()
            && topology.zone_records.iter().all(|record| record.zone.to() != Some(zone));
        if !complete {
            continue;
        }
        for link in topology[zone].links.iter().map(|link| &topology[*link]) {
            let Some(network) = link.network.to().filter(|network| !answering.contains(network)) else {
                continue;
            };
            let managed = link.header.is_managed() && topology[network].header.is_managed();
            if managed && !link.registration.may_be(&true) {
                check_link(reach, reporter, (zone, &link.header), network, &named);
            }
        }
    }
}

/// The networks that others ask for names: a zone is linked to them for these.
fn answering(topology: &Topology) -> BTreeSet<Id<VirtualNetwork>> {
    let mut answering = BTreeSet::new();
    for (id, network) in topology.all::<VirtualNetwork>() {
        if network.dns_servers.is_certainly_empty() {
            continue;
        }
        for server in names::servers(topology, id).into_iter().flatten() {
            answering.extend(server.network.filter(|other| *other != id));
        }
    }
    answering.extend(topology.dns_resolvers.iter().filter_map(|resolver| resolver.network.to()));
    answering
}

fn named(topology: &Topology) -> BTreeMap<Id<PrivateDnsZone>, Vec<Named<'_>>> {
    let mut named: BTreeMap<_, Vec<Named>> = BTreeMap::new();
    for server in &topology.flexible_servers {
        if let (Some(subnet), Some(zone)) = (server.subnet.to(), server.zone.to()) {
            named.entry(zone).or_default().push((subnet, &server.header));
        }
    }
    for endpoint in &topology.private_endpoints {
        let Some(subnet) = endpoint.subnet.to() else { continue };
        for zone in endpoint.zone_groups.known().flat_map(|group| &group.zones).filter_map(|link| link.to()) {
            named.entry(zone).or_default().push((subnet, &endpoint.header));
        }
    }
    named
}

fn check_link(
    reach: &Reach,
    reporter: &mut Reporter,
    (zone, link): (Id<PrivateDnsZone>, &Header),
    network: Id<VirtualNetwork>,
    named: &[Named],
) {
    let topology = reach.topology();
    let client =
        topology[network].subnets.iter().copied().find(|subnet| !topology[*subnet].occupancies.is_empty());
    let Some(client) = client else { return };
    let mut first = None;
    // One that is reached is enough for the link to make sense.
    for (subnet, header) in named {
        let (Some(place), Some(address)) = (reach.network_of(*subnet), reach.address_in(*subnet)) else {
            return;
        };
        if place == network || reach.is_peered(network, place) {
            return reporter.satisfied();
        }
        let path = reach.walk(client, address);
        let Some(hub) = reach.common_peer(network, place) else { return };
        if path.verdict != Verdict::Dropped(Drop::Nowhere) {
            return;
        }
        first = first.or(Some((place, hub, *header, address, path)));
    }
    let Some((place, hub, header, address, path)) = first else { return };
    let name = |header: &Header| support::label(topology, header);
    let finding = reporter
        .finding(
            format!(
                "{} resolves {} in {} by its link to {}, but the two networks are connected only through {}, and nothing there forwards",
                name(&topology[network].header),
                name(header),
                name(&topology[place].header),
                name(&topology[zone].header),
                name(&topology[hub].header),
            ),
            link.place,
        )
        .of(&link.resource_id)
        .related_part("what is looked for", header)
        .related_part("the network that resolves it", &topology[network].header)
        .related_part("the network that it is in", &topology[place].header)
        .advice(ADVICE)
        .certain_if(certain(topology, &[link, header], &[network, place, hub]));
    reporter.violated(with_path(reach, finding, client, address, &path));
}

fn with_path(reach: &Reach, mut finding: Finding, from: Id<Subnet>, address: IpAddr, path: &Path) -> Finding {
    if let Some(source) = reach.address_in(from) {
        for line in reach.describe(path, source, address) {
            finding = finding.witness(line);
        }
    }
    finding
}
