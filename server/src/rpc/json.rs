//! JSON objects whose values keep their text.
//!
//! `serde_json::Value` would round numbers and change the spelling of values. Sessions are stored
//! as the client sent them.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::value::RawValue;

/// The members of a JSON object, in order. Duplicate names: the last one wins, as in JavaScript.
pub(super) type Members<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

/// Parses the members of a JSON object; `None` if `json` is not an object.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    serde_json::from_str(json).ok()
}

/// Parses JSON of any kind.
pub(super) fn parse(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

/// Returns the value of a JSON string.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(value.get()).ok().map(Cow::Owned)
}

/// Returns the value of a JSON string, or the text of a number. Clients may use both as names.
pub(super) fn name(value: &RawValue) -> Option<Cow<'_, str>> {
    match value.get().as_bytes()[0] {
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(value.get())),
        _ => string(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_order_and_text() {
        let json = r#" {"b":1.0 ,"\u0061":[1, 2],"b":1e400,"":"\ud800"} "#;
        let found = members(json).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (&**name, value.get()))
            .collect();
        let expected = [("b", "1e400"), ("a", "[1, 2]"), ("", r#""\ud800""#)];
        assert_eq!(found, expected);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(members(&deep).unwrap().len(), 1);
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
            assert!(members(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn strings_and_numbers_are_names() {
        for (json, expected) in [
            (r#""a\u0000b""#, Some("a\0b")),
            (" 12345678901234567890 ", Some("12345678901234567890")),
            ("-1.50", Some("-1.50")),
            ("null", None),
            ("true", None),
            ("{}", None),
            ("[1]", None),
            (r#""\ud800""#, None),
        ] {
            assert_eq!(name(parse(json).unwrap()).as_deref(), expected, "{json}");
        }
    }
}
