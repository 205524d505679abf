//! Network interfaces, machines, scale sets.

use std::sync::Arc;

use ecow::EcoString;

use super::{
    ApplicationSecurityGroup, Header, NetworkInterface as Interface, PublicIp, SecurityGroup, Subnet,
};
use crate::topology::{Field, Link, List, Place};
use crate::value::Unknown;

/// A network interface.
#[derive(Clone, Debug)]
pub struct NetworkInterface {
    /// Who and where.
    pub header: Header,
    /// Its addresses.
    pub ip_configurations: Vec<IpConfiguration>,
    /// Its network security group; the place is the association.
    pub security_group: Link<SecurityGroup>,
    /// Its application security groups, of all its addresses.
    pub application_security_groups: Vec<Link<ApplicationSecurityGroup>>,
    /// Set when it may be in more application security groups, with the reason.
    pub more_groups: Option<Arc<Unknown>>,
    /// Whether it passes on packets that are not for it.
    pub ip_forwarding: Field<bool>,
    /// Its DNS servers; empty means its network's.
    pub dns_servers: List<EcoString>,
    /// Set when it may have more addresses, with the reason.
    pub incomplete: Option<Arc<Unknown>>,
}

/// One address of an interface, a gateway, a load balancer …
#[derive(Clone, Debug)]
pub struct IpConfiguration {
    /// Who and where.
    pub header: Header,
    /// Where it lives.
    pub subnet: Link<Subnet>,
    /// Its private address, when it is given.
    pub private_address: Field<EcoString>,
    /// `Static` or `Dynamic`.
    pub allocation: Field<EcoString>,
    /// `IPv4` or `IPv6`. The documented default, `IPv4`, is filled in.
    pub version: Field<EcoString>,
    /// Its public address.
    pub public_ip: Link<PublicIp>,
    /// Where a scale set gives each machine a public address of its own.
    pub instance_address: Option<Place>,
    /// Zones of a front end.
    pub zones: List<EcoString>,
}

/// A virtual machine.
#[derive(Clone, Debug)]
pub struct VirtualMachine {
    /// Who and where.
    pub header: Header,
    /// Its interfaces.
    pub interfaces: Vec<Link<Interface>>,
    /// Set when it may have more interfaces, with the reason.
    pub more_interfaces: Option<Arc<Unknown>>,
}

/// A virtual machine scale set.
#[derive(Clone, Debug)]
pub struct ScaleSet {
    /// Who and where.
    pub header: Header,
    /// How many machines it has.
    pub capacity: Field<i64>,
    /// Its interface templates.
    pub interfaces: Vec<InterfaceTemplate>,
    /// Set when it may have more interface templates, with the reason.
    pub incomplete: Option<Arc<Unknown>>,
}

/// The interface that each machine of a scale set gets.
#[derive(Clone, Debug)]
pub struct InterfaceTemplate {
    /// Who and where.
    pub header: Header,
    /// Its addresses.
    pub ip_configurations: Vec<IpConfiguration>,
    /// Its network security group.
    pub security_group: Link<SecurityGroup>,
    /// Its application security groups.
    pub application_security_groups: Vec<Link<ApplicationSecurityGroup>>,
    /// Whether it passes on packets that are not for it.
    pub ip_forwarding: Field<bool>,
}
