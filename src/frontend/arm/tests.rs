//! Whole templates and the table of functions.

use std::path::Path;

use super::{Options, evaluate_expression, is_parameter_file, is_template, load_template};
use crate::frontend::arm::evaluate::Deployed;
use crate::resource::{Level, Mode, Multiplicity, Resource};
use crate::source::SourceMap;
use crate::value::{Cause, TemplatePart, Value, ValueKind};

/// A value in a readable form: JSON where it is known, `&address.path` for references, `?cause` for unknowns.
fn shown(value: &Value) -> String {
    let text = match &value.kind {
        ValueKind::Null => "null".to_string(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Number(number) => number.to_string(),
        ValueKind::String(text) => serde_json::to_string(text.as_str()).unwrap(),
        ValueKind::Template(parts) => {
            let parts = parts.iter().map(|part| match part {
                TemplatePart::Literal(text) => text.to_string(),
                TemplatePart::Value(value) => format!("{{{}}}", shown(value)),
            });
            format!("`{}`", parts.collect::<String>())
        }
        ValueKind::Sequence(sequence) => {
            format!("[{}]", sequence.items.iter().map(shown).collect::<Vec<_>>().join(","))
        }
        ValueKind::Mapping(mapping) => {
            let entries = mapping.entries.iter();
            let entries =
                entries.map(|(key, entry)| format!("{key:?}:{}", shown(&entry.value))).collect::<Vec<_>>();
            format!("{{{}}}", entries.join(","))
        }
        ValueKind::Reference(reference) => format!("&{reference}"),
        ValueKind::Unknown(unknown) => match unknown.cause.root() {
            Cause::Input(name) | Cause::Lookup(name) | Cause::Impure(name) => format!("?{name}"),
            other => format!("?{other}"),
        },
    };
    if value.repeated { format!("*{text}") } else { text }
}

fn deploy_with(text: &str, options: &Options) -> (Deployed, SourceMap) {
    let sources = SourceMap::new();
    let path = Path::new("/nowhere/azuredeploy.json");
    sources.add(path, text);
    (load_template(path, options, &sources, 0), sources)
}

/// A resource group's template with these sections.
fn deploy(sections: &str) -> Deployed {
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    deploy_with(&format!("{{ \"$schema\": \"{schema}\", {sections} }}"), &Options::default()).0
}

fn addresses(deployed: &Deployed) -> Vec<&str> {
    deployed.resources.iter().map(|resource| resource.key.address.as_str()).collect()
}

fn resource<'d>(deployed: &'d Deployed, address: &str) -> &'d Resource {
    let found = deployed.resources.iter().find(|resource| resource.key.address == address);
    found.unwrap_or_else(|| panic!("no `{address}` in {:?}", addresses(deployed)))
}

fn property(resource: &Resource, path: &str) -> String {
    path.split('.')
        .try_fold(&resource.body, |value, step| match step.parse::<usize>() {
            Ok(index) => value.as_sequence()?.items.get(index),
            Err(_) => value.get(step),
        })
        .map_or("nothing".to_string(), shown)
}

fn output(deployed: &Deployed, name: &str) -> String {
    deployed.outputs.get(name).map_or("nothing".to_string(), shown)
}

