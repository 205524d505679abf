//! What all parts of the model have in common while they are built.

use std::sync::Arc;

use crate::topology::*;
use crate::value::Unknown;

/// What the properties of a part are before anything is read: absent, or unknown for something that is not made here.
pub(super) struct Nothing {
    /// Why they are unknown.
    pub unknown: Option<Arc<Unknown>>,
    /// Where they would stand.
    pub place: Place,
}

impl Nothing {
    /// A property.
    pub fn field<T>(&self) -> Field<T> {
        let state = match &self.unknown {
            Some(unknown) => State::Unknown(Arc::clone(unknown)),
            None => State::Absent,
        };
        Field { state, place: self.place }
    }

    /// A list.
    pub fn list<T>(&self) -> List<T> {
        List { items: Vec::new(), rest: self.unknown.clone(), place: self.place }
    }

    /// A link.
    pub fn link<T>(&self) -> Link<T> {
        let state = match &self.unknown {
            Some(unknown) => LinkState::Unknown(Arc::clone(unknown)),
            None => LinkState::Absent,
        };
        Link { state, place: self.place }
    }
}

/// A part of the model that has a list, a type, and an identity.
pub(super) trait Part: Listed + 'static {
    /// The ARM type in its usual spelling.
    const TYPE: &'static str;
    /// Its list, to add to.
    fn list_mut(topology: &mut Topology) -> &mut Vec<Self>;
    /// One of which nothing is known but who it is.
    fn blank(header: Header, nothing: &Nothing) -> Self;
    /// Who it is.
    fn header(&self) -> &Header;
}

macro_rules! parts {
    ($($part:ty, $list:ident, $type:literal, |$nothing:ident| { $($field:ident: $value:expr),* $(,)? };)*) => {
        $(impl Part for $part {
            const TYPE: &'static str = $type;

            fn list_mut(topology: &mut Topology) -> &mut Vec<Self> {
                &mut topology.$list
            }

            #[allow(unused_variables)]
            fn blank(header: Header, $nothing: &Nothing) -> Self {
                Self { header, $($field: $value),* }
            }

            fn header(&self) -> &Header {
                &self.header
            }
        })*
    };
}

