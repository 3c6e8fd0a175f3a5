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

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_redis_session::store::{Command, Reply, Store, StoreError, Stored};
use jwt_redis_session::{
    Encoding, Keyring, OpaqueTokens, Session, SessionError, SessionId, SessionState, Sessions,
    SessionsBuilder, Token, TokenRejection,
};
use serde_json::{Value, json};

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
mod names;
mod owners;
mod rotation;
mod values;

// Stores that count, meddle or wait.

/// Counts calls.
#[derive(Clone, Debug)]
struct Counting<S> {
    store: S,
    calls: Arc<AtomicUsize>,
}

impl<S> Counting<S> {
    fn new(store: S) -> Self {
        let calls = Arc::default();
        Self { store, calls }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl<S: Store> Store for Counting<S> {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.store.run(commands).await
    }
}

/// Writes another value into a record just before it is compared, so many times.
#[derive(Clone, Debug)]
struct Meddling<S> {
    store: S,
    left: Arc<AtomicUsize>,
}

impl<S: Store> Meddling<S> {
    fn new(store: S, times: usize) -> Self {
        let left = Arc::new(AtomicUsize::new(times));
        Self { store, left }
    }

    async fn meddle(&self, key: &str) {
        let left = self.left.load(Ordering::SeqCst);
        let Some(Stored { value, ttl }) = record(&self.store, key).await else {
            return;
        };
        if left == 0 {
            return;
        }
        self.left.store(left - 1, Ordering::SeqCst);
        let mut object: Value = serde_json::from_slice(&value).unwrap();
        object["meddled"] = left.into();
        let value = &serde_json::to_vec(&object).unwrap()[..];
        let ttl = ttl.unwrap();
        self.store
            .run(&[Command::Replace { key, value, ttl }])
            .await
            .unwrap();
    }
}

#[async_trait]
impl<S: Store> Store for Meddling<S> {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        for command in commands {
            if let Command::CompareAndSet { key, .. } | Command::CompareAndDelete { key, .. } =
                command
            {
                self.meddle(key).await;
            }
        }
        self.store.run(commands).await
    }
}

/// Waits before and after each single command.
#[derive(Clone, Debug)]
struct Waiting<S>(S);

#[async_trait]
impl<S: Store> Store for Waiting<S> {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let mut replies = Vec::new();
        for command in commands {
            tokio::task::yield_now().await;
            replies.append(&mut self.0.run(&[*command]).await?);
            tokio::task::yield_now().await;
        }
        Ok(replies)
    }
}

// Helpers.

fn keyring() -> Keyring {
    Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap()
}

fn builder(store: impl Store) -> SessionsBuilder {
    Sessions::builder(store, keyring())
}

fn sessions(store: impl Store) -> Sessions {
    builder(store).build().unwrap()
}

/// A new session of `jo` that holds `{"a":1}`.
async fn created(sessions: &Sessions) -> (Session, Token) {
    created_for(sessions, "jo").await
}

async fn created_for(sessions: &Sessions, owner: &str) -> (Session, Token) {
    let session = sessions.new_session();
    session.insert("a", 1).unwrap();
    session.set_owner(owner);
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

async fn record(store: &impl Store, key: &str) -> Option<Stored> {
    match store.run(&[Command::Load { key }]).await.as_deref() {
        Ok([Reply::Record(record)]) => record.clone(),
        other => panic!("{other:?}"),
    }
}

async fn text(store: &impl Store, key: &str) -> String {
    String::from_utf8(record(store, key).await.unwrap().value.to_vec()).unwrap()
}

async fn insert(store: &impl Store, id: &SessionId, value: &str) {
    let (key, ttl) = (format!("sess:{}", id.as_str()), Duration::from_secs(60));
    let (key, value) = (&key[..], value.as_bytes());
    let inserted = store
        .run(&[Command::Insert { key, value, ttl }])
        .await
        .unwrap();
    assert_eq!(inserted, [Reply::Applied(true)]);
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
