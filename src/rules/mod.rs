//! The rules: one file each, registered in [`ALL`]. A rule sees the topology, the analyses and the knowledge base; it knows
//! nothing of languages, spans or output.
//!
//! A rule's `//!` header is its documentation and answers, under these headings and in this order: what it checks, what
//! Azure does, example, corrected example, when it is undecided, references. `portolan explain`, the pages under
//! `docs/rules/` and the SARIF help text are made from it.

mod allow_flow;
mod app_plan_network_unsupported;
mod asg_across_vnets;
mod change_breaks_occupant;
mod changes;
mod cluster_ranges_overlap;
mod custom_dns_unreachable;
mod database_firewall_open;
mod delegated_subnet_shared;
mod dns_resolver_endpoint_misplaced;
mod dns_resolver_invalid;
mod exclusive_subnet_shared;
mod firewall_management_missing;
mod gateway_settings_conflict;
mod gateway_subnet_invalid;
mod injected_server_public_access;
mod interface_without_ipv4;
mod invalid_address_prefix;
mod load_balancer_backend_invalid;
mod load_balancer_probe_blocked;
mod machine_across_vnets;
mod management_port_exposed;
mod nat_gateway_invalid;
mod network_rule_ineffective;
mod network_setting_unsupported;
mod nsg_blocks_forwarded_traffic;
mod nsg_blocks_required_flow;
mod nsg_forbidden_on_subnet;
mod nsg_layers_conflict;
mod nsg_missing_on_subnet;
mod nsg_on_both_levels;
mod nsg_priority_conflict;
mod nsg_rule_invalid;
mod nsg_rule_redundant;
mod nsg_rule_shadowed;
mod nsg_source_port_pinned;
mod occupants;
mod on_premises_not_admitted;
mod ordering_not_awaited;
mod packets;
mod peering_address_overlap;
mod peering_blocks_forwarded_traffic;
mod peering_duplicate;
mod peering_gateway_mismatch;
mod peering_not_transitive;
mod peering_one_way;
mod peering_out_of_sync;
mod private_dns_link_conflict;
mod private_dns_record_collision;
mod private_dns_zone_missing;
mod private_dns_zone_name;
mod private_dns_zone_not_linked;
mod private_dns_zone_not_linked_to_peer;
mod private_endpoint_incomplete;
mod private_endpoint_policies;
mod private_endpoint_region;
mod private_endpoint_subresource;
mod private_endpoint_unsupported;
mod private_endpoint_zone_groups;
mod properties;
mod public_access_without_endpoint;
mod public_endpoint_open;
mod public_ip_shared;
mod public_ip_sku_mismatch;
mod region_mismatch;
mod regions;
mod replacement_loses_data;
mod reserved_subnet_misused;
mod retired_sku;
mod route_asymmetric;
mod route_blocks_required_flow;
mod route_forbidden_on_subnet;
mod route_loop;
mod route_next_hop_invalid;
mod route_next_hop_not_forwarding;
mod route_next_hop_unreachable;
mod service_endpoint_missing;
mod shadows;
mod standard_public_without_nsg;
mod static_address_invalid;
mod subnet_capacity_exceeded;
mod subnet_declared_twice;
mod subnet_delegation_forbidden;
mod subnet_delegation_mismatch;
mod subnet_delegation_missing;
mod subnet_delegation_multiple;
mod subnet_not_declared;
mod subnet_outside_vnet;
mod subnet_range_reserved;
mod subnet_too_small;
mod subnet_without_nsg;
mod subnets_overlap;
mod support;
mod virtual_hub_connection_conflict;

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::analysis::hosts::Guards;
use crate::analysis::reach::Reach;
use crate::finding::{Category, Finding, Severity, Undecided};
use crate::topology::{Place, Topology};
use crate::value::Unknown;

