//! ## What it checks
//!
//! That a private endpoint has one DNS zone group, with five zones at most.
//!
//! ## What Azure does
//!
//! The second group is refused: "Cannot create more than one private dns zone groups in the private endpoint". All zones of an endpoint belong
//! into one group, as one configuration each.
//!
//! ## Example
//!
//! ```bicep
//! resource network 'Microsoft.Network/virtualNetworks@2023-11-01' = {
//!   name: 'vnet-main'
//!   location: 'westeurope'
//!   properties: {
//!     addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
//!     subnets: [
//!       { name: 'snet-endpoints', properties: { addressPrefix: '10.0.1.0/24' } }
//!     ]
//!   }
//! }
//!
//! resource account 'Microsoft.Storage/storageAccounts@2023-01-01' = {
//!   name: 'stmain'
//!   location: 'westeurope'
//!   properties: { publicNetworkAccess: 'Disabled' }
//! }
//!
//! resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
//!   name: 'privatelink.blob.core.windows.net'
//!   location: 'global'
//!
//!   resource link 'virtualNetworkLinks' = {
//!     name: 'link'
//!     location: 'global'
//!     properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
//!   }
//! }
//!
//! resource endpoint 'Microsoft.Network/privateEndpoints@2023-11-01' = {
//!   name: 'pe-main'
//!   location: 'westeurope'
//!   properties: {
//!     subnet: { id: network.properties.subnets[0].id }
//!     privateLinkServiceConnections: [
//!       { name: 'blob', properties: { privateLinkServiceId: account.id, groupIds: ['blob'] } }
//!     ]
//!   }
//!
//!   resource first 'privateDnsZoneGroups' = {
//!     name: 'first'
//!     properties: { privateDnsZoneConfigs: [ { name: 'blob', properties: { privateDnsZoneId: zone.id } } ] }
//!   }
//!
//!   resource second 'privateDnsZoneGroups' = {
//!     name: 'second'
//!     properties: { privateDnsZoneConfigs: [ { name: 'blob', properties: { privateDnsZoneId: zone.id } } ] }
//!   }
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```bicep
//! resource network 'Microsoft.Network/virtualNetworks@2023-11-01' = {
//!   name: 'vnet-main'
//!   location: 'westeurope'
//!   properties: {
//!     addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
//!     subnets: [
//!       { name: 'snet-endpoints', properties: { addressPrefix: '10.0.1.0/24' } }
//!     ]
//!   }
//! }
//!
//! resource account 'Microsoft.Storage/storageAccounts@2023-01-01' = {
//!   name: 'stmain'
//!   location: 'westeurope'
//!   properties: { publicNetworkAccess: 'Disabled' }
//! }
//!
//! resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
//!   name: 'privatelink.blob.core.windows.net'
//!   location: 'global'
//!
//!   resource link 'virtualNetworkLinks' = {
//!     name: 'link'
//!     location: 'global'
//!     properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
//!   }
//! }
//!
//! resource endpoint 'Microsoft.Network/privateEndpoints@2023-11-01' = {
//!   name: 'pe-main'
//!   location: 'westeurope'
//!   properties: {
//!     subnet: { id: network.properties.subnets[0].id }
//!     privateLinkServiceConnections: [
//!       { name: 'blob', properties: { privateLinkServiceId: account.id, groupIds: ['blob'] } }
//!     ]
//!   }
//!
//!   resource first 'privateDnsZoneGroups' = {
//!     name: 'first'
//!     properties: { privateDnsZoneConfigs: [ { name: 'blob', properties: { privateDnsZoneId: zone.id } } ] }
//!   }
//! }
//! ```
//!
//! ## When it is undecided
//!
//! Groups that may not be made make the finding possible. Groups that a policy adds are not seen.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration>
//! - <https://github.com/pulumi/pulumi-azure-native/issues/2179>

use super::{Context, Reporter, Rule, support};
use crate::finding::{Category, Severity};
use crate::topology::{Header, PrivateEndpoint, Topology, ZoneGroup};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "private-endpoint-zone-groups",
    category: Category::PrivateEndpoint,
    severity: Severity::Error,
    summary: "a private endpoint with two DNS zone groups, or more zones than one takes",
    error_codes: &["message: Cannot create more than one private dns zone groups"],
    fix: None,
    pedantic: false,
    source: include_str!("private_endpoint_zone_groups.rs"),
    check,
};

/// The zones that one group takes.
const MOST_ZONES: usize = 5;

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    for endpoint in &topology.private_endpoints {
        let groups: Vec<&ZoneGroup> = endpoint.zone_groups.known().collect();
        let Some(first) = groups.first() else { continue };
        let before = reporter.violations();
        if let Some(second) = groups.iter().skip(1).find(|other| !same(first, other)) {
            two(topology, reporter, endpoint, first, second);
        }
        for group in groups.iter().filter(|group| group.zones.len() > MOST_ZONES) {
            let message = format!(
                "the DNS zone group of private endpoint {} has {} zones; it takes {MOST_ZONES}",
                support::label(topology, &endpoint.header),
                group.zones.len()
            );
            let finding = reporter
                .finding(message, group.header.place)
                .of(&endpoint.header.resource_id)
                .advice("Leave the zones that the endpoint's sub-resource resolves through.")
                .certain_if(endpoint.header.is_certain() && group.header.is_certain());
            reporter.violated(finding);
        }
        if reporter.violations() == before {
            reporter.satisfied();
        }
    }
}

/// Whether two groups are one that is deployed twice.
fn same(a: &ZoneGroup, b: &ZoneGroup) -> bool {
    match (a.header.name.known(), b.header.name.known()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => true,
    }
}

fn two(
    topology: &Topology,
    reporter: &mut Reporter,
    endpoint: &PrivateEndpoint,
    first: &ZoneGroup,
    second: &ZoneGroup,
) {
    let finding = reporter
        .finding(
            format!(
                "private endpoint {} has two DNS zone groups: {} and {}",
                support::label(topology, &endpoint.header),
                support::label(topology, &first.header),
                support::label(topology, &second.header),
            ),
            second.header.place,
        )
        .of(&second.header.resource_id)
        .between(&[&endpoint.header, &first.header, &second.header])
        .related_part("the other group", &first.header)
        .related_part("the endpoint", &endpoint.header)
        .advice("Write all zones into one group.")
        .certain_if([&endpoint.header, &first.header, &second.header].into_iter().all(Header::is_certain));
    reporter.violated(finding);
}
