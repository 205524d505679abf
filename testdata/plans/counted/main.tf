# count, rules from a list in locals, associations by index, a splat, a conditional resource.

terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.40"
    }
  }
}

provider "azurerm" {
  features {}
}

variable "replicas" {
  type    = number
  default = 3
}

variable "with_route_table" {
  type    = bool
  default = true
}

locals {
  location = "westeurope"
  denied = [
    { name = "deny-database", priority = 200, port = "5432" },
    { name = "deny-pool", priority = 200, port = "6432" }, # the same priority
  ]
  tiers = ["web", "db"]
}

resource "azurerm_virtual_network" "main" {
  name                = "vnet-main"
  resource_group_name = "rg-main"
  location            = local.location
  address_space       = ["10.20.0.0/16"]
}

resource "azurerm_subnet" "tier" {
  count = length(local.tiers)

  name                 = "snet-${local.tiers[count.index]}"
  resource_group_name  = "rg-main"
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = [cidrsubnet("10.20.0.0/16", 8, count.index)]

  dynamic "delegation" {
    for_each = local.tiers[count.index] == "db" ? ["Microsoft.DBforPostgreSQL/flexibleServers"] : []
    content {
      name = "servers"
      service_delegation {
        name    = delegation.value
        actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
      }
    }
  }
}

resource "azurerm_network_security_group" "tier" {
  count = 2

  name                = "nsg-${local.tiers[count.index]}"
  resource_group_name = "rg-main"
  location            = local.location

  dynamic "security_rule" {
    for_each = count.index == 1 ? local.denied : []
    content {
      name                       = security_rule.value.name
      priority                   = security_rule.value.priority
      direction                  = "Inbound"
      access                     = "Deny"
      protocol                   = "Tcp"
      source_port_range          = "*"
      destination_port_range     = security_rule.value.port
      source_address_prefix      = "*"
      destination_address_prefix = "*"
    }
  }
}

resource "azurerm_subnet_network_security_group_association" "tier" {
  count = 2

  subnet_id                 = azurerm_subnet.tier[count.index].id
  network_security_group_id = azurerm_network_security_group.tier[count.index].id
}

resource "azurerm_route_table" "main" {
  count = var.with_route_table ? 1 : 0

  name                = "rt-main"
  resource_group_name = "rg-main"
  location            = local.location
}

resource "azurerm_route" "out" {
  count = var.with_route_table ? 1 : 0

  name                   = "out"
  resource_group_name    = "rg-main"
  route_table_name       = azurerm_route_table.main[0].name
  address_prefix         = "0.0.0.0/0"
  next_hop_type          = "VirtualAppliance"
  next_hop_in_ip_address = "10.99.0.4" # in no network
}

resource "azurerm_subnet_route_table_association" "web" {
  subnet_id      = azurerm_subnet.tier[0].id
  route_table_id = one(azurerm_route_table.main[*].id)
}

resource "azurerm_network_interface" "worker" {
  count = var.replicas

  name                = "nic-${count.index}"
  resource_group_name = "rg-main"
  location            = local.location

  ip_configuration {
    name                          = "ip"
    subnet_id                     = element(azurerm_subnet.tier[*].id, 0)
    private_ip_address_allocation = "Static"
    private_ip_address            = cidrhost("10.20.0.0/24", count.index + 2) # the first ones are Azure's
  }
}

resource "azurerm_private_dns_zone" "main" {
  name                = "shop.private.postgres.database.azure.com"
  resource_group_name = "rg-main"
}

resource "azurerm_private_dns_zone_virtual_network_link" "main" {
  name                  = "link"
  resource_group_name   = "rg-main"
  private_dns_zone_name = azurerm_private_dns_zone.main.name
  virtual_network_id    = azurerm_virtual_network.main.id
}

resource "azurerm_postgresql_flexible_server" "main" {
  name                          = "psql-shop"
  resource_group_name           = "rg-main"
  location                      = local.location
  version                       = "16"
  sku_name                      = "GP_Standard_D2s_v3"
  delegated_subnet_id           = azurerm_subnet.tier[1].id
  private_dns_zone_id           = azurerm_private_dns_zone.main.id
  public_network_access_enabled = false

  high_availability {
    mode = "ZoneRedundant"
  }

  depends_on = [azurerm_private_dns_zone_virtual_network_link.main]
}
