//! ## What it checks
//!
//! That the address of a virtual appliance in a route can be reached from the subnets that use the route table: it must lie
//! in the subnet's own network or in one that is peered with it, in a subnet of that network, and not be one of the five
//! addresses that Azure keeps in every subnet. A route to the virtual network gateway finds a VPN gateway in the network or behind a
//! peering.
//!
//! ## What Azure does
//!
//! Any address is accepted as a next hop. Packets for an appliance that cannot be reached directly are dropped without a word;
//! a network two peerings away, or behind a gateway, does not count as direct. So are packets for a gateway that the network does not have;
//! an ExpressRoute gateway takes none by such routes, only by those it learns.
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
//! resource "azurerm_subnet" "appliance" {
//!   name                 = "snet-appliance"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_route_table" "app" {
//!   name                = "rt-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name                   = "default"
//!     address_prefix         = "0.0.0.0/0"
//!     next_hop_type          = "VirtualAppliance"
//!     next_hop_in_ip_address = "10.0.3.4"
//!   }
//! }
//!
//! resource "azurerm_subnet_route_table_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   route_table_id = azurerm_route_table.app.id
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
//! resource "azurerm_subnet" "appliance" {
//!   name                 = "snet-appliance"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_route_table" "app" {
//!   name                = "rt-app"
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
//! resource "azurerm_subnet_route_table_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   route_table_id = azurerm_route_table.app.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the address, an address space or a peering is not known. An address that lies in no network of the input is possible,
//! not certain: a peering with its network may be declared elsewhere. So is a missing gateway of a network that has a `GatewaySubnet`.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq>

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Context, Reporter, Rule, support};
use crate::analysis::peers;
use crate::finding::{Category, Severity};
use crate::topology::{Id, Route, RouteTable, Subnet, Topology, VirtualNetwork};
use crate::value::Unknown;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "route-next-hop-unreachable",
    category: Category::Route,
    severity: Severity::Error,
    summary: "a route to an appliance or a gateway that the subnet cannot reach",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("route_next_hop_unreachable.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut users: Vec<Vec<Id<Subnet>>> = vec![Vec::new(); topology.route_tables.len()];
    for (id, subnet) in topology.all::<Subnet>() {
        if let Some(table) = subnet.route_table.to() {
            users[table.index()].push(id);
        }
    }
    for (table, subnets) in topology.route_tables.iter().zip(&users) {
        for route in table.routes.known().filter(|route| route.header.is_managed()) {
            check_route(topology, reporter, table, route, subnets);
        }
    }
}

/// A route to a gateway that the networks of its subnets do not have.
fn check_gateway(
    topology: &Topology,
    reporter: &mut Reporter,
    table: &RouteTable,
    route: &Route,
    subnets: &[Id<Subnet>],
) {
    let mut networks = BTreeSet::new();
    for &subnet in subnets {
        let Some(id) = topology[subnet].network.to() else { continue };
        let network = &topology[id];
        if !network.header.is_managed() || !networks.insert(id) {
            continue;
        }
        if let Some(why) = peers::blind_spot(topology, id).or_else(|| network.incomplete.clone()) {
            reporter.undecided(route.next_hop_type.place, &why);
            continue;
        }
        let Some((what, certain)) = without_gateway(topology, id) else {
            reporter.satisfied();
            continue;
        };
        let parts = [&route.header, &table.header, &topology[subnet].header, &network.header];
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "route {} sends packets to the gateway of network {}, {what}",
                    support::label(topology, &route.header),
                    support::label(topology, &network.header),
                ),
                route.next_hop_type.place,
            )
            .of(&route.header.resource_id)
            .related_part("the route table", &table.header)
            .related(
                format!("is used by subnet {}", support::label(topology, &topology[subnet].header)),
                topology[subnet].route_table.place,
            )
            .related_part("the network", &network.header)
            .advice(
                "Take the route away, or use a VPN gateway here or in a peered hub (`use_remote_gateways`).",
            )
            .certain_if(certain && parts.iter().all(|part| part.is_certain()));
        reporter.violated(finding);
    }
}

/// What is wrong with the gateway of a network, for routes that lead there, and whether that is certain.
fn without_gateway(topology: &Topology, id: Id<VirtualNetwork>) -> Option<(&'static str, bool)> {
    // A hub of a Virtual WAN, or a network manager, brings gateways of its own.
    let connected = |one: &crate::topology::HubConnection| one.network.to().is_none_or(|to| to == id);
    let arranged = topology
        .resources
        .iter()
        .any(|one| one.arm_type.as_deref().is_some_and(|kind| kind.ends_with("/connectivityConfigurations")));
    if arranged || topology.hub_connections.iter().any(connected) {
        return None;
    }
    let gateways: Vec<_> = peers::gateways_of(topology, id).collect();
    if gateways.is_empty() {
        let reserved = topology[id].subnets.iter().any(|subnet| {
            let name = &topology[*subnet].header.name;
            name.known().is_none_or(|name| name.eq_ignore_ascii_case("GatewaySubnet"))
        });
        let none = !peers::reaches_a_gateway(topology, id);
        return none.then_some(("which has no gateway, and uses none of a peer", !reserved));
    }
    let circuits = gateways.iter().all(|gateway| gateway.gateway_type.is(&"ExpressRoute".into()));
    circuits
        .then_some(("which has an ExpressRoute gateway; only VPN gateways take packets by such routes", true))
}

