//! ## What it checks
//!
//! That no two rules of one direction in a network security group have the same priority, and every priority lies between
//! 100 and 4096. Inline rules, separate rules, `dynamic` blocks and loops over modules count together.
//!
//! ## What Azure does
//!
//! The second rule is rejected with `SecurityRuleConflict`, a priority outside the range with
//! `SecurityRuleInvalidPriority`. Rules of different directions may share a number.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "app" {
//!   name                = "nsg-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "VirtualNetwork"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "allow-http"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "80"
//!     source_address_prefix      = "VirtualNetwork"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "app" {
//!   name                = "nsg-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-https"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "VirtualNetwork"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "allow-http"
//!     priority                   = 110
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "80"
//!     source_address_prefix      = "VirtualNetwork"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a priority or a direction is not known, or a group may have rules that are not seen.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview>
//! - <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Direction, SecurityGroup, SecurityRule};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-priority-conflict",
    category: Category::Nsg,
    severity: Severity::Error,
    summary: "two security rules of one direction with one priority, or a priority out of 100 to 4096",
    error_codes: &["message: Allowed range 100-4096", "SecurityRuleConflict"],
    fix: Some("moves one of two rules that do the same to the priority beside it, where that is free"),
    pedantic: false,
    source: include_str!("nsg_priority_conflict.rs"),
    check,
};

/// The priorities that a user's rule may have.
const PRIORITIES: std::ops::RangeInclusive<i64> = 100..=4096;

fn check(context: &Context, reporter: &mut Reporter) {
    for group in &context.topology.security_groups {
        check_group(context, reporter, group);
    }
}

fn check_group(context: &Context, reporter: &mut Reporter, group: &SecurityGroup) {
    let mut taken: BTreeMap<(Direction, i64), &SecurityRule> = BTreeMap::new();
    for field in &group.rules.items {
        let Some(rule) = field.known().filter(|rule| rule.header.is_managed()) else { continue };
        let Some(&priority) = rule.priority.known() else {
            if let Some(unknown) = rule.priority.unknown() {
                reporter.undecided(rule.priority.place, unknown);
            }
            continue;
        };
        if !PRIORITIES.contains(&priority) {
            let finding = reporter
                .finding(
                    format!(
                        "security rule {} has priority {priority}; Azure takes {} to {}",
                        support::label(context.topology, &rule.header),
                        PRIORITIES.start(),
                        PRIORITIES.end()
                    ),
                    rule.priority.place,
                )
                .of(&rule.header.resource_id)
                .advice("Choose a free priority between 100 and 4096.")
                .certain_if(rule.header.is_certain());
            reporter.violated(finding);
            continue;
        }
        let Some(&direction) = rule.direction.known() else {
            if let Some(unknown) = rule.direction.unknown() {
                reporter.undecided(rule.direction.place, unknown);
            }
            continue;
        };
        let Some(other) = taken.get(&(direction, priority)) else {
            taken.insert((direction, priority), rule);
            reporter.satisfied();
            continue;
        };
        if same_rule(rule, other) {
            // Written twice (inline and apart) under one name: Azure updates the one rule, which is another rule's subject.
            reporter.satisfied();
            continue;
        }
        let finding = reporter
            .finding(
                format!(
                    "security rules {} and {} of {} both have priority {priority} ({})",
                    support::label(context.topology, &other.header),
                    support::label(context.topology, &rule.header),
                    support::label(context.topology, &group.header),
                    match direction {
                        Direction::Inbound => "inbound",
                        Direction::Outbound => "outbound",
                    }
                ),
                rule.priority.place,
            )
            .of(&rule.header.resource_id)
            .related_part("the rule that has the priority already", &other.header)
            .related_part("the group", &group.header)
            .advice("Give one of the two rules a free priority; the smaller number is looked at first.")
            .fix(moved(group, rule, other, direction, priority))
            .certain_if(rule.header.is_certain() && other.header.is_certain() && group.header.is_certain());
        reporter.violated(finding);
    }
    if let Some(unknown) = group.rules.rest.as_ref().filter(|_| group.header.is_managed()) {
        reporter.undecided(group.rules.place, unknown);
    }
}

/// A free priority directly beside the one that is taken, so that nothing stands in another order. Which of an allow and a
/// deny is to win is the author's to say.
fn moved(
    group: &SecurityGroup,
    rule: &SecurityRule,
    other: &SecurityRule,
    direction: Direction,
    priority: i64,
) -> Option<Fix> {
    let access = rule.access.known()?;
    if !group.rules.is_complete() || !other.access.is(access) {
        return None;
    }
    let rules: Vec<&SecurityRule> = group.rules.known().collect();
    if rules.iter().any(|rule| rule.priority.unknown().is_some() || rule.direction.unknown().is_some()) {
        return None;
    }
    let is_free = |wanted: &i64| {
        PRIORITIES.contains(wanted)
            && !rules.iter().any(|rule| rule.direction.is(&direction) && rule.priority.is(wanted))
    };
    let to = [priority + 1, priority - 1].into_iter().find(is_free)?;
    let change = Change::Replace {
        place: rule.priority.place,
        from: priority.to_string().into(),
        to: to.to_string().into(),
    };
    Some(Fix::new(format!("Give the rule the free priority {to}"), change))
}

fn same_rule(a: &SecurityRule, b: &SecurityRule) -> bool {
    match (a.header.name.known(), b.header.name.known()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    }
}
