//! The data of a session as one request sees it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::SessionError;
use crate::record::{self, Meta, Record, is_reserved};

/// The data of a session: what was loaded, with the changes made since.
///
/// Values stay unparsed JSON until one is asked for. `Debug` prints no data.
#[derive(Clone, Default)]
pub struct SessionData {
    record: Option<Record>,
    changes: Changes,
}

/// What was set and removed since the data was loaded or last stored.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    fields: BTreeMap<String, Change>,
    /// Counts changes, so that a commit forgets only what it has written.
    count: u64,
}

#[derive(Clone)]
struct Change {
    /// `None`: removed.
    value: Option<Arc<RawValue>>,
    number: u64,
}

impl SessionData {
    pub(crate) fn new(record: Option<Record>, changes: Changes) -> Self {
        Self { record, changes }
    }

    /// Reads the field `key`, or `None` if there is no such field.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        self.get_raw(key)
            .map(|value| serde_json::from_str(value.get()).map_err(|_| SessionError::decode(key)))
            .transpose()
    }

    /// Reads the field `key` as the JSON that it is stored as, or `None` if there is no such field:
    /// for who passes it on as it is.
    #[must_use]
    pub fn get_raw(&self, key: &str) -> Option<&RawValue> {
        match self.changes.fields.get(key) {
            Some(change) => change.value.as_deref(),
            None => self.record.as_ref()?.field(key),
        }
    }

    /// Sets the field `key`.
    ///
    /// # Errors
    ///
    /// [`SessionError::ReservedField`] for `_jrs`, `id`, `jwt` and `claims`;
    /// [`SessionError::Encode`] if `value` cannot be written as JSON.
    pub fn insert(
        &mut self,
        key: impl Into<String>,
        value: impl Serialize,
    ) -> Result<(), SessionError> {
        let key = key.into();
        if is_reserved(&key) {
            return Err(SessionError::ReservedField(key));
        }
        let value = to_raw_value(&value).map_err(|_| SessionError::encode(&key))?;
        self.changes.set(key, Some(value.into()));
        Ok(())
    }

    /// Removes the field `key` and tells whether there was one. When the session is stored the
    /// field goes even if another request has set it meanwhile.
    pub fn remove(&mut self, key: &str) -> bool {
        let present = self.contains_key(key);
        self.changes.set(key.to_owned(), None);
        present
    }

    /// Removes every field.
    pub fn clear(&mut self) {
        for key in self.keys() {
            self.remove(&key);
        }
    }

    /// Whether there is a field `key`.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get_raw(key).is_some()
    }

    /// The names of all fields.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.with_fields(|fields| fields.map(|(name, _)| name.to_owned()).collect())
    }

    /// Reads all fields as one value, for example a struct of your own.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the fields do not make a `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        serde_json::from_slice(&self.write(&Meta::default())).map_err(|_| SessionError::decode(""))
    }

    /// Sets every field of `data`, which must serialise to a JSON object; other fields stay.
    ///
    /// # Errors
    ///
    /// As [`SessionData::insert`]; [`SessionError::Encode`] if `data` is not an object. Nothing
    /// is changed then.
    pub fn merge(&mut self, data: impl Serialize) -> Result<(), SessionError> {
        let text = serde_json::to_string(&data).map_err(|_| SessionError::encode(""))?;
        let fields = record::parse_fields(&text).ok_or_else(|| SessionError::encode(""))?;
        if let Some(name) = fields.keys().find(|name| is_reserved(name)) {
            return Err(SessionError::ReservedField(name.to_string()));
        }
        for (name, value) in &fields {
            self.changes
                .set(name.to_string(), Some((*value).to_owned().into()));
        }
        Ok(())
    }

    /// All fields as a JSON object. A number that `serde_json` cannot hold exactly is rounded,
    /// and a value that it cannot hold at all (a lone surrogate, `1e400`) is `null`;
    /// [`SessionData::to_raw_json`] keeps both to the letter.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.with_fields(|fields| {
            let parse = |value: &RawValue| serde_json::from_str(value.get()).unwrap_or_default();
            Value::Object(
                fields
                    .map(|(name, value)| (name.to_owned(), parse(value)))
                    .collect(),
            )
        })
    }

    /// All fields as JSON text, every value to the letter as it was stored.
    #[must_use]
    pub fn to_raw_json(&self) -> Box<RawValue> {
        let bytes = self.write(&Meta::default());
        String::from_utf8(bytes.into())
            .ok()
            .and_then(|text| RawValue::from_string(text).ok())
            .unwrap_or_default()
    }

    /// The record that this data makes together with `meta`.
    pub(crate) fn to_record(&self, meta: Meta) -> Record {
        self.with_fields(|fields| Record::assemble(meta, fields))
    }

    fn write(&self, meta: &Meta) -> Bytes {
        self.with_fields(|fields| record::write(meta, fields))
    }

    pub(crate) const fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    pub(crate) const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Takes over what is stored now and forgets the changes it already holds.
    pub(crate) fn stored(&mut self, record: Record, written: &Changes) {
        self.record = Some(record);
        self.changes
            .fields
            .retain(|_, change| change.number > written.count);
    }

    /// The fields as they are now: loaded ones in their order, then new ones.
    fn with_fields<R>(
        &self,
        f: impl for<'a> FnOnce(&mut dyn Iterator<Item = (&'a str, &'a RawValue)>) -> R,
    ) -> R {
        let stored = self.record.as_ref().map(Record::fields).unwrap_or_default();
        let kept =
            stored
                .iter()
                .filter_map(|(name, value)| match self.changes.fields.get(&**name) {
                    Some(change) => Some((&**name, change.value.as_deref()?)),
                    None => Some((&**name, *value)),
                });
        let new = self.changes.fields.iter().filter_map(|(name, change)| {
            let value = change.value.as_deref()?;
            (!stored.contains_key(&**name)).then_some((name.as_str(), value))
        });
        f(&mut kept.chain(new))
    }
}

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionData")
            .field("record", &self.record)
            .field("changes", &self.changes.fields.len())
            .finish()
    }
}

