//! Virtual networks, subnets, peerings.

use std::sync::Arc;

use ipnet::IpNet;

use crate::topology::*;
use crate::value::{Cause, Unknown, Value};

use super::Builder;
use super::identity::Search;
use super::part::{Nothing, Part};
use super::pattern::Pattern;
use super::source::Source;
use super::view::{Block, Found, Paths, View, paths, text_of};

const SUBNET_TYPE: &str = "microsoft.network/virtualnetworks/subnets";
const PEERING_TYPE: &str = "microsoft.network/virtualnetworks/virtualnetworkpeerings";

impl<'a> Builder<'a> {
    /// Declares separate subnets, then inline ones, then those that are only looked up.
    pub fn declare_subnets(&mut self) {
        for source in self.sources.iter().filter(|source| source.what == SUBNET_TYPE && source.managed) {
            self.declare_subnet(source);
        }
        for source in self.sources.iter().filter(|source| source.is::<VirtualNetwork>()) {
            if let Some(network) = self.own_part::<VirtualNetwork>(source) {
                self.inline_subnets_of(source, network);
            }
        }
        for source in self.sources.iter().filter(|source| source.what == SUBNET_TYPE && !source.managed) {
            self.declare_subnet(source);
        }
    }

    fn declare_subnet(&mut self, source: &'a Source) {
        if let Some(id) = &source.whole_id
            && let LinkState::To(subnet) = self.resolve_at::<Subnet>(source, id, source.place, 0)
        {
            self.parts[source.id.index()] = Some((Subnet::TYPE, subnet.index()));
            return;
        }
        let network = self.parent::<VirtualNetwork>(source, &["virtual_network_id"], "virtual_network_name");
        let name = source.last_name();
        if let (false, Some(network), Some(name)) = (source.managed, network.to(), name)
            && let Search::Found(position) = self.search_subnet(source, network, name)
        {
            self.parts[source.id.index()] = Some((Subnet::TYPE, position));
            return;
        }
        if let (true, Some(network), Some(name)) = (self.may_redeploy(source), network.to(), name)
            && let Some([one]) = self.subnets.get(&(network, name.clone())).map(Vec::as_slice)
            && self.topology[*one].header.is_certain()
            && self.source(self.topology[*one].header.resource).key.root == source.key.root
        {
            self.parts[source.id.index()] = Some((Subnet::TYPE, one.index()));
            self.redeployments.insert(source.id);
            return;
        }
        let parent = network.to().and_then(|network| self.topology[network].header.name.known().cloned());
        let header = self.header::<Subnet>(source, parent.as_deref());
        let nothing = Nothing { unknown: source.lookup.clone(), place: source.place };
        let mut subnet = Subnet::blank(header, &nothing);
        let network_id = network.to();
        subnet.network = network;
        let id = Id::new(self.add(subnet));
        self.parts[source.id.index()] = Some((Subnet::TYPE, id.index()));
        if let (Some(network), Some(name)) = (network_id, name) {
            self.register_subnet(network, name, id);
        }
    }

