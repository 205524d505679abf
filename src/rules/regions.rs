//! What the rules on regions share: the regions of two resources that must be in the same one.

use std::sync::Arc;

use super::{Context, Reporter, support};
use crate::finding::{Finding, Severity};
use crate::topology::{Declared, Field, Header, Place, ResourceId, ResourceNode, Topology};
use crate::value::{Cause, Unknown};

/// One end of a connection between resources of one region.
#[derive(Clone, Copy)]
pub struct End<'a> {
    /// The part of the model.
    pub header: &'a Header,
    /// What it is: "network interface".
    pub what: &'a str,
}

/// Whether two regions are the same one.
enum Verdict {
    Same,
    Different,
    Unknown(Arc<Unknown>),
    /// One of them says nothing of a region.
    Nothing,
}

fn verdict(a: &Field<ecow::EcoString>, b: &Field<ecow::EcoString>) -> Verdict {
    match (a.known(), b.known()) {
        (Some(a), Some(b)) if !is_region(a) || !is_region(b) => Verdict::Nothing,
        (Some(a), Some(b)) if a == b => Verdict::Same,
        (Some(_), Some(_)) => Verdict::Different,
        _ => match (a.unknown(), b.unknown()) {
            (Some(a), Some(b)) if same_unknown(a, b) => Verdict::Same,
            (Some(why), _) | (_, Some(why)) => Verdict::Unknown(Arc::clone(why)),
            _ => Verdict::Nothing,
        },
    }
}

/// Whether two unknowns are one and the same value: the same variable, the same attribute.
fn same_unknown(a: &Unknown, b: &Unknown) -> bool {
    !matches!(a.cause, Cause::Derived(_) | Cause::Error(_)) && a.cause == b.cause
}

/// The name of a region and nothing else: letters, then digits. What is only global has none.
fn is_region(text: &str) -> bool {
    text != "global" && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The resource of a part that is declared in the input; what is only named says nothing of a region.
fn declared<'a>(topology: &'a Topology, header: &Header) -> Option<&'a ResourceNode> {
    (header.declared != Declared::Elsewhere).then(|| &topology[header.resource])
}

/// Judges one connection: `first` joins `second` at `place`.
pub fn judge(context: &Context, reporter: &mut Reporter, first: End, second: End, place: Place) {
    let topology = context.topology;
    let (Some(one), Some(other)) = (declared(topology, first.header), declared(topology, second.header))
    else {
        return;
    };
    judge_nodes(reporter, topology, first, one, second, other, place);
}

/// Judges a resource, and not a part of the model, that joins `second` at `place`.
pub fn judge_resource(
    context: &Context,
    reporter: &mut Reporter,
    (resource, what): (ResourceId, &str),
    second: End,
    place: Place,
) {
    let topology = context.topology;
    let Some(other) = declared(topology, second.header) else { return };
    let node = &topology[resource];
    let header = Header {
        resource,
        place: node.place,
        name: node.name.clone(),
        declared: Declared::Separate,
        uncertain: node.uncertain.clone(),
        resource_id: node.resource_id.clone(),
    };
    judge_nodes(reporter, topology, End { header: &header, what }, node, second, other, place);
}

/// Whether another resource of the same type has the same name, as where a template gives placeholders for names.
fn is_ambiguous(topology: &Topology, node: &ResourceNode) -> bool {
    let (Some(arm_type), Some(name)) = (&node.arm_type, node.name.known()) else { return false };
    topology.resources.iter().any(|other| {
        other.key != node.key
            && other.key.root == node.key.root
            && other.arm_type.as_ref() == Some(arm_type)
            && other.name.known().is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
}

fn judge_nodes(
    reporter: &mut Reporter,
    topology: &Topology,
    first: End,
    one: &ResourceNode,
    second: End,
    other: &ResourceNode,
    place: Place,
) {
    if one.key == other.key {
        return;
    }
    match verdict(&one.location, &other.location) {
        Verdict::Nothing => {}
        Verdict::Same => reporter.satisfied(),
        Verdict::Unknown(why) => reporter.undecided(place, &why),
        // Two resources of one name: which of them is meant is a guess.
        Verdict::Different if is_ambiguous(topology, one) || is_ambiguous(topology, other) => {}
        Verdict::Different => {
            let finding = finding(reporter, topology, first, one, second, other, place);
            reporter.violated(finding);
        }
    }
}

fn finding(
    reporter: &Reporter,
    topology: &Topology,
    first: End,
    one: &ResourceNode,
    second: End,
    other: &ResourceNode,
    place: Place,
) -> Finding {
    let region = |node: &ResourceNode| node.location.known().cloned().unwrap_or_default();
    reporter
        .finding_with(
            Severity::Error,
            format!(
                "{} {} is in region {}, but {} {} is in {}",
                first.what,
                support::label(topology, first.header),
                region(one),
                second.what,
                support::label(topology, second.header),
                region(other),
            ),
            one.location.place,
        )
        .of(&first.header.resource_id)
        .related("they are connected here", place)
        .related("the other region", other.location.place)
        .advice("Put both into one region.")
        .certain_if(first.header.is_certain() && second.header.is_certain())
}
