//! The order of layers, with CORS: preflights pass, and browsers can read a 401.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, Request, StatusCode, header};
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

/// The status and the allowed origin of an answer to a request from [`ORIGIN`].
async fn ask(app: &Router, method: Method, token: Option<&str>) -> (StatusCode, Option<String>) {
    let mut request = Request::builder().method(&method).uri("/");
    request = request.header("origin", ORIGIN);
    if method == Method::OPTIONS {
        request = request.header("access-control-request-method", "GET");
        request = request.header("access-control-request-headers", "authorization");
    }
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let allowed = response.headers().get("access-control-allow-origin");
    let allowed = allowed.map(|origin| origin.to_str().unwrap().to_owned());
    (response.status(), allowed)
}

#[tokio::test]
async fn a_preflight_passes_and_a_401_carries_cors_headers() {
    let (_, sessions) = sessions();
    let token = token(&sessions).await;
    let session = || JwtRedisSession::new(sessions.clone());
    let routes = || Router::new().route("/", get(async || "in"));
    let extracting = || Router::new().route("/", get(async |_: ActiveSession| "in"));
    let apps = [
        // The last layer is the outermost one.
        routes()
            .layer(RequireSession::new())
            .layer(session())
            .layer(cors()),
        routes()
            .layer(RequireSession::new())
            .layer(cors())
            .layer(session().lazy()),
        // The first layer is the outermost one.
        routes().layer(
            ServiceBuilder::new()
                .layer(cors())
                .layer(session())
                .layer(RequireSession::new()),
        ),
        routes().layer((session(), cors(), RequireSession::new())),
        extracting().layer(session()).layer(cors()),
        extracting().layer(cors()).layer(session()),
    ];
    let allowed = || Some(ORIGIN.to_owned());
    for (index, app) in apps.iter().enumerate() {
        let preflight = ask(app, Method::OPTIONS, None).await;
        assert_eq!(preflight, (StatusCode::OK, allowed()), "{index}");
        let rejected = ask(app, Method::GET, None).await;
        assert_eq!(rejected, (StatusCode::UNAUTHORIZED, allowed()), "{index}");
        let passed = ask(app, Method::GET, Some(&token)).await;
        assert_eq!(passed, (StatusCode::OK, allowed()), "{index}");
    }
}

/// Why the order matters.
#[tokio::test]
async fn cors_inside_of_require_session_rejects_preflights() {
    let (_, sessions) = sessions();
    let app = Router::new()
        .route("/", get(async || "in"))
        .layer(cors())
        .layer(RequireSession::new())
        .layer(JwtRedisSession::new(sessions));
    let preflight = ask(&app, Method::OPTIONS, None).await;
    assert_eq!(preflight, (StatusCode::UNAUTHORIZED, None));
}
