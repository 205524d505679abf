//! What makes a finding the same finding in the next run, after lines, files and words have changed.
//!
//! A fingerprint is made of the rule, the parts of the network that take part, and the attributes of theirs that the finding
//! points at. Not of lines, files, roots, words, or which of the parts the finding starts at: which of two overlapping
//! subnets is the second one depends on the order of blocks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use crate::finding;
use crate::source::Span;
use crate::topology::{Declared, Place, ResourceNode, State, Topology};
use crate::value::{Value, ValueKind};

use super::Finding;

/// Makes fingerprints of findings about one model.
pub(super) struct Fingerprints<'a> {
    topology: &'a Topology,
    /// The ARM paths of resources that are children of others: the model knows the parent where the resource alone has
    /// only a reference to it.
    children: HashMap<usize, &'a String>,
}

impl<'a> Fingerprints<'a> {
    pub(super) fn new(topology: &'a Topology) -> Self {
        let headers = (topology.subnets.iter().map(|part| &part.header))
            .chain(topology.peerings.iter().map(|part| &part.header))
            .chain(topology.zone_links.iter().map(|part| &part.header))
            .chain(topology.zone_records.iter().map(|part| &part.header))
            .chain(
                topology
                    .security_groups
                    .iter()
                    .flat_map(|group| group.rules.known())
                    .map(|rule| &rule.header),
            );
        let separate = headers.filter(|header| header.declared == Declared::Separate);
        let children =
            separate.filter_map(|header| Some((header.resource.index(), header.resource_id.as_ref()?)));
        Self { topology, children: children.collect() }
    }

    /// The fingerprint of a finding without regard to others: findings that agree in all that it is made of share it.
    pub(super) fn of(&self, finding: &finding::Finding) -> String {
        let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
        let mut add = |place: Place, resource_id: Option<&String>| {
            let index = place.resource.index();
            let part = parts.entry(index).or_default();
            if let Some(resource) = self.topology.resources.get(index) {
                part.attributes.extend(attribute(resource, place));
            }
            part.named.extend(resource_id.map(|id| self.identity(index, Some(id))));
        };
        for (place, resource_id) in &finding.between {
            add(*place, resource_id.as_ref());
        }
        if finding.between.is_empty() {
            add(finding.place, finding.resource_id.as_ref());
            // What a plan removes has its place in another model.
            for related in finding.related.iter().filter(|related| !related.before) {
                add(related.place, related.resource_id.as_ref());
            }
        }
        let mut identities = BTreeSet::new();
        let mut attributes = BTreeSet::new();
        for (index, part) in parts {
            // The finding says better than the resource which part of it is meant.
            if part.named.is_empty() {
                identities.insert(self.identity(index, None));
            }
            identities.extend(part.named);
            attributes.extend(part.attributes);
        }
        // Between two parts, the attribute is that of the one at which the finding happens to start.
        if identities.len() > 1 {
            attributes.clear();
        }
        let mut hash = Sha256::new();
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        text(finding.rule);
        for part in identities.iter().chain(&attributes) {
            text(part);
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Which part of the network this is: its ARM path where that is wholly known, which survives a move into a module;
    /// else the address as well.
    fn identity(&self, index: usize, resource_id: Option<&String>) -> String {
        let Some(resource) = self.topology.resources.get(index) else {
            return resource_id.cloned().unwrap_or_default();
        };
        let own = || self.children.get(&index).copied().or(resource.resource_id.as_ref());
        let path = resource_id.or_else(own).map(|id| id.to_lowercase()).unwrap_or_default();
        if path.is_empty() || path.split('/').any(|name| name == "?") {
            return format!("{} {path}", resource.key.address);
        }
        match &resource.resource_group.state {
            State::Known(group) => format!("{}/{path}", group.to_lowercase()),
            _ => path,
        }
    }
}

/// What a finding says about one resource.
#[derive(Default)]
struct Part {
    /// The parts of it that the finding names.
    named: BTreeSet<String>,
    /// The attributes of it that the finding points at.
    attributes: BTreeSet<String>,
}

/// Numbers findings that share a fingerprint, so that each has its own: certain ones first, then by root and words, so that
/// moving blocks does not change the numbers.
pub(super) fn number(findings: &mut [Finding]) {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    let by = |finding: &Finding| {
        (
            std::cmp::Reverse(finding.confidence),
            finding.place.root.clone(),
            finding.message.clone(),
            finding.place.resource.clone(),
        )
    };
    order.sort_by_cached_key(|index| findings.get(*index).map(by));
    let mut seen: HashMap<String, usize> = HashMap::new();
    for index in order {
        if let Some(finding) = findings.get_mut(index) {
            let count = seen.entry(finding.fingerprint.clone()).or_default();
            *count += 1;
            finding.fingerprint.push_str(&format!(":{count}"));
        }
    }
}

/// Deeper than configuration is; values come from evaluation, which has its own limit.
const DEPTH: usize = 64;

/// The way through a resource's arguments to what a place points at; `None` for the resource as a whole. Elements of lists
/// go by their name or value instead of their position.
fn attribute(resource: &ResourceNode, place: Place) -> Option<String> {
    if !place.site.is_somewhere() {
        return None;
    }
    let mut search = Search { place, found: None };
    search.visit(&resource.body, Span::NOWHERE, "", 0);
    search.found.map(|(_, path)| path).filter(|path| !path.is_empty())
}

struct Search {
    place: Place,
    /// How well it fits, and the way.
    found: Option<(u8, String)>,
}

impl Search {
    fn visit(&mut self, value: &Value, used: Span, path: &str, depth: usize) {
        if depth > DEPTH {
            return;
        }
        if used == self.place.site || value.span == self.place.site {
            let fits = 1 + u8::from(value.span == self.place.origin);
            // Of equals the outermost counts, so that an attribute is not confused with its only element.
            if self.found.as_ref().is_none_or(|(best, _)| *best < fits) {
                self.found = Some((fits, path.to_string()));
            }
        }
        match &value.kind {
            ValueKind::Mapping(mapping) => {
                for (name, entry) in &mapping.entries {
                    let path = format!("{path}.{}", name.to_lowercase());
                    self.visit(&entry.value, entry.span, &path, depth + 1);
                }
            }
            ValueKind::Sequence(sequence) => {
                for item in &sequence.items {
                    self.visit(item, used, &format!("{path}[{}]", element(item)), depth + 1);
                }
            }
            _ => {}
        }
    }
}

/// How an element of a list is called. A sensitive value is not: a short one could be guessed from the fingerprint.
fn element(item: &Value) -> String {
    if item.sensitive {
        return String::new();
    }
    match &item.kind {
        ValueKind::String(text) => text.to_lowercase().into(),
        ValueKind::Number(number) => number.to_string(),
        ValueKind::Mapping(_) => match item.get("name") {
            Some(name) if !name.sensitive => name.as_str().unwrap_or_default().to_lowercase(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}
