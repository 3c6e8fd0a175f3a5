//! The stored form of a session.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Result, SessionError};
use crate::json::each_field;
use crate::record::json::{self, Fields};
use crate::record::owner::Owner;

/// The top-level field that holds the metadata.
pub(crate) const META_FIELD: &str = "_jrs";

/// Returns whether a top-level field is not the application's: the metadata, or one of the three that the
/// npm package keeps in its session object (and writes along on `update`).
pub(crate) fn is_reserved(field: &str) -> bool {
    matches!(field, META_FIELD | "id" | "jwt" | "claims")
}

/// How many bytes a record is allocated for, so that most need no second allocation.
const USUAL_SIZE: usize = 512;

/// A record: a JSON object as the store holds it, checked but not parsed.
///
/// The bytes are kept as they came, because a later write compares them.
#[derive(Clone)]
pub(crate) struct Record {
    bytes: Bytes,
    meta: Meta,
    /// The number of the application's fields; duplicate names count each time.
    field_count: usize,
}

/// The metadata of a record, as it is written; times in Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Meta {
    /// `None`: the session has no owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<Owner>,
    /// `None`: unknown, as in records by Node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<i64>,
    /// `None`: no absolute lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<i64>,
}

impl Record {
    /// Checks that `bytes` are a JSON object and reads the metadata.
    ///
    /// # Errors
    ///
    /// [`SessionError::Corrupt`].
    pub(crate) fn parse(bytes: Bytes) -> Result<Self> {
        let text = std::str::from_utf8(&bytes).map_err(|_| SessionError::Corrupt)?;
        let (mut meta, mut field_count) = (None, 0);
        // One pass that allocates nothing: every request reads a record.
        each_field(text, |name, value| {
            if name == META_FIELD {
                meta = Some(value);
            } else {
                field_count += usize::from(!is_reserved(&name));
            }
        })
        .map_err(|_| SessionError::Corrupt)?;
        let meta = match meta.map(RawValue::get) {
            None => Meta::default(),
            // Serde would accept an array for a struct.
            Some(meta) if !meta.starts_with('{') => return Err(SessionError::Corrupt),
            Some(meta) => serde_json::from_str(meta).map_err(|_| SessionError::Corrupt)?,
        };
        Ok(Self {
            bytes,
            meta,
            field_count,
        })
    }

    /// Makes a record from the metadata and the application's fields.
    pub(crate) fn assemble<'a>(
        meta: Meta,
        fields: impl Iterator<Item = (&'a str, &'a RawValue)>,
    ) -> Self {
        let mut field_count = 0;
        let counted = fields.inspect(|_| field_count += 1);
        let bytes = write(&meta, counted);
        Self {
            bytes,
            meta,
            field_count,
        }
    }

    /// Returns this record with a `nonce` in its metadata, so that no other record has the same bytes.
    /// Readers ignore it, and the next write drops it.
    pub(crate) fn with_nonce(&self, nonce: &str) -> Self {
        let meta = MetaWithNonce {
            meta: &self.meta,
            nonce,
        };
        let fields = self.fields();
        let fields = fields.iter().map(|(name, value)| (&**name, *value));
        Self {
            bytes: write_with(Some(&meta), fields),
            ..self.clone()
        }
    }

    pub(crate) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) const fn meta(&self) -> &Meta {
        &self.meta
    }

    pub(crate) const fn owner(&self) -> Option<&Owner> {
        self.meta.owner.as_ref()
    }

    pub(crate) const fn field_count(&self) -> usize {
        self.field_count
    }

    /// Returns the application's field `name`, unparsed, without allocating for the others.
    pub(crate) fn field(&self, name: &str) -> Option<&RawValue> {
        let mut found = None;
        if !is_reserved(name) {
            let keep = |other: Cow<'_, str>, value| {
                if other == name {
                    found = Some(value);
                }
            };
            each_field(self.text(), keep).ok()?;
        }
        found
    }

    /// Returns all the application's fields, unparsed.
    pub(crate) fn fields(&self) -> Fields<'_> {
        let mut fields = json::fields(self.text()).unwrap_or_default();
        fields.retain(|name, _| !is_reserved(name));
        fields
    }

    /// The bytes were checked when the record was parsed.
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or("{}")
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} bytes)", self.bytes.len())
    }
}

/// Writes a record from the metadata and the application's fields.
pub(crate) fn write<'a>(
    meta: &Meta,
    fields: impl Iterator<Item = (&'a str, &'a RawValue)>,
) -> Bytes {
    // Without metadata a record is what the npm package would write.
    write_with((*meta != Meta::default()).then_some(meta), fields)
}

fn write_with<'a>(
    meta: Option<&impl Serialize>,
    fields: impl Iterator<Item = (&'a str, &'a RawValue)>,
) -> Bytes {
    let mut out = Vec::with_capacity(USUAL_SIZE);
    out.push(b'{');
    if let Some(meta) = meta {
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

#[derive(Serialize)]
struct MetaWithNonce<'a> {
    #[serde(flatten)]
    meta: &'a Meta,
    nonce: &'a str,
}

#[cfg(test)]
mod tests;
