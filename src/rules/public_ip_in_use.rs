//! ## What it checks
//!
//! That a public address has one user: one address of an interface, a load balancer, a gateway, a firewall or a Bastion host, or
//! one NAT gateway.
//!
//! ## What Azure does
//!
//! A public address belongs to one IP configuration. The second resource that names it is refused: it "is referencing public IP address … that is
//! already allocated to resource …" or, inside one resource, `PublicIPReferencedByMultipleIPConfigs`.
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
//!   address_prefixes     = ["10.0.0.0/26"]
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
//!
//! resource "azurerm_nat_gateway" "main" {
//!   name                = "ng-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_nat_gateway_public_ip_association" "main" {
//!   nat_gateway_id       = azurerm_nat_gateway.main.id
//!   public_ip_address_id = azurerm_public_ip.main.id
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
//!   address_prefixes     = ["10.0.0.0/26"]
//! }
//!
//! resource "azurerm_public_ip" "main" {
//!   for_each            = toset(["bastion", "nat"])
//!   name                = "pip-${each.key}"
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
//!     public_ip_address_id = azurerm_public_ip.main["bastion"].id
//!   }
//! }
//!
//! resource "azurerm_nat_gateway" "main" {
//!   name                = "ng-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_nat_gateway_public_ip_association" "main" {
//!   nat_gateway_id       = azurerm_nat_gateway.main.id
//!   public_ip_address_id = azurerm_public_ip.main["nat"].id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! Addresses that are only looked up are not checked, nor users in two inputs, which may describe one resource in two ways. Where a user or
//! the address need not exist, the finding is possible.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses>
//! - <https://github.com/microsoft/azure-tools-for-java/issues/91>
//! - <https://github.com/kubernetes-sigs/cloud-provider-azure/issues/4243>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Header, Id, IpConfiguration, Link, Place, PublicIp, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "public-ip-in-use",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "a public address that two resources use",
    error_codes: &["PublicIPReferencedByMultipleIPConfigs", "message: that is already allocated to resource"],
    fix: None,
    pedantic: false,
    source: include_str!("public_ip_in_use.rs"),
    check,
};

/// A use of a public address.
struct Use<'a> {
    what: &'static str,
    owner: &'a Header,
    place: Place,
    /// Whether the owner may name an address twice: an association beside a list of its own.
    lists: bool,
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (address, uses) in uses(topology) {
        let address = &topology[address];
        if !address.header.is_managed() {
            continue;
        }
        let Some(first) = uses.first() else { continue };
        let Some(second) = uses.iter().skip(1).find(|other| clash(topology, first, other)) else {
            reporter.satisfied();
            continue;
        };
        if deployed_twice(topology, &address.header) {
            // Two resources that are to be told apart by names which the files leave open, such as generated ones.
            continue;
        }
        let label = |header| support::label(topology, header);
        let finding = reporter
            .finding(
                format!(
                    "public address {} is used by {} {} and by {} {}",
                    label(&address.header),
                    first.what,
                    label(first.owner),
                    second.what,
                    label(second.owner),
                ),
                second.place,
            )
            .of(&second.owner.resource_id)
            .between(&[first.owner, second.owner, &address.header])
            .related("used first here", first.place)
            .related_part("the other user", first.owner)
            .related_part("the public address", &address.header)
            .advice("Give each its own public address.")
            .certain_if([&address.header, first.owner, second.owner].into_iter().all(Header::is_certain));
        reporter.violated(finding);
    }
}

/// Whether several resources of one input stand for this address.
fn deployed_twice(topology: &Topology, header: &Header) -> bool {
    let own = &topology[header.resource];
    let same = |other: &&crate::topology::ResourceNode| {
        other.key.root == own.key.root
            && other.arm_type == own.arm_type
            && other.mode == own.mode
            && own.resource_id.is_some()
            && other.resource_id == own.resource_id
    };
    own.is_arm() && topology.resources.iter().filter(same).count() > 1
}

/// Whether two uses exclude each other.
fn clash(topology: &Topology, a: &Use, b: &Use) -> bool {
    let (one, two) = (&topology[a.owner.resource], &topology[b.owner.resource]);
    if a.owner.resource == b.owner.resource {
        return !a.lists;
    }
    // Two inputs may describe one deployment, and one template may deploy a resource more than once.
    let same_name = match (a.owner.name.known(), b.owner.name.known()) {
        (Some(x), Some(y)) => a.what == b.what && x.eq_ignore_ascii_case(y),
        _ => false,
    };
    one.key.root == two.key.root && !(same_name && one.is_arm())
}

/// Every public address with what uses it, in the order of the model.
fn uses(topology: &Topology) -> BTreeMap<Id<PublicIp>, Vec<Use<'_>>> {
    let mut all: BTreeMap<Id<PublicIp>, Vec<Use>> = BTreeMap::new();
    let mut note = |what, owner, link: &Link<PublicIp>, lists| {
        let owner: &Header = owner;
        if let Some(id) = link.to()
            && owner.is_managed()
        {
            all.entry(id).or_default().push(Use { what, owner, place: link.place, lists });
        }
    };
    let mut several = |what, owner, configurations: &[IpConfiguration]| {
        for configuration in configurations {
            note(what, owner, &configuration.public_ip, false);
        }
    };
    for interface in &topology.network_interfaces {
        several("interface", &interface.header, &interface.ip_configurations);
    }
    for balancer in &topology.load_balancers {
        several("load balancer", &balancer.header, &balancer.frontends);
    }
    for gateway in &topology.application_gateways {
        several("application gateway", &gateway.header, &gateway.frontends);
    }
    for gateway in &topology.virtual_network_gateways {
        several("virtual network gateway", &gateway.header, &gateway.ip_configurations);
    }
    for firewall in &topology.firewalls {
        several("firewall", &firewall.header, &firewall.ip_configurations);
        several("firewall", &firewall.header, &firewall.management_ip_configurations);
    }
    for host in &topology.bastions {
        several("Bastion host", &host.header, &host.ip_configurations);
    }
    for gateway in &topology.nat_gateways {
        for link in &gateway.public_ips {
            note("NAT gateway", &gateway.header, link, true);
        }
    }
    all
}
