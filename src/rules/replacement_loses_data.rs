//! ## What it checks
//!
//! A plan that destroys a service which is injected into a network, and makes it again, because its subnet, its private DNS
//! zone or its network changes: PostgreSQL and MySQL flexible servers, SQL managed instances, Cassandra and Oracle
//! databases, NetApp volumes, Lustre file systems (an error: the data is lost); caches, clusters, workspaces and app
//! environments (a warning: what is in them must be made again). Only a plan can show this.
//!
//! ## What Azure does
//!
//! Such a service cannot be moved to another subnet or network. Terraform therefore destroys it, with all that is in it,
//! and makes an empty one.
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
//! When the plan replaces the service for another reason: not reported. A plan names the arguments that force the
//! replacement; where it does not (old versions of Terraform), the subnets and zones before and after must be known.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/mysql/flexible-server/concepts-networking-vnet>
//! - <https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/postgresql_flexible_server>
//! - <https://github.com/hashicorp/terraform-provider-azurerm/pull/12288>

use super::changes::{self, Moment};
use super::{Context, Reporter, Rule, support};
use crate::azure::replacements::{self, Loss, Replacement};
use crate::finding::{Category, Severity};
use crate::resource::Action;
use crate::topology::{Header, Place, ResourceId, ResourceNode};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "replacement-loses-data",
    category: Category::PlanChange,
    severity: Severity::Error,
    summary: "the plan replaces an injected service because its network changed",
    error_codes: &["message: Changing this forces a new", "message: forces replacement"],
    fix: None,
    pedantic: false,
    source: include_str!("replacement_loses_data.rs"),
    check,
};

fn check(context: &Context, reporter: &mut Reporter) {
    let Some(before) = context.before else { return };
    let (now, after) = (Moment::new(before), Moment::new(context.topology));
    for (id, resource) in context.topology.all::<ResourceNode>() {
        let Some(row) = replacements::of(&resource.written_type, resource.arm_type.as_deref()) else {
            continue;
        };
        let cause =
            (resource.action == Some(Action::Replace)).then(|| cause(&now, &after, id, row)).flatten();
        let Some(cause) = cause else {
            reporter.satisfied();
            continue;
        };
        let severity = match row.severity {
            Loss::Error => Severity::Error,
            Loss::Warning => Severity::Warning,
        };
        let message = format!(
            "the plan destroys `{}` and makes it again, without {}, because {}",
            resource.key.address, row.loses, cause.why,
        );
        let mut finding = reporter.finding_with(severity, message, cause.place).advice(
            "Leave it where it is: it cannot be moved. To have it elsewhere, make a second one and bring over what is in \
             this one, and guard this one with `prevent_destroy`.",
        );
        if let Some(target) = cause.target {
            finding = finding.related_part("where it is to go", target);
        }
        reporter.violated(finding);
    }
}

/// Why the network makes a service be replaced.
struct Cause<'a> {
    /// The rest of "because …".
    why: String,
    /// The argument.
    place: Place,
    /// Where it goes.
    target: Option<&'a Header>,
}

fn cause<'a>(now: &Moment<'a>, after: &Moment<'a>, id: ResourceId, row: &Replacement) -> Option<Cause<'a>> {
    let resource = &after.topology()[id];
    let forced: Vec<&str> = resource
        .replaced_for
        .iter()
        .map(|name| name.as_str())
        .filter(|name| row.attributes.iter().any(|own| own == name))
        .collect();
    // A plan that names what forces the replacement, and names nothing of the network, replaces for another reason.
    if forced.is_empty() && !resource.replaced_for.is_empty() {
        return None;
    }
    let may_be = |part: &str| forced.is_empty() || forced.iter().any(|name| name.contains(part));
    let before = now.same(resource)?;
    if may_be("subnet") || forced.iter().any(|name| !name.contains("zone")) {
        let homes: Vec<_> = now.subnets_of(before).collect();
        for (occupancy, target) in after.subnets_of(id) {
            let from = homes.iter().find(|(use_before, home)| {
                use_before.kind == occupancy.kind
                    && changes::differ(home.header.resource_id.as_ref(), target.header.resource_id.as_ref())
            });
            if let Some((_, from)) = from {
                let why = format!(
                    "it moves from subnet {} to {}",
                    support::label(now.topology(), &from.header),
                    support::label(after.topology(), &target.header)
                );
                return Some(Cause { why, place: occupancy.place, target: Some(&target.header) });
            }
        }
    }
    if may_be("zone")
        && let Some((place, from, to)) = zones(now, after, before, id)
    {
        let (old, new) = (support::label(now.topology(), from), support::label(after.topology(), to));
        let why = format!("its private DNS zone changes from {old} to {new}");
        return Some(Cause { why, place, target: Some(to) });
    }
    let name = forced.first()?;
    let values = resource.values(&[*name], &[]);
    let place = values.found.first().map_or(resource.place, |(_, place)| *place);
    Some(Cause { why: format!("its `{name}` changes"), place, target: None })
}

/// The zones of a server before and after, where they certainly differ.
fn zones<'a>(
    now: &Moment<'a>,
    after: &Moment<'a>,
    before: ResourceId,
    id: ResourceId,
) -> Option<(Place, &'a Header, &'a Header)> {
    let zone = |moment: &Moment<'a>, id: ResourceId| {
        let topology = moment.topology();
        let server = topology.flexible_servers.iter().find(|server| server.header.resource == id)?;
        Some((server.zone.place, &topology[server.zone.to()?].header))
    };
    let ((_, from), (place, to)) = (zone(now, before)?, zone(after, id)?);
    changes::differ(from.resource_id.as_ref(), to.resource_id.as_ref()).then_some((place, from, to))
}
