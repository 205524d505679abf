//! Machines that the Internet reaches by a public address, and whose replies go elsewhere.

use std::collections::BTreeSet;

use super::Reporter;
use crate::analysis::reach::{Member, Reach, Stop};
use crate::analysis::routes::{EffectiveRoute, NextHop, RouteDestination, RouteOrigin, Selection};
use crate::azure::security_groups::security_group_facts;
use crate::finding::Finding;
use crate::net::AddressSet;
use crate::rules::support;
use crate::topology::{
    BalancingRule, Header, Id, IpConfiguration, LoadBalancer, NetworkInterface, Place, Route, Subnet,
};

pub(super) fn check(reach: &Reach, reporter: &mut Reporter) {
    let topology = reach.topology();
    let mut judged = BTreeSet::new();
    for (id, balancer) in topology.all::<LoadBalancer>() {
        if !balancer.frontends.iter().any(is_public) {
            continue;
        }
        for rule in balancer.rules.iter().filter(|rule| leads_from_outside(balancer, rule)) {
            for pool in rule.pools.iter().filter_map(|pool| balancer.pools.get(*pool)) {
                for subnet in subnets_of(reach, pool) {
                    if judged.insert((id, subnet)) {
                        behind_balancer(reach, reporter, balancer, rule, subnet);
                    }
                }
            }
        }
    }
    for (id, interface) in topology.all::<NetworkInterface>() {
        for configuration in &interface.ip_configurations {
            if let (Some(subnet), true) = (configuration.subnet.to(), is_public(configuration)) {
                own_address(reach, reporter, id, configuration, subnet);
            }
        }
    }
}

/// Whether a front end certainly has a public address.
fn is_public(configuration: &IpConfiguration) -> bool {
    configuration.public_ip.to().is_some()
}

fn leads_from_outside(balancer: &LoadBalancer, rule: &BalancingRule) -> bool {
    let Some(name) = rule.frontend.known() else { return balancer.frontends.iter().all(is_public) };
    balancer.frontends.iter().any(|front| {
        is_public(front) && front.header.name.known().is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

/// The subnets that the members of a pool take packets in.
fn subnets_of(reach: &Reach, pool: &crate::topology::BackendPool) -> BTreeSet<Id<Subnet>> {
    let topology = reach.topology();
    let interfaces = pool.interfaces.iter().filter_map(|link| link.to()).map(Member::Interface);
    let sets = pool.scale_sets.iter().filter_map(|link| link.to());
    let templates =
        sets.filter(|set| topology[*set].interfaces.len() == 1).map(|set| Member::Template(set, 0));
    let configurations = interfaces.chain(templates).flat_map(|member| match member {
        Member::Interface(id) => topology[id].ip_configurations.as_slice(),
        Member::Template(set, index) => {
            topology[set].interfaces.get(index).map_or(&[][..], |template| &template.ip_configurations)
        }
    });
    configurations.filter_map(|configuration| configuration.subnet.to()).collect()
}

/// Where replies to the Internet go that do not leave directly.
struct Detour<'a> {
    effective: EffectiveRoute,
    route: &'a Route,
}

/// The user-defined default route that takes the replies of a subnet elsewhere.
fn detour<'a>(reach: &'a Reach, reporter: &mut Reporter, subnet: Id<Subnet>) -> Option<Detour<'a>> {
    let selection = reach.default_route(subnet);
    let route = match selection {
        Selection::Certain(route) => route,
        Selection::Undecided { likely: Some(route), causes, .. } if leaves(&route.next_hop) => {
            let text = causes.first().cloned().unwrap_or_default();
            let place = reach.topology()[subnet].route_table.place;
            let cause = crate::value::Cause::Error(text);
            reporter
                .undecided(place, &std::sync::Arc::new(crate::value::Unknown { cause, span: place.site }));
            return None;
        }
        Selection::Undecided { .. } => return None,
    };
    let RouteOrigin::User(index) = route.origin else { return None };
    if !leaves(&route.next_hop) || sends_some_directly(reach, subnet) {
        return None;
    }
    Some(Detour { route: reach.user_route(subnet, index)?, effective: route })
}

fn leaves(hop: &NextHop) -> bool {
    matches!(hop, NextHop::Appliance(_) | NextHop::Gateway | NextHop::None)
}