    fn inline_subnets_of(&mut self, source: &'a Source, network: Id<VirtualNetwork>) {
        let blocks = source.view().blocks(paths!(["subnet"], ["properties.subnets"]));
        if blocks.given && !blocks.items.is_empty() {
            self.topology.virtual_networks[network.index()].inline_subnets = Some(blocks.place);
        }
        if source.managed && self.topology[network].incomplete.is_none() {
            self.topology.virtual_networks[network.index()].incomplete.clone_from(&blocks.rest);
        }
        let parent = self.topology[network].header.name.known().cloned();
        for block in &blocks.items {
            let header = self.inline_header(source, block, Subnet::TYPE, parent.as_deref());
            let name = match block.view.find(paths!(["name"], ["name"])) {
                Found::Value(value, _) => Pattern::of(value),
                _ => None,
            };
            // Terraform's older major versions and ARM write only the own name; full names end with it.
            let name = name.and_then(|name| name.segments().pop());
            if let Some(name) = &name
                && let Some(separate) = self.subnets.get(&(network, name.clone())).and_then(|ids| ids.first())
            {
                let separate = *separate;
                let place = block.view.place;
                let subnet = &mut self.topology.subnets[separate.index()];
                let first = subnet.header.place;
                let again = subnet.header.resource == source.id && subnet.header.is_certain();
                if subnet.header.declared == Declared::Separate {
                    subnet.inline_place.get_or_insert(place);
                } else if again && header.is_certain() && !self.redeployments.contains(&source.id) {
                    if let Some(name) = header.name.known() {
                        let repeated = (name.clone(), first, place);
                        self.topology.virtual_networks[network.index()].repeated_subnets.push(repeated);
                    }
                } else if self.redeployments.contains(&source.id) {
                    self.inline_views.push((source.id, block.clone(), separate));
                }
                self.inline_subnets.entry(source.id).or_default().push(separate);
                continue;
            }
            let nothing = Nothing { unknown: source.lookup.clone(), place: block.view.place };
            let mut subnet = Subnet::blank(header, &nothing);
            subnet.network = Link { state: LinkState::To(network), place: block.view.place };
            let id = Id::new(self.add(subnet));
            if let Some(name) = &name {
                self.register_subnet(network, name, id);
            }
            self.inline_subnets.entry(source.id).or_default().push(id);
            self.inline_views.push((source.id, block.clone(), id));
        }
    }

    /// Reads the properties of networks, subnets and peerings.
    pub fn fill_networks(&mut self) {
        for (resource, block, id) in std::mem::take(&mut self.inline_views) {
            let source = self.source(resource);
            self.fill_subnet(source, &block.view, id, true);
        }
        // What changes something comes after what makes it.
        for patch in [false, true] {
            for source in self.sources.iter().filter(|source| source.patch == patch) {
                if source.is::<VirtualNetwork>() {
                    self.fill_network(source);
                } else if source.what == SUBNET_TYPE {
                    self.fill_separate_subnet(source);
                }
            }
        }
        for source in self.sources.iter().filter(|source| source.what == PEERING_TYPE && source.managed) {
            self.add_peering(source);
        }
        for source in self.sources.iter().filter(|source| source.is::<VirtualNetwork>()) {
            self.add_inline_peerings(source);
        }
        for source in self.sources.iter().filter(|source| source.what == PEERING_TYPE && !source.managed) {
            self.add_peering(source);
        }
        for (id, subnet) in self.topology.subnets.iter().enumerate() {
            if let Some(network) = subnet.network.to()
                && let Some(network) = self.topology.virtual_networks.get_mut(network.index())
            {
                network.subnets.push(Id::new(id));
            }
        }
        for (id, peering) in self.topology.peerings.iter().enumerate() {
            if let Some(network) = peering.network.to()
                && let Some(network) = self.topology.virtual_networks.get_mut(network.index())
            {
                network.peerings.push(Id::new(id));
            }
        }
    }

    fn fill_network(&mut self, source: &'a Source) {
        let Some(id) = self.part::<VirtualNetwork>(source.id) else { return };
        if self.own_part::<VirtualNetwork>(source).is_none() && !source.patch {
            return;
        }
        let view = source.view();
        let mut space =
            prefixes(&view, paths!(["address_space"], ["properties.addressSpace.addressPrefixes"]));
        from_pool(
            &view,
            paths!(["ip_address_pool"], ["properties.addressSpace.ipamPoolPrefixAllocations"]),
            &mut space,
        );
        let dns = view.texts(paths!(["dns_servers"], ["properties.dhcpOptions.dnsServers"]));
        let owners =
            self.address_owners(&view, paths!(["dns_servers"], ["properties.dhcpOptions.dnsServers"]));
        let network = &mut self.topology.virtual_networks[id.index()];
        replace_list(&mut network.address_space, space, source);
        replace_list(&mut network.dns_servers, dns, source);
        if !owners.is_empty() {
            network.dns_server_owners = owners;
        }
    }

