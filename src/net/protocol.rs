//! Sets of transport protocols.

use std::fmt;

/// A protocol that security rules can tell apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
    /// Internet Control Message Protocol, of either address family.
    Icmp,
    /// IPsec Encapsulating Security Payload.
    Esp,
    /// IPsec Authentication Header.
    Ah,
    /// Any other protocol, all in one: no rule names one of them.
    Other,
}

impl Protocol {
    /// All, in a fixed order.
    pub const ALL: [Protocol; 6] =
        [Protocol::Tcp, Protocol::Udp, Protocol::Icmp, Protocol::Esp, Protocol::Ah, Protocol::Other];

    /// Whether its packets carry ports.
    pub fn has_ports(self) -> bool {
        matches!(self, Protocol::Tcp | Protocol::Udp)
    }

    /// Its bit in a [`ProtocolSet`].
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "Tcp",
            Protocol::Udp => "Udp",
            Protocol::Icmp => "Icmp",
            Protocol::Esp => "Esp",
            Protocol::Ah => "Ah",
            Protocol::Other => "other protocols",
        })
    }
}

/// A set of protocols.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProtocolSet(u8);

impl ProtocolSet {
    /// Every protocol.
    pub const FULL: ProtocolSet = ProtocolSet(0b11_1111);
    /// No protocol.
    pub const EMPTY: ProtocolSet = ProtocolSet(0);
    /// TCP and UDP: those with ports.
    pub const WITH_PORTS: ProtocolSet = ProtocolSet(0b00_0011);
    /// Those without ports.
    pub const WITHOUT_PORTS: ProtocolSet = ProtocolSet(0b11_1100);

    /// One protocol.
    pub fn single(protocol: Protocol) -> Self {
        Self(protocol.bit())
    }

    /// Reads `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah` without regard to case, or `*`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::FULL);
        }
        let named = Protocol::ALL.into_iter().filter(|p| *p != Protocol::Other);
        named.into_iter().find(|p| p.to_string().eq_ignore_ascii_case(text)).map(Self::single)
    }

    /// Whether there is none in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a protocol is in it.
    pub fn contains(self, protocol: Protocol) -> bool {
        self.0 & protocol.bit() != 0
    }

    /// The protocols in it, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        Protocol::ALL.into_iter().filter(move |p| self.contains(*p))
    }

    /// What is in either.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    pub fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in `self` but not in `other`.
    pub fn subtract(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// `any protocol`, `none`, or names with commas.
impl fmt::Display for ProtocolSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::FULL {
            return f.write_str("any protocol");
        }
        if self.is_empty() {
            return f.write_str("none");
        }
        for (i, protocol) in self.iter().enumerate() {
            write!(f, "{}{protocol}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_without_regard_to_case() {
        assert_eq!(ProtocolSet::parse("TCP"), Some(ProtocolSet::single(Protocol::Tcp)));
        assert_eq!(ProtocolSet::parse("icmp"), Some(ProtocolSet::single(Protocol::Icmp)));
        assert_eq!(ProtocolSet::parse("*"), Some(ProtocolSet::FULL));
        assert_eq!(ProtocolSet::parse("other protocols"), None);
        assert_eq!(ProtocolSet::parse("Any"), None);
    }

    #[test]
    fn the_two_halves_make_the_whole() {
        assert_eq!(ProtocolSet::WITH_PORTS.union(ProtocolSet::WITHOUT_PORTS), ProtocolSet::FULL);
        assert!(Protocol::ALL.into_iter().all(|p| p.has_ports() == ProtocolSet::WITH_PORTS.contains(p)));
        assert_eq!(ProtocolSet::WITH_PORTS.to_string(), "Tcp, Udp");
    }
}
