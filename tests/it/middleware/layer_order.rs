//! The order of layers, with CORS: preflights pass, and browsers can read a 401.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, header};
use jwt_redis_session::{ActiveSession, JwtRedisSession, RequireSession};
use tower::{ServiceBuilder, ServiceExt};
use tower_http::cors::CorsLayer;

use super::{sessions, token};

const ORIGIN: &str = "https://app.example";

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin([ORIGIN.parse().unwrap()])
        .allow_headers([header::AUTHORIZATION])
}

/// The status of an answer to a request from [`ORIGIN`], and whether its scripts may read it.
async fn answer(app: &Router, method: &str, token: &str) -> (u16, bool) {
    let mut request = Request::builder().method(method).uri("/");
    request = request.header("origin", ORIGIN);
    if method == "OPTIONS" {
        request = request.header("access-control-request-method", "GET");
        request = request.header("access-control-request-headers", "authorization");
    }
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let allowed = super::header(&response, "access-control-allow-origin");
    (response.status().as_u16(), allowed == Some(ORIGIN))
}

#[tokio::test]
async fn a_preflight_passes_and_a_401_carries_cors_headers() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let session = || JwtRedisSession::new(sessions.clone());
    let routes = || Router::new().route("/", get(async || "in"));
    let extracting = || Router::new().route("/", get(async |_: ActiveSession| "in"));
    let required = || routes().layer(RequireSession::new());
    let stack = ServiceBuilder::new()
        .layer(cors())
        .layer(session())
        .layer(RequireSession::new());
    for (index, app) in [
        // The last layer is the outermost one.
        required().layer(session()).layer(cors()),
        required().layer(cors()).layer(session().lazy()),
        extracting().layer(session()).layer(cors()),
        extracting().layer(cors()).layer(session()),
        // The first layer is the outermost one.
        routes().layer(stack),
        routes().layer((session(), cors(), RequireSession::new())),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(answer(app, "OPTIONS", "").await, (200, true), "{index}");
        assert_eq!(answer(app, "GET", "").await, (401, true), "{index}");
        assert_eq!(answer(app, "GET", &token).await, (200, true), "{index}");
    }
    // Why the order matters.
    let inside = routes().layer(cors()).layer(RequireSession::new());
    let inside = inside.layer(session());
    assert_eq!(answer(&inside, "OPTIONS", "").await, (401, false));
}
