//! Database servers and Kubernetes clusters.

use rustc_hash::FxHashMap;

use crate::topology::*;

use super::Builder;
use super::network::prefix_of;
use super::source::Source;
use super::view::{Found, View, paths};

const POSTGRESQL: &str = "microsoft.dbforpostgresql/flexibleservers";
const MYSQL: &str = "microsoft.dbformysql/flexibleservers";
const CLUSTER: &str = "microsoft.containerservice/managedclusters";
const POOL: &str = "microsoft.containerservice/managedclusters/agentpools";

impl<'a> Builder<'a> {
    /// Reads flexible servers and Kubernetes clusters.
    pub fn fill_services(&mut self) {
        let mut clusters: FxHashMap<ResourceId, usize> = FxHashMap::default();
        for source in self.sources.iter().filter(|source| !source.patch && !source.superseded) {
            match source.what.as_str() {
                POSTGRESQL => self.add_flexible_server(source, Engine::PostgreSql),
                MYSQL => self.add_flexible_server(source, Engine::MySql),
                CLUSTER => {
                    clusters.insert(source.id, self.topology.kubernetes_clusters.len());
                    self.add_cluster(source);
                }
                _ => {}
            }
        }
        if clusters.is_empty() {
            return;
        }
        for source in
            self.sources.iter().filter(|source| source.what == POOL && source.managed && !source.superseded)
        {
            self.add_pool_of_cluster(source, &clusters);
        }
    }

    /// The header of a part that is a resource of its own.
    pub(super) fn node_header(&self, source: &Source) -> Header {
        Header {
            resource: source.id,
            place: source.place,
            name: source.name.clone(),
            declared: if source.managed { Declared::Separate } else { Declared::LookedUp },
            uncertain: source.uncertain.clone(),
            resource_id: self.topology[source.id].resource_id.clone(),
        }
    }

    fn add_flexible_server(&mut self, source: &'a Source, engine: Engine) {
        let view = source.view();
        let subnet: Link<Subnet> = self.link(
            source,
            &view,
            paths!(
                ["delegated_subnet_id"],
                [
                    "properties.network.delegatedSubnetResourceId",
                    "properties.delegatedSubnetArguments.subnetArmResourceId"
                ]
            ),
        );
        let zone = self.link(
            source,
            &view,
            paths!(
                ["private_dns_zone_id"],
                [
                    "properties.network.privateDnsZoneArmResourceId",
                    "properties.network.privateDnsZoneResourceId",
                    "properties.privateDnsZoneArguments.privateDnsZoneArmResourceId"
                ]
            ),
        );
        let access = view.flag(paths!(
            ["public_network_access_enabled", "public_network_access"],
            ["properties.network.publicNetworkAccess"]
        ));
        // azurerm documents `true`; an injected server has no public endpoint whatever the default is.
        let injected = !subnet.is_absent();
        let create_mode = view.text(paths!(["create_mode"], ["properties.createMode"]));
        // A PostgreSQL server is created with the default of azurerm as it stands since 3.105, injected or not.
        let sends_default = engine == Engine::PostgreSql
            && view.azurerm_major().is_some_and(|major| major >= 4)
            && (create_mode.is_absent() || create_mode.is(&"Default".into()));
        let access = match view.is_arm() || (injected && !sends_default) {
            true => access,
            false => access.or_default(true),
        };
        let (source_server, _) =
            self.target_resource(&view, paths!(["source_server_id"], ["properties.sourceServerResourceId"]));
        let server = FlexibleServer {
            header: self.node_header(source),
            engine,
            subnet,
            zone,
            high_availability: view.choice(
                paths!(["high_availability.mode"], ["properties.highAvailability.mode"]),
                &["ZoneRedundant", "SameZone", "Disabled"],
            ),
            public_network_access: access,
            create_mode,
            source_server,
            sku: view.text(paths!(["sku_name"], ["sku.name"])),
        };
        self.topology.flexible_servers.push(server);
    }

