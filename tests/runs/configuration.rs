//! `portolan.toml`.

use super::*;

#[test]
fn the_file_is_found_upwards_and_the_command_line_wins() {
    let folder = Folder::new(&[
        ("infra/prod/main.tf", &defects()),
        ("portolan.toml", "select = ['subnets-overlap']\n"),
    ]);
    assert_eq!(folder.found(&[]), [OVERLAP]);
    assert_eq!(folder.found(&["infra/prod"]), [OVERLAP]);
    assert_eq!(folder.found(&["--select", "subnet-outside-vnet"]), [OUTSIDE]);
    assert_eq!(folder.found(&["--no-config"]).len(), 2);
    folder.write("other.toml", "[rules]\nsubnet = 'off'\n");
    assert_eq!(folder.found(&["--config", "other.toml"]), [""; 0]);
    // The nearest one counts, and nothing above the repository.
    folder.write("infra/portolan.toml", "select = ['subnet-outside-vnet']\n");
    assert_eq!(folder.found(&["infra/prod"]), [OUTSIDE]);
    std::fs::create_dir(folder.path().join("infra/prod/.git")).expect("a folder");
    assert_eq!(folder.found(&["infra/prod"]).len(), 2);
}

#[test]
fn severities_are_those_of_the_file() {
    let folder = Folder::new(&[("main.tf", &defects())]);
    folder.write("portolan.toml", "[rules]\nsubnet = 'note'\nsubnets-overlap = 'warning'\n");
    let (report, status) = folder.check(&[]);
    assert_eq!(report["summary"]["findings"], serde_json::json!({"error": 0, "warning": 1, "note": 1}));
    assert_eq!(status, 0);
    folder.write("portolan.toml", "fail-on = 'note'\n[rules]\nsubnet = 'note'\nsubnets-overlap = 'off'\n");
    let (report, status) = folder.check(&[]);
    assert_eq!((found(&report), status), (vec![OUTSIDE.to_string()], 1));
    assert_eq!(folder.check(&["--fail-on", "error"]).1, 0);
    assert_eq!(folder.found(&["--select", "subnets-overlap"]), [OVERLAP], "asked for by name");
}

#[test]
fn paths_and_exclusions_are_relative_to_the_file() {
    let folder = Folder::new(&[
        ("envs/a/main.tf", &defects()),
        ("envs/b/main.tf", &defects()),
        ("examples/main.tf", &defects()),
        ("portolan.toml", "paths = ['envs']\nexclude = ['/envs/b/']\n"),
    ]);
    let files = |output: &Json| -> Vec<String> {
        let findings = output["findings"].as_array().expect("a list");
        findings
            .iter()
            .map(|finding| finding["location"]["file"].as_str().expect("a file").to_string())
            .collect()
    };
    assert_eq!(files(&folder.check(&[]).0), ["envs/a/main.tf"; 2]);
    assert_eq!(files(&folder.check(&["examples"]).0), ["examples/main.tf"; 2]);
    assert_eq!(files(&folder.check(&["envs/b"]).0), ["envs/b/main.tf"; 2], "named itself");
    assert_eq!(files(&folder.check(&["."]).0).len(), 4);
    folder.write("portolan.toml", "exclude = ['examples', '**/b']\n");
    assert_eq!(files(&folder.check(&[]).0), ["envs/a/main.tf"; 2]);
    folder.write("examples/main.bicep", "param x string\n");
    assert_eq!(folder.check(&[]).0["summary"]["files"], 1);
}

#[test]
fn roots_have_their_own_values() {
    let text = format!(
        "variable \"range\" {{ type = string }}\n{NETWORK}{}",
        subnet("outside", "x").replace("\"x\"", "var.range")
    );
    let folder = Folder::new(&[
        ("envs/a/main.tf", &text),
        ("envs/b/main.tf", &text),
        ("values/bad.tfvars", "range = \"10.9.0.0/24\"\n"),
        (
            "portolan.toml",
            "[[root]]\npath = 'envs'\nvar-files = ['values/bad.tfvars']\n[[root]]\npath = 'envs/b'\nvars = { range = '10.0.1.0/24' }\n",
        ),
    ]);
    let (report, _) = folder.check(&[]);
    assert_eq!(found(&report), [OUTSIDE]);
    assert_eq!(report["findings"][0]["location"]["file"], "envs/a/main.tf");
    assert_eq!(folder.found(&["--var", "range=10.0.2.0/24"]), [""; 0], "the command line wins");
    let bicep = "param range string\nresource vnet 'Microsoft.Network/virtualNetworks@2023-09-01' = {\n  name: 'v'\n  properties: {\n    addressSpace: { addressPrefixes: [ '10.0.0.0/16' ] }\n    subnets: [ { name: 's', properties: { addressPrefix: range } } ]\n  }\n}\n";
    folder.write("bicep/main.bicep", bicep);
    folder.write("portolan.toml", "[[root]]\npath = 'bicep/main.bicep'\nvars = { range = '10.9.0.0/24' }\n");
    assert_eq!(folder.found(&["bicep"]).len(), 1);
}

