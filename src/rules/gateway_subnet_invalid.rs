//! ## What it checks
//!
//! That VPN and ExpressRoute gateways, Azure Firewall with its management interface, Bastion and Route Server stand in the subnet whose
//! name is reserved for them, and that a network has at most one gateway of each type. Whether a network with a gateway should also
//! have a firewall or a Bastion host, as some analyzers ask, is a matter of policy and not checked.
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
//! - <https://learn.microsoft.com/azure/route-server/route-server-faq>
//! - <https://learn.microsoft.com/azure/expressroute/expressroute-about-virtual-network-gateways>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, occupants, support};
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Header, IpConfiguration, Link, Occupancy, Subnet, Topology, VirtualNetworkGateway};

/// The kind of occupant that Route Server is, in the knowledge base.
const ROUTE_SERVER: &str = "Microsoft.Network/virtualHubs/ipConfigurations";

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "gateway-subnet-invalid",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "a gateway, firewall, Bastion host or Route Server outside of the subnet that is reserved for it",
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
            let what = "virtual network gateway";
            judge_part(topology, reporter, what, &gateway.header, configuration, "GatewaySubnet");
        }
    }
    for firewall in &topology.firewalls {
        for configuration in &firewall.ip_configurations {
            judge_part(
                topology,
                reporter,
                "firewall",
                &firewall.header,
                configuration,
                "AzureFirewallSubnet",
            );
        }
        for configuration in &firewall.management_ip_configurations {
            let name = "AzureFirewallManagementSubnet";
            let what = "the management interface of firewall";
            judge_part(topology, reporter, what, &firewall.header, configuration, name);
        }
    }
    for host in &topology.bastions {
        for configuration in &host.ip_configurations {
            judge_part(topology, reporter, "Bastion host", &host.header, configuration, "AzureBastionSubnet");
        }
    }
    // Route Servers are no parts of the model, but occupants of subnets.
    for (id, occupancy) in topology.all::<Occupancy>().filter(|(_, one)| one.kind == ROUTE_SERVER) {
        let Some(resident) = occupants::resident(topology, id) else { continue };
        let Some(name) = &resident.row.subnet_name else { continue };
        if resident.resource.mode == Mode::Managed {
            let id = &resident.resource.resource_id;
            judge(reporter, topology, &resident.label(), id, resident.is_certain(), &occupancy.subnet, name);
        }
    }
    one_of_each_type(topology, reporter);
}

fn judge_part(
    topology: &Topology,
    reporter: &mut Reporter,
    what: &str,
    header: &Header,
    configuration: &IpConfiguration,
    wanted: &str,
) {
    if header.is_managed() {
        let label = format!("{what} {}", support::label(topology, header));
        judge(
            reporter,
            topology,
            &label,
            &header.resource_id,
            header.is_certain(),
            &configuration.subnet,
            wanted,
        );
    }
}

fn judge(
    reporter: &mut Reporter,
    topology: &Topology,
    label: &str,
    resource_id: &Option<String>,
    certain: bool,
    link: &Link<Subnet>,
    wanted: &str,
) {
    let Some(subnet) = link.to().map(|id| &topology[id]) else {
        if let Some(why) = link.unknown() {
            reporter.undecided(link.place, why);
        }
        return;
    };
    let Some(name) = subnet.header.name.known() else {
        if let Some(why) = subnet.header.name.unknown() {
            reporter.undecided(link.place, why);
        }
        return;
    };
    if name.eq_ignore_ascii_case(wanted) {
        return reporter.satisfied();
    }
    let finding = reporter
        .finding(
            format!("{label} stands in subnet `{name}`; Azure takes only one named `{wanted}`"),
            link.place,
        )
        .of(resource_id)
        .related_part("the subnet", &subnet.header)
        .related("its name", subnet.header.name.place)
        .advice(format!("Name the subnet `{wanted}`."))
        .certain_if(certain && subnet.header.is_certain());
    reporter.violated(finding);
}

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
