//! What the deployment engine makes before a resource: explicit `depends_on`, and what its expressions refer to, through
//! local values, variables, outputs and module calls.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use ecow::{EcoString, eco_format};

use super::evaluator::{Evaluator, Node};
use super::limits::MAX_DEPENDENCIES;
use super::module::Call;
use super::resources::ResourceInstance;
use super::scope::{InstanceKey, Repetition, keyed};
use super::syntax::ast::{
    Body, Expression, ExpressionKind, ObjectKey, Template, TemplatePart, TraversalStep, TraversalStepKind,
};
use super::syntax::parse_expression;

/// Addresses, sorted.
pub(super) type Dependencies = Arc<BTreeSet<EcoString>>;

/// How deep references are followed through locals, variables and outputs.
const MAX_DEPTH: u32 = 300;

/// A name that an expression refers to.
struct Mention<'a> {
    /// `var`, `local`, `module`, `data`, or a resource type.
    name: &'a str,
    /// What follows the name.
    steps: &'a [TraversalStep],
}

impl Evaluator<'_> {
    /// The addresses that a resource instance directly depends on.
    pub(super) fn resource_dependencies(&self, instance: &Rc<ResourceInstance>) -> Vec<EcoString> {
        let node = &instance.node;
        let Some((_, resource)) = node.module.resources.get_index(instance.block) else { return Vec::new() };
        if self.dependency_count.get() > MAX_DEPENDENCIES {
            return Vec::new();
        }
        let mut found = BTreeSet::new();
        let mut collector = Collector {
            evaluator: self,
            node,
            repetition: Some(&instance.repetition),
            call: None,
            found: &mut found,
            depth: 0,
        };
        collector.body(&resource.block.body);
        collector.module_dependencies(node);
        found.remove(&instance.address);
        found.remove(&node.absolute(&resource.address));
        // An instance goes without saying where all instances are meant.
        let is_part = |address: &EcoString| {
            address.ends_with(']') && address.rfind('[').is_some_and(|at| found.contains(&address[..at]))
        };
        let found: Vec<EcoString> = found.iter().filter(|address| !is_part(address)).cloned().collect();
        self.dependency_count.set(self.dependency_count.get() + found.len());
        if self.dependency_count.get() > MAX_DEPENDENCIES {
            self.limit(
                resource.block.header,
                "there are too many dependencies in this root; the rest is left out",
            );
        }
        found
    }
}

impl Evaluator<'_> {
    /// The addresses that the arguments of a module call refer to. Of a whole resource with `count` or `for_each` the address
    /// without key.
    pub(super) fn call_dependencies(&self, node: &Rc<Node>, index: usize) -> Vec<EcoString> {
        let Some((_, call)) = node.module.calls.get_index(index) else { return Vec::new() };
        let mut found = BTreeSet::new();
        let mut collector = Collector {
            evaluator: self,
            node,
            repetition: None,
            call: Some(call),
            found: &mut found,
            depth: 0,
        };
        collector.body(&call.block.body);
        found.into_iter().collect()
    }
}

struct Collector<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    node: &'e Rc<Node>,
    repetition: Option<&'e Repetition>,
    /// The module call whose arguments these are.
    call: Option<&'e Call>,
    found: &'e mut BTreeSet<EcoString>,
    depth: u32,
}

impl Collector<'_, '_> {
    /// What the module calls around a module instance say in `depends_on`.
    fn module_dependencies(&mut self, node: &Rc<Node>) {
        let mut at = node;
        while let Some(caller) = &at.caller {
            let call = caller.node.module.calls.get_index(caller.call).map(|(_, call)| call);
            if let Some(attribute) = call.and_then(|call| call.block.body.attribute("depends_on")) {
                let key = eco_format!("call {}", caller.call);
                self.through(&caller.node, key, Some(&caller.repetition), |collector| {
                    collector.explicit(&attribute.value);
                });
            }
            at = &caller.node;
        }
    }

    /// Adds what something with a name depends on; computed once for each module instance.
    fn through(
        &mut self,
        node: &Rc<Node>,
        name: EcoString,
        repetition: Option<&Repetition>,
        collect: impl FnOnce(&mut Collector),
    ) {
        if let Some(known) = node.dependencies.borrow().get(&name) {
            self.found.extend(known.iter().cloned());
            return;
        }
        if self.depth > MAX_DEPTH {
            return;
        }
        // Who asks again before this is done asks in a circle, and gets what is known elsewhere.
        node.dependencies.borrow_mut().insert(name.clone(), Arc::default());
        let mut found = BTreeSet::new();
        let mut inner = Collector {
            evaluator: self.evaluator,
            node,
            repetition,
            call: None,
            found: &mut found,
            depth: self.depth + 1,
        };
        stacker::maybe_grow(128 * 1024, 1024 * 1024, || collect(&mut inner));
        self.found.extend(found.iter().cloned());
        node.dependencies.borrow_mut().insert(name, Arc::new(found));
    }

