//! Load balancers with their pools, probes and rules, and application gateways.

use ecow::EcoString;

use crate::topology::*;
use crate::value::{Step, Value, ValueKind};

use super::Builder;
use super::network::version_dependent;
use super::pattern::Pattern;
use super::source::Source;
use super::view::{Block, Found, Paths, View, paths, text_of};

const POOL_TYPE: &str = "Microsoft.Network/loadBalancers/backendAddressPools";
const PROBE_TYPE: &str = "Microsoft.Network/loadBalancers/probes";
const RULE_TYPE: &str = "Microsoft.Network/loadBalancers/loadBalancingRules";

/// A position in the pools, probes or inbound NAT rules of a load balancer.
pub(super) type Slot = (Id<LoadBalancer>, usize);

impl<'a> Builder<'a> {
    /// Reads load balancers and application gateways.
    pub fn fill_balancing(&mut self) {
        for source in self.sources {
            if source.is::<LoadBalancer>() {
                self.fill_load_balancer(source);
            } else if source.is::<ApplicationGateway>() {
                self.fill_application_gateway(source);
            }
        }
        for source in self.sources.iter().filter(|source| source.managed) {
            match source.written.as_str() {
                "azurerm_lb_backend_address_pool" => self.add_pool(source),
                "azurerm_lb_probe" => self.add_probe(source),
                "azurerm_lb_nat_rule" | "azurerm_lb_nat_pool" => self.add_nat_rule(source),
                _ if source.is_arm() && source.what.eq_ignore_ascii_case(POOL_TYPE) => self.add_pool(source),
                _ if source.is_arm() && source.what.eq_ignore_ascii_case(super::inbound_nat::RULE_TYPE) => {
                    self.add_nat_rule(source);
                }
                _ => {}
            }
        }
        for source in self.sources.iter().filter(|source| source.managed) {
            match source.written.as_str() {
                "azurerm_lb_rule" => self.add_balancing_rule(source),
                "azurerm_lb_outbound_rule" => self.add_outbound_rule(source),
                "azurerm_lb_backend_address_pool_address" => self.add_pool_address(source),
                "azurerm_network_interface_backend_address_pool_association" => {
                    self.interface_in_pool(source)
                }
                _ => {}
            }
        }
        self.members_of_pools();
        self.targets_of_nat_rules();
    }

    fn fill_load_balancer(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<LoadBalancer>(source) else { return };
        let view = source.view();
        let parent = self.topology[id].header.name.known().cloned();
        let (frontends, mut rest) = self.ip_configurations(
            source,
            &view,
            paths!(["frontend_ip_configuration"], ["properties.frontendIPConfigurations"]),
        );
        let blocks = view.blocks(paths!([], ["properties.backendAddressPools"]));
        rest = rest.or(blocks.rest);
        let mut pools = Vec::new();
        for block in &blocks.items {
            let header = self.inline_header(source, block, POOL_TYPE, parent.as_deref());
            pools.push(self.pool(source, &block.view, header));
        }
        let blocks = view.blocks(paths!([], ["properties.probes"]));
        rest = rest.or(blocks.rest);
        let mut probes = Vec::new();
        for block in &blocks.items {
            probes.push(probe(&block.view, self.inline_header(source, block, PROBE_TYPE, parent.as_deref())));
        }
        let sku = view.choice(paths!(["sku"], ["sku.name"]), &["Basic", "Standard", "Gateway"]);
        let sku = if view.is_arm() {
            sku.or_default("Basic".into())
        } else {
            match view.azurerm_major() {
                Some(major) if major >= 4 => sku.or_default("Standard".into()),
                Some(_) => sku.or_default("Basic".into()),
                None => version_dependent(sku),
            }
        };
        let balancer = &mut self.topology.load_balancers[id.index()];
        balancer.sku = sku;
        balancer.frontends = frontends;
        balancer.pools = pools;
        balancer.probes = probes;
        balancer.incomplete = rest.is_some();
        let blocks = view.blocks(paths!([], ["properties.loadBalancingRules"]));
        rest = rest.or(blocks.rest);
        for block in &blocks.items {
            let header = self.inline_header(source, block, RULE_TYPE, parent.as_deref());
            let rule = self.balancing_rule(&block.view, header, id);
            self.topology.load_balancers[id.index()].rules.push(rule);
        }
        rest = rest.or(self.inline_nat_rules(source, id));
        rest = rest.or(self.inline_outbound_rules(source, id));
        self.topology.load_balancers[id.index()].incomplete |= rest.is_some();
    }

