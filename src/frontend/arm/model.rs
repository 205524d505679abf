//! A template as it was written: what the JSON syntax and Bicep both become before anything is evaluated.
//!
//! [`crate::frontend::arm::evaluate::deploy`] evaluates it. Keys of the maps are lower-case names; the name as it was
//! written is inside.

use std::path::PathBuf;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;

use super::expression::ast::{Expression, Iteration};
use crate::source::Span;

/// A template: a JSON file, a Bicep file, or a template written inside another.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Where it is deployed to.
    pub scope: TemplateScope,
    /// Whether resources have symbolic names that are their addresses (language version 2.0, Bicep).
    pub symbolic: bool,
    /// Parameters, by lower-case name.
    pub parameters: IndexMap<EcoString, Parameter>,
    /// Variables, by lower-case name.
    pub variables: IndexMap<EcoString, Variable>,
    /// User-defined functions, by lower-case `namespace.name` (or `name` where there are no namespaces).
    pub functions: IndexMap<EcoString, Function>,
    /// Resources, in the order in which they were written, children of a parent right after it.
    pub resources: Vec<ResourceDeclaration>,
    /// Outputs, by lower-case name.
    pub outputs: IndexMap<EcoString, Output>,
    /// The file it is in. Links are relative to its folder.
    pub path: PathBuf,
    /// The whole of it.
    pub span: Span,
}

/// To what a template is deployed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TemplateScope {
    /// A resource group.
    #[default]
    ResourceGroup,
    /// A subscription.
    Subscription,
    /// A management group.
    ManagementGroup,
    /// A tenant.
    Tenant,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name as it was written.
    pub name: EcoString,
    /// The whole declaration.
    pub span: Span,
    /// `string`, `int`, `bool`, `array`, `object`, lower case, when it is declared.
    pub type_name: Option<EcoString>,
    /// Never to be shown (`securestring`, `secureobject`, `@secure()`).
    pub secure: bool,
    /// Null when no value is given.
    pub nullable: bool,
    /// The value when none is given.
    pub default: Option<Expression>,
    /// The only values that are allowed.
    pub allowed: Option<Expression>,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name as it was written.
    pub name: EcoString,
    /// Its value.
    pub value: Expression,
    /// Name and value.
    pub span: Span,
}

/// A user-defined function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name as it was written, with the namespace before it.
    pub name: EcoString,
    /// The names of its parameters ([`super::expression::ast::ExpressionKind::Parameter`] in the body).
    pub parameters: Vec<EcoString>,
    /// What it computes.
    pub body: Expression,
    /// The whole declaration.
    pub span: Span,
}

/// An output.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its name as it was written.
    pub name: EcoString,
    /// Its value.
    pub value: Expression,
    /// Whether it is there at all.
    pub condition: Option<Expression>,
    /// The whole declaration.
    pub span: Span,
}

/// A resource, an existing resource, or a module.
#[derive(Clone, Debug)]
pub struct ResourceDeclaration {
    /// The symbolic name; in templates without, a name that no user can write.
    pub symbol: EcoString,
    /// The full type, `Microsoft.Network/virtualNetworks/subnets`; also for children.
    pub resource_type: EcoString,
    /// The API version, when it is written plainly.
    pub api_version: Option<EcoString>,
    /// Whether it is only looked up.
    pub existing: bool,
    /// The name: the full path `vnet/subnet`, or, with a `parent`, the last part of it (or still the full path).
    pub name: Expression,
    /// The parent: [`Resource`](super::expression::ast::ExpressionKind::Resource), or an index into one that is declared
    /// in a loop. The rounds of the parent's loop are also the child's when `nested` is set.
    pub parent: Option<Expression>,
    /// Whether it was written inside its parent (and is not there when that is not).
    pub nested: bool,
    /// Whether it is made at all. Asked in each round of the loop.
    pub condition: Option<Expression>,
    /// The loop that makes many of it.
    pub copy: Option<Iteration>,
    /// What it waits for: resources, symbolic names, resource ids, names of loops.
    pub depends_on: Vec<Expression>,
    /// Where it is deployed, when not where the template is: an id, a resource that it extends, or an object with an `id`
    /// (`resourceGroup('other')`).
    pub scope: Option<Expression>,
    /// The subscription it is deployed to (`subscriptionId`).
    pub subscription: Option<Expression>,
    /// The resource group it is deployed to (`resourceGroup`).
    pub resource_group: Option<Expression>,
    /// The object as it was written, without what stands in the fields above and without child resources. `name`, `type`
    /// and `apiVersion` in it are replaced by their full forms.
    pub body: Expression,
    /// The template it deploys, if it is a deployment or a module.
    pub deployment: Option<NestedDeployment>,
    /// The whole declaration.
    pub span: Span,
    /// Its header, or the name property in JSON.
    pub header: Span,
}

/// A deployment inside a template, or a Bicep module.
#[derive(Clone, Debug)]
pub struct NestedDeployment {
    /// What is deployed.
    pub template: NestedTemplate,
    /// Whether the inner template's expressions see its own parameters and variables (Bicep modules and linked templates
    /// always do) or those of the outer one.
    pub inner_scope: bool,
    /// The values given to its parameters.
    pub parameters: Arguments,
    /// A parameter file that gives them.
    pub parameters_link: Option<Expression>,
}

/// The template of a nested deployment.
#[derive(Clone, Debug)]
pub enum NestedTemplate {
    /// Written there.
    Inline(Arc<Template>),
    /// In a file, named by a path relative to the folder of the template's file.
    Path(Expression),
    /// Behind an address.
    Uri(Expression),
    /// Somewhere that cannot be read (a template spec, a registry, an expression): what it says.
    Elsewhere(EcoString),
    /// Not to be had; the diagnostic was given where the syntax was read.
    Missing,
}

/// The values given to the parameters of a nested deployment.
#[derive(Clone, Debug)]
pub enum Arguments {
    /// One by one: lower-case name, value. A value that is a key vault reference is a
    /// [`Secret`](super::expression::ast::ExpressionKind::Secret).
    Each(IndexMap<EcoString, Expression>),
    /// An expression that gives an object of objects with a `value` each.
    Whole(Expression),
}
