//! The action's scripts as a runner runs them, with the built program as the release.

#![cfg(unix)]
#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

#[path = "support/repository.rs"]
mod repository;

use repository::{CHECKOUT, EXAMPLE, PROGRAM, action, stdout, variable};

const ARCHIVE: &str = "portolan-x86_64-unknown-linux-musl.tar.gz";

/// A runner: its folders and files, and the environment that it gives to a step.
struct Runner {
    folder: TempDir,
    environment: BTreeMap<String, String>,
}

impl Runner {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut runner = Self { folder, environment: BTreeMap::new() };
        for name in ["temp", "workspace", "releases"] {
            fs::create_dir(runner.path(name)).expect("a folder");
        }
        for (name, value) in [
            ("PATH", std::env::var("PATH").expect("a PATH")),
            ("HOME", runner.text("temp")),
            ("RUNNER_OS", "Linux".into()),
            ("RUNNER_ARCH", "X64".into()),
            ("RUNNER_TEMP", runner.text("temp")),
            ("GITHUB_ACTION_PATH", CHECKOUT.into()),
            ("GITHUB_WORKSPACE", runner.text("workspace")),
            ("GITHUB_OUTPUT", runner.text("output")),
            ("GITHUB_STEP_SUMMARY", runner.text("summary")),
            ("PORTOLAN_RELEASES", format!("file://{}", runner.text("releases"))),
        ] {
            runner.set(name, value);
        }
        // The inputs as the action hands them on: its defaults.
        for (input, about) in action()["inputs"].as_object().expect("inputs") {
            let default = about["default"].as_str().expect("every input has a default");
            runner.input(input, default);
        }
        runner
    }

    fn path(&self, name: &str) -> PathBuf {
        // The real path: macOS has its temporary folders behind a link.
        self.folder.path().canonicalize().expect("the folder").join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.into(), value.into());
    }

    fn input(&mut self, name: &str, value: &str) {
        self.set(&variable(name), value);
    }

    /// Runs the command of one of the action's steps, as `shell: bash` does.
    fn step(&self, id: &str) -> Output {
        for name in ["output", "summary"] {
            fs::write(self.path(name), "").expect("an empty file");
        }
        let action = action();
        let steps = action["runs"]["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["id"] == id).expect("the step");
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().expect("a script")])
            .current_dir(self.path("workspace"))
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
            .expect("bash runs")
    }

    /// The check step with the built program.
    fn check(&mut self) -> Output {
        self.set("PORTOLAN", PROGRAM);
        self.step("check")
    }

    fn outputs(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.path("output")).expect("the outputs");
        let pairs = text.lines().map(|line| line.split_once('=').expect("NAME=VALUE"));
        pairs.map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn summary(&self) -> String {
        fs::read_to_string(self.path("summary")).expect("the summary")
    }

    /// Puts files into the workspace.
    fn copy(&self, from: &Path, to: &str) {
        let to = self.path("workspace").join(to);
        fs::create_dir_all(&to).expect("a folder");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                self.copy(&entry.path(), &target.to_string_lossy());
            } else {
                fs::copy(entry.path(), target).expect("a copy");
            }
        }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path("workspace").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// A release whose program stands for the built one.
    fn release(&self, folder: &str) -> PathBuf {
        let release = self.path("releases").join(folder);
        fs::create_dir_all(&release).expect("a folder");
        executable(&release.join("portolan"), &format!("#!/bin/sh\nexec '{PROGRAM}' \"$@\"\n"));
        let status = Command::new("tar")
            .args(["-czf", ARCHIVE, "portolan"])
            .current_dir(&release)
            .status()
            .expect("tar runs");
        assert!(status.success());
        let digest = Sha256::digest(fs::read(release.join(ARCHIVE)).expect("the archive"));
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let sums = format!("{}  portolan-other.tar.gz\n{hex} *{ARCHIVE}\n", "0".repeat(64));
        fs::write(release.join("SHA256SUMS"), sums).expect("the checksums");
        release
    }
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("permissions");
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