    fn add_cluster(&mut self, source: &'a Source) {
        let view = source.view();
        let profile = view.blocks(paths!(["network_profile"], ["properties.networkProfile"]));
        let has_profile = !profile.items.is_empty();
        let plugin = view.choice(
            paths!(["network_profile.network_plugin"], ["properties.networkProfile.networkPlugin"]),
            &["azure", "kubenet", "none"],
        );
        let mode = view.choice(
            paths!(["network_profile.network_plugin_mode"], ["properties.networkProfile.networkPluginMode"]),
            &["overlay"],
        );
        let mut services = ranges(
            &view,
            paths!(["network_profile.service_cidrs"], ["properties.networkProfile.serviceCidrs"]),
            paths!(["network_profile.service_cidr"], ["properties.networkProfile.serviceCidr"]),
        );
        let mut pods = ranges(
            &view,
            paths!(["network_profile.pod_cidrs"], ["properties.networkProfile.podCidrs"]),
            paths!(["network_profile.pod_cidr"], ["properties.networkProfile.podCidr"]),
        );
        if has_profile {
            // The service's documented defaults.
            default_range(&mut services, "10.0.0.0/16");
            let own_range = plugin.known().is_some_and(|plugin| plugin == "kubenet")
                || mode.known().is_some_and(|mode| mode == "overlay");
            if own_range {
                default_range(&mut pods, "10.244.0.0/16");
            }
        }
        let named = |found: &Found| match found {
            Found::Value(value, _) => value
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case("system") || text.eq_ignore_ascii_case("none")),
            _ => false,
        };
        let zone_paths =
            paths!(["private_dns_zone_id"], ["properties.apiServerAccessProfile.privateDNSZone"]);
        let zone = if named(&view.find(zone_paths)) {
            Link { state: LinkState::Absent, place: view.place }
        } else {
            self.link(source, &view, zone_paths)
        };
        let blocks = view.blocks(paths!(["default_node_pool"], ["properties.agentPoolProfiles"]));
        let mut pools = Vec::new();
        for block in &blocks.items {
            let header = self.inline_header(
                source,
                block,
                "Microsoft.ContainerService/managedClusters/agentPools",
                source.name.known().map(ecow::EcoString::as_str),
            );
            pools.push(self.pool_of_cluster(source, &block.view, header, false));
        }
        let cluster = KubernetesCluster {
            header: self.node_header(source),
            network_plugin: plugin,
            network_plugin_mode: mode,
            service_cidrs: services,
            pod_cidrs: pods,
            dns_service_address: view
                .text(paths!(["network_profile.dns_service_ip"], ["properties.networkProfile.dnsServiceIP"])),
            outbound_type: view
                .choice(
                    paths!(["network_profile.outbound_type"], ["properties.networkProfile.outboundType"]),
                    &[
                        "loadBalancer",
                        "userDefinedRouting",
                        "managedNATGateway",
                        "userAssignedNATGateway",
                        "none",
                        "block",
                    ],
                )
                .or_default("loadBalancer".into()),
            private_cluster: view
                .flag(paths!(
                    ["private_cluster_enabled", "private_link_enabled"],
                    ["properties.apiServerAccessProfile.enablePrivateCluster"]
                ))
                .or_default(false),
            zone,
            pools,
        };
        self.topology.kubernetes_clusters.push(cluster);
    }

    fn pool_of_cluster(
        &mut self,
        source: &'a Source,
        view: &View<'a>,
        header: Header,
        separate: bool,
    ) -> NodePool {
        // Inline agent pools have no `properties` of their own.
        let (subnet, pods, maximum, count, density, surge) = if separate {
            (
                paths!(["vnet_subnet_id"], ["properties.vnetSubnetID"]),
                paths!(["pod_subnet_id"], ["properties.podSubnetID"]),
                paths!(["max_count"], ["properties.maxCount"]),
                paths!(["node_count"], ["properties.count"]),
                paths!(["max_pods"], ["properties.maxPods"]),
                paths!(["upgrade_settings.max_surge"], ["properties.upgradeSettings.maxSurge"]),
            )
        } else {
            (
                paths!(["vnet_subnet_id"], ["vnetSubnetID"]),
                paths!(["pod_subnet_id"], ["podSubnetID"]),
                paths!(["max_count"], ["maxCount"]),
                paths!(["node_count"], ["count"]),
                paths!(["max_pods"], ["maxPods"]),
                paths!(["upgrade_settings.max_surge"], ["upgradeSettings.maxSurge"]),
            )
        };
        let maximum = view.number(maximum);
        NodePool {
            header,
            subnet: self.link(source, view, subnet),
            pod_subnet: self.link(source, view, pods),
            maximum_nodes: if maximum.is_absent() { view.number(count) } else { maximum },
            maximum_pods: view.number(density),
            maximum_surge: view.text(surge),
        }
    }

    fn add_pool_of_cluster(&mut self, source: &'a Source, clusters: &FxHashMap<ResourceId, usize>) {
        let cluster = if source.is_arm() {
            self.parent_node(source, CLUSTER)
        } else {
            let (target, _) = self.target_resource(&source.view(), paths!(["kubernetes_cluster_id"], []));
            target.to()
        };
        let Some(position) = cluster.and_then(|cluster| clusters.get(&cluster)).copied() else { return };
        let mut header = self.node_header(source);
        let parent =
            self.topology.kubernetes_clusters.get(position).and_then(|c| c.header.name.known().cloned());
        header.resource_id = super::resolve::path(
            "Microsoft.ContainerService/managedClusters/agentPools",
            parent.as_deref(),
            source.name.known(),
        );
        let pool = self.pool_of_cluster(source, &source.view(), header, true);
        if let Some(cluster) = self.topology.kubernetes_clusters.get_mut(position) {
            cluster.pools.push(pool);
        }
    }
}

/// The ranges of a list, or the one that stands alone: a plan computes the list when only the one is given.
fn ranges(view: &View, list: super::view::Paths, one: super::view::Paths) -> List<Prefix> {
    let all = view.list_of(list, prefix_of);
    if !all.items.is_empty() && all.rest.is_none() {
        return all;
    }
    let alone = view.list_of(one, prefix_of);
    if alone.items.is_empty() && alone.rest.is_none() { all } else { alone }
}

fn default_range(list: &mut List<Prefix>, range: &'static str) {
    if list.items.is_empty() && list.rest.is_none() {
        let prefix = Prefix { text: range.into(), net: range.parse().ok() };
        list.items.push(Field { state: State::Known(prefix), place: list.place });
    }
}
