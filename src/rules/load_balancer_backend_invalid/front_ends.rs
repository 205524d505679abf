//! The front ends of a load balancer, and what its rules do with them.

use crate::analysis::entries::protocols;
use crate::rules::{Reporter, support};
use crate::topology::{Field, Header, LoadBalancer, Topology};

pub(super) fn check(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    missing(topology, reporter, balancer);
    named(topology, reporter, balancer);
    same_port(topology, reporter, balancer);
    all_ports(topology, reporter, balancer);
    outbound(topology, reporter, balancer);
}

/// Rules and NAT rules that name a front end that the load balancer does not have.
fn named(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    let names: Option<Vec<&str>> =
        balancer.frontends.iter().map(|end| end.header.name.known().map(|name| name.as_str())).collect();
    let Some(names) = names.filter(|names| !names.is_empty() && !balancer.incomplete) else { return };
    let rules = balancer.rules.iter().map(|rule| (&rule.header, &rule.frontend));
    let nat_rules = balancer.nat_rules.iter().map(|rule| (&rule.header, &rule.frontend));
    for (header, frontend) in rules.chain(nat_rules) {
        let Some(name) = frontend.known() else { continue };
        if names.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            continue;
        }
        let message = format!(
            "rule {} names front end `{name}`, which load balancer {} does not have; it has `{}`",
            support::label(topology, header),
            support::label(topology, &balancer.header),
            names.join("`, `")
        );
        let finding = reporter
            .finding(message, frontend.place)
            .of(&header.resource_id)
            .related_part("the load balancer", &balancer.header)
            .advice("Name one of its front ends.")
            .certain_if(balancer.header.is_certain() && header.is_certain());
        reporter.violated(finding);
    }
}

/// Pools, probes and rules of a load balancer without a front end.
fn missing(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    if !balancer.frontends.is_empty() || balancer.incomplete {
        return;
    }
    let pools = balancer.pools.iter().map(|part| &part.header);
    let parts = pools
        .chain(balancer.probes.iter().map(|part| &part.header))
        .chain(balancer.rules.iter().map(|part| &part.header))
        .chain(balancer.nat_rules.iter().map(|part| &part.header));
    let Some(part) = parts.into_iter().find(|part| part.is_certain()) else { return };
    let message = format!(
        "load balancer {} has no front end, but {} belongs to it",
        support::label(topology, &balancer.header),
        support::label(topology, part)
    );
    let finding = reporter
        .finding(message, balancer.header.place)
        .of(&balancer.header.resource_id)
        .related_part("the part", part)
        .advice("Give the load balancer a front-end address.")
        .certain_if(balancer.header.is_certain());
    reporter.violated(finding);
}

/// Whether two are known to be one name.
pub(super) fn same(a: &Field<ecow::EcoString>, b: &Field<ecow::EcoString>) -> bool {
    a.known().zip(b.known()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// A port of a front end that a rule takes.
struct Taken<'a> {
    header: &'a Header,
    frontend: &'a Field<ecow::EcoString>,
    port: &'a Field<i64>,
    protocol: &'a Field<ecow::EcoString>,
}

/// Two rules that take one port of one front end.
fn same_port(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    let rules = balancer.rules.iter().map(|rule| Taken {
        header: &rule.header,
        frontend: &rule.frontend,
        port: &rule.frontend_port,
        protocol: &rule.protocol,
    });
    let nat_rules = balancer.nat_rules.iter().map(|rule| Taken {
        header: &rule.header,
        frontend: &rule.frontend,
        port: &rule.frontend_port,
        protocol: &rule.protocol,
    });
    let taken: Vec<Taken> = rules.chain(nat_rules).collect();
    for (position, rule) in taken.iter().enumerate() {
        // Port 0 stands for all of them, which `all_ports` looks at.
        let Some(port) = rule.port.known().copied().filter(|port| *port > 0) else { continue };
        let other = taken.iter().take(position).find(|other| {
            let overlap = protocols(rule.protocol)
                .zip(protocols(other.protocol))
                .is_some_and(|(mine, theirs)| !mine.intersect(theirs).is_empty());
            // Of one name it is one rule, deployed twice; a name that is not known may be any.
            let distinct = rule.header.name.known().is_some()
                && other.header.name.known().is_some()
                && !same(&rule.header.name, &other.header.name);
            distinct && overlap && other.port.is(&port) && same(rule.frontend, other.frontend)
        });
        let Some(other) = other else { continue };
        let message = format!(
            "rules {} and {} of load balancer {} both take port {port} of front end `{}`",
            support::label(topology, other.header),
            support::label(topology, rule.header),
            support::label(topology, &balancer.header),
            rule.frontend.known().map_or("", |name| name.as_str()),
        );
        let finding = reporter
            .finding(message, rule.port.place)
            .of(&rule.header.resource_id)
            .related_part("the other rule", other.header)
            .related_part("the load balancer", &balancer.header)
            .advice("Give the rules different front-end ports, or front ends.")
            .certain_if([&balancer.header, rule.header, other.header].into_iter().all(Header::is_certain));
        reporter.violated(finding);
    }
}

/// Rules for all ports of a public front end.
fn all_ports(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    for rule in &balancer.rules {
        let all = rule.protocol.is(&"All".into()) && rule.frontend_port.is(&0);
        let frontend = balancer.frontends.iter().find(|end| same(&end.header.name, &rule.frontend));
        let Some(frontend) = frontend.filter(|end| all && end.public_ip.to().is_some()) else { continue };
        let message = format!(
            "rule {} sends all ports of public front end `{}` of load balancer {}; only internal ones take such a rule",
            support::label(topology, &rule.header),
            rule.frontend.known().map_or("", |name| name.as_str()),
            support::label(topology, &balancer.header),
        );
        let finding = reporter
            .finding(message, rule.frontend_port.place)
            .of(&rule.header.resource_id)
            .related("the public address", frontend.public_ip.place)
            .related_part("the load balancer", &balancer.header)
            .advice("Write a rule for each port that is needed, or use an internal load balancer.")
            .certain_if(balancer.header.is_certain() && rule.header.is_certain());
        reporter.violated(finding);
    }
}

/// Rules that keep the address of their front end for outbound traffic where an outbound rule uses it.
fn outbound(topology: &Topology, reporter: &mut Reporter, balancer: &LoadBalancer) {
    for rule in balancer.rules.iter().filter(|rule| rule.outbound_snat_disabled.is(&false)) {
        let uses = |frontend: &Field<ecow::EcoString>| same(frontend, &rule.frontend);
        let outbound =
            balancer.outbound_rules.iter().find(|outbound| outbound.frontends.items.iter().any(uses));
        let Some(outbound) = outbound else { continue };
        let message = format!(
            "rule {} of load balancer {} uses front end `{}` for outbound traffic, and so does outbound rule {}",
            support::label(topology, &rule.header),
            support::label(topology, &balancer.header),
            rule.frontend.known().map_or("", |name| name.as_str()),
            support::label(topology, &outbound.header),
        );
        let finding = reporter
            .finding(message, rule.frontend.place)
            .of(&rule.header.resource_id)
            .related_part("the outbound rule", &outbound.header)
            .related_part("the load balancer", &balancer.header)
            .advice("Set `disable_outbound_snat` (`disableOutboundSnat`) of the rule, or give the outbound rule a front end of its own.")
            .certain_if(
                [&balancer.header, &rule.header, &outbound.header].into_iter().all(Header::is_certain),
            );
        reporter.violated(finding);
    }
}
