//! Each format over reports made by hand: several files, CRLF, tabs, text outside ASCII, no place at all, values that must
//! not be shown, and what a hostile file could put into a message.

#![allow(clippy::expect_used)]

use std::path::Path;
use std::sync::Arc;

use portolan::finding::{Category, Confidence, Finding, Severity, Undecided};
use portolan::report::{Answer, Format, Report, Style, assemble};
use portolan::resource::{Configuration, Diagnostic, Language, Mode, Multiplicity, Resource, Root, Schema};
use portolan::rules::{Context, Outcome, Reporter, Rule};
use portolan::source::{FileId, SourceMap, Span};
use portolan::topology::{Field, Id, Place, ResourceNode, State, Topology};
use portolan::value::{Cause, Entry, MappingKind, ResourceKey, Unknown, Value};

#[path = "support/ci_formats.rs"]
mod ci_formats;

fn no_checks(_: &Context, _: &mut Reporter) {}

static SHARED: Rule = Rule {
    name: "delegated-subnet-shared",
    category: Category::Delegation,
    severity: Severity::Error,
    summary: "A subnet delegated to one service also hosts something else",
    error_codes: &["SubnetHasServiceAssociationLink"],
    fix: None,
    pedantic: false,
    source: "//! # delegated-subnet-shared\n//!\n//! ## What it checks\n//! Whether a delegated subnet hosts\n//! anything else.\n//!\n//! ## What Azure does\n//! It refuses.\nfn check() {}\n",
    check: no_checks,
};

static OVERLAP: Rule = Rule {
    name: "subnets-overlap",
    category: Category::Subnet,
    severity: Severity::Error,
    summary: "Two subnets of one network overlap",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: "//! ## What it checks\n//! Overlaps.\n",
    check: no_checks,
};

static EXPOSED: Rule = Rule {
    name: "management-port-exposed",
    category: Category::Exposure,
    severity: Severity::Warning,
    summary: "The Internet reaches a management port",
    error_codes: &[],
    fix: None,
    pedantic: false,
    source: "//! ## What it checks\n//! Exposure.\n",
    check: no_checks,
};

static RULES: [&Rule; 3] = [&SHARED, &OVERLAP, &EXPOSED];

/// A run made by hand.
#[derive(Default)]
struct Run {
    sources: SourceMap,
    configuration: Configuration,
    topology: Topology,
    outcome: Outcome,
    possible: bool,
}

impl Run {
    fn new() -> Self {
        let mut run = Run::default();
        run.configuration.roots.push(Root { path: "infra".into(), language: Language::Terraform });
        run
    }

    fn file(&self, path: &str, text: &str) -> FileId {
        self.sources.add(Path::new(path), text).id()
    }

    /// The span of the first occurrence of some text.
    fn span(&self, file: FileId, needle: &str) -> Span {
        let source = self.sources.get(file).expect("a file of this run");
        let start = source.text().find(needle).expect("the text is there");
        Span::new(file, start, start + needle.len())
    }

    fn resource(&mut self, address: &str, written_type: &str, header: Span) -> Id<ResourceNode> {
        let id = Id::new(self.topology.resources.len());
        let place = Place { resource: id, site: header, origin: header };
        let field = |state| Field { state, place };
        let key = ResourceKey { root: 0, address: address.into() };
        let known = !written_type.ends_with("_oddity");
        self.topology.resources.push(ResourceNode {
            key,
            language: Language::Terraform,
            arm_type: known.then(|| "Microsoft.Network/virtualNetworks".into()),
            written_type: written_type.into(),
            mode: Mode::Managed,
            uncertain: None,
            unseen: None,
            name: field(State::Absent),
            resource_group: field(State::Absent),
            location: field(State::Absent),
            resource_id: Some(format!("Microsoft.Network/anything/{}", address.replace('.', "-"))),
            dependencies: Vec::new(),
            action: None,
            replaced_for: Vec::new(),
            because: None,
            place,
            body: Value::null(header),
        });
        id
    }

    fn report(&self) -> Report {
        assemble(&Answer {
            sources: &self.sources,
            configuration: &self.configuration,
            topology: &self.topology,
            before: None,
            rules: &RULES,
            outcome: &self.outcome,
            fixes: &[],
            possible: self.possible,
        })
    }

    fn show(&self, format: &str) -> String {
        self.show_with(format, Style::default())
    }

