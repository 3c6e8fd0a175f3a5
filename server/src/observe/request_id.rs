//! Request ids.
//!
//! `tower_http::request_id` keeps whatever id the client sends and is two more services around
//! every route. An id goes to the log, so here one is accepted only if it needs no escaping.

use axum::extract::Request;
use http::{HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that carries the id, in requests and responses.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Returns the id that the client sent if it is safe to log, or else a new one.
pub(super) fn of(request: &Request) -> HeaderValue {
    match request.headers().get(&HEADER) {
        Some(id) if is_loggable(id.as_bytes()) => id.clone(),
        _ => random(),
    }
}

/// Returns the id as text.
pub(super) fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

fn random() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let id = Uuid::new_v4().simple().encode_lower(&mut buffer);
    HeaderValue::from_str(id).expect("hexadecimal digits are a header value")
}

fn is_loggable(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=64).contains(&id.len()) && id.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn answered(id: &[u8]) -> HeaderValue {
        let request = http::Request::builder().header(HEADER, id);
        of(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_fit_id_is_kept_and_an_unfit_one_replaced() {
        for fit in ["a", "A-b_c.9", &"x".repeat(64)] {
            assert_eq!(text(&answered(fit.as_bytes())), fit);
        }
        for unfit in ["", "a b", "a\"b", "a\tb", "caf\u{e9}", &"x".repeat(65)] {
            assert_eq!(text(&answered(unfit.as_bytes())).len(), 32, "{unfit}");
        }
        assert_ne!(answered(b""), answered(b""));
    }
}
