//! Templates as text, evaluated and shown.

mod evaluation;
mod templates;

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
