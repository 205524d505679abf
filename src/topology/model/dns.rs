//! Private DNS, private endpoints, private link services, resolvers.

use std::sync::Arc;

use ecow::EcoString;

use super::{Header, Id, ResourceNode, Subnet, VirtualNetwork};
use crate::topology::{Field, Link, List};
use crate::value::Unknown;

/// A private DNS zone. Its name is the header's.
#[derive(Clone, Debug)]
pub struct PrivateDnsZone {
    /// Who and where.
    pub header: Header,
    /// Its links to networks.
    pub links: Vec<Id<ZoneLink>>,
}

/// A link of a private DNS zone to a virtual network.
#[derive(Clone, Debug)]
pub struct ZoneLink {
    /// Who and where.
    pub header: Header,
    /// The zone.
    pub zone: Link<PrivateDnsZone>,
    /// The network.
    pub network: Link<VirtualNetwork>,
    /// Whether the network's machines register themselves.
    pub registration: Field<bool>,
    /// `Default` or `NxDomainRedirect`.
    pub resolution_policy: Field<EcoString>,
}

/// A record set of a private DNS zone.
#[derive(Clone, Debug)]
pub struct ZoneRecord {
    /// Who and where.
    pub header: Header,
    /// The zone.
    pub zone: Link<PrivateDnsZone>,
    /// `A`, `AAAA`, `CNAME`, …
    pub record_type: EcoString,
    /// Its targets.
    pub targets: List<EcoString>,
}

/// A DNS private resolver.
#[derive(Clone, Debug)]
pub struct DnsResolver {
    /// Who and where.
    pub header: Header,
    /// The network it answers for.
    pub network: Link<VirtualNetwork>,
    /// The inbound endpoints: subnet and address.
    pub inbound: Vec<ResolverEndpoint>,
    /// The outbound endpoints.
    pub outbound: Vec<ResolverEndpoint>,
}

/// An endpoint of a DNS private resolver.
#[derive(Clone, Debug)]
pub struct ResolverEndpoint {
    /// Who and where.
    pub header: Header,
    /// Where it lives.
    pub subnet: Link<Subnet>,
    /// Its address, when it is static.
    pub address: Field<EcoString>,
}

/// A DNS forwarding rule set.
#[derive(Clone, Debug)]
pub struct ForwardingRuleSet {
    /// Who and where.
    pub header: Header,
    /// The networks it is linked to.
    pub networks: Vec<Link<VirtualNetwork>>,
    /// Its rules.
    pub rules: List<ForwardingRule>,
}

/// A rule of a forwarding rule set.
#[derive(Clone, Debug)]
pub struct ForwardingRule {
    /// The domain, with its final dot as written.
    pub domain: Field<EcoString>,
    /// Addresses of the servers that answer.
    pub targets: List<EcoString>,
}

/// A private endpoint.
#[derive(Clone, Debug)]
pub struct PrivateEndpoint {
    /// Who and where.
    pub header: Header,
    /// Where it lives.
    pub subnet: Link<Subnet>,
    /// What it connects to.
    pub connections: Vec<PrivateConnection>,
    /// Its DNS zone groups.
    pub zone_groups: List<ZoneGroup>,
    /// Static addresses.
    pub addresses: List<EcoString>,
}

/// A connection of a private endpoint.
#[derive(Clone, Debug)]
pub struct PrivateConnection {
    /// The resource it leads to (its id, or its alias: then unknown).
    pub target: Link<ResourceNode>,
    /// The target's ARM type, when it is known (also for targets elsewhere, from the literal id).
    pub target_type: Option<EcoString>,
    /// The sub-resources (`blob`, `sqlServer`).
    pub group_ids: List<EcoString>,
    /// Whether the owner of the target approves by hand.
    pub manual: Field<bool>,
}

/// A DNS zone group of a private endpoint.
#[derive(Clone, Debug)]
pub struct ZoneGroup {
    /// Who and where.
    pub header: Header,
    /// The zones it writes records into.
    pub zones: Vec<Link<PrivateDnsZone>>,
    /// Set when there may be more zones, with the reason.
    pub more_zones: Option<Arc<Unknown>>,
}

/// A private link service.
#[derive(Clone, Debug)]
pub struct PrivateLinkService {
    /// Who and where.
    pub header: Header,
    /// The subnets of its NAT addresses.
    pub subnets: Vec<Link<Subnet>>,
}
