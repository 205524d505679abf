//! What hangs on networks and subnets that are looked up under names that are not known. Such a network may be one that is
//! declared here, and then its subnets are too: what a subnet of that name does not say of itself may be said there.

use std::sync::Arc;

use crate::topology::*;
use crate::value::Unknown;

use super::Builder;

impl Builder<'_> {
    /// Leaves open what subnets lack, where their twins in networks without a known name may add it.
    pub fn open_what_nameless_parts_may_add(&mut self) {
        let twins: Vec<(Id<Subnet>, Arc<Unknown>)> = self
            .topology
            .all::<Subnet>()
            .filter_map(|(id, subnet)| {
                let network = &self.topology[subnet.network.to()?].header;
                let why = network.name.unknown().filter(|_| !network.is_managed())?;
                Some((id, Arc::clone(why)))
            })
            .collect();
        for (twin, why) in twins {
            for index in 0..self.topology.subnets.len() {
                if self.may_be_one(Id::new(index), twin) {
                    self.open_subnet(index, twin, &why);
                }
            }
        }
    }

    /// Whether a subnet and one of a network without a known name may be the same.
    fn may_be_one(&self, subnet: Id<Subnet>, twin: Id<Subnet>) -> bool {
        let (one, other) = (&self.topology[subnet], &self.topology[twin]);
        if subnet == twin || one.network.to() == other.network.to() || !one.header.is_managed() {
            return false;
        }
        // Terraform does not make one thing twice.
        let separate = |subnet: &Subnet| {
            subnet.header.declared == Declared::Separate && !self.topology[subnet.header.resource].is_arm()
        };
        if separate(one) && separate(other) {
            return false;
        }
        match (one.header.name.known(), other.header.name.known()) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (_, None) => true,
            (None, Some(_)) => false,
        }
    }

    fn open_subnet(&mut self, index: usize, twin: Id<Subnet>, why: &Arc<Unknown>) {
        let other = &self.topology[twin];
        let delegated = !other.delegations.items.is_empty();
        let has_endpoints = !other.service_endpoints.items.is_empty();
        let guarded = other.security_group.to().is_some();
        let routed = other.route_table.to().is_some();
        let translated = other.nat_gateway.to().is_some();
        let subnet = &mut self.topology.subnets[index];
        if delegated {
            subnet.delegations.rest.get_or_insert_with(|| Arc::clone(why));
        }
        if has_endpoints {
            subnet.service_endpoints.rest.get_or_insert_with(|| Arc::clone(why));
        }
        if guarded {
            open(&mut subnet.security_group, why);
        }
        if routed {
            open(&mut subnet.route_table, why);
        }
        if translated {
            open(&mut subnet.nat_gateway, why);
        }
    }
}

fn open<T>(link: &mut Link<T>, why: &Arc<Unknown>) {
    if matches!(link.state, LinkState::Absent) {
        link.state = LinkState::Unknown(Arc::clone(why));
    }
}
