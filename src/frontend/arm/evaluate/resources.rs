//! The resources of one deployment: which there are, what they are called, what is in them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use super::super::expression::ast::{Expression, ExpressionKind};
use super::super::model::{ResourceDeclaration, Template, TemplateScope};
use super::context::{Context, Frame, is_open, known_prefix};
use super::instance::{Instance, Nested};
use super::place::Place;
use super::text::{concat, plain_text, segments};
use super::{MAX_COPIES, Run, access, ids};
use crate::source::Span;
use crate::value::{Cause, ResourceKey, TemplatePart, Unknown, Value, ValueKind};

/// Something that is evaluated once.
pub(crate) enum Slot {
    UnderWay,
    Done(Value, Rc<BTreeSet<EcoString>>),
}

/// One deployment of one template.
pub(crate) struct Deployment {
    pub(crate) template: Arc<Template>,
    /// What stands before the addresses of its resources: `hub::`.
    pub(crate) prefix: EcoString,
    pub(crate) place: Place,
    /// The values of parameters, by lower-case name.
    pub(crate) given: IndexMap<EcoString, Value>,
    /// The deployment in whose scope the template's expressions are evaluated, if not its own.
    pub(crate) outer: Option<Rc<Deployment>>,
    /// The loops around it, where the outer scope is meant.
    pub(crate) frame: Option<Rc<Frame>>,
    pub(crate) parameters: RefCell<FxHashMap<EcoString, Slot>>,
    pub(crate) variables: RefCell<FxHashMap<EcoString, Slot>>,
    pub(crate) outputs: RefCell<FxHashMap<EcoString, Slot>>,
    /// What a declaration makes, by its position in the template.
    declared: RefCell<Vec<Declared>>,
    /// Whether all names are known, so that ids can be compared with them.
    pub(crate) ready: Cell<bool>,
    pub(crate) by_symbol: FxHashMap<EcoString, usize>,
    /// By type and name, once all are declared.
    pub(crate) by_identity: RefCell<FxHashMap<String, Vec<Rc<Instance>>>>,
    /// By full name and by last part of it, once all are declared.
    by_name: RefCell<FxHashMap<String, Vec<Rc<Instance>>>>,
    /// How many deployments this one is inside.
    pub(crate) level: usize,
}

enum Declared {
    Not,
    UnderWay,
    Done(Vec<Rc<Instance>>),
}

impl Deployment {
    /// The deployment that nothing deploys.
    pub(crate) fn root(template: Arc<Template>, given: IndexMap<EcoString, Value>, place: Place) -> Rc<Self> {
        Self::new(template, EcoString::new(), place, given, None, None, 0)
    }

    pub(crate) fn new(
        template: Arc<Template>,
        prefix: EcoString,
        place: Place,
        given: IndexMap<EcoString, Value>,
        outer: Option<Rc<Deployment>>,
        frame: Option<Rc<Frame>>,
        level: usize,
    ) -> Rc<Self> {
        let by_symbol = template
            .resources
            .iter()
            .enumerate()
            .map(|(index, resource)| (resource.symbol.clone(), index))
            .collect();
        let declared = template.resources.iter().map(|_| Declared::Not).collect();
        Rc::new(Deployment {
            template,
            prefix,
            place,
            given,
            outer,
            frame,
            parameters: RefCell::default(),
            variables: RefCell::default(),
            outputs: RefCell::default(),
            declared: RefCell::new(declared),
            ready: Cell::new(false),
            by_symbol,
            by_identity: RefCell::default(),
            by_name: RefCell::default(),
            level,
        })
    }

    /// Finds out which resources there are and what they are called. Ids cannot be compared with names before.
    pub(crate) fn declare(self: &Rc<Self>, run: &Run<'_>) {
        if self.ready.get() {
            return;
        }
        for index in 0..self.template.resources.len() {
            self.instances(run, index);
        }
        let mut by_identity = self.by_identity.borrow_mut();
        let mut by_name = self.by_name.borrow_mut();
        for index in 0..self.template.resources.len() {
            for instance in self.instances(run, index) {
                let described = |name: &Value| run.identities.describe(name).map(|text| text.to_lowercase());
                let names = BTreeSet::from([described(&instance.name), described(&instance.own_name)]);
                for name in names.into_iter().flatten() {
                    by_name.entry(name).or_default().push(Rc::clone(&instance));
                }
                if let Some(identity) = ids::identity(run, &instance.resource_type, &instance.name) {
                    by_identity.entry(identity).or_default().push(instance);
                }
            }
        }
        drop((by_identity, by_name));
        self.ready.set(true);
        // What was evaluated for the names may have asked for ids.
        self.parameters.borrow_mut().clear();
        self.variables.borrow_mut().clear();
    }

