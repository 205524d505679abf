//! The tree of expressions. A template's `[…]` strings, plain JSON values, and Bicep expressions all become this.
//!
//! Names are kept as they were written and compared without regard to case where Resource Manager does so
//! (parameters, variables, functions, properties); Bicep's are unique in exact case, so nothing is lost.

use ecow::EcoString;

use crate::source::Span;
use crate::value::Number;

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// The bytes it was written in: inside a `[…]` string, the part of the string.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string without holes.
    String(EcoString),
    /// A string with holes (Bicep's `'${a}-b'`); values are put in as `format` would.
    Interpolation(Vec<StringPart>),
    /// An array.
    Array(Vec<ArrayItem>),
    /// An object.
    Object(Vec<ObjectItem>),
    /// A parameter of the template, or of the user-defined function whose body this is.
    Parameter(EcoString),
    /// A variable of the template.
    Variable(EcoString),
    /// A lambda's parameter, or the item or index of a loop.
    Local(EcoString),
    /// A resource or module by its symbolic name: the whole of it. With properties read from it, what it will have:
    /// `.id`, `.name`, `.type`, `.apiVersion`, `.properties.…`, `.location`, … and, for modules, `.outputs.…`.
    Resource(EcoString),
    /// `target.name`, `target.?name`.
    Property {
        /// What the property is read from.
        target: Box<Expression>,
        /// The property's name.
        name: EcoString,
        /// Where the name stands.
        name_span: Span,
        /// Null instead of an error when it is not there (`.?`).
        safe: bool,
    },
    /// `target[index]`, `target[?index]`, `target[^index]`.
    Index {
        /// What the element is read from: an array, an object, or a resource declared in a loop.
        target: Box<Expression>,
        /// A number, or a property's name.
        index: Box<Expression>,
        /// Null instead of an error when it is not there (`[?…]`).
        safe: bool,
        /// Counted from the end, the last being 1 (`[^…]`).
        from_end: bool,
    },
    /// A call of a built-in or user-defined function.
    Call {
        /// `sys` and `az` for built-in functions of Bicep, a user's namespace in JSON; else none.
        namespace: Option<EcoString>,
        /// The function.
        name: EcoString,
        /// Where the name stands.
        name_span: Span,
        /// The arguments.
        arguments: Vec<Expression>,
    },
    /// A function literal; only as an argument of functions that take one.
    Lambda {
        /// The parameters' names.
        parameters: Vec<EcoString>,
        /// What it computes.
        body: Box<Expression>,
    },
    /// `condition ? then : otherwise`, `if(condition, then, otherwise)`.
    Conditional {
        /// What is asked.
        condition: Box<Expression>,
        /// The value if so.
        then: Box<Expression>,
        /// The value if not.
        otherwise: Box<Expression>,
    },
    /// `!a`, `-a`.
    Unary {
        /// The operator.
        operator: UnaryOperator,
        /// What it is applied to.
        operand: Box<Expression>,
    },
    /// `a + b` and the like.
    Binary {
        /// The operator.
        operator: BinaryOperator,
        /// The left side.
        left: Box<Expression>,
        /// The right side.
        right: Box<Expression>,
    },
    /// `a!`: the value, taken not to be null.
    NotNull(Box<Expression>),
    /// An array computed by a loop: `[for x in xs: …]`, a `copy` on a property or variable.
    Loop(Box<Loop>),
    /// Something that is looked up at deployment and never to be shown (a secret in a key vault): what it is.
    Secret(EcoString),
    /// Something that could not be understood when the syntax was read; the diagnostic was given there.
    Invalid(EcoString),
}

/// A part of a string with holes.
#[derive(Clone, Debug)]
pub enum StringPart {
    /// Text.
    Literal(EcoString),
    /// A hole.
    Hole(Expression),
}

/// An item of an array.
#[derive(Clone, Debug)]
pub enum ArrayItem {
    /// One element.
    Element(Expression),
    /// All elements of another array (`...a`).
    Spread(Expression),
}

/// An item of an object.
#[derive(Clone, Debug)]
pub enum ObjectItem {
    /// One property.
    Property {
        /// The property's name: a string, with holes or expressions where the syntax allows them.
        key: Expression,
        /// Its value.
        value: Expression,
        /// Key and value.
        span: Span,
    },
    /// All properties of another object (`...a`).
    Spread(Expression),
}

/// A loop that computes an array.
#[derive(Clone, Debug)]
pub struct Loop {
    /// What is gone through.
    pub iteration: Iteration,
    /// The value for each round.
    pub body: Expression,
}

/// What a loop goes through, and the names that its rounds see.
#[derive(Clone, Debug)]
pub struct Iteration {
    /// The name under which `copyIndex` asks for it.
    pub copy: Option<EcoString>,
    /// How many rounds, or over what.
    pub source: LoopSource,
    /// The name of the item ([`ExpressionKind::Local`]).
    pub item: Option<EcoString>,
    /// The name of the index ([`ExpressionKind::Local`]).
    pub index: Option<EcoString>,
    /// The loop's header.
    pub span: Span,
}

/// How many rounds a loop has, or over what it goes.
#[derive(Clone, Debug)]
pub enum LoopSource {
    /// This many (`copy.count`).
    Count(Expression),
    /// One for each element of an array (`for x in xs`).
    Items(Expression),
}

/// An operator with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnaryOperator {
    /// `!`
    Not,
    /// `-`
    Negate,
}

/// An operator with two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOperator {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    EqualIgnoringCase,
    /// `!~`
    NotEqualIgnoringCase,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `??`
    Coalesce,
}

/// A function that no user can call: the value of a deployment's argument, of an object with a `value` or a reference to
/// a secret.
pub const ARGUMENT_VALUE: &str = "#argumentValue";

impl Expression {
    /// An expression at a place.
    pub fn new(kind: ExpressionKind, span: Span) -> Self {
        Self { kind, span }
    }

    /// A string.
    pub fn string(text: impl Into<EcoString>, span: Span) -> Self {
        Self::new(ExpressionKind::String(text.into()), span)
    }

    /// The text, if this is a string without holes.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a property of an object literal, its name compared without regard to case. The last one wins.
    pub fn property(&self, name: &str) -> Option<&Expression> {
        let ExpressionKind::Object(items) = &self.kind else { return None };
        items.iter().rev().find_map(|item| match item {
            ObjectItem::Property { key, value, .. } => {
                key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name)).then_some(value)
            }
            ObjectItem::Spread(_) => None,
        })
    }
}
