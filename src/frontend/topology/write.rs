//! From evaluated resources to the document.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::resource::{Configuration, Language, Level, Mode, Multiplicity, Resource, Schema};
use crate::source::Span;
use crate::value::{Cause, Mapping, Number, Reference, Step, TemplatePart, Unknown, Value, ValueKind};

use super::secrets::{Name, holds_secret, may_hold_secret, name, only_names};
use super::{DEPTH, FORMAT, SENSITIVE};

/// Writes what another run needs to know of a configuration: its resources of Azure with everything that is known of them,
/// and what is not. What it was told as context itself is left out. Values that must not be shown, or look as if, are
/// unknown in it.
pub fn write(configuration: &Configuration) -> Map<String, Json> {
    let mut roots = vec![None; configuration.roots.len()];
    let own = configuration.roots.iter().enumerate();
    let own = own.filter(|(_, root)| root.language != Language::Topology);
    let mut languages = Vec::new();
    for (index, root) in own {
        if let Some(slot) = roots.get_mut(index) {
            *slot = Some(languages.len());
        }
        languages.push(json!({ "language": name_of(root.language) }));
    }
    let mut writer = Writer {
        roots,
        unknowns: Vec::new(),
        numbers: HashMap::new(),
        about_secrets: false,
        of_deployment: false,
    };
    let resources: Vec<Json> =
        configuration.resources.iter().filter_map(|resource| writer.resource(resource)).collect();
    let opaque: Vec<Json> = configuration
        .opaque
        .iter()
        .filter_map(|opaque| {
            let root = writer.root(opaque.key.root)?;
            let receives: Vec<&str> = opaque
                .receives
                .iter()
                .filter(|key| key.root == opaque.key.root)
                .map(|key| key.address.as_str())
                .collect();
            let because = writer.unknown(&opaque.because, None);
            Some(json!({
                "root": root,
                "address": opaque.key.address.as_str(),
                "receives": receives,
                "because": because,
            }))
        })
        .collect();
    let mut document = Map::new();
    document.insert("format".into(), json!(FORMAT));
    let unread = configuration.diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error);
    if unread {
        document.insert("partlyRead".into(), json!(true));
    }
    document.insert("roots".into(), Json::Array(languages));
    document.insert("resources".into(), Json::Array(resources));
    for (name, list) in [("opaque", opaque), ("unknowns", writer.unknowns)] {
        if !list.is_empty() {
            document.insert(name.into(), Json::Array(list));
        }
    }
    document
}

fn name_of(language: Language) -> &'static str {
    match language {
        Language::Terraform => "terraform",
        Language::TerraformPlan => "terraform-plan",
        Language::Arm => "arm",
        Language::Bicep => "bicep",
        Language::Topology => "topology",
    }
}

/// What tells unknowns of one cause and place apart: those that are derived are one when they come from one evaluation and
/// are used at one place.
#[derive(PartialEq)]
enum Identity {
    Named,
    Derived(*const Unknown, Option<Span>),
}

struct Writer {
    /// The numbers of the roots in the document; none for contexts.
    roots: Vec<Option<usize>>,
    unknowns: Vec<Json>,
    /// Those that are written already, with their numbers.
    numbers: HashMap<Unknown, Vec<(Identity, usize)>>,
    /// Whether what is being written is about secrets: then its texts and numbers are not.
    about_secrets: bool,
    /// Whether it is a deployment of other resources.
    of_deployment: bool,
}

impl Writer {
    fn root(&self, root: u32) -> Option<usize> {
        self.roots.get(root as usize).copied().flatten()
    }

