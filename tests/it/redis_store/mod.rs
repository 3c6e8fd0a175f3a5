//! Every command of the store contract against a real Redis.

use std::collections::BTreeSet;
use std::time::Duration;

use jwt_redis_session::store::{
    Command, Compared, IndexEntry, Reply, Standing, Store, StoreErrorKind, Superseded,
};
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::support::redis_server::{self, RedisServer, admin};
use crate::support::unique;

mod account;
mod commands;
mod connect;

const TTL: Duration = Duration::from_secs(60);

const MINUTES: Duration = Duration::from_secs(600);

async fn one(store: &RedisStore, command: Command<'_>) -> Reply {
    let mut replies = store.run(&[command]).await.expect("redis answers");
    assert_eq!(replies.len(), 1);
    replies.remove(0)
}

fn insert<'a>(key: &'a str, value: &'a [u8]) -> Command<'a> {
    Command::Insert {
        key,
        value,
        ttl: TTL,
    }
}

/// When the marks of these tests are set, in Unix seconds.
const NOW: i64 = 1_700_000_000;

fn put<'a>(index: &'a str, member: &'a str, score: i64) -> Command<'a> {
    Command::IndexPut {
        index,
        member,
        score,
        ttl: TTL,
    }
}

fn record(reply: Reply) -> Option<(Vec<u8>, Option<Duration>)> {
    match reply {
        Reply::Record(stored) => stored.map(|stored| (stored.value.to_vec(), stored.ttl)),
        other => panic!("not a record: {other:?}"),
    }
}

fn members(reply: Reply) -> BTreeSet<String> {
    match reply {
        Reply::Members(members) => members.into_iter().collect(),
        other => panic!("not members: {other:?}"),
    }
}

fn score_of(standing: Standing) -> Option<i64> {
    match standing {
        Standing::Live { score } => Some(score),
        Standing::Dying { since } => {
            assert_eq!(since, NOW, "a mark keeps its time");
            None
        }
    }
}

fn entries(reply: Reply) -> BTreeSet<(String, Option<i64>)> {
    match reply {
        Reply::Entries(entries) => {
            let pair = |entry: IndexEntry| (entry.member, score_of(entry.standing));
            entries.into_iter().map(pair).collect()
        }
        other => panic!("not entries: {other:?}"),
    }
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

async fn store() -> (RedisStore, String, Option<RedisServer>) {
    let (url, server) = redis_server::any();
    (
        RedisStore::connect(&url).await.expect("connect"),
        url,
        server,
    )
}

/// Walks through every command; used again over other roads to Redis.
async fn walk(store: &RedisStore) {
    let (key, index) = (&*unique("jrs:walk"), &*unique("jrs:walk:index"));
    assert_eq!(record(one(store, Command::Load { key }).await), None);
    assert_eq!(one(store, insert(key, b"one")).await, Reply::Applied(true));
    assert_eq!(one(store, insert(key, b"two")).await, Reply::Applied(false));
    let (value, ttl) = record(one(store, Command::Load { key }).await).expect("stored");
    assert_eq!(value, b"one");
    assert!(ttl.is_some_and(|ttl| ttl <= TTL && ttl > TTL - Duration::from_secs(20)));

    let cas = |expected: &'static [u8]| Command::CompareAndSet {
        key,
        expected,
        value: b"\0\xff1",
        ttl: MINUTES,
    };
    let held = Compared::Different(b"one".as_slice().into());
    assert_eq!(one(store, cas(b"other")).await, Reply::Compared(held));
    assert_eq!(
        one(store, cas(b"one")).await,
        Reply::Compared(Compared::Equal)
    );
    let (value, ttl) = record(one(store, Command::Load { key }).await).expect("stored");
    assert_eq!(value, b"\0\xff1");
    assert!(ttl.is_some_and(|ttl| ttl > TTL));

    let cad = |expected: &'static [u8]| Command::CompareAndDelete { key, expected };
    let held = Compared::Different(b"\0\xff1".as_slice().into());
    assert_eq!(one(store, cad(b"one")).await, Reply::Compared(held));
    assert_eq!(
        one(store, cad(b"\0\xff1")).await,
        Reply::Compared(Compared::Equal)
    );
    assert_eq!(
        one(store, cad(b"\0\xff1")).await,
        Reply::Compared(Compared::Gone)
    );
    assert_eq!(
        one(store, cas(b"one")).await,
        Reply::Compared(Compared::Gone)
    );

    let replace = Command::Replace {
        key,
        value: b"1",
        ttl: TTL,
    };
    assert_eq!(one(store, replace).await, Reply::Applied(false));
    let expire = Command::Expire { key, ttl: MINUTES };
    assert_eq!(one(store, expire).await, Reply::Applied(false));
    assert_eq!(one(store, insert(key, b"0")).await, Reply::Applied(true));
    assert_eq!(one(store, replace).await, Reply::Applied(true));
    assert_eq!(one(store, expire).await, Reply::Applied(true));
    let (value, ttl) = record(one(store, Command::Load { key }).await).expect("stored");
    assert_eq!(value, b"1");
    assert!(ttl.is_some_and(|ttl| ttl > TTL));
    assert_eq!(
        one(store, Command::Delete { key }).await,
        Reply::Applied(true)
    );
    assert_eq!(
        one(store, Command::Delete { key }).await,
        Reply::Applied(false)
    );

    walk_index(store, index).await;
    assert_eq!(store.run(&[]).await, Ok(vec![]));
}

