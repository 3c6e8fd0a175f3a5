//! `ETag` of a session's data, and the precondition `If-Match`.
//!
//! `headers::IfMatch` skips what is not an entity tag and continues: it accepts `*, "a"` as the tag
//! `"a"`. Here a malformed list ends at the first error, so that nothing after it is taken for a
//! tag.

use http::header::IF_MATCH;
use http::{HeaderMap, HeaderValue};
use serde_json::value::RawValue;

use crate::crypto;

/// The number of bytes of the hash in a tag.
const BYTES: usize = 16;

/// Entity tag of a session's data: a part of the SHA-256 of its JSON text, in quotes.
pub(super) struct ETag(String);

/// The versions that a request may overwrite: the header `If-Match`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// The header is missing, or `*`.
    Any,
    /// Strong tags, with their quotes.
    Listed(Vec<String>),
}

impl ETag {
    pub(super) fn of(data: &RawValue) -> Self {
        let hash = crypto::sha256(data.get().as_bytes());
        Self(["\"", &hex::encode(&hash[..BYTES]), "\""].concat())
    }

    pub(super) fn into_header(self) -> HeaderValue {
        HeaderValue::try_from(self.0).expect("digits in quotes are a valid header value")
    }
}

impl IfMatch {
    pub(super) fn read(headers: &HeaderMap) -> Self {
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

    /// Whether the data may be overwritten.
    pub(super) fn allows(&self, data: Option<&RawValue>) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => data.is_some_and(|data| tags.contains(&ETag::of(data).0)),
        }
    }
}

/// Collects the strong tags of a list (RFC 9110, sections 8.8.3 and 13.1.1), up to the first item
/// that is not a tag.
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
        // `If-Match` needs a strong comparison, so a weak tag never matches.
        if let Ok(tag) = std::str::from_utf8(&quoted[..end + 2])
            && !weak
        {
            tags.push(tag.to_owned());
        }
        list = &rest[end + 1..];
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
    fn strong_tags_are_collected_up_to_the_first_error() {
        assert_eq!(read(&[]), IfMatch::Any);
        assert_eq!(read(&["*"]), IfMatch::Any);
        for (lines, tags) in [
            (&[r#""a""#][..], &[r#""a""#][..]),
            (
                &[r#""a" , "b,c",,W/"d""#, r#""e""#],
                &[r#""a""#, r#""b,c""#, r#""e""#],
            ),
            (&[r#"W/"a""#], &[]),
            (&[""], &[]),
            (&["a"], &[]),
            (&[r#""a"#], &[]),
            (&[r#"w/"a""#], &[]),
            (&["*, *"], &[]),
            (&[r#"*, "a""#], &[]),
            (&[r#"'"a"'"#], &[]),
        ] {
            let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
            assert_eq!(read(lines), IfMatch::Listed(tags), "{lines:?}");
        }
    }
}
