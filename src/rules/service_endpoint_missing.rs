//! ## What it checks
//!
//! That a subnet which a network rule of a storage account, a key vault, a database server … admits has the service endpoint
//! by which the rule knows it.
//!
//! ## What Azure does
//!
//! The rule is rejected: `SubnetsHaveNoServiceEndpointsConfigured`, `VirtualNetworkRuleBadRequest`. A rule that may be made
//! before the endpoint (`ignore_missing_vnet_service_endpoint`) is accepted and admits nothing until the endpoint is there: a note.
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!   service_endpoints    = ["Microsoft.Storage"]
//! }
//!
//! resource "azurerm_key_vault" "main" {
//!   name                = "kv-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   tenant_id           = "00000000-0000-0000-0000-000000000000"
//!   sku_name            = "standard"
//!
//!   network_acls {
//!     bypass                     = "AzureServices"
//!     default_action             = "Deny"
//!     virtual_network_subnet_ids = [azurerm_subnet.app.id]
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
//! resource "azurerm_subnet" "app" {
//!   name                 = "snet-app"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!   service_endpoints    = ["Microsoft.KeyVault"]
//! }
//!
//! resource "azurerm_key_vault" "main" {
//!   name                = "kv-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   tenant_id           = "00000000-0000-0000-0000-000000000000"
//!   sku_name            = "standard"
//!
//!   network_acls {
//!     bypass                     = "AzureServices"
//!     default_action             = "Deny"
//!     virtual_network_subnet_ids = [azurerm_subnet.app.id]
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the subnet or its service endpoints are not known, or it is only looked up.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview>
//! - <https://learn.microsoft.com/azure/key-vault/general/network-security>
//! - <https://learn.microsoft.com/azure/cosmos-db/how-to-configure-vnet-service-endpoint>

use super::{Context, Reporter, Rule, support};
use crate::azure::Confidence;
use crate::azure::service_endpoints::{self, EndpointRule};
use crate::finding::{Category, Change, Fix, Severity};
use crate::resource::Mode;
use crate::topology::{Admission, Id, State, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "service-endpoint-missing",
    category: Category::ServiceEndpoint,
    severity: Severity::Error,
    summary: "a network rule admits a subnet that lacks the service endpoint",
    error_codes: &[
        "NetworkAclsValidationFailure",
        "SubnetsHaveNoServiceEndpointsConfigured",
        "VirtualNetworkRuleBadRequest",
    ],
    fix: Some("adds the service endpoint to the subnet"),
    pedantic: false,
    source: include_str!("service_endpoint_missing.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for admission in &topology.admissions {
        if topology[admission.resource].mode != Mode::Managed {
            continue;
        }
        let Some(row) = service_endpoints::of_kind(&admission.kind) else { continue };
        match (admission.subnet.to(), admission.subnet.unknown()) {
            (Some(subnet), _) => check_subnet(context, reporter, admission, row, subnet),
            (None, Some(unknown)) => reporter.undecided(admission.place, unknown),
            (None, None) => {}
        }
    }
}

fn check_subnet(
    context: &Context,
    reporter: &mut Reporter,
    admission: &Admission,
    row: &EndpointRule,
    id: Id<Subnet>,
) {
    let subnet = &context.topology[id];
    let has = subnet
        .service_endpoints
        .known()
        .any(|own| row.endpoints.iter().any(|endpoint| endpoint.eq_ignore_ascii_case(own)));
    if has {
        reporter.satisfied();
        return;
    }
    if let Some(unknown) = subnet.service_endpoints.unknown() {
        // What is only looked up is as it is; there is nothing to mend here.
        if subnet.header.is_managed() {
            reporter.undecided(admission.place, unknown);
        }
        return;
    }
    if !subnet.header.is_managed() {
        return;
    }
    let ignored = match &admission.ignore_missing.state {
        State::Known(ignored) => *ignored,
        State::Absent => false,
        State::Unknown(unknown) => {
            reporter.undecided(admission.place, unknown);
            return;
        }
    };
    let severity = match row.confidence {
        _ if ignored => Severity::Note,
        Confidence::High => Severity::Error,
        Confidence::Medium | Confidence::Low => Severity::Warning,
    };
    let resource = &context.topology[admission.resource];
    let name = resource.name.known().map_or(resource.key.address.as_str(), |name| name.as_str());
    let wanted = row.endpoints.first().map_or("", |endpoint| endpoint.as_str());
    let mut finding = reporter
        .finding_with(
            severity,
            format!(
                "{} `{name}` admits subnet {}, which has no service endpoint {wanted}",
                row.name,
                support::label(context.topology, &subnet.header),
            ),
            admission.place,
        )
        .related_part("the subnet", &subnet.header)
        .advice(format!("Add `{wanted}` to the service endpoints of the subnet."))
        .fix((!ignored && !wanted.is_empty()).then(|| {
            let change = Change::AddServiceEndpoint { subnet: id, endpoint: wanted.into() };
            Fix::new(format!("Add the service endpoint `{wanted}` to the subnet"), change)
        }))
        .certain_if(subnet.header.is_certain() && resource.uncertain.is_none());
    if let Some(field) = subnet.service_endpoints.items.first() {
        finding = finding.related("it has other service endpoints only", field.place);
    }
    reporter.violated(finding);
}
