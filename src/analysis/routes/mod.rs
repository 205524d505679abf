//! Effective routes: where packets go that leave a subnet.
//!
//! Selection is as Azure documents it (learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview): the
//! longest prefix first; between equal prefixes user-defined routes, then those learned over BGP, then system routes.
//! System routes of the network, of peerings and of service endpoints win over BGP routes even where these are longer.
//! Works on plain inputs; what is not known leaves a selection open instead of being guessed.

mod candidates;
mod input;

use std::cmp::Reverse;
use std::net::IpAddr;

use ecow::{EcoString, eco_format};
use ipnet::IpNet;

use crate::azure::routes::route_facts;
use crate::azure::tags::service_tags;
use crate::net::AddressSet;

use candidates::{Candidate, USER, rank, tag_rank};

pub use input::{
    EffectiveRoute, NextHop, PrivateEndpoint, RouteDestination, RouteOrigin, Selection, ServiceEndpoint,
    SubnetRoutes, UserRoute,
};

impl SubnetRoutes {
    /// The route for one address.
    pub fn select(&self, destination: IpAddr) -> Selection {
        self.choose(destination, true)
    }

    /// The route for an address that no gateway announces.
    pub fn select_unannounced(&self, destination: IpAddr) -> Selection {
        self.choose(destination, false)
    }

    fn choose(&self, destination: IpAddr, announced: bool) -> Selection {
        let mut causes = Vec::new();
        let mut open = Vec::new();
        let mut candidates = Vec::new();
        self.system_candidates(destination, &mut candidates);
        self.endpoint_candidates(destination, &mut candidates, &mut causes);
        let outranks_learned = |c: &Candidate| {
            matches!(
                c.route.origin,
                RouteOrigin::VirtualNetwork | RouteOrigin::Peering | RouteOrigin::ServiceEndpoint(_)
            )
        };
        let in_use = candidates.iter().any(outranks_learned);
        if announced && !in_use {
            self.learned_candidates(destination, &mut candidates, &mut open, &mut causes);
        }
        self.user_candidates(destination, &mut candidates, &mut open, &mut causes);
        let private = self.private_endpoint_at(destination);
        if let Some(endpoint) = private {
            self.retain_over_endpoint(endpoint, &mut candidates, &mut open, &mut causes);
        }
        let default_by_user =
            candidates.iter().any(|c| is_default(&c.route) && matches!(c.route.origin, RouteOrigin::User(_)));
        let default_learned =
            candidates.iter().any(|c| is_default(&c.route) && c.route.origin == RouteOrigin::Learned);
        if default_by_user {
            candidates.retain(|c| c.route.origin != RouteOrigin::Reserved);
        }
        candidates.sort_by_key(|c| Reverse(c.rank));
        let Some(best) = candidates.first().map(|c| c.route.clone()) else {
            causes.extend(
                Some(EcoString::from("no route is known for the address")).filter(|_| causes.is_empty()),
            );
            return undecided(None, open, causes);
        };
        if best.origin == RouteOrigin::Reserved && default_learned {
            causes.push(
                "whether a default route learned by BGP replaces the platform's own routes is not documented"
                    .into(),
            );
            let learned = candidates.iter().find(|c| c.route.origin == RouteOrigin::Learned);
            open.extend(learned.map(|c| c.route.clone()));
        }
        // A tie between routes that lead to different places: Azure refuses equal prefixes in one table.
        let tied = candidates.iter().skip(1).filter(|c| Some(c.rank) == candidates.first().map(|b| b.rank));
        let rivals: Vec<_> = tied.map(|c| c.route.clone()).filter(|r| r.next_hop != best.next_hop).collect();
        if !rivals.is_empty() {
            causes.push("two routes have the same prefix".into());
            open.extend(rivals);
        }
        // Older pages let a user-defined route win here, newer ones say that service endpoints cannot be overridden.
        let length = best.prefix.map(|p| p.prefix_len());
        let same_length = |c: &&Candidate| {
            matches!(c.route.origin, RouteOrigin::ServiceEndpoint(_)) && Some(c.rank.prefix_length) == length
        };
        if matches!(best.origin, RouteOrigin::User(_))
            && let Some(endpoint) = candidates.iter().find(same_length)
        {
            causes.push(OVERRIDE.into());
            open.push(endpoint.route.clone());
        }
        let doubtful = self.cut_by_unknown_table(&best);
        causes.extend(doubtful.cloned());
        causes.extend(self.cut_by_unknown_peering(&best, destination).cloned());
        if causes.is_empty() { Selection::Certain(best) } else { undecided(Some(best), open, causes) }
    }

