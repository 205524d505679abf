//! Evaluation: from a [`Template`] to resources, as far as the files allow.
//!
//! [`deploy`] does for templates what a deployment does: binds parameters, expands loops and conditions, goes into nested
//! deployments and modules. Expressions are evaluated when they are asked for, each once. JSON templates and Bicep files
//! both come through here.

mod absent;
mod access;
mod context;
mod emit;
mod functions;
mod identity;
mod ids;
mod instance;
mod loops;
mod nested;
mod operators;
mod place;
mod resources;
pub mod text;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use super::expression::ast::Expression;
use super::model::Template;
use crate::resource::{Diagnostic, Resource};
use crate::source::Span;
use crate::value::{Cause, Value};

use context::Context;
use identity::Identities;
use instance::Instance;
use place::Place;
use resources::Deployment;

/// How deep evaluation may go: expressions, variables that use variables, functions, deployments, all counted together.
const MAX_DEPTH: u32 = 1_200;
/// How many steps one template may take, those of its nested deployments included.
const MAX_STEPS: u64 = 4_000_000;
/// How many deployments may stand inside each other. Resource Manager's limit is not documented; real ones have up to 10.
const MAX_NESTED_DEPLOYMENTS: usize = 24;
/// How many nested deployments one template may have in all.
const MAX_DEPLOYMENTS: usize = 5_000;
/// How many instances one loop over resources may have: "The count can't exceed 800"
/// (learn.microsoft.com/azure/azure-resource-manager/templates/copy-resources).
const MAX_COPIES: usize = 800;
/// The stack on which templates are read and evaluated. Only what is used of it is ever allocated.
const STACK_SIZE: usize = 256 << 20;

/// What is given to a deployment from outside.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Values of parameters, by lower-case name.
    pub parameters: IndexMap<EcoString, Value>,
    /// The subscription's id, if it is known.
    pub subscription: Option<EcoString>,
    /// The resource group's name, if it is known.
    pub resource_group: Option<EcoString>,
    /// The location of the resource group (or of the deployment, at other scopes), if it is known.
    pub location: Option<EcoString>,
    /// The management group's name, if it is known.
    pub management_group: Option<EcoString>,
    /// The tenant's id, if it is known.
    pub tenant: Option<EcoString>,
}

/// Where nested deployments get the files they link to.
pub trait TemplateLoader {
    /// The template at `link`, a relative path, as a file in `folder` names it. Diagnostics about its contents are given
    /// once, with the first call.
    ///
    /// # Errors
    /// A sentence without a full stop, if there is no such template to be had.
    fn load(&self, folder: &Path, link: &str) -> Result<LoadedTemplate, String>;

    /// The values in the parameter file at `link`, by lower-case name, as `{ "value": … }` expressions' values.
    ///
    /// # Errors
    /// A sentence without a full stop, if there is no such file to be had.
    fn load_parameters(&self, folder: &Path, link: &str) -> Result<IndexMap<EcoString, Expression>, String>;
}

/// A template that was linked to.
pub struct LoadedTemplate {
    /// The template.
    pub template: Arc<Template>,
    /// Problems in it, if it was read for the first time.
    pub diagnostics: Vec<Diagnostic>,
}

/// A loader for templates that link to nothing.
pub struct NoFiles;

impl TemplateLoader for NoFiles {
    fn load(&self, _: &Path, link: &str) -> Result<LoadedTemplate, String> {
        Err(format!("`{link}` is not on disk"))
    }

    fn load_parameters(&self, _: &Path, link: &str) -> Result<IndexMap<EcoString, Expression>, String> {
        Err(format!("`{link}` is not on disk"))
    }
}

/// What a deployment comes to.
#[derive(Debug, Default)]
pub struct Deployed {
    /// The resources of the template and of its nested deployments, in the order in which they were written.
    pub resources: Vec<Resource>,
    /// The outputs, by name as it was written.
    pub outputs: IndexMap<EcoString, Value>,
    /// What is to be said about the input.
    pub diagnostics: Vec<Diagnostic>,
    /// The files of the templates that it links to, in the order of their paths.
    pub linked: Vec<std::path::PathBuf>,
}

/// Evaluates a template as far as the files allow. `root` is the index of the root in the run.
pub fn deploy(template: Arc<Template>, inputs: &Inputs, loader: &dyn TemplateLoader, root: u32) -> Deployed {
    let run = Run::new(loader, root);
    let place = Place::root(&template, inputs);
    let deployment = Deployment::root(template, inputs.parameters.clone(), place);
    run.adopt(&deployment);
    let resources = emit::resources(&run, &deployment);
    let outputs = emit::outputs(&run, &deployment);
    Deployed { resources, outputs, diagnostics: run.finish(), linked: Vec::new() }
}

/// Evaluates one expression by itself, in a template without resources.
///
/// # Errors
/// The first problem, if the value is not known because of one.
pub fn evaluate(expression: &Expression, inputs: &Inputs) -> Result<Value, String> {
    let run = Run::new(&NoFiles, 0);
    let template = Arc::new(Template::default());
    let place = Place::root(&template, inputs);
    let deployment = Deployment::root(template, inputs.parameters.clone(), place);
    run.adopt(&deployment);
    let value = Context::of(&run, &deployment).evaluate(expression);
    match run.finish().into_iter().next() {
        Some(problem) if problem.level > crate::resource::Level::Note => Err(problem.message),
        _ => Ok(value),
    }
}

