//! Names and the steps behind them: `var.x`, `module.hub["a"].subnet_ids[*]`, `azurerm_subnet.db.id`.

use std::rc::Rc;
use std::sync::Arc;

use ecow::{EcoString, eco_format};

use super::evaluator::{Evaluator, Node};
use super::scope::{InstanceKey, Scope};
use super::syntax::ast::{Expression, ExpressionKind, Traversal, TraversalStep, TraversalStepKind};
use crate::source::Span;
use crate::value::{Cause, Mapping, Reference, Sequence, SequenceKind, Step, Unknown, Value, ValueKind};

impl Evaluator<'_> {
    /// A name alone.
    pub(super) fn evaluate_name(&self, name: &EcoString, span: Span, scope: &Scope) -> Value {
        match scope.binding(name) {
            Some(value) => value.clone(),
            None => self.evaluate_root(name, span, &[], scope).0,
        }
    }

    /// An expression and steps into its value.
    pub(super) fn evaluate_traversal(&self, traversal: &Traversal, span: Span, scope: &Scope) -> Value {
        let (value, used) = match &traversal.base.kind {
            ExpressionKind::Variable(name) if scope.binding(name).is_none() => {
                let base = traversal.base.span;
                // The span of the whole, so that a finding underlines `azurerm_subnet.db.id` and not `azurerm_subnet`.
                self.evaluate_root(name, base.to(span), &traversal.steps, scope)
            }
            _ => (self.evaluate(&traversal.base, scope), 0),
        };
        self.evaluate_steps(value, traversal.steps.get(used..).unwrap_or(&[]), span, scope)
    }

    /// The steps from a value on.
    fn evaluate_steps(&self, mut value: Value, steps: &[TraversalStep], span: Span, scope: &Scope) -> Value {
        let mut rest = steps;
        while let [step, after @ ..] = rest {
            rest = after;
            value = match &step.kind {
                TraversalStepKind::Attribute(name) => self.attribute(&value, name, step.span, span),
                TraversalStepKind::LegacyIndex(index) => {
                    let key = Value::number(*index as i128, step.span);
                    self.index(&value, &key, step.span, span)
                }
                TraversalStepKind::Index(key) => {
                    let key = self.evaluate(key, scope);
                    self.index(&value, &key, step.span, span)
                }
                TraversalStepKind::FullSplat => {
                    let inner = std::mem::take(&mut rest);
                    self.splat(&value, step.span, |element| self.evaluate_steps(element, inner, span, scope))
                }
                TraversalStepKind::AttributeSplat => {
                    let is_plain = |step: &&TraversalStep| {
                        matches!(
                            step.kind,
                            TraversalStepKind::Attribute(_) | TraversalStepKind::LegacyIndex(_)
                        )
                    };
                    let count = rest.iter().take_while(is_plain).count();
                    let (inner, after) = rest.split_at(count);
                    rest = after;
                    self.splat(&value, step.span, |element| self.evaluate_steps(element, inner, span, scope))
                }
            };
        }
        value
    }

    /// What a name at the start of a traversal means, and how many steps that takes.
    fn evaluate_root(
        &self,
        name: &EcoString,
        span: Span,
        steps: &[TraversalStep],
        scope: &Scope,
    ) -> (Value, usize) {
        if scope.closed {
            return (self.fail(span, format!("there is no variable `{name}` in this template")), steps.len());
        }
        let node = scope.node;
        let attribute = |index: usize| match steps.get(index).map(|step| &step.kind) {
            Some(TraversalStepKind::Attribute(name)) => Some(name),
            _ => None,
        };
        let Some(first) = attribute(0) else {
            let message = match name.as_str() {
                "var" | "local" | "each" | "count" | "module" | "data" | "path" | "terraform" | "self" => {
                    format!("`{name}` needs an attribute")
                }
                _ => format!("there is nothing named `{name}` here"),
            };
            return (self.fail(span, message), steps.len());
        };
        match name.as_str() {
            "var" => (self.variable(node, first, span), 1),
            "local" => (self.local(node, first, span), 1),
            "each" | "count" => (self.repetition(name, first, span, scope), 1),
            "path" => (self.path(node, first, span), 1),
            "terraform" => match first.as_str() {
                "workspace" => (Value::string(self.workspace, span), 1),
                "applying" => (Value::unknown(Cause::Impure("terraform.applying".into()), span), 1),
                _ => (self.fail(span, format!("there is no `terraform.{first}`")), 1),
            },
            "self" => match scope.own {
                Some(address) => {
                    let whole = Value::reference(self.key(address), Vec::new(), span);
                    (self.attribute(&whole, first, span, span), 1)
                }
                None => (self.fail(span, "`self` means nothing here"), 1),
            },
            "module" => self.module_call(node, first, span, &steps[1..], scope),
            "data" | "resource" | "ephemeral" => match attribute(1) {
                Some(second) => {
                    let prefix = if name == "data" { "data." } else { "" };
                    let address = eco_format!("{prefix}{first}.{second}");
                    if name == "ephemeral" {
                        let cause = Cause::Lookup(node.absolute(&eco_format!("ephemeral.{address}")));
                        return (Value::unknown(cause, span), 2);
                    }
                    let (value, used) = self.resource(node, &address, span, &steps[2..], scope);
                    (value, used + 2)
                }
                None => (self.fail(span, format!("`{name}.{first}` needs a name")), steps.len()),
            },
            _ => {
                let address = eco_format!("{name}.{first}");
                let (value, used) = self.resource(node, &address, span, &steps[1..], scope);
                (value, used + 1)
            }
        }
    }

    fn repetition(&self, name: &str, attribute: &str, span: Span, scope: &Scope) -> Value {
        let repetition = scope.repetition;
        let value = match (name, attribute) {
            ("each", "key") => repetition.and_then(|r| r.each.as_ref()).map(|(key, _)| key),
            ("each", "value") => repetition.and_then(|r| r.each.as_ref()).map(|(_, value)| value),
            ("count", "index") => repetition.and_then(|r| r.index.as_ref()),
            _ => return self.fail(span, format!("there is no `{name}.{attribute}`")),
        };
        match value {
            Some(value) => value.clone(),
            None => {
                let argument = if name == "each" { "for_each" } else { "count" };
                self.fail(
                    span,
                    format!("`{name}.{attribute}` means something only in a block with `{argument}`"),
                )
            }
        }
    }

    fn path(&self, node: &Node, attribute: &str, span: Span) -> Value {
        match attribute {
            "module" => Value::string(self.module_path(node), span),
            "root" => Value::string(".", span),
            "cwd" => match std::env::current_dir().and_then(|dir| dir.join(self.root_dir).canonicalize()) {
                Ok(dir) => Value::string(dir.to_string_lossy().replace('\\', "/"), span),
                Err(_) => Value::unknown(Cause::Impure("path.cwd".into()), span),
            },
            _ => self.fail(span, format!("there is no `path.{attribute}`")),
        }
    }

    /// `path.module`: the module's folder as Terraform, started in the root's folder, names it.
    fn module_path(&self, node: &Node) -> EcoString {
        super::paths::relative(self.root_dir, &node.module.dir).into()
    }

    /// `module.name`, with an instance key and an output behind it when they are there.
    fn module_call(
        &self,
        node: &Rc<Node>,
        name: &EcoString,
        span: Span,
        steps: &[TraversalStep],
        scope: &Scope,
    ) -> (Value, usize) {
        let Some((index, _, call)) = node.module.calls.get_full(name) else {
            let value =
                self.undeclared(node, span, format!("there is no module call `{name}` in this module"));
            return (value, steps.len() + 1);
        };
        let expansion = self.expand_call(node, index);
        let whole = |used: usize| (self.whole_call(node, call, name, &expansion, span), used);
        let Some(expansion_nodes) = &expansion.nodes else { return whole(1) };
        let (instance, used) = match (steps.first().map(|step| (&step.kind, step.span)), expansion.repeated) {
            (Some((TraversalStepKind::Index(key), at)), true) => {
                let key = self.evaluate(key, scope);
                match expansion_nodes.find(&key) {
                    Ok(Some(instance)) => (instance, 1),
                    Ok(None) => return whole(1),
                    Err(key) => {
                        let message = format!(
                            "`{}` has no instance with the key {key}",
                            node.absolute(&eco_format!("module.{name}"))
                        );
                        return (self.fail(at, message), steps.len() + 1);
                    }
                }
            }
            (Some((TraversalStepKind::LegacyIndex(key), _)), true) => {
                match expansion_nodes.find(&Value::number(*key as i128, span)) {
                    Ok(Some(instance)) => (instance, 1),
                    _ => return whole(1),
                }
            }
            (_, false) => match expansion_nodes.single() {
                Some(instance) => (instance, 0),
                None => return whole(1),
            },
            _ => return whole(1),
        };
        match steps.get(used).map(|step| &step.kind) {
            Some(TraversalStepKind::Attribute(output)) => (self.output(&instance, output, span), used + 2),
            _ => (self.outputs(&instance, span), used + 1),
        }
    }

    /// All outputs of a module instance, as an object.
    pub(super) fn outputs(&self, node: &Rc<Node>, span: Span) -> Value {
        let entries = node.module.outputs.iter().map(|(name, output)| {
            let value = self.output(node, name, span);
            (name.clone(), crate::value::Entry { span: output.header, value })
        });
        Value::mapping(crate::value::MappingKind::Object, entries.collect::<Vec<_>>(), span)
    }

    /// `value.name`
    pub(super) fn attribute(&self, value: &Value, name: &EcoString, at: Span, span: Span) -> Value {
        let found = match &value.kind {
            ValueKind::Mapping(mapping) => match mapping.entries.get(name) {
                // Null in a block of a resource: not given, so the provider may compute it.
                Some(entry) if entry.value.is_null() && mapping.rest.is_some() => {
                    match mapping.rest.as_ref().and_then(|rest| self.part_behind(rest)) {
                        Some(part) => self.step(&Arc::new(part), Step::Attribute(name.clone()), span),
                        None => return self.entry(&entry.value, value),
                    }
                }
                Some(entry) => return self.entry(&entry.value, value),
                None => match &mapping.rest {
                    Some(rest) => match self.part_behind(rest) {
                        Some(part) => self.step(&Arc::new(part), Step::Attribute(name.clone()), span),
                        None => unknown_from(rest, span),
                    },
                    None => self.fail(at, format!("this object has no attribute `{name}`")),
                },
            },
            ValueKind::Reference(reference) => self.step(reference, Step::Attribute(name.clone()), span),
            ValueKind::Unknown(unknown) => part_of_unknown(unknown, value, &eco_format!(".{name}"), span),
            ValueKind::Null => self.fail(at, format!("a null value has no attribute `{name}`")),
            ValueKind::Sequence(sequence) => match name.parse::<i128>() {
                Ok(index) => {
                    let key = Value::number(index, at);
                    self.element(sequence, value, &key, at, span)
                }
                Err(_) => self.fail(
                    at,
                    format!(
                        "this is a list of values and has no attribute `{name}`; did you mean `[*].{name}`?"
                    ),
                ),
            },
            _ => self.fail(at, format!("this value has no attributes, so no `{name}`")),
        };
        found.marked(value.sensitive)
    }

    /// `value[key]`
    pub(super) fn index(&self, value: &Value, key: &Value, at: Span, span: Span) -> Value {
        let sensitive = value.sensitive || key.sensitive;
        let found = match &value.kind {
            ValueKind::Unknown(unknown) => match key_text(key) {
                Some(text) => part_of_unknown(unknown, value, &text, span),
                None => value.derived_unknown(span),
            },
            ValueKind::Reference(reference) if reference.path.is_empty() && !key.is_unknown() => {
                match (self.unknown_map_instance(reference, key, span), step_of(key)) {
                    (Some(instance), _) => instance,
                    (None, Some(step)) => self.step(reference, step, span),
                    (None, None) => value.derived_unknown(span),
                }
            }
            ValueKind::Reference(reference) => match step_of(key) {
                Some(step) => self.step(reference, step, span),
                None if key.is_null() => self.fail(at, "a null value cannot be an index"),
                None => self.some_instance(reference, value, span),
            },
            ValueKind::Null => self.fail(at, "a null value has no elements"),
            _ if key.is_null() => self.fail(at, "a null value cannot be an index"),
            ValueKind::Sequence(sequence) => self.element(sequence, value, key, at, span),
            ValueKind::Mapping(mapping) => self.member(mapping, value, key, at, span),
            _ => self.fail(at, "this value has no elements"),
        };
        found.marked(sensitive)
    }

    fn element(&self, sequence: &Sequence, value: &Value, key: &Value, at: Span, span: Span) -> Value {
        if sequence.kind == SequenceKind::Set {
            return self.fail(at, "elements of a set have no index");
        }
        if self.is_unordered(sequence) {
            return value.derived_unknown(span);
        }
        let index = match &key.kind {
            ValueKind::Number(number) => number.as_i64(),
            ValueKind::String(text) => crate::value::Number::parse(text).and_then(|number| number.as_i64()),
            _ if key.is_unknown() || matches!(key.kind, ValueKind::Template(_)) => {
                return common_value(sequence.items.iter()).unwrap_or_else(|| key.derived_unknown(span));
            }
            _ => None,
        };
        let Some(index) = index else {
            return self.fail(at, "an element of a list is found by a whole number");
        };
        let Ok(place) = usize::try_from(index) else {
            return self.fail(at, format!("there is no element {index}"));
        };
        // From the first element that stands for zero or more on, places are not known.
        let certain = sequence.items.iter().position(|item| item.repeated).unwrap_or(sequence.items.len());
        match sequence.items.get(place) {
            Some(item) if place < certain => item.clone(),
            _ if certain < sequence.items.len() => {
                let candidates = sequence.items.get(certain..).unwrap_or(&[]);
                let doubt =
                    || candidates.iter().find(|item| item.repeated).unwrap_or(value).derived_unknown(span);
                common_value(candidates.iter()).unwrap_or_else(doubt).certain()
            }
            _ => {
                let count = sequence.items.len();
                let elements = if count == 1 { "element" } else { "elements" };
                self.fail(at, format!("there is no element {index}: the list has {count} {elements}"))
            }
        }
    }

    fn member(&self, mapping: &Mapping, value: &Value, key: &Value, at: Span, span: Span) -> Value {
        let Some(name) = key_name(key) else {
            if key.is_unknown() || matches!(key.kind, ValueKind::Template(_)) {
                let same =
                    mapping.rest.is_none().then(|| common_value(mapping.entries.values().map(|e| &e.value)));
                return same.flatten().unwrap_or_else(|| key.derived_unknown(span));
            }
            return self.fail(at, "an element of a map is found by a string");
        };
        match mapping.entries.get(&name) {
            Some(entry) => self.entry(&entry.value, value),
            None => match &mapping.rest {
                Some(rest) => unknown_from(rest, span),
                None => self.fail(at, format!("there is no element with the key \"{name}\"")),
            },
        }
    }

    /// The value of an entry that is there. One that may be missing is there when it is asked for, except in an attempt.
    fn entry(&self, entry: &Value, of: &Value) -> Value {
        let found = entry.clone().marked(of.sensitive);
        if found.repeated && self.attempts.get() > 0 {
            return found.derived_unknown(found.span);
        }
        found.certain()
    }

    /// `value[*]` with the steps behind it.
    fn splat(&self, value: &Value, at: Span, each: impl Fn(Value) -> Value) -> Value {
        let apply = |element: &Value| {
            let doubt = element.uncertainty();
            let result = each(element.clone().certain().marked(value.sensitive));
            if doubt.is_some() { result.maybe(doubt) } else { result }
        };
        let one = |element: &Value| {
            Value::sequence(SequenceKind::Tuple, vec![apply(element)], at).marked(value.sensitive)
        };
        match &value.kind {
            ValueKind::Null => Value::sequence(SequenceKind::Tuple, Vec::new(), at),
            ValueKind::Sequence(sequence) => {
                if let Err(message) = self.make(sequence.items.len()) {
                    return self.limit(at, message);
                }
                let kind = match sequence.kind {
                    SequenceKind::Tuple => SequenceKind::Tuple,
                    SequenceKind::List | SequenceKind::Set => SequenceKind::List,
                };
                let items = sequence.items.iter().map(apply).collect();
                Value::sequence(kind, items, value.span).marked(value.sensitive)
            }
            ValueKind::Unknown(unknown) => {
                one(&part_of_unknown(unknown, value, "[*]", at).maybe(Some(Arc::clone(unknown))))
            }
            ValueKind::Reference(reference) => {
                let mut element = value.clone();
                let whole_resource = reference.path.is_empty();
                let is_id = matches!(reference.path.as_slice(), [Step::Attribute(name)] if name == "id");
                if whole_resource {
                    if let Some(why) = self.uncertainty_of(&reference.target.address) {
                        element = element.maybe(Some(why));
                    }
                } else if !is_id {
                    element = value.derived_unknown(at).maybe(value.first_unknown());
                }
                one(&element)
            }
            _ => one(value),
        }
    }

    /// One step further from a reference.
    fn step(&self, reference: &Arc<Reference>, step: Step, span: Span) -> Value {
        if reference.path.is_empty() {
            return self.resource_step(reference, step, span);
        }
        let mut path = reference.path.clone();
        path.push(step);
        Value::reference(reference.target.clone(), path, span)
    }

    fn some_instance(&self, reference: &Arc<Reference>, value: &Value, span: Span) -> Value {
        if reference.path.is_empty() && self.is_uncertain(&reference.target.address) {
            value.clone().at(span)
        } else {
            value.derived_unknown(span)
        }
    }
}

