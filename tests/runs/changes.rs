//! `--only-changed` on a git history.

use super::*;

/// A repository with one commit.
struct Repository(Folder);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Folder::new(files);
        fs::remove_dir(folder.path().join(".git")).expect("an empty folder");
        let repository = Self(folder);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit();
        repository
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .current_dir(self.0.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false"])
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{output:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "x"]);
    }

    fn touched(&self) -> Vec<String> {
        self.0.found(&["--only-changed"])
    }
}

#[test]
fn only_what_touches_changed_lines_is_shown() {
    let repository = Repository::new(&[("main.tf", &defects())]);
    let folder = &repository.0;
    let (report, status_) = folder.check(&["--only-changed"]);
    assert_eq!((found(&report), status_), (vec![], 0));
    assert_eq!(report["summary"]["untouched_hidden"], 2);
    assert!(
        stdout(&folder.run(&["check", "--only-changed"]))
            .contains("2 findings not shown: no change touches them.")
    );

    folder.write("main.tf", &defects().replace("10.9.0.0/24", "10.8.0.0/24"));
    assert_eq!(repository.touched(), [OUTSIDE]);
    repository.git(&["add", "--all"]);
    assert_eq!(repository.touched(), [OUTSIDE], "the index counts too");
    repository.commit();
    assert_eq!(repository.touched(), [""; 0]);
}

#[test]
fn new_files_are_changed_as_a_whole() {
    let repository = Repository::new(&[("main.tf", NETWORK), (".gitignore", "scratch/\n")]);
    repository.0.write("sub nets/größe.tf", "");
    repository.0.write("more.tf", &subnet("outside", "10.9.0.0/24"));
    assert_eq!(repository.touched(), [OUTSIDE]);
    repository.git(&["add", "more.tf"]);
    assert_eq!(repository.touched(), [OUTSIDE]);
}

#[test]
fn a_repository_without_a_commit_is_all_new() {
    let folder = Folder::new(&[("main.tf", &defects())]);
    fs::remove_dir(folder.path().join(".git")).expect("an empty folder");
    let repository = Repository(folder);
    repository.git(&["init", "--quiet"]);
    assert_eq!(repository.touched().len(), 2);
    repository.git(&["add", "--all"]);
    assert_eq!(repository.touched().len(), 2);
}

#[test]
fn moved_blocks_renamed_files_and_new_indentation_are_no_changes() {
    let repository = Repository::new(&[("main.tf", &defects())]);
    let folder = &repository.0;
    // Blocks in another order.
    let blocks = [
        subnet("two", "10.0.0.128/25"),
        NETWORK.to_string(),
        subnet("one", "10.0.0.0/24"),
        subnet("outside", "10.9.0.0/24"),
    ];
    folder.write("main.tf", &blocks.join("\n"));
    assert_eq!(repository.touched(), [""; 0]);
    // A block in another file.
    folder.write("main.tf", &defects().replace(&subnet("outside", "10.9.0.0/24"), ""));
    folder.write("subnets.tf", &subnet("outside", "10.9.0.0/24"));
    repository.git(&["add", "--all"]);
    assert_eq!(repository.touched(), [""; 0]);
    repository.git(&["reset", "--quiet", "--hard"]);
    // Other white space.
    folder.write("main.tf", &defects().replace("  address_prefixes     =", "\n      address_prefixes ="));
    assert_eq!(repository.touched(), [""; 0]);
    repository.git(&["reset", "--quiet", "--hard"]);
    // Another name.
    repository.git(&["mv", "main.tf", "network.tf"]);
    assert_eq!(repository.touched(), [""; 0]);
    folder.write("network.tf", &defects().replace("10.9.0.0/24", "10.8.0.0/24"));
    assert_eq!(repository.touched(), [OUTSIDE]);
}

#[test]
fn a_cause_in_another_file_counts() {
    let repository = Repository::new(&[
        ("network.tf", NETWORK),
        ("one.tf", &subnet("one", "10.0.0.0/24")),
        ("two.tf", &subnet("two", "10.0.1.0/24")),
        ("three.tf", &subnet("three", "10.0.2.0/24").replace("\"10.0.2.0/24\"", "var.range")),
        ("variables.tf", "variable \"range\" {\n  default = \"10.0.2.0/24\"\n}\n"),
    ]);
    assert_eq!(repository.touched(), [""; 0]);
    // The finding starts in two.tf, which has not changed.
    repository.0.write("one.tf", &subnet("one", "10.0.0.0/23"));
    assert_eq!(repository.touched(), [OVERLAP]);
    repository.git(&["reset", "--quiet", "--hard"]);
    // The value was written in variables.tf.
    repository.0.write("variables.tf", "variable \"range\" {\n  default = \"10.7.2.0/24\"\n}\n");
    assert_eq!(repository.touched(), ["subnet-outside-vnet azurerm_subnet.three"]);
}

