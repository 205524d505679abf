//! What the rules on delegation and sharing ask of a subnet's occupants.

use crate::azure::occupants::{self, Occupant};
use crate::topology::{Id, Occupancy, ResourceNode, Subnet, Topology};

/// An occupant of a subnet with its row of the knowledge base.
#[derive(Clone, Copy)]
pub struct Resident<'a> {
    /// The use of the subnet.
    pub occupancy: &'a Occupancy,
    /// The resource that uses it.
    pub resource: &'a ResourceNode,
    /// What is known of its kind.
    pub row: &'static Occupant,
}

impl Resident<'_> {
    /// Whether it certainly exists after deployment and is made here.
    pub fn is_certain(&self) -> bool {
        self.resource.uncertain.is_none() && self.resource.mode == crate::resource::Mode::Managed
    }

    /// What it is and what it is called: "PostgreSQL flexible server `psql-orders`".
    pub fn label(&self) -> String {
        match self.resource.name.known() {
            Some(name) => format!("{} `{name}`", self.row.name()),
            None => format!("{} `{}`", self.row.name(), self.resource.key.address),
        }
    }

    /// Whether a delegation to a service is meant for this occupant.
    pub fn fits(&self, service: &str) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(service);
        self.row.delegation.as_deref().is_some_and(same)
            || same(&self.row.arm_type)
            || belongs(&self.row.arm_type, service)
    }
}

/// Whether an ARM type lies below the type that a service is named after: `Microsoft.Network/dnsResolvers/inboundEndpoints`
/// below `Microsoft.Network/dnsResolvers`.
fn belongs(arm_type: &str, service: &str) -> bool {
    arm_type.len() > service.len()
        && arm_type.is_char_boundary(service.len())
        && arm_type[..service.len()].eq_ignore_ascii_case(service)
        && arm_type[service.len()..].starts_with('/')
}

/// The occupants of a subnet, each use once, in the order of the model.
pub fn of_subnet<'a>(topology: &'a Topology, subnet: &Subnet) -> Vec<Resident<'a>> {
    subnet.occupancies.iter().filter_map(|id| resident(topology, *id)).collect()
}

/// An occupancy with its row; `None` for a kind that is not in the table.
pub fn resident(topology: &Topology, id: Id<Occupancy>) -> Option<Resident<'_>> {
    let occupancy = &topology[id];
    let row = occupants::of_kind(&occupancy.kind)?;
    Some(Resident { occupancy, resource: &topology[occupancy.resource], row })
}
