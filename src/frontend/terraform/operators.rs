//! Operators.

use super::evaluator::Evaluator;
use super::scope::Scope;
use super::syntax::ast::{BinaryOperator, Expression, UnaryOperator};
use crate::source::Span;
use crate::value::{Number, Step, Value, ValueKind};

impl Evaluator<'_> {
    pub(super) fn unary(&self, operator: UnaryOperator, operand: &Value, span: Span) -> Value {
        let value = match operator {
            UnaryOperator::Not => match truth_operand(operand) {
                Operand::Known(value) => Value::bool(!value, span),
                Operand::Unknown => operand.derived_unknown(span),
                Operand::Wrong => self.fail(span, "`!` needs true or false"),
            },
            UnaryOperator::Negate => match number_operand(operand) {
                Operand::Known(number) => Value::number(number.negate(), span),
                Operand::Unknown => operand.derived_unknown(span),
                Operand::Wrong => self.fail(span, "`-` needs a number"),
            },
        };
        value.marked(operand.sensitive)
    }

    pub(super) fn binary(
        &self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
        span: Span,
        scope: &Scope,
    ) -> Value {
        match operator {
            BinaryOperator::And | BinaryOperator::Or => self.logical(operator, left, right, span, scope),
            BinaryOperator::Equal | BinaryOperator::NotEqual => {
                let (a, b) = (self.evaluate(left, scope), self.evaluate(right, scope));
                let value = match equal(&a, &b) {
                    Some(equal) => Value::bool(equal == (operator == BinaryOperator::Equal), span),
                    None => first_unknown(&a, &b, span),
                };
                value.marked(a.sensitive || b.sensitive)
            }
            _ => {
                let (a, b) = (self.evaluate(left, scope), self.evaluate(right, scope));
                self.arithmetic(operator, &a, &b, span).marked(a.sensitive || b.sensitive)
            }
        }
    }

    /// `&&` and `||`: a side that decides does so whatever the other one is, and even if it fails.
    fn logical(
        &self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
        span: Span,
        scope: &Scope,
    ) -> Value {
        let decisive = operator == BinaryOperator::Or;
        let (a, mut reports) = self.attempt(|| self.evaluate(left, scope));
        let first = truth_operand(&a);
        if matches!(first, Operand::Known(value) if value == decisive) {
            return Value::bool(decisive, span).marked(a.sensitive);
        }
        let (b, more_reports) = self.attempt(|| self.evaluate(right, scope));
        let second = truth_operand(&b);
        let sensitive = a.sensitive || b.sensitive;
        if matches!(second, Operand::Known(value) if value == decisive) {
            return Value::bool(decisive, span).marked(sensitive);
        }
        // With an unknown left side, a failing right side may never come to be evaluated.
        if !matches!(first, Operand::Unknown) || !reports.is_empty() {
            reports.extend(more_reports);
        }
        for report in reports {
            self.report(report);
        }
        let value = match (first, second) {
            (Operand::Known(_), Operand::Known(value)) => Value::bool(value, span),
            (Operand::Wrong, _) | (_, Operand::Wrong) => {
                self.fail(span, format!("`{}` needs true or false on both sides", symbol(operator)))
            }
            _ => first_unknown(&a, &b, span),
        };
        value.marked(sensitive)
    }

    fn arithmetic(&self, operator: BinaryOperator, a: &Value, b: &Value, span: Span) -> Value {
        let (x, y) = match (number_operand(a), number_operand(b)) {
            (Operand::Wrong, _) | (_, Operand::Wrong) => {
                return self.fail(span, format!("`{}` needs numbers on both sides", symbol(operator)));
            }
            (Operand::Known(x), Operand::Known(y)) => (x, y),
            _ => return first_unknown(a, b, span),
        };
        let result = match operator {
            BinaryOperator::Add => x.add(&y),
            BinaryOperator::Subtract => x.subtract(&y),
            BinaryOperator::Multiply => x.multiply(&y),
            BinaryOperator::Divide if y.signum() == 0 => return self.fail(span, "division by zero"),
            // What Terraform makes of it.
            BinaryOperator::Modulo if y.signum() == 0 => Some(x),
            BinaryOperator::Divide => x.divide(&y),
            BinaryOperator::Modulo => x.remainder(&y),
            BinaryOperator::Less => return Value::bool(x < y, span),
            BinaryOperator::LessOrEqual => return Value::bool(x <= y, span),
            BinaryOperator::Greater => return Value::bool(x > y, span),
            BinaryOperator::GreaterOrEqual => return Value::bool(x >= y, span),
            // Handled before their operands are evaluated.
            BinaryOperator::Equal | BinaryOperator::NotEqual | BinaryOperator::And | BinaryOperator::Or => {
                None
            }
        };
        match result {
            Some(number) => Value::number(number, span),
            None => self
                .fail(span, format!("the result of `{}` is not a number that can be held", symbol(operator))),
        }
    }
}

fn truth_operand(value: &Value) -> Operand<bool> {
    match &value.kind {
        ValueKind::Bool(value) => Operand::Known(*value),
        ValueKind::String(text) if text == "true" => Operand::Known(true),
        ValueKind::String(text) if text == "false" => Operand::Known(false),
        _ if value.is_unknown() || matches!(value.kind, ValueKind::Template(_)) => Operand::Unknown,
        _ => Operand::Wrong,
    }
}

enum Operand<T> {
    Known(T),
    Unknown,
    Wrong,
}

fn number_operand(value: &Value) -> Operand<Number> {
    match &value.kind {
        ValueKind::Number(number) => Operand::Known(number.clone()),
        ValueKind::String(text) => match Number::parse(text) {
            Some(number) => Operand::Known(number),
            None => Operand::Wrong,
        },
        _ if value.is_unknown() || matches!(value.kind, ValueKind::Template(_)) => Operand::Unknown,
        _ => Operand::Wrong,
    }
}

fn symbol(operator: BinaryOperator) -> &'static str {
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

fn first_unknown(a: &Value, b: &Value, span: Span) -> Value {
    if a.is_wholly_known() { b.derived_unknown(span) } else { a.derived_unknown(span) }
}

/// `a == b`. Beyond what the values themselves say: a resource is not null, and neither is its id.
fn equal(a: &Value, b: &Value) -> Option<bool> {
    let (null, other) = match (&a.kind, &b.kind) {
        (ValueKind::Null, _) => (true, b),
        (_, ValueKind::Null) => (true, a),
        _ => (false, a),
    };
    if null {
        match &other.kind {
            ValueKind::Reference(reference) => match reference.path.as_slice() {
                [] => return Some(false),
                [Step::Attribute(name)] if name == "id" => return Some(false),
                _ => {}
            },
            ValueKind::Template(_) => return Some(false),
            _ => {}
        }
    }
    a.equals(b)
}
