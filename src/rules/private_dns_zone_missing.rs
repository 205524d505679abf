//! ## What it checks
//!
//! That a PostgreSQL flexible server which is injected into a subnet names a private DNS zone, and that a private endpoint in a network of
//! these files has a zone group, or a record in a zone that its target resolves through.
//!
//! ## What Azure does
//!
//! A PostgreSQL server without a zone is rejected. An endpoint without a zone deploys; clients go on resolving the public
//! address of its target, which is closed or leads around the endpoint: a warning.
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
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
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
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.db]
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
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
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
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   private_dns_zone_id           = azurerm_private_dns_zone.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.db]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the zone, the target or the zone groups are not known, or the endpoint is handed to a module that is not on disk.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>

use super::{Context, Reporter, Rule, support};
use crate::analysis::nameless;
use crate::azure::Confidence;
use crate::azure::private_dns_zones::{self, PrivateLinkZones};
use crate::finding::{Category, Severity};
use crate::topology::{Engine, FlexibleServer, PrivateConnection, PrivateEndpoint, Topology};
use crate::value::Unknown;

use std::sync::Arc;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-dns-zone-missing",
    category: Category::Dns,
    severity: Severity::Error,
    summary: "an injected server or a private endpoint without a private DNS zone",
    error_codes: &["EmptyPrivateDnsZoneArmResourceId", "MissingRequiredParameter"],
    fix: None,
    pedantic: false,
    source: include_str!("private_dns_zone_missing.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for server in context.topology.flexible_servers.iter().filter(|server| server.header.is_managed()) {
        check_server(context, reporter, server);
    }
    for endpoint in context.topology.private_endpoints.iter().filter(|part| part.header.is_managed()) {
        check_endpoint(context, reporter, endpoint);
    }
}

fn check_server(context: &Context, reporter: &mut Reporter, server: &FlexibleServer) {
    // The documents of MySQL do not say what happens without a zone.
    if server.engine != Engine::PostgreSql || server.subnet.is_absent() {
        return;
    }
    if let Some(unknown) = server.zone.unknown() {
        reporter.undecided(server.zone.place, unknown);
        return;
    }
    if !server.zone.is_absent() {
        reporter.satisfied();
        return;
    }
    let finding = reporter
        .finding(
            format!(
                "flexible server {} is injected into a subnet, but names no private DNS zone",
                support::label(context.topology, &server.header)
            ),
            server.header.place,
        )
        .of(&server.header.resource_id)
        .related("the subnet that it is injected into", server.subnet.place)
        .advice("Give the server a private DNS zone that is linked to its network.")
        .certain_if(server.header.is_certain() && server.subnet.to().is_some());
    reporter.violated(finding);
}

/// Why a group may be one of any endpoint: it hangs on one that is looked up under a name that is not known.
fn hidden_group(topology: &Topology) -> Option<&Arc<Unknown>> {
    let with_groups = topology.private_endpoints.iter().filter(|other| !other.zone_groups.items.is_empty());
    with_groups.map(|other| &other.header).find_map(nameless::why)
}

fn check_endpoint(context: &Context, reporter: &mut Reporter, endpoint: &PrivateEndpoint) {
    let topology = context.topology;
    // Where the network is made elsewhere, so usually are the zones, and a policy writes the records.
    let network = endpoint.subnet.to().and_then(|subnet| topology[subnet].network.to());
    let Some(network) = network.map(|network| &topology[network]) else { return };
    if !network.header.is_managed() || network.dns_servers.known().next().is_some() {
        return;
    }
    if !endpoint.zone_groups.items.is_empty() {
        reporter.satisfied();
        return;
    }
    let unknown = endpoint.zone_groups.unknown().or_else(|| topology.unseen(&endpoint.header));
    if let Some(unknown) = unknown.or_else(|| hidden_group(topology)) {
        reporter.undecided(endpoint.header.place, unknown);
        return;
    }
    for connection in &endpoint.connections {
        let Some(zones) = zones_of(connection) else { continue };
        if has_record(context, &zones) {
            reporter.satisfied();
            continue;
        }
        let usual = zones.iter().flat_map(|row| row.usual_zones()).next().map_or("", String::as_str);
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "private endpoint {} has no private DNS zone, so clients go on resolving the public address of its target",
                    support::label(topology, &endpoint.header),
                ),
                endpoint.header.place,
            )
            .of(&endpoint.header.resource_id)
            .related("its target", connection.target.place)
            .advice(format!("Add a DNS zone group with the zone `{usual}`."))
            .certain_if(endpoint.header.is_certain());
        reporter.violated(finding);
        return;
    }
}

/// The zones that a connection is resolved through, where they are documented.
fn zones_of(connection: &PrivateConnection) -> Option<Vec<&'static PrivateLinkZones>> {
    let target = connection.target_type.as_deref()?;
    let group = connection.group_ids.known().next()?;
    let rows: Vec<_> = private_dns_zones::of_type(target)
        .filter(|row| row.group_ids.iter().any(|own| private_dns_zones::matches(own, group)))
        .filter(|row| row.confidence == Confidence::High && !row.usual_zones().is_empty())
        .collect();
    (!rows.is_empty()).then_some(rows)
}

/// Whether some record is written by hand into one of the zones; a record in a zone that is not known counts too.
fn has_record(context: &Context, zones: &[&PrivateLinkZones]) -> bool {
    context.topology.zone_records.iter().any(|record| match record.zone.to() {
        Some(zone) => match context.topology[zone].header.name.known() {
            Some(name) => {
                // The zone may be one host of it: `account.privatelink.blob.core.windows.net`.
                let parent = name.split_once('.').map_or("", |(_, parent)| parent);
                zones.iter().any(|row| row.accepts(name) || row.accepts(parent) || is_public(row, name))
            }
            None => true,
        },
        None => true,
    })
}

/// Whether a zone bears the public name of the service, without its `privatelink` label.
fn is_public(row: &PrivateLinkZones, name: &str) -> bool {
    let name = name.trim_end_matches('.').to_lowercase();
    row.usual_zones()
        .iter()
        .filter_map(|zone| zone.strip_prefix("privatelink."))
        .any(|zone| name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.')))
}
