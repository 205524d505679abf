//! ## What it checks
//!
//! That a virtual network does not have subnets both inside it and as resources of their own; and in Terraform, that a security
//! group does not have rules, or a route table routes, in both ways, and that a subnet is associated with one security group, one
//! route table and one NAT gateway. In a template, a subnet that stands in both places is one subnet and fine.
//!
//! ## What Azure does
//!
//! Nothing at first. The list inside the network is taken for complete, by Azure when a template is deployed again and by
//! Terraform at the next apply: it removes the subnets that are resources of their own, or fails because they are in use,
//! and then they are made again. Rules and routes of their own are removed by the apply that writes the list, and a rule that bears the
//! name of one inside it overwrites that one. The second association of
//! a subnet is refused, because the provider finds the first one: "a resource with the ID … already exists - to be managed via Terraform
//! this resource needs to be imported".
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//!
//!   subnet {
//!     name             = "snet-app"
//!     address_prefixes = ["10.0.1.0/24"]
//!   }
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.2.0/24"]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known which network a subnet is part of. Associations that may not be made, or of which it is not known with what they
//! associate, are not compared.
//!
//! ## References
//!
//! - <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/virtual_network.html.markdown>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/network_security_rule.html.markdown>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/route.html.markdown>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/5011>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/12412>
//! - <https://learn.microsoft.com/azure/azure-resource-manager/bicep/scenarios-virtual-networks>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Declared, Header, Subnet, Topology, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-declared-twice",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "parts inside their parent and as resources of their own, which undo each other; a subnet associated twice",
    error_codes: &[
        "InUseSubnetCannotBeDeleted",
        "message: to be managed via Terraform this resource needs to be imported",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_declared_twice.rs"),
    check,
};

/// How many subnets a finding names.
const NAMED: usize = 6;

fn check(context: &Context, reporter: &mut Reporter) {
    for network in &context.topology.virtual_networks {
        check_network(context, reporter, network);
    }
    for group in &context.topology.security_groups {
        let parts = group.rules.known().map(|rule| &rule.header).collect();
        check_list(context, reporter, &group.header, "azurerm_network_security_group", "rule", parts);
    }
    for table in &context.topology.route_tables {
        let parts = table.routes.known().map(|route| &route.header).collect();
        check_list(context, reporter, &table.header, "azurerm_route_table", "route", parts);
    }
    for subnet in &context.topology.subnets {
        check_associations(context.topology, reporter, subnet);
    }
}

/// Rules of a group, routes of a table: some inside it, some on their own.
fn check_list(
    context: &Context,
    reporter: &mut Reporter,
    parent: &Header,
    written: &str,
    what: &str,
    parts: Vec<&Header>,
) {
    let topology = context.topology;
    if !parent.is_managed() || topology[parent.resource].written_type != written {
        return;
    }
    let inside = parts.iter().find(|part| part.declared == Declared::Inline && part.is_certain());
    let mut separate = parts.iter().filter(|part| {
        part.declared == Declared::Separate && topology[part.resource].written_type.starts_with("azurerm_")
    });
    let (Some(inside), Some(first)) = (inside, separate.next()) else { return reporter.satisfied() };
    let mut finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "{} has {what}s inside it and {what} {} as a resource of its own; each deployment undoes the other",
                support::label(topology, parent),
                support::label(topology, first),
            ),
            inside.place,
        )
        .of(&parent.resource_id)
        .advice(format!("Declare all {what}s in one way."))
        .certain_if(parent.is_certain() && first.is_certain());
    for part in std::iter::once(first).chain(separate).take(NAMED) {
        finding = finding.related_part(format!("a {what} of its own"), part);
    }
    reporter.violated(finding);
}

/// Two associations of one subnet with parts of one kind.
fn check_associations(topology: &Topology, reporter: &mut Reporter, subnet: &Subnet) {
    for (kind, first, second) in &subnet.second_associations {
        let finding = reporter
            .finding(
                format!(
                    "subnet {} is associated with a {kind} twice; it takes one",
                    support::label(topology, &subnet.header)
                ),
                *second,
            )
            .of(&subnet.header.resource_id)
            .related("associated first here", *first)
            .related_part("the subnet", &subnet.header)
            .advice("Keep one association, and write the rules or routes of both into one.")
            .certain_if(subnet.header.is_certain());
        reporter.violated(finding);
    }
}

fn check_network(context: &Context, reporter: &mut Reporter, network: &VirtualNetwork) {
    let topology = context.topology;
    let own = &topology[network.header.resource];
    let Some(inline) = network.inline_subnets else { return };
    if !network.header.is_managed() {
        return;
    }
    // azurerm keeps the inline list complete whatever is in it; Azure itself only misses what the list lacks.
    let by_azurerm = own.written_type == "azurerm_virtual_network";
    let separate: Vec<&Subnet> = network
        .subnets
        .iter()
        .map(|id| &topology[*id])
        .filter(|subnet| {
            let azurerm = topology[subnet.header.resource].written_type == "azurerm_subnet";
            subnet.header.declared == Declared::Separate
                && azurerm == by_azurerm
                && (by_azurerm || subnet.inline_place.is_none())
        })
        .collect();
    let Some(first) = separate.first() else {
        reporter.satisfied();
        return;
    };
    let mut finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "{} has subnets inside it and subnet {} as a resource of its own; each deployment undoes the other",
                support::label(topology, &network.header),
                support::label(topology, &first.header),
            ),
            inline,
        )
        .of(&network.header.resource_id)
        .advice("Declare all subnets of the network in one way.")
        .certain_if(network.header.is_certain() && separate.iter().any(|subnet| subnet.header.is_certain()));
    for subnet in separate.iter().take(NAMED) {
        finding = finding.related_part("a subnet of its own", &subnet.header);
    }
    reporter.violated(finding);
}
