//! Public addresses, gateways, Bastion, firewalls, NAT.

use crate::topology::*;

use super::Builder;
use super::network::version_dependent;
use super::source::Source;
use super::view::{View, paths};

/// The defaults of public addresses: `Basic` in azurerm before 4.0, `Standard` since (azurerm 4.0 upgrade guide).
fn standard_since_four(
    view: &View,
    sku: Field<ecow::EcoString>,
    allocation: &Field<ecow::EcoString>,
) -> Field<ecow::EcoString> {
    if view.is_arm() {
        // Azure's own default is documented as Basic for API versions that still have it.
        return sku.or_default("Basic".into());
    }
    match view.azurerm_major() {
        Some(major) if major >= 4 => sku.or_default("Standard".into()),
        Some(_) => sku.or_default("Basic".into()),
        // Whatever the version, a dynamic address that is accepted is a Basic one.
        None if allocation.known().is_some_and(|method| method == "Dynamic") => {
            sku.or_default("Basic".into())
        }
        None => version_dependent(sku),
    }
}

impl<'a> Builder<'a> {
    /// Reads public addresses, gateways, Bastion hosts, firewalls and NAT gateways.
    pub fn fill_gateways(&mut self) {
        for source in self.sources {
            if source.is::<PublicIp>() {
                self.fill_public_ip(source);
            } else if source.is::<NatGateway>() {
                self.fill_nat_gateway(source);
            } else if source.is::<VirtualNetworkGateway>() {
                self.fill_virtual_network_gateway(source);
            } else if source.is::<Bastion>() {
                self.fill_bastion(source);
            } else if source.is::<Firewall>() {
                self.fill_firewall(source);
            }
        }
    }

    fn fill_public_ip(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<PublicIp>(source) else { return };
        let view = source.view();
        let sku = view.choice(paths!(["sku"], ["sku.name"]), &["Basic", "Standard", "StandardV2"]);
        let allocation = view.choice(
            paths!(["allocation_method"], ["properties.publicIPAllocationMethod"]),
            &["Static", "Dynamic"],
        );
        let address = &mut self.topology.public_ips[id.index()];
        address.sku = standard_since_four(&view, sku, &allocation);
        address.tier = view
            .choice(paths!(["sku_tier"], ["sku.tier"]), &["Regional", "Global"])
            .or_default("Regional".into());
        address.allocation = if view.is_arm() { allocation.or_default("Dynamic".into()) } else { allocation };
        address.version = view
            .choice(paths!(["ip_version"], ["properties.publicIPAddressVersion"]), &["IPv4", "IPv6"])
            .or_default("IPv4".into());
        // `availability_zone` of azurerm 2.x says words: `Zone-Redundant`, `No-Zone`, or a number.
        address.zones = view.texts(paths!(["zones", "availability_zone"], ["zones"]));
    }

    fn fill_nat_gateway(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<NatGateway>(source) else { return };
        let view = source.view();
        let (public_ips, _) =
            self.links(source, &view, paths!(["public_ip_address_ids"], ["properties.publicIpAddresses"]));
        let blocks = view.blocks(paths!([], ["properties.publicIpPrefixes"]));
        let mut prefixes = view.texts(paths!(["public_ip_prefix_ids"], []));
        for block in &blocks.items {
            prefixes.items.push(block.view.text(paths!([], ["id"])));
        }
        prefixes.rest = prefixes.rest.or(blocks.rest);
        let gateway = &mut self.topology.nat_gateways[id.index()];
        gateway.sku = view
            .choice(paths!(["sku_name"], ["sku.name"]), &["Standard", "StandardV2"])
            .or_default("Standard".into());
        gateway.zones = view.texts(paths!(["zones"], ["zones"]));
        gateway.public_ips = public_ips;
        gateway.public_ip_prefixes = prefixes;
    }

    fn fill_virtual_network_gateway(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<VirtualNetworkGateway>(source) else { return };
        let view = source.view();
        let (configurations, rest) = self.ip_configurations(
            source,
            &view,
            paths!(["ip_configuration"], ["properties.ipConfigurations"]),
        );
        let gateway = &mut self.topology.virtual_network_gateways[id.index()];
        gateway.gateway_type = view
            .choice(paths!(["type"], ["properties.gatewayType"]), &["Vpn", "ExpressRoute", "LocalGateway"]);
        gateway.sku = view.text(paths!(["sku"], ["properties.sku.name"]));
        let vpn_type =
            view.choice(paths!(["vpn_type"], ["properties.vpnType"]), &["RouteBased", "PolicyBased"]);
        gateway.vpn_type = if view.is_arm() { vpn_type } else { vpn_type.or_default("RouteBased".into()) };
        gateway.active_active = view
            .flag(paths!(["active_active"], ["properties.activeActive", "properties.active"]))
            .or_default(false);
        gateway.ip_configurations = configurations;
        gateway.incomplete = rest;
    }

    fn fill_bastion(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<Bastion>(source) else { return };
        let view = source.view();
        let (configurations, rest) = self.ip_configurations(
            source,
            &view,
            paths!(["ip_configuration"], ["properties.ipConfigurations"]),
        );
        let network =
            self.link(source, &view, paths!(["virtual_network_id"], ["properties.virtualNetwork.id"]));
        let bastion = &mut self.topology.bastions[id.index()];
        let sku = view.choice(paths!(["sku"], ["sku.name"]), &["Developer", "Basic", "Standard", "Premium"]);
        bastion.sku = if view.is_arm() { sku } else { sku.or_default("Basic".into()) };
        bastion.ip_configurations = configurations;
        bastion.network = network;
        bastion.incomplete = rest;
    }

    fn fill_firewall(&mut self, source: &'a Source) {
        let Some(id) = self.own_part::<Firewall>(source) else { return };
        let view = source.view();
        let (configurations, rest) = self.ip_configurations(
            source,
            &view,
            paths!(["ip_configuration"], ["properties.ipConfigurations"]),
        );
        let (management, _) = self.ip_configurations(
            source,
            &view,
            paths!(["management_ip_configuration"], ["properties.managementIpConfiguration"]),
        );
        let sku_name = view.choice(paths!(["sku_name"], ["properties.sku.name"]), &["AZFW_VNet", "AZFW_Hub"]);
        let sku_tier =
            view.choice(paths!(["sku_tier"], ["properties.sku.tier"]), &["Basic", "Standard", "Premium"]);
        let firewall = &mut self.topology.firewalls[id.index()];
        // Optional with these defaults in azurerm 2.x; required later.
        firewall.sku_name = sku_name.or_default("AZFW_VNet".into());
        firewall.sku_tier = sku_tier.or_default("Standard".into());
        firewall.ip_configurations = configurations;
        firewall.management_ip_configurations = management;
        firewall.zones = view.texts(paths!(["zones"], ["zones"]));
        firewall.incomplete = rest;
    }
}
