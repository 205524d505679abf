//! Suppressions in templates: `"metadata": {"portolan": {"ignore": [{"rule": …, "reason": …, "until": …}]}}` in a resource, or
//! in the template.

use super::json::{self, Node, NodeKind};
use crate::date::Date;
use crate::frontend::suppressions::Suppressions;
use crate::resource::{Diagnostic, SuppressedName, Suppression};
use crate::source::{SourceFile, Span};

/// The suppressions of a template.
pub fn suppressions(file: &SourceFile) -> Suppressions {
    let mut all = Suppressions::default();
    let mut open: Vec<Node> = json::parse(file.text(), file.id()).root.into_iter().collect();
    while let Some(node) = open.pop() {
        if let Some(ours) = node.get("metadata").and_then(|metadata| metadata.get("portolan")) {
            of_metadata(ours, node.span, &mut all);
        }
        match node.kind {
            NodeKind::Array(elements) => open.extend(elements),
            NodeKind::Object(properties) => {
                open.extend(properties.into_iter().map(|property| property.value))
            }
            _ => {}
        }
    }
    all
}

fn of_metadata(ours: &Node, covers: Span, all: &mut Suppressions) {
    for property in ours.properties().iter().filter(|property| !property.key.eq_ignore_ascii_case("ignore")) {
        wrong(format!("`{}` is nothing that Portolan knows", property.key), property.key_span, all);
    }
    let Some(list) = ours.get("ignore") else { return };
    if !matches!(list.kind, NodeKind::Array(_)) {
        wrong("`ignore` is not a list".into(), list.span, all);
    }
    for entry in list.elements() {
        of_entry(entry, covers, all);
    }
}

fn of_entry(entry: &Node, covers: Span, all: &mut Suppressions) {
    let rule = match &entry.kind {
        NodeKind::String(_) => Some(entry),
        _ => entry.get("rule"),
    };
    let Some((name, span)) = rule.and_then(|rule| Some((rule.as_str()?, rule.span))) else {
        return wrong("a suppression that does not say which rule it is for".into(), entry.span, all);
    };
    for property in entry.properties() {
        if !["rule", "reason", "until"].iter().any(|known| property.key.eq_ignore_ascii_case(known)) {
            wrong(format!("a suppression has no `{}`", property.key), property.key_span, all);
        }
    }
    let until = match entry.get("until") {
        None => None,
        Some(node) => match node.as_str().and_then(Date::parse) {
            Some(date) => Some(date),
            None => return wrong("a suppression whose `until` is no date".into(), node.span, all),
        },
    };
    all.found.push(Suppression {
        covers,
        rules: vec![SuppressedName { name: name.into(), span }],
        reason: entry.get("reason").and_then(Node::as_str).map(Into::into),
        until,
        span: entry.span,
    });
}

fn wrong(message: String, span: Span, all: &mut Suppressions) {
    let help = "write `\"portolan\": {\"ignore\": [{\"rule\": \"rule-name\", \"reason\": \"why\", \"until\": \"2027-01-31\"}]}`";
    all.diagnostics.push(Diagnostic::warning("invalid-suppression", message, span).with_help(help));
}