fn check_route(
    topology: &Topology,
    reporter: &mut Reporter,
    table: &RouteTable,
    route: &Route,
    subnets: &[Id<Subnet>],
) {
    if route.next_hop_type.known().is_some_and(|kind| kind.eq_ignore_ascii_case("VirtualNetworkGateway")) {
        return check_gateway(topology, reporter, table, route, subnets);
    }
    if !route.next_hop_type.known().is_some_and(|kind| kind.eq_ignore_ascii_case("VirtualAppliance")) {
        return;
    }
    let Some(text) = route.next_hop_address.known() else {
        if let Some(unknown) = route.next_hop_address.unknown() {
            reporter.undecided(route.next_hop_address.place, unknown);
        }
        return;
    };
    let Ok(address) = text.parse::<IpAddr>() else { return };
    // Subnets of one network see the same networks: one answer for each network is enough.
    let mut networks = BTreeSet::new();
    for &subnet in subnets {
        let Some(network) = topology[subnet].network.to() else { continue };
        if !networks.insert(network) {
            continue;
        }
        match reach(topology, network, address) {
            Reach::Fine => reporter.satisfied(),
            Reach::Undecided(why) => reporter.undecided(route.next_hop_address.place, &why),
            Reach::Broken { what, severity, certain, other } => {
                let link = &topology[subnet].route_table;
                let parts =
                    [&route.header, &table.header, &topology[subnet].header, &topology[network].header];
                let mut finding = reporter
                    .finding_with(
                        severity,
                        format!("route {} sends packets to {address}, {what}", support::label(topology, &route.header)),
                        route.next_hop_address.place,
                    )
                    .of(&route.header.resource_id)
                    .related_part("the route table", &table.header)
                    .related(
                        format!("is used by subnet {}", support::label(topology, &topology[subnet].header)),
                        link.place,
                    )
                    .witness(format!(
                        "a packet from {} to {} goes to {address} and is dropped",
                        support::label(topology, &topology[subnet].header),
                        route.address_prefix.known().map_or("the route's destinations", |prefix| prefix.as_str()),
                    ))
                    .advice("Use the private address of the firewall or appliance itself, by reference where you can.")
                    .certain_if(certain && parts.iter().all(|part| part.is_certain()));
                if let Some(other) = other {
                    finding =
                        finding.related_part("the network that has the address", &topology[other].header);
                }
                reporter.violated(finding);
            }
        }
    }
}

enum Reach {
    Fine,
    Undecided(Arc<Unknown>),
    Broken { what: String, severity: Severity, certain: bool, other: Option<Id<VirtualNetwork>> },
}

/// Whether an appliance's address can be reached from a network.
fn reach(topology: &Topology, network: Id<VirtualNetwork>, address: IpAddr) -> Reach {
    let holds = |id: Id<VirtualNetwork>| {
        support::ranges(&topology[id].address_space).any(|(space, _)| space.contains(&address))
    };
    let peers = peers::of(topology, network);
    if let Some(near) =
        std::iter::once(network).chain(peers.iter().map(|peer| peer.network)).find(|id| holds(*id))
    {
        return inside(topology, near, address);
    }
    let near = std::iter::once(network).chain(peers.iter().map(|peer| peer.network));
    if let Some(unknown) = near.filter_map(|id| topology[id].address_space.unknown()).next() {
        return Reach::Undecided(Arc::clone(unknown));
    }
    if let Some(unknown) = peers::blind_spot(topology, network) {
        return Reach::Undecided(unknown);
    }
    let from = support::label(topology, &topology[network].header);
    let far = topology.all::<VirtualNetwork>().find(|(id, part)| part.header.is_managed() && holds(*id));
    match far {
        Some((id, part)) if topology[network].header.is_managed() => Reach::Broken {
            what: format!(
                "which is in {}, a network that {from} is not peered with",
                support::label(topology, &part.header)
            ),
            severity: Severity::Error,
            certain: part.header.is_certain() && topology.unseen(&part.header).is_none(),
            other: Some(id),
        },
        _ => Reach::Broken {
            what: format!("which is neither in {from} nor in a network that is peered with it here"),
            severity: Severity::Warning,
            certain: false,
            other: None,
        },
    }
}

/// Whether an address of a network can belong to something in it.
fn inside(topology: &Topology, network: Id<VirtualNetwork>, address: IpAddr) -> Reach {
    let part = &topology[network];
    let mut undecided = None;
    for subnet in part.subnets.iter().map(|id| &topology[*id]) {
        if let Some(unknown) = subnet.prefixes.unknown() {
            undecided = undecided.or(Some(Arc::clone(unknown)));
        }
        for (range, _) in support::ranges(&subnet.prefixes) {
            if !range.contains(&address) {
                continue;
            }
            return match reserved(range, address) {
                false => Reach::Fine,
                true => Reach::Broken {
                    what: format!(
                        "which Azure keeps for itself in subnet {} ({range})",
                        support::label(topology, &subnet.header)
                    ),
                    severity: Severity::Warning,
                    certain: true,
                    other: Some(network),
                },
            };
        }
    }
    if let Some(unknown) = undecided.or_else(|| topology.unseen(&part.header).cloned()) {
        return Reach::Undecided(unknown);
    }
    if !part.header.is_managed() || part.subnets.is_empty() {
        // Its subnets are declared elsewhere.
        return Reach::Fine;
    }
    Reach::Broken {
        what: format!("which lies in no subnet of {}", support::label(topology, &part.header)),
        severity: Severity::Warning,
        certain: true,
        other: Some(network),
    }
}

/// Whether an address is one of the five that Azure keeps in a range: the first four and the last.
fn reserved(range: ipnet::IpNet, address: IpAddr) -> bool {
    match (range, address) {
        (ipnet::IpNet::V4(range), IpAddr::V4(address)) => {
            let offset = u32::from(address).saturating_sub(u32::from(range.network()));
            offset < 4 || address == range.broadcast()
        }
        _ => false,
    }
}
