//! One resource: its body, its id, what it asks for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use ecow::EcoString;

use super::super::model::ResourceDeclaration;
use super::context::{Context, Frame, known_prefix};
use super::place::Place;
use super::resources::{Deployment, Slot};
use super::text::{concat, segments};
use super::{Run, ids};
use crate::source::Span;
use crate::value::{Entry, Mapping, ResourceKey, Unknown, Value, ValueKind};

/// One resource that a deployment makes, or that stands for zero or more.
pub(crate) struct Instance {
    pub(crate) deployment: Weak<Deployment>,
    /// The declaration's position in the template.
    pub(crate) declaration: usize,
    /// The round of the loop; `None` outside of loops, and where the instance stands for any number of them.
    pub(crate) index: Option<usize>,
    /// The round as the loop's expressions see it.
    pub(crate) loop_index: Option<Value>,
    pub(crate) key: ResourceKey,
    pub(crate) resource_type: EcoString,
    /// The full name.
    pub(crate) name: Value,
    /// The name as it was written: for children, the last part.
    pub(crate) own_name: Value,
    pub(crate) place: Place,
    /// What it extends.
    pub(crate) extends: Option<Value>,
    pub(crate) parent: Option<Rc<Instance>>,
    /// Why there may be none or many of it.
    pub(crate) uncertain: Option<Arc<Unknown>>,
    pub(crate) frame: Option<Rc<Frame>>,
    pub(crate) body: RefCell<Option<Slot>>,
    pub(crate) nested: Cell<Nested>,
    pub(crate) nested_uses: RefCell<BTreeSet<EcoString>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Nested {
    NotYet,
    None,
    /// Its position in the run's deployments.
    At(usize),
}

impl Instance {
    pub(crate) fn deployment(&self) -> Option<Rc<Deployment>> {
        self.deployment.upgrade()
    }

    /// Runs something with the declaration.
    pub(crate) fn with_declaration<T>(
        &self,
        work: impl FnOnce(&Rc<Deployment>, &ResourceDeclaration) -> T,
    ) -> Option<T> {
        let deployment = self.deployment()?;
        let declaration = deployment.template.resources.get(self.declaration)?;
        Some(work(&deployment, declaration))
    }

    pub(crate) fn is_deployment(&self) -> bool {
        self.with_declaration(|_, declaration| declaration.deployment.is_some()).unwrap_or(false)
    }

    pub(crate) fn api_version(&self) -> Option<EcoString> {
        self.with_declaration(|_, declaration| declaration.api_version.clone()).flatten()
    }

    pub(crate) fn header(&self) -> Span {
        self.with_declaration(|_, declaration| declaration.header).unwrap_or_default()
    }

    /// Where its expressions are evaluated.
    pub(crate) fn context<'r, 'l>(&self, run: &'r Run<'l>) -> Option<Context<'r, 'l>> {
        let deployment = self.deployment()?;
        Some(Context::of(run, &deployment).within(self.frame.clone()))
    }

    /// Its id, as text.
    pub(crate) fn id(&self, span: Span) -> Value {
        let base = match &self.extends {
            Some(id) => {
                let absolute = known_prefix(id).starts_with('/') || id.is_unknown();
                match absolute {
                    true => id.clone(),
                    false => {
                        concat([self.place.id(span), Value::string("/providers/", span), id.clone()], span)
                    }
                }
            }
            None => self.place.id(span),
        };
        let names = segments(&self.name).unwrap_or_default();
        ids::build(&base, &self.resource_type, &names, span)
    }

    /// Its body, evaluated once; `None` while it is being evaluated or names are not known yet.
    pub(crate) fn body(&self, run: &Run<'_>) -> Option<Value> {
        let deployment = self.deployment()?;
        if !deployment.ready.get() {
            return None;
        }
        match &*self.body.borrow() {
            Some(Slot::Done(value, _)) => return Some(value.clone()),
            Some(Slot::UnderWay) => return None,
            None => {}
        }
        *self.body.borrow_mut() = Some(Slot::UnderWay);
        let declaration = deployment.template.resources.get(self.declaration)?;
        let context = self.context(run)?;
        let (value, uses) = run.collecting_uses(|| match declaration.existing {
            true => run.quietly(|| context.evaluate(&declaration.body)),
            false => context.evaluate(&declaration.body),
        });
        let value = self.complete(value, declaration);
        *self.body.borrow_mut() = Some(Slot::Done(value.clone(), Rc::new(uses)));
        Some(value)
    }

    /// The resources that its body and its arguments ask for.
    pub(crate) fn uses(&self) -> BTreeSet<EcoString> {
        let mut uses = self.nested_uses.borrow().clone();
        if let Some(Slot::Done(_, own)) = &*self.body.borrow() {
            uses.extend(own.iter().cloned());
        }
        uses
    }

    /// The body with full type and name.
    fn complete(&self, body: Value, declaration: &ResourceDeclaration) -> Value {
        let ValueKind::Mapping(mapping) = &body.kind else { return body };
        let mut mapping = Mapping::clone(mapping);
        let mut set = |name: &str, value: Value| {
            let written = mapping.entries.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
            let span = written
                .as_ref()
                .and_then(|key| mapping.entries.get(key))
                .map_or(declaration.header, |old| old.span);
            mapping.entries.insert(written.unwrap_or_else(|| name.into()), Entry { span, value });
        };
        set("type", Value::string(self.resource_type.clone(), declaration.header));
        if let Some(version) = &declaration.api_version {
            set("apiVersion", Value::string(version.clone(), declaration.header));
        }
        set("name", self.name.clone());
        if let Some(extends) = &self.extends {
            set("scope", extends.clone());
        }
        Value { kind: ValueKind::Mapping(Arc::new(mapping)), ..body }
    }
}
