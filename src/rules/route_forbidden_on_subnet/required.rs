//! Routes that an injected service needs beside a default route to an appliance, and tables that it needs.

use std::sync::Arc;

use super::{Reporter, severity_of};
use crate::analysis::conditions::{self, Truth};
use crate::analysis::reach::Reach;
use crate::analysis::routes::{EffectiveRoute, NextHop, RouteOrigin, Selection};
use crate::azure::flows::{FlowEndpoint, TagRegion};
use crate::azure::routes::{RequiredRoute, RouteSeverity, SubnetRouteRule, TablePolicy, route_facts};
use crate::azure::tags::service_tags;
use crate::finding::Severity;
use crate::resource::Mode;
use crate::rules::support;
use crate::topology::{Id, ResourceNode, Route, Subnet, Topology};
use crate::value::{Cause, Unknown};

pub(super) fn check(reach: &Reach, reporter: &mut Reporter, id: Id<Subnet>) {
    let topology = reach.topology();
    let subnet = &topology[id];
    let mut judged: Vec<&str> = Vec::new();
    for occupancy in subnet.occupancies.iter().map(|occupancy| &topology[*occupancy]) {
        let resource = &topology[occupancy.resource];
        if resource.mode != Mode::Managed {
            continue;
        }
        for service in conditions::services_of(resource) {
            let demanding = |row: &&SubnetRouteRule| !row.retired && !row.required_routes.is_empty();
            for row in route_facts().for_service(&service.id).filter(demanding) {
                if judged.contains(&row.id.as_str()) {
                    continue;
                }
                match conditions::is_service(topology, resource, service) {
                    Truth::Yes => {
                        judged.push(&row.id);
                        check_row(reach, reporter, id, resource, row);
                    }
                    Truth::Unknown(why) if !subnet.route_table.is_absent() => {
                        reporter.undecided(resource.place, &why);
                    }
                    _ => {}
                }
            }
        }
    }
}

fn check_row(
    reach: &Reach,
    reporter: &mut Reporter,
    id: Id<Subnet>,
    resource: &ResourceNode,
    row: &SubnetRouteRule,
) {
    if row.severity == RouteSeverity::Managed {
        // The service adds the routes itself; what it needs is the table.
        if row.route_table == TablePolicy::Required {
            needs_table(reach.topology(), reporter, &reach.topology()[id], resource, row);
        }
        return;
    }
    let forced = match reach.default_route(id) {
        Selection::Certain(route) => Some(route).filter(|route| leads_away(&route.next_hop)),
        Selection::Undecided { likely: Some(route), causes, .. } if leads_away(&route.next_hop) => {
            return undecided(reach.topology(), reporter, id, causes.first());
        }
        Selection::Undecided { .. } => None,
    };
    let forced = forced.and_then(|route| match route.origin {
        RouteOrigin::User(index) => reach.user_route(id, index),
        _ => None,
    });
    for required in row.required_routes.iter().filter(|required| !required.optional) {
        match (&required.to, forced) {
            (FlowEndpoint::Tag { value, region }, Some(default)) => {
                let tag = match (region, resource.location.known()) {
                    (Some(TagRegion::Own), Some(location)) => service_tags().regional(value, location),
                    _ => None,
                };
                let tag = tag.unwrap_or_else(|| value.as_str().into());
                judge_tag(reach, reporter, id, (resource, row, required), default, &tag);
            }
            (FlowEndpoint::SelfSubnet, _) => judge_own(reach, reporter, id, (resource, row)),
            _ => {}
        }
    }
}

fn leads_away(hop: &NextHop) -> bool {
    matches!(hop, NextHop::Appliance(_) | NextHop::Gateway | NextHop::None)
}