    /// An address that a user-defined route certainly takes, a public one where it has any; `None` where a longer prefix or
    /// something that is not known may take all of it.
    pub fn example_of(&self, index: usize) -> Option<IpAddr> {
        let route = self.user.iter().find(|route| route.index == index)?;
        let RouteDestination::Prefix(prefix) = route.destination else { return None };
        let others = self.user.iter().filter_map(|route| match &route.destination {
            RouteDestination::Prefix(other) if other.prefix_len() > prefix.prefix_len() => Some(*other),
            _ => None,
        });
        let system =
            self.address_space.iter().chain(&self.peered).filter(|p| p.prefix_len() > prefix.prefix_len());
        let longer = AddressSet::from_prefixes(others.chain(system.copied()).map(|p| p.trunc()));
        let own = AddressSet::from_prefixes([prefix.trunc()]).subtract(&longer);
        let public = own.intersect(&crate::azure::security_groups::security_group_facts().public());
        if public.is_empty() { own.example(None) } else { public.example(None) }
    }

    /// The routes for all addresses of a set, as disjoint parts in the order of the longest prefixes.
    pub fn select_all(&self, destination: &AddressSet) -> Vec<(AddressSet, Selection)> {
        let mut prefixes = self.all_prefixes();
        prefixes.sort_by(|a, b| b.prefix_len().cmp(&a.prefix_len()).then(a.cmp(b)));
        prefixes.dedup();
        let mut rest = destination.clone();
        let mut parts: Vec<(AddressSet, Selection)> = Vec::new();
        for prefix in prefixes {
            // All addresses of the part have the same prefixes above them, so that one speaks for all.
            let part = rest.intersect(&AddressSet::from_prefixes([prefix]));
            let Some(address) = part.example(None) else { continue };
            rest = rest.subtract(&part);
            let selection = self.select(address);
            match parts.iter_mut().find(|(_, known)| *known == selection) {
                Some((addresses, _)) => *addresses = addresses.union(&part),
                None => parts.push((part, selection)),
            }
        }
        parts
    }

