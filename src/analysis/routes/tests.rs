//! The table of single addresses, and what is not known.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::azure::Sources;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[allow(dead_code)]
    about: String,
    vectors: Vec<Vector>,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    what: String,
    space: Vec<IpNet>,
    #[serde(default)]
    peered: Vec<IpNet>,
    #[serde(default)]
    learned: Vec<IpNet>,
    propagation: Option<bool>,
    #[serde(default)]
    table: Vec<RouteRow>,
    #[serde(default)]
    service_endpoints: BTreeMap<String, Vec<IpNet>>,
    #[serde(default)]
    private_endpoints: Vec<EndpointRow>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<IpNet>>,
    to: IpAddr,
    next_hop: String,
    by: String,
    route: Option<String>,
    address: Option<IpAddr>,
    source: String,
    #[allow(dead_code)]
    confidence: crate::azure::Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteRow {
    name: String,
    to: String,
    next_hop: String,
    address: Option<IpAddr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointRow {
    address: IpAddr,
    route_policies: bool,
}

fn hop(name: &str, address: Option<IpAddr>) -> NextHop {
    match name {
        "virtual network" => NextHop::VirtualNetwork,
        "peering" => NextHop::Peering,
        "gateway" => NextHop::Gateway,
        "appliance" => NextHop::Appliance(address),
        "internet" => NextHop::Internet,
        "service endpoint" => NextHop::ServiceEndpoint,
        "private endpoint" => NextHop::PrivateEndpoint,
        "none" => NextHop::None,
        other => panic!("{other}"),
    }
}

impl Vector {
    fn routes(&self) -> SubnetRoutes {
        let user = self.table.iter().enumerate().map(|(index, row)| UserRoute {
            name: row.name.as_str().into(),
            index,
            destination: row
                .to
                .parse()
                .map_or_else(|_| RouteDestination::Tag(row.to.as_str().into()), RouteDestination::Prefix),
            next_hop: hop(&row.next_hop, row.address),
        });
        SubnetRoutes {
            address_space: self.space.clone(),
            peered: self.peered.clone(),
            learned: self.learned.clone(),
            propagation: Some(self.propagation.unwrap_or(true)),
            user: user.collect(),
            service_endpoints: (self.service_endpoints.iter())
                .map(|(name, list)| ServiceEndpoint {
                    service: name.as_str().into(),
                    prefixes: Some(list.clone()),
                })
                .collect(),
            private_endpoints: (self.private_endpoints.iter())
                .map(|row| PrivateEndpoint { address: row.address, route_policies: Some(row.route_policies) })
                .collect(),
            known_tags: self
                .tags
                .iter()
                .map(|(name, list)| (service_tags().resolve(name).name, list.clone()))
                .collect(),
            ..SubnetRoutes::default()
        }
    }
}

#[test]
fn single_addresses_are_routed_as_documented() {
    let table: Table = serde_json::from_str(include_str!("../../../testdata/routes/vectors.json")).unwrap();
    assert_eq!(table.vectors.len(), 53);
    for vector in &table.vectors {
        assert!(table.sources.get(&vector.source).is_some(), "{}", vector.id);
        let routes = vector.routes();
        let selection = routes.select(vector.to);
        let context = format!("{} ({}): {selection:?}", vector.id, vector.what);
        let route = selection.certain().unwrap_or_else(|| panic!("{context}"));
        assert_eq!(route.next_hop, hop(&vector.next_hop, vector.address), "{context}");
        let (by, name) = match &route.origin {
            RouteOrigin::User(index) => ("table", Some(vector.table[*index].name.clone())),
            RouteOrigin::Learned => ("learned", None),
            RouteOrigin::VirtualNetwork => ("virtual network", None),
            RouteOrigin::Peering => ("peering", None),
            RouteOrigin::ServiceEndpoint(_) => ("service endpoint", None),
            RouteOrigin::PrivateEndpoint => ("private endpoint", None),
            RouteOrigin::Default => ("default", None),
            RouteOrigin::Reserved => ("reserved", None),
        };
        assert_eq!((by, name), (vector.by.as_str(), vector.route.clone()), "{context}");
        // Asked about everything, the part that holds the address has the same route.
        let parts = routes.select_all(&AddressSet::all_v4());
        let own: Vec<_> = parts.iter().filter(|(part, _)| part.contains(vector.to)).collect();
        assert_eq!(own.len(), 1, "{context}");
        assert_eq!(own[0].1, selection, "{context}");
        let whole = parts.iter().fold(AddressSet::empty(), |all, (part, _)| all.union(part));
        assert_eq!(whole, AddressSet::all_v4(), "{context}");
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn appliance() -> NextHop {
    NextHop::Appliance(Some(address("10.0.100.4")))
}

fn user(index: usize, to: &str, next_hop: NextHop) -> UserRoute {
    let destination = to.parse().map_or_else(|_| RouteDestination::Tag(to.into()), RouteDestination::Prefix);
    UserRoute { name: ecow::eco_format!("route {index}"), index, destination, next_hop }
}

fn subnet(user: Vec<UserRoute>) -> SubnetRoutes {
    SubnetRoutes {
        address_space: vec![net("10.0.0.0/16")],
        propagation: Some(true),
        user,
        ..SubnetRoutes::default()
    }
}

fn causes(selection: &Selection) -> &[EcoString] {
    match selection {
        Selection::Undecided { causes, .. } => causes,
        Selection::Certain(_) => &[],
    }
}

#[test]
fn a_set_is_split_where_routes_change() {
    let routes =
        subnet(vec![user(0, "0.0.0.0/0", appliance()), user(1, "10.0.7.0/24", NextHop::VirtualNetwork)]);
    let parts = routes.select_all(&AddressSet::parse("10.0.0.0/15").unwrap());
    let shown: Vec<_> = parts.iter().map(|(part, s)| (part.to_string(), s.next_hop().cloned())).collect();
    assert_eq!(shown, [
        ("10.0.7.0/24".to_owned(), Some(NextHop::VirtualNetwork)),
        (
            "10.0.0.0/22, 10.0.4.0/23, 10.0.6.0/24, 10.0.8.0/21, 10.0.16.0/20, 10.0.32.0/19, 10.0.64.0/18, \
             10.0.128.0/17"
                .to_owned(),
            Some(NextHop::VirtualNetwork)
        ),
        ("10.1.0.0/16".to_owned(), Some(appliance())),
    ]);
}

#[test]
fn both_families_have_routes() {
    let mut routes = subnet(vec![user(0, "0.0.0.0/0", appliance())]);
    routes.address_space.push(net("fd00:1::/48"));
    let hop = |to: &str| routes.select(address(to)).next_hop().cloned();
    assert_eq!(hop("fd00:1::5"), Some(NextHop::VirtualNetwork));
    assert_eq!(hop("2603:1020::1"), Some(NextHop::Internet), "an IPv4 default route says nothing of IPv6");
    assert_eq!(hop("8.8.8.8"), Some(appliance()));
}

#[test]
fn what_is_not_known_leaves_the_selection_open() {
    let public = address("8.8.8.8");
    let mut routes = subnet(vec![]);
    routes.learned_more = Some("the gateway's peers are not in the files".into());
    assert_eq!(causes(&routes.select(public)), ["the gateway's peers are not in the files"]);
    assert_eq!(
        routes.select(address("10.0.3.4")).next_hop(),
        Some(&NextHop::VirtualNetwork),
        "BGP cannot take it"
    );
    routes.propagation = Some(false);
    assert_eq!(routes.select(public).next_hop(), Some(&NextHop::Internet));

    let mut routes = subnet(vec![user(0, "Storage", NextHop::Internet), user(1, "0.0.0.0/0", appliance())]);
    assert_eq!(causes(&routes.select(public)), ["whether the address belongs to Storage is not known"]);
    assert_eq!(
        routes.select(address("172.16.0.1")).next_hop(),
        Some(&appliance()),
        "no service has a private address"
    );
    routes.user_more = Some("routes are managed elsewhere".into());
    assert_eq!(causes(&routes.select(address("10.0.3.4"))), ["routes are managed elsewhere"]);

    let routes = subnet(vec![user(0, "10.9.0.0/16", NextHop::None), user(1, "10.9.0.0/16", appliance())]);
    assert_eq!(causes(&routes.select(address("10.9.1.1"))), ["two routes have the same prefix"]);
    let unknown = NextHop::Unknown("var.type has no value".into());
    let routes = subnet(vec![user(0, "0.0.0.0/0", unknown)]);
    assert_eq!(routes.select(public).next_hop(), None);
    assert!(routes.select(public).certain().is_some_and(|route| route.origin == RouteOrigin::User(0)));
}

#[test]
fn a_default_route_over_bgp_leaves_private_space_open() {
    let mut routes = subnet(vec![]);
    routes.learned = vec![net("0.0.0.0/0")];
    assert_eq!(routes.select(address("8.8.8.8")).next_hop(), Some(&NextHop::Gateway));
    assert!(!causes(&routes.select(address("192.168.7.7"))).is_empty());
}

#[test]
fn service_endpoints_and_user_routes_of_one_prefix_are_not_decided() {
    let mut routes = subnet(vec![user(0, "20.60.26.0/23", appliance())]);
    let prefixes = Some(vec![net("20.60.26.0/23")]);
    routes.service_endpoints = vec![ServiceEndpoint { service: "Microsoft.Storage".into(), prefixes }];
    assert_eq!(causes(&routes.select(address("20.60.26.10"))), [OVERRIDE]);
    routes.service_endpoints[0].prefixes = None;
    assert_eq!(
        causes(&routes.select(address("8.8.8.8"))),
        ["the addresses of the service endpoint Microsoft.Storage are not known"]
    );
    assert!(routes.select(address("10.0.0.4")).certain().is_some());
}

#[test]
fn tags_are_routed_as_a_whole() {
    let default = || user(0, "0.0.0.0/0", appliance());
    let hop = |routes: &SubnetRoutes, tag: &str| routes.select_tag(tag).next_hop().cloned();
    assert_eq!(hop(&subnet(vec![]), "Storage"), Some(NextHop::Internet));
    assert_eq!(hop(&subnet(vec![default()]), "Storage"), Some(appliance()));
    let direct = subnet(vec![default(), user(1, "ApiManagement", NextHop::Internet)]);
    assert_eq!(hop(&direct, "apimanagement"), Some(NextHop::Internet));
    assert_eq!(hop(&direct, "ApiManagement.WestEurope"), Some(NextHop::Internet), "a region lies in its tag");
    assert_eq!(
        causes(&direct.select_tag("Storage")),
        ["which addresses Storage and ApiManagement have in common is not known"]
    );
    let regional = subnet(vec![default(), user(1, "Storage.WestEurope", NextHop::Internet)]);
    assert_eq!(hop(&regional, "Storage"), None, "a region is less than the whole");
    let explicit = subnet(vec![default(), user(1, "20.60.0.0/16", NextHop::Internet)]);
    assert_eq!(
        causes(&explicit.select_tag("Storage")),
        ["whether 20.60.0.0/16 holds addresses of Storage is not known"]
    );
    // Whatever part of it another route takes, it leads to the same place.
    let same = subnet(vec![default(), user(1, "20.60.0.0/16", appliance())]);
    assert_eq!(hop(&same, "Storage"), Some(appliance()));
    let mut endpoint = subnet(vec![default()]);
    endpoint.service_endpoints =
        vec![ServiceEndpoint { service: "Microsoft.Storage".into(), prefixes: None }];
    assert_eq!(hop(&endpoint, "Storage.WestEurope"), Some(NextHop::ServiceEndpoint));
}
