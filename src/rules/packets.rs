//! How rules on security show which rule of which group decides about packets.

use crate::analysis::hosts::Guard;
use crate::analysis::security::{Decision, Outcome};
use crate::finding::Finding;
use crate::topology::{Place, SecurityGroup, SecurityRule, Topology};

use super::support;

/// Who decides about some packets.
pub struct Decider<'a> {
    topology: &'a Topology,
    decision: &'a Decision,
    /// The rule; `None` for a default rule or where there is no group.
    pub rule: Option<&'a SecurityRule>,
    /// The group.
    pub group: Option<&'a SecurityGroup>,
}

impl<'a> Decider<'a> {
    /// Of a decision at a host.
    pub fn new(topology: &'a Topology, guard: &Guard, decision: &'a Decision) -> Self {
        let group = guard.group_at(decision.stage).map(|id| &topology[id]);
        let rule = guard.rule_at(topology, decision.stage, decision.rule.as_ref());
        Self { topology, decision, rule, group }
    }

    /// Of the first packets that certainly die.
    pub fn of_blocked(topology: &'a Topology, guard: &Guard, outcome: &'a Outcome) -> Option<Self> {
        Some(Self::new(topology, guard, outcome.first_blocked()?))
    }

    /// What to call it: "rule `deny-all` of `nsg-db`", "`nsg-db`, which has no rule for it".
    pub fn label(&self) -> String {
        let group = self.group.map(|group| support::label(self.topology, &group.header));
        match (self.rule, group) {
            (Some(rule), Some(group)) => {
                format!("rule {} of {group}", support::label(self.topology, &rule.header))
            }
            (_, Some(group)) => match &self.decision.rule {
                Some(rule) => format!("default rule {} of {group}", rule.name),
                None => group,
            },
            _ => "Azure, where no group opens a Standard public address".into(),
        }
    }

    /// Where to show the finding: the rule's access, or the group, or the place given.
    pub fn place(&self, otherwise: Place) -> Place {
        match (self.rule, self.group) {
            (Some(rule), _) => rule.access.place,
            (None, Some(group)) if group.header.is_managed() => group.header.place,
            _ => otherwise,
        }
    }

    /// The ARM path of what the finding is about.
    pub fn resource_id(&self) -> Option<String> {
        match (self.rule, self.group) {
            (Some(rule), _) => rule.header.resource_id.clone(),
            (None, Some(group)) => group.header.resource_id.clone(),
            _ => None,
        }
    }

    /// Adds rule and group to a finding.
    pub fn explain(&self, mut finding: Finding, what: &str) -> Finding {
        if let Some(rule) = self.rule {
            finding = finding.related_part(what, &rule.header);
        }
        if let Some(group) = self.group {
            finding = finding.related_part("the group", &group.header);
        }
        finding
    }

    /// Whether rule and group certainly exist.
    pub fn is_certain(&self) -> bool {
        self.rule.is_none_or(|rule| rule.header.is_certain())
            && self.group.is_none_or(|group| group.header.is_certain())
    }
}
