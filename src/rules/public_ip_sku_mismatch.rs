//! ## What it checks
//!
//! That a public address has the SKU and the allocation that the thing which uses it takes: VPN and ExpressRoute gateways, Bastion,
//! Azure Firewall, NAT gateways, application gateways of the second generation, load balancers, Route Server, API Management; that a
//! Standard address is static, and a Basic one has neither zones nor the global tier; that an address of the global tier is given to
//! load balancers only; that a zone-redundant gateway SKU has an address with zones; and that a NAT gateway and its addresses are both
//! of the SKU StandardV2, or neither is. That a Basic address should be replaced where
//! nothing refuses it yet, or that an address should have zones, is advice of other analyzers and not given here.
//!
//! ## What Azure does
//!
//! All of these refuse Basic addresses, a load balancer refuses an address of the other SKU, and a Standard address cannot be dynamic.
//! A zone-redundant gateway on an address without zones is refused in regions where addresses are not zone-redundant by themselves;
//! that is a warning.
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
//! resource "azurerm_subnet" "bastion" {
//!   name                 = "AzureBastionSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//! }
//!
//! resource "azurerm_public_ip" "main" {
//!   name                = "pip-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Basic"
//! }
//!
//! resource "azurerm_bastion_host" "main" {
//!   name                = "bas-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                 = "main"
//!     subnet_id            = azurerm_subnet.bastion.id
//!     public_ip_address_id = azurerm_public_ip.main.id
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
//! resource "azurerm_subnet" "bastion" {
//!   name                 = "AzureBastionSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
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
//! resource "azurerm_bastion_host" "main" {
//!   name                = "bas-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                 = "main"
//!     subnet_id            = azurerm_subnet.bastion.id
//!     public_ip_address_id = azurerm_public_ip.main.id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the SKU of one side is not known, or is left to a default that depends on the version of the provider.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses>
//! - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings>
//! - <https://learn.microsoft.com/azure/bastion/configuration-settings>
//! - <https://learn.microsoft.com/azure/nat-gateway/nat-overview>
//! - <https://learn.microsoft.com/azure/load-balancer/skus>
//! - <https://learn.microsoft.com/azure/load-balancer/cross-region-overview>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/public_ip>

use std::sync::Arc;

use ecow::EcoString;

use super::{Context, Reporter, Rule, support};
use crate::analysis::public_addresses::{self, Use, User};
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Field, Id, PublicIp, Topology};
use crate::value::Unknown;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "public-ip-sku-mismatch",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "a public address of a SKU or allocation that its user refuses",
    error_codes: &[
        "PublicIpWithBasicSkuNotAllowedOnExpressRouteGateways",
        "PublicIpWithBasicSkuNotAllowedOnVPNGateways",
        "VmssVpnGatewayPublicIpsMustHaveZonesConfigured",
        "PublicIPAndLBSkuDoNotMatch",
    ],
    fix: Some("makes the public address Standard and static"),
    pedantic: false,
    source: include_str!("public_ip_sku_mismatch.rs"),
    check,
};

/// What it takes.
enum Demand<'a> {
    /// No Basic address, nothing dynamic.
    Standard,
    /// The same, and zones for this SKU, which is zone-redundant.
    Zones(&'a str),
    /// The SKU of the load balancer.
    Same(&'a Field<EcoString>),
    /// The generation of the NAT gateway, Standard or StandardV2.
    Generation(&'a Field<EcoString>),
    /// Cannot be told.
    Unknown(&'a Arc<Unknown>),
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, address) in topology.all::<PublicIp>().filter(|(_, address)| address.header.is_managed()) {
        if address.sku.known().is_some_and(|sku| sku != "Basic") && is(&address.allocation, "Dynamic") {
            let finding = reporter
                .finding(
                    format!(
                        "public address {} is of the Standard SKU and dynamic",
                        support::label(topology, &address.header)
                    ),
                    address.allocation.place,
                )
                .of(&address.header.resource_id)
                .advice("Make it `Static`; Standard addresses cannot be dynamic.")
                .fix(is(&address.sku, "Standard").then(|| standard(id)))
                .certain_if(address.header.is_certain());
            reporter.violated(finding);
        }
        basic_only(topology, reporter, id);
    }
    for usage in public_addresses::uses(topology) {
        let Some(id) = usage.address.to() else { continue };
        if !topology[id].header.is_managed() || !usage.user.header().is_managed() {
            continue;
        }
        match demand(usage.user) {
            _ if global(topology, reporter, &usage, id) => {}
            Some(demand) => judge(topology, reporter, &usage, &demand, id),
            None => reporter.satisfied(),
        }
    }
}

/// What an address of the Basic SKU cannot have: zones, and the global tier.
fn basic_only(topology: &Topology, reporter: &mut Reporter, id: Id<PublicIp>) {
    let address = &topology[id];
    if !is(&address.sku, "Basic") {
        return;
    }
    // azurerm 2.x has a word for having none.
    let zone = address
        .zones
        .items
        .iter()
        .find(|zone| zone.known().is_some_and(|zone| !zone.eq_ignore_ascii_case("No-Zone")));
    // Azure has taken zones in the past, though they are documented for Standard addresses only.
    let (severity, has, place) = match zone {
        Some(zone) => (Severity::Warning, "has zones", zone.place),
        None if is(&address.tier, "Global") => (Severity::Error, "is of the global tier", address.tier.place),
        None => return reporter.satisfied(),
    };
    let message = format!(
        "public address {} {has}, which the Basic SKU does not offer",
        support::label(topology, &address.header)
    );
    let finding = reporter
        .finding_with(severity, message, place)
        .of(&address.header.resource_id)
        .related("its SKU", address.sku.place)
        .advice("Make the public address `Standard` and `Static`.")
        .fix(standard(id))
        .certain_if(address.header.is_certain());
    reporter.violated(finding);
}

fn is(field: &Field<EcoString>, value: &str) -> bool {
    field.known().is_some_and(|known| known == value)
}

/// What a user takes; `None` where it takes any address, or where that is not known of it.
fn demand<'a>(user: User<'a>) -> Option<Demand<'a>> {
    Some(match user {
        User::VirtualNetworkGateway(gateway) => match (gateway.sku.known(), gateway.gateway_type.known()) {
            (Some(sku), Some(kind)) if kind == "Vpn" && sku.eq_ignore_ascii_case("Basic") => return None,
            (Some(sku), _) if sku.to_ascii_lowercase().ends_with("az") => Demand::Zones(sku),
            (Some(_), Some(_)) => Demand::Standard,
            _ => Demand::Unknown(gateway.sku.unknown().or_else(|| gateway.gateway_type.unknown())?),
        },
        User::Bastion(_) | User::Firewall(_) | User::Other(..) => Demand::Standard,
        User::NatGateway(gateway) => Demand::Generation(&gateway.sku),
        User::ApplicationGateway(gateway) => {
            let second =
                gateway.sku_tier.known().is_some_and(|tier| tier.to_ascii_lowercase().ends_with("_v2"));
            return second.then_some(Demand::Standard);
        }
        User::LoadBalancer(balancer) => Demand::Same(&balancer.sku),
        User::Interface(_) => return None,
    })
}

