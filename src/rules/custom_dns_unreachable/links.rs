//! Links of private DNS zones to networks that ask elsewhere.

use std::collections::BTreeSet;

use super::Reporter;
use crate::analysis::names::{self, Answer, Server, ServerKind};
use crate::finding::{Finding, Severity};
use crate::resource::Mode;
use crate::rules::support;
use crate::topology::{Id, KubernetesCluster, PrivateDnsZone, Topology, VirtualNetwork, ZoneLink};

pub(super) fn check(topology: &Topology, reporter: &mut Reporter) {
    // What `private-dns-zone-not-linked` says of a server and its own network is not said again.
    let said: BTreeSet<(Id<VirtualNetwork>, Id<PrivateDnsZone>)> = topology
        .flexible_servers
        .iter()
        .filter_map(|server| Some((topology[server.subnet.to()?].network.to()?, server.zone.to()?)))
        .collect();
    for link in topology.zone_links.iter().filter(|link| link.header.is_managed()) {
        let (Some(zone), Some(network)) = (link.zone.to(), link.network.to()) else { continue };
        // Machines register themselves by the link, whoever answers.
        if !link.registration.is(&false) && !link.registration.is_absent() || said.contains(&(network, zone))
        {
            continue;
        }
        let Some(servers) = own_servers(topology, network) else { continue };
        match names::resolves(topology, network, zone) {
            Answer::Yes => reporter.satisfied(),
            Answer::Unknown(why) => reporter.undecided(link.header.place, &why),
            Answer::No(steps) => report(topology, reporter, link, (network, zone), &servers, steps),
        }
    }
    for cluster in topology.kubernetes_clusters.iter().filter(|cluster| cluster.header.is_managed()) {
        check_cluster(topology, reporter, cluster);
    }
}

/// The DNS servers of a network, where they are known and not Azure's.
fn own_servers(topology: &Topology, network: Id<VirtualNetwork>) -> Option<Vec<Server>> {
    let servers = names::servers(topology, network).ok()?;
    let own: Vec<_> = servers.into_iter().filter(|server| server.kind != ServerKind::Azure).collect();
    (!own.is_empty()).then_some(own)
}

/// The private cluster whose nodes are in a network and whose API server's name is in a zone.
fn cluster_of(
    topology: &Topology,
    network: Id<VirtualNetwork>,
    zone: Id<PrivateDnsZone>,
) -> Option<&KubernetesCluster> {
    topology.kubernetes_clusters.iter().find(|cluster| {
        cluster.header.is_managed()
            && cluster.private_cluster.is(&true)
            && cluster.zone.to() == Some(zone)
            && networks_of(topology, cluster).contains(&network)
    })
}

fn networks_of(topology: &Topology, cluster: &KubernetesCluster) -> BTreeSet<Id<VirtualNetwork>> {
    cluster.pools.iter().filter_map(|pool| topology[pool.subnet.to()?].network.to()).collect()
}

fn report(
    topology: &Topology,
    reporter: &mut Reporter,
    link: &ZoneLink,
    (network, zone): (Id<VirtualNetwork>, Id<PrivateDnsZone>),
    servers: &[Server],
    steps: Vec<String>,
) {
    let part = &topology[network];
    let cluster = cluster_of(topology, network, zone);
    let severity = if cluster.is_some() { Severity::Error } else { Severity::Warning };
    let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    let mut finding = reporter
        .finding_with(
            severity,
            format!(
                "the link of {} to {} has no effect: {} asks the DNS server {}, which resolves where the zone is not linked",
                support::label(topology, &topology[zone].header),
                support::label(topology, &part.header),
                support::label(topology, &part.header),
                names.join(" and "),
            ),
            link.header.place,
        )
        .of(&link.header.resource_id)
        .related_part("the zone", &topology[zone].header)
        .related_part("the network that the link is for", &part.header)
        .related("its DNS servers", part.dns_servers.place);
    for other in servers.iter().filter_map(|server| server.network).collect::<BTreeSet<_>>() {
        finding = finding.related_part("the network of the DNS server", &topology[other].header);
    }
    if let Some(cluster) = cluster {
        finding = finding.related_part("the cluster whose nodes look for its API server", &cluster.header);
    }
    for step in steps {
        finding = finding.witness(step);
    }
    let certain = [&link.header, &part.header, &topology[zone].header].iter().all(|part| part.is_certain());
    reporter.violated(advise(finding).certain_if(certain));
}

fn advise(finding: Finding) -> Finding {
    finding.advice("Link the zone to the network that the DNS server is in.")
}

/// A private cluster whose zone Azure makes, and links to the network of the nodes only.
fn check_cluster(topology: &Topology, reporter: &mut Reporter, cluster: &KubernetesCluster) {
    let resource = &topology[cluster.header.resource];
    if !cluster.private_cluster.is(&true) || !cluster.zone.is_absent() || resource.mode != Mode::Managed {
        return;
    }
    let written =
        resource.values(&["private_dns_zone_id"], &["properties.apiServerAccessProfile.privateDNSZone"]);
    let system = written.is_absent()
        || written
            .found
            .iter()
            .any(|(value, _)| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("system")));
    if !system {
        return;
    }
    for network in networks_of(topology, cluster) {
        let Some(servers) = own_servers(topology, network) else { continue };
        let elsewhere = servers.iter().all(|server| server.network.is_some_and(|other| other != network));
        if !elsewhere {
            reporter.satisfied();
            continue;
        }
        let name = support::label(topology, &topology[network].header);
        let mut finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "private cluster {} has its zone linked to {name} only, which asks the DNS server {} in another network",
                    support::label(topology, &cluster.header),
                    servers.iter().map(|server| server.name.as_str()).collect::<Vec<_>>().join(" and "),
                ),
                cluster.header.place,
            )
            .of(&cluster.header.resource_id)
            .related("the DNS servers of its network", topology[network].dns_servers.place)
            .witness(format!("AKS makes the zone of the API server and links it to {name}"))
            .witness("the nodes ask the DNS server, which does not see that zone, and do not find the API server");
        for other in servers.iter().filter_map(|server| server.network).collect::<BTreeSet<_>>() {
            finding = finding.related_part("the network of the DNS server", &topology[other].header);
        }
        let certain = cluster.header.is_certain() && topology[network].header.is_certain();
        let finding = finding
            .advice("Give the cluster a zone of your own and link it to the network of the DNS server.")
            .certain_if(certain);
        reporter.violated(finding);
    }
}
