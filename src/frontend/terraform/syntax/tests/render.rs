//! Trees as short text, operators before their operands: `1 + 2 * 3` is `(+ 1 (* 2 3))`.

use crate::frontend::terraform::syntax::ast::*;

pub fn expression(from: &Expression) -> String {
    match &from.kind {
        ExpressionKind::Null => "null".into(),
        ExpressionKind::Bool(value) => value.to_string(),
        ExpressionKind::Number(value) => value.to_string(),
        ExpressionKind::String(text) => format!("{text:?}"),
        ExpressionKind::Template(template) => format!("(template{})", parts(template)),
        ExpressionKind::Tuple(elements) => format!("[{}]", list(elements)),
        ExpressionKind::Object(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| {
                    let key = match &item.key {
                        ObjectKey::Name(name, _) => name.to_string(),
                        ObjectKey::Expression(key) => format!("({})", expression(key)),
                    };
                    format!("{key}: {}", expression(&item.value))
                })
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        ExpressionKind::Variable(name) => name.to_string(),
        ExpressionKind::Traversal(from) => {
            let steps: String = from.steps.iter().map(step).collect();
            format!("{}{steps}", expression(&from.base))
        }
        ExpressionKind::Call(call) => {
            let more = if call.expand_final { "..." } else { "" };
            format!("{}({}{more})", call.name, list(&call.arguments))
        }
        ExpressionKind::Unary(operator, operand) => {
            let sign = if *operator == UnaryOperator::Negate { "-" } else { "!" };
            format!("({sign} {})", expression(operand))
        }
        ExpressionKind::Binary(operator, operands) => {
            format!("({} {} {})", sign(*operator), expression(&operands.0), expression(&operands.1))
        }
        ExpressionKind::Conditional(parts) => {
            format!("(? {} {} {})", expression(&parts.0), expression(&parts.1), expression(&parts.2))
        }
        ExpressionKind::For(from) => {
            let key = from.key_variable.as_ref().map(|name| format!("{name},")).unwrap_or_default();
            let entry = from.key.as_ref().map(|key| format!("{} => ", expression(key))).unwrap_or_default();
            let grouped = if from.grouped { "..." } else { "" };
            let condition =
                from.condition.as_ref().map(|test| format!(" if {}", expression(test))).unwrap_or_default();
            format!(
                "(for {key}{} in {}: {entry}{}{grouped}{condition})",
                from.value_variable,
                expression(&from.collection),
                expression(&from.value)
            )
        }
        ExpressionKind::Parenthesis(inner) => format!("({})", expression(inner)),
        ExpressionKind::Invalid => "INVALID".into(),
    }
}

fn list(expressions: &[Expression]) -> String {
    expressions.iter().map(expression).collect::<Vec<_>>().join(", ")
}

fn step(from: &TraversalStep) -> String {
    match &from.kind {
        TraversalStepKind::Attribute(name) => format!(".{name}"),
        TraversalStepKind::LegacyIndex(index) => format!(".{index}"),
        TraversalStepKind::Index(index) => format!("[{}]", expression(index)),
        TraversalStepKind::FullSplat => "[*]".into(),
        TraversalStepKind::AttributeSplat => ".*".into(),
    }
}

fn parts(template: &Template) -> String {
    template
        .parts
        .iter()
        .map(|part| match part {
            TemplatePart::Literal(text, _) => format!(" {text:?}"),
            TemplatePart::Interpolation(inner) => format!(" ${{{}}}", expression(inner)),
            TemplatePart::If(from) => {
                format!(
                    " (if {}{} else{})",
                    expression(&from.condition),
                    parts(&from.then),
                    parts(&from.otherwise)
                )
            }
            TemplatePart::For(from) => {
                let key = from.key_variable.as_ref().map(|name| format!("{name},")).unwrap_or_default();
                let collection = expression(&from.collection);
                format!(" (for {key}{} in {collection}:{})", from.value_variable, parts(&from.body))
            }
        })
        .collect()
}

fn sign(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Equal => "==",
        BinaryOperator::NotEqual => "!=",
        BinaryOperator::Less => "<",
        BinaryOperator::LessOrEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterOrEqual => ">=",
        BinaryOperator::And => "&&",
        BinaryOperator::Or => "||",
    }
}

/// A body: attributes, then blocks.
pub fn body(from: &Body) -> String {
    let mut lines: Vec<String> =
        from.attributes.iter().map(|a| format!("{} = {}", a.name, expression(&a.value))).collect();
    lines.extend(from.blocks.iter().map(block));
    lines.join("; ")
}

fn block(from: &Block) -> String {
    let labels: String = from.labels.iter().map(|label| format!(" {:?}", label.text.as_str())).collect();
    let mark = if from.repaired { "~" } else { "" };
    format!("{mark}{}{labels} {{ {} }}", from.block_type, body(&from.body))
}
