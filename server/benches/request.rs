//! What the service adds to each request, compared with the same route on bare axum.
//!
//! `cargo bench -p jwt-redis-session-server --bench request`. It measures without a network, so the
//! difference is the cost of the service.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use axum::{Json, Router};
use jwt_redis_session_server::{App, Settings};
use tower::ServiceExt as _;

const ROUNDS: usize = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let requests = if is_bench { 200_000 } else { 100 };
    let service = App::build(Settings::default()).expect("defaults").router();
    let health = || async { Json(serde_json::json!({ "status": "ok" })) };
    let bare = Router::new().route("/healthz", get(health));
    let (mut with, mut without) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        without = without.min(time(&bare, requests).await);
        with = with.min(time(&service, requests).await);
    }
    println!(
        "bare axum {without:?}, sessiond {with:?} a request: {:?} more",
        with.saturating_sub(without)
    );
}

/// Returns the time of one request to `/healthz`.
async fn time(router: &Router, requests: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..requests {
        let request = Request::get("/healthz")
            .body(Body::empty())
            .expect("a request");
        let response = router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 200);
    }
    start.elapsed() / requests
}