/// Every rule, in the order in which `portolan rules` lists them.
pub static ALL: &[&Rule] = &[
    &delegated_subnet_shared::RULE,
    &subnet_delegation_missing::RULE,
    &subnet_delegation_mismatch::RULE,
    &subnet_delegation_forbidden::RULE,
    &subnet_delegation_multiple::RULE,
    &exclusive_subnet_shared::RULE,
    &app_plan_network_unsupported::RULE,
    &invalid_address_prefix::RULE,
    &subnet_outside_vnet::RULE,
    &subnets_overlap::RULE,
    &subnet_too_small::RULE,
    &subnet_capacity_exceeded::RULE,
    &static_address_invalid::RULE,
    &interface_without_ipv4::RULE,
    &subnet_range_reserved::RULE,
    &reserved_subnet_misused::RULE,
    &cluster_ranges_overlap::RULE,
    &subnet_not_declared::RULE,
    &machine_across_vnets::RULE,
    &nsg_blocks_required_flow::RULE,
    &nsg_priority_conflict::RULE,
    &nsg_source_port_pinned::RULE,
    &nsg_rule_invalid::RULE,
    &nsg_forbidden_on_subnet::RULE,
    &nsg_missing_on_subnet::RULE,
    &nsg_rule_shadowed::RULE,
    &nsg_rule_redundant::RULE,
    &nsg_layers_conflict::RULE,
    &nsg_on_both_levels::RULE,
    &subnet_without_nsg::RULE,
    &nsg_blocks_forwarded_traffic::RULE,
    &asg_across_vnets::RULE,
    &standard_public_without_nsg::RULE,
    &peering_one_way::RULE,
    &peering_address_overlap::RULE,
    &peering_duplicate::RULE,
    &peering_gateway_mismatch::RULE,
    &peering_blocks_forwarded_traffic::RULE,
    &peering_not_transitive::RULE,
    &virtual_hub_connection_conflict::RULE,
    &private_dns_zone_name::RULE,
    &private_dns_zone_not_linked::RULE,
    &private_dns_zone_not_linked_to_peer::RULE,
    &subnet_declared_twice::RULE,
    &ordering_not_awaited::RULE,
    &private_dns_record_collision::RULE,
    &dns_resolver_endpoint_misplaced::RULE,
    &public_endpoint_open::RULE,
    &database_firewall_open::RULE,
    &management_port_exposed::RULE,
    &public_access_without_endpoint::RULE,
    &injected_server_public_access::RULE,
    &network_rule_ineffective::RULE,
    &network_setting_unsupported::RULE,
    &private_dns_zone_missing::RULE,
    &private_dns_link_conflict::RULE,
    &custom_dns_unreachable::RULE,
    &dns_resolver_invalid::RULE,
    &private_endpoint_subresource::RULE,
    &private_endpoint_unsupported::RULE,
    &private_endpoint_region::RULE,
    &private_endpoint_policies::RULE,
    &private_endpoint_incomplete::RULE,
    &private_endpoint_zone_groups::RULE,
    &service_endpoint_missing::RULE,
    &on_premises_not_admitted::RULE,
    &route_next_hop_unreachable::RULE,
    &route_next_hop_invalid::RULE,
    &route_forbidden_on_subnet::RULE,
    &route_next_hop_not_forwarding::RULE,
    &route_loop::RULE,
    &route_asymmetric::RULE,
    &route_blocks_required_flow::RULE,
    &gateway_subnet_invalid::RULE,
    &gateway_settings_conflict::RULE,
    &firewall_management_missing::RULE,
    &public_ip_shared::RULE,
    &public_ip_sku_mismatch::RULE,
    &retired_sku::RULE,
    &nat_gateway_invalid::RULE,
    &load_balancer_backend_invalid::RULE,
    &load_balancer_probe_blocked::RULE,
    &replacement_loses_data::RULE,
    &change_breaks_occupant::RULE,
    &peering_out_of_sync::RULE,
    &region_mismatch::RULE,
];

/// A rule: who it is, and the function that checks.
pub struct Rule {
    /// Kebab-case, says the defect.
    pub name: &'static str,
    /// What it is about.
    pub category: Category,
    /// The highest severity it reports.
    pub severity: Severity,
    /// The defect in one sentence, without a final full stop.
    pub summary: &'static str,
    /// The error codes or messages that a user would otherwise see.
    pub error_codes: &'static [&'static str],
    /// What its fix does, where it has one: a phrase that goes on from "`--fix`".
    pub fix: Option<&'static str>,
    /// Off unless asked for (`--pedantic`).
    pub pedantic: bool,
    /// The source file of the rule, from which its documentation is taken: `include_str!("this_file.rs")`.
    pub source: &'static str,
    /// Checks everything and reports.
    pub check: fn(&Context, &mut Reporter),
}

impl Rule {
    /// The documentation: the `//!` header of the rule's file, in Markdown.
    pub fn documentation(&self) -> String {
        let mut text = String::new();
        for line in self.source.lines() {
            match line.strip_prefix("//!") {
                Some(rest) => {
                    text.push_str(rest.strip_prefix(' ').unwrap_or(rest));
                    text.push('\n');
                }
                None => break,
            }
        }
        text
    }
}

