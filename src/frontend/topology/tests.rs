use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::resource::{Configuration, Diagnostic, Language, Mode, Multiplicity, Resource, Root, Schema};
use crate::source::{SourceMap, Span};
use crate::value::{
    Cause, Entry, MappingKind, ResourceKey, SequenceKind, Step, TemplatePart, Unknown, Value, ValueKind,
};

fn configuration(resource_type: &str, entries: Vec<(&str, Value)>) -> Configuration {
    let entries =
        entries.into_iter().map(|(name, value)| (name.into(), Entry { span: Span::NOWHERE, value }));
    let resource = Resource {
        key: ResourceKey { root: 0, address: format!("{resource_type}.one").into() },
        mode: Mode::Managed,
        resource_type: resource_type.into(),
        schema: Schema::Terraform { azurerm_major: Some(4) },
        body: Value::mapping(MappingKind::Object, entries, Span::NOWHERE),
        multiplicity: Multiplicity::One,
        span: Span::NOWHERE,
        header: Span::NOWHERE,
        dependencies: vec!["azurerm_resource_group.main".into()],
        scope: None,
        provider: Some("azurerm.hub".into()),
        action: None,
        replaced_for: Vec::new(),
        because: None,
    };
    Configuration {
        roots: vec![Root { path: "hub".into(), language: Language::Terraform }],
        resources: vec![resource],
        ..Configuration::default()
    }
}

fn read(text: &str) -> Result<Configuration, Diagnostic> {
    load(text, 3, &SourceMap::new().add(Path::new("hub.json"), ""))
}

/// The values of a resource after they were written and read.
fn again(entries: Vec<(&str, Value)>) -> Value {
    let text = Json::Object(write(&configuration("azurerm_subnet", entries))).to_string();
    read(&text).unwrap().resources.remove(0).body
}

fn text(text: &str) -> Value {
    Value::string(text, Span::NOWHERE)
}

fn unknown(unknown: &Arc<Unknown>, start: usize) -> Value {
    Value::new(ValueKind::Unknown(Arc::clone(unknown)), Span::new(crate::source::FileId(1), start, start))
}

#[test]
fn values_come_back_as_they_were() {
    let because = Arc::new(Unknown { cause: Cause::Input("var.a".into()), span: Span::NOWHERE });
    let reference = Value::reference(
        ResourceKey { root: 0, address: "azurerm_virtual_network.v[0]".into() },
        vec![Step::Attribute("subnet".into()), Step::Index(2), Step::Attribute("id".into())],
        Span::NOWHERE,
    );
    let parts = [TemplatePart::Value(reference.clone()), TemplatePart::Literal("/subnets/db".into())];
    let body = again(vec![
        ("name", text("snet")),
        ("$odd", text("dollar")),
        ("flag", Value::bool(true, Span::NOWHERE)),
        ("large", Value::number(crate::value::Number::parse("1e30").unwrap(), Span::NOWHERE)),
        ("id", reference.clone()),
        ("path", Value::new(ValueKind::Template(parts.into()), Span::NOWHERE)),
        (
            "list",
            Value::sequence(
                SequenceKind::List,
                vec![text("a").maybe(Some(because)), Value::null(Span::NOWHERE)],
                Span::NOWHERE,
            ),
        ),
        ("nothing", Value::null(Span::NOWHERE)),
    ]);
    assert_eq!(body.get("name").unwrap().as_str(), Some("snet"));
    assert_eq!(body.get("$odd").unwrap().as_str(), Some("dollar"));
    assert_eq!(body.get("flag").unwrap().as_bool(), Some(true));
    assert_eq!(
        body.get("large").unwrap().as_number().unwrap().to_string(),
        crate::value::Number::parse("1e30").unwrap().to_string()
    );
    let found = body.get("id").unwrap().as_reference().unwrap();
    assert_eq!((found.target.root, &found.path), (3, &reference.as_reference().unwrap().path));
    let ValueKind::Template(parts) = &body.get("path").unwrap().kind else { panic!("no template") };
    assert!(
        matches!(&parts[..], [TemplatePart::Value(_), TemplatePart::Literal(end)] if end == "/subnets/db")
    );
    let items = &body.get("list").unwrap().as_sequence().unwrap().items;
    assert!(items[0].repeated && items[1].is_null());
    assert_eq!(items[0].because.as_ref().unwrap().cause, Cause::Input("var.a".into()));
    assert!(body.get("nothing").is_none());
}

