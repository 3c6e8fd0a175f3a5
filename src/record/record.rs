//! The stored form of a session.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::meta::Meta;
use super::owner::Owner;
use crate::error::{Result, SessionError};
use crate::json::each_field;
use crate::span::span;

/// The top-level field that holds the metadata.
pub(crate) const META_FIELD: &str = "_jrs";

/// How a record begins that this library has written with metadata.
pub(crate) const META_START: &[u8] = b"{\"_jrs\":";

/// Returns whether a top-level field is not the application's: the metadata, or one of the three that the
/// npm package keeps in its session object (and writes along on `update`).
pub(crate) fn is_reserved(field: &str) -> bool {
    matches!(field, META_FIELD | "id" | "jwt" | "claims")
}

/// How many bytes and fields are allocated, so that most records need no second allocation.
const USUAL_SIZE: usize = 512;
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
pub(crate) struct Record {
    pub(crate) bytes: Bytes,
    pub(crate) meta: Meta,
    /// The number of the application's fields; duplicate names count each time.
    pub(crate) field_count: usize,
    /// Where the application's fields are in the bytes. `None` if a name is escaped, and for a
    /// record that was not parsed, or was cloned.
    spans: Option<Vec<FieldSpan>>,
}

/// Where the name and the value of a field are in the text.
struct FieldSpan {
    name: Range<usize>,
    value: Range<usize>,
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
                meta = Some(value);
            } else if !is_reserved(&name) {
                field_count += 1;
                match (&mut spans, FieldSpan::of(text, &name, value.get())) {
                    (Some(spans), Some(field)) => spans.push(field),
                    _ => spans = None,
                }
            }
        })
        .map_err(|_| SessionError::Corrupt)?;
        let meta = match meta.map(RawValue::get) {
            None => Meta::default(),
            Some(meta) => serde_json::from_str(meta).map_err(|_| SessionError::Corrupt)?,
        };
        Ok(Self {
            bytes,
            meta,
            field_count,
            spans,
        })
    }

    /// Makes a record from the metadata and the application's fields.
    pub(crate) fn assemble(meta: Meta, fields: &Fields<'_>) -> Self {
        Self {
            bytes: write(&meta, fields),
            meta,
            field_count: fields.len(),
            spans: None,
        }
    }

    /// Returns this record with a `nonce` in its metadata, so that no other record has the same
    /// bytes.
    pub(crate) fn with_nonce(&self, nonce: &str) -> Self {
        let mut meta = self.meta.clone();
        meta.nonce = Some(nonce.to_owned());
        Self {
            bytes: write(&meta, &self.fields()),
            ..self.clone()
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

    /// Returns the application's field `name`, unparsed, without allocating for the others.
    pub(crate) fn field(&self, name: &str) -> Option<&RawValue> {
        let text = self.text();
        if let Some(spans) = &self.spans {
            let is_named = |field: &&FieldSpan| text.get(field.name.clone()) == Some(name);
            let field = spans.iter().rev().find(is_named)?;
            return serde_json::from_str(text.get(field.value.clone())?).ok();
        }
        let mut found = None;
        if !is_reserved(name) {
            let keep = |other: Cow<'_, str>, value| {
                if other == name {
                    found = Some(value);
                }
            };
            each_field(text, keep).ok()?;
        }
        found
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
impl Clone for Record {
    fn clone(&self) -> Self {
        Self {
            bytes: self.bytes.clone(),
            meta: self.meta.clone(),
            field_count: self.field_count,
            spans: None,
        }
    }
}

impl FieldSpan {
    /// `None` if the name is escaped, and so not in the text.
    fn of(text: &str, name: &str, value: &str) -> Option<Self> {
        let (name, value) = (span(text, name)?, span(text, value)?);
        Some(Self { name, value })
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} bytes)", self.bytes.len())
    }
}

/// Writes a record from the metadata and the application's fields.
pub(crate) fn write(meta: &Meta, fields: &Fields<'_>) -> Bytes {
    let mut out = Vec::with_capacity(USUAL_SIZE);
    out.push(b'{');
    // Without metadata a record is what the npm package would write.
    if *meta != Meta::default() {
        write_field(&mut out, META_FIELD, meta);
    }
    for (name, value) in fields {
        write_field(&mut out, name, value);
    }
    out.push(b'}');
    out.into()
}

/// Writing JSON into memory fails only for values that are not JSON, and a raw value is.
fn write_field(out: &mut Vec<u8>, name: &str, value: &(impl Serialize + ?Sized)) {
    if out.len() > 1 {
        out.push(b',');
    }
    let _ = serde_json::to_writer(&mut *out, name);
    out.push(b':');
    let _ = serde_json::to_writer(&mut *out, value);
}

#[cfg(test)]
mod tests;
