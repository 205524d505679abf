//! ## What it checks
//!
//! That an app which is integrated with a subnet, or has a private endpoint, runs on an App Service plan of a tier that has the feature,
//! and that the apps of one plan are integrated with two subnets at most.
//!
//! ## What Azure does
//!
//! Integration with a network is a feature of Basic, Standard, Premium and Elastic Premium plans, private endpoints too. On Free, Shared and
//! Consumption plans both are refused. A plan takes two integrations, which its apps share; a third one is refused: "Adding this VNET
//! would exceed the App Service Plan VNET limit".
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
//! resource "azurerm_subnet" "apps" {
//!   name                 = "snet-apps"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//!
//!   delegation {
//!     name = "apps"
//!     service_delegation {
//!       name = "Microsoft.Web/serverFarms"
//!     }
//!   }
//! }
//!
//! resource "azurerm_service_plan" "main" {
//!   name                = "asp-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   os_type             = "Linux"
//!   sku_name            = "Y1"
//! }
//!
//! resource "azurerm_linux_function_app" "main" {
//!   name                      = "func-main"
//!   resource_group_name       = "rg"
//!   location                  = "westeurope"
//!   service_plan_id           = azurerm_service_plan.main.id
//!   virtual_network_subnet_id = azurerm_subnet.apps.id
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
//! resource "azurerm_subnet" "apps" {
//!   name                 = "snet-apps"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/26"]
//!
//!   delegation {
//!     name = "apps"
//!     service_delegation {
//!       name = "Microsoft.Web/serverFarms"
//!     }
//!   }
//! }
//!
//! resource "azurerm_service_plan" "main" {
//!   name                = "asp-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   os_type             = "Linux"
//!   sku_name            = "EP1"
//! }
//!
//! resource "azurerm_linux_function_app" "main" {
//!   name                      = "func-main"
//!   resource_group_name       = "rg"
//!   location                  = "westeurope"
//!   service_plan_id           = azurerm_service_plan.main.id
//!   virtual_network_subnet_id = azurerm_subnet.apps.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the plan's tier is not known. Plans that are only looked up are not checked.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/app-service/overview-vnet-integration>
//! - <https://learn.microsoft.com/azure/app-service/overview-vnet-integration#limitations>
//! - <https://github.com/MicrosoftDocs/azure-docs/issues/59669>
//! - <https://learn.microsoft.com/azure/app-service/overview-private-endpoint>
//! - <https://learn.microsoft.com/azure/azure-functions/functions-networking-options>

use std::collections::{BTreeMap, BTreeSet};

use super::occupants::{self, Plan, Resident};
use super::{Context, Reporter, Rule, support};
use crate::azure::occupants::Sharing;
use crate::finding::{Category, Severity};
use crate::topology::{Id, Occupancy, Place, ResourceNode, Subnet, Topology};
use crate::value::ResourceKey;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "app-plan-network-unsupported",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "an app with network integration or a private endpoint on a plan that has neither, or with one integration too many",
    error_codes: &["message: Adding this VNET would exceed the App Service Plan VNET limit"],
    fix: None,
    pedantic: false,
    source: include_str!("app_plan_network_unsupported.rs"),
    check,
};

/// Sizes of plans without integration and private endpoints: Free, Shared, Consumption.
const WITHOUT: [&str; 6] = ["F1", "D1", "FREE", "SHARED", "Y1", "DYNAMIC"];

/// How many integrations a plan takes.
const INTEGRATIONS: usize = 2;

