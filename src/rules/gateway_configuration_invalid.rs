//! ## What it checks
//!
//! That a virtual network gateway has as many addresses as its mode wants: one, or two and more for an active-active one; that the public
//! addresses of an active-active gateway are alike in SKU and zones; and that a VPN gateway beside an ExpressRoute gateway in one network is
//! route-based and not of the Basic SKU.
//!
//! ## What Azure does
//!
//! It refuses the gateway: `ActiveActiveGatewayMustHaveExactlyTwoIpConfigurations`, `ActiveActiveGatewayPublicIPAddressesDiffersInSkuOrZones`.
//! The two kinds of gateway do not work side by side when the VPN gateway is policy-based or Basic.
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
//! resource "azurerm_subnet" "gateway" {
//!   name                 = "GatewaySubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/27"]
//! }
//!
//! resource "azurerm_public_ip" "first" {
//!   name                = "pip-first"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//!   zones               = ["1", "2", "3"]
//! }
//!
//! resource "azurerm_virtual_network_gateway" "main" {
//!   name                = "vgw-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw2AZ"
//!   active_active       = true
//!
//!   ip_configuration {
//!     name                 = "first"
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.first.id
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
//! resource "azurerm_subnet" "gateway" {
//!   name                 = "GatewaySubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.0.0/27"]
//! }
//!
//! resource "azurerm_public_ip" "main" {
//!   count               = 2
//!   name                = "pip-${count.index}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//!   zones               = ["1", "2", "3"]
//! }
//!
//! resource "azurerm_virtual_network_gateway" "main" {
//!   name                = "vgw-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw2AZ"
//!   active_active       = true
//!
//!   dynamic "ip_configuration" {
//!     for_each = azurerm_public_ip.main
//!     content {
//!       name                 = "configuration-${ip_configuration.key}"
//!       subnet_id            = azurerm_subnet.gateway.id
//!       public_ip_address_id = ip_configuration.value.id
//!     }
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known how many addresses the gateway has, in which mode it is, or what its public addresses are like.
//!
//! ## References
//!
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/virtual_network_gateway>
//! - <https://github.com/Azure/ALZ-Bicep/issues/768>
//! - <https://github.com/Azure/terraform-azurerm-caf-enterprise-scale/issues/940>
//! - <https://learn.microsoft.com/azure/expressroute/how-to-configure-coexisting-gateway-portal>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Header, Id, Topology, VirtualNetwork, VirtualNetworkGateway};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "gateway-configuration-invalid",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "a virtual network gateway whose mode, addresses or neighbour do not go together",
    error_codes: &[
        "ActiveActiveGatewayMustHaveExactlyTwoIpConfigurations",
        "ActiveActiveGatewayPublicIPAddressesDiffersInSkuOrZones",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("gateway_configuration_invalid.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for gateway in topology.virtual_network_gateways.iter().filter(|gateway| gateway.header.is_managed()) {
        let before = reporter.violations();
        if let Some(why) = gateway.incomplete.as_ref().or(gateway.active_active.unknown()) {
            reporter.undecided(gateway.header.place, why);
            continue;
        }
        count(topology, reporter, gateway);
        alike(topology, reporter, gateway);
        beside(topology, reporter, gateway);
        if reporter.violations() == before {
            reporter.satisfied();
        }
    }
}

/// The number of addresses for the mode.
fn count(topology: &Topology, reporter: &mut Reporter, gateway: &VirtualNetworkGateway) {
    let configurations = &gateway.ip_configurations;
    // None at all is a gateway that the platform gives its addresses, or one that the schema refuses.
    let repeated = configurations.iter().any(|configuration| configuration.header.uncertain.is_some());
    if configurations.is_empty() || repeated || !gateway.gateway_type.is(&"Vpn".into()) {
        return;
    }
    let active = gateway.active_active.is(&true);
    let message = match (active, configurations.len()) {
        (true, 1) => "is active-active and has one address; it needs two",
        (false, 2..) => "has several addresses and is not active-active; it takes one",
        _ => return,
    };
    let finding = reporter
        .finding(
            format!("virtual network gateway {} {message}", support::label(topology, &gateway.header)),
            gateway.active_active.place,
        )
        .of(&gateway.header.resource_id)
        .advice(if active {
            "Give it a second address with a public address of its own, or make it active-standby."
        } else {
            "Make it active-active, or leave one address."
        })
        .certain_if(gateway.header.is_certain());
    reporter.violated(finding);
}

