//! What expressions, loops and conditions of a template come to.

use super::*;

#[test]
fn functions_give_what_the_table_says() {
    let table: serde_json::Value =
        serde_json::from_str(include_str!("../../../../testdata/arm/functions.json")).unwrap();
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
