//! The services for other programs over HTTP: the JWK Set and token introspection.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use jwt_redis_session::endpoints::{ClientSecrets, Introspection, JwksService};
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::testing::Faults;
use jwt_redis_session::token::Key;
use jwt_redis_session::{Algorithm, Keyring, MemoryStore, Sessions};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const SECRET: &str = "Qm7x0dFhUZy3cWkVb2n8sLt5pRj9aGe1";
const FORM: &str = "application/x-www-form-urlencoded";

fn key(name: &str) -> Key {
    let path = format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    Key::pem(std::fs::read(path).unwrap())
}

fn ring(signing: &str, previous: &[&str]) -> Keyring {
    let ring = Keyring::builder(Algorithm::EdDsa).thumbprint_kids();
    let ring = ring.signing(key(signing));
    let ring = previous
        .iter()
        .fold(ring, |ring, name| ring.previous(key(name)));
    ring.build().unwrap()
}

struct App {
    router: Router,
    sessions: Sessions,
    faults: Faults,
    keyring: Keyring,
}

impl App {
    fn new() -> Self {
        let (keyring, faults) = (ring("ed25519", &[]), Faults::new());
        let store = faults.wrap(MemoryStore::new());
        let sessions = Sessions::builder(store, keyring.clone()).build().unwrap();
        let secrets = ClientSecrets::new([SECRET]).unwrap();
        let jwks = JwksService::new(keyring.clone());
        let introspection = Introspection::new([sessions.clone()], secrets);
        let router = Router::new()
            .route_service("/jwks", jwks.clone())
            .route_service("/short", jwks.max_age(Duration::from_secs(60)))
            .route_service("/introspect", introspection);
        Self {
            router,
            sessions,
            faults,
            keyring,
        }
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> Response<Body> {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    async fn log_in(&self) -> String {
        let token = self.sessions.new_session().login("jo").await;
        token.unwrap().into_string()
    }

    /// Verifies a token as a gateway does, with the published keys only.
    async fn verifies(&self, token: &str) -> bool {
        let set = read(self.get("/jwks").await).await;
        let set: JwkSet = serde_json::from_value(set).unwrap();
        let header = jsonwebtoken::decode_header(token).unwrap();
        let Some(key) = set.find(&header.kid.unwrap()) else {
            return false;
        };
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        let key = DecodingKey::from_jwk(key).unwrap();
        jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
    }

    /// Introspects a token with a client secret.
    async fn introspect(&self, token: &str) -> Value {
        let response = self
            .send(introspect(SECRET, format!("token={token}")))
            .await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["content-type"], "application/json");
        read(response).await
    }
}

fn introspect(secret: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/introspect").header("content-type", FORM);
    let request = request.header("authorization", format!("Bearer {secret}"));
    request.body(body.into()).unwrap()
}

async fn bytes(response: Response<Body>) -> Bytes {
    #[expect(clippy::disallowed_methods, reason = "a response of this test")]
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn read(response: Response<Body>) -> Value {
    serde_json::from_slice(&bytes(response).await).unwrap()
}

#[tokio::test]
async fn the_published_keys_follow_the_key_ring() {
    let app = App::new();
    let response = app.get("/jwks").await;
    assert_eq!(
        response.headers()["content-type"],
        "application/jwk-set+json"
    );
    assert_eq!(response.headers()["cache-control"], "public, max-age=300");
    let short = app.get("/short").await;
    assert_eq!(short.headers()["cache-control"], "public, max-age=60");
    let set = read(response).await;
    assert_eq!(
        set,
        serde_json::from_str::<Value>(&app.keyring.jwks()).unwrap()
    );

    let first = app.log_in().await;
    assert!(app.verifies(&first).await);
    let next = ring("ed25519.other", &["ed25519.pub"]);
    app.keyring.reload(&next).unwrap();
    let second = app.log_in().await;
    for token in [&first, &second] {
        assert!(app.verifies(token).await);
        assert_eq!(app.introspect(token).await["active"], true);
    }
    app.keyring.reload(&ring("ed25519.other", &[])).unwrap();
    assert!(!app.verifies(&first).await);
    assert_eq!(app.introspect(&first).await, json!({ "active": false }));
    assert!(app.verifies(&second).await);
    assert_eq!(app.introspect(&second).await["active"], true);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let app = App::new();
    for (path, methods, allowed) in [
        ("/jwks", ["POST", "DELETE"], "GET, HEAD"),
        ("/introspect", ["GET", "PUT"], "POST"),
    ] {
        for method in methods {
            let request = Request::builder().method(method).uri(path);
            let response = app.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), 405);
            assert_eq!(response.headers()["allow"], allowed);
            assert_eq!(response.headers()["cache-control"], "no-store");
        }
    }
    let head = Request::head("/jwks").body(Body::empty()).unwrap();
    assert_eq!(app.send(head).await.status(), 200);
}

