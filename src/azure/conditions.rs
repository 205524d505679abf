//! Conditions on the properties of a resource, as rows of several tables state them.

use ecow::EcoString;
use ipnet::Ipv4Net;
use serde::Deserialize;

/// A condition on a property of a resource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where azurerm resources say it (alternatives).
    pub terraform: Vec<EcoString>,
    /// Where the ARM resource says it (alternatives).
    pub arm: Vec<EcoString>,
    /// The property's state.
    pub is: Wanted,
}

/// What a property must be for a condition to hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Not given.
    Absent,
    /// Given, whatever it is.
    Present,
    /// One of these texts in any case; a final `*` stands for anything.
    OneOf(Vec<EcoString>),
    /// The same, or not given, because one of these is the documented default.
    OneOfOrAbsent(Vec<EcoString>),
    /// An address or range that a firewall of public addresses does not take: of a private range, or a range with a length of
    /// 31 or 32.
    PrivateOrTinyRange,
}

impl Wanted {
    /// The texts, if it asks for texts.
    pub fn texts(&self) -> &[EcoString] {
        match self {
            Wanted::OneOf(texts) | Wanted::OneOfOrAbsent(texts) => texts,
            Wanted::Absent | Wanted::Present | Wanted::PrivateOrTinyRange => &[],
        }
    }

    /// Whether a given text fulfils it.
    pub fn accepts(&self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        match self {
            Wanted::Absent => false,
            Wanted::Present => true,
            Wanted::PrivateOrTinyRange => is_private_or_tiny(text),
            Wanted::OneOf(_) | Wanted::OneOfOrAbsent(_) => self.texts().iter().any(|pattern| {
                let pattern = pattern.to_ascii_lowercase();
                match pattern.strip_suffix('*') {
                    Some(start) => lower.starts_with(start),
                    None => lower == pattern,
                }
            }),
        }
    }

    /// Whether it is about the elements of a list, any of which may fulfil it.
    pub fn asks_each(&self) -> bool {
        matches!(self, Wanted::PrivateOrTinyRange)
    }

    /// Whether a property that is not given fulfils it.
    pub fn accepts_absence(&self) -> bool {
        matches!(self, Wanted::Absent | Wanted::OneOfOrAbsent(_))
    }
}

fn is_private_or_tiny(text: &str) -> bool {
    let range = match text.parse::<std::net::Ipv4Addr>() {
        Ok(address) => Some(Ipv4Net::from(address)),
        Err(_) => text.parse::<Ipv4Net>().ok(),
    };
    let tiny = text.contains('/') && range.is_some_and(|range| range.prefix_len() > 30);
    tiny || range.is_some_and(|range| range.network().is_private() && range.broadcast().is_private())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_compared_in_any_case_and_by_their_start() {
        let wanted = Wanted::OneOf(vec!["Basic".into(), "B_*".into()]);
        assert!(wanted.accepts("BASIC") && wanted.accepts("b_Gen5_1"));
        assert!(!wanted.accepts("BasicV2") && !wanted.accepts("GP_Gen5_2") && !wanted.accepts_absence());
    }

    #[test]
    fn private_and_tiny_ranges_are_told_from_public_addresses() {
        let wanted = Wanted::PrivateOrTinyRange;
        assert!(
            ["10.1.0.0/16", "192.168.1.4", "203.0.113.8/32", "203.0.113.8/31"]
                .iter()
                .all(|t| wanted.accepts(t))
        );
        assert!(!["203.0.113.8", "203.0.113.0/30", "office", "0.0.0.0/0"].iter().any(|t| wanted.accepts(t)));
    }
}
