//! ## What it checks
//!
//! That a PostgreSQL or MySQL flexible server which is injected into a subnet does not open its public endpoint as well.
//!
//! ## What Azure does
//!
//! A server has either network access: injected into a subnet, or by its public endpoint. Both at once are refused with
//! `ConflictingPublicNetworkAccessAndVirtualNetworkConfiguration`.
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
//!   name                  = "link"
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
//!   public_network_access_enabled = true
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
//!   name                  = "link"
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
//! When it is not known whether the server is injected, or whether its public endpoint is open. Where nothing is said of the public endpoint,
//! it counts as open for a PostgreSQL server of azurerm 4 and later, which sends `true` then; otherwise the service closes it by itself.
//!
//! ## References
//!
//! - <https://github.com/claranet/terraform-azurerm-db-postgresql-flexible/issues/7>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/26098>
//! - <https://github.com/sassoftware/viya4-iac-azure/issues/410>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/postgresql_flexible_server>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "injected-server-public-access",
    category: Category::Exposure,
    severity: Severity::Error,
    summary: "a database server that is injected into a subnet and opens its public endpoint as well",
    error_codes: &["ConflictingPublicNetworkAccessAndVirtualNetworkConfiguration"],
    fix: None,
    pedantic: false,
    source: include_str!("injected_server_public_access.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for server in topology.flexible_servers.iter().filter(|server| server.header.is_managed()) {
        let access = &server.public_network_access;
        if server.subnet.is_absent() || access.is_absent() {
            continue;
        }
        if access.is(&false) {
            reporter.satisfied();
            continue;
        }
        if let Some(why) = access.unknown().or_else(|| server.subnet.unknown()) {
            reporter.undecided(access.place, why);
            continue;
        }
        let finding = reporter
            .finding(
                format!(
                    "flexible server {} is injected into a subnet, and its public endpoint is not closed",
                    support::label(topology, &server.header)
                ),
                access.place,
            )
            .of(&server.header.resource_id)
            .related("the subnet", server.subnet.place)
            .advice("Close the public endpoint (`public_network_access_enabled = false`), or take the server out of the subnet.")
            .certain_if(server.header.is_certain());
        reporter.violated(finding);
    }
}
