// What avm/res/network/route-table makes of its parameters, as its README documents them.
param name string
param location string = resourceGroup().location
param routes array?
param disableBgpRoutePropagation bool = false
param lock object?
param roleAssignments array?
param tags object?
param enableTelemetry bool = true

resource routeTable 'Microsoft.Network/routeTables@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    routes: routes
    disableBgpRoutePropagation: disableBgpRoutePropagation
  }
}

output resourceGroupName string = resourceGroup().name
output resourceId string = routeTable.id
output name string = routeTable.name
output location string = routeTable.location
