//! Deployments inside a deployment: their templates, the values of their parameters.

use std::rc::Rc;
use std::sync::Arc;

use ecow::EcoString;
use indexmap::IndexMap;

use super::super::lower::lower_case;
use super::super::model::{Arguments, NestedTemplate, ResourceDeclaration, Template, TemplateScope};
use super::context::{Context, is_open};
use super::instance::{Instance, Nested};
use super::place::Place;
use super::resources::Deployment;
use super::{MAX_DEPLOYMENTS, MAX_NESTED_DEPLOYMENTS, Run, access, ids};
use crate::resource::Diagnostic;
use crate::source::Span;
use crate::value::{Cause, TemplatePart, Value, ValueKind};

impl Instance {
    /// The deployment that this one makes; `None` if its template is not to be had.
    pub(crate) fn nested(&self, run: &Run<'_>) -> Option<Rc<Deployment>> {
        match self.nested.get() {
            Nested::At(index) => return run.deployments.borrow().get(index).cloned(),
            Nested::None => return None,
            Nested::NotYet => {}
        }
        let deployment = self.deployment()?;
        if !deployment.ready.get() {
            return None;
        }
        self.nested.set(Nested::None);
        let declaration = deployment.template.resources.get(self.declaration)?;
        let (made, uses) = run.collecting_uses(|| self.make_nested(run, &deployment, declaration));
        *self.nested_uses.borrow_mut() = uses;
        let made = made?;
        let index = run.deployments.borrow().len();
        run.adopt(&made);
        self.nested.set(Nested::At(index));
        made.declare(run);
        Some(made)
    }

    fn make_nested(
        &self,
        run: &Run<'_>,
        outer: &Rc<Deployment>,
        declaration: &ResourceDeclaration,
    ) -> Option<Rc<Deployment>> {
        let nested = declaration.deployment.as_ref()?;
        let context = self.context(run)?;
        if outer.level + 1 > MAX_NESTED_DEPLOYMENTS || run.deployments.borrow().len() >= MAX_DEPLOYMENTS {
            let message = "there are too many deployments inside each other".to_string();
            run.report(Diagnostic::error("limit", message, declaration.header));
            return None;
        }
        let template = self.nested_template(&context, outer, &nested.template, declaration.header)?;
        let mut given = IndexMap::new();
        if let Some(link) = &nested.parameters_link {
            let link = context.evaluate(link);
            let folder = outer.template.path.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
            let found = link_candidates(&link, &folder)
                .into_iter()
                .find_map(|candidate| run.loader.load_parameters(&folder, &candidate).ok());
            for (name, value) in found.into_iter().flatten() {
                given.insert(name, context.evaluate(&value));
            }
        }
        match &nested.parameters {
            Arguments::Each(arguments) => {
                given.extend(arguments.iter().map(|(name, value)| (name.clone(), context.evaluate(value))));
            }
            Arguments::Whole(expression) => {
                let whole = context.evaluate(expression);
                match &whole.kind {
                    ValueKind::Mapping(mapping) => {
                        for (name, entry) in &mapping.entries {
                            let value = argument_value(&context, &entry.value, entry.span);
                            given.insert(lower_case(name), value);
                        }
                    }
                    _ if is_open(&whole) => {
                        for (name, parameter) in &template.parameters {
                            let value = run.identities.derive(&format!(".{name}"), &[&whole], parameter.span);
                            given.insert(name.clone(), value);
                        }
                    }
                    _ => drop(run.fail("the parameters are not an object", expression.span)),
                }
            }
        }
        let mut place = self.place.clone();
        if place.scope != template.scope && template.scope != TemplateScope::ResourceGroup {
            place.scope = template.scope;
        }
        if let Some(group) = self.declared_group(run, outer, &place) {
            let key = group.key.clone();
            let reference = Value::reference(key, Vec::new(), declaration.header);
            place.location = access::property(
                &context,
                &reference,
                "location",
                declaration.header,
                declaration.header,
                true,
            );
        }
        let (owner, frame) = match nested.inner_scope {
            true => (None, None),
            false => (Some(Rc::clone(outer)), self.frame.clone()),
        };
        let label = match outer.template.symbolic {
            true => self.key.address.to_string(),
            false => format!("{}{}", outer.prefix, deployment_label(&self.key.address, &outer.prefix)),
        };
        let prefix = EcoString::from(format!("{label}::"));
        Some(Deployment::new(template, prefix, place, given, owner, frame, outer.level + 1))
    }

