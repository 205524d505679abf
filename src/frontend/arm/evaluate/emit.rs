//! From instances to [`Resource`]s.

use std::collections::BTreeSet;
use std::rc::Rc;

use ecow::EcoString;
use indexmap::IndexMap;

use super::Run;
use super::context::Context;
use super::instance::Instance;
use super::resources::{Deployment, Slot};
use crate::resource::{Mode, Multiplicity, Resource, Schema};
use crate::value::Value;

/// All resources of a deployment and of those inside it.
pub(crate) fn resources(run: &Run<'_>, deployment: &Rc<Deployment>) -> Vec<Resource> {
    let mut resources = Vec::new();
    add(run, deployment, &BTreeSet::new(), &Multiplicity::One, &mut resources);
    resources
}

fn add(
    run: &Run<'_>,
    deployment: &Rc<Deployment>,
    inherited: &BTreeSet<EcoString>,
    around: &Multiplicity,
    resources: &mut Vec<Resource>,
) {
    deployment.declare(run);
    let template = std::sync::Arc::clone(&deployment.template);
    for (index, declaration) in template.resources.iter().enumerate() {
        for instance in deployment.instances(run, index) {
            let Some(body) = instance.body(run) else { continue };
            let nested = if declaration.deployment.is_some() { instance.nested(run) } else { None };
            let mut dependencies = inherited.clone();
            dependencies.extend(waits_for(run, deployment, &instance));
            dependencies.remove(&instance.key.address);
            let multiplicity = match (&instance.uncertain, around) {
                (Some(cause), _) => Multiplicity::ZeroOrMore(std::sync::Arc::clone(cause)),
                (None, around) => around.clone(),
            };
            let position = resources.len();
            resources.push(Resource {
                key: instance.key.clone(),
                mode: if declaration.existing { Mode::Existing } else { Mode::Managed },
                resource_type: instance.resource_type.clone(),
                schema: Schema::Arm,
                body,
                multiplicity: multiplicity.clone(),
                span: declaration.span,
                header: declaration.header,
                dependencies: Vec::new(),
                scope: Some(instance.place.deployment_scope()),
                provider: None,
                action: None,
                because: None,
                replaced_for: Vec::new(),
            });
            if let Some(nested) = nested {
                add(run, &nested, &dependencies, &multiplicity, resources);
                // A deployment is done when everything in it is.
                let inside = resources.iter().skip(position + 1).map(|resource| resource.key.address.clone());
                dependencies.extend(inside.collect::<Vec<_>>());
            }
            if let Some(resource) = resources.get_mut(position) {
                resource.dependencies = dependencies.into_iter().collect();
            }
        }
    }
}

fn waits_for(run: &Run<'_>, deployment: &Rc<Deployment>, instance: &Rc<Instance>) -> BTreeSet<EcoString> {
    let mut addresses = instance.uses();
    if deployment.template.symbolic
        && let Some(parent) = &instance.parent
    {
        addresses.insert(parent.key.address.clone());
    }
    let context = instance.context(run);
    instance.with_declaration(|_, declaration| {
        let Some(context) = &context else { return };
        for expression in &declaration.depends_on {
            let value = context.evaluate(expression);
            addresses.extend(deployment.depended_on(context, &value));
        }
    });
    addresses
}

/// The outputs of a deployment, by name as it was written.
pub(crate) fn outputs(run: &Run<'_>, deployment: &Rc<Deployment>) -> IndexMap<EcoString, Value> {
    let template = std::sync::Arc::clone(&deployment.template);
    let mut values = IndexMap::new();
    for (key, declaration) in &template.outputs {
        let condition =
            declaration.condition.as_ref().map(|condition| Context::of(run, deployment).evaluate(condition));
        if condition.is_some_and(|condition| condition.as_bool() == Some(false)) {
            continue;
        }
        if let Some(value) = output(run, deployment, key) {
            values.insert(declaration.name.clone(), value);
        }
    }
    values
}

/// One output of a deployment.
pub(crate) fn output(run: &Run<'_>, deployment: &Rc<Deployment>, name: &str) -> Option<Value> {
    deployment.declare(run);
    let key = super::super::lower::lower_case(name);
    let declaration = deployment.template.outputs.get(&key)?;
    match deployment.outputs.borrow().get(&key) {
        Some(Slot::Done(value, _)) => return Some(value.clone()),
        Some(Slot::UnderWay) => {
            return Some(run.fail(format!("the output `{name}` depends on itself"), declaration.span));
        }
        None => {}
    }
    deployment.outputs.borrow_mut().insert(key.clone(), Slot::UnderWay);
    // What an output asks for is waited for by its own deployment; those who read it wait for that.
    let (value, uses) = {
        run.uses.borrow_mut().push(BTreeSet::new());
        let value = Context::of(run, deployment).evaluate(&declaration.value);
        (value, run.uses.borrow_mut().pop().unwrap_or_default())
    };
    deployment.outputs.borrow_mut().insert(key, Slot::Done(value.clone(), Rc::new(uses)));
    Some(value)
}