/// The one value that all of these are, if they are certainly equal.
fn common_value<'a>(mut values: impl Iterator<Item = &'a Value>) -> Option<Value> {
    let first = values.next()?;
    values.all(|value| value.equals(first) == Some(true)).then(|| first.clone())
}

/// Follows from an unknown.
pub(super) fn unknown_from(unknown: &Arc<Unknown>, span: Span) -> Value {
    Value::new(ValueKind::Unknown(Arc::clone(unknown)), span).derived_unknown(span)
}

/// A part of an unknown. Parts of inputs and of outputs of modules keep a name, so that the same part is known to be the
/// same; other parts just follow from the whole.
fn part_of_unknown(unknown: &Arc<Unknown>, value: &Value, step: &str, span: Span) -> Value {
    const LONGEST_NAME: usize = 200;
    let cause = match &unknown.cause {
        Cause::Input(name) if name.len() < LONGEST_NAME => Cause::Input(eco_format!("{name}{step}")),
        Cause::Module(name) if name.len() < LONGEST_NAME => Cause::Module(eco_format!("{name}{step}")),
        _ => return value.derived_unknown(span),
    };
    Value::new(ValueKind::Unknown(Arc::new(Unknown { cause, span: unknown.span })), span)
}

/// A known key as a step.
fn step_of(key: &Value) -> Option<Step> {
    match &key.kind {
        ValueKind::String(text) => Some(Step::Attribute(text.clone())),
        ValueKind::Number(number) => number.as_i64().map(Step::Index),
        ValueKind::Bool(_) => key_name(key).map(Step::Attribute),
        _ => None,
    }
}

