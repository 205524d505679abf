//! ## What it checks
//!
//! That subnets with demands on their route table meet them: no table on `AzureBastionSubnet`, no default route on `GatewaySubnet`, the
//! default route of `AzureFirewallSubnet` to the Internet unless the firewall has a management interface, only default routes to the Internet for
//! application gateways of the second generation, and a default route for the nodes of an AKS cluster with user-defined routing. Beside
//! a default route to an appliance or gateway, injected services need routes of their own: API Management and HDInsight for their
//! management tags, PostgreSQL servers for AzureActiveDirectory. A managed instance needs a table.
//!
//! ## What Azure does
//!
//! The control plane refuses most of these; a default route on `GatewaySubnet` cuts the gateway from its management. What is only outside of
//! what Microsoft supports, or depends on a setting of the subscription, is a warning. A service whose management comes in from the
//! Internet and whose replies leave through an appliance deploys, and then counts as unreachable.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "bastion" {
//!   name                 = "AzureBastionSubnet"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//! }
//!
//! resource "azurerm_route_table" "hub" {
//!   name                = "rt-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_route_table_association" "bastion" {
//!   subnet_id      = azurerm_subnet.bastion.id
//!   route_table_id = azurerm_route_table.hub.id
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
//! resource "azurerm_route_table" "hub" {
//!   name                = "rt-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//! }
//!
//! resource "azurerm_subnet_route_table_association" "app" {
//!   subnet_id      = azurerm_subnet.app.id
//!   route_table_id = azurerm_route_table.hub.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the name of the subnet, a route or a setting that decides is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/bastion/bastion-faq>
//! - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings>
//! - <https://learn.microsoft.com/azure/firewall/forced-tunneling>
//! - <https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure>
//! - <https://learn.microsoft.com/azure/aks/egress-outboundtype>
//! - <https://learn.microsoft.com/azure/api-management/api-management-using-with-vnet#force-tunnel-traffic-to-on-premises-firewall-using-expressroute-or-network-virtual-appliance>
//! - <https://learn.microsoft.com/azure/azure-sql/managed-instance/connectivity-architecture-overview>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/hdinsight/control-network-traffic>

mod required;

use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::routes::{RouteSeverity, SubnetRouteRule, TablePolicy, route_facts};
use crate::finding::{Category, Severity};
use crate::net::parse_prefix;
use crate::topology::{Id, ResourceNode, Subnet, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "route-forbidden-on-subnet",
    category: Category::Route,
    severity: Severity::Error,
    summary: "a route table or default route that the subnet may not have, or one that it lacks",
    error_codes: &[
        "ExistingRouteTableNotAssociatedWithSubnet",
        "RouteTableCannotBeAttachedForAzureBastionSubnet",
        "AzureFirewallSubnetRouteTableMustHaveDefaultRouteToInternet",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("route_forbidden_on_subnet.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (id, subnet) in topology.all::<Subnet>() {
        if let Some(name) = subnet.header.name.known() {
            for row in route_facts().for_subnet(name).filter(|row| !excused(topology, id, row)) {
                judge(topology, reporter, subnet, row, None);
            }
        } else if let (Some(why), false) = (subnet.header.name.unknown(), subnet.route_table.is_absent()) {
            reporter.undecided(subnet.route_table.place, why);
        }
        let mut judged = Vec::new();
        for occupancy in subnet.occupancies.iter().map(|occupancy| &topology[*occupancy]) {
            let resource = &topology[occupancy.resource];
            for row in rows_of(topology, id, resource) {
                if !judged.contains(&row.id.as_str()) {
                    judged.push(&row.id);
                    judge(topology, reporter, subnet, row, Some(resource));
                }
            }
        }
        required::check(context.reach(), reporter, id);
    }
}

/// The demands of a resource on the table of its subnet: those whose conditions, in words in the table, are read here.
fn rows_of(
    topology: &Topology,
    subnet: Id<Subnet>,
    resource: &ResourceNode,
) -> Vec<&'static SubnetRouteRule> {
    let kinds: [(&str, &str, bool); 2] = [
        ("Microsoft.Network/applicationGateways", "appgw-v2-default", second_generation(topology, resource)),
        ("Microsoft.ContainerService/managedClusters", "aks-udr", routed_by_user(topology, subnet, resource)),
    ];
    let own = resource.arm_type.as_deref().unwrap_or("");
    let ids = kinds.iter().filter(|(kind, _, holds)| *holds && own.eq_ignore_ascii_case(kind));
    ids.filter_map(|(_, id, _)| route_facts().subnet_rules.iter().find(|row| row.id == *id)).collect()
}

fn second_generation(topology: &Topology, resource: &ResourceNode) -> bool {
    let own =
        topology.application_gateways.iter().filter(|g| topology[g.header.resource].key == resource.key);
    own.filter_map(|gateway| gateway.sku_tier.known()).any(|tier| tier.to_ascii_lowercase().ends_with("_v2"))
}

/// Whether the nodes of a cluster with user-defined routing stand in the subnet.
fn routed_by_user(topology: &Topology, subnet: Id<Subnet>, resource: &ResourceNode) -> bool {
    let own = topology.kubernetes_clusters.iter().filter(|c| topology[c.header.resource].key == resource.key);
    own.filter(|cluster| cluster.pools.iter().any(|pool| pool.subnet.to() == Some(subnet)))
        .filter_map(|cluster| cluster.outbound_type.known())
        .any(|kind| kind.eq_ignore_ascii_case("userDefinedRouting"))
}

