//! Functions that look at the deployment or at resources, that evaluate only some of their arguments, or that depend on
//! time and chance.

use ecow::EcoString;

use super::super::super::expression::ast::{ARGUMENT_VALUE, Expression, ExpressionKind};
use super::super::context::Context;
use super::super::ids::{self, IdScope};
use super::super::place::{Place, object};
use super::super::text::{concat, segments};
use super::super::{access, operators};
use super::lambdas;
use crate::source::Span;
use crate::value::{Cause, Mapping, SequenceKind, Step, Unknown, Value, ValueKind};

/// Calls one of these functions; `None` if it is another.
pub(super) fn call(
    context: &Context<'_, '_>,
    name: &EcoString,
    name_span: Span,
    arguments: &[Expression],
    span: Span,
) -> Option<Value> {
    if name == ARGUMENT_VALUE {
        let whole = context.evaluate(arguments.first()?);
        return Some(super::super::nested::argument_value(context, &whole, span));
    }
    let lower = name.to_ascii_lowercase();
    let few = |most: usize| {
        (arguments.len() > most)
            .then(|| context.run.fail(format!("`{name}` takes at most {most} arguments"), name_span))
    };
    let ids = |scope: IdScope| {
        let values = with_split_name(context, arguments);
        ids::resource_id(context, scope, &values, span)
            .unwrap_or_else(|message| context.run.fail(format!("`{name}`: {message}"), span))
    };
    let value = match lower.as_str() {
        "and" | "or" if arguments.len() >= 2 => {
            operators::junction(context, arguments.iter(), lower == "or", span)
        }
        "and" | "or" => context.run.fail(format!("`{name}` takes at least 2 arguments"), name_span),
        "coalesce" if !arguments.is_empty() => operators::coalesce(context, arguments.iter(), span),
        "coalesce" => context.run.fail("`coalesce` takes at least 1 argument", name_span),
        "parameters" | "variables" => named(context, &lower, arguments, span),
        "copyindex" => copy_index(context, arguments, span),
        "resourceid" => ids(IdScope::ResourceGroup),
        "subscriptionresourceid" => ids(IdScope::Subscription),
        "managementgroupresourceid" => ids(IdScope::ManagementGroup),
        "tenantresourceid" => ids(IdScope::Tenant),
        "extensionresourceid" => {
            ids::extension_resource_id(context, &with_split_name(context, arguments), span)
                .unwrap_or_else(|message| context.run.fail(format!("`{name}`: {message}"), span))
        }
        "reference" => ids::reference(context, &context.values(arguments), span)
            .unwrap_or_else(|message| context.run.fail(format!("`{name}`: {message}"), span)),
        "references" => references(context, arguments, span),
        "resourceinfo" => {
            let values = context.values(arguments);
            match values.first().and_then(|target| ids::named(context, target)) {
                Some(instance) => Value::reference(instance.key.clone(), Vec::new(), span),
                None => ids::looked_up(context, name, &values, span),
            }
        }
        "subscription" => few(1).unwrap_or_else(|| subscription(context, arguments, span)),
        "resourcegroup" => few(2).unwrap_or_else(|| resource_group(context, arguments, span)),
        "managementgroup" => few(1).unwrap_or_else(|| management_group(context, arguments, span)),
        "tenant" => few(0).unwrap_or_else(|| tenant(context, span)),
        "deployment" => few(0).unwrap_or_else(|| deployment(context, span)),
        "environment" => few(0).unwrap_or_else(|| environment(span)),
        "deployer" | "pickzones" | "providers" | "tologicalzone" | "tologicalzones" | "tophysicalzone"
        | "tophysicalzones" | "roledefinitions" | "externalinput" => {
            if lower == "roledefinitions" && arguments.len() != 1 {
                return Some(context.run.fail("`roleDefinitions` takes 1 argument", name_span));
            }
            let values = context.values(arguments);
            if lower == "roledefinitions" && values.iter().any(|value| value.as_number().is_some()) {
                return Some(context.run.fail("`roleDefinitions` needs the name of a role", name_span));
            }
            ids::looked_up(context, name, &values, span)
        }
        "newguid" | "utcnow" => {
            let _ = context.values(arguments);
            Value::unknown(Cause::Impure(format!("{name}()").into()), span)
        }
        "getsecret" => {
            let values = context.values(arguments);
            ids::looked_up(context, name, &values, span).marked(true)
        }
        _ if lower.starts_with("list") => {
            let values = context.values(arguments);
            if let Some(instance) = values.first().and_then(|target| ids::named(context, target)) {
                context.run.note_use(&instance.key.address);
            }
            ids::looked_up(context, name, &values, span).marked(true)
        }
        _ => return lambdas::call(context, &lower, arguments, span),
    };
    Some(value)
}

