//! Interfaces of machines, and what guards them: the groups of their subnet and of the interface itself.

use std::sync::{Arc, OnceLock};

use super::filters;
use super::security::input::{self, Cause, Direction, Flow, Layer, Layers, Membership, Network, Party};
use super::security::{self, Outcome, RuleRef, Stage};
use crate::net::{AddressSet, TooComplex};
use crate::topology::{
    ApplicationSecurityGroup, Field, Header, Id, IpConfiguration, Link, NetworkInterface, ScaleSet,
    SecurityGroup, SecurityRule, Subnet, Topology,
};
use crate::value::Unknown;

/// A network interface, or the interface that each machine of a scale set gets.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    /// Who and where: the interface, or the template.
    pub header: &'a Header,
    /// The interface or the scale set: what a reader knows it by.
    pub owner: &'a Header,
    /// Its addresses.
    pub ip_configurations: &'a [IpConfiguration],
    /// Its network security group.
    pub security_group: &'a Link<SecurityGroup>,
    /// Its application security groups.
    pub groups: &'a [Link<ApplicationSecurityGroup>],
    /// Set when it may be in more of them.
    pub more_groups: Option<&'a Arc<Unknown>>,
    /// Whether it passes on packets that are not for it.
    pub ip_forwarding: &'a Field<bool>,
}

impl<'a> Host<'a> {
    /// The host that is an interface.
    pub fn interface(topology: &'a Topology, id: Id<NetworkInterface>) -> Self {
        let part = &topology[id];
        Self {
            header: &part.header,
            owner: &part.header,
            ip_configurations: &part.ip_configurations,
            security_group: &part.security_group,
            groups: &part.application_security_groups,
            more_groups: part.more_groups.as_ref(),
            ip_forwarding: &part.ip_forwarding,
        }
    }

    /// The hosts that the machines of a scale set are: one for each interface that they have.
    pub fn scale_set(topology: &'a Topology, id: Id<ScaleSet>) -> impl Iterator<Item = Self> {
        let set = &topology[id];
        set.interfaces.iter().map(|part| Self {
            header: &part.header,
            owner: &set.header,
            ip_configurations: &part.ip_configurations,
            security_group: &part.security_group,
            groups: &part.application_security_groups,
            more_groups: None,
            ip_forwarding: &part.ip_forwarding,
        })
    }

    /// The address that names no other: the first that lies in a subnet.
    pub fn first_configuration(&self) -> Option<&'a IpConfiguration> {
        self.ip_configurations.iter().find(|configuration| configuration.subnet.to().is_some())
    }
}

/// All interfaces and templates of the input, in the order of the model.
pub fn all(topology: &Topology) -> Vec<Host<'_>> {
    let interfaces = topology.all::<NetworkInterface>().map(|(id, _)| Host::interface(topology, id));
    let templates = topology.all::<ScaleSet>().flat_map(|(id, _)| Host::scale_set(topology, id));
    interfaces.chain(templates).collect()
}

/// One level of filtering, as far as it is known.
#[derive(Clone, Debug)]
pub enum Level {
    /// Certainly no group.
    Absent,
    /// This group.
    Group(Id<SecurityGroup>, Arc<input::SecurityGroup>),
    /// Not known.
    Unknown(Cause),
}

impl Level {
    /// The group, if there is one and it is known.
    pub fn group(&self) -> Option<Id<SecurityGroup>> {
        match self {
            Level::Group(id, _) => Some(*id),
            Level::Absent | Level::Unknown(_) => None,
        }
    }

    /// Whether there certainly is no group.
    pub fn is_absent(&self) -> bool {
        matches!(self, Level::Absent)
    }

    /// As the evaluation takes it.
    pub fn layer(&self) -> Layer<'_> {
        match self {
            Level::Absent => Layer::Absent,
            Level::Group(_, group) => Layer::Group(group),
            Level::Unknown(cause) => Layer::Unknown(cause.clone()),
        }
    }
}

/// What guards one address of a host.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The subnet.
    pub subnet: Id<Subnet>,
    /// The subnet's group.
    pub at_subnet: Level,
    /// The interface's group.
    pub at_interface: Level,
    /// What tags mean there.
    pub network: Arc<Network>,
    own: Party,
}

impl Guard {
    /// The host itself, as one end of a flow.
    pub fn own(&self) -> Party {
        self.own.clone()
    }

    /// A flow to the host.
    pub fn inbound(&self, from: Party) -> Flow {
        Flow::new(Direction::Inbound, from, self.own())
    }

