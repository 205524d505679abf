# The spokes of ../spokes, deployed and then changed: the hub grows, the zone link is gone, a subnet has another key, the zone
# another address, an interface is forgotten, a group imported.

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
        web      = { bits = 8, index = 1 }
        database = { bits = 8, index = 2, delegation = "Microsoft.DBforPostgreSQL/flexibleServers" }
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
  address_space       = ["10.0.0.0/16", "10.9.0.0/16"]
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

resource "azurerm_private_dns_zone" "pg" {
  name                = "orders.private.postgres.database.azure.com"
  resource_group_name = azurerm_resource_group.main.name
}

resource "azurerm_postgresql_flexible_server" "main" {
  for_each = module.spoke

  name                          = "psql-${replace(each.key, " \"v2\"", "-v2")}"
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  version                       = "16"
  sku_name                      = "GP_Standard_D2s_v3"
  delegated_subnet_id           = try(each.value.subnet_ids["database"], each.value.subnet_ids["db"])
  private_dns_zone_id           = azurerm_private_dns_zone.pg.id
  public_network_access_enabled = false
  administrator_login           = "psqladmin"
  administrator_password        = "correct-horse-battery-staple"

}

removed {
  from = azurerm_network_interface.jump
  lifecycle {
    destroy = false
  }
}
moved {
  from = azurerm_private_dns_zone.postgres
  to   = azurerm_private_dns_zone.pg
}
import {
  to = azurerm_network_security_group.old
  id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-network/providers/Microsoft.Network/networkSecurityGroups/nsg-old"
}
resource "azurerm_network_security_group" "old" {
  name                = "nsg-old"
  resource_group_name = "rg-network"
  location            = "westeurope"
}
