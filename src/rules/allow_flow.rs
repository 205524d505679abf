//! The security rule that lets a required flow pass: for fixes.

use ecow::EcoString;

use crate::azure::flows::{FlowDirection, FlowEndpoint, RequiredFlow, TagRegion};
use crate::azure::tags::service_tags;
use crate::finding::{Change, Fix, NewRule};
use crate::net::{PortSet, ProtocolSet};
use crate::topology::{Access, Direction, Id, ResourceNode, SecurityGroup, SecurityRule, Subnet, Topology};

/// The priorities that a user's rule may have.
const PRIORITIES: std::ops::RangeInclusive<i64> = 100..=4096;

/// How far apart authors like to put priorities.
const STEP: i64 = 10;

/// An allow for a flow, before the rule that drops it if there is one. `None` where an end is not a prefix, a tag or
/// anything, or where no priority is known to be free.
pub(super) fn fix(
    topology: &Topology,
    id: Id<SecurityGroup>,
    subnet: &Subnet,
    resource: &ResourceNode,
    required: &RequiredFlow,
    dropped_by: Option<&SecurityRule>,
) -> Option<Fix> {
    let group = &topology[id];
    if !group.rules.is_complete() {
        return None;
    }
    let direction = match required.direction {
        FlowDirection::Inbound => Direction::Inbound,
        FlowDirection::Outbound => Direction::Outbound,
    };
    let mut taken = Vec::new();
    let mut names = Vec::new();
    for rule in group.rules.known() {
        if *rule.direction.known()? == direction {
            taken.push(*rule.priority.known()?);
        }
        names.extend(rule.header.name.known());
    }
    let before = match dropped_by {
        Some(rule) => Some(*rule.priority.known()?),
        None => None,
    };
    let protocol = ["Tcp", "Udp", "*"]
        .into_iter()
        .find(|text| ProtocolSet::parse(text) == Some(required.protocols()))?;
    let rule = NewRule {
        name: name(&required.id, &names),
        priority: priority(&taken, before)?,
        direction,
        access: Access::Allow,
        protocol: protocol.into(),
        source: end(&required.from, subnet, resource)?,
        destination: end(&required.to, subnet, resource)?,
        ports: ports(&required.port_set()?)?,
    };
    let title = match before {
        Some(_) => "Allow the flow above the rule that drops it",
        None => "Allow the flow",
    };
    Some(Fix::new(title, Change::AddRule { group: id, rule }))
}

/// A free priority before a rule, or behind all of them.
fn priority(taken: &[i64], before: Option<i64>) -> Option<i64> {
    let is_free = |wanted: &i64| PRIORITIES.contains(wanted) && !taken.contains(wanted);
    let Some(before) = before else {
        let last = taken.iter().max().map_or(*PRIORITIES.start(), |last| last + STEP);
        return Some(last).filter(is_free).or_else(|| PRIORITIES.rev().find(is_free));
    };
    let room = (before - STEP..before).all(|priority| is_free(&priority));
    if room {
        return Some(before - STEP);
    }
    // The nearest one, so that it stands before as little else as can be.
    (*PRIORITIES.start()..before).rev().find(is_free)
}

/// `postgresql-flexible.ha-in` as `AllowPostgresqlFlexibleHaIn`.
fn name(flow: &str, taken: &[&EcoString]) -> EcoString {
    let mut name = String::from("Allow");
    for word in flow.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    // Azure takes names of up to 80 characters.
    name.truncate(76);
    let is_taken = |name: &str| taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    let mut free = name.clone();
    let mut number = 2;
    while is_taken(&free) {
        free = format!("{name}-{number}");
        number += 1;
    }
    free.into()
}

fn end(endpoint: &FlowEndpoint, subnet: &Subnet, resource: &ResourceNode) -> Option<EcoString> {
    Some(match endpoint {
        FlowEndpoint::SelfSubnet => match subnet.prefixes.items.as_slice() {
            [prefix] if subnet.prefixes.is_complete() => prefix.known()?.text.clone(),
            _ => return None,
        },
        FlowEndpoint::Tag { value, region: Some(TagRegion::Own) } => {
            let location = resource.location.known();
            location
                .and_then(|location| service_tags().regional(value, location))
                .unwrap_or_else(|| value.as_str().into())
        }
        FlowEndpoint::Tag { value, region: None } => value.as_str().into(),
        FlowEndpoint::Any => "*".into(),
        FlowEndpoint::Ip { value } => value.to_string().into(),
        _ => return None,
    })
}

fn ports(ports: &PortSet) -> Option<Vec<EcoString>> {
    // An allow of everything would leave nothing of the deny: which of the two is meant, is for the author to say.
    if ports.is_full() || ports.is_empty() {
        return None;
    }
    Some(ports.to_string().split(", ").map(EcoString::from).collect())
}
