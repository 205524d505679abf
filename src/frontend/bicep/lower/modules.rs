//! Modules: where their templates come from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ecow::EcoString;

use super::declarations::string_constant;
use super::{Builder, Compiler, Context, language};
use crate::frontend::arm::expression::ast as arm;
use crate::frontend::arm::lower::read_template;
use crate::frontend::arm::model::{
    Arguments, NestedDeployment, NestedTemplate, ResourceDeclaration as Resource, Template,
};
use crate::frontend::bicep::Language;
use crate::frontend::bicep::registry::{Configuration, Reference};
use crate::frontend::bicep::syntax::ast::*;
use crate::frontend::bicep::verified;
use crate::resource::Diagnostic;
use crate::source::Span;

impl Compiler<'_> {
    /// The configuration that holds for a folder: the nearest `bicepconfig.json`, inside what is analysed.
    fn configuration(&mut self, folder: &Path) -> Option<Arc<Configuration>> {
        let real =
            self.sandbox.resolve(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?;
        if let Some(known) = self.configurations.get(&real) {
            return known.clone();
        }
        let mut found = None;
        for folder in real.ancestors() {
            let path = folder.join("bicepconfig.json");
            if self.sandbox.resolve(folder).is_none() {
                break;
            }
            if let Some(path) = self.sandbox.resolve(&path) {
                found = self.map.load(&path).ok().map(|file| Arc::new(Configuration::read(&file)));
                break;
            }
        }
        self.configurations.insert(real, found.clone());
        found
    }

    /// The template of a module that is not a file beside the template.
    fn registry_template(
        &mut self,
        text: &str,
        reference: &Reference,
        configuration: Option<&Configuration>,
        path_span: Span,
        header: Span,
    ) -> NestedTemplate {
        let caches: Vec<PathBuf> = configuration
            .and_then(|configuration| configuration.cache.clone())
            .into_iter()
            .chain(self.options.module_cache.clone())
            .collect();
        let inside = crate::frontend::Sandbox::new(caches.iter().cloned());
        for cache in &caches {
            if let Some(path) = inside.resolve(&reference.cached(cache))
                && let Ok(file) = self.map.load(&path)
            {
                return NestedTemplate::Inline(self.json_template(path, &file));
            }
        }
        if let Some((name, version)) = reference.verified_module() {
            match verified::find(name, version) {
                verified::Found::Modelled(source) => {
                    let template = self.builtin_template(source.name, source.text, header);
                    return NestedTemplate::Inline(template);
                }
                verified::Found::OtherVersion(source) => {
                    let message = format!(
                        "version {version} of the verified module `{name}` is not on disk, and only {} are modelled",
                        source.versions()
                    );
                    self.say(Diagnostic::note("module-not-found", message, path_span));
                }
                verified::Found::No => self.not_on_disk(text, path_span),
            }
        } else {
            self.not_on_disk(text, path_span);
        }
        NestedTemplate::Missing
    }

    fn not_on_disk(&mut self, text: &str, span: Span) {
        let message = format!("the module `{text}` is not on disk, so what it makes is not known");
        let help = "`bicep restore` downloads modules to a place where they are found";
        self.say(Diagnostic::note("module-not-found", message, span).with_help(help));
    }

    fn json_template(&mut self, real: PathBuf, file: &crate::source::SourceFile) -> Arc<Template> {
        if let Some(template) = self.templates.get(&real) {
            return Arc::clone(template);
        }
        let lowered = read_template(file);
        self.diagnostics.extend(lowered.diagnostics);
        let template = Arc::new(lowered.template);
        self.templates.insert(real, Arc::clone(&template));
        template
    }
}

impl Builder<'_, '_> {
    pub(super) fn module(&mut self, module: &ModuleDeclaration, statement: &Statement, context: &Context) {
        if context.scope != 0 {
            return;
        }
        let symbol = self.key(0, &module.name.name);
        let template = self.module_template(module, statement);
        let object = &module.body.object;
        let (copy, inner) = match &module.body.repeat {
            Some(header) => {
                let (iteration, inner) = self.iteration(header, context);
                (Some(iteration), inner)
            }
            None => (None, context.clone()),
        };
        let condition = module.body.condition.as_ref().map(|condition| self.expression(condition, &inner));
        let value = |builder: &mut Self, key: &str| {
            object.get(key).map(|property| builder.expression(&property.value, &inner))
        };
        let name = value(self, "name")
            .unwrap_or_else(|| self.make(arm::ExpressionKind::String(symbol.clone()), module.name.span));
        let scope = value(self, "scope");
        let depends_on = object.get("dependsOn").map_or(Vec::new(), |p| self.dependencies(&p.value, &inner));
        let parameters = self.module_arguments(object, &inner);
        let body = self.object(object, &inner, &|key| key == "name");
        self.template.resources.push(Resource {
            symbol,
            resource_type: "Microsoft.Resources/deployments".into(),
            api_version: None,
            existing: false,
            name,
            parent: None,
            nested: false,
            condition,
            copy,
            depends_on,
            scope,
            subscription: None,
            resource_group: None,
            body,
            deployment: Some(NestedDeployment {
                template,
                inner_scope: true,
                parameters,
                parameters_link: None,
            }),
            span: self.place(statement.span),
            header: self.place(statement.header),
        });
    }

