//! Which things are the same: ARM ids with unknown parts, and the index of everything that has a name.

use ecow::EcoString;
use rustc_hash::FxHashMap;

use crate::value::{TemplatePart, Value, ValueKind};

use super::pattern::{Likeness, Pattern, compare};

/// A resource id, taken apart.
#[derive(Clone, Debug)]
pub(super) struct ParsedId {
    /// The subscription.
    pub subscription: Option<Pattern>,
    /// The resource group.
    pub group: Option<Pattern>,
    /// The type in lower case: `microsoft.network/virtualnetworks/subnets`.
    pub arm_type: EcoString,
    /// The names along the type.
    pub names: Vec<Pattern>,
    /// The last of the names as they are spelled, the very last first.
    pub spelled: Vec<EcoString>,
}

impl ParsedId {
    /// Takes the id that a value holds apart, see [`ParsedId::parse`].
    pub fn of(value: &Value) -> Option<Self> {
        let mut parsed = Self::parse(&Pattern::of(value)?)?;
        parsed.spelled = spelled_names(value, parsed.names.len());
        Some(parsed)
    }

    /// Takes an id apart: `/subscriptions/…/resourceGroups/…/providers/NAMESPACE/TYPE/NAME[/TYPE/NAME…]`. Of extension
    /// resources the last `providers` counts. `None` for texts that are not resource ids or whose type is not known.
    pub fn parse(id: &Pattern) -> Option<Self> {
        let mut segments = id.segments();
        while segments.last().is_some_and(Pattern::is_empty) {
            segments.pop();
        }
        let position = segments.iter().rposition(|segment| segment.known() == Some("providers"))?;
        let (scope, rest) = segments.split_at(position);
        let (namespace, path) = rest.get(1..)?.split_first()?;
        if path.is_empty() || path.len() % 2 != 0 {
            return None;
        }
        let mut arm_type = String::from(namespace.known()?);
        let mut names = Vec::with_capacity(path.len() / 2);
        for pair in path.chunks_exact(2) {
            // chunks of exactly two
            arm_type.push('/');
            arm_type.push_str(pair[0].known().filter(|text| !text.is_empty())?);
            if pair[1].is_empty() {
                return None;
            }
            names.push(pair[1].clone());
        }
        let after = |word: &str| {
            let position = scope.iter().position(|segment| segment.known() == Some(word))?;
            scope.get(position + 1).filter(|segment| !segment.is_empty()).cloned()
        };
        Some(Self {
            subscription: after("subscriptions"),
            group: after("resourcegroups"),
            arm_type: arm_type.into(),
            names,
            spelled: Vec::new(),
        })
    }

    /// The id of the resource that this one is a child of.
    pub fn parent(&self) -> Option<ParsedId> {
        let (arm_type, _) = self.arm_type.rsplit_once('/')?;
        let (_, names) = self.names.split_last()?;
        (!names.is_empty()).then(|| ParsedId {
            subscription: self.subscription.clone(),
            group: self.group.clone(),
            arm_type: arm_type.into(),
            names: names.to_vec(),
            spelled: self.spelled.get(1..).unwrap_or_default().to_vec(),
        })
    }
}

/// The names at the end of an id as they are spelled, the very last first: as many as stand in its last known text.
pub(super) fn spelled_names(value: &Value, most: usize) -> Vec<EcoString> {
    let (text, whole) = match &value.kind {
        ValueKind::String(text) => (text.as_str(), true),
        ValueKind::Template(parts) => match parts.last() {
            Some(TemplatePart::Literal(text)) => (text.as_str(), false),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let segments: Vec<&str> = text.trim_end_matches('/').split('/').collect();
    // The first segment of a text behind something unknown may be the end of a longer one.
    let certain = segments.get(usize::from(!whole)..).unwrap_or_default();
    certain.iter().rev().step_by(2).take(most).map(|name| EcoString::from(*name)).collect()
}

/// Something with a name, in the index.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its position in its list.
    pub position: usize,
    /// Its resource group.
    pub group: Option<Pattern>,
    /// Its subscription.
    pub subscription: Option<Pattern>,
    /// The root that declares it; `None` for what is declared nowhere.
    pub root: Option<u32>,
    /// Whether it is made here (not looked up, not elsewhere).
    pub managed: bool,
}

/// What a search in the index gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Search {
    /// This position.
    Found(usize),
    /// There is no such thing.
    Nothing,
    /// There may be: several match, or the unknowns do not exclude it.
    Undecided,
}

/// Who searches: disambiguates things of one name.
pub(super) struct Seeker<'a> {
    /// Its root.
    pub root: u32,
    /// Whether the resource that stands behind a position is among its dependencies.
    pub depends: &'a dyn Fn(usize) -> bool,
}

/// Searching among names with unknown parts compares one by one; beyond this many the answer is "undecided".
const SCAN_LIMIT: usize = 64;

/// Top-level things by type and name.
#[derive(Default)]
pub(super) struct Index {
    by_name: FxHashMap<(&'static str, Pattern), Vec<Entry>>,
    open_names: FxHashMap<&'static str, Vec<(Pattern, Entry)>>,
    /// How many there are of a type.
    counts: FxHashMap<&'static str, usize>,
    all: FxHashMap<&'static str, Vec<(Pattern, Entry)>>,
}

impl Index {
    /// Adds something.
    pub fn insert(&mut self, arm_type: &'static str, name: &Pattern, entry: Entry) {
        if !name.is_known() {
            self.open_names.entry(arm_type).or_default().push((name.clone(), entry.clone()));
        }
        let count = self.counts.entry(arm_type).or_default();
        *count += 1;
        if *count <= SCAN_LIMIT {
            self.all.entry(arm_type).or_default().push((name.clone(), entry.clone()));
        }
        self.by_name.entry((arm_type, name.clone())).or_default().push(entry);
    }

