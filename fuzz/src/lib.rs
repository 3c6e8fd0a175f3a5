//! What the fuzz targets share: one active session, at a fixed time.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::{NewRecord, Store};
use jwt_redis_session::token::NewClaims;
use jwt_redis_session::{Keyring, MemoryStore, SessionId, Sessions};
use tokio::runtime::{Builder, Runtime};

pub const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub const NOW: i64 = 1_700_000_000;
pub const KEY: &str = "sess:0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11";
/// Name of the query parameter, field or cookie that holds the token.
pub const NAME: &str = "accessToken";

const TTL: Duration = Duration::from_secs(86_400);

thread_local! {
    static FIXTURE: Fixture = Fixture::new();
}

/// Calls `check` with the fixture of this thread, which is built once.
pub fn with_fixture<T>(check: impl FnOnce(&Fixture) -> T) -> T {
    FIXTURE.with(check)
}

pub struct Fixture {
    pub keyring: Keyring,
    pub store: MemoryStore,
    pub sessions: Sessions,
    /// Names the active session.
    pub token: String,
    runtime: Runtime,
}

impl Fixture {
    fn new() -> Self {
        let keyring = Keyring::hs256(SECRET).unwrap();
        let ten = Duration::from_secs(10);
        let claims = NewClaims::at(now() - ten)
            .subject("jo")
            .expires_at(now() + ten);
        let token = keyring.sign(&id(), &claims).unwrap().into_string();
        let clock = ManualClock::at(NOW);
        let store = MemoryStore::new().with_clock(clock.clone());
        let sessions = Sessions::builder(store.clone(), keyring.clone()).clock(clock);
        let sessions = sessions.max_age(TTL).max_fields(usize::MAX).build();
        let fixture = Self {
            keyring,
            store,
            sessions: sessions.unwrap(),
            token,
            runtime: Builder::new_current_thread().enable_all().build().unwrap(),
        };
        fixture.put(br#"{"user":"jo"}"#);
        fixture
    }

    /// Stores `record` as that of the active session, and nothing else.
    pub fn put(&self, record: &[u8]) {
        self.store.clear();
        let insert = self.store.insert(NewRecord::new(KEY, record, TTL));
        assert!(self.run(insert).unwrap());
    }

    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Replaces every `$T` in `text` with the token.
    pub fn with_token(&self, text: &str) -> String {
        text.replace("$T", &self.token)
    }
}

pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs())
}

pub fn id() -> SessionId {
    SessionId::parse(&KEY["sess:".len()..]).unwrap()
}
