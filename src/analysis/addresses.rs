//! How many addresses of each subnet its occupants take: lower bounds, so that what does not fit certainly does not fit.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::azure::address_needs::{self, ADDRESSES_OF_API_MANAGEMENT_UNIT};
use crate::azure::occupants;
use crate::resource::Mode;
use crate::topology::{
    Field, Header, Id, IpConfiguration, KubernetesCluster, NodePool, Place, ResourceId, State, Subnet,
    Topology,
};
use crate::value::{Unknown, Value, ValueKind};

/// What one occupant takes of one subnet.
#[derive(Clone, Debug)]
pub struct Demand {
    /// The occupant: "network interface `nic-web`".
    pub who: String,
    /// How the number comes about, where it is more than one address: "6 nodes with 61 addresses each".
    pub how: Option<String>,
    /// The attribute that names the subnet.
    pub place: Place,
    /// Addresses that it takes at least.
    pub addresses: u64,
    /// Addresses that it takes on top while it is upgraded.
    pub surge: u64,
    /// Whether Azure refuses the deployment when these addresses are not there.
    pub refused: bool,
    /// Whether the occupant certainly exists after deployment.
    pub certain: bool,
    /// Set when it may take more, with the reason.
    pub unknown: Option<Arc<Unknown>>,
}

/// The demands on each subnet, by the subnet's position in the model; each list in the order of the model.
pub fn demands(topology: &Topology) -> Vec<Vec<Demand>> {
    let mut collector = Collector { topology, lists: vec![Vec::new(); topology.subnets.len()] };
    collector.interfaces();
    collector.scale_sets();
    collector.balancers();
    collector.private_endpoints();
    for cluster in &topology.kubernetes_clusters {
        collector.cluster(cluster);
    }
    collector.table();
    collector.app_service_plans();
    collector.lists
}

/// How many nodes a pool has at least when it is as large as it may become, how many more while it is upgraded, and why
/// there may be more.
pub fn nodes(pool: &NodePool) -> (u64, u64, Option<Arc<Unknown>>) {
    let count = number(&pool.maximum_nodes).unwrap_or(if pool.maximum_nodes.is_absent() { 1 } else { 0 });
    let surge = match &pool.maximum_surge.state {
        // Without a setting it is one node or a tenth of the pool.
        State::Absent => 1,
        State::Known(text) => surge_nodes(text, count),
        State::Unknown(_) => 0,
    };
    (count, if count == 0 { 0 } else { surge }, pool.maximum_nodes.unknown().cloned())
}

fn surge_nodes(text: &str, count: u64) -> u64 {
    match text.trim().strip_suffix('%') {
        Some(percentage) => {
            let percentage: u64 = percentage.trim().parse().unwrap_or(0);
            count.saturating_mul(percentage).div_ceil(100)
        }
        None => text.trim().parse().unwrap_or(0),
    }
}

/// Whether pods of a cluster have addresses of the subnet of their nodes; `None` when that is not known.
fn pods_beside_nodes(cluster: &KubernetesCluster, pool: &NodePool) -> Option<bool> {
    if !pool.pod_subnet.is_absent() {
        return if pool.pod_subnet.unknown().is_some() { None } else { Some(false) };
    }
    match (&cluster.network_plugin.state, &cluster.network_plugin_mode.state) {
        (State::Known(plugin), State::Absent) => Some(plugin.eq_ignore_ascii_case("azure")),
        (State::Known(plugin), State::Unknown(_)) if plugin.eq_ignore_ascii_case("azure") => None,
        (State::Unknown(_), _) => None,
        _ => Some(false),
    }
}

struct Collector<'a> {
    topology: &'a Topology,
    lists: Vec<Vec<Demand>>,
}

