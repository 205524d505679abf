//! Values as configuration languages compute them when some inputs are missing.
//!
//! A value is known, or a *reference* to what another resource will have, or *unknown* with a cause. Unknown is
//! contagious but precise: a sequence can hold one unknown element among known ones, a string can have an unknown part.
//! This layer knows no language and nothing of Azure.

mod equality;
mod number;
mod real;
mod text;

use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;

use crate::source::Span;

pub use equality::{compare_set_elements, identity_text};
pub use number::Number;
pub use real::Real;
pub use text::TextBuilder;

/// A value, where it was written, and what is to be minded about it.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where the value itself was written: the literal, wherever it came from (a variable's default, a line of a
    /// `.tfvars` file). [`Span::NOWHERE`] for what no file holds.
    pub span: Span,
    /// Never to be shown: it came from something marked sensitive.
    pub sensitive: bool,
    /// As an element of a sequence: stands for zero or more elements (a `dynamic` block over something unknown). As an
    /// entry of a mapping: may be missing.
    pub repeated: bool,
    /// When [`Value::repeated`]: why it is not known how often, where the value's content does not say.
    pub because: Option<Arc<Unknown>>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// Null: given, but without a value. In Terraform the same as not given.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(EcoString),
    /// A string of which some parts are not known: the known parts keep their place.
    Template(Arc<[TemplatePart]>),
    /// An ordered collection.
    Sequence(Arc<Sequence>),
    /// A keyed collection.
    Mapping(Arc<Mapping>),
    /// What another resource will have.
    Reference(Arc<Reference>),
    /// Not known, and why.
    Unknown(Arc<Unknown>),
}

/// A part of a string that is known in parts.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text that is certainly there.
    Literal(EcoString),
    /// A reference or an unknown in its place.
    Value(Value),
}

/// Which of the languages' ordered collections this is. They differ in conversion and in functions, not in content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SequenceKind {
    /// Elements of one type, in order.
    List,
    /// Elements of one type, each once, without order.
    Set,
    /// Elements of any types.
    Tuple,
}

/// An ordered collection. Elements marked [`Value::repeated`] stand for zero or more.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// List, set or tuple.
    pub kind: SequenceKind,
    /// The elements.
    pub items: Vec<Value>,
}

/// Which of the languages' keyed collections this is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MappingKind {
    /// Values of one type.
    Map,
    /// Values of any types.
    Object,
}

/// A keyed collection, in the order in which it was written.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Map or object.
    pub kind: MappingKind,
    /// The entries. Keys are unique and compared exactly; readers of languages that ignore case do so themselves.
    pub entries: IndexMap<EcoString, Entry, rustc_hash::FxBuildHasher>,
    /// When set, there may be more entries than these, for this reason.
    pub rest: Option<Arc<Unknown>>,
}

/// One entry of a keyed collection: its value, and where the entry (an attribute, a block, a JSON property) stands.
/// `span` is where the value is *used*; [`Value::span`] is where it was *written*.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The whole attribute, block or property.
    pub span: Span,
    /// Its value.
    pub value: Value,
}

/// Names one resource (or data source, or existing resource) of one run.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ResourceKey {
    /// The root (root module, template, plan) it belongs to, by index in the run's order of roots.
    pub root: u32,
    /// The full address as its author knows it: `module.db["a"].azurerm_subnet.this[0]`, `module::subnet`, …
    /// Data sources carry their `data.` prefix.
    pub address: EcoString,
}

/// What another resource will have: `azurerm_subnet.db.id` keeps its identity through locals, modules and loops.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reference {
    /// The resource.
    pub target: ResourceKey,
    /// The way to the attribute. Empty means the whole resource.
    pub path: Vec<Step>,
}

/// One step into a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// An attribute or a string key.
    Attribute(EcoString),
    /// A number key.
    Index(i64),
}

/// A value that is not known before deployment (or not to Portolan).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Unknown {
    /// Why.
    pub cause: Cause,
    /// Where the cause stands (the variable's declaration, the call, the expression).
    pub span: Span,
}

