//! The effective routes of the subnets of a topology.

use std::net::IpAddr;
use std::sync::Arc;

use ecow::{EcoString, eco_format};

use super::{Announcer, Reach, looked_up, ranges};
use crate::analysis::routes::{
    NextHop, RouteDestination, Selection, ServiceEndpoint, SubnetRoutes, UserRoute,
};
use crate::net::parse_prefix;
use crate::topology::{Field, Id, Route, RouteTable, State, Subnet, Topology, VirtualNetwork};

/// The subnet of a network's gateways.
const GATEWAY_SUBNET: &str = "GatewaySubnet";

/// The subnet of a network's route server.
const ROUTE_SERVER_SUBNET: &str = "RouteServerSubnet";

impl Reach<'_> {
    /// The effective routes of a subnet. [`super::super::routes::RouteOrigin::User`] is the position in its table.
    pub fn routes(&self, subnet: Id<Subnet>) -> &SubnetRoutes {
        // One cell for each subnet.
        self.routes[subnet.index()].get_or_init(|| Arc::new(self.effective(subnet)))
    }

    /// The route of a subnet's table that an effective route comes from.
    pub fn user_route(&self, subnet: Id<Subnet>, index: usize) -> Option<&Route> {
        let table = self.topology[subnet].route_table.to()?;
        self.topology[table].routes.items.get(index)?.known()
    }

    /// The route for what no other route of the subnet names: the Internet at large.
    pub fn default_route(&self, subnet: Id<Subnet>) -> Selection {
        self.routes(subnet).select_default()
    }

    fn effective(&self, id: Id<Subnet>) -> SubnetRoutes {
        let topology = self.topology;
        let subnet = &topology[id];
        let mut routes = SubnetRoutes { propagation: Some(true), ..SubnetRoutes::default() };
        if let Some(network) = subnet.network.to() {
            self.around(network, &mut routes);
        } else {
            let why = subnet.network.unknown().map_or("the network of the subnet is not known".into(), text);
            routes.peered_more = Some(why.clone());
            routes.learned_more = Some(why);
        }
        routes.user_more = match (subnet.route_table.to(), subnet.route_table.unknown()) {
            (Some(table), _) => self.table(table, &mut routes),
            (None, Some(why)) => Some(text(why)),
            (None, None) if !subnet.header.is_managed() => Some(text(&looked_up(topology, &subnet.header))),
            (None, None) => topology.unseen(&subnet.header).map(text),
        };
        routes.service_endpoints = subnet
            .service_endpoints
            .known()
            .map(|service| ServiceEndpoint { service: service.clone(), prefixes: None })
            .collect();
        routes
    }

    /// What the network itself, its peerings and its gateways give.
    fn around(&self, network: Id<VirtualNetwork>, routes: &mut SubnetRoutes) {
        let topology = self.topology;
        let facts = &self.networks[network.index()];
        routes.address_space = ranges(&topology[network].address_space).collect();
        let mut more = topology[network].address_space.unknown().map(text);
        for (peer, doubt) in &facts.peers {
            let space = &topology[*peer].address_space;
            routes.peered.extend(ranges(space));
            more = more.or_else(|| doubt.as_ref().or(space.unknown()).map(text));
        }
        routes.peered_more = more.or_else(|| facts.more_peers.as_ref().map(text));
        routes.learned.clone_from(&facts.learned);
        routes.learned_more = facts.announcer.map(|announcer| announcer.cause().into());
    }

    /// Adds the routes of a table; why there may be more.
    fn table(&self, id: Id<RouteTable>, routes: &mut SubnetRoutes) -> Option<EcoString> {
        let topology = self.topology;
        let table = &topology[id];
        routes.propagation = match &table.bgp_route_propagation.state {
            State::Known(on) => Some(*on),
            State::Absent => Some(true),
            State::Unknown(_) => None,
        };
        let mut more = table.routes.rest.as_ref().map(text);
        for (index, field) in table.routes.items.iter().enumerate() {
            match (field.known(), field.unknown()) {
                (Some(route), _) => {
                    more = more.or_else(|| route.header.uncertain.as_ref().map(text));
                    routes.user.push(user_route(index, route));
                }
                (None, Some(why)) => more = more.or_else(|| Some(text(why))),
                (None, None) => {}
            }
        }
        more.or_else(|| table.header.uncertain.as_ref().map(text))
            .or_else(|| topology.unseen(&table.header).map(text))
            .or_else(|| (!table.header.is_managed()).then(|| text(&looked_up(topology, &table.header))))
    }

    pub(super) fn arrange_gateways(&mut self) {
        let topology = self.topology;
        for (id, network) in topology.all::<VirtualNetwork>() {
            let has = |network: &VirtualNetwork, wanted: &str| {
                network.subnets.iter().any(|subnet| {
                    let name = topology[*subnet].header.name.known();
                    name.is_some_and(|name| name.eq_ignore_ascii_case(wanted))
                })
            };
            let mut remote = network
                .peerings
                .iter()
                .map(|id| &topology[*id])
                .filter(|half| half.use_remote_gateways.may_be(&true));
            // A gateway that is not seen may be a route server.
            let served = |half: &crate::topology::Peering| {
                half.remote.to().map(|id| &topology[id]).is_none_or(|remote| {
                    !remote.header.is_managed()
                        || topology.unseen(&remote.header).is_some()
                        || has(remote, ROUTE_SERVER_SUBNET)
                })
            };
            let unseen = !network.header.is_managed() || topology.unseen(&network.header).is_some();
            let remotes = remote.clone().count();
            self.networks[id.index()].announcer =
                if unseen || has(network, ROUTE_SERVER_SUBNET) || remote.any(served) {
                    Some(Announcer::Hub)
                } else if remotes > 0 || has(network, GATEWAY_SUBNET) {
                    Some(Announcer::Gateway)
                } else {
                    None
                };
        }
        self.virtual_hubs();
        self.local_networks();
    }

    /// Networks that a virtual hub is connected with learn its routes.
    fn virtual_hubs(&mut self) {
        let topology = self.topology;
        let owners = networks_of_resources(topology);
        for resource in topology.resources.iter().filter(|resource| {
            is_type(resource.arm_type.as_deref(), "Microsoft.Network/virtualHubs/hubVirtualNetworkConnections")
                // Network managers connect networks in ways that no peering shows.
                || is_type(resource.arm_type.as_deref(), "Microsoft.Network/networkManagers/connectivityConfigurations")
        }) {
            let connected: Vec<_> =
                resource.dependencies.iter().filter_map(|id| owners.get(id)).flatten().copied().collect();
            let all = connected.is_empty();
            for (index, facts) in self.networks.iter_mut().enumerate() {
                if all || connected.contains(&Id::new(index)) {
                    facts.announcer = Some(Announcer::Hub);
                }
            }
        }
    }

    /// Prefixes of local network gateways whose connection names a gateway of the topology.
    fn local_networks(&mut self) {
        let topology = self.topology;
        let is_connection = |kind: Option<&str>| is_type(kind, "Microsoft.Network/connections");
        for connection in topology.resources.iter().filter(|one| is_connection(one.arm_type.as_deref())) {
            let mut prefixes = Vec::new();
            for id in &connection.dependencies {
                let end = &topology[*id];
                if !is_type(end.arm_type.as_deref(), "Microsoft.Network/localNetworkGateways") {
                    continue;
                }
                let values =
                    end.values(&["address_space"], &["properties.localNetworkAddressSpace.addressPrefixes"]);
                prefixes.extend(values.found.iter().filter_map(|(value, _)| parse_prefix(value.as_str()?)));
            }
            let gateways = topology
                .virtual_network_gateways
                .iter()
                .filter(|gateway| connection.dependencies.contains(&gateway.header.resource))
                .flat_map(|gateway| &gateway.ip_configurations);
            let networks: Vec<_> =
                gateways.filter_map(|configuration| self.network_of(configuration.subnet.to()?)).collect();
            for network in networks {
                let learned = &mut self.networks[network.index()].learned;
                learned.extend(prefixes.iter().map(|prefix| prefix.trunc()));
                learned.sort_unstable();
                learned.dedup();
            }
        }
        // Peers that use the gateway learn the same.
        let mut shared = Vec::new();
        for (id, network) in topology.all::<VirtualNetwork>() {
            for peering in network.peerings.iter().map(|id| &topology[*id]) {
                if let (Some(remote), true) = (peering.remote.to(), peering.use_remote_gateways.is(&true)) {
                    shared.push((id, remote));
                }
            }
        }
        for (network, remote) in shared {
            let learned = self.networks[remote.index()].learned.clone();
            self.networks[network.index()].learned.extend(learned);
        }
    }
}

