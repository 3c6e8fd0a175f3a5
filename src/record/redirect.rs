//! The value that replaces a record whose session has a new id.

use bytes::Bytes;

use crate::id::SessionId;
use crate::store::REDIRECT;

/// Redirect from an old id of a session to its new one: `->`, the new id, a space, and the end in
/// Unix milliseconds.
///
/// It is not JSON, so a reader that does not support redirects finds no session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) to: SessionId,
    /// When the redirect ends, in Unix milliseconds. Bounds it if the TTL of its key is extended,
    /// as a request of the npm package that has read the record before may do.
    pub(crate) until: i64,
}

impl Redirect {
    /// Returns the redirect that `value` is, if it is one.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value.strip_prefix(REDIRECT)?).ok()?;
        let (to, until) = text.split_once(' ')?;
        // `i64::from_str` accepts a sign.
        let is_number = until.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            to: SessionId::parse(to).ok()?,
            until: until.parse().ok().filter(|_| is_number)?,
        })
    }

    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut value = REDIRECT.to_vec();
        value.extend_from_slice(format!("{} {}", self.to.as_str(), self.until).as_bytes());
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_read_as_it_was_written() {
        let to = SessionId::random();
        let until = 1_700_000_000_000;
        let redirect = Redirect { to, until };
        assert_eq!(Redirect::parse(&redirect.to_bytes()), Some(redirect));
    }

    #[test]
    fn other_values_are_no_redirect() {
        const ID: &str = "0123456789abcdef";
        for value in [
            format!("->{ID}"),
            format!("->{ID} "),
            format!("->{ID} 1 "),
            format!("->{ID}  1"),
            format!("-> {ID} 1"),
            format!("->{ID} -1"),
            format!("->{ID} +1"),
            format!("->{ID} 1.5"),
            format!("->{ID} 99999999999999999999"),
            format!(">{ID} 1"),
            "->short 1".to_owned(),
            format!("->{ID}* 1"),
            r#"{"a":1}"#.to_owned(),
            String::new(),
        ] {
            assert_eq!(Redirect::parse(value.as_bytes()), None, "{value}");
        }
        assert_eq!(Redirect::parse(b"->\xff0123456789abcdef 1"), None);
    }
}
