//! The evaluation of expressions.

use std::rc::Rc;

use ecow::EcoString;
use indexmap::IndexMap;

use super::super::expression::ast::{ArrayItem, Expression, ExpressionKind, ObjectItem, StringPart};
use super::super::lower::lower_case;
use super::resources::{Deployment, Slot};
use super::text::{concat, plain_text};
use super::{MAX_DEPTH, Run, absent, access, functions, ids, operators};
use crate::source::Span;
use crate::value::{Cause, Entry, MappingKind, SequenceKind, TemplatePart, Value, ValueKind};

/// Names that are visible only inside a loop or a lambda. Inner frames come first.
#[derive(Debug)]
pub(crate) struct Frame {
    parent: Option<Rc<Frame>>,
    bindings: Vec<(EcoString, Value)>,
    copy: Option<CopyFrame>,
}

/// A round of a loop that `copyIndex` can ask for.
#[derive(Debug)]
pub(crate) struct CopyFrame {
    /// Lower case.
    pub(crate) name: EcoString,
    pub(crate) index: Value,
    /// Whether `copyIndex()` without a name means this loop.
    pub(crate) unnamed: bool,
}

/// Where an expression is evaluated: whose parameters and variables, and inside which loops.
#[derive(Clone)]
pub(crate) struct Context<'r, 'l> {
    pub(crate) run: &'r Run<'l>,
    pub(crate) deployment: Rc<Deployment>,
    pub(crate) frame: Option<Rc<Frame>>,
    /// The arguments, inside a user-defined function, by lower-case name.
    arguments: Option<Rc<IndexMap<EcoString, Value>>>,
}

/// How long a text may become by putting values into it, in bytes.
const MAX_TEXT: usize = 8 << 20;
/// Of how many parts a text with unknown parts may consist.
const MAX_TEXT_PARTS: usize = 10_000;

/// Of how many values inside each other a value may consist. A template with everything in it has up to 4 MB.
const MAX_VALUES: usize = 500_000;

/// Subtracts the values inside a value from what is left. `false` when there are more.
fn count_down(value: &Value, left: &mut usize) -> bool {
    if *left == 0 {
        return false;
    }
    *left -= 1;
    match &value.kind {
        ValueKind::Sequence(sequence) => sequence.items.iter().all(|item| count_down(item, left)),
        ValueKind::Mapping(mapping) => mapping.entries.values().all(|entry| count_down(&entry.value, left)),
        _ => true,
    }
}

/// The bytes of text that are known in a value, and of how many parts it is as text.
fn text_size(value: &Value) -> (usize, usize) {
    match &value.kind {
        ValueKind::String(text) => (text.len(), 1),
        ValueKind::Template(parts) => {
            let known = parts.iter().map(|part| match part {
                TemplatePart::Literal(text) => text.len(),
                TemplatePart::Value(_) => 0,
            });
            (known.sum(), parts.len())
        }
        _ => (0, 1),
    }
}

impl<'r, 'l> Context<'r, 'l> {
    /// Directly inside a deployment's template.
    pub(crate) fn of(run: &'r Run<'l>, deployment: &Rc<Deployment>) -> Self {
        Context { run, deployment: Rc::clone(deployment), frame: deployment.frame.clone(), arguments: None }
    }

    /// The same with more names.
    pub(crate) fn with(&self, bindings: Vec<(EcoString, Value)>, copy: Option<CopyFrame>) -> Self {
        let frame = Frame { parent: self.frame.clone(), bindings, copy };
        Context { frame: Some(Rc::new(frame)), ..self.clone() }
    }

    pub(crate) fn within(&self, frame: Option<Rc<Frame>>) -> Self {
        Context { frame, ..self.clone() }
    }

    fn frames(&self) -> impl Iterator<Item = &Frame> {
        std::iter::successors(self.frame.as_deref(), |frame| frame.parent.as_deref())
    }

    /// The value of an expression.
    pub(crate) fn evaluate(&self, expression: &Expression) -> Value {
        let depth = self.run.depth.get();
        if depth >= MAX_DEPTH {
            let message = "the expression needs too many nested evaluations".to_string();
            return self.run.fail(message, expression.span);
        }
        if !self.run.charge(1) {
            return Value::unknown(
                Cause::Limit("the template takes too long to evaluate".into()),
                expression.span,
            );
        }
        self.run.depth.set(depth + 1);
        let value = self.evaluate_kind(expression);
        self.run.depth.set(depth);
        match expression.kind {
            // Only these put values into each other.
            ExpressionKind::Array(_)
            | ExpressionKind::Object(_)
            | ExpressionKind::Call { .. }
            | ExpressionKind::Loop(_)
            | ExpressionKind::Binary { .. } => self.limited(value, expression.span),
            _ => value,
        }
    }

