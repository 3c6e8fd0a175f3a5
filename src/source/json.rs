//! Tokens in JSON objects.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::value::{self, Sole};
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// The token that stands at the top level of `document` under `name`.
///
/// A document that is no object holds no token. One that is no JSON at all is
/// [`TokenRejection::BodyMalformed`], wherever in it the fault lies.
pub(super) fn find(document: &[u8], name: &str) -> Result<Option<Token>, TokenRejection> {
    let mut json = serde_json::Deserializer::from_slice(document);
    let sole = if document.trim_ascii_start().first() == Some(&b'{') {
        json.deserialize_map(Fields { name })
    } else {
        IgnoredAny::deserialize(&mut json).map(|_| Sole::new())
    };
    let sole = sole.and_then(|sole| json.end().map(|()| sole));
    match sole.map_err(|_| TokenRejection::BodyMalformed)?.take()? {
        Some(value) => token(value),
        None => Ok(None),
    }
}

fn token(value: &RawValue) -> Result<Option<Token>, TokenRejection> {
    let raw = value.get();
    // An escape takes at most six bytes for one character.
    if raw.len() > 6 * Token::MAX_LEN + 2 {
        return Err(TokenRejection::TooLong);
    }
    match serde_json::from_str::<Text<'_>>(raw) {
        Ok(Text(text)) => value::token(text.as_bytes()),
        Err(_) => Err(TokenRejection::Malformed),
    }
}

/// A string that is only copied if it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads the fields called `name` and skips all others, whatever their depth.
struct Fields<'a> {
    name: &'a str,
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Sole<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut sole = Sole::new();
        while let Some(ours) = map.next_key_seed(IsName(self.name))? {
            if ours {
                let value: &RawValue = map.next_value()?;
                sole.push(value, value.get() != "\"\"");
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(sole)
    }
}

/// Compares a key with a name, without copying it.
struct IsName<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    fn found(document: &[u8]) -> Result<Option<String>, TokenRejection> {
        find(document, "accessToken").map(|token| token.map(Token::into_string))
    }

    #[test]
    fn r15_r18_json_table() {
        let table: &[(&str, Result<Option<&str>, TokenRejection>)] = &[
            (r#"{}"#, Ok(None)),
            (r#"{"a":1}"#, Ok(None)),
            (r#"{"accessToken":"T"}"#, Ok(Some("T"))),
            (
                r#" { "a" : [{}] , "accessToken" : "T" , "b" : {} } "#,
                Ok(Some("T")),
            ),
            (r#"{"access\u0054oken":"\u0054"}"#, Ok(Some("T"))),
            (r#"{"accessToken":"a\/b"}"#, Ok(Some("a/b"))),
            (r#"{"accessToken":""}"#, Ok(None)),
            (r#"{"accesstoken":"T"}"#, Ok(None)),
            (r#"{"a":{"accessToken":"T"}}"#, Ok(None)),
            (r#"{"a":"{\"accessToken\":\"T\"}"}"#, Ok(None)),
            (r#"[]"#, Ok(None)),
            (r#"["accessToken","T"]"#, Ok(None)),
            (r#"[{"accessToken":"T"}]"#, Ok(None)),
            (r#"5"#, Ok(None)),
            (r#"null"#, Ok(None)),
            (r#""accessToken""#, Ok(None)),
            (r#"{"accessToken":"a b"}"#, Err(TokenRejection::Malformed)),
            (r#"{"accessToken":"é"}"#, Err(TokenRejection::Malformed)),
            (
                r#"{"accessToken":"\u0000"}"#,
                Err(TokenRejection::Malformed),
            ),
            (
                r#"{"accessToken":"\ud800"}"#,
                Err(TokenRejection::Malformed),
            ),
            (r#"{"accessToken":5}"#, Err(TokenRejection::Malformed)),
            (r#"{"accessToken":null}"#, Err(TokenRejection::Malformed)),
            (r#"{"accessToken":true}"#, Err(TokenRejection::Malformed)),
            (r#"{"accessToken":["T"]}"#, Err(TokenRejection::Malformed)),
            (
                r#"{"accessToken":{"a":"T"}}"#,
                Err(TokenRejection::Malformed),
            ),
            (
                r#"{"accessToken":"a","accessToken":"b"}"#,
                Err(TokenRejection::Ambiguous),
            ),
            (
                r#"{"accessToken":"a","access\u0054oken":"a"}"#,
                Err(TokenRejection::Ambiguous),
            ),
            (
                r#"{"accessToken":"","accessToken":"b"}"#,
                Err(TokenRejection::Ambiguous),
            ),
            (
                r#"{"accessToken":null,"accessToken":"b"}"#,
                Err(TokenRejection::Ambiguous),
            ),
            (r#"{"accessToken":"","accessToken":""}"#, Ok(None)),
            (r#" "#, Err(TokenRejection::BodyMalformed)),
            (r#"hello"#, Err(TokenRejection::BodyMalformed)),
            (r#"{"accessToken":"T""#, Err(TokenRejection::BodyMalformed)),
            (
                r#"{"accessToken":"T"}x"#,
                Err(TokenRejection::BodyMalformed),
            ),
            (
                r#"{"accessToken":"T"}{}"#,
                Err(TokenRejection::BodyMalformed),
            ),
            (
                r#"{"accessToken":"T",}"#,
                Err(TokenRejection::BodyMalformed),
            ),
            (r#"{accessToken:"T"}"#, Err(TokenRejection::BodyMalformed)),
            (r#"accessToken=T"#, Err(TokenRejection::BodyMalformed)),
        ];
        for (document, expected) in table {
            let expected = expected.map(|t| t.map(String::from));
            assert_eq!(found(document.as_bytes()), expected, "{document}");
        }
    }

    #[test]
    fn r18_bytes_that_are_no_text_are_malformed() {
        assert_eq!(found(b"\xff"), Err(TokenRejection::BodyMalformed));
        assert_eq!(found(b"\xef\xbb\xbf{}"), Err(TokenRejection::BodyMalformed));
        assert!(found(b"{\"accessToken\":\"\xff\"}").is_err());
    }

    #[test]
    fn r18_deep_nesting_neither_overflows_nor_takes_long() {
        let deep = 60_000;
        let open = "[".repeat(deep);
        let close = "]".repeat(deep);
        let objects = r#"{"a":"#.repeat(12_000);
        let table = [
            (open.clone(), Err(TokenRejection::BodyMalformed)),
            (format!("{open}{close}"), Ok(None)),
            (
                format!(r#"{{"a":{open}"#),
                Err(TokenRejection::BodyMalformed),
            ),
            (
                format!(r#"{{"a":{open}{close},"accessToken":"T"}}"#),
                Ok(Some("T".into())),
            ),
            (
                format!(r#"{{"accessToken":{open}{close}}}"#),
                Err(TokenRejection::TooLong),
            ),
            (objects, Err(TokenRejection::BodyMalformed)),
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
            assert_eq!(found(document.as_bytes()), Err(TokenRejection::TooLong));
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
