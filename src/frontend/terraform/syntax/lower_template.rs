//! From `hcl-edit`'s templates to ours: flattened, so that strip markers and heredoc indentation can look at
//! neighbours, then built up again.

use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::template as edit;

use super::ast::*;
use super::lower::Lowering;
use super::template::{Piece, Quoting, dedent, normalized, push_literal, strip};

enum Marker<'t> {
    Interpolation(&'t edit::Interpolation),
    If(&'t edit::IfTemplateExpr),
    Else,
    EndIf,
    For(&'t edit::ForTemplateExpr),
    EndFor,
}

type Pieces<'t> = std::vec::IntoIter<Piece<Marker<'t>>>;

impl Lowering<'_> {
    /// A template; text alone becomes a plain string.
    pub fn template(&self, from: &edit::Template, quoting: Quoting, flush: bool) -> ExpressionKind {
        let mut pieces = Vec::with_capacity(from.len());
        self.flatten(from, quoting, &mut pieces);
        strip(&mut pieces, quoting);
        if flush {
            dedent(&mut pieces);
        }
        let (mut template, _) = self.build(&mut pieces.into_iter());
        match template.parts.as_mut_slice() {
            [] => ExpressionKind::String("".into()),
            [TemplatePart::Literal(text, _)] => ExpressionKind::String(std::mem::take(text)),
            _ => ExpressionKind::Template(Box::new(template)),
        }
    }

    fn flatten<'t>(&self, from: &'t edit::Template, quoting: Quoting, pieces: &mut Vec<Piece<Marker<'t>>>) {
        for element in from {
            match element {
                edit::Element::Literal(_) => {
                    if let Some(range) = element.span() {
                        push_literal(pieces, self.source, range, quoting);
                    }
                }
                edit::Element::Interpolation(from) => {
                    pieces.push(marker(Marker::Interpolation(from), from.strip));
                }
                edit::Element::Directive(directive) => match directive.as_ref() {
                    edit::Directive::If(from) => {
                        pieces.push(marker(Marker::If(&from.if_expr), from.if_expr.strip));
                        self.flatten(&from.if_expr.template, quoting, pieces);
                        if let Some(otherwise) = &from.else_expr {
                            pieces.push(marker(Marker::Else, otherwise.strip));
                            self.flatten(&otherwise.template, quoting, pieces);
                        }
                        pieces.push(marker(Marker::EndIf, from.endif_expr.strip));
                    }
                    edit::Directive::For(from) => {
                        pieces.push(marker(Marker::For(&from.for_expr), from.for_expr.strip));
                        self.flatten(&from.for_expr.template, quoting, pieces);
                        pieces.push(marker(Marker::EndFor, from.endfor_expr.strip));
                    }
                },
            }
        }
    }

    /// Builds up to the end marker of the directive that the caller is in; says whether that was an `else`.
    fn build(&self, pieces: &mut Pieces<'_>) -> (Template, bool) {
        let mut template = Template::default();
        // Text that stands together becomes one literal. What stripping has emptied stays, as an empty literal: a
        // string that holds more than one interpolation alone is always a string.
        let mut literal: Option<(String, Range<usize>)> = None;
        while let Some(piece) = pieces.next() {
            let content = match piece {
                Piece::Literal { text, range } => {
                    match &mut literal {
                        Some((before, place)) => {
                            before.push_str(&text);
                            place.end = range.end;
                        }
                        None => literal = Some((text, range)),
                    }
                    continue;
                }
                Piece::Marker { content, .. } => content,
            };
            self.add_literal(&mut template, literal.take());
            template.parts.push(match content {
                Marker::Interpolation(from) => TemplatePart::Interpolation(self.expression(&from.expr)),
                Marker::If(from) => {
                    let condition = self.expression(&from.cond_expr);
                    let (then, has_else) = self.build(pieces);
                    let otherwise = if has_else { self.build(pieces).0 } else { Template::default() };
                    TemplatePart::If(Box::new(TemplateIf { condition, then, otherwise }))
                }
                Marker::For(from) => TemplatePart::For(Box::new(TemplateFor {
                    key_variable: from.key_var.as_ref().map(|name| normalized(name.as_str())),
                    value_variable: normalized(from.value_var.as_str()),
                    collection: self.expression(&from.collection_expr),
                    body: self.build(pieces).0,
                })),
                Marker::Else => return (template, true),
                Marker::EndIf | Marker::EndFor => return (template, false),
            });
        }
        self.add_literal(&mut template, literal);
        (template, false)
    }

    fn add_literal(&self, template: &mut Template, literal: Option<(String, Range<usize>)>) {
        if let Some((text, range)) = literal {
            template.parts.push(TemplatePart::Literal(normalized(&text), self.place(range)));
        }
    }
}

fn marker(content: Marker<'_>, strip: edit::Strip) -> Piece<Marker<'_>> {
    Piece::Marker { content, strip_before: strip.strip_start(), strip_after: strip.strip_end() }
}
