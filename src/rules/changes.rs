//! What the rules on changes ask: the same resource now and after the plan.

use std::collections::HashMap;

use crate::topology::{Id, List, Occupancy, Prefix, ResourceId, ResourceNode, Subnet, Topology};

/// What is there now, found by address.
pub struct Now<'a> {
    topology: &'a Topology,
    by_address: HashMap<(u32, &'a str), ResourceId>,
}

impl<'a> Now<'a> {
    /// Over the model of what is there now.
    pub fn new(topology: &'a Topology) -> Self {
        let by_address = topology
            .all::<ResourceNode>()
            .map(|(id, node)| ((node.key.root, node.key.address.as_str()), id))
            .collect();
        Self { topology, by_address }
    }

    /// The subnets that a resource lives in now.
    pub fn subnets_of(&self, resource: &ResourceNode) -> Vec<&'a Subnet> {
        let Some(id) = self.by_address.get(&(resource.key.root, resource.key.address.as_str())) else {
            return Vec::new();
        };
        self.topology
            .occupancies
            .iter()
            .filter(|occupancy| occupancy.resource == *id)
            .filter_map(|occupancy| Some(&self.topology[occupancy.subnet.to()?]))
            .collect()
    }

    /// The subnet that a resource is now.
    pub fn subnet(&self, resource: &ResourceNode) -> Option<&'a Subnet> {
        let id = self.by_address.get(&(resource.key.root, resource.key.address.as_str()))?;
        self.topology.subnets.iter().find(|subnet| subnet.header.resource == *id)
    }

    /// The model.
    pub fn topology(&self) -> &'a Topology {
        self.topology
    }
}

/// The subnets that a resource will live in, with the use that says so.
pub fn subnets_after(
    topology: &Topology,
    resource: ResourceId,
) -> impl Iterator<Item = (&Occupancy, Id<Subnet>)> {
    topology
        .occupancies
        .iter()
        .filter(move |occupancy| occupancy.resource == resource)
        .filter_map(|occupancy| Some((occupancy, occupancy.subnet.to()?)))
}

/// The known ranges of a list, for comparing.
pub fn range_texts(prefixes: &List<Prefix>) -> Vec<&str> {
    let mut texts: Vec<&str> = prefixes.known().map(|prefix| prefix.text.as_str()).collect();
    texts.sort_unstable();
    texts
}

/// Whether two subnets, of two models, are certainly different ones: both have known paths, and these differ.
pub fn differ(one: &Subnet, other: &Subnet) -> bool {
    match (&one.header.resource_id, &other.header.resource_id) {
        (Some(one), Some(other)) => !one.eq_ignore_ascii_case(other),
        _ => false,
    }
}
