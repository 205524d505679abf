//! One model from all vocabularies and versions.

use super::*;

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
