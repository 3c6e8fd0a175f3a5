//! The extractors, in an axum application.

use axum::Router;
use axum::routing::get as route;
use jwt_redis_session::error::SizeUnit;
use jwt_redis_session::{ActiveSession, SessionError, TokenRejection};

use super::*;

const INTERNAL: &str = r#"{"error":"internal server error"}"#;

async fn optional(session: Option<ActiveSession>) -> &'static str {
    if session.is_some() { "in" } else { "out" }
}

/// Routes that take a session in every way.
fn routes() -> Router {
    struct Tag;
    let require = route(async || "in").layer(RequireSession::new());
    let maybe = async |session: Option<Session>| session.is_some().to_string();
    Router::new()
        .route("/active", route(async |_: ActiveSession| "in"))
        .route("/require", require)
        .route("/optional", route(optional))
        .route("/any", route(async |_: Session| "in"))
        .route("/lazy", route(async |_: LazySession| "in"))
        .route("/tagged", route(async |_: Tagged<Tag>| "in"))
        .route("/lazy-tagged", route(async |_: LazyTagged<Tag>| "in"))
        .route("/maybe", route(maybe))
}

/// Sends a request; returns the status, the headers of a rejection, and the body.
async fn answer(app: &Router, path: &str, mut request: Request<Body>) -> (u16, String, String) {
    let query = request.uri().query().map(|query| format!("{path}?{query}"));
    *request.uri_mut() = query.as_deref().unwrap_or(path).parse().unwrap();
    let request = request.map(axum::body::Body::new);
    let response = app.clone().oneshot(request).await.unwrap();
    let headers = ["www-authenticate", "retry-after", "cache-control"].iter();
    let headers: Vec<_> = headers.filter_map(|name| header(&response, name)).collect();
    let headers = headers.join("|");
    let (status, rejected) = (response.status().as_u16(), response.status() != 200);
    assert_eq!(header(&response, "content-type") == Some(JSON), rejected);
    (status, headers, text(response.into_body()).await)
}

#[tokio::test]
async fn extractors_and_require_session_answer_alike() {
    let (faults, sessions) = sessions();
    let active = token(&sessions).await;
    let gone = gone(&sessions).await;
    let two = get("/?accessToken=a&accessToken=b", &[]);
    let layer = JwtRedisSession::new(sessions);
    for app in [routes().layer(layer.clone()), routes().layer(layer.lazy())] {
        for (request, outage, status, optional) in [
            (with(&active), false, 200, "in"),
            (get("/", &[]), true, 401, "out"),
            (with("bad"), true, 401, "out"),
            (with(&gone), false, 401, "out"),
            (two.clone(), true, 400, "error"),
            (with(&active), true, 503, "error"),
        ] {
            if outage {
                faults.fail_with(StoreErrorKind::Connection);
            }
            let active = answer(&app, "/active", request.clone()).await;
            assert_eq!(active.0, status);
            assert_eq!(answer(&app, "/require", request.clone()).await, active);
            let (_, _, body) = answer(&app, "/optional", request.clone()).await;
            assert!(body.contains(optional), "{body}");
            // A route that takes every state works in an outage, too.
            assert_eq!(answer(&app, "/any", request).await.2, "in");
            faults.heal();
        }
    }
}

#[tokio::test]
async fn a_missing_layer_is_a_generic_500() {
    let app = routes();
    let internal = (500, "no-store".to_owned(), INTERNAL.to_owned());
    for path in [
        "/active",
        "/require",
        "/optional",
        "/any",
        "/lazy",
        "/tagged",
        "/lazy-tagged",
    ] {
        assert_eq!(answer(&app, path, get("/", &[])).await, internal, "{path}");
    }
    assert_eq!(answer(&app, "/maybe", get("/", &[])).await.2, "false");
}

#[tokio::test]
async fn errors_are_responses_without_details() {
    let rows: Vec<(SessionError, u16)> = vec![
        (SessionError::Absent, 401),
        (SessionError::Gone, 401),
        (SessionError::Rejected(TokenRejection::Signature), 401),
        (SessionError::Rejected(TokenRejection::Ambiguous), 400),
        (SessionError::Conflict, 409),
        (SessionError::Revoked, 409),
        (SessionError::Taken, 409),
        (SessionError::too_large(77, 66, SizeUnit::Bytes), 413),
        (SessionError::Unavailable(StoreErrorKind::Auth.into()), 503),
        (SessionError::missing_field("SECRET"), 500),
        (SessionError::ReservedField("SECRET".into()), 500),
        (SessionError::InvalidOwner, 500),
        (SessionError::Corrupt, 500),
    ];
    for (error, status) in rows {
        let app = Router::new().route("/", route(async move || error));
        let (got, headers, body) = answer(&app, "/", get("/", &[])).await;
        assert_eq!(got, status);
        assert!(headers.contains("no-store"));
        assert_eq!(headers.contains("Bearer"), matches!(status, 400 | 401));
        assert!(body.starts_with(r#"{"error":""#), "{body}");
        assert!(!body.contains("SECRET") && !body.contains("77"), "{body}");
        assert_eq!(body == INTERNAL, status == 500);
    }
}
