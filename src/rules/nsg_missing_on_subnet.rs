//! ## What it checks
//!
//! That the subnet of a service which must have a network security group on its subnet has one: API Management that is injected or
//! integrated, Databricks workspaces, SQL managed instances, Entra Domain Services.
//!
//! ## What Azure does
//!
//! API Management answers nobody without a group, because its load balancer is closed by default; Databricks and managed instances write
//! their own rules into the group and ask for one before they are made; a managed domain without the documented group is not supported.
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
//! resource "azurerm_subnet" "api" {
//!   name                 = "snet-api"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_api_management" "main" {
//!   name                 = "apim-main"
//!   resource_group_name  = "rg"
//!   location             = "westeurope"
//!   sku_name             = "Developer_1"
//!   publisher_name       = "Contoso"
//!   publisher_email      = "api@contoso.com"
//!   virtual_network_type = "Internal"
//!
//!   virtual_network_configuration {
//!     subnet_id = azurerm_subnet.api.id
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
//! resource "azurerm_subnet" "api" {
//!   name                 = "snet-api"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_network_security_group" "api" {
//!   name                = "nsg-api"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "management"
//!     priority                   = 100
//!     direction                  = "Inbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "3443"
//!     source_address_prefix      = "ApiManagement"
//!     destination_address_prefix = "VirtualNetwork"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "api" {
//!   subnet_id                 = azurerm_subnet.api.id
//!   network_security_group_id = azurerm_network_security_group.api.id
//! }
//!
//! resource "azurerm_api_management" "main" {
//!   name                 = "apim-main"
//!   resource_group_name  = "rg"
//!   location             = "westeurope"
//!   sku_name             = "Developer_1"
//!   publisher_name       = "Contoso"
//!   publisher_email      = "api@contoso.com"
//!   virtual_network_type = "Internal"
//!
//!   virtual_network_configuration {
//!     subnet_id = azurerm_subnet.api.id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known which service it is, or the subnet's group may be attached where it cannot be seen. Subnets that are only looked up
//! are not checked.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/api-management/virtual-network-reference>
//! - <https://learn.microsoft.com/azure/databricks/security/network/classic/vnet-inject>
//! - <https://learn.microsoft.com/azure/azure-sql/managed-instance/connectivity-architecture-overview>
//! - <https://learn.microsoft.com/entra/identity/domain-services/network-considerations>

use std::collections::BTreeSet;

use super::{Context, Reporter, Rule, support};
use crate::analysis::conditions::{self, Truth};
use crate::finding::{Category, Severity};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-missing-on-subnet",
    category: Category::Nsg,
    severity: Severity::Warning,
    summary: "a service that needs a network security group on its subnet has none there",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("nsg_missing_on_subnet.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut judged = BTreeSet::new();
    for occupancy in &topology.occupancies {
        let resource = &topology[occupancy.resource];
        let Some(subnet) = occupancy.subnet.to() else { continue };
        if !topology[subnet].header.is_managed() || !judged.insert((occupancy.resource, subnet)) {
            continue;
        }
        let subnet = &topology[subnet];
        let services = || conditions::services_of(resource).filter(|one| one.security_group.required);
        let Some(service) =
            services().find(|one| matches!(conditions::is_service(topology, resource, one), Truth::Yes))
        else {
            let open = services().find_map(|one| match conditions::is_service(topology, resource, one) {
                Truth::Unknown(why) => Some(why),
                _ => None,
            });
            if let Some(why) = open {
                reporter.undecided(occupancy.place, &why);
            }
            continue;
        };
        if !subnet.security_group.is_absent() {
            match subnet.security_group.unknown() {
                Some(why) if subnet.security_group.to().is_none() => {
                    reporter.undecided(subnet.security_group.place, why);
                }
                _ => reporter.satisfied(),
            }
            continue;
        }
        if let Some(why) = topology.unseen(&subnet.header) {
            reporter.undecided(occupancy.place, why);
            continue;
        }
        let header_certain = resource.uncertain.is_none() && subnet.header.is_certain();
        let finding = reporter
            .finding(
                format!(
                    "subnet {} has no network security group, and {} `{}` needs one there",
                    support::label(topology, &subnet.header),
                    service.name,
                    resource.name.known().unwrap_or(&resource.key.address),
                ),
                occupancy.place,
            )
            .of(&resource.resource_id)
            .related_part("the subnet", &subnet.header)
            .advice("Associate a group with the subnet, with the rules that the service's page asks for.")
            .certain_if(header_certain);
        reporter.violated(finding);
    }
}
