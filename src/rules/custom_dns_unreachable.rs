//! ## What it checks
//!
//! That a network which uses DNS servers of its own can use them:
//!
//! - Each server must be where packets of the network get: in the network itself, in a peered one, behind an appliance or a
//!   gateway.
//! - A firewall that is used as a DNS server must have its DNS proxy on.
//! - A private DNS zone that is linked to the network must be linked where the DNS server asks: the server's network. The link to the
//!   client's own network has no effect. That goes for the zone of a private AKS cluster too, also for the one that AKS makes.
//!
//! How many servers there are, and whether they have addresses of the network itself, is not asked.
//!
//! ## What Azure does
//!
//! Nothing is rejected when the network is made. Names are not resolved, or resolve to public addresses. The nodes of a private AKS
//! cluster do not find their API server, and the deployment of the cluster fails.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//!   dns_servers         = ["10.0.32.4"]
//! }
//!
//! resource "azurerm_subnet" "resolver" {
//!   name                 = "snet-resolver"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
//!   address_prefixes     = ["10.0.32.0/28"]
//!
//!   delegation {
//!     name = "service"
//!
//!     service_delegation {
//!       name = "Microsoft.Network/dnsResolvers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_resolver" "hub" {
//!   name                = "dnspr-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_private_dns_resolver_inbound_endpoint" "hub" {
//!   name                    = "in"
//!   location                = "westeurope"
//!   private_dns_resolver_id = azurerm_private_dns_resolver.hub.id
//!
//!   ip_configurations {
//!     subnet_id                    = azurerm_subnet.resolver.id
//!     private_ip_allocation_method = "Static"
//!     private_ip_address           = "10.0.32.4"
//!   }
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.spoke.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "app" {
//!   name                = "nic-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.app.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "spoke" {
//!   name                  = "link-spoke"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.spoke.id
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "spoke" {
//!   name                = "vnet-spoke"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.1.0.0/16"]
//!   dns_servers         = ["10.0.32.4"]
//! }
//!
//! resource "azurerm_subnet" "resolver" {
//!   name                 = "snet-resolver"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
//!   address_prefixes     = ["10.0.32.0/28"]
//!
//!   delegation {
//!     name = "service"
//!
//!     service_delegation {
//!       name = "Microsoft.Network/dnsResolvers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_resolver" "hub" {
//!   name                = "dnspr-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_private_dns_resolver_inbound_endpoint" "hub" {
//!   name                    = "in"
//!   location                = "westeurope"
//!   private_dns_resolver_id = azurerm_private_dns_resolver.hub.id
//!
//!   ip_configurations {
//!     subnet_id                    = azurerm_subnet.resolver.id
//!     private_ip_allocation_method = "Static"
//!     private_ip_address           = "10.0.32.4"
//!   }
//! }
//!
//! resource "azurerm_virtual_network_peering" "hub_to_spoke" {
//!   name                      = "hub-to-spoke"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.hub.name
//!   remote_virtual_network_id = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_virtual_network_peering" "spoke_to_hub" {
//!   name                      = "spoke-to-hub"
//!   resource_group_name       = "rg"
//!   virtual_network_name      = azurerm_virtual_network.spoke.name
//!   remote_virtual_network_id = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.spoke.name
//!   address_prefixes     = ["10.1.1.0/24"]
//! }
//!
//! resource "azurerm_network_interface" "app" {
//!   name                = "nic-app"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   ip_configuration {
//!     name                          = "main"
//!     subnet_id                     = azurerm_subnet.app.id
//!     private_ip_address_allocation = "Dynamic"
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "blob" {
//!   name                = "privatelink.blob.core.windows.net"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "spoke" {
//!   name                  = "link-spoke"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.spoke.id
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "hub" {
//!   name                  = "link-hub"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.blob.name
//!   virtual_network_id    = azurerm_virtual_network.hub.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When servers, links, peerings or routes are not known; when a server lies in no network of the input. A server on the Internet is not
//! checked. A link by which machines register themselves has an effect of its own.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances>
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
//! - <https://learn.microsoft.com/azure/aks/private-clusters#hub-and-spoke-with-custom-dns>
//! - <https://learn.microsoft.com/azure/firewall/dns-details>

mod links;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Context, Reporter, Rule, support};
use crate::analysis::names::{self, Server, ServerKind};
use crate::analysis::reach::{Drop, Path, Reach, Verdict};
use crate::azure::security_groups::security_group_facts;
use crate::finding::{Category, Severity};
use crate::topology::{Firewall, Id, Place, ResourceNode, Subnet, Topology, VirtualNetwork};
use crate::value::{Cause, Unknown};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "custom-dns-unreachable",
    category: Category::Dns,
    severity: Severity::Error,
    summary: "a DNS server that the network cannot reach, or that resolves where the private DNS zone is not linked",
    error_codes: &["K8SAPIServerDNSLookupFailVMExtensionError"],
    fix: None,
    pedantic: false,
    source: include_str!("custom_dns_unreachable.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let (topology, reach) = (context.topology, context.reach());
    let mut proxies = BTreeSet::new();
    for (id, network) in topology.all::<VirtualNetwork>() {
        if !network.header.is_managed() || network.dns_servers.is_certainly_empty() {
            continue;
        }
        let Some(client) = client_of(topology, network) else { continue };
        match names::servers(topology, id) {
            Err(why) => reporter.undecided(network.dns_servers.place, &why),
            Ok(servers) => {
                for server in servers.iter().filter(|server| server.kind != ServerKind::Azure) {
                    check_server(reach, reporter, (id, client), server);
                    if let ServerKind::Firewall(firewall) = server.kind
                        && proxies.insert(firewall)
                    {
                        check_proxy(topology, reporter, id, firewall, server.place);
                    }
                }
            }
        }
    }
    links::check(topology, reporter);
}

/// A subnet of a network in which something may ask for names.
fn client_of(topology: &Topology, network: &VirtualNetwork) -> Option<Id<Subnet>> {
    let mut subnets = network.subnets.iter().copied();
    subnets.find(|subnet| {
        let subnet = &topology[*subnet];
        subnet.header.is_certain() && !subnet.occupancies.is_empty() && !subnet.prefixes.items.is_empty()
    })
}

/// Whether a server is where packets of the network's machines get.
fn check_server(
    reach: &Reach,
    reporter: &mut Reporter,
    (id, client): (Id<VirtualNetwork>, Id<Subnet>),
    server: &Server,
) {
    let topology = reach.topology();
    let network = &topology[id];
    let Some(address) = server.address.or_else(|| representative(reach, server)) else { return };
    // Servers on the Internet are reached, or not, by rules that are not about networks.
    if security_group_facts().public().contains(address) {
        return;
    }
    let path = reach.walk(client, address);
    let (what, certain) = match &path.verdict {
        Verdict::Dropped(drop) => (reason(reach, drop), server.network.is_some()),
        Verdict::Loop(_) => ("packets to it go in circles".into(), true),
        Verdict::Undecided(why) => {
            let place = server.place;
            let cause = Cause::Error(why.clone());
            return reporter.undecided(place, &Arc::new(Unknown { cause, span: place.site }));
        }
        _ => return reporter.satisfied(),
    };
    let name = support::label(topology, &network.header);
    let mut finding = reporter
        .finding_with(
            Severity::Warning,
            format!("{name} uses the DNS server {}, which it cannot reach: {what}", server.name),
            server.place,
        )
        .of(&network.header.resource_id)
        .related_part("a subnet whose machines ask it", &topology[client].header)
        .advice(
            "Use a DNS server in this network or in one that is peered with it, or peer the two networks.",
        )
        .certain_if(certain && network.header.is_certain());
    if let Some(other) = server.network.filter(|other| *other != id) {
        finding = finding.related_part("the network that the server is in", &topology[other].header);
    }
    for line in witness(reach, client, address, &path) {
        finding = finding.witness(line);
    }
    reporter.violated(finding);
}

/// An address that stands for that of a server of which only the subnet's network is known.
fn representative(reach: &Reach, server: &Server) -> Option<std::net::IpAddr> {
    let topology = reach.topology();
    let subnets = &topology[server.network?].subnets;
    subnets.iter().find_map(|subnet| reach.address_in(*subnet))
}

fn witness(reach: &Reach, client: Id<Subnet>, address: std::net::IpAddr, path: &Path) -> Vec<String> {
    let source = reach.address_in(client);
    source.map_or_else(Vec::new, |source| reach.describe(path, source, address))
}

fn reason(reach: &Reach, drop: &Drop) -> String {
    let topology = reach.topology();
    match drop {
        Drop::Nowhere => "it is in no network that is connected with this one".into(),
        Drop::Route => "a route drops packets to it".into(),
        Drop::NoSubnet(network) => {
            format!("it lies in no subnet of {}", support::label(topology, &topology[*network].header))
        }
        Drop::Unreachable(network) => {
            format!("{} on the way is not connected", support::label(topology, &topology[*network].header))
        }
        Drop::NotForwarding(interface) => {
            format!(
                "interface {} on the way does not forward",
                support::label(topology, &topology[*interface].header)
            )
        }
        Drop::ForwardedRefused(half) => {
            format!("peering {} on the way refuses it", support::label(topology, &topology[*half].header))
        }
    }
}

/// A firewall answers questions about names only as a proxy, which its policy or itself switches on.
fn check_proxy(
    topology: &Topology,
    reporter: &mut Reporter,
    network: Id<VirtualNetwork>,
    id: Id<Firewall>,
    place: Place,
) {
    let firewall = &topology[id];
    let resource = &topology[firewall.header.resource];
    if !firewall.header.is_managed() {
        return;
    }
    let own = switch(
        resource,
        &["dns_proxy_enabled"],
        &["properties.additionalProperties.Network.DNS.EnableProxy"],
    );
    let policy = resource.values(&["firewall_policy_id"], &["properties.firewallPolicy.id"]);
    let mut policies = resource.dependencies.iter().map(|id| &topology[*id]).filter(|one| {
        let kind = one.arm_type.as_deref();
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("Microsoft.Network/firewallPolicies"))
    });
    let set = if policy.is_absent() {
        own
    } else {
        let (Some(policy), None) = (policies.next(), policies.next()) else { return };
        // A policy inherits from the one that it is based on.
        if !policy.values(&["base_policy_id"], &["properties.basePolicy.id"]).is_absent() {
            return;
        }
        switch(policy, &["dns.proxy_enabled"], &["properties.dnsSettings.enableProxy"])
    };
    match set {
        Err(why) => reporter.undecided(place, &why),
        Ok(true) => reporter.satisfied(),
        Ok(false) => {
            let finding = reporter
                .finding_with(
                    Severity::Warning,
                    format!(
                        "{} uses firewall {} as its DNS server, but the firewall's DNS proxy is off",
                        support::label(topology, &topology[network].header),
                        support::label(topology, &firewall.header),
                    ),
                    place,
                )
                .of(&topology[network].header.resource_id)
                .related_part("the firewall", &firewall.header)
                .witness("without the proxy nothing answers at the firewall's address")
                .advice("Switch on the DNS proxy in the firewall's policy.")
                .certain_if(firewall.header.is_certain() && topology[network].header.is_certain());
            reporter.violated(finding);
        }
    }
}

/// Whether a switch is on; off where it is not given.
fn switch(resource: &ResourceNode, terraform: &[&str], arm: &[&str]) -> Result<bool, Arc<Unknown>> {
    let values = resource.values(terraform, arm);
    for (value, _) in &values.found {
        if let Some(why) = value.first_unknown() {
            return Err(why);
        }
        let text = value.as_str().map(|text| text.eq_ignore_ascii_case("true"));
        if matches!(value.kind, crate::value::ValueKind::Bool(true)) || text == Some(true) {
            return Ok(true);
        }
    }
    match values.unknown {
        Some(why) => Err(why),
        None => Ok(false),
    }
}
