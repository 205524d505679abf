//! Private DNS, resolvers, private endpoints, private link services.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::topology::*;
use crate::value::{Reference, Step, Value, ValueKind};

use super::Builder;
use super::identity::ParsedId;
use super::part::Part;
use super::source::Source;
use super::view::{Block, Found, View, paths};

const ZONE_LINK_TYPE: &str = "microsoft.network/privatednszones/virtualnetworklinks";
const ZONE_PREFIX: &str = "microsoft.network/privatednszones/";
const INBOUND_TYPE: &str = "Microsoft.Network/dnsResolvers/inboundEndpoints";
const OUTBOUND_TYPE: &str = "Microsoft.Network/dnsResolvers/outboundEndpoints";
const RULE_SET_LINK_TYPE: &str = "microsoft.network/dnsforwardingrulesets/virtualnetworklinks";
const FORWARDING_RULE_TYPE: &str = "microsoft.network/dnsforwardingrulesets/forwardingrules";
const ZONE_GROUP_TYPE: &str = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups";

/// What begins so is a child of something.
const CHILDREN: [&str; 3] =
    [ZONE_PREFIX, "microsoft.network/dnsresolvers/", "microsoft.network/dnsforwardingrulesets/"];

/// Record types in their usual spelling, and where their targets stand.
const RECORDS: &[(&str, &str)] = &[
    ("A", "a"),
    ("AAAA", "aaaa"),
    ("CNAME", "cname"),
    ("MX", "mx"),
    ("PTR", "ptr"),
    ("SOA", "soa"),
    ("SRV", "srv"),
    ("TXT", "txt"),
];

impl<'a> Builder<'a> {
    /// Reads zones' links and records, resolvers, rule sets, private endpoints and link services.
    pub fn fill_dns(&mut self) {
        for managed in [true, false] {
            for source in self.sources.iter().filter(|source| source.managed == managed && !source.patch) {
                if source.what == ZONE_LINK_TYPE {
                    self.add_zone_link(source);
                }
            }
        }
        for source in self.sources {
            let what = source.what.as_str();
            // What has a place of its own in the model is joined there.
            if source.superseded && CHILDREN.iter().any(|prefix| what.starts_with(prefix)) {
                continue;
            }
            if let Some(kind) = what.strip_prefix(ZONE_PREFIX)
                && let Some((record_type, _)) = RECORDS.iter().find(|(_, lower)| *lower == kind)
            {
                self.add_record(source, record_type);
            } else if source.is::<DnsResolver>() {
                if let Some(id) = self.own_part::<DnsResolver>(source) {
                    let network = self.link(
                        source,
                        &source.view(),
                        paths!(["virtual_network_id"], ["properties.virtualNetwork.id"]),
                    );
                    self.topology.dns_resolvers[id.index()].network = network;
                }
            } else if source.managed && what.eq_ignore_ascii_case(INBOUND_TYPE) {
                self.add_resolver_endpoint(source, true);
            } else if source.managed && what.eq_ignore_ascii_case(OUTBOUND_TYPE) {
                self.add_resolver_endpoint(source, false);
            } else if source.managed && what == RULE_SET_LINK_TYPE {
                self.add_rule_set_link(source);
            } else if source.managed && what == FORWARDING_RULE_TYPE {
                self.add_forwarding_rule(source);
            } else if source.is::<PrivateEndpoint>() {
                self.fill_private_endpoint(source);
            } else if source.is::<PrivateLinkService>() {
                self.fill_private_link_service(source);
            }
        }
        let zone_group = |source: &&Source| source.what.eq_ignore_ascii_case(ZONE_GROUP_TYPE);
        for source in self.sources.iter().filter(zone_group).filter(|source| !source.superseded) {
            self.add_zone_group(source);
        }
        for (index, link) in self.topology.zone_links.iter().enumerate() {
            if let Some(zone) = link.zone.to()
                && let Some(zone) = self.topology.private_dns_zones.get_mut(zone.index())
            {
                zone.links.push(Id::new(index));
            }
        }
    }

