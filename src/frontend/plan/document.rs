//! The plan document, borrowed from its text: only what Portolan reads, and resource bodies left unparsed until needed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// `terraform show -json` of a plan or a state.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    pub format_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub resource_changes: Vec<ResourceChange<'a>>,
    #[serde(borrow)]
    pub planned_values: Option<&'a RawValue>,
    #[serde(borrow)]
    pub prior_state: Option<State<'a>>,
    #[serde(borrow)]
    pub configuration: Option<Configuration<'a>>,
    #[serde(borrow, default)]
    pub variables: BTreeMap<Cow<'a, str>, Variable<'a>>,
    /// The values of a state document.
    #[serde(borrow)]
    pub values: Option<Values<'a>>,
    pub errored: Option<bool>,
    /// Whether nothing is left to be planned after it: `false` with `-target` and with deferred changes.
    pub complete: Option<bool>,
    #[serde(borrow, default)]
    pub resource_drift: Vec<Drift<'a>>,
    #[serde(borrow, default)]
    pub deferred_changes: Vec<Deferred<'a>>,
    #[serde(borrow, default)]
    pub relevant_attributes: Vec<RelevantAttribute<'a>>,
}

/// A resource that was changed by something else since the last apply. What it is now stands in the state and before the
/// changes.
#[derive(Deserialize)]
pub(super) struct Drift<'a> {
    #[serde(borrow)]
    pub address: Cow<'a, str>,
}

/// An attribute that the plan's changes depend on.
#[derive(Deserialize)]
pub(super) struct RelevantAttribute<'a> {
    #[serde(borrow)]
    pub resource: Cow<'a, str>,
}

/// A change that a later plan will make.
#[derive(Deserialize)]
pub(super) struct Deferred<'a> {
    #[serde(borrow)]
    pub resource_change: Option<ResourceChange<'a>>,
}

/// A variable's value in the plan.
#[derive(Deserialize)]
pub(super) struct Variable<'a> {
    #[serde(borrow)]
    pub value: Option<&'a RawValue>,
}

/// One entry of `resource_changes`.
#[derive(Deserialize)]
pub(super) struct ResourceChange<'a> {
    #[serde(borrow)]
    pub address: Cow<'a, str>,
    /// Where it was before a `moved` block.
    #[serde(borrow)]
    pub previous_address: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub module_address: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub mode: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    pub resource_type: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub index: Option<Index>,
    pub deposed: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    pub action_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub change: &'a RawValue,
}

/// An instance key.
#[derive(Deserialize, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(untagged)]
pub(super) enum Index {
    Number(i64),
    Text(String),
}

/// As Terraform writes it in addresses.
impl std::fmt::Display for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Index::Number(number) => return write!(f, "[{number}]"),
            Index::Text(text) => text,
        };
        f.write_str("[\"")?;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                // Two of them, so that what follows is no template.
                '$' | '%' if characters.peek() == Some(&'{') => write!(f, "{character}{character}")?,
                _ if character.is_control() => write!(f, "\\u{:04x}", character as u32)?,
                _ => write!(f, "{character}")?,
            }
        }
        f.write_str("\"]")
    }
}

/// The `change` of a [`ResourceChange`].
#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(default)]
    pub actions: Vec<String>,
    #[serde(default)]
    pub before: serde_json::Value,
    #[serde(default)]
    pub after: serde_json::Value,
    #[serde(default)]
    pub after_unknown: serde_json::Value,
    #[serde(default)]
    pub before_sensitive: serde_json::Value,
    #[serde(default)]
    pub after_sensitive: serde_json::Value,
    /// Ways to what forces a replacement: `[["delegated_subnet_id"]]`.
    #[serde(default)]
    pub replace_paths: Vec<Vec<serde_json::Value>>,
}

/// A state.
#[derive(Deserialize)]
pub(super) struct State<'a> {
    #[serde(borrow)]
    pub values: Option<Values<'a>>,
}

/// The values of a state.
#[derive(Deserialize)]
pub(super) struct Values<'a> {
    #[serde(borrow)]
    pub root_module: Option<StateModule<'a>>,
}

/// A module of a state.
#[derive(Deserialize)]
pub(super) struct StateModule<'a> {
    #[serde(borrow)]
    pub address: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub resources: Vec<StateResource<'a>>,
    #[serde(borrow, default)]
    pub child_modules: Vec<StateModule<'a>>,
}

/// A resource of a state.
#[derive(Deserialize)]
pub(super) struct StateResource<'a> {
    #[serde(borrow)]
    pub address: Cow<'a, str>,
    #[serde(borrow)]
    pub mode: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    pub resource_type: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub index: Option<Index>,
    pub deposed_key: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    pub values: Option<&'a RawValue>,
    #[serde(borrow)]
    pub sensitive_values: Option<&'a RawValue>,
}

/// `configuration`: what was written, without locals and without values of operators and functions.
#[derive(Deserialize)]
pub(super) struct Configuration<'a> {
    #[serde(borrow, default)]
    pub provider_config: BTreeMap<Cow<'a, str>, Provider<'a>>,
    #[serde(borrow)]
    pub root_module: Option<Module<'a>>,
}

/// A provider configuration.
#[derive(Deserialize)]
pub(super) struct Provider<'a> {
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub alias: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub version_constraint: Option<Cow<'a, str>>,
}

/// A module of the configuration; its body stands once however many instances there are.
#[derive(Deserialize, Default)]
pub(super) struct Module<'a> {
    #[serde(borrow, default)]
    pub resources: Vec<ConfigurationResource<'a>>,
    #[serde(borrow, default)]
    pub module_calls: BTreeMap<Cow<'a, str>, ModuleCall<'a>>,
    #[serde(borrow, default)]
    pub outputs: BTreeMap<Cow<'a, str>, Output<'a>>,
}

/// A resource block.
#[derive(Deserialize)]
pub(super) struct ConfigurationResource<'a> {
    #[serde(borrow)]
    pub address: Cow<'a, str>,
    #[serde(borrow)]
    pub provider_config_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub expressions: Option<&'a RawValue>,
    #[serde(borrow)]
    pub for_each_expression: Option<&'a RawValue>,
    #[serde(borrow)]
    pub count_expression: Option<&'a RawValue>,
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// A module call.
#[derive(Deserialize)]
pub(super) struct ModuleCall<'a> {
    #[serde(borrow)]
    pub expressions: Option<&'a RawValue>,
    #[serde(borrow)]
    pub for_each_expression: Option<&'a RawValue>,
    #[serde(borrow)]
    pub module: Option<Module<'a>>,
    #[serde(default)]
    pub depends_on: Vec<String>,
}

/// An output.
#[derive(Deserialize)]
pub(super) struct Output<'a> {
    #[serde(borrow)]
    pub expression: Option<&'a RawValue>,
}
