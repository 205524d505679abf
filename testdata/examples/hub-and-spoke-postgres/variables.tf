variable "location" {
  description = "The region of everything."
  type        = string
  default     = "westeurope"
}

variable "prefix" {
  description = "What every name begins with."
  type        = string
  default     = "shop"
}

variable "hub_address_space" {
  description = "The address space of the hub."
  type        = string
  default     = "10.0.0.0/16"
}

variable "firewall_address" {
  description = "The private address of the firewall appliance in the hub."
  type        = string
}

variable "spokes" {
  description = "The spokes: their address space, their subnets, and whether they may reach the hub."
  type = map(object({
    address_space = string
    subnets       = map(string)
    peer_with_hub = optional(bool, true)
  }))
}
