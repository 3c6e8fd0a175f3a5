//! `ETag` of a session's data, and the precondition `If-Match`.
//!
//! `headers::IfMatch` would do, but it skips what is not an entity tag and reads on: for it
//! `*, "a"` allows a write to version `"a"`. Here a malformed list ends at the first mistake, so
//! that nothing after it is taken for a tag. What the crate would replace is [`strong`].

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::IF_MATCH;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;

use crate::crypto;

/// The number of bytes of the hash in a tag.
const BYTES: usize = 16;

/// Entity tag of a session's data: a part of the SHA-256 of its JSON text, in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ETag(String);

/// The versions that a request may overwrite: the header `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// Any version: the header is missing, or `*`.
    Any,
    /// These tags, in their quotes; weak tags are left out, because they never match.
    Listed(Vec<String>),
}

impl ETag {
    pub(super) fn of(data: &RawValue) -> Self {
        let hash = crypto::sha256(data.get().as_bytes());
        Self(["\"", &hex::encode(&hash[..BYTES]), "\""].concat())
    }

    /// The value of the header `ETag`.
    pub(super) fn into_header(self) -> HeaderValue {
        HeaderValue::try_from(self.0).expect("digits in quotes are a header's value")
    }
}

impl IfMatch {
    fn read(headers: &HeaderMap) -> Self {
        let lines: Vec<_> = headers.get_all(IF_MATCH).iter().collect();
        if lines.is_empty() || lines == ["*"] {
            return Self::Any;
        }
        let mut listed = Vec::new();
        for line in lines {
            strong(line.as_bytes(), &mut listed);
        }
        Self::Listed(listed)
    }

    /// Whether this data, if there is any, may be overwritten.
    pub(super) fn allows(&self, data: Option<&RawValue>) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => data.is_some_and(|data| tags.contains(&ETag::of(data).0)),
        }
    }
}

/// Collects the strong tags of a list (RFC 9110, sections 8.8.3 and 13.1.1). Stops at the first
/// item that is not a tag.
fn strong(mut list: &[u8], tags: &mut Vec<String>) {
    loop {
        while let [b' ' | b'\t' | b',', rest @ ..] = list {
            list = rest;
        }
        let (weak, quoted) = match list.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, list),
        };
        let Some(rest) = quoted.strip_prefix(b"\"") else {
            return;
        };
        let Some(end) = rest.iter().position(|byte| *byte == b'"') else {
            return;
        };
        if let Ok(tag) = std::str::from_utf8(&quoted[..end + 2])
            && !weak
        {
            tags.push(tag.to_owned());
        }
        list = &rest[end + 1..];
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> IfMatch {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, line.parse().unwrap());
        }
        IfMatch::read(&headers)
    }

    #[test]
    fn strong_tags_of_any_number_of_lines_are_collected() {
        let listed =
            |tags: &[&str]| IfMatch::Listed(tags.iter().map(|tag| format!("\"{tag}\"")).collect());
        assert_eq!(read(&[]), IfMatch::Any);
        assert_eq!(read(&["*"]), IfMatch::Any);
        assert_eq!(read(&[r#""a""#]), listed(&["a"]));
        assert_eq!(
            read(&[r#""a" , "b,c",,W/"d""#, r#""e""#]),
            listed(&["a", "b,c", "e"])
        );
        assert_eq!(read(&[r#"W/"a""#]), listed(&[]));
        for bad in [
            "",
            "a",
            r#""a"#,
            r#"w/"a""#,
            "*, *",
            r#"*, "a""#,
            r#"'"a"'"#,
        ] {
            assert_eq!(read(&[bad]), listed(&[]), "{bad}");
        }
    }

    #[test]
    fn data_of_another_version_is_not_to_be_overwritten() {
        let data = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let tag = ETag::of(&data("1")).into_header();
        let tag = tag.to_str().unwrap();
        let allows = |line: &str, text: &str| read(&[line]).allows(Some(&data(text)));
        assert!(allows(tag, "1") && allows("*", "2"));
        assert!(!allows(tag, "2") && !allows("", "1") && !allows(&format!("W/{tag}"), "1"));
        assert!(read(&["*"]).allows(None) && !read(&[tag]).allows(None));
    }
}
