//! ## What it checks
//!
//! That a NAT gateway which serves a subnet has an address, that an address in one zone fits the zone of the gateway, that all its
//! subnets are of one network, that it is not on a gateway's subnet, and that nothing in its subnets has a public address or load balancer of
//! the Basic SKU. An AKS cluster that leaves by a NAT gateway of the user's (`userAssignedNATGateway`) has one on the subnets of its nodes.
//!
//! ## What Azure does
//!
//! A NAT gateway without address is accepted, and machines behind it reach nothing outside. `GatewaySubnet` and subnets of a second network
//! are refused. An address of another zone than the gateway's is refused as well. Basic public addresses and load balancers cannot be in a subnet
//! with a NAT gateway.
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_nat_gateway" "main" {
//!   name                = "ng-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_nat_gateway_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   nat_gateway_id = azurerm_nat_gateway.main.id
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_public_ip" "main" {
//!   name                = "pip-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_nat_gateway" "main" {
//!   name                = "ng-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_nat_gateway_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   nat_gateway_id = azurerm_nat_gateway.main.id
//! }
//!
//! resource "azurerm_nat_gateway_public_ip_association" "main" {
//!   nat_gateway_id       = azurerm_nat_gateway.main.id
//!   public_ip_address_id = azurerm_public_ip.main.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the addresses or zones are not known, or the gateway is handed to a module whose source is not on disk.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/nat-gateway/nat-overview>
//! - <https://learn.microsoft.com/azure/nat-gateway/nat-availability-zones>
//! - <https://learn.microsoft.com/azure/aks/nat-gateway>

use ecow::EcoString;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Field, Header, Id, KubernetesCluster, Link, NatGateway, Place, Subnet, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nat-gateway-invalid",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "a NAT gateway without address, in the wrong place, or with an address of another zone",
    error_codes: &["NatGatewayCannotBeUsedBySubnetsBelongingToDifferentVirtualNetworks"],
    fix: None,
    pedantic: false,
    source: include_str!("nat_gateway_invalid.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, gateway) in topology.all::<NatGateway>().filter(|(_, gateway)| gateway.header.is_managed()) {
        let subnets: Vec<&Subnet> =
            topology.subnets.iter().filter(|subnet| subnet.nat_gateway.to() == Some(id)).collect();
        addresses(topology, reporter, gateway, &subnets);
        zones(topology, reporter, gateway);
        for subnet in &subnets {
            place(topology, reporter, gateway, subnet);
        }
        basic(topology, reporter, id, gateway);
        one_network(topology, reporter, gateway, &subnets);
    }
    for cluster in topology.kubernetes_clusters.iter().filter(|cluster| cluster.header.is_managed()) {
        if cluster
            .outbound_type
            .known()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("userAssignedNATGateway"))
        {
            nodes(topology, reporter, cluster);
        }
    }
}

/// Subnets of nodes that leave by a NAT gateway of the user's.
fn nodes(topology: &Topology, reporter: &mut Reporter, cluster: &KubernetesCluster) {
    for pool in &cluster.pools {
        let Some(subnet) = pool.subnet.to().map(|id| &topology[id]) else { continue };
        if !subnet.header.is_managed() {
            continue;
        }
        if let Some(why) = subnet.nat_gateway.unknown().or_else(|| topology.unseen(&subnet.header)) {
            reporter.undecided(pool.subnet.place, why);
            continue;
        }
        if !subnet.nat_gateway.is_absent() {
            reporter.satisfied();
            continue;
        }
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "AKS cluster {} leaves by a NAT gateway of the user's, and subnet {} of its nodes has none",
                    support::label(topology, &cluster.header),
                    support::label(topology, &subnet.header),
                ),
                cluster.outbound_type.place,
            )
            .of(&cluster.header.resource_id)
            .related("the subnet of the nodes", pool.subnet.place)
            .related_part("the subnet", &subnet.header)
            .advice("Associate a NAT gateway with the subnet before the cluster is made, or use `managedNATGateway`.")
            .certain_if(cluster.header.is_certain() && subnet.header.is_certain());
        reporter.violated(finding);
    }
}

fn addresses(topology: &Topology, reporter: &mut Reporter, gateway: &NatGateway, subnets: &[&Subnet]) {
    let Some(subnet) = subnets.first() else { return };
    if !gateway.public_ips.is_empty() || !gateway.public_ip_prefixes.is_certainly_empty() {
        return reporter.satisfied();
    }
    if let Some(why) = topology.unseen(&gateway.header) {
        return reporter.undecided(gateway.header.place, why);
    }
    let finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "NAT gateway {} serves subnet {} and has no public address or prefix",
                support::label(topology, &gateway.header),
                support::label(topology, &subnet.header)
            ),
            gateway.header.place,
        )
        .of(&gateway.header.resource_id)
        .related("serves the subnet", subnet.nat_gateway.place)
        .advice("Associate a public address or prefix with it; without one nothing behind it reaches the Internet.")
        .certain_if(gateway.header.is_certain() && subnet.header.is_certain());
    reporter.violated(finding);
}

