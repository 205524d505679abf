//! The state of evaluating one root: module instances, what was computed already, what is being computed.
//!
//! Everything that other expressions can name (a local value, a variable, an output, an attribute of a resource, how
//! often a block is repeated) is computed when it is first needed and kept. What needs itself ends in a diagnostic.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use rustc_hash::{FxHashMap, FxHashSet};

use super::limits::{MAX_DEPTH, MAX_MADE, MAX_STEPS, Scales};
use super::load::ModuleStore;
use super::module::Module;
use super::module_calls::CallExpansion;
use super::resources::{ResourceExpansion, ResourceInstance};
use super::scope::{Repetition, Scope};
use super::variables::Inputs;
use crate::frontend::Sandbox;
use crate::resource::Diagnostic;
use crate::source::{SourceMap, Span};
use crate::value::{Cause, Reference, Unknown, Value};

/// A value that is computed once.
#[derive(Debug)]
pub(super) enum Memo<T> {
    /// Nobody asked yet.
    Empty,
    /// Being computed: who asks now asks in a circle.
    Busy,
    /// Computed.
    Done(T),
}

type Cells<T> = RefCell<Vec<Memo<T>>>;

fn cells<T>(count: usize) -> Cells<T> {
    RefCell::new(std::iter::repeat_with(|| Memo::Empty).take(count).collect())
}

/// One instance of a module.
pub(super) struct Node {
    /// What its files declare.
    pub module: Arc<Module>,
    /// `module.hub["a"].module.network`, empty for the root.
    pub path: EcoString,
    /// The same without instance keys and `module.` (`hub.network`): the key in the list of installed modules.
    pub call_path: EcoString,
    /// Who calls it; `None` for the root.
    pub caller: Option<Caller>,
    locals: Cells<Value>,
    variables: Cells<Value>,
    outputs: Cells<Value>,
    pub(super) resources: Cells<Rc<ResourceExpansion>>,
    pub(super) calls: Cells<Rc<CallExpansion>>,
    pub(super) dependencies: RefCell<FxHashMap<EcoString, super::dependencies::Dependencies>>,
}

/// The `module` block that makes a module instance.
pub(super) struct Caller {
    /// The module instance that holds the block.
    pub node: Rc<Node>,
    /// The block, by its place among the calls of that module.
    pub call: usize,
    /// What `each` and `count` mean in the block for this instance.
    pub repetition: Repetition,
    /// Why it is not known how many instances there are, if it is not.
    pub uncertain: Option<Arc<Unknown>>,
}

impl Node {
    /// An instance of a module.
    pub fn new(
        module: Arc<Module>,
        path: EcoString,
        call_path: EcoString,
        caller: Option<Caller>,
    ) -> Rc<Node> {
        Rc::new(Node {
            locals: cells(module.locals.len()),
            variables: cells(module.variables.len()),
            outputs: cells(module.outputs.len()),
            resources: cells(module.resources.len()),
            calls: cells(module.calls.len()),
            dependencies: RefCell::default(),
            module,
            path,
            call_path,
            caller,
        })
    }

    /// Why it is not known whether this module instance is there.
    pub fn uncertain(&self) -> Option<Arc<Unknown>> {
        let caller = self.caller.as_ref()?;
        caller.uncertain.clone().or_else(|| caller.node.uncertain())
    }