    fn resource(&mut self, resource: &Resource) -> Option<Json> {
        let root = self.root(resource.key.root)?;
        let of_azure = |kind: &str| kind.starts_with("azurerm_") || kind.starts_with("azapi_");
        let mut object = Map::new();
        if root != 0 {
            object.insert("root".into(), json!(root));
        }
        object.insert("address".into(), json!(resource.key.address.as_str()));
        object.insert("type".into(), json!(resource.resource_type.as_str()));
        if resource.mode == Mode::Existing {
            object.insert("mode".into(), json!("existing"));
        }
        let mut of_others = false;
        match resource.schema {
            Schema::Arm => {}
            Schema::Terraform { azurerm_major } => {
                object.insert("provider".into(), json!(resource.provider.as_deref().unwrap_or_default()));
                of_others = !of_azure(&resource.resource_type);
                if let Some(major) = azurerm_major {
                    object.insert("azurerm".into(), json!(major));
                }
            }
        }
        if let Multiplicity::ZeroOrMore(why) = &resource.multiplicity {
            object.insert("maybe".into(), self.unknown(why, None));
        }
        if !resource.dependencies.is_empty() {
            let dependencies: Vec<&str> = resource.dependencies.iter().map(ecow::EcoString::as_str).collect();
            object.insert("dependencies".into(), json!(dependencies));
        }
        if let Some(scope) = &resource.scope {
            let subscription = self.value(&scope.subscription, resource.key.root, 0);
            let group = self.value(&scope.resource_group, resource.key.root, 0);
            object.insert("subscription".into(), subscription);
            object.insert("resourceGroup".into(), group);
        }
        let body = match of_others {
            // What other providers make is not Azure's. It only stands between what is, in the order of deployment.
            true if resource.dependencies.is_empty() => return None,
            true => json!({}),
            false => {
                let bare = resource.resource_type.split('@').next().unwrap_or_default();
                self.of_deployment = bare.eq_ignore_ascii_case("Microsoft.Resources/deployments");
                self.about_secrets = holds_secret(&resource.resource_type);
                self.value(&resource.body, resource.key.root, 0)
            }
        };
        (self.of_deployment, self.about_secrets) = (false, false);
        object.insert("body".into(), body);
        Some(Json::Object(object))
    }

    /// A value, whether it is certainly there or not.
    fn value(&mut self, value: &Value, root: u32, depth: usize) -> Json {
        let content = self.content(value, root, depth);
        if !value.repeated {
            return content;
        }
        let mut object = Map::new();
        object.insert("$maybe".into(), content);
        if let Some(because) = &value.because {
            object.insert("because".into(), self.unknown(because, None));
        }
        Json::Object(object)
    }

    fn content(&mut self, value: &Value, root: u32, depth: usize) -> Json {
        if depth > DEPTH {
            return self.hidden("values are nested too deeply", Cause::Limit);
        }
        match &value.kind {
            // What stands for a value that is not known gives nothing away.
            ValueKind::Unknown(unknown) => json!({ "$unknown": self.unknown(unknown, Some(value.span)) }),
            ValueKind::Reference(reference) => self.reference(reference, root),
            ValueKind::Null => Json::Null,
            _ if value.sensitive => self.hidden(SENSITIVE, Cause::Unsupported),
            ValueKind::Bool(flag) => json!(flag),
            ValueKind::Number(_) | ValueKind::String(_) | ValueKind::Template(_) if self.about_secrets => {
                self.hidden(SENSITIVE, Cause::Unsupported)
            }
            ValueKind::Number(number) => of_number(number),
            ValueKind::String(text) if may_hold_secret(text) => self.hidden(SENSITIVE, Cause::Unsupported),
            ValueKind::String(text) => json!(text.as_str()),
            ValueKind::Template(parts) => {
                let secret = |part: &TemplatePart| match part {
                    TemplatePart::Literal(text) => may_hold_secret(text),
                    TemplatePart::Value(_) => false,
                };
                if parts.iter().any(secret) {
                    return self.hidden(SENSITIVE, Cause::Unsupported);
                }
                let parts: Vec<Json> = parts
                    .iter()
                    .map(|part| match part {
                        TemplatePart::Literal(text) => json!(text.as_str()),
                        TemplatePart::Value(value) => self.value(value, root, depth + 1),
                    })
                    .collect();
                json!({ "$text": parts })
            }
            ValueKind::Sequence(sequence) => {
                Json::Array(sequence.items.iter().map(|item| self.value(item, root, depth + 1)).collect())
            }
            ValueKind::Mapping(mapping) => self.mapping(mapping, root, depth),
        }
    }

