//! Names of the parts of a load balancer.

use super::front_ends::same;
use crate::rules::{Reporter, support};
use crate::topology::{Declared, Header, LoadBalancer, Topology};

/// Two parts of one kind and one name.
pub(super) fn check(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    let kinds: [(&str, Vec<&Header>); 4] = [
        ("front ends", balancer.frontends.iter().map(|part| &part.header).collect()),
        ("pools", balancer.pools.iter().map(|part| &part.header).collect()),
        ("probes", balancer.probes.iter().map(|part| &part.header).collect()),
        ("rules", balancer.rules.iter().map(|part| &part.header).collect()),
    ];
    for (kind, parts) in kinds {
        for (position, part) in parts.iter().enumerate() {
            let twice = |other: &&&Header| same(&other.name, &part.name) && distinct(topology, other, part);
            let Some(other) = parts.iter().take(position).find(twice) else { continue };
            let message = format!(
                "two {kind} of load balancer {} have the name `{}`",
                support::label(topology, &balancer.header),
                part.name.known().map_or("", |name| name.as_str()),
            );
            let finding = reporter
                .finding(message, part.place)
                .of(&part.resource_id)
                .related_part("the first one", other)
                .related_part("the load balancer", &balancer.header)
                .advice("Give each a name of its own.")
                .certain_if(balancer.header.is_certain() && part.is_certain() && other.is_certain());
            reporter.violated(finding);
        }
    }
}

/// Whether two parts of one name are two: in one list, or two Terraform resources of one configuration. One that is written
/// inline and once more apart, or deployed by two templates, is one.
fn distinct(topology: &Topology, a: &Header, b: &Header) -> bool {
    match (a.declared, b.declared) {
        (Declared::Inline, Declared::Inline) => a.resource == b.resource && a.place != b.place,
        (Declared::Separate, Declared::Separate) => {
            let (a, b) = (&topology[a.resource], &topology[b.resource]);
            a.written_type.starts_with("azurerm_") && a.key != b.key && a.key.root == b.key.root
        }
        _ => false,
    }
}
