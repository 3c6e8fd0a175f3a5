//! What the fuzz targets share: a session that lives, at a time that stands still.

use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::{NewRecord, Store};
use jwt_redis_session::token::NewClaims;
use jwt_redis_session::{Keyring, MemoryStore, SessionId, Sessions};
use tokio::runtime::{Builder, Runtime};

pub const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub const NOW: i64 = 1_700_000_000;
pub const ID: &str = "0b54dd5c-1b1f-4a3c-9f57-6f4f0c0d9a11";
pub const TTL: Duration = Duration::from_secs(86_400);
/// Stands for the token of the living session wherever the fuzzer writes it.
pub const MARK: &str = "$T";

pub struct World {
    pub keyring: Keyring,
    pub store: MemoryStore,
    pub sessions: Sessions,
    /// Names the living session.
    pub token: String,
    runtime: Runtime,
}

impl World {
    pub fn new() -> Self {
        let keyring = Keyring::hs256(SECRET).unwrap();
        let claims = NewClaims::at(at(NOW - 10))
            .subject("jo")
            .expires_at(at(NOW + 10));
        let token = keyring.sign(&id(), &claims).unwrap().into_string();
        let clock = ManualClock::at(NOW);
        let store = MemoryStore::new().with_clock(clock.clone());
        let sessions = Sessions::builder(store.clone(), keyring.clone()).clock(clock);
        let world = Self {
            keyring,
            store,
            sessions: sessions
                .max_age(TTL)
                .max_fields(usize::MAX)
                .build()
                .unwrap(),
            token,
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
        };
        world.put(b"{\"user\":\"jo\"}");
        world
    }

    /// Stores `record` as that of the living session, and nothing else.
    pub fn put(&self, record: &[u8]) {
        self.store.clear();
        let key = key();
        let record = NewRecord::new(&key, record, TTL);
        assert!(self.run(self.store.insert(record)).unwrap());
    }

    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// `text` with the token in the place of every [`MARK`].
    pub fn with_token(&self, text: &str) -> String {
        text.replace(MARK, &self.token)
    }

    /// As [`with_token`](Self::with_token), for bytes that need not be text.
    pub fn bytes_with_token(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = bytes;
        while let Some(at) = rest
            .windows(MARK.len())
            .position(|part| part == MARK.as_bytes())
        {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(self.token.as_bytes());
            rest = &rest[at + MARK.len()..];
        }
        out.extend_from_slice(rest);
        out
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

pub fn at(unix_seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(unix_seconds.unsigned_abs())
}

pub fn id() -> SessionId {
    SessionId::parse(ID).unwrap()
}

pub fn key() -> String {
    format!("sess:{ID}")
}
