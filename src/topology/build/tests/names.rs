//! What is the same: names, ids, references, lookups, roots.

use super::*;

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

/// An inline subnet that is picked by its name is that subnet.
#[test]
fn an_inline_subnet_is_found_by_what_it_says() {
    let network = r#"
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
"#;
    for (expression, found) in [
        (r#"one([for s in azurerm_virtual_network.v.subnet : s.id if s.name == "b"])"#, true),
        (r#"[for s in azurerm_virtual_network.v.subnet : s if s.name == "b"][0].id"#, true),
        (r#"{ for s in azurerm_virtual_network.v.subnet : s.name => s.id }["b"]"#, true),
        ("azurerm_virtual_network.v.subnet[*].id[1]", false),
        ("element(azurerm_virtual_network.v.subnet[*].id, 1)", false),
        ("tolist(azurerm_virtual_network.v.subnet)[1].id", false),
    ] {
        let topology = model(&format!(
            "{network}\nresource \"azurerm_postgresql_flexible_server\" \"s\" {{\n  name                = \"s\"\n  delegated_subnet_id = {expression}\n}}\n"
        ));
        let to = topology.flexible_servers[0].subnet.to();
        let name = to.and_then(|id| topology[id].header.name.known().cloned());
        assert_eq!(name.as_deref(), found.then_some("b"), "{expression}");
    }
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
