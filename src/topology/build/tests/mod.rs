//! From text to the model.

mod languages;
mod names;
mod parts;

use std::path::PathBuf;

use crate::frontend::terraform::{Options, discover, load};
use crate::frontend::{arm, bicep};
use crate::resource::{Configuration, Language, Root};
use crate::source::SourceMap;
use crate::topology::*;

/// The model of an ARM template's resources.
fn template(resources: &str) -> Topology {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("azuredeploy.json");
    let text = format!(
        r#"{{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {{ "prefix": {{ "type": "string" }} }},
  "resources": [{resources}]
}}"#
    );
    std::fs::write(&path, text).unwrap();
    let loaded = arm::load_template(&path, &arm::Options::default(), &SourceMap::new(), 0);
    assert_eq!(loaded.diagnostics.iter().map(|d| &d.message).collect::<Vec<_>>(), Vec::<&String>::new());
    super::build(&Configuration {
        roots: vec![Root { path: "azuredeploy.json".into(), language: Language::Arm }],
        resources: loaded.resources,
        ..Configuration::default()
    })
}

/// The model of a Bicep file.
fn bicep_file(text: &str) -> Topology {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.bicep");
    std::fs::write(&path, text).unwrap();
    let loaded = bicep::load(&path, &bicep::Options::default(), &SourceMap::new(), 0);
    super::build(&Configuration {
        roots: vec![Root { path: "main.bicep".into(), language: Language::Bicep }],
        resources: loaded.resources,
        ..Configuration::default()
    })
}

/// The model of Terraform roots, each given as the text of its `main.tf`.
fn roots(texts: &[&str]) -> Topology {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let root = folder.path().join(format!("root{index}"));
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("main.tf"), text).unwrap();
        paths.push(root);
    }
    let sources = SourceMap::new();
    let configuration: Configuration = load(&discover(&paths, &sources), 0, &Options::default(), &sources);
    super::build(&configuration)
}

/// The model of one Terraform file.
pub(crate) fn model(text: &str) -> Topology {
    roots(&[text])
}

fn subnet<'t>(topology: &'t Topology, name: &str) -> &'t Subnet {
    let mut found = topology
        .subnets
        .iter()
        .filter(|subnet| subnet.header.name.known().is_some_and(|known| known.eq_ignore_ascii_case(name)));
    let one = found.next().unwrap_or_else(|| panic!("no subnet {name}"));
    assert!(found.next().is_none(), "subnet {name} twice");
    one
}

fn network_of(topology: &Topology, name: &str) -> Option<String> {
    let network = subnet(topology, name).network.to()?;
    topology[network].header.name.known().map(ToString::to_string)
}

fn version(major: u8) -> String {
    format!(
        "terraform {{\n required_providers {{\n azurerm = {{ source = \"hashicorp/azurerm\", version = \"~> {major}.0\" }}\n }}\n}}\n"
    )
}

const HUB: &str = r#"
resource "azurerm_virtual_network" "hub" {
  name                = "vnet-hub"
  resource_group_name = "rg"
  location            = "West Europe"
  address_space       = ["10.0.0.0/16"]
}
"#;
