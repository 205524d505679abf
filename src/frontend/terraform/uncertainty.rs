//! Why it is not known how often something is repeated, where the values themselves do not say.

use std::sync::Arc;

use super::evaluator::Evaluator;
use super::scope::Scope;
use super::syntax::ast::{Expression, ExpressionKind, TraversalStepKind};
use crate::value::{Cause, Unknown};

/// How far through locals and variables a condition is looked for.
const MAX_DEPTH: u32 = 12;

impl Evaluator<'_> {
    /// The unknown condition that decides about elements of a collection: `var.enabled` in
    /// `var.enabled ? local.subnets : {}`.
    pub(super) fn why_uncertain(&self, expression: &Expression, scope: &Scope) -> Arc<Unknown> {
        let (found, _) = self.attempt(|| self.find_condition(expression, scope, MAX_DEPTH));
        found.unwrap_or_else(|| {
            let cause = Cause::Unsupported("what decides about this repetition".into());
            Arc::new(Unknown { cause, span: expression.span })
        })
    }

    fn find_condition(&self, expression: &Expression, scope: &Scope, depth: u32) -> Option<Arc<Unknown>> {
        let depth = depth.checked_sub(1)?;
        let find = |inner: &Expression| self.find_condition(inner, scope, depth);
        match &expression.kind {
            ExpressionKind::Conditional(parts) => self
                .evaluate(&parts.0, scope)
                .first_unknown()
                .or_else(|| find(&parts.1))
                .or_else(|| find(&parts.2)),
            ExpressionKind::For(inner) => {
                // The loop's variables are not bound here; its collection says more than its condition.
                find(&inner.collection).or_else(|| self.evaluate(&inner.collection, scope).first_unknown())
            }
            ExpressionKind::Call(call) => call.arguments.iter().find_map(find),
            ExpressionKind::Parenthesis(inner) => find(inner),
            ExpressionKind::Tuple(elements) => elements.iter().find_map(find),
            ExpressionKind::Object(items) => items.iter().find_map(|item| find(&item.value)),
            ExpressionKind::Traversal(traversal) => {
                let ExpressionKind::Variable(name) = &traversal.base.kind else {
                    return find(&traversal.base);
                };
                let Some(TraversalStepKind::Attribute(first)) =
                    traversal.steps.first().map(|step| &step.kind)
                else {
                    return None;
                };
                let node = scope.node;
                match name.as_str() {
                    "local" => {
                        let local = node.module.locals.get(first)?;
                        self.find_condition(&local.value, &Scope::of_node(node), depth)
                    }
                    "var" => {
                        let caller = node.caller.as_ref()?;
                        let (_, call) = caller.node.module.calls.get_index(caller.call)?;
                        let argument = call.block.body.attribute(first)?;
                        let outer = Scope::of_node(&caller.node).repeated(&caller.repetition);
                        self.find_condition(&argument.value, &outer, depth)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
