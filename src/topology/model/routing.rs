//! Route tables and routes.

use ecow::EcoString;

use super::{Header, ResourceNode};
use crate::topology::{Field, Link, List};

/// A route table with all its routes, inline and separate.
#[derive(Clone, Debug)]
pub struct RouteTable {
    /// Who and where.
    pub header: Header,
    /// Its routes.
    pub routes: List<Route>,
    /// Whether routes learned by BGP reach its subnets.
    pub bgp_route_propagation: Field<bool>,
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// Who and where.
    pub header: Header,
    /// Where to: a prefix or a service tag.
    pub address_prefix: Field<EcoString>,
    /// `VirtualAppliance`, `VnetLocal`, `Internet`, `VirtualNetworkGateway`, `None`.
    pub next_hop_type: Field<EcoString>,
    /// The appliance's address.
    pub next_hop_address: Field<EcoString>,
    /// The resource whose attribute the appliance's address is, when it is written so (`azurerm_firewall.hub…`): then the
    /// address is not known, but whose it is.
    pub next_hop: Link<ResourceNode>,
}
