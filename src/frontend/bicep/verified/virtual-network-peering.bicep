// What avm/res/network/virtual-network/virtual-network-peering makes of its parameters, as its README documents them.
param name string = 'peer-${localVnetName}-${last(split(remoteVirtualNetworkResourceId, '/'))}'
param localVnetName string
param remoteVirtualNetworkResourceId string
param allowForwardedTraffic bool = true
param allowGatewayTransit bool = false
param allowVirtualNetworkAccess bool = true
param doNotVerifyRemoteGateways bool = true
param useRemoteGateways bool = false
param enableOnlyIPv6Peering bool = false
param enableTelemetry bool = true

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: localVnetName
}

resource peering 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings@2025-05-01' = {
  parent: virtualNetwork
  name: name
  properties: {
    allowForwardedTraffic: allowForwardedTraffic
    allowGatewayTransit: allowGatewayTransit
    allowVirtualNetworkAccess: allowVirtualNetworkAccess
    doNotVerifyRemoteGateways: doNotVerifyRemoteGateways
    useRemoteGateways: useRemoteGateways
    enableOnlyIPv6Peering: enableOnlyIPv6Peering
    remoteVirtualNetwork: { id: remoteVirtualNetworkResourceId }
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = peering.id
output name string = peering.name
