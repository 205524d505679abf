// What avm/res/network/public-ip-address makes of its parameters, as its README documents them. The parameter zones
// became availabilityZones in version 0.9.
param name string
param location string = resourceGroup().location
param publicIpPrefixResourceId string?
param publicIPAllocationMethod string = 'Static'
param publicIPAddressVersion string = 'IPv4'
param zones int[] = [1, 2, 3]
param availabilityZones int[] = zones
param skuName string = 'Standard'
param skuTier string = 'Regional'
param dnsSettings object?
param ddosSettings object?
param deleteOption string?
param ipTags array?
param idleTimeoutInMinutes int = 4
param diagnosticSettings array?
param lock object?
param roleAssignments array?
param tags object?
param enableTelemetry bool = true

resource publicIpAddress 'Microsoft.Network/publicIPAddresses@2025-01-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: skuName, tier: skuTier }
  zones: map(availabilityZones, zone => string(zone))
  properties: {
    publicIPAllocationMethod: publicIPAllocationMethod
    publicIPAddressVersion: publicIPAddressVersion
    publicIPPrefix: empty(publicIpPrefixResourceId) ? null : { id: publicIpPrefixResourceId }
    dnsSettings: dnsSettings
    ddosSettings: ddosSettings
    deleteOption: deleteOption
    ipTags: ipTags
    idleTimeoutInMinutes: idleTimeoutInMinutes
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = publicIpAddress.id
output name string = publicIpAddress.name
output location string = publicIpAddress.location
output ipAddress string = publicIpAddress.properties.ipAddress
