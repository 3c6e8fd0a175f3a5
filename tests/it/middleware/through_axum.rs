//! The extractors, in an axum application.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::BodyExt;
use jwt_redis_session::error::SizeUnit;
use jwt_redis_session::middleware::{LazySession, LazyTagged};
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, RequireSession, Session, SessionError, SessionState, Sessions,
    Tagged, TokenRejection,
};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt};

use super::{Body, header, request, sessions, token};

async fn login(session: Session, body: String) -> Result<Json<Value>, SessionError> {
    session.insert("user", &body)?;
    session.set_owner(&*body).unwrap();
    let token = session.create().await?;
    Ok(Json(json!({ "token": token })))
}

async fn me(session: ActiveSession) -> Result<Json<Value>, SessionError> {
    session.insert("seen", "now")?;
    session.update().await?;
    Ok(Json(session.to_json()))
}

async fn home(session: Option<ActiveSession>) -> &'static str {
    if session.is_some() { "back" } else { "new" }
}

fn app(sessions: Sessions) -> Router {
    app_with(JwtRedisSession::new(sessions))
}

fn lazy_app(sessions: Sessions) -> Router {
    app_with(JwtRedisSession::new(sessions).lazy())
}

fn app_with(layer: JwtRedisSession) -> Router {
    Router::new()
        .route("/login", post(login))
        .route("/me", get(me))
        .route("/home", get(home))
        .route("/health", get(async || "ok"))
        .route("/layer", get(async || "in").layer(RequireSession::new()))
        .route("/extractor", get(async |_: ActiveSession| "in"))
        .layer(layer)
}

