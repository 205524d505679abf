//! Sets of ports.

use std::fmt;

use super::interval::IntervalSet;

/// A set of TCP or UDP ports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PortSet(IntervalSet<u16>);

impl PortSet {
    /// No port.
    pub fn empty() -> Self {
        Self(IntervalSet::empty())
    }

    /// Every port, 0 to 65535.
    pub fn full() -> Self {
        Self(IntervalSet::full())
    }

    /// One port.
    pub fn single(port: u16) -> Self {
        Self(IntervalSet::range(port, port))
    }

    /// The ports from `start` to `end`, both included; none if `start` is above `end`.
    pub fn range(start: u16, end: u16) -> Self {
        Self(IntervalSet::range(start, end))
    }

    /// Reads `443`, `8000-8080` or `*`. `None` for anything else: lists, words, a range backwards, a number over 65535.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text == "*" {
            return Some(Self::full());
        }
        match text.split_once('-') {
            None => port(text).map(Self::single),
            Some((start, end)) => {
                let (start, end) = (port(start.trim())?, port(end.trim())?);
                (start <= end).then(|| Self::range(start, end))
            }
        }
    }

    /// The intervals, ascending, both ends included.
    pub fn ranges(&self) -> &[(u16, u16)] {
        self.0.ranges()
    }

    /// Whether there is no port in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every port is in it.
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Whether a port is in it.
    pub fn contains(&self, port: u16) -> bool {
        self.0.contains(port)
    }

    /// The least port.
    pub fn first(&self) -> Option<u16> {
        self.0.first()
    }

    /// How many ports there are.
    pub fn count(&self) -> u32 {
        self.0.ranges().iter().map(|&(start, end)| u32::from(end - start) + 1).sum()
    }

    /// What is in either.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0))
    }

    /// What is in both.
    pub fn intersect(&self, other: &Self) -> Self {
        Self(self.0.intersect(&other.0))
    }

    /// Whether some port is in both.
    pub fn intersects(&self, other: &Self) -> bool {
        self.0.intersects(&other.0)
    }

    /// What is in `self` but not in `other`.
    pub fn subtract(&self, other: &Self) -> Self {
        Self(self.0.subtract(&other.0))
    }

    /// Whether all of it is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromIterator<PortSet> for PortSet {
    fn from_iter<I: IntoIterator<Item = PortSet>>(sets: I) -> Self {
        let ranges = sets.into_iter().flat_map(|set| set.0.ranges().to_vec());
        Self(IntervalSet::from_ranges(ranges))
    }
}

/// `any`, `none`, or ports and ranges with commas: `80, 443, 8000-8080`.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() {
            return f.write_str("any");
        }
        if self.is_empty() {
            return f.write_str("none");
        }
        for (i, &(start, end)) in self.ranges().iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            if start == end {
                write!(f, "{comma}{start}")?;
            } else {
                write!(f, "{comma}{start}-{end}")?;
            }
        }
        Ok(())
    }
}

fn port(text: &str) -> Option<u16> {
    // `parse` alone would also take a leading plus sign.
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_rule_may_say() {
        assert_eq!(PortSet::parse("443"), Some(PortSet::single(443)));
        assert_eq!(PortSet::parse(" 80 - 90 "), Some(PortSet::range(80, 90)));
        assert_eq!(PortSet::parse("*"), Some(PortSet::full()));
        assert_eq!(PortSet::parse("0-65535"), Some(PortSet::full()));
        for refused in ["", "80,443", "90-80", "65536", "+80", "-1", "http", "1-2-3", "٣"] {
            assert_eq!(PortSet::parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn shows_ranges_compactly() {
        let set: PortSet =
            ["443", "80", "81", "8000-8080"].iter().filter_map(|p| PortSet::parse(p)).collect();
        assert_eq!(set.to_string(), "80-81, 443, 8000-8080");
        assert_eq!(PortSet::full().to_string(), "any");
        assert_eq!(PortSet::empty().to_string(), "none");
    }
}