    fn add_zone_link(&mut self, source: &'a Source) {
        let zone = self.parent::<PrivateDnsZone>(source, &["private_dns_zone_id"], "private_dns_zone_name");
        let parent = zone.to().and_then(|zone| self.topology[zone].header.name.known().cloned());
        let name = zone.to().zip(source.last_name().cloned());
        let known = name.as_ref().and_then(|name| self.zone_links.get(name)).copied();
        if let Some(known) = known {
            let redeployed = self.may_redeploy(source)
                && self.topology[known].header.is_certain()
                && self.source(self.topology[known].header.resource).key.root == source.key.root;
            if !source.managed || redeployed {
                self.parts[source.id.index()] = Some((ZoneLink::TYPE, known.index()));
                return;
            }
        }
        let header = self.header::<ZoneLink>(source, parent.as_deref());
        let view = source.view();
        let registration =
            view.flag(paths!(["registration_enabled"], ["properties.registrationEnabled"])).or_default(false);
        let link = ZoneLink {
            header,
            zone,
            network: self.link(
                source,
                &view,
                paths!(["virtual_network_id"], ["properties.virtualNetwork.id"]),
            ),
            registration,
            resolution_policy: view.choice(
                paths!(["resolution_policy"], ["properties.resolutionPolicy"]),
                &["Default", "NxDomainRedirect"],
            ),
        };
        let position = self.add(link);
        self.parts[source.id.index()] = Some((ZoneLink::TYPE, position));
        if let Some(name) = name {
            self.zone_links.entry(name).or_insert(Id::new(position));
        }
    }

    fn add_record(&mut self, source: &'a Source, record_type: &str) {
        let zone = self.parent::<PrivateDnsZone>(source, &["private_dns_zone_id"], "zone_name");
        let parent = zone.to().and_then(|zone| self.topology[zone].header.name.known().cloned());
        let arm_type = format!("Microsoft.Network/privateDnsZones/{record_type}");
        let header = Header {
            resource: source.id,
            place: source.place,
            name: source.name.clone(),
            declared: if source.managed { Declared::Separate } else { Declared::LookedUp },
            uncertain: source.uncertain.clone(),
            resource_id: super::resolve::path(&arm_type, parent.as_deref(), source.name.known()),
        };
        let targets = record_targets(&source.view());
        let record = ZoneRecord { header, zone, record_type: record_type.into(), targets };
        self.topology.zone_records.push(record);
    }

    fn add_resolver_endpoint(&mut self, source: &'a Source, inbound: bool) {
        let resolver = self.parent::<DnsResolver>(source, &["private_dns_resolver_id"], "");
        let Some(resolver) = resolver.to() else { return };
        let view = source.view();
        let parent = self.topology[resolver].header.name.known().cloned();
        let arm_type = if inbound { INBOUND_TYPE } else { OUTBOUND_TYPE };
        let header = |name: &Source| Header {
            resource: source.id,
            place: source.place,
            name: name.name.clone(),
            declared: Declared::Separate,
            uncertain: source.uncertain.clone(),
            resource_id: super::resolve::path(arm_type, parent.as_deref(), source.name.known()),
        };
        let mut endpoints = Vec::new();
        if inbound {
            let blocks = view.blocks(paths!(["ip_configurations"], ["properties.ipConfigurations"]));
            for Block { view, .. } in &blocks.items {
                let subnet = self.link(source, view, paths!(["subnet_id"], ["subnet.id"]));
                let address = view.text(paths!(["private_ip_address"], ["privateIpAddress"]));
                endpoints.push(ResolverEndpoint { header: header(source), subnet, address });
            }
        } else {
            let subnet = self.link(source, &view, paths!(["subnet_id"], ["properties.subnet.id"]));
            let address = Field { state: State::Absent, place: source.place };
            endpoints.push(ResolverEndpoint { header: header(source), subnet, address });
        }
        let resolver = &mut self.topology.dns_resolvers[resolver.index()];
        if inbound { resolver.inbound.extend(endpoints) } else { resolver.outbound.extend(endpoints) }
    }

    fn add_rule_set_link(&mut self, source: &'a Source) {
        let set = self.parent::<ForwardingRuleSet>(source, &["dns_forwarding_ruleset_id"], "");
        let network = self.link(
            source,
            &source.view(),
            paths!(["virtual_network_id"], ["properties.virtualNetwork.id"]),
        );
        if let Some(set) = set.to() {
            self.topology.forwarding_rule_sets[set.index()].networks.push(network);
        }
    }

    fn add_forwarding_rule(&mut self, source: &'a Source) {
        let set = self.parent::<ForwardingRuleSet>(source, &["dns_forwarding_ruleset_id"], "");
        let Some(set) = set.to() else { return };
        let view = source.view();
        let servers = view.blocks(paths!(["target_dns_servers"], ["properties.targetDnsServers"]));
        let mut targets = List { items: Vec::new(), rest: servers.rest.clone(), place: servers.place };
        for server in &servers.items {
            targets.items.push(server.view.text(paths!(["ip_address"], ["ipAddress"])));
        }
        let rule =
            ForwardingRule { domain: view.text(paths!(["domain_name"], ["properties.domainName"])), targets };
        let rules = &mut self.topology.forwarding_rule_sets[set.index()].rules;
        if rules.rest.is_none() {
            rules.rest.clone_from(&source.uncertain);
        }
        rules.items.push(Field { state: State::Known(rule), place: source.place });
    }

