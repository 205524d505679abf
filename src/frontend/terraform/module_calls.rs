//! The instances of module calls, and what expressions see of them.

use std::rc::Rc;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use rustc_hash::FxHashMap;

use super::evaluator::{Caller, Evaluator, Memo, Node, Task};
use super::limits::MAX_MODULES;
use super::module::Call;
use super::repetition::{Repetitions, Shape, instance_key};
use super::scope::{InstanceKey, Repetition, Scope, keyed};
use crate::resource::Diagnostic;
use crate::source::Span;
use crate::value::{Cause, Entry, MappingKind, SequenceKind, Unknown, Value, ValueKind};

/// Arguments of `module` blocks that are no variables of the module.
const CALL_ARGUMENTS: [&str; 6] = ["source", "version", "count", "for_each", "providers", "depends_on"];

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
        let shape = Shape::of(body);
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
