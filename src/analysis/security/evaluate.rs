//! The walk of packets past admin rules, groups and the platform's own exceptions.

use std::collections::BTreeSet;

use ecow::eco_format;

use super::compile::{CompiledRule, Compiler, Reading, Verb, exempt, groups_named, hidden_rule, unknown};
use super::input::{
    Access, Cause, Direction, Flow, Layer, Layers, Network, PublicEntry, SecurityGroup, SecurityRule, Setting,
};
use super::outcome::{Decision, Outcome, RuleRef, Stage};
use crate::azure::security_groups::security_group_facts;
use crate::net::{Budget, Condition, PacketSet, Subject, Symbol, TooComplex};

/// Whether a flow passes the groups of a machine's subnet and interface, and by which rules.
///
/// Unknown fields, unknown groups and tags whose addresses are not known are followed through as symbols, so that what is
/// said to be blocked is blocked whatever they turn out to be.
///
/// # Errors
/// [`TooComplex`] when the rules are too many and too entangled to be evaluated exactly.
pub fn evaluate(flow: &Flow, layers: &Layers<'_>, network: &Network) -> Result<Outcome, TooComplex> {
    let mut walk = Walk {
        compiler: Compiler::new(network),
        direction: flow.direction,
        reading: Reading { ignore_source_ports: flow.private_endpoint.is_some(), ..Reading::default() },
        budget: Budget::default(),
        decisions: Vec::new(),
    };
    let rules = [&layers.subnet, &layers.nic].into_iter().filter_map(|layer| match layer {
        Layer::Group(group) | Layer::Maybe(group, _) => Some(group.rules.iter()),
        Layer::Absent | Layer::Unknown(_) => None,
    });
    let named = groups_named(rules.flatten().chain(&network.admin_rules));
    let packets = walk.compiler.flow(flow, &named);
    if flow.established {
        walk.settle(Stage::FlowRecord, None, Access::Allow, packets.clone());
        return Outcome::judge(packets, walk.decisions, &mut walk.budget);
    }
    let packets_at_groups = walk.admin_rules(packets.clone(), &network.admin_rules)?;
    let packets_at_groups = walk.endpoint_policies(packets_at_groups, flow);
    let mut ordinary = packets_at_groups;
    let exempted = ordinary.take(&exempt(flow.direction), &mut walk.budget)?;

    // Inbound the subnet is asked first, outbound the interface.
    let order = match flow.direction {
        Direction::Inbound => [(Stage::Subnet, &layers.subnet), (Stage::Nic, &layers.nic)],
        Direction::Outbound => [(Stage::Nic, &layers.nic), (Stage::Subnet, &layers.subnet)],
    };
    let mut passing =
        vec![Decision { stage: Stage::NoGroup, rule: None, access: Access::Allow, packets: ordinary }];
    let mut platform =
        Decision { stage: Stage::Platform, rule: None, access: Access::Allow, packets: exempted };
    for (stage, layer) in order {
        let mut next = Vec::new();
        for decision in passing {
            walk.layer(stage, layer, decision, &mut next)?;
        }
        passing = next;
        platform.packets = walk.platform_rules(stage, layer, platform.packets)?;
    }
    passing.push(platform);
    for decision in passing {
        let closed = decision.stage == Stage::NoGroup
            && flow.entry == Some(PublicEntry::Standard)
            && flow.direction == Direction::Inbound;
        if closed {
            walk.settle(Stage::PublicAddress, None, Access::Deny, decision.packets);
        } else {
            walk.settle(decision.stage, decision.rule, Access::Allow, decision.packets);
        }
    }
    Outcome::judge(packets, walk.decisions, &mut walk.budget)
}

/// A flow evaluated at both of its ends: leaving the source, arriving at the destination.
#[derive(Clone, Debug)]
pub struct PathOutcome {
    /// At the source.
    pub leaving: Outcome,
    /// At the destination.
    pub arriving: Outcome,
}

/// Evaluates a flow where it leaves and where it arrives. Both must let it pass; each end has groups and a network of its
/// own. The directions of the flows are set here.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_path(
    flow: &Flow,
    source: (&Layers<'_>, &Network),
    destination: (&Layers<'_>, &Network),
) -> Result<PathOutcome, TooComplex> {
    let outbound =
        Flow { direction: Direction::Outbound, private_endpoint: None, entry: None, ..flow.clone() };
    let inbound = Flow { direction: Direction::Inbound, ..flow.clone() };
    Ok(PathOutcome {
        leaving: evaluate(&outbound, source.0, source.1)?,
        arriving: evaluate(&inbound, destination.0, destination.1)?,
    })
}

struct Walk<'a> {
    compiler: Compiler<'a>,
    direction: Direction,
    reading: Reading,
    budget: Budget,
    decisions: Vec<Decision>,
}

