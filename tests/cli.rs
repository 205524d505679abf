//! The program as its users run it: exit status, formats, bad input, determinism.

#![allow(clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

const CLEAN: &str = r#"
resource "azurerm_virtual_network" "main" {
  name                = "vnet"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}
"#;

/// Two subnets that overlap: one error.
const OVERLAP: &str = r#"
resource "azurerm_virtual_network" "main" {
  name                = "vnet"
  resource_group_name = "rg"
  location            = "westeurope"
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "one" {
  name                 = "one"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = ["10.0.0.0/24"]
}

resource "azurerm_subnet" "two" {
  name                 = "two"
  resource_group_name  = "rg"
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = ["10.0.0.128/25"]
}
"#;

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// The program, to be run in a folder, away from the environment of whoever runs the tests.
fn portolan(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portolan"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TF_VAR_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    portolan(folder).args(arguments).output().expect("the program runs")
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn json(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {output:?}"))
}

#[test]
fn clean_configuration_exits_with_0() {
    let folder = folder(&[("main.tf", CLEAN)]);
    let output = run(folder.path(), &["check"]);
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(stdout(&output).contains("nothing found"), "{output:?}");
    assert_eq!(stderr(&output), "");
}

#[test]
fn fail_on_decides_which_findings_exit_with_1() {
    let folder = folder(&[("main.tf", OVERLAP)]);
    for (fail_on, expected) in [("error", 1), ("warning", 1), ("note", 1), ("never", 0)] {
        let output = run(folder.path(), &["check", "--fail-on", fail_on]);
        assert_eq!(status(&output), expected, "{fail_on}");
        assert!(stdout(&output).contains("error[subnets-overlap]"), "{output:?}");
    }
    assert_eq!(status(&run(folder.path(), &["check"])), 1);
    assert_eq!(status(&run(folder.path(), &["check", "--ignore", "subnets-overlap"])), 0);
    assert_eq!(status(&run(folder.path(), &["check", "--select", "peering"])), 0);
    assert_eq!(status(&run(folder.path(), &["check", "--select", "subnet,dns"])), 1);
}

#[test]
fn a_finding_is_located_in_json_and_sarif() {
    let folder = folder(&[("infra/main.tf", OVERLAP)]);
    let report = json(&run(folder.path(), &["check", "infra", "--format", "json"]));
    assert_eq!(report["version"], 1);
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "subnets-overlap");
    assert_eq!(finding["category"], "subnet");
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["confidence"], "certain");
    assert_eq!(finding["location"]["file"], "infra/main.tf");
    assert!(finding["location"]["line"].as_u64().expect("a line") > 8);
    assert!(finding["resource"].as_str().expect("an address").starts_with("azurerm_subnet."));
    assert_eq!(report["summary"]["findings"]["error"], 1);
    assert_eq!(report["summary"]["files"], 1);

    let sarif = json(&run(folder.path(), &["check", "infra", "--format", "sarif"]));
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "subnets-overlap");
    let location = &result["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "infra/main.tf");
    assert_eq!(location["region"]["startLine"], finding["location"]["line"]);
    let index = result["ruleIndex"].as_u64().expect("an index") as usize;
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][index]["id"], "subnets-overlap");
}

