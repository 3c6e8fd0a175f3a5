//! Encodings of request bodies.
//!
//! Parsed by hand, in eight lines: two media types matter, their parameters do not. The crate
//! `mime` rejects `application/json ;charset=utf-8` and parameters without a value, which servers
//! and clients send.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method};

/// Encoding of a body that may hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFormat {
    Json,
    Form,
}

impl BodyFormat {
    /// Returns how the body of this request is encoded; `None` if it cannot hold a token.
    ///
    /// The body of a method that gives it no meaning is ignored (RFC 6750 section 2.2), and so is
    /// what follows an upgrade. A compressed body cannot be searched.
    pub(super) fn of(request: &Parts) -> Option<Self> {
        let headers = &request.headers;
        if has_no_body(&request.method)
            || headers.contains_key(UPGRADE)
            || headers.contains_key(CONTENT_ENCODING)
        {
            return None;
        }
        Self::declared(headers)
    }

    /// Returns the media type; a second `Content-Type` line makes it unknown.
    fn declared(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(CONTENT_TYPE).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return None;
        };
        let essence = line.as_bytes().split(|&byte| byte == b';').next()?;
        match essence.trim_ascii() {
            text if text.eq_ignore_ascii_case(b"application/json") => Some(Self::Json),
            text if text.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") => {
                Some(Self::Form)
            }
            _ => None,
        }
    }
}

fn has_no_body(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::CONNECT | Method::TRACE
    )
}