    /// The route for traffic to a service tag, as far as its routes are of one mind. The addresses behind the tag are not
    /// known, so that routes with explicit public prefixes may take a part of it.
    pub fn select_tag(&self, tag: &str) -> Selection {
        let wanted = service_tags().resolve(tag);
        let outer = service_tags().containing(&wanted);
        let mut causes: Vec<EcoString> = Vec::new();
        let mut candidates: Vec<(u8, EffectiveRoute)> = Vec::new();
        let mut open = Vec::new();
        for route in &self.user {
            match &route.destination {
                RouteDestination::Tag(name) => {
                    let named = service_tags().resolve(name);
                    let effective = route.effective(None);
                    if named.name == wanted.name || outer.contains(&named.name) {
                        candidates.push((tag_rank(&named), effective));
                    } else {
                        causes.push(eco_format!(
                            "which addresses {wanted} and {named} have in common is not known",
                            wanted = wanted.name,
                            named = named.name
                        ));
                        open.push(effective);
                    }
                }
                RouteDestination::Prefix(prefix) if prefix.prefix_len() > 0 && is_public(*prefix) => {
                    causes.push(eco_format!(
                        "whether {prefix} holds addresses of {} is not known",
                        wanted.name
                    ));
                    open.push(route.effective(Some(*prefix)));
                }
                RouteDestination::Prefix(_) => {}
                RouteDestination::Unknown(cause) => {
                    causes.push(cause.clone());
                    open.push(route.effective(None));
                }
            }
        }
        for endpoint in &self.service_endpoints {
            if endpoint_tag(&endpoint.service).is_some_and(|t| t == wanted.name || outer.contains(&t)) {
                if let Some((_, user)) =
                    candidates.iter().find(|(_, r)| matches!(r.origin, RouteOrigin::User(_)))
                {
                    causes.push(OVERRIDE.into());
                    open.push(user.clone());
                }
                candidates.push((u8::MAX, endpoint.effective(None)));
            }
        }
        candidates.sort_by_key(|(rank, _)| Reverse(*rank));
        let best = candidates.into_iter().next().map(|(_, route)| route).or_else(|| {
            // Beyond tags, the default route: any address that no other prefix holds has it.
            let mut defaults = Vec::new();
            self.default_candidates(&mut defaults, &mut open, &mut causes);
            defaults.sort_by_key(|c: &Candidate| Reverse(c.rank));
            defaults.into_iter().next().map(|c| c.route)
        });
        causes.extend(self.user_more.clone());
        causes.sort_unstable();
        causes.dedup();
        // Routes that may take a part but lead to the same place change nothing.
        let hop = best.as_ref().map(|b| b.next_hop.clone());
        let agree = hop.is_some() && open.iter().all(|r| Some(&r.next_hop) == hop.as_ref());
        match best {
            Some(best) if causes.is_empty() || (agree && self.user_more.is_none() && !open.is_empty()) => {
                Selection::Certain(best)
            }
            best => undecided(best, open, causes),
        }
    }

    /// Why routes that are not known could take over from the best one, if they could.
    fn cut_by_unknown_table(&self, best: &EffectiveRoute) -> Option<&EcoString> {
        let longest = best.prefix.is_some_and(|p| p.prefix_len() == p.max_prefix_len());
        let fixed = longest && matches!(best.origin, RouteOrigin::User(_));
        self.user_more.as_ref().filter(|_| !fixed)
    }

    /// Why the range of a peered network could take over from the best one, if it could. No network of a peering overlaps
    /// another that the same network knows, and networks with public ranges are not thought of.
    fn cut_by_unknown_peering(&self, best: &EffectiveRoute, destination: IpAddr) -> Option<&EcoString> {
        let fixed = match best.origin {
            RouteOrigin::VirtualNetwork | RouteOrigin::Peering | RouteOrigin::PrivateEndpoint => true,
            RouteOrigin::User(_) => best.prefix.is_some_and(|p| p.prefix_len() == p.max_prefix_len()),
            _ => false,
        };
        self.peered_more.as_ref().filter(|_| !fixed && !is_public(IpNet::from(destination)))
    }

    /// The route for addresses of the Internet that no route names in particular: a default route, or two routes for the two
    /// halves of all addresses that lead to the same place.
    pub fn select_default(&self) -> Selection {
        let (mut candidates, mut open, mut causes) = (Vec::new(), Vec::new(), Vec::new());
        self.default_candidates(&mut candidates, &mut open, &mut causes);
        let halves: Vec<&UserRoute> = self.user.iter().filter(|route| route.destination.is_half()).collect();
        if let [one, other, ..] = halves.as_slice()
            && one.destination != other.destination
        {
            for half in [one, other] {
                let prefix = match &half.destination {
                    RouteDestination::Prefix(prefix) => Some(*prefix),
                    _ => None,
                };
                candidates.push(Candidate { rank: rank(1, USER), route: half.effective(prefix) });
            }
            if one.next_hop != other.next_hop {
                causes.push("the two halves of the Internet have different routes".into());
            } else {
                // Longer than what a gateway may announce for everything.
                causes.clear();
            }
        }
        for route in &self.user {
            if let RouteDestination::Unknown(cause) = &route.destination {
                causes.push(cause.clone());
                open.push(route.effective(None));
            }
        }
        causes.extend(self.user_more.clone());
        candidates.sort_by_key(|c: &Candidate| Reverse(c.rank));
        match candidates.into_iter().next().map(|c| c.route) {
            Some(best) if causes.is_empty() => Selection::Certain(best),
            best => undecided(best, open, causes),
        }
    }

