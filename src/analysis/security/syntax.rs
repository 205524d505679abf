//! What Azure refuses in the text of a security rule, before anything is evaluated.
//!
//! Sources: learn.microsoft.com/azure/virtual-network/network-security-groups-overview, the schema of
//! `azurerm_network_security_rule` (hashicorp/terraform-provider-azurerm), and its issues 4194, 5617, 11137, 12534, 16761.

use std::net::IpAddr;

use ecow::EcoString;
use ipnet::IpNet;

use super::input::{Access, Direction, Ports, SecurityRule, Selector, Setting};
use crate::azure::security_groups::security_group_facts;
use crate::azure::tags::service_tags;
use crate::net::{PortSet, ProtocolSet, parse_prefix};

/// A rule as it is written, every field known.
#[derive(Clone, Debug, Default)]
pub struct RuleText {
    /// Its name.
    pub name: EcoString,
    /// Its priority.
    pub priority: i64,
    /// `Inbound` or `Outbound`.
    pub direction: EcoString,
    /// `Allow` or `Deny`.
    pub access: EcoString,
    /// `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah` or `*`.
    pub protocol: EcoString,
    /// From where.
    pub source: SideText,
    /// To where.
    pub destination: SideText,
}

/// One side of a [`RuleText`].
#[derive(Clone, Debug, Default)]
pub struct SideText {
    /// The singular address field.
    pub prefix: Option<EcoString>,
    /// The plural one.
    pub prefixes: Vec<EcoString>,
    /// Application security groups, by identity.
    pub groups: Vec<EcoString>,
    /// The singular port field.
    pub port: Option<EcoString>,
    /// The plural one.
    pub ports: Vec<EcoString>,
}

/// Which side of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RuleSide {
    /// From where.
    Source,
    /// To where.
    Destination,
}

/// Something that Azure or its Terraform provider refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Defect {
    /// The priority is outside of what a user may take.
    PriorityOutOfRange(i64),
    /// Not a direction.
    Direction(EcoString),
    /// Not an access.
    Access(EcoString),
    /// Not a protocol.
    Protocol(EcoString),
    /// None of prefix, prefixes and groups is given.
    NoAddresses(RuleSide),
    /// More than one of prefix, prefixes and groups is given.
    SeveralAddressFields(RuleSide),
    /// Neither port field is given.
    NoPorts(RuleSide),
    /// Both port fields are given.
    BothPortFields(RuleSide),
    /// An address field has a defect.
    Address(RuleSide, EcoString, AddressDefect),
    /// IPv4 and IPv6 together in one list.
    MixedFamilies(RuleSide),
    /// Neither a port, a range nor `*`.
    Port(RuleSide, EcoString),
}

/// What is wrong with the text of an address field.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AddressDefect {
    /// Several values in one string.
    Joined,
    /// A tag or `*` in a list, where only addresses and prefixes may stand.
    TagInList,
    /// A prefix with host bits set. Azure does not always refuse it.
    HostBits,
    /// A range `first-last`, which is not among the documented forms.
    Range,
    /// No address, and no tag that the table knows: misspelt, or newer than the table.
    UnknownTag,
}

/// What is wrong with the text of an address field, if anything. `in_list` when it stands in the plural field.
pub fn address_defect(text: &str, in_list: bool) -> Option<AddressDefect> {
    let text = text.trim();
    if let Some(prefix) = parse_prefix(text) {
        return (prefix.addr() != prefix.network()).then_some(AddressDefect::HostBits);
    }
    if text.contains([',', ';']) || text.split_whitespace().nth(1).is_some() {
        return Some(AddressDefect::Joined);
    }
    let is_range = text.split_once('-').is_some_and(|(first, last)| {
        first.trim().parse::<IpAddr>().is_ok() && last.trim().parse::<IpAddr>().is_ok()
    });
    if is_range {
        return Some(AddressDefect::Range);
    }
    if in_list {
        return Some(AddressDefect::TagInList);
    }
    let known = text == "*" || service_tags().resolve(text).parent.is_some();
    (!known).then_some(AddressDefect::UnknownTag)
}

/// Whether prefixes and addresses are of both families.
pub fn has_both_families<'a>(texts: impl IntoIterator<Item = &'a str>) -> bool {
    let prefixes: Vec<IpNet> = texts.into_iter().filter_map(parse_prefix).collect();
    prefixes.iter().any(|p| p.addr().is_ipv4()) && prefixes.iter().any(|p| p.addr().is_ipv6())
}

/// Whether a priority is one that users may take.
pub fn is_user_priority(priority: i64) -> bool {
    let facts = security_group_facts();
    let limits = facts.limit("least-priority").zip(facts.limit("greatest-priority"));
    limits.is_some_and(|(least, greatest)| (i64::from(least)..=i64::from(greatest)).contains(&priority))
}