    fn show_with(&self, format: &str, style: Style) -> String {
        let mut out = Vec::new();
        let format = Format::find(format).expect("a format of that name");
        (format.write)(&self.report(), &style, &mut out).expect("writing to memory");
        String::from_utf8(out).expect("text")
    }
}

fn at(resource: Id<ResourceNode>, site: Span) -> Place {
    Place { resource, site, origin: site }
}

fn unknown(cause: Cause) -> Arc<Unknown> {
    Arc::new(Unknown { cause, span: Span::NOWHERE })
}

/// Two findings in several files, one of them with a value from a tfvars file, a witness and a related resource; three
/// undecided checks; a note, a warning and a type that is not known.
fn estate() -> Run {
    let mut run = Run::new();
    let main = run.file(
        "infra/main.tf",
        "resource \"azurerm_network_interface\" \"app\" {\n  ip_configuration {\n    subnet_id = azurerm_subnet.db.id\n  }\n}\n\nresource \"azurerm_subnet\" \"web\" {\n  address_prefixes = [var.web_prefix]\n}\n",
    );
    let network = run.file(
        "infra/network.tf",
        "resource \"azurerm_subnet\" \"db\" {\n  delegation {\n    name = \"postgres\"\n  }\n}\n",
    );
    let values = run.file("infra/terraform.tfvars", "web_prefix = \"10.0.1.0/24\"\n");
    let nic_header = run.span(main, "resource \"azurerm_network_interface\" \"app\"");
    let nic = run.resource("azurerm_network_interface.app", "azurerm_network_interface", nic_header);
    let db_header = run.span(network, "resource \"azurerm_subnet\" \"db\"");
    let db = run.resource("azurerm_subnet.db", "azurerm_subnet", db_header);
    let web_header = run.span(main, "resource \"azurerm_subnet\" \"web\"");
    let web = run.resource("module.net[\"a\"].azurerm_subnet.web", "azurerm_subnet", web_header);
    run.resource("azurerm_network_oddity.x", "azurerm_network_oddity", Span::NOWHERE);

    let subnet_id = run.span(main, "subnet_id = azurerm_subnet.db.id");
    let delegation = run.span(network, "delegation {\n    name = \"postgres\"\n  }");
    run.outcome.findings.push(
        Finding::new(
            SHARED.name,
            Severity::Error,
            "network interface `app` is in subnet `db`, which is delegated to Microsoft.DBforPostgreSQL/flexibleServers",
            at(nic, subnet_id),
        )
        .related("the delegation", at(db, delegation))
        .advice("Put the network interface into a subnet of its own"),
    );
    let prefix = Place {
        resource: web,
        site: run.span(main, "address_prefixes = [var.web_prefix]"),
        origin: run.span(values, "\"10.0.1.0/24\""),
    };
    run.outcome.findings.push(
        Finding::new(OVERLAP.name, Severity::Warning, "10.0.1.0/24 overlaps 10.0.0.0/16", prefix)
            .of(&Some("Microsoft.Network/virtualNetworks/subnets/vnet-hub/web".into()))
            .witness("10.0.1.0 is in both")
            .witness("and so is 10.0.1.255"),
    );
    run.outcome.checks = 41;
    let derived = unknown(Cause::Derived(unknown(Cause::Input("var.address_space".into()))));
    for because in [unknown(Cause::Input("var.address_space".into())), derived] {
        run.outcome.undecided.push(Undecided { rule: OVERLAP.name, place: at(web, web_header), because });
    }
    let lookup = unknown(Cause::Lookup("data.azurerm_subnet.hub".into()));
    run.outcome.undecided.push(Undecided { rule: SHARED.name, place: at(db, db_header), because: lookup });
    run.configuration.diagnostics = vec![
        Diagnostic::note("variable-without-value", "variable `address_space` has no value", Span::NOWHERE),
        Diagnostic::warning("unsupported", "function `provider::x::y` is not evaluated", subnet_id)
            .with_help("The value counts as unknown"),
    ];
    run
}

#[test]
fn text_shows_lines_origins_and_what_was_not_decided() {
    insta::assert_snapshot!(estate().show("text"));
}

#[test]
fn text_shows_every_undecided_check_when_verbose() {
    let style = Style { verbose: true, ..Style::default() };
    insta::assert_snapshot!(estate().show_with("text", style));
}