    fn fill_separate_subnet(&mut self, source: &'a Source) {
        let Some(id) = self.part::<Subnet>(source.id) else { return };
        let own = self.topology[id].header.resource == source.id || self.redeployments.contains(&source.id);
        if own || source.patch {
            self.fill_subnet(source, &source.view(), id, false);
        }
    }

    fn fill_subnet(&mut self, source: &'a Source, view: &View<'a>, id: Id<Subnet>, inline: bool) {
        let mut space = prefixes(
            view,
            paths!(
                ["address_prefixes", "address_prefix"],
                ["properties.addressPrefixes", "properties.addressPrefix"]
            ),
        );
        from_pool(view, paths!(["ip_address_pool"], ["properties.ipamPoolPrefixAllocations"]), &mut space);
        let delegations = delegations(view);
        let endpoints = service_endpoints(view);
        let endpoint_policies = endpoint_policies(view, inline);
        let link_policies = link_service_policies(view);
        let outbound =
            view.flag(paths!(["default_outbound_access_enabled"], ["properties.defaultOutboundAccess"]));
        let outbound = if view.is_arm() { outbound } else { outbound.or_default(true) };
        let group = self.link(
            source,
            view,
            paths!(
                ["security_group", "network_security_group_id", "network_security_group_id_wo"],
                ["properties.networkSecurityGroup.id"]
            ),
        );
        let table = self.link(
            source,
            view,
            paths!(["route_table_id", "route_table_id_wo"], ["properties.routeTable.id"]),
        );
        let nat = self.link(source, view, paths!([], ["properties.natGateway.id"]));
        let subnet = &mut self.topology.subnets[id.index()];
        replace_list(&mut subnet.prefixes, space, source);
        replace_list(&mut subnet.delegations, delegations, source);
        replace_list(&mut subnet.service_endpoints, endpoints, source);
        replace(&mut subnet.private_endpoint_network_policies, endpoint_policies, source);
        replace(&mut subnet.private_link_service_network_policies, link_policies, source);
        replace(&mut subnet.default_outbound_access, outbound, source);
        replace_link(&mut subnet.security_group, group, source);
        replace_link(&mut subnet.route_table, table, source);
        replace_link(&mut subnet.nat_gateway, nat, source);
    }

    fn add_peering(&mut self, source: &'a Source) {
        if source.patch {
            return;
        }
        let network = self.parent::<VirtualNetwork>(source, &["virtual_network_id"], "virtual_network_name");
        let parent = network.to().and_then(|network| self.topology[network].header.name.known().cloned());
        let name = network.to().zip(source.last_name().cloned());
        let known = name.as_ref().and_then(|name| self.peerings.get(name)).copied();
        if let Some(known) = known {
            // A lookup says nothing more; a second deployment of the same template says it anew.
            if !source.managed {
                self.parts[source.id.index()] = Some((Peering::TYPE, known.index()));
                return;
            }
            if self.may_redeploy(source)
                && self.topology[known].header.is_certain()
                && self.source(self.topology[known].header.resource).key.root == source.key.root
            {
                let header = self.topology[known].header.clone();
                let peering = self.read_peering(source, &source.view(), header, network);
                self.topology.peerings[known.index()] = peering;
                self.parts[source.id.index()] = Some((Peering::TYPE, known.index()));
                return;
            }
        }
        let header = self.header::<Peering>(source, parent.as_deref());
        let peering = self.read_peering(source, &source.view(), header, network);
        let id = self.add(peering);
        self.parts[source.id.index()] = Some((Peering::TYPE, id));
        if let Some(name) = name {
            self.peerings.entry(name).or_insert(Id::new(id));
        }
    }

