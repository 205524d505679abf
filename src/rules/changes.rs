//! What the rules on changes ask: the same resource now and after the plan.

use std::collections::HashMap;

use ecow::EcoString;

use crate::topology::{
    Declared, Id, LinkState, List, Occupancy, Prefix, ResourceId, ResourceNode, Subnet, Topology,
    VirtualNetwork,
};

/// A topology's resources, found by address, and what lives where.
pub struct Moment<'a> {
    topology: &'a Topology,
    by_address: HashMap<(u32, &'a str), ResourceId>,
    occupancies: HashMap<ResourceId, Vec<&'a Occupancy>>,
    subnets: HashMap<String, Id<Subnet>>,
    networks: HashMap<String, Id<VirtualNetwork>>,
}

impl<'a> Moment<'a> {
    /// Over a model.
    pub fn new(topology: &'a Topology) -> Self {
        let by_address = topology
            .all::<ResourceNode>()
            .map(|(id, node)| ((node.key.root, node.key.address.as_str()), id))
            .collect();
        let mut occupancies: HashMap<ResourceId, Vec<&Occupancy>> = HashMap::new();
        for occupancy in &topology.occupancies {
            occupancies.entry(occupancy.resource).or_default().push(occupancy);
        }
        let path = |path: &Option<String>| path.as_ref().map(|path| path.to_ascii_lowercase());
        let subnets = topology
            .all::<Subnet>()
            .filter(|(_, part)| part.header.declared != Declared::Elsewhere)
            .filter_map(|(id, part)| Some((path(&part.header.resource_id)?, id)));
        let networks = topology
            .all::<VirtualNetwork>()
            .filter_map(|(id, part)| Some((path(&part.header.resource_id)?, id)));
        Self { topology, by_address, occupancies, subnets: subnets.collect(), networks: networks.collect() }
    }

    /// The model.
    pub fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// The resource at the address of another moment's.
    pub fn same(&self, resource: &ResourceNode) -> Option<ResourceId> {
        self.by_address.get(&(resource.key.root, resource.key.address.as_str())).copied()
    }

    /// The uses of subnets by a resource.
    pub fn occupancies(&self, resource: ResourceId) -> &[&'a Occupancy] {
        self.occupancies.get(&resource).map_or(&[], Vec::as_slice)
    }

    /// The subnets that a resource lives in, each with the use that says so.
    pub fn subnets_of(&self, resource: ResourceId) -> impl Iterator<Item = (&'a Occupancy, &'a Subnet)> {
        let topology = self.topology;
        self.occupancies(resource)
            .iter()
            .filter_map(move |occupancy| Some((*occupancy, &topology[occupancy.subnet.to()?])))
    }

    /// Whether a resource may live in a subnet that is not known.
    pub fn may_live_elsewhere(&self, resource: ResourceId) -> bool {
        self.occupancies(resource)
            .iter()
            .any(|occupancy| matches!(occupancy.subnet.state, LinkState::Unknown(_)))
    }

    /// The subnet of the same path as another moment's.
    pub fn subnet(&self, other: &Subnet) -> Option<&'a Subnet> {
        let id = self.subnets.get(&other.header.resource_id.as_ref()?.to_ascii_lowercase())?;
        Some(&self.topology[*id])
    }

    /// The network of the same path as another moment's.
    pub fn network(&self, other: &VirtualNetwork) -> Option<&'a VirtualNetwork> {
        let id = self.networks.get(&other.header.resource_id.as_ref()?.to_ascii_lowercase())?;
        Some(&self.topology[*id])
    }
}

/// Whether a subnet is written in its network's block.
pub fn is_inline(subnet: &Subnet) -> bool {
    subnet.header.declared == Declared::Inline
}

/// The known ranges of a list, for comparing and for messages.
pub fn range_texts(prefixes: &List<Prefix>) -> Vec<&str> {
    let mut texts: Vec<&str> = prefixes.known().map(|prefix| prefix.text.as_str()).collect();
    texts.sort_unstable();
    texts
}

/// The services that a subnet is delegated to, in lower case and in order.
pub fn services(subnet: &Subnet) -> Vec<EcoString> {
    let mut all: Vec<EcoString> =
        subnet.delegations.known().map(|delegation| delegation.service.to_lowercase()).collect();
    all.sort_unstable();
    all
}

/// Whether two paths, of two models, are certainly different: both are known and they differ.
pub fn differ(one: Option<&String>, other: Option<&String>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other))
}
