//! Declarations: parameters, variables, functions, outputs, resources.

use ecow::{EcoString, eco_format};
use indexmap::IndexMap;

use super::{Builder, Context};
use crate::frontend::arm::expression::ast as arm;
use crate::frontend::arm::lower::lower_case;
use crate::frontend::arm::model::{
    Function, Output, Parameter, ResourceDeclaration as Resource, TemplateScope, Variable,
};
use crate::frontend::bicep::syntax::ast::*;
use crate::resource::Diagnostic;
use crate::source::Span;

/// The resource around a nested one.
struct Parent<'p> {
    symbol: &'p str,
    resource_type: Option<&'p str>,
    api_version: Option<&'p str>,
}

impl Builder<'_, '_> {
    pub(super) fn declaration(&mut self, statement: &Statement, context: &Context) {
        match &statement.kind {
            StatementKind::TargetScope(scope) => self.target_scope(scope),
            StatementKind::Parameter(parameter) => self.parameter(parameter, statement, context),
            StatementKind::ParameterAssignment(name, value) => {
                self.variable(&name.name, value, statement, context);
            }
            StatementKind::Variable(variable) => {
                self.variable(&variable.name.name, &variable.value, statement, context);
            }
            StatementKind::Function(function) => self.function(function, statement, context),
            StatementKind::Output(output) => self.output(output, statement, context),
            StatementKind::Resource(resource) => self.resource(resource, statement, None, context),
            StatementKind::Module(module) => self.module(module, statement, context),
            // Nothing of the network is in these.
            StatementKind::Metadata(..)
            | StatementKind::Type(..)
            | StatementKind::Import(_)
            | StatementKind::Extension(_)
            | StatementKind::ExtensionConfiguration(..)
            | StatementKind::Using(..)
            | StatementKind::Extends(_)
            | StatementKind::Test(_)
            | StatementKind::Assert(..)
            | StatementKind::Missing => {}
        }
    }

    fn target_scope(&mut self, scope: &Expression) {
        self.template.scope = match &scope.kind {
            ExpressionKind::String(name) => match name.as_str() {
                "subscription" => TemplateScope::Subscription,
                "managementGroup" => TemplateScope::ManagementGroup,
                "tenant" => TemplateScope::Tenant,
                _ => TemplateScope::ResourceGroup,
            },
            _ => TemplateScope::ResourceGroup,
        };
    }

    fn parameter(&mut self, parameter: &ParameterDeclaration, statement: &Statement, context: &Context) {
        if context.scope != 0 {
            return;
        }
        let facts = match &parameter.declared_type {
            Some(declared) => self.type_facts(declared, context),
            None => Default::default(),
        };
        let decorator = |name: &str| statement.decorators.iter().find(|d| d.last_name() == name);
        let allowed = decorator("allowed")
            .and_then(|decorator| decorator.arguments.first())
            .map(|allowed| self.expression(allowed, context));
        let default = parameter.default.as_ref().map(|default| self.expression(default, context));
        let secure = facts.secure || decorator("secure").is_some();
        let name = parameter.name.name.clone();
        let lowered = Parameter {
            name: name.clone(),
            span: self.place(statement.span),
            type_name: facts.base,
            secure,
            nullable: facts.nullable,
            default,
            allowed,
        };
        self.template.parameters.entry(lower_case(&self.key(0, &name))).or_insert(lowered);
    }

    fn variable(&mut self, name: &EcoString, value: &Expression, statement: &Statement, context: &Context) {
        let key = self.key(context.scope, name);
        let value = self.expression(value, context);
        let lowered = Variable { name: name.clone(), value, span: self.place(statement.span) };
        self.template.variables.entry(lower_case(&key)).or_insert(lowered);
    }

