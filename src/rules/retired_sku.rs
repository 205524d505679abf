//! ## What it checks
//!
//! What Azure no longer makes: public addresses and load balancers of the Basic SKU, application gateways of the first generation, VPN
//! gateways of the SKUs `Standard` and `HighPerformance`, and flow logs of security groups.
//!
//! ## What Azure does
//!
//! What is there already can be deployed again until it is retired. A new one is refused, for a Basic address with
//! `IPv4BasicSkuPublicIpCountLimitReached`. Files do not say which of the two it is, which is why the rule is off unless asked for.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_public_ip" "web" {
//!   name                = "pip-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Basic"
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_public_ip" "web" {
//!   name                = "pip-web"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   allocation_method   = "Static"
//!   sku                 = "Standard"
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the SKU is not known, or is left to a default that depends on the version of the provider.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-basic-upgrade-guidance>
//! - <https://learn.microsoft.com/azure/load-balancer/load-balancer-basic-upgrade-guidance>
//! - <https://learn.microsoft.com/azure/application-gateway/v1-retirement>
//! - <https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-skus-legacy>
//! - <https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview>

use ecow::EcoString;

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::resource::Mode;
use crate::topology::{Field, Header, ResourceNode, Topology};
use crate::value::ValueKind;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "retired-sku",
    category: Category::Gateway,
    severity: Severity::Warning,
    summary: "a SKU of which Azure makes no new resources",
    error_codes: &["IPv4BasicSkuPublicIpCountLimitReached"],
    fix: None,
    pedantic: true,
    source: include_str!("retired_sku.rs"),
    check,
};

const FLOW_LOG: &str = "Microsoft.Network/networkWatchers/flowLogs";
const SECURITY_GROUP: &str = "Microsoft.Network/networkSecurityGroups";

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for part in &topology.public_ips {
        judge(topology, reporter, "public address", &part.header, &part.sku, &["Basic"], "Standard");
    }
    for part in &topology.load_balancers {
        judge(topology, reporter, "load balancer", &part.header, &part.sku, &["Basic"], "Standard");
    }
    for part in &topology.application_gateways {
        let what = "application gateway";
        judge(topology, reporter, what, &part.header, &part.sku_tier, &["Standard", "WAF"], "Standard_v2");
    }
    let is_vpn = |kind: &EcoString| kind == "Vpn";
    for part in topology
        .virtual_network_gateways
        .iter()
        .filter(|gateway| gateway.gateway_type.known().is_some_and(is_vpn))
    {
        let legacy = ["Standard", "HighPerformance"];
        judge(topology, reporter, "VPN gateway", &part.header, &part.sku, &legacy, "VpnGw1AZ");
    }
    for node in &topology.resources {
        let is_log = node.arm_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(FLOW_LOG));
        if is_log && node.mode == Mode::Managed {
            flow_log(topology, reporter, node);
        }
    }
}

fn judge(
    topology: &Topology,
    reporter: &mut Reporter,
    what: &str,
    header: &Header,
    sku: &Field<EcoString>,
    retired: &[&str],
    instead: &str,
) {
    if !header.is_managed() {
        return;
    }
    let Some(name) = sku.known() else {
        if let Some(why) = sku.unknown() {
            reporter.undecided(sku.place, why);
        }
        return;
    };
    if !retired.iter().any(|old| old.eq_ignore_ascii_case(name)) {
        return reporter.satisfied();
    }
    let finding = reporter
        .finding(
            format!(
                "{what} {} is of SKU {name}, of which Azure makes no new ones",
                support::label(topology, header)
            ),
            sku.place,
        )
        .of(&header.resource_id)
        .advice(format!("Take `{instead}` or another SKU of that generation."))
        .certain_if(header.is_certain());
    reporter.violated(finding);
}

/// A flow log whose target is a security group.
fn flow_log(topology: &Topology, reporter: &mut Reporter, node: &ResourceNode) {
    let targets =
        node.values(&["target_resource_id", "network_security_group_id"], &["properties.targetResourceId"]);
    let Some((value, place)) = targets.found.first() else {
        if let Some(why) = &targets.unknown {
            reporter.undecided(node.place, why);
        }
        return;
    };
    let is_group = |kind: &str| kind.eq_ignore_ascii_case(SECURITY_GROUP);
    let group = match (&value.kind, value.as_str()) {
        (_, Some(text)) => text.to_lowercase().contains(&SECURITY_GROUP.to_lowercase()),
        // The only security group that it refers to is its target.
        (ValueKind::Reference(_), None) => {
            let mut kinds = node.dependencies.iter().filter_map(|id| topology[*id].arm_type.as_deref());
            kinds.any(is_group)
        }
        _ => {
            if let Some(why) = value.first_unknown() {
                reporter.undecided(*place, &why);
            }
            return;
        }
    };
    if !group {
        return reporter.satisfied();
    }
    let name = match node.name.known() {
        Some(name) => name.to_string(),
        None => node.key.address.to_string(),
    };
    let finding = reporter
        .finding(
            format!("flow log `{name}` is of a security group, of which Azure makes no new ones"),
            *place,
        )
        .of(&node.resource_id)
        .advice("Log the flows of the virtual network.")
        .certain_if(node.uncertain.is_none());
    reporter.violated(finding);
}
