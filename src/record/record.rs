//! The stored form of a session.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::{Result, SessionError};
use crate::json::{Text, each_field};

/// The top-level field that holds the metadata.
pub(crate) const META_FIELD: &str = "_jrs";

/// Returns whether a top-level field is not the application's: the metadata, or one of the three that the
/// npm package keeps in its session object (and writes along on `update`).
pub(crate) fn is_reserved(field: &str) -> bool {
    matches!(field, META_FIELD | "id" | "jwt" | "claims")
}

/// How many bytes and fields are allocated, so that most records need no second allocation.
const USUAL_SIZE: usize = 512;
const USUAL_FIELDS: usize = 14;

/// The longest owner, in bytes of UTF-8.
const MAX_OWNER_LEN: usize = 512;

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
    /// Makes the bytes unique. Readers ignore it, and the next write drops it.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
}

/// A checked owner: 1 to 512 bytes of UTF-8, compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
// Shared, so that a copied record copies no text.
pub(crate) struct Owner(Arc<str>);

impl Owner {
    /// Accepts `owner` if it is neither empty nor too long.
    pub(crate) fn parse(owner: &str) -> Result<Self> {
        let fits = (1..=MAX_OWNER_LEN).contains(&owner.len());
        fits.then(|| Self(owner.into()))
            .ok_or(SessionError::InvalidOwner)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Owner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(owner) = Text::deserialize(deserializer)?;
        Self::parse(&owner).map_err(D::Error::custom)
    }
}

impl Record {
    /// Checks that `bytes` are a JSON object and reads the metadata.
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
    pub(crate) fn assemble(meta: Meta, fields: &Fields<'_>) -> Self {
        Self {
            bytes: write(&meta, fields),
            meta,
            field_count: fields.len(),
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

    pub(crate) const fn owner(&self) -> Option<&Owner> {
        self.meta.owner.as_ref()
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
        let mut fields = fields(self.text()).unwrap_or_default();
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