    fn body(&mut self, body: &Body) {
        for attribute in &body.attributes {
            match attribute.name.as_str() {
                "depends_on" | "replace_triggered_by" => self.explicit(&attribute.value),
                "provider" | "providers" | "ignore_changes" => {}
                _ => self.expression(&attribute.value),
            }
        }
        for block in &body.blocks {
            stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.body(&block.body));
        }
    }

    /// `depends_on = [azurerm_subnet.db, module.hub]`; strings in JSON syntax.
    fn explicit(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Tuple(elements) => elements.iter().for_each(|element| self.explicit(element)),
            _ => match expression.plain_string() {
                Some(text) => {
                    if let Ok(parsed) = parse_expression(&text, expression.span.file, 0) {
                        self.expression(&parsed);
                    }
                }
                None => self.expression(expression),
            },
        }
    }

    fn expression(&mut self, expression: &Expression) {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.inner_expression(expression));
    }

    fn inner_expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Null
            | ExpressionKind::Bool(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::String(_)
            | ExpressionKind::Invalid => {}
            ExpressionKind::Variable(name) => self.mention(&Mention { name, steps: &[] }),
            ExpressionKind::Template(template) => self.template(template),
            ExpressionKind::Tuple(elements) => elements.iter().for_each(|element| self.expression(element)),
            ExpressionKind::Object(items) => {
                for item in items {
                    if let ObjectKey::Expression(key) = &item.key {
                        self.expression(key);
                    }
                    self.expression(&item.value);
                }
            }
            ExpressionKind::Traversal(traversal) => {
                match &traversal.base.kind {
                    ExpressionKind::Variable(name) => {
                        self.mention(&Mention { name, steps: &traversal.steps })
                    }
                    _ => self.expression(&traversal.base),
                }
                for step in &traversal.steps {
                    if let TraversalStepKind::Index(key) = &step.kind {
                        self.expression(key);
                    }
                }
            }
            ExpressionKind::Call(call) => {
                call.arguments.iter().for_each(|argument| self.expression(argument))
            }
            ExpressionKind::Unary(_, operand) => self.expression(operand),
            ExpressionKind::Binary(_, operands) => {
                self.expression(&operands.0);
                self.expression(&operands.1);
            }
            ExpressionKind::Conditional(parts) => {
                self.expression(&parts.0);
                self.expression(&parts.1);
                self.expression(&parts.2);
            }
            ExpressionKind::For(expression) => {
                self.expression(&expression.collection);
                let rest = [&expression.key, &expression.condition];
                rest.into_iter().flatten().for_each(|inner| self.expression(inner));
                self.expression(&expression.value);
            }
            ExpressionKind::Parenthesis(inner) => self.expression(inner),
        }
    }

    fn template(&mut self, template: &Template) {
        for part in &template.parts {
            match part {
                TemplatePart::Literal(..) => {}
                TemplatePart::Interpolation(expression) => self.expression(expression),
                TemplatePart::If(directive) => {
                    self.expression(&directive.condition);
                    stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
                        self.template(&directive.then);
                        self.template(&directive.otherwise);
                    });
                }
                TemplatePart::For(directive) => {
                    self.expression(&directive.collection);
                    stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.template(&directive.body));
                }
            }
        }
    }

    fn mention(&mut self, mention: &Mention) {
        let attribute = |index: usize| match mention.steps.get(index).map(|step| &step.kind) {
            Some(TraversalStepKind::Attribute(name)) => Some(name),
            _ => None,
        };
        let Some(first) = attribute(0) else { return };
        let module = Arc::clone(&self.node.module);
        let node = Rc::clone(self.node);
        match mention.name {
            "local" => {
                if let Some(local) = module.locals.get(first) {
                    self.through(&node, eco_format!("local.{first}"), None, |inner| {
                        inner.expression(&local.value)
                    });
                }
            }
            "var" => {
                let Some(caller) = &node.caller else { return };
                let call = caller.node.module.calls.get_index(caller.call).map(|(_, call)| call);
                if let Some(attribute) = call.and_then(|call| call.argument(first)) {
                    // Kept with the child: each instance of a repeated call has its own `each`.
                    let name = eco_format!("var.{first}");
                    if let Some(known) = node.dependencies.borrow().get(&name) {
                        self.found.extend(known.iter().cloned());
                        return;
                    }
                    node.dependencies.borrow_mut().insert(name.clone(), Arc::default());
                    let mut found = BTreeSet::new();
                    if self.depth <= MAX_DEPTH {
                        let mut outer = Collector {
                            evaluator: self.evaluator,
                            node: &caller.node,
                            repetition: Some(&caller.repetition),
                            call,
                            found: &mut found,
                            depth: self.depth + 1,
                        };
                        outer.expression(&attribute.value);
                    }
                    self.found.extend(found.iter().cloned());
                    node.dependencies.borrow_mut().insert(name, Arc::new(found));
                }
            }
            "each" => {
                // In a call's arguments: what the call is repeated over. A resource's own `for_each` is in its body.
                if let Some(for_each) = self.call.and_then(|call| call.block.body.attribute("for_each")) {
                    self.expression(&for_each.value);
                }
            }
            "module" => self.module_mention(&node, first, &mention.steps[1..]),
            "path" | "terraform" | "count" | "self" => {}
            "data" => {
                if let Some(second) = attribute(1) {
                    let address = eco_format!("data.{first}.{second}");
                    self.resource_mention(&address, mention.steps.get(2));
                }
            }
            "resource" => {
                if let Some(second) = attribute(1) {
                    self.resource_mention(&eco_format!("{first}.{second}"), mention.steps.get(2));
                }
            }
            name => self.resource_mention(&eco_format!("{name}.{first}"), mention.steps.get(1)),
        }
    }

    fn resource_mention(&mut self, address: &EcoString, step: Option<&TraversalStep>) {
        let Some(resource) = self.node.module.resources.get(address) else { return };
        let repeated = resource.block.body.attribute("count").is_some()
            || resource.block.body.attribute("for_each").is_some();
        let key = step.filter(|_| repeated).and_then(|step| self.key(step));
        self.found.insert(keyed(&self.node.absolute(address), key.as_ref()));
    }

    /// An instance key that is plain to see: a literal, `each.key` or `count.index`.
    fn key(&self, step: &TraversalStep) -> Option<InstanceKey> {
        let expression = match &step.kind {
            TraversalStepKind::LegacyIndex(index) => {
                return i64::try_from(*index).ok().map(InstanceKey::Index);
            }
            TraversalStepKind::Index(expression) => expression,
            _ => return None,
        };
        match &expression.kind {
            ExpressionKind::Number(number) => number.as_i64().map(InstanceKey::Index),
            ExpressionKind::String(text) => Some(InstanceKey::Name(text.clone())),
            ExpressionKind::Traversal(traversal) => {
                let [TraversalStep { kind: TraversalStepKind::Attribute(attribute), .. }] =
                    traversal.steps.as_slice()
                else {
                    return None;
                };
                match &traversal.base.kind {
                    ExpressionKind::Variable(name)
                        if (name == "each" && attribute == "key")
                            || (name == "count" && attribute == "index") =>
                    {
                        self.repetition?.key.clone()
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn module_mention(&mut self, node: &Rc<Node>, name: &EcoString, steps: &[TraversalStep]) {
        let Some((index, _, call)) = node.module.calls.get_full(name) else { return };
        if let Some(for_each) =
            call.block.body.attribute("for_each").or_else(|| call.block.body.attribute("count"))
        {
            let key = eco_format!("repetition of module.{name}");
            self.through(node, key, None, |inner| inner.expression(&for_each.value));
        }
        let expansion = self.evaluator.expand_call(node, index);
        let Some(nodes) = &expansion.nodes else { return };
        let (key, output) = match steps {
            [TraversalStep { kind: TraversalStepKind::Attribute(output), .. }, ..] if !expansion.repeated => {
                (None, Some(output))
            }
            [first, TraversalStep { kind: TraversalStepKind::Attribute(output), .. }, ..] => {
                (self.key(first), Some(output))
            }
            _ => (None, None),
        };
        for child in nodes.iter() {
            let child_key = child.caller.as_ref().and_then(|caller| caller.repetition.key.as_ref());
            if key.is_some() && child_key.is_some() && key.as_ref() != child_key {
                continue;
            }
            match output.and_then(|output| child.module.outputs.get_key_value(output)) {
                Some((output, declaration)) => {
                    self.through(child, eco_format!("output.{output}"), None, |inner| {
                        if let Some(value) = &declaration.value {
                            inner.expression(value);
                        }
                        declaration.depends_on.iter().for_each(|dependency| inner.explicit(dependency));
                    });
                }
                None => {
                    self.through(child, "everything".into(), None, |inner| inner.everything(child));
                }
            }
        }
    }

    /// All resources of a module instance and of the modules that it calls.
    fn everything(&mut self, node: &Rc<Node>) {
        for address in node.module.resources.keys() {
            self.found.insert(node.absolute(address));
        }
        for index in 0..node.module.calls.len() {
            let expansion = self.evaluator.expand_call(node, index);
            for child in expansion.nodes.iter().flat_map(|nodes| nodes.iter()) {
                self.through(child, "everything".into(), None, |inner| inner.everything(child));
            }
        }
    }
}
