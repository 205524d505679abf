//! Load balancers and application gateways.

use std::sync::Arc;

use ecow::EcoString;

use super::{Header, IpConfiguration, NetworkInterface, ScaleSet, VirtualNetwork};
use crate::topology::{Field, Link, List};
use crate::value::Unknown;

/// A load balancer with everything that hangs on it, inline and separate.
#[derive(Clone, Debug)]
pub struct LoadBalancer {
    /// Who and where.
    pub header: Header,
    /// `Basic`, `Standard`, `Gateway`. Documented defaults are filled in.
    pub sku: Field<EcoString>,
    /// Its front ends.
    pub frontends: Vec<IpConfiguration>,
    /// Its back-end pools.
    pub pools: Vec<BackendPool>,
    /// Its probes.
    pub probes: Vec<Probe>,
    /// Its load-balancing rules.
    pub rules: Vec<BalancingRule>,
    /// Its inbound NAT rules, and pools of such rules.
    pub nat_rules: Vec<NatRule>,
    /// Its outbound rules.
    pub outbound_rules: Vec<OutboundRule>,
    /// Whether the lists above may be incomplete.
    pub incomplete: bool,
}

/// A back-end pool.
#[derive(Clone, Debug)]
pub struct BackendPool {
    /// Who and where.
    pub header: Header,
    /// Members by interface.
    pub interfaces: Vec<Link<NetworkInterface>>,
    /// Members by scale set.
    pub scale_sets: Vec<Link<ScaleSet>>,
    /// Members by address.
    pub addresses: List<EcoString>,
    /// The network of the members by address.
    pub network: Link<VirtualNetwork>,
}

/// A health probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Who and where.
    pub header: Header,
    /// `Tcp`, `Http`, `Https`.
    pub protocol: Field<EcoString>,
    /// The port.
    pub port: Field<i64>,
}

/// A load-balancing rule.
#[derive(Clone, Debug)]
pub struct BalancingRule {
    /// Who and where.
    pub header: Header,
    /// `Tcp`, `Udp`, `All`.
    pub protocol: Field<EcoString>,
    /// The front end's name.
    pub frontend: Field<EcoString>,
    /// The front end's port.
    pub frontend_port: Field<i64>,
    /// The back end's port.
    pub backend_port: Field<i64>,
    /// The pools, by position in [`LoadBalancer::pools`].
    pub pools: Vec<usize>,
    /// The probe, by position in [`LoadBalancer::probes`].
    pub probe: Option<usize>,
    /// Whether the pools or the probe are not (all) known.
    pub incomplete: bool,
    /// Direct server return.
    pub floating_ip: Field<bool>,
    /// Whether members do not use the front end's address for what they send of themselves.
    pub outbound_snat_disabled: Field<bool>,
}

/// An outbound rule: members of a pool use the addresses of its front ends for what they send of themselves.
#[derive(Clone, Debug)]
pub struct OutboundRule {
    /// Who and where.
    pub header: Header,
    /// The names of its front ends.
    pub frontends: List<EcoString>,
}

/// An inbound NAT rule, or a pool of such rules for the machines of a scale set: a port of the front end leads to a port of one
/// machine.
#[derive(Clone, Debug)]
pub struct NatRule {
    /// Who and where.
    pub header: Header,
    /// `Tcp`, `Udp`, `All`.
    pub protocol: Field<EcoString>,
    /// The front end's name.
    pub frontend: Field<EcoString>,
    /// The front end's port; pools of rules have a range, which is not read.
    pub frontend_port: Field<i64>,
    /// The back end's port.
    pub backend_port: Field<i64>,
    /// The interfaces that name it.
    pub interfaces: Vec<Link<NetworkInterface>>,
    /// The scale sets that name it.
    pub scale_sets: Vec<Link<ScaleSet>>,
    /// The pool whose members it leads to, by position in [`LoadBalancer::pools`].
    pub pool: Option<usize>,
}

/// An application gateway.
#[derive(Clone, Debug)]
pub struct ApplicationGateway {
    /// Who and where.
    pub header: Header,
    /// `Standard_v2`, `WAF_v2`, `Standard`, `WAF`, `Basic`.
    pub sku_tier: Field<EcoString>,
    /// Where its instances live.
    pub gateway_ip_configurations: Vec<IpConfiguration>,
    /// Its front ends.
    pub frontends: Vec<IpConfiguration>,
    /// Its front-end ports.
    pub frontend_ports: List<i64>,
    /// Most instances it may have.
    pub maximum_capacity: Field<i64>,
    /// Its zones.
    pub zones: List<EcoString>,
    /// Set when it may have more addresses, with the reason.
    pub incomplete: Option<Arc<Unknown>>,
}