#[test]
fn functions_give_what_the_table_says() {
    let table: serde_json::Value =
        serde_json::from_str(include_str!("../../../testdata/arm/functions.json")).unwrap();
    let options = Options {
        subscription: Some("11111111-1111-1111-1111-111111111111".into()),
        resource_group: Some("rg-one".into()),
        ..Options::default()
    };
    let mut wrong = Vec::new();
    for row in table["values"].as_array().unwrap() {
        let (call, wanted) = (row[0].as_str().unwrap(), row[1].to_string());
        let got = evaluate_expression(call, &options).map(|value| shown(&value));
        if got.as_ref() != Ok(&wanted) {
            wrong.push(format!("{call}: {got:?}, not {wanted}"));
        }
    }
    for call in table["errors"].as_array().unwrap() {
        let call = call.as_str().unwrap();
        if let Ok(value) = evaluate_expression(call, &options) {
            wrong.push(format!("{call}: {}, not an error", shown(&value)));
        }
    }
    for call in table["unknown"].as_array().unwrap() {
        let call = call.as_str().unwrap();
        match evaluate_expression(call, &options) {
            Ok(value) if value.first_unknown().is_some() => {}
            other => wrong.push(format!("{call}: {other:?}, not an unknown")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn templates_are_told_by_their_schema() {
    for name in [
        "deploymentTemplate",
        "subscriptionDeploymentTemplate",
        "managementGroupDeploymentTemplate",
        "tenantDeploymentTemplate",
    ] {
        assert!(
            is_template(&format!(
                "\u{feff}// x\n{{ \"a\": [{{}}], \"$schema\": \"https://x/{name}.json#\" }}"
            )),
            "{name}"
        );
    }
    assert!(is_template(
        "{'$SCHEMA': 'http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json', broken"
    ));
    let parameters = "{\"$schema\": \"https://x/deploymentParameters.json#\"}";
    assert!(!is_template(parameters));
    assert!(is_parameter_file(parameters));
    // A policy that carries a template is none itself.
    assert!(!is_template("{\"template\": {\"$schema\": \"https://x/deploymentTemplate.json#\"}}"));
    for text in ["", "[]", "null", "{", "{\"$schema\": 1}", "\"$schema\"", "{\"x\": \"\\"] {
        assert!(!is_template(text), "{text}");
    }
}

const NETWORK: &str = r#"
  "parameters": { "vnetName": { "type": "string" }, "prefix": { "type": "string", "defaultValue": "10.0.0.0/16" } },
  "variables": { "vnetId": "[resourceId('Microsoft.Network/virtualNetworks', parameters('vnetName'))]" },
  "resources": [
    { "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-09-01", "name": "[parameters('vnetName')]",
      "properties": { "addressSpace": { "addressPrefixes": [ "[parameters('prefix')]" ] },
        "subnets": [ { "name": "db", "properties": { "addressPrefix": "[cidrSubnet(parameters('prefix'), 24, 1)]" } } ] },
      "resources": [ { "type": "subnets", "apiVersion": "2023-09-01", "name": "app", "properties": { "addressPrefix": "10.0.2.0/24" } } ] },
    { "type": "Microsoft.Network/networkInterfaces", "apiVersion": "2023-09-01", "name": "nic",
      "dependsOn": [ "[variables('vnetId')]" ],
      "properties": {
        "inline": "[concat(variables('VNETID'), '/subnets/db')]",
        "child": "[concat(variables('vnetId'), '/subnets/app')]",
        "direct": "[resourceId('microsoft.network/VirtualNetworks/subnets', parameters('vnetname'), 'APP')]",
        "elsewhere": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'other', 'app')]",
        "otherGroup": "[resourceId('rg', 'Microsoft.Network/virtualNetworks', parameters('vnetName'))]",
        "read": "[reference(variables('vnetId')).addressSpace.addressPrefixes[0]]",
        "subnetId": "[reference(variables('vnetId')).subnets[0].id]",
        "last": "[last(split(resourceId('Microsoft.Network/networkInterfaces', 'nic'), '/'))]" } } ]"#;

#[test]
fn ids_of_declared_resources_are_references_even_when_names_are_unknown() {
    let deployed = deploy(NETWORK);
    assert!(deployed.diagnostics.is_empty(), "{:?}", deployed.diagnostics);
    let vnet = "Microsoft.Network/virtualNetworks/{vnetName}";
    let app = "Microsoft.Network/virtualNetworks/{vnetName}/subnets/app";
    let nic = resource(&deployed, "Microsoft.Network/networkInterfaces/nic");
    assert_eq!(property(nic, "properties.inline"), format!("`{{&{vnet}.id}}/subnets/db`"));
    assert_eq!(property(nic, "properties.child"), format!("&{app}.id"));
    assert_eq!(property(nic, "properties.direct"), format!("&{app}.id"));
    let place = "/subscriptions/{?subscription().subscriptionId}/resourceGroups/{?resourceGroup().name}";
    let elsewhere = format!("`{place}/providers/Microsoft.Network/virtualNetworks/other/subnets/app`");
    assert_eq!(property(nic, "properties.elsewhere"), elsewhere);
    let other = "`/subscriptions/{?subscription().subscriptionId}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/{?vnetName}`";
    assert_eq!(property(nic, "properties.otherGroup"), other);
    assert_eq!(property(nic, "properties.read"), "\"10.0.0.0/16\"");
    assert_eq!(property(nic, "properties.subnetId"), format!("&{vnet}.properties.subnets[0].id"));
    assert_eq!(property(nic, "properties.last"), "\"nic\"");
    assert_eq!(nic.dependencies, [vnet]);
    let subnet = resource(&deployed, app);
    assert_eq!(subnet.resource_type, "Microsoft.Network/virtualNetworks/subnets");
    assert_eq!(property(subnet, "name"), "`{?vnetName}/app`");
    assert_eq!(
        property(resource(&deployed, vnet), "properties.subnets.0.properties.addressPrefix"),
        "\"10.0.1.0/24\""
    );
}

#[test]
fn values_keep_the_place_where_they_were_written() {
    let schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    let text = format!("\u{feff}{{ \"$schema\": \"{schema}\", {NETWORK} }}");
    let (deployed, sources) = deploy_with(&text, &Options::default());
    let vnet = resource(&deployed, "Microsoft.Network/virtualNetworks/{vnetName}");
    let prefix =
        vnet.body.get("properties").and_then(|value| value.get("addressSpace")?.get("addressPrefixes"));
    let prefix = &prefix.unwrap().as_sequence().unwrap().items[0];
    let file = sources.get(prefix.span.file).unwrap();
    assert_eq!(file.slice(prefix.span), "\"10.0.0.0/16\"");
    assert_eq!(file.slice(vnet.header), "\"name\": \"[parameters('vnetName')]\"");
}

#[test]
fn loops_and_conditions_make_what_they_say() {
    let deployed = deploy(
        r#""parameters": { "n": { "type": "int" }, "want": { "type": "bool" } },
        "variables": { "copy": [ { "name": "prefixes", "count": 2, "input": "[format('10.{0}.0.0/16', copyIndex('prefixes', 1))]" } ] },
        "resources": [
          { "type": "A.B/c", "apiVersion": "1", "name": "[concat('fixed', copyIndex(1))]", "copy": { "name": "one", "count": 2 },
            "properties": { "copy": [ { "name": "list", "count": 2, "input": { "at": "[copyIndex('list')]", "in": "[copyIndex()]" } } ] } },
          { "type": "A.B/c", "apiVersion": "1", "name": "[concat('open', copyIndex())]", "copy": { "name": "two", "count": "[parameters('n')]" } },
          { "type": "A.B/c", "apiVersion": "1", "name": "no", "condition": false },
          { "type": "A.B/c", "apiVersion": "1", "name": "maybe", "condition": "[parameters('want')]", "dependsOn": [ "one" ],
            "properties": { "both": "[if(parameters('want'), 'same', 'same')]", "one": "[if(parameters('want'), 'a', div(1, 0))]" } } ],
        "outputs": { "prefixes": { "type": "array", "value": "[variables('prefixes')]" },
          "names": { "type": "array", "copy": { "count": 2, "input": "[concat('n', copyIndex())]" } },
          "absent": { "condition": false, "value": 1, "type": "int" } }"#,
    );
    assert!(deployed.diagnostics.is_empty(), "{:?}", deployed.diagnostics);
    assert_eq!(addresses(&deployed), ["A.B/c/fixed1", "A.B/c/fixed2", "A.B/c/open{n}", "A.B/c/maybe"]);
    let second = resource(&deployed, "A.B/c/fixed2");
    assert_eq!(property(second, "properties.list"), r#"[{"at":0,"in":1},{"at":1,"in":1}]"#);
    assert_eq!(second.multiplicity, Multiplicity::One);
    assert!(matches!(&resource(&deployed, "A.B/c/open{n}").multiplicity,
        Multiplicity::ZeroOrMore(cause) if matches!(&cause.cause, Cause::Input(name) if name == "n")));
    let maybe = resource(&deployed, "A.B/c/maybe");
    assert!(matches!(maybe.multiplicity, Multiplicity::ZeroOrMore(_)));
    assert_eq!(property(maybe, "properties.both"), "\"same\"");
    assert_eq!(property(maybe, "properties.one"), "?want");
    assert_eq!(maybe.dependencies, ["A.B/c/fixed1", "A.B/c/fixed2"]);
    assert_eq!(output(&deployed, "prefixes"), r#"["10.1.0.0/16","10.2.0.0/16"]"#);
    assert_eq!(output(&deployed, "names"), r#"["n0","n1"]"#);
    assert_eq!(output(&deployed, "absent"), "nothing");
}

const NESTED: &str = r#"{ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "parameters": { "subnetId": { "type": "string", "defaultValue": "inner" } }, "variables": { "v": "inner" },
  "resources": [ { "type": "A.B/c", "apiVersion": "1", "name": "x",
    "properties": { "subnet": "[parameters('subnetId')]", "v": "[variables('v')]", "group": "[resourceGroup().name]" } } ],
  "outputs": { "id": { "type": "string", "value": "[resourceId('A.B/c', 'x')]" } } }"#;

#[test]
fn nested_deployments_pass_references_in_and_out() {
    let outer = |scope: &str| {
        format!(
            r#""parameters": {{ "subnetId": {{ "type": "string", "defaultValue": "outer" }} }}, "variables": {{ "v": "outer" }},
            "resources": [
              {{ "type": "Microsoft.Network/virtualNetworks", "apiVersion": "1", "name": "hub" }},
              {{ "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "spoke", "resourceGroup": "rg-two",
                "dependsOn": [ "hub" ],
                "properties": {{ "mode": "Incremental", {scope} "template": {NESTED},
                  "parameters": {{ "subnetId": {{ "value": "[resourceId('Microsoft.Network/virtualNetworks', 'hub')]" }} }} }} }},
              {{ "type": "A.B/d", "apiVersion": "1", "name": "after",
                "properties": {{ "id": "[reference('spoke').outputs.id.value]" }} }} ]"#
        )
    };
    let inner = deploy(&outer(r#""expressionEvaluationOptions": { "scope": "inner" },"#));
    assert!(inner.diagnostics.is_empty(), "{:?}", inner.diagnostics);
    let x = resource(&inner, "spoke::A.B/c/x");
    assert_eq!(property(x, "properties.subnet"), "&Microsoft.Network/virtualNetworks/hub.id");
    assert_eq!(property(x, "properties.v"), "\"inner\"");
    assert_eq!(property(x, "properties.group"), "\"rg-two\"");
    assert_eq!(x.scope.as_ref().map(|scope| shown(&scope.resource_group)), Some("\"rg-two\"".into()));
    assert_eq!(x.dependencies, ["Microsoft.Network/virtualNetworks/hub"]);
    let after = resource(&inner, "A.B/d/after");
    assert_eq!(property(after, "properties.id"), "&spoke::A.B/c/x.id");
    assert_eq!(after.dependencies, ["Microsoft.Resources/deployments/spoke"]);
    let deployment = resource(&inner, "Microsoft.Resources/deployments/spoke");
    assert_eq!(deployment.dependencies, ["Microsoft.Network/virtualNetworks/hub", "spoke::A.B/c/x"]);

    let outer = deploy(&outer(""));
    let x = resource(&outer, "spoke::A.B/c/x");
    assert_eq!(property(x, "properties.subnet"), "\"outer\"");
    assert_eq!(property(x, "properties.v"), "\"outer\"");
    assert_eq!(property(x, "properties.group"), "?resourceGroup().name");
}

#[test]
fn symbolic_names_are_addresses() {
    let deployed = deploy(
        r#""languageVersion": "2.0", "parameters": { "names": { "type": "array", "defaultValue": [ "a", "b" ] } },
        "resources": {
          "zone": { "existing": true, "type": "Microsoft.Network/privateDnsZones", "apiVersion": "1", "name": "corp.example", "resourceGroup": "dns" },
          "vnets": { "copy": { "name": "vnets", "count": "[length(parameters('names'))]" }, "type": "Microsoft.Network/virtualNetworks",
            "apiVersion": "1", "name": "[parameters('names')[copyIndex()]]", "location": "westeurope" },
          "link": { "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "apiVersion": "1", "name": "corp.example/l",
            "properties": { "vnet": "[resourceId('Microsoft.Network/virtualNetworks', 'B')]", "where": "[reference('vnets[1]', '1', 'full').location]",
              "all": "[map(references('vnets', 'full'), lambda('v', lambdaVariables('v').id))]", "zone": "[reference('zone').maxNumberOfRecordSets]" },
            "dependsOn": [ "vnets" ] },
          "module": { "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "m", "properties": { "template": {
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "languageVersion": "2.0",
            "parameters": { "own": { "type": "string", "defaultValue": "seen" } },
            "resources": { "inner": { "type": "A.B/c", "apiVersion": "1", "name": "[parameters('own')]" } } } } } }"#,
    );
    assert!(deployed.diagnostics.is_empty(), "{:?}", deployed.diagnostics);
    assert_eq!(addresses(&deployed), ["zone", "vnets[0]", "vnets[1]", "link", "module", "module::inner"]);
    assert_eq!(resource(&deployed, "zone").mode, Mode::Existing);
    assert_eq!(
        resource(&deployed, "zone").scope.as_ref().map(|scope| shown(&scope.resource_group)),
        Some("\"dns\"".into())
    );
    let link = resource(&deployed, "link");
    assert_eq!(property(link, "properties.vnet"), "&vnets[1].id");
    assert_eq!(property(link, "properties.where"), "\"westeurope\"");
    assert_eq!(property(link, "properties.all"), "[&vnets[0].id,&vnets[1].id]");
    assert_eq!(property(link, "properties.zone"), "&zone.properties.maxNumberOfRecordSets");
    assert_eq!(link.dependencies, ["vnets", "vnets[1]", "zone"]);
    // In language version 2.0 nested templates see their own parameters.
    assert_eq!(property(resource(&deployed, "module::inner"), "name"), "\"seen\"");
}

#[test]
fn parameters_come_from_files_and_options() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let schema = "https://schema.management.azure.com/schemas/2019-04-01";
    write(
        "main.json",
        &format!(
            r#"{{ "$schema": "{schema}/deploymentTemplate.json#", "parameters": {{
              "a": {{ "type": "string" }}, "b": {{ "type": "string", "defaultValue": "[toUpper(parameters('a'))]" }},
              "c": {{ "type": "string", "allowedValues": [ "x", "y" ] }}, "d": {{ "type": "int" }},
              "s": {{ "type": "secureString" }}, "opt": {{ "type": "string", "nullable": true }} }},
              "resources": [ {{ "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "linked",
                "properties": {{ "templateLink": {{ "relativePath": "nested/child.json" }},
                  "parameters": {{ "list": {{ "copy": [ {{ "name": "value", "count": 2, "input": "[copyIndex('value')]" }} ] }} }} }} }},
                {{ "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "byUri",
                "properties": {{ "templateLink": {{ "uri": "[uri(deployment().properties.templateLink.uri, 'nested/child.json')]" }} }} }},
                {{ "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "escape",
                "properties": {{ "templateLink": {{ "relativePath": "../../etc/passwd" }} }} }} ],
              "outputs": {{ "a": {{ "value": "[parameters('A')]" }}, "b": {{ "value": "[parameters('b')]" }}, "c": {{ "value": "[parameters('c')]" }},
                "d": {{ "value": "[parameters('d')]" }}, "s": {{ "value": "[parameters('s')]" }}, "opt": {{ "value": "[parameters('opt')]" }} }} }}"#
        ),
    );
    write(
        "main.parameters.json",
        &format!(
            r#"{{ "$schema": "{schema}/deploymentParameters.json#", "parameters": {{ "A": {{ "value": "file" }}, "c": {{ "value": "z" }},
              "d": {{ "value": "not a number" }}, "s": {{ "reference": {{ "keyVault": {{ "id": "x" }}, "secretName": "password" }} }}, "unknown": {{ "value": 1 }} }} }}"#
        ),
    );
    std::fs::create_dir(folder.path().join("nested")).unwrap();
    write(
        "nested/child.json",
        &format!(
            r#"{{ "$schema": "{schema}/deploymentTemplate.json#", "parameters": {{ "list": {{ "type": "array", "defaultValue": [] }} }},
              "resources": [ {{ "type": "A.B/c", "apiVersion": "1", "name": "child", "properties": {{ "list": "[parameters('list')]" }} }} ] }}"#
        ),
    );
    let path = folder.path().join("main.json");
    let parameters = super::parameter_file(&path).unwrap();
    let options = Options { parameter_files: vec![parameters], ..Options::default() };
    let sources = SourceMap::new();
    let deployed = load_template(&path, &options, &sources, 0);
    assert_eq!(output(&deployed, "a"), "\"file\"");
    assert_eq!(output(&deployed, "b"), "\"FILE\"");
    assert_eq!(output(&deployed, "opt"), "null");
    assert_eq!(output(&deployed, "s"), "?password");
    assert!(deployed.outputs["s"].sensitive);
    let file = sources.get(deployed.outputs["a"].span.file).unwrap();
    assert!(file.display().ends_with("main.parameters.json"));
    let mut codes: Vec<&str> = deployed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["module-not-found", "unknown-parameter", "value-not-allowed", "value-type"]);
    assert_eq!(property(resource(&deployed, "linked::A.B/c/child"), "properties.list"), "[0,1]");
    assert_eq!(property(resource(&deployed, "byUri::A.B/c/child"), "properties.list"), "[]");

    let given =
        Options { parameters: vec![("A".into(), Value::string("given", Default::default()))], ..options };
    assert_eq!(output(&load_template(&path, &given, &SourceMap::new(), 0), "b"), "\"GIVEN\"");
    assert_eq!(
        super::discover(&[path.clone(), folder.path().join("nested/child.json")], &SourceMap::new()),
        [path]
    );
}

