//! `terraform show -json`: plans and states, of Terraform and OpenTofu.
//!
//! A plan says what every variable, data source, registry module and provider default came to. What is unknown until apply
//! is followed through the plan's references; with the configuration at hand, [`locate`] adds what only the source knows
//! (locals, dynamic blocks) and the places to point at.

mod address;
mod document;
mod locate;
mod references;
mod values;

use std::collections::BTreeMap;

use ecow::EcoString;
use rayon::prelude::*;
use serde_json::Value as Json;

use crate::resource::{Action, Diagnostic, Mode, Multiplicity, Resource, Schema};
use crate::source::Span;
use crate::value::{ResourceKey, Value};

use address::ModulePath;
use document::{Change, Document, ResourceChange, StateModule};
use references::{References, Scope};
use values::Converter;

pub use locate::locate;

/// What a plan says.
#[derive(Debug, Default)]
pub struct Plan {
    /// The resources as they will be. Those that the plan destroys are not among them.
    pub after: Vec<Resource>,
    /// The managed resources as they are now.
    pub before: Vec<Resource>,
    /// The values of the root module's variables, as JSON texts, for evaluating the source the same way. They may be secret:
    /// never show them.
    pub variables: BTreeMap<String, String>,
    /// What is to be said about the document.
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a text looks like `terraform show -json`: for telling it from other JSON. Its keys may stand in any order.
pub fn is_plan(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    start.starts_with('{')
        && start.contains("\"format_version\"")
        && !start.contains("deploymentTemplate.json#")
        && [
            "\"resource_changes\"",
            "\"planned_values\"",
            "\"configuration\"",
            "\"values\"",
            "\"terraform_version\"",
        ]
        .iter()
        .any(|key| start.contains(key))
}

/// Reads a plan or a state.
///
/// # Errors
/// When the text is not JSON, is cut off, or is not a plan or a state.
pub fn load(text: &str, root: u32) -> Result<Plan, Diagnostic> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(not_a_plan("the document is empty"));
    }
    let document: Document = serde_json::from_str(text).map_err(|problem| {
        if problem.is_eof() {
            return not_a_plan(&format!("the document is cut off: {problem}"));
        }
        not_a_plan(&format!("the document cannot be read: {problem}"))
    })?;
    if document.format_version.is_none() {
        return Err(not_a_plan("the document has no `format_version`"));
    }
    if !supported(document.format_version.as_deref().unwrap_or("")) {
        return Err(not_a_plan(&format!(
            "format version {} is not supported; 0.1 to 1.x are",
            document.format_version.as_deref().unwrap_or("")
        )));
    }
    if document.configuration.is_none() && document.values.is_none() && document.planned_values.is_none() {
        return Err(not_a_plan("the document is neither a plan nor a state"));
    }
    Ok(read(&document, root))
}

fn supported(version: &str) -> bool {
    matches!(version.split('.').next(), Some("0" | "1"))
}

fn not_a_plan(message: &str) -> Diagnostic {
    Diagnostic::error("not-a-plan", message, Span::NOWHERE)
        .with_help("Make the document with `terraform show -json PLANFILE`.")
}

