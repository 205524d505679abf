//! From text to the model.

use std::path::PathBuf;

use crate::frontend::terraform::{Options, discover, load};
use crate::frontend::{arm, bicep};
use crate::resource::{Configuration, Language, Root};
use crate::source::SourceMap;
use crate::topology::*;

/// The model of an ARM template's resources.
fn template(resources: &str) -> Topology {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("azuredeploy.json");
    let text = format!(
        r#"{{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {{ "prefix": {{ "type": "string" }} }},
  "resources": [{resources}]
}}"#
    );
    std::fs::write(&path, text).unwrap();
    let loaded = arm::load_template(&path, &arm::Options::default(), &SourceMap::new(), 0);
    assert_eq!(loaded.diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>(), Vec::<&String>::new());
    super::build(&Configuration {
        roots: vec![Root { path: "azuredeploy.json".into(), language: Language::Arm }],
        resources: loaded.resources,
        ..Configuration::default()
    })
}

/// The model of a Bicep file.
fn bicep_file(text: &str) -> Topology {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.bicep");
    std::fs::write(&path, text).unwrap();
    let loaded = bicep::load(&path, &bicep::Options::default(), &SourceMap::new(), 0);
    super::build(&Configuration {
        roots: vec![Root { path: "main.bicep".into(), language: Language::Bicep }],
        resources: loaded.resources,
        ..Configuration::default()
    })
}

/// The model of Terraform roots, each given as the text of its `main.tf`.
fn roots(texts: &[&str]) -> Topology {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let root = folder.path().join(format!("root{index}"));
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("main.tf"), text).unwrap();
        paths.push(root);
    }
    let sources = SourceMap::new();
    let configuration: Configuration = load(&discover(&paths, &sources), 0, &Options::default(), &sources);
    super::build(&configuration)
}

fn model(text: &str) -> Topology {
    roots(&[text])
}

fn subnet<'t>(topology: &'t Topology, name: &str) -> &'t Subnet {
    let mut found = topology
        .subnets
        .iter()
        .filter(|subnet| subnet.header.name.known().is_some_and(|known| known.eq_ignore_ascii_case(name)));
    let one = found.next().unwrap_or_else(|| panic!("no subnet {name}"));
    assert!(found.next().is_none(), "subnet {name} twice");
    one
}

fn network_of(topology: &Topology, name: &str) -> Option<String> {
    let network = subnet(topology, name).network.to()?;
    topology[network].header.name.known().map(ToString::to_string)
}

fn version(major: u8) -> String {
    format!(
        "terraform {{\n required_providers {{\n azurerm = {{ source = \"hashicorp/azurerm\", version = \"~> {major}.0\" }}\n }}\n}}\n"
    )
}

const HUB: &str = r#"
resource "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  resource_group_name = "rg"
  location            = "West Europe"
  address_space       = ["10.0.0.0/16"]
}
"#;

#[test]
fn a_separate_subnet_belongs_to_the_network_of_its_name() {
    let topology = model(&format!(
        r#"{HUB}
resource "azurerm_subnet" "db" {{
  name                 = "db"
  resource_group_name  = "RG"
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = ["10.0.1.0/24"]
  service_endpoints    = ["Microsoft.Storage"]
  delegation {{
    name = "fs"
    service_delegation {{
      name = "Microsoft.DBforPostgreSQL/flexibleServers"
    }}
  }}
}}
"#
    ));
    assert_eq!(network_of(&topology, "db").as_deref(), Some("vnet-hub"));
    let db = subnet(&topology, "db");
    assert_eq!(db.prefixes.known().next().unwrap().net.unwrap().to_string(), "10.0.1.0/24");
    assert_eq!(db.delegations.known().next().unwrap().service, "Microsoft.DBforPostgreSQL/flexibleServers");
    assert_eq!(db.service_endpoints.known().collect::<Vec<_>>(), ["Microsoft.Storage"]);
    assert!(db.security_group.is_absent() && db.route_table.is_absent());
    assert_eq!(
        db.header.resource_id.as_deref(),
        Some("Microsoft.Network/virtualNetworks/subnets/vnet-hub/db")
    );
    let network = &topology.virtual_networks[0];
    assert_eq!(network.subnets.len(), 1);
    assert_eq!(topology[network.header.resource].location.known().unwrap(), "westeurope");
}

#[test]
fn inline_subnets_and_what_is_inside_them() {
    let topology = model(
        r#"
resource "azurerm_network_security_group" "nsg" {
  name                = "nsg"
  resource_group_name = "rg"
  location            = "westeurope"
}
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
  subnet {
    name             = "a"
    address_prefixes = ["10.0.0.0/24"]
    security_group   = azurerm_network_security_group.nsg.id
  }
  subnet {
    name           = "b"
    address_prefix = "10.0.1.0/24"
  }
}
"#,
    );
    assert_eq!(topology.subnets.len(), 2);
    let a = subnet(&topology, "a");
    assert_eq!(a.header.declared, Declared::Inline);
    assert_eq!(topology[a.security_group.to().unwrap()].header.name.known().unwrap(), "nsg");
    assert_eq!(subnet(&topology, "b").prefixes.known().next().unwrap().text, "10.0.1.0/24");
    assert!(topology.virtual_networks[0].inline_subnets.is_some());
}

#[test]
fn one_subnet_inline_and_separate_is_one() {
    let topology = model(
        r#"
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  address_space       = ["10.0.0.0/16"]
  subnet {
    name             = "A"
    address_prefixes = ["10.0.0.0/24"]
  }
}
resource "azurerm_subnet" "a" {
  name                 = "a"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.9.0/24"]
}
"#,
    );
    assert_eq!(topology.subnets.len(), 1);
    let a = subnet(&topology, "a");
    assert!(a.inline_place.is_some());
    assert_eq!(a.prefixes.known().next().unwrap().text, "10.0.9.0/24");
}

