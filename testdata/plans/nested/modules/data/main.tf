variable "name" { type = string }
variable "subnet_id" { type = string }
variable "zone_id" { type = string }
variable "groups" { type = list(string) }

resource "azurerm_storage_account" "this" {
  name                          = "st${var.name}"
  resource_group_name           = "rg-apps"
  location                      = "westeurope"
  account_tier                  = "Standard"
  account_replication_type      = "ZRS"
  public_network_access_enabled = false
}

module "endpoint" {
  source = "../endpoint"
  count  = length(var.groups)

  name      = "${var.name}-${count.index}"
  target_id = azurerm_storage_account.this.id
  subnet_id = var.subnet_id
  zone_ids  = [var.zone_id]
  group     = var.groups[count.index]
}
