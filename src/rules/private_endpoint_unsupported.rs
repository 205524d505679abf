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

use std::sync::Arc;

use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::private_endpoint_targets::{self, Condition, Obstacle, Wanted};
use crate::finding::{Category, Severity};
use crate::topology::{Place, PrivateConnection, PrivateEndpoint, ResourceNode};
use crate::value::{Unknown, ValueKind};

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
        match stands(obstacle, target) {
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

enum Verdict {
    /// It holds; where the properties are that say so.
    Yes(Vec<Place>),
    No,
    Unknown(Arc<Unknown>),
}

/// Whether every condition of an obstacle holds. One that certainly does not hold settles it.
fn stands(obstacle: &Obstacle, target: &ResourceNode) -> Verdict {
    let mut places = Vec::new();
    let mut because = None;
    for condition in &obstacle.when {
        match holds(condition, target) {
            Verdict::No => return Verdict::No,
            Verdict::Unknown(why) => because = because.or(Some(why)),
            Verdict::Yes(more) => places.extend(more),
        }
    }
    because.map_or(Verdict::Yes(places), Verdict::Unknown)
}

fn holds(condition: &Condition, target: &ResourceNode) -> Verdict {
    let values = target.values(&condition.terraform, &condition.arm);
    if values.is_absent() {
        return match condition.is.accepts_absence() {
            true => Verdict::Yes(Vec::new()),
            false => Verdict::No,
        };
    }
    let mut because = values.unknown.clone();
    for (value, place) in &values.found {
        let fulfilled = match (&value.kind, &condition.is) {
            // May turn out to be null.
            (ValueKind::Unknown(why), _) => {
                because = because.or(Some(Arc::clone(why)));
                continue;
            }
            (_, Wanted::Present) => true,
            (_, Wanted::Absent) => false,
            _ => match value.as_str() {
                Some(text) => condition.is.accepts(text),
                None => {
                    because = because.or_else(|| value.first_unknown());
                    continue;
                }
            },
        };
        return match fulfilled {
            true => Verdict::Yes(vec![*place]),
            false => Verdict::No,
        };
    }
    because.map_or(Verdict::No, Verdict::Unknown)
}