#[test]
fn variables_come_from_arguments_files_and_environment() {
    let text = format!(
        "{CLEAN}
variable \"range\" {{
  type = string
}}
resource \"azurerm_subnet\" \"one\" {{
  name                 = \"one\"
  resource_group_name  = \"rg\"
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = [var.range]
}}
"
    );
    let folder = folder(&[
        ("main.tf", text.as_str()),
        ("good.tfvars", "range = \"10.0.1.0/24\"\n"),
        ("bad.tfvars", "range = \"10.9.1.0/24\"\n"),
    ]);
    let outside = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["check", "--format", "json"].iter().chain(arguments).copied().collect();
        let report = json(&run(folder.path(), &arguments));
        let findings = report["findings"].as_array().expect("a list").clone();
        (findings.iter().any(|finding| finding["rule"] == "subnet-outside-vnet"), report)
    };
    let (found, report) = outside(&[]);
    assert!(!found);
    let cause = &report["summary"]["undecided"]["causes"][0];
    assert_eq!(cause["because"], "`var.range` has no value");
    assert!(cause["advice"].as_str().expect("advice").contains("--var-file"));
    assert!(!outside(&["--var", "range=10.0.1.0/24"]).0);
    assert!(outside(&["--var", "range=10.9.1.0/24"]).0);
    assert!(outside(&["--var-file", "bad.tfvars"]).0);
    assert!(!outside(&["--var-file", "bad.tfvars", "--var", "range=10.0.1.0/24"]).0);
    assert!(!outside(&["--var-file", "bad.tfvars", "--var-file", "good.tfvars"]).0);
    assert!(outside(&["--var", "range=10.0.1.0/24", "--var-file", "bad.tfvars"]).0);
    let output = portolan(folder.path())
        .args(["check", "--format", "json"])
        .env("TF_VAR_range", "10.9.1.0/24")
        .output()
        .expect("the program runs");
    assert_eq!(json(&output)["findings"][0]["rule"], "subnet-outside-vnet");
}

/// A template with two subnets that overlap unless its parameter says otherwise.
const TEMPLATE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "second": { "type": "string", "defaultValue": "10.0.0.128/25" } },
  "resources": [
    {
      "type": "Microsoft.Network/virtualNetworks",
      "apiVersion": "2023-09-01",
      "name": "vnet",
      "location": "westeurope",
      "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
        "subnets": [
          { "name": "one", "properties": { "addressPrefix": "10.0.0.0/24" } },
          { "name": "two", "properties": { "addressPrefix": "[parameters('second')]" } }
        ]
      }
    }
  ]
}
"#;

#[test]
fn templates_are_found_below_folders_named_by_themselves_and_read_from_standard_input() {
    let parameters = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "second": { "value": "10.0.1.0/24" } }
}
"#;
    let folder = folder(&[
        ("arm/azuredeploy.json", TEMPLATE),
        ("good/azuredeploy.json", TEMPLATE),
        ("good/azuredeploy.parameters.json", parameters),
        ("given.json", parameters),
        ("package.json", "{\"name\": \"not a template\"}\n"),
    ]);
    let rules = |arguments: &[&str]| -> Vec<String> {
        let arguments: Vec<&str> = ["check", "--format", "json"].iter().chain(arguments).copied().collect();
        let report = json(&run(folder.path(), &arguments));
        let findings = report["findings"].as_array().expect("a list").clone();
        findings
            .iter()
            .map(|finding| {
                let (rule, file) = (&finding["rule"], &finding["location"]["file"]);
                format!("{} {}", rule.as_str().expect("a rule"), file.as_str().expect("a file"))
            })
            .collect()
    };
    let overlap = ["subnets-overlap arm/azuredeploy.json"];
    assert_eq!(rules(&["."]), overlap);
    assert_eq!(rules(&["arm/azuredeploy.json"]), overlap);
    assert_eq!(rules(&["good"]), [""; 0]);
    assert_eq!(rules(&["arm", "--var", "second=10.0.2.0/24"]), [""; 0]);
    assert_eq!(rules(&["arm", "--var-file", "given.json"]), [""; 0]);

    let mut child = portolan(folder.path())
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), TEMPLATE.as_bytes())
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(status(&output), 1, "{output:?}");
    assert!(stdout(&output).contains("<stdin>:"), "{output:?}");

    let output = run(folder.path(), &["check", "package.json"]);
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("`package.json` is not configuration"), "{output:?}");
}

