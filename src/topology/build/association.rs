//! azurerm resources that only connect two others, and children whose parent is not known.

use std::sync::Arc;

use crate::topology::*;
use crate::value::Unknown;

use super::Builder;
use super::part::Part;
use super::pattern::{Likeness, Pattern};
use super::source::Source;
use super::view::{Found, paths};

/// Beyond this many different unknown parents every candidate is taken to be possible.
const PATTERN_LIMIT: usize = 16;

impl<'a> Builder<'a> {
    /// Applies the associations.
    pub fn fill_associations(&mut self) {
        for source in self.sources.iter().filter(|source| source.managed) {
            match source.written.as_str() {
                "azurerm_subnet_network_security_group_association" => {
                    let link = self.link(source, &source.view(), paths!(["network_security_group_id"], []));
                    self.on_subnet(source, "network security group", link, |subnet| {
                        &mut subnet.security_group
                    });
                }
                "azurerm_subnet_route_table_association" => {
                    let link = self.link(source, &source.view(), paths!(["route_table_id"], []));
                    self.on_subnet(source, "route table", link, |subnet| &mut subnet.route_table);
                }
                "azurerm_subnet_nat_gateway_association" => {
                    let link = self.link(source, &source.view(), paths!(["nat_gateway_id"], []));
                    self.on_subnet(source, "NAT gateway", link, |subnet| &mut subnet.nat_gateway);
                }
                "azurerm_network_interface_security_group_association"
                | "azurerm_network_interface_network_security_group_association" => {
                    self.group_on_interface(source);
                }
                "azurerm_network_interface_application_security_group_association" => {
                    self.application_group_on_interface(source);
                }
                "azurerm_nat_gateway_public_ip_association" => self.address_on_nat_gateway(source),
                "azurerm_nat_gateway_public_ip_prefix_association" => self.prefix_on_nat_gateway(source),
                "azurerm_virtual_network_dns_servers" => self.dns_servers_of_network(source),
                _ => {}
            }
        }
        self.mark_scattered();
    }

    fn on_subnet<T>(
        &mut self,
        source: &'a Source,
        kind: &'static str,
        mut link: Link<T>,
        property: impl Fn(&mut Subnet) -> &mut Link<T>,
    ) {
        link.place = source.place;
        // An association that may not exist leaves it open whether the subnet has what it associates.
        if let Some(uncertain) = &source.uncertain {
            link.state = LinkState::Unknown(Arc::clone(uncertain));
        }
        let subnet = self.link::<Subnet>(source, &source.view(), paths!(["subnet_id"], []));
        let sources = self.sources;
        match subnet.state {
            LinkState::To(id) => {
                let subnet = &mut self.topology.subnets[id.index()];
                let own = subnet.header.resource;
                let current = property(subnet);
                let first = current.place;
                if first.resource != own && first.resource != source.id && !current.is_absent() {
                    let certain = source.uncertain.is_none() && current.to().is_some() && link.to().is_some();
                    let one_input = sources.get(first.resource.index()).map(|other| other.key.root)
                        == Some(source.key.root);
                    if certain && one_input {
                        subnet.second_associations.push((kind, first, source.place));
                    }
                }
                let current = property(subnet);
                if current.to().is_none() || link.to().is_some() {
                    *current = link;
                }
            }
            LinkState::Unknown(unknown) => {
                // It may be any subnet of this root that has none.
                for subnet in &mut self.topology.subnets {
                    let root = sources.get(subnet.header.resource.index()).map(|other| other.key.root);
                    let current = property(subnet);
                    if root == Some(source.key.root) && current.is_absent() {
                        current.state = LinkState::Unknown(Arc::clone(&unknown));
                    }
                }
            }
            LinkState::Absent => {}
        }
    }

    fn interface_of(&mut self, source: &'a Source) -> LinkState<NetworkInterface> {
        self.link::<NetworkInterface>(source, &source.view(), paths!(["network_interface_id"], [])).state
    }

    fn group_on_interface(&mut self, source: &'a Source) {
        let mut link: Link<SecurityGroup> =
            self.link(source, &source.view(), paths!(["network_security_group_id"], []));
        link.place = source.place;
        if let Some(uncertain) = &source.uncertain {
            link.state = LinkState::Unknown(Arc::clone(uncertain));
        }
        match self.interface_of(source) {
            LinkState::To(id) => {
                let current = &mut self.topology.network_interfaces[id.index()].security_group;
                if current.to().is_none() || link.to().is_some() {
                    *current = link;
                }
            }
            LinkState::Unknown(unknown) => {
                let sources = self.sources;
                for interface in &mut self.topology.network_interfaces {
                    let root = sources.get(interface.header.resource.index()).map(|other| other.key.root);
                    if root == Some(source.key.root) && interface.security_group.is_absent() {
                        interface.security_group.state = LinkState::Unknown(Arc::clone(&unknown));
                    }
                }
            }
            LinkState::Absent => {}
        }
    }

