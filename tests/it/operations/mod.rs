//! What each operation promises, through the public API.
//!
//! Most tests take any store; `on_every_store!` runs them on memory, on Redis and on a cluster.
//! Tests that move the clock of the store or make it fail use `MemoryStore`.

use std::sync::Arc;
use std::time::Duration;

use jwt_redis_session::config::{ManualClock, SessionsBuilder};
use jwt_redis_session::store::{
    IndexEntry, NewEntry, NewRecord, PutMode, SharedStore, Store, StoreErrorKind, StoredRecord,
};
use jwt_redis_session::testing::{Faults, Step};
use jwt_redis_session::{
    Keyring, Lifetime, MemoryStore, OpaqueTokens, Session, SessionError, SessionId, SessionState,
    Sessions, Token, TokenRejection, Touch,
};
use serde_json::{Value, json};
use test_support::Counting;

/// A test of any store, as the module `cluster` runs it.
#[cfg(feature = "cluster")]
type OnCluster =
    fn(jwt_redis_session::RedisStore) -> futures_util::future::LocalBoxFuture<'static, ()>;

/// Defines a test for each function and every store. Each test has a fresh store or server.
macro_rules! on_every_store {
    ($($body:ident),* $(,)?) => {
        #[cfg(feature = "cluster")]
        pub(super) const ON_CLUSTER: &[super::OnCluster] = &[$(|store| Box::pin($body(store))),*];

        $(
        mod $body {
            #[tokio::test]
            async fn memory() {
                super::$body(jwt_redis_session::MemoryStore::new()).await;
            }

            #[cfg(feature = "redis")]
            #[tokio::test]
            async fn redis() {
                let server = crate::support::redis_server::RedisServer::start();
                let store = jwt_redis_session::RedisStore::connect(&server.url()).await;
                super::$body(store.expect("connect")).await;
            }
        }
        )*
    };
}

mod absolute_expiry;
mod authentication;
mod chosen_ids;
#[cfg(feature = "redis")]
mod clocks;
#[cfg(feature = "cluster")]
mod cluster;
#[cfg(feature = "redis")]
mod corrupt;
mod creation;
mod destroy;
mod devices;
mod everything;
mod extremes;
mod failures;
mod future_sizes;
mod grace;
mod grace_beside;
mod grace_races;
mod handles;
mod hooks;
mod introspection;
mod keep_alive;
mod lifetimes;
mod limits;
mod login;
mod max_age;
mod merging;
mod newer_max_age;
mod owners;
mod pages;
mod reload;
mod rotation;
pub(crate) mod tickets;
mod unsaved;
mod values;

const UNKNOWN: SessionError = SessionError::Rejected(TokenRejection::Unknown);

/// The index of the owner `jo`.
const INDEX: &str = "sess::jo:";

fn keyring() -> Keyring {
    Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap()
}

fn builder(store: impl Into<SharedStore>) -> SessionsBuilder {
    Sessions::builder(store, keyring())
}

fn sessions(store: impl Into<SharedStore>) -> Sessions {
    builder(store).build().unwrap()
}

/// A handle with the data `{"a":1}`.
fn prepared(sessions: &Sessions, owner: Option<&str>) -> Session {
    let session = sessions.new_session();
    session.insert("a", 1).unwrap();
    if let Some(owner) = owner {
        session.set_owner(owner).unwrap();
    }
    session
}

/// A new session with the data `{"a":1}`.
async fn created(sessions: &Sessions, owner: Option<&str>) -> (Session, Token) {
    let session = prepared(sessions, owner);
    let token = session.create().await.unwrap();
    (session, token)
}

async fn open(sessions: &Sessions, token: &Token) -> Result<Session, SessionError> {
    sessions.open(token.as_str()).await
}

async fn assert_ended(sessions: &Sessions, token: &Token) {
    assert_eq!(open(sessions, token).await.err(), Some(UNKNOWN));
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

/// Puts data that is not a record where the record of `session` is.
async fn spoil(store: &impl Store, session: &Session, is_record: bool) {
    let key = key(session);
    assert_eq!(store.delete(&key).await, Ok(true));
    if is_record {
        insert(store, &id(session), "[]").await;
    } else {
        let entry = NewEntry::new(&key, "member", 1, Duration::from_secs(60));
        let put = store.index_put(entry, PutMode::KeepTombstone).await;
        put.unwrap();
    }
}

async fn entries(store: &impl Store, index: &str) -> Vec<IndexEntry> {
    store.index_list(index, None).await.unwrap()
}

async fn listed(sessions: &Sessions, owner: &str) -> Vec<SessionId> {
    let entries = sessions.list(owner).await.unwrap();
    entries.iter().map(|entry| entry.id().clone()).collect()
}

fn assert_unavailable<T>(outcome: Result<T, SessionError>, kind: StoreErrorKind) {
    match outcome.map(drop) {
        Err(SessionError::Unavailable(error)) => assert_eq!(error.kind(), kind),
        other => panic!("{other:?}"),
    }
}

/// The operations that report that a session has ended.
const NOTICE_THE_END: &str = "update update_with replace reload touch touch_for rotate";

fn operations() -> impl Iterator<Item = &'static str> {
    let others = "list destroy_others destroy destroy_all keep_alive";
    NOTICE_THE_END.split(' ').chain(others.split(' '))
}

/// Runs one of [`operations`].
async fn run(operation: &str, session: &Session) -> Result<(), SessionError> {
    match operation {
        "update" => session.update().await,
        "update_with" => session.update_with(|_| Ok(())).await,
        "replace" => session.replace(json!({"c": 3})).await,
        "reload" => session.reload().await,
        "touch" => session.touch().await,
        "touch_for" => session.touch_for(Duration::from_secs(60)).await,
        "rotate" => session.rotate().await.map(drop),
        "list" => session.list().await.map(drop),
        "destroy_others" => session.destroy_others().await.map(drop),
        "destroy" => session.destroy().await.map(drop),
        "destroy_all" => session.destroy_all().await.map(drop),
        "keep_alive" => session.keep_alive().await.map(drop),
        other => panic!("{other}"),
    }
}

/// Lets background tasks end.
async fn settle() {
    for _ in 0..300 {
        tokio::task::yield_now().await;
    }
}
