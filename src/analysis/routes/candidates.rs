//! The routes that a packet could take, and what ranks them.

use ecow::{EcoString, eco_format};
use ipnet::IpNet;
use std::net::IpAddr;

use super::{
    EffectiveRoute, NextHop, PrivateEndpoint, RouteDestination, RouteOrigin, SubnetRoutes, default_routes,
    is_public,
};
use crate::azure::routes::route_facts;
use crate::azure::tags::{self, TagName, service_tags};

/// A candidate for one address, with what ranks it.
pub(super) struct Candidate {
    pub route: EffectiveRoute,
    pub rank: Rank,
}

/// Greater is preferred.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub prefix_length: u8,
    pub origin: u8,
    /// An explicit prefix before tags, narrower tags before wider.
    pub tag: u8,
}

/// Ranks of origins between equal prefixes.
pub(super) const USER: u8 = 2;
const LEARNED: u8 = 1;
const SYSTEM: u8 = 0;

/// An explicit prefix stands before the same prefix of a tag.
const EXPLICIT: u8 = 4;

/// Regional tags stand before global ones, and `AzureCloud` after all others.
pub(super) fn tag_rank(tag: &TagName) -> u8 {
    let cloud = tag.parent.as_deref() == Some(tags::AZURE_CLOUD);
    match (cloud, tag.region.is_some()) {
        (false, true) => 3,
        (false, false) => 2,
        (true, true) => 1,
        (true, false) => 0,
    }
}

impl SubnetRoutes {
    pub(super) fn system_candidates(&self, destination: IpAddr, into: &mut Vec<Candidate>) {
        let mut add = |prefixes: &[IpNet], origin: RouteOrigin, next_hop: NextHop| {
            for prefix in prefixes.iter().filter(|p| p.contains(&destination)) {
                let route = EffectiveRoute {
                    origin: origin.clone(),
                    prefix: Some(prefix.trunc()),
                    next_hop: next_hop.clone(),
                };
                into.push(Candidate { rank: rank(prefix.prefix_len(), SYSTEM), route });
            }
        };
        add(&self.address_space, RouteOrigin::VirtualNetwork, NextHop::VirtualNetwork);
        add(&self.peered, RouteOrigin::Peering, NextHop::Peering);
        add(&default_routes(), RouteOrigin::Default, NextHop::Internet);
        // A reserved range that is itself a prefix of the address space has become the network's route.
        let reserved = route_facts().reserved_prefixes().into_iter();
        let reserved: Vec<IpNet> =
            reserved.filter(|p| !self.address_space.iter().any(|own| own.trunc() == *p)).collect();
        add(&reserved, RouteOrigin::Reserved, NextHop::None);
    }

    pub(super) fn endpoint_candidates(
        &self,
        destination: IpAddr,
        into: &mut Vec<Candidate>,
        causes: &mut Vec<EcoString>,
    ) {
        for endpoint in &self.service_endpoints {
            match &endpoint.prefixes {
                Some(prefixes) => {
                    for prefix in prefixes.iter().filter(|p| p.contains(&destination)) {
                        into.push(Candidate {
                            rank: rank(prefix.prefix_len(), SYSTEM),
                            route: endpoint.effective(Some(prefix.trunc())),
                        });
                    }
                }
                None if is_public(IpNet::from(destination)) => {
                    causes.push(eco_format!(
                        "the addresses of the service endpoint {} are not known",
                        endpoint.service
                    ));
                }
                None => {}
            }
        }
        if let Some(endpoint) = self.private_endpoint_at(destination) {
            let prefix = IpNet::from(endpoint.address);
            let origin = RouteOrigin::PrivateEndpoint;
            let route = EffectiveRoute { origin, prefix: Some(prefix), next_hop: NextHop::PrivateEndpoint };
            into.push(Candidate { rank: rank(prefix.prefix_len(), SYSTEM), route });
        }
    }

    pub(super) fn learned_candidates(
        &self,
        destination: IpAddr,
        into: &mut Vec<Candidate>,
        open: &mut Vec<EffectiveRoute>,
        causes: &mut Vec<EcoString>,
    ) {
        if self.propagation == Some(false) {
            return;
        }
        for prefix in self.learned.iter().filter(|p| p.contains(&destination)) {
            let route = learned(prefix.trunc());
            if self.propagation.is_none() {
                causes.push("whether learned routes reach the subnet is not known".into());
                open.push(route);
            } else {
                into.push(Candidate { rank: rank(prefix.prefix_len(), LEARNED), route });
            }
        }
        causes.extend(self.learned_more.clone());
    }

