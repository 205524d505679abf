//! ## What it checks
//!
//! That no route takes what an injected service needs to send to a place that certainly drops it: nowhere (next hop `None`), to an
//! interface that does not forward, or to an appliance whose own routes drop it or send it back.
//!
//! ## What Azure does
//!
//! Nothing is rejected when the route is made. The service fails when it is made, or loses the feature that needs the flow.
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
//! resource "azurerm_route_table" "db" {
//!   name                = "rt-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name           = "storage"
//!     address_prefix = "Storage"
//!     next_hop_type  = "None"
//!   }
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!
//!     service_delegation {
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet_route_table_association" "db" {
//!   subnet_id      = azurerm_subnet.db.id
//!   route_table_id = azurerm_route_table.db.id
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "main" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   private_dns_zone_id           = azurerm_private_dns_zone.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.main]
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
//! resource "azurerm_route_table" "db" {
//!   name                = "rt-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   route {
//!     name           = "storage"
//!     address_prefix = "Storage"
//!     next_hop_type  = "Internet"
//!   }
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!
//!     service_delegation {
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_subnet_route_table_association" "db" {
//!   subnet_id      = azurerm_subnet.db.id
//!   route_table_id = azurerm_route_table.db.id
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "main" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   private_dns_zone_id           = azurerm_private_dns_zone.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.main]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a route or a setting that decides is not known, and where an explicit prefix may hold some of the addresses of a service. What a
//! firewall lets pass is not looked at: a route to one is fine here.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>

use std::sync::Arc;

use super::{Context, Reporter, Rule, support};
use crate::analysis::conditions::{self, Truth};
use crate::analysis::reach::{Drop, Reach, Verdict};
use crate::analysis::routes::{NextHop, RouteOrigin, Selection};
use crate::azure::Confidence;
use crate::azure::flows::{Damage, FlowDirection, FlowEndpoint, Level, RequiredFlow, Service, TagRegion};
use crate::azure::tags::service_tags;
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Id, ResourceNode, Route, Subnet};
use crate::value::{Cause, Unknown};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "route-blocks-required-flow",
    category: Category::Route,
    severity: Severity::Warning,
    summary: "a route takes a flow that a service in the subnet needs to a place that drops it",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("route_blocks_required_flow.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let (topology, reach) = (context.topology, context.reach());
    for (id, subnet) in topology.all::<Subnet>() {
        // Without a table the routes are the platform's own, which drop nothing that a service needs.
        if subnet.route_table.is_absent() {
            continue;
        }
        let mut judged: Vec<(&str, Option<usize>)> = Vec::new();
        for occupancy in subnet.occupancies.iter().map(|occupancy| &topology[*occupancy]) {
            let resource = &topology[occupancy.resource];
            if resource.mode != Mode::Managed {
                continue;
            }
            for service in conditions::services_of(resource) {
                match conditions::is_service(topology, resource, service) {
                    Truth::Yes => check_service(reach, reporter, &mut judged, (id, resource, service)),
                    Truth::Unknown(why) => reporter.undecided(resource.place, &why),
                    Truth::No | Truth::NotInFiles => {}
                }
            }
        }
    }
}

