//! What several rules say or ask in the same way.

use ipnet::IpNet;

use crate::topology::{Field, Header, Id, List, Prefix, Topology, VirtualNetwork};

/// The name of a part for messages: its name in Azure where it is known, else its resource's address.
pub fn label(topology: &Topology, header: &Header) -> String {
    match header.name.known() {
        Some(name) => format!("`{name}`"),
        None => format!("`{}`", topology[header.resource].key.address),
    }
}

/// Whether two networks are not one and the same under two names: their names are known and differ, or one root makes both.
/// Two roots may describe one deployment in two languages.
pub fn certainly_distinct(topology: &Topology, a: Id<VirtualNetwork>, b: Id<VirtualNetwork>) -> bool {
    if a == b {
        return false;
    }
    let (a, b) = (&topology[a].header, &topology[b].header);
    match (a.name.known(), b.name.known()) {
        (Some(a), Some(b)) => !a.eq_ignore_ascii_case(b),
        _ => {
            let same_root = topology[a.resource].key.root == topology[b.resource].key.root;
            a.is_managed() && b.is_managed() && same_root
        }
    }
}

/// The ranges of a list that are known and well-formed, without host bits, each with its field.
pub fn ranges(prefixes: &List<Prefix>) -> impl Iterator<Item = (IpNet, &Field<Prefix>)> {
    prefixes.items.iter().filter_map(|field| Some((field.known()?.net?.trunc(), field)))
}

/// The known texts of a list of ranges, for messages: `10.0.0.0/16, 10.1.0.0/16`.
pub fn texts(prefixes: &List<Prefix>) -> String {
    prefixes.known().map(|prefix| prefix.text.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether two ranges have an address in common.
pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}

/// Among ranges, every range that lies inside an earlier-starting or larger one, with the smallest such range: positions
/// into the input as `(inner, outer)`. Equal ranges nest in input order. `n log n`, and at most one pair for each range.
pub fn nested(ranges: &[IpNet]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..ranges.len()).collect();
    order.sort_by_key(|&index| (ranges[index].network(), ranges[index].prefix_len(), index));
    let mut open: Vec<usize> = Vec::new();
    let mut pairs = Vec::new();
    for index in order {
        while open.last().is_some_and(|&outer| !ranges[outer].contains(&ranges[index])) {
            open.pop();
        }
        if let Some(&outer) = open.last() {
            pairs.push((index, outer));
        }
        open.push(index);
    }
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn nested_names_the_smallest_enclosing_range() {
        let ranges = [net("10.0.0.0/8"), net("10.1.0.0/16"), net("10.1.2.0/24"), net("11.0.0.0/8")];
        assert_eq!(nested(&ranges), [(1, 0), (2, 1)]);
        assert_eq!(nested(&[net("10.0.0.0/24"), net("10.0.0.0/24")]), [(1, 0)]);
    }

    proptest! {
        #[test]
        fn nested_finds_every_range_that_overlaps_an_earlier_one(bits in prop::collection::vec((0u32..64, 26u8..=32), 0..12)) {
            let ranges: Vec<IpNet> = bits
                .iter()
                .map(|&(address, length)| ipnet::Ipv4Net::new(address.into(), length).unwrap().trunc().into())
                .collect();
            let pairs = nested(&ranges);
            for &(inner, outer) in &pairs {
                prop_assert!(ranges[outer].contains(&ranges[inner]));
            }
            let any = (0..ranges.len()).any(|a| (0..a).any(|b| overlap(&ranges[a], &ranges[b])));
            prop_assert_eq!(any, !pairs.is_empty());
        }
    }
}
