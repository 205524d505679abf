//! Modules on disk, from registries, and those that are modelled.

use super::*;

#[test]
fn modules_with_loops_conditions_and_outputs() {
    let module = "
param name string
param tags object = {}
resource vnet 'Microsoft.Network/virtualNetworks@2023-04-01' = {
  name: name
  tags: tags
}
output id string = vnet.id
";
    let main = "
param deploySpokes bool = true
module spokes 'modules/network.bicep' = [for i in range(0, 2): if (deploySpokes) {
  name: 'spoke-${i}'
  params: {
    name: 'spoke-${i}'
    ...{ tags: { index: string(i) } }
  }
}]
module hub './modules/network.bicep' = {
  params: { name: 'hub' }
}
module json 'modules/compiled.json' = {
  name: 'json'
  params: { name: 'from-json' }
}
resource peering 'Microsoft.Network/virtualNetworks/virtualNetworkPeerings@2023-04-01' = {
  name: 'hub/to-spoke'
  properties: { remoteVirtualNetwork: { id: spokes[1].outputs.id } }
  dependsOn: [hub]
}
";
    let json = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "name": { "type": "string" } },
  "resources": [
    { "type": "Microsoft.Network/routeTables", "apiVersion": "2023-04-01", "name": "[parameters('name')]" }
  ]
}"#;
    let case =
        case(&[("main.bicep", main), ("modules/network.bicep", module), ("modules/compiled.json", json)]);
    assert_eq!(case.problems(), []);
    assert_eq!(case.at("spokes[0]::vnet", &["name"]), "spoke-0");
    assert_eq!(case.at("spokes[1]::vnet", &["tags"]), "{index: 1}");
    assert_eq!(case.at("hub::vnet", &["name"]), "hub");
    assert_eq!(case.at("peering", &["properties", "remoteVirtualNetwork", "id"]), "<spokes[1]::vnet.id>");
    assert!(case.resources().iter().any(|line| line.ends_with("Microsoft.Network/routeTables from-json")));
}

#[test]
fn modules_that_are_not_on_disk_are_named_and_unknown() {
    let main = "
module a 'br:example.azurecr.io/network:v1' = { name: 'a', params: { x: 1 } }
module b 'br/corp:network:v1' = { name: 'b' }
module c 'ts:0000/group/spec:v1' = { name: 'c' }
module d './missing.bicep' = { name: 'd' }
module e 'br/public:avm/res/network/virtual-network:99.0.0' = { name: 'e' }
output id string = a.outputs.id
";
    let case = case(&[("main.bicep", main)]);
    assert_eq!(case.output("id"), "?");
    let notes = case.notes();
    assert!(notes.iter().any(|note| note.contains("br:example.azurecr.io/network:v1")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("ts:0000/group/spec:v1")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("only 0.3 to 0.10 are modelled")), "{notes:?}");
    let want = [(Level::Warning, "module-not-found", 3), (Level::Warning, "module-not-found", 5)];
    assert_eq!(case.problems(), want);
}

#[test]
fn modules_are_found_in_the_compilers_cache() {
    let cache = tempfile::tempdir().unwrap();
    let place = cache.path().join("br/corp.azurecr.io/bicep$network/1.0.0$");
    std::fs::create_dir_all(&place).unwrap();
    let json = r#"{ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "resources": [], "outputs": { "id": { "type": "string", "value": "cached" } } }"#;
    std::fs::write(place.join("main.json"), json).unwrap();
    let options = Options { module_cache: Some(cache.path().to_path_buf()), ..Options::default() };
    let configuration = r#"{ "moduleAliases": { "br": { "corp": { "registry": "corp.azurecr.io", "modulePath": "bicep" } } } }"#;
    let main = "module m 'br/corp:network:1.0.0' = { name: 'm' }\noutput id string = m.outputs.id\n";
    let files = [("infra/unused.bicep", ""), ("bicepconfig.json", configuration), ("main.bicep", main)];
    let case = case_with(&files, options);
    assert_eq!(case.loaded.diagnostics, []);
    assert_eq!(case.output("id"), "cached");
}

