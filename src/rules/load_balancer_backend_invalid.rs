//! ## What it checks
//!
//! What Azure requires of the pools and rules of a load balancer: all interfaces behind it are in one virtual network; two
//! rules do not send to the same port of the same members unless they use floating IP; public addresses of members have the
//! load balancer's SKU; there is a front end when there are pools, probes or rules; the front ends that rules name exist, and no two
//! rules take the same port of one; rules for all ports are for internal front ends; a rule leaves the address of its front end to the
//! outbound rule that uses it; and no two front ends, pools, probes or rules have one name. An
//! interface is behind one internal load balancer at most, and a scale set behind one internal and one public one.
//!
//! ## What Azure does
//!
//! The deployment is refused: the interface that joins second, the second rule, or the load balancer itself. Peering the networks does not help.
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
//! resource "azurerm_lb" "web" {
//!   name                = "lbi-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name      = "internal"
//!     subnet_id = azurerm_subnet.web.id
//!   }
//! }
//!
//! resource "azurerm_lb_backend_address_pool" "web" {
//!   name            = "web"
//!   loadbalancer_id = azurerm_lb.web.id
//! }
//!
//! resource "azurerm_network_interface_backend_address_pool_association" "web" {
//!   network_interface_id    = azurerm_network_interface.web.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
//! }
//!
//! resource "azurerm_lb_probe" "https" {
//!   name            = "https"
//!   loadbalancer_id = azurerm_lb.web.id
//!   protocol        = "Tcp"
//!   port            = 443
//! }
//!
//! resource "azurerm_lb_rule" "https" {
//!   name                           = "https"
//!   loadbalancer_id                = azurerm_lb.web.id
//!   frontend_ip_configuration_name = "internal"
//!   protocol                       = "Tcp"
//!   frontend_port                  = 443
//!   backend_port                   = 443
//!   backend_address_pool_ids       = [azurerm_lb_backend_address_pool.web.id]
//!   probe_id                       = azurerm_lb_probe.https.id
//! }
//!
//! resource "azurerm_network_interface" "second" {
//!   name                = "nic-second"
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
//! resource "azurerm_network_interface_backend_address_pool_association" "second" {
//!   network_interface_id    = azurerm_network_interface.second.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
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
//! resource "azurerm_lb" "web" {
//!   name                = "lbi-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name      = "internal"
//!     subnet_id = azurerm_subnet.web.id
//!   }
//! }
//!
//! resource "azurerm_lb_backend_address_pool" "web" {
//!   name            = "web"
//!   loadbalancer_id = azurerm_lb.web.id
//! }
//!
//! resource "azurerm_network_interface_backend_address_pool_association" "web" {
//!   network_interface_id    = azurerm_network_interface.web.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
//! }
//!
//! resource "azurerm_lb_probe" "https" {
//!   name            = "https"
//!   loadbalancer_id = azurerm_lb.web.id
//!   protocol        = "Tcp"
//!   port            = 443
//! }
//!
//! resource "azurerm_lb_rule" "https" {
//!   name                           = "https"
//!   loadbalancer_id                = azurerm_lb.web.id
//!   frontend_ip_configuration_name = "internal"
//!   protocol                       = "Tcp"
//!   frontend_port                  = 443
//!   backend_port                   = 443
//!   backend_address_pool_ids       = [azurerm_lb_backend_address_pool.web.id]
//!   probe_id                       = azurerm_lb_probe.https.id
//! }
//!
//! resource "azurerm_network_interface" "second" {
//!   name                = "nic-second"
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
//! resource "azurerm_network_interface_backend_address_pool_association" "second" {
//!   network_interface_id    = azurerm_network_interface.second.id
//!   ip_configuration_name   = "main"
//!   backend_address_pool_id = azurerm_lb_backend_address_pool.web.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the network of a member, a port or a SKU is not known. Networks that may be one and the same under two names are not told apart.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/load-balancer/load-balancer-common-deployment-errors>
//! - <https://learn.microsoft.com/azure/load-balancer/components>
//! - <https://learn.microsoft.com/azure/load-balancer/load-balancer-multivip-overview>
//! - <https://learn.microsoft.com/azure/load-balancer/load-balancer-ha-ports-overview>
//! - <https://learn.microsoft.com/azure/load-balancer/outbound-rules>
//! - <https://learn.microsoft.com/rest/api/load-balancer/load-balancers/create-or-update>
//! - <https://github.com/ansible-collections/azure/issues/743>
//! - <https://github.com/Azure/migAz/issues/218>
//! - <https://github.com/AutomatedLab/AutomatedLab/issues/57>

