//! ## What it checks
//!
//! That the application security groups that one security rule names have their members in one virtual network, and that all
//! members of one group are in one network. Interfaces are followed to their subnets and networks.
//!
//! ## What Azure does
//!
//! Azure refuses the rule, or the association that comes second: the first member of a group decides its network, and all groups
//! of a rule must be of one. Peered networks are different networks.
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
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_virtual_network" "other" {
//!   name                = "vnet-other"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "other" {
//!   name                 = "snet-other"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.other.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_application_security_group" "web" {
//!   name                = "asg-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_application_security_group" "db" {
//!   name                = "asg-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_network_interface_application_security_group_association" "web" {
//!   network_interface_id          = azurerm_network_interface.web.id
//!   application_security_group_id = azurerm_application_security_group.web.id
//! }
//!
//! resource "azurerm_network_interface" "db" {
//!   name                = "nic-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.other.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_network_interface_application_security_group_association" "db" {
//!   network_interface_id          = azurerm_network_interface.db.id
//!   application_security_group_id = azurerm_application_security_group.db.id
//! }
//!
//! resource "azurerm_network_security_group" "db" {
//!   name                = "nsg-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_network_security_rule" "web_to_db" {
//!   name                                       = "web-to-db"
//!   resource_group_name                        = "rg"
//!   network_security_group_name                = azurerm_network_security_group.db.name
//!   priority                                   = 100
//!   direction                                  = "Inbound"
//!   access                                     = "Allow"
//!   protocol                                   = "Tcp"
//!   source_port_range                          = "*"
//!   destination_port_range                     = "1433"
//!   source_application_security_group_ids      = [azurerm_application_security_group.web.id]
//!   destination_application_security_group_ids = [azurerm_application_security_group.db.id]
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
//! resource "azurerm_subnet" "web" {
//!   name                 = "snet-web"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_virtual_network" "other" {
//!   name                = "vnet-other"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "other" {
//!   name                 = "snet-other"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.other.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_application_security_group" "db" {
//!   name                = "asg-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_network_interface" "web" {
//!   name                = "nic-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.web.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_network_interface" "db" {
//!   name                = "nic-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.other.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_network_interface_application_security_group_association" "db" {
//!   network_interface_id          = azurerm_network_interface.db.id
//!   application_security_group_id = azurerm_application_security_group.db.id
//! }
//!
//! resource "azurerm_network_security_group" "db" {
//!   name                = "nsg-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_network_security_rule" "web_to_db" {
//!   name                                       = "web-to-db"
//!   resource_group_name                        = "rg"
//!   network_security_group_name                = azurerm_network_security_group.db.name
//!   priority                                   = 100
//!   direction                                  = "Inbound"
//!   access                                     = "Allow"
//!   protocol                                   = "Tcp"
//!   source_port_range                          = "*"
//!   destination_port_range                     = "1433"
//!   source_address_prefix                      = "10.0.1.0/24"
//!   destination_application_security_group_ids = [azurerm_application_security_group.db.id]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known of which network an interface or of which group it is; members outside of the input are not seen.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/application-security-groups>
//! - <https://github.com/Azure/azure-sdk-for-java/issues/34158>

use super::{Context, Reporter, Rule, support};
use crate::analysis::hosts::{self, Host};
use crate::finding::{Category, Severity};
use crate::topology::{
    ApplicationSecurityGroup, Id, Link, Place, RuleEndpoint, SecurityRule, Topology, VirtualNetwork,
};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "asg-across-vnets",
    category: Category::Nsg,
    severity: Severity::Error,
    summary: "application security groups of one rule, or members of one group, in different networks",
    error_codes: &["AllApplicationSecurityGroupsInSecurityRuleMustBeFromSameVnet"],
    fix: None,
    pedantic: false,
    source: include_str!("asg_across_vnets.rs"),
    check,
};

