//! Suppressions in the configuration and in `portolan.toml`.

use super::*;

const IGNORED: &str = "portolan: ignore[subnet-outside-vnet]";

/// A subnet outside of its network, with comments above, on the header's line, on the attribute's, and below.
fn commented(above: &str, header: &str, attribute: &str, end: &str) -> String {
    format!(
        "{NETWORK}\n{above}resource \"azurerm_subnet\" \"outside\" {{{header}\n  name                 = \"outside\"\n  resource_group_name  = \"rg\"\n  virtual_network_name = azurerm_virtual_network.main.name\n  address_prefixes     = [\"10.9.0.0/24\"]{attribute}\n}}{end}\n"
    )
}

#[test]
fn a_comment_on_or_above_a_block_or_attribute_holds_for_it() {
    let trailing = format!(" # {IGNORED} legacy");
    for text in [
        commented(&format!("# {IGNORED} legacy\n"), "", "", ""),
        commented(&format!("// {IGNORED}\n# and more about it\n"), "", "", ""),
        commented(&format!("/* {IGNORED} legacy */\n"), "", "", ""),
        commented(&format!("/*\n * {IGNORED} legacy\n */\n"), "", "", ""),
        commented("", &trailing, "", ""),
        commented("", "", &trailing, ""),
        commented("", "", "", &trailing),
        commented("", "", " # portolan: ignore[subnet] the category", ""),
        commented("", "", " # portolan: ignore[nsg-rule-invalid, subnet-outside-vnet]", ""),
        commented("", "", &trailing, "").replace('\n', "\r\n"),
    ] {
        let folder = Folder::new(&[("main.tf", &text)]);
        let (report, status) = folder.check(&[]);
        assert_eq!((found(&report), status), (vec![], 0), "{text}");
        assert_eq!(report["summary"]["suppressed"], 1, "{text}");
    }
}

#[test]
fn a_comment_elsewhere_does_not_hold() {
    for text in [
        commented(&format!("# {IGNORED}\n\n"), "", "", ""),
        commented("", "", " # see portolan: ignore[subnet-outside-vnet]", ""),
        commented("", "", " # portolan: ignore[subnets-overlap]", ""),
        commented("", "", "", "").replace("\"rg\"", &format!("\"rg\" # {IGNORED}")),
        commented("", "", "", "").replace("\"10.9.0.0/24\"", "\"10.9.0.0/24\" /* portolan: ignore */"),
    ] {
        let folder = Folder::new(&[("main.tf", &text)]);
        assert_eq!(folder.found(&[]), [OUTSIDE], "{text}");
    }
}

#[test]
fn a_comment_holds_where_the_value_was_written() {
    let module = "variable \"range\" {}\nresource \"azurerm_virtual_network\" \"main\" {\n  name = \"vnet\"\n  resource_group_name = \"rg\"\n  location = \"westeurope\"\n  address_space = [\"10.0.0.0/16\"]\n}\nresource \"azurerm_subnet\" \"this\" {\n  name = \"s\"\n  resource_group_name = \"rg\"\n  virtual_network_name = azurerm_virtual_network.main.name\n  address_prefixes = [var.range]\n}\n";
    let call =
        format!("module \"a\" {{\n  source = \"./m\"\n  range = \"10.9.0.0/24\" # {IGNORED} legacy\n}}\n");
    let folder = Folder::new(&[("main.tf", &call), ("m/main.tf", module)]);
    let (report, _) = folder.check(&[]);
    assert_eq!(found(&report), [""; 0]);
    assert_eq!(report["summary"]["suppressed"], 1);
}

const BICEP: &str = "resource vnet 'Microsoft.Network/virtualNetworks@2023-09-01' = {
  name: 'vnet'
  location: 'westeurope'
  properties: {
    addressSpace: { addressPrefixes: [ '10.0.0.0/16' ] }
    subnets: [
      {
        name: 'outside'
        properties: { addressPrefix: '10.9.0.0/24' }
      }
    ]
  }
}
";