    /// The value, unless it is too large: a variable that holds another one twice, and so on, doubles with every line what
    /// there is to go through, although it takes no more room.
    fn limited(&self, value: Value, span: Span) -> Value {
        if !matches!(value.kind, ValueKind::Sequence(_) | ValueKind::Mapping(_)) {
            return value;
        }
        let mut left = MAX_VALUES;
        let fits = count_down(&value, &mut left);
        self.run.charge((MAX_VALUES - left) / 32);
        if fits { value } else { self.run.fail("the value has more parts than a template may have", span) }
    }

    fn evaluate_kind(&self, expression: &Expression) -> Value {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Null => Value::null(span),
            ExpressionKind::Bool(value) => Value::bool(*value, span),
            ExpressionKind::Number(number) => Value::number(number.clone(), span),
            ExpressionKind::String(text) => Value::string(text.clone(), span),
            ExpressionKind::Interpolation(parts) => self.interpolation(parts, span),
            ExpressionKind::Array(items) => self.array(items, span),
            ExpressionKind::Object(items) => self.object(items, span),
            ExpressionKind::Parameter(name) => self.parameter(name, span),
            ExpressionKind::Variable(name) => self.variable(name, span),
            ExpressionKind::Local(name) => self.local(name, span),
            ExpressionKind::Resource(symbol) => self.resource(symbol, span),
            ExpressionKind::Property { target, name, name_span, safe } => {
                if let ExpressionKind::Resource(symbol) = &target.kind
                    && let Some(value) = absent::attribute(self, symbol, name, span)
                {
                    return value;
                }
                let target = self.evaluate(target);
                access::property(self, &target, name, *name_span, span, *safe)
            }
            ExpressionKind::Index { target, index, safe, from_end } => {
                let target = self.evaluate(target);
                if *safe && target.is_null() {
                    return Value::null(span);
                }
                let index = self.evaluate(index);
                access::index(self, &target, &index, span, *safe, *from_end)
            }
            ExpressionKind::Call { namespace, name, name_span, arguments } => {
                self.call(namespace.as_deref(), name, *name_span, arguments, span)
            }
            ExpressionKind::Lambda { .. } => self.run.fail("a lambda stands where a value is needed", span),
            ExpressionKind::Conditional { condition, then, otherwise } => {
                let condition = self.evaluate(condition);
                self.conditional(&condition, || self.evaluate(then), || self.evaluate(otherwise), span)
            }
            ExpressionKind::Unary { operator, operand } => {
                let operand = self.evaluate(operand);
                operators::unary(self, *operator, &operand, span)
            }
            ExpressionKind::Binary { operator, left, right } => {
                operators::binary(self, *operator, left, right, span)
            }
            ExpressionKind::NotNull(operand) => self.evaluate(operand),
            ExpressionKind::Loop(looped) => self.loop_values(&looped.iteration, &looped.body, span),
            ExpressionKind::Secret(name) => Value::unknown(Cause::Lookup(name.clone()), span).marked(true),
            ExpressionKind::Invalid(message) => Value::unknown(Cause::Error(message.clone()), span),
        }
    }

    /// One of two values; both, made into one where they agree, when it is not known which.
    pub(crate) fn conditional(
        &self,
        condition: &Value,
        then: impl FnOnce() -> Value,
        otherwise: impl FnOnce() -> Value,
        span: Span,
    ) -> Value {
        match &condition.kind {
            ValueKind::Bool(true) => then(),
            ValueKind::Bool(false) => otherwise(),
            // Resource Manager takes these texts for truth values.
            ValueKind::String(text) if text.eq_ignore_ascii_case("true") => then(),
            ValueKind::String(text) if text.eq_ignore_ascii_case("false") => otherwise(),
            ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => {
                let (then, otherwise) = self.run.quietly(|| (then(), otherwise()));
                operators::merge(self, condition, then, otherwise, span, 0)
            }
            _ => self.run.fail("the condition is neither true nor false", span),
        }
    }

    fn interpolation(&self, parts: &[StringPart], span: Span) -> Value {
        let values: Vec<Value> = parts
            .iter()
            .map(|part| match part {
                StringPart::Literal(text) => Value::string(text.clone(), span),
                StringPart::Hole(expression) => self.as_text(self.evaluate(expression)),
            })
            .collect();
        // A string that is nothing but one string keeps the place in which that was written.
        if let [only] = values.as_slice()
            && matches!(only.kind, ValueKind::String(_))
        {
            return only.clone();
        }
        // A variable that holds another one twice, and so on, doubles its length with every line.
        let (length, pieces) = values
            .iter()
            .map(text_size)
            .fold((0, 0), |(length, pieces), (more, parts)| (length + more, pieces + parts));
        if length > MAX_TEXT || pieces > MAX_TEXT_PARTS || !self.run.charge(length / 16 + pieces) {
            return self.run.fail("the text is too long", span);
        }
        ids::recognize(self, concat(values, span))
    }

    /// A value as `format` writes it; collections with unknown parts are unknown.
    pub(crate) fn as_text(&self, value: Value) -> Value {
        match &value.kind {
            ValueKind::Sequence(_) | ValueKind::Mapping(_) if !value.is_wholly_known() => {
                self.run.identities.derive("string", &[&value], value.span)
            }
            ValueKind::Sequence(_) | ValueKind::Mapping(_) => {
                let text = plain_text(&value);
                self.run.charge(text.len() / 16);
                Value::string(text, value.span).marked(value.sensitive)
            }
            _ => value,
        }
    }

    fn array(&self, items: &[ArrayItem], span: Span) -> Value {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match item {
                ArrayItem::Element(expression) => values.push(self.evaluate(expression)),
                ArrayItem::Spread(expression) => {
                    let value = self.evaluate(expression);
                    let value = access::materialize(self, value);
                    match &value.kind {
                        ValueKind::Sequence(sequence) => {
                            self.run.charge(sequence.items.len());
                            values.extend(sequence.items.iter().cloned());
                        }
                        ValueKind::Null => {}
                        ValueKind::Unknown(_) | ValueKind::Reference(_) => {
                            let mut rest = value.derived_unknown(value.span);
                            rest.repeated = true;
                            values.push(rest);
                        }
                        _ => drop(self.run.fail("`...` needs an array here", expression.span)),
                    }
                }
            }
        }
        Value::sequence(SequenceKind::Tuple, values, span)
    }

    fn object(&self, items: &[ObjectItem], span: Span) -> Value {
        let mut mapping =
            crate::value::Mapping { kind: MappingKind::Object, entries: Default::default(), rest: None };
        for item in items {
            match item {
                ObjectItem::Property { key, value, span } => {
                    let key_value = match &key.kind {
                        ExpressionKind::String(text) => Value::string(text.clone(), key.span),
                        _ => self.evaluate(key),
                    };
                    let value = self.evaluate(value);
                    match &key_value.kind {
                        ValueKind::String(text) => {
                            mapping.entries.insert(text.clone(), Entry { span: *span, value });
                        }
                        ValueKind::Unknown(_) | ValueKind::Template(_) | ValueKind::Reference(_) => {
                            mapping.rest = mapping.rest.or_else(|| key_value.first_unknown());
                        }
                        _ => drop(self.run.fail("a property's name is not a string", key.span)),
                    }
                }
                ObjectItem::Spread(expression) => {
                    let value = self.evaluate(expression);
                    match &value.kind {
                        ValueKind::Mapping(other) => {
                            self.run.charge(other.entries.len());
                            for (key, entry) in &other.entries {
                                mapping.entries.insert(key.clone(), entry.clone());
                            }
                            mapping.rest = mapping.rest.or_else(|| other.rest.clone());
                        }
                        ValueKind::Null => {}
                        ValueKind::Unknown(_) | ValueKind::Reference(_) => {
                            mapping.rest = mapping.rest.or_else(|| value.first_unknown());
                        }
                        _ => drop(self.run.fail("`...` needs an object here", expression.span)),
                    }
                }
            }
        }
        Value::new(ValueKind::Mapping(std::sync::Arc::new(mapping)), span)
    }

    /// The value of a parameter, or of an argument inside a user-defined function.
    pub(crate) fn parameter(&self, name: &str, span: Span) -> Value {
        let key = lower_case(name);
        if let Some(arguments) = &self.arguments {
            return match arguments.get(&key) {
                Some(value) => value.clone(),
                None => self.run.fail(format!("the function has no parameter `{name}`"), span),
            };
        }
        let owner = self.owner();
        let Some(parameter) = owner.template.parameters.get(&key) else {
            return self.run.fail(format!("there is no parameter `{name}`"), span);
        };
        let context = Context::of(self.run, &owner);
        context.slot(&owner.parameters, &key, &parameter.name, span, || {
            let value = match owner.given.get(&key) {
                Some(value) if !(value.is_null() && parameter.default.is_some()) => value.clone(),
                _ => match &parameter.default {
                    Some(default) => context.evaluate(default),
                    None if parameter.nullable => Value::null(parameter.span),
                    None => {
                        let name = EcoString::from(format!("{}{}", owner.prefix, parameter.name));
                        Value::unknown(Cause::Input(name), parameter.span)
                    }
                },
            };
            if let Some(wanted) = parameter.type_name.as_deref()
                && !has_type(&value, wanted)
            {
                let message =
                    format!("the value of the parameter `{}` is not of the type `{wanted}`", parameter.name);
                let span = value.span.or(parameter.span);
                self.run.report(crate::resource::Diagnostic::warning("value-type", message.clone(), span));
                return Value::unknown(Cause::Error(message.into()), span).marked(parameter.secure);
            }
            if let Some(allowed) = &parameter.allowed
                && !(value.is_null() && parameter.nullable)
            {
                context.check_allowed(&parameter.name, &value, allowed, parameter.span);
            }
            value.marked(parameter.secure)
        })
    }

    fn check_allowed(&self, name: &str, value: &Value, allowed: &Expression, declaration: Span) {
        let allowed = self.evaluate(allowed);
        let Some(allowed) = allowed.as_sequence() else { return };
        // An array is allowed if each of its elements is.
        let refused = |value: &Value| {
            // `1` and `"1"` are the same here.
            let same_text = |candidate: &Value| {
                let plain =
                    |value: &Value| !matches!(value.kind, ValueKind::Sequence(_) | ValueKind::Mapping(_));
                plain(candidate) && plain(value) && plain_text(candidate) == plain_text(value)
            };
            let differs = |candidate: &Value| operators::equal(candidate, value, true) == Some(false);
            allowed.items.iter().all(|candidate| differs(candidate) && !same_text(candidate))
        };
        let wrong = refused(value)
            && match &value.kind {
                ValueKind::Sequence(sequence) => sequence.items.iter().any(refused),
                _ => true,
            };
        if wrong && !allowed.items.is_empty() {
            let shown = if value.sensitive { String::new() } else { format!(" `{}`", plain_text(value)) };
            let message = format!("the value{shown} is not one of those allowed for the parameter `{name}`");
            let span = value.span.or(declaration);
            self.run.report(crate::resource::Diagnostic::warning("value-not-allowed", message, span));
        }
    }

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str, span: Span) -> Value {
        let key = lower_case(name);
        let owner = self.owner();
        let Some(variable) = owner.template.variables.get(&key) else {
            return self.run.fail(format!("there is no variable `{name}`"), span);
        };
        let context = Context::of(self.run, &owner);
        context.slot(&owner.variables, &key, &variable.name, span, || context.evaluate(&variable.value))
    }

    /// The deployment whose parameters and variables are meant: the outer one where a nested template is evaluated in the
    /// outer scope.
    fn owner(&self) -> Rc<Deployment> {
        let mut owner = Rc::clone(&self.deployment);
        while let Some(outer) = owner.outer.as_ref().map(Rc::clone) {
            owner = outer;
        }
        owner
    }

    /// Evaluates something once.
    fn slot(
        &self,
        slots: &std::cell::RefCell<rustc_hash::FxHashMap<EcoString, Slot>>,
        key: &EcoString,
        name: &str,
        span: Span,
        work: impl FnOnce() -> Value,
    ) -> Value {
        match slots.borrow().get(key) {
            Some(Slot::Done(value, uses)) => {
                self.run.add_uses(uses);
                return value.clone();
            }
            Some(Slot::UnderWay) => return self.run.fail(format!("`{name}` depends on itself"), span),
            None => {}
        }
        slots.borrow_mut().insert(key.clone(), Slot::UnderWay);
        let held_back = self.run.held_back.get();
        let (value, uses) = self.run.collecting_uses(work);
        // An error that was held back must be reported when the value is needed for certain.
        let again = held_back != self.run.held_back.get() && self.run.quiet.get() > 0;
        if again {
            slots.borrow_mut().remove(key);
        } else {
            slots.borrow_mut().insert(key.clone(), Slot::Done(value.clone(), Rc::new(uses)));
        }
        value
    }

    fn local(&self, name: &str, span: Span) -> Value {
        for frame in self.frames() {
            if let Some((_, value)) =
                frame.bindings.iter().rev().find(|(bound, _)| bound.eq_ignore_ascii_case(name))
            {
                return value.clone();
            }
        }
        self.run.fail(format!("there is no `{name}` here"), span)
    }

    /// The index of a round of a loop: the one of that name, or the one that is meant without a name.
    pub(crate) fn copy_index(&self, name: Option<&str>) -> Option<Value> {
        let copies = || self.frames().filter_map(|frame| frame.copy.as_ref());
        let found = match name {
            Some(name) => copies().find(|copy| copy.name.eq_ignore_ascii_case(name)),
            None => copies().find(|copy| copy.unnamed).or_else(|| copies().next()),
        };
        found.map(|copy| copy.index.clone())
    }

    fn call(
        &self,
        namespace: Option<&str>,
        name: &EcoString,
        name_span: Span,
        arguments: &[Expression],
        span: Span,
    ) -> Value {
        let built_in = namespace.is_none_or(|namespace| matches!(namespace, "sys" | "az"));
        let owner = self.owner();
        let key = match namespace {
            Some(namespace) if !built_in => lower_case(&format!("{namespace}.{name}")),
            _ => lower_case(name),
        };
        let functions =
            if self.deployment.outer.is_some() { &owner.template } else { &self.deployment.template };
        if namespace.is_none_or(|_| !built_in)
            && let Some(function) = functions.functions.get(&key)
        {
            return self.call_user(function, arguments, span);
        }
        if !built_in {
            return self
                .run
                .fail(format!("there is no function `{}.{name}`", namespace.unwrap_or("")), name_span);
        }
        functions::call(self, name, name_span, arguments, span)
    }

    fn call_user(
        &self,
        function: &super::super::model::Function,
        arguments: &[Expression],
        span: Span,
    ) -> Value {
        if arguments.len() > function.parameters.len() {
            let (wanted, given) = (function.parameters.len(), arguments.len());
            return self.run.fail(format!("`{}` takes {wanted} arguments, not {given}", function.name), span);
        }
        // Every call is compared with all those around it.
        self.run.charge(self.run.calls.borrow().len());
        if self.run.calls.borrow().contains(&function.name) {
            return self.run.fail(format!("the function `{}` calls itself", function.name), span);
        }
        let mut values = IndexMap::new();
        for (index, parameter) in function.parameters.iter().enumerate() {
            // Arguments left out are null: Bicep allows it for parameters that may be.
            let value =
                arguments.get(index).map_or_else(|| Value::null(span), |argument| self.evaluate(argument));
            values.insert(lower_case(parameter), value);
        }
        let context = Context { frame: None, arguments: Some(Rc::new(values)), ..self.clone() };
        self.run.calls.borrow_mut().push(function.name.clone());
        let value = context.evaluate(&function.body);
        self.run.calls.borrow_mut().pop();
        value
    }
}

