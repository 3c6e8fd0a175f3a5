//! The id of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use http::{HeaderName, HeaderValue};

use crate::crypto;

/// The header that names a request, in both directions.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Gives requests their ids.
///
/// They differ from those of other services and other starts, but need not be unguessable: only
/// the first is drawn at random.
#[derive(Clone, Debug)]
pub(super) struct RequestIds {
    first: u128,
    count: Arc<AtomicU64>,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        let mut bits = [0; 16];
        crypto::fill_random(&mut bits);
        Self {
            first: u128::from_be_bytes(bits),
            count: Arc::default(),
        }
    }

    /// The id that the client gave the request, if it is fit for a log; else one of our own.
    pub(super) fn of(&self, request: &Request) -> HeaderValue {
        match request.headers().get(&HEADER) {
            Some(id) if is_fit(id.as_bytes()) => id.clone(),
            _ => self.fresh(),
        }
    }

    fn fresh(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:032x}", self.first.wrapping_add(count.into()));
        HeaderValue::try_from(id).expect("digits are a header's value")
    }
}

/// The id as text.
pub(super) fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

fn is_fit(id: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=64).contains(&id.len()) && id.iter().all(fits)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn answered(ids: &RequestIds, id: &[u8]) -> HeaderValue {
        let request = http::Request::builder().header(HEADER, id);
        ids.of(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_fit_id_is_kept_and_an_unfit_one_replaced() {
        let ids = RequestIds::new();
        for fit in ["a", "A-b_c.9", &"x".repeat(64)] {
            assert_eq!(text(&answered(&ids, fit.as_bytes())), fit);
        }
        for unfit in ["", "a b", "a\"b", "a\tb", "caf\u{e9}", &"x".repeat(65)] {
            assert_eq!(text(&answered(&ids, unfit.as_bytes())).len(), 32, "{unfit}");
        }
        assert_ne!(answered(&ids, b""), answered(&ids, b""));
    }
}