#[test]
fn a_baseline_can_be_named_in_the_file() {
    let folder =
        Folder::new(&[("infra/main.tf", &defects()), ("portolan.toml", "baseline = 'known.json'\n")]);
    assert_eq!(status(&folder.run(&["check"])), 2, "it is not there");
    assert_eq!(status(&folder.run(&["check", "--write-baseline", "known.json"])), 0);
    assert_eq!(status(&folder.run_in("infra", &["check"])), 0);
}

#[test]
fn slips_are_told_with_their_place_and_a_suggestion() {
    let folder = Folder::new(&[("main.tf", NETWORK)]);
    for (text, expected) in [
        ("excludes = []\n", "portolan.toml:1:1: there is no key `excludes` here; did you mean `exclude`?"),
        (
            "\n[rules]\nsubnet-overlap = 'off'\n",
            "portolan.toml:3:1: there is no rule or category `subnet-overlap`; did you mean `subnets-overlap`?",
        ),
        (
            "select = ['peering', 'dnss']\n",
            "portolan.toml:1:22: there is no rule or category `dnss`; did you mean `dns`?",
        ),
        (
            "[rules]\npeering = 'loud'\n",
            "portolan.toml:2:11: `peering` is not one of `off`, `note`, `warning`, `error`",
        ),
        ("fail-on = 'bad'\n", "`fail-on` is not one of `error`, `warning`, `note`, `never`"),
        ("paths = 'infra'\n", "`paths` is not a list of texts"),
        ("possible = 'yes'\n", "`possible` is not `true` or `false`"),
        ("[[ignore]]\nreason = 'x'\n", "`rule` is missing here"),
        ("[[ignore]]\nrule = 'peering'\nuntil = 'soon'\n", "portolan.toml:3:9: `until` is not a day"),
        ("[[ignore]]\nrule = 'peering'\npath = 'a{'\n", "this pattern cannot be understood"),
        ("ignore = ['peering']\n", "`ignore` is not a list of tables, `[[ignore]]`"),
        ("[[root]]\npath = 'a'\nvar-file = 'x'\n", "did you mean `var-files`?"),
        ("paths = [\n", "portolan.toml:"),
    ] {
        folder.write("portolan.toml", text);
        for command in ["check", "topology"] {
            let output = folder.run(&[command]);
            assert_eq!(status(&output), 2, "{text}");
            assert!(stderr(&output).contains(expected), "{text}: {}", stderr(&output));
            assert_eq!(stdout(&output), "");
        }
    }
}

#[test]
fn each_file_holds_for_its_folder() {
    let folder = Folder::new(&[
        ("a/main.tf", &defects()),
        ("b/main.tf", &defects()),
        ("a/portolan.toml", "[[ignore]]\nrule = 'subnets-overlap'\n"),
        ("b/portolan.toml", "exclude = ['x']\n"),
    ]);
    assert_eq!(folder.found(&["a", "b"]), [OUTSIDE, OUTSIDE, OVERLAP], "only the overlap in a is ignored");
}

#[test]
fn files_that_do_not_agree_are_refused() {
    let folder = Folder::new(&[
        ("a/main.tf", NETWORK),
        ("b/main.tf", NETWORK),
        ("a/portolan.toml", "fail-on = 'note'\n"),
        ("b/portolan.toml", "fail-on = 'never'\n"),
    ]);
    let output = folder.run(&["check", "a", "b"]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("do not agree"), "{output:?}");
    assert_eq!(status(&folder.run(&["check", "a", "b", "--config", "a/portolan.toml"])), 0);
}

/// `docs/portolan.schema.json` is what the program says. `PORTOLAN_WRITE_PAGES=1` writes it.
#[test]
fn the_schema_is_up_to_date_and_its_keys_are_described() {
    let folder = Folder::new(&[]);
    let schema = stdout(&folder.run(&["config", "schema"]));
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let path = docs.join("portolan.schema.json");
    if std::env::var_os("PORTOLAN_WRITE_PAGES").is_some() {
        fs::write(&path, &schema).expect("the schema can be written");
    }
    let stale =
        "docs/portolan.schema.json is stale: PORTOLAN_WRITE_PAGES=1 cargo test --test runs schema writes it";
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == schema, "{stale}");
    let page = fs::read_to_string(docs.join("configuration.md")).expect("the page");
    let json: Json = serde_json::from_str(&schema).expect("JSON");
    let keys = json["properties"].as_object().expect("keys").keys();
    let inner = ["root", "ignore"]
        .iter()
        .flat_map(|list| json["properties"][*list]["items"]["properties"].as_object().expect("keys").keys());
    for key in keys.chain(inner) {
        assert!(
            page.contains(&format!("`{key}`"))
                || page.contains(&format!("`[{key}]`"))
                || page.contains(&format!("`[[{key}]]`")),
            "docs/configuration.md does not say what `{key}` is"
        );
    }
}