#[test]
fn a_plan_points_at_the_configuration_it_was_made_from() {
    let planned = |address: &str, values: Json| {
        let (kind, name) = address.split_once('.').expect("an address");
        serde_json::json!({
            "address": address, "mode": "managed", "type": kind, "name": name,
            "provider_name": "registry.terraform.io/hashicorp/azurerm",
            "change": { "actions": ["create"], "before": null, "after": values, "after_unknown": { "id": true } },
        })
    };
    let subnet = |name: &str, range: &str| {
        let values = serde_json::json!({
            "name": name, "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": [range],
        });
        planned(&format!("azurerm_subnet.{name}"), values)
    };
    let network = serde_json::json!({
        "name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"],
    });
    let network = planned("azurerm_virtual_network.main", network);
    let plan = serde_json::json!({
        "format_version": "1.2", "terraform_version": "1.9.0",
        "planned_values": { "root_module": {} },
        "resource_changes": [network, subnet("one", "10.0.0.0/24"), subnet("two", "10.0.0.128/25")],
        "configuration": { "root_module": {} },
    });
    let folder = folder(&[("infra/main.tf", OVERLAP), ("plan.json", &plan.to_string())]);
    let alone = json(&run(folder.path(), &["check", "plan.json", "--format", "json"]));
    assert_eq!(alone["findings"][0]["rule"], "subnets-overlap", "{alone:#}");
    assert!(alone["findings"][0]["location"].is_null());
    let with_source =
        json(&run(folder.path(), &["check", "plan.json", "--source", "infra", "--format", "json"]));
    assert_eq!(with_source["findings"][0]["rule"], "subnets-overlap");
    assert_eq!(with_source["findings"][0]["location"]["file"], "infra/main.tf");
    assert_eq!(with_source["findings"].as_array().expect("a list").len(), 1);
}

#[test]
fn broken_configuration_exits_with_2_and_the_rest_is_still_checked() {
    let folder = folder(&[("main.tf", OVERLAP), ("broken.tf", "resource \"azurerm_subnet\" {{{\n  a = \n")]);
    let output = run(folder.path(), &["check"]);
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("broken.tf:"), "{output:?}");
    assert!(stdout(&output).contains("error[subnets-overlap]"), "{output:?}");
}

#[test]
fn a_binary_file_is_named_and_exits_with_2() {
    let folder = folder(&[("main.tf", CLEAN)]);
    fs::write(folder.path().join("binary.tf"), [0u8, 159, 146, 150, 255]).expect("a file");
    let output = run(folder.path(), &["check"]);
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("binary.tf"), "{output:?}");
}

#[test]
fn paths_that_lead_nowhere_exit_with_2() {
    let folder = folder(&[("main.tf", CLEAN), ("notes.txt", "hello\n")]);
    for (path, expected) in
        [("missing", "there is nothing there"), ("notes.txt", "`notes.txt` is not configuration")]
    {
        let output = run(folder.path(), &["check", path]);
        assert_eq!(status(&output), 2, "{output:?}");
        assert!(stdout(&output).contains(expected), "{output:?}");
    }
}

#[test]
fn a_folder_without_configuration_exits_with_2() {
    let folder = folder(&[]);
    let output = run(folder.path(), &["check"]);
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("nothing to check"), "{output:?}");
}

#[test]
#[cfg(unix)]
fn a_dangling_link_exits_with_2_and_an_unreadable_file_too() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder(&[("main.tf", CLEAN), ("secret.tf", CLEAN)]);
    symlink("nowhere", folder.path().join("dangling")).expect("a link");
    let output = run(folder.path(), &["check", "dangling"]);
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("the link leads to nothing"), "{output:?}");

    let secret = folder.path().join("secret.tf");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("permissions");
    // The superuser reads everything; then there is nothing to see here.
    if fs::read(&secret).is_err() {
        let output = run(folder.path(), &["check"]);
        assert_eq!(status(&output), 2, "{output:?}");
        assert!(stdout(&output).contains("secret.tf"), "{output:?}");
    }
}

