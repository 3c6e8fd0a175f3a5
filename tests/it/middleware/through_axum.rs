//! The extractors, in an axum application.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use jwt_redis_session::error::SizeUnit;
use jwt_redis_session::middleware::{LazySession, LazyTagged};
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, RequireSession, Session, SessionError, SessionState, Tagged,
    TokenRejection,
};
use tower::{ServiceBuilder, ServiceExt};

use super::{Body, JSON, get as request, gone, header, sessions, text, token, with};

const INTERNAL: &str = r#"{"error":"internal server error"}"#;

/// Routes that need a session in every way, and one that can do without.
fn routes() -> Router {
    struct Tag;
    Router::new()
        .route("/active", get(async |_: ActiveSession| "in"))
        .route("/require", get(async || "in").layer(RequireSession::new()))
        .route(
            "/optional",
            get(
                async |session: Option<ActiveSession>| {
                    if session.is_some() { "in" } else { "out" }
                },
            ),
        )
        .route("/any", get(async |_: Session| "in"))
        .route("/lazy", get(async |_: LazySession| "in"))
        .route("/tagged", get(async |_: Tagged<Tag>| "in"))
        .route("/lazy-tagged", get(async |_: LazyTagged<Tag>| "in"))
        .route(
            "/maybe",
            get(
                async |session: Option<Session>| {
                    if session.is_some() { "in" } else { "out" }
                },
            ),
        )
}

/// Sends a request; returns the status, the headers of a rejection, and the body.
async fn answer(
    app: &Router,
    path: &str,
    mut request: http::Request<Body>,
) -> (u16, String, String) {
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
    let two = request("/?accessToken=a&accessToken=b", &[]);
    let plain = r#"Bearer realm="session"|no-store"#;
    let invalid = r#"Bearer realm="session", error="invalid_token"|no-store"#;
    let invalid_request = r#"Bearer realm="session", error="invalid_request"|no-store"#;
    let required = r#"{"error":"a token is required"}"#;
    let not_valid = r#"{"error":"the token is not valid"}"#;
    let not_valid_request = r#"{"error":"the request is not valid"}"#;
    let down = r#"{"error":"sessions are unavailable at the moment; try again"}"#;
    let layer = JwtRedisSession::new(sessions);
    for app in [routes().layer(layer.clone()), routes().layer(layer.lazy())] {
        for (request, outage, status, headers, body, optional) in [
            (with(&active), false, 200, "", "in", "in"),
            (request("/", &[]), true, 401, plain, required, "out"),
            (with("bad"), true, 401, invalid, not_valid, "out"),
            (with(&gone), false, 401, invalid, not_valid, "out"),
            (
                two.clone(),
                true,
                400,
                invalid_request,
                not_valid_request,
                not_valid_request,
            ),
            (with(&active), true, 503, "1|no-store", down, down),
        ] {
            if outage {
                faults.fail_with(StoreErrorKind::Connection);
            }
            let expected = (status, headers.to_owned(), body.to_owned());
            for path in ["/active", "/require"] {
                assert_eq!(
                    answer(&app, path, request.clone()).await,
                    expected,
                    "{path}"
                );
            }
            let (_, _, body) = answer(&app, "/optional", request.clone()).await;
            assert_eq!(body, optional);
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
        assert_eq!(
            answer(&app, path, request("/", &[])).await,
            internal,
            "{path}"
        );
    }
    assert_eq!(answer(&app, "/maybe", request("/", &[])).await.2, "out");
}

/// Middleware inside of the layer and the handler share one session; outside there is none.
#[tokio::test]
async fn middleware_and_handler_share_one_session() {
    async fn outside(session: Option<Session>, request: Request, next: Next) -> Response {
        assert!(session.is_none());
        next.run(request).await
    }
    async fn inside(session: ActiveSession, request: Request, next: Next) -> Response {
        session.insert("from", "middleware").unwrap();
        let response = next.run(request).await;
        assert_eq!(session.state(), SessionState::Gone);
        response
    }
    async fn handler(session: ActiveSession) -> Result<String, SessionError> {
        session.update().await?;
        let from: Option<String> = session.get("from")?;
        session.destroy().await?;
        Ok(from.unwrap_or_default())
    }
    let (_, sessions) = sessions();
    let eager = JwtRedisSession::new(sessions.clone());
    for layer in [eager.clone(), eager.lazy()] {
        let stack = ServiceBuilder::new()
            .layer(from_fn(outside))
            .layer(layer)
            .layer(from_fn(inside));
        let app = Router::new().route("/", get(handler)).layer(stack);
        let token = token(&sessions).await;
        assert_eq!(answer(&app, "/", with(&token)).await.2, "middleware");
    }
}

/// Routes and fallbacks that are added after the layer have no session.
#[tokio::test]
async fn a_layer_covers_the_routes_that_exist_when_it_is_added() {
    let (_, sessions) = sessions();
    let needs = async |_: Session| "covered";
    let app = Router::new()
        .route("/before", get(needs))
        .nest("/nested", Router::new().route("/before", get(needs)))
        .fallback(needs)
        .layer(JwtRedisSession::new(sessions))
        .route("/after", get(needs));
    for (path, status) in [
        ("/before", 200),
        ("/nested/before", 200),
        ("/missing", 200),
        ("/after", 500),
    ] {
        assert_eq!(
            answer(&app, path, request("/", &[])).await.0,
            status,
            "{path}"
        );
    }
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
        let app = Router::new().route("/", get(async move || error));
        let (got, headers, body) = answer(&app, "/", request("/", &[])).await;
        assert_eq!(got, status);
        assert!(headers.contains("no-store"));
        assert_eq!(headers.contains("Bearer"), matches!(status, 400 | 401));
        assert!(body.starts_with(r#"{"error":""#), "{body}");
        assert!(!body.contains("SECRET") && !body.contains("77"), "{body}");
        assert_eq!(body == INTERNAL, status == 500);
    }
}