    fn all_prefixes(&self) -> Vec<IpNet> {
        let user = self.user.iter().filter_map(|route| match &route.destination {
            RouteDestination::Prefix(prefix) => Some(*prefix),
            _ => None,
        });
        let mut all: Vec<IpNet> = user.collect();
        all.extend(&self.address_space);
        all.extend(&self.peered);
        all.extend(&self.learned);
        all.extend(self.service_endpoints.iter().flat_map(|e| e.prefixes.iter().flatten()));
        all.extend(self.private_endpoints.iter().map(|e| IpNet::from(e.address)));
        all.extend(self.known_tags.iter().flat_map(|(_, prefixes)| prefixes));
        all.extend(route_facts().reserved_prefixes());
        // What is open for public addresses is not open for others.
        all.extend(crate::azure::security_groups::security_group_facts().public().complement().prefixes());
        all.extend(default_routes());
        all.into_iter().map(|p| p.trunc()).collect()
    }
}

impl RouteDestination {
    /// Whether it is one half of all IPv4 addresses.
    fn is_half(&self) -> bool {
        matches!(self, RouteDestination::Prefix(prefix) if prefix.prefix_len() == 1 && prefix.addr().is_ipv4())
    }
}

impl UserRoute {
    fn effective(&self, prefix: Option<IpNet>) -> EffectiveRoute {
        EffectiveRoute { origin: RouteOrigin::User(self.index), prefix, next_hop: self.next_hop.clone() }
    }
}

impl ServiceEndpoint {
    fn effective(&self, prefix: Option<IpNet>) -> EffectiveRoute {
        let origin = RouteOrigin::ServiceEndpoint(self.service.clone());
        EffectiveRoute { origin, prefix, next_hop: NextHop::ServiceEndpoint }
    }
}

fn is_default(route: &EffectiveRoute) -> bool {
    route.prefix.is_some_and(|p| p.prefix_len() == 0)
}

/// Why a user-defined route beside a service endpoint leaves the answer open.
const OVERRIDE: &str = "documents disagree on whether a user-defined route overrides a service endpoint";

/// The service tag of a service endpoint: `Storage` of `Microsoft.Storage`.
fn endpoint_tag(service: &str) -> Option<EcoString> {
    let name = service.strip_prefix("Microsoft.")?.trim_end_matches(".Global");
    let name = if name.eq_ignore_ascii_case("KeyVault") { "AzureKeyVault" } else { name };
    service_tags().get(name).map(|tag| tag.name.clone())
}

/// Whether a prefix holds public addresses.
fn is_public(prefix: IpNet) -> bool {
    let public = crate::azure::security_groups::security_group_facts().public();
    AddressSet::from_prefixes([prefix]).intersects(&public)
}

fn default_routes() -> [IpNet; 2] {
    [IpNet::V4(ipnet::Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())]
}

fn undecided(
    likely: Option<EffectiveRoute>,
    mut others: Vec<EffectiveRoute>,
    mut causes: Vec<EcoString>,
) -> Selection {
    causes.sort_unstable();
    causes.dedup();
    others.retain(|route| Some(route) != likely.as_ref());
    others.dedup();
    Selection::Undecided { likely, others, causes }
}

#[cfg(test)]
mod tests;
