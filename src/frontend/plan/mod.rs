//! `terraform show -json`: plans and states, of Terraform and OpenTofu.
//!
//! A plan says what every variable, data source, registry module and provider default came to. What is unknown until apply
//! is followed through the plan's references; with the configuration at hand, [`locate`] adds what only the source knows
//! (locals, dynamic blocks) and the places to point at.

mod address;
mod document;
mod expression;
mod locate;
mod recognize;
mod references;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::resource::{Action, Diagnostic, Mode, Multiplicity, Resource, Schema};
use crate::source::Span;
use crate::value::{Cause, ResourceKey, Unknown, Value};

use address::ModulePath;
use document::{Change, Document, ResourceChange, StateModule};
use expression::Expression;
use references::{References, Scope};
use values::{Converter, Names};

pub use locate::locate;
pub use recognize::{Mistake, is_plan, mistake};

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
    /// The resource blocks and module calls of the root module (`azurerm_subnet.db`, `module.network`).
    pub blocks: BTreeSet<String>,
    /// What is to be said about the document.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a plan or a state.
///
/// # Errors
/// When the text is not JSON, is cut off, or is not a plan or a state.
pub fn load(text: &str, root: u32) -> Result<Plan, Diagnostic> {
    let text = recognize::without_wrapper(text);
    if text.is_empty() {
        return Err(not_a_plan("the document is empty"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let document = Document::deserialize(&mut reader).and_then(|document| {
        // Behind the document a wrapper script may write commands to its runner.
        let rest = text.get(reader.into_iter::<serde::de::IgnoredAny>().byte_offset()..).unwrap_or("").trim();
        if rest.is_empty() || rest.starts_with("::") {
            return Ok(document);
        }
        Err(serde::de::Error::custom("there is something behind its end"))
    });
    let document = document.map_err(|problem| {
        if problem.is_eof() {
            return not_a_plan(&format!(
                "the document is cut off at line {} column {}",
                problem.line(),
                problem.column()
            ));
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
    describe(document, &mut plan.diagnostics);
    for (name, variable) in &document.variables {
        if let Some(value) = variable.value {
            plan.variables.insert(name.to_string(), value.get().to_string());
        }
    }
    if let Some(module) = document.configuration.as_ref().and_then(|c| c.root_module.as_ref()) {
        plan.blocks.extend(module.resources.iter().map(|resource| resource.address.to_string()));
        plan.blocks.extend(module.module_calls.keys().map(|name| format!("module.{name}")));
    }
    let mut state = Vec::new();
    for values in
        document.prior_state.iter().filter_map(|s| s.values.as_ref()).chain(document.values.as_ref())
    {
        if let Some(module) = &values.root_module {
            flatten(module, &ModulePath::default(), &mut state);
        }
    }
    state.retain(|(_, resource)| resource.deposed_key.is_none());
    let deferred = document.deferred_changes.iter().filter_map(|deferred| deferred.resource_change.as_ref());
    let changes: Vec<(&ResourceChange, bool)> = document
        .resource_changes
        .iter()
        .map(|change| (change, false))
        .chain(deferred.map(|change| (change, true)))
        // A deposed object is what a replacement that failed has left behind, to be destroyed.
        .filter(|(change, _)| change.deposed.is_none())
        .collect();
    let instances = changes
        .iter()
        .map(|(change, _)| {
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

    let read: Vec<Result<_, Diagnostic>> = changes
        .par_iter()
        .filter(|(change, _)| is_azure(&change.resource_type))
        .map_init(Names::default, |names, (change, deferred)| reader.change(change, *deferred, names))
        .collect();
    for change in read {
        match change {
            Ok((after, before)) => {
                plan.after.extend(after);
                plan.before.extend(before);
            }
            Err(problem) => plan.diagnostics.push(problem),
        }
    }
    // Data sources that were read while planning, what `-target` leaves as it is, and (in a state) everything, stand in
    // the state only.
    let planned: BTreeSet<&str> = changes
        .iter()
        .flat_map(|(change, _)| [Some(change.address.as_ref()), change.previous_address.as_deref()])
        .flatten()
        .collect();
    let is_state = document.values.is_some();
    let names = Names::default();
    for (module, resource) in &state {
        if planned.contains(resource.address.as_ref()) || !is_azure(&resource.resource_type) {
            continue;
        }
        let Some(resource) = reader.state(module, resource, &names) else { continue };
        if resource.mode == Mode::Managed && !is_state {
            plan.before.push(resource.clone());
        }
        plan.after.push(resource);
    }
    if !plan.before.is_empty() {
        // What is looked up is the same before and after.
        let looked_up = plan.after.iter().filter(|resource| resource.mode == Mode::Existing);
        let names: BTreeSet<EcoString> = plan.before.iter().map(|known| known.key.address.clone()).collect();
        let looked_up: Vec<Resource> =
            looked_up.filter(|resource| !names.contains(&resource.key.address)).cloned().collect();
        plan.before.extend(looked_up);
    }
    if plan.after.is_empty() && plan.before.is_empty() {
        let foreign = changes.len() + state.len();
        plan.diagnostics.push(if foreign > 0 {
            let message = format!("none of the {} is of azurerm or azapi", resources(foreign));
            Diagnostic::error("plan-without-azure", message, Span::NOWHERE)
        } else {
            let what = if is_state { "state" } else { "plan" };
            Diagnostic::error("nothing-to-check", format!("the {what} holds no resources"), Span::NOWHERE)
        });
    }
    plan
}

/// The block of the root module that an address begins with: `module.network` of `module.network["a"].azurerm_subnet.b`.
pub fn outermost(address: &str) -> &str {
    let words = if address.starts_with("data.") { 3 } else { 2 };
    let end = address
        .char_indices()
        .filter(|(_, character)| matches!(character, '.' | '['))
        .scan(0, |dots, (at, character)| {
            *dots += 1;
            Some((at, *dots == words || character == '['))
        })
        .find(|(_, is_end)| *is_end);
    end.and_then(|(at, _)| address.get(..at)).unwrap_or(address)
}

/// So many resources are named in a note.
const NAMED: usize = 5;

fn resources(count: usize) -> String {
    if count == 1 { "1 resource".into() } else { format!("{count} resources") }
}

/// What the document says about itself.
fn describe(document: &Document, diagnostics: &mut Vec<Diagnostic>) {
    if document.errored == Some(true) {
        let message = "the plan ended with errors, so it does not hold every resource";
        let help = "Correct what `terraform plan` complains about and plan again.";
        diagnostics.push(Diagnostic::error("plan-incomplete", message, Span::NOWHERE).with_help(help));
    } else if document.complete == Some(false) {
        let message =
            "the plan is one of several: it was made for some resources only, or it puts changes off";
        diagnostics.push(Diagnostic::note("plan-incomplete", message, Span::NOWHERE));
    }
    if !document.deferred_changes.is_empty() {
        let message = format!(
            "{} put off to a later plan may or may not be there",
            resources(document.deferred_changes.len())
        );
        diagnostics.push(Diagnostic::note("plan-deferred", message, Span::NOWHERE));
    }
    let relevant: BTreeSet<&str> =
        document.relevant_attributes.iter().map(|attribute| attribute.resource.as_ref()).collect();
    let drifted: BTreeSet<&str> = document
        .resource_drift
        .iter()
        .map(|drift| drift.address.as_ref())
        .filter(|address| {
            // An attribute of all instances is named without their keys.
            relevant.is_empty()
                || relevant.contains(address)
                || relevant.contains(locate::without_keys(address).as_str())
        })
        .collect();
    if !drifted.is_empty() {
        let named: Vec<String> = drifted.iter().take(NAMED).map(|address| format!("`{address}`")).collect();
        let more = if drifted.len() > NAMED { " and others" } else { "" };
        let message = format!(
            "changed since the last apply by something else than Terraform, which the plan takes into account: {}{more}",
            named.join(", ")
        );
        diagnostics.push(Diagnostic::note("plan-drift", message, Span::NOWHERE));
    }
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
    /// The resource as it will be, and as it is.
    fn change(
        &self,
        entry: &ResourceChange,
        deferred: bool,
        names: &Names,
    ) -> Result<(Option<Resource>, Option<Resource>), Diagnostic> {
        let change: Change = serde_json::from_str(entry.change.get()).map_err(|problem| {
            let message = format!("the change of `{}` cannot be read: {problem}", entry.address);
            Diagnostic::error("unreadable-change", message, Span::NOWHERE)
        })?;
        let action = action(&change.actions);
        let module = module_of(entry);
        let block = block_of(entry.mode.as_deref(), &entry.resource_type, &entry.name);
        let configured = self.references.block(&module, &block);
        let expressions = configured.and_then(|c| c.expressions).and_then(Expression::parse);
        let scope = self.references.module(&module).map(|body| Scope {
            module: &module,
            key: entry.index.as_ref(),
            for_each: configured.and_then(|c| c.for_each_expression),
            body,
        });
        let address = entry.address.as_ref();
        let converter = Converter { names, references: self.references, scope, root: self.root, address };
        let provider = configured.and_then(|c| c.provider_config_key.as_deref());
        let mode = if entry.mode.as_deref() == Some("data") { Mode::Existing } else { Mode::Managed };
        let make = |body: Value, mode: Mode, uncertain: bool| Resource {
            key: ResourceKey { root: self.root, address: address.into() },
            mode,
            resource_type: entry.resource_type.as_ref().into(),
            schema: self.schema(provider),
            body,
            multiplicity: if uncertain {
                let cause = Cause::Computed(address.into());
                Multiplicity::ZeroOrMore(Arc::new(Unknown { cause, span: Span::NOWHERE }))
            } else {
                Multiplicity::One
            },
            span: Span::NOWHERE,
            header: Span::NOWHERE,
            dependencies: configured
                .map(|c| self.references.dependencies(&module, c, expressions.as_ref()))
                .unwrap_or_default(),
            scope: None,
            provider: provider.filter(|key| key.contains('.')).map(alias),
            action: Some(action),
            because: entry.action_reason.as_deref().and_then(because),
            replaced_for: replaced_for(&change.replace_paths),
        };
        if action == Action::Forget {
            // It stays, and nobody here makes it any more: what is not written about it is not known.
            let body = converter.body(&change.before, &Json::Null, &change.before_sensitive, None);
            let before = make(body, Mode::Managed, false);
            return Ok((Some(Resource { mode: Mode::Existing, ..before.clone() }), Some(before)));
        }
        let after =
            (action != Action::Delete && !change.after.is_null() || action == Action::Read).then(|| {
                let body = converter.body(
                    &change.after,
                    &change.after_unknown,
                    &change.after_sensitive,
                    expressions.as_ref(),
                );
                // What is put off and not there yet may never be.
                make(body, mode, deferred && change.before.is_null())
            });
        let before = (!change.before.is_null()).then(|| {
            make(converter.body(&change.before, &Json::Null, &change.before_sensitive, None), mode, false)
        });
        Ok((after, before))
    }

    fn state(
        &self,
        module: &ModulePath,
        resource: &document::StateResource,
        names: &Names,
    ) -> Option<Resource> {
        let values = json(resource.values?)?;
        let sensitive = resource.sensitive_values.and_then(json).unwrap_or(Json::Null);
        let block = block_of(resource.mode.as_deref(), &resource.resource_type, &resource.name);
        let configured = self.references.block(module, &block);
        let provider = configured.and_then(|c| c.provider_config_key.as_deref());
        let address = resource.address.as_ref();
        let converter =
            Converter { names, references: self.references, scope: None, root: self.root, address };
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
            because: None,
            replaced_for: Vec::new(),
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

fn json(raw: &RawValue) -> Option<Json> {
    serde_json::from_str(raw.get()).ok()
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
    match (has("create"), has("delete")) {
        (true, true) => Action::Replace,
        (true, false) => Action::Create,
        (false, true) => Action::Delete,
        (false, false) if has("forget") => Action::Forget,
        (false, false) if has("update") => Action::Update,
        (false, false) if has("read") => Action::Read,
        (false, false) => Action::NoOp,
    }
}

/// What the reasons that Terraform gives for destroying something say
/// (<https://developer.hashicorp.com/terraform/internals/json-format>, `action_reason`).
fn because(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "delete_because_no_resource_config" => "nothing declares it any more",
        "delete_because_no_module" => "its module is called no longer",
        "delete_because_wrong_repetition" => {
            "its block has a `count` or `for_each` now, or has none any more"
        }
        "delete_because_count_index" => "its index is beyond the `count`",
        "delete_because_each_key" => "its key is no longer in the `for_each`",
        "delete_because_no_move_target" => "the address that it was moved to is declared nowhere",
        "replace_because_tainted" => "it is tainted",
        "replace_by_request" => "the plan was made with `-replace`",
        "replace_by_triggers" => "what its `replace_triggered_by` names changes",
        // Others are about reading, or say what `replace_paths` says better.
        _ => return None,
    })
}

/// The outermost names of the ways to what forces a replacement, each once.
fn replaced_for(paths: &[Vec<Json>]) -> Vec<EcoString> {
    let names: BTreeSet<EcoString> =
        paths.iter().filter_map(|path| path.first()?.as_str()).map(EcoString::from).collect();
    names.into_iter().collect()
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
