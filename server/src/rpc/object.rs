//! Reads the members of JSON objects and arrays without building a tree.
//!
//! `serde_json::Value` would round numbers, and a map would lose the order of the fields and the
//! spelling of their values. Both are stored as the client sent them. The library reads records in
//! the same way; to share those 20 lines it would need JSON reading in its public API.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Error returned for text that is not JSON, or not of the expected kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Passes each member of a JSON object to `keep`, in order: its name and the unchanged text of its
/// value. Duplicate names: the last one should win, as in JavaScript.
///
/// # Errors
///
/// [`Malformed`] if `text` is not an object; `keep` may have been called by then.
pub(crate) fn each_member<'a>(
    text: &'a str,
    keep: impl FnMut(Cow<'a, str>, &'a RawValue),
) -> Result<(), Malformed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_map(Members(keep));
    read.and_then(|()| reader.end()).map_err(|_| Malformed)
}

/// Hands each element of a JSON array to `keep`.
///
/// # Errors
///
/// [`Malformed`] if `text` is not an array; `keep` may have been called by then.
pub(crate) fn each_element<'a>(
    text: &'a str,
    keep: impl FnMut(&'a RawValue),
) -> Result<(), Malformed> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_seq(Elements(keep));
    read.and_then(|()| reader.end()).map_err(|_| Malformed)
}

/// Checks that `text` is JSON of any kind.
///
/// # Errors
///
/// [`Malformed`] if it is not.
pub(crate) fn check(text: &str) -> Result<(), Malformed> {
    let read: Result<IgnoredAny, _> = serde_json::from_str(text);
    read.map(drop).map_err(|_| Malformed)
}

/// Returns the first character of the JSON in `text`, which determines its kind.
pub(crate) fn kind(text: &str) -> Option<u8> {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
        .bytes()
        .next()
}

/// A JSON string, or a number as the text it is written as: what a client may name something by.
pub(crate) fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    match kind(value.get())? {
        b'"' => serde_json::from_str(value.get())
            .ok()
            .map(|Text(text)| text),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(value.get())),
        _ => None,
    }
}

struct Members<F>(F);

impl<'a, F: FnMut(Cow<'a, str>, &'a RawValue)> Visitor<'a> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((Text(name), value)) = map.next_entry()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

struct Elements<F>(F);

impl<'a, F: FnMut(&'a RawValue)> Visitor<'a> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }
}

/// A string, borrowed unless it is written with escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Result<Vec<(String, String)>, Malformed> {
        let mut members = Vec::new();
        each_member(text, |name, value| {
            members.push((name.into_owned(), value.get().to_owned()));
        })?;
        Ok(members)
    }

    #[test]
    fn members_keep_their_order_and_their_letters() {
        let text = " {\"b\":1.0 ,\"\\u0061\":[1, 2],\"b\":1e400,\"\":\"\\ud800\"} ";
        let expected = [
            ("b", "1.0"),
            ("a", "[1, 2]"),
            ("b", "1e400"),
            ("", "\"\\ud800\""),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(members(text).unwrap(), expected);
    }

    #[test]
    fn only_whole_objects_have_members() {
        for bad in [
            "",
            "[]",
            "null",
            "{",
            "{}x",
            "{a:1}",
            "{\"a\":}",
            "{\"\\ud800\":1}",
        ] {
            assert_eq!(members(bad), Err(Malformed), "{bad}");
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(members(&deep).unwrap().len(), 1);
    }

    #[test]
    fn strings_and_numbers_have_a_text() {
        let text = |json: &str| {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            text(raw).map(Cow::into_owned)
        };
        assert_eq!(text(r#""a\u0000b""#).as_deref(), Some("a\0b"));
        assert_eq!(
            text(" 12345678901234567890 ").as_deref(),
            Some("12345678901234567890")
        );
        assert_eq!(text("-1.50").as_deref(), Some("-1.50"));
        for none in ["null", "true", "{}", "[1]", r#""\ud800""#] {
            assert_eq!(text(none), None, "{none}");
        }
    }
}
