//! The bodies that may hold a token.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method};

/// How a body that may hold a token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Form,
}

impl Media {
    /// How the body of this request is written, if a token may stand in it.
    ///
    /// None may in the body of a method that gives it no meaning (RFC 6750 section 2.2), nor in
    /// what follows an upgrade. A compressed body is left alone: what it holds cannot be read here.
    pub(super) fn of(request: &Parts) -> Option<Self> {
        let headers = &request.headers;
        if without_body(&request.method)
            || headers.contains_key(UPGRADE)
            || headers.contains_key(CONTENT_ENCODING)
        {
            return None;
        }
        Self::declared(headers)
    }

    /// The media type, whose parameters do not matter; a second `Content-Type` makes it unknown.
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

fn without_body(method: &Method) -> bool {
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

    fn media(method: &str, headers: &[(&str, &str)]) -> Option<Media> {
        let mut request = Request::builder().method(method);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Media::of(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn r18_content_type_table() {
        for (content_type, expected) in [
            ("application/json", Some(Media::Json)),
            ("Application/JSON", Some(Media::Json)),
            ("application/json; charset=utf-8", Some(Media::Json)),
            ("application/json ;x", Some(Media::Json)),
            ("application/x-www-form-urlencoded", Some(Media::Form)),
            (
                "application/x-www-form-urlencoded;charset=UTF-8",
                Some(Media::Form),
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
            let found = media("POST", &[("content-type", content_type)]);
            assert_eq!(found, expected, "{content_type}");
        }
        assert_eq!(media("POST", &[]), None);
    }

    #[test]
    fn r18_method_table() {
        let json = [("content-type", "application/json")];
        for method in ["GET", "HEAD", "OPTIONS", "CONNECT", "TRACE"] {
            assert_eq!(media(method, &json), None, "{method}");
        }
        for method in ["POST", "PUT", "PATCH", "DELETE", "QUERY"] {
            assert_eq!(media(method, &json), Some(Media::Json), "{method}");
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
            assert_eq!(media("POST", &headers), None, "{other:?}");
        }
    }
}