    fn pool(&mut self, source: &'a Source, view: &View<'a>, header: Header) -> BackendPool {
        let blocks = view.blocks(paths!(["backend_address"], ["properties.loadBalancerBackendAddresses"]));
        let mut addresses = List { items: Vec::new(), rest: blocks.rest.clone(), place: blocks.place };
        for block in &blocks.items {
            let address = block.view.text(paths!(["ip_address"], ["properties.ipAddress"]));
            if !address.is_absent() {
                addresses.items.push(address);
            }
        }
        BackendPool {
            header,
            interfaces: Vec::new(),
            scale_sets: Vec::new(),
            addresses,
            network: self.link(
                source,
                view,
                paths!(["virtual_network_id"], ["properties.virtualNetwork.id"]),
            ),
        }
    }

    pub(super) fn child_header(&self, source: &Source, arm_type: &str, balancer: Id<LoadBalancer>) -> Header {
        let parent = self.topology[balancer].header.name.known().cloned();
        Header {
            resource: source.id,
            place: source.place,
            name: source.name.clone(),
            declared: Declared::Separate,
            uncertain: source.uncertain.clone(),
            resource_id: super::resolve::path(arm_type, parent.as_deref(), source.name.known()),
        }
    }

    fn add_pool(&mut self, source: &'a Source) {
        let Some(balancer) = self.parent::<LoadBalancer>(source, &["loadbalancer_id"], "").to() else {
            return;
        };
        let header = self.child_header(source, POOL_TYPE, balancer);
        let pool = self.pool(source, &source.view(), header);
        let pools = &mut self.topology.load_balancers[balancer.index()].pools;
        self.pool_slots.insert(source.id, (balancer, pools.len()));
        pools.push(pool);
    }

    fn add_probe(&mut self, source: &'a Source) {
        let Some(balancer) = self.parent::<LoadBalancer>(source, &["loadbalancer_id"], "").to() else {
            return;
        };
        let header = self.child_header(source, PROBE_TYPE, balancer);
        let probes = &mut self.topology.load_balancers[balancer.index()].probes;
        self.probe_slots.insert(source.id, (balancer, probes.len()));
        probes.push(probe(&source.view(), header));
    }

    fn add_balancing_rule(&mut self, source: &'a Source) {
        let Some(balancer) = self.parent::<LoadBalancer>(source, &["loadbalancer_id"], "").to() else {
            return;
        };
        let header = self.child_header(source, RULE_TYPE, balancer);
        let rule = self.balancing_rule(&source.view(), header, balancer);
        self.topology.load_balancers[balancer.index()].rules.push(rule);
    }

