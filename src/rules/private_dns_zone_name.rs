//! ## What it checks
//!
//! That the name of a private DNS zone is one that its user resolves through. The zone of an injected PostgreSQL or MySQL flexible
//! server must end with the service's suffix and must not be the server's own full name; the zones of a private endpoint must
//! hold the one that the target's sub-resource is resolved through, of the cloud that the endpoint's region is in. A zone has a name of two
//! labels or more.
//!
//! ## What Azure does
//!
//! The flexible server is rejected, and so is a zone with a name of one label. A private endpoint deploys; its record is written into a zone that nobody asks, and clients go on
//! resolving the public name: a warning.
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
//!     name = "postgresql"
//!     service_delegation {
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.internal.example.com"
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
//!     name = "postgresql"
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
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.db]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the zone's name, the target or the sub-resource is not known. Where the region is not known, the names of all clouds are accepted.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/mysql/flexible-server/concepts-networking-vnet>
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
//! - <https://learn.microsoft.com/azure/dns/private-dns-privatednszone>

use ecow::EcoString;

use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::private_dns_zones::{self, COMMERCIAL, PrivateLinkZones};
use crate::finding::{Category, Severity};
use crate::topology::{
    Engine, FlexibleServer, KubernetesCluster, Link, Place, PrivateConnection, PrivateDnsZone,
    PrivateEndpoint, ZoneGroup,
};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-dns-zone-name",
    category: Category::Dns,
    severity: Severity::Error,
    summary: "a private DNS zone whose name is not what the service resolves through",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("private_dns_zone_name.rs"),
    check,
};

/// The suffixes of PostgreSQL zones: the public cloud, then the clouds of the United States government and of China.
const POSTGRESQL: [&str; 3] = [
    "postgres.database.azure.com",
    "postgres.database.usgovcloudapi.net",
    "postgres.database.chinacloudapi.cn",
];

/// The suffixes of MySQL zones.
const MYSQL: [&str; 3] =
    ["mysql.database.azure.com", "mysql.database.usgovcloudapi.net", "mysql.database.chinacloudapi.cn"];

fn check(context: &Context, reporter: &mut Reporter) {
    for zone in context.topology.private_dns_zones.iter().filter(|zone| zone.header.is_managed()) {
        check_labels(context, reporter, zone);
    }
    for server in context.topology.flexible_servers.iter().filter(|server| server.header.is_managed()) {
        if !server.subnet.is_absent() {
            check_server(context, reporter, server);
        }
    }
    for cluster in context.topology.kubernetes_clusters.iter().filter(|cluster| cluster.header.is_managed()) {
        if !cluster.private_cluster.is(&false) && !cluster.zone.is_absent() {
            check_cluster(context, reporter, cluster);
        }
    }
    for endpoint in context.topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed())
    {
        check_endpoint(context, reporter, endpoint);
    }
}

/// Zones of one label are not supported.
fn check_labels(context: &Context, reporter: &mut Reporter, zone: &PrivateDnsZone) {
    let Some(name) = zone.header.name.known() else { return };
    let plain = name.trim_end_matches('.');
    if plain.is_empty() || plain.contains('.') {
        return;
    }
    let finding = reporter
        .finding(
            format!(
                "the private DNS zone {} has a name of one label; it needs two or more",
                support::label(context.topology, &zone.header)
            ),
            zone.header.name.place,
        )
        .of(&zone.header.resource_id)
        .advice(format!("Name it `{plain}.internal`, or by another name with a dot."))
        .certain_if(zone.header.is_certain());
    reporter.violated(finding);
}

/// What the zone of a private cluster's API server ends with, in the three clouds.
const CLUSTER: [&str; 3] = ["azmk8s.io", "cx.aks.containerservice.azure.us", "cx.prod.service.azk8s.cn"];

