// What avm/res/network/virtual-network makes of its parameters, as its README documents them.
param name string
param location string = resourceGroup().location
param addressPrefixes string[]
param ipamPoolNumberOfIpAddresses string?
param subnets array?
param dnsServers string[]?
param ddosProtectionPlanResourceId string?
param peerings array?
param vnetEncryption bool = false
param vnetEncryptionEnforcement string = 'AllowUnencrypted'
param flowTimeoutInMinutes int = 0
param virtualNetworkBgpCommunity string?
param enableVmProtection bool?
param enablePrivateEndpointVNetPolicies string?
param ipAllocations array?
param diagnosticSettings array?
param lock object?
param roleAssignments array?
param tags object?
param enableTelemetry bool = true

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: contains(addressPrefixes[0], '/Microsoft.Network/networkManagers/')
      ? {
          ipamPoolPrefixAllocations: [
            {
              pool: { id: addressPrefixes[0] }
              numberOfIpAddresses: ipamPoolNumberOfIpAddresses
            }
          ]
        }
      : { addressPrefixes: addressPrefixes }
    ddosProtectionPlan: empty(ddosProtectionPlanResourceId) ? null : { id: ddosProtectionPlanResourceId }
    enableDdosProtection: !empty(ddosProtectionPlanResourceId)
    dhcpOptions: empty(dnsServers) ? null : { dnsServers: dnsServers }
    encryption: vnetEncryption ? { enabled: true, enforcement: vnetEncryptionEnforcement } : null
    flowTimeoutInMinutes: flowTimeoutInMinutes == 0 ? null : flowTimeoutInMinutes
    enableVmProtection: enableVmProtection
    privateEndpointVNetPolicies: enablePrivateEndpointVNetPolicies
  }
}

resource subnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = [
  for item in (subnets ?? []): {
    parent: virtualNetwork
    name: item.name
    properties: {
      addressPrefix: item.?addressPrefix
      addressPrefixes: item.?addressPrefixes
      ipamPoolPrefixAllocations: item.?ipamPoolPrefixAllocations
      networkSecurityGroup: empty(item.?networkSecurityGroupResourceId) ? null : { id: item.networkSecurityGroupResourceId }
      routeTable: empty(item.?routeTableResourceId) ? null : { id: item.routeTableResourceId }
      natGateway: empty(item.?natGatewayResourceId) ? null : { id: item.natGatewayResourceId }
      serviceEndpoints: map(item.?serviceEndpoints ?? [], endpoint => { service: endpoint })
      serviceEndpointPolicies: item.?serviceEndpointPolicies
      delegations: empty(item.?delegation) ? [] : [{ name: item.delegation, properties: { serviceName: item.delegation } }]
      privateEndpointNetworkPolicies: item.?privateEndpointNetworkPolicies
      privateLinkServiceNetworkPolicies: item.?privateLinkServiceNetworkPolicies
      defaultOutboundAccess: item.?defaultOutboundAccess
      sharingScope: item.?sharingScope
    }
  }
]

resource peering 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings@2025-05-01' = [
  for item in (peerings ?? []): {
    parent: virtualNetwork
    name: item.?name ?? 'peer-${name}-${last(split(item.remoteVirtualNetworkResourceId, '/'))}'
    dependsOn: [subnet]
    properties: {
      allowForwardedTraffic: item.?allowForwardedTraffic ?? true
      allowGatewayTransit: item.?allowGatewayTransit ?? false
      allowVirtualNetworkAccess: item.?allowVirtualNetworkAccess ?? true
      doNotVerifyRemoteGateways: item.?doNotVerifyRemoteGateways ?? true
      useRemoteGateways: item.?useRemoteGateways ?? false
      enableOnlyIPv6Peering: item.?enableOnlyIPv6Peering ?? false
      remoteVirtualNetwork: { id: item.remoteVirtualNetworkResourceId }
    }
  }
]

module remotePeering 'br/public:avm/res/network/virtual-network/virtual-network-peering:0.1.0' = [
  for item in (peerings ?? []): if (item.?remotePeeringEnabled ?? false) {
    scope: resourceGroup(
      split(item.remoteVirtualNetworkResourceId, '/')[2],
      split(item.remoteVirtualNetworkResourceId, '/')[4]
    )
    params: {
      localVnetName: last(split(item.remoteVirtualNetworkResourceId, '/'))
      remoteVirtualNetworkResourceId: virtualNetwork.id
      name: item.?remotePeeringName
      allowForwardedTraffic: item.?remotePeeringAllowForwardedTraffic
      allowGatewayTransit: item.?remotePeeringAllowGatewayTransit
      allowVirtualNetworkAccess: item.?remotePeeringAllowVirtualNetworkAccess
      doNotVerifyRemoteGateways: item.?remotePeeringDoNotVerifyRemoteGateways
      useRemoteGateways: item.?remotePeeringUseRemoteGateways
      enableOnlyIPv6Peering: item.?enableOnlyIPv6Peering
    }
  }
]

output resourceGroupName string = resourceGroup().name
output resourceId string = virtualNetwork.id
output name string = virtualNetwork.name
output location string = virtualNetwork.location
output subnetNames array = [for (item, index) in (subnets ?? []): item.name]
output subnetResourceIds array = [for (item, index) in (subnets ?? []): subnet[index].id]
