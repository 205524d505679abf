use super::*;
use crate::value::ValueKind;

fn document(changes: &str, configuration: &str) -> String {
    format!(
        r#"{{"format_version":"1.2","planned_values":{{}},"resource_changes":[{changes}],"configuration":{configuration}}}"#
    )
}

fn change(address: &str, module: Option<&str>, index: Option<&str>, after: &str, unknown: &str) -> String {
    let block = address.rsplit("module.").next().unwrap_or(address);
    let start = block.find("azurerm_").unwrap_or(0);
    let mut parts = block[start..].split(['.', '[']);
    let (resource_type, name) = (parts.next().unwrap(), parts.next().unwrap());
    let module =
        module.map(|m| format!(r#""module_address":{},"#, Json::String(m.into()))).unwrap_or_default();
    let index = index.map(|i| format!(r#""index":{i},"#)).unwrap_or_default();
    format!(
        r#"{{"address":{},{module}{index}"mode":"managed","type":"{resource_type}","name":"{name}",
        "change":{{"actions":["create"],"before":null,"after":{after},"after_unknown":{unknown},"after_sensitive":{{}}}}}}"#,
        Json::String(address.into())
    )
}

fn reference_of(plan: &Plan, address: &str, attribute: &str) -> Option<String> {
    let resource = plan.after.iter().find(|r| r.key.address == address).expect("a resource of that address");
    resource.body.get(attribute)?.as_reference().map(ToString::to_string)
}

#[test]
fn an_unknown_id_leads_to_the_one_instance_behind_it() {
    let changes = [
        change("azurerm_subnet.db", None, None, r#"{"name":"db"}"#, r#"{"id":true}"#),
        change(
            "azurerm_postgresql_flexible_server.this",
            None,
            None,
            r#"{"name":"pg"}"#,
            r#"{"id":true,"delegated_subnet_id":true}"#,
        ),
    ]
    .join(",");
    let configuration = r#"{"root_module":{"resources":[
        {"address":"azurerm_subnet.db"},
        {"address":"azurerm_postgresql_flexible_server.this","expressions":{"delegated_subnet_id":{"references":["azurerm_subnet.db.id","azurerm_subnet.db"]}}}]}}"#;
    let plan = load(&document(&changes, configuration), 0).unwrap();
    assert_eq!(
        reference_of(&plan, "azurerm_postgresql_flexible_server.this", "delegated_subnet_id").as_deref(),
        Some("azurerm_subnet.db.id")
    );
}

#[test]
fn references_go_through_variables_outputs_and_module_keys() {
    let changes = [
        change(
            r#"module.net.azurerm_subnet.this["web"]"#,
            Some("module.net"),
            Some("\"web\""),
            r#"{"name":"web"}"#,
            "{}",
        ),
        change(
            r#"module.net.azurerm_subnet.this["db"]"#,
            Some("module.net"),
            Some("\"db\""),
            r#"{"name":"db"}"#,
            "{}",
        ),
        change(
            r#"module.app["x"].azurerm_network_interface.n"#,
            Some(r#"module.app["x"]"#),
            None,
            r#"{"name":"n"}"#,
            r#"{"subnet_id":true}"#,
        ),
    ]
    .join(",");
    let configuration = r#"{"root_module":{"module_calls":{
        "net":{"module":{"resources":[{"address":"azurerm_subnet.this","for_each_expression":{"references":["var.subnets"]}}],
                         "outputs":{"ids":{"expression":{"references":["azurerm_subnet.this"]}}}}},
        "app":{"for_each_expression":{"constant_value":["x"]},
               "expressions":{"subnet":{"references":["module.net.ids[\"web\"]","module.net.ids","module.net"]}},
               "module":{"resources":[{"address":"azurerm_network_interface.n","expressions":{"subnet_id":{"references":["var.subnet"]}}}]}}}}}"#;
    let plan = load(&document(&changes, configuration), 0).unwrap();
    assert_eq!(
        reference_of(&plan, r#"module.app["x"].azurerm_network_interface.n"#, "subnet_id").as_deref(),
        Some(r#"module.net.azurerm_subnet.this["web"].id"#)
    );
}

#[test]
fn each_key_chooses_the_instance_of_the_same_key() {
    let mut changes = Vec::new();
    for key in ["a", "b"] {
        let index = format!("\"{key}\"");
        changes.push(change(&format!("azurerm_subnet.s[\"{key}\"]"), None, Some(&index), "{}", "{}"));
        changes.push(change(
            &format!("azurerm_network_interface.n[\"{key}\"]"),
            None,
            Some(&index),
            "{}",
            r#"{"subnet_id":true}"#,
        ));
        changes.push(change(
            &format!("azurerm_network_interface.any[\"{key}\"]"),
            None,
            Some(&index),
            "{}",
            r#"{"subnet_id":true}"#,
        ));
    }
    let configuration = r#"{"root_module":{"resources":[
        {"address":"azurerm_subnet.s"},
        {"address":"azurerm_network_interface.n","expressions":{"subnet_id":{"references":["azurerm_subnet.s","each.key"]}}},
        {"address":"azurerm_network_interface.any","expressions":{"subnet_id":{"references":["azurerm_subnet.s"]}}}]}}"#;
    let plan = load(&document(&changes.join(","), configuration), 0).unwrap();
    assert_eq!(
        reference_of(&plan, r#"azurerm_network_interface.n["b"]"#, "subnet_id").as_deref(),
        Some(r#"azurerm_subnet.s["b"].id"#)
    );
    assert_eq!(reference_of(&plan, r#"azurerm_network_interface.any["b"]"#, "subnet_id"), None);
}

#[test]
fn what_nobody_wrote_and_the_provider_computes_is_absent() {
    let changes = change(
        "azurerm_network_security_group.g",
        None,
        None,
        r#"{"name":"g"}"#,
        r#"{"security_rule":true,"id":true}"#,
    );
    let configuration = r#"{"root_module":{"resources":[{"address":"azurerm_network_security_group.g","expressions":{"name":{"constant_value":"g"}}}]}}"#;
    let plan = load(&document(&changes, configuration), 0).unwrap();
    assert!(plan.after[0].body.get("security_rule").is_none());
}

#[test]
fn destroyed_resources_are_known_only_before() {
    let text = r#"{"format_version":"1.2","configuration":{},"resource_changes":[{"address":"azurerm_subnet.old","mode":"managed",
        "type":"azurerm_subnet","name":"old","change":{"actions":["delete"],"before":{"name":"old"},"after":null,"after_unknown":{}}}]}"#;
    let plan = load(text, 0).unwrap();
    assert!(plan.after.is_empty());
    assert_eq!(plan.before[0].action, Some(Action::Delete));
}