fn check_service<'t>(
    reach: &Reach,
    reporter: &mut Reporter,
    judged: &mut Vec<(&'t str, Option<usize>)>,
    (id, resource, service): (Id<Subnet>, &ResourceNode, &'t Service),
) {
    let topology = reach.topology();
    for flow in service.flows.iter().filter(|flow| counts(flow)) {
        match conditions::all_hold(topology, resource, &flow.when) {
            Truth::Yes => {}
            Truth::Unknown(why) => {
                reporter.undecided(resource.place, &why);
                continue;
            }
            Truth::No | Truth::NotInFiles => continue,
        }
        let selection = match &flow.to {
            FlowEndpoint::Tag { value, region } => {
                let tag = match (region, resource.location.known()) {
                    (Some(TagRegion::Own), Some(location)) => service_tags().regional(value, location),
                    (Some(TagRegion::Paired | TagRegion::Other), _) => continue,
                    _ => None,
                };
                reach.routes(id).select_tag(tag.as_deref().unwrap_or(value))
            }
            // The platform's own addresses are reached whatever routes say.
            _ => continue,
        };
        let (index, next_hop) = match selection {
            Selection::Certain(route) => match route.origin {
                RouteOrigin::User(index) => (index, route.next_hop),
                _ => {
                    reporter.satisfied();
                    continue;
                }
            },
            Selection::Undecided { likely: Some(route), causes, .. } if route.next_hop == NextHop::None => {
                let place = topology[id].route_table.place;
                let cause = Cause::Error(causes.first().cloned().unwrap_or_default());
                reporter.undecided(place, &Arc::new(Unknown { cause, span: place.site }));
                continue;
            }
            Selection::Undecided { .. } => continue,
        };
        let Some(route) = reach.user_route(id, index) else { continue };
        let Some(fate) = fate(reach, id, index, route, &next_hop) else {
            reporter.satisfied();
            continue;
        };
        // One finding for each service and route; the first flow stands for the others.
        let key = (service.id.as_str(), Some(index));
        if !judged.contains(&key) {
            judged.push(key);
            report(reach, reporter, (id, resource, service), flow, route, &fate);
        }
    }
}

/// Whether a row says enough to judge by, and matters enough to speak of.
fn counts(flow: &RequiredFlow) -> bool {
    let said = flow.condition.is_none() || !flow.when.is_empty() || flow.level == Level::Mandatory;
    let hurts = matches!(flow.if_blocked.kind, Damage::Rejected | Damage::Broken);
    flow.direction == FlowDirection::Outbound
        && flow.decidable
        && said
        && hurts
        && flow.level > Level::Recommended
        && flow.confidence >= Confidence::Medium
}

/// What drops packets that follow a route; `None` where nothing is known to.
fn fate(reach: &Reach, id: Id<Subnet>, index: usize, route: &Route, next_hop: &NextHop) -> Option<String> {
    let topology = reach.topology();
    match next_hop {
        NextHop::None => Some("drops it".into()),
        NextHop::Appliance(_) => {
            let network = reach.network_of(id)?;
            reach.appliance(network, route).stop?;
            let path = reach.walk(id, reach.routes(id).example_of(index)?);
            match path.verdict {
                Verdict::Dropped(Drop::NotForwarding(interface)) => Some(format!(
                    "takes it to interface {}, which does not forward",
                    support::label(topology, &topology[interface].header)
                )),
                Verdict::Dropped(Drop::Route) => {
                    Some("takes it to an appliance whose own routes drop it".into())
                }
                Verdict::Loop(_) => Some("takes it to an appliance whose own routes send it back".into()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn report(
    reach: &Reach,
    reporter: &mut Reporter,
    (id, resource, service): (Id<Subnet>, &ResourceNode, &Service),
    flow: &RequiredFlow,
    route: &Route,
    fate: &str,
) {
    let topology = reach.topology();
    let subnet = &topology[id];
    let name = resource.name.known().unwrap_or(&resource.key.address);
    let tag = match &flow.to {
        FlowEndpoint::Tag { value, .. } => value.as_str(),
        _ => "its targets",
    };
    let finding = reporter
        .finding(
            format!(
                "{} `{name}` needs outbound {} port {} to {tag}, but route {} {fate}",
                service.name,
                flow.protocols(),
                flow.ports.join(", "),
                support::label(topology, &route.header),
            ),
            route.next_hop_type.place,
        )
        .of(&route.header.resource_id)
        .related(format!("{} needs the flow", service.name), resource.place)
        .related("the route table is attached here", subnet.route_table.place)
        .related_part("the subnet", &subnet.header)
        .witness(format!("a packet from subnet {} to {tag} follows route {}", support::label(topology, &subnet.header), support::label(topology, &route.header)))
        .witness(format!("it is for {}; without it: {}", flow.purpose, flow.if_blocked.symptom))
        .advice(format!("Add a route for {tag} with the next hop Internet, or send it through an appliance that passes it on."))
        .certain_if(resource.uncertain.is_none() && subnet.header.is_certain() && route.header.is_certain());
    reporter.violated(finding);
}
