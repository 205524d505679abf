//! From the document to evaluated resources.

use std::sync::Arc;

use ecow::EcoString;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::resource::{
    Configuration, DeploymentScope, Diagnostic, Language, Mode, Multiplicity, Opaque, Resource, Root, Schema,
};
use crate::source::{SourceFile, Span};
use crate::value::{
    Cause, Entry, Mapping, MappingKind, Number, Reference, ResourceKey, SequenceKind, Step, TemplatePart,
    Unknown, Value, ValueKind,
};

use super::{DEPTH, FORMAT, SENSITIVE};

/// What every document of ours says, whatever its version.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// The document, as far as it is read: the rest of it is for people and other programs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    partly_read: bool,
    #[serde(default)]
    roots: Vec<serde::de::IgnoredAny>,
    resources: Vec<WrittenResource>,
    #[serde(default)]
    opaque: Vec<WrittenOpaque>,
    #[serde(default)]
    unknowns: Vec<WrittenUnknown>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenResource {
    #[serde(default)]
    root: usize,
    address: EcoString,
    #[serde(rename = "type")]
    resource_type: EcoString,
    mode: Option<String>,
    provider: Option<EcoString>,
    azurerm: Option<u8>,
    maybe: Option<usize>,
    #[serde(default)]
    dependencies: Vec<EcoString>,
    subscription: Option<Json>,
    resource_group: Option<Json>,
    body: Json,
}

#[derive(Deserialize)]
struct WrittenOpaque {
    #[serde(default)]
    root: usize,
    address: EcoString,
    #[serde(default)]
    receives: Vec<EcoString>,
    because: usize,
}

#[derive(Deserialize)]
struct WrittenUnknown {
    cause: String,
    #[serde(default)]
    of: EcoString,
    #[serde(default)]
    derived: bool,
    like: Option<usize>,
}

/// Whether a text is such a document, of any version.
pub fn is_topology(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Marks {
        #[allow(dead_code)]
        format: u32,
        #[allow(dead_code)]
        resources: serde::de::IgnoredAny,
        #[allow(dead_code)]
        roots: serde::de::IgnoredAny,
    }
    serde_json::from_str::<Marks>(text).is_ok()
}

/// Reads a document as roots from a number on.
///
/// # Errors
/// When it is cut off, is none, or is of a version that this program does not know.
pub fn load(text: &str, first_root: u32, file: &SourceFile) -> Result<Configuration, Diagnostic> {
    let refuse = |code: &'static str, message: String, help: &str| {
        Err(Diagnostic::error(code, format!("`{}` {message}", file.display()), Span::NOWHERE).with_help(help))
    };
    const HELP: &str = "In the other repository, `portolan topology --output FILE` writes one.";
    match serde_json::from_str::<Version>(text) {
        Ok(Version { format }) if format > FORMAT => {
            let message =
                format!("is a topology of a newer form ({format}) than this program reads ({FORMAT})");
            return refuse(
                "newer-topology",
                message,
                "Use a version of Portolan as new as the one that wrote it.",
            );
        }
        Ok(Version { format }) if format < FORMAT => {
            let message =
                format!("is a topology of an older form ({format}) than this program reads ({FORMAT})");
            return refuse("older-topology", message, HELP);
        }
        Ok(_) => {}
        Err(problem) if problem.is_data() => {
            return refuse("not-a-topology", "is not a topology: it has no `format`".into(), HELP);
        }
        Err(problem) if problem.is_eof() && !text.trim().is_empty() => {
            let message = format!("is cut off at line {} column {}", problem.line(), problem.column());
            return refuse("not-a-topology", message, HELP);
        }
        Err(_) if text.trim().is_empty() => return refuse("not-a-topology", "is empty".into(), HELP),
        Err(problem) => return refuse("not-a-topology", format!("is not JSON: {problem}"), HELP),
    }
    let configuration = serde_json::from_str::<Document>(text)
        .map_err(|problem| problem.to_string())
        .and_then(|document| Reader::new(&document, first_root, file)?.configuration(document));
    configuration
        .or_else(|problem| refuse("not-a-topology", format!("cannot be understood: {problem}"), HELP))
}

struct Reader<'f> {
    file: &'f SourceFile,
    first_root: u32,
    roots: usize,
    unknowns: Vec<Arc<Unknown>>,
}

type Outcome<T> = Result<T, String>;