#[test]
fn output_goes_into_a_file_without_colours() {
    let folder = folder(&[("main.tf", OVERLAP)]);
    let output = run(folder.path(), &["check", "--color", "always", "--output", "report.txt"]);
    assert_eq!(status(&output), 1, "{output:?}");
    assert_eq!(stdout(&output), "");
    let text = fs::read_to_string(folder.path().join("report.txt")).expect("the file");
    assert!(text.contains("error[subnets-overlap]") && !text.contains('\u{1b}'), "{text}");
    let output = run(folder.path(), &["check", "--output", "no/such/folder/report.txt"]);
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stderr(&output).starts_with("error: cannot write"), "{output:?}");
}

#[test]
fn one_run_writes_several_reports() {
    let folder = folder(&[("infra/main.tf", OVERLAP), ("infra/.git/HEAD", "")]);
    let inside = folder.path().join("infra");
    let arguments = ["check", "--report", "counts=counts", "--report=junit=tests.xml", "--color=always"];
    let output = run(&inside, &arguments);
    assert_eq!(status(&output), 1, "{output:?}");
    assert!(stdout(&output).contains("\u{1b}["), "{output:?}");
    let counts = fs::read_to_string(inside.join("counts")).expect("the numbers");
    assert!(counts.starts_with("findings=1\nerrors=1\nwarnings=0\nnotes=0\n"), "{counts}");
    assert!(fs::read_to_string(inside.join("tests.xml")).expect("the tests").contains("file=\"main.tf\""));
    for wrong in ["--report=xml=a", "--report=json", "--report=json="] {
        let output = run(&inside, &["check", wrong]);
        assert_eq!(status(&output), 2, "{output:?}");
    }
    // Below the top of a repository, services still get paths from there.
    fs::create_dir(folder.path().join(".git")).expect("a folder");
    fs::remove_dir_all(inside.join(".git")).expect("removed");
    let output = run(&inside, &["check", "--format", "github"]);
    assert!(stdout(&output).contains("::error file=infra/main.tf,"), "{output:?}");
    let output = run(&inside, &["check", "--format", "concise"]);
    assert!(stdout(&output).starts_with("main.tf:"), "{output:?}");
}

#[test]
fn colours_are_for_terminals() {
    let folder = folder(&[("main.tf", OVERLAP)]);
    assert!(!stdout(&run(folder.path(), &["check"])).contains('\u{1b}'));
    assert!(stdout(&run(folder.path(), &["check", "--color", "always"])).contains('\u{1b}'));
    assert!(!stdout(&run(folder.path(), &["check", "--color", "never"])).contains('\u{1b}'));
}

#[test]
fn the_same_input_gives_the_same_output() {
    let one = OVERLAP
        .replace("\"main\"", "\"other\"")
        .replace("azurerm_virtual_network.main", "azurerm_virtual_network.other");
    let folder = folder(&[("b/main.tf", OVERLAP), ("a/main.tf", one.as_str()), ("c/broken.tf", "x {\n")]);
    for format in ["text", "json", "sarif"] {
        let first = run(folder.path(), &["check", "--format", format]);
        assert!(!first.stdout.is_empty());
        for threads in ["1", "2", "7"] {
            let again = portolan(folder.path())
                .args(["check", "--format", format])
                .env("RAYON_NUM_THREADS", threads)
                .output()
                .expect("the program runs");
            assert_eq!(stdout(&first), stdout(&again), "{format} with {threads} threads");
        }
    }
    let ways = [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]].map(|paths| {
        let arguments: Vec<&str> = ["check", "--format", "json"].into_iter().chain(paths).collect();
        stdout(&run(folder.path(), &arguments))
    });
    assert_eq!(ways[0], ways[1]);
    assert_eq!(ways[0], ways[2]);
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder(&[("main.tf", OVERLAP)]);
    for arguments in [["check", "--quiet"], ["rules", "--format=json"]] {
        let mut child = portolan(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(stderr(&output), "");
        assert!(matches!(status(&output), 0 | 1), "{output:?}");
    }
}

