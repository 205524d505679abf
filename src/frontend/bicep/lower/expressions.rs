//! Expressions: names resolved, chains taken apart.

use ecow::{EcoString, eco_format};

use super::{Builder, Context};
use crate::frontend::arm::expression::ast as arm;
use crate::frontend::bicep::syntax::ast::*;
use crate::frontend::bicep::unit::Symbol;
use crate::resource::Diagnostic;
use crate::source::Span;

/// How deep an expression may become: nesting, steps of a chain and operators in a row counted together.
pub(super) const MAX_DEPTH: u32 = 600;

impl Builder<'_, '_> {
    pub(super) fn expression(&mut self, expression: &Expression, context: &Context) -> arm::Expression {
        self.deeper(1, expression.span, |builder| builder.expression_here(expression, context))
    }

    fn deeper(
        &mut self,
        levels: usize,
        span: Span,
        part: impl FnOnce(&mut Self) -> arm::Expression,
    ) -> arm::Expression {
        let levels = u32::try_from(levels).unwrap_or(u32::MAX);
        let before = self.depth;
        self.depth = before.saturating_add(levels);
        let result = if self.depth > MAX_DEPTH {
            let message = "this expression is too deeply nested to be evaluated";
            self.compiler.say(Diagnostic::warning("limit", message, self.place(span)));
            self.invalid(message, span)
        } else {
            part(self)
        };
        self.depth = before;
        result
    }

    pub(super) fn invalid(&self, why: impl Into<EcoString>, span: Span) -> arm::Expression {
        self.make(arm::ExpressionKind::Invalid(why.into()), span)
    }

    fn expression_here(&mut self, expression: &Expression, context: &Context) -> arm::Expression {
        let span = expression.span;
        let kind = match &expression.kind {
            ExpressionKind::Null => arm::ExpressionKind::Null,
            ExpressionKind::Bool(value) => arm::ExpressionKind::Bool(*value),
            ExpressionKind::Number(number) => arm::ExpressionKind::Number(number.clone()),
            ExpressionKind::String(text) => arm::ExpressionKind::String(text.clone()),
            ExpressionKind::Template(parts) => {
                let parts = parts.iter().map(|part| match part {
                    TemplatePart::Literal(text) => arm::StringPart::Literal(text.clone()),
                    TemplatePart::Expression(hole) => arm::StringPart::Hole(self.expression(hole, context)),
                });
                arm::ExpressionKind::Interpolation(parts.collect())
            }
            ExpressionKind::Array(array) => {
                let mut items: Vec<arm::ArrayItem> = Vec::with_capacity(array.items.len());
                for item in &array.items {
                    items.push(match item {
                        ArrayItem::Expression(item) => {
                            arm::ArrayItem::Element(self.expression(item, context))
                        }
                        ArrayItem::Spread(item, _) => arm::ArrayItem::Spread(self.expression(item, context)),
                    });
                }
                if array.incomplete {
                    items.push(arm::ArrayItem::Spread(self.invalid("a part that could not be read", span)));
                }
                arm::ExpressionKind::Array(items)
            }
            ExpressionKind::Object(object) => return self.object(object, context, &|_| true),
            ExpressionKind::Variable(name) => return self.name(name, span, context),
            ExpressionKind::Access(access) => return self.access(access, span, context),
            ExpressionKind::Call(call) => return self.call(None, call, span, context),
            ExpressionKind::Unary(operator, operand) => {
                let operand = self.expression(operand, context);
                match operator {
                    UnaryOperator::Plus => return operand,
                    UnaryOperator::Not => arm::ExpressionKind::Unary {
                        operator: arm::UnaryOperator::Not,
                        operand: Box::new(operand),
                    },
                    UnaryOperator::Negate => arm::ExpressionKind::Unary {
                        operator: arm::UnaryOperator::Negate,
                        operand: Box::new(operand),
                    },
                }
            }
            ExpressionKind::Binary(chain) => return self.binary(chain, span, context),
            ExpressionKind::Conditional(parts) => arm::ExpressionKind::Conditional {
                condition: Box::new(self.expression(&parts.0, context)),
                then: Box::new(self.expression(&parts.1, context)),
                otherwise: Box::new(self.expression(&parts.2, context)),
            },
            ExpressionKind::For(repeat) => {
                let (iteration, inner) = self.iteration(&repeat.header, context);
                let body = self.expression(&repeat.body, &inner);
                arm::ExpressionKind::Loop(Box::new(arm::Loop { iteration, body }))
            }
            ExpressionKind::Lambda(lambda) => {
                let parameters: Vec<EcoString> = lambda.parameters.iter().map(|p| p.name.clone()).collect();
                let mut inner = context.clone();
                inner.locals.extend(parameters.iter().cloned());
                let body = Box::new(self.expression(&lambda.body, &inner));
                arm::ExpressionKind::Lambda { parameters, body }
            }
            ExpressionKind::Parenthesis(inner) => return self.expression(inner, context),
            ExpressionKind::Invalid => arm::ExpressionKind::Invalid("a part that could not be read".into()),
        };
        self.make(kind, span)
    }

