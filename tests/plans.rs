//! Plans: that they agree with their source, what is new, what may come instead of a plan, and that secrets stay secret.

#![allow(clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value as Json, json};

/// The folder of a configuration and its plan.
fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plans").join(name)
}

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
    portolan(folder).arg("check").args(arguments).output().expect("the program runs")
}

/// With something on standard input.
fn piped(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = portolan(folder)
        .arg("check")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn report(folder: &Path, arguments: &[&str]) -> Json {
    let output = run(folder, &[arguments, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

/// The certain findings: rule and resource.
fn findings(report: &Json) -> BTreeSet<(String, String)> {
    let text = |value: &Json| value.as_str().expect("a text").to_string();
    let all = report["findings"].as_array().expect("a list").iter();
    all.filter(|finding| finding["confidence"] == "certain")
        .map(|finding| (text(&finding["rule"]), text(&finding["resource"])))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    expected.iter().map(|(rule, resource)| (rule.to_string(), resource.to_string())).collect()
}

/// The same findings from the source and from its plan; `more` are those that only the plan can know (a data source).
fn agree(name: &str, expected: &[(&str, &str)], more: &[(&str, &str)]) {
    let folder = case(name);
    let source = findings(&report(&folder, &["."]));
    assert_eq!(source, pairs(expected), "{name}: the source");
    let with_source = report(&folder, &["plan.json", "--source", "."]);
    let all = &source | &pairs(more);
    assert_eq!(findings(&with_source), all, "{name}: the plan with its source");
    for finding in with_source["findings"].as_array().expect("a list") {
        let file =
            finding["location"]["file"].as_str().unwrap_or_else(|| panic!("{name}: no place: {finding:#}"));
        assert!(file.ends_with(".tf"), "{name}: {file}");
    }
    // Without the source nothing may be found that is not there; locals and loops hide some.
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let plan = folder.join("plan.json");
    let alone = findings(&report(elsewhere.path(), &[plan.to_str().expect("a path")]));
    assert!(alone.is_subset(&all), "{name}: {alone:#?}");
    // In the folder of the configuration it need not be named.
    assert_eq!(findings(&report(&folder, &["plan.json"])), all, "{name}: the plan beside its source");
}

#[test]
fn module_calls_with_for_each_agree_with_their_plan() {
    let second = r#"module.spoke["data \"v2\""].azurerm_virtual_network_peering.to_hub"#;
    agree(
        "spokes",
        &[
            ("delegated-subnet-shared", "azurerm_network_interface.jump"),
            ("peering-address-overlap", second),
            ("peering-one-way", second),
            ("private-dns-zone-not-linked", r#"azurerm_postgresql_flexible_server.main["data \"v2\""]"#),
        ],
        &[],
    );
}

#[test]
fn counted_resources_agree_with_their_plan() {
    agree(
        "counted",
        &[
            ("nsg-blocks-required-flow", "azurerm_network_security_group.tier[1]"),
            ("nsg-priority-conflict", "azurerm_network_security_group.tier[1]"),
            ("static-address-invalid", "azurerm_network_interface.worker[0]"),
            ("static-address-invalid", "azurerm_network_interface.worker[1]"),
        ],
        &[],
    );
}

#[test]
fn nested_modules_agree_with_their_plan_and_data_sources_say_more() {
    let endpoint = r#"module.data["stock"].module.endpoint[0].azurerm_private_endpoint.this"#;
    agree(
        "nested",
        &[
            ("private-endpoint-subresource", endpoint),
            ("subnet-outside-vnet", r#"azurerm_subnet.endpoints["b"]"#),
            ("subnets-overlap", "azurerm_virtual_network.main"),
        ],
        &[("peering-address-overlap", "azurerm_virtual_network_peering.to_hub")],
    );
}

#[test]
fn a_plan_tells_what_it_introduces_from_what_was_there() {
    let folder = case("changed");
    let all = report(&folder, &["plan.json"]);
    let standing = |wanted: &str| -> BTreeSet<String> {
        let all = all["findings"].as_array().expect("a list").iter();
        all.filter(|finding| finding["standing"] == wanted)
            .map(|finding| finding["rule"].as_str().expect("a name").to_string())
            .collect()
    };
    let known = standing("known");
    for rule in ["peering-address-overlap", "peering-one-way"] {
        assert!(known.contains(rule), "{known:?}");
    }
    let new = standing("new");
    for rule in [
        "replacement-loses-data",
        "change-breaks-occupant",
        "peering-out-of-sync",
        "private-dns-zone-not-linked",
    ] {
        assert!(new.contains(rule), "{new:?}");
    }
    let unlinked = all["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| finding["rule"] == "private-dns-zone-not-linked" && finding["standing"] == "new")
        .expect("the finding");
    let removed = unlinked["related"].as_array().expect("a list").iter().find(|related| {
        related["resource"] == r#"azurerm_private_dns_zone_virtual_network_link.postgres["app"]"#
    });
    assert_eq!(removed.expect("the removed link")["message"], "this plan removes it", "{unlinked:#}");

    let text = String::from_utf8(run(&folder, &["plan.json"]).stdout).expect("UTF-8");
    let why = "witness: the plan deletes the subnet because its key is no longer in the `for_each`";
    assert!(text.contains(why), "{text}");

    let only = report(&folder, &["plan.json", "--only-new"]);
    let shown = only["findings"].as_array().expect("a list");
    assert!(shown.iter().all(|finding| finding["standing"] == "new"), "{only:#}");
    let count = |report: &Json, what: &str| report["summary"]["standings"][what].as_u64().expect("a number");
    assert_eq!(only["summary"]["known_hidden"].as_u64(), Some(count(&all, "known")));
    assert_eq!(count(&only, "new"), count(&all, "new"));

    let text = String::from_utf8(run(&folder, &["plan.json"]).stdout).expect("UTF-8");
    assert!(
        text.contains(&format!("({} new, {} known)", count(&all, "new"), count(&all, "known"))),
        "{text}"
    );
    let sarif: Json =
        serde_json::from_slice(&run(&folder, &["plan.json", "--format", "sarif"]).stdout).expect("JSON");
    let states: BTreeSet<&str> = sarif["runs"][0]["results"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|result| result["baselineState"].as_str().expect("a state"))
        .collect();
    assert_eq!(states, BTreeSet::from(["new", "unchanged"]));
}

#[test]
fn what_was_there_does_not_fail_a_run_for_what_is_new() {
    let network = json!({ "name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"] });
    let subnet = |name: &str, range: &str| json!({ "name": name, "resource_group_name": "rg", "virtual_network_name": "vnet", "address_prefixes": [range] });
    let same = |address: &str, values: Json| {
        let (kind, name) = address.split_once('.').expect("an address");
        json!({ "address": address, "mode": "managed", "type": kind, "name": name,
                "change": { "actions": ["no-op"], "before": values, "after": values, "after_unknown": {} } })
    };
    let plan = json!({ "format_version": "1.2", "configuration": {}, "resource_changes": [
        same("azurerm_virtual_network.main", network),
        same("azurerm_subnet.one", subnet("one", "10.0.0.0/24")),
        same("azurerm_subnet.two", subnet("two", "10.0.0.128/25")),
    ]});
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("plan.json"), plan.to_string()).expect("a file");
    assert_eq!(run(folder.path(), &["plan.json"]).status.code(), Some(1));
    let output = run(folder.path(), &["plan.json", "--only-new"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("nothing found") && text.contains("1 known finding not shown"), "{text}");
}

/// A plan of one network with two subnets that overlap.
fn small_plan() -> String {
    fs::read_to_string(case("nested").join("plan.json")).expect("a file")
}

#[test]
fn plans_are_read_as_other_programs_write_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = small_plan();
    let little: Vec<u8> =
        "\u{feff}".encode_utf16().chain(plan.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> =
        "\u{feff}".encode_utf16().chain(plan.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let forms: [(&str, Vec<u8>); 6] = [
        ("plan.json", plan.clone().into_bytes()),
        ("marked.json", format!("\u{feff}{plan}").into_bytes()),
        ("little.json", little),
        ("big.json", big),
        ("plan.out", plan.clone().into_bytes()),
        (
            "wrapped.txt",
            format!("[command]/usr/bin/terraform-bin show -json tfplan\n{plan}\n\n::debug::exited\n")
                .into_bytes(),
        ),
    ];
    for (name, bytes) in &forms {
        fs::write(folder.path().join(name), bytes).expect("a file");
        for output in [run(folder.path(), &[name]), piped(folder.path(), &["-"], bytes)] {
            assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
            assert!(
                String::from_utf8_lossy(&output.stdout).contains("error[subnets-overlap]"),
                "{name}: {output:?}"
            );
        }
    }
}

/// The entries of a plan's changes.
fn changes(plan: &mut Json) -> &mut Vec<Json> {
    plan["resource_changes"].as_array_mut().expect("a list")
}

fn findings_of(plan: &Json) -> BTreeSet<(String, String)> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("plan.json"), plan.to_string()).expect("a file");
    findings(&report(folder.path(), &["plan.json"]))
}

#[test]
fn older_plans_and_those_of_opentofu_say_the_same() {
    for name in ["spokes", "counted", "nested", "changed"] {
        let text = fs::read_to_string(case(name).join("plan.json")).expect("a file");
        let plan: Json = serde_json::from_str(&text).expect("JSON");
        let mut expected = findings_of(&plan);
        assert!(!expected.is_empty(), "{name}");
        let tofu = text.replace("registry.terraform.io", "registry.opentofu.org");
        let tofu: Json = serde_json::from_str(&tofu).expect("JSON");
        assert_eq!(findings_of(&tofu), expected, "{name}");

        // Terraform 0.13 knew neither sensitive values nor why something is replaced, nor what is relevant.
        let mut old = plan.clone();
        old["format_version"] = json!("0.1");
        let top = old.as_object_mut().expect("an object");
        for later in ["relevant_attributes", "timestamp", "applyable", "complete", "errored", "checks"] {
            top.remove(later);
        }
        for entry in changes(&mut old) {
            entry.as_object_mut().expect("an object").remove("action_reason");
            let change = entry["change"].as_object_mut().expect("an object");
            for later in ["before_sensitive", "after_sensitive", "replace_paths"] {
                change.remove(later);
            }
        }
        // Without what forces a replacement, and with the new subnet's id not known yet, its cause is not certain.
        expected.retain(|(rule, _)| rule != "replacement-loses-data");
        assert_eq!(findings_of(&old), expected, "{name}");
    }
}

#[test]
fn what_is_put_off_is_possible_and_what_is_deposed_is_on_its_way_out() {
    let plan: Json = serde_json::from_str(&small_plan()).expect("JSON");
    let overlap = |plan: &Json| findings_of(plan).iter().any(|(rule, _)| rule == "subnets-overlap");
    assert!(overlap(&plan));

    let mut put_off = plan.clone();
    let is_network = |entry: &Json| entry["address"] == "azurerm_virtual_network.main";
    let later: Vec<Json> = changes(&mut put_off).iter().filter(|entry| is_network(entry)).cloned().collect();
    changes(&mut put_off).retain(|entry| !is_network(entry));
    put_off["complete"] = json!(false);
    put_off["deferred_changes"] = later
        .into_iter()
        .map(|entry| json!({"reason": "resource_config_unknown", "resource_change": entry}))
        .collect();
    assert!(!overlap(&put_off));
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("plan.json"), put_off.to_string()).expect("a file");
    let text = String::from_utf8(run(folder.path(), &["plan.json", "--possible"]).stdout).expect("UTF-8");
    assert!(text.contains("error[subnets-overlap]: possibly"), "{text}");

    let mut deposed = plan.clone();
    for entry in changes(&mut deposed).iter_mut().filter(|entry| is_network(entry)) {
        entry["deposed"] = json!("00000000");
    }
    assert!(!overlap(&deposed));
}

#[test]
fn what_is_no_plan_is_named_and_the_rest_is_still_checked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let plan = small_plan();
    fs::write(folder.path().join("good.json"), &plan).expect("a file");
    let foreign = r#"{"format_version":"1.2","configuration":{},"resource_changes":[{"address":"aws_vpc.a","mode":"managed","type":"aws_vpc","name":"a","change":{"actions":["create"],"before":null,"after":{},"after_unknown":{}}}]}"#;
    let log = "{\"@level\":\"info\",\"@message\":\"Terraform 1.11.4\",\"type\":\"version\"}\n{\"@level\":\"info\",\"@message\":\"Plan: 1 to add\"}\n";
    let cases: [(&str, Vec<u8>, &str); 15] = [
        ("empty", Vec::new(), "is empty"),
        ("cut-early", plan.as_bytes()[..20].to_vec(), "cut off"),
        ("cut", plan.as_bytes()[..plan.len() / 2].to_vec(), "cut off"),
        ("cut-late", plan.as_bytes()[..plan.len() - 3].to_vec(), "cut off"),
        ("foreign", foreign.into(), "none of the 1 resource is of azurerm or azapi"),
        ("log", log.into(), "the log that `terraform plan -json` writes"),
        ("binary", b"PK\x03\x04\x14\0\x08\0tfplan\xff\xfe".to_vec(), "Terraform's own format"),
        ("shown", "Terraform will perform the following actions:\n\n  # azurerm_subnet.a will be created\n".into(), "shown to people"),
        ("state", r#"{"version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "x", "outputs": {}, "resources": []}"#.into(), "a state file as Terraform keeps it"),
        ("nothing-applied", r#"{"format_version":"1.0"}"#.into(), "neither a plan nor a state"),
        ("no-resources", r#"{"format_version":"1.2","planned_values":{"root_module":{}},"configuration":{"root_module":{}}}"#.into(), "the plan holds no resources"),
        ("schema", r#"{"format_version":"1.0","provider_schemas":{}}"#.into(), "another command of Terraform's"),
        ("future", r#"{"format_version":"2.0","planned_values":{}}"#.into(), "format version 2.0 is not supported"),
        ("json", r#"{"name": "package", "version": "1.0.0"}"#.into(), "is not configuration that can be checked"),
        ("twice", format!("{plan}{plan}").into_bytes(), "something behind its end"),
    ];
    for (name, bytes, expected) in &cases {
        for name in [format!("{name}.json"), (*name).to_string()] {
            fs::write(folder.path().join(&name), bytes).expect("a file");
            let output = run(folder.path(), &[&name, "good.json"]);
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(2), "{name}: {text}");
            assert!(text.contains(expected), "{name}: {text}");
            assert!(text.contains("error[subnets-overlap]"), "{name}: {text}");
        }
        let output = piped(folder.path(), &["-"], bytes);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{name}: {output:?}");
    }
}

#[test]
fn a_plan_that_ended_with_errors_is_checked_and_exits_with_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut plan: Json = serde_json::from_str(&small_plan()).expect("JSON");
    plan["errored"] = json!(true);
    fs::write(folder.path().join("plan.json"), plan.to_string()).expect("a file");
    let output = run(folder.path(), &["plan.json"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("the plan ended with errors") && text.contains("error[subnets-overlap]"), "{text}");
}

#[test]
fn another_configuration_is_not_taken_for_the_source() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("plan.json"), small_plan()).expect("a file");
    fs::write(folder.path().join("main.tf"), "resource \"azurerm_subnet\" \"other\" {\n  name = \"x\"\n}\n")
        .expect("a file");
    let quiet = report(folder.path(), &["plan.json"]);
    assert!(quiet["findings"][0]["location"].is_null());
    let named = report(folder.path(), &["plan.json", "--source", "."]);
    let notes = named["notes"].as_array().expect("a list");
    assert!(notes.iter().any(|note| note["code"] == "source-does-not-fit"), "{named:#}");
    assert_eq!(run(folder.path(), &["plan.json", "--source", "nowhere"]).status.code(), Some(2));
}

/// Marks every text of a value as secret.
fn all_secret(value: &Json) -> Json {
    match value {
        Json::Object(object) => {
            object.iter().map(|(name, value)| (name.clone(), all_secret(value))).collect()
        }
        Json::Array(items) => items.iter().map(all_secret).collect(),
        _ => json!(true),
    }
}

/// Makes the texts of a value recognisable.
fn marked(value: &Json) -> Json {
    match value {
        Json::Object(object) => object.iter().map(|(name, value)| (name.clone(), marked(value))).collect(),
        Json::Array(items) => items.iter().map(marked).collect(),
        Json::String(text) => json!(format!("{text}-s3cret")),
        other => other.clone(),
    }
}

/// Copies a configuration, and declares its variables as sensitive.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else if path.extension().is_some_and(|extension| extension == "tf") {
            let text = fs::read_to_string(&path).expect("a file");
            let declared = |line: &str| {
                if line.starts_with("variable ") && line.ends_with('{') {
                    format!("{line}\n  sensitive = true\n")
                } else {
                    format!("{line}\n")
                }
            };
            fs::write(target, text.lines().map(declared).collect::<String>()).expect("a file");
        }
    }
}

#[test]
fn sensitive_values_are_in_no_output() {
    for (name, whole) in
        [("spokes", false), ("counted", false), ("nested", true), ("changed", false), ("changed", true)]
    {
        let mut plan: Json =
            serde_json::from_str(&fs::read_to_string(case(name).join("plan.json")).expect("a file"))
                .expect("JSON");
        for change in plan["resource_changes"].as_array_mut().expect("a list") {
            for (moment, flags) in [("before", "before_sensitive"), ("after", "after_sensitive")] {
                let values = marked(&change["change"][moment]);
                change["change"][flags] = if whole { json!(!values.is_null()) } else { all_secret(&values) };
                change["change"][moment] = values;
            }
        }
        if let Some(variables) = plan["variables"].as_object_mut() {
            for variable in variables.values_mut() {
                *variable = marked(variable);
            }
        }
        for part in ["output_changes", "planned_values", "prior_state"] {
            plan[part] =
                json!({ "values": { "outputs": { "x": { "sensitive": true, "value": "x-s3cret" } } } });
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("plan.json"), plan.to_string()).expect("a file");
        // The source, with its variables declared as sensitive.
        let source = folder.path().join("source");
        copy(&case(name), &source);
        for format in portolan::report::FORMATS {
            for more in [&["--possible", "--verbose", "--pedantic"][..], &["--source", "source"]] {
                let arguments = [&["plan.json", "--format", format.name][..], more].concat();
                let output = run(folder.path(), &arguments);
                let all = [output.stdout, output.stderr].concat();
                let all = String::from_utf8_lossy(&all);
                assert!(!all.contains("s3cret"), "{name}, {}, {more:?}: {all}", format.name);
            }
        }
        let topology =
            portolan(folder.path()).args(["topology", "plan.json"]).output().expect("the program runs");
        assert!(!String::from_utf8_lossy(&topology.stdout).contains("s3cret"), "{name}");
    }
}
