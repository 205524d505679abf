//! Resource ids: `resourceId` and its siblings, `reference`, and which ids mean a resource of the same template.

use std::rc::Rc;

use ecow::EcoString;

use super::super::expression::ast::Expression;
use super::context::{Context, is_open, known_prefix};
use super::instance::Instance;
use super::place::Place;
use super::resources::Deployment;
use super::text::{concat, is_id_reference, segments};
use super::{Run, access};
use crate::source::Span;
use crate::value::{Cause, Step, Value, ValueKind};

/// Which scope a function makes ids of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdScope {
    ResourceGroup,
    Subscription,
    ManagementGroup,
    Tenant,
}

/// `resourceId`, `subscriptionResourceId`, `managementGroupResourceId`, `tenantResourceId`.
///
/// # Errors
/// Why Resource Manager would refuse the call.
pub(crate) fn resource_id(
    context: &Context<'_, '_>,
    scope: IdScope,
    arguments: &[Value],
    span: Span,
) -> Result<Value, String> {
    let limit = match scope {
        IdScope::ResourceGroup => 2,
        IdScope::Subscription | IdScope::ManagementGroup => 1,
        IdScope::Tenant => 0,
    };
    let looks_like_type = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.contains('/') && text.split('/').next().unwrap_or("").contains('.'))
    };
    let position = arguments.iter().take(limit + 1).position(looks_like_type);
    let Some(position) = position else {
        if arguments.iter().take(limit + 1).any(is_open) && arguments.len() >= 2 {
            let all: Vec<&Value> = arguments.iter().collect();
            return Ok(context.run.identities.derive("resourceId", &all, span));
        }
        return Err("no argument is a resource type such as `Microsoft.Network/virtualNetworks`".into());
    };
    let (before, rest) = arguments.split_at(position);
    let Some((kind, names)) = rest.split_first() else { return Err("a resource type is missing".into()) };
    let kind = EcoString::from(kind.as_str().unwrap_or("").trim_matches('/'));
    if names.iter().chain(before).any(|name| !is_open(name) && name.as_str().is_none()) {
        return Err("a part of the resource's name is not a string".into());
    }
    let wanted = kind.split('/').count() - 1;
    if wanted != names.len() {
        return Err(format!("the type `{kind}` needs {wanted} name segments, not {}", names.len()));
    }
    let names: Vec<Value> = names.iter().map(|name| expand_id(context.run, name.clone())).collect();
    let here = &context.deployment_place();
    let mut place = here.clone();
    place.scope = match scope {
        // At other scopes than a resource group's, `resourceId` means the scope of the deployment.
        IdScope::ResourceGroup if before.is_empty() => here.scope,
        IdScope::ResourceGroup => super::super::model::TemplateScope::ResourceGroup,
        IdScope::Subscription => super::super::model::TemplateScope::Subscription,
        IdScope::ManagementGroup => super::super::model::TemplateScope::ManagementGroup,
        IdScope::Tenant => super::super::model::TemplateScope::Tenant,
    };
    match (scope, before) {
        (IdScope::ResourceGroup, [group]) => place.resource_group = group.clone(),
        (IdScope::ResourceGroup, [subscription, group]) => {
            place.subscription = subscription.clone();
            place.resource_group = group.clone();
        }
        (IdScope::Subscription, [subscription]) => place.subscription = subscription.clone(),
        (IdScope::ManagementGroup, [group]) => place.management_group = group.clone(),
        _ => {}
    }
    let name = join_names(&names, span);
    Ok(match find(context, &kind, &name, &place) {
        Some(instance) => id_reference(&instance, span),
        None => build(&place.id(span), &kind, &names, span),
    })
}

/// `extensionResourceId(scope, type, names…)`.
///
/// # Errors
/// Why Resource Manager would refuse the call.
pub(crate) fn extension_resource_id(
    context: &Context<'_, '_>,
    arguments: &[Value],
    span: Span,
) -> Result<Value, String> {
    let [base, kind, names @ ..] = arguments else {
        return Err("a resource id, a type and names are needed".into());
    };
    let Some(kind) = kind.as_str().map(|kind| kind.trim_matches('/')).filter(|kind| kind.contains('/'))
    else {
        if is_open(kind) {
            let all: Vec<&Value> = arguments.iter().collect();
            return Ok(context.run.identities.derive("extensionResourceId", &all, span));
        }
        return Err("the second argument is not a resource type".into());
    };
    if names.iter().chain([base]).any(|name| !is_open(name) && name.as_str().is_none()) {
        return Err("an argument is not a string".into());
    }
    let wanted = kind.split('/').count() - 1;
    if wanted != names.len() {
        return Err(format!("the type `{kind}` needs {wanted} name segments, not {}", names.len()));
    }
    let id = build(base, kind, names, span);
    Ok(recognize(context, id))
}

