//! What the rules on shadowed security rules ask of a group.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Context;
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

/// The shadowed rules of all groups that are made here, each with its group, in order.
pub fn all<'a>(context: &Context<'a>) -> Vec<(Id<SecurityGroup>, Vec<Shadow<'a>>)> {
    let topology = context.topology;
    let places = attachments::subnets_of_groups(topology);
    let groups: Vec<_> = topology
        .all::<SecurityGroup>()
        .filter(|(_, group)| group.header.is_managed())
        .map(|(id, _)| id)
        .collect();
    groups
        .into_par_iter()
        .map(|id| {
            (id, of_group(topology, context.guards(), id, places.get(&id).map_or(&[][..], Vec::as_slice)))
        })
        .collect()
}

/// The shadowed rules of a group that acts in some subnets.
fn of_group<'a>(
    topology: &'a Topology,
    guards: &Guards<'a>,
    id: Id<SecurityGroup>,
    subnets: &[Id<Subnet>],
) -> Vec<Shadow<'a>> {
    let group = &topology[id];
    let read = guards.group(id);
    let networks = attachments::networks(guards, topology, subnets);
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
    let mut shadows: BTreeMap<usize, Shadow> =
        everywhere.into_iter().filter_map(|(index, one)| Some((index, shadow(group, one, None)?))).collect();
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
    shadows.into_values().collect()
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
