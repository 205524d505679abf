//! The parts of the model. Names are Azure's.

mod balancing;
mod compute;
mod dns;
mod gateway;
mod network;
mod public;
mod routing;
mod security;
mod service;

use std::marker::PhantomData;
use std::ops::Index;
use std::sync::Arc;

use ecow::EcoString;

use crate::resource::{Action, Language, Mode};
use crate::value::{ResourceKey, Unknown, Value};

use super::{Field, Place};

pub use balancing::*;
pub use compute::*;
pub use dns::*;
pub use gateway::*;
pub use network::*;
pub use public::*;
pub use routing::*;
pub use security::*;
pub use service::*;

/// A position in one of the lists of a [`Topology`].
#[derive(Debug)]
pub struct Id<T> {
    index: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// The id of the element at `index`.
    pub fn new(index: usize) -> Self {
        Self { index: index as u32, kind: PhantomData }
    }

    /// The position in its list.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}
impl<T> Eq for Id<T> {}
impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.index.cmp(&other.index)
    }
}

/// A resource of the input.
pub type ResourceId = Id<ResourceNode>;

/// Any resource of the input, whether or not the model has a part of its own for it.
#[derive(Clone, Debug)]
pub struct ResourceNode {
    /// Root and address.
    pub key: ResourceKey,
    /// The language of its root; for messages, and to tell what is not checked here.
    pub language: Language,
    /// The ARM type in its usual spelling (`Microsoft.Storage/storageAccounts`); `None` for a type that Portolan does not know.
    pub arm_type: Option<EcoString>,
    /// The type as its author wrote it (`azurerm_storage_account`).
    pub written_type: EcoString,
    /// Made here, or only looked up.
    pub mode: Mode,
    /// Set when it may not exist at all (unknown `count`, `condition` …), with the reason.
    pub uncertain: Option<Arc<Unknown>>,
    /// Its name in Azure (the last segment).
    pub name: Field<EcoString>,
    /// Its resource group's name.
    pub resource_group: Field<EcoString>,
    /// Its region, normalised (`westeurope`).
    pub location: Field<EcoString>,
    /// The ARM path as far as known: `Microsoft.Network/virtualNetworks/subnets/vnet-hub/db`; `None` where no name is known.
    pub resource_id: Option<String>,
    /// The resources that the deployment engine makes before it, direct ones only.
    pub dependencies: Vec<ResourceId>,
    /// Set when it is handed to something whose resources cannot be seen (a module that is not on disk), with the
    /// reason: a companion that is missing here may be made there.
    pub unseen: Option<Arc<Unknown>>,
    /// What the plan does with it.
    pub action: Option<Action>,
    /// Why the plan destroys it: the rest of a sentence that begins with "because".
    pub because: Option<&'static str>,
    /// The arguments whose change makes the plan destroy it and make it again.
    pub replaced_for: Vec<EcoString>,
    /// Its header.
    pub place: Place,
    /// Its arguments, for properties that the model does not name; read them through [`Topology::property`].
    pub body: Value,
}

impl ResourceNode {
    /// Whether it is known from a topology that another repository wrote: it exists, and is not checked here.
    pub fn is_context(&self) -> bool {
        self.language == Language::Topology
    }
}

/// What every part of the model has.
#[derive(Clone, Debug)]
pub struct Header {
    /// The resource it stands in (its own, or its parent's when it is written inline).
    pub resource: ResourceId,
    /// Where it stands: its own header, or the inline block.
    pub place: Place,
    /// Its name in Azure.
    pub name: Field<EcoString>,
    /// How it came into the model.
    pub declared: Declared,
    /// Set when it may not exist at all, with the reason.
    pub uncertain: Option<Arc<Unknown>>,
    /// The ARM path as far as known: `Microsoft.Network/virtualNetworks/subnets/vnet-hub/db`.
    pub resource_id: Option<String>,
}

impl Header {
    /// Whether it is declared in the input as something to be made (own resource or inline), so that what is not said
    /// about it is known to be absent.
    pub fn is_managed(&self) -> bool {
        matches!(self.declared, Declared::Separate | Declared::Inline)
    }

    /// Whether it certainly exists after deployment.
    pub fn is_certain(&self) -> bool {
        self.uncertain.is_none()
    }
}