impl RuleText {
    /// Everything in it that is refused.
    pub fn defects(&self) -> Vec<Defect> {
        let mut found = Vec::new();
        if !is_user_priority(self.priority) {
            found.push(Defect::PriorityOutOfRange(self.priority));
        }
        if Direction::parse(&self.direction).is_none() {
            found.push(Defect::Direction(self.direction.clone()));
        }
        if !matches!(Access::parse(&self.access), Some(Access::Allow | Access::Deny)) {
            found.push(Defect::Access(self.access.clone()));
        }
        if ProtocolSet::parse(&self.protocol).is_none() {
            found.push(Defect::Protocol(self.protocol.clone()));
        }
        self.source.defects(RuleSide::Source, &mut found);
        self.destination.defects(RuleSide::Destination, &mut found);
        found
    }

    /// The rule to evaluate. What is refused matches nothing, or everything where nothing narrower can be made of it.
    pub fn read(&self, index: usize) -> SecurityRule {
        SecurityRule {
            name: self.name.clone(),
            index,
            uncertain: None,
            priority: Setting::Known(u32::try_from(self.priority).unwrap_or(0)),
            direction: Setting::Known(Direction::parse(&self.direction).unwrap_or(Direction::Inbound)),
            access: Setting::Known(Access::parse(&self.access).unwrap_or(Access::Deny)),
            protocols: Setting::Known(ProtocolSet::parse(&self.protocol).unwrap_or(ProtocolSet::FULL)),
            source: self.source.selectors(),
            source_ports: Ports::exactly(self.source.port_set()),
            destination: self.destination.selectors(),
            destination_ports: Ports::exactly(self.destination.port_set()),
        }
    }
}

impl SideText {
    fn defects(&self, side: RuleSide, found: &mut Vec<Defect>) {
        let given = [self.prefix.is_some(), !self.prefixes.is_empty(), !self.groups.is_empty()];
        match given.into_iter().filter(|g| *g).count() {
            0 => found.push(Defect::NoAddresses(side)),
            1 => {}
            _ => found.push(Defect::SeveralAddressFields(side)),
        }
        match (self.port.is_some(), !self.ports.is_empty()) {
            (false, false) => found.push(Defect::NoPorts(side)),
            (true, true) => found.push(Defect::BothPortFields(side)),
            _ => {}
        }
        let single = self.prefix.iter().map(|text| (text, false));
        for (text, in_list) in single.chain(self.prefixes.iter().map(|text| (text, true))) {
            if let Some(defect) = address_defect(text, in_list) {
                found.push(Defect::Address(side, text.clone(), defect));
            }
        }
        if has_both_families(self.prefixes.iter().map(EcoString::as_str)) {
            found.push(Defect::MixedFamilies(side));
        }
        let ports = self.port.iter().chain(&self.ports).filter(|text| PortSet::parse(text).is_none());
        found.extend(ports.map(|text| Defect::Port(side, text.clone())));
    }

    fn selectors(&self) -> Vec<Selector> {
        let prefixes = self.prefix.iter().chain(&self.prefixes).map(|text| Selector::parse(text));
        prefixes.chain(self.groups.iter().cloned().map(Selector::Group)).collect()
    }

    fn port_set(&self) -> PortSet {
        self.port.iter().chain(&self.ports).filter_map(|text| PortSet::parse(text)).collect()
    }
}

/// Pairs of rules, by their places, that have one priority in one direction: Azure answers `SecurityRuleConflict`.
pub fn priority_conflicts(rules: &[RuleText]) -> Vec<(usize, usize)> {
    let mut conflicts = Vec::new();
    let mut taken = std::collections::BTreeMap::new();
    for (i, rule) in rules.iter().enumerate() {
        let Some(direction) = Direction::parse(&rule.direction) else { continue };
        match taken.entry((direction, rule.priority)) {
            std::collections::btree_map::Entry::Occupied(first) => conflicts.push((*first.get(), i)),
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(i);
            }
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_an_address() {
        for (text, in_list, expected) in [
            ("10.0.0.0/24", true, None),
            ("10.0.0.4", true, None),
            ("*", false, None),
            ("*", true, Some(AddressDefect::TagInList)),
            ("storage.westeurope", false, None),
            ("Internet", true, Some(AddressDefect::TagInList)),
            ("10.0.0.1,10.0.0.2", false, Some(AddressDefect::Joined)),
            ("10.0.0.1, Internet", true, Some(AddressDefect::Joined)),
            ("10.0.1.5/24", false, Some(AddressDefect::HostBits)),
            ("10.0.0.1-10.0.0.9", false, Some(AddressDefect::Range)),
            ("AzureStorage", false, Some(AddressDefect::UnknownTag)),
            ("10.0.0.0/33", false, Some(AddressDefect::UnknownTag)),
        ] {
            assert_eq!(address_defect(text, in_list), expected, "{text}");
        }
    }
}