fn check_cluster(context: &Context, reporter: &mut Reporter, cluster: &KubernetesCluster) {
    let Some(zone) = known_zone(context, reporter, &cluster.zone) else { return };
    let Some(name) = zone.header.name.known() else { return };
    let lower = name.trim_end_matches('.').to_ascii_lowercase();
    if CLUSTER.iter().any(|suffix| lower.ends_with(&format!(".{suffix}"))) {
        return reporter.satisfied();
    }
    let finding = reporter
        .finding(
            format!(
                "the private DNS zone `{name}` of cluster {} is none that AKS takes: `privatelink.<region>.{}`",
                support::label(context.topology, &cluster.header),
                CLUSTER[0],
            ),
            zone.header.name.place,
        )
        .of(&zone.header.resource_id)
        .related_part("the cluster", &cluster.header)
        .related("which uses the zone here", cluster.zone.place)
        .advice("Name the zone `privatelink.<region>.azmk8s.io`, or `<label>.privatelink.<region>.azmk8s.io`.")
        .certain_if(cluster.header.is_certain() && zone.header.is_certain());
    reporter.violated(finding);
}

fn check_server(context: &Context, reporter: &mut Reporter, server: &FlexibleServer) {
    let Some(zone) = known_zone(context, reporter, &server.zone) else { return };
    let Some(name) = zone.header.name.known() else { return };
    let lower = name.trim_end_matches('.').to_ascii_lowercase();
    let suffixes = match server.engine {
        Engine::PostgreSql => POSTGRESQL,
        Engine::MySql => MYSQL,
    };
    let inside = suffixes.iter().find_map(|suffix| {
        let before = lower.strip_suffix(suffix)?;
        (before.is_empty() || before.ends_with('.')).then(|| before.trim_end_matches('.').to_string())
    });
    let what = match inside {
        None => format!("does not end with `.{}`", suffixes[0]),
        Some(label) => match server.header.name.known() {
            Some(own) if server.engine == Engine::PostgreSql && own.eq_ignore_ascii_case(&label) => {
                "is the server's own full name".into()
            }
            _ => {
                reporter.satisfied();
                return;
            }
        },
    };
    let finding = reporter
        .finding(
            format!(
                "the private DNS zone `{name}` of flexible server {} {what}",
                support::label(context.topology, &server.header)
            ),
            zone.header.name.place,
        )
        .of(&zone.header.resource_id)
        .related_part("the server", &server.header)
        .related("which uses the zone here", server.zone.place)
        .advice(format!(
            "Name the zone `<name>.private.{}`, with a name that is not the server's.",
            suffixes[0]
        ))
        .certain_if(server.header.is_certain() && zone.header.is_certain());
    reporter.violated(finding);
}

fn check_endpoint(context: &Context, reporter: &mut Reporter, endpoint: &PrivateEndpoint) {
    let links: Vec<&Link<PrivateDnsZone>> =
        endpoint.zone_groups.known().flat_map(|group| &group.zones).collect();
    if links.is_empty() {
        return;
    }
    for connection in &endpoint.connections {
        check_connection(context, reporter, endpoint, connection, &links);
    }
}

