//! What the targets do with their bytes.

use std::path::Path;

use portolan::frontend::{arm, bicep, plan, terraform};
use portolan::resource::{Configuration, Language, Resource, Root};
use portolan::source::SourceMap;
use portolan::topology;

/// The targets by name: the name, the extension of files to start from, the harness.
pub const TARGETS: [(&str, &str, fn(&[u8])); 5] = [
    ("hcl", "tf", hcl),
    ("bicep", "bicep", bicep_file),
    ("template", "json", template),
    ("plan", "json", plan_document),
    ("expression", "json", expression),
];

/// Builds the model, and writes it.
fn model(resources: Vec<Resource>, language: Language) {
    let roots = vec![Root { path: "input".into(), language }];
    let topology = topology::build(&Configuration { roots, resources, ..Configuration::default() });
    topology::json::to_json(&topology, true);
}

/// A Terraform file: the syntax, and its expressions.
pub fn hcl(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sources = SourceMap::new();
    let file = sources.add(Path::new("main.tf"), text);
    terraform::syntax::parse_hcl(&file);
    let options = terraform::Options::default();
    let _ = terraform::evaluate_expression(None, text, &options, &SourceMap::new());
}

/// A Bicep file. Modules and loaded files are not there.
pub fn bicep_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sources = SourceMap::new();
    let path = Path::new("/nowhere/main.bicep");
    sources.add(path, text);
    model(bicep::load(path, &bicep::Options::default(), &sources, 0).resources, Language::Bicep);
}

/// An ARM template. Linked templates are not there.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sources = SourceMap::new();
    let path = Path::new("/nowhere/main.json");
    arm::is_template(text);
    arm::is_parameter_file(text);
    sources.add(path, text);
    model(arm::load_template(path, &arm::Options::default(), &sources, 0).resources, Language::Arm);
}

/// A Terraform plan.
pub fn plan_document(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    plan::is_plan(text);
    if let Ok(plan) = plan::load(text, 0) {
        drop(plan);
    }
}

/// An expression of templates.
pub fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = arm::evaluate_expression(text, &arm::Options::default());
}
