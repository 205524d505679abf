//! ## What it checks
//!
//! That the network settings of a resource are ones that its tier has, and that they go with its other settings: a cache below the
//! Premium tier in a subnet, network rules of a registry, Service Bus or Event Hubs namespace whose tier has none, an API Management
//! service in a network that its tier cannot be in, private addresses in the firewall of a storage account. Also rules that have no effect, because the filter that applies them is off or everything else
//! is allowed as well.
//!
//! ## What Azure does
//!
//! It rejects the resource. Rules without effect deploy, and admit everybody: a warning.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_container_registry" "main" {
//!   name                = "crmain"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   network_rule_set {
//!     default_action = "Deny"
//!
//!     ip_rule {
//!       action   = "Allow"
//!       ip_range = "203.0.113.0/24"
//!     }
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_container_registry" "main" {
//!   name                = "crmain"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Premium"
//!
//!   network_rule_set {
//!     default_action = "Deny"
//!
//!     ip_rule {
//!       action   = "Allow"
//!       ip_range = "203.0.113.0/24"
//!     }
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the tier or one of the settings is not known. What is only looked up is not checked.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks>
//! - <https://learn.microsoft.com/azure/azure-cache-for-redis/cache-how-to-premium-vnet>
//! - <https://learn.microsoft.com/azure/service-bus-messaging/service-bus-service-endpoints>
//! - <https://learn.microsoft.com/azure/event-hubs/event-hubs-service-endpoints>
//! - <https://learn.microsoft.com/azure/api-management/virtual-network-concepts>
//! - <https://learn.microsoft.com/azure/storage/common/storage-network-security-limitations>
//! - <https://learn.microsoft.com/azure/cosmos-db/how-to-configure-vnet-service-endpoint>

use super::properties::{self, Verdict};
use super::{Context, Reporter, Rule};
use crate::azure::Confidence;
use crate::azure::network_settings::{self, Conflict, Effect};
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Place, ResourceNode, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "network-setting-unsupported",
    category: Category::ServiceEndpoint,
    severity: Severity::Error,
    summary: "a network setting that the resource's tier or its other settings rule out",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: include_str!("network_setting_unsupported.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for node in topology.resources.iter().filter(|node| node.mode == Mode::Managed) {
        let Some(arm_type) = &node.arm_type else { continue };
        for row in network_settings::of_type(arm_type) {
            judge(topology, reporter, node, row);
        }
    }
}

fn judge(topology: &Topology, reporter: &mut Reporter, node: &ResourceNode, row: &Conflict) {
    let places = match properties::stand(&row.when, node) {
        Verdict::Yes(places) => places,
        Verdict::No => return reporter.satisfied(),
        Verdict::Unknown(why) => return reporter.undecided(node.place, &why),
    };
    let mut more = Vec::new();
    if !row.when_parent.is_empty() {
        let Some(parent) = parent_of(topology, node) else { return };
        match properties::stand(&row.when_parent, parent) {
            Verdict::Yes(places) => more = places,
            Verdict::No => return reporter.satisfied(),
            Verdict::Unknown(why) => return reporter.undecided(node.place, &why),
        }
    }
    let severity = match (row.effect, row.confidence) {
        (Effect::Refused, Confidence::High) => Severity::Error,
        _ => Severity::Warning,
    };
    let name = node.name.known().map_or(node.key.address.as_str(), |name| name.as_str());
    let (first, rest) = places.split_first().map_or((node.place, &[] as &[Place]), |(at, rest)| (*at, rest));
    let mut finding = reporter
        .finding_with(severity, format!("`{name}` {}", row.what), first)
        .advice(row.advice.clone())
        .certain_if(node.uncertain.is_none());
    for place in rest.iter().chain(&more) {
        finding = finding.related("what decides", *place);
    }
    reporter.violated(finding);
}

/// The resource of the parent's type that a part depends on, if there is one only.
fn parent_of<'a>(topology: &'a Topology, node: &ResourceNode) -> Option<&'a ResourceNode> {
    let (of_parent, _) = node.arm_type.as_deref()?.rsplit_once('/')?;
    let is_parent = |other: &&ResourceNode| {
        other.arm_type.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(of_parent))
    };
    let mut parents = node.dependencies.iter().map(|id| &topology[*id]).filter(is_parent);
    match (parents.next(), parents.next()) {
        (Some(parent), None) if parent.uncertain.is_none() => Some(parent),
        _ => None,
    }
}
