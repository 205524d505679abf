// What avm/res/network/private-dns-zone makes of its parameters, as its README documents them. Of the records, only
// those with addresses matter here.
param name string
param location string = 'global'
param virtualNetworkLinks array?
param a array?
param aaaa array?
param cname array?
param mx array?
param ptr array?
param soa object?
param srv array?
param txt array?
param lock object?
param roleAssignments array?
param tags object?
param enableTelemetry bool = true

resource privateDnsZone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
  name: name
  location: location
  tags: tags
}

resource virtualNetworkLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for link in (virtualNetworkLinks ?? []): {
    parent: privateDnsZone
    name: link.?name ?? '${last(split(link.virtualNetworkResourceId, '/'))}-vnetlink'
    location: link.?location ?? 'global'
    tags: link.?tags ?? tags
    properties: {
      registrationEnabled: link.?registrationEnabled ?? false
      resolutionPolicy: link.?resolutionPolicy
      virtualNetwork: { id: link.virtualNetworkResourceId }
    }
  }
]

resource addressRecord 'Microsoft.Network/privateDnsZones/A@2020-06-01' = [
  for record in (a ?? []): {
    parent: privateDnsZone
    name: record.name
    properties: {
      aRecords: record.?aRecords
      metadata: record.?metadata
      ttl: record.?ttl ?? 3600
    }
  }
]

output resourceGroupName string = resourceGroup().name
output resourceId string = privateDnsZone.id
output name string = privateDnsZone.name
output location string = privateDnsZone.location