/// A member of an application security group.
#[derive(Clone, Copy)]
struct Member<'a> {
    host: Host<'a>,
    network: Id<VirtualNetwork>,
    place: Place,
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut members: Vec<Vec<Member>> = vec![Vec::new(); topology.application_security_groups.len()];
    for host in hosts::all(topology).into_iter().filter(|host| host.header.is_managed()) {
        let network = host.first_configuration().and_then(|configuration| configuration.subnet.to());
        let Some(network) = network.and_then(|subnet| topology[subnet].network.to()) else { continue };
        for link in host.groups {
            let Some(list) = link.to().and_then(|group| members.get_mut(group.index())) else { continue };
            list.push(Member { host, network, place: link.place });
        }
    }
    for (id, group) in topology.all::<ApplicationSecurityGroup>() {
        let Some(list) = members.get(id.index()).filter(|list| list.len() > 1) else { continue };
        match apart(topology, list, list) {
            None => reporter.satisfied(),
            Some((first, other)) => {
                let message = format!(
                    "application security group {} has members in {} and in {}",
                    support::label(topology, &group.header),
                    support::label(topology, &topology[first.network].header),
                    support::label(topology, &topology[other.network].header),
                );
                let finding = reporter
                    .finding(message, other.place)
                    .of(&other.host.owner.resource_id)
                    .between(&[&group.header])
                    .related_part("the group", &group.header)
                    .related("the first member joins here", first.place)
                    .related_part("the first member", first.host.owner)
                    .related_part("the other member", other.host.owner)
                    .advice("Make one application security group for each network.")
                    .certain_if(group.header.is_certain() && is_certain(topology, &[&first, &other]));
                reporter.violated(finding);
            }
        }
    }
    let rules = topology.security_groups.iter().flat_map(|group| group.rules.known());
    for rule in rules.filter(|rule| rule.header.is_managed()) {
        check_rule(topology, reporter, rule, &members);
    }
}

fn check_rule(topology: &Topology, reporter: &mut Reporter, rule: &SecurityRule, members: &[Vec<Member>]) {
    let groups = |side: &RuleEndpoint| side.groups.iter().filter_map(Link::to).collect::<Vec<_>>();
    let mut named = groups(&rule.source);
    named.extend(groups(&rule.destination));
    if named.len() < 2 {
        return;
    }
    let of = |group: &Id<ApplicationSecurityGroup>| members.get(group.index()).map_or(&[][..], Vec::as_slice);
    for (position, group) in named.iter().enumerate() {
        for other in named.iter().take(position).filter(|other| *other != group) {
            let Some((first, second)) = apart(topology, of(other), of(group)) else { continue };
            let label = |id: &Id<ApplicationSecurityGroup>| support::label(topology, &topology[*id].header);
            let message = format!(
                "security rule {} names {}, whose members are in {}, and {}, whose members are in {}",
                support::label(topology, &rule.header),
                label(other),
                support::label(topology, &topology[first.network].header),
                label(group),
                support::label(topology, &topology[second.network].header),
            );
            let link = rule.destination.groups.iter().chain(&rule.source.groups);
            let place = link.into_iter().find(|link| link.to() == Some(*group)).map(|link| link.place);
            let finding = reporter
                .finding(message, place.unwrap_or(rule.header.place))
                .of(&rule.header.resource_id)
                .related(
                    format!("{} joins {} here", support::label(topology, first.host.owner), label(other)),
                    first.place,
                )
                .related(
                    format!("{} joins {} here", support::label(topology, second.host.owner), label(group)),
                    second.place,
                )
                .related_part("the network of the one", &topology[first.network].header)
                .related_part("the network of the other", &topology[second.network].header)
                .advice("Name the addresses of the subnet in the other network instead of its group.")
                .certain_if(rule.header.is_certain() && is_certain(topology, &[&first, &second]));
            reporter.violated(finding);
            return;
        }
    }
    reporter.satisfied();
}

/// Two members that certainly are in different networks.
fn apart<'a>(
    topology: &Topology,
    one: &[Member<'a>],
    other: &[Member<'a>],
) -> Option<(Member<'a>, Member<'a>)> {
    // All members of a group are in the network of its first: what differs from one differs from all, or the group has the
    // defect itself.
    let first = one.first()?;
    let second = other.iter().find(|m| support::certainly_distinct(topology, first.network, m.network))?;
    Some((*first, *second))
}

fn is_certain(topology: &Topology, members: &[&Member]) -> bool {
    members.iter().all(|member| {
        member.host.header.is_certain()
            && member.host.owner.is_certain()
            && topology[member.network].header.is_certain()
    })
}
