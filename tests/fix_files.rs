//! What fixes make of files: formatting, languages, and what is never touched.

#![allow(clippy::expect_used)]

use std::path::{Path, PathBuf};

use portolan::analyzer::{self, Options, Selection};
use portolan::fix::{save, unified};

/// Files in a folder.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        folder
    }

    fn path(&self) -> PathBuf {
        std::fs::canonicalize(self.0.path()).expect("the folder is there")
    }

    fn options(&self, paths: &[&str]) -> Options {
        let paths = paths.iter().map(|path| self.path().join(path)).collect();
        let rules = Selection::default().rules().expect("all rules");
        Options { paths, rules, ..Options::default() }
    }

    /// The differences that fixing makes, and what is said of what was fixed.
    fn fix(&self, options: &Options) -> String {
        let fixing = analyzer::find_fixes(options, &|_| {});
        let mut text = String::new();
        for fixed in &fixing.fixed {
            text.push_str(&format!("[{}] {}\n", fixed.rule, fixed.title));
        }
        for changed in &fixing.files {
            let path = changed.file.path().strip_prefix(self.path()).expect("a file of the folder");
            let hidden = |line| fixing.hidden.hold(changed.file.display(), line);
            let path = path.to_string_lossy().replace('\\', "/");
            text.push_str(&unified(&path, changed.file.text(), &changed.text, &hidden));
        }
        text
    }

    fn fix_all(&self) -> String {
        self.fix(&self.options(&["."]))
    }
}

/// A network with a server in a subnet, whose inside is given.
fn server_in(subnet: &str) -> String {
    format!(
        r#"resource "azurerm_virtual_network" "main" {{
  name                = "vnet"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}}

{subnet}
resource "azurerm_private_dns_zone" "db" {{
  name                = "orders.private.postgres.database.azure.com"
  resource_group_name = "rg"
}}

resource "azurerm_private_dns_zone_virtual_network_link" "db" {{
  name                  = "link"
  resource_group_name   = "rg"
  private_dns_zone_name = azurerm_private_dns_zone.db.name
  virtual_network_id    = azurerm_virtual_network.main.id
}}

resource "azurerm_postgresql_flexible_server" "db" {{
  name                          = "psql-orders"
  resource_group_name           = "rg"
  location                      = "westeurope"
  delegated_subnet_id           = azurerm_subnet.db.id
  private_dns_zone_id           = azurerm_private_dns_zone.db.id
  public_network_access_enabled = false

  depends_on = [azurerm_private_dns_zone_virtual_network_link.db]
}}
"#
    )
}

const SUBNET: &str = r#"resource "azurerm_subnet" "db" {
  name                 = "snet-db" # the databases
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = ["10.0.1.0/24"] # one /24

  # Nothing else may change this.
  lifecycle {
    ignore_changes = [tags]
  }
}
"#;

#[test]
fn blocks_come_before_those_that_come_last_and_comments_stay() {
    insta::assert_snapshot!(Folder::new(&[("main.tf", &server_in(SUBNET))]).fix_all());
}

#[test]
fn tabs_and_windows_line_ends_are_kept() {
    let tabs = server_in(&SUBNET.replace("  ", "\t"));
    let folder = Folder::new(&[("main.tf", &tabs.replace('\n', "\r\n"))]);
    let fixing = analyzer::find_fixes(&folder.options(&["."]), &|_| {});
    let text = &fixing.files.first().expect("a changed file").text;
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(
        text.contains("\tdelegation {\r\n\t\tname = \"flexibleServers\"\r\n\r\n\t\tservice_delegation {\r\n")
    );
}

#[test]
fn code_that_several_instances_share_changes_for_all_or_not_at_all() {
    let module = |servers: &str| {
        let root = format!(
            r#"module "orders" {{
  source = "./subnet"
  name   = "orders"
}}

module "stock" {{
  source = "./subnet"
  name   = "stock"
}}
{servers}"#
        );
        let subnet = r#"variable "name" {}

