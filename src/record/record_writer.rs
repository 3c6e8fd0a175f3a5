//! Writes the text of a record.

use std::ops::Range;

use bytes::Bytes;
use serde::Serialize;

use super::field_span::FieldSpan;
use super::meta::Meta;

/// The top-level field that holds the metadata.
pub(super) const META_FIELD: &str = "_jrs";

/// How many bytes and fields are allocated, so that most records need no second allocation.
const USUAL_SIZE: usize = 512;
const USUAL_FIELDS: usize = 8;

/// Writes a record, and notes where its fields are.
pub(super) struct RecordWriter {
    text: Vec<u8>,
    /// `None` after an escaped name.
    spans: Option<Vec<FieldSpan>>,
    field_count: usize,
}

impl RecordWriter {
    pub(super) fn new(meta: &Meta) -> Self {
        let mut writer = Self {
            text: Vec::with_capacity(USUAL_SIZE),
            spans: Some(Vec::with_capacity(USUAL_FIELDS)),
            field_count: 0,
        };
        writer.text.push(b'{');
        // Without metadata a record is what the npm package would write.
        if *meta != Meta::default() {
            writer.json(META_FIELD);
            writer.text.push(b':');
            writer.json(meta);
        }
        writer
    }

    /// Adds a field whose name does not occur yet, and whose value is JSON.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        self.separate();
        let start = self.text.len() + 1;
        self.json(name);
        let end = self.text.len() - 1;
        if end - start != name.len() {
            self.spans = None;
        }
        self.value(start..end, value);
    }

    /// As [`field`](Self::field), with a name that needs no escaping.
    pub(super) fn plain_field(&mut self, name: &str, value: &str) {
        self.separate();
        self.text.push(b'"');
        let start = self.text.len();
        self.text.extend_from_slice(name.as_bytes());
        let end = self.text.len();
        self.text.push(b'"');
        self.value(start..end, value);
    }

    fn separate(&mut self) {
        if self.text.len() > 1 {
            self.text.push(b',');
        }
    }

    /// Adds the value of a field whose name is at `name`.
    fn value(&mut self, name: Range<usize>, value: &str) {
        self.text.push(b':');
        let start = self.text.len();
        self.text.extend_from_slice(value.as_bytes());
        self.field_count += 1;
        let value = start..self.text.len();
        if let Some(spans) = &mut self.spans {
            spans.push(FieldSpan { name, value });
        }
    }

    /// Returns the text, where its fields are, and their number.
    pub(super) fn end(mut self) -> (Bytes, Option<Vec<FieldSpan>>, usize) {
        self.text.push(b'}');
        (self.text.into(), self.spans, self.field_count)
    }

    /// Writing JSON into memory fails only for values that are not JSON.
    fn json(&mut self, value: &(impl Serialize + ?Sized)) {
        let _ = serde_json::to_writer(&mut self.text, value);
    }
}
