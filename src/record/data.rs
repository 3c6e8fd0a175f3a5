//! Fields of a session and the changes that are not stored yet.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{JsonErrorKind, SessionError};
use crate::record::equality::is_same;
use crate::record::{self, Changes, Fields, Meta, Record, encode, is_reserved};

/// Data of a session: the fields that were loaded, with the changes made since.
///
/// Values stay JSON text until they are read. `Debug` prints no data.
///
/// ```
/// use jwt_redis_session::SessionData;
/// use serde_json::json;
///
/// let mut data = SessionData::default();
/// data.insert("theme", "dark")?;
/// data.merge(json!({ "visits": 1, "cart": ["apple"] }))?;
///
/// assert_eq!(data.get("visits")?, Some(1));
/// assert_eq!(data.get_text("cart"), Some(r#"["apple"]"#));
/// assert!(data.remove("cart"));
/// assert_eq!(data.to_json(), json!({ "theme": "dark", "visits": 1 }));
/// # Ok::<(), jwt_redis_session::SessionError>(())
/// ```
#[derive(Clone)]
pub struct SessionData {
    pub(crate) record: Option<Record>,
    // Shared with the operation that is storing them. Copied only if the handle changes a field
    // in the meantime.
    pub(crate) changes: Arc<Changes>,
}

impl Default for SessionData {
    fn default() -> Self {
        Self::new(None, Changes::none())
    }
}

impl From<Record> for SessionData {
    fn from(record: Record) -> Self {
        Self::new(Some(record), Changes::none())
    }
}

impl SessionData {
    pub(crate) fn new(record: Option<Record>, changes: Arc<Changes>) -> Self {
        Self { record, changes }
    }

    /// Returns the field `key` as a `T`, or `None` if there is no such field.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        let Some(value) = self.get_text(key) else {
            return Ok(None);
        };
        serde_json::from_str(value)
            .map(Some)
            .map_err(|error| SessionError::decode(Some(key.to_owned()), error))
    }

    /// Returns the JSON text of the field `key`, exactly as it is stored, or `None` if there is no
    /// such field.
    #[must_use]
    pub fn get_text(&self, key: &str) -> Option<&str> {
        match self.changes.get(key) {
            Some(change) => change.map(RawValue::get),
            None => self.record.as_ref()?.field(key),
        }
    }

    /// Sets the field `key`.
    ///
    /// # Errors
    ///
    /// [`SessionError::ReservedField`] for `_jrs`, `id`, `jwt` and `claims`;
    /// [`SessionError::Encode`] if `value` cannot be written as JSON, such as NaN.
    pub fn insert(
        &mut self,
        key: impl Into<String>,
        value: impl Serialize,
    ) -> Result<(), SessionError> {
        let key = key.into();
        if is_reserved(&key) {
            return Err(SessionError::ReservedField(key));
        }
        let value = encode::to_raw(&value)
            .map_err(|error| SessionError::encode(Some(key.clone()), error))?;
        self.changes_mut().set(key, Some(value));
        Ok(())
    }

    /// Removes the field `key` and returns whether it existed.
    ///
    /// When the session is stored, the field is removed even if another request has set it since
    /// it was loaded.
    pub fn remove(&mut self, key: &str) -> bool {
        let present = self.contains_key(key);
        self.changes_mut().set(key.to_owned(), None);
        present
    }

    /// Removes every field.
    pub fn clear(&mut self) {
        for key in self.keys() {
            self.remove(&key);
        }
    }

    /// Returns whether the field `key` exists.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.get_text(key).is_some()
    }

    /// Returns the names of all fields.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.fields().into_keys().map(Cow::into_owned).collect()
    }

    /// Returns all fields as one value, for example a struct.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the fields do not form a `T`. The error names the field of the
    /// wrong type. It names none if the data as a whole does not fit, for example because a field
    /// is missing.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        // The text of the record would miss changes that are not stored yet.
        let text = self.text();
        serde_json::from_slice(&text).map_err(|error| {
            let field = failing_field::<T>(&text);
            SessionError::decode(field, error)
        })
    }

    /// Sets the fields of `data`, which must serialize to a JSON object. Other fields keep their
    /// values.
    ///
    /// Only a field whose value differs from the loaded one counts as changed and is written. So a
    /// struct can be read, modified and merged without undoing what another request has written to
    /// its other fields in the meantime.
    ///
    /// A field that did not exist when the session was loaded always counts as changed, even if
    /// the struct only holds its default. For structs with `Option` or `#[serde(default)]`, read,
    /// modify and merge inside [`update_with`](crate::Session::update_with).
    ///
    /// # Errors
    ///
    /// As [`SessionData::insert`], and [`SessionError::Encode`] if `data` is not an object. No
    /// field is changed if an error is returned.
    pub fn merge(&mut self, data: impl Serialize) -> Result<(), SessionError> {
        let encode = |error| SessionError::encode(None, error);
        let object = encode::to_raw(&data).map_err(encode)?;
        let not_an_object = |_| encode(JsonErrorKind::NotAnObject.into());
        let fields = record::fields(object.get()).map_err(not_an_object)?;
        if let Some(name) = fields.keys().find(|name| is_reserved(name)) {
            return Err(SessionError::ReservedField(name.to_string()));
        }
        let record = self.record.clone();
        let loaded = record.as_ref().map(Record::fields).unwrap_or_default();
        for (name, value) in &fields {
            self.merge_field(name, value, loaded.get(name).copied());
        }
        Ok(())
    }

    fn merge_field(&mut self, name: &str, value: &RawValue, loaded: Option<&RawValue>) {
        let current = self.changes.get(name).unwrap_or(loaded);
        if current.is_some_and(|current| is_same(current, value)) {
            return;
        }
        // The field is back at its loaded value. Withdraw the change instead of writing that value,
        // which another request may have replaced since.
        let is_back = loaded.is_some_and(|loaded| is_same(loaded, value));
        if !(is_back && self.changes_mut().withdraw(name)) {
            self.changes_mut()
                .set(name.to_owned(), Some(value.to_owned()));
        }
    }

    /// Returns all fields as a JSON object.
    ///
    /// A number that `serde_json` cannot hold exactly is rounded, and a value that it cannot hold
    /// at all (a lone surrogate, `1e400`) is `null`; [`to_text`](Self::to_text) returns both
    /// unchanged.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parse = |value: &RawValue| serde_json::from_str(value.get()).unwrap_or_default();
        let fields = self.fields().into_iter();
        let fields = fields.map(|(name, value)| (name.into_owned(), parse(value)));
        Value::Object(fields.collect())
    }

    /// Returns all fields as the text of a JSON object, every value exactly as it is stored.
    ///
    /// Nothing is parsed. For an answer, send the text with the content type `application/json`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let text = String::from_utf8(self.text().into());
        text.unwrap_or_else(|_| "{}".to_owned())
    }

    /// Returns the record of this data and `meta`.
    pub(crate) fn to_record(&self, meta: Meta) -> Record {
        let with_changes = |record: &Record| record.with_changes(meta.clone(), &self.changes);
        let copied = self.record.as_ref().and_then(with_changes);
        copied.unwrap_or_else(|| Record::assemble(meta, &self.fields()))
    }

    fn text(&self) -> Bytes {
        self.to_record(Meta::default()).bytes
    }

    /// Returns a lower bound of the number of fields, without reading them.
    pub(crate) fn min_field_count(&self) -> usize {
        let loaded = self.record.as_ref().map_or(0, |record| record.field_count);
        loaded.saturating_sub(self.changes.len())
    }

    /// Replaces the loaded data by `record`, which holds the changes `stored`.
    pub(crate) fn committed(&mut self, record: Record, stored: &Changes) {
        self.record = Some(record);
        Changes::forget(&mut self.changes, stored);
    }

    fn changes_mut(&mut self) -> &mut Changes {
        Arc::make_mut(&mut self.changes)
    }

    /// Returns the current fields: first the loaded ones in their order, then the new ones.
    fn fields(&self) -> Fields<'_> {
        let mut fields = self.record.as_ref().map(Record::fields).unwrap_or_default();
        fields.retain(|name, _| !matches!(self.changes.get(name), Some(None)));
        fields.extend(self.changes.set_fields());
        fields
    }
}

