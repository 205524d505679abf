//! ## What it checks
//!
//! Settings of VPN and ExpressRoute gateways, and of their connections, that do not go together: a SKU of the other type of gateway; a
//! policy-based gateway of a SKU other than `Basic`; active-active or BGP with the `Basic` SKU; an active-active gateway whose
//! public addresses differ in SKU or zones; a policy-based or Basic VPN gateway beside an ExpressRoute gateway; a connection whose type does not fit its
//! gateway, or without the end that its type needs. As warnings: an active-active gateway with one address, or an active-standby one with
//! several; a connection with an end that its type does not have; and point-to-site settings on an ExpressRoute gateway. That a gateway
//! should be active-active or of a zone-redundant SKU is advice of other analyzers and not given here.
//!
//! ## What Azure does
//!
//! It refuses the gateway after having looked at it for a while, or the connection once the gateway stands, which takes
//! half an hour. azurerm refuses a connection that lacks its other end only when it is applied.
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
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_public_ip" "one" {
//!   name                = "pip-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//!   zones               = ["1", "2", "3"]
//! }
//!
//! resource "azurerm_virtual_network_gateway" "vpn" {
//!   name                = "vgw-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw1AZ"
//!   active_active       = true
//!
//!   ip_configuration {
//!     name                 = "one"
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.one.id
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
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_public_ip" "one" {
//!   name                = "pip-one"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//!   zones               = ["1", "2", "3"]
//! }
//!
//! resource "azurerm_public_ip" "two" {
//!   name                = "pip-two"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//!   zones               = ["1", "2", "3"]
//! }
//!
//! resource "azurerm_virtual_network_gateway" "vpn" {
//!   name                = "vgw-vpn"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   type                = "Vpn"
//!   sku                 = "VpnGw1AZ"
//!   active_active       = true
//!
//!   ip_configuration {
//!     name                 = "one"
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.one.id
//!   }
//!
//!   ip_configuration {
//!     name                 = "two"
//!     subnet_id            = azurerm_subnet.gateway.id
//!     public_ip_address_id = azurerm_public_ip.two.id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the type or the SKU of a gateway, the number of its addresses, or the type of a connection is not known. An end that is written
//! down and null is taken for one that may be given.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings>
//! - <https://learn.microsoft.com/azure/vpn-gateway/about-gateway-skus>
//! - <https://learn.microsoft.com/azure/vpn-gateway/about-active-active-gateways>
//! - <https://learn.microsoft.com/azure/expressroute/expressroute-about-virtual-network-gateways>
//! - <https://learn.microsoft.com/azure/expressroute/how-to-configure-coexisting-gateway-portal>
//! - <https://github.com/Azure/ALZ-Bicep/issues/768>
//! - <https://github.com/Azure/terraform-azurerm-caf-enterprise-scale/issues/940>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/virtual_network_gateway>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/virtual_network_gateway_connection>

use ecow::EcoString;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::resource::{Language, Mode};
use crate::topology::{
    Header, Id, List, Place, PublicIp, ResourceNode, Topology, VirtualNetwork, VirtualNetworkGateway,
};
use crate::value::ValueKind;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "gateway-settings-conflict",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "settings of a VPN or ExpressRoute gateway or of its connection that do not go together",
    error_codes: &[
        "ActiveActiveGatewayMustHaveExactlyTwoIpConfigurations",
        "ActiveActiveGatewayPublicIPAddressesDiffersInSkuOrZones",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("gateway_settings_conflict.rs"),
    check,
};

const CONNECTION: &str = "Microsoft.Network/connections";

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for gateway in topology.virtual_network_gateways.iter().filter(|gateway| gateway.header.is_managed()) {
        let (Some(kind), Some(sku)) = (gateway.gateway_type.known(), gateway.sku.known()) else {
            if let Some(why) = gateway.gateway_type.unknown().or_else(|| gateway.sku.unknown()) {
                reporter.undecided(gateway.header.place, why);
            }
            continue;
        };
        judge(topology, reporter, gateway, kind, sku);
        alike(topology, reporter, gateway);
        beside(topology, reporter, gateway);
    }
    for node in &topology.resources {
        let is_connection =
            node.arm_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(CONNECTION));
        if is_connection && node.mode == Mode::Managed {
            connection(topology, reporter, node);
        }
    }
}

