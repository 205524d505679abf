variable "name" { type = string }
variable "target_id" { type = string }
variable "subnet_id" { type = string }
variable "zone_ids" { type = list(string) }
variable "group" { type = string }

resource "azurerm_private_endpoint" "this" {
  name                = "pe-${var.name}"
  resource_group_name = "rg-apps"
  location            = "westeurope"
  subnet_id           = var.subnet_id

  private_service_connection {
    name                           = "connection"
    is_manual_connection           = false
    private_connection_resource_id = var.target_id
    subresource_names              = [var.group]
  }

  dynamic "private_dns_zone_group" {
    for_each = length(var.zone_ids) > 0 ? [var.zone_ids] : []
    content {
      name                 = "default"
      private_dns_zone_ids = private_dns_zone_group.value
    }
  }
}