#[test]
fn user_functions_see_their_arguments_only() {
    let deployed = deploy(
        r#""functions": [ { "namespace": "net", "members": {
            "name": { "parameters": [ { "name": "kind", "type": "string" } ], "output": { "type": "string", "value": "[concat(parameters('kind'), '-x')]" } },
            "loop": { "parameters": [], "output": { "type": "string", "value": "[net.loop()]" } } } } ],
          "parameters": { "kind": { "type": "string", "defaultValue": "outer" } }, "resources": [],
          "outputs": { "a": { "type": "string", "value": "[NET.Name('vnet')]" }, "b": { "type": "string", "value": "[net.loop()]" } }"#,
    );
    assert_eq!(output(&deployed, "a"), "\"vnet-x\"");
    assert_eq!(deployed.diagnostics.len(), 1, "{:?}", deployed.diagnostics);
    assert!(deployed.diagnostics[0].message.contains("calls itself"));
}

#[test]
fn unknowns_are_the_same_where_they_come_from_the_same() {
    let deployed = deploy(
        r#""parameters": { "n": { "type": "int" }, "names": { "type": "object" } },
        "resources": [
          { "type": "A.B/nic", "apiVersion": "1", "name": "[concat('nic', copyIndex())]", "copy": { "name": "nics", "count": "[parameters('n')]" } },
          { "type": "A.B/nic", "apiVersion": "1", "name": "[toLower(concat(parameters('names').hub, uniqueString(resourceGroup().id)))]" },
          { "type": "A.B/vm", "apiVersion": "1", "name": "[concat('vm', copyIndex())]", "copy": { "name": "vms", "count": "[parameters('n')]" },
            "properties": { "own": "[resourceId('A.B/nic', concat('nic', copyIndex()))]", "next": "[resourceId('A.B/nic', concat('nic', copyIndex(1)))]",
              "hub": "[resourceId('A.B/nic', toLower(concat(parameters('names').hub, uniqueString(resourceGroup().id))))]",
              "spoke": "[resourceId('A.B/nic', toLower(concat(parameters('names').spoke, uniqueString(resourceGroup().id))))]" } } ]"#,
    );
    assert!(deployed.diagnostics.is_empty(), "{:?}", deployed.diagnostics);
    let vm = &deployed.resources[2];
    assert_eq!(property(vm, "properties.own"), "&A.B/nic/nic{n}.id");
    assert!(property(vm, "properties.next").starts_with("`/subscriptions/"));
    assert!(property(vm, "properties.hub").starts_with('&'));
    assert!(property(vm, "properties.spoke").starts_with("`/subscriptions/"));
}