    /// An object, of which only the properties with certain names are wanted. Computed keys are always wanted.
    pub(super) fn object(
        &mut self,
        object: &Object,
        context: &Context,
        wanted: &dyn Fn(&str) -> bool,
    ) -> arm::Expression {
        let mut items = Vec::with_capacity(object.members.len());
        for member in &object.members {
            match member {
                ObjectMember::Property(property) => {
                    if property.key.constant().is_some_and(|key| !wanted(key)) {
                        continue;
                    }
                    let key = match &property.key {
                        ObjectKey::Name(name) => {
                            self.make(arm::ExpressionKind::String(name.name.clone()), name.span)
                        }
                        ObjectKey::Expression(key) => self.expression(key, context),
                    };
                    let value = self.expression(&property.value, context);
                    items.push(arm::ObjectItem::Property { key, value, span: self.place(property.span) });
                }
                ObjectMember::Spread(value, _) => {
                    items.push(arm::ObjectItem::Spread(self.expression(value, context)));
                }
                ObjectMember::Resource(_) => {}
            }
        }
        if object.incomplete {
            items.push(arm::ObjectItem::Spread(self.invalid("a part that could not be read", object.span)));
        }
        self.make(arm::ExpressionKind::Object(items), object.span)
    }

    /// A loop's header, and what its body sees.
    pub(super) fn iteration(&mut self, header: &ForHeader, context: &Context) -> (arm::Iteration, Context) {
        let source = arm::LoopSource::Items(self.expression(&header.collection, context));
        let mut inner = context.clone();
        inner.locals.push(header.item.name.clone());
        inner.locals.extend(header.index.iter().map(|index| index.name.clone()));
        let iteration = arm::Iteration {
            copy: None,
            source,
            item: Some(header.item.name.clone()),
            index: header.index.as_ref().map(|index| index.name.clone()),
            span: self.place(header.item.span.to(header.collection.span)),
        };
        (iteration, inner)
    }

    fn binary(&mut self, chain: &BinaryChain, span: Span, context: &Context) -> arm::Expression {
        // Long chains of these may be grouped in any way, and so need not become deep.
        let associative = |operator| {
            matches!(operator, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Coalesce)
        };
        if chain.rest.len() > 8 && chain.rest.iter().all(|(operator, _)| associative(*operator)) {
            // All operators of a chain have the same precedence, and these have one each.
            let operator = chain.rest.first().map_or(BinaryOperator::And, |(operator, _)| *operator);
            let operands: Vec<&Expression> =
                std::iter::once(&chain.first).chain(chain.rest.iter().map(|(_, operand)| operand)).collect();
            return self.deeper(16, span, |builder| builder.balanced(operator, &operands, context));
        }
        self.deeper(chain.rest.len(), span, |builder| {
            let mut left = builder.expression(&chain.first, context);
            for (operator, right) in &chain.rest {
                let right = builder.expression(right, context);
                left = builder.binary_of(*operator, left, right);
            }
            left
        })
    }

    fn balanced(
        &mut self,
        operator: BinaryOperator,
        operands: &[&Expression],
        context: &Context,
    ) -> arm::Expression {
        match operands {
            [one] => self.expression(one, context),
            _ => {
                let (left, right) = operands.split_at(operands.len().div_ceil(2));
                if left.is_empty() || right.is_empty() {
                    return self.invalid("an empty operation", Span::NOWHERE);
                }
                let left = self.balanced(operator, left, context);
                let right = self.balanced(operator, right, context);
                self.binary_of(operator, left, right)
            }
        }
    }