/// Every way to name the subnet `db` of the network `vnet-hub`.
#[test]
fn the_ways_to_name_a_subnet() {
    for expression in [
        "azurerm_subnet.db.id",
        "\"${azurerm_virtual_network.hub.id}/subnets/db\"",
        "\"${azurerm_virtual_network.hub.id}/subnets/${azurerm_subnet.db.name}\"",
        "\"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/db\"",
        "\"/SUBSCRIPTIONS/0/resourcegroups/RG/providers/microsoft.network/VIRTUALNETWORKS/VNET-HUB/subnets/DB\"",
        "\"/subscriptions/${var.subscription}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/db\"",
        "azurerm_subnet_network_security_group_association.db.id",
        "azurerm_subnet_network_security_group_association.db.subnet_id",
        "data.azurerm_subnet.db.id",
        "one([azurerm_subnet.db]).id",
        "local.ids[\"db\"]",
    ] {
        let topology = model(&format!(
            r#"{HUB}
variable "subscription" {{}}
locals {{
  ids = {{ db = azurerm_subnet.db.id }}
}}
resource "azurerm_subnet" "db" {{
  name                 = "db"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
data "azurerm_subnet" "db" {{
  name                 = "db"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
}}
resource "azurerm_network_security_group" "nsg" {{
  name                = "nsg"
  resource_group_name = "rg"
}}
resource "azurerm_subnet_network_security_group_association" "db" {{
  subnet_id                 = azurerm_subnet.db.id
  network_security_group_id = azurerm_network_security_group.nsg.id
}}
resource "azurerm_postgresql_flexible_server" "s" {{
  name                = "s"
  resource_group_name = "rg"
  delegated_subnet_id = {expression}
}}
"#
        ));
        assert_eq!(topology.subnets.len(), 1, "{expression}");
        let db = subnet(&topology, "db");
        assert_eq!(db.occupancies.len(), 1, "{expression}");
        assert_eq!(topology[db.occupancies[0]].kind, "Microsoft.DBforPostgreSQL/flexibleServers");
        assert_eq!(topology.flexible_servers[0].subnet.to(), Some(Id::new(0)), "{expression}");
        assert!(db.security_group.to().is_some(), "{expression}");
    }
}

#[test]
fn what_is_declared_elsewhere_is_shared_by_its_id() {
    let topology = model(
        r#"
locals {
  subnet = "/subscriptions/1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/Spoke/subnets/Db"
}
resource "azurerm_postgresql_flexible_server" "a" {
  name                = "a"
  delegated_subnet_id = local.subnet
}
resource "azurerm_network_interface" "n" {
  name = "n"
  ip_configuration {
    name      = "x"
    subnet_id = lower(local.subnet)
  }
}
"#,
    );
    assert_eq!(topology.subnets.len(), 1);
    let db = subnet(&topology, "Db");
    assert_eq!(db.header.declared, Declared::Elsewhere);
    assert_eq!(db.occupancies.len(), 2);
    assert!(db.prefixes.rest.is_some() && db.delegations.unknown().is_some());
    assert_eq!(network_of(&topology, "Db").map(|name| name.to_lowercase()).as_deref(), Some("spoke"));
}

#[test]
fn several_roots_are_one_topology() {
    let topology = roots(&[
        HUB,
        r#"
data "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  resource_group_name = "rg"
}
resource "azurerm_virtual_network" "spoke" {
  name                = "spoke"
  resource_group_name = "rg-spoke"
  address_space       = ["10.1.0.0/16"]
}
resource "azurerm_virtual_network_peering" "there" {
  name                      = "there"
  resource_group_name       = "rg-spoke"
  virtual_network_name      = azurerm_virtual_network.spoke.name
  remote_virtual_network_id = data.azurerm_virtual_network.hub.id
}
resource "azurerm_virtual_network_peering" "back" {
  name                      = "back"
  resource_group_name       = data.azurerm_virtual_network.hub.resource_group_name
  virtual_network_name      = data.azurerm_virtual_network.hub.name
  remote_virtual_network_id = azurerm_virtual_network.spoke.id
  allow_forwarded_traffic   = true
}
"#,
    ]);
    assert_eq!(topology.virtual_networks.len(), 2);
    let (there, back) = (&topology.peerings[0], &topology.peerings[1]);
    assert_eq!(there.network.to(), back.remote.to());
    assert_eq!(there.remote.to(), back.network.to());
    assert!(there.allow_virtual_network_access.is(&true) && there.allow_forwarded_traffic.is(&false));
    assert!(back.allow_forwarded_traffic.is(&true));
    assert_eq!(topology[there.remote.to().unwrap()].header.declared, Declared::Separate);
}

#[test]
fn equal_names_in_two_roots_are_not_mixed() {
    let text = r#"
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.v.name
  address_prefixes     = ["10.0.0.0/24"]
}
"#;
    let topology = roots(&[text, text]);
    assert_eq!(topology.virtual_networks.len(), 2);
    assert_eq!(topology.subnets.len(), 2);
    assert_ne!(topology.subnets[0].network.to(), topology.subnets[1].network.to());
    assert_eq!(topology.virtual_networks[0].subnets.len(), 1);
}