/// What rules look at.
pub struct Context<'a> {
    /// The model.
    pub topology: &'a Topology,
    /// The model of what is there now, where a plan says it. Its places and ids mean nothing in [`Context::topology`].
    pub before: Option<&'a Topology>,
    reach: OnceLock<Reach<'a>>,
    guards: OnceLock<Guards<'a>>,
}

impl<'a> Context<'a> {
    /// What rules look at: the model, and the one of what is there now, where a plan says it.
    pub fn new(topology: &'a Topology, before: Option<&'a Topology>) -> Self {
        Self { topology, before, reach: OnceLock::new(), guards: OnceLock::new() }
    }

    /// The ways of packets; arranged when the first rule asks, for all of them.
    pub fn reach(&self) -> &Reach<'a> {
        self.reach.get_or_init(|| Reach::new(self.topology))
    }

    /// Security groups and what tags mean in networks; read when a rule first asks for one, for all rules.
    pub fn guards(&self) -> &Guards<'a> {
        self.guards.get_or_init(|| Guards::new(self.topology))
    }
}

/// Takes what one rule says. Every check ends in exactly one of [`Reporter::satisfied`], [`Reporter::violated`] and
/// [`Reporter::undecided`], so that the summary can say how much was checked.
pub struct Reporter {
    rule: &'static Rule,
    outcome: Outcome,
}

/// What rules said.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The checks that could not be decided.
    pub undecided: Vec<Undecided>,
    /// How many checks were made, however they ended.
    pub checks: usize,
}

impl Outcome {
    fn add(&mut self, more: Outcome) {
        self.checks += more.checks;
        self.findings.extend(more.findings);
        self.undecided.extend(more.undecided);
    }
}

impl Reporter {
    /// A reporter for one rule.
    pub fn new(rule: &'static Rule) -> Self {
        Self { rule, outcome: Outcome::default() }
    }

    /// A finding of this rule with its usual severity; finish it with the builder methods and hand it to
    /// [`Reporter::violated`].
    pub fn finding(&self, message: impl Into<String>, place: Place) -> Finding {
        Finding::new(self.rule.name, self.rule.severity, message, place)
    }

    /// The same with another severity.
    pub fn finding_with(&self, severity: Severity, message: impl Into<String>, place: Place) -> Finding {
        Finding::new(self.rule.name, severity, message, place)
    }

    /// A check that found nothing wrong.
    pub fn satisfied(&mut self) {
        self.outcome.checks += 1;
    }

    /// A check that found a defect.
    pub fn violated(&mut self, mut finding: Finding) {
        finding.rule = self.rule.name;
        self.outcome.checks += 1;
        self.outcome.findings.push(finding);
    }

    /// How many defects were found so far.
    pub fn violations(&self) -> usize {
        self.outcome.findings.len()
    }

    /// A check that could not be decided.
    pub fn undecided(&mut self, place: Place, because: &Arc<Unknown>) {
        self.outcome.checks += 1;
        self.outcome.undecided.push(Undecided { rule: self.rule.name, place, because: Arc::clone(because) });
    }

    /// Checks many things at the same time; what is said is in the order of the things.
    pub fn each<T: Sync>(&mut self, things: &[T], check: impl Fn(&T, &mut Reporter) + Sync) {
        let rule = self.rule;
        let said: Vec<Outcome> = things
            .par_iter()
            .fold(
                || Reporter::new(rule),
                |mut reporter, thing| {
                    check(thing, &mut reporter);
                    reporter
                },
            )
            .map(Reporter::finish)
            .collect();
        said.into_iter().for_each(|outcome| self.outcome.add(outcome));
    }

    /// What was said.
    pub fn finish(self) -> Outcome {
        self.outcome
    }
}

/// Runs rules, in parallel; the outcome is in the order of the rules.
pub fn run(rules: &[&'static Rule], context: &Context) -> Outcome {
    let outcomes: Vec<Outcome> = rules
        .par_iter()
        .map(|rule| {
            let mut reporter = Reporter::new(rule);
            (rule.check)(context, &mut reporter);
            reporter.finish()
        })
        .collect();
    let mut all = Outcome::default();
    outcomes.into_iter().for_each(|outcome| all.add(outcome));
    all
}

/// The rule of a name.
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}
