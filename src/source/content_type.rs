//! How the body of a request is encoded.
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
    [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ]
    .contains(method)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn format_of(method: &str, headers: &[(&str, &str)]) -> Option<BodyFormat> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        BodyFormat::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn r18_content_type_table() {
        for (content_type, expected) in [
            ("application/json", Some(BodyFormat::Json)),
            ("Application/JSON", Some(BodyFormat::Json)),
            ("application/json; charset=utf-8", Some(BodyFormat::Json)),
            ("application/json ;x", Some(BodyFormat::Json)),
            ("application/x-www-form-urlencoded", Some(BodyFormat::Form)),
            (
                "application/x-www-form-urlencoded;charset=UTF-8",
                Some(BodyFormat::Form),
            ),
            ("application/json5", None),
            ("application/problem+json", None),
            ("application/vnd.api+json", None),
            ("text/json", None),
            ("text/plain; application/json", None),
            ("application/json, text/plain", None),
            ("multipart/form-data; boundary=x", None),
            ("application/grpc", None),
            ("", None),
        ] {
            let found = format_of("POST", &[("content-type", content_type)]);
            assert_eq!(found, expected, "{content_type}");
        }
        assert_eq!(format_of("POST", &[]), None);
    }

    #[test]
    fn r18_method_table() {
        let json = [("content-type", "application/json")];
        for method in ["GET", "HEAD", "OPTIONS", "CONNECT", "TRACE"] {
            assert_eq!(format_of(method, &json), None, "{method}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "QUERY"] {
            assert_eq!(format_of(method, &json), Some(BodyFormat::Json), "{method}");
        }
    }

    #[test]
    fn r18_r21_bodies_that_are_left_alone() {
        for other in [
            ("upgrade", "websocket"),
            ("content-encoding", "gzip"),
            ("content-type", "application/json"),
        ] {
            let headers = [("content-type", "application/json"), other];
            assert_eq!(format_of("POST", &headers), None, "{other:?}");
        }
    }
}