/// Status, the headers of a refusal, and the body.
async fn ask(
    app: &Router,
    method: &str,
    uri: &str,
    token: Option<&str>,
    body: &'static str,
) -> (u16, Vec<String>, String) {
    let headers: Vec<_> = token
        .map(|token| ("x-access-token", token))
        .into_iter()
        .collect();
    let asked: http::Request<Body> = request(method, uri, &headers, body);
    let response = app
        .clone()
        .oneshot(asked.map(axum::body::Body::new))
        .await
        .unwrap();
    let described = [
        "www-authenticate",
        "retry-after",
        "cache-control",
        "content-type",
    ];
    let described = described
        .iter()
        .filter_map(|name| header(&response, name).map(str::to_owned))
        .collect();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, described, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_promised_application() {
    let (_, sessions) = sessions();
    let app = app(sessions.clone());
    let (status, headers, body) = ask(&app, "POST", "/login", None, "jo").await;
    assert_eq!(status, 200);
    assert_eq!(headers, ["no-store", "application/json"]);
    let body: Value = serde_json::from_str(&body).unwrap();
    let token = body["token"].as_str();
    let (status, _, body) = ask(&app, "GET", "/me", token, "").await;
    assert_eq!((status, &*body), (200, r#"{"seen":"now","user":"jo"}"#));
    assert_eq!(ask(&app, "GET", "/home", token, "").await.2, "back");
    assert_eq!(ask(&app, "GET", "/layer", token, "").await.2, "in");
    sessions.destroy_all("jo").await.unwrap();
    assert_eq!(ask(&app, "GET", "/me", token, "").await.0, 401);
    assert_eq!(ask(&app, "GET", "/home", token, "").await.2, "new");
}

#[tokio::test]
async fn r19_active_session_refuses_before_the_handler() {
    let (_, sessions) = sessions();
    let app = app(sessions);
    let plain = r#"Bearer realm="session""#;
    let invalid = r#"Bearer realm="session", error="invalid_token""#;
    let json = "application/json";
    let (status, headers, body) = ask(&app, "GET", "/me", None, "").await;
    assert_eq!(status, 401);
    assert_eq!(headers, [plain, "no-store", json]);
    assert_eq!(body, r#"{"error":"a token is required"}"#);
    let (status, headers, body) = ask(&app, "GET", "/me", Some("bad"), "").await;
    assert_eq!(status, 401);
    assert_eq!(headers, [invalid, "no-store", json]);
    assert_eq!(body, r#"{"error":"the token is not valid"}"#);
    let (status, headers, body) = ask(&app, "GET", "/layer", Some("bad"), "").await;
    assert_eq!(status, 401);
    assert_eq!(headers, [invalid, "no-store", json]);
    assert_eq!(body, r#"{"error":"the token is not valid"}"#);
    let twice = "/home?accessToken=a&accessToken=b";
    assert_eq!(ask(&app, "GET", twice, None, "").await.0, 400);
}

#[tokio::test]
async fn an_outage_is_an_outage_where_a_session_is_needed() {
    let (faults, sessions) = sessions();
    let token = token(&sessions).await;
    let app = app(sessions);
    faults.fail_with(StoreErrorKind::Connection);
    for path in ["/me", "/home", "/layer"] {
        let (status, headers, _) = ask(&app, "GET", path, Some(&token), "").await;
        assert_eq!(status, 503, "{path}");
        assert_eq!(headers[..2], ["1", "no-store"]);
    }
    assert_eq!(ask(&app, "GET", "/health", Some(&token), "").await.2, "ok");
    assert_eq!(ask(&app, "GET", "/home", None, "").await.2, "new");
    assert_eq!(ask(&app, "GET", "/me", None, "").await.0, 401);
    assert_eq!(ask(&app, "POST", "/login", None, "jo").await.0, 503);
    faults.heal();
    assert_eq!(ask(&app, "GET", "/me", Some(&token), "").await.0, 200);
}

#[tokio::test]
async fn r19_a_missing_layer_is_a_generic_500() {
    struct Admin;
    let require = || get(async || ()).layer(RequireSession::new());
    let app = Router::new()
        .route("/any", get(async |_: Session| ()))
        .route("/lazy", get(async |_: LazySession| ()))
        .route("/active", get(async |_: ActiveSession| ()))
        .route("/both", get(async |_: Option<ActiveSession>| ()))
        .route("/tagged", get(async |_: Tagged<Admin>| ()))
        .route("/lazy-tagged", get(async |_: LazyTagged<Admin>| ()))
        .route("/layer", require())
        .route(
            "/maybe",
            get(async |session: Option<Session>| assert!(session.is_none())),
        );
    let paths = [
        "any",
        "lazy",
        "active",
        "both",
        "tagged",
        "lazy-tagged",
        "layer",
    ];
    for path in paths {
        let answer = ask(&app, "GET", &format!("/{path}"), None, "").await;
        let headers = ["no-store", "application/json"].map(str::to_owned);
        let body = r#"{"error":"internal server error"}"#.to_owned();
        assert_eq!(answer, (500, headers.into(), body), "{path}");
    }
    assert_eq!(ask(&app, "GET", "/maybe", None, "").await.0, 200);
}

/// A client cannot distinguish the layer from the extractor.
#[tokio::test]
async fn r19_require_session_answers_as_active_session() {
    let (store, sessions) = sessions();
    let living = token(&sessions).await;
    let gone = token(&sessions).await;
    let id = sessions.open(&gone).await.unwrap().id().unwrap();
    sessions.destroy(&id).await.unwrap();
    for app in [app(sessions.clone()), lazy_app(sessions)] {
        for outage in [false, true] {
            for token in [None, Some("bad"), Some(&*gone), Some(&*living)] {
                if outage {
                    store.fail_with(StoreErrorKind::Timeout);
                }
                let layer = ask(&app, "GET", "/layer", token, "").await;
                let extractor = ask(&app, "GET", "/extractor", token, "").await;
                assert_eq!(layer, extractor, "{outage} {token:?}");
                store.heal();
            }
        }
        let twice = "?accessToken=a&accessToken=b";
        let layer = ask(&app, "GET", &format!("/layer{twice}"), None, "").await;
        assert_eq!(layer.0, 400);
        let extractor = ask(&app, "GET", &format!("/extractor{twice}"), None, "").await;
        assert_eq!(layer, extractor);
    }
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
        let token = token(&sessions).await;
        let stack = ServiceBuilder::new()
            .layer(from_fn(outside))
            .layer(layer)
            .layer(from_fn(inside));
        let app = Router::new().route("/", get(handler)).layer(stack);
        let answer = ask(&app, "GET", "/", Some(&token), "").await;
        assert_eq!((answer.0, &*answer.2), (200, "middleware"));
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
        assert_eq!(ask(&app, "GET", path, None, "").await.0, status, "{path}");
    }
}

#[tokio::test]
async fn errors_are_responses_that_tell_nothing() {
    let many: Vec<(SessionError, u16)> = vec![
        (SessionError::Absent, 401),
        (SessionError::Gone, 401),
        (SessionError::Rejected(TokenRejection::Signature), 401),
        (SessionError::Rejected(TokenRejection::Ambiguous), 400),
        (SessionError::Conflict, 409),
        (SessionError::Taken, 409),
        (SessionError::too_large(77, 66, SizeUnit::Bytes), 413),
        (SessionError::Unavailable(StoreErrorKind::Auth.into()), 503),
        (SessionError::missing_field("SECRET"), 500),
        (SessionError::Revoked, 409),
        (SessionError::ReservedField("SECRET".into()), 500),
        (SessionError::InvalidOwner, 500),
        (SessionError::Corrupt, 500),
    ];
    for (error, status) in many {
        let route = get(async move || error);
        let app = Router::new().route("/", route);
        let (got, headers, body) = ask(&app, "GET", "/", None, "").await;
        assert_eq!(got, status);
        assert!(headers.contains(&"no-store".to_owned()));
        assert!(body.starts_with(r#"{"error":""#), "{body}");
        assert!(!body.contains("SECRET") && !body.contains("77"), "{body}");
        assert!(status != 500 || body == r#"{"error":"internal server error"}"#);
        assert_eq!(
            status == 401,
            headers[0].starts_with("Bearer") && status != 400
        );
    }
}
