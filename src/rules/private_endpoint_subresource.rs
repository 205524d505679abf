//! ## What it checks
//!
//! That the sub-resource (group id) of a private endpoint is one that the type of its target has; and, for SignalR, that it
//! is spelled as documented.
//!
//! ## What Azure does
//!
//! The target's resource provider rejects the endpoint: `Invalid groupId`, or a bad request that names the group ids that
//! it knows. Most providers do not mind upper and lower case; SignalR knows `signalr` only. Targets whose list of
//! sub-resources is not well documented get a warning.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_private_endpoint" "vault" {
//!   name                = "pe-vault"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet"
//!
//!   private_service_connection {
//!     name                           = "vault"
//!     private_connection_resource_id = azurerm_key_vault.main.id
//!     subresource_names              = ["keyvault"]
//!     is_manual_connection           = false
//!   }
//! }
//!
//! resource "azurerm_key_vault" "main" {
//!   name                          = "kv-main"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "standard"
//!   tenant_id                     = "00000000-0000-0000-0000-000000000000"
//!   public_network_access_enabled = false
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_private_endpoint" "vault" {
//!   name                = "pe-vault"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   subnet_id           = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet"
//!
//!   private_service_connection {
//!     name                           = "vault"
//!     private_connection_resource_id = azurerm_key_vault.main.id
//!     subresource_names              = ["vault"]
//!     is_manual_connection           = false
//!   }
//! }
//!
//! resource "azurerm_key_vault" "main" {
//!   name                          = "kv-main"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "standard"
//!   tenant_id                     = "00000000-0000-0000-0000-000000000000"
//!   public_network_access_enabled = false
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the target or the sub-resource is not known. Targets of types that Portolan has no list of sub-resources for, and
//! those whose sub-resources are named by the user, are not checked.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-overview#private-link-resource>
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/11778>

use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::private_dns_zones::{self, PrivateLinkZones};
use crate::finding::{Category, Change, Fix, Severity};
use crate::topology::{PrivateConnection, PrivateEndpoint};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-endpoint-subresource",
    category: Category::PrivateEndpoint,
    severity: Severity::Error,
    summary: "the sub-resource of a private endpoint does not exist for its target",
    error_codes: &["message: Invalid groupId"],
    fix: Some("writes the sub-resource as the target spells it, or the only one that the target has"),
    pedantic: false,
    source: include_str!("private_endpoint_subresource.rs"),
    check,
};

/// The types whose resource provider compares group ids letter by letter.
/// Source: <https://github.com/hashicorp/terraform-provider-azurerm/issues/11778>.
const CASE_SENSITIVE: &[&str] = &["Microsoft.SignalRService/SignalR"];

/// The types of which the documents give different sub-resources in different places: not checked.
const DISPUTED: &[&str] = &["Microsoft.HDInsight/clusters"];

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
    let topology = context.topology;
    let Some(target) = &connection.target_type else {
        if let Some(unknown) = connection.target.unknown() {
            reporter.undecided(connection.target.place, unknown);
        }
        return;
    };
    let rows: Vec<&PrivateLinkZones> = private_dns_zones::of_type(target).collect();
    let mut known: Vec<&str> =
        rows.iter().flat_map(|row| &row.group_ids).map(ecow::EcoString::as_str).collect();
    let mut seen = std::collections::BTreeSet::new();
    known.retain(|id| seen.insert(*id));
    // Names in braces at the very start are the user's own: any text may be right.
    if rows.iter().any(|row| row.group_ids.is_empty())
        || known.iter().any(|id| id.starts_with('{'))
        || known.is_empty()
        || DISPUTED.iter().any(|other| other.eq_ignore_ascii_case(target))
    {
        return;
    }
    let case_sensitive = CASE_SENSITIVE.iter().any(|other| other.eq_ignore_ascii_case(target));
    let severity = match rows.iter().all(|row| row.confidence == Confidence::High) {
        true => Severity::Error,
        false => Severity::Warning,
    };
    for group in &connection.group_ids.items {
        let Some(id) = group.known() else {
            if let Some(unknown) = group.unknown() {
                reporter.undecided(group.place, unknown);
            }
            continue;
        };
        let spelled = known.iter().find(|own| own.eq_ignore_ascii_case(id)).copied();
        let meant = spelled.or(match known.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let what = match known.iter().find(|own| private_dns_zones::matches(own, id)) {
            Some(own) if case_sensitive && own != id => {
                format!(
                    "is spelled `{own}` for a target of type `{target}`, and the difference matters there"
                )
            }
            Some(_) => {
                reporter.satisfied();
                continue;
            }
            None => format!("does not exist for a target of type `{target}`"),
        };
        let mut finding = reporter
            .finding_with(
                severity,
                format!(
                    "the sub-resource `{id}` of private endpoint {} {what}",
                    support::label(topology, &endpoint.header)
                ),
                group.place,
            )
            .of(&endpoint.header.resource_id)
            .advice(format!("The sub-resources of `{target}`: `{}`.", known.join("`, `")))
            .fix(meant.filter(|meant| !meant.contains('{')).map(|meant| {
                let change = Change::Replace { place: group.place, from: id.clone(), to: meant.into() };
                Fix::new(format!("Write `{meant}`"), change)
            }));
        if let Some(resource) = connection.target.to() {
            finding = finding.related("the target", topology[resource].place);
        }
        reporter.violated(finding.certain_if(endpoint.header.is_certain()));
    }
    if let Some(rest) = &connection.group_ids.rest {
        reporter.undecided(connection.group_ids.place, rest);
    }
}