/// Whether a table sends some public addresses straight to the Internet: then the clients are these.
fn sends_some_directly(reach: &Reach, subnet: Id<Subnet>) -> bool {
    let public = security_group_facts().public();
    reach.routes(subnet).user.iter().any(|route| {
        route.next_hop == NextHop::Internet
            && match &route.destination {
                RouteDestination::Prefix(prefix) => AddressSet::from_prefixes([*prefix]).intersects(&public),
                RouteDestination::Tag(_) => true,
                RouteDestination::Unknown(_) => false,
            }
    })
}

fn behind_balancer(
    reach: &Reach,
    reporter: &mut Reporter,
    balancer: &LoadBalancer,
    rule: &BalancingRule,
    subnet: Id<Subnet>,
) {
    let topology = reach.topology();
    let Some(detour) = detour(reach, reporter, subnet) else {
        reporter.satisfied();
        return;
    };
    let label = support::label(topology, &balancer.header);
    let message = format!(
        "subnet {} is behind the public load balancer {label}, but its replies follow route {} {}",
        support::label(topology, &topology[subnet].header),
        support::label(topology, &detour.route.header),
        whither(&detour),
    );
    let advice = "Let clients come in through the appliance, make the load balancer internal, or route the replies to the clients' addresses to the Internet.";
    let parts = [&balancer.header, &rule.header, &topology[subnet].header];
    let finding = finding(reach, reporter, &detour, subnet, message, detour.route.next_hop_type.place)
        .of(&detour.route.header.resource_id)
        .related_part("the load balancer", &balancer.header)
        .related_part("the rule that brings requests in", &rule.header)
        .witness(format!(
            "a request from the Internet arrives through {label}, which keeps the client's address"
        ))
        .witness(format!("the reply to it leaves {}", whither(&detour)))
        .advice(advice)
        .certain_if(certain(reach, &detour, subnet, &parts));
    reporter.violated(finding);
}

fn own_address(
    reach: &Reach,
    reporter: &mut Reporter,
    id: Id<NetworkInterface>,
    configuration: &IpConfiguration,
    subnet: Id<Subnet>,
) {
    let topology = reach.topology();
    let interface = &topology[id];
    let Some(detour) = detour(reach, reporter, subnet) else {
        reporter.satisfied();
        return;
    };
    // An appliance behind its own route is the business of `route-loop`.
    let network = reach.network_of(subnet);
    let own = network
        .is_some_and(|network| reach.appliance(network, detour.route).stop == Some(Stop::Interface(id)));
    if own {
        return;
    }
    let label = support::label(topology, &interface.header);
    let message = format!(
        "interface {label} has a public address, but replies from subnet {} follow route {} {}",
        support::label(topology, &topology[subnet].header),
        support::label(topology, &detour.route.header),
        whither(&detour),
    );
    let finding = finding(reach, reporter, &detour, subnet, message, configuration.public_ip.place)
        .of(&interface.header.resource_id)
        .related_part("the route", &detour.route.header)
        .witness(format!("a request from the Internet arrives at the public address of {label}"))
        .witness(format!("the reply to it leaves {}", whither(&detour)))
        .advice("Take the public address away and let clients come in through the appliance, or route the replies to the clients' addresses to the Internet.")
        .certain_if(certain(reach, &detour, subnet, &[&interface.header, &configuration.header]));
    reporter.violated(finding);
}

fn finding(
    reach: &Reach,
    reporter: &Reporter,
    detour: &Detour,
    subnet: Id<Subnet>,
    message: String,
    place: Place,
) -> Finding {
    let topology = reach.topology();
    let mut finding = reporter
        .finding(message, place)
        .related("the route table is attached here", topology[subnet].route_table.place);
    let appliance = reach.network_of(subnet).map(|network| reach.appliance(network, detour.route));
    if let Some(stop) = appliance.and_then(|appliance| appliance.stop) {
        finding = finding.related_part("the appliance that sees only the replies", reach.header(stop));
    }
    finding
}

fn certain(reach: &Reach, detour: &Detour, subnet: Id<Subnet>, parts: &[&Header]) -> bool {
    let topology = reach.topology();
    parts.iter().all(|part| part.is_certain())
        && detour.route.header.is_certain()
        && topology[subnet].header.is_certain()
}

fn whither(detour: &Detour) -> &'static str {
    match detour.effective.next_hop {
        NextHop::Appliance(_) => "to an appliance that has not seen the requests",
        NextHop::Gateway => "to the gateway",
        _ => "nowhere",
    }
}
