//! What Bicep files come to.

mod expressions;
mod modules;
mod parameters;
mod resources;
mod robustness;

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

/// A network with loops, a condition, a nested child and an existing resource.
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