#[test]
fn quiet_text_is_findings_only() {
    let style = Style { quiet: true, ..Style::default() };
    let text = estate().show_with("text", style);
    assert!(text.contains("error[delegated-subnet-shared]"), "{text}");
    assert!(!text.contains("Checked") && !text.contains("provider::x::y"), "{text}");
}

#[test]
fn text_has_escapes_only_when_coloured() {
    assert!(!estate().show("text").contains('\u{1b}'));
    let style = Style { color: true, ..Style::default() };
    assert!(estate().show_with("text", style).contains("\u{1b}["));
}

#[test]
fn json_holds_everything() {
    insta::assert_snapshot!(estate().show("json"));
}

#[test]
fn sarif_holds_everything() {
    insta::assert_snapshot!(estate().show("sarif"));
}

#[test]
fn concise_is_one_line_a_finding() {
    insta::assert_snapshot!(estate().show("concise"));
}

#[test]
fn github_annotates_lines() {
    insta::assert_snapshot!(estate().show("github"));
}

#[test]
fn markdown_has_findings_and_what_was_not_decided() {
    insta::assert_snapshot!(estate().show("markdown"));
}

#[test]
fn azure_logs_issues() {
    insta::assert_snapshot!(estate().show("azure"));
}

#[test]
fn gitlab_holds_every_finding() {
    insta::assert_snapshot!(estate().show("gitlab"));
}

#[test]
fn junit_has_a_test_case_for_each_finding() {
    insta::assert_snapshot!(estate().show("junit"));
}

#[test]
fn nothing_found_is_said_calmly() {
    let mut run = Run::new();
    run.file("main.tf", "\n");
    run.outcome.checks = 3;
    insta::assert_snapshot!(run.show("text"), @"Checked 0 resources in 1 file with 3 rules: nothing found.");
}

/// CRLF, a tab and a character outside the basic plane before the value: each format counts columns its own way.
fn awkward_text() -> Run {
    let mut run = Run::new();
    let file = run.file(
        "größe/😀 net.tf",
        "resource \"azurerm_subnet\" \"ä\" {\r\n\tname = \"😀ß\", address_prefixes = [\"10.0.0.1/24\"]\r\n}\r\n",
    );
    let header = run.span(file, "resource \"azurerm_subnet\" \"ä\"");
    let subnet = run.resource("azurerm_subnet.ä", "azurerm_subnet", header);
    let site = run.span(file, "\"10.0.0.1/24\"");
    run.outcome.findings.push(Finding::new(
        OVERLAP.name,
        Severity::Error,
        "host bits are set",
        at(subnet, site),
    ));
    run
}

#[test]
fn text_underlines_behind_tabs_and_wide_characters() {
    insta::assert_snapshot!(awkward_text().show_with("text", Style { quiet: true, ..Style::default() }));
}

#[test]
fn columns_are_characters_in_json_and_utf16_in_sarif() {
    let run = awkward_text();
    let json: serde_json::Value = serde_json::from_str(&run.show("json")).expect("JSON");
    let location = &json["findings"][0]["location"];
    assert_eq!(location["line"], 2);
    assert_eq!(location["column"], 35);
    assert_eq!(location["end_column"], 48);
    let sarif: serde_json::Value = serde_json::from_str(&run.show("sarif")).expect("JSON");
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startColumn"], 36);
    assert_eq!(place["region"]["endColumn"], 49);
    assert_eq!(place["region"]["snippet"]["text"], "\"10.0.0.1/24\"");
    assert_eq!(place["artifactLocation"]["uri"], "gr%C3%B6%C3%9Fe/%F0%9F%98%80%20net.tf");
}

#[test]
fn a_finding_that_no_file_holds_is_still_shown() {
    let mut run = Run::new();
    let subnet = run.resource("azurerm_subnet.planned", "azurerm_subnet", Span::NOWHERE);
    run.outcome.findings.push(
        Finding::new(OVERLAP.name, Severity::Note, "overlaps", at(subnet, Span::NOWHERE))
            .related("with this one", at(subnet, Span::NOWHERE)),
    );
    insta::assert_snapshot!(run.show_with("text", Style { quiet: true, ..Style::default() }));
    let json: serde_json::Value = serde_json::from_str(&run.show("json")).expect("JSON");
    assert!(json["findings"][0]["location"].is_null());
    let sarif: serde_json::Value = serde_json::from_str(&run.show("sarif")).expect("JSON");
    let location = &sarif["runs"][0]["results"][0]["locations"][0];
    assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "infra");
    assert_eq!(location["physicalLocation"]["region"]["startLine"], 1);
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "azurerm_subnet.planned");
}

