//! What Bicep files come to.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::resource::{Level, Mode, Multiplicity};
use crate::value::{TemplatePart, ValueKind};

/// A folder of files, and what its `main.bicep` (or, if there is one, its `main.bicepparam`) comes to.
struct Case {
    folder: tempfile::TempDir,
    map: SourceMap,
    loaded: Loaded,
}

fn case(files: &[(&str, &str)]) -> Case {
    case_with(files, Options::default())
}

fn case_with(files: &[(&str, &str)], mut options: Options) -> Case {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let parameters = folder.path().join("main.bicepparam");
    let path = if parameters.exists() { parameters } else { folder.path().join("main.bicep") };
    options.deployment.sandbox = Some(Sandbox::new([folder.path().to_path_buf()]));
    let map = SourceMap::new();
    let loaded = load(&path, &options, &map, 0);
    Case { folder, map, loaded }
}

impl Case {
    /// One line for each resource: address, type, name.
    fn resources(&self) -> Vec<String> {
        self.loaded
            .resources
            .iter()
            .map(|r| {
                let name = r.body.get("name").map_or(String::new(), shown);
                format!("{} {} {name}", r.key.address, r.resource_type)
            })
            .collect()
    }

    fn resource(&self, address: &str) -> &Resource {
        let found = self.loaded.resources.iter().find(|r| r.key.address == address);
        found.unwrap_or_else(|| panic!("no {address} in {:?}", self.resources()))
    }

    fn at(&self, address: &str, path: &[&str]) -> String {
        let mut value = &self.resource(address).body;
        for step in path {
            let next = match step.parse::<usize>() {
                Ok(index) => value.as_sequence().and_then(|sequence| sequence.items.get(index)),
                Err(_) => value.get(step),
            };
            value = next.unwrap_or_else(|| panic!("no {step} in {}", shown(value)));
        }
        shown(value)
    }

    fn output(&self, name: &str) -> String {
        shown(self.loaded.outputs.get(name).unwrap_or_else(|| panic!("no output {name}")))
    }

    /// Level, code and line of what is worse than a note.
    fn problems(&self) -> Vec<(Level, &'static str, u32)> {
        let mut problems: Vec<_> = self
            .loaded
            .diagnostics
            .iter()
            .filter(|d| d.level > Level::Note)
            .map(|d| (d.level, d.code, self.map.position(d.span).map_or(0, |p| p.line)))
            .collect();
        problems.sort();
        problems
    }

    fn notes(&self) -> Vec<&str> {
        self.loaded
            .diagnostics
            .iter()
            .filter(|d| d.level == Level::Note)
            .map(|d| d.message.as_str())
            .collect()
    }
}

