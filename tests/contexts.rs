//! Topologies as contexts: what is written of a network says as much to the rules as its files do, and a context with some
//! files says what both together say.

#![allow(clippy::expect_used)]

#[allow(dead_code, reason = "the format has more than is needed here")]
#[path = "support/suite.rs"]
mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use portolan::analyzer::{self, Model, Options};
use portolan::frontend::topology as written;
use portolan::rules::{self, Context};
use portolan::source::SourceMap;
use portolan::topology::{self, Place, Topology};
use suite::{Case, File, Suite};

/// All cases of all documents, by language.
fn cases() -> Vec<(String, Vec<(String, String)>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules");
    let mut cases = Vec::new();
    for rule in rules::ALL {
        let text = fs::read_to_string(folder.join(format!("{}.md", rule.name))).expect("a document");
        for case in Suite::parse(&text).expect("a document of cases").cases {
            for files in by_language(&case).into_iter().filter(|files| !files.is_empty()) {
                let files = files.iter().map(|file| (file.path.clone(), file.text.clone())).collect();
                cases.push((format!("{}: {}", rule.name, case.title), files));
            }
        }
    }
    cases
}

fn by_language(case: &Case) -> Vec<Vec<&File>> {
    let endings: [&[&str]; 3] = [&[".tf", ".tfvars"], &[".bicep", ".bicepparam"], &[".json", ".yaml"]];
    let of = |endings: &[&str]| -> Vec<&File> {
        case.files.iter().filter(|file| endings.iter().any(|ending| file.path.ends_with(ending))).collect()
    };
    if case.together {
        vec![case.files.iter().collect()]
    } else {
        endings.iter().map(|endings| of(endings)).collect()
    }
}

