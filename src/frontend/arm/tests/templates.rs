//! Whole templates: how they are told, nested, parametrised, and what hostile ones do.

use super::*;

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
    let parameters = crate::frontend::arm::parameter_file(&path).unwrap();
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
        crate::frontend::arm::discover(
            &[path.clone(), folder.path().join("nested/child.json")],
            &SourceMap::new()
        ),
        [path]
    );
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