#[test]
fn facts_are_shown_with_their_sources() {
    let folder = folder(&[]);
    let list = run(folder.path(), &["facts"]);
    assert!(stdout(&list).contains("Microsoft.DBforPostgreSQL/flexibleServers"), "{}", stdout(&list));
    let one = run(folder.path(), &["facts", "AZURERM_bastion_host"]);
    assert_eq!(status(&one), 0);
    assert!(
        stdout(&one).contains("AzureBastionSubnet") && stdout(&one).contains("      from "),
        "{}",
        stdout(&one)
    );
    let json = run(folder.path(), &["facts", "azurerm_bastion_host", "--format", "json"]);
    assert!(stdout(&json).starts_with('['), "{}", stdout(&json));
    let unknown = run(folder.path(), &["facts", "azurerm_bastian_host"]);
    assert_eq!(status(&unknown), 2);
    assert!(stderr(&unknown).contains("azurerm_bastion_host"), "{}", stderr(&unknown));
}

#[test]
fn a_pasted_error_is_explained() {
    let folder = folder(&[]);
    let body = r#"{"error":{"code":"DeploymentFailed","details":[{"code":"NetcfgSubnetRangesOverlap"}]}}"#;
    let explained = run(folder.path(), &["explain", body]);
    assert_eq!(status(&explained), 0);
    assert!(stdout(&explained).contains("# subnets-overlap"), "{}", stdout(&explained));
    let hopeless = run(folder.path(), &["explain", "code: RemotePeeringIsDisconnected"]);
    assert!(stdout(&hopeless).contains("No rule predicts it, because"), "{}", stdout(&hopeless));
}

#[test]
fn rules_are_explained_by_name_and_by_azures_error() {
    let folder = folder(&[]);
    let by_name = run(folder.path(), &["explain", "subnet-outside-vnet"]);
    assert_eq!(status(&by_name), 0);
    assert!(stdout(&by_name).starts_with("# subnet-outside-vnet\n"));
    assert!(stdout(&by_name).contains("## What Azure does"));
    let by_error = run(folder.path(), &["explain", "netcfginvalidsubnet"]);
    assert!(stdout(&by_error).contains("# subnet-outside-vnet\n"), "{by_error:?}");
    let unknown = run(folder.path(), &["explain", "subnet-outside-vnets"]);
    assert_eq!(status(&unknown), 2);
    assert!(stderr(&unknown).contains("did you mean `subnet-outside-vnet`?"), "{unknown:?}");
    let unknown = run(folder.path(), &["check", "--select", "subnet-outside-vnets"]);
    assert_eq!(status(&unknown), 2);
    assert!(stderr(&unknown).contains("did you mean"), "{unknown:?}");
}

#[test]
fn rules_are_listed() {
    let folder = folder(&[]);
    let table = stdout(&run(folder.path(), &["rules"]));
    let listed = json(&run(folder.path(), &["rules", "--format", "json"]));
    let listed = listed.as_array().expect("a list");
    assert_eq!(table.lines().count(), listed.len());
    for rule in listed {
        let name = rule["name"].as_str().expect("a name");
        assert!(table.contains(name), "{name}");
        assert!(rule["help_url"].as_str().expect("an address").ends_with(&format!("/{name}.md")));
    }
}

