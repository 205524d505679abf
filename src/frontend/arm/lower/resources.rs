//! The resources of a template: arrays and objects of them, children inside parents, deployments.

use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;

use super::super::expression::ast::{ARGUMENT_VALUE, Expression, ExpressionKind, Iteration, LoopSource};
use super::super::json::{Node, NodeKind};
use super::super::model::{Arguments, NestedDeployment, NestedTemplate, ResourceDeclaration, Template};
use super::{Lower, lower_case, lower_value, values};
use crate::source::Span;

/// Properties that say how the resource is deployed and are no part of it.
const DIRECTIVES: [&str; 7] =
    ["condition", "copy", "dependsOn", "resources", "existing", "import", "extension"];
/// Properties that say where a nested deployment (or an existing resource) is.
const PLACES: [&str; 3] = ["subscriptionId", "resourceGroup", "scope"];

/// The parent inside which a resource was written.
pub(super) struct Parent {
    symbol: EcoString,
    resource_type: EcoString,
    span: Span,
}

impl Lower<'_> {
    pub(super) fn resources(&mut self, node: &Node, parent: Option<&Parent>, template: &mut Template) {
        match &node.kind {
            NodeKind::Array(elements) => {
                for element in elements {
                    let symbol = EcoString::from(format!("#{}", template.resources.len()));
                    self.resource(symbol, element, element.span, parent, template);
                }
            }
            NodeKind::Object(properties) => {
                for property in properties {
                    self.resource(property.key.clone(), &property.value, property.span, parent, template);
                }
            }
            NodeKind::Null => {}
            _ => self.warn("invalid-template", "`resources` is neither an array nor an object", node.span),
        }
    }

    fn resource(
        &mut self,
        symbol: EcoString,
        node: &Node,
        span: Span,
        parent: Option<&Parent>,
        template: &mut Template,
    ) {
        let Some(written_type) = node.get("type").and_then(Node::as_str) else {
            self.warn("invalid-template", "a resource without a `type`", node.span);
            return;
        };
        let (plain_type, version) = match written_type.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (written_type, None),
        };
        // A child may repeat the parent's type in full; then its name is full too.
        let full = parent.is_none_or(|parent| {
            plain_type.len() > parent.resource_type.len()
                && plain_type.as_bytes().get(parent.resource_type.len()) == Some(&b'/')
                && plain_type
                    .get(..parent.resource_type.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(&parent.resource_type))
        });
        let resource_type = match parent {
            Some(parent) if !full => EcoString::from(format!("{}/{plain_type}", parent.resource_type)),
            _ => EcoString::from(plain_type),
        };
        let existing = node.get("existing").and_then(Node::as_bool).unwrap_or(false);
        let is_deployment =
            resource_type.eq_ignore_ascii_case("Microsoft.Resources/deployments") && !existing;
        let name_property = node.property("name");
        let name = match name_property {
            Some(property) => lower_value(self, &property.value),
            None => {
                if resource_type.starts_with("Microsoft.")
                    && node.get("import").is_none()
                    && node.get("extension").is_none()
                {
                    self.warn(
                        "invalid-template",
                        format!("a resource of type `{resource_type}` without a `name`"),
                        node.span,
                    );
                }
                Expression::new(ExpressionKind::Invalid("a resource without a name".into()), node.span)
            }
        };
        let api_version =
            node.get("apiVersion").and_then(Node::as_str).or(version).filter(|text| !text.starts_with('['));
        let places = is_deployment || existing;
        let mut optional = |name: &str, wanted: bool| {
            let value = if wanted { node.get(name) } else { None };
            value.filter(|value| !matches!(value.kind, NodeKind::Null)).map(|value| lower_value(self, value))
        };
        let condition = optional("condition", true);
        let scope = optional("scope", true);
        let subscription = optional("subscriptionId", places);
        let resource_group = optional("resourceGroup", places);
        let copy = node.get("copy").and_then(|copy| self.resource_loop(copy));
        let depends_on = match node.get("dependsOn") {
            Some(Node { kind: NodeKind::Array(elements), .. }) => {
                elements.iter().map(|element| lower_value(self, element)).collect()
            }
            Some(other) if !matches!(other.kind, NodeKind::Null) => vec![lower_value(self, other)],
            _ => Vec::new(),
        };
        let wanted = |key: &str| {
            let listed = |list: &[&str]| list.iter().any(|name| name.eq_ignore_ascii_case(key));
            let property = is_deployment && key.eq_ignore_ascii_case("properties");
            !(listed(&DIRECTIVES) || property || places && listed(&PLACES))
        };
        let body = values::object(self, node, &wanted);
        let deployment = if is_deployment { Some(self.deployment(node, template.symbolic)) } else { None };
        let declaration = ResourceDeclaration {
            symbol: symbol.clone(),
            resource_type: resource_type.clone(),
            api_version: api_version.map(EcoString::from),
            existing,
            name,
            parent: parent
                .map(|parent| Expression::new(ExpressionKind::Resource(parent.symbol.clone()), parent.span)),
            nested: parent.is_some(),
            condition,
            copy,
            depends_on,
            scope,
            subscription,
            resource_group,
            body,
            deployment,
            span,
            header: name_property.map_or(node.span, |property| property.span),
        };
        template.resources.push(declaration);
        if let Some(children) = node.get("resources").filter(|_| !is_deployment) {
            let parent = Parent { symbol, resource_type, span };
            self.resources(children, Some(&parent), template);
        }
    }

    fn resource_loop(&mut self, copy: &Node) -> Option<Iteration> {
        if matches!(copy.kind, NodeKind::Null) {
            return None;
        }
        let Some(count) = copy.get("count") else {
            self.warn("invalid-template", "a `copy` without a `count`", copy.span);
            return None;
        };
        let name = copy.get("name").and_then(Node::as_str).unwrap_or("");
        let source = LoopSource::Count(lower_value(self, count));
        Some(Iteration { copy: Some(name.into()), source, item: None, index: None, span: copy.span })
    }

    fn deployment(&mut self, node: &Node, symbolic: bool) -> NestedDeployment {
        let properties = node.get("properties");
        let property = |name: &str| properties.and_then(|properties| properties.get(name));
        let inner = property("expressionEvaluationOptions")
            .and_then(|options| options.get("scope"))
            .and_then(Node::as_str)
            // "The default value for expressionEvaluationOptions is inner" in language version 2.0
            // (learn.microsoft.com/azure/azure-resource-manager/templates/syntax#languageversion-20).
            .map_or(symbolic, |scope| scope.eq_ignore_ascii_case("inner"));
        let mut linked = true;
        let template = match (property("template"), property("templateLink")) {
            (Some(node @ Node { kind: NodeKind::Object(_), .. }), _) => {
                linked = false;
                let path = self.file.path().to_path_buf();
                NestedTemplate::Inline(Arc::new(self.template(node, &path)))
            }
            (Some(node), _) => NestedTemplate::Elsewhere(node.as_str().unwrap_or("an expression").into()),
            (None, Some(link)) => match (link.get("relativePath"), link.get("uri"), link.get("id")) {
                (Some(path), _, _) => NestedTemplate::Path(lower_value(self, path)),
                (_, Some(uri), _) => NestedTemplate::Uri(lower_value(self, uri)),
                (_, _, Some(id)) => {
                    NestedTemplate::Elsewhere(id.as_str().unwrap_or("a template spec").into())
                }
                _ => NestedTemplate::Elsewhere("a template link without a path".into()),
            },
            (None, None) => NestedTemplate::Elsewhere("a deployment without a template".into()),
        };
        let parameters = match property("parameters") {
            Some(Node { kind: NodeKind::Object(arguments), .. }) => {
                let mut values = IndexMap::new();
                for argument in arguments {
                    let value = match values::argument(&argument.value, |value| lower_value(self, value)) {
                        Some(value) => value,
                        // `copy` makes the value.
                        None if argument.value.get("copy").is_some() => {
                            let made = values::object(self, &argument.value, &|_| true);
                            match made.property("value") {
                                Some(value) => value.clone(),
                                None => continue,
                            }
                        }
                        None if matches!(argument.value.kind, NodeKind::String(_)) => {
                            // An expression that gives `{ "value": … }` or a reference to a secret.
                            let whole = lower_value(self, &argument.value);
                            let span = whole.span;
                            let (name, name_span) = (ARGUMENT_VALUE.into(), span);
                            let kind = ExpressionKind::Call {
                                namespace: None,
                                name,
                                name_span,
                                arguments: vec![whole],
                            };
                            Expression::new(kind, span)
                        }
                        None => continue,
                    };
                    values.insert(lower_case(&argument.key), value);
                }
                Arguments::Each(values)
            }
            Some(node) if !matches!(node.kind, NodeKind::Null) => Arguments::Whole(lower_value(self, node)),
            _ => Arguments::Each(IndexMap::new()),
        };
        let parameters_link = property("parametersLink")
            .and_then(|link| link.get("relativePath").or_else(|| link.get("uri")))
            .map(|link| lower_value(self, link));
        NestedDeployment { template, inner_scope: inner || linked, parameters, parameters_link }
    }
}
