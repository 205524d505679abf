//! What is distributed beside the program: the action's description, workflows, editor recipes and their documentation
//! agree with each other and with what the program does.

#![allow(clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

#[path = "support/repository.rs"]
mod repository;

use repository::{CHECKOUT, EXAMPLE, PROGRAM, action, stdout, variable, yaml};

#[test]
fn no_expression_is_in_a_script_and_every_input_is_handed_on() {
    let action = action();
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let mut handed_on = BTreeMap::new();
    for step in steps {
        assert_eq!(step["shell"], "bash");
        let run = step["run"].as_str().expect("a script");
        assert!(!run.contains("${{"), "{run}");
        for (name, value) in step["env"].as_object().expect("an environment") {
            handed_on.insert(value.as_str().expect("text").to_string(), name.clone());
        }
    }
    for input in action["inputs"].as_object().expect("inputs").keys() {
        assert_eq!(handed_on.get(&format!("${{{{ inputs.{input} }}}}")), Some(&variable(input)), "{input}");
    }
    for (name, output) in action["outputs"].as_object().expect("outputs") {
        assert_eq!(output["value"], format!("${{{{ steps.check.outputs.{name} }}}}"));
    }
}

#[test]
fn the_documentation_lists_the_inputs_and_outputs() {
    let page = fs::read_to_string(Path::new(CHECKOUT).join("docs/ci.md")).expect("the page");
    let table = |heading: &str| -> Vec<Vec<String>> {
        let part = page.split(&format!("\n{heading}\n")).nth(1).expect("the heading");
        let rows =
            part.lines().skip_while(|line| !line.starts_with("| `")).take_while(|line| line.starts_with('|'));
        rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_string()).collect())
            .collect()
    };
    let action = action();
    let inputs: Vec<Vec<String>> = action["inputs"]
        .as_object()
        .expect("inputs")
        .iter()
        .map(|(name, about)| {
            let default = about["default"].as_str().expect("a default");
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            let text = about["description"].as_str().expect("a description");
            vec![format!("`{name}`"), default, text.to_string()]
        })
        .collect();
    assert_eq!(sorted(table("### Inputs")), sorted(inputs));
    let outputs: Vec<Vec<String>> = action["outputs"]
        .as_object()
        .expect("outputs")
        .iter()
        .map(|(name, about)| {
            vec![format!("`{name}`"), about["description"].as_str().expect("a description").to_string()]
        })
        .collect();
    assert_eq!(sorted(table("### Outputs")), sorted(outputs));
}

fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

#[test]
fn workflows_have_few_permissions_and_no_expressions_in_scripts() {
    for path in [".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let workflow = yaml(path);
        assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}), "{path}");
        for (name, job) in workflow["jobs"].as_object().expect("jobs") {
            for step in job["steps"].as_array().expect("steps") {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(!run.contains("${{"), "{path}, {name}: {run}");
            }
        }
    }
}

#[test]
fn the_problem_matcher_reads_what_the_concise_format_writes() {
    let tasks =
        fs::read_to_string(Path::new(CHECKOUT).join("editors/vscode/tasks.json")).expect("the recipe");
    let tasks: Json = serde_json::from_str(&tasks).expect("JSON");
    let task = &tasks["tasks"][0];
    let arguments: Vec<&str> =
        task["args"].as_array().expect("arguments").iter().map(|a| a.as_str().expect("text")).collect();
    let output = Command::new(PROGRAM)
        .args(&arguments)
        .current_dir(Path::new(CHECKOUT).join(EXAMPLE))
        .output()
        .expect("the program runs");
    let pattern = &task["problemMatcher"]["pattern"];
    let regex = regex::Regex::new(pattern["regexp"].as_str().expect("an expression")).expect("a regex");
    let log = stdout(&output);
    assert!(log.lines().count() > 7, "{log}");
    for line in log.lines() {
        let found = regex.captures(line).unwrap_or_else(|| panic!("not matched: {line}"));
        let group = |name: &str| &found[pattern[name].as_u64().expect("a group") as usize];
        assert!(Path::new(CHECKOUT).join(EXAMPLE).join(group("file")).is_file(), "{line}");
        assert!(group("line").parse::<u32>().is_ok() && group("column").parse::<u32>().is_ok());
        assert!(["error", "warning", "note"].contains(&group("severity")));
        assert!(portolan::rules::find(group("code")).is_some(), "{line}");
        assert!(group("message").len() > 20);
    }
}