    fn balancing_rule(&self, view: &View, header: Header, balancer: Id<LoadBalancer>) -> BalancingRule {
        let mut incomplete = false;
        let mut pools = Vec::new();
        for alternative in [
            paths!(
                ["backend_address_pool_ids", "backend_address_pool_id"],
                ["properties.backendAddressPools"]
            ),
            paths!([], ["properties.backendAddressPool"]),
        ] {
            match view.find(alternative) {
                Found::Absent => {}
                Found::Unknown(..) => incomplete = true,
                Found::Value(value, _) => {
                    let items = value.as_sequence().map_or(std::slice::from_ref(value), |list| &list.items);
                    for item in items {
                        match self.slot(item, balancer, "backendaddresspools") {
                            Some((owner, position)) if owner == balancer => {
                                if !pools.contains(&position) {
                                    pools.push(position);
                                }
                            }
                            _ => incomplete = true,
                        }
                    }
                }
            }
        }
        let probe = match view.find(paths!(["probe_id"], ["properties.probe"])) {
            Found::Absent => None,
            Found::Unknown(..) => {
                incomplete = true;
                None
            }
            Found::Value(value, _) => match self.slot(value, balancer, "probes") {
                Some((owner, position)) if owner == balancer => Some(position),
                _ => {
                    incomplete = true;
                    None
                }
            },
        };
        BalancingRule {
            header,
            protocol: view.choice(paths!(["protocol"], ["properties.protocol"]), &["Tcp", "Udp", "All"]),
            frontend: frontend_name(view),
            frontend_port: view.number(paths!(["frontend_port"], ["properties.frontendPort"])),
            backend_port: view.number(paths!(["backend_port"], ["properties.backendPort"])),
            pools,
            probe,
            incomplete,
            floating_ip: view
                .flag(paths!(["floating_ip_enabled", "enable_floating_ip"], ["properties.enableFloatingIP"]))
                .or_default(false),
            outbound_snat_disabled: view
                .flag(paths!(["disable_outbound_snat"], ["properties.disableOutboundSnat"]))
                .or_default(false),
        }
    }

