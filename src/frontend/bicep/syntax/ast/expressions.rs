//! Expressions, and the objects that bodies are made of.

use ecow::EcoString;

use crate::source::Span;
use crate::value::Number;

use super::{ForHeader, Identifier, Statement};

/// `{ … }`.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// What is inside.
    pub members: Vec<ObjectMember>,
    /// With its braces.
    pub span: Span,
    /// Some member could not be read, or the closing brace is missing.
    pub incomplete: bool,
}

impl Object {
    /// The last property with a constant key, compared exactly.
    pub fn get(&self, name: &str) -> Option<&ObjectProperty> {
        self.members.iter().rev().find_map(|member| match member {
            ObjectMember::Property(property) if property.key.constant() == Some(name) => Some(property),
            _ => None,
        })
    }
}

/// A member of an object.
#[derive(Clone, Debug)]
pub enum ObjectMember {
    /// `key: value`
    Property(ObjectProperty),
    /// `...expression`; the span includes the dots.
    Spread(Expression, Span),
    /// A resource declared inside its parent.
    Resource(Box<Statement>),
}

/// `key: value`.
#[derive(Clone, Debug)]
pub struct ObjectProperty {
    /// The key.
    pub key: ObjectKey,
    /// The value.
    pub value: Expression,
    /// The whole.
    pub span: Span,
}

/// The key of a property.
#[derive(Clone, Debug)]
pub enum ObjectKey {
    /// `name:`
    Name(Identifier),
    /// `'name':`, `'${expression}':`
    Expression(Expression),
}

impl ObjectKey {
    /// The key, when it is not computed.
    pub fn constant(&self) -> Option<&str> {
        match self {
            ObjectKey::Name(identifier) => Some(&identifier.name),
            ObjectKey::Expression(Expression { kind: ExpressionKind::String(text), .. }) => Some(text),
            ObjectKey::Expression(_) => None,
        }
    }

    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            ObjectKey::Name(identifier) => identifier.span,
            ObjectKey::Expression(expression) => expression.span,
        }
    }
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// The whole expression.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1`
    Number(Number),
    /// A string without interpolation, of any form.
    String(EcoString),
    /// A string with interpolation, of any form.
    Template(Vec<TemplatePart>),
    /// `[a, ...b]`
    Array(Array),
    /// `{ … }`
    Object(Box<Object>),
    /// A name.
    Variable(EcoString),
    /// `a.b[0].?c!::d.f(x)`: an expression and the steps that follow it.
    Access(Box<Access>),
    /// `f(a)`
    Call(Box<Call>),
    /// `-a`, `!a`, `+a`
    Unary(UnaryOperator, Box<Expression>),
    /// `a + b - c`
    Binary(Box<BinaryChain>),
    /// `c ? a : b`: condition, then, else.
    Conditional(Box<(Expression, Expression, Expression)>),
    /// `[for … : …]`
    For(Box<ForExpression>),
    /// `a => …`, `(a, b) => …`
    Lambda(Box<Lambda>),
    /// `(a)`
    Parenthesis(Box<Expression>),
    /// Could not be read; a diagnostic says why. Evaluates to an unknown.
    Invalid,
}

/// A part of a string with interpolation.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text, escapes applied.
    Literal(EcoString),
    /// `${expression}`
    Expression(Expression),
}

/// `[ … ]`.
#[derive(Clone, Debug, Default)]
pub struct Array {
    /// The elements.
    pub items: Vec<ArrayItem>,
    /// Some element could not be read, or the closing bracket is missing.
    pub incomplete: bool,
}

/// An element of an array.
#[derive(Clone, Debug)]
pub enum ArrayItem {
    /// One element.
    Expression(Expression),
    /// `...expression`; the span includes the dots.
    Spread(Expression, Span),
}

/// An expression and the steps into it.
#[derive(Clone, Debug)]
pub struct Access {
    /// What the steps start from.
    pub base: Expression,
    /// The steps, in order; never empty.
    pub steps: Vec<AccessStep>,
}

/// One step into a value.
#[derive(Clone, Debug)]
pub struct AccessStep {
    /// What it does.
    pub kind: AccessStepKind,
    /// The step alone (`.id`, `[0]`, `!`).
    pub span: Span,
}

/// The kinds of step.
#[derive(Clone, Debug)]
pub enum AccessStepKind {
    /// `.name`; `.?name` when safe.
    Property {
        /// The property.
        name: Identifier,
        /// Null instead of an error where there is nothing.
        safe: bool,
    },
    /// `[index]`, `[?index]`, `[^index]`, `[?^index]`.
    Index {
        /// The index or key.
        index: Expression,
        /// Null instead of an error where there is nothing.
        safe: bool,
        /// Counted from the end, the last being 1.
        from_end: bool,
    },
    /// `.name(arguments)`
    Method(Call),
    /// `::name`: a resource nested in a resource.
    Nested(Identifier),
    /// `!`: certainly not null.
    NonNull,
}

/// `f(a, b)`.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name.
    pub name: Identifier,
    /// The arguments.
    pub arguments: Vec<Expression>,
    /// Name to closing parenthesis.
    pub span: Span,
}

/// Operators of equal precedence in a row: evaluated from the left.
#[derive(Clone, Debug)]
pub struct BinaryChain {
    /// The first operand.
    pub first: Expression,
    /// The operators with their right operands; never empty.
    pub rest: Vec<(BinaryOperator, Expression)>,
}

/// `[for (item, index) in collection: if (condition) body]`.
#[derive(Clone, Debug)]
pub struct ForExpression {
    /// `for … in …`
    pub header: ForHeader,
    /// The value of each element.
    pub body: Expression,
}

/// `(a, b) => body`.
#[derive(Clone, Debug)]
pub struct Lambda {
    /// The names of the parameters.
    pub parameters: Vec<Identifier>,
    /// The parameters with their parentheses, if they have some.
    pub parameter_span: Span,
    /// What it computes.
    pub body: Expression,
}

/// `-`, `!`, `+`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum UnaryOperator {
    Negate,
    Not,
    Plus,
}

/// The binary operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum BinaryOperator {
    Multiply,
    Divide,
    Modulo,
    Add,
    Subtract,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    EqualIgnoringCase,
    NotEqualIgnoringCase,
    And,
    Or,
    Coalesce,
}
