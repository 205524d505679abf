//! Parameters files and values from outside.

use super::*;

#[test]
fn a_literal_is_found_where_it_was_written() {
    let case = case(&[
        (
            "main.bicep",
            "param prefix string\nmodule m 'm.bicep' = {\n  name: 'm'\n  params: { prefix: prefix }\n}\n",
        ),
        (
            "m.bicep",
            "param prefix string\nresource vnet 'Microsoft.Network/virtualNetworks@2023-04-01' = {\n  name: 'v'\n  \
             properties: { addressSpace: { addressPrefixes: [prefix] } }\n}\n",
        ),
        ("main.bicepparam", "using './main.bicep'\nvar base = '10.0.0.0/8'\nparam prefix = base\n"),
    ]);
    let vnet = case.resource("m::vnet");
    let prefixes =
        vnet.body.get("properties").and_then(|p| p.get("addressSpace")?.get("addressPrefixes")).unwrap();
    let prefix = &prefixes.as_sequence().unwrap().items[0];
    assert_eq!(prefix.as_str(), Some("10.0.0.0/8"));
    let file = case.map.get(prefix.span.file).unwrap();
    assert!(file.path().ends_with("main.bicepparam"));
    assert_eq!(case.map.position(prefix.span).unwrap().line, 2);
}

#[test]
fn parameters_files_extend_and_override() {
    let case = case(&[
        (
            "main.bicep",
            "param name string\nparam tags object\nparam count int = 3\noutput all string = '${name}-${count}-${tags.a}-${tags.b}'\n",
        ),
        (
            "shared/base.bicepparam",
            "using none\nparam name = 'base'\nparam tags = { a: 'base' }\nparam count = 1\n",
        ),
        (
            "main.bicepparam",
            "using 'main.bicep'\nextends 'shared/base.bicepparam'\nparam name = 'own'\nparam tags = union(base.tags, { b: name })\n",
        ),
    ]);
    assert_eq!(case.problems(), []);
    assert_eq!(case.output("all"), "own-1-base-own");
}

#[test]
fn parameters_from_json_files_and_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.json");
    let json = r#"{ "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
        "parameters": { "A": { "value": "file" }, "b": { "value": "file" } } }"#;
    std::fs::write(&file, json).unwrap();
    let mut options = Options::default();
    options.deployment.parameter_files = vec![file];
    options.deployment.parameters = vec![("b".into(), Value::string("line", Span::NOWHERE))];
    let text = "param a string\nparam b string\nparam c string\noutput all string = '${a}-${b}-${c}'\n";
    let case = case_with(&[("main.bicep", text)], options);
    assert_eq!(case.output("all"), "file-line-?");
}