/// Plans whose apps are integrated with more subnets than a plan takes.
fn check_integrations(topology: &Topology, reporter: &mut Reporter) {
    let mut by_plan: BTreeMap<ResourceKey, BTreeMap<Id<Subnet>, Resident>> = BTreeMap::new();
    for index in 0..topology.occupancies.len() {
        let Some(guest) = occupants::resident(topology, Id::<Occupancy>::new(index)) else { continue };
        if guest.row.sharing != Some(Sharing::OneAppServicePlan) || !guest.is_certain() {
            continue;
        }
        let Some(subnet) = guest.occupancy.subnet.to() else { continue };
        if let Some(Plan::Resource(key)) = occupants::plan_of(topology, guest.resource, 0) {
            by_plan.entry(key).or_default().entry(subnet).or_insert(guest);
        }
    }
    for (key, guests) in by_plan {
        let certain = guests.keys().all(|subnet| topology[*subnet].header.is_certain());
        let Some((subnet, guest)) = guests.iter().nth(INTEGRATIONS).filter(|_| certain) else {
            reporter.satisfied();
            continue;
        };
        let plan = topology.resources.iter().find(|other| other.key == key);
        let name = plan.and_then(|plan| plan.name.known()).unwrap_or(&key.address);
        let mut finding = reporter
            .finding(
                format!(
                    "{} is integrated with subnet {}, and other apps of plan `{name}` with {} others; a plan takes {INTEGRATIONS}",
                    guest.label(),
                    support::label(topology, &topology[*subnet].header),
                    guests.len() - 1,
                ),
                guest.occupancy.place,
            )
            .of(&guest.resource.resource_id)
            .advice("Integrate apps of one plan with the same subnet, or give some of them a plan of their own.")
            .certain_if(plan.is_none_or(|plan| plan.uncertain.is_none()));
        for (subnet, other) in guests.iter().take(INTEGRATIONS) {
            let text =
                format!("integration with subnet {}", support::label(topology, &topology[*subnet].header));
            finding = finding.related(text, other.occupancy.place);
        }
        reporter.violated(finding);
    }
}

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    check_integrations(topology, reporter);
    let mut judged = BTreeSet::new();
    for index in 0..topology.occupancies.len() {
        let Some(guest) = occupants::resident(topology, Id::<Occupancy>::new(index)) else { continue };
        if guest.row.sharing == Some(Sharing::OneAppServicePlan)
            && judged.insert(guest.resource.place.resource)
        {
            judge(topology, reporter, guest.resource, "is integrated with a subnet", guest.occupancy.place);
        }
    }
    let mut judged = BTreeSet::new();
    for endpoint in topology.private_endpoints.iter().filter(|endpoint| endpoint.header.is_managed()) {
        for connection in &endpoint.connections {
            let Some(target) = connection.target.to() else { continue };
            let is_site = |kind: &str| kind.eq_ignore_ascii_case("Microsoft.Web/sites");
            let certain = endpoint.header.is_certain();
            if topology[target].arm_type.as_deref().is_some_and(is_site) && certain && judged.insert(target) {
                judge(
                    topology,
                    reporter,
                    &topology[target],
                    "has a private endpoint",
                    connection.target.place,
                );
            }
        }
    }
}

fn judge(topology: &Topology, reporter: &mut Reporter, app: &ResourceNode, what: &str, place: Place) {
    let Some(Plan::Resource(key)) = occupants::plan_of(topology, app, 0) else { return };
    let Some(plan) = topology.resources.iter().find(|other| other.key == key) else { return };
    if plan.mode != crate::resource::Mode::Managed {
        return;
    }
    let sizes = plan.values(&["sku_name", "sku.size"], &["sku.name"]);
    let Some((size, at)) = sizes.found.first().and_then(|(value, at)| Some((value.as_str()?, *at))) else {
        let unknown = sizes.found.first().and_then(|(value, _)| value.first_unknown());
        if let Some(why) = unknown.or(sizes.unknown) {
            reporter.undecided(place, &why);
        }
        return;
    };
    if !WITHOUT.iter().any(|other| other.eq_ignore_ascii_case(size)) {
        return reporter.satisfied();
    }
    let name = |node: &ResourceNode| node.name.known().cloned().unwrap_or_else(|| node.key.address.clone());
    let finding = reporter
        .finding(
            format!(
                "app `{}` {what}, and plan `{}` of size {size} does not have that",
                name(app),
                name(plan)
            ),
            place,
        )
        .of(&app.resource_id)
        .related("the size of the plan", at)
        .advice("Use a plan of the Basic tier or above, Elastic Premium, or Flex Consumption for functions.")
        .certain_if(app.uncertain.is_none() && plan.uncertain.is_none());
    reporter.violated(finding);
}
