//! Positions of parts of a text.

use std::ops::Range;

/// Returns where `part` is in `text`; `None` if it was copied out of it.
///
/// By address instead of by a search, which costs more.
pub(crate) fn span(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    let span = start..start.wrapping_add(part.len());
    let found = text.get(span.clone())?;
    std::ptr::eq(found, part).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_part_of_the_text_itself_has_a_span() {
        let all = "before{\"a\":1}after".to_owned();
        let text = &all[6..13];
        for range in [0..0, 0..7, 2..3, 7..7] {
            assert_eq!(span(text, &text[range.clone()]), Some(range));
        }
        for other in [&all[..6], &all[5..8], &all[12..], &all, "a"] {
            assert_eq!(span(text, other), None, "{other}");
        }
    }
}