#[test]
fn the_shipped_example_is_reported_in_every_way() {
    let mut runner = Runner::new();
    runner.copy(&Path::new(CHECKOUT).join(EXAMPLE), "infra/live");
    let output = runner.check();
    assert_eq!(status(&output), 1, "{output:?}");

    let sarif = fs::read_to_string(runner.path("workspace/portolan.sarif")).expect("SARIF");
    let sarif: Json = serde_json::from_str(&sarif).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let errors = results.iter().filter(|result| result["level"] == "error").count();
    let outputs = runner.outputs();
    assert_eq!(outputs["findings"], results.len().to_string());
    assert_eq!(outputs["errors"], errors.to_string());
    assert_eq!(outputs["warnings"], (results.len() - errors).to_string());
    assert_eq!(outputs["exit-code"], "1");
    assert_eq!(outputs["sarif-file"], "portolan.sarif");
    assert_eq!(outputs.len(), 5);

    let log = stdout(&output);
    assert_eq!(
        log.lines().filter(|line| line.starts_with("::error file=infra/live/")).count(),
        errors.min(10)
    );
    assert!(log.lines().all(|line| line.starts_with("::")), "{log}");
    let summary = runner.summary();
    assert!(summary.starts_with(&format!("## Portolan: {errors} errors, ")), "{summary}");
    assert!(summary.contains("| **error** | `infra/live/database.tf:"), "{summary}");
    let picture = summary.split("```mermaid\n").nth(1).and_then(|rest| rest.split("\n```").next());
    let picture = picture.expect("a picture");
    for part in
        ["\"vnet-shop-hub<br>10.0.0.0/16\"", "-->|peers one way|", "-.->|linked|", "snet-database<br>"]
    {
        assert!(picture.contains(part), "{part}: {picture}");
    }
}

#[test]
fn a_clean_folder_passes() {
    let mut runner = Runner::new();
    runner.write("main.tf", "resource \"azurerm_virtual_network\" \"main\" {\n  name = \"vnet\"\n  resource_group_name = \"rg\"\n  location = \"westeurope\"\n  address_space = [\"10.0.0.0/16\"]\n}\n");
    let output = runner.check();
    assert_eq!(status(&output), 0, "{output:?}");
    assert_eq!(stdout(&output), "");
    let outputs = runner.outputs();
    assert_eq!((outputs["findings"].as_str(), outputs["exit-code"].as_str()), ("0", "0"));
    assert!(runner.summary().starts_with("## Portolan: nothing found\n"));
    assert!(runner.path("workspace/portolan.sarif").exists());
}

#[test]
fn outputs_are_set_when_input_cannot_be_read_or_arguments_are_wrong() {
    let mut runner = Runner::new();
    runner.write("main.tf", "resource \"azurerm_subnet\" {{{\n");
    let output = runner.check();
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).starts_with("::error file=main.tf,line="), "{output:?}");
    assert_eq!(runner.outputs()["exit-code"], "2");
    assert_eq!(runner.outputs()["errors"], "0");
    assert!(runner.summary().contains("- **error**: "), "{}", runner.summary());

    // What this run left must not pass for the next one's.
    runner.input("fail-on", "sometimes");
    let output = runner.check();
    assert_eq!(status(&output), 2, "{output:?}");
    let outputs = runner.outputs();
    assert_eq!(outputs.len(), 1, "{outputs:?}");
    assert_eq!(outputs["exit-code"], "2");
    assert!(!runner.path("workspace/portolan.sarif").exists());

    runner.input("fail-on", "");
    runner.input("sarif-file", "a\nfindings=7");
    assert_eq!(status(&runner.check()), 2);
    assert_eq!(runner.outputs().len(), 1);
}

