//! The id of the current request, as a task-local.

use std::future::Future;

use http::HeaderValue;

tokio::task_local! {
    static ID: HeaderValue;
}

/// Runs `future` for the request `id`.
///
/// A span of `tracing` would hold the id too, but an event reads a field of a span only by
/// formatting it.
pub(crate) fn scope<F: Future>(id: HeaderValue, future: F) -> impl Future<Output = F::Output> {
    ID.scope(id, future)
}

/// Returns the id of the current request for log events; empty outside of one.
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
