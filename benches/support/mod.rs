//! A session and requests for the benchmarks.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body_util::Empty;
use jwt_redis_session::store::Store;
use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, Session, Sessions, Token};
use serde_json::{Map, Value};

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(crate) const MAX_AGE: Duration = Duration::from_secs(86_400);

/// A record of 300 bytes without nested values: the alternatives parse all of it, so nesting would
/// count against them.
pub(crate) const RECORD: &str = concat!(
    r#"{"_jrs":{"created":1700000000},"user":"jo","visits":42,"theme":"dark","locale":"en-GB","#,
    r#""csrf":"0123456789abcdef0123456789abcdef","last":"2026-01-02T03:04:05Z","note":""#,
    r#"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"#,
    r#"23456789012345678901234567890123456789012345678901234"}"#,
);

pub(crate) type Body = Empty<Bytes>;
type Answer = Result<Response<Body>, Infallible>;

/// A stored session and its token.
pub(crate) struct Stored {
    pub(crate) sessions: Sessions,
    pub(crate) token: Token,
    /// The key of the record in the store.
    pub(crate) key: String,
}

impl Stored {
    /// Creates a session in memory.
    pub(crate) fn in_memory() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(Self::create(MemoryStore::new(), None))
    }

    /// Creates a session with the fields of [`RECORD`].
    pub(crate) async fn create(store: impl Store, owner: Option<&str>) -> Self {
        let keyring = Keyring::hs256(SECRET).unwrap();
        let sessions = Sessions::builder(store, keyring).max_age(MAX_AGE);
        let sessions = sessions.build().unwrap();
        let mut fields: Map<String, Value> = serde_json::from_str(RECORD).unwrap();
        fields.remove("_jrs");
        let session = sessions.new_session();
        session.merge(fields).unwrap();
        if let Some(owner) = owner {
            session.set_owner(owner).unwrap();
        }
        let token = session.create().await.unwrap();
        let key = format!("sess:{}", session.id().unwrap().as_str());
        Self {
            sessions,
            token,
            key,
        }
    }

    pub(crate) fn layer(&self) -> JwtRedisSession {
        JwtRedisSession::new(self.sessions.clone())
    }
}

/// Returns a request with the headers that every client sends.
pub(crate) fn request(uri: &str, token: Option<&Token>) -> Request<Body> {
    let mut request = Request::get(uri)
        .header("host", "example.com")
        .header("accept", "*/*")
        .header("user-agent", "bench");
    if let Some(token) = token {
        request = request.header("x-access-token", token.as_str());
    }
    request.body(Empty::new()).unwrap()
}

/// Returns a request with an extension, as servers and routers add before the layer is called.
pub(crate) fn extended(token: Option<&Token>) -> Request<Body> {
    let mut request = request("/read?page=2", token);
    request.extensions_mut().insert(7_u16);
    request
}

/// Answers without using the session.
pub(crate) fn ignore(request: Request<Body>) -> Ready<Answer> {
    std::hint::black_box(request);
    ready(Ok(Response::new(Empty::new())))
}

/// Reads one field of the session.
pub(crate) fn read(request: Request<Body>) -> Ready<Answer> {
    let session: &Session = request.extensions().get().unwrap();
    let theme: Option<String> = session.get("theme").unwrap();
    assert_eq!(theme.as_deref(), Some("dark"));
    drop(request);
    ready(Ok(Response::new(Empty::new())))
}

/// Returns the output of a future that never waits, since the store is in memory.
pub(crate) fn done<F: Future>(future: F) -> F::Output {
    future.now_or_never().unwrap()
}