    /// Notes the subscription of something that is declared nowhere, once an id tells it.
    pub fn learn_subscription(
        &mut self,
        arm_type: &'static str,
        name: &Pattern,
        position: usize,
        subscription: Option<&Pattern>,
    ) {
        let Some(subscription) = subscription.filter(|subscription| subscription.is_known()) else { return };
        let entries = self.by_name.get_mut(&(arm_type, name.clone())).into_iter().flatten();
        for entry in entries.filter(|entry| entry.position == position && entry.root.is_none()) {
            if !entry.subscription.as_ref().is_some_and(Pattern::is_known) {
                entry.subscription = Some(subscription.clone());
            }
        }
    }

    /// What a root declares itself under exactly this name and scope.
    pub fn declared_in(
        &self,
        arm_type: &'static str,
        name: &Pattern,
        group: Option<&Pattern>,
        subscription: Option<&Pattern>,
        root: u32,
    ) -> Option<usize> {
        let entries = self.by_name.get(&(arm_type, name.clone()))?;
        let mut own = entries.iter().filter(|entry| {
            entry.managed
                && entry.root == Some(root)
                && entry.group.as_ref() == group
                && entry.subscription.as_ref() == subscription
        });
        let one = own.next()?;
        own.next().is_none().then_some(one.position)
    }

    /// Finds what a name in a resource group and subscription means.
    pub fn search(
        &self,
        arm_type: &'static str,
        name: &Pattern,
        group: Option<&Pattern>,
        subscription: Option<&Pattern>,
        seeker: &Seeker,
    ) -> Search {
        if let Some(entries) = self.by_name.get(&(arm_type, name.clone())) {
            let candidates: Vec<&Entry> = entries
                .iter()
                .filter(|entry| {
                    compare(entry.group.as_ref(), group) != Likeness::Different
                        && compare(entry.subscription.as_ref(), subscription) != Likeness::Different
                        // What is declared nowhere is only the same when its group certainly is.
                        && (entry.root.is_some() || entry.group.as_ref() == group)
                })
                .collect();
            if !candidates.is_empty() {
                return narrow(candidates, group, subscription, seeker);
            }
        }
        // Nothing of this very name: something whose name is not (wholly) known may be meant.
        let possible = |name: &Pattern, other: &Pattern, entry: &Entry| {
            other.compare(name) != Likeness::Different
                && compare(entry.group.as_ref(), group) != Likeness::Different
                && compare(entry.subscription.as_ref(), subscription) != Likeness::Different
        };
        let open = if name.is_known() {
            self.open_names.get(&arm_type).map_or(&[][..], Vec::as_slice)
        } else {
            if self.counts.get(&arm_type).is_some_and(|count| *count > SCAN_LIMIT) {
                return Search::Undecided;
            }
            self.all.get(&arm_type).map_or(&[][..], Vec::as_slice)
        };
        if open.len() > SCAN_LIMIT {
            return Search::Undecided;
        }
        let possible: Vec<&Entry> = open
            .iter()
            .filter(|(other, entry)| possible(name, other, entry))
            .map(|(_, entry)| entry)
            .collect();
        if possible.is_empty() {
            return Search::Nothing;
        }
        // The engine orders the seeker after exactly one of them: that is where its name comes from.
        let depended: Vec<&&Entry> =
            possible.iter().filter(|entry| (seeker.depends)(entry.position)).collect();
        match depended.as_slice() {
            [one] if !name.is_known() => Search::Found(one.position),
            _ => Search::Undecided,
        }
    }
}

/// The one among several of one name that is meant, by what speaks for it: dependency, scope, root.
fn narrow(
    mut candidates: Vec<&Entry>,
    group: Option<&Pattern>,
    subscription: Option<&Pattern>,
    seeker: &Seeker,
) -> Search {
    let tests: [&dyn Fn(&Entry) -> bool; 5] = [
        &|entry| (seeker.depends)(entry.position),
        &|entry| compare(entry.group.as_ref(), group) == Likeness::Same,
        &|entry| compare(entry.subscription.as_ref(), subscription) == Likeness::Same,
        &|entry| entry.root == Some(seeker.root),
        &|entry| entry.managed,
    ];
    for test in tests {
        if candidates.len() > 1 && candidates.iter().any(|entry| test(entry)) {
            candidates.retain(|entry| test(entry));
        }
    }
    match candidates.as_slice() {
        [one] => Search::Found(one.position),
        _ => Search::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_apart_whatever_their_case() {
        let id = "/SUBSCRIPTIONS/0000/resourcegroups/RG/Providers/Microsoft.Network/virtualNetworks/Hub/subnets/Db/";
        let parsed = ParsedId::parse(&Pattern::text(id)).unwrap();
        assert_eq!(parsed.arm_type, "microsoft.network/virtualnetworks/subnets");
        assert_eq!(parsed.group.unwrap().known(), Some("rg"));
        assert_eq!(parsed.names.iter().map(|name| name.known().unwrap()).collect::<Vec<_>>(), ["hub", "db"]);
    }

    #[test]
    fn the_last_provider_counts_for_extension_resources() {
        let id = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/providers/Microsoft.Insights/diagnosticSettings/d";
        let parsed = ParsedId::parse(&Pattern::text(id)).unwrap();
        assert_eq!(parsed.arm_type, "microsoft.insights/diagnosticsettings");
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in
            ["", "db", "/subscriptions/0", "/providers/Microsoft.Network/virtualNetworks", "10.0.0.0/16"]
        {
            assert!(ParsedId::parse(&Pattern::text(text)).is_none(), "{text}");
        }
    }
}