    /// An address inside this module instance, from the root.
    pub fn absolute(&self, address: &str) -> EcoString {
        if self.path.is_empty() { address.into() } else { eco_format!("{}.{address}", self.path) }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What is being computed, for the text of cycles.
#[derive(Clone)]
pub(super) enum Task {
    /// A local value, a variable, an output, the repetition of a block: the module instance, and the name there.
    Named(Rc<Node>, &'static str, EcoString, Span),
    /// An attribute of a resource.
    Attribute(Rc<ResourceInstance>, EcoString, Span),
}

impl Task {
    fn label(&self) -> String {
        match self {
            Task::Named(node, prefix, name, _) => node.absolute(&eco_format!("{prefix}{name}")).to_string(),
            Task::Attribute(instance, name, _) => format!("{}.{name}", instance.address),
        }
    }

    /// Whether it belongs to something of which it is not known whether it is there.
    fn is_uncertain(&self) -> bool {
        match self {
            Task::Named(node, ..) => node.uncertain().is_some(),
            Task::Attribute(instance, ..) => instance.uncertain.is_some(),
        }
    }

    fn span(&self) -> Span {
        match self {
            Task::Named(.., span) | Task::Attribute(.., span) => *span,
        }
    }
}

/// Evaluates one root.
pub(super) struct Evaluator<'a> {
    /// The files of the run.
    pub sources: &'a SourceMap,
    /// The modules that were read.
    pub modules: &'a ModuleStore,
    /// Values for the root's variables.
    pub inputs: &'a Inputs,
    /// What files functions may read.
    pub sandbox: Sandbox,
    /// The name of the workspace.
    pub workspace: &'a str,
    /// The number of the root.
    pub root: u32,
    /// The folder of the root.
    pub root_dir: &'a std::path::Path,
    /// Resource instances by address.
    pub by_address: RefCell<FxHashMap<EcoString, Rc<ResourceInstance>>>,
    /// How many module instances and resource instances there are.
    pub module_count: Cell<usize>,
    pub resource_count: Cell<usize>,
    pub dependency_count: Cell<usize>,
    /// Parts of resources that have more than is written, by the place of the unknown that says so.
    pub computed_parts: RefCell<FxHashMap<usize, (Arc<Unknown>, Reference)>>,
    scales: RefCell<Scales>,
    reports: RefCell<Vec<Vec<Diagnostic>>>,
    reported: RefCell<FxHashSet<(Span, String)>>,
    tasks: RefCell<Vec<Task>>,
    depth: Cell<u32>,
    made: Cell<u64>,
    steps: Cell<u64>,
    /// Inside how many `try` and `can` this is.
    pub attempts: Cell<u32>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator for a root.
    pub fn new(
        sources: &'a SourceMap,
        modules: &'a ModuleStore,
        inputs: &'a Inputs,
        sandbox: Sandbox,
        workspace: &'a str,
        root: u32,
        root_dir: &'a std::path::Path,
    ) -> Self {
        Evaluator {
            sources,
            modules,
            inputs,
            sandbox,
            workspace,
            root,
            root_dir,
            by_address: RefCell::default(),
            module_count: Cell::new(0),
            resource_count: Cell::new(0),
            dependency_count: Cell::new(0),
            computed_parts: RefCell::default(),
            scales: RefCell::default(),
            reports: RefCell::new(vec![Vec::new()]),
            reported: RefCell::default(),
            tasks: RefCell::default(),
            depth: Cell::new(0),
            made: Cell::new(0),
            steps: Cell::new(0),
            attempts: Cell::new(0),
        }
    }

    /// Says something about the configuration, unless this happens inside an attempt that may fail.
    pub fn report(&self, diagnostic: Diagnostic) {
        if let Some(reports) = self.reports.borrow_mut().last_mut() {
            reports.push(diagnostic);
        }
    }

    /// Reports that something cannot be evaluated; the unknown that takes its place.
    pub fn fail(&self, span: Span, message: impl Into<EcoString>) -> Value {
        let message = message.into();
        self.report(Diagnostic::warning("evaluation-failed", message.as_str(), span));
        Value::unknown(Cause::Error(message), span)
    }

    /// Evaluates with reports held back: what came out, and what was reported.
    pub fn attempt<T>(&self, evaluate: impl FnOnce() -> T) -> (T, Vec<Diagnostic>) {
        self.reports.borrow_mut().push(Vec::new());
        let result = evaluate();
        let reports = self.reports.borrow_mut().pop().unwrap_or_default();
        (result, reports)
    }

    /// All that was reported for good.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.reports.into_inner().into_iter().flatten().collect()
    }

    /// Puts reports where no attempt holds them back. Each is kept once.
    pub fn keep(&self, reports: Vec<Diagnostic>) {
        let mut all = self.reports.borrow_mut();
        let mut reported = self.reported.borrow_mut();
        if let Some(kept) = all.first_mut() {
            for report in reports {
                if reported.insert((report.span, report.message.clone())) {
                    kept.push(report);
                }
            }
        }
    }

    /// Counts one step; false when there were too many, or they are too deep inside each other.
    pub fn enter(&self) -> Result<(), &'static str> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS {
            return Err("evaluating this root takes too many steps");
        }
        let depth = self.depth.get() + 1;
        if depth > MAX_DEPTH {
            return Err("expressions refer to each other too deeply");
        }
        self.depth.set(depth);
        Ok(())
    }

    /// Counts elements that are made; an error when a value becomes too large on the way.
    pub fn make(&self, count: usize) -> Result<(), &'static str> {
        let made = self.made.get() + count as u64;
        self.made.set(made);
        if made > MAX_MADE { Err("this takes too many elements to compute") } else { Ok(()) }
    }

    /// Ends what [`Evaluator::enter`] began.
    pub fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }

    /// The unknown for something beyond a limit, which is reported.
    pub fn limit(&self, span: Span, message: &str) -> Value {
        self.keep(vec![Diagnostic::warning("limit", message, span)]);
        Value::unknown(Cause::Limit(message.into()), span)
    }

    /// Computes something that has a name, outside of every attempt: its failures are its own.
    pub fn perform<T>(&self, task: Task, compute: impl FnOnce() -> T) -> T {
        self.tasks.borrow_mut().push(task);
        let attempts = self.attempts.replace(0);
        let made = self.made.replace(0);
        let (result, reports) = self.attempt(compute);
        self.attempts.set(attempts);
        self.made.set(made);
        let uncertain = self.tasks.borrow_mut().pop().is_some_and(|task| task.is_uncertain());
        // What may not be there at all does not fail for certain.
        if !uncertain {
            self.keep(reports);
        }
        result
    }

    /// The same for a value, which must be of a size that can be stored.
    fn perform_value(&self, task: Task, compute: impl FnOnce() -> Value) -> Value {
        let span = task.span();
        let value = self.perform(task, compute);
        self.storable(value, span)
    }

    /// The value, if it is of a size that can be stored.
    pub fn storable(&self, value: Value, span: Span) -> Value {
        if self.scales.borrow_mut().accept(&value) {
            value
        } else {
            self.limit(span, "this value is too large")
        }
    }

    /// Reports that something needs itself; the unknown that takes its place.
    pub fn cycle(&self, task: &Task) -> Value {
        let label = task.label();
        let tasks = self.tasks.borrow();
        let mut labels: Vec<String> = Vec::new();
        for task in tasks.iter().rev() {
            labels.push(task.label());
            if labels.last() == Some(&label) {
                break;
            }
        }
        labels.reverse();
        labels.dedup();
        if labels.len() > 12 {
            let hidden = labels.len() - 11;
            labels.splice(10..10 + hidden, [format!("… ({hidden} more)")]);
        }
        labels.push(label.clone());
        let message = format!("`{label}` depends on itself: {}", labels.join(" → "));
        drop(tasks);
        self.keep(vec![Diagnostic::warning("cycle", message, task.span())]);
        Value::unknown(Cause::Error(eco_format!("`{label}` depends on itself")), task.span())
    }

    fn memo(
        &self,
        cells: &Cells<Value>,
        index: usize,
        task: impl FnOnce() -> Task,
        compute: impl FnOnce() -> Value,
    ) -> Value {
        match cells.borrow_mut().get_mut(index) {
            Some(Memo::Done(value)) => return value.clone(),
            Some(memo @ Memo::Empty) => *memo = Memo::Busy,
            Some(Memo::Busy) => return self.cycle(&task()),
            // Indices come from the declarations that the cells were made for.
            None => return Value::unknown(Cause::Unsupported("this name".into()), Span::NOWHERE),
        }
        let value = self.perform_value(task(), compute);
        if let Some(memo) = cells.borrow_mut().get_mut(index) {
            *memo = Memo::Done(value.clone());
        }
        value
    }

    /// `local.name`
    pub fn local(&self, node: &Rc<Node>, name: &str, span: Span) -> Value {
        let Some((index, name, local)) = node.module.locals.get_full(name) else {
            return self.undeclared(node, span, format!("there is no local value `{name}` in this module"));
        };
        let task = || Task::Named(Rc::clone(node), "local.", name.clone(), local.name_span);
        self.memo(&node.locals, index, task, || self.evaluate(&local.value, &Scope::of_node(node)))
    }

    /// `var.name`
    pub fn variable(&self, node: &Rc<Node>, name: &str, span: Span) -> Value {
        let Some((index, name, variable)) = node.module.variables.get_full(name) else {
            return self.undeclared(node, span, format!("there is no variable `{name}` in this module"));
        };
        let task = || Task::Named(Rc::clone(node), "var.", name.clone(), variable.header);
        self.memo(&node.variables, index, task, || self.variable_value(node, name, variable))
    }

    /// An output of a module instance.
    pub fn output(&self, node: &Rc<Node>, name: &str, span: Span) -> Value {
        let Some((index, name, output)) = node.module.outputs.get_full(name) else {
            let address = if node.path.is_empty() { "the root module" } else { node.path.as_str() };
            return self.undeclared(node, span, format!("{address} has no output `{name}`"));
        };
        let task = || Task::Named(Rc::clone(node), "output.", name.clone(), output.header);
        self.memo(&node.outputs, index, task, || {
            let value = match &output.value {
                Some(expression) => self.evaluate(expression, &Scope::of_node(node)),
                None => Value::null(output.header),
            };
            value.marked(output.sensitive)
        })
    }

    /// Something that no file declares. Where files could not be read, it may stand there.
    pub fn undeclared(&self, node: &Node, span: Span, message: String) -> Value {
        if node.module.incomplete {
            return Value::unknown(Cause::Error(message.into()), span);
        }
        self.fail(span, message)
    }
}