fn lay_out(files: &[(String, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn model(folder: &Path) -> Model {
    let plan = folder.join("plan.json");
    let path = if plan.is_file() { plan } else { folder.to_path_buf() };
    let options = Options { paths: vec![path], ..Options::default() };
    analyzer::model(&SourceMap::new(), &options, &|_| {})
}

/// What all rules say of a network, in words without places.
fn said(topology: &Topology) -> BTreeMap<String, usize> {
    let context = Context::new(topology, None);
    let outcome = rules::run(rules::ALL, &context);
    let at = |place: Place| topology.resources[place.resource.index()].key.address.clone();
    let mut said = BTreeMap::new();
    let mut add = |text: String| *said.entry(text).or_insert(0) += 1;
    for finding in &outcome.findings {
        let related: BTreeSet<String> = finding
            .related
            .iter()
            .map(|related| format!("{}: {}", related.message, at(related.place)))
            .collect();
        add(format!(
            "{}: {:?} {:?} {} ({}) {related:?} {:?}",
            at(finding.place),
            finding.severity,
            finding.confidence,
            finding.message,
            finding.rule,
            finding.witness,
        ));
    }
    for undecided in &outcome.undecided {
        let because = undecided.because.cause.root();
        add(format!("{}: undecided {}: {because}", at(undecided.place), undecided.rule));
    }
    add(format!("{} checks", outcome.checks));
    said
}

#[test]
fn what_is_written_of_a_network_says_as_much_as_its_files() {
    let mut failures = String::new();
    for (title, files) in cases() {
        // Whether something is written at all, and where, is a matter of files.
        if title.starts_with("nsg-rule-invalid: A single address and a list")
            || title.starts_with("nsg-rule-invalid: A port that is left to whoever deploys")
            || title.starts_with("gateway-settings-conflict: A module whose caller gives the end")
        {
            continue;
        }
        let folder = lay_out(&files);
        let model = model(folder.path());
        // What a plan changes is no part of the network.
        if model.before.is_some() || model.configuration.resources.iter().any(|it| it.action.is_some()) {
            continue;
        }
        let text = serde_json::to_string(&analyzer::document(&model, false)).expect("JSON");
        let file = SourceMap::new().add(Path::new("hub.json"), "");
        let read = written::load(&text, 0, &file).unwrap_or_else(|problem| panic!("{title}: {problem:?}"));
        let again = topology::build(&read);
        failures.push_str(&difference(&title, &said(&model.topology), &said(&again)));
    }
    assert!(failures.is_empty(), "{failures}");
}

fn difference(title: &str, expected: &BTreeMap<String, usize>, found: &BTreeMap<String, usize>) -> String {
    let only = |a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>| -> String {
        let missing = a.iter().filter(|(said, count)| b.get(*said) != Some(count));
        missing.map(|(said, _)| format!("    {said}\n")).collect()
    };
    if expected == found {
        return String::new();
    }
    format!("{title}\n  without:\n{}  with:\n{}", only(expected, found), only(found, expected))
}

/// What a check of some paths says of the files below one of them, and the words of what it says of others.
fn of_spoke(
    folder: &Path,
    paths: &[&str],
    contexts: &[&str],
) -> (BTreeMap<String, usize>, BTreeSet<(String, &'static str)>) {
    let below = |path: &&str| folder.join(path);
    let options = Options {
        paths: paths.iter().map(below).collect(),
        contexts: contexts.iter().map(below).collect(),
        rules: rules::ALL.to_vec(),
        possible: true,
        ..Options::default()
    };
    let report = analyzer::check(&SourceMap::new(), &options);
    let spoke = folder.join("spoke").display().to_string();
    let mut said = BTreeMap::new();
    let mut add = |text: String| *said.entry(text).or_insert(0) += 1;
    for finding in report.findings.iter().filter(|finding| finding.place.root.starts_with(&spoke)) {
        let related: BTreeSet<&str> = finding.related.iter().map(|it| it.place.resource.as_str()).collect();
        // Of one part that two roots declare, the files of both say which attribute it is about.
        let one = finding.related.iter().any(|it| it.place.resource_id == finding.place.resource_id);
        let fingerprint = if one { "" } else { &finding.fingerprint };
        add(format!(
            "{:?} {}: {:?} {:?} {} ({}) {related:?} {:?} {:?} {}",
            finding.place.location,
            finding.place.resource,
            finding.severity,
            finding.confidence,
            finding.message,
            finding.rule,
            finding.witness,
            // What would have to be changed in the hub is not changed here.
            finding.fix.as_ref().filter(|fix| {
                fix.edits.iter().all(|edit| edit.location.file.display().starts_with(&spoke))
            }),
            fingerprint,
        ));
    }
    for undecided in report.undecided.iter().filter(|undecided| undecided.place.root.starts_with(&spoke)) {
        let because =
            undecided.because.trim_end_matches(&format!(" in {}", folder.join("hub.json").display()));
        add(format!("{}: undecided {}: {because}", undecided.place.resource, undecided.rule));
    }
    let elsewhere = report.findings.iter().filter(|finding| !finding.place.root.starts_with(&spoke));
    (said, elsewhere.map(|finding| (finding.message.clone(), finding.rule)).collect())
}

/// Holds a check of the spoke with the hub as context against a check of both.
fn compare(title: &str, hub: &[(String, String)], spoke: &[(String, String)]) -> String {
    let below = |folder: &str, files: &[(String, String)]| -> Vec<(String, String)> {
        files.iter().map(|(path, text)| (format!("{folder}/{path}"), text.clone())).collect()
    };
    let folder = lay_out(&[below("hub", hub), below("spoke", spoke)].concat());
    let path = fs::canonicalize(folder.path()).expect("the folder");
    let document = analyzer::document(&model(&path.join("hub")), false);
    fs::write(path.join("hub.json"), document.to_string()).expect("a file");
    let (together, of_hub) = of_spoke(&path, &["hub", "spoke"], &[]);
    let (mut apart, of_context) = of_spoke(&path, &["spoke"], &["hub.json"]);
    assert!(of_context.is_empty(), "nothing is found at a context");
    // What both together tell of the hub, and what is about the spoke as well, is told of the spoke.
    apart.retain(|said, _| {
        together.contains_key(said)
            || !of_hub.iter().any(|(message, rule)| said.contains(&format!(" {message} ({rule}) ")))
    });
    difference(title, &together, &apart)
}

#[test]
fn a_context_says_what_the_files_would() {
    let mut failures = String::new();
    let mut compared = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules");
    for rule in rules::ALL {
        let text = fs::read_to_string(folder.join(format!("{}.md", rule.name))).expect("a document");
        for case in
            Suite::parse(&text).expect("a document of cases").cases.iter().filter(|case| !case.together)
        {
            let languages = by_language(case);
            let of = |index: usize| -> Vec<(String, String)> {
                languages[index].iter().map(|file| (file.path.clone(), file.text.clone())).collect()
            };
            // The same network twice, in two languages: much of it is one by its names.
            for other in [1, 2] {
                let (hub, spoke) = (of(0), of(other));
                if !hub.is_empty()
                    && !spoke.is_empty()
                    && !spoke.iter().any(|(path, _)| path.contains("plan"))
                {
                    compared += 1;
                    failures.push_str(&compare(
                        &format!("{}: {} ({other})", rule.name, case.title),
                        &hub,
                        &spoke,
                    ));
                }
            }
        }
    }
    assert!(compared > 100, "{compared} cases");
    assert!(failures.is_empty(), "{failures}");
}

/// The program, to be run in a folder.
fn portolan(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_portolan"))
        .current_dir(folder)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("the program");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("a status"), text(output.stdout), text(output.stderr))
}

fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect()
}

const HUB: &str = include_str!("../testdata/contexts/hub.tf");

/// The hub's half of the peering, and its link of the zone.
const HUB_KNOWS_SPOKE: &str = include_str!("../testdata/contexts/hub-knows-spoke.tf");

/// The same hub in Bicep, deployed to a group that the file does not name.
const BICEP_HUB: &str = include_str!("../testdata/contexts/hub.bicep");

const SPOKE: &str = include_str!("../testdata/contexts/spoke.tf");

fn spoke(space: &str, hop: &str) -> String {
    SPOKE.replace("SPACE", space).replace("HOP", hop)
}

#[test]
fn hub_and_spoke_apart_are_as_together() {
    let unknown_spoke = HUB_KNOWS_SPOKE.replace(
        "\"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke\"",
        "var.spoke",
    );
    let unknown_spoke = format!("variable \"spoke\" {{}}\n{unknown_spoke}");
    let blind = "module \"network\" {\n  source = \"example.com/network\"\n  hub    = azurerm_virtual_network.hub.id\n}\n";
    let group = HUB.replace("\"rg-hub\"", "var.group").replacen("", "variable \"group\" {}\n", 1);
    let hubs = [
        ("a hub alone", files(&[("main.tf", HUB)])),
        ("a hub that knows its spoke", files(&[("main.tf", HUB), ("spoke.tf", HUB_KNOWS_SPOKE)])),
        ("a hub whose spokes are variables", files(&[("main.tf", HUB), ("spoke.tf", &unknown_spoke)])),
        ("a hub with a module that is not on disk", files(&[("main.tf", HUB), ("module.tf", blind)])),
        ("a hub in a group that is not known", files(&[("main.tf", &group)])),
        ("a hub in Bicep", files(&[("main.bicep", BICEP_HUB)])),
        ("another hub", files(&[("main.tf", &HUB.replace("rg-hub", "rg-other"))])),
    ];
    let spokes = [
        ("a spoke", spoke("10.1.0.0/16", "10.0.0.4")),
        ("a spoke that overlaps", spoke("10.0.128.0/20", "10.0.0.4")),
        ("a spoke that routes into nothing", spoke("10.1.0.0/16", "10.0.1.200")),
    ];
    let mut failures = String::new();
    for (hub, hub_files) in &hubs {
        for (name, text) in &spokes {
            let text = files(&[("main.tf", text)]);
            failures.push_str(&compare(&format!("{hub}, {name}"), hub_files, &text));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The rules whose findings a check shows.
fn found(folder: &Path, arguments: &[&str]) -> BTreeSet<String> {
    let (_, out, err) = portolan(folder, &[&["check", "--format", "json"], arguments].concat());
    let json: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}\n{err}"));
    let findings = json["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["rule"].as_str().expect("a rule").to_string()).collect()
}

#[test]
fn a_spoke_is_checked_with_what_its_hub_has() {
    let folder = lay_out(&files(&[
        ("hub/main.tf", HUB),
        ("knowing/main.tf", HUB),
        ("knowing/spoke.tf", HUB_KNOWS_SPOKE),
        ("spoke/main.tf", &spoke("10.1.0.0/16", "10.0.0.4")),
        ("overlapping/main.tf", &spoke("10.0.128.0/20", "10.0.0.4")),
    ]));
    for hub in ["hub", "knowing"] {
        let (status, out, err) = portolan(folder.path(), &["topology", hub, "-o", &format!("{hub}.json")]);
        assert_eq!((status, out.as_str(), err.as_str()), (0, "", ""));
    }
    let of = |arguments: &[&str]| found(folder.path(), arguments);
    let alone = of(&["spoke"]);
    assert!(!alone.contains("peering-one-way") && !alone.contains("service-endpoint-missing"), "{alone:?}");
    let with_hub = of(&["spoke", "--context", "hub.json"]);
    for rule in ["peering-one-way", "service-endpoint-missing", "private-dns-zone-not-linked"] {
        assert!(with_hub.contains(rule), "{rule}: {with_hub:?}");
    }
    let with_knowing = of(&["spoke", "--context", "knowing.json"]);
    for rule in ["peering-one-way", "private-dns-zone-not-linked", "peering-address-overlap"] {
        assert!(!with_knowing.contains(rule), "{rule}: {with_knowing:?}");
    }
    assert!(with_knowing.contains("service-endpoint-missing"), "{with_knowing:?}");
    assert!(of(&["overlapping", "--context", "knowing.json"]).contains("peering-address-overlap"));

    // What is in the context is named without a line, is not counted, and its half of the matter is not changed.
    let (status, out, _) = portolan(folder.path(), &["check", "overlapping", "--context", "hub.json"]);
    assert_eq!(status, 1);
    assert!(out.contains("(in hub.json: azurerm_virtual_network.hub)"), "{out}");
    assert!(!out.contains("hub.json:1"), "{out}");
    assert!(out.contains("Checked 11 resources in 1 file with"), "{out}");
    let (_, sarif, _) =
        portolan(folder.path(), &["check", "overlapping", "--context", "hub.json", "--format", "sarif"]);
    assert!(
        sarif.contains("(in hub.json: azurerm_virtual_network.hub)")
            && !sarif.contains("\"uri\": \"hub.json\"")
    );
    let before = fs::read(folder.path().join("hub.json")).expect("the document");
    portolan(folder.path(), &["check", "spoke", "--context", "hub.json", "--fix"]);
    assert_eq!(before, fs::read(folder.path().join("hub.json")).expect("the document"));

    // The same from the configuration, relative to it.
    fs::write(folder.path().join("spoke/portolan.toml"), "contexts = [\"../knowing.json\"]\n")
        .expect("a file");
    assert_eq!(of(&["spoke"]), with_knowing);
    assert_eq!(of(&["spoke", "--no-config"]), alone);
    // The command line wins.
    assert_eq!(of(&["spoke", "--context", "hub.json"]), with_hub);
}

#[test]
fn a_topology_is_written_without_its_contexts() {
    let folder =
        lay_out(&files(&[("hub/main.tf", HUB), ("spoke/main.tf", &spoke("10.1.0.0/16", "10.0.0.4"))]));
    portolan(folder.path(), &["topology", "hub", "-o", "hub.json"]);
    let (status, out, _) = portolan(folder.path(), &["topology", "spoke", "--context", "hub.json"]);
    assert_eq!(status, 0);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let addresses: Vec<&str> = json["resources"]
        .as_array()
        .expect("resources")
        .iter()
        .map(|it| it["address"].as_str().expect("an address"))
        .collect();
    assert!(
        addresses.contains(&"azurerm_virtual_network.spoke")
            && !addresses.contains(&"azurerm_virtual_network.hub")
    );
    let (_, again, _) = portolan(folder.path(), &["topology", "spoke", "--context", "hub.json"]);
    assert_eq!(out, again);
}

#[test]
fn what_is_no_context_is_told() {
    let folder = lay_out(&files(&[
        ("main.tf", "resource \"azurerm_virtual_network\" \"v\" {\n  name = \"v\"\n}\n"),
        ("empty.json", ""),
        ("cut.json", "{\"format\": 2, \"resources\": ["),
        ("newer.json", "{\"format\": 9}"),
        (
            "plan.json",
            "{\"format_version\": \"1.2\", \"terraform_version\": \"1.9.0\", \"planned_values\": {}, \"resource_changes\": []}",
        ),
        ("folder/a.txt", ""),
    ]));
    fs::write(folder.path().join("binary.json"), [0u8, 159, 146, 150]).expect("a file");
    for (file, part) in [
        ("missing.json", "there is nothing there"),
        ("empty.json", "is empty"),
        ("cut.json", "is cut off at line 1"),
        ("newer.json", "a newer form (9)"),
        ("plan.json", "is a plan, not a topology"),
        ("folder", "is not a file"),
        ("binary.json", "cannot read the topology `binary.json`"),
    ] {
        let (status, out, err) = portolan(folder.path(), &["check", "main.tf", "--context", file]);
        assert_eq!(status, 2, "{file}: {out}{err}");
        assert!(out.contains(part), "{file}: {out}");
        assert!(out.contains("Checked 1 resource in"), "{file}: {out}");
        let (status, _, err) = portolan(folder.path(), &["topology", "main.tf", "--context", file]);
        assert!(status == 2 && err.contains(part), "{file}: {err}");
    }
    // A topology is nothing to check, and a context alone is not either.
    portolan(folder.path(), &["topology", "main.tf", "-o", "hub.json"]);
    let (status, out, _) = portolan(folder.path(), &["check", "hub.json"]);
    assert!(status == 2 && out.contains("pass this file with `--context`"), "{out}");
    let (status, out, _) = portolan(folder.path(), &["check", "folder", "--context", "hub.json"]);
    assert!(status == 2 && out.contains("nothing to check"), "{out}");
}
