//! Sets of IPv4 and IPv6 addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::interval::IntervalSet;

/// A set of addresses of both families. The families are separate spaces: an IPv4 prefix says nothing of IPv6.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AddressSet {
    v4: IntervalSet<u32>,
    v6: IntervalSet<u128>,
}

impl AddressSet {
    /// No address.
    pub fn empty() -> Self {
        Self { v4: IntervalSet::empty(), v6: IntervalSet::empty() }
    }

    /// Every address of both families.
    pub fn full() -> Self {
        Self { v4: IntervalSet::full(), v6: IntervalSet::full() }
    }

    /// Every IPv4 address.
    pub fn all_v4() -> Self {
        Self { v4: IntervalSet::full(), v6: IntervalSet::empty() }
    }

    /// Every IPv6 address.
    pub fn all_v6() -> Self {
        Self { v4: IntervalSet::empty(), v6: IntervalSet::full() }
    }

    /// One address.
    pub fn single(address: IpAddr) -> Self {
        Self::range(address, address)
    }

    /// The addresses from `start` to `end`, both included; none if they are of different families or backwards.
    pub fn range(start: IpAddr, end: IpAddr) -> Self {
        match (start, end) {
            (IpAddr::V4(start), IpAddr::V4(end)) => {
                Self { v4: IntervalSet::range(start.to_bits(), end.to_bits()), v6: IntervalSet::empty() }
            }
            (IpAddr::V6(start), IpAddr::V6(end)) => {
                Self { v4: IntervalSet::empty(), v6: IntervalSet::range(start.to_bits(), end.to_bits()) }
            }
            _ => Self::empty(),
        }
    }

    /// The addresses of prefixes. Host bits are ignored.
    pub fn from_prefixes(prefixes: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for prefix in prefixes {
            match prefix {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        Self { v4: IntervalSet::from_ranges(v4), v6: IntervalSet::from_ranges(v6) }
    }

    /// Reads a prefix (`10.0.0.0/8`, `fd00::/8`) or one address. Host bits are ignored. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        parse_prefix(text).map(|prefix| Self::from_prefixes([prefix]))
    }

    /// The IPv4 part.
    pub fn v4(&self) -> &IntervalSet<u32> {
        &self.v4
    }

    /// The IPv6 part.
    pub fn v6(&self) -> &IntervalSet<u128> {
        &self.v6
    }

    /// Whether there is no address in it.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether every address of both families is in it.
    pub fn is_full(&self) -> bool {
        self.v4.is_full() && self.v6.is_full()
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }

    /// What is in either.
    pub fn union(&self, other: &Self) -> Self {
        Self { v4: self.v4.union(&other.v4), v6: self.v6.union(&other.v6) }
    }

    /// What is in both.
    pub fn intersect(&self, other: &Self) -> Self {
        Self { v4: self.v4.intersect(&other.v4), v6: self.v6.intersect(&other.v6) }
    }

    /// Whether some address is in both.
    pub fn intersects(&self, other: &Self) -> bool {
        self.v4.intersects(&other.v4) || self.v6.intersects(&other.v6)
    }

    /// What is in `self` but not in `other`.
    pub fn subtract(&self, other: &Self) -> Self {
        Self { v4: self.v4.subtract(&other.v4), v6: self.v6.subtract(&other.v6) }
    }

    /// Everything that is not in it.
    pub fn complement(&self) -> Self {
        Self { v4: self.v4.complement(), v6: self.v6.complement() }
    }

    /// Whether all of it is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.v4.is_subset(&other.v4) && self.v6.is_subset(&other.v6)
    }

    /// The same without the addresses of a family that `other` has none of.
    pub(crate) fn limited_to_families_of(&self, other: &Self) -> Self {
        Self {
            v4: if other.v4.is_empty() { IntervalSet::empty() } else { self.v4.clone() },
            v6: if other.v6.is_empty() { IntervalSet::empty() } else { self.v6.clone() },
        }
    }

    /// The fewest prefixes that make it up: IPv4 first, ascending.
    pub fn prefixes(&self) -> impl Iterator<Item = IpNet> + '_ {
        let v4 = self.v4.ranges().iter().flat_map(|&(start, end)| {
            Ipv4Subnets::new(Ipv4Addr::from_bits(start), Ipv4Addr::from_bits(end), 0).map(IpNet::V4)
        });
        let v6 = self.v6.ranges().iter().flat_map(|&(start, end)| {
            Ipv6Subnets::new(Ipv6Addr::from_bits(start), Ipv6Addr::from_bits(end), 0).map(IpNet::V6)
        });
        v4.chain(v6)
    }

    /// One address to show to a reader: an ordinary host rather than a network's own address where there is a choice,
    /// a documentation address (RFC 5737, RFC 3849) where the set is as wide as the Internet, and not `other` if avoidable.
    pub fn example(&self, other: Option<IpAddr>) -> Option<IpAddr> {
        if self.v4.count() > WIDE_V4 {
            for last in [10, 11] {
                let address = IpAddr::V4(Ipv4Addr::new(203, 0, 113, last));
                if self.contains(address) && Some(address) != other {
                    return Some(address);
                }
            }
        }
        let v4 = || example_of(&self.v4, |bits| IpAddr::V4(Ipv4Addr::from_bits(bits)), other);
        let v6 = || {
            let documentation = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x10));
            if self.v6.count() > WIDE_V6 && self.contains(documentation) && Some(documentation) != other {
                return Some(documentation);
            }
            example_of(&self.v6, |bits| IpAddr::V6(Ipv6Addr::from_bits(bits)), other)
        };
        v4().or_else(v6)
    }
}