/// Of which type of gateway a SKU is; `None` where both have it, or it is not known.
fn type_of(sku: &str) -> Option<&'static str> {
    let sku = sku.to_ascii_lowercase();
    match sku.as_str() {
        "basic" => Some("Vpn"),
        "ultraperformance" => Some("ExpressRoute"),
        _ if sku.starts_with("vpngw") => Some("Vpn"),
        _ if sku.starts_with("ergw") => Some("ExpressRoute"),
        _ => None,
    }
}

fn judge(
    topology: &Topology,
    reporter: &mut Reporter,
    gateway: &VirtualNetworkGateway,
    kind: &str,
    sku: &str,
) {
    let label = support::label(topology, &gateway.header);
    let node = &topology[gateway.header.resource];
    let mut defects: Vec<(Severity, String, Place, &str)> = Vec::new();
    let mut error = |message, place, advice| defects.push((Severity::Error, message, place, advice));
    let is_vpn = kind.eq_ignore_ascii_case("Vpn");
    let basic = sku.eq_ignore_ascii_case("Basic");
    if let Some(other) = type_of(sku).filter(|other| !other.eq_ignore_ascii_case(kind)) {
        let message = format!("gateway {label} of type {kind} has SKU {sku}, which is for type {other}");
        error(message, gateway.sku.place, "Take a SKU of the gateway's type.");
    }
    if is_vpn && gateway.vpn_type.is(&"PolicyBased".into()) && !basic {
        let message = format!("policy-based gateway {label} has SKU {sku}; only Basic can be policy-based");
        error(message, gateway.vpn_type.place, "Make it `RouteBased`.");
    }
    if is_vpn && gateway.active_active.is(&true) && basic {
        let message = format!("active-active gateway {label} has SKU Basic, which cannot be active-active");
        error(message, gateway.active_active.place, "Take a SKU of the `VpnGw` series.");
    }
    if is_vpn && basic {
        let bgp = node.values(&["bgp_enabled", "enable_bgp"], &["properties.enableBgp"]);
        if let Some((_, place)) = bgp.found.iter().find(|(value, _)| value.as_bool() == Some(true)) {
            let message = format!("gateway {label} speaks BGP and has SKU Basic, which does not");
            error(message, *place, "Take a SKU of the `VpnGw` series.");
        }
    }
    let count = gateway.ip_configurations.len();
    let counted = is_vpn && gateway.incomplete.is_none() && count > 0;
    if counted && gateway.active_active.is(&true) && count == 1 && !basic {
        let message = format!("active-active gateway {label} has one address; each instance needs one");
        let advice = "Give it a second IP configuration with a public address.";
        defects.push((Severity::Warning, message, gateway.active_active.place, advice));
    }
    if counted && gateway.active_active.is(&false) && count > 1 {
        let place = gateway.active_active.place;
        let message = format!("gateway {label} has {count} addresses and is not active-active");
        let advice = "Make it active-active, or leave it one IP configuration.";
        defects.push((Severity::Warning, message, place, advice));
    }
    if kind.eq_ignore_ascii_case("ExpressRoute") {
        let clients = node.values(
            &["vpn_client_configuration.address_space"],
            &["properties.vpnClientConfiguration.vpnClientAddressPool.addressPrefixes"],
        );
        if let Some((_, place)) = clients.found.first() {
            let message =
                format!("ExpressRoute gateway {label} has point-to-site settings, which are for VPN");
            defects.push((Severity::Warning, message, *place, "Remove them, or add a VPN gateway."));
        }
    }
    if defects.is_empty() {
        match gateway.incomplete.as_ref().or_else(|| gateway.active_active.unknown()).filter(|_| is_vpn) {
            Some(why) => reporter.undecided(gateway.header.place, why),
            None => reporter.satisfied(),
        }
    }
    for (severity, message, place, advice) in defects {
        let finding = reporter
            .finding_with(severity, message, place)
            .of(&gateway.header.resource_id)
            .advice(advice)
            .certain_if(gateway.header.is_certain());
        reporter.violated(finding);
    }
}

/// An end that a connection may have.
struct End {
    what: &'static str,
    terraform: &'static str,
    arm: &'static str,
    /// The type of connection that has it.
    kind: &'static str,
}