resource "azurerm_virtual_network" "main" {
  name                = "vnet-${var.name}"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "db" {
  name                 = "snet"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = ["10.0.1.0/24"]
}

output "subnet_id" {
  value = azurerm_subnet.db.id
}
"#;
        Folder::new(&[("main.tf", &root), ("subnet/main.tf", subnet)])
    };
    let server = |name: &str| {
        format!(
            r#"
resource "azurerm_mssql_managed_instance" "{name}" {{
  name                = "sqlmi-{name}"
  resource_group_name = "rg"
  location            = "westeurope"
  subnet_id           = module.{name}.subnet_id
}}
"#
        )
    };
    let select = |folder: &Folder| {
        let selection =
            Selection { select: vec!["subnet-delegation-missing".into()], ..Selection::default() };
        Options { rules: selection.rules().expect("a rule"), ..folder.options(&["."]) }
    };
    let both = module(&(server("orders") + &server("stock")));
    insta::assert_snapshot!(both.fix(&select(&both)));
    let one = module(&server("orders"));
    assert_eq!(one.fix(&select(&one)), "");
}

#[test]
fn values_are_replaced_where_they_stand() {
    let text = r#"resource "azurerm_virtual_network" "hub" {
  name                = "hub"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space = [ "10.0.0.1/16" /* all of it */ ]
}
resource "azurerm_network_security_group" "web" {
  name                = "nsg"
  resource_group_name = "rg"
  location            = "westeurope"
  security_rule {
    name                         = "web"
    priority                     = 100
    direction                    = "Inbound"
    access                       = "Allow"
    protocol                     = "Tcp"
    source_port_range            = "*"
    destination_port_range       = "80,443"
    source_address_prefix        = "*"
    destination_address_prefixes = ["10.0.0.0/24"]
  }
}"#;
    insta::assert_snapshot!(Folder::new(&[("main.tf", text)]).fix_all());
}

#[test]
fn terraform_json_and_azapi_have_fixes_too() {
    let json = r#"{
    "resource": {
        "azurerm_virtual_network": {
            "main": {
                "name": "vnet",
                "resource_group_name": "rg",
                "location": "westeurope",
                "address_space": ["10.0.0.0/16"]
            }
        },
        "azurerm_subnet": {
            "db": {
                "name": "snet-db",
                "resource_group_name": "rg",
                "virtual_network_name": "${azurerm_virtual_network.main.name}",
                "address_prefixes": ["10.0.1.0/24"]
            }
        },
        "azurerm_storage_account": {
            "main": {
                "name": "storders",
                "resource_group_name": "rg",
                "location": "westeurope",
                "network_rules": {
                    "default_action": "Deny",
                    "virtual_network_subnet_ids": ["${azurerm_subnet.db.id}"]
                }
            }
        }
    }
}
"#;
    let azapi = r#"resource "azapi_resource" "vnet" {
  type      = "Microsoft.Network/virtualNetworks@2023-11-01"
  name      = "vnet-azapi"
  parent_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg"
  location  = "westeurope"
  body = {
    properties = {
      addressSpace = { addressPrefixes = ["10.1.0.0/16"] }
      subnets = [
        {
          name       = "snet"
          properties = { addressPrefix = "10.1.1.0/24" }
        }
      ]
    }
  }
}

resource "azapi_resource" "table" {
  type      = "Microsoft.Network/routeTables@2023-11-01"
  name      = "rt"
  parent_id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg"
  location  = "westeurope"
  body = {
    properties = {
      routes = [{
        name = "out"
        properties = {
          addressPrefix    = "0.0.0.0/0"
          nextHopType      = "VirtualAppliance"
          nextHopIpAddress = "10.1.1.4/32"
        }
      }]
    }
  }
}
"#;
    let folder = Folder::new(&[("json/main.tf.json", json), ("azapi/main.tf", azapi)]);
    insta::assert_snapshot!(folder.fix_all());
}

#[test]
fn nothing_outside_the_checked_paths_and_nothing_made_is_changed() {
    let module = r#"resource "azurerm_virtual_network" "main" {
  name                = "vnet"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.1/16"]
}
"#;
    let template = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "metadata": { "_generator": { "name": "bicep", "version": "0.30.0", "templateHash": "1" } },
  "resources": [
    {
      "type": "Microsoft.Network/virtualNetworks",
      "apiVersion": "2023-11-01",
      "name": "vnet",
      "location": "westeurope",
      "properties": { "addressSpace": { "addressPrefixes": ["10.0.0.1/16"] } }
    }
  ]
}
"#;
    let folder = Folder::new(&[
        ("live/main.tf", "module \"network\" {\n  source = \"../modules/network\"\n}\n"),
        ("modules/network/main.tf", module),
        ("made/azuredeploy.json", template),
    ]);
    assert_eq!(folder.fix(&folder.options(&["live"])), "");
    assert_eq!(folder.fix(&folder.options(&["made"])), "");
    assert_ne!(folder.fix(&folder.options(&["live", "modules"])), "");
}

