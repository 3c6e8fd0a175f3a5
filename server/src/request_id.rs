//! Request ids.

use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

tokio::task_local! {
    // A span of `tracing` holds the id too, but an event can read a field of a span only by
    // formatting it.
    static CURRENT: RequestId;
}

/// The id of a request, which is safe to log.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

impl RequestId {
    /// The header of the id in requests and responses.
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Returns the id that the client sent if it needs no escaping in a log, or else a random one.
    /// `tower_http::request_id` accepts any id.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(&Self::HEADER) {
            Some(id) if is_loggable(id.as_bytes()) => Self(id.clone()),
            _ => {
                let random = HeaderValue::try_from(Uuid::new_v4().simple().to_string());
                Self(random.expect("hexadecimal digits are a header value"))
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Runs `future`, in which this is the current id.
    pub(crate) fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// Returns the id of the current request for a log event; empty outside of a request.
    pub(crate) fn current() -> String {
        let id = CURRENT.try_with(|id| id.as_str().to_owned());
        id.unwrap_or_default()
    }
}

fn is_loggable(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=64).contains(&id.len()) && id.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sent: &[u8]) -> String {
        let value = HeaderValue::from_bytes(sent).unwrap();
        let headers = HeaderMap::from_iter([(RequestId::HEADER, value)]);
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn an_id_that_is_safe_to_log_is_kept() {
        for safe in ["a", "A-b_c.9", &"x".repeat(64)] {
            assert_eq!(id(safe.as_bytes()), safe);
        }
        for unsafe_id in ["", "a b", "a\"b", "a\tb", "caf\u{e9}", &"x".repeat(65)] {
            assert_eq!(id(unsafe_id.as_bytes()).len(), 32, "{unsafe_id}");
        }
        assert_ne!(id(b""), id(b""));
    }
}