/// Whether a value can be one of a parameter's type. Texts of numbers and truth values count as such.
fn has_type(value: &Value, wanted: &str) -> bool {
    match (&value.kind, wanted) {
        (ValueKind::Null | ValueKind::Unknown(_) | ValueKind::Reference(_), _) => true,
        (kind, "string" | "securestring") => !matches!(kind, ValueKind::Sequence(_) | ValueKind::Mapping(_)),
        (ValueKind::String(_) | ValueKind::Template(_), "array" | "object" | "secureobject") => false,
        (ValueKind::String(text), "int") => text.trim().parse::<i64>().is_ok(),
        (ValueKind::String(text), "bool") => matches!(text.to_ascii_lowercase().as_str(), "true" | "false"),
        (ValueKind::Bool(_) | ValueKind::Number(_), "array" | "object" | "secureobject") => false,
        (ValueKind::Sequence(_), "int" | "bool" | "object" | "secureobject") => false,
        (ValueKind::Mapping(_), "int" | "bool" | "array") => false,
        _ => true,
    }
}

/// Whether a value may be a string of which a part is not known.
pub(crate) fn is_open(value: &Value) -> bool {
    matches!(value.kind, ValueKind::Template(_) | ValueKind::Unknown(_) | ValueKind::Reference(_))
}

/// The known text that an open string starts with.
pub(crate) fn known_prefix(value: &Value) -> &str {
    match &value.kind {
        ValueKind::String(text) => text,
        ValueKind::Template(parts) => match parts.first() {
            Some(TemplatePart::Literal(text)) => text,
            _ => "",
        },
        _ => "",
    }
}