fn read(document: &Document, root: u32) -> Plan {
    let mut plan = Plan::default();
    if document.errored == Some(true) {
        plan.diagnostics.push(Diagnostic::warning(
            "plan-incomplete",
            "the plan ended with errors, so it may not hold every resource",
            Span::NOWHERE,
        ));
    }
    for (name, variable) in &document.variables {
        if let Some(value) = variable.value {
            plan.variables.insert(name.to_string(), value.get().to_string());
        }
    }
    let mut state = Vec::new();
    for values in
        document.prior_state.iter().filter_map(|s| s.values.as_ref()).chain(document.values.as_ref())
    {
        if let Some(module) = &values.root_module {
            flatten(module, &ModulePath::default(), &mut state);
        }
    }
    let changes: Vec<&ResourceChange> =
        document.resource_changes.iter().filter(|change| change.deposed.is_none()).collect();
    let instances = changes
        .iter()
        .map(|change| {
            (
                module_of(change),
                block_of(change.mode.as_deref(), &change.resource_type, &change.name),
                change.index.clone(),
            )
        })
        .chain(state.iter().map(|(module, resource)| {
            let block = block_of(resource.mode.as_deref(), &resource.resource_type, &resource.name);
            (module.clone(), block, resource.index.clone())
        }));
    let references = References::new(document.configuration.as_ref(), instances);
    let majors = majors(document);
    let reader = Reader { references: &references, majors: &majors, root };

    let read: Vec<(Option<Resource>, Option<Resource>)> = changes
        .par_iter()
        .filter(|change| is_azure(&change.resource_type))
        .map(|change| reader.change(change))
        .collect();
    for (after, before) in read {
        plan.after.extend(after);
        plan.before.extend(before);
    }
    // Data sources that were read while planning, and (in a state) everything, stand in the state only.
    let planned: std::collections::BTreeSet<&str> =
        changes.iter().map(|change| change.address.as_ref()).collect();
    for (module, resource) in &state {
        let is_data = resource.mode.as_deref() == Some("data");
        if planned.contains(resource.address.as_ref()) || !(is_data || document.values.is_some()) {
            continue;
        }
        if is_azure(&resource.resource_type) {
            plan.after.extend(reader.state(module, resource));
        }
    }
    let foreign = changes.iter().filter(|change| !is_azure(&change.resource_type)).count();
    if plan.after.is_empty() && plan.before.is_empty() && foreign > 0 {
        plan.diagnostics.push(Diagnostic::warning(
            "plan-without-azure",
            format!("none of the plan's {foreign} resources is of azurerm or azapi"),
            Span::NOWHERE,
        ));
    }
    plan
}

/// Whether a type belongs to a provider that Portolan knows.
fn is_azure(resource_type: &str) -> bool {
    resource_type.starts_with("azurerm_") || resource_type.starts_with("azapi_")
}

struct Reader<'c, 'd, 'a> {
    references: &'c References<'d, 'a>,
    majors: &'c BTreeMap<String, u8>,
    root: u32,
}

impl Reader<'_, '_, '_> {
    fn change(&self, entry: &ResourceChange) -> (Option<Resource>, Option<Resource>) {
        let Ok(change) = serde_json::from_str::<Change>(entry.change.get()) else { return (None, None) };
        let action = action(&change.actions);
        let module = module_of(entry);
        let block = block_of(entry.mode.as_deref(), &entry.resource_type, &entry.name);
        let configured = self.references.block(&module, &block);
        let expressions = configured.and_then(|c| c.expressions).and_then(references::parse);
        let scope = self.references.module(&module).map(|body| Scope {
            module: &module,
            key: entry.index.as_ref(),
            for_each: configured.and_then(|c| c.for_each_expression),
            body,
        });
        let address = entry.address.as_ref();
        let converter = Converter { references: self.references, scope, root: self.root, address };
        let provider = configured.and_then(|c| c.provider_config_key.as_deref());
        let make = |body: Value| Resource {
            key: ResourceKey { root: self.root, address: address.into() },
            mode: if entry.mode.as_deref() == Some("data") { Mode::Existing } else { Mode::Managed },
            resource_type: entry.resource_type.as_ref().into(),
            schema: self.schema(provider),
            body,
            multiplicity: Multiplicity::One,
            span: Span::NOWHERE,
            header: Span::NOWHERE,
            dependencies: configured.map(|c| self.references.dependencies(&module, c)).unwrap_or_default(),
            scope: None,
            provider: provider.filter(|key| key.contains('.')).map(alias),
            action: Some(action),
        };
        let after =
            (action != Action::Delete && !change.after.is_null() || action == Action::Read).then(|| {
                make(converter.body(
                    &change.after,
                    &change.after_unknown,
                    &change.after_sensitive,
                    expressions.as_ref(),
                ))
            });
        let before = (!change.before.is_null())
            .then(|| make(converter.body(&change.before, &Json::Null, &change.before_sensitive, None)));
        (after, before)
    }

    fn state(&self, module: &ModulePath, resource: &document::StateResource) -> Option<Resource> {
        let values = references::parse(resource.values?)?;
        let sensitive = resource.sensitive_values.and_then(references::parse).unwrap_or(Json::Null);
        let block = block_of(resource.mode.as_deref(), &resource.resource_type, &resource.name);
        let configured = self.references.block(module, &block);
        let provider = configured.and_then(|c| c.provider_config_key.as_deref());
        let address = resource.address.as_ref();
        let converter = Converter { references: self.references, scope: None, root: self.root, address };
        Some(Resource {
            key: ResourceKey { root: self.root, address: address.into() },
            mode: if resource.mode.as_deref() == Some("data") { Mode::Existing } else { Mode::Managed },
            resource_type: resource.resource_type.as_ref().into(),
            schema: self.schema(provider),
            body: converter.body(&values, &Json::Null, &sensitive, None),
            multiplicity: Multiplicity::One,
            span: Span::NOWHERE,
            header: Span::NOWHERE,
            dependencies: Vec::new(),
            scope: None,
            provider: provider.filter(|key| key.contains('.')).map(alias),
            action: Some(Action::NoOp),
        })
    }

    fn schema(&self, provider: Option<&str>) -> Schema {
        // A module's provider key carries the module before a colon: `module.a:azurerm`.
        let major = provider
            .and_then(|key| {
                self.majors.get(key).or_else(|| self.majors.get(key.rsplit(':').next().unwrap_or(key)))
            })
            .or_else(|| self.majors.values().next());
        Schema::Terraform { azurerm_major: major.copied() }
    }
}

