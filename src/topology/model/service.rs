//! What lives in subnets.

use ecow::EcoString;

use super::{ResourceId, Subnet};
use crate::topology::{Link, Place};

/// A use of a subnet: an instance, an interface or an injected service in it. One for each attribute that names a subnet.
#[derive(Clone, Debug)]
pub struct Occupancy {
    /// The resource that lives there.
    pub resource: ResourceId,
    /// Where it lives.
    pub subnet: Link<Subnet>,
    /// Which kind of occupant it is: the row of the knowledge base, by its key (`azure::occupants`).
    pub kind: EcoString,
    /// The attribute that names the subnet.
    pub place: Place,
}