#[test]
fn subscription_templates_deploy_into_groups_they_make() {
    let nested = NESTED.replace("[resourceGroup().name]", "[resourceGroup().location]");
    let text = format!(
        r#"{{ "$schema": "https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#",
        "resources": [ {{ "type": "Microsoft.Resources/resourceGroups", "apiVersion": "1", "name": "rg-net", "location": "westeurope" }},
          {{ "type": "Microsoft.Resources/deployments", "apiVersion": "1", "name": "net", "resourceGroup": "rg-net",
             "properties": {{ "expressionEvaluationOptions": {{ "scope": "inner" }}, "template": {nested} }} }} ] }}"#
    );
    let (deployed, _) = deploy_with(&text, &Options::default());
    assert!(deployed.diagnostics.is_empty(), "{:?}", deployed.diagnostics);
    let group = resource(&deployed, "Microsoft.Resources/resourceGroups/rg-net");
    assert!(group.scope.as_ref().is_some_and(|scope| scope.resource_group.is_null()));
    assert_eq!(property(resource(&deployed, "net::A.B/c/x"), "properties.group"), "\"westeurope\"");
}

#[test]
fn hostile_input_is_a_diagnostic() {
    let error = |deployed: &Deployed, code: &str| {
        let found = deployed
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.code == code && diagnostic.level > Level::Note);
        assert!(found, "no {code} in {:?}", deployed.diagnostics);
    };
    error(
        &deploy_with(
            "{ \"resources\": [ {\"type\": \"A.B/c\", \"name\": \"x\"}, {\"type\":",
            &Options::default(),
        )
        .0,
        "syntax-error",
    );
    let cut = deploy_with(
        "{ \"resources\": [ {\"type\": \"A.B/c\", \"name\": \"x\"}, {\"type\":",
        &Options::default(),
    )
    .0;
    assert_eq!(addresses(&cut), ["A.B/c/x"]);
    error(
        &deploy_with(&format!("{{\"resources\": {}", "[".repeat(100_000)), &Options::default()).0,
        "syntax-error",
    );
    error(
        &deploy(
            r#""resources": [ { "type": "A.B/c", "name": "[concat('x', copyIndex())]", "copy": { "name": "l", "count": 1000000 } } ]"#,
        ),
        "limit",
    );
    error(
        &deploy(
            r#""variables": { "a": "[variables('b')]", "b": "[variables('a')]" }, "resources": [], "outputs": { "o": { "value": "[variables('a')]" } }"#,
        ),
        "evaluation-error",
    );
    // Each doubles the one before.
    let doubling: Vec<String> = (1..60)
        .map(|n| format!("\"v{n}\": \"[concat(variables('v{}'), variables('v{}'))]\"", n - 1, n - 1))
        .collect();
    let doubling = format!(
        r#""variables": {{ "v0": "xxxxxxxxxxxxxxxx", {} }}, "resources": [], "outputs": {{ "o": {{ "value": "[variables('v59')]" }} }}"#,
        doubling.join(", ")
    );
    assert!(!deploy(&doubling).diagnostics.is_empty());
    assert!(!deploy(&doubling.replace("\"xxxxxxxxxxxxxxxx\"", "[1, 2, 3]")).diagnostics.is_empty());
    // A chain of variables deeper than the limit.
    let chain: Vec<String> =
        (1..20_000).map(|n| format!("\"v{n}\": \"[variables('v{}')]\"", n - 1)).collect();
    let chain = format!(
        r#""variables": {{ "v0": 1, {} }}, "resources": [], "outputs": {{ "o": {{ "value": "[variables('v19999')]" }} }}"#,
        chain.join(", ")
    );
    error(&deploy(&chain), "evaluation-error");
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "{\"resources\": 5}",
        "{\"resources\": [1, null, {}]}",
        "{\"parameters\": [], \"variables\": 1, \"outputs\": \"x\"}",
    ] {
        let deployed = deploy_with(text, &Options::default()).0;
        assert!(deployed.resources.is_empty(), "{text}");
    }
}

