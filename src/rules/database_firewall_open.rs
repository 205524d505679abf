//! ## What it checks
//!
//! That no rule of a database's or cache's firewall admits every address, or every service and machine in Azure. How many rules there
//! are, and ranges that are wide without being the Internet, are matters of policy and not asked.
//!
//! ## What Azure does
//!
//! The firewall of a SQL, PostgreSQL or MySQL server admits nobody until rules say so. A rule from 0.0.0.0 to 255.255.255.255
//! admits the whole Internet; a warning. A rule from 0.0.0.0 to 0.0.0.0 stands for "Azure services": it admits every address
//! that Azure gives out, to other customers as well; a note. Authentication is all that is left then.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_mssql_server" "main" {
//!   name                = "sql-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   version             = "12.0"
//! }
//!
//! resource "azurerm_mssql_firewall_rule" "all" {
//!   name             = "all"
//!   server_id        = azurerm_mssql_server.main.id
//!   start_ip_address = "0.0.0.0"
//!   end_ip_address   = "255.255.255.255"
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_mssql_server" "main" {
//!   name                = "sql-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   version             = "12.0"
//! }
//!
//! resource "azurerm_mssql_firewall_rule" "office" {
//!   name             = "office"
//!   server_id        = azurerm_mssql_server.main.id
//!   start_ip_address = "203.0.113.4"
//!   end_ip_address   = "203.0.113.4"
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When an address of the range is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/azure-sql/database/firewall-configure>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-public>

use std::net::Ipv4Addr;

use super::{Context, Reporter, Rule, support};
use crate::azure::public_endpoints::{self, FirewallRow};
use crate::finding::{Category, Severity};
use crate::topology::{Field, FirewallRule};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "database-firewall-open",
    category: Category::Exposure,
    severity: Severity::Warning,
    summary: "a rule of a database's firewall that admits the whole Internet",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("database_firewall_open.rs"),
    check,
};

/// A range that leaves out fewer addresses than this many admits the Internet.
const HALF: u32 = 1 << 31;

fn check(context: &Context, reporter: &mut Reporter) {
    for rule in &context.topology.firewall_rules {
        if let Some(row) = public_endpoints::firewall_of(&rule.kind.to_lowercase()) {
            check_rule(context, reporter, rule, row);
        }
    }
}

fn check_rule(context: &Context, reporter: &mut Reporter, rule: &FirewallRule, row: &FirewallRow) {
    for field in [&rule.start, &rule.end] {
        if let Some(why) = field.unknown() {
            return reporter.undecided(field.place, why);
        }
    }
    let (Some(start), Some(end)) = (address(&rule.start), address(&rule.end)) else {
        return reporter.satisfied();
    };
    let topology = context.topology;
    let name = support::label(topology, &rule.header);
    let server = match rule.server.to().and_then(|server| topology[server].name.known()) {
        Some(server) => format!("{} `{server}`", row.name),
        None => row.name.clone(),
    };
    let (severity, message, advice) = if u32::from(end).wrapping_sub(u32::from(start)) >= HALF && start < end
    {
        (
            Severity::Warning,
            format!("firewall rule {name} of {server} admits {start} to {end}, the whole Internet"),
            "Admit the addresses that need it, or use a private endpoint.",
        )
    } else if row.zero_is_azure && start.is_unspecified() && end.is_unspecified() {
        (
            Severity::Note,
            format!(
                "firewall rule {name} of {server} admits every address of Azure, other customers' included"
            ),
            "Use a private endpoint, or rules for the subnets or addresses that need it.",
        )
    } else {
        return reporter.satisfied();
    };
    let finding = reporter
        .finding_with(severity, message, rule.end.place)
        .of(&rule.header.resource_id)
        .related("the first address", rule.start.place)
        .advice(advice)
        .certain_if(rule.header.is_certain());
    reporter.violated(finding);
}

fn address(field: &Field<ecow::EcoString>) -> Option<Ipv4Addr> {
    field.known()?.trim().parse().ok()
}
