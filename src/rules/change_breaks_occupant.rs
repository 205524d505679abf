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

use super::changes::{self, Moment};
use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::resource::Action;
use crate::topology::{Place, ResourceNode, Subnet};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "change-breaks-occupant",
    category: Category::PlanChange,
    severity: Severity::Error,
    summary: "the plan removes, shrinks or redelegates a subnet that something it keeps lives in",
    error_codes: &[
        "InUsePrefixCannotBeDeleted",
        "InUseSubnetCannotBeUpdated",
        "SubnetDelegationsCannotChangeWhenSubnetUsedByResource",
        "InUseSubnetCannotBeDeleted",
    ],
    fix: None,
    pedantic: false,
    source: include_str!("change_breaks_occupant.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let Some(before) = context.before else { return };
    let (now, after) = (Moment::new(before), Moment::new(context.topology));
    for (id, resource) in context.topology.all::<ResourceNode>() {
        if !matches!(resource.action, Some(Action::NoOp | Action::Update | Action::Forget)) {
            continue;
        }
        let Some(own) = now.same(resource) else { continue };
        for (_, home) in now.subnets_of(own) {
            // What moves out in the same plan, or may, is not broken for certain.
            let leaves = resource.action == Some(Action::Update)
                && (after.may_live_elsewhere(id)
                    || after.subnets_of(id).all(|(_, target)| {
                        changes::differ(home.header.resource_id.as_ref(), target.header.resource_id.as_ref())
                    }));
            let change = if leaves { None } else { change(&now, &after, home) };
            let Some(Change { what, because, place }) = change else {
                reporter.satisfied();
                continue;
            };
            let label = support::label(now.topology(), &home.header);
            let stays = if resource.action == Some(Action::Forget) { "is left" } else { "stays" };
            let mut finding = reporter
                .finding(
                    format!(
                        "the plan {what} subnet {label}, in which `{}` lives and {stays}",
                        resource.key.address
                    ),
                    resource.place,
                )
                .advice("Move or remove what lives in the subnet first, in a plan of its own.");
            if let Some(why) = because {
                finding = finding.witness(format!("the plan {what} the subnet because {why}"));
            }
            reporter.violated(match place {
                Some(place) => finding.related("the change", place),
                None => finding.related_before("this plan removes it", &now.topology()[home.header.resource]),
            });
        }
    }
}

/// What a plan does to a subnet.
struct Change {
    what: String,
    /// Why, where the plan says it: the rest of a sentence that begins with "because".
    because: Option<&'static str>,
    /// Where; `None` when nothing is left of it.
    place: Option<Place>,
}

/// What the plan does to a subnet that an occupant cannot bear.
fn change(now: &Moment, after: &Moment, home: &Subnet) -> Option<Change> {
    let written = &now.topology()[home.header.resource];
    let block = after.same(written).map(|id| &after.topology()[id]);
    let because = written.because;
    let done =
        |what: &str| Some(Change { what: what.into(), because, place: block.map(|block| block.place) });
    match written.action {
        Some(Action::Delete) => return done("deletes"),
        Some(Action::Replace) => return done("deletes and makes again"),
        Some(Action::Update) => {}
        _ => return None,
    }
    let Some(target) = after.subnet(home) else {
        // Of a network's own subnets, one that is written no longer is deleted.
        let network = after.topology().virtual_networks.iter().find(|network| {
            changes::is_inline(home) && after.topology()[network.header.resource].key == written.key
        })?;
        let renamed = network.subnets.iter().any(|id| after.topology()[*id].header.resource_id.is_none());
        return if network.incomplete.is_none() && !renamed { done("removes") } else { None };
    };
    if after.topology()[target.header.resource].key != written.key {
        return None;
    }
    if !home.prefixes.is_complete() || !target.prefixes.is_complete() {
        return None;
    }
    let kept = support::ranges(&home.prefixes)
        .all(|(old, _)| support::ranges(&target.prefixes).any(|(new, _)| new.contains(&old)));
    if !kept {
        let what = format!(
            "changes the range ({} to {}) of",
            changes::range_texts(&home.prefixes).join(", "),
            changes::range_texts(&target.prefixes).join(", ")
        );
        return Some(Change { what, because, place: Some(target.prefixes.place) });
    }
    let complete = home.delegations.is_complete() && target.delegations.is_complete();
    (complete && changes::services(home) != changes::services(target)).then(|| Change {
        what: "changes the delegation of".into(),
        because,
        place: Some(target.delegations.place),
    })
}
