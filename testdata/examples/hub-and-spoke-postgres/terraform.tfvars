prefix = "shop"

# The appliance's network interface is in the hub's subnet "snet-firewall", 10.0.1.0/26.
firewall_address = "10.0.11.4"

spokes = {
  app = {
    address_space = "10.1.0.0/16"
    subnets = {
      web       = "10.1.0.0/24"
      api       = "10.1.1.0/24"
      reporting = "10.11.2.0/24"
    }
  }

  data = {
    address_space = "10.2.0.0/16"
    subnets = {
      tools = "10.2.1.0/24"
    }
  }

  batch = {
    address_space = "10.3.0.0/16"
    subnets = {
      workers = "10.3.0.0/22"
    }
    peer_with_hub = false
  }
}