/// Why a value is not known. Two unknowns with the same cause and span and no derivation between are the same value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// An input (variable, parameter) without a value; its name with the module's address before it, and the way to a
    /// part of it behind it (`module.hub.var.subnets["db"].id`).
    Input(EcoString),
    /// An attribute that Azure or a provider computes: the resource's address and the attribute.
    Computed(EcoString),
    /// Something read at plan or deploy time (data source, key vault secret, `existing` property).
    Lookup(EcoString),
    /// A module whose source is not on disk, or a part of what it has to give (`module.network.subnets["db"]`).
    Module(EcoString),
    /// A function that depends on time, chance or the outside (`timestamp`, `uuid`, `newGuid`).
    Impure(EcoString),
    /// A function, operator or construct that Portolan does not evaluate.
    Unsupported(EcoString),
    /// Evaluation failed; the error was reported. The message.
    Error(EcoString),
    /// The value is derived from other unknowns; the first of them is why.
    Derived(Arc<Unknown>),
    /// A limit (depth, size, time) was reached.
    Limit(EcoString),
}

impl Unknown {
    /// The unknown behind derivations.
    pub fn root(&self) -> &Unknown {
        let mut unknown = self;
        while let Cause::Derived(from) = &unknown.cause {
            unknown = from;
        }
        unknown
    }
}

impl Cause {
    /// The cause behind derivations.
    pub fn root(&self) -> &Cause {
        let mut cause = self;
        while let Cause::Derived(from) = cause {
            cause = &from.cause;
        }
        cause
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cause::Input(name) => write!(f, "`{name}` has no value"),
            Cause::Computed(what) => write!(f, "`{what}` is known only after deployment"),
            Cause::Lookup(what) => write!(f, "`{what}` is looked up at deployment"),
            Cause::Module(name) => write!(f, "the source of `{name}` is not on disk"),
            Cause::Impure(name) => write!(f, "`{name}` depends on more than the files"),
            Cause::Unsupported(what) => write!(f, "{what} is not supported"),
            Cause::Error(message) => write!(f, "{message}"),
            Cause::Derived(from) => from.cause.fmt(f),
            Cause::Limit(what) => write!(f, "{what}"),
        }
    }
}

impl Value {
    /// A value written at `span`.
    pub fn new(kind: ValueKind, span: Span) -> Self {
        Self { kind, span, sensitive: false, repeated: false, because: None }
    }

    /// Null.
    pub fn null(span: Span) -> Self {
        Self::new(ValueKind::Null, span)
    }

    /// A truth value.
    pub fn bool(value: bool, span: Span) -> Self {
        Self::new(ValueKind::Bool(value), span)
    }

    /// A number.
    pub fn number(value: impl Into<Number>, span: Span) -> Self {
        Self::new(ValueKind::Number(value.into()), span)
    }

    /// A string.
    pub fn string(value: impl Into<EcoString>, span: Span) -> Self {
        Self::new(ValueKind::String(value.into()), span)
    }

    /// An ordered collection.
    pub fn sequence(kind: SequenceKind, items: Vec<Value>, span: Span) -> Self {
        Self::new(ValueKind::Sequence(Arc::new(Sequence { kind, items })), span)
    }

    /// A keyed collection with no unknown rest.
    pub fn mapping(
        kind: MappingKind,
        entries: impl IntoIterator<Item = (EcoString, Entry)>,
        span: Span,
    ) -> Self {
        let entries = entries.into_iter().collect();
        Self::new(ValueKind::Mapping(Arc::new(Mapping { kind, entries, rest: None })), span)
    }

    /// An unknown with a cause that stands at `span`.
    pub fn unknown(cause: Cause, span: Span) -> Self {
        Self::new(ValueKind::Unknown(Arc::new(Unknown { cause, span })), span)
    }

    /// A reference.
    pub fn reference(target: ResourceKey, path: Vec<Step>, span: Span) -> Self {
        Self::new(ValueKind::Reference(Arc::new(Reference { target, path })), span)
    }

