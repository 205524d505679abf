//! From JSON to the template model.

mod resources;
mod values;

use std::path::Path;

use ecow::EcoString;
use indexmap::IndexMap;

use super::expression::ast::{Expression, ExpressionKind, Iteration, LoopSource};
use super::json::{Node, NodeKind};
use super::model::{Function, Output, Parameter, Template, TemplateScope, Variable};
use crate::resource::Diagnostic;
use crate::source::{SourceFile, Span};

pub(crate) use values::{lower_literal, lower_value};

/// What a template's JSON becomes, and what is to be said about it.
#[derive(Debug)]
pub struct Lowered {
    /// The template.
    pub template: Template,
    /// Problems found on the way.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the template in a file. Damage is a diagnostic; what can be read is kept.
pub fn read_template(file: &SourceFile) -> Lowered {
    let mut lower = Lower { file, diagnostics: Vec::new() };
    let parsed = super::json::parse(file.text(), file.id());
    if let Some((message, span)) = parsed.problem {
        let problem = Diagnostic::error("syntax-error", message, span)
            .with_help("what stands before this place was read, the rest was not");
        lower.diagnostics.push(problem);
    }
    let template = match &parsed.root {
        Some(root) => lower.template(root, file.path()),
        None => Template { path: file.path().to_path_buf(), ..Template::default() },
    };
    Lowered { template, diagnostics: lower.diagnostics }
}

/// The scope that a `$schema` names; `None` if it is not a deployment template's.
pub fn schema_scope(schema: &str) -> Option<TemplateScope> {
    let schema = schema.to_ascii_lowercase();
    let name = schema.trim_end_matches('#').rsplit('/').next()?;
    match name {
        "deploymenttemplate.json" => Some(TemplateScope::ResourceGroup),
        "subscriptiondeploymenttemplate.json" => Some(TemplateScope::Subscription),
        "managementgroupdeploymenttemplate.json" => Some(TemplateScope::ManagementGroup),
        "tenantdeploymenttemplate.json" => Some(TemplateScope::Tenant),
        _ => None,
    }
}

pub(crate) struct Lower<'f> {
    file: &'f SourceFile,
    diagnostics: Vec<Diagnostic>,
}

