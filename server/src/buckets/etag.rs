//! `ETag` of a session's data, and the precondition `If-Match`.
//!
//! `headers::IfMatch` skips what is not an entity tag and continues: it accepts `*, "a"` as the tag
//! `"a"`. Here a malformed list ends at the first error, so that nothing after it is taken for a
//! tag.
//!
//! `If-None-Match` is not supported: every read changes `expires` in the body, which the tag of the
//! data does not cover, so a 304 would be wrong.

use http::header::IF_MATCH;
use http::{HeaderMap, HeaderValue};

use crate::crypto;

/// The number of bytes of the hash in a tag.
const BYTES: usize = 16;

/// The versions that a request may overwrite: the header `If-Match`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// The header is missing, or `*`.
    Any,
    /// Tags, without their quotes.
    Listed(Vec<String>),
}

/// An entity tag with its quotes.
type Tag = [u8; 2 * BYTES + 2];

/// Returns the header `ETag` of data.
pub(super) fn header(data: &str) -> HeaderValue {
    HeaderValue::from_bytes(&of(data)).expect("digits in quotes are a header value")
}

/// Returns the entity tag of data: a part of the SHA-256 of its JSON text.
fn of(data: &str) -> Tag {
    let (mut tag, hash) = ([b'"'; 2 * BYTES + 2], crypto::sha256(data.as_bytes()));
    let digits = &mut tag[1..=2 * BYTES];
    hex::encode_to_slice(&hash[..BYTES], digits).expect("two digits for each byte");
    tag
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
        Self::Listed(lines.flat_map(|line| tags(&line)).collect())
    }

    /// Whether the data may be overwritten.
    pub(super) fn allows(&self, data: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => data.is_some_and(|data| {
                let quoted = of(data);
                let current = std::str::from_utf8(&quoted[1..=2 * BYTES]).unwrap_or_default();
                tags.iter().any(|tag| is_version(tag, current))
            }),
        }
    }
}

/// Whether `tag` is `current`, as a client receives it through a proxy that compresses: Apache and
/// others append `-gzip`, `--gzip`, `;gzip` or `-br` to it.
fn is_version(tag: &str, current: &str) -> bool {
    let suffix = tag.strip_prefix(current);
    suffix.is_some_and(|suffix| suffix.is_empty() || suffix.starts_with(['-', ';']))
}

/// Returns the tags of a list (RFC 9110, sections 8.8.3 and 13.1.1), up to the first item that is
/// not a tag.
///
/// Weak tags count, against section 13.1.1: nginx makes a tag weak if it compresses the response.
/// Here a tag is a hash of the data, so an equal one always means equal data.
fn tags(mut list: &str) -> Vec<String> {
    let mut tags = Vec::new();
    loop {
        list = list.trim_start_matches([' ', '\t', ',']);
        let weak = list.strip_prefix("W/");
        let quoted = weak.unwrap_or(list).strip_prefix('"');
        let Some((tag, rest)) = quoted.and_then(|quoted| quoted.split_once('"')) else {
            return tags;
        };
        tags.push(tag.to_owned());
        list = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_collected_up_to_the_first_error() {
        for (lines, tags) in [
            (&[][..], None),
            (&["*"], None),
            (&[r#""a""#], Some("a")),
            (&[r#""a" , "b,c",,W/"d""#, r#""é""#], Some("a|b,c|d|é")),
            (&[r#"W/"a""#], Some("a")),
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

    #[test]
    fn tags_that_proxies_changed_are_of_the_same_version() {
        for (tag, is_current) in [
            ("0a1b", true),
            ("0a1b-gzip", true),
            ("0a1b--gzip", true),
            ("0a1b;gzip", true),
            ("0a1b-br", true),
            ("0a1", false),
            ("0a1bc", false),
            ("0a1bgzip", false),
            ("-gzip", false),
            ("gzip-0a1b", false),
            ("", false),
        ] {
            assert_eq!(is_version(tag, "0a1b"), is_current, "{tag}");
        }
    }
}
