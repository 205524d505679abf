//! The format of the rule documents, and that the harness notices what it must.

#![allow(clippy::expect_used)]

mod support;

use support::runner;
use support::suite::{Kind, Suite};

/// A document with one case of one Terraform file.
fn document(content: &str) -> String {
    format!("# title\n\n## A case\n\nProse.\n\n```hcl main.tf\n{content}```\n")
}

fn outcome(content: &str) -> Result<(), String> {
    let suite = Suite::parse(&document(content)).expect("a document");
    runner::run("invalid-address-prefix", "document.md", &suite.cases[0])
}

fn network(prefix_line: &str) -> String {
    format!(
        "resource \"azurerm_virtual_network\" \"main\" {{\n  name                = \"vnet\"\n  resource_group_name = \"rg\"\n  location            = \"westeurope\"\n{prefix_line}\n}}\n"
    )
}

#[test]
fn a_document_is_read_into_cases_files_and_assertions() {
    let suite = Suite::parse(
        "# rule\n\nProse with `# error: [x]` in it.\n\n## First\n\n```hcl main.tf\na = 1 # error: [one] \"say \\\"it\\\"\"\n# undecided: [two]\n# possible: [three]\nb = 2\n```\n\n```text\nnot a file\n```\n\n### Nested\n\n<!-- error: [four] -->\n\n~~~json plan.json\n{\"a\": 1} // warning: [five] \"x\"\n~~~\n",
    )
    .expect("a document");
    let titles: Vec<&str> = suite.cases.iter().map(|case| case.title.as_str()).collect();
    assert_eq!(titles, ["First", "First / Nested"]);
    let assertions = &suite.cases[0].files[0].assertions;
    let shown: Vec<(u32, String)> = assertions.iter().map(|a| (a.line, a.to_string())).collect();
    assert_eq!(
        shown,
        [
            (1, "error: [one] \"say \\\"it\\\"\"".to_string()),
            (4, "undecided: [two]".to_string()),
            (4, "possible: [three]".to_string()),
        ]
    );
    assert_eq!(assertions[0].written, 8);
    let nested = &suite.cases[1];
    assert_eq!((nested.elsewhere[0].kind, nested.elsewhere[0].line), (Kind::Error, 0));
    assert_eq!(nested.files[0].text, "{\"a\": 1} \n");
    assert_eq!(nested.files[0].assertions[0].kind, Kind::Warning);
}

#[test]
fn slips_of_the_pen_are_refused() {
    let problem = |text: &str| Suite::parse(text).expect_err("a slip");
    assert!(problem("# t\n```hcl\na = 1\n```\n").contains("give the block a file name"));
    assert!(problem("# t\n```hcl main.tf\na = 1\n").contains("never closed"));
    assert!(problem("# t\n```hcl ../main.tf\na = 1\n```\n").contains("leaves the case's folder"));
    assert!(problem("# t\n```hcl main.tf\n```\n```hcl main.tf\n```\n").contains("two files"));
    assert!(problem(&document("a = 1 # error: [Bad_Name]\n")).contains("not an assertion"));
    assert!(problem(&document("a = 1 # errors: [name]\n")).contains("not an assertion"));
    assert!(problem(&document("# error: [name]\n")).contains("no line follows"));
    assert!(problem("# t\n\n<!-- error: [name] -->\n").contains("no files"));
}

#[test]
fn what_is_asserted_and_reported_passes() {
    let asserted =
        network("  address_space = [\"10.0.0.1/16\"] # error: [invalid-address-prefix] \"10.0.0.1/16\"");
    assert_eq!(outcome(&asserted), Ok(()));
    let above = network("  # error: [invalid-address-prefix]\n  address_space = [\"10.0.0.1/16\"]");
    assert_eq!(outcome(&above), Ok(()));
    assert_eq!(outcome(&network("  address_space = [\"10.0.0.0/16\"]")), Ok(()));
}

#[test]
fn what_is_not_asserted_fails() {
    let failure = outcome(&network("  address_space = [\"10.0.0.1/16\"]")).expect_err("a finding");
    assert!(
        failure.contains("unexpected  document line 12, main.tf:5: error: [invalid-address-prefix]"),
        "{failure}"
    );
}

#[test]
fn what_is_not_reported_fails() {
    for line in [
        "  address_space = [\"10.0.0.0/16\"] # error: [invalid-address-prefix]",
        "  address_space = [\"10.0.0.1/16\"] # warning: [invalid-address-prefix]",
        "  address_space = [\"10.0.0.1/16\"] # error: [invalid-address-prefix] \"other words\"",
        "  address_space = [\"10.0.0.1/16\"] # error: [subnets-overlap]",
    ] {
        let failure = outcome(&network(line)).expect_err(line);
        assert!(failure.contains("not met     document line 12, main.tf:5"), "{failure}");
    }
}

#[test]
fn a_syntax_error_in_an_example_fails() {
    let failure = outcome("resource \"azurerm_virtual_network\" {{{\n").expect_err("a syntax error");
    assert!(failure.contains("diagnostic: ["), "{failure}");
}