/// Evaluates literal values: parameter files, where nothing is an expression.
pub fn evaluate_literal(expression: &Expression) -> Value {
    let run = Run::new(&NoFiles, 0);
    let deployment = Deployment::root(
        Arc::default(),
        IndexMap::new(),
        Place::root(&Template::default(), &Inputs::default()),
    );
    run.adopt(&deployment);
    Context::of(&run, &deployment).evaluate(expression)
}

/// Runs something on a stack that is deep enough for the limits above. Reading and evaluating templates outside of it
/// may overflow on hostile input.
///
/// # Errors
/// When the system gives no such stack, or `work` panicked.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("template".into())
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, work);
        match thread {
            Ok(thread) => thread.join().map_err(|_| "the evaluation of the template failed".to_string()),
            Err(problem) => Err(format!("no thread could be started: {problem}")),
        }
    })
}

/// What one evaluation shares.
pub(crate) struct Run<'l> {
    root: u32,
    loader: &'l dyn TemplateLoader,
    identities: Identities,
    diagnostics: RefCell<Vec<Diagnostic>>,
    /// Above zero while errors are not to be reported, because it is not known whether this is evaluated at all.
    quiet: Cell<u32>,
    /// How many errors were held back.
    held_back: Cell<u64>,
    depth: Cell<u32>,
    steps: Cell<u64>,
    deployments: RefCell<Vec<Rc<Deployment>>>,
    /// Instances by address.
    instances: RefCell<FxHashMap<EcoString, Rc<Instance>>>,
    /// Resources declared in loops, by the address without an index.
    groups: RefCell<FxHashMap<EcoString, Vec<Rc<Instance>>>>,
    /// For each evaluation under way, the addresses of resources that it asked for.
    uses: RefCell<Vec<std::collections::BTreeSet<EcoString>>>,
    /// Functions under way.
    calls: RefCell<Vec<EcoString>>,
}

impl<'l> Run<'l> {
    fn new(loader: &'l dyn TemplateLoader, root: u32) -> Self {
        Run {
            root,
            loader,
            identities: Identities::default(),
            diagnostics: RefCell::default(),
            quiet: Cell::new(0),
            held_back: Cell::new(0),
            depth: Cell::new(0),
            steps: Cell::new(0),
            deployments: RefCell::default(),
            instances: RefCell::default(),
            groups: RefCell::default(),
            uses: RefCell::default(),
            calls: RefCell::default(),
        }
    }

    /// Keeps a deployment for as long as the run lasts.
    fn adopt(&self, deployment: &Rc<Deployment>) {
        self.deployments.borrow_mut().push(Rc::clone(deployment));
    }

    fn finish(self) -> Vec<Diagnostic> {
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        for diagnostic in self.diagnostics.into_inner() {
            if seen.insert((diagnostic.code, diagnostic.message.clone(), diagnostic.span)) {
                diagnostics.push(diagnostic);
            }
        }
        diagnostics
    }

    /// Says something, unless it is not known whether the place is evaluated at all.
    fn report(&self, diagnostic: Diagnostic) {
        if self.quiet.get() == 0 {
            self.diagnostics.borrow_mut().push(diagnostic);
        } else {
            self.held_back.set(self.held_back.get() + 1);
        }
    }

    /// An unknown because of an error, which is reported.
    fn fail(&self, message: impl Into<String>, span: Span) -> Value {
        let message = message.into();
        self.report(Diagnostic::warning("evaluation-error", message.clone(), span));
        Value::unknown(Cause::Error(message.into()), span)
    }

    /// Runs something whose errors may never happen in a deployment.
    fn quietly<T>(&self, work: impl FnOnce() -> T) -> T {
        self.quiet.set(self.quiet.get() + 1);
        let result = work();
        self.quiet.set(self.quiet.get() - 1);
        result
    }

    /// Counts steps. `false` when there have been too many.
    fn charge(&self, steps: usize) -> bool {
        let before = self.steps.get();
        let after = before.saturating_add(steps as u64);
        self.steps.set(after);
        if after > MAX_STEPS && before <= MAX_STEPS {
            let message = format!(
                "the template takes more than {MAX_STEPS} steps to evaluate; the rest of it is taken as unknown"
            );
            self.diagnostics.borrow_mut().push(Diagnostic::error("limit", message, Span::NOWHERE));
        }
        after <= MAX_STEPS
    }

    /// Notes that what is being evaluated asks for a resource.
    fn note_use(&self, address: &EcoString) {
        if let Some(uses) = self.uses.borrow_mut().last_mut() {
            uses.insert(address.clone());
        }
    }

    /// Runs something and gives the resources it asked for. They count for what surrounds it, too.
    fn collecting_uses<T>(&self, work: impl FnOnce() -> T) -> (T, std::collections::BTreeSet<EcoString>) {
        self.uses.borrow_mut().push(Default::default());
        let result = work();
        let uses = self.uses.borrow_mut().pop().unwrap_or_default();
        self.add_uses(&uses);
        (result, uses)
    }

    fn add_uses(&self, uses: &std::collections::BTreeSet<EcoString>) {
        if let Some(outer) = self.uses.borrow_mut().last_mut() {
            outer.extend(uses.iter().cloned());
        }
    }
}
