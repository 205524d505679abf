//! What a name means: things by name, group and subscription, subnets by network, parents by what their children say.

use std::sync::Arc;

use ecow::EcoString;

use crate::topology::*;
use crate::value::{Cause, Unknown};

use super::identity::{Entry, Search, Seeker};
use super::part::{Nothing, Part};
use super::pattern::{Likeness, Pattern};
use super::resolve::{Linkable, not_an_id, path};
use super::source::Source;
use super::view::{Found, why};
use super::{Builder, undecided};

impl<'a> Builder<'a> {
    /// Searches the index for a resource.
    pub fn search<T: Part>(
        &self,
        from: &Source,
        name: &Pattern,
        group: Option<&Pattern>,
        subscription: Option<&Pattern>,
    ) -> Search {
        let dependencies =
            self.topology.resources.get(from.id.index()).map_or(&[][..], |node| &node.dependencies);
        let depends = |position: usize| {
            dependencies.iter().any(|id| self.parts.get(id.index()) == Some(&Some((T::TYPE, position))))
        };
        let seeker = Seeker { root: from.key.root, depends: &depends };
        self.index.search(T::TYPE, name, group, subscription, &seeker)
    }

    /// What a name in a group means; what is not declared is added as declared elsewhere.
    pub fn named<T: Part>(
        &mut self,
        from: &Source,
        name: &Pattern,
        spelled: Option<EcoString>,
        group: Option<&Pattern>,
        subscription: Option<&Pattern>,
        place: Place,
    ) -> LinkState<T> {
        match self.search::<T>(from, name, group, subscription) {
            Search::Found(position) => {
                self.index.learn_subscription(T::TYPE, name, position, subscription);
                LinkState::To(Id::new(position))
            }
            Search::Undecided => {
                let what =
                    format!("the resources that `{}` could mean", spelled.as_deref().unwrap_or("this name"));
                LinkState::Unknown(name.first_unknown().unwrap_or_else(|| undecided(&what, place)))
            }
            Search::Nothing => {
                let header = self.elsewhere::<T>(from, name, spelled, None, place);
                let lookup = header_cause(&header, place);
                let position = self.add(T::blank(header, &Nothing { unknown: Some(lookup), place }));
                let entry = Entry {
                    position,
                    group: group.cloned(),
                    subscription: subscription.cloned(),
                    root: None,
                    managed: false,
                };
                self.index.insert(T::TYPE, name, entry);
                LinkState::To(Id::new(position))
            }
        }
    }

    /// What a subnet's name in a network means; what is not declared is added as declared elsewhere.
    pub fn subnet_named(
        &mut self,
        from: &Source,
        network: Id<VirtualNetwork>,
        name: &Pattern,
        spelled: Option<EcoString>,
        place: Place,
    ) -> LinkState<Subnet> {
        match self.search_subnet(from, network, name) {
            Search::Found(position) => LinkState::To(Id::new(position)),
            Search::Undecided => {
                let what =
                    format!("the subnets that `{}` could mean", spelled.as_deref().unwrap_or("this name"));
                LinkState::Unknown(name.first_unknown().unwrap_or_else(|| undecided(&what, place)))
            }
            Search::Nothing => {
                if let Some(unknown) = name.first_unknown() {
                    return LinkState::Unknown(unknown);
                }
                let parent = self.topology[network].header.name.known().cloned();
                let header = self.elsewhere::<Subnet>(from, name, spelled, parent.as_deref(), place);
                let lookup = header_cause(&header, place);
                let mut subnet = Subnet::blank(header, &Nothing { unknown: Some(lookup), place });
                subnet.network = Link { state: LinkState::To(network), place };
                let id = Id::new(self.add(subnet));
                self.register_subnet(network, name, id);
                LinkState::To(id)
            }
        }
    }