    fn application_group_on_interface(&mut self, source: &'a Source) {
        let mut link: Link<ApplicationSecurityGroup> =
            self.link(source, &source.view(), paths!(["application_security_group_id"], []));
        link.place = source.place;
        match self.interface_of(source) {
            LinkState::To(id) => {
                let interface = &mut self.topology.network_interfaces[id.index()];
                if interface.more_groups.is_none() {
                    interface.more_groups.clone_from(&source.uncertain);
                }
                interface.application_security_groups.push(link);
            }
            LinkState::Unknown(unknown) => {
                let sources = self.sources;
                for interface in &mut self.topology.network_interfaces {
                    let root = sources.get(interface.header.resource.index()).map(|other| other.key.root);
                    if root == Some(source.key.root) {
                        interface.more_groups.get_or_insert_with(|| Arc::clone(&unknown));
                    }
                }
            }
            LinkState::Absent => {}
        }
    }

    fn address_on_nat_gateway(&mut self, source: &'a Source) {
        let mut address: Link<PublicIp> =
            self.link(source, &source.view(), paths!(["public_ip_address_id"], []));
        address.place = source.place;
        let gateway = self.link::<NatGateway>(source, &source.view(), paths!(["nat_gateway_id"], []));
        if let Some(id) = gateway.to() {
            self.topology.nat_gateways[id.index()].public_ips.push(address);
        }
    }

    fn prefix_on_nat_gateway(&mut self, source: &'a Source) {
        let gateway = self.link::<NatGateway>(source, &source.view(), paths!(["nat_gateway_id"], []));
        let prefix = source.view().text(paths!(["public_ip_prefix_id"], []));
        if let Some(id) = gateway.to()
            && !prefix.is_absent()
        {
            self.topology.nat_gateways[id.index()].public_ip_prefixes.items.push(prefix);
        }
    }

    fn dns_servers_of_network(&mut self, source: &'a Source) {
        let network = self.link::<VirtualNetwork>(source, &source.view(), paths!(["virtual_network_id"], []));
        let servers = source.view().texts(paths!(["dns_servers"], []));
        if let Some(id) = network.to() {
            let owners = self.address_owners(&source.view(), paths!(["dns_servers"], []));
            self.topology.virtual_networks[id.index()].dns_server_owners = owners;
            let current = &mut self.topology.virtual_networks[id.index()].dns_servers;
            *current = servers;
            if let Some(uncertain) = &source.uncertain {
                current.rest.get_or_insert_with(|| Arc::clone(uncertain));
            }
        }
    }

    /// A rule or route of which it is not known to which group or table it belongs leaves every group or table of its
    /// root incomplete that it could belong to.
    fn mark_scattered(&mut self) {
        let scattered = std::mem::take(&mut self.scattered);
        for (arm_type, attribute) in
            [(SecurityGroup::TYPE, "network_security_group_name"), (RouteTable::TYPE, "route_table_name")]
        {
            let mut roots: Vec<u32> = Vec::new();
            for (kind, resource, _) in &scattered {
                let root = self.source(*resource).key.root;
                if *kind == arm_type && !roots.contains(&root) {
                    roots.push(root);
                }
            }
            for root in roots {
                let mut patterns: Vec<(Option<Pattern>, &Arc<Unknown>)> = Vec::new();
                for (_, resource, unknown) in scattered.iter().filter(|(kind, resource, _)| {
                    *kind == arm_type && self.source(*resource).key.root == root
                }) {
                    let pattern = parent_name(self.source(*resource), attribute);
                    if patterns.len() >= PATTERN_LIMIT {
                        patterns = vec![(None, unknown)];
                        break;
                    }
                    if !patterns.iter().any(|(other, _)| *other == pattern) {
                        patterns.push((pattern, unknown));
                    }
                }
                self.mark_incomplete(arm_type, root, &patterns);
            }
        }
    }

    fn mark_incomplete(&mut self, arm_type: &str, root: u32, patterns: &[(Option<Pattern>, &Arc<Unknown>)]) {
        let sources = self.sources;
        let reason = |resource: ResourceId| {
            let source = sources.get(resource.index()).filter(|source| source.key.root == root)?;
            patterns.iter().find_map(|(pattern, unknown)| {
                let possible = match (pattern, source.last_name()) {
                    (Some(pattern), Some(name)) => pattern.compare(name) != Likeness::Different,
                    _ => true,
                };
                possible.then(|| Arc::clone(unknown))
            })
        };
        if arm_type == SecurityGroup::TYPE {
            for group in &mut self.topology.security_groups {
                if group.rules.rest.is_none() {
                    group.rules.rest = reason(group.header.resource);
                }
            }
        } else {
            for table in &mut self.topology.route_tables {
                if table.routes.rest.is_none() {
                    table.routes.rest = reason(table.header.resource);
                }
            }
        }
    }
}

/// The name of the parent that a child names, as far as known.
fn parent_name(source: &Source, attribute: &str) -> Option<Pattern> {
    if source.is_arm() {
        let names = source.names.as_ref()?;
        return names.len().checked_sub(2).and_then(|index| names.get(index)).cloned();
    }
    match source.view().walk_any(&[attribute]) {
        Found::Value(value, _) => Pattern::of(value),
        _ => None,
    }
}