    /// The instances of a declaration.
    pub(crate) fn instances(self: &Rc<Self>, run: &Run<'_>, index: usize) -> Vec<Rc<Instance>> {
        match self.declared.borrow().get(index) {
            Some(Declared::Done(instances)) => return instances.clone(),
            Some(Declared::Not) => {}
            Some(Declared::UnderWay) | None => return Vec::new(),
        }
        self.set_declared(index, Declared::UnderWay);
        let Some(declaration) = self.template.resources.get(index) else { return Vec::new() };
        // An existing resource that nobody asks for is not looked up: what is wrong with its name hurts nobody.
        let instances = match declaration.existing {
            true => run.quietly(|| self.make_instances(run, index, declaration)),
            false => self.make_instances(run, index, declaration),
        };
        if declaration.copy.is_some() || instances.len() != 1 {
            let address = EcoString::from(format!("{}{}", self.prefix, declaration.symbol));
            run.groups.borrow_mut().insert(address, instances.clone());
        }
        self.set_declared(index, Declared::Done(instances.clone()));
        instances
    }

    fn set_declared(&self, index: usize, state: Declared) {
        if let Some(slot) = self.declared.borrow_mut().get_mut(index) {
            *slot = state;
        }
    }

    fn make_instances(
        self: &Rc<Self>,
        run: &Run<'_>,
        index: usize,
        declaration: &ResourceDeclaration,
    ) -> Vec<Rc<Instance>> {
        let base = Context::of(run, self);
        // A child that was written inside its parent is there once for each of the parent's instances.
        let lexical =
            declaration.nested.then_some(declaration.parent.as_ref()).flatten().and_then(|parent| {
                match &parent.kind {
                    ExpressionKind::Resource(symbol) => self.by_symbol.get(symbol).copied(),
                    _ => None,
                }
            });
        let surroundings: Vec<(Context<'_, '_>, Option<Rc<Instance>>)> = match lexical {
            Some(parent) => self
                .instances(run, parent)
                .into_iter()
                .map(|parent| (base.within(parent.frame.clone()), Some(parent)))
                .collect(),
            None => vec![(base, None)],
        };
        let mut instances = Vec::new();
        for (context, parent) in surroundings {
            let Some(iteration) = &declaration.copy else {
                instances.extend(self.make_instance(run, index, declaration, context, parent, None));
                continue;
            };
            let rounds = context.rounds(iteration, true, MAX_COPIES);
            run.charge(rounds.len());
            for round in rounds {
                let at = Round { index: round.index, cause: round.cause };
                instances.extend(self.make_instance(
                    run,
                    index,
                    declaration,
                    round.context,
                    parent.clone(),
                    Some(at),
                ));
            }
        }
        instances
    }

    fn make_instance(
        self: &Rc<Self>,
        run: &Run<'_>,
        declaration_index: usize,
        declaration: &ResourceDeclaration,
        context: Context<'_, '_>,
        lexical_parent: Option<Rc<Instance>>,
        round: Option<Round>,
    ) -> Option<Rc<Instance>> {
        let mut uncertain = lexical_parent.as_ref().and_then(|parent| parent.uncertain.clone());
        if let Some(cause) = round.as_ref().and_then(|round| round.cause.as_ref()) {
            uncertain = uncertain.or_else(|| Some(cause_of(cause)));
        }
        if let Some(condition) = &declaration.condition {
            let value = context.evaluate(condition);
            match &value.kind {
                ValueKind::Bool(true) => {}
                ValueKind::Bool(false) => return None,
                ValueKind::String(text) if text.eq_ignore_ascii_case("true") => {}
                ValueKind::String(text) if text.eq_ignore_ascii_case("false") => return None,
                _ if is_open(&value) => uncertain = uncertain.or_else(|| Some(cause_of(&value))),
                _ => {
                    let problem = run.fail("the condition is neither true nor false", condition.span);
                    uncertain = uncertain.or_else(|| Some(cause_of(&problem)));
                }
            }
        }
        let parent = lexical_parent.or_else(|| {
            let parent = context.evaluate(declaration.parent.as_ref()?);
            ids::named(&context, &parent)
        });
        let own_name = context.evaluate(&declaration.name);
        let own_name = ids::expand_id(run, own_name);
        // A child inside its parent may be written with its full type and name.
        let kinds = declaration.resource_type.split('/').count() - 1;
        let full = segments(&own_name).is_some_and(|segments| segments.len() == kinds);
        let name = match parent.as_ref().filter(|_| !(declaration.nested && full)) {
            Some(parent) => ids::join_names(&[parent.name.clone(), own_name.clone()], own_name.span),
            None => own_name.clone(),
        };
        let (place, extends) = self.place_of(&context, declaration, parent.as_deref());
        let index = round.as_ref().and_then(|round| round.index);
        let in_parent_loop = parent.as_ref().filter(|_| declaration.nested).and_then(|parent| parent.index);
        let mut address = match self.template.symbolic {
            true => match index.or(in_parent_loop) {
                Some(index) => format!("{}{}[{index}]", self.prefix, declaration.symbol),
                None => format!("{}{}", self.prefix, declaration.symbol),
            },
            false => format!("{}{}", self.prefix, shown_address(&declaration.resource_type, &name, index)),
        };
        let taken = |address: &str| run.instances.borrow().contains_key(address);
        if taken(&address) {
            let first = address.clone();
            let mut number = 2;
            while taken(&address) {
                address = format!("{first}#{number}");
                number += 1;
            }
        }
        let key = ResourceKey { root: run.root, address: address.into() };
        let loop_index = round.as_ref().and_then(|_| context.copy_index(None)).or_else(|| {
            let name = declaration.copy.as_ref()?.index.as_ref()?;
            Some(run.quietly(|| {
                let kind = ExpressionKind::Local(name.clone());
                context.evaluate(&Expression::new(kind, declaration.span))
            }))
        });
        let instance = Rc::new(Instance {
            deployment: Rc::downgrade(self),
            declaration: declaration_index,
            index,
            loop_index,
            key: key.clone(),
            resource_type: declaration.resource_type.clone(),
            name,
            own_name,
            place,
            extends,
            parent,
            uncertain,
            frame: context.frame.clone(),
            body: RefCell::new(None),
            nested: Cell::new(Nested::NotYet),
            nested_uses: RefCell::default(),
        });
        run.instances.borrow_mut().insert(key.address, Rc::clone(&instance));
        Some(instance)
    }