mod front_ends;
mod names;

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::analysis::entries::{Member, members, protocols};
use crate::finding::{Category, Severity};
use crate::topology::{
    BalancingRule, Field, Header, Id, LoadBalancer, Place, ResourceId, Topology, VirtualNetwork,
};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "load-balancer-backend-invalid",
    category: Category::LoadBalancing,
    severity: Severity::Error,
    summary: "pool members or rules of a load balancer that Azure refuses together",
    error_codes: &[
        "AnotherInternalLoadBalancerExists",
        "DifferentSkuLoadBalancerAndPublicIPAddressNotAllowedInVMSS",
        "DifferentSkuLoadBalancersAndPublicIPAddressNotAllowed",
        "DuplicateResourceName",
        "LoadBalancerWithoutFrontendIPCantHaveChildResources",
        "LoadBalancingRuleMustDisableSNATSinceSameFrontendIPConfigurationIsReferencedByOutboundRule",
        "RulesOfSameLoadBalancerTypeUseSameBackendPortProtocolAndIPConfig",
        "RulesOfSameLoadBalancerTypeUseSameBackendPortProtocolAndVmssIPConfig",
        "RulesUseSameBackendPortProtocolAndPool",
        "VMScaleSetCannotUseMultipleLoadBalancersOfSameType",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("load_balancer_backend_invalid.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut behind = BTreeMap::new();
    for balancer in topology.load_balancers.iter().filter(|balancer| balancer.header.is_managed()) {
        let before = reporter.violations();
        second_of_its_kind(topology, reporter, balancer, &mut behind);
        front_ends::check(topology, reporter, balancer);
        names::check(topology, reporter, balancer);
        networks(topology, reporter, balancer);
        colliding_rules(topology, reporter, balancer);
        skus(topology, reporter, balancer);
        if reporter.violations() == before {
            reporter.satisfied();
        }
    }
}

const INTERNAL: &str = "internal";

/// Internal or public, by its front ends; `None` where they do not say.
fn kind_of(balancer: &LoadBalancer) -> Option<&'static str> {
    if balancer.sku.known().is_some_and(|sku| sku.eq_ignore_ascii_case("Gateway")) {
        return None;
    }
    let internal = balancer.frontends.iter().any(|frontend| frontend.subnet.to().is_some());
    let public = balancer.frontends.iter().any(|frontend| frontend.public_ip.to().is_some());
    match (internal, public) {
        (true, false) => Some(INTERNAL),
        (false, true) => Some("public"),
        _ => None,
    }
}

/// By member and kind: the first load balancer, and where the member joins it.
type Behind<'a> = BTreeMap<(ResourceId, &'static str), (&'a LoadBalancer, Place)>;

/// Members that are behind another load balancer of the same kind already.
fn second_of_its_kind<'a>(
    topology: &'a Topology,
    reporter: &mut Reporter,
    balancer: &'a LoadBalancer,
    behind: &mut Behind<'a>,
) {
    let Some(kind) = kind_of(balancer) else { return };
    for member in all_members(topology, balancer) {
        let owner = member.host.owner;
        let (other, place) = *behind.entry((owner.resource, kind)).or_insert((balancer, member.place));
        let distinct = match (other.header.name.known(), balancer.header.name.known()) {
            (Some(one), Some(two)) => !one.eq_ignore_ascii_case(two),
            _ => true,
        };
        let one_input =
            topology[other.header.resource].key.root == topology[balancer.header.resource].key.root;
        if std::ptr::eq(other, balancer) || !distinct || !one_input {
            continue;
        }
        let finding = reporter
            .finding(
                format!(
                    "{} is behind two {kind} load balancers, {} and {}; Azure takes one of each kind",
                    support::label(topology, owner),
                    support::label(topology, &other.header),
                    support::label(topology, &balancer.header),
                ),
                member.place,
            )
            .of(&owner.resource_id)
            .between(&[owner, &other.header, &balancer.header])
            .related("joins the first one here", place)
            .related_part("the member", owner)
            .related_part("the one load balancer", &other.header)
            .related_part("the other", &balancer.header)
            .advice("Use one load balancer of each kind, with several front ends and rules.")
            // Of machines behind two public ones nothing is documented.
            .certain_if(
                (kind == INTERNAL || !std::ptr::eq(owner, member.host.header))
                    && [owner, &other.header, &balancer.header].into_iter().all(Header::is_certain),
            );
        reporter.violated(finding);
    }
}

/// All members of all pools, each once.
fn all_members<'a>(topology: &'a Topology, balancer: &'a LoadBalancer) -> Vec<Member<'a>> {
    balancer.pools.iter().flat_map(|pool| members(topology, &pool.interfaces, &pool.scale_sets)).collect()
}

fn network_of(topology: &Topology, member: &Member) -> Option<Id<VirtualNetwork>> {
    topology[member.host.first_configuration()?.subnet.to()?].network.to()
}