    /// The pool, probe or NAT rule that an id leads to: a resource of its own, or inline in a load balancer.
    pub(super) fn slot(&self, value: &Value, near: Id<LoadBalancer>, collection: &str) -> Option<Slot> {
        let value = match &value.kind {
            ValueKind::Mapping(mapping) => {
                &mapping.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case("id"))?.1.value
            }
            _ => value,
        };
        if let ValueKind::Reference(reference) = &value.kind {
            let target = self.target(reference)?;
            let slots = match collection {
                "probes" => &self.probe_slots,
                "backendaddresspools" => &self.pool_slots,
                _ => &self.nat_slots,
            };
            if let Some(slot) = slots.get(&target) {
                return Some(*slot);
            }
            // An existing pool or probe: its names say which it is.
            let source = self.source(target);
            if super::resolve::names_itself(reference)
                && source.what.rsplit('/').next() == Some(collection)
                && let Some([.., parent, name]) = source.names.as_deref()
            {
                let found = self.search::<LoadBalancer>(
                    source,
                    parent,
                    source.group.as_ref(),
                    source.subscription.as_ref(),
                );
                let super::identity::Search::Found(position) = found else { return None };
                return self.slot_named(Id::new(position), name, collection);
            }
            // ARM: `lb.properties.backendAddressPools[0].id`.
            let balancer = self.part::<LoadBalancer>(target)?;
            let named = reference
                .path
                .iter()
                .any(|step| matches!(step, Step::Attribute(name) if name.eq_ignore_ascii_case(collection)));
            let index = reference.path.iter().find_map(|step| match step {
                Step::Index(index) => usize::try_from(*index).ok(),
                Step::Attribute(_) => None,
            })?;
            return named
                .then_some((balancer, index))
                .filter(|slot| self.slot_name(*slot, collection).is_some());
        }
        // The id of something inline: the last two segments say what.
        let pattern = Pattern::of(value)?;
        let segments = pattern.segments();
        let (name, rest) = segments.split_last()?;
        if rest.last()?.known() != Some(collection) {
            return None;
        }
        let balancer = match pattern.leading_reference() {
            Some(reference) => self.part::<LoadBalancer>(self.target(reference)?)?,
            None => {
                let parsed = super::identity::ParsedId::parse(&pattern)?.parent()?;
                let wanted = parsed.names.last()?.clone();
                let own = self.source(self.topology[near].header.resource).last_name().cloned();
                if own.as_ref() == Some(&wanted) {
                    near
                } else {
                    let from = self.source(self.topology[near].header.resource);
                    match self.search::<LoadBalancer>(
                        from,
                        &wanted,
                        parsed.group.as_ref(),
                        parsed.subscription.as_ref(),
                    ) {
                        super::identity::Search::Found(position) => Id::new(position),
                        _ => return None,
                    }
                }
            }
        };
        self.slot_named(balancer, name, collection)
    }

    /// The pool or probe of a name.
    fn slot_named(&self, balancer: Id<LoadBalancer>, name: &Pattern, collection: &str) -> Option<Slot> {
        let count = self.headers(balancer, collection).len();
        // An id must lead to something: with only one there it is that one, whatever the names are.
        if count == 1 && !self.topology[balancer].incomplete {
            return Some((balancer, 0));
        }
        let name = name.known()?;
        (0..count).map(|position| (balancer, position)).find(|slot| {
            self.slot_name(*slot, collection).is_some_and(|other| other.eq_ignore_ascii_case(name))
        })
    }

    fn slot_name(&self, (balancer, position): Slot, collection: &str) -> Option<EcoString> {
        let headers = self.headers(balancer, collection);
        let header = headers.get(position)?;
        Some(header.name.known().cloned().unwrap_or_default())
    }

    /// The parts of a load balancer in one of its collections. Inbound NAT rules and pools of them are in one list.
    fn headers(&self, balancer: Id<LoadBalancer>, collection: &str) -> Vec<&Header> {
        let balancer = &self.topology[balancer];
        match collection {
            "probes" => balancer.probes.iter().map(|part| &part.header).collect(),
            "backendaddresspools" => balancer.pools.iter().map(|part| &part.header).collect(),
            _ => balancer.nat_rules.iter().map(|part| &part.header).collect(),
        }
    }

    fn add_pool_address(&mut self, source: &'a Source) {
        let view = source.view();
        let Found::Value(value, _) = view.find(paths!(["backend_address_pool_id"], [])) else { return };
        let Some((balancer, position)) = self.any_slot(value) else { return };
        let address = view.text(paths!(["ip_address"], []));
        let network = self.link(source, &view, paths!(["virtual_network_id"], []));
        if let Some(pool) = self.topology.load_balancers[balancer.index()].pools.get_mut(position) {
            if !address.is_absent() {
                pool.addresses.items.push(address);
            }
            if pool.network.is_absent() {
                pool.network = network;
            }
        }
    }

    fn any_slot(&self, value: &Value) -> Option<Slot> {
        self.slot_anywhere(value, "backendaddresspools")
    }

    /// The part of any load balancer that an id leads to.
    pub(super) fn slot_anywhere(&self, value: &Value, collection: &str) -> Option<Slot> {
        let near = (!self.topology.load_balancers.is_empty()).then(|| Id::new(0))?;
        self.slot(value, near, collection)
    }

    fn interface_in_pool(&mut self, source: &'a Source) {
        let view = source.view();
        let interface = self.link::<NetworkInterface>(source, &view, paths!(["network_interface_id"], []));
        let Found::Value(value, _) = view.find(paths!(["backend_address_pool_id"], [])) else { return };
        let Some((balancer, position)) = self.any_slot(value) else { return };
        if let Some(pool) = self.topology.load_balancers[balancer.index()].pools.get_mut(position) {
            pool.interfaces.push(Link { place: source.place, ..interface });
        }
    }

    /// Members that name their pools: interfaces in ARM, scale sets in all vocabularies.
    fn members_of_pools(&mut self) {
        if self.topology.load_balancers.is_empty() {
            return;
        }
        for source in self.sources.iter().filter(|source| source.managed) {
            if source.is_arm() && source.is::<NetworkInterface>() {
                let Some(id) = self.own_part::<NetworkInterface>(source) else { continue };
                let view = source.view();
                for block in view.blocks(paths!([], ["properties.ipConfigurations"])).items {
                    for (slot, place) in self.pools_at(&block, POOLS) {
                        let link = Link { state: LinkState::To(id), place };
                        self.in_pool(slot, |pool| pool.interfaces.push(link.clone()));
                    }
                }
            } else if source.is::<ScaleSet>() {
                let Some(id) = self.own_part::<ScaleSet>(source) else { continue };
                let view = source.view();
                let templates = view.blocks(paths!(
                    ["network_interface", "network_profile"],
                    ["properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations"]
                ));
                for template in templates.items {
                    let blocks =
                        template.view.blocks(paths!(["ip_configuration"], ["properties.ipConfigurations"]));
                    for block in blocks.items {
                        for (slot, place) in self.pools_at(&block, POOLS) {
                            let link = Link { state: LinkState::To(id), place };
                            self.in_pool(slot, |pool| pool.scale_sets.push(link.clone()));
                        }
                    }
                }
            }
        }
    }

    fn in_pool(&mut self, (balancer, position): Slot, change: impl FnOnce(&mut BackendPool)) {
        if let Some(pool) = self.topology.load_balancers[balancer.index()].pools.get_mut(position) {
            change(pool);
        }
    }

    fn pools_at(&self, block: &Block<'a>, paths: Paths) -> Vec<(Slot, Place)> {
        let Found::Value(value, place) = block.view.find(paths) else { return Vec::new() };
        let items = value.as_sequence().map_or(std::slice::from_ref(value), |list| &list.items);
        items.iter().filter_map(|item| Some((self.any_slot(item)?, place))).collect()
    }

    fn fill_application_gateway(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<ApplicationGateway>(source) else { return };
        let view = source.view();
        let (gateway, more) = self.ip_configurations(
            source,
            &view,
            paths!(["gateway_ip_configuration"], ["properties.gatewayIPConfigurations"]),
        );
        let (frontends, more_frontends) = self.ip_configurations(
            source,
            &view,
            paths!(["frontend_ip_configuration"], ["properties.frontendIPConfigurations"]),
        );
        let blocks = view.blocks(paths!(["frontend_port"], ["properties.frontendPorts"]));
        let mut ports = List { items: Vec::new(), rest: blocks.rest.clone(), place: blocks.place };
        for block in &blocks.items {
            ports.items.push(block.view.number(paths!(["port"], ["properties.port"])));
        }
        let application = &mut self.topology.application_gateways[id.index()];
        application.sku_tier = view.choice(
            paths!(["sku.tier"], ["properties.sku.tier"]),
            &["Standard_v2", "WAF_v2", "Standard", "WAF", "Basic"],
        );
        application.gateway_ip_configurations = gateway;
        application.frontends = frontends;
        application.frontend_ports = ports;
        application.maximum_capacity = view.number(paths!(
            ["autoscale_configuration.max_capacity", "sku.capacity"],
            ["properties.autoscaleConfiguration.maxCapacity", "properties.sku.capacity"]
        ));
        application.zones = view.texts(paths!(["zones"], ["zones"]));
        application.incomplete = more.or(more_frontends);
    }
}