fn zones(topology: &Topology, reporter: &mut Reporter, gateway: &NatGateway) {
    let [zone] = gateway.zones.items.as_slice() else { return };
    let Some(zone) = zone.known().filter(|_| gateway.zones.is_complete()) else { return };
    for link in &gateway.public_ips {
        let Some(address) = link.to().map(|id| &topology[id]) else { continue };
        let [other] = address.zones.items.as_slice() else { continue };
        let Some(other) = other.known().filter(|_| address.zones.is_complete()) else { continue };
        if other == zone || !other.chars().all(|c| c.is_ascii_digit()) {
            reporter.satisfied();
            continue;
        }
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "NAT gateway {} of zone {zone} has public address {} of zone {other}",
                    support::label(topology, &gateway.header),
                    support::label(topology, &address.header)
                ),
                link.place,
            )
            .of(&gateway.header.resource_id)
            .related("the zone of the gateway", gateway.zones.place)
            .related("the zone of the address", address.zones.place)
            .advice("Use an address of the same zone or one that spans all zones.")
            .certain_if(gateway.header.is_certain() && address.header.is_certain());
        reporter.violated(finding);
    }
}

fn place(topology: &Topology, reporter: &mut Reporter, gateway: &NatGateway, subnet: &Subnet) {
    let is_gateways =
        subnet.header.name.known().is_some_and(|name| name.eq_ignore_ascii_case("GatewaySubnet"));
    if !is_gateways {
        return;
    }
    let finding = reporter
        .finding(
            format!(
                "NAT gateway {} is attached to `GatewaySubnet`, which may not have one",
                support::label(topology, &gateway.header)
            ),
            subnet.nat_gateway.place,
        )
        .of(&subnet.header.resource_id)
        .related_part("the NAT gateway", &gateway.header)
        .advice("Detach it; gateways bring their own addresses.")
        .certain_if(gateway.header.is_certain() && subnet.header.is_certain());
    reporter.violated(finding);
}

/// Basic addresses and load balancers in the subnets of a NAT gateway.
fn basic(topology: &Topology, reporter: &mut Reporter, id: Id<NatGateway>, gateway: &NatGateway) {
    let served = |link: &Link<Subnet>| {
        link.to().map(|subnet| &topology[subnet]).filter(|subnet| subnet.nat_gateway.to() == Some(id))
    };
    let is_basic = |sku: &Field<EcoString>| sku.known().is_some_and(|sku| sku == "Basic");
    let mut found: Vec<(&Header, &str, Place, &Subnet)> = Vec::new();
    for interface in topology.network_interfaces.iter().filter(|interface| interface.header.is_managed()) {
        for configuration in &interface.ip_configurations {
            let Some(subnet) = served(&configuration.subnet) else { continue };
            let Some(address) = configuration.public_ip.to().map(|id| &topology[id]) else { continue };
            if is_basic(&address.sku) && address.header.is_managed() {
                let place = configuration.public_ip.place;
                found.push((&interface.header, "has a public address of the Basic SKU", place, subnet));
            }
        }
    }
    for balancer in topology.load_balancers.iter().filter(|balancer| balancer.header.is_managed()) {
        let front = balancer.frontends.iter().find_map(|frontend| served(&frontend.subnet));
        if let Some(subnet) = front.filter(|_| is_basic(&balancer.sku)) {
            found.push((&balancer.header, "is a Basic load balancer", balancer.header.place, subnet));
        }
    }
    for (header, what, place, subnet) in found {
        let finding = reporter
            .finding(
                format!(
                    "{} {what} and is in subnet {}, which NAT gateway {} serves",
                    support::label(topology, header),
                    support::label(topology, &subnet.header),
                    support::label(topology, &gateway.header),
                ),
                place,
            )
            .of(&header.resource_id)
            .related("serves the subnet", subnet.nat_gateway.place)
            .related_part("the NAT gateway", &gateway.header)
            .advice("Use the Standard SKU.")
            .certain_if([header, &subnet.header, &gateway.header].into_iter().all(Header::is_certain));
        reporter.violated(finding);
    }
}

fn one_network(topology: &Topology, reporter: &mut Reporter, gateway: &NatGateway, subnets: &[&Subnet]) {
    let placed = |subnet: &&&Subnet| subnet.network.to().is_some();
    let mut known = subnets.iter().filter(placed);
    let Some(first) = known.next() else { return };
    let Some(other) = known.find(|subnet| subnet.network.to() != first.network.to()) else { return };
    let finding = reporter
        .finding(
            format!(
                "NAT gateway {} serves subnets {} and {} of different networks",
                support::label(topology, &gateway.header),
                support::label(topology, &first.header),
                support::label(topology, &other.header)
            ),
            other.nat_gateway.place,
        )
        .of(&gateway.header.resource_id)
        .related("serves the first network here", first.nat_gateway.place)
        .advice("Give each network a NAT gateway of its own.")
        .certain_if([&gateway.header, &first.header, &other.header].into_iter().all(Header::is_certain));
    reporter.violated(finding);
}
