//! What each operation promises, through the public API.
//!
//! The bodies take any store; `on_every_store!` makes tests of them. What needs the store's time
//! moved by hand, or its faults, stands in `by_the_clock` and `faults` and is of the
//! `MemoryStore` alone.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_redis_session::config::SessionsBuilder;
use jwt_redis_session::store::{
    IndexEntry, IndexFilter, NewEntry, NewRecord, PutMode, SharedStore, Store, StoredRecord,
};
use jwt_redis_session::testing::{Faults, Step};
use jwt_redis_session::{
    Keyring, OpaqueTokens, Session, SessionError, SessionId, SessionState, Sessions, Token,
    TokenRejection, token::Encoding,
};
use serde_json::{Value, json};
use test_support::Counting;

use crate::support::{alive_tasks, eventually, rounds};

const UNKNOWN: SessionError = SessionError::Rejected(TokenRejection::Unknown);

/// Makes a test of each body for every store; each gets a fresh one, Redis a server of its own.
macro_rules! on_every_store {
    ($($body:ident),* $(,)?) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $body() {
                    super::$body(jwt_redis_session::MemoryStore::new()).await;
                }
            )*
        }

        #[cfg(feature = "redis")]
        mod redis {
            $(
                #[tokio::test]
                async fn $body() {
                    let server = crate::support::redis_server::RedisServer::start();
                    let store = jwt_redis_session::RedisStore::connect(&server.url()).await;
                    super::$body(store.expect("connect")).await;
                }
            )*
        }
    };
}

mod by_the_clock;
mod chosen_ids;
mod creation;
mod dropped;
mod faults;
mod gone;
mod handles;
mod keep_alive;
mod limits;
mod login;
mod names;
mod owners;
mod rotation;
mod stores;
mod typed;
mod unsaved;
mod values;

use stores::{Late, Meddling, SeeNoTtl, SeeNothing, SlowLink, intercepted, yielding};

// Helpers.

fn keyring() -> Keyring {
    Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap()
}

fn builder(store: impl Into<SharedStore>) -> SessionsBuilder {
    Sessions::builder(store, keyring())
}

fn sessions(store: impl Into<SharedStore>) -> Sessions {
    builder(store).build().unwrap()
}

/// A new session of `jo` that holds `{"a":1}`.
async fn created(sessions: &Sessions) -> (Session, Token) {
    created_for(sessions, "jo").await
}

async fn created_for(sessions: &Sessions, owner: &str) -> (Session, Token) {
    let session = sessions.new_session();
    session.insert("a", 1).unwrap();
    session.set_owner(owner).unwrap();
    let token = session.create().await.unwrap();
    (session, token)
}

async fn open(sessions: &Sessions, token: &Token) -> Result<Session, SessionError> {
    sessions.open(token.as_str()).await
}

async fn refusal(sessions: &Sessions, token: &Token) -> Option<SessionError> {
    open(sessions, token).await.err()
}

fn id(session: &Session) -> SessionId {
    session.id().unwrap()
}

fn key(session: &Session) -> String {
    format!("sess:{}", id(session).as_str())
}

async fn record(store: &impl Store, key: &str) -> Option<StoredRecord> {
    store.load(key).await.unwrap()
}

async fn text(store: &impl Store, key: &str) -> String {
    String::from_utf8(record(store, key).await.unwrap().value.to_vec()).unwrap()
}

async fn insert(store: &impl Store, id: &SessionId, value: &str) {
    let (key, ttl) = (format!("sess:{}", id.as_str()), Duration::from_secs(60));
    let record = NewRecord::new(&key, value.as_bytes(), ttl);
    assert_eq!(store.insert(record).await, Ok(true));
}

/// The entries of an index.
async fn entries(store: &impl Store, index: &str) -> Vec<IndexEntry> {
    store.index_list(index, IndexFilter::All).await.unwrap()
}

async fn listed(sessions: &Sessions, owner: &str) -> Vec<SessionId> {
    let entries = sessions.list(owner).await.unwrap();
    entries.iter().map(|entry| entry.id().clone()).collect()
}

/// Lets tasks in the background come to their end.
async fn settle() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}

/// Polls `future` so many times and drops it, unless it ends before; then lets what it has
/// started come to its end.
async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let before = alive_tasks();
    let output = poll(polls, future).await;
    let ended = async || (alive_tasks() <= before).then_some(());
    eventually("what was started ends", ended).await;
    output
}

async fn poll<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = futures_util::poll!(future.as_mut()) {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}
