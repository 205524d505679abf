//! ## What it checks
//!
//! That a network with machines or apps in it, peered with the network of an injected server or a private endpoint, can
//! resolve the zone of that server or endpoint: by a link of its own, through its DNS servers, or through forwarding rules.
//!
//! ## What Azure does
//!
//! Nothing is rejected. Peering carries packets, not names: the clients resolve the public name, or none, and their
//! connections fail or leave by the public endpoint.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
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
//! resource "azurerm_private_dns_zone_virtual_network_link" "hub" {
//!   name                  = "link-hub"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.hub.id
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
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.hub]
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.spoke.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "app" {
//!   name                = "nic-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.app.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! The same with a link to the spoke:
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
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
//!   for_each              = { hub = azurerm_virtual_network.hub.id, spoke = azurerm_virtual_network.spoke.id }
//!   name                  = "link-${each.key}"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = each.value
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
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.spoke.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "app" {
//!   name                = "nic-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "internal"
//!     subnet_id                     = azurerm_subnet.app.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the zone, a link or the peered network's DNS servers are not known or looked up, or one of them is handed to a module
//! that is not on disk. A zone that the endpoint's own network cannot resolve either is not reported here.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering>
//! - <https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::analysis::names::{self, Answer};
use crate::analysis::peers;
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{Header, Id, Occupancy, PrivateDnsZone, Topology, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-dns-zone-not-linked-to-peer",
    category: Category::Dns,
    severity: Severity::Warning,
    summary: "a peered network with clients cannot resolve the private DNS zone of a server or endpoint",
    error_codes: &[],
    fix: Some("links the zone to the peered network, where that asks Azure for names"),
    pedantic: false,
    source: include_str!("private_dns_zone_not_linked_to_peer.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for ((network, zone), server) in served(topology) {
        if !matches!(names::resolves(topology, network, zone), Answer::Yes) {
            // Said (or undecided) by `private-dns-zone-not-linked`.
            continue;
        }
        for peer in peers::of(topology, network) {
            let part = &topology[peer.network];
            let Some(client) = client_in(topology, peer.network) else { continue };
            if !part.header.is_managed() || !peer.connected {
                continue;
            }
            match names::resolves(topology, peer.network, zone) {
                Answer::Yes => reporter.satisfied(),
                Answer::Unknown(why) => reporter.undecided(part.header.place, &why),
                Answer::No(steps) => {
                    let certain =
                        [&part.header, &topology[zone].header, server].iter().all(|part| part.is_certain())
                            && peer.certain;
                    let mut finding = reporter
                        .finding(
                            format!(
                                "{} is peered with {}, but cannot resolve the private DNS zone {} of {}",
                                support::label(topology, &part.header),
                                support::label(topology, &topology[network].header),
                                support::label(topology, &topology[zone].header),
                                support::label(topology, server),
                            ),
                            part.header.place,
                        )
                        .of(&part.header.resource_id)
                        .related_part("the zone", &topology[zone].header)
                        .related_part("what clients look for", server)
                        .related("a client in the peered network", client.place)
                        .advice(
                            "Link the zone to this network as well, or let the network use a DNS server that can resolve it.",
                        )
                        .fix(part.dns_servers.is_certainly_empty().then(|| {
                            let change = Change::Link { zone, network: peer.network, awaited_by: None };
                            Fix::new("Link the zone to the peered network", change)
                        }))
                        .certain_if(certain);
                    for link in topology[zone].links.iter().map(|link| &topology[*link]) {
                        finding = finding.related_part("the zone is linked here", &link.header);
                    }
                    for step in steps {
                        finding = finding.witness(step);
                    }
                    reporter.violated(finding);
                }
            }
        }
    }
}

/// The networks that hold injected servers or private endpoints, each with the zones these use and the first of them.
fn served(topology: &Topology) -> BTreeMap<(Id<VirtualNetwork>, Id<PrivateDnsZone>), &Header> {
    let mut served = BTreeMap::new();
    for server in topology.flexible_servers.iter().filter(|server| server.header.is_managed()) {
        let network = server.subnet.to().and_then(|subnet| topology[subnet].network.to());
        if let (Some(network), Some(zone)) = (network, server.zone.to()) {
            served.entry((network, zone)).or_insert(&server.header);
        }
    }
    for endpoint in topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed()) {
        let Some(network) = endpoint.subnet.to().and_then(|subnet| topology[subnet].network.to()) else {
            continue;
        };
        for zone in endpoint.zone_groups.known().flat_map(|group| &group.zones).filter_map(|link| link.to()) {
            served.entry((network, zone)).or_insert(&endpoint.header);
        }
    }
    served
}

/// Something in a network that certainly exists and may be a client: anything but what only serves or connects.
fn client_in(topology: &Topology, network: Id<VirtualNetwork>) -> Option<&Occupancy> {
    const NOT_CLIENTS: [&str; 9] = [
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Network/privateLinkServices",
        "Microsoft.Network/virtualNetworkGateways",
        "Microsoft.Network/bastionHosts",
        "Microsoft.Network/azureFirewalls",
        "Microsoft.Network/loadBalancers",
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.DBforMySQL/flexibleServers",
        "Microsoft.Sql/managedInstances",
    ];
    topology[network]
        .subnets
        .iter()
        .flat_map(|subnet| &topology[*subnet].occupancies)
        .map(|id| &topology[*id])
        .find(|occupancy| {
            let resource = &topology[occupancy.resource];
            let known = resource.arm_type.as_deref().is_some_and(|kind| {
                !NOT_CLIENTS.iter().any(|other| kind.eq_ignore_ascii_case(other))
                    && !kind.to_ascii_lowercase().starts_with("microsoft.network/dnsresolvers")
            });
            known && resource.uncertain.is_none() && resource.mode == crate::resource::Mode::Managed
        })
}
