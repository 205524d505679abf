//! What every frontend produces: evaluated resources, with places and unknowns, and what it has to say about its input.

use std::sync::Arc;

use ecow::EcoString;

use crate::date::Date;
use crate::source::Span;
use crate::value::{ResourceKey, Unknown, Value};

/// One instance of a resource, data source or existing resource, evaluated as far as the files allow.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The root and full address.
    pub key: ResourceKey,
    /// Whether this configuration makes it, or only looks it up.
    pub mode: Mode,
    /// The type as its language names it: `azurerm_subnet`, `azapi_resource`, `Microsoft.Network/virtualNetworks/subnets`.
    pub resource_type: EcoString,
    /// Whose vocabulary the body is in.
    pub schema: Schema,
    /// The arguments: a mapping. Terraform blocks are sequences of mappings (also when only one is allowed). For ARM the
    /// whole resource object (`name` as a full path with slashes, `location`, `properties`, `sku`, …), evaluated.
    pub body: Value,
    /// How many of it there are.
    pub multiplicity: Multiplicity,
    /// The whole block or object.
    pub span: Span,
    /// Its header (`resource "azurerm_subnet" "db"`, `resource db 'Microsoft…'`), or the name property in JSON: where a
    /// finding about the whole resource points.
    pub header: Span,
    /// Addresses (in the same root; without instance key where a whole `count`/`for_each` is meant) of the resources that
    /// the deployment engine makes first: explicit `depends_on` and what expressions refer to, through locals, variables
    /// and outputs. Direct dependencies only. Sorted, each once.
    pub dependencies: Vec<EcoString>,
    /// ARM: where it is deployed (subscription and resource group), as far as it can be known from the template.
    /// Terraform: `None`, the arguments say it.
    pub scope: Option<DeploymentScope>,
    /// The provider configuration that makes it, when it is not the default one (`azurerm.hub`): other configurations
    /// may mean other subscriptions.
    pub provider: Option<EcoString>,
    /// What the plan does with it; `None` from a source that is not a plan.
    pub action: Option<Action>,
    /// Why the plan destroys it, as the rest of a sentence that begins with "because": `its module is called no longer`.
    pub because: Option<&'static str>,
    /// The arguments (the outermost ones) whose change makes the plan destroy it and make it again.
    pub replaced_for: Vec<EcoString>,
}

/// Whether a configuration makes a resource or only looks it up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// `resource`: made and changed by this configuration.
    Managed,
    /// `data`, `existing`: made by someone else; what is not written here about it is unknown, not absent.
    Existing,
}

/// In whose vocabulary a resource's body is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Schema {
    /// A Terraform provider's. The major version of azurerm when constraints or the lock file tell it.
    Terraform {
        /// 2 to 5; `None` when nothing says.
        azurerm_major: Option<u8>,
    },
    /// Azure Resource Manager's.
    Arm,
}

/// How many instances a [`Resource`] stands for.
#[derive(Clone, PartialEq, Debug)]
pub enum Multiplicity {
    /// This one.
    One,
    /// Zero or more: `count`, `for_each`, `condition` or a loop depends on something unknown.
    ZeroOrMore(Arc<Unknown>),
}

/// Where an ARM deployment puts a resource. Values may be unknown: the resource group that a template is deployed to
/// usually is, but it is the same one for all resources of the template.
#[derive(Clone, Debug)]
pub struct DeploymentScope {
    /// The subscription's id.
    pub subscription: Value,
    /// The resource group's name.
    pub resource_group: Value,
}

/// What a plan does with a resource.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Stays as it is.
    NoOp,
    /// Is made.
    Create,
    /// Is changed in place.
    Update,
    /// Is destroyed and made again (in either order).
    Replace,
    /// Is destroyed.
    Delete,
    /// Stays as it is, but is no longer looked after.
    Forget,
    /// Is read.
    Read,
}

/// What a frontend makes of its input.
#[derive(Debug, Default)]
pub struct Configuration {
    /// The roots, in the order of [`ResourceKey::root`].
    pub roots: Vec<Root>,
    /// All resources of all roots, in a stable order (root, then order of evaluation).
    pub resources: Vec<Resource>,
    /// What makes resources that cannot be seen.
    pub opaque: Vec<Opaque>,
    /// The managed resources as they are now, where a plan says it; empty for sources.
    pub before: Vec<Resource>,
    /// What its authors do not want to be told.
    pub suppressions: Vec<Suppression>,
    /// What is to be said about the input itself. Order does not matter: reports sort by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// An author's word that findings of some rules are not to be reported for a part of the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suppression {
    /// The block, attribute or line that it is about: findings that start in it, or whose value was written in it.
    pub covers: Span,
    /// The names of rules or categories, as they were written.
    pub rules: Vec<SuppressedName>,
    /// Why.
    pub reason: Option<EcoString>,
    /// The last day on which it holds.
    pub until: Option<Date>,
    /// Where it is written.
    pub span: Span,
}

/// The name of a rule or category in a suppression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SuppressedName {
    /// As it was written.
    pub name: EcoString,
    /// Where.
    pub span: Span,
}

/// Something that may make resources which Portolan cannot see: a call of a module whose source is not on disk. What is
/// missing here may be made there, so the absence of a companion (a link, a peering, an association) of a resource that
/// was handed to it is not certain.
#[derive(Clone, Debug)]
pub struct Opaque {
    /// Its root and address (`module.peering`).
    pub key: ResourceKey,
    /// The resources that its arguments refer to, in any part: sorted, each once.
    pub receives: Vec<ResourceKey>,
    /// Why it cannot be seen; the span is the call.
    pub because: Arc<Unknown>,
}

/// One root: a Terraform root module, an ARM template, a Bicep file, a plan.
#[derive(Clone, Debug)]
pub struct Root {
    /// Its folder or file, as shown.
    pub path: String,
    /// What it is.
    pub language: Language,
}

/// The languages that Portolan reads.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Language {
    /// HCL or its JSON form.
    Terraform,
    /// `terraform show -json`.
    TerraformPlan,
    /// ARM template JSON.
    Arm,
    /// Bicep source.
    Bicep,
    /// A topology that another run wrote.
    Topology,
}

/// Something to say about the input itself (not about the network it describes).
#[derive(Clone, PartialEq, Debug)]
pub struct Diagnostic {
    /// How bad.
    pub level: Level,
    /// A stable kebab-case name: `syntax-error`, `module-not-found`, `variable-without-value`, `cycle`, `limit`,
    /// `unsupported`, `unreadable-file`, …
    pub code: &'static str,
    /// What is the matter, one sentence without a final full stop.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to do about it, one sentence.
    pub help: Option<String>,
}

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Something was not understood; findings may be missing.
    Warning,
    /// Part of the input could not be read; the exit status says so.
    Error,
}

impl Level {
    /// `error`, `warning`, `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

impl Diagnostic {
    /// Part of the input could not be read.
    pub fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self { level: Level::Error, code, message: message.into(), span, help: None }
    }

    /// Something was not understood.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self { level: Level::Warning, code, message: message.into(), span, help: None }
    }

    /// Worth knowing.
    pub fn note(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self { level: Level::Note, code, message: message.into(), span, help: None }
    }

    /// The same with advice.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
