//! Reading JSON objects without parsing the values of their fields.
//!
//! Read by a visitor: a map whose keys are `Cow<str>`, as serde reads it, copies every name, which
//! is one allocation for each of up to 1,000 fields whenever a record is read.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// JSON string, borrowed unless it holds an escape.
#[derive(Deserialize, Serialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Calls `each` for every field of the object `text`, in the order of the text.
///
/// # Errors
///
/// The text is not a JSON object.
pub(crate) fn each_field<'a>(
    text: &'a str,
    each: impl FnMut(Cow<'a, str>, &'a RawValue),
) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(EachField(each))?;
    deserializer.end()
}

struct EachField<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for EachField<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(name), value)) = map.next_entry()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}