impl<'f> Reader<'f> {
    fn new(document: &Document, first_root: u32, file: &'f SourceFile) -> Outcome<Self> {
        let roots = document.roots.len();
        if u32::try_from(roots).ok().and_then(|roots| first_root.checked_add(roots)).is_none() {
            return Err("it has too many roots".into());
        }
        let mut unknowns: Vec<Arc<Unknown>> = Vec::with_capacity(document.unknowns.len());
        for (index, written) in document.unknowns.iter().enumerate() {
            let like = written.like.unwrap_or(index);
            if like > index {
                return Err(format!("unknown {index} is like {like}, which comes later"));
            }
            // Nothing is shown of these places. They tell the unknowns apart, as the places did where they came from.
            let span = Span::new(file.id(), like, like);
            let unknown = Unknown { cause: cause(&written.cause, written.of.clone()), span };
            unknowns.push(Arc::new(match written.derived {
                true => Unknown { cause: Cause::Derived(Arc::new(unknown)), span },
                false => unknown,
            }));
        }
        Ok(Self { file, first_root, roots, unknowns })
    }

    fn configuration(&self, document: Document) -> Outcome<Configuration> {
        let root = || Root { path: self.file.display().to_string(), language: Language::Topology };
        let mut configuration =
            Configuration { roots: (0..self.roots).map(|_| root()).collect(), ..Configuration::default() };
        if document.partly_read {
            let message = format!(
                "`{}` was written when not everything could be read, so something may be missing in it",
                self.file.display()
            );
            configuration.diagnostics.push(Diagnostic::warning("context-incomplete", message, Span::NOWHERE));
        }
        for resource in document.resources {
            let address = resource.address.clone();
            let resource = self.resource(resource).map_err(|problem| format!("{address}: {problem}"))?;
            configuration.resources.push(resource);
        }
        // Order is that of roots, whatever the document's is.
        configuration.resources.sort_by_key(|resource| resource.key.root);
        for opaque in document.opaque {
            let root = self.root(opaque.root)?;
            let key = |address| ResourceKey { root, address };
            configuration.opaque.push(Opaque {
                key: key(opaque.address),
                receives: opaque.receives.into_iter().map(key).collect(),
                because: self.unknown(opaque.because)?,
            });
        }
        Ok(configuration)
    }

    fn root(&self, root: usize) -> Outcome<u32> {
        if root >= self.roots {
            return Err(format!("there is no root {root} in it"));
        }
        // Checked when the document was opened.
        Ok(self.first_root + root as u32)
    }

    fn unknown(&self, number: usize) -> Outcome<Arc<Unknown>> {
        self.unknowns.get(number).cloned().ok_or_else(|| format!("there is no unknown {number} in it"))
    }

    fn resource(&self, written: WrittenResource) -> Outcome<Resource> {
        let root = self.root(written.root)?;
        let multiplicity = match written.maybe {
            Some(number) => Multiplicity::ZeroOrMore(self.unknown(number)?),
            None => Multiplicity::One,
        };
        let scope = match (written.subscription, written.resource_group) {
            (Some(subscription), Some(resource_group)) => Some(DeploymentScope {
                subscription: self.value(subscription, root, 0)?,
                resource_group: self.value(resource_group, root, 0)?,
            }),
            _ => None,
        };
        let schema = match &written.provider {
            Some(_) => Schema::Terraform { azurerm_major: written.azurerm },
            None => Schema::Arm,
        };
        let body = self.value(written.body, root, 0)?;
        if body.as_mapping().is_none() {
            return Err("its body is not an object".into());
        }
        Ok(Resource {
            key: ResourceKey { root, address: written.address },
            mode: if written.mode.as_deref() == Some("existing") { Mode::Existing } else { Mode::Managed },
            resource_type: written.resource_type,
            schema,
            body,
            multiplicity,
            span: Span::NOWHERE,
            header: Span::NOWHERE,
            dependencies: written.dependencies,
            scope,
            provider: written.provider.filter(|provider| !provider.is_empty()),
            action: None,
            replaced_for: Vec::new(),
            because: None,
        })
    }

