//! The cases of `testdata/pairs`: Bicep, and the template that the Bicep compiler makes of it, are the same network.

#![allow(clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
mod support;

use std::path::Path;

use portolan::analyzer::{self, Options};
use portolan::resource::{Level, Mode};
use portolan::source::SourceMap;
use portolan::topology;

use support::suite::{Case, Suite};

/// What a file comes to: its topology, and its resources without those that only carry others.
fn model(folder: &Path, file: &str) -> (String, Vec<String>) {
    let sources = SourceMap::new();
    let options = Options { paths: vec![folder.join(file)], ..Options::default() };
    let model = analyzer::model(&sources, &options, &|_| ());
    let problems: Vec<_> =
        model.configuration.diagnostics.iter().filter(|diagnostic| diagnostic.level > Level::Note).collect();
    assert!(problems.is_empty(), "{file}: {problems:?}");
    let mut resources: Vec<String> = model
        .topology
        .resources
        .iter()
        .filter(|node| node.mode == Mode::Managed)
        .filter(|node| !node.written_type.eq_ignore_ascii_case("Microsoft.Resources/deployments"))
        .map(|node| format!("{} {:?}", node.written_type, node.name.known()))
        .collect();
    resources.sort();
    let json = topology::json::to_json(&model.topology, false);
    (serde_json::to_string_pretty(&json).expect("JSON"), resources)
}

fn compare(case: &Case) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join(".git")).expect("a folder");
    for file in &case.files {
        std::fs::write(folder.path().join(&file.path), &file.text).expect("a file");
    }
    let (bicep, bicep_resources) = model(folder.path(), "main.bicep");
    let (json, json_resources) = model(folder.path(), "main.json");
    // Modelled modules may declare more than what the network needs.
    assert_eq!(bicep_resources, json_resources, "{}", case.title);
    if bicep != json {
        let different = bicep.lines().zip(json.lines()).find(|(left, right)| left != right);
        panic!("{}: {different:?}\n{bicep}\n{json}", case.title);
    }
    assert!(bicep.contains("virtualNetworks"), "{}: {bicep}", case.title);
}

#[test]
fn bicep_and_its_compiled_template_are_the_same_network() {
    let mut count = 0;
    for entry in std::fs::read_dir("testdata/pairs").expect("the documents").flatten() {
        if entry.file_name() == "README.md" {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).expect("a document");
        let suite = Suite::parse(&text).unwrap_or_else(|problem| panic!("{:?}: {problem}", entry.path()));
        for case in &suite.cases {
            compare(case);
            count += 1;
        }
    }
    assert!(count >= 8, "{count} cases");
}