#[test]
fn unknown_names_of_one_cause_are_the_same() {
    let topology = model(
        r#"
variable "prefix" {}
variable "group" {}
resource "azurerm_virtual_network" "hub" {
  name                = "${var.prefix}-hub"
  resource_group_name = var.group
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_virtual_network" "spoke" {
  name                = "${var.prefix}-spoke"
  resource_group_name = var.group
  address_space       = ["10.1.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = var.group
  virtual_network_name = "${var.prefix}-spoke"
  address_prefixes     = ["10.1.0.0/24"]
}
resource "azurerm_subnet" "t" {
  name                 = "t"
  resource_group_name  = var.group
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = ["10.0.0.0/24"]
}
"#,
    );
    assert_eq!(topology.virtual_networks.len(), 2);
    assert_eq!(subnet(&topology, "s").network.to(), Some(Id::new(1)));
    assert_eq!(subnet(&topology, "t").network.to(), Some(Id::new(0)));
}

#[test]
fn a_name_that_may_be_any_of_several_is_unknown() {
    let topology = model(
        r#"
variable "name" {}
resource "azurerm_virtual_network" "a" {
  name                = "a"
  resource_group_name = "rg"
  address_space       = ["10.0.0.0/16"]
}
resource "azurerm_subnet" "s" {
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = var.name
  address_prefixes     = ["10.1.0.0/24"]
}
"#,
    );
    assert_eq!(topology.virtual_networks.len(), 1);
    assert!(subnet(&topology, "s").network.unknown().is_some());
}

#[test]
fn rules_inline_separate_and_dynamic() {
    let topology = model(
        r#"
variable "ports" {}
resource "azurerm_network_security_group" "nsg" {
  name                = "nsg"
  resource_group_name = "rg"
  security_rule {
    name                       = "in"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "tcp"
    source_port_range          = "*"
    destination_port_ranges    = ["80", 443]
    source_address_prefix      = "Internet"
    destination_address_prefix = "*"
  }
}
resource "azurerm_network_security_rule" "deny" {
  name                        = "deny"
  resource_group_name         = "rg"
  network_security_group_name = azurerm_network_security_group.nsg.name
  priority                    = "200"
  direction                   = "inbound"
  access                      = "deny"
  protocol                    = "*"
  source_port_range           = "*"
  destination_port_range      = "*"
  source_address_prefix       = "*"
  destination_address_prefix  = "*"
}
resource "azurerm_network_security_group" "dynamic" {
  name                = "dynamic"
  resource_group_name = "rg"
  dynamic "security_rule" {
    for_each = var.ports
    content {
      name                   = "r"
      priority               = security_rule.value
      direction              = "Inbound"
      access                 = "Allow"
      protocol               = "Tcp"
      destination_port_range = "22"
    }
  }
}
"#,
    );
    let rules = &topology.security_groups[0].rules;
    assert!(rules.is_complete());
    let [allow, deny]: [&SecurityRule; 2] = rules.known().collect::<Vec<_>>().try_into().unwrap();
    assert!(allow.direction.is(&Direction::Inbound) && allow.access.is(&Access::Allow));
    assert_eq!(allow.protocol.known().unwrap(), "Tcp");
    assert_eq!(allow.destination.ports.known().collect::<Vec<_>>(), ["80", "443"]);
    assert!(allow.destination.single_port.is_absent());
    assert_eq!(deny.header.declared, Declared::Separate);
    assert!(deny.priority.is(&200) && deny.access.is(&Access::Deny));
    let dynamic = &topology.security_groups[1].rules;
    assert!(dynamic.rest.is_some());
    let rule = dynamic.known().next().unwrap();
    assert!(rule.header.uncertain.is_some() && rule.priority.unknown().is_some());
}

#[test]
fn a_rule_of_an_unknown_group_leaves_groups_that_it_may_belong_to_incomplete() {
    let topology = model(
        r#"
variable "group" {}
resource "azurerm_network_security_group" "a" {
  name                = "nsg-a"
  resource_group_name = "rg"
}
resource "azurerm_network_security_group" "b" {
  name                = "other-b"
  resource_group_name = "rg"
}
resource "azurerm_network_security_rule" "r" {
  name                        = "r"
  resource_group_name         = "rg"
  network_security_group_name = "nsg-${var.group}"
  priority                    = 100
}
"#,
    );
    assert!(topology.security_groups[0].rules.rest.is_some());
    assert!(topology.security_groups[1].rules.rest.is_none());
}

#[test]
fn routes_and_the_owner_of_the_next_hop() {
    let topology = model(&format!(
        r#"{HUB}
resource "azurerm_firewall" "fw" {{
  name                = "fw"
  resource_group_name = "rg"
}}
resource "azurerm_route_table" "rt" {{
  name                          = "rt"
  resource_group_name           = "rg"
  disable_bgp_route_propagation = true
  route {{
    name                   = "default"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "virtualappliance"
    next_hop_in_ip_address = azurerm_firewall.fw.ip_configuration[0].private_ip_address
  }}
}}
resource "azurerm_route" "more" {{
  name                = "more"
  resource_group_name = "rg"
  route_table_name    = azurerm_route_table.rt.name
  address_prefix      = "10.9.0.0/16"
  next_hop_type       = "None"
}}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
resource "azurerm_subnet_route_table_association" "s" {{
  subnet_id      = azurerm_subnet.s.id
  route_table_id = azurerm_route_table.rt.id
}}
"#
    ));
    let table = &topology[subnet(&topology, "s").route_table.to().unwrap()];
    assert!(table.bgp_route_propagation.is(&false));
    let routes: Vec<&Route> = table.routes.known().collect();
    assert_eq!(routes.len(), 2);
    assert_eq!(routes[0].next_hop_type.known().unwrap(), "VirtualAppliance");
    let owner = routes[0].next_hop.to().unwrap();
    assert_eq!(topology[owner].key.address, "azurerm_firewall.fw");
    assert!(routes[0].next_hop_address.unknown().is_some());
    assert!(routes[1].next_hop.is_absent());
}

#[test]
fn defaults_follow_the_major_version() {
    for (major, sku, policies) in [
        (Some(2), Some("Basic"), Some("Enabled")),
        (Some(3), Some("Basic"), Some("Enabled")),
        (Some(4), Some("Standard"), Some("Disabled")),
        (Some(5), Some("Standard"), Some("Disabled")),
        (None, None, None),
    ] {
        let topology = model(&format!(
            r#"{}{HUB}
resource "azurerm_public_ip" "ip" {{
  name                = "ip"
  resource_group_name = "rg"
  allocation_method   = "Static"
}}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
"#,
            major.map(version).unwrap_or_default()
        ));
        assert_eq!(topology.public_ips[0].sku.known().map(|s| s.as_str()), sku, "{major:?}");
        let field = &subnet(&topology, "s").private_endpoint_network_policies;
        assert_eq!(field.known().map(|s| s.as_str()), policies, "{major:?}");
        assert_eq!(field.unknown().is_some(), major.is_none());
    }
}

#[test]
fn older_policy_attributes_are_translated() {
    for (attribute, expected) in [
        ("enforce_private_link_endpoint_network_policies = true", "Disabled"),
        ("enforce_private_link_endpoint_network_policies = false", "Enabled"),
        ("private_endpoint_network_policies_enabled = false", "Disabled"),
        ("private_endpoint_network_policies = \"RouteTableEnabled\"", "RouteTableEnabled"),
    ] {
        let topology = model(&format!(
            r#"{HUB}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefix       = "10.0.1.0/24"
  {attribute}
}}
"#
        ));
        let s = subnet(&topology, "s");
        assert_eq!(s.private_endpoint_network_policies.known().unwrap(), expected, "{attribute}");
        assert_eq!(s.prefixes.known().next().unwrap().text, "10.0.1.0/24");
    }
}