fn named(context: &Context<'_, '_>, function: &str, arguments: &[Expression], span: Span) -> Value {
    let [argument] = arguments else {
        return context.run.fail(format!("`{function}` takes 1 argument"), span);
    };
    let name = context.evaluate(argument);
    match (name.as_str(), function) {
        (Some(name), "parameters") => context.parameter(name, span),
        (Some(name), _) => context.variable(name, span),
        (None, _) if name.first_unknown().is_some() => {
            context.run.identities.derive(function, &[&name], span)
        }
        _ => context.run.fail(format!("the argument of `{function}` is not a string"), argument.span),
    }
}

fn copy_index(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Value {
    let values = context.values(arguments);
    let (name, offset) = match values.as_slice() {
        [] => (None, None),
        [one] if one.as_str().is_some() => (one.as_str(), None),
        [one] => (None, Some(one)),
        [name, offset] => (name.as_str(), Some(offset)),
        _ => return context.run.fail("`copyIndex` takes at most 2 arguments", span),
    };
    let Some(index) = context.copy_index(name) else {
        let which = name.map(|name| format!(" `{name}`")).unwrap_or_default();
        return context.run.fail(format!("`copyIndex` stands outside of the loop{which}"), span);
    };
    match offset {
        None => index.at(span),
        Some(offset) => super::call_values(context, "add", span, vec![index, offset.clone()], span),
    }
}

/// The arguments of a function that makes an id. The Bicep compiler takes a child's name apart where it is written whole:
/// `split(name, '/')[0], split(name, '/')[1]`. Then the name has as many parts as there are arguments, also where some of it is
/// not known.
fn with_split_name(context: &Context<'_, '_>, arguments: &[Expression]) -> Vec<Value> {
    let pieces: Vec<&Expression> = arguments
        .iter()
        .rev()
        .map_while(|argument| split_at_slash(argument).map(|(whole, _)| whole))
        .collect();
    let count = pieces.len();
    let before = arguments.len() - count;
    let in_order = || {
        arguments.iter().skip(before).enumerate().all(|(position, argument)| {
            split_at_slash(argument).is_some_and(|(_, index)| index == position as i64)
        })
    };
    if count < 2 || !in_order() {
        return context.values(arguments);
    }
    let wholes: Vec<Value> = pieces.iter().map(|whole| context.evaluate(whole)).collect();
    let same = |value: &Value| context.run.identities.describe(value);
    let parts = wholes.first().and_then(|first| {
        let described = same(first)?;
        wholes.iter().all(|other| same(other).as_ref() == Some(&described)).then(|| segments(first))?
    });
    match parts.filter(|parts| parts.len() == count) {
        Some(parts) => {
            let before = arguments.iter().take(before).map(|argument| context.evaluate(argument));
            before.chain(parts).collect()
        }
        None => context.values(arguments),
    }
}

/// `split(whole, '/')[index]`.
fn split_at_slash(argument: &Expression) -> Option<(&Expression, i64)> {
    let ExpressionKind::Index { target, index, safe: false, from_end: false } = &argument.kind else {
        return None;
    };
    let ExpressionKind::Call { name, arguments, .. } = &target.kind else { return None };
    let (ExpressionKind::Number(index), [whole, separator]) = (&index.kind, arguments.as_slice()) else {
        return None;
    };
    let slash = matches!(&separator.kind, ExpressionKind::String(text) if text == "/");
    (slash && name.eq_ignore_ascii_case("split")).then_some((whole, index.as_i64()?))
}

/// `references('loop')`: what all instances of a loop will have.
fn references(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Value {
    let values = context.values(arguments);
    let full = values.get(1).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case("full"));
    let symbol = values.first().and_then(Value::as_str).map(EcoString::from);
    let Some(key) = symbol.and_then(|symbol| context.deployment.symbol_key(context.run, &symbol)) else {
        return ids::looked_up(context, "references", &values, span);
    };
    context.run.note_use(&key.address);
    let all = access::materialize(context, Value::reference(key, Vec::new(), span));
    let ValueKind::Sequence(sequence) = &all.kind else { return all };
    let items = sequence
        .items
        .iter()
        .map(|item| match item.as_reference() {
            Some(reference) if !full => {
                let path = vec![Step::Attribute("properties".into())];
                let mut value = Value::reference(reference.target.clone(), path, span);
                value.repeated = item.repeated;
                value
            }
            _ => item.clone(),
        })
        .collect();
    Value::sequence(SequenceKind::Tuple, items, span)
}

/// The same object, which has more properties than these.
fn with_rest(value: Value, function: &str) -> Value {
    let ValueKind::Mapping(mapping) = &value.kind else { return value };
    let cause = Cause::Lookup(format!("{function}()").into());
    let rest = Some(std::sync::Arc::new(Unknown { cause, span: value.span }));
    let mapping = Mapping { rest, ..Mapping::clone(mapping) };
    Value { kind: ValueKind::Mapping(std::sync::Arc::new(mapping)), ..value }
}

fn subscription(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Value {
    let mut place = context.deployment_place();
    if let Some(id) = arguments.first() {
        place.subscription = context.evaluate(id);
    }
    let properties = [
        ("id", place.subscription_id(span)),
        ("subscriptionId", place.subscription.clone()),
        ("tenantId", place.tenant.clone()),
        (
            "displayName",
            context.run.identities.derive("subscription().displayName", &[&place.subscription], span),
        ),
    ];
    with_rest(object(properties, span), "subscription")
}

fn resource_group(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Value {
    let here = context.deployment_place();
    let mut place: Place = here.clone();
    place.scope = super::super::super::model::TemplateScope::ResourceGroup;
    let values = context.values(arguments);
    match values.as_slice() {
        [group] => place.resource_group = group.clone(),
        [subscription, group] => {
            place.subscription = subscription.clone();
            place.resource_group = group.clone();
        }
        _ if here.resource_group.is_null() => {
            return context
                .run
                .fail("`resourceGroup` has no meaning outside of a resource group's deployment", span);
        }
        _ => {}
    }
    let id = place.resource_group_id(span);
    let location = match values.is_empty() {
        true => here.location.clone(),
        false => context.run.identities.derive("resourceGroup().location", &[&id], span),
    };
    let state = object([("provisioningState", Value::string("Succeeded", span))], span);
    let properties = [
        ("id", id),
        ("name", place.resource_group.clone()),
        ("type", Value::string("Microsoft.Resources/resourceGroups", span)),
        ("location", location),
        ("properties", state),
    ];
    with_rest(object(properties, span), "resourceGroup")
}

fn management_group(context: &Context<'_, '_>, arguments: &[Expression], span: Span) -> Value {
    let mut place = context.deployment_place();
    if let Some(name) = arguments.first() {
        place.management_group = context.evaluate(name);
    }
    let id = concat(
        [
            Value::string("/providers/Microsoft.Management/managementGroups/", span),
            place.management_group.clone(),
        ],
        span,
    );
    let properties = [
        ("id", id),
        ("name", place.management_group.clone()),
        ("type", Value::string("Microsoft.Management/managementGroups", span)),
    ];
    with_rest(object(properties, span), "managementGroup")
}

fn tenant(context: &Context<'_, '_>, span: Span) -> Value {
    let place = context.deployment_place();
    let properties = [("tenantId", place.tenant.clone()), ("id", Value::string("/", span))];
    with_rest(object(properties, span), "tenant")
}

fn deployment(context: &Context<'_, '_>, span: Span) -> Value {
    let template = context.deployment.template.span;
    let start = Span { end: template.start, ..template };
    let prefix = &context.deployment.prefix;
    let unknown =
        |what: &str| Value::unknown(Cause::Lookup(format!("{prefix}deployment().{what}").into()), start);
    let link = object([("uri", unknown("properties.templateLink.uri"))], span);
    let properties = object([("templateLink", with_rest(link, "deployment"))], span);
    let place = context.deployment_place();
    with_rest(
        object(
            [
                ("name", unknown("name")),
                ("location", place.location),
                ("properties", with_rest(properties, "deployment")),
            ],
            span,
        ),
        "deployment",
    )
}

/// The public cloud's. Reference:
/// learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-deployment#environment
fn environment(span: Span) -> Value {
    let text = |text: &str| Value::string(text, span);
    let authentication = object(
        [
            ("loginEndpoint", text("https://login.microsoftonline.com/")),
            (
                "audiences",
                Value::sequence(
                    SequenceKind::Tuple,
                    vec![text("https://management.core.windows.net/"), text("https://management.azure.com/")],
                    span,
                ),
            ),
            ("tenant", text("common")),
            ("identityProvider", text("AAD")),
        ],
        span,
    );
    let suffixes = object(
        [
            ("acrLoginServer", text(".azurecr.io")),
            ("azureDatalakeAnalyticsCatalogAndJob", text("azuredatalakeanalytics.net")),
            ("azureDatalakeStoreFileSystem", text("azuredatalakestore.net")),
            ("azureFrontDoorEndpointSuffix", text("azurefd.net")),
            ("keyvaultDns", text(".vault.azure.net")),
            ("sqlServerHostname", text(".database.windows.net")),
            ("storage", text("core.windows.net")),
        ],
        span,
    );
    object(
        [
            ("name", text("AzureCloud")),
            ("gallery", text("https://gallery.azure.com/")),
            ("graph", text("https://graph.windows.net/")),
            ("portal", text("https://portal.azure.com")),
            ("graphAudience", text("https://graph.windows.net/")),
            ("activeDirectoryDataLake", text("https://datalake.azure.net/")),
            ("batch", text("https://batch.core.windows.net/")),
            ("media", text("https://rest.media.azure.net")),
            ("sqlManagement", text("https://management.core.windows.net:8443/")),
            (
                "vmImageAliasDoc",
                text(
                    "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
                ),
            ),
            ("resourceManager", text("https://management.azure.com/")),
            ("authentication", authentication),
            ("suffixes", suffixes),
        ],
        span,
    )
}
