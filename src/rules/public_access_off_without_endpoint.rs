//! ## What it checks
//!
//! API Management services that are made with public access off although no private endpoint leads to them.
//!
//! ## What Azure does
//!
//! Azure refuses the deployment: disabling public network access is not supported while the service has no approved private
//! endpoint connection. At creation it never has one.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_api_management" "main" {
//!   name                = "apim-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   publisher_name      = "Contoso"
//!   publisher_email     = "api@contoso.example"
//!   sku_name            = "Developer_1"
//!
//!   public_network_access_enabled = false
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_api_management" "main" {
//!   name                = "apim-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   publisher_name      = "Contoso"
//!   publisher_email     = "api@contoso.example"
//!   sku_name            = "Developer_1"
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the switch or the target of a private endpoint is not known, and when the service is handed to a module that is not there. With a private endpoint in the input nothing
//! is reported: the switch is accepted once the endpoint is approved.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/api-management/private-endpoint>
//! - <https://github.com/Azure/azure-rest-api-specs/issues/24947>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/api_management>

use super::{Context, Reporter, Rule};
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Id, ResourceNode};
use crate::value::{Value, ValueKind};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "public-access-off-without-endpoint",
    category: Category::Exposure,
    severity: Severity::Error,
    summary: "public access switched off on an API Management service that has no private endpoint",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("public_access_off_without_endpoint.rs"),
    check,
};

/// The only type of which it is documented that the switch needs an approved private endpoint.
const API_MANAGEMENT: &str = "Microsoft.ApiManagement/service";

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for (index, resource) in topology.resources.iter().enumerate() {
        let is_service =
            resource.arm_type.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(API_MANAGEMENT));
        if !is_service || resource.mode != Mode::Managed {
            continue;
        }
        let switch = resource.values(&["public_network_access_enabled"], &["properties.publicNetworkAccess"]);
        let Some((value, place)) = switch.found.first() else {
            match &switch.unknown {
                Some(unknown) => reporter.undecided(resource.place, unknown),
                None => reporter.satisfied(),
            }
            continue;
        };
        match is_off(value) {
            Some(true) => {}
            Some(false) => {
                reporter.satisfied();
                continue;
            }
            None => {
                if let Some(unknown) = value.first_unknown() {
                    reporter.undecided(*place, &unknown);
                }
                continue;
            }
        }
        let id: Id<ResourceNode> = Id::new(index);
        let mut connections = topology.private_endpoints.iter().flat_map(|endpoint| &endpoint.connections);
        if connections.any(|connection| connection.target.to() == Some(id)) {
            // Once the endpoint is approved the switch is accepted: whether this is the first deployment is not known.
            reporter.satisfied();
            continue;
        }
        let all = || topology.private_endpoints.iter().flat_map(|endpoint| &endpoint.connections);
        let open =
            resource.unseen.as_ref().or_else(|| all().find_map(|connection| connection.target.unknown()));
        if let Some(unknown) = open {
            reporter.undecided(*place, unknown);
            continue;
        }
        let name = resource.name.known().map_or(resource.key.address.as_str(), |name| name.as_str());
        let finding = reporter
            .finding(
                format!("API Management service `{name}` switches public access off, but no private endpoint leads to it"),
                *place,
            )
            .witness("Azure refuses the switch unless the service has an approved private endpoint, and so always at creation")
            .advice("Leave public access on; an internal service is not public anyway. Or add a private endpoint and switch access off afterwards.")
            .certain_if(resource.uncertain.is_none());
        reporter.violated(finding);
    }
}

fn is_off(value: &Value) -> Option<bool> {
    match &value.kind {
        ValueKind::Bool(on) => Some(!on),
        ValueKind::String(text) => {
            Some(text.eq_ignore_ascii_case("Disabled") || text.eq_ignore_ascii_case("false"))
        }
        _ => None,
    }
}
