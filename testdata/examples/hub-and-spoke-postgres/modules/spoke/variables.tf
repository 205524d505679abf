variable "name" {
  description = "The spoke's name."
  type        = string
}

variable "location" {
  description = "The region."
  type        = string
}

variable "address_space" {
  description = "The network's address space."
  type        = string
}

variable "subnets" {
  description = "The subnets' address ranges by name."
  type        = map(string)
}

variable "firewall_address" {
  description = "Where everything that leaves the spoke goes."
  type        = string
}

variable "hub_id" {
  description = "The id of the hub's network."
  type        = string
}

variable "peer_with_hub" {
  description = "Whether the spoke may reach the hub."
  type        = bool
}