    /// Searches the subnets of a network.
    pub fn search_subnet(&self, from: &Source, network: Id<VirtualNetwork>, name: &Pattern) -> Search {
        let mut found: Vec<Id<Subnet>> =
            self.subnets.get(&(network, name.clone())).cloned().unwrap_or_default();
        if found.len() > 1 {
            let dependencies =
                self.topology.resources.get(from.id.index()).map_or(&[][..], |node| &node.dependencies);
            let depended: Vec<Id<Subnet>> = found
                .iter()
                .copied()
                .filter(|id| dependencies.iter().any(|resource| self.part::<Subnet>(*resource) == Some(*id)))
                .collect();
            if !depended.is_empty() {
                found = depended;
            }
        }
        match found.as_slice() {
            [one] => return Search::Found(one.index()),
            [] => {}
            _ => return Search::Undecided,
        }
        let open = self.open_subnets.get(&network).map_or(&[][..], Vec::as_slice);
        if open.len() > 64 || open.iter().any(|(other, _)| other.compare(name) != Likeness::Different) {
            return Search::Undecided;
        }
        if self.topology[network].incomplete.is_some() && self.topology[network].header.is_managed() {
            return Search::Undecided;
        }
        Search::Nothing
    }

    /// Notes a subnet under its network.
    pub fn register_subnet(&mut self, network: Id<VirtualNetwork>, name: &Pattern, id: Id<Subnet>) {
        self.subnets.entry((network, name.clone())).or_default().push(id);
        if !name.is_known() {
            self.open_subnets.entry(network).or_default().push((name.clone(), id));
        }
    }

    fn elsewhere<T: Part>(
        &self,
        from: &Source,
        name: &Pattern,
        spelled: Option<EcoString>,
        parent: Option<&str>,
        place: Place,
    ) -> Header {
        let spelled = spelled.or_else(|| name.known().map(EcoString::from));
        let state = match (&spelled, name.first_unknown()) {
            (Some(text), _) => State::Known(text.clone()),
            (None, Some(unknown)) => State::Unknown(unknown),
            (None, None) => State::Absent,
        };
        Header {
            resource: from.id,
            place,
            name: Field { state, place },
            declared: Declared::Elsewhere,
            uncertain: None,
            resource_id: path(T::TYPE, parent, spelled.as_ref()),
        }
    }

    /// The parent of a resource that is a child in Azure: by its own names (ARM), its parent's id (azapi, some azurerm
    /// resources), or the parent's name and resource group (azurerm).
    pub fn parent<T: Linkable>(
        &mut self,
        source: &Source,
        id_attributes: &'static [&'static str],
        name_attribute: &'static str,
    ) -> Link<T> {
        let place = source.place;
        if source.is_arm() {
            if let Some(parent) = &source.parent {
                return Link { state: self.resolve_at(source, parent, place, 0), place };
            }
            let name =
                source.names.as_ref().and_then(|names| names.len().checked_sub(2).and_then(|i| names.get(i)));
            let Some(name) = name else {
                let unknown = match source.view().find(super::view::paths!(["name"], ["name"])) {
                    Found::Value(value, _) => why(value),
                    Found::Unknown(unknown, _) => unknown,
                    Found::Absent => not_an_id::<T>(place),
                };
                return Link { state: LinkState::Unknown(unknown), place };
            };
            let spelled = spelled_parent(source);
            let state = self.named(
                source,
                &name.clone(),
                spelled,
                source.group.as_ref(),
                source.subscription.as_ref(),
                source.name.place,
            );
            return Link { state, place: source.name.place };
        }
        let view = source.view();
        if !id_attributes.is_empty()
            && let Found::Value(value, place) = view.walk_any(id_attributes)
        {
            return Link { state: self.resolve_at(source, value, place, 0), place };
        }
        match view.walk_any(&[name_attribute]) {
            Found::Value(value, place) => {
                let state = match Pattern::of(value) {
                    Some(name) => self.named(
                        source,
                        &name,
                        super::view::text_of(value),
                        source.group.as_ref(),
                        source.subscription.as_ref(),
                        place,
                    ),
                    None => LinkState::Unknown(why(value)),
                };
                Link { state, place }
            }
            Found::Unknown(unknown, place) => Link { state: LinkState::Unknown(unknown), place },
            Found::Absent => Link { state: LinkState::Unknown(not_an_id::<T>(place)), place },
        }
    }
}

/// The parent's name as an ARM resource spells it in its own name.
fn spelled_parent(source: &Source) -> Option<EcoString> {
    let Found::Value(value, _) = source.view().find(super::view::paths!([], ["name"])) else { return None };
    let mut names = value.as_str()?.rsplit('/');
    names.next()?;
    names.next().map(EcoString::from)
}

fn header_cause(header: &Header, place: Place) -> Arc<Unknown> {
    let what =
        header.resource_id.clone().unwrap_or_else(|| "a resource that is not in the input".to_string());
    Arc::new(Unknown { cause: Cause::Lookup(what.into()), span: place.site })
}