    fn function(&mut self, function: &FunctionDeclaration, statement: &Statement, context: &Context) {
        let name = &function.name.name;
        let parameters: Vec<EcoString> =
            function.parameters.iter().map(|(name, _)| name.name.clone()).collect();
        let inner = Context { function: Some(parameters.clone()), ..context.clone() };
        let body = self.expression(&function.body, &inner);
        let lowered = Function { name: name.clone(), parameters, body, span: self.place(statement.span) };
        let key = self.function_key(context.scope, name);
        self.template.functions.entry(lower_case(&key)).or_insert(lowered);
    }

    fn output(&mut self, output: &OutputDeclaration, statement: &Statement, context: &Context) {
        let name = output.name.name.clone();
        let value = self.expression(&output.value, context);
        let lowered = Output { name: name.clone(), value, condition: None, span: self.place(statement.span) };
        self.template.outputs.entry(lower_case(&name)).or_insert(lowered);
    }

    fn resource(
        &mut self,
        resource: &ResourceDeclaration,
        statement: &Statement,
        parent: Option<&Parent<'_>>,
        context: &Context,
    ) {
        if context.scope != 0 {
            return;
        }
        let name = &resource.name.name;
        let symbol = match parent {
            Some(parent) => eco_format!("{}::{name}", parent.symbol),
            None => self.key(0, name),
        };
        let (resource_type, api_version) = self.resource_type(&resource.resource_type, parent);
        let object = &resource.body.object;

        let (copy, mut inner) = match &resource.body.repeat {
            Some(header) => {
                let (iteration, inner) = self.iteration(header, context);
                (Some(iteration), inner)
            }
            None => (None, context.clone()),
        };
        for member in &object.members {
            if let ObjectMember::Resource(nested) = member
                && let StatementKind::Resource(nested) = &nested.kind
            {
                let nested = &nested.name.name;
                inner.nested.push((nested.clone(), eco_format!("{symbol}::{nested}")));
            }
        }
        let condition = resource.body.condition.as_ref().map(|condition| self.expression(condition, &inner));
        let value = |builder: &mut Self, key: &str| {
            object.get(key).map(|property| builder.expression(&property.value, &inner))
        };
        let lowered_name = value(self, "name")
            .unwrap_or_else(|| self.invalid(eco_format!("the name of `{name}`"), resource.name.span));
        let (parent_expression, nested) = match parent {
            Some(parent) => {
                let kind = arm::ExpressionKind::Resource(parent.symbol.into());
                (Some(self.make(kind, resource.name.span)), true)
            }
            None => (value(self, "parent"), false),
        };
        let scope = value(self, "scope");
        let depends_on = object.get("dependsOn").map_or(Vec::new(), |p| self.dependencies(&p.value, &inner));
        let body = self.object(object, &inner, &|key| !matches!(key, "parent" | "scope" | "dependsOn"));
        let lowered = Resource {
            symbol: symbol.clone(),
            resource_type: resource_type.clone().unwrap_or_default(),
            api_version: api_version.clone(),
            existing: resource.existing,
            name: lowered_name,
            parent: parent_expression,
            nested,
            condition,
            copy,
            depends_on,
            scope,
            subscription: None,
            resource_group: None,
            body,
            deployment: None,
            span: self.place(statement.span),
            header: self.place(statement.header),
        };
        if resource_type.is_some() {
            self.template.resources.push(lowered);
        }

        let around = Parent {
            symbol: &symbol,
            resource_type: resource_type.as_deref(),
            api_version: api_version.as_deref(),
        };
        for member in &object.members {
            if let ObjectMember::Resource(nested) = member
                && let StatementKind::Resource(declaration) = &nested.kind
            {
                self.resource(declaration, nested, Some(&around), &inner);
            }
        }
    }

