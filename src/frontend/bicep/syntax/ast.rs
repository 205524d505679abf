//! The syntax tree of a Bicep or Bicep parameters file.
//!
//! Every node has a span. String escapes are applied; the parts of a file that could not be read are
//! [`ExpressionKind::Invalid`] or marked incomplete, never silently left out.

use ecow::EcoString;

use crate::source::Span;
use crate::value::Number;

/// A file.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The declarations, in source order.
    pub statements: Vec<Statement>,
    /// The comments, in source order, with their markers.
    pub comments: Vec<Comment>,
    /// The compiler's directives (`#disable-next-line …`), in source order.
    pub directives: Vec<Directive>,
    /// The whole.
    pub span: Span,
}

/// `// …` or `/* … */`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Comment {
    /// With its markers, without the line end.
    pub span: Span,
    /// `/* … */`
    pub block: bool,
}

/// `#disable-next-line BCP001`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directive {
    /// The word after `#`: `disable-next-line`, `disable-diagnostics`, `restore-diagnostics`.
    pub name: EcoString,
    /// What it names.
    pub codes: Vec<Identifier>,
    /// From `#` to the last code.
    pub span: Span,
}

/// A name and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identifier {
    /// The name.
    pub name: EcoString,
    /// The name alone.
    pub span: Span,
}

/// A declaration with its decorators.
#[derive(Clone, Debug)]
pub struct Statement {
    /// `@…` before it.
    pub decorators: Vec<Decorator>,
    /// What it declares.
    pub kind: StatementKind,
    /// From the first decorator to the end.
    pub span: Span,
    /// From the keyword to the name or type: what a finding about the whole declaration underlines.
    pub header: Span,
    /// There was an error inside: what it says is uncertain.
    pub repaired: bool,
}

/// The kinds of declaration.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// `targetScope = 'subscription'`
    TargetScope(Expression),
    /// `metadata name = value`
    Metadata(Identifier, Expression),
    /// `param name type = default`
    Parameter(ParameterDeclaration),
    /// `param name = value` in a parameters file.
    ParameterAssignment(Identifier, Expression),
    /// `type name = …`
    Type(Identifier, Type),
    /// `var name type = value`
    Variable(VariableDeclaration),
    /// `func name(a string) int => …`
    Function(FunctionDeclaration),
    /// `resource name 'type@version' existing = …`
    Resource(ResourceDeclaration),
    /// `module name 'path' = …`
    Module(ModuleDeclaration),
    /// `output name type = value`
    Output(OutputDeclaration),
    /// `import { a as b } from 'path'`, `import * as a from 'path'`
    Import(ImportDeclaration),
    /// `extension name with { … } as alias`, `import 'az@1.0.0' as az`
    Extension(ExtensionDeclaration),
    /// `extensionConfig name with { … }` in a parameters file.
    ExtensionConfiguration(Identifier, Object),
    /// `using 'main.bicep'`; without a path for `using none`.
    Using(Option<Expression>, Option<Object>),
    /// `extends 'shared.bicepparam'`
    Extends(Expression),
    /// `test name 'path' = { … }` (experimental)
    Test(ModuleDeclaration),
    /// `assert name = condition` (experimental)
    Assert(Identifier, Expression),
    /// Decorators without a declaration.
    Missing,
}

/// `@description('…')`, `@sys.secure()`.
#[derive(Clone, Debug)]
pub struct Decorator {
    /// The name parts: `secure`, or `sys` and `secure`.
    pub name: Vec<Identifier>,
    /// The arguments, when it is a call.
    pub arguments: Vec<Expression>,
    /// With the `@`.
    pub span: Span,
}

impl Decorator {
    /// The last part of the name.
    pub fn last_name(&self) -> &str {
        self.name.last().map_or("", |part| &part.name)
    }
}

/// `param name type = default`.
#[derive(Clone, Debug)]
pub struct ParameterDeclaration {
    /// Its name.
    pub name: Identifier,
    /// Its type; `None` when it could not be read.
    pub declared_type: Option<Type>,
    /// Its default.
    pub default: Option<Expression>,
}

/// `var name type = value`.
#[derive(Clone, Debug)]
pub struct VariableDeclaration {
    /// Its name.
    pub name: Identifier,
    /// Its type, which may be left out.
    pub declared_type: Option<Type>,
    /// Its value.
    pub value: Expression,
}

/// `func name(a string) int => body`.
#[derive(Clone, Debug)]
pub struct FunctionDeclaration {
    /// Its name.
    pub name: Identifier,
    /// Its parameters.
    pub parameters: Vec<(Identifier, Option<Type>)>,
    /// What it returns.
    pub returns: Option<Type>,
    /// What it computes.
    pub body: Expression,
    /// From the parameter list to the end of the body.
    pub lambda: Span,
}

/// `resource name 'type@version' existing = body`.
#[derive(Clone, Debug)]
pub struct ResourceDeclaration {
    /// Its symbolic name.
    pub name: Identifier,
    /// The type with its version: a string.
    pub resource_type: Expression,
    /// It is only looked up.
    pub existing: bool,
    /// What it is like.
    pub body: Body,
}

/// `module name 'path' = body`.
#[derive(Clone, Debug)]
pub struct ModuleDeclaration {
    /// Its symbolic name.
    pub name: Identifier,
    /// Where its source is: a string.
    pub path: Expression,
    /// What it is given.
    pub body: Body,
}

/// `output name type = value`.
#[derive(Clone, Debug)]
pub struct OutputDeclaration {
    /// Its name.
    pub name: Identifier,
    /// Its type; `None` when it could not be read.
    pub declared_type: Option<Type>,
    /// Its value.
    pub value: Expression,
}

/// `import … from 'path'`.
#[derive(Clone, Debug)]
pub struct ImportDeclaration {
    /// What is imported.
    pub symbols: ImportedSymbols,
    /// From where.
    pub path: Expression,
}

/// What an `import` brings.
#[derive(Clone, Debug)]
pub enum ImportedSymbols {
    /// `{ a, b as c }`: the exported name, its span, and the name used here.
    List(Vec<(Identifier, Option<Identifier>)>, Span),
    /// `* as name`
    Wildcard(Identifier, Span),
    /// Could not be read.
    Invalid,
}

/// `extension specification with { … } as alias`.
#[derive(Clone, Debug)]
pub struct ExtensionDeclaration {
    /// A name or a string.
    pub specification: Expression,
    /// Its configuration.
    pub configuration: Option<Object>,
    /// The name used here.
    pub alias: Option<Identifier>,
}

/// The body of a resource or module: `[for … : if (…) { … }]`.
#[derive(Clone, Debug)]
pub struct Body {
    /// `for …`
    pub repeat: Option<ForHeader>,
    /// `if (…)`
    pub condition: Option<Expression>,
    /// `{ … }`; incomplete when it could not be read.
    pub object: Object,
    /// From the `if` to the end of the object; the object's span without a condition.
    pub conditional: Span,
    /// The whole.
    pub span: Span,
}

/// `for (item, index) in collection`.
#[derive(Clone, Debug)]
pub struct ForHeader {
    /// The name of the element.
    pub item: Identifier,
    /// The name of the index.
    pub index: Option<Identifier>,
    /// What it runs over.
    pub collection: Expression,
}

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