#[test]
fn expressions_are_evaluated_one_a_line() {
    let folder = folder(&[(
        "main.tf",
        "locals {\n  range = cidrsubnet(\"10.0.0.0/16\", 8, 3)\n}\nvariable \"v\" {}\n",
    )]);
    let one = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["eval"].iter().chain(arguments).copied().collect();
        json(&run(folder.path(), &arguments))
    };
    assert_eq!(one(&["1 + 2"]), serde_json::json!({"value": 3}));
    assert_eq!(one(&["--dir", ".", "local.range"]), serde_json::json!({"value": "10.0.3.0/24"}));
    assert_eq!(one(&["--dir", ".", "var.v"]), serde_json::json!({"unknown": "`var.v` has no value"}));
    assert_eq!(one(&["--dir", ".", "--var", "v=x", "var.v"]), serde_json::json!({"value": "x"}));
    assert!(one(&["1 +"])["error"].is_string());

    let through = |arguments: &[&str], input: &str| {
        let mut child = portolan(folder.path())
            .args(["eval"].iter().chain(arguments))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), input.as_bytes())
            .expect("it reads");
        stdout(&child.wait_with_output().expect("it ends"))
    };
    assert_eq!(
        through(&[], "1 + 1\nupper(\"a\")\r\n\nfalse"),
        "{\"value\":2}\n{\"value\":\"A\"}\n{\"value\":false}\n"
    );
    let answers = through(&["--json-lines"], "\"\\\"a\\\\nb\\\"\"\nnot json\n");
    assert!(answers.starts_with("{\"value\":\"a\\nb\"}\n{\"error\":"), "{answers}");
    let output = run(folder.path(), &["eval", "--dir", "missing", "1"]);
    assert_eq!(status(&output), 2);
}

#[test]
fn the_model_is_written_as_json() {
    let folder = folder(&[("main.tf", OVERLAP)]);
    let output = run(folder.path(), &["topology"]);
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(json(&output).is_object());
    assert!(stdout(&output).contains("10.0.0.128/25"));
    let output = run(folder.path(), &["topology", "missing"]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("there is nothing there"), "{output:?}");
}

#[test]
fn completions_exist_for_the_usual_shells() {
    let folder = folder(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(folder.path(), &["completions", shell]);
        assert_eq!(status(&output), 0);
        assert!(stdout(&output).contains("portolan"), "{shell}");
    }
}

#[test]
fn wrong_use_exits_with_2() {
    let folder = folder(&[]);
    for arguments in [
        &["check", "--format", "xml"][..],
        &["check", "--var", "novalue"],
        &["check", "--quiet", "--verbose"],
        &["frobnicate"],
        &[],
    ] {
        assert_eq!(status(&run(folder.path(), arguments)), 2, "{arguments:?}");
    }
}

/// The shipped example has the defects that its README lists.
#[test]
fn the_shipped_example_has_its_defects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = "testdata/examples/hub-and-spoke-postgres";
    let output = run(root, &["check", example, "--format", "json"]);
    assert_eq!(status(&output), 1, "{output:?}");
    let report = json(&output);
    let findings = report["findings"].as_array().expect("a list");
    let readme = fs::read_to_string(root.join(example).join("README.md")).expect("the README");
    let table = readme.lines().filter(|line| line.starts_with("| `"));
    let mut listed = Vec::new();
    for row in table {
        let rule = row.rsplit('`').nth(1).expect("a rule in the last column");
        listed.push(rule.to_string());
        // A rule that does not exist yet cannot find anything.
        if portolan::rules::find(rule).is_some() {
            let file = row.split('`').nth(1).expect("a file in the first column");
            let places = |finding: &Json| {
                let related = finding["related"].as_array().cloned().unwrap_or_default();
                let places: Vec<Json> = std::iter::once(finding.clone()).chain(related).collect();
                places.iter().any(|place| {
                    place["location"]["file"].as_str().is_some_and(|path| path == format!("{example}/{file}"))
                })
            };
            let found = findings.iter().any(|finding| finding["rule"] == rule && places(finding));
            assert!(found, "{rule} in {file}: {findings:#?}");
        }
    }
    assert_eq!(listed.len(), 8);
    for finding in findings {
        assert!(listed.iter().any(|rule| finding["rule"] == rule.as_str()), "not in the README: {finding:#}");
    }
    assert_eq!(report["notes"], serde_json::json!([]), "the example is understood");
}
