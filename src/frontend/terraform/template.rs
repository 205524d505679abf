//! Strings with interpolation and directives.

use super::evaluate::alternatives;
use super::evaluator::Evaluator;
use super::limits::{MAX_TEXT, MAX_TEXT_PARTS};
use super::scope::{Binding, Scope};
use super::syntax::ast::{Template, TemplateFor, TemplateIf, TemplatePart};
use super::traversal::unknown_from;
use crate::source::Span;
use crate::value::{TextBuilder, Value};

impl Evaluator<'_> {
    /// The value of a template: a string, except that a single interpolation keeps the type of what is interpolated.
    pub(super) fn template(&self, template: &Template, span: Span, scope: &Scope) -> Value {
        if let [TemplatePart::Interpolation(only)] = template.parts.as_slice() {
            return self.evaluate(only, scope);
        }
        let mut text = TextBuilder::new();
        match self.template_parts(template, scope, &mut text) {
            Ok(()) => text.finish(span),
            Err(failed) => failed,
        }
    }

    fn template_parts(
        &self,
        template: &Template,
        scope: &Scope,
        text: &mut TextBuilder,
    ) -> Result<(), Value> {
        for part in &template.parts {
            if text.len() > MAX_TEXT || text.part_count() > MAX_TEXT_PARTS {
                return Err(self.limit(part_span(part), "this text is too long"));
            }
            match part {
                TemplatePart::Literal(literal, _) => text.push_str(literal),
                TemplatePart::Interpolation(expression) => {
                    let value = self.evaluate(expression, scope);
                    if !text.push_value(&value) {
                        let message = if value.is_null() {
                            "a null value cannot be put into a string"
                        } else {
                            "a list or a map cannot be put into a string"
                        };
                        return Err(self.fail(expression.span, message));
                    }
                }
                TemplatePart::If(directive) => self.template_if(directive, scope, text)?,
                TemplatePart::For(directive) => self.template_for(directive, scope, text)?,
            }
        }
        Ok(())
    }

    fn template_if(
        &self,
        directive: &TemplateIf,
        scope: &Scope,
        text: &mut TextBuilder,
    ) -> Result<(), Value> {
        let span = directive.condition.span;
        let condition = self.evaluate(&directive.condition, scope);
        match self.truth(&condition, span) {
            Some(true) => self.template_parts(&directive.then, scope, text),
            Some(false) => self.template_parts(&directive.otherwise, scope, text),
            None => {
                let branch = |template: &Template| {
                    let mut text = TextBuilder::new();
                    match self.template_parts(template, scope, &mut text) {
                        Ok(()) => text.finish(span),
                        Err(failed) => failed,
                    }
                };
                let (then, otherwise) = (branch(&directive.then), branch(&directive.otherwise));
                text.push_value(&alternatives(&then, &otherwise, &condition, span, 0));
                Ok(())
            }
        }
    }

    fn template_for(
        &self,
        directive: &TemplateFor,
        scope: &Scope,
        text: &mut TextBuilder,
    ) -> Result<(), Value> {
        let span = directive.collection.span;
        let collection = self.evaluate(&directive.collection, scope);
        let elements = self.elements(&collection, span).map_err(|message| self.fail(span, message))?;
        for element in elements {
            let step = self.enter().map(|()| self.leave()).and_then(|()| self.make(1));
            step.map_err(|message| self.limit(span, message))?;
            let key_name = directive.key_variable.as_deref().unwrap_or("");
            let key = Binding { name: key_name, value: element.key, outer: scope.bindings };
            let outer = if key_name.is_empty() { *scope } else { scope.with(&key) };
            let binding =
                Binding { name: &directive.value_variable, value: element.value, outer: outer.bindings };
            let inner = outer.with(&binding);
            if let Some(uncertain) = element.uncertain {
                // Text that is there any number of times says nothing but that something may stand here.
                text.push_value(&unknown_from(&uncertain, span));
            } else {
                self.template_parts(&directive.body, &inner, text)?;
            }
        }
        Ok(())
    }
}

fn part_span(part: &TemplatePart) -> Span {
    match part {
        TemplatePart::Literal(_, span) => *span,
        TemplatePart::Interpolation(expression) => expression.span,
        TemplatePart::If(directive) => directive.condition.span,
        TemplatePart::For(directive) => directive.collection.span,
    }
}
