//! The layers, as an application has them.

mod answers;
mod bodies;
#[cfg(feature = "axum")]
mod composition;
#[cfg(feature = "axum")]
mod layer_order;
mod lazy;
mod several;
mod sources;
#[cfg(feature = "axum")]
mod through_axum;
mod tower_rules;
#[cfg(feature = "axum")]
mod upgrades;
mod wire;

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use jwt_redis_session::testing::Faults;
use jwt_redis_session::{Keyring, MemoryStore, Session, SessionState, Sessions};

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
async fn describe(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let state = session(&request).state();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let described = Response::builder()
        .header("state", described(&state))
        .header("query", query)
        .body(Full::new(body));
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

/// The events of a test at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Records the events of this thread.
    fn record(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
