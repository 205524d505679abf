//! What the repository itself holds, for tests of what is distributed.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value as Json;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_portolan");
pub const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");
pub const EXAMPLE: &str = "testdata/examples/hub-and-spoke-postgres";

/// A YAML file of this repository, read by the evaluator.
pub fn yaml(path: &str) -> Json {
    let path = Path::new(CHECKOUT).join(path);
    let expression = format!("yamldecode(file(\"{}\"))", path.display().to_string().replace('\\', "/"));
    let output = Command::new(PROGRAM)
        .args(["eval", "--dir", CHECKOUT, &expression])
        .output()
        .expect("the program runs");
    let answer: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(answer["value"].is_object(), "{}: {answer}", path.display());
    answer["value"].clone()
}

pub fn action() -> Json {
    yaml("action.yml")
}

/// `fail-on` is handed on as `PORTOLAN_FAIL_ON`.
pub fn variable(input: &str) -> String {
    format!("PORTOLAN_{}", input.to_uppercase().replace('-', "_"))
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
