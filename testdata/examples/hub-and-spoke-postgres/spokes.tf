module "spoke" {
  source   = "./modules/spoke"
  for_each = var.spokes

  name             = "${var.prefix}-${each.key}"
  location         = var.location
  address_space    = each.value.address_space
  subnets          = each.value.subnets
  firewall_address = var.firewall_address
  hub_id           = azurerm_virtual_network.hub.id
  peer_with_hub    = each.value.peer_with_hub
}

resource "azurerm_network_interface" "web" {
  name                = "nic-${var.prefix}-web"
  resource_group_name = azurerm_resource_group.network.name
  location            = var.location

  ip_configuration {
    name                          = "internal"
    subnet_id                     = module.spoke["app"].subnet_ids["web"]
    private_ip_address_allocation = "Dynamic"
  }
}