    fn add_inline_peerings(&mut self, source: &'a Source) {
        let Some(network) = self.own_part::<VirtualNetwork>(source) else { return };
        let blocks = source.view().blocks(paths!([], ["properties.virtualNetworkPeerings"]));
        if source.managed && self.topology[network].incomplete.is_none() {
            self.topology.virtual_networks[network.index()].incomplete.clone_from(&blocks.rest);
        }
        let parent = self.topology[network].header.name.known().cloned();
        for block in &blocks.items {
            let header = self.inline_header(source, block, Peering::TYPE, parent.as_deref());
            // Also declared as a resource of its own: that one says it all.
            let name = header.name.known().map(|name| (network, Pattern::text(name)));
            if name.as_ref().is_some_and(|name| self.peerings.contains_key(name)) {
                continue;
            }
            let link = Link { state: LinkState::To(network), place: block.view.place };
            let peering = self.read_peering(source, &block.view, header, link);
            let id = Id::new(self.add(peering));
            if let Some(name) = name {
                self.peerings.insert(name, id);
            }
        }
    }

    fn read_peering(
        &mut self,
        source: &'a Source,
        view: &View<'a>,
        header: Header,
        network: Link<VirtualNetwork>,
    ) -> Peering {
        let access =
            view.flag(paths!(["allow_virtual_network_access"], ["properties.allowVirtualNetworkAccess"]));
        Peering {
            header,
            network,
            remote: self.link(
                source,
                view,
                paths!(["remote_virtual_network_id"], ["properties.remoteVirtualNetwork.id"]),
            ),
            // azurerm documents its default; Azure's own is not documented.
            allow_virtual_network_access: if view.is_arm() { access } else { access.or_default(true) },
            allow_forwarded_traffic: view
                .flag(paths!(["allow_forwarded_traffic"], ["properties.allowForwardedTraffic"]))
                .or_default(false),
            allow_gateway_transit: view
                .flag(paths!(["allow_gateway_transit"], ["properties.allowGatewayTransit"]))
                .or_default(false),
            use_remote_gateways: view
                .flag(paths!(["use_remote_gateways"], ["properties.useRemoteGateways"]))
                .or_default(false),
            peer_complete_networks: view
                .flag(paths!(["peer_complete_virtual_networks_enabled"], ["properties.peerCompleteVnets"]))
                .or_default(true),
        }
    }
}

/// An address range as it is written.
pub(super) fn prefix_of(value: &Value) -> Option<Prefix> {
    let text = text_of(value)?;
    let net = text.trim().parse::<IpNet>().ok();
    Some(Prefix { text, net })
}

fn prefixes(view: &View, paths: Paths) -> List<Prefix> {
    view.list_of(paths, prefix_of)
}

/// Ranges that an address pool hands out are known only after deployment.
fn from_pool(view: &View, pool: Paths, list: &mut List<Prefix>) {
    if view.lookup.is_some() || !list.items.is_empty() {
        return;
    }
    let blocks = view.blocks(pool);
    if blocks.given && (!blocks.items.is_empty() || blocks.rest.is_some()) {
        let cause = Cause::Computed("the range from the address pool".into());
        list.rest.get_or_insert_with(|| Arc::new(Unknown { cause, span: blocks.place.site }));
        list.place = blocks.place;
    }
}

fn delegations(view: &View) -> List<Delegation> {
    let blocks = view.blocks(paths!(["delegation"], ["properties.delegations"]));
    let mut list = List { items: Vec::new(), rest: blocks.rest.clone(), place: blocks.place };
    for Block { view, repeated } in &blocks.items {
        let name = view.text(paths!(["name"], ["name"]));
        let service = view.text(paths!(["service_delegation.name"], ["properties.serviceName"]));
        let place = if service.is_absent() { view.place } else { service.place };
        let state = match (service.state, repeated) {
            (State::Known(service), _) => State::Known(Delegation { name: name.known().cloned(), service }),
            (State::Unknown(unknown), _) => State::Unknown(unknown),
            // A delegation without a service is not a delegation (ARM accepts an empty one in a template's parameters).
            (State::Absent, None) => continue,
            (State::Absent, Some(unknown)) => State::Unknown(Arc::clone(unknown)),
        };
        list.items.push(Field { state, place: Place { site: view.place.site, ..place } });
    }
    list
}

