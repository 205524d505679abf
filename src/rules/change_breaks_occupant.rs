//! ## What it checks
//!
//! A plan that takes a subnet away, shrinks or moves its range, or changes its delegation, while something that the plan keeps
//! lives in it. Only a plan can show this.
//!
//! ## What Azure does
//!
//! The change is rejected: `InUseSubnetCannotBeDeleted`, `InUsePrefixCannotBeDeleted`,
//! `SubnetDelegationsCannotChangeWhenSubnetUsedByResource`.
//!
//! ## Example
//!
//! The plan shrinks the subnet under a server that stays.
//!
//! ```json plan.json
//! {
//!   "format_version": "1.2",
//!   "configuration": {},
//!   "resource_changes": [
//!     {"address": "azurerm_virtual_network.main", "mode": "managed", "type": "azurerm_virtual_network", "name": "main", "change": {"actions": ["no-op"], "before": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_subnet.db", "mode": "managed", "type": "azurerm_subnet", "name": "db", "change": {"actions": ["update"], "before": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/24"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/26"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_postgresql_flexible_server.orders", "mode": "managed", "type": "azurerm_postgresql_flexible_server", "name": "orders", "change": {"actions": ["no-op"], "before": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}}
//!   ]
//! }
//! ```
//!
//! ## Corrected example
//!
//! The subnet keeps what its occupant needs.
//!
//! ```json plan.json
//! {
//!   "format_version": "1.2",
//!   "configuration": {},
//!   "resource_changes": [
//!     {"address": "azurerm_virtual_network.main", "mode": "managed", "type": "azurerm_virtual_network", "name": "main", "change": {"actions": ["no-op"], "before": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_subnet.db", "mode": "managed", "type": "azurerm_subnet", "name": "db", "change": {"actions": ["update"], "before": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/24"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/24"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_postgresql_flexible_server.orders", "mode": "managed", "type": "azurerm_postgresql_flexible_server", "name": "orders", "change": {"actions": ["no-op"], "before": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}}
//!   ]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the range or the delegation is not known before or after: not reported.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/troubleshoot/azure/virtual-network/virtual-network-troubleshoot-cannot-delete-modify-subnet>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/issues/11211>

use super::changes::{self, Now};
use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::resource::Action;
use crate::topology::{ResourceNode, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "change-breaks-occupant",
    category: Category::PlanChange,
    severity: Severity::Error,
    summary: "the plan removes, shrinks or redelegates a subnet that something it keeps lives in",
    error_codes: &[
        "InUseSubnetCannotBeDeleted",
        "InUsePrefixCannotBeDeleted",
        "InUseSubnetCannotBeUpdated",
        "SubnetDelegationsCannotChangeWhenSubnetUsedByResource",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("change_breaks_occupant.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let Some(before) = context.before else { return };
    let now = Now::new(before);
    let topology = context.topology;
    for resource in topology.resources.iter() {
        if !matches!(resource.action, Some(Action::NoOp | Action::Update)) {
            continue;
        }
        for home in now.subnets_of(resource) {
            let planned = &now.topology()[home.header.resource];
            let Some(what) = change(context, &now, planned, home) else {
                reporter.satisfied();
                continue;
            };
            let finding = reporter
                .finding(
                    format!(
                        "the plan {what} subnet {}, in which `{}` lives and stays",
                        support::label(now.topology(), &home.header),
                        resource.key.address,
                    ),
                    resource.place,
                )
                .advice("Move or remove what lives in the subnet first, in a plan of its own.");
            let after = topology.resources.iter().find(|other| other.key == planned.key);
            let finding = match after {
                Some(subnet) => finding.related("the change", subnet.place),
                None => finding,
            };
            reporter.violated(finding);
        }
    }
}

/// What the plan does to a subnet that an occupant cannot bear.
fn change(context: &Context, now: &Now, planned: &ResourceNode, home: &Subnet) -> Option<String> {
    match planned.action {
        Some(Action::Delete) => return Some("deletes".into()),
        Some(Action::Replace) => return Some("deletes and makes again".into()),
        Some(Action::Update) => {}
        _ => return None,
    }
    let topology = context.topology;
    // An inline subnet's change shows in its network's, where its siblings change as well.
    let is_own = now.subnet(planned).is_some_and(|own| own.header.resource_id == home.header.resource_id);
    let after = topology.subnets.iter().find(|subnet| {
        is_own && topology[subnet.header.resource].key == planned.key && !changes::differ(subnet, home)
    })?;
    if !home.prefixes.is_complete() || !after.prefixes.is_complete() {
        return None;
    }
    let kept = support::ranges(&home.prefixes)
        .all(|(old, _)| support::ranges(&after.prefixes).any(|(new, _)| new.contains(&old)));
    if !kept {
        return Some(format!(
            "changes the range ({} to {}) of",
            changes::range_texts(&home.prefixes).join(", "),
            changes::range_texts(&after.prefixes).join(", ")
        ));
    }
    if home.delegations.is_complete() && after.delegations.is_complete() {
        let services = |subnet: &Subnet| {
            let mut all: Vec<ecow::EcoString> =
                subnet.delegations.known().map(|delegation| delegation.service.to_lowercase()).collect();
            all.sort_unstable();
            all
        };
        if services(home) != services(after) {
            return Some("changes the delegation of".into());
        }
    }
    None
}
