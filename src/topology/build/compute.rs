//! Network interfaces, machines, scale sets.

use crate::topology::*;

use super::Builder;
use super::source::Source;
use super::view::{Block, Found, Paths, View, paths};

const ALLOCATIONS: &[&str] = &["Static", "Dynamic"];

impl<'a> Builder<'a> {
    /// Reads network interfaces, machines and scale sets.
    pub fn fill_compute(&mut self) {
        for source in self.sources {
            if source.is::<NetworkInterface>() {
                self.fill_interface(source);
            } else if source.is::<VirtualMachine>() {
                self.fill_machine(source);
            } else if source.is::<ScaleSet>() {
                self.fill_scale_set(source);
            }
        }
    }

    fn fill_interface(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<NetworkInterface>(source) else { return };
        let view = source.view();
        let configurations = view.blocks(paths!(["ip_configuration"], ["properties.ipConfigurations"]));
        let mut ip_configurations = Vec::new();
        let mut groups = Vec::new();
        let mut more_groups = None;
        for block in &configurations.items {
            ip_configurations.push(self.ip_configuration(source, block));
            let (more, rest) =
                self.links(source, &block.view, paths!([], ["properties.applicationSecurityGroups"]));
            // Every address of an interface is in the same groups; they count once.
            for link in more {
                let known = link.to();
                if known.is_none()
                    || !groups.iter().any(|other: &Link<ApplicationSecurityGroup>| other.to() == known)
                {
                    groups.push(link);
                }
            }
            more_groups = more_groups.or(rest);
        }
        let security_group = self.link(
            source,
            &view,
            paths!(["network_security_group_id"], ["properties.networkSecurityGroup.id"]),
        );
        let ip_forwarding = view
            .flag(paths!(
                ["ip_forwarding_enabled", "enable_ip_forwarding"],
                ["properties.enableIPForwarding"]
            ))
            .or_default(false);
        let dns_servers = view.texts(paths!(["dns_servers"], ["properties.dnsSettings.dnsServers"]));
        let interface = &mut self.topology.network_interfaces[id.index()];
        interface.ip_configurations = ip_configurations;
        interface.incomplete = configurations.rest;
        interface.application_security_groups = groups;
        interface.more_groups = more_groups.or_else(|| source.lookup.clone());
        interface.security_group = security_group;
        interface.ip_forwarding = ip_forwarding;
        interface.dns_servers = dns_servers;
    }

    /// An address of anything: interfaces, gateways, load balancers, firewalls …
    pub fn ip_configuration(&mut self, source: &'a Source, block: &Block<'a>) -> IpConfiguration {
        let view = &block.view;
        let private_address =
            view.text(paths!(["private_ip_address"], ["properties.privateIPAddress", "privateIPAddress"]));
        let mut allocation = view.choice(
            paths!(
                ["private_ip_address_allocation"],
                ["properties.privateIPAllocationMethod", "privateIPAllocationMethod"]
            ),
            ALLOCATIONS,
        );
        if allocation.is_absent() && view.is_arm() {
            // The address alone does not make it static, but nothing else makes sense of it.
            allocation = if private_address.is_absent() {
                allocation.or_default("Dynamic".into())
            } else {
                allocation
            };
        }
        IpConfiguration {
            header: self.inline_header(source, block, "ipConfigurations", None),
            subnet: self.link(source, view, paths!(["subnet_id"], ["properties.subnet.id", "subnet.id"])),
            private_address,
            allocation,
            version: view
                .choice(
                    paths!(
                        ["private_ip_address_version", "version"],
                        ["properties.privateIPAddressVersion", "privateIPAddressVersion"]
                    ),
                    &["IPv4", "IPv6"],
                )
                .or_default("IPv4".into()),
            public_ip: self.link(
                source,
                view,
                paths!(["public_ip_address_id"], ["properties.publicIPAddress.id", "publicIPAddress.id"]),
            ),
            instance_address: match view
                .find(paths!(["public_ip_address"], ["properties.publicIPAddressConfiguration"]))
            {
                Found::Value(_, place) => Some(place),
                Found::Absent | Found::Unknown(..) => None,
            },
            zones: view.texts(paths!(["zones", "availability_zone"], ["zones"])),
        }
    }

    /// All addresses at a path.
    pub fn ip_configurations(
        &mut self,
        source: &'a Source,
        view: &View<'a>,
        paths: Paths,
    ) -> (Vec<IpConfiguration>, Option<std::sync::Arc<crate::value::Unknown>>) {
        let blocks = view.blocks(paths);
        let items = blocks.items.iter().map(|block| self.ip_configuration(source, block)).collect();
        (items, blocks.rest)
    }

    fn fill_machine(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<VirtualMachine>(source) else { return };
        let view = source.view();
        let (interfaces, more) = self.links(
            source,
            &view,
            paths!(["network_interface_ids"], ["properties.networkProfile.networkInterfaces"]),
        );
        let machine = &mut self.topology.virtual_machines[id.index()];
        machine.interfaces = interfaces;
        machine.more_interfaces = more.or_else(|| source.lookup.clone());
    }

    fn fill_scale_set(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<ScaleSet>(source) else { return };
        let view = source.view();
        let capacity = view.number(paths!(["instances", "sku.capacity", "capacity"], ["sku.capacity"]));
        let templates = view.blocks(paths!(
            ["network_interface", "network_profile"],
            ["properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations"]
        ));
        let mut interfaces = Vec::new();
        for block in &templates.items {
            let header = self.inline_header(source, block, "networkInterfaceConfigurations", None);
            let configurations =
                block.view.blocks(paths!(["ip_configuration"], ["properties.ipConfigurations"]));
            let mut ip_configurations = Vec::new();
            let mut groups = Vec::new();
            for configuration in &configurations.items {
                ip_configurations.push(self.ip_configuration(source, configuration));
                let (more, _) = self.links(
                    source,
                    &configuration.view,
                    paths!(["application_security_group_ids"], ["properties.applicationSecurityGroups"]),
                );
                groups.extend(more);
            }
            interfaces.push(InterfaceTemplate {
                header,
                ip_configurations,
                security_group: self.link(
                    source,
                    &block.view,
                    paths!(["network_security_group_id"], ["properties.networkSecurityGroup.id"]),
                ),
                application_security_groups: groups,
                ip_forwarding: block
                    .view
                    .flag(paths!(
                        ["ip_forwarding_enabled", "enable_ip_forwarding", "ip_forwarding"],
                        ["properties.enableIPForwarding"]
                    ))
                    .or_default(false),
            });
        }
        let set = &mut self.topology.scale_sets[id.index()];
        set.capacity = capacity;
        set.interfaces = interfaces;
        set.incomplete = templates.rest;
    }
}
