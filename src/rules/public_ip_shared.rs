//! ## What it checks
//!
//! That a public address is used once: by one address of an interface, one front end, one gateway address, one Bastion host, one
//! firewall, one NAT gateway, one Route Server or one API Management service. The data and the management interface of a firewall are two uses, and
//! so are two front ends of one load balancer.
//!
//! ## What Azure does
//!
//! It refuses the second user: "… is referencing public IP address … that is already allocated to resource …". In a plan both look fine.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_public_ip" "web" {
//!   name                = "pip-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_lb" "blue" {
//!   name                = "lb-blue"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name                 = "web"
//!     public_ip_address_id = azurerm_public_ip.web.id
//!   }
//! }
//!
//! resource "azurerm_lb" "green" {
//!   name                = "lb-green"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name                 = "web"
//!     public_ip_address_id = azurerm_public_ip.web.id
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_public_ip" "web" {
//!   for_each            = toset(["blue", "green"])
//!   name                = "pip-${each.key}"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//!
//! resource "azurerm_lb" "blue" {
//!   name                = "lb-blue"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name                 = "web"
//!     public_ip_address_id = azurerm_public_ip.web["blue"].id
//!   }
//! }
//!
//! resource "azurerm_lb" "green" {
//!   name                = "lb-green"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   sku                 = "Standard"
//!
//!   frontend_ip_configuration {
//!     name                 = "web"
//!     public_ip_address_id = azurerm_public_ip.web["green"].id
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When it is not known which address a user has.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses>
//! - <https://github.com/microsoft/azure-tools-for-java/issues/91>
//! - <https://github.com/kubernetes-sigs/cloud-provider-azure/issues/4243>

use std::collections::BTreeMap;

use super::{Context, Reporter, Rule, support};
use crate::analysis::public_addresses::{self, Use, User};
use crate::finding::{Category, Severity};
use crate::resource::Language;
use crate::topology::{Id, PublicIp, Topology};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "public-ip-shared",
    category: Category::Gateway,
    severity: Severity::Error,
    summary: "two users of one public address, which serves one",
    error_codes: &["PublicIPReferencedByMultipleIPConfigs", "message: that is already allocated to resource"],
    fix: None,
    pedantic: false,
    source: include_str!("public_ip_shared.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let mut first: BTreeMap<Id<PublicIp>, Use> = BTreeMap::new();
    for usage in public_addresses::uses(topology) {
        if !usage.user.header().is_managed() {
            continue;
        }
        let Some(id) = usage.address.to() else {
            if let Some(why) = usage.address.unknown() {
                reporter.undecided(usage.address.place, why);
            }
            continue;
        };
        let earlier = *first.entry(id).or_insert(usage);
        if is_one(topology, &earlier, &usage) {
            reporter.satisfied();
        } else {
            judge(topology, reporter, id, &earlier, &usage);
        }
    }
}

/// Whether two uses are the same one: the very same place, or the same thing deployed or described once more.
fn is_one(topology: &Topology, one: &Use, other: &Use) -> bool {
    let (a, b) = (one.user.header(), other.user.header());
    if a.resource == b.resource {
        // A NAT gateway may be told its address in two ways; the other users name one address for each of theirs.
        return std::ptr::eq(one.address, other.address) || matches!(one.user, User::NatGateway(_));
    }
    let (x, y) = (&topology[a.resource], &topology[b.resource]);
    if x.arm_type != y.arm_type {
        return false;
    }
    match (a.name.known(), b.name.known()) {
        (Some(a), Some(b)) if !a.eq_ignore_ascii_case(b) => false,
        // Two roots may describe one deployment, and templates deploy a thing again under its name, which need not be known.
        _ => x.key.root != y.key.root || x.language != Language::Terraform || x.resource_id == y.resource_id,
    }
}

fn judge(topology: &Topology, reporter: &mut Reporter, id: Id<PublicIp>, earlier: &Use, usage: &Use) {
    let address = &topology[id].header;
    let (one, other) = (earlier.user.header(), usage.user.header());
    let address_label = support::label(topology, address);
    let (what, label) = (usage.user.what(), support::label(topology, other));
    let message = if one.resource == other.resource {
        format!("{what} {label} uses public address {address_label} twice")
    } else {
        let (first, by) = (earlier.user.what(), support::label(topology, one));
        format!("public address {address_label} is used by {first} {by} and by {what} {label}")
    };
    let finding = reporter
        .finding(message, usage.address.place)
        .of(&other.resource_id)
        .between(&[one, other, address])
        .related("the other use", earlier.address.place)
        .related_part("the public address", address)
        .advice("Give each of them a public address of its own.")
        .certain_if(one.is_certain() && other.is_certain() && address.is_certain());
    reporter.violated(finding);
}
