//! The model as JSON: to be read by other runs and other programs, and to be compared.
//!
//! The order is stable: parts of a kind are sorted by their identity, then by their content, so that one network gives one
//! text whatever the language, the order of files or the names of variables. Without places nothing is written that only
//! says where something stands.

mod parts;

use serde_json::{Map, Value as Json, json};

use super::*;

/// Writes the model. `with_places` adds the addresses of resources, which differ between languages.
pub fn to_json(topology: &Topology, with_places: bool) -> Json {
    let writer = Writer { topology, with_places };
    let mut root = Map::new();
    let mut list = |name: &str, mut items: Vec<Json>| {
        items.retain(|item| !item.is_null());
        if !items.is_empty() {
            items.sort_by_cached_key(Json::to_string);
            root.insert(name.to_string(), Json::Array(items));
        }
    };
    list("virtualNetworks", topology.virtual_networks.iter().map(|part| writer.network(part)).collect());
    list("subnets", topology.subnets.iter().map(|part| writer.subnet(part)).collect());
    list("securityGroups", topology.security_groups.iter().map(|part| writer.security_group(part)).collect());
    list(
        "applicationSecurityGroups",
        topology.application_security_groups.iter().map(|part| writer.object(&part.header, [])).collect(),
    );
    list("routeTables", topology.route_tables.iter().map(|part| writer.route_table(part)).collect());
    list("peerings", topology.peerings.iter().map(|part| writer.peering(part)).collect());
    list("virtualHubs", topology.virtual_hubs.iter().map(|part| writer.virtual_hub(part)).collect());
    list("hubConnections", topology.hub_connections.iter().map(|part| writer.hub_connection(part)).collect());
    list(
        "privateDnsZones",
        topology.private_dns_zones.iter().map(|part| writer.object(&part.header, [])).collect(),
    );
    list("zoneLinks", topology.zone_links.iter().map(|part| writer.zone_link(part)).collect());
    list("zoneRecords", topology.zone_records.iter().map(|part| writer.zone_record(part)).collect());
    list("dnsResolvers", topology.dns_resolvers.iter().map(|part| writer.dns_resolver(part)).collect());
    list(
        "forwardingRuleSets",
        topology.forwarding_rule_sets.iter().map(|part| writer.rule_set(part)).collect(),
    );
    list(
        "privateEndpoints",
        topology.private_endpoints.iter().map(|part| writer.private_endpoint(part)).collect(),
    );
    list(
        "privateLinkServices",
        topology
            .private_link_services
            .iter()
            .map(|part| writer.object(&part.header, [("subnets", writer.links(&part.subnets))]))
            .collect(),
    );
    list(
        "networkInterfaces",
        topology.network_interfaces.iter().map(|part| writer.interface(part)).collect(),
    );
    list(
        "virtualMachines",
        topology
            .virtual_machines
            .iter()
            .map(|part| writer.object(&part.header, [("interfaces", writer.links(&part.interfaces))]))
            .collect(),
    );
    list("scaleSets", topology.scale_sets.iter().map(|part| writer.scale_set(part)).collect());
    list("publicIps", topology.public_ips.iter().map(|part| writer.public_ip(part)).collect());
    list("natGateways", topology.nat_gateways.iter().map(|part| writer.nat_gateway(part)).collect());
    list(
        "virtualNetworkGateways",
        topology.virtual_network_gateways.iter().map(|part| writer.virtual_network_gateway(part)).collect(),
    );
    list("bastions", topology.bastions.iter().map(|part| writer.bastion(part)).collect());
    list("firewalls", topology.firewalls.iter().map(|part| writer.firewall(part)).collect());
    list("loadBalancers", topology.load_balancers.iter().map(|part| writer.load_balancer(part)).collect());
    list(
        "applicationGateways",
        topology.application_gateways.iter().map(|part| writer.application_gateway(part)).collect(),
    );
    list(
        "flexibleServers",
        topology.flexible_servers.iter().map(|part| writer.flexible_server(part)).collect(),
    );
    list(
        "kubernetesClusters",
        topology.kubernetes_clusters.iter().map(|part| writer.kubernetes_cluster(part)).collect(),
    );
    list("occupancies", topology.occupancies.iter().map(|part| writer.occupancy(part)).collect());
    list(
        "publicEndpoints",
        topology.public_endpoints.iter().map(|part| writer.public_endpoint(part)).collect(),
    );
    list("firewallRules", topology.firewall_rules.iter().map(|part| writer.firewall_rule(part)).collect());
    list("admissions", topology.admissions.iter().map(|part| writer.admission(part)).collect());
    Json::Object(root)
}

struct Writer<'a> {
    topology: &'a Topology,
    with_places: bool,
}

/// Parts whose identity a link can be written as.
trait Named {
    fn header(&self) -> &Header;
}

macro_rules! named {
    ($($part:ty),* $(,)?) => {
        $(impl Named for $part {
            fn header(&self) -> &Header {
                &self.header
            }
        })*
    };
}

named!(
    VirtualNetwork,
    Subnet,
    SecurityGroup,
    ApplicationSecurityGroup,
    RouteTable,
    PrivateDnsZone,
    NetworkInterface,
    ScaleSet,
    PublicIp,
    NatGateway,
    VirtualHub,
);

