//! `ETag` of a session's data, and the precondition `If-Match`.
//!
//! `headers::IfMatch` skips what is not an entity tag and continues: it accepts `*, "a"` as the tag
//! `"a"`. Here a malformed list ends at the first error, so that nothing after it is taken for a
//! tag.

use http::HeaderMap;
use http::header::IF_MATCH;
use serde_json::value::RawValue;

use crate::crypto;

/// The number of bytes of the hash in a tag.
const BYTES: usize = 16;

/// The versions that a request may overwrite: the header `If-Match`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// The header is missing, or `*`.
    Any,
    /// Strong tags, without their quotes.
    Listed(Vec<String>),
}

/// Returns the entity tag of data without its quotes: a part of the SHA-256 of its JSON text.
pub(super) fn of(data: &RawValue) -> String {
    hex::encode(&crypto::sha256(data.get().as_bytes())[..BYTES])
}

impl IfMatch {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let lines: Vec<_> = headers.get_all(IF_MATCH).iter().collect();
        if lines.is_empty() || lines == ["*"] {
            return Self::Any;
        }
        let lines = lines
            .iter()
            .map(|line| String::from_utf8_lossy(line.as_bytes()));
        Self::Listed(lines.flat_map(|line| strong(&line)).collect())
    }

    /// Whether the data may be overwritten.
    pub(super) fn allows(&self, data: Option<&RawValue>) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => data.is_some_and(|data| tags.contains(&of(data))),
        }
    }
}

/// Returns the strong tags of a list (RFC 9110, sections 8.8.3 and 13.1.1), up to the first item
/// that is not a tag.
fn strong(mut list: &str) -> Vec<String> {
    let mut tags = Vec::new();
    loop {
        list = list.trim_start_matches([' ', '\t', ',']);
        let weak = list.strip_prefix("W/");
        let quoted = weak.unwrap_or(list).strip_prefix('"');
        let Some((tag, rest)) = quoted.and_then(|quoted| quoted.split_once('"')) else {
            return tags;
        };
        // `If-Match` needs a strong comparison, so a weak tag never matches.
        if weak.is_none() {
            tags.push(tag.to_owned());
        }
        list = rest;
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn strong_tags_are_collected_up_to_the_first_error() {
        for (lines, tags) in [
            (&[][..], None),
            (&["*"], None),
            (&[r#""a""#], Some("a")),
            (&[r#""a" , "b,c",,W/"d""#, r#""é""#], Some("a|b,c|é")),
            (&[r#"W/"a""#], Some("")),
            (&[""], Some("")),
            (&["a"], Some("")),
            (&[r#""a"#], Some("")),
            (&[r#"w/"a""#], Some("")),
            (&["*, *"], Some("")),
            (&[r#"*, "a""#], Some("")),
            (&[r#"'"a"'"#], Some("")),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                let line = HeaderValue::from_bytes(line.as_bytes());
                headers.append(IF_MATCH, line.unwrap());
            }
            let listed = match IfMatch::read(&headers) {
                IfMatch::Any => None,
                IfMatch::Listed(tags) => Some(tags.join("|")),
            };
            assert_eq!(listed.as_deref(), tags, "{lines:?}");
        }
    }
}
