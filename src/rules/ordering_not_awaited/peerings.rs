//! Peerings that use the gateway of the remote network, and what must be there before.

use std::collections::BTreeMap;

use super::{Reporter, awaited, together};
use crate::finding::{Change, Fix};
use crate::rules::support;
use crate::topology::{Id, Peering, ResourceId, Topology, VirtualNetwork};

pub(super) fn check(topology: &Topology, reporter: &mut Reporter) {
    let using: Vec<&Peering> = topology
        .peerings
        .iter()
        .filter(|half| half.header.is_managed() && half.use_remote_gateways.is(&true))
        .collect();
    if using.is_empty() {
        return;
    }
    let gateways = gateways(topology);
    for half in using {
        let Some(remote) = half.remote.to() else { continue };
        let own = half.header.resource;
        let before = awaited(topology, own);
        // Where not even the remote network is awaited, the input does not say what waits for what.
        if topology[own].unseen.is_some() || !before.contains(&topology[remote].header.resource) {
            continue;
        }
        let lending = topology[remote].peerings.iter().map(|id| &topology[*id]).find(|other| {
            other.remote.to().is_some()
                && other.remote.to() == half.network.to()
                && other.allow_gateway_transit.is(&true)
        });
        let open = |maker: ResourceId| together(topology, own, maker) && !before.contains(&maker);
        let mut missing: Vec<(ResourceId, &str)> = gateways
            .get(&remote)
            .into_iter()
            .flatten()
            .filter(|gateway| open(**gateway))
            .map(|gateway| (*gateway, "the gateway"))
            .collect();
        // The half that lends the gateway is no hindrance by itself: it may be there without the flag.
        if missing.is_empty() {
            reporter.satisfied();
            continue;
        }
        missing.extend(
            lending
                .map(|other| (other.header.resource, "the half that lends the gateway"))
                .filter(|(maker, _)| open(*maker)),
        );
        let both = missing.iter().any(|(_, what)| *what != "the gateway");
        let mut finding = reporter
            .finding(
                format!(
                    "peering {} uses the gateway of {}, but does not wait for {}",
                    support::label(topology, &half.header),
                    support::label(topology, &topology[remote].header),
                    if both { "the gateway and the half that lends it" } else { "the gateway" },
                ),
                half.header.place,
            )
            .of(&half.header.resource_id)
            .related("the gateway is used here", half.use_remote_gateways.place)
            .advice("Let the peering depend on the gateway and on the other half with `depends_on`.")
            .fix(match missing.as_slice() {
                [(first, what)] => Some(Fix::new(
                    format!("Let the peering wait for {what}"),
                    Change::Await { resource: own, first: *first },
                )),
                _ => None,
            })
            .certain_if(
                half.header.is_certain()
                    && missing.iter().all(|(maker, _)| topology[*maker].uncertain.is_none()),
            );
        for (maker, what) in missing {
            finding = finding.related(format!("{what}, which may come after it"), topology[maker].place);
        }
        reporter.violated(finding);
    }
}

/// The gateways of each network; one that uses several names has one entry.
fn gateways(topology: &Topology) -> BTreeMap<Id<VirtualNetwork>, Vec<ResourceId>> {
    let mut gateways: BTreeMap<_, Vec<ResourceId>> = BTreeMap::new();
    for gateway in &topology.virtual_network_gateways {
        for subnet in gateway.ip_configurations.iter().filter_map(|configuration| configuration.subnet.to()) {
            if let Some(network) = topology[subnet].network.to() {
                let list = gateways.entry(network).or_default();
                if !list.contains(&gateway.header.resource) {
                    list.push(gateway.header.resource);
                }
            }
        }
    }
    gateways
}
