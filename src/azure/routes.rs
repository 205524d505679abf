//! What Azure documents about routes and route tables.

use std::sync::OnceLock;

use ipnet::IpNet;
use serde::Deserialize;

use super::flows::FlowEndpoint;
use super::{Confidence, Sources};
use crate::net::parse_prefix;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteFacts {
    /// What the table holds.
    pub about: String,
    reserved_prefixes: Vec<String>,
    /// What subnets and services demand of their route table.
    pub subnet_rules: Vec<SubnetRouteRule>,
    /// How routes are chosen and what they do, one sentence each.
    pub facts: Vec<RouteFact>,
    /// Where the rows come from.
    pub sources: Sources,
}

/// What a subnet or a service demands of its route table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubnetRouteRule {
    /// Name of the row; stable.
    pub id: String,
    /// The subnet's name, if the name decides.
    pub subnet_name: Option<String>,
    /// The service in the subnet, if that decides: an id of [`super::flows::Service`].
    pub service: Option<String>,
    /// What it says of route tables as such.
    pub route_table: TablePolicy,
    /// The demand, in words.
    pub rule: String,
    /// What happens otherwise.
    pub severity: RouteSeverity,
    /// The prefix that it is about.
    pub prefix: Option<String>,
    /// The next hops, one of which a route for the prefix must have.
    #[serde(default)]
    pub required_next_hop: Vec<String>,
    /// Whether there must be a route for the prefix; otherwise it only must not have another next hop.
    #[serde(default)]
    pub must_exist: bool,
    /// Whether learned routes must reach the subnet.
    pub required_propagation: Option<bool>,
    /// When it holds, in words; always, if absent.
    pub condition: Option<String>,
    /// When it does not hold, in words.
    pub unless: Option<String>,
    /// Routes that must be there.
    #[serde(default)]
    pub required_routes: Vec<RequiredRoute>,
    /// Whether the appliance may also let pass what the required routes are for.
    #[serde(default)]
    pub through_appliance: bool,
    /// The code that Azure answers with, where known.
    pub error_code: Option<String>,
    /// What Azure says, where known.
    pub message: Option<String>,
    /// What else there is to say.
    pub note: Option<String>,
    /// Whether the service has ended.
    #[serde(default)]
    pub retired: bool,
    /// Key of [`RouteFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// A route that must be there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredRoute {
    /// Where to.
    pub to: FlowEndpoint,
    /// Where next.
    pub next_hop: String,
    /// Whether newer deployments do without it.
    #[serde(default)]
    pub optional: bool,
    /// What else there is to say.
    pub note: Option<String>,
}

/// What a subnet or service says of route tables as such.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TablePolicy {
    /// There may be none.
    Forbidden,
    /// There may be one; some routes are not allowed, or some are needed.
    Restricted,
    /// There must be one.
    Required,
    /// Needed in common designs.
    Recommended,
    /// No restriction beyond the row's words.
    Allowed,
    /// None is possible.
    None,
}

/// What happens when a demand is not met.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteSeverity {
    /// Azure refuses it.
    Rejected,
    /// It deploys, then fails.
    Broken,
    /// It is outside what Microsoft supports.
    Unsupported,
    /// The service takes care of it.
    Managed,
    /// Nothing: the row says what is fine.
    Allowed,
}

/// One sentence about routes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteFact {
    /// Name of the row; stable.
    pub id: String,
    /// What it is about.
    pub section: String,
    /// The sentence.
    pub fact: String,
    /// Key of [`RouteFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// The table.
pub fn route_facts() -> &'static RouteFacts {
    static TABLE: OnceLock<RouteFacts> = OnceLock::new();
    TABLE.get_or_init(|| super::read(include_str!("data/routes.json")))
}

impl RouteFacts {
    /// Private ranges that the platform drops where no longer prefix takes them.
    pub fn reserved_prefixes(&self) -> Vec<IpNet> {
        self.reserved_prefixes.iter().filter_map(|text| parse_prefix(text)).collect()
    }

    /// The demands of a subnet by its name, in any case.
    pub fn for_subnet<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a SubnetRouteRule> {
        let named = move |row: &&SubnetRouteRule| {
            row.subnet_name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name))
        };
        self.subnet_rules.iter().filter(named)
    }

    /// The demands of a service by its id.
    pub fn for_service<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a SubnetRouteRule> {
        self.subnet_rules.iter().filter(move |row| row.service.as_deref() == Some(id))
    }

    /// A fact by its id.
    pub fn fact(&self, id: &str) -> Option<&RouteFact> {
        self.facts.iter().find(|fact| fact.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::flows::required_flows;
    use crate::azure::tags::service_tags;

    #[test]
    fn every_row_is_read_and_makes_sense() {
        let table = route_facts();
        assert_eq!(table.reserved_prefixes().len(), 4);
        assert!(table.subnet_rules.len() >= 38 && table.facts.len() >= 40);
        for row in &table.subnet_rules {
            assert!(table.sources.get(&row.source).is_some(), "{}", row.id);
            assert!(row.subnet_name.is_some() != row.service.is_some(), "{}", row.id);
            if let Some(service) = &row.service {
                assert!(required_flows().service(service).is_some(), "{}: {service}", row.id);
            }
            assert!(row.prefix.as_deref().is_none_or(|p| parse_prefix(p).is_some()), "{}", row.id);
            for route in &row.required_routes {
                if let FlowEndpoint::Tag { value, .. } = &route.to {
                    assert!(service_tags().get(value).is_some(), "{}: {value}", row.id);
                }
            }
        }
        for fact in &table.facts {
            assert!(table.sources.get(&fact.source).is_some(), "{}", fact.id);
        }
        assert_eq!(table.for_subnet("gatewaysubnet").count(), 4);
        assert!(table.for_service("aks-nodes").any(|row| row.id == "aks-udr"));
        assert!(table.fact("longest-prefix").is_some());
    }
}
