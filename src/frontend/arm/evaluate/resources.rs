//! The resources of one deployment: which there are, what they are called, what is in them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use super::super::expression::ast::Expression;
use super::super::lower::lower_case;
use super::super::model::{Arguments, NestedTemplate, ResourceDeclaration, Template, TemplateScope};
use super::context::{Context, Frame, is_open};
use super::place::Place;
use super::text::{concat, segments};
use super::{MAX_COPIES, MAX_DEPLOYMENTS, MAX_NESTED_DEPLOYMENTS, Run, access, ids};
use crate::resource::Diagnostic;
use crate::source::Span;
use crate::value::{
    Cause, Entry, Mapping, MappingKind, ResourceKey, TemplatePart, Unknown, Value, ValueKind,
};

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
    ready: Cell<bool>,
    by_symbol: FxHashMap<EcoString, usize>,
    /// By type and name, once all are declared.
    pub(crate) by_identity: RefCell<FxHashMap<String, Vec<Rc<Instance>>>>,
    /// How many deployments this one is inside.
    level: usize,
}

enum Declared {
    Not,
    UnderWay,
    Done(Vec<Rc<Instance>>),
}

/// One resource that a deployment makes, or that stands for zero or more.
pub(crate) struct Instance {
    deployment: Weak<Deployment>,
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
    extends: Option<Value>,
    pub(crate) parent: Option<Rc<Instance>>,
    /// Why there may be none or many of it.
    pub(crate) uncertain: Option<Arc<Unknown>>,
    frame: Option<Rc<Frame>>,
    body: RefCell<Option<Slot>>,
    nested: Cell<Nested>,
    nested_uses: RefCell<BTreeSet<EcoString>>,
}

#[derive(Clone, Copy)]
enum Nested {
    NotYet,
    None,
    /// Its position in the run's deployments.
    At(usize),
}

impl Deployment {
    /// The deployment that nothing deploys.
    pub(crate) fn root(template: Arc<Template>, given: IndexMap<EcoString, Value>, place: Place) -> Rc<Self> {
        Self::new(template, EcoString::new(), place, given, None, None, 0)
    }

