//! The Redis store against a real Redis.

use std::collections::BTreeSet;
use std::time::Duration;

use jwt_redis_session::store::{
    CompareOutcome, Due, EntryState, IndexFilter, InsertOutcome, NewEntry, NewRecord, PutMode,
    Store, StoreErrorKind, SupersedeOutcome,
};
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::support::redis_server::{self, RedisServer, admin};
use crate::support::unique;

mod account;
mod commands;
mod connect;
#[cfg(feature = "test-util")]
mod order;

const TTL: Duration = Duration::from_secs(60);

const MINUTES: Duration = Duration::from_secs(600);

/// When the tombstones of these tests are set, in Unix seconds.
const NOW: i64 = 1_700_000_000;

const KEEP: PutMode = PutMode::KeepTombstone;

const ALL: IndexFilter = IndexFilter::All;

const fn due(by: i64, limit: usize) -> IndexFilter {
    IndexFilter::Due(Due { by, limit })
}

const fn record<'a>(key: &'a str, value: &'a [u8]) -> NewRecord<'a> {
    NewRecord::new(key, value, TTL)
}

const fn entry<'a>(index: &'a str, member: &'a str, check_after: i64) -> NewEntry<'a> {
    NewEntry::new(index, member, check_after, TTL)
}

const fn active(check_after: i64) -> EntryState {
    EntryState::Active { check_after }
}

const DELETING: EntryState = EntryState::Deleting { since: NOW };

async fn store() -> (RedisStore, String, Option<RedisServer>) {
    let (url, server) = redis_server::any();
    (
        RedisStore::connect(&url).await.expect("connect"),
        url,
        server,
    )
}

async fn value(store: &RedisStore, key: &str) -> Option<(Vec<u8>, Option<Duration>)> {
    let record = store.load(key).await.expect("redis answers");
    record.map(|record| (record.value.to_vec(), record.ttl))
}

async fn put(store: &RedisStore, index: &str, member: &str, check_after: i64) {
    let put = store.index_put(entry(index, member, check_after), KEEP);
    put.await.expect("redis answers");
}

async fn list(store: &RedisStore, index: &str, filter: IndexFilter) -> BTreeSet<(String, i64)> {
    let entries = store
        .index_list(index, filter)
        .await
        .expect("redis answers");
    let entries = entries.into_iter();
    entries
        .map(|entry| (entry.member, entry.state.score()))
        .collect()
}

fn set<const N: usize>(entries: [(&str, i64); N]) -> BTreeSet<(String, i64)> {
    let owned = |(name, score): (&str, i64)| (name.to_owned(), score);
    entries.into_iter().map(owned).collect()
}

/// Calls every required method; used again over other ways to Redis.
async fn walk(store: &RedisStore) {
    let (key, index) = (&*unique("jrs:walk"), &*unique("jrs:walk:index"));
    store.ping().await.expect("redis answers");
    walk_record(store, key).await;
    walk_index(store, index).await;
}

async fn walk_record(store: &RedisStore, key: &str) {
    assert_eq!(value(store, key).await, None);
    assert_eq!(store.insert(record(key, b"one")).await, Ok(true));
    assert_eq!(store.insert(record(key, b"two")).await, Ok(false));
    let (held, ttl) = value(store, key).await.expect("stored");
    assert_eq!(held, b"one");
    assert!(ttl.is_some_and(|ttl| ttl <= TTL && ttl > TTL - Duration::from_secs(20)));

    let new = NewRecord::new(key, b"\0\xff1", MINUTES);
    let mismatch = CompareOutcome::Mismatch(b"one".as_slice().into());
    assert_eq!(store.compare_and_set(b"other", new).await, Ok(mismatch));
    let set = store.compare_and_set(b"one", new).await;
    assert_eq!(set, Ok(CompareOutcome::Applied));
    let (held, ttl) = value(store, key).await.expect("stored");
    assert_eq!(held, b"\0\xff1");
    assert!(ttl.is_some_and(|ttl| ttl > TTL));

    let mismatch = CompareOutcome::Mismatch(b"\0\xff1".as_slice().into());
    assert_eq!(store.compare_and_delete(key, b"one").await, Ok(mismatch));
    let delete = || store.compare_and_delete(key, b"\0\xff1");
    assert_eq!(delete().await, Ok(CompareOutcome::Applied));
    assert_eq!(delete().await, Ok(CompareOutcome::Missing));
    let set = store.compare_and_set(b"one", new).await;
    assert_eq!(set, Ok(CompareOutcome::Missing));

    assert_eq!(store.set_ttl(key, MINUTES).await, Ok(false));
    assert_eq!(store.insert(record(key, b"0")).await, Ok(true));
    assert_eq!(store.set_ttl(key, MINUTES).await, Ok(true));
    let (held, ttl) = value(store, key).await.expect("stored");
    assert_eq!(held, b"0");
    assert!(ttl.is_some_and(|ttl| ttl > TTL));
    assert_eq!(store.delete(key).await, Ok(true));
    assert_eq!(store.delete(key).await, Ok(false));
}