    fn mapping(&mut self, mapping: &Mapping, root: u32, depth: usize) -> Json {
        let mut object = Map::new();
        for (name, entry) in &mapping.entries {
            let value = &entry.value;
            // What nested deployments are given, and the templates that they deploy, are in the input as their resources.
            if self.of_deployment && name.eq_ignore_ascii_case("properties") {
                continue;
            }
            // Null says that nothing is given, which matters only where something else might be.
            if name == "tags" || value.is_null() && mapping.rest.is_none() {
                continue;
            }
            let written = match self::name(name) {
                // That something is on or off is no secret, and neither is what stands for a value.
                Name::Secret if !value.is_unknown() && value.as_bool().is_none() && !value.is_null() => {
                    self.hidden(SENSITIVE, Cause::Unsupported)
                }
                class => {
                    let is_open =
                        value.as_sequence().is_none() && value.as_mapping().is_none() && only_names(name);
                    let about = (self.about_secrets || class == Name::About) && !is_open;
                    let outer = std::mem::replace(&mut self.about_secrets, about);
                    let written = self.value(value, root, depth + 1);
                    self.about_secrets = outer;
                    written
                }
            };
            // Names with a dollar sign are the document's own.
            let escape = if name.starts_with('$') { "$" } else { "" };
            object.insert(format!("{escape}{name}"), written);
        }
        if let Some(rest) = &mapping.rest {
            object.insert("$rest".into(), self.unknown(rest, None));
        }
        Json::Object(object)
    }

    fn reference(&mut self, reference: &Reference, root: u32) -> Json {
        let mut object = Map::new();
        object.insert("$ref".into(), json!(reference.target.address.as_str()));
        if reference.target.root != root
            && let Some(other) = self.root(reference.target.root)
        {
            object.insert("root".into(), json!(other));
        }
        let steps: Vec<Json> = reference
            .path
            .iter()
            .map(|step| match step {
                Step::Attribute(name) => json!(name.as_str()),
                Step::Index(index) => json!(index),
            })
            .collect();
        if !steps.is_empty() {
            object.insert("path".into(), Json::Array(steps));
        }
        Json::Object(object)
    }

    /// An unknown of its own in place of something that is not written.
    fn hidden(&mut self, why: &str, cause: impl Fn(ecow::EcoString) -> Cause) -> Json {
        self.add(&cause(why.into()), None);
        json!({ "$unknown": self.unknowns.len() - 1 })
    }

    /// The number of an unknown: of one value, where it is used by one.
    fn unknown(&mut self, unknown: &Arc<Unknown>, used: Option<Span>) -> Json {
        let identity = match &unknown.cause {
            // The configuration holds on to everything that is written, so no address is used twice.
            Cause::Derived(_) => Identity::Derived(Arc::as_ptr(unknown), used),
            _ => Identity::Named,
        };
        let equals = self.numbers.entry(Unknown::clone(unknown)).or_default();
        if let Some((_, number)) = equals.iter().find(|(other, _)| *other == identity) {
            return json!(number);
        }
        let number = self.unknowns.len();
        let like = equals.first().map(|(_, first)| *first);
        equals.push((identity, number));
        self.add(&unknown.cause, like);
        json!(number)
    }

    fn add(&mut self, cause: &Cause, like: Option<usize>) {
        let (kind, of) = match cause.root() {
            Cause::Input(of) => ("input", of.as_str()),
            Cause::Computed(of) => ("computed", of.as_str()),
            Cause::Lookup(of) => ("lookup", of.as_str()),
            Cause::Module(of) => ("module", of.as_str()),
            Cause::Impure(of) => ("impure", of.as_str()),
            Cause::Unsupported(of) if of == SENSITIVE => ("sensitive", ""),
            Cause::Unsupported(of) => ("unsupported", of.as_str()),
            Cause::Error(of) => ("error", of.as_str()),
            Cause::Limit(of) => ("limit", of.as_str()),
            // A root is no derivation.
            Cause::Derived(_) => ("unsupported", ""),
        };
        let mut object = Map::new();
        object.insert("cause".into(), json!(kind));
        if !of.is_empty() {
            object.insert("of".into(), json!(of));
        }
        if matches!(cause, Cause::Derived(_)) {
            object.insert("derived".into(), json!(true));
        }
        if let Some(like) = like {
            object.insert("like".into(), json!(like));
        }
        self.unknowns.push(Json::Object(object));
    }
}

fn of_number(number: &Number) -> Json {
    match number.as_i64() {
        Some(whole) => json!(whole),
        None => json!({ "$number": number.to_string() }),
    }
}