impl fmt::Debug for SessionData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = self.changes.len();
        write!(f, "SessionData({:?}, {changes} changes)", self.record)
    }
}

/// Returns the top-level field at which reading `text` as a `T` fails.
///
/// Reads `text` a second time, so that only failures pay for tracking the path.
fn failing_field<T: DeserializeOwned>(text: &[u8]) -> Option<String> {
    let deserializer = &mut serde_json::Deserializer::from_slice(text);
    let error = serde_path_to_error::deserialize::<_, T>(deserializer).err()?;
    match error.path().iter().next()? {
        serde_path_to_error::Segment::Map { key } => Some(key.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn data(text: &'static str) -> SessionData {
        Record::parse(Bytes::from_static(text.as_bytes()))
            .unwrap()
            .into()
    }

    #[test]
    fn changes_replace_what_was_loaded() {
        let mut data = data(r#"{"a":1,"b":[],"c":3,"__proto__":{"x":1}}"#);
        data.insert("a", 2).unwrap();
        assert!(data.remove("b"));
        assert!(!data.remove("b"));
        data.insert("new", "x").unwrap();
        assert_eq!(data.get::<u8>("a").unwrap(), Some(2));
        assert_eq!(data.get::<u8>("b").unwrap(), None);
        assert_eq!(data.get_text("c"), Some("3"));
        assert_eq!(data.keys(), ["a", "c", "__proto__", "new"]);
        let text = r#"{"a":2,"c":3,"__proto__":{"x":1},"new":"x"}"#;
        assert_eq!(data.to_text(), text);
        assert_eq!(data.to_json().to_string().len(), text.len());
        data.clear();
        assert_eq!(data.to_text(), "{}");
    }

    #[test]
    fn merge_changes_only_what_differs_from_the_loaded_value() {
        let mut data = data(r#"{"a":1.0,"b":{"x":[1],"y":2},"c":"\u00e9"}"#);
        let loaded = json!({"a": 1, "b": {"y": 2, "x": [1]}, "c": "é"});
        data.merge(&loaded).unwrap();
        assert_eq!(data.changes.len(), 0);
        data.merge(json!({"a": 2, "new": null})).unwrap();
        assert_eq!(data.changes.len(), 2);
        data.merge(&loaded).unwrap();
        assert_eq!((data.changes.len(), data.get("a")), (1, Ok(Some(1.0))));
        data.remove("c");
        data.merge(&loaded).unwrap();
        assert!(data.contains_key("c"));
    }

    #[test]
    fn a_commit_forgets_only_what_it_has_stored() {
        for change in [json!({"a": 1}), json!({"a": 3, "b": 3})] {
            let mut data = data(r#"{"a":1}"#);
            data.insert("a", 2).unwrap();
            let stored = Changes::take(&mut data.changes);
            // `a` goes back to 1: the change that is being stored is overwritten, not withdrawn.
            data.merge(&change).unwrap();
            let record = Record::parse(Bytes::from_static(br#"{"a":2}"#)).unwrap();
            data.committed(record, &stored);
            assert_eq!(data.to_json(), change);
        }
    }
}