#[test]
fn unknowns_are_one_where_they_were_one() {
    let input = |start| {
        let span = Span::new(crate::source::FileId(1), start, start);
        Arc::new(Unknown { cause: Cause::Input("var.a".into()), span })
    };
    let derived = Arc::new(Unknown { cause: Cause::Derived(input(1)), span: Span::NOWHERE });
    let body = again(vec![
        ("a", unknown(&input(1), 0)),
        ("b", unknown(&input(1), 9)),
        ("c", unknown(&input(2), 0)),
        ("d", unknown(&derived, 5)),
        ("e", unknown(&derived, 5)),
        ("f", unknown(&derived, 6)),
    ]);
    let of = |name: &str| match &body.get(name).unwrap().kind {
        ValueKind::Unknown(unknown) => Arc::clone(unknown),
        other => panic!("{other:?}"),
    };
    assert_eq!(of("a"), of("b"));
    assert_ne!(of("a"), of("c"), "two things of one name");
    assert!(Arc::ptr_eq(&of("d"), &of("e")), "of one evaluation");
    assert!(!Arc::ptr_eq(&of("d"), &of("f")), "used at two places");
    assert_eq!(of("d"), of("f"));
    assert_eq!(of("f").cause.root(), &Cause::Input("var.a".into()));
}

