//! `count` and `for_each`: the instances of resources and of modules.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;

use super::evaluator::{Caller, Evaluator, Memo, Node, Task};
use super::limits::{MAX_MODULES, MAX_REPETITIONS, MAX_RESOURCES};
use super::module::Call;
use super::scope::{InstanceKey, Repetition, Scope, keyed};
use super::syntax::ast::{Block, TraversalStep, TraversalStepKind};
use super::traversal::unknown_from;
use crate::resource::Diagnostic;
use crate::source::Span;
use crate::value::{
    Cause, Entry, MappingKind, Reference, ResourceKey, SequenceKind, Step, Unknown, Value, ValueKind,
};

/// Arguments of `module` blocks that are no variables of the module.
const CALL_ARGUMENTS: [&str; 6] = ["source", "version", "count", "for_each", "providers", "depends_on"];

/// How often a block is repeated.
enum Repetitions {
    /// No `count`, no `for_each`.
    Once,
    /// This often, with these keys. `Some` for an instance of which it is not known whether it is there.
    Known(Vec<(Repetition, Option<Arc<Unknown>>)>),
    /// It is not known, and why; what `each` and `count` mean in any of them.
    Unknown(Arc<Unknown>, Repetition),
    /// Instances that are known, and there may be more.
    Open(Vec<(Repetition, Option<Arc<Unknown>>)>, Arc<Unknown>, Repetition),
}

/// The instances of one resource block in one module instance.
#[derive(Debug)]
pub(super) struct ResourceExpansion {
    /// The instances, in the order of their keys.
    pub instances: Vec<Rc<ResourceInstance>>,
    by_key: FxHashMap<InstanceKey, usize>,
    /// Stands for the instances that are not known; its address has no key. Also among `instances`.
    generic: Option<Rc<ResourceInstance>>,
    shape: Shape,
    whole: OnceCell<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Single,
    List,
    Map,
}

/// One instance of a resource or data source.
#[derive(Debug)]
pub(super) struct ResourceInstance {
    /// The module instance it is declared in.
    pub node: Rc<Node>,
    /// The block, by its place among the resources of that module.
    pub block: usize,
    /// The full address.
    pub address: EcoString,
    /// What `each` and `count` mean.
    pub repetition: Repetition,
    /// Why it is not known whether (or how often) it is there.
    pub uncertain: Option<Arc<Unknown>>,
    /// What of its arguments was evaluated.
    pub arguments: RefCell<FxHashMap<EcoString, Memo<Value>>>,
    /// Its nested blocks as other expressions see them, by type.
    pub readable_blocks: RefCell<Vec<(EcoString, Value)>>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The instances of one module call in one module instance.
pub(super) struct CallExpansion {
    /// The instances; `None` when the module's source is not on disk.
    pub nodes: Option<CallNodes>,
    /// Whether the call has `count` or `for_each`.
    pub repeated: bool,
    /// Why its outputs are unknown, when its source is not on disk.
    pub missing: Option<Arc<Unknown>>,
}

/// Module instances by key.
pub(super) struct CallNodes {
    list: Vec<(Option<InstanceKey>, Rc<Node>)>,
    by_key: FxHashMap<InstanceKey, usize>,
    generic: Option<Rc<Node>>,
    shape: Shape,
}

impl CallNodes {
    /// All instances, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Node>> {
        self.list.iter().map(|(_, node)| node)
    }

    /// The only instance of a call without `count` and `for_each`.
    pub fn single(&self) -> Option<Rc<Node>> {
        match self.shape {
            Shape::Single => self.list.first().map(|(_, node)| Rc::clone(node)),
            Shape::List | Shape::Map => None,
        }
    }

    /// The instance with a key; `None` when it cannot be said which.
    ///
    /// # Errors
    /// The key's text, when there certainly is no such instance.
    pub fn find(&self, key: &Value) -> Result<Option<Rc<Node>>, String> {
        match instance_key(key, self.shape) {
            Some(key) => match self.by_key.get(&key).and_then(|place| self.list.get(*place)) {
                Some((_, node)) => Ok(Some(Rc::clone(node))),
                None => match &self.generic {
                    Some(generic) => Ok(Some(Rc::clone(generic))),
                    None => Err(key.to_string()),
                },
            },
            None => Ok(self.generic.clone().filter(|_| self.list.len() == 1)),
        }
    }
}