impl Collector<'_> {
    fn add(&mut self, subnet: Option<Id<Subnet>>, demand: Demand) {
        if let Some(list) = subnet.and_then(|subnet| self.lists.get_mut(subnet.index())) {
            list.push(demand);
        }
    }

    fn label(&self, resource: ResourceId, kind: &str) -> String {
        let what = occupants::of_kind(kind).map_or(kind, |row| row.name());
        let resource = &self.topology[resource];
        match resource.name.known() {
            Some(name) => format!("{what} `{name}`"),
            None => format!("{what} `{}`", resource.key.address),
        }
    }

    /// One address for each configuration, grouped by subnet, times `factor`. Each comes with whether what it is written in
    /// certainly exists.
    fn configurations<'c>(
        &mut self,
        header: &Header,
        kind: &str,
        configurations: impl Iterator<Item = (&'c IpConfiguration, bool)>,
        factor: u64,
        unknown: Option<&Arc<Unknown>>,
    ) {
        // Few configurations name few subnets: a list will do.
        let mut groups: Vec<(Id<Subnet>, u64, Place, bool)> = Vec::new();
        for (configuration, holder) in configurations {
            if !configuration.version.known().is_some_and(|version| version.eq_ignore_ascii_case("IPv4")) {
                continue;
            }
            let Some(subnet) = configuration.subnet.to() else { continue };
            let certain = holder && configuration.header.is_certain();
            match groups.iter_mut().find(|group| group.0 == subnet && group.3 == certain) {
                Some(group) => group.1 += 1,
                None => groups.push((subnet, 1, configuration.subnet.place, certain)),
            }
        }
        for (subnet, count, place, certain) in groups {
            let how = match (count, factor) {
                (1, 1) => None,
                (_, 1) => Some(format!("{count} addresses")),
                (1, _) => Some(format!("{factor} machines")),
                _ => Some(format!("{factor} machines with {count} addresses each")),
            };
            let demand = Demand {
                who: self.label(header.resource, kind),
                how,
                place,
                addresses: count.saturating_mul(factor),
                surge: 0,
                refused: true,
                certain: certain && header.is_certain(),
                unknown: unknown.cloned(),
            };
            self.add(Some(subnet), demand);
        }
    }

    fn interfaces(&mut self) {
        for interface in self.topology.network_interfaces.iter().filter(|part| part.header.is_managed()) {
            let configurations = interface.ip_configurations.iter().map(|each| (each, true));
            self.configurations(
                &interface.header,
                "Microsoft.Network/networkInterfaces",
                configurations,
                1,
                interface.incomplete.as_ref(),
            );
        }
    }

    fn scale_sets(&mut self) {
        for set in self.topology.scale_sets.iter().filter(|part| part.header.is_managed()) {
            let machines = number(&set.capacity).unwrap_or(0);
            let unknown = set.capacity.unknown().or(set.incomplete.as_ref());
            if machines == 0 && unknown.is_none() {
                continue;
            }
            let configurations = set.interfaces.iter().flat_map(|template| {
                let certain = template.header.is_certain();
                template.ip_configurations.iter().map(move |each| (each, certain))
            });
            let kind = "Microsoft.Compute/virtualMachineScaleSets";
            self.configurations(&set.header, kind, configurations, machines, unknown);
        }
    }

    fn balancers(&mut self) {
        for balancer in self.topology.load_balancers.iter().filter(|part| part.header.is_managed()) {
            let kind = "Microsoft.Network/loadBalancers";
            let frontends = balancer.frontends.iter().map(|each| (each, true));
            self.configurations(&balancer.header, kind, frontends, 1, None);
        }
        for gateway in self.topology.application_gateways.iter().filter(|part| part.header.is_managed()) {
            let instances = match &gateway.maximum_capacity.state {
                State::Absent => 1,
                _ => number(&gateway.maximum_capacity).unwrap_or(0),
            };
            for configuration in &gateway.gateway_ip_configurations {
                let subnet = configuration.subnet.to();
                let frontends =
                    gateway.frontends.iter().filter(|front| subnet.is_some() && front.subnet.to() == subnet);
                let private = frontends.filter(|front| front.header.is_certain()).count() as u64;
                let how = format!("{instances} instances and {private} private front ends");
                let demand = Demand {
                    who: self.label(gateway.header.resource, "Microsoft.Network/applicationGateways"),
                    how: (instances + private > 1).then_some(how),
                    place: configuration.subnet.place,
                    addresses: instances.saturating_add(private),
                    surge: 0,
                    refused: false,
                    certain: gateway.header.is_certain() && configuration.header.is_certain(),
                    unknown: gateway.maximum_capacity.unknown().cloned(),
                };
                self.add(subnet, demand);
            }
        }
    }

    fn private_endpoints(&mut self) {
        for endpoint in self.topology.private_endpoints.iter().filter(|part| part.header.is_managed()) {
            let addresses = endpoint.addresses.known().collect::<BTreeSet<_>>().len().max(1) as u64;
            let demand = Demand {
                who: self.label(endpoint.header.resource, "Microsoft.Network/privateEndpoints"),
                how: (addresses > 1).then(|| format!("{addresses} addresses")),
                place: endpoint.subnet.place,
                addresses,
                surge: 0,
                refused: true,
                certain: endpoint.header.is_certain(),
                unknown: None,
            };
            self.add(endpoint.subnet.to(), demand);
        }
    }

    fn cluster(&mut self, cluster: &KubernetesCluster) {
        if !cluster.header.is_managed() {
            return;
        }
        for pool in &cluster.pools {
            let (count, extra, mut unknown) = nodes(pool);
            let beside = pods_beside_nodes(cluster, pool);
            let pods = match &pool.maximum_pods.state {
                State::Absent => address_needs::DEFAULT_PODS_OF_NODE,
                _ => number(&pool.maximum_pods).unwrap_or(0),
            };
            if beside != Some(false) {
                let of_cluster = cluster.network_plugin.unknown().or(cluster.network_plugin_mode.unknown());
                unknown = unknown.or(pool.maximum_pods.unknown().cloned()).or(of_cluster.cloned());
            }
            let each = if beside == Some(true) { pods.saturating_add(1) } else { 1 };
            let who = match pool.header.name.known() {
                Some(name) => format!(
                    "node pool `{name}` of {}",
                    self.label(cluster.header.resource, "Microsoft.ContainerService/managedClusters")
                ),
                None => self.label(pool.header.resource, "Microsoft.ContainerService/managedClusters"),
            };
            let certain = cluster.header.is_certain() && pool.header.is_certain();
            let with_surge = if extra > 0 { format!(" and {extra} while upgrading") } else { String::new() };
            let demand = |place, each: u64, refused| Demand {
                who: who.clone(),
                how: Some(match each {
                    1 => format!("{count} nodes{with_surge}"),
                    _ => format!("{count} nodes{with_surge}, {each} addresses each"),
                }),
                place,
                addresses: count.saturating_mul(each),
                surge: extra.saturating_mul(each),
                refused,
                certain,
                unknown: unknown.clone(),
            };
            self.add(pool.subnet.to(), demand(pool.subnet.place, each, true));
            let batch = address_needs::POD_SUBNET_BATCH;
            self.add(pool.pod_subnet.to(), demand(pool.pod_subnet.place, batch, false));
        }
    }

    /// Occupants whose need stands in the table.
    fn table(&mut self) {
        for occupancy in &self.topology.occupancies {
            let resource = &self.topology[occupancy.resource];
            if resource.mode != Mode::Managed {
                continue;
            }
            let row = address_needs::of_kind(&occupancy.kind);
            let (addresses, how, unknown) = if let Some(row) = row {
                match row.highly_available {
                    Some(pair) if self.highly_available(occupancy.resource) => {
                        (pair, Some("with a standby".to_string()), None)
                    }
                    _ => (row.each, None, None),
                }
            } else if occupancy.kind.eq_ignore_ascii_case("Microsoft.ApiManagement/service") {
                self.api_management(occupancy.resource)
            } else {
                continue;
            };
            let demand = Demand {
                who: self.label(occupancy.resource, &occupancy.kind),
                how,
                place: occupancy.place,
                addresses,
                surge: 0,
                refused: false,
                certain: resource.uncertain.is_none(),
                unknown,
            };
            self.add(occupancy.subnet.to(), demand);
        }
    }

    fn highly_available(&self, resource: ResourceId) -> bool {
        self.topology.flexible_servers.iter().any(|server| {
            server.header.resource == resource
                && server.high_availability.known().is_some_and(|mode| !mode.eq_ignore_ascii_case("Disabled"))
        })
    }

    fn api_management(&self, resource: ResourceId) -> (u64, Option<String>, Option<Arc<Unknown>>) {
        let resource = &self.topology[resource];
        // azurerm joins tier and units: `Premium_2`.
        let name = resource.values(&["sku_name"], &["sku.name"]);
        let tier = name.found.first().and_then(|(value, _)| value.as_str()).unwrap_or("");
        let (tier, units) = tier.split_once('_').unwrap_or((tier, ""));
        let capacity = resource.values::<&str>(&[], &["sku.capacity"]);
        let units = units.parse().ok().or_else(|| capacity.found.first().and_then(|(value, _)| whole(value)));
        let units = units.unwrap_or(1);
        if tier.eq_ignore_ascii_case("Premium") {
            let addresses = ADDRESSES_OF_API_MANAGEMENT_UNIT.saturating_mul(units);
            return (addresses, (units > 1).then(|| format!("{units} units")), capacity.unknown);
        }
        (1, None, name.unknown)
    }

    /// Apps take one address for each instance of their plan, and the apps of one plan share them.
    fn app_service_plans(&mut self) {
        let mut counted: BTreeSet<(Id<Subnet>, ResourceId)> = BTreeSet::new();
        for occupancy in &self.topology.occupancies {
            let is_app = ["Microsoft.Web/sites", "Microsoft.Web/sites/networkConfig"]
                .iter()
                .any(|kind| occupancy.kind.eq_ignore_ascii_case(kind));
            let app = &self.topology[occupancy.resource];
            let Some(subnet) = occupancy.subnet.to().filter(|_| is_app && app.mode == Mode::Managed) else {
                continue;
            };
            let mut plans = app.dependencies.iter().copied().filter(|id| is_plan(self.topology, *id));
            // An app names one plan; with several dependencies it is not clear which.
            let (Some(plan), None) = (plans.next(), plans.next()) else { continue };
            let node = &self.topology[plan];
            if node.mode != Mode::Managed || !counted.insert((subnet, plan)) {
                continue;
            }
            let workers = node.values(&["worker_count"], &["sku.capacity"]);
            let instances = workers.found.iter().filter_map(|(value, _)| whole(value)).max().unwrap_or(1);
            let demand = Demand {
                who: self.label(occupancy.resource, &occupancy.kind),
                how: (instances > 1).then(|| format!("{instances} instances of its plan")),
                place: occupancy.place,
                addresses: instances,
                surge: 0,
                refused: false,
                certain: app.uncertain.is_none() && node.uncertain.is_none(),
                unknown: workers.unknown,
            };
            self.add(Some(subnet), demand);
        }
    }
}

fn is_plan(topology: &Topology, resource: ResourceId) -> bool {
    let arm_type = topology[resource].arm_type.as_deref();
    arm_type.is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.Web/serverfarms"))
}

fn number(field: &Field<i64>) -> Option<u64> {
    u64::try_from(*field.known()?).ok()
}

/// A whole number of a value that is a number or its text.
fn whole(value: &Value) -> Option<u64> {
    match &value.kind {
        ValueKind::Number(number) => number.to_string().parse().ok(),
        ValueKind::String(text) => text.parse().ok(),
        _ => None,
    }
}
