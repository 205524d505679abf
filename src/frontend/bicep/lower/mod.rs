//! From the syntax tree to the template model that Bicep shares with ARM JSON.
//!
//! Names are resolved here: what stays in the model are parameters, variables, functions and resources under unique
//! keys. Variables and functions that come from other files (`import`) are lowered when something uses them.

mod declarations;
mod expressions;
mod loading;
mod modules;
mod parameters;
mod types;

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ecow::{EcoString, eco_format};

use super::registry::Configuration;
use super::syntax;
use super::syntax::ast::*;
use super::unit::{Symbol, Unit};
use super::{Language, Options};
use crate::frontend::Sandbox;
use crate::frontend::arm::expression::ast as arm;
use crate::frontend::arm::model::{Template, TemplateScope};
use crate::resource::Diagnostic;
use crate::source::{SourceFile, SourceMap, Span};

/// How deep modules may contain modules.
const MAX_MODULE_DEPTH: usize = 32;

/// How many files one root may consist of.
const MAX_FILES: usize = 5_000;

/// Compiles Bicep files and what they name. Each file is read once.
pub(super) struct Compiler<'a> {
    pub map: &'a SourceMap,
    pub sandbox: &'a Sandbox,
    pub options: &'a Options,
    pub diagnostics: Vec<Diagnostic>,
    units: HashMap<PathBuf, Arc<Unit>>,
    templates: HashMap<PathBuf, Arc<Template>>,
    /// The files being compiled, outermost first.
    stack: Vec<PathBuf>,
    configurations: HashMap<PathBuf, Option<Arc<Configuration>>>,
    /// Places at which something was said that needs to be said only once.
    said: HashSet<(Span, &'static str)>,
}

impl<'a> Compiler<'a> {
    pub fn new(map: &'a SourceMap, sandbox: &'a Sandbox, options: &'a Options) -> Self {
        Self {
            map,
            sandbox,
            options,
            diagnostics: Vec::new(),
            units: HashMap::new(),
            templates: HashMap::new(),
            stack: Vec::new(),
            configurations: HashMap::new(),
            said: HashSet::new(),
        }
    }

    /// Says something, once for each place.
    pub fn say(&mut self, diagnostic: Diagnostic) {
        if self.said.insert((diagnostic.span, diagnostic.code)) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// The file that a path in another file means. The text of the error is a sentence without a full stop.
    pub fn open(&mut self, folder: &Path, relative: &str) -> Result<(PathBuf, Arc<SourceFile>), String> {
        let path = tidy(&folder.join(relative));
        let Some(real) = self.sandbox.resolve(&path) else {
            return Err(if path.exists() {
                format!("`{relative}` lies outside the folders that are analysed")
            } else {
                format!("there is no file `{relative}`")
            });
        };
        if self.map.len() >= MAX_FILES {
            return Err(format!("more than {MAX_FILES} files were read"));
        }
        match self.map.load(&path) {
            Ok(file) => Ok((real, file)),
            Err(problem) => Err(format!("`{relative}` cannot be read: {problem}")),
        }
    }

    /// A file that was named from outside.
    pub fn open_root(&mut self, path: &Path) -> Result<(PathBuf, Arc<SourceFile>), String> {
        let file = self.map.load(path).map_err(|problem| format!("{}: {problem}", path.display()))?;
        Ok((std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()), file))
    }

    /// An expression by itself.
    pub fn expression(&mut self, file: &SourceFile, expression: &Expression) -> arm::Expression {
        let file = self.map.add(file.path(), Arc::clone(file.text()));
        let unit = Arc::new(Unit::new(file, Program::default()));
        Builder::new(self, unit, None).expression(expression, &Context::default())
    }

    /// The parsed file at a path.
    pub fn unit(&mut self, real: PathBuf, file: Arc<SourceFile>) -> Arc<Unit> {
        if let Some(unit) = self.units.get(&real) {
            return Arc::clone(unit);
        }
        let parsed = syntax::parse(&file);
        self.diagnostics.extend(parsed.diagnostics);
        let unit = Arc::new(Unit::new(file, parsed.program));
        self.units.insert(real, Arc::clone(&unit));
        unit
    }

    /// The template of a Bicep file.
    ///
    /// # Errors
    /// Why there is none: a cycle, or nested too deeply.
    pub fn template(&mut self, real: PathBuf, file: Arc<SourceFile>) -> Result<Arc<Template>, String> {
        if let Some(template) = self.templates.get(&real) {
            return Ok(Arc::clone(template));
        }
        if self.stack.contains(&real) {
            return Err("this module contains itself".to_string());
        }
        if self.stack.len() >= MAX_MODULE_DEPTH {
            return Err(format!("modules are nested more than {MAX_MODULE_DEPTH} deep"));
        }
        let unit = self.unit(real.clone(), file);
        self.stack.push(real.clone());
        let template = Arc::new(Builder::new(self, unit, None).build());
        self.stack.pop();
        self.templates.insert(real, Arc::clone(&template));
        Ok(template)
    }

    /// The template of a source that is not on disk, all of which is to stand at one place.
    pub fn builtin_template(&mut self, name: &str, text: &'static str, at: Span) -> Arc<Template> {
        let path = PathBuf::from(format!("<{name}>"));
        let file = self.map.add(&path, text);
        let unit = self.unit(path, file);
        Arc::new(Builder::new(self, unit, Some(at)).build())
    }
}

/// A path without `.` and, where that is possible, without `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match result.components().next_back() {
                Some(Component::Normal(_)) => {
                    result.pop();
                }
                _ => result.push(".."),
            },
            other => result.push(other),
        }
    }
    if result.as_os_str().is_empty() { PathBuf::from(".") } else { result }
}

