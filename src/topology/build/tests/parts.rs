//! The parts of the model and what connects them.

use super::*;

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

#[test]
fn existing_pools_are_found_by_their_names() {
    let topology = bicep_file(
        r#"
resource lb 'Microsoft.Network/loadBalancers@2023-11-01' = {
  name: 'lb'
  sku: { name: 'Standard' }
  properties: {
    backendAddressPools: [ { name: 'one' }, { name: 'two' } ]
  }
}
resource pool 'Microsoft.Network/loadBalancers/backendAddressPools@2023-11-01' existing = {
  parent: lb
  name: 'two'
}
resource nic 'Microsoft.Network/networkInterfaces@2023-11-01' = {
  name: 'nic'
  properties: {
    ipConfigurations: [
      { name: 'c', properties: { loadBalancerBackendAddressPools: [ { id: pool.id } ] } }
    ]
  }
}
"#,
    );
    let members: Vec<usize> =
        topology.load_balancers[0].pools.iter().map(|pool| pool.interfaces.len()).collect();
    assert_eq!(members, [0, 1]);
}
