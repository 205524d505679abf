//! What lives in subnets.

use ecow::EcoString;

use super::{Header, PrivateDnsZone, ResourceId, ResourceNode, Subnet};
use crate::topology::{Field, Link, Place};

/// A use of a subnet: an instance, an interface or an injected service in it. One for each attribute that names a subnet.
#[derive(Clone, Debug)]
pub struct Occupancy {
    /// The resource that lives there.
    pub resource: ResourceId,
    /// Where it lives.
    pub subnet: Link<Subnet>,
    /// Which kind of occupant it is: the row of the knowledge base, by its key (`azure::occupants`).
    pub kind: EcoString,
    /// The attribute that names the subnet.
    pub place: Place,
}

/// The engine of a flexible server.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Engine {
    PostgreSql,
    MySql,
}

/// A PostgreSQL or MySQL flexible server, injected into a subnet or not.
#[derive(Clone, Debug)]
pub struct FlexibleServer {
    /// Who and where.
    pub header: Header,
    /// Which database it runs.
    pub engine: Engine,
    /// The delegated subnet it is injected into; absent for a server with public access.
    pub subnet: Link<Subnet>,
    /// The private DNS zone that its name is written into.
    pub zone: Link<PrivateDnsZone>,
    /// The mode of high availability: `ZoneRedundant`, `SameZone`; absent (or `Disabled`) without.
    pub high_availability: Field<EcoString>,
    /// Whether the public endpoint is open.
    pub public_network_access: Field<bool>,
    /// `Default`, `Replica`, `PointInTimeRestore`, …
    pub create_mode: Field<EcoString>,
    /// The server that this one is a replica or restore of.
    pub source_server: Link<ResourceNode>,
    /// The SKU's name (`GP_Standard_D2s_v3`, `B_Standard_B1ms`).
    pub sku: Field<EcoString>,
}

/// An AKS cluster with its node pools, inline and separate.
#[derive(Clone, Debug)]
pub struct KubernetesCluster {
    /// Who and where.
    pub header: Header,
    /// `azure`, `kubenet`, `none`.
    pub network_plugin: Field<EcoString>,
    /// `overlay`, when the plugin is Azure's in overlay mode.
    pub network_plugin_mode: Field<EcoString>,
    /// The ranges of services; a documented default is filled in only where the cluster has a network profile to speak of.
    pub service_cidrs: crate::topology::List<super::Prefix>,
    /// The ranges of pods.
    pub pod_cidrs: crate::topology::List<super::Prefix>,
    /// The address of the cluster's DNS service.
    pub dns_service_address: Field<EcoString>,
    /// `loadBalancer`, `userDefinedRouting`, `managedNATGateway`, `userAssignedNATGateway`.
    pub outbound_type: Field<EcoString>,
    /// Whether the API server is private.
    pub private_cluster: Field<bool>,
    /// The private DNS zone of the API server (`System` and `None` count as absent).
    pub zone: Link<PrivateDnsZone>,
    /// Its node pools.
    pub pools: Vec<NodePool>,
}

/// A node pool of an AKS cluster.
#[derive(Clone, Debug)]
pub struct NodePool {
    /// Who and where.
    pub header: Header,
    /// Where its nodes live; absent when AKS makes the network itself.
    pub subnet: Link<Subnet>,
    /// Where its pods live, when not with the nodes.
    pub pod_subnet: Link<Subnet>,
    /// The most nodes it may have: the autoscaler's maximum, else the node count.
    pub maximum_nodes: Field<i64>,
    /// The most pods on one node.
    pub maximum_pods: Field<i64>,
    /// Extra nodes during an upgrade: a number or a percentage as text.
    pub maximum_surge: Field<EcoString>,
}

/// A network rule of a resource that admits a subnet by its service endpoint.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The resource that has the rule.
    pub resource: ResourceId,
    /// The subnet that it admits.
    pub subnet: Link<Subnet>,
    /// Which kind of rule it is: the row of the knowledge base, by its key (`azure::service_endpoints`).
    pub kind: EcoString,
    /// Whether a subnet without the endpoint is accepted; absent where the service knows no such switch.
    pub ignore_missing: Field<bool>,
    /// The attribute that names the subnet.
    pub place: Place,
}
