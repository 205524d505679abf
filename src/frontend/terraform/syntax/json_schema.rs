//! Which properties of Terraform's JSON syntax are blocks, and how their strings are to be read.
//!
//! In JSON nothing but the schema tells a block from an argument. Terraform's own blocks are here; blocks that a
//! provider defines stay arguments whose value is an object or a list of objects, which means the same to a reader that
//! has no provider schemas.
//!
//! Source: <https://developer.hashicorp.com/terraform/language/syntax/json>

/// How a string stands for a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Strings {
    /// A template: `"${var.name}-a"`.
    Template,
    /// As it is: Terraform does not evaluate it.
    Verbatim,
    /// An expression without `${}`: `"azurerm_subnet.db"`, `"list(string)"`.
    Expression,
}

/// The inside of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Inside {
    Root,
    Terraform,
    Provider,
    Variable,
    Locals,
    Output,
    Module,
    Resource,
    Lifecycle,
    Condition,
    Dynamic,
    Content,
    Check,
    Removed,
    Address,
    Settings,
}

/// A block that may stand in another: its type, how many labels it has, and what it is inside.
pub(super) struct Child {
    pub block_type: &'static str,
    pub labels: usize,
    pub inside: Inside,
}

const fn child(block_type: &'static str, labels: usize, inside: Inside) -> Child {
    Child { block_type, labels, inside }
}

const ROOT: &[Child] = &[
    child("terraform", 0, Inside::Terraform),
    child("provider", 1, Inside::Provider),
    child("variable", 1, Inside::Variable),
    child("locals", 0, Inside::Locals),
    child("output", 1, Inside::Output),
    child("module", 1, Inside::Module),
    child("resource", 2, Inside::Resource),
    child("data", 2, Inside::Resource),
    child("ephemeral", 2, Inside::Resource),
    child("action", 2, Inside::Resource),
    child("check", 1, Inside::Check),
    child("moved", 0, Inside::Address),
    child("import", 0, Inside::Address),
    child("removed", 0, Inside::Removed),
];

const TERRAFORM: &[Child] = &[
    child("backend", 1, Inside::Settings),
    child("cloud", 0, Inside::Settings),
    child("required_providers", 0, Inside::Settings),
    child("provider_meta", 1, Inside::Provider),
];

const CONDITIONS: &[Child] =
    &[child("precondition", 0, Inside::Condition), child("postcondition", 0, Inside::Condition)];

const RESOURCE: &[Child] = &[
    child("lifecycle", 0, Inside::Lifecycle),
    child("connection", 0, Inside::Provider),
    child("provisioner", 1, Inside::Provider),
    child("dynamic", 1, Inside::Dynamic),
];

impl Inside {
    /// The blocks that may stand here.
    pub fn children(self) -> &'static [Child] {
        const VALIDATION: &[Child] = &[child("validation", 0, Inside::Condition)];
        const DYNAMIC: &[Child] = &[child("content", 0, Inside::Content)];
        const CONTENT: &[Child] = &[child("dynamic", 1, Inside::Dynamic)];
        const CHECK: &[Child] = &[child("data", 2, Inside::Resource), child("assert", 0, Inside::Condition)];
        const REMOVED: &[Child] = &[
            child("lifecycle", 0, Inside::Lifecycle),
            child("connection", 0, Inside::Provider),
            child("provisioner", 1, Inside::Provider),
        ];
        match self {
            Inside::Root => ROOT,
            Inside::Terraform => TERRAFORM,
            Inside::Variable => VALIDATION,
            Inside::Output | Inside::Lifecycle => CONDITIONS,
            Inside::Resource => RESOURCE,
            Inside::Dynamic => DYNAMIC,
            Inside::Content => CONTENT,
            Inside::Check => CHECK,
            Inside::Removed => REMOVED,
            Inside::Provider
            | Inside::Locals
            | Inside::Module
            | Inside::Condition
            | Inside::Address
            | Inside::Settings => &[],
        }
    }

    /// How strings in the value of an argument are to be read.
    pub fn strings(self, argument: &str) -> Strings {
        match (self, argument) {
            (Inside::Variable, "type") => Strings::Expression,
            (Inside::Variable | Inside::Settings | Inside::Terraform, _) => Strings::Verbatim,
            (Inside::Module, "source" | "version") => Strings::Verbatim,
            (Inside::Provider, "alias" | "version") => Strings::Verbatim,
            (Inside::Module, "providers" | "depends_on")
            | (Inside::Resource, "provider" | "depends_on")
            | (Inside::Output, "depends_on")
            | (Inside::Lifecycle, "ignore_changes" | "replace_triggered_by")
            | (Inside::Dynamic, "iterator")
            | (Inside::Address, "from" | "to" | "provider")
            | (Inside::Removed, "from") => Strings::Expression,
            _ => Strings::Template,
        }
    }
}