parts! {
    VirtualNetwork, virtual_networks, "Microsoft.Network/virtualNetworks", |nothing| {
        address_space: nothing.list(), dns_servers: nothing.list(), dns_server_owners: Vec::new(), subnets: Vec::new(), peerings: Vec::new(),
        incomplete: nothing.unknown.clone(), inline_subnets: None, repeated_subnets: Vec::new(),
    };
    Subnet, subnets, "Microsoft.Network/virtualNetworks/subnets", |nothing| {
        network: nothing.link(), prefixes: nothing.list(), delegations: nothing.list(),
        service_endpoints: nothing.list(), private_endpoint_network_policies: nothing.field(),
        private_link_service_network_policies: nothing.field(), default_outbound_access: nothing.field(),
        security_group: nothing.link(), route_table: nothing.link(), nat_gateway: nothing.link(),
        second_associations: Vec::new(), occupancies: Vec::new(), inline_place: None,
    };
    Peering, peerings, "Microsoft.Network/virtualNetworks/virtualNetworkPeerings", |nothing| {
        network: nothing.link(), remote: nothing.link(), allow_virtual_network_access: nothing.field(),
        allow_forwarded_traffic: nothing.field(), allow_gateway_transit: nothing.field(),
        use_remote_gateways: nothing.field(), peer_complete_networks: nothing.field(),
    };
    VirtualHub, virtual_hubs, "Microsoft.Network/virtualHubs", |nothing| { address_prefix: nothing.field(), };
    HubConnection, hub_connections, "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections", |nothing| {
        hub: nothing.link(), network: nothing.link(),
    };
    SecurityGroup, security_groups, "Microsoft.Network/networkSecurityGroups", |nothing| {
        rules: nothing.list(),
    };
    ApplicationSecurityGroup, application_security_groups, "Microsoft.Network/applicationSecurityGroups", |nothing| {};
    RouteTable, route_tables, "Microsoft.Network/routeTables", |nothing| {
        routes: nothing.list(), bgp_route_propagation: nothing.field(),
    };
    PrivateDnsZone, private_dns_zones, "Microsoft.Network/privateDnsZones", |nothing| { links: Vec::new() };
    ZoneLink, zone_links, "Microsoft.Network/privateDnsZones/virtualNetworkLinks", |nothing| {
        zone: nothing.link(), network: nothing.link(), registration: nothing.field(),
        resolution_policy: nothing.field(),
    };
    DnsResolver, dns_resolvers, "Microsoft.Network/dnsResolvers", |nothing| {
        network: nothing.link(), inbound: Vec::new(), outbound: Vec::new(),
    };
    ForwardingRuleSet, forwarding_rule_sets, "Microsoft.Network/dnsForwardingRulesets", |nothing| {
        networks: Vec::new(), rules: nothing.list(),
    };
    PrivateEndpoint, private_endpoints, "Microsoft.Network/privateEndpoints", |nothing| {
        subnet: nothing.link(), connections: Vec::new(), zone_groups: nothing.list(), addresses: nothing.list(),
    };
    PrivateLinkService, private_link_services, "Microsoft.Network/privateLinkServices", |nothing| {
        subnets: Vec::new(),
    };
    NetworkInterface, network_interfaces, "Microsoft.Network/networkInterfaces", |nothing| {
        ip_configurations: Vec::new(), security_group: nothing.link(), application_security_groups: Vec::new(),
        ip_forwarding: nothing.field(), dns_servers: nothing.list(), more_groups: nothing.unknown.clone(),
        incomplete: nothing.unknown.clone(),
    };
    VirtualMachine, virtual_machines, "Microsoft.Compute/virtualMachines", |nothing| {
        interfaces: Vec::new(), more_interfaces: nothing.unknown.clone(),
    };
    ScaleSet, scale_sets, "Microsoft.Compute/virtualMachineScaleSets", |nothing| {
        capacity: nothing.field(), interfaces: Vec::new(), incomplete: nothing.unknown.clone(),
    };
    PublicIp, public_ips, "Microsoft.Network/publicIPAddresses", |nothing| {
        sku: nothing.field(), tier: nothing.field(), allocation: nothing.field(), version: nothing.field(),
        zones: nothing.list(),
    };
    NatGateway, nat_gateways, "Microsoft.Network/natGateways", |nothing| {
        sku: nothing.field(), zones: nothing.list(), public_ips: Vec::new(), public_ip_prefixes: nothing.list(),
    };
    VirtualNetworkGateway, virtual_network_gateways, "Microsoft.Network/virtualNetworkGateways", |nothing| {
        gateway_type: nothing.field(), sku: nothing.field(), vpn_type: nothing.field(),
        active_active: nothing.field(), ip_configurations: Vec::new(), incomplete: nothing.unknown.clone(),
    };
    Bastion, bastions, "Microsoft.Network/bastionHosts", |nothing| {
        sku: nothing.field(), ip_configurations: Vec::new(), network: nothing.link(),
        incomplete: nothing.unknown.clone(),
    };
    Firewall, firewalls, "Microsoft.Network/azureFirewalls", |nothing| {
        sku_name: nothing.field(), sku_tier: nothing.field(), ip_configurations: Vec::new(),
        management_ip_configurations: Vec::new(), zones: nothing.list(), incomplete: nothing.unknown.clone(),
    };
    LoadBalancer, load_balancers, "Microsoft.Network/loadBalancers", |nothing| {
        sku: nothing.field(), frontends: Vec::new(), pools: Vec::new(), probes: Vec::new(), rules: Vec::new(),
        nat_rules: Vec::new(), outbound_rules: Vec::new(), incomplete: nothing.unknown.is_some(),
    };
    ApplicationGateway, application_gateways, "Microsoft.Network/applicationGateways", |nothing| {
        sku_tier: nothing.field(), gateway_ip_configurations: Vec::new(), frontends: Vec::new(),
        frontend_ports: nothing.list(), maximum_capacity: nothing.field(), zones: nothing.list(),
        incomplete: nothing.unknown.clone(),
    };
}