#[test]
fn bicep_comments_hold() {
    let folder = Folder::new(&[("main.bicep", BICEP)]);
    assert_eq!(folder.found(&[]).len(), 1);
    for text in [
        format!("// {IGNORED} legacy\n{BICEP}"),
        format!("// {IGNORED} legacy\n@description('x')\n{BICEP}"),
        format!("@description('x')\n// {IGNORED} legacy\n{BICEP}"),
        BICEP.replace(
            "properties: { addressPrefix",
            &format!("// {IGNORED}\n        properties: {{ addressPrefix"),
        ),
        BICEP.replace("'10.9.0.0/24' }", &format!("'10.9.0.0/24' }} // {IGNORED}")),
        BICEP.replace("subnets: [", &format!("subnets: [ /* {IGNORED} */")),
    ] {
        folder.write("main.bicep", &text);
        assert_eq!(folder.found(&[]), [""; 0], "{text}");
    }
}

const TEMPLATE: &str = r#"{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "resources": [
    {
      "type": "Microsoft.Network/virtualNetworks",
      "apiVersion": "2023-09-01",
      "name": "vnet",
      "location": "westeurope",
      "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
        "subnets": [{ "name": "outside", "properties": { "addressPrefix": "10.9.0.0/24" } }]
      }
    }
  ]
}
"#;

#[test]
fn metadata_of_templates_holds() {
    let folder = Folder::new(&[("azuredeploy.json", TEMPLATE)]);
    assert_eq!(folder.found(&[]).len(), 1);
    let metadata = r#""metadata": { "portolan": { "ignore": [{ "rule": "subnet-outside-vnet", "reason": "legacy", "until": "9999-12-31" }] } },"#;
    for text in [
        TEMPLATE.replace("\"contentVersion\"", &format!("{metadata}\n  \"contentVersion\"")),
        TEMPLATE.replace("\"apiVersion\"", &format!("{metadata}\n  \"apiVersion\"")),
        TEMPLATE.replace(
            "\"apiVersion\"",
            "\"metadata\": {\"portolan\": {\"ignore\": [\"subnet-outside-vnet\"]}}, \"apiVersion\"",
        ),
    ] {
        folder.write("azuredeploy.json", &text);
        let (report, _) = folder.check(&[]);
        assert_eq!(found(&report), [""; 0], "{text}");
        assert_eq!(report["summary"]["suppressed"], 1);
    }
    let wrong = TEMPLATE.replace(
        "\"apiVersion\"",
        "\"metadata\": {\"portolan\": {\"ignore\": [{\"reason\": \"x\"}]}}, \"apiVersion\"",
    );
    folder.write("azuredeploy.json", &wrong);
    assert_eq!(codes(&folder.check(&[]).0), ["invalid-suppression"]);
}

#[test]
fn comments_in_json_syntax_hold() {
    let network = r#""azurerm_virtual_network": {"main": {"name": "vnet", "resource_group_name": "rg", "location": "westeurope", "address_space": ["10.0.0.0/16"]}}"#;
    let subnet = |comment: &str| {
        format!(
            "{{\"resource\": {{{network},\n\"azurerm_subnet\": {{\"outside\": {{{comment}\"name\": \"outside\", \"resource_group_name\": \"rg\", \"virtual_network_name\": \"${{azurerm_virtual_network.main.name}}\", \"address_prefixes\": [\"10.9.0.0/24\"]}}}}}}}}"
        )
    };
    let folder = Folder::new(&[("main.tf.json", &subnet(""))]);
    assert_eq!(folder.found(&[]), [OUTSIDE]);
    folder.write("main.tf.json", &subnet(&format!("\"//\": \"{IGNORED} legacy\", ")));
    assert_eq!(folder.found(&[]), [""; 0]);
}

