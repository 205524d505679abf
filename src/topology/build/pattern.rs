//! Texts of which some parts are not known, and what can be said when two of them are compared.

use std::sync::Arc;

use ecow::EcoString;

use crate::source::Span;
use crate::value::{Cause, Reference, TemplatePart, Unknown, Value, ValueKind};

/// A text with holes, for comparison without regard to case: names of resources, groups, subscriptions, segments of ids.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Pattern(Vec<Piece>);

/// A part of a [`Pattern`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Piece {
    /// Text, in lower case, never empty, never next to another text.
    Text(EcoString),
    /// A part that is not known.
    Hole(Hole),
}

/// Something that is not known. Equal holes hold the same text, whatever it turns out to be.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Hole {
    /// An unknown that is one by its cause and place.
    Unknown(Arc<Unknown>),
    /// What is derived from unknowns, and where it is used.
    Derived(Derivation, Span),
    /// An attribute of another resource.
    Reference(Arc<Reference>),
    /// The subscription of a provider configuration: root, alias.
    Provider(u32, EcoString),
}

/// The outcome of one derivation. An expression of a module derives something else in each instance of the module, from
/// the same unknown at the same place: only what comes out of one and the same evaluation is the same.
#[derive(Clone, Debug)]
pub(super) struct Derivation(Arc<Unknown>);

impl PartialEq for Derivation {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Derivation {}

impl std::hash::Hash for Derivation {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// What is known about the equality of two texts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Likeness {
    /// Certainly different.
    Different,
    /// Equal for some values of the unknowns.
    Maybe,
    /// Certainly equal.
    Same,
}

impl Pattern {
    /// A wholly known text.
    pub fn text(text: &str) -> Self {
        let mut pattern = Self::default();
        pattern.push_text(text);
        pattern
    }

    /// A text of which nothing is known.
    pub fn hole(hole: Hole) -> Self {
        Self(vec![Piece::Hole(hole)])
    }

    /// The text of a value; `None` when it is null, empty, or not a text.
    pub fn of(value: &Value) -> Option<Self> {
        let mut pattern = Self::default();
        pattern.push_value(value, 0)?;
        (!pattern.0.is_empty()).then_some(pattern)
    }

    fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let text: EcoString = text.to_lowercase().into();
        match self.0.last_mut() {
            Some(Piece::Text(last)) => last.push_str(&text),
            _ => self.0.push(Piece::Text(text)),
        }
    }

    fn push_value(&mut self, value: &Value, depth: usize) -> Option<()> {
        // Names and ids are shown, so none is made of what must not be.
        if value.sensitive && !matches!(value.kind, ValueKind::Unknown(_) | ValueKind::Reference(_)) {
            return None;
        }
        match &value.kind {
            ValueKind::String(text) => self.push_text(text),
            ValueKind::Number(number) => self.push_text(&number.to_string()),
            ValueKind::Bool(flag) => self.push_text(if *flag { "true" } else { "false" }),
            ValueKind::Unknown(unknown) => {
                let hole = match unknown.cause {
                    Cause::Derived(_) => Hole::Derived(Derivation(Arc::clone(unknown)), value.span),
                    _ => Hole::Unknown(Arc::clone(unknown)),
                };
                self.0.push(Piece::Hole(hole));
            }
            ValueKind::Reference(reference) => {
                self.0.push(Piece::Hole(Hole::Reference(Arc::clone(reference))));
            }
            ValueKind::Template(parts) => {
                // Evaluators flatten templates; nesting beyond a few levels is not a name.
                if depth > 8 {
                    return None;
                }
                for part in parts.iter() {
                    match part {
                        TemplatePart::Literal(text) => self.push_text(text),
                        TemplatePart::Value(value) => self.push_value(value, depth + 1)?,
                    }
                }
            }
            ValueKind::Null | ValueKind::Sequence(_) | ValueKind::Mapping(_) => return None,
        }
        Some(())
    }

    /// Whether every part is known.
    pub fn is_known(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// The text in lower case, when every part is known.
    pub fn known(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The reference with which the text begins.
    pub fn leading_reference(&self) -> Option<&Arc<Reference>> {
        match self.0.first() {
            Some(Piece::Hole(Hole::Reference(reference))) => Some(reference),
            _ => None,
        }
    }

    /// The text without its first piece.
    pub fn without_first(&self) -> Pattern {
        Pattern(self.0.iter().skip(1).cloned().collect())
    }

    /// Whether the text certainly begins with this.
    pub fn starts_with(&self, text: &str) -> bool {
        matches!(self.0.first(), Some(Piece::Text(first)) if first.starts_with(text))
    }

    /// The first unknown part.
    pub fn first_unknown(&self) -> Option<Arc<Unknown>> {
        self.0.iter().find_map(|piece| match piece {
            Piece::Hole(Hole::Unknown(unknown) | Hole::Derived(Derivation(unknown), _)) => {
                Some(Arc::clone(unknown))
            }
            Piece::Hole(Hole::Reference(reference)) => Some(Arc::new(Unknown {
                cause: Cause::Computed(reference.to_string().into()),
                span: Span::NOWHERE,
            })),
            _ => None,
        })
    }

    /// The parts between slashes of the known text. Holes are taken to hold no slashes.
    pub fn segments(&self) -> Vec<Pattern> {
        let mut segments = vec![Pattern::default()];
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => {
                    for (index, part) in text.split('/').enumerate() {
                        if index > 0 {
                            segments.push(Pattern::default());
                        }
                        if let Some(last) = segments.last_mut() {
                            last.push_text(part);
                        }
                    }
                }
                Piece::Hole(_) => {
                    if let Some(last) = segments.last_mut() {
                        last.0.push(piece.clone());
                    }
                }
            }
        }
        segments
    }

