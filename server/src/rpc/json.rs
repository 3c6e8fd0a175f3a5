//! Parsing of JSON objects that keeps the text of each value.
//!
//! Sessions are stored as the client sent them. `serde_json::Value` would round numbers and change
//! the spelling of values.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::value::RawValue;

/// The members of a JSON object, in order. Duplicate names: the last one wins, as in JavaScript.
pub(super) type Members<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

/// Parses the members of a JSON object; `None` if `json` is not an object.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    serde_json::from_str(json).ok()
}

/// Parses any JSON value; `None` if `json` is not valid JSON.
pub(super) fn parse(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

/// Returns the content of a JSON string; `None` if `value` is not a string.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(value.get()).ok().map(Cow::Owned)
}

/// Returns the content of a JSON string or the text of a JSON number: clients use both as names.
/// `None` for any other value.
pub(super) fn name(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().as_bytes()[0] {
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(value.get())),
        _ => string(value),
    }
}
