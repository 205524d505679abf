// What avm/res/network/network-security-group makes of its parameters, as its README documents them.
param name string
param location string = resourceGroup().location
param securityRules array?
param flushConnection bool = false
param diagnosticSettings array?
param lock object?
param roleAssignments array?
param tags object?
param enableTelemetry bool = true

resource networkSecurityGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    flushConnection: flushConnection
    securityRules: map(securityRules ?? [], rule => {
      name: rule.name
      properties: {
        access: rule.properties.access
        description: rule.properties.?description ?? ''
        direction: rule.properties.direction
        priority: rule.properties.priority
        protocol: rule.properties.protocol
        sourceAddressPrefix: rule.properties.?sourceAddressPrefix ?? ''
        sourceAddressPrefixes: rule.properties.?sourceAddressPrefixes ?? []
        sourceApplicationSecurityGroups: map(
          rule.properties.?sourceApplicationSecurityGroupResourceIds ?? [],
          id => { id: id }
        )
        sourcePortRange: rule.properties.?sourcePortRange ?? ''
        sourcePortRanges: rule.properties.?sourcePortRanges ?? []
        destinationAddressPrefix: rule.properties.?destinationAddressPrefix ?? ''
        destinationAddressPrefixes: rule.properties.?destinationAddressPrefixes ?? []
        destinationApplicationSecurityGroups: map(
          rule.properties.?destinationApplicationSecurityGroupResourceIds ?? [],
          id => { id: id }
        )
        destinationPortRange: rule.properties.?destinationPortRange ?? ''
        destinationPortRanges: rule.properties.?destinationPortRanges ?? []
      }
    })
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = networkSecurityGroup.id
output name string = networkSecurityGroup.name
output location string = networkSecurityGroup.location