    fn binary_of(
        &self,
        operator: BinaryOperator,
        left: arm::Expression,
        right: arm::Expression,
    ) -> arm::Expression {
        let operator = match operator {
            BinaryOperator::Multiply => arm::BinaryOperator::Multiply,
            BinaryOperator::Divide => arm::BinaryOperator::Divide,
            BinaryOperator::Modulo => arm::BinaryOperator::Modulo,
            BinaryOperator::Add => arm::BinaryOperator::Add,
            BinaryOperator::Subtract => arm::BinaryOperator::Subtract,
            BinaryOperator::Less => arm::BinaryOperator::Less,
            BinaryOperator::LessOrEqual => arm::BinaryOperator::LessOrEqual,
            BinaryOperator::Greater => arm::BinaryOperator::Greater,
            BinaryOperator::GreaterOrEqual => arm::BinaryOperator::GreaterOrEqual,
            BinaryOperator::Equal => arm::BinaryOperator::Equal,
            BinaryOperator::NotEqual => arm::BinaryOperator::NotEqual,
            BinaryOperator::EqualIgnoringCase => arm::BinaryOperator::EqualIgnoringCase,
            BinaryOperator::NotEqualIgnoringCase => arm::BinaryOperator::NotEqualIgnoringCase,
            BinaryOperator::And => arm::BinaryOperator::And,
            BinaryOperator::Or => arm::BinaryOperator::Or,
            BinaryOperator::Coalesce => arm::BinaryOperator::Coalesce,
        };
        let span = left.span.to(right.span);
        let (left, right) = (Box::new(left), Box::new(right));
        arm::Expression::new(arm::ExpressionKind::Binary { operator, left, right }, span)
    }

    /// A name by itself.
    fn name(&mut self, name: &EcoString, span: Span, context: &Context) -> arm::Expression {
        if context.locals.contains(name) {
            return self.make(arm::ExpressionKind::Local(name.clone()), span);
        }
        if context.function.as_ref().is_some_and(|parameters| parameters.contains(name)) {
            return self.make(arm::ExpressionKind::Parameter(name.clone()), span);
        }
        if let Some((_, symbol)) = context.nested.iter().rev().find(|(nested, _)| nested == name) {
            return self.make(arm::ExpressionKind::Resource(symbol.clone()), span);
        }
        let Some((scope, original)) = self.find(context.scope, name) else {
            if name == "base" && self.is_parameters_file(context.scope) {
                return self.base_object(span, context);
            }
            if !self.unit_of(context.scope).symbols.contains_key(name) {
                let message = format!("there is no `{name}` here");
                self.compiler.say(Diagnostic::warning("unknown-name", message.clone(), self.place(span)));
                return self.invalid(message, span);
            }
            return self.not_importable(eco_format!("`{name}`"), span);
        };
        self.declared_name(scope, &original, span)
    }

    /// A value that is declared in a file that cannot be imported from.
    fn not_importable(&mut self, what: EcoString, span: Span) -> arm::Expression {
        let message = eco_format!("{what} cannot be imported, so its value is not known");
        self.compiler.say(Diagnostic::note("unsupported", message.clone(), self.place(span)));
        self.invalid(message, span)
    }

    /// What a declaration of a file is by name in the template.
    pub(super) fn declared_name(&mut self, scope: usize, name: &EcoString, span: Span) -> arm::Expression {
        let unit = self.unit_of(scope);
        let key = self.key(scope, name);
        let kind = match unit.declaration(name).map(|statement| &statement.kind) {
            Some(StatementKind::Parameter(_)) if scope == 0 => arm::ExpressionKind::Parameter(key),
            Some(StatementKind::Resource(_) | StatementKind::Module(_)) if scope == 0 => {
                arm::ExpressionKind::Resource(key)
            }
            Some(StatementKind::Variable(_) | StatementKind::ParameterAssignment(..)) => {
                self.request(scope, name);
                arm::ExpressionKind::Variable(key)
            }
            _ => arm::ExpressionKind::Invalid(eco_format!("`{name}`")),
        };
        self.make(kind, span)
    }

    /// The symbol of the resource that an expression names plainly.
    fn resource_symbol(&self, expression: &arm::Expression) -> Option<EcoString> {
        match &expression.kind {
            arm::ExpressionKind::Resource(symbol) => Some(symbol.clone()),
            arm::ExpressionKind::Index { target, .. } => match &target.kind {
                arm::ExpressionKind::Resource(symbol) => Some(symbol.clone()),
                _ => None,
            },
            _ => None,
        }
    }

