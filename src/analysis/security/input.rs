//! What an evaluation is asked about: groups and rules, the network around them, and a flow.

use std::collections::BTreeMap;

use ecow::EcoString;

use crate::net::{AddressSet, PortSet, ProtocolSet, parse_prefix};

/// Why something is not known.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cause {
    /// For a reader: `var.allowed_sources has no value`.
    pub text: EcoString,
    /// Names the unknown value: where the same name stands, the same value will stand. Without a name, every place has a
    /// value of its own.
    pub identity: Option<EcoString>,
}

impl Cause {
    /// A cause in words.
    pub fn new(text: impl Into<EcoString>) -> Self {
        Self { text: text.into(), identity: None }
    }

    /// The same with the identity of the unknown value.
    pub fn identified(mut self, identity: impl Into<EcoString>) -> Self {
        self.identity = Some(identity.into());
        self
    }
}

/// A field that is known, or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Setting<T> {
    /// This.
    Known(T),
    /// Some value, not known which.
    Unknown(Cause),
}

impl<T> Setting<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Setting::Known(value) => Some(value),
            Setting::Unknown(_) => None,
        }
    }
}

/// Whether packets come to, or leave, the machine that the groups guard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// They come.
    Inbound,
    /// They leave.
    Outbound,
}

impl Direction {
    /// Reads `Inbound` or `Outbound` without regard to case.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
        all.into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text.trim()))
            .map(|(_, direction)| direction)
    }
}

/// What a rule does with packets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// Lets them pass. In a security admin rule: hands them on to the groups.
    Allow,
    /// Drops them without an answer.
    Deny,
    /// Lets them pass without asking the groups; in security admin rules only.
    AlwaysAllow,
}

impl Access {
    /// Reads `Allow`, `Deny` or `AlwaysAllow` without regard to case.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [("allow", Access::Allow), ("deny", Access::Deny), ("alwaysallow", Access::AlwaysAllow)];
        all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, access)| access)
    }
}

/// Some of the packets' sources or destinations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selector {
    /// All.
    Any,
    /// Those with these addresses.
    Addresses(AddressSet),
    /// Those of a service tag, with or without region, in any case.
    Tag(EcoString),
    /// The members of an application security group, by its identity.
    Group(EcoString),
    /// Some, not known which.
    Unknown(Cause),
}

impl Selector {
    /// Reads what may stand in an address field: `*` (or the portal's `Any`), an address, a prefix, else a tag's name.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text == "*" || text.eq_ignore_ascii_case("any") {
            return Selector::Any;
        }
        match parse_prefix(text) {
            Some(prefix) => Selector::Addresses(AddressSet::from_prefixes([prefix])),
            None => Selector::Tag(text.into()),
        }
    }
}

/// The ports of one side of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ports {
    /// Those that are certain.
    pub known: PortSet,
    /// Set when there may be more.
    pub unknown: Option<Cause>,
}

impl Ports {
    /// These and no more.
    pub fn exactly(known: PortSet) -> Self {
        Self { known, unknown: None }
    }

    /// Every port.
    pub fn any() -> Self {
        Self::exactly(PortSet::full())
    }
}

/// A rule of a group.
#[derive(Clone, Debug)]
pub struct SecurityRule {
    /// Its name.
    pub name: EcoString,
    /// The caller's number for it.
    pub index: usize,
    /// Set when it may turn out not to exist.
    pub uncertain: Option<Cause>,
    /// Lower numbers come first.
    pub priority: Setting<u32>,
    /// Whose packets it is for.
    pub direction: Setting<Direction>,
    /// What it does with them.
    pub access: Setting<Access>,
    /// Protocols that it matches.
    pub protocols: Setting<ProtocolSet>,
    /// Sources that it matches: any of these.
    pub source: Vec<Selector>,
    /// Source ports that it matches.
    pub source_ports: Ports,
    /// Destinations that it matches: any of these.
    pub destination: Vec<Selector>,
    /// Destination ports that it matches.
    pub destination_ports: Ports,
}

impl SecurityRule {
    /// A rule that matches every packet of its direction.
    pub fn new(
        name: impl Into<EcoString>,
        index: usize,
        priority: u32,
        direction: Direction,
        access: Access,
    ) -> Self {
        Self {
            name: name.into(),
            index,
            uncertain: None,
            priority: Setting::Known(priority),
            direction: Setting::Known(direction),
            access: Setting::Known(access),
            protocols: Setting::Known(ProtocolSet::FULL),
            source: vec![Selector::Any],
            source_ports: Ports::any(),
            destination: vec![Selector::Any],
            destination_ports: Ports::any(),
        }
    }
}

/// A network security group. The default rules are added by the evaluation.
#[derive(Clone, Debug, Default)]
pub struct SecurityGroup {
    /// Names it: the same group at two levels has the same unknowns.
    pub identity: EcoString,
    /// Its rules, in any order.
    pub rules: Vec<SecurityRule>,
    /// Set when it may have more rules than these.
    pub more_rules: Option<Cause>,
}

