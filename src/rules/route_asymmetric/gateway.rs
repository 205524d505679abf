//! On-premises networks: what comes in by the gateway goes straight to a subnet that answers through an appliance.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Reporter, appliances, keeps_state};
use crate::analysis::reach::{Appliance, Reach, Verdict};
use crate::analysis::routes::{NextHop, RouteOrigin, Selection};
use crate::rules::support;
use crate::topology::{Id, State, Subnet, VirtualNetwork, VirtualNetworkGateway};

pub(super) fn check(reach: &Reach, reporter: &mut Reporter) {
    let topology = reach.topology();
    let mut judged = BTreeSet::new();
    for gateway in topology.virtual_network_gateways.iter().filter(|gateway| gateway.header.is_managed()) {
        let subnets = gateway.ip_configurations.iter().filter_map(|configuration| configuration.subnet.to());
        for subnet in subnets {
            if let Some(hub) = reach.network_of(subnet)
                && judged.insert(subnet)
            {
                check_hub(reach, reporter, gateway, subnet, hub);
            }
        }
    }
}

/// The networks that use a hub's gateway, the hub first.
fn users(reach: &Reach, hub: Id<VirtualNetwork>) -> Vec<Id<VirtualNetwork>> {
    let topology = reach.topology();
    let uses = |network: &Id<VirtualNetwork>| {
        reach.half(*network, hub).is_some_and(|half| topology[half].use_remote_gateways.is(&true))
    };
    std::iter::once(hub).chain(reach.peers(hub).map(|(peer, _)| peer).filter(uses)).collect()
}

fn check_hub(
    reach: &Reach,
    reporter: &mut Reporter,
    gateway: &VirtualNetworkGateway,
    entry: Id<Subnet>,
    hub: Id<VirtualNetwork>,
) {
    let topology = reach.topology();
    let Some(source) = reach.address_in(entry) else { return };
    // One finding for each appliance: the first subnet stands for all that answer through it.
    let mut found: Vec<(Appliance, Id<Subnet>, usize, usize)> = Vec::new();
    for network in users(reach, hub) {
        for &subnet in &topology[network].subnets {
            let Some((index, appliance)) = answers_through(reach, network, subnet) else { continue };
            let Some(address) = reach.address_in(subnet) else { continue };
            let inward = reach.walk_as(entry, source, address);
            if inward.verdict != Verdict::Delivered(subnet) || !appliances(&inward).is_empty() {
                continue;
            }
            match found.iter_mut().find(|(known, ..)| known.stop == appliance.stop) {
                Some((.., count)) => *count += 1,
                None => found.push((appliance, subnet, index, 1)),
            }
        }
    }
    if found.is_empty() {
        return reporter.satisfied();
    }
    for (appliance, subnet, index, count) in found {
        report(reach, reporter, gateway, entry, (appliance, subnet, index, count));
    }
}

/// The appliance in whose hands a subnet puts what goes on-premises, where that is certain: no learned route reaches the subnet, and
/// its default route leads to an appliance.
fn answers_through(
    reach: &Reach,
    network: Id<VirtualNetwork>,
    subnet: Id<Subnet>,
) -> Option<(usize, Appliance)> {
    let topology = reach.topology();
    let table = &topology[topology[subnet].route_table.to()?];
    if !matches!(table.bgp_route_propagation.state, State::Known(false)) {
        return None;
    }
    let Selection::Certain(route) = reach.default_route(subnet) else { return None };
    let (RouteOrigin::User(index), NextHop::Appliance(_)) = (&route.origin, &route.next_hop) else {
        return None;
    };
    let appliance = reach.appliance(network, reach.user_route(subnet, *index)?);
    // The appliance's own subnet is on the way, not behind it.
    (appliance.stop.is_some() && appliance.subnet != Some(subnet)).then_some((*index, appliance))
}

fn report(
    reach: &Reach,
    reporter: &mut Reporter,
    gateway: &VirtualNetworkGateway,
    entry: Id<Subnet>,
    (appliance, subnet, index, count): (Appliance, Id<Subnet>, usize, usize),
) {
    let topology = reach.topology();
    let Some(route) = reach.user_route(subnet, index) else { return };
    let through = appliance.stop.map_or(String::new(), |stop| support::label(topology, reach.header(stop)));
    let others = match count {
        1 => String::new(),
        _ => format!(" (and {} more)", count - 1),
    };
    let here = support::label(topology, &topology[subnet].header);
    let address = reach.address_in(subnet).map_or(String::new(), |address: IpAddr| format!(" ({address})"));
    let entry_place = match topology[entry].route_table.is_absent() {
        true => topology[entry].header.place,
        false => topology[entry].route_table.place,
    };
    let mut finding = reporter
        .finding(
            format!(
                "what gateway {} brings in goes straight to subnet {here}{others}, which answers through {through}",
                support::label(topology, &gateway.header),
            ),
            entry_place,
        )
        .of(&topology[entry].header.resource_id)
        .related_part("the subnet that answers through the appliance", &topology[subnet].header)
        .related_part("by this route", &route.header)
        .related("its route table is attached here", topology[subnet].route_table.place)
        .witness(format!("a packet from on-premises to {here}{address} leaves the gateway by the network's own routes"))
        .witness(format!("the reply follows {} to {through}, which has not seen the request", support::label(topology, &route.header)))
        .advice("Give GatewaySubnet a route table that sends the ranges of these subnets through the same appliance.")
        .certain_if(
            keeps_state(reach, Some(appliance))
                && [&gateway.header, &topology[subnet].header, &route.header].iter().all(|part| part.is_certain()),
        );
    if let Some(stop) = appliance.stop {
        finding = finding.related_part("the appliance", reach.header(stop));
    }
    reporter.violated(finding);
}