fn service_endpoints(view: &View) -> List<ecow::EcoString> {
    // Since azurerm 5.0 blocks with a service; before a list of texts. ARM: objects with a service.
    let blocks = view.blocks(paths!(["service_endpoint"], ["properties.serviceEndpoints"]));
    if !blocks.given || (blocks.items.is_empty() && !view.is_arm()) {
        let list = view.texts(paths!(["service_endpoints"], []));
        if !list.items.is_empty() || list.rest.is_some() {
            return list;
        }
    }
    let mut list = List { items: Vec::new(), rest: blocks.rest.clone(), place: blocks.place };
    for block in &blocks.items {
        let service = block.view.text(paths!(["service"], ["service"]));
        if !service.is_absent() {
            list.items.push(service);
        }
    }
    list
}

const POLICIES: &[&str] = &["Enabled", "Disabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled"];

fn endpoint_policies(view: &View, inline: bool) -> Field<ecow::EcoString> {
    let written = view.choice(
        paths!(["private_endpoint_network_policies"], ["properties.privateEndpointNetworkPolicies"]),
        POLICIES,
    );
    if view.is_arm() {
        return written.or_default("Disabled".into());
    }
    if !written.is_absent() && view.lookup.is_none() {
        return written;
    }
    let word = |enabled: bool| ecow::EcoString::from(if enabled { "Enabled" } else { "Disabled" });
    let enabled = view.flag(paths!(["private_endpoint_network_policies_enabled"], []));
    if !enabled.is_absent() {
        return enabled.map(word);
    }
    // The oldest attribute says the opposite of its name: true disables the policies (azurerm 2.x documentation).
    let enforce = view.flag(paths!(["enforce_private_link_endpoint_network_policies"], []));
    if !enforce.is_absent() {
        return enforce.map(|enforce| word(!enforce));
    }
    match (inline, view.azurerm_major()) {
        (_, Some(major)) if major >= 4 => written.or_default("Disabled".into()),
        (false, Some(_)) => written.or_default("Enabled".into()),
        (true, Some(_)) => written,
        (_, None) => version_dependent(written),
    }
}

fn link_service_policies(view: &View) -> Field<ecow::EcoString> {
    let word = |enabled: bool| ecow::EcoString::from(if enabled { "Enabled" } else { "Disabled" });
    let enforce = view.walk_any(&["enforce_private_link_service_network_policies"]);
    if !view.is_arm() && !matches!(enforce, Found::Absent) {
        let enforce = view.flag(paths!(["enforce_private_link_service_network_policies"], []));
        return enforce.map(|enforce| word(!enforce));
    }
    view.flag(paths!(
        ["private_link_service_network_policies_enabled"],
        ["properties.privateLinkServiceNetworkPolicies"]
    ))
    .or_default(true)
    .map(word)
}

/// A property that is not given and whose default depends on the provider's major version, which nothing says.
pub(super) fn version_dependent<T>(mut field: Field<T>) -> Field<T> {
    if field.is_absent() {
        let cause = Cause::Input("required_providers.azurerm.version".into());
        field.state = State::Unknown(Arc::new(Unknown { cause, span: field.place.site }));
    }
    field
}

/// Whether an unknown only says that nothing is written in a lookup or a patch.
fn unsaid(unknown: Option<&Arc<Unknown>>, source: &Source) -> bool {
    matches!((unknown, &source.lookup), (Some(a), Some(b)) if Arc::ptr_eq(a, b))
}

/// Sets a property; a patch leaves what it does not name.
pub(super) fn replace<T>(old: &mut Field<T>, new: Field<T>, source: &Source) {
    if !(source.patch && unsaid(new.unknown(), source)) {
        *old = new;
    }
}

/// Sets a list; a patch leaves what it does not name.
pub(super) fn replace_list<T>(old: &mut List<T>, new: List<T>, source: &Source) {
    if !(source.patch && unsaid(new.rest.as_ref(), source)) {
        *old = new;
    }
}

/// Sets a link; a patch leaves what it does not name.
pub(super) fn replace_link<T>(old: &mut Link<T>, new: Link<T>, source: &Source) {
    if !(source.patch && unsaid(new.unknown(), source)) {
        *old = new;
    }
}