/// A name path of segments.
pub(crate) fn join_names(names: &[Value], span: Span) -> Value {
    if let [only] = names {
        return only.clone();
    }
    let mut parts = Vec::with_capacity(names.len() * 2);
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            parts.push(Value::string("/", span));
        }
        parts.push(name.clone());
    }
    concat(parts, span)
}

/// An id: what it is under, the type, the names.
pub(crate) fn build(base: &Value, kind: &str, names: &[Value], span: Span) -> Value {
    let mut kinds = kind.split('/');
    let provider = kinds.next().unwrap_or("");
    let mut parts = vec![base.clone()];
    // Resource groups and subscriptions are ids by themselves.
    if provider.eq_ignore_ascii_case("Microsoft.Resources")
        && matches!(kinds.clone().next(), Some(kind) if kind.eq_ignore_ascii_case("resourceGroups"))
    {
    } else {
        parts.push(Value::string(format!("/providers/{provider}"), span));
    }
    for (kind, name) in kinds.zip(names) {
        parts.push(Value::string(format!("/{kind}/"), span));
        parts.push(name.clone());
    }
    concat(parts, span)
}

/// The reference that stands for an instance's id.
pub(crate) fn id_reference(instance: &Instance, span: Span) -> Value {
    Value::reference(instance.key.clone(), vec![Step::Attribute("id".into())], span)
}

/// The resource of a type and name that the template (or, evaluated in the outer scope, the one around it) declares.
pub(crate) fn find(
    context: &Context<'_, '_>,
    kind: &str,
    name: &Value,
    place: &Place,
) -> Option<Rc<Instance>> {
    let wanted = identity(context.run, kind, name)?;
    let mut deployment = Some(Rc::clone(&context.deployment));
    while let Some(current) = deployment {
        if let Some(instances) = current.by_identity.borrow().get(&wanted) {
            let found = instances.iter().find(|instance| same_place(context.run, &instance.place, place));
            if let Some(found) = found {
                return Some(Rc::clone(found));
            }
        }
        deployment = current.outer.clone();
    }
    None
}

fn same_place(run: &Run<'_>, left: &Place, right: &Place) -> bool {
    let describe = |place: &Place| {
        let id = place.id(Span::NOWHERE);
        run.identities.describe(&id).map(|text| text.to_lowercase())
    };
    matches!((describe(left), describe(right)), (Some(left), Some(right)) if left == right)
}

/// What two declarations share only if they are the same resource (in the same scope).
pub(crate) fn identity(run: &Run<'_>, kind: &str, name: &Value) -> Option<String> {
    let name = run.identities.describe(&expand_id(run, name.clone()))?;
    Some(format!("{} {}", kind.to_lowercase(), name.to_lowercase()))
}

/// A resource's id as text, where its name and place are known at least in part.
pub(crate) fn expand_id(run: &Run<'_>, value: Value) -> Value {
    if !is_id_reference(&value) {
        return value;
    }
    let Some(reference) = value.as_reference() else { return value };
    let Some(instance) = run.instances.borrow().get(&reference.target.address).cloned() else { return value };
    instance.id(value.span).marked(value.sensitive)
}

/// A string that turns out to be the id of a resource of the same template, as a reference to it.
pub(crate) fn recognize(context: &Context<'_, '_>, value: Value) -> Value {
    let starts_with_reference = match &value.kind {
        ValueKind::Template(parts) => match parts.first() {
            Some(crate::value::TemplatePart::Value(first)) => is_id_reference(first),
            _ => false,
        },
        _ => false,
    };
    let expanded = if starts_with_reference {
        let ValueKind::Template(parts) = &value.kind else { return value };
        let values = parts.iter().map(|part| match part {
            crate::value::TemplatePart::Literal(text) => Value::string(text.clone(), value.span),
            crate::value::TemplatePart::Value(part) => expand_id(context.run, part.clone()),
        });
        concat(values, value.span)
    } else {
        value.clone()
    };
    if !known_prefix(&expanded).to_ascii_lowercase().starts_with("/subscriptions/") {
        return value;
    }
    match find_id(context, &expanded) {
        Some(instance) => id_reference(&instance, value.span).marked(value.sensitive),
        None => value,
    }
}

/// The declared resource whose id this is.
pub(crate) fn find_id(context: &Context<'_, '_>, id: &Value) -> Option<Rc<Instance>> {
    let parts = segments(id)?;
    let provider = parts
        .iter()
        .rposition(|part| part.as_str().is_some_and(|text| text.eq_ignore_ascii_case("providers")))?;
    // An extension of another resource has two providers; its place is not a scope.
    let place = context.deployment_place().of_id(&super::ids::path_of(parts.get(..provider)?, id.span))?;
    let (namespace, rest) = parts.get(provider + 1..)?.split_first()?;
    let mut kind = namespace.as_str()?.to_string();
    let mut names = Vec::new();
    for pair in rest.chunks(2) {
        let [segment, name] = pair else { return None };
        kind.push('/');
        kind.push_str(segment.as_str()?);
        names.push(name.clone());
    }
    if names.is_empty() {
        return None;
    }
    find(context, &kind, &join_names(&names, id.span), &place)
}