#[test]
fn a_line_with_a_sensitive_value_is_not_shown() {
    let mut run = Run::new();
    let file = run.file("main.tf", "resource \"azurerm_x\" \"y\" {\n  password = \"hunter2\"\n}\n");
    let header = run.span(file, "resource \"azurerm_x\" \"y\"");
    let resource = run.resource("azurerm_x.y", "azurerm_x", header);
    let attribute = run.span(file, "password = \"hunter2\"");
    let value = Value::string("hunter2", run.span(file, "\"hunter2\"")).marked(true);
    let body = [("password".into(), Entry { span: attribute, value })];
    run.configuration.resources.push(Resource {
        body: Value::mapping(MappingKind::Object, body, header),
        key: ResourceKey { root: 0, address: "azurerm_x.y".into() },
        mode: Mode::Managed,
        resource_type: "azurerm_x".into(),
        schema: Schema::Terraform { azurerm_major: None },
        multiplicity: Multiplicity::One,
        span: header,
        header,
        dependencies: Vec::new(),
        scope: None,
        provider: None,
        action: None,
        replaced_for: Vec::new(),
        because: None,
    });
    run.outcome.findings.push(Finding::new(
        OVERLAP.name,
        Severity::Error,
        "it is bad",
        at(resource, attribute),
    ));
    for format in portolan::report::FORMATS.iter().map(|format| format.name) {
        let shown = run.show(format);
        assert!(!shown.contains("hunter2"), "{format}: {shown}");
        assert!(format == "counts" || shown.to_lowercase().contains("it is bad"), "{format}: {shown}");
    }
    insta::assert_snapshot!(run.show_with("text", Style { quiet: true, ..Style::default() }));
}

#[test]
fn control_characters_cannot_reach_the_terminal() {
    let mut run = Run::new();
    let file = run.file("evil\u{1b}[2J.tf", "name = \"\u{1b}]0;gone\u{7}\u{202e}\"\n");
    let resource = run.resource("x.\u{1b}[31my", "azurerm_x", run.span(file, "name"));
    let site = run.span(file, "name");
    run.outcome.findings.push(
        Finding::new(OVERLAP.name, Severity::Error, "named `\u{1b}[2J\u{202e}`", at(resource, site))
            .related("\u{1b}[0m", at(resource, Span::NOWHERE))
            .witness("\u{9b}0m")
            .advice("\r\nhidden"),
    );
    let text = run.show("text");
    let bad: Vec<char> = text.chars().filter(|c| c.is_control() && *c != '\n' || *c == '\u{202e}').collect();
    assert!(bad.is_empty(), "{bad:?} in {text}");
}

#[test]
fn a_minified_line_is_cut_around_what_is_meant() {
    let mut run = Run::new();
    let filler = "ä".repeat(5_000);
    let file = run.file(
        "azuredeploy.json",
        &format!("{{\"a\":\"{filler}\",\"prefix\":\"10.0.0.0/8\",\"b\":\"{filler}\"}}"),
    );
    let site = run.span(file, "\"10.0.0.0/8\"");
    let resource = run.resource("subnet", "Microsoft.Network/virtualNetworks/subnets", site);
    run.outcome.findings.push(Finding::new(OVERLAP.name, Severity::Error, "too large", at(resource, site)));
    let text = run.show("text");
    assert!(text.contains("azuredeploy.json:1:5018"), "{text}");
    assert!(text.contains("\"10.0.0.0/8\""), "{text}");
    assert!(text.lines().all(|line| line.chars().count() < 300), "{text}");
}

