//! The instances of resources, and what expressions see of them.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use ecow::EcoString;
use rustc_hash::FxHashMap;

use super::evaluator::{Evaluator, Memo, Node, Task};
use super::limits::MAX_RESOURCES;
use super::repetition::{Repetitions, Shape, instance_key};
use super::scope::{InstanceKey, Repetition, Scope, keyed};
use super::syntax::ast::{TraversalStep, TraversalStepKind};
use super::traversal::unknown_from;
use crate::source::Span;
use crate::value::{
    Cause, Entry, MappingKind, Reference, ResourceKey, SequenceKind, Step, Unknown, Value, ValueKind,
};

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

impl ResourceExpansion {
    fn of(shape: Shape, instances: Vec<Rc<ResourceInstance>>, generic: Option<Rc<ResourceInstance>>) -> Self {
        let keys = instances.iter().enumerate();
        let by_key =
            keys.filter_map(|(place, instance)| Some((instance.repetition.key.clone()?, place))).collect();
        ResourceExpansion { instances, by_key, generic, shape, whole: OnceCell::new() }
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
        let shape = Shape::of(&resource.block.body);
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