    fn fill_private_endpoint(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<PrivateEndpoint>(source) else { return };
        let view = source.view();
        let parent = self.topology[id].header.name.known().cloned();
        let subnet = self.link(source, &view, paths!(["subnet_id"], ["properties.subnet.id"]));
        let mut connections = Vec::new();
        for (paths, by_hand) in [
            (paths!(["private_service_connection"], ["properties.privateLinkServiceConnections"]), false),
            (paths!([], ["properties.manualPrivateLinkServiceConnections"]), true),
        ] {
            if by_hand && !view.is_arm() {
                continue;
            }
            for block in view.blocks(paths).items {
                connections.push(self.connection(source, &block.view, by_hand));
            }
        }
        let groups = view.blocks(paths!(["private_dns_zone_group"], []));
        let mut zone_groups = List { items: Vec::new(), rest: groups.rest.clone(), place: groups.place };
        for block in &groups.items {
            let header = self.inline_header(source, block, ZONE_GROUP_TYPE, parent.as_deref());
            let (zones, more) = self.links(source, &block.view, paths!(["private_dns_zone_ids"], []));
            let group = ZoneGroup { header, zones, more_zones: more };
            zone_groups.items.push(Field { state: State::Known(group), place: block.view.place });
        }
        let configurations = view.blocks(paths!(["ip_configuration"], ["properties.ipConfigurations"]));
        let mut addresses =
            List { items: Vec::new(), rest: configurations.rest.clone(), place: configurations.place };
        for block in &configurations.items {
            let address = block.view.text(paths!(["private_ip_address"], ["properties.privateIPAddress"]));
            if !address.is_absent() {
                addresses.items.push(address);
            }
        }
        let endpoint = &mut self.topology.private_endpoints[id.index()];
        endpoint.subnet = subnet;
        endpoint.connections = connections;
        endpoint.zone_groups = zone_groups;
        endpoint.addresses = addresses;
    }

    fn connection(&mut self, source: &'a Source, view: &View<'a>, by_hand: bool) -> PrivateConnection {
        let (target, target_type) = self.target_resource(
            view,
            paths!(
                ["private_connection_resource_id", "private_connection_resource_alias"],
                ["properties.privateLinkServiceId"]
            ),
        );
        let manual = if source.is_arm() {
            Field { state: State::Known(by_hand), place: view.place }
        } else {
            view.flag(paths!(["is_manual_connection"], []))
        };
        let group_ids = view.texts(paths!(["subresource_names"], ["properties.groupIds"]));
        PrivateConnection { target, target_type, group_ids, manual }
    }

    /// Zone groups are resources of their own in ARM.
    fn add_zone_group(&mut self, source: &'a Source) {
        if !source.managed {
            return;
        }
        let endpoint = self.parent::<PrivateEndpoint>(source, &[], "");
        let Some(endpoint) = endpoint.to() else { return };
        let parent = self.topology[endpoint].header.name.known().cloned();
        let header = Header {
            resource: source.id,
            place: source.place,
            name: source.name.clone(),
            declared: Declared::Separate,
            uncertain: source.uncertain.clone(),
            resource_id: super::resolve::path(ZONE_GROUP_TYPE, parent.as_deref(), source.name.known()),
        };
        let configurations = source.view().blocks(paths!([], ["properties.privateDnsZoneConfigs"]));
        let mut zones = Vec::new();
        for block in &configurations.items {
            zones.push(self.link(source, &block.view, paths!([], ["properties.privateDnsZoneId"])));
        }
        let group = ZoneGroup { header, zones, more_zones: configurations.rest.clone() };
        let groups = &mut self.topology.private_endpoints[endpoint.index()].zone_groups;
        if groups.rest.is_none() {
            groups.rest.clone_from(&source.uncertain);
        }
        groups.items.push(Field { state: State::Known(group), place: source.place });
    }

    fn fill_private_link_service(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<PrivateLinkService>(source) else { return };
        let mut subnets = Vec::new();
        for block in
            source.view().blocks(paths!(["nat_ip_configuration"], ["properties.ipConfigurations"])).items
        {
            subnets.push(self.link(source, &block.view, paths!(["subnet_id"], ["properties.subnet.id"])));
        }
        self.topology.private_link_services[id.index()].subnets = subnets;
    }

    /// The resource of any type that an id leads to, and its type.
    pub fn target_resource(
        &mut self,
        view: &View<'a>,
        paths: super::view::Paths,
    ) -> (Link<ResourceNode>, Option<EcoString>) {
        let (value, place) = match view.find(paths) {
            Found::Absent => return (Link { state: LinkState::Absent, place: view.place }, None),
            Found::Unknown(unknown, place) => {
                return (Link { state: LinkState::Unknown(unknown), place }, None);
            }
            Found::Value(value, place) => (value, place),
        };
        let (state, arm_type) = self.resource_of(value, 0);
        (Link { state, place }, arm_type)
    }

