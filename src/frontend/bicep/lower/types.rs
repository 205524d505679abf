//! What the model needs to know of a type: its base and whether null is one of its values.

use ecow::EcoString;

use super::expressions::MAX_DEPTH;
use super::{Builder, Context};
use crate::frontend::bicep::syntax::ast::*;
use crate::frontend::bicep::unit::Symbol;

/// How many types are looked at for one declaration. Aliases of unions of aliases grow fast.
const MAX_STEPS: u32 = 2_000;

/// What is known of a type.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TypeFacts {
    /// `string`, `int`, `bool`, `array` or `object`; `None` when it is something else or not known.
    pub base: Option<EcoString>,
    /// Null is one of its values.
    pub nullable: bool,
    /// The type's declaration carries `@secure()`.
    pub secure: bool,
}

impl Builder<'_, '_> {
    pub(super) fn type_facts(&mut self, declared: &Type, context: &Context) -> TypeFacts {
        let mut left = MAX_STEPS;
        self.facts(declared, context.scope, &mut left)
    }

    fn facts(&mut self, declared: &Type, scope: usize, left: &mut u32) -> TypeFacts {
        *left = left.saturating_sub(1);
        self.depth += 1;
        let facts = if *left == 0 || self.depth > MAX_DEPTH {
            TypeFacts::default()
        } else {
            self.facts_of_kind(declared, scope, left)
        };
        self.depth -= 1;
        facts
    }

    fn facts_of_kind(&mut self, declared: &Type, scope: usize, left: &mut u32) -> TypeFacts {
        let base = |name: &str| TypeFacts { base: Some(name.into()), ..TypeFacts::default() };
        match &declared.kind {
            TypeKind::Name(name) => match name.as_str() {
                "string" | "int" | "bool" | "array" | "object"
                    if !self.unit_of(scope).symbols.contains_key(name) =>
                {
                    base(name)
                }
                _ => self.alias(name, scope, left),
            },
            TypeKind::Access(inner, steps) => match (steps.last().map(|step| &step.kind), &inner.kind) {
                (Some(TypeStepKind::Array), _) => base("array"),
                (Some(TypeStepKind::Property(property)), TypeKind::Name(name)) if steps.len() == 1 => {
                    self.member(name, &property.name, scope, left)
                }
                _ => TypeFacts::default(),
            },
            TypeKind::Literal(literal) => match &literal.kind {
                ExpressionKind::String(_) | ExpressionKind::Template(_) => base("string"),
                ExpressionKind::Number(_) => base("int"),
                ExpressionKind::Bool(_) => base("bool"),
                ExpressionKind::Null => TypeFacts { nullable: true, ..TypeFacts::default() },
                _ => TypeFacts::default(),
            },
            TypeKind::Unary(UnaryOperator::Not, _) => base("bool"),
            TypeKind::Unary(..) => base("int"),
            TypeKind::Object(_) => base("object"),
            TypeKind::Tuple(_) => base("array"),
            TypeKind::Union(members) => {
                let mut facts = TypeFacts::default();
                let mut first = true;
                for member in members {
                    let member = self.facts(member, scope, left);
                    facts.nullable |= member.nullable;
                    if member.base.is_none() && member.nullable {
                        continue;
                    }
                    match first {
                        true => facts.base = member.base,
                        false if facts.base != member.base => facts.base = None,
                        false => {}
                    }
                    first = false;
                }
                facts
            }
            TypeKind::Suffixed(inner, suffix) => {
                let nullable = *suffix == TypeSuffix::Nullable;
                TypeFacts { nullable, ..self.facts(inner, scope, left) }
            }
            TypeKind::Parenthesis(inner) => self.facts(inner, scope, left),
            TypeKind::Generic(..) | TypeKind::Resource(_) | TypeKind::Invalid => TypeFacts::default(),
        }
    }

    /// A type declared under a name, here or where it is imported from.
    fn alias(&mut self, name: &EcoString, scope: usize, left: &mut u32) -> TypeFacts {
        let Some((scope, name)) = self.find(scope, name) else { return TypeFacts::default() };
        let unit = self.unit_of(scope);
        let Some(statement) = unit.declaration(&name) else { return TypeFacts::default() };
        let StatementKind::Type(_, declared) = &statement.kind else { return TypeFacts::default() };
        let facts = self.facts(declared, scope, left);
        let secure = statement.decorators.iter().any(|decorator| decorator.last_name() == "secure");
        TypeFacts { secure: facts.secure || secure, ..facts }
    }

    /// `a.b`: a built-in type (`sys.string`), a type of an imported file, or the type of a property.
    fn member(&mut self, name: &EcoString, property: &EcoString, scope: usize, left: &mut u32) -> TypeFacts {
        match self.unit_of(scope).symbols.get(name).cloned() {
            Some(Symbol::Namespace(import)) => match self.imported_scope(scope, import) {
                Some(scope) => self.alias(property, scope, left),
                None => TypeFacts::default(),
            },
            Some(Symbol::Declaration(_) | Symbol::Imported(..)) => {
                let Some((scope, name)) = self.find(scope, name) else { return TypeFacts::default() };
                let unit = self.unit_of(scope);
                let Some(StatementKind::Type(_, Type { kind: TypeKind::Object(object), .. })) =
                    unit.declaration(&name).map(|statement| &statement.kind)
                else {
                    return TypeFacts::default();
                };
                let wanted = |p: &&ObjectTypeProperty| {
                    p.key.as_ref().and_then(ObjectKey::constant) == Some(property.as_str())
                };
                match object.properties.iter().find(wanted) {
                    Some(property) => self.facts(&property.value, scope, left),
                    None => TypeFacts::default(),
                }
            }
            Some(Symbol::Extension) => TypeFacts::default(),
            None if name == "sys" => {
                let known = matches!(property.as_str(), "string" | "int" | "bool" | "array" | "object");
                TypeFacts { base: known.then(|| property.clone()), ..TypeFacts::default() }
            }
            None => TypeFacts::default(),
        }
    }
}
