//! What lives in which subnet, and what admits which subnet, by the tables of the knowledge base.

use std::sync::Arc;

use crate::azure::occupants::{self, ArmProperty, Occupant};
use crate::azure::service_endpoints::{self, EndpointRule};
use crate::topology::*;
use crate::value::{Unknown, Value};

use super::Builder;
use super::pattern::Pattern;
use super::source::Source;
use super::view::{Found, View, why};

impl<'a> Builder<'a> {
    /// Finds all uses of subnets.
    pub fn fill_occupancies(&mut self) {
        for source in
            self.sources.iter().filter(|source| source.managed && !source.patch && !source.superseded)
        {
            if source.is_arm() {
                for row in occupants::of_arm(&source.what) {
                    for property in row.arm.iter().filter(|property| applies(property, &source.view())) {
                        self.occupy(source, row, &property.path, property.network.as_deref());
                    }
                }
            } else {
                for row in occupants::of_terraform(&source.written) {
                    for attribute in &row.terraform {
                        if attribute.resource_type == source.written {
                            self.occupy(source, row, &attribute.attribute, attribute.network.as_deref());
                        }
                    }
                }
            }
        }
        for (index, occupancy) in self.topology.occupancies.iter().enumerate() {
            if let Some(subnet) = occupancy.subnet.to()
                && let Some(subnet) = self.topology.subnets.get_mut(subnet.index())
            {
                subnet.occupancies.push(Id::new(index));
            }
        }
    }

    /// Finds all network rules that admit subnets.
    pub fn fill_admissions(&mut self) {
        for source in
            self.sources.iter().filter(|source| source.managed && !source.patch && !source.superseded)
        {
            if source.is_arm() {
                for row in service_endpoints::of_type(&source.what) {
                    for rule in &row.arm {
                        self.admit(source, row, &rule.block, &rule.subnet, rule.ignore_missing.as_deref());
                    }
                }
            } else {
                for row in service_endpoints::of_type(&source.written) {
                    for rule in row.terraform.iter().filter(|rule| rule.resource_type == source.written) {
                        self.admit(source, row, &rule.block, &rule.subnet, rule.ignore_missing.as_deref());
                    }
                }
            }
        }
    }

    fn admit(
        &mut self,
        source: &'a Source,
        row: &'static EndpointRule,
        block: &str,
        attribute: &str,
        ignore_missing: Option<&str>,
    ) {
        for view in source.view().views(block) {
            let switch = match ignore_missing.map(|path| view.find_any([path].into_iter())) {
                Some(Found::Value(value, place)) => {
                    let state = match super::view::flag_of(value) {
                        Some(flag) => State::Known(flag),
                        None => State::Unknown(why(value)),
                    };
                    Field { state, place }
                }
                Some(Found::Unknown(unknown, place)) => Field { state: State::Unknown(unknown), place },
                Some(Found::Absent) => Field { state: State::Known(false), place: view.place },
                None => Field { state: State::Absent, place: view.place },
            };
            for found in view.every(attribute) {
                let (state, place) = match found {
                    Found::Absent => continue,
                    Found::Unknown(unknown, place) => (LinkState::Unknown(unknown), place),
                    Found::Value(value, place) => (self.resolve_at(source, value, place, 0), place),
                };
                if matches!(state, LinkState::Absent) {
                    continue;
                }
                self.topology.admissions.push(Admission {
                    resource: source.id,
                    subnet: Link { state, place },
                    kind: row.kind.clone(),
                    ignore_missing: switch.clone(),
                    place,
                });
            }
        }
    }

    fn occupy(&mut self, source: &'a Source, row: &'static Occupant, path: &str, network: Option<&str>) {
        let view = source.view();
        for found in view.every(path) {
            let (state, place) = match found {
                Found::Absent => continue,
                Found::Unknown(unknown, place) => (LinkState::Unknown(unknown), place),
                Found::Value(value, place) if row.by_name => {
                    (self.subnet_by_name(source, &view, network, value, place), place)
                }
                Found::Value(value, place) => (self.resolve_at(source, value, place, 0), place),
            };
            if matches!(state, LinkState::Absent) {
                continue;
            }
            let subnet = Link { state, place };
            // The same resource, deployed once more under a condition, takes no place of its own.
            let known = source.same_as.and_then(|same| {
                self.topology.occupancies.iter().position(|other| {
                    other.kind == row.kind
                        && self.source(other.resource).same_as == Some(same)
                        && other.subnet.to().is_some()
                        && other.subnet.to() == subnet.to()
                })
            });
            if known.is_some() {
                continue;
            }
            let occupancy = Occupancy { resource: source.id, subnet, kind: row.kind.clone(), place };
            self.topology.occupancies.push(occupancy);
        }
    }

    fn subnet_by_name(
        &mut self,
        source: &'a Source,
        view: &View<'a>,
        network: Option<&str>,
        name: &Value,
        place: Place,
    ) -> LinkState<Subnet> {
        let Some(pattern) = Pattern::of(name) else { return LinkState::Unknown(why(name)) };
        let spelled = super::view::text_of(name);
        match self.network_of(source, view, network) {
            Ok(Some(network)) => self.subnet_named(source, network, &pattern, spelled, place),
            Ok(None) => LinkState::Absent,
            Err(unknown) => LinkState::Unknown(unknown),
        }
    }

    /// The network of a subnet that is given by name: named by its own id, or by the id of another of its subnets.
    fn network_of(
        &mut self,
        source: &'a Source,
        view: &View<'a>,
        path: Option<&str>,
    ) -> Result<Option<Id<VirtualNetwork>>, Arc<Unknown>> {
        let mut because = None;
        for found in path.map(|path| view.every(path)).unwrap_or_default() {
            let (value, place) = match found {
                Found::Absent => continue,
                Found::Unknown(unknown, _) => {
                    because.get_or_insert(unknown);
                    continue;
                }
                Found::Value(value, place) => (value, place),
            };
            match self.resolve_at::<VirtualNetwork>(source, value, place, 0) {
                LinkState::To(network) => return Ok(Some(network)),
                LinkState::Absent => continue,
                LinkState::Unknown(unknown) => because.get_or_insert(unknown),
            };
            if let LinkState::To(subnet) = self.resolve_at::<Subnet>(source, value, place, 0)
                && let Some(network) = self.topology[subnet].network.to()
            {
                return Ok(Some(network));
            }
        }
        because.map_or(Ok(None), Err)
    }
}

/// Whether a property is meant, where several rows share one.
fn applies(property: &ArmProperty, view: &View) -> bool {
    let given = |path: &str| !matches!(view.every(path).first(), None | Some(Found::Absent));
    property.when_set.as_deref().is_none_or(given) && !property.unless_set.as_deref().is_some_and(given)
}
