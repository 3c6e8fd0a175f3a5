//! The layers, as an application has them.

mod answers;
mod several;
mod sources;
#[cfg(feature = "axum")]
mod through_axum;
mod tower_rules;
mod wire;

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use jwt_redis_session::testing::Faults;
use jwt_redis_session::{Keyring, MemoryStore, Session, SessionBody, SessionState, Sessions};

type Body = Full<Bytes>;

const FORM: &str = "application/x-www-form-urlencoded";

fn keyring() -> Keyring {
    Keyring::hs256("a secret of at least 32 random bytes").unwrap()
}

fn sessions() -> (Faults, Sessions) {
    let faults = Faults::new();
    let store = faults.wrap(MemoryStore::new());
    let sessions = Sessions::builder(store, keyring()).build().unwrap();
    (faults, sessions)
}

/// A new session of `jo`.
async fn token(sessions: &Sessions) -> String {
    let session = sessions.new_session();
    session.insert("user", "jo").unwrap();
    session.create().await.unwrap().into_string()
}

fn get(uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    request("GET", uri, headers, "")
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
    session.expect("the layer is there").clone()
}

/// Tells in headers what a handler sees: the state, the query, the body.
async fn tell(request: Request<SessionBody<Body>>) -> Result<Response<Body>, Infallible> {
    let state = session(&request).state();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let told = Response::builder()
        .header("state", told(&state))
        .header("query", query)
        .body(Full::new(body));
    Ok(told.unwrap())
}

fn told(state: &SessionState) -> String {
    match state {
        SessionState::Rejected(reason) => reason.as_str().to_owned(),
        state => format!("{state:?}"),
    }
}

fn header<'a, B>(response: &'a Response<B>, name: &str) -> Option<&'a str> {
    Some(response.headers().get(name)?.to_str().unwrap())
}
