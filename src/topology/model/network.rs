//! Virtual networks, subnets, peerings.

use std::sync::Arc;

use ecow::EcoString;
use ipnet::IpNet;

use super::{Header, Id, NatGateway, Occupancy, ResourceNode, RouteTable, SecurityGroup};
use crate::topology::{Field, Link, List, Place};
use crate::value::Unknown;

/// A virtual network.
#[derive(Clone, Debug)]
pub struct VirtualNetwork {
    /// Who and where.
    pub header: Header,
    /// Its address space.
    pub address_space: List<Prefix>,
    /// Its DNS servers; empty means Azure's own (168.63.129.16).
    pub dns_servers: List<EcoString>,
    /// The resources whose attributes DNS servers are, where they are written so (a firewall's or an endpoint's private
    /// address): for each position of the list above, or none at all.
    pub dns_server_owners: Vec<Link<ResourceNode>>,
    /// Its subnets, in the order of the model.
    pub subnets: Vec<Id<Subnet>>,
    /// The peerings that start here.
    pub peerings: Vec<Id<Peering>>,
    /// Set when it may have more subnets or peerings than the model knows, with the reason.
    pub incomplete: Option<Arc<Unknown>>,
    /// Where it declares subnets inline, if it does.
    pub inline_subnets: Option<Place>,
    /// Subnets inside it that bear the name of an earlier one: the name, where the first stands, where the other one.
    pub repeated_subnets: Vec<(EcoString, Place, Place)>,
}

/// An address range as it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Prefix {
    /// The text.
    pub text: EcoString,
    /// The range with its host bits as written; `None` when the text is not in CIDR notation.
    pub net: Option<IpNet>,
}

/// A subnet.
#[derive(Clone, Debug)]
pub struct Subnet {
    /// Who and where.
    pub header: Header,
    /// The network it is part of.
    pub network: Link<VirtualNetwork>,
    /// Its ranges.
    pub prefixes: List<Prefix>,
    /// Its delegations.
    pub delegations: List<Delegation>,
    /// Its service endpoints (`Microsoft.Storage`).
    pub service_endpoints: List<EcoString>,
    /// `Enabled`, `Disabled`, `NetworkSecurityGroupEnabled`, `RouteTableEnabled`; older booleans are translated.
    pub private_endpoint_network_policies: Field<EcoString>,
    /// `Enabled` or `Disabled`.
    pub private_link_service_network_policies: Field<EcoString>,
    /// Whether Azure gives outbound access by default.
    pub default_outbound_access: Field<bool>,
    /// Its network security group; the place is the association or the inline attribute.
    pub security_group: Link<SecurityGroup>,
    /// Its route table.
    pub route_table: Link<RouteTable>,
    /// Its NAT gateway.
    pub nat_gateway: Link<NatGateway>,
    /// Associations with a group, table or NAT gateway beside another one of the same kind: what kind, the first one, and the other.
    pub second_associations: Vec<(&'static str, Place, Place)>,
    /// What lives in it.
    pub occupancies: Vec<Id<Occupancy>>,
    /// Where its network declares it inline as well, when it is also a resource of its own.
    pub inline_place: Option<Place>,
}

/// A delegation of a subnet to a service.
#[derive(Clone, PartialEq, Debug)]
pub struct Delegation {
    /// The name that its author gave it.
    pub name: Option<EcoString>,
    /// The service: `Microsoft.DBforPostgreSQL/flexibleServers`.
    pub service: EcoString,
}

/// One direction of a peering between two networks.
#[derive(Clone, Debug)]
pub struct Peering {
    /// Who and where.
    pub header: Header,
    /// The network it starts at.
    pub network: Link<VirtualNetwork>,
    /// The network it leads to.
    pub remote: Link<VirtualNetwork>,
    /// Whether machines may talk over it. Documented defaults are filled in.
    pub allow_virtual_network_access: Field<bool>,
    /// Whether traffic that the remote network only forwards is let in.
    pub allow_forwarded_traffic: Field<bool>,
    /// Whether the remote network may use this one's gateway.
    pub allow_gateway_transit: Field<bool>,
    /// Whether this network uses the remote one's gateway.
    pub use_remote_gateways: Field<bool>,
    /// Whether whole networks are peered (`false`: subnet peering).
    pub peer_complete_networks: Field<bool>,
}

/// A hub of a Virtual WAN, or a Route Server, which Azure takes for one.
#[derive(Clone, Debug)]
pub struct VirtualHub {
    /// Who and where.
    pub header: Header,
    /// The range it takes for itself.
    pub address_prefix: Field<Prefix>,
}

/// A connection of a virtual network with a virtual hub.
#[derive(Clone, Debug)]
pub struct HubConnection {
    /// Who and where.
    pub header: Header,
    /// The hub.
    pub hub: Link<VirtualHub>,
    /// The network.
    pub network: Link<VirtualNetwork>,
}
