//! An estate of any size to measure with: a hub, and spokes that are peered with it, each with an application subnet and a
//! PostgreSQL flexible server. The same size gives the same text.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use tempfile::TempDir;

/// Where the spokes' address spaces begin: each has a /20.
const FIRST_SPOKE: u32 = u32::from_be_bytes([10, 16, 0, 0]);

/// Security rules of each group, besides those that the database needs.
const FILLER_RULES: u32 = 20;

/// An estate in a folder that goes away with it.
pub struct Estate {
    folder: TempDir,
}

impl Estate {
    /// Writes an estate with some spokes (up to 3,840: there are no more addresses in 10.0.0.0/8).
    pub fn new(spokes: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files(spokes) {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        Self { folder }
    }

    /// The root module's folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }
}

/// The files of an estate: name and text.
pub fn files(spokes: u32) -> Vec<(String, String)> {
    std::iter::once(("hub.tf".to_string(), HUB.to_string()))
        .chain((0..spokes).map(|index| (format!("spoke_{index:04}.tf"), spoke(index))))
        .collect()
}

const HUB: &str = r#"
locals {
  location = "westeurope"
  firewall = "10.0.1.4"
}

resource "azurerm_resource_group" "network" {
  name     = "rg-network"
  location = local.location
}

resource "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  resource_group_name = azurerm_resource_group.network.name
  location            = local.location
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "firewall" {
  name                 = "snet-firewall"
  resource_group_name  = azurerm_resource_group.network.name
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = [cidrsubnet(azurerm_virtual_network.hub.address_space[0], 8, 1)]
}

resource "azurerm_network_interface" "firewall" {
  name                  = "nic-firewall"
  resource_group_name   = azurerm_resource_group.network.name
  location              = local.location
  ip_forwarding_enabled = true

  ip_configuration {
    name                          = "internal"
    subnet_id                     = azurerm_subnet.firewall.id
    private_ip_address_allocation = "Static"
    private_ip_address            = local.firewall
  }
}

resource "azurerm_private_dns_zone" "postgres" {
  name                = "estate.private.postgres.database.azure.com"
  resource_group_name = azurerm_resource_group.network.name
}
"#;

fn spoke(index: u32) -> String {
    let base = FIRST_SPOKE + (index << 12);
    let range = |offset: u32, length: u8| format!("{}/{length}", Ipv4Addr::from(base + offset));
    let mut text = SPOKE
        .replace("SPACE", &range(0, 20))
        .replace("APPLICATION", &range(0, 24))
        .replace("DATABASE", &range(256, 27))
        .replace("INDEX", &format!("{index:04}"));
    let mut rules = String::new();
    for number in 0..FILLER_RULES {
        let (port, priority) = (20_000 + 40 * number, 200 + 10 * number);
        let direction = if number % 2 == 0 { "Inbound" } else { "Outbound" };
        let _ = write!(
            rules,
            "\n  security_rule {{\n    name                       = \"filler-{number}\"\n    priority                   = {priority}\n    direction                  = \"{direction}\"\n    access                     = \"Deny\"\n    protocol                   = \"Udp\"\n    source_address_prefix      = \"10.0.2.{number}/32\"\n    source_port_range          = \"*\"\n    destination_address_prefix = \"*\"\n    destination_port_range     = \"{port}-{}\"\n  }}\n",
            port + 10,
        );
    }
    text = text.replace("  # RULES\n", &rules);
    text
}

const SPOKE: &str = r#"
resource "azurerm_virtual_network" "spoke_INDEX" {
  name                = "vnet-spoke-INDEX"
  resource_group_name = azurerm_resource_group.network.name
  location            = local.location
  address_space       = ["SPACE"]
}

resource "azurerm_subnet" "application_INDEX" {
  name                 = "snet-application"
  resource_group_name  = azurerm_resource_group.network.name
  virtual_network_name = azurerm_virtual_network.spoke_INDEX.name
  address_prefixes     = ["APPLICATION"]
}

resource "azurerm_subnet" "database_INDEX" {
  name                 = "snet-database"
  resource_group_name  = azurerm_resource_group.network.name
  virtual_network_name = azurerm_virtual_network.spoke_INDEX.name
  address_prefixes     = ["DATABASE"]

  delegation {
    name = "postgres"

    service_delegation {
      name = "Microsoft.DBforPostgreSQL/flexibleServers"
    }
  }
}

resource "azurerm_network_security_group" "database_INDEX" {
  name                = "nsg-database-INDEX"
  resource_group_name = azurerm_resource_group.network.name
  location            = local.location
  # RULES
}

resource "azurerm_subnet_network_security_group_association" "database_INDEX" {
  subnet_id                 = azurerm_subnet.database_INDEX.id
  network_security_group_id = azurerm_network_security_group.database_INDEX.id
}

resource "azurerm_route_table" "spoke_INDEX" {
  name                = "rt-spoke-INDEX"
  resource_group_name = azurerm_resource_group.network.name
  location            = local.location

  route {
    name                   = "default"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = local.firewall
  }
}

resource "azurerm_subnet_route_table_association" "application_INDEX" {
  subnet_id      = azurerm_subnet.application_INDEX.id
  route_table_id = azurerm_route_table.spoke_INDEX.id
}

resource "azurerm_virtual_network_peering" "hub_to_INDEX" {
  name                      = "hub-to-INDEX"
  resource_group_name       = azurerm_resource_group.network.name
  virtual_network_name      = azurerm_virtual_network.hub.name
  remote_virtual_network_id = azurerm_virtual_network.spoke_INDEX.id
  allow_forwarded_traffic   = true
}

resource "azurerm_virtual_network_peering" "INDEX_to_hub" {
  name                      = "INDEX-to-hub"
  resource_group_name       = azurerm_resource_group.network.name
  virtual_network_name      = azurerm_virtual_network.spoke_INDEX.name
  remote_virtual_network_id = azurerm_virtual_network.hub.id
  allow_forwarded_traffic   = true
}

resource "azurerm_private_dns_zone_virtual_network_link" "spoke_INDEX" {
  name                  = "spoke-INDEX"
  resource_group_name   = azurerm_resource_group.network.name
  private_dns_zone_name = azurerm_private_dns_zone.postgres.name
  virtual_network_id    = azurerm_virtual_network.spoke_INDEX.id
}

resource "azurerm_postgresql_flexible_server" "spoke_INDEX" {
  name                          = "psql-spoke-INDEX"
  resource_group_name           = azurerm_resource_group.network.name
  location                      = local.location
  delegated_subnet_id           = azurerm_subnet.database_INDEX.id
  private_dns_zone_id           = azurerm_private_dns_zone.postgres.id
  public_network_access_enabled = false
  depends_on                    = [azurerm_private_dns_zone_virtual_network_link.spoke_INDEX]
}

resource "azurerm_network_interface" "application_INDEX" {
  name                = "nic-application-INDEX"
  resource_group_name = azurerm_resource_group.network.name
  location            = local.location

  ip_configuration {
    name                          = "internal"
    subnet_id                     = azurerm_subnet.application_INDEX.id
    private_ip_address_allocation = "Dynamic"
  }
}
"#;
