//! Reading and changing the data of a handle.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::SessionError;
use crate::record::SessionData;
use crate::session::handle::Session;

/// # Data of this handle
impl Session {
    /// Returns the field `key` as a `T`; see [`SessionData::get`].
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        self.read(|data| data.get(key))
    }

    /// Sets the field `key` in this handle; see [`SessionData::insert`].
    ///
    /// # Errors
    ///
    /// [`SessionError::ReservedField`] for a reserved name, [`SessionError::Encode`] if a value
    /// cannot be written as JSON. Nothing is changed then.
    pub fn insert(
        &self,
        key: impl Into<String>,
        value: impl Serialize,
    ) -> Result<(), SessionError> {
        self.change().data.insert(key, value)
    }

    /// Removes the field `key` in this handle and returns whether there was one.
    #[allow(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn remove(&self, key: &str) -> bool {
        // The result shows whether the field existed, so the response may depend on session data.
        drop(self.state_read());
        self.change().data.remove(key)
    }

    /// Removes every field in this handle.
    pub fn clear(&self) {
        self.change().data.clear();
    }

    /// Returns whether the field `key` exists.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.read(|data| data.contains_key(key))
    }

    /// Returns the names of all fields.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.read(SessionData::keys)
    }

    /// Returns all fields as one value, such as a struct.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the fields do not make a `T`; see [`SessionData::data`].
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        self.read(SessionData::data)
    }

    /// Sets the fields of `data` that differ from what was loaded; see [`SessionData::merge`].
    ///
    /// # Errors
    ///
    /// [`SessionError::ReservedField`] for a reserved name, [`SessionError::Encode`] if a value
    /// cannot be written as JSON. Nothing is changed then.
    pub fn merge(&self, data: impl Serialize) -> Result<(), SessionError> {
        self.change().data.merge(data)
    }

    /// Returns all fields as a JSON object; see [`SessionData::to_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.read(SessionData::to_json)
    }

    /// Returns the JSON text of the field `key`, exactly as it is stored; see
    /// [`SessionData::get_text`].
    #[must_use]
    pub fn get_text(&self, key: &str) -> Option<String> {
        self.read(|data| data.get_text(key).map(ToOwned::to_owned))
    }

    /// Returns all fields as the text of a JSON object, every value exactly as it is stored; see
    /// [`SessionData::to_text`].
    #[must_use]
    pub fn to_text(&self) -> String {
        self.read(SessionData::to_text)
    }
}