#[test]
fn a_revision_means_where_the_branch_left_it() {
    let repository = Repository::new(&[("main.tf", &defects()), ("extra.tf", "")]);
    let folder = &repository.0;
    repository.git(&["checkout", "--quiet", "-b", "feature"]);
    folder.write("main.tf", &defects().replace("10.9.0.0/24", "10.8.0.0/24"));
    repository.commit();
    repository.git(&["checkout", "--quiet", "main"]);
    folder.write("main.tf", &defects().replace("10.0.0.128/25", "10.0.0.64/26"));
    repository.commit();
    repository.git(&["checkout", "--quiet", "feature"]);
    // What the main branch changed since is not this branch's doing.
    assert_eq!(folder.found(&["--only-changed=main"]), [OUTSIDE]);
    folder.write("extra.tf", &subnet("more", "10.7.0.0/24"));
    assert_eq!(folder.found(&["--only-changed=main"]), ["subnet-outside-vnet azurerm_subnet.more", OUTSIDE]);
    assert_eq!(folder.found(&["--only-changed=main", "."]).len(), 2);
    assert_eq!(folder.found(&["--only-changed=HEAD"]), ["subnet-outside-vnet azurerm_subnet.more"]);
}

#[test]
fn what_git_cannot_tell_ends_the_run() {
    let repository = Repository::new(&[("main.tf", NETWORK)]);
    for revision in ["nowhere", "--output=x", "-x"] {
        let output = repository.0.run(&["check", &format!("--only-changed={revision}")]);
        assert_eq!(status(&output), 2, "{output:?}");
        assert!(stderr(&output).contains(revision), "{output:?}");
    }
    assert!(!repository.0.path().join("x").exists());
    let folder = Folder::new(&[("main.tf", NETWORK)]);
    let output = folder.run(&["check", "--only-changed"]);
    assert_eq!(status(&output), 2, "{output:?}");
}

/// A database server in a subnet that is not delegated to it: `--fix` adds the lines of a delegation.
fn server(name: &str, range: &str) -> String {
    let server = format!(
        r#"resource "azurerm_mysql_flexible_server" "{name}" {{
  name                = "mysql-{name}"
  resource_group_name = "rg"
  location            = "westeurope"
  delegated_subnet_id = azurerm_subnet.{name}.id
}}
"#
    );
    format!("{}\n{server}", subnet(name, range))
}

#[test]
fn only_what_is_told_is_fixed() {
    let (first, second) = (server("first", "10.0.0.0/24"), server("second", "10.0.1.0/24"));
    // Where the blocks of the second server are after the first one's subnet has grown, lines have changed.
    let remarks = "# a remark\n".repeat(20);
    let text = format!("{NETWORK}\n{first}\n{second}\n{remarks}");
    let repository = Repository::new(&[("main.tf", &text)]);
    let folder = &repository.0;
    let select = ["--select", "subnet-delegation-missing", "--only-changed"];
    let run = |more: &[&str]| folder.run(&[&["check"][..], &select, more].concat());

    let output = run(&["--diff"]);
    assert_eq!((status(&output), stdout(&output).as_str()), (0, ""));
    assert_eq!(status(&run(&["--fix"])), 0);
    assert_eq!(folder.read("main.tf"), text);

    let changed = text
        .replace("azurerm_subnet.first.id\n", "azurerm_subnet.first.id # here\n")
        .replace("a remark", "another remark");
    folder.write("main.tf", &changed);
    let delegated = |text: &str| -> Vec<String> {
        let blocks = text.split("resource ").filter(|block| block.contains("delegation {"));
        blocks.map(|block| block.lines().next().unwrap_or_default().to_string()).collect()
    };
    let output = run(&["--diff"]);
    assert_eq!(status(&output), 1);
    let diff = stdout(&output);
    assert_eq!(diff.matches("+  delegation {").count(), 1, "{diff}");
    assert_eq!(folder.read("main.tf"), changed);

    let output = run(&["--fix", "--format", "json"]);
    let report: Json = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((found(&report), status(&output)), (vec![], 0), "{output:?}");
    assert_eq!(report["summary"]["untouched_hidden"], 1);
    assert_eq!(delegated(&folder.read("main.tf")), ["\"azurerm_subnet\" \"first\" {"]);

    // All that is told is fixed when everything is.
    assert_eq!(status(&folder.run(&["check", "--select", "subnet-delegation-missing", "--fix"])), 0);
    assert_eq!(delegated(&folder.read("main.tf")).len(), 2);
}