/// More addresses than any private range holds.
const WIDE_V4: u128 = 1 << 25;
/// More addresses than any organisation's IPv6 range holds.
const WIDE_V6: u128 = 1 << 110;

/// An address of a set: the fifth of the first interval when it is long enough (the first ones are the network's own and
/// its infrastructure's by custom), else its first; never `other` unless nothing else is there.
fn example_of<T: super::interval::Point>(
    set: &IntervalSet<T>,
    address: impl Fn(T) -> IpAddr,
    other: Option<IpAddr>,
) -> Option<IpAddr> {
    let mut fallback = None;
    for &(start, end) in set.ranges() {
        let usual = if end.distance_from(start) > 6 { start.advanced_by(4) } else { start };
        for candidate in [Some(usual), usual.next(), Some(start)].into_iter().flatten() {
            if candidate <= end {
                let shown = address(candidate);
                if Some(shown) != other {
                    return Some(shown);
                }
                fallback = Some(shown);
            }
        }
    }
    fallback
}

/// Reads a prefix or one address (as a prefix of full length). Keeps host bits; surrounding blanks are ignored.
pub fn parse_prefix(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

impl FromIterator<IpNet> for AddressSet {
    fn from_iter<I: IntoIterator<Item = IpNet>>(prefixes: I) -> Self {
        Self::from_prefixes(prefixes)
    }
}

/// `any`, `none`, or prefixes with commas; `any but …` where that is much shorter. Single addresses without length.
impl fmt::Display for AddressSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() {
            return f.write_str("any");
        }
        if self.is_empty() {
            return f.write_str("none");
        }
        /// Sets that take more prefixes than this are shown by what is missing, if that is shorter.
        const LONG: usize = 6;
        let own = self.prefixes().take(LONG + 1).count();
        if own > LONG {
            let missing = self.complement().limited_to_families_of(self);
            if missing.prefixes().take(LONG + 1).count() <= LONG {
                let families = match (self.v4.is_empty(), self.v6.is_empty()) {
                    (false, true) => "any IPv4 but ",
                    (true, false) => "any IPv6 but ",
                    _ => "any but ",
                };
                f.write_str(families)?;
                return write_prefixes(&missing, f);
            }
        }
        write_prefixes(self, f)
    }
}

fn write_prefixes(set: &AddressSet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, prefix) in set.prefixes().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        if prefix.prefix_len() == prefix.max_prefix_len() {
            write!(f, "{comma}{}", prefix.addr())?;
        } else {
            write!(f, "{comma}{prefix}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(prefixes: &[&str]) -> AddressSet {
        prefixes.iter().filter_map(|p| parse_prefix(p)).collect()
    }

    #[test]
    fn reads_prefixes_and_hosts_of_both_families() {
        assert_eq!(AddressSet::parse("10.0.1.5/24"), AddressSet::parse("10.0.1.0/24"));
        assert_eq!(AddressSet::parse(" 10.0.0.4 ").map(|s| s.to_string()), Some("10.0.0.4".to_owned()));
        assert_eq!(AddressSet::parse("FD00::/8").map(|s| s.to_string()), Some("fd00::/8".to_owned()));
        for refused in
            ["", "10.0.0", "10.0.0.0/33", "10.0.0.1,10.0.0.2", "10.0.0.1-10.0.0.9", "Storage", "010.0.0.1"]
        {
            assert_eq!(AddressSet::parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_family_says_nothing_of_the_other() {
        let v4 = set(&["0.0.0.0/0"]);
        assert_eq!(v4, AddressSet::all_v4());
        assert!(!v4.is_full());
        assert!(set(&["0.0.0.0/0", "::/0"]).is_full());
        assert_eq!(v4.complement(), AddressSet::all_v6());
    }

    #[test]
    fn shows_the_fewest_prefixes() {
        assert_eq!(
            set(&["10.0.0.0/25", "10.0.0.128/25", "10.0.2.0/24"]).to_string(),
            "10.0.0.0/24, 10.0.2.0/24"
        );
        let rest = AddressSet::all_v4().subtract(&set(&["10.0.0.0/16"]));
        assert_eq!(rest.to_string(), "any IPv4 but 10.0.0.0/16");
        assert_eq!(set(&["0.0.0.0/1", "128.0.0.0/1"]).to_string(), "0.0.0.0/0");
        assert_eq!(AddressSet::full().to_string(), "any");
    }

    #[test]
    fn examples_look_like_hosts() {
        let subnet = set(&["10.0.7.0/28"]);
        let first = subnet.example(None);
        assert_eq!(first.map(|a| a.to_string()), Some("10.0.7.4".to_owned()));
        assert_eq!(subnet.example(first).map(|a| a.to_string()), Some("10.0.7.5".to_owned()));
        let host = set(&["10.0.7.9"]);
        assert_eq!(host.example(host.example(None)).map(|a| a.to_string()), Some("10.0.7.9".to_owned()));
        assert_eq!(AddressSet::full().example(None).map(|a| a.to_string()), Some("203.0.113.10".to_owned()));
        assert_eq!(set(&["::/0"]).example(None).map(|a| a.to_string()), Some("2001:db8::10".to_owned()));
        assert_eq!(AddressSet::empty().example(None), None);
    }
}
