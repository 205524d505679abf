//! ## What it checks
//!
//! That the private DNS zone of an injected PostgreSQL or MySQL flexible server can be resolved in the server's own network,
//! by a link or through the DNS servers that the network uses; and that the zone of a private endpoint is linked to some
//! network at all.
//!
//! ## What Azure does
//!
//! A MySQL flexible server is rejected with `VnetNotLinkedToPrivateDnsZone`. A PostgreSQL flexible server and a private
//! endpoint are made all the same, and no machine can find them by name: a warning, since links may be made by others.
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
//!     name = "mysql"
//!     service_delegation {
//!       name = "Microsoft.DBforMySQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.mysql.database.azure.com"
//!   resource_group_name = "rg"
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
//!     name = "mysql"
//!     service_delegation {
//!       name = "Microsoft.DBforMySQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.mysql.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "db" {
//!   name                  = "link-main"
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
//! When the zone, the network or a link is not known, is only looked up, or is handed to a module that is not on disk; when
//! the network uses DNS servers whose place is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/mysql/flexible-server/concepts-networking-vnet>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::analysis::names::{self, Answer};
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{
    Engine, FlexibleServer, Id, PrivateDnsZone, PrivateEndpoint, ResourceId, Topology, VirtualNetwork,
};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-dns-zone-not-linked",
    category: Category::Dns,
    severity: Severity::Error,
    summary: "the private DNS zone of a server or endpoint is not linked to the network that must resolve it",
    error_codes: &["VnetNotLinkedToPrivateDnsZone"],
    fix: Some("links the zone to the network of the server or endpoint"),
    pedantic: false,
    source: include_str!("private_dns_zone_not_linked.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for server in context.topology.flexible_servers.iter().filter(|server| server.header.is_managed()) {
        check_server(context, reporter, server);
    }
    check_endpoints(context, reporter);
}

fn check_server(context: &Context, reporter: &mut Reporter, server: &FlexibleServer) {
    let topology = context.topology;
    if server.subnet.is_absent() || server.zone.is_absent() {
        return;
    }
    let network = server.subnet.to().and_then(|subnet| topology[subnet].network.to());
    let (Some(network), Some(zone)) = (network, server.zone.to()) else {
        let unknown = server
            .subnet
            .unknown()
            .or_else(|| server.zone.unknown())
            .or_else(|| server.subnet.to().and_then(|subnet| topology[subnet].network.unknown()));
        if let Some(unknown) = unknown {
            reporter.undecided(server.header.place, unknown);
        }
        return;
    };
    // Azure checks a link to the server's own network; with DNS servers of its own the documents do not say what counts.
    let own_servers = topology[network].dns_servers.known().any(|address| address != names::AZURE_DNS);
    match names::resolves(topology, network, zone) {
        Answer::Yes => reporter.satisfied(),
        Answer::Unknown(why) => reporter.undecided(server.header.place, &why),
        Answer::No(steps) => {
            let (engine, severity) = match server.engine {
                Engine::MySql if !own_servers => ("MySQL", Severity::Error),
                Engine::MySql => ("MySQL", Severity::Warning),
                Engine::PostgreSql => ("PostgreSQL", Severity::Warning),
            };
            let certain = [&server.header, &topology[network].header, &topology[zone].header]
                .iter()
                .all(|part| part.is_certain());
            let mut finding = reporter
                .finding_with(
                    severity,
                    format!(
                        "{engine} flexible server {} is in {}, which cannot resolve its private DNS zone {}",
                        support::label(topology, &server.header),
                        support::label(topology, &topology[network].header),
                        support::label(topology, &topology[zone].header),
                    ),
                    server.zone.place,
                )
                .of(&server.header.resource_id)
                .related_part("the zone", &topology[zone].header)
                .related_part("the network that the server is in", &topology[network].header)
                .advice("Link the zone to the network of the server, and let the server depend on the link.")
                // With DNS servers of the network's own, a link may not be what is missing.
                .fix((!own_servers).then(|| linked(zone, network, Some(server.header.resource))))
                .certain_if(certain);
            for link in topology[zone].links.iter().map(|link| &topology[*link]) {
                finding = finding.related_part("the zone is linked here only", &link.header);
            }
            for step in steps {
                finding = finding.witness(step);
            }
            reporter.violated(finding);
        }
    }
}

/// Zones that private endpoints write into and that no network can see.
fn check_endpoints(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut endpoints: BTreeMap<Id<PrivateDnsZone>, &PrivateEndpoint> = BTreeMap::new();
    for endpoint in topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed()) {
        for link in endpoint.zone_groups.known().flat_map(|group| &group.zones) {
            match (link.to(), link.unknown()) {
                (Some(zone), _) => {
                    endpoints.entry(zone).or_insert(endpoint);
                }
                (None, Some(unknown)) => reporter.undecided(link.place, unknown),
                (None, None) => {}
            }
        }
    }
    for (zone, endpoint) in endpoints {
        let part = &topology[zone];
        if !part.links.is_empty() {
            reporter.satisfied();
            continue;
        }
        if !part.header.is_managed() {
            continue;
        }
        let unseen =
            topology.unseen(&part.header).cloned().or_else(|| names::hidden_link(topology, zone).cloned());
        if let Some(why) = unseen {
            reporter.undecided(part.header.place, &why);
            continue;
        }
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "the zone {} of private endpoint {} is linked to no network, so nothing resolves its names",
                    support::label(topology, &part.header),
                    support::label(topology, &endpoint.header),
                ),
                part.header.place,
            )
            .of(&part.header.resource_id)
            .related_part("the endpoint that writes its record into the zone", &endpoint.header)
            .advice("Link the zone to every network whose machines use the endpoint.")
            .fix(own_network(topology, endpoint).map(|network| linked(zone, network, None)))
            .certain_if(part.header.is_certain() && endpoint.header.is_certain());
        reporter.violated(finding);
    }
}

fn linked(zone: Id<PrivateDnsZone>, network: Id<VirtualNetwork>, awaited_by: Option<ResourceId>) -> Fix {
    Fix::new("Link the zone to the network", Change::Link { zone, network, awaited_by })
}

/// The network that an endpoint is in, if it asks Azure for names.
fn own_network(topology: &Topology, endpoint: &PrivateEndpoint) -> Option<Id<VirtualNetwork>> {
    let network = topology[endpoint.subnet.to()?].network.to()?;
    topology[network].dns_servers.is_certainly_empty().then_some(network)
}
