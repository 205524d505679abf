//! The keys of `portolan.toml`: the one description from which the file is read and its JSON schema is made.

use serde_json::{Map, Value as Json, json};

use crate::finding::Category;
use crate::rules;

/// A key.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it is for, one sentence.
    pub about: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// Whether its table is nothing without it.
    pub required: bool,
}

/// What a value is.
pub enum Kind {
    /// A text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A day: `"2027-01-31"`.
    Date,
    /// A list of texts.
    Texts,
    /// The name of a rule or category.
    Rule,
    /// A list of names of rules and categories.
    Rules,
    /// A table from names of rules and categories to one of these.
    ByRule(&'static [&'static str]),
    /// A table from names to values of any kind.
    Values,
    /// A list of tables with these keys.
    Tables(&'static [Key]),
}

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, about, kind, required: false }
}

/// The levels of `[rules]`.
pub const LEVELS: &[&str] = &["off", "note", "warning", "error"];
/// The values of `fail-on`.
pub const FAIL_ON: &[&str] = &["error", "warning", "note", "never"];

/// The keys of the file.
pub static KEYS: &[Key] = &[
    key("paths", Kind::Texts, "Folders and files to check when the command line names none."),
    key("exclude", Kind::Texts, "What is left out when folders are searched, as in `.gitignore`."),
    key(
        "contexts",
        Kind::Texts,
        "What other repositories have, in files that `portolan topology` wrote there.",
    ),
    key("select", Kind::Rules, "Run only these rules or categories."),
    key("pedantic", Kind::Boolean, "Also run the rules that are a matter of taste."),
    key("possible", Kind::Boolean, "Also report what is possible but not certain."),
    key("fail-on", Kind::Choice(FAIL_ON), "The least severity that makes the exit status 1."),
    key("baseline", Kind::Text, "A baseline: its findings are known and not shown."),
    key(
        "rules",
        Kind::ByRule(LEVELS),
        "The severity of a rule's or a category's findings; `off` does not run it.",
    ),
    key("root", Kind::Tables(ROOT), "Values for the variables and parameters of some roots."),
    key("ignore", Kind::Tables(IGNORE), "Findings that are not to be told."),
];

static ROOT: &[Key] = &[
    Key { name: "path", about: "The root, or a folder of roots.", kind: Kind::Text, required: true },
    key("var-files", Kind::Texts, "Files with values, relative to the file that names them."),
    key("vars", Kind::Values, "Values by the names of variables or parameters."),
];

static IGNORE: &[Key] = &[
    Key { name: "rule", about: "The rule or category.", kind: Kind::Rule, required: true },
    key("path", Kind::Text, "Only in these files, as a pattern like `legacy/**`."),
    key("address", Kind::Text, "Only of these resources, as a pattern like `module.legacy.*`."),
    key("reason", Kind::Text, "Why."),
    key("until", Kind::Date, "The last day on which it holds."),
];

/// The JSON schema of the file.
pub fn schema() -> Json {
    let mut schema = object(KEYS);
    if let Json::Object(entries) = &mut schema {
        entries.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        entries.insert("title".into(), json!("portolan.toml"));
        entries.insert("$defs".into(), json!({ "rule": { "enum": names() } }));
    }
    schema
}

fn object(keys: &[Key]) -> Json {
    let properties: Map<String, Json> = keys
        .iter()
        .map(|key| {
            let mut value = of_kind(&key.kind);
            if let Json::Object(entries) = &mut value {
                entries.insert("description".into(), json!(key.about));
            }
            (key.name.to_string(), value)
        })
        .collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (false, Json::Object(entries)) = (required.is_empty(), &mut object) {
        entries.insert("required".into(), json!(required));
    }
    object
}

fn of_kind(kind: &Kind) -> Json {
    let text = json!({ "type": "string" });
    match kind {
        Kind::Text => text,
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Texts => json!({ "type": "array", "items": text }),
        Kind::Rule => rule(),
        Kind::Rules => json!({ "type": "array", "items": rule() }),
        Kind::ByRule(choices) => {
            json!({ "type": "object", "propertyNames": rule(), "additionalProperties": { "enum": choices } })
        }
        Kind::Values => json!({ "type": "object" }),
        Kind::Tables(keys) => json!({ "type": "array", "items": object(keys) }),
    }
}

/// The names are written down once.
fn rule() -> Json {
    json!({ "$ref": "#/$defs/rule" })
}

/// The names of all rules and categories.
pub fn names() -> Vec<&'static str> {
    let categories = Category::ALL.iter().map(|category| category.as_str());
    rules::ALL.iter().map(|rule| rule.name).chain(categories).collect()
}
