//! Where the fields of a record are in its text.

use std::ops::Range;

use crate::span::span;

/// The largest number of fields whose names are compared with each other.
const MAX_COMPARED: usize = 32;

/// Where the name, without its quotes, and the value of a field are in the text.
pub(super) struct FieldSpan {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

impl FieldSpan {
    /// Returns where `name` and `value` are in `text`; `None` for an escaped name.
    pub(super) fn of(text: &str, name: &str, value: &str) -> Option<Self> {
        let (name, value) = (span(text, name)?, span(text, value)?);
        Some(Self { name, value })
    }

    pub(super) fn name<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        text.get(self.name.clone())
    }
}

/// Returns whether no name occurs twice; false if there are too many to compare.
pub(super) fn have_unique_names(text: &[u8], spans: &[FieldSpan]) -> bool {
    let is_first = |(index, span): (usize, &FieldSpan)| {
        let name = span.name(text);
        spans[..index].iter().all(|other| other.name(text) != name)
    };
    spans.len() <= MAX_COMPARED && spans.iter().enumerate().all(is_first)
}
