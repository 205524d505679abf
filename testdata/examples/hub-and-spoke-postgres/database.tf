resource "azurerm_subnet" "database" {
  name                 = "snet-database"
  resource_group_name  = module.spoke["data"].resource_group_name
  virtual_network_name = module.spoke["data"].virtual_network_name
  address_prefixes     = ["10.2.0.0/27"]

  delegation {
    name = "postgres"

    service_delegation {
      name    = "Microsoft.DBforPostgreSQL/flexibleServers"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_network_security_group" "database" {
  name                = "nsg-${var.prefix}-database"
  resource_group_name = module.spoke["data"].resource_group_name
  location            = var.location

  security_rule {
    name                       = "AllowApplication"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = var.spokes["app"].address_space
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "5432"
  }

  security_rule {
    name                       = "AllowTools"
    priority                   = 100
    direction                  = "Inbound"
    access                     = "Allow"
    protocol                   = "Tcp"
    source_address_prefix      = var.spokes["data"].subnets["tools"]
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "5432"
  }

  security_rule {
    name                       = "DenyEverythingElse"
    priority                   = 4096
    direction                  = "Inbound"
    access                     = "Deny"
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "database" {
  subnet_id                 = azurerm_subnet.database.id
  network_security_group_id = azurerm_network_security_group.database.id
}

resource "azurerm_private_dns_zone" "database" {
  name                = "${var.prefix}.private.postgres.database.azure.com"
  resource_group_name = module.spoke["data"].resource_group_name
}

resource "azurerm_private_dns_zone_virtual_network_link" "database" {
  name                  = "data"
  resource_group_name   = module.spoke["data"].resource_group_name
  private_dns_zone_name = azurerm_private_dns_zone.database.name
  virtual_network_id    = module.spoke["data"].virtual_network_id
}

resource "azurerm_virtual_network_peering" "app_to_data" {
  name                      = "app-to-data"
  resource_group_name       = module.spoke["app"].resource_group_name
  virtual_network_name      = module.spoke["app"].virtual_network_name
  remote_virtual_network_id = module.spoke["data"].virtual_network_id
}

resource "azurerm_virtual_network_peering" "data_to_app" {
  name                      = "data-to-app"
  resource_group_name       = module.spoke["data"].resource_group_name
  virtual_network_name      = module.spoke["data"].virtual_network_name
  remote_virtual_network_id = module.spoke["app"].virtual_network_id
}

resource "azurerm_postgresql_flexible_server" "orders" {
  name                          = "psql-${var.prefix}-orders"
  resource_group_name           = module.spoke["data"].resource_group_name
  location                      = var.location
  version                       = "16"
  sku_name                      = "GP_Standard_D2s_v3"
  storage_mb                    = 65536
  delegated_subnet_id           = azurerm_subnet.database.id
  private_dns_zone_id           = azurerm_private_dns_zone.database.id
  public_network_access_enabled = false

  high_availability {
    mode = "ZoneRedundant"
  }

  depends_on = [azurerm_private_dns_zone_virtual_network_link.database]
}

# A machine for administrators, next to the database.
resource "azurerm_network_interface" "jump" {
  name                = "nic-${var.prefix}-jump"
  resource_group_name = module.spoke["data"].resource_group_name
  location            = var.location

  ip_configuration {
    name                          = "internal"
    subnet_id                     = azurerm_subnet.database.id
    private_ip_address_allocation = "Dynamic"
  }
}