/// A known key of the kind that a list or a map of instances has.
fn instance_key(key: &Value, shape: Shape) -> Option<InstanceKey> {
    match shape {
        Shape::List => match &key.kind {
            ValueKind::Number(number) => number.as_i64().map(InstanceKey::Index),
            ValueKind::String(text) => text.parse().ok().map(InstanceKey::Index),
            _ => None,
        },
        Shape::Map | Shape::Single => super::traversal::key_name(key).map(InstanceKey::Name),
    }
}

impl Evaluator<'_> {
    /// The key of a resource of this root.
    pub(super) fn key(&self, address: &EcoString) -> ResourceKey {
        ResourceKey { root: self.root, address: address.clone() }
    }

    /// Whether an address stands for an unknown number of instances.
    pub(super) fn is_uncertain(&self, address: &EcoString) -> bool {
        self.uncertainty_of(address).is_some()
    }

    /// Why it is not known how many instances an address stands for, if it is not.
    pub(super) fn uncertainty_of(&self, address: &EcoString) -> Option<Arc<Unknown>> {
        self.by_address.borrow().get(address)?.uncertain.clone()
    }

    /// The repetitions of a block with `count` or `for_each`.
    fn repetitions(&self, block: &Block, what: &str, scope: &Scope) -> Repetitions {
        if let Some(count) = block.body.attribute("count") {
            let value = self.evaluate(&count.value, scope);
            return self.count(&value, what, count.value.span);
        }
        if let Some(for_each) = block.body.attribute("for_each") {
            let value = self.evaluate(&for_each.value, scope);
            return self.for_each(&value, what, for_each.value.span);
        }
        Repetitions::Once
    }

    fn count(&self, value: &Value, what: &str, span: Span) -> Repetitions {
        let unknown = |why: Arc<Unknown>| {
            let index = unknown_from(&why, span);
            Repetitions::Unknown(why, Repetition { index: Some(index), ..Repetition::default() })
        };
        if let Some(why) = value.first_unknown() {
            return unknown(why);
        }
        let number = match &value.kind {
            ValueKind::Number(number) => number.as_i64(),
            ValueKind::String(text) => crate::value::Number::parse(text).and_then(|number| number.as_i64()),
            _ => None,
        };
        let count = match number {
            Some(number) if number >= 0 => number as u64,
            _ => {
                let message = format!("the `count` of {what} must be a whole number, zero or more");
                let failed = self.fail(span, message);
                return failed.first_unknown().map_or(Repetitions::Once, unknown);
            }
        };
        if count > MAX_REPETITIONS as u64 {
            let message =
                format!("{what} has {count} instances; at most {MAX_REPETITIONS} are looked at one by one");
            let limit = self.limit(span, &message);
            return limit.first_unknown().map_or(Repetitions::Once, unknown);
        }
        let instances = (0..count as i64).map(|index| {
            let repetition = Repetition {
                key: Some(InstanceKey::Index(index)),
                index: Some(Value::number(index, span).marked(value.sensitive)),
                each: None,
            };
            (repetition, None)
        });
        Repetitions::Known(instances.collect())
    }

    fn for_each(&self, value: &Value, what: &str, span: Span) -> Repetitions {
        let unknown = |why: Arc<Unknown>| {
            let each = (unknown_from(&why, span), unknown_from(&why, span));
            (why, Repetition { each: Some(each), ..Repetition::default() })
        };
        let failed = |message: String| {
            let failed = self.fail(span, message);
            match failed.first_unknown() {
                Some(cause) => {
                    let (cause, repetition) = unknown(cause);
                    Repetitions::Unknown(cause, repetition)
                }
                None => Repetitions::Once,
            }
        };
        let instance = |name: &EcoString, key: Value, value: Value| Repetition {
            key: Some(InstanceKey::Name(name.clone())),
            each: Some((key, value)),
            index: None,
        };
        let mut instances = Vec::new();
        let mut open: Option<(Arc<Unknown>, Repetition)> = None;
        match &value.kind {
            ValueKind::Mapping(mapping) => {
                let mut entries: Vec<(&EcoString, &Entry)> = mapping.entries.iter().collect();
                entries.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
                for (name, entry) in entries {
                    let uncertain = entry.value.uncertainty();
                    let element = entry.value.clone().certain().marked(value.sensitive);
                    instances
                        .push((instance(name, Value::string(name.clone(), entry.span), element), uncertain));
                }
                open = mapping.rest.clone().map(unknown);
            }
            ValueKind::Sequence(sequence)
                if sequence.kind != SequenceKind::Set && !sequence.items.is_empty() =>
            {
                return failed(format!(
                    "the `for_each` of {what} must be a map or a set of strings, not a list"
                ));
            }
            ValueKind::Sequence(sequence) => {
                let mut items: Vec<&Value> = sequence.items.iter().collect();
                items.sort_by(|a, b| crate::value::compare_set_elements(a, b));
                for item in items {
                    let element = item.clone().certain().marked(value.sensitive);
                    match &item.kind {
                        ValueKind::String(name) => {
                            instances.push((instance(name, element.clone(), element), item.uncertainty()));
                        }
                        _ if item.is_unknown() || matches!(item.kind, ValueKind::Template(_)) => {
                            let each = Some((element.clone(), element));
                            let repetition = Repetition { each, ..Repetition::default() };
                            open = item.first_unknown().map(|cause| (cause, repetition));
                        }
                        _ => return failed(format!("the `for_each` of {what} must be a set of strings")),
                    }
                }
            }
            _ => match value.first_unknown() {
                Some(cause) => open = Some(unknown(cause)),
                None => {
                    return failed(format!("the `for_each` of {what} must be a map or a set of strings"));
                }
            },
        }
        if instances.len() > MAX_REPETITIONS {
            let message = format!(
                "{what} has {} instances; at most {MAX_REPETITIONS} are looked at one by one",
                instances.len()
            );
            instances.clear();
            open = self.limit(span, &message).first_unknown().map(unknown);
        }
        match open {
            None => Repetitions::Known(instances),
            Some((why, repetition)) if instances.is_empty() => Repetitions::Unknown(why, repetition),
            Some((why, repetition)) => Repetitions::Open(instances, why, repetition),
        }
    }

    /// The instances of a resource block.
    pub(super) fn expand_resource(&self, node: &Rc<Node>, index: usize) -> Rc<ResourceExpansion> {
        let Some((_, resource)) = node.module.resources.get_index(index) else {
            return Rc::new(ResourceExpansion::of(Shape::Single, Vec::new(), None));
        };
        let task = Task::Named(Rc::clone(node), "", resource.address.clone(), resource.block.header);
        match node.resources.borrow_mut().get_mut(index) {
            Some(Memo::Done(expansion)) => return Rc::clone(expansion),
            Some(memo @ Memo::Empty) => *memo = Memo::Busy,
            _ => {
                let cause = self.cycle(&task).first_unknown();
                return Rc::new(self.resource_instances(node, index, &resource.address, cause));
            }
        }
        let expansion =
            self.perform(task, || Rc::new(self.resource_instances(node, index, &resource.address, None)));
        {
            let mut by_address = self.by_address.borrow_mut();
            for instance in &expansion.instances {
                by_address.insert(instance.address.clone(), Rc::clone(instance));
            }
        }
        if let Some(memo) = node.resources.borrow_mut().get_mut(index) {
            *memo = Memo::Done(Rc::clone(&expansion));
        }
        expansion
    }

    fn resource_instances(
        &self,
        node: &Rc<Node>,
        block: usize,
        address: &EcoString,
        cyclic: Option<Arc<Unknown>>,
    ) -> ResourceExpansion {
        let base = node.absolute(address);
        let in_uncertain_module = node.uncertain();
        let instance = |repetition: Repetition, uncertain: Option<Arc<Unknown>>| {
            Rc::new(ResourceInstance {
                node: Rc::clone(node),
                block,
                address: keyed(&base, repetition.key.as_ref()),
                repetition,
                uncertain: uncertain.or_else(|| in_uncertain_module.clone()),
                arguments: RefCell::default(),
                readable_blocks: RefCell::default(),
            })
        };
        let Some((_, resource)) = node.module.resources.get_index(block) else {
            return ResourceExpansion::of(Shape::Single, Vec::new(), None);
        };
        let body = &resource.block.body;
        let shape = if body.attribute("count").is_some() {
            Shape::List
        } else if body.attribute("for_each").is_some() {
            Shape::Map
        } else {
            Shape::Single
        };
        let left_out = || {
            let message =
                format!("this root has more than {MAX_RESOURCES} resources; the rest is not looked at");
            self.limit(resource.block.header, &message);
            ResourceExpansion::of(shape, Vec::new(), None)
        };
        if self.resource_count.get() >= MAX_RESOURCES {
            return left_out();
        }
        let repetitions = match cyclic {
            Some(cause) => {
                let each = (
                    unknown_from(&cause, resource.block.header),
                    unknown_from(&cause, resource.block.header),
                );
                let index = Some(each.0.clone());
                Repetitions::Unknown(cause, Repetition { key: None, each: Some(each), index })
            }
            None => self.repetitions(&resource.block, &format!("`{base}`"), &Scope::of_node(node)),
        };
        let count = match &repetitions {
            Repetitions::Once | Repetitions::Unknown(..) => 1,
            Repetitions::Known(all) | Repetitions::Open(all, ..) => all.len(),
        };
        let total = self.resource_count.get() + count;
        if total > MAX_RESOURCES {
            self.resource_count.set(MAX_RESOURCES);
            return left_out();
        }
        self.resource_count.set(total);
        let known = |all: Vec<(Repetition, Option<Arc<Unknown>>)>| -> Vec<Rc<ResourceInstance>> {
            all.into_iter().map(|(repetition, uncertain)| instance(repetition, uncertain)).collect()
        };
        match repetitions {
            Repetitions::Once => {
                ResourceExpansion::of(shape, vec![instance(Repetition::default(), None)], None)
            }
            Repetitions::Known(all) => ResourceExpansion::of(shape, known(all), None),
            Repetitions::Unknown(why, repetition) => {
                let generic = instance(repetition, Some(why));
                ResourceExpansion::of(shape, vec![Rc::clone(&generic)], Some(generic))
            }
            Repetitions::Open(all, why, repetition) => {
                let generic = instance(repetition, Some(why));
                let mut instances = known(all);
                instances.push(Rc::clone(&generic));
                ResourceExpansion::of(shape, instances, Some(generic))
            }
        }
    }

    /// A resource named in an expression, with an instance key behind it when one is there; how many steps that took.
    pub(super) fn resource(
        &self,
        node: &Rc<Node>,
        address: &EcoString,
        span: Span,
        steps: &[TraversalStep],
        scope: &Scope,
    ) -> (Value, usize) {
        let Some(index) = node.module.resources.get_index_of(address) else {
            let message = format!("there is no resource `{address}` in this module");
            return (self.undeclared(node, span, message), steps.len());
        };
        let expansion = self.expand_resource(node, index);
        if expansion.shape == Shape::Single {
            let value = match expansion.instances.first() {
                Some(instance) => Value::reference(self.key(&instance.address), Vec::new(), span),
                None => Value::unknown(Cause::Limit("too many resources".into()), span),
            };
            return (value, 0);
        }
        let key = match steps.first().map(|step| &step.kind) {
            Some(TraversalStepKind::Index(key)) => self.evaluate(key, scope),
            Some(TraversalStepKind::LegacyIndex(index)) => Value::number(*index as i128, span),
            _ => return (self.whole_resource(&expansion, span), 0),
        };
        let at = steps.first().map_or(span, |step| step.span);
        let Some(key) = instance_key(&key, expansion.shape) else {
            // Which instance, is not known: any of them, when all that is known is that they exist.
            let value = match &expansion.generic {
                Some(generic) if expansion.instances.len() == 1 => {
                    Value::reference(self.key(&generic.address), Vec::new(), span)
                }
                _ => self.index(&self.whole_resource(&expansion, span), &key, at, span),
            };
            return (value, 1);
        };
        (self.resource_instance(&expansion, &key, node, address, at, span), 1)
    }

    fn resource_instance(
        &self,
        expansion: &ResourceExpansion,
        key: &InstanceKey,
        node: &Rc<Node>,
        address: &EcoString,
        at: Span,
        span: Span,
    ) -> Value {
        if let Some(instance) = expansion.by_key.get(key).and_then(|place| expansion.instances.get(*place)) {
            return Value::reference(self.key(&instance.address), Vec::new(), span);
        }
        let Some(generic) = &expansion.generic else {
            let message = format!("`{}` has no instance with the key {key}", node.absolute(address));
            return self.fail(at, message);
        };
        // The first of an unknown number is what the resource as a whole stands for (`count = var.enabled ? 1 : 0`).
        // Others get an address of their own, so that two of them are not taken for one.
        if *key == InstanceKey::Index(0) {
            return Value::reference(self.key(&generic.address), Vec::new(), span);
        }
        let alias = keyed(&generic.address, Some(key));
        if !self.by_address.borrow().contains_key(&alias) {
            let mut repetition = generic.repetition.clone();
            repetition.key = Some(key.clone());
            if let Some((each_key, _)) = &mut repetition.each {
                *each_key = key.to_value(each_key.span);
            }
            if repetition.index.is_some() {
                repetition.index = Some(key.to_value(span));
            }
            let instance = Rc::new(ResourceInstance {
                node: Rc::clone(&generic.node),
                block: generic.block,
                address: alias.clone(),
                repetition,
                uncertain: generic.uncertain.clone(),
                arguments: RefCell::default(),
                readable_blocks: RefCell::default(),
            });
            self.by_address.borrow_mut().insert(alias.clone(), instance);
        }
        Value::reference(self.key(&alias), Vec::new(), span)
    }

    /// All instances of a resource: a list or a map of references.
    fn whole_resource(&self, expansion: &ResourceExpansion, span: Span) -> Value {
        if let Some(whole) = expansion.whole.get() {
            return whole.clone().at(span);
        }
        let reference = |instance: &Rc<ResourceInstance>| {
            let value = Value::reference(self.key(&instance.address), Vec::new(), span);
            match &instance.uncertain {
                // Inside a module of which it is not known whether it is there, it is there when the module is.
                Some(_) if instance.node.uncertain() == instance.uncertain => value,
                Some(why) => value.maybe(Some(Arc::clone(why))),
                None => value,
            }
        };
        let whole = match expansion.shape {
            Shape::Single | Shape::List => {
                let items = expansion.instances.iter().map(reference).collect();
                Value::sequence(SequenceKind::Tuple, items, span)
            }
            Shape::Map => match &expansion.generic {
                // The keys are not known; the reference itself stands for all of them.
                Some(generic) if expansion.instances.len() == 1 => {
                    Value::reference(self.key(&generic.address), Vec::new(), span)
                }
                generic => {
                    let entries =
                        expansion.instances.iter().filter_map(|instance| match &instance.repetition.key {
                            Some(InstanceKey::Name(name)) => {
                                Some((name.clone(), Entry { span, value: reference(instance) }))
                            }
                            _ => None,
                        });
                    let mut value = Value::mapping(MappingKind::Object, entries.collect::<Vec<_>>(), span);
                    if let (ValueKind::Mapping(mapping), Some(generic)) = (&mut value.kind, generic) {
                        Arc::make_mut(mapping).rest.clone_from(&generic.uncertain);
                    }
                    value
                }
            },
        };
        expansion.whole.get_or_init(|| whole).clone()
    }

    /// A step from a whole resource: one of its instances, or one of its attributes.
    pub(super) fn resource_step(&self, reference: &Arc<Reference>, step: Step, span: Span) -> Value {
        let instance = self.by_address.borrow().get(&reference.target.address).cloned();
        let Some(instance) = instance else {
            return Value::reference(reference.target.clone(), vec![step], span);
        };
        match &step {
            Step::Attribute(name) => match self.readable_argument(&instance, name) {
                Some(value) if !value.is_null() => value,
                _ => Value::reference(reference.target.clone(), vec![step], span),
            },
            Step::Index(_) => Value::reference(reference.target.clone(), vec![step], span),
        }
    }

    /// Whether an instance stands for all those of a map whose keys are not known.
    pub(super) fn stands_for_map(&self, instance: &ResourceInstance) -> bool {
        let resources = instance.node.resources.borrow();
        match resources.get(instance.block) {
            Some(Memo::Done(expansion)) => {
                let generic =
                    expansion.generic.as_ref().is_some_and(|generic| generic.address == instance.address);
                generic && expansion.shape == Shape::Map
            }
            _ => false,
        }
    }

    /// `whole[key]`, where `whole` is the reference that stands for all instances of a map whose keys are not known.
    pub(super) fn unknown_map_instance(&self, reference: &Reference, key: &Value, at: Span) -> Option<Value> {
        let instance = self.by_address.borrow().get(&reference.target.address).cloned()?;
        let expansion = match instance.node.resources.borrow().get(instance.block) {
            Some(Memo::Done(expansion)) => Rc::clone(expansion),
            _ => return None,
        };
        let generic = expansion.generic.as_ref().filter(|generic| generic.address == instance.address)?;
        let key = instance_key(key, expansion.shape)?;
        let (address, _) = generic.node.module.resources.get_index(generic.block)?;
        Some(self.resource_instance(&expansion, &key, &generic.node, address, at, at))
    }
}

