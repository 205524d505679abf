// What avm/res/network/nat-gateway makes of its parameters, as its README documents them. The zone is zone up to
// version 1.2 (0: none), then availabilityZone (-1: none); the addresses to make are publicIPAddressObjects up to 1.4,
// then publicIPAddresses.
param name string
param location string = resourceGroup().location
param zone int = 0
param availabilityZone int = zone == 0 ? -1 : zone
param natGatewaySku string = 'Standard'
param idleTimeoutInMinutes int = 5
param publicIpResourceIds string[] = []
param publicIPPrefixResourceIds string[] = []
param publicIPAddressObjects array?
param publicIPAddresses array?
param publicIPPrefixObjects array?
param publicIPPrefixes array?
param publicIpResourceIdsV6 string[] = []
param publicIPPrefixResourceIdsV6 string[] = []
param publicIPAddressesV6 array?
param publicIPPrefixesV6 array?
param lock object?
param roleAssignments array?
param tags object?
param enableTelemetry bool = true

var addresses = publicIPAddresses ?? publicIPAddressObjects ?? []
var prefixes = publicIPPrefixes ?? publicIPPrefixObjects ?? []
var ownZones = availabilityZone == -1 ? null : [availabilityZone]
var anyZones = [1, 2, 3]

module publicIpAddress 'br/public:avm/res/network/public-ip-address:0.12.0' = [
  for address in addresses: {
    params: {
      name: address.?name ?? '${name}-pip'
      location: location
      publicIPAddressVersion: address.?publicIPAddressVersion
      publicIpPrefixResourceId: address.?publicIPPrefixResourceId
      skuName: address.?skuName ?? natGatewaySku
      skuTier: address.?skuTier
      availabilityZones: address.?availabilityZones ?? address.?zones ?? ownZones
      tags: address.?tags ?? tags
      dnsSettings: address.?dnsSettings
      ddosSettings: address.?ddosSettings
      idleTimeoutInMinutes: address.?idleTimeoutInMinutes
    }
  }
]

resource publicIpPrefix 'Microsoft.Network/publicIPPrefixes@2024-05-01' = [
  for prefix in prefixes: {
    name: prefix.?name ?? '${name}-pip'
    location: location
    tags: prefix.?tags ?? tags
    sku: { name: prefix.?skuName ?? natGatewaySku }
    // The older parameter did not hand the zone on.
    zones: map(
      publicIPPrefixes == null ? anyZones : (prefix.?availabilityZones ?? ownZones ?? anyZones),
      zone => string(zone)
    )
    properties: { prefixLength: prefix.prefixLength }
  }
]

module publicIpAddressV6 'br/public:avm/res/network/public-ip-address:0.12.0' = [
  for address in (publicIPAddressesV6 ?? []): {
    params: {
      name: address.?name ?? '${name}-pipv6'
      location: location
      publicIPAddressVersion: 'IPv6'
      publicIpPrefixResourceId: address.?publicIPPrefixResourceId
      skuName: address.?skuName ?? natGatewaySku
      skuTier: address.?skuTier
      availabilityZones: address.?availabilityZones ?? ownZones
      tags: address.?tags ?? tags
      dnsSettings: address.?dnsSettings
      ddosSettings: address.?ddosSettings
      idleTimeoutInMinutes: address.?idleTimeoutInMinutes
    }
  }
]

resource publicIpPrefixV6 'Microsoft.Network/publicIPPrefixes@2024-05-01' = [
  for prefix in (publicIPPrefixesV6 ?? []): {
    name: prefix.?name ?? '${name}-pipv6'
    location: location
    tags: prefix.?tags ?? tags
    sku: { name: prefix.?skuName ?? natGatewaySku }
    zones: map(prefix.?availabilityZones ?? ownZones ?? anyZones, zone => string(zone))
    properties: { prefixLength: prefix.prefixLength, publicIPAddressVersion: 'IPv6' }
  }
]

resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: natGatewaySku }
  zones: availabilityZone == -1 ? null : [string(availabilityZone)]
  properties: {
    idleTimeoutInMinutes: idleTimeoutInMinutes
    publicIpAddresses: concat(
      map(range(0, length(addresses)), index => { id: publicIpAddress[index].outputs.resourceId }),
      map(publicIpResourceIds, id => { id: id })
    )
    publicIpPrefixes: concat(
      map(range(0, length(prefixes)), index => { id: publicIpPrefix[index].id }),
      map(publicIPPrefixResourceIds, id => { id: id })
    )
    publicIpAddressesV6: concat(
      map(range(0, length(publicIPAddressesV6 ?? [])), index => { id: publicIpAddressV6[index].outputs.resourceId }),
      map(publicIpResourceIdsV6, id => { id: id })
    )
    publicIpPrefixesV6: concat(
      map(range(0, length(publicIPPrefixesV6 ?? [])), index => { id: publicIpPrefixV6[index].id }),
      map(publicIPPrefixResourceIdsV6, id => { id: id })
    )
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = natGateway.id
output name string = natGateway.name
output location string = natGateway.location
