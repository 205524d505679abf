//! Endpoints, machines, gateways, load balancers and services as JSON.

use serde_json::{Map, Value as Json, json};

use super::{Writer, sorted};
use crate::topology::*;

impl Writer<'_> {
    pub(super) fn private_endpoint(&self, endpoint: &PrivateEndpoint) -> Json {
        let connections = endpoint.connections.iter().map(|connection| {
            let mut object = Map::new();
            object.insert("target".into(), self.resource(&connection.target));
            if let Some(arm_type) = &connection.target_type {
                object.insert("targetType".into(), json!(arm_type.as_str()));
            }
            object.insert("groupIds".into(), self.texts(&connection.group_ids));
            Json::Object(object)
        });
        self.object(
            &endpoint.header,
            [
                ("subnet", self.link(&endpoint.subnet)),
                ("connections", sorted(Json::Array(connections.collect()))),
                ("zones", self.set(&endpoint.zone_groups, |group| self.links(&group.zones))),
                ("addresses", self.texts(&endpoint.addresses)),
            ],
        )
    }

    pub(super) fn ip_configurations(&self, configurations: &[IpConfiguration]) -> Json {
        let items = configurations.iter().map(|configuration| {
            let mut object = Map::new();
            for (name, value) in [
                ("name", self.text(&configuration.header.name)),
                ("subnet", self.link(&configuration.subnet)),
                ("privateAddress", self.text(&configuration.private_address)),
                ("allocation", self.text(&configuration.allocation)),
                ("publicIp", self.link(&configuration.public_ip)),
            ] {
                if !value.is_null() {
                    object.insert(name.into(), value);
                }
            }
            Json::Object(object)
        });
        Json::Array(items.collect())
    }

    pub(super) fn interface(&self, interface: &NetworkInterface) -> Json {
        self.object(
            &interface.header,
            [
                ("ipConfigurations", self.ip_configurations(&interface.ip_configurations)),
                ("securityGroup", self.link(&interface.security_group)),
                ("applicationSecurityGroups", self.links(&interface.application_security_groups)),
                ("ipForwarding", self.flag(&interface.ip_forwarding)),
                ("dnsServers", self.texts(&interface.dns_servers)),
            ],
        )
    }

    pub(super) fn scale_set(&self, set: &ScaleSet) -> Json {
        let templates = set.interfaces.iter().map(|template| {
            json!({
                "ipConfigurations": self.ip_configurations(&template.ip_configurations),
                "securityGroup": self.link(&template.security_group),
                "ipForwarding": self.flag(&template.ip_forwarding),
            })
        });
        self.object(
            &set.header,
            [("capacity", self.number(&set.capacity)), ("interfaces", Json::Array(templates.collect()))],
        )
    }

    pub(super) fn public_ip(&self, address: &PublicIp) -> Json {
        self.object(
            &address.header,
            [
                ("sku", self.text(&address.sku)),
                ("tier", self.text(&address.tier)),
                ("allocation", self.text(&address.allocation)),
                ("version", self.text(&address.version)),
                ("zones", self.texts(&address.zones)),
            ],
        )
    }

    pub(super) fn public_endpoint(&self, endpoint: &PublicEndpoint) -> Json {
        self.object(
            &endpoint.header,
            [
                ("open", self.flag(&endpoint.open)),
                ("guarded", self.flag(&endpoint.guarded)),
                ("admitsAddresses", self.flag(&endpoint.admits_addresses)),
            ],
        )
    }

    pub(super) fn firewall_rule(&self, rule: &FirewallRule) -> Json {
        self.object(
            &rule.header,
            [
                ("kind", rule.kind.as_str().into()),
                ("server", self.resource(&rule.server)),
                ("start", self.text(&rule.start)),
                ("end", self.text(&rule.end)),
            ],
        )
    }

    pub(super) fn nat_gateway(&self, gateway: &NatGateway) -> Json {
        self.object(
            &gateway.header,
            [
                ("sku", self.text(&gateway.sku)),
                ("zones", self.texts(&gateway.zones)),
                ("publicIps", self.links(&gateway.public_ips)),
            ],
        )
    }

    pub(super) fn virtual_network_gateway(&self, gateway: &VirtualNetworkGateway) -> Json {
        self.object(
            &gateway.header,
            [
                ("type", self.text(&gateway.gateway_type)),
                ("sku", self.text(&gateway.sku)),
                ("vpnType", self.text(&gateway.vpn_type)),
                ("activeActive", self.flag(&gateway.active_active)),
                ("ipConfigurations", self.ip_configurations(&gateway.ip_configurations)),
            ],
        )
    }

    pub(super) fn virtual_hub(&self, hub: &VirtualHub) -> Json {
        self.object(&hub.header, [("addressPrefix", self.prefix(&hub.address_prefix))])
    }

    pub(super) fn hub_connection(&self, connection: &HubConnection) -> Json {
        self.object(
            &connection.header,
            [("hub", self.link(&connection.hub)), ("network", self.link(&connection.network))],
        )
    }

    pub(super) fn bastion(&self, bastion: &Bastion) -> Json {
        self.object(
            &bastion.header,
            [
                ("sku", self.text(&bastion.sku)),
                ("ipConfigurations", self.ip_configurations(&bastion.ip_configurations)),
                ("network", self.link(&bastion.network)),
            ],
        )
    }

    pub(super) fn firewall(&self, firewall: &Firewall) -> Json {
        self.object(
            &firewall.header,
            [
                ("skuName", self.text(&firewall.sku_name)),
                ("skuTier", self.text(&firewall.sku_tier)),
                ("ipConfigurations", self.ip_configurations(&firewall.ip_configurations)),
                (
                    "managementIpConfigurations",
                    self.ip_configurations(&firewall.management_ip_configurations),
                ),
                ("zones", self.texts(&firewall.zones)),
            ],
        )
    }

    pub(super) fn load_balancer(&self, balancer: &LoadBalancer) -> Json {
        let pools = balancer.pools.iter().map(|pool| {
            self.object(
                &pool.header,
                [
                    ("interfaces", self.links(&pool.interfaces)),
                    ("scaleSets", self.links(&pool.scale_sets)),
                    ("addresses", self.texts(&pool.addresses)),
                    ("network", self.link(&pool.network)),
                ],
            )
        });
        let probes = balancer.probes.iter().map(|probe| {
            self.object(
                &probe.header,
                [("protocol", self.text(&probe.protocol)), ("port", self.number(&probe.port))],
            )
        });
        let name = |header: Option<&Header>| {
            header.and_then(|header| header.name.known()).map_or(Json::Null, |name| json!(name.as_str()))
        };
        let rules = balancer.rules.iter().map(|rule| {
            let pools = rule.pools.iter().map(|at| name(balancer.pools.get(*at).map(|pool| &pool.header)));
            let probe = rule.probe.and_then(|at| balancer.probes.get(at)).map(|probe| &probe.header);
            self.object(
                &rule.header,
                [
                    ("protocol", self.text(&rule.protocol)),
                    ("frontend", self.text(&rule.frontend)),
                    ("frontendPort", self.number(&rule.frontend_port)),
                    ("backendPort", self.number(&rule.backend_port)),
                    ("pools", Json::Array(pools.collect())),
                    ("probe", name(probe)),
                    ("floatingIp", self.flag(&rule.floating_ip)),
                ],
            )
        });
        let nat_rules = balancer.nat_rules.iter().map(|rule| {
            self.object(
                &rule.header,
                [
                    ("protocol", self.text(&rule.protocol)),
                    ("frontend", self.text(&rule.frontend)),
                    ("backendPort", self.number(&rule.backend_port)),
                    ("interfaces", self.links(&rule.interfaces)),
                    ("scaleSets", self.links(&rule.scale_sets)),
                    ("pool", name(rule.pool.and_then(|at| balancer.pools.get(at)).map(|pool| &pool.header))),
                ],
            )
        });
        self.object(
            &balancer.header,
            [
                ("sku", self.text(&balancer.sku)),
                ("frontends", self.ip_configurations(&balancer.frontends)),
                ("pools", sorted(Json::Array(pools.collect()))),
                ("probes", sorted(Json::Array(probes.collect()))),
                ("rules", sorted(Json::Array(rules.collect()))),
                ("natRules", sorted(Json::Array(nat_rules.collect()))),
            ],
        )
    }

    pub(super) fn application_gateway(&self, gateway: &ApplicationGateway) -> Json {
        self.object(
            &gateway.header,
            [
                ("skuTier", self.text(&gateway.sku_tier)),
                ("gatewayIpConfigurations", self.ip_configurations(&gateway.gateway_ip_configurations)),
                ("frontends", self.ip_configurations(&gateway.frontends)),
                ("frontendPorts", self.list(&gateway.frontend_ports, |port| json!(port))),
                ("maximumCapacity", self.number(&gateway.maximum_capacity)),
                ("zones", self.texts(&gateway.zones)),
            ],
        )
    }

    pub(super) fn flexible_server(&self, server: &FlexibleServer) -> Json {
        self.object(
            &server.header,
            [
                ("subnet", self.link(&server.subnet)),
                ("zone", self.link(&server.zone)),
                ("highAvailability", self.text(&server.high_availability)),
                ("publicNetworkAccess", self.flag(&server.public_network_access)),
                ("createMode", self.text(&server.create_mode)),
                ("sourceServer", self.resource(&server.source_server)),
                ("sku", self.text(&server.sku)),
            ],
        )
    }

    pub(super) fn kubernetes_cluster(&self, cluster: &KubernetesCluster) -> Json {
        let pools = cluster.pools.iter().map(|pool| {
            self.object(
                &pool.header,
                [
                    ("subnet", self.link(&pool.subnet)),
                    ("podSubnet", self.link(&pool.pod_subnet)),
                    ("maximumNodes", self.number(&pool.maximum_nodes)),
                    ("maximumPods", self.number(&pool.maximum_pods)),
                ],
            )
        });
        self.object(
            &cluster.header,
            [
                ("networkPlugin", self.text(&cluster.network_plugin)),
                ("networkPluginMode", self.text(&cluster.network_plugin_mode)),
                ("serviceCidrs", self.prefixes(&cluster.service_cidrs)),
                ("podCidrs", self.prefixes(&cluster.pod_cidrs)),
                ("dnsServiceAddress", self.text(&cluster.dns_service_address)),
                ("outboundType", self.text(&cluster.outbound_type)),
                ("privateCluster", self.flag(&cluster.private_cluster)),
                ("zone", self.link(&cluster.zone)),
                ("pools", sorted(Json::Array(pools.collect()))),
            ],
        )
    }
}