/// Whether a SKU is of the second generation.
fn second(sku: &str) -> bool {
    sku.eq_ignore_ascii_case("StandardV2")
}

fn standard(address: Id<PublicIp>) -> Fix {
    Fix::new("Make the public address `Standard` and `Static`", Change::MakeStandard { address })
}

/// Whether an address of the global tier is given to something other than a load balancer of that tier.
fn global(topology: &Topology, reporter: &mut Reporter, usage: &Use, id: Id<PublicIp>) -> bool {
    let address = &topology[id];
    if !is(&address.tier, "Global") || matches!(usage.user, User::LoadBalancer(_)) {
        return false;
    }
    let header = usage.user.header();
    let message = format!(
        "{} {} has public address {} of the global tier, which is for cross-region load balancers",
        usage.user.what(),
        support::label(topology, header),
        support::label(topology, &address.header)
    );
    let finding = reporter
        .finding(message, usage.address.place)
        .of(&header.resource_id)
        .related_part("the public address", &address.header)
        .related("its tier", address.tier.place)
        .advice("Make the public address `Regional`.")
        .certain_if(header.is_certain() && address.header.is_certain());
    reporter.violated(finding);
    true
}

fn judge(topology: &Topology, reporter: &mut Reporter, usage: &Use, demand: &Demand, id: Id<PublicIp>) {
    let address = &topology[id];
    let header = usage.user.header();
    let unknown = match demand {
        Demand::Unknown(why) => Some(*why),
        Demand::Same(sku) | Demand::Generation(sku) => sku.unknown(),
        Demand::Standard | Demand::Zones(_) => None,
    };
    if let Some(why) = unknown.or_else(|| address.sku.unknown()) {
        reporter.undecided(usage.address.place, why);
        return;
    }
    let sku = address.sku.known().map_or("Basic", |sku| sku.as_str());
    let (severity, defect, advice) = match demand {
        Demand::Same(balancer) => match balancer.known() {
            Some(balancer) if (balancer == "Standard" || balancer == "Basic") && balancer != sku => (
                Severity::Error,
                format!("of SKU {balancer} has public address {{}} of SKU {sku}"),
                "Give the load balancer and its public addresses the same SKU; Standard is the one that stays.",
            ),
            _ => return reporter.satisfied(),
        },
        _ if sku == "Basic" => (
            Severity::Error,
            "has public address {} of SKU Basic, which it refuses".into(),
            "Make the public address `Standard` and `Static`.",
        ),
        Demand::Generation(own) => match own.known() {
            Some(own) if second(own) != second(sku) => (
                Severity::Error,
                format!("of SKU {own} has public address {{}} of SKU {sku}"),
                "Give the NAT gateway and its public addresses the same SKU, Standard or StandardV2.",
            ),
            _ => return reporter.satisfied(),
        },
        Demand::Zones(kind) if address.zones.is_certainly_empty() => (
            Severity::Warning,
            format!("of the zone-redundant SKU {kind} has public address {{}} without zones"),
            "Give the public address the zones of the region.",
        ),
        _ => return reporter.satisfied(),
    };
    let message = format!(
        "{} {} {}",
        usage.user.what(),
        support::label(topology, header),
        defect.replace("{}", &support::label(topology, &address.header))
    );
    let finding = reporter
        .finding_with(severity, message, usage.address.place)
        .of(&header.resource_id)
        .related_part("the public address", &address.header)
        .related("its SKU", address.sku.place)
        .advice(advice)
        // Beside a Basic load balancer, it is for the author to say which of the two changes.
        .fix((sku == "Basic").then(|| standard(id)))
        .certain_if(header.is_certain() && address.header.is_certain());
    reporter.violated(finding);
}
