//! Values at the limits of Redis.

use jwt_redis_session::store::EntryState;

use super::*;

#[tokio::test]
async fn scripts_that_the_server_has_forgotten_run_all_the_same() {
    let (server, store) = connected().await;
    assert_eq!(store.insert(record("k", b"0")).await, Ok(true));
    for number in 1..10 {
        server.run(&["SCRIPT", "FLUSH"]);
        let (old, new) = ((number - 1).to_string(), number.to_string());
        let new = record("k", new.as_bytes());
        let put = entry("i", "a", number);
        let set = store.compare_and_set_indexed(put, old.as_bytes(), new);
        assert_eq!(set.await, Ok(CompareOutcome::Applied));
    }
}

#[tokio::test]
async fn times_to_live_of_every_size_are_taken() {
    const THOUSAND_YEARS: Duration = Duration::from_secs(1000 * 365 * 86_400);

    let (server, store) = connected().await;
    let [tiny, huge] =
        [Duration::from_nanos(1), Duration::MAX].map(|ttl| NewRecord::new("k", b"v", ttl));
    assert_eq!(store.insert(tiny).await, Ok(true));
    let expired = || async { load(&store, "k").await.is_none().then_some(()) };
    crate::support::eventually("expired", expired).await;
    assert_eq!(store.insert(huge).await, Ok(true));
    assert_eq!(store.set_ttl("k", Duration::MAX).await, Ok(true));
    let set = store.compare_and_set(b"v", huge).await;
    assert_eq!(set, Ok(CompareOutcome::Applied));
    let ttl = load(&store, "k").await.expect("stored").ttl;
    assert!(ttl.is_some_and(|ttl| ttl > THOUSAND_YEARS));
    server.run(&["PERSIST", "k"]);
    assert_eq!(load(&store, "k").await.expect("stored").ttl, None);

    let endless = NewEntry::new("i", "a", i64::MAX, Duration::MAX);
    assert_eq!(store.index_put(endless, KEEP).await, Ok(()));
    let ttl: u64 = redis::from_redis_value(server.run(&["PTTL", "i"])).expect("a ttl");
    assert!(Duration::from_millis(ttl) > THOUSAND_YEARS);
    let entries = store.index_list("i", None).await;
    assert_eq!(entries.expect("redis answers")[0].state.score(), i64::MAX);
}

#[tokio::test]
async fn a_big_index_gets_all_its_tombstones() {
    let server = RedisServer::start();
    let store = patient(&server.url()).connect().await.expect("connect");
    let names: Vec<String> = (0..10_000).map(|number| format!("m{number}")).collect();
    for chunk in names.chunks(5_000) {
        let mut words = vec!["ZADD", "i"];
        words.extend(chunk.iter().flat_map(|name| ["1", name.as_str()]));
        server.run(&words);
    }
    for _ in 0..2 {
        let all = store.index_tombstone_all("i", Some("m7"), 9).await;
        assert_eq!(all, Ok(()));
    }
    let entries = store.index_list("i", None).await.expect("redis answers");
    let deleting = EntryState::Deleting { since: 9 };
    let is_deleting = entries.iter().filter(|entry| entry.state == deleting);
    assert_eq!(is_deleting.count(), 9_999);
    let (by, limit) = (i64::MAX, usize::MAX);
    let due = store.index_list("i", Some(Due { by, limit })).await;
    let due = due.expect("redis answers");
    assert!(due.iter().map(|entry| &*entry.member).eq(["m7"]));
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(store.index_remove("i", &all, None).await, Ok(()));
    assert_eq!(store.index_list("i", None).await, Ok(vec![]));
}
