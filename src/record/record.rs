//! What a store keeps of a session.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::record::owner::Owner;

/// The top-level field that holds what is ours.
pub(crate) const META_FIELD: &str = "_jrs";

/// Whether a top-level field is not the user's: ours, or one of the three that the npm package
/// keeps in its session object (and writes along on `update`).
pub(crate) fn is_reserved(field: &str) -> bool {
    matches!(field, META_FIELD | "id" | "jwt" | "claims")
}

/// How many fields a record is made room for, so that a usual one never asks for more.
const USUAL_FIELDS: usize = 14;

/// How many bytes a record is made room for.
const USUAL_SIZE: usize = 512;

/// The user's fields, unparsed, in the order in which they stand in the record.
pub(crate) type Fields<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

/// A record: a JSON object as the store holds it, checked but not parsed.
///
/// The bytes are kept as they came, because a later write compares them.
#[derive(Clone)]
pub(crate) struct Record {
    bytes: Bytes,
    meta: Meta,
}

/// What stands in a record beside the user's fields; times in Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// `None`: nobody's.
    pub(crate) owner: Option<Owner>,
    /// `None`: not told, as in records by Node.
    pub(crate) created: Option<i64>,
    /// `None`: no absolute lifetime.
    pub(crate) expires: Option<i64>,
}

/// What stands under a session's key is not a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

impl Record {
    /// Checks that `bytes` are a JSON object and reads what is ours from it.
    pub(crate) fn parse(bytes: Bytes) -> Result<Self, Corrupt> {
        let text = std::str::from_utf8(&bytes).map_err(|_| Corrupt)?;
        let Outline(meta) = serde_json::from_str(text).map_err(|_| Corrupt)?;
        let meta = meta.map_or_else(|| Ok(Meta::default()), Meta::try_from)?;
        Ok(Self { bytes, meta })
    }

    /// Makes a record from what is ours and the user's fields.
    pub(crate) fn assemble<'a>(
        meta: Meta,
        fields: impl Iterator<Item = (&'a str, &'a RawValue)>,
    ) -> Self {
        Self {
            bytes: write(&meta, fields),
            meta,
        }
    }

    /// The same, told apart from every other record by `nonce`, which is read by nobody and gone
    /// when the record is written again: who compares these bytes finds what one call has written.
    pub(crate) fn with_nonce(&self, nonce: &str) -> Self {
        let ours = RawMeta {
            nonce: Some(nonce.into()),
            ..RawMeta::from(&self.meta)
        };
        let fields = self.fields();
        let fields = fields.iter().map(|(name, value)| (&**name, *value));
        Self {
            bytes: write_raw(Some(&ours), fields),
            meta: self.meta.clone(),
        }
    }

    pub(crate) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The user's field `name`, unparsed, without building anything of the others.
    pub(crate) fn field(&self, name: &str) -> Option<&RawValue> {
        if is_reserved(name) {
            return None;
        }
        let mut deserializer = serde_json::Deserializer::from_str(self.text());
        deserializer.deserialize_map(Find { name }).ok().flatten()
    }

    /// All the user's fields, unparsed.
    pub(crate) fn fields(&self) -> Fields<'_> {
        let mut fields = parse_fields(self.text()).unwrap_or_default();
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

/// The fields of a JSON object, the reserved ones included; `None` if `text` is none.
pub(crate) fn parse_fields(text: &str) -> Option<Fields<'_>> {
    serde_json::Deserializer::from_str(text)
        .deserialize_map(Collect)
        .ok()
}

/// Writes a record from what is ours and the user's fields.
pub(crate) fn write<'a>(
    meta: &Meta,
    fields: impl Iterator<Item = (&'a str, &'a RawValue)>,
) -> Bytes {
    let ours = (*meta != Meta::default()).then(|| RawMeta::from(meta));
    write_raw(ours.as_ref(), fields)
}

fn write_raw<'a>(
    ours: Option<&RawMeta<'_>>,
    fields: impl Iterator<Item = (&'a str, &'a RawValue)>,
) -> Bytes {
    let mut out = Vec::with_capacity(USUAL_SIZE);
    out.push(b'{');
    if let Some(ours) = ours {
        write_field(&mut out, META_FIELD, ours);
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

/// `_jrs` as it is written.
#[derive(Deserialize, Serialize)]
struct RawMeta<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    owner: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    /// Not even its type is looked at.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    nonce: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Meta> for RawMeta<'a> {
    fn from(meta: &'a Meta) -> Self {
        Self {
            owner: meta
                .owner
                .as_ref()
                .map(|owner| Cow::Borrowed(owner.as_str())),
            created: meta.created,
            expires: meta.expires,
            nonce: None,
        }
    }
}

impl TryFrom<RawMeta<'_>> for Meta {
    type Error = Corrupt;

    fn try_from(raw: RawMeta<'_>) -> Result<Self, Corrupt> {
        let owner = match raw.owner {
            Some(owner) => Some(Owner::parse(&owner).ok_or(Corrupt)?),
            None => None,
        };
        Ok(Self {
            owner,
            created: raw.created,
            expires: raw.expires,
        })
    }
}

/// A field's name, borrowed from the text unless it holds an escape.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Name)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// One pass over a record: checks that it is a JSON object and takes `_jrs` out of it.
/// Of a name that stands twice the last counts, as in JavaScript.
struct Outline<'de>(Option<RawMeta<'de>>);

impl<'de> Deserialize<'de> for Outline<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OutlineVisitor).map(Outline)
    }
}

/// What is ours is an object; serde would take an array for one, too.
fn object<'de, E: serde::de::Error>(raw: &'de RawValue) -> Result<RawMeta<'de>, E> {
    if !raw.get().starts_with('{') {
        return Err(E::custom("not an object"));
    }
    serde_json::from_str(raw.get()).map_err(E::custom)
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Option<RawMeta<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut meta = None;
        while let Some(Name(name)) = map.next_key()? {
            if name == META_FIELD {
                meta = Some(object(map.next_value()?)?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(meta)
    }
}

/// One pass over a record that keeps a single field.
struct Find<'a> {
    name: &'a str,
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Name(name)) = map.next_key()? {
            if name == self.name {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// One pass over a record that keeps every field, unparsed.
struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::with_capacity(USUAL_FIELDS);
        while let Some((Name(name), value)) = map.next_entry()? {
            fields.insert(name, value);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests;
