data "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  resource_group_name = "rg-hub"
}

data "azurerm_subnet" "data" {
  name                 = "snet-data"
  virtual_network_name = "vnet-hub"
  resource_group_name  = "rg-hub"
}

data "azurerm_private_dns_zone" "postgres" {
  name                = "privatelink.postgres.database.azure.com"
  resource_group_name = "rg-hub"
}

resource "azurerm_virtual_network" "spoke" {
  name                = "vnet-spoke"
  resource_group_name = "rg-spoke"
  location            = "westeurope"
  address_space       = ["SPACE"]
}

resource "azurerm_virtual_network_peering" "to_hub" {
  name                      = "spoke-to-hub"
  resource_group_name       = "rg-spoke"
  virtual_network_name      = azurerm_virtual_network.spoke.name
  remote_virtual_network_id = data.azurerm_virtual_network.hub.id
}

resource "azurerm_subnet" "endpoints" {
  name                 = "snet-endpoints"
  resource_group_name  = "rg-spoke"
  virtual_network_name = azurerm_virtual_network.spoke.name
  address_prefixes     = [cidrsubnet("SPACE", 4, 1)]
}

resource "azurerm_route_table" "spoke" {
  name                = "rt-spoke"
  resource_group_name = "rg-spoke"
  location            = "westeurope"

  route {
    name                   = "out"
    address_prefix         = "0.0.0.0/0"
    next_hop_type          = "VirtualAppliance"
    next_hop_in_ip_address = "HOP"
  }
}

resource "azurerm_subnet_route_table_association" "endpoints" {
  subnet_id      = azurerm_subnet.endpoints.id
  route_table_id = azurerm_route_table.spoke.id
}

resource "azurerm_storage_account" "spoke" {
  name                     = "stspoke"
  resource_group_name      = "rg-spoke"
  location                 = "westeurope"
  account_tier             = "Standard"
  account_replication_type = "LRS"

  network_rules {
    default_action             = "Deny"
    virtual_network_subnet_ids = [data.azurerm_subnet.data.id]
  }
}

resource "azurerm_postgresql_flexible_server" "spoke" {
  name                          = "psql-spoke"
  resource_group_name           = "rg-spoke"
  location                      = "westeurope"
  version                       = "16"
  sku_name                      = "GP_Standard_D2s_v3"
  public_network_access_enabled = false
}

resource "azurerm_private_endpoint" "postgres" {
  name                = "pe-postgres"
  resource_group_name = "rg-spoke"
  location            = "westeurope"
  subnet_id           = azurerm_subnet.endpoints.id

  private_service_connection {
    name                           = "postgres"
    private_connection_resource_id = azurerm_postgresql_flexible_server.spoke.id
    subresource_names              = ["postgresqlServer"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [data.azurerm_private_dns_zone.postgres.id]
  }
}