    fn module_arguments(&mut self, object: &Object, context: &Context) -> Arguments {
        let Some(parameters) = object.get("params") else {
            if object.incomplete {
                let unknown = self.invalid("parameters that could not be read", object.span);
                return Arguments::Whole(unknown);
            }
            return Arguments::Each(Default::default());
        };
        let plain = |member: &ObjectMember| matches!(member, ObjectMember::Property(property) if property.key.constant().is_some());
        match &parameters.value.kind {
            ExpressionKind::Object(object) if !object.incomplete && object.members.iter().all(plain) => {
                Arguments::Each(self.arguments(object, context))
            }
            _ => {
                // toObject(items(params), item => item.key, item => { value: item.value })
                let span = parameters.value.span;
                let given = self.expression(&parameters.value, context);
                let call = |builder: &Self, name: &str, arguments| {
                    let name_span = builder.place(span);
                    let kind = arm::ExpressionKind::Call {
                        namespace: None,
                        name: name.into(),
                        name_span,
                        arguments,
                    };
                    builder.make(kind, span)
                };
                let property = |builder: &Self, name: &str| {
                    let item = builder.make(arm::ExpressionKind::Local("item".into()), span);
                    let target = Box::new(item);
                    let name_span = builder.place(span);
                    let kind =
                        arm::ExpressionKind::Property { target, name: name.into(), name_span, safe: false };
                    builder.make(kind, span)
                };
                let lambda = |builder: &Self, body: arm::Expression| {
                    let parameters = vec![EcoString::from("item")];
                    builder.make(arm::ExpressionKind::Lambda { parameters, body: Box::new(body) }, span)
                };
                let entries = call(self, "items", vec![given]);
                let key = lambda(self, property(self, "key"));
                let entry = arm::ObjectItem::Property {
                    key: self.make(arm::ExpressionKind::String("value".into()), span),
                    value: property(self, "value"),
                    span: self.place(span),
                };
                let value = lambda(self, self.make(arm::ExpressionKind::Object(vec![entry]), span));
                Arguments::Whole(call(self, "toObject", vec![entries, key, value]))
            }
        }
    }

    fn module_template(&mut self, module: &ModuleDeclaration, statement: &Statement) -> NestedTemplate {
        let Some((text, span)) = string_constant(&module.path) else {
            // A path with holes; when it could not be read at all, that was said.
            if !matches!(module.path.kind, ExpressionKind::Invalid) {
                let message = "the path of a module must be a constant";
                self.compiler.say(Diagnostic::warning("unsupported", message, self.place(module.path.span)));
            }
            return NestedTemplate::Missing;
        };
        let (text, span, header) = (text.clone(), self.place(span), self.place(statement.header));
        let folder = self.unit_of(0).folder();
        let configuration = self.compiler.configuration(&folder);
        if let Some(reference) = Reference::parse(&text, configuration.as_deref()) {
            return match reference {
                Ok(reference) => {
                    let configuration = configuration.as_deref();
                    self.compiler.registry_template(&text, &reference, configuration, span, header)
                }
                Err(message) => {
                    self.compiler.say(Diagnostic::warning("module-not-found", message, span));
                    NestedTemplate::Missing
                }
            };
        }
        match self.local_template(&folder, &text) {
            Ok(template) => NestedTemplate::Inline(template),
            Err(message) => {
                self.compiler.say(Diagnostic::warning("module-not-found", message, span));
                NestedTemplate::Missing
            }
        }
    }

    fn local_template(&mut self, folder: &Path, text: &str) -> Result<Arc<Template>, String> {
        let Some(language) = language(text) else {
            return Err(format!("`{text}` is neither a Bicep file nor a template"));
        };
        let (real, file) = self.compiler.open(folder, text)?;
        match language {
            Language::Bicep => self.compiler.template(real, file),
            Language::Json => Ok(self.compiler.json_template(real, &file)),
        }
    }
}
