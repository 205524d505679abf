//! What makes a finding the same finding in the next run, after lines have moved and words have changed.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::report::Finding;

/// Gives each finding of a run its fingerprint.
#[derive(Default)]
pub struct Fingerprints {
    seen: HashMap<String, usize>,
}

impl Fingerprints {
    /// The rule, the root, the resource, the part of it, and the other resources that take part; neither lines nor words.
    /// Findings that agree in all of these are numbered in the order of the report.
    pub fn of(&mut self, finding: &Finding) -> String {
        let mut hash = Sha256::new();
        let place = &finding.place;
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        add(finding.rule);
        add(&place.root);
        add(&place.resource);
        add(place.resource_id.as_deref().unwrap_or_default());
        let mut others: Vec<(&str, &str)> = finding
            .related
            .iter()
            .filter(|other| {
                (&other.place.resource, &other.place.resource_id) != (&place.resource, &place.resource_id)
            })
            .map(|related| {
                (related.place.resource.as_str(), related.place.resource_id.as_deref().unwrap_or_default())
            })
            .collect();
        others.sort_unstable();
        others.dedup();
        for (resource, id) in others {
            add(resource);
            add(id);
        }
        let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let count = self.seen.entry(hex.clone()).or_default();
        *count += 1;
        format!("{hex}:{count}")
    }
}
