//! Service tags: names for sets of addresses that Microsoft publishes and changes weekly.
//!
//! The addresses themselves are not kept here: they would be out of date. What is kept is which tags exist, where they may
//! be used, and which contain which.

use std::collections::HashMap;
use std::sync::OnceLock;

use ecow::EcoString;
use serde::Deserialize;

use super::{Confidence, Sources};

/// The table of service tags.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTags {
    /// What the table holds.
    pub about: String,
    /// The tags, in the order of the file.
    pub tags: Vec<ServiceTag>,
    classic_names: Vec<ClassicName>,
    /// How regions are written in tags.
    pub regions: Vec<Region>,
    /// Tags whose regional forms are not wholly inside `AzureCloud` of the region.
    regional_outside_own_azure_cloud: Vec<String>,
    /// Where the rows come from.
    pub sources: Sources,
    /// From lower-case names to places in `tags`.
    #[serde(skip)]
    by_name: HashMap<String, usize>,
}

/// One service tag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceTag {
    /// As documented: `AzureKeyVault`.
    pub name: EcoString,
    /// What sort of tag it is.
    pub kind: TagKind,
    /// What it stands for, in a few words.
    #[serde(default)]
    pub purpose: String,
    /// Whether its addresses are inside `AzureCloud`; `None` where that has no meaning.
    pub inside_azure_cloud: Option<InsideAzureCloud>,
    /// Whether rules may name it with a region, as `Storage.WestEurope`.
    #[serde(default)]
    pub regional: bool,
    /// Whether security rules may name it.
    pub in_security_rules: bool,
    /// Whether routes may name it; `None` where documents disagree.
    pub in_routes: Option<bool>,
    /// Other tags that its service needs as well.
    #[serde(default)]
    pub depends_on: Vec<EcoString>,
    /// Tags that contain it, besides `AzureCloud` and `Internet`.
    #[serde(default)]
    pub inside: Vec<EcoString>,
    /// Key of [`ServiceTags::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// What sort of tag it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagKind {
    /// Public addresses of a service.
    Service,
    /// Computed for each network: `VirtualNetwork`, `Internet`, `AzureLoadBalancer`.
    Special,
    /// Platform services of the host, named only to deny them.
    Platform,
}

/// How much of a tag is inside `AzureCloud`, by the published file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InsideAzureCloud {
    /// Every address.
    Wholly,
    /// Most addresses, not all.
    Partly,
    /// Not most of them.
    No,
    /// It is `AzureCloud`.
    Itself,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassicName {
    classic: String,
    name: EcoString,
}

/// How a region is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// In `location` properties: `westeurope`.
    pub location: Option<String>,
    /// After the dot of most tags: `WestEurope`.
    pub suffix: Option<EcoString>,
    /// After `AzureCloud.`: `westeurope`; some are shortened (`norwaye`).
    pub azure_cloud_suffix: Option<EcoString>,
}

/// A tag as it stands in a rule, in its documented spelling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TagName {
    /// The whole name: `Storage.WestEurope`.
    pub name: EcoString,
    /// The tag of the table: `Storage`. `None` if the table does not know it.
    pub parent: Option<EcoString>,
    /// The region, if one is named.
    pub region: Option<EcoString>,
}

/// The table.
pub fn service_tags() -> &'static ServiceTags {
    static TABLE: OnceLock<ServiceTags> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: ServiceTags = super::read(include_str!("data/service_tags.json"));
        table.by_name =
            table.tags.iter().enumerate().map(|(i, t)| (t.name.to_ascii_lowercase().into(), i)).collect();
        table
    })
}

impl ServiceTags {
    /// The row of a tag without region, in any case, also by its name in the classic model.
    pub fn get(&self, name: &str) -> Option<&ServiceTag> {
        let classic = self.classic_names.iter().find(|c| c.classic.eq_ignore_ascii_case(name));
        let name = classic.map_or(name, |c| c.name.as_str());
        self.by_name.get(&name.to_ascii_lowercase()).and_then(|&i| self.tags.get(i))
    }

    /// The documented spelling of a tag with or without region. A name that the table does not know is kept as it is.
    pub fn resolve(&self, text: &str) -> TagName {
        let text = text.trim();
        if let Some(tag) = self.get(text) {
            return TagName { name: tag.name.clone(), parent: Some(tag.name.clone()), region: None };
        }
        let Some((tag, region)) =
            text.rsplit_once('.').and_then(|(tag, region)| Some((self.get(tag)?, region)))
        else {
            return TagName { name: text.into(), parent: None, region: None };
        };
        let known = self.region(region).and_then(|r| r.spelling(tag));
        let region = known.cloned().unwrap_or_else(|| region.into());
        TagName {
            name: ecow::eco_format!("{}.{region}", tag.name),
            parent: Some(tag.name.clone()),
            region: Some(region),
        }
    }

