//! Edits to a text.

use crate::source::Span;

/// The text with ranges replaced. Ranges are in order and do not overlap; what does not fit the text is left out.
pub fn apply<'e>(text: &str, edits: impl IntoIterator<Item = (Span, &'e str)>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in edits {
        let (start, end) = (span.start as usize, span.end as usize);
        let Some(kept) = text.get(at..start).filter(|_| start <= end) else { continue };
        if text.get(start..end).is_none() {
            continue;
        }
        result.push_str(kept);
        result.push_str(new);
        at = end;
    }
    result.push_str(text.get(at..).unwrap_or(""));
    result
}