async fn walk_index(store: &RedisStore, index: &str) {
    let check = |member: &'static str| Command::IndexCheck { index, member };
    assert_eq!(one(store, check("a")).await, Reply::Applied(false));
    assert_eq!(
        one(store, Command::IndexEntries { index }).await,
        Reply::Entries(vec![])
    );
    assert_eq!(one(store, put(index, "a", 100)).await, Reply::Done);
    assert_eq!(one(store, put(index, "b", 300)).await, Reply::Done);
    assert_eq!(one(store, put(index, "b", 200)).await, Reply::Done);
    assert_eq!(one(store, put(index, "c", i64::MAX)).await, Reply::Done);
    assert_eq!(one(store, check("a")).await, Reply::Applied(true));
    let listed = entries(one(store, Command::IndexEntries { index }).await);
    let expected = [("a", Some(100)), ("b", Some(300)), ("c", Some(i64::MAX))];
    assert_eq!(
        listed,
        expected
            .map(|(name, score)| (name.to_owned(), score))
            .into()
    );

    let due = |score, limit| Command::IndexDue {
        index,
        score,
        limit,
    };
    assert_eq!(members(one(store, due(99, 9)).await), set([]));
    assert_eq!(members(one(store, due(300, 9)).await), set(["a", "b"]));
    assert_eq!(members(one(store, due(300, 1)).await), set(["a"]));
    assert_eq!(members(one(store, due(300, 0)).await), set([]));

    let supersede = |old, new| Command::IndexSupersede {
        index,
        old,
        new,
        now: NOW,
    };
    let came = |superseded| Reply::Superseded(superseded);
    assert_eq!(
        one(store, supersede("x", "b")).await,
        came(Superseded::OldGone)
    );
    assert_eq!(
        one(store, supersede("a", "x")).await,
        came(Superseded::NewGone)
    );
    assert_eq!(
        one(store, supersede("a", "b")).await,
        came(Superseded::Marked)
    );
    assert_eq!(
        one(store, supersede("a", "b")).await,
        came(Superseded::OldGone)
    );
    assert_eq!(
        one(store, supersede("b", "a")).await,
        came(Superseded::NewGone)
    );
    assert_eq!(one(store, check("a")).await, Reply::Applied(false));
    assert_eq!(one(store, put(index, "a", 500)).await, Reply::Done);
    assert_eq!(
        one(store, check("a")).await,
        Reply::Applied(false),
        "a mark stays"
    );

    let mark = |keep| Command::IndexMarkAll {
        index,
        keep,
        now: NOW,
    };
    assert_eq!(members(one(store, mark(Some("b"))).await), set(["a", "c"]));
    assert_eq!(one(store, check("b")).await, Reply::Applied(true));
    assert_eq!(members(one(store, due(i64::MAX, 9)).await), set(["b"]));
    assert_eq!(members(one(store, mark(None)).await), set(["a", "b", "c"]));
    let listed = entries(one(store, Command::IndexEntries { index }).await);
    assert!(
        listed.iter().all(|(_, score)| score.is_none()),
        "{listed:?}"
    );

    let remove = |members| Command::IndexRemove { index, members };
    assert_eq!(one(store, remove(&[])).await, Reply::Done);
    assert_eq!(one(store, remove(&["a", "b", "none"])).await, Reply::Done);
    assert_eq!(members(one(store, mark(None)).await), set(["c"]));
    assert_eq!(one(store, remove(&["c"])).await, Reply::Done);
    assert_eq!(members(one(store, mark(None)).await), set([]));
}