    /// What is known about the equality with another text.
    pub fn compare(&self, other: &Pattern) -> Likeness {
        if self == other {
            return Likeness::Same;
        }
        if let (Some(a), Some(b)) = (self.known(), other.known()) {
            return if a == b { Likeness::Same } else { Likeness::Different };
        }
        let (mut a, mut b): (&[Piece], &[Piece]) = (&self.0, &other.0);
        // The same holes at either end hold the same text and cancel out.
        while let ([Piece::Hole(x), rest_a @ ..], [Piece::Hole(y), rest_b @ ..]) = (a, b) {
            if x != y {
                break;
            }
            (a, b) = (rest_a, rest_b);
            if let ([Piece::Text(x), ..], [Piece::Text(y), ..]) = (a, b)
                && x == y
            {
                (a, b) = (&a[1..], &b[1..]); // both slices begin with a text here
            }
        }
        while let ([rest_a @ .., Piece::Hole(x)], [rest_b @ .., Piece::Hole(y)]) = (a, b) {
            if x != y {
                break;
            }
            (a, b) = (rest_a, rest_b);
        }
        match (a, b) {
            ([], []) => return Likeness::Same,
            ([], other) | (other, []) => {
                return if other.iter().any(|piece| matches!(piece, Piece::Text(_))) {
                    Likeness::Different
                } else {
                    Likeness::Maybe
                };
            }
            ([Piece::Text(x)], [Piece::Text(y)]) => {
                return if x == y { Likeness::Same } else { Likeness::Different };
            }
            _ => {}
        }
        if let ([Piece::Text(x), ..], [Piece::Text(y), ..]) = (a, b)
            && !agree(x.bytes(), y.bytes())
        {
            return Likeness::Different;
        }
        if let ([.., Piece::Text(x)], [.., Piece::Text(y)]) = (a, b)
            && !agree(x.bytes().rev(), y.bytes().rev())
        {
            return Likeness::Different;
        }
        // A known text must be long enough for the other's known parts.
        let length = |pieces: &[Piece]| -> usize {
            pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 0 }).sum()
        };
        if let [Piece::Text(known)] = a
            && length(b) > known.len()
        {
            return Likeness::Different;
        }
        if let [Piece::Text(known)] = b
            && length(a) > known.len()
        {
            return Likeness::Different;
        }
        Likeness::Maybe
    }
}

/// Whether two texts are equal as far as the shorter one goes.
fn agree(a: impl Iterator<Item = u8>, b: impl Iterator<Item = u8>) -> bool {
    a.zip(b).all(|(x, y)| x == y)
}

/// [`Pattern::compare`] for what may not be known at all.
pub(super) fn compare(a: Option<&Pattern>, b: Option<&Pattern>) -> Likeness {
    match (a, b) {
        (Some(a), Some(b)) => a.compare(b),
        _ => Likeness::Maybe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(name: &str) -> Value {
        Value::unknown(Cause::Input(name.into()), Span::NOWHERE)
    }

    fn template(parts: Vec<TemplatePart>) -> Pattern {
        Pattern::of(&Value::new(ValueKind::Template(parts.into()), Span::NOWHERE)).unwrap()
    }

    fn text(text: &str) -> TemplatePart {
        TemplatePart::Literal(text.into())
    }

    fn hole(name: &str) -> TemplatePart {
        TemplatePart::Value(unknown(name))
    }

    #[test]
    fn names_compare_without_regard_to_case() {
        assert_eq!(Pattern::text("VNet-Hub").compare(&Pattern::text("vnet-hub")), Likeness::Same);
        assert_eq!(Pattern::text("vnet-hub").compare(&Pattern::text("vnet-spoke")), Likeness::Different);
    }

    #[test]
    fn equal_holes_cancel_out_and_the_rest_decides() {
        let hub = template(vec![hole("prefix"), text("-hub")]);
        let spoke = template(vec![hole("prefix"), text("-spoke")]);
        assert_eq!(hub.compare(&hub.clone()), Likeness::Same);
        assert_eq!(hub.compare(&spoke), Likeness::Different);
        let other = template(vec![hole("name"), text("-hub")]);
        assert_eq!(hub.compare(&other), Likeness::Maybe);
    }

    #[test]
    fn known_ends_exclude_known_texts() {
        let hub = template(vec![text("vnet-"), hole("environment")]);
        assert_eq!(hub.compare(&Pattern::text("vnet-prod")), Likeness::Maybe);
        assert_eq!(hub.compare(&Pattern::text("net-prod")), Likeness::Different);
        assert_eq!(hub.compare(&Pattern::text("vne")), Likeness::Different);
        let suffix = template(vec![hole("a"), text("-hub")]);
        assert_eq!(suffix.compare(&Pattern::text("x-spoke")), Likeness::Different);
    }

    #[test]
    fn holes_of_one_cause_at_the_end_cancel_out_too() {
        let a = template(vec![text("hub-"), hole("environment")]);
        let b = template(vec![text("spoke-"), hole("environment")]);
        assert_eq!(a.compare(&b), Likeness::Different);
    }

    #[test]
    fn segments_keep_holes_in_their_place() {
        let id = template(vec![text("/subscriptions/"), hole("s"), text("/resourceGroups/rg-"), hole("e")]);
        let segments = id.segments();
        assert_eq!(segments.len(), 5);
        assert_eq!(segments[3].known(), Some("resourcegroups"));
        assert!(!segments[4].is_known());
        assert!(segments[4].starts_with("rg-"));
    }
}
