//! What lets the Internet in, which ports matter when it does, and what has to be open.

use std::sync::OnceLock;

use serde::Deserialize;

use super::{Confidence, Sources};
use crate::net::{PortSet, ProtocolSet};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// What the table holds.
    pub about: String,
    /// Values of source fields, and whether they let the Internet in.
    pub internet_sources: Vec<InternetSource>,
    /// Ports that should not be open to the Internet.
    pub sensitive_ports: Vec<SensitivePorts>,
    /// Combinations that make an exposure.
    pub conditions: Vec<ExposureCondition>,
    /// What services need to have open.
    pub exemptions: Vec<Exemption>,
    /// Where the rows come from.
    pub sources: Sources,
}

/// A value of a source field.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InternetSource {
    /// The value, or words for a kind of values.
    pub value: String,
    /// Whether it lets the Internet in; `None` where that depends.
    pub open: Option<bool>,
    /// What it stands for.
    pub meaning: String,
    /// Key of [`Exposure::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// Ports that should not be open to the Internet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitivePorts {
    /// Name of the row; stable.
    pub id: String,
    ports: Vec<String>,
    protocol: String,
    /// What listens there.
    pub service: String,
    /// What sort of service that is: `remote administration`, `database`, …
    pub category: String,
    /// How bad it is.
    pub severity: ExposureSeverity,
    /// What else there is to say.
    pub note: Option<String>,
    /// Keys of [`Exposure::sources`]: public checkers that list one of the ports. None: our own judgement.
    pub sources: Vec<String>,
    /// How sure the row is.
    pub confidence: Confidence,
}

impl SensitivePorts {
    /// The ports.
    pub fn ports(&self) -> PortSet {
        self.ports.iter().filter_map(|text| PortSet::parse(text)).collect()
    }

    /// The protocols.
    pub fn protocols(&self) -> ProtocolSet {
        let with_ports = |set: ProtocolSet| set.intersect(ProtocolSet::WITH_PORTS);
        ProtocolSet::parse(&self.protocol).map_or(ProtocolSet::EMPTY, with_ports)
    }
}

/// How bad an exposure is; a proposal of this project.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExposureSeverity {
    /// Nothing to say.
    None,
    /// Worth knowing.
    Info,
    /// Seldom harmful.
    Low,
    /// Harmful in some designs.
    Medium,
    /// Harmful.
    High,
}

/// A combination that makes an exposure.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposureCondition {
    /// Name of the row; stable.
    pub id: String,
    /// What is exposed to what.
    pub what: String,
    /// How bad it is.
    pub severity: ExposureSeverity,
    /// What else there is to say.
    pub note: Option<String>,
    /// Key of [`Exposure::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// What a service needs to have open.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// Ids of [`super::flows::Service`].
    pub services: Vec<String>,
    /// What is open, in words.
    pub allow: String,
    /// What else there is to say.
    pub note: Option<String>,
    /// Key of [`Exposure::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// The table.
pub fn exposure() -> &'static Exposure {
    static TABLE: OnceLock<Exposure> = OnceLock::new();
    TABLE.get_or_init(|| super::read(include_str!("data/exposure.json")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::flows::required_flows;

    #[test]
    fn every_row_is_read_and_makes_sense() {
        let table = exposure();
        let sources = (table.internet_sources.iter().map(|r| &r.source))
            .chain(table.conditions.iter().map(|r| &r.source))
            .chain(table.exemptions.iter().map(|r| &r.source))
            .chain(table.sensitive_ports.iter().flat_map(|r| &r.sources));
        for source in sources {
            assert!(table.sources.get(source).is_some(), "{source}");
        }
        assert!(table.sensitive_ports.len() >= 58);
        for row in &table.sensitive_ports {
            assert!(!row.protocols().is_empty() && !row.ports().is_empty(), "{}", row.id);
            assert!(row.ports.iter().all(|p| PortSet::parse(p).is_some()), "{}", row.id);
        }
        for service in table.exemptions.iter().flat_map(|row| &row.services) {
            assert!(required_flows().service(service).is_some(), "{service}");
        }
        let ssh = table.sensitive_ports.iter().find(|row| row.id == "ssh").unwrap();
        assert!(ssh.ports().contains(22) && ssh.severity == ExposureSeverity::High);
    }
}