/// A value as text: references as `<address.path>`, unknowns as `?`.
fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::Null => "null".into(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Number(number) => number.to_string(),
        ValueKind::String(text) => text.to_string(),
        ValueKind::Template(parts) => parts
            .iter()
            .map(|part| match part {
                TemplatePart::Literal(text) => text.to_string(),
                TemplatePart::Value(value) => shown(value),
            })
            .collect(),
        ValueKind::Sequence(sequence) => {
            format!("[{}]", sequence.items.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        ValueKind::Mapping(mapping) => {
            let mut each: Vec<_> = mapping
                .entries
                .iter()
                .map(|(key, entry)| format!("{key}: {}", shown(&entry.value)))
                .collect();
            each.extend(mapping.rest.iter().map(|_| "...".to_string()));
            format!("{{{}}}", each.join(", "))
        }
        ValueKind::Reference(reference) => format!("<{reference}>"),
        ValueKind::Unknown(_) => "?".into(),
    }
}

#[test]
fn expressions() {
    let text = "
param given string = 'x'
param nothing string?
var list = [3, 1, 2]
var people = [{ name: 'Ada', age: 36 }, { name: 'Bo', age: 7 }]
var object = { a: { b: [10, 20] }, 'c d': null }
func double(x int) int => x * 2
func twice(x int) int => double(double(x))
";
    for (expression, want) in [
        ("1 + 2 * 3 - 8 / 3 % 2", "7"),
        ("-(4) < 3 && !(2 >= 3)", "true"),
        ("'A' =~ 'a' && 'A' != 'a' && 'A' !~ 'b'", "true"),
        ("nothing ?? given", "x"),
        ("empty(nothing) ? 'none' : nothing!", "none"),
        ("'${given}-${1}-${true}-${list}'", "x-1-True-[3,1,2]"),
        ("$'''\na${given}'''", "ax"),
        ("'''${given}'''", "${given}"),
        ("object.a.b[0] + object.a.b[^1]", "30"),
        ("object.?x.?y", "null"),
        ("object.?x.y[0]", "null"),
        ("object.a.b[?7]", "null"),
        ("object['c d'] ?? 'null'", "null"),
        ("[for x in list: x * 2]", "[6, 2, 4]"),
        ("[for (x, i) in list: '${i}${x}']", "[03, 11, 22]"),
        ("[for i in range(10, 2): [for j in range(0, i - 9): j]]", "[[0], [0, 1]]"),
        ("[for item in items({ k: 'v' }): '${item.key}=${item.value}']", "[k=v]"),
        ("[...list, 4, ...[5]]", "[3, 1, 2, 4, 5]"),
        ("{ z: 1, ...{ a: 2, z: 3 } }", "{z: 3, a: 2}"),
        ("map(people, p => p.name)", "[Ada, Bo]"),
        ("filter(people, (p, i) => i == 0 || p.age > 10)[0].name", "Ada"),
        ("sort(list, (a, b) => a < b)", "[1, 2, 3]"),
        ("reduce(list, 0, (sum, next) => sum + next)", "6"),
        ("toObject(people, p => p.name, p => p.age)", "{Ada: 36, Bo: 7}"),
        ("groupBy(people, p => p.age > 10 ? 'old' : 'young', p => p.name)", "{old: [Ada], young: [Bo]}"),
        ("nameof(object['c d'])", "c d"),
        ("twice(3)", "12"),
        ("sys.max(list) + sys.length('abc')", "6"),
        ("cidrSubnet('10.0.0.0/16', 24, 2)", "10.0.2.0/24"),
        ("parseCidr('10.0.0.0/28').lastUsable", "10.0.0.14"),
        ("any(1)", "1"),
        ("nameof(object.a)", "a"),
        ("contains(object, 'a') && contains(list, 2) && contains('abc', 'b')", "true"),
        ("join(split('a,b', ','), '-')", "a-b"),
        ("uniqueString('a') == uniqueString('a')", "true"),
        ("true || fail('never') == 1", "true"),
    ] {
        let case = case(&[("main.bicep", &format!("{text}output result object = {expression}\n"))]);
        assert_eq!(case.problems(), [], "{expression}");
        assert_eq!(case.output("result"), want, "{expression}");
    }
}

#[test]
fn single_expressions() {
    let evaluate = |text: &str| {
        let file = SourceMap::new().add(Path::new("expression"), text);
        evaluate_expression(&file, &arm::Options::default())
    };
    assert_eq!(shown(&evaluate("cidrHost('10.0.0.0/24', 3)").unwrap()), "10.0.0.4");
    assert_eq!(shown(&evaluate("[for i in range(0, 2): 'a${i}']\n").unwrap()), "[a0, a1]");
    for wrong in ["1 +", "nothing", "1 2", "int('x')"] {
        assert!(!evaluate(wrong).unwrap_err().is_empty(), "{wrong}");
    }
}

const NETWORK: &str = "
param prefix string = '10.0.0.0/16'
@allowed(['a', 'b'])
param subnets array = ['one', 'two']
param withTable bool

resource nsg 'Microsoft.Network/networkSecurityGroups@2023-04-01' = {
  name: 'nsg'
  resource deny 'securityRules' = {
    name: 'deny'
    properties: { priority: 4096 }
  }
}

resource table 'Microsoft.Network/routeTables@2023-04-01' = if (withTable) {
  name: 'table'
}

resource vnet 'Microsoft.Network/virtualNetworks@2023-04-01' = {
  name: 'vnet'
  properties: {
    addressSpace: { addressPrefixes: [prefix] }
  }
}

resource subnet 'Microsoft.Network/virtualNetworks/subnets@2023-04-01' = [for (name, i) in subnets: if (name != 'never') {
  parent: vnet
  name: name
  dependsOn: [nsg::deny]
  properties: {
    addressPrefix: cidrSubnet(prefix, 24, i)
    networkSecurityGroup: { id: nsg.id }
  }
}]

resource hub 'Microsoft.Network/virtualNetworks@2023-04-01' existing = {
  name: 'hub'
  scope: resourceGroup('hub-rg')
}

output first string = subnet[0].id
output range string = vnet.properties.addressSpace.addressPrefixes[0]
output hubId string = hub.id
";

#[test]
fn resources_loops_parents_and_conditions() {
    let case = case(&[("main.bicep", NETWORK)]);
    assert_eq!(
        case.resources(),
        [
            "nsg Microsoft.Network/networkSecurityGroups nsg",
            "nsg::deny Microsoft.Network/networkSecurityGroups/securityRules nsg/deny",
            "table Microsoft.Network/routeTables table",
            "vnet Microsoft.Network/virtualNetworks vnet",
            "subnet[0] Microsoft.Network/virtualNetworks/subnets vnet/one",
            "subnet[1] Microsoft.Network/virtualNetworks/subnets vnet/two",
            "hub Microsoft.Network/virtualNetworks hub",
        ]
    );
    assert_eq!(case.at("subnet[1]", &["properties", "addressPrefix"]), "10.0.1.0/24");
    assert_eq!(case.at("subnet[1]", &["properties", "networkSecurityGroup", "id"]), "<nsg.id>");
    assert_eq!(case.resource("subnet[0]").dependencies, ["nsg", "nsg::deny", "vnet"]);
    assert_eq!(case.resource("hub").mode, Mode::Existing);
    assert!(matches!(case.resource("table").multiplicity, Multiplicity::ZeroOrMore(_)));
    assert_eq!(case.resource("vnet").multiplicity, Multiplicity::One);
    assert_eq!(case.output("first"), "<subnet[0].id>");
    assert_eq!(case.output("range"), "10.0.0.0/16");
    let header = case.resource("subnet[0]").header;
    let file = case.map.get(header.file).unwrap();
    assert!(file.slice(header).starts_with("resource subnet 'Microsoft"), "{}", file.slice(header));
}

#[test]
fn a_literal_is_found_where_it_was_written() {
    let case = case(&[
        (
            "main.bicep",
            "param prefix string\nmodule m 'm.bicep' = {\n  name: 'm'\n  params: { prefix: prefix }\n}\n",
        ),
        (
            "m.bicep",
            "param prefix string\nresource vnet 'Microsoft.Network/virtualNetworks@2023-04-01' = {\n  name: 'v'\n  \
             properties: { addressSpace: { addressPrefixes: [prefix] } }\n}\n",
        ),
        ("main.bicepparam", "using './main.bicep'\nvar base = '10.0.0.0/8'\nparam prefix = base\n"),
    ]);
    let vnet = case.resource("m::vnet");
    let prefixes =
        vnet.body.get("properties").and_then(|p| p.get("addressSpace")?.get("addressPrefixes")).unwrap();
    let prefix = &prefixes.as_sequence().unwrap().items[0];
    assert_eq!(prefix.as_str(), Some("10.0.0.0/8"));
    let file = case.map.get(prefix.span.file).unwrap();
    assert!(file.path().ends_with("main.bicepparam"));
    assert_eq!(case.map.position(prefix.span).unwrap().line, 2);
}

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
fn imports_bring_what_they_need() {
    let shared = "
import { base } from 'base.bicep'
var hidden = 'hidden'
@export()
var prefix = '${base}-${hidden}'
@export()
func named(kind string) string => '${prefix}-${kind}'
@export()
type names = string[]
@export()
@secure()
type secret = string?
";
    let main = "
import { prefix, named as nameOf, secret } from 'shared.bicep'
import * as shared from 'shared.bicep'
param password secret
param list shared.names = ['a']
output a string = prefix
output b string = nameOf('vnet')
output c string = shared.named('nsg')
output d string = shared.prefix
output e string = password ?? 'none'
output f array = map(list, item => shared.named(item))
";
    let case = case(&[
        ("main.bicep", main),
        ("shared.bicep", shared),
        ("base.bicep", "@export()\nvar base = 'base'\nparam unused string\n"),
    ]);
    assert_eq!(case.problems(), []);
    let outputs: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(|name| case.output(name)).into();
    let want =
        ["base-hidden", "base-hidden-vnet", "base-hidden-nsg", "base-hidden", "none", "[base-hidden-a]"];
    assert_eq!(outputs, want);
}

#[test]
fn files_are_loaded_inside_the_sandbox_only() {
    let main = "
var path = 'data'
var file = '${path}/rules.json'
output json array = map(loadJsonContent(file), rule => rule.name)
output part string = loadJsonContent('data/rules.json', '[1].name')
output deep string = loadJsonContent('data/deep.json', '$.a[\\'b c\\'].d')
output yaml object = loadYamlContent('data/rules.yaml')
output text string = loadTextContent('data/note.txt')
output base string = loadFileAsBase64('data/note.txt')
output outside string = loadTextContent('../../../../../../../etc/hostname')
output missing object = loadJsonContent('data/none.json')
";
    let case = case(&[
        ("main.bicep", main),
        ("data/rules.json", "[ { \"name\": \"a\" }, { \"name\": \"b\" } ]"),
        ("data/deep.json", "{ \"a\": { \"b c\": { \"d\": \"e\" } } }"),
        ("data/rules.yaml", "list:\n  - 1\n  - '2'\n"),
        ("data/note.txt", "hé"),
    ]);
    let outputs: Vec<_> = ["json", "part", "deep", "yaml", "text", "base", "outside", "missing"]
        .map(|name| case.output(name))
        .into();
    assert_eq!(outputs, ["[a, b]", "b", "e", "{list: [1, 2]}", "hé", "aMOp", "?", "?"]);
    let want = [(Level::Warning, "unreadable-file", 10), (Level::Warning, "unreadable-file", 11)];
    assert_eq!(case.problems(), want);
}

#[test]
fn parameters_files_extend_and_override() {
    let case = case(&[
        (
            "main.bicep",
            "param name string\nparam tags object\nparam count int = 3\noutput all string = '${name}-${count}-${tags.a}-${tags.b}'\n",
        ),
        (
            "shared/base.bicepparam",
            "using none\nparam name = 'base'\nparam tags = { a: 'base' }\nparam count = 1\n",
        ),
        (
            "main.bicepparam",
            "using 'main.bicep'\nextends 'shared/base.bicepparam'\nparam name = 'own'\nparam tags = union(base.tags, { b: name })\n",
        ),
    ]);
    assert_eq!(case.problems(), []);
    assert_eq!(case.output("all"), "own-1-base-own");
}

#[test]
fn parameters_from_json_files_and_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.json");
    let json = r#"{ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
        "parameters": { "A": { "value": "file" }, "b": { "value": "file" } } }"#;
    std::fs::write(&file, json).unwrap();
    let mut options = Options::default();
    options.deployment.parameter_files = vec![file];
    options.deployment.parameters = vec![("b".into(), Value::string("line", Span::NOWHERE))];
    let text = "param a string\nparam b string\nparam c string\noutput all string = '${a}-${b}-${c}'\n";
    let case = case_with(&[("main.bicep", text)], options);
    assert_eq!(case.output("all"), "file-line-?");
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
fn a_circle_of_modules_or_imports_ends() {
    let case = case(&[
        (
            "main.bicep",
            "import { a } from 'a.bicep'\nmodule m 'm.bicep' = { name: 'm' }\noutput x string = a\n",
        ),
        ("m.bicep", "module back 'main.bicep' = { name: 'back' }\nvar v = v\noutput o string = v\n"),
        ("a.bicep", "import { a } from 'b.bicep'\n"),
        ("b.bicep", "import { a } from 'a.bicep'\n"),
    ]);
    assert!(case.problems().contains(&(Level::Warning, "module-not-found", 1)), "{:?}", case.problems());
    assert_eq!(case.output("x"), "?");
}