#[test]
fn a_value_that_comes_from_elsewhere_is_not_changed() {
    let text = r#"variable "space" {
  default = "10.0.0.1/16"
}

locals {
  other = ["10.1.0.1/16"]
}

resource "azurerm_virtual_network" "a" {
  name                = "a"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = [var.space]
}

resource "azurerm_virtual_network" "b" {
  name                = "b"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = local.other
}
"#;
    assert_eq!(Folder::new(&[("main.tf", text)]).fix_all(), "");
}

#[test]
fn lines_that_hold_secrets_are_neither_changed_nor_shown() {
    let text = r#"variable "secret" {
  sensitive = true
  default   = "top"
}

resource "azurerm_virtual_network" "a" {
  name                = "a"
  resource_group_name = "rg"
  location            = "westeurope"
  tags                = { secret = var.secret }
  address_space       = ["10.0.0.1/16"]
}
"#;
    let diff = Folder::new(&[("main.tf", text)]).fix_all();
    assert!(diff.contains("+  address_space       = [\"10.0.0.0/16\"]"), "{diff}");
    assert!(!diff.contains("secret"), "{diff}");
}

#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    let text = "resource \"azurerm_virtual_network\" \"a\" {\n  name                = \"a\"\n  resource_group_name = \"rg\"\n  location            = \"westeurope\"\n  address_space       = [\"10.0.0.1/16\"]\n}\n";
    let folder = Folder::new(&[("main.tf", text)]);
    let fixing = analyzer::find_fixes(&folder.options(&["."]), &|_| {});
    assert_eq!(fixing.files.len(), 1);
    let path = folder.path().join("main.tf");
    std::fs::write(&path, format!("# mine\n{text}")).expect("a file");
    assert!(save(&fixing.files).is_err());
    assert!(read(&path).starts_with("# mine\n"));
    std::fs::write(&path, text).expect("a file");
    save(&fixing.files).expect("it is as it was read");
    assert!(read(&path).contains("10.0.0.0/16"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
}

const CLEARED: &str = r#"resource "azurerm_virtual_network" "a" {
  name                = "a"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.1/16"]
}

resource "azurerm_subnet" "tiny" {
  name                 = "tiny"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.a.name
  address_prefixes     = ["10.9.0.0/24"]
}
"#;

/// A run of the program: exit status, standard output, standard error.
fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_portolan"))
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_program_shows_fixes_and_applies_them() {
    let folder = Folder::new(&[("main.tf", CLEARED)]);
    let (status, diff, told) = run(&folder, &["check", "--diff"]);
    assert_eq!(status, Some(1));
    assert!(diff.starts_with("--- a/main.tf\n+++ b/main.tf\n@@ "), "{diff}");
    assert!(diff.contains(
        "-  address_space       = [\"10.0.0.1/16\"]\n+  address_space       = [\"10.0.0.0/16\"]\n"
    ));
    assert_eq!(
        told,
        "Would fix 1 finding in 1 file:\n  invalid-address-prefix (1)\n    main.tf:5: Write `10.0.0.0/16`\n"
    );
    let path = folder.path().join("main.tf");
    assert_eq!(read(&path), CLEARED, "nothing is written");

    let (_, text, _) = run(&folder, &["check"]);
    assert!(text.contains("1 finding can be fixed with `--fix`; `--diff` shows how.\n"), "{text}");

    let (status, text, told) = run(&folder, &["check", "--fix"]);
    assert_eq!(status, Some(1), "what cannot be fixed remains: {text}");
    assert!(text.contains("[subnet-outside-vnet]") && !text.contains("[invalid-address-prefix]"), "{text}");
    assert!(told.starts_with("Fixed 1 finding in 1 file:\n"), "{told}");
    assert_eq!(read(&path), CLEARED.replace("10.0.0.1/16", "10.0.0.0/16"));

    let (status, diff, told) = run(&folder, &["check", "--diff"]);
    assert_eq!((status, diff.as_str(), told.as_str()), (Some(0), "", "Nothing to fix.\n"));
}

