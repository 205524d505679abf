//! Where a deployment puts things: subscription, resource group, location, and the ids that start with them.

use ecow::EcoString;

use super::super::model::{Template, TemplateScope};
use super::Inputs;
use super::text::{concat, segments};
use crate::resource::DeploymentScope;
use crate::source::Span;
use crate::value::{Cause, Entry, MappingKind, Value};

/// Where a deployment puts things. What is not known is unknown with the same cause for the whole deployment.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) scope: TemplateScope,
    pub(crate) subscription: Value,
    pub(crate) resource_group: Value,
    /// The resource group's location; at other scopes, the deployment's.
    pub(crate) location: Value,
    pub(crate) management_group: Value,
    pub(crate) tenant: Value,
}

impl Place {
    /// Where a template is deployed that nothing deploys.
    pub(crate) fn root(template: &Template, inputs: &Inputs) -> Place {
        let span = Span { end: template.span.start, ..template.span };
        let known = |value: &Option<EcoString>, name: &str| match value {
            Some(value) => Value::string(value.clone(), Span::NOWHERE),
            None => Value::unknown(Cause::Lookup(name.into()), span),
        };
        let location = match template.scope {
            TemplateScope::ResourceGroup => "resourceGroup().location",
            _ => "deployment().location",
        };
        Place {
            scope: template.scope,
            subscription: known(&inputs.subscription, "subscription().subscriptionId"),
            resource_group: match template.scope {
                TemplateScope::ResourceGroup => known(&inputs.resource_group, "resourceGroup().name"),
                _ => Value::null(span),
            },
            location: known(&inputs.location, location),
            management_group: known(&inputs.management_group, "managementGroup().name"),
            tenant: known(&inputs.tenant, "tenant().tenantId"),
        }
    }

    /// As a resource's scope.
    pub(crate) fn deployment_scope(&self) -> DeploymentScope {
        let subscription = match self.scope {
            TemplateScope::ResourceGroup | TemplateScope::Subscription => self.subscription.clone(),
            TemplateScope::ManagementGroup | TemplateScope::Tenant => Value::null(self.subscription.span),
        };
        DeploymentScope { subscription, resource_group: self.resource_group.clone() }
    }

    /// The id of the scope itself, without a slash at the end; empty for the tenant.
    pub(crate) fn id(&self, span: Span) -> Value {
        match self.scope {
            TemplateScope::ResourceGroup => self.resource_group_id(span),
            TemplateScope::Subscription => self.subscription_id(span),
            TemplateScope::ManagementGroup => concat(
                [
                    Value::string("/providers/Microsoft.Management/managementGroups/", span),
                    self.management_group.clone(),
                ],
                span,
            ),
            TemplateScope::Tenant => Value::string("", span),
        }
    }

    pub(crate) fn subscription_id(&self, span: Span) -> Value {
        concat([Value::string("/subscriptions/", span), self.subscription.clone()], span)
    }

    pub(crate) fn resource_group_id(&self, span: Span) -> Value {
        let group = Value::string("/resourceGroups/", span);
        concat([self.subscription_id(span), group, self.resource_group.clone()], span)
    }

    /// The place that a scope's id names, seen from here. `None` if it is not the id of a scope.
    pub(crate) fn of_id(&self, id: &Value) -> Option<Place> {
        let parts = segments(id)?;
        let text = |index: usize| parts.get(index).and_then(Value::as_str).map(str::to_ascii_lowercase);
        let mut place = Place { resource_group: Value::null(id.span), ..self.clone() };
        if parts.iter().all(|part| part.as_str() == Some("")) {
            place.scope = TemplateScope::Tenant;
            return Some(place);
        }
        match (text(1).as_deref(), text(3).as_deref(), parts.len()) {
            (Some("subscriptions"), None, 3) => {
                place.scope = TemplateScope::Subscription;
                place.subscription = parts.get(2)?.clone();
            }
            (Some("subscriptions"), Some("resourcegroups"), 5) => {
                place.scope = TemplateScope::ResourceGroup;
                place.subscription = parts.get(2)?.clone();
                place.resource_group = parts.get(4)?.clone();
            }
            (Some("providers"), Some("managementgroups"), 5) => {
                place.scope = TemplateScope::ManagementGroup;
                place.management_group = parts.get(4)?.clone();
            }
            _ => match (text(0).as_deref(), text(1).as_deref(), parts.len()) {
                // `Microsoft.Management/managementGroups/name`, as nested deployments write it.
                (Some("microsoft.management"), Some("managementgroups"), 3) => {
                    place.scope = TemplateScope::ManagementGroup;
                    place.management_group = parts.get(2)?.clone();
                }
                _ => return None,
            },
        }
        Some(place)
    }
}

/// An object of a few properties.
pub(crate) fn object<const N: usize>(properties: [(&str, Value); N], span: Span) -> Value {
    let entries = properties.into_iter().map(|(name, value)| (EcoString::from(name), Entry { span, value }));
    Value::mapping(MappingKind::Object, entries, span)
}

/// An object of named values, each where it was written.
pub(crate) fn named_values(entries: impl IntoIterator<Item = (EcoString, Value)>, span: Span) -> Value {
    let entries = entries.into_iter().map(|(name, value)| (name, Entry { span: value.span.or(span), value }));
    Value::mapping(MappingKind::Object, entries, span)
}