    /// Where a resource is deployed, and what it extends.
    pub(crate) fn place_of(
        &self,
        context: &Context<'_, '_>,
        declaration: &ResourceDeclaration,
        parent: Option<&Instance>,
    ) -> (Place, Option<Value>) {
        // A nested template's own resources go where it is deployed, whatever scope its expressions have.
        let mut place = parent.map_or_else(|| self.place.clone(), |parent| parent.place.clone());
        let mut extends = parent.and_then(|parent| parent.extends.clone());
        let mut moved = false;
        if let Some(subscription) = &declaration.subscription {
            place.subscription = context.evaluate(subscription);
            place.resource_group = Value::null(subscription.span);
            place.scope = TemplateScope::Subscription;
            moved = true;
        }
        if let Some(group) = &declaration.resource_group {
            place.resource_group = context.evaluate(group);
            place.scope = TemplateScope::ResourceGroup;
            moved = true;
        }
        if let Some(scope) = &declaration.scope {
            let value = context.evaluate(scope);
            let id = match &value.kind {
                ValueKind::Mapping(mapping) => access::entry(mapping, "id").map(|entry| entry.value.clone()),
                ValueKind::Reference(reference) if reference.path.is_empty() => {
                    ids::named(context, &value).map(|target| ids::id_reference(&target, value.span))
                }
                ValueKind::Null => None,
                _ => Some(value.clone()),
            };
            let id = id.map(|id| (ids::expand_id(context.run, id.clone()), id));
            match id {
                Some((expanded, id)) => match place.of_id(&expanded) {
                    Some(other) => {
                        place = other;
                        moved = true;
                    }
                    None => extends = Some(id),
                },
                None if value.is_null() => {}
                None => extends = Some(value),
            }
        }
        if moved {
            place.location = self.location_of(context, &place, declaration.span);
        }
        (place, extends)
    }

    /// The location of a resource group: this deployment's own, or one that is looked up.
    fn location_of(&self, context: &Context<'_, '_>, place: &Place, span: Span) -> Value {
        if place.scope != TemplateScope::ResourceGroup {
            return self.place.location.clone();
        }
        let describe = |place: &Place| context.run.identities.describe(&place.resource_group_id(span));
        match (describe(place), describe(&self.place)) {
            (Some(there), Some(here))
                if self.place.scope == TemplateScope::ResourceGroup && there == here =>
            {
                self.place.location.clone()
            }
            _ => context.run.identities.derive(
                "resourceGroup().location",
                &[&place.resource_group_id(span)],
                span,
            ),
        }
    }

    /// The address of a symbolic name, without an index where a loop is meant. `None` if nothing is deployed under it.
    pub(crate) fn symbol_key(self: &Rc<Self>, run: &Run<'_>, symbol: &EcoString) -> Option<ResourceKey> {
        let index = *self.by_symbol.get(symbol)?;
        let instances = self.instances(run, index);
        let declaration = self.template.resources.get(index)?;
        match instances.as_slice() {
            [only] if declaration.copy.is_none() => Some(only.key.clone()),
            [] if declaration.copy.is_none() => None,
            _ => Some(ResourceKey {
                root: run.root,
                address: EcoString::from(format!("{}{}", self.prefix, declaration.symbol)),
            }),
        }
    }

