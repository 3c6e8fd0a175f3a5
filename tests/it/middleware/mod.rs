//! The layers `JwtRedisSession` and `RequireSession` around tower services.

mod answers;
#[cfg(all(feature = "axum", feature = "cookie", feature = "redis"))]
mod browsers;
#[cfg(feature = "axum")]
mod composition;
#[cfg(feature = "cookie")]
mod cookie;
mod grpc;
mod lazy;
mod several;
mod sources;
mod step_up;
#[cfg(feature = "axum")]
mod through_axum;
mod tickets;
mod tower_rules;

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use jwt_redis_session::middleware::{LazySession, LazyTagged};
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::testing::Faults;
use jwt_redis_session::{
    JwtRedisSession, Keyring, MemoryStore, RequireSession, Session, SessionRejection, SessionState,
    Sessions, Tagged, TokenSource, TokenSources,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::log::Log;

type Body = Full<Bytes>;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn keyring() -> Keyring {
    Keyring::hs256("a secret of at least 32 random bytes").unwrap()
}

fn sessions() -> (Faults, Sessions) {
    let faults = Faults::new();
    let store = faults.wrap(MemoryStore::new());
    let sessions = Sessions::builder(store, keyring()).build().unwrap();
    (faults, sessions)
}

/// The token of a new session of `jo`.
async fn token(sessions: &Sessions) -> String {
    let session = sessions.new_session();
    session.insert("user", "jo").unwrap();
    session.create().await.unwrap().into_string()
}

fn get(uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    request("GET", uri, headers, "")
}

fn post(content_type: &str, body: impl Into<Bytes>) -> Request<Body> {
    request("POST", "/", &[("content-type", content_type)], body)
}

/// A GET request with `token` in a header.
fn with(token: &str) -> Request<Body> {
    get("/", &[("x-access-token", token)])
}

fn request(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

fn session<B>(request: &Request<B>) -> Session {
    let session: Option<&Session> = request.extensions().get();
    session.expect("the layer is present").clone()
}

/// Answers with what a handler sees: the state and the query in headers, and the body.
async fn describe(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let state = session(&request).state();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let described = Response::builder()
        .header("state", described(&state))
        .header("query", query)
        .body(request.into_body());
    Ok(described.unwrap())
}

fn described(state: &SessionState) -> String {
    match state {
        SessionState::Absent { unsearched: None } => "Absent".to_owned(),
        SessionState::Absent {
            unsearched: Some(reason),
        } => format!("unsearched: {reason}"),
        SessionState::Rejected(reason) => reason.as_str().to_owned(),
        state => format!("{state:?}"),
    }
}

fn header<'a, B>(response: &'a Response<B>, name: &str) -> Option<&'a str> {
    Some(response.headers().get(name)?.to_str().unwrap())
}

async fn text<B>(body: B) -> String
where
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    #[expect(clippy::disallowed_methods, reason = "a response of this test")]
    let body = body.collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}
