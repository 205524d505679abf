//! What Azure documents about network security groups: default rules, subnets that may not have one, limits, and addresses
//! that rules treat in their own way.

use std::sync::OnceLock;

use serde::Deserialize;

use super::{Confidence, Sources};
use crate::net::{AddressSet, PortSet, ProtocolSet, parse_prefix};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityGroupFacts {
    /// What the table holds.
    pub about: String,
    /// The rules that every group has after those of its author, in order of priority for each direction.
    pub default_rules: Vec<DefaultRule>,
    /// Subnets that may not have a group.
    pub prohibited_subnets: Vec<ProhibitedSubnet>,
    /// Numbers that may not be exceeded.
    pub limits: Vec<Limit>,
    /// Services of the host that every machine uses.
    pub platform_services: Vec<PlatformService>,
    /// Addresses that rules treat in their own way.
    pub address_blocks: Vec<AddressBlock>,
    /// Where the rows come from.
    pub sources: Sources,
}

/// A rule that every group has. It matches every protocol and port.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultRule {
    /// As the API names it.
    pub name: String,
    /// `Inbound` or `Outbound`.
    pub direction: String,
    /// 65000 and above.
    pub priority: u16,
    /// `Allow` or `Deny`.
    pub access: String,
    /// A tag or `*`.
    pub source_tag: String,
    /// A tag or `*`.
    pub destination_tag: String,
    /// Key of [`SecurityGroupFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// A kind of subnet that may not have a group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProhibitedSubnet {
    /// Name of the row.
    pub id: String,
    /// The subnet's name, if the name decides.
    pub subnet_name: Option<String>,
    /// The subnet's delegation, if that decides.
    pub delegation: Option<String>,
    /// What happens.
    pub outcome: Prohibition,
    /// The code that Azure answers with, where known.
    pub error_code: Option<String>,
    /// What else must hold, in words.
    pub condition: Option<String>,
    /// What else there is to say.
    pub note: Option<String>,
    /// Key of [`SecurityGroupFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// How strictly something is forbidden.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prohibition {
    /// Azure refuses it.
    Rejected,
    /// It is outside what Microsoft supports; whether it is refused is not known.
    Unsupported,
}

/// A documented limit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Name of the row.
    pub id: String,
    /// The greatest allowed value (of `least-priority` the least).
    pub value: u32,
    /// What it limits.
    pub meaning: String,
    /// Key of [`SecurityGroupFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// A service of the host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformService {
    /// Name of the row.
    pub id: String,
    /// The tag that names it in rules.
    pub tag: Option<String>,
    addresses: Vec<String>,
    protocols: Vec<String>,
    ports: Vec<String>,
    /// Whether groups leave it alone unless a rule names its tag.
    pub exempt: bool,
    /// Key of [`SecurityGroupFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

impl PlatformService {
    /// Its addresses; empty if they are not documented.
    pub fn addresses(&self) -> AddressSet {
        prefixes(&self.addresses)
    }

    /// Its protocols.
    pub fn protocols(&self) -> ProtocolSet {
        let known = self.protocols.iter().filter_map(|p| ProtocolSet::parse(p));
        known.fold(ProtocolSet::EMPTY, ProtocolSet::union)
    }

    /// Its ports.
    pub fn ports(&self) -> PortSet {
        self.ports.iter().filter_map(|p| PortSet::parse(p)).collect()
    }
}

/// Addresses that rules treat in their own way.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressBlock {
    /// Name of the row.
    pub id: String,
    prefixes: Vec<String>,
    /// What the addresses are.
    pub meaning: String,
    /// Key of [`SecurityGroupFacts::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// The table.
pub fn security_group_facts() -> &'static SecurityGroupFacts {
    static TABLE: OnceLock<SecurityGroupFacts> = OnceLock::new();
    TABLE.get_or_init(|| super::read(include_str!("data/nsg.json")))
}

impl SecurityGroupFacts {
    /// A limit by its id: `least-priority`, `greatest-priority`, `rules`, `addresses`, …
    pub fn limit(&self, id: &str) -> Option<u32> {
        self.limits.iter().find(|limit| limit.id == id).map(|limit| limit.value)
    }

    /// The prohibition for a subnet by its name, in any case, where the name alone decides.
    pub fn prohibited_subnet(&self, name: &str) -> Option<&ProhibitedSubnet> {
        let mut rows = self.prohibited_subnets.iter();
        rows.find(|row| row.subnet_name.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)))
    }

    /// The address of the host: source of health probes.
    pub fn host(&self) -> AddressSet {
        self.block("host")
    }

    /// All addresses that can be Internet when they are not part of a network.
    pub fn public(&self) -> AddressSet {
        self.block("not-internet").complement()
    }

    fn block(&self, id: &str) -> AddressSet {
        let block = self.address_blocks.iter().find(|block| block.id == id);
        block.map_or_else(AddressSet::empty, |block| prefixes(&block.prefixes))
    }
}

fn prefixes(texts: &[String]) -> AddressSet {
    texts.iter().filter_map(|text| parse_prefix(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let table = security_group_facts();
        let sources = (table.default_rules.iter().map(|r| &r.source))
            .chain(table.prohibited_subnets.iter().map(|r| &r.source))
            .chain(table.limits.iter().map(|r| &r.source))
            .chain(table.platform_services.iter().map(|r| &r.source))
            .chain(table.address_blocks.iter().map(|r| &r.source));
        for source in sources {
            assert!(table.sources.get(source).is_some(), "{source}");
        }
        assert_eq!(table.default_rules.len(), 6);
        assert_eq!(table.limit("least-priority").zip(table.limit("greatest-priority")), Some((100, 4096)));
        for service in &table.platform_services {
            assert_eq!(service.addresses.is_empty(), service.addresses().is_empty(), "{}", service.id);
            assert!(!service.protocols().is_empty() && !service.ports().is_empty(), "{}", service.id);
            assert!(!service.exempt || !service.addresses().is_empty(), "{}", service.id);
        }
        for block in &table.address_blocks {
            assert!(block.prefixes.iter().all(|p| parse_prefix(p).is_some()), "{}", block.id);
        }
    }

    #[test]
    fn public_space_is_what_remains() {
        let public = security_group_facts().public();
        for (address, expected) in [
            ("8.8.8.8", true),
            ("203.0.113.50", true),
            ("172.32.0.1", true),
            ("172.31.255.255", false),
            ("100.64.0.9", false),
            ("168.63.129.16", false),
            ("169.254.169.254", false),
            ("2603:1020::5", true),
            ("fd00::5", false),
            ("fe80::1", false),
        ] {
            assert_eq!(public.contains(address.parse().unwrap()), expected, "{address}");
        }
        assert!(security_group_facts().prohibited_subnet("gatewaysubnet").is_some());
        assert!(security_group_facts().prohibited_subnet("AzureBastionSubnet").is_none());
    }
}
