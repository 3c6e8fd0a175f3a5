//! The fields of a JSON object, unparsed.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::value::RawValue;

use crate::json::each_field;

/// How many fields a map is allocated for, so that most records need no second allocation.
const USUAL_FIELDS: usize = 14;

/// The fields of an object, unparsed, in the order of the text.
pub(crate) type Fields<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

/// The fields of the object `text`. Duplicate names: the last one wins, as in JavaScript.
///
/// # Errors
///
/// The text is not a JSON object.
pub(crate) fn fields(text: &str) -> serde_json::Result<Fields<'_>> {
    let mut fields = Fields::with_capacity(USUAL_FIELDS);
    each_field(text, |name, value| {
        fields.insert(name, value);
    })?;
    Ok(fields)
}
