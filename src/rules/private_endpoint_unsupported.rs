//! ## What it checks
//!
//! That the target of a private endpoint can have one: its tier has the feature, it is not injected into a network in a way
//! that excludes it, and it has what the endpoint needs (an AI services account: a custom subdomain).
//!
//! ## What Azure does
//!
//! The target's resource provider rejects the connection. Where no document says so in as many words, the rule warns.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_container_registry" "main" {
//!   name                          = "crmain"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku                           = "Standard"
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_endpoint" "registry" {
//!   name                = "pe-registry"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet"
//!
//!   private_service_connection {
//!     name                           = "registry"
//!     private_connection_resource_id = azurerm_container_registry.main.id
//!     subresource_names              = ["registry"]
//!     is_manual_connection           = false
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_container_registry" "main" {
//!   name                          = "crmain"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku                           = "Premium"
//!   public_network_access_enabled = false
//! }
//!
//! resource "azurerm_private_endpoint" "registry" {
//!   name                = "pe-registry"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet"
//!
//!   private_service_connection {
//!     name                           = "registry"
//!     private_connection_resource_id = azurerm_container_registry.main.id
//!     subresource_names              = ["registry"]
//!     is_manual_connection           = false
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the target is not known or only looked up, or the property that decides is not known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/container-registry/container-registry-private-link>
//! - <https://learn.microsoft.com/azure/api-management/private-endpoint>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private-link>
//! - <https://learn.microsoft.com/azure/ai-services/cognitive-services-virtual-networks>
//! - <https://learn.microsoft.com/azure/storage/common/storage-private-endpoints>

use super::properties::{self, Verdict};
use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::private_endpoint_targets;
use crate::finding::{Category, Severity};
use crate::topology::{PrivateConnection, PrivateEndpoint};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-endpoint-unsupported",
    category: Category::PrivateEndpoint,
    severity: Severity::Error,
    summary: "the target of a private endpoint cannot have one",
    error_codes: &["message: Setting up Private Endpoint Connection"],
    fix: None,
    pedantic: false,
    source: include_str!("private_endpoint_unsupported.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    for endpoint in context.topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed())
    {
        for connection in &endpoint.connections {
            check_connection(context, reporter, endpoint, connection);
        }
    }
}

fn check_connection(
    context: &Context,
    reporter: &mut Reporter,
    endpoint: &PrivateEndpoint,
    connection: &PrivateConnection,
) {
    let Some(id) = connection.target.to() else {
        if let Some(unknown) = connection.target.unknown() {
            reporter.undecided(connection.target.place, unknown);
        }
        return;
    };
    let target = &context.topology[id];
    let Some(arm_type) = &target.arm_type else { return };
    let mut because = None;
    for obstacle in private_endpoint_targets::of_type(arm_type) {
        if !obstacle.group_ids.is_empty() && !connection.group_ids.known().any(|id| obstacle.concerns(id)) {
            continue;
        }
        match properties::stand(&obstacle.when, target) {
            Verdict::No => reporter.satisfied(),
            Verdict::Unknown(why) => because = because.or(Some(why)),
            Verdict::Yes(places) => {
                let severity = match obstacle.confidence {
                    Confidence::High => Severity::Error,
                    Confidence::Medium | Confidence::Low => Severity::Warning,
                };
                let name = target.name.known().map_or(target.key.address.as_str(), |name| name.as_str());
                let mut finding = reporter
                    .finding_with(
                        severity,
                        format!(
                            "private endpoint {} leads to `{name}`, which {}",
                            support::label(context.topology, &endpoint.header),
                            obstacle.what,
                        ),
                        connection.target.place,
                    )
                    .of(&endpoint.header.resource_id)
                    .related("the target", target.place)
                    .advice(obstacle.advice.clone());
                for place in places {
                    finding = finding.related("what decides", place);
                }
                let certain = endpoint.header.is_certain() && target.uncertain.is_none();
                reporter.violated(finding.certain_if(certain));
            }
        }
    }
    if let Some(why) = because {
        reporter.undecided(connection.target.place, &why);
    }
}
