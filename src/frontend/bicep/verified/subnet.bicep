// What avm/res/network/virtual-network/subnet makes of its parameters, as its README documents them.
param name string
param virtualNetworkName string
param addressPrefix string?
param addressPrefixes string[]?
param ipamPoolPrefixAllocations array?
param networkSecurityGroupResourceId string?
param routeTableResourceId string?
param natGatewayResourceId string?
param serviceEndpoints string[] = []
param serviceEndpointPolicies array?
param delegation string?
param privateEndpointNetworkPolicies string?
param privateLinkServiceNetworkPolicies string?
param defaultOutboundAccess bool?
param sharingScope string?
param applicationGatewayIPConfigurations array?
param ipAllocations array?
param serviceGateway object?
param roleAssignments array?
param enableTelemetry bool = true

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' existing = {
  name: virtualNetworkName
}

resource subnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = {
  parent: virtualNetwork
  name: name
  properties: {
    addressPrefix: addressPrefix
    addressPrefixes: addressPrefixes
    ipamPoolPrefixAllocations: ipamPoolPrefixAllocations
    networkSecurityGroup: empty(networkSecurityGroupResourceId) ? null : { id: networkSecurityGroupResourceId }
    routeTable: empty(routeTableResourceId) ? null : { id: routeTableResourceId }
    natGateway: empty(natGatewayResourceId) ? null : { id: natGatewayResourceId }
    serviceEndpoints: map(serviceEndpoints, endpoint => { service: endpoint })
    serviceEndpointPolicies: serviceEndpointPolicies
    delegations: empty(delegation) ? [] : [{ name: delegation, properties: { serviceName: delegation } }]
    privateEndpointNetworkPolicies: privateEndpointNetworkPolicies
    privateLinkServiceNetworkPolicies: privateLinkServiceNetworkPolicies
    defaultOutboundAccess: defaultOutboundAccess
    sharingScope: sharingScope
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = subnet.id
output name string = subnet.name
output addressPrefix string = addressPrefix ?? ''
output addressPrefixes array = addressPrefixes ?? []
