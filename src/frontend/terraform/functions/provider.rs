//! Functions that providers bring along: `provider::azurerm::…`, `provider::terraform::…`.

use ecow::EcoString;

use super::arguments::{Call, Function, string};
use crate::value::{Entry, MappingKind, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    // The provider corrects the case of the id's fixed parts. Ids are compared without regard to case, and the id itself
    // (a reference, often) is worth more than its letters.
    Function::structural("provider::azurerm::normalise_resource_id", &[string("id")], |call| {
        Ok(call.argument(0)?.clone())
    }),
    Function::strict("provider::azurerm::parse_resource_id", &[string("id")], parse_resource_id),
];

/// Takes an Azure resource id apart
/// (<https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/functions/parse_resource_id.html.markdown>).
fn parse_resource_id(call: &Call) -> Result<Value, String> {
    let text = call.text(0)?;
    let wrong = || format!("{text:?} is not an Azure resource id");
    let steps: Vec<&str> = text.strip_prefix('/').ok_or_else(wrong)?.split('/').collect();
    // The last provider is the resource's own; what stands before it is the scope.
    let provider = steps.iter().rposition(|step| step.eq_ignore_ascii_case("providers")).ok_or_else(wrong)?;
    let named = |wanted: &str| {
        steps
            .iter()
            .position(|step| step.eq_ignore_ascii_case(wanted))
            .and_then(|at| steps.get(at + 1))
            .copied()
    };
    let namespace = steps.get(provider + 1).copied().ok_or_else(wrong)?;
    let pairs: Vec<&[&str]> = steps.get(provider + 2..).unwrap_or_default().chunks(2).collect();
    let mut types = vec![namespace];
    let mut parents = Vec::new();
    let mut last = None;
    for pair in &pairs {
        let [kind, name] = pair else { return Err(wrong()) };
        if kind.is_empty() || name.is_empty() {
            return Err(wrong());
        }
        types.push(kind);
        parents.extend(last.replace((*kind, *name)));
    }
    let (kind, name) = last.ok_or_else(wrong)?;
    let entry = |value: Value| Entry { span: call.span, value };
    let text_or_null =
        |text: Option<&str>| text.map_or(Value::null(call.span), |text| call.string_from(0, text));
    let parents =
        parents.into_iter().map(|(kind, name)| (EcoString::from(kind), entry(call.string_from(0, name))));
    let nested = steps.iter().filter(|step| step.eq_ignore_ascii_case("providers")).count() > 1;
    let scope = nested.then(|| format!("/{}", steps.get(..provider).unwrap_or_default().join("/")));
    let entries: [(&str, Value); 8] = [
        ("subscription_id", text_or_null(named("subscriptions"))),
        ("resource_group_name", text_or_null(named("resourceGroups"))),
        ("resource_provider", text_or_null(Some(namespace))),
        ("resource_type", text_or_null(Some(kind))),
        ("resource_name", text_or_null(Some(name))),
        ("full_resource_type", text_or_null(Some(&types.join("/")))),
        ("resource_scope", text_or_null(scope.as_deref())),
        ("parent_resources", Value::mapping(MappingKind::Map, parents, call.span)),
    ];
    let entries = entries.map(|(name, value)| (EcoString::from(name), entry(value)));
    Ok(Value::mapping(MappingKind::Object, entries, call.span))
}
