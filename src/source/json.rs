//! Tokens in JSON objects.
//!
//! Read by a visitor, since the name of the field is known only at run time. `serde_json::Value`
//! takes two allocations or more for each member of a body of up to 64 KiB, and keeps the last of
//! two tokens silently. Here members that are not the token take none.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::token_lookup::{TokenLookup, at_most_one, token_text};
use crate::token::Token;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Finds the token under `name` at the top level of `document`.
///
/// A document that is no object holds no token. The whole document is checked, so the outer
/// error does not depend on where in it the syntax error is.
pub(super) fn find<'a>(document: &'a [u8], name: &str) -> Result<TokenLookup<'a>, UnsearchedBody> {
    let mut json = serde_json::Deserializer::from_slice(document);
    let values = if document.trim_ascii_start().first() == Some(&b'{') {
        json.deserialize_map(ValuesOf(name))
    } else {
        IgnoredAny::deserialize(&mut json).map(|_| Vec::new())
    };
    let values = values
        .and_then(|values| json.end().map(|()| values))
        .map_err(|_| UnsearchedBody::Malformed)?;
    Ok(token_in(values))
}

fn token_in(values: Vec<&RawValue>) -> TokenLookup<'_> {
    let Some(value) = at_most_one(values, |value| value.get() == "\"\"")? else {
        return Ok(None);
    };
    let raw = value.get();
    // An escape takes at most six bytes for one character.
    if raw.len() > 6 * Token::MAX_LEN + 2 {
        return Err(TokenRejection::TooLong);
    }
    let Text(text) = serde_json::from_str(raw).map_err(|_| TokenRejection::Malformed)?;
    token_text(text.as_bytes())?;
    Ok(Some(text))
}

/// A string that is only copied if it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Visitor that collects the values of the members with this name.
struct ValuesOf<'a>(&'a str);

