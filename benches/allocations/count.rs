//! Counts the allocations of requests to a router.

use allocation_counter::measure;
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use jwt_redis_session::Token;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const WARM_UP: u32 = 20;
const COUNTED: u32 = 200;

/// What a request does with the session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route {
    Read,
    Update,
    Unused,
}

impl Route {
    fn path(self) -> &'static str {
        match self {
            Self::Read => "/read",
            Self::Update => "/update",
            Self::Unused => "/unused",
        }
    }
}

/// Returns the mean number of allocations of a request, the request itself included.
pub(crate) fn per_request(runtime: &Runtime, router: &Router, route: Route, token: &Token) -> f64 {
    runtime.block_on(send(router, route, token, WARM_UP));
    let counted = measure(|| runtime.block_on(send(router, route, token, COUNTED)));
    #[allow(clippy::cast_precision_loss, reason = "counts are small")]
    let total = counted.count_total as f64;
    total / f64::from(COUNTED)
}

/// Sends `times` requests, one after the other.
pub(crate) async fn send(router: &Router, route: Route, token: &Token, times: u32) {
    for _ in 0..times {
        let request = Request::get(route.path())
            .header("host", "example.com")
            .header("accept", "*/*")
            .header("user-agent", "bench")
            .header("x-access-token", token.as_str());
        let request = request.body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}
