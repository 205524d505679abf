//! The private DNS zones that private endpoints resolve through.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::Confidence;

/// The zones of one sub-resource of one type of target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateLinkZones {
    /// What people call the target.
    pub service: String,
    /// The target's ARM type.
    pub arm_type: EcoString,
    /// The sub-resources (group ids), in documented spelling. Words in braces stand for names that the user chose.
    pub group_ids: Vec<EcoString>,
    /// The zones by cloud (`commercial`, `usgov`, `china`), with words in braces for what differs.
    pub zones: BTreeMap<String, Vec<String>>,
    /// Whether all the zones are needed, not one of them.
    #[serde(default)]
    pub all_zones_required: bool,
    /// Where the row comes from.
    pub sources: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// All rows, in the order of the table.
pub fn all() -> &'static [PrivateLinkZones] {
    static TABLE: OnceLock<Vec<PrivateLinkZones>> = OnceLock::new();
    TABLE.get_or_init(|| super::rows(include_str!("data/private_dns_zones.json")))
}

/// The rows of a target's type, in any case.
pub fn of_type(arm_type: &str) -> impl Iterator<Item = &'static PrivateLinkZones> + '_ {
    all().iter().filter(move |row| row.arm_type.eq_ignore_ascii_case(arm_type))
}

/// The rows of a target's type and sub-resource, in any case. A web app's slots (`sites-staging`) belong to `sites`.
pub fn of_group<'a>(
    arm_type: &'a str,
    group_id: &'a str,
) -> impl Iterator<Item = &'static PrivateLinkZones> + 'a {
    of_type(arm_type).filter(move |row| row.group_ids.iter().any(|own| matches(own, group_id)))
}

impl PrivateLinkZones {
    /// Whether a zone's name is one of those of the row, in any cloud.
    pub fn accepts(&self, zone: &str) -> bool {
        self.zones.values().flatten().any(|pattern| matches(pattern, zone))
    }

    /// The same, in one cloud; in any where none are documented for it.
    pub fn accepts_in(&self, cloud: &str, zone: &str) -> bool {
        match self.zones_in(cloud) {
            [] => self.accepts(zone),
            zones => zones.iter().any(|pattern| matches(pattern, zone)),
        }
    }

    /// The zones of a cloud.
    pub fn zones_in(&self, cloud: &str) -> &[String] {
        self.zones.get(cloud).map_or(&[], Vec::as_slice)
    }

    /// The zones of the public cloud, for messages.
    pub fn usual_zones(&self) -> &[String] {
        self.zones_in(COMMERCIAL)
    }
}

/// The public cloud, as [`PrivateLinkZones::zones`] calls it.
pub const COMMERCIAL: &str = "commercial";

/// The cloud that a region (`westeurope`) is in; `None` for a region of which that is not known.
pub fn cloud_of(location: &str) -> Option<&'static str> {
    let starts = |starts: &[&str]| starts.iter().any(|start| location.starts_with(start));
    if starts(&["usgov", "usdod"]) {
        return Some("usgov");
    }
    if starts(&["china"]) {
        return Some("china");
    }
    // What tags spell a suffix for is a region of the public cloud.
    let known =
        super::tags::service_tags().regions.iter().any(|region| region.location.as_deref() == Some(location));
    (known && !starts(&["ussec", "usnat"])).then_some(COMMERCIAL)
}

/// Whether a text is a pattern's: words in braces stand for one or more characters other than dots. Case and a final dot
/// do not matter.
pub fn matches(pattern: &str, text: &str) -> bool {
    fn labels(pattern: &str, text: &str) -> bool {
        let mut patterns = pattern.split('.');
        let mut texts = text.split('.');
        loop {
            match (patterns.next(), texts.next()) {
                (None, None) => return true,
                (Some(pattern), Some(text)) if label(pattern, text) => {}
                _ => return false,
            }
        }
    }
    fn label(pattern: &str, text: &str) -> bool {
        let Some((before, rest)) = pattern.split_once('{') else { return pattern == text };
        let after = rest.split_once('}').map_or("", |(_, after)| after);
        text.len() > before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
    }
    labels(&pattern.to_ascii_lowercase(), &text.trim_end_matches('.').to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_sourced_and_its_zones_are_names() {
        assert!(all().len() > 80);
        for row in all() {
            assert!(!row.sources.is_empty(), "{}", row.service);
            for zone in row.zones.values().flatten() {
                assert!(
                    zone.contains('.') && !zone.contains(' ') && zone == &zone.to_lowercase()
                        || zone.contains('{'),
                    "{zone}"
                );
            }
        }
    }

    #[test]
    fn words_in_braces_stand_for_one_label() {
        assert!(matches("privatelink.{regionName}.azmk8s.io", "privatelink.westeurope.azmk8s.io"));
        assert!(!matches("privatelink.{regionName}.azmk8s.io", "privatelink.a.b.azmk8s.io"));
        assert!(matches("privatelink.blob.core.windows.net", "Privatelink.Blob.core.windows.net."));
        assert!(matches("sites-{slotName}", "sites-staging"));
        assert!(!matches("privatelink.blob.core.windows.net", "privatelink.file.core.windows.net"));
    }

    #[test]
    fn a_blob_endpoint_resolves_through_the_blob_zone() {
        let rows: Vec<_> = of_group("microsoft.storage/STORAGEACCOUNTS", "blob").collect();
        assert_eq!(rows.len(), 1);
        assert!(
            rows[0].accepts("privatelink.blob.core.windows.net")
                && rows[0].accepts("privatelink.blob.core.usgovcloudapi.net")
        );
        assert!(!rows[0].accepts("privatelink.file.core.windows.net"));
    }
}