#[test]
fn inputs_become_arguments_and_nothing_else() {
    let mut runner = Runner::new();
    let recorder = runner.path("recorder");
    executable(
        &recorder,
        "#!/bin/sh\nfor argument; do printf '%s\\n' \"$argument\"; done > \"$RUNNER_TEMP/arguments\"\n",
    );
    let hostile = runner.text("workspace/hostile");
    for (input, value) in [
        (
            "paths",
            format!("  infra live/$(touch {hostile}) \r\n\n--output=x\n`touch {hostile}`;touch {hostile}\n"),
        ),
        ("format", "text".into()),
        ("fail-on", "warning".into()),
        ("select", "subnet,dns\nnsg".into()),
        ("ignore", "peering-one-way".into()),
        ("baseline", "base line.json".into()),
        ("only-changed", "true".into()),
        ("summary", "false".into()),
        ("sarif-file", String::new()),
        ("args", "--var=id=/subscriptions/a b\n--possible".into()),
    ] {
        runner.input(input, &value);
    }
    runner.set("GITHUB_BASE_REF", "main");
    runner.set("PORTOLAN", recorder.to_string_lossy());
    let output = runner.step("check");
    assert_eq!(status(&output), 0, "{output:?}");
    let arguments = fs::read_to_string(runner.path("temp/arguments")).expect("the arguments");
    let counts = runner.text("temp/portolan-action/counts");
    let expected = [
        "check",
        "--format=text",
        &format!("--report=counts={counts}"),
        "--fail-on=warning",
        "--select=subnet,dns",
        "--select=nsg",
        "--ignore=peering-one-way",
        "--baseline=base line.json",
        "--only-changed=origin/main",
        "--var=id=/subscriptions/a b",
        "--possible",
        "--",
        &format!("infra live/$(touch {hostile})"),
        "--output=x",
        &format!("`touch {hostile}`;touch {hostile}"),
    ];
    assert_eq!(arguments.lines().collect::<Vec<_>>(), expected);
    assert!(!Path::new(&hostile).exists());
    // What is shown between these two lines is no command.
    let log = stdout(&output);
    let (first, last) = (log.lines().next().expect("a line"), log.lines().last().expect("a line"));
    let token = first.strip_prefix("::stop-commands::").expect("a token");
    assert!(token.len() == 32 && last == format!("::{token}::"), "{log}");

    runner.input("paths", "infra");
    runner.input("plan", "plan.json");
    runner.input("only-changed", "v1.0");
    assert_eq!(status(&runner.step("check")), 0);
    let arguments = fs::read_to_string(runner.path("temp/arguments")).expect("the arguments");
    assert!(
        arguments.contains("\n--source=infra\n") && arguments.ends_with("\n--\nplan.json\n"),
        "{arguments}"
    );
    assert!(arguments.contains("\n--only-changed=v1.0\n"), "{arguments}");
}

#[test]
fn several_paths_are_checked_and_the_numbers_agree() {
    let mut runner = Runner::new();
    let subnet = |name: &str| {
        format!(
            "resource \"azurerm_virtual_network\" \"v\" {{\n  name = \"v\"\n  resource_group_name = \"rg\"\n  location = \"westeurope\"\n  address_space = [\"10.0.0.0/16\"]\n}}\nresource \"azurerm_subnet\" \"s\" {{\n  name = \"{name}\"\n  resource_group_name = \"rg\"\n  virtual_network_name = azurerm_virtual_network.v.name\n  address_prefixes = [\"10.9.0.0/24\"]\n}}\n"
        )
    };
    runner.write("one place/main.tf", &subnet("a"));
    runner.write("two/main.tf", &subnet("b"));
    runner.write("three/main.tf", &subnet("c"));
    runner.input("paths", "one place\ntwo\n");
    runner.input("format", "concise");
    runner.input("fail-on", "never");
    let output = runner.check();
    assert_eq!(status(&output), 0, "{output:?}");
    let log = stdout(&output);
    assert!(log.contains("\none place/main.tf:11:") && log.contains("\ntwo/main.tf:11:"), "{log}");
    assert!(!log.contains("three/"), "{log}");
    assert_eq!(runner.outputs()["errors"], log.matches(": error[").count().to_string());
}

#[test]
fn a_plan_points_at_the_configuration_in_the_checkout() {
    let plans = Path::new(CHECKOUT).join("testdata/plans/spokes");
    let annotations = |runner: &mut Runner| -> Vec<String> {
        let output = runner.check();
        assert_eq!(status(&output), 1, "{output:?}");
        stdout(&output).lines().filter(|line| line.starts_with("::error ")).map(str::to_string).collect()
    };
    let mut runner = Runner::new();
    runner.copy(&plans, ".");
    runner.input("plan", "plan.json");
    let at_top = annotations(&mut runner);
    assert!(!at_top.is_empty() && at_top.iter().all(|line| line.contains(".tf,line=")), "{at_top:#?}");

    // Configuration elsewhere has to be named.
    let mut runner = Runner::new();
    runner.copy(&plans, "infra");
    runner.input("plan", "infra/plan.json");
    let unnamed = annotations(&mut runner);
    assert!(!unnamed.is_empty() && unnamed.iter().all(|line| !line.contains("line=")), "{unnamed:#?}");
    runner.input("paths", "infra");
    let named = annotations(&mut runner);
    let moved = |line: &String| line.replacen("file=", "file=infra/", 1);
    assert_eq!(named, at_top.iter().map(moved).collect::<Vec<_>>());
}

