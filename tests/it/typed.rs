//! The extractor `Typed`: its answers, its policies for data of another shape, and its updates.

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get};
use futures_util::future::join_all;
use http::Method;
use jwt_redis_session::testing::{Step, TestSession, TestSessions};
use jwt_redis_session::typed::{Mismatch, Typed, TypedData};
use jwt_redis_session::{JwtRedisSession, MemoryStore, SessionData, SessionError, Sessions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::log::Log;

/// Data that does not fit is an error.
#[derive(Serialize, Deserialize)]
struct Strict {
    visits: u64,
}

impl TypedData for Strict {}

/// Data that does not fit is replaced by the default.
#[derive(Default, Serialize, Deserialize)]
struct Lenient {
    visits: u64,
}

impl TypedData for Lenient {
    fn mismatch(_: &SessionData, error: &SessionError) -> Mismatch<Self> {
        assert!(matches!(error, SessionError::Decode { .. }));
        Mismatch::Use(Self::default())
    }
}

/// A session whose data does not fit is dropped, unless it can be converted.
#[derive(Serialize, Deserialize)]
struct Dropping {
    visits: u64,
}

impl TypedData for Dropping {
    fn mismatch(data: &SessionData, _: &SessionError) -> Mismatch<Self> {
        let old: Option<String> = data.get("visits").ok().flatten();
        let visits = old.and_then(|text| text.parse().ok());
        visits.map_or(Mismatch::Drop, |visits| Mismatch::Use(Self { visits }))
    }
}

async fn visit<T>(mut typed: Typed<T>, count: fn(&mut T) -> u64) -> Result<String, SessionError>
where
    T: TypedData + Serialize + Send,
{
    Ok(typed.update(count).await?.to_string())
}

macro_rules! routes {
    ($router:expr, $($path:literal => $ty:ty),*) => {
        $router
            $(.route(concat!("/", $path), get(async |it: Typed<$ty>| it.visits.to_string())))*
            $(.route(concat!("/", $path, "/optional"), get(async |it: Option<Typed<$ty>>| {
                it.map_or_else(|| "none".to_owned(), |it| it.visits.to_string())
            })))*
            $(.route(concat!("/", $path, "/visit"), any(async |it: Typed<$ty>| {
                visit(it, |it| { it.visits += 1; it.visits }).await
            })))*
    };
}

fn app(layer: JwtRedisSession) -> Router {
    let routes = Router::new();
    routes!(routes, "strict" => Strict, "lenient" => Lenient, "dropping" => Dropping).layer(layer)
}

async fn call(app: &Router, session: Option<&TestSession>, path: &str) -> (u16, String) {
    let request = match session {
        Some(session) => session.request(Method::GET, path),
        None => http::Request::get(path),
    };
    let request = request.body(Body::empty()).unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    #[expect(clippy::disallowed_methods, reason = "a response of this test")]
    let body = axum::body::to_bytes(answer.into_body(), 1000)
        .await
        .unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn layers(test: &TestSessions) -> [JwtRedisSession; 2] {
    let layer = JwtRedisSession::new(test.sessions());
    [layer.clone(), layer.lazy()]
}

#[tokio::test]
async fn fields_are_extracted_or_the_request_is_answered() {
    let test = TestSessions::new();
    for app in layers(&test).map(app) {
        let jo = test
            .session("jo", json!({ "visits": 7, "other": [] }))
            .await;
        let ok = (200, "7".to_owned());
        for path in ["/strict", "/lenient", "/dropping", "/strict/optional"] {
            assert_eq!(call(&app, Some(&jo), path).await, ok);
        }
        assert_eq!(call(&app, None, "/strict").await.0, 401);
        let none = (200, "none".to_owned());
        assert_eq!(call(&app, None, "/strict/optional").await, none);
        test.start_outage();
        for path in ["/strict", "/strict/optional", "/dropping"] {
            assert_eq!(call(&app, Some(&jo), path).await.0, 503);
        }
        test.end_outage();
        jo.destroy().await.unwrap();
        assert_eq!(call(&app, Some(&jo), "/strict").await.0, 401);
    }
    let without_layer = Router::new().route("/", get(async |_: Typed<Strict>| ""));
    assert_eq!(call(&without_layer, None, "/").await.0, 500);
}

/// Data of other shapes: a wrong type, a missing field.
fn misfits() -> [Value; 2] {
    [json!({ "visits": "SECRET" }), json!({ "seen": "SECRET" })]
}

#[tokio::test]
async fn by_default_data_that_does_not_fit_is_an_error() {
    let test = TestSessions::new();
    for (data, field) in misfits().into_iter().zip(["`visits`", "as a whole"]) {
        let (log, _guard) = Log::record();
        let app = app(JwtRedisSession::new(test.sessions()));
        let jo = test.session("jo", &data).await;
        for path in ["/strict", "/strict/optional", "/strict/visit"] {
            let internal = r#"{"error":"internal server error"}"#.to_owned();
            assert_eq!(call(&app, Some(&jo), path).await, (500, internal));
        }
        let log = log.text();
        assert_eq!(log.matches("ERROR").count(), 3, "{log}");
        assert!(
            log.contains("typed::Strict") && log.contains(field),
            "{log}"
        );
        assert!(log.contains("a value does not fit its type"), "{log}");
        assert!(!log.contains("SECRET"), "{log}");
        jo.reload().await.unwrap();
        assert_eq!(jo.to_json(), data, "the session is left alone");
    }
}

#[tokio::test]
async fn a_default_replaces_data_that_does_not_fit() {
    let test = TestSessions::new();
    let app = app(JwtRedisSession::new(test.sessions()));
    for data in misfits() {
        let jo = test.session("jo", &data).await;
        let is = |visits: u64| (200, visits.to_string());
        assert_eq!(call(&app, Some(&jo), "/lenient").await, is(0));
        jo.reload().await.unwrap();
        assert_eq!(jo.to_json(), data, "extracting stores nothing");
        assert_eq!(call(&app, Some(&jo), "/lenient/visit").await, is(1));
        assert_eq!(call(&app, Some(&jo), "/strict").await, is(1));
    }
    let old = test.session("jo", json!({ "visits": "41" })).await;
    assert_eq!(call(&app, Some(&old), "/dropping/visit").await.1, "42");
    assert_eq!(call(&app, Some(&old), "/strict").await.1, "42");
}

#[tokio::test]
async fn a_session_whose_data_does_not_fit_is_dropped() {
    let test = TestSessions::new();
    for app in layers(&test).map(app) {
        for (data, path, status) in [
            (&misfits()[0], "/dropping", 401),
            (&misfits()[1], "/dropping/visit", 401),
            (&misfits()[1], "/dropping/optional", 200),
        ] {
            let jo = test.session("jo", data).await;
            let failure = jwt_redis_session::store::StoreErrorKind::Connection;
            test.faults().on(Step::Delete).fail_next(failure, 1);
            assert_eq!(call(&app, Some(&jo), path).await.0, 503, "not dropped yet");
            assert_eq!(jo.is_alive().await, Ok(true));
            assert_eq!(call(&app, Some(&jo), path).await.0, status);
            assert_eq!(jo.is_alive().await, Ok(false));
        }
    }
    assert_eq!(test.sessions().list("jo").await.unwrap().len(), 0);
}

/// The handle of a lazy session was loaded before another request replaced the data.
#[tokio::test]
async fn a_session_that_was_converted_meanwhile_is_not_dropped() {
    let test = TestSessions::new();
    let jo = test.session("jo", json!({ "visits": [] })).await;
    let handle = test.sessions().open(jo.token().as_str()).await.unwrap();
    let request = http::Request::get("/dropping").extension(handle);
    let app = routes!(Router::new(), "dropping" => Dropping);
    jo.insert("visits", 3).unwrap();
    jo.update().await.unwrap();
    let answer = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(jo.is_alive().await, Ok(true));
}

#[tokio::test]
async fn concurrent_updates_are_all_counted_and_keep_other_fields() {
    let keyring = || jwt_redis_session::Keyring::hs256("a secret of at least 32 random bytes");
    let mut every = vec![Sessions::builder(MemoryStore::new(), keyring().unwrap())];
    #[cfg(feature = "redis")]
    let redis = crate::support::redis_server::RedisServer::start();
    #[cfg(feature = "redis")]
    {
        let store = jwt_redis_session::RedisStore::connect(&redis.url()).await;
        every.push(Sessions::builder(store.unwrap(), keyring().unwrap()));
    }
    for sessions in every {
        let sessions = sessions.build().unwrap();
        let app = app(JwtRedisSession::new(sessions.clone()));
        let jo = TestSession::create(&sessions, "jo", json!({ "visits": 0, "cart": [1] })).await;
        let calls = (0..20).map(|_| call(&app, Some(&jo), "/strict/visit"));
        let mut seen: Vec<u64> = Vec::new();
        for (status, body) in join_all(calls).await {
            assert_eq!(status, 200, "{body}");
            seen.push(body.parse().unwrap());
        }
        seen.sort_unstable();
        assert_eq!(seen, (1..=20).collect::<Vec<_>>());
        jo.reload().await.unwrap();
        assert_eq!(jo.to_json(), json!({ "visits": 20, "cart": [1] }));
    }
}

#[tokio::test]
async fn debug_prints_no_data() {
    let test = TestSessions::new();
    let debug = async |it: Typed<Strict>| format!("{it:?} {:?}", Mismatch::Use(987_654));
    let app = Router::new().route("/", get(debug));
    let app = app.layer(JwtRedisSession::new(test.sessions()));
    let jo = test.session("jo", json!({ "visits": 987_654 })).await;
    let (_, text) = call(&app, Some(&jo), "/").await;
    assert!(
        text.contains("Typed(") && !text.contains("987654"),
        "{text}"
    );
}