fn check_connection(
    context: &Context,
    reporter: &mut Reporter,
    endpoint: &PrivateEndpoint,
    connection: &PrivateConnection,
    links: &[&Link<PrivateDnsZone>],
) {
    let Some(target) = &connection.target_type else {
        if let Some(unknown) = connection.target.unknown() {
            reporter.undecided(connection.target.place, unknown);
        }
        return;
    };
    if let Some(unknown) = connection.group_ids.unknown() {
        reporter.undecided(connection.group_ids.place, unknown);
        return;
    }
    for group in connection.group_ids.items.iter() {
        let Some(id) = group.known() else { continue };
        let rows: Vec<&PrivateLinkZones> = private_dns_zones::of_group(target, id)
            .filter(|row| row.confidence == Confidence::High)
            .collect();
        if rows.is_empty() || rows.iter().all(|row| row.zones.is_empty()) {
            continue;
        }
        let mut names = Vec::new();
        for link in links {
            let Some(zone) = known_zone(context, reporter, link) else { return };
            let Some(name) = zone.header.name.known() else { return };
            names.push((zone, name, link.place));
        }
        let cloud = context.topology[endpoint.header.resource]
            .location
            .known()
            .and_then(|at| private_dns_zones::cloud_of(at));
        let fits = |row: &PrivateLinkZones, name: &str| match cloud {
            Some(cloud) => row.accepts_in(cloud, name),
            None => row.accepts(name),
        };
        if names.iter().any(|(_, name, _)| rows.iter().any(|row| fits(row, name))) {
            match rows.as_slice() {
                [row] if row.all_zones_required => complete(context, reporter, endpoint, row, id, &names),
                _ => reporter.satisfied(),
            }
            continue;
        }
        let Some((zone, name, place)) = names.first() else { continue };
        let usual: Vec<&str> = rows
            .iter()
            .flat_map(|row| row.zones_in(cloud.unwrap_or(COMMERCIAL)))
            .map(String::as_str)
            .collect();
        let finding = reporter
            .finding_with(
                Severity::Warning,
                format!(
                    "private endpoint {} for `{id}` uses the zone `{name}`, but `{id}` resolves through `{}`",
                    support::label(context.topology, &endpoint.header),
                    usual.join("` or `"),
                ),
                *place,
            )
            .of(&endpoint.header.resource_id)
            .related_part("the zone", &zone.header)
            .related("the sub-resource", group.place)
            .advice(format!("Use a zone named `{}`.", usual.first().unwrap_or(&"")))
            .certain_if(endpoint.header.is_certain() && zone.header.is_certain());
        reporter.violated(finding);
    }
}

/// Sub-resources that are resolved through several zones need all of them.
fn complete(
    context: &Context,
    reporter: &mut Reporter,
    endpoint: &PrivateEndpoint,
    row: &PrivateLinkZones,
    id: &str,
    names: &[(&PrivateDnsZone, &EcoString, Place)],
) {
    let groups: Vec<&ZoneGroup> = endpoint.zone_groups.known().collect();
    let open = endpoint.zone_groups.unknown();
    if let Some(why) = open.or_else(|| groups.iter().find_map(|group| group.more_zones.as_ref())) {
        return reporter.undecided(endpoint.header.place, why);
    }
    let has = |pattern: &String| names.iter().any(|(_, name, _)| private_dns_zones::matches(pattern, name));
    // The cloud of which the most zones are there.
    let clouds = row.zones.values();
    let Some(zones) = clouds.max_by_key(|zones| zones.iter().filter(|zone| has(zone)).count()) else {
        return;
    };
    let missing: Vec<&str> = zones.iter().filter(|zone| !has(zone)).map(String::as_str).collect();
    if missing.is_empty() {
        return reporter.satisfied();
    }
    let place = groups.first().map_or(endpoint.header.place, |group| group.header.place);
    let finding = reporter
        .finding_with(
            Severity::Warning,
            format!(
                "private endpoint {} for `{id}` needs {} zones and lacks `{}`",
                support::label(context.topology, &endpoint.header),
                zones.len(),
                missing.join("`, `"),
            ),
            place,
        )
        .of(&endpoint.header.resource_id)
        .advice("Add these zones to the group; each serves another part of the service.")
        .certain_if(endpoint.header.is_certain());
    reporter.violated(finding);
}

/// The zone of a link, if it and its name are known; what is not known is reported as undecided.
fn known_zone<'a>(
    context: &'a Context,
    reporter: &mut Reporter,
    link: &Link<PrivateDnsZone>,
) -> Option<&'a PrivateDnsZone> {
    let Some(zone) = link.to().map(|zone| &context.topology[zone]) else {
        if let Some(unknown) = link.unknown() {
            reporter.undecided(link.place, unknown);
        }
        return None;
    };
    if let Some(unknown) = zone.header.name.unknown() {
        reporter.undecided(link.place, unknown);
        return None;
    }
    Some(zone)
}