impl Changes {
    fn set(&mut self, key: String, value: Option<Arc<RawValue>>) {
        self.count += 1;
        self.fields.insert(
            key,
            Change {
                value,
                number: self.count,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn data(text: &'static str) -> SessionData {
        let record = Record::parse(Bytes::from_static(text.as_bytes())).unwrap();
        SessionData::new(Some(record), Changes::default())
    }

    #[test]
    fn changes_lie_over_what_was_loaded() {
        let mut data = data(r#"{"a":1,"b":[],"c":3}"#);
        data.insert("a", 2).unwrap();
        assert!(data.remove("b"));
        assert!(!data.remove("b"));
        data.insert("new", "x").unwrap();
        assert_eq!(data.get::<u8>("a").unwrap(), Some(2));
        assert_eq!(data.get::<u8>("b").unwrap(), None);
        let raw = |key| data.get_raw(key).map(RawValue::get);
        assert_eq!([raw("a"), raw("b"), raw("c")], [Some("2"), None, Some("3")]);
        assert_eq!(data.keys(), ["a", "c", "new"]);
        assert_eq!(data.write(&Meta::default()), r#"{"a":2,"c":3,"new":"x"}"#);
        assert_eq!(data.to_json(), json!({"a": 2, "c": 3, "new": "x"}));
        data.clear();
        assert_eq!(data.to_raw_json().get(), "{}");
    }

    #[test]
    fn reserved_fields_are_refused_and_nothing_is_changed() {
        for name in ["_jrs", "id", "jwt", "claims"] {
            let mut data = data("{}");
            assert!(matches!(
                data.insert(name, 1),
                Err(SessionError::ReservedField(_))
            ));
            assert!(matches!(
                data.merge(json!({"a": 1, name: 2})),
                Err(SessionError::ReservedField(_))
            ));
            assert!(data.keys().is_empty());
        }
        assert!(matches!(
            data("{}").merge(5),
            Err(SessionError::Encode { .. })
        ));
    }

    #[test]
    fn javascript_prototype_names_are_plain_keys() {
        let mut data = data(r#"{"__proto__":{"x":1}}"#);
        data.insert("constructor", 1).unwrap();
        assert_eq!(
            data.to_raw_json().get(),
            r#"{"__proto__":{"x":1},"constructor":1}"#
        );
    }

    #[test]
    fn a_commit_forgets_only_what_it_has_written() {
        let mut data = data("{}");
        data.insert("a", 1).unwrap();
        let written = data.changes().clone();
        data.insert("a", 2).unwrap();
        data.insert("b", 3).unwrap();
        let record = Record::parse(Bytes::from_static(br#"{"a":1}"#)).unwrap();
        data.stored(record, &written);
        assert_eq!(data.to_json(), json!({"a": 2, "b": 3}));
    }

    #[test]
    fn errors_and_debug_do_not_show_data() {
        let data = data(r#"{"secret":"hunter2"}"#);
        let error = data.get::<u8>("secret").unwrap_err();
        for text in [
            format!("{error}"),
            format!("{error:?}"),
            format!("{data:?}"),
        ] {
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
