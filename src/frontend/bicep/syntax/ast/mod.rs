//! The syntax tree of a Bicep or Bicep parameters file.
//!
//! Every node has a span. String escapes are applied; the parts of a file that could not be read are
//! [`ExpressionKind::Invalid`] or marked incomplete, never silently left out.

mod declarations;
mod expressions;
mod types;

use ecow::EcoString;

use crate::source::Span;

pub use declarations::*;
pub use expressions::*;
pub use types::*;

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