#[test]
fn templates_that_link_to_themselves_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("self.json");
    let text = r#"{ "resources": [ { "type": "Microsoft.Resources/deployments", "name": "again", "properties": { "templateLink": { "relativePath": "self.json" } } } ] }"#;
    std::fs::write(&path, text).unwrap();
    let deployed = load_template(&path, &Options::default(), &SourceMap::new(), 0);
    assert!(deployed.diagnostics.iter().any(|diagnostic| diagnostic.code == "limit"));
    std::fs::write(&path, b"{ \"a\": \"\xff\" }").unwrap();
    let deployed = load_template(&path, &Options::default(), &SourceMap::new(), 0);
    assert_eq!(deployed.diagnostics[0].code, "unreadable-file");
}

#[test]
fn ids_of_names_that_are_taken_apart() {
    let deployed = deploy(
        r#""parameters": { "net": { "type": "string" } },
        "resources": [
            { "type": "Microsoft.Network/virtualNetworks/subnets", "apiVersion": "2023-04-01", "name": "[format('{0}/{1}', parameters('net'), 'a')]" }
        ],
        "outputs": {
            "own": { "type": "string", "value": "[resourceId('Microsoft.Network/virtualNetworks/subnets', split(format('{0}/{1}', parameters('net'), 'a'), '/')[0], split(format('{0}/{1}', parameters('net'), 'a'), '/')[1])]" },
            "other": { "type": "string", "value": "[resourceId('Microsoft.Network/virtualNetworks/subnets', split(format('{0}/{1}', parameters('net'), 'b'), '/')[0], split(format('{0}/{1}', parameters('net'), 'b'), '/')[1])]" },
            "mixed": { "type": "string", "value": "[resourceId('Microsoft.Network/virtualNetworks/subnets', split('x/y', '/')[0], split('z/a', '/')[1])]" }
        }"#,
    );
    assert_eq!(output(&deployed, "own"), "&Microsoft.Network/virtualNetworks/{net}/subnets/a.id");
    assert!(
        output(&deployed, "other").ends_with("/virtualNetworks/{?net}/subnets/b`"),
        "{}",
        output(&deployed, "other")
    );
    assert!(
        output(&deployed, "mixed").ends_with("/virtualNetworks/x/subnets/a`"),
        "{}",
        output(&deployed, "mixed")
    );
}