    fn access(&mut self, access: &Access, span: Span, context: &Context) -> arm::Expression {
        self.deeper(access.steps.len(), span, |builder| builder.access_here(access, span, context))
    }

    fn access_here(&mut self, access: &Access, span: Span, context: &Context) -> arm::Expression {
        let mut steps = access.steps.iter();
        let mut current = match self.namespaced(access, context) {
            Some((first, used)) => {
                steps = access.steps.get(used..).unwrap_or(&[]).iter();
                first
            }
            None => self.expression(&access.base, context),
        };
        // After `.?`, the rest of the chain is null when something is missing.
        let mut lenient = false;
        for step in steps {
            let whole = Span { end: step.span.end, ..span };
            current = match &step.kind {
                AccessStepKind::Property { name, safe } => {
                    lenient |= *safe;
                    self.make(
                        arm::ExpressionKind::Property {
                            target: Box::new(current),
                            name: name.name.clone(),
                            name_span: self.place(name.span),
                            safe: lenient,
                        },
                        whole,
                    )
                }
                AccessStepKind::Index { index, safe, from_end } => {
                    lenient |= *safe;
                    let index = Box::new(self.expression(index, context));
                    let target = Box::new(current);
                    self.make(
                        arm::ExpressionKind::Index { target, index, safe: lenient, from_end: *from_end },
                        whole,
                    )
                }
                AccessStepKind::Nested(name) => match self.resource_symbol(&current) {
                    Some(symbol) => {
                        let nested = arm::ExpressionKind::Resource(eco_format!("{symbol}::{}", name.name));
                        match current.kind {
                            // A resource nested in one of a loop: `parents[0]::child`.
                            arm::ExpressionKind::Index { index, safe, from_end, .. } => {
                                let target = Box::new(self.make(nested, whole));
                                self.make(arm::ExpressionKind::Index { target, index, safe, from_end }, whole)
                            }
                            _ => self.make(nested, whole),
                        }
                    }
                    None => {
                        self.invalid(eco_format!("`::{}` of something that is no resource", name.name), whole)
                    }
                },
                AccessStepKind::NonNull => {
                    lenient = false;
                    self.make(arm::ExpressionKind::NotNull(Box::new(current)), whole)
                }
                AccessStepKind::Method(call) => {
                    lenient = false;
                    self.method(current, call, whole, context)
                }
            };
        }
        current
    }

    /// What begins with a namespace: `az.f(…)`, `types.constant`, `shared.f(…)`. Also how many steps that takes.
    fn namespaced(&mut self, access: &Access, context: &Context) -> Option<(arm::Expression, usize)> {
        let ExpressionKind::Variable(name) = &access.base.kind else { return None };
        let shadowed = context.locals.contains(name)
            || context.function.as_ref().is_some_and(|parameters| parameters.contains(name))
            || context.nested.iter().any(|(nested, _)| nested == name);
        if shadowed {
            return None;
        }
        let first = access.steps.first()?;
        let span = access.base.span.to(first.span);
        match (self.unit_of(context.scope).symbols.get(name).cloned(), &first.kind) {
            (Some(Symbol::Namespace(import)), AccessStepKind::Property { name: member, .. }) => {
                let Some(scope) = self.imported_scope(context.scope, import) else {
                    return Some((self.not_importable(eco_format!("`{name}`"), span), 1));
                };
                let found = self.find(scope, &member.name);
                Some(match found {
                    Some((scope, original)) => (self.declared_name(scope, &original, span), 1),
                    None => (self.not_importable(eco_format!("`{name}.{}`", member.name), span), 1),
                })
            }
            (Some(Symbol::Namespace(import)), AccessStepKind::Method(call)) => {
                let scope = self.imported_scope(context.scope, import);
                let found = scope.and_then(|scope| self.find(scope, &call.name.name));
                Some(match found {
                    Some((scope, original)) => (self.user_call(scope, &original, call, span, context), 1),
                    None => (self.not_importable(eco_format!("`{name}.{}`", call.name.name), span), 1),
                })
            }
            (Some(Symbol::Extension), AccessStepKind::Method(call)) => {
                Some((self.call(Some(name), call, span, context), 1))
            }
            (None, AccessStepKind::Method(call)) if name == "az" || name == "sys" => {
                Some((self.call(Some(name), call, span, context), 1))
            }
            _ => None,
        }
    }

