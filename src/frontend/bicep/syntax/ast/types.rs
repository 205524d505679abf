//! Types.

use ecow::EcoString;

use crate::source::Span;

use super::{Decorator, Expression, Identifier, ObjectKey, UnaryOperator};

/// A type and where it stands.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// The whole type.
    pub span: Span,
}

/// The kinds of type.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `string`, `myType`
    Name(EcoString),
    /// `resourceInput<'…'>`
    Generic(Identifier, Vec<Type>),
    /// `a.b[0].*`: a type and the steps into it.
    Access(Box<Type>, Vec<TypeStep>),
    /// A literal: a string, number, truth value or null.
    Literal(Expression),
    /// `-1`, `!true`
    Unary(UnaryOperator, Box<Type>),
    /// `{ … }`
    Object(ObjectType),
    /// `[ … ]`
    Tuple(Vec<TupleTypeItem>),
    /// `a | b`
    Union(Vec<Type>),
    /// `a?`, `a!` (once each at most matters)
    Suffixed(Box<Type>, TypeSuffix),
    /// `(a)`
    Parenthesis(Box<Type>),
    /// `resource 'type@version'`; the string may be left out for outputs.
    Resource(Option<Expression>),
    /// Could not be read.
    Invalid,
}

/// `?` or `!` after a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TypeSuffix {
    /// `?`
    Nullable,
    /// `!`
    NonNullable,
}

/// One step into a type.
#[derive(Clone, Debug)]
pub struct TypeStep {
    /// What it does.
    pub kind: TypeStepKind,
    /// The step alone.
    pub span: Span,
}

/// The kinds of step into a type.
#[derive(Clone, Debug)]
pub enum TypeStepKind {
    /// `[]`: an array of it.
    Array,
    /// `[*]`: its items.
    Items,
    /// `[0]`
    Index(Expression),
    /// `.*`: its additional properties.
    AdditionalProperties,
    /// `.name`
    Property(Identifier),
    /// `.name<…>`
    Generic(Identifier, Vec<Type>),
}

/// `{ name: type, *: type }`.
#[derive(Clone, Debug, Default)]
pub struct ObjectType {
    /// The members.
    pub properties: Vec<ObjectTypeProperty>,
}

/// A property of an object type.
#[derive(Clone, Debug)]
pub struct ObjectTypeProperty {
    /// `@…` before it.
    pub decorators: Vec<Decorator>,
    /// Its name; `None` for `*`.
    pub key: Option<ObjectKey>,
    /// Its type.
    pub value: Type,
    /// The whole.
    pub span: Span,
}

/// An item of a tuple type.
#[derive(Clone, Debug)]
pub struct TupleTypeItem {
    /// `@…` before it.
    pub decorators: Vec<Decorator>,
    /// Its type.
    pub value: Type,
    /// The whole.
    pub span: Span,
}
