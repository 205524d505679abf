//! Conversions between types, and marks.

use super::arguments::{Call, Function, holds_sensitive, nullable};
use crate::frontend::terraform::types::{Type, convert};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::structural("tobool", &[nullable("v")], |call| to(call, Type::Bool)),
    Function::structural("tolist", &[nullable("v")], |call| to(call, Type::list(Type::Any))),
    Function::structural("tomap", &[nullable("v")], |call| to(call, Type::map(Type::Any))),
    Function::structural("tonumber", &[nullable("v")], |call| to(call, Type::Number)),
    Function::structural("toset", &[nullable("v")], |call| to(call, Type::set(Type::Any))),
    Function::structural("tostring", &[nullable("v")], |call| to(call, Type::String)),
    // Nothing in a scanned file is ephemeral in a way that would change the value.
    Function::structural("ephemeralasnull", &[nullable("value")], |call| Ok(call.argument(0)?.clone())),
    Function::partial("sensitive", &[nullable("value")], sensitive).with_own_marks(),
    Function::partial("nonsensitive", &[nullable("value")], nonsensitive).with_own_marks(),
    Function::partial("issensitive", &[nullable("value")], issensitive).with_own_marks(),
];

fn to(call: &Call, ty: Type) -> Result<Value, String> {
    let value = call.argument(0)?;
    convert(value, &ty).map_err(|problem| {
        let target = match ty {
            Type::List(_) => "list of any single type".to_string(),
            Type::Set(_) => "set of any single type".to_string(),
            Type::Map(_) => "map of any single type".to_string(),
            primitive => primitive.friendly_name(),
        };
        match value.as_str() {
            Some(text) if !value.sensitive => format!("cannot convert \"{text}\" to {target}: {problem}"),
            _ => format!("cannot convert the value to {target}: {problem}"),
        }
    })
}

fn sensitive(call: &Call) -> Result<Value, String> {
    Ok(call.argument(0)?.clone().marked(true))
}

/// Only the outermost mark is taken off, as Terraform does; marks of elements stay.
fn nonsensitive(call: &Call) -> Result<Value, String> {
    Ok(Value { sensitive: false, ..call.argument(0)?.clone() })
}

fn issensitive(call: &Call) -> Result<Value, String> {
    let value = call.argument(0)?;
    if value.sensitive {
        return Ok(call.bool(true));
    }
    // What is not known yet may turn out to be sensitive.
    if value.is_unknown() { Ok(call.unknown_from(value)) } else { Ok(call.bool(holds_sensitive(value))) }
}