    pub(super) fn user_candidates(
        &self,
        destination: IpAddr,
        into: &mut Vec<Candidate>,
        open: &mut Vec<EffectiveRoute>,
        causes: &mut Vec<EcoString>,
    ) {
        for route in &self.user {
            match &route.destination {
                RouteDestination::Prefix(prefix) if prefix.contains(&destination) => into.push(Candidate {
                    rank: Rank { tag: EXPLICIT, ..rank(prefix.prefix_len(), USER) },
                    route: route.effective(Some(prefix.trunc())),
                }),
                RouteDestination::Prefix(_) => {}
                RouteDestination::Tag(name) => {
                    let named = service_tags().resolve(name);
                    let known = self.known_tags.iter().find(|(tag, _)| *tag == named.name);
                    if let Some((_, prefixes)) = known {
                        for prefix in prefixes.iter().filter(|p| p.contains(&destination)) {
                            into.push(Candidate {
                                rank: Rank { tag: tag_rank(&named), ..rank(prefix.prefix_len(), USER) },
                                route: route.effective(Some(prefix.trunc())),
                            });
                        }
                    } else if is_public(IpNet::from(destination)) {
                        causes
                            .push(eco_format!("whether the address belongs to {} is not known", named.name));
                        open.push(route.effective(None));
                    }
                }
                RouteDestination::Unknown(cause) => {
                    causes.push(cause.clone());
                    open.push(route.effective(None));
                }
            }
        }
    }

    pub(super) fn default_candidates(
        &self,
        into: &mut Vec<Candidate>,
        open: &mut Vec<EffectiveRoute>,
        causes: &mut Vec<EcoString>,
    ) {
        let is_default = |p: &IpNet| p.prefix_len() == 0 && p.addr().is_ipv4();
        for prefix in default_routes().into_iter().filter(is_default) {
            let route = EffectiveRoute {
                origin: RouteOrigin::Default,
                prefix: Some(prefix),
                next_hop: NextHop::Internet,
            };
            into.push(Candidate { rank: rank(0, SYSTEM), route });
        }
        for prefix in self.learned.iter().filter(|p| is_default(p)) {
            match self.propagation {
                Some(true) => into.push(Candidate { rank: rank(0, LEARNED), route: learned(*prefix) }),
                Some(false) => {}
                None => {
                    causes.push("whether learned routes reach the subnet is not known".into());
                    open.push(learned(*prefix));
                }
            }
        }
        for route in &self.user {
            if let RouteDestination::Prefix(prefix) = &route.destination
                && is_default(prefix)
            {
                into.push(Candidate { rank: rank(0, USER), route: route.effective(Some(*prefix)) });
            }
        }
        let overridden = into.iter().any(|c| c.rank.origin == USER);
        if !overridden && self.propagation != Some(false) {
            causes.extend(self.learned_more.clone());
        }
    }

    pub(super) fn private_endpoint_at(&self, destination: IpAddr) -> Option<&PrivateEndpoint> {
        self.private_endpoints.iter().find(|endpoint| endpoint.address == destination)
    }

    /// Leaves of the candidates for a private endpoint's address those that may take its traffic: its own route; user
    /// routes of full length; and, where policies make routes apply, user routes at least as long as the address space of
    /// the endpoint's network.
    pub(super) fn retain_over_endpoint(
        &self,
        endpoint: &PrivateEndpoint,
        candidates: &mut Vec<Candidate>,
        open: &mut Vec<EffectiveRoute>,
        causes: &mut Vec<EcoString>,
    ) {
        let spaces = self.address_space.iter().chain(&self.peered).filter(|p| p.contains(&endpoint.address));
        let space = spaces.map(IpNet::prefix_len).max();
        let is_long = |c: &Candidate| space.is_some_and(|length| c.rank.prefix_length >= length);
        let full = IpNet::from(endpoint.address).prefix_len();
        let mut kept = Vec::new();
        for mut candidate in candidates.drain(..) {
            match candidate.route.origin {
                RouteOrigin::PrivateEndpoint => kept.push(candidate),
                RouteOrigin::User(_) if candidate.rank.prefix_length == full => kept.push(candidate),
                RouteOrigin::User(_) if is_long(&candidate) => match endpoint.route_policies {
                    Some(true) => {
                        // Such a route replaces the endpoint's own, which is longer.
                        candidate.rank.origin = USER + 1;
                        candidate.rank.prefix_length = full;
                        kept.push(candidate);
                    }
                    Some(false) => {}
                    None => {
                        causes.push(
                            "whether routes apply to private endpoints of that subnet is not known".into(),
                        );
                        open.push(candidate.route);
                    }
                },
                _ => {}
            }
        }
        *candidates = kept;
    }
}

fn learned(prefix: IpNet) -> EffectiveRoute {
    EffectiveRoute { origin: RouteOrigin::Learned, prefix: Some(prefix), next_hop: NextHop::Gateway }
}

pub(super) fn rank(prefix_length: u8, origin: u8) -> Rank {
    Rank { prefix_length, origin, tag: EXPLICIT }
}
