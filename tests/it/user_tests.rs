//! The helpers for tests of handlers, as an application uses them.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Method, StatusCode};
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::testing::{Step, TestSession, TestSessions};
use jwt_redis_session::{
    ActiveSession, JwtRedisSession, Lifetime, MemoryStore, SessionError, Sessions,
};
use serde_json::json;
use tower::ServiceExt as _;

async fn me(session: ActiveSession) -> Result<String, SessionError> {
    session.insert("seen", true)?;
    session.update().await?;
    Ok(session.owner().unwrap_or_else(|| "guest".to_owned()))
}

fn app(sessions: Sessions) -> Router {
    Router::new()
        .route("/me", get(me))
        .layer(JwtRedisSession::new(sessions))
}

async fn call(app: &Router, session: &TestSession) -> (StatusCode, String) {
    let request = session.request(Method::GET, "/me").body(Body::empty());
    let answer = app.clone().oneshot(request.unwrap()).await.unwrap();
    let status = answer.status();
    #[expect(clippy::disallowed_methods, reason = "a response of this test")]
    let body = axum::body::to_bytes(answer.into_body(), 1000)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_handler_is_tested_logged_in_expired_and_in_an_outage() {
    let test = TestSessions::new();
    let app = app(test.sessions());
    let jo = test.session("jo", json!({ "name": "Jo" })).await;
    let guest = test.session(None, json!({})).await;
    assert_eq!(call(&app, &jo).await, (StatusCode::OK, "jo".to_owned()));
    assert_eq!(call(&app, &guest).await.1, "guest");
    assert!(!jo.contains_key("seen"), "the handle is that of the test");
    jo.reload().await.unwrap();
    assert_eq!(jo.to_json(), json!({ "name": "Jo", "seen": true }));

    test.start_outage();
    assert_eq!(call(&app, &jo).await.0, StatusCode::SERVICE_UNAVAILABLE);
    test.end_outage();
    assert_eq!(call(&app, &jo).await.0, StatusCode::OK);
    test.faults()
        .on(Step::CompareAndSet)
        .fail_next(StoreErrorKind::Timeout, 1);
    assert_eq!(call(&app, &jo).await.0, StatusCode::SERVICE_UNAVAILABLE);

    test.advance(Duration::from_secs(86_399));
    assert_eq!(call(&app, &jo).await.0, StatusCode::OK, "the last second");
    assert_eq!(call(&app, &guest).await.0, StatusCode::OK);
    test.advance(Duration::from_secs(86_400));
    assert_eq!(call(&app, &jo).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn tokens_follow_the_clock_of_the_test() {
    let absolute = Lifetime::Absolute(Duration::from_secs(60));
    let test = TestSessions::configured(|builder| builder.lifetime(absolute));
    let app = app(test.sessions());
    let jo = test.session("jo", json!({})).await;
    test.advance(Duration::from_millis(59_999));
    assert_eq!(call(&app, &jo).await.0, StatusCode::OK);
    test.advance(Duration::from_millis(1));
    assert_eq!(call(&app, &jo).await.0, StatusCode::UNAUTHORIZED);
    let verified = test.sessions().verify(jo.token().as_str());
    assert_eq!(verified.unwrap_err().as_str(), "expired");
}

/// Sessions of the application's own store.
#[tokio::test]
async fn a_session_is_created_in_any_sessions() {
    let test = TestSessions::new();
    assert!(!format!("{:?}", test.session("jo", json!({})).await).contains("eyJ"));
    let keyring = jwt_redis_session::Keyring::hs256("a secret of at least 32 random bytes");
    let store = MemoryStore::new();
    let own = Sessions::builder(store, keyring.unwrap()).build().unwrap();
    let jo = TestSession::create(&own, "jo", json!({})).await;
    let (own, other) = (app(own), app(test.sessions()));
    assert_eq!(call(&own, &jo).await.0, StatusCode::OK);
    assert_eq!(call(&other, &jo).await.0, StatusCode::UNAUTHORIZED);
    let request = jo.request(Method::POST, "/me?a=1").body(()).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "/me?a=1");
    assert!(!format!("{request:?}").contains(jo.token().as_str()));
}