impl Lower<'_> {
    fn warn(&mut self, code: &'static str, message: impl Into<String>, span: Span) {
        self.diagnostics.push(Diagnostic::warning(code, message, span));
    }

    fn template(&mut self, root: &Node, path: &Path) -> Template {
        let mut template = Template { path: path.to_path_buf(), span: root.span, ..Template::default() };
        if let Some(scope) = root.get("$schema").and_then(Node::as_str).and_then(schema_scope) {
            template.scope = scope;
        }
        if let Some(parameters) = root.get("parameters") {
            for property in self.object(parameters, "parameters") {
                let parameter = self.parameter(&property.key, &property.value, property.span, root);
                template.parameters.insert(lower_case(&property.key), parameter);
            }
        }
        if let Some(variables) = root.get("variables") {
            self.variables(variables, &mut template);
        }
        if let Some(functions) = root.get("functions") {
            self.functions(functions, &mut template);
        }
        if let Some(outputs) = root.get("outputs") {
            for property in self.object(outputs, "outputs") {
                if let Some(output) = self.output(&property.key, &property.value, property.span) {
                    template.outputs.insert(lower_case(&property.key), output);
                }
            }
        }
        if let Some(resources) = root.get("resources") {
            template.symbolic = matches!(resources.kind, NodeKind::Object(_));
            self.resources(resources, None, &mut template);
        }
        template
    }

    /// The properties of what ought to be an object; a diagnostic and nothing if it is none.
    fn object<'n>(&mut self, node: &'n Node, what: &str) -> &'n [super::json::Property] {
        if !matches!(node.kind, NodeKind::Object(_) | NodeKind::Null) {
            self.warn("invalid-template", format!("`{what}` is not an object"), node.span);
        }
        node.properties()
    }

    fn parameter(&mut self, name: &EcoString, node: &Node, span: Span, root: &Node) -> Parameter {
        self.object(node, name);
        let mut parameter = Parameter {
            name: name.clone(),
            span,
            type_name: None,
            secure: false,
            nullable: false,
            default: node.get("defaultValue").map(|value| lower_value(self, value)),
            allowed: None,
        };
        let mut declaration = Some(node);
        // References to definitions may form a circle.
        for _ in 0..16 {
            let Some(node) = declaration else { break };
            if parameter.type_name.is_none() {
                parameter.type_name =
                    node.get("type").and_then(Node::as_str).map(|name| name.to_lowercase().into());
            }
            parameter.nullable |= node.get("nullable").and_then(Node::as_bool).unwrap_or(false);
            if parameter.allowed.is_none() {
                let allowed =
                    node.get("allowedValues").filter(|node| matches!(node.kind, NodeKind::Array(_)));
                parameter.allowed = allowed.map(lower_literal);
            }
            declaration = node
                .get("$ref")
                .and_then(Node::as_str)
                .and_then(|reference| reference.strip_prefix("#/definitions/"))
                .and_then(|name| root.get("definitions")?.get(name));
        }
        parameter.secure = parameter
            .type_name
            .as_deref()
            .is_some_and(|name| matches!(name, "securestring" | "secureobject"));
        parameter
    }

    fn variables(&mut self, node: &Node, template: &mut Template) {
        for property in self.object(node, "variables") {
            // `copy` beside the variables makes more of them.
            if property.key.eq_ignore_ascii_case("copy")
                && let NodeKind::Array(loops) = &property.value.kind
            {
                for one in loops {
                    match values::property_loop(self, one) {
                        Some((name, value)) => {
                            let variable = Variable { name: name.clone(), value, span: one.span };
                            template.variables.insert(lower_case(&name), variable);
                        }
                        None => self.warn(
                            "invalid-template",
                            "a `copy` without `name`, `count` or `input`",
                            one.span,
                        ),
                    }
                }
                continue;
            }
            let variable = Variable {
                name: property.key.clone(),
                value: lower_value(self, &property.value),
                span: property.span,
            };
            template.variables.insert(lower_case(&property.key), variable);
        }
    }

    fn functions(&mut self, node: &Node, template: &mut Template) {
        for group in node.elements() {
            let namespace = group.get("namespace").and_then(Node::as_str).unwrap_or("");
            for member in group.get("members").map_or(&[][..], Node::properties) {
                let name = EcoString::from(format!("{namespace}.{}", member.key));
                let Some(value) = member.value.get("output").and_then(|output| output.get("value")) else {
                    self.warn(
                        "invalid-template",
                        format!("the function `{name}` has no output value"),
                        member.key_span,
                    );
                    continue;
                };
                let parameters = member.value.get("parameters").map_or(&[][..], Node::elements);
                let parameters = parameters
                    .iter()
                    .filter_map(|node| node.get("name")?.as_str().map(EcoString::from))
                    .collect();
                let function = Function {
                    name: name.clone(),
                    parameters,
                    body: lower_value(self, value),
                    span: member.span,
                };
                template.functions.insert(lower_case(&name), function);
            }
        }
    }

    fn output(&mut self, name: &EcoString, node: &Node, span: Span) -> Option<Output> {
        let condition = node.get("condition").map(|condition| lower_value(self, condition));
        let value = match (node.get("value"), node.get("copy")) {
            (Some(value), _) => lower_value(self, value),
            (None, Some(copy)) => {
                let count = lower_value(self, copy.get("count")?);
                let body = lower_value(self, copy.get("input")?);
                let iteration = Iteration {
                    copy: Some(EcoString::new()),
                    source: LoopSource::Count(count),
                    item: None,
                    index: None,
                    span: copy.span,
                };
                let looped = super::expression::ast::Loop { iteration, body };
                Expression::new(ExpressionKind::Loop(Box::new(looped)), copy.span)
            }
            (None, None) => {
                self.warn("invalid-template", format!("the output `{name}` has no value"), span);
                return None;
            }
        };
        Some(Output { name: name.clone(), value, condition, span })
    }
}

/// The lower-case form under which names are looked up.
pub(crate) fn lower_case(name: &str) -> EcoString {
    EcoString::from(name).to_lowercase()
}

/// The values of a parameter file, by lower-case name.
///
/// # Errors
/// What is wrong with the file, when nothing of it can be used.
pub fn read_parameters(
    file: &SourceFile,
) -> Result<IndexMap<EcoString, (EcoString, Expression)>, Diagnostic> {
    let parsed = super::json::parse(file.text(), file.id());
    if let Some((message, span)) = parsed.problem {
        return Err(Diagnostic::error("syntax-error", message, span));
    }
    let Some(root) = parsed.root else { return Ok(IndexMap::new()) };
    let parameters = match root.get("parameters") {
        Some(parameters) => parameters,
        None if root.get("$schema").is_none() => &root,
        None => return Ok(IndexMap::new()),
    };
    let mut values = IndexMap::new();
    for property in parameters.properties() {
        if let Some(value) = values::argument(&property.value, lower_literal) {
            values.insert(lower_case(&property.key), (property.key.clone(), value));
        }
    }
    Ok(values)
}