#[test]
fn damage_leaves_the_healthy_declarations() {
    let text = "
resource vnet 'Microsoft.Network/virtualNetworks@2023-04-01' = {
  name: 'vnet'
  properties: {
    addressSpace: {
      addressPrefixes: ['10.0.0.0/16'
    }
}
resource nsg 'Microsoft.Network/networkSecurityGroups@2023-04-01' = {
  name: 'nsg'
}
";
    let case = case(&[("main.bicep", text)]);
    assert!(case.problems().iter().any(|(level, code, _)| *level == Level::Error && *code == "syntax-error"));
    assert_eq!(case.at("nsg", &["name"]), "nsg");
    assert_eq!(case.at("vnet", &["name"]), "vnet");
    assert!(!case.loaded.unreadable);
}

#[test]
fn files_that_cannot_be_read_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary.bicep");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    for path in [folder.path().join("none.bicep"), binary] {
        let loaded = load(&path, &Options::default(), &SourceMap::new(), 0);
        assert!(loaded.unreadable);
        assert_eq!(loaded.diagnostics.len(), 1);
    }
    let junk = case(&[("main.bicep", "{ \"not\": \"bicep\" }\n")]);
    assert!(junk.loaded.unreadable);
    assert!(!case(&[("main.bicep", "// nothing yet\n")]).loaded.unreadable);
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

#[test]
fn nothing_is_too_deep_or_too_long() {
    let bodies = [
        format!("var x = a{}", ".b".repeat(50_000)),
        format!("var x = 1{}", " - 1".repeat(50_000)),
        format!("var x = true{}", " && true".repeat(50_000)),
        format!("var x = {}1{}", "[".repeat(5_000), "]".repeat(5_000)),
        (0..3_000).map(|i| format!("var v{i} = v{}\n", i + 1)).collect(),
        "var x = map(range(0, 1000000), i => map(range(0, 1000000), j => j))".to_string(),
        format!(
            "var a0 = 'aaaaaaaaaa'\n{}",
            (1..60).map(|i| format!("var a{i} = '${{a{}}}${{a{}}}'\n", i - 1, i - 1)).collect::<String>()
        ),
        format!(
            "type t0 = string\n{}",
            (1..60).map(|i| format!("type t{i} = t{} | t{}\n", i - 1, i - 1)).collect::<String>()
                + "param p t59\n"
        ),
    ];
    for body in bodies {
        let last = body.matches("var ").count().saturating_sub(1);
        let text = format!(
            "{body}\noutput done string = 'yes'\noutput last object = {}\n",
            match last {
                0 => "x".to_string(),
                2_999 => "v0".to_string(),
                _ => format!("a{last}"),
            }
        );
        let case = case(&[("main.bicep", &text)]);
        assert_eq!(case.output("done"), "yes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// A valid file with pieces cut out, doubled or exchanged: evaluation ends and says what it says without a panic.
    #[test]
    fn mutated_files(cuts in proptest::collection::vec((0..NETWORK.len(), 0..NETWORK.len(), 0..4_u8), 1..6)) {
        let mut text = NETWORK.to_string();
        for (from, length, kind) in cuts {
            let start = from.min(text.len());
            let end = (start + length % 40).min(text.len());
            let piece = text[start..end].to_string();
            match kind {
                0 => text.replace_range(start..end, ""),
                1 => text.insert_str(start, &piece),
                2 => text.replace_range(start..end, "'"),
                _ => text.insert_str(end, "}{"),
            }
        }
        let case = case(&[("main.bicep", &text)]);
        for diagnostic in &case.loaded.diagnostics {
            prop_assert!(diagnostic.span.end as usize <= text.len());
        }
        drop(case.folder);
    }
}
