//! ## What it checks
//!
//! That a virtual network does not have subnets both inside it and as resources of their own; and in Terraform, that a security
//! group does not have rules, or a route table routes, in both ways, and that a subnet is associated with one security group, one
//! route table and one NAT gateway. In a template, a subnet that stands in both places is one subnet and fine. Also that no two subnets
//! of a network, and no two network resources of one kind in a resource group, bear one name.
//!
//! ## What Azure does
//!
//! Nothing at first. The list inside the network is taken for complete, by Azure when a template is deployed again and by
//! Terraform at the next apply: it removes the subnets that are resources of their own, or fails because they are in use,
//! and then they are made again. Rules and routes of their own are removed by the apply that writes the list, and a rule that bears the
//! name of one inside it overwrites that one. The second association of
//! a subnet is refused, because the provider finds the first one: "a resource with the ID … already exists - to be managed via Terraform
//! this resource needs to be imported". So is the second resource of one name. A network with two subnets of one name inside it is
//! rejected with `DuplicateResourceName`.
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
//! - <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>
//! - <https://github.com/Azure/azure-powershell/issues/9920>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/1561>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Declared, Header, ResourceId, ResourceNode, Subnet, Topology, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-declared-twice",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "parts inside their parent and as resources of their own, which undo each other; a subnet associated twice",
    error_codes: &[
        "DuplicateResourceName",
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
        check_subnet_names(context.topology, reporter, network);
    }
    check_resource_names(context.topology, reporter);
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

/// Subnets of one name: inside the network, or as resources of Terraform's.
fn check_subnet_names(topology: &Topology, reporter: &mut Reporter, network: &VirtualNetwork) {
    if !network.header.is_managed() {
        return;
    }
    for (name, first, second) in &network.repeated_subnets {
        let finding = reporter
            .finding(
                format!("network {} has two subnets `{name}`", support::label(topology, &network.header)),
                *second,
            )
            .of(&network.header.resource_id)
            .related("the first one", *first)
            .advice("Give each subnet of a network a name of its own.")
            .certain_if(network.header.is_certain());
        reporter.violated(finding);
    }
    let mut seen: BTreeMap<_, &Subnet> = BTreeMap::new();
    for subnet in network.subnets.iter().map(|id| &topology[*id]) {
        let node = &topology[subnet.header.resource];
        let separate = subnet.header.declared == Declared::Separate && node.written_type == "azurerm_subnet";
        let Some(name) = subnet.header.name.known() else { continue };
        if !separate || !subnet.header.is_certain() || !subnet.header.is_managed() {
            continue;
        }
        let first = *seen.entry((&node.key.root, name.to_lowercase())).or_insert(subnet);
        if std::ptr::eq(first, subnet) {
            continue;
        }
        let finding = reporter
            .finding(
                format!("network {} has two subnets `{name}`", support::label(topology, &network.header)),
                subnet.header.place,
            )
            .of(&subnet.header.resource_id)
            .between(&[&first.header, &subnet.header])
            .related("the first one", first.header.place)
            .advice("Give each subnet of a network a name of its own.")
            .certain_if(network.header.is_certain());
        reporter.violated(finding);
    }
}

/// Network resources of Terraform's that are of one type and bear one name in one resource group. Templates deploy a resource
/// again under its name.
fn check_resource_names(topology: &Topology, reporter: &mut Reporter) {
    let mut seen: BTreeMap<_, &ResourceNode> = BTreeMap::new();
    for node in &topology.resources {
        let of_network = |arm_type: &str| {
            arm_type.strip_prefix("Microsoft.Network/").is_some_and(|rest| !rest.contains('/'))
        };
        let plain = node.mode == Mode::Managed && node.uncertain.is_none();
        if !plain || node.is_arm() || !node.arm_type.as_deref().is_some_and(of_network) {
            continue;
        }
        let (Some(name), Some(group)) = (own_name(node), group_of(topology, node)) else { continue };
        let first =
            *seen.entry((&node.key.root, &node.written_type, name.to_lowercase(), group)).or_insert(node);
        if std::ptr::eq(first, node) {
            continue;
        }
        let finding = reporter
            .finding(
                format!("two resources of type `{}` bear the name `{name}`", node.written_type),
                node.place,
            )
            .of(&node.resource_id)
            .related("the first one", first.place)
            .related("the resource group of both", topology[group].place)
            .advice("Give each a name of its own: a name is taken once in a resource group.");
        reporter.violated(finding);
    }
}

/// The name that a resource gives itself, not that of what it is part of.
fn own_name(node: &ResourceNode) -> Option<&str> {
    let written = node.values(&["name"], &[]);
    let (value, _) = written.found.first()?;
    value.as_str()
}

/// The resource group that a resource is in, if it is made here as well: then both are certainly of one subscription.
fn group_of(topology: &Topology, node: &ResourceNode) -> Option<ResourceId> {
    let name = node.resource_group.known()?;
    node.dependencies.iter().copied().find(|id| {
        let group = &topology[*id];
        let is_group =
            group.arm_type.as_deref().is_some_and(|own| own == "Microsoft.Resources/resourceGroups");
        is_group
            && group.mode == Mode::Managed
            && group.name.known().is_some_and(|own| own.eq_ignore_ascii_case(name))
    })
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
