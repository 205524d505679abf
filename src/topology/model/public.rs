//! Public endpoints of resources, and the firewalls of databases.

use ecow::EcoString;

use super::{Header, ResourceNode};
use crate::topology::{Field, Link};

/// The public endpoint of a resource that is made here.
#[derive(Clone, Debug)]
pub struct PublicEndpoint {
    /// The resource.
    pub header: Header,
    /// Whether it is open. Documented defaults are filled in; absent where none is documented.
    pub open: Field<bool>,
    /// Whether rules stand before it, whatever they admit; the place is what guards.
    pub guarded: Field<bool>,
    /// Whether its own rules admit addresses beside subnets; absent where that is not known of the type.
    pub admits_addresses: Field<bool>,
}

/// A rule of a database's firewall: a range of addresses that it admits.
#[derive(Clone, Debug)]
pub struct FirewallRule {
    /// Who and where.
    pub header: Header,
    /// Which firewall it is of: the row of the knowledge base, by its ARM type (`azure::public_endpoints`).
    pub kind: EcoString,
    /// The server.
    pub server: Link<ResourceNode>,
    /// The first address.
    pub start: Field<EcoString>,
    /// The last address.
    pub end: Field<EcoString>,
}