    /// A tag for the region of a resource (`westeurope`, `West Europe`): `Storage.WestEurope`. `None` if the region is
    /// not in the table or the tag has no regional form that rules may name.
    pub fn regional(&self, tag: &str, location: &str) -> Option<EcoString> {
        let tag = self.get(tag).filter(|t| t.regional)?;
        let plain: String = location.chars().filter(|c| !c.is_whitespace()).collect();
        let region = self
            .regions
            .iter()
            .find(|r| r.location.as_deref().is_some_and(|l| l.eq_ignore_ascii_case(&plain)))?;
        Some(ecow::eco_format!("{}.{}", tag.name, region.spelling(tag)?))
    }

    /// All tags that wholly contain a tag, by documentation or by the published file, in documented spelling. `Internet`,
    /// which depends on the network, is not among them.
    pub fn containing(&self, tag: &TagName) -> Vec<EcoString> {
        let mut outer = Vec::new();
        let Some(row) = tag.parent.as_deref().and_then(|parent| self.get(parent)) else { return outer };
        if row.kind != TagKind::Service {
            return outer;
        }
        if let Some(region) = &tag.region {
            outer.push(row.name.clone());
            let inside_own = !self.regional_outside_own_azure_cloud.iter().any(|t| row.name == t.as_str());
            let cloud = self.region(region).and_then(|r| r.azure_cloud_suffix.as_ref());
            if let Some(cloud) = cloud.filter(|_| inside_own && row.name != AZURE_CLOUD) {
                outer.push(ecow::eco_format!("{AZURE_CLOUD}.{cloud}"));
                outer.push(AZURE_CLOUD.into());
            }
        }
        outer.extend(row.inside.iter().cloned());
        if row.inside_azure_cloud == Some(InsideAzureCloud::Wholly) {
            outer.push(AZURE_CLOUD.into());
        }
        outer.sort_unstable();
        outer.dedup();
        outer
    }

    fn region(&self, text: &str) -> Option<&Region> {
        let same = |name: Option<&str>| name.is_some_and(|n| n.eq_ignore_ascii_case(text));
        self.regions.iter().find(|r| {
            same(r.suffix.as_deref()) || same(r.azure_cloud_suffix.as_deref()) || same(r.location.as_deref())
        })
    }
}

impl Region {
    /// How a tag spells it.
    fn spelling(&self, tag: &ServiceTag) -> Option<&EcoString> {
        if tag.name == AZURE_CLOUD { self.azure_cloud_suffix.as_ref() } else { self.suffix.as_ref() }
    }
}

/// All of Azure's public addresses.
pub const AZURE_CLOUD: &str = "AzureCloud";
/// The network's own space and what is connected to it.
pub const VIRTUAL_NETWORK: &str = "VirtualNetwork";
/// Public space outside the network.
pub const INTERNET: &str = "Internet";
/// The source of health probes.
pub const AZURE_LOAD_BALANCER: &str = "AzureLoadBalancer";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_refers_to_rows_that_exist() {
        let table = service_tags();
        assert!(table.tags.len() > 100 && table.regions.len() > 60);
        for tag in &table.tags {
            assert!(table.sources.get(&tag.source).is_some(), "{}", tag.name);
            for other in tag.depends_on.iter().chain(&tag.inside) {
                assert!(table.get(other).is_some(), "{} names {other}", tag.name);
            }
            assert_eq!(table.resolve(&tag.name.to_uppercase()).name, tag.name);
            assert!(tag.kind == TagKind::Service || tag.in_routes == Some(false), "{}", tag.name);
        }
        assert_eq!(table.by_name.len(), table.tags.len(), "names are unique");
    }

    #[test]
    fn names_resolve_without_regard_to_case() {
        let table = service_tags();
        assert_eq!(table.resolve("VIRTUAL_NETWORK").name, VIRTUAL_NETWORK);
        assert_eq!(table.resolve("storage.westeurope").name, "Storage.WestEurope");
        assert_eq!(table.resolve("azurecloud.WestEurope").name, "AzureCloud.westeurope");
        assert_eq!(table.resolve("AzureFrontDoor.FirstParty").region, None);
        assert_eq!(table.resolve("Storge").parent, None);
        assert_eq!(table.regional("Storage", "West Europe").as_deref(), Some("Storage.WestEurope"));
        assert_eq!(table.regional("AzureCloud", "norwayeast").as_deref(), Some("AzureCloud.norwaye"));
        assert_eq!(table.regional("LogicApps", "westeurope"), None);
    }

    #[test]
    fn containment_is_what_the_published_file_shows() {
        let table = service_tags();
        let outer = |name: &str| table.containing(&table.resolve(name));
        assert_eq!(outer("Storage.WestEurope"), ["AzureCloud", "AzureCloud.westeurope", "Storage"]);
        assert!(outer("Storage").is_empty(), "a part of Storage lies outside AzureCloud");
        assert_eq!(outer("AzureKeyVault"), ["AzureCloud"]);
        assert!(outer("AzureFrontDoor.FirstParty").is_empty());
        assert_eq!(outer("DataFactoryManagement"), ["DataFactory"]);
        assert!(!outer("DataFactory.WestEurope").contains(&"AzureCloud.westeurope".into()));
        assert!(outer("VirtualNetwork").is_empty() && outer("NoSuchTag.WestEurope").is_empty());
    }
}
