//! What several types have in common.

use std::collections::BTreeMap;

use super::{ObjectAttribute, Type, type_of};
use crate::value::Value;

/// The type to which values of all these types convert, as go-cty's `convert.UnifyUnsafe` finds it. `None` when there is
/// none. Unlike there, types that are not known ([`Type::Any`]) take no part in the decision: the others say what it is.
pub fn unify(types: &[Type]) -> Option<Type> {
    let types: Vec<&Type> = types.iter().filter(|ty| **ty != Type::Any).collect();
    unify_known(&types)
}

/// The type that values have in common. When they have none as far as they are known, but parts of them are not known,
/// any: the unknown parts may change it.
pub(in crate::frontend::terraform) fn common_type<'a>(
    values: impl Iterator<Item = &'a Value> + Clone,
) -> Option<Type> {
    let types: Vec<Type> = values.clone().map(type_of).collect();
    unify(&types).or_else(|| values.into_iter().any(|value| !value.is_wholly_known()).then_some(Type::Any))
}

fn unify_known(types: &[&Type]) -> Option<Type> {
    let [first, rest @ ..] = types else { return Some(Type::Any) };
    if rest.iter().all(|ty| ty == first) {
        return Some((*first).clone());
    }
    let count = |test: fn(&Type) -> bool| types.iter().filter(|ty| test(ty)).count();
    let maps = count(|ty| matches!(ty, Type::Map(_)));
    let lists = count(|ty| matches!(ty, Type::List(_)));
    let sets = count(|ty| matches!(ty, Type::Set(_)));
    let objects = count(|ty| matches!(ty, Type::Object(_)));
    let tuples = count(|ty| matches!(ty, Type::Tuple(_)));
    let all = types.len();
    if maps == all || lists == all || sets == all {
        return unify_collections(types);
    }
    if maps > 0 && maps + objects == all {
        let elements = all_inner_types(types);
        if let Some(element) = unify(&elements) {
            return Some(Type::map(element));
        }
    } else if lists > 0 && lists + tuples == all {
        let elements = all_inner_types(types);
        if let Some(element) = unify(&elements) {
            return Some(Type::list(element));
        }
    } else if objects == all {
        return unify_objects(types);
    } else if tuples == all {
        return unify_tuples(types);
    } else if objects > 0 && tuples > 0 {
        return None;
    }
    // More general types first.
    let mut candidates = types.to_vec();
    candidates.sort_by_key(|ty| match ty {
        Type::String => 0,
        Type::Number | Type::Bool => 1,
        Type::List(_) => 2,
        Type::Set(_) => 3,
        _ => 4,
    });
    candidates
        .into_iter()
        .find(|candidate| types.iter().all(|ty| ty == candidate || can_convert(ty, candidate)))
        .cloned()
}

fn all_inner_types(types: &[&Type]) -> Vec<Type> {
    let mut inner = Vec::new();
    for ty in types {
        match ty {
            Type::List(element) | Type::Set(element) | Type::Map(element) => inner.push((**element).clone()),
            Type::Tuple(elements) => inner.extend(elements.iter().cloned()),
            Type::Object(attributes) => {
                inner.extend(attributes.values().map(|attribute| attribute.ty.clone()))
            }
            _ => {}
        }
    }
    inner
}

fn unify_collections(types: &[&Type]) -> Option<Type> {
    let element = Box::new(unify(&all_inner_types(types))?);
    Some(match types.first()? {
        Type::Map(_) => Type::Map(element),
        Type::Set(_) => Type::Set(element),
        _ => Type::List(element),
    })
}

fn unify_objects(types: &[&Type]) -> Option<Type> {
    let attributes: Vec<&BTreeMap<_, ObjectAttribute>> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Object(attributes) => Some(attributes),
            _ => None,
        })
        .collect();
    let first = *attributes.first()?;
    let same_names =
        attributes.iter().all(|other| other.len() == first.len() && other.keys().eq(first.keys()));
    if !same_names {
        return unify(&all_inner_types(types)).map(Type::map);
    }
    let mut unified = BTreeMap::new();
    for name in first.keys() {
        let across: Vec<Type> = attributes
            .iter()
            .filter_map(|attributes| attributes.get(name))
            .map(|attribute| attribute.ty.clone())
            .collect();
        unified.insert(name.clone(), ObjectAttribute { ty: unify(&across)?, optional: false });
    }
    Some(Type::Object(unified))
}

fn unify_tuples(types: &[&Type]) -> Option<Type> {
    let elements: Vec<&Vec<Type>> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Tuple(elements) => Some(elements),
            _ => None,
        })
        .collect();
    let length = elements.first()?.len();
    if elements.iter().any(|other| other.len() != length) {
        return unify(&all_inner_types(types)).map(Type::list);
    }
    let mut unified = Vec::with_capacity(length);
    for index in 0..length {
        let across: Vec<Type> = elements.iter().filter_map(|elements| elements.get(index)).cloned().collect();
        unified.push(unify(&across)?);
    }
    Some(Type::Tuple(unified))
}

/// Whether values of one type can convert to another. Whether a certain value does may still depend on its content
/// (a string that is no number).
pub fn can_convert(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (_, Type::Any) | (Type::Any, _) => true,
        (Type::String | Type::Number | Type::Bool, Type::String) => true,
        (Type::String | Type::Number, Type::Number) | (Type::String | Type::Bool, Type::Bool) => true,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b)) => can_convert(a, b),
        (Type::Map(a), Type::Map(b)) => can_convert(a, b),
        (Type::Tuple(elements), Type::List(element) | Type::Set(element)) => {
            let target = if **element == Type::Any { unify(elements) } else { Some((**element).clone()) };
            target.is_some_and(|target| elements.iter().all(|ty| can_convert(ty, &target)))
        }
        (Type::Object(attributes), Type::Map(element)) => {
            let types: Vec<Type> = attributes.values().map(|attribute| attribute.ty.clone()).collect();
            let target = if **element == Type::Any { unify(&types) } else { Some((**element).clone()) };
            target.is_some_and(|target| types.iter().all(|ty| can_convert(ty, &target)))
        }
        (Type::Map(element), Type::Object(attributes)) => {
            attributes.values().all(|attribute| attribute.optional || can_convert(element, &attribute.ty))
        }
        (Type::Object(from), Type::Object(to)) => to.iter().all(|(name, wanted)| match from.get(name) {
            Some(attribute) => can_convert(&attribute.ty, &wanted.ty),
            None => wanted.optional,
        }),
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| can_convert(from, to))
        }
        _ => false,
    }
}