    /// The resource that a name means where `reference` or `dependsOn` say it: a symbolic name (`nics[0]`), or a name.
    pub(crate) fn named(self: &Rc<Self>, run: &Run<'_>, target: &Value) -> Option<Rc<Instance>> {
        if self.template.symbolic
            && let Some(text) = target.as_str()
        {
            let (symbol, index) = match text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
                Some((symbol, index)) => (symbol, index.parse::<usize>().ok()),
                None => (text, None),
            };
            if let Some(declaration) = self.by_symbol.get(symbol) {
                let instances = self.instances(run, *declaration);
                return match index {
                    Some(index) => instances
                        .iter()
                        .find(|instance| instance.index == Some(index))
                        .or(instances.first().filter(|first| first.index.is_none()))
                        .cloned(),
                    None => instances.first().cloned(),
                };
            }
        }
        if !self.ready.get() {
            return None;
        }
        // A name alone: the resource of that name, if there is but one.
        let wanted = run.identities.describe(target)?.to_lowercase();
        match self.by_name.borrow().get(&wanted).map(Vec::as_slice) {
            Some([only]) => Some(Rc::clone(only)),
            _ => None,
        }
    }

    /// The addresses that an element of `dependsOn` means.
    pub(crate) fn depended_on(self: &Rc<Self>, context: &Context<'_, '_>, value: &Value) -> Vec<EcoString> {
        if let Some(reference) = value.as_reference() {
            return vec![reference.target.address.clone()];
        }
        if let Some(text) = value.as_str() {
            if self.template.symbolic
                && let Some(key) = self.symbol_key(context.run, &text.into())
            {
                return vec![key.address];
            }
            // The name of a loop.
            for (index, declaration) in self.template.resources.iter().enumerate() {
                let copy = declaration.copy.as_ref().and_then(|copy| copy.copy.as_deref());
                if copy.is_some_and(|name| !name.is_empty() && name.eq_ignore_ascii_case(text)) {
                    let instances = self.instances(context.run, index);
                    return instances.iter().map(|instance| instance.key.address.clone()).collect();
                }
            }
        }
        if let Some(instance) = ids::named(context, value) {
            return vec![instance.key.address.clone()];
        }
        // `Microsoft.Network/virtualNetworks/vnet`: an id without its scope.
        let full = match value.as_str().or(Some(known_prefix(value))) {
            Some(text) if text.split('/').next().is_some_and(|first| first.contains('.')) => {
                let place = context.deployment_place().id(value.span);
                concat([place, Value::string("/providers/", value.span), value.clone()], value.span)
            }
            _ => return Vec::new(),
        };
        ids::find_id(context, &full).map(|instance| instance.key.address.clone()).into_iter().collect()
    }
}

struct Round {
    index: Option<usize>,
    cause: Option<Value>,
}

/// Why a value is not known.
fn cause_of(value: &Value) -> Arc<Unknown> {
    value.first_unknown().unwrap_or_else(|| {
        Arc::new(Unknown { cause: Cause::Unsupported("this condition".into()), span: value.span })
    })
}

/// The address of a resource without a symbolic name: its type and names in the order of an id.
fn shown_address(kind: &str, name: &Value, index: Option<usize>) -> String {
    let names: Vec<String> = segments(name).unwrap_or_default().iter().map(shown_name).collect();
    let mut kinds = kind.split('/');
    let mut address = kinds.next().unwrap_or("").to_string();
    let kinds: Vec<&str> = kinds.collect();
    if kinds.len() == names.len() {
        for (kind, name) in kinds.iter().zip(&names) {
            address.push_str(&format!("/{kind}/{name}"));
        }
    } else {
        address = format!("{kind}/{}", names.join("/"));
    }
    match index {
        Some(index) if name.first_unknown().is_some() => format!("{address}[{index}]"),
        _ => address,
    }
}

fn shown_name(name: &Value) -> String {
    let unknown = |value: &Value| match value.first_unknown().as_ref().map(|unknown| unknown.cause.root()) {
        Some(Cause::Input(name) | Cause::Lookup(name) | Cause::Computed(name) | Cause::Impure(name)) => {
            format!("{{{name}}}")
        }
        _ => "{?}".to_string(),
    };
    match &name.kind {
        ValueKind::Template(parts) => parts
            .iter()
            .map(|part| match part {
                TemplatePart::Literal(text) => text.to_string(),
                TemplatePart::Value(value) => unknown(value),
            })
            .collect(),
        ValueKind::String(text) => text.to_string(),
        _ if is_open(name) => unknown(name),
        _ => plain_text(name).to_string(),
    }
}
