//! Whether conditions of the knowledge base hold of a resource's properties.

use std::sync::Arc;

use crate::azure::conditions::{Condition, Wanted};
use crate::topology::{Place, ResourceNode};
use crate::value::{Unknown, ValueKind};

/// Whether conditions hold.
pub enum Verdict {
    /// It holds; where the properties are that say so.
    Yes(Vec<Place>),
    /// One of them does not hold.
    No,
    /// It is not known, for this reason.
    Unknown(Arc<Unknown>),
}

/// Whether every condition holds. One that certainly does not hold settles it.
pub fn stand(when: &[Condition], target: &ResourceNode) -> Verdict {
    let mut places = Vec::new();
    let mut because = None;
    for condition in when {
        match holds(condition, target) {
            Verdict::No => return Verdict::No,
            Verdict::Unknown(why) => because = because.or(Some(why)),
            Verdict::Yes(more) => places.extend(more),
        }
    }
    because.map_or(Verdict::Yes(places), Verdict::Unknown)
}

fn holds(condition: &Condition, target: &ResourceNode) -> Verdict {
    let values = target.values(&condition.terraform, &condition.arm);
    if values.is_absent() {
        return match condition.is.accepts_absence() {
            true => Verdict::Yes(Vec::new()),
            false => Verdict::No,
        };
    }
    let mut because = values.unknown.clone();
    let mut places = Vec::new();
    for (value, place) in &values.found {
        let fulfilled = match (&value.kind, &condition.is) {
            // May turn out to be null.
            (ValueKind::Unknown(why), _) => {
                because = because.or(Some(Arc::clone(why)));
                continue;
            }
            (_, Wanted::Present) => true,
            (_, Wanted::Absent) => false,
            (ValueKind::Bool(value), _) => condition.is.accepts(if *value { "true" } else { "false" }),
            _ => match value.as_str() {
                Some(text) => condition.is.accepts(text),
                None => {
                    because = because.or_else(|| value.first_unknown());
                    continue;
                }
            },
        };
        if fulfilled {
            places.push(*place);
        } else if !condition.is.asks_each() {
            return Verdict::No;
        }
    }
    match because {
        _ if !places.is_empty() => Verdict::Yes(places),
        Some(why) => Verdict::Unknown(why),
        None => Verdict::No,
    }
}
