//! ## What it checks
//!
//! That an API Management service whose public access is switched off has a private endpoint.
//!
//! ## What Azure does
//!
//! A service is created with public access, and can be closed only once a private endpoint to it is approved: "Disabling all
//! publicNetworkAccess for service … is not supported if the service does not [have] at least one approved Private Endpoint
//! Connection". The switch is often copied from other resources; a service in internal mode needs none, because its gateway has no
//! public address to begin with.
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
//! resource "azurerm_subnet" "apim" {
//!   name                 = "snet-apim"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_network_security_group" "apim" {
//!   name                = "nsg-apim"
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
//! resource "azurerm_subnet_network_security_group_association" "apim" {
//!   subnet_id                 = azurerm_subnet.apim.id
//!   network_security_group_id = azurerm_network_security_group.apim.id
//! }
//!
//! resource "azurerm_api_management" "main" {
//!   name                = "apim-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   publisher_name       = "Contoso"
//!   publisher_email      = "api@contoso.example"
//!   sku_name             = "Developer_1"
//!   virtual_network_type = "Internal"
//!
//!   public_network_access_enabled = false
//!
//!   virtual_network_configuration {
//!     subnet_id = azurerm_subnet.apim.id
//!   }
//!
//!   depends_on = [azurerm_subnet_network_security_group_association.apim]
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
//! resource "azurerm_subnet" "apim" {
//!   name                 = "snet-apim"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/27"]
//! }
//!
//! resource "azurerm_network_security_group" "apim" {
//!   name                = "nsg-apim"
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
//! resource "azurerm_subnet_network_security_group_association" "apim" {
//!   subnet_id                 = azurerm_subnet.apim.id
//!   network_security_group_id = azurerm_network_security_group.apim.id
//! }
//!
//! resource "azurerm_api_management" "main" {
//!   name                = "apim-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   publisher_name       = "Contoso"
//!   publisher_email      = "api@contoso.example"
//!   sku_name             = "Developer_1"
//!   virtual_network_type = "Internal"
//!
//!   virtual_network_configuration {
//!     subnet_id = azurerm_subnet.apim.id
//!   }
//!
//!   depends_on = [azurerm_subnet_network_security_group_association.apim]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the value is not known, when it is not known what a private endpoint leads to, or when the service is handed to a module that is
//! not on disk. A service with a private endpoint here passes, although a first deployment must still switch access off in a second
//! step.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/api-management/private-endpoint>
//! - <https://github.com/Azure/azure-rest-api-specs/issues/24947>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/api_management>

use super::{Context, Reporter, Rule};
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::ResourceId;
use crate::value::ValueKind;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "public-access-without-endpoint",
    category: Category::Exposure,
    severity: Severity::Error,
    summary: "an API Management service with public access off and no private endpoint that would allow it",
    error_codes: &["message: Disabling all publicNetworkAccess for service"],
    fix: None,
    pedantic: false,
    source: include_str!("public_access_without_endpoint.rs"),
    check,
};

const API_MANAGEMENT: &str = "Microsoft.ApiManagement/service";

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (index, node) in topology.resources.iter().enumerate() {
        let is_service = node.arm_type.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(API_MANAGEMENT));
        if !is_service || node.mode != Mode::Managed {
            continue;
        }
        let id = ResourceId::new(index);
        let access = node.values(&["public_network_access_enabled"], &["properties.publicNetworkAccess"]);
        let Some((value, place)) = access.found.first() else {
            match &access.unknown {
                Some(why) => reporter.undecided(node.place, why),
                None => reporter.satisfied(),
            }
            continue;
        };
        let closed = match &value.kind {
            ValueKind::Bool(open) => !open,
            ValueKind::String(text) => text.eq_ignore_ascii_case("Disabled"),
            _ => {
                if let Some(why) = value.first_unknown() {
                    reporter.undecided(*place, &why);
                }
                continue;
            }
        };
        let connections = || topology.private_endpoints.iter().flat_map(|endpoint| &endpoint.connections);
        if !closed || connections().any(|connection| connection.target.to() == Some(id)) {
            reporter.satisfied();
            continue;
        }
        let unseen =
            connections().find_map(|connection| connection.target.unknown()).or(node.unseen.as_ref());
        if let Some(why) = unseen {
            reporter.undecided(*place, why);
            continue;
        }
        let name = node.name.known().map_or(node.key.address.as_str(), |name| name.as_str());
        let finding = reporter
            .finding(
                format!("API Management service `{name}` has public access off, but no private endpoint leads to it"),
                *place,
            )
            .related("the service", node.place)
            .advice("Leave public access on: a service in internal mode has no public gateway anyway. With a private endpoint, switch it off once that is approved.")
            .certain_if(node.uncertain.is_none());
        reporter.violated(finding);
    }
}
