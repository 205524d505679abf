# Modules in modules, data sources, inline subnets, toset, endpoints by key.

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

data "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  resource_group_name = "rg-hub"
}

data "azurerm_private_dns_zone" "blob" {
  name                = "privatelink.blob.core.windows.net"
  resource_group_name = "rg-dns"
}

resource "azurerm_virtual_network" "main" {
  name                = "vnet-apps"
  resource_group_name = "rg-apps"
  location            = "westeurope"
  address_space       = ["10.0.128.0/17"] # inside of the hub's

  subnet {
    name             = "snet-one"
    address_prefixes = ["10.0.128.0/24"]
  }

  subnet {
    name             = "snet-two"
    address_prefixes = ["10.0.128.128/25"] # inside of the first one
  }
}

resource "azurerm_virtual_network_peering" "to_hub" {
  name                      = "apps-to-hub"
  resource_group_name       = "rg-apps"
  virtual_network_name      = azurerm_virtual_network.main.name
  remote_virtual_network_id = data.azurerm_virtual_network.hub.id
}

resource "azurerm_virtual_network" "endpoints" {
  name                = "vnet-endpoints"
  resource_group_name = "rg-apps"
  location            = "westeurope"
  address_space       = ["10.30.0.0/16"]
}

resource "azurerm_subnet" "endpoints" {
  for_each = toset(["a", "b"])

  name                 = "snet-${each.key}"
  resource_group_name  = "rg-apps"
  virtual_network_name = azurerm_virtual_network.endpoints.name
  address_prefixes     = [each.key == "a" ? "10.30.0.0/24" : "10.31.0.0/24"] # the second is outside
}

module "data" {
  source   = "./modules/data"
  for_each = { sales = "a", stock = "b" }

  name      = each.key
  subnet_id = azurerm_subnet.endpoints[each.value].id
  zone_id   = data.azurerm_private_dns_zone.blob.id
  groups    = each.key == "sales" ? ["blob"] : ["blobs"] # no such sub-resource
}