/// Segments with slashes between them.
pub(crate) fn path_of(segments: &[Value], span: Span) -> Value {
    join_names(segments, span)
}

/// `reference`: what a resource will have at run time. Its properties, or with `Full` all of it.
///
/// # Errors
/// Why Resource Manager would refuse the call.
pub(crate) fn reference(context: &Context<'_, '_>, arguments: &[Value], span: Span) -> Result<Value, String> {
    let Some(target) = arguments.first() else { return Err("the name or id of a resource is needed".into()) };
    let full = arguments.get(2).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case("full"));
    let path = if full { Vec::new() } else { vec![Step::Attribute("properties".into())] };
    if let Some(instance) = named(context, target) {
        context.run.note_use(&instance.key.address);
        return Ok(Value::reference(instance.key.clone(), path, span));
    }
    if !is_open(target) && target.as_str().is_none() {
        return Err("the name or id of a resource is not a string".into());
    }
    Ok(looked_up(context, "reference", arguments, span))
}

/// Something that is asked of Azure at deployment.
pub(crate) fn looked_up(context: &Context<'_, '_>, function: &str, arguments: &[Value], span: Span) -> Value {
    let target = arguments.first().map(|target| expand_id(context.run, target.clone()));
    let shown = match target.as_ref().and_then(Value::as_str) {
        Some(text) => format!("{function}('{text}')"),
        None => format!("{function}()"),
    };
    // The same question of the same resource has the same answer.
    let described: Option<Vec<String>> = arguments
        .iter()
        .map(|argument| context.run.identities.describe(&expand_id(context.run, argument.clone())))
        .collect();
    let unknown = Value::unknown(Cause::Lookup(shown.into()), span);
    match described {
        Some(described) => context.run.identities.derive(
            &format!("{function} {described:?}"),
            &[&unknown_at_start(context, &unknown)],
            span,
        ),
        None => unknown,
    }
}

/// The same unknown wherever the question stands.
fn unknown_at_start(context: &Context<'_, '_>, value: &Value) -> Value {
    let ValueKind::Unknown(unknown) = &value.kind else { return value.clone() };
    let span = context.deployment.template.span;
    Value::unknown(unknown.cause.clone(), Span { end: span.start, ..span })
}

/// The declared resource that a name, a symbolic name, or an id means.
pub(crate) fn named(context: &Context<'_, '_>, target: &Value) -> Option<Rc<Instance>> {
    if let Some(reference) = target.as_reference() {
        if reference.path.len() > 1 || (reference.path.len() == 1 && !is_id_reference(target)) {
            return None;
        }
        return context.run.instances.borrow().get(&reference.target.address).cloned();
    }
    if known_prefix(target).starts_with('/') {
        return find_id(context, target);
    }
    let mut deployment = Some(Rc::clone(&context.deployment));
    while let Some(current) = deployment {
        if let Some(found) = current.named(context.run, target) {
            return Some(found);
        }
        deployment = current.outer.clone();
    }
    None
}

/// A resource by its symbolic name, with what Bicep lets be read of it.
impl Context<'_, '_> {
    pub(crate) fn resource(&self, symbol: &EcoString, span: Span) -> Value {
        let mut deployment = Some(Rc::clone(&self.deployment));
        while let Some(current) = deployment {
            if let Some(key) = current.symbol_key(self.run, symbol) {
                self.run.note_use(&key.address);
                return Value::reference(key, Vec::new(), span);
            }
            deployment = current.outer.clone();
        }
        // Not deployed, because its condition does not hold.
        match self.deployment.template.resources.iter().any(|resource| resource.symbol == *symbol) {
            true => Value::unknown(Cause::Lookup(format!("`{symbol}`, which is not deployed").into()), span),
            false => self.run.fail(format!("there is no resource `{symbol}`"), span),
        }
    }

    /// Where `resourceId` and the scope functions look from: in a nested template that is evaluated in the outer scope,
    /// the outer deployment's place.
    pub(crate) fn deployment_place(&self) -> Place {
        let mut deployment: &Rc<Deployment> = &self.deployment;
        while let Some(outer) = &deployment.outer {
            deployment = outer;
        }
        deployment.place.clone()
    }

    /// Evaluates arguments.
    pub(crate) fn values(&self, arguments: &[Expression]) -> Vec<Value> {
        arguments.iter().map(|argument| self.evaluate(argument)).collect()
    }

    /// Evaluates an argument that must be an array; references to arrays become arrays of references.
    pub(crate) fn array_value(&self, argument: &Expression) -> Value {
        access::materialize(self, self.evaluate(argument))
    }
}