    fn new(
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
        for index in 0..self.template.resources.len() {
            for instance in self.instances(run, index) {
                if let Some(identity) = ids::identity(run, &instance.resource_type, &instance.name) {
                    by_identity.entry(identity).or_default().push(instance);
                }
            }
        }
        drop(by_identity);
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
        let instances = self.make_instances(run, index, declaration);
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
                    super::super::expression::ast::ExpressionKind::Resource(symbol) => {
                        self.by_symbol.get(symbol).copied()
                    }
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
        let name = match &parent {
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
                let kind = super::super::expression::ast::ExpressionKind::Local(name.clone());
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
    fn place_of(
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
        let mut found = None;
        for index in 0..self.template.resources.len() {
            for instance in self.instances(run, index) {
                let same = |name: &Value| {
                    run.identities.describe(name).is_some_and(|text| text.to_lowercase() == wanted)
                };
                if same(&instance.name) || same(&instance.own_name) {
                    if found.is_some() {
                        return None;
                    }
                    found = Some(instance);
                }
            }
        }
        found
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
        let full = match value.as_str().or(Some(super::context::known_prefix(value))) {
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
        _ => super::text::plain_text(name).to_string(),
    }
}

impl Instance {
    fn deployment(&self) -> Option<Rc<Deployment>> {
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
                let absolute = super::context::known_prefix(id).starts_with('/') || id.is_unknown();
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
        let (value, uses) = run.collecting_uses(|| context.evaluate(&declaration.body));
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

    /// The deployment that this one makes; `None` if its template is not to be had.
    pub(crate) fn nested(&self, run: &Run<'_>) -> Option<Rc<Deployment>> {
        match self.nested.get() {
            Nested::At(index) => return run.deployments.borrow().get(index).cloned(),
            Nested::None => return None,
            Nested::NotYet => {}
        }
        let deployment = self.deployment()?;
        if !deployment.ready.get() {
            return None;
        }
        self.nested.set(Nested::None);
        let declaration = deployment.template.resources.get(self.declaration)?;
        let (made, uses) = run.collecting_uses(|| self.make_nested(run, &deployment, declaration));
        *self.nested_uses.borrow_mut() = uses;
        let made = made?;
        let index = run.deployments.borrow().len();
        run.adopt(&made);
        self.nested.set(Nested::At(index));
        made.declare(run);
        Some(made)
    }

    fn make_nested(
        &self,
        run: &Run<'_>,
        outer: &Rc<Deployment>,
        declaration: &ResourceDeclaration,
    ) -> Option<Rc<Deployment>> {
        let nested = declaration.deployment.as_ref()?;
        let context = self.context(run)?;
        if outer.level + 1 > MAX_NESTED_DEPLOYMENTS || run.deployments.borrow().len() >= MAX_DEPLOYMENTS {
            let message = "there are too many deployments inside each other".to_string();
            run.report(Diagnostic::error("limit", message, declaration.header));
            return None;
        }
        let template = self.nested_template(&context, outer, &nested.template, declaration.header)?;
        let mut given = IndexMap::new();
        if let Some(link) = &nested.parameters_link {
            let link = context.evaluate(link);
            let folder = outer.template.path.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
            for candidate in link_candidates(&link, &folder) {
                if let Ok(values) = run.loader.load_parameters(&folder, &candidate) {
                    given.extend(values.iter().map(|(name, value)| (name.clone(), context.evaluate(value))));
                    break;
                }
            }
        }
        match &nested.parameters {
            Arguments::Each(arguments) => {
                given.extend(arguments.iter().map(|(name, value)| (name.clone(), context.evaluate(value))));
            }
            Arguments::Whole(expression) => {
                let whole = context.evaluate(expression);
                match &whole.kind {
                    ValueKind::Mapping(mapping) => {
                        for (name, entry) in &mapping.entries {
                            let value = access::property(
                                &context,
                                &entry.value,
                                "value",
                                entry.span,
                                entry.span,
                                true,
                            );
                            given.insert(lower_case(name), value);
                        }
                    }
                    _ if is_open(&whole) => {
                        for (name, parameter) in &template.parameters {
                            let value = run.identities.derive(&format!(".{name}"), &[&whole], parameter.span);
                            given.insert(name.clone(), value);
                        }
                    }
                    _ => drop(run.fail("the parameters are not an object", expression.span)),
                }
            }
        }
        let mut place = self.place.clone();
        if place.scope != template.scope && template.scope != TemplateScope::ResourceGroup {
            place.scope = template.scope;
        }
        if let Some(group) = self.declared_group(run, outer, &place) {
            let key = group.key.clone();
            let reference = Value::reference(key, Vec::new(), declaration.header);
            place.location = access::property(
                &context,
                &reference,
                "location",
                declaration.header,
                declaration.header,
                true,
            );
        }
        let (owner, frame) = match nested.inner_scope {
            true => (None, None),
            false => (Some(Rc::clone(outer)), self.frame.clone()),
        };
        let label = match outer.template.symbolic {
            true => self.key.address.to_string(),
            false => format!("{}{}", outer.prefix, deployment_label(&self.key.address, &outer.prefix)),
        };
        let prefix = EcoString::from(format!("{label}::"));
        Some(Deployment::new(template, prefix, place, given, owner, frame, outer.level + 1))
    }

    /// The resource group of a place, if the surrounding template makes it.
    fn declared_group(&self, run: &Run<'_>, outer: &Rc<Deployment>, place: &Place) -> Option<Rc<Instance>> {
        let name = Some(&place.resource_group).filter(|name| !name.is_null())?;
        let identity = ids::identity(run, "Microsoft.Resources/resourceGroups", name)?;
        let mut deployment = Some(Rc::clone(outer));
        while let Some(current) = deployment {
            if let Some(found) = current.by_identity.borrow().get(&identity).and_then(|found| found.first()) {
                return Some(Rc::clone(found));
            }
            deployment = current.outer.clone();
        }
        None
    }

    fn nested_template(
        &self,
        context: &Context<'_, '_>,
        outer: &Rc<Deployment>,
        template: &NestedTemplate,
        span: Span,
    ) -> Option<Arc<Template>> {
        let run = context.run;
        let missing = |what: String| {
            let problem = Diagnostic::warning("module-not-found", what, span)
                .with_help("its resources are not checked; deploy-time template links are read only where the file is on disk");
            run.report(problem);
            None
        };
        let (link, is_path) = match template {
            NestedTemplate::Inline(template) => return Some(Arc::clone(template)),
            NestedTemplate::Missing => return None,
            NestedTemplate::Elsewhere(what) => {
                return missing(format!("the template of this deployment is not on disk: {what}"));
            }
            NestedTemplate::Path(link) => (context.evaluate(link), true),
            NestedTemplate::Uri(link) => (context.evaluate(link), false),
        };
        let folder = outer.template.path.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
        let candidates = match (is_path, link.as_str()) {
            (true, Some(path)) => vec![path.to_string()],
            _ => link_candidates(&link, &folder),
        };
        let mut reason = None;
        for candidate in &candidates {
            match run.loader.load(&folder, candidate) {
                Ok(loaded) => {
                    run.diagnostics.borrow_mut().extend(loaded.diagnostics);
                    return Some(loaded.template);
                }
                Err(problem) => reason = reason.or(Some(problem)),
            }
        }
        let reason = reason.unwrap_or_else(|| match link.as_str() {
            Some(text) => format!("`{text}` is not on disk"),
            None => "the link is not known".to_string(),
        });
        missing(format!("the template of this deployment cannot be read: {reason}"))
    }
}

/// How the deployment is called before `::` in the addresses of its resources: its name.
fn deployment_label(address: &str, prefix: &str) -> String {
    let own = address.strip_prefix(prefix).unwrap_or(address);
    own.strip_prefix("Microsoft.Resources/deployments/").unwrap_or(own).to_string()
}

/// The relative paths that a link to a template may mean in the folder of the template it stands in.
///
/// Links are mostly put together from a place that is not known before deployment (`deployment().properties.templateLink`,
/// an `_artifactsLocation` parameter) and a path below it; that path is looked for beside the template. Of a full address,
/// what comes after a folder of the same name as the template's is taken.
fn link_candidates(link: &Value, folder: &std::path::Path) -> Vec<String> {
    let clean = |text: &str| text.split(['?', '#']).next().unwrap_or("").trim_start_matches('/').to_string();
    match &link.kind {
        ValueKind::Template(parts) => {
            let mut parts = parts.iter().skip_while(|part| matches!(part, TemplatePart::Literal(_)));
            parts.next();
            match parts.next() {
                Some(TemplatePart::Literal(text)) => vec![clean(text)],
                _ => Vec::new(),
            }
        }
        ValueKind::String(text) => match text.split_once("://") {
            None => vec![clean(text)],
            Some((_, rest)) => {
                let here = folder
                    .canonicalize()
                    .ok()
                    .and_then(|folder| Some(folder.file_name()?.to_string_lossy().to_lowercase()));
                let path = clean(rest);
                let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
                let after = segments.iter().rposition(|segment| Some(segment.to_lowercase()) == here);
                after
                    .and_then(|after| segments.get(after + 1..))
                    .map(|tail| tail.join("/"))
                    .into_iter()
                    .collect()
            }
        },
        _ => Vec::new(),
    }
}

/// A mapping of named values.
pub(crate) fn mapping(entries: impl IntoIterator<Item = (EcoString, Value)>, span: Span) -> Value {
    let entries = entries.into_iter().map(|(name, value)| (name, Entry { span: value.span.or(span), value }));
    Value::mapping(MappingKind::Object, entries, span)
}