/// The public addresses of an active-active gateway.
fn alike(topology: &Topology, reporter: &mut Reporter, gateway: &VirtualNetworkGateway) {
    if !gateway.active_active.is(&true) {
        return;
    }
    let mut addresses = gateway.ip_configurations.iter().filter_map(|configuration| {
        let link = &configuration.public_ip;
        Some((link, &topology[link.to()?])).filter(|(_, address)| address.header.is_managed())
    });
    let Some((_, first)) = addresses.next() else { return };
    let zones = |list: &crate::topology::List<ecow::EcoString>| {
        let mut zones: Vec<ecow::EcoString> = list.known().cloned().collect();
        zones.sort();
        (list.is_complete() && zones.len() == list.items.len()).then_some(zones)
    };
    let differs = |other: &crate::topology::PublicIp| {
        let (one, two) = (zones(&first.zones), zones(&other.zones));
        let zoned = one.is_some() && two.is_some() && one != two;
        let skus = first.sku.known().zip(other.sku.known());
        zoned || skus.is_some_and(|(one, two)| one != two)
    };
    let Some((link, other)) = addresses.find(|(_, address)| differs(address)) else { return };
    let finding = reporter
        .finding(
            format!(
                "the public addresses {} and {} of active-active gateway {} differ in SKU or zones",
                support::label(topology, &first.header),
                support::label(topology, &other.header),
                support::label(topology, &gateway.header),
            ),
            link.place,
        )
        .of(&gateway.header.resource_id)
        .between(&[&gateway.header, &first.header, &other.header])
        .related_part("one address", &first.header)
        .related_part("the other", &other.header)
        .advice("Give both the same SKU and the same zones.")
        .certain_if([&gateway.header, &first.header, &other.header].into_iter().all(Header::is_certain));
    reporter.violated(finding);
}

fn network_of(topology: &Topology, gateway: &VirtualNetworkGateway) -> Option<Id<VirtualNetwork>> {
    let mut subnets = gateway.ip_configurations.iter().filter_map(|configuration| configuration.subnet.to());
    subnets.find_map(|subnet| topology[subnet].network.to())
}

/// A VPN gateway that cannot stand beside the ExpressRoute gateway of its network.
fn beside(topology: &Topology, reporter: &mut Reporter, gateway: &VirtualNetworkGateway) {
    if !gateway.gateway_type.is(&"Vpn".into()) {
        return;
    }
    let policy = gateway.vpn_type.is(&"PolicyBased".into());
    let basic = gateway.sku.known().is_some_and(|sku| sku.eq_ignore_ascii_case("Basic"));
    let Some(network) = network_of(topology, gateway).filter(|_| policy || basic) else { return };
    let circuit = topology.virtual_network_gateways.iter().find(|other| {
        other.gateway_type.is(&"ExpressRoute".into()) && network_of(topology, other) == Some(network)
    });
    let Some(circuit) = circuit else { return };
    let (what, place) = if policy {
        ("policy-based", gateway.vpn_type.place)
    } else {
        ("of the Basic SKU", gateway.sku.place)
    };
    let finding = reporter
        .finding(
            format!(
                "VPN gateway {} is {what} and stands beside ExpressRoute gateway {}, which needs a route-based one that is not Basic",
                support::label(topology, &gateway.header),
                support::label(topology, &circuit.header),
            ),
            place,
        )
        .of(&gateway.header.resource_id)
        .related_part("the ExpressRoute gateway", &circuit.header)
        .advice("Make the VPN gateway `RouteBased`, with an SKU above Basic.")
        .certain_if(gateway.header.is_certain() && circuit.header.is_certain());
    reporter.violated(finding);
}
