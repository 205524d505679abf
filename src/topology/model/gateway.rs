//! Public addresses, gateways, Bastion, firewalls, NAT.

use std::sync::Arc;

use ecow::EcoString;

use super::{Header, IpConfiguration, VirtualNetwork};
use crate::topology::{Field, Link, List};
use crate::value::Unknown;

/// A public address.
#[derive(Clone, Debug)]
pub struct PublicIp {
    /// Who and where.
    pub header: Header,
    /// `Basic` or `Standard`. Documented defaults are filled in.
    pub sku: Field<EcoString>,
    /// `Regional` or `Global`.
    pub tier: Field<EcoString>,
    /// `Static` or `Dynamic`.
    pub allocation: Field<EcoString>,
    /// `IPv4` or `IPv6`.
    pub version: Field<EcoString>,
    /// Its zones.
    pub zones: List<EcoString>,
}

/// A public address that something takes which the model has no part for: one for each attribute that names one.
#[derive(Clone, Debug)]
pub struct AddressUse {
    /// What takes it.
    pub header: Header,
    /// What people call it.
    pub what: &'static str,
    /// The address.
    pub public_ip: Link<PublicIp>,
}

/// A NAT gateway.
#[derive(Clone, Debug)]
pub struct NatGateway {
    /// Who and where.
    pub header: Header,
    /// `Standard` or `StandardV2`.
    pub sku: Field<EcoString>,
    /// Its zones.
    pub zones: List<EcoString>,
    /// Its public addresses, inline and by association.
    pub public_ips: Vec<Link<PublicIp>>,
    /// Whether it has (or may have) public address prefixes.
    pub public_ip_prefixes: List<EcoString>,
}

/// A VPN or ExpressRoute gateway.
#[derive(Clone, Debug)]
pub struct VirtualNetworkGateway {
    /// Who and where.
    pub header: Header,
    /// `Vpn` or `ExpressRoute`.
    pub gateway_type: Field<EcoString>,
    /// `VpnGw1AZ`, `Basic`, `ErGw1AZ` …
    pub sku: Field<EcoString>,
    /// `RouteBased` or `PolicyBased`.
    pub vpn_type: Field<EcoString>,
    /// Two active instances.
    pub active_active: Field<bool>,
    /// Its addresses.
    pub ip_configurations: Vec<IpConfiguration>,
    /// Set when it may have more addresses, with the reason.
    pub incomplete: Option<Arc<Unknown>>,
}

/// A Bastion host.
#[derive(Clone, Debug)]
pub struct Bastion {
    /// Who and where.
    pub header: Header,
    /// `Developer`, `Basic`, `Standard`, `Premium`.
    pub sku: Field<EcoString>,
    /// Its addresses.
    pub ip_configurations: Vec<IpConfiguration>,
    /// The network of a `Developer` host.
    pub network: Link<VirtualNetwork>,
    /// Set when it may have more addresses, with the reason.
    pub incomplete: Option<Arc<Unknown>>,
}

/// An Azure Firewall.
#[derive(Clone, Debug)]
pub struct Firewall {
    /// Who and where.
    pub header: Header,
    /// `AZFW_VNet` or `AZFW_Hub`.
    pub sku_name: Field<EcoString>,
    /// `Basic`, `Standard`, `Premium`.
    pub sku_tier: Field<EcoString>,
    /// Its addresses.
    pub ip_configurations: Vec<IpConfiguration>,
    /// Its management addresses (at most one).
    pub management_ip_configurations: Vec<IpConfiguration>,
    /// Its zones.
    pub zones: List<EcoString>,
    /// Set when it may have more addresses, with the reason.
    pub incomplete: Option<Arc<Unknown>>,
}
