//! The arguments of resources: attributes, nested blocks, `dynamic` blocks.

use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;

use super::evaluator::{Evaluator, Memo, Task};
use super::module::ResourceBlock;
use super::resources::ResourceInstance;
use super::scope::{Binding, Scope};
use super::syntax::ast::{Block, Body, Expression, ExpressionKind};
use super::traversal::names;
use crate::resource::Mode;
use crate::source::Span;
use crate::value::{
    Cause, Mapping, MappingKind, Reference, ResourceKey, Sequence, SequenceKind, Step, Unknown, Value,
    ValueKind,
};

/// Attributes that say how a block is deployed and are no arguments of the resource.
const META_ATTRIBUTES: [&str; 4] = ["count", "for_each", "depends_on", "provider"];
/// The same for blocks. `lifecycle` is kept, as far as [`lifecycle`] reads it.
const META_BLOCKS: [&str; 4] = ["lifecycle", "provisioner", "connection", "dynamic"];

/// Types whose attributes hold what the author likes. Lists of objects in other types' attributes are nested blocks,
/// which JSON syntax and some HCL write that way.
const FREE_FORM_TYPES: [&str; 3] = ["azapi_", "terraform_data", "null_resource"];

/// Blocks that the provider keeps as a set: what their positions are in state has nothing to do with their order here.
const SETS_OF_BLOCKS: [(&str, &str); 1] = [("azurerm_virtual_network", "subnet")];

/// The blocks of a body by the type that comes of them, in source order.
fn block_groups(body: &Body) -> IndexMap<&EcoString, Vec<&Block>, rustc_hash::FxBuildHasher> {
    let mut groups: IndexMap<&EcoString, Vec<&Block>, rustc_hash::FxBuildHasher> = IndexMap::default();
    for block in &body.blocks {
        groups.entry(block.makes_type()).or_default().push(block);
    }
    groups
}