fn alias(key: &str) -> EcoString {
    key.rsplit(':').next().unwrap_or(key).into()
}

/// The major version that each provider configuration asks for, when its constraint leaves one only.
fn majors(document: &Document) -> BTreeMap<String, u8> {
    let Some(configuration) = &document.configuration else { return BTreeMap::new() };
    configuration
        .provider_config
        .iter()
        .filter(|(_, provider)| provider.name.as_deref() == Some("azurerm") && provider.alias.is_none())
        .filter_map(|(key, provider)| {
            Some((key.to_string(), major(provider.version_constraint.as_deref()?)?))
        })
        .collect()
}

/// The major version that a constraint allows, when it is certain: `~> 4.1`, `= 3.2.0`, `>= 4.0, < 5.0`.
fn major(constraint: &str) -> Option<u8> {
    let (mut low, mut high) = (None, None);
    for part in constraint.split(',').map(str::trim) {
        let version = part.trim_start_matches(|c: char| !c.is_ascii_digit());
        let mut numbers = version.split('.').map(|n| n.trim().parse::<u8>().ok());
        let major = numbers.next()??;
        let rest_is_zero = numbers.all(|n| n == Some(0));
        match part.trim_end_matches(version).trim() {
            "~>" if version.contains('.') => return Some(major),
            "" | "=" => return Some(major),
            ">=" | ">" | "~>" => low = Some(major),
            "<" => high = Some(if rest_is_zero { major.checked_sub(1)? } else { major }),
            "<=" => high = Some(major),
            _ => {}
        }
    }
    low.filter(|low| Some(*low) == high)
}

fn action(actions: &[String]) -> Action {
    let has = |name: &str| actions.iter().any(|action| action == name);
    match (has("create"), has("delete") || has("forget")) {
        (true, true) => Action::Replace,
        (true, false) => Action::Create,
        (false, true) => Action::Delete,
        (false, false) if has("update") => Action::Update,
        (false, false) if has("read") => Action::Read,
        (false, false) => Action::NoOp,
    }
}

fn module_of(change: &ResourceChange) -> ModulePath {
    change.module_address.as_deref().map(ModulePath::parse).unwrap_or_default()
}

fn block_of(mode: Option<&str>, resource_type: &str, name: &str) -> String {
    match mode {
        Some("data") => format!("data.{resource_type}.{name}"),
        _ => format!("{resource_type}.{name}"),
    }
}

fn flatten<'m, 'a>(
    module: &'m StateModule<'a>,
    path: &ModulePath,
    found: &mut Vec<(ModulePath, &'m document::StateResource<'a>)>,
) {
    // serde_json refuses documents nested more than 128 levels deep, which bounds this recursion.
    let here = module.address.as_deref().map_or_else(|| path.clone(), ModulePath::parse);
    found.extend(module.resources.iter().map(|resource| (here.clone(), resource)));
    for child in &module.child_modules {
        flatten(child, &here, found);
    }
}

#[cfg(test)]
mod tests;
