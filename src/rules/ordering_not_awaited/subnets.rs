//! What associations and routes give to a subnet, and what must come after them.

use std::collections::BTreeSet;

use super::{Reporter, awaited, together};
use crate::analysis::conditions::{self, Truth};
use crate::azure::ordering::{Awaited, OrderingRow, ordering_facts};
use crate::azure::routes::{SubnetRouteRule, route_facts};
use crate::net::parse_prefix;
use crate::resource::Mode;
use crate::rules::support;
use crate::topology::{Declared, ResourceId, Route, RouteTable, Subnet, Topology};

pub(super) fn check(topology: &Topology, reporter: &mut Reporter) {
    for subnet in &topology.subnets {
        if let Some(name) = subnet.header.name.known() {
            for row in route_facts().for_subnet(name).filter(|row| row.must_exist && row.prefix.is_some()) {
                check_table(topology, reporter, subnet, row);
            }
        }
        // One finding for what several resources of one kind wait for is enough.
        let mut judged = BTreeSet::new();
        for occupancy in subnet.occupancies.iter().map(|id| &topology[*id]) {
            let resource = &topology[occupancy.resource];
            let own = resource.arm_type.as_deref().unwrap_or("");
            let rows = ordering_facts().rows.iter().filter(|row| row.arm_type.eq_ignore_ascii_case(own));
            for row in rows.filter(|_| resource.mode == Mode::Managed) {
                if !judged.insert((row.id.as_str(), occupancy.resource)) {
                    continue;
                }
                match conditions::all_hold(topology, resource, &row.when) {
                    Truth::Yes => check_occupant(topology, reporter, subnet, occupancy.resource, row),
                    Truth::Unknown(why) if !subnet.route_table.is_absent() => {
                        reporter.undecided(resource.place, &why);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The routes of a table for a prefix that are resources of their own.
fn separate_routes<'a>(table: &'a RouteTable, prefix: &str) -> Vec<&'a Route> {
    let wanted = parse_prefix(prefix);
    let routes = table.routes.known().filter(|route| {
        route
            .address_prefix
            .known()
            .and_then(|text| parse_prefix(text))
            .is_some_and(|own| Some(own) == wanted)
    });
    routes.collect()
}

/// A table that may be attached only once a route is in it.
fn check_table(topology: &Topology, reporter: &mut Reporter, subnet: &Subnet, row: &SubnetRouteRule) {
    let (Some(table), Some(prefix)) = (subnet.route_table.to().map(|id| &topology[id]), &row.prefix) else {
        return;
    };
    let association = subnet.route_table.place.resource;
    let routes = separate_routes(table, prefix);
    let [route] = routes.as_slice() else { return };
    let maker = route.header.resource;
    if route.header.declared != Declared::Separate
        || maker == table.header.resource
        || !together(topology, association, maker)
    {
        return;
    }
    let before = awaited(topology, association);
    if before.contains(&maker) {
        return reporter.satisfied();
    }
    if !before.contains(&table.header.resource) {
        return;
    }
    let finding = reporter
        .finding(
            format!(
                "route table {} is attached to subnet {} without waiting for its route {} ({prefix})",
                support::label(topology, &table.header),
                support::label(topology, &subnet.header),
                support::label(topology, &route.header),
            ),
            subnet.route_table.place,
        )
        .of(&subnet.header.resource_id)
        .related_part("the route that must be there first", &route.header)
        .related_part("the route table", &table.header)
        .witness(format!("the table may still be empty when it is attached: {}", row.rule))
        .advice(
            "Let the association depend on the route with `depends_on`, or write the route inside the table.",
        )
        .certain_if(subnet.header.is_certain() && route.header.is_certain() && table.header.is_certain());
    reporter.violated(finding);
}

fn check_occupant(
    topology: &Topology,
    reporter: &mut Reporter,
    subnet: &Subnet,
    occupant: ResourceId,
    row: &OrderingRow,
) {
    let before = awaited(topology, occupant);
    // Where not even the subnet is awaited, the input does not say what waits for what.
    if !before.contains(&subnet.header.resource) {
        return;
    }
    let table = subnet.route_table.to().map(|id| &topology[id]);
    for awaits in &row.awaits {
        let (maker, what) = match awaits {
            Awaited::RouteTable if table.is_some() => {
                (subnet.route_table.place.resource, "the association of its route table")
            }
            Awaited::SecurityGroup if subnet.security_group.to().is_some() => {
                (subnet.security_group.place.resource, "the association of its network security group")
            }
            Awaited::DefaultRoute => {
                let Some(table) = table else { continue };
                let routes = separate_routes(table, "0.0.0.0/0");
                let [route] = routes.as_slice() else { continue };
                (route.header.resource, "the default route of its subnet")
            }
            _ => continue,
        };
        let inside =
            maker == subnet.header.resource || table.is_some_and(|table| maker == table.header.resource);
        if inside || !together(topology, occupant, maker) {
            continue;
        }
        if before.contains(&maker) {
            reporter.satisfied();
            continue;
        }
        let resource = &topology[occupant];
        let name = resource.name.known().unwrap_or(&resource.key.address);
        let finding = reporter
            .finding(format!("{} `{name}` does not wait for {what}", row.name), resource.place)
            .of(&resource.resource_id)
            .related("which may come after it", topology[maker].place)
            .related_part("the subnet", &subnet.header)
            .witness(format!("when it comes first, {}", row.consequence))
            .advice(format!("Let it depend on `{}` with `depends_on`.", topology[maker].key.address))
            .certain_if(
                resource.uncertain.is_none()
                    && topology[maker].uncertain.is_none()
                    && topology[occupant].unseen.is_none(),
            );
        reporter.violated(finding);
    }
}