impl<'de> Visitor<'de> for ValuesOf<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut values = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            if name == self.0 {
                values.push(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    /// The outer error is that of a document that is no JSON.
    type Found = Result<Result<Option<String>, TokenRejection>, UnsearchedBody>;

    fn found(document: &[u8]) -> Found {
        let found = find(document, "accessToken")?;
        Ok(found.map(|text| text.map(Cow::into_owned)))
    }

    /// `None` for a document that is no JSON.
    type Expected = Option<Result<Option<&'static str>, TokenRejection>>;

    const TABLE: &[(&str, Expected)] = &[
        (r#"{}"#, Some(Ok(None))),
        (r#"{"a":1}"#, Some(Ok(None))),
        (r#"{"accessToken":"T"}"#, Some(Ok(Some("T")))),
        (
            r#" { "a" : [{}] , "accessToken" : "T" , "b" : {} } "#,
            Some(Ok(Some("T"))),
        ),
        (r#"{"access\u0054oken":"\u0054"}"#, Some(Ok(Some("T")))),
        (r#"{"accessToken":"a\/b"}"#, Some(Ok(Some("a/b")))),
        (r#"{"accessToken":""}"#, Some(Ok(None))),
        (r#"{"accesstoken":"T"}"#, Some(Ok(None))),
        (r#"{"a":{"accessToken":"T"}}"#, Some(Ok(None))),
        (r#"{"a":"{\"accessToken\":\"T\"}"}"#, Some(Ok(None))),
        (r#"[]"#, Some(Ok(None))),
        (r#"["accessToken","T"]"#, Some(Ok(None))),
        (r#"[{"accessToken":"T"}]"#, Some(Ok(None))),
        (r#"5"#, Some(Ok(None))),
        (r#"null"#, Some(Ok(None))),
        (r#""accessToken""#, Some(Ok(None))),
        (
            r#"{"accessToken":"a b"}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (
            r#"{"accessToken":"é"}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (
            r#"{"accessToken":"\u0000"}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (
            r#"{"accessToken":"\ud800"}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (r#"{"accessToken":5}"#, Some(Err(TokenRejection::Malformed))),
        (
            r#"{"accessToken":null}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (
            r#"{"accessToken":true}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (
            r#"{"accessToken":["T"]}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (
            r#"{"accessToken":{"a":"T"}}"#,
            Some(Err(TokenRejection::Malformed)),
        ),
        (
            r#"{"accessToken":"a","accessToken":"b"}"#,
            Some(Err(TokenRejection::Ambiguous)),
        ),
        (
            r#"{"accessToken":"a","access\u0054oken":"a"}"#,
            Some(Err(TokenRejection::Ambiguous)),
        ),
        (
            r#"{"accessToken":"","accessToken":"b"}"#,
            Some(Err(TokenRejection::Ambiguous)),
        ),
        (
            r#"{"accessToken":null,"accessToken":"b"}"#,
            Some(Err(TokenRejection::Ambiguous)),
        ),
        (r#"{"accessToken":"","accessToken":""}"#, Some(Ok(None))),
        (r#" "#, None),
        (r#"hello"#, None),
        (r#"{"accessToken":"T""#, None),
        (r#"{"accessToken":"T"}x"#, None),
        (r#"{"accessToken":"T"}{}"#, None),
        (r#"{"accessToken":"T",}"#, None),
        (r#"{accessToken:"T"}"#, None),
        (r#"accessToken=T"#, None),
    ];

    #[test]
    fn r15_r18_json_table() {
        for (document, expected) in TABLE {
            let expected = expected
                .map(|expected| expected.map(|text| text.map(String::from)))
                .ok_or(UnsearchedBody::Malformed);
            assert_eq!(found(document.as_bytes()), expected, "{document}");
        }
    }

    #[test]
    fn r18_bytes_that_are_no_text_are_malformed() {
        for document in [
            &b"\xff"[..],
            b"\xef\xbb\xbf{}",
            b"{\"accessToken\":\"\xff\"}",
        ] {
            assert_eq!(found(document), Err(UnsearchedBody::Malformed));
        }
    }

    #[test]
    fn r18_deep_nesting_neither_overflows_nor_takes_long() {
        let deep = 60_000;
        let open = "[".repeat(deep);
        let close = "]".repeat(deep);
        let objects = r#"{"a":"#.repeat(12_000);
        let table = [
            (open.clone(), Err(UnsearchedBody::Malformed)),
            (format!("{open}{close}"), Ok(Ok(None))),
            (format!(r#"{{"a":{open}"#), Err(UnsearchedBody::Malformed)),
            (
                format!(r#"{{"a":{open}{close},"accessToken":"T"}}"#),
                Ok(Ok(Some("T".into()))),
            ),
            (
                format!(r#"{{"accessToken":{open}{close}}}"#),
                Ok(Err(TokenRejection::TooLong)),
            ),
            (objects, Err(UnsearchedBody::Malformed)),
        ];
        for (document, expected) in table {
            let start = Instant::now();
            // A worker thread of tokio has 2 MiB; a quarter of it is plenty.
            let thread = std::thread::Builder::new().stack_size(512 * 1024);
            let outcome = thread.spawn(move || found(document.as_bytes())).unwrap();
            assert_eq!(outcome.join().unwrap(), expected);
            assert!(start.elapsed() < Duration::from_secs(1));
        }
    }

    #[test]
    fn r08_a_long_value_is_refused() {
        for length in [Token::MAX_LEN + 1, 7 * Token::MAX_LEN] {
            let document = format!(r#"{{"accessToken":"{}"}}"#, "a".repeat(length));
            assert_eq!(found(document.as_bytes()), Ok(Err(TokenRejection::TooLong)));
        }
    }

    proptest! {
        #[test]
        fn r18_json_finding_never_panics(document: Vec<u8>, name: String) {
            let _ = find(&document, &name);
        }

        #[test]
        fn r18_json_finding_never_panics_on_what_looks_like_json(
            document in r#"[\[\]{}:,"a0\\u \-.eE]{0,40}"#,
        ) {
            let _ = find(document.as_bytes(), "a");
        }
    }
}
