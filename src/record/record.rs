//! The stored form of a session.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::changes::Changes;
use super::field_span::{FieldSpan, have_unique_names};
use super::meta::Meta;
use super::owner::Owner;
use super::record_writer::{META_FIELD, RecordWriter};
use crate::error::{Result, SessionError};
use crate::json::each_field;
use crate::span::span;

/// How a record begins that this library has written with metadata.
pub(crate) const META_START: &[u8] = b"{\"_jrs\":";

/// Returns whether a top-level field is not the application's: the metadata, or one of the three that the
/// npm package keeps in its session object (and writes along on `update`).
pub(crate) fn is_reserved(field: &str) -> bool {
    matches!(field, META_FIELD | "id" | "jwt" | "claims")
}

/// How many fields are allocated, so that most records need no second allocation.
const USUAL_FIELDS: usize = 14;
const USUAL_SPANS: usize = 8;

/// The fields of an object, unparsed, in the order of the text.
pub(crate) type Fields<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

/// The fields of the object `text`. Duplicate names: the last one wins, as in JavaScript.
pub(crate) fn fields(text: &str) -> serde_json::Result<Fields<'_>> {
    let mut fields = Fields::with_capacity(USUAL_FIELDS);
    each_field(text, |name, value| {
        fields.insert(name, value);
    })?;
    Ok(fields)
}

/// A record: a JSON object as the store holds it, checked but not parsed.
///
/// The bytes are kept as they came, because a later write compares them.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) bytes: Bytes,
    pub(crate) meta: Meta,
    /// The number of the application's fields; duplicate names count each time.
    pub(crate) field_count: usize,
    /// Where the application's fields are in the bytes. `None` if a name is escaped or occurs twice.
    spans: Option<Arc<Vec<FieldSpan>>>,
}

impl Record {
    /// Checks that `bytes` are a JSON object and reads the metadata.
    pub(crate) fn parse(bytes: Bytes) -> Result<Self> {
        let text = std::str::from_utf8(&bytes).map_err(|_| SessionError::Corrupt)?;
        let (mut meta, mut field_count) = (None, 0);
        let mut spans = Some(Vec::with_capacity(USUAL_SPANS));
        // One pass for all fields that are read later: every request reads a record.
        each_field(text, |name, value| {
            if name == META_FIELD {
                meta = Some(value.get());
            } else if !is_reserved(&name) {
                field_count += 1;
                match (&mut spans, FieldSpan::of(text, &name, value.get())) {
                    (Some(spans), Some(field)) => spans.push(field),
                    _ => spans = None,
                }
            }
        })
        .map_err(|_| SessionError::Corrupt)?;
        let meta = match meta {
            None => Meta::default(),
            Some(meta) => Meta::parse(meta).map_err(|_| SessionError::Corrupt)?,
        };
        let spans = spans.filter(|spans| have_unique_names(&bytes, spans));
        Ok(Self {
            bytes,
            meta,
            field_count,
            spans: spans.map(Arc::new),
        })
    }

    /// Makes a record from the metadata and the application's fields.
    pub(crate) fn assemble(meta: Meta, fields: &Fields<'_>) -> Self {
        let mut writer = RecordWriter::new(&meta);
        for (name, value) in fields {
            writer.field(name, value.get());
        }
        Self::written(writer, meta)
    }

    fn written(writer: RecordWriter, meta: Meta) -> Self {
        let (bytes, spans, field_count) = writer.end();
        Self {
            bytes,
            meta,
            field_count,
            spans: spans.map(Arc::new),
        }
    }

    /// Makes a record with other metadata and with the fields of this one after `changes`. `None` if
    /// the fields must be parsed for it.
    pub(crate) fn with_changes(&self, meta: Meta, changes: &Changes) -> Option<Self> {
        let (text, spans) = (self.text(), self.spans.as_ref()?);
        let mut writer = RecordWriter::new(&meta);
        for span in &**spans {
            let (name, value) = (text.get(span.name.clone())?, text.get(span.value.clone())?);
            match changes.get(name) {
                None => writer.plain_field(name, value),
                Some(Some(changed)) => writer.plain_field(name, changed.get()),
                Some(None) => {}
            }
        }
        let is_new = |name: &str| {
            let mut names = spans.iter().map(|span| span.name(&self.bytes));
            names.all(|other| other != Some(name.as_bytes()))
        };
        for (name, value) in changes.set_fields() {
            if is_new(&name) {
                writer.field(&name, value.get());
            }
        }
        Some(Self::written(writer, meta))
    }

    /// Returns this record with a `nonce` in its metadata, so that no other record has the same
    /// bytes.
    pub(crate) fn with_nonce(&self, nonce: &str) -> Self {
        let mut meta = self.meta.clone();
        meta.nonce = Some(nonce.to_owned());
        Self {
            meta: self.meta.clone(),
            ..Self::assemble(meta, &self.fields())
        }
    }

    /// Returns the beginning of the text, up to the end of the metadata. Every write of this library
    /// that changes the metadata changes it.
    ///
    /// Without metadata it is as long as the beginning of a record that has some.
    pub(crate) fn meta_prefix(&self) -> &[u8] {
        let length = match self.bytes.strip_prefix(META_START) {
            Some(rest) => {
                let mut meta = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
                let _ = meta.next();
                META_START.len() + meta.byte_offset()
            }
            None => META_START.len(),
        };
        &self.bytes[..length.min(self.bytes.len())]
    }

    pub(crate) const fn owner(&self) -> Option<&Owner> {
        self.meta.owner.as_ref()
    }

    /// Returns the JSON text of the application's field `name`, without allocating for the others.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        if let Some(spans) = &self.spans {
            let is_named = |field: &&FieldSpan| field.name(&self.bytes) == Some(name.as_bytes());
            let field = spans.iter().find(is_named)?;
            return std::str::from_utf8(self.bytes.get(field.value.clone())?).ok();
        }
        let mut found = None;
        if !is_reserved(name) {
            let keep = |other: Cow<'_, str>, value: &RawValue| {
                if other == name {
                    found = span(self.text(), value.get());
                }
            };
            each_field(self.text(), keep).ok()?;
        }
        self.text().get(found?)
    }

    /// Returns all the application's fields, unparsed.
    pub(crate) fn fields(&self) -> Fields<'_> {
        let mut fields = fields(self.text()).unwrap_or_default();
        fields.retain(|name, _| !is_reserved(name));
        fields
    }

    /// The bytes were checked when the record was parsed.
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or("{}")
    }
}

/// Without the spans: clones are made for writes, which read all fields anyway.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests;