/// Members that live in different networks.
fn networks(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    let members = all_members(topology, balancer);
    let placed: Vec<_> = members
        .iter()
        .filter(|member| member.host.owner.is_managed())
        .filter_map(|member| Some((member, network_of(topology, member)?)))
        .collect();
    let Some((first, network)) = placed.first() else { return };
    let other =
        placed.iter().skip(1).find(|(_, other)| support::certainly_distinct(topology, *network, *other));
    if let Some((member, other)) = other {
        let message = format!(
            "{} in {} and {} in {} are behind load balancer {}: its members must be in one network",
            support::label(topology, first.host.owner),
            support::label(topology, &topology[*network].header),
            support::label(topology, member.host.owner),
            support::label(topology, &topology[*other].header),
            support::label(topology, &balancer.header),
        );
        let mut finding = reporter
            .finding(message, member.place)
            .of(&member.host.owner.resource_id)
            .between(&[&balancer.header])
            .related("the other member joins here", first.place)
            .related_part("the member", member.host.owner)
            .related_part("the other member", first.host.owner)
            .related_part("the load balancer", &balancer.header);
        for pool in &balancer.pools {
            if pool.interfaces.iter().any(|link| link.place == member.place)
                || pool.scale_sets.iter().any(|link| link.place == member.place)
            {
                finding = finding.related_part("the pool", &pool.header);
            }
        }
        let finding = finding
            .advice("Put the members into one network, or name members by address in pools of their own.")
            .certain_if(
                balancer.header.is_certain()
                    && first.host.owner.is_certain()
                    && member.host.owner.is_certain()
                    && topology[*network].header.is_certain()
                    && topology[*other].header.is_certain(),
            );
        reporter.violated(finding);
    }
}

/// Two rules that send to the same port of the same members.
fn colliding_rules(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    for (position, rule) in balancer.rules.iter().enumerate() {
        let Some(other) =
            balancer.rules.iter().take(position).find(|other| collide(topology, balancer, rule, other))
        else {
            continue;
        };
        let port = rule.backend_port.known().copied().unwrap_or_default();
        let message = format!(
            "load-balancing rules {} and {} of {} send {} to port {port} of the same members without floating IP",
            support::label(topology, &other.header),
            support::label(topology, &rule.header),
            support::label(topology, &balancer.header),
            rule.protocol.known().map_or("packets", |protocol| protocol.as_str()),
        );
        let finding = reporter
            .finding(message, rule.backend_port.place)
            .of(&rule.header.resource_id)
            .related_part("the other rule", &other.header)
            .related_part("the load balancer", &balancer.header)
            .advice("Give the rules different back-end ports, or use floating IP for both.")
            .certain_if(
                balancer.header.is_certain() && rule.header.is_certain() && other.header.is_certain(),
            );
        reporter.violated(finding);
    }
}

fn collide(topology: &Topology, balancer: &LoadBalancer, a: &BalancingRule, b: &BalancingRule) -> bool {
    // One rule that is deployed twice, inline and apart or by two deployments of one template.
    let same_rule = match (a.header.name.known(), b.header.name.known()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    };
    if same_rule {
        return false;
    }
    let fixed = |rule: &BalancingRule| rule.floating_ip.is(&false);
    let same_port = a.backend_port.known().is_some() && a.backend_port.known() == b.backend_port.known();
    let (Some(mine), Some(theirs)) = (protocols(&a.protocol), protocols(&b.protocol)) else { return false };
    if !fixed(a) || !fixed(b) || !same_port || mine.intersect(theirs).is_empty() {
        return false;
    }
    if a.pools.iter().any(|pool| b.pools.contains(pool)) {
        return true;
    }
    // Different pools with a member in common.
    let of = |rule: &BalancingRule| -> Vec<_> {
        let pools = rule.pools.iter().filter_map(|at| balancer.pools.get(*at));
        pools
            .flat_map(|pool| members(topology, &pool.interfaces, &pool.scale_sets))
            .filter(|member| member.host.ip_configurations.len() == 1)
            .map(|member| member.host.header.place)
            .collect()
    };
    let theirs = of(b);
    of(a).iter().any(|place| theirs.contains(place))
}

/// Public addresses of members that are of another SKU than the load balancer.
fn skus(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    let basic = |sku: &Field<ecow::EcoString>| sku.known().map(|sku| sku.eq_ignore_ascii_case("Basic"));
    let Some(own) = basic(&balancer.sku) else { return };
    for member in all_members(topology, balancer) {
        for configuration in member.host.ip_configurations {
            let Some(address) = configuration.public_ip.to().map(|id| &topology[id]) else { continue };
            if !address.header.is_managed() || basic(&address.sku).is_none_or(|sku| sku == own) {
                continue;
            }
            let sku = |basic: bool| if basic { "Basic" } else { "Standard" };
            let message = format!(
                "{} has public address {} of SKU {} and is behind load balancer {} of SKU {}",
                support::label(topology, member.host.owner),
                support::label(topology, &address.header),
                sku(!own),
                support::label(topology, &balancer.header),
                sku(own),
            );
            let finding = reporter
                .finding(message, configuration.public_ip.place)
                .related("is behind the load balancer here", member.place)
                .related("the SKU of the load balancer", balancer.sku.place)
                .related("the SKU of the public address", address.sku.place)
                .advice("Give the load balancer and the public addresses of its members one SKU, `Standard`.")
                .certain_if(
                    balancer.header.is_certain()
                        && member.host.owner.is_certain()
                        && address.header.is_certain(),
                );
            reporter.violated(finding);
        }
    }
}