impl Evaluator<'_> {
    fn block_of<'n>(&self, instance: &'n ResourceInstance) -> Option<&'n ResourceBlock> {
        instance.node.module.resources.get_index(instance.block).map(|(_, resource)| resource)
    }

    /// One argument of a resource: an attribute, or the blocks of a type as a list. `None` when the configuration does not
    /// have it.
    pub(super) fn argument(&self, instance: &Rc<ResourceInstance>, name: &EcoString) -> Option<Value> {
        let resource = self.block_of(instance)?;
        let body = &resource.block.body;
        let attribute = resource.arguments.attribute(body, name);
        let attribute = attribute.filter(|_| !META_ATTRIBUTES.contains(&name.as_str()));
        let blocks = match attribute {
            None if !META_BLOCKS.contains(&name.as_str()) => resource.arguments.blocks(body, name),
            _ => Vec::new(),
        };
        if attribute.is_none() && blocks.is_empty() {
            return None;
        }
        let at = attribute.map_or(resource.block.header, |attribute| attribute.span);
        let task = || Task::Attribute(Rc::clone(instance), name.clone(), at);
        match instance.arguments.borrow_mut().entry(name.clone()) {
            Entry::Vacant(free) => {
                free.insert(Memo::Busy);
            }
            Entry::Occupied(taken) => match taken.get() {
                Memo::Done(value) => return Some(value.clone()),
                _ => return Some(self.cycle(&task())),
            },
        }
        let scope = Scope {
            node: &instance.node,
            repetition: Some(&instance.repetition),
            own: Some(&instance.address),
            bindings: None,
            closed: false,
        };
        let value = self.perform(task(), || match attribute {
            Some(attribute) => self.evaluate(&attribute.value, &scope),
            None => self.group(&blocks, name, &scope),
        });
        let value = self.storable(value, at);
        instance.arguments.borrow_mut().insert(name.clone(), Memo::Done(value.clone()));
        Some(value)
    }

    /// An argument as other expressions see it: nested blocks also have what the provider computes about them.
    pub(super) fn readable_argument(
        &self,
        instance: &Rc<ResourceInstance>,
        name: &EcoString,
    ) -> Option<Value> {
        let value = self.argument(instance, name)?;
        let Some(items) = value.as_sequence().map(|sequence| &sequence.items) else { return Some(value) };
        let resource = self.block_of(instance)?;
        if resource.arguments.attribute(&resource.block.body, name).is_none() {
            if items.is_empty() {
                // No block is made, so the provider may fill it in.
                return None;
            }
        } else if FREE_FORM_TYPES.iter().any(|prefix| resource.resource_type.starts_with(prefix))
            || !items.iter().all(|item| item.as_mapping().is_some())
            || items.is_empty()
        {
            return Some(value);
        }
        if let Some((_, known)) = instance.readable_blocks.borrow().iter().find(|(known, _)| known == name) {
            return Some(known.clone());
        }
        let path = vec![Step::Attribute(name.clone())];
        let readable = self.readable_blocks(&value, &self.key(&instance.address), &path);
        instance.readable_blocks.borrow_mut().push((name.clone(), readable.clone()));
        Some(readable)
    }

    /// Blocks in which everything that is not written is what the provider computes.
    fn readable_blocks(&self, blocks: &Value, target: &ResourceKey, path: &[Step]) -> Value {
        let is_blocks = |sequence: &&Sequence| {
            sequence.kind != SequenceKind::Set
                && sequence.items.iter().all(|item| item.as_mapping().is_some())
        };
        let Some(sequence) = blocks.as_sequence().filter(is_blocks) else { return blocks.clone() };
        let block = |(index, item): (usize, &Value)| {
            let ValueKind::Mapping(mapping) = &item.kind else { return item.clone() };
            let mut path = path.to_vec();
            path.push(Step::Index(index as i64));
            let mut open = (**mapping).clone();
            for (name, entry) in &mut open.entries {
                path.push(Step::Attribute(name.clone()));
                entry.value = self.readable_blocks(&entry.value, target, &path);
                path.pop();
            }
            if open.rest.is_none() {
                open.rest = Some(self.computed_part(Reference { target: target.clone(), path }, item.span));
            }
            Value { kind: ValueKind::Mapping(Arc::new(open)), ..item.clone() }
        };
        let items = sequence.items.iter().enumerate().map(block).collect();
        Value { kind: Value::sequence(sequence.kind, items, blocks.span).kind, ..blocks.clone() }
    }

    /// The reason why a part of a resource has more than is written, from which [`Evaluator::part_behind`] finds the part.
    fn computed_part(&self, part: Reference, span: Span) -> Arc<Unknown> {
        let unknown = Arc::new(Unknown { cause: Cause::Computed(part.to_string().into()), span });
        let place = Arc::as_ptr(&unknown) as usize;
        // The unknown is kept alive, so that its place is not taken by another one.
        self.computed_parts.borrow_mut().insert(place, (Arc::clone(&unknown), part));
        unknown
    }

    /// The part of a resource that has more than is written, for this reason.
    pub(super) fn part_behind(&self, unknown: &Arc<Unknown>) -> Option<Reference> {
        let place = Arc::as_ptr(unknown) as usize;
        self.computed_parts.borrow().get(&place).map(|(_, part)| part.clone())
    }

    /// Whether a list has come from a set of blocks, so that a position in it does not say which block that is.
    pub(super) fn is_unordered(&self, sequence: &Sequence) -> bool {
        let of_a_set = |part: &Reference| {
            let [Step::Attribute(block), Step::Index(_), ..] = part.path.as_slice() else { return false };
            let instance = self.by_address.borrow().get(&part.target.address).cloned();
            let resource = instance.as_ref().and_then(|instance| self.block_of(instance));
            resource.is_some_and(|resource| SETS_OF_BLOCKS.contains(&(&*resource.resource_type, block)))
        };
        sequence.items.len() > 1
            && sequence.items.iter().all(|item| match &item.kind {
                ValueKind::Reference(part) => of_a_set(part),
                ValueKind::Mapping(mapping) => mapping
                    .rest
                    .as_ref()
                    .and_then(|rest| self.part_behind(rest))
                    .is_some_and(|part| of_a_set(&part)),
                _ => false,
            })
    }

    /// All arguments of a resource, in source order, attributes before blocks.
    pub(super) fn body(&self, instance: &Rc<ResourceInstance>) -> Value {
        let Some(resource) = self.block_of(instance) else {
            return Value::null(Span::NOWHERE);
        };
        let body = &resource.block.body;
        let mut mapping = Mapping { kind: MappingKind::Object, entries: IndexMap::default(), rest: None };
        for attribute in &body.attributes {
            if let Some(value) = self.argument(instance, &attribute.name) {
                mapping
                    .entries
                    .insert(attribute.name.clone(), crate::value::Entry { span: attribute.span, value });
            }
        }
        for name in resource.arguments.block_types() {
            if let Some(value) = self.argument(instance, name) {
                let span = value.span;
                mapping.entries.entry(name.clone()).or_insert(crate::value::Entry { span, value });
            }
        }
        let lifecycles: Vec<&Block> = body.blocks_of("lifecycle").collect();
        if let Some(first) = lifecycles.first()
            && resource.mode == Mode::Managed
        {
            let items = lifecycles.iter().map(|block| lifecycle(block)).collect();
            let value = Value::sequence(SequenceKind::List, items, first.span);
            mapping.entries.insert("lifecycle".into(), crate::value::Entry { span: first.span, value });
        }
        if resource.block.repaired {
            let cause = Cause::Error("a part of this block could not be read".into());
            mapping.rest = Some(Arc::new(Unknown { cause, span: resource.block.header }));
        }
        Value::new(ValueKind::Mapping(Arc::new(mapping)), resource.block.span)
    }

    /// The blocks of one type as a list.
    fn group(&self, blocks: &[&Block], name: &EcoString, scope: &Scope) -> Value {
        let mut items = Vec::new();
        for block in blocks {
            if block.makes_type() == &block.block_type {
                items.push(self.nested(&block.body, block, scope));
            } else {
                self.dynamic(block, name, scope, &mut items);
            }
        }
        let span = blocks.first().map_or(Span::NOWHERE, |block| block.span);
        Value::sequence(SequenceKind::List, items, span)
    }

    /// The content of a nested block, as a mapping that stands where the block stands.
    fn nested(&self, body: &Body, block: &Block, scope: &Scope) -> Value {
        if let Err(message) = self.enter() {
            return self.limit(block.span, message);
        }
        let value =
            stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || self.nested_content(body, block, scope));
        self.leave();
        value
    }

    fn nested_content(&self, body: &Body, block: &Block, scope: &Scope) -> Value {
        let mut mapping = Mapping { kind: MappingKind::Object, entries: IndexMap::default(), rest: None };
        for attribute in &body.attributes {
            let value = self.evaluate(&attribute.value, scope);
            mapping
                .entries
                .insert(attribute.name.clone(), crate::value::Entry { span: attribute.span, value });
        }
        for (name, blocks) in block_groups(body) {
            let value = self.group(&blocks, name, scope);
            mapping.entries.insert(name.clone(), crate::value::Entry { span: value.span, value });
        }
        if block.repaired {
            let cause = Cause::Error("a part of this block could not be read".into());
            mapping.rest = Some(Arc::new(Unknown { cause, span: block.header }));
        }
        Value::new(ValueKind::Mapping(Arc::new(mapping)), block.span)
    }

    /// The blocks that a `dynamic` block makes.
    fn dynamic(&self, block: &Block, name: &EcoString, scope: &Scope, items: &mut Vec<Value>) {
        let body = &block.body;
        let Some(for_each) = body.attribute("for_each") else {
            self.fail(block.header, format!("`dynamic \"{name}\"` needs a `for_each`"));
            return;
        };
        let Some(content) = body.blocks_of("content").next() else {
            self.fail(block.header, format!("`dynamic \"{name}\"` needs a `content` block"));
            return;
        };
        let iterator = body.attribute("iterator").and_then(|attribute| match names(&attribute.value) {
            Some(names) => names.into_iter().next(),
            None => attribute.value.plain_string(),
        });
        let iterator = iterator.unwrap_or_else(|| name.clone());
        let collection = self.evaluate(&for_each.value, scope);
        let elements = match self.elements(&collection, for_each.value.span) {
            Ok(elements) => elements,
            Err(_) => {
                self.fail(for_each.value.span, "the `for_each` of a dynamic block must be a collection");
                return;
            }
        };
        for element in elements {
            if let Err(message) = self.make(1) {
                self.limit(block.header, message);
                return;
            }
            let entries = [("key", element.key), ("value", element.value)].map(|(name, value)| {
                (EcoString::from(name), crate::value::Entry { span: for_each.span, value })
            });
            let binding = Binding {
                name: &iterator,
                value: Value::mapping(MappingKind::Object, entries, for_each.value.span),
                outer: scope.bindings,
            };
            let made =
                self.nested(&content.body, content, &scope.with(&binding)).marked(collection.sensitive);
            items.push(if element.uncertain.is_some() { made.maybe(element.uncertain) } else { made });
        }
    }
}

/// What a `lifecycle` block says about the resource: `ignore_changes` as a list of argument names (`all` for all),
/// `prevent_destroy` and `create_before_destroy`.
fn lifecycle(block: &Block) -> Value {
    let mut entries = Vec::new();
    for attribute in &block.body.attributes {
        let value = match attribute.name.as_str() {
            "ignore_changes" => ignored(&attribute.value),
            "prevent_destroy" | "create_before_destroy" => match attribute.value.plain_bool() {
                Some(value) => Value::bool(value, attribute.value.span),
                None => continue,
            },
            _ => continue,
        };
        entries.push((attribute.name.clone(), crate::value::Entry { span: attribute.span, value }));
    }
    Value::mapping(MappingKind::Object, entries, block.span)
}

fn ignored(expression: &Expression) -> Value {
    let name = |expression: &Expression| {
        let name =
            names(expression).map(|names| names.join(".").into()).or_else(|| expression.plain_string());
        name.map(|name| Value::string(name, expression.span))
    };
    let items = match &expression.kind {
        ExpressionKind::Tuple(elements) => elements.iter().filter_map(name).collect(),
        _ => name(expression).into_iter().collect(),
    };
    Value::sequence(SequenceKind::List, items, expression.span)
}