async fn walk_index(store: &RedisStore, index: &str) {
    let get = async |member| store.index_get(index, member).await;
    assert_eq!(get("a").await, Ok(None));
    assert_eq!(list(store, index, ALL).await, set([]));
    put(store, index, "a", 100).await;
    put(store, index, "b", 300).await;
    put(store, index, "b", 200).await;
    put(store, index, "c", i64::MAX).await;
    assert_eq!(get("a").await, Ok(Some(active(100))));
    let expected = [("a", 100), ("b", 300), ("c", i64::MAX)];
    assert_eq!(list(store, index, ALL).await, set(expected));

    assert_eq!(list(store, index, due(99, 9)).await, set([]));
    let both = [("a", 100), ("b", 300)];
    assert_eq!(list(store, index, due(300, 9)).await, set(both));
    assert_eq!(list(store, index, due(300, 1)).await, set([("a", 100)]));
    assert_eq!(list(store, index, due(300, 0)).await, set([]));

    use SupersedeOutcome::{NewNotActive, OldNotActive, Superseded};
    for (old, new, outcome) in [
        ("x", "b", OldNotActive),
        ("a", "x", NewNotActive),
        ("a", "b", Superseded),
        ("a", "b", OldNotActive),
        ("b", "a", NewNotActive),
    ] {
        let superseded = store.index_supersede(index, old, new, NOW).await;
        assert_eq!(superseded, Ok(outcome), "{old} by {new}");
    }
    assert_eq!(get("a").await, Ok(Some(DELETING)));
    put(store, index, "a", 500).await;
    assert_eq!(get("a").await, Ok(Some(DELETING)), "a tombstone is kept");
    let again = store.index_put(entry(index, "a", 7), PutMode::Reactivate);
    assert_eq!(again.await, Ok(()));
    assert_eq!(get("a").await, Ok(Some(active(7))), "reactivated");
    let lower = store.index_put(entry(index, "a", 6), PutMode::Reactivate);
    assert_eq!(lower.await, Ok(()));
    assert_eq!(get("a").await, Ok(Some(active(7))), "never lowered");

    walk_tombstones(store, index).await;
}

async fn walk_tombstones(store: &RedisStore, index: &str) {
    let all = async |keep| {
        let all = store.index_tombstone_all(index, keep, NOW).await;
        all.expect("redis answers")
            .into_iter()
            .collect::<BTreeSet<_>>()
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(all(Some("b")).await, names(&["a", "c"]));
    assert_eq!(store.index_get(index, "b").await, Ok(Some(active(300))));
    let later = store.index_tombstone_all(index, None, NOW + 1).await;
    assert_eq!(later.map(|all| all.len()), Ok(3));
    let expected = [("a", -NOW), ("b", -NOW - 1), ("c", -NOW)];
    assert_eq!(
        list(store, index, ALL).await,
        set(expected),
        "older ones keep their time"
    );
    assert_eq!(list(store, index, due(i64::MAX, 9)).await, set([]));

    let remove = async |members: &[&str], by| store.index_remove(index, members, by).await;
    assert_eq!(remove(&[], None).await, Ok(()));
    assert_eq!(remove(&["a", "b"], Some(i64::MAX)).await, Ok(()));
    assert_eq!(
        list(store, index, ALL).await,
        set(expected),
        "tombstones stay"
    );
    assert_eq!(remove(&["a", "b", "none"], None).await, Ok(()));
    assert_eq!(all(None).await, names(&["c"]));
    assert_eq!(remove(&["c"], None).await, Ok(()));
    put(store, index, "d", 5).await;
    put(store, index, "e", 6).await;
    assert_eq!(remove(&["d", "e"], Some(5)).await, Ok(()));
    assert_eq!(list(store, index, ALL).await, set([("e", 6)]));
    assert_eq!(remove(&["e"], Some(6)).await, Ok(()));
    assert_eq!(list(store, index, ALL).await, set([]));
}