impl Writer<'_> {
    /// An object with who it is, and the properties that say something. What is made elsewhere and of which nothing is
    /// known but its name is left out: it stands where it is named.
    fn object<const N: usize>(&self, header: &Header, properties: [(&str, Json); N]) -> Json {
        let mut object = Map::new();
        object.insert("id".into(), self.identity(header));
        if !header.is_managed() {
            if properties.iter().all(|(_, value)| says_nothing(value)) {
                return Json::Null;
            }
            object.insert("declared".into(), json!("elsewhere"));
        }
        if header.uncertain.is_some() {
            object.insert("uncertain".into(), json!(true));
        }
        if self.with_places
            && let Some(node) = self.topology.resources.get(header.resource.index())
        {
            object.insert("address".into(), json!(node.key.address.as_str()));
        }
        for (name, value) in properties {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                object.insert(name.into(), value);
            }
        }
        Json::Object(object)
    }

    fn identity(&self, header: &Header) -> Json {
        match &header.resource_id {
            Some(id) => json!(id),
            None => header.name.known().map_or(unknown(), |name| json!(name.as_str())),
        }
    }

    fn field<T>(&self, field: &Field<T>, write: impl Fn(&T) -> Json) -> Json {
        match &field.state {
            State::Absent => Json::Null,
            State::Known(value) => write(value),
            State::Unknown(_) => unknown(),
        }
    }

    fn text(&self, field: &Field<ecow::EcoString>) -> Json {
        self.field(field, |text| json!(text.as_str()))
    }

    fn flag(&self, field: &Field<bool>) -> Json {
        self.field(field, |flag| json!(flag))
    }

    fn number(&self, field: &Field<i64>) -> Json {
        self.field(field, |number| json!(number))
    }

    /// A list in order; a last unknown element stands for what else may be there.
    fn list<T>(&self, list: &List<T>, write: impl Fn(&T) -> Json) -> Json {
        let mut items: Vec<Json> = list.items.iter().map(|item| self.field(item, &write)).collect();
        if list.rest.is_some() {
            items.push(json!({ "more": true }));
        }
        Json::Array(items)
    }

    /// A list whose order says nothing.
    fn set<T>(&self, list: &List<T>, write: impl Fn(&T) -> Json) -> Json {
        sorted(self.list(list, write))
    }

    fn texts(&self, list: &List<ecow::EcoString>) -> Json {
        self.list(list, |text| json!(text.as_str()))
    }

    fn prefix(&self, field: &Field<Prefix>) -> Json {
        self.field(field, |prefix: &Prefix| json!(prefix.text.as_str()))
    }

    fn prefixes(&self, list: &List<Prefix>) -> Json {
        self.set(list, |prefix| json!(prefix.text.as_str()))
    }

    fn link<T: Named + Listed>(&self, link: &Link<T>) -> Json
    where
        Topology: std::ops::Index<Id<T>, Output = T>,
    {
        match &link.state {
            LinkState::Absent => Json::Null,
            LinkState::To(id) => self.identity(self.topology[*id].header()),
            LinkState::Unknown(_) => unknown(),
        }
    }

    fn links<T: Named + Listed>(&self, links: &[Link<T>]) -> Json
    where
        Topology: std::ops::Index<Id<T>, Output = T>,
    {
        sorted(Json::Array(links.iter().map(|link| self.link(link)).collect()))
    }

    pub(super) fn resource(&self, link: &Link<ResourceNode>) -> Json {
        match &link.state {
            LinkState::Absent => Json::Null,
            LinkState::To(id) => match &self.topology[*id].resource_id {
                Some(id) => json!(id),
                None => unknown(),
            },
            LinkState::Unknown(_) => unknown(),
        }
    }

    fn network(&self, network: &VirtualNetwork) -> Json {
        self.object(
            &network.header,
            [
                ("addressSpace", self.prefixes(&network.address_space)),
                ("dnsServers", self.texts(&network.dns_servers)),
            ],
        )
    }

    fn subnet(&self, subnet: &Subnet) -> Json {
        self.object(
            &subnet.header,
            [
                ("network", self.link(&subnet.network)),
                ("prefixes", self.prefixes(&subnet.prefixes)),
                ("delegations", self.set(&subnet.delegations, |one| json!(one.service.as_str()))),
                ("serviceEndpoints", self.set(&subnet.service_endpoints, |text| json!(text.as_str()))),
                ("privateEndpointNetworkPolicies", self.text(&subnet.private_endpoint_network_policies)),
                (
                    "privateLinkServiceNetworkPolicies",
                    self.text(&subnet.private_link_service_network_policies),
                ),
                ("defaultOutboundAccess", self.flag(&subnet.default_outbound_access)),
                ("securityGroup", self.link(&subnet.security_group)),
                ("routeTable", self.link(&subnet.route_table)),
                ("natGateway", self.link(&subnet.nat_gateway)),
            ],
        )
    }

    fn security_group(&self, group: &SecurityGroup) -> Json {
        self.object(&group.header, [("rules", self.set(&group.rules, |rule| self.rule(rule)))])
    }

    fn rule(&self, rule: &SecurityRule) -> Json {
        let side = |side: &RuleEndpoint| {
            let mut object = Map::new();
            for (name, value) in [
                ("prefixes", self.set(&side.prefixes, |text| json!(text.as_str()))),
                ("groups", self.links(&side.groups)),
                ("ports", self.set(&side.ports, |text| json!(text.as_str()))),
            ] {
                if value.as_array().is_some_and(|items| !items.is_empty()) {
                    object.insert(name.into(), value);
                }
            }
            Json::Object(object)
        };
        self.object(
            &rule.header,
            [
                ("priority", self.number(&rule.priority)),
                ("direction", self.field(&rule.direction, |direction| json!(format!("{direction:?}")))),
                ("access", self.field(&rule.access, |access| json!(format!("{access:?}")))),
                ("protocol", self.text(&rule.protocol)),
                ("source", side(&rule.source)),
                ("destination", side(&rule.destination)),
            ],
        )
    }

    fn route_table(&self, table: &RouteTable) -> Json {
        let route = |route: &Route| {
            self.object(
                &route.header,
                [
                    ("addressPrefix", self.text(&route.address_prefix)),
                    ("nextHopType", self.text(&route.next_hop_type)),
                    ("nextHopAddress", self.text(&route.next_hop_address)),
                ],
            )
        };
        self.object(
            &table.header,
            [
                ("routes", self.set(&table.routes, route)),
                ("bgpRoutePropagation", self.flag(&table.bgp_route_propagation)),
            ],
        )
    }

    fn peering(&self, peering: &Peering) -> Json {
        self.object(
            &peering.header,
            [
                ("network", self.link(&peering.network)),
                ("remote", self.link(&peering.remote)),
                ("allowVirtualNetworkAccess", self.flag(&peering.allow_virtual_network_access)),
                ("allowForwardedTraffic", self.flag(&peering.allow_forwarded_traffic)),
                ("allowGatewayTransit", self.flag(&peering.allow_gateway_transit)),
                ("useRemoteGateways", self.flag(&peering.use_remote_gateways)),
                ("peerCompleteNetworks", self.flag(&peering.peer_complete_networks)),
            ],
        )
    }

    fn zone_link(&self, link: &ZoneLink) -> Json {
        self.object(
            &link.header,
            [
                ("zone", self.link(&link.zone)),
                ("network", self.link(&link.network)),
                ("registration", self.flag(&link.registration)),
                ("resolutionPolicy", self.text(&link.resolution_policy)),
            ],
        )
    }

    fn zone_record(&self, record: &ZoneRecord) -> Json {
        self.object(
            &record.header,
            [
                ("zone", self.link(&record.zone)),
                ("type", json!(record.record_type.as_str())),
                ("targets", self.texts(&record.targets)),
            ],
        )
    }

    fn dns_resolver(&self, resolver: &DnsResolver) -> Json {
        let endpoints = |endpoints: &[ResolverEndpoint]| {
            let items = endpoints.iter().map(|endpoint| {
                self.object(
                    &endpoint.header,
                    [("subnet", self.link(&endpoint.subnet)), ("address", self.text(&endpoint.address))],
                )
            });
            sorted(Json::Array(items.collect()))
        };
        self.object(
            &resolver.header,
            [
                ("network", self.link(&resolver.network)),
                ("inbound", endpoints(&resolver.inbound)),
                ("outbound", endpoints(&resolver.outbound)),
            ],
        )
    }

    fn rule_set(&self, set: &ForwardingRuleSet) -> Json {
        let rule = |rule: &ForwardingRule| json!({ "domain": self.text(&rule.domain), "targets": self.texts(&rule.targets) });
        self.object(
            &set.header,
            [("networks", self.links(&set.networks)), ("rules", self.set(&set.rules, rule))],
        )
    }

    fn admission(&self, admission: &Admission) -> Json {
        let node = &self.topology[admission.resource];
        let resource = match &node.resource_id {
            Some(id) => json!(id),
            None => unknown(),
        };
        json!({
            "resource": resource,
            "kind": admission.kind.as_str(),
            "subnet": self.link(&admission.subnet),
        })
    }

    fn occupancy(&self, occupancy: &Occupancy) -> Json {
        let node = &self.topology[occupancy.resource];
        let resource = match &node.resource_id {
            Some(id) => json!(id),
            None => unknown(),
        };
        json!({
            "resource": resource,
            "kind": occupancy.kind.as_str(),
            "subnet": self.link(&occupancy.subnet),
        })
    }
}

/// What is not known. The reason differs between languages and is not part of the network.
fn unknown() -> Json {
    json!({ "unknown": true })
}

/// Whether a property of something looked up holds nothing known.
fn says_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.iter().all(says_nothing),
        Json::Object(entries) => entries.keys().all(|key| key == "unknown" || key == "more"),
        _ => false,
    }
}

fn sorted(list: Json) -> Json {
    match list {
        Json::Array(mut items) => {
            items.sort_by_cached_key(Json::to_string);
            Json::Array(items)
        }
        other => other,
    }
}
