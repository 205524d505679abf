resource "azurerm_virtual_network_peering" "to_spoke" {
  name                         = "hub-to-spoke"
  resource_group_name          = "rg-hub"
  virtual_network_name         = azurerm_virtual_network.hub.name
  remote_virtual_network_id    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke"
  allow_forwarded_traffic      = true
}

resource "azurerm_private_dns_zone_virtual_network_link" "spoke" {
  name                  = "spoke"
  resource_group_name   = "rg-hub"
  private_dns_zone_name = azurerm_private_dns_zone.postgres.name
  virtual_network_id    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke"
}
