//! Who uses which public address.

use crate::topology::{
    ApplicationGateway, Bastion, Firewall, Header, Link, LoadBalancer, NatGateway, NetworkInterface,
    PublicIp, Topology, VirtualNetworkGateway,
};

/// Something that uses a public address.
#[derive(Clone, Copy, Debug)]
pub enum User<'a> {
    /// A network interface.
    Interface(&'a NetworkInterface),
    /// A front end of a load balancer.
    LoadBalancer(&'a LoadBalancer),
    /// A front end of an application gateway.
    ApplicationGateway(&'a ApplicationGateway),
    /// A VPN or ExpressRoute gateway.
    VirtualNetworkGateway(&'a VirtualNetworkGateway),
    /// A Bastion host.
    Bastion(&'a Bastion),
    /// An Azure Firewall.
    Firewall(&'a Firewall),
    /// A NAT gateway.
    NatGateway(&'a NatGateway),
    /// Anything else.
    Other(&'static str, &'a Header),
}

impl<'a> User<'a> {
    /// What people call it.
    pub fn what(self) -> &'static str {
        match self {
            User::Interface(_) => "network interface",
            User::LoadBalancer(_) => "load balancer",
            User::ApplicationGateway(_) => "application gateway",
            User::VirtualNetworkGateway(_) => "virtual network gateway",
            User::Bastion(_) => "Bastion host",
            User::Firewall(_) => "firewall",
            User::NatGateway(_) => "NAT gateway",
            User::Other(what, _) => what,
        }
    }

    /// Who it is.
    pub fn header(self) -> &'a Header {
        match self {
            User::Interface(part) => &part.header,
            User::LoadBalancer(part) => &part.header,
            User::ApplicationGateway(part) => &part.header,
            User::VirtualNetworkGateway(part) => &part.header,
            User::Bastion(part) => &part.header,
            User::Firewall(part) => &part.header,
            User::NatGateway(part) => &part.header,
            User::Other(_, header) => header,
        }
    }
}

/// One use of a public address: one for each place that names one.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// What uses it.
    pub user: User<'a>,
    /// The address; the place is where it is named.
    pub address: &'a Link<PublicIp>,
}

/// All uses, in the order of the model.
pub fn uses(topology: &Topology) -> Vec<Use<'_>> {
    let mut uses = Vec::new();
    let mut add = |user, address| uses.push(Use { user, address });
    for part in &topology.network_interfaces {
        part.ip_configurations.iter().for_each(|one| add(User::Interface(part), &one.public_ip));
    }
    for part in &topology.virtual_network_gateways {
        part.ip_configurations.iter().for_each(|one| add(User::VirtualNetworkGateway(part), &one.public_ip));
    }
    for part in &topology.bastions {
        part.ip_configurations.iter().for_each(|one| add(User::Bastion(part), &one.public_ip));
    }
    for part in &topology.firewalls {
        let management = &part.management_ip_configurations;
        part.ip_configurations
            .iter()
            .chain(management)
            .for_each(|one| add(User::Firewall(part), &one.public_ip));
    }
    for part in &topology.nat_gateways {
        part.public_ips.iter().for_each(|one| add(User::NatGateway(part), one));
    }
    for part in &topology.application_gateways {
        part.frontends.iter().for_each(|one| add(User::ApplicationGateway(part), &one.public_ip));
    }
    for part in &topology.load_balancers {
        part.frontends.iter().for_each(|one| add(User::LoadBalancer(part), &one.public_ip));
    }
    for part in &topology.address_uses {
        add(User::Other(part.what, &part.header), &part.public_ip);
    }
    uses
}