#[test]
fn instances_that_share_place_and_words_are_one_in_text_and_each_in_json() {
    let mut run = Run::new();
    let file = run.file("main.tf", "resource \"azurerm_subnet\" \"each\" {}\n");
    let header = run.span(file, "resource \"azurerm_subnet\" \"each\"");
    for index in 0..7 {
        let id = run.resource(&format!("azurerm_subnet.each[{index}]"), "azurerm_subnet", header);
        run.outcome.findings.push(Finding::new(OVERLAP.name, Severity::Error, "too small", at(id, header)));
    }
    insta::assert_snapshot!(run.show_with("text", Style { quiet: true, ..Style::default() }));
    let json: serde_json::Value = serde_json::from_str(&run.show("json")).expect("JSON");
    assert_eq!(json["findings"].as_array().expect("a list").len(), 7);
}

#[test]
fn findings_are_sorted_by_path_whatever_the_order_of_loading_and_each_is_there_once() {
    let build = |paths: &[&str]| {
        let mut run = Run::new();
        for path in paths {
            let file = run.file(path, "a = 1\nb = 2\n");
            let id = run.resource(&format!("r.{path}"), "azurerm_x", run.span(file, "a"));
            for needle in ["b", "a", "b"] {
                let place = at(id, run.span(file, needle));
                run.outcome.findings.push(Finding::new(OVERLAP.name, Severity::Error, "same", place));
            }
        }
        run
    };
    let (one, other) = (build(&["z.tf", "a.tf"]), build(&["a.tf", "z.tf"]));
    for format in portolan::report::FORMATS.iter().map(|format| format.name) {
        assert_eq!(one.show(format), other.show(format), "{format}");
    }
    let places: Vec<String> = one
        .report()
        .findings
        .iter()
        .map(|f| format!("{:?}", f.place.location.as_ref().expect("a place")))
        .collect();
    assert_eq!(places, ["a.tf:1:1", "a.tf:2:1", "z.tf:1:1", "z.tf:2:1"]);
}

#[test]
fn possible_findings_are_counted_until_asked_for() {
    let mut run = estate();
    run.outcome.findings[0].confidence = Confidence::Possible;
    let hidden = run.show("text");
    assert!(!hidden.contains("delegated-subnet-shared]: "), "{hidden}");
    assert!(hidden.contains("1 possible finding not shown"), "{hidden}");
    run.possible = true;
    let shown = run.show("text");
    assert!(shown.contains("error[delegated-subnet-shared]: possibly: network interface"), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&run.show("json")).expect("JSON");
    assert_eq!(json["findings"][0]["confidence"], "possible");
    assert_eq!(json["summary"]["possible_hidden"], 0);
}

#[test]
fn fingerprints_survive_moved_lines_and_new_words() {
    let fingerprint = |run: &Run| {
        let sarif: serde_json::Value = serde_json::from_str(&run.show("sarif")).expect("JSON");
        sarif["runs"][0]["results"][0]["partialFingerprints"]["primaryLocationLineHash"].clone()
    };
    let build = |before: &str, message: &str, address: &str| {
        let mut run = Run::new();
        let file = run.file("main.tf", &format!("{before}prefix = 1\n"));
        let site = run.span(file, "prefix = 1");
        let id = run.resource(address, "azurerm_subnet", site);
        run.outcome.findings.push(Finding::new(OVERLAP.name, Severity::Error, message, at(id, site)));
        run
    };
    let first = fingerprint(&build("", "overlaps by 4 addresses", "azurerm_subnet.a"));
    assert_eq!(first, fingerprint(&build("# moved\n\n", "overlaps by 8 addresses", "azurerm_subnet.a")));
    assert_ne!(first, fingerprint(&build("", "overlaps by 4 addresses", "azurerm_subnet.b")));
}

#[test]
fn sarif_keeps_to_what_code_scanning_takes_and_counts_the_rest() {
    let mut run = Run::new();
    let file = run.file("main.tf", "a = 1\n");
    let site = run.span(file, "a = 1");
    for index in 0..25_010 {
        let id = run.resource(&format!("azurerm_subnet.s[{index}]"), "azurerm_subnet", site);
        let severity = if index < 20 { Severity::Note } else { Severity::Error };
        run.outcome.findings.push(Finding::new(OVERLAP.name, severity, "overlaps", at(id, site)));
    }
    let sarif: serde_json::Value = serde_json::from_str(&run.show("sarif")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), 25_000);
    assert_eq!(results.iter().filter(|result| result["level"] == "note").count(), 10);
    let told = &sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(told["descriptor"]["id"], "results-left-out");
    assert!(told["message"]["text"].as_str().expect("text").starts_with("10 of 25010 findings left out"));
}