    /// A value, whether it is certainly there or not. The JSON reader limits how deep this goes.
    fn value(&self, json: Json, root: u32, depth: usize) -> Outcome<Value> {
        // What is written is never deeper; every level may take two.
        if depth > 3 * DEPTH {
            return Err("values are nested too deeply".into());
        }
        let value = |kind| Ok(Value::new(kind, Span::NOWHERE));
        match json {
            Json::Null => value(ValueKind::Null),
            Json::Bool(flag) => value(ValueKind::Bool(flag)),
            Json::Number(number) => value(ValueKind::Number(parsed(&number.to_string())?)),
            Json::String(text) => value(ValueKind::String(text.into())),
            Json::Array(items) => {
                let items: Outcome<_> =
                    items.into_iter().map(|item| self.value(item, root, depth + 1)).collect();
                Ok(Value::sequence(SequenceKind::Tuple, items?, Span::NOWHERE))
            }
            Json::Object(object) => self.object(object, root, depth),
        }
    }

    fn object(&self, mut object: Map<String, Json>, root: u32, depth: usize) -> Outcome<Value> {
        let value = |kind| Ok(Value::new(kind, Span::NOWHERE));
        if let Some(number) = object.get("$unknown") {
            return value(ValueKind::Unknown(self.unknown(position(number)?)?));
        }
        if let Some(number) = object.get("$number") {
            return value(ValueKind::Number(parsed(number.as_str().unwrap_or_default())?));
        }
        if let Some(address) = object.get("$ref") {
            return value(ValueKind::Reference(Arc::new(self.reference(address, &object, root)?)));
        }
        if let Some(content) = object.remove("$maybe") {
            let content = self.value(content, root, depth + 1)?;
            let because = match object.get("because") {
                Some(number) => Some(self.unknown(position(number)?)?),
                None => None,
            };
            return Ok(content.maybe(because));
        }
        if let Some(parts) = object.remove("$text") {
            let Json::Array(parts) = parts else { return Err("`$text` is not a list".into()) };
            let parts: Outcome<Vec<TemplatePart>> = parts
                .into_iter()
                .map(|part| match part {
                    Json::String(text) => Ok(TemplatePart::Literal(text.into())),
                    other => Ok(TemplatePart::Value(self.value(other, root, depth + 1)?)),
                })
                .collect();
            return value(ValueKind::Template(parts?.into()));
        }
        self.mapping(object, root, depth)
    }

    fn mapping(&self, object: Map<String, Json>, root: u32, depth: usize) -> Outcome<Value> {
        let mut mapping = Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None };
        for (name, json) in object {
            if name == "$rest" {
                mapping.rest = Some(self.unknown(position(&json)?)?);
                continue;
            }
            let name = match name.strip_prefix('$') {
                Some(escaped) if escaped.starts_with('$') => escaped.into(),
                // What a newer program has to say of a value.
                Some(_) => {
                    return Ok(Value::unknown(unreadable(), Span::NOWHERE).derived_unknown(Span::NOWHERE));
                }
                None => EcoString::from(name),
            };
            let entry = Entry { span: Span::NOWHERE, value: self.value(json, root, depth + 1)? };
            mapping.entries.insert(name, entry);
        }
        Ok(Value::new(ValueKind::Mapping(Arc::new(mapping)), Span::NOWHERE))
    }

    fn reference(&self, address: &Json, object: &Map<String, Json>, root: u32) -> Outcome<Reference> {
        let address = address.as_str().ok_or("`$ref` is not a text")?.into();
        let root = match object.get("root") {
            Some(root) => self.root(position(root)?)?,
            None => root,
        };
        let steps = object.get("path").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let path = steps
            .iter()
            .map(|step| match step {
                Json::String(name) => Ok(Step::Attribute(name.as_str().into())),
                other => other.as_i64().map(Step::Index).ok_or("a step is neither a name nor a number"),
            })
            .collect::<Result<_, _>>()?;
        Ok(Reference { target: ResourceKey { root, address }, path })
    }
}

fn position(json: &Json) -> Outcome<usize> {
    json.as_u64()
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| format!("{json} is no number"))
}

fn parsed(text: &str) -> Outcome<Number> {
    Number::parse(text).ok_or_else(|| "it holds a number beyond all reason".into())
}

fn unreadable() -> Cause {
    Cause::Unsupported("a value of a kind that this version does not know".into())
}

fn cause(kind: &str, of: EcoString) -> Cause {
    match kind {
        "input" => Cause::Input(of),
        "computed" => Cause::Computed(of),
        "lookup" => Cause::Lookup(of),
        "module" => Cause::Module(of),
        "impure" => Cause::Impure(of),
        "error" => Cause::Error(of),
        "limit" => Cause::Limit(of),
        "sensitive" => Cause::Unsupported(SENSITIVE.into()),
        "unsupported" => Cause::Unsupported(of),
        _ => unreadable(),
    }
}
