//! Terraform's JSON syntax.

use super::render;
use super::*;

#[track_caller]
fn read(text: &str) -> String {
    let parsed = parse_json(&file(text));
    assert_eq!(parsed.diagnostics, [], "{text}");
    render::body(&parsed.body)
}

#[test]
fn labels_are_levels_of_objects() {
    let text = r#"{"resource": {"azurerm_subnet": {"a": {"name": "x"}, "b": {"name": "y"}}, "azurerm_x": {"c": {}}}}"#;
    assert_eq!(
        read(text),
        r#"resource "azurerm_subnet" "a" { name = "x" }; resource "azurerm_subnet" "b" { name = "y" }; resource "azurerm_x" "c" {  }"#
    );
}

#[test]
fn lists_of_objects_stand_for_objects_everywhere() {
    let text =
        r#"[{"resource": [{"a": [{"b": [{"x": 1}]}]}]}, {"provider": {"azurerm": [{}, {"alias": "hub"}]}}]"#;
    assert_eq!(
        read(text),
        r#"resource "a" "b" { x = 1 }; provider "azurerm" {  }; provider "azurerm" { alias = "hub" }"#
    );
}

#[test]
fn strings_are_templates() {
    let text = r#"{"locals": {"a": "${var.x}", "b": "a-${var.x}\n", "c": "plain", "d": ["$${no}"], "e": {"${k}": 1, "f": null, "g": true, "h": 1.5}}}"#;
    assert_eq!(
        read(text),
        r#"locals { a = (template ${var.x}); b = (template "a-" ${var.x} "\n"); c = "plain"; d = ["${no}"]; e = {((template ${k})): 1, f: null, g: true, h: 1.5} }"#
    );
}

#[test]
fn some_strings_are_not_templates() {
    let text = r#"{"variable": {"x": {"type": "list(string)", "default": "${a}", "validation": {"condition": "${var.x != 1}"}}}, "module": {"m": {"source": "./${x}", "count": "${var.n}"}}}"#;
    assert_eq!(
        read(text),
        r#"variable "x" { type = list(string); default = "${a}"; validation { condition = (template ${(!= var.x 1)}) } }; module "m" { source = "./${x}"; count = (template ${var.n}) }"#
    );
}

#[test]
fn references_are_expressions() {
    let text = r#"{"resource": {"a": {"b": {"provider": "azurerm.hub", "depends_on": ["azurerm_x.y", "${module.z}"], "lifecycle": {"ignore_changes": ["tags[\"a\"]"], "precondition": {"condition": "${true}"}}}}}, "moved": {"from": "a.b", "to": "a.c"}}"#;
    assert_eq!(
        read(text),
        r#"resource "a" "b" { provider = azurerm.hub; depends_on = [azurerm_x.y, (template ${module.z})]; lifecycle { ignore_changes = [tags["a"]]; precondition { condition = (template ${true}) } } }; moved { from = a.b; to = a.c }"#
    );
}

#[test]
fn blocks_of_providers_stay_arguments() {
    let text = r#"{"resource": {"a": {"b": {"subnet": {"name": "x"}, "rule": [{"n": 1}, {"n": 2}], "dynamic": {"route": {"for_each": "${var.r}", "content": {"name": "${route.key}"}}}}}}}"#;
    assert_eq!(
        read(text),
        r#"resource "a" "b" { subnet = {name: "x"}; rule = [{n: 1}, {n: 2}]; dynamic "route" { for_each = (template ${var.r}); content { name = (template ${route.key}) } } }"#
    );
}

#[test]
fn a_block_may_be_written_as_the_same_property_several_times() {
    assert_eq!(
        read(r#"{"resource": {"a": {"b": {"rule": {"n": 1}, "rule": [{"n": 2}]}}, "a": {"c": {}}}}"#),
        r#"resource "a" "b" { rule = [{n: 1}, {n: 2}] }; resource "a" "c" {  }"#
    );
}

#[test]
fn comments_are_properties() {
    assert_eq!(read(r#"{"//": "x", "locals": {"//": 1, "a": {"//": 2, "b": 3}}}"#), "locals { a = {b: 3} }");
}

#[test]
fn values_files_are_taken_as_they_are() {
    let parsed = parse_json_values(&file(r#"{"a": "${x}", "resource": {"b": [1, "y"]}}"#));
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(render::body(&parsed.body), r#"a = "${x}"; resource = {b: [1, "y"]}"#);
}

#[test]
fn spans_point_into_the_json() {
    let text = r#"{"locals": {"a": "\"\u00e9\" ${var.one} \ud83d\ude00 ${var.two}"}}"#;
    let parsed = parse_json(&file(text));
    let at = |span: crate::source::Span| &text[span.start as usize..span.end as usize];
    let block = &parsed.body.blocks[0];
    assert_eq!(at(block.header), "\"locals\"");
    let attribute = &block.body.attributes[0];
    assert_eq!(at(attribute.name_span), "\"a\"");
    let ast::ExpressionKind::Template(template) = &attribute.value.kind else { panic!("not a template") };
    let inside: Vec<&str> = template
        .parts
        .iter()
        .filter_map(|part| match part {
            ast::TemplatePart::Interpolation(inner) => Some(at(inner.span)),
            _ => None,
        })
        .collect();
    assert_eq!(inside, ["var.one", "var.two"]);
}

#[test]
fn what_terraform_refuses_is_said_and_the_rest_is_read() {
    for (text, expected) in [
        ("{\"locals\": {\"a\": 1,}}", "locals { a = 1 }"),
        ("// no\n{\"locals\": {\"a\": 1}}", "locals { a = 1 }"),
        ("{\"locals\": {\"a\": \"${\", \"b\": 2}}", "locals { a = INVALID; b = 2 }"),
        ("{\"locals\": {\"a\": 1, \"a\": 2}}", "locals { a = 1 }"),
        ("{\"what\": {}, \"locals\": {}}", "locals {  }"),
        ("{\"resource\": 1, \"locals\": {}}", "locals {  }"),
        ("", ""),
        ("{", ""),
    ] {
        let parsed = parse_json(&file(text));
        assert_eq!(parsed.diagnostics.len(), 1, "{text}: {:?}", parsed.diagnostics);
        assert_eq!(render::body(&parsed.body), expected, "{text}");
    }
}