    /// The resource group of a place, if the surrounding template makes it.
    fn declared_group(&self, run: &Run<'_>, outer: &Rc<Deployment>, place: &Place) -> Option<Rc<Instance>> {
        let name = Some(&place.resource_group).filter(|name| !name.is_null())?;
        let identity = ids::identity(run, "Microsoft.Resources/resourceGroups", name)?;
        let mut deployment = Some(Rc::clone(outer));
        while let Some(current) = deployment {
            if let Some(found) = current.by_identity.borrow().get(&identity).and_then(|found| found.first()) {
                return Some(Rc::clone(found));
            }
            deployment = current.outer.clone();
        }
        None
    }

    fn nested_template(
        &self,
        context: &Context<'_, '_>,
        outer: &Rc<Deployment>,
        template: &NestedTemplate,
        span: Span,
    ) -> Option<Arc<Template>> {
        let run = context.run;
        let missing = |what: String| {
            let problem = Diagnostic::warning("module-not-found", what, span)
                .with_help("its resources are not checked; deploy-time template links are read only where the file is on disk");
            run.report(problem);
            None
        };
        let (link, is_path) = match template {
            NestedTemplate::Inline(template) => return Some(Arc::clone(template)),
            NestedTemplate::Missing => return None,
            NestedTemplate::Elsewhere(what) => {
                return missing(format!("the template of this deployment is not on disk: {what}"));
            }
            NestedTemplate::Path(link) => (context.evaluate(link), true),
            NestedTemplate::Uri(link) => (context.evaluate(link), false),
        };
        let folder = outer.template.path.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
        let candidates = match (is_path, link.as_str()) {
            (true, Some(path)) => vec![path.to_string()],
            _ => link_candidates(&link, &folder),
        };
        // A place for all files of a deployment is that of the outermost template.
        let root =
            run.deployments.borrow().first().and_then(|root| root.template.path.parent().map(Into::into));
        let folders: Vec<std::path::PathBuf> = match is_path {
            true => vec![folder],
            false => std::iter::once(folder).chain(root).collect(),
        };
        let mut reason = None;
        let places = candidates.iter().flat_map(|link| folders.iter().map(move |folder| (link, folder)));
        for (candidate, folder) in places {
            match run.loader.load(folder, candidate) {
                Ok(loaded) => {
                    run.diagnostics.borrow_mut().extend(loaded.diagnostics);
                    return Some(loaded.template);
                }
                Err(problem) => reason = reason.or(Some(problem)),
            }
        }
        let reason = reason.unwrap_or_else(|| match link.as_str() {
            Some(text) => format!("`{text}` is not on disk"),
            None => "the link is not known".to_string(),
        });
        missing(format!("the template of this deployment cannot be read: {reason}"))
    }
}

/// How the deployment is called before `::` in the addresses of its resources: its name.
fn deployment_label(address: &str, prefix: &str) -> String {
    let own = address.strip_prefix(prefix).unwrap_or(address);
    own.strip_prefix("Microsoft.Resources/deployments/").unwrap_or(own).to_string()
}

/// The relative paths that a link to a template may mean in the folder of the template it stands in.
///
/// Links are mostly put together from a place that is not known before deployment (`deployment().properties.templateLink`,
/// an `_artifactsLocation` parameter) and a path below it; that path is looked for beside the template. Of a full address,
/// what comes after a folder of the same name as the template's is taken.
fn link_candidates(link: &Value, folder: &std::path::Path) -> Vec<String> {
    let clean = |text: &str| text.split(['?', '#']).next().unwrap_or("").trim_start_matches('/').to_string();
    match &link.kind {
        ValueKind::Template(parts) => {
            let mut parts = parts.iter().skip_while(|part| matches!(part, TemplatePart::Literal(_)));
            parts.next();
            match parts.next() {
                Some(TemplatePart::Literal(text)) => vec![clean(text)],
                _ => Vec::new(),
            }
        }
        ValueKind::String(text) => match text.split_once("://") {
            None => vec![clean(text)],
            Some((_, rest)) => {
                let here = folder
                    .canonicalize()
                    .ok()
                    .and_then(|folder| Some(folder.file_name()?.to_string_lossy().to_lowercase()));
                let path = clean(rest);
                let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
                let after = segments.iter().rposition(|segment| Some(segment.to_lowercase()) == here);
                after
                    .and_then(|after| segments.get(after + 1..))
                    .map(|tail| tail.join("/"))
                    .into_iter()
                    .collect()
            }
        },
        _ => Vec::new(),
    }
}

/// The value of an argument that is given as an object: what its `value` is, or unknown for a reference to a secret.
pub(crate) fn argument_value(context: &Context<'_, '_>, whole: &Value, span: Span) -> Value {
    if let ValueKind::Mapping(mapping) = &whole.kind
        && access::entry(mapping, "value").is_none()
        && access::entry(mapping, "reference").is_some()
    {
        return Value::unknown(Cause::Lookup("a key vault's secret".into()), span).marked(true);
    }
    access::property(context, whole, "value", span, span, false)
}
