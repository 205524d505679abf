# Spokes from a map: module calls with for_each, dynamic blocks, outputs that are maps of resources.

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

variable "spokes" {
  type = map(object({
    range   = string
    subnets = map(object({ bits = number, index = number, delegation = optional(string) }))
  }))
  default = {
    "app" = {
      range = "10.1.0.0/16"
      subnets = {
        web = { bits = 8, index = 1 }
        db  = { bits = 8, index = 2, delegation = "Microsoft.DBforPostgreSQL/flexibleServers" }
      }
    }
    "data \"v2\"" = {
      range = "10.1.128.0/17" # inside of the other one
      subnets = {
        db    = { bits = 7, index = 2, delegation = "Microsoft.DBforPostgreSQL/flexibleServers" }
        small = { bits = 12, index = 5, delegation = "Microsoft.DBforPostgreSQL/flexibleServers" }
      }
    }
  }
}

resource "azurerm_resource_group" "main" {
  name     = "rg-network"
  location = "westeurope"
}

resource "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  address_space       = ["10.0.0.0/16"]
}

module "spoke" {
  source   = "./modules/spoke"
  for_each = var.spokes

  name                = replace(each.key, " \"v2\"", "-v2")
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  range               = each.value.range
  subnets             = each.value.subnets
  hub                 = { id = azurerm_virtual_network.hub.id, name = azurerm_virtual_network.hub.name }
}

resource "azurerm_virtual_network_peering" "hub" {
  for_each = { for key, spoke in module.spoke : key => spoke.network_id if key == "app" }

  name                      = "hub-to-${each.key}"
  resource_group_name       = azurerm_resource_group.main.name
  virtual_network_name      = azurerm_virtual_network.hub.name
  remote_virtual_network_id = each.value
}

# In the subnet that belongs to the database servers.
resource "azurerm_network_interface" "jump" {
  name                = "nic-jump"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location

  ip_configuration {
    name                          = "ip"
    subnet_id                     = module.spoke["app"].subnet_ids["db"]
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_private_dns_zone" "postgres" {
  name                = "orders.private.postgres.database.azure.com"
  resource_group_name = azurerm_resource_group.main.name
}

# The link to the second spoke is missing.
resource "azurerm_private_dns_zone_virtual_network_link" "postgres" {
  for_each = { for key, spoke in module.spoke : key => spoke.network_id if key == "app" }

  name                  = "link-${each.key}"
  resource_group_name   = azurerm_resource_group.main.name
  private_dns_zone_name = azurerm_private_dns_zone.postgres.name
  virtual_network_id    = each.value
}

resource "azurerm_postgresql_flexible_server" "main" {
  for_each = module.spoke

  name                          = "psql-${replace(each.key, " \"v2\"", "-v2")}"
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  version                       = "16"
  sku_name                      = "GP_Standard_D2s_v3"
  delegated_subnet_id           = each.value.subnet_ids["db"]
  private_dns_zone_id           = azurerm_private_dns_zone.postgres.id
  public_network_access_enabled = false
  administrator_login           = "psqladmin"
  administrator_password        = "correct-horse-battery-staple"

  depends_on = [azurerm_private_dns_zone_virtual_network_link.postgres]
}