/// What the words of a row's `unless` let off: a firewall with a management interface, or one that is not seen here.
fn excused(topology: &Topology, subnet: Id<Subnet>, row: &SubnetRouteRule) -> bool {
    if row.id != "firewall-default" {
        return row.unless.is_some() || row.condition.is_some();
    }
    // A firewall of which it is not known where it stands may stand here.
    let mut firewalls = topology.firewalls.iter().filter(|firewall| {
        firewall.ip_configurations.iter().any(|configuration| {
            configuration.subnet.to() == Some(subnet) || configuration.subnet.unknown().is_some()
        })
    });
    !firewalls
        .all(|firewall| firewall.management_ip_configurations.is_empty() && firewall.header.is_managed())
}

/// How bad it is when a row's demand is not met.
fn severity_of(row: &SubnetRouteRule) -> Severity {
    match row.severity {
        RouteSeverity::Rejected | RouteSeverity::Broken
            if row.confidence == Confidence::High && (row.unless.is_none() || row.must_exist) =>
        {
            Severity::Error
        }
        _ => Severity::Warning,
    }
}

fn judge(
    topology: &Topology,
    reporter: &mut Reporter,
    subnet: &Subnet,
    row: &SubnetRouteRule,
    resource: Option<&ResourceNode>,
) {
    let certain = resource.is_none_or(|resource| resource.uncertain.is_none()) && subnet.header.is_certain();
    if matches!(row.severity, RouteSeverity::Managed | RouteSeverity::Allowed) {
        return;
    }
    let severity = severity_of(row);
    let label = support::label(topology, &subnet.header);
    let for_whom = match resource {
        Some(resource) => {
            format!("subnet {label} of `{}`", resource.name.known().unwrap_or(&resource.key.address))
        }
        None => format!("subnet {label}"),
    };
    let Some(table) = subnet.route_table.to().map(|id| &topology[id]) else {
        match (subnet.route_table.unknown(), row.route_table) {
            (Some(why), _) => reporter.undecided(subnet.route_table.place, why),
            (None, TablePolicy::Required) if subnet.header.is_managed() && row.must_exist => {
                if let Some(why) = topology.unseen(&subnet.header) {
                    return reporter.undecided(subnet.route_table.place, why);
                }
                let finding = reporter
                    .finding_with(
                        severity,
                        format!("{for_whom} has no route table, and needs one: {}", row.rule),
                        resource.map_or(subnet.header.place, |resource| resource.place),
                    )
                    .related_part("the subnet", &subnet.header)
                    .advice("Associate a route table with a default route to the appliance.")
                    .certain_if(certain);
                reporter.violated(finding);
            }
            _ => {}
        }
        return;
    };
    let certain = certain && table.header.is_certain();
    if row.route_table == TablePolicy::Forbidden {
        let finding = reporter
            .finding_with(
                severity,
                format!(
                    "route table {} is attached to {for_whom}, which may not have one",
                    support::label(topology, &table.header)
                ),
                subnet.route_table.place,
            )
            .of(&subnet.header.resource_id)
            .related_part("the subnet", &subnet.header)
            .related_part("the route table", &table.header)
            .advice("Leave this subnet out of the association.")
            .certain_if(certain);
        return reporter.violated(finding);
    }
    let Some(prefix) = row.prefix.as_deref().filter(|_| table.header.is_managed()) else { return };
    let wanted = parse_prefix(prefix);
    let mut found = false;
    for route in table.routes.known() {
        let Some(own) = route.address_prefix.known().and_then(|text| parse_prefix(text)) else { continue };
        if Some(own) != wanted {
            continue;
        }
        found = true;
        let Some(kind) = route.next_hop_type.known() else {
            if let Some(why) = route.next_hop_type.unknown() {
                reporter.undecided(route.next_hop_type.place, why);
            }
            continue;
        };
        if row.required_next_hop.iter().any(|hop| hop.eq_ignore_ascii_case(kind)) {
            reporter.satisfied();
            continue;
        }
        let finding = reporter
            .finding_with(
                severity,
                format!(
                    "route {} sends {prefix} of {for_whom} to {kind}: {}",
                    support::label(topology, &route.header),
                    row.rule
                ),
                route.next_hop_type.place,
            )
            .of(&route.header.resource_id)
            .related("the table is attached here", subnet.route_table.place)
            .related_part("the subnet", &subnet.header)
            .related_part("the route table", &table.header)
            .advice(
                "Take the route out of the table of this subnet, or give it the next hop that is allowed.",
            )
            .certain_if(certain && route.header.is_certain());
        reporter.violated(finding);
    }
    if found || !row.must_exist {
        return;
    }
    let open =
        table.routes.items.iter().filter_map(|route| route.known()).find_map(|r| r.address_prefix.unknown());
    if let Some(why) = table.routes.unknown().or(open).or(topology.unseen(&table.header)) {
        return reporter.undecided(table.header.place, why);
    }
    let finding = reporter
        .finding_with(
            severity,
            format!(
                "route table {} of {for_whom} has no route for {prefix}: {}",
                support::label(topology, &table.header),
                row.rule
            ),
            subnet.route_table.place,
        )
        .of(&subnet.header.resource_id)
        .related_part("the route table", &table.header)
        .related_part("the subnet", &subnet.header)
        .advice("Add the default route to the table.")
        .certain_if(certain);
    reporter.violated(finding);
}
