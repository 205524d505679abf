//! Loops: how many rounds there are, and what each of them sees.

use super::super::expression::ast::{Expression, Iteration, LoopSource};
use super::super::lower::lower_case;
use super::access;
use super::context::{Context, CopyFrame};
use crate::resource::Diagnostic;
use crate::source::Span;
use crate::value::{Cause, SequenceKind, Value, ValueKind};

/// How many rounds a loop over values may have.
const MAX_ROUNDS: usize = 10_000;

/// One round of a loop.
pub(crate) struct Round<'r, 'l> {
    pub(crate) context: Context<'r, 'l>,
    /// `None`: stands for zero or more rounds.
    pub(crate) index: Option<usize>,
    /// Why the number of rounds is not known.
    pub(crate) cause: Option<Value>,
}

impl<'r, 'l> Context<'r, 'l> {
    /// The rounds of a loop. `limit` is the largest number of rounds.
    pub(crate) fn rounds(&self, iteration: &Iteration, unnamed: bool, limit: usize) -> Vec<Round<'r, 'l>> {
        let copy_name = iteration.copy.as_deref().map(lower_case);
        let frame = |item: Option<Value>, index: Value| {
            let mut bindings = Vec::new();
            if let (Some(name), Some(item)) = (&iteration.item, item) {
                bindings.push((name.clone(), item));
            }
            if let Some(name) = &iteration.index {
                bindings.push((name.clone(), index.clone()));
            }
            let copy = copy_name.clone().map(|name| CopyFrame { name, index, unnamed });
            self.with(bindings, copy)
        };
        let any_round = |cause: Value, item: Option<Value>| {
            let index = self.run.identities.derive("copyIndex", &[&cause], iteration.span);
            vec![Round { context: frame(item, index), index: None, cause: Some(cause) }]
        };
        let too_many = |count: String| {
            let message = format!("a loop with {count} rounds; at most {limit} are possible");
            self.run.report(Diagnostic::error("limit", message.clone(), iteration.span));
            Value::unknown(Cause::Limit(message.into()), iteration.span)
        };
        match &iteration.source {
            LoopSource::Count(expression) => {
                let count = self.evaluate(expression);
                match &count.kind {
                    ValueKind::Number(number) => match number.as_i64() {
                        Some(count) if count >= 0 && count as usize <= limit => (0..count as usize)
                            .map(|index| Round {
                                context: frame(None, Value::number(index, iteration.span)),
                                index: Some(index),
                                cause: None,
                            })
                            .collect(),
                        _ => any_round(too_many(number.to_string()), None),
                    },
                    ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => {
                        any_round(count, None)
                    }
                    _ => any_round(
                        self.run.fail("the number of a loop's rounds is not a number", expression.span),
                        None,
                    ),
                }
            }
            LoopSource::Items(expression) => {
                let items = access::materialize(self, self.evaluate(expression));
                match &items.kind {
                    ValueKind::Sequence(sequence) if sequence.items.len() > limit => any_round(
                        too_many(sequence.items.len().to_string()),
                        Some(items.derived_unknown(items.span)),
                    ),
                    ValueKind::Sequence(sequence) => {
                        let mut certain = true;
                        let mut rounds = Vec::with_capacity(sequence.items.len());
                        for (position, item) in sequence.items.iter().enumerate() {
                            certain &= !item.repeated;
                            let index = match certain {
                                true => Value::number(position, iteration.span),
                                false => self.run.identities.derive("index", &[item], iteration.span),
                            };
                            let mut single = item.clone();
                            single.repeated = false;
                            rounds.push(Round {
                                context: frame(Some(single), index),
                                index: certain.then_some(position),
                                cause: item.repeated.then(|| item.clone()),
                            });
                        }
                        rounds
                    }
                    ValueKind::Null => Vec::new(),
                    ValueKind::Unknown(_) | ValueKind::Reference(_) | ValueKind::Template(_) => {
                        let item = self.run.identities.derive("item", &[&items], iteration.span);
                        any_round(items, Some(item))
                    }
                    _ => any_round(self.run.fail("a loop needs an array", expression.span), None),
                }
            }
        }
    }

    /// The values of an array that a loop computes.
    pub(crate) fn loop_values(&self, iteration: &Iteration, body: &Expression, span: Span) -> Value {
        // An output's loop is the one that `copyIndex()` without a name means.
        let unnamed = iteration.copy.as_deref() == Some("");
        let rounds = self.rounds(iteration, unnamed, MAX_ROUNDS);
        self.run.charge(rounds.len());
        let values = rounds
            .into_iter()
            .map(|round| {
                let Some(_) = round.cause else { return round.context.evaluate(body) };
                let mut value = self.run.quietly(|| round.context.evaluate(body));
                value.repeated = true;
                value
            })
            .collect();
        Value::sequence(SequenceKind::Tuple, values, span)
    }
}
