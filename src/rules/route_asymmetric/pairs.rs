//! Two subnets, one of which sends to the other through an appliance while the other answers by another way.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Reporter, appliances, keeps_state};
use crate::analysis::reach::{Path, Reach, Verdict};
use crate::net::parse_prefix;
use crate::rules::support;
use crate::topology::{Id, Route, RouteTable, Subnet, VirtualNetwork};

/// How many subnets are looked at for one route of one subnet. Routes for everything lead to very many, which answer alike.
const MAXIMUM_TARGETS: usize = 8;

pub(super) fn check(reach: &Reach, reporter: &mut Reporter) {
    let topology = reach.topology();
    let targets = Targets::new(reach);
    let mut reported = BTreeSet::new();
    for (id, table) in topology.all::<RouteTable>() {
        for &subnet in reach.users(id) {
            if reach.network_of(subnet).is_none() || is_gateway(reach, subnet) {
                continue;
            }
            for (index, field) in table.routes.items.iter().enumerate() {
                let Some(route) = field.known() else { continue };
                for target in targets.of(route).filter(|target| target.0 != subnet).take(MAXIMUM_TARGETS) {
                    check_pair(reach, reporter, &mut reported, (subnet, index, route), target);
                }
            }
        }
    }
}

/// The subnets of the input by the start of their ranges.
struct Targets(Vec<(IpAddr, Id<Subnet>)>);

impl Targets {
    fn new(reach: &Reach) -> Self {
        let topology = reach.topology();
        let mut starts: Vec<_> = topology
            .all::<Subnet>()
            .filter(|(id, subnet)| subnet.header.is_managed() && !is_gateway(reach, *id))
            .filter_map(|(id, _)| Some((reach.address_in(id)?, id)))
            .collect();
        starts.sort_unstable();
        Self(starts)
    }

    /// The subnets that the prefix of a route to an appliance holds.
    fn of(&self, route: &Route) -> impl Iterator<Item = (Id<Subnet>, IpAddr)> {
        let appliance =
            route.next_hop_type.known().is_some_and(|kind| kind.eq_ignore_ascii_case("VirtualAppliance"));
        let prefix = route.address_prefix.known().and_then(|text| parse_prefix(text)).filter(|_| appliance);
        let prefix = prefix.map(|prefix| prefix.trunc());
        let start = prefix
            .map_or(self.0.len(), |prefix| self.0.partition_point(|(address, _)| *address < prefix.addr()));
        self.0[start..]
            .iter()
            .take_while(move |(address, _)| prefix.is_some_and(|prefix| prefix.contains(address)))
            .map(|(address, id)| (*id, *address))
    }
}

fn is_gateway(reach: &Reach, subnet: Id<Subnet>) -> bool {
    let name = reach.topology()[subnet].header.name.known();
    name.is_some_and(|name| name.eq_ignore_ascii_case("GatewaySubnet"))
}

fn check_pair(
    reach: &Reach,
    reporter: &mut Reporter,
    reported: &mut BTreeSet<(Id<Subnet>, Id<Subnet>)>,
    (subnet, index, route): (Id<Subnet>, usize, &Route),
    (target, address): (Id<Subnet>, IpAddr),
) {
    let pair = if subnet < target { (subnet, target) } else { (target, subnet) };
    if reported.contains(&pair) {
        return;
    }
    let Some(own) = reach.address_in(subnet) else { return };
    let there = reach.walk(subnet, address);
    let taken = there
        .hops
        .first()
        .is_some_and(|hop| hop.route.origin == crate::analysis::routes::RouteOrigin::User(index));
    if !taken || there.verdict != Verdict::Delivered(target) {
        return;
    }
    // An appliance's own subnet answers for itself.
    let passed = appliances(&there);
    if passed.iter().any(|appliance| appliance.subnet == Some(target) || appliance.subnet == Some(subnet)) {
        return;
    }
    let back = reach.walk(target, own);
    let same = |one: &Path| {
        let mut answered = appliances(one);
        answered.reverse();
        answered.len() == passed.len()
            && answered.iter().zip(&passed).all(|(a, b)| match (a.stop, b.stop) {
                (Some(a), Some(b)) => a == b,
                _ => a.address == b.address,
            })
    };
    match &back.verdict {
        Verdict::Delivered(_) if same(&back) => return reporter.satisfied(),
        Verdict::Delivered(_) | Verdict::Dropped(_) => {}
        // By a gateway or a way that is not known, it may come back to the same appliance.
        _ => return,
    }
    reported.insert(pair);
    report(reach, reporter, (subnet, route), (target, address), (&there, &back), own);
}

fn report(
    reach: &Reach,
    reporter: &mut Reporter,
    (subnet, route): (Id<Subnet>, &Route),
    (target, address): (Id<Subnet>, IpAddr),
    (there, back): (&Path, &Path),
    own: IpAddr,
) {
    let topology = reach.topology();
    let name = |id: Id<Subnet>| support::label(topology, &topology[id].header);
    let passed = appliances(there);
    let through = match passed.first().and_then(|appliance| appliance.stop) {
        Some(stop) => support::label(topology, reach.header(stop)),
        None => {
            passed.first().and_then(|one| one.address).map_or("an appliance".into(), |one| one.to_string())
        }
    };
    let answer = match (&back.verdict, appliances(back).is_empty()) {
        (Verdict::Dropped(_), _) => "has no way back",
        (_, true) => "answers directly",
        (_, false) => "answers by another way",
    };
    let network = |id: Id<Subnet>| -> Option<Id<VirtualNetwork>> { reach.network_of(id) };
    let parts = [&topology[subnet].header, &topology[target].header, &route.header];
    let mut finding = reporter
        .finding(
            format!(
                "route {} sends packets from subnet {} to subnet {} through {through}, but {} {answer}",
                support::label(topology, &route.header),
                name(subnet),
                name(target),
                name(target),
            ),
            route.next_hop_type.place,
        )
        .of(&route.header.resource_id)
        .related("the route table is used here", topology[subnet].route_table.place)
        .related_part("the subnet that answers", &topology[target].header)
        .advice("Send the replies through the same appliance: give the other subnet a route back to it.")
        .certain_if(
            parts.iter().all(|part| part.is_certain())
                && passed.iter().any(|appliance| keeps_state(reach, Some(*appliance)))
                && network(subnet).is_some(),
        );
    if !topology[target].route_table.is_absent() {
        finding = finding.related("its route table is attached here", topology[target].route_table.place);
    }
    for line in reach.describe(there, own, address).into_iter().chain(reach.describe(back, address, own)) {
        finding = finding.witness(line);
    }
    reporter.violated(finding);
}
