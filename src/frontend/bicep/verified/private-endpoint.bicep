// What avm/res/network/private-endpoint makes of its parameters, as its README documents them. Up to version 0.6, the
// zones are given as privateDnsZoneResourceIds and privateDnsZoneGroupName, later as privateDnsZoneGroup.
param name string
param location string = resourceGroup().location
param subnetResourceId string
param applicationSecurityGroupResourceIds string[]?
param customNetworkInterfaceName string?
param customDnsConfigs array?
param ipConfigurations array?
param ipVersionType string?
param privateLinkServiceConnections array?
param manualPrivateLinkServiceConnections array?
param privateDnsZoneGroup object?
param privateDnsZoneResourceIds array?
param privateDnsZoneGroupName string?
param lock object?
param roleAssignments array?
param tags object?
param enableTelemetry bool = true

var zoneConfigurations = privateDnsZoneGroup.?privateDnsZoneGroupConfigs ?? map(
  privateDnsZoneResourceIds ?? [],
  id => { privateDnsZoneResourceId: id }
)

resource privateEndpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    applicationSecurityGroups: map(applicationSecurityGroupResourceIds ?? [], id => { id: id })
    customDnsConfigs: customDnsConfigs ?? []
    customNetworkInterfaceName: customNetworkInterfaceName ?? ''
    ipConfigurations: ipConfigurations ?? []
    ipVersionType: ipVersionType
    privateLinkServiceConnections: privateLinkServiceConnections ?? []
    manualPrivateLinkServiceConnections: manualPrivateLinkServiceConnections ?? []
    subnet: { id: subnetResourceId }
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = if (!empty(zoneConfigurations)) {
  parent: privateEndpoint
  name: privateDnsZoneGroup.?name ?? privateDnsZoneGroupName ?? 'default'
  properties: {
    privateDnsZoneConfigs: map(zoneConfigurations, zone => {
      name: zone.?name ?? last(split(zone.privateDnsZoneResourceId, '/'))
      properties: { privateDnsZoneId: zone.privateDnsZoneResourceId }
    })
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = privateEndpoint.id
output name string = privateEndpoint.name
output location string = privateEndpoint.location
output customDnsConfigs array = privateEndpoint.properties.customDnsConfigs
output networkInterfaceResourceIds array = privateEndpoint.properties.networkInterfaces
output groupId string? = manualPrivateLinkServiceConnections[?0].properties.?groupIds[?0] ?? privateLinkServiceConnections[?0].properties.?groupIds[?0]
