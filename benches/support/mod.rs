//! What the benchmarks of sessions share.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body_util::Empty;
use jwt_redis_session::store::{NewRecord, Store};
use jwt_redis_session::{
    JwtRedisSession, Keyring, MemoryStore, NewClaims, Session, SessionBody, SessionId, Sessions,
    Token,
};
use tower::{Layer, Service};

pub(crate) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(crate) const MAX_AGE: Duration = Duration::from_secs(86_400);
pub(crate) const KEY: &str = "sess:0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11";
const ID: &str = "0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11";

/// 300 bytes; `theme` stands in the middle.
pub(crate) const RECORD: &str = concat!(
    r#"{"_jrs":{"created":1700000000},"user":{"name":"jo","email":"jo@example.com","roles":"#,
    r#"["editor","admin"]},"visits":42,"theme":"dark","locale":"en-GB","cart":[{"sku":"#,
    r#""A-1001","count":2},{"sku":"B-2002","count":1}],"csrf":"0123456789abcdef0123456789"#,
    r#"abcdef","last":"2026-01-02T03:04:05Z","note":"0123456"}"#,
);

pub(crate) type Body = Empty<Bytes>;
pub(crate) type Seen = Request<SessionBody<Body>>;
pub(crate) type Answer = Result<Response<Body>, Infallible>;

/// A session that lives in a store, and a token for it.
pub(crate) struct World<S = MemoryStore> {
    pub(crate) store: S,
    pub(crate) sessions: Sessions,
    pub(crate) token: Token,
}

impl World {
    /// Lives in memory.
    pub(crate) fn new() -> Self {
        let store = MemoryStore::new();
        let record = NewRecord::new(KEY, RECORD.as_bytes(), MAX_AGE);
        assert!(done(store.insert(record)).unwrap());
        Self::with(store)
    }
}

impl<S: Store + Clone> World<S> {
    /// Lives in `store`, which holds [`RECORD`] under [`KEY`].
    pub(crate) fn with(store: S) -> Self {
        assert_eq!(RECORD.len(), 300);
        let keyring = Keyring::hs256(SECRET).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let iat = now.as_secs() as i64;
        let claims = NewClaims::at(iat)
            .subject("user-42")
            .expires_at(iat + 86_400);
        let token = keyring
            .sign(&SessionId::parse(ID).unwrap(), &claims)
            .unwrap();
        let sessions = Sessions::builder(store.clone(), keyring).max_age(MAX_AGE);
        Self {
            store,
            sessions: sessions.build().unwrap(),
            token,
        }
    }

    /// Lays the layer around `inner`.
    pub(crate) fn layered<I>(
        &self,
        inner: I,
    ) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible>
    where
        I: Service<Seen, Response = Response<Body>, Error = Infallible> + Clone,
    {
        JwtRedisSession::new(self.sessions.clone()).layer(inner)
    }
}

/// A request with the headers that every client sends.
pub(crate) fn request(token: Option<&Token>) -> Request<Body> {
    let mut request = Request::get("/read?page=2")
        .header("host", "example.com")
        .header("accept", "*/*")
        .header("user-agent", "bench");
    if let Some(token) = token {
        request = request.header("x-access-token", token.as_str());
    }
    request.body(Empty::new()).unwrap()
}

/// As servers and routers hand it on: something is in the extensions already.
pub(crate) fn with_extensions(mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(7_u16);
    request
}

/// Answers without looking at the session.
pub(crate) fn ignore(request: Seen) -> Ready<Answer> {
    std::hint::black_box(request);
    ready(Ok(Response::new(Empty::new())))
}

/// Reads one field of the session.
pub(crate) fn read(request: Seen) -> Ready<Answer> {
    let session: &Session = request.extensions().get().unwrap();
    let theme: Option<String> = session.get("theme").unwrap();
    assert_eq!(theme.as_deref(), Some("dark"));
    drop(request);
    ready(Ok(Response::new(Empty::new())))
}

/// The outcome of a future that never waits: the store is in memory.
pub(crate) fn done<F: Future>(future: F) -> F::Output {
    future.now_or_never().unwrap()
}