#[test]
fn verified_modules_declare_what_they_document() {
    let main = "
module nsg 'br/public:avm/res/network/network-security-group:0.5.1' = {
  name: 'nsg'
  params: {
    name: 'nsg-app'
    securityRules: [
      {
        name: 'allow-https'
        properties: { access: 'Allow', direction: 'Inbound', priority: 100, protocol: 'Tcp', destinationPortRange: '443' }
      }
    ]
    notYetInvented: true
  }
}
module vnet 'br/public:avm/res/network/virtual-network:0.7.0' = {
  name: 'vnet'
  params: {
    name: 'vnet-app'
    addressPrefixes: ['10.1.0.0/16']
    subnets: [
      {
        name: 'app'
        addressPrefix: '10.1.0.0/24'
        networkSecurityGroupResourceId: nsg.outputs.resourceId
        delegation: 'Microsoft.Web/serverFarms'
      }
    ]
    peerings: [
      {
        remoteVirtualNetworkResourceId: '/subscriptions/s/resourceGroups/hub-rg/providers/Microsoft.Network/virtualNetworks/hub'
        remotePeeringEnabled: true
      }
    ]
  }
}
module endpoint 'br/public:avm/res/network/private-endpoint:0.4.1' = {
  params: {
    name: 'pe'
    subnetResourceId: vnet.outputs.subnetResourceIds[0]
    privateDnsZoneResourceIds: [zone.outputs.resourceId]
  }
}
module zone 'br/public:avm/res/network/private-dns-zone:0.6.0' = {
  params: {
    name: 'privatelink.blob.core.windows.net'
    virtualNetworkLinks: [{ virtualNetworkResourceId: vnet.outputs.resourceId }]
  }
}
module gateway 'br/public:avm/res/network/nat-gateway:1.2.2' = {
  params: {
    name: 'nat'
    zone: 2
    publicIPAddressObjects: [{ name: 'pip' }]
  }
}
";
    let case = case(&[("main.bicep", main)]);
    assert_eq!(case.problems(), []);
    assert_eq!(
        case.at(
            "nsg::networkSecurityGroup",
            &["properties", "securityRules", "0", "properties", "destinationPortRange"]
        ),
        "443"
    );
    assert_eq!(
        case.at("vnet::virtualNetwork", &["properties", "addressSpace"]),
        "{addressPrefixes: [10.1.0.0/16]}"
    );
    let subnet = &["properties"];
    let properties = case.at("vnet::subnet[0]", subnet);
    assert!(properties.contains("<nsg::networkSecurityGroup.id>"), "{properties}");
    assert!(properties.contains("serviceName: Microsoft.Web/serverFarms"), "{properties}");
    assert_eq!(case.at("vnet::peering[0]", &["name"]), "vnet-app/peer-vnet-app-hub");
    assert_eq!(case.at("vnet::remotePeering[0]::peering", &["name"]), "hub/peer-hub-vnet-app");
    assert_eq!(case.at("endpoint::privateEndpoint", &["properties", "subnet", "id"]), "<vnet::subnet[0].id>");
    let zones = &["properties", "privateDnsZoneConfigs", "0", "properties", "privateDnsZoneId"];
    assert_eq!(case.at("endpoint::zoneGroup", zones), "<zone::privateDnsZone.id>");
    assert_eq!(
        case.at("zone::virtualNetworkLink[0]", &["properties", "virtualNetwork", "id"]),
        "<vnet::virtualNetwork.id>"
    );
    assert_eq!(case.at("gateway::natGateway", &["zones"]), "[2]");
    assert_eq!(case.at("gateway::publicIpAddress[0]::publicIpAddress", &["zones"]), "[2]");
    // All of it stands where the module is declared.
    for resource in &case.loaded.resources {
        for span in [resource.span, resource.header] {
            assert!(
                case.map.get(span.file).unwrap().path().ends_with("main.bicep"),
                "{}",
                resource.key.address
            );
        }
    }
    let header = case.resource("vnet::subnet[0]").header;
    assert_eq!(case.map.position(header).unwrap().line, 15);
}

#[test]
fn what_belongs_to_what() {
    let map = SourceMap::new();
    let text = "import { a } from 'shared.bicep'\nmodule m '../modules/m.bicep' = {}\nmodule r 'br/public:x:1' = {}\n";
    let referenced = referenced_files(&map.add(Path::new("main.bicep"), text));
    let found: Vec<_> = referenced.iter().map(|r| (r.path.clone(), r.role)).collect();
    let path = |text: &str| PathBuf::from(text);
    assert_eq!(found, [(path("../modules/m.bicep"), Role::Module), (path("shared.bicep"), Role::Import)]);

    let compiled =
        r#"{ "metadata": { "_generator": { "name": "bicep", "version": "0.1" } }, "resources": [] }"#;
    let json = map.add(Path::new("a/main.json"), compiled);
    assert!(is_compiled_from(&json, Path::new("a/main.bicep")));
    assert!(!is_compiled_from(&json, Path::new("a/other.bicep")));
    let written = map.add(Path::new("b/main.json"), r#"{ "resources": [] }"#);
    assert!(!is_compiled_from(&written, Path::new("b/main.bicep")));
}