/// The networks that a resource declares.
fn networks_of_resources(
    topology: &Topology,
) -> std::collections::HashMap<crate::topology::ResourceId, Vec<Id<VirtualNetwork>>> {
    let mut owners = std::collections::HashMap::<_, Vec<_>>::new();
    for (id, network) in topology.all::<VirtualNetwork>() {
        owners.entry(network.header.resource).or_default().push(id);
    }
    owners
}

fn is_type(own: Option<&str>, wanted: &str) -> bool {
    own.is_some_and(|own| own.eq_ignore_ascii_case(wanted))
}

fn user_route(index: usize, route: &Route) -> UserRoute {
    let destination = match &route.address_prefix.state {
        State::Known(prefix) => match parse_prefix(prefix) {
            Some(net) => RouteDestination::Prefix(net.trunc()),
            None => RouteDestination::Tag(prefix.clone()),
        },
        State::Unknown(why) => RouteDestination::Unknown(text(why)),
        State::Absent => RouteDestination::Unknown("the route has no prefix".into()),
    };
    let name = route.header.name.known().cloned().unwrap_or_else(|| "?".into());
    UserRoute { name, index, destination, next_hop: next_hop(&route.next_hop_type, &route.next_hop_address) }
}

fn next_hop(kind: &Field<EcoString>, address: &Field<EcoString>) -> NextHop {
    let Some(kind) = kind.known() else {
        return NextHop::Unknown(kind.unknown().map_or("the route has no next hop".into(), text));
    };
    let address = || address.known().and_then(|text| text.parse::<IpAddr>().ok());
    match kind.to_ascii_lowercase().as_str() {
        "virtualappliance" => NextHop::Appliance(address()),
        "vnetlocal" => NextHop::VirtualNetwork,
        "internet" => NextHop::Internet,
        "virtualnetworkgateway" => NextHop::Gateway,
        "none" => NextHop::None,
        other => NextHop::Unknown(eco_format!("the next hop `{other}` is not known")),
    }
}

pub(super) fn text(why: &Arc<crate::value::Unknown>) -> EcoString {
    eco_format!("{}", why.cause)
}
