//! What a selection is asked about, and its answer.

use std::net::IpAddr;

use ecow::EcoString;
use ipnet::IpNet;

/// What is known of the routes of a subnet.
#[derive(Clone, Debug, Default)]
pub struct SubnetRoutes {
    /// The address space of the virtual network.
    pub address_space: Vec<IpNet>,
    /// Address spaces of peered networks.
    pub peered: Vec<IpNet>,
    /// Set when there may be peerings, or prefixes of peered networks, that are not known.
    pub peered_more: Option<EcoString>,
    /// Prefixes that a gateway advertises.
    pub learned: Vec<IpNet>,
    /// Set when a gateway may advertise prefixes that are not known.
    pub learned_more: Option<EcoString>,
    /// Whether learned routes reach the subnet; `None` if that is not known.
    pub propagation: Option<bool>,
    /// The routes of the subnet's table.
    pub user: Vec<UserRoute>,
    /// Set when the table may have more routes, or the subnet another table.
    pub user_more: Option<EcoString>,
    /// Service endpoints of the subnet, with their prefixes where these are known.
    pub service_endpoints: Vec<ServiceEndpoint>,
    /// Private endpoints in the network and its direct peers.
    pub private_endpoints: Vec<PrivateEndpoint>,
    /// Prefixes of service tags, where they are known. In documented spelling.
    pub known_tags: Vec<(EcoString, Vec<IpNet>)>,
}

/// A user-defined route.
#[derive(Clone, Debug)]
pub struct UserRoute {
    /// Its name.
    pub name: EcoString,
    /// The caller's number.
    pub index: usize,
    /// Where to.
    pub destination: RouteDestination,
    /// Where next.
    pub next_hop: NextHop,
}

/// The destination of a user-defined route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RouteDestination {
    /// A prefix.
    Prefix(IpNet),
    /// A service tag, in any case.
    Tag(EcoString),
    /// Not known, and why.
    Unknown(EcoString),
}

/// Where a route sends packets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NextHop {
    /// To the interface that has the address, in the network.
    VirtualNetwork,
    /// To a peered network.
    Peering,
    /// To the network's gateway.
    Gateway,
    /// To an appliance, firewall or internal load balancer; its address, where it is known.
    Appliance(Option<IpAddr>),
    /// To Azure's edge.
    Internet,
    /// To a service, by a service endpoint.
    ServiceEndpoint,
    /// To a private endpoint.
    PrivateEndpoint,
    /// Nowhere: dropped.
    None,
    /// Not known, and why.
    Unknown(EcoString),
}

/// A service endpoint of a subnet.
#[derive(Clone, Debug)]
pub struct ServiceEndpoint {
    /// Its service: `Microsoft.Storage`.
    pub service: EcoString,
    /// The service's prefixes; `None` if they are not known.
    pub prefixes: Option<Vec<IpNet>>,
}

/// A private endpoint.
#[derive(Clone, Debug)]
pub struct PrivateEndpoint {
    /// Its address.
    pub address: IpAddr,
    /// Whether its subnet's policies make user-defined routes apply to it; `None` if that is not known.
    pub route_policies: Option<bool>,
}

/// What a route comes from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RouteOrigin {
    /// A user-defined route, by the caller's number.
    User(usize),
    /// A gateway.
    Learned,
    /// The address space.
    VirtualNetwork,
    /// A peering.
    Peering,
    /// A service endpoint, by its service.
    ServiceEndpoint(EcoString),
    /// A private endpoint.
    PrivateEndpoint,
    /// The platform's default route.
    Default,
    /// The platform's routes that drop private space which is not in use.
    Reserved,
}

/// A route that applies.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EffectiveRoute {
    /// What it comes from.
    pub origin: RouteOrigin,
    /// Its prefix; `None` for a service tag whose prefixes are not known.
    pub prefix: Option<IpNet>,
    /// Where it leads.
    pub next_hop: NextHop,
}

/// Which route applies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selection {
    /// This one.
    Certain(EffectiveRoute),
    /// One of several, for these reasons.
    Undecided {
        /// The one that applies if what is not known is not there.
        likely: Option<EffectiveRoute>,
        /// Others that may apply, where they are known.
        others: Vec<EffectiveRoute>,
        /// What it depends on, sorted.
        causes: Vec<EcoString>,
    },
}

impl Selection {
    /// The route, if it is certain.
    pub fn certain(&self) -> Option<&EffectiveRoute> {
        match self {
            Selection::Certain(route) => Some(route),
            Selection::Undecided { .. } => None,
        }
    }

    /// Where packets go, if that is certain: also where several routes may apply that lead to the same place.
    pub fn next_hop(&self) -> Option<&NextHop> {
        match self {
            Selection::Certain(route) => Some(&route.next_hop),
            Selection::Undecided { .. } => None,
        }
        .filter(|hop| !matches!(hop, NextHop::Unknown(_)))
    }
}