/// A gateway verifies the signature, which proves nothing after a logout, and introspects the token.
#[tokio::test]
async fn only_introspection_notices_a_logout() {
    let app = App::new();
    let token = app.log_in().await;
    assert!(app.verifies(&token).await);
    assert_eq!(app.introspect(&token).await["sub"], "jo");
    let session = app.sessions.open(&token).await.unwrap();
    session.logout().await.unwrap();
    assert!(app.verifies(&token).await, "a token alone is not a login");
    assert_eq!(app.introspect(&token).await, json!({ "active": false }));
}

#[tokio::test]
async fn a_caller_without_the_secret_learns_nothing() {
    let app = App::new();
    let token = app.log_in().await;
    // Neither the store nor the body is read.
    app.faults.fail_with(StoreErrorKind::Connection);
    let unread = || Body::from_stream(futures_util::stream::pending::<Result<Bytes, String>>());
    let mut answers = Vec::new();
    for body in [
        format!("token={token}").into(),
        "token=a".into(),
        Body::empty(),
        unread(),
    ] {
        for request in [introspect("wrong", body), {
            let request = Request::post("/introspect").header("content-type", FORM);
            request.body(format!("token={token}").into()).unwrap()
        }] {
            let response = app.send(request).await;
            let headers = format!("{:?}", response.headers());
            answers.push((response.status(), headers, read(response).await));
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let (status, headers, body) = &answers[0];
    assert_eq!(*status, StatusCode::UNAUTHORIZED);
    assert_eq!(*body, json!({ "error": "invalid_client" }));
    assert!(
        headers.contains("Basic realm") && headers.contains("no-store"),
        "{headers}"
    );
}

#[tokio::test]
async fn requests_that_are_no_introspection_are_rejected() {
    let app = App::new();
    let token = app.log_in().await;
    let large = format!("token={}", "x".repeat(40 << 10));
    for (body, expected) in [
        (String::new(), 400),
        ("token".to_owned(), 400),
        ("token=".to_owned(), 400),
        ("access_token=a".to_owned(), 400),
        (format!("token={token}&token={token}"), 400),
        (format!("token={token}&%74oken=a"), 400),
        (large, 413),
        (format!("token={token}&token_type_hint=refresh_token"), 200),
    ] {
        let response = app.send(introspect(SECRET, body)).await;
        assert_eq!(response.status().as_u16(), expected);
        if expected != 200 {
            assert_eq!(read(response).await, json!({ "error": "invalid_request" }));
        }
    }
    for (header, value) in [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ] {
        let mut request = introspect(SECRET, format!("token={token}"));
        request.headers_mut().insert(header, value.parse().unwrap());
        assert_eq!(app.send(request).await.status(), 415, "{header}");
    }
    let mut request = introspect(SECRET, format!("token={token}"));
    request.headers_mut().remove("content-type");
    assert_eq!(app.send(request).await.status(), 415);
    let broken = futures_util::stream::iter([Err::<Bytes, _>("broken")]);
    let broken = introspect(SECRET, Body::from_stream(broken));
    assert_eq!(app.send(broken).await.status(), 400);
    // Text that cannot be a token gives no session.
    for token in ["a", "%00", "%FF", "a b", &"x".repeat(9000)] {
        assert_eq!(app.introspect(token).await, json!({ "active": false }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let app = App::new();
    let pending = futures_util::stream::pending::<Result<Bytes, String>>();
    let response = app
        .send(introspect(SECRET, Body::from_stream(pending)))
        .await;
    assert_eq!(response.status(), 408);
}

#[tokio::test]
async fn an_outage_is_503() {
    let app = App::new();
    let token = app.log_in().await;
    app.faults.fail_with(StoreErrorKind::Connection);
    let response = app.send(introspect(SECRET, format!("token={token}"))).await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(read(response).await["active"].is_null());
    app.faults.heal();
    assert_eq!(app.introspect(&token).await["active"], true);
}