#[test]
fn unknowns_of_two_documents_are_never_one() {
    let input = Arc::new(Unknown { cause: Cause::Input("var.group".into()), span: Span::NOWHERE });
    let document = write(&configuration("azurerm_subnet", vec![("resource_group_name", unknown(&input, 0))]));
    let document = Json::Object(document).to_string();
    let sources = SourceMap::new();
    let of = |file: &str| {
        let read = load(&document, 0, &sources.add(Path::new(file), "")).unwrap();
        match &read.resources[0].body.get("resource_group_name").unwrap().kind {
            ValueKind::Unknown(unknown) => Arc::clone(unknown),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of("hub.json"), of("hub.json"));
    assert_ne!(of("hub.json"), of("other.json"));
}

#[test]
fn what_must_not_be_shown_is_not_written() {
    let entries = || {
        vec![
            ("name", text("hunter2").marked(true)),
            ("admin_password", text("hunter2")),
            ("template", text("{\"adminPassword\": \"hunter2\"}")),
            ("value", text("hunter2")),
            ("list", Value::sequence(SequenceKind::List, vec![text("hunter2")], Span::NOWHERE).marked(true)),
            (
                "password_id",
                unknown(&Arc::new(Unknown { cause: Cause::Input("var.a".into()), span: Span::NOWHERE }), 0)
                    .marked(true),
            ),
        ]
    };
    let document = Json::Object(write(&configuration("azurerm_key_vault_secret", entries())));
    assert!(!document.to_string().contains("hunter2"), "{document}");
    assert_eq!(document["unknowns"][0], json!({ "cause": "sensitive" }));
    let read = read(&document.to_string()).unwrap();
    for name in ["name", "admin_password", "template", "value", "list"] {
        let ValueKind::Unknown(unknown) = &read.resources[0].body.get(name).unwrap().kind else {
            panic!("{name}")
        };
        assert_eq!(unknown.cause.to_string(), "reading a sensitive value is not supported", "{name}");
    }
}

#[test]
fn what_is_about_secrets_keeps_what_is_none() {
    let object = |entries: Vec<(&str, Value)>| {
        let entries =
            entries.into_iter().map(|(name, value)| (name.into(), Entry { span: Span::NOWHERE, value }));
        Value::mapping(MappingKind::Object, entries, Span::NOWHERE)
    };
    let certificate = || {
        vec![
            ("name", text("tls")),
            ("key_vault_secret_id", text("https://vault/secrets/tls")),
            ("data", text("hunter2")),
            ("list", Value::sequence(SequenceKind::List, vec![text("hunter2")], Span::NOWHERE)),
        ]
    };
    let body = again(vec![
        ("ssl_certificate", Value::sequence(SequenceKind::List, vec![object(certificate())], Span::NOWHERE)),
        ("shared_key_access", Value::bool(false, Span::NOWHERE)),
        ("after", text("all")),
    ]);
    let certificate = &body.get("ssl_certificate").unwrap().as_sequence().unwrap().items[0];
    assert_eq!(certificate.get("key_vault_secret_id").unwrap().as_str(), Some("https://vault/secrets/tls"));
    assert!(certificate.get("data").unwrap().is_unknown());
    assert!(certificate.get("list").unwrap().as_sequence().unwrap().items[0].is_unknown());
    assert_eq!(body.get("shared_key_access").unwrap().as_bool(), Some(false));
    assert_eq!(body.get("after").unwrap().as_str(), Some("all"));
}

#[test]
fn contexts_are_not_written_again() {
    let text = Json::Object(write(&configuration("azurerm_subnet", vec![("name", text("a"))]))).to_string();
    let read = load(&text, 0, &SourceMap::new().add(Path::new("hub.json"), "")).unwrap();
    assert_eq!(read.resources.len(), 1);
    let document = Json::Object(write(&read));
    assert_eq!(document["resources"], json!([]));
    assert_eq!(document["roots"], json!([]));
}

#[test]
fn what_a_newer_program_adds_is_passed_over() {
    let document = json!({
        "format": FORMAT,
        "colour": "blue",
        "roots": [{ "language": "pulumi", "more": 1 }],
        "unknowns": [{ "cause": "moon", "of": "phase" }],
        "resources": [
            { "address": "a.b", "type": "azurerm_subnet", "provider": "", "more": [1], "body": {
                "name": { "$unknown": 0 }, "other": { "$later": 1 }, "another": { "$later": 1 },
            } },
            { "address": "a.c", "type": "Microsoft.Network/virtualNetworks", "body": {} },
        ],
    });
    let read = read(&document.to_string()).unwrap();
    let body = &read.resources[0].body;
    let of = |name: &str| match &body.get(name).unwrap().kind {
        ValueKind::Unknown(unknown) => Arc::clone(unknown),
        other => panic!("{other:?}"),
    };
    assert!(of("name").cause.to_string().contains("does not know"));
    assert!(!Arc::ptr_eq(&of("other"), &of("another")), "they need not be the same");
    assert!(matches!(of("other").cause, Cause::Derived(_)));
}

#[test]
fn what_is_no_document_is_refused() {
    let resource = |more: &str| {
        format!(
            r#"{{"format": {FORMAT}, "roots": [{{}}], "unknowns": [{{"cause": "input", "of": "a"}}],
                "resources": [{{"address": "a.b", "type": "azurerm_subnet", {more}}}]}}"#
        )
    };
    assert!(read(&resource(r#""body": {}"#)).is_ok());
    let deep = format!(r#""body": {{"a": {}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let newer = format!(r#"{{"format": {}}}"#, FORMAT + 1);
    for (text, code, part) in [
        ("", "not-a-topology", "is empty"),
        ("  \n", "not-a-topology", "is empty"),
        ("resource {}", "not-a-topology", "is not JSON"),
        ("[]", "not-a-topology", "has no `format`"),
        ("{}", "not-a-topology", "has no `format`"),
        (r#"{"format": "2"}"#, "not-a-topology", "has no `format`"),
        (r#"{"format": 1e99}"#, "not-a-topology", ""),
        (r#"{"format": 2, "resources": ["#, "not-a-topology", "is cut off at line 1"),
        (r#"{"format": 2}"#, "not-a-topology", "missing field `resources`"),
        (r#"{"format": 1, "virtualNetworks": []}"#, "older-topology", "an older form (1)"),
        (newer.as_str(), "newer-topology", "a newer form (3)"),
        (resource(r#""body": []"#).as_str(), "not-a-topology", "its body is not an object"),
        (resource(r#""body": {}, "root": 1"#).as_str(), "not-a-topology", "no root 1"),
        (resource(r#""body": {}, "root": 18446744073709551615"#).as_str(), "not-a-topology", "no root"),
        (resource(r#""body": {}, "root": -1"#).as_str(), "not-a-topology", ""),
        (resource(r#""body": {}, "maybe": 1"#).as_str(), "not-a-topology", "no unknown 1"),
        (resource(r#""body": {"a": {"$unknown": 7}}"#).as_str(), "not-a-topology", "no unknown 7"),
        (resource(r#""body": {"a": {"$unknown": "x"}}"#).as_str(), "not-a-topology", "is no number"),
        (resource(r#""body": {"a": {"$ref": 1}}"#).as_str(), "not-a-topology", "`$ref` is not a text"),
        (resource(r#""body": {"a": {"$ref": "a", "path": [null]}}"#).as_str(), "not-a-topology", "a step"),
        (resource(r#""body": {"a": {"$text": "a"}}"#).as_str(), "not-a-topology", "`$text` is not a list"),
        (resource(r#""body": {"a": {"$number": "x"}}"#).as_str(), "not-a-topology", "a number beyond"),
        (resource(&deep).as_str(), "not-a-topology", "recursion limit"),
    ] {
        let problem = read(text).expect_err(text);
        assert_eq!(problem.code, code, "{text}");
        assert!(
            problem.message.starts_with("`hub.json` ") && problem.message.contains(part),
            "{text}: {}",
            problem.message
        );
        assert!(problem.help.is_some());
    }
    let circle = format!(
        r#"{{"format": {FORMAT}, "resources": [], "unknowns": [{{"cause": "input", "like": 1}}, {{"cause": "input", "like": 0}}]}}"#
    );
    assert!(read(&circle).unwrap_err().message.contains("comes later"));
}

#[test]
fn values_nest_no_deeper_than_is_read() {
    let mut value = text("end");
    for _ in 0..300 {
        value = Value::sequence(SequenceKind::Tuple, vec![value], Span::NOWHERE).maybe(None);
    }
    again(vec![("deep", value)]);
}
