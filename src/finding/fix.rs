//! What a rule offers to change, in terms of the model. Nothing here says how a language writes it down.

use ecow::EcoString;

use crate::topology::{
    Access, Direction, Id, Peering, Place, PrivateDnsZone, PublicIp, ResourceId, SecurityGroup, Subnet,
    VirtualNetwork,
};

/// A change that does away with a finding and does only what the author meant already. What needs a choice of the
/// author's is advice, not a fix.
#[derive(Clone, PartialEq, Debug)]
pub struct Fix {
    /// What it does, one sentence in the imperative without a final full stop.
    pub title: String,
    /// The changes, which belong together: all or none.
    pub changes: Vec<Change>,
}

/// One change to the model.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A value that is given becomes another one.
    Replace {
        /// The value's place.
        place: Place,
        /// What is there.
        from: EcoString,
        /// What is to be there.
        to: EcoString,
    },
    /// A list that is given as one string becomes a list.
    Split {
        /// The value's place.
        place: Place,
        /// What is there.
        from: EcoString,
        /// What the list is to hold.
        to: Vec<EcoString>,
    },
    /// A property is no longer given.
    Remove {
        /// The property's place.
        place: Place,
    },
    /// A resource that is of no use is no longer there.
    Drop {
        /// The resource.
        resource: ResourceId,
    },
    /// A subnet is delegated.
    Delegate {
        /// The subnet.
        subnet: Id<Subnet>,
        /// To whom.
        service: EcoString,
    },
    /// A delegation is to another service.
    Redelegate {
        /// The delegation's place.
        delegation: Place,
        /// To whom it is.
        from: EcoString,
        /// To whom it is to be.
        to: EcoString,
    },
    /// A subnet gets a service endpoint.
    AddServiceEndpoint {
        /// The subnet.
        subnet: Id<Subnet>,
        /// The service.
        endpoint: EcoString,
    },
    /// A private DNS zone is linked to a network, without registration.
    Link {
        /// The zone.
        zone: Id<PrivateDnsZone>,
        /// The network.
        network: Id<VirtualNetwork>,
        /// What is to wait for the link.
        awaited_by: Option<ResourceId>,
    },
    /// A peering gets its other half.
    PeerBack {
        /// The half that there is.
        peering: Id<Peering>,
        /// Whether the other half offers its gateway.
        gateway_transit: bool,
    },
    /// A peering offers the gateway of its network.
    AllowGatewayTransit {
        /// The peering.
        peering: Id<Peering>,
    },
    /// A security group gets a rule.
    AddRule {
        /// The group.
        group: Id<SecurityGroup>,
        /// The rule.
        rule: NewRule,
    },
    /// A public address is Standard and static.
    MakeStandard {
        /// The address.
        address: Id<PublicIp>,
    },
    /// A resource waits for another one.
    Await {
        /// The resource that waits.
        resource: ResourceId,
        /// What is made before it.
        first: ResourceId,
    },
}

/// A rule that a security group gets. Its ends are prefixes, service tags or `*`.
#[derive(Clone, PartialEq, Debug)]
pub struct NewRule {
    /// Its name.
    pub name: EcoString,
    /// Its priority.
    pub priority: i64,
    /// Inbound or outbound.
    pub direction: Direction,
    /// Allow or deny.
    pub access: Access,
    /// `Tcp`, `Udp`, `*`.
    pub protocol: EcoString,
    /// From where.
    pub source: EcoString,
    /// To where.
    pub destination: EcoString,
    /// To which ports.
    pub ports: Vec<EcoString>,
}

impl Fix {
    /// A fix of one change.
    pub fn new(title: impl Into<String>, change: Change) -> Self {
        Self { title: title.into(), changes: vec![change] }
    }

    /// With another change that belongs to it.
    pub fn and(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }
}