    /// An unknown that follows from this one (which is unknown, a reference or partly known).
    pub fn derived_unknown(&self, span: Span) -> Value {
        let from = match &self.kind {
            // Always another one: what is derived from the same unknown need not be the same.
            ValueKind::Unknown(unknown) => Arc::new(match &unknown.cause {
                Cause::Derived(_) => Unknown::clone(unknown),
                _ => Unknown { cause: Cause::Derived(Arc::clone(unknown)), span },
            }),
            _ => match self.first_unknown() {
                Some(unknown) => Arc::new(Unknown { cause: Cause::Derived(unknown), span }),
                None => match &self.because {
                    Some(because) => Arc::new(Unknown { cause: Cause::Derived(Arc::clone(because)), span }),
                    None => Arc::new(Unknown { cause: Cause::Unsupported("this expression".into()), span }),
                },
            },
        };
        let mut value = Value::new(ValueKind::Unknown(from), span);
        value.sensitive = self.sensitive;
        value
    }

    /// The first unknown inside this value, references counted as computed values; `None` when all is known.
    pub fn first_unknown(&self) -> Option<Arc<Unknown>> {
        match &self.kind {
            ValueKind::Unknown(unknown) => Some(Arc::clone(unknown)),
            ValueKind::Reference(reference) => Some(Arc::new(Unknown {
                cause: Cause::Computed(reference.to_string().into()),
                span: self.span,
            })),
            ValueKind::Template(parts) => parts.iter().find_map(|part| match part {
                TemplatePart::Value(value) => value.first_unknown(),
                TemplatePart::Literal(_) => None,
            }),
            ValueKind::Sequence(sequence) => sequence.items.iter().find_map(Value::first_doubt),
            ValueKind::Mapping(mapping) => mapping
                .entries
                .values()
                .find_map(|entry| entry.value.first_doubt())
                .or_else(|| mapping.rest.clone()),
            _ => None,
        }
    }

    /// As a part of a collection: the first unknown inside, or why it is not known whether this is there.
    fn first_doubt(&self) -> Option<Arc<Unknown>> {
        self.first_unknown().or_else(|| self.uncertainty())
    }

    /// Why it is not known whether (or how often) this part of a collection is there; `None` when it is.
    pub fn uncertainty(&self) -> Option<Arc<Unknown>> {
        if !self.repeated {
            return None;
        }
        self.because.clone().or_else(|| self.first_unknown()).or_else(|| {
            let cause = Cause::Unsupported("what decides about this element".into());
            Some(Arc::new(Unknown { cause, span: self.span }))
        })
    }

    /// The same value, as a part of a collection that may be missing, or be there several times.
    pub fn maybe(mut self, because: Option<Arc<Unknown>>) -> Self {
        self.repeated = true;
        self.because = because.or(self.because);
        self
    }

    /// The same value, certainly there and once.
    pub fn certain(mut self) -> Self {
        self.repeated = false;
        self.because = None;
        self
    }

    /// Whether nothing inside is unknown or a reference.
    pub fn is_wholly_known(&self) -> bool {
        self.first_unknown().is_none()
    }

    /// Whether the value itself (not what it contains) is unknown or a reference.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, ValueKind::Unknown(_) | ValueKind::Reference(_))
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, ValueKind::Null)
    }

    /// The string, if this is one and it is wholly known.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one. Strings are not converted.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            ValueKind::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if this is one. Strings are not converted.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            ValueKind::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The elements, if this is an ordered collection.
    pub fn as_sequence(&self) -> Option<&Sequence> {
        match &self.kind {
            ValueKind::Sequence(sequence) => Some(sequence),
            _ => None,
        }
    }

    /// The entries, if this is a keyed collection.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.kind {
            ValueKind::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The reference, if this is one.
    pub fn as_reference(&self) -> Option<&Reference> {
        match &self.kind {
            ValueKind::Reference(reference) => Some(reference),
            _ => None,
        }
    }

    /// The entry's value under a key, if this is a keyed collection that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_mapping()?.entries.get(key).map(|entry| &entry.value)
    }

    /// The same value, written elsewhere.
    pub fn at(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// The same value, marked never to be shown if `sensitive`.
    pub fn marked(mut self, sensitive: bool) -> Self {
        self.sensitive |= sensitive;
        self
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.target.address)?;
        for step in &self.path {
            match step {
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
