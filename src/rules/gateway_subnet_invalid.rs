//! ## What it checks
//!
//! That VPN and ExpressRoute gateways, Azure Firewall with its management interface, Bastion and Route Server stand in the subnet whose name
//! is reserved for them, and that a network has at most one gateway of each type.
//!
//! ## What Azure does
//!
//! The control plane looks at the name: `GatewaySubnet`, `AzureFirewallSubnet`, `AzureFirewallManagementSubnet`,
//! `AzureBastionSubnet`, `RouteServerSubnet`. A subnet of another name is refused, however large it is; so is a second gateway of one type.
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
//!   name                 = "snet-bastion"
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
//! When the name of the subnet is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings>
//! - <https://learn.microsoft.com/azure/firewall/firewall-faq>
//! - <https://learn.microsoft.com/azure/bastion/configuration-settings>
//! - <https://learn.microsoft.com/azure/expressroute/expressroute-about-virtual-network-gateways>
//! - <https://learn.microsoft.com/azure/route-server/route-server-faq>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Header, IpConfiguration, Occupancy, Topology, VirtualNetworkGateway};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "gateway-subnet-invalid",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "a gateway, firewall or Bastion host outside of the subnet that is reserved for it",
    error_codes: &["message: to reference a gateway subnet with name GatewaySubnet"],
    fix: None,
    pedantic: false,
    source: include_str!("gateway_subnet_invalid.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for gateway in &topology.virtual_network_gateways {
        for configuration in &gateway.ip_configurations {
            judge(
                topology,
                reporter,
                "virtual network gateway",
                &gateway.header,
                configuration,
                "GatewaySubnet",
            );
        }
    }
    for firewall in &topology.firewalls {
        for configuration in &firewall.ip_configurations {
            judge(topology, reporter, "firewall", &firewall.header, configuration, "AzureFirewallSubnet");
        }
        for configuration in &firewall.management_ip_configurations {
            let name = "AzureFirewallManagementSubnet";
            judge(
                topology,
                reporter,
                "the management interface of firewall",
                &firewall.header,
                configuration,
                name,
            );
        }
    }
    for host in &topology.bastions {
        for configuration in &host.ip_configurations {
            judge(topology, reporter, "Bastion host", &host.header, configuration, "AzureBastionSubnet");
        }
    }
    for occupancy in topology.occupancies.iter().filter(|occupancy| occupancy.kind == ROUTE_SERVER) {
        route_server(topology, reporter, occupancy);
    }
    one_of_each_type(topology, reporter);
}

/// The kind of occupant that a Route Server is.
const ROUTE_SERVER: &str = "Microsoft.Network/virtualHubs/ipConfigurations";

fn route_server(topology: &Topology, reporter: &mut Reporter, occupancy: &Occupancy) {
    let resource = &topology[occupancy.resource];
    let Some(subnet) = occupancy.subnet.to().map(|id| &topology[id]) else {
        if let Some(why) = occupancy.subnet.unknown() {
            reporter.undecided(occupancy.place, why);
        }
        return;
    };
    let Some(name) = subnet.header.name.known() else {
        if let Some(why) = subnet.header.name.unknown() {
            reporter.undecided(occupancy.place, why);
        }
        return;
    };
    if name.eq_ignore_ascii_case("RouteServerSubnet") {
        return reporter.satisfied();
    }
    let finding = reporter
        .finding(
            format!(
                "Route Server `{}` stands in subnet `{name}`; Azure takes only one named `RouteServerSubnet`",
                resource.name.known().unwrap_or(&resource.key.address)
            ),
            occupancy.place,
        )
        .of(&resource.resource_id)
        .related_part("the subnet", &subnet.header)
        .related("its name", subnet.header.name.place)
        .advice("Name the subnet `RouteServerSubnet`.")
        .certain_if(resource.uncertain.is_none() && subnet.header.is_certain());
    reporter.violated(finding);
}

fn judge(
    topology: &Topology,
    reporter: &mut Reporter,
    what: &str,
    header: &Header,
    configuration: &IpConfiguration,
    wanted: &str,
) {
    if !header.is_managed() {
        return;
    }
    let Some(subnet) = configuration.subnet.to().map(|id| &topology[id]) else {
        if let Some(why) = configuration.subnet.unknown() {
            reporter.undecided(configuration.subnet.place, why);
        }
        return;
    };
    let Some(name) = subnet.header.name.known() else {
        if let Some(why) = subnet.header.name.unknown() {
            reporter.undecided(configuration.subnet.place, why);
        }
        return;
    };
    if name.eq_ignore_ascii_case(wanted) {
        return reporter.satisfied();
    }
    let finding = reporter
        .finding(
            format!(
                "{what} {} stands in subnet `{name}`; Azure takes only one named `{wanted}`",
                support::label(topology, header)
            ),
            configuration.subnet.place,
        )
        .of(&header.resource_id)
        .related_part("the subnet", &subnet.header)
        .related("its name", subnet.header.name.place)
        .advice(format!("Name the subnet `{wanted}`."))
        .certain_if(header.is_certain() && subnet.header.is_certain());
    reporter.violated(finding);
}

/// A network takes one VPN and one ExpressRoute gateway.
fn one_of_each_type(topology: &Topology, reporter: &mut Reporter) {
    let mut taken: BTreeMap<(usize, &str), &VirtualNetworkGateway> = BTreeMap::new();
    for gateway in topology.virtual_network_gateways.iter().filter(|gateway| gateway.header.is_managed()) {
        let subnet = gateway.ip_configurations.iter().find_map(|configuration| configuration.subnet.to());
        let Some(network) = subnet.and_then(|subnet| topology[subnet].network.to()) else { continue };
        let Some(kind) = gateway.gateway_type.known() else { continue };
        let Some(first) = taken.get(&(network.index(), kind.as_str())) else {
            taken.insert((network.index(), kind), gateway);
            continue;
        };
        if first.header.resource == gateway.header.resource {
            continue;
        }
        let finding = reporter
            .finding(
                format!(
                    "network {} has two gateways of type {kind}: {} and {}",
                    support::label(topology, &topology[network].header),
                    support::label(topology, &first.header),
                    support::label(topology, &gateway.header)
                ),
                gateway.header.place,
            )
            .of(&gateway.header.resource_id)
            .related_part("the first one", &first.header)
            .advice("Keep one gateway of each type in a network.")
            .certain_if(gateway.header.is_certain() && first.header.is_certain());
        reporter.violated(finding);
    }
}
