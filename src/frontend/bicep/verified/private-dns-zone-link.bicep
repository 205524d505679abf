// What avm/res/network/private-dns-zone/virtual-network-link makes of its parameters, as its README documents them.
param privateDnsZoneName string
param name string = '${last(split(virtualNetworkResourceId, '/'))}-vnetlink'
param location string = 'global'
param registrationEnabled bool = false
param virtualNetworkResourceId string
param resolutionPolicy string?
param tags object?
param enableTelemetry bool = true

resource privateDnsZone 'Microsoft.Network/privateDnsZones@2020-06-01' existing = {
  name: privateDnsZoneName
}

resource virtualNetworkLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: privateDnsZone
  name: name
  location: location
  tags: tags
  properties: {
    registrationEnabled: registrationEnabled
    resolutionPolicy: resolutionPolicy
    virtualNetwork: { id: virtualNetworkResourceId }
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = virtualNetworkLink.id
output name string = virtualNetworkLink.name
output location string = virtualNetworkLink.location
