//! ## What it checks
//!
//! That the subnet of a DNS private resolver's endpoint, of a Container Apps environment or of an AKS node pool shares no address with the
//! ranges that the service keeps for itself.
//!
//! ## What Azure does
//!
//! The endpoint or the environment is refused: the resolver answers that the subnet may not "collide with the reserved subnet spaces",
//! even where the layout is an ordinary one (10.0.0.0/16 with the resolver in 10.0.8.0/28). That is seen for inbound endpoints; the
//! documentation says it of outbound ones and of AKS too, without a refusal to show for it: there it is a warning.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "inbound" {
//!   name                 = "snet-inbound"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.8.0/28"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Network/dnsResolvers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_resolver" "main" {
//!   name                = "dnspr-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_dns_resolver_inbound_endpoint" "in" {
//!   name                    = "in"
//!   private_dns_resolver_id = azurerm_private_dns_resolver.main.id
//!   location                = "westeurope"
//!
//!   ip_configurations {
//!     subnet_id = azurerm_subnet.inbound.id
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "inbound" {
//!   name                 = "snet-inbound"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.32.0/28"]
//!
//!   delegation {
//!     name = "service"
//!     service_delegation {
//!       name = "Microsoft.Network/dnsResolvers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_resolver" "main" {
//!   name                = "dnspr-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   virtual_network_id  = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_private_dns_resolver_inbound_endpoint" "in" {
//!   name                    = "in"
//!   private_dns_resolver_id = azurerm_private_dns_resolver.main.id
//!   location                = "westeurope"
//!
//!   ip_configurations {
//!     subnet_id = azurerm_subnet.inbound.id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the range of the subnet is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/dns/dns-private-resolver-overview>
//! - <https://github.com/MicrosoftDocs/azure-docs/issues/101720>
//! - <https://learn.microsoft.com/azure/container-apps/custom-virtual-networks>
//! - <https://learn.microsoft.com/azure/aks/configure-azure-cni>

use super::occupants;
use super::{Context, Reporter, Rule, support};
use crate::azure::{Confidence, reserved_ranges};
use crate::finding::{Category, Severity};
use crate::resource::Mode;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "subnet-range-reserved",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "a service in a subnet whose range the service keeps for itself",
    error_codes: &["message: does not collide with the reserved subnet spaces"],
    fix: None,
    pedantic: false,
    source: include_str!("subnet_range_reserved.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for subnet in &context.topology.subnets {
        let mut told = Vec::new();
        for resident in occupants::of_subnet(context.topology, subnet) {
            if resident.resource.mode != Mode::Managed || told.contains(&resident.occupancy.resource) {
                continue;
            }
            for row in reserved_ranges::of_kind(&resident.row.kind) {
                if row.when.as_ref().is_some_and(|when| !when.holds(resident.resource)) {
                    continue;
                }
                let clash = support::ranges(&subnet.prefixes)
                    .find_map(|(range, field)| Some((range, field, row.overlapping(&range)?)));
                let Some((range, field, reserved)) = clash else {
                    match subnet.prefixes.unknown() {
                        Some(why) => reporter.undecided(resident.occupancy.place, why),
                        None => reporter.satisfied(),
                    }
                    continue;
                };
                told.push(resident.occupancy.resource);
                let severity =
                    if row.confidence == Confidence::High { Severity::Error } else { Severity::Warning };
                let finding = reporter
                    .finding_with(
                        severity,
                        format!(
                            "{} is in subnet {} ({range}), but the service keeps {reserved} for itself",
                            resident.label(),
                            support::label(context.topology, &subnet.header),
                        ),
                        resident.occupancy.place,
                    )
                    .related("the range", field.place)
                    .advice(format!("Give the subnet a range outside of {}.", row.text))
                    .certain_if(subnet.header.is_certain() && resident.is_certain());
                reporter.violated(finding);
                break;
            }
        }
    }
}
