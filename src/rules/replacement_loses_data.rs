//! ## What it checks
//!
//! A plan that destroys a database server which is injected into a network and makes it again because its subnet or its
//! private DNS zone changes: PostgreSQL and MySQL flexible servers, SQL managed instances, NetApp volumes. Only a plan can
//! show this.
//!
//! ## What Azure does
//!
//! An injected server cannot be moved to another subnet or network. Terraform therefore destroys it, with all its
//! databases, and makes an empty one.
//!
//! ## Example
//!
//! The server moves to a larger subnet, so the plan deletes and creates it.
//!
//! ```json plan.json
//! {
//!   "format_version": "1.2",
//!   "configuration": {},
//!   "resource_changes": [
//!     {"address": "azurerm_virtual_network.main", "mode": "managed", "type": "azurerm_virtual_network", "name": "main", "change": {"actions": ["no-op"], "before": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_subnet.db", "mode": "managed", "type": "azurerm_subnet", "name": "db", "change": {"actions": ["no-op"], "before": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/24"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/24"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_subnet.large", "mode": "managed", "type": "azurerm_subnet", "name": "large", "change": {"actions": ["no-op"], "before": {"name": "snet-large", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.2.0/23"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-large", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after": {"name": "snet-large", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.2.0/23"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-large", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_postgresql_flexible_server.orders", "mode": "managed", "type": "azurerm_postgresql_flexible_server", "name": "orders", "change": {"actions": ["delete", "create"], "before": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-large", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}}
//!   ]
//! }
//! ```
//!
//! ## Corrected example
//!
//! The server keeps its subnet. To move the data, make a second server in the new subnet and restore into it; guard the old
//! one with `lifecycle { prevent_destroy = true }`.
//!
//! ```json plan.json
//! {
//!   "format_version": "1.2",
//!   "configuration": {},
//!   "resource_changes": [
//!     {"address": "azurerm_virtual_network.main", "mode": "managed", "type": "azurerm_virtual_network", "name": "main", "change": {"actions": ["no-op"], "before": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_subnet.db", "mode": "managed", "type": "azurerm_subnet", "name": "db", "change": {"actions": ["no-op"], "before": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/24"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after": {"name": "snet-db", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.1.0/24"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_subnet.large", "mode": "managed", "type": "azurerm_subnet", "name": "large", "change": {"actions": ["no-op"], "before": {"name": "snet-large", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.2.0/23"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-large", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after": {"name": "snet-large", "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": ["10.0.2.0/23"], "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-large", "delegation": [{"name": "db", "service_delegation": [{"name": "Microsoft.DBforPostgreSQL/flexibleServers", "actions": []}]}]}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}},
//!     {"address": "azurerm_postgresql_flexible_server.orders", "mode": "managed", "type": "azurerm_postgresql_flexible_server", "name": "orders", "change": {"actions": ["update"], "before": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after": {"name": "psql-orders", "resource_group_name": "rg", "location": "westeurope", "sku_name": "GP_Standard_D2s_v3", "delegated_subnet_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet-db", "private_dns_zone_id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns/providers/Microsoft.Network/privateDnsZones/orders.private.postgres.database.azure.com", "public_network_access_enabled": false}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}}
//!   ]
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When the plan replaces the server for another reason, or it is not known which subnet it will be in: not reported.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/mysql/flexible-server/concepts-networking-vnet>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/pull/12288>

use super::changes::{self, Now};
use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::resource::Action;
use crate::topology::ResourceNode;

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "replacement-loses-data",
    category: Category::PlanChange,
    severity: Severity::Error,
    summary: "the plan replaces an injected database because its network changed",
    error_codes: &["forces replacement"],
    fix: None,
    pedantic: false,
    source: include_str!("replacement_loses_data.rs"),
    check,
};

/// What holds data that is lost with it.
const HOLDS_DATA: [&str; 5] = [
    "Microsoft.DBforPostgreSQL/flexibleServers",
    "Microsoft.DBforMySQL/flexibleServers",
    "Microsoft.Sql/managedInstances",
    "Microsoft.NetApp/netAppAccounts/capacityPools/volumes",
    "Microsoft.DocumentDB/cassandraClusters",
];

fn check(context: &Context, reporter: &mut Reporter) {
    let Some(before) = context.before else { return };
    let now = Now::new(before);
    let topology = context.topology;
    for (id, resource) in topology.all::<ResourceNode>() {
        let holds_data = resource
            .arm_type
            .as_deref()
            .is_some_and(|own| HOLDS_DATA.iter().any(|kind| kind.eq_ignore_ascii_case(own)));
        if !holds_data {
            continue;
        }
        if resource.action != Some(Action::Replace) {
            reporter.satisfied();
            continue;
        }
        let homes = now.subnets_of(resource);
        for (occupancy, subnet) in changes::subnets_after(topology, id) {
            let after = &topology[subnet];
            let Some(from) = homes.iter().find(|home| changes::differ(home, after)) else { continue };
            let finding = reporter
                .finding(
                    format!(
                        "the plan destroys `{}` and makes it again, empty, because it moves from subnet {} to {}",
                        resource.key.address,
                        support::label(now.topology(), &from.header),
                        support::label(topology, &after.header),
                    ),
                    occupancy.place,
                )
                .related_part("the new subnet", &after.header)
                .advice(
                    "Keep the server in its subnet. An injected server cannot be moved: make a second one and restore the data \
                     into it, and guard this one with `prevent_destroy`.",
                );
            reporter.violated(finding);
            break;
        }
    }
}