/// A file whose names a template uses: its own, or one it imports from.
struct FileScope {
    unit: Arc<Unit>,
    /// What is put before its names in the template; empty for the template's own file.
    prefix: EcoString,
}

/// Makes the template of one file.
pub(super) struct Builder<'c, 'a> {
    pub compiler: &'c mut Compiler<'a>,
    template: Template,
    /// The template's own file first, then those imported from.
    scopes: Vec<FileScope>,
    scope_of_file: HashMap<PathBuf, usize>,
    /// Imported declarations still to be lowered: scope and name.
    pending: Vec<(usize, EcoString)>,
    requested: HashSet<(usize, EcoString)>,
    /// When set, everything stands here: the source is not the user's.
    at: Option<Span>,
    depth: u32,
}

/// Where an expression stands: what names it sees.
#[derive(Clone, Default)]
pub(super) struct Context {
    /// The file, as an index of the builder's scopes.
    scope: usize,
    /// Lambda parameters, loop items and indexes, outermost first.
    locals: Vec<EcoString>,
    /// The parameters of the user-defined function whose body this is.
    function: Option<Vec<EcoString>>,
    /// Resources nested in the resources around: name and symbol, outermost first.
    nested: Vec<(EcoString, EcoString)>,
}

impl<'c, 'a> Builder<'c, 'a> {
    fn new(compiler: &'c mut Compiler<'a>, unit: Arc<Unit>, at: Option<Span>) -> Self {
        let path = unit.file.path().to_path_buf();
        let span = at.unwrap_or(unit.program.span);
        let template = Template {
            scope: TemplateScope::ResourceGroup,
            symbolic: true,
            path,
            span,
            ..Template::default()
        };
        Self {
            compiler,
            template,
            scopes: vec![FileScope { unit, prefix: EcoString::new() }],
            scope_of_file: HashMap::new(),
            pending: Vec::new(),
            requested: HashSet::new(),
            at,
            depth: 0,
        }
    }

    fn build(mut self) -> Template {
        let unit = Arc::clone(&self.scopes[0].unit); // the template's own file is always there
        let context = Context::default();
        for statement in &unit.program.statements {
            self.declaration(statement, &context);
        }
        self.finish_imports();
        self.template
    }

    /// Lowers what imported declarations need, and what those need.
    fn finish_imports(&mut self) {
        while let Some((scope, name)) = self.pending.pop() {
            let Some(file) = self.scopes.get(scope) else { continue };
            let unit = Arc::clone(&file.unit);
            let context = Context { scope, ..Context::default() };
            if let Some(statement) = unit.declaration(&name) {
                self.declaration(statement, &context);
            }
        }
    }

    fn place(&self, span: Span) -> Span {
        self.at.unwrap_or(span)
    }

    fn make(&self, kind: arm::ExpressionKind, span: Span) -> arm::Expression {
        arm::Expression::new(kind, self.place(span))
    }

    fn unit_of(&self, scope: usize) -> Arc<Unit> {
        Arc::clone(&self.scopes[scope].unit) // scopes only grow, and contexts hold their indexes
    }

    /// The key of a declaration in the template.
    fn key(&self, scope: usize, name: &str) -> EcoString {
        let file = &self.scopes[scope];
        eco_format!("{}{}", file.prefix, file.unit.renamed.get(name).map_or(name, |renamed| renamed))
    }

    /// Makes sure that a declaration of an imported file will be in the template.
    fn request(&mut self, scope: usize, name: &EcoString) {
        if scope != 0 && self.requested.insert((scope, name.clone())) {
            self.pending.push((scope, name.clone()));
        }
    }

    /// The scope of the file that an import names.
    fn imported_scope(&mut self, scope: usize, import: usize) -> Option<usize> {
        let unit = self.unit_of(scope);
        let path = &unit.import(import)?.path;
        let ExpressionKind::String(text) = &path.kind else { return None };
        if !text.to_ascii_lowercase().ends_with(".bicep") {
            return None;
        }
        let (real, file) = match self.compiler.open(&unit.folder(), text) {
            Ok(opened) => opened,
            Err(message) => {
                let diagnostic = Diagnostic::warning("module-not-found", message, self.place(path.span));
                self.compiler.say(diagnostic);
                return None;
            }
        };
        if let Some(known) = self.scope_of_file.get(&real) {
            return Some(*known);
        }
        let unit = self.compiler.unit(real.clone(), file);
        let index = self.scopes.len();
        // `:` stands in no name, so nothing collides.
        self.scopes.push(FileScope { unit, prefix: eco_format!("import{index}:") });
        self.scope_of_file.insert(real, index);
        Some(index)
    }

    /// Where a top-level name of a file is declared, through imports; `None` when it is not, or cannot be read.
    fn find(&mut self, scope: usize, name: &EcoString) -> Option<(usize, EcoString)> {
        let (mut scope, mut name) = (scope, name.clone());
        // An import may lead to an import, and these may go in a circle.
        for _ in 0..MAX_MODULE_DEPTH {
            match self.unit_of(scope).symbols.get(&name)?.clone() {
                Symbol::Declaration(_) => return Some((scope, name)),
                Symbol::Imported(import, original) => {
                    scope = self.imported_scope(scope, import)?;
                    name = original;
                }
                Symbol::Namespace(_) | Symbol::Extension => return None,
            }
        }
        None
    }
}

/// The language of a path by its ending.
pub(super) fn language(path: &str) -> Option<Language> {
    let path = path.to_ascii_lowercase();
    if path.ends_with(".bicep") {
        Some(Language::Bicep)
    } else if path.ends_with(".json") || path.ends_with(".jsonc") {
        Some(Language::Json)
    } else {
        None
    }
}