impl Walk<'_> {
    fn settle(&mut self, stage: Stage, rule: Option<RuleRef>, access: Access, packets: PacketSet) {
        if !packets.is_empty() {
            self.decisions.push(Decision { stage, rule, access, packets });
        }
    }

    /// What admin rules hand on.
    fn admin_rules(&mut self, packets: PacketSet, rules: &[SecurityRule]) -> Result<PacketSet, TooComplex> {
        let ordered = self.ordered(rules, &"admin".into());
        let (decided, rest) = self.first_match(packets, &ordered)?;
        let mut handed_on = rest;
        for (reference, access, matched) in decided {
            match access {
                Access::Allow => handed_on = handed_on.union(matched),
                Access::Deny => self.settle(Stage::Admin, Some(reference), Access::Deny, matched),
                Access::AlwaysAllow => self.settle(Stage::Admin, Some(reference), Access::Allow, matched),
            }
        }
        Ok(handed_on)
    }

    /// What groups are asked about where the destination is a private endpoint.
    fn endpoint_policies(&mut self, packets: PacketSet, flow: &Flow) -> PacketSet {
        match (&flow.private_endpoint, flow.direction) {
            (Some(Setting::Known(false)), Direction::Inbound) => {
                self.settle(Stage::PrivateEndpoint, None, Access::Allow, packets);
                PacketSet::empty()
            }
            (Some(Setting::Unknown(cause)), Direction::Inbound) => {
                let apply = Condition::new(Subject::Packet, unknown(cause, "flow", "endpoint policies"));
                self.settle(Stage::PrivateEndpoint, None, Access::Allow, packets.with(&apply.negated()));
                packets.with(&apply)
            }
            _ => packets,
        }
    }

    /// Takes packets past one level. Those that pass are added to `passing`.
    fn layer(
        &mut self,
        stage: Stage,
        layer: &Layer<'_>,
        before: Decision,
        passing: &mut Vec<Decision>,
    ) -> Result<(), TooComplex> {
        let (group, packets) = match layer {
            Layer::Absent => {
                passing.push(before);
                return Ok(());
            }
            Layer::Group(group) => (group, before.packets),
            Layer::Maybe(group, cause) => {
                let attached = attached(stage, cause);
                passing
                    .push(Decision { packets: before.packets.with(&attached.negated()), ..before.clone() });
                (group, before.packets.with(&attached))
            }
            Layer::Unknown(cause) => {
                let denies = attached(stage, cause);
                self.settle(stage, None, Access::Deny, before.packets.with(&denies));
                passing.push(Decision {
                    stage,
                    rule: None,
                    access: Access::Allow,
                    packets: before.packets.with(&denies.negated()),
                });
                return Ok(());
            }
        };
        let ordered = self.rules_of(group);
        let (decided, rest) = self.first_match(packets, &ordered)?;
        for (rule, access, matched) in decided {
            if access == Access::Deny {
                self.settle(stage, Some(rule), Access::Deny, matched);
            } else if !matched.is_empty() {
                passing.push(Decision { stage, rule: Some(rule), access: Access::Allow, packets: matched });
            }
        }
        // The last default rule matches everything.
        debug_assert!(rest.is_empty(), "packets left over: {rest}");
        Ok(())
    }

    /// What is left of packets to the platform after the rules of a level that name its tags.
    fn platform_rules(
        &mut self,
        stage: Stage,
        layer: &Layer<'_>,
        packets: PacketSet,
    ) -> Result<PacketSet, TooComplex> {
        let (group, condition) = match layer {
            Layer::Group(group) => (group, None),
            Layer::Maybe(group, cause) => (group, Some(attached(stage, cause))),
            // That an unknown group names the platform's tags is too unlikely to leave every such flow open.
            Layer::Absent | Layer::Unknown(_) => return Ok(packets),
        };
        let mut ordered = self.ordered(&group.rules, &group.identity);
        ordered.retain(|rule| rule.names_platform);
        let (decided, mut rest) = self.first_match(packets, &ordered)?;
        for (rule, access, matched) in decided {
            if access == Access::Deny {
                if let Some(attached) = &condition {
                    rest = rest.union(matched.with(&attached.negated()));
                    self.settle(stage, Some(rule), access, matched.with(attached));
                } else {
                    self.settle(stage, Some(rule), access, matched);
                }
            } else {
                rest = rest.union(matched);
            }
        }
        Ok(rest)
    }

    /// The rules of a group in order, with the default rules, and with the rules that it may have besides.
    fn rules_of(&self, group: &SecurityGroup) -> Vec<CompiledRule> {
        let mut rules = self.ordered(&group.rules, &group.identity);
        if let Some(cause) = &group.more_rules {
            let (matches, allows) = hidden_rule(group, cause);
            let packets = PacketSet::full().with(&Condition::new(Subject::Packet, matches));
            let reference = RuleRef { name: eco_format!("a rule that is not known"), index: None };
            let access = Verb::AllowsIf(allows);
            let hidden = CompiledRule { reference, packets, access, names_platform: false };
            rules.insert(first_free_place(group, self.direction, &rules), hidden);
        }
        rules.extend(self.compiler.default_rules(self.direction));
        rules
    }

    /// Rules in the order in which they are asked. A rule with an unknown priority stands before all others under one
    /// assumption and after them under another: between the two its effect only grows or only shrinks.
    fn ordered(&self, rules: &[SecurityRule], identity: &ecow::EcoString) -> Vec<CompiledRule> {
        let mut by_priority: Vec<&SecurityRule> = rules.iter().collect();
        by_priority.sort_by_key(|rule| (rule.priority.known().copied(), rule.index));
        let compiled = |rule: &SecurityRule| self.compiler.rule(rule, self.direction, identity, self.reading);
        let early = |rule: &SecurityRule| match &rule.priority {
            Setting::Known(_) => None,
            Setting::Unknown(cause) => {
                let symbol = unknown(cause, &eco_format!("{identity}/{}", rule.index), "priority");
                Some(Condition::new(Subject::Packet, symbol))
            }
        };
        let (mut first, mut middle, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for rule in by_priority {
            let Some(made) = compiled(rule) else { continue };
            let Some(early) = early(rule) else {
                middle.push(made);
                continue;
            };
            if let Some(again) = compiled(rule) {
                last.push(CompiledRule { packets: again.packets.with(&early.negated()), ..again });
            }
            first.push(CompiledRule { packets: made.packets.with(&early), ..made });
        }
        first.into_iter().chain(middle).chain(last).collect()
    }

    /// Gives each packet to the first rule that matches it. Returns what each rule decides, and what none matches.
    #[allow(clippy::type_complexity, reason = "a rule, what it does, and to which packets")]
    fn first_match(
        &mut self,
        packets: PacketSet,
        rules: &[CompiledRule],
    ) -> Result<(Vec<(RuleRef, Access, PacketSet)>, PacketSet), TooComplex> {
        let mut decided = Vec::new();
        let mut rest = packets;
        for rule in rules {
            if rest.is_empty() {
                break;
            }
            let matched = rest.take(&rule.packets, &mut self.budget)?;
            if matched.is_empty() {
                continue;
            }
            match &rule.access {
                Verb::Certain(access) => decided.push((rule.reference.clone(), *access, matched)),
                Verb::AllowsIf(symbol) => {
                    let allows = Condition::new(Subject::Packet, symbol.clone());
                    decided.push((rule.reference.clone(), Access::Allow, matched.with(&allows)));
                    decided.push((rule.reference.clone(), Access::Deny, matched.with(&allows.negated())));
                }
            }
        }
        Ok((decided, rest))
    }
}

