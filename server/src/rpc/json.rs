//! JSON that keeps the text of each value.
//!
//! Sessions are stored as the client sent them. `serde_json::Value` would round numbers and change
//! the spelling of values.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::ApiError;

/// The members of a JSON object, in order. Duplicate names: the last one wins, as in JavaScript.
pub(super) type Members<'a> = IndexMap<String, &'a RawValue>;

/// Parses the members of a JSON object; `None` if `json` is not an object.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    serde_json::from_str(json).ok()
}

/// Returns the elements of a JSON array; `None` if `json` is not an array.
pub(super) fn elements(json: &str) -> Option<Vec<&RawValue>> {
    // An error of `serde_json` takes as long as a short array.
    let is_array = json.trim_ascii_start().starts_with('[');
    is_array.then(|| serde_json::from_str(json).ok()).flatten()
}

/// Returns the content of a JSON string or the text of a JSON number: clients use both as names.
/// `None` for any other value.
pub(super) fn name(value: &RawValue) -> Option<String> {
    match value.get().as_bytes()[0] {
        b'-' | b'0'..=b'9' => Some(value.get().to_owned()),
        _ => serde_json::from_str(value.get()).ok(),
    }
}

/// Writes the result of a method as JSON.
/// Errors: 500.
pub(super) fn write(result: &impl Serialize) -> Result<String, ApiError> {
    // The error of serde_json may contain data of the session.
    serde_json::to_string(result).map_err(|_| ApiError::internal(&"a result is not JSON"))
}
