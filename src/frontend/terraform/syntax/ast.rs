//! The syntax tree: smaller than the parser's, independent of it, the same for HCL and for JSON syntax.
//!
//! All escapes, heredoc indentation and strip markers are already applied; strings are NFC.

use ecow::EcoString;

use crate::source::Span;
use crate::value::Number;

/// A file, or the inside of a block.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// `name = expression`, in source order. Names are unique except in files with errors (the last wins).
    pub attributes: Vec<Attribute>,
    /// `type "label" { … }`, in source order.
    pub blocks: Vec<Block>,
    /// The whole.
    pub span: Span,
}

/// `name = expression`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: EcoString,
    /// The name alone.
    pub name_span: Span,
    /// Name to end of expression.
    pub span: Span,
    /// Its value.
    pub value: Expression,
}

/// `type "label" … { body }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// `resource`, `variable`, `delegation`, …
    pub block_type: EcoString,
    /// The labels, unquoted.
    pub labels: Vec<Label>,
    /// Type and labels: what a finding about the whole block underlines.
    pub header: Span,
    /// Type to closing brace.
    pub span: Span,
    /// What is inside.
    pub body: Body,
    /// The block stood in a part of a file that had to be repaired to be read: what it says is uncertain.
    pub repaired: bool,
}

/// A label of a block.
#[derive(Clone, Debug)]
pub struct Label {
    /// Unquoted.
    pub text: EcoString,
    /// With its quotes.
    pub span: Span,
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
    /// `1`, `0.5`, `1e3`
    Number(Number),
    /// A string without interpolation.
    String(EcoString),
    /// A string or heredoc with interpolation or directives. `"${x}"` alone keeps the type of `x`.
    Template(Box<Template>),
    /// `[a, b]`
    Tuple(Vec<Expression>),
    /// `{ a = b }`; a later equal key wins.
    Object(Vec<ObjectItem>),
    /// A name: `var`, `local`, `each`, a resource type, a `for` variable …
    Variable(EcoString),
    /// `a.b`, `a[b]`, `a.*.b`, `a[*].b`: the first expression and the steps that follow it.
    Traversal(Box<Traversal>),
    /// `f(a, b...)`
    Call(Box<Call>),
    /// `-a`, `!a`
    Unary(UnaryOperator, Box<Expression>),
    /// `a + b`
    Binary(BinaryOperator, Box<(Expression, Expression)>),
    /// `c ? a : b`: condition, then, else.
    Conditional(Box<(Expression, Expression, Expression)>),
    /// `[for …]`, `{for …}`
    For(Box<ForExpression>),
    /// `(a)`
    Parenthesis(Box<Expression>),
    /// Could not be read; a diagnostic says why. Evaluates to an unknown.
    Invalid,
}

/// One `key = value` of an object.
#[derive(Clone, Debug)]
pub struct ObjectItem {
    /// The key.
    pub key: ObjectKey,
    /// Key to value.
    pub span: Span,
    /// The value.
    pub value: Expression,
}

/// A key of an object: a bare name is text, `(x)` and `"…"` are expressions.
#[derive(Clone, Debug)]
pub enum ObjectKey {
    /// `name =`
    Name(EcoString, Span),
    /// `"text" =`, `(expression) =`, `a.b =`
    Expression(Expression),
}

/// `f(a, b...)`, `provider::ns::f(a)`.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name, with `::` between its parts.
    pub name: EcoString,
    /// The name alone.
    pub name_span: Span,
    /// The arguments.
    pub arguments: Vec<Expression>,
    /// The last argument is followed by `...`.
    pub expand_final: bool,
}

/// An expression and the steps into its value.
#[derive(Clone, Debug)]
pub struct Traversal {
    /// What the steps start from.
    pub base: Expression,
    /// The steps, in order.
    pub steps: Vec<TraversalStep>,
}

/// One step of a traversal.
#[derive(Clone, Debug)]
pub struct TraversalStep {
    /// What it does.
    pub kind: TraversalStepKind,
    /// The step alone (`.id`, `[0]`, `[*]`).
    pub span: Span,
}

/// The kinds of step.
#[derive(Clone, Debug)]
pub enum TraversalStepKind {
    /// `.name`
    Attribute(EcoString),
    /// `.0`
    LegacyIndex(u64),
    /// `[expression]`
    Index(Expression),
    /// `[*]`: all further steps apply to each element.
    FullSplat,
    /// `.*`: the steps with a dot up to the next one in brackets apply to each element.
    AttributeSplat,
}

/// `[for k, v in collection : value if condition]`, `{for … : key => value... if condition}`.
#[derive(Clone, Debug)]
pub struct ForExpression {
    /// The key or index variable, when two are named.
    pub key_variable: Option<EcoString>,
    /// The value variable.
    pub value_variable: EcoString,
    /// What it runs over.
    pub collection: Expression,
    /// The key of each entry; `None` makes a tuple.
    pub key: Option<Expression>,
    /// The value of each entry or element.
    pub value: Expression,
    /// `...`: values of equal keys are collected.
    pub grouped: bool,
    /// `if condition`
    pub condition: Option<Expression>,
}

/// A string with interpolation.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// Its parts in order.
    pub parts: Vec<TemplatePart>,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text.
    Literal(EcoString, Span),
    /// `${expression}`
    Interpolation(Expression),
    /// `%{ if condition }…%{ else }…%{ endif }`
    If(Box<TemplateIf>),
    /// `%{ for k, v in collection }…%{ endfor }`
    For(Box<TemplateFor>),
}

/// `%{ if }` in a template.
#[derive(Clone, Debug)]
pub struct TemplateIf {
    /// What decides.
    pub condition: Expression,
    /// When true.
    pub then: Template,
    /// When false.
    pub otherwise: Template,
}

/// `%{ for }` in a template.
#[derive(Clone, Debug)]
pub struct TemplateFor {
    /// The key or index variable, when two are named.
    pub key_variable: Option<EcoString>,
    /// The value variable.
    pub value_variable: EcoString,
    /// What it runs over.
    pub collection: Expression,
    /// What is written for each.
    pub body: Template,
}

/// `-`, `!`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum UnaryOperator {
    Negate,
    Not,
}

/// The binary operators.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}