#[test]
fn json_with_unknown_parts_inside_its_strings() {
    let deployed = deploy(
        r#""parameters": { "net": { "type": "string" } },
        "resources": [],
        "outputs": {
            "inside": { "type": "object", "value": "[json(concat('{ \"name\": \"a-', parameters('net'), '\", \"list\": [1, null] }'))]" },
            "outside": { "type": "object", "value": "[json(concat('{ \"count\": ', parameters('net'), ' }'))]" },
            "key": { "type": "object", "value": "[json(concat('{ \"', parameters('net'), '\": 1 }'))]" }
        }"#,
    );
    assert_eq!(output(&deployed, "inside"), "{\"name\":`a-{?net}`,\"list\":[1,null]}");
    assert_eq!(output(&deployed, "outside"), "?net");
    assert_eq!(output(&deployed, "key"), "?net");
}

#[test]
fn an_empty_text_says_nothing_about_what_azure_fills_in() {
    let deployed = deploy(
        r#""resources": [
            { "type": "Microsoft.Network/networkInterfaces", "apiVersion": "2023-04-01", "name": "nic",
              "properties": { "ipConfigurations": [ { "name": "a", "properties": { "privateIPAddress": "" } } ] } }
        ],
        "outputs": {
            "address": { "type": "string", "value": "[reference('nic').ipConfigurations[0].properties.privateIPAddress]" },
            "name": { "type": "string", "value": "[reference('nic').ipConfigurations[0].name]" }
        }"#,
    );
    assert_eq!(output(&deployed, "name"), "\"a\"");
    assert!(output(&deployed, "address").starts_with('&'), "{}", output(&deployed, "address"));
}

