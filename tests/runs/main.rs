//! The program in a repository, run after run: what is known, suppressed, configured, changed, or elsewhere.

#![allow(clippy::expect_used)]

mod baseline;
mod changes;
mod configuration;
mod suppression;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// A network.
pub(crate) const NETWORK: &str = r#"resource "azurerm_virtual_network" "main" {
  name                = "vnet"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
"#;

/// A subnet of it.
pub(crate) fn subnet(name: &str, range: &str) -> String {
    format!(
        r#"resource "azurerm_subnet" "{name}" {{
  name                 = "{name}"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = ["{range}"]
}}
"#
    )
}

/// A network with a subnet outside of it (one error), and two subnets that overlap (another).
pub(crate) fn defects() -> String {
    [
        NETWORK.to_string(),
        subnet("outside", "10.9.0.0/24"),
        subnet("one", "10.0.0.0/24"),
        subnet("two", "10.0.0.128/25"),
    ]
    .join("\n")
}

/// A folder in which the program is run.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a temporary folder"));
        // So that no configuration above it counts.
        fs::create_dir(folder.path().join(".git")).expect("a folder");
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("a file")
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).expect("a file to remove");
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_in(".", arguments)
    }

    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_portolan"))
            .current_dir(self.path().join(folder))
            .stdin(Stdio::null())
            .args(arguments)
            .output()
            .expect("the program runs")
    }

    /// The report of `check`, and the exit status.
    pub(crate) fn check(&self, arguments: &[&str]) -> (Json, i32) {
        let arguments: Vec<&str> = ["check", "--format", "json"].iter().chain(arguments).copied().collect();
        let output = self.run(&arguments);
        let report =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output:?}"));
        (report, status(&output))
    }

    /// The rules and resources of the findings of `check`.
    pub(crate) fn found(&self, arguments: &[&str]) -> Vec<String> {
        found(&self.check(arguments).0)
    }
}

pub(crate) fn found(report: &Json) -> Vec<String> {
    let text = |json: &Json| json.as_str().expect("a text").to_string();
    let findings = report["findings"].as_array().expect("a list");
    findings
        .iter()
        .map(|finding| format!("{} {}", text(&finding["rule"]), text(&finding["resource"])))
        .collect()
}

pub(crate) fn codes(report: &Json) -> Vec<&str> {
    let notes = report["notes"].as_array().expect("a list");
    notes.iter().map(|note| note["code"].as_str().expect("a code")).collect()
}

pub(crate) fn status(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

pub(crate) const OUTSIDE: &str = "subnet-outside-vnet azurerm_subnet.outside";
pub(crate) const OVERLAP: &str = "subnets-overlap azurerm_subnet.two";
