//! ## What it checks
//!
//! Security rules that never match because rules with a smaller priority number take all their packets and do the same with them.
//!
//! ## What Azure does
//!
//! Nothing changes when the rule is removed. Such rules mislead: to take one away does not close what it seems to open.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
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
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//!
//!   security_rule {
//!     name                       = "allow-partner"
//!     priority                   = 200
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "203.0.113.0/24"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_network_security_group" "web" {
//!   name                = "nsg-web"
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
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "*"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! Rules with unknown priorities or conditions are neither judged nor counted on. Rules that repeat the default rules are not reported.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works>

use super::{Context, Reporter, Rule, shadows, support};
use crate::analysis::security::ShadowEffect;
use crate::finding::{Category, Severity};
use crate::topology::SecurityRule;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-rule-redundant",
    category: Category::Nsg,
    severity: Severity::Note,
    summary: "a security rule that never matches, because earlier rules do the same with its packets",
    error_codes: &[],
    fix: None,
    pedantic: true,
    source: include_str!("nsg_rule_redundant.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, shadows) in shadows::all(context) {
        let group = &topology[id];
        let mut reported = 0;
        for shadow in &shadows {
            let harmless = shadow.effect == ShadowEffect::Redundant && shadow.by_default_route.is_none();
            // Of two rules with one priority Azure takes neither; which of them comes first says nothing.
            let conflict = |other: &SecurityRule| other.priority.known() == shadow.rule.priority.known();
            if !harmless || !shadow.rule.header.is_managed() || shadow.by.iter().any(|other| conflict(other))
            {
                continue;
            }
            reported += 1;
            let names: Vec<String> =
                shadow.by.iter().map(|other| support::label(topology, &other.header)).collect();
            let message = format!(
                "security rule {} of {} adds nothing: {} already did the same with all its packets",
                support::label(topology, &shadow.rule.header),
                support::label(topology, &group.header),
                names.join(", "),
            );
            let mut finding = reporter
                .finding(message, shadow.rule.access.place)
                .of(&shadow.rule.header.resource_id)
                // Which of several rules that do the same comes first is up to the order of the input.
                .between(&[&shadow.rule.header])
                .related_part("the group", &group.header);
            for other in &shadow.by {
                finding = finding.related_part("an earlier rule that takes its packets", &other.header);
            }
            let certain = shadow.rule.header.is_certain()
                && group.header.is_certain()
                && shadow.by.iter().all(|other| other.header.is_certain());
            reporter.violated(finding.advice("Remove one of the rules.").certain_if(certain));
        }
        for _ in reported..group.rules.items.len() {
            reporter.satisfied();
        }
    }
}