#[test]
fn what_has_ended_no_longer_holds_and_is_told() {
    let text = commented("", "", &format!(" # {IGNORED} until=2000-01-01 legacy"), "");
    let folder = Folder::new(&[("main.tf", &text)]);
    let (report, status) = folder.check(&[]);
    assert_eq!((found(&report), status), (vec![OUTSIDE.to_string()], 1));
    assert_eq!(codes(&report), ["expired-suppression"]);
    let text = commented("", "", &format!(" # {IGNORED} until=9999-01-01 legacy"), "");
    folder.write("main.tf", &text);
    assert_eq!(folder.found(&[]), [""; 0]);
}

#[test]
fn unused_and_unknown_names_are_told() {
    let folder = Folder::new(&[(
        "main.tf",
        &NETWORK.replace("location ", "# portolan: ignore[subnets-overlap]\n  location "),
    )]);
    let (report, _) = folder.check(&[]);
    assert_eq!(codes(&report), ["unused-suppression"]);
    assert_eq!(report["notes"][0]["location"]["line"], 4);
    assert!(codes(&folder.check(&["--select", "peering"]).0).is_empty(), "its rule did not run");
    let output = folder.run(&["check"]);
    assert!(stdout(&output).contains("1 suppression unused"), "{output:?}");
    folder.write("main.tf", &NETWORK.replace("location ", "# portolan: ignore[subnet-overlap]\n  location "));
    let (report, _) = folder.check(&[]);
    assert_eq!(codes(&report), ["unknown-rule"]);
    assert_eq!(report["notes"][0]["help"], "did you mean `subnets-overlap`?");
    folder.write("main.tf", &NETWORK.replace("location ", "# portolan: ignore all\n  location "));
    assert_eq!(codes(&folder.check(&[]).0), ["invalid-suppression"]);
}

#[test]
fn sarif_carries_what_is_suppressed_and_why() {
    let text = format!(
        "{}{}",
        commented("", "", &format!(" # {IGNORED} legacy"), ""),
        subnet("more", "10.8.0.0/24")
    );
    let folder = Folder::new(&[("main.tf", &text)]);
    let output = folder.run(&["check", "--format", "sarif"]);
    let sarif: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["suppressions"], serde_json::json!([]));
    assert_eq!(
        results[1]["suppressions"],
        serde_json::json!([{"kind": "inSource", "justification": "legacy"}])
    );
    assert!(!stdout(&folder.run(&["check"])).contains("10.9.0.0/24"), "other formats leave it out");
}

#[test]
fn entries_of_the_configuration_hold_by_rule_path_and_address() {
    let folder = Folder::new(&[("legacy/main.tf", &defects()), ("new/main.tf", &defects())]);
    let with = |entry: &str| {
        folder.write("portolan.toml", &format!("[[ignore]]\n{entry}\n"));
        let (report, _) = folder.check(&[]);
        (found(&report).len(), report["summary"]["suppressed"].as_u64().expect("a number"), report)
    };
    for (entry, shown, suppressed) in [
        ("rule = 'subnet-outside-vnet'", 2, 2),
        ("rule = 'subnet'", 0, 4),
        ("rule = 'subnet'\npath = 'legacy/**'", 2, 2),
        ("rule = 'subnet'\npath = '*.tf'", 4, 0),
        ("rule = 'subnet'\naddress = 'azurerm_subnet.out*'", 2, 2),
        (
            "rule = 'subnet'\npath = 'new/main.tf'\naddress = 'azurerm_subnet.out*'\nreason = 'x'\nuntil = '9999-12-31'",
            3,
            1,
        ),
        ("rule = 'subnet'\nuntil = 2000-01-01", 4, 0),
    ] {
        let (found, hidden, report) = with(entry);
        assert_eq!((found, hidden), (shown, suppressed), "{entry}: {report}");
    }
    assert_eq!(codes(&with("rule = 'subnet'\nuntil = '2000-01-01'").2), ["expired-suppression"]);
    let report = with("rule = 'subnet'\npath = 'gone/**'").2;
    assert_eq!(codes(&report), ["unused-suppression"]);
    assert_eq!(report["notes"][0]["location"]["line"], 2);
}
