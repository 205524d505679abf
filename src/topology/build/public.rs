//! Public endpoints of resources, and the firewalls of databases, by the tables of the knowledge base.

use rustc_hash::FxHashMap;

use crate::azure::public_address_users::{self, AddressUser};
use crate::azure::public_endpoints::{self, EndpointRow, FirewallRow, Paths};
use crate::topology::*;

use super::Builder;
use super::source::Source;
use super::view::{Found, View, flag_of, text_of, why};

impl<'a> Builder<'a> {
    /// Finds the public endpoints of what is made here.
    pub fn fill_public_endpoints(&mut self) {
        let guards = self.separate_guards();
        for source in self.sources.iter().filter(|source| source.managed && !source.patch) {
            let Some(row) = public_endpoints::endpoint_of(&source.what) else { continue };
            let view = source.view();
            let mut open = view.read_any(of_view(&row.switch, &view), |value| {
                // What a perimeter secures is reached from the perimeter only.
                let secured =
                    value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("SecuredByPerimeter"));
                flag_of(value).or(secured.then_some(false))
            });
            let default = if view.is_arm() { row.arm_default } else { row.azurerm_default };
            if let (true, Some(default)) = (open.is_absent(), default) {
                open.state = State::Known(default);
            }
            let guarded = match guards.get(&source.id) {
                Some(place) => Field { state: State::Known(true), place: *place },
                None => guarded(row, &view),
            };
            self.topology.public_endpoints.push(PublicEndpoint {
                header: self.node_header(source),
                open,
                guarded,
                admits_addresses: admits_addresses(row, &view, guards.get(&source.id)),
            });
        }
    }

    /// The resources before whose endpoints resources of their own stand, and where those are.
    fn separate_guards(&mut self) -> FxHashMap<ResourceId, Place> {
        let kinds: FxHashMap<String, &'static str> = public_endpoints::endpoints()
            .iter()
            .flat_map(|row| row.rules.iter().map(|kind| (kind.to_lowercase(), row.arm_type.as_str())))
            .collect();
        let mut guards = FxHashMap::default();
        for source in self.sources {
            let guarded = kinds.get(source.written.as_str()).or_else(|| kinds.get(source.what.as_str()));
            let Some(guarded) = guarded else { continue };
            for target in self.servers_of(source, guarded) {
                guards.entry(target).or_insert(source.place);
            }
        }
        guards
    }

    /// What a resource is a part of: its parent by its name, and what it refers to, as far as they are of this type.
    fn servers_of(&mut self, source: &Source, arm_type: &str) -> Vec<ResourceId> {
        let mut targets = self.topology[source.id].dependencies.clone();
        if source.is_arm() {
            targets.extend(self.parent_node(source, &arm_type.to_lowercase()));
        }
        let of_type = |id: &ResourceId| self.source(*id).what.eq_ignore_ascii_case(arm_type);
        targets.retain(of_type);
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// Finds the public addresses of what the model has no part for.
    pub fn fill_address_uses(&mut self) {
        for source in
            self.sources.iter().filter(|source| source.managed && !source.patch && !source.superseded)
        {
            for row in public_address_users::all() {
                if !source.is_arm() {
                    for place in row.terraform.iter().filter(|place| place.resource_type == source.written) {
                        self.use_address(source, row, &place.attribute);
                    }
                } else if row.arm_type.eq_ignore_ascii_case(&source.what) {
                    for path in &row.arm {
                        self.use_address(source, row, path);
                    }
                }
            }
        }
    }

    fn use_address(&mut self, source: &'a Source, row: &'static AddressUser, path: &str) {
        for found in source.view().every(path) {
            let (state, place) = match found {
                Found::Absent => continue,
                Found::Unknown(unknown, place) => (LinkState::Unknown(unknown), place),
                Found::Value(value, place) => (self.resolve_at(source, value, place, 0), place),
            };
            let header = self.node_header(source);
            let public_ip = Link { state, place };
            self.topology.address_uses.push(AddressUse { header, what: &row.name, public_ip });
        }
    }

    /// Finds the rules of databases' firewalls.
    pub fn fill_firewall_rules(&mut self) {
        for source in self.sources.iter().filter(|source| source.managed && !source.patch) {
            if let Some(row) = public_endpoints::firewall_of(&source.what) {
                self.add_firewall_rule(source, row);
            }
        }
    }

    fn add_firewall_rule(&mut self, source: &'a Source, row: &'static FirewallRow) {
        let view = source.view();
        let parent = row.arm_type.rsplit_once('/').map_or("", |(parent, _)| parent);
        let server = match self.servers_of(source, parent).as_slice() {
            [server] => LinkState::To(*server),
            // With several it is not clear whose rule it is.
            _ => LinkState::Absent,
        };
        let rule = FirewallRule {
            header: self.node_header(source),
            kind: row.arm_type.as_str().into(),
            server: Link { state: server, place: source.place },
            start: view.read_any(of_view(&row.start, &view), text_of),
            end: view.read_any(of_view(&row.end, &view), text_of),
        };
        self.topology.firewall_rules.push(rule);
    }
}

