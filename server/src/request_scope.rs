//! Which request is being answered.

use std::future::Future;

use http::HeaderValue;

tokio::task_local! {
    static ID: HeaderValue;
}

/// Runs `future` for the request `id`.
///
/// A span of `tracing` would tell as much, and take longer than the rest of what is done to see a
/// request.
pub(crate) fn scope<F: Future>(id: HeaderValue, future: F) -> impl Future<Output = F::Output> {
    ID.scope(id, future)
}

/// The id of the request that is being answered, for the log; nothing outside of one.
pub(crate) fn id() -> String {
    ID.try_with(|id| id.to_str().unwrap_or_default().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn inside_a_request_its_id_is_known() {
        assert_eq!(id(), "");
        let inside = scope(HeaderValue::from_static("a-1"), async { id() });
        assert_eq!(inside.await, "a-1");
        assert_eq!(id(), "");
    }
}
