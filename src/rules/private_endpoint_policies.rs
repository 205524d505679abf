//! ## What it checks
//!
//! The network policies of subnets. A private link service takes its addresses from a subnet on which the policies for such services are
//! off. And the inbound rules of a security group apply to private endpoints only where the policies for endpoints are on: a note,
//! for a subnet that holds nothing but endpoints and has a group with inbound rules of its own.
//!
//! ## What Azure does
//!
//! The policies for private link services are on unless they are switched off, and then the service is refused
//! (`PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled`). A private endpoint is accepted either way; with the
//! policies off, which is the default, security groups and routes pass it by.
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
//! resource "azurerm_subnet" "nat" {
//!   name                 = "snet-nat"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//!
//! resource "azurerm_lb" "main" {
//!   name                = "lb-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name      = "main"
//!     subnet_id = azurerm_subnet.app.id
//!   }
//! }
//!
//! resource "azurerm_private_link_service" "main" {
//!   name                = "pls-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   load_balancer_frontend_ip_configuration_ids = [azurerm_lb.main.frontend_ip_configuration[0].id]
//!
//!   nat_ip_configuration {
//!     name      = "primary"
//!     subnet_id = azurerm_subnet.nat.id
//!     primary   = true
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_subnet" "nat" {
//!   name                 = "snet-nat"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//!
//!   private_link_service_network_policies_enabled = false
//! }
//!
//! resource "azurerm_lb" "main" {
//!   name                = "lb-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name      = "main"
//!     subnet_id = azurerm_subnet.app.id
//!   }
//! }
//!
//! resource "azurerm_private_link_service" "main" {
//!   name                = "pls-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   load_balancer_frontend_ip_configuration_ids = [azurerm_lb.main.frontend_ip_configuration[0].id]
//!
//!   nat_ip_configuration {
//!     name      = "primary"
//!     subnet_id = azurerm_subnet.nat.id
//!     primary   = true
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the policies are not known: a variable without a value; for private endpoints also where the default depends on a provider
//! version that nothing names. Subnets that are only looked up are as they are.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/private-link/disable-private-link-service-network-policy>
//! - <https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy>
//! - <https://learn.microsoft.com/troubleshoot/azure/private-link/troubleshoot-private-endpoint-creation>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Direction, PrivateEndpoint, PrivateLinkService, SecurityGroup, State, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-endpoint-policies",
    category: Category::PrivateEndpoint,
    severity: Severity::Error,
    summary: "network policies of a subnet that a private link service needs off, or a private endpoint's security group needs on",
    error_codes: &["PrivateLinkServiceCannotBeCreatedInSubnetThatHasNetworkPoliciesEnabled"],
    fix: None,
    pedantic: false,
    source: include_str!("private_endpoint_policies.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for service in context.topology.private_link_services.iter().filter(|service| service.header.is_managed())
    {
        link_service(context, reporter, service);
    }
    for endpoint in context.topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed())
    {
        endpoint_with_group(context, reporter, endpoint);
    }
}

fn link_service(context: &Context, reporter: &mut Reporter, service: &PrivateLinkService) {
    let topology = context.topology;
    let mut told = Vec::new();
    for link in &service.subnets {
        let Some(id) = link.to() else {
            if let Some(why) = link.unknown() {
                reporter.undecided(link.place, why);
            }
            continue;
        };
        if told.contains(&id) {
            continue;
        }
        told.push(id);
        let subnet = &topology[id];
        if !subnet.header.is_managed() {
            continue;
        }
        let policies = &subnet.private_link_service_network_policies;
        match &policies.state {
            State::Known(state) if state.eq_ignore_ascii_case("Enabled") => {}
            State::Unknown(why) => {
                reporter.undecided(policies.place, why);
                continue;
            }
            _ => {
                reporter.satisfied();
                continue;
            }
        }
        let finding = reporter
            .finding(
                format!(
                    "private link service {} takes its addresses from subnet {}, whose network policies for such services are on",
                    support::label(topology, &service.header),
                    support::label(topology, &subnet.header),
                ),
                link.place,
            )
            .of(&service.header.resource_id)
            .related("the subnet's policies", policies.place)
            .related_part("the subnet", &subnet.header)
            .advice("Set `private_link_service_network_policies_enabled = false` (`privateLinkServiceNetworkPolicies: 'Disabled'`) on the subnet.")
            .certain_if(service.header.is_certain() && subnet.header.is_certain());
        reporter.violated(finding);
    }
}

/// A security group that was written for the endpoints of a subnet and does not apply to them.
fn endpoint_with_group(context: &Context, reporter: &mut Reporter, endpoint: &PrivateEndpoint) {
    let topology = context.topology;
    let Some(subnet) = endpoint.subnet.to().map(|id| &topology[id]) else { return };
    let Some(group) = subnet.security_group.to().map(|id| &topology[id]) else { return };
    if !subnet.header.is_managed() || !is_for_endpoints(context, subnet, group) {
        return;
    }
    let policies = &subnet.private_endpoint_network_policies;
    match &policies.state {
        State::Known(state) if applies_to_groups(state) => return reporter.satisfied(),
        State::Known(_) => {}
        State::Absent => return,
        State::Unknown(why) => return reporter.undecided(policies.place, why),
    }
    let finding = reporter
        .finding_with(
            Severity::Note,
            format!(
                "the inbound rules of security group {} do not apply to private endpoint {}: the policies of subnet {} are off",
                support::label(topology, &group.header),
                support::label(topology, &endpoint.header),
                support::label(topology, &subnet.header),
            ),
            policies.place,
        )
        .of(&subnet.header.resource_id)
        .related("the group is attached here", subnet.security_group.place)
        .related_part("the endpoint", &endpoint.header)
        .advice("Set `private_endpoint_network_policies` (`privateEndpointNetworkPolicies`) to `NetworkSecurityGroupEnabled` or `Enabled`.")
        .certain_if(
            endpoint.header.is_certain() && subnet.header.is_certain() && group.header.is_certain(),
        );
    reporter.violated(finding);
}

fn applies_to_groups(state: &str) -> bool {
    state.eq_ignore_ascii_case("Enabled") || state.eq_ignore_ascii_case("NetworkSecurityGroupEnabled")
}

/// Whether the group can only be meant for the endpoints: nothing else lives in the subnet, and the group has inbound rules.
fn is_for_endpoints(context: &Context, subnet: &Subnet, group: &SecurityGroup) -> bool {
    let only_endpoints = subnet
        .occupancies
        .iter()
        .all(|id| context.topology[*id].kind.eq_ignore_ascii_case("Microsoft.Network/privateEndpoints"));
    let inbound = group.rules.known().any(|rule| rule.direction.is(&Direction::Inbound));
    only_endpoints && inbound
}
