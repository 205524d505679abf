//! Parameters files as templates: each parameter is a variable and an output.

use std::path::PathBuf;
use std::sync::Arc;

use ecow::EcoString;

use super::{Builder, Compiler, Context, FileScope, MAX_MODULE_DEPTH, tidy};
use crate::frontend::arm::expression::ast as arm;
use crate::frontend::arm::lower::lower_case;
use crate::frontend::arm::model::{Output, Template};
use crate::frontend::bicep::syntax::ast::*;
use crate::frontend::bicep::unit::Unit;
use crate::resource::Diagnostic;
use crate::source::Span;

impl Compiler<'_> {
    /// The template that a parameters file is for, and a template whose outputs are the file's values.
    pub(in crate::frontend::bicep) fn parameters_template(
        &mut self,
        unit: Arc<Unit>,
    ) -> (Option<PathBuf>, Arc<Template>) {
        let using = unit.program.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Using(path, _) => Some(path.as_ref()),
            _ => None,
        });
        let template = match using {
            Some(Some(Expression { kind: ExpressionKind::String(text), span })) => {
                let path = tidy(&unit.folder().join(text.as_str()));
                match self.sandbox.resolve(&path) {
                    Some(_) => Some(path),
                    None => {
                        let message = format!("there is no file `{text}` in the folders that are analysed");
                        self.say(Diagnostic::warning("module-not-found", message, *span));
                        None
                    }
                }
            }
            _ => None,
        };
        let mut builder = Builder::new(self, unit, None);
        builder.parameter_values(0, 0);
        builder.finish_imports();
        (template, Arc::new(builder.template))
    }
}

impl Builder<'_, '_> {
    /// Makes outputs of the parameters of a file, after those of the file it extends.
    fn parameter_values(&mut self, scope: usize, depth: usize) {
        let unit = self.unit_of(scope);
        if depth < MAX_MODULE_DEPTH
            && let Some(base) = self.base_scope(scope)
        {
            self.parameter_values(base, depth + 1);
        }
        let context = Context { scope, ..Context::default() };
        for statement in &unit.program.statements {
            self.declaration(statement, &context);
            if let StatementKind::ParameterAssignment(name, value) = &statement.kind {
                let key = self.key(scope, &name.name);
                let value = self.make(arm::ExpressionKind::Variable(key), value.span);
                let output = Output { name: name.name.clone(), value, condition: None, span: statement.span };
                self.template.outputs.insert(lower_case(&name.name), output);
            }
        }
    }

    /// The file that a parameters file extends.
    fn base_scope(&mut self, scope: usize) -> Option<usize> {
        let unit = self.unit_of(scope);
        let path = unit.program.statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Extends(path) => Some(path),
            _ => None,
        })?;
        let ExpressionKind::String(text) = &path.kind else { return None };
        match self.compiler.open(&unit.folder(), text) {
            Ok((real, file)) => {
                if let Some(known) = self.scope_of_file.get(&real) {
                    return Some(*known);
                }
                let unit = self.compiler.unit(real.clone(), file);
                let index = self.scopes.len();
                self.scopes.push(FileScope { unit, prefix: ecow::eco_format!("base{index}:") });
                self.scope_of_file.insert(real, index);
                Some(index)
            }
            Err(message) => {
                self.compiler.say(Diagnostic::warning("module-not-found", message, path.span));
                None
            }
        }
    }

    pub(super) fn is_parameters_file(&self, scope: usize) -> bool {
        self.unit_of(scope)
            .program
            .statements
            .iter()
            .any(|statement| matches!(statement.kind, StatementKind::Extends(_) | StatementKind::Using(..)))
    }

    /// `base`: an object of the parameters of the file that is extended.
    pub(super) fn base_object(&mut self, span: Span, context: &Context) -> arm::Expression {
        let Some(base) = self.base_scope(context.scope) else {
            return self.invalid("the parameters that are extended", span);
        };
        let unit = self.unit_of(base);
        let mut items = Vec::new();
        for statement in &unit.program.statements {
            if let StatementKind::ParameterAssignment(name, _) = &statement.kind {
                let name: &EcoString = &name.name;
                let key = self.make(arm::ExpressionKind::String(name.clone()), span);
                let value = self.declared_name(base, name, span);
                items.push(arm::ObjectItem::Property { key, value, span: self.place(span) });
            }
        }
        self.make(arm::ExpressionKind::Object(items), span)
    }
}