/// What guards one level.
#[derive(Clone, Debug, Default)]
pub enum Layer<'a> {
    /// No group: the level filters nothing.
    #[default]
    Absent,
    /// This group.
    Group(&'a SecurityGroup),
    /// This group or none.
    Maybe(&'a SecurityGroup, Cause),
    /// Not known: none or any.
    Unknown(Cause),
}

/// The two levels at which packets are filtered.
#[derive(Clone, Debug, Default)]
pub struct Layers<'a> {
    /// The subnet's group.
    pub subnet: Layer<'a>,
    /// The network interface's group.
    pub nic: Layer<'a>,
}

impl<'a> Layers<'a> {
    /// A subnet with a group, and nothing on interfaces.
    pub fn subnet(group: &'a SecurityGroup) -> Self {
        Self { subnet: Layer::Group(group), nic: Layer::Absent }
    }
}

/// The network around a machine: what tags and groups in rules mean here.
#[derive(Clone, Debug)]
pub struct Network {
    /// The address space of the virtual network.
    pub address_space: AddressSet,
    /// The address spaces of peered networks that the peering counts as part of `VirtualNetwork`.
    pub peered: AddressSet,
    /// Prefixes that a gateway leads to.
    pub on_premises: AddressSet,
    /// Destination prefixes of user-defined routes of the subnet. With the default route among them it is not certain what
    /// `VirtualNetwork` holds.
    pub routed: AddressSet,
    /// Assume that a default route among [`Network::routed`] puts every address into `VirtualNetwork`, as the documentation
    /// says it might.
    pub assume_default_route: bool,
    /// Set when `VirtualNetwork` may hold more than the above: a peering, gateway or route table that is not known.
    pub more: Option<Cause>,
    /// Addresses of service tags, where they are known. In documented spelling.
    pub known_tags: BTreeMap<EcoString, AddressSet>,
    /// What is known of application security groups, by identity.
    pub groups: BTreeMap<EcoString, GroupMembers>,
    /// Security admin rules of a network manager; they come before the groups.
    pub admin_rules: Vec<SecurityRule>,
}

impl Network {
    /// A network with an address space and nothing connected to it.
    pub fn new(address_space: AddressSet) -> Self {
        Self {
            address_space,
            peered: AddressSet::empty(),
            on_premises: AddressSet::empty(),
            routed: AddressSet::empty(),
            assume_default_route: false,
            more: None,
            known_tags: BTreeMap::new(),
            groups: BTreeMap::new(),
            admin_rules: Vec::new(),
        }
    }
}

/// Members of an application security group.
#[derive(Clone, Debug)]
pub struct GroupMembers {
    /// Addresses that certainly belong to members.
    pub addresses: AddressSet,
    /// Whether no other address does.
    pub complete: bool,
}

/// One end of a flow.
#[derive(Clone, Debug)]
pub struct Party {
    /// Any of these.
    pub selectors: Vec<Selector>,
    /// Of which application security groups its interfaces are members.
    pub groups: Membership,
}

/// Of which application security groups something is a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Membership {
    /// Only what the addresses of [`Network::groups`] tell.
    ByAddress,
    /// Exactly of these; of none for services that have no interface of the user's.
    Exactly(Vec<EcoString>),
}

impl Party {
    /// Anything that a selector stands for.
    pub fn new(selector: Selector) -> Self {
        Self { selectors: vec![selector], groups: Membership::ByAddress }
    }

    /// Everything at these addresses.
    pub fn addresses(addresses: AddressSet) -> Self {
        Self::new(Selector::Addresses(addresses))
    }

    /// A service tag.
    pub fn tag(name: impl Into<EcoString>) -> Self {
        Self::new(Selector::Tag(name.into()))
    }

    /// The same, being a member of exactly these application security groups.
    pub fn member_of(mut self, groups: impl IntoIterator<Item = EcoString>) -> Self {
        self.groups = Membership::Exactly(groups.into_iter().collect());
        self
    }
}

/// A question: may these packets pass?
#[derive(Clone, Debug)]
pub struct Flow {
    /// Whether they come or leave.
    pub direction: Direction,
    /// From where. Behind a load balancer, the client itself; behind a proxy, the proxy.
    pub source: Party,
    /// To where: inbound always the private address.
    pub destination: Party,
    /// With which protocols.
    pub protocols: ProtocolSet,
    /// From which ports.
    pub source_ports: PortSet,
    /// To which ports: those of the machine, not of a load balancer before it.
    pub destination_ports: PortSet,
    /// Whether they answer packets that were let through.
    pub established: bool,
    /// The kind of public address through which they come in, if through one.
    pub entry: Option<PublicEntry>,
    /// Set when the destination is a private endpoint: whether its subnet's policies make security groups apply to it.
    pub private_endpoint: Option<Setting<bool>>,
}

impl Flow {
    /// New packets of every protocol and port.
    pub fn new(direction: Direction, source: Party, destination: Party) -> Self {
        Self {
            direction,
            source,
            destination,
            protocols: ProtocolSet::FULL,
            source_ports: PortSet::full(),
            destination_ports: PortSet::full(),
            established: false,
            entry: None,
            private_endpoint: None,
        }
    }

    /// The same for some protocols and destination ports only.
    pub fn to_ports(mut self, protocols: ProtocolSet, ports: PortSet) -> Self {
        self.protocols = protocols;
        self.destination_ports = ports;
        self
    }
}

/// Through what packets from the Internet come in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PublicEntry {
    /// A Basic address or load balancer: open unless a group closes it.
    Basic,
    /// A Standard address or load balancer: closed unless a group opens it.
    Standard,
}