#[test]
fn what_a_fix_cannot_mend_is_still_told() {
    let repository = Repository::new(&[("main.tf", NETWORK)]);
    let folder = &repository.0;
    folder.write(
        "main.tf",
        &format!("{NETWORK}\n{}\n{}", server("one", "10.0.0.0/24"), subnet("outside", "10.9.0.0/24")),
    );
    let select = "subnet-delegation-missing,subnet-outside-vnet";
    let output = folder.run(&["check", "--fix", "--only-changed", "--format", "json", "--select", select]);
    let report: Json = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((found(&report), status(&output)), (vec![OUTSIDE.to_string()], 1), "{output:?}");
    assert!(folder.read("main.tf").contains("delegation {"));
}

/// Two networks.
fn networks() -> String {
    let two =
        NETWORK.replace("\"main\"", "\"other\"").replace("\"vnet\"", "\"other\"").replace("10.0.", "10.1.");
    format!("{NETWORK}\n{two}")
}

/// A half of their peering.
fn half(from: &str, to: &str) -> String {
    format!(
        r#"resource "azurerm_virtual_network_peering" "{from}" {{
  name                      = "{from}-to-{to}"
  resource_group_name       = "rg"
  virtual_network_name      = azurerm_virtual_network.{from}.name
  remote_virtual_network_id = azurerm_virtual_network.{to}.id
}}
"#
    )
}

const ONE_WAY: &str = "peering-one-way azurerm_virtual_network_peering.main";

#[test]
fn what_a_removed_block_leaves_behind_is_touched() {
    let both = format!("{}\n{}", half("other", "main"), subnet("inside", "10.0.3.0/24"));
    let repository = Repository::new(&[
        ("net/networks.tf", &networks()),
        ("net/main.tf", &half("main", "other")),
        ("net/other.tf", &both),
        ("net/subnets.tf", &subnet("outside", "10.9.0.0/24")),
    ]);
    let folder = &repository.0;
    assert_eq!(repository.touched(), [""; 0]);
    // The other half goes, and nothing else is different where it is missed.
    folder.write("net/other.tf", &subnet("inside", "10.0.3.0/24"));
    assert_eq!(repository.touched(), [ONE_WAY]);
    let output = folder.run_in("net", &["check", "--format", "json", "--only-changed"]);
    let report: Json = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(found(&report), [ONE_WAY]);
    assert_eq!(report["summary"]["untouched_hidden"], 1);
    // With its whole file, too.
    repository.git(&["reset", "--quiet", "--hard"]);
    folder.remove("net/other.tf");
    assert_eq!(repository.touched(), [ONE_WAY]);
    // What the change leaves behind is fixed, what was there before is not.
    let output = folder.run(&["check", "--only-changed", "--fix", "--format", "json"]);
    let report: Json = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((found(&report), status(&output)), (vec![], 0), "{output:?}");
    repository.git(&["reset", "--quiet", "--hard"]);
    // Against a revision, with files renamed on the way.
    repository.git(&["checkout", "--quiet", "-b", "feature"]);
    repository.git(&["mv", "net/main.tf", "net/peering.tf"]);
    folder.write("net/other.tf", &subnet("inside", "10.0.3.0/24"));
    repository.commit();
    assert_eq!(repository.touched(), [""; 0]);
    assert_eq!(folder.found(&["--only-changed=main"]), [ONE_WAY]);
    // It is there before the next change.
    folder.write("net/subnets.tf", &format!("# here\n{}", subnet("outside", "10.9.0.0/24")));
    assert_eq!(repository.touched(), [""; 0]);
}

#[test]
fn former_states_that_cannot_be_made_are_said() {
    let repository = Repository::new(&[
        ("networks.tf", &networks()),
        ("main.tf", &half("main", "other")),
        ("other.tf", &half("other", "main").replace("main.id", "main.id # var.none")),
        ("terraform.tfvars", "# nothing\n"),
    ]);
    let folder = &repository.0;
    folder.remove("terraform.tfvars");
    folder.write("other.tf", "");
    let (report, _) = folder.check(&["--only-changed"]);
    assert_eq!(found(&report), [""; 0]);
    assert!(codes(&report).contains(&"former-state-unknown"), "{report:#}");
    // Nothing is to be said where every finding is touched anyway, or there is none.
    folder.write("other.tf", &half("other", "main"));
    let (report, _) = folder.check(&["--only-changed"]);
    assert_eq!((found(&report), codes(&report)), (vec![], vec![]));
}
