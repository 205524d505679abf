//! What can be said of a resource whose condition does not hold: the name and id that it would have. Azure does not look
//! whether an id leads to something, and templates use the id of one alternative for what the other makes.

use std::rc::Rc;

use super::super::expression::ast::ExpressionKind;
use super::context::Context;
use super::place::Place;
use super::resources::Deployment;
use super::text::{concat, segments};
use super::{Run, ids};
use crate::source::Span;
use crate::value::Value;

/// How many parents are followed.
const MAX_PARENTS: usize = 8;

/// Who a resource would be.
struct Absent {
    name: Value,
    own_name: Value,
    place: Place,
    extends: Option<Value>,
}

/// The `id`, `name` or `type` of a resource that is declared and not deployed. `None` for what is deployed, for loops, and for
/// other properties.
pub(crate) fn attribute(
    context: &Context<'_, '_>,
    symbol: &str,
    attribute: &str,
    span: Span,
) -> Option<Value> {
    let run = context.run;
    let mut deployment = Some(Rc::clone(&context.deployment));
    while let Some(current) = deployment {
        if let Some(index) = current.by_symbol.get(symbol).copied() {
            if !current.instances(run, index).is_empty() {
                return None;
            }
            let declaration = current.template.resources.get(index)?;
            let absent = absent(run, &current, index, 0)?;
            return match attribute.to_ascii_lowercase().as_str() {
                "name" => Some(absent.own_name),
                "type" => Some(Value::string(declaration.resource_type.clone(), span)),
                "id" => {
                    let base = absent.extends.unwrap_or_else(|| absent.place.id(span));
                    let names = segments(&absent.name)?;
                    let id = ids::build(&base, &declaration.resource_type, &names, span);
                    // Another declaration may make what has this id.
                    Some(ids::recognize(context, id))
                }
                _ => None,
            };
        }
        deployment = current.outer.clone();
    }
    None
}

fn absent(run: &Run<'_>, deployment: &Rc<Deployment>, index: usize, depth: usize) -> Option<Absent> {
    let declaration = deployment.template.resources.get(index)?;
    if declaration.copy.is_some() || depth > MAX_PARENTS {
        return None;
    }
    if let Some(instance) = deployment.instances(run, index).first() {
        return Some(Absent {
            name: instance.name.clone(),
            own_name: instance.own_name.clone(),
            place: instance.place.clone(),
            extends: instance.extends.clone(),
        });
    }
    let parent = match declaration.parent.as_ref().map(|parent| &parent.kind) {
        None => None,
        Some(ExpressionKind::Resource(symbol)) => {
            Some(absent(run, deployment, *deployment.by_symbol.get(symbol)?, depth + 1)?)
        }
        Some(_) => return None,
    };
    let context = Context::of(run, deployment);
    let own_name = ids::expand_id(run, context.evaluate(&declaration.name));
    let kinds = declaration.resource_type.split('/').count() - 1;
    let full = segments(&own_name).is_some_and(|segments| segments.len() == kinds);
    Some(match parent {
        Some(parent) if !full || !declaration.nested => {
            let slash = Value::string("/", own_name.span);
            let name = concat([parent.name, slash, own_name.clone()], own_name.span);
            Absent { name, own_name, place: parent.place, extends: parent.extends }
        }
        _ => {
            let (place, extends) = deployment.place_of(&context, declaration, None);
            Absent { name: own_name.clone(), own_name, place, extends }
        }
    })
}
