//! How the model holds what configuration says: known, absent, or unknown, always with its place.

use std::sync::Arc;

use crate::source::Span;
use crate::value::Unknown;

use super::{Id, ResourceId};

/// Where something stands. Rules pass places on to findings and never look inside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// The resource it belongs to.
    pub resource: ResourceId,
    /// Where the value is used: the attribute, the block, or the resource's header.
    pub site: Span,
    /// Where the value itself was written, when that is elsewhere (a variable's default, a tfvars line).
    pub origin: Span,
}

/// A property: its state and its place.
#[derive(Clone, Debug)]
pub struct Field<T> {
    /// What is known of it.
    pub state: State<T>,
    /// The attribute; the resource's header where the attribute is absent.
    pub place: Place,
}

/// What is known of a property.
#[derive(Clone, PartialEq, Debug)]
pub enum State<T> {
    /// Not given, and no default is documented (a documented default is filled in as `Known`).
    Absent,
    /// This.
    Known(T),
    /// Given, but not known, and why.
    Unknown(Arc<Unknown>),
}

impl<T> Field<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match &self.state {
            State::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Why it is not known, if it is unknown.
    pub fn unknown(&self) -> Option<&Arc<Unknown>> {
        match &self.state {
            State::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }

    /// Whether it is certainly not given.
    pub fn is_absent(&self) -> bool {
        matches!(self.state, State::Absent)
    }
}

impl<T: PartialEq> Field<T> {
    /// Whether it is certainly this value.
    pub fn is(&self, value: &T) -> bool {
        self.known() == Some(value)
    }

    /// Whether it could be this value: it is this value, or unknown.
    pub fn may_be(&self, value: &T) -> bool {
        match &self.state {
            State::Known(known) => known == value,
            State::Unknown(_) => true,
            State::Absent => false,
        }
    }
}

/// A list property: what is known of its elements, and whether there may be more.
#[derive(Clone, Debug)]
pub struct List<T> {
    /// The known elements (each may itself be an unknown field).
    pub items: Vec<Field<T>>,
    /// When set, there may be more (or fewer, for elements that stand for zero or more) elements, for this reason.
    pub rest: Option<Arc<Unknown>>,
    /// The list's attribute; the resource's header where it is absent.
    pub place: Place,
}

impl<T> List<T> {
    /// Whether there certainly are no elements.
    pub fn is_certainly_empty(&self) -> bool {
        self.items.is_empty() && self.rest.is_none()
    }

    /// Whether every element is known and there are no more.
    pub fn is_complete(&self) -> bool {
        self.rest.is_none() && self.items.iter().all(|item| item.unknown().is_none())
    }

    /// The known elements.
    pub fn known(&self) -> impl Iterator<Item = &T> {
        self.items.iter().filter_map(Field::known)
    }

    /// Why the list is not complete, if it is not.
    pub fn unknown(&self) -> Option<&Arc<Unknown>> {
        self.rest.as_ref().or_else(|| self.items.iter().find_map(Field::unknown))
    }
}

/// A property that names another part of the model.
#[derive(Debug)]
pub struct Link<T> {
    /// What it leads to.
    pub state: LinkState<T>,
    /// The attribute or association that makes the connection; the resource's header where there is none.
    pub place: Place,
}

/// What a [`Link`] leads to. Something that is only named by a literal id and declared nowhere in the input is in the model as
/// well, as an entity whose header says [`super::Declared::Elsewhere`] and whose properties are unknown.
#[derive(Debug)]
pub enum LinkState<T> {
    /// Not given.
    Absent,
    /// This one.
    To(Id<T>),
    /// Given, but not known to which, and why.
    Unknown(Arc<Unknown>),
}

impl<T> Link<T> {
    /// What it leads to, if that is known.
    pub fn to(&self) -> Option<Id<T>> {
        match &self.state {
            LinkState::To(id) => Some(*id),
            _ => None,
        }
    }

    /// Whether it is certainly not given.
    pub fn is_absent(&self) -> bool {
        matches!(self.state, LinkState::Absent)
    }

    /// Why it is not known where it leads, if it is not.
    pub fn unknown(&self) -> Option<&Arc<Unknown>> {
        match &self.state {
            LinkState::Unknown(unknown) => Some(unknown),
            _ => None,
        }
    }
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), place: self.place }
    }
}

impl<T> Clone for LinkState<T> {
    fn clone(&self) -> Self {
        match self {
            LinkState::Absent => LinkState::Absent,
            LinkState::To(id) => LinkState::To(*id),
            LinkState::Unknown(unknown) => LinkState::Unknown(Arc::clone(unknown)),
        }
    }
}
