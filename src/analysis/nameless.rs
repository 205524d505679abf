//! What is looked up under a name that is not known: it may be any other part of its kind, also one that is declared here.

use std::sync::Arc;

use crate::topology::{Header, Id, Link, Subnet, Topology};
use crate::value::Unknown;

/// Whether a link leads to a part.
#[derive(Clone, Copy, Debug)]
pub enum Leads<'a> {
    /// It does.
    Yes,
    /// It leads to another part, or to none.
    No,
    /// It may: it is not known where it leads, or one of the two has no known name.
    Perhaps(&'a Arc<Unknown>),
}

/// Why a part that is only looked up may be any other one of its kind.
pub fn why(header: &Header) -> Option<&Arc<Unknown>> {
    header.name.unknown().filter(|_| !header.is_managed())
}

/// Why two different parts may be one and the same.
pub fn may_be_one<'a>(one: &'a Header, other: &'a Header) -> Option<&'a Arc<Unknown>> {
    why(one).or_else(|| why(other))
}

/// Whether a link leads to a part, when asked for the headers of parts.
pub fn leads<'a, T>(link: &'a Link<T>, part: Id<T>, header: impl Fn(Id<T>) -> &'a Header) -> Leads<'a> {
    match (link.to(), link.unknown()) {
        (Some(to), _) if to == part => Leads::Yes,
        (Some(to), _) => may_be_one(header(to), header(part)).map_or(Leads::No, Leads::Perhaps),
        (None, Some(why)) => Leads::Perhaps(why),
        (None, None) => Leads::No,
    }
}

/// Why a subnet may be declared once more, under a network without a known name.
pub fn twin<'a>(topology: &'a Topology, subnet: &Subnet) -> Option<&'a Arc<Unknown>> {
    let name = subnet.header.name.known()?;
    topology
        .subnets
        .iter()
        .filter(|other| other.header.name.known().is_some_and(|other| other.eq_ignore_ascii_case(name)))
        .find_map(|other| why(&topology[other.network.to()?].header))
}
