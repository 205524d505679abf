//! ## What it checks
//!
//! That the inbound and outbound endpoints of a DNS private resolver are in subnets of the network that the resolver is made for.
//!
//! ## What Azure does
//!
//! It refuses the endpoint: a resolver belongs to one network, and its endpoints take addresses of that network. Other networks are
//! served by links of a forwarding rule set, or by asking the inbound endpoint over a peering.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "hub" {
//!   name                = "vnet-hub"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.100.0.0/16"]
//! }
//!
//! resource "azurerm_virtual_network" "dns" {
//!   name                = "vnet-dns"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.101.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "outbound" {
//!   name                 = "snet-outbound"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.dns.name
//!   address_prefixes     = ["10.101.1.0/28"]
//!
//!   delegation {
//!     name = "resolver"
//!
//!     service_delegation {
//!       name    = "Microsoft.Network/dnsResolvers"
//!       actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_resolver" "main" {
//!   name                = "dnspr-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_private_dns_resolver_outbound_endpoint" "main" {
//!   name                    = "out"
//!   private_dns_resolver_id = azurerm_private_dns_resolver.main.id
//!   location                = "westeurope"
//!   subnet_id               = azurerm_subnet.outbound.id
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
//!   address_space       = ["10.100.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "outbound" {
//!   name                 = "snet-outbound"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.hub.name
//!   address_prefixes     = ["10.100.1.0/28"]
//!
//!   delegation {
//!     name = "resolver"
//!
//!     service_delegation {
//!       name    = "Microsoft.Network/dnsResolvers"
//!       actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_resolver" "main" {
//!   name                = "dnspr-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.hub.id
//! }
//!
//! resource "azurerm_private_dns_resolver_outbound_endpoint" "main" {
//!   name                    = "out"
//!   private_dns_resolver_id = azurerm_private_dns_resolver.main.id
//!   location                = "westeurope"
//!   subnet_id               = azurerm_subnet.outbound.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the network of the resolver or the subnet of the endpoint is not known, or when a network is looked up by a name that is not
//! known and may be the other one.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/dns/dns-private-resolver-overview>
//! - <https://learn.microsoft.com/azure/dns/private-resolver-endpoints-rulesets>

use super::{Context, Reporter, Rule, support};
use crate::analysis::nameless;
use crate::finding::{Category, Severity};
use crate::topology::{DnsResolver, Id, ResolverEndpoint, Topology, VirtualNetwork};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "dns-resolver-endpoint-misplaced",
    category: Category::Dns,
    severity: Severity::Error,
    summary: "an endpoint of a DNS private resolver in a network other than the resolver's",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("dns_resolver_endpoint_misplaced.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for resolver in &topology.dns_resolvers {
        let ends = [("inbound", &resolver.inbound), ("outbound", &resolver.outbound)];
        for (what, endpoint) in
            ends.into_iter().flat_map(|(what, all)| all.iter().map(move |endpoint| (what, endpoint)))
        {
            if endpoint.header.is_managed() {
                judge(topology, reporter, resolver, what, endpoint);
            }
        }
    }
}

fn judge(
    topology: &Topology,
    reporter: &mut Reporter,
    resolver: &DnsResolver,
    what: &str,
    endpoint: &ResolverEndpoint,
) {
    let subnet = endpoint.subnet.to().map(|id| &topology[id]);
    let own = subnet.and_then(|subnet| subnet.network.to());
    let (Some(network), Some(own)) = (resolver.network.to(), own) else {
        let unknown = endpoint.subnet.unknown().or_else(|| resolver.network.unknown());
        if let Some(why) = unknown.or_else(|| subnet?.network.unknown()) {
            reporter.undecided(endpoint.subnet.place, why);
        }
        return;
    };
    if network == own {
        return reporter.satisfied();
    }
    if !support::certainly_distinct(topology, network, own) {
        match nameless::may_be_one(&topology[network].header, &topology[own].header) {
            Some(why) => reporter.undecided(endpoint.subnet.place, why),
            None => reporter.satisfied(),
        }
        return;
    }
    let label = |id: Id<VirtualNetwork>| support::label(topology, &topology[id].header);
    let finding = reporter
        .finding(
            format!(
                "{what} endpoint {} is in network {}, and its resolver {} belongs to network {}",
                support::label(topology, &endpoint.header),
                label(own),
                support::label(topology, &resolver.header),
                label(network)
            ),
            endpoint.subnet.place,
        )
        .of(&endpoint.header.resource_id)
        .related("the network of the resolver", resolver.network.place)
        .advice("Put the endpoint into a subnet of the resolver's network, or make the resolver for the other network.")
        .certain_if(
            endpoint.header.is_certain()
                && resolver.header.is_certain()
                && topology[network].header.is_certain()
                && topology[own].header.is_certain(),
        );
    reporter.violated(finding);
}
