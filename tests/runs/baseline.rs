//! `--write-baseline`, `--baseline`.

use serde_json::Value as Json;

use super::*;

#[test]
fn what_is_in_the_baseline_is_neither_shown_nor_counted() {
    let folder = Folder::new(&[("main.tf", &defects())]);
    assert_eq!(folder.check(&[]).1, 1);
    let output = folder.run(&["check", "--write-baseline", "known.json"]);
    assert_eq!(status(&output), 0, "{output:?}");
    assert_eq!(stderr(&output), "known.json: 2 findings, 2 new, 0 no longer found\n");
    assert!(stdout(&output).contains("2 known findings not shown"), "{output:?}");

    let (report, status_) = folder.check(&["--baseline", "known.json"]);
    assert_eq!((found(&report), status_), (vec![], 0));
    assert_eq!(report["summary"]["known_hidden"], 2);
    assert_eq!(report["summary"]["fixed"], 0);

    folder.write("more.tf", &subnet("more", "10.8.0.0/24"));
    let (report, status_) = folder.check(&["--baseline", "known.json"]);
    assert_eq!(found(&report), ["subnet-outside-vnet azurerm_subnet.more"]);
    assert_eq!(report["findings"][0]["standing"], "new");
    assert_eq!(status_, 1);
}

#[test]
fn the_file_has_one_finding_a_line_in_a_stable_order() {
    let folder = Folder::new(&[("main.tf", &defects())]);
    folder.run(&["check", "--write-baseline", "known.json"]);
    let text = folder.read("known.json");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 7, "{text}");
    assert!(
        lines[3].starts_with(
            "{\"root\": \".\", \"rule\": \"subnet-outside-vnet\", \"resource\": \"azurerm_subnet.outside\", "
        ),
        "{text}"
    );
    let json: Json = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["version"], 1);
    folder.run(&["check", "--write-baseline", "known.json"]);
    assert_eq!(folder.read("known.json"), text);
}

#[test]
fn moves_renames_and_reformatting_keep_findings_known() {
    let folder = Folder::new(&[("infra/main.tf", &defects())]);
    folder.run(&["check", "--write-baseline", "known.json"]);
    folder.remove("infra/main.tf");
    folder.write(
        "network/subnets.tf",
        &format!("# moved\n\n{}\n{}", subnet("two", "10.0.0.128/25"), subnet("outside", "10.9.0.0/24"))
            .replace("  address", "      address"),
    );
    folder.write("network/main.tf", &format!("{}{NETWORK}", subnet("one", "10.0.0.0/24")));
    let (report, status_) = folder.check(&["--baseline", "known.json"]);
    assert_eq!((found(&report), status_), (vec![], 0), "{report}");
    assert_eq!(report["summary"]["fixed"], 0);
}

#[test]
fn a_block_that_moves_into_a_module_stays_known() {
    let folder = Folder::new(&[("main.tf", &defects())]);
    folder.run(&["check", "--write-baseline", "known.json"]);
    folder.write("main.tf", "module \"network\" {\n  source = \"./network\"\n}\n");
    folder.write("network/main.tf", &defects());
    assert!(folder.found(&["--baseline", "known.json"]).is_empty());
}

#[test]
fn an_environment_does_not_stand_for_another() {
    let folder = Folder::new(&[("dev/main.tf", &defects()), ("prod/main.tf", NETWORK)]);
    folder.run(&["check", "--write-baseline", "known.json"]);
    folder.write("dev/main.tf", NETWORK);
    folder.write("prod/main.tf", &defects());
    let (report, _) = folder.check(&["--baseline", "known.json"]);
    assert_eq!(found(&report).len(), 2, "{report}");
    assert_eq!(report["summary"]["fixed"], 2);
}

#[test]
fn what_no_longer_occurs_is_told_and_taken_out() {
    let folder = Folder::new(&[("main.tf", &defects())]);
    folder.run(&["check", "--write-baseline", "known.json"]);
    folder.write("main.tf", &defects().replace("10.9.0.0/24", "10.0.9.0/24"));
    let (report, _) = folder.check(&["--baseline", "known.json"]);
    assert_eq!(report["summary"]["fixed"], 1);
    assert_eq!(report["fixed"][0]["resource"], "azurerm_subnet.outside");
    let output = folder.run(&["check", "--baseline", "known.json"]);
    assert!(stdout(&output).contains("1 entry of the baseline no longer found"), "{output:?}");
    assert!(stdout(&output).contains("subnet-outside-vnet: azurerm_subnet.outside"), "{output:?}");
    let output = folder.run(&["check", "--baseline", "known.json", "--write-baseline", "known.json"]);
    assert_eq!(stderr(&output), "known.json: 1 finding, 0 new, 1 no longer found\n");
    assert!(!folder.read("known.json").contains("outside"));
}

#[test]
fn what_was_not_checked_stays_in_the_file() {
    let folder = Folder::new(&[("a/main.tf", &defects()), ("b/main.tf", &defects())]);
    folder.run(&["check", "--write-baseline", "known.json"]);
    let all = folder.read("known.json");
    // Another rule only, another root only, and a file that cannot be read.
    folder.run(&["check", "--select", "peering", "--write-baseline", "known.json"]);
    assert_eq!(folder.read("known.json"), all);
    folder.run(&["check", "a", "--write-baseline", "known.json"]);
    assert_eq!(folder.read("known.json"), all);
    folder.write("a/main.tf", "resource \"azurerm_subnet\" {");
    let output = folder.run(&["check", "--write-baseline", "known.json"]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("2 kept that this run could not see"), "{output:?}");
    assert_eq!(folder.read("known.json"), all);
}

#[test]
fn what_is_no_baseline_is_refused() {
    let folder = Folder::new(&[
        ("main.tf", NETWORK),
        ("other.json", "{\"findings\": 3}"),
        ("later.json", "{\"version\": 9, \"findings\": []}"),
        ("text.json", "known: yes"),
    ]);
    for (file, expected) in [
        ("other.json", "is not a baseline"),
        ("text.json", "is not a baseline"),
        ("later.json", "has version 9"),
        ("none.json", "cannot read the baseline `none.json`"),
    ] {
        let output = folder.run(&["check", "--baseline", file]);
        assert_eq!(status(&output), 2, "{output:?}");
        assert!(stderr(&output).contains(expected), "{output:?}");
    }
    let output = folder.run(&["check", "--write-baseline", "other.json"]);
    assert_eq!(status(&output), 2, "nothing is overwritten that is no baseline");
    assert_eq!(folder.read("other.json"), "{\"findings\": 3}");
}