fn judge_tag(
    reach: &Reach,
    reporter: &mut Reporter,
    id: Id<Subnet>,
    (resource, row, required): (&ResourceNode, &SubnetRouteRule, &RequiredRoute),
    default: &Route,
    tag: &str,
) {
    let topology = reach.topology();
    let subnet = &topology[id];
    match reach.routes(id).select_tag(tag) {
        Selection::Certain(EffectiveRoute {
            next_hop: NextHop::Internet | NextHop::ServiceEndpoint, ..
        }) => {
            reporter.satisfied();
        }
        Selection::Undecided { causes, .. } => undecided(topology, reporter, id, causes.first()),
        Selection::Certain(_) => {
            let name = resource.name.known().unwrap_or(&resource.key.address);
            let finding = reporter
                .finding_with(
                    severity_of(row),
                    format!(
                        "route {} sends what `{name}` exchanges with {tag} away from the Internet; subnet {} needs a route {tag} to {}",
                        support::label(topology, &default.header),
                        support::label(topology, &subnet.header),
                        required.next_hop,
                    ),
                    subnet.route_table.place,
                )
                .of(&subnet.header.resource_id)
                .related_part("the default route", &default.header)
                .related("the service in the subnet", resource.place)
                .related_part("the subnet", &subnet.header)
                .witness(row.rule.clone())
                .advice(format!("Add a route for the service tag {tag} with the next hop {}.", required.next_hop))
                .certain_if(
                    !row.through_appliance
                        && resource.uncertain.is_none()
                        && subnet.header.is_certain()
                        && default.header.is_certain(),
                );
            let finding = match subnet.route_table.to() {
                Some(table) => finding.related_part("the route table", &topology[table].header),
                None => finding,
            };
            reporter.violated(finding);
        }
    }
}

/// Traffic inside the subnet must stay there.
fn judge_own(
    reach: &Reach,
    reporter: &mut Reporter,
    id: Id<Subnet>,
    (resource, row): (&ResourceNode, &SubnetRouteRule),
) {
    let topology = reach.topology();
    let subnet = &topology[id];
    let Some(address) = reach.address_in(id).filter(|_| !subnet.route_table.is_absent()) else { return };
    match reach.routes(id).select(address) {
        Selection::Certain(EffectiveRoute { origin: RouteOrigin::User(index), next_hop, prefix })
            if leads_away(&next_hop) =>
        {
            let Some(route) = reach.user_route(id, index) else { return };
            let name = resource.name.known().unwrap_or(&resource.key.address);
            let range = prefix.map_or(String::new(), |prefix| prefix.to_string());
            let finding = reporter
                .finding_with(
                    severity_of(row),
                    format!(
                        "route {} ({range}) takes the traffic of `{name}` inside its own subnet {} away",
                        support::label(topology, &route.header),
                        support::label(topology, &subnet.header),
                    ),
                    route.next_hop_type.place,
                )
                .of(&route.header.resource_id)
                .related("the service in the subnet", resource.place)
                .related("the table is attached here", subnet.route_table.place)
                .witness(row.rule.clone())
                .advice("Add a route for the range of the subnet with the next hop VnetLocal.")
                .certain_if(resource.uncertain.is_none() && route.header.is_certain());
            reporter.violated(finding);
        }
        Selection::Certain(_) => reporter.satisfied(),
        Selection::Undecided { causes, .. } => undecided(topology, reporter, id, causes.first()),
    }
}

fn needs_table(
    topology: &Topology,
    reporter: &mut Reporter,
    subnet: &Subnet,
    resource: &ResourceNode,
    row: &SubnetRouteRule,
) {
    let place = subnet.route_table.place;
    if subnet.route_table.to().is_some() {
        return reporter.satisfied();
    }
    let unseen = subnet.route_table.unknown().or_else(|| topology.unseen(&subnet.header));
    if let Some(why) = unseen {
        return reporter.undecided(place, why);
    }
    if !subnet.header.is_managed() {
        return;
    }
    let name = resource.name.known().unwrap_or(&resource.key.address);
    let finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "subnet {} of `{name}` has no route table, and needs one",
                support::label(topology, &subnet.header)
            ),
            resource.place,
        )
        .related_part("the subnet", &subnet.header)
        .witness(row.rule.clone())
        .advice("Associate a route table; the service adds the routes that it needs.")
        .certain_if(resource.uncertain.is_none() && subnet.header.is_certain());
    reporter.violated(finding);
}

fn undecided(topology: &Topology, reporter: &mut Reporter, id: Id<Subnet>, cause: Option<&ecow::EcoString>) {
    let place = topology[id].route_table.place;
    let cause = Cause::Error(cause.cloned().unwrap_or_default());
    reporter.undecided(place, &Arc::new(Unknown { cause, span: place.site }));
}