impl ResourceExpansion {
    fn of(shape: Shape, instances: Vec<Rc<ResourceInstance>>, generic: Option<Rc<ResourceInstance>>) -> Self {
        let keys = instances.iter().enumerate();
        let by_key =
            keys.filter_map(|(place, instance)| Some((instance.repetition.key.clone()?, place))).collect();
        ResourceExpansion { instances, by_key, generic, shape, whole: OnceCell::new() }
    }
}

impl Node {
    /// Why it is not known whether this module instance is there.
    pub fn uncertain(&self) -> Option<Arc<Unknown>> {
        let caller = self.caller.as_ref()?;
        caller.uncertain.clone().or_else(|| caller.node.uncertain())
    }
}

impl Evaluator<'_> {
    /// The instances of a module call.
    pub(super) fn expand_call(&self, node: &Rc<Node>, index: usize) -> Rc<CallExpansion> {
        let Some((name, call)) = node.module.calls.get_index(index) else {
            return Rc::new(CallExpansion { nodes: None, repeated: false, missing: None });
        };
        let task = Task::Named(Rc::clone(node), "module.", name.clone(), call.block.header);
        match node.calls.borrow_mut().get_mut(index) {
            Some(Memo::Done(expansion)) => return Rc::clone(expansion),
            Some(memo @ Memo::Empty) => *memo = Memo::Busy,
            _ => {
                let missing = self.cycle(&task).first_unknown();
                return Rc::new(CallExpansion { nodes: None, repeated: false, missing });
            }
        }
        let expansion = self.perform(task, || Rc::new(self.call_instances(node, index, name, call)));
        if let Some(memo) = node.calls.borrow_mut().get_mut(index) {
            *memo = Memo::Done(Rc::clone(&expansion));
        }
        expansion
    }

    fn call_instances(&self, node: &Rc<Node>, index: usize, name: &EcoString, call: &Call) -> CallExpansion {
        let header = call.block.header;
        let address = node.absolute(&eco_format!("module.{name}"));
        let call_path =
            if node.call_path.is_empty() { name.clone() } else { eco_format!("{}.{name}", node.call_path) };
        let body = &call.block.body;
        let shape = if body.attribute("count").is_some() {
            Shape::List
        } else if body.attribute("for_each").is_some() {
            Shape::Map
        } else {
            Shape::Single
        };
        let repeated = shape != Shape::Single;
        let absent = |cause: Cause| {
            let missing = Some(Arc::new(Unknown { cause, span: header }));
            CallExpansion { nodes: None, repeated, missing }
        };
        let left_out = || {
            let message =
                format!("this root has more than {MAX_MODULES} module instances; the rest is not looked at");
            self.limit(header, &message);
            absent(Cause::Limit("there are too many module instances".into()))
        };
        if self.module_count.get() >= MAX_MODULES {
            return left_out();
        }
        let module = match self.modules.resolve(self.root_dir, node, &call_path, name, call) {
            Ok(module) => module,
            Err(diagnostic) => {
                self.keep(vec![diagnostic]);
                return absent(Cause::Module(address));
            }
        };
        let mut ancestor = Some(node);
        while let Some(at) = ancestor {
            if Arc::ptr_eq(&at.module, &module) {
                let message = format!("module `{address}` calls the module that it is called by");
                self.keep(vec![Diagnostic::warning("cycle", message, call.source_span)]);
                return absent(Cause::Error(eco_format!("`{address}` calls itself")));
            }
            ancestor = at.caller.as_ref().map(|caller| &caller.node);
        }
        for attribute in &body.attributes {
            let known = CALL_ARGUMENTS.contains(&attribute.name.as_str());
            if !known && !module.incomplete && !module.variables.contains_key(&attribute.name) {
                let message = format!("`{address}` has no variable `{}`", attribute.name);
                self.keep(vec![Diagnostic::warning("undeclared-variable", message, attribute.name_span)]);
            }
        }
        let child = |repetition: Repetition, uncertain: Option<Arc<Unknown>>| {
            let path = keyed(&address, repetition.key.as_ref());
            let key = repetition.key.clone();
            let caller = Caller { node: Rc::clone(node), call: index, repetition, uncertain };
            (key, Node::new(Arc::clone(&module), path, call_path.clone(), Some(caller)))
        };
        let repetitions = self.repetitions(&call.block, &format!("`{address}`"), &Scope::of_node(node));
        let mut generic = None;
        let list = match repetitions {
            Repetitions::Once => vec![child(Repetition::default(), None)],
            Repetitions::Known(all) => all.into_iter().map(|(r, uncertain)| child(r, uncertain)).collect(),
            Repetitions::Unknown(why, repetition) => {
                let node = child(repetition, Some(why));
                generic = Some(Rc::clone(&node.1));
                vec![node]
            }
            Repetitions::Open(all, why, repetition) => {
                let mut list: Vec<_> = all.into_iter().map(|(r, uncertain)| child(r, uncertain)).collect();
                let node = child(repetition, Some(why));
                generic = Some(Rc::clone(&node.1));
                list.push(node);
                list
            }
        };
        let total = self.module_count.get() + list.len();
        if total > MAX_MODULES {
            self.module_count.set(MAX_MODULES);
            return left_out();
        }
        self.module_count.set(total);
        let by_key =
            list.iter().enumerate().filter_map(|(place, (key, _))| Some((key.clone()?, place))).collect();
        CallExpansion { nodes: Some(CallNodes { list, by_key, generic, shape }), repeated, missing: None }
    }

    /// All that a module call has to give: an object, a list or a map of objects.
    pub(super) fn whole_call(
        &self,
        node: &Rc<Node>,
        call: &Call,
        name: &EcoString,
        expansion: &CallExpansion,
        span: Span,
    ) -> Value {
        let Some(nodes) = &expansion.nodes else {
            return match &expansion.missing {
                Some(missing) => Value::new(ValueKind::Unknown(Arc::clone(missing)), span),
                None => {
                    let cause = Cause::Module(node.absolute(&eco_format!("module.{name}")));
                    Value::new(ValueKind::Unknown(Arc::new(Unknown { cause, span: call.block.header })), span)
                }
            };
        };
        let outputs = |child: &Rc<Node>| {
            let value = self.outputs(child, span);
            match child.caller.as_ref().and_then(|caller| caller.uncertain.clone()) {
                Some(why) => value.maybe(Some(why)),
                None => value,
            }
        };
        match nodes.shape {
            Shape::Single | Shape::List => {
                Value::sequence(SequenceKind::Tuple, nodes.iter().map(outputs).collect(), span)
            }
            Shape::Map => {
                let entries = nodes.list.iter().filter_map(|(key, child)| match key {
                    Some(InstanceKey::Name(name)) => {
                        Some((name.clone(), Entry { span: call.block.header, value: outputs(child) }))
                    }
                    _ => None,
                });
                let mut value = Value::mapping(MappingKind::Object, entries.collect::<Vec<_>>(), span);
                if let (ValueKind::Mapping(mapping), Some(generic)) = (&mut value.kind, &nodes.generic) {
                    Arc::make_mut(mapping).rest = generic.uncertain();
                }
                value
            }
        }
    }
}
