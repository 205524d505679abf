//! Suppressions in Bicep files: comments.

use super::syntax::ast::*;
use crate::frontend::suppressions::{Suppressions, of_comments};
use crate::source::{SourceFile, Span};

/// The suppressions of a `.bicep` or `.bicepparam` file.
pub fn suppressions(file: &SourceFile) -> Suppressions {
    let program = super::syntax::parse(file).program;
    let comments: Vec<Span> = program.comments.iter().map(|comment| comment.span).collect();
    let mut items = Vec::new();
    for statement in &program.statements {
        of_statement(statement, &mut items);
    }
    of_comments(file, &comments, &items)
}

// The parser limits how deeply declarations and expressions nest.

fn of_statement(statement: &Statement, items: &mut Vec<Span>) {
    items.push(statement.span);
    // A comment may stand between the decorators and the declaration.
    items.push(statement.header.to(Span { start: statement.span.end, ..statement.span }));
    match &statement.kind {
        StatementKind::Resource(resource) => of_object(&resource.body.object, items),
        StatementKind::Module(module) => of_object(&module.body.object, items),
        StatementKind::Variable(variable) => of_expression(&variable.value, items),
        StatementKind::ParameterAssignment(_, value) => of_expression(value, items),
        StatementKind::Parameter(parameter) => {
            parameter.default.iter().for_each(|default| of_expression(default, items));
        }
        _ => {}
    }
}

fn of_object(object: &Object, items: &mut Vec<Span>) {
    for member in &object.members {
        match member {
            ObjectMember::Property(property) => {
                items.push(property.span);
                of_expression(&property.value, items);
            }
            ObjectMember::Spread(..) => {}
            ObjectMember::Resource(statement) => of_statement(statement, items),
        }
    }
}

fn of_expression(expression: &Expression, items: &mut Vec<Span>) {
    match &expression.kind {
        ExpressionKind::Object(object) => of_object(object, items),
        ExpressionKind::Array(array) => {
            for item in &array.items {
                if let ArrayItem::Expression(element) = item {
                    items.push(element.span);
                    of_expression(element, items);
                }
            }
        }
        ExpressionKind::For(repeated) => of_expression(&repeated.body, items),
        ExpressionKind::Parenthesis(inner) => of_expression(inner, items),
        _ => {}
    }
}