#[test]
fn zones_links_and_private_endpoints() {
    for parent in [
        "private_dns_zone_name = azurerm_private_dns_zone.z.name\n  resource_group_name = \"rg\"",
        "private_dns_zone_id = azurerm_private_dns_zone.z.id",
    ] {
        let topology = model(&format!(
            r#"{HUB}
resource "azurerm_private_dns_zone" "z" {{
  name                = "privatelink.blob.core.windows.net"
  resource_group_name = "rg"
}}
resource "azurerm_private_dns_zone_virtual_network_link" "l" {{
  name               = "l"
  {parent}
  virtual_network_id = azurerm_virtual_network.hub.id
}}
resource "azurerm_storage_account" "a" {{
  name                = "account"
  resource_group_name = "rg"
}}
resource "azurerm_subnet" "pe" {{
  name                 = "pe"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
resource "azurerm_private_endpoint" "e" {{
  name                = "e"
  resource_group_name = "rg"
  subnet_id           = azurerm_subnet.pe.id
  private_service_connection {{
    name                           = "c"
    private_connection_resource_id = azurerm_storage_account.a.id
    subresource_names              = ["blob"]
    is_manual_connection           = false
  }}
  private_dns_zone_group {{
    name                 = "default"
    private_dns_zone_ids = [azurerm_private_dns_zone.z.id]
  }}
}}
"#
        ));
        let zone = &topology.private_dns_zones[0];
        assert_eq!(zone.links.len(), 1, "{parent}");
        let link = &topology[zone.links[0]];
        assert_eq!(link.network.to(), Some(Id::new(0)));
        assert!(link.registration.is(&false));
        let endpoint = &topology.private_endpoints[0];
        assert_eq!(endpoint.subnet.to(), Some(Id::new(0)));
        let connection = &endpoint.connections[0];
        assert_eq!(connection.target_type.as_deref(), Some("Microsoft.Storage/storageAccounts"));
        assert_eq!(topology[connection.target.to().unwrap()].key.address, "azurerm_storage_account.a");
        assert_eq!(connection.group_ids.known().collect::<Vec<_>>(), ["blob"]);
        let group = endpoint.zone_groups.known().next().unwrap();
        assert_eq!(group.zones[0].to(), Some(Id::new(0)));
    }
}

#[test]
fn subnets_given_by_name() {
    let topology = model(&format!(
        r#"{HUB}
resource "azurerm_subnet" "nodes" {{
  name                 = "nodes"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
resource "azurerm_subnet" "virtual" {{
  name                 = "virtual"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.2.0/24"]
}}
resource "azurerm_kubernetes_cluster" "k" {{
  name                = "k"
  resource_group_name = "rg"
  default_node_pool {{
    name           = "default"
    node_count     = 3
    vnet_subnet_id = azurerm_subnet.nodes.id
  }}
  aci_connector_linux {{
    subnet_name = azurerm_subnet.virtual.name
  }}
}}
resource "azurerm_databricks_workspace" "w" {{
  name                = "w"
  resource_group_name = "rg"
  custom_parameters {{
    virtual_network_id  = azurerm_virtual_network.hub.id
    public_subnet_name  = "public"
    private_subnet_name = "virtual"
  }}
}}
"#
    ));
    let kinds = |name: &str| -> Vec<String> {
        subnet(&topology, name).occupancies.iter().map(|id| topology[*id].kind.to_string()).collect()
    };
    assert_eq!(kinds("nodes").len(), 1);
    assert_eq!(
        kinds("virtual"),
        ["Microsoft.ContainerService/managedClusters#virtual-nodes", "Microsoft.Databricks/workspaces"]
    );
    assert_eq!(subnet(&topology, "public").header.declared, Declared::Elsewhere);
    assert_eq!(topology.kubernetes_clusters[0].pools[0].subnet.to(), Some(Id::new(0)));
    assert!(topology.kubernetes_clusters[0].pools[0].maximum_nodes.is(&3));
}

#[test]
fn azapi_speaks_arm() {
    for body in [
        r#"{ properties = { addressPrefix = "10.0.1.0/24", networkSecurityGroup = { id = azurerm_network_security_group.nsg.id } } }"#,
        r#"jsonencode({ properties = { addressPrefix = "10.0.1.0/24", networkSecurityGroup = { id = azurerm_network_security_group.nsg.id } } })"#,
        r#"jsonencode({ properties = { addressPrefix = "10.0.1.0/24", networkSecurityGroup = { id = "${azurerm_network_security_group.nsg.id}" }, "a\"b" = "\\" } })"#,
        r#"<<EOF
{ "properties": { "addressPrefix": "10.0.1.0/24", "networkSecurityGroup": { "id": "${azurerm_network_security_group.nsg.id}" } } }
EOF
"#,
        r#"{ properties = { AddressPrefixes = ["10.0.1.0/24"], NETWORKSECURITYGROUP = { Id = azurerm_network_security_group.nsg.id } } }"#,
    ] {
        let topology = model(&format!(
            r#"{HUB}
resource "azurerm_network_security_group" "nsg" {{
  name                = "nsg"
  resource_group_name = "rg"
}}
resource "azapi_resource" "s" {{
  type      = "Microsoft.Network/virtualNetworks/subnets@2023-11-01"
  name      = "s"
  parent_id = azurerm_virtual_network.hub.id
  body      = {body}
}}
resource "azapi_resource" "t" {{
  type      = "Microsoft.Network/virtualNetworks/subnets@2023-11-01"
  name      = "t"
  parent_id = azurerm_virtual_network.hub.id
  body      = jsonencode({{ properties = {{ addressPrefix = "10.0.2.0/24" }} }})
}}
resource "azapi_update_resource" "t" {{
  type        = "Microsoft.Network/virtualNetworks/subnets@2023-11-01"
  name        = "t"
  parent_id   = azurerm_virtual_network.hub.id
  body        = {{ properties = {{ networkSecurityGroup = {{ id = azurerm_network_security_group.nsg.id }} }} }}
}}
"#
        ));
        assert_eq!(topology.subnets.len(), 2, "{body}");
        for name in ["s", "t"] {
            let subnet = subnet(&topology, name);
            assert_eq!(network_of(&topology, name).as_deref(), Some("vnet-hub"));
            assert_eq!(subnet.prefixes.known().count(), 1, "{name}: {body}");
            assert!(subnet.security_group.to().is_some(), "{name}: {body}");
        }
    }
}

#[test]
fn machines_interfaces_and_associations() {
    let topology = model(&format!(
        r#"{HUB}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
resource "azurerm_network_security_group" "nsg" {{
  name                = "nsg"
  resource_group_name = "rg"
}}
resource "azurerm_application_security_group" "asg" {{
  name                = "asg"
  resource_group_name = "rg"
}}
resource "azurerm_network_interface" "n" {{
  count                = 2
  name                 = "n${{count.index}}"
  resource_group_name  = "rg"
  enable_ip_forwarding = true
  ip_configuration {{
    name                          = "internal"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Static"
    private_ip_address            = "10.0.1.${{count.index + 10}}"
  }}
}}
resource "azurerm_network_interface_security_group_association" "n" {{
  network_interface_id      = azurerm_network_interface.n[0].id
  network_security_group_id = azurerm_network_security_group.nsg.id
}}
resource "azurerm_network_interface_application_security_group_association" "n" {{
  network_interface_id          = azurerm_network_interface.n[1].id
  application_security_group_id = azurerm_application_security_group.asg.id
}}
resource "azurerm_linux_virtual_machine" "vm" {{
  name                  = "vm"
  resource_group_name   = "rg"
  network_interface_ids = azurerm_network_interface.n[*].id
}}
"#
    ));
    let [first, second] = &topology.network_interfaces[..] else { panic!("two interfaces") };
    assert!(first.security_group.to().is_some() && second.security_group.is_absent());
    assert!(first.ip_forwarding.is(&true));
    assert_eq!(second.application_security_groups.len(), 1);
    assert_eq!(second.ip_configurations[0].private_address.known().unwrap(), "10.0.1.11");
    let members: Vec<_> = topology.virtual_machines[0].interfaces.iter().map(Link::to).collect();
    assert_eq!(members, [Some(Id::new(0)), Some(Id::new(1))]);
    assert_eq!(subnet(&topology, "s").occupancies.len(), 2);
}

#[test]
fn associations_that_name_each_other_end() {
    let topology = model(
        r#"
resource "azurerm_subnet_route_table_association" "a" {
  subnet_id      = azurerm_subnet_route_table_association.b.id
  route_table_id = "x"
}
resource "azurerm_subnet_route_table_association" "b" {
  subnet_id      = azurerm_subnet_route_table_association.a.id
  route_table_id = "x"
}
"#,
    );
    assert!(topology.subnets.is_empty());
}

#[test]
fn arm_children_in_all_their_forms() {
    for subnet_form in [
        r#"{ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-11-01", "name": "v",
            "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
              "subnets": [ { "name": "db", "properties": { "addressPrefix": "10.0.1.0/24",
                "networkSecurityGroup": { "id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg')]" },
                "delegations": [ { "name": "d", "properties": { "serviceName": "Microsoft.DBforPostgreSQL/flexibleServers" } } ] } } ] } }"#,
        r#"{ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-11-01", "name": "v",
            "properties": { "AddressSpace": { "addressPrefixes": ["10.0.0.0/16"] } },
            "resources": [ { "type": "subnets", "apiVersion": "2023-11-01", "name": "db", "dependsOn": ["v"],
              "properties": { "ADDRESSPREFIXES": ["10.0.1.0/24"],
                "networkSecurityGroup": { "id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg')]" },
                "delegations": [ { "name": "d", "properties": { "serviceName": "Microsoft.DBforPostgreSQL/flexibleServers" } } ] } } ] }"#,
        r#"{ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-11-01", "name": "v",
            "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } } },
           { "type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "2023-11-01", "name": "v/db",
              "properties": { "addressPrefix": "10.0.1.0/24", "addressPrefixes": [],
                "networkSecurityGroup": { "id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg')]" },
                "delegations": [ { "name": "d", "properties": { "serviceName": "Microsoft.DBforPostgreSQL/flexibleServers" } } ] } }"#,
    ] {
        let topology = template(&format!(
            r#"{subnet_form},
            {{ "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2023-11-01", "name": "nsg",
               "properties": {{ "securityRules": [ {{ "name": "r", "properties": {{ "priority": 100, "direction": "Inbound",
                 "access": "Deny", "protocol": "TCP", "sourcePortRange": "*", "destinationPortRange": "5432",
                 "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "sourceAddressPrefixes": [] }} }} ] }} }},
            {{ "type": "Microsoft.DBforPostgreSQL/flexibleServers", "apiVersion": "2023-03-01-preview", "name": "s",
               "properties": {{ "network": {{
                 "delegatedSubnetResourceId": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 'db')]" }} }} }}"#
        ));
        assert_eq!(topology.subnets.len(), 1, "{subnet_form}");
        let db = subnet(&topology, "db");
        assert_eq!(network_of(&topology, "db").as_deref(), Some("v"), "{subnet_form}");
        assert_eq!(db.prefixes.known().next().unwrap().text, "10.0.1.0/24");
        assert_eq!(db.delegations.known().count(), 1);
        assert_eq!(db.occupancies.len(), 1, "{subnet_form}");
        let group = &topology[db.security_group.to().unwrap()];
        let rule = group.rules.known().next().unwrap();
        assert_eq!(rule.protocol.known().unwrap(), "Tcp");
        assert_eq!(rule.source.prefixes.known().collect::<Vec<_>>(), ["*"]);
        assert!(rule.access.is(&Access::Deny));
    }
}

#[test]
fn names_of_unknown_parameters_join_children_and_references() {
    let topology = template(
        r#"{ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-11-01", "name": "[concat(parameters('prefix'), '-v')]",
            "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] } } },
           { "type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "2023-11-01",
             "name": "[concat(parameters('prefix'), '-v/', 'db')]", "properties": { "addressPrefix": "10.0.1.0/24" } },
           { "type": "Microsoft.Network/networkInterfaces", "apiVersion": "2023-11-01", "name": "n",
             "properties": { "ipConfigurations": [ { "name": "c", "properties": { "subnet": {
               "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', concat(parameters('prefix'), '-v'), 'db')]" } } } ] } }"#,
    );
    assert_eq!((topology.virtual_networks.len(), topology.subnets.len()), (1, 1));
    assert_eq!(subnet(&topology, "db").network.to(), Some(Id::new(0)));
    assert_eq!(topology.network_interfaces[0].ip_configurations[0].subnet.to(), Some(Id::new(0)));
}

#[test]
fn a_second_deployment_of_the_same_network_is_the_same_network() {
    let network = |servers: &str| {
        format!(
            r#"{{ "type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "d{servers}",
  "properties": {{ "mode": "Incremental", "template": {{
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "resources": [ {{ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-11-01", "name": "v",
      "properties": {{ "addressSpace": {{ "addressPrefixes": ["10.0.0.0/16"] }},
        "dhcpOptions": {{ "dnsServers": [{servers}] }},
        "subnets": [ {{ "name": "s", "properties": {{ "addressPrefix": "10.0.0.0/24" }} }} ] }} }} ] }} }} }}"#
        )
    };
    let folder = network("");
    let again = network(r#""10.0.0.4""#).replace(r#""name": "d"10.0.0.4"""#, r#""name": "again""#);
    let topology = template(&format!("{folder}, {again}"));
    assert_eq!((topology.virtual_networks.len(), topology.subnets.len()), (1, 1));
    assert_eq!(topology.virtual_networks[0].dns_servers.known().collect::<Vec<_>>(), ["10.0.0.4"]);
}

#[test]
fn one_network_in_three_languages_is_one_text() {
    let terraform = model(&format!(
        r#"{}{HUB}
resource "azurerm_network_security_group" "nsg" {{
  name                = "nsg"
  resource_group_name = "rg"
  security_rule {{
    name                       = "in"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_port_range          = "*"
    destination_port_range     = "443"
    source_address_prefix      = "Internet"
    destination_address_prefix = "*"
  }}
}}
resource "azurerm_subnet" "web" {{
  name                 = "web"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = ["10.0.1.0/24"]
  private_endpoint_network_policies = "Disabled"
}}
resource "azurerm_subnet_network_security_group_association" "web" {{
  subnet_id                 = azurerm_subnet.web.id
  network_security_group_id = azurerm_network_security_group.nsg.id
}}
"#,
        version(4)
    ));
    let arm = template(
        r#"{ "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2023-11-01", "name": "nsg", "properties": {
             "securityRules": [ { "name": "in", "properties": { "priority": 100, "direction": "Inbound", "access": "Allow",
               "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "443", "sourceAddressPrefix": "Internet",
               "destinationAddressPrefix": "*" } } ] } },
           { "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-11-01", "name": "vnet-hub", "properties": {
             "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
             "subnets": [ { "name": "web", "properties": { "addressPrefix": "10.0.1.0/24", "defaultOutboundAccess": true,
               "networkSecurityGroup": { "id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'nsg')]" } } } ] } }"#,
    );
    let bicep = bicep_file(
        r#"
resource nsg 'Microsoft.Network/networkSecurityGroups@2023-11-01' = {
  name: 'nsg'
  properties: {
    securityRules: [
      {
        name: 'in'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourcePortRange: '*'
          destinationPortRange: '443'
          sourceAddressPrefix: 'Internet'
          destinationAddressPrefix: '*'
        }
      }
    ]
  }
}
resource hub 'Microsoft.Network/virtualNetworks@2023-11-01' = {
  name: 'vnet-hub'
  properties: { addressSpace: { addressPrefixes: [ '10.0.0.0/16' ] } }
  resource web 'subnets' = {
    name: 'web'
    properties: {
      addressPrefix: '10.0.1.0/24'
      defaultOutboundAccess: true
      networkSecurityGroup: { id: nsg.id }
    }
  }
}
"#,
    );
    let text = |topology: &Topology| serde_json::to_string_pretty(&json::to_json(topology, false)).unwrap();
    assert_eq!(text(&terraform), text(&arm));
    assert_eq!(text(&arm), text(&bicep));
    assert!(text(&arm).contains("Microsoft.Network/virtualNetworks/subnets/vnet-hub/web"));
}

#[test]
fn network_rules_admit_subnets() {
    let topology = model(&format!(
        r#"{HUB}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
resource "azurerm_storage_account" "a" {{
  name                = "a"
  resource_group_name = "rg"
  network_rules {{
    default_action             = "Deny"
    virtual_network_subnet_ids = [azurerm_subnet.s.id]
  }}
}}
resource "azurerm_cosmosdb_account" "c" {{
  name                = "c"
  resource_group_name = "rg"
  virtual_network_rule {{
    id                                   = azurerm_subnet.s.id
    ignore_missing_vnet_service_endpoint = true
  }}
  virtual_network_rule {{
    id = azurerm_subnet.s.id
  }}
}}
"#
    ));
    let kinds: Vec<&str> = topology.admissions.iter().map(|admission| admission.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "Microsoft.Storage/storageAccounts",
            "Microsoft.DocumentDB/databaseAccounts",
            "Microsoft.DocumentDB/databaseAccounts"
        ]
    );
    assert!(topology.admissions.iter().all(|admission| admission.subnet.to() == Some(Id::new(0))));
    assert!(topology.admissions[0].ignore_missing.is_absent());
    assert!(
        topology.admissions[1].ignore_missing.is(&true) && topology.admissions[2].ignore_missing.is(&false)
    );
    assert!(topology.occupancies.is_empty());
}

#[test]
fn load_balancers_with_pools_probes_rules_and_members() {
    let topology = model(&format!(
        r#"{HUB}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
resource "azurerm_lb" "lb" {{
  name                = "lb"
  resource_group_name = "rg"
  sku                 = "Standard"
  frontend_ip_configuration {{
    name                          = "front"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
  }}
}}
resource "azurerm_lb_backend_address_pool" "p" {{
  name            = "p"
  loadbalancer_id = azurerm_lb.lb.id
}}
resource "azurerm_lb_probe" "h" {{
  name            = "h"
  loadbalancer_id = azurerm_lb.lb.id
  port            = 8080
}}
resource "azurerm_lb_rule" "r" {{
  name                           = "r"
  loadbalancer_id                = azurerm_lb.lb.id
  protocol                       = "Tcp"
  frontend_port                  = 80
  backend_port                   = 8080
  frontend_ip_configuration_name = "front"
  backend_address_pool_ids       = [azurerm_lb_backend_address_pool.p.id]
  probe_id                       = azurerm_lb_probe.h.id
}}
resource "azurerm_network_interface" "n" {{
  name                = "n"
  resource_group_name = "rg"
  ip_configuration {{
    name                          = "c"
    subnet_id                     = azurerm_subnet.s.id
    private_ip_address_allocation = "Dynamic"
  }}
}}
resource "azurerm_network_interface_backend_address_pool_association" "n" {{
  network_interface_id    = azurerm_network_interface.n.id
  ip_configuration_name   = "c"
  backend_address_pool_id = azurerm_lb_backend_address_pool.p.id
}}
"#
    ));
    let balancer = &topology.load_balancers[0];
    assert!(!balancer.incomplete);
    assert_eq!(balancer.frontends[0].subnet.to(), Some(Id::new(0)));
    assert_eq!(balancer.pools[0].interfaces[0].to(), Some(Id::new(0)));
    assert!(balancer.probes[0].port.is(&8080));
    let rule = &balancer.rules[0];
    assert_eq!((rule.pools.as_slice(), rule.probe, rule.incomplete), (&[0][..], Some(0), false));
    assert_eq!(rule.frontend.known().unwrap(), "front");
}

#[test]
fn an_association_that_may_not_exist_leaves_the_question_open() {
    let topology = model(&format!(
        r#"{HUB}
variable "secure" {{}}
resource "azurerm_network_security_group" "nsg" {{
  name                = "nsg"
  resource_group_name = "rg"
}}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = "vnet-hub"
  address_prefixes     = ["10.0.1.0/24"]
}}
resource "azurerm_subnet_network_security_group_association" "s" {{
  count                     = var.secure ? 1 : 0
  subnet_id                 = azurerm_subnet.s.id
  network_security_group_id = azurerm_network_security_group.nsg.id
}}
"#
    ));
    assert!(subnet(&topology, "s").security_group.unknown().is_some());
}

#[test]
fn the_model_names_what_it_has_no_part_for() {
    let topology = model(
        r#"
resource "azurerm_virtual_hub" "h" {
  name                = "h"
  resource_group_name = "rg"
}
resource "azurerm_storage_account" "a" {
  name = "a"
}
"#,
    );
    let unsupported: Vec<_> = topology.unsupported().into_iter().collect();
    assert_eq!(unsupported, [("Microsoft.Network/virtualHubs".into(), 1)]);
}

/// Ways to reach the id of an inline subnet: azurerm computes it, and the block says which it is.
#[test]
fn the_ways_to_name_an_inline_subnet() {
    for expression in [
        "one(azurerm_virtual_network.v.subnet[*]).id",
        "one(azurerm_virtual_network.v.subnet).id",
        "azurerm_virtual_network.v.subnet.*.id[0]",
        "tolist(azurerm_virtual_network.v.subnet)[0].id",
        "element(azurerm_virtual_network.v.subnet.*.id, 0)",
        "[for s in azurerm_virtual_network.v.subnet : s.id if s.name == \"db\"][0]",
        "{ for s in azurerm_virtual_network.v.subnet : s.name => s.id }[\"db\"]",
        "\"${azurerm_virtual_network.v.id}/subnets/db\"",
    ] {
        let topology = model(&format!(
            r#"
resource "azurerm_virtual_network" "v" {{
  name                = "v"
  resource_group_name = "rg"
  address_space       = ["10.0.0.0/16"]
  subnet {{
    name             = "db"
    address_prefixes = ["10.0.0.0/24"]
  }}
}}
resource "azurerm_postgresql_flexible_server" "s" {{
  name                = "s"
  delegated_subnet_id = {expression}
}}
"#
        ));
        assert_eq!(topology.subnets.len(), 1, "{expression}");
        assert_eq!(
            topology.flexible_servers[0].subnet.to(),
            Some(Id::new(0)),
            "{expression}: {:?}",
            topology.flexible_servers[0].subnet
        );
    }
}

/// azurerm's inline subnets are a set: with several of them a position says nothing about which it is.
#[test]
fn a_position_among_several_inline_subnets_is_not_known() {
    let topology = model(
        r#"
resource "azurerm_virtual_network" "v" {
  name                = "v"
  resource_group_name = "rg"
  address_space       = ["10.0.0.0/16"]
  subnet {
    name             = "a"
    address_prefixes = ["10.0.0.0/24"]
  }
  subnet {
    name             = "b"
    address_prefixes = ["10.0.1.0/24"]
  }
}
resource "azurerm_postgresql_flexible_server" "s" {
  name                = "s"
  delegated_subnet_id = tolist(azurerm_virtual_network.v.subnet)[0].id
}
"#,
    );
    assert!(topology.flexible_servers[0].subnet.unknown().is_some());
    assert!(topology.occupancies[0].subnet.unknown().is_some());
}

#[test]
fn an_azapi_network_in_a_declared_group_is_found_by_the_group_s_name() {
    let topology = model(
        r#"
resource "azurerm_resource_group" "a" {
  name     = "rg-a"
  location = "westeurope"
}
resource "azapi_resource" "v" {
  type      = "Microsoft.Network/virtualNetworks@2023-11-01"
  name      = "v"
  parent_id = azurerm_resource_group.a.id
  body      = { properties = { addressSpace = { addressPrefixes = ["10.0.0.0/16"] } } }
}
resource "azurerm_subnet" "other" {
  name                 = "other"
  resource_group_name  = "rg-b"
  virtual_network_name = "v"
  address_prefixes     = ["10.9.0.0/24"]
}
resource "azurerm_subnet" "mine" {
  name                 = "mine"
  resource_group_name  = "rg-a"
  virtual_network_name = "v"
  address_prefixes     = ["10.0.0.0/24"]
}
"#,
    );
    let network = |name: &str| &topology[subnet(&topology, name).network.to().unwrap()];
    assert_eq!(network("mine").header.declared, Declared::Separate);
    assert_eq!(network("other").header.declared, Declared::Elsewhere);
}

#[test]
fn updates_name_what_they_change_by_its_id() {
    for id in ["azurerm_subnet.s.id", "\"${azurerm_virtual_network.hub.id}/subnets/s\""] {
        let topology = model(&format!(
            r#"{HUB}
resource "azapi_update_resource" "u" {{
  type        = "Microsoft.Network/virtualNetworks/subnets@2023-11-01"
  resource_id = {id}
  body        = {{ properties = {{ defaultOutboundAccess = false }} }}
}}
resource "azurerm_subnet" "s" {{
  name                 = "s"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.hub.name
  address_prefixes     = ["10.0.1.0/24"]
}}
"#
        ));
        assert_eq!(topology.subnets.len(), 1, "{id}");
        let s = subnet(&topology, "s");
        assert!(s.default_outbound_access.is(&false), "{id}");
        assert_eq!(s.prefixes.known().count(), 1);
    }
}

#[test]
fn names_and_ids_of_what_is_elsewhere_meet() {
    let topology = model(
        r#"
resource "azurerm_subnet" "a" {
  name                 = "a"
  resource_group_name  = "net"
  virtual_network_name = "hub"
  address_prefixes     = ["10.0.1.0/24"]
}
resource "azurerm_private_dns_zone_virtual_network_link" "one" {
  name                  = "one"
  resource_group_name   = "net"
  private_dns_zone_name = "example.org"
  virtual_network_id    = "/subscriptions/1/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub"
}
resource "azurerm_private_dns_zone_virtual_network_link" "two" {
  name                  = "two"
  resource_group_name   = "net"
  private_dns_zone_name = "example.org"
  virtual_network_id    = "/subscriptions/2/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/hub"
}
"#,
    );
    assert_eq!(topology.private_dns_zones.len(), 1);
    assert_eq!(subnet(&topology, "a").network.to(), topology.zone_links[0].network.to());
    assert_ne!(topology.zone_links[0].network.to(), topology.zone_links[1].network.to());
    assert_eq!(topology.virtual_networks.len(), 2);
}