/// That a group is attached to a level (or, where the group is not known, that it denies).
fn attached(stage: Stage, cause: &Cause) -> Condition {
    let symbol: Symbol = unknown(cause, &eco_format!("{stage:?}"), "attachment");
    Condition::new(Subject::Packet, symbol)
}

/// Where the first rule could stand that is not known: after the known rules that take the first priorities one by one.
fn first_free_place(group: &SecurityGroup, direction: Direction, ordered: &[CompiledRule]) -> usize {
    let mut free = security_group_facts().limit("least-priority").unwrap_or(0);
    let mut taken: Vec<u32> = group
        .rules
        .iter()
        .filter(|rule| rule.direction.known() == Some(&direction) && rule.uncertain.is_none())
        .filter_map(|rule| rule.priority.known().copied())
        .collect();
    taken.sort_unstable();
    for priority in taken {
        if priority == free {
            free += 1;
        }
    }
    // A rule without a known priority is there twice. Where it stands after all others, it stands after this one too.
    let mut early = BTreeSet::new();
    let mut is_before = |rule: &CompiledRule| {
        let known = rule.reference.index.and_then(|index| group.rules.iter().find(|r| r.index == index));
        known.is_some_and(|rule| match rule.priority.known() {
            Some(priority) => *priority < free,
            None => early.insert(rule.index),
        })
    };
    ordered.iter().take_while(|rule| is_before(rule)).count()
}