/// A known key as it is written behind a name.
fn key_text(key: &Value) -> Option<EcoString> {
    match step_of(key)? {
        Step::Attribute(name) => Some(eco_format!("{}", InstanceKey::Name(name))),
        Step::Index(index) => Some(eco_format!("[{index}]")),
    }
}

/// A known key of a map: strings, and what converts to them.
pub(super) fn key_name(key: &Value) -> Option<EcoString> {
    match &key.kind {
        ValueKind::String(text) => Some(text.clone()),
        ValueKind::Number(number) => Some(eco_format!("{number}")),
        ValueKind::Bool(value) => Some(if *value { "true".into() } else { "false".into() }),
        _ => None,
    }
}

/// The text that an expression is, read as a traversal of names: `azurerm_subnet.db`.
pub(super) fn names(expression: &Expression) -> Option<Vec<EcoString>> {
    match &expression.kind {
        ExpressionKind::Variable(name) => Some(vec![name.clone()]),
        ExpressionKind::Traversal(traversal) => {
            let mut all = names(&traversal.base)?;
            for step in &traversal.steps {
                match &step.kind {
                    TraversalStepKind::Attribute(name) => all.push(name.clone()),
                    _ => break,
                }
            }
            Some(all)
        }
        ExpressionKind::Parenthesis(inner) => names(inner),
        _ => None,
    }
}
