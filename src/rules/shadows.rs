//! What the rules on shadowed security rules ask of a group.

use std::collections::BTreeMap;

use crate::analysis::attachments;
use crate::analysis::hosts::Guards;
use crate::analysis::security::input::{Cause, Network};
use crate::analysis::security::{RuleRef, ShadowEffect, Shadowed, shadowed_rules};
use crate::net::AddressSet;
use crate::topology::{Id, SecurityGroup, SecurityRule, Subnet, Topology};

/// A rule that can never match, wherever its group is attached.
pub struct Shadow<'a> {
    /// The rule.
    pub rule: &'a SecurityRule,
    /// The rules that take its packets.
    pub by: Vec<&'a SecurityRule>,
    /// Those of them that do the opposite.
    pub opposed_by: Vec<&'a SecurityRule>,
    /// What its author loses.
    pub effect: ShadowEffect,
    /// The subnet whose default route makes it so, if it is so only because of one.
    pub by_default_route: Option<Id<Subnet>>,
}

/// The shadowed rules of all groups that are made here, each with its group, in order. Also how many rules were looked at.
pub fn all(topology: &Topology) -> Vec<(Id<SecurityGroup>, Vec<Shadow<'_>>)> {
    let places = attachments::subnets_of_groups(topology);
    let mut guards = Guards::new(topology);
    let mut found = Vec::new();
    for (id, group) in topology.all::<SecurityGroup>().filter(|(_, group)| group.header.is_managed()) {
        let read = guards.group(id);
        let subnets = places.get(&id).map_or(&[][..], Vec::as_slice);
        let networks = attachments::networks(&mut guards, topology, subnets);
        let shadows_in = |network: &Network| -> BTreeMap<usize, Shadowed> {
            let shadowed = shadowed_rules(&read, network).shadowed;
            shadowed.into_iter().filter_map(|one| Some((one.rule.index?, one))).collect()
        };
        let mut everywhere: Option<BTreeMap<usize, Shadowed>> = None;
        for (_, network) in &networks {
            let here = shadows_in(network);
            everywhere = Some(match everywhere {
                None => here,
                Some(mut before) => {
                    before.retain(|index, one| match here.get(index) {
                        Some(other) => {
                            if other.effect != one.effect {
                                one.effect = ShadowEffect::Mixed;
                            }
                            one.opposed_by.retain(|rule| other.opposed_by.contains(rule));
                            true
                        }
                        None => false,
                    });
                    before
                }
            });
        }
        let everywhere = everywhere.unwrap_or_else(|| {
            let mut nowhere = Network::new(AddressSet::empty());
            nowhere.more = Some(Cause::new("the group is attached to no subnet or interface here"));
            shadows_in(&nowhere)
        });
        let mut shadows: BTreeMap<usize, Shadow> = everywhere
            .into_iter()
            .filter_map(|(index, one)| Some((index, shadow(group, one, None)?)))
            .collect();
        for (subnet, network) in &networks {
            if !network.routed.v4().is_full() {
                continue;
            }
            let assumed = Network { assume_default_route: true, ..(**network).clone() };
            for (index, one) in shadows_in(&assumed) {
                if one.effect == ShadowEffect::Defeated && !shadows.contains_key(&index) {
                    shadows.extend(shadow(group, one, Some(*subnet)).map(|shadow| (index, shadow)));
                }
            }
        }
        found.push((id, shadows.into_values().collect()));
    }
    found
}

fn shadow(group: &SecurityGroup, one: Shadowed, by_default_route: Option<Id<Subnet>>) -> Option<Shadow<'_>> {
    let rule_of = |rule: &RuleRef| group.rules.items.get(rule.index?)?.known();
    Some(Shadow {
        rule: rule_of(&one.rule)?,
        by: one.by.iter().filter_map(rule_of).collect(),
        opposed_by: one.opposed_by.iter().filter_map(rule_of).collect(),
        effect: one.effect,
        by_default_route,
    })
}