#[test]
fn a_release_is_installed_after_its_checksum_was_right() {
    let mut runner = Runner::new();
    let release = runner.release(&format!("download/v{}", env!("CARGO_PKG_VERSION")));
    let output = runner.step("install");
    assert_eq!(status(&output), 0, "{output:?}");
    let program = runner.outputs()["portolan"].clone();
    let version = Command::new(&program).arg("--version").output().expect("it runs");
    assert!(stdout(&version).contains(env!("CARGO_PKG_VERSION")), "{version:?}");
    // And it checks.
    runner.write("main.tf", "\n");
    runner.set("PORTOLAN", program);
    assert_eq!(status(&runner.step("check")), 0);

    runner.input("version", "latest");
    fs::create_dir_all(runner.path("releases/latest")).expect("a folder");
    fs::rename(&release, runner.path("releases/latest/download")).expect("moved");
    assert_eq!(status(&runner.step("install")), 0);
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut runner = Runner::new();
    runner.input("version", "v9.8.7");
    let release = runner.release("download/v9.8.7");
    let mut archive = fs::read(release.join(ARCHIVE)).expect("the archive");
    archive.push(0);
    fs::write(release.join(ARCHIVE), archive).expect("written");
    let output = runner.step("install");
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("not installed"), "{output:?}");
    assert_eq!(runner.outputs().len(), 0);
    assert!(!runner.path("temp/portolan-action/portolan").exists());

    fs::write(release.join("SHA256SUMS"), format!("{}  x{ARCHIVE}\n", "0".repeat(64))).expect("written");
    let output = runner.step("install");
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("does not name"), "{output:?}");
}

#[test]
fn without_a_release_the_actions_own_checkout_is_built() {
    let mut runner = Runner::new();
    let tools = runner.path("tools");
    fs::create_dir(&tools).expect("a folder");
    let build = "#!/bin/sh\nprintf '%s\\n' \"$*\" > \"$RUNNER_TEMP/cargo\"\nwhile [ \"$1\" != --root ]; do shift; done\nmkdir -p \"$2/bin\"\nprintf '#!/bin/sh\\n' > \"$2/bin/portolan\"\n";
    executable(&tools.join("cargo"), build);
    let path = format!("{}:{}", tools.display(), runner.environment["PATH"]);
    runner.set("PATH", path);
    for (system, architecture) in [("Linux", "X64"), ("Linux", "ARM"), ("Plan9", "X64")] {
        runner.set("RUNNER_OS", system);
        runner.set("RUNNER_ARCH", architecture);
        let output = runner.step("install");
        assert_eq!(status(&output), 0, "{output:?}");
        let arguments = fs::read_to_string(runner.path("temp/cargo")).expect("cargo was called");
        assert!(arguments.starts_with(&format!("install --locked --path {CHECKOUT} --root ")), "{arguments}");
        assert!(Path::new(&runner.outputs()["portolan"]).exists());
    }
    // Another version than the checkout's cannot be built from it.
    fs::remove_file(runner.path("temp/cargo")).expect("removed");
    runner.input("version", "7.7.7");
    let output = runner.step("install");
    assert_eq!(status(&output), 2, "{output:?}");
    assert!(stdout(&output).contains("could not be downloaded"), "{output:?}");
    assert!(!runner.path("temp/cargo").exists());
}

#[test]
fn a_version_is_a_version() {
    let mut runner = Runner::new();
    for version in
        ["main", "1.2", "1.2.3/../../x", "1.2.3\n::set-output", "$(id)", "1.2.3 x", "latest\nlatest"]
    {
        runner.input("version", version);
        let output = runner.step("install");
        assert_eq!(status(&output), 2, "{version}: {output:?}");
        assert_eq!(stdout(&output).lines().count(), 1, "{version}: {output:?}");
    }
}
