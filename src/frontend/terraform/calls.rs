//! Function calls, and the functions that need unevaluated arguments.

use std::rc::Rc;

use super::evaluator::Evaluator;
use super::functions::{self, FunctionContext};
use super::scope::{Binding, Scope};
use super::syntax::ast::{Call, Expression};
use super::syntax::parse_template;
use crate::source::{FileId, Span};
use crate::value::{Cause, Entry, Mapping, MappingKind, SequenceKind, Step, Value, ValueKind};

/// Functions that look into maps and objects: a whole resource among their arguments is given to them as an object of
/// what the configuration says about it.
const INTO_OBJECTS: [&str; 8] =
    ["merge", "lookup", "keys", "values", "contains", "length", "alltrue", "element"];

/// Functions that take elements of a list by their positions.
const BY_POSITION: [&str; 4] = ["element", "slice", "reverse", "chunklist"];

impl Evaluator<'_> {
    pub(super) fn call(&self, call: &Call, span: Span, scope: &Scope) -> Value {
        match call.name.strip_prefix("core::").unwrap_or(&call.name) {
            "try" => return self.attempt_each(call, span, scope),
            "can" => return self.can(call, span, scope),
            name if name.starts_with("provider::") && !functions::is_function(name) => {
                return Value::unknown(Cause::Unsupported(name.into()), span);
            }
            _ => {}
        }
        let mut arguments: Vec<Value> =
            call.arguments.iter().map(|argument| self.evaluate(argument, scope)).collect();
        if call.expand_final
            && let Some(last) = arguments.pop()
        {
            match &last.kind {
                ValueKind::Sequence(sequence) => {
                    if let Some(repeated) = sequence.items.iter().find(|item| item.repeated) {
                        // How many arguments there are, is not known.
                        return repeated.derived_unknown(span);
                    }
                    arguments.extend(sequence.items.iter().map(|item| item.clone().marked(last.sensitive)));
                }
                _ if last.is_unknown() => return last.derived_unknown(span),
                _ => return self.fail(span, "`...` stands behind a list, a set or a tuple"),
            }
        }
        if call.name == "values"
            && let [only] = arguments.as_slice()
            && let Some(instances) = self.values_of_unknown_map(only, span)
        {
            return instances;
        }
        if INTO_OBJECTS.contains(&call.name.as_str()) {
            for argument in &mut arguments {
                if let Some(object) = self.resource_object(argument) {
                    *argument = object;
                }
            }
        }
        if BY_POSITION.contains(&call.name.as_str())
            && let Some(first) = arguments.first()
            && first.as_sequence().is_some_and(|sequence| self.is_unordered(sequence))
        {
            return first.derived_unknown(span);
        }
        self.apply(&call.name, &arguments, span, scope)
    }

    fn apply(&self, name: &str, arguments: &[Value], span: Span, scope: &Scope) -> Value {
        if scope.closed && matches!(name, "templatefile" | "templatestring") {
            return self.fail(span, format!("`{name}` cannot be called inside a template that it renders"));
        }
        let render = |text: &str, variables: &Value| self.render_template(text, variables, scope);
        let context = FunctionContext {
            root_directory: self.root_dir,
            sandbox: &self.sandbox,
            sources: self.sources,
            render_template: &render,
        };
        match functions::call(name, arguments, &context, span) {
            Ok(value) => value,
            // What the message quotes may be secret.
            Err(_) if arguments.iter().any(functions::holds_sensitive) => {
                self.fail(span, format!("`{name}` fails for a sensitive value"))
            }
            Err(message) => self.fail(span, message),
        }
    }

    /// `try(a, b, …)`: the first that does not fail.
    fn attempt_each(&self, call: &Call, span: Span, scope: &Scope) -> Value {
        for argument in &call.arguments {
            let (value, failed) = self.tried(argument, scope);
            if !failed {
                return value;
            }
        }
        self.fail(span, "none of the arguments of `try` can be evaluated")
    }

    fn can(&self, call: &Call, span: Span, scope: &Scope) -> Value {
        let [argument] = call.arguments.as_slice() else {
            return self.fail(span, "`can` takes one argument");
        };
        let (value, failed) = self.tried(argument, scope);
        match value.kind {
            _ if failed => Value::bool(false, span),
            ValueKind::Unknown(_) => value.derived_unknown(span),
            _ => Value::bool(true, span),
        }
    }

    fn tried(&self, argument: &Expression, scope: &Scope) -> (Value, bool) {
        self.attempts.set(self.attempts.get() + 1);
        let (value, reports) = self.attempt(|| self.evaluate(argument, scope));
        self.attempts.set(self.attempts.get() - 1);
        (value, !reports.is_empty())
    }

    /// The text of a template file or string, with the variables that a mapping holds.
    fn render_template(&self, text: &str, variables: &Value, scope: &Scope) -> Result<Value, String> {
        let template = parse_template(text, FileId::default(), 0).map_err(|problem| problem.message)?;
        let mapping = match &variables.kind {
            ValueKind::Mapping(mapping) => Rc::new(mapping.clone()),
            _ => return Ok(variables.derived_unknown(Span::NOWHERE)),
        };
        if mapping.rest.is_some() {
            return Ok(variables.derived_unknown(Span::NOWHERE));
        }
        let (value, reports) = self.attempt(|| {
            let closed = Scope { repetition: None, own: None, bindings: None, closed: true, ..*scope };
            self.with_bindings(&template, mapping.entries.iter(), &closed)
        });
        match reports.into_iter().next() {
            Some(report) => Err(report.message),
            None => Ok(value),
        }
    }

    fn with_bindings<'e>(
        &self,
        template: &Expression,
        mut variables: impl Iterator<Item = (&'e ecow::EcoString, &'e Entry)>,
        scope: &Scope,
    ) -> Value {
        // One stack frame for each variable of a template: bounded by the text that passes them.
        match variables.next() {
            Some((name, entry)) => {
                let binding = Binding { name, value: entry.value.clone(), outer: scope.bindings };
                stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
                    self.with_bindings_boxed(template, &mut variables, &scope.with(&binding))
                })
            }
            None => self.evaluate(template, scope),
        }
    }

    fn with_bindings_boxed<'e>(
        &self,
        template: &Expression,
        variables: &mut dyn Iterator<Item = (&'e ecow::EcoString, &'e Entry)>,
        scope: &Scope,
    ) -> Value {
        match variables.next() {
            Some((name, entry)) => {
                let binding = Binding { name, value: entry.value.clone(), outer: scope.bindings };
                stacker::maybe_grow(64 * 1024, 1024 * 1024, || {
                    self.with_bindings_boxed(template, variables, &scope.with(&binding))
                })
            }
            None => self.evaluate(template, scope),
        }
    }

    /// `values(x)` of a resource whose instances are not known: any number of them.
    fn values_of_unknown_map(&self, value: &Value, span: Span) -> Option<Value> {
        let reference = value.as_reference().filter(|reference| reference.path.is_empty())?;
        let instance = self.by_address.borrow().get(&reference.target.address).cloned()?;
        self.stands_for_map(&instance).then(|| {
            let element = value.clone().maybe(instance.uncertain.clone());
            Value::sequence(SequenceKind::List, vec![element], span)
        })
    }

    /// The value, where whole resources in it are objects of what is known about them.
    pub(super) fn with_resources_as_objects(&self, value: Value) -> Value {
        if let Some(object) = self.resource_object(&value) {
            return object;
        }
        match &value.kind {
            ValueKind::Sequence(sequence) => {
                let items = sequence
                    .items
                    .iter()
                    .map(|item| self.resource_object(item).unwrap_or_else(|| item.clone()));
                let items = items.collect();
                Value { kind: Value::sequence(sequence.kind, items, value.span).kind, ..value }
            }
            ValueKind::Mapping(mapping) => {
                let mut mapping = (**mapping).clone();
                for entry in mapping.entries.values_mut() {
                    if let Some(object) = self.resource_object(&entry.value) {
                        entry.value = object;
                    }
                }
                Value { kind: ValueKind::Mapping(mapping.into()), ..value }
            }
            _ => value,
        }
    }

    /// A whole resource as an object: its arguments, its id, and that there is more.
    fn resource_object(&self, value: &Value) -> Option<Value> {
        let reference = value.as_reference().filter(|reference| reference.path.is_empty())?;
        let instance = self.by_address.borrow().get(&reference.target.address).cloned()?;
        if self.stands_for_map(&instance) {
            return None;
        }
        let body = self.body(&instance);
        let ValueKind::Mapping(arguments) = &body.kind else { return None };
        let mut object: Mapping = (**arguments).clone();
        object.kind = MappingKind::Object;
        let id = Value::reference(reference.target.clone(), vec![Step::Attribute("id".into())], value.span);
        object.entries.entry("id".into()).or_insert(Entry { span: value.span, value: id });
        object.rest = value.first_unknown();
        Some(Value { kind: ValueKind::Mapping(object.into()), ..value.clone() })
    }
}