#[test]
fn sensitive_values_stay_marked() {
    let text = r#"{"format_version":"1.2","configuration":{},"resource_changes":[{"address":"azurerm_subnet.s","mode":"managed",
        "type":"azurerm_subnet","name":"s","change":{"actions":["create"],"before":null,
        "after":{"name":"hidden","address_prefixes":["10.0.0.0/24"]},"after_unknown":{},"after_sensitive":{"name":true,"address_prefixes":[true]}}}]}"#;
    let plan = load(text, 0).unwrap();
    assert!(plan.after[0].body.get("name").unwrap().sensitive);
    let ValueKind::Sequence(list) = &plan.after[0].body.get("address_prefixes").unwrap().kind else {
        panic!("a list")
    };
    assert!(list.items[0].sensitive);
}

#[test]
fn states_are_read_as_they_are() {
    let text = r#"{"format_version":"1.0","values":{"root_module":{"child_modules":[{"address":"module.a","resources":[
        {"address":"module.a.azurerm_subnet.s","mode":"managed","type":"azurerm_subnet","name":"s","values":{"name":"s","id":"/subscriptions/1"}}]}]}}}"#;
    let plan = load(text, 0).unwrap();
    assert_eq!(plan.after[0].key.address, "module.a.azurerm_subnet.s");
    assert_eq!(plan.after[0].body.get("name").and_then(Value::as_str), Some("s"));
}

#[test]
fn what_is_not_a_plan_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "empty"),
        ("{\"format_version\":\"1.2\",\"resource_changes\":[", "cut off"),
        ("[]", "cannot be read"),
        ("{\"a\":1}", "format_version"),
        ("{\"format_version\":\"2.0\",\"configuration\":{}}", "not supported"),
        ("{\"format_version\":\"1.2\"}", "neither"),
    ] {
        let message = load(text, 0).expect_err("a refusal").message;
        assert!(message.contains(reason), "{text}: {message}");
    }
}

#[test]
fn constraints_tell_the_major_version_only_when_one_is_left() {
    assert_eq!(major("~> 4.1"), Some(4));
    assert_eq!(major("4.40.0"), Some(4));
    assert_eq!(major("= 3.2.0"), Some(3));
    assert_eq!(major(">= 4.0, < 5.0"), Some(4));
    assert_eq!(major(">= 3.0"), None);
    assert_eq!(major(">= 3.0, < 5.0.0"), None);
}

#[test]
fn plans_are_known_by_their_keys_in_any_order() {
    let long = " ".repeat(5000);
    assert!(is_plan(&format!("{{\"configuration\":{{}},{long}\"format_version\":\"1.2\"}}")));
    assert!(is_plan("\u{feff}{\"format_version\":\"1.2\",\"planned_values\":{}}"));
    assert!(!is_plan("{\"format_version\":\"1.2\"}"));
    assert!(!is_plan(
        "{\"$schema\":\"https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#\"}"
    ));
    assert!(!is_plan("[1]"));
}

#[test]
fn expressions_are_what_they_refer_to() {
    let text = r#"{
        "name": { "constant_value": { "references": ["not.this"] } },
        "subnet_id": { "references": ["azurerm_subnet.db.id", "azurerm_subnet.db"] },
        "rule": [ { "priority": { "constant_value": 100 } }, { "ports": {} } ],
        "timeouts": null
    }"#;
    let raw: &serde_json::value::RawValue = serde_json::from_str(text).unwrap();
    let block = Expression::parse(raw).unwrap();
    assert!(matches!(block.get("name"), Some(Expression::Constant)));
    let Some(Expression::References(texts)) = block.get("subnet_id") else { panic!("{block:?}") };
    assert_eq!(texts, &["azurerm_subnet.db.id", "azurerm_subnet.db"]);
    let rules = block.get("rule").and_then(Expression::as_list).unwrap();
    assert!(matches!(rules, [Expression::Block(one), Expression::Block(_)] if one.len() == 1));
    assert!(matches!(rules[1].get("ports"), Some(Expression::Block(none)) if none.is_empty()));
    assert!(matches!(block.get("timeouts"), Some(Expression::Constant)) && block.get("other").is_none());
}
