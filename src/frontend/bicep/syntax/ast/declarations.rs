//! What each kind of declaration holds.

use crate::source::Span;

use super::{Expression, Identifier, Object, Type};

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