/// The paths in the vocabulary of a view.
fn of_view<'p>(paths: &'p Paths, view: &View) -> impl Iterator<Item = &'p str> {
    let paths = if view.is_arm() { &paths.arm } else { &paths.terraform };
    paths.iter().map(String::as_str)
}

/// Whether rules in the resource itself admit addresses; rules of their own may whatever they are.
fn admits_addresses(row: &EndpointRow, view: &View, separate: Option<&Place>) -> Field<bool> {
    if separate.is_some() || of_view(&row.addresses, view).next().is_none() {
        return Field { state: State::Absent, place: view.place };
    }
    let empty = |value: &crate::value::Value| value.as_sequence().is_some_and(|list| list.items.is_empty());
    match view.find_any(of_view(&row.addresses, view)) {
        Found::Absent => Field { state: State::Known(false), place: view.place },
        Found::Unknown(unknown, place) => Field { state: State::Unknown(unknown), place },
        Found::Value(value, place) if empty(value) => Field { state: State::Known(false), place },
        Found::Value(value, place) => match value.first_unknown() {
            Some(unknown) => Field { state: State::Unknown(unknown), place },
            None => Field { state: State::Known(true), place },
        },
    }
}

/// Whether rules in the resource itself stand before its endpoint.
fn guarded(row: &EndpointRow, view: &View) -> Field<bool> {
    let nothing = Field { state: State::Known(row.denies_by_default), place: view.place };
    if row.denies_by_default {
        return nothing;
    }
    let mut open = Vec::new();
    for path in of_view(&row.default_action, view) {
        for found in view.every(path) {
            match found {
                Found::Absent => {}
                Found::Unknown(unknown, place) => open.push((Err(unknown), place)),
                Found::Value(value, place) => match text_of(value) {
                    Some(action) if action.eq_ignore_ascii_case("Allow") => {}
                    Some(_) => return Field { state: State::Known(true), place },
                    None => open.push((Err(why(value)), place)),
                },
            }
        }
    }
    for path in of_view(&row.filters, view) {
        for found in view.every(path) {
            match found {
                Found::Absent => {}
                Found::Unknown(unknown, place) => open.push((Err(unknown), place)),
                Found::Value(value, place) => match flag_of(value) {
                    Some(false) => {}
                    Some(true) => open.push((Ok(()), place)),
                    None if value.as_sequence().is_some_and(|list| list.items.is_empty()) => {}
                    None => open.push((value.first_unknown().map_or(Ok(()), Err), place)),
                },
            }
        }
    }
    // What certainly stands there counts more than what may.
    let certain = open.iter().position(|(guard, _)| guard.is_ok());
    match certain.or((!open.is_empty()).then_some(0)).map(|index| open.swap_remove(index)) {
        Some((Ok(()), place)) => Field { state: State::Known(true), place },
        Some((Err(unknown), place)) => Field { state: State::Unknown(unknown), place },
        None => nothing,
    }
}