const POOLS: Paths =
    paths!(["load_balancer_backend_address_pool_ids"], ["properties.loadBalancerBackendAddressPools"]);

fn probe(view: &View, header: Header) -> Probe {
    let protocol = view.choice(paths!(["protocol"], ["properties.protocol"]), &["Tcp", "Http", "Https"]);
    Probe {
        header,
        // azurerm's documented default; ARM requires it.
        protocol: if view.is_arm() { protocol } else { protocol.or_default("Tcp".into()) },
        port: view.number(paths!(["port"], ["properties.port"])),
    }
}

/// azurerm names the front end; ARM gives its id, of which the last segment is the name.
pub(super) fn frontend_name(view: &View) -> Field<EcoString> {
    if !view.is_arm() {
        return view.text(paths!(["frontend_ip_configuration_name"], []));
    }
    view.read(paths!([], ["properties.frontendIPConfiguration.id"]), last_segment)
}

/// The name at the end of the id of something inline.
pub(super) fn last_segment(value: &Value) -> Option<EcoString> {
    match &value.kind {
        ValueKind::Template(parts) => match parts.last() {
            Some(crate::value::TemplatePart::Literal(text)) => {
                text.rsplit_once('/').map(|(_, name)| EcoString::from(name))
            }
            _ => None,
        },
        _ => text_of(value).map(|text| text.rsplit('/').next().unwrap_or(&text).into()),
    }
}