/// How a part of the model was declared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Declared {
    /// As a resource of its own.
    Separate,
    /// Inside its parent.
    Inline,
    /// Looked up: a data source, an `existing` resource.
    LookedUp,
    /// Only named, by a literal id or a name, and declared nowhere in the input.
    Elsewhere,
}

macro_rules! topology {
    ($($(#[$meta:meta])* $list:ident: $part:ty,)*) => {
        /// The model of everything in the input. Lists are in a stable order; ids are positions in them.
        #[derive(Debug, Default)]
        pub struct Topology {
            $($(#[$meta])* pub $list: Vec<$part>,)*
        }

        $(impl Index<Id<$part>> for Topology {
            type Output = $part;
            fn index(&self, id: Id<$part>) -> &$part {
                // Ids are made by the builder for elements that it has pushed; they are never taken from elsewhere.
                &self.$list[id.index()]
            }
        }

        impl Listed for $part {
            fn list(topology: &Topology) -> &[Self] {
                &topology.$list
            }
        })*
    };
}

/// Parts that have a list in the [`Topology`].
pub trait Listed: Sized {
    /// The list.
    fn list(topology: &Topology) -> &[Self];
}

topology! {
    /// Every resource of the input.
    resources: ResourceNode,
    /// Virtual networks.
    virtual_networks: VirtualNetwork,
    /// Subnets, inline and separate.
    subnets: Subnet,
    /// Network security groups.
    security_groups: SecurityGroup,
    /// Application security groups.
    application_security_groups: ApplicationSecurityGroup,
    /// Route tables.
    route_tables: RouteTable,
    /// Peerings: one entry a direction.
    peerings: Peering,
    /// Hubs of Virtual WANs.
    virtual_hubs: VirtualHub,
    /// Connections of networks with such hubs.
    hub_connections: HubConnection,
    /// Private DNS zones.
    private_dns_zones: PrivateDnsZone,
    /// Links of private DNS zones to networks.
    zone_links: ZoneLink,
    /// Record sets of private DNS zones.
    zone_records: ZoneRecord,
    /// DNS private resolvers with their endpoints.
    dns_resolvers: DnsResolver,
    /// Links of DNS forwarding rule sets to networks, and what they forward.
    forwarding_rule_sets: ForwardingRuleSet,
    /// Private endpoints.
    private_endpoints: PrivateEndpoint,
    /// Private link services.
    private_link_services: PrivateLinkService,
    /// Network interfaces.
    network_interfaces: NetworkInterface,
    /// Virtual machines.
    virtual_machines: VirtualMachine,
    /// Virtual machine scale sets.
    scale_sets: ScaleSet,
    /// Public addresses.
    public_ips: PublicIp,
    /// Public addresses of what the model has no part for.
    address_uses: AddressUse,
    /// NAT gateways.
    nat_gateways: NatGateway,
    /// VPN and ExpressRoute gateways.
    virtual_network_gateways: VirtualNetworkGateway,
    /// Bastion hosts.
    bastions: Bastion,
    /// Azure Firewalls.
    firewalls: Firewall,
    /// Load balancers.
    load_balancers: LoadBalancer,
    /// Application gateways.
    application_gateways: ApplicationGateway,
    /// Every use of a subnet by something that puts addresses or instances into it.
    occupancies: Occupancy,
    /// Network rules of resources that admit subnets.
    admissions: Admission,
    /// Public endpoints of resources that are made here.
    public_endpoints: PublicEndpoint,
    /// Rules of databases' firewalls.
    firewall_rules: FirewallRule,
    /// PostgreSQL and MySQL flexible servers.
    flexible_servers: FlexibleServer,
    /// AKS clusters.
    kubernetes_clusters: KubernetesCluster,
}

impl Topology {
    /// Why companions of a part (a link, a peering, an association) may exist that cannot be seen; `None` when what is
    /// not here does not exist as far as this input goes.
    pub fn unseen(&self, header: &Header) -> Option<&Arc<Unknown>> {
        self[header.resource].unseen.as_ref()
    }

    /// All parts of a kind with their ids.
    pub fn all<T: Listed + 'static>(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        T::list(self).iter().enumerate().map(|(index, part)| (Id::new(index), part))
    }
}