    /// The full type and the version of `'type@version'`. `None` when it is not Azure's or cannot be read.
    fn resource_type(
        &mut self,
        expression: &Expression,
        parent: Option<&Parent<'_>>,
    ) -> (Option<EcoString>, Option<EcoString>) {
        let ExpressionKind::String(text) = &expression.kind else {
            if !matches!(expression.kind, ExpressionKind::Invalid) {
                let message = "the type of a resource must be a constant";
                self.compiler.say(Diagnostic::warning("unsupported", message, self.place(expression.span)));
            }
            return (None, None);
        };
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(EcoString::from(version))),
            None => (text.as_str(), None),
        };
        // The extension may be named.
        let name = name.strip_prefix("az:").unwrap_or(name);
        let Some(parent) = parent else {
            // A type of another extension (`core/Service@v1`) has no provider with a dot in its name.
            let azure =
                name.split('/').next().is_some_and(|provider| provider.contains('.')) && name.contains('/');
            return (azure.then(|| name.into()), version);
        };
        let Some(of_parent) = parent.resource_type else { return (None, version) };
        let full = name.len() > of_parent.len()
            && name.as_bytes().get(of_parent.len()) == Some(&b'/')
            && name.get(..of_parent.len()).is_some_and(|start| start.eq_ignore_ascii_case(of_parent));
        let name = if full { name.into() } else { eco_format!("{of_parent}/{name}") };
        (Some(name), version.or_else(|| parent.api_version.map(EcoString::from)))
    }

    /// What `dependsOn` lists. Of an expression that is no array literal, all resources named in it.
    pub(super) fn dependencies(&mut self, value: &Expression, context: &Context) -> Vec<arm::Expression> {
        let mut items = Vec::new();
        if let ExpressionKind::Array(array) = &value.kind {
            for item in &array.items {
                let (ArrayItem::Expression(item) | ArrayItem::Spread(item, _)) = item;
                let lowered = self.expression(item, context);
                if named(&lowered) {
                    items.push(lowered);
                } else {
                    resources_in(&lowered, &mut items);
                }
            }
        } else {
            let lowered = self.expression(value, context);
            resources_in(&lowered, &mut items);
        }
        items
    }

    /// The values that a module's `params` give.
    pub(super) fn arguments(
        &mut self,
        object: &Object,
        context: &Context,
    ) -> IndexMap<EcoString, arm::Expression> {
        let mut arguments = IndexMap::new();
        for member in &object.members {
            if let ObjectMember::Property(property) = member
                && let Some(key) = property.key.constant()
            {
                arguments.insert(lower_case(key), self.expression(&property.value, context));
            }
        }
        arguments
    }
}

/// Whether an expression is a resource, or one of a loop.
fn named(expression: &arm::Expression) -> bool {
    match &expression.kind {
        arm::ExpressionKind::Resource(_) => true,
        arm::ExpressionKind::Index { target, .. } => matches!(target.kind, arm::ExpressionKind::Resource(_)),
        _ => false,
    }
}

/// All resources named inside an expression.
fn resources_in(expression: &arm::Expression, found: &mut Vec<arm::Expression>) {
    let mut waiting = vec![expression];
    while let Some(expression) = waiting.pop() {
        match &expression.kind {
            arm::ExpressionKind::Resource(_) => found.push(expression.clone()),
            arm::ExpressionKind::Array(items) => waiting.extend(items.iter().map(|item| match item {
                arm::ArrayItem::Element(item) | arm::ArrayItem::Spread(item) => item,
            })),
            arm::ExpressionKind::Call { arguments, .. } => waiting.extend(arguments),
            arm::ExpressionKind::Lambda { body, .. } => waiting.push(body),
            arm::ExpressionKind::Conditional { then, otherwise, .. } => {
                waiting.extend([&**then, &**otherwise])
            }
            arm::ExpressionKind::Index { target, .. } | arm::ExpressionKind::Property { target, .. } => {
                waiting.push(target);
            }
            arm::ExpressionKind::NotNull(inner) => waiting.push(inner),
            arm::ExpressionKind::Binary { left, right, .. } => waiting.extend([&**left, &**right]),
            arm::ExpressionKind::Loop(inner) => waiting.push(&inner.body),
            _ => {}
        }
    }
}

/// The text of a string constant.
pub(super) fn string_constant(expression: &Expression) -> Option<(&EcoString, Span)> {
    match &expression.kind {
        ExpressionKind::String(text) => Some((text, expression.span)),
        _ => None,
    }
}
