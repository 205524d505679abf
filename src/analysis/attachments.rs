//! Where security groups are attached, and what tags mean there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::hosts::{self, Guards};
use super::security::input::Network;
use crate::topology::{Id, SecurityGroup, Subnet, Topology};

/// The subnets in which each security group acts, by subnet or by interface, in the order of the model.
pub fn subnets_of_groups(topology: &Topology) -> BTreeMap<Id<SecurityGroup>, Vec<Id<Subnet>>> {
    let mut places: BTreeMap<Id<SecurityGroup>, Vec<Id<Subnet>>> = BTreeMap::new();
    let mut add = |group, subnet| {
        let list = places.entry(group).or_default();
        if !list.contains(&subnet) {
            list.push(subnet);
        }
    };
    for (id, subnet) in topology.all::<Subnet>() {
        if let Some(group) = subnet.security_group.to() {
            add(group, id);
        }
    }
    for host in hosts::all(topology) {
        let Some(group) = host.security_group.to() else { continue };
        for subnet in host.ip_configurations.iter().filter_map(|configuration| configuration.subnet.to()) {
            add(group, subnet);
        }
    }
    places
}

/// What tags mean in subnets, without those in which they mean the same as in an earlier one.
pub fn networks(
    guards: &Guards,
    topology: &Topology,
    subnets: &[Id<Subnet>],
) -> Vec<(Id<Subnet>, Arc<Network>)> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for &subnet in subnets {
        let part = &topology[subnet];
        let key = (part.network.to(), part.route_table.to(), part.route_table.unknown().is_some());
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        found.extend(guards.network(subnet).map(|network| (subnet, network)));
    }
    found
}
