//! The largest payloads that the settings permit.

use std::time::Duration;

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::Sources;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::buckets::bucket::Bucket;
use crate::request::{fetch, status};
use crate::service::{SECRET, Service};
use crate::support::eventually;

/// Returns whether the settings permit a payload of so many bytes with a deadline in seconds.
fn is_permitted(bytes: usize, deadline: u64) -> bool {
    let sources = Sources::default()
        .flag("store.redis", "redis://127.0.0.1")
        .flag("tokens.secret", SECRET)
        .flag("store.deadline", &format!("{deadline}s"))
        .flag("buckets.max_payload", &bytes.to_string());
    Settings::load(&sources).is_ok()
}

/// Sends a request until the answer is not 503: other programs on this machine can make a transfer
/// exceed its deadline.
async fn answer(request: impl Fn() -> RequestBuilder) -> (u16, Value) {
    let attempt = async || Some(fetch(request()).await).filter(|(status, _)| *status != 503);
    eventually("an answer within the deadline", attempt).await
}

/// Control characters are the worst case: as JSON they are six times as long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_payload_can_be_stored_read_and_replaced() {
    for (deadline, bytes) in [(1, 2 << 20), (4, 8 << 20)] {
        assert!(is_permitted(bytes, deadline) && !is_permitted(bytes + 1, deadline));
        let service = Service::redis_with(|settings| {
            settings.buckets.max_payload = bytes;
            settings.store.deadline = Duration::from_secs(deadline);
        })
        .await;
        let bucket = Bucket::new(&service, "large").await;
        let [first, second] = ["\u{1}", "\u{2}"].map(|text| text.repeat(bytes));
        let (created, body) = answer(|| bucket.put().body(first.clone())).await;
        assert_eq!(created, 201, "{bytes}: {}", body["error"]);
        let id = body["id"].as_str().expect("an id");
        let read = async || answer(|| bucket.get(id)).await.1;
        assert!(read().await["data"] == *first, "{bytes}");
        let replace = || bucket.request(Method::POST, &format!("/{id}"));
        let (replaced, body) = answer(|| replace().body(second.clone())).await;
        assert_eq!(replaced, 200, "{bytes}: {}", body["error"]);
        assert!(read().await["data"] == *second, "{bytes}");
        assert_eq!(status(bucket.delete(id)).await, 200, "{bytes}");
    }
}
