//! Sets of whole numbers as sorted, disjoint, never adjacent, inclusive intervals.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

/// A number type with both ends, that intervals can be made of.
pub trait Point: Copy + Ord + Debug + Hash {
    /// The least value.
    const MIN: Self;
    /// The greatest value.
    const MAX: Self;
    /// The next value; `None` after [`Self::MAX`].
    fn next(self) -> Option<Self>;
    /// The value before; `None` before [`Self::MIN`].
    fn previous(self) -> Option<Self>;
    /// How many steps `self` is above `lower`, which is not greater; saturating.
    fn distance_from(self, lower: Self) -> u128;
    /// `self` and `steps` more, at most [`Self::MAX`].
    fn advanced_by(self, steps: u8) -> Self;
}

macro_rules! point {
    ($($type:ty),*) => {$(
        impl Point for $type {
            const MIN: Self = <$type>::MIN;
            const MAX: Self = <$type>::MAX;
            fn next(self) -> Option<Self> { self.checked_add(1) }
            fn previous(self) -> Option<Self> { self.checked_sub(1) }
            fn distance_from(self, lower: Self) -> u128 { u128::from(self.saturating_sub(lower)) }
            fn advanced_by(self, steps: u8) -> Self { self.saturating_add(<$type>::from(steps)) }
        }
    )*};
}
point!(u16, u32, u128);

/// A set of numbers. Equal sets compare equal; copies are cheap.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IntervalSet<T>(Ranges<T>);

/// The intervals of a set, in the one form that fits their number: nearly all sets of ports and addresses are empty or one
/// interval, and those take no allocation.
///
/// Sorted; each interval's start is not above its end; between two of them lies at least one number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Ranges<T> {
    None,
    One((T, T)),
    /// At least two.
    Many(Arc<[(T, T)]>),
}

impl<T: Point> PartialOrd for IntervalSet<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By the first interval that differs.
impl<T: Point> Ord for IntervalSet<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.ranges().cmp(other.ranges())
    }
}

impl<T: Point> IntervalSet<T> {
    /// No number.
    pub fn empty() -> Self {
        Self(Ranges::None)
    }

    /// Every number.
    pub fn full() -> Self {
        Self(Ranges::One((T::MIN, T::MAX)))
    }

    /// The numbers from `start` to `end`, both included; none if `start` is above `end`.
    pub fn range(start: T, end: T) -> Self {
        if start > end { Self::empty() } else { Self(Ranges::One((start, end))) }
    }

    /// From intervals that are sorted, disjoint and not adjacent.
    fn from_sorted(ranges: &[(T, T)]) -> Self {
        Self(match ranges {
            [] => Ranges::None,
            [one] => Ranges::One(*one),
            many => Ranges::Many(many.into()),
        })
    }

    /// The union of inclusive ranges in any order; those with the start above the end count as empty.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (T, T)>) -> Self {
        let mut sorted: Vec<(T, T)> = ranges.into_iter().filter(|(start, end)| start <= end).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(T, T)> = Vec::with_capacity(sorted.len());
        for (start, end) in sorted {
            match merged.last_mut() {
                // Overlapping or adjacent; after the greatest number nothing can start anew.
                Some(last) if last.1.next().is_none_or(|after| start <= after) => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Self::from_sorted(&merged)
    }

    /// The intervals, ascending.
    pub fn ranges(&self) -> &[(T, T)] {
        match &self.0 {
            Ranges::None => &[],
            Ranges::One(one) => std::slice::from_ref(one),
            Ranges::Many(many) => many,
        }
    }

    /// Whether there is no number in it.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Ranges::None)
    }

    /// Whether every number is in it.
    pub fn is_full(&self) -> bool {
        matches!(self.0, Ranges::One((start, end)) if start == T::MIN && end == T::MAX)
    }

    /// Whether a number is in it.
    pub fn contains(&self, value: T) -> bool {
        let at = self.ranges().partition_point(|&(_, end)| end < value);
        self.ranges().get(at).is_some_and(|&(start, _)| start <= value)
    }

    /// The least number.
    pub fn first(&self) -> Option<T> {
        self.ranges().first().map(|&(start, _)| start)
    }

    /// How many numbers there are, saturating.
    pub fn count(&self) -> u128 {
        self.ranges().iter().fold(0, |sum: u128, &(start, end)| {
            sum.saturating_add(end.distance_from(start)).saturating_add(1)
        })
    }

    /// What is in either.
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_full() {
            return other.clone();
        }
        if other.is_empty() || self.is_full() {
            return self.clone();
        }
        Self::from_ranges(self.ranges().iter().chain(other.ranges().iter()).copied())
    }

    /// What is in both.
    pub fn intersect(&self, other: &Self) -> Self {
        if self.is_full() {
            return other.clone();
        }
        if other.is_full() {
            return self.clone();
        }
        if let (Ranges::One(a), Ranges::One(b)) = (&self.0, &other.0) {
            return Self::range(a.0.max(b.0), a.1.min(b.1));
        }
        let mut common = Vec::new();
        let (mut left, mut right) = (self.ranges().iter().peekable(), other.ranges().iter().peekable());
        while let (Some(&&(a_start, a_end)), Some(&&(b_start, b_end))) = (left.peek(), right.peek()) {
            let (start, end) = (a_start.max(b_start), a_end.min(b_end));
            if start <= end {
                common.push((start, end));
            }
            if a_end <= b_end {
                left.next();
            } else {
                right.next();
            }
        }
        Self::from_sorted(&common)
    }

    /// Whether some number is in both.
    pub fn intersects(&self, other: &Self) -> bool {
        let (mut left, mut right) = (self.ranges().iter().peekable(), other.ranges().iter().peekable());
        while let (Some(&&(a_start, a_end)), Some(&&(b_start, b_end))) = (left.peek(), right.peek()) {
            if a_start.max(b_start) <= a_end.min(b_end) {
                return true;
            }
            if a_end <= b_end {
                left.next();
            } else {
                right.next();
            }
        }
        false
    }

    /// What is in `self` but not in `other`.
    pub fn subtract(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return self.clone();
        }
        if other.is_full() {
            return Self::empty();
        }
        if !self.intersects(other) {
            return self.clone();
        }
        let mut rest = Vec::new();
        let mut cuts = other.ranges().iter().peekable();
        'interval: for &(start, end) in self.ranges().iter() {
            let mut from = start;
            while let Some(&&(cut_start, cut_end)) = cuts.peek() {
                if cut_end < from {
                    cuts.next();
                    continue;
                }
                if cut_start > end {
                    break;
                }
                if cut_start > from
                    && let Some(before) = cut_start.previous()
                {
                    rest.push((from, before));
                }
                match cut_end.next() {
                    // The cut may reach into the next interval too: it stays.
                    Some(after) if cut_end < end => from = after,
                    _ => continue 'interval,
                }
            }
            rest.push((from, end));
        }
        Self::from_sorted(&rest)
    }

    /// Everything that is not in it.
    pub fn complement(&self) -> Self {
        Self::full().subtract(self)
    }

    /// Whether all of it is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.ranges().iter().all(|&(start, end)| {
            let at = other.ranges().partition_point(|&(_, other_end)| other_end < start);
            other.ranges().get(at).is_some_and(|&(from, to)| from <= start && end <= to)
        })
    }
}