/// What needs a limit on the work: each ends, with a diagnostic and without a large value.
#[test]
fn work_has_a_limit() {
    let outputs = |value: &str| {
        format!(r#""resources": [], "outputs": {{ "o": {{ "type": "object", "value": {value} }} }}"#)
    };
    let doubled = |name: &str, call: &str| {
        let steps: Vec<String> = (1..60)
            .map(|n| format!("\"v{n}\": \"[{}]\"", call.replace('@', &format!("variables('v{}')", n - 1))))
            .collect();
        format!(
            r#""variables": {{ "v0": {name}, {} }}, {}"#,
            steps.join(", "),
            outputs("\"[string(variables('v59'))]\"")
        )
    };
    let functions: Vec<String> = (0..60)
        .map(|n| {
            let value = format!("[add(f.g{}(parameters('x')), f.g{}(parameters('x')))]", n + 1, n + 1);
            let value = if n == 59 { "[parameters('x')]".to_string() } else { value };
            format!(r#""g{n}": {{ "parameters": [{{ "name": "x", "type": "int" }}], "output": {{ "type": "int", "value": "{value}" }} }}"#)
        })
        .collect();
    for sections in [
        doubled("[1]", "createArray(@, @)"),
        doubled("{}", "createObject('a', @, 'b', @)"),
        doubled("\"x\"", "format('{0}{0}{0}{0}', @)"),
        doubled("\"x\"", "replace(concat(@, '12'), '1', @)"),
        doubled("[1]", "map(range(0, 2), lambda('x', @))"),
        doubled("[1]", "flatten(createArray(@, @))"),
        outputs(r#""[reduce(range(0, 60), createArray(1), lambda('a', 'b', createArray(lambdaVariables('a'), lambdaVariables('a'))))]""#),
        outputs(r#""[map(range(0, 10000), lambda('a', map(range(0, 10000), lambda('b', map(range(0, 10000), lambda('c', 1))))))]""#),
        outputs(r#""[padLeft('x', 2000000000, 'y')]""#),
        outputs(r#""[range(0, 2000000000)]""#),
        outputs(r#""[format('{0,2000000000}', 'x')]""#),
        format!(r#""functions": [{{ "namespace": "f", "members": {{ {} }} }}], {}"#, functions.join(", "), outputs("\"[f.g0(1)]\"")),
        r#""functions": [{ "namespace": "f", "members": { "r": { "output": { "type": "int", "value": "[f.r()]" } } } }], "resources": [], "outputs": { "o": { "type": "int", "value": "[f.r()]" } }"#.to_string(),
        r#""variables": { "copy": [ { "name": "a", "count": 1000000, "input": { "copy": [ { "name": "b", "count": 1000000, "input": 1 } ] } } ] }, "resources": [], "outputs": { "o": { "type": "array", "value": "[variables('a')]" } }"#.to_string(),
        r#""variables": { "copy": [ { "name": "a", "count": 10000, "input": { "copy": [ { "name": "b", "count": 10000, "input": 1 } ] } } ] }, "resources": [], "outputs": { "o": { "type": "array", "value": "[variables('a')]" } }"#.to_string(),
    ] {
        let deployed = deploy(&sections);
        let start: String = sections.chars().take(200).collect();
        assert!(deployed.diagnostics.iter().any(|one| one.level > Level::Note), "{start}");
    }
}