const ENDS: [End; 3] = [
    End {
        what: "local network gateway",
        terraform: "local_network_gateway_id",
        arm: "properties.localNetworkGateway2",
        kind: "IPsec",
    },
    End {
        what: "gateway on the other side",
        terraform: "peer_virtual_network_gateway_id",
        arm: "properties.virtualNetworkGateway2",
        kind: "Vnet2Vnet",
    },
    End {
        what: "circuit",
        terraform: "express_route_circuit_id",
        arm: "properties.peer",
        kind: "ExpressRoute",
    },
];

fn connection(topology: &Topology, reporter: &mut Reporter, node: &ResourceNode) {
    let kinds = node.values(&["type"], &["properties.connectionType"]);
    let Some(&(value, place)) = kinds.found.first() else {
        if let Some(why) = &kinds.unknown {
            reporter.undecided(node.place, why);
        }
        return;
    };
    let Some(kind) = value.as_str() else {
        if let Some(why) = value.first_unknown() {
            reporter.undecided(place, &why);
        }
        return;
    };
    let label = match node.name.known() {
        Some(name) => format!("connection `{name}`"),
        None => format!("connection `{}`", node.key.address),
    };
    let mut defects: Vec<(Severity, String, Place, String)> = Vec::new();
    if !ENDS.iter().any(|end| end.kind.eq_ignore_ascii_case(kind)) {
        return reporter.satisfied();
    }
    for end in &ENDS {
        let values = node.values(&[end.terraform], &[end.arm]);
        if end.kind.eq_ignore_ascii_case(kind) {
            // A module's parameter that is null unless given is another matter than an end that nobody thought of.
            let optional = node.language != Language::TerraformPlan && node.mentions(end.terraform, end.arm);
            if values.is_absent() && !optional {
                let message = format!("{label} is of type {kind} and has no {}", end.what);
                defects.push((Severity::Error, message, place, format!("Name the {}.", end.what)));
            }
        } else if let Some((value, place)) = values.found.first()
            && !matches!(value.kind, ValueKind::Unknown(_))
        {
            let message =
                format!("{label} is of type {kind} and has a {}, which is for {}", end.what, end.kind);
            defects.push((Severity::Warning, message, *place, "Remove it, or change the type.".into()));
        }
    }
    let wanted = if kind.eq_ignore_ascii_case("ExpressRoute") { "ExpressRoute" } else { "Vpn" };
    if let Some(gateway) = gateway_of(topology, node)
        && let Some(other) = gateway.gateway_type.known().filter(|other| !other.eq_ignore_ascii_case(wanted))
        && (other == "Vpn" || other == "ExpressRoute")
    {
        let gateway = support::label(topology, &gateway.header);
        let message = format!("{label} of type {kind} starts at gateway {gateway}, which is of type {other}");
        let advice = format!("Start it at a gateway of type `{wanted}`.");
        defects.push((Severity::Error, message, place, advice));
    }
    if defects.is_empty() {
        reporter.satisfied();
    }
    for (severity, message, place, advice) in defects {
        let finding = reporter
            .finding_with(severity, message, place)
            .of(&node.resource_id)
            .advice(advice)
            .certain_if(node.uncertain.is_none());
        reporter.violated(finding);
    }
}

/// The gateway that a connection starts at, where it is the only one that it refers to.
fn gateway_of<'a>(topology: &'a Topology, node: &ResourceNode) -> Option<&'a VirtualNetworkGateway> {
    let start = node.values(&["virtual_network_gateway_id"], &["properties.virtualNetworkGateway1.id"]);
    let [(value, _)] = start.found.as_slice() else { return None };
    if !matches!(value.kind, ValueKind::Reference(_)) {
        return None;
    }
    let mut gateways = topology
        .virtual_network_gateways
        .iter()
        .filter(|gateway| node.dependencies.contains(&gateway.header.resource));
    let gateway = gateways.next()?;
    (gateways.next().is_none() && gateway.header.is_certain()).then_some(gateway)
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
    let zones = |list: &List<EcoString>| {
        let mut zones: Vec<EcoString> = list.known().cloned().collect();
        zones.sort();
        (list.is_complete() && zones.len() == list.items.len()).then_some(zones)
    };
    let differs = |other: &PublicIp| {
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
