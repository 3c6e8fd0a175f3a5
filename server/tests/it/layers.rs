//! What the layer around all routes costs, compared with layers of tower-http.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use jwt_redis_session_server::{App, Settings};
use tower::ServiceExt as _;
use tower::layer::util::Identity;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;

/// Returns the allocations of a request, averaged over many.
fn allocations(router: &Router) -> f64 {
    const REQUESTS: u64 = 100;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let send = async || {
        let request = Request::get("/healthz")
            .body(Body::empty())
            .expect("a request");
        let response = router.clone().oneshot(request).await.expect("a response");
        assert_eq!(response.status(), 200);
    };
    // The first request of a route creates its counters.
    runtime.block_on(send());
    let counted = allocation_counter::measure(|| {
        for _ in 0..REQUESTS {
            runtime.block_on(send());
        }
    });
    counted.count_total as f64 / REQUESTS as f64
}

/// Returns a handler without layers that answers as `/healthz` does.
fn bare() -> Router {
    let response = ([("content-type", "application/json")], r#"{"status":"ok"}"#);
    Router::new().route("/healthz", get(async move || response))
}

/// Request ids, a deadline and caught panics of tower-http cost more than those here together with
/// the access log, metrics and `Cache-Control`.
#[test]
fn the_layer_allocates_less_than_layers_of_tower_http() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let ids = || {
        let set = SetRequestIdLayer::x_request_id(MakeRequestUuid);
        (set, PropagateRequestIdLayer::x_request_id())
    };
    let (status, deadline) = (StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(15));
    let deadline = || TimeoutLayer::with_status_code(status, deadline);
    let app = App::build(Settings::default()).expect("build");
    let [bare, any, ids, deadline, theirs, ours] = [
        bare(),
        bare().layer(Identity::new()),
        bare().layer(ids()),
        bare().layer(deadline()),
        bare().layer((ids(), deadline(), CatchPanicLayer::new())),
        app.router(),
    ]
    .map(|router| allocations(&router));
    println!(
        "bare {bare}, any layer {any}, ids {ids}, deadline {deadline}, tower-http {theirs}, here {ours}"
    );
    assert!(ours < theirs, "{ours} < {theirs}");
}
