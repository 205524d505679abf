//! ## What it checks
//!
//! That what Azure needs first is waited for, where nothing in the arguments says so; without a `depends_on` the two are made at the same
//! time:
//!
//! - An injected MySQL flexible server and the link of its private DNS zone to its network.
//! - A route table on `AzureFirewallSubnet` and its default route, where that is a resource of its own.
//! - An AKS cluster with user-defined routing or kubenet, or a SQL managed instance, and the route table or security group that a
//!   separate association gives to its subnet.
//! - A peering that uses the remote network's gateway, the gateway, and the half that lends it.
//!
//! ## What Azure does
//!
//! What comes too early is rejected (`VnetNotLinkedToPrivateDnsZone`, `RemoteVnetHasNoGateways`,
//! `AzureFirewallSubnetRouteTableMustHaveDefaultRouteToInternet`), and accepted when it comes last: a second run succeeds.
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
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.DBforMySQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.mysql.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "db" {
//!   name                  = "link-db"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_mysql_flexible_server" "orders" {
//!   name                = "mysql-orders"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku_name            = "GP_Standard_D2ds_v4"
//!   delegated_subnet_id = azurerm_subnet.db.id
//!   private_dns_zone_id = azurerm_private_dns_zone.db.id
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
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.DBforMySQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.mysql.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "db" {
//!   name                  = "link-db"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_mysql_flexible_server" "orders" {
//!   name                = "mysql-orders"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku_name            = "GP_Standard_D2ds_v4"
//!   delegated_subnet_id = azurerm_subnet.db.id
//!   private_dns_zone_id = azurerm_private_dns_zone.db.id
//!   depends_on          = [azurerm_private_dns_zone_virtual_network_link.db]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the zone, the network, the link, the table or a flag is not known. What is in another root or template is taken to be there
//! before.
//!
//! ## References
//!
//! - <https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/mysql_flexible_server.html.markdown>
//! - <https://learn.microsoft.com/azure/mysql/flexible-server/concepts-networking-vnet>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/aks/egress-udr>
//! - <https://learn.microsoft.com/azure/aks/configure-kubenet>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/2872>
//! - <https://github.com/aztfmod/terraform-azurerm-caf/issues/868>

mod peerings;
mod subnets;

use std::collections::BTreeSet;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Change, Fix, Severity};
use crate::resource::Mode;
use crate::topology::{Engine, FlexibleServer, ResourceId, Topology, ZoneLink};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "ordering-not-awaited",
    category: Category::Ordering,
    severity: Severity::Warning,
    summary: "a resource that does not wait for what Azure needs to be there first",
    error_codes: &[
        "VnetNotLinkedToPrivateDnsZone",
        "AzureFirewallSubnetRouteTableMustHaveDefaultRouteToInternet",
        "RemoteVnetHasNoGateways",
    ],
    fix: Some("lets a server wait for the link of its zone"),
    pedantic: false,
    source: include_str!("ordering_not_awaited.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    subnets::check(context.topology, reporter);
    peerings::check(context.topology, reporter);
    // Only MySQL is documented to look for the link when the server is made.
    let servers = context.topology.flexible_servers.iter().filter(|server| server.engine == Engine::MySql);
    for server in servers.filter(|server| server.header.is_managed()) {
        check_server(context, reporter, server);
    }
}

fn check_server(context: &Context, reporter: &mut Reporter, server: &FlexibleServer) {
    let topology = context.topology;
    let network = server.subnet.to().and_then(|subnet| topology[subnet].network.to());
    let (Some(network), Some(zone)) = (network, server.zone.to()) else { return };
    let own = &topology[server.header.resource];
    let part = &topology[zone];
    let links: Vec<&ZoneLink> = part
        .links
        .iter()
        .map(|id| &topology[*id])
        .filter(|link| link.network.to() == Some(network) && link.header.is_managed())
        .collect();
    // A link of another root is made before or after as a whole, by whoever runs them.
    let Some(first) = links.iter().find(|link| topology[link.header.resource].key.root == own.key.root)
    else {
        return;
    };
    if links.len() > 1 || topology.unseen(&server.header).is_some() {
        return;
    }
    let awaited = awaited(topology, server.header.resource);
    if awaited.contains(&first.header.resource) {
        reporter.satisfied();
        return;
    }
    // Where not even the zone is awaited, the input does not say what waits for what.
    if !awaited.contains(&part.header.resource) {
        return;
    }
    let finding = reporter
        .finding(
            format!(
                "flexible server {} does not wait for the link of its private DNS zone {} to its network",
                support::label(topology, &server.header),
                support::label(topology, &part.header),
            ),
            server.header.place,
        )
        .of(&server.header.resource_id)
        .related_part("the link", &first.header)
        .related("the zone is named here, which the link comes after", server.zone.place)
        .advice("Let the server depend on the link with `depends_on`.")
        .fix(Fix::new(
            "Let the server wait for the link",
            Change::Await { resource: server.header.resource, first: first.header.resource },
        ))
        .certain_if(server.header.is_certain() && first.header.is_certain());
    reporter.violated(finding);
}

/// Everything that is made before a resource, directly or not.
fn awaited(topology: &Topology, resource: ResourceId) -> BTreeSet<ResourceId> {
    let mut seen = BTreeSet::new();
    let mut open = topology[resource].dependencies.clone();
    while let Some(next) = open.pop() {
        if seen.insert(next) {
            open.extend(topology[next].dependencies.iter().copied());
        }
    }
    seen
}

/// Whether two resources are made in one run.
fn together(topology: &Topology, one: ResourceId, other: ResourceId) -> bool {
    let managed = |id: ResourceId| topology[id].mode == Mode::Managed;
    one != other && managed(one) && managed(other) && topology[one].key.root == topology[other].key.root
}