    fn resource_of(&mut self, value: &Value, depth: usize) -> (LinkState<ResourceNode>, Option<EcoString>) {
        let unknown = || LinkState::Unknown(super::view::why(value));
        match &value.kind {
            ValueKind::Reference(reference)
                if super::resolve::names_itself(reference) || is_alias(reference) =>
            {
                match self.target(reference) {
                    Some(target) => {
                        let arm_type = self.source(target).arm_type.clone();
                        (LinkState::To(target), arm_type)
                    }
                    None => (unknown(), None),
                }
            }
            ValueKind::Mapping(mapping) if depth == 0 => {
                match mapping.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case("id")) {
                    Some((_, entry)) => self.resource_of(&entry.value, 1),
                    None => (unknown(), None),
                }
            }
            ValueKind::String(_) | ValueKind::Template(_) => {
                let Some(parsed) = ParsedId::of(value) else { return (unknown(), None) };
                let arm_type = Some(crate::azure::resource_types::usual_spelling(&parsed.arm_type));
                let state = match self.node_of(&parsed) {
                    Some(resource) => LinkState::To(resource),
                    None => {
                        let cause =
                            crate::value::Cause::Lookup(value.as_str().unwrap_or("a resource").into());
                        LinkState::Unknown(std::sync::Arc::new(crate::value::Unknown {
                            cause,
                            span: value.span,
                        }))
                    }
                };
                (state, arm_type)
            }
            _ => (unknown(), None),
        }
    }

    /// The resource that an ARM resource is a child of: by its names, or its parent's id (azapi).
    pub fn parent_node(&mut self, source: &Source, parent_type: &str) -> Option<ResourceId> {
        if let Some(parent) = &source.parent {
            return match self.resource_of(parent, 0).0 {
                LinkState::To(resource) => Some(resource),
                _ => None,
            };
        }
        let names = source.names.as_ref()?;
        let id = ParsedId {
            subscription: source.subscription.clone(),
            group: source.group.clone(),
            arm_type: parent_type.into(),
            names: names.get(..names.len().checked_sub(1)?)?.to_vec(),
            spelled: Vec::new(),
        };
        self.node_of(&id)
    }

    /// The one declared resource of an id.
    fn node_of(&mut self, id: &ParsedId) -> Option<ResourceId> {
        if self.nodes_by_name.is_none() {
            let mut nodes: FxHashMap<_, Vec<ResourceId>> = FxHashMap::default();
            for source in self.sources.iter().filter(|source| source.arm_type.is_some()) {
                if let Some(name) = source.last_name() {
                    nodes.entry((source.what.clone(), name.clone())).or_default().push(source.id);
                }
            }
            self.nodes_by_name = Some(nodes);
        }
        let name = id.names.last()?;
        let nodes = self.nodes_by_name.as_ref()?.get(&(id.arm_type.clone(), name.clone()))?;
        let mut matching = nodes.iter().copied().filter(|node| {
            use super::pattern::{Likeness, compare};
            let source = self.source(*node);
            !source.superseded
                && compare(source.group.as_ref(), id.group.as_ref()) != Likeness::Different
                && compare(source.subscription.as_ref(), id.subscription.as_ref()) != Likeness::Different
        });
        let one = matching.next()?;
        matching.next().is_none().then_some(one)
    }
}

/// A private link service may be named by its alias instead of its id.
fn is_alias(reference: &Reference) -> bool {
    matches!(reference.path.last(), Some(Step::Attribute(name)) if name.eq_ignore_ascii_case("alias"))
}

fn record_targets(view: &View) -> List<EcoString> {
    if !view.is_arm() {
        let cname = view.text(paths!(["record"], []));
        if !cname.is_absent() && view.lookup.is_none() && cname.known().is_some() {
            return List { place: cname.place, items: vec![cname], rest: None };
        }
        return view.texts(paths!(["records"], []));
    }
    let cname = view.text(paths!([], ["properties.cnameRecord.cname"]));
    if !cname.is_absent() {
        return List { place: cname.place, items: vec![cname], rest: None };
    }
    for (records, address) in [
        (paths!([], ["properties.aRecords"]), paths!([], ["ipv4Address"])),
        (paths!([], ["properties.aaaaRecords"]), paths!([], ["ipv6Address"])),
    ] {
        let blocks = view.blocks(records);
        if blocks.given {
            let items = blocks.items.iter().map(|block| block.view.text(address)).collect();
            return List { items, rest: blocks.rest, place: blocks.place };
        }
    }
    List { items: Vec::new(), rest: view.lookup.cloned(), place: view.place }
}