#[test]
fn sarif_and_json_carry_fixes() {
    // The tab and the letters before the value count as one column each, the letter outside of the first plane as two.
    let text = "resource \"azurerm_virtual_network\" \"a\" {\r\n  name                = \"a\"\r\n  resource_group_name = \"rg\"\r\n  location            = \"westeurope\"\r\n\taddress_space = [/* ä𝄞 */ \"10.0.0.1/16\"]\r\n}\r\n";
    let folder = Folder::new(&[("main.tf", text)]);
    let (_, sarif, _) = run(&folder, &["check", "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("JSON");
    assert_eq!(
        sarif["runs"][0]["results"][0]["fixes"],
        serde_json::json!([{
            "description": { "text": "Write `10.0.0.0/16`." },
            "artifactChanges": [{
                "artifactLocation": { "uri": "main.tf", "uriBaseId": "SRCROOT" },
                "replacements": [{
                    "deletedRegion": { "startLine": 5, "startColumn": 29, "endLine": 5, "endColumn": 42 },
                    "insertedContent": { "text": "\"10.0.0.0/16\"" }
                }]
            }]
        }])
    );
    let (_, json, _) = run(&folder, &["check", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        json["findings"][0]["fix"],
        serde_json::json!({
            "title": "Write `10.0.0.0/16`",
            "edits": [{
                "location": { "file": "main.tf", "line": 5, "column": 28, "end_line": 5, "end_column": 41 },
                "text": "\"10.0.0.0/16\""
            }]
        })
    );
    assert_eq!(json["summary"]["fixable"], 1);
}

#[test]
fn fixes_of_a_plan_go_to_its_source() {
    let source = CLEARED.split("\n\n").next().expect("a network").to_string() + "\n";
    let plan = r#"{
  "format_version": "1.2",
  "terraform_version": "1.9.0",
  "planned_values": {"root_module": {}},
  "resource_changes": [
    {
      "address": "azurerm_virtual_network.a",
      "mode": "managed",
      "type": "azurerm_virtual_network",
      "name": "a",
      "provider_name": "registry.terraform.io/hashicorp/azurerm",
      "change": {
        "actions": ["create"],
        "before": null,
        "after": {
          "name": "a",
          "resource_group_name": "rg",
          "location": "westeurope",
          "address_space": ["10.0.0.1/16"]
        },
        "after_unknown": {"id": true},
        "after_sensitive": {}
      }
    }
  ],
  "configuration": {"root_module": {}}
}
"#;
    let folder = Folder::new(&[("plan/plan.json", plan), ("source/main.tf", &source)]);
    let (_, _, told) = run(&folder, &["check", "--fix", "plan/plan.json"]);
    assert_eq!(told, "Nothing to fix.\n", "without a source there is nothing to change");
    let stdin = std::fs::File::open(folder.path().join("plan/plan.json")).expect("the plan");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_portolan"))
        .current_dir(folder.path())
        .args(["check", "--diff", "-", "--source", "source"])
        .stdin(stdin)
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("--- a/source/main.tf\n"));
    let (status, _, told) = run(&folder, &["check", "--fix", "plan/plan.json", "--source", "source"]);
    assert_eq!(status, Some(1), "the plan is as it was");
    assert!(told.contains("The plan is as it was"), "{told}");
    assert_eq!(read(&folder.path().join("source/main.tf")), source.replace("10.0.0.1/16", "10.0.0.0/16"));
    assert_eq!(read(&folder.path().join("plan/plan.json")), plan);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new(&[("real/main.tf", CLEARED), ("live/.keep", "")]);
    let real = folder.path().join("real/main.tf");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("permissions");
    let link = folder.path().join("live/main.tf");
    symlink(&real, &link).expect("a link");
    run(&folder, &["check", "--fix", "live"]);
    assert_eq!(read(&real), CLEARED, "the file that the link leads to lies outside of what is checked");
    run(&folder, &["check", "--fix", "live", "real"]);
    assert!(read(&real).contains("10.0.0.0/16"));
    assert!(link.is_symlink());
    assert_eq!(std::fs::metadata(&real).expect("a file").permissions().mode() & 0o777, 0o640);
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a file")
}