    /// A call of a function by name.
    fn call(
        &mut self,
        namespace: Option<&EcoString>,
        call: &Call,
        span: Span,
        context: &Context,
    ) -> arm::Expression {
        if namespace.is_none()
            && let Some((scope, original)) = self.find(context.scope, &call.name.name)
            && matches!(
                self.unit_of(scope).declaration(&original).map(|statement| &statement.kind),
                Some(StatementKind::Function(_))
            )
        {
            return self.user_call(scope, &original, call, span, context);
        }
        if namespace.is_none()
            && matches!(self.unit_of(context.scope).symbols.get(&call.name.name), Some(Symbol::Imported(..)))
        {
            return self.not_importable(eco_format!("`{}`", call.name.name), span);
        }
        if let Some(special) = self.special_call(call, span, context) {
            return special;
        }
        let arguments = call.arguments.iter().map(|argument| self.expression(argument, context)).collect();
        let namespace = namespace.filter(|name| *name == "az" || *name == "sys").cloned();
        self.function_call(namespace, &call.name, arguments, span)
    }

    fn function_call(
        &self,
        namespace: Option<EcoString>,
        name: &Identifier,
        arguments: Vec<arm::Expression>,
        span: Span,
    ) -> arm::Expression {
        let name_span = self.place(name.span);
        self.make(
            arm::ExpressionKind::Call { namespace, name: name.name.clone(), name_span, arguments },
            span,
        )
    }

    /// A call of a function that a file declares.
    fn user_call(
        &mut self,
        scope: usize,
        name: &EcoString,
        call: &Call,
        span: Span,
        context: &Context,
    ) -> arm::Expression {
        self.request(scope, name);
        let arguments = call.arguments.iter().map(|argument| self.expression(argument, context)).collect();
        let key = Identifier { name: self.function_key(scope, name), span: call.name.span };
        self.function_call(None, &key, arguments, span)
    }

    /// The key of a user-defined function, which no built-in function has.
    pub(super) fn function_key(&self, scope: usize, name: &str) -> EcoString {
        eco_format!("user:{}", self.key(scope, name))
    }

    /// Functions that mean something only when the file is compiled.
    fn special_call(&mut self, call: &Call, span: Span, context: &Context) -> Option<arm::Expression> {
        Some(match call.name.name.as_str() {
            "any" => match call.arguments.as_slice() {
                [argument] => self.expression(argument, context),
                _ => return None,
            },
            "nameof" => {
                let [argument] = call.arguments.as_slice() else { return None };
                let name = match &argument.kind {
                    ExpressionKind::Variable(name) => Some(name.clone()),
                    ExpressionKind::Access(access) => match access.steps.last().map(|step| &step.kind) {
                        Some(AccessStepKind::Property { name, .. } | AccessStepKind::Nested(name)) => {
                            Some(name.name.clone())
                        }
                        Some(AccessStepKind::Index { index, .. }) => match &index.kind {
                            ExpressionKind::String(name) => Some(name.clone()),
                            _ => None,
                        },
                        _ => None,
                    },
                    _ => None,
                };
                match name {
                    Some(name) => self.make(arm::ExpressionKind::String(name), span),
                    None => self.invalid("`nameof` of an expression", span),
                }
            }
            "getSecret" => self.make(arm::ExpressionKind::Secret("getSecret".into()), span),
            "loadTextContent"
            | "loadFileAsBase64"
            | "loadJsonContent"
            | "loadYamlContent"
            | "loadDirectoryFileInfo" => self.load(call, span, context),
            _ => return None,
        })
    }

    /// `resource.function(…)`
    fn method(
        &mut self,
        target: arm::Expression,
        call: &Call,
        span: Span,
        context: &Context,
    ) -> arm::Expression {
        if call.name.name == "getSecret" {
            return self.make(arm::ExpressionKind::Secret("getSecret".into()), span);
        }
        let id = arm::ExpressionKind::Property {
            target: Box::new(target),
            name: "id".into(),
            name_span: self.place(call.name.span),
            safe: false,
        };
        let mut arguments = vec![self.make(id, span)];
        arguments.extend(call.arguments.iter().map(|argument| self.expression(argument, context)));
        self.function_call(None, &call.name, arguments, span)
    }
}