    /// Both levels.
    pub fn layers(&self) -> Layers<'_> {
        Layers { subnet: self.at_subnet.layer(), nic: self.at_interface.layer() }
    }

    /// Whether a flow passes both levels.
    ///
    /// # Errors
    /// [`TooComplex`] when the rules are too many and too entangled to be evaluated exactly.
    pub fn evaluate(&self, flow: &Flow) -> Result<Outcome, TooComplex> {
        security::evaluate(flow, &self.layers(), &self.network)
    }

    /// The group that is asked at a stage.
    pub fn group_at(&self, stage: Stage) -> Option<Id<SecurityGroup>> {
        match stage {
            Stage::Subnet => self.at_subnet.group(),
            Stage::Nic => self.at_interface.group(),
            _ => None,
        }
    }

    /// The rule of the topology that decided at a stage; `None` for a default rule.
    pub fn rule_at<'t>(
        &self,
        topology: &'t Topology,
        stage: Stage,
        rule: Option<&RuleRef>,
    ) -> Option<&'t SecurityRule> {
        filters::rule_of(&topology[self.group_at(stage)?], rule?)
    }
}

/// What guards hosts. Reads each group and network once, when it is first asked for, for all who ask.
pub struct Guards<'a> {
    topology: &'a Topology,
    groups: Vec<OnceLock<Arc<input::SecurityGroup>>>,
    /// What tags mean in a network, for subnets without routes of their own.
    networks: Vec<OnceLock<Arc<Network>>>,
    /// What they mean in a subnet.
    subnets: Vec<OnceLock<Arc<Network>>>,
}

impl<'a> Guards<'a> {
    /// For the hosts of a topology.
    pub fn new(topology: &'a Topology) -> Self {
        Self {
            topology,
            groups: unread(topology.security_groups.len()),
            networks: unread(topology.virtual_networks.len()),
            subnets: unread(topology.subnets.len()),
        }
    }

    /// What guards an address of a host; `None` where its subnet or network is not known.
    pub fn of(&self, host: &Host<'_>, configuration: &IpConfiguration) -> Option<Guard> {
        let subnet = configuration.subnet.to()?;
        let at_subnet = self.at_subnet(subnet);
        let at_interface = self.level(host.header, host.security_group);
        let network = self.network(subnet)?;
        let own = self.party(host, configuration, subnet);
        Some(Guard { subnet, at_subnet, at_interface, network, own })
    }

    /// The group of a subnet.
    pub fn at_subnet(&self, subnet: Id<Subnet>) -> Level {
        let part = &self.topology[subnet];
        self.level(&part.header, &part.security_group)
    }

    /// What tags mean in a subnet; `None` where its network is not known.
    pub fn network(&self, subnet: Id<Subnet>) -> Option<Arc<Network>> {
        let part = &self.topology[subnet];
        let network = part.network.to()?;
        let read = || {
            let all = || Arc::new(filters::network(self.topology, network));
            let all = self.networks[network.index()].get_or_init(all);
            filters::with_routes(self.topology, all, part).map_or_else(|| Arc::clone(all), Arc::new)
        };
        Some(Arc::clone(self.subnets[subnet.index()].get_or_init(read)))
    }

    /// A group as the evaluation takes it.
    pub fn group(&self, id: Id<SecurityGroup>) -> Arc<input::SecurityGroup> {
        let read = || Arc::new(filters::group(self.topology, id));
        Arc::clone(self.groups[id.index()].get_or_init(read))
    }

    fn level(&self, header: &Header, link: &Link<SecurityGroup>) -> Level {
        if let Some(id) = link.to() {
            return Level::Group(id, self.group(id));
        }
        let unknown = link.unknown().or_else(|| self.topology.unseen(header));
        match unknown {
            Some(unknown) => Level::Unknown(filters::cause(unknown)),
            None if header.is_managed() => Level::Absent,
            None => Level::Unknown(Cause::new("the group of something that is only looked up")),
        }
    }

    fn party(&self, host: &Host<'_>, configuration: &IpConfiguration, subnet: Id<Subnet>) -> Party {
        let address = configuration.private_address.known().and_then(|text| text.parse().ok());
        let (ranges, unknown) = filters::addresses(&self.topology[subnet].prefixes);
        let party = match (address, unknown) {
            (Some(address), _) => Party::addresses(AddressSet::single(address)),
            (None, None) => Party::addresses(ranges),
            (None, Some(cause)) => Party::new(input::Selector::Unknown(cause)),
        };
        let known = host.more_groups.is_none()
            && host.header.is_managed()
            && self.topology.unseen(host.header).is_none()
            && host.groups.iter().all(|group| group.to().is_some());
        if known {
            party.member_of(host.groups.iter().filter_map(Link::to).map(filters::group_identity))
        } else {
            Party { groups: Membership::ByAddress, ..party }
        }
    }
}

fn unread<T>(count: usize) -> Vec<OnceLock<T>> {
    (0..count).map(|_| OnceLock::new()).collect()
}
