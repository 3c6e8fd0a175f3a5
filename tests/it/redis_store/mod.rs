//! The Redis store against a real Redis. The conformance suite covers what each method does.

use std::time::Duration;

use jwt_redis_session::store::{
    CompareOutcome, Due, NewEntry, NewRecord, PutMode, Store, StoreErrorKind, StoredRecord,
};
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::conformance;
use crate::support::redis_server::{RedisServer, admin};

mod account;
#[cfg(feature = "cluster")]
mod cluster;
mod commands;
mod connect;
mod order;
#[cfg(feature = "sentinel")]
mod sentinel;

const TTL: Duration = Duration::from_secs(60);

const KEEP: PutMode = PutMode::KeepTombstone;

const fn record<'a>(key: &'a str, value: &'a [u8]) -> NewRecord<'a> {
    NewRecord::new(key, value, TTL)
}

const fn entry<'a>(index: &'a str, member: &'a str, check_after: i64) -> NewEntry<'a> {
    NewEntry::new(index, member, check_after, TTL)
}

async fn connected() -> (RedisServer, RedisStore) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await;
    (server, store.expect("connect"))
}

/// Returns a configuration with time limits that suit a busy machine.
fn patient(url: &str) -> RedisConfig {
    let patience = Duration::from_secs(10);
    RedisConfig::new(url)
        .deadline(patience)
        .connect_timeout(patience)
        .response_timeout(patience)
}

async fn load(store: &RedisStore, key: &str) -> Option<StoredRecord> {
    store.load(key).await.expect("redis answers")
}
